//! The timeline of the incident under the cursor: newest at the bottom.

use ratatui::Frame;
use ratatui::layout::{Margin, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::domain::text::{fit, visible};
use crate::domain::timeline::{Entry, Kind};
use crate::tui::model::{Model, Pane};
use crate::tui::view::wrap;

/// Lines of one entry while it is not selected.
const LINES_MAX: usize = 3;

pub(super) fn draw(model: &Model, screen: &mut Frame<'_>, rect: Rect) {
    let shown = lines(model, rect.inner(Margin::new(1, 1)));
    let newer = newer_mark(model, &shown);
    let room = usize::from(rect.width.saturating_sub(4)).saturating_sub(newer.width());
    let title = format!("{}{newer}", title(model, room));
    let inner = super::pane_frame(model, screen, rect, Some(Pane::Timeline), &title);
    super::lines(screen, inner, shown.into_iter().map(|(_, line)| line).collect());
}

/// How many newer entries stand below the pane: the cursor stays where it was put, and what comes
/// meanwhile must not come unseen.
fn newer_mark(model: &Model, shown: &[(usize, Line<'_>)]) -> String {
    match shown.iter().map(|(back, _)| *back).min() {
        None | Some(0) => String::new(),
        Some(hidden) => format!(" {}{hidden}", model.theme.mark("↓", "v")),
    }
}

/// The lines of a pane, each with the distance of its entry from the newest one.
fn lines(model: &Model, inner: Rect) -> Vec<(usize, Line<'static>)> {
    let (width, height) = (usize::from(inner.width), usize::from(inner.height));
    if model.watched().is_none() {
        return Vec::new();
    }
    let entries = model.entries();
    let is_focused = model.focus == Pane::Timeline;
    let at = if is_focused { model.entry_back } else { 0 };
    let block = |back: usize| -> Vec<(usize, Line<'static>)> {
        let entry = back.checked_add(1).and_then(|n| entries.len().checked_sub(n));
        let Some(entry) = entry.and_then(|index| entries.get(index)) else { return Vec::new() };
        let made = entry_lines(model, entry, width, is_focused && back == at);
        made.into_iter().map(|line| (back, line)).collect()
    };
    let mut shown = block(at);
    if is_focused && shown.len() > height {
        // Taller than the pane: read from its beginning, a page at a time.
        let from = model.entry_top.min(shown.len() - height);
        return shown.drain(from..from + height).collect();
    }
    // What is newer stands below the selected entry, in the lower half; what is older above.
    let (mut newer, mut older) = (at, at + 1);
    let below = (height - shown.len().min(height)) / 2;
    let own = shown.len();
    while shown.len() < own + below && newer > 0 {
        newer -= 1;
        shown.extend(block(newer));
    }
    shown.truncate(own + below);
    let mut above: Vec<(usize, Line<'static>)> = Vec::new();
    while above.len() + shown.len() < height && older < entries.len() {
        let mut made = block(older);
        older += 1;
        made.extend(above);
        above = made;
    }
    above.extend(shown);
    // At the beginning of it all there is more room below.
    while above.len() < height && newer > 0 {
        let cut = above.iter().filter(|(back, _)| *back == newer).count();
        above.truncate(above.len() - cut);
        above.extend(block(newer));
        if above.len() < height {
            newer -= 1;
            above.extend(block(newer));
        }
    }
    let missing = model.earlier();
    if older >= entries.len() && missing > 0 {
        let text = format!("… {missing} earlier, not here yet: k goes on to them");
        let text = fit(&text, width).into_owned();
        above.insert(0, (entries.len().saturating_sub(1), Line::styled(text, model.theme.dim)));
    }
    if above.len() > height {
        // What is cut is farthest from the selected entry.
        let first = above.iter().position(|(back, _)| *back == at).unwrap_or(0);
        let from = (above.len() - height).min(first);
        above.drain(..from);
        above.truncate(height);
    }
    above
}

/// How many entries there are from the selected one to the next page's, up or down.
pub fn page(model: &Model, inner: Rect, up: bool) -> usize {
    let entries = model.entries();
    let (width, height) = (usize::from(inner.width), usize::from(inner.height));
    let of = |back: usize| {
        let index = entries.len().checked_sub(back + 1)?;
        entries.get(index).map(|entry| entry_lines(model, entry, width, false).len())
    };
    let (mut used, mut count, mut back) = (0, 0, model.entry_back);
    loop {
        let next = if up { back.checked_add(1) } else { back.checked_sub(1) };
        let Some((next, lines)) = next.and_then(|next| Some((next, of(next)?))) else { break };
        used += lines;
        if used + LINES_MAX > height {
            break;
        }
        (count, back) = (count + 1, next);
    }
    count
}

/// By how many lines the selected entry is taller than the pane.
pub fn overflow(model: &Model, inner: Rect) -> usize {
    let entries = model.entries();
    let Some(entry) = entries.iter().rev().nth(model.entry_back) else { return 0 };
    let made = entry_lines(model, entry, usize::from(inner.width), true);
    made.len().saturating_sub(usize::from(inner.height))
}

/// The entry on a line of the pane, as its distance from the newest one.
pub fn entry_at(model: &Model, inner: Rect, row: usize) -> Option<usize> {
    lines(model, inner).get(row).map(|(back, _)| *back)
}

/// A long title gives way to the state and to what others do.
fn title(model: &Model, columns: usize) -> String {
    let Some(incident) = model.shown_incident() else {
        return "Timeline".to_owned();
    };
    let mut before = String::new();
    for (login, writes) in model.others_at(incident.id) {
        let does = if writes { "writes" } else { "looks" };
        before = format!("{before}{} {does} · ", visible(&login));
    }
    if let Some(past) = super::as_known(model) {
        before = format!("{past} · {before}");
    }
    let after = format!(" · {} {} {}", incident.severity, incident.priority(), incident.phase());
    let before = fit(&before, columns / 2);
    let id = incident.id.to_string();
    let room = columns.saturating_sub(before.width() + id.width() + 1 + after.width());
    format!("{before}{id} {}{after}", fit(&visible(&incident.title), room))
}

fn style_of(model: &Model, kind: Kind) -> Style {
    match kind {
        Kind::Alert => model.theme.warn,
        Kind::State => model.theme.accent,
        Kind::Remedy | Kind::Contact => model.theme.good,
        Kind::Decision => model.theme.title,
        Kind::People | Kind::Note | Kind::Hypothesis | Kind::Link | Kind::Paging => {
            Style::default()
        }
    }
}

fn entry_lines(
    model: &Model,
    entry: &Entry,
    width: usize,
    is_selected: bool,
) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let is_today = entry.when.is_same_day(model.now);
    let time = if is_today {
        entry.when.clock()
    } else {
        entry.when.utc().format("%m-%d %H:%M").to_string()
    };
    let about = if entry.about { "~" } else { "" };
    let late = entry.recorded.map(|_| theme.mark("↩", "<")).unwrap_or_default();
    // Rows stand in columns: where a time is not exact, or was written down later, the marks take the
    // place of its seconds.
    let stamp = if is_today && !(about.is_empty() && late.is_empty()) {
        format!("{:<8}", format!("{about}{}{late}", entry.when.clock_minutes()))
    } else {
        format!("{about}{time}{late}")
    };
    let columns = if width > 90 { 13 } else { 8 };
    let who = fit(&visible(&entry.who), columns).into_owned();
    let cursor = if is_selected { theme.mark("▶", ">") } else { " " };
    let head = format!("{cursor}{stamp} ");
    let head_width = head.width();
    let indent = head_width + columns + 1;
    let room = width.saturating_sub(indent).max(8);
    let mut texts = wrap(&entry.text, room);
    if !is_selected && !model.zoom && texts.len() > LINES_MAX {
        texts.truncate(LINES_MAX);
        if let Some(last) = texts.last_mut() {
            *last = format!("{}…", fit(last, room - 1).trim_end_matches('…'));
        }
    }
    let head_style = if is_selected { theme.cursor } else { theme.dim };
    let pad = (columns + 1).saturating_sub(who.width());
    texts
        .into_iter()
        .enumerate()
        .map(|(index, text)| {
            let text = Span::styled(text, style_of(model, entry.kind));
            if index == 0 {
                let who = format!("{who}{}", " ".repeat(pad));
                Line::from(vec![Span::styled(head.clone(), head_style), Span::raw(who), text])
            } else {
                Line::from(vec![Span::raw(" ".repeat(indent)), text])
            }
        })
        .collect()
}
