//! Questions: what is open, what happened, what was posted, how the keeper is.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an unexpected answer is handled alike, whatever it is"
)]

use std::collections::BTreeSet;

use clap::Subcommand;

use crate::cli::Context;
use crate::cli::act::unexpected;
use crate::cli::out::{Failure, say, say_json, warn};
use crate::clock::wall_now;
use crate::domain::event::Recorded;
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::row::{Rank, Row};
use crate::domain::stats::{self, Spread};
use crate::domain::text::{fit, visible};
use crate::domain::time::{Timestamp, span_words};
use crate::domain::timeline;
use crate::proto::{Ask, Detail, Reply};

#[derive(Debug, Subcommand)]
pub enum Look {
    /// List the queue, or with --closed the incidents that are over.
    List {
        /// Words that must occur.
        query: Vec<String>,
        #[arg(long)]
        closed: bool,
        #[arg(long, default_value_t = 100_000)]
        limit: u32,
    },
    /// Show one incident with its timeline.
    Show {
        incident: IncidentId,
        /// As it was known after this event, or at this time.
        #[arg(long)]
        at: Option<String>,
        #[arg(long, default_value_t = 500)]
        limit: u32,
    },
    /// Search all timelines, open and closed.
    Search {
        #[arg(required = true)]
        words: Vec<String>,
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// List alerts, with what became of each and why.
    Alerts {
        incident: Option<IncidentId>,
        #[arg(long, default_value_t = 500)]
        limit: u32,
    },
    /// Say why an alert did, or did not, open an incident.
    Why { alert: String },
    /// Show what was posted by whom, what became of it, and the last refusals.
    Intake,
    /// Time to resolution: n, mean, median, p90; by priority and by month.
    Stats {
        /// Only incidents from this origin: warroom, servicenow, volvo, statuspage, …
        #[arg(long)]
        origin: Option<String>,
    },
    /// Say how the keeper is.
    Status,
}

/// Asks and prints.
pub fn run(look: Look, context: &Context) -> Result<(), Failure> {
    match look {
        Look::List { query, closed, limit } => list(context, &query.join(" "), closed, limit),
        Look::Show { incident, at, limit } => show(context, incident, at, limit),
        Look::Search { words, limit } => search(context, words.join(" "), limit),
        Look::Alerts { incident, limit } => alerts(context, incident, limit),
        Look::Why { alert } => crate::cli::why::why(context, &alert),
        Look::Intake => intake(context),
        Look::Stats { origin } => statistics(context, origin.as_deref()),
        Look::Status => crate::cli::status::status(context),
    }
}

/// Entries that are asked for at once.
const PAGE: u32 = 500;
/// The longest title in a list, in columns: a line stays a line.
const TITLE_MAX: usize = 160;

/// The whole queue, or the incidents that are over, narrowed to the words that must occur.
pub(super) fn rows(
    context: &Context,
    query: &str,
    closed: bool,
    limit: u32,
) -> Result<Vec<Row>, Failure> {
    let mut keeper = context.keeper()?;
    if closed {
        return match keeper.ask(Ask::Closed { query: query.to_owned(), limit })? {
            Reply::Rows { rows, .. } => Ok(rows),
            other => Err(unexpected(&other)),
        };
    }
    let mut all = Vec::new();
    let mut after = IncidentId(0);
    loop {
        match keeper.ask(Ask::Rows { after, limit: 2_000 })? {
            Reply::Rows { rows, done } => {
                after = rows.last().map_or(after, |row| row.id);
                all.extend(rows);
                if done {
                    break;
                }
            }
            other => return Err(unexpected(&other)),
        }
    }
    let needle = query.to_lowercase();
    all.retain(|row| {
        let hay =
            format!("{} {} {} {}", row.id, row.title, row.services, row.severity).to_lowercase();
        needle.split_whitespace().all(|word| hay.contains(word))
    });
    all.sort_by_key(|row| (Rank::of_row(row), row.id));
    Ok(all)
}

/// Says that there is more than was asked for.
fn cut<T>(list: &mut Vec<T>, limit: u32) {
    let all = list.len();
    list.truncate(limit as usize);
    if list.len() < all {
        warn(&format!("{} of {all} are shown (--limit)", list.len()));
    }
}

fn list(context: &Context, query: &str, closed: bool, limit: u32) -> Result<(), Failure> {
    let mut rows = rows(context, query, closed, limit)?;
    cut(&mut rows, limit);
    if context.json {
        return say_json(&rows.iter().map(row_json).collect::<Vec<_>>());
    }
    if rows.is_empty() {
        say(if closed { "nothing matches" } else { "nothing is open" });
    }
    let now = wall_now();
    for row in rows {
        let age = span_words(now.since(row.opened_at));
        let ack = match (row.is_acked, row.is_partly) {
            _ if !row.phase.is_active() => "over",
            (true, true) => "PARTLY",
            _ if row.snoozed_until.is_some() => "snoozed",
            (false, _) => "UNACKED",
            (true, false) => "acked",
        };
        say(&format!(
            "{} {} {:<9} {:<13} {:>6}  {:<7} {}",
            row.severity,
            row.priority,
            row.id,
            row.phase,
            age,
            ack,
            fit(&row.title, TITLE_MAX)
        ));
    }
    Ok(())
}

/// A row under names that a script can be read by.
fn row_json(row: &Row) -> serde_json::Value {
    serde_json::json!({
        "id": row.id,
        "title": row.title,
        "severity": row.severity,
        "priority": row.priority,
        "phase": row.phase,
        "acknowledged": row.is_acked,
        "others_must_answer": row.is_partly,
        "snoozed_until": row.snoozed_until,
        "who": row.who,
        "services": row.services.split_whitespace().collect::<Vec<_>>(),
        "firing": row.firing,
        "alerts": row.members,
        "debts": row.debts,
        "next_word_by": row.promise,
        "opened_at": row.opened_at,
        "ended_at": row.ended_at,
        "seq": row.seq,
    })
}

/// The event or instant that `--at` names.
fn until(
    context: &Context,
    incident: IncidentId,
    at: Option<String>,
) -> Result<Option<u64>, Failure> {
    let Some(text) = at else { return Ok(None) };
    if let Ok(seq) = text.parse() {
        return Ok(Some(seq));
    }
    let at =
        Timestamp::parse_human(&text, wall_now()).map_err(|e| Failure::Usage(e.to_string()))?;
    let detail = detail(context, incident, None, 5_000)?;
    let last = detail.events.iter().rev().find(|event| event.at <= at).map(|event| event.seq);
    last.map(Some).ok_or_else(|| Failure::Usage(format!("{incident} did not exist at {at}")))
}

/// An incident with its latest events.
pub fn detail(
    context: &Context,
    incident: IncidentId,
    until: Option<u64>,
    limit: u32,
) -> Result<Detail, Failure> {
    match context.keeper()?.ask(Ask::Incident { incident, until, limit })? {
        Reply::Incident(detail) => Ok(*detail),
        Reply::Rejected(rejection) => Err(Failure::Rejected(rejection)),
        other => Err(unexpected(&other)),
    }
}

/// One line, whatever the texts in it hold: nobody's words make another.
pub(super) fn line(text: &str) {
    say(&visible(text));
}

fn show(
    context: &Context,
    incident: IncidentId,
    at: Option<String>,
    limit: u32,
) -> Result<(), Failure> {
    let until = until(context, incident, at)?;
    let detail = detail(context, incident, until, limit)?;
    if context.json {
        return say_json(&detail);
    }
    let head = &detail.head;
    line(&format!("{} {}", head.id, head.title));
    line(&format!("  {} because {}", head.severity, head.severity_because));
    line(&format!("  {} because {}", head.priority(), head.priority_because()));
    line(&format!("  {}, opened {}, public: {}", head.phase(), head.opened_at, head.public));
    if !head.services.is_empty() {
        line(&format!("  services: {}", head.services.join(", ")));
    }
    for (role, people) in &head.roles {
        line(&format!("  {role}: {}", people.join(", ")));
    }
    match &head.ack {
        Some(ack) => {
            let snooze = head.esc.snooze.as_ref().map(|snooze| {
                format!("; SNOOZED by {} until {}: {}", snooze.by, snooze.until, snooze.reason)
            });
            let snooze = snooze.unwrap_or_default();
            line(&format!("  acknowledged by {} at {}{snooze}", ack.by, ack.at));
        }
        None if head.phase().is_active() => line("  NOT ACKNOWLEDGED: nobody answers for it now"),
        None => {}
    }
    for (kind, other) in &head.links {
        line(&format!("  {kind} {other}"));
    }
    if !head.members.is_empty() {
        line(&format!(
            "  alerts: {} of {} fire, posted {} times",
            head.firing(),
            head.members.len(),
            head.posts()
        ));
    }
    for (moment, at) in &head.moments {
        line(&format!("  {moment}: {at}"));
    }
    let hidden = detail.total.saturating_sub(detail.events.len() as u64);
    if hidden > 0 {
        line(&format!("  … about {hidden} earlier entries (--limit)"));
    }
    for event in &detail.events {
        print_entry(event, head);
    }
    Ok(())
}

/// An entry of a timeline, with its lines below it.
pub(super) fn print_entry(event: &Recorded, head: &Incident) {
    let entry = timeline::entry(event, head.id);
    let text = if head.redacted.contains(&entry.seq) { "(redacted)" } else { entry.text.as_str() };
    let about = if entry.about { "~" } else { " " };
    let late = entry.recorded.map(|at| format!(" (recorded {at})")).unwrap_or_default();
    let text = format!("{text}{late}");
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    line(&format!("{:>7} {}{about} {:<10} {first}", entry.seq, entry.when, entry.who));
    // Whatever somebody wrote, it stands below its own entry and looks like no other.
    lines.for_each(|more| line(&format!("{:>34}│ {more}", "")));
}

/// All entries of an incident that are of a kind, the oldest first.
pub(super) fn entries(
    context: &Context,
    id: IncidentId,
    is_meant: impl Fn(&Recorded) -> bool,
) -> Result<(Incident, Vec<Recorded>), Failure> {
    let mut found = detail(context, id, None, PAGE)?;
    let head = found.head.clone();
    let mut all: Vec<Recorded> = Vec::new();
    while let Some(first) = found.events.first().map(|event| event.seq) {
        let page = std::mem::take(&mut found.events);
        let is_all = found.total <= page.len() as u64;
        all.splice(0..0, page.into_iter().filter(|event| is_meant(event)));
        if is_all {
            break;
        }
        found = detail(context, id, Some(first - 1), PAGE)?;
    }
    Ok((head, all))
}

fn search(context: &Context, query: String, limit: u32) -> Result<(), Failure> {
    let hits = match context.keeper()?.ask(Ask::Search { query, limit })? {
        Reply::Hits { hits } => hits,
        other => return Err(unexpected(&other)),
    };
    if context.json {
        return say_json(&hits);
    }
    if hits.is_empty() {
        say("nothing was found");
    }
    for hit in hits {
        let incident = hit.incident.map_or_else(|| "-".to_owned(), |id| id.to_string());
        line(&format!(
            "{:>7} {incident:<9} {}",
            hit.seq,
            hit.text.lines().next().unwrap_or_default()
        ));
    }
    Ok(())
}

fn alerts(context: &Context, incident: Option<IncidentId>, limit: u32) -> Result<(), Failure> {
    let alerts = match context.keeper()?.ask(Ask::Alerts { incident, limit })? {
        Reply::Alerts { alerts } => alerts,
        other => return Err(unexpected(&other)),
    };
    if context.json {
        return say_json(&alerts);
    }
    if alerts.is_empty() {
        // An incident that is not there has no alerts either, and that is another thing.
        if let Some(id) = incident {
            detail(context, id, None, 1)?;
        }
        say("no alert fires");
    }
    for (key, alert) in alerts {
        let incident = alert.incident.map_or_else(|| "no incident".to_owned(), |id| id.to_string());
        let flap = if alert.flap.is_some() { ", flapping" } else { "" };
        line(&format!(
            "{} {}{flap} → {incident} (rule '{}')",
            alert.name,
            alert.state(),
            alert.rule
        ));
        line(&format!("    {key}  ×{}  {}", alert.repeats + 1, alert.labels));
    }
    Ok(())
}

fn intake(context: &Context) -> Result<(), Failure> {
    let report = match context.keeper()?.ask(Ask::Intake)? {
        Reply::Intake(report) => report,
        other => return Err(unexpected(&other)),
    };
    if context.json {
        return say_json(&report);
    }
    match &report.listening {
        Ok(address) => line(&format!("listening on {address}")),
        Err(why) => line(&format!("NOT listening: {why}")),
    }
    let tokens = match (report.tokens.is_empty(), report.asks_for_tokens) {
        (true, false) => "none; any local process may post".to_owned(),
        (true, true) => {
            "NONE IS VALID: every post is refused; make one with 'warroom token new NAME'"
                .to_owned()
        }
        (false, false) => {
            format!("{}, for answers; any local process may post", report.tokens.join(", "))
        }
        (false, true) => report.tokens.join(", "),
    };
    line(&format!("tokens: {tokens}"));
    for (source, counts) in &report.sources {
        let last = counts.last_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
        line(&format!(
            "{source}: {} posts, {} refused, {} left out by the sender, last {last}",
            counts.posts, counts.refused, counts.truncated
        ));
        let parts: Vec<String> =
            counts.alerts.iter().map(|(became, n)| format!("{became:?} {n}")).collect();
        if !parts.is_empty() {
            let sum = counts.alerts.values().sum::<u64>();
            line(&format!("    {sum} alerts: {}", parts.join(", ")));
        }
        let others = [
            (counts.changes, "changes"),
            (counts.beats, "signs of life"),
            (counts.answers, "answers to pages"),
        ];
        for (count, word) in others.into_iter().filter(|(count, _)| *count > 0) {
            line(&format!("    {count} {word}"));
        }
    }
    for refusal in &report.refusals {
        line(&format!(
            "refused {} ×{} {} {}: {}",
            refusal.at, refusal.count, refusal.source, refusal.status, refusal.reason
        ));
    }
    for change in &report.changes {
        line(&format!(
            "change {} {}: {} ({})",
            change.at, change.source, change.summary, change.origin
        ));
    }
    Ok(())
}

fn spread_line(name: &str, spread: &Spread) -> String {
    format!(
        "{name:<10} n {:>6}  median {:>10.1}  p90 {:>10.1}  mean {:>10.1}  max {:>10.1}",
        spread.n, spread.median, spread.p90, spread.mean, spread.max
    )
}

fn statistics(context: &Context, origin: Option<&str>) -> Result<(), Failure> {
    let samples = match context.keeper()?.ask(Ask::Samples)? {
        Reply::Samples { samples } => samples,
        other => return Err(unexpected(&other)),
    };
    let known: BTreeSet<String> = samples.iter().map(|sample| sample.from.clone()).collect();
    let wanted =
        |from: &str| origin.is_none_or(|origin| from == origin || origin.starts_with(from));
    let chosen: Vec<_> = samples.into_iter().filter(|sample| wanted(&sample.from)).collect();
    if let (Some(origin), true) = (origin, chosen.is_empty()) {
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        return Err(Failure::Usage(format!(
            "no incident comes from '{origin}'; there are: {known}"
        )));
    }
    let report = stats::report(&chosen);
    if context.json {
        return say_json(&report);
    }
    line(&format!(
        "{} incidents, {} without a known resolution",
        report.incidents, report.unresolved
    ));
    say(
        "left out: what was declined, became part of another, or is labelled exclude_from_metrics, \
         as imported maintenance is",
    );
    say("opened → resolved, in minutes (the mean misleads on skewed data; read the median)");
    if let Some(spread) = &report.ttr_minutes {
        say(&spread_line("all", spread));
    }
    for (name, spread) in report.by_priority.iter().chain(&report.by_month_opened) {
        say(&spread_line(name, spread));
    }
    Ok(())
}
