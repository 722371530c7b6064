//! What goes into the engine and what comes out of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::change::Change;
use crate::domain::command::Command;
use crate::domain::duty::Destination;
use crate::domain::elsewhere::Closing;
use crate::domain::event::{Body, Recorded, Sending};
use crate::domain::ids::{CommandId, IncidentId, Seq};
use crate::domain::incident::Incident;
use crate::domain::plan::Policy;
use crate::domain::rejection::Rejection;
use crate::domain::stats::Sample;
use crate::domain::talk::change::TalkChange;
use crate::domain::talk::page::PageDown;
use crate::domain::time::Timestamp;
use crate::domain::words::{AttemptResult, DeliveryKind, Phase, Severity};
use crate::proto::{Ask, ClientKind, KeeperMsg, Reply, Watched};

/// A connection, for as long as it lasts.
pub type ClientId = u64;

/// Who is at the other end, as the kernel says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    pub login: String,
    /// The Unix groups of that user.
    pub groups: Vec<String>,
    /// Owns this home, or is root: may do everything.
    pub is_owner: bool,
    /// The address from which they came, by their own word; empty: from this machine.
    pub from: String,
}

/// Everything that can happen to the engine.
#[derive(Debug)]
pub enum Input {
    Join {
        client: ClientId,
        who: Who,
        kind: ClientKind,
    },
    Leave {
        client: ClientId,
    },
    Request {
        client: ClientId,
        id: CommandId,
        ask: Ask,
    },
    /// A post from a sender; answered by its ticket.
    Post {
        ticket: u64,
        source: String,
        command: Command,
    },
    /// A receipt for something that was not taken; nobody waits.
    Receipt(Command),
    /// The keeper's own word: start, a mended store, an adopted plan.
    Own(crate::domain::event::Body),
    /// An attempt to deliver ended.
    Delivered {
        /// Names the job that it was.
        ticket: u64,
        result: AttemptResult,
        detail: String,
        /// The pause that the other side asked for, in milliseconds.
        wait_ms: i64,
    },
    /// Some deadline may be due.
    Tick,
    Stop {
        reason: String,
    },
}

/// What the engine is told of the house around it.
#[derive(Debug)]
pub struct House {
    /// What the intake listens on.
    pub listening: Result<String, String>,
    /// Space is short: only people's acts are taken.
    pub is_tight: bool,
    /// Who watches the watcher.
    pub watched: Watched,
}

impl Default for House {
    fn default() -> Self {
        let listening = Err("the intake is not started".to_owned());
        Self { listening, is_tight: false, watched: Watched::default() }
    }
}

/// Something to do once the turn's events are durable.
#[derive(Debug)]
pub enum Output {
    /// Answers one client.
    Say { client: ClientId, message: Box<KeeperMsg> },
    /// Tells many clients the same.
    Tell { clients: Vec<ClientId>, message: Box<KeeperMsg> },
    /// Answers a sender.
    Posted { ticket: u64, result: Result<(), Rejection> },
    /// Reads from the store and answers.
    Read { client: ClientId, id: CommandId, job: Box<ReadJob> },
    /// Sends something; its end comes back as `Input::Delivered`.
    Deliver(Box<Job>),
    /// A job that is under way is wanted by nobody any more.
    Recall(u64),
    /// The tokens changed.
    Tokens,
    /// The plan changed.
    Plan,
    /// What the public reads changed.
    Status,
    /// Some words are no longer to be shown.
    Redacted,
    /// The keeper goes.
    Stop { reason: String },
}

/// One message to one destination, about one or several incidents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Names it among all that are under way.
    pub ticket: u64,
    pub destination: Destination,
    /// A page if any of its items is one.
    pub kind: DeliveryKind,
    /// Nothing new: what it opened elsewhere is acknowledged or closed there.
    pub closing: Option<Closing>,
    /// The person's name.
    pub name: String,
    /// The language they read best; empty: not known.
    pub language: String,
    pub sendings: Vec<Sending>,
    pub items: Vec<JobItem>,
    /// An update: its subject and text, and nothing else of the incident.
    pub update: Option<(String, String)>,
}

/// One incident in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobItem {
    pub incident: IncidentId,
    pub delivery: u32,
    pub attempt: u32,
    pub title: String,
    pub severity: Severity,
    pub phase: Phase,
    pub services: Vec<String>,
    pub why: String,
    /// The one-time code that answers it.
    pub code: Option<String>,
    /// What the next one must know, where it is handed over.
    pub brief: String,
}

impl JobItem {
    /// Nothing but which delivery of which incident.
    pub fn bare(incident: IncidentId, delivery: u32) -> Self {
        Self {
            incident,
            delivery,
            attempt: 1,
            title: String::new(),
            severity: Severity::Sev5,
            phase: Phase::Resolved,
            services: Vec::new(),
            why: String::new(),
            code: None,
            brief: String::new(),
        }
    }
}

/// A question that the store answers, beside the engine.
#[derive(Debug)]
pub enum ReadJob {
    Incident {
        incident: IncidentId,
        head: Option<Box<Incident>>,
        policy: Option<Box<Policy>>,
        /// What the status page shows, for what is no longer in the room.
        page_down: Option<PageDown>,
        until: Option<Seq>,
        limit: u32,
    },
    Search {
        query: String,
        limit: u32,
    },
    Closed {
        query: String,
        limit: u32,
    },
    Samples {
        live: Vec<Sample>,
    },
    Events {
        after: Seq,
        limit: u32,
    },
    /// Login → zone, for what is night to them.
    Pages {
        from: Timestamp,
        until: Timestamp,
        zones: BTreeMap<String, String>,
    },
    Drafts {
        login: String,
    },
    SaveDraft {
        login: String,
        key: String,
        text: String,
        only_new: bool,
    },
    Backup {
        dest: String,
    },
    Verify,
}

/// What one round of the engine comes to: appended as one batch, then spoken.
#[derive(Debug, Default)]
pub struct Turn {
    pub events: Vec<Recorded>,
    /// Rows of incidents that left the room, and of those that came back.
    pub rows: Vec<(IncidentId, Option<Vec<u8>>)>,
    pub out: Vec<Output>,
    /// Incidents whose line in the queue may have changed.
    pub touched: BTreeSet<IncidentId>,
    pub presence_changed: bool,
    /// About how many bytes the events take.
    pub weight: usize,
}

impl Turn {
    /// Answers one request.
    pub fn reply(&mut self, client: ClientId, id: CommandId, reply: Reply) {
        self.out.push(Output::Say { client, message: Box::new(KeeperMsg::Reply { id, reply }) });
    }
}

/// About how many bytes an event takes in the journal.
#[expect(clippy::wildcard_enum_match_arm, reason = "most events are of one size")]
pub fn weight(event: &Recorded) -> usize {
    let texts = |map: &BTreeMap<String, String>| -> usize {
        map.iter().map(|(key, value)| key.len() + value.len() + 8).sum()
    };
    match &event.body {
        Body::AlertsReceived { items, .. } => {
            let facts = items.iter().filter_map(|item| item.facts.as_ref());
            let known: usize = facts.map(|f| 300 + texts(&f.labels) + texts(&f.annotations)).sum();
            200 + items.len() * 150 + known
        }
        Body::Incident { change: Change::Opened(opened), .. } => 700 + texts(&opened.labels),
        Body::Incident { change: Change::Talk(talk), .. } => match &**talk {
            TalkChange::Sent(sent) => 600 + sent.letters.len() * 250,
            TalkChange::LettersAdded { letters, .. } => 200 + letters.len() * 250,
            _ => 2_000,
        },
        Body::PlanAdopted { .. } => 16 * 1024,
        Body::SilenceBegan { alerts, .. } => {
            200 + alerts.iter().map(|key| key.len() + 8).sum::<usize>()
        }
        _ => 600,
    }
}
