//! What a sender said of an alert, as it goes on record.
//!
//! Invariants:
//! - Whatever becomes of an alert, the record names it: nobody looks up a fingerprint by night.

use std::collections::BTreeMap;

use crate::domain::alert::{Alert, WHERE_LABELS};
use crate::domain::decide::due::OWN_SOURCE;
use crate::domain::event::AlertFacts;
use crate::domain::plan::Rule;
use crate::domain::post::Incoming;
use crate::domain::room::Room;
use crate::domain::words::Severity;

/// What goes on record of an alert that begins to fire.
pub(super) fn facts_of(incoming: &Incoming) -> Box<AlertFacts> {
    let mut facts = incoming.facts.clone();
    if facts.labels.get("severity") != Some(&incoming.severity_word) {
        facts.severity_word.clone_from(&incoming.severity_word);
    }
    Box::new(facts)
}

/// The first line, cut to so many bytes.
pub(super) fn first_line(text: &str, bytes: usize) -> String {
    let mut line = text.lines().next().unwrap_or_default().to_owned();
    crate::domain::text::cut_bytes(&mut line, bytes);
    line
}

/// How bad it is, and why that.
pub(super) fn severity_of(
    room: &Room,
    rule: Option<&Rule>,
    incoming: &Incoming,
    source: &str,
) -> (Severity, String) {
    // What the keeper finds itself is as bad as the plan says: it is no sender whose words are mapped.
    if rule.is_none_or(|rule| rule.severity.is_none())
        && source == OWN_SOURCE
        && let Ok(severity) = incoming.severity_word.parse::<Severity>()
    {
        return (severity, format!("the plan asks for {severity}"));
    }
    match rule.and_then(|rule| rule.severity.map(|severity| (severity, rule))) {
        Some((severity, rule)) => (severity, format!("rule '{}'", rule.name)),
        None if incoming.severity_word.is_empty() => {
            (Severity::Sev3, "the sender named no severity".to_owned())
        }
        None => {
            let severity = room.plan.map_severity(&incoming.severity_word);
            (severity, format!("the sender said '{}'", incoming.severity_word))
        }
    }
}

/// What it is about: as the rule says, else by the labels that name services.
pub(super) fn services_of(rule: Option<&Rule>, facts: &AlertFacts) -> Vec<String> {
    if let Some(rule) = rule.filter(|rule| !rule.services.is_empty()) {
        return rule.services.clone();
    }
    let found = ["service", "job", "namespace", "component"]
        .iter()
        .find_map(|label| facts.labels.get(*label).filter(|value| !value.is_empty()));
    found.into_iter().cloned().collect()
}

/// What is said again of an alert that is known: its name, on what it fires, and when it ends unless
/// it is posted again.
pub(super) fn name_of(incoming: &Incoming, known: Option<&Alert>) -> Box<AlertFacts> {
    let said = &incoming.facts;
    let name = match known {
        Some(alert) if said.name.is_empty() => alert.name.clone(),
        Some(_) | None => said.name.clone(),
    };
    let place = WHERE_LABELS.iter().find_map(|label| said.labels.get_key_value(*label));
    let labels: BTreeMap<String, String> =
        place.map(|(label, value)| (label.clone(), value.clone())).into_iter().collect();
    Box::new(AlertFacts { name, labels, ends_at: said.ends_at, ..AlertFacts::default() })
}

/// One line for people: the name and what it means, none of it twice.
pub(super) fn title_of(facts: &AlertFacts) -> String {
    match (facts.name.as_str(), facts.summary.as_str()) {
        (name, "") => name.to_owned(),
        ("", summary) => summary.to_owned(),
        (name, summary) if summary.to_lowercase().starts_with(&name.to_lowercase()) => {
            summary.to_owned()
        }
        (name, summary) => format!("{name}: {summary}"),
    }
}
