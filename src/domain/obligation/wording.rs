//! Clocks in words: why something is due when it is, and what has not begun.
//!
//! Invariants:
//! - Times are told in the zone of the rule, with its name, so that nobody has to guess.

use super::anchor::Anchor;
use super::clocks::{Case, Run};
use super::due::Readings;
use super::facts::Determination;
use super::rule::{Rule, Stage};
use crate::domain::time::{MINUTE_MS, Timestamp, span_words};

/// An instant in the rule's zone: `2026-03-27 10:00 CET`.
pub(super) fn local_words(rule: &Rule, at: Timestamp) -> String {
    at.plus(0).utc().with_timezone(&rule.zone).format("%Y-%m-%d %H:%M %Z").to_string()
}

impl Rule {
    /// An instant in UTC, and by the rule's own clocks: `2026-03-27 09:00Z = 2026-03-27 10:00 CET`.
    pub fn times(&self, at: Timestamp) -> String {
        let utc = at.to_the_minute();
        if self.zone == chrono_tz::UTC { utc } else { format!("{utc} = {}", local_words(self, at)) }
    }
}

/// What an anchor is, in words that fit after "after".
fn anchor_words(rule: &Rule, anchor: &Anchor) -> String {
    let title = |stage: &str| rule.stage(stage).map_or(stage, |found| &found.title).to_owned();
    match anchor {
        Anchor::Trigger(kind) => trigger_words(rule, kind),
        Anchor::First(stage) => format!("sending '{}'", title(stage)),
        Anchor::Latest(stages) => {
            let titles: Vec<String> = stages.iter().map(|stage| title(stage)).collect();
            format!("the latest sending of '{}'", titles.join("' or '"))
        }
    }
}

fn trigger_words(rule: &Rule, kind: &str) -> String {
    rule.triggers.get(kind).map_or(kind, |trigger| &trigger.title).to_owned()
}

/// That a determination was made: `fewer than 500 affected (2026-03-27 10:00 EDT, ann)`.
pub(super) fn made(rule: &Rule, kind: &str, made: &Determination) -> String {
    format!("{} ({}, {})", trigger_words(rule, kind), local_words(rule, made.at), made.by)
}

/// What a stage waits for.
pub(super) fn waits(case: &Case<'_>, anchor: &Anchor) -> String {
    let words = anchor_words(case.rule, anchor);
    match anchor {
        Anchor::Trigger(_) => format!("somebody to determine: {words}"),
        Anchor::First(stage) => after_stages(case, std::slice::from_ref(stage), words),
        Anchor::Latest(stages) => after_stages(case, stages, words),
    }
}

/// Says so when what it waits for will not come.
fn after_stages(case: &Case<'_>, stages: &[String], mut words: String) -> String {
    if stages.iter().all(|stage| case.facts.not_applicable.contains_key(stage)) {
        words.push_str(", which was decided not to apply; decide this one too");
    }
    words
}

/// The limits of a stage that has not begun.
pub(super) fn not_begun(rule: &Rule, stage: &Stage) -> String {
    let limits: Vec<String> = stage
        .limits
        .iter()
        .map(|limit| format!("{} after {}", limit.within, anchor_words(rule, &limit.after)))
        .collect();
    limits.join(", or ")
}

/// Why a stage is due when it is.
pub(super) fn why(case: &Case<'_>, runs: &[Run<'_>], due: Option<Readings>) -> String {
    let limits: Vec<String> = runs.iter().map(|run| run_words(case, run)).collect();
    let mut words = limits.join("; and ");
    if limits.len() > 1 {
        words.insert_str(0, "the earliest of: ");
    }
    if let Some(due) = due.filter(|due| due.first != due.last) {
        words.push_str("; by the other reading ");
        words.push_str(&local_words(case.rule, due.last));
    }
    words
}

fn run_words(case: &Case<'_>, run: &Run<'_>) -> String {
    let (rule, limit) = (case.rule, run.limit);
    let at = local_words(rule, run.since);
    let mut words = format!("{} after {} at {at}", limit.within, anchor_words(rule, &limit.after));
    if let Some(late) = entered_later(case, &limit.after) {
        words.extend([" (entered ", &late, " later)"]);
    }
    if let Some(kind) = limit.void_unless.as_ref().filter(|kind| case.facts.when(kind).is_none()) {
        words.extend([", unless it runs out before ", &trigger_words(rule, kind)]);
    }
    words
}

/// How long after the time it is about a determination came on record, from a minute on.
fn entered_later(case: &Case<'_>, anchor: &Anchor) -> Option<String> {
    let Anchor::Trigger(kind) = anchor else { return None };
    let found = case.facts.triggers.get(kind)?;
    let late = found.entered_at.since(found.at);
    (late >= MINUTE_MS).then(|| span_words(late))
}
