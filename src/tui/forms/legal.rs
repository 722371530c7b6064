//! The forms of obligations: what was determined, handed in, or is not owed.
//!
//! Invariants:
//! - As in `forms`: a form never acts by itself.

use crate::domain::command::Command;
use crate::domain::ids::IncidentId;
use crate::domain::legal::{self, LegalWish};
use crate::domain::obligation::State;
use crate::domain::time::Timestamp;
use crate::tui::action::Action;
use crate::tui::form::{Field, Form};
use crate::tui::forms::{About, some};

const TAKE_BACK: &str = "it was wrong";
const IT_IS_SO: &str = "it is so";
const HANDED_IN: &str = "handed in";
const NOT_OWED: &str = "not applicable";

#[expect(clippy::wildcard_enum_match_arm, reason = "two actions of many")]
pub(super) const fn heading(action: Action) -> &'static str {
    match action {
        Action::Determine => "What the law asks about",
        Action::FileReport => "Handed in, or not owed, for",
        _ => "",
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "two actions of many")]
pub(super) fn fields(action: Action, about: &About<'_>) -> Option<Vec<Field>> {
    Some(match action {
        Action::Determine => {
            let which = legal::rules(about.plan).filter(|rule| rule.enabled).flat_map(|rule| {
                let kinds = rule.triggers.iter();
                kinds.map(move |(kind, asked)| format!("{} {kind}: {}", rule.id, asked.question))
            });
            let both = [IT_IS_SO, TAKE_BACK].map(str::to_owned).to_vec();
            vec![
                Field::choice("which", "question", which.collect(), "")
                    .hint("type what it is about: gdpr, nis2, breach"),
                Field::choice("answer", "answer", both, IT_IS_SO),
                Field::line("when", "since when", "")
                    .hint("when it was so, not when it is entered: 14:02 (UTC; or 14:02 Europe/Berlin) · -3h"),
                Field::text("text", "because", "").hint("what it rests on, or why it was wrong"),
            ]
        }
        Action::FileReport => {
            let both = [HANDED_IN, NOT_OWED].map(str::to_owned).to_vec();
            let owed = owed(about);
            // What the cursor stands on is what somebody means.
            let is_meant = |line: &&String| {
                about.line.as_ref().is_some_and(|head| line.starts_with(&format!("{head}: ")))
            };
            let meant = owed.iter().find(is_meant).cloned().unwrap_or_default();
            vec![
                Field::choice("which", "what", owed, &meant).hint("what runs comes first"),
                Field::choice("answer", "answer", both, HANDED_IN),
                Field::line("reference", "reference", "").hint("what the authority calls it"),
                Field::line("hash", "sha256", "")
                    .hint("of the file; 'warroom obligation submit --file' makes it"),
                Field::line("when", "at", "")
                    .hint("14:02 (UTC; or 14:02 Europe/Berlin) · -15m · empty: now"),
                Field::line("text", "because", "")
                    .hint("needed where it is late, or not applicable"),
            ]
        }
        _ => return None,
    })
}

/// What is owed, the clocks that run first, then everything that a rule may demand.
fn owed(about: &About<'_>) -> Vec<String> {
    let now = about.now;
    let mut all: Vec<String> = Vec::new();
    if let Some(incident) = about.incident {
        let mut clocks = legal::all(incident, about.plan, now);
        let is_open = |state: &State| matches!(state, State::Running { .. } | State::Missed);
        clocks.sort_by_key(|it| (!is_open(&it.clock.state), it.clock.due.is_none(), it.clock.due));
        all.extend(
            clocks
                .iter()
                .map(|it| format!("{} {}: {}", it.rule.id, it.clock.stage, it.clock.title)),
        );
    }
    for rule in legal::rules(about.plan).filter(|rule| rule.enabled) {
        let stages = rule.stages.iter();
        let lines = stages.map(|stage| format!("{} {}: {}", rule.id, stage.id, stage.title));
        let fresh: Vec<String> = lines.filter(|line| !all.contains(line)).collect();
        all.extend(fresh);
    }
    all
}

/// The command of a form.
pub(super) fn command(
    form: &Form,
    incident: IncidentId,
    now: Timestamp,
) -> Result<Command, String> {
    let value = |name: &str| form.value(name);
    let which = value("which");
    let head = which.split(':').next().unwrap_or_default();
    let (rule, part) = head.split_once(' ').ok_or("the plan names no obligation")?;
    let (rule, part) = (rule.to_owned(), part.to_owned());
    let at = match some(&value("when")) {
        Some(text) => Timestamp::parse_human(&text, now).map_err(|e| e.to_string())?,
        None => now,
    };
    let legal = match (form.action, value("answer").as_str()) {
        (Action::Determine, TAKE_BACK) => {
            LegalWish::TakeBack { rule, kind: part, reason: value("text") }
        }
        (Action::Determine, _) => {
            LegalWish::Determine { rule, kind: part, at, evidence: value("text") }
        }
        (_, NOT_OWED) => LegalWish::NotApplicable { rule, stage: part, why: value("text") },
        _ => {
            let (reference, sha256) = (value("reference"), some(&value("hash")));
            LegalWish::Submit { rule, stage: part, at, reference, sha256, why: value("text") }
        }
    };
    Ok(Command::Legal { incident, legal: Box::new(legal) })
}
