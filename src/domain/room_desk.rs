//! How single facts change what the room knows of paging; `room::evolve` says which come here.
//!
//! Invariants: total, like `evolve`.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::alert::{Alert, Held};
use crate::domain::change::{Change, LevelReached};
use crate::domain::decide::due::turn_key;
use crate::domain::delivery::{AttemptEnd, Delivery, Origin, Wanted, channel_of};
use crate::domain::duty::{Beat, Destination, Notice, WindowStage};
use crate::domain::event::{AlertItem, Body, Recorded, Sending};
use crate::domain::ids::{BESIDE, IncidentId};
use crate::domain::incident::Incident;
use crate::domain::outbox;
use crate::domain::plan::Plan;
use crate::domain::room::Room;
use crate::domain::silence::{Stage, forget_ended};
use crate::domain::talk::TOGETHER_MS;
use crate::domain::talk::change::Look;
use crate::domain::talk::page::PageDown;
use crate::domain::throttle::remembered;
use crate::domain::time::{DAY_MS, Timestamp};
use crate::domain::words::{AttemptResult, Severity};

/// Covers that are over for so long are let go, in milliseconds.
const COVERS_KEPT_MS: i64 = 35 * DAY_MS;

impl Room {
    pub(crate) fn plan_adopted(&mut self, at: Timestamp, plan: &Plan, digest: &str) {
        let holidays = self.plan.holidays != plan.holidays;
        for (name, schedule) in &plan.schedules {
            if holidays || self.plan.schedules.get(name) != Some(schedule) {
                self.desk.revisions.insert(name.clone(), self.seq);
            }
        }
        self.desk.revisions.retain(|name, _| plan.schedules.contains_key(name));
        self.desk.take_people(&self.plan, plan, at);
        for incident in self.incidents.values_mut().filter(|it| it.phase().is_live()) {
            let same = Arc::clone(incident);
            join(incident, (&same, plan), &self.plan, at);
        }
        self.plan = plan.clone();
        digest.clone_into(&mut self.plan_digest);
        let in_use: BTreeSet<Box<str>> = self
            .incidents
            .values()
            .filter_map(|incident| Some(incident.esc.policy.as_ref()?.digest.clone()))
            .collect();
        self.desk.take_plan(plan, at, &in_use);
        self.rebuild_index_keeping_commands();
    }

    /// What is broken is about to be another thing, or of another kind: whom it concerns only then
    /// must know from then on.
    pub(crate) fn concern_changed(&mut self, at: Timestamp, id: IncidentId, change: &Change) {
        let Some(incident) = self.incidents.get_mut(&id).filter(|it| it.phase().is_live()) else {
            return;
        };
        let mut then = incident.as_ref().clone();
        then.concern(change);
        join(incident, (&then, &self.plan), &self.plan, at);
    }

    /// Who was paged in turn, so that the next one is another.
    pub(crate) fn take_turn(&mut self, id: IncidentId, reached: &LevelReached) {
        let Some(incident) = self.incidents.get(&id) else { return };
        if let [only] = reached.pages.as_slice() {
            let key = turn_key(incident, &reached.name);
            self.desk.turns.insert(key, only.to.clone());
        }
    }

    /// What was taken by a destination makes the next one wait.
    pub(crate) fn sending_ended(
        &mut self,
        at: Timestamp,
        to: &str,
        method: &str,
        items: &[Sending],
        result: AttemptResult,
    ) {
        if !matches!(result, AttemptResult::Accepted | AttemptResult::HandedOver) {
            return;
        }
        let destination = Destination { to: to.to_owned(), method: method.to_owned() };
        let is_beside = items.iter().all(|item| item.incident == BESIDE);
        if destination.is_stakeholder() || is_beside {
            return; // Neither waits for a bundle, nor has a page wait for it.
        }
        let incidents = || items.iter().filter_map(|item| self.incidents.get(&item.incident));
        let services: BTreeSet<String> =
            incidents().flat_map(|it| outbox::services_of(it)).collect();
        let severities: BTreeSet<Severity> = incidents().map(|it| it.severity).collect();
        let throttles = self.plan.throttles.get(channel_of(&destination.method));
        let keep = throttles.map_or(0, |list| remembered(list));
        let sent = self.desk.sent.entry(destination).or_default();
        sent.note(at, severities.into_iter(), services.into_iter(), keep);
    }

    /// A wall clock that moved takes along what was counted by it.
    pub(crate) fn clock_jumped(&mut self, by_ms: i64) {
        for sent in self.desk.sent.values_mut() {
            sent.at = sent.at.plus(by_ms);
            sent.services.values_mut().for_each(|at| *at = at.plus(by_ms));
            sent.severities.values_mut().for_each(|at| *at = at.plus(by_ms));
            sent.recent.iter_mut().for_each(|at| *at = at.plus(by_ms));
        }
        for name in self.desk.beats.keys().cloned().collect::<Vec<_>>() {
            if let Some(beat) = self.desk.beats.get(&name).copied() {
                self.set_beat(&name, Beat { at: beat.at.plus(by_ms), ..beat });
            }
        }
        for notice in self.desk.notices.values_mut() {
            self.outbox.remove_letter(BESIDE, &notice.delivery);
            notice.delivery.clock_moved(by_ms);
            self.outbox.add_letter(BESIDE, &notice.delivery);
        }
        self.alerts_wait_on(by_ms);
        self.clock_moved_elsewhere(by_ms);
        self.desk.left.values_mut().for_each(|at| *at = at.plus(by_ms));
        if by_ms >= 0 {
            return;
        }
        // One that began by a clock that was ahead may not last longer for that; an end that somebody
        // gave as a time of day stays that time when the clock jumps ahead.
        for silence in self.desk.silences.values_mut().filter(|s| s.stage == Stage::Active) {
            silence.until = silence.until.plus(by_ms);
        }
        for window in self.desk.windows.values_mut().filter(|w| w.stage == WindowStage::Open) {
            (window.from, window.until) = (window.from.plus(by_ms), window.until.plus(by_ms));
        }
        self.desk.shifts_seen.values_mut().for_each(|at| *at = at.plus(by_ms));
    }

    /// Alerts stay aside, and are watched, for as long as they were to be.
    fn alerts_wait_on(&mut self, by_ms: i64) {
        let waits = |alert: &Alert| {
            alert.shelf.is_some() || alert.flap.is_some() || alert.ends_at.is_some()
        };
        let at = self.at;
        let waiting = self.alerts.iter().filter(|(_, alert)| waits(alert));
        for key in waiting.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            self.unindex_alert(&key);
            if let Some(alert) = self.alerts.get_mut(&key).map(Arc::make_mut) {
                if let Some(shelf) = &mut alert.shelf
                    && (by_ms < 0 || shelf.silence.is_none())
                {
                    shelf.until = shelf.until.plus(by_ms);
                }
                if let Some(flap) = &mut alert.flap {
                    flap.last_change = flap.last_change.plus(by_ms);
                }
                // By the sender's clock, which may be right: later is safe, earlier is not. But what
                // nobody works on any more is not to be silent for as long as a clock was ahead.
                let is_left = alert.incident.is_none() && alert.is_answered;
                alert.ends_at = alert.ends_at.map(|ends| match ends.plus(by_ms) {
                    later if by_ms > 0 => later,
                    earlier if is_left => ends.min(earlier.max(at.plus(DAY_MS))),
                    _ => ends,
                });
            }
            self.index_alert(&key);
        }
    }

    /// The facts that only the desk keeps.
    #[expect(clippy::wildcard_enum_match_arm, reason = "`evolve` is the exhaustive list")]
    pub(crate) fn desk_changed(&mut self, event: &Recorded) {
        let desk = &mut self.desk;
        match &event.body {
            Body::PeopleTold { subject, text, letters, together, look } => {
                self.people_told(event.at, letters, (subject, text), (*together, *look));
            }
            Body::SendingBegan { items, .. } => {
                self.notices_went(items, &|delivery, _| delivery.begin(event.at));
            }
            Body::SendingEnded { items, result, detail, wait_ms, .. } => {
                let end = AttemptEnd { result: *result, detail, wait_ms: *wait_ms };
                self.notices_went(items, &|delivery, seed| delivery.end(event.at, &end, seed));
            }
            Body::ShiftChanged { schedule, left, .. } => {
                desk.shift_changed(&self.plan, schedule, left, event.at);
            }
            Body::ShiftCovered { schedule, cover } => {
                desk.last_change = desk.last_change.max(cover.id);
                desk.revisions.insert(schedule.clone(), event.seq);
                let changes = desk.changes.entry(schedule.clone()).or_default();
                changes.covers.retain(|old| event.at.since(old.until) < COVERS_KEPT_MS);
                changes.covers.push(cover.clone());
            }
            Body::CoverRevoked { schedule, cover } => {
                desk.revisions.insert(schedule.clone(), event.seq);
                if let Some(changes) = desk.changes.get_mut(schedule) {
                    changes.revoked.retain(|old| event.at.since(old.until) < COVERS_KEPT_MS);
                    if let Some(at) = changes.covers.iter().position(|known| known.id == *cover) {
                        changes.revoked.push(changes.covers.remove(at));
                    }
                }
            }
            Body::SwapAsked { schedule, swap } => {
                desk.last_change = desk.last_change.max(swap.id);
                desk.changes.entry(schedule.clone()).or_default().swaps.push(swap.clone());
            }
            Body::SwapAnswered { schedule, swap, accepted } => {
                desk.answer_swap(schedule, *swap, *accepted, (event.at, event.seq));
            }
            Body::WindowPlanned { window } => desk.plan_window(window),
            Body::WindowPublished { window, forced } => {
                desk.publish_window(*window, &event.actor.login, forced.as_ref());
            }
            Body::WindowBegan { window, .. } => self.set_window(*window, WindowStage::Open),
            Body::WindowEnded { window, .. } => {
                if let Some(window) = desk.windows.get_mut(window) {
                    window.ended_at.get_or_insert(event.at);
                }
                self.set_window(*window, WindowStage::Over);
            }
            Body::HeartbeatReceived { name } => {
                let counts = self.sources.entry(format!("heartbeat/{name}")).or_default();
                (counts.beats, counts.last_at) = (counts.beats + 1, Some(event.at));
                let beat = Beat::heard(event.at, self.desk.beats.get(name));
                self.set_beat(name, beat);
            }
            Body::SilenceMade { silence } => {
                desk.last_silence = desk.last_silence.max(silence.id);
                desk.silences.insert(silence.id, (**silence).clone());
                forget_ended(&mut desk.silences, event.at);
            }
            Body::SilenceBegan { silence, alerts } => {
                self.silence_began(event.at, *silence, alerts);
            }
            Body::SilenceEnded { silence, early } => self.silence_ended(event, *silence, *early),
            Body::StatusPage { fault, shown } => self.page_is(event.at, fault.as_deref(), *shown),
            Body::AuditFound { findings } => desk.findings.clone_from(findings),
            _ => {}
        }
    }

    /// The status page came to show what was said, or does not: whoever reads nothing else was told, or
    /// was not.
    fn page_is(&mut self, at: Timestamp, fault: Option<&str>, shown: Option<Timestamp>) {
        let before = self.desk.page_down;
        self.desk.page_fault = fault.map(str::to_owned);
        self.desk.page_down = fault.map(|_| PageDown {
            at: before.map_or(at, |before| before.at),
            shown: shown.or(before.and_then(|before| before.shown)),
        });
        for id in self.on_the_page() {
            self.unindex_incident(id);
            if let Some(incident) = self.incidents.get_mut(&id) {
                Arc::make_mut(incident).talk.page_down = self.desk.page_down;
            }
            self.index_incident(id);
        }
    }

    /// Incidents of which somebody reads on the status page.
    pub fn on_the_page(&self) -> Vec<IncidentId> {
        let is_on_it = |(_, incident): &(&IncidentId, &Arc<Incident>)| {
            incident.talk.proofs.values().any(|proof| proof.published)
        };
        self.incidents.iter().filter(is_on_it).map(|(id, _)| *id).collect()
    }

    /// Words that belong to no incident are wanted.
    fn people_told(
        &mut self,
        at: Timestamp,
        letters: &[Wanted],
        (subject, text): (&str, &str),
        (together, look): (bool, Option<Look>),
    ) {
        for wanted in letters {
            self.desk.last_notice = self.desk.last_notice.max(wanted.number);
            let mut delivery = Delivery::new(wanted.clone(), Origin::HAND, at);
            if together {
                delivery.wait(TOGETHER_MS);
            }
            self.outbox.add_letter(BESIDE, &delivery);
            let (subject, text) = (subject.to_owned(), text.to_owned());
            let notice = Notice { delivery, subject, text, together, look };
            self.desk.notices.insert(wanted.number, notice);
        }
        self.desk.forget_notices();
    }

    /// Words that belong to no incident are on their way, or arrived.
    fn notices_went(&mut self, items: &[Sending], change: &dyn Fn(&mut Delivery, u64)) {
        for item in items.iter().filter(|item| item.incident == BESIDE) {
            let Some(notice) = self.desk.notices.get_mut(&item.delivery) else { continue };
            self.outbox.remove_letter(BESIDE, &notice.delivery);
            change(&mut notice.delivery, u64::from(item.delivery));
            self.outbox.add_letter(BESIDE, &notice.delivery);
        }
    }

    fn silence_began(&mut self, at: Timestamp, id: u32, alerts: &[String]) {
        let Some(silence) = self.desk.silences.get_mut(&id) else { return };
        silence.stage = Stage::Active;
        if !alerts.is_empty() {
            silence.matched += alerts.len() as u64;
            silence.last_matched = Some(at);
        }
        let aside = silence.shelf(None);
        for key in alerts {
            self.unindex_alert(key);
            if let Some(alert) = self.alerts.get_mut(key).map(Arc::make_mut) {
                alert.shelf.get_or_insert_with(|| aside.clone());
            }
            self.index_alert(key);
        }
    }

    /// What it put aside is due from now on.
    fn silence_ended(&mut self, event: &Recorded, id: u32, early: bool) {
        let Some(silence) = self.desk.silences.get_mut(&id) else { return };
        let early = early.then(|| event.actor.login.clone());
        silence.stage = Stage::Ended { at: event.at, early };
        let is_its = |alert: &Alert| alert.shelf.as_ref().is_some_and(|s| s.silence == Some(id));
        let its = self.alerts.iter().filter(|(_, alert)| is_its(alert));
        for key in its.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            self.unindex_alert(&key);
            if let Some(shelf) =
                self.alerts.get_mut(&key).map(Arc::make_mut).and_then(|alert| alert.shelf.as_mut())
            {
                shelf.until = shelf.until.min(event.at);
            }
            self.index_alert(&key);
        }
    }

    /// An alert that begins to fire under a silence.
    pub(crate) fn alert_silenced(
        &mut self,
        at: Timestamp,
        source: &str,
        group: Option<&String>,
        item: &AlertItem,
        keep: usize,
    ) {
        self.alert_fired(at, (source, group), item, keep);
        let Some(silence) = item.silence.and_then(|id| self.desk.silences.get_mut(&id)) else {
            return;
        };
        silence.matched += 1;
        silence.last_matched = Some(at);
        let facts = item.facts.as_deref().cloned().unwrap_or_default();
        let aside = silence.shelf(Some(Held { facts, group: group.cloned() }));
        if let Some(alert) = self.alerts.get_mut(&item.alert).map(Arc::make_mut) {
            alert.shelf = Some(aside);
        }
    }

    fn set_window(&mut self, id: u32, stage: WindowStage) {
        if let Some(window) = self.desk.windows.get_mut(&id) {
            window.stage = stage;
        }
        self.desk.forget_windows();
    }
}

/// Those whom an incident concerns as it is `then`, and did not before, must know of it from now on.
fn join(incident: &mut Arc<Incident>, then: (&Incident, &Plan), before: &Plan, at: Timestamp) {
    let (then, plan) = then;
    let did = |who: &String| before.stakeholders.get(who).is_some_and(|it| it.cares(incident));
    let new: Vec<String> =
        plan.audience_of(then).map(|(who, _)| who).filter(|who| !did(who)).cloned().collect();
    if !new.is_empty() {
        Arc::make_mut(incident).talk.joined.extend(new.into_iter().map(|who| (who, at)));
    }
}
