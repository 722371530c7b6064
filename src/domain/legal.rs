//! The obligations of one incident: what was determined, handed in or put aside, and which clocks
//! run because of it.
//!
//! Invariants:
//! - A clock runs because a person determined something, never because an incident opened.
//! - Clocks are derived from what is on record (`obligation::clocks`); only up to when people were
//!   warned is kept.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::domain::delivery::Wanted;
use crate::domain::incident::Incident;

use crate::domain::obligation::{
    Anchor, Clock, Determination, Facts, NotApplicable, Rule, State, Submission, clocks,
    next_event, shipped,
};
use crate::domain::plan::Plan;
use crate::domain::talk::words::told_words;
use crate::domain::time::Timestamp;

static SHIPPED: LazyLock<Vec<Rule>> =
    LazyLock::new(|| shipped().expect("invariant: the tests read every shipped rule"));

/// A clock of which people were warned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warned {
    pub rule: String,
    pub stage: String,
    /// In words: how far it has run, and when it is due.
    pub words: String,
    /// How far, as one of the marks at which people are told; see [`mark`]. Events before it was
    /// written down told all there was.
    #[serde(default = "all_told")]
    pub mark: u8,
}

const fn all_told() -> u8 {
    u8::MAX
}

/// How far a clock has run, as one of the marks at which people are told: percent of its time, 100
/// past its earlier reading, 101 past every one. None: it does not run.
pub const fn mark(state: &State) -> Option<u8> {
    match state {
        State::Running { warned } => Some(*warned),
        State::Missed => Some(101),
        State::Waiting { .. } | State::Met { .. } | State::NotApplicable { .. } => None,
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "kebab-case")]
pub enum LegalChange {
    /// Somebody determined that it was so, at a time that may lie before this.
    Determined { rule: String, kind: String, at: Timestamp, evidence: String },
    /// That was wrong.
    TakenBack {
        rule: String,
        kind: String,
        reason: String,
        /// Which of what is on record under that name; all of it in events before it was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<Recorded>,
    },
    /// A stage is not owed.
    NotApplicable { rule: String, stage: String, why: String },
    /// Something was handed in.
    Submitted {
        rule: String,
        stage: String,
        at: Timestamp,
        reference: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
        /// Why it came late, or out of its order.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        why: String,
    },
    /// The plan no longer holds a rule under which clocks ran: they have stopped, and what they said is
    /// for somebody to follow by hand.
    RuleGone { rule: String, clocks: Vec<Warned>, pages: Vec<Wanted> },
    /// Half, three quarters, nine tenths of the time are gone, or all of it.
    Warned { clocks: Vec<Warned>, pages: Vec<Wanted> },
}

/// What is on record under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recorded {
    /// That it is not owed.
    NotApplicable,
    Determination,
    /// The last thing that was handed in.
    Submission,
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum LegalWish {
    Determine {
        rule: String,
        kind: String,
        at: Timestamp,
        evidence: String,
    },
    TakeBack {
        rule: String,
        kind: String,
        reason: String,
    },
    NotApplicable {
        rule: String,
        stage: String,
        why: String,
    },
    Submit {
        rule: String,
        stage: String,
        at: Timestamp,
        #[serde(default)]
        reference: String,
        #[serde(default)]
        sha256: Option<String>,
        /// Why it comes late, or out of its order; needed where it is late.
        #[serde(default)]
        why: String,
    },
}

/// The obligations of one incident.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Legal {
    /// Rule → what is on record.
    pub facts: BTreeMap<String, Facts>,
    /// Rule → up to when people were warned.
    pub warned: BTreeMap<String, Timestamp>,
    /// Rule → stage → the mark of which they were told.
    pub told: BTreeMap<String, BTreeMap<String, u8>>,
    /// Rule → when what is on record for it changed last, where nobody was told since: a clock may
    /// have been past a mark when it came to be.
    pub changed: BTreeMap<String, Timestamp>,
}

/// One clock with its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running<'a> {
    pub rule: &'a Rule,
    pub clock: Clock,
}

/// The rules that bind under a plan: those that it names, else all; its own stand before shipped ones
/// of the same id.
pub fn rules(plan: &Plan) -> impl Iterator<Item = &Rule> {
    let is_own = |id: &str| plan.own_obligations.iter().any(|rule| rule.id == id);
    let shipped = SHIPPED.iter().filter(move |rule| !is_own(&rule.id));
    let binds = |rule: &&Rule| plan.obligations.is_empty() || plan.obligations.contains(&rule.id);
    plan.own_obligations.iter().chain(shipped).filter(binds)
}

/// The rule of an id, whether it binds or not: what was determined under it stays.
pub fn rule<'a>(plan: &'a Plan, id: &str) -> Option<&'a Rule> {
    plan.own_obligations.iter().chain(SHIPPED.iter()).find(|rule| rule.id == id)
}

/// Every clock of the rules under which something is on record.
pub fn all<'a>(incident: &Incident, plan: &'a Plan, now: Timestamp) -> Vec<Running<'a>> {
    let mut found = Vec::new();
    for (id, facts) in &incident.legal.facts {
        let Some(rule) = rule(plan, id) else { continue };
        let clocks = clocks(rule, facts, &plan.calendars, now);
        found.extend(clocks.into_iter().map(|clock| Running { rule, clock }));
    }
    found
}

/// The clocks that run, or that ran out.
pub fn open<'a>(incident: &Incident, plan: &'a Plan, now: Timestamp) -> Vec<Running<'a>> {
    let mut open = all(incident, plan, now);
    open.retain(|it| matches!(it.clock.state, State::Running { .. } | State::Missed));
    open.sort_by_key(|it| it.clock.due.unwrap_or(Timestamp(i64::MAX)));
    open
}

/// When people must be told next, after what they were told.
pub fn next_warning(incident: &Incident, plan: &Plan) -> Option<Timestamp> {
    incident.legal.facts.keys().filter_map(|id| warning_of(incident, plan, id)).min()
}

/// When people must be told next of the clocks of one rule: at once where one of them was past a mark
/// of which nobody was told when it came to be.
pub fn warning_of(incident: &Incident, plan: &Plan, id: &str) -> Option<Timestamp> {
    let legal = &incident.legal;
    let (facts, seen) = (legal.facts.get(id)?, legal.warned.get(id).copied()?);
    let rule = rule(plan, id)?;
    let at_instant = |at: Timestamp| clocks(rule, facts, &plan.calendars, at);
    // What has no number is reminded of from its beginning on, however long ago that was.
    let is_reminded = |clock: &Clock, by: Timestamp| {
        let all = clock.since.filter(|_| clock.due.is_none()).map(at_instant);
        let first = all.iter().flatten().find(|it| it.stage == clock.stage);
        first.and_then(|it| it.next_warning).is_some_and(|at| at <= by)
    };
    let is_untold = |clock: &Clock, by: Timestamp| {
        let told = legal.told.get(id).and_then(|stages| stages.get(&clock.stage)).copied();
        let is_past = mark(&clock.state).is_some_and(|mark| mark > told.unwrap_or(0));
        let runs = matches!(clock.state, State::Running { .. });
        is_past || runs && told.is_none() && is_reminded(clock, by)
    };
    let changed = legal.changed.get(id).copied();
    let changed = changed.filter(|by| at_instant(*by).iter().any(|clock| is_untold(clock, *by)));
    changed.or_else(|| next_event(rule, facts, &plan.calendars, seen))
}

/// Questions of the law that nobody has answered, and that a stage waits for: the rule's id, and the
/// stage with what it waits for.
pub fn unanswered(incident: &Incident, plan: &Plan, now: Timestamp) -> Vec<String> {
    let asks = |it: &Running<'_>| {
        let Anchor::Trigger(kind) = &it.clock.anchor else { return None };
        let State::Waiting { for_what } = &it.clock.state else { return None };
        let facts = incident.legal.facts.get(&it.rule.id)?;
        let excludes = |a: &str, b: &str| {
            it.rule.triggers.get(a).is_some_and(|made| made.contradicts.iter().any(|k| k == b))
        };
        let mut made = facts.triggers.keys().peekable();
        made.peek()?;
        let is_settled = made.any(|made| excludes(made, kind) || excludes(kind, made));
        let words = || format!("{} {} (waits for {for_what})", it.rule.id, it.clock.stage);
        (!is_settled).then(words)
    };
    all(incident, plan, now).iter().filter_map(asks).collect()
}

impl Legal {
    pub(super) fn apply(&mut self, change: &LegalChange, by: &str, entered_at: Timestamp) {
        let by = by.to_owned();
        match change {
            LegalChange::Determined { rule, kind, at, evidence } => {
                let (at, evidence) = (*at, evidence.clone());
                let made = Determination { at, entered_at, by, evidence };
                let facts = self.facts.entry(rule.clone()).or_default();
                facts.triggers.insert(kind.clone(), made);
                // What was put aside before this was known is owed again.
                for stage in std::mem::take(&mut facts.not_applicable).into_keys() {
                    self.untold(rule, &stage);
                }
                self.warned.insert(rule.clone(), entered_at);
                self.changed.insert(rule.clone(), entered_at);
            }
            LegalChange::TakenBack { rule, kind, of, .. } => {
                let is = |one: Recorded| of.is_none_or(|of| of == one);
                if let Some(facts) = self.facts.get_mut(rule) {
                    if is(Recorded::Determination) {
                        facts.triggers.remove(kind);
                    }
                    if is(Recorded::NotApplicable) {
                        facts.not_applicable.remove(kind);
                    }
                    let sent = facts.submissions.get_mut(kind);
                    if let Some(sent) = sent.filter(|_| is(Recorded::Submission)) {
                        sent.pop();
                    }
                    facts.submissions.retain(|_, sent| !sent.is_empty());
                }
                self.told.remove(rule);
                self.changed.insert(rule.clone(), entered_at);
            }
            LegalChange::NotApplicable { rule, stage, why } => {
                let decided = NotApplicable { why: why.clone(), by, at: entered_at };
                let facts = self.facts.entry(rule.clone()).or_default();
                facts.not_applicable.insert(stage.clone(), decided);
                self.untold(rule, stage);
                self.changed.insert(rule.clone(), entered_at);
            }
            LegalChange::Submitted { rule, stage, at, reference, sha256, why } => {
                let (reference, sha256) = (reference.clone(), sha256.clone());
                let sent = Submission { at: *at, by, reference, sha256, why: why.clone() };
                let facts = self.facts.entry(rule.clone()).or_default();
                facts.submissions.entry(stage.clone()).or_default().push(sent);
                self.warned.entry(rule.clone()).or_insert(entered_at);
                self.untold(rule, stage);
                self.changed.insert(rule.clone(), entered_at);
            }
            LegalChange::RuleGone { .. } => {}
            LegalChange::Warned { clocks, .. } => {
                for warned in clocks {
                    self.warned.insert(warned.rule.clone(), entered_at);
                    self.changed.remove(&warned.rule);
                    let stages = self.told.entry(warned.rule.clone()).or_default();
                    stages.insert(warned.stage.clone(), warned.mark);
                }
            }
        }
    }

    /// What was told of a stage holds no longer.
    fn untold(&mut self, rule: &str, stage: &str) {
        if let Some(stages) = self.told.get_mut(rule) {
            stages.remove(stage);
        }
    }
}

/// What a fact reads like in a timeline.
pub fn words(change: &LegalChange) -> String {
    match change {
        LegalChange::Determined { rule, kind, at, evidence } => {
            format!("{rule}: '{kind}' determined as of {at}: {evidence}")
        }
        LegalChange::TakenBack { rule, kind, reason, of } => {
            let what = match of {
                Some(Recorded::NotApplicable) => ", that it is not applicable,",
                Some(Recorded::Submission) => ", what was handed in last,",
                Some(Recorded::Determination) | None => "",
            };
            format!("{rule}: '{kind}'{what} was taken back: {reason}")
        }
        LegalChange::NotApplicable { rule, stage, why } => {
            format!("{rule} {stage}: not applicable because {why}")
        }
        LegalChange::Submitted { rule, stage, at, reference, sha256, why } => {
            let hash = sha256.as_ref().map(|hash| format!(" · sha256 {hash}"));
            let hash = hash.unwrap_or_default();
            let why = if why.is_empty() { String::new() } else { format!(" · because {why}") };
            format!("{rule} {stage}: handed in at {at}, reference '{reference}'{hash}{why}")
        }
        LegalChange::RuleGone { rule, clocks, pages } => format!(
            "THE PLAN NO LONGER HOLDS '{rule}', and its clocks stop: follow them by hand, or put it \
             back ({}); {}",
            clock_words(clocks),
            told_words(pages)
        ),
        LegalChange::Warned { clocks, pages } => {
            format!("CLOCK {}; {}", clock_words(clocks), told_words(pages))
        }
    }
}

/// What is told of clocks that no longer run as they ran.
pub(in crate::domain) fn gone_words(rule: &str, clocks: &[Warned]) -> String {
    format!("the plan no longer holds clocks of {rule} as they ran ({})", clock_words(clocks))
}

/// How far clocks have run, in words.
pub(in crate::domain) fn clock_words(clocks: &[Warned]) -> String {
    let words = clocks.iter().map(|it| format!("{} {}: {}", it.rule, it.stage, it.words));
    words.collect::<Vec<_>>().join("; ")
}
