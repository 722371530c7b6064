//! The calendar feed: identities that stay, and lines that no text can break.
//!
//! Invariants:
//! - A file is looked at as its reader sees it: unfolded, line by line.

use super::calendar::{Entry, entries, removed};
use super::ical::{Feed, calendar};
use super::tests_turns::{at, plan};
use super::*;
use crate::domain::time::Timestamp;

const PLAN: &str = r#"
zone = "Europe/Berlin"
[[rotations]]
name = "büro, tags; nachts"
start = "2027-03-01T09:00:00"
every = "week"
people = ["ann", "bob"]
hours = [{ days = ["mon", "tue"], from = "09:00", until = "17:00" }]
"#;

fn all(plan: &Schedule, changes: &Changes, from: &str, until: &str) -> Vec<Entry> {
    entries(plan, &Holidays::new(), changes, at(from), at(until))
}

fn text(schedule: &str, entries: &[Entry], removed: &[Entry], who: Option<&str>) -> String {
    let now = at("2027-02-01T00:00:00Z");
    calendar(&[Feed { schedule, entries, removed, who, revision: 3, now }])
}

/// The values of a property, of lines put together again.
fn values(text: &str, name: &str) -> Vec<String> {
    let whole = text.replace("\r\n ", "");
    let found = whole.split("\r\n").filter_map(|line| line.split_once(':'));
    found.filter(|(known, _)| *known == name).map(|(_, value)| value.to_owned()).collect()
}

#[test]
fn a_feed_says_each_shift_once_in_universal_time() {
    let found =
        all(&plan(PLAN), &Changes::default(), "2027-03-01T00:00:00Z", "2027-03-15T00:00:00Z");
    let said = text("primary", &found, &[], Some("ann"));
    assert_eq!(values(&said, "DTSTART"), ["20270301T080000Z", "20270302T080000Z"]);
    assert_eq!(values(&said, "DTEND"), ["20270301T160000Z", "20270302T160000Z"]);
    assert_eq!(values(&said, "STATUS"), ["CONFIRMED", "CONFIRMED"]);
    assert_eq!(values(&said, "SEQUENCE"), ["3", "3"]);
    assert_eq!(values(&said, "SUMMARY"), ["ann on call: primary", "ann on call: primary"]);
    let uid = "primary/turn/b_c3_bcro_2c_20tags_3b_20nachts/0/ann";
    assert_eq!(values(&said, "UID"), [format!("{uid}/1@warroom"), format!("{uid}/2@warroom")]);
    let descriptions = values(&said, "DESCRIPTION");
    assert_eq!(descriptions[0], "büro\\, tags\\; nachts\\, turn 0");
    assert!(said.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"));
    assert!(said.ends_with("END:VCALENDAR\r\n"));
    assert_eq!(values(&text("primary", &found, &[], None), "UID").len(), 4);
}

#[test]
fn an_identity_stays_when_the_shift_or_the_period_moves() {
    let mut moved = plan(PLAN);
    let changes = Changes::default();
    let before = all(&moved, &changes, "2027-03-01T00:00:00Z", "2027-03-15T00:00:00Z");
    // A period that begins within a turn, and within one of its parts.
    let later = all(&moved, &changes, "2027-03-02T12:00:00Z", "2027-03-08T12:00:00Z");
    assert_eq!(later, before[1..3]);
    moved.rotations[0].start = "2027-03-01T07:30:00".parse().expect("a local time");
    moved.rotations[0].hours[0].from = "08:00".parse().expect("a time");
    let after = all(&moved, &changes, "2027-03-01T00:00:00Z", "2027-03-15T00:00:00Z");
    let uids = |entries: &[Entry]| values(&text("primary", entries, &[], None), "UID");
    assert_ne!(before, after);
    assert_eq!(uids(&before), uids(&after));
    assert!(removed(&before, &after).is_empty());
}

#[test]
fn what_is_no_longer_true_is_canceled() {
    let plan = plan(PLAN);
    let period = ("2027-03-01T00:00:00Z", "2027-03-08T00:00:00Z");
    let before = all(&plan, &Changes::default(), period.0, period.1);
    let cover = Cover {
        id: 9,
        from: at("2027-03-02T07:00:00Z"),
        until: at("2027-03-02T17:00:00Z"),
        person: "eve".into(),
        instead_of: Some("ann".into()),
        reason: String::new(),
        by: String::new(),
    };
    let changes = Changes { covers: vec![cover], swaps: Vec::new(), ..Changes::default() };
    let after = all(&plan, &changes, period.0, period.1);
    let gone = removed(&before, &after);
    assert_eq!(gone, before[1..]);
    let said = text("primary", &after, &gone, None);
    assert_eq!(values(&said, "STATUS"), ["CONFIRMED", "CONFIRMED", "CANCELLED"]);
    assert_eq!(values(&said, "UID")[1], "primary/cover/9/eve/1@warroom");
    assert_eq!(values(&text("primary", &after, &gone, Some("eve")), "STATUS"), ["CONFIRMED"]);
}

#[test]
fn lines_are_folded_between_characters_and_text_never_begins_one() {
    let hostile = "päger\r\nEND:VCALENDAR\u{1b}[2J\u{202e}\u{0}\tx\\;,🚨".repeat(9);
    let found =
        all(&plan(PLAN), &Changes::default(), "2027-03-01T00:00:00Z", "2027-03-08T00:00:00Z");
    let said = text(&hostile, &found, &[], None);
    assert!(said.split("\r\n").all(|line| line.len() <= 75));
    assert!(!said.replace("\r\n", "").contains(['\r', '\n', '\u{1b}', '\u{0}', '\u{202e}', '\t']));
    assert_eq!(said.matches("\r\nEND:VCALENDAR").count(), 1);
    let summary = &values(&said, "SUMMARY")[0];
    let once = "päger\\nEND:VCALENDAR[2J x\\\\\\;\\,🚨";
    assert_eq!(*summary, format!("ann on call: {}", once.repeat(9)));
}

#[test]
fn two_people_at_once_have_an_entry_each_for_all_of_their_time() {
    let mut pair = plan(PLAN);
    pair.rotations[0].hours.clear();
    pair.rotations[0].together = 2;
    let cover = Cover {
        id: 1,
        from: at("2027-03-02T00:00:00Z"),
        until: at("2027-03-03T00:00:00Z"),
        person: "eve".into(),
        instead_of: Some("bob".into()),
        reason: String::new(),
        by: String::new(),
    };
    let changes = Changes { covers: vec![cover], swaps: Vec::new(), ..Changes::default() };
    let found = all(&pair, &changes, "2027-03-03T00:00:00Z", "2027-03-03T12:00:00Z");
    let told: Vec<(&str, u32, String)> = found
        .iter()
        .map(|entry| (entry.duty.person.as_str(), entry.part, entry.from.to_string()))
        .collect();
    let expected = [
        ("ann", 1, "2027-03-01T08:00:00.000Z".to_owned()),
        ("bob", 1_000_001, "2027-03-03T00:00:00.000Z".to_owned()),
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_somebody_else_took_over_is_canceled_in_their_calendar() {
    let plan = plan(PLAN);
    let (from, until) = ("2027-03-01T00:00:00Z", "2027-03-15T00:00:00Z");
    let cover = |id: u32, from: &str, until: &str| Cover {
        id,
        from: at(from),
        until: at(until),
        person: "cyd".to_owned(),
        instead_of: None,
        reason: String::new(),
        by: String::new(),
    };
    // All of ann's second day is taken over; a cover of the week after was taken back.
    let changes = Changes {
        covers: vec![cover(1, "2027-03-02T00:00:00Z", "2027-03-03T00:00:00Z")],
        revoked: vec![cover(2, "2027-03-08T00:00:00Z", "2027-03-09T00:00:00Z")],
        ..Changes::default()
    };
    let gone = super::calendar::withdrawn(&plan, &Holidays::new(), &changes, at(from), at(until));
    let said = text("primary", &all(&plan, &changes, from, until), &gone, Some("ann"));
    assert_eq!(values(&said, "STATUS"), ["CONFIRMED", "CANCELLED"], "{said}");
    let said = text("primary", &all(&plan, &changes, from, until), &gone, Some("cyd"));
    assert_eq!(values(&said, "STATUS"), ["CONFIRMED", "CANCELLED"], "{said}");
    assert!(values(&said, "UID")[1].contains("cover/2"), "{said}");
    let said = text("primary", &all(&plan, &changes, from, until), &gone, Some("bob"));
    assert_eq!(
        values(&said, "STATUS"),
        ["CONFIRMED", "CONFIRMED"],
        "what was given back stays: {said}"
    );
}

#[test]
fn who_stands_in_for_an_hour_gives_no_other_shift_another_name() {
    let (from, until) = ("2027-03-01T00:00:00Z", "2027-03-15T00:00:00Z");
    let plan = plan(PLAN);
    let uids = |changes: &Changes| -> Vec<(Timestamp, Vec<String>)> {
        let found = all(&plan, changes, from, until);
        found.iter().map(|entry| (entry.from, entry.identity())).collect()
    };
    let before = uids(&Changes::default());
    let cover = Cover {
        id: 9,
        from: at("2027-03-01T10:00:00Z"),
        until: at("2027-03-01T11:00:00Z"),
        person: "cyd".into(),
        instead_of: None,
        reason: String::new(),
        by: String::new(),
    };
    let after = uids(&Changes { covers: vec![cover], ..Changes::default() });
    // The morning keeps the name of its day, the other days keep theirs; what is new is new.
    for known in &before {
        assert!(after.contains(known), "{known:?} in {after:#?}");
    }
    assert_eq!(after.len(), before.len() + 2, "the cover, and the afternoon");
    let names: std::collections::BTreeSet<_> = after.iter().map(|(_, name)| name).collect();
    assert_eq!(names.len(), after.len(), "each name once");
}
