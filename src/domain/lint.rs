//! What a plan would do, looked at ahead of time: holes, steps that reach nobody new, people who are
//! on call twice at once, pages that would come too late to matter.
//!
//! Invariants:
//! - Pure; nothing here is a mistake (those are found in `config`), everything is worth a look.
//! - Looks at most `DAYS` ahead, and every list is short: the first of a kind and how many more.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::delivery::Method;
use crate::domain::duty::Desk;
use crate::domain::plan::{Level, Plan, Policy};
use crate::domain::reach::{self, Asked};
use crate::domain::schedule::{self, Shift};
use crate::domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp, span_words};
use crate::domain::words::Severity;

/// How far ahead is looked.
const DAYS: i64 = 90;
/// The same for what each change of a schedule may bring, and at how many of them.
const LOOKED_MS: i64 = 14 * DAY_MS;
const LOOKS_MAX: usize = 60;
/// Quiet hours are looked at so often within a day.
const QUIET_STEP_MS: i64 = 5 * MINUTE_MS;

/// Something worth a look, and the key it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    pub key: String,
    pub what: String,
}

/// Everything worth a look in a plan, from `now` on.
pub fn lint(plan: &Plan, desk: &Desk, now: Timestamp) -> Vec<Lint> {
    let mut found = Vec::new();
    let until = now.plus(DAYS * DAY_MS);
    let mut shifts: BTreeMap<&str, Vec<Shift>> = BTreeMap::new();
    for (name, schedule) in &plan.schedules {
        let changes = desk.changes_of(name);
        shifts.insert(name, schedule::shifts(schedule, &plan.holidays, changes, now, until));
        for swap in schedule::stale_swaps(schedule, changes) {
            let what = format!("swap {swap} names a turn that its giver no longer has");
            found.push(Lint { key: format!("schedules.{name}"), what });
        }
        let covers = changes.covers.iter().filter(|cover| cover.until > now);
        for cover in covers.filter(|cover| !plan.people.contains_key(&cover.person)) {
            let (id, who, until) = (cover.id, &cover.person, cover.until);
            let what =
                format!("cover {id} puts {who} on duty until {until}, who is not in [people]");
            found.push(Lint { key: format!("schedules.{name}"), what });
        }
    }
    holes(plan, &shifts, &mut found);
    for (name, policy) in &plan.policies {
        for at in looks(&shifts, policy, now) {
            steps((plan, desk), name, policy, (now, at), &mut found);
        }
        uncovered(plan, name, policy, now, &mut found);
        never(plan, name, policy, &mut found);
    }
    twice(plan, &shifts, &mut found);
    quiet(plan, now, &mut found);
    for (name, who) in plan.stakeholders.iter().filter(|(_, who)| !who.has_templates(plan)) {
        let what = format!(
            "reads {}, in which there is no template: what is made from one is in English",
            who.language
        );
        found.push(Lint { key: format!("stakeholders.{name}"), what });
    }
    found
}

/// The schedules that some policy leads to.
fn used(plan: &Plan) -> BTreeSet<&str> {
    let levels = plan.policies.values().flat_map(|policy| policy.levels.iter());
    let targets = levels.flat_map(|level| level.targets.iter()).chain(&plan.fallback);
    targets.filter_map(|target| target.strip_prefix("schedule:")).collect()
}

fn holes(plan: &Plan, shifts: &BTreeMap<&str, Vec<Shift>>, found: &mut Vec<Lint>) {
    for name in used(plan) {
        let empty: Vec<&Shift> =
            shifts.get(name).into_iter().flatten().filter(|s| s.people.is_empty()).collect();
        let Some(first) = empty.first() else { continue };
        let total: i64 = empty.iter().map(|shift| shift.until.since(shift.from)).sum();
        let what = format!(
            "nobody is on call from {} until {}; {} holes within {DAYS} days, {} in all",
            first.from,
            first.until,
            empty.len(),
            span_words(total)
        );
        found.push(Lint { key: format!("schedules.{name}"), what });
    }
}

/// When a policy's people change: now, and at each change of a schedule that it leads to.
fn looks(
    shifts: &BTreeMap<&str, Vec<Shift>>,
    policy: &Policy,
    now: Timestamp,
) -> BTreeSet<Timestamp> {
    let targets = policy.levels.iter().flat_map(|level| &level.targets);
    let names = targets.filter_map(|target| target.strip_prefix("schedule:"));
    let changes = names.filter_map(|name| shifts.get(name)).flatten().map(|shift| shift.from);
    let soon = changes.filter(|at| *at > now && at.since(now) < LOOKED_MS);
    std::iter::once(now).chain(soon).take(LOOKS_MAX).collect()
}

/// Hours of the week in which no level of a policy holds for what it pages for.
fn uncovered(plan: &Plan, name: &str, policy: &Policy, now: Timestamp, found: &mut Vec<Lint>) {
    let leads_here = |service: &&String| {
        plan.policy_for(std::slice::from_ref(*service)).is_some_and(|(known, _)| known == name)
    };
    let mut services: Vec<Vec<String>> =
        plan.services.keys().filter(leads_here).map(|service| vec![service.clone()]).collect();
    if services.is_empty() {
        services.push(Vec::new());
    }
    let pages = |severity: &Severity| policy.from_severity.is_none_or(|from| *severity <= from);
    let severities = [Severity::Sev1, Severity::Sev2, Severity::Sev3, Severity::Sev4];
    let desk = Desk::default();
    for severity in severities.into_iter().filter(pages) {
        let hole = (0..7 * 24).find_map(|hour| {
            let at = now.plus(hour * HOUR_MS);
            let asked = Asked { plan, desk: &desk, severity, now: at };
            let holds = |level: &Level, services: &[String]| {
                !level.informs
                    && level.when.is_certain()
                    && reach::skipped(asked, &level.when, services).is_none()
            };
            let is_bare =
                |services: &&Vec<String>| !policy.levels.iter().any(|level| holds(level, services));
            services.iter().find(is_bare).map(|services| (at, services.clone()))
        });
        let Some((at, services)) = hole.filter(|_| !policy.levels.is_empty()) else { continue };
        let of = services.first().map(|name| format!(" on {name}")).unwrap_or_default();
        let what = format!(
            "no level holds for {severity}{of} at some hour (such as {at}): the fallback is paged"
        );
        found.push(Lint { key: format!("policies.{name}"), what });
        return;
    }
}

/// Levels that reach nobody, or nobody new; personal methods that come after the next level.
fn steps(
    (plan, desk): (&Plan, &Desk),
    name: &str,
    policy: &Policy,
    (now, at): (Timestamp, Timestamp),
    found: &mut Vec<Lint>,
) {
    let key = format!("policies.{name}");
    let asked = Asked { plan, desk, severity: Severity::Sev1, now: at };
    // The first time of each is enough.
    let when = if at == now { "now".to_owned() } else { format!("from {at} on") };
    let mut before: BTreeSet<String> = BTreeSet::new();
    for (index, level) in policy.levels.iter().enumerate() {
        let (reached, _) = reach::targets(asked, &level.targets);
        let people: BTreeSet<String> = reached.iter().map(|one| one.to.clone()).collect();
        let mut say = |head: String, rest: String| {
            let is_said = |lint: &Lint| lint.key == key && lint.what.starts_with(&head);
            if !found.iter().any(is_said) {
                found.push(Lint { key: key.clone(), what: format!("{head}{rest}") });
            }
        };
        if people.is_empty() {
            let then = if level.informs { "nobody is told" } else { "the fallback would be paged" };
            say(format!("level '{}' reaches nobody ", level.name), format!("{when}; {then}"));
        } else if !before.is_empty() && people.is_subset(&before) {
            let head =
                format!("level '{}' reaches nobody whom no level before it reached", level.name);
            say(head, if at == now { String::new() } else { format!(" {when}") });
        }
        let next = policy.levels.get(index + 1).map(|next| i64::from(next.after_min) * MINUTE_MS);
        for one in &reached {
            let late = one.methods.iter().find(|method: &&Method| {
                let after_ms = i64::from(method.after_s) * 1_000;
                after_ms > 0 && next.is_some_and(|next| after_ms >= next)
            });
            if let Some(method) = late {
                let next = policy.levels.get(index + 1).map_or("", |next| next.name.as_str());
                let what = format!(
                    "{}'s '{}' comes only when level '{next}' is due already",
                    one.to, method.name
                );
                say(what, String::new());
            }
        }
        before.extend(people);
    }
}

/// Conditions that can never hold, and people whom nothing reaches but a console that is open.
fn never(plan: &Plan, name: &str, policy: &Policy, found: &mut Vec<Lint>) {
    let mut say = |what: String| found.push(Lint { key: format!("policies.{name}"), what });
    let levels = policy.levels.iter();
    let levels = levels.map(|level| (format!("level '{}'", level.name), &level.when));
    let triggers = policy.triggers.iter();
    let triggers =
        triggers.map(|trigger| (format!("the trigger to '{}'", trigger.level), &trigger.when));
    for (what, when) in levels.chain(triggers) {
        let is_known = |service: &String| plan.services.contains_key(service);
        if !when.services.is_empty() && !when.services.iter().any(is_known) {
            let services = when.services.join(", ");
            say(format!("{what} waits for services that the plan does not name: {services}"));
        }
        if when.teams as usize > plan.teams.len() {
            let (wanted, known) = (when.teams, plan.teams.len());
            say(format!("{what} waits for {wanted} teams, and the plan has {known}"));
        }
        if when.hours.split_once('-').is_some_and(|(from, until)| from.trim() == until.trim()) {
            say(format!("{what} waits for the hours {}, which are all of the day", when.hours));
        }
    }
    for level in &policy.levels {
        for login in level.targets.iter().flat_map(|target| by_console(plan, target)) {
            say(format!(
                "{login} of level '{}' is reached by an open console alone: with none open, by \
                 nothing",
                level.name
            ));
        }
    }
}

/// Whom of a target nothing reaches but an open console, where that may leave nobody: a person, whoever
/// has a turn of a schedule, a team of nobody else.
fn by_console<'a>(plan: &'a Plan, target: &'a str) -> BTreeSet<&'a str> {
    let is_terminal = |login: &&str| {
        let ways = plan.people.get(*login).map_or(&[][..], |person| &person.contacts);
        !ways.is_empty() && ways.iter().all(|way| Method::parse(way).channel() == "terminal")
    };
    let all: BTreeSet<&str> = match target.split_once(':') {
        Some(("person", login)) => [login].into(),
        Some(("team", name)) => {
            plan.teams.get(name).into_iter().flatten().map(String::as_str).collect()
        }
        Some(("schedule", name)) => {
            let schedule = plan.schedules.get(name);
            let rotations = schedule.into_iter().flat_map(|schedule| &schedule.rotations);
            rotations.flat_map(|rotation| &rotation.people).map(String::as_str).collect()
        }
        _ => BTreeSet::new(),
    };
    if target.starts_with("team:") && !all.iter().all(is_terminal) {
        return BTreeSet::new();
    }
    all.into_iter().filter(is_terminal).collect()
}

/// People who are on call on two schedules at the same time, under one policy or under two: then the
/// second step is the first, or one of them cannot be at both.
fn twice(plan: &Plan, shifts: &BTreeMap<&str, Vec<Shift>>, found: &mut Vec<Lint>) {
    let schedules: Vec<&str> = used(plan).into_iter().collect();
    for (index, one) in schedules.iter().enumerate() {
        for other in schedules.iter().skip(index + 1) {
            let (Some(left), Some(right)) = (shifts.get(one), shifts.get(other)) else { continue };
            let Some((who, from, until)) = both(left, right) else { continue };
            let under = |name: &&String| {
                let levels = plan.policies.get(*name).map(|policy| policy.levels.as_slice());
                let targets = levels.unwrap_or(&[]).iter().flat_map(|level| &level.targets);
                let targets: BTreeSet<&str> =
                    targets.filter_map(|target| target.strip_prefix("schedule:")).collect();
                targets.contains(one) && targets.contains(other)
            };
            let key = match plan.policies.keys().find(under) {
                Some(policy) => format!("policies.{policy}"),
                None => format!("schedules.{one}"),
            };
            let what = format!(
                "{who} is on call on '{one}' and '{other}' at once from {from} until {until}"
            );
            found.push(Lint { key, what });
        }
    }
}

/// Who is on duty in both of two lists of shifts at once first, and when.
fn both(left: &[Shift], right: &[Shift]) -> Option<(String, Timestamp, Timestamp)> {
    let mut later = right;
    for a in left {
        // Both lists are in order: what ended before this one began is of no more use.
        let gone = later.iter().take_while(|b| b.until <= a.from).count();
        later = later.get(gone..).unwrap_or(&[]);
        for b in later.iter().take_while(|b| b.from < a.until) {
            let is_in_both = |login: &str| b.people.iter().any(|duty| duty.person == login);
            if let Some(who) = a.people.iter().find(|duty| is_in_both(&duty.person)) {
                return Some((who.person.clone(), a.from.max(b.from), a.until.min(b.until)));
            }
        }
    }
    None
}

/// Quiet hours in which somebody on call could not be reached for what pages them.
fn quiet(plan: &Plan, now: Timestamp, found: &mut Vec<Lint>) {
    let pages_from = plan.policies.values().filter_map(|policy| policy.from_severity).max();
    for (login, person) in plan.people.iter().filter(|(_, person)| !person.quiet.is_empty()) {
        // What nothing can be sent by reaches them at no hour.
        let ways: Vec<Method> = person.contacts.iter().map(|text| Method::parse(text)).collect();
        let channels: BTreeSet<&str> =
            ways.iter().map(Method::channel).filter(|name| plan.has_channel(name)).collect();
        let severities = [Severity::Sev1, Severity::Sev2, Severity::Sev3, Severity::Sev4];
        let worst = severities.into_iter().find(|severity| {
            pages_from.is_none_or(|from| *severity <= from)
                && (0..DAY_MS / QUIET_STEP_MS).any(|step| {
                    let at = now.plus(step * QUIET_STEP_MS);
                    channels.iter().all(|name| reach::is_quiet(person, name, *severity, at))
                })
        });
        if let Some(severity) = worst {
            let what = format!(
                "every method is quiet at some hour for {severity}: a page goes past them then"
            );
            found.push(Lint { key: format!("people.{login}"), what });
        }
    }
}
