//! What happened: the facts in the journal, for ever readable.
//!
//! Invariants:
//! - Names are past tense. Variants and fields are only added (a new field has a default); a
//!   changed meaning is a new variant. Every log ever written stays in `tests/it/logs`.
//! - An event says everything that `evolve` needs; nothing is looked up while folding.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::ids::{CommandId, IncidentId, Seq};
use crate::domain::plan::{Audience, Plan};
use crate::domain::time::Timestamp;
use crate::domain::words::{
    ClosureReason, Fidelity, Level3, LinkKind, Moment, NoteKind, Origin, Outcome, Phase,
    PublicStatus, RemedyKind, Role, Severity, Via,
};

/// An event with its envelope, as it stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Position in the journal.
    pub seq: Seq,
    /// The command that caused it; a retry of that command is recognised by this.
    pub cause: CommandId,
    /// When it was recorded.
    pub at: Timestamp,
    /// When the world did it, where that is another time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred: Option<Occurred>,
    /// Who did it.
    pub actor: Actor,
    /// What happened.
    pub body: Body,
}

/// When something happened in the world, and how well that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurred {
    /// The instant.
    pub at: Timestamp,
    /// How well it is known.
    pub fidelity: Fidelity,
}

/// Who acted, as the kernel or a token vouches for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Login of a person; name of a source or of the keeper's own parts otherwise.
    pub login: String,
    /// Through what.
    pub via: Via,
}

impl Actor {
    /// The keeper itself, when one of its timers is due.
    pub fn timer() -> Self {
        Self { login: "system".to_owned(), via: Via::Timer }
    }

    /// The keeper itself: start, stop, repair.
    pub fn keeper() -> Self {
        Self { login: "system".to_owned(), via: Via::Keeper }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Body {
    /// Something about one incident.
    Incident { incident: IncidentId, change: Change },
    /// A sender posted alerts; what became of each of them.
    AlertsReceived {
        source: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<String>,
        items: Vec<AlertItem>,
        /// Alerts that the sender left out (`truncatedAlerts`); their absence means nothing.
        #[serde(default, skip_serializing_if = "is_zero")]
        truncated: u32,
        /// False for the second and later parts of one large post.
        #[serde(default = "yes", skip_serializing_if = "is_true")]
        first: bool,
    },
    /// A post was not taken; counted, with the reason.
    PostRefused { source: String, status: u16, reason: String, excerpt: String, count: u32 },
    /// Somebody answered for one alert.
    AlertAcknowledged { alert: String, incident: Option<IncidentId> },
    /// Somebody put an alert aside, until a given time.
    AlertShelved { alert: String, incident: Option<IncidentId>, until: Timestamp, reason: String },
    /// The time was over, or somebody took it back.
    AlertUnshelved { alert: String, incident: Option<IncidentId> },
    /// The end that its sender gave has passed without another post.
    AlertExpired { alert: String, incident: Option<IncidentId> },
    /// A flapping alert has been steady for the hold-down time.
    AlertSettled { alert: String, incident: Option<IncidentId>, firing: bool },
    /// A deployment or another change, told by a sender; never opens an incident.
    ChangeReceived {
        source: String,
        summary: String,
        origin: String,
        #[serde(default)]
        details: BTreeMap<String, String>,
    },
    /// A plan came into force.
    PlanAdopted { plan: Box<Plan>, digest: String, note: String },
    /// A sender's token was made; only its hash is kept.
    TokenIssued { name: String, hash: String },
    /// A sender's token no longer works.
    TokenRevoked { name: String },
    /// A keeper took charge of this home.
    KeeperStarted { version: String, host: String },
    /// It went in good order.
    KeeperStopped { reason: String },
    /// The wall clock moved against the monotonic one.
    ClockJumped { by_ms: i64 },
    /// One copy of the journal was mended from the other.
    StoreRebuilt { what: String, events: u64 },
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_true(flag: &bool) -> bool {
    *flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// One alert of a post and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertItem {
    /// Source and fingerprint: the alert's identity here.
    pub alert: String,
    /// What became of it.
    pub became: Became,
    /// The incident it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// The rule that decided, where one did.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rule: String,
    /// What the sender said; left out where it says nothing new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Box<AlertFacts>>,
}

/// What a sender said about an alert.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AlertFacts {
    /// `alertname` or its like.
    pub name: String,
    /// One line for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// The label set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Runbook, description and the like.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// When it began, by the sender's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// When it ends unless it is posted again, by the sender's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// Where to look.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
}

/// What became of one alert of a post. Every alert becomes exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Became {
    /// It opened an incident.
    Opened,
    /// It joined the live incident of its group.
    Attached,
    /// It came back soon after the resolution, and the incident with it.
    Reopened,
    /// Said before; counted.
    Repeated,
    /// It stopped firing.
    Resolved,
    /// Its sender acknowledged it.
    Acknowledged,
    /// A rule says that it opens nothing.
    Recorded,
    /// Somebody put it aside.
    Shelved,
    /// It changes too often; held as firing until it is steady.
    FlappingFiring,
    /// The same, and just now it says that it is over.
    FlappingResolved,
    /// An end without a beginning: nothing to resolve.
    Unmatched,
}

/// What changed about one incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Change {
    /// It exists.
    Opened(Box<Opened>),
    /// Somebody decided that it is an incident.
    Declared {
        reason: String,
    },
    /// Impact × urgency was assessed.
    Triaged {
        impact: Level3,
        urgency: Level3,
    },
    /// The first or another human answered.
    Acknowledged,
    /// Observed impact was judged anew.
    SeverityChanged {
        from: Severity,
        to: Severity,
        reason: String,
    },
    /// It moved on, or back.
    PhaseChanged {
        to: Phase,
        reason: String,
    },
    TitleChanged {
        title: String,
    },
    ServicesChanged {
        services: Vec<String>,
    },
    LabelSet {
        label: String,
        value: Option<String>,
    },
    /// Who sees to it that it moves.
    OwnerChanged {
        owner: Option<String>,
    },
    RoleAssigned {
        role: Role,
        person: String,
    },
    RoleLeft {
        role: Role,
        person: String,
    },
    /// Command was free and somebody took it.
    CommandTaken {
        person: String,
    },
    /// The commander offered command; accountable until it is accepted.
    CommandOffered {
        from: String,
        to: String,
    },
    CommandAccepted {
        from: Option<String>,
        to: String,
    },
    CommandRefused {
        by: String,
        reason: String,
    },
    /// A person wrote something down.
    NoteAdded {
        kind: NoteKind,
        text: String,
        #[serde(default)]
        said_by: String,
    },
    /// A correction of an earlier entry, which stays.
    EntryCorrected {
        entry: Seq,
        text: String,
    },
    /// The text of an entry is no longer shown; its hash stays.
    EntryRedacted {
        entry: Seq,
        reason: String,
    },
    /// A file was put on record by its hash.
    AttachmentAdded {
        name: String,
        sha256: String,
        bytes: u64,
        note: String,
    },
    RemedyRecorded {
        remedy: u32,
        kind: RemedyKind,
        text: String,
        expires: Option<Timestamp>,
    },
    RemedyJudged {
        remedy: u32,
        outcome: Outcome,
        evidence: String,
    },
    /// A workaround outlived its time.
    RemedyExpired {
        remedy: u32,
    },
    /// A stakeholder was told, or told us, something.
    ContactLogged {
        stakeholder: String,
        channel: String,
        text: String,
        next_by: Option<Timestamp>,
        /// How much they may read, as the plan says; unknown for people whom the plan does not name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        audience: Option<Audience>,
    },
    Linked {
        other: IncidentId,
        kind: LinkKind,
    },
    Unlinked {
        other: IncidentId,
        kind: LinkKind,
    },
    /// It became part of another one.
    MergedInto {
        into: IncidentId,
    },
    /// Another one became part of it, with these alerts.
    Absorbed {
        child: IncidentId,
        alerts: Vec<Moved>,
    },
    /// The merge was taken back: it lives again, as it was.
    Unmerged {
        from: IncidentId,
        alerts: Vec<Moved>,
    },
    Released {
        child: IncidentId,
        alerts: Vec<Moved>,
    },
    /// Some of its alerts became an incident of their own.
    SplitOff {
        into: IncidentId,
        alerts: Vec<Moved>,
    },
    /// Alerts that came with it from another incident.
    Received {
        from: IncidentId,
        alerts: Vec<Moved>,
    },
    Declined {
        reason: ClosureReason,
        note: String,
    },
    Resolved {
        reason: ClosureReason,
        evidence: String,
        forced: Option<String>,
    },
    /// The resolution is void.
    Reopened {
        reason: String,
    },
    ReviewStarted,
    Closed {
        note: String,
    },
    /// An instant that metrics use was set or revised; the old value stays in the journal.
    MomentRevised {
        moment: Moment,
        at: Option<Timestamp>,
        reason: String,
    },
    PublicStatusSet {
        status: PublicStatus,
    },
    /// A word from an imported history that has no counterpart here.
    HistoryNoted {
        text: String,
    },
    /// The measured resolution of an imported history.
    ExternalFields {
        fields: BTreeMap<String, String>,
    },
}

/// An alert on its way from one incident to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// Which one.
    pub alert: String,
    /// Whether it fires.
    pub firing: bool,
    /// How often it was repeated.
    #[serde(default)]
    pub repeats: u32,
}

/// What is known of an incident when it comes into being.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// One line for people.
    pub title: String,
    /// What it came from.
    pub origin: Origin,
    /// Observed impact.
    pub severity: Severity,
    /// Why that severity: a rule's name, a sender's word, a person.
    pub because: String,
    /// What is affected.
    #[serde(default)]
    pub services: Vec<String>,
    /// Free labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The alert group that it stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its name in the system it was imported from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<String>,
    /// Whether somebody already decided that it is an incident.
    #[serde(default)]
    pub declared: bool,
    /// Seconds after a resolution in which a firing alert reopens it.
    #[serde(default)]
    pub reopen_within_s: u32,
}

impl Recorded {
    /// When it happened in the world: `occurred` where given, else when it was recorded.
    pub fn when(&self) -> Timestamp {
        self.occurred.map_or(self.at, |occurred| occurred.at)
    }
}

impl Body {
    /// The incidents in whose streams this event stands, each once.
    pub fn incidents(&self) -> Vec<IncidentId> {
        match self {
            Self::Incident { incident, .. } => vec![*incident],
            Self::AlertsReceived { items, .. } => {
                let mut ids: Vec<IncidentId> =
                    items.iter().filter_map(|item| item.incident).collect();
                ids.sort_unstable();
                ids.dedup();
                ids
            }
            Self::AlertAcknowledged { incident, .. }
            | Self::AlertShelved { incident, .. }
            | Self::AlertUnshelved { incident, .. }
            | Self::AlertExpired { incident, .. }
            | Self::AlertSettled { incident, .. } => incident.iter().copied().collect(),
            Self::PostRefused { .. }
            | Self::ChangeReceived { .. }
            | Self::PlanAdopted { .. }
            | Self::TokenIssued { .. }
            | Self::TokenRevoked { .. }
            | Self::KeeperStarted { .. }
            | Self::KeeperStopped { .. }
            | Self::ClockJumped { .. }
            | Self::StoreRebuilt { .. } => Vec::new(),
        }
    }
}
