//! What must hold of each incident on every simulated day.

use warroom::domain::delivery::Stand;
use warroom::domain::incident::Incident;
use warroom::domain::time::Timestamp;
use warroom::domain::words::DeliveryKind;
use warroom::store::snapshot;

use crate::world::World;

/// An active incident is held, paused, below what pages, or has something due.
pub fn check_incident(world: &World, incident: &Incident) {
    check_wanted(world, incident);
    let room = &world.engine.room;
    let policy = room.desk.policy(incident.esc.policy.as_ref());
    let Some(policy) = policy else { panic!("{} follows no policy that is known", incident.id) };
    let has_step = incident.next_step(policy, &room.plan).is_some();
    let is_excused = incident.is_answered()
        || incident.esc.pause.is_some()
        || (incident.ack.is_none() && !incident.is_paging(policy) && !incident.esc.is_forced)
        || (incident.ack.is_some() && !incident.is_paging(policy));
    assert!(has_step || is_excused, "{} has nothing due and nobody", incident.id);
    if incident.is_answered() {
        for delivery in &incident.esc.deliveries {
            let is_waiting = matches!(delivery.stand, Stand::Queued { .. });
            let is_page = delivery.wanted.kind == DeliveryKind::Page;
            let ack = incident.ack.as_ref().map_or(Timestamp(0), |ack| ack.at);
            assert!(
                !(is_waiting && is_page && delivery.at < ack),
                "{}: a page waits although it was answered",
                incident.id
            );
        }
    }
}

/// Where somebody was reached and nobody answered, somebody is wanted whom the plan knows, unless
/// nothing reached any of them, which brings what is next at once.
fn check_wanted(world: &World, incident: &Incident) {
    let room = &world.engine.room;
    let is_known = |who: &&str| who.contains(':') || room.plan.people.contains_key(*who);
    let is_wanted = incident.accountable().iter().any(is_known);
    let is_resting = incident.ack.is_some() || incident.esc.pause.is_some();
    let since = incident.esc.anchor;
    let mut pages = incident.esc.deliveries.iter().filter(|it| {
        it.wanted.kind == DeliveryKind::Page
            && it.origin.level.is_some()
            && !it.origin.by_hand
            && it.at >= since
    });
    let is_cancelled = pages.any(|page| matches!(page.stand, Stand::Cancelled { .. }));
    assert!(
        is_resting || is_wanted || !is_cancelled,
        "{} was paged, and nobody is wanted for it: {:#?}",
        incident.id,
        incident.esc
    );
}

/// An incident is a function of its own stream.
pub fn check_streams(world: &World) {
    for incident in world.engine.room.incidents.values() {
        let folded = snapshot::incident(&world.journal, incident.id, None).expect("a fold");
        assert_eq!(folded.as_ref(), Some(&**incident), "folded from its stream");
    }
}
