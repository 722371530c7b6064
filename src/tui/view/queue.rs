//! The incident queue.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::domain::row::Row;
use crate::domain::text::{fit, visible};
use crate::domain::time::{MINUTE_MS, span_words};
use crate::domain::words::Phase;
use crate::tui::model::{LinkState, Model, Pane};

pub(super) fn draw(model: &Model, screen: &mut Frame<'_>, rect: Rect) {
    let total = model.mirror.counts.live as usize;
    let rows = usize::from(rect.height.saturating_sub(2));
    let title = if model.filter.is_empty() && model.shown.len() > rows {
        // Some are not seen: the title says which are.
        let last = (model.top + rows).min(model.shown.len());
        format!("Incidents {}-{last} of {total}", model.top + 1)
    } else if model.filter.is_empty() {
        format!("Incidents {total}")
    } else {
        format!("Incidents {} of {total} · {}", model.shown.len(), visible(&model.filter))
    };
    let inner = super::pane_frame(model, screen, rect, Some(Pane::Queue), &title);
    let height = usize::from(inner.height);
    if model.shown.is_empty() {
        let text = if model.filter.is_empty() {
            "nothing is open; R reports something"
        } else {
            "nothing matches; esc clears the filter"
        };
        return super::lines(screen, inner, vec![Line::styled(text, model.theme.dim)]);
    }
    let lines = visible_rows(model, height)
        .map(|(index, row)| row_line(model, index, row, usize::from(inner.width)))
        .collect();
    super::lines(screen, inner, lines);
}

fn visible_rows(model: &Model, height: usize) -> impl Iterator<Item = (usize, &Row)> {
    model
        .shown
        .iter()
        .enumerate()
        .skip(model.top)
        .take(height)
        .filter_map(|(index, id)| Some((index, model.mirror.row(*id)?)))
}

/// Below 40×12: one line each, and the last line for what was said.
pub(super) fn plain(model: &Model, screen: &mut Frame<'_>, rect: Rect) {
    let width = usize::from(rect.width);
    let height = usize::from(rect.height.saturating_sub(1));
    let mut lines: Vec<Line<'static>> = visible_rows(model, height)
        .map(|(index, row)| {
            let cursor = if index == model.selected { ">" } else { " " };
            let ack = match (row.is_acked, row.is_partly) {
                (false, _) => "!",
                (true, true) => model.theme.mark("½", "h"),
                (true, false) => " ",
            };
            let text = format!(
                "{cursor}{}{ack}{} {}",
                row.severity.number(),
                row.id.0,
                visible(&row.title)
            );
            Line::raw(fit(&text, width).into_owned())
        })
        .collect();
    if lines.is_empty() {
        lines.push(Line::raw("nothing is open"));
    }
    lines.truncate(height);
    lines.push(last_line(model, width));
    super::lines(screen, rect, lines);
}

/// On the smallest screens one line says what is most urgent: the link, what is typed, what was
/// said.
pub(super) fn last_line(model: &Model, width: usize) -> Line<'static> {
    let said = if let LinkState::Lost { since, .. } = &model.link {
        format!("KEEPER LOST {} ago", span_words(model.now.since(*since)))
    } else if model.is_filtering {
        format!("/ {}", visible(&model.filter))
    } else if !model.pending.is_empty() {
        model.pending.iter().map(ToString::to_string).collect::<String>() + " …"
    } else if let Some(notice) = &model.notice {
        visible(&notice.text).into_owned()
    } else if let Some(flight) = model.flight_words() {
        visible(&flight).into_owned()
    } else {
        let counts = model.mirror.counts;
        format!("{} open, {} unacked", counts.live, counts.unacked)
    };
    Line::raw(fit(&said, width).into_owned())
}

/// What a row's state is, in two marks: answered or not, firing or not.
fn marks(model: &Model, row: &Row) -> (String, Style) {
    let theme = &model.theme;
    let phase = match row.phase {
        Phase::Triage | Phase::Investigating | Phase::Identified => "",
        Phase::Monitoring => "mon",
        Phase::Resolved => "res",
        Phase::InReview => "rev",
        Phase::Closed => "cls",
        Phase::Declined => "dec",
        Phase::Merged => "mrg",
    };
    let firing = if row.firing > 0 { theme.mark("▲", "^") } else { " " };
    if !row.phase.is_active() {
        // An alert that goes on after the resolution is news.
        let style = if row.firing > 0 { theme.warn } else { theme.dim };
        return (format!("{phase}{firing} "), style);
    }
    if row.is_acked {
        let debt = if row.debts > 0 { "w" } else { "" };
        if row.is_partly {
            return (format!("{phase}{debt}{firing}{}", theme.mark("½", "h")), theme.bad);
        }
        if row.snoozed_until.is_some() {
            return (format!("{phase}{debt}{firing}z"), theme.warn);
        }
        let ack = theme.mark("✓", "v");
        return (format!("{phase}{debt}{firing}{ack}"), theme.good);
    }
    (format!("{phase}{firing}!"), theme.bad)
}

fn row_line(model: &Model, index: usize, row: &Row, width: usize) -> Line<'static> {
    let is_selected = index == model.selected && !model.visiting;
    let theme = &model.theme;
    // Only the head of the line is reversed: moving the cursor must cost few bytes on a bad line.
    let head_style = if is_selected { theme.cursor } else { theme.severity(row.severity) };
    let cursor = if is_selected { theme.mark("▶", ">") } else { " " };
    let mark = match () {
        () if model.marks.contains(&row.id) => "+",
        () if model.paged.contains(&row.id) => theme.mark("☎", "P"),
        () => " ",
    };
    let head = format!("{}{} {}", cursor, mark, row.severity);
    let id = format!(" {:<8}", row.id.to_string());
    // The queue is drawn anew each minute, so seconds would be stale.
    let open_for = model.now.since(row.opened_at).max(0);
    let age = if open_for < MINUTE_MS { "now".to_owned() } else { span_words(open_for) };
    let age = format!("{age:>6}");
    let (state, state_style) = marks(model, row);
    let state = format!("{state:>6}");
    let is_wide = width > 70;
    let who = if is_wide { format!(" {:<10}", fit(&visible(&row.who), 10)) } else { String::new() };
    let others = if model.others_at(row.id).is_empty() { " " } else { theme.mark("◦", "o") };
    let used =
        7 + id.chars().count() + 1 + age.len() + state.chars().count() + who.chars().count() + 1;
    let room = width.saturating_sub(used);
    let title = fit(&visible(&row.title), room).into_owned();
    let pad = room.saturating_sub(unicode_width::UnicodeWidthStr::width(title.as_str()));
    // Where there is no column for who has it, a short title leaves room for it.
    let name = fit(&visible(&row.who), 10).into_owned();
    let name_width = unicode_width::UnicodeWidthStr::width(name.as_str());
    let is_beside = !is_wide && name_width > 0 && pad > name_width + 1;
    let (pad, who) = if is_beside { (pad - name_width, name) } else { (pad, who) };
    Line::from(vec![
        Span::styled(head, head_style),
        Span::styled(id, if is_selected { theme.cursor } else { Style::default() }),
        Span::raw(" "),
        Span::raw(title),
        Span::raw(" ".repeat(pad)),
        // Plain where it is not a column: each change of style costs bytes on every line.
        Span::styled(who, if is_wide { theme.dim } else { Style::default() }),
        // Plain on purpose: each change of style costs bytes on every line of the first picture.
        Span::raw(others),
        Span::raw(age),
        Span::styled(state, state_style),
    ])
}
