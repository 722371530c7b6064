//! What a person, an alert or a script wants: imperatives that `decide` turns into facts or
//! refuses in words.

mod about;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::event::{Actor, Occurred};
use crate::domain::ids::{CommandId, IncidentId, Seq};
use crate::domain::legal::LegalWish;
use crate::domain::plan::Plan;
use crate::domain::post::{ImportedIncident, Post};
use crate::domain::talk::change::TalkWish;
use crate::domain::time::Timestamp;
use crate::domain::words::{
    ClosureReason, Level3, LinkKind, Moment, NoteKind, Outcome, Phase, PublicStatus, RemedyKind,
    Right, Role, Severity,
};

/// A command with all that `decide` may look at besides the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub id: CommandId,
    pub actor: Actor,
    /// What the actor may do.
    pub right: Right,
    /// When the world did it, if not now.
    pub occurred: Option<Occurred>,
    /// The last event of the incident that the sender had seen; see `RejectionKind::Conflict`.
    pub seen: Option<Seq>,
    pub command: Command,
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Command {
    /// Anybody may say that something is wrong; with `declare` it skips triage.
    Open {
        title: String,
        #[serde(default)]
        severity: Option<Severity>,
        #[serde(default)]
        services: Vec<String>,
        #[serde(default)]
        labels: BTreeMap<String, String>,
        #[serde(default)]
        note: String,
        #[serde(default)]
        declare: bool,
    },
    Declare {
        incident: IncidentId,
        reason: String,
    },
    Triage {
        incident: IncidentId,
        impact: Level3,
        urgency: Level3,
    },
    Acknowledge {
        incident: IncidentId,
    },
    /// Free upwards; downwards it asks for a reason.
    SetSeverity {
        incident: IncidentId,
        severity: Severity,
        reason: String,
    },
    SetPhase {
        incident: IncidentId,
        phase: Phase,
        reason: String,
    },
    SetTitle {
        incident: IncidentId,
        title: String,
    },
    SetServices {
        incident: IncidentId,
        services: Vec<String>,
    },
    SetLabel {
        incident: IncidentId,
        label: String,
        value: Option<String>,
    },
    SetOwner {
        incident: IncidentId,
        owner: Option<String>,
    },
    AssignRole {
        incident: IncidentId,
        role: Role,
        person: String,
    },
    LeaveRole {
        incident: IncidentId,
        role: Role,
        person: String,
    },
    TakeCommand {
        incident: IncidentId,
    },
    OfferCommand {
        incident: IncidentId,
        to: String,
    },
    AcceptCommand {
        incident: IncidentId,
    },
    RefuseCommand {
        incident: IncidentId,
        reason: String,
    },
    Note {
        incident: IncidentId,
        kind: NoteKind,
        text: String,
        #[serde(default)]
        said_by: String,
    },
    CorrectEntry {
        incident: IncidentId,
        entry: Seq,
        text: String,
    },
    RedactEntry {
        incident: IncidentId,
        entry: Seq,
        reason: String,
    },
    Attach {
        incident: IncidentId,
        name: String,
        sha256: String,
        bytes: u64,
        note: String,
    },
    Remedy {
        incident: IncidentId,
        kind: RemedyKind,
        text: String,
        expires: Option<Timestamp>,
    },
    JudgeRemedy {
        incident: IncidentId,
        remedy: u32,
        outcome: Outcome,
        evidence: String,
    },
    LogContact {
        incident: IncidentId,
        stakeholder: String,
        channel: String,
        text: String,
        next_by: Option<Timestamp>,
        #[serde(default)]
        last: bool,
        /// Whom of them it was with.
        #[serde(default)]
        person: String,
        /// What they asked.
        #[serde(default)]
        asked: String,
    },
    /// What is said to stakeholders.
    Talk {
        incident: IncidentId,
        talk: Box<TalkWish>,
    },
    /// What a law or a contract demands.
    Legal {
        incident: IncidentId,
        legal: Box<LegalWish>,
    },
    Link {
        incident: IncidentId,
        other: IncidentId,
        kind: LinkKind,
    },
    Unlink {
        incident: IncidentId,
        other: IncidentId,
        kind: LinkKind,
    },
    Merge {
        incident: IncidentId,
        into: IncidentId,
    },
    Unmerge {
        incident: IncidentId,
    },
    Split {
        incident: IncidentId,
        alerts: Vec<String>,
        title: String,
    },
    Decline {
        incident: IncidentId,
        reason: ClosureReason,
        note: String,
        /// Why those who were told get no last word.
        #[serde(default)]
        silent: Option<String>,
    },
    /// Refused while a member alert fires, unless `force` says why.
    Resolve {
        incident: IncidentId,
        reason: ClosureReason,
        evidence: String,
        #[serde(default)]
        force: Option<String>,
    },
    Reopen {
        incident: IncidentId,
        reason: String,
    },
    StartReview {
        incident: IncidentId,
    },
    Close {
        incident: IncidentId,
        note: String,
        #[serde(default)]
        silent: Option<String>,
    },
    ReviseMoment {
        incident: IncidentId,
        moment: Moment,
        at: Option<Timestamp>,
        reason: String,
    },
    SetPublicStatus {
        incident: IncidentId,
        status: PublicStatus,
    },
    AcknowledgeAlert {
        alert: String,
    },
    ShelveAlert {
        alert: String,
        until: Timestamp,
        reason: String,
    },
    UnshelveAlert {
        alert: String,
    },
    /// A post from a sender of alerts.
    Ingest(Post),
    /// A deployment or another change.
    NoteChange {
        source: String,
        summary: String,
        origin: String,
        details: BTreeMap<String, String>,
    },
    /// Puts on record that a post was not taken.
    RefusePost {
        source: String,
        status: u16,
        reason: String,
        excerpt: String,
        count: u32,
    },
    /// One incident of an imported history, whole.
    Import(Box<ImportedIncident>),
    AdoptPlan {
        plan: Box<Plan>,
        digest: String,
        note: String,
    },
    IssueToken {
        name: String,
        hash: String,
        /// For gateways that pass on answers to pages, and for nothing else.
        #[serde(default)]
        answers: bool,
    },
    RevokeToken {
        name: String,
    },
    /// Reaches the next level now, or a named one; works whoever has answered.
    Escalate {
        incident: IncidentId,
        #[serde(default)]
        level: Option<String>,
        reason: String,
    },
    /// Wants people by name (or `team:…`, `schedule:…`): to add responders, or to page again.
    Page {
        incident: IncidentId,
        people: Vec<String>,
        reason: String,
    },
    /// Takes back that people were wanted by hand: what is still to be sent to them is not, and those
    /// who were reached are told so. Nobody named: all of them.
    CallBack {
        incident: IncidentId,
        #[serde(default)]
        people: Vec<String>,
        reason: String,
    },
    /// Puts it aside; at the end it pages as before.
    Snooze {
        incident: IncidentId,
        until: Timestamp,
        reason: String,
    },
    EndSnooze {
        incident: IncidentId,
    },
    /// Follows a policy as it is now; none: the one of its services.
    TakePolicy {
        incident: IncidentId,
        #[serde(default)]
        policy: Option<String>,
        #[serde(default)]
        reason: String,
    },
    /// Offers what one holds to another, who must accept.
    OfferHandover {
        incident: IncidentId,
        to: String,
        #[serde(default)]
        note: String,
    },
    AcceptHandover {
        incident: IncidentId,
    },
    RefuseHandover {
        incident: IncidentId,
        #[serde(default)]
        reason: String,
    },
    /// Somebody stands in on a schedule.
    CoverShift {
        schedule: String,
        from: Timestamp,
        until: Timestamp,
        person: String,
        #[serde(default)]
        instead_of: Option<String>,
        #[serde(default)]
        reason: String,
    },
    RevokeCover {
        schedule: String,
        cover: u32,
    },
    /// Asks `with` to take the turn that lies at `at`, for the one that they have at `their_at`.
    AskSwap {
        schedule: String,
        /// Whose turn it is; none: one's own.
        #[serde(default)]
        from: Option<String>,
        at: Timestamp,
        with: String,
        #[serde(default)]
        their_at: Option<Timestamp>,
    },
    AnswerSwap {
        schedule: String,
        swap: u32,
        accept: bool,
    },
    /// Plans a time in which services page nobody.
    PlanWindow {
        services: Vec<String>,
        from: Timestamp,
        until: Timestamp,
        reason: String,
        /// What the status page says of it; empty: nothing.
        #[serde(default)]
        public: String,
    },
    /// Lets the public read of a window what waits for a look. `force` says why nobody else can look at it.
    PublishWindow {
        window: u32,
        #[serde(default)]
        force: Option<String>,
    },
    EndWindow {
        window: u32,
    },
    /// Puts alerts aside by their labels.
    Silence {
        /// Label → pattern, as in a rule: all must match.
        when: BTreeMap<String, String>,
        /// From now on unless given.
        #[serde(default)]
        from: Option<Timestamp>,
        until: Timestamp,
        reason: String,
    },
    EndSilence {
        silence: u32,
    },
    /// Answers for the person to whom a page with this code was sent.
    AcknowledgeByCode {
        code: String,
    },
    /// A sign of life of a sender.
    Beat {
        name: String,
    },
}
