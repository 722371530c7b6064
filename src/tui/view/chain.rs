//! The escalation chain: who answered, and who would be reached at each level, computed now.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::domain::incident::Incident;
use crate::domain::oncall::{self, Reach};
use crate::domain::text::{fit, visible};
use crate::domain::time::span_words;
use crate::domain::words::Role;
use crate::tui::model::{Model, Pane};

pub(super) fn draw(model: &Model, screen: &mut Frame<'_>, rect: Rect) {
    let title = match model.shown_incident() {
        Some(incident) => format!("Escalation {}", incident.id),
        None => "Escalation".to_owned(),
    };
    let inner = super::pane_frame(model, screen, rect, Some(Pane::Chain), &title);
    super::lines(screen, inner, chain_lines(model, usize::from(inner.width)));
}

fn chain(model: &Model, incident: &Incident) -> Vec<Reach> {
    oncall::chain(&model.mirror.plan, &incident.services, incident.opened_at, model.shown_now())
}

fn held_by(model: &Model, incident: &Incident) -> (String, Style) {
    let theme = &model.theme;
    if !incident.phase().is_active() {
        return (format!("{} {}", theme.mark("·", "-"), incident.phase()), theme.dim);
    }
    if let Some(ack) = &incident.ack {
        let after = span_words(ack.at.since(incident.opened_at));
        (
            format!(
                "{} acknowledged by {} at {} (after {after})",
                theme.mark("✓", "v"),
                visible(&ack.by),
                ack.at.clock()
            ),
            theme.good,
        )
    } else {
        let since = span_words(model.now.since(incident.opened_at));
        (format!("! nobody has acknowledged, open for {since}"), theme.bad)
    }
}

fn chain_lines(model: &Model, width: usize) -> Vec<Line<'static>> {
    let Some(incident) = model.shown_incident() else {
        return Vec::new();
    };
    let theme = &model.theme;
    let (text, style) = held_by(model, incident);
    let mut lines = vec![Line::styled(fit(&text, width).into_owned(), style)];
    if let Some(offer) = &incident.offer {
        let how = if offer.to == model.login { ": c a accepts" } else { "" };
        let text =
            format!("? command offered by {} to {}{how}", visible(&offer.from), visible(&offer.to));
        lines.push(Line::styled(fit(&text, width).into_owned(), theme.warn));
    }
    let commander = incident.commander().unwrap_or("nobody");
    let mut roles = format!("  commander {}", visible(commander));
    for (role, people) in incident.roles.iter().filter(|(role, _)| **role != Role::Commander) {
        roles.push_str(" · ");
        roles.push_str(role.word());
        roles.push(' ');
        roles.push_str(&visible(&people.join(", ")));
    }
    lines.push(Line::raw(fit(&roles, width).into_owned()));
    let name_width = if width > 60 { 14 } else { 11 };
    for reach in chain(model, incident) {
        lines.push(reach_line(model, &reach, incident, name_width, width));
    }
    if lines.len() == 2 {
        lines.push(Line::styled("the plan has no escalation policy", theme.bad));
    }
    lines
}

fn reach_line(
    model: &Model,
    reach: &Reach,
    incident: &Incident,
    name_width: usize,
    width: usize,
) -> Line<'static> {
    let theme = &model.theme;
    // A level that was not due yet was not reached, whoever answered.
    let answered = incident
        .ack
        .as_ref()
        .is_some_and(|ack| reach.people.contains(&ack.by) && reach.due <= ack.at);
    let mark = if answered { theme.mark("✓", "v") } else { theme.mark("○", "o") };
    let name = fit(&visible(&reach.level), name_width).into_owned();
    let pad = name_width.saturating_sub(unicode_width::UnicodeWidthStr::width(name.as_str()));
    let after = span_words(reach.due.since(incident.opened_at));
    let head = format!("{mark} {name}{} +{after:<4} ", " ".repeat(pad));
    let room = width.saturating_sub(unicode_width::UnicodeWidthStr::width(head.as_str()));
    if reach.people.is_empty() {
        let text = format!("nobody on call {}", theme.mark("⚠", "!!"));
        return Line::from(vec![Span::raw(head), super::outside(&text, room, theme.bad)]);
    }
    let text = format!("{}  {}", reach.people.join(", "), reach.contacts.join(" → "));
    Line::from(vec![Span::raw(head), super::outside(&text, room, Style::default())])
}

/// The chain in one line, for small screens.
pub(super) fn strip(model: &Model, screen: &mut Frame<'_>, rect: Rect) {
    let Some(incident) = model.shown_incident() else {
        return;
    };
    let width = usize::from(rect.width);
    let (held, style) = held_by(model, incident);
    let next = chain(model, incident)
        .into_iter()
        .map(|reach| {
            let who = reach.people.first().cloned().unwrap_or_else(|| "nobody".to_owned());
            format!("{} {}", reach.level.split(' ').next().unwrap_or_default(), who)
        })
        .collect::<Vec<_>>()
        .join(" → ");
    let text = format!("3 {held} · {}", visible(&next));
    super::lines(screen, rect, vec![Line::styled(fit(&text, width).into_owned(), style)]);
}
