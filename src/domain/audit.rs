//! The auditor: reads the journal again, on its own, and says what should have been sent and was
//! not, or was sent and should not have been.
//!
//! It shares no code with the engine that pages: it knows the events, the plans in them, and the
//! rules in words. What it finds is a defect of the engine, of the shell, or of the machine.
//!
//! Invariants:
//! - Pure: events and `now` in, findings out. It keeps only what is still open.

#![expect(clippy::wildcard_enum_match_arm, reason = "an auditor looks at what is about paging")]

mod case;
mod pagers;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::change::Change;
use crate::domain::escalation::PolicyRef;
use crate::domain::event::{Body, Recorded};
use crate::domain::ids::{BESIDE, IncidentId};
use crate::domain::plan::{Plan, Policy};
use crate::domain::throttle::Throttle;
use crate::domain::time::{MINUTE_MS, SECOND_MS, Timestamp};
use crate::domain::words::{AttemptResult, DeliveryKind, Severity, Via};

/// How late a step may be before it is a finding, in milliseconds.
const STEP_GRACE_MS: i64 = 2 * MINUTE_MS;
/// How long a wanted delivery may wait for its first attempt, besides bundling.
const BEGIN_GRACE_MS: i64 = 3 * MINUTE_MS;
/// A failed attempt is followed by another one within this time, unless the other side asked for more.
const RETRY_MS: i64 = 3 * MINUTE_MS;
/// How long one attempt may take: more than any channel's limit.
const ATTEMPT_MAX_MS: i64 = 2 * MINUTE_MS;
/// Findings that are told at once.
const FINDINGS_MAX: usize = 20;

/// One incident as the auditor sees it.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
struct Case {
    policy: Option<String>,
    severity: Severity,
    is_active: bool,
    /// It was active when it became part of another one: it is again if that is taken back.
    was_active: bool,
    answered_by: Option<String>,
    /// Whether that is only one of two: a helper answered after a page to them had failed, perhaps
    /// for good.
    is_unsure: bool,
    /// When it was answered, and when a person did something on it last.
    worked_at: Timestamp,
    /// People whose own answer is waited for: all of them, or any one.
    must: BTreeSet<String>,
    must_all: bool,
    /// A person had a level reached.
    is_forced: bool,
    /// Who offered it last.
    offered_by: Option<String>,
    is_paused: bool,
    snoozed_until: Option<Timestamp>,
    /// Somebody else put off what one holds: they hold it when that is over.
    is_snoozed_by_other: bool,
    /// When the last step was taken, and the delay until the next one at the most.
    stepped_at: Timestamp,
    /// Deliveries up to this number were wanted before paging began anew.
    old: u32,
    wanted: BTreeMap<u32, Wish>,
}

/// What is remembered of an incident that is over.
#[derive(Debug, Clone)]
struct Over {
    policy: Option<String>,
    severity: Severity,
    was_active: bool,
    /// Where it became part of another one, whoever has it has it again.
    answered_by: Option<String>,
    is_forced: bool,
}

/// A wanted delivery.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
struct Wish {
    to: String,
    /// The channel of its first attempt.
    channel: String,
    kind: DeliveryKind,
    at: Timestamp,
    began: Option<Timestamp>,
    has_ended: bool,
    /// The last attempt failed: another may follow.
    has_failed: bool,
    /// A machine, a terminal or a file took an attempt.
    was_taken: bool,
    /// The last attempt failed: from when on nothing follows it any more, if nothing did.
    dead_from: Option<Timestamp>,
    /// Until when the other side asked not to be asked again, at the most.
    waits_until: Timestamp,
    /// A level wanted it.
    is_level: bool,
    /// Maintenance called it back.
    is_held: bool,
    /// It does not go with the chain: an update, or a word about a promise or limit not kept.
    is_for_itself: bool,
    is_off: bool,
}

/// What the auditor remembers.
#[derive(Debug, Clone, Default)]
pub struct Auditor {
    /// The last event that was seen.
    pub seq: u64,
    /// Digest → policy: incidents follow the one that they took.
    policies: BTreeMap<String, Policy>,
    /// Incidents that are over: what they followed, for when they come back.
    over: BTreeMap<IncidentId, Over>,
    /// Person → when something began to be sent to them last.
    last_began: BTreeMap<String, Timestamp>,
    /// When an update to anybody began to be sent last: they take turns.
    last_letter: Option<Timestamp>,
    bundle_s: u32,
    fallback_every_min: u32,
    cases: BTreeMap<IncidentId, Case>,
    /// Channel → the longest time for which its throttles hold something back, in milliseconds.
    throttled: BTreeMap<String, i64>,
    /// What our pages opened in services that page on their own.
    pagers: pagers::Pagers,
    /// Pages that began although the incident was answered.
    strays: Vec<String>,
}

impl Auditor {
    /// Takes the next event.
    pub fn see(&mut self, event: &Recorded) {
        self.seq = event.seq;
        self.pagers.see(event);
        match &event.body {
            Body::Incident { incident, change } => self.change(event, *incident, change),
            Body::PlanAdopted { plan, .. } => self.adopt(plan),
            // Words that belong to no incident move no page.
            Body::SendingBegan { items, .. } if items.iter().all(|it| it.incident == BESIDE) => {}
            Body::SendingBegan { to, items, .. } => {
                if to.starts_with("stakeholder:") {
                    self.last_letter = Some(event.at);
                } else {
                    self.last_began.insert(to.clone(), event.at);
                }
                for item in items {
                    self.began(event, item.incident, item.delivery);
                }
            }
            Body::SendingEnded { items, result, wait_ms, .. } => {
                // The next way may be one that the plan's limit holds back.
                let held_ms = self.throttled.values().max().copied().unwrap_or(0);
                for item in items {
                    let case = self.cases.get_mut(&item.incident);
                    let wish = case.and_then(|case| case.wanted.get_mut(&item.delivery));
                    let Some(wish) = wish else { continue };
                    // Nobody knows whether it arrived: it is wanted anew, and takes its turn.
                    if *result == AttemptResult::Unknown {
                        wish.at = event.at;
                        wish.began = None;
                    } else {
                        wish.has_ended = true;
                        let is_taken =
                            matches!(result, AttemptResult::Accepted | AttemptResult::HandedOver);
                        wish.has_failed = !is_taken;
                        wish.was_taken |= is_taken;
                        wish.waits_until = wish.waits_until.max(event.at.plus(*wait_ms));
                        let is_lost = !wish.was_taken && *result != AttemptResult::Held;
                        let last = wish.waits_until.max(event.at).plus(RETRY_MS + held_ms);
                        wish.dead_from = is_lost.then_some(last);
                    }
                }
            }
            Body::WindowBegan { incidents, .. } | Body::WindowEnded { incidents, .. } => {
                let is_paused = matches!(event.body, Body::WindowBegan { .. });
                for id in incidents {
                    let Some(case) = self.cases.get_mut(id) else { continue };
                    case.is_paused = is_paused;
                    case.stepped_at = event.at;
                    if is_paused {
                        case.pause();
                    } else {
                        case.back_from_pause(event.at);
                    }
                }
            }
            Body::KeeperStarted { .. } => {
                self.waits_anew(event.at, 0);
                // What was on its way and is wanted by nobody ended with the keeper before.
                let wishes = self.cases.values_mut().flat_map(|case| case.wanted.values_mut());
                for wish in wishes.filter(|wish| wish.is_off && !wish.has_ended) {
                    wish.began = None;
                }
            }
            Body::ClockJumped { by_ms, incidents } => {
                self.waits_anew(event.at, if incidents.is_empty() { *by_ms } else { 0 });
            }
            _ => {}
        }
    }

    fn adopt(&mut self, plan: &Plan) {
        for (name, policy) in &plan.policies {
            let digest = PolicyRef::of(name, policy).digest.to_string();
            self.policies.insert(digest, policy.clone());
        }
        self.bundle_s = plan.bundle_s;
        self.fallback_every_min = plan.fallback_every_min;
        self.pagers.adopt(plan);
        let longest = |(name, list): (&String, &Vec<Throttle>)| {
            let spans = list.iter().map(|throttle| throttle.within_ms);
            (name.clone(), spans.max().unwrap_or(0))
        };
        self.throttled = plan.throttles.iter().map(longest).collect();
    }

    /// While no keeper ran, or by a clock that jumped, nothing could be done in time.
    fn waits_anew(&mut self, at: Timestamp, by_ms: i64) {
        self.pagers.wait_anew(at);
        for case in self.cases.values_mut() {
            case.stepped_at = at;
            case.worked_at = at;
            let until = case.snoozed_until.map(|until| until.plus(by_ms));
            case.snoozed_until = until.map(|until| until.max(at));
            for wish in case.wanted.values_mut() {
                wish.at = at;
                wish.began = wish.began.map(|_| at);
                wish.dead_from = wish.dead_from.map(|from| from.max(at.plus(RETRY_MS)));
            }
        }
    }

    fn began(&mut self, event: &Recorded, id: IncidentId, delivery: u32) {
        let Some(case) = self.cases.get_mut(&id) else { return };
        let Some(wish) = case.wanted.get_mut(&delivery) else { return };
        if wish.is_off && wish.kind == DeliveryKind::Page {
            let text =
                format!("{id}: {} was paged at {} although it was answered", wish.to, event.at);
            self.strays.push(text);
        }
        wish.began = Some(event.at);
        (wish.has_ended, wish.dead_from) = (false, None);
    }

    fn change(&mut self, event: &Recorded, id: IncidentId, change: &Change) {
        if let Change::Opened(opened) = change {
            let case = Case {
                policy: opened.policy.as_ref().map(|policy| policy.digest.to_string()),
                severity: opened.severity,
                is_active: true,
                was_active: true,
                answered_by: None,
                is_unsure: false,
                worked_at: event.at,
                must: BTreeSet::new(),
                must_all: false,
                is_forced: false,
                offered_by: None,
                is_paused: false,
                snoozed_until: None,
                is_snoozed_by_other: false,
                stepped_at: event.at,
                old: 0,
                wanted: BTreeMap::new(),
            };
            self.cases.insert(id, case);
            return;
        }
        if let Some(over) = self.over.remove(&id) {
            let case = Case::again_after(over, event.at);
            self.cases.entry(id).or_insert(case);
        }
        if let Some(case) = self.cases.get_mut(&id) {
            if matches!(event.actor.via, Via::Console | Via::Cli | Via::Gateway) {
                case.worked_at = event.at;
            }
            let was_active = case.is_active;
            case.change(event, change);
            if case.is_active != was_active {
                self.pagers.turned(id, was_active.then_some(event.at));
            }
        }
    }

    /// Forgets what it found so far: it was told before this keeper came.
    pub fn forget_strays(&mut self) {
        self.strays.clear();
    }

    /// What is wrong at `now`, in words; nothing: the auditor is content.
    pub fn check(&mut self, now: Timestamp) -> Vec<String> {
        let mut findings = std::mem::take(&mut self.strays);
        // What is over and done with is of no interest any more.
        let over = &mut self.over;
        self.cases.retain(|id, case| {
            let is_kept = case.is_active
                || case.wanted.values().any(|w| !w.is_off && !w.has_ended)
                || case.wanted.values().any(|w| w.began.is_some() && !w.has_ended);
            if !is_kept {
                let known = Over {
                    policy: case.policy.take(),
                    severity: case.severity,
                    was_active: case.was_active,
                    answered_by: case.answered_by.take(),
                    is_forced: case.is_forced,
                };
                over.insert(*id, known);
            }
            is_kept
        });
        let begin_ms = BEGIN_GRACE_MS + i64::from(self.bundle_s) * SECOND_MS;
        for (id, case) in &self.cases {
            for wish in case.wanted.values() {
                let held_ms = self.throttled.get(&wish.channel).copied().unwrap_or(0);
                let begin_ms = begin_ms + held_ms;
                match wish.began {
                    // A long queue to one person moves on, bundle by bundle.
                    None if !wish.is_off
                        && now.since(wish.at) > begin_ms
                        && self.is_stalled(wish, now, begin_ms) =>
                    {
                        findings.push(format!(
                            "{id}: {} wanted since {}, never sent",
                            wish.to, wish.at
                        ));
                    }
                    Some(at) if !wish.has_ended && now.since(at) > ATTEMPT_MAX_MS => {
                        findings.push(format!(
                            "{id}: a message to {} began at {at} and never ended",
                            wish.to
                        ));
                    }
                    None | Some(_) => {}
                }
            }
            if let Some(finding) = self.stands_still(*id, case, now) {
                findings.push(finding);
            }
        }
        findings.extend(self.pagers.check(now));
        let more = findings.len().saturating_sub(FINDINGS_MAX);
        findings.truncate(FINDINGS_MAX);
        if more > 0 {
            findings.push(format!("and {more} more"));
        }
        findings
    }

    /// Whether nothing has moved where a wish waits.
    fn is_stalled(&self, wish: &Wish, now: Timestamp, begin_ms: i64) -> bool {
        let last = if wish.kind == DeliveryKind::Update {
            self.last_letter
        } else {
            self.last_began.get(&wish.to).copied()
        };
        last.is_none_or(|at| now.since(at) > begin_ms)
    }

    /// An incident that should climb and does not.
    fn stands_still(&self, id: IncidentId, case: &Case, now: Timestamp) -> Option<String> {
        let policy = self.policies.get(case.policy.as_ref()?)?;
        if let Some(until) = case.snoozed_until.filter(|_| case.is_active && !case.is_paused) {
            let is_over = now.since(until) > STEP_GRACE_MS;
            // Whom a trigger reached meanwhile is waited for all the same.
            if is_over || case.must.is_empty() {
                return is_over
                    .then(|| format!("{id}: its snooze was to end at {until} and did not"));
            }
        }
        if case.is_unsure {
            return None;
        }
        let is_held = case.answered_by.is_some() && case.must.is_empty();
        if let Some(minutes) = policy.ack_expires_min.get(&case.severity)
            && is_held
            && case.is_active
            && !case.is_paused
        {
            let until = case.worked_at.plus(i64::from(*minutes) * MINUTE_MS);
            return (now.since(until) > STEP_GRACE_MS).then(|| {
                format!("{id}: its acknowledgement was to expire at {until} and did not")
            });
        }
        let pages = case.is_forced || policy.from_severity.is_none_or(|from| case.severity <= from);
        if !case.is_active || !pages || case.is_paused || is_held {
            return None;
        }
        if case.is_forsaken(now) {
            return Some(format!("{id}: every page of it failed, and nobody else is wanted"));
        }
        // Whatever the next step is, it comes no later than the longest delay the policy has.
        let levels = policy.levels.iter().map(|level| level.after_min);
        let longest = levels
            .chain([policy.repeat_after_min, self.fallback_every_min.max(30)])
            .max()
            .unwrap_or(30);
        let due = case.stepped_at.plus(i64::from(longest) * MINUTE_MS);
        (now.since(due) > STEP_GRACE_MS).then(|| {
            format!("{id}: nobody has answered, and nothing was done since {}", case.stepped_at)
        })
    }
}
