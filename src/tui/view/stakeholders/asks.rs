//! Lines of the pane that are about no stakeholder: what waits for somebody's decision or answer, and the
//! clocks of the law.
//!
//! Invariants:
//! - What is said to wait for whoever looks is what they may do.

use crate::domain::incident::{Incident, Stage};
use crate::domain::legal;
use crate::domain::obligation::State;
use crate::domain::plan::Plan;
use crate::domain::talk::{Asked, Update};
use crate::domain::time::span_words;
use crate::domain::words::{Approval, Right, Role};
use crate::tui::action::Action;
use crate::tui::model::Model;
use crate::tui::view::frame::late_words;

use super::{Item, Rank, first};

/// What somebody must decide or answer, and which clocks run.
pub(super) fn all<'a>(model: &'a Model, incident: &'a Incident) -> Vec<Item<'a>> {
    let updates = incident.talk.waiting().map(|update| {
        let draft = &update.draft;
        let commander = incident.commander().filter(|who| *who != update.by);
        let whose = match draft.approval {
            _ if !update.approvers().is_empty() => update.approvers().join(" or "),
            Approval::Commander => commander.unwrap_or("another who may command").to_owned(),
            Approval::Other | Approval::None => "somebody else".to_owned(),
        };
        let subject = draft.words.first().map_or("", |words| words.subject.as_str());
        Item {
            name: "",
            head: format!("update {}", draft.update),
            channel: format!("by {}", update.by),
            text: format!(
                "waits for {whose} (u a){}: to {} · {subject}",
                update.uncalled_words(),
                draft.to.join(", ")
            ),
            // Whoever may not let it go can only wait.
            rank: if may_approve(model, incident, update) { Rank::Asks } else { Rank::Due },
            due: Some(update.at.0),
        }
    });
    let is_held = |asked: &Asked| asked.inquiry.embargo.is_some_and(|at| at > model.shown_now());
    let press = incident.talk.inquiries.iter();
    let press = press.filter(|asked| asked.answer.is_none() || is_held(asked)).map(|asked| {
        let inquiry = &asked.inquiry;
        let by = inquiry.answer_by.map_or_else(String::new, |at| {
            let left = at.since(model.shown_now());
            if left < 0 {
                format!("LATE {} · ", late_words(-left))
            } else {
                format!("by {} · ", at.clock_minutes())
            }
        });
        let embargo = inquiry.embargo.filter(|at| *at > model.shown_now());
        let embargo = embargo.map_or_else(String::new, |at| {
            format!("embargo until {} · ", at.clock_near(model.shown_now()))
        });
        let (text, rank) = match &asked.answer {
            None => {
                let rank = if speaks(model, incident) { Rank::Asks } else { Rank::Due };
                let held = asked.held_at.map_or_else(
                    || "not answered (u s)".to_owned(),
                    |at| format!("holding statement {}, answer owed (u s)", at.clock_minutes()),
                );
                (format!("{by}{embargo}{held}"), rank)
            }
            Some((by, _)) => (format!("{embargo}{by} answered"), Rank::Told),
        };
        Item {
            name: "",
            head: format!("press {}", inquiry.number),
            channel: inquiry.outlet.clone(),
            text: format!("{text}: {}", first(&inquiry.question)),
            rank,
            due: Some(asked.at.0),
        }
    });
    let clocks = legal::all(incident, plan_of(model), model.shown_now());
    let clocks: Vec<Item<'a>> = clocks.iter().filter_map(|it| clock(model, it)).collect();
    updates.chain(press).chain(clocks).collect()
}

/// Until somebody declares it no first word is due to anybody: whoever waits for a clock must know.
pub(super) fn undeclared(model: &Model, incident: &Incident) -> Option<String> {
    let is_awaited = plan_of(model).audience_of(incident).next().is_some();
    let is_open = matches!(incident.stage, Stage::Triage) && incident.severity.is_major();
    let key = model.keymap.key_in(&["global"], Action::Declare).unwrap_or_default();
    (is_open && is_awaited).then(|| format!("NOT DECLARED ({key}): no clock"))
}

/// Whether whoever looks may let an update go.
fn may_approve(model: &Model, incident: &Incident, update: &Update) -> bool {
    let (me, draft) = (model.login.as_str(), &update.draft);
    if update.by == me {
        return false;
    }
    if !update.approvers().is_empty() {
        return update.approvers().contains(&me);
    }
    let has =
        |role: Role| incident.roles.get(&role).is_some_and(|people| people.iter().any(|p| p == me));
    match (draft.approval, incident.commander()) {
        (Approval::Commander, Some(commander)) if commander != update.by => {
            commander == me || has(Role::Deputy)
        }
        (Approval::Commander, _) => model.right >= Right::Command,
        (Approval::Other | Approval::None, _) => true,
    }
}

/// Whether whoever looks answers the press, or may take that on.
fn speaks(model: &Model, incident: &Incident) -> bool {
    let speakers = incident.roles.get(&Role::Spokesperson).filter(|people| !people.is_empty());
    speakers.is_none_or(|people| people.contains(&model.login))
}

fn plan_of(model: &Model) -> &Plan {
    &model.mirror.plan
}

/// A clock of the law: what is due by when, and how much of the time is gone; or that it was handed in.
fn clock<'a>(model: &Model, it: &legal::Running<'_>) -> Option<Item<'a>> {
    match it.clock.state {
        State::Running { .. } | State::Missed => Some(running(model, it)),
        State::Met { at, late } => {
            let late = if late { " LATE" } else { "" };
            let mark = model.theme.mark("✓", "v");
            let at = at.utc().format("%Y-%m-%d %H:%MZ");
            Some(Item {
                name: "",
                head: it.rule.id.clone(),
                channel: it.clock.stage.clone(),
                text: format!("{mark} handed in{late} {at} · {}", it.clock.title),
                rank: Rank::Told,
                due: None,
            })
        }
        State::Waiting { .. } | State::NotApplicable { .. } => None,
    }
}

/// One that runs, or ran out.
fn running<'a>(model: &Model, it: &legal::Running<'_>) -> Item<'a> {
    let due = match it.clock.due {
        Some(at) => {
            let day = if at.is_same_day(model.shown_now()) {
                String::new()
            } else {
                format!("{} ", at.date())
            };
            let left = at.since(model.shown_now());
            let other = it.clock.other_reading.filter(|_| it.clock.state != State::Missed);
            let how = if let Some(other) = other.filter(|_| left < 0) {
                // By one reading of the law it is over, by the other not.
                let until = other.to_the_minute();
                format!("! {} PAST, by another reading until {until}; was due", late_words(-left))
            } else if left < 0 {
                format!("! {} MISSED, was due", late_words(-left))
            } else {
                format!("in {}, by", span_words(left))
            };
            format!("{how} {day}{}Z", at.clock_minutes())
        }
        None => "without undue delay".to_owned(),
    };
    let gone = if let State::Running { warned: warned @ 50.. } = it.clock.state {
        format!(", {warned}% gone")
    } else {
        String::new()
    };
    let is_late = it.clock.state == State::Missed;
    Item {
        name: "",
        head: it.rule.id.clone(),
        channel: it.clock.stage.clone(),
        text: format!("{due}{gone} · {} (u O)", it.clock.title),
        rank: if is_late { Rank::Late } else { Rank::Due },
        // What has no number is wanted at once.
        due: Some(it.clock.due.map_or(0, |at| at.0)),
    }
}
