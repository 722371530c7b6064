//! One incident: its state, and how each fact about it changes that state.
//!
//! Invariants:
//! - `Incident::apply` is total: no refusal, no panic, and no `_ =>`, so that a new fact does not
//!   compile until somebody says what it does.
//! - An incident is a function of its own stream; nothing else is looked up.

mod changes;
mod members;
mod paging;
mod talk;

pub use self::talk::{Carried, Inherited};

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::change::{Change, Moved, Opened};
use crate::domain::delivery::AttemptEnd;
use crate::domain::escalation::Escalation;
use crate::domain::event::{Body, Recorded};
use crate::domain::ids::{IncidentId, Seq};
use crate::domain::legal::Legal;
use crate::domain::talk::Talk;
use crate::domain::time::Timestamp;
use crate::domain::words::{
    ClosureReason, Level3, LinkKind, Moment, Origin, Outcome, Phase, Priority, PublicStatus,
    RemedyKind, Role, Severity, Via,
};

/// Where an incident stands, with what is known only there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "kebab-case")]
pub enum Stage {
    Triage,
    Investigating,
    Identified,
    Monitoring,
    Resolved(Resolution),
    InReview(Resolution),
    Closed(Resolution),
    Declined { by: String, at: Timestamp, reason: ClosureReason },
    Merged { into: IncidentId, by: String, at: Timestamp, before: Box<Stage> },
}

/// What ended an incident, and how that was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    pub by: String,
    pub at: Timestamp,
    pub reason: ClosureReason,
    /// What shows that it is over.
    pub evidence: String,
    /// Why it was resolved although an alert was still firing.
    pub forced: Option<String>,
}

/// Impact × urgency as somebody assessed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    pub impact: Level3,
    pub urgency: Level3,
}

/// Who answered, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    pub by: String,
    pub at: Timestamp,
}

/// Command on its way from one person to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub from: String,
    pub to: String,
    pub at: Timestamp,
}

/// Something that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remedy {
    pub number: u32,
    pub kind: RemedyKind,
    pub text: String,
    pub by: String,
    pub at: Timestamp,
    /// A workaround's end; nothing else has one.
    pub expires: Option<Timestamp>,
    pub outcome: Outcome,
    pub is_expired: bool,
    /// The entry that recorded it.
    pub entry: Seq,
}

/// The last that a stakeholder was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub at: Timestamp,
    pub by: String,
    pub channel: String,
    pub text: String,
    /// When the next word was promised.
    pub next_by: Option<Timestamp>,
    /// When that was promised, if it was later than these words.
    #[serde(default)]
    pub promised_at: Option<Timestamp>,
    /// How often they were told; 0: somebody gave their word, and that is all.
    pub count: u32,
    /// The entry that says so.
    pub entry: Seq,
    /// By which update; none: by hand.
    #[serde(default)]
    pub update: Option<u32>,
    /// Nothing follows.
    #[serde(default)]
    pub last: bool,
}

/// A member alert, as the incident needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub is_firing: bool,
    pub repeats: u32,
    /// When its sender said last that it fires; 0: not since it came here from another incident.
    #[serde(default)]
    pub seen: Timestamp,
}

/// The last act of a person that changed more than the timeline; the base of "somebody was
/// quicker than you".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastAct {
    pub seq: Seq,
    pub by: String,
    pub at: Timestamp,
    pub what: String,
}

/// One incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    pub id: IncidentId,
    pub title: String,
    pub origin: Origin,
    pub severity: Severity,
    /// Why it has the severity it has.
    pub severity_because: String,
    pub assessed: Option<Assessment>,
    pub stage: Stage,
    pub ack: Option<Ack>,
    pub services: Vec<String>,
    pub labels: BTreeMap<String, String>,
    pub reporter: String,
    pub owner: Option<String>,
    /// Role → people; exactly one for the commander and the deputy.
    pub roles: BTreeMap<Role, Vec<String>>,
    pub offer: Option<Offer>,
    pub links: Vec<(LinkKind, IncidentId)>,
    /// Incidents that became part of this one.
    pub children: Vec<IncidentId>,
    pub remedies: Vec<Remedy>,
    /// Alert → what it does now.
    pub members: BTreeMap<String, Member>,
    /// How many of them fire.
    pub firing: u32,
    /// The alerts it took along when it was merged.
    pub brought: Vec<String>,
    pub told: BTreeMap<String, Told>,
    /// Incidents that became part of it, with how severe it was before each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub severity_before: Vec<(IncidentId, Severity)>,
    /// Services that somebody took off: alerts that come again do not bring them back.
    #[serde(default)]
    pub services_off: BTreeSet<String>,
    /// What was broken before another one became part of it.
    #[serde(default)]
    pub services_before: Vec<(IncidentId, Vec<String>)>,
    /// What of what is told came from incidents that became part of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inherited: Vec<Inherited>,
    /// How bad it was when it was over: who had to know then is not freed by a later judgement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity_then: Option<Severity>,
    /// The incident of which the public was told, where it became part of this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_of: Option<IncidentId>,
    /// What is said to them besides.
    #[serde(default)]
    pub talk: Talk,
    /// What the law demands.
    #[serde(default)]
    pub legal: Legal,
    pub moments: BTreeMap<Moment, Timestamp>,
    /// Moments that somebody declared unknown.
    pub unknown: BTreeSet<Moment>,
    pub public: PublicStatus,
    pub group: Option<String>,
    pub external: Option<String>,
    pub reopen_within_s: u32,
    pub reopened: u32,
    /// Entries that hold words of people: they can be corrected and redacted.
    pub texts: BTreeSet<Seq>,
    /// Whether a person judged the severity; then no alert changes it.
    pub is_severity_judged: bool,
    /// How far it has climbed.
    pub esc: Escalation,
    /// The last act of a person on it.
    pub worked_at: Timestamp,
    /// Entries whose text is no longer shown.
    pub redacted: BTreeSet<Seq>,
    pub last_act: Option<LastAct>,
    pub last_seq: Seq,
    pub opened_at: Timestamp,
    pub changed_at: Timestamp,
}

impl Incident {
    /// Folds the stream of an incident; `None` if it does not begin with its opening.
    pub fn fold<'a>(
        id: IncidentId,
        events: impl IntoIterator<Item = &'a Recorded>,
    ) -> Option<Self> {
        let mut folded: Option<Self> = None;
        for event in events {
            if let Some(incident) = folded.as_mut() {
                incident.apply(event);
            } else if let Body::Incident { incident, change: Change::Opened(opened) } = &event.body
                && *incident == id
            {
                folded = Some(Self::open(id, opened, event));
            }
        }
        folded
    }

    /// The incident that an opening brings about.
    pub fn open(id: IncidentId, opened: &Opened, event: &Recorded) -> Self {
        let when = event.when();
        let mut moments = BTreeMap::new();
        match opened.origin {
            Origin::Alert | Origin::Split => moments.insert(Moment::Detected, when),
            Origin::Report | Origin::Declared | Origin::Import => {
                moments.insert(Moment::Reported, when)
            }
        };
        if opened.declared {
            moments.insert(Moment::Declared, when);
        }
        Self {
            id,
            title: opened.title.clone(),
            origin: opened.origin,
            severity: opened.severity,
            severity_because: opened.because.clone(),
            assessed: None,
            stage: if opened.declared { Stage::Investigating } else { Stage::Triage },
            ack: None,
            services: opened.services.clone(),
            labels: opened.labels.clone(),
            reporter: event.actor.login.clone(),
            owner: None,
            roles: BTreeMap::new(),
            offer: None,
            links: Vec::new(),
            children: Vec::new(),
            remedies: Vec::new(),
            members: BTreeMap::new(),
            firing: 0,
            brought: Vec::new(),
            severity_before: Vec::new(),
            services_off: BTreeSet::new(),
            services_before: Vec::new(),
            inherited: Vec::new(),
            public_of: None,
            severity_then: None,
            told: BTreeMap::new(),
            talk: Talk { since: when, raised: vec![(opened.severity, when)], ..Talk::default() },
            legal: Legal::default(),
            moments,
            unknown: BTreeSet::new(),
            public: PublicStatus::Unpublished,
            group: opened.group.clone(),
            external: opened.external.clone(),
            reopen_within_s: opened.reopen_within_s,
            reopened: 0,
            texts: BTreeSet::new(),
            is_severity_judged: opened.origin != Origin::Alert,
            esc: Escalation {
                policy: opened.policy.clone(),
                anchor: event.at,
                again: opened.again.clone(),
                ..Escalation::default()
            },
            worked_at: when,
            redacted: BTreeSet::new(),
            last_act: None,
            last_seq: event.seq,
            opened_at: when,
            changed_at: when,
        }
    }

    /// Where it stands, as a word.
    pub const fn phase(&self) -> Phase {
        self.stage.phase()
    }

    /// ITIL priority; before triage it follows the severity.
    pub fn priority(&self) -> Priority {
        match self.assessed {
            Some(a) => Priority::derive(a.impact, a.urgency),
            None => Priority::ALL[usize::from(self.severity.number() - 1)],
        }
    }

    /// How the priority was derived, in words.
    pub fn priority_because(&self) -> String {
        match self.assessed {
            Some(a) => format!("{} impact × {} urgency", a.impact, a.urgency),
            None => format!("not triaged, follows {}", self.severity),
        }
    }

    /// The one who commands, if anybody.
    pub fn commander(&self) -> Option<&str> {
        self.roles.get(&Role::Commander).and_then(|people| people.first()).map(String::as_str)
    }

    /// Member alerts that fire now.
    pub fn firing(&self) -> usize {
        self.firing as usize
    }

    /// How often its alerts were posted.
    pub fn posts(&self) -> u64 {
        self.members.values().map(|member| u64::from(member.repeats) + 1).sum()
    }

    /// The workarounds still in force.
    pub fn debts(&self) -> impl Iterator<Item = &Remedy> {
        self.remedies.iter().filter(|remedy| remedy.is_debt())
    }

    /// Applies one event of this incident's stream.
    pub fn apply(&mut self, event: &Recorded) {
        self.last_seq = event.seq;
        self.changed_at = event.when();
        if matches!(event.actor.via, Via::Console | Via::Cli | Via::Gateway) {
            self.worked_at = self.worked_at.max(event.at);
        }
        if event.has_words() {
            self.texts.insert(event.seq);
        }
        match &event.body {
            Body::Incident { change, .. } => {
                let was_active = self.phase().is_active();
                self.change(event, change);
                // What is told once it is over (a clock of the law, a missed last word) stays wanted.
                if was_active && !self.phase().is_active() {
                    self.stand_down(event.at);
                }
            }
            Body::AlertsReceived { items, .. } => {
                let id = Some(self.id);
                for item in items.iter().filter(|item| item.incident == id) {
                    self.member_became(&item.alert, item.became, event.at);
                }
            }
            Body::AlertExpired { alert, .. } => self.set_firing(alert, false),
            Body::AlertSettled { alert, firing, .. } => self.set_firing(alert, *firing),
            Body::SendingBegan { items, .. } => self.sending_began(event.at, items),
            Body::SendingEnded { items, result, detail, wait_ms, .. } => {
                let end = AttemptEnd { result: *result, detail, wait_ms: *wait_ms };
                self.sending_ended(event, items, &end);
            }
            Body::ClockJumped { by_ms, .. } => self.clock_moved(*by_ms),
            Body::WindowBegan { window, .. } => self.pause(event.at, *window),
            Body::WindowEnded { window, .. } => {
                self.resume(event.at, *window, "the maintenance window is over");
            }
            Body::ShiftChanged { .. }
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
            | Body::AuditFound { .. }
            | Body::AlertAcknowledged { .. }
            | Body::AlertShelved { .. }
            | Body::AlertUnshelved { .. }
            | Body::PostRefused { .. }
            | Body::ChangeReceived { .. }
            | Body::PlanAdopted { .. }
            | Body::TokenIssued { .. }
            | Body::TokenRevoked { .. }
            | Body::KeeperStarted { .. }
            | Body::KeeperStopped { .. }
            | Body::StoreRebuilt { .. } => {}
        }
    }

    /// Remembers the first time something happened.
    fn first(&mut self, moment: Moment, at: Timestamp) {
        if !self.unknown.contains(&moment) {
            self.moments.entry(moment).or_insert(at);
        }
    }

    fn acted(&mut self, event: &Recorded, what: String) {
        self.last_act =
            Some(LastAct { seq: event.seq, by: event.actor.login.clone(), at: event.at, what });
    }

    fn offer_command(&mut self, from: &str, to: &str, at: Timestamp) {
        self.offer = Some(Offer { from: from.to_owned(), to: to.to_owned(), at });
    }

    fn change(&mut self, event: &Recorded, change: &Change) {
        let when = event.when();
        match change {
            Change::Opened(_)
            | Change::HistoryNoted { .. }
            | Change::EntryCorrected { .. }
            | Change::NoteAdded { .. }
            | Change::AttachmentAdded { .. } => {}
            Change::Declared { .. } => self.declare(when),
            Change::Triaged { impact, urgency } => self.triage(event, *impact, *urgency),
            Change::Acknowledged => self.acknowledge(&event.actor.login, when, event.at),
            Change::SeverityChanged { to, reason, .. } => self.set_severity(event, *to, reason),
            Change::PhaseChanged { to, .. } => self.set_phase(event, *to),
            Change::TitleChanged { title } => self.title.clone_from(title),
            Change::ServicesChanged { .. } | Change::LabelSet { .. } => self.concern(change),
            Change::OwnerChanged { owner } => self.owner.clone_from(owner),
            Change::RoleAssigned { role, person } => self.assign(*role, person),
            Change::RoleLeft { role, person } => self.leave(*role, person),
            Change::CommandTaken { person } => self.command(event, person),
            Change::CommandOffered { from, to } => self.offer_command(from, to, when),
            Change::CommandAccepted { to, .. } => self.command(event, to),
            Change::CommandRefused { .. } => self.offer = None,
            Change::EntryRedacted { entry, .. } => self.redact(*entry),
            Change::RemedyRecorded { remedy, kind, text, expires } => {
                self.remedy(event, *remedy, *kind, text, *expires);
            }
            Change::RemedyJudged { remedy, outcome, .. } => self.judge(*remedy, *outcome, when),
            Change::RemedyExpired { remedy } => self.expire(*remedy),
            Change::ContactLogged { .. } => self.contact(event, change),
            Change::Talk(talk) => self.talk(event, talk),
            Change::Legal(legal) => self.legal(event, legal),
            Change::Linked { other, kind } => self.link(*kind, *other),
            Change::Unlinked { other, kind } => self.links.retain(|l| *l != (*kind, *other)),
            Change::MergedInto { into } => self.merge(event, *into),
            Change::Absorbed { .. } => self.absorb(event, change),
            Change::Unmerged { alerts, .. } => self.unmerge(event.at, alerts),
            Change::Released { child, alerts } => self.release(*child, alerts),
            Change::SplitOff { alerts, .. } => self.lose(alerts),
            Change::Received { alerts, .. } => self.receive(alerts),
            Change::Declined { reason, .. } => self.decline(event, *reason),
            Change::Resolved { reason, evidence, forced } => {
                self.resolve(event, *reason, evidence, forced.as_ref());
            }
            Change::Reopened { .. } => self.reopen(event),
            Change::ReviewStarted => self.finish(event, Phase::InReview),
            Change::Closed { .. } => self.finish(event, Phase::Closed),
            Change::MomentRevised { moment, at, .. } => self.revise(*moment, *at),
            Change::PublicStatusSet { status } => self.publish(*status, when),
            Change::ExternalFields { fields } => self.labels.extend(fields.clone()),
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
            | Change::ToldElsewhere(_) => self.paging(event, change),
        }
    }
}
