//! Taking back what somebody wanted by hand: an escalation to the wrong level, a page to the wrong
//! person.
//!
//! Invariants:
//! - Only what a person wanted is taken back; what the policy wants goes on.
//! - Whoever may have been woken hears that they are not needed.

use std::collections::BTreeSet;

use crate::domain::change::Change;
use crate::domain::decide::{Decision, due, not_now, one, reason};
use crate::domain::delivery::{Delivery, Stand};
use crate::domain::incident::Incident;
use crate::domain::reach;
use crate::domain::room::Room;
use crate::domain::time::Timestamp;
use crate::domain::words::DeliveryKind;

pub(super) fn decide(
    room: &Room,
    login: &str,
    incident: &Incident,
    people: &[String],
    why: &str,
    now: Timestamp,
) -> Decision {
    let id = incident.id;
    let why = reason(why, &format!("calling somebody back from {id}"))?.to_owned();
    let is_meant = |it: &&Delivery| {
        it.origin.by_hand && is_wanted(it) && (people.is_empty() || people.contains(&it.wanted.to))
    };
    let taken: Vec<&Delivery> = incident.esc.deliveries.iter().filter(is_meant).collect();
    if taken.is_empty() {
        let whom = if people.is_empty() { "nobody".to_owned() } else { people.join(", ") };
        let what = if people.is_empty() { "is" } else { "is not" };
        return Err(not_now(
            format!("{whom} {what} wanted by hand for {id} just now"),
            "what the policy wants ends with an answer ('warroom ack'), a snooze or the incident",
        ));
    }
    let reached: BTreeSet<&str> = taken
        .iter()
        .filter(|it| it.is_handed_over || matches!(it.stand, Stand::Sending { .. }))
        .map(|it| it.wanted.to.as_str())
        .collect();
    let targets: Vec<String> = reached
        .into_iter()
        .map(|to| if to.contains(':') { to.to_owned() } else { format!("person:{to}") })
        .collect();
    let (found, _) = reach::targets(due::asked(room, incident, now), &targets);
    let words = format!("{login} calls you back, you are not needed: {why}");
    let number = incident.esc.last_number + 1;
    let pages = reach::wanted(found, DeliveryKind::Inform, number, &words);
    let deliveries: Vec<u32> = taken.iter().map(|it| it.wanted.number).collect();
    let next = chain_goes_on(incident, &deliveries);
    one(id, Change::CalledBack { deliveries, reason: why, pages, next })
}

/// Whether somebody is still wanted by it: a page, or a word to a level that is informed.
fn is_wanted(delivery: &Delivery) -> bool {
    let is_of_chain = match delivery.wanted.kind {
        DeliveryKind::Page => true,
        DeliveryKind::Inform => delivery.origin.level.is_some(),
        DeliveryKind::Handover | DeliveryKind::Update => false,
    };
    is_of_chain && delivery.is_open()
}

/// Where a level that was reached by hand is taken back as a whole: the level that the clock would
/// reach next.
fn chain_goes_on(incident: &Incident, gone: &[u32]) -> Option<u16> {
    let all = incident.esc.deliveries.iter();
    let by_hand = all.clone().filter(|it| it.origin.by_hand && it.origin.level.is_some());
    let is_left = |it: &Delivery| is_wanted(it) && !gone.contains(&it.wanted.number);
    let was_level = by_hand.clone().any(|it| gone.contains(&it.wanted.number));
    if !was_level || by_hand.clone().any(is_left) {
        return None;
    }
    let by_clock = all.filter(|it| !it.origin.by_hand).filter_map(|it| it.origin.level);
    Some(by_clock.max().map_or(0, |level| level.saturating_add(1)))
}
