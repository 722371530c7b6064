//! What consoles and keeper say to each other: one JSON object a line, at most 1 MiB;
//! longer messages of the keeper come in parts.
//!
//! Invariants:
//! - Pure: bytes in, messages out; no socket, no clock.
//! - Every request is answered exactly once, with its id. Messages and fields are only added; what
//!   an old peer cannot understand raises `PROTOCOL`.

pub mod frame;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::alert::Alert;
use crate::domain::command::Command;
use crate::domain::duty::{Beat, Beside};
use crate::domain::event::{Occurred, Recorded};
use crate::domain::ids::{CommandId, IncidentId, Seq};
use crate::domain::incident::Incident;
use crate::domain::plan::{Plan, Policy};
use crate::domain::rejection::Rejection;
use crate::domain::room::{Changed, Refusal, SourceCounts};
use crate::domain::row::Row;
use crate::domain::stats::Sample;
use crate::domain::time::Timestamp;
use crate::domain::words::{DeliveryKind, Right, Severity};

/// The version both sides must share.
pub const PROTOCOL: u32 = 2;

/// What a client says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub enum ClientMsg {
    /// The first line.
    Hello {
        protocol: u32,
        version: String,
        kind: ClientKind,
        /// Whether it puts together messages that come in parts.
        #[serde(default)]
        parts: bool,
        /// From which machine its person came, by their own word; empty: from this one.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        from: String,
    },
    /// Anything after it.
    Request { id: CommandId, ask: Ask },
}

/// What kind of client it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientKind {
    /// A person sits in front of it; it is seen by the others.
    Console,
    /// A command line or a script.
    Cli,
}

/// What a client wants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Ask {
    /// An act. The request's id names it for ever.
    Do {
        command: Box<Command>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        occurred: Option<Occurred>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<Seq>,
    },
    /// The head of the queue, and from now on every change of it.
    Follow {
        first: u32,
    },
    /// More of the queue: live incidents with numbers above this one.
    Rows {
        after: IncidentId,
        limit: u32,
    },
    /// One incident with its latest events, and from now on every new one of them.
    Watch {
        incident: IncidentId,
    },
    /// No longer.
    Unwatch,
    /// One incident as it was known after an event.
    Incident {
        incident: IncidentId,
        until: Option<Seq>,
        limit: u32,
    },
    /// Whether this person is writing.
    Writing {
        incident: Option<IncidentId>,
    },
    SaveDraft {
        key: String,
        text: String,
        /// Only where there is none of this name.
        #[serde(default)]
        only_new: bool,
    },
    Drafts,
    /// Full-text search over all timelines.
    Search {
        query: String,
        limit: u32,
    },
    /// Incidents that are over, newest first, whose title or number match.
    Closed {
        query: String,
        limit: u32,
    },
    Alerts {
        incident: Option<IncidentId>,
        limit: u32,
    },
    Intake,
    Samples,
    Status,
    Plan,
    /// How often each person was paged in a time.
    Pages {
        from: Timestamp,
        until: Timestamp,
    },
    /// Events of the whole journal after one.
    Events {
        after: Seq,
        limit: u32,
    },
    /// A copy of the journal, into a directory on the keeper's machine.
    Backup {
        dest: String,
    },
    /// Checks the chain of both copies.
    Verify,
    /// Ends the keeper in good order.
    Stop,
}

/// What the keeper says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub enum KeeperMsg {
    Welcome(Box<Welcome>),
    /// The versions do not fit, or the client may not come in.
    Refused {
        protocol: u32,
        version: String,
        why: String,
    },
    Reply {
        id: CommandId,
        reply: Reply,
    },
    Push(Push),
}

/// The first thing a client is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Welcome {
    pub protocol: u32,
    pub version: String,
    /// Who the kernel says you are.
    pub login: String,
    /// Which of the consoles this is, where one person has several.
    #[serde(default)]
    pub client: u64,
    pub right: Right,
    pub host: String,
    pub seq: Seq,
    pub now: Timestamp,
    pub plan: Plan,
    #[serde(flatten)]
    pub beside: Box<Beside>,
    /// Where alerts are posted to; an error text where that does not work.
    pub intake: Result<String, String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Reply {
    /// Done and durable, up to this event.
    Done {
        seq: Seq,
        incident: Option<IncidentId>,
        /// What the person should know of what came of it; mostly nothing.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        note: String,
    },
    /// Refused, in words.
    Rejected(Rejection),
    Queue(Box<Queue>),
    Rows {
        rows: Vec<Row>,
        done: bool,
    },
    Incident(Box<Detail>),
    Drafts {
        drafts: Vec<(String, String)>,
    },
    Hits {
        hits: Vec<Hit>,
    },
    Alerts {
        alerts: Vec<(String, Alert)>,
    },
    Intake(Box<IntakeReport>),
    Samples {
        samples: Vec<Sample>,
    },
    Status(Box<Status>),
    Plan {
        plan: Box<Plan>,
        digest: String,
        #[serde(flatten)]
        beside: Box<Beside>,
    },
    Pages {
        pages: BTreeMap<String, PageCount>,
    },
    Events {
        events: Vec<Recorded>,
    },
    Text {
        lines: Vec<String>,
        ok: bool,
    },
}

impl Reply {
    /// Done, and nothing to say about it.
    pub const fn done(seq: Seq, incident: Option<IncidentId>) -> Self {
        Self::Done { seq, incident, note: String::new() }
    }
}

/// How often somebody was called upon: once for an incident, however many messages that took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PageCount {
    /// Incidents that they were paged for.
    pub pages: u32,
    /// Those for which a page came between 22:00 and 06:00 in the person's zone.
    pub at_night: u32,
    /// Incidents that were offered to them at the end of a shift, or by somebody.
    pub handovers: u32,
}

/// Something found by a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    pub seq: Seq,
    pub incident: Option<IncidentId>,
    pub text: String,
}

/// The head of the queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Queue {
    pub seq: Seq,
    /// In order of need.
    pub rows: Vec<Row>,
    pub counts: Counts,
}

/// What the header shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Lines of the queue.
    pub live: u32,
    /// Incidents whose impact may still be going on.
    #[serde(default)]
    pub active: u32,
    pub closed: u64,
    /// Active ones, by severity, and those that nobody has answered.
    #[serde(default)]
    pub sev1: u32,
    #[serde(default)]
    pub sev2: u32,
    #[serde(default)]
    pub unacked: u32,
}

/// One incident with its latest events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detail {
    pub head: Incident,
    /// Its latest events, oldest first.
    pub events: Vec<Recorded>,
    /// How many it has in all.
    pub total: u64,
    /// The escalation policy that it took, as it was then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Box<Policy>>,
}

/// What was posted, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntakeReport {
    pub listening: Result<String, String>,
    pub sources: BTreeMap<String, SourceCounts>,
    pub refusals: Vec<Refusal>,
    pub changes: Vec<Changed>,
    pub tokens: Vec<String>,
    /// A token was made once: from then on nothing is taken without one.
    #[serde(default)]
    pub asks_for_tokens: bool,
}

/// How the keeper is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    pub version: String,
    pub pid: u32,
    pub home: String,
    pub seq: Seq,
    pub hash: String,
    pub live: u32,
    pub closed: u64,
    pub alerts: u32,
    pub clients: u32,
    pub plan_digest: String,
    pub intake: Result<String, String>,
    pub is_tight: bool,
    /// Who watches the watcher.
    #[serde(default)]
    pub watched: Watched,
    /// Senders that must be heard from.
    #[serde(default)]
    pub beats: BTreeMap<String, Beat>,
    /// Messages that wait to be sent.
    #[serde(default)]
    pub waiting: u32,
    /// Words to people about their duty that reached nobody: to whom, about what, and why.
    #[serde(default)]
    pub unreached: Vec<String>,
    /// Why the status page is not as it should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_fault: Option<String>,
}

/// What the auditor and the keeper's own sign of life came to last.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Watched {
    /// When the auditor made its last round.
    pub audited_at: Option<Timestamp>,
    /// What it found.
    pub findings: Vec<String>,
    /// When the sign of life was sent last, and what went wrong; none: the settings ask for none, or
    /// it was not sent yet.
    pub beacon: Option<(Timestamp, Option<String>)>,
    /// The settings ask for a sign of life.
    pub is_signing: bool,
}

/// Pages that somebody who opens a console is told of; the queue shows all.
pub const PAGES_TOLD: usize = 50;

/// What the keeper tells without being asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "push", rename_all = "kebab-case")]
pub enum Push {
    /// Lines of the queue that changed, and those that left it.
    Rows { seq: Seq, rows: Vec<Row>, gone: Vec<IncidentId>, counts: Counts },
    /// New events of the incident that is watched.
    Events { incident: IncidentId, events: Vec<Recorded> },
    /// Who looks at what.
    Presence { people: Vec<Present> },
    /// A new plan is in force.
    Plan {
        plan: Box<Plan>,
        #[serde(flatten)]
        beside: Box<Beside>,
    },
    /// When senders were heard last: those that must be heard from, and those that posted.
    Heard { sources: Vec<Heard> },
    /// You are wanted.
    Paged { pages: Vec<Page> },
    /// The keeper goes; the reason, and whether it is worth coming back.
    Goodbye { reason: String },
}

/// When a sender was heard last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    pub name: String,
    /// None: never.
    pub at: Option<Timestamp>,
    /// It must be heard from and was silent for too long.
    pub is_missed: bool,
}

/// A page in a console of the person it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    pub incident: IncidentId,
    pub title: String,
    pub severity: Severity,
    /// Why now.
    pub why: String,
    pub kind: DeliveryKind,
}

/// Somebody in the war room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    pub login: String,
    /// Tells apart several consoles of one person.
    pub client: u64,
    pub incident: Option<IncidentId>,
    pub writing: bool,
}
