//! Who answers when people come and go: changes of shift, and people who leave the plan.
//!
//! Invariants:
//! - Pure, and derived from how things stand: what is done is not done again. The change of shift
//!   itself is put on record last, so that a kill in the middle of it loses nobody's page.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::change::Change;
use crate::domain::decide::due::{asked, fallback, late_words, unanswered};
use crate::domain::decide::on_call::{cover_told, word, words_in};
use crate::domain::delivery::Delivery;
use crate::domain::event::Body;
use crate::domain::ids::IncidentId;
use crate::domain::incident::{Ack, Incident};
use crate::domain::reach;
use crate::domain::room::Room;
use crate::domain::time::{Timestamp, span_words};
use crate::domain::words::DeliveryKind;

fn of(incident: IncidentId, change: Change) -> Vec<Body> {
    vec![Body::Incident { incident, change }]
}

/// Other people come on call: what those who go hold is offered to them, with what they must know,
/// and what those were wanted for they are wanted for.
pub fn shift(room: &Room, name: &str, now: Timestamp) -> Vec<Body> {
    let Some(due) = room.desk.next_shift(&room.plan, name).filter(|due| *due <= now) else {
        return Vec::new();
    };
    let was = room.desk.duty_seen.get(name).cloned().unwrap_or_default();
    // After a long sleep several changes may have passed: what counts is who is there now.
    let is = room.desk.on_call(&room.plan, name, now);
    let left: Vec<String> = was.iter().filter(|login| !is.contains(login)).cloned().collect();
    let came: Vec<String> = is.iter().filter(|login| !was.contains(login)).cloned().collect();
    // Who went when nobody came is relieved by whoever comes now.
    let earlier = room.desk.unrelieved.get(name).into_iter().flatten();
    let goes: Vec<String> =
        left.iter().chain(earlier).filter(|login| !is.contains(login)).cloned().collect();
    let on = if came.is_empty() { is } else { came.clone() };
    let late = late_words(now.since(due));
    let mut relief = Relief { room, name, now, late, goes, on, known: BTreeMap::new(), told: 0 };
    let mut bodies = Vec::new();
    if !relief.on.is_empty() && !relief.goes.is_empty() {
        for incident in room.incidents.values().filter(|i| i.phase().is_active()) {
            bodies.extend(relief.of(incident));
        }
    }
    bodies.push(Body::ShiftChanged { schedule: name.to_owned(), due, left, came });
    bodies
}

/// A change of shift as it meets one incident after the other.
struct Relief<'a> {
    room: &'a Room,
    /// The schedule.
    name: &'a str,
    now: Timestamp,
    /// How late it is looked at, in words; empty: in time.
    late: String,
    /// Who goes.
    goes: Vec<String>,
    /// Who comes, or who is left where nobody does.
    on: Vec<String>,
    /// Policy → where this schedule stands in it; none: nowhere.
    known: BTreeMap<String, Option<Place>>,
    /// Words to people that it holds already.
    told: u32,
}

/// Where a schedule stands in a policy.
struct Place {
    /// The first level that it fills; after the last one: it is the fallback's.
    level: u16,
    /// Who is on duty now at that level or before it: whoever goes from here to there goes nowhere.
    near: BTreeSet<String>,
}

impl Relief<'_> {
    fn of(&mut self, incident: &Incident) -> Vec<Body> {
        let key = incident
            .esc
            .policy
            .as_ref()
            .map_or_else(String::new, |policy| format!("{} {}", policy.name, policy.digest));
        if !self.known.contains_key(&key) {
            let place = self.place(incident);
            self.known.insert(key.clone(), place);
        }
        let Some(Some(place)) = self.known.get(&key) else { return Vec::new() };
        let bodies = match &incident.ack {
            None => self.page(incident, place),
            Some(ack) => self.hand_over(incident, ack, place),
        };
        self.told += words_in(&bodies);
        bodies
    }

    fn place(&self, incident: &Incident) -> Option<Place> {
        let plan = &self.room.plan;
        let taken = self.room.desk.policy(incident.esc.policy.as_ref());
        // The plan may call a schedule otherwise than when the incident took its policy.
        let name = incident.esc.policy.as_ref().map(|policy| &*policy.name);
        let now = name.and_then(|name| plan.policies.get(name));
        let count = taken.map_or(0, |policy| policy.levels.len());
        let of = |targets: &[String]| -> Vec<String> {
            let names = targets.iter().filter_map(|target| target.strip_prefix("schedule:"));
            names.map(str::to_owned).collect()
        };
        let mut near = BTreeSet::new();
        for level in 0..=count {
            let both = [taken, now].into_iter().flatten().filter_map(|it| it.levels.get(level));
            let mut schedules: Vec<String> = both.flat_map(|level| of(&level.targets)).collect();
            if level == count {
                schedules.extend(of(&plan.fallback));
            }
            near.extend(
                schedules.iter().flat_map(|name| self.room.desk.on_call(plan, name, self.now)),
            );
            if schedules.iter().any(|name| name == self.name) {
                return Some(Place { level: u16::try_from(level).ok()?, near });
            }
        }
        None
    }

    /// Whoever comes on duty is wanted for what those who went were wanted for, while nobody answers.
    fn page(&self, incident: &Incident, place: &Place) -> Vec<Body> {
        // A level that was not reached yet finds whoever is there when its time comes.
        let is_reached = incident.esc.next > place.level || incident.esc.round > 0;
        let waits = |page: &Delivery| is_open_page(page) && self.goes.contains(&page.wanted.to);
        if !is_reached || !incident.esc.deliveries.iter().any(waits) {
            return Vec::new();
        }
        let fresh = self.on.iter().filter(|who| !incident.is_called(who));
        let targets: Vec<String> = fresh.map(|who| format!("person:{who}")).collect();
        if targets.is_empty() {
            return Vec::new();
        }
        let (name, late) = (self.name, &self.late);
        let (reached, gaps) = reach::targets(asked(self.room, incident, self.now), &targets);
        let number = incident.esc.last_number + 1;
        let missing = [String::new()].into_iter().chain(gaps).collect::<Vec<_>>().join("; ");
        if reached.is_empty() {
            let why = format!("nobody is reached who is on duty now ({name}){missing}");
            let mut pages = fallback(self.room, incident, number, &why, self.now);
            pages.retain(|page| !incident.is_called(&page.to));
            let reason = format!("{why}; the fallback instead{late}");
            let change = Change::PagedByHand { reason, pages, lost: Vec::new() };
            return of(incident.id, change);
        }
        let why = format!("you are on duty now ({name}), and {}", unanswered(incident));
        let pages = reach::wanted(reached, DeliveryKind::Page, number, &why);
        let reason = format!("on duty now ({name}), and nobody has answered{missing}{late}");
        of(incident.id, Change::PagedByHand { reason, pages, lost: Vec::new() })
    }

    /// What somebody holds who goes is offered to whoever comes; an offer to somebody who went as well
    /// is offered anew, or falls away where its giver is back.
    fn hand_over(&self, incident: &Incident, ack: &Ack, Place { near, .. }: &Place) -> Vec<Body> {
        let goes = |who: &String| self.goes.contains(who) && !near.contains(who);
        let holder_goes = goes(&ack.by);
        let offer = incident.esc.handover.as_ref();
        let is_stale = offer.is_some_and(|offer| {
            !near.contains(&offer.to) && (offer.by_clock && goes(&offer.to) || holder_goes)
        });
        if offer.is_some() != is_stale || !(holder_goes || is_stale) {
            return Vec::new();
        }
        if let Some(offer) = offer.filter(|_| near.contains(&ack.by)) {
            let (by, reason) = ("the change of shift", format!("{} went off duty", offer.to));
            let told = offer_over(self.room, incident, &reason, self.told, self.now);
            let over = of(incident.id, Change::HandoverRefused { by: by.to_owned(), reason });
            return over.into_iter().chain(told).collect();
        }
        let candidates = || self.on.iter().filter(|who| **who != ack.by);
        let asked = asked(self.room, incident, self.now);
        let is_reached = |who: &&String| reach::methods(asked, who).is_ok();
        let Some(to) = candidates().find(is_reached).or_else(|| candidates().next()) else {
            return Vec::new();
        };
        let why = format!("the shift ends{}", self.late);
        offer_to(self.room, incident, (&ack.by, to), (&why, ""), self.now)
    }
}

fn is_open_page(page: &Delivery) -> bool {
    page.wanted.kind == DeliveryKind::Page && page.is_open()
}

/// Somebody stands in, or has taken a turn, whom the plan does not know any more: that is over.
pub fn next_stranger(room: &Room, now: Timestamp) -> Option<Vec<Body>> {
    let (name, it) = room.desk.by_strangers(&room.plan, now).next()?;
    let schedule = name.clone();
    Some(match it {
        Ok(cover) => {
            let told = cover_told(room, "the plan", (name, cover), "no longer stands in", now);
            let revoked = Body::CoverRevoked { schedule, cover: cover.id };
            std::iter::once(revoked).chain(told).collect()
        }
        Err(swap) => vec![Body::SwapAnswered { schedule, swap: swap.id, accepted: false }],
    })
}

/// Who left the plan is waited for no longer, wherever it was not put on record yet.
pub fn gone(room: &Room, now: Timestamp) -> Vec<Body> {
    let mut bodies = Vec::new();
    for incident in room.incidents.values() {
        let told = words_in(&bodies);
        bodies.extend(left(room, incident, told, now));
    }
    bodies
}

/// Who offered an incident hears that the offer is over without anybody's word: it is still theirs.
fn offer_over(
    room: &Room,
    incident: &Incident,
    why: &str,
    before: u32,
    now: Timestamp,
) -> Option<Body> {
    let offer = incident.esc.handover.as_ref()?;
    let id = incident.id;
    let subject = format!("{} does not take {id}: you still have it", offer.to);
    let text = format!("The offer of {id} ({}) is over: {why}.", incident.title);
    word(asked(room, incident, now), "", &[&offer.from], (subject, text), before)
}

/// Who left the plan is waited for no longer: neither for their own answer, nor for what they answered
/// for, which pages again, because nobody could reach them any more. `told`: how many words to people
/// go out with it already.
pub fn left(room: &Room, incident: &Incident, told: u32, now: Timestamp) -> Vec<Body> {
    let (desk, esc) = (&room.desk, &incident.esc);
    if desk.left.is_empty() || !incident.phase().is_active() {
        return Vec::new();
    }
    let open = || esc.deliveries.iter().filter(|page| is_open_page(page));
    let is_out = |page: &&Delivery| desk.has_left_since(&page.wanted.to, page.at);
    // Whom somebody paged since by hand is waited for all the same.
    let is_kept = |who: &str| open().any(|page| page.wanted.to == who && !is_out(&page));
    let called = open().filter(is_out).map(|page| page.wanted.to.clone());
    let must = esc.must.iter().filter(|who| desk.left.contains_key(*who)).cloned();
    let people: BTreeSet<String> = called.chain(must).filter(|who| !is_kept(who)).collect();
    let id = incident.id;
    let mut bodies = Vec::new();
    let stays = open().any(|page| !people.contains(&page.wanted.to));
    if !people.is_empty() {
        let people: Vec<String> = people.iter().cloned().collect();
        bodies.extend(of(id, Change::AnswersDropped { people }));
    }
    if let Some(offer) = esc.handover.as_ref().filter(|it| desk.has_left_since(&it.to, it.at)) {
        let (by, reason) = (offer.to.clone(), "is in the plan no more".to_owned());
        let why = format!("{by} {reason}");
        let told = offer_over(room, incident, &why, told, now);
        bodies.extend(of(id, Change::HandoverRefused { by, reason }).into_iter().chain(told));
    }
    match &incident.ack {
        Some(ack) if desk.has_left_since(&ack.by, ack.at) => {
            let (by, after_min) = (ack.by.clone(), 0);
            bodies.extend(of(id, Change::AckExpired { by, after_min, gone: true, late_ms: 0 }));
        }
        None if !people.is_empty() && !stays && esc.pause.is_none() => {
            let names: Vec<&str> = people.iter().map(String::as_str).collect();
            let why = format!("{}, who was paged for it, is in the plan no more", names.join(", "));
            bodies.extend(of(id, Change::BegunAnew { why }));
        }
        Some(_) | None => {}
    }
    bodies
}

/// An offer of an incident from somebody to somebody, with a brief, why, and what the giver notes.
pub fn offer_to(
    room: &Room,
    incident: &Incident,
    (from, to): (&str, &str),
    (why, note): (&str, &str),
    now: Timestamp,
) -> Vec<Body> {
    // What they must know is on record with the offer, not in the message alone.
    let brief = [note, &brief(room, incident, now)].join("\n").trim_start().to_owned();
    let why = if note.is_empty() { why } else { note };
    let why = format!("{from} offers you {}: {why}", incident.id);
    let target = vec![format!("person:{to}")];
    let (mut reached, _) = reach::targets(asked(room, incident, now), &target);
    if reached.is_empty()
        && let Ok(methods) = reach::methods(asked(room, incident, now), to)
    {
        reached.push(reach::Reached { to: to.to_owned(), methods, through: "offer".to_owned() });
    }
    let number = incident.esc.last_number + 1;
    let pages = reach::wanted(reached, DeliveryKind::Handover, number, &why);
    let (from, to) = (from.to_owned(), to.to_owned());
    of(incident.id, Change::HandoverOffered { from, to, brief, pages })
}

/// What the next one must know of an incident, in a few lines.
fn brief(room: &Room, incident: &Incident, now: Timestamp) -> String {
    let mut lines = vec![format!(
        "{} {} {}, open for {}: {}",
        incident.id,
        incident.severity,
        incident.phase(),
        span_words(now.since(incident.opened_at)),
        incident.title
    )];
    lines.push(format!(
        "{} of {} alerts fire; commander {}",
        incident.firing(),
        incident.members.len(),
        incident.commander().unwrap_or("nobody")
    ));
    for debt in incident.debts() {
        let until = debt.expires.map(|at| format!(" until {at}")).unwrap_or_default();
        lines.push(format!("in force: {} {}{until}: {}", debt.kind, debt.number, debt.text));
    }
    for remedy in incident.remedies.iter().filter(|r| !r.is_debt()) {
        lines.push(format!(
            "tried: {} {} ({}): {}",
            remedy.kind, remedy.number, remedy.outcome, remedy.text
        ));
    }
    let untold = room.plan.audience_of(incident).map(|(name, _)| name.as_str());
    let untold: Vec<&str> = untold.filter(|name| !incident.told.contains_key(*name)).collect();
    if !untold.is_empty() {
        lines.push(format!("NOT TOLD yet: {}", untold.join(", ")));
    }
    for (who, told) in &incident.told {
        let next = told.next_by.map(|at| format!(", next by {at}")).unwrap_or_default();
        lines.push(if told.count == 0 {
            format!("NOT TOLD yet: {who}{next}")
        } else {
            format!("told {who} at {}{next}: {}", told.at, told.text)
        });
    }
    lines.push(format!("more: warroom brief {} --for handover", incident.id));
    lines.join("\n")
}
