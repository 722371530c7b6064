//! What lies ahead of an incident: each level with the people who would be reached when its time
//! comes, computed from the plan. The escalation pane and `warroom who` show it.
//!
//! Invariants:
//! - Pure, and of one mind with the engine: people and methods come from `reach`.

use serde::{Deserialize, Serialize};

use crate::domain::delivery::Method;
use crate::domain::incident::Incident;
use crate::domain::plan::{Level, Policy, Trigger, When};
use crate::domain::reach::{self, Asked};
use crate::domain::time::{MINUTE_MS, SECOND_MS, Timestamp, span_words};
use crate::domain::words::{AckMode, Severity};

/// One level ahead, or behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
pub struct Rung {
    pub level: u16,
    pub name: String,
    /// When its time comes; none while the clock stands still, or when it is behind.
    pub due: Option<Timestamp>,
    /// It was reached in this round.
    pub is_behind: bool,
    /// It reached nobody then.
    #[serde(default)]
    pub is_nobody: bool,
    pub is_informed: bool,
    /// All of them must answer.
    pub wants_all: bool,
    /// Only one of them, in turn.
    pub in_turn: bool,
    /// What must hold when its time comes, in words; empty: nothing.
    pub condition: String,
    /// Why it would be passed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// Who would be reached, how, and through which target.
    pub people: Vec<Candidate>,
    /// Targets behind which there is nobody, in words.
    pub gaps: Vec<String>,
}

/// Whether there is nobody whose answer to wait for after a level, as it was before it. What is passed
/// over, and what only informs, changes nothing about that, but that the first level has come.
fn is_unheard_after(before: bool, rung: &Rung) -> bool {
    let wants = rung.skipped.is_none() && !rung.is_informed;
    if wants { rung.people.is_empty() } else { before || rung.level == 0 }
}

/// Somebody who would be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub to: String,
    /// Methods in order, as a reader wants them: `mail:a@b`, `phone:1 (after 3m)`.
    pub methods: Vec<String>,
    pub through: String,
    /// Methods that are left out at that hour: `sms (quiet until 07:00)`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quiet: Vec<String>,
}

/// A method as a reader wants it.
pub fn method_words(method: &Method) -> String {
    if method.after_s == 0 {
        return method.name.clone();
    }
    format!("{} (after {})", method.name, span_words(i64::from(method.after_s) * SECOND_MS))
}

/// The levels of a policy for an incident on these services that is or would be opened at
/// `asked.now`.
pub fn of_policy(asked: Asked<'_>, policy: &Policy, services: &[String]) -> Vec<Rung> {
    let is_paging = policy.from_severity.is_none_or(|from| asked.severity <= from);
    let (mut due, mut is_unheard) = (asked.now, false);
    let mut all: Vec<Rung> = Vec::new();
    for (level, index) in policy.levels.iter().zip(0_u16..) {
        if !is_unheard {
            due = due.plus(i64::from(level.after_min) * MINUTE_MS);
        }
        let then = Asked { now: due, ..asked };
        let skipped = reach::skipped(then, &level.when, services);
        let known = rung(then, level, index, is_paging.then_some(due), false);
        let known = Rung { skipped, ..known };
        is_unheard = is_unheard_after(is_unheard, &known);
        all.push(known);
    }
    for trigger in policy.triggers.iter().filter(|trigger| holds_at_once(asked, trigger, services))
    {
        let level = policy.levels.iter().find(|level| level.name == trigger.level);
        let known = all.iter_mut().find(|rung| rung.name == trigger.level).zip(level);
        if let Some((known, level)) = known {
            let now = rung(asked, level, known.level, Some(asked.now), false);
            let condition = format!("trigger: {}", when_words(&trigger.when));
            *known = Rung { condition, ..now };
        }
    }
    all
}

/// Whether a trigger holds as soon as such an incident opens, as far as severity and services say.
fn holds_at_once(asked: Asked<'_>, trigger: &Trigger, services: &[String]) -> bool {
    let when = &trigger.when;
    let is_known = !when.is_always() && when.is_certain();
    is_known && reach::skipped(asked, when, services).is_none()
}

/// The levels of the policy that an incident took, as they stand now.
pub fn of_incident(asked: Asked<'_>, policy: &Policy, incident: &Incident) -> Vec<Rung> {
    let esc = &incident.esc;
    let runs = incident.phase().is_active()
        && !incident.is_answered()
        && (incident.is_paging(policy) || incident.esc.is_forced)
        && esc.pause.is_none()
        && (esc.snooze.is_none() || !esc.must.is_empty());
    let (mut due, mut is_unheard) = (esc.anchor, esc.unheard_at().is_some());
    let mut all: Vec<Rung> = Vec::new();
    for (level, index) in policy.levels.iter().zip(0_u16..) {
        let is_behind = index < esc.next;
        if !is_behind && !is_unheard {
            due = due.plus(i64::from(level.after_min) * MINUTE_MS);
        }
        let then = Asked { now: if is_behind { asked.now } else { due.max(asked.now) }, ..asked };
        let when = (runs && !is_behind).then_some(due);
        let skipped = reach::skipped(then, &level.when, &incident.services);
        let skipped = skipped.filter(|_| when.is_some());
        let is_nobody = is_behind && esc.nobody.contains(&index);
        let known = Rung { is_nobody, skipped, ..rung(then, level, index, when, is_behind) };
        if !is_behind {
            is_unheard = is_unheard_after(is_unheard, &known);
        }
        all.push(known);
    }
    all
}

fn rung(
    asked: Asked<'_>,
    level: &Level,
    index: u16,
    due: Option<Timestamp>,
    is_behind: bool,
) -> Rung {
    let (reached, gaps) = reach::targets(asked, &level.targets);
    let people = reached.into_iter().map(|one| Candidate {
        methods: one.methods.iter().map(method_words).collect(),
        quiet: reach::quiet(asked, &one.to),
        to: one.to,
        through: one.through,
    });
    Rung {
        level: index,
        name: level.name.clone(),
        due,
        is_behind,
        is_nobody: false,
        is_informed: level.informs,
        wants_all: level.mode == AckMode::All,
        in_turn: level.round_robin,
        condition: when_words(&level.when),
        skipped: None,
        people: people.collect(),
        gaps,
    }
}

/// Conditions in words; empty where there are none.
pub fn when_words(when: &When) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut say = |is_asked: bool, text: String| {
        if is_asked {
            words.push(text);
        }
    };
    say(when.severity.is_some(), format!("{} or worse", when.severity.unwrap_or(Severity::Sev5)));
    say(!when.services.is_empty(), format!("on {}", when.services.join(", ")));
    let zone = if when.zone.is_empty() { "UTC" } else { &when.zone };
    say(!when.weekdays.is_empty(), when.weekdays.join(" "));
    say(!when.hours.is_empty(), format!("{} {zone}", when.hours));
    let within =
        if when.within_min > 0 { format!(" within {}m", when.within_min) } else { String::new() };
    say(when.alerts > 0, format!("{} alerts{within}", when.alerts));
    say(when.teams > 0, format!("{} teams", when.teams));
    say(when.security, "a security incident".to_owned());
    say(when.missed_promise, "a missed promise".to_owned());
    say(when.growing, "growing impact".to_owned());
    words.join(", ")
}
