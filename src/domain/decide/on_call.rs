//! Who is on call beside the plan's files: covers and swaps, and that those hear of it whom it is
//! about.
//!
//! Invariants:
//! - Whoever is on call must be reachable, and really have the turn that they give.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each file decides its own commands; `route` is the exhaustive list"
)]

use crate::domain::command::Command;
use crate::domain::decide::talk::methods;
use crate::domain::decide::{Decision, already, bad};
use crate::domain::delivery::{Method, Wanted};
use crate::domain::event::Body;
use crate::domain::reach::Asked;
use crate::domain::rejection::{Rejection, RejectionKind};
use crate::domain::room::Room;
use crate::domain::schedule::{self, Cover, Duty, Swap, SwapState, TurnId};
use crate::domain::time::{DAY_MS, Timestamp};
use crate::domain::words::{DeliveryKind, Severity};

/// The longest cover.
const COVER_MAX_MS: i64 = 60 * DAY_MS;

pub(super) fn decide(room: &Room, login: &str, command: &Command, now: Timestamp) -> Decision {
    match command {
        Command::CoverShift { .. } => cover(room, login, command, now),
        Command::RevokeCover { schedule, cover } => revoke(room, login, schedule, *cover, now),
        Command::AskSwap { .. } => ask_swap(room, login, command, now),
        Command::AnswerSwap { schedule, swap, accept } => {
            answer_swap(room, login, (schedule, *swap), *accept, now)
        }
        _ => Err(bad("not a command about who is on call", "this is a defect; please report it")),
    }
}

fn known_schedule<'a>(room: &'a Room, name: &str) -> Result<&'a schedule::Schedule, Rejection> {
    room.plan.schedules.get(name).ok_or_else(|| {
        let known = room.plan.schedules.keys().cloned().collect::<Vec<_>>().join(", ");
        bad(format!("there is no schedule '{name}'"), format!("use one of: {known}"))
    })
}

fn known_person(room: &Room, login: &str) -> Result<(), Rejection> {
    if room.plan.people.contains_key(login) {
        return Ok(());
    }
    Err(bad(
        format!("'{login}' is nobody whom the plan can reach"),
        "add them to [people] first: whoever is on call must be reachable",
    ))
}

fn cover(room: &Room, login: &str, command: &Command, now: Timestamp) -> Decision {
    let Command::CoverShift { schedule, from, until, person, instead_of, reason } = command else {
        return Err(bad("not a cover", ""));
    };
    let found = known_schedule(room, schedule)?;
    known_person(room, person)?;
    if *until <= now || until <= from || until.since(*from) > COVER_MAX_MS {
        return Err(bad(
            format!("from {from} until {until} cannot be covered"),
            "give an end that lies ahead, at most 60 days after its beginning",
        ));
    }
    let cover = Cover {
        id: room.desk.last_change + 1,
        from: *from,
        until: *until,
        person: person.clone(),
        instead_of: instead_of.clone().filter(|who| !who.is_empty()),
        reason: reason.trim().to_owned(),
        by: login.to_owned(),
    };
    let (holidays, changes) = (&room.plan.holidays, room.desk.changes_of(schedule));
    if let Some((what, next)) = schedule::without_effect(found, holidays, changes, &cover, now) {
        return Err(bad(format!("the cover would change nothing: {what}"), next));
    }
    let told = cover_told(room, login, (schedule, &cover), "stands in", now);
    let covered = Body::ShiftCovered { schedule: schedule.clone(), cover };
    Ok(std::iter::once(covered).chain(told).collect())
}

/// Whoever stands in without having said so themselves, and whoever is stood in for, hear it.
pub(super) fn cover_told(
    room: &Room,
    login: &str,
    (schedule, cover): (&str, &Cover),
    head: &str,
    now: Timestamp,
) -> Option<Body> {
    let whose = cover.instead_of.as_deref();
    let zone = room.plan.schedules.get(schedule).map_or(chrono_tz::UTC, |it| it.zone);
    // Without a name it is in the place of everybody who would be on duty then.
    let mut changes = room.desk.changes_of(schedule).clone();
    changes.covers.retain(|known| known.id != cover.id);
    let at = cover.from.max(now);
    let without = room
        .plan
        .schedules
        .get(schedule)
        .into_iter()
        .flat_map(|schedule| schedule::on_duty(schedule, &room.plan.holidays, &changes, at));
    let without: Vec<String> = without.map(|duty| duty.person).collect();
    let others = without.iter().map(String::as_str).filter(|_| whose.is_none());
    let people: Vec<&str> =
        std::iter::once(cover.person.as_str()).chain(whose).chain(others).collect();
    let instead = whose.map(|whose| format!(" instead of {whose}")).unwrap_or_default();
    let why = Some(&cover.reason).filter(|why| !why.is_empty());
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    let words = format!(
        "{} {head} on '{schedule}'{instead} from {} until {}{why} (cover {}; {login} said so).",
        cover.person,
        cover.from.in_words(zone),
        cover.until.in_words(zone),
        cover.id
    );
    let subject = format!("On call: {} {head} on '{schedule}'", cover.person);
    told(room, login, &people, subject, words, now)
}

/// A cover that is taken back.
fn revoke(room: &Room, login: &str, name: &str, id: u32, now: Timestamp) -> Decision {
    let Some(cover) = room.desk.changes_of(name).covers.iter().find(|c| c.id == id) else {
        return Err(bad(
            format!("schedule '{name}' has no cover {id}"),
            "list them with 'warroom oncall'",
        ));
    };
    let told = cover_told(room, login, (name, cover), "no longer stands in", now);
    let revoked = Body::CoverRevoked { schedule: name.to_owned(), cover: id };
    Ok(std::iter::once(revoked).chain(told).collect())
}

fn told(
    room: &Room,
    login: &str,
    people: &[&str],
    subject: String,
    text: String,
    now: Timestamp,
) -> Option<Body> {
    let asked = Asked { plan: &room.plan, desk: &room.desk, severity: Severity::Sev4, now };
    word(asked, login, people, (subject, text), 0)
}

/// A word to people by their own methods: not to whoever did it themselves, and to nobody whom nothing
/// reaches. `before`: how many such words the same decision holds already.
pub(super) fn word(
    asked: Asked<'_>,
    login: &str,
    people: &[&str],
    (subject, text): (String, String),
    before: u32,
) -> Option<Body> {
    let mut letters: Vec<Wanted> = Vec::new();
    for who in people.iter().filter(|who| **who != login) {
        let methods = methods(asked, &format!("person:{who}"));
        let methods: Vec<Method> =
            methods.into_iter().filter(|method| method.channel() != "terminal").collect();
        if methods.is_empty() || letters.iter().any(|known| known.to == **who) {
            continue;
        }
        let own = u32::try_from(letters.len()).unwrap_or(0);
        let number = asked.desk.last_notice + before + 1 + own;
        let (to, why) = ((*who).to_owned(), subject.clone());
        letters.push(Wanted { number, kind: DeliveryKind::Update, to, why, methods });
    }
    let (together, look) = (false, None);
    (!letters.is_empty()).then_some(Body::PeopleTold { subject, text, letters, together, look })
}

/// How many words to people a decision holds.
pub(super) fn words_in(bodies: &[Body]) -> u32 {
    let of = |body: &Body| match body {
        Body::PeopleTold { letters, .. } => u32::try_from(letters.len()).unwrap_or(0),
        _ => 0,
    };
    bodies.iter().map(of).sum()
}

/// Makes words go in one message with what else the same reader is told at the same time.
pub(super) const fn gather(told: &mut Body) {
    if let Body::PeopleTold { together, .. } = told {
        *together = true;
    }
}

/// The turn that somebody has at an instant.
fn turn_at(room: &Room, name: &str, person: &str, at: Timestamp) -> Result<TurnId, Rejection> {
    let schedule = known_schedule(room, name)?;
    let changes = room.desk.changes_of(name);
    let on_duty = schedule::on_duty(schedule, &room.plan.holidays, changes, at);
    let is_theirs = |duty: &Duty| duty.person == person;
    on_duty.into_iter().find(is_theirs).and_then(|duty| duty.turn).ok_or_else(|| {
        bad(
            format!("{person} has no turn on '{name}' at {at}"),
            "give an instant within one of their turns ('warroom oncall' lists them)",
        )
    })
}

fn ask_swap(room: &Room, login: &str, command: &Command, now: Timestamp) -> Decision {
    let Command::AskSwap { schedule, from, at, with, their_at } = command else {
        return Err(bad("not a swap", ""));
    };
    let giver = from.as_deref().unwrap_or(login);
    known_person(room, with)?;
    if giver == with {
        return Err(bad(format!("{giver} cannot swap with themselves"), "name somebody else"));
    }
    let a = turn_at(room, schedule, giver, *at)?;
    let b = their_at.map(|at| turn_at(room, schedule, with, at)).transpose()?;
    let known = known_schedule(room, schedule)?;
    for turn in [Some(&a), b.as_ref()].into_iter().flatten() {
        if let Some((_, until)) = schedule::turn_span(known, turn).filter(|(_, end)| *end <= now) {
            return Err(bad(
                format!("that turn ended at {}", until.clock_near(now)),
                "give an instant within one that is not over",
            ));
        }
    }
    let swap = Swap {
        id: room.desk.last_change + 1,
        a,
        b,
        person_a: giver.to_owned(),
        person_b: with.clone(),
        state: SwapState::Asked,
        since: None,
    };
    let text = format!(
        "{giver} asks you to take a turn on '{schedule}'. Swap {}.\n\nTake it: warroom swap {schedule} \
         --accept {id}\nRefuse it: warroom swap {schedule} --refuse {id}\nOr in the console (e V).",
        schedule::swap_words(known_schedule(room, schedule)?, &swap),
        id = swap.id
    );
    let subject = format!("On call: {giver} asks you to take a turn on '{schedule}'");
    let letter = told(room, login, &[with], subject, text, now);
    let asked = Body::SwapAsked { schedule: schedule.clone(), swap };
    Ok(std::iter::once(asked).chain(letter).collect())
}

/// Whoever gives a turn still has it: nobody is told that they take one which somebody else took.
fn still_theirs(room: &Room, name: &str, swap: &Swap) -> Result<(), Rejection> {
    let schedule = known_schedule(room, name)?;
    let changes = room.desk.changes_of(name);
    let given = [Some((&swap.a, &swap.person_a)), swap.b.as_ref().map(|b| (b, &swap.person_b))];
    for (turn, giver) in given.into_iter().flatten() {
        let holders = schedule::holders(schedule, changes, turn);
        if !holders.contains(giver) {
            let have =
                if holders.is_empty() { "nobody has".to_owned() } else { holders.join(", ") };
            return Err(Rejection::new(
                RejectionKind::Conflict,
                format!("{giver} no longer has that turn: it is now of {have}"),
                "refuse it, and ask anew for another turn",
            ));
        }
    }
    Ok(())
}

fn answer_swap(
    room: &Room,
    login: &str,
    (name, id): (&str, u32),
    accept: bool,
    now: Timestamp,
) -> Decision {
    let known = room.desk.changes_of(name).swaps.iter().find(|swap| swap.id == id);
    let Some(swap) = known else {
        return Err(bad(
            format!("schedule '{name}' has no swap {id}"),
            "list them with 'warroom oncall'",
        ));
    };
    if swap.state != SwapState::Asked {
        return Err(already(format!("swap {id} was answered")));
    }
    // The one who takes the shift decides; the one who asked may only take it back.
    if swap.person_b != login && (accept || swap.person_a != login) {
        return Err(Rejection::new(
            RejectionKind::NotAllowed,
            format!("swap {id} was asked of {}", swap.person_b),
            format!("only {} can accept it", swap.person_b),
        ));
    }
    if accept {
        still_theirs(room, name, swap)?;
    }
    let how = if accept { "in force" } else { "not taken" };
    let words = schedule::swap_words(known_schedule(room, name)?, swap);
    let subject = format!("On call: a swap on '{name}' is {how}");
    let people = [swap.person_a.as_str(), swap.person_b.as_str()];
    let letter = told(room, login, &people, subject, format!("Swap {words}: {how}."), now);
    let (schedule, swap, accepted) = (name.to_owned(), id, accept);
    let answered = Body::SwapAnswered { schedule, swap, accepted };
    Ok(std::iter::once(answered).chain(letter).collect())
}
