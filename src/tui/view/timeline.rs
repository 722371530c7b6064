//! The timeline of the incident under the cursor: newest at the bottom.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::domain::text::visible;
use crate::domain::timeline::{Entry, Kind};
use crate::tui::model::{Model, Pane};
use crate::tui::view::wrap;

/// Lines of one entry while it is not selected.
const LINES_MAX: usize = 3;

pub(super) fn draw(model: &Model, screen: &mut Frame<'_>, rect: Rect) {
    let inner = super::pane_frame(model, screen, rect, Some(Pane::Timeline), &title(model));
    let width = usize::from(inner.width);
    let height = usize::from(inner.height);
    if model.watched().is_none() {
        return;
    }
    let entries = model.entries();
    let is_focused = model.focus == Pane::Timeline;
    let skip = if is_focused { model.entry_back } else { 0 };
    let mut lines: Vec<Line<'static>> = Vec::new();
    // From the bottom up, until the pane is full; the selected entry is always among them.
    let start = skip.saturating_sub(height / 2);
    for (back, entry) in entries.iter().rev().enumerate().skip(start) {
        let is_selected = is_focused && back == skip;
        let mut block = entry_lines(model, entry, width, is_selected);
        block.reverse();
        lines.extend(block);
        if lines.len() >= height {
            break;
        }
    }
    lines.truncate(height);
    lines.reverse();
    super::lines(screen, inner, lines);
}

fn title(model: &Model) -> String {
    let Some(incident) = model.shown_incident() else {
        return "Timeline".to_owned();
    };
    let mut title = format!(
        "{} {} · {} {} {}",
        incident.id,
        visible(&incident.title),
        incident.severity,
        incident.priority(),
        incident.phase()
    );
    if let Some(past) = &model.past {
        title = format!("AS KNOWN AT #{} · {title}", past.seq);
    }
    for (login, writes) in model.others_at(incident.id) {
        let does = if writes { "writes" } else { "looks" };
        title = format!("{} {does} · {title}", visible(&login));
    }
    title
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
    let who = crate::domain::text::fit(&visible(&entry.who), 8).into_owned();
    let cursor = if is_selected { theme.mark("▶", ">") } else { " " };
    let head = format!("{cursor}{about}{time}{late} ");
    let head_width = unicode_width::UnicodeWidthStr::width(head.as_str());
    let indent = head_width + 9;
    let room = width.saturating_sub(indent).max(8);
    let mut texts = wrap(&entry.text, room);
    if !is_selected && !model.zoom && texts.len() > LINES_MAX {
        texts.truncate(LINES_MAX);
        if let Some(last) = texts.last_mut() {
            last.push('…');
        }
    }
    let head_style = if is_selected { theme.cursor } else { theme.dim };
    let pad = 9usize.saturating_sub(unicode_width::UnicodeWidthStr::width(who.as_str()));
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
