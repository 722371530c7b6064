//! What is wrong with a rule, in words.
//!
//! Invariants:
//! - A rule without complaints has only clocks that can start, and names only what exists.

use std::collections::BTreeSet;

use super::anchor::{Anchor, is_name};
use super::calendar::Calendars;
use super::rule::{Rule, Stage};
use super::span::Span;

impl Rule {
    /// What is wrong with it, in words; nothing when it may be used. Whether its calendar exists
    /// is asked of [`Rule::check_calendar`].
    pub fn check(&self) -> Vec<String> {
        let mut wrong = self.check_words();
        let mut seen = BTreeSet::new();
        for stage in &self.stages {
            if !seen.insert(stage.id.as_str()) {
                wrong.push(format!("the stage '{}' is there twice", stage.id));
            }
            self.check_stage(stage, &mut wrong);
        }
        if self.stages.is_empty() {
            wrong.push("it has no stage, so that nothing would ever be due".into());
        }
        let used = self.used_triggers();
        for kind in self.triggers.keys().filter(|kind| !used.contains(kind.as_str())) {
            wrong.push(format!("the trigger '{kind}' starts nothing; use it or leave it out"));
        }
        wrong.into_iter().map(|words| format!("{}: {words}", self.id)).collect()
    }

    /// What is wrong with the calendar it names.
    pub fn check_calendar(&self, calendars: &Calendars) -> Vec<String> {
        let missing = self.calendar.iter().filter(|name| !calendars.knows(name));
        missing.map(|name| format!("{}: there is no calendar '{name}'", self.id)).collect()
    }

    fn check_words(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        if !is_name(&self.id) {
            wrong.push("its id must be lower-case letters, digits and hyphens".into());
        }
        let fields = [
            ("name", &self.name),
            ("jurisdiction", &self.jurisdiction),
            ("authority", &self.authority),
            ("applies_when", &self.applies_when),
            ("source.law", &self.source.law),
            ("source.article", &self.source.article),
            ("source.citation", &self.source.citation),
        ];
        for (field, text) in fields {
            if text.trim().is_empty() {
                wrong.push(format!("'{field}' is empty"));
            }
        }
        for (kind, trigger) in &self.triggers {
            if !is_name(kind) {
                wrong.push(format!("the trigger '{kind}' must be letters, digits and hyphens"));
            }
            if trigger.title.trim().is_empty() || trigger.question.trim().is_empty() {
                wrong.push(format!("the trigger '{kind}' needs a title and a question"));
            }
            let is_other = |other: &String| other != kind && self.triggers.contains_key(other);
            for other in trigger.contradicts.iter().filter(|other| !is_other(other)) {
                wrong
                    .push(format!("the trigger '{kind}' contradicts '{other}', which is no other"));
            }
        }
        wrong
    }

    fn check_stage(&self, stage: &Stage, wrong: &mut Vec<String>) {
        let id = &stage.id;
        if !is_name(id) || stage.title.trim().is_empty() {
            wrong.push(format!("the stage '{id}' needs an id of lower-case letters, and a title"));
        }
        if stage.limits.iter().all(|limit| limit.void_unless.is_some()) {
            wrong.push(format!("the stage '{id}' needs a limit that cannot fall away"));
        }
        for kind in stage.conditions().filter(|kind| !self.triggers.contains_key(*kind)) {
            wrong
                .push(format!("the stage '{id}' names the trigger '{kind}', which is not defined"));
        }
        for limit in &stage.limits {
            self.check_anchor(stage, &limit.after, wrong);
            let is_prompt = matches!(limit.within, Span::Promptly | Span::Immediately);
            let counts_days = !is_prompt && !matches!(limit.within, Span::Hours(_));
            if limit.by.is_some() && !counts_days {
                wrong.push(format!("the stage '{id}' ends by a time of day but counts no days"));
            }
            if limit.void_unless.is_some() && is_prompt {
                wrong.push(format!("the stage '{id}' has a limit that never runs out to be void"));
            }
        }
        let counts_business = stage.limits.iter().map(|limit| limit.within).chain(stage.repeat);
        let is_counted = counts_business.into_iter().any(|s| matches!(s, Span::BusinessDays(_)));
        if (is_counted || stage.weekend.is_some()) && self.calendar.is_none() {
            wrong.push(format!("the stage '{id}' counts business days, but no calendar is named"));
        }
        if stage.repeat.is_some() != stage.until.is_some() {
            wrong.push(format!("the stage '{id}' needs both 'repeat' and 'until', or neither"));
        }
    }

    /// Chains run from earlier stages to later ones, so that they cannot form a ring.
    fn check_anchor(&self, stage: &Stage, anchor: &Anchor, wrong: &mut Vec<String>) {
        match anchor {
            Anchor::Trigger(kind) if self.triggers.contains_key(kind) => {}
            Anchor::Trigger(kind) => wrong.push(format!(
                "the stage '{}' counts from the trigger '{kind}', which is not defined",
                stage.id
            )),
            Anchor::First(before) => self.check_before(stage, before, wrong),
            Anchor::Latest(all) => {
                for before in all {
                    self.check_before(stage, before, wrong);
                }
            }
        }
    }

    fn check_before(&self, stage: &Stage, before: &str, wrong: &mut Vec<String>) {
        let place = |id: &str| self.stages.iter().position(|other| other.id == id);
        if place(before).is_none_or(|at| Some(at) >= place(&stage.id)) {
            wrong.push(format!(
                "the stage '{}' counts from '{before}', which is no stage before it",
                stage.id
            ));
        }
    }

    fn used_triggers(&self) -> BTreeSet<&str> {
        let limits = self.stages.iter().flat_map(|stage| &stage.limits);
        let anchors = limits.filter_map(|limit| match &limit.after {
            Anchor::Trigger(kind) => Some(kind.as_str()),
            Anchor::First(_) | Anchor::Latest(_) => None,
        });
        anchors.chain(self.stages.iter().flat_map(Stage::conditions)).collect()
    }
}
