//! A line of the incident queue: all that a list needs to know of an incident.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::ids::{IncidentId, Seq};
use crate::domain::incident::Incident;
use crate::domain::legal;
use crate::domain::plan::Plan;
use crate::domain::talk::{Update, promise};
use crate::domain::time::Timestamp;
use crate::domain::words::{Approval, DeliveryKind, Phase, Priority, Severity};

/// The queue's order: what needs a human first. Smaller comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank {
    /// Still active before resolved ones.
    over: bool,
    severity: Severity,
    /// Unanswered before answered ones.
    answered: bool,
    priority: Priority,
    /// Newest first.
    age: std::cmp::Reverse<Timestamp>,
}

impl Rank {
    /// The place of an incident in the queue.
    pub fn of(incident: &Incident) -> Self {
        Self {
            over: !incident.phase().is_active(),
            severity: incident.severity,
            answered: incident.is_answered(),
            priority: incident.priority(),
            age: std::cmp::Reverse(incident.opened_at),
        }
    }

    /// The place of a row in the queue; the same as that of its incident.
    pub fn of_row(row: &Row) -> Self {
        Self {
            over: !row.phase.is_active(),
            severity: row.severity,
            answered: row.is_acked && !row.is_partly,
            priority: row.priority,
            age: std::cmp::Reverse(row.opened_at),
        }
    }
}

/// A line of the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub id: IncidentId,
    #[serde(rename = "t")]
    pub title: Box<str>,
    #[serde(rename = "sev")]
    pub severity: Severity,
    #[serde(rename = "pri")]
    pub priority: Priority,
    #[serde(rename = "ph")]
    pub phase: Phase,
    #[serde(rename = "ack", default, skip_serializing_if = "is_false")]
    pub is_acked: bool,
    /// Others must answer too.
    #[serde(rename = "part", default, skip_serializing_if = "is_false")]
    pub is_partly: bool,
    /// Put aside until then.
    #[serde(rename = "snz", default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Timestamp>,
    /// Who commands or owns it.
    #[serde(rename = "who", default, skip_serializing_if = "str::is_empty")]
    pub who: Box<str>,
    #[serde(rename = "svc", default, skip_serializing_if = "str::is_empty")]
    pub services: Box<str>,
    /// Member alerts that fire, and all of them.
    #[serde(rename = "fire", default, skip_serializing_if = "is_zero")]
    pub firing: u32,
    #[serde(rename = "mem", default, skip_serializing_if = "is_zero")]
    pub members: u32,
    #[serde(rename = "debt", default, skip_serializing_if = "is_zero")]
    pub debts: u32,
    #[serde(rename = "next", default, skip_serializing_if = "Option::is_none")]
    pub promise: Option<Timestamp>,
    /// Who may let an update go that waits: logins; `*!AUTHOR`: everybody but the author.
    #[serde(rename = "appr", default, skip_serializing_if = "str::is_empty")]
    pub approvers: Box<str>,
    /// Whose answer is waited for: called, and not answered yet, or offered it; also whom the call did
    /// not reach, while nobody has answered.
    #[serde(rename = "want", default, skip_serializing_if = "str::is_empty")]
    pub wanted: Box<str>,
    #[serde(rename = "open")]
    pub opened_at: Timestamp,
    /// When it left the room, for rows of closed incidents.
    #[serde(rename = "end", default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    pub seq: Seq,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Whose answer is waited for.
fn wanted(incident: &Incident) -> String {
    let called = incident.esc.deliveries.iter().filter(|it| {
        it.is_open() && it.wanted.kind == DeliveryKind::Page && !it.wanted.to.contains(':')
    });
    let called = called.map(|it| it.wanted.to.as_str());
    let offered = incident.esc.handover.iter().map(|offer| offer.to.as_str());
    let lost = incident.esc.lost().into_iter().filter(|to| !to.contains(':'));
    let lost = lost.filter(|_| incident.ack.is_none() && incident.esc.pause.is_none());
    let is_active = incident.phase().is_active();
    let people: BTreeSet<&str> = called.chain(offered).chain(lost).filter(|_| is_active).collect();
    people.into_iter().collect::<Vec<_>>().join(" ")
}

/// Who may let the updates go that wait.
fn approvers(incident: &Incident) -> String {
    let of = |update: &Update| {
        let draft = &update.draft;
        let commander = incident.commander().filter(|who| *who != update.by);
        match commander {
            _ if !update.approvers().is_empty() => update.approvers().join(" "),
            Some(commander) if draft.approval == Approval::Commander => commander.to_owned(),
            Some(_) | None => format!("*!{}", update.by),
        }
    };
    incident.talk.waiting().map(of).collect::<Vec<_>>().join(" ")
}

impl Row {
    /// Whether an update waits for somebody to let it go.
    pub fn asks(&self, login: &str) -> bool {
        let mut names = self.approvers.split(' ');
        names.any(|name| name.strip_prefix("*!").map_or(name == login, |author| author != login))
    }

    /// Whether somebody may be waited for here: nobody has it, or they are wanted all the same.
    pub fn wants(&self, login: &str) -> bool {
        self.wanted.split(' ').any(|who| who == login)
    }

    /// The line for a live incident, with when something is due to somebody outside: by a word that
    /// was given, by the plan, or by law.
    pub fn with_dues(incident: &Incident, plan: &Plan, now: Timestamp) -> Self {
        let word = promise::next(incident, plan).map(|promise| promise.due);
        let law = legal::open(incident, plan, now).first().and_then(|it| it.clock.due);
        Self { promise: word.into_iter().chain(law).min(), ..Self::of(incident) }
    }

    /// The line for an incident.
    pub fn of(incident: &Incident) -> Self {
        let who = incident
            .commander()
            .or(incident.owner.as_deref())
            .or(incident.ack.as_ref().map(|a| a.by.as_str()));
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            id: incident.id,
            title: incident.title.as_str().into(),
            severity: incident.severity,
            priority: incident.priority(),
            phase: incident.phase(),
            is_acked: incident.ack.is_some(),
            is_partly: incident.ack.is_some() && !incident.is_answered(),
            snoozed_until: incident.esc.snooze.as_ref().map(|snooze| snooze.until),
            who: who.unwrap_or_default().into(),
            services: incident.services.join(" ").into(),
            firing: count(incident.firing()),
            members: count(incident.members.len()),
            debts: count(incident.debts().count()),
            promise: promise::next_given(incident),
            approvers: approvers(incident).into(),
            wanted: wanted(incident).into(),
            opened_at: incident.opened_at,
            ended_at: (!incident.phase().is_live()).then_some(incident.changed_at),
            seq: incident.last_seq,
        }
    }
}
