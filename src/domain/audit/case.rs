//! What happens to one incident, as the auditor sees it.
//!
//! Invariants:
//! - Nothing here asks the engine: each rule is written down a second time.

use std::collections::{BTreeMap, BTreeSet};

use super::{Case, Over, STEP_GRACE_MS, Wish};
use crate::domain::change::{Change, LevelReached, ReachedBy};
use crate::domain::delivery::Wanted;
use crate::domain::event::Recorded;
use crate::domain::legal::LegalChange;
use crate::domain::talk::change::TalkChange;
use crate::domain::time::Timestamp;
use crate::domain::words::{DeliveryKind, Phase};

impl Case {
    pub(super) fn change(&mut self, event: &Recorded, change: &Change) {
        let by = event.actor.login.as_str();
        match change {
            Change::Acknowledged => self.acknowledged(by),
            Change::HandoverAccepted { to, .. } => {
                self.must.clear();
                self.is_unsure = false;
                self.answered(&to.clone());
            }
            Change::Snoozed { until, .. } => {
                // Whoever held it before still does.
                let holder = self.answered_by.clone().unwrap_or_else(|| by.to_owned());
                self.must.clear();
                self.answered(&holder);
                self.is_snoozed_by_other = holder != by;
                self.snoozed_until = Some(*until);
            }
            Change::SnoozeEnded { .. } if self.is_snoozed_by_other => {
                (self.snoozed_until, self.is_snoozed_by_other) = (None, false);
                (self.worked_at, self.stepped_at) = (event.at, event.at);
            }
            Change::AckExpired { .. } | Change::SnoozeEnded { .. } | Change::BegunAnew { .. } => {
                self.again(event.at);
            }
            Change::Reopened { .. } => {
                (self.is_active, self.is_forced) = (true, false);
                self.again(event.at);
            }
            Change::SeverityChanged { to, .. } => {
                if *to < self.severity {
                    self.stepped_at = event.at;
                }
                self.severity = *to;
            }
            Change::PolicyTaken { policy, .. } => {
                self.policy = Some(policy.digest.to_string());
                self.stepped_at = event.at;
            }
            Change::LevelReached(reached) => self.level_reached(event.at, reached),
            Change::LevelSkipped { .. } => self.stepped_at = event.at,
            Change::FallbackPaged { pages, .. } => {
                self.stepped_at = event.at;
                self.want(event.at, pages.iter());
            }
            Change::PagedByHand { pages, .. } => self.want(event.at, pages.iter()),
            Change::HandoverOffered { from, pages, .. } => {
                self.call_back(|wish| wish.kind == DeliveryKind::Handover);
                self.offered_by = Some(from.clone());
                self.want(event.at, pages.iter());
            }
            other => self.ended(event, other),
        }
    }

    fn level_reached(&mut self, at: Timestamp, reached: &LevelReached) {
        self.stepped_at = at;
        self.is_forced |= reached.by == ReachedBy::Hand;
        let all = reached.mode == crate::domain::words::AckMode::All;
        let is_extra = self.answered_by.is_some() && reached.by != ReachedBy::Clock;
        if all || is_extra {
            let pages = reached.pages.iter().chain(&reached.fallback);
            let pages = pages.filter(|p| p.kind == DeliveryKind::Page);
            let holder = self.answered_by.clone().filter(|_| !self.is_unsure);
            let before = self.must.len();
            self.must.extend(
                pages
                    .map(|page| page.to.clone())
                    .filter(|to| !to.contains(':') && holder.as_ref() != Some(to)),
            );
            if self.must.len() > before {
                self.must_all = all;
            }
        }
        if reached.by == ReachedBy::Hand {
            self.snoozed_until = None;
        }
        self.want(at, reached.pages.iter().chain(&reached.fallback));
        for page in &reached.pages {
            if let Some(wish) = self.wanted.get_mut(&page.number) {
                wish.is_level = true;
            }
        }
    }

    /// What is told besides pages, what calls deliveries back, what ends the whole.
    pub(super) fn ended(&mut self, event: &Recorded, change: &Change) {
        match change {
            Change::Talk(talk) => match &**talk {
                TalkChange::Sent(sent) => {
                    self.want(event.at, sent.letters.iter().map(|letter| &letter.wanted));
                }
                TalkChange::LettersAdded { letters, .. } => {
                    self.want(event.at, letters.iter().map(|letter| &letter.wanted));
                }
                TalkChange::Missed { pages, .. }
                | TalkChange::SomeLost { pages, .. }
                | TalkChange::WordLost { pages, .. } => {
                    self.want_a_word(event.at, pages);
                }
                _ => {}
            },
            Change::Legal(legal) => {
                if let LegalChange::Warned { pages, .. } | LegalChange::RuleGone { pages, .. } =
                    &**legal
                {
                    self.want_a_word(event.at, pages);
                }
            }
            Change::CalledBack { deliveries, pages, unforced, snoozed_until, .. } => {
                self.called_back(deliveries);
                self.is_forced &= !unforced;
                self.snoozed_until = snoozed_until.or(self.snoozed_until);
                self.stepped_at = event.at;
                // Who is not wanted any more by a person's word leaves the chain to its own times.
                self.old = self.wanted.keys().next_back().copied().unwrap_or(self.old);
                self.want_a_word(event.at, pages);
            }
            Change::HandoverRefused { .. } => {
                self.call_back(|wish| wish.kind == DeliveryKind::Handover);
            }
            Change::AnswersDropped { people } => {
                self.must.retain(|who| !people.contains(who));
                self.call_back(|w| w.kind == DeliveryKind::Page && people.contains(&w.to));
            }
            Change::EscalationResumed { .. } => {
                self.is_paused = false;
                self.back_from_pause(event.at);
            }
            Change::EscalationPaused { .. } => {
                self.is_paused = true;
                self.pause();
            }
            Change::Resolved { .. }
            | Change::ReviewStarted
            | Change::PhaseChanged { to: Phase::Resolved, .. } => {
                (self.is_active, self.is_paused) = (false, false);
                self.call_back(Wish::is_for_the_chain);
            }
            Change::Declined { .. }
            | Change::Closed { .. }
            | Change::PhaseChanged { to: Phase::Closed, .. } => self.over(),
            Change::MergedInto { .. } => {
                self.was_active = self.is_active;
                self.over();
            }
            Change::Unmerged { .. } => {
                self.is_active = self.was_active;
                self.stepped_at = event.at;
            }
            _ => {}
        }
    }

    /// People who were wanted by hand are not; whom the policy wants too is waited for still.
    fn called_back(&mut self, deliveries: &[u32]) {
        for number in deliveries {
            let Some(wish) = self.wanted.get_mut(number) else { continue };
            wish.is_off = true;
            let to = wish.to.clone();
            let is_paged =
                |wish: &&Wish| wish.to == to && wish.kind == DeliveryKind::Page && !wish.is_off;
            let (mut other, mut certain) = (false, false);
            for wish in self.wanted.values().filter(is_paged) {
                (other, certain) = (true, certain || !wish.has_failed);
            }
            if !other && self.must.remove(&to) {
                continue;
            }
            // A page that failed, perhaps for good: whether they are waited for is not known here.
            self.is_unsure |= other && !certain && self.must.contains(&to);
        }
    }

    /// Somebody of ours must hear that a promise or a limit was not kept, whatever becomes of the
    /// chain.
    fn want_a_word(&mut self, at: Timestamp, pages: &[Wanted]) {
        self.want(at, pages.iter());
        for page in pages {
            if let Some(wish) = self.wanted.get_mut(&page.number) {
                wish.is_for_itself = true;
            }
        }
    }

    pub(super) fn want<'a>(&mut self, at: Timestamp, pages: impl Iterator<Item = &'a Wanted>) {
        for page in pages {
            let wish = Wish {
                to: page.to.clone(),
                channel: page.methods.first().map_or("", |m| m.channel()).to_owned(),
                kind: page.kind,
                at,
                began: None,
                has_ended: false,
                has_failed: false,
                was_taken: false,
                dead_from: None,
                waits_until: at,
                is_level: false,
                is_held: false,
                is_for_itself: page.kind == DeliveryKind::Update,
                is_off: page.methods.is_empty(),
            };
            self.wanted.insert(page.number, wish);
        }
    }

    /// Whoever was called to help answers for themselves: it stays with the one who has it.
    pub(super) fn acknowledged(&mut self, by: &str) {
        let holder = self.answered_by.clone().filter(|holder| holder != by);
        let called = self
            .wanted
            .values()
            .filter(|wish| wish.to == by && wish.kind == DeliveryKind::Page && !wish.is_off);
        let (is_called, is_certain) =
            called.fold((false, false), |(_, certain), wish| (true, certain || !wish.has_failed));
        let is_helper = is_called && self.snoozed_until.is_none();
        // Whoever only helps ends no offer of the one who has it.
        let offered_by = self.offered_by.clone();
        if holder.is_some() && is_helper && is_certain {
            self.offered_by = Some(by.to_owned());
        }
        self.answered(by);
        self.offered_by = offered_by;
        match holder.filter(|_| is_helper) {
            Some(holder) => {
                self.answered_by = Some(holder);
                self.is_unsure |= !is_certain;
            }
            // Whose own answer is waited for was written down while it was not sure who has it.
            None => self.is_unsure &= !self.must.is_empty(),
        }
    }

    pub(super) fn answered(&mut self, by: &str) {
        self.answered_by = Some(by.to_owned());
        self.snoozed_until = None;
        if self.must.remove(by) && !self.must_all {
            self.must.clear();
        }
        let must = self.must.clone();
        // Whoever takes it themselves ends an offer that another made.
        let ends_offer = self.offered_by.as_ref().is_some_and(|from| from != by);
        self.call_back(|wish| {
            wish.kind == DeliveryKind::Page && !must.contains(&wish.to)
                || wish.kind == DeliveryKind::Handover && (ends_offer || wish.to == by)
        });
    }

    /// A pause is over: what nobody answered begins anew, and what somebody holds they hold on.
    pub(super) fn back_from_pause(&mut self, at: Timestamp) {
        (self.stepped_at, self.worked_at) = (at, self.worked_at.max(at));
        if self.answered_by.is_none() {
            return self.again(at);
        }
        // Whose own answer is waited for is asked for it again.
        let must = &self.must;
        let pages = self.wanted.values_mut();
        let of_must = |wish: &&mut Wish| {
            wish.kind == DeliveryKind::Page && wish.is_held && must.contains(&wish.to)
        };
        for wish in pages.filter(of_must) {
            (wish.is_off, wish.is_held) = (false, false);
        }
    }

    /// Maintenance calls back what goes with the chain; that is what it may give back.
    pub(super) fn pause(&mut self) {
        let open = self.wanted.values_mut().filter(|wish| wish.is_for_the_chain() && !wish.is_off);
        for wish in open {
            (wish.is_off, wish.is_held) = (true, true);
        }
    }

    pub(super) fn again(&mut self, at: Timestamp) {
        (self.answered_by, self.snoozed_until, self.stepped_at) = (None, None, at);
        self.is_unsure = false;
        self.must.clear();
        self.old = self.wanted.keys().next_back().copied().unwrap_or(self.old);
    }

    /// Whether nobody has it, and every page since it began failed for good, the last ones those of a
    /// level: then somebody else should have been wanted at once.
    pub(super) fn is_forsaken(&self, now: Timestamp) -> bool {
        let pages = || {
            let new = self.wanted.range(self.old.saturating_add(1)..).map(|(_, wish)| wish);
            new.filter(|wish| wish.kind == DeliveryKind::Page && !wish.is_off)
        };
        let is_dead = |wish: &Wish| {
            wish.dead_from.is_some_and(|from| now.since(from.max(self.stepped_at)) > STEP_GRACE_MS)
        };
        let is_last = pages().next_back().is_some_and(|last| last.is_level);
        self.answered_by.is_none() && is_last && pages().all(is_dead)
    }

    /// One that is over and changes again: it may come back.
    pub(super) fn again_after(over: Over, at: Timestamp) -> Self {
        let Over { policy, severity, was_active, answered_by, is_forced } = over;
        Self {
            policy,
            severity,
            is_active: false,
            was_active,
            answered_by,
            is_unsure: false,
            worked_at: at,
            must: BTreeSet::new(),
            must_all: false,
            is_forced,
            offered_by: None,
            is_paused: false,
            snoozed_until: None,
            is_snoozed_by_other: false,
            stepped_at: at,
            old: 0,
            wanted: BTreeMap::new(),
        }
    }

    pub(super) fn over(&mut self) {
        (self.is_active, self.is_paused) = (false, false);
        (self.snoozed_until, self.is_unsure) = (None, false);
        self.must.clear();
        self.call_back(|wish| wish.kind != DeliveryKind::Update);
    }

    pub(super) fn call_back(&mut self, which: impl Fn(&Wish) -> bool) {
        for wish in self.wanted.values_mut().filter(|wish| which(wish)) {
            (wish.is_off, wish.is_held) = (true, false);
        }
    }
}

impl Wish {
    /// Whether it goes with the chain: a pause or the end calls it back.
    pub(super) const fn is_for_the_chain(&self) -> bool {
        !self.is_for_itself
    }
}
