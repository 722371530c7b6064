//! Facts from outside: shifts, hours and hand-overs that other programs compute, restated.
//!
//! Invariants:
//! - Without the file of facts nothing is tested, and that is said.

use serde_json::Value;

use super::*;
use crate::domain::time::{HOUR_MS, Timestamp};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/oncall/facts.json");

#[expect(clippy::print_stderr, reason = "a test says that it was skipped")]
fn facts(key: &str) -> Option<Value> {
    let Ok(text) = std::fs::read_to_string(FILE) else {
        eprintln!("skipped: {FILE} is not there");
        return None;
    };
    let all: Value = serde_json::from_str(&text).expect("facts in JSON");
    Some(all.get(key).expect("facts of this kind").clone())
}

fn text<'a>(fact: &'a Value, key: &str) -> &'a str {
    fact[key].as_str().expect("a text of that name")
}

fn at(text: &str) -> Timestamp {
    let full = if text.len() == 17 { text.replace('Z', ":00Z") } else { text.to_owned() };
    full.parse().expect("a time")
}

fn one_layer(zone: &str, start: &str, every: &str, rest: &str) -> Schedule {
    toml::from_str(&format!(
        "zone = \"{zone}\"\n[[rotations]]\nname = \"on\"\nstart = \"{start}\"\n\
         every = \"{every}\"\npeople = [\"u1\", \"u2\"]\n{rest}"
    ))
    .expect("a schedule")
}

#[test]
fn shifts_end_on_the_wall_clock() {
    let Some(all) = facts("shift_end_with_duration") else { return };
    let all = all.as_array().expect("a list");
    assert_eq!(all.len(), 16);
    for fact in all {
        let every = match text(fact, "type") {
            "monthly" => "month",
            "weekly" => "week",
            "daily" => "day",
            "hourly" => "hour",
            other => other,
        };
        let start = format!("{}:00", text(fact, "shift_start"));
        let times = format!("times = {}", fact["shift_length"]);
        let plan = one_layer(text(fact, "tz"), &start, every, &times);
        let first = TurnId { layer: "on".into(), turn: 0 };
        let (from, until) = turn_span(&plan, &first).expect("a turn");
        let end = format!("{}:00", text(fact, "shift_end"));
        assert_eq!(until, instant(plan.zone, end.parse().expect("a local time")), "{fact}");
        assert_eq!(Some(until.since(from) / HOUR_MS), fact["real_hours"].as_i64(), "{fact}");
        assert_eq!(until.since(from) % HOUR_MS, 0, "{fact}");
    }
}

#[test]
fn hours_of_the_week_are_on_and_off() {
    let Some(all) = facts("rule_is_active") else { return };
    let all = all.as_array().expect("a list");
    assert_eq!(all.len(), 42);
    for fact in all {
        let rule = &fact["rule"];
        let listed = rule["days"].as_array().expect("seven days");
        // Theirs begin on Sunday.
        let names = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
        let days: Vec<&str> = names
            .into_iter()
            .zip(listed)
            .filter(|(_, is_on)| is_on.as_i64() == Some(1))
            .map(|(name, _)| name)
            .collect();
        let hours = format!(
            "hours = [{{ days = {days:?}, from = {}, until = {} }}]",
            rule["start"], rule["end"]
        );
        let zone = fact["tz"].as_str().unwrap_or("UTC");
        let plan = one_layer(zone, "2017-01-01T00:00:00", "week", &hours);
        let on = on_duty(&plan, &Holidays::new(), &Changes::default(), at(text(fact, "t")));
        assert_eq!(Some(!on.is_empty()), fact["active"].as_bool(), "{fact}");
    }
}

#[test]
fn a_weekly_hand_over_at_midnight_stays_at_midnight() {
    let Some(fact) = facts("grafana_weekly_dst") else { return };
    // Its note says that the start is meant on the wall clock.
    let start = text(&fact, "rotation_start_utc").trim_end_matches('Z');
    assert_eq!(text(&fact, "frequency"), "weekly");
    let plan = one_layer(text(&fact, "schedule_tz"), start, "week", "");
    let expected = fact["expected"].as_array().expect("a list");
    assert_eq!(expected.len(), 2);
    for shift in expected {
        let (from, until) = (at(text(shift, "start")), at(text(shift, "end")));
        let turn = turn_of(&plan, "on", from).expect("a turn");
        assert_eq!(turn_span(&plan, &turn), Some((from, until)), "{shift}");
    }
}
