//! What is said to stakeholders: drafts, approvals, promises, the press.
//!
//! Invariants:
//! - What only our own people may know is never sent to anybody who may know less.
//! - An update that somebody must look at goes only after somebody else did, or with a reason on
//!   record why nobody could.
//! - Whoever cannot be reached by a channel is named as somebody to be told by hand.

use crate::domain::change::Change;
use crate::domain::command::Order;
use crate::domain::decide::{
    Decision, ahead, already, bad, find, live, not_now, one, reason, wanted,
};
use crate::domain::decide::{approve, draft};
use crate::domain::delivery::{Method, Wanted};
use crate::domain::event::Body;
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::reach::{self, Asked};
use crate::domain::rejection::{Rejection, RejectionKind};
use crate::domain::room::Room;
use crate::domain::stakeholder::{Audience, can_send};
use crate::domain::talk;
use crate::domain::talk::change::{Draft, Inquiry, Moved, Posted, Sent, TalkChange, TalkWish};
use crate::domain::talk::promise;
use crate::domain::time::{HOUR_MS, Timestamp};
use crate::domain::words::{DeliveryKind, Moment, Role};

/// Recipients of one update at the most.
const RECIPIENTS_MAX: usize = 20_000;
/// How long the press waits for an answer after the holding statement, where no time was agreed on, in
/// milliseconds.
const HELD_MS: i64 = HOUR_MS;
/// Messages in one event at the most.
const LETTERS_MAX: usize = 2_000;
/// No incident is called long before it has lasted this long, in milliseconds.
const LONG_AFTER_MS: i64 = 2 * HOUR_MS;

pub(super) fn decide(
    room: &Room,
    order: &Order,
    id: IncidentId,
    wish: &TalkWish,
    now: Timestamp,
) -> Decision {
    match wish {
        TalkWish::Draft { .. } => {
            draft::draft(room, &order.actor.login, live(room, id)?, wish, now)
        }
        TalkWish::Approve { update, force, like, before_embargo } => {
            let update = approve::meant(live(room, id)?, *update, like.as_deref())?;
            let whys = (force.as_deref(), before_embargo.trim());
            approve::approve(room, order, live(room, id)?, update, whys, now)
        }
        TalkWish::Withdraw { update, reason } => {
            let known = approve::waiting(live(room, id)?, *update)?;
            let (update, reason) = (*update, reason.trim().to_owned());
            let told = approve::sent_back(room, order, live(room, id)?, known, &reason, now);
            let mut bodies = said(id, TalkChange::Withdrawn { update, reason })?;
            bodies.extend(told);
            Ok(bodies)
        }
        TalkWish::Promise { stakeholder, next_by, text } => {
            let incident = live(room, id)?;
            let stakeholder = known(room, id, stakeholder)?;
            ahead(*next_by, now)?;
            let text = text.trim().to_owned();
            keeps_word(room, incident, &stakeholder, (*next_by, now), &text)?;
            said(id, TalkChange::Promised { stakeholder, next_by: *next_by, text })
        }
        TalkWish::Cadence { long, reason: why } => cadence(live(room, id)?, *long, why, now),
        TalkWish::Feedback { stakeholder, score, text } => {
            find(room, id)?;
            let stakeholder = known(room, id, stakeholder)?;
            if !(1..=5).contains(score) {
                return Err(bad(format!("{score} is no score"), "give 1 (bad) to 5 (good)"));
            }
            let (score, text) = (*score, text.trim().to_owned());
            said(id, TalkChange::FeedbackGiven { stakeholder, score, text })
        }
        TalkWish::Inquire { .. } => inquire(find(room, id)?, wish),
        TalkWish::MoveInquiry { .. } => move_inquiry(find(room, id)?, wish, now),
        TalkWish::AnswerInquiry { inquiry, text } => {
            answer(order, find(room, id)?, *inquiry, text, now)
        }
        TalkWish::Hold { text } => {
            let incident = find(room, id)?;
            let by = speaker(order, incident)?;
            let text = wanted(text, "holding statement")?.to_owned();
            said(incident.id, TalkChange::HoldingSet { text, by })
        }
    }
}

/// The name of somebody whom the plan knows or who was told: a misspelt one would be late for ever.
fn known(room: &Room, id: IncidentId, name: &str) -> Result<String, Rejection> {
    let name = wanted(name, "stakeholder")?;
    let was_told = room.incidents.get(&id).is_some_and(|i| i.told.contains_key(name));
    if room.plan.stakeholders.contains_key(name) || was_told {
        return Ok(name.to_owned());
    }
    Err(bad(
        format!("'{name}' is nobody whom the plan names or who was told of {id}"),
        "name a stakeholder, or log a contact with them first ('warroom tell')",
    ))
}

/// A word that was given stands until they hear something new, and what the plan asks for is not put
/// off without a reason: a promise that is only moved is broken in silence.
fn keeps_word(
    room: &Room,
    incident: &Incident,
    who: &str,
    (next_by, now): (Timestamp, Timestamp),
    why: &str,
) -> Result<(), Rejection> {
    let all = promise::all(incident, &room.plan);
    let standing = all.iter().filter(|promise| promise.who == who).min_by_key(|p| p.due);
    match standing.filter(|promise| promise.due < next_by) {
        Some(promise) if promise.is_given => Err(not_now(
            format!("{who} wait for a word by {}", promise.due.clock_near(now)),
            "a later one takes a word to them: send an update, or log what you told them \
             ('warroom tell', u l)",
        )),
        Some(promise) if why.is_empty() => Err(Rejection::new(
            RejectionKind::NeedsReason,
            format!("by the plan {who} must hear by {}", promise.due.clock_near(now)),
            "promise an earlier time, or say of what they wait to hear",
        )),
        Some(_) | None => Ok(()),
    }
}

fn said(incident: IncidentId, change: TalkChange) -> Decision {
    one(incident, Change::Talk(Box::new(change)))
}

pub(super) fn body(incident: IncidentId, change: TalkChange) -> Body {
    Body::Incident { incident, change: Change::Talk(Box::new(change)) }
}

/// An update on its way: a message for each that something can be sent to.
pub(super) fn send(
    room: &Room,
    incident: &Incident,
    draft: &Draft,
    forced: Option<String>,
    now: Timestamp,
) -> Decision {
    let plan = &room.plan;
    let asked = Asked { plan, desk: &room.desk, severity: incident.severity, now };
    let mut sent = Sent {
        update: draft.update,
        forced,
        before_embargo: String::new(),
        letters: Vec::new(),
        more: 0,
        published: Vec::new(),
        by_hand: Vec::new(),
    };
    let mut number = incident.esc.last_number;
    for name in &draft.to {
        let Some(who) = plan.stakeholders.get(name) else {
            // The plan changed since it was written.
            sent.by_hand.push(name.clone());
            continue;
        };
        let why = format!("update {} for {name}", draft.update);
        let ways: Vec<Method> = who.sendable(plan).flat_map(|way| methods(asked, way)).collect();
        let own = (!ways.is_empty()).then_some(ways);
        let others = who.subscribers.iter().filter(|way| can_send(plan, way));
        let all = own.into_iter().chain(others.map(|way| methods(asked, way)));
        let before = number;
        for methods in all {
            number += 1;
            let (to, why) = (format!("stakeholder:{name}"), why.clone());
            let wanted = Wanted { number, kind: DeliveryKind::Update, to, why, methods };
            let (who, language) = (name.clone(), language_of(draft, &who.language));
            sent.letters.push(Posted { who, language, wanted });
        }
        let is_posted = number > before;
        if draft.public.is_some() && draft.audience == Audience::Public && who.reads_the_page() {
            sent.published.push(name.clone());
        } else if !is_posted {
            sent.by_hand.push(name.clone());
        }
    }
    if sent.letters.len() > RECIPIENTS_MAX {
        return Err(bad(
            format!("{} recipients are more than {RECIPIENTS_MAX}", sent.letters.len()),
            "send to a list server instead, or to fewer stakeholders at once",
        ));
    }
    let update = sent.update;
    let rest = sent.letters.split_off(sent.letters.len().min(LETTERS_MAX));
    sent.more = u32::try_from(rest.len()).unwrap_or(u32::MAX);
    let mut bodies = vec![body(incident.id, TalkChange::Sent(Box::new(sent)))];
    bodies.extend(in_letters(incident.id, update, rest));
    Ok(bodies)
}

fn in_letters(id: IncidentId, update: u32, mut rest: Vec<Posted>) -> Vec<Body> {
    let mut bodies = Vec::new();
    while !rest.is_empty() {
        let more = rest.split_off(rest.len().min(LETTERS_MAX));
        let letters = std::mem::replace(&mut rest, more);
        bodies.push(body(id, TalkChange::LettersAdded { update, letters }));
    }
    bodies
}

/// What was to follow an update and did not come to be: a kill or a full disk fell between the events
/// of one update. It is made again, by the plan as it is now.
pub fn unfinished(room: &Room, id: IncidentId, now: Timestamp) -> Vec<Body> {
    let Some(incident) = room.incidents.get(&id) else { return Vec::new() };
    let mut number = incident.esc.last_number;
    let mut bodies = Vec::new();
    for update in incident.talk.updates.iter().filter(|update| update.more > 0) {
        let Ok(all) = send(room, incident, &update.draft, None, now) else { continue };
        let letters = all.into_iter().filter_map(|body| match body {
            Body::Incident { change: Change::Talk(talk), .. } => match *talk {
                TalkChange::Sent(sent) => Some(sent.letters),
                TalkChange::LettersAdded { letters, .. } => Some(letters),
                _ => None,
            },
            _ => None,
        });
        let mut letters: Vec<Posted> = letters.flatten().collect();
        let done = letters.len().saturating_sub(update.more as usize);
        let mut rest = letters.split_off(done);
        for letter in &mut rest {
            number += 1;
            letter.wanted.number = number;
        }
        bodies.extend(in_letters(id, update.draft.update, rest));
    }
    bodies
}

/// The ways behind a stakeholder's channel: one, or those of a person in their order, but for those
/// that only page.
pub(super) fn methods(asked: Asked<'_>, way: &str) -> Vec<Method> {
    match way.strip_prefix("person:") {
        // Nobody answers an update: no way waits for an answer, and a console is no letter box.
        Some(login) => reach::methods(asked, login)
            .unwrap_or_default()
            .into_iter()
            .filter(|method| can_send(asked.plan, &method.name))
            .map(|method| Method { after_s: 0, ..method })
            .collect(),
        None => vec![Method::parse(way)],
    }
}

/// The language among those of an update that somebody reads; else its first one.
fn language_of(draft: &Draft, reads: &str) -> String {
    let found = draft.words.iter().find(|words| words.language == reads);
    found.or(draft.words.first()).map(|words| words.language.clone()).unwrap_or_default()
}

fn cadence(incident: &Incident, long: bool, why: &str, now: Timestamp) -> Decision {
    let id = incident.id;
    if incident.talk.is_long == long {
        let how = if long { "a long incident" } else { "not a long incident" };
        return Err(already(format!("{id} is {how}")));
    }
    let began = incident.moments.get(&Moment::Declared).copied().unwrap_or(incident.opened_at);
    if long && now.since(began) < LONG_AFTER_MS {
        return Err(not_now(
            format!("{id} was declared at {}, less than two hours ago", began.clock_minutes()),
            "for two hours words come as often as at first",
        ));
    }
    let why = if long { reason(why, "having words come less often")? } else { why.trim() };
    said(id, TalkChange::CadenceSet { long, reason: why.to_owned() })
}

fn inquire(incident: &Incident, wish: &TalkWish) -> Decision {
    let TalkWish::Inquire { outlet, person, question, answer_by, embargo } = wish else {
        return Err(bad("not an inquiry", ""));
    };
    let number = incident.talk.inquiries.iter().map(|a| a.inquiry.number).max().unwrap_or(0) + 1;
    let inquiry = Inquiry {
        number,
        outlet: in_one_line(wanted(outlet, "paper or station")?),
        person: in_one_line(person),
        question: wanted(question, "question")?.to_owned(),
        answer_by: *answer_by,
        embargo: *embargo,
    };
    said(incident.id, TalkChange::InquiryLogged(Box::new(inquiry)))
}

/// A name is no line of its own.
fn in_one_line(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What was agreed on with the press changed.
fn move_inquiry(incident: &Incident, wish: &TalkWish, now: Timestamp) -> Decision {
    let TalkWish::MoveInquiry { inquiry: number, answer_by, embargo, reason: why } = wish else {
        return Err(bad("not a change of an inquiry", ""));
    };
    let asked = inquiry_of(incident, *number)?;
    let inquiry = &asked.inquiry;
    let timeless = *answer_by == Moved::Lifted && !asked.is_timeless;
    for time in [answer_by, embargo] {
        if let Moved::To(at) = time {
            ahead(*at, now)?;
        }
    }
    let (answer_by, embargo) = (answer_by.of(inquiry.answer_by), embargo.of(inquiry.embargo));
    if (answer_by, embargo) == (inquiry.answer_by, inquiry.embargo) && !timeless {
        return Err(already(format!("inquiry {number} has these times")));
    }
    let reason = reason(why, "changing what was agreed on with the press")?.to_owned();
    let inquiry = *number;
    said(incident.id, TalkChange::InquiryMoved { inquiry, answer_by, embargo, reason, timeless })
}

fn inquiry_of(incident: &Incident, number: u32) -> Result<&talk::Asked, Rejection> {
    incident.talk.inquiries.iter().find(|a| a.inquiry.number == number).ok_or_else(|| {
        bad(
            format!("{} has no press inquiry {number}", incident.id),
            format!("list them with 'warroom press {} --list'", incident.id),
        )
    })
}

/// An answer to the press; without words of its own it is the holding statement, and that is no answer.
fn answer(
    order: &Order,
    incident: &Incident,
    inquiry: u32,
    text: &str,
    now: Timestamp,
) -> Decision {
    let asked = inquiry_of(incident, inquiry)?;
    // What was said wrong is put right with them; the same is not said twice.
    if let Some((by, said)) = asked.answer.as_ref().filter(|(_, said)| said.trim() == text.trim()) {
        let said = said.lines().next().unwrap_or_default();
        return Err(already(format!("{by} answered inquiry {inquiry}: {said}")));
    }
    let by = speaker(order, incident)?;
    let holding = incident.talk.holding.as_ref().map(|holding| holding.text.as_str());
    let text = match (text.trim(), holding) {
        ("", Some(holding)) => holding.trim(),
        ("", None) => {
            return Err(bad(
                "the answer is empty, and there is no holding statement",
                "write the answer, or say first what all of the press hear for now",
            ));
        }
        (text, _) => text,
    };
    if holding.is_some_and(|holding| holding.trim() == text) {
        let agreed = asked.inquiry.answer_by.is_some_and(|at| at > now);
        let answer_by = (!agreed && !asked.is_timeless).then(|| now.plus(HELD_MS));
        return said(incident.id, TalkChange::InquiryHeld { inquiry, by, answer_by });
    }
    let text = text.to_owned();
    said(incident.id, TalkChange::InquiryAnswered { inquiry, text, by })
}

/// The press hears one voice: where there is a spokesperson, nobody else speaks.
fn speaker(order: &Order, incident: &Incident) -> Result<String, Rejection> {
    let speakers = incident.roles.get(&Role::Spokesperson).filter(|people| !people.is_empty());
    let me = &order.actor.login;
    match speakers {
        None => {
            return Err(not_now(
                "nobody speaks to the press",
                "give somebody the role 'spokesperson' first: one voice",
            ));
        }
        Some(people) if !people.contains(me) => {
            return Err(not_now(
                format!("{} speaks to the press", people.join(", ")),
                "pass the question on to them",
            ));
        }
        Some(_) => {}
    }
    Ok(me.clone())
}

/// Nothing ends in silence: whoever was told hears the end, or there is a reason on record. What is
/// still on its way ends first.
pub(super) fn check_end(
    room: &Room,
    incident: &Incident,
    silent: Option<&str>,
) -> Result<(), Rejection> {
    let id = incident.id;
    let under_way = incident.talk.letters.len();
    if under_way > 0 {
        return Err(not_now(
            format!("{under_way} message(s) about {id} are still on their way"),
            "wait until they arrived or failed; the stakeholders' pane shows them",
        ));
    }
    if let Some(update) = incident.talk.waiting().next() {
        return Err(not_now(
            format!("update {} of {id} waits for approval", update.draft.update),
            "approve it, or take it back",
        ));
    }
    let open = promise::left_out(incident, &room.plan);
    if open.is_empty() || silent.is_some_and(|why| !why.trim().is_empty()) {
        return Ok(());
    }
    Err(Rejection::new(
        RejectionKind::NeedsReason,
        format!("{id}: {}", open.join("; ")),
        "tell them, or say why they need no more (--silent WHY, or 'no last word' in the form)",
    ))
}
