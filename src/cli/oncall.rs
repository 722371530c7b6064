//! Who is on call, who would be paged, and calendars of it.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an unexpected answer is handled alike, whatever it is"
)]

use std::collections::BTreeMap;
use std::io::Write as _;

use clap::Subcommand;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::act::unexpected;
use crate::cli::out::{Failure, alarm, say, say_json, warn};
use crate::clock::wall_now;
use crate::domain::duty::{Desk, Window, WindowStage};
use crate::domain::outlook::{self, Rung};
use crate::domain::plan::Plan;
use crate::domain::reach::{self, Asked};
use crate::domain::schedule::{self, Cover, Duty, Schedule, Source, SwapState, calendar, ical};
use crate::domain::time::{
    DAY_MS, HOUR_MS, Timestamp, in_zone, local_time, parse_span, span_words,
};
use crate::domain::words::Severity;
use crate::proto::{Ask, Reply};

#[derive(Debug, Subcommand)]
pub enum OnCall {
    /// Who is on call, now or at another time, or for a while (--for 14d); gaps are said.
    Oncall {
        /// Only this schedule.
        schedule: Option<String>,
        /// 03:00 (the next one, by the clock of the schedule that is named), 2027-03-28T02:30Z, or
        /// "2027-03-28 02:30 Europe/Berlin".
        #[arg(long, allow_hyphen_values = true)]
        at: Option<String>,
        /// So long from then: every shift.
        #[arg(long = "for", value_name = "SPAN")]
        span: Option<String>,
        /// Only this person's shifts.
        #[arg(long)]
        person: Option<String>,
        /// As an iCalendar feed (RFC 5545).
        #[arg(long, conflicts_with = "load")]
        ical: bool,
        /// Hours, nights, weekends and pages of each person.
        #[arg(long)]
        load: bool,
    },
    /// Who would be paged for an incident, how, in what order, and why.
    Who {
        #[arg(long = "service")]
        services: Vec<String>,
        #[arg(long, value_parser = Severity::parse_loose, default_value = "SEV2")]
        severity: Severity,
        /// 03:00 (the next one, UTC), 2027-03-28T02:30Z, or "2027-03-28 02:30 Europe/Berlin".
        #[arg(long, allow_hyphen_values = true)]
        at: Option<String>,
    },
}

/// What the keeper knows of the plan.
pub struct Known {
    pub plan: Plan,
    pub desk: Desk,
    /// The last event that the keeper knew of.
    pub seq: u64,
}

/// Asks the keeper for the plan in force with the covers and swaps beside it.
pub fn known(context: &Context) -> Result<Known, Failure> {
    let mut keeper = context.keeper()?;
    let seq = keeper.welcome.seq;
    match keeper.ask(Ask::Plan)? {
        Reply::Plan { plan, beside, .. } => Ok(Known { plan: *plan, desk: beside.desk(), seq }),
        other => Err(unexpected(&other)),
    }
}

/// Reads a time; a zone's name at its end makes it a wall-clock time there.
pub fn parse_at(text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    if let Some((clock, zone)) = in_zone(text) {
        let Some(local) = local_time(clock) else {
            // A time of day is the latest one.
            if let Ok(at) = Timestamp::parse_human(text, now) {
                return Ok(at);
            }
            return Err(Failure::Usage(format!(
                "'{clock}' is no wall-clock time; write 2027-03-28 02:30 {zone}"
            )));
        };
        if let Some(what) = schedule::oddity(zone, local) {
            warn(&format!("{local} {zone} {what}"));
        }
        return Ok(schedule::instant(zone, local));
    }
    let zone = text.trim().rsplit_once(' ').map(|(_, zone)| zone);
    if let Some(zone) = zone.filter(|zone| zone.contains('/')) {
        let text = format!("'{zone}' is no time zone; write Europe/Berlin");
        return Err(Failure::Usage(text));
    }
    Timestamp::parse_human(text, now).map_err(|e| Failure::Usage(e.to_string()))
}

/// When somebody wants to know who is on call: `03:00` is the next one, by the schedule's clock where
/// one is named; `-2h` and full times lie where they lie.
fn when(text: &str, zone: chrono_tz::Tz, now: Timestamp) -> Result<Timestamp, Failure> {
    let text = text.trim().trim_start_matches('+');
    if text == "now" {
        return Ok(now);
    }
    let is_exact = in_zone(text).is_some_and(|(clock, _)| local_time(clock).is_some());
    if is_exact || text.trim().starts_with('-') {
        return parse_at(text, now);
    }
    Timestamp::parse_ahead_in(text, zone, now).or_else(|error| {
        let at = parse_at(text, now);
        let said = if text.contains('/') { None } else { Some(error.to_string()) };
        at.map_err(|other| said.map_or(other, Failure::Usage))
    })
}

/// Asks and prints.
pub fn run(verb: OnCall, context: &Context) -> Result<(), Failure> {
    let known = known(context)?;
    let now = wall_now();
    match verb {
        OnCall::Who { services, severity, at } => {
            let at = at.map(|text| when(&text, chrono_tz::UTC, now)).transpose()?.unwrap_or(now);
            who(context, &known, &services, severity, at)
        }
        OnCall::Oncall { schedule, at, span, person, ical, load } => {
            let zone = schedule.as_ref().and_then(|name| known.plan.schedules.get(name));
            let zone = zone.map_or(chrono_tz::UTC, |schedule| schedule.zone);
            let is_asked = at.is_some();
            let at = at.map(|text| when(&text, zone, now)).transpose()?.unwrap_or(now);
            if let Some(name) = schedule.as_ref().filter(|n| !known.plan.schedules.contains_key(*n))
            {
                let names = known.plan.schedules.keys().cloned().collect::<Vec<_>>().join(", ");
                let text = format!("there is no schedule '{name}'; use one of: {names}");
                return Err(Failure::Usage(text));
            }
            let span = span.map_or(Ok(None), |text| {
                let span = parse_span(&text);
                let text = format!("'{text}' is no span of time; write 14d");
                span.map(Some).ok_or(Failure::Usage(text))
            })?;
            if let Some(who) = person.as_ref().filter(|who| !known.plan.people.contains_key(*who)) {
                return Err(Failure::Usage(format!("the plan knows no '{who}'")));
            }
            let wanted = Wanted { schedule, person, from: at, span, is_asked };
            if ical {
                return feed(&known, &wanted, now);
            }
            if load {
                return loads(context, &known, &wanted);
            }
            match wanted.span {
                Some(_) => period(context, &known, &wanted),
                None => instant(context, &known, &wanted),
            }
        }
    }
}

struct Wanted {
    schedule: Option<String>,
    person: Option<String>,
    from: Timestamp,
    span: Option<i64>,
    /// Somebody gave the time: which one was taken is said.
    is_asked: bool,
}

impl Wanted {
    fn until(&self, default_ms: i64) -> Timestamp {
        self.from.plus(self.span.unwrap_or(default_ms))
    }

    fn schedules<'a>(
        &'a self,
        plan: &'a Plan,
    ) -> impl Iterator<Item = (&'a String, &'a schedule::Schedule)> {
        let all = plan.schedules.iter();
        all.filter(|(name, _)| self.schedule.as_ref().is_none_or(|wanted| wanted == *name))
    }
}

#[derive(Serialize)]
struct Now<'a> {
    /// Which instant was asked for, in words; empty: now.
    #[serde(skip)]
    at: String,
    schedule: &'a str,
    people: Vec<String>,
    until: Option<Timestamp>,
    open_swaps: Vec<String>,
    covers: Vec<String>,
}

/// `3: bob instead of ann 2026-11-28T18:00:00Z … 2026-11-29T08:00:00Z: dentist (by bob)`.
fn cover_words(cover: &Cover) -> String {
    let whose = cover.instead_of.iter().map(|whose| format!(" instead of {whose}"));
    let why = Some(&cover.reason).filter(|why| !why.is_empty()).map(|why| format!(": {why}"));
    let by = Some(&cover.by).filter(|by| !by.is_empty()).map(|by| format!(" (by {by})"));
    let tail: String = why.into_iter().chain(by).collect();
    let whose: String = whose.collect();
    let (id, who, from, until) = (cover.id, &cover.person, cover.from, cover.until);
    format!("{id}: {who}{whose} {from} … {until}{tail}")
}

fn instant(context: &Context, known: &Known, wanted: &Wanted) -> Result<(), Failure> {
    let horizon = wanted.from.plus(60 * DAY_MS);
    let mut all = Vec::new();
    for (name, found) in wanted.schedules(&known.plan) {
        let changes = known.desk.changes_of(name);
        let holidays = &known.plan.holidays;
        let until = schedule::next_change(found, holidays, changes, wanted.from, horizon);
        let open = changes.swaps.iter().filter(|s| s.state == SwapState::Asked);
        let local = wanted.from.in_words(found.zone);
        let at = wanted.is_asked.then(|| format!(" at {local} ({})", wanted.from));
        all.push(Now {
            at: at.unwrap_or_default(),
            schedule: name,
            people: known.desk.on_call(&known.plan, name, wanted.from),
            until,
            open_swaps: open.map(|swap| schedule::swap_words(found, swap)).collect(),
            covers: changes
                .covers
                .iter()
                .filter(|cover| cover.until > wanted.from)
                .map(cover_words)
                .collect(),
        });
    }
    if context.json {
        return say_json(&all);
    }
    for now in all {
        let people =
            if now.people.is_empty() { "NOBODY ON CALL".to_owned() } else { now.people.join(", ") };
        let until = now.until.map(|at| format!(" until {at}")).unwrap_or_default();
        let tell = if now.people.is_empty() { alarm } else { say };
        tell(&format!("{:<16} {people}{until}{}", now.schedule, now.at));
        for cover in now.covers {
            say(&format!("{:<16}   cover {cover}", ""));
        }
        for swap in now.open_swaps {
            say(&format!("{:<16}   swap {swap}", ""));
        }
    }
    Ok(())
}

fn period(context: &Context, known: &Known, wanted: &Wanted) -> Result<(), Failure> {
    let until = wanted.until(14 * DAY_MS);
    let mut all: BTreeMap<&String, Vec<schedule::Shift>> = BTreeMap::new();
    for (name, found) in wanted.schedules(&known.plan) {
        let changes = known.desk.changes_of(name);
        let mut shifts = schedule::shifts(found, &known.plan.holidays, changes, wanted.from, until);
        if let Some(person) = &wanted.person {
            shifts.retain(|shift| shift.people.iter().any(|duty| duty.person == *person));
        }
        all.insert(name, shifts);
    }
    if context.json {
        return say_json(&all);
    }
    for (name, shifts) in all {
        say(name);
        for shift in shifts {
            let named = |duty: &Duty| match duty.source {
                Source::Layer { .. } => duty.person.clone(),
                _ => format!("{} ({})", duty.person, duty.words()),
            };
            let people: Vec<String> = shift.people.iter().map(named).collect();
            let who =
                if people.is_empty() { "NOBODY ON CALL".to_owned() } else { people.join(", ") };
            let long = span_words(shift.until.since(shift.from));
            let tell = if people.is_empty() { alarm } else { say };
            tell(&format!("  {} … {} {long:>7}  {who}", shift.from, shift.until));
        }
    }
    Ok(())
}

/// What grows whenever who is on duty changes on a schedule, and only then.
fn revision_of(known: &Known, schedule: &str) -> u32 {
    let seq = known.desk.revisions.get(schedule).copied().unwrap_or(known.seq);
    u32::try_from(seq).unwrap_or(u32::MAX)
}

fn feed(known: &Known, wanted: &Wanted, now: Timestamp) -> Result<(), Failure> {
    let until = wanted.until(90 * DAY_MS);
    let of = |(name, found): &(&String, &Schedule)| {
        let (changes, holidays) = (known.desk.changes_of(name), &known.plan.holidays);
        let entries = calendar::entries(found, holidays, changes, wanted.from, until);
        (entries, calendar::withdrawn(found, holidays, changes, wanted.from, until))
    };
    let schedules: Vec<(&String, &Schedule)> = wanted.schedules(&known.plan).collect();
    let entries: Vec<_> = schedules.iter().map(of).collect();
    let who = wanted.person.as_deref();
    let both = schedules.iter().zip(&entries);
    let feeds: Vec<ical::Feed<'_>> = both
        .map(|((schedule, _), (entries, removed))| ical::Feed {
            schedule,
            entries,
            removed,
            who,
            revision: revision_of(known, schedule),
            now,
        })
        .collect();
    let text = ical::calendar(&feeds);
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

fn loads(context: &Context, known: &Known, wanted: &Wanted) -> Result<(), Failure> {
    let until = wanted.until(90 * DAY_MS);
    let mut all = BTreeMap::new();
    for (name, found) in wanted.schedules(&known.plan) {
        let changes = known.desk.changes_of(name);
        let load = schedule::load(found, &known.plan.holidays, changes, wanted.from, until);
        all.insert(name, load);
    }
    // Pages can only be counted behind: those of the period, as far as it is over; of one that lies
    // ahead those of as long a time before it.
    let now = wall_now();
    let (since, counted) = if wanted.from < now {
        (wanted.from, until.min(now))
    } else {
        (now.plus(wanted.from.since(until)), now)
    };
    let pages = match context.keeper()?.ask(Ask::Pages { from: since, until: counted })? {
        Reply::Pages { pages } => pages,
        other => return Err(unexpected(&other)),
    };
    if context.json {
        let called = serde_json::json!({ "from": since, "until": counted, "people": pages });
        let json = serde_json::json!({ "schedules": all, "pages": pages, "called": called });
        return say_json(&json);
    }
    let hours = |ms: i64| ms / HOUR_MS;
    say(&format!("hours on call from {} until {until}", wanted.from));
    for (name, load) in all {
        say(&format!("{name}: nobody for {}", span_words(load.uncovered_ms)));
        for (person, one) in load.people {
            say(&format!(
                "  {person:<16} {:>5} h in {:>3} shifts, {:>4} h at night, {:>4} h at weekends",
                hours(one.total_ms),
                one.shifts,
                hours(one.night_ms),
                hours(one.weekend_ms)
            ));
        }
    }
    say(&format!("called upon from {since} until {counted}, an incident once"));
    if pages.is_empty() {
        say("  nobody");
    }
    for (person, count) in pages {
        say(&format!(
            "  {person:<16} {:>4} incidents, {:>4} of them at night, {:>4} handed over to them",
            count.pages, count.at_night, count.handovers
        ));
    }
    Ok(())
}

#[derive(Serialize)]
struct Who<'a> {
    policy: &'a str,
    at: Timestamp,
    severity: Severity,
    pages: bool,
    levels: &'a [Rung],
    fallback: Vec<String>,
}

/// Somebody who would be reached, how, and what is left out at that hour.
fn say_candidate(one: &outlook::Candidate) {
    let ways = one.methods.join(", then ");
    say(&format!("    {} by {ways} ({})", one.to, one.through));
    for way in &one.quiet {
        say(&format!("      not by {way}"));
    }
}

fn who(
    context: &Context,
    known: &Known,
    services: &[String],
    severity: Severity,
    at: Timestamp,
) -> Result<(), Failure> {
    let Some((name, policy)) = known.plan.policy_for(services) else {
        return Err(Failure::Failed(anyhow::anyhow!(
            "the plan has no policy for these services; set default_policy"
        )));
    };
    let asked = Asked { plan: &known.plan, desk: &known.desk, severity, now: at };
    let rungs = outlook::of_policy(asked, policy, services);
    let (fallback, _) = reach::targets(asked, &known.plan.fallback);
    let fallback: Vec<String> = fallback.into_iter().map(|one| one.to).collect();
    let pages = policy.from_severity.is_none_or(|from| severity <= from);
    if context.json {
        let levels = &rungs[..];
        return say_json(&Who { policy: name, at, severity, pages, levels, fallback });
    }
    let is_unknown = |service: &&String| !known.plan.services.contains_key(*service);
    for service in services.iter().filter(is_unknown).filter(|_| !known.plan.services.is_empty()) {
        say(&format!(
            "! the plan has no service '{service}': this is what the default policy does"
        ));
    }
    say(&format!("policy '{name}', {severity}, opened at {at}"));
    if !pages {
        say(&format!("{severity} pages nobody by the clock under this policy"));
    }
    let covers = |w: &&Window| w.covers(services) && w.until > at && w.stage != WindowStage::Over;
    for window in known.desk.windows.values().filter(covers) {
        let (id, from, until) = (window.id, window.from, window.until);
        let when = if from <= at { String::new() } else { format!("from {from} ") };
        say(&format!("! maintenance window {id}: {when}until {until} nobody is paged"));
    }
    for rung in &rungs {
        let after =
            rung.due.map_or_else(String::new, |due| format!("+{}", span_words(due.since(at))));
        let told = if rung.is_informed { " (informed)" } else { "" };
        let all = if rung.wants_all { " (all must answer)" } else { "" };
        let turn = if rung.in_turn { " (one of them, in turn)" } else { "" };
        let condition = if rung.condition.is_empty() {
            String::new()
        } else {
            format!(" if {}", rung.condition)
        };
        say(&format!("{:<14} {after:>6}{told}{all}{turn}{condition}", rung.name));
        if let Some(why) = &rung.skipped {
            say(&format!("    skipped: {why}"));
            continue;
        }
        rung.people.iter().for_each(say_candidate);
        for gap in &rung.gaps {
            say(&format!("    ! {gap}"));
        }
        if rung.people.is_empty() {
            let then = if rung.is_informed { "nobody is told" } else { "the fallback is paged" };
            say(&format!("    ! NOBODY; {then}"));
        }
    }
    say(&format!(
        "fallback: {}",
        if fallback.is_empty() { "everybody".to_owned() } else { fallback.join(", ") }
    ));
    Ok(())
}
