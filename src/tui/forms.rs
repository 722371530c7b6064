//! The forms of the workflows: which fields each has, and the command it comes to.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "most of a long vocabulary is handled alike here"
)]

mod legal;
mod paging;
mod rarer;
pub mod talk;
pub mod update;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::command::Command;
use crate::domain::event::Occurred;
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::plan::Plan;
use crate::domain::schedule::Changes;
use crate::domain::time::Timestamp;
use crate::domain::words::{
    ClosureReason, Fidelity, Level3, LinkKind, NoteKind, Outcome, Phase, RemedyKind, Role, Severity,
};
use crate::tui::action::Action;
use crate::tui::form::{Field, Form};

/// What a form needs to know of the world.
pub struct About<'a> {
    pub incident: Option<&'a Incident>,
    pub incidents: Vec<IncidentId>,
    /// Those of them that are not under the cursor, with their services.
    pub others: Vec<(IncidentId, Vec<String>)>,
    /// Services that open incidents affect beside those, where words are made.
    pub held: BTreeSet<String>,
    /// All of them are over.
    pub is_over: bool,
    pub plan: &'a Plan,
    pub login: &'a str,
    /// The levels of the policy that the incident follows.
    pub levels: Vec<String>,
    /// Covers and swaps by schedule.
    pub changes: &'a BTreeMap<String, Changes>,
    /// What is selected: an entry of the timeline, a stakeholder, a line of the stakeholders' pane.
    pub entry: Option<(u64, String)>,
    pub stakeholder: Option<String>,
    pub line: Option<String>,
    /// Maintenance windows and silences that are not over, in words, their number first.
    pub windows: Vec<String>,
    /// Windows of which words wait for a look, their number first, with the words.
    pub waiting: Vec<String>,
    pub silences: Vec<String>,
    pub now: Timestamp,
}

/// The question before what cannot be undone, or what people outside see at once.
pub fn question(
    form: &Form,
    plan: &Plan,
    incident: Option<&Incident>,
    now: Timestamp,
) -> Option<String> {
    talk::question(form, plan, incident, now)
        .or_else(|| rarer::question(form))
        .or_else(|| paging::question(form, plan))
}

fn words<T: std::fmt::Display>(all: &[T]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

fn people(about: &About<'_>, but: &str) -> Vec<String> {
    let mut people: Vec<String> =
        about.plan.people.keys().filter(|login| *login != but).cloned().collect();
    if let Some(incident) = about.incident {
        for login in incident.roles.values().flatten() {
            if login != but && !people.contains(login) {
                people.push(login.clone());
            }
        }
    }
    people
}

/// The form of an action; `None` for an action that needs none.
pub fn open(action: Action, about: &About<'_>) -> Option<Form> {
    let names: Vec<String> = about.incidents.iter().map(ToString::to_string).collect();
    let on = match names.len() {
        // A report is about nothing that is known yet.
        _ if action == Action::Report || action.is_of_the_desk() => String::new(),
        0 => String::new(),
        1..=3 => names.join(", "),
        n => format!("{n} incidents"),
    };
    let fields = fields(action, about)?;
    let mut form = Form::new(action, format!("{} {on}", heading(action)).trim().to_owned());
    form.fields = fields;
    form.incidents.clone_from(&about.incidents);
    form.seen = about.incident.filter(|_| about.incidents.len() == 1).map(|i| i.last_seq);
    form.entry = about.entry.as_ref().map(|(seq, _)| *seq);
    if action == Action::Report || action.is_of_the_desk() {
        form.incidents.clear();
    }
    Some(form)
}

fn heading(action: Action) -> &'static str {
    match action {
        Action::Report => "Report: what is wrong?",
        Action::Declare => "Declare",
        Action::Triage => "Triage",
        Action::Severity => "Severity of",
        Action::Phase => "Phase of",
        Action::Decline => "Decline",
        Action::OfferCommand => "Offer command of",
        Action::RefuseCommand => "Refuse command of",
        Action::Role => "Role in",
        Action::Owner => "Owner of",
        Action::Note => "Note on",
        Action::Decision => "Decision on",
        Action::Hypothesis => "Hypothesis on",
        Action::Correct => "Correct an entry of",
        Action::Remedy => "Remedy for",
        Action::Judge => "How did the remedy turn out?",
        Action::Title => "Title of",
        Action::Link => "Link",
        Action::Merge => "Merge",
        Action::Resolve => "Resolve",
        Action::Reopen => "Reopen",
        Action::Close => "Close",
        other => match paging::heading(other) {
            "" => match talk::heading(other) {
                "" => match legal::heading(other) {
                    "" => rarer::heading(other),
                    heading => heading,
                },
                heading => heading,
            },
            heading => heading,
        },
    }
}

fn fields(action: Action, about: &About<'_>) -> Option<Vec<Field>> {
    let incident = about.incident;
    let when =
        || Field::line("at", "when", "").hint("empty: now · 14:02 · -15m · ~ before it: about");
    Some(match action {
        Action::Report => vec![
            Field::line("title", "title", "").hint("one line that others will recognise"),
            Field::choice("severity", "severity", severities(true), "not assessed"),
            Field::line("services", "services", "").hint("separated by blanks; may be empty"),
            Field::text("note", "what you saw", ""),
        ],
        Action::Declare | Action::RefuseCommand => {
            vec![Field::line("reason", "why", "").hint("may be empty")]
        }
        Action::Triage => triage_fields(incident),
        Action::Severity => {
            let now = incident.map(|i| i.severity.to_string()).unwrap_or_default();
            vec![
                Field::choice("severity", "severity", severities(false), &now),
                Field::line("reason", "why", "").hint("needed when it is lowered"),
            ]
        }
        Action::Phase => {
            let now = incident.map(|i| next_phase(i.phase()).to_string()).unwrap_or_default();
            let phases = [Phase::Investigating, Phase::Identified, Phase::Monitoring];
            vec![
                Field::choice("phase", "phase", words(&phases), &now),
                Field::line("reason", "why", "").hint("needed when it goes back"),
            ]
        }
        Action::Decline => vec![
            Field::choice(
                "reason",
                "because",
                words(ClosureReason::ALL),
                ClosureReason::FalseAlarm.word(),
            ),
            Field::line("note", "note", "").hint("needed for SEV1 and SEV2"),
        ]
        .into_iter()
        .chain(talk::silent(about))
        .collect(),
        Action::OfferCommand => vec![person_field("person", "to", &people(about, about.login))],
        Action::Role => vec![
            Field::choice("role", "role", words(&Role::ALL[1..]), Role::Scribe.word()),
            person_field("person", "person", &people(about, "")),
        ],
        Action::Owner => vec![person_field("person", "owner", &people(about, ""))],
        Action::Note => vec![
            Field::text("text", "text", ""),
            Field::choice("kind", "kind", words(NoteKind::ALL), NoteKind::Note.word()),
            Field::line("said_by", "said by", "").hint("for an eyewitness account; may be empty"),
            when(),
        ],
        Action::Decision | Action::Hypothesis => vec![Field::text("text", "text", ""), when()],
        Action::Correct => {
            let text = about.entry.as_ref().map(|(_, text)| text.clone()).unwrap_or_default();
            vec![Field::text("text", "what is right", &text)]
        }
        _ => return more_fields(action, about),
    })
}

fn triage_fields(incident: Option<&Incident>) -> Vec<Field> {
    let now = incident.and_then(|i| i.assessed);
    let word = |level: Option<Level3>| level.unwrap_or(Level3::Medium).to_string();
    vec![
        Field::choice("impact", "impact", words(Level3::ALL), &word(now.map(|a| a.impact)))
            .hint("how much is affected"),
        Field::choice("urgency", "urgency", words(Level3::ALL), &word(now.map(|a| a.urgency)))
            .hint("how soon it hurts"),
    ]
}

fn more_fields(action: Action, about: &About<'_>) -> Option<Vec<Field>> {
    let incident = about.incident;
    Some(match action {
        Action::Remedy => vec![
            Field::choice("kind", "kind", words(RemedyKind::ALL), RemedyKind::Workaround.word()),
            Field::text("text", "what is done", ""),
            Field::line("expires", "until", "4h")
                .hint("for a workaround: 4h, or a time")
                .proposed(),
        ],
        Action::Judge => {
            let open = incident.map(|i| {
                i.remedies
                    .iter()
                    .map(|r| (r, r.text.lines().next().unwrap_or_default()))
                    .map(|(r, text)| format!("{} {} {text}", r.number, r.kind))
                    .rev()
                    .collect()
            });
            let outcomes = [Outcome::Worked, Outcome::Partly, Outcome::Failed, Outcome::Removed];
            vec![
                Field::choice("remedy", "remedy", open.unwrap_or_default(), ""),
                Field::choice("outcome", "outcome", words(&outcomes), Outcome::Worked.word()),
                Field::line("evidence", "what shows it", ""),
            ]
        }
        Action::Title => {
            vec![Field::line("title", "title", incident.map_or("", |i| i.title.as_str()))]
        }
        Action::Link => vec![
            Field::choice("kind", "how", words(LinkKind::ALL), LinkKind::RelatedTo.word()),
            Field::line("other", "to", "").hint("INC-42"),
        ],
        Action::Merge => vec![Field::line("into", "into", "").hint("INC-42; it can be taken back")],
        Action::Resolve => {
            let firing = incident.map_or(0, Incident::firing);
            let mut fields = vec![
                Field::text("evidence", "evidence", "").hint("what shows that it is over"),
                Field::choice(
                    "reason",
                    "because",
                    words(ClosureReason::ALL),
                    ClosureReason::Fixed.word(),
                ),
            ];
            if firing > 0 || about.incidents.len() > 1 {
                let hint = format!("{firing} alerts still fire; empty: do not force it");
                fields.push(Field::line("force", "force, because", "").hint(&hint));
            }
            fields
        }
        Action::Reopen => vec![Field::line("reason", "why", "")],
        Action::Close => {
            let note =
                Field::line("note", "note", "").hint("needed while a workaround is in force");
            std::iter::once(note).chain(talk::silent(about)).collect()
        }
        _ => {
            return paging::fields(action, about)
                .or_else(|| talk::fields(action, about))
                .or_else(|| legal::fields(action, about))
                .or_else(|| rarer::fields(action, about));
        }
    })
}

fn person_field(name: &'static str, label: &'static str, people: &[String]) -> Field {
    // A war room has people that no plan knows: anybody can be typed.
    let first = people.first().map_or("", String::as_str);
    let known = people.iter().take(6).map(String::as_str).collect::<Vec<_>>().join(", ");
    let hint = if known.is_empty() {
        "a login; the plan knows nobody else".to_owned()
    } else {
        format!("a login; known: {known}")
    };
    Field::line(name, label, first).hint(&hint).proposed()
}

fn severities(with_none: bool) -> Vec<String> {
    let mut all = words(Severity::ALL);
    if with_none {
        all.insert(0, "not assessed".to_owned());
    }
    all
}

fn next_phase(now: Phase) -> Phase {
    match now {
        Phase::Triage => Phase::Investigating,
        Phase::Investigating => Phase::Identified,
        _ => Phase::Monitoring,
    }
}

/// What a form comes to: a command for each incident, and when it happened.
pub type Built = Result<(Vec<Command>, Option<Occurred>), String>;

/// Reads a form; the error says what is wrong with it.
pub fn build(form: &Form, now: Timestamp) -> Built {
    if form.action == Action::Report {
        return report(form).map(|command| (vec![command], None));
    }
    if matches!(form.action, Action::Shelve | Action::Split) && form.alerts.is_empty() {
        return Err("choose the alerts again: leave this form, then 'A l'".to_owned());
    }
    if form.action == Action::Shelve {
        return rarer::shelve(form, now).map(|commands| (commands, None));
    }
    if form.action.is_of_the_desk() {
        return paging::of_the_desk(form, now).map(|command| (vec![command], None));
    }
    let occurred = occurred(form, now)?;
    let commands =
        form.incidents.iter().map(|id| one(form, *id, now)).collect::<Result<Vec<_>, _>>()?;
    if commands.is_empty() {
        Err("no incident is selected".to_owned())
    } else {
        Ok((commands, occurred))
    }
}

fn report(form: &Form) -> Result<Command, String> {
    let severity = match form.value("severity").as_str() {
        "not assessed" => None,
        word => Some(word.parse().map_err(|e: crate::domain::words::UnknownWord| e.to_string())?),
    };
    Ok(Command::Open {
        title: form.value("title"),
        severity,
        services: form.value("services").split_whitespace().map(ToOwned::to_owned).collect(),
        labels: BTreeMap::new(),
        note: form.value("note"),
        declare: false,
    })
}

fn occurred(form: &Form, now: Timestamp) -> Result<Option<Occurred>, String> {
    let text = form.value("at");
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let (fidelity, text) = match text.strip_prefix('~') {
        Some(rest) => (Fidelity::About, rest),
        None => (Fidelity::Exact, text),
    };
    let at = Timestamp::parse_human(text, now).map_err(|e| e.to_string())?;
    Ok(Some(Occurred { at, fidelity }))
}

fn ahead(text: &str, now: Timestamp) -> Result<Option<Timestamp>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    Timestamp::parse_ahead(text, now).map(Some).map_err(|e| e.to_string())
}

fn parsed<T: std::str::FromStr>(text: &str) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|e: T::Err| e.to_string())
}

fn one(form: &Form, incident: IncidentId, now: Timestamp) -> Result<Command, String> {
    let value = |name: &str| form.value(name);
    Ok(match form.action {
        Action::Declare => Command::Declare { incident, reason: value("reason") },
        Action::Triage => Command::Triage {
            incident,
            impact: parsed(&value("impact"))?,
            urgency: parsed(&value("urgency"))?,
        },
        Action::Severity => Command::SetSeverity {
            incident,
            severity: parsed(&value("severity"))?,
            reason: value("reason"),
        },
        Action::Phase => {
            Command::SetPhase { incident, phase: parsed(&value("phase"))?, reason: value("reason") }
        }
        Action::Decline => {
            let (note, silent) = (value("note"), some(&value("silent")));
            Command::Decline { incident, reason: parsed(&value("reason"))?, note, silent }
        }
        Action::OfferCommand => Command::OfferCommand { incident, to: value("person") },
        Action::RefuseCommand => Command::RefuseCommand { incident, reason: value("reason") },
        Action::Role => {
            Command::AssignRole { incident, role: parsed(&value("role"))?, person: value("person") }
        }
        Action::Owner => Command::SetOwner { incident, owner: Some(value("person")) },
        Action::Note => Command::Note {
            incident,
            kind: parsed(&value("kind"))?,
            text: value("text"),
            said_by: value("said_by"),
        },
        Action::Decision | Action::Hypothesis => {
            let kind = if form.action == Action::Decision {
                NoteKind::Decision
            } else {
                NoteKind::Hypothesis
            };
            Command::Note { incident, kind, text: value("text"), said_by: String::new() }
        }
        Action::Correct => {
            let entry = form.entry.ok_or("select an entry of the timeline first")?;
            Command::CorrectEntry { incident, entry, text: value("text") }
        }
        _ => more(form, incident, now)?,
    })
}

fn more(form: &Form, incident: IncidentId, now: Timestamp) -> Result<Command, String> {
    let value = |name: &str| form.value(name);
    Ok(match form.action {
        Action::Remedy => {
            let kind: RemedyKind = parsed(&value("kind"))?;
            let expires = ahead(&value("expires"), now)?.filter(|_| kind == RemedyKind::Workaround);
            Command::Remedy { incident, kind, text: value("text"), expires }
        }
        Action::Judge => {
            let number = value("remedy");
            let remedy = number.split(' ').next().unwrap_or_default().parse();
            let remedy = remedy.map_err(|_| "no remedy was recorded yet".to_owned())?;
            Command::JudgeRemedy {
                incident,
                remedy,
                outcome: parsed(&value("outcome"))?,
                evidence: value("evidence"),
            }
        }
        Action::Title => Command::SetTitle { incident, title: value("title") },
        Action::Link => Command::Link {
            incident,
            other: parsed(&value("other"))?,
            kind: parsed(&value("kind"))?,
        },
        Action::Merge => Command::Merge { incident, into: parsed(&value("into"))? },
        Action::Resolve => Command::Resolve {
            incident,
            reason: parsed(&value("reason"))?,
            evidence: value("evidence"),
            force: some(&value("force")),
        },
        Action::Reopen => Command::Reopen { incident, reason: value("reason") },
        Action::Close => {
            Command::Close { incident, note: value("note"), silent: some(&value("silent")) }
        }
        action if !paging::heading(action).is_empty() => paging::command(form, incident, now)?,
        action if !legal::heading(action).is_empty() => legal::command(form, incident, now)?,
        action if !talk::heading(action).is_empty() => talk::command(form, incident, now)?,
        _ => rarer::command(form, incident, now)?,
    })
}

/// A text, if there is one.
fn some(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.trim().is_empty())
}

/// The command of an action that needs no form.
pub fn direct(action: Action, incident: IncidentId) -> Option<Command> {
    match action {
        Action::Acknowledge => Some(Command::Acknowledge { incident }),
        Action::TakeCommand => Some(Command::TakeCommand { incident }),
        Action::AcceptCommand => Some(Command::AcceptCommand { incident }),
        Action::Unmerge => Some(Command::Unmerge { incident }),
        Action::Wake => Some(Command::EndSnooze { incident }),
        Action::AcceptHandover => Some(Command::AcceptHandover { incident }),
        Action::Review => Some(Command::StartReview { incident }),
        _ => None,
    }
}
