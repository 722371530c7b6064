//! Who would be reached, how, and why: levels of a policy against the plan, at an instant.
//!
//! Invariants:
//! - Pure; the same question gives the same answer in the keeper, in a console and in `warroom who`.
//! - Whoever cannot be reached is told as a gap in words, never left out in silence.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveTime, TimeZone};

use crate::domain::delivery::{Method, Wanted, channel_of};
use crate::domain::duty::Desk;
use crate::domain::incident::Incident;
use crate::domain::plan::{Level, Person, Plan, Quiet, When};
use crate::domain::room::Room;
use crate::domain::talk::promise;
use crate::domain::time::{DAY_MS, MINUTE_MS, Timestamp};
use crate::domain::words::{DeliveryKind, Severity};

/// How exactly the end of quiet hours is looked for.
const QUARTER_MS: i64 = 15 * MINUTE_MS;

/// Everything that decides who is reached, besides the level.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub plan: &'a Plan,
    pub desk: &'a Desk,
    pub severity: Severity,
    pub now: Timestamp,
}

/// Somebody who is reached, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// A login, or `channel:NAME:ADDRESS`.
    pub to: String,
    pub methods: Vec<Method>,
    /// The target that led here, in words: `schedule primary`.
    pub through: String,
}

/// The people of a list of targets, and what was missing, in words.
pub fn targets(asked: Asked<'_>, targets: &[String]) -> (Vec<Reached>, Vec<String>) {
    let (mut reached, mut gaps): (Vec<Reached>, Vec<String>) = (Vec::new(), Vec::new());
    for target in targets {
        let people = logins(asked, target);
        let through = target.replacen(':', " ", 1);
        if people.is_empty() {
            gaps.push(format!("{through}: nobody"));
        }
        for to in people {
            if reached.iter().any(|known| known.to == to) {
                continue;
            }
            match methods(asked, &to) {
                Ok(methods) => reached.push(Reached { to, methods, through: through.clone() }),
                Err(gap) if gaps.contains(&gap) => {}
                Err(gap) => gaps.push(gap),
            }
        }
    }
    (reached, gaps)
}

/// The logins behind `person:…`, `team:…`, `schedule:…` or `channel:…` at an instant.
pub fn logins(asked: Asked<'_>, target: &str) -> Vec<String> {
    match target.split_once(':') {
        Some(("person", login)) if asked.plan.people.contains_key(login) => vec![login.to_owned()],
        Some(("team", name)) => asked.plan.teams.get(name).cloned().unwrap_or_default(),
        Some(("schedule", name)) => asked.desk.on_call(asked.plan, name, asked.now),
        Some(("channel", _)) => vec![target.to_owned()],
        _ => Vec::new(),
    }
}

/// How somebody is reached now, in order; the error says why there is no way.
pub fn methods(asked: Asked<'_>, to: &str) -> Result<Vec<Method>, String> {
    if let Some(channel) = to.strip_prefix("channel:") {
        return Ok(vec![Method { name: channel.to_owned(), after_s: 0 }]);
    }
    let Some(person) = asked.plan.people.get(to) else {
        // A war room has people whom no plan knows: their consoles can be reached all the same.
        return Ok(vec![Method { name: "terminal".to_owned(), after_s: 0 }]);
    };
    let all: Vec<Method> = person.contacts.iter().map(|text| Method::parse(text)).collect();
    let sendable: Vec<Method> =
        all.into_iter().filter(|m| asked.plan.has_channel(m.channel())).collect();
    if sendable.is_empty() {
        return Err(format!("{to}: has no method that warroom can send by"));
    }
    let loud: Vec<Method> = sendable
        .into_iter()
        .filter(|method| !is_quiet(person, method.channel(), asked.severity, asked.now))
        .collect();
    if loud.is_empty() {
        return Err(format!("{to}: every method is quiet at this hour for {}", asked.severity));
    }
    Ok(loud)
}

/// From when somebody of the plan can be reached at all, from an instant on: at some hours every method of
/// everybody may be quiet. None: nothing reaches anybody at any hour.
pub fn somebody_from(plan: &Plan, severity: Severity, at: Timestamp) -> Option<Timestamp> {
    // Hours begin and end on the quarter in every zone's clock.
    let next = (at.0.div_euclid(QUARTER_MS) + 1) * QUARTER_MS;
    let later = (0..DAY_MS / QUARTER_MS).map(|step| Timestamp(next + step * QUARTER_MS));
    let mut instants = std::iter::once(at).chain(later);
    instants.find(|now| {
        plan.people.values().any(|person| {
            let mut channels = person.contacts.iter().map(|text| channel_of(text));
            let is_loud = |name: &str| !is_quiet(person, name, severity, *now);
            channels.any(|name| plan.has_channel(name) && is_loud(name))
        })
    })
}

/// A person's methods that are left out at this hour, in words.
pub fn quiet(asked: Asked<'_>, to: &str) -> Vec<String> {
    let Some(person) = asked.plan.people.get(to) else { return Vec::new() };
    let channels = person.contacts.iter().map(|text| channel_of(text));
    let quiet = channels.filter(|it| is_quiet(person, it, asked.severity, asked.now));
    let until = |channel: &str| {
        let of = |it: &&Quiet| it.methods.iter().any(|method| channel_of(method) == channel);
        person.quiet.iter().find(of).map(|it| it.until.format("%H:%M").to_string())
    };
    quiet.map(|it| format!("{it} (quiet until {})", until(it).unwrap_or_default())).collect()
}

/// Whether a person's method is left out at this hour.
pub fn is_quiet(person: &Person, channel: &str, severity: Severity, now: Timestamp) -> bool {
    let zone: chrono_tz::Tz = person.zone.parse().unwrap_or(chrono_tz::UTC);
    let time = zone.from_utc_datetime(&now.utc().naive_utc()).time();
    person.quiet.iter().any(|quiet| {
        severity > quiet.unless
            && quiet.methods.iter().any(|method| channel_of(method) == channel)
            && is_between(time, quiet.from, quiet.until)
    })
}

/// Whether a time of day lies in a span that may go over midnight; equal ends mean all day.
fn is_between(time: NaiveTime, from: NaiveTime, until: NaiveTime) -> bool {
    match from.cmp(&until) {
        std::cmp::Ordering::Less => from <= time && time < until,
        std::cmp::Ordering::Equal => true,
        std::cmp::Ordering::Greater => time >= from || time < until,
    }
}

/// Whether a level's conditions hold now; the error says which does not.
pub fn conditions(
    room: &Room,
    incident: &Incident,
    when: &When,
    now: Timestamp,
) -> Result<(), String> {
    if when.is_always() {
        return Ok(());
    }
    if !incident.holds(when, &room.plan) {
        return Err(unmet(incident, when));
    }
    if when.alerts > 0 {
        let since = now.plus(-i64::from(when.within_min) * MINUTE_MS);
        let is_recent = |key: &String| {
            when.within_min == 0 || room.alerts.get(key).is_some_and(|a| a.last_seen >= since)
        };
        let count = incident.members.keys().filter(|key| is_recent(key)).count();
        if count < when.alerts as usize {
            return Err(format!("{count} of {} alerts", when.alerts));
        }
    }
    if when.missed_promise && promise::next_given(incident).is_none_or(|at| at >= now) {
        return Err("no promise was missed".to_owned());
    }
    if !is_hour(when, now) {
        return Err(not_the_hour(when));
    }
    Ok(())
}

fn not_the_hour(when: &When) -> String {
    let zone = if when.zone.is_empty() { "UTC" } else { when.zone.as_str() };
    let parts = [when.weekdays.join(" "), when.hours.clone(), zone.to_owned()];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("it is not {}", parts.join(" "))
}

/// Why a level would be passed over, as far as severity, services and the hour say.
pub fn skipped(asked: Asked<'_>, when: &When, services: &[String]) -> Option<String> {
    match when.severity {
        Some(least) if asked.severity > least => {
            return Some(format!("{} is below {least}", asked.severity));
        }
        _ => {}
    }
    if !when.services.is_empty() && !services.iter().any(|name| when.services.contains(name)) {
        return Some("another service is affected".to_owned());
    }
    (!is_hour(when, asked.now)).then(|| not_the_hour(when))
}

fn unmet(incident: &Incident, when: &When) -> String {
    match when.severity {
        Some(least) if incident.severity > least => {
            format!("{} is below {least}", incident.severity)
        }
        _ if when.alerts as usize > incident.members.len() => {
            format!("{} of {} alerts", incident.members.len(), when.alerts)
        }
        _ if when.teams > 0 => format!("fewer than {} teams", when.teams),
        _ if when.growing => "the impact does not grow".to_owned(),
        _ if when.security => "it is no security incident".to_owned(),
        _ => "another service is affected".to_owned(),
    }
}

/// Whether it is the hour and the day that conditions ask for.
pub fn is_hour(when: &When, now: Timestamp) -> bool {
    let zone: chrono_tz::Tz = when.zone.parse().unwrap_or(chrono_tz::UTC);
    let local = zone.from_utc_datetime(&now.utc().naive_utc());
    let hours = hours(&when.hours);
    let is_time = hours.is_none_or(|(from, until)| is_between(local.time(), from, until));
    // What begins in the evening belongs to that day until the morning, as in schedules.
    let is_morning = hours.is_some_and(|(from, until)| until <= from && local.time() < until);
    let weekday = if is_morning { local.weekday().pred() } else { local.weekday() };
    let day =
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][weekday.num_days_from_monday() as usize];
    let is_day = when.weekdays.is_empty() || when.weekdays.iter().any(|d| d == day);
    is_day && is_time
}

/// Reads `08:00-18:00`.
pub fn hours(text: &str) -> Option<(NaiveTime, NaiveTime)> {
    let (from, until) = text.split_once('-')?;
    let read = |part: &str| NaiveTime::parse_from_str(part.trim(), "%H:%M").ok();
    Some((read(from)?, read(until)?))
}

/// What decides whose turn it is.
#[derive(Debug, Clone, Default)]
pub struct Turn<'a> {
    /// Who had the last one.
    pub last: Option<&'a str>,
    /// Who has answered.
    pub but: Option<&'a str>,
    /// Whom the last page did not reach.
    pub lost: BTreeSet<&'a str>,
}

/// The pages of a level, numbered from `number` on, and its gaps.
pub fn level(
    asked: Asked<'_>,
    level: &Level,
    Turn { last, but, lost }: &Turn<'_>,
    number: u32,
    why: &str,
) -> (Vec<Wanted>, Vec<String>) {
    let (mut reached, gaps) = targets(asked, &level.targets);
    // Whoever has answered is not asked again, where there is somebody else.
    if reached.iter().any(|one| Some(one.to.as_str()) != *but) {
        reached.retain(|one| Some(one.to.as_str()) != *but);
    }
    if level.round_robin && reached.len() > 1 {
        let last = last.and_then(|last| reached.iter().position(|r| r.to == last));
        let first = last.map_or(0, |last| last + 1);
        let mut turns = (0..reached.len()).map(|n| (first + n) % reached.len());
        // Whom nothing got through to just now has another turn, where there is somebody else.
        let is_there = |at: &usize| !lost.contains(reached[*at].to.as_str());
        let next = turns.find(is_there).unwrap_or(first % reached.len());
        reached = vec![reached.swap_remove(next)];
    }
    let kind = if level.informs { DeliveryKind::Inform } else { DeliveryKind::Page };
    (wanted(reached, kind, number, why), gaps)
}

/// Reached people as wanted deliveries, numbered from `number` on.
pub fn wanted(reached: Vec<Reached>, kind: DeliveryKind, number: u32, why: &str) -> Vec<Wanted> {
    reached
        .into_iter()
        .zip(number..)
        .map(|(one, number)| Wanted {
            number,
            kind,
            why: format!("{why} ({})", one.through),
            to: one.to,
            methods: one.methods,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plan::Quiet;

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let nights = When {
            weekdays: vec!["fri".to_owned()],
            hours: "22:00-06:00".to_owned(),
            ..When::default()
        };
        let table = [
            ("2026-11-27T21:59:00Z", false),
            ("2026-11-27T22:00:00Z", true),
            ("2026-11-28T02:00:00Z", true),
            ("2026-11-28T06:00:00Z", false),
            ("2026-11-27T02:00:00Z", false),
        ];
        for (at, expected) in table {
            assert_eq!(is_hour(&nights, at.parse().expect("a time")), expected, "{at}");
        }
    }

    #[test]
    fn quiet_hours_follow_the_persons_own_clock_and_give_way_to_severity() {
        let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").expect("a time");
        let quiet = Quiet {
            methods: vec!["phone".to_owned()],
            from: time("22:00"),
            until: time("07:00"),
            unless: Severity::Sev2,
        };
        let person =
            Person { zone: "Europe/Berlin".into(), quiet: vec![quiet], ..Person::default() };
        let table = [
            ("2026-11-25T21:30:00Z", "phone", Severity::Sev3, true),
            ("2026-11-25T20:59:59Z", "phone", Severity::Sev3, false),
            ("2026-11-25T21:30:00Z", "phone", Severity::Sev2, false),
            ("2026-11-25T21:30:00Z", "mail", Severity::Sev3, false),
            ("2026-11-25T06:00:00Z", "phone", Severity::Sev5, false),
        ];
        for (at, channel, severity, expected) in table {
            let now = at.parse().expect("a time");
            assert_eq!(is_quiet(&person, channel, severity, now), expected, "{at} {channel}");
        }
    }
}
