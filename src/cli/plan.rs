//! The plan: check, show, adopt.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an unexpected answer is handled alike, whatever it is"
)]

use std::path::PathBuf;

use clap::Subcommand;

use crate::cli::Context;
use crate::cli::act::unexpected;
use crate::cli::oncall::known;
use crate::cli::out::{Failure, say, say_json, warn};
use crate::client::call::Caller;
use crate::client::start;
use crate::clock::wall_now;
use crate::config::Mistake;
use crate::config::plan_files::{self, ReadPlan};
use crate::config::plan_host;
use crate::domain::command::Command;
use crate::domain::duty::Desk;
use crate::domain::lint::{Lint, lint};
use crate::domain::plan::Plan;
use crate::domain::plan_diff::differences;
use crate::domain::words::Right;
use crate::keeper::engine::right_of;
use crate::keeper::identity::{self, own_login};
use crate::proto::{Ask, Reply};

#[derive(Debug, Subcommand)]
pub enum PlanVerb {
    /// Read the plan's files and tell all mistakes, each with file, line and key.
    Check {
        /// The directory; the home's own unless given.
        dir: Option<PathBuf>,
    },
    /// Say what the plan's files would change about who is reached, tonight and through the day.
    Diff { dir: Option<PathBuf> },
    /// Show the plan in force.
    Show,
    /// Check the plan's files and put them in force.
    Adopt {
        dir: Option<PathBuf>,
        /// Why, for the record.
        #[arg(long, short, default_value = "")]
        note: String,
    },
    /// Write the shipped plan into a directory, to start from.
    Init { dir: Option<PathBuf> },
}

/// Does what was asked for.
pub fn run(verb: PlanVerb, context: &Context) -> Result<(), Failure> {
    match verb {
        PlanVerb::Check { dir } => {
            if context.json {
                return check_json(context, dir);
            }
            let read = read(context, dir)?;
            let plan = &read.plan;
            let dead = plan_host::unreachable(plan, &std::env::var("PATH").unwrap_or_default());
            for found in &dead {
                warn(&format!("warroom: {}: {}", found.key, found.what));
            }
            if !dead.is_empty() {
                warn(
                    "warroom: a page to them would be lost here; on another machine check it there",
                );
                return Err(Failure::Said);
            }
            say(&format!(
                "sound: {} people, {} schedules, {} policies, {} services, {} stakeholders, {} rules",
                plan.people.len(),
                plan.schedules.len(),
                plan.policies.len(),
                plan.services.len(),
                plan.stakeholders.len(),
                plan.rules.len()
            ));
            for found in lints(context, plan) {
                warn(&format!("worth a look: {}: {}", found.key, found.what));
            }
            Ok(())
        }
        PlanVerb::Diff { dir } => diff(context, &read(context, dir)?),
        PlanVerb::Show => show(context),
        PlanVerb::Adopt { dir, note } => adopt(context, read(context, dir)?, note),
        PlanVerb::Init { dir } => init(&dir.unwrap_or_else(|| context.home.plan())),
    }
}

/// What is worth a look, in the plan itself and on this machine.
fn lints(context: &Context, plan: &Plan) -> Vec<Lint> {
    let mut lints = lint(plan, &desk(context), wall_now());
    lints.extend(plan_host::missing(plan, &std::env::var("PATH").unwrap_or_default()));
    let may = |login: &str| {
        let who = identity::who_is(login, &context.home.root)?;
        Some(right_of(plan, &who) >= Right::Respond)
    };
    lints.extend(plan_host::may_not_answer(plan, &may));
    lints
}

/// The covers and swaps of a keeper that runs; one is not started for a check.
fn desk(context: &Context) -> Desk {
    let running = start::connect(&context.home).ok().and_then(|stream| Caller::new(stream).ok());
    let reply = running.and_then(|mut keeper| keeper.ask(Ask::Plan).ok());
    match reply {
        Some(Reply::Plan { beside, .. }) => beside.desk(),
        _ => Desk::default(),
    }
}

fn read(context: &Context, dir: Option<PathBuf>) -> Result<ReadPlan, Failure> {
    if let Some(dir) = dir.as_ref().filter(|dir| !dir.is_dir()) {
        return Err(Failure::Usage(format!("{} is not a directory", dir.display())));
    }
    let dir = dir.unwrap_or_else(|| context.home.plan());
    match plan_files::load(&dir, &own_login()) {
        Ok(read) => {
            read.warnings.iter().for_each(|warning| warn(&format!("warning: {warning}")));
            Ok(read)
        }
        Err(mistakes) => {
            for mistake in &mistakes {
                warn(&mistake.to_string());
            }
            warn(&format!(
                "warroom: {} mistakes; the plan in force stays as it is",
                mistakes.len()
            ));
            Err(Failure::Said)
        }
    }
}

/// The same as JSON: whether the plan is sound, every mistake with its place, and what is worth a look.
fn check_json(context: &Context, dir: Option<PathBuf>) -> Result<(), Failure> {
    let dir = dir.unwrap_or_else(|| context.home.plan());
    let place = |mistake: &Mistake| {
        serde_json::json!({
            "file": mistake.file, "line": mistake.line, "key": mistake.key, "what": mistake.what,
        })
    };
    match plan_files::load(&dir, &own_login()) {
        Ok(read) => {
            let lints: Vec<_> = lints(context, &read.plan)
                .iter()
                .map(|found| serde_json::json!({ "key": found.key, "what": found.what }))
                .collect();
            let warnings: Vec<String> = read.warnings.iter().map(ToString::to_string).collect();
            let path = std::env::var("PATH").unwrap_or_default();
            let dead = plan_host::unreachable(&read.plan, &path).into_iter();
            let dead: Vec<_> =
                dead.map(|it| serde_json::json!({ "key": it.key, "what": it.what })).collect();
            if !dead.is_empty() {
                say_json(&serde_json::json!({ "sound": false, "mistakes": dead }))?;
                return Err(Failure::Said);
            }
            say_json(&serde_json::json!({
                "sound": true, "digest": read.digest, "warnings": warnings, "worth_a_look": lints,
            }))
        }
        Err(mistakes) => {
            let mistakes: Vec<_> = mistakes.iter().map(place).collect();
            say_json(&serde_json::json!({ "sound": false, "mistakes": mistakes }))?;
            Err(Failure::Said)
        }
    }
}

fn diff(context: &Context, read: &ReadPlan) -> Result<(), Failure> {
    let known = known(context)?;
    let now = wall_now();
    // Nobody stands in whom the new plan does not know.
    let under = known.desk.under(&read.plan, now);
    let strangers = known.desk.by_strangers(&read.plan, now).map(|(schedule, it)| match it {
        Ok(cover) => format!("cover {} of {} on '{schedule}' falls away", cover.id, cover.person),
        Err(swap) => format!("swap {} on '{schedule}' falls away", swap.id),
    });
    let mut lines: Vec<String> = strangers.collect();
    lines.extend(differences((&known.plan, &known.desk), (&read.plan, &under), now));
    if context.json {
        return say_json(&lines);
    }
    if lines.is_empty() {
        say("nothing is different");
    }
    for line in &lines {
        say(line);
    }
    Ok(())
}

fn show(context: &Context) -> Result<(), Failure> {
    match context.keeper()?.ask(Ask::Plan)? {
        Reply::Plan { plan, .. } if context.json => say_json(&plan),
        Reply::Plan { plan, digest, .. } => {
            say(&format!("# digest {digest}"));
            say(&toml::to_string_pretty(&*plan).map_err(anyhow::Error::from)?);
            Ok(())
        }
        other => Err(unexpected(&other)),
    }
}

fn adopt(context: &Context, read: ReadPlan, note: String) -> Result<(), Failure> {
    let command = Command::AdoptPlan { plan: Box::new(read.plan), digest: read.digest, note };
    let ask = Ask::Do { command: Box::new(command), occurred: None, seen: None };
    match context.keeper()?.ask(ask)? {
        Reply::Done { seq, note, .. } => {
            say(&format!("in force since event {seq}"));
            for line in note.split("; ").filter(|line| !line.is_empty()) {
                say(line);
            }
            Ok(())
        }
        Reply::Rejected(rejection) => Err(Failure::Rejected(rejection)),
        other => Err(unexpected(&other)),
    }
}

fn init(dir: &std::path::Path) -> Result<(), Failure> {
    if dir.exists() {
        return Err(Failure::Usage(format!(
            "{} exists already; nothing was written",
            dir.display()
        )));
    }
    std::fs::create_dir_all(dir)?;
    for (name, text) in plan_files::shipped() {
        std::fs::write(dir.join(name), text)?;
    }
    say(&format!("the shipped plan is in {}; edit it, then 'warroom plan adopt'", dir.display()));
    Ok(())
}
