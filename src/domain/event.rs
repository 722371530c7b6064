//! What happened: the facts in the journal, for ever readable.
//!
//! Invariants:
//! - Names are past tense. Variants and fields are only added (a new field has a default); a
//!   changed meaning is a new variant. Every log ever written stays in `tests/it/logs`.
//! - An event says everything that `evolve` needs; nothing is looked up while folding.

mod about;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::change::Change;
use crate::domain::delivery::Wanted;
use crate::domain::duty::Window;
use crate::domain::ids::{CommandId, IncidentId, Seq};
use crate::domain::plan::Plan;
use crate::domain::schedule::{Cover, Swap};
use crate::domain::silence::Silence;
use crate::domain::talk::change::Look;
use crate::domain::time::Timestamp;
use crate::domain::words::{AttemptResult, Fidelity, Via};

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
    /// Who passed it on, where that is somebody else: the gateway's token, or the login of whoever
    /// had the code of a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    /// The address from which they came over ssh, by their own word: no proof, but a trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

impl Actor {
    /// Somebody who acts themselves.
    pub fn of(login: impl Into<String>, via: Via) -> Self {
        Self { login: login.into(), via, through: None, host: None }
    }

    /// The keeper itself, when one of its timers is due.
    pub fn timer() -> Self {
        Self::of("system", Via::Timer)
    }

    /// The keeper itself: start, stop, repair.
    pub fn keeper() -> Self {
        Self::of("system", Via::Keeper)
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Body {
    /// Something about one incident.
    Incident {
        incident: IncidentId,
        change: Change,
    },
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
    PostRefused {
        source: String,
        status: u16,
        reason: String,
        excerpt: String,
        count: u32,
    },
    /// Somebody answered for one alert.
    AlertAcknowledged {
        alert: String,
        /// What it is called.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        name: String,
        incident: Option<IncidentId>,
    },
    /// Somebody put an alert aside, until a given time.
    AlertShelved {
        alert: String,
        /// What it is called.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        name: String,
        incident: Option<IncidentId>,
        until: Timestamp,
        reason: String,
    },
    /// The time was over, or somebody took it back.
    AlertUnshelved {
        alert: String,
        /// What it is called.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        name: String,
        incident: Option<IncidentId>,
    },
    /// The end that its sender gave has passed without another post.
    AlertExpired {
        alert: String,
        /// What it is called.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        name: String,
        incident: Option<IncidentId>,
    },
    /// A flapping alert has been steady for the hold-down time.
    AlertSettled {
        alert: String,
        /// What it is called.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        name: String,
        incident: Option<IncidentId>,
        firing: bool,
    },
    /// A deployment or another change, told by a sender; never opens an incident.
    ChangeReceived {
        source: String,
        summary: String,
        origin: String,
        #[serde(default)]
        details: BTreeMap<String, String>,
    },
    /// A plan came into force.
    PlanAdopted {
        plan: Box<Plan>,
        digest: String,
        note: String,
    },
    /// A sender's token was made; only its hash is kept.
    TokenIssued {
        name: String,
        hash: String,
        /// It is for gateways that pass on answers to pages, and for nothing else.
        #[serde(default, skip_serializing_if = "is_false")]
        answers: bool,
    },
    /// A sender's token no longer works.
    TokenRevoked {
        name: String,
    },
    /// A keeper took charge of this home.
    KeeperStarted {
        version: String,
        host: String,
    },
    /// It went in good order.
    KeeperStopped {
        reason: String,
    },
    /// The wall clock moved against the monotonic one.
    ClockJumped {
        by_ms: i64,
        /// The incidents whose waits began by a clock that was put back: they go back with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        incidents: Vec<IncidentId>,
    },
    /// One copy of the journal was mended from the other.
    StoreRebuilt {
        what: String,
        events: u64,
    },
    /// An attempt begins to reach somebody by one method, for one or several incidents.
    SendingBegan {
        to: String,
        method: String,
        items: Vec<Sending>,
    },
    /// It ended: what the other side said, or what went wrong.
    SendingEnded {
        to: String,
        method: String,
        items: Vec<Sending>,
        result: AttemptResult,
        /// The other side's code or words, or the reason.
        detail: String,
        /// The pause that the other side asked for, in milliseconds.
        #[serde(default, skip_serializing_if = "is_zero_i64")]
        wait_ms: i64,
    },
    /// Who is on call changed; open incidents are offered to whoever comes.
    ShiftChanged {
        schedule: String,
        /// When the plan has it.
        due: Timestamp,
        left: Vec<String>,
        came: Vec<String>,
    },
    /// Somebody covers for a while, beside the plan's files.
    ShiftCovered {
        schedule: String,
        cover: Cover,
    },
    CoverRevoked {
        schedule: String,
        cover: u32,
    },
    /// A swap of shifts was asked for, or answered.
    SwapAsked {
        schedule: String,
        swap: Swap,
    },
    SwapAnswered {
        schedule: String,
        swap: u32,
        accepted: bool,
    },
    /// People hear of what changes about their duty, each by their own methods; beside all incidents.
    PeopleTold {
        subject: String,
        text: String,
        letters: Vec<Wanted>,
        /// Others of its kind follow at once: each of them gets one message about all.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        together: bool,
        /// They are asked for their look at an update.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        look: Option<Look>,
    },
    /// A maintenance window was planned; it begins and ends by itself.
    WindowPlanned {
        window: Box<Window>,
    },
    /// Somebody looked at what the public reads of it; `forced` says why nobody else than its author did.
    WindowPublished {
        window: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        forced: Option<String>,
    },
    WindowBegan {
        window: u32,
        incidents: Vec<IncidentId>,
    },
    WindowEnded {
        window: u32,
        incidents: Vec<IncidentId>,
        early: bool,
    },
    /// Alerts are put aside by their labels, from now on or later.
    SilenceMade {
        silence: Box<Silence>,
    },
    /// A silence begins; these alerts fire and are put aside by it.
    SilenceBegan {
        silence: u32,
        alerts: Vec<String>,
    },
    /// It ended by its time, or before it by somebody.
    SilenceEnded {
        silence: u32,
        #[serde(default, skip_serializing_if = "is_false")]
        early: bool,
    },
    /// A sign of life of a sender that must be heard from.
    HeartbeatReceived {
        name: String,
    },
    /// The status page could not be written or carried away; or it can be again.
    StatusPage {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fault: Option<String>,
        /// What was said until then is on it, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shown: Option<Timestamp>,
    },
    /// The auditor found something that should have been sent and was not, or the other way round.
    AuditFound {
        findings: Vec<String>,
    },
}

/// One delivery's part in an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sending {
    /// 0 for a word that belongs to no incident.
    pub incident: IncidentId,
    #[serde(rename = "d")]
    pub delivery: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_zero_i64(count: &i64) -> bool {
    *count == 0
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_true(flag: &bool) -> bool {
    *flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
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
    /// The silence that puts it aside from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<u32>,
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
    /// How bad the sender says it is, where no label `severity` says the same.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub severity_word: String,
}

impl AlertFacts {
    /// The label set by which a silence finds it: with the name, whatever the sender calls that.
    pub fn labels_with_name(&self) -> Cow<'_, BTreeMap<String, String>> {
        if self.labels.contains_key(NAME_LABEL) || self.name.is_empty() {
            return Cow::Borrowed(&self.labels);
        }
        let mut labels = self.labels.clone();
        labels.insert(NAME_LABEL.to_owned(), self.name.clone());
        Cow::Owned(labels)
    }

    /// How bad the sender says it is; empty: it does not say.
    pub fn severity_word(&self) -> &str {
        let label = || self.labels.get("severity").map_or("", String::as_str);
        if self.severity_word.is_empty() { label() } else { &self.severity_word }
    }
}

/// The label that names an alert.
pub const NAME_LABEL: &str = "alertname";

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
    /// Its end was said before; counted.
    RepeatedEnd,
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

impl Recorded {
    /// When it happened in the world: `occurred` where given, else when it was recorded.
    pub fn when(&self) -> Timestamp {
        self.occurred.map_or(self.at, |occurred| occurred.at)
    }
}
