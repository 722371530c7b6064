//! The alerts of one incident, to choose from.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "most of a long vocabulary is handled alike here"
)]

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::domain::text::{fit, visible};
use crate::tui::action::Action;
use crate::tui::alert_list::{AlertList, AlertRow};
use crate::tui::model::Model;

/// What enter does.
pub fn purpose(action: Action) -> &'static str {
    match action {
        Action::AckAlert => "enter acknowledges",
        Action::Shelve => "enter shelves",
        Action::Unshelve => "enter unshelves",
        Action::Split => "enter splits off",
        _ => "esc closes",
    }
}

/// An alert in words, without a mark.
pub fn words(row: &AlertRow) -> String {
    let flaps = if row.is_flapping { ", flapping" } else { "" };
    format!("{} ×{} {}{flaps} {}", row.name, row.repeats, row.state, row.labels)
}

pub(super) fn draw(model: &Model, screen: &mut Frame<'_>, area: Rect, list: &AlertList) {
    let width = area.width.min(110);
    let columns = usize::from(width.saturating_sub(2));
    let wanted = u16::try_from(list.rows.len()).unwrap_or(u16::MAX).saturating_add(4);
    let height = wanted.min(area.height).min(24);
    let room = usize::from(height.saturating_sub(3)).max(1);
    let top = list.at.saturating_sub(room - 1);
    let mut lines: Vec<Line<'static>> = list
        .rows
        .iter()
        .enumerate()
        .skip(top)
        .take(room)
        .map(|(index, row)| {
            let mark = if list.marks.contains(&row.key) { "+" } else { " " };
            let text = format!(
                "{mark}{:<24} {:<17} ×{:<4} {}{}",
                fit(&visible(&row.name), 24),
                fit(&row.state, 17),
                row.repeats,
                if row.is_flapping { "flapping " } else { "" },
                row.labels
            );
            super::modal::picked(model, &text, index == list.at, columns)
        })
        .collect();
    lines.resize(room, Line::raw(""));
    let marked = if list.marks.is_empty() {
        String::new()
    } else {
        format!("{} marked · ", list.marks.len())
    };
    let keys = "space mark · a acknowledge · s shelve · u unshelve · x split off · esc";
    let foot = fit(&format!("{marked}{keys}"), columns).into_owned();
    lines.push(Line::styled(foot, model.theme.accent));
    let title = format!("Alerts of {} · {}", list.incident, purpose(list.purpose));
    super::modal::boxed(model, screen, area, &title, width, height, lines);
}
