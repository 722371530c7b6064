//! From a rule and the facts of an incident: which clocks run, and how they stand.
//!
//! Invariants:
//! - What was sent counts as sent, whatever was decided besides.
//! - A stage that cannot begin says what it waits for; none is left out.

use super::anchor::Anchor;
use super::calendar::Calendars;
use super::due::{Readings, local, over_weekend, readings};
use super::facts::Facts;
use super::rule::{Limit, Rule, Stage};
use super::span::Span;
use super::state::{Clock, State};
use super::wording;
use crate::domain::time::{HOUR_MS, Timestamp};

/// The marks at which people are told, in percent of the time.
const MARKS: [u8; 3] = [50, 75, 90];

/// How often people are reminded of what is due without undue delay, and immediately.
const REMIND_PROMPTLY_MS: i64 = 24 * HOUR_MS;
const REMIND_IMMEDIATELY_MS: i64 = HOUR_MS;

/// A limit that runs.
pub(super) struct Run<'a> {
    /// The limit.
    pub limit: &'a Limit,
    /// The instant it counts from.
    pub since: Timestamp,
    /// When it runs out; nothing for one without a number.
    pub due: Option<Readings>,
}

/// Everything that a clock follows from.
pub(super) struct Case<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// What is on record.
    pub facts: &'a Facts,
    /// The calendars that the rule may name.
    pub calendars: &'a Calendars,
    /// The present.
    pub now: Timestamp,
}

/// How the limits of a stage stand.
enum Standing<'a> {
    Waiting(Anchor),
    Running(Vec<Run<'a>>),
    /// A determination put every limit aside; the text says which.
    Aside(String),
}

/// The clocks of one rule at one instant, a clock for each stage, in order.
pub fn clocks(rule: &Rule, facts: &Facts, calendars: &Calendars, now: Timestamp) -> Vec<Clock> {
    if !rule.enabled {
        return Vec::new();
    }
    let case = Case { rule, facts, calendars, now };
    rule.stages.iter().map(|stage| case.clock(stage)).collect()
}

/// The next instant after `now` at which a clock of the rule changes or people must be told.
pub fn next_event(
    rule: &Rule,
    facts: &Facts,
    calendars: &Calendars,
    now: Timestamp,
) -> Option<Timestamp> {
    clocks(rule, facts, calendars, now).iter().filter_map(|clock| clock.next_warning).min()
}

impl Case<'_> {
    fn clock(&self, stage: &Stage) -> Clock {
        if stage.repeat.is_some() && self.facts.latest(&stage.id).is_some() {
            return self.again(stage);
        }
        // Where a determination is what is owed, it is met by being made.
        let made = stage.until.as_ref().filter(|_| stage.repeat.is_none());
        if let Some((kind, made)) = made.and_then(|kind| self.facts.triggers.get_key_value(kind))
            && self.facts.first(&stage.id).is_none()
        {
            let met = State::Met { at: made.at, late: false };
            return still(stage, met, wording::made(self.rule, kind, made));
        }
        if self.facts.first(&stage.id).is_none()
            && let Some(why) = self.not_owed(stage)
        {
            return still(stage, State::NotApplicable { why }, String::new());
        }
        match self.standing(stage) {
            Standing::Waiting(anchor) => self.waiting(stage, anchor),
            Standing::Running(runs) => self.running(stage, &runs),
            Standing::Aside(why) => match self.facts.first(&stage.id) {
                Some(sent) => still(stage, State::Met { at: sent.at, late: false }, why),
                None => still(stage, State::NotApplicable { why }, String::new()),
            },
        }
    }

    /// Why a stage is not owed, if it is not.
    fn not_owed(&self, stage: &Stage) -> Option<String> {
        if let Some(decided) = self.facts.not_applicable.get(&stage.id) {
            return Some(format!("{} ({})", decided.why, decided.by));
        }
        for kind in [&stage.not_if, &stage.until].into_iter().flatten() {
            if let Some(made) = self.facts.triggers.get(kind) {
                return Some(wording::made(self.rule, kind, made));
            }
        }
        self.before_the_rule()
    }

    /// A rule binds only from its first day on: the determination that its first clock counts from
    /// says whether this incident is older. What lies still further back, such as a remedy that was
    /// there before anybody knew, does not.
    fn before_the_rule(&self) -> Option<String> {
        let from = self.rule.applies_from?;
        let mut limits = self.rule.stages.iter().flat_map(|stage| &stage.limits);
        let known = limits.find_map(|limit| match &limit.after {
            Anchor::Trigger(kind) => Some(self.facts.when(kind)),
            Anchor::First(_) | Anchor::Latest(_) => None,
        })??;
        let is_before = local(self.rule.zone, known).date() < from;
        is_before.then(|| format!("it applies from {from}, and this was before"))
    }

    fn standing<'a>(&self, stage: &'a Stage) -> Standing<'a> {
        let is_made = |kind: &String| self.facts.triggers.contains_key(kind);
        if let Some(kind) = stage.only_if.as_ref().filter(|kind| !is_made(kind)) {
            return Standing::Waiting(Anchor::Trigger(kind.clone()));
        }
        let (mut runs, mut waits, mut aside) = (Vec::new(), None, None);
        for limit in &stage.limits {
            let put_aside =
                limit.not_if.as_ref().and_then(|kind| self.facts.triggers.get_key_value(kind));
            if let Some((kind, made)) = put_aside.filter(|_| !self.stands(limit)) {
                aside = Some(wording::made(self.rule, kind, made));
                continue;
            }
            if let Some(kind) = limit.only_if.as_ref().filter(|kind| !is_made(kind)) {
                waits.get_or_insert_with(|| Anchor::Trigger(kind.clone()));
                continue;
            }
            match self.since(&limit.after) {
                None => {
                    waits.get_or_insert_with(|| limit.after.clone());
                }
                Some(since) => runs.extend(self.run(stage, limit, since)),
            }
        }
        match (runs.is_empty(), waits, aside) {
            (false, _, _) => Standing::Running(runs),
            (true, Some(anchor), _) => Standing::Waiting(anchor),
            (true, None, Some(why)) => Standing::Aside(why),
            // Every limit ran out unused: the rule's check asks for one that cannot.
            (true, None, None) => Standing::Waiting(first_anchor(stage)),
        }
    }

    /// Whether a limit counts though it was put aside: what it was put aside for was over in its time.
    fn stands(&self, limit: &Limit) -> bool {
        let ended = limit.stands_if.as_ref().and_then(|kind| self.facts.when(kind));
        let due = self.since(&limit.after);
        let due = due.and_then(|since| readings(self.rule, limit, since, self.calendars));
        ended.zip(due).is_some_and(|(ended, due)| ended <= due.last)
    }

    /// A limit that runs, unless it ran out before the determination that it needs.
    fn run<'a>(&self, stage: &Stage, limit: &'a Limit, since: Timestamp) -> Option<Run<'a>> {
        let plain = readings(self.rule, limit, since, self.calendars);
        if let (Some(kind), Some(plain)) = (&limit.void_unless, plain) {
            let made = self.facts.when(kind);
            if made.unwrap_or(self.now.plus(1)) > plain.first {
                return None;
            }
        }
        let due = plain.map(|due| over_weekend(self.rule, stage.weekend, due, self.calendars));
        Some(Run { limit, since, due })
    }

    fn since(&self, anchor: &Anchor) -> Option<Timestamp> {
        match anchor {
            Anchor::Trigger(kind) => self.facts.when(kind),
            Anchor::First(stage) => self.facts.first(stage).map(|sent| sent.at),
            Anchor::Latest(stages) => {
                stages.iter().filter_map(|stage| self.facts.latest(stage)).map(|sent| sent.at).max()
            }
        }
    }

    fn waiting(&self, stage: &Stage, anchor: Anchor) -> Clock {
        let how = match self.facts.first(&stage.id) {
            Some(sent) => State::Met { at: sent.at, late: false },
            None => State::Waiting { for_what: wording::waits(self, &anchor) },
        };
        let why = wording::not_begun(self.rule, stage);
        Clock { anchor, ..still(stage, how, why) }
    }

    fn running(&self, stage: &Stage, runs: &[Run<'_>]) -> Clock {
        let by_due = |run: &&Run<'_>| run.due.map_or(Timestamp(i64::MAX), |due| due.first);
        let Some(strictest) = runs.iter().min_by_key(by_due) else {
            return still(stage, State::Missed, String::new());
        };
        let due = strictest.due.map(|due| {
            let last = runs.iter().filter_map(|run| run.due).map(|due| due.last).min();
            Readings { first: due.first, last: last.unwrap_or(due.last).max(due.first) }
        });
        let (how, next_warning) = match self.facts.first(&stage.id) {
            Some(sent) => {
                let late = due.is_some_and(|due| sent.at > due.last);
                (State::Met { at: sent.at, late }, None)
            }
            None => self.progress(strictest.limit.within, strictest.since, due),
        };
        Clock {
            anchor: strictest.limit.after.clone(),
            since: Some(strictest.since),
            due: due.map(|due| due.first),
            other_reading: due.filter(|due| due.first != due.last).map(|due| due.last),
            next_warning,
            ..still(stage, how, wording::why(self, runs, due))
        }
    }

    /// A stage that is owed again after each time it was sent.
    fn again(&self, stage: &Stage) -> Clock {
        let (Some(span), Some(sent)) = (stage.repeat, self.facts.latest(&stage.id)) else {
            return still(stage, State::Missed, String::new());
        };
        let limit = Limit {
            within: span,
            after: Anchor::Latest(vec![stage.id.clone()]),
            only_if: None,
            not_if: None,
            stands_if: None,
            void_unless: None,
            by: None,
        };
        let met = State::Met { at: sent.at, late: self.is_late_again(stage, &limit, sent.at) };
        let ended = stage.until.as_ref().and_then(|kind| self.facts.triggers.get_key_value(kind));
        if let Some((kind, made)) = ended {
            return still(stage, met, wording::made(self.rule, kind, made));
        }
        if let Some(decided) = self.facts.not_applicable.get(&stage.id) {
            return still(stage, met, format!("no more: {} ({})", decided.why, decided.by));
        }
        let Some(run) = self.run(stage, &limit, sent.at) else {
            return still(stage, met, String::new());
        };
        let (how, next_warning) = self.progress(span, run.since, run.due);
        Clock {
            since: Some(run.since),
            due: run.due.map(|due| due.first),
            other_reading: run.due.filter(|due| due.first != due.last).map(|due| due.last),
            next_warning,
            anchor: limit.after.clone(),
            ..still(stage, how, wording::why(self, std::slice::from_ref(&run), run.due))
        }
    }

    /// Whether what was sent last came after its time: that of the sending before it, else of the first one.
    fn is_late_again(&self, stage: &Stage, limit: &Limit, at: Timestamp) -> bool {
        let sent = self.facts.submissions.get(&stage.id).into_iter().flatten();
        let before = sent.map(|sent| sent.at).filter(|other| *other < at).max();
        let due = match before {
            Some(before) => self.run(stage, limit, before).and_then(|run| run.due),
            None => match self.standing(stage) {
                Standing::Running(runs) => {
                    runs.iter().filter_map(|run| run.due).min_by_key(|due| due.last)
                }
                Standing::Waiting(_) | Standing::Aside(_) => None,
            },
        };
        due.is_some_and(|due| at > due.last)
    }

    /// How far a clock has run, and when people must next be told.
    fn progress(
        &self,
        within: Span,
        since: Timestamp,
        due: Option<Readings>,
    ) -> (State, Option<Timestamp>) {
        let Some(due) = due else {
            return (State::Running { warned: 0 }, reminder(within, since, self.now));
        };
        let mark = |percent: u8| {
            since.plus(due.first.since(since).max(0).saturating_mul(i64::from(percent)) / 100)
        };
        let instants = MARKS.map(mark).into_iter().chain([due.first, due.last]);
        let next = instants.filter(|at| *at > self.now).min();
        if self.now >= due.last {
            return (State::Missed, None);
        }
        let passed = MARKS.into_iter().filter(|percent| mark(*percent) <= self.now).max();
        let warned = if self.now >= due.first { 100 } else { passed.unwrap_or(0) };
        (State::Running { warned }, next)
    }
}

/// The next reminder of something that is due without a number.
fn reminder(within: Span, since: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let every = match within {
        Span::Promptly => REMIND_PROMPTLY_MS,
        Span::Immediately => REMIND_IMMEDIATELY_MS,
        Span::Hours(_)
        | Span::Days(_)
        | Span::BusinessDays(_)
        | Span::Months(_)
        | Span::DaysAfterYearEnd(_) => return None,
    };
    let gone = now.since(since).max(0) / every;
    Some(since.plus((gone + 1).saturating_mul(every)))
}

/// What a stage counts from, as far as one anchor can say it.
fn first_anchor(stage: &Stage) -> Anchor {
    let first = stage.limits.first().map(|limit| limit.after.clone());
    first.unwrap_or_else(|| Anchor::Trigger(String::new()))
}

/// A clock that does not run.
fn still(stage: &Stage, how: State, why_due: String) -> Clock {
    Clock {
        stage: stage.id.clone(),
        title: stage.title.clone(),
        anchor: first_anchor(stage),
        since: None,
        due: None,
        other_reading: None,
        state: how,
        why_due,
        next_warning: None,
    }
}
