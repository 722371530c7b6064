//! The alerts of an incident: which of them fire, and how often each was said.
//!
//! Invariants: as in `incident`; `firing` counts the members that fire.

use super::{Incident, Member};
use crate::domain::event::Became;
use crate::domain::time::{MINUTE_MS, Timestamp};

impl Incident {
    pub(super) fn member_became(&mut self, alert: &str, became: Became, at: Timestamp) {
        match became {
            Became::Opened | Became::Attached | Became::Reopened => {
                let repeats = self.members.get(alert).map_or(0, |member| member.repeats + 1);
                self.set_member(alert, Member { is_firing: true, repeats, seen: at });
            }
            Became::Repeated
            | Became::RepeatedEnd
            | Became::FlappingFiring
            | Became::FlappingResolved => {
                if let Some(member) = self.members.get_mut(alert) {
                    member.repeats = member.repeats.saturating_add(1);
                    member.seen = at;
                }
            }
            Became::Resolved => self.set_firing(alert, false),
            Became::Acknowledged | Became::Recorded | Became::Shelved | Became::Unmatched => {}
        }
    }

    pub(super) fn set_firing(&mut self, alert: &str, is_firing: bool) {
        let Some(member) = self.members.get_mut(alert) else { return };
        let was = std::mem::replace(&mut member.is_firing, is_firing);
        self.count_firing(was, is_firing);
    }

    /// Takes a member in, or what it does now.
    pub(super) fn set_member(&mut self, alert: &str, member: Member) {
        let is_firing = member.is_firing;
        let known = self.members.get_mut(alert);
        let was = if let Some(known) = known {
            std::mem::replace(known, member).is_firing
        } else {
            self.members.insert(alert.to_owned(), member);
            false
        };
        self.count_firing(was, is_firing);
    }

    /// When so many of its alerts were seen within so many minutes, as of the last that was seen: then.
    pub(in crate::domain) fn seen_within(&self, alerts: u32, minutes: u32) -> Option<Timestamp> {
        let mut seen: Vec<Timestamp> = self.members.values().map(|member| member.seen).collect();
        let last = seen.iter().max().copied()?;
        let index = (alerts as usize).checked_sub(1).filter(|index| *index < seen.len())?;
        let (_, first, _) = seen.select_nth_unstable_by(index, |a, b| b.cmp(a));
        (last.since(*first) <= i64::from(minutes) * MINUTE_MS).then_some(last)
    }

    pub(super) fn count_firing(&mut self, was: bool, is: bool) {
        match (was, is) {
            (false, true) => self.firing += 1,
            (true, false) => self.firing = self.firing.saturating_sub(1),
            (true, true) | (false, false) => {}
        }
    }
}
