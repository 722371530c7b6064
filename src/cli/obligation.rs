//! Obligations from the command line: which rules bind, what was determined, which clocks run, and
//! what was handed in.

use std::path::PathBuf;

use clap::Subcommand;

use crate::cli::Context;
use crate::cli::act::give;
use crate::cli::look::detail;
use crate::cli::oncall::{known, parse_at};
use crate::cli::out::{Failure, say, say_json};
use crate::clock::wall_now;
use crate::domain::command::Command;
use crate::domain::ids::IncidentId;
use crate::domain::legal::{self, LegalWish};
use crate::domain::obligation::{Rule, State};
use crate::domain::time::Timestamp;
use crate::tui::evidence;

#[derive(Debug, Subcommand)]
pub enum Obligation {
    /// The rules that bind: what they demand, from which text, and when it was read.
    Rules,
    /// The clocks of an incident.
    List { incident: IncidentId },
    /// Put on record that something is so, and since when: that is what starts a clock.
    Determine {
        incident: IncidentId,
        rule: String,
        /// Which of the rule's questions ('warroom obligation rules').
        kind: String,
        /// What it rests on.
        evidence: String,
        /// Since when it is so: -3h, 14:02 or a full time (UTC, or with a zone: "14:02
        /// Europe/Berlin"); now unless given.
        #[arg(long, allow_hyphen_values = true)]
        at: Option<String>,
    },
    /// Take a determination back.
    TakeBack { incident: IncidentId, rule: String, kind: String, reason: String },
    /// Put on record that something is not owed, and why.
    NotApplicable { incident: IncidentId, rule: String, stage: String, why: String },
    /// Put on record that something was handed in, with its proof.
    Submit {
        incident: IncidentId,
        rule: String,
        stage: String,
        /// What the authority calls it.
        #[arg(long, default_value = "")]
        reference: String,
        /// What was handed in; its SHA-256 goes on record.
        #[arg(long)]
        file: Option<PathBuf>,
        #[arg(long, allow_hyphen_values = true)]
        at: Option<String>,
        /// Why it comes late, or out of its order; needed where it is late.
        #[arg(long, default_value = "")]
        why: String,
    },
}

/// A day without a time begins where the rule's clocks are; a zone may stand after a time.
fn time_under(context: &Context, rule: &str, text: &str) -> Result<Timestamp, Failure> {
    let is_day = chrono::NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").is_ok();
    if !is_day {
        return parse_at(text, wall_now());
    }
    let plan = known(context)?.plan;
    let zone = legal::rule(&plan, rule).map_or(chrono_tz::UTC, |rule| rule.zone);
    parse_at(&format!("{} {zone}", text.trim()), wall_now())
}

/// Does it and prints the answer.
pub fn run(verb: Obligation, context: &Context) -> Result<(), Failure> {
    let when = |text: Option<String>, rule: &str| {
        text.map_or_else(|| Ok(wall_now()), |text| time_under(context, rule, &text))
    };
    let (incident, wish) = match verb {
        Obligation::Rules => return rules(context),
        Obligation::List { incident } => return list(context, incident),
        Obligation::Determine { incident, rule, kind, evidence, at } => {
            (incident, LegalWish::Determine { at: when(at, &rule)?, rule, kind, evidence })
        }
        Obligation::TakeBack { incident, rule, kind, reason } => {
            (incident, LegalWish::TakeBack { rule, kind, reason })
        }
        Obligation::NotApplicable { incident, rule, stage, why } => {
            (incident, LegalWish::NotApplicable { rule, stage, why })
        }
        Obligation::Submit { incident, rule, stage, reference, file, at, why } => {
            let sha256 = match file {
                Some(path) => {
                    let facts = evidence::read(&path).map_err(Failure::Usage)?;
                    Some(facts.sha256)
                }
                None => None,
            };
            let at = when(at, &rule)?;
            (incident, LegalWish::Submit { rule, stage, at, reference, sha256, why })
        }
    };
    give(context, Command::Legal { incident, legal: Box::new(wish) })
}

fn rules(context: &Context) -> Result<(), Failure> {
    let plan = known(context)?.plan;
    let rules: Vec<_> = legal::rules(&plan).collect();
    if context.json {
        return say_json(&rules);
    }
    for rule in rules {
        let off = if rule.enabled { "" } else { " · NOT IN FORCE" };
        say(&format!("{} · {} · {}{off}", rule.id, rule.name, rule.authority));
        let source = &rule.source;
        say(&format!(
            "  {} {}, {}; read {}",
            source.law, source.article, source.citation, rule.as_of
        ));
        say(&format!("  when: {}", rule.applies_when));
        for (kind, asked) in &rule.triggers {
            say(&format!("  ? {kind}: {}", asked.question));
        }
        for stage in &rule.stages {
            let limits: Vec<String> =
                stage.limits.iter().map(|l| format!("{} after {}", l.within, l.after)).collect();
            say(&format!("  - {}: {} ({})", stage.id, stage.title, limits.join("; ")));
        }
        for note in &rule.notes {
            say(&format!("    {note}"));
        }
    }
    say("Rules are data with a date, not advice: have counsel look at them.");
    Ok(())
}

fn list(context: &Context, id: IncidentId) -> Result<(), Failure> {
    let plan = known(context)?.plan;
    let incident = detail(context, id, None, 1)?.head;
    let now = wall_now();
    let mut all = legal::all(&incident, &plan, now);
    // What is missed or runs stands first, the soonest before all.
    all.sort_by_key(|it| {
        let rank = match it.clock.state {
            State::Missed | State::Running { .. } => 0,
            State::Waiting { .. } => 1,
            State::Met { .. } | State::NotApplicable { .. } => 2,
        };
        (rank, it.clock.due.unwrap_or(Timestamp(i64::MAX)))
    });
    if context.json {
        let clocks: Vec<_> = all
            .iter()
            .map(|it| serde_json::json!({"rule": it.rule.id, "clock": it.clock}))
            .collect();
        return say_json(&clocks);
    }
    if all.is_empty() {
        let rules = legal::rules(&plan).filter(|rule| rule.enabled).count();
        say(&format!("nothing is on record for {id}"));
        say(&format!(
            "NOBODY HAS SAID YET whether any of {rules} rules binds here: their questions are in \
             'warroom obligation rules', an answer is 'warroom obligation determine'"
        ));
    }
    for it in all {
        let clock = &it.clock;
        let state = match &clock.state {
            State::Waiting { for_what } => format!("waits for {for_what}"),
            State::Running { warned } => running(it.rule, clock.due, *warned),
            State::Met { at, late } => {
                format!("handed in {}{}", it.rule.times(*at), if *late { ", LATE" } else { "" })
            }
            State::Missed => format!("MISSED {}", due(it.rule, clock.due)),
            State::NotApplicable { why } => format!("not applicable: {why}"),
        };
        say(&format!("{} {}: {} · {state}", it.rule.id, clock.stage, clock.title));
        let facts = incident.legal.facts.get(&it.rule.id);
        for sent in facts.and_then(|f| f.submissions.get(&clock.stage)).into_iter().flatten() {
            let hash = sent.sha256.as_ref().map(|hash| format!(", sha256 {hash}"));
            let (at, by, reference) = (it.rule.times(sent.at), &sent.by, &sent.reference);
            say(&format!("  {at} by {by}: '{reference}'{}", hash.unwrap_or_default()));
            if !sent.why.is_empty() {
                say(&format!("  because {}", sent.why));
            }
        }
        if !clock.why_due.is_empty() {
            say(&format!("  {}", clock.why_due));
        }
        if let Some(other) = clock.other_reading {
            let other = it.rule.times(other);
            say(&format!("  by another reading due {other}; the alarm is on the earlier one"));
        }
    }
    Ok(())
}

fn due(rule: &Rule, at: Option<Timestamp>) -> String {
    at.map_or_else(|| "without undue delay".to_owned(), |at| format!("due {}", rule.times(at)))
}

fn running(rule: &Rule, at: Option<Timestamp>, warned: u8) -> String {
    if warned >= 100 {
        return format!("PAST, it was {}", due(rule, at));
    }
    let gone = if warned >= 50 { format!(", {warned}% gone") } else { String::new() };
    format!("{}{gone}", due(rule, at))
}
