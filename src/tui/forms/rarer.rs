//! The forms of acts that are rarer than a note: roles left, records hidden or revised, labels,
//! services, the public status, and what is done to single alerts.
//!
//! Invariants:
//! - As in `forms`: a form never acts by itself.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "most of a long vocabulary is handled alike here"
)]

use crate::domain::command::Command;
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::time::Timestamp;
use crate::domain::words::{LinkKind, Moment, PublicStatus};
use crate::tui::action::Action;
use crate::tui::form::{Field, Form};
use crate::tui::forms::{About, ahead, parsed, words};

pub(super) fn heading(action: Action) -> &'static str {
    match action {
        Action::LeaveRole => "Role left in",
        Action::Attach => "File for",
        Action::Redact => "Hide the words of an entry of",
        Action::Moment => "Instant of",
        Action::Public => "What the public was told elsewhere of",
        Action::Services => "Services of",
        Action::Label => "Label of",
        Action::Unlink => "Unlink",
        Action::Shelve => "Shelve alerts of",
        Action::Split => "Make alerts an incident of their own: from",
        _ => "",
    }
}

pub(super) fn fields(action: Action, about: &About<'_>) -> Option<Vec<Field>> {
    let incident = about.incident;
    let why = |hint: &str| Field::line("reason", "why", "").hint(hint);
    Some(match action {
        Action::LeaveRole => {
            vec![Field::choice("who", "who leaves", roles(incident, about.login), "")]
        }
        Action::Attach => vec![
            Field::line("path", "file", "").hint("on this machine; its SHA-256 goes on record"),
            Field::line("note", "note", "").hint("what it shows; may be empty"),
        ],
        Action::Redact => {
            let text = about.entry.as_ref().map_or("", |(_, text)| first(text));
            vec![why(&format!("hides for good: {text}"))]
        }
        Action::Moment => {
            let known = incident.map_or_else(String::new, known_moments);
            vec![
                Field::choice("moment", "instant", words(Moment::ALL), Moment::Began.word())
                    .hint(&known),
                Field::line("instant", "was at", "").hint("14:02 · -15m · a full time · unknown"),
                why("always needed"),
            ]
        }
        Action::Public => {
            let now = incident.map(|i| i.public.to_string()).unwrap_or_default();
            vec![Field::choice("status", "public status", words(PublicStatus::ALL), &now)]
        }
        Action::Services => {
            let now = incident.map(|i| i.services.join(" ")).unwrap_or_default();
            vec![Field::line("services", "services", &now).hint("separated by blanks")]
        }
        Action::Label => {
            let known: Vec<&str> =
                incident.iter().flat_map(|i| i.labels.keys()).map(String::as_str).collect();
            let known = if known.is_empty() { "none yet".to_owned() } else { known.join(", ") };
            vec![
                Field::line("label", "label", "").hint(&format!("known: {known}")),
                Field::line("value", "value", "").hint("empty: the label is removed"),
            ]
        }
        Action::Unlink => vec![Field::choice("link", "link", links(incident), "")],
        Action::Shelve => vec![
            Field::line("until", "until", "1h")
                .hint("1h, 2d, or a time; nothing is shelved for ever")
                .proposed(),
            why("always needed"),
        ],
        Action::Split => vec![Field::line("title", "title", "").hint("of the new incident")],
        _ => return None,
    })
}

/// Who plays which part; the own parts come first.
fn roles(incident: Option<&Incident>, login: &str) -> Vec<String> {
    let mut all: Vec<(bool, String)> = incident
        .iter()
        .flat_map(|i| &i.roles)
        .flat_map(|(role, people)| people.iter().map(move |who| (role, who)))
        .map(|(role, who)| (who != login, format!("{role} {who}")))
        .collect();
    all.sort();
    all.into_iter().map(|(_, text)| text).collect()
}

fn links(incident: Option<&Incident>) -> Vec<String> {
    incident.iter().flat_map(|i| &i.links).map(|(kind, other)| format!("{kind} {other}")).collect()
}

fn known_moments(incident: &Incident) -> String {
    let all: Vec<String> = incident
        .moments
        .iter()
        .map(|(moment, at)| format!("{moment} {}", at.clock_minutes()))
        .collect();
    if all.is_empty() { "none is known yet".to_owned() } else { all.join(" · ") }
}

/// The command of a form, for one incident.
pub(super) fn command(
    form: &Form,
    incident: IncidentId,
    now: Timestamp,
) -> Result<Command, String> {
    let value = |name: &str| form.value(name);
    Ok(match form.action {
        Action::LeaveRole => {
            let text = value("who");
            let (role, person) = text.split_once(' ').ok_or("nobody has a role here")?;
            Command::LeaveRole { incident, role: parsed(role)?, person: person.to_owned() }
        }
        Action::Redact => {
            let entry = form.entry.ok_or("select an entry of the timeline first")?;
            Command::RedactEntry { incident, entry, reason: value("reason") }
        }
        Action::Moment => {
            let text = value("instant");
            let at = match text.trim() {
                "" => return Err("say when it was, or 'unknown'".to_owned()),
                "unknown" => None,
                text => Some(Timestamp::parse_human(text, now).map_err(|e| e.to_string())?),
            };
            let moment = parsed(&value("moment"))?;
            Command::ReviseMoment { incident, moment, at, reason: value("reason") }
        }
        Action::Public => Command::SetPublicStatus { incident, status: parsed(&value("status"))? },
        Action::Services => {
            let services = value("services").split_whitespace().map(ToOwned::to_owned).collect();
            Command::SetServices { incident, services }
        }
        Action::Label => {
            let new = Some(value("value")).filter(|text| !text.trim().is_empty());
            Command::SetLabel { incident, label: value("label"), value: new }
        }
        Action::Unlink => {
            let text = value("link");
            let (kind, other) = text.split_once(' ').ok_or("it is linked to nothing")?;
            let kind: LinkKind = parsed(kind)?;
            Command::Unlink { incident, other: parsed(other)?, kind }
        }
        Action::Split => {
            Command::Split { incident, alerts: form.alerts.clone(), title: value("title") }
        }
        other => return Err(format!("'{}' has no form", other.name())),
    })
}

/// The commands of a form that is about alerts, one for each.
pub(super) fn shelve(form: &Form, now: Timestamp) -> Result<Vec<Command>, String> {
    let until = ahead(&form.value("until"), now)?.ok_or("say until when")?;
    let reason = form.value("reason");
    let one = |alert: &String| Command::ShelveAlert {
        alert: alert.clone(),
        until,
        reason: reason.clone(),
    };
    Ok(form.alerts.iter().map(one).collect())
}

/// The question before what cannot be undone, or what people outside see at once.
pub(super) fn question(form: &Form) -> Option<String> {
    let on = match form.incidents.as_slice() {
        [one] => one.to_string(),
        all => format!("{} incidents", all.len()),
    };
    match form.action {
        Action::Redact => {
            let entry = form.entry.unwrap_or_default();
            Some(format!("hide the words of entry #{entry} of {on}? It cannot be undone."))
        }
        Action::Public => Some(format!(
            "put on record that the public knows {on} as '{}'? Our status page changes with \
             updates alone ('u u').",
            form.value("status")
        )),
        _ => None,
    }
}

fn first(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
