//! Paging by hand, snoozes, hand-overs, covers, swaps and maintenance windows.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each file decides its own commands; `route` is the exhaustive list"
)]

use std::collections::BTreeSet;

use crate::domain::change::{Change, ReachedBy};
use crate::domain::command::{Command, Order};
use crate::domain::decide::due::{self, Reach};
use crate::domain::decide::{
    Decision, already, bad, call_back, live, not_now, on_call, one, reason,
};
use crate::domain::decide::{shift, window};
use crate::domain::escalation::PolicyRef;
use crate::domain::event::Body;
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::reach;
use crate::domain::rejection::{Rejection, RejectionKind};
use crate::domain::room::Room;
use crate::domain::time::{DAY_MS, Timestamp};
use crate::domain::words::DeliveryKind;

/// The longest snooze.
const SNOOZE_MAX_MS: i64 = DAY_MS;
/// People that are paged by hand at once.
const BY_HAND_MAX: usize = 20;

pub(super) fn decide(room: &Room, order: &Order, now: Timestamp) -> Decision {
    let login = order.actor.login.as_str();
    match &order.command {
        Command::Escalate { incident, level, reason } => {
            escalate(room, login, *incident, level.as_deref(), reason, now)
        }
        Command::Page { incident, people, reason } => {
            page(room, login, *incident, people, reason, now)
        }
        Command::CallBack { incident, people, reason } => {
            call_back::decide(room, login, active(room, *incident)?, people, reason, now)
        }
        Command::Snooze { incident, until, reason } => snooze(room, *incident, *until, reason, now),
        Command::EndSnooze { incident } => {
            if active(room, *incident)?.esc.snooze.is_none() {
                return Err(already(format!("{incident} is not snoozed")));
            }
            one(*incident, Change::SnoozeEnded { by_hand: true })
        }
        Command::TakePolicy { incident, policy, reason } => {
            take_policy(room, *incident, policy.as_deref(), reason)
        }
        Command::OfferHandover { incident, to, note } => {
            offer(room, login, *incident, to, note, now)
        }
        Command::AcceptHandover { incident } => accept(room, login, *incident),
        Command::RefuseHandover { incident, reason: why } => {
            let incident = active(room, *incident)?;
            let Some(handover) = &incident.esc.handover else {
                return Err(not_now(format!("{} was not offered", incident.id), NOTHING_OFFERED));
            };
            if handover.to != login && handover.from != login {
                return Err(not_now(
                    format!("{} was offered to {}", incident.id, handover.to),
                    "only the two of them can refuse it or take it back",
                ));
            }
            let (by, reason) = (login.to_owned(), why.trim().to_owned());
            let told = offer_ended(room, login, incident, &reason, now);
            let mut bodies = one(incident.id, Change::HandoverRefused { by, reason })?;
            bodies.extend(told);
            Ok(bodies)
        }
        Command::PublishWindow { window, force } => {
            window::publish(room, order, *window, force.as_deref())
        }
        Command::EndWindow { window } => window::end(room, order, *window),
        other => decide_desk(room, login, other, now),
    }
}

const NOTHING_OFFERED: &str = "acknowledge it to take it";

fn active(room: &Room, id: IncidentId) -> Result<&Incident, Rejection> {
    let incident = live(room, id)?;
    if incident.phase().is_active() {
        return Ok(incident);
    }
    Err(not_now(format!("{id} is {}", incident.phase()), "reopen it first"))
}

fn escalate(
    room: &Room,
    login: &str,
    id: IncidentId,
    wanted: Option<&str>,
    why: &str,
    now: Timestamp,
) -> Decision {
    let incident = active(room, id)?;
    let why = reason(why, &format!("escalating {id}"))?;
    let Some(policy) = room.desk.policy(incident.esc.policy.as_ref()) else {
        return Err(not_now(
            format!("{id} follows no escalation policy"),
            "give it one with 'warroom policy', or page somebody by name",
        ));
    };
    let names = || policy.levels.iter().map(|l| l.name.as_str()).collect::<Vec<_>>().join(", ");
    let index = match wanted {
        Some(name) => policy
            .levels
            .iter()
            .position(|level| {
                level.name.eq_ignore_ascii_case(name) || starts_with(&level.name, name)
            })
            .ok_or_else(|| {
                bad(
                    format!("the policy of {id} has no level '{name}'"),
                    format!("use one of: {}", names()),
                )
            })?,
        // At the end it begins again at the first level.
        None if usize::from(incident.esc.next) >= policy.levels.len() => 0,
        None => usize::from(incident.esc.next),
    };
    let level = u16::try_from(index).unwrap_or(u16::MAX);
    let (round, by) = (incident.esc.round, ReachedBy::Hand);
    let name = policy.levels.get(index).map_or("", |level| level.name.as_str());
    let why = format!("{name}: {login} escalated: {why}");
    let reach = Reach { level, round, by, late_ms: 0 };
    let reached = due::reach_level(room, incident, policy, &reach, &why, now);
    // What a person escalates is not the planned work, whatever window is over it.
    let pages = reached.wanted().any(|page| page.kind == DeliveryKind::Page);
    let windows = room.desk.windows_over(&incident.services).map(|window| window.id);
    let paused = incident.esc.pause.as_ref().map(|pause| pause.window);
    let windows: BTreeSet<u32> = windows.chain(paused).filter(|_| pages).collect();
    let resumed = windows.into_iter().filter(|id| !incident.esc.overrides.contains(id));
    let resumed = resumed.map(|window| Change::EscalationResumed { window, by_hand: true });
    let body = |change| Body::Incident { incident: id, change };
    Ok(resumed.chain([reached]).map(body).collect())
}

/// `L2` names the level `L2 senior`.
fn starts_with(level: &str, name: &str) -> bool {
    level.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case(name))
}

fn page(
    room: &Room,
    login: &str,
    id: IncidentId,
    people: &[String],
    why: &str,
    now: Timestamp,
) -> Decision {
    let incident = active(room, id)?;
    let why = reason(why, &format!("paging somebody for {id}"))?.to_owned();
    if people.is_empty() || people.len() > BY_HAND_MAX {
        return Err(bad(
            format!("{} people were named", people.len()),
            format!("name 1 to {BY_HAND_MAX} people, teams or schedules"),
        ));
    }
    let asked = due::asked(room, incident, now);
    let (mut reached, mut gaps) = (Vec::new(), Vec::new());
    for name in people {
        let target = if name.contains(':') { name.clone() } else { format!("person:{name}") };
        let (mut found, missing) = reach::targets(asked, std::slice::from_ref(&target));
        let channel = target.strip_prefix("channel:").map(crate::domain::delivery::channel_of);
        if let Some(channel) = channel.filter(|name| !room.plan.has_channel(name)) {
            gaps.push(format!("the plan has no channel '{channel}'"));
        }
        if found.is_empty() {
            gaps.extend(missing);
        }
        reached.append(&mut found);
    }
    if !gaps.is_empty() {
        return Err(bad(gaps.join("; "), "name somebody else, or give them a contact in the plan"));
    }
    let words = format!("{login} wants you: {why}");
    let number = incident.esc.last_number + 1;
    let pages = reach::wanted(reached, DeliveryKind::Page, number, &words);
    one(id, Change::PagedByHand { reason: why, pages, lost: Vec::new() })
}

fn snooze(room: &Room, id: IncidentId, until: Timestamp, why: &str, now: Timestamp) -> Decision {
    active(room, id)?;
    let reason = reason(why, &format!("snoozing {id}"))?.to_owned();
    if until <= now || until.since(now) > SNOOZE_MAX_MS {
        return Err(bad(
            format!("{until} is not a time to snooze until"),
            "give an end within 24 hours; nothing is snoozed for ever",
        ));
    }
    one(id, Change::Snoozed { until, reason })
}

fn take_policy(room: &Room, id: IncidentId, name: Option<&str>, why: &str) -> Decision {
    let incident = active(room, id)?;
    let found = match name {
        Some(name) => room.plan.policies.get_key_value(name).map(|(n, p)| (n.as_str(), p)),
        None => room.plan.policy_for(&incident.services),
    };
    let Some((name, policy)) = found else {
        let known = room.plan.policies.keys().cloned().collect::<Vec<_>>().join(", ");
        let wanted = name.unwrap_or("for its services");
        return Err(bad(format!("there is no policy {wanted}"), format!("use one of: {known}")));
    };
    let policy = PolicyRef::of(name, policy);
    if incident.esc.policy.as_ref() == Some(&policy) {
        return Err(already(format!("{id} follows '{name}' as it is now")));
    }
    one(id, Change::PolicyTaken { policy, reason: why.trim().to_owned() })
}

fn offer(
    room: &Room,
    login: &str,
    id: IncidentId,
    to: &str,
    note: &str,
    now: Timestamp,
) -> Decision {
    let incident = active(room, id)?;
    let to = super::wanted(to, "person")?;
    let holder = incident.ack.as_ref().map(|ack| ack.by.as_str());
    if holder != Some(login) {
        let what = holder.map_or_else(
            || format!("nobody holds {id} yet"),
            |who| format!("{who} holds {id}, not you"),
        );
        return Err(not_now(
            what,
            if holder.is_some() { "ask them to offer it" } else { NOTHING_OFFERED },
        ));
    }
    let is_known = room.plan.people.is_empty() || room.plan.people.contains_key(to);
    if let Some(offer) = incident.esc.handover.as_ref().filter(|_| !is_known) {
        // A slip of the finger does not take back an offer that reached somebody.
        return Err(not_now(
            format!("the plan knows no '{to}', and {} was offered {id}", offer.to),
            "take that offer back first if it is meant (--refuse WHY)",
        ));
    }
    if to == login {
        return Err(already(format!("you hold {id}")));
    }
    let mut bodies = shift::offer_to(room, incident, (login, to), ("hand-over", note.trim()), now);
    // Whoever was offered it before need not take it any more.
    let before = incident.esc.handover.as_ref().filter(|offer| offer.to != to);
    bodies.extend(before.and_then(|offer| {
        let subject = format!("{id} is offered to {to} now, not to you");
        let text = format!("{login} offers {id} to {to} instead: {}.", incident.title);
        on_call::word(due::asked(room, incident, now), login, &[&offer.to], (subject, text), 0)
    }));
    Ok(bodies)
}

/// The other one of an offer hears that it is over: the giver still has it, or nothing is wanted.
fn offer_ended(
    room: &Room,
    login: &str,
    incident: &Incident,
    why: &str,
    now: Timestamp,
) -> Option<Body> {
    let offer = incident.esc.handover.as_ref()?;
    let id = incident.id;
    let why = if why.is_empty() { String::new() } else { format!(": {why}") };
    let (whom, subject) = if offer.to == login {
        (&offer.from, format!("{login} does not take {id}: you still have it"))
    } else {
        (&offer.to, format!("{login} keeps {id}: you need not take it"))
    };
    let text = format!("The offer of {id} ({}) is over{why}.", incident.title);
    on_call::word(due::asked(room, incident, now), login, &[whom], (subject, text), 0)
}

fn accept(room: &Room, login: &str, id: IncidentId) -> Decision {
    let incident = active(room, id)?;
    match &incident.esc.handover {
        Some(handover) if handover.to == login => {
            let (from, to) = (handover.from.clone(), login.to_owned());
            one(id, Change::HandoverAccepted { from, to })
        }
        Some(handover) => {
            Err(not_now(format!("{id} was offered to {}", handover.to), NOTHING_OFFERED))
        }
        None => Err(not_now(format!("{id} was not offered"), NOTHING_OFFERED)),
    }
}

/// What concerns no single incident.
fn decide_desk(room: &Room, login: &str, command: &Command, now: Timestamp) -> Decision {
    match command {
        Command::CoverShift { .. }
        | Command::RevokeCover { .. }
        | Command::AskSwap { .. }
        | Command::AnswerSwap { .. } => on_call::decide(room, login, command, now),
        Command::PlanWindow { .. } => window::plan(room, login, command, now),
        Command::Beat { name } => {
            if !room.plan.heartbeats.contains_key(name) {
                return Err(Rejection::new(
                    RejectionKind::NotFound,
                    format!("the plan has no heartbeat '{name}'"),
                    "add [heartbeats.NAME] to the plan and adopt it",
                ));
            }
            Ok(vec![Body::HeartbeatReceived { name: name.clone() }])
        }
        _ => Err(bad("not a command about paging", "this is a defect; please report it")),
    }
}
