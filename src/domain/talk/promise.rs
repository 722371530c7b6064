//! Who must hear from us by when: what was promised in words, what the plan asks for, and the last
//! word that everybody gets who got a first one.
//!
//! The cadence of major incidents (first word within 5 minutes of the declaration, then every 20
//! minutes, scope within 5 more, long-incident mode only by decision) is that of `PagerDuty`'s guide for external
//! communication; each stakeholder of a plan may have another one.
//!
//! Invariants:
//! - Pure and derived: nothing here is stored.
//! - Nobody falls silently out: as long as an incident is open, whoever was told has a next time.

use std::collections::BTreeMap;

use crate::domain::incident::{Incident, Stage, Told};
use crate::domain::plan::Plan;
use crate::domain::stakeholder::Stakeholder;
use crate::domain::talk::change::Lost;
use crate::domain::talk::{Asked, heard, page};
use crate::domain::time::{MINUTE_MS, Timestamp};
use crate::domain::words::{Moment, Origin, Phase, Severity};

/// Minutes until the first word about a major incident where the plan does not say.
const FIRST_MIN: u32 = 5;
/// Minutes from the first word about a major incident until its scope is told.
const SCOPE_MIN: u32 = 5;
/// Minutes between two words where the plan knows none of the readers.
const EVERY_MIN: u32 = 20;
/// Minutes between two words about a long incident where the plan does not say.
const LONG_MIN: u32 = 60;
/// Minutes until the press has its answer where no time was agreed on.
const PRESS_MIN: u32 = 60;
/// Minutes until the last word after the resolution where none was promised.
const LAST_MIN: u32 = 30;
/// Minutes until everybody is told again of what nobody has heard.
pub(in crate::domain) const AGAIN_MIN: u32 = 10;
/// Minutes after a miss until the commander hears of it.
const SECOND_MIN: i64 = 5;
/// How often a miss is told, where the words about it get through.
const STEPS: u8 = 2;
/// How often, where they do not: those on whom the plan falls back hear of it, and then everybody.
pub(in crate::domain) const STEPS_MAX: u8 = 4;

/// What somebody is to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// That there is something at all.
    First,
    /// How it goes on.
    Next,
    /// That it is over.
    Last,
    /// What was sent already and got through to them by no way.
    Unreached,
}

impl What {
    /// In words, as what somebody needs.
    pub const fn words(self) -> &'static str {
        match self {
            Self::First => "a first word",
            Self::Next => "the next word",
            Self::Last => "the last word",
            Self::Unreached => "what was sent and got through to nobody",
        }
    }
}

/// Somebody must hear from us by a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise<'a> {
    pub who: &'a str,
    pub what: What,
    /// From when the time counts.
    pub since: Timestamp,
    pub due: Timestamp,
    /// Somebody gave their word; otherwise the plan asks for it.
    pub is_given: bool,
}

impl Promise<'_> {
    /// How much of the time is gone, in percent: 0, 50, 75, 90, and 100 when it is over.
    pub fn mark(&self, now: Timestamp) -> u8 {
        if now >= self.due {
            return 100;
        }
        let all = self.due.since(self.since).max(1);
        let gone = now.since(self.since).max(0).saturating_mul(100) / all;
        match gone {
            90.. => 90,
            75.. => 75,
            50.. => 50,
            _ => 0,
        }
    }
}

/// Minutes between two words to somebody about an incident of this severity.
pub fn every_min(who: &Stakeholder, severity: Severity, phase: Phase, is_long: bool) -> u32 {
    let usual = who.every.get(&severity).copied().unwrap_or(who.every_min);
    let calm = if phase == Phase::Monitoring { who.monitoring_min.unwrap_or(usual) } else { usual };
    if is_long { who.long_min.unwrap_or(LONG_MIN).max(calm) } else { calm }
}

/// Whether words to these are the first that any of them hears: one who was not told by hand yet makes
/// nobody else hear the beginning again.
pub fn is_first(incident: &Incident, names: &[String]) -> bool {
    names.iter().all(|name| incident.told.get(name).is_none_or(|told| told.count == 0))
}

/// Minutes until the next word that an update to these should promise: after the first word about a
/// major incident its scope follows soon, then as often as the plan says.
pub fn suggested_min(incident: &Incident, plan: &Plan, names: &[String]) -> u32 {
    let is_scope =
        incident.severity.is_major() && incident.phase().is_active() && is_first(incident, names);
    let (severity, phase, is_long) = (incident.severity, incident.phase(), incident.talk.is_long);
    let known = names.iter().filter_map(|name| plan.stakeholders.get(name));
    let every =
        known.map(|who| every_min(who, severity, phase, is_long)).min().unwrap_or(EVERY_MIN);
    if is_scope { every.min(SCOPE_MIN) } else { every }
}

/// Minutes until somebody must have heard for the first time.
pub fn first_min(who: &Stakeholder, severity: Severity) -> u32 {
    let usual = if severity.is_major() { FIRST_MIN } else { who.every_min };
    who.first_min.unwrap_or(usual)
}

/// Everything that somebody must hear, in no order.
pub fn all<'a>(incident: &'a Incident, plan: &'a Plan) -> Vec<Promise<'a>> {
    if incident.origin == Origin::Import && incident.reopened == 0 {
        return Vec::new();
    }
    let mut all = to_stakeholders(incident, plan);
    if incident.phase().is_live() {
        all.extend(incident.talk.inquiries.iter().filter_map(press));
    }
    all
}

/// The press needs its answer by a time; where none was agreed on, by one of our own.
fn press(asked: &Asked) -> Option<Promise<'_>> {
    let agreed = asked.inquiry.answer_by;
    if asked.answer.is_some() || asked.is_timeless && agreed.is_none() {
        return None;
    }
    let due = agreed.unwrap_or_else(|| after(asked.at, PRESS_MIN));
    let (who, what, since) = (asked.label.as_str(), What::Next, asked.at.min(due));
    Some(Promise { who, what, since, due, is_given: agreed.is_some() })
}

fn to_stakeholders<'a>(incident: &'a Incident, plan: &'a Plan) -> Vec<Promise<'a>> {
    let given = |who: &'a str, told: &Told| {
        let due = told.next_by?;
        let what = if told.count == 0 { What::First } else { What::Next };
        let since = told.promised_at.unwrap_or(told.at);
        Some(Promise { who, what, since, due, is_given: true })
    };
    match &incident.stage {
        Stage::Triage => {
            let told = incident.told.iter();
            told.filter_map(|(who, told)| {
                let open = page::unreached(incident, who, told).or_else(|| given(who, told));
                let is_heard = !is_unheard(told) && !told.last;
                open.or_else(|| by_the_plan(incident, plan, who, told).filter(|_| is_heard))
            })
            .collect()
        }
        Stage::Investigating | Stage::Identified | Stage::Monitoring => {
            let unheard = plan
                .audience_of(incident)
                .filter(|(name, _)| incident.told.get(*name).is_none_or(is_unheard))
                .map(|(name, who)| {
                    let minutes = first_min(who, incident.severity);
                    let since = incident.talk.since(name, who.from_severity);
                    let due = after(since, minutes);
                    Promise { who: name, what: What::First, since, due, is_given: false }
                });
            let heard = incident.told.iter().filter(|(_, told)| !is_unheard(told));
            let heard = heard.filter_map(|(name, told)| {
                page::unreached(incident, name, told)
                    .or_else(|| given(name, told))
                    .or_else(|| by_the_plan(incident, plan, name, told))
            });
            unheard.chain(heard).collect()
        }
        Stage::Resolved(end) | Stage::InReview(end) => {
            // What was to be passed on by hand is passed on, or is put aside with a reason.
            let unheard = |who: &String| incident.told.get(who).is_none_or(is_unheard);
            let by_hand = incident.talk.by_hand.keys().filter(|who| unheard(who)).map(|who| {
                let due = after(end.at, LAST_MIN);
                Promise { who, what: What::Last, since: end.at, due, is_given: false }
            });
            let told = incident.told.iter().filter_map(|(who, told)| {
                let lost = page::unreached(incident, who, told);
                if lost.is_some() || told.last {
                    return lost;
                }
                if is_unheard(told) {
                    return None;
                }
                // A word that was promised before the end and did not come is the last one now.
                let promised = told.next_by.filter(|by| *by > end.at);
                let due = promised.unwrap_or_else(|| after(end.at, LAST_MIN));
                let (what, since) = (What::Last, told.at.max(end.at).min(due));
                Some(Promise { who, what, since, due, is_given: promised.is_some() })
            });
            // Whoever must know does so after the end as well.
            let unheard = unheard_of(incident, plan).into_iter().map(|(name, who)| {
                let minutes = first_min(who, incident.severity);
                let since = incident.talk.since(name, who.from_severity);
                let wanted = after(since, minutes);
                let due = if wanted <= end.at { wanted } else { after(end.at, LAST_MIN) };
                Promise { who: name, what: What::First, since, due, is_given: false }
            });
            by_hand.chain(told).chain(unheard).collect()
        }
        Stage::Closed(_) | Stage::Declined { .. } | Stage::Merged { .. } => Vec::new(),
    }
}

/// Who must know of an incident that was declared and is over, and heard nothing of it; nobody where it
/// turned out to be none.
fn unheard_of<'a>(incident: &'a Incident, plan: &'a Plan) -> Vec<(&'a String, &'a Stakeholder)> {
    let (Stage::Resolved(end) | Stage::InReview(end)) = &incident.stage else { return Vec::new() };
    let was_one = incident.moments.contains_key(&Moment::Declared) && !end.reason.was_none();
    let is_open = |name: &String| {
        let told = incident.told.get(name);
        told.is_none_or(is_unheard) && !incident.talk.by_hand.contains_key(name)
    };
    let own = was_one && (incident.origin != Origin::Import || incident.reopened > 0);
    let worst = incident.severity_then.map_or(incident.severity, |it| it.min(incident.severity));
    let cares = plan.stakeholders.iter().filter(|(_, who)| who.cares_at(incident, worst));
    cares.filter(|(name, _)| own && is_open(name)).collect()
}

/// Nobody told them anything, and nobody's word stands.
const fn is_unheard(told: &Told) -> bool {
    told.count == 0 && told.next_by.is_none()
}

fn by_the_plan<'a>(
    incident: &'a Incident,
    plan: &'a Plan,
    name: &'a str,
    told: &Told,
) -> Option<Promise<'a>> {
    let Some(who) = plan.stakeholders.get(name) else {
        // Whom the plan does not know was told all the same, and is not left with one word.
        let (since, due) = (told.at, after(told.at, LONG_MIN));
        let is_open = !told.last;
        return is_open.then_some(Promise {
            who: name,
            what: What::Next,
            since,
            due,
            is_given: false,
        });
    };
    let minutes = every_min(who, incident.severity, incident.phase(), incident.talk.is_long).max(1);
    let since = told.at.max(incident.talk.since(name, who.from_severity));
    let due = after(since, minutes);
    Some(Promise { who: name, what: What::Next, since, due, is_given: false })
}

/// The one that is due first.
pub fn next<'a>(incident: &'a Incident, plan: &'a Plan) -> Option<Promise<'a>> {
    all(incident, plan).into_iter().min_by_key(|promise| (promise.due, promise.who))
}

/// When the next word comes for which somebody gave theirs, while the incident is not over.
pub fn next_given(incident: &Incident) -> Option<Timestamp> {
    let is_live = incident.phase().is_live();
    incident.told.values().filter_map(|told| told.next_by).filter(|_| is_live).min()
}

/// When a miss is to be told next; and which step of telling that is.
fn alarm(incident: &Incident, plan: &Plan, promise: &Promise<'_>) -> Option<(Timestamp, u8)> {
    let Some(told) = incident.talk.missed.get(promise.who).filter(|it| it.due == promise.due)
    else {
        return Some((promise.due, 0));
    };
    if told.pages.is_empty() {
        return Some((heard::somebody_after(incident, plan, told.at)?, told.step));
    }
    let next = told.step + 1;
    let usual = promise.due.plus(i64::from(next) * SECOND_MIN * MINUTE_MS);
    match incident.esc.all_failed(&told.pages) {
        Some(at) if next < STEPS_MAX => Some((at.min(usual), next)),
        // A channel that was down may be back: while nobody has heard, everybody is told again.
        Some(at) => Some((after(at, AGAIN_MIN), told.step)),
        None => (next < STEPS).then_some((usual, next)),
    }
}

/// When the next miss is to be told, or that not all got an update, if nothing happens before.
pub fn next_alarm(incident: &Incident, plan: &Plan) -> Option<Timestamp> {
    let all = all(incident, plan);
    let missed = all.iter().filter_map(|promise| alarm(incident, plan, promise)).map(|(at, _)| at);
    let lost = lost(incident).filter(|it| !is_lost_told(incident, it));
    let lost = lost.filter_map(|it| Some(incident.told.get(&it.who)?.at));
    let unheard = heard::unheard(incident, plan).map(|(at, _)| at);
    missed.chain(lost).chain(unheard).min()
}

/// Stakeholders of whom some did not get the last update to them, though others did: all of its
/// messages are over, and one failed at least.
pub fn lost(incident: &Incident) -> impl Iterator<Item = Lost> {
    let is_live = incident.phase().is_live();
    incident.talk.proofs.iter().filter(move |_| is_live).filter_map(|(who, proof)| {
        let told = incident.told.get(who).filter(|told| told.update == Some(proof.update))?;
        let update = told.update?;
        let is_over = incident.talk.update(update).is_none_or(|update| update.more == 0);
        let some = is_over && proof.open == 0 && proof.failed > 0 && proof.is_told();
        let first = proof.failures.first().cloned().unwrap_or_default();
        let (failed, of) = (proof.failed, proof.messages());
        some.then(|| Lost { who: who.clone(), update, failed, of, first })
    })
}

/// Whether people heard of it.
pub fn is_lost_told(incident: &Incident, lost: &Lost) -> bool {
    incident.talk.lost.get(&lost.who) == Some(&lost.update)
}

/// The misses that are to be told now, with the lowest step among them.
pub fn missed<'a>(
    incident: &'a Incident,
    plan: &'a Plan,
    now: Timestamp,
) -> (Vec<Promise<'a>>, u8) {
    let mut due: Vec<(u8, Promise<'a>)> = all(incident, plan)
        .into_iter()
        .filter_map(|promise| {
            let (at, step) = alarm(incident, plan, &promise)?;
            (at <= now).then_some((step, promise))
        })
        .collect();
    let step = due.iter().map(|(step, _)| *step).min().unwrap_or(0);
    due.retain(|(own, _)| *own == step);
    (due.into_iter().map(|(_, promise)| promise).collect(), step)
}

/// Who would be left in the dark if it ended now, each with what they miss: a first word, a last one, words
/// that nobody passed on, an answer to the press.
pub fn left_in_the_dark(incident: &Incident, plan: &Plan) -> Vec<String> {
    let mut all = Vec::new();
    let unheard = unheard_of(incident, plan);
    if !unheard.is_empty() {
        let names: Vec<&str> = unheard.iter().map(|(name, _)| name.as_str()).collect();
        all.push(format!("{} must know of it and heard nothing", names.join(", ")));
    }
    let open = without_a_last_word(incident);
    if !open.is_empty() {
        let what = match incident.talk.unanswered().count() {
            0 => "were told of it and got no last word",
            _ => "wait for a word",
        };
        all.push(format!("{} {what}", open.join(", ")));
    }
    for (who, update) in
        incident.talk.by_hand.iter().filter(|(who, _)| !open.contains(&who.as_str()))
    {
        all.push(format!("nobody passed on to {who} what update {update} says"));
    }
    all
}

/// Whom the last word did not get through to, among many whom it did.
pub fn without_all(incident: &Incident) -> Vec<String> {
    let last = lost(incident).filter(|it| incident.told.get(&it.who).is_some_and(|told| told.last));
    last.map(|lost| format!("the last word did not get through to {}", lost.words())).collect()
}

/// Both of it: what an end must not pass over without a reason.
pub fn left_out(incident: &Incident, plan: &Plan) -> Vec<String> {
    left_in_the_dark(incident, plan).into_iter().chain(without_all(incident)).collect()
}

/// Whoever got a first word and no last one, and the press that waits for an answer.
fn without_a_last_word(incident: &Incident) -> Vec<&str> {
    let is_open = |(who, told): &(&String, &Told)| {
        !is_unheard(told) && (!told.last || page::unreached(incident, who, told).is_some())
    };
    let open = incident.told.iter().filter(is_open);
    let asked = incident.talk.unanswered().map(|asked| asked.label.as_str());
    open.map(|(name, _)| name.as_str()).chain(asked).collect()
}

/// Whoever still waits for a word, with the time that they were given: what another incident takes
/// over with this one.
pub fn waiting(incident: &Incident) -> BTreeMap<String, Option<Timestamp>> {
    let is_open = |(who, told): &(&String, &Told)| {
        !told.last || page::unreached(incident, who, told).is_some()
    };
    let told = incident.told.iter().filter(is_open).map(|(who, told)| (who, told.next_by));
    let by_hand = incident.talk.by_hand.iter();
    let by_hand =
        by_hand.filter(|(who, _)| !incident.told.contains_key(*who)).map(|(who, update)| {
            (who, incident.talk.update(*update).and_then(|update| update.draft.next_by))
        });
    told.chain(by_hand).map(|(who, by)| (who.clone(), by)).collect()
}

fn after(at: Timestamp, minutes: u32) -> Timestamp {
    at.plus(i64::from(minutes) * MINUTE_MS)
}
