//! The forms of escalation: levels, people, snoozes, hand-overs, policies, covers.
//!
//! Invariants:
//! - As in `forms`: a form never acts by itself.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "most of a long vocabulary is handled alike here"
)]

use crate::domain::command::Command;
use crate::domain::ids::IncidentId;
use crate::domain::time::Timestamp;
use crate::tui::action::Action;
use crate::tui::form::{Field, Form};
use crate::tui::forms::{About, ahead};

/// What stands for "the one after the last that was reached".
const NEXT: &str = "the next one";

pub(super) fn heading(action: Action) -> &'static str {
    match action {
        Action::Escalate => "Escalate",
        Action::Page => "Page somebody for",
        Action::Snooze => "Snooze",
        Action::Handover => "Hand over",
        Action::RefuseHandover => "Refuse, or take back, the hand-over of",
        Action::Policy => "Escalation policy of",
        Action::Cover => "Stand in on a schedule",
        _ => "",
    }
}

pub(super) fn fields(action: Action, about: &About<'_>) -> Option<Vec<Field>> {
    let why = |hint: &str| Field::line("reason", "why", "").hint(hint);
    let plan = about.plan;
    Some(match action {
        Action::Escalate => {
            let mut levels = vec![NEXT.to_owned()];
            levels.extend(about.levels.iter().cloned());
            vec![
                Field::choice("level", "to", levels, NEXT),
                why("always needed; they must answer themselves"),
            ]
        }
        Action::Page => {
            let last: Vec<&str> = about
                .incident
                .iter()
                .flat_map(|i| i.esc.deliveries.iter().rev().take(1))
                .map(|delivery| delivery.wanted.to.as_str())
                .collect();
            let known: Vec<&str> = plan.people.keys().take(5).map(String::as_str).collect();
            vec![
                Field::line("people", "who", &last.join(" ")).hint(&format!(
                    "logins, team:NAME, schedule:NAME; known: {}",
                    known.join(", ")
                )),
                why("always needed"),
            ]
        }
        Action::Snooze => vec![
            Field::line("until", "until", "30m").hint("within 24 hours; it pages again then"),
            why("always needed"),
        ],
        Action::Handover => vec![
            super::person_field("person", "to", &super::people(about, about.login)),
            Field::line("note", "note", "").hint("they get a brief of the incident as well"),
        ],
        Action::RefuseHandover => vec![why("may be empty")],
        Action::Policy => {
            let names = plan.policies.keys().cloned().collect();
            let now = about.incident.and_then(|i| i.esc.policy.as_ref());
            let now = now.map(|policy| policy.name.to_string()).unwrap_or_default();
            vec![
                Field::choice("policy", "policy", names, &now).hint("as the plan has it now"),
                why("may be empty"),
            ]
        }
        Action::Cover => vec![
            Field::choice("schedule", "schedule", plan.schedules.keys().cloned().collect(), ""),
            super::person_field("person", "who", &super::people(about, "")),
            Field::line("from", "from", "").hint("empty: now · 18:00 · a full time"),
            Field::line("until", "until", "8h").hint("8h · a full time"),
            why("may be empty"),
        ],
        _ => return None,
    })
}

pub(super) fn command(
    form: &Form,
    incident: IncidentId,
    now: Timestamp,
) -> Result<Command, String> {
    let value = |name: &str| form.value(name);
    Ok(match form.action {
        Action::Escalate => {
            let level = Some(value("level")).filter(|level| level != NEXT);
            Command::Escalate { incident, level, reason: value("reason") }
        }
        Action::Page => {
            let given = value("people");
            let people = given.split([' ', ',']).filter(|name| !name.is_empty());
            let people = people.map(ToOwned::to_owned).collect();
            Command::Page { incident, people, reason: value("reason") }
        }
        Action::Snooze => {
            let until = ahead(&value("until"), now)?.ok_or("say until when")?;
            Command::Snooze { incident, until, reason: value("reason") }
        }
        Action::Handover => {
            Command::OfferHandover { incident, to: value("person"), note: value("note") }
        }
        Action::RefuseHandover => Command::RefuseHandover { incident, reason: value("reason") },
        Action::Policy => {
            let policy = Some(value("policy")).filter(|name| !name.is_empty());
            Command::TakePolicy { incident, policy, reason: value("reason") }
        }
        other => return Err(format!("'{}' has no form", other.name())),
    })
}

/// The command of the form that is about no incident.
pub(super) fn cover(form: &Form, now: Timestamp) -> Result<Command, String> {
    let value = |name: &str| form.value(name);
    let from = ahead(&value("from"), now)?.unwrap_or(now);
    let until = match crate::domain::time::parse_span(value("until").trim()) {
        Some(span) => from.plus(span),
        None => ahead(&value("until"), now)?.ok_or("say until when")?,
    };
    let (schedule, person) = (value("schedule"), value("person").trim().to_owned());
    if schedule.is_empty() {
        return Err("the plan has no schedule".to_owned());
    }
    let reason = value("reason");
    Ok(Command::CoverShift { schedule, from, until, person, instead_of: None, reason })
}
