//! Acts on incidents: one command to the keeper, one answer.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an unexpected answer is handled alike, whatever it is"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Subcommand;

use crate::cli::Context;
use crate::cli::out::{Failure, say, say_json};
use crate::clock::wall_now;
use crate::domain::command::Command;
use crate::domain::event::Occurred;
use crate::domain::ids::{IncidentId, Seq};
use crate::domain::time::Timestamp;
use crate::domain::words::{
    ClosureReason, Fidelity, Level3, LinkKind, Moment, NoteKind, Outcome, Phase, PublicStatus,
    RemedyKind, Role, Severity,
};
use crate::proto::{Ask, Reply};
use crate::tui::evidence;

#[derive(Debug, Subcommand)]
pub enum Act {
    /// Say that something is wrong; anybody may.
    Report {
        title: String,
        #[arg(long, short, value_parser = Severity::parse_loose)]
        severity: Option<Severity>,
        #[arg(long = "service")]
        services: Vec<String>,
        /// What you saw.
        #[arg(long, short, default_value = "")]
        note: String,
    },
    /// Declare an incident: a new one by its title, or one in triage by its number.
    Declare {
        incident_or_title: String,
        #[arg(long, short, value_parser = Severity::parse_loose)]
        severity: Option<Severity>,
        #[arg(long = "service")]
        services: Vec<String>,
        #[arg(long, short, default_value = "")]
        reason: String,
    },
    /// Assess impact and urgency; the priority follows.
    Triage { incident: IncidentId, impact: Level3, urgency: Level3 },
    /// Answer for incidents, so that nobody else is called.
    Ack {
        #[arg(required_unless_present = "code")]
        incidents: Vec<IncidentId>,
        /// The code of a page: answers for the person it was sent to.
        #[arg(long, conflicts_with = "incidents")]
        code: Option<String>,
    },
    /// Change the severity; lowering asks for a reason.
    Severity {
        incident: IncidentId,
        #[arg(value_parser = Severity::parse_loose)]
        severity: Severity,
        #[arg(long, short, default_value = "")]
        reason: String,
    },
    /// Move an incident on: investigating, identified, monitoring, in-review, closed.
    Phase {
        incident: IncidentId,
        phase: Phase,
        #[arg(long, short, default_value = "")]
        reason: String,
    },
    /// Give an incident another title.
    Title { incident: IncidentId, title: String },
    /// Say which services are affected.
    Services { incident: IncidentId, services: Vec<String> },
    /// Set a label, or remove it with KEY alone.
    Label { incident: IncidentId, label: String, value: Option<String> },
    /// Say who sees to it that it moves.
    Owner { incident: IncidentId, owner: Option<String> },
    /// Give somebody a role, or take it with --leave.
    Role {
        incident: IncidentId,
        role: Role,
        person: String,
        #[arg(long)]
        leave: bool,
    },
    /// Take command (no option), --offer it to somebody, --accept or --refuse an offer.
    Command {
        incident: IncidentId,
        #[arg(long, value_name = "PERSON", group = "how")]
        offer: Option<String>,
        #[arg(long, group = "how")]
        accept: bool,
        #[arg(long, value_name = "REASON", group = "how")]
        refuse: Option<String>,
    },
    /// Write something down ("-": read it from standard input).
    Note {
        incident: IncidentId,
        text: String,
        #[arg(long, short, default_value = "note")]
        kind: NoteKind,
        /// When it happened, if not now: 14:02, -15m, or a full time.
        #[arg(long, allow_hyphen_values = true)]
        at: Option<String>,
        /// The time is not exact.
        #[arg(long, requires = "at")]
        about: bool,
        /// Whose words these are.
        #[arg(long, default_value = "")]
        said_by: String,
    },
    /// Correct an earlier entry; both stay.
    Correct { incident: IncidentId, entry: Seq, text: String },
    /// Hide the text of an entry; its hash stays.
    Redact {
        incident: IncidentId,
        entry: Seq,
        #[arg(long, short)]
        reason: String,
    },
    /// Put a file on record by its SHA-256.
    #[command(name = "evidence")]
    PutOnRecord {
        incident: IncidentId,
        file: PathBuf,
        #[arg(long, short, default_value = "")]
        note: String,
    },
    /// Record a remedy; a workaround needs --expires.
    Remedy {
        incident: IncidentId,
        kind: RemedyKind,
        text: String,
        /// Until when a workaround may stay: 4h, or a time.
        #[arg(long)]
        expires: Option<String>,
    },
    /// Judge a remedy: worked, partly, failed, removed.
    Judge {
        incident: IncidentId,
        remedy: u32,
        outcome: Outcome,
        #[arg(long, short, default_value = "")]
        evidence: String,
    },
    /// Log that a stakeholder was told something, and when the next word is promised.
    Tell {
        incident: IncidentId,
        stakeholder: String,
        text: String,
        #[arg(long, short, default_value = "")]
        channel: String,
        /// 20m, or a time.
        #[arg(long, allow_hyphen_values = true)]
        next: Option<String>,
        /// Nothing follows: they know that it is over.
        #[arg(long, conflicts_with = "next")]
        last: bool,
        /// Whom of them it was with.
        #[arg(long, default_value = "")]
        person: String,
        /// What they asked.
        #[arg(long, default_value = "")]
        asked: String,
        /// When it was, if not now: 14:02, -15m, or a full time.
        #[arg(long, allow_hyphen_values = true)]
        at: Option<String>,
    },
    /// Link two incidents: duplicate-of, caused-by, related-to; --remove takes it back.
    Link {
        incident: IncidentId,
        kind: LinkKind,
        other: IncidentId,
        #[arg(long)]
        remove: bool,
    },
    /// Make an incident part of another one.
    Merge { incident: IncidentId, into: IncidentId },
    /// Take a merge back.
    Unmerge { incident: IncidentId },
    /// Make some of its alerts an incident of their own.
    Split {
        incident: IncidentId,
        title: String,
        #[arg(required = true)]
        alerts: Vec<String>,
    },
    /// Say that it was no incident, and why.
    Decline {
        incident: IncidentId,
        reason: ClosureReason,
        #[arg(long, short, default_value = "")]
        note: String,
        /// Why those who were told of it get no last word.
        #[arg(long)]
        silent: Option<String>,
    },
    /// Say that it is over, with what shows it.
    Resolve {
        incident: IncidentId,
        /// What shows that it is over.
        evidence: String,
        #[arg(long, short, default_value = "fixed")]
        reason: ClosureReason,
        /// Resolve although alerts still fire, and say why.
        #[arg(long, value_name = "WHY")]
        force: Option<String>,
    },
    /// It is not over after all; the resolution is void.
    Reopen { incident: IncidentId, reason: String },
    /// Start the review of a resolved incident.
    Review { incident: IncidentId },
    /// Nothing is left to do.
    Close {
        incident: IncidentId,
        #[arg(long, short, default_value = "")]
        note: String,
        /// Why those who were told of it get no last word.
        #[arg(long)]
        silent: Option<String>,
    },
    /// Set or revise an instant that metrics use ("unknown" for one that cannot be known).
    Moment {
        incident: IncidentId,
        moment: Moment,
        #[arg(allow_hyphen_values = true)]
        at: String,
        #[arg(long, short)]
        reason: String,
    },
    /// Put on record what the public was told elsewhere.
    Public { incident: IncidentId, status: PublicStatus },
    /// Acknowledge one alert by its key.
    AckAlert { alert: String },
    /// Put an alert aside for a while, with a reason.
    Shelve {
        alert: String,
        until: String,
        #[arg(long, short)]
        reason: String,
    },
    /// Take a shelved alert back.
    Unshelve { alert: String },
}

/// A command with when it happened.
struct Wanted {
    command: Command,
    occurred: Option<Occurred>,
}

impl From<Command> for Wanted {
    fn from(command: Command) -> Self {
        Self { command, occurred: None }
    }
}

/// Gives the command to the keeper and prints the answer.
pub fn run(act: Act, context: &Context) -> Result<(), Failure> {
    let wanted = match act {
        Act::Ack { code: Some(code), .. } => vec![Command::AcknowledgeByCode { code }.into()],
        Act::Tell { ref stakeholder, .. } => {
            note_stranger(context, stakeholder)?;
            vec![command(act)?]
        }
        Act::Ack { incidents, code: None } => {
            incidents.into_iter().map(|incident| Command::Acknowledge { incident }.into()).collect()
        }
        act => vec![command(act)?],
    };
    let mut keeper = context.keeper()?;
    let mut refused = None;
    for Wanted { command, occurred } in wanted {
        let verb = verb(&command);
        let ask = Ask::Do { command: Box::new(command), occurred, seen: None };
        match keeper.ask(ask)? {
            Reply::Done { seq, incident, note } if context.json => {
                say_json(&done_json(seq, incident, &note))?;
            }
            Reply::Done { incident, note, .. } => say(&done_words(verb, incident, &note)),
            Reply::Rejected(rejection) => refused = Some(rejection),
            other => return Err(unexpected(&other)),
        }
    }
    refused.map_or(Ok(()), |rejection| Err(Failure::Rejected(rejection)))
}

/// Says so where somebody is told whom the plan does not name: it may be a misspelt name.
fn note_stranger(context: &Context, name: &str) -> Result<(), Failure> {
    let Reply::Plan { plan, .. } = context.keeper()?.ask(Ask::Plan)? else { return Ok(()) };
    if !plan.stakeholders.is_empty() && !plan.stakeholders.contains_key(name) {
        let known: Vec<&str> = plan.stakeholders.keys().map(String::as_str).collect();
        say(&format!("note: the plan names no '{name}'; it knows {}", known.join(", ")));
    }
    Ok(())
}

/// What is printed when a command was done: about what, and what came of it.
fn done_words(verb: &str, incident: Option<IncidentId>, note: &str) -> String {
    let on = incident.map(|id| format!("{id}: ")).unwrap_or_default();
    let note = if note.is_empty() { String::new() } else { format!(" · {note}") };
    format!("{on}{verb}{note}")
}

/// What was done, in a word.
const fn verb(command: &Command) -> &'static str {
    if matches!(command, Command::Open { .. }) { "opened" } else { "done" }
}

/// The same as JSON, with what should be known of it where there is something.
fn done_json(seq: Seq, incident: Option<IncidentId>, note: &str) -> serde_json::Value {
    let mut value = serde_json::json!({ "seq": seq, "incident": incident.map(|i| i.to_string()) });
    if !note.is_empty() {
        value["note"] = note.into();
    }
    value
}

/// Gives one command to the keeper and prints the answer.
pub fn give(context: &Context, command: Command) -> Result<(), Failure> {
    let verb = verb(&command);
    let ask = Ask::Do { command: Box::new(command), occurred: None, seen: None };
    match context.keeper()?.ask(ask)? {
        Reply::Done { seq, incident, note } if context.json => {
            say_json(&done_json(seq, incident, &note))
        }
        Reply::Done { incident, note, .. } => {
            say(&done_words(verb, incident, &note));
            Ok(())
        }
        Reply::Rejected(rejection) => Err(Failure::Rejected(rejection)),
        other => Err(unexpected(&other)),
    }
}

/// An answer to another question than the one that was asked.
pub fn unexpected(reply: &Reply) -> Failure {
    Failure::Failed(anyhow::anyhow!("the keeper gave an unexpected answer: {reply:?}"))
}

/// A time that is over: `14:02`, `-15m`, or a full time.
pub fn time(text: &str) -> Result<Timestamp, Failure> {
    Timestamp::parse_human(text, wall_now()).map_err(|e| Failure::Usage(e.to_string()))
}

/// A time ahead: `4h` from now, the next `14:30`, or a full time.
pub fn time_ahead(text: &str) -> Result<Timestamp, Failure> {
    Timestamp::parse_ahead(text, wall_now()).map_err(|e| Failure::Usage(e.to_string()))
}

/// A text; `-` stands for standard input.
pub fn text_of(text: String) -> Result<String, Failure> {
    if text == "-" { Ok(std::io::read_to_string(std::io::stdin())?) } else { Ok(text) }
}

fn command(act: Act) -> Result<Wanted, Failure> {
    Ok(match act {
        Act::Report { title, severity, services, note } => {
            let labels = BTreeMap::new();
            Command::Open { title, severity, services, labels, note, declare: false }.into()
        }
        Act::Declare { incident_or_title, severity, services, reason } => {
            declare(incident_or_title, severity, services, reason)?
        }
        Act::Triage { incident, impact, urgency } => {
            Command::Triage { incident, impact, urgency }.into()
        }
        Act::Severity { incident, severity, reason } => {
            Command::SetSeverity { incident, severity, reason }.into()
        }
        Act::Phase { incident, phase, reason } => {
            Command::SetPhase { incident, phase, reason }.into()
        }
        Act::Owner { incident, owner } => Command::SetOwner { incident, owner }.into(),
        Act::Role { incident, role, person, leave: false } => {
            Command::AssignRole { incident, role, person }.into()
        }
        Act::Role { incident, role, person, leave: true } => {
            Command::LeaveRole { incident, role, person }.into()
        }
        Act::Command { incident, offer: Some(to), .. } => {
            Command::OfferCommand { incident, to }.into()
        }
        Act::Command { incident, accept: true, .. } => Command::AcceptCommand { incident }.into(),
        Act::Command { incident, refuse: Some(reason), .. } => {
            Command::RefuseCommand { incident, reason }.into()
        }
        Act::Command { incident, .. } => Command::TakeCommand { incident }.into(),
        Act::Note { incident, text, kind, at, about, said_by } => {
            let fidelity = if about { Fidelity::About } else { Fidelity::Exact };
            let at = at.map(|text| time(&text)).transpose()?;
            let command = Command::Note { incident, kind, text: text_of(text)?, said_by };
            Wanted { command, occurred: at.map(|at| Occurred { at, fidelity }) }
        }
        Act::Remedy { incident, kind, text, expires } => {
            let expires = expires.map(|text| time_ahead(&text)).transpose()?;
            Command::Remedy { incident, kind, text, expires }.into()
        }
        Act::Judge { incident, remedy, outcome, evidence } => {
            Command::JudgeRemedy { incident, remedy, outcome, evidence }.into()
        }
        tell @ Act::Tell { .. } => told(tell)?,
        Act::Decline { incident, reason, note, silent } => {
            Command::Decline { incident, reason, note, silent }.into()
        }
        Act::Resolve { incident, evidence, reason, force } => {
            Command::Resolve { incident, reason, evidence, force }.into()
        }
        Act::Reopen { incident, reason } => Command::Reopen { incident, reason }.into(),
        Act::Review { incident } => Command::StartReview { incident }.into(),
        Act::Close { incident, note, silent } => Command::Close { incident, note, silent }.into(),
        other => rarer(other)?,
    })
}

/// A conversation, and when it was.
fn told(tell: Act) -> Result<Wanted, Failure> {
    let Act::Tell { incident, stakeholder, text, channel, next, last, person, asked, at } = tell
    else {
        return Err(Failure::Usage("not a conversation".to_owned()));
    };
    let next_by = next.map(|text| time_ahead(&text)).transpose()?;
    let at = at.map(|text| time(&text)).transpose()?;
    let text = text_of(text)?;
    let command =
        Command::LogContact { incident, stakeholder, channel, text, next_by, last, person, asked };
    Ok(Wanted { command, occurred: at.map(|at| Occurred { at, fidelity: Fidelity::Exact }) })
}

fn declare(
    title: String,
    severity: Option<Severity>,
    services: Vec<String>,
    reason: String,
) -> Result<Wanted, Failure> {
    if let Ok(incident) = title.parse::<IncidentId>() {
        if severity.is_some() || !services.is_empty() {
            let text = format!(
                "{incident} is there already: declare it without --severity and --service, then \
                 'warroom severity {incident} …' and 'warroom services {incident} …'"
            );
            return Err(Failure::Usage(text));
        }
        return Ok(Command::Declare { incident, reason }.into());
    }
    let labels = BTreeMap::new();
    Ok(Command::Open { title, severity, services, labels, note: reason, declare: true }.into())
}

fn rarer(act: Act) -> Result<Wanted, Failure> {
    let command = match act {
        Act::Title { incident, title } => Command::SetTitle { incident, title },
        Act::Services { incident, services } => Command::SetServices { incident, services },
        Act::Label { incident, label, value } => Command::SetLabel { incident, label, value },
        Act::Correct { incident, entry, text } => {
            Command::CorrectEntry { incident, entry, text: text_of(text)? }
        }
        Act::Redact { incident, entry, reason } => Command::RedactEntry { incident, entry, reason },
        Act::PutOnRecord { incident, file, note } => attach(incident, &file, note)?,
        Act::Link { incident, kind, other, remove: false } => {
            Command::Link { incident, other, kind }
        }
        Act::Link { incident, kind, other, remove: true } => {
            Command::Unlink { incident, other, kind }
        }
        Act::Merge { incident, into } => Command::Merge { incident, into },
        Act::Unmerge { incident } => Command::Unmerge { incident },
        Act::Split { incident, title, alerts } => Command::Split { incident, alerts, title },
        Act::Moment { incident, moment, at, reason } => {
            let at = if at == "unknown" { None } else { Some(time(&at)?) };
            Command::ReviseMoment { incident, moment, at, reason }
        }
        Act::Public { incident, status } => Command::SetPublicStatus { incident, status },
        Act::AckAlert { alert } => Command::AcknowledgeAlert { alert },
        Act::Shelve { alert, until, reason } => {
            Command::ShelveAlert { alert, until: time_ahead(&until)?, reason }
        }
        Act::Unshelve { alert } => Command::UnshelveAlert { alert },
        _ => {
            return Err(Failure::Usage("this act is not known; see 'warroom --help'".to_owned()));
        }
    };
    Ok(command.into())
}

fn attach(incident: IncidentId, file: &std::path::Path, note: String) -> Result<Command, Failure> {
    let facts = evidence::read(file).map_err(|why| Failure::Failed(anyhow::anyhow!(why)))?;
    Ok(Command::Attach {
        incident,
        name: facts.name,
        sha256: facts.sha256,
        bytes: facts.bytes,
        note,
    })
}
