//! Turns of one layer, by the wall clock.
//!
//! Invariants:
//! - Only what a plan can say is tested, read as a plan is.

use super::*;
use crate::domain::time::{DAY_MS, HOUR_MS, Timestamp};

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

pub(super) fn plan(text: &str) -> Schedule {
    toml::from_str(text).expect("a schedule")
}

fn one_layer(zone: &str, start: &str, every: &str, rest: &str) -> Schedule {
    plan(&format!(
        "zone = \"{zone}\"\n[[rotations]]\nstart = \"{start}\"\nevery = \"{every}\"\n\
         people = [\"ann\", \"bob\", \"cyd\"]\n{rest}"
    ))
}

fn turn(turn: i64) -> TurnId {
    TurnId { layer: "layer 1".into(), turn }
}

/// The beginnings of turns from a number on, each `None` if it lasts no time.
#[track_caller]
fn check(schedule: &Schedule, first: i64, expected: &[Option<&str>]) {
    let found: Vec<Option<Timestamp>> = (first..)
        .take(expected.len())
        .map(|number| turn_span(schedule, &turn(number)).map(|(from, _)| from))
        .collect();
    let expected: Vec<Option<Timestamp>> = expected.iter().map(|text| text.map(at)).collect();
    assert_eq!(found, expected);
}

#[test]
fn days_that_begin_late_or_twice_hand_over_once() {
    // Summer time begins at 00:00, which becomes 01:00.
    let cairo = one_layer("Africa/Cairo", "2027-04-28T00:00:00", "day", "");
    check(
        &cairo,
        0,
        &[
            Some("2027-04-27T22:00:00Z"),
            Some("2027-04-28T22:00:00Z"),
            Some("2027-04-29T22:00:00Z"), // at 01:00
            Some("2027-04-30T21:00:00Z"),
        ],
    );
    // It ends at 24:00, which becomes 23:00: that day has 25 hours.
    let autumn = one_layer("Africa/Cairo", "2027-10-28T00:00:00", "day", "");
    check(&autumn, 0, &[Some("2027-10-27T21:00:00Z"), Some("2027-10-28T22:00:00Z")]);
    let beirut = one_layer("Asia/Beirut", "2027-03-27T00:00:00", "day", "");
    check(&beirut, 0, &[Some("2027-03-26T22:00:00Z"), Some("2027-03-27T22:00:00Z")]);
    let beirut = one_layer("Asia/Beirut", "2027-10-30T00:00:00", "day", "");
    check(&beirut, 0, &[Some("2027-10-29T21:00:00Z"), Some("2027-10-30T22:00:00Z")]);
    // 00:00 becomes 01:00; and in autumn 01:00 becomes 00:00, so that midnight comes twice.
    let havana = one_layer("America/Havana", "2027-03-13T00:00:00", "day", "");
    check(
        &havana,
        0,
        &[Some("2027-03-13T05:00:00Z"), Some("2027-03-14T05:00:00Z"), Some("2027-03-15T04:00:00Z")],
    );
    let twice = one_layer("America/Havana", "2027-11-06T00:00:00", "day", "");
    check(
        &twice,
        0,
        &[Some("2027-11-06T04:00:00Z"), Some("2027-11-07T04:00:00Z"), Some("2027-11-08T05:00:00Z")],
    );
    // The last such midnight of this zone, which has kept summer time since.
    let asuncion = one_layer("America/Asuncion", "2024-10-05T00:00:00", "day", "");
    check(
        &asuncion,
        0,
        &[Some("2024-10-05T04:00:00Z"), Some("2024-10-06T04:00:00Z"), Some("2024-10-07T03:00:00Z")],
    );
}

#[test]
fn an_hour_that_is_skipped_is_nobodys_and_one_that_comes_twice_is_one_turn() {
    let spring = one_layer("Europe/Berlin", "2027-03-28T01:00:00", "hour", "");
    let begins = [Some("2027-03-28T00:00:00Z"), None, Some("2027-03-28T01:00:00Z")];
    check(&spring, 0, &begins);
    let on = |time: &str| on_duty(&spring, &Holidays::new(), &Changes::default(), at(time));
    assert_eq!(on("2027-03-28T00:59:59.999Z")[0].person, "ann");
    assert_eq!(on("2027-03-28T01:00:00Z")[0].person, "cyd", "the turn of bob lasts no time");
    let autumn = one_layer("Europe/Berlin", "2027-10-31T01:00:00", "hour", "");
    let (from, until) = turn_span(&autumn, &turn(1)).expect("a turn");
    assert_eq!(until.since(from), 2 * HOUR_MS);
}

#[test]
fn a_day_that_never_was_is_nobodys() {
    let apia = one_layer("Pacific/Apia", "2011-12-29T08:00:00", "day", "");
    check(&apia, 0, &[Some("2011-12-29T18:00:00Z"), Some("2011-12-30T10:00:00Z")]);
    let all = shifts(
        &apia,
        &Holidays::new(),
        &Changes::default(),
        at("2011-12-29T18:00:00Z"),
        at("2012-01-02T00:00:00Z"),
    );
    assert!(all.windows(2).all(|pair| pair[0].until == pair[1].from));
    assert!(all.iter().all(|piece| piece.people.len() == 1));
}

#[test]
fn months_are_clamped_at_their_end_and_counted_from_the_start() {
    let monthly = one_layer("UTC", "2027-01-31T09:00:00", "month", "");
    check(
        &monthly,
        0,
        &[
            Some("2027-01-31T09:00:00Z"),
            Some("2027-02-28T09:00:00Z"),
            Some("2027-03-31T09:00:00Z"),
            Some("2027-04-30T09:00:00Z"),
        ],
    );
    check(&monthly, 13, &[Some("2028-02-29T09:00:00Z")]);
    let found = turn_of(&monthly, "layer 1", at("2028-02-29T08:59:59Z"));
    assert_eq!(found, Some(turn(12)));
    assert_eq!(turn_of(&monthly, "layer 1", at("2227-01-31T09:00:00Z")), Some(turn(2400)));
}

#[test]
fn hand_overs_of_a_list_follow_each_other() {
    let rest = "handovers = [\"mon 09:00\", \"thu 17:00\"]";
    // A Tuesday: turn 0 lasts until Thursday.
    let listed = one_layer("UTC", "2027-03-02T12:00:00", "handovers", rest);
    check(
        &listed,
        0,
        &[
            Some("2027-03-02T12:00:00Z"),
            Some("2027-03-04T17:00:00Z"),
            Some("2027-03-08T09:00:00Z"),
            Some("2027-03-11T17:00:00Z"),
        ],
    );
    let years_later = turn_of(&listed, "layer 1", at("2037-03-05T16:59:59Z")).expect("a turn");
    let (from, until) = turn_span(&listed, &years_later).expect("it lasts");
    assert_eq!((from, until), (at("2037-03-02T09:00:00Z"), at("2037-03-05T17:00:00Z")));
    // A start on a hand-over time begins turn 0 there; two hand-overs make a turn.
    let rest = format!("{rest}\ntimes = 2");
    let double = one_layer("UTC", "2027-03-01T09:00:00", "handovers", &rest);
    check(&double, 0, &[Some("2027-03-01T09:00:00Z"), Some("2027-03-08T09:00:00Z")]);
    let never = one_layer("UTC", "2027-03-01T09:00:00", "handovers", "");
    assert_eq!(turn_of(&never, "layer 1", at("2037-03-05T00:00:00Z")), Some(turn(0)));
}

#[test]
fn a_layer_ends_in_the_middle_of_a_turn() {
    let ending = one_layer("UTC", "2027-03-01T09:00:00", "week", "until = \"2027-03-10T12:00:00\"");
    let (_, until) = turn_span(&ending, &turn(1)).expect("a turn");
    assert_eq!(until, at("2027-03-10T12:00:00Z"));
    assert_eq!(turn_span(&ending, &turn(2)), None);
    assert_eq!(turn_of(&ending, "layer 1", until), None);
    assert_eq!(turn_of(&ending, "layer 1", until.plus(-1)), Some(turn(1)));
}

#[test]
fn several_at_once_are_the_next_ones_in_order() {
    let pair = one_layer("UTC", "2027-03-01T09:00:00", "week", "together = 2");
    assert_eq!(rota(&pair, &turn(0)), ["ann", "bob"]);
    assert_eq!(rota(&pair, &turn(2)), ["cyd", "ann"]);
    assert!(rota(&pair, &turn(-1)).is_empty());
    let all = one_layer("UTC", "2027-03-01T09:00:00", "week", "together = 200");
    assert_eq!(rota(&all, &turn(1)), ["bob", "cyd", "ann"]);
}

#[test]
fn hours_follow_the_wall_clock_too() {
    let night = "hours = [{ days = [\"sat\"], from = \"22:00\", until = \"06:00\" }]";
    let gone = "hours = [{ days = [\"sun\"], from = \"02:00\", until = \"03:00\" }]";
    let all_day = "hours = [{ days = [\"sun\"], from = \"00:00\", until = \"00:00\" }]";
    let table = [
        // A night of seven hours, one of nine; a day of 23, one of 25; an hour that never is.
        (night, "2027-03-27", Some(("2027-03-27T21:00:00Z", "2027-03-28T04:00:00Z"))),
        (night, "2027-10-30", Some(("2027-10-30T20:00:00Z", "2027-10-31T05:00:00Z"))),
        (all_day, "2027-03-27", Some(("2027-03-27T23:00:00Z", "2027-03-28T22:00:00Z"))),
        (all_day, "2027-10-30", Some(("2027-10-30T22:00:00Z", "2027-10-31T23:00:00Z"))),
        (gone, "2027-03-27", None),
        (gone, "2027-10-30", Some(("2027-10-31T00:00:00Z", "2027-10-31T02:00:00Z"))),
    ];
    for (hours, day, expected) in table {
        let plan = one_layer("Europe/Berlin", "2027-01-01T00:00:00", "month", hours);
        let from = at(&format!("{day}T12:00:00Z"));
        let until = from.plus(2 * DAY_MS);
        let all = shifts(&plan, &Holidays::new(), &Changes::default(), from, until);
        let on = all.iter().find(|piece| !piece.people.is_empty());
        let expected = expected.map(|(from, until)| (at(from), at(until)));
        assert_eq!(on.map(|piece| (piece.from, piece.until)), expected, "{hours} {day}");
    }
}

#[test]
fn what_cannot_be_computed_is_nothing_and_no_panic() {
    for every in ["hour", "day", "week", "month", "handovers"] {
        let rest = "times = 65535\nhandovers = [\"sun 23:59\"]";
        let odd = one_layer("America/Havana", "9999-12-31T23:59:59", every, rest);
        for number in [i64::MIN, -1, 0, 1, i64::MAX] {
            let _span = turn_span(&odd, &turn(number));
            let _people = rota(&odd, &turn(number));
        }
        for ms in [i64::MIN, 0, i64::MAX] {
            let _turn = turn_of(&odd, "layer 1", Timestamp(ms));
            let _on = on_duty(&odd, &Holidays::new(), &Changes::default(), Timestamp(ms));
        }
    }
    let plan = one_layer("UTC", "0001-01-01T00:00:00", "hour", "");
    let all = |from: i64, until: i64| {
        let (from, until) = (Timestamp(from), Timestamp(until));
        shifts(&plan, &Holidays::new(), &Changes::default(), from, until).len()
    };
    assert_eq!(all(0, 0), 0);
    assert_eq!(all(DAY_MS, 0), 0);
    assert_eq!(all(i64::MAX, i64::MAX), 0);
    assert_eq!(all(0, i64::MAX), 3_653 * 24, "a period is cut after ten years");
}
