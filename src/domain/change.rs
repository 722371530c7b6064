//! What changed about one incident: the larger half of the journal's vocabulary.
//!
//! Invariants: as in `event`: past tense, only added to, for ever readable.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::delivery::Wanted;
use crate::domain::elsewhere::Closing;
use crate::domain::escalation::PolicyRef;
use crate::domain::ids::{IncidentId, Seq};
use crate::domain::incident::Carried;
use crate::domain::legal::LegalChange;
use crate::domain::stakeholder::Audience;
use crate::domain::talk::change::TalkChange;
use crate::domain::time::Timestamp;
use crate::domain::words::{
    AckMode, ClosureReason, Level3, LinkKind, Moment, NoteKind, Origin, Outcome, Phase,
    PublicStatus, RemedyKind, Role, Severity,
};

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_zero_i64(count: &i64) -> bool {
    *count == 0
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
        /// Nothing follows: they know that it is over.
        #[serde(default, skip_serializing_if = "is_false")]
        last: bool,
        /// Whom of them it was with.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        person: String,
        /// What they asked.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        asked: String,
        /// It was with one of many: what all of them were told and promised stands.
        #[serde(default, skip_serializing_if = "is_false")]
        aside: bool,
    },
    /// Something was said to stakeholders, or promised, or is to be said.
    Talk(Box<TalkChange>),
    /// Something about what a law or a contract demands.
    Legal(Box<LegalChange>),
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
        /// Stakeholders who were told of the other one, and what they were promised: from now on
        /// they hear from this one.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        told: BTreeMap<String, Option<Timestamp>>,
        /// The same of those who were told nothing yet, and were promised a word.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        promised: BTreeMap<String, Option<Timestamp>>,
        /// What is broken from now on, where the other one adds to it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        services: Vec<String>,
        /// When those who were told of it were told last, by whom and how.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        words: BTreeMap<String, Carried>,
        /// The status page shows this one in the place of the other one from now on, as it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        public: Option<PublicStatus>,
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
        /// Why those who were told of it get no last word.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        silent: Option<String>,
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
        /// Why those who were told of it get no last word.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        silent: Option<String>,
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
    /// It follows this policy from now on, as the policy is now.
    PolicyTaken {
        policy: PolicyRef,
        reason: String,
    },
    /// A level was reached: these people are wanted.
    LevelReached(Box<LevelReached>),
    /// A level's conditions did not hold when its time came.
    LevelSkipped {
        level: u16,
        #[serde(default)]
        round: u8,
        name: String,
        why: String,
        /// It asks for a number of alerts: it is looked at again when one joins.
        #[serde(default, skip_serializing_if = "is_false")]
        counts: bool,
        /// How bad it is, or what is broken, keeps it from holding: it is looked at again when that
        /// changes.
        #[serde(default, skip_serializing_if = "is_false")]
        may_hold: bool,
    },
    /// Nobody else is left: the plan's fallback is wanted.
    FallbackPaged {
        why: String,
        pages: Vec<Wanted>,
        /// Everybody whom the plan knows: those on whom it falls back were not reached.
        #[serde(default, skip_serializing_if = "is_false")]
        everybody: bool,
    },
    /// Somebody was wanted by hand; or, where the clock did it, because they came on duty.
    PagedByHand {
        reason: String,
        pages: Vec<Wanted>,
        /// Pages by hand that got through by no way and because of which these are wanted.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lost: Vec<u32>,
    },
    /// People who were wanted by hand are not wanted any more.
    CalledBack {
        deliveries: Vec<u32>,
        reason: String,
        /// Those who were reached are told.
        pages: Vec<Wanted>,
        /// It climbs no more on a person's word.
        #[serde(default, skip_serializing_if = "is_false")]
        unforced: bool,
        /// The snooze that goes on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        snoozed_until: Option<Timestamp>,
    },
    /// The acknowledgement no longer counts: nobody has acted for too long.
    AckExpired {
        by: String,
        after_min: u32,
        /// They are in the plan no more, and could not be reached.
        #[serde(default, skip_serializing_if = "is_false")]
        gone: bool,
        /// How much later than it was due, in milliseconds; 0: in time.
        #[serde(default, skip_serializing_if = "is_zero_i64")]
        late_ms: i64,
    },
    Snoozed {
        until: Timestamp,
        reason: String,
    },
    /// It always ends; by hand: before its time.
    SnoozeEnded {
        #[serde(default)]
        by_hand: bool,
    },
    /// It was offered to somebody; until they accept the giver answers for it.
    HandoverOffered {
        from: String,
        to: String,
        brief: String,
        pages: Vec<Wanted>,
    },
    HandoverAccepted {
        from: String,
        to: String,
    },
    HandoverRefused {
        by: String,
        reason: String,
    },
    /// A maintenance window covers it; it pages nobody until that ends.
    EscalationPaused {
        window: u32,
        why: String,
    },
    /// The window that paused it no longer covers it.
    EscalationResumed {
        /// A person escalated it though the window goes on.
        #[serde(default, skip_serializing_if = "is_false")]
        by_hand: bool,
        window: u32,
    },
    /// The plan no longer knows these people: their own answer is not waited for any more.
    AnswersDropped {
        people: Vec<String>,
    },
    /// Nobody is reached any more who was: the chain begins at its first level again.
    BegunAnew {
        why: String,
    },
    /// What our pages opened in another service was acknowledged or closed there, or could not be.
    ToldElsewhere(Box<ToldElsewhere>),
}

/// What was said of events that our pages opened in another service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldElsewhere {
    /// `pd:ROUTING-KEY`.
    pub method: String,
    /// The deliveries that opened them.
    pub deliveries: Vec<u32>,
    pub closing: Closing,
    /// It was said; else it was given up.
    pub done: bool,
    /// The other side's code or words, or what went wrong.
    pub detail: String,
}

/// A level of the policy was reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelReached {
    pub level: u16,
    #[serde(default)]
    pub round: u8,
    pub name: String,
    /// By the clock, by hand (who and why), or by which trigger.
    pub why: String,
    pub by: ReachedBy,
    /// How late it comes, in milliseconds, where the keeper could not look at the clock in time.
    #[serde(default, skip_serializing_if = "is_zero_i64")]
    pub late_ms: i64,
    #[serde(default)]
    pub mode: AckMode,
    /// Targets behind which nobody was, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<String>,
    pub pages: Vec<Wanted>,
    /// The fallback, where the level reached nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallback: Vec<Wanted>,
}

/// What reached a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReachedBy {
    Clock,
    /// The number of alerts that it asks for came together.
    Count,
    Hand,
    Trigger(u16),
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
    /// Why only now, where that is to be told: a silence ended.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub again: String,
    /// The escalation policy that it takes, as it is now; none for histories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyRef>,
}

impl Change {
    /// What it wants delivered to people who are to act: pages, and shifts that are handed over.
    #[expect(clippy::wildcard_enum_match_arm, reason = "few facts want anybody")]
    pub fn wanted(&self) -> impl Iterator<Item = &Wanted> {
        let (first, second): (&[Wanted], &[Wanted]) = match self {
            Self::LevelReached(reached) => (&reached.pages, &reached.fallback),
            Self::FallbackPaged { pages, .. }
            | Self::PagedByHand { pages, .. }
            | Self::HandoverOffered { pages, .. } => (pages, &[]),
            _ => (&[], &[]),
        };
        first.iter().chain(second)
    }
}
