//! What is put on record, how incidents stand to one another, and the plan.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each file decides its own commands; `route` is the exhaustive list"
)]

use crate::domain::change::Change;
use crate::domain::command::{Command, Order};
use crate::domain::decide::{Decision, already, bad, find, live, not_now, one, reason, wanted};
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::rejection::Rejection;
use crate::domain::room::Room;
use crate::domain::stakeholder::Stakeholder;
use crate::domain::time::{HOUR_MS, Timestamp};
use crate::domain::words::{Moment, Outcome, PublicStatus, RemedyKind, Role, StakeholderKind};

/// So much earlier than the incident somebody may have been told of it, in milliseconds.
const EARLIER_MS: i64 = 2 * HOUR_MS;

pub(super) fn decide(room: &Room, order: &Order, now: Timestamp) -> Decision {
    match &order.command {
        Command::SetTitle { incident, title } => {
            let title = wanted(title, "title")?.to_owned();
            live(room, *incident)?;
            one(*incident, Change::TitleChanged { title })
        }
        Command::SetServices { incident, services } => {
            live(room, *incident)?;
            one(*incident, Change::ServicesChanged { services: services.clone() })
        }
        Command::SetLabel { incident, label, value } => {
            set_label(room, *incident, label, value.as_ref())
        }
        Command::Note { incident, kind, text, said_by } => {
            find(room, *incident)?;
            check_occurred(order, now)?;
            let (text, said_by) = (wanted(text, "text")?.to_owned(), said_by.trim().to_owned());
            one(*incident, Change::NoteAdded { kind: *kind, text, said_by })
        }
        Command::CorrectEntry { incident, entry, text } => {
            known_entry(room, *incident, *entry)?;
            let text = wanted(text, "correction")?.to_owned();
            one(*incident, Change::EntryCorrected { entry: *entry, text })
        }
        Command::RedactEntry { incident, entry, reason: why } => {
            known_entry(room, *incident, *entry)?;
            let why = reason(why, "redacting an entry")?.to_owned();
            one(*incident, Change::EntryRedacted { entry: *entry, reason: why })
        }
        Command::Attach { .. } => attach(room, &order.command),
        Command::Remedy { incident, kind, text, expires } => {
            remedy(room, *incident, *kind, text, *expires, now)
        }
        Command::JudgeRemedy { incident, remedy, outcome, evidence } => {
            judge(room, *incident, *remedy, *outcome, evidence)
        }
        Command::LogContact { .. } => contact(room, order, now),
        Command::ReviseMoment { incident, moment, at, reason: why } => {
            if at.is_some_and(|at| at > now) {
                return Err(bad(
                    format!("'{moment}' cannot lie in the future"),
                    "give a time up to now",
                ));
            }
            check_moment(find(room, *incident)?, *moment, *at)?;
            let why = reason(why, &format!("revising '{moment}'"))?.to_owned();
            one(*incident, Change::MomentRevised { moment: *moment, at: *at, reason: why })
        }
        Command::SetPublicStatus { incident, status } => set_public(room, *incident, *status),
        _ => Err(bad("not a command for the record", "this is a defect; please report it")),
    }
}

/// An end lies after the beginning, and what goes on has none.
fn check_moment(
    incident: &Incident,
    moment: Moment,
    at: Option<Timestamp>,
) -> Result<(), Rejection> {
    let Some(at) = at else { return Ok(()) };
    let id = incident.id;
    let is_end = matches!(moment, Moment::Resolved | Moment::Closed);
    if is_end && incident.phase().is_active() {
        return Err(not_now(
            format!("{id} is {}: it has no '{moment}' yet", incident.phase()),
            "resolve it first, then say when that was",
        ));
    }
    let known = |moment: Moment| incident.moments.get(&moment).copied();
    let began = known(Moment::Began);
    if let Some(began) = began.filter(|began| moment != Moment::Began && at < *began) {
        return Err(bad(
            format!("{at} is before the impact of {id} began ({began})"),
            "give a later time, or say first when it began ('warroom moment')",
        ));
    }
    if let Some(end) = known(Moment::Resolved).filter(|end| moment == Moment::Began && at > *end) {
        return Err(bad(
            format!("{at} is after {id} was resolved ({end})"),
            "give an earlier time, or say first when it was resolved ('warroom moment')",
        ));
    }
    if is_end && began.is_none() && at < incident.opened_at {
        return Err(bad(
            format!("{at} is before {id} was opened ({})", incident.opened_at),
            "say first when its impact began ('warroom moment'), if it was over before that",
        ));
    }
    Ok(())
}

/// The state of a page that is kept elsewhere; ours changes with the words that are sent to it.
fn set_public(room: &Room, id: IncidentId, status: PublicStatus) -> Decision {
    let known = live(room, id)?;
    if known.public == status {
        return Err(already(format!("the public status of {id} is {status}")));
    }
    if room.board.incidents.contains_key(&id) {
        return Err(not_now(
            format!("{id} is on the status page, and that changes with the words sent to it"),
            "send an update ('u u'); it says what the page shows",
        ));
    }
    if status == PublicStatus::Resolved && known.phase().is_active() {
        return Err(not_now(
            format!("{id} is {}, and the public would read 'resolved'", known.phase()),
            "resolve it first, with what shows that it is over",
        ));
    }
    if status == PublicStatus::Unpublished {
        return Err(not_now(
            format!("the public was told of {id}, and that stays"),
            "correct it, or tell the public that it is over",
        ));
    }
    one(id, Change::PublicStatusSet { status })
}

fn set_label(room: &Room, id: IncidentId, label: &str, value: Option<&String>) -> Decision {
    let incident = live(room, id)?;
    let label = wanted(label, "label")?.to_owned();
    if label.contains('=') {
        return Err(bad(format!("'{label}' is not a label"), "write KEY VALUE, without '='"));
    }
    if value.is_none() && !incident.labels.contains_key(&label) {
        return Err(already(format!("{id} has no label '{label}'")));
    }
    one(id, Change::LabelSet { label, value: value.cloned() })
}

fn contact(room: &Room, order: &Order, now: Timestamp) -> Decision {
    let Command::LogContact { incident, stakeholder, channel, text, next_by, last, person, asked } =
        &order.command
    else {
        return Err(bad("not a contact", ""));
    };
    let known = find(room, *incident)?;
    check_occurred(order, now)?;
    let stakeholder = wanted(stakeholder, "stakeholder")?.to_owned();
    one_voice(room, known, &stakeholder, &order.actor.login)?;
    // Also to a question that nobody can answer yet something was said.
    let (text, asked) = (wanted(text, "text")?.to_owned(), asked.trim().to_owned());
    let person = person.trim().to_owned();
    let (channel, next_by, last) = (channel.trim().to_owned(), *next_by, *last);
    let said_at = order.occurred.map_or(now, |occurred| occurred.at);
    let began = known.moments.get(&Moment::Began).copied().unwrap_or(known.opened_at);
    let known_since = began.min(known.opened_at).plus(-EARLIER_MS);
    if said_at < known_since {
        return Err(bad(
            format!("{} {}Z is before {incident} began", said_at.date(), said_at.clock_minutes()),
            "give the time at which it was said: a time of day is the last one that has passed",
        ));
    }
    if let Some(at) = next_by.filter(|at| *at <= said_at) {
        return Err(bad(
            format!("{at} was over when it was promised"),
            "give a time that lies ahead, e.g. 20m",
        ));
    }
    if last && next_by.is_some() {
        return Err(bad("the last word promises no other", "leave out when the next one comes"));
    }
    let audience = room.plan.stakeholders.get(&stakeholder).map(|who| who.audience);
    let aside = is_aside(room, known, &stakeholder);
    if aside && (next_by.is_some() || last) {
        return Err(bad(
            format!("{stakeholder} are many, and a conversation is with one of them"),
            "leave out the next word and the last one: what all of them read promises that ('u u')",
        ));
    }
    let change = Change::ContactLogged {
        stakeholder,
        channel,
        text,
        next_by,
        audience,
        last,
        person,
        asked,
        aside,
    };
    one(*incident, change)
}

/// Whether a conversation is with one of many, who read the page or get messages of their own: unless
/// they are to be told by hand, what was said to one was said to none of the others.
fn is_aside(room: &Room, incident: &Incident, stakeholder: &str) -> bool {
    let who = room.plan.stakeholders.get(stakeholder);
    who.is_some_and(Stakeholder::are_many) && !incident.talk.by_hand.contains_key(stakeholder)
}

/// The press hears one voice, by whatever way: where there is a spokesperson, nobody else tells it
/// anything.
fn one_voice(
    room: &Room,
    incident: &Incident,
    stakeholder: &str,
    login: &str,
) -> Result<(), Rejection> {
    let is_press =
        room.plan.stakeholders.get(stakeholder).is_some_and(|s| s.kind == StakeholderKind::Media);
    let speakers = incident.roles.get(&Role::Spokesperson).filter(|people| !people.is_empty());
    let Some(people) = speakers.filter(|_| is_press) else { return Ok(()) };
    if people.iter().any(|known| known == login) {
        return Ok(());
    }
    Err(not_now(
        format!("{} speaks to the press", people.join(", ")),
        "pass it on to them; what the press asks is logged with 'warroom press'",
    ))
}

pub(super) fn check_occurred(
    order: &Order,
    now: Timestamp,
) -> Result<(), crate::domain::rejection::Rejection> {
    match order.occurred {
        Some(occurred) if occurred.at > now => Err(bad(
            format!("{} lies in the future", occurred.at),
            "give the time at which it happened, or none",
        )),
        _ => Ok(()),
    }
}

fn known_entry(
    room: &Room,
    id: IncidentId,
    entry: u64,
) -> Result<(), crate::domain::rejection::Rejection> {
    let incident = find(room, id)?;
    if !incident.texts.contains(&entry) {
        return Err(bad(
            format!("entry {entry} holds no words of {id}"),
            "give the number of a note, contact or remedy of this incident ('warroom show')",
        ));
    }
    Ok(())
}

fn attach(room: &Room, command: &Command) -> Decision {
    let Command::Attach { incident, name, sha256, bytes, note } = command else {
        return Err(bad("not an attachment", ""));
    };
    find(room, *incident)?;
    let name = wanted(name, "name")?.to_owned();
    if sha256.len() != 64 || !sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(bad(
            format!("'{sha256}' is not a SHA-256 in hexadecimal"),
            "give 64 hexadecimal digits",
        ));
    }
    let (sha256, bytes, note) = (sha256.to_ascii_lowercase(), *bytes, note.trim().to_owned());
    one(*incident, Change::AttachmentAdded { name, sha256, bytes, note })
}

fn remedy(
    room: &Room,
    id: IncidentId,
    kind: RemedyKind,
    text: &str,
    expires: Option<Timestamp>,
    now: Timestamp,
) -> Decision {
    let incident = live(room, id)?;
    let text = wanted(text, "remedy")?.to_owned();
    match (kind, expires) {
        (RemedyKind::Workaround, None) => {
            return Err(bad("a workaround needs an end", "say until when it may stay, e.g. 4h"));
        }
        (RemedyKind::Workaround, Some(at)) if at <= now => {
            return Err(bad(format!("{at} is over"), "say until when the workaround may stay"));
        }
        (
            RemedyKind::Fix | RemedyKind::Patch | RemedyKind::Upgrade | RemedyKind::Rollback,
            Some(_),
        ) => {
            return Err(bad(format!("a {kind} does not expire"), "only a workaround does"));
        }
        (RemedyKind::Workaround, Some(_)) | (_, None) => {}
    }
    let remedy = incident.remedies.iter().map(|r| r.number).max().unwrap_or(0) + 1;
    one(id, Change::RemedyRecorded { remedy, kind, text, expires })
}

fn judge(room: &Room, id: IncidentId, number: u32, outcome: Outcome, evidence: &str) -> Decision {
    let incident = find(room, id)?;
    let Some(remedy) = incident.remedies.iter().find(|r| r.number == number) else {
        return Err(bad(
            format!("{id} has no remedy {number}"),
            format!("it has {}", incident.remedies.len()),
        ));
    };
    if outcome == Outcome::Pending || remedy.outcome == outcome {
        return Err(already(format!("remedy {number} of {id} is {}", remedy.outcome)));
    }
    one(id, Change::RemedyJudged { remedy: number, outcome, evidence: evidence.trim().to_owned() })
}
