//! A timeline entry in words: what each fact about an incident reads like.
//!
//! Invariants:
//! - Every event of an incident's stream has a line; nothing happens in silence.
//! - What is returned is raw text from outside; a view makes it safe before it shows it.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "`change_words` is the exhaustive list; the rest is sorted by it"
)]

use serde::{Deserialize, Serialize};

use crate::domain::alert::WHERE_LABELS;
use crate::domain::change::Change;
use crate::domain::event::{Actor, AlertItem, Became, Body, Recorded};
use crate::domain::ids::{IncidentId, Seq};
use crate::domain::legal;
use crate::domain::talk;
use crate::domain::time::{Timestamp, span_words};
use crate::domain::timeline_paging;
use crate::domain::words::{Fidelity, NoteKind, Outcome, RemedyKind, Via};

/// What an entry is about; a view gives each a mark and a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Alert,
    State,
    People,
    Note,
    Decision,
    Hypothesis,
    Remedy,
    Contact,
    Link,
    Paging,
}

/// One line of a timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub seq: Seq,
    /// When it happened; `about` where that is not known exactly.
    pub when: Timestamp,
    pub about: bool,
    /// When it was recorded, where that is much later.
    pub recorded: Option<Timestamp>,
    pub who: String,
    pub kind: Kind,
    pub text: String,
}

/// The line of an event in the timeline of an incident.
pub fn entry(event: &Recorded, incident: IncidentId) -> Entry {
    let (kind, text) = match &event.body {
        Body::Incident { change: Change::Acknowledged, .. } => {
            (Kind::State, answer_words(&event.actor))
        }
        Body::Incident { change, .. } => change_words(change, event),
        Body::AlertsReceived { items, .. } => (Kind::Alert, alerts_words(items, incident)),
        Body::AlertAcknowledged { alert, name, .. } => {
            (Kind::Alert, format!("acknowledged alert {}", called(name, alert)))
        }
        Body::AlertShelved { alert, name, until, reason, .. } => {
            let (alert, until) = (called(name, alert), until.clock_near(event.at));
            (Kind::Alert, format!("shelved {alert} until {until}: {reason}"))
        }
        Body::AlertUnshelved { alert, name, .. } => {
            (Kind::Alert, format!("{} is no longer shelved", called(name, alert)))
        }
        Body::AlertExpired { alert, name, .. } => {
            let alert = called(name, alert);
            (Kind::Alert, format!("{alert} was not posted again before its end; taken as over"))
        }
        Body::AlertSettled { alert, name, firing, .. } => {
            let state = if *firing { "firing" } else { "over" };
            (Kind::Alert, format!("{} stopped flapping: {state}", called(name, alert)))
        }
        Body::PostRefused { .. }
        | Body::ChangeReceived { .. }
        | Body::PlanAdopted { .. }
        | Body::TokenIssued { .. }
        | Body::TokenRevoked { .. }
        | Body::KeeperStarted { .. }
        | Body::KeeperStopped { .. }
        | Body::StoreRebuilt { .. }
        | Body::ShiftChanged { .. }
        | Body::ShiftCovered { .. }
        | Body::CoverRevoked { .. }
        | Body::SwapAsked { .. }
        | Body::SwapAnswered { .. }
        | Body::PeopleTold { .. }
        | Body::WindowPlanned { .. }
        | Body::WindowPublished { .. }
        | Body::HeartbeatReceived { .. }
        | Body::StatusPage { .. }
        | Body::SilenceMade { .. }
        | Body::SilenceBegan { .. }
        | Body::SilenceEnded { .. }
        | Body::AuditFound { .. } => (Kind::State, String::new()),
        Body::ClockJumped { by_ms, .. } => {
            (Kind::State, format!("the wall clock moved by {}; waits go on", span_words(*by_ms)))
        }
        Body::SendingBegan { .. }
        | Body::SendingEnded { .. }
        | Body::WindowBegan { .. }
        | Body::WindowEnded { .. } => (Kind::Paging, timeline_paging::body_words(&event.body)),
    };
    let when = event.when();
    let is_late = event.at.since(when) > 60_000;
    Entry {
        seq: event.seq,
        when,
        about: event.occurred.is_some_and(|o| o.fidelity != Fidelity::Exact),
        recorded: is_late.then_some(event.at),
        who: event.actor.login.clone(),
        kind,
        text,
    }
}

/// An answer, and how it came where it was passed on.
fn answer_words(actor: &Actor) -> String {
    match (&actor.through, actor.via) {
        (Some(by), Via::Gateway) => {
            format!("acknowledged by the code of their page, passed on by the gateway '{by}'")
        }
        (Some(by), _) => format!("acknowledged by the code of their page, given by {by}"),
        (None, Via::Gateway) => "acknowledged by the code of their page".to_owned(),
        (None, _) => "acknowledged".to_owned(),
    }
}

/// What an alert is called; older records know its key alone.
fn called<'a>(name: &'a str, key: &'a str) -> &'a str {
    if name.is_empty() { key } else { name }
}

fn alerts_words(items: &[AlertItem], incident: IncidentId) -> String {
    let mine: Vec<&AlertItem> =
        items.iter().filter(|item| item.incident == Some(incident)).collect();
    let Some(first) = mine.first() else {
        return String::new();
    };
    let name = first.facts.as_ref().filter(|facts| !facts.name.is_empty()).map_or_else(
        || first.alert.clone(),
        |facts| match WHERE_LABELS.iter().find_map(|label| facts.labels.get(*label)) {
            Some(instance) => format!("{} {instance}", facts.name),
            None => facts.name.clone(),
        },
    );
    let word = match first.became {
        Became::Opened | Became::Attached => "fires",
        Became::Reopened => "fires again",
        // Older records call the repetition of an end the same.
        Became::Repeated if first.facts.is_none() => "was posted again",
        Became::Repeated => "still fires",
        Became::RepeatedEnd => "is over, as was said before",
        Became::Resolved => "is over",
        Became::Acknowledged => "was acknowledged at its sender",
        Became::Recorded => "was recorded",
        Became::Shelved => "fires, shelved",
        Became::FlappingFiring => "flaps (firing), held",
        Became::FlappingResolved => "flaps (over), held",
        Became::Unmatched => "ended without a beginning",
    };
    if mine.len() == 1 {
        format!("{name} {word}")
    } else {
        format!("{name} {word} (+{} alerts)", mine.len() - 1)
    }
}

fn because(head: String, reason: &str) -> String {
    if reason.is_empty() { head } else { format!("{head}: {reason}") }
}

fn change_words(change: &Change, event: &Recorded) -> (Kind, String) {
    match change {
        Change::NoteAdded { .. }
        | Change::EntryCorrected { .. }
        | Change::EntryRedacted { .. }
        | Change::AttachmentAdded { .. }
        | Change::HistoryNoted { .. }
        | Change::ExternalFields { .. } => note_words(change),
        Change::PolicyTaken { .. }
        | Change::LevelReached(_)
        | Change::LevelSkipped { .. }
        | Change::FallbackPaged { .. }
        | Change::PagedByHand { .. }
        | Change::CalledBack { .. }
        | Change::AckExpired { .. }
        | Change::Snoozed { .. }
        | Change::SnoozeEnded { .. }
        | Change::HandoverOffered { .. }
        | Change::HandoverAccepted { .. }
        | Change::HandoverRefused { .. }
        | Change::EscalationPaused { .. }
        | Change::EscalationResumed { .. }
        | Change::AnswersDropped { .. }
        | Change::BegunAnew { .. }
        | Change::ToldElsewhere(_) => (Kind::Paging, timeline_paging::change_words(change)),
        Change::RemedyRecorded { .. }
        | Change::RemedyJudged { .. }
        | Change::RemedyExpired { .. } => (Kind::Remedy, remedy_words(change, event.when())),
        Change::OwnerChanged { .. }
        | Change::RoleAssigned { .. }
        | Change::RoleLeft { .. }
        | Change::CommandTaken { .. }
        | Change::CommandOffered { .. }
        | Change::CommandAccepted { .. }
        | Change::CommandRefused { .. } => (Kind::People, people_words(change)),
        Change::Linked { .. }
        | Change::Unlinked { .. }
        | Change::MergedInto { .. }
        | Change::Absorbed { .. }
        | Change::Unmerged { .. }
        | Change::Released { .. }
        | Change::SplitOff { .. }
        | Change::Received { .. } => (Kind::Link, link_words(change)),
        Change::Legal(change) => (Kind::Contact, legal::words(change)),
        Change::Talk(talk) => (Kind::Contact, talk::words::change_words(talk, event.at)),
        Change::ContactLogged { .. } => (Kind::Contact, contact_words(change)),
        Change::Opened(_)
        | Change::Declared { .. }
        | Change::Triaged { .. }
        | Change::Acknowledged
        | Change::SeverityChanged { .. }
        | Change::PhaseChanged { .. }
        | Change::TitleChanged { .. }
        | Change::ServicesChanged { .. }
        | Change::LabelSet { .. }
        | Change::Declined { .. }
        | Change::Resolved { .. }
        | Change::Reopened { .. }
        | Change::ReviewStarted
        | Change::Closed { .. }
        | Change::MomentRevised { .. }
        | Change::PublicStatusSet { .. } => (Kind::State, state_words(change)),
    }
}

/// A note, and why those who were told got no last word.
fn silence(note: &str, silent: Option<&String>) -> String {
    let why = silent.map(|why| format!("NO LAST WORD TO ALL WHO MUST KNOW: {why}"));
    let parts = [Some(note.to_owned()).filter(|note| !note.is_empty()), why];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn state_words(change: &Change) -> String {
    match change {
        Change::Opened(opened) => format!("opened as {} ({})", opened.severity, opened.because),
        Change::Declared { reason } => because("declared an incident".to_owned(), reason),
        Change::Triaged { impact, urgency } => {
            let priority = crate::domain::words::Priority::derive(*impact, *urgency);
            format!("triaged: {impact} impact × {urgency} urgency = {priority}")
        }
        Change::Acknowledged => "acknowledged".to_owned(),
        Change::SeverityChanged { from, to, reason } => because(format!("{from} → {to}"), reason),
        Change::PhaseChanged { to, reason } => because(format!("→ {to}"), reason),
        Change::TitleChanged { title } => format!("new title: {title}"),
        Change::ServicesChanged { services } => format!("services: {}", services.join(", ")),
        Change::LabelSet { label, value: Some(value) } => format!("label {label}={value}"),
        Change::LabelSet { label, value: None } => format!("label {label} removed"),
        Change::Declined { reason, note, silent } => {
            because(format!("declined ({reason})"), &silence(note, silent.as_ref()))
        }
        Change::Resolved { reason, evidence, forced } => {
            let forced = forced.as_ref().map(|why| format!(" · FORCED: {why}")).unwrap_or_default();
            format!("resolved ({reason}): {evidence}{forced}")
        }
        Change::Reopened { reason } => {
            because("reopened, the resolution is void".to_owned(), reason)
        }
        Change::ReviewStarted => "review started".to_owned(),
        Change::Closed { note, silent } => {
            because("closed".to_owned(), &silence(note, silent.as_ref()))
        }
        Change::MomentRevised { moment, at: Some(at), reason } => {
            because(format!("'{moment}' was at {at}"), reason)
        }
        Change::MomentRevised { moment, at: None, reason } => {
            because(format!("'{moment}' is not known"), reason)
        }
        Change::PublicStatusSet { status } => format!("public status: {status}"),
        _ => String::new(),
    }
}

fn note_words(change: &Change) -> (Kind, String) {
    match change {
        Change::NoteAdded { kind, text, said_by } => {
            let said = if said_by.is_empty() { String::new() } else { format!("{said_by}: ") };
            match kind {
                NoteKind::Note | NoteKind::Observation => (Kind::Note, format!("{said}{text}")),
                NoteKind::Decision => (Kind::Decision, format!("decision: {said}{text}")),
                NoteKind::Hypothesis => (Kind::Hypothesis, format!("? {said}{text}")),
                NoteKind::Statement => (Kind::Note, format!("statement: {said}{text}")),
                NoteKind::Rumour => (Kind::Note, format!("RUMOUR: {said}{text}")),
            }
        }
        Change::EntryCorrected { entry, text } => {
            (Kind::Note, format!("correction of #{entry}: {text}"))
        }
        Change::EntryRedacted { entry, reason } => {
            (Kind::State, format!("redacted #{entry}: {reason}"))
        }
        Change::AttachmentAdded { name, sha256, bytes, note } => {
            let head = format!(
                "attached {name} ({bytes} B, sha256 {}…)",
                sha256.get(..12).unwrap_or(sha256)
            );
            (Kind::Note, because(head, note))
        }
        Change::HistoryNoted { text } => (Kind::State, text.clone()),
        Change::ExternalFields { fields } => {
            let list: Vec<String> = fields.iter().map(|(k, v)| format!("{k}={v}")).collect();
            (Kind::State, format!("imported fields: {}", list.join(", ")))
        }
        _ => (Kind::Note, String::new()),
    }
}

fn remedy_words(change: &Change, when: Timestamp) -> String {
    match change {
        Change::RemedyRecorded { remedy, kind, text, expires } => {
            let until = match (kind, expires) {
                (RemedyKind::Workaround, Some(at)) => {
                    format!(" (until {}, {})", at.clock_minutes(), span_words(at.since(when)))
                }
                _ => String::new(),
            };
            format!("{kind} {remedy}: {text}{until}")
        }
        Change::RemedyJudged { remedy, outcome, evidence } => {
            let mark = match outcome {
                Outcome::Worked => "✓ ",
                Outcome::Failed => "✗ ",
                Outcome::Pending | Outcome::Partly | Outcome::Removed => "",
            };
            because(format!("{mark}remedy {remedy} {outcome}"), evidence)
        }
        Change::RemedyExpired { remedy } => format!("workaround {remedy} outlived its time"),
        _ => String::new(),
    }
}

/// A conversation: with whom, what was asked, what was said, and what was promised.
fn contact_words(change: &Change) -> String {
    let Change::ContactLogged {
        stakeholder,
        channel,
        text,
        next_by,
        last,
        person,
        asked,
        aside,
        ..
    } = change
    else {
        return String::new();
    };
    let one = if *aside { "one of " } else { "" };
    let stakeholder = format!("{one}{stakeholder}");
    let with = if person.is_empty() { String::new() } else { format!(" ({person})") };
    let by = if channel.is_empty() { String::new() } else { format!(" by {channel}") };
    let next = match (next_by, last) {
        (Some(at), _) => format!(" · next by {}", at.clock_minutes()),
        (None, true) => " · the last word".to_owned(),
        (None, false) => String::new(),
    };
    if asked.is_empty() {
        format!("told {stakeholder}{with}{by}: {text}{next}")
    } else {
        format!("{stakeholder}{with} asked{by}: {asked} · told: {text}{next}")
    }
}

fn people_words(change: &Change) -> String {
    match change {
        Change::OwnerChanged { owner: Some(owner) } => format!("owner: {owner}"),
        Change::OwnerChanged { owner: None } => "no owner".to_owned(),
        Change::RoleAssigned { role, person } => format!("{person} is {role}"),
        Change::RoleLeft { role, person } => format!("{person} is no longer {role}"),
        Change::CommandTaken { person } => format!("{person} took command"),
        Change::CommandOffered { from, to } => format!("{from} offered command to {to}"),
        Change::CommandAccepted { from: Some(from), to } => {
            format!("{to} took command from {from}")
        }
        Change::CommandAccepted { from: None, to } => format!("{to} took command"),
        Change::CommandRefused { by, reason } => {
            because(format!("{by} declined the command"), reason)
        }
        _ => String::new(),
    }
}

fn link_words(change: &Change) -> String {
    match change {
        Change::Linked { other, kind } => format!("{kind} {other}"),
        Change::Unlinked { other, kind } => format!("no longer {kind} {other}"),
        Change::MergedInto { into } => format!("merged into {into}"),
        Change::Absorbed { child, alerts, .. } => {
            format!("{child} was merged in with {} alerts", alerts.len())
        }
        Change::Unmerged { from, .. } => format!("no longer part of {from}"),
        Change::Released { child, .. } => format!("{child} stands on its own again"),
        Change::SplitOff { into, alerts } => format!("{} alerts became {into}", alerts.len()),
        Change::Received { from, alerts } => {
            format!("came with {} alerts from {from}", alerts.len())
        }
        _ => String::new(),
    }
}
