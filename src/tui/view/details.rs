//! Everything that is known of one incident, in words.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::domain::incident::{Incident, Stage};
use crate::domain::time::{Timestamp, span_words};
use crate::domain::words::Moment;
use crate::tui::model::Model;
use crate::tui::view::wrap;

/// The widest page, in columns.
pub const WIDTH: u16 = 100;

/// The lines, not yet cut to a width.
pub fn lines(model: &Model) -> Vec<String> {
    let Some(i) = model.shown_incident() else {
        return vec!["no incident is selected".to_owned()];
    };
    let mut lines = vec![
        format!("{}  {}", i.id, i.title),
        format!("{} because {}", i.severity, i.severity_because),
        format!("{} because {}", i.priority(), i.priority_because()),
        format!("{}, public: {}", i.phase(), i.public),
        format!("opened {} by {} ({})", instant(i.opened_at), i.reporter, i.origin),
    ];
    lines.push(format!(
        "services: {}",
        if i.services.is_empty() { "none named".to_owned() } else { i.services.join(", ") }
    ));
    lines.push(format!("owner: {}", i.owner.as_deref().unwrap_or("nobody")));
    for (role, people) in &i.roles {
        lines.push(format!("{role}: {}", people.join(", ")));
    }
    for (kind, other) in &i.links {
        lines.push(format!("{kind} {other}"));
    }
    for child in &i.children {
        lines.push(format!("holds {child}"));
    }
    lines.push(String::new());
    lines.push(if i.members.is_empty() {
        "alerts: none".to_owned()
    } else {
        format!("alerts: {} of {} fire, posted {} times", i.firing(), i.members.len(), i.posts())
    });
    for (key, member) in i.members.iter().take(12) {
        let state = if member.is_firing { "fires" } else { "over" };
        lines.push(format!("  {state} ×{} {key}", member.repeats + 1));
    }
    if i.members.len() > 12 {
        lines.push(format!("  … and {} more", i.members.len() - 12));
    }
    if !i.members.is_empty() {
        lines.push("  'A l' lists them by name".to_owned());
    }
    remedies(model, i, &mut lines);
    lines.push(String::new());
    for moment in Moment::ALL {
        let text = match i.moments.get(moment) {
            Some(at) => instant(*at),
            None if i.unknown.contains(moment) => "not known".to_owned(),
            None => continue,
        };
        lines.push(format!("{moment}: {text}"));
    }
    end(i, &mut lines);
    if !i.labels.is_empty() {
        lines.push(String::new());
        lines.extend(i.labels.iter().map(|(label, value)| format!("{label}={value}")));
    }
    if let Some(group) = &i.group {
        lines.push(format!("group: {group}"));
    }
    lines
}

/// A full time to the second: milliseconds help nobody here.
fn instant(at: Timestamp) -> String {
    at.utc().format("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn remedies(model: &Model, i: &Incident, lines: &mut Vec<String>) {
    for remedy in &i.remedies {
        let until = match remedy.expires {
            Some(_) if remedy.is_expired => " · OUTLIVED ITS TIME".to_owned(),
            Some(at) if remedy.is_debt() => format!(" · {} left", span_words(at.since(model.now))),
            _ => String::new(),
        };
        lines.push(format!(
            "{} {} ({}{until}): {}",
            remedy.kind, remedy.number, remedy.outcome, remedy.text
        ));
    }
}

fn end(i: &Incident, lines: &mut Vec<String>) {
    match &i.stage {
        Stage::Resolved(r) | Stage::InReview(r) | Stage::Closed(r) => {
            lines.push(format!("resolved by {} ({}): {}", r.by, r.reason, r.evidence));
            if let Some(why) = &r.forced {
                lines.push(format!("forced although alerts fired: {why}"));
            }
        }
        Stage::Declined { by, reason, .. } => lines.push(format!("declined by {by} ({reason})")),
        Stage::Merged { into, by, .. } => lines.push(format!("merged into {into} by {by}")),
        Stage::Triage | Stage::Investigating | Stage::Identified | Stage::Monitoring => {}
    }
    if i.reopened > 0 {
        lines.push(format!("reopened {} times", i.reopened));
    }
}

/// The details as a pane.
pub(super) fn draw(model: &Model, screen: &mut Frame<'_>, rect: Rect) {
    let inner = super::pane_frame(model, screen, rect, None, "Details");
    let shown = wrapped(model, usize::from(inner.width)).into_iter();
    super::lines(screen, inner, shown.take(usize::from(inner.height)).map(Line::raw).collect());
}

/// The lines, broken at a width.
pub fn wrapped(model: &Model, width: usize) -> Vec<String> {
    lines(model).iter().flat_map(|line| wrap(line, width)).collect()
}

/// The columns of the page that they fill.
pub fn columns(width: u16) -> usize {
    usize::from(width.min(WIDTH).saturating_sub(2))
}
