//! How incidents belong together: links, merges and splits, and taking them back.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each file decides its own commands; `route` is the exhaustive list"
)]

use std::collections::BTreeMap;

use crate::domain::change::{Change, Moved, Opened};
use crate::domain::command::{Command, Order};
use crate::domain::decide::{Decision, already, bad, find, live, not_now, one, wanted};
use crate::domain::event::Body;
use crate::domain::ids::IncidentId;
use crate::domain::incident::{Carried, Incident, Stage, Told};
use crate::domain::rejection::Rejection;
use crate::domain::room::Room;
use crate::domain::talk::{page, promise};
use crate::domain::time::Timestamp;
use crate::domain::words::{LinkKind, Origin, Phase, PublicStatus};

/// Links, merge and split, each with its way back.
pub(super) fn relate(room: &Room, order: &Order, now: Timestamp) -> Decision {
    match &order.command {
        Command::Link { incident, other, kind } => {
            let this = find(room, *incident)?;
            find(room, *other)?;
            if incident == other {
                return Err(bad(
                    format!("{incident} cannot be linked to itself"),
                    "name another incident",
                ));
            }
            if this.links.contains(&(*kind, *other)) {
                return Err(already(format!("{incident} is {kind} {other}")));
            }
            if *kind != LinkKind::RelatedTo && leads_to(room, (*other, *incident), *kind) {
                return Err(bad(
                    format!("{other} is {kind} {incident} already, maybe through others"),
                    "one of the two is the other way round: take that link back first",
                ));
            }
            one(*incident, Change::Linked { other: *other, kind: *kind })
        }
        Command::Unlink { incident, other, kind } => {
            if !find(room, *incident)?.links.contains(&(*kind, *other)) {
                return Err(not_now(
                    format!("{incident} is not {kind} {other}"),
                    "look at its links",
                ));
            }
            one(*incident, Change::Unlinked { other: *other, kind: *kind })
        }
        Command::Merge { incident, into } => merge(room, *incident, *into, now),
        Command::Unmerge { incident } => unmerge(room, *incident),
        Command::Split { incident, alerts, title } => split(room, *incident, alerts, title),
        _ => Err(bad("not a relation", "this is a defect; please report it")),
    }
}

/// Whether links of a kind lead from one incident to another, as far as the room knows.
fn leads_to(room: &Room, (from, to): (IncidentId, IncidentId), kind: LinkKind) -> bool {
    let (mut seen, mut next) = (vec![from], vec![from]);
    while let Some(incident) = next.pop().and_then(|id| room.incidents.get(&id)) {
        for (_, other) in incident.links.iter().filter(|(known, _)| *known == kind) {
            if *other == to {
                return true;
            }
            if !seen.contains(other) {
                seen.push(*other);
                next.push(*other);
            }
        }
    }
    false
}

fn moved(incident: &Incident, keep: impl Fn(&str) -> bool) -> Vec<Moved> {
    incident
        .members
        .iter()
        .filter(|(key, _)| keep(key))
        .map(|(key, m)| Moved { alert: key.clone(), firing: m.is_firing, repeats: m.repeats })
        .collect()
}

/// What is under way about an incident cannot be taken over by another one.
fn ready_to_go(source: &Incident, parent: &Incident, now: Timestamp) -> Result<(), Rejection> {
    let (child, into) = (source.id, parent.id);
    if !source.talk.letters.is_empty() {
        return Err(not_now(
            format!("{} message(s) about {child} are on their way", source.talk.letters.len()),
            "wait until they arrived or failed",
        ));
    }
    if let Some(update) = source.talk.waiting().next() {
        return Err(not_now(
            format!("update {} of {child} waits for approval", update.draft.update),
            "approve it, or take it back",
        ));
    }
    if !source.legal.facts.is_empty() {
        return Err(not_now(
            format!("clocks of the law are on record for {child}"),
            if parent.legal.facts.is_empty() {
                format!("merge {into} into {child} instead")
            } else {
                format!("{into} has clocks of its own: link them instead ('warroom link')")
            },
        ));
    }
    if source.talk.unanswered().next().is_some() {
        return Err(not_now(
            format!("the press waits for an answer about {child}"),
            format!("answer it, or merge {into} into {child} instead"),
        ));
    }
    if let Some((asked, until)) = source.talk.embargo(now) {
        return Err(not_now(
            format!("{} of {child} has an embargo until {}", asked.label, until.clock_near(now)),
            format!("merge {into} into {child} instead, or have it lifted (press --change)"),
        ));
    }
    Ok(())
}

fn merge(room: &Room, child: IncidentId, into: IncidentId, now: Timestamp) -> Decision {
    if child == into {
        return Err(bad(format!("{child} cannot be merged into itself"), "name another incident"));
    }
    let source = live(room, child)?;
    let parent = live(room, into)?;
    if source.phase().is_active() && !parent.phase().is_active() {
        return Err(not_now(
            format!(
                "{into} is {} and {child} is not: nobody would be called for it",
                parent.phase()
            ),
            format!("reopen {into} first, or link them instead"),
        ));
    }
    if source.phase().is_active() && parent.esc.snooze.is_some() {
        return Err(not_now(
            format!("{into} is snoozed: nobody would be called for {child}"),
            format!("end the snooze of {into} first"),
        ));
    }
    ready_to_go(source, parent, now)?;
    let alerts = moved(source, |_| true);
    // Whoever has no more than a promise, or was to be told by hand, was told nothing: it is a promise
    // here too, and no proof.
    let unreached = |who: &str| {
        let told = source.told.get(who);
        told.is_some_and(|told| page::unreached(source, who, told).is_some())
    };
    let is_promised =
        |who: &str| source.told.get(who).is_none_or(|told| told.count == 0) || unreached(who);
    let (mut promised, told): (BTreeMap<_, _>, BTreeMap<_, _>) =
        promise::waiting(source).into_iter().partition(|(who, _)| is_promised(who));
    // Nor was anybody told what reached them by no way; its time is over.
    for (who, next) in &mut promised {
        *next = next.filter(|_| !unreached(who));
    }
    // Whose service it is must know of it, and no maintenance of another one silences it.
    let new: Vec<&String> =
        source.services.iter().filter(|name| !parent.services.contains(name)).collect();
    let is_wider = !parent.services.is_empty() && !new.is_empty();
    let all = parent.services.iter().chain(new).filter(|_| is_wider);
    let services = all.cloned().collect();
    let words = told.keys().filter_map(|who| Some((who.clone(), source.told.get(who)?)));
    let carried = |told: &Told| {
        let (by, channel) = (told.by.clone(), told.channel.clone());
        Carried { at: told.at, by, channel }
    };
    let words = words.map(|(who, told)| (who, carried(told))).collect();
    // What the page shows of both is followed there.
    let is_alone = !room.board.incidents.contains_key(&into);
    let public = Some(source.public)
        .filter(|_| is_alone && room.board.incidents.contains_key(&child))
        .filter(|public| *public != PublicStatus::Unpublished);
    let mut bodies = vec![
        Body::Incident {
            incident: into,
            change: Change::Absorbed { child, alerts, told, promised, services, words, public },
        },
        Body::Incident { incident: child, change: Change::MergedInto { into } },
    ];
    if source.severity < parent.severity {
        // What is worse must not be paged for less because it became part of something.
        let (from, to) = (parent.severity, source.severity);
        let reason = format!("{child} is {to} and became part of it");
        let change = Change::SeverityChanged { from, to, reason };
        bodies.push(Body::Incident { incident: into, change });
    }
    Ok(bodies)
}

fn unmerge(room: &Room, child: IncidentId) -> Decision {
    let incident = find(room, child)?;
    let Stage::Merged { into, .. } = incident.stage else {
        return Err(not_now(
            format!("{child} is not merged"),
            "name the one that became part of another; the timeline of that one says which",
        ));
    };
    let (mut bodies, mut own) = (Vec::new(), Vec::new());
    // Its alerts are those that its own group brought; they may have gone on with the one that it
    // became part of.
    for holder in chain(room, into) {
        let theirs = moved(holder, |key| {
            let is_new = !own.iter().any(|known: &Moved| known.alert == key);
            is_new && incident.brought.iter().any(|brought| brought == key)
        });
        if holder.id == into || !theirs.is_empty() {
            let change = Change::Released { child, alerts: theirs.clone() };
            bodies.push(Body::Incident { incident: holder.id, change });
        }
        own.extend(theirs);
    }
    bodies.push(Body::Incident {
        incident: child,
        change: Change::Unmerged { from: into, alerts: own },
    });
    bodies.extend(room.incidents.get(&into).and_then(|parent| milder(parent, incident)));
    Ok(bodies)
}

/// An incident, and those of which it became part, one after the other.
fn chain(room: &Room, first: IncidentId) -> Vec<&Incident> {
    let mut all: Vec<&Incident> = Vec::new();
    let mut next = Some(first);
    while let Some(incident) = next.and_then(|id| room.incidents.get(&id)) {
        if all.iter().any(|known| known.id == incident.id) {
            break;
        }
        all.push(incident);
        next = match incident.stage {
            Stage::Merged { into, .. } => Some(into),
            _ => None,
        };
    }
    all
}

/// What was raised by a merge that is taken back is as it was before, unless something else was
/// judged since.
fn milder(parent: &Incident, child: &Incident) -> Option<Body> {
    let (last, before) = *parent.severity_before.last()?;
    let is_why = parent.severity_because.contains(&format!("{} is {}", child.id, parent.severity));
    let is_raised = last == child.id && is_why && before > parent.severity;
    let reason = format!("{} is no longer part of it", child.id);
    let change = Change::SeverityChanged { from: parent.severity, to: before, reason };
    is_raised.then_some(Body::Incident { incident: parent.id, change })
}

fn split(room: &Room, id: IncidentId, alerts: &[String], title: &str) -> Decision {
    let incident = live(room, id)?;
    let title = wanted(title, "title")?.to_owned();
    if let Some(stranger) = alerts.iter().find(|key| !incident.members.contains_key(*key)) {
        return Err(bad(
            format!("'{stranger}' is not an alert of {id}"),
            "name alerts of this incident",
        ));
    }
    if alerts.is_empty() {
        return Err(bad("no alert was named", "name the alerts that belong to the new incident"));
    }
    let into = IncidentId(room.last_incident + 1);
    let alerts = moved(incident, |key| alerts.iter().any(|a| a == key));
    let opened = Opened {
        title,
        origin: Origin::Split,
        severity: incident.severity,
        because: format!("split off {id}"),
        services: incident.services.clone(),
        labels: incident.labels.clone(),
        group: None,
        external: None,
        declared: incident.phase() != Phase::Triage,
        reopen_within_s: 0,
        again: String::new(),
        policy: incident.esc.policy.clone(),
    };
    Ok(vec![
        Body::Incident { incident: into, change: Change::Opened(Box::new(opened)) },
        Body::Incident { incident: id, change: Change::SplitOff { into, alerts: alerts.clone() } },
        Body::Incident { incident: into, change: Change::Received { from: id, alerts } },
    ])
}
