//! What follows where somebody was not told in time: those who lead communication hear of it, then
//! those who command.
//!
//! Invariants:
//! - A miss is a fact, whether or not anybody is there to hear of it.

use std::collections::BTreeSet;

use crate::domain::decide::legal::{is_late, words as clock_words};
use crate::domain::decide::talk::body;
use crate::domain::delivery::Stand;
use crate::domain::event::Body;
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::legal;
use crate::domain::reach::{self, Asked, Reached};
use crate::domain::room::Room;
use crate::domain::stakeholder::Audience;
use crate::domain::talk::change::{Lost, MissedOne, TalkChange};
use crate::domain::talk::heard::{self, MustHear};
use crate::domain::talk::promise::{self, STEPS_MAX, What};
use crate::domain::time::{HOUR_MS, Timestamp};
use crate::domain::words::{DeliveryKind, Role, Severity};

/// What is told where a promise was missed, or where not all got an update, and to whom.
pub fn missed(room: &Room, id: IncidentId, now: Timestamp) -> Vec<Body> {
    let Some(incident) = room.incidents.get(&id) else { return Vec::new() };
    let lost: Vec<Lost> =
        promise::lost(incident).filter(|it| !promise::is_lost_told(incident, it)).collect();
    if !lost.is_empty() {
        // What is missed besides comes due again at once.
        return some_lost(room, incident, lost, now);
    }
    if let Some((_, word)) = heard::unheard(incident, &room.plan).filter(|(at, _)| *at <= now) {
        return vec![word_lost(room, incident, word, now)];
    }
    let (missed, step) = promise::missed(incident, &room.plan, now);
    if missed.is_empty() {
        return Vec::new();
    }
    let lead = if missed.iter().all(|promise| promise.who.starts_with("press ")) {
        Role::Spokesperson
    } else {
        lead_for(room, missed.iter().map(|promise| promise.who))
    };
    let before = missed.iter().filter_map(|promise| incident.talk.missed.get(promise.who));
    let before = before.flat_map(|told| &told.pages);
    let knows: BTreeSet<&str> = before
        .filter_map(|number| Some(incident.esc.delivery(*number)?.wanted.to.as_str()))
        .collect();
    let knows = if step == 0 { BTreeSet::new() } else { knows };
    let reached = first_reached(room, incident, (lead, &knows, incident.severity), step, now);
    let names = missed.iter().map(|promise| MissedOne {
        who: promise.who.to_owned(),
        due: promise.due,
        unreached: promise.what == What::Unreached,
    });
    let names: Vec<MissedOne> = names.collect();
    let words: Vec<String> = names.iter().map(|missed| missed.words(now)).collect();
    let still = if step == 0 { "NOT TOLD in time" } else { "STILL NOT TOLD" };
    let why = format!("{still}: {}", words.join(", "));
    let number = incident.esc.last_number + 1;
    let pages = reach::wanted(reached, DeliveryKind::Inform, number, &why);
    vec![body(id, TalkChange::Missed { names, step, pages })]
}

/// Who leads the words to these.
fn lead_for<'a>(room: &Room, mut who: impl Iterator<Item = &'a str>) -> Role {
    let is_inside = |who: &str| {
        let known = room.plan.stakeholders.get(who);
        known.is_some_and(|s| s.audience == Audience::Internal)
    };
    if who.all(is_inside) { Role::InternalLiaison } else { Role::CustomerLiaison }
}

/// Some of the readers of an update did not get it: whoever leads communication hears of it once.
fn some_lost(room: &Room, incident: &Incident, lost: Vec<Lost>, now: Timestamp) -> Vec<Body> {
    let lead = lead_for(room, lost.iter().map(|lost| lost.who.as_str()));
    let none = BTreeSet::new();
    let mut reached = first_reached(room, incident, (lead, &none, incident.severity), 0, now);
    // Whoever wrote it can mend it.
    let asked = Asked { plan: &room.plan, desk: &room.desk, severity: incident.severity, now };
    let authors: BTreeSet<&str> = lost
        .iter()
        .filter_map(|lost| Some(incident.talk.update(lost.update)?.by.as_str()))
        .filter(|by| !reached.iter().any(|known| known.to == *by))
        .collect();
    let authors: Vec<Reached> = authors
        .into_iter()
        .filter_map(|by| {
            let (to, through) = (by.to_owned(), "you wrote it".to_owned());
            Some(Reached { to, methods: reach::methods(asked, by).ok()?, through })
        })
        .collect();
    reached.extend(authors);
    let why = heard::not_all_words(&lost);
    let number = incident.esc.last_number + 1;
    let pages = reach::wanted(reached, DeliveryKind::Inform, number, &why);
    vec![body(incident.id, TalkChange::SomeLost { lost, pages })]
}

/// Words that somebody must hear got through to nobody: the next hear them who were not tried, in the
/// end everybody.
fn word_lost(room: &Room, incident: &Incident, word: &MustHear, now: Timestamp) -> Body {
    let tried = incident.esc.deliveries.iter().filter(|page| {
        let is_word = page.wanted.kind == DeliveryKind::Inform;
        is_word && matches!(page.stand, Stand::Failed { at } if at.plus(HOUR_MS) > now)
    });
    let tried: BTreeSet<&str> = tried.map(|page| page.wanted.to.as_str()).collect();
    // The last step is taken again and again: whoever was tried then is tried anew.
    let is_again = word.step + 1 >= STEPS_MAX;
    let tried = if is_again { BTreeSet::new() } else { tried };
    let lead = (Role::InternalLiaison, &tried, how_bad(room, incident, word, now));
    // Of whom nobody could be told, nobody was tried: they are asked for in their order.
    let from = if is_again || word.pages.is_empty() { word.step } else { word.step + 1 };
    let steps = from..if is_again { from + 1 } else { STEPS_MAX };
    let found = steps.map(|step| {
        let mut reached = first_reached(room, incident, lead, step, now);
        reached.retain(|one| !tried.contains(one.to.as_str()));
        (step, reached)
    });
    let last = (STEPS_MAX - 1, Vec::new());
    let (step, reached) = found.into_iter().find(|(_, it)| !it.is_empty()).unwrap_or(last);
    let (words, what) = (word.pages.clone(), words_now(room, incident, word, now));
    let why = if words.is_empty() {
        format!("NOBODY COULD BE TOLD before: {what}")
    } else {
        format!("NOT HEARD by {}: {what}", names(incident, word))
    };
    let number = incident.esc.last_number + 1;
    let pages = reach::wanted(reached, DeliveryKind::Inform, number, &why);
    let why = what;
    body(incident.id, TalkChange::WordLost { words, why, step, pages })
}

/// How bad it is that nobody heard words: the law waits in no quiet hours.
fn how_bad(room: &Room, incident: &Incident, word: &MustHear, now: Timestamp) -> Severity {
    let open = legal::open(incident, &room.plan, now);
    let is_its = |it: &&legal::Running<'_>| {
        word.clocks.iter().any(|(rule, stage)| it.rule.id == *rule && it.clock.stage == *stage)
    };
    let has_late = open.iter().filter(is_its).any(|it| is_late(&it.clock));
    if has_late { Severity::Sev1 } else { incident.severity }
}

/// What words say now: how far a clock has run changes while they are told again.
fn words_now(room: &Room, incident: &Incident, word: &MustHear, now: Timestamp) -> String {
    let open = legal::open(incident, &room.plan, now);
    let clocks = word.clocks.iter().filter_map(|(rule, stage)| {
        let it = open.iter().find(|it| it.rule.id == *rule && it.clock.stage == *stage)?;
        Some(format!("{rule} {stage}: {}", clock_words(&it.clock, now)))
    });
    let clocks: Vec<String> = clocks.collect();
    if clocks.is_empty() { word.why.clone() } else { clocks.join("; ") }
}

/// Whom words were for.
fn names(incident: &Incident, word: &MustHear) -> String {
    let to = |number: &u32| Some(incident.esc.delivery(*number)?.wanted.to.clone());
    word.pages.iter().filter_map(to).collect::<Vec<_>>().join(", ")
}

/// Who hears of a miss, in order: first the one who leads communication, then who commands; then
/// whoever holds the incident. Where neither got a word of it, those on whom the plan falls back do.
fn ranks(incident: &Incident, lead: Role, step: u8) -> [(&'static str, Vec<String>); 4] {
    if step > 1 {
        return <[(&str, Vec<String>); 4]>::default();
    }
    let role = |role: Role| incident.roles.get(&role).cloned().unwrap_or_default();
    let other =
        if lead == Role::InternalLiaison { Role::CustomerLiaison } else { Role::InternalLiaison };
    let own = role(lead);
    let liaisons = if own.is_empty() { role(other) } else { own };
    let commander = role(Role::Commander);
    let command = if commander.is_empty() { role(Role::Deputy) } else { commander };
    let ack = incident.ack.as_ref().map(|ack| ack.by.clone());
    let holder: Vec<String> = ack.or_else(|| incident.owner.clone()).into_iter().collect();
    let deputy = ("you are its deputy", role(Role::Deputy));
    let liaisons = ("you lead its communication", liaisons);
    let command = ("you command it", command);
    let holder = ("you have it", holder);
    if step == 0 {
        [liaisons, command, deputy, holder]
    } else {
        [command, deputy, liaisons, holder]
    }
}

/// Who hears of it, as bad as it is: the first of them of whom somebody can be reached now who does not know; where
/// there is nobody, those on whom the plan falls back.
pub(super) fn first_reached(
    room: &Room,
    incident: &Incident,
    (lead, knows, severity): (Role, &BTreeSet<&str>, Severity),
    step: u8,
    now: Timestamp,
) -> Vec<Reached> {
    let asked = Asked { plan: &room.plan, desk: &room.desk, severity, now };
    let reach = |(through, people): (&str, Vec<String>)| -> Vec<Reached> {
        people
            .into_iter()
            .filter(|to| !knows.contains(to.as_str()))
            .filter_map(|to| {
                let methods = reach::methods(asked, &to).ok()?;
                Some(Reached { to, methods, through: through.to_owned() })
            })
            .collect()
    };
    let mut ranks = ranks(incident, lead, step).into_iter().map(reach);
    let found = ranks.find(|reached| !reached.is_empty());
    let fallback = || reach::targets(asked, &room.plan.fallback).0;
    let found = found.unwrap_or_else(|| if step > 2 { Vec::new() } else { fallback() });
    if !found.is_empty() {
        return found;
    }
    everybody(room, severity, now)
}

/// Everybody whom something reaches now, of what is so bad.
pub(super) fn everybody(room: &Room, severity: Severity, now: Timestamp) -> Vec<Reached> {
    let asked = Asked { plan: &room.plan, desk: &room.desk, severity, now };
    let all: Vec<String> = room.plan.people.keys().map(|login| format!("person:{login}")).collect();
    reach::targets(asked, &all).0
}
