//! Pages that get through to nobody: of a fallback, by name, and the words about them.
//!
//! Invariants:
//! - Everything here is total and pure; what somebody heard of is not told again.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::delivery::{Delivery, Stand, Wanted};
use crate::domain::escalation::{Escalation, Fallback};
use crate::domain::time::Timestamp;
use crate::domain::words::DeliveryKind;

impl Escalation {
    pub(in crate::domain) fn fell_back(&mut self, pages: &[Wanted], everybody: bool) {
        let pages = pages.iter().map(|page| page.number).collect();
        self.fallback = Some(Fallback { pages, everybody });
    }

    /// Somebody hears of pages by hand that got through by no way: whoever has it, or, where nobody
    /// does, those on whom the plan falls back.
    pub(in crate::domain) fn follow(&mut self, lost: &[u32], pages: &[Wanted]) {
        if lost.is_empty() {
            return;
        }
        let words = pages.iter().filter(|page| page.kind == DeliveryKind::Inform);
        self.told_of_lost.extend(words.map(|page| page.number));
        if pages.iter().any(|page| page.kind == DeliveryKind::Page) {
            self.fell_back(pages, false);
        }
        self.followed.extend(lost);
        let kept = |number: &u32| self.deliveries.iter().any(|d| d.wanted.number == *number);
        self.followed.retain(kept);
        let kept = |number: &u32| self.deliveries.iter().any(|d| d.wanted.number == *number);
        self.told_of_lost.retain(kept);
    }

    /// When the last of these pages failed, if none of them got through.
    pub fn all_failed(&self, pages: &[u32]) -> Option<Timestamp> {
        let failed = |number: &u32| match self.delivery(*number)?.stand {
            Stand::Failed { at } => Some(at),
            Stand::Queued { .. }
            | Stand::Sending { .. }
            | Stand::Waiting { .. }
            | Stand::Confirmed { .. }
            | Stand::Cancelled { .. } => None,
        };
        let all: Option<Vec<Timestamp>> = pages.iter().map(failed).collect();
        all?.into_iter().max()
    }

    /// Since when there is nobody whose answer to wait for before the next level: the level that wanted
    /// somebody last got through to nobody, the last one reached nobody, or none has wanted anybody so far. What only informs, and
    /// what is passed over, changes nothing about that.
    pub fn unheard_at(&self) -> Option<Timestamp> {
        let waits = self.waits.as_ref()?;
        if waits.is_empty() || self.is_unreached && self.fell {
            return (self.next > 0).then_some(self.anchor);
        }
        // Whoever left the plan meanwhile is wanted no more: what became of the others counts.
        let is_off = |number: &u32| {
            matches!(self.delivery(*number).map(|it| &it.stand), Some(Stand::Cancelled { .. }))
        };
        let left: Vec<u32> = waits.iter().copied().filter(|number| !is_off(number)).collect();
        self.all_failed(&left).map(|at| at.max(self.anchor))
    }

    /// A level came by the chain: whose answer is waited for after it.
    pub(in crate::domain) fn wait_for(&mut self, level: u16, pages: &[Wanted]) {
        let pages = pages.iter().filter(|page| page.kind == DeliveryKind::Page);
        let wanted: Vec<u32> = pages.map(|page| page.number).collect();
        if level == 0 {
            self.fell = false;
            self.nobody.clear();
        }
        if level == 0 || !wanted.is_empty() {
            self.waits = Some(wanted);
        }
    }

    /// A trigger wanted somebody before the chain did: the first level does not wait where they were not
    /// reached.
    pub(in crate::domain) fn wait_before(&mut self, pages: &[Wanted]) {
        let pages = pages.iter().filter(|page| page.kind == DeliveryKind::Page);
        let wanted: Vec<u32> = pages.map(|page| page.number).collect();
        if self.next == 0 && !wanted.is_empty() {
            self.waits = Some(wanted);
        }
    }

    /// When those on whom the plan falls back were all not reached, unless everybody was wanted.
    pub(super) fn fallback_failed_at(&self) -> Option<Timestamp> {
        let fallback = self.fallback.as_ref().filter(|it| !it.everybody)?;
        self.all_failed(&fallback.pages)
    }

    /// Whose last page got through by no way.
    pub fn lost(&self) -> BTreeSet<&str> {
        let mut last: BTreeMap<&str, bool> = BTreeMap::new();
        for page in self.deliveries.iter().filter(|d| d.wanted.kind == DeliveryKind::Page) {
            last.insert(&page.wanted.to, matches!(page.stand, Stand::Failed { .. }));
        }
        last.into_iter().filter_map(|(who, failed)| failed.then_some(who)).collect()
    }

    /// Pages to people by name that got through by no way and of which nobody has heard; and words
    /// about them that got through to nobody either.
    pub fn lost_by_hand(&self) -> impl Iterator<Item = (&Delivery, Timestamp)> {
        self.deliveries.iter().filter_map(|page| {
            let Stand::Failed { at } = page.stand else { return None };
            let number = page.wanted.number;
            let is_by_name = page.origin.by_hand && page.origin.level.is_none();
            let is_page = is_by_name && page.wanted.kind == DeliveryKind::Page;
            let is_lost = is_page || self.told_of_lost.contains(&number);
            (is_lost && !self.followed.contains(&number)).then_some((page, at))
        })
    }
}
