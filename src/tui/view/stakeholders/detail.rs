//! All that is known of the line under the cursor: where there is room below the list.
//!
//! Invariants:
//! - Nothing is hidden: what does not fit is a page further down.

use ratatui::style::Style;
use ratatui::text::Line;

use crate::domain::incident::Incident;
use crate::domain::legal::{self, Running};
use crate::domain::obligation::{Clock, State, Submission};
use crate::domain::text::{fit, visible};
use crate::domain::time::Timestamp;
use crate::tui::model::{Model, Pane};
use crate::tui::view::layout;

use super::{Item, list, rows};

/// Lines of the pane below so many of the list that are for the details, if there is room for them.
pub(super) fn room(height: usize, above: usize) -> Option<usize> {
    (above + 3 < height).then(|| height - above - 1)
}

/// As many of them as there is room for, from where they are scrolled to.
pub(super) fn shown(
    model: &Model,
    all: Vec<Line<'static>>,
    room: usize,
    width: usize,
) -> Vec<Line<'static>> {
    if all.len() <= room {
        return all;
    }
    let page = room.saturating_sub(1).max(1);
    let top = model.detail_top.min(all.len() - page);
    let left = all.len() - top - page;
    let mut lines: Vec<Line<'static>> = all.into_iter().skip(top).take(page).collect();
    let (focused, alone) = (model.focus == Pane::Stakeholders, model.zoom);
    let text = match (left, focused && alone) {
        (0, true) => "the end; page up for what is above".to_owned(),
        (_, true) => format!("… {left} more lines: page down"),
        (_, false) => format!("… {left} more lines: '4', then 'z'"),
    };
    lines.push(Line::styled(fit(&text, width).into_owned(), model.theme.dim));
    lines
}

/// How far the details can be scrolled, and how far a page of them goes; 0 where all of them are seen.
pub fn overflow(model: &Model) -> (usize, usize) {
    let none = (0, 1);
    let Some(inner) = layout::inner(model, Pane::Stakeholders).filter(|_| model.zoom) else {
        return none;
    };
    let Some(incident) = model.shown_incident() else { return none };
    let list = list(model, incident);
    let height = usize::from(inner.height);
    let above = list.len().saturating_sub(super::top(model, rows(model, height)));
    let above = above.min(rows(model, height));
    let Some((room, item)) = room(height, above).zip(list.get(model.stakeholder)) else {
        return none;
    };
    let all = of(model, incident, item, usize::from(inner.width)).len();
    let page = room.saturating_sub(1).max(1);
    if all <= room { none } else { (all - page, page) }
}

/// All of it.
pub(super) fn of(
    model: &Model,
    incident: &Incident,
    item: &Item<'_>,
    width: usize,
) -> Vec<Line<'static>> {
    let mut lines = vec![(format!("{}: {}", item.head, item.text), model.theme.title)];
    if item.name.is_empty() {
        lines.extend(of_a_clock(model, incident, item));
    }
    lines.extend(of_a_reader(model, incident, item));
    lines.extend(of_an_update(model, incident, item));
    if let Some(said) = incident.talk.feedback.get(item.name) {
        lines.push((format!("content: {} of 5 {}", said.score, said.text), model.theme.accent));
    }
    lines
        .into_iter()
        .flat_map(|(text, style)| {
            let text = visible(&text).into_owned();
            let wrapped =
                if text.is_empty() { vec![text] } else { crate::tui::view::wrap(&text, width) };
            wrapped.into_iter().map(move |line| Line::styled(line, style))
        })
        .collect()
}

/// How what was sent to somebody arrived.
fn of_a_reader(model: &Model, incident: &Incident, item: &Item<'_>) -> Vec<(String, Style)> {
    let mut lines = Vec::new();
    if let Some(proof) = incident.talk.proofs.get(item.name) {
        if let Some(fault) = model.mirror.desk.page_fault.as_ref().filter(|_| proof.published) {
            lines.push((format!("the status page {fault}"), model.theme.bad));
        }
        if !proof.detail.is_empty() {
            lines.push((format!("proof: {}", proof.detail), model.theme.good));
        }
        let failures = proof.failures.iter();
        lines.extend(failures.map(|text| (format!("failed: {text}"), model.theme.bad)));
    }
    let open = incident.talk.letters.values().filter(|letter| letter.who == item.name);
    for letter in open.take(5) {
        let delivery = &letter.delivery;
        let tried = delivery.attempts.last().map_or("", |attempt| attempt.detail.as_str());
        let method = delivery.next_method();
        lines.push((format!("on the way by {method} {tried}"), model.theme.warn));
    }
    lines
}

/// The words that somebody was told last, or that wait for a look.
fn of_an_update(model: &Model, incident: &Incident, item: &Item<'_>) -> Vec<(String, Style)> {
    let mut lines = Vec::new();
    let number = item.head.strip_prefix("update ").and_then(|n| n.parse::<u32>().ok());
    let told = incident.told.get(item.name);
    let update = number.or_else(|| told.and_then(|told| told.update));
    if let Some(update) = update.and_then(|number| incident.talk.update(number)) {
        if let Some(status) = update.draft.public {
            let parts = update.draft.components.iter();
            let parts: Vec<String> =
                parts.map(|(name, how)| format!("{name}: {}", how.words())).collect();
            let page =
                format!("status page: '{}' is {status} {}", update.draft.title, parts.join(", "));
            lines.push((page, model.theme.warn));
        }
        for words in &update.draft.words {
            lines.push((String::new(), model.theme.dim));
            lines.push((words.subject.clone(), model.theme.accent));
            lines.extend(words.text.lines().map(|line| (line.to_owned(), Style::default())));
        }
    } else if let Some(told) = told.filter(|told| told.text.lines().nth(1).is_some()) {
        lines.extend(told.text.lines().map(|line| (line.to_owned(), Style::default())));
    }
    lines
}

/// From when a clock of the law runs and why, on what that rests, what was handed in, and how the other
/// stages of its rule stand.
fn of_a_clock(model: &Model, incident: &Incident, item: &Item<'_>) -> Vec<(String, Style)> {
    let all = legal::all(incident, &model.mirror.plan, model.shown_now());
    let is_it = |it: &&Running<'_>| it.rule.id == item.head && it.clock.stage == item.channel;
    let Some(it) = all.iter().find(is_it) else { return Vec::new() };
    let rule = it.rule;
    let local = |at: Timestamp| at.utc().with_timezone(&rule.zone).format("%Y-%m-%d %H:%M %Z");
    let mut lines = vec![(format!("{} · to {}", rule.name, rule.authority), model.theme.accent)];
    if let Some(due) = it.clock.due {
        let utc = due.utc().format("%Y-%m-%d %H:%M UTC");
        lines.push((format!("due {} = {utc}", local(due)), Style::default()));
    }
    if !it.clock.why_due.is_empty() {
        lines.push((format!("because: {}", it.clock.why_due), Style::default()));
    }
    let facts = incident.legal.facts.get(&rule.id);
    for (kind, made) in facts.iter().flat_map(|facts| &facts.triggers) {
        let title = rule.triggers.get(kind).map_or(kind.as_str(), |it| it.title.as_str());
        let text = format!("{}: {title}, by {}: {}", local(made.at), made.by, made.evidence);
        lines.push((text, Style::default()));
    }
    for (stage, sent) in facts.iter().flat_map(|facts| &facts.submissions) {
        lines.extend(sent.iter().map(|one| (handed_in(stage, one), model.theme.good)));
    }
    let others = all.iter().filter(|other| other.rule.id == rule.id && !is_it(other));
    let others = others.filter_map(|other| Some((stands(&other.clock)?, model.theme.dim)));
    lines.extend(others);
    lines.extend(rule.notes.iter().map(|note| (format!("note: {note}"), model.theme.dim)));
    lines
}

/// `authority: handed in 2026-11-26 13:21 UTC by ann, reference 'R-1', sha256 …`.
fn handed_in(stage: &str, sent: &Submission) -> String {
    let at = sent.at.utc().format("%Y-%m-%d %H:%M UTC");
    let mut text =
        format!("{stage}: handed in {at} by {}, reference '{}'", sent.by, sent.reference);
    if let Some(hash) = &sent.sha256 {
        text = format!("{text}, sha256 {hash}");
    }
    if !sent.why.is_empty() {
        text = format!("{text}, because {}", sent.why);
    }
    text
}

/// How another stage of a rule stands; what was handed in is said by itself.
fn stands(clock: &Clock) -> Option<String> {
    let how = match &clock.state {
        State::Waiting { for_what } => format!("waits for {for_what}"),
        State::NotApplicable { why } => format!("not applicable because {why}"),
        State::Running { .. } | State::Missed => match clock.due {
            Some(at) => format!("due {}", at.utc().format("%Y-%m-%d %H:%M UTC")),
            None => "without undue delay".to_owned(),
        },
        State::Met { .. } => return None,
    };
    Some(format!("{} · {}: {how}", clock.stage, clock.title))
}
