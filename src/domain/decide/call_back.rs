//! Taking back what somebody wanted by hand: an escalation to the wrong level, a page to the wrong
//! person.
//!
//! Invariants:
//! - Only what a person wanted is taken back; what the policy wants goes on.
//! - Whoever may have been woken hears that they are not needed, unless something else wants them.

use crate::domain::change::Change;
use crate::domain::channel::Channel;
use crate::domain::decide::{Decision, not_now, one, reason};
use crate::domain::delivery::{Delivery, Method, Stand, Wanted};
use crate::domain::escalation::Step;
use crate::domain::incident::Incident;
use crate::domain::reach::{self, Asked};
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
    let is_meant = |it: &&Delivery| people.is_empty() || people.contains(&it.wanted.to);
    let taken: Vec<&Delivery> = incident.wanted_by_hand().filter(is_meant).collect();
    if taken.is_empty() {
        let what = if people.is_empty() {
            format!("nobody is wanted by hand for {id} just now")
        } else {
            format!("{} is not wanted by hand for {id} just now", people.join(", "))
        };
        return Err(not_now(
            what,
            "what the policy wants ends with an answer ('warroom ack'), a snooze or the incident",
        ));
    }
    let words = format!("{login} calls you back, you are not needed: {why}");
    let deliveries: Vec<u32> = taken.iter().map(|it| it.wanted.number).collect();
    let again = due_again(room, incident, &deliveries, now);
    let pages = words_to(room, incident, (&taken, &again), &words);
    let before = incident.esc.before(&deliveries);
    let snooze = before.and_then(|before| before.snooze.as_ref());
    let is_back = incident.ack.is_some() && incident.esc.snooze.is_none();
    let snooze = snooze.filter(|snooze| snooze.until > now && is_back);
    let unforced = before.is_some_and(|before| !before.is_forced);
    let snoozed_until = snooze.map(|snooze| snooze.until);
    let change = Change::CalledBack { deliveries, reason: why, pages, unforced, snoozed_until };
    one(id, change)
}

/// Whom the policy wants at once when the chain is put back: nobody is told that they are not needed
/// and paged in the same breath.
fn due_again(room: &Room, incident: &Incident, deliveries: &[u32], now: Timestamp) -> Vec<String> {
    let then = incident.after_call_back(now, deliveries);
    let Some(policy) = room.desk.policy(then.esc.policy.as_ref()) else { return Vec::new() };
    let next = then.next_step(policy, &room.plan).filter(|(due, _)| *due <= now);
    let level = match next {
        Some((_, Step::Level { level, .. })) => policy.levels.get(usize::from(level)),
        _ => None,
    };
    let asked = Asked { plan: &room.plan, desk: &room.desk, severity: incident.severity, now };
    let targets = level.into_iter().flat_map(|level| &level.targets);
    targets.flat_map(|target| reach::logins(asked, target)).collect()
}

/// A word to each who may have been woken, by the ways by which they were: not by those that would open
/// something elsewhere, which is closed there with the incident.
fn words_to(
    room: &Room,
    incident: &Incident,
    (taken, again): (&[&Delivery], &[String]),
    words: &str,
) -> Vec<Wanted> {
    let is_out = |it: &&&Delivery| it.is_handed_over || matches!(it.stand, Stand::Sending { .. });
    let opens = |method: &Method| {
        room.plan.channels.get(method.channel()).is_some_and(Channel::opens_events)
    };
    // Whoever answers for it, or whom another page wants, the policy's or somebody else's, is needed
    // all the same.
    let is_wanted = |who: &str| {
        let holds = incident.ack.as_ref().is_some_and(|ack| ack.by == who);
        if holds || again.iter().any(|known| known == who) {
            return true;
        }
        let open = incident.esc.deliveries.iter().filter(|it| {
            it.is_open() && it.wanted.to == who && it.wanted.kind == DeliveryKind::Page
        });
        open.into_iter().any(|it| !taken.iter().any(|one| one.wanted.number == it.wanted.number))
    };
    let mut pages: Vec<Wanted> = Vec::new();
    for it in taken.iter().filter(is_out) {
        if is_wanted(&it.wanted.to) || pages.iter().any(|known| known.to == it.wanted.to) {
            continue;
        }
        let methods = it.wanted.methods.iter().filter(|method| !opens(method)).cloned();
        let methods: Vec<Method> = methods.map(|method| Method { after_s: 0, ..method }).collect();
        let number = incident.esc.last_number + 1 + u32::try_from(pages.len()).unwrap_or(0);
        let (to, why) = (it.wanted.to.clone(), words.to_owned());
        pages.push(Wanted { number, kind: DeliveryKind::Inform, to, why, methods });
    }
    pages
}
