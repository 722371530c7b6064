//! What is on the screen in words, for a screen reader: sentences instead of panes and marks.
//!
//! Invariants:
//! - Every text from outside passes `visible`.
//! - Nothing here changes with the minute alone: what did not happen is not said.

use crate::domain::row::Row;
use crate::domain::talk::promise;
use crate::domain::text::visible;
use crate::domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};
use crate::domain::timeline::Entry;
use crate::tui::model::{LinkState, Model, Pane};
use crate::tui::view::{plain_modal, stakeholders};

/// Entries of the timeline that are read out when it is entered.
const ENTRIES: usize = 8;

/// The line that is being typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prompt {
    /// What makes it the same line as before.
    pub key: String,
    pub label: String,
    /// The text before the cursor, and after it.
    pub before: String,
    pub after: String,
}

/// The screen in words.
#[derive(Debug, Clone, Default)]
pub struct Spoken {
    /// Said when they appear.
    pub lines: Vec<String>,
    /// What the cursor is on: said when the key changes.
    pub focus: Option<(String, String)>,
    pub prompt: Option<Prompt>,
}

/// Everything, in words.
pub fn spoken(model: &Model) -> Spoken {
    let mut lines = status(model);
    lines.extend(pane(model));
    let mut spoken = Spoken { lines, focus: None, prompt: None };
    if model.modals.is_empty() {
        spoken.focus = pane_focus(model);
    }
    plain_modal::add(model, &mut spoken);
    if !model.pending.is_empty() {
        let begun: String = model.pending.iter().map(ToString::to_string).collect();
        let next: Vec<String> = model
            .keymap
            .continuations(&model.scopes(), &model.pending)
            .into_iter()
            .map(|(keys, action)| format!("{keys} {}", action.name().replace('-', " ")))
            .collect();
        spoken.lines.push(format!("{begun}, then: {}", next.join(", ")));
    }
    if let Some(count) = model.count {
        spoken.lines.push(format!("{count} times"));
    }
    if let Some(flight) = model.flight_words() {
        spoken.lines.push(visible(&flight).into_owned());
    }
    if let Some(notice) = &model.notice {
        spoken.lines.push(visible(&notice.text).into_owned());
    }
    if model.is_filtering {
        spoken.prompt = Some(Prompt {
            key: "filter".to_owned(),
            label: "filter: ".to_owned(),
            before: visible(&model.filter).into_owned(),
            after: String::new(),
        });
    }
    spoken
}

/// Who, what, and how the link is.
fn status(model: &Model) -> Vec<String> {
    let mut lines = match &model.link {
        LinkState::Connecting => return vec!["connecting".to_owned()],
        LinkState::Lost { why, .. } => vec![format!("keeper lost, retrying: {}", visible(why))],
        LinkState::Up => Vec::new(),
    };
    lines.insert(0, format!("warroom on {} as {}; ? lists the keys", model.host, model.login));
    let counts = model.mirror.counts;
    lines.push(format!(
        "{} open, {} SEV1, {} SEV2, {} not acknowledged",
        counts.live, counts.sev1, counts.sev2, counts.unacked
    ));
    if !model.marks.is_empty() {
        lines.push(format!("{} marked", model.marks.len()));
    }
    if let Err(why) = &model.intake {
        lines.push(format!("alerts are not taken: {}", visible(why)));
    }
    let Some(incident) = model.watched() else { return lines };
    if let Some(promise) = promise::next(incident, &model.mirror.plan) {
        let is_late = match (promise.due < model.now, promise.is_given) {
            (true, true) => "was promised word by",
            (true, false) => "should have heard by",
            (false, true) => "was promised a word by",
            (false, false) => "expects word by",
        };
        let (who, due) = (visible(promise.who), promise.due.clock_minutes());
        lines.push(format!("{who} {is_late} {due}"));
    }
    if let Some(offer) = incident.offer.as_ref().filter(|offer| offer.to == model.login) {
        lines.push(format!("{} offers you command; c a accepts", visible(&offer.from)));
    }
    for (login, writes) in model.others_at(incident.id) {
        let does = if writes { "writes" } else { "looks" };
        lines.push(format!("{} {does} at {}", visible(&login), incident.id));
    }
    lines
}

/// The pane that has the focus.
fn pane(model: &Model) -> Vec<String> {
    let Some(incident) = model.shown_incident().filter(|_| model.focus != Pane::Queue) else {
        return queue(model);
    };
    let title = format!("{}, {}", incident.id, visible(&incident.title));
    let mut lines = match model.focus {
        Pane::Queue => return queue(model),
        Pane::Timeline => vec![format!(
            "timeline of {title}, {} {}, {}",
            incident.severity,
            incident.priority(),
            incident.phase()
        )],
        Pane::Chain => vec![format!("escalation of {title}")],
        Pane::Stakeholders => {
            vec![format!("stakeholders of {title}, public status {}", incident.public)]
        }
    };
    match model.focus {
        Pane::Timeline => {
            if let Some(past) = &model.past {
                lines.push(format!(
                    "the past: as known after event {}, {}",
                    past.seq,
                    model.shown_now()
                ));
            }
            let entries = model.entries();
            let from = entries.len().saturating_sub(ENTRIES);
            if from > 0 {
                lines.push(format!("{from} earlier; k goes up"));
            }
            lines.extend(entries[from..].iter().map(|entry| entry_words(model, entry)));
        }
        Pane::Chain => lines.extend(chain(model)),
        Pane::Queue | Pane::Stakeholders => {}
    }
    lines
}

fn queue(model: &Model) -> Vec<String> {
    let total = model.mirror.counts.live;
    if model.shown.is_empty() {
        let text = if model.filter.is_empty() {
            "incidents: nothing is open; R reports something"
        } else {
            "incidents: nothing matches; escape clears the filter"
        };
        return vec![text.to_owned()];
    }
    if model.filter.is_empty() {
        return vec!["incidents".to_owned()];
    }
    vec![format!("incidents, {} of {total} match {}", model.shown.len(), visible(&model.filter))]
}

/// What the cursor of the focused pane is on.
fn pane_focus(model: &Model) -> Option<(String, String)> {
    match model.focus {
        Pane::Queue => {
            let row = model.selected_row()?;
            let place = format!(", {} of {}", model.selected + 1, model.shown.len());
            let mark = if model.marks.contains(&row.id) { "marked, " } else { "" };
            let (head, age) = row_words(row, model.now);
            // Neither its age nor its place make it something else to say.
            Some((format!("queue {mark}{head}"), format!("{mark}{head}, {age}{place}")))
        }
        Pane::Timeline => {
            let entries = model.entries();
            let entry = entries.iter().rev().nth(model.entry_back)?;
            let place = entries.len() - model.entry_back;
            let text = format!("entry {place} of {}: {}", entries.len(), entry_words(model, entry));
            Some((format!("timeline {}", entry.seq), text))
        }
        Pane::Chain => Some(("chain".to_owned(), "end of the chain".to_owned())),
        Pane::Stakeholders => {
            let list = stakeholders::sentences(model);
            let (name, text) = list.get(model.stakeholder)?;
            let place = format!("{} of {}", model.stakeholder + 1, list.len());
            Some((format!("stakeholder {name} {text}"), format!("{name}, {text}, {place}")))
        }
    }
}

/// A row as one sentence: what it is, and how long it has been open.
fn row_words(row: &Row, now: Timestamp) -> (String, String) {
    let mut parts = vec![row.id.to_string(), row.severity.to_string()];
    if row.phase.is_active() {
        let answer = match (row.is_acked, row.is_partly) {
            (false, _) => "not acknowledged",
            (true, true) => "acknowledged, but others must answer too",
            (true, false) => "acknowledged",
        };
        parts.push(answer.to_owned());
    }
    parts.push(visible(&row.title).into_owned());
    parts.push(row.phase.to_string());
    if !row.who.is_empty() {
        parts.push(format!("with {}", visible(&row.who)));
    }
    match row.firing {
        0 => {}
        1 => parts.push("1 alert fires".to_owned()),
        n => parts.push(format!("{n} alerts fire")),
    }
    if row.debts > 0 {
        parts.push("a workaround is in force".to_owned());
    }
    (parts.join(", "), format!("open for {}", span(now.since(row.opened_at))))
}

fn entry_words(model: &Model, entry: &Entry) -> String {
    let when = if entry.when.is_same_day(model.now) {
        entry.when.clock()
    } else {
        entry.when.utc().format("%Y-%m-%d %H:%M").to_string()
    };
    let about = if entry.about { "about " } else { "" };
    let late = if entry.recorded.is_some() { ", recorded later" } else { "" };
    let text = visible(&entry.text).into_owned();
    format!("{about}{when}{late}, {}: {text}", visible(&entry.who))
}

/// Who was reached, who holds it, who comes next; the marks at the beginning are left out.
fn chain(model: &Model) -> Vec<String> {
    let marks = ['✓', '◐', '○', '✗', '·', '⚠', ' ', '~'];
    super::chain::plain_lines(model)
        .into_iter()
        .map(|line| visible(line.trim_start_matches(marks)).into_owned())
        .collect()
}

/// A span as it is spoken, in two units at most.
fn span(ms: i64) -> String {
    let ms = ms.max(0);
    let unit = |n: i64, word: &str| match n {
        1 => format!("1 {word}"),
        n => format!("{n} {word}s"),
    };
    let two = |big: String, n: i64, word: &str| {
        if n == 0 { big } else { format!("{big} {}", unit(n, word)) }
    };
    if ms >= DAY_MS {
        two(unit(ms / DAY_MS, "day"), ms % DAY_MS / HOUR_MS, "hour")
    } else if ms >= HOUR_MS {
        two(unit(ms / HOUR_MS, "hour"), ms % HOUR_MS / MINUTE_MS, "minute")
    } else {
        unit(ms / MINUTE_MS, "minute")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_spoken_in_words() {
        for (ms, words) in [
            (0, "0 minutes"),
            (MINUTE_MS, "1 minute"),
            (41 * MINUTE_MS, "41 minutes"),
            (130 * MINUTE_MS, "2 hours 10 minutes"),
            (3 * DAY_MS, "3 days"),
        ] {
            assert_eq!(span(ms), words);
        }
    }
}
