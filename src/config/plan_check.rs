//! What is wrong with a plan as a whole: names that lead nowhere, people who cannot be reached,
//! conditions that cannot be read.
//!
//! Invariants:
//! - All mistakes are found at once, each with the key it is about.
//! - What passes here cannot make the engine strand an incident.

mod stakeholders;

use std::collections::BTreeSet;

use crate::domain::delivery::{Method, address_of};
use crate::domain::plan::{Level, Person, Plan, Policy, Trigger, When};
use crate::domain::reach;
use crate::domain::schedule::{self, Schedule};
use crate::domain::throttle::WITHIN_MAX_MS;

/// The longest that pages may be held to be bundled, in seconds.
const BUNDLE_S_MAX: u32 = 900;

/// Keys with what is wrong, or worth knowing.
#[derive(Debug, Default)]
pub struct Found {
    pub mistakes: Vec<(String, String)>,
    pub warnings: Vec<(String, String)>,
}

impl Found {
    fn wrong(&mut self, key: impl Into<String>, what: impl Into<String>) {
        self.mistakes.push((key.into(), what.into()));
    }

    fn mind(&mut self, key: impl Into<String>, what: impl Into<String>) {
        self.warnings.push((key.into(), what.into()));
    }
}

/// Checks the references and values of a plan.
pub fn check(plan: &Plan) -> Found {
    let mut found = Found::default();
    for (team, members) in &plan.teams {
        for login in members.iter().filter(|login| !plan.people.contains_key(*login)) {
            found.wrong(format!("teams.{team}"), nobody(login));
        }
    }
    for (name, channel) in &plan.channels {
        for what in channel.check(name) {
            found.wrong(format!("channels.{name}"), what);
        }
        if matches!(name.as_str(), "person" | "team" | "schedule" | "channel") {
            found.wrong(format!("channels.{name}"), "is a word that targets begin with");
        }
    }
    schedules(plan, &mut found);
    for (name, policy) in &plan.policies {
        check_policy(plan, name, policy, &mut found);
    }
    if !plan.policies.contains_key(&plan.default_policy) {
        let what = format!("names the policy '{}', which does not exist", plan.default_policy);
        found.wrong("default_policy", what);
    }
    for target in &plan.fallback {
        if let Err(what) = check_target(plan, target) {
            found.wrong("fallback", what);
        }
    }
    if plan.fallback.is_empty() {
        found.mind("fallback", "is empty: where nobody else is left, everybody is paged");
    }
    if plan.bundle_s > BUNDLE_S_MAX {
        let what = format!("would make people wait; at most {BUNDLE_S_MAX} seconds");
        found.wrong("bundle_s", what);
    }
    for (name, throttles) in &plan.throttles {
        if throttles.iter().any(|throttle| throttle.within_ms > WITHIN_MAX_MS) {
            let what = "would hold a page back for longer than an hour".to_owned();
            found.wrong(format!("throttles.{name}"), what);
        }
        if !plan.has_channel(name) {
            found.wrong(format!("throttles.{name}"), format!("there is no channel '{name}'"));
        }
    }
    let reachable = reachable(plan);
    for (login, person) in &plan.people {
        check_person(plan, login, person, reachable.contains(login.as_str()), &mut found);
    }
    services(plan, &mut found);
    stakeholders::check(plan, &mut found);
    found
}

fn nobody(login: &str) -> String {
    format!("names '{login}', who is not in [people]")
}

fn schedules(plan: &Plan, found: &mut Found) {
    for (name, schedule) in &plan.schedules {
        let key = format!("schedules.{name}");
        for login in schedule.people() {
            if !plan.people.contains_key(login) {
                found.wrong(key.clone(), nobody(login));
            }
        }
        for what in schedule::check(schedule, &plan.holidays) {
            found.wrong(key.clone(), what);
        }
        if schedule.rotations.is_empty() && schedule.overrides.is_empty() {
            found.mind(key, "has nobody on call");
        }
    }
}

fn check_policy(plan: &Plan, name: &str, policy: &Policy, found: &mut Found) {
    let key = format!("policies.{name}");
    if policy.levels.is_empty() {
        found.wrong(key.clone(), "has no levels; nobody would be reached");
    }
    let mut names = BTreeSet::new();
    for level in &policy.levels {
        if !names.insert(level.name.to_ascii_lowercase()) {
            found.wrong(key.clone(), format!("two levels are named '{}'", level.name));
        }
        check_level(plan, level, &key, found);
    }
    if policy.repeat > 0 && policy.repeat_after_min == 0 {
        found.wrong(key.clone(), "repeats without a pause; set repeat_after_min");
    }
    if policy.ack_expires_min.is_empty() && policy.levels.iter().any(|level| !level.informs) {
        let what = "an acknowledgement never expires: one that was forgotten pages nobody again; \
                    set ack_expires_min";
        found.mind(key.clone(), what);
    }
    if !policy.levels.is_empty() && policy.levels.iter().all(|level| level.informs) {
        found.mind(key.clone(), "only informs: nobody is asked to answer");
    }
    for (severity, minutes) in &policy.ack_expires_min {
        if *minutes == 0 {
            found.wrong(key.clone(), format!("ack_expires_min.{severity} must be at least 1"));
        }
    }
    for trigger in &policy.triggers {
        check_trigger(policy, trigger, &key, found);
    }
}

fn check_trigger(policy: &Policy, trigger: &Trigger, key: &str, found: &mut Found) {
    if !policy.levels.iter().any(|level| level.name == trigger.level) {
        found.wrong(key, format!("a trigger reaches '{}', which is no level of it", trigger.level));
    }
    let when = &trigger.when;
    if when.is_always() {
        found.wrong(key, format!("the trigger of '{}' has no condition", trigger.level));
    }
    if !when.hours.is_empty() || !when.weekdays.is_empty() {
        found.wrong(key, "a trigger cannot wait for an hour or a weekday; a level's 'when' can");
    }
    if when.within_min > 0 && (when.alerts == 0 || when.missed_promise) {
        let what = "the trigger's within_min goes with alerts, and without missed_promise";
        found.wrong(key, what);
    }
}

fn check_level(plan: &Plan, level: &Level, key: &str, found: &mut Found) {
    for target in &level.targets {
        if let Err(what) = check_target(plan, target) {
            found.wrong(key, format!("level '{}' {what}", level.name));
        }
    }
    if level.targets.is_empty() {
        found.wrong(key, format!("level '{}' has no targets", level.name));
    }
    for what in check_when(&level.when) {
        found.wrong(key, format!("level '{}': {what}", level.name));
    }
}

fn check_when(when: &When) -> Vec<String> {
    let mut wrong = Vec::new();
    if !when.hours.is_empty() && reach::hours(&when.hours).is_none() {
        wrong.push(format!("hours '{}' cannot be read; write 08:00-18:00", when.hours));
    }
    if !when.zone.is_empty() && when.zone.parse::<chrono_tz::Tz>().is_err() {
        wrong.push(format!("'{}' is no time zone", when.zone));
    }
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    for day in when.weekdays.iter().filter(|day| !days.contains(&day.as_str())) {
        wrong.push(format!("'{day}' is no weekday; use one of: {}", days.join(", ")));
    }
    if when.within_min > 0 && when.alerts == 0 {
        wrong.push("within_min goes with alerts".to_owned());
    }
    wrong
}

fn check_target(plan: &Plan, target: &str) -> Result<(), String> {
    let unknown = || {
        format!("names '{target}', which is no person:, team:, schedule: or channel: of this plan")
    };
    match target.split_once(':') {
        Some(("person", login)) if plan.people.contains_key(login) => Ok(()),
        Some(("team", team)) if plan.teams.contains_key(team) => Ok(()),
        Some(("schedule", name)) if plan.schedules.contains_key(name) => Ok(()),
        Some(("channel", method)) => {
            let method = Method::parse(method);
            let Some(channel) = plan.channels.get(method.channel()) else {
                return Err(unknown());
            };
            channel.check_address(address_of(&method.name))
        }
        _ => Err(unknown()),
    }
}

/// Everybody whom a policy or the fallback may lead to.
fn reachable(plan: &Plan) -> BTreeSet<&str> {
    let levels = plan.policies.values().flat_map(|policy| policy.levels.iter());
    behind(plan, levels.flat_map(|level| level.targets.iter()).chain(&plan.fallback))
}

/// The logins behind targets, whoever of them is on duty.
pub(super) fn behind<'a>(
    plan: &'a Plan,
    targets: impl Iterator<Item = &'a String>,
) -> BTreeSet<&'a str> {
    let mut found: BTreeSet<&str> = BTreeSet::new();
    for target in targets {
        match target.split_once(':') {
            Some(("person", login)) => drop(found.insert(login)),
            Some(("team", team)) => {
                found.extend(plan.teams.get(team).into_iter().flatten().map(String::as_str));
            }
            Some(("schedule", name)) => {
                let schedule = plan.schedules.get(name).into_iter();
                found.extend(schedule.flat_map(Schedule::people).map(String::as_str));
            }
            _ => {}
        }
    }
    found
}

fn check_person(plan: &Plan, login: &str, person: &Person, is_reachable: bool, found: &mut Found) {
    let key = format!("people.{login}");
    if login.contains([':', ' ', '/']) || login.is_empty() {
        found.wrong(key.clone(), "is no login: no blanks, colons or slashes");
    }
    if person.contacts.is_empty() {
        found.wrong(key.clone(), "has no contact method");
    }
    let mut sendable = 0;
    for contact in &person.contacts {
        let method = Method::parse(contact);
        match plan.channels.get(method.channel()) {
            Some(channel) => match channel.check_address(address_of(&method.name)) {
                Ok(()) => sendable += 1,
                Err(what) => found.wrong(key.clone(), format!("'{contact}': {what}")),
            },
            None if plan.has_channel(method.channel()) => sendable += 1,
            None => {
                let name = method.channel();
                let what =
                    format!("'{contact}' is for people to use: there is no [channels.{name}]");
                found.mind(key.clone(), what);
            }
        }
    }
    if sendable == 0 && is_reachable && !person.contacts.is_empty() {
        let what = "is to be reached but has no method that warroom can send by";
        found.wrong(key.clone(), what);
    }
    if !person.zone.is_empty() && person.zone.parse::<chrono_tz::Tz>().is_err() {
        found.wrong(key.clone(), format!("'{}' is no time zone", person.zone));
    }
    for quiet in &person.quiet {
        let is_used = |method: &String| {
            person.contacts.iter().any(|contact| Method::parse(contact).channel() == method)
        };
        for method in quiet.methods.iter().filter(|method| !is_used(method)) {
            found.mind(
                key.clone(),
                format!("is quiet by '{method}', which is no contact of theirs"),
            );
        }
    }
}

fn services(plan: &Plan, found: &mut Found) {
    for (name, service) in &plan.services {
        if !service.policy.is_empty() && !plan.policies.contains_key(&service.policy) {
            let what = format!("names the policy '{}', which does not exist", service.policy);
            found.wrong(format!("services.{name}"), what);
        }
        if !service.team.is_empty() && !plan.teams.contains_key(&service.team) {
            let what = format!("names the team '{}', which does not exist", service.team);
            found.wrong(format!("services.{name}"), what);
        }
    }
    let mut names = BTreeSet::new();
    for rule in &plan.rules {
        if !names.insert(&rule.name) {
            found.wrong("rules", format!("two rules are named '{}'", rule.name));
        }
    }
    let beats =
        plan.heartbeats.iter().map(|(name, it)| (format!("heartbeats.{name}"), &it.services));
    let readers = plan.stakeholders.iter();
    let readers = readers.map(|(name, it)| (format!("stakeholders.{name}"), &it.services));
    for (key, services) in beats.chain(readers) {
        let is_known = |service: &&String| plan.services.contains_key(*service);
        for service in services.iter().filter(|s| !plan.services.is_empty() && !is_known(s)) {
            let what = format!("names the service '{service}', which the plan does not know");
            found.mind(key.clone(), what);
        }
    }
    for (name, beat) in &plan.heartbeats {
        if beat.every_s == 0 {
            found.wrong(format!("heartbeats.{name}"), "every_s must be at least 1");
        }
    }
}
