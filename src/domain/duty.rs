//! What the room knows of paging besides the incidents: policies that are in use, maintenance
//! windows, changes of schedules and the words about them, what was sent to whom last, signs of life.
//!
//! Invariants:
//! - Everything here follows from events; nothing looks at a clock.
//! - A policy stays for as long as a live incident refers to it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::delivery::{Delivery, Stand};
use crate::domain::escalation::PolicyRef;
use crate::domain::ids::Seq;
use crate::domain::plan::{Plan, Policy};
use crate::domain::schedule::{self, Changes, Cover, Swap, SwapState};
use crate::domain::silence::Silence;
use crate::domain::talk::change::Look;
use crate::domain::talk::page::PageDown;
use crate::domain::time::{DAY_MS, HOUR_MS, Timestamp};
use crate::domain::words::Severity;

pub use crate::domain::window::{Window, WindowStage};

/// How long a service counts as known to somebody after a page about it, in milliseconds.
pub const KNOWN_FOR_MS: i64 = HOUR_MS;
/// How far ahead a change of shift is looked for, in milliseconds.
const SHIFT_HORIZON_MS: i64 = 60 * DAY_MS;
/// Services that are remembered for one destination.
const SERVICES_MAX: usize = 256;
/// Windows that are over and still listed.
const WINDOWS_KEPT: usize = 20;

/// Where something is sent: a person (or channel) and one way to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Destination {
    pub to: String,
    pub method: String,
}

impl Destination {
    /// Whether it gets updates, each of which says something else.
    pub fn is_stakeholder(&self) -> bool {
        self.to.starts_with("stakeholder:")
    }
}

/// What was sent to a destination last.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LastSent {
    pub at: Timestamp,
    /// Service → when something about it was sent; those of the last hour.
    pub services: BTreeMap<String, Timestamp>,
    /// Severity → when something of it was sent; those of the last hour.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub severities: BTreeMap<Severity, Timestamp>,
    /// The latest messages, the oldest first: as many as its throttles look at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent: Vec<Timestamp>,
}

impl LastSent {
    /// Notes that something was sent of these severities about these services; `keep`: how many
    /// times are remembered.
    pub fn note(
        &mut self,
        at: Timestamp,
        severities: impl Iterator<Item = Severity>,
        services: impl Iterator<Item = String>,
        keep: usize,
    ) {
        self.severities.retain(|_, then| at.since(*then) < KNOWN_FOR_MS);
        self.severities.extend(severities.map(|severity| (severity, at)));
        self.at = at;
        self.recent.push(at);
        let surplus = self.recent.len().saturating_sub(keep);
        self.recent.drain(..surplus);
        self.services.retain(|_, then| at.since(*then) < KNOWN_FOR_MS);
        for service in services {
            if self.services.len() < SERVICES_MAX {
                self.services.insert(service, at);
            }
        }
    }

    /// The worst that was sent within the hour before `now`.
    pub fn worst(&self, now: Timestamp) -> Option<Severity> {
        let recent = self.severities.iter().filter(|(_, then)| now.since(**then) < KNOWN_FOR_MS);
        recent.map(|(severity, _)| *severity).min()
    }
}

/// A word to somebody that belongs to no incident, and how far it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub delivery: Delivery,
    pub subject: String,
    pub text: String,
    /// It goes in one message with others of its kind.
    #[serde(default)]
    pub together: bool,
    /// It asks for a look at an update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<Look>,
}

/// Words about duty that are kept after they arrived, or failed.
const NOTICES_KEPT: usize = 20;

impl Desk {
    /// A window was planned.
    pub fn plan_window(&mut self, window: &Window) {
        self.last_window = self.last_window.max(window.id);
        self.windows.insert(window.id, window.clone());
    }

    /// The public reads of a window what waited for somebody's look.
    pub fn publish_window(&mut self, id: u32, by: &str, forced: Option<&String>) {
        if let Some(window) = self.windows.get_mut(&id) {
            window.public = std::mem::take(&mut window.waiting);
            window.looked = Some((by.to_owned(), forced.cloned()));
        }
    }

    /// Lets words go that arrived long ago.
    pub fn forget_notices(&mut self) {
        let done = self.notices.iter().filter(|(_, notice)| notice.delivery.due().is_none());
        let is_out = |notice: &Notice| matches!(notice.delivery.stand, Stand::Sending { .. });
        let done: Vec<u32> =
            done.filter(|(_, notice)| !is_out(notice)).map(|(number, _)| *number).collect();
        for number in done.iter().take(done.len().saturating_sub(NOTICES_KEPT)) {
            self.notices.remove(number);
        }
    }
}

/// A sender that must be heard from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// Its last sign of life, or when it was first asked for.
    pub at: Timestamp,
    /// Whether its silence was told.
    pub is_missed: bool,
    /// Whether it was heard at all.
    pub is_heard: bool,
    /// It was heard again after its silence was told; that is still to be told.
    #[serde(default)]
    pub is_back: bool,
}

impl Beat {
    /// A sign of life, after what was known before.
    pub fn heard(at: Timestamp, before: Option<&Self>) -> Self {
        let is_back = before.is_some_and(|before| before.is_missed || before.is_back);
        Self { at, is_missed: false, is_heard: true, is_back }
    }
}

/// What the room knows of paging besides the incidents.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Desk {
    /// Digest → policy, for every policy of the plan and those of live incidents.
    pub policies: BTreeMap<Box<str>, Policy>,
    pub windows: BTreeMap<u32, Window>,
    pub last_window: u32,
    /// Alerts that are put aside by their labels; those that ended not long ago are still here.
    pub silences: BTreeMap<u32, Silence>,
    pub last_silence: u32,
    /// Schedule → what was changed about it beside the plan's files.
    pub changes: BTreeMap<String, Changes>,
    /// Schedule → the event that last changed who is on duty: calendars take what has a higher number.
    pub revisions: BTreeMap<String, Seq>,
    pub last_change: u32,
    /// Words to people about their duty, those that arrived not long ago among them.
    pub notices: BTreeMap<u32, Notice>,
    pub last_notice: u32,
    /// Schedule → up to when changes of shift were told.
    pub shifts_seen: BTreeMap<String, Timestamp>,
    /// Schedule → who was on duty by what was told last: a cover that is taken back, a swap or a new
    /// plan makes it others at once.
    #[serde(default)]
    pub duty_seen: BTreeMap<String, Vec<String>>,
    /// Schedule → who went off duty when nobody came: what they have is handed over to whoever comes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unrelieved: BTreeMap<String, Vec<String>>,
    /// People who were in a plan and are in none now, and since when.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub left: BTreeMap<String, Timestamp>,
    #[serde(with = "pairs")]
    pub sent: BTreeMap<Destination, LastSent>,
    pub beats: BTreeMap<String, Beat>,
    /// Policy and level → who was paged in turn last.
    pub turns: BTreeMap<String, String>,
    /// The auditor's last findings.
    pub findings: Vec<String>,
    /// Why the status page is not as it should be.
    pub page_fault: Option<String>,
    /// Since when, and what it shows.
    pub page_down: Option<PageDown>,
}

/// What a console must know besides the plan's files and the incidents.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Beside {
    /// Covers and swaps by schedule.
    pub changes: BTreeMap<String, Changes>,
    /// Maintenance windows.
    pub windows: Vec<Window>,
    pub silences: Vec<Silence>,
    /// Schedule → the event that last changed who is on duty.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub revisions: BTreeMap<String, Seq>,
    /// Why the status page is not as it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_fault: Option<String>,
    /// Since when, and what it shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_down: Option<PageDown>,
}

impl Beside {
    /// What consoles must know of the keeper's desk.
    pub fn of(desk: &Desk) -> Self {
        Self {
            changes: desk.changes.clone(),
            windows: desk.windows.values().cloned().collect(),
            silences: desk.silences.values().cloned().collect(),
            revisions: desk.revisions.clone(),
            page_fault: desk.page_fault.clone(),
            page_down: desk.page_down,
        }
    }

    /// A desk with nothing else on it.
    pub fn desk(self) -> Desk {
        let windows = self.windows.into_iter().map(|window| (window.id, window)).collect();
        let silences = self.silences.into_iter().map(|silence| (silence.id, silence)).collect();
        let Self { changes, revisions, page_fault, page_down, .. } = self;
        Desk { windows, silences, changes, revisions, page_fault, page_down, ..Desk::default() }
    }
}

mod pairs {
    //! A map whose keys are no strings, as a list of pairs.

    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Destination, LastSent};

    pub(super) fn serialize<S: Serializer>(
        map: &BTreeMap<Destination, LastSent>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        map.iter().collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Destination, LastSent>, D::Error> {
        Ok(Vec::<(Destination, LastSent)>::deserialize(deserializer)?.into_iter().collect())
    }
}

impl Desk {
    /// The policy that an incident took.
    pub fn policy(&self, policy: Option<&PolicyRef>) -> Option<&Policy> {
        self.policies.get(&*policy?.digest)
    }

    /// Who is in a plan no more, or again.
    pub fn take_people(&mut self, before: &Plan, plan: &Plan, at: Timestamp) {
        self.left.retain(|login, _| !plan.people.contains_key(login));
        let gone = before.people.keys().filter(|login| !plan.people.contains_key(*login));
        for login in gone {
            self.left.entry(login.clone()).or_insert(at);
        }
    }

    /// Whether somebody was in a plan, and since `at` is in none.
    pub fn has_left_since(&self, login: &str, at: Timestamp) -> bool {
        self.left.get(login).is_some_and(|left| *left >= at)
    }

    /// Covers that are not over, and swaps, that put somebody on duty whom the plan does not know.
    pub fn by_strangers<'a>(
        &'a self,
        plan: &'a Plan,
        now: Timestamp,
    ) -> impl Iterator<Item = (&'a String, Result<&'a Cover, &'a Swap>)> {
        let is_stranger = |who: &str| !plan.people.is_empty() && !plan.people.contains_key(who);
        self.changes.iter().flat_map(move |(name, changes)| {
            let covers = changes.covers.iter();
            let covers = covers.filter(move |it| it.until > now && is_stranger(&it.person));
            let takes = move |swap: &&Swap| {
                let gives_back = swap.b.is_some() && is_stranger(&swap.person_a);
                swap.state == SwapState::Accepted && (is_stranger(&swap.person_b) || gives_back)
            };
            let swaps = changes.swaps.iter().filter(takes);
            covers.map(Ok).chain(swaps.map(Err)).map(move |it| (name, it))
        })
    }

    /// The desk as it would be under another plan: nobody stands in whom that plan does not know.
    #[must_use]
    pub fn under(&self, plan: &Plan, now: Timestamp) -> Self {
        let mut desk = self.clone();
        for (name, it) in self.by_strangers(plan, now) {
            let Some(changes) = desk.changes.get_mut(name) else { continue };
            match it {
                Ok(cover) => changes.covers.retain(|known| known.id != cover.id),
                Err(swap) => changes.swaps.retain(|known| known.id != swap.id),
            }
        }
        desk
    }

    /// Takes the policies, schedules and heartbeats of a plan that came into force at `at`.
    pub fn take_plan(&mut self, plan: &Plan, at: Timestamp, in_use: &BTreeSet<Box<str>>) {
        self.policies.retain(|digest, _| in_use.contains(digest));
        for (name, policy) in &plan.policies {
            self.policies.insert(PolicyRef::of(name, policy).digest, policy.clone());
        }
        self.shifts_seen.retain(|name, _| plan.schedules.contains_key(name));
        self.changes.retain(|name, _| plan.schedules.contains_key(name));
        self.duty_seen.retain(|name, _| plan.schedules.contains_key(name));
        self.unrelieved.retain(|name, _| plan.schedules.contains_key(name));
        for name in plan.schedules.keys() {
            self.shifts_seen.insert(name.clone(), at);
            if !self.duty_seen.contains_key(name) {
                self.see_duty(plan, name, at);
            }
        }
        self.beats.retain(|name, _| plan.heartbeats.contains_key(name));
        for name in plan.heartbeats.keys() {
            let fresh = Beat { at, is_missed: false, is_heard: false, is_back: false };
            self.beats.entry(name.clone()).or_insert(fresh);
        }
    }

    /// Who is on duty at an instant is told, or need not be.
    pub fn see_duty(&mut self, plan: &Plan, name: &str, at: Timestamp) {
        self.shifts_seen.insert(name.to_owned(), at);
        self.duty_seen.insert(name.to_owned(), self.on_call(plan, name, at));
    }

    /// A change of shift is told: who went, went home, unless somebody came.
    pub fn shift_changed(&mut self, plan: &Plan, name: &str, left: &[String], at: Timestamp) {
        self.see_duty(plan, name, at);
        let is_empty = self.duty_seen.get(name).is_none_or(Vec::is_empty);
        if is_empty {
            let waiting = self.unrelieved.entry(name.to_owned()).or_default();
            let new = left.iter().filter(|who| !waiting.contains(who)).cloned();
            waiting.extend(new.collect::<Vec<_>>());
        } else {
            self.unrelieved.remove(name);
        }
    }

    /// The windows that are open and cover services.
    pub fn windows_over<'a>(&'a self, services: &'a [String]) -> impl Iterator<Item = &'a Window> {
        let open = self.windows.values().filter(|window| window.stage == WindowStage::Open);
        open.filter(|window| window.covers(services))
    }

    /// Lets windows go that are long over.
    pub fn forget_windows(&mut self) {
        let over: Vec<u32> =
            self.windows.values().filter(|w| w.stage == WindowStage::Over).map(|w| w.id).collect();
        for id in over.iter().take(over.len().saturating_sub(WINDOWS_KEPT)) {
            self.windows.remove(id);
        }
    }

    /// Covers and swaps of a schedule.
    pub fn changes_of(&self, schedule: &str) -> &Changes {
        static NONE: Changes =
            Changes { covers: Vec::new(), swaps: Vec::new(), revoked: Vec::new() };
        self.changes.get(schedule).unwrap_or(&NONE)
    }

    /// Takes the answer to a swap. One that was accepted may fall away: somebody of it left the plan.
    pub fn answer_swap(
        &mut self,
        schedule: &str,
        swap: u32,
        accepted: bool,
        (at, seq): (Timestamp, Seq),
    ) {
        let Some(changes) = self.changes.get_mut(schedule) else { return };
        let mut counts = accepted;
        for known in changes.swaps.iter_mut().filter(|known| known.id == swap) {
            counts |= known.state == SwapState::Accepted;
            known.state = if accepted { SwapState::Accepted } else { SwapState::Refused };
            known.since = accepted.then_some(at);
        }
        if counts {
            self.revisions.insert(schedule.to_owned(), seq);
        }
    }

    /// When the people on call on a schedule change next, after what was told.
    pub fn next_shift(&self, plan: &Plan, name: &str) -> Option<Timestamp> {
        let schedule = plan.schedules.get(name)?;
        let seen = *self.shifts_seen.get(name)?;
        // What was changed since by hand, or by a new plan, counts at once.
        if self.duty_seen.get(name).is_some_and(|who| *who != self.on_call(plan, name, seen)) {
            return Some(seen);
        }
        let horizon = seen.plus(SHIFT_HORIZON_MS);
        let changes = self.changes_of(name);
        let next = schedule::next_change(schedule, &plan.holidays, changes, seen, horizon);
        // Nothing within the horizon: it is looked at again then.
        Some(next.unwrap_or_else(|| horizon.plus(-DAY_MS)))
    }

    /// The logins on call on a schedule at an instant.
    pub fn on_call(&self, plan: &Plan, name: &str, at: Timestamp) -> Vec<String> {
        let Some(schedule) = plan.schedules.get(name) else { return Vec::new() };
        let mut people: Vec<String> = Vec::new();
        for duty in schedule::on_duty(schedule, &plan.holidays, self.changes_of(name), at) {
            if !people.contains(&duty.person) {
                people.push(duty.person);
            }
        }
        people
    }

    /// When the silence of a sender becomes too long.
    pub fn beat_due(&self, plan: &Plan, name: &str) -> Option<Timestamp> {
        let beat = self.beats.get(name).filter(|beat| !beat.is_missed)?;
        if beat.is_back {
            return Some(beat.at);
        }
        let asked = plan.heartbeats.get(name)?;
        let span_s = i64::from(asked.every_s) + i64::from(asked.grace_s);
        Some(beat.at.plus(span_s * 1_000))
    }
}
