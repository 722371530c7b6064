//! Whoever may look at an update hears that it waits; where no message reaches them, others do.
//!
//! Invariants:
//! - Words that wait are known to somebody, or whoever wrote them hears that they are not.

use std::collections::BTreeMap;

use crate::domain::decide::on_call::{gather, word, words_in};
use crate::domain::decide::talk::body;
use crate::domain::delivery::Stand;
use crate::domain::duty::Notice;
use crate::domain::event::Body;
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::reach::{self, Asked};
use crate::domain::room::Room;
use crate::domain::talk::Standing;
use crate::domain::talk::change::{Draft, Look, TalkChange};
use crate::domain::time::Timestamp;
use crate::domain::words::{Approval, Role};

/// Whoever may look at words and did not write them, in the order in which they are asked: those whom
/// the plan names, else who commands; those who have a part in it; and, where nothing reaches any of
/// these, those on whom the plan falls back. The first group of whom somebody is reached is asked.
fn lookers(asked: Asked<'_>, incident: &Incident, author: &str, draft: &Draft) -> [Vec<String>; 4] {
    let is_other = |who: &&str| *who != author;
    let parts = [Role::Deputy, Role::CustomerLiaison, Role::InternalLiaison, Role::Spokesperson];
    let roles = parts.iter().filter_map(|role| incident.roles.get(role)).flatten();
    let holder = incident.ack.as_ref().map(|ack| ack.by.as_str());
    let parts = roles.map(String::as_str).chain(holder).filter(is_other).map(str::to_owned);
    let commander = incident.commander().filter(is_other).map(str::to_owned);
    let named = draft.approvers.iter().filter(|who| *who != author).cloned().collect();
    let (fallback, _) = reach::targets(asked, &asked.plan.fallback);
    let fallback = fallback.into_iter().map(|one| one.to).filter(|who| who != author);
    [named, commander.into_iter().collect(), parts.collect(), fallback.collect()]
}

/// Whoever may let an update go hears that it waits: the first word to the public has minutes.
pub(super) fn call(
    (room, login, incident): (&Room, &str, &Incident),
    draft: &Draft,
    (lost, bodies): (&[String], &[Body]),
    now: Timestamp,
) -> Option<Body> {
    let (id, number) = (incident.id, draft.update);
    let several = draft.words.len() > 1;
    let said = draft.words.iter().map(|words| {
        let language = if several { format!("[{}] ", words.language) } else { String::new() };
        format!("{language}{}\n{}", words.subject, words.text)
    });
    let said = said.collect::<Vec<_>>().join("\n\n");
    let approve = format!("warroom approve {id} {number}, or in the console (u a)");
    let asked = Asked { plan: &room.plan, desk: &room.desk, severity: incident.severity, now };
    let groups = lookers(asked, incident, login, draft);
    let meant = groups[0].first().map_or(1, |_| 0);
    let names = groups[meant].join(" or ");
    let mut told = groups.iter().enumerate().find_map(|(rank, people)| {
        let waits = format!("{id} update {number} waits for");
        let (subject, how) = if rank <= meant || names.is_empty() && rank == 2 {
            let is_first = draft.approval == Approval::Commander && incident.commander().is_none();
            let first = if is_first { "Take command first, for nobody has it. " } else { "" };
            (format!("{waits} your approval"), format!("{first}Let it go: {approve}."))
        } else if names.is_empty() {
            let how = format!("Take command if nobody has it, and let it go: {approve}.");
            (format!("{waits} a second look, and nobody is there to take it"), how)
        } else {
            let how = format!("Find them, or let it go with a reason (--force): {approve}.");
            (format!("{waits} {names}, whom no message reaches"), how)
        };
        let text = format!("{login} wrote it for {}. {how}\n\n{said}", draft.to.join(", "));
        let people: Vec<&str> =
            people.iter().filter(|who| !lost.contains(who)).map(String::as_str).collect();
        word(asked, login, &people, (subject, text), words_in(bodies))
    })?;
    asks(&mut told, (id, number), draft.together);
    Some(told)
}

/// They are asked for their look, of which one must get through.
fn asks(told: &mut Body, (incident, update): (IncidentId, u32), together: bool) {
    if together {
        gather(told);
    }
    if let Body::PeopleTold { look, .. } = told {
        *look = Some(Look { incident, update });
    }
}

/// The updates that wait and of which no message told anybody, each with when the last one failed.
pub fn all_lost(room: &Room) -> Vec<(Look, Timestamp)> {
    let mut all: BTreeMap<Look, Vec<&Notice>> = BTreeMap::new();
    for notice in room.desk.notices.values() {
        if let Some(look) = notice.look {
            all.entry(look).or_default().push(notice);
        }
    }
    all.into_iter()
        .filter_map(|(look, notices)| Some((look, lost_at(room, look, &notices)?)))
        .collect()
}

/// When the last message about it failed; nothing where one got through or may still, where it waits no
/// longer, and where that is known.
fn lost_at(room: &Room, look: Look, notices: &[&Notice]) -> Option<Timestamp> {
    let update = room.incidents.get(&look.incident)?.talk.update(look.update)?;
    let is_new = |notice: &&&Notice| !update.uncalled.contains(&notice.delivery.wanted.to);
    notices.iter().find(is_new)?;
    let failed = notices.iter().map(|notice| match notice.delivery.stand {
        Stand::Failed { at } => Some(at),
        _ => None,
    });
    let failed = failed.collect::<Option<Vec<Timestamp>>>()?;
    failed.into_iter().max().filter(|_| matches!(update.standing, Standing::Waiting))
}

/// Nobody knows that it waits: the next ones hear of it; where there are none, whoever wrote it.
pub fn lost(room: &Room, look: Look, now: Timestamp) -> Vec<Body> {
    let Some(incident) = room.incidents.get(&look.incident) else { return Vec::new() };
    let Some(update) = incident.talk.update(look.update) else { return Vec::new() };
    let notices = room.desk.notices.values().filter(|notice| notice.look == Some(look));
    let all: Vec<&Notice> = notices.collect();
    if lost_at(room, look, &all).is_none() {
        return Vec::new();
    }
    let new = all.into_iter().filter(|it| !update.uncalled.contains(&it.delivery.wanted.to));
    let (mut people, mut whys) = (Vec::new(), Vec::new());
    for notice in new {
        let delivery = &notice.delivery;
        let last = delivery.attempts.last();
        let method = last.and_then(|it| delivery.wanted.methods.get(usize::from(it.method)));
        let method = method.map_or("no way", |method| method.name.as_str());
        let detail = last.map_or("", |attempt| attempt.detail.as_str());
        people.push(delivery.wanted.to.clone());
        whys.push(format!("{method} FAILED {detail}").trim_end().to_owned());
    }
    let mut lost = update.uncalled.clone();
    lost.extend(people.iter().cloned());
    let why = whys.join("; ");
    let author = update.by.as_str();
    let next = call((room, author, incident), &update.draft, (&lost, &[]), now).or_else(|| {
        let asked = Asked { plan: &room.plan, desk: &room.desk, severity: incident.severity, now };
        let (id, number) = (look.incident, look.update);
        let subject = format!("{id} update {number} waits, and nobody could be asked for a look");
        let text = format!(
            "No message reached {}: {why}\n\nFind somebody, or let it go with a reason: warroom \
             approve {id} {number} --force WHY, or in the console (u a).",
            lost.join(", ")
        );
        let is_told = lost.iter().any(|who| who == author);
        let mut told = word(asked, "", &[author], (subject, text), 0).filter(|_| !is_told)?;
        asks(&mut told, (id, number), update.draft.together);
        Some(told)
    });
    let change = TalkChange::LookLost { update: look.update, people, why };
    std::iter::once(body(look.incident, change)).chain(next).collect()
}
