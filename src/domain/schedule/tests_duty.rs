//! Layers, swaps, covers, overrides and temporary plans together.
//!
//! Invariants:
//! - Everything is asked through the same functions that a keeper asks.

use super::tests_turns::{at, plan};
use super::*;
use crate::domain::time::HOUR_MS;

/// Three regions that hand over at their own working hours, and one that fills what is left.
const SUN: &str = r#"
zone = "UTC"
[[rotations]]
name = "rest"
start = "2027-03-01T00:00:00"
every = "week"
people = ["owner"]
[[rotations]]
name = "sydney"
start = "2027-03-01T00:00:00"
every = "week"
people = ["syd1", "syd2"]
hours = [{ days = ["sun", "mon", "tue", "wed", "thu"], from = "22:00", until = "06:00" }]
[[rotations]]
name = "berlin"
start = "2027-03-01T00:00:00"
every = "week"
people = ["ber1", "ber2"]
hours = [{ days = ["mon", "tue", "wed", "thu", "fri"], from = "06:00", until = "14:00" }]
[[rotations]]
name = "denver"
start = "2027-03-01T00:00:00"
every = "week"
people = ["den1", "den2"]
hours = [{ days = ["mon", "tue", "wed", "thu", "fri"], from = "14:00", until = "22:00" }]
not_on = ["us"]
"#;

const PAIR: &str = r#"
zone = "Europe/Berlin"
[[rotations]]
name = "main"
start = "2027-03-01T09:00:00"
every = "week"
together = 2
people = ["ann", "bob", "cyd"]
"#;

const SINGLE: &str = r#"
zone = "UTC"
[[rotations]]
name = "main"
start = "2027-03-01T09:00:00"
every = "week"
people = ["ann", "bob", "cyd"]
"#;

fn who(schedule: &Schedule, holidays: &Holidays, changes: &Changes, time: &str) -> String {
    let on = on_duty(schedule, holidays, changes, at(time));
    on.into_iter().map(|duty| duty.person).collect::<Vec<_>>().join("+")
}

#[track_caller]
fn check(schedule: &Schedule, changes: &Changes, table: &[(&str, &str)]) {
    for (time, expected) in table {
        assert_eq!(who(schedule, &Holidays::new(), changes, time), *expected, "{time}");
    }
}

fn turn(layer: &str, turn: i64) -> TurnId {
    TurnId { layer: layer.into(), turn }
}

fn swap(id: u32, (gives, a): (&str, i64), (takes, b): (&str, Option<i64>)) -> Swap {
    Swap {
        id,
        a: turn("main", a),
        b: b.map(|number| turn("main", number)),
        person_a: gives.into(),
        person_b: takes.into(),
        state: SwapState::Accepted,
        since: None,
    }
}

fn cover(id: u32, from: &str, until: &str, person: &str, instead_of: Option<&str>) -> Cover {
    Cover {
        id,
        from: at(from),
        until: at(until),
        person: person.into(),
        instead_of: instead_of.map(str::to_owned),
        reason: String::new(),
        by: String::new(),
    }
}

#[test]
fn duty_follows_the_sun() {
    let sun = plan(SUN);
    let table = [
        ("2027-03-01T00:00:00Z", "syd1"), // the night that began on Sunday
        ("2027-03-01T06:00:00Z", "ber1"),
        ("2027-03-01T14:00:00Z", "den1"),
        ("2027-03-01T21:59:59Z", "den1"),
        ("2027-03-01T22:00:00Z", "syd1"),
        ("2027-03-02T05:59:59Z", "syd1"),
        ("2027-03-05T22:00:00Z", "owner"),
        ("2027-03-07T22:00:00Z", "syd1"),
        ("2027-03-08T00:00:00Z", "syd2"), // the week changes at midnight, within the night
        ("2027-03-08T06:00:00Z", "ber2"),
    ];
    check(&sun, &Changes::default(), &table);
    let (from, until) = (at("2027-03-01T00:00:00Z"), at("2027-03-15T00:00:00Z"));
    assert!(gaps(&sun, &Holidays::new(), &Changes::default(), from, until).is_empty());
}

#[test]
fn a_holiday_takes_a_layer_off_duty_for_that_day() {
    let sun = plan(SUN);
    let day = |text: &str| text.parse().expect("a date");
    let holidays: Holidays = [("us".to_owned(), vec![day("2027-03-02")])].into();
    let on = |time: &str| who(&sun, &holidays, &Changes::default(), time);
    assert_eq!(on("2027-03-01T14:00:00Z"), "den1");
    assert_eq!(on("2027-03-02T14:00:00Z"), "owner");
    assert_eq!(on("2027-03-03T14:00:00Z"), "den1");
    // A layer for holidays only, by days of the schedule's zone.
    let mut other = plan(SINGLE);
    other.zone = "America/Denver".parse().expect("a zone");
    other.rotations[0].only_on = vec!["us".into()];
    let on = |time: &str| who(&other, &holidays, &Changes::default(), time);
    assert_eq!(on("2027-03-02T06:59:59Z"), "");
    assert_eq!(on("2027-03-02T07:00:00Z"), "ann");
    assert_eq!(on("2027-03-03T06:59:59Z"), "ann");
    assert_eq!(on("2027-03-03T07:00:00Z"), "");
}

#[test]
fn a_swap_follows_its_shift_when_the_plan_moves_it() {
    let mut moved = plan(SINGLE);
    let changes = Changes {
        covers: Vec::new(),
        swaps: vec![swap(7, ("bob", 1), ("cyd", Some(2)))],
        ..Changes::default()
    };
    let before = [
        ("2027-03-08T08:59:59Z", "ann"),
        ("2027-03-08T09:00:00Z", "cyd"),
        ("2027-03-15T09:00:00Z", "bob"),
        ("2027-03-22T09:00:00Z", "ann"),
    ];
    check(&moved, &changes, &before);
    let duty = &on_duty(&moved, &Holidays::new(), &changes, at("2027-03-09T00:00:00Z"))[0];
    assert_eq!(duty.source, Source::Swap { id: 7 });
    assert_eq!(duty.turn, Some(turn("main", 1)));
    moved.rotations[0].start = "2027-03-02T12:00:00".parse().expect("a local time");
    let after = [
        ("2027-03-09T11:59:59Z", "ann"),
        ("2027-03-09T12:00:00Z", "cyd"),
        ("2027-03-16T12:00:00Z", "bob"),
    ];
    check(&moved, &changes, &after);
    assert!(stale_swaps(&moved, &changes).is_empty());
}

#[test]
fn only_accepted_swaps_count_and_each_builds_on_the_ones_before() {
    let single = plan(SINGLE);
    let swaps = vec![swap(1, ("ann", 0), ("bob", None)), swap(2, ("bob", 0), ("cyd", None))];
    let mut changes = Changes { swaps, ..Changes::default() };
    assert_eq!(holders(&single, &changes, &turn("main", 0)), ["cyd"]);
    for state in [SwapState::Asked, SwapState::Refused] {
        changes.swaps[1].state = state;
        assert_eq!(holders(&single, &changes, &turn("main", 0)), ["bob"]);
    }
    changes.swaps.remove(0);
    changes.swaps[0].state = SwapState::Accepted;
    assert_eq!(holders(&single, &changes, &turn("main", 0)), ["ann"], "bob does not have it");
    assert_eq!(stale_swaps(&single, &changes), [2]);
}

#[test]
fn what_was_worked_of_a_turn_before_it_was_swapped_stays_with_whoever_worked_it() {
    let single = plan(SINGLE);
    let since = at("2027-03-03T12:00:00Z");
    let late = Swap { since: Some(since), ..swap(1, ("ann", 0), ("bob", None)) };
    let changes = Changes { swaps: vec![late], ..Changes::default() };
    let table = [("2027-03-03T11:59:59Z", "ann"), ("2027-03-03T12:00:00Z", "bob")];
    check(&single, &changes, &table);
    let (from, until) = (at("2027-03-01T09:00:00Z"), at("2027-03-08T09:00:00Z"));
    let found = load(&single, &Holidays::new(), &changes, from, until);
    assert_eq!(found.people["ann"].total_ms, since.since(from));
    assert_eq!(found.people["bob"].total_ms, until.since(since));
    assert!(calendar::withdrawn(&single, &Holidays::new(), &changes, from, until).is_empty());
    let next = next_change(&single, &Holidays::new(), &changes, from, until);
    assert_eq!(next, Some(since));
}

#[test]
fn a_stand_in_takes_one_place_or_all_of_them() {
    let mut pair = plan(PAIR);
    pair.overrides.push(Override {
        from: at("2027-03-02T00:00:00Z"),
        until: at("2027-03-03T00:00:00Z"),
        person: "eve".into(),
        reason: "dentist".into(),
        instead_of: Some("bob".into()),
        asked_by: "bob".into(),
        approved_by: "ann".into(),
    });
    let changes = Changes {
        covers: vec![
            cover(1, "2027-03-02T06:00:00Z", "2027-03-02T12:00:00Z", "fay", Some("bob")),
            cover(2, "2027-03-02T08:00:00Z", "2027-03-02T09:00:00Z", "gil", Some("fay")),
            cover(3, "2027-03-02T10:00:00Z", "2027-03-02T11:00:00Z", "ann", Some("bob")),
            cover(4, "2027-03-02T14:00:00Z", "2027-03-02T15:00:00Z", "hal", None),
            cover(5, "2027-03-02T16:00:00Z", "2027-03-02T17:00:00Z", "ian", Some("nobody")),
        ],
        swaps: Vec::new(),
        ..Changes::default()
    };
    let table = [
        ("2027-03-01T12:00:00Z", "ann+bob"),
        ("2027-03-02T00:00:00Z", "ann+eve"),
        ("2027-03-02T06:00:00Z", "ann+fay"), // the later word about bob's place
        ("2027-03-02T08:00:00Z", "ann+gil"),
        ("2027-03-02T09:00:00Z", "ann+fay"),
        ("2027-03-02T10:00:00Z", "ann"), // nobody is there twice
        ("2027-03-02T14:00:00Z", "hal"),
        ("2027-03-02T16:00:00Z", "ann+eve"),
        ("2027-03-03T00:00:00Z", "ann+bob"),
    ];
    check(&pair, &changes, &table);
}

#[test]
fn a_temporary_plan_beats_everything_and_what_it_leaves_open_is_open() {
    let mut single = plan(SINGLE);
    let stint = |from: &str, until: &str, person: &str| Stint {
        from: at(from),
        until: at(until),
        person: person.into(),
    };
    single.temporary.push(Temporary {
        from: at("2027-03-02T00:00:00Z"),
        until: at("2027-03-04T00:00:00Z"),
        shifts: vec![
            stint("2027-03-01T12:00:00Z", "2027-03-03T00:00:00Z", "tom"),
            stint("2027-03-03T12:00:00Z", "2027-03-09T00:00:00Z", "uma"),
        ],
        reason: "move of the data center".into(),
    });
    let all_along = cover(1, "2027-03-02T00:00:00Z", "2027-03-05T00:00:00Z", "eve", None);
    let changes = Changes { covers: vec![all_along], swaps: Vec::new(), ..Changes::default() };
    let table = [
        ("2027-03-01T23:59:59Z", "ann"),
        ("2027-03-02T00:00:00Z", "tom"),
        ("2027-03-03T00:00:00Z", ""),
        ("2027-03-03T12:00:00Z", "uma"),
        ("2027-03-04T00:00:00Z", "eve"),
        ("2027-03-05T00:00:00Z", "ann"),
    ];
    check(&single, &changes, &table);
    let (from, until) = (at("2027-03-01T12:00:00Z"), at("2027-03-06T00:00:00Z"));
    let holes = gaps(&single, &Holidays::new(), &changes, from, until);
    assert_eq!(holes, [(at("2027-03-03T00:00:00Z"), at("2027-03-03T12:00:00Z"))]);
}

#[test]
fn the_next_change_is_one_of_people() {
    let mut single = plan(SINGLE);
    let after = at("2027-03-02T00:00:00Z");
    let next = |plan: &Schedule, changes: &Changes, horizon: &str| {
        next_change(plan, &Holidays::new(), changes, after, at(horizon))
    };
    let none = Changes::default();
    assert_eq!(next(&single, &none, "2027-04-01T00:00:00Z"), Some(at("2027-03-08T09:00:00Z")));
    assert_eq!(next(&single, &none, "2027-03-08T09:00:00Z"), None, "not before the horizon");
    // Somebody who stands in for themselves changes nothing.
    let same = cover(1, "2027-03-03T00:00:00Z", "2027-03-04T00:00:00Z", "ann", None);
    let changes = Changes { covers: vec![same], swaps: Vec::new(), ..Changes::default() };
    assert_eq!(next(&single, &changes, "2027-04-01T00:00:00Z"), Some(at("2027-03-08T09:00:00Z")));
    single.rotations[0].people.truncate(1);
    assert_eq!(next(&single, &none, "2036-01-01T00:00:00Z"), None, "one person hands over to none");
}

#[test]
fn duty_is_counted_by_the_clock_of_the_zone() {
    let mut berlin = plan(SINGLE);
    berlin.zone = "Europe/Berlin".parse().expect("a zone");
    berlin.rotations[0].start = "2027-03-26T18:00:00".parse().expect("a local time"); // a Friday
    berlin.rotations[0].until = "2027-04-05T18:00:00".parse().ok();
    let (from, until) = (at("2027-03-26T16:00:00Z"), at("2027-04-05T17:00:00Z"));
    let found = load(&berlin, &Holidays::new(), &Changes::default(), from, until);
    // The night in which summer time begins is an hour shorter, and so is that weekend.
    let expected = PersonLoad {
        total_ms: (7 * 24 - 1) * HOUR_MS,
        night_ms: (7 * 8 - 1) * HOUR_MS,
        weekend_ms: 47 * HOUR_MS,
        shifts: 1,
    };
    assert_eq!(found.people["ann"], expected);
    assert_eq!(found.people["bob"].weekend_ms, 48 * HOUR_MS);
    assert_eq!(found.people["bob"].night_ms, 3 * 8 * HOUR_MS);
    assert_eq!(found.uncovered_ms, 2 * HOUR_MS, "one before the start, one after the end");
    let total: i64 = found.people.values().map(|share| share.total_ms).sum();
    assert_eq!(total + found.uncovered_ms, until.since(from));
}

#[test]
fn ninety_days_of_hours_are_many_pieces_that_fit() {
    let mut hourly = plan(SINGLE);
    hourly.rotations[0].every = Turn::Hour;
    let from = at("2036-03-01T00:00:00Z");
    let until = from.plus(90 * 24 * HOUR_MS);
    let all = shifts(&hourly, &Holidays::new(), &Changes::default(), from, until);
    assert_eq!(all.len(), 90 * 24);
    assert_eq!(all.first().map(|piece| piece.from), Some(from));
    assert_eq!(all.last().map(|piece| piece.until), Some(until));
}

#[test]
fn a_swap_is_told_with_the_days_on_which_it_begins_and_ends() {
    let swap = swap(3, ("ann", 0), ("bob", Some(1)));
    assert_eq!(
        swap_words(&plan(SINGLE), &swap),
        "3: ann → bob 2027-03-01 09:00 … 2027-03-08 09:00 UTC, for 2027-03-08 09:00 … 2027-03-15 \
         09:00 UTC"
    );
}
