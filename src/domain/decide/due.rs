//! What the clock brings: the next step of an escalation, windows, changes of shift, silence.
//!
//! Invariants:
//! - Pure. What is no longer so when its time comes brings nothing, or a fact that says why.
//! - A step that was due while nobody looked comes once, marked late.

use std::sync::Arc;

use crate::domain::change::{Change, LevelReached, ReachedBy};
use crate::domain::decide::intake;
use crate::domain::delivery::Wanted;
use crate::domain::duty::WindowStage;
use crate::domain::escalation::Step;
use crate::domain::event::{AlertFacts, Body};
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::outlook::when_words;
use crate::domain::plan::{Policy, When};
use crate::domain::post::{Incoming, Post, Signal};
use crate::domain::reach::{self, Asked};
use crate::domain::room::Room;
use crate::domain::time::{SECOND_MS, Timestamp, span_words};
use crate::domain::words::DeliveryKind;

/// A step that comes later than this after its time is marked late, in milliseconds.
const LATE_MS: i64 = 15 * SECOND_MS;
/// The source under which the keeper reports its own findings as alerts.
pub const OWN_SOURCE: &str = "warroom";

fn of(incident: IncidentId, change: Change) -> Vec<Body> {
    vec![Body::Incident { incident, change }]
}

/// What decides who is reached for an incident now.
pub fn asked<'a>(room: &'a Room, incident: &Incident, now: Timestamp) -> Asked<'a> {
    Asked { plan: &room.plan, desk: &room.desk, severity: incident.severity, now }
}

/// How late something was looked at, in words that follow others; empty: in time.
pub(super) fn late_words(late_ms: i64) -> String {
    if late_ms < LATE_MS { String::new() } else { format!("; {} late", span_words(late_ms)) }
}

/// The next step of an incident's escalation.
pub fn escalate(room: &Room, id: IncidentId, now: Timestamp) -> Vec<Body> {
    let Some(incident) = room.incidents.get(&id) else { return Vec::new() };
    let Some(policy) = room.desk.policy(incident.esc.policy.as_ref()) else {
        return Vec::new();
    };
    let Some((due, step)) = incident.next_step(policy, &room.plan) else {
        return Vec::new();
    };
    if due > now {
        return Vec::new();
    }
    let pages = match step {
        Step::Level { .. } | Step::Fallback | Step::Count(_) => !incident.is_answered(),
        Step::Trigger(_) => true,
        // Whom a person asked for, and what that ends with, no window holds back.
        Step::Everybody | Step::Lost | Step::AckExpires | Step::SnoozeEnds => false,
    };
    let mut windows = room.desk.windows_over(&incident.services);
    let window = windows.find(|window| !incident.esc.overrides.contains(&window.id));
    if let Some(window) = window.filter(|_| pages) {
        let why = format!("maintenance until {}: {}", window.until, window.reason);
        return of(id, Change::EscalationPaused { window: window.id, why });
    }
    let has_time = match step {
        Step::Trigger(index) => {
            policy.triggers.get(usize::from(index)).is_some_and(|t| t.when.missed_promise)
        }
        Step::Count(_) | Step::Everybody | Step::Lost => false,
        Step::Level { .. } | Step::Fallback | Step::AckExpires | Step::SnoozeEnds => true,
    };
    let since = due.max(incident.esc.back_at);
    let late_ms = Some(now.since(since)).filter(|late| has_time && *late >= LATE_MS).unwrap_or(0);
    match step {
        Step::SnoozeEnds => of(id, Change::SnoozeEnded { by_hand: false }),
        Step::AckExpires => {
            let by = incident.ack.as_ref().map(|ack| ack.by.clone()).unwrap_or_default();
            let after_min = policy.ack_expires_min.get(&incident.severity).copied().unwrap_or(0);
            of(id, Change::AckExpired { by, after_min, gone: false, late_ms })
        }
        Step::Fallback => of(id, fall_back(room, incident, late_ms, now)),
        Step::Everybody => {
            let why = format!("nobody on whom the plan falls back was reached for {id}");
            let number = incident.esc.last_number + 1;
            let pages = everybody(asked(room, incident, now), number, &why);
            of(id, Change::FallbackPaged { why, pages, everybody: true })
        }
        Step::Lost => lost_by_hand(room, incident, now),
        Step::Count(level) => {
            let (round, by) = (incident.esc.round, ReachedBy::Count);
            let reach = Reach { level, round, by, late_ms: 0 };
            let why = count_words(incident, policy, level);
            of(id, reach_level(room, incident, policy, &reach, &why, now))
        }
        Step::Level { level, round } => {
            let reach = Reach { level, round, by: ReachedBy::Clock, late_ms };
            let why = clock_words(incident, policy, level, round);
            of(id, reach_level(room, incident, policy, &reach, &why, now))
        }
        Step::Trigger(index) => {
            let Some(trigger) = policy.triggers.get(usize::from(index)) else { return Vec::new() };
            let level = policy.levels.iter().position(|level| level.name == trigger.level);
            let level = level.and_then(|at| u16::try_from(at).ok()).unwrap_or(0);
            let (round, by) = (incident.esc.round, ReachedBy::Trigger(index));
            let why = format!("trigger: {}", when_words(&trigger.when));
            let reach = Reach { level, round, by, late_ms };
            of(id, reach_level(room, incident, policy, &reach, &why, now))
        }
    }
}

/// Why a level that did not hold is looked at again.
fn count_words(incident: &Incident, policy: &Policy, level: u16) -> String {
    let level = policy.levels.get(usize::from(level));
    let name = level.map_or("", |level| level.name.as_str());
    if level.is_some_and(|level| level.when.alerts > 0) {
        return format!("{name}: {} alerts", incident.members.len());
    }
    format!("{name}: its condition holds now")
}

fn fall_back(room: &Room, incident: &Incident, late_ms: i64, now: Timestamp) -> Change {
    let late = late_words(late_ms);
    let why = format!("{}, and no level is left{late}", unanswered(incident));
    let pages = fallback(room, incident, incident.esc.last_number + 1, &why, now);
    Change::FallbackPaged { why, pages, everybody: false }
}

/// Whose answer is missing; where all of a level must answer one of them may have.
pub(super) fn unanswered(incident: &Incident) -> String {
    match &incident.ack {
        Some(ack) if !incident.esc.must.is_empty() => {
            let others: Vec<&str> = incident.esc.must.iter().map(String::as_str).collect();
            format!("{} answered {}, not yet {}", ack.by, incident.id, others.join(", "))
        }
        Some(_) | None => format!("nobody has answered {}", incident.id),
    }
}

/// Which level is reached, and how.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    pub level: u16,
    pub round: u8,
    pub by: ReachedBy,
    pub late_ms: i64,
}

/// A level that is reached now, or skipped because its conditions do not hold.
pub fn reach_level(
    room: &Room,
    incident: &Incident,
    policy: &Policy,
    reach: &Reach,
    why: &str,
    now: Timestamp,
) -> Change {
    let Some(level) = policy.levels.get(usize::from(reach.level)) else {
        let why = format!("{why}; the level is no longer there");
        let pages = fallback(room, incident, incident.esc.last_number + 1, &why, now);
        return Change::FallbackPaged { why, pages, everybody: false };
    };
    if matches!(reach.by, ReachedBy::Clock | ReachedBy::Count)
        && let Err(why) = reach::conditions(room, incident, &level.when, now)
    {
        let counts = level.when.alerts > 0;
        let but_alerts = When { alerts: 0, ..level.when.clone() };
        let may_hold = !incident.holds(&but_alerts, &room.plan);
        let (level, name, round) = (reach.level, level.name.clone(), reach.round);
        return Change::LevelSkipped { level, round, name, why, counts, may_hold };
    }
    let asked = asked(room, incident, now);
    let last_turn = room.desk.turns.get(&turn_key(incident, level.name.as_str()));
    let number = incident.esc.last_number + 1;
    let holder = incident.ack.as_ref().map(|ack| ack.by.as_str());
    let lost = incident.esc.lost();
    let turn = reach::Turn { last: last_turn.map(String::as_str), but: holder, lost };
    let (pages, gaps) = reach::level(asked, level, &turn, number, why);
    // Of a level that nobody else stands on, nobody is to be waited for.
    if let (Some(holder), ReachedBy::Clock) = (holder, reach.by)
        && !pages.is_empty()
        && pages.iter().all(|page| page.to == holder)
    {
        let (level, name, round) = (reach.level, level.name.clone(), reach.round);
        let why = format!("{holder} has answered already");
        let (counts, may_hold) = (false, false);
        return Change::LevelSkipped { level, round, name, why, counts, may_hold };
    }
    // Nobody has to answer a word for information; that nobody gets it is told, not alarmed.
    let fallback = if pages.is_empty() && !level.informs {
        let why = format!("nobody was reached at level '{}' of {}", level.name, incident.id);
        fallback(room, incident, number, &why, now)
    } else {
        Vec::new()
    };
    Change::LevelReached(Box::new(LevelReached {
        level: reach.level,
        round: reach.round,
        name: level.name.clone(),
        why: why.to_owned(),
        by: reach.by,
        late_ms: reach.late_ms,
        mode: level.mode,
        gaps,
        pages,
        fallback,
    }))
}

/// Names the turns of one level of one policy.
pub fn turn_key(incident: &Incident, level: &str) -> String {
    let policy = incident.esc.policy.as_ref().map_or("", |policy| &policy.name);
    format!("{policy}/{level}")
}

/// The plan's fallback; where it reaches nobody either, everybody the plan knows.
pub fn fallback(
    room: &Room,
    incident: &Incident,
    number: u32,
    why: &str,
    now: Timestamp,
) -> Vec<Wanted> {
    let asked = asked(room, incident, now);
    let (reached, _) = reach::targets(asked, &room.plan.fallback);
    if reached.is_empty() {
        return everybody(asked, number, why);
    }
    reach::wanted(reached, DeliveryKind::Page, number, why)
}

/// Everybody whom the plan knows and whom something reaches.
fn everybody(asked: Asked<'_>, number: u32, why: &str) -> Vec<Wanted> {
    let all: Vec<String> =
        asked.plan.people.keys().map(|login| format!("person:{login}")).collect();
    let (reached, _) = reach::targets(asked, &all);
    reach::wanted(reached, DeliveryKind::Page, number, why)
}

/// Somebody was wanted by name and got it by no way: whoever holds the incident hears of it, and
/// where nobody does, those on whom the plan falls back are wanted instead.
fn lost_by_hand(room: &Room, incident: &Incident, now: Timestamp) -> Vec<Body> {
    let pages = || incident.esc.lost_by_hand().map(|(page, _)| &page.wanted);
    let lost: Vec<u32> = pages().map(|page| page.number).collect();
    let names: Vec<&str> = pages().map(|page| page.to.as_str()).collect();
    let what = format!("{} wanted by hand for {} and NOT REACHED", names.join(", "), incident.id);
    let number = incident.esc.last_number + 1;
    let asked = asked(room, incident, now);
    let holder = incident.ack.as_ref().map(|ack| ack.by.as_str());
    // What could not be told to whoever has it goes on to others.
    if let Some(holder) = holder.filter(|holder| !names.contains(holder))
        && let Ok(methods) = reach::methods(asked, holder)
    {
        let (to, through) = (holder.to_owned(), "you have it".to_owned());
        let reached = vec![reach::Reached { to, methods, through }];
        let pages = reach::wanted(reached, DeliveryKind::Inform, number, &what);
        return of(incident.id, Change::PagedByHand { reason: what, pages, lost });
    }
    let pages = fallback(room, incident, number, &what, now);
    let reason = format!("{what}; the fallback instead");
    of(incident.id, Change::PagedByHand { reason, pages, lost })
}

fn clock_words(incident: &Incident, policy: &Policy, level: u16, round: u8) -> String {
    let name = policy.levels.get(usize::from(level)).map_or("", |level| level.name.as_str());
    let mut words = if level == 0 && round == 0 {
        if incident.esc.again.is_empty() {
            format!("{name}: new")
        } else {
            format!("{name}: {}", incident.esc.again)
        }
    } else if incident.esc.is_unreached {
        format!("{name}: the level before reached nobody")
    } else if incident.esc.waits.as_ref().is_some_and(Vec::is_empty) {
        format!("{name}: no level before it wanted anybody")
    } else if incident.esc.unheard_at().is_some() {
        format!("{name}: nothing got through to the level before")
    } else {
        incident.ack.as_ref().map_or_else(
            || format!("{name}: no answer"),
            |_| format!("{name}: {}", unanswered(incident)),
        )
    };
    if round > 0 {
        words = format!("{words}, round {}", round + 1);
    }
    if !incident.members.is_empty() && incident.firing() == 0 {
        words.push_str("; none of its alerts fires now");
    }
    words
}

/// A maintenance window begins or ends.
pub fn window(room: &Room, id: u32, now: Timestamp) -> Vec<Body> {
    let Some(window) = room.desk.windows.get(&id) else { return Vec::new() };
    match window.stage {
        WindowStage::Planned if window.from <= now => {
            let is_open = |incident: &&Arc<Incident>| {
                incident.phase().is_active()
                    && incident.esc.pause.is_none()
                    && !incident.is_answered()
                    && window.covers(&incident.services)
            };
            let covered: Vec<IncidentId> =
                room.incidents.values().filter(is_open).map(|i| i.id).collect();
            let mut bodies =
                in_parts(covered, |incidents| Body::WindowBegan { window: id, incidents });
            // It begins, and the public reads nothing of it yet.
            bodies.extend(super::window::call(room, window, now));
            bodies
        }
        WindowStage::Open if window.until <= now => end_window(room, id, false),
        WindowStage::Planned | WindowStage::Open | WindowStage::Over => Vec::new(),
    }
}

/// The end of a window, with the incidents that it paused.
pub fn end_window(room: &Room, id: u32, early: bool) -> Vec<Body> {
    let is_paused = |incident: &&Arc<Incident>| {
        incident.esc.pause.as_ref().is_some_and(|pause| pause.window == id)
    };
    let paused = room.incidents.values().filter(is_paused).map(|i| i.id).collect();
    in_parts(paused, |incidents| Body::WindowEnded { window: id, incidents, early })
}

/// Incidents that one event may name; more of them make several events.
pub const INCIDENTS_MAX: usize = 2_000;

/// One event, or as many as it takes to name all of them.
pub(super) fn in_parts<T: Clone>(all: Vec<T>, one: impl Fn(Vec<T>) -> Body) -> Vec<Body> {
    if all.len() <= INCIDENTS_MAX {
        return vec![one(all)];
    }
    all.chunks(INCIDENTS_MAX).map(|part| one(part.to_vec())).collect()
}

/// A sender was silent for too long: that is an alert like any other.
pub fn silence(room: &Room, name: &str, now: Timestamp) -> Vec<Body> {
    let is_due = room.desk.beat_due(&room.plan, name).is_some_and(|due| due <= now);
    let Some(asked) = room.plan.heartbeats.get(name).filter(|_| is_due) else {
        return Vec::new();
    };
    let beat = room.desk.beats.get(name);
    if beat.is_some_and(|beat| beat.is_back) {
        let (word, about) = (asked.severity.word(), "HeartbeatMissed");
        return own_alert(room, about, name, "it is heard again", word, Signal::Resolved, now);
    }
    let at = beat.map_or(now, |beat| beat.at);
    let silent = span_words(now.since(at));
    let summary =
        format!("nothing was heard from {name} for {silent}; what it watches is unwatched");
    own_alert(room, "HeartbeatMissed", name, &summary, asked.severity.word(), Signal::Firing, now)
}

/// Senders whose silence was told and that the plan waits for no more: that is over.
pub fn unwatched(room: &Room, now: Timestamp) -> Vec<Body> {
    let prefix = format!("{OWN_SOURCE}/HeartbeatMissed/");
    let silent = room.alerts.iter().filter(|(_, alert)| alert.is_firing);
    let names = silent.filter_map(|(key, _)| key.strip_prefix(prefix.as_str()));
    let gone = names.filter(|name| !room.plan.heartbeats.contains_key(*name));
    let words = "the plan waits for it no more";
    gone.flat_map(|name| {
        own_alert(room, "HeartbeatMissed", name, words, "warning", Signal::Resolved, now)
    })
    .collect()
}

/// A finding of the keeper's own, as an alert that opens an incident by the plan's rules.
pub fn own_alert(
    room: &Room,
    name: &str,
    about: &str,
    summary: &str,
    severity: &str,
    signal: Signal,
    now: Timestamp,
) -> Vec<Body> {
    let mut labels = std::collections::BTreeMap::from([
        ("alertname".to_owned(), name.to_owned()),
        ("about".to_owned(), about.to_owned()),
        ("severity".to_owned(), severity.to_owned()),
    ]);
    let services = room.plan.heartbeats.get(about).map(|beat| beat.services.clone());
    if let Some(service) = services.unwrap_or_default().first() {
        labels.insert("service".to_owned(), service.clone());
    }
    let facts = AlertFacts {
        name: name.to_owned(),
        summary: summary.to_owned(),
        labels,
        ..AlertFacts::default()
    };
    let incoming = Incoming {
        fingerprint: format!("{name}/{about}"),
        signal,
        severity_word: severity.to_owned(),
        facts,
    };
    let group = Some(format!("{OWN_SOURCE}:{name}/{about}"));
    let post = Post { source: OWN_SOURCE.to_owned(), group, alerts: vec![incoming], truncated: 0 };
    intake::ingest(room, &post, now)
}
