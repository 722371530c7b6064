//! What is said to stakeholders: drafts, approvals, promises, the press.
//!
//! Invariants:
//! - What only our own people may know is never sent to anybody who may know less.
//! - An update that somebody must look at goes only after somebody else did, or with a reason on
//!   record why nobody could.
//! - Whoever cannot be reached by a channel is named as somebody to be told by hand.

use crate::domain::change::Change;
use crate::domain::command::Order;
use crate::domain::decide::{Decision, already, bad, find, live, not_now, one, reason, wanted};
use crate::domain::delivery::{Method, Wanted};
use crate::domain::event::Body;
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::plan::Plan;
use crate::domain::reach::{self, Asked};
use crate::domain::rejection::{Rejection, RejectionKind};
use crate::domain::room::Room;
use crate::domain::stakeholder::{Audience, Stakeholder, can_send};
use crate::domain::talk::change::{Draft, Inquiry, Posted, Sent, TalkChange, TalkWish, Words};
use crate::domain::talk::{Standing, Update, promise};
use crate::domain::time::{HOUR_MS, Timestamp};
use crate::domain::words::{Approval, DeliveryKind, Moment, PublicStatus, Right, Role};

/// Recipients of one update at the most.
const RECIPIENTS_MAX: usize = 20_000;
/// Languages of one update at the most.
const LANGUAGES_MAX: usize = 20;
/// The longest subject, in bytes.
const SUBJECT_MAX: usize = 300;
/// No incident is called long before it has lasted this long, in milliseconds.
const LONG_AFTER_MS: i64 = HOUR_MS;

pub(super) fn decide(
    room: &Room,
    order: &Order,
    id: IncidentId,
    wish: &TalkWish,
    now: Timestamp,
) -> Decision {
    match wish {
        TalkWish::Draft { .. } => draft(room, live(room, id)?, wish, now),
        TalkWish::Approve { update, force } => {
            approve(room, order, live(room, id)?, *update, force.as_deref(), now)
        }
        TalkWish::Withdraw { update, reason } => {
            waiting(live(room, id)?, *update)?;
            let (update, reason) = (*update, reason.trim().to_owned());
            said(id, TalkChange::Withdrawn { update, reason })
        }
        TalkWish::Promise { stakeholder, next_by, text } => {
            live(room, id)?;
            let stakeholder = wanted(stakeholder, "stakeholder")?.to_owned();
            ahead(*next_by, now)?;
            let text = text.trim().to_owned();
            said(id, TalkChange::Promised { stakeholder, next_by: *next_by, text })
        }
        TalkWish::Cadence { long, reason: why } => cadence(live(room, id)?, *long, why, now),
        TalkWish::Feedback { stakeholder, score, text } => {
            find(room, id)?;
            let stakeholder = wanted(stakeholder, "stakeholder")?.to_owned();
            if !(1..=5).contains(score) {
                return Err(bad(format!("{score} is no score"), "give 1 (bad) to 5 (good)"));
            }
            let (score, text) = (*score, text.trim().to_owned());
            said(id, TalkChange::FeedbackGiven { stakeholder, score, text })
        }
        TalkWish::Inquire { .. } => inquire(find(room, id)?, wish),
        TalkWish::AnswerInquiry { inquiry, text } => answer(order, find(room, id)?, *inquiry, text),
    }
}

fn said(incident: IncidentId, change: TalkChange) -> Decision {
    one(incident, Change::Talk(Box::new(change)))
}

fn ahead(at: Timestamp, now: Timestamp) -> Result<(), Rejection> {
    if at > now {
        return Ok(());
    }
    Err(bad(format!("{} is over", at.clock_minutes()), "promise a time that lies ahead"))
}

/// The stakeholders that were named, each once; all of them may read it.
fn readers<'a>(
    plan: &'a Plan,
    wish: &'a TalkWish,
) -> Result<Vec<(&'a String, &'a Stakeholder)>, Rejection> {
    let TalkWish::Draft { audience, to, .. } = wish else { return Ok(Vec::new()) };
    let mut readers: Vec<(&String, &Stakeholder)> = Vec::new();
    for name in to {
        let Some((name, who)) = plan.stakeholders.get_key_value(name.trim()) else {
            return Err(bad(
                format!("the plan knows no stakeholder '{name}'"),
                "name one of [stakeholders], or log a contact by hand ('warroom tell')",
            ));
        };
        if !Incident::reads(who.audience, *audience) {
            return Err(bad(
                format!("{name} may not read what is {}", audience.word()),
                format!("write words that are {}, for {name} alone", who.audience.word()),
            ));
        }
        if !readers.iter().any(|(known, _)| *known == name) {
            readers.push((name, who));
        }
    }
    if readers.is_empty() {
        return Err(bad("nobody is to get it", "name at least one stakeholder"));
    }
    Ok(readers)
}

fn draft(room: &Room, incident: &Incident, wish: &TalkWish, now: Timestamp) -> Decision {
    let TalkWish::Draft {
        audience, title, words, next_by, last, public, components, corrects, ..
    } = wish
    else {
        return Err(bad("not a draft", ""));
    };
    let readers = readers(&room.plan, wish)?;
    let mut words = words.clone();
    words.retain(|w| !w.text.trim().is_empty() || !w.subject.trim().is_empty());
    if words.is_empty() || words.len() > LANGUAGES_MAX {
        return Err(bad("the update says nothing", "write its text, in at most 20 languages"));
    }
    for one in &mut words {
        one.subject = wanted(&one.subject, "subject")?.lines().next().unwrap_or("").to_owned();
        one.text = wanted(&one.text, "text")?.to_owned();
        if one.subject.len() > SUBJECT_MAX {
            return Err(bad("the subject is longer than 300 bytes", "keep it to one short line"));
        }
    }
    match next_by {
        Some(at) if !last => ahead(*at, now)?,
        None if *last => {}
        Some(_) => {
            return Err(bad(
                "the last word promises no other",
                "leave out when the next one comes",
            ));
        }
        None => {
            return Err(bad(
                "it does not say when the next word comes",
                "give a time, e.g. 20m, or say that it is the last one",
            ));
        }
    }
    if let Some(old) = corrects
        && incident.talk.update(*old).is_none_or(|u| !matches!(u.standing, Standing::Sent { .. }))
    {
        return Err(bad(format!("update {old} was not sent"), "name the one that was wrong"));
    }
    let is_read_there = readers.iter().any(|(_, who)| who.reads_the_page());
    let public = public.filter(|_| is_read_there);
    check_public(incident, public, is_read_there, *last)?;
    let approvers = approvers(&room.plan, &readers)?;
    let least = if approvers.is_empty() { Approval::None } else { Approval::Other };
    let asked = readers.iter().map(|(_, who)| who.approval()).max().unwrap_or(Approval::None);
    let approval = asked.max(least);
    let draft = Draft {
        update: incident.talk.last_update + 1,
        audience: *audience,
        title: title_for(incident, *audience, title, &words),
        to: readers.iter().map(|(name, _)| (*name).clone()).collect(),
        words,
        next_by: *next_by,
        last: *last,
        public,
        components: public.map(|_| components.clone()).unwrap_or_default(),
        corrects: *corrects,
        approval,
        approvers,
    };
    let mut bodies = Vec::new();
    if approval == Approval::None {
        bodies.push(send(room, incident, &draft, None, now)?);
    }
    let drafted = TalkChange::Drafted(Box::new(draft));
    bodies.insert(0, body(incident.id, drafted));
    Ok(bodies)
}

/// Those who may look at what goes to all of the readers, where the plan names any.
fn approvers(plan: &Plan, readers: &[(&String, &Stakeholder)]) -> Result<Vec<String>, Rejection> {
    let named = readers.iter().map(|(name, who)| (*name, who.approvers(plan)));
    let mut named = named.filter(|(_, logins)| !logins.is_empty());
    let Some((first, mut common)) = named.next() else { return Ok(Vec::new()) };
    for (name, logins) in named {
        common.retain(|login| logins.contains(login));
        if common.is_empty() {
            return Err(bad(
                format!("nobody may approve what goes to both {first} and {name}"),
                "write to each of them alone",
            ));
        }
    }
    Ok(common.into_iter().map(str::to_owned).collect())
}

/// What the incident is called towards an audience.
fn title_for(incident: &Incident, audience: Audience, given: &str, words: &[Words]) -> String {
    let before = incident.talk.title(audience);
    let subject = || words.first().map_or("", |words| words.subject.as_str());
    let title = Some(given.trim()).filter(|text| !text.is_empty()).or(before);
    title.unwrap_or_else(subject).lines().next().unwrap_or_default().to_owned()
}

pub(super) fn body(incident: IncidentId, change: TalkChange) -> Body {
    Body::Incident { incident, change: Change::Talk(Box::new(change)) }
}

fn check_public(
    incident: &Incident,
    public: Option<PublicStatus>,
    is_read_there: bool,
    last: bool,
) -> Result<(), Rejection> {
    match public {
        None if is_read_there => Err(bad(
            "it does not say what the status page shows from then on",
            "say investigating, identified, monitoring or resolved",
        )),
        Some(PublicStatus::Unpublished) => Err(bad(
            "what is sent to the status page is not unpublished",
            "say investigating, identified, monitoring or resolved",
        )),
        Some(PublicStatus::Resolved) if incident.phase().is_active() && !last => Err(bad(
            format!(
                "{} is {}, and the public would read 'resolved'",
                incident.id,
                incident.phase()
            ),
            "resolve it first, with what shows that it is over",
        )),
        Some(status) if last && status != PublicStatus::Resolved => Err(bad(
            "the last word leaves the status page open",
            "the last public word is 'resolved'",
        )),
        _ => Ok(()),
    }
}

fn waiting(incident: &Incident, update: u32) -> Result<&Update, Rejection> {
    let Some(known) = incident.talk.update(update) else {
        return Err(bad(
            format!("{} has no update {update}", incident.id),
            "look at its stakeholders ('warroom update list')",
        ));
    };
    match &known.standing {
        Standing::Waiting => Ok(known),
        Standing::Sent { at, by, .. } => {
            Err(already(format!("{by} sent update {update} at {}", at.clock())))
        }
        Standing::Withdrawn { .. } => {
            Err(not_now(format!("update {update} was taken back"), "write another one"))
        }
    }
}

fn approve(
    room: &Room,
    order: &Order,
    incident: &Incident,
    number: u32,
    force: Option<&str>,
    now: Timestamp,
) -> Decision {
    let update = waiting(incident, number)?;
    let force = force.map(str::trim).filter(|why| !why.is_empty());
    let forced = match may_approve(order, incident, update) {
        Ok(()) => None,
        Err(refusal) => {
            let Some(why) = force else { return Err(refusal) };
            if order.right < Right::Command {
                return Err(Rejection::new(
                    RejectionKind::NotAllowed,
                    format!("{} may not send it without a second look", order.actor.login),
                    "ask somebody who may command",
                ));
            }
            Some(why.to_owned())
        }
    };
    if let Some(at) = update.draft.next_by.filter(|at| *at <= now) {
        return Err(not_now(
            format!("update {number} promises a word by {}, which is over", at.clock_minutes()),
            "take it back and write it anew",
        ));
    }
    Ok(vec![send(room, incident, &update.draft, forced, now)?])
}

/// Whether the one who gives the order is somebody who may look at it; else what is missing.
fn may_approve(order: &Order, incident: &Incident, update: &Update) -> Result<(), Rejection> {
    let me = order.actor.login.as_str();
    let needs = |what: String| {
        Rejection::new(
            RejectionKind::NeedsReason,
            what,
            "let somebody else look at it, or give a reason why nobody can: that goes on record",
        )
    };
    let number = update.draft.update;
    if update.by == me {
        return Err(needs(format!("you wrote update {number} yourself")));
    }
    let approvers = &update.draft.approvers;
    if !approvers.is_empty() {
        if approvers.iter().any(|login| login == me) {
            return Ok(());
        }
        return Err(needs(format!("update {number} is for {} to approve", approvers.join(" or "))));
    }
    if update.draft.approval == Approval::Commander {
        let is_command = match incident.commander() {
            Some(commander) if commander == update.by => order.right >= Right::Command,
            Some(commander) => {
                let is_deputy =
                    incident.roles.get(&Role::Deputy).is_some_and(|d| d.iter().any(|p| p == me));
                commander == me || is_deputy
            }
            None => order.right >= Right::Command,
        };
        if !is_command {
            let who = incident.commander().unwrap_or("somebody who may command");
            return Err(needs(format!("update {number} is for {who} to approve")));
        }
    }
    Ok(())
}

/// An update on its way: a message for each that something can be sent to.
fn send(
    room: &Room,
    incident: &Incident,
    draft: &Draft,
    forced: Option<String>,
    now: Timestamp,
) -> Result<Body, Rejection> {
    let plan = &room.plan;
    let asked = Asked { plan, desk: &room.desk, severity: incident.severity, now };
    let mut sent = Sent {
        update: draft.update,
        forced,
        letters: Vec::new(),
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
        if draft.public.is_some() && who.reads_the_page() {
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
    Ok(body(incident.id, TalkChange::Sent(Box::new(sent))))
}

/// The ways behind a stakeholder's channel: one, or those of a person in their order.
fn methods(asked: Asked<'_>, way: &str) -> Vec<Method> {
    match way.strip_prefix("person:") {
        Some(login) => reach::methods(asked, login).unwrap_or_default(),
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
            format!("{id} was declared at {}, less than an hour ago", began.clock_minutes()),
            "that words come less often is not decided in the first hour",
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
        outlet: wanted(outlet, "paper or station")?.to_owned(),
        person: person.trim().to_owned(),
        question: wanted(question, "question")?.to_owned(),
        answer_by: *answer_by,
        embargo: *embargo,
    };
    said(incident.id, TalkChange::InquiryLogged(Box::new(inquiry)))
}

/// The press hears one voice: where there is a spokesperson, nobody else answers.
fn answer(order: &Order, incident: &Incident, inquiry: u32, text: &str) -> Decision {
    let Some(asked) = incident.talk.inquiries.iter().find(|a| a.inquiry.number == inquiry) else {
        return Err(bad(
            format!("{} has no press inquiry {inquiry}", incident.id),
            "look at its stakeholders",
        ));
    };
    if let Some((by, _)) = &asked.answer {
        return Err(already(format!("{by} answered inquiry {inquiry}")));
    }
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
    let (text, by) = (wanted(text, "answer")?.to_owned(), me.clone());
    said(incident.id, TalkChange::InquiryAnswered { inquiry, text, by })
}

/// Nothing ends in silence: whoever was told hears the end, or there is a reason on record. What is
/// still on its way ends first.
pub(super) fn check_end(incident: &Incident, silent: Option<&str>) -> Result<(), Rejection> {
    let id = incident.id;
    let under_way = incident.talk.letters.len();
    if under_way > 0 {
        return Err(not_now(
            format!("{under_way} message(s) about {id} are still on their way"),
            "wait until they arrived or failed; the stakeholders' pane shows them",
        ));
    }
    let open = promise::without_a_last_word(incident);
    if open.is_empty() || silent.is_some_and(|why| !why.trim().is_empty()) {
        return Ok(());
    }
    Err(Rejection::new(
        RejectionKind::NeedsReason,
        format!("{} were told of {id} and got no last word", open.join(", ")),
        "send them the last one, or say why they need none",
    ))
}
