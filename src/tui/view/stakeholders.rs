//! The stakeholders: who must know, what each was last told, and what is promised.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::domain::incident::{Incident, Told};
use crate::domain::text::{fit, visible};
use crate::domain::time::span_words;
use crate::tui::model::{Model, Pane};

/// One stakeholder of the incident.
struct Who<'a> {
    name: String,
    told: Option<&'a Told>,
    channel: String,
    /// 0 late, 1 due, 2 not told, 3 told.
    rank: u8,
}

fn list<'a>(model: &Model, incident: &'a Incident) -> Vec<Who<'a>> {
    let mut names: Vec<String> = model
        .mirror
        .plan
        .audience_of(incident.severity, &incident.services)
        .map(|(name, _)| name.clone())
        .collect();
    for name in incident.told.keys() {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let is_live = incident.phase().is_live();
    let mut list: Vec<Who<'a>> = names
        .into_iter()
        .map(|name| {
            let told = incident.told.get(&name);
            let rank = match told.map(|told| told.next_by) {
                Some(Some(at)) if is_live && at < model.now => 0,
                Some(Some(_)) if is_live => 1,
                None => 2,
                Some(_) => 3,
            };
            let planned =
                model.mirror.plan.stakeholders.get(&name).and_then(|s| s.channels.first());
            let channel = told
                .map(|t| t.channel.clone())
                .filter(|c| !c.is_empty())
                .or_else(|| planned.cloned());
            Who { name, told, channel: channel.unwrap_or_default(), rank }
        })
        .collect();
    list.sort_by(|a, b| {
        (a.rank, a.told.and_then(|t| t.next_by), &a.name).cmp(&(
            b.rank,
            b.told.and_then(|t| t.next_by),
            &b.name,
        ))
    });
    list
}

/// The names in the order of the pane.
pub fn names(model: &Model) -> Vec<String> {
    model
        .shown_incident()
        .map(|incident| list(model, incident).into_iter().map(|who| who.name).collect())
        .unwrap_or_default()
}

/// The first one that is seen: the selected one always is.
pub fn top(model: &Model, height: usize) -> usize {
    let is_focused = model.focus == Pane::Stakeholders;
    if is_focused { (model.stakeholder + 1).saturating_sub(height.max(1)) } else { 0 }
}

/// Each in words, for a screen reader: the name, and how it stands.
pub(super) fn sentences(model: &Model) -> Vec<(String, String)> {
    let Some(incident) = model.shown_incident() else { return Vec::new() };
    let sentence = |who: Who<'_>| {
        let by =
            if who.channel.is_empty() { String::new() } else { format!("by {}, ", who.channel) };
        let text = match who.told {
            None => "not told yet".to_owned(),
            Some(told) => {
                let next = match (who.rank, told.next_by) {
                    (0, Some(at)) => format!(", late, promised for {}", at.clock_minutes()),
                    (1, Some(at)) => format!(", next word by {}", at.clock_minutes()),
                    _ => String::new(),
                };
                let first = told.text.lines().next().unwrap_or_default();
                format!("told at {}{next}: {first}", told.at.clock_minutes())
            }
        };
        (visible(&who.name).into_owned(), visible(&format!("{by}{text}")).into_owned())
    };
    list(model, incident).into_iter().map(sentence).collect()
}

fn words(model: &Model, who: &Who<'_>) -> (String, Style) {
    let theme = &model.theme;
    match who.told {
        None => (format!("{} not told yet", theme.mark("○", "o")), theme.warn),
        Some(told) => {
            let first = told.text.lines().next().unwrap_or_default();
            match (who.rank, told.next_by) {
                (0, Some(at)) => {
                    let late = span_words(model.now.since(at));
                    (
                        format!(
                            "! promised {} · {late} late · last {} {first}",
                            at.clock_minutes(),
                            told.at.clock_minutes()
                        ),
                        theme.bad,
                    )
                }
                (1, Some(at)) => (
                    format!(
                        "{} {} next by {} · {first}",
                        theme.mark("✓", "v"),
                        told.at.clock_minutes(),
                        at.clock_minutes()
                    ),
                    theme.good,
                ),
                _ => (
                    format!("{} {} {first}", theme.mark("✓", "v"), told.at.clock_minutes()),
                    theme.good,
                ),
            }
        }
    }
}

pub(super) fn draw(model: &Model, screen: &mut Frame<'_>, rect: Rect) {
    let title = match model.shown_incident() {
        Some(incident) => format!("Stakeholders {} · public: {}", incident.id, incident.public),
        None => "Stakeholders".to_owned(),
    };
    let inner = super::pane_frame(model, screen, rect, Some(Pane::Stakeholders), &title);
    let Some(incident) = model.shown_incident() else {
        return;
    };
    let width = usize::from(inner.width);
    let list = list(model, incident);
    if list.is_empty() {
        let text = "the plan names nobody who must know at this severity";
        return super::lines(
            screen,
            inner,
            vec![Line::styled(fit(text, width).into_owned(), model.theme.dim)],
        );
    }
    let lines = list
        .iter()
        .enumerate()
        .skip(top(model, usize::from(inner.height)))
        .map(|(index, who)| {
            let is_selected = model.focus == Pane::Stakeholders && index == model.stakeholder;
            let cursor = if is_selected { model.theme.mark("▶", ">") } else { " " };
            let (text, style) = words(model, who);
            let head = format!(
                "{cursor}{:<12} {:<12} ",
                fit(&visible(&who.name), 12),
                fit(&visible(&who.channel), 12)
            );
            let full = format!("{head}{}", visible(&text));
            let style = if is_selected { style.patch(model.theme.cursor) } else { style };
            Line::styled(fit(&full, width).into_owned(), style)
        })
        .collect();
    super::lines(screen, inner, lines);
}

/// The stakeholders in one line, for small screens.
pub(super) fn strip(model: &Model, screen: &mut Frame<'_>, rect: Rect) {
    let Some(incident) = model.shown_incident() else {
        return;
    };
    let list = list(model, incident);
    let count = |rank: u8| list.iter().filter(|who| who.rank == rank).count();
    let mut parts = Vec::new();
    for (rank, word) in [(0, "LATE"), (1, "promised"), (2, "not told"), (3, "told")] {
        if count(rank) > 0 {
            parts.push(format!("{} {word}", count(rank)));
        }
    }
    let first = list
        .first()
        .map(|who| format!(" · {}: {}", visible(&who.name), visible(&words(model, who).0)))
        .unwrap_or_default();
    let summary = if parts.is_empty() { "nobody must know".to_owned() } else { parts.join(", ") };
    let text = format!("4 stakeholders: {summary}{first}");
    let style = if count(0) > 0 { model.theme.bad } else { Style::default() };
    super::lines(
        screen,
        rect,
        vec![Line::styled(fit(&text, usize::from(rect.width)).into_owned(), style)],
    );
}
