//! The auditor: reads the journal again, on its own, and says what should have been sent and was
//! not, or was sent and should not have been.
//!
//! It shares no code with the engine that pages: it knows the events, the plans in them, and the
//! rules in words. What it finds is a defect of the engine, of the shell, or of the machine.
//!
//! Invariants:
//! - Pure: events and `now` in, findings out. It keeps only what is still open.

#![expect(clippy::wildcard_enum_match_arm, reason = "an auditor looks at what is about paging")]

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::change::Change;
use crate::domain::event::{Body, Recorded};
use crate::domain::ids::IncidentId;
use crate::domain::plan::Policy;
use crate::domain::time::{MINUTE_MS, SECOND_MS, Timestamp};
use crate::domain::words::{AttemptResult, DeliveryKind, Phase, Severity};

/// How late a step may be before it is a finding, in milliseconds.
const STEP_GRACE_MS: i64 = 2 * MINUTE_MS;
/// How long a wanted delivery may wait for its first attempt, besides bundling.
const BEGIN_GRACE_MS: i64 = 3 * MINUTE_MS;
/// How long one attempt may take: more than any channel's limit.
const ATTEMPT_MAX_MS: i64 = 2 * MINUTE_MS;
/// Findings that are told at once.
const FINDINGS_MAX: usize = 20;

/// One incident as the auditor sees it.
#[derive(Debug, Clone)]
struct Case {
    policy: Option<String>,
    severity: Severity,
    is_active: bool,
    answered_by: Option<String>,
    /// People whose own answer is waited for.
    must: BTreeSet<String>,
    is_paused: bool,
    snoozed_until: Option<Timestamp>,
    /// When the last step was taken, and the delay until the next one at the most.
    stepped_at: Timestamp,
    wanted: BTreeMap<u32, Wish>,
}

/// A wanted delivery.
#[derive(Debug, Clone)]
struct Wish {
    to: String,
    kind: DeliveryKind,
    at: Timestamp,
    began: Option<Timestamp>,
    has_ended: bool,
    is_off: bool,
}

/// What the auditor remembers.
#[derive(Debug, Clone, Default)]
pub struct Auditor {
    /// The last event that was seen.
    pub seq: u64,
    policies: BTreeMap<String, Policy>,
    bundle_s: u32,
    fallback_every_min: u32,
    cases: BTreeMap<IncidentId, Case>,
    /// Pages that began although the incident was answered.
    strays: Vec<String>,
}

impl Auditor {
    /// Takes the next event.
    pub fn see(&mut self, event: &Recorded) {
        self.seq = event.seq;
        match &event.body {
            Body::Incident { incident, change } => self.change(event, *incident, change),
            Body::PlanAdopted { plan, .. } => {
                self.policies.clone_from(&plan.policies);
                self.bundle_s = plan.bundle_s;
                self.fallback_every_min = plan.fallback_every_min;
            }
            Body::SendingBegan { items, .. } => {
                for item in items {
                    self.began(event, item.incident, item.delivery);
                }
            }
            Body::SendingEnded { items, result, .. } => {
                for item in items {
                    let case = self.cases.get_mut(&item.incident);
                    let wish = case.and_then(|case| case.wanted.get_mut(&item.delivery));
                    if let Some(wish) = wish {
                        wish.has_ended = *result != AttemptResult::Unknown;
                    }
                }
            }
            Body::WindowBegan { incidents, .. } | Body::WindowEnded { incidents, .. } => {
                let is_paused = matches!(event.body, Body::WindowBegan { .. });
                for id in incidents {
                    if let Some(case) = self.cases.get_mut(id) {
                        case.is_paused = is_paused;
                        case.stepped_at = event.at;
                        case.call_back(|wish| wish.kind != DeliveryKind::Update);
                    }
                }
            }
            Body::ClockJumped { by_ms, .. } if *by_ms < 0 => {
                for case in self.cases.values_mut() {
                    case.stepped_at = case.stepped_at.min(event.at);
                }
            }
            _ => {}
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
        wish.has_ended = false;
    }

    fn change(&mut self, event: &Recorded, id: IncidentId, change: &Change) {
        if let Change::Opened(opened) = change {
            let case = Case {
                policy: opened.policy.as_ref().map(|policy| policy.name.to_string()),
                severity: opened.severity,
                is_active: true,
                answered_by: None,
                must: BTreeSet::new(),
                is_paused: false,
                snoozed_until: None,
                stepped_at: event.at,
                wanted: BTreeMap::new(),
            };
            self.cases.insert(id, case);
            return;
        }
        if let Some(case) = self.cases.get_mut(&id) {
            case.change(event, change);
        }
    }

    /// What is wrong at `now`, in words; nothing: the auditor is content.
    pub fn check(&mut self, now: Timestamp) -> Vec<String> {
        let mut findings = std::mem::take(&mut self.strays);
        // What is over and done with is of no interest any more.
        self.cases.retain(|_, case| {
            case.is_active || case.wanted.values().any(|w| w.began.is_some() && !w.has_ended)
        });
        let begin_ms = BEGIN_GRACE_MS + i64::from(self.bundle_s) * SECOND_MS;
        for (id, case) in &self.cases {
            for wish in case.wanted.values() {
                match wish.began {
                    None if !wish.is_off && now.since(wish.at) > begin_ms => {
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
        let more = findings.len().saturating_sub(FINDINGS_MAX);
        findings.truncate(FINDINGS_MAX);
        if more > 0 {
            findings.push(format!("and {more} more"));
        }
        findings
    }

    /// An incident that should climb and does not.
    fn stands_still(&self, id: IncidentId, case: &Case, now: Timestamp) -> Option<String> {
        let policy = self.policies.get(case.policy.as_ref()?)?;
        let is_held = case.answered_by.is_some() && case.must.is_empty();
        let pages = policy.from_severity.is_none_or(|from| case.severity <= from);
        if !case.is_active || !pages || case.is_paused || is_held {
            return None;
        }
        if let Some(until) = case.snoozed_until {
            return (now.since(until) > STEP_GRACE_MS)
                .then(|| format!("{id}: its snooze was to end at {until} and did not"));
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

impl Case {
    fn change(&mut self, event: &Recorded, change: &Change) {
        let by = event.actor.login.as_str();
        match change {
            Change::Acknowledged => self.answered(by),
            Change::HandoverAccepted { to, .. } => self.answered(&to.clone()),
            Change::Snoozed { until, .. } => {
                self.answered(by);
                self.must.clear();
                self.call_back(|_| true);
                self.snoozed_until = Some(*until);
            }
            Change::AckExpired { .. } | Change::SnoozeEnded { .. } => self.again(event.at),
            Change::Reopened { .. } => {
                self.is_active = true;
                self.again(event.at);
            }
            Change::SeverityChanged { to, .. } => {
                if *to < self.severity {
                    self.stepped_at = event.at;
                }
                self.severity = *to;
            }
            Change::PolicyTaken { policy, .. } => {
                self.policy = Some(policy.name.to_string());
                self.stepped_at = event.at;
            }
            Change::LevelReached(reached) => {
                self.stepped_at = event.at;
                let all = reached.mode == crate::domain::words::AckMode::All;
                if all || self.answered_by.is_some() {
                    let pages = reached.pages.iter().filter(|p| p.kind == DeliveryKind::Page);
                    self.must = pages.map(|page| page.to.clone()).collect();
                }
                self.snoozed_until = None;
                self.want(event.at, reached.pages.iter().chain(&reached.fallback));
            }
            Change::LevelSkipped { .. } => self.stepped_at = event.at,
            Change::FallbackPaged { pages, .. } => {
                self.stepped_at = event.at;
                self.want(event.at, pages.iter());
            }
            Change::PagedByHand { pages, .. } | Change::HandoverOffered { pages, .. } => {
                self.want(event.at, pages.iter());
            }
            Change::HandoverRefused { .. } => {
                self.call_back(|wish| wish.kind == DeliveryKind::Handover);
            }
            Change::EscalationPaused { .. } => {
                self.is_paused = true;
                self.call_back(|_| true);
            }
            Change::Resolved { .. }
            | Change::Declined { .. }
            | Change::Closed { .. }
            | Change::ReviewStarted
            | Change::MergedInto { .. }
            | Change::PhaseChanged { to: Phase::Resolved | Phase::Closed, .. } => self.over(),
            Change::Unmerged { .. } => {
                self.is_active = true;
                self.stepped_at = event.at;
            }
            _ => {}
        }
    }

    fn want<'a>(
        &mut self,
        at: Timestamp,
        pages: impl Iterator<Item = &'a crate::domain::delivery::Wanted>,
    ) {
        for page in pages {
            let wish = Wish {
                to: page.to.clone(),
                kind: page.kind,
                at,
                began: None,
                has_ended: false,
                is_off: page.methods.is_empty(),
            };
            self.wanted.insert(page.number, wish);
        }
    }

    fn answered(&mut self, by: &str) {
        self.answered_by = Some(by.to_owned());
        self.snoozed_until = None;
        self.must.remove(by);
        let must = self.must.clone();
        self.call_back(|wish| {
            wish.kind == DeliveryKind::Page && !must.contains(&wish.to)
                || wish.kind == DeliveryKind::Handover && wish.to == by
        });
    }

    fn again(&mut self, at: Timestamp) {
        (self.answered_by, self.snoozed_until, self.stepped_at) = (None, None, at);
        self.must.clear();
    }

    fn over(&mut self) {
        self.is_active = false;
        self.call_back(|wish| wish.kind != DeliveryKind::Update);
    }

    fn call_back(&mut self, which: impl Fn(&Wish) -> bool) {
        for wish in self.wanted.values_mut().filter(|wish| which(wish)) {
            wish.is_off = true;
        }
    }
}
