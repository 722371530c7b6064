//! Opening, triage, severity, phases, the end and the way back.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each file decides its own commands; `route` is the exhaustive list"
)]

use crate::domain::change::{Change, Opened};
use crate::domain::command::{Command, Order};
use crate::domain::decide::{
    Decision, already, bad, find, legal, live, not_now, one, reason, talk, wanted,
};
use crate::domain::decide::{due, on_call};
use crate::domain::event::Body;
use crate::domain::ids::IncidentId;
use crate::domain::incident::{Incident, Stage};
use crate::domain::rejection::{Rejection, RejectionKind};
use crate::domain::room::Room;
use crate::domain::talk::promise;
use crate::domain::time::Timestamp;
use crate::domain::words::{
    ClosureReason, Moment, NoteKind, Origin, Phase, PublicStatus, Severity,
};

pub(super) fn decide(room: &Room, order: &Order, now: Timestamp) -> Decision {
    match &order.command {
        Command::Open { .. } => open(room, order),
        Command::Declare { incident, reason } => declare(room, *incident, reason),
        Command::Triage { incident, impact, urgency } => {
            live(room, *incident)?;
            one(*incident, Change::Triaged { impact: *impact, urgency: *urgency })
        }
        Command::Acknowledge { incident } => acknowledge(room, order, *incident, now),
        Command::SetSeverity { incident, severity, reason } => {
            set_severity(room, *incident, *severity, reason)
        }
        Command::SetPhase { incident, phase, reason } => {
            set_phase(room, *incident, *phase, reason, now)
        }
        Command::Decline { incident, reason, note, silent } => {
            decline(room, *incident, *reason, (note, silent.as_ref()), now)
        }
        Command::Resolve { incident, reason, evidence, force } => {
            resolve(room, *incident, *reason, evidence, force.as_deref())
        }
        Command::Reopen { incident, reason } => reopen(room, *incident, reason),
        Command::StartReview { incident } => start_review(room, *incident),
        Command::Close { incident, note, silent } => {
            close(room, *incident, (note, silent.as_ref()), now)
        }
        _ => Err(bad("not a life-cycle command", "this is a defect; please report it")),
    }
}

fn open(room: &Room, order: &Order) -> Decision {
    let Command::Open { title, severity, services, labels, note, declare } = &order.command else {
        return Err(bad("not an opening", ""));
    };
    let title = wanted(title, "title")?;
    let incident = IncidentId(room.last_incident + 1);
    let opened = Opened {
        title: title.lines().next().unwrap_or(title).to_owned(),
        origin: if *declare { Origin::Declared } else { Origin::Report },
        severity: severity.unwrap_or(Severity::Sev3),
        because: match severity {
            Some(_) => format!("{} said so", order.actor.login),
            None => "not assessed yet".to_owned(),
        },
        services: services.clone(),
        labels: labels.clone(),
        group: None,
        external: None,
        declared: *declare,
        reopen_within_s: 0,
        again: String::new(),
        policy: room.policy_ref(services),
    };
    let mut bodies = vec![Body::Incident { incident, change: Change::Opened(Box::new(opened)) }];
    if !note.trim().is_empty() {
        let (text, said_by) = (note.trim().to_owned(), String::new());
        let change = Change::NoteAdded { kind: NoteKind::Statement, text, said_by };
        bodies.push(Body::Incident { incident, change });
    }
    Ok(bodies)
}

fn declare(room: &Room, id: IncidentId, reason: &str) -> Decision {
    let incident = live(room, id)?;
    if incident.phase() != Phase::Triage {
        return Err(already(format!("{id} is declared already, it is {}", incident.phase())));
    }
    one(id, Change::Declared { reason: reason.trim().to_owned() })
}

fn acknowledge(room: &Room, order: &Order, id: IncidentId, now: Timestamp) -> Decision {
    let incident = live(room, id)?;
    if let Some(ack) = &incident.ack {
        let unanswered = incident
            .members
            .keys()
            .any(|key| room.alerts.get(key).is_some_and(|alert| !alert.is_answered));
        let is_waited_for = incident.esc.must.contains(&order.actor.login);
        let is_asleep = incident.esc.snooze.is_some();
        if ack.by == order.actor.login && !unanswered && !is_waited_for && !is_asleep {
            return Err(already(format!("you acknowledged {id} at {}", ack.at.clock())));
        }
    }
    let mut bodies = one(id, Change::Acknowledged)?;
    bodies.extend(taken_over(room, &order.actor.login, incident, now));
    Ok(bodies)
}

/// Whoever had it hears that somebody else answers for it now; who only helps takes nothing.
fn taken_over(room: &Room, login: &str, incident: &Incident, now: Timestamp) -> Option<Body> {
    let before = incident.ack.as_ref().filter(|ack| ack.by != login)?;
    if incident.is_called(login) && incident.esc.snooze.is_none() {
        return None;
    }
    let id = incident.id;
    let subject = format!("{login} answers for {id} now, not you");
    let text = format!("{login} acknowledged {id} ({}), which you had.", incident.title);
    let asked = due::asked(room, incident, now);
    // Many may be taken over at once.
    let mut told = on_call::word(asked, login, &[&before.by], (subject, text), 0)?;
    on_call::gather(&mut told);
    Some(told)
}

fn set_severity(room: &Room, id: IncidentId, to: Severity, why: &str) -> Decision {
    let incident = live(room, id)?;
    let from = incident.severity;
    if from == to {
        return Err(already(format!("{id} is {to}")));
    }
    let is_lower = to > from;
    let why = if is_lower {
        reason(why, &format!("lowering {id} from {from} to {to}"))?
    } else {
        why.trim()
    };
    one(id, Change::SeverityChanged { from, to, reason: why.to_owned() })
}

fn set_phase(room: &Room, id: IncidentId, to: Phase, why: &str, now: Timestamp) -> Decision {
    let incident = live(room, id)?;
    let from = incident.phase();
    if from == to {
        return Err(already(format!("{id} is {to}")));
    }
    match to {
        Phase::Investigating | Phase::Identified | Phase::Monitoring => {
            if !from.is_active() {
                return Err(not_now(format!("{id} is {from}"), "reopen it first"));
            }
            let is_back = from != Phase::Triage && to < from;
            let why = if is_back {
                reason(why, &format!("moving {id} back to {to}"))?
            } else {
                why.trim()
            };
            one(id, Change::PhaseChanged { to, reason: why.to_owned() })
        }
        Phase::Triage => Err(not_now(
            format!("{id} cannot go back to triage"),
            "decline it if it was no incident, or lower its severity",
        )),
        Phase::Resolved => {
            Err(not_now(format!("{id} is not resolved by a phase"), "use 'resolve', with evidence"))
        }
        Phase::InReview => start_review(room, id),
        Phase::Closed => close(room, id, (why, None), now),
        Phase::Declined => {
            Err(not_now(format!("{id} is not declined by a phase"), "use 'decline', with a reason"))
        }
        Phase::Merged => Err(not_now(format!("{id} is not merged by a phase"), "use 'merge'")),
    }
}

fn decline(
    room: &Room,
    id: IncidentId,
    why: ClosureReason,
    (note, silent): (&str, Option<&String>),
    now: Timestamp,
) -> Decision {
    let incident = live(room, id)?;
    if !incident.phase().is_active() {
        return Err(not_now(format!("{id} is {}", incident.phase()), "close it instead"));
    }
    if incident.severity.is_major() && note.trim().is_empty() {
        return Err(Rejection::new(
            RejectionKind::NeedsReason,
            format!("declining a {} needs a note", incident.severity),
            "say what shows that it is no incident",
        ));
    }
    if incident.moments.contains_key(&Moment::Declared) && !why.was_none() {
        return Err(not_now(
            format!("{id} was declared an incident, which '{why}' does not unsay"),
            "resolve it, with evidence; only what turned out to be none is declined",
        ));
    }
    talk::check_end(room, incident, silent.map(String::as_str))?;
    legal::check_end(room, incident, now)?;
    let (note, silent) = (note.trim().to_owned(), silence(room, incident, silent));
    Ok(ends(room, id, Change::Declined { reason: why, note, silent }))
}

/// The end of an incident. What the status page still shows as open is put on record as over there: it
/// must not stay open for ever, and nobody wrote words about it.
fn ends(room: &Room, id: IncidentId, change: Change) -> Vec<Body> {
    let shown = room.board.incidents.get(&id).filter(|known| known.resolved_at.is_none());
    let status = PublicStatus::Resolved;
    let over = shown.map(|_| Change::PublicStatusSet { status });
    let body = |change| Body::Incident { incident: id, change };
    over.into_iter().chain([change]).map(body).collect()
}

fn firing_names(room: &Room, incident: &Incident) -> String {
    let names: Vec<&str> = incident
        .members
        .iter()
        .filter(|(_, member)| member.is_firing)
        .map(|(key, _)| room.alerts.get(key).map_or(key.as_str(), |alert| alert.name.as_str()))
        .take(3)
        .collect();
    names.join(", ")
}

fn resolve(
    room: &Room,
    id: IncidentId,
    why: ClosureReason,
    evidence: &str,
    force: Option<&str>,
) -> Decision {
    let incident = live(room, id)?;
    if !incident.phase().is_active() {
        return Err(already(format!("{id} is {}", incident.phase())));
    }
    let evidence = wanted(evidence, "evidence")?.to_owned();
    let firing = incident.firing();
    let force = force.map(str::trim).filter(|text| !text.is_empty());
    if firing > 0 && force.is_none() {
        return Err(Rejection::new(
            RejectionKind::StillFiring,
            format!("{firing} alert(s) of {id} still fire: {}", firing_names(room, incident)),
            "wait until they clear, or force it with a reason",
        ));
    }
    let forced = if firing > 0 { force.map(ToOwned::to_owned) } else { None };
    one(id, Change::Resolved { reason: why, evidence, forced })
}

fn reopen(room: &Room, id: IncidentId, why: &str) -> Decision {
    let incident = find(room, id)?;
    match &incident.stage {
        Stage::Resolved(_) | Stage::InReview(_) | Stage::Closed(_) | Stage::Declined { .. } => {
            let why = reason(why, &format!("reopening {id}"))?;
            one(id, Change::Reopened { reason: why.to_owned() })
        }
        Stage::Merged { into, .. } => {
            Err(not_now(format!("{id} is part of {into}"), "undo the merge instead"))
        }
        Stage::Triage | Stage::Investigating | Stage::Identified | Stage::Monitoring => {
            Err(already(format!("{id} is open, it is {}", incident.phase())))
        }
    }
}

fn start_review(room: &Room, id: IncidentId) -> Decision {
    let incident = live(room, id)?;
    match incident.phase() {
        Phase::Resolved => one(id, Change::ReviewStarted),
        Phase::InReview => Err(already(format!("{id} is in review"))),
        _ => Err(not_now(format!("{id} is {}", incident.phase()), "resolve it first")),
    }
}

/// The reason why somebody hears nothing more, where somebody would.
fn silence(room: &Room, incident: &Incident, silent: Option<&String>) -> Option<String> {
    let is_open = !promise::left_out(incident, &room.plan).is_empty();
    silent.map(|why| why.trim().to_owned()).filter(|why| is_open && !why.is_empty())
}

fn close(
    room: &Room,
    id: IncidentId,
    (note, silent): (&str, Option<&String>),
    now: Timestamp,
) -> Decision {
    let incident = live(room, id)?;
    if incident.phase().is_active() {
        return Err(not_now(format!("{id} is {}", incident.phase()), "resolve it first"));
    }
    let debts: Vec<String> = incident
        .debts()
        .map(|r| format!("{}: {}", r.number, r.text.lines().next().unwrap_or("")))
        .collect();
    if !debts.is_empty() && note.trim().is_empty() {
        return Err(Rejection::new(
            RejectionKind::NeedsReason,
            format!("{id} still runs on a workaround ({})", debts.join("; ")),
            "judge it 'removed', or say with the closing (its note, --note) who follows it up",
        ));
    }
    talk::check_end(room, incident, silent.map(String::as_str))?;
    legal::check_end(room, incident, now)?;
    let open = crate::domain::legal::unanswered(incident, &room.plan, now);
    if !open.is_empty() && note.trim().is_empty() {
        return Err(Rejection::new(
            RejectionKind::NeedsReason,
            format!("questions of the law about {id} are open: {}", open.join("; ")),
            "answer them, put on record why they do not apply, or say with the closing (its note, \
             --note) who follows them up",
        ));
    }
    let (note, silent) = (note.trim().to_owned(), silence(room, incident, silent));
    Ok(ends(room, id, Change::Closed { note, silent }))
}
