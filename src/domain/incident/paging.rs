//! How paging changes an incident: levels, pages, answers, snoozes and hand-overs.
//!
//! Invariants: as in `incident`; everything here is total.

use crate::domain::change::{Change, LevelReached, ReachedBy};
use crate::domain::delivery::{AttemptEnd, Delivery, Origin, Wanted};
use crate::domain::escalation::{ByHand, Handover, Pause, Snooze};
use crate::domain::event::{Recorded, Sending};
use crate::domain::time::Timestamp;
use crate::domain::words::{AckMode, DeliveryKind, Via};

use super::{Ack, Incident, Stage};

impl Incident {
    /// The changes that are about paging.
    #[expect(clippy::wildcard_enum_match_arm, reason = "`Incident::change` is the exhaustive list")]
    pub(super) fn paging(&mut self, event: &Recorded, change: &Change) {
        let at = event.at;
        match change {
            Change::PolicyTaken { policy, .. } => {
                let before = self.esc.policy.replace(policy.clone());
                self.esc.fired.clear();
                self.esc.by_hand.clear();
                // Levels of another policy are other levels: who was not reached yet is reached now.
                if before.is_none_or(|before| before.name != policy.name) && self.ack.is_none() {
                    self.esc.restart(at, "it follows another policy");
                }
            }
            Change::LevelReached(reached) => self.level_reached(at, reached),
            Change::LevelSkipped { level, round, counts, may_hold, .. } => {
                self.level_skipped(at, (*level, *round), *counts);
                if *may_hold {
                    self.esc.passed.insert(*level);
                } else {
                    self.esc.passed.remove(level);
                }
            }
            Change::FallbackPaged { pages, everybody, .. } => {
                self.esc.anchor = at;
                self.esc.by_hand.clear();
                self.esc.waits = None;
                self.esc.fell_back(pages, *everybody);
                self.want(at, pages, Origin { level: None, late_ms: 0, by_hand: false });
            }
            Change::PagedByHand { pages, lost, .. } => {
                // Whoever comes on duty is wanted by the clock: they wait for one message with others.
                let by_hand = event.actor.via != Via::Timer;
                self.want(at, pages, Origin { by_hand, ..Origin::HAND });
                self.esc.follow(lost, pages);
            }
            Change::CalledBack { deliveries, pages, .. } => {
                self.called_back(at, deliveries);
                self.inform(at, pages);
            }
            Change::AckExpired { by, gone, .. } => self.expired(at, by, *gone),
            Change::Snoozed { until, reason } => self.snoozed(event, *until, reason),
            Change::SnoozeEnded { .. } => self.snooze_ended(at),
            Change::HandoverOffered { from, to, brief, pages } => {
                self.cancel_handover(at);
                let (from, to, brief) = (from.clone(), to.clone(), brief.clone());
                let by_clock = event.actor.via == Via::Timer;
                self.esc.handover = Some(Handover { from, to, at, brief, by_clock });
                self.want(at, pages, Origin::HAND);
            }
            Change::HandoverAccepted { to, .. } => {
                self.ack = Some(Ack { by: to.clone(), at: event.when() });
                (self.esc.handover, self.esc.snooze) = (None, None);
                self.esc.must.clear();
                self.answer_pages(to, at);
            }
            Change::HandoverRefused { .. } => {
                self.cancel_handover(at);
            }
            Change::AnswersDropped { people } => self.nobody_waits_for(at, people),
            Change::BegunAnew { why } => self.esc.restart(at, why),
            Change::EscalationPaused { window, .. } => self.pause(at, *window),
            Change::EscalationResumed { window, by_hand } => {
                let part = "the maintenance does not cover all of it";
                let why = if *by_hand { "escalated by hand" } else { part };
                self.resume(at, *window, why);
                self.esc.overrides.extend(by_hand.then_some(*window));
            }
            _ => {}
        }
    }

    fn snoozed(&mut self, event: &Recorded, until: Timestamp, reason: &str) {
        let (by, reason) = (event.actor.login.clone(), reason.to_owned());
        self.ack.get_or_insert_with(|| Ack { by: by.clone(), at: event.when() });
        self.esc.must.clear();
        self.answer_pages(&by, event.at);
        self.esc.snooze = Some(Snooze { by, until, reason });
    }

    /// Whoever snoozed it themselves put off their own answer; what somebody else held they hold on.
    fn snooze_ended(&mut self, at: Timestamp) {
        let by = self.esc.snooze.as_ref().map(|snooze| snooze.by.clone());
        if self.ack.as_ref().is_some_and(|ack| by.is_some_and(|by| ack.by != by)) {
            self.esc.snooze = None;
            self.esc.anchor = at;
            // Their answer does not grow old while nobody waits for it.
            self.worked_at = at;
            return;
        }
        self.ack = None;
        self.esc.restart(at, "the snooze is over");
    }

    /// People who left the plan: their answer is not waited for, and nothing more is sent to them.
    fn nobody_waits_for(&mut self, at: Timestamp, people: &[String]) {
        self.esc.must.retain(|who| !people.contains(who));
        let pages = self.esc.deliveries.iter_mut();
        let is_theirs = |d: &&mut Delivery| {
            d.wanted.kind == DeliveryKind::Page && people.contains(&d.wanted.to)
        };
        pages.filter(is_theirs).for_each(|page| page.cancel(at));
    }

    /// An acknowledgement no longer counts: paging begins anew.
    fn expired(&mut self, at: Timestamp, by: &str, gone: bool) {
        let why = if gone {
            format!("{by}, who answered for it, is in the plan no more")
        } else {
            format!("the acknowledgement of {by} expired")
        };
        self.ack = None;
        self.esc.restart(at, &why);
    }

    /// People are not wanted any more, and their answer is not waited for, unless the policy wants it
    /// too. The chain goes on as if the level that was reached by hand had not been.
    fn called_back(&mut self, at: Timestamp, deliveries: &[u32]) {
        let esc = &mut self.esc;
        let before = esc.before(deliveries).cloned();
        for number in deliveries {
            let Some(delivery) = esc.delivery_mut(*number) else { continue };
            delivery.cancel(at);
            let to = delivery.wanted.to.clone();
            let is_paged = |it: &Delivery| {
                it.is_open() && it.wanted.to == to && it.wanted.kind == DeliveryKind::Page
            };
            if !esc.deliveries.iter().any(is_paged) {
                esc.must.remove(&to);
            }
        }
        let Some(before) = before else { return };
        let kept = esc.by_hand.iter().position(|level| *level == before);
        esc.by_hand.truncate(kept.unwrap_or(0));
        (esc.next, esc.round, esc.anchor) = (before.next, before.round, before.anchor);
        esc.back_at = at;
        (esc.is_forced, esc.is_unreached) = (before.is_forced, before.is_unreached);
        esc.waits = before.waits;
        if esc.by_hand.is_empty() {
            // A window that goes on holds it as before.
            esc.overrides.clear();
        }
        // One that was set since stands.
        let kept = before.snooze.filter(|snooze| snooze.until > at && self.ack.is_some());
        esc.snooze = esc.snooze.take().or(kept);
    }

    /// How it stands once these deliveries were called back.
    #[must_use]
    pub fn after_call_back(&self, at: Timestamp, deliveries: &[u32]) -> Self {
        let mut then = self.clone();
        then.called_back(at, deliveries);
        then
    }

    /// What people wanted by hand and that was not answered: pages, and words to a level that is
    /// informed.
    pub fn wanted_by_hand(&self) -> impl Iterator<Item = &Delivery> {
        let is_of_chain = |it: &&Delivery| match it.wanted.kind {
            DeliveryKind::Page => true,
            DeliveryKind::Inform => it.origin.level.is_some(),
            DeliveryKind::Handover | DeliveryKind::Update => false,
        };
        let open = self.esc.deliveries.iter().filter(|it| it.origin.by_hand && it.is_open());
        open.filter(is_of_chain)
    }

    /// Words for information, to people of ours.
    pub(super) fn inform(&mut self, at: Timestamp, pages: &[Wanted]) {
        self.want(at, pages, Origin { level: None, late_ms: 0, by_hand: true });
    }

    /// The delivery of a number: a page, or a message to a stakeholder.
    pub fn delivery(&self, number: u32) -> Option<&Delivery> {
        let letter = || self.talk.letters.get(&number).map(|letter| &letter.delivery);
        self.esc.delivery(number).or_else(letter)
    }

    /// Everything that is to be sent, or is on its way.
    pub fn deliveries(&self) -> impl Iterator<Item = &Delivery> {
        let letters = self.talk.letters.values().map(|letter| &letter.delivery);
        self.esc.deliveries.iter().chain(letters)
    }

    fn want(&mut self, at: Timestamp, pages: &[Wanted], origin: Origin) {
        let deliveries = pages.iter().map(|wanted| Delivery::new(wanted.clone(), origin, at));
        self.esc.want(deliveries);
    }

    fn level_skipped(&mut self, at: Timestamp, (level, round): (u16, u8), counts: bool) {
        let esc = &mut self.esc;
        if counts {
            esc.held.insert(level);
            esc.counted = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
            esc.counted_at = at;
        }
        if level >= esc.next || round > esc.round {
            if self.ack.is_none() {
                esc.wait_for(level, &[]);
            }
            esc.next = level.saturating_add(1);
            (esc.round, esc.anchor) = (round, at);
            esc.by_hand.clear();
        }
    }

    fn level_reached(&mut self, at: Timestamp, reached: &LevelReached) {
        let is_held = self.ack.is_some();
        if let ReachedBy::Trigger(index) = reached.by {
            self.esc.fired.insert(index);
        }
        // Beside a chain that climbs anyway, a trigger does not move it; where somebody holds the
        // incident, what follows is the level above the one that the trigger reached.
        // Where a person reached nobody, or only told those of a level, the levels between are still to
        // come.
        let is_step = match reached.by {
            ReachedBy::Clock => true,
            ReachedBy::Hand => reached.pages.iter().any(|page| page.kind == DeliveryKind::Page),
            ReachedBy::Count | ReachedBy::Trigger(_) => is_held,
        };
        if is_step {
            self.remember_by_hand(reached);
        }
        self.esc.is_forced |= reached.by == ReachedBy::Hand;
        self.esc.held.remove(&reached.level);
        self.esc.passed.remove(&reached.level);
        if !reached.fallback.is_empty() {
            self.esc.fell_back(&reached.fallback, false);
        }
        if is_step {
            self.esc.next = reached.level.saturating_add(1);
            (self.esc.round, self.esc.anchor) = (reached.round, at);
            self.esc.is_unreached = reached.pages.is_empty();
            self.esc.wait_for(reached.level, &reached.pages);
            self.esc.fell |= !reached.fallback.is_empty();
            if reached.pages.is_empty() {
                self.esc.nobody.insert(reached.level);
            }
        }
        if !is_step {
            self.esc.wait_before(&reached.pages);
        }
        self.esc.firing_then = u32::try_from(self.firing()).unwrap_or(u32::MAX);
        self.esc.severity_then = Some(self.severity);
        let wanted = || reached.pages.iter().chain(&reached.fallback);
        let pages = || wanted().filter(|page| page.kind == DeliveryKind::Page);
        let is_extra = reached.by != ReachedBy::Clock && is_held;
        if is_extra || reached.mode == AckMode::All {
            let holder = self.ack.as_ref().map(|ack| ack.by.clone());
            let missing = pages()
                .map(|page| page.to.clone())
                .filter(|to| !to.contains(':') && holder.as_ref() != Some(to));
            let before = self.esc.must.len();
            self.esc.must.extend(missing);
            if self.esc.must.len() > before {
                self.esc.must_all = reached.mode == AckMode::All;
            }
        }
        if reached.by == ReachedBy::Hand && self.esc.snooze.take().is_some() {
            "escalated by hand".clone_into(&mut self.esc.again);
        }
        let (late_ms, by_hand) = (reached.late_ms, reached.by == ReachedBy::Hand);
        self.want(at, &reached.pages, Origin { level: Some(reached.level), late_ms, by_hand });
        self.want(at, &reached.fallback, Origin { level: None, late_ms, by_hand: false });
    }

    /// What a person changes about the chain can be taken back until something else moves it.
    fn remember_by_hand(&mut self, reached: &LevelReached) {
        if reached.by != ReachedBy::Hand {
            return self.esc.by_hand.clear();
        }
        let esc = &self.esc;
        let level = ByHand {
            deliveries: reached.pages.iter().map(|page| page.number).collect(),
            next: esc.next,
            round: esc.round,
            anchor: esc.anchor,
            is_forced: esc.is_forced,
            is_unreached: esc.is_unreached,
            waits: esc.waits.clone(),
            snooze: esc.snooze.clone(),
        };
        self.esc.by_hand.push(level);
    }

    /// Somebody answered: all that is on its way is called back, but for those whose own answer is
    /// still waited for.
    pub(super) fn answer_pages(&mut self, by: &str, at: Timestamp) {
        let esc = &mut self.esc;
        if esc.must.contains(by) && !esc.must_all {
            esc.must.clear();
        } else {
            esc.must.remove(by);
        }
        (esc.is_unreached, esc.fallback) = (false, None);
        // Whoever takes it themselves ends an offer that another made; whoever only helps does not.
        let takes_it = self.ack.as_ref().is_none_or(|ack| ack.by == by);
        if takes_it && self.esc.handover.as_ref().is_some_and(|offer| offer.from != by) {
            self.cancel_handover(at);
        }
        let esc = &mut self.esc;
        let must = std::mem::take(&mut esc.must);
        let offered = esc.handover.as_ref().map(|handover| handover.to.clone());
        for delivery in &mut esc.deliveries {
            let to = &delivery.wanted.to;
            let is_offer = delivery.wanted.kind == DeliveryKind::Handover
                && offered.as_ref() == Some(to)
                && to != by;
            let is_told =
                matches!(delivery.wanted.kind, DeliveryKind::Inform | DeliveryKind::Update);
            if !must.contains(to) && !is_offer && !is_told {
                delivery.answered(by, at);
            }
        }
        esc.must = must;
    }

    fn cancel_handover(&mut self, at: Timestamp) {
        self.esc.handover = None;
        let offers = self.esc.deliveries.iter_mut();
        for offer in offers.filter(|d| d.wanted.kind == DeliveryKind::Handover) {
            offer.cancel(at);
        }
    }

    /// It is over, or no longer its own: nothing more is sent for it.
    pub(super) fn stand_down(&mut self, at: Timestamp) {
        let esc = &mut self.esc;
        (esc.handover, esc.snooze, esc.pause) = (None, None, None);
        esc.must.clear();
        esc.is_unreached = false;
        self.call_back(at);
    }

    /// Calls back what is on its way, but for what stakeholders were promised, and for the word that
    /// a promise or a limit of the law was not kept: that holds in a pause and after the end as well.
    fn call_back(&mut self, at: Timestamp) {
        let (is_live, is_offered) = (self.phase().is_live(), self.esc.handover.is_some());
        let is_kept = |delivery: &Delivery| match delivery.wanted.kind {
            DeliveryKind::Update => true,
            DeliveryKind::Inform => is_live && delivery.origin.level.is_none(),
            // An offer stands while there is one.
            DeliveryKind::Handover => is_live && is_offered,
            DeliveryKind::Page => false,
        };
        for delivery in self.esc.deliveries.iter_mut().filter(|delivery| !is_kept(delivery)) {
            delivery.cancel(at);
        }
    }

    pub(super) fn pause(&mut self, at: Timestamp, window: u32) {
        self.esc.pause = Some(Pause { window, since: at });
        self.call_back(at);
    }

    /// The window is over: what was due meanwhile is due from here on.
    pub(super) fn resume(&mut self, at: Timestamp, window: u32, why: &str) {
        let pause = self.esc.pause.as_ref().filter(|pause| pause.window == window);
        if let Some(since) = pause.map(|pause| pause.since) {
            self.esc.pause = None;
            if self.ack.is_none() {
                // What a trigger had reached was called back: it comes again where it still holds.
                self.esc.fired.clear();
                self.esc.restart(at, why);
                return;
            }
            self.esc.anchor = at;
            // Their answer does not grow old while nobody waits for it.
            self.worked_at = self.worked_at.max(at);
            // Whose own answer is waited for is asked for it again.
            let must = &self.esc.must;
            let pages = self.esc.deliveries.iter_mut().filter(|page| {
                page.wanted.kind == DeliveryKind::Page && must.contains(&page.wanted.to)
            });
            pages.for_each(|page| page.revive(since, at));
        }
    }

    /// The wall clock moved: what is counted from a time by the wrong clock is counted from as much
    /// earlier or later, so that each wait lasts as long as it was to last. What was said to the
    /// outside (the next word, a limit of the law) holds by the wall clock.
    pub(super) fn clock_moved(&mut self, by_ms: i64) {
        self.esc.anchor = self.esc.anchor.plus(by_ms);
        self.esc.back_at = self.esc.back_at.plus(by_ms);
        self.esc.counted_at = self.esc.counted_at.plus(by_ms);
        if let Some(pause) = &mut self.esc.pause {
            pause.since = pause.since.plus(by_ms);
        }
        self.members.values_mut().for_each(|member| member.seen = member.seen.plus(by_ms));
        for level in &mut self.esc.by_hand {
            level.anchor = level.anchor.plus(by_ms);
            if let Some(snooze) = &mut level.snooze {
                snooze.until = snooze.until.plus(by_ms);
            }
        }
        if let Some(snooze) = &mut self.esc.snooze {
            snooze.until = snooze.until.plus(by_ms);
        }
        self.worked_at = self.worked_at.plus(by_ms);
        if let Some(ack) = &mut self.ack {
            ack.at = ack.at.plus(by_ms);
        }
        for delivery in &mut self.esc.deliveries {
            delivery.clock_moved(by_ms);
        }
        // What comes next counts from what was said; the time that was promised is the promise.
        for told in self.told.values_mut() {
            told.at = told.at.plus(by_ms);
            told.promised_at = told.promised_at.map(|at| at.plus(by_ms));
        }
        self.talk.clock_moved(by_ms);
        if let Stage::Resolved(end) | Stage::InReview(end) = &mut self.stage {
            end.at = end.at.plus(by_ms);
        }
        // Better told twice than never.
        if by_ms < 0 {
            self.legal.warned.values_mut().for_each(|at| *at = at.plus(by_ms));
        }
    }

    pub(super) fn sending_began(&mut self, at: Timestamp, items: &[Sending]) {
        for item in items.iter().filter(|item| item.incident == self.id) {
            if let Some(delivery) = self.esc.delivery_mut(item.delivery) {
                delivery.begin(at);
            }
            self.talk.with_letter(item.delivery, |delivery| delivery.begin(at));
        }
    }

    pub(super) fn sending_ended(
        &mut self,
        event: &Recorded,
        items: &[Sending],
        end: &AttemptEnd<'_>,
    ) {
        for item in items.iter().filter(|item| item.incident == self.id) {
            let seed = u64::from(self.id.0) << 32 | u64::from(item.delivery);
            if let Some(delivery) = self.esc.delivery_mut(item.delivery) {
                delivery.end(event.at, end, seed);
            }
            self.talk.with_letter(item.delivery, |delivery| delivery.end(event.at, end, seed));
        }
    }
}
