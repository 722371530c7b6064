//! The forms of escalation: levels, people, snoozes, hand-overs, policies, covers.
//!
//! Invariants:
//! - As in `forms`: a form never acts by itself.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "most of a long vocabulary is handled alike here"
)]

use crate::domain::command::Command;
use crate::domain::ids::IncidentId;
use crate::domain::plan::Plan;
use crate::domain::schedule::{self, Changes, SwapState};
use crate::domain::silence;
use crate::domain::time::Timestamp;
use crate::tui::action::Action;
use crate::tui::form::{Field, Form};
use crate::tui::forms::{About, ahead, some};

/// How a time on a schedule is written.
const CLOCK: &str = "empty: now · 18:00, by that schedule's clock · 18:00 UTC · a full time";
/// What stands for "the one after the last that was reached".
const NEXT: &str = "the next one";

pub(super) fn heading(action: Action) -> &'static str {
    match action {
        Action::Escalate => "Escalate",
        Action::Page => "Page somebody for",
        Action::CallBack => "Call back whom somebody wanted for",
        Action::Snooze => "Snooze",
        Action::Handover => "Hand over",
        Action::RefuseHandover => "Refuse, or take back, the hand-over of",
        Action::Policy => "Escalation policy of",
        Action::Cover => "Stand in on a schedule",
        Action::EndCover => "Take back that somebody stands in",
        Action::Swap => "Ask somebody to take a shift",
        Action::AnswerSwap => "Answer a swap",
        Action::PublishMaintenance => "What the public is to read of a maintenance",
        Action::EndMaintenance => "End a maintenance window",
        Action::Maintenance => "Services that page nobody for a while",
        Action::Silence => "Put alerts aside by their labels",
        Action::EndSilence => "End a silence",
        _ => "",
    }
}

/// Who stands in is mostly who says so.
fn self_first(about: &About<'_>) -> Vec<String> {
    let own = about.plan.people.contains_key(about.login).then(|| about.login.to_owned());
    own.into_iter().chain(super::people(about, about.login)).collect()
}

pub(super) fn fields(action: Action, about: &About<'_>) -> Option<Vec<Field>> {
    let why = |hint: &str| Field::line("reason", "why", "").hint(hint);
    let plan = about.plan;
    Some(match action {
        Action::Escalate => {
            let mut levels = vec![NEXT.to_owned()];
            levels.extend(about.levels.iter().cloned());
            vec![
                Field::choice("level", "to", levels, NEXT),
                why("always needed; they must answer themselves"),
            ]
        }
        Action::Page => {
            let last: Vec<&str> = about
                .incident
                .iter()
                .flat_map(|i| i.esc.deliveries.iter().rev().take(1))
                .map(|delivery| delivery.wanted.to.as_str())
                .collect();
            let known: Vec<&str> = plan.people.keys().take(5).map(String::as_str).collect();
            vec![
                Field::line("people", "who", &last.join(" "))
                    .hint(&format!("logins, team:NAME, schedule:NAME; known: {}", known.join(", ")))
                    .proposed(),
                why("always needed"),
            ]
        }
        Action::CallBack => {
            let open = about.incident.iter().flat_map(|incident| incident.wanted_by_hand());
            let mut who: Vec<&str> = open.map(|it| it.wanted.to.as_str()).collect();
            who.sort_unstable();
            who.dedup();
            vec![
                why("always needed; those who were reached read it"),
                Field::line("people", "who", &who.join(" "))
                    .hint("empty: everybody who is wanted by hand")
                    .proposed(),
            ]
        }
        Action::Snooze => vec![
            Field::line("until", "until", "30m")
                .hint("30m · 08:00; within 24 hours, then it pages as before")
                .proposed(),
            why("always needed"),
        ],
        Action::Handover => vec![
            super::person_field("person", "to", &duty_first(about)),
            Field::line("note", "note", "").hint("they get a brief of the incident as well"),
        ],
        Action::RefuseHandover => vec![why("may be empty")],
        Action::Policy => {
            let names = plan.policies.keys().cloned().collect();
            let now = about.incident.and_then(|i| i.esc.policy.as_ref());
            let now = now.map(|policy| policy.name.to_string()).unwrap_or_default();
            vec![
                Field::choice("policy", "policy", names, &now).hint("as the plan has it now"),
                why("may be empty"),
            ]
        }
        _ => return desk_fields(action, about),
    })
}

/// Whom one would hand something to: those who are on duty now first.
fn duty_first(about: &About<'_>) -> Vec<String> {
    let none = Changes::default();
    let on_duty = about.plan.schedules.iter().flat_map(|(name, schedule)| {
        let changes = about.changes.get(name).unwrap_or(&none);
        schedule::on_duty(schedule, &about.plan.holidays, changes, about.now)
    });
    let mut people: Vec<String> = Vec::new();
    let others = super::people(about, about.login);
    for who in on_duty.map(|duty| duty.person).chain(others) {
        if who != about.login && !people.contains(&who) {
            people.push(who);
        }
    }
    people
}

/// What the public is to read of a maintenance.
fn publish_fields(about: &About<'_>) -> Vec<Field> {
    let waiting = about.waiting.clone();
    let hint = if waiting.is_empty() { "nothing waits for a look" } else { "" };
    vec![
        Field::choice("window", "which", waiting, "").hint(hint),
        Field::line("force", "if nobody else", "")
            .hint("only for one's own words: why nobody else can look at them"),
    ]
}

/// The forms about shifts and maintenance, which belong to no incident.
fn desk_fields(action: Action, about: &About<'_>) -> Option<Vec<Field>> {
    let why = |hint: &str| Field::line("reason", "why", "").hint(hint);
    Some(match action {
        Action::Cover => vec![
            Field::choice("schedule", "schedule", with_zones(about), ""),
            super::person_field("person", "who", &self_first(about)),
            Field::line("from", "from", "").hint(CLOCK),
            Field::line("until", "until", "8h").hint("8h · 18:00, by the same clock").proposed(),
            Field::line("instead_of", "instead of", "").hint("empty: of everybody on duty then"),
            why("may be empty"),
        ],
        Action::EndCover => {
            let covers = covers(about);
            let hint = if covers.is_empty() { "nobody stands in" } else { "" };
            vec![Field::choice("cover", "which", covers, "").hint(hint)]
        }
        Action::Swap => vec![
            Field::choice("schedule", "schedule", with_zones(about), ""),
            Field::line("at", "shift at", "")
                .hint("an instant within your shift, by its clock: 18:00 · 2026-12-24 18:00"),
            super::person_field("person", "to", &super::people(about, about.login)),
            Field::line("their_at", "for theirs at", "").hint("may be empty: nothing in return"),
        ],
        Action::AnswerSwap => {
            let swaps = open_swaps(about);
            let hint = if swaps.is_empty() { "nobody asked you" } else { "" };
            let answers = vec!["take it".to_owned(), "refuse".to_owned()];
            vec![
                Field::choice("swap", "swap", swaps, "").hint(hint),
                Field::choice("answer", "answer", answers, ""),
            ]
        }
        Action::Maintenance => vec![
            Field::line("services", "services", "").hint("separated by blanks; * for all"),
            Field::line("from", "from", "").hint("empty: now · 18:00 · a full time"),
            Field::line("until", "until", "2h")
                .hint("2h · 18:00 · a full time; at most 7 days")
                .proposed(),
            why("always needed"),
            Field::line("public", "status page", "")
                .hint("what the public reads once another looked at it (e l); may be empty"),
        ],
        Action::Silence => vec![
            Field::line("when", "alerts", &matchers(about))
                .hint("label=pattern, all must match; * anything, a|b one of both")
                .proposed(),
            Field::line("from", "from", "").hint("empty: now · 18:00 · a full time"),
            Field::line("until", "until", "2h")
                .hint("2h · 18:00; what still fires then opens its incident")
                .proposed(),
            why("always needed"),
        ],
        Action::EndSilence => {
            let hint = if about.silences.is_empty() { "nothing is silenced" } else { "" };
            vec![Field::choice("silence", "which", about.silences.clone(), "").hint(hint)]
        }
        Action::PublishMaintenance => publish_fields(about),
        Action::EndMaintenance => {
            let hint = if about.windows.is_empty() { "no window is planned or open" } else { "" };
            vec![Field::choice("window", "which", about.windows.clone(), "").hint(hint)]
        }
        _ => return None,
    })
}

/// What would silence alerts like those of the selected incident.
fn matchers(about: &About<'_>) -> String {
    let Some(incident) = about.incident else { return String::new() };
    let by = ["alertname", "cluster", "namespace", "service", "job", "instance"];
    let of = |label: &&str| {
        let value = incident.labels.get(*label).filter(|value| !value.is_empty())?;
        let quote = if value.contains(char::is_whitespace) { "\"" } else { "" };
        Some(format!("{label}={quote}{value}{quote}"))
    };
    by.iter().filter_map(of).collect::<Vec<_>>().join(" ")
}

/// The schedules, those first that lead to whom the incident in view pages.
fn schedules(about: &About<'_>) -> Vec<String> {
    let services = about.incident.map(|incident| incident.services.clone()).unwrap_or_default();
    let policy = about.plan.policy_for(&services).map(|(_, policy)| policy);
    let targets = policy.iter().flat_map(|policy| &policy.levels).flat_map(|level| &level.targets);
    let first = targets.filter_map(|target| target.strip_prefix("schedule:"));
    let mut names: Vec<String> = Vec::new();
    for name in first.chain(about.plan.schedules.keys().map(String::as_str)) {
        if about.plan.schedules.contains_key(name) && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// The schedules, each with the clock that its times are read by.
fn with_zones(about: &About<'_>) -> Vec<String> {
    let zone = |name: &String| about.plan.schedules.get(name).map(|schedule| schedule.zone);
    let names = schedules(about).into_iter();
    names.map(|name| zone(&name).map_or(name.clone(), |zone| format!("{name} ({zone})"))).collect()
}

/// The schedule of a form, and its zone.
fn schedule_of(form: &Form) -> (String, chrono_tz::Tz) {
    let value = form.value("schedule");
    let parts = value.strip_suffix(')').and_then(|text| text.rsplit_once(" ("));
    match parts.and_then(|(name, zone)| Some((name, zone.parse().ok()?))) {
        Some((name, zone)) => (name.to_owned(), zone),
        None => (value, chrono_tz::UTC),
    }
}

/// A time by the clock of a schedule.
fn ahead_in(text: &str, zone: chrono_tz::Tz, now: Timestamp) -> Result<Option<Timestamp>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if text == "now" {
        return Ok(Some(now));
    }
    Timestamp::parse_ahead_in(text, zone, now).map(Some).map_err(|e| e.to_string())
}

/// Who stands in, or will: number, who and until when, and the schedule after the word "on".
fn covers(about: &About<'_>) -> Vec<String> {
    let all = about.changes.iter().flat_map(|(name, it)| it.covers.iter().map(move |c| (name, c)));
    all.filter(|(_, cover)| cover.until > about.now)
        .map(|(name, cover)| {
            let (id, person, from, until) = (cover.id, &cover.person, cover.from, cover.until);
            let zone = about.plan.schedules.get(name).map_or(chrono_tz::UTC, |it| it.zone);
            let (from, until) = (from.in_words(zone), until.in_words(zone));
            format!("{id} {person} {from} … {until} on {name}")
        })
        .collect()
}

/// Swaps that wait for this person's answer: number, whose shift, and the schedule after "on".
fn open_swaps(about: &About<'_>) -> Vec<String> {
    let all = about
        .changes
        .iter()
        .flat_map(|(schedule, changes)| changes.swaps.iter().map(move |swap| (schedule, swap)));
    all.filter(|(_, swap)| swap.state == SwapState::Asked)
        .filter(|(_, swap)| swap.person_b == about.login || swap.person_a == about.login)
        .map(|(name, swap)| {
            let words = about.plan.schedules.get(name).map(|s| schedule::swap_words(s, swap));
            let words = words.unwrap_or_default();
            let (id, rest) = words.split_once(": ").unwrap_or(("", ""));
            format!("{id} {rest} on {name}")
        })
        .collect()
}

pub(super) fn command(
    form: &Form,
    incident: IncidentId,
    now: Timestamp,
) -> Result<Command, String> {
    let value = |name: &str| form.value(name);
    Ok(match form.action {
        Action::Escalate => {
            let level = Some(value("level")).filter(|level| level != NEXT);
            Command::Escalate { incident, level, reason: value("reason") }
        }
        Action::Page => {
            let given = value("people");
            let people = given.split([' ', ',']).filter(|name| !name.is_empty());
            let people = people.map(ToOwned::to_owned).collect();
            Command::Page { incident, people, reason: value("reason") }
        }
        Action::CallBack => {
            let given = value("people");
            let people = given.split([' ', ',']).filter(|name| !name.is_empty());
            let people = people.map(ToOwned::to_owned).collect();
            Command::CallBack { incident, people, reason: value("reason") }
        }
        Action::Snooze => {
            let until = ahead(&value("until"), now)?.ok_or("say until when")?;
            Command::Snooze { incident, until, reason: value("reason") }
        }
        Action::Handover => {
            Command::OfferHandover { incident, to: value("person"), note: value("note") }
        }
        Action::RefuseHandover => Command::RefuseHandover { incident, reason: value("reason") },
        Action::Policy => {
            let policy = Some(value("policy")).filter(|name| !name.is_empty());
            Command::TakePolicy { incident, policy, reason: value("reason") }
        }
        other => return Err(format!("'{}' has no form", other.name())),
    })
}

/// The command of a form that is about no incident.
pub(super) fn of_the_desk(form: &Form, now: Timestamp) -> Result<Command, String> {
    let value = |name: &str| form.value(name);
    match form.action {
        Action::Swap => {
            let (schedule, zone) = schedule_of(form);
            let at = ahead_in(&value("at"), zone, now)?;
            Ok(Command::AskSwap {
                schedule,
                from: None,
                at: at.ok_or("say which shift: an instant within it")?,
                with: value("person").trim().to_owned(),
                their_at: ahead_in(&value("their_at"), zone, now)?,
            })
        }
        Action::AnswerSwap => {
            let text = value("swap");
            let number = text.split(' ').next().and_then(|word| word.parse().ok());
            let (Some(swap), Some((_, schedule))) = (number, text.split_once(" on ")) else {
                return Err("no swap waits for your answer".to_owned());
            };
            let accept = value("answer") == "take it";
            Ok(Command::AnswerSwap { schedule: schedule.to_owned(), swap, accept })
        }
        Action::EndCover => {
            let text = value("cover");
            let number = text.split(' ').next().and_then(|word| word.parse().ok());
            let (Some(cover), Some((_, schedule))) = (number, text.split_once(" on ")) else {
                return Err("nobody stands in".to_owned());
            };
            Ok(Command::RevokeCover { schedule: schedule.to_owned(), cover })
        }
        Action::Maintenance => {
            let (from, until) = span(form, now)?;
            let services = value("services").split_whitespace().map(ToOwned::to_owned).collect();
            let (reason, public) = (value("reason"), value("public"));
            Ok(Command::PlanWindow { services, from, until, reason, public })
        }
        Action::Silence => {
            let when = silence::parse_matchers(&value("when"))?;
            let (from, until) = span(form, now)?;
            let from = Some(from).filter(|_| !value("from").trim().is_empty());
            Ok(Command::Silence { when, from, until, reason: value("reason") })
        }
        Action::EndSilence => {
            let number = value("silence").trim().split(' ').next().and_then(|n| n.parse().ok());
            Ok(Command::EndSilence { silence: number.ok_or("nothing is silenced")? })
        }
        Action::PublishMaintenance => {
            let window = value("window").split(' ').next().and_then(|n| n.parse().ok());
            let window = window.ok_or("nothing about a maintenance waits for a look")?;
            Ok(Command::PublishWindow { window, force: some(&value("force")) })
        }
        Action::EndMaintenance => {
            let number = value("window").split(' ').next().and_then(|n| n.parse().ok());
            Ok(Command::EndWindow { window: number.ok_or("no window is planned or open")? })
        }
        _ => cover(form, now),
    }
}

/// The question before what silences much, or goes to somebody whom nobody knows.
pub(super) fn question(form: &Form, plan: &Plan) -> Option<String> {
    let value = |name: &str| form.value(name);
    if form.action == Action::Maintenance {
        let services = value("services");
        let which = if services.split_whitespace().any(|name| name == "*") {
            "NO service at all pages anybody".to_owned()
        } else {
            format!("{} page nobody", services.trim())
        };
        let from = Some(value("from")).filter(|from| !from.trim().is_empty());
        let from = from.map_or_else(|| "from now".to_owned(), |from| format!("from {from}"));
        return Some(format!("{which}, {from} until {}?", value("until")));
    }
    if form.action == Action::PublishMaintenance {
        let which = value("window");
        let (_, text) = which.split_once(": ").unwrap_or_default();
        return Some(format!("let the public read this?\n\n{text}"));
    }
    let person = value("person");
    let is_known = person.trim().is_empty() || plan.people.contains_key(person.trim());
    let asks = matches!(
        form.action,
        Action::Handover | Action::OfferCommand | Action::Owner | Action::Role
    );
    (asks && !is_known && !plan.people.is_empty())
        .then(|| format!("the plan knows no '{}'; is that the right login?", person.trim()))
}

/// From when until when; `until` may be a span from then.
fn span(form: &Form, now: Timestamp) -> Result<(Timestamp, Timestamp), String> {
    let from = Some(form.value("from")).filter(|text| text.trim() != "now");
    let from = ahead(&from.unwrap_or_default(), now)?.unwrap_or(now);
    // `8h` counts from the beginning, and `02:00` is the first one after it.
    let until = ahead(&form.value("until"), from)?.ok_or("say until when")?;
    Ok((from, until))
}

fn cover(form: &Form, now: Timestamp) -> Result<Command, String> {
    let value = |name: &str| form.value(name);
    let (schedule, zone) = schedule_of(form);
    let from = Some(value("from")).filter(|text| text.trim() != "now").unwrap_or_default();
    let from = ahead_in(&from, zone, now)?.unwrap_or(now);
    let until = ahead_in(&value("until"), zone, from)?.ok_or("say until when")?;
    let person = value("person").trim().to_owned();
    if schedule.is_empty() {
        return Err("the plan has no schedule".to_owned());
    }
    let (reason, whose) = (value("reason"), value("instead_of").trim().to_owned());
    let instead_of = Some(whose).filter(|whose| !whose.is_empty());
    Ok(Command::CoverShift { schedule, from, until, person, instead_of, reason })
}
