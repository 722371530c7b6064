//! Paging and on-call by the command line: escalate, page, snooze, hand over, cover, swap.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an unexpected answer is handled alike, whatever it is"
)]

use clap::Subcommand;

use crate::cli::Context;
use crate::cli::act::{give, time_ahead, unexpected};
use crate::cli::oncall::known;
use crate::cli::out::{Failure, say, say_json};
use crate::clock::wall_now;
use crate::domain::command::Command;
use crate::domain::ids::IncidentId;
use crate::domain::silence::{ledger, of_words};
use crate::domain::time::Timestamp;
use crate::proto::{Ask, Reply};

#[derive(Debug, Subcommand)]
pub enum Paging {
    /// Reach the next level of the escalation now, or a named one; it wants an answer of its own.
    Escalate {
        incident: IncidentId,
        #[arg(long, short)]
        reason: String,
        /// L2, manager, …; the next one unless given.
        #[arg(long, short)]
        level: Option<String>,
    },
    /// Page people by name (or team:NAME, schedule:NAME): to add responders, or to page again.
    Page {
        incident: IncidentId,
        #[arg(required = true)]
        people: Vec<String>,
        #[arg(long, short)]
        reason: String,
    },
    /// Take back an escalation or a page by hand: those who were reached are told.
    CallBack {
        incident: IncidentId,
        /// Whom; everybody who is wanted by hand unless given.
        people: Vec<String>,
        #[arg(long, short)]
        reason: String,
    },
    /// Put an incident aside until a time within 24 hours (30m, or a time); then it pages as before.
    Snooze {
        incident: IncidentId,
        until: String,
        #[arg(long, short)]
        reason: String,
    },
    /// End a snooze before its time.
    Wake { incident: IncidentId },
    /// Offer what you hold to somebody; --accept or --refuse an offer.
    Handover {
        incident: IncidentId,
        #[arg(required_unless_present_any = ["accept", "refuse"])]
        to: Option<String>,
        #[arg(long, short, default_value = "")]
        note: String,
        #[arg(long, group = "how", conflicts_with = "to")]
        accept: bool,
        #[arg(long, value_name = "REASON", group = "how", conflicts_with = "to")]
        refuse: Option<String>,
    },
    /// Let an incident follow a policy as it is now (that of its services unless named).
    Policy {
        incident: IncidentId,
        policy: Option<String>,
        #[arg(long, short, default_value = "")]
        reason: String,
    },
    /// Let somebody stand in on a schedule for a while; --revoke takes it back by its number.
    Cover {
        schedule: String,
        #[arg(required_unless_present = "revoke")]
        person: Option<String>,
        /// From when (now unless given; 18:00 is by the schedule's clock, "18:00 UTC" is not) …
        #[arg(long)]
        from: Option<String>,
        /// … until when: 8h, or a time by the same clock.
        #[arg(long, required_unless_present = "revoke")]
        until: Option<String>,
        /// Whose place they take, where several are on call.
        #[arg(long)]
        instead_of: Option<String>,
        #[arg(long, short, default_value = "")]
        reason: String,
        #[arg(long, value_name = "NUMBER", conflicts_with = "person")]
        revoke: Option<u32>,
    },
    /// Ask somebody to take your shift; --accept or --refuse a swap by its number.
    Swap {
        schedule: String,
        #[arg(required_unless_present_any = ["accept", "refuse"])]
        with: Option<String>,
        /// An instant within the shift that is given away, by the schedule's clock; `now`: the one that
        /// runs.
        #[arg(long, required_unless_present_any = ["accept", "refuse"])]
        at: Option<String>,
        /// An instant within the shift that is taken in return.
        #[arg(long)]
        their_at: Option<String>,
        /// Whose shift it is, on behalf of somebody else.
        #[arg(long = "for", value_name = "PERSON")]
        on_behalf_of: Option<String>,
        #[arg(long, value_name = "NUMBER", group = "answer", conflicts_with = "with")]
        accept: Option<u32>,
        #[arg(long, value_name = "NUMBER", group = "answer", conflicts_with = "with")]
        refuse: Option<u32>,
    },
    /// Plan a time in which services page nobody ('*': all of them), list such times, or end one.
    Maintenance {
        services: Vec<String>,
        /// From when (now unless given) …
        #[arg(long)]
        from: Option<String>,
        /// … until when: 2h, or a time; at most 7 days.
        #[arg(long)]
        until: Option<String>,
        #[arg(long, short, default_value = "")]
        reason: String,
        /// What the status page says of it once somebody else looked at it; nothing without.
        #[arg(long, default_value = "")]
        public: String,
        #[arg(long, value_name = "NUMBER", conflicts_with = "services")]
        end: Option<u32>,
        #[arg(long, value_name = "NUMBER", conflicts_with_all = ["services", "end"])]
        publish: Option<u32>,
        #[arg(long, value_name = "WHY", requires = "publish")]
        force: Option<String>,
    },
    /// Put alerts aside by their labels until a time, list such silences, or end one.
    ///
    /// What fires under a silence opens its incident when that ends, unless it is over by then.
    Silence {
        /// label=pattern, all of which must match: alertname=Disk* cluster=eu1; '*' stands for
        /// anything, a|b for one of both.
        matchers: Vec<String>,
        /// From when (now unless given) …
        #[arg(long)]
        from: Option<String>,
        /// … until when: 2h, or a time; at most 30 days.
        #[arg(long)]
        until: Option<String>,
        #[arg(long, short, default_value = "")]
        reason: String,
        #[arg(long, value_name = "NUMBER", conflicts_with = "matchers")]
        end: Option<u32>,
    },
    /// Give a sign of life for a heartbeat of the plan.
    Heartbeat { name: String },
}

/// Gives the command to the keeper and prints the answer.
pub fn run(paging: Paging, context: &Context) -> Result<(), Failure> {
    if let Paging::Maintenance { services, end: None, publish: None, .. } = &paging
        && services.is_empty()
    {
        return windows(context);
    }
    if let Paging::Silence { matchers, end: None, .. } = &paging
        && matchers.is_empty()
    {
        return silences(context);
    }
    let command = match paging {
        Paging::Silence { .. } => silence(paging)?,
        Paging::Cover { .. } | Paging::Swap { .. } | Paging::Maintenance { .. } => {
            shifts(paging, context)?
        }
        other => incident(other)?,
    };
    give(context, command)
}

fn incident(paging: Paging) -> Result<Command, Failure> {
    Ok(match paging {
        Paging::Escalate { incident, reason, level } => {
            Command::Escalate { incident, level, reason }
        }
        Paging::Page { incident, people, reason } => Command::Page { incident, people, reason },
        Paging::CallBack { incident, people, reason } => {
            Command::CallBack { incident, people, reason }
        }
        Paging::Snooze { incident, until, reason } => {
            Command::Snooze { incident, until: time_ahead(&until)?, reason }
        }
        Paging::Wake { incident } => Command::EndSnooze { incident },
        Paging::Handover { incident, accept: true, .. } => Command::AcceptHandover { incident },
        Paging::Handover { incident, refuse: Some(reason), .. } => {
            Command::RefuseHandover { incident, reason }
        }
        Paging::Handover { incident, to, note, .. } => {
            Command::OfferHandover { incident, to: to.unwrap_or_default(), note }
        }
        Paging::Policy { incident, policy, reason } => {
            Command::TakePolicy { incident, policy, reason }
        }
        Paging::Heartbeat { name } => Command::Beat { name },
        _ => return Err(Failure::Usage("not about an incident".to_owned())),
    })
}

/// A time: `now` unless given.
fn start(text: Option<String>) -> Result<Timestamp, Failure> {
    let given = text.filter(|text| text.trim() != "now");
    given.map_or_else(|| Ok(wall_now()), |text| time_ahead(&text))
}

/// An end: `8h` counts from the beginning, `02:00` is the first one after it.
fn end(text: Option<String>, from: Timestamp) -> Result<Timestamp, Failure> {
    let missing = || Failure::Usage("say until when: --until 2h, or a time".to_owned());
    Timestamp::parse_ahead(&text.ok_or_else(missing)?, from)
        .map_err(|e| Failure::Usage(e.to_string()))
}

/// A time on a schedule, by its own clock unless a zone is named.
fn on_schedule(text: &str, zone: chrono_tz::Tz, now: Timestamp) -> Result<Timestamp, Failure> {
    Timestamp::parse_ahead_in(text, zone, now).map_err(|e| Failure::Usage(e.to_string()))
}

fn zone_of(context: &Context, schedule: &str) -> Result<chrono_tz::Tz, Failure> {
    let plan = known(context)?.plan;
    Ok(plan.schedules.get(schedule).map_or(chrono_tz::UTC, |schedule| schedule.zone))
}

fn shifts(paging: Paging, context: &Context) -> Result<Command, Failure> {
    Ok(match paging {
        Paging::Cover { schedule, revoke: Some(cover), .. } => {
            Command::RevokeCover { schedule, cover }
        }
        Paging::Cover { schedule, person, from, until, instead_of, reason, .. } => {
            let zone = zone_of(context, &schedule)?;
            let from = from.filter(|text| text.trim() != "now");
            let from = from.map(|text| on_schedule(&text, zone, wall_now())).transpose()?;
            let from = from.unwrap_or_else(wall_now);
            let until = on_schedule(&until.unwrap_or_default(), zone, from)?;
            let person = person.unwrap_or_default();
            Command::CoverShift { schedule, from, until, person, instead_of, reason }
        }
        Paging::Swap { schedule, accept: Some(swap), .. } => {
            Command::AnswerSwap { schedule, swap, accept: true }
        }
        Paging::Swap { schedule, refuse: Some(swap), .. } => {
            Command::AnswerSwap { schedule, swap, accept: false }
        }
        Paging::Swap { schedule, with, at, their_at, on_behalf_of, .. } => {
            let zone = zone_of(context, &schedule)?;
            let given = |text: String| match text.trim() {
                "now" => Ok(wall_now()),
                text => on_schedule(text, zone, wall_now()),
            };
            Command::AskSwap {
                from: on_behalf_of,
                at: given(at.unwrap_or_default())?,
                with: with.unwrap_or_default(),
                their_at: their_at.map(given).transpose()?,
                schedule,
            }
        }
        Paging::Maintenance { end: Some(window), .. } => Command::EndWindow { window },
        Paging::Maintenance { publish: Some(window), force, .. } => {
            Command::PublishWindow { window, force }
        }
        Paging::Maintenance { services, from, until, reason, public, .. } => {
            let from = start(from)?;
            Command::PlanWindow { services, from, until: end(until, from)?, reason, public }
        }
        _ => return Err(Failure::Usage("not about shifts".to_owned())),
    })
}

fn windows(context: &Context) -> Result<(), Failure> {
    let windows = match context.keeper()?.ask(Ask::Plan)? {
        Reply::Plan { beside, .. } => beside.windows,
        other => return Err(unexpected(&other)),
    };
    if context.json {
        return say_json(&windows);
    }
    if windows.is_empty() {
        say("no maintenance is planned");
    }
    for window in windows {
        say(&window.words(wall_now()));
    }
    Ok(())
}

fn silence(paging: Paging) -> Result<Command, Failure> {
    let Paging::Silence { matchers, from, until, reason, end: over } = paging else {
        return Err(Failure::Usage("not about silences".to_owned()));
    };
    if let Some(silence) = over {
        return Ok(Command::EndSilence { silence });
    }
    let when = of_words(&matchers).map_err(Failure::Usage)?;
    let begin = start(from.clone())?;
    let until = end(until, begin)?;
    Ok(Command::Silence { when, from: from.map(|_| begin), until, reason })
}

fn silences(context: &Context) -> Result<(), Failure> {
    let silences = match context.keeper()?.ask(Ask::Plan)? {
        Reply::Plan { beside, .. } => beside.silences,
        other => return Err(unexpected(&other)),
    };
    if context.json {
        return say_json(&silences);
    }
    if silences.is_empty() {
        say("nothing is silenced");
    }
    for silence in ledger(&silences) {
        say(&silence.words(wall_now()));
    }
    Ok(())
}
