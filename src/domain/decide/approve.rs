//! A second look at what is said: who may take it, and what must still be true when they do.
//!
//! Invariants:
//! - An update that somebody must look at goes only after somebody else did, or with a reason on
//!   record why nobody could.

use crate::domain::change::Change;
use crate::domain::command::Order;
use crate::domain::decide::draft::{self, check_public};
use crate::domain::decide::talk::send;
use crate::domain::decide::{Decision, already, bad, due, not_now, on_call};
use crate::domain::event::Body;
use crate::domain::incident::{Incident, Stage};
use crate::domain::reach::Asked;
use crate::domain::rejection::{Rejection, RejectionKind};
use crate::domain::room::Room;
use crate::domain::stakeholder::Audience;
use crate::domain::talk::change::TalkChange;
use crate::domain::talk::{Standing, Update};
use crate::domain::time::Timestamp;
use crate::domain::words::{Approval, Right, Role};

/// The update that somebody means who read its words, maybe at another incident.
pub(super) fn meant(
    incident: &Incident,
    update: u32,
    like: Option<&str>,
) -> Result<u32, Rejection> {
    let Some(like) = like else { return Ok(update) };
    let is_meant = |known: &&Update| {
        (update == 0 || known.draft.update == update) && known.draft.likeness() == like
    };
    match incident.talk.waiting().find(is_meant) {
        Some(known) => Ok(known.draft.update),
        None => Err(not_now(
            format!("no update with those words waits on {}", incident.id),
            "look at what waits there, and approve that",
        )),
    }
}

pub(super) fn waiting(incident: &Incident, update: u32) -> Result<&Update, Rejection> {
    let Some(known) = incident.talk.update(update) else {
        return Err(bad(
            format!("{} has no update {update}", incident.id),
            "look at its stakeholders ('warroom updates')",
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

pub(super) fn approve(
    room: &Room,
    order: &Order,
    incident: &Incident,
    number: u32,
    (force, before_embargo): (Option<&str>, &str),
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
    still_fits(room, incident, update)?;
    // The press may have agreed on one since it was written, whatever was said of others then.
    if update.draft.audience == Audience::Public && before_embargo.trim().is_empty() {
        let has_reason = !update.draft.before_embargo.is_empty();
        let after = if has_reason { update.at } else { Timestamp(i64::MIN) };
        draft::check_embargo(incident, after, now)?;
    }
    draft::not_overtaken(incident, update)?;
    if let Some(at) = update.draft.next_by.filter(|at| *at <= now) {
        return Err(not_now(
            format!("update {number} promises a word by {}, which is over", at.clock_minutes()),
            "take it back and write it anew",
        ));
    }
    let missed =
        forced.as_deref().and_then(|why| passed_over(room, order, incident, update, why, now));
    let mut bodies = send(room, incident, &update.draft, forced, now)?;
    if let Some(Body::Incident { change: Change::Talk(talk), .. }) = bodies.first_mut()
        && let TalkChange::Sent(sent) = &mut **talk
    {
        before_embargo.trim().clone_into(&mut sent.before_embargo);
    }
    bodies.extend(missed);
    Ok(bodies)
}

/// Whoever wrote an update hears that somebody else took it back, why, and has their words again.
pub(super) fn sent_back(
    room: &Room,
    order: &Order,
    incident: &Incident,
    update: &Update,
    why: &str,
    now: Timestamp,
) -> Option<Body> {
    let (me, id, number) = (order.actor.login.as_str(), incident.id, update.draft.update);
    let subject = format!("{id} update {number} does not go: {me} took it back");
    let why = if why.is_empty() { "no reason was given" } else { why };
    let said = update.draft.words.iter().map(|words| format!("{}\n{}", words.subject, words.text));
    let said = said.collect::<Vec<_>>().join("\n\n");
    let text = format!("{me}: {why}\n\nYour words to {}:\n\n{said}", update.draft.to.join(", "));
    hears(due::asked(room, incident, now), me, &update.by, (subject, text), update.draft.together)
}

/// Whoever commands hears that words went out without their look.
fn passed_over(
    room: &Room,
    order: &Order,
    incident: &Incident,
    update: &Update,
    why: &str,
    now: Timestamp,
) -> Option<Body> {
    let (me, commander) = (order.actor.login.as_str(), incident.commander()?);
    let (id, number) = (incident.id, update.draft.update);
    let subject = format!("{id} update {number} went out without your look");
    let words = update.draft.words.first();
    let said = words.map_or_else(String::new, |words| format!("{}\n{}", words.subject, words.text));
    let text = format!("{me} sent it to {}: {why}\n\n{said}", update.draft.to.join(", "));
    hears(due::asked(room, incident, now), me, commander, (subject, text), update.draft.together)
}

/// One person hears what became of an update; words that go together are told together.
fn hears(
    asked: Asked<'_>,
    me: &str,
    who: &str,
    words: (String, String),
    together: bool,
) -> Option<Body> {
    let mut told = on_call::word(asked, me, &[who], words, 0)?;
    if together {
        on_call::gather(&mut told);
    }
    Some(told)
}

/// What was right when it was written may be wrong by now: its readers, and what the page would say.
fn still_fits(room: &Room, incident: &Incident, update: &Update) -> Result<(), Rejection> {
    let draft = &update.draft;
    let anew = "take it back and write it anew";
    for name in &draft.to {
        let Some(who) = room.plan.stakeholders.get(name) else { continue };
        if !Incident::reads(who.audience, draft.audience) {
            return Err(not_now(format!("by the plan {name} may not read it any more"), anew));
        }
        let (named, known) = (who.approvers(&room.plan), &draft.approvers);
        let is_for_others = named.is_empty() != known.is_empty()
            || !known.is_empty() && !known.iter().any(|login| named.contains(login.as_str()));
        if who.approval() > draft.approval || is_for_others {
            return Err(not_now(
                format!("the plan asks for another approval for {name} now"),
                anew,
            ));
        }
    }
    let is_read_there = draft.public.is_some();
    // Alerts may have come back since it was called over.
    if draft.last && incident.reopened > 0 && incident.phase().is_active() {
        return Err(not_now(format!("{} was reopened since it was written", incident.id), anew));
    }
    check_public(incident, draft.public, is_read_there, draft.last)?;
    if let (Stage::Resolved(end) | Stage::InReview(end), false) = (&incident.stage, draft.last)
        && update.at < end.at
    {
        return Err(not_now(format!("{} was resolved since it was written", incident.id), anew));
    }
    Ok(())
}

/// Whether the one who gives the order is somebody who may look at it; else what is missing.
fn may_approve(order: &Order, incident: &Incident, update: &Update) -> Result<(), Rejection> {
    let me = order.actor.login.as_str();
    let needs = |what: String| {
        Rejection::new(
            RejectionKind::NeedsReason,
            what,
            "let somebody else look at it, or give a reason why nobody can (--force WHY)",
        )
    };
    let number = update.draft.update;
    if update.by == me {
        let who = match incident.commander().filter(|who| *who != me) {
            _ if !update.approvers().is_empty() => update.approvers().join(" or "),
            Some(who) => who.to_owned(),
            None => "somebody who may command".to_owned(),
        };
        return Err(needs(format!("you wrote update {number} yourself: it is for {who}")));
    }
    let approvers = update.approvers();
    if !approvers.is_empty() {
        if approvers.contains(&me) {
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
            None => false,
        };
        if incident.commander().is_none() {
            let what = format!("update {number} is for the commander, and nobody commands it");
            return Err(Rejection::new(
                RejectionKind::NeedsReason,
                what,
                "take command first, or give a reason why nobody can (--force WHY)",
            ));
        }
        if !is_command {
            let commander = incident.commander().filter(|who| *who != update.by);
            let who = commander.unwrap_or("somebody else who may command");
            return Err(needs(format!("update {number} is for {who} to approve")));
        }
    }
    Ok(())
}
