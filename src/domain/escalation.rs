//! How far an incident has climbed, and what is due next: derived from what happened, never stored.
//!
//! An incident takes a snapshot of its policy when it opens (`PolicyRef`); the room keeps every
//! policy that a live incident refers to. A level is reached by the clock, by hand or by a trigger.
//! The clock stops while somebody has answered, and goes on when the answer expires, when a snooze
//! ends, and for ever where nobody answers: after the last round the fallback is paged again and
//! again.
//!
//! Invariants:
//! - Everything here is total and pure. A level that no longer exists never strands an incident.
//! - An active incident that pages always has a next step, unless somebody holds it for good or a
//!   maintenance window pauses it, and both are on record.

mod lost;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::delivery::{Delivery, Stand};
use crate::domain::incident::Incident;
use crate::domain::plan::{Plan, Policy, Trigger, When};
use crate::domain::talk::promise;
use crate::domain::time::{MINUTE_MS, Timestamp};
use crate::domain::words::{DeliveryKind, Severity};

/// Deliveries of one incident that are kept in the room; all of them are in the journal.
pub const DELIVERIES_KEPT: usize = 40;
/// Minutes between two pages of the fallback where the plan does not say.
const FALLBACK_MIN: u32 = 30;

/// A policy as it was when an incident took it: its name, and a digest of what it said.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PolicyRef {
    pub name: Box<str>,
    pub digest: Box<str>,
}

impl PolicyRef {
    /// The reference to a policy as it is now.
    pub fn of(name: &str, policy: &Policy) -> Self {
        use sha2::{Digest, Sha256};
        let text = serde_json::to_vec(policy)
            .expect("invariant: a policy has only string keys, so it always serialises");
        let digest = crate::domain::text::hex(&Sha256::digest(text)[..8]);
        Self { name: name.into(), digest: digest.into() }
    }
}

/// Put aside by a person until a given time; it always ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snooze {
    pub by: String,
    pub until: Timestamp,
    pub reason: String,
}

/// A maintenance window keeps it from paging.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    pub window: u32,
    pub since: Timestamp,
}

/// An open incident on its way from one person to another; until it is accepted the giver answers
/// for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    pub from: String,
    pub to: String,
    pub at: Timestamp,
    /// What the next one must know.
    pub brief: String,
    /// A change of shift made it, no person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_clock: bool,
}

/// How far an incident has climbed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
pub struct Escalation {
    /// The policy it took; none for histories: these page nobody.
    pub policy: Option<PolicyRef>,
    /// Rounds through all levels that are over.
    pub round: u8,
    /// The level that comes next.
    pub next: u16,
    /// From when the next level's delay counts.
    pub anchor: Timestamp,
    /// Whose answer is still waited for although somebody holds the incident.
    pub must: BTreeSet<String>,
    /// All of them, not one of them.
    pub must_all: bool,
    pub snooze: Option<Snooze>,
    pub pause: Option<Pause>,
    pub handover: Option<Handover>,
    /// Triggers that have done their work.
    pub fired: BTreeSet<u16>,
    /// Alerts that fired, and the severity, when the last level was reached.
    pub firing_then: u32,
    pub severity_then: Option<Severity>,
    /// Levels that wait for a number of alerts, and how many there were when they were looked at.
    pub held: BTreeSet<u16>,
    /// Levels of this round that were passed over because of how bad it was, or of what was broken.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub passed: BTreeSet<u16>,
    pub counted: u32,
    #[serde(default)]
    pub counted_at: Timestamp,
    /// A person had a level reached: it climbs from there on, however severe it is, until it is over;
    /// an answer that expires or a snooze that ends does not take that back.
    pub is_forced: bool,
    /// The last level reached nobody.
    pub is_unreached: bool,
    /// Levels that people had reached since the clock moved the chain last, and what each of them
    /// changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_hand: Vec<ByHand>,
    /// When a call-back put the chain where it was before: what is due since earlier is not late.
    #[serde(default)]
    pub back_at: Timestamp,
    /// Whom the plan falls back on, as they were paged last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
    /// The pages of the last level of this round that wanted somebody: whose answer is waited for before
    /// the next one. Empty: no level has wanted anybody so far. None: nothing of the round has come yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<Vec<u32>>,
    /// Levels of this round that reached nobody.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub nobody: BTreeSet<u16>,
    /// A level of this round that reached nobody wanted those on whom the plan falls back.
    #[serde(default)]
    pub fell: bool,
    /// The maintenance windows in which a person escalated all the same.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub overrides: BTreeSet<u32>,
    /// Pages by hand that got through by no way, and of which somebody heard.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub followed: BTreeSet<u32>,
    /// Words to whoever has the incident about such pages.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub told_of_lost: BTreeSet<u32>,
    /// Why paging began anew, where it did.
    pub again: String,
    pub last_number: u32,
    pub deliveries: Vec<Delivery>,
}

/// Pages to those on whom the plan falls back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fallback {
    pub pages: Vec<u32>,
    /// They went to everybody whom the plan knows.
    pub everybody: bool,
}

/// A level that a person had reached: what it wanted, and how the chain stood before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByHand {
    pub deliveries: Vec<u32>,
    pub next: u16,
    pub round: u8,
    pub anchor: Timestamp,
    pub is_forced: bool,
    pub is_unreached: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits: Option<Vec<u32>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snooze: Option<Snooze>,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A level, and the round it belongs to.
    Level {
        level: u16,
        round: u8,
    },
    /// A level is looked at again because another alert joined, or because it is worse now.
    Count(u16),
    /// All levels and rounds are through.
    Fallback,
    /// Nobody of the fallback was reached: everybody is.
    Everybody,
    /// Somebody was wanted by name, and got it by no way.
    Lost,
    /// A trigger reaches its level.
    Trigger(u16),
    /// Nobody has acted for too long.
    AckExpires,
    SnoozeEnds,
}

impl Escalation {
    /// How the chain stood before the levels that people had reached and of which nobody is wanted any
    /// more once these deliveries are not: from the last one back. None: it stays where it is.
    pub fn before(&self, gone: &[u32]) -> Option<&ByHand> {
        let is_off = |number: &u32| {
            gone.contains(number) || self.delivery(*number).is_none_or(|it| !it.is_open())
        };
        let taken = |level: &&ByHand| {
            let is_meant = level.deliveries.iter().any(|number| gone.contains(number));
            is_meant && level.deliveries.iter().all(is_off)
        };
        self.by_hand.iter().rev().take_while(taken).last()
    }

    /// The delivery of a number, if it is still kept.
    pub fn delivery(&self, number: u32) -> Option<&Delivery> {
        self.deliveries.iter().find(|delivery| delivery.wanted.number == number)
    }

    pub(super) fn delivery_mut(&mut self, number: u32) -> Option<&mut Delivery> {
        self.deliveries.iter_mut().find(|delivery| delivery.wanted.number == number)
    }

    /// Begins anew at the first level.
    pub(super) fn restart(&mut self, at: Timestamp, why: &str) {
        (self.next, self.round, self.anchor) = (0, 0, at);
        self.must.clear();
        self.held.clear();
        self.passed.clear();
        self.by_hand.clear();
        self.nobody.clear();
        self.snooze = None;
        self.is_unreached = false;
        (self.waits, self.fell, self.fallback) = (None, false, None);
        why.clone_into(&mut self.again);
    }

    /// Adds deliveries; the oldest that are over give way.
    pub(super) fn want(&mut self, deliveries: impl Iterator<Item = Delivery>) {
        for delivery in deliveries {
            self.last_number = self.last_number.max(delivery.wanted.number);
            self.deliveries.push(delivery);
        }
        let surplus = self.deliveries.len().saturating_sub(DELIVERIES_KEPT);
        for _ in 0..surplus {
            // One that nobody answered gives way too: newer ones are on their way.
            let is_idle = |d: &Delivery| !d.is_open() || matches!(d.stand, Stand::Waiting { .. });
            let Some(over) = self.deliveries.iter().position(is_idle) else { break };
            self.deliveries.remove(over);
        }
    }
}

impl Incident {
    /// Whether somebody holds it, and everybody answered whose answer is waited for.
    pub fn is_answered(&self) -> bool {
        self.ack.is_some() && self.esc.must.is_empty()
    }

    /// Whether a page to somebody waits for their answer.
    pub fn is_called(&self, login: &str) -> bool {
        let is_theirs = |delivery: &&Delivery| {
            delivery.wanted.to == login
                && delivery.wanted.kind == DeliveryKind::Page
                && delivery.is_open()
        };
        self.esc.deliveries.iter().any(|delivery| is_theirs(&delivery))
    }

    /// Whether it was offered to somebody who has not answered.
    pub fn is_offered(&self, login: &str) -> bool {
        self.esc.handover.as_ref().is_some_and(|handover| handover.to == login)
    }

    /// Who answers for it now: the one who acknowledged, else whoever is being reached.
    pub fn accountable(&self) -> Vec<&str> {
        if let Some(ack) = &self.ack {
            return vec![ack.by.as_str()];
        }
        let open =
            self.esc.deliveries.iter().filter(|delivery| {
                delivery.is_open() && delivery.wanted.kind == DeliveryKind::Page
            });
        let mut people: Vec<&str> = open.map(|delivery| delivery.wanted.to.as_str()).collect();
        people.sort_unstable();
        people.dedup();
        people
    }

    /// Whether the clock pages for it at all.
    pub fn is_paging(&self, policy: &Policy) -> bool {
        policy.from_severity.is_none_or(|from| self.severity <= from)
    }

    /// What comes next by the clock, and when, under the policy it took.
    pub fn next_step(&self, policy: &Policy, plan: &Plan) -> Option<(Timestamp, Step)> {
        if !self.phase().is_active() || self.esc.policy.is_none() {
            return None;
        }
        let lost = self.esc.lost_by_hand().map(|(_, at)| (at, Step::Lost)).min_by_key(|it| it.0);
        // Whom somebody asked for by name has no severity and no window.
        let everybody = self.esc.fallback_failed_at().map(|at| (at, Step::Everybody));
        if self.esc.pause.is_some() {
            return [lost, everybody].into_iter().flatten().min_by_key(|(at, _)| *at);
        }
        let trigger = self.next_trigger(policy, plan);
        let clock = self.by_the_clock(policy, plan.fallback_every_min);
        let count = self.next_count(policy, plan);
        // What grew while nothing was paged is looked at before a page makes it the state of things.
        [trigger, clock, count, lost, everybody].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// A level that was passed over for want of alerts, once one has joined since; or one whose
    /// condition has come to hold.
    fn next_count(&self, policy: &Policy, plan: &Plan) -> Option<(Timestamp, Step)> {
        let esc = &self.esc;
        let pages = self.is_paging(policy) || esc.is_forced;
        if !pages || self.is_answered() || esc.snooze.is_some() {
            return None;
        }
        let holds = |index: &&u16| {
            let level = policy.levels.get(usize::from(**index));
            level.is_some_and(|level| self.holds(&level.when, plan))
        };
        if let Some(level) = esc.passed.iter().find(holds) {
            return Some((esc.anchor, Step::Count(*level)));
        }
        let is_more = self.members.len() > esc.counted as usize;
        let is_met = |index: &&u16| {
            let when = policy.levels.get(usize::from(**index)).map(|level| &level.when);
            when.is_some_and(|when| match when.within_min {
                0 => is_more && when.alerts as usize <= self.members.len(),
                // Those that are there already may be seen again.
                minutes => {
                    let seen = self.seen_within(when.alerts, minutes);
                    seen.is_some_and(|at| at > esc.counted_at)
                }
            })
        };
        let level = *esc.held.iter().find(is_met)?;
        Some((esc.anchor, Step::Count(level)))
    }

    /// What comes next by the clock alone.
    pub fn by_the_clock(&self, policy: &Policy, fallback_min: u32) -> Option<(Timestamp, Step)> {
        let esc = &self.esc;
        if esc.pause.is_some() {
            return None;
        }
        if let Some(snooze) = &esc.snooze {
            let ends = (snooze.until, Step::SnoozeEnds);
            // Whom a trigger reached meanwhile is waited for, whoever put the rest aside.
            let climbs = self.next_level(policy, fallback_min).filter(|_| !esc.must.is_empty());
            return Some(climbs.filter(|(at, _)| *at < snooze.until).unwrap_or(ends));
        }
        if let Some(ack) = self.ack.as_ref().filter(|_| esc.must.is_empty()) {
            let minutes = policy.ack_expires_min.get(&self.severity).copied()?;
            let from = ack.at.max(self.worked_at);
            return Some((minutes_after(from, minutes), Step::AckExpires));
        }
        self.next_level(policy, fallback_min)
    }

    /// The level, the round or the fallback that comes next while an answer is waited for.
    fn next_level(&self, policy: &Policy, fallback_min: u32) -> Option<(Timestamp, Step)> {
        let esc = &self.esc;
        if !self.is_paging(policy) && !esc.is_forced {
            return None;
        }
        let everybody = esc.fallback_failed_at().map(|at| (at, Step::Everybody));
        let level = self.level_or_fallback(policy, fallback_min);
        everybody.filter(|(at, _)| *at < level.0).or(Some(level))
    }

    fn level_or_fallback(&self, policy: &Policy, fallback_min: u32) -> (Timestamp, Step) {
        let esc = &self.esc;
        let levels = u16::try_from(policy.levels.len()).unwrap_or(u16::MAX);
        let (after_min, step) = match policy.levels.get(usize::from(esc.next)) {
            Some(level) => (level.after_min, Step::Level { level: esc.next, round: esc.round }),
            None if esc.round < policy.repeat && levels > 0 => {
                (policy.repeat_after_min, Step::Level { level: 0, round: esc.round + 1 })
            }
            None => {
                let every = if fallback_min == 0 { FALLBACK_MIN } else { fallback_min };
                (every, Step::Fallback)
            }
        };
        let due = minutes_after(esc.anchor, after_min);
        // Where there is nobody whose answer to wait for, what follows does not wait: the next level,
        // or where there is none, the fallback.
        match esc.unheard_at().filter(|at| *at < due) {
            Some(at) if esc.next < levels => (at, step),
            Some(at) if !esc.fell => (at, Step::Fallback),
            Some(_) | None => (due, step),
        }
    }

    fn next_trigger(&self, policy: &Policy, plan: &Plan) -> Option<(Timestamp, Step)> {
        let numbered = policy.triggers.iter().zip(0_u16..);
        numbered
            .filter(|(_, index)| !self.esc.fired.contains(index))
            .filter_map(|(trigger, index)| {
                let at = self.trigger_at(trigger, policy, plan)?;
                Some((at, Step::Trigger(index)))
            })
            .min_by_key(|(at, _)| *at)
    }

    /// When a trigger's conditions hold: now, from a known time on, or not as things stand.
    fn trigger_at(&self, trigger: &Trigger, policy: &Policy, plan: &Plan) -> Option<Timestamp> {
        if !policy.levels.iter().any(|level| level.name == trigger.level) {
            return None;
        }
        let when = &trigger.when;
        if when.is_always() || !self.holds(when, plan) {
            return None;
        }
        if when.within_min > 0 {
            return self.seen_within(when.alerts, when.within_min);
        }
        if when.missed_promise {
            return promise::next_given(self).map(|at| at.plus(1));
        }
        // It holds already; since when is of no interest.
        Some(self.esc.anchor)
    }

    /// Whether the conditions hold that need no clock.
    pub fn holds(&self, when: &When, plan: &Plan) -> bool {
        let esc = &self.esc;
        let firing = u32::try_from(self.firing()).unwrap_or(u32::MAX);
        let is_security = || {
            self.labels.contains_key("security")
                || self.labels.get("kind").is_some_and(|kind| kind == "security")
                || self.services.iter().any(|service| service == "security")
        };
        let has_grown = || {
            let worse = esc.severity_then.is_some_and(|then| self.severity < then);
            worse || (esc.severity_then.is_some() && firing > esc.firing_then)
        };
        when.severity.is_none_or(|least| self.severity <= least)
            && (when.services.is_empty()
                || when.services.iter().any(|service| self.services.contains(service)))
            && (when.teams == 0 || plan.teams_of(&self.services) >= when.teams as usize)
            && (when.alerts == 0 || u64::from(when.alerts) <= self.members.len() as u64)
            && (!when.security || is_security())
            && (!when.growing || has_grown())
    }
}

/// So many minutes later.
fn minutes_after(at: Timestamp, minutes: u32) -> Timestamp {
    at.plus(i64::from(minutes) * MINUTE_MS)
}
