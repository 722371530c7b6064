//! Determinations, submissions and what is not owed: what the law's clocks follow from.
//!
//! Invariants:
//! - What starts a clock rests on evidence in words, and may lie before its entry, never after it.
//! - A submission needs a proof; no incident is closed while one of its clocks runs.

use std::collections::BTreeSet;

use crate::domain::change::Change;
use crate::domain::command::Order;
use crate::domain::decide::missed::first_reached;
use crate::domain::decide::{Decision, bad, find, live, not_now, one, reason, wanted};
use crate::domain::event::Body;
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::legal::{self, LegalChange, LegalWish, Recorded, Warned};
use crate::domain::obligation::{self, Clock, Rule, Stage, State, Submission};
use crate::domain::plan::Plan;
use crate::domain::reach;
use crate::domain::rejection::{Rejection, RejectionKind};
use crate::domain::room::Room;
use crate::domain::time::{DAY_MS, Timestamp, span_words};
use crate::domain::words::{DeliveryKind, Role, Severity};

/// How far back a determination or a submission may lie, in milliseconds.
const OLDEST_MS: i64 = 3_653 * DAY_MS;

pub(super) fn decide(
    room: &Room,
    order: &Order,
    id: IncidentId,
    wish: &LegalWish,
    now: Timestamp,
) -> Decision {
    let login = order.actor.login.as_str();
    // Its clocks run only while it is in the room.
    let incident = match wish {
        LegalWish::Determine { .. } | LegalWish::Submit { .. } => live(room, id)?,
        LegalWish::TakeBack { .. } | LegalWish::NotApplicable { .. } => find(room, id)?,
    };
    let plan = &room.plan;
    let change = match wish {
        LegalWish::Determine { .. } => return determine(incident, plan, wish, now),
        LegalWish::TakeBack { rule, kind, reason: why } => {
            // One at a time, the latest decision first.
            let what = incident.legal.facts.get(rule).and_then(|facts| {
                let known = [
                    (facts.not_applicable.contains_key(kind), Recorded::NotApplicable),
                    (facts.triggers.contains_key(kind), Recorded::Determination),
                    (facts.submissions.contains_key(kind), Recorded::Submission),
                ];
                known.into_iter().find_map(|(is_known, what)| is_known.then_some(what))
            });
            if what.is_none() {
                return Err(not_now(
                    format!("'{kind}' of {rule} is not on record for {id}"),
                    "look at its obligations ('warroom obligation list')",
                ));
            }
            let reason = reason(why, "taking a determination back")?.to_owned();
            LegalChange::TakenBack { rule: rule.clone(), kind: kind.clone(), reason, of: what }
        }
        LegalWish::NotApplicable { rule, stage, why } => {
            let rule = known(plan, rule)?;
            stage_of(rule, stage)?;
            let why = reason(why, "saying that it is not owed")?.to_owned();
            LegalChange::NotApplicable { rule: rule.id.clone(), stage: stage.clone(), why }
        }
        LegalWish::Submit { .. } => submit(incident, plan, login, wish, now)?,
    };
    one(id, Change::Legal(Box::new(change)))
}

/// Something was handed in, with its proof; what comes late says why.
fn submit(
    incident: &Incident,
    plan: &Plan,
    login: &str,
    wish: &LegalWish,
    now: Timestamp,
) -> Result<LegalChange, Rejection> {
    let LegalWish::Submit { rule, stage, at, reference, sha256, why } = wish else {
        return Err(bad("not a submission", ""));
    };
    let rule = known(plan, rule)?;
    stage_of(rule, stage)?;
    in_force(rule)?;
    past(*at, now)?;
    after_awareness(incident, rule, *at)?;
    let sha256 = sha256.as_ref().map(|hash| hash.trim().to_ascii_lowercase());
    let (by, reference, why) = (login.to_owned(), reference.trim().to_owned(), why.trim());
    let sent = Submission { at: *at, by, reference, sha256, why: why.to_owned() };
    if let Some(lacks) = sent.check() {
        return Err(bad(lacks, "a claim without a proof is no submission"));
    }
    let mut facts = incident.legal.facts.get(&rule.id).cloned().unwrap_or_default();
    let before = obligation::clocks(rule, &facts, &plan.calendars, now);
    let before = before.into_iter().find(|clock| clock.stage == *stage);
    if let Some(State::Waiting { for_what }) = before.as_ref().map(|clock| &clock.state) {
        return Err(not_now(
            format!("{} {stage} is not owed yet: it waits for {for_what}", rule.id),
            "put on record first what makes it owed, and since when",
        ));
    }
    let since = before.as_ref().and_then(|clock| clock.since).filter(|since| sent.at < *since);
    if let Some(since) = since {
        let (at, since) = (rule.times(sent.at), rule.times(since));
        return Err(bad(
            format!("{at} is before {} {stage} was owed at all ({since})", rule.id),
            "give the time at which it was handed in, or set right what it counts from",
        ));
    }
    // What is owed again and again was due each time.
    let was_due = before.as_ref().and_then(|clock| clock.other_reading.or(clock.due));
    let is_again = rule.stage(stage).is_some_and(|stage| stage.repeat.is_some());
    let is_late_again = is_again && was_due.is_some_and(|due| sent.at > due);
    facts.submissions.entry(stage.clone()).or_default().push(sent.clone());
    let clocks = obligation::clocks(rule, &facts, &plan.calendars, now);
    let clock = clocks.iter().find(|clock| clock.stage == *stage);
    let is_late =
        is_late_again || clock.is_some_and(|it| matches!(it.state, State::Met { late: true, .. }));
    if is_late && why.is_empty() {
        let due = if is_again { was_due } else { clock.and_then(|it| it.due) };
        let due = due.map_or_else(String::new, |at| format!(" ({})", rule.times(at)));
        return Err(Rejection::new(
            RejectionKind::NeedsReason,
            format!("{} {stage} comes after its time{due}", rule.id),
            "say why: the reasons for the delay belong to it (--why, or 'because' in the form)",
        ));
    }
    let Submission { at, reference, sha256, why, .. } = sent;
    let (rule, stage) = (rule.id.clone(), stage.clone());
    Ok(LegalChange::Submitted { rule, stage, at, reference, sha256, why })
}

/// What was found out stands against what was thought before: the finding that nothing is owed is
/// taken back with it, and none is made while the other one is on record.
fn determine(incident: &Incident, plan: &Plan, wish: &LegalWish, now: Timestamp) -> Decision {
    let LegalWish::Determine { rule, kind, at, evidence } = wish else {
        return Err(bad("not a determination", ""));
    };
    let rule = known(plan, rule)?;
    check_kind(rule, kind)?;
    in_force(rule)?;
    past(*at, now)?;
    not_later(incident, rule, kind, *at)?;
    let evidence = wanted(evidence, "evidence")?.to_owned();
    let on_record = |other: &String| {
        let facts = incident.legal.facts.get(&rule.id);
        facts.is_some_and(|facts| facts.triggers.contains_key(other))
    };
    let against = rule
        .triggers
        .iter()
        .find(|(other, made)| made.contradicts.contains(kind) && on_record(other));
    if let Some((other, _)) = against {
        return Err(not_now(
            format!("'{other}' of {} is on record, and '{kind}' cannot hold beside it", rule.id),
            "if that was wrong, take it back first ('warroom obligation take-back'), with the reason",
        ));
    }
    let refuted = rule.triggers.get(kind).map_or(&[][..], |made| made.contradicts.as_slice());
    let mut changes: Vec<LegalChange> = Vec::new();
    for other in refuted.iter().filter(|other| on_record(other)) {
        let (rule, reason) = (rule.id.clone(), format!("'{kind}' was determined: {evidence}"));
        let what = Some(Recorded::Determination);
        changes.push(LegalChange::TakenBack { rule, kind: other.clone(), reason, of: what });
    }
    let (rule, kind) = (rule.id.clone(), kind.clone());
    changes.push(LegalChange::Determined { rule, kind, at: *at, evidence });
    let body =
        |change| Body::Incident { incident: incident.id, change: Change::Legal(Box::new(change)) };
    Ok(changes.into_iter().map(body).collect())
}

fn in_force(rule: &Rule) -> Result<(), Rejection> {
    if rule.enabled {
        return Ok(());
    }
    Err(not_now(
        format!("'{}' is not in force", rule.id),
        "see its notes ('warroom obligation rules'); a plan may hold one of its own",
    ))
}

/// A clock that runs is not set back by saying the same again for a later time.
fn not_later(incident: &Incident, rule: &Rule, kind: &str, at: Timestamp) -> Result<(), Rejection> {
    let facts = incident.legal.facts.get(&rule.id);
    match facts.and_then(|facts| facts.triggers.get(kind)).filter(|known| known.at < at) {
        Some(known) => Err(not_now(
            format!("'{kind}' of {} is on record since {}: the earliest counts", rule.id, known.at),
            "if that was wrong, take it back first ('warroom obligation take-back'), with the reason",
        )),
        None => Ok(()),
    }
}

/// Nothing is handed in before anything was known.
fn after_awareness(incident: &Incident, rule: &Rule, at: Timestamp) -> Result<(), Rejection> {
    let facts = incident.legal.facts.get(&rule.id);
    let known = facts.and_then(|facts| facts.triggers.values().map(|made| made.at).min());
    match known.filter(|known| at < *known) {
        Some(known) => Err(bad(
            format!("{at} is before anything was known ({known})"),
            "give the time at which it was handed in, or set the determination right",
        )),
        None => Ok(()),
    }
}

fn known<'a>(plan: &'a Plan, id: &str) -> Result<&'a Rule, Rejection> {
    legal::rules(plan).find(|rule| rule.id == id).ok_or_else(|| {
        let ids: Vec<&str> = legal::rules(plan).map(|rule| rule.id.as_str()).collect();
        bad(
            format!("'{id}' is no obligation that binds here"),
            format!("one of: {}", ids.join(", ")),
        )
    })
}

fn check_kind(rule: &Rule, kind: &str) -> Result<(), Rejection> {
    if rule.triggers.contains_key(kind) {
        return Ok(());
    }
    let kinds: Vec<&str> = rule.triggers.keys().map(String::as_str).collect();
    Err(bad(
        format!("'{kind}' is nothing that {} asks for", rule.id),
        format!("one of: {}", kinds.join(", ")),
    ))
}

fn stage_of<'a>(rule: &'a Rule, stage: &str) -> Result<&'a Stage, Rejection> {
    rule.stage(stage).ok_or_else(|| {
        let stages: Vec<&str> = rule.stages.iter().map(|stage| stage.id.as_str()).collect();
        bad(
            format!("'{stage}' is nothing that {} demands", rule.id),
            format!("one of: {}", stages.join(", ")),
        )
    })
}

fn past(at: Timestamp, now: Timestamp) -> Result<(), Rejection> {
    if now.since(at) > OLDEST_MS {
        return Err(bad(format!("{at} lies more than ten years back"), "look at the year"));
    }
    if at <= now {
        return Ok(());
    }
    Err(bad(format!("{at} lies in the future"), "give the time at which it was so"))
}

/// No incident is ended while the law waits for something.
pub(super) fn check_end(room: &Room, incident: &Incident, now: Timestamp) -> Result<(), Rejection> {
    let open = legal::open(incident, &room.plan, now);
    let Some(first) = open.first() else { return Ok(()) };
    let due = first.clock.due.map_or_else(|| "without undue delay".to_owned(), |at| at.to_string());
    let more =
        if open.len() > 1 { format!(" (and {} more)", open.len() - 1) } else { String::new() };
    Err(not_now(
        format!("{}: {} is due {due}{more}", first.rule.name, first.clock.title),
        "hand it in, or put on record why it is not applicable",
    ))
}

/// How far a clock has run, in words.
pub(super) fn words(clock: &Clock, now: Timestamp) -> String {
    match (&clock.state, clock.due) {
        (State::Missed, Some(at)) => {
            format!("MISSED, it was due {} ago", span_words(now.since(at)))
        }
        // Past by one reading of the law, not by the other.
        (State::Running { .. }, Some(at)) if at <= now => {
            let other = clock
                .other_reading
                .map(|at| format!("; by another reading until {}", at.to_the_minute()));
            let other = other.unwrap_or_default();
            format!("PAST, it was due {} ago{other}", span_words(now.since(at)))
        }
        (State::Running { warned: 0 }, Some(at)) => {
            format!("it runs, due in {} ({})", span_words(at.since(now)), at.to_the_minute())
        }
        (State::Running { warned }, Some(at)) => {
            format!("{warned}% gone, due in {} ({})", span_words(at.since(now)), at.to_the_minute())
        }
        _ => "still owed, without undue delay".to_owned(),
    }
}

/// Whether a clock has run so far that everybody must know, whatever the hour.
pub(super) fn is_late(clock: &Clock) -> bool {
    clock.due.is_none() || !matches!(clock.state, State::Running { warned: ..90 })
}

/// What is told when a clock has run so far, and to whom.
pub fn warn(room: &Room, id: IncidentId, now: Timestamp) -> Vec<Body> {
    let Some(incident) = room.incidents.get(&id) else { return Vec::new() };
    let is_due =
        |rule: &str| legal::warning_of(incident, &room.plan, rule).is_some_and(|at| at <= now);
    let open = legal::open(incident, &room.plan, now);
    let open: Vec<_> = open.into_iter().filter(|it| is_due(&it.rule.id)).collect();
    let mut has_late = open.iter().any(|it| is_late(&it.clock));
    let mut clocks: Vec<Warned> = open
        .iter()
        .map(|it| Warned {
            rule: it.rule.id.clone(),
            stage: it.clock.stage.clone(),
            words: words(&it.clock, now),
            mark: legal::mark(&it.clock.state).unwrap_or(0),
        })
        .collect();
    // A limit may fall away at the very time at which it was to be told: that is told as well.
    for rule in incident.legal.facts.keys().filter(|rule| is_due(rule)) {
        if !clocks.iter().any(|warned| warned.rule == *rule) {
            let (rule, stage) = (rule.clone(), "clock".to_owned());
            let words = "a limit fell away or changed; look at what is owed now".to_owned();
            clocks.push(Warned { rule, stage, words, mark: 0 });
            has_late = true;
        }
    }
    if clocks.is_empty() {
        return Vec::new();
    }
    // The most urgent first: a short message holds no more.
    clocks.sort_by_key(|warned| std::cmp::Reverse(warned.mark));
    // The law waits in no quiet hours.
    let severity = if has_late { Severity::Sev1 } else { incident.severity };
    let nobody = BTreeSet::new();
    let lead = (Role::InternalLiaison, &nobody, severity);
    let mut reached = first_reached(room, incident, lead, 0, now);
    if has_late {
        for more in first_reached(room, incident, lead, 1, now) {
            if !reached.iter().any(|known| known.to == more.to) {
                reached.push(more);
            }
        }
    }
    reached.sort_by(|a, b| a.to.cmp(&b.to));
    let number = incident.esc.last_number + 1;
    let why = legal::clock_words(&clocks);
    let pages = reach::wanted(reached, DeliveryKind::Inform, number, &why);
    let change = Change::Legal(Box::new(LegalChange::Warned { clocks, pages }));
    vec![Body::Incident { incident: id, change }]
}

/// What is told where clocks that run under one plan no longer run under the next, or run longer: a
/// rule is gone, switched off, or another one stands in its place.
pub fn gone(room: &Room, before: &Plan, id: IncidentId, now: Timestamp) -> Vec<Body> {
    let Some(incident) = room.incidents.get(&id) else { return Vec::new() };
    let after = legal::open(incident, &room.plan, now);
    let goes_on = |was: &legal::Running<'_>| {
        let same =
            after.iter().find(|is| is.rule.id == was.rule.id && is.clock.stage == was.clock.stage);
        same.is_some_and(|is| is.clock.due <= was.clock.due || was.clock.due.is_none())
    };
    let mut number = incident.esc.last_number + 1;
    let mut bodies = Vec::new();
    for rule in incident.legal.facts.keys() {
        let was = legal::open(incident, before, now);
        let lost = was.iter().filter(|it| it.rule.id == *rule && !goes_on(it));
        let clocks: Vec<Warned> = lost
            .map(|it| Warned {
                rule: rule.clone(),
                stage: it.clock.stage.clone(),
                words: words(&it.clock, now),
                mark: legal::mark(&it.clock.state).unwrap_or(0),
            })
            .collect();
        if clocks.is_empty() {
            continue;
        }
        let nobody = BTreeSet::new();
        let lead = (Role::InternalLiaison, &nobody, incident.severity);
        let reached = first_reached(room, incident, lead, 0, now);
        let why = legal::gone_words(rule, &clocks);
        let pages = reach::wanted(reached, DeliveryKind::Inform, number, &why);
        number += u32::try_from(pages.len()).unwrap_or(0);
        let change = LegalChange::RuleGone { rule: rule.clone(), clocks, pages };
        bodies.push(Body::Incident { incident: id, change: Change::Legal(Box::new(change)) });
    }
    bodies
}
