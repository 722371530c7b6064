//! Reading and checking what a plan says about a schedule.
//!
//! Invariants:
//! - Every mistake that `check` knows is made here once.

use super::tests_turns::plan;
use super::*;

const GOOD: &str = r#"
zone = "Europe/Berlin"
[[rotations]]
name = "main"
start = "2027-03-01T09:00:00"
every = "handovers"
handovers = ["mon 09:00", "thu 17:00"]
people = ["ann", "bob"]
together = 2
until = "2028-03-01T09:00:00"
hours = [{ days = ["mon", "fri"], from = "09:00", until = "17:00" }]
not_on = ["bank"]
[[overrides]]
from = "2027-03-02T00:00:00Z"
until = "2027-03-03T00:00:00Z"
person = "eve"
instead_of = "ann"
asked_by = "ann"
approved_by = "bob"
[[temporary]]
from = "2027-04-02T00:00:00Z"
until = "2027-04-03T00:00:00Z"
shifts = [{ from = "2027-04-02T00:00:00Z", until = "2027-04-03T00:00:00Z", person = "ann" }]
"#;

#[test]
fn a_plan_of_yesterday_reads_and_stays_the_same_text() {
    let old = plan(
        "zone = \"UTC\"\n[[rotations]]\nstart = \"2026-01-05T09:00:00\"\nevery = \"week\"\n\
         people = [\"owner\"]\n[[overrides]]\nfrom = \"2026-01-06T00:00:00Z\"\n\
         until = \"2026-01-07T00:00:00Z\"\nperson = \"eve\"",
    );
    assert_eq!(old.rotations[0].together, 1);
    assert!(check(&old, &Holidays::new()).is_empty());
    let written = serde_json::to_string(&old).expect("JSON");
    assert_eq!(
        written,
        "{\"zone\":\"UTC\",\"rotations\":[{\"start\":\"2026-01-05T09:00:00\",\"every\":\"week\",\
         \"times\":1,\"people\":[\"owner\"]}],\"overrides\":[{\
         \"from\":\"2026-01-06T00:00:00.000Z\",\"until\":\"2026-01-07T00:00:00.000Z\",\
         \"person\":\"eve\",\"reason\":\"\"}]}"
    );
    assert_eq!(serde_json::from_str::<Schedule>(&written).expect("a schedule"), old);
}

#[test]
fn everything_a_plan_can_say_is_written_and_read_again() {
    let full = plan(GOOD);
    let written = serde_json::to_string(&full).expect("JSON");
    assert_eq!(serde_json::from_str::<Schedule>(&written).expect("a schedule"), full);
    let again = toml::to_string(&full).expect("TOML");
    assert_eq!(plan(&again), full);
}

#[test]
fn words_that_mean_nothing_are_refused_with_an_example() {
    let table = [
        (GOOD.replace("thu 17:00", "thursday"), "write mon 09:00"),
        (GOOD.replace("from = \"09:00\"", "from = \"24:00\""), "write 09:00"),
        (GOOD.replace("\"fri\"", "\"someday\""), "someday"),
        (GOOD.replace("not_on", "not_at"), "not_at"),
    ];
    for (text, expected) in table {
        let said = toml::from_str::<Schedule>(&text).expect_err("a mistake").to_string();
        assert!(said.contains(expected), "{said}");
    }
}

/// The mistakes of a good plan with one text replaced by another.
#[track_caller]
fn check_mistake(from: &str, to: &str, expected: &str) {
    assert!(GOOD.contains(from), "{from}");
    let holidays: Holidays = [("bank".to_owned(), Vec::new())].into();
    let found = check(&plan(&GOOD.replacen(from, to, 1)), &holidays);
    assert_eq!(found, [expected]);
}

#[test]
fn a_good_plan_has_no_mistakes() {
    let holidays: Holidays = [("bank".to_owned(), Vec::new())].into();
    assert_eq!(check(&plan(GOOD), &holidays), Vec::<String>::new());
}

#[test]
fn mistakes_of_a_layer_are_named() {
    let cases = [
        ("\"bank\"", "\"moon\"", "not_on names the holidays 'moon', which nobody defined"),
        ("2028-03", "2026-03", "until is not after start"),
        ("together = 2", "times = 0", "times is 0; a turn lasts 1 or more"),
        ("together = 2", "together = 0", "together is 0; at least 1 is on duty"),
        ("together = 2", "together = 3", "together is 3, but it has only 2"),
        ("[\"ann\", \"bob\"]", "[]", "has nobody"),
        ("\"bob\"", "\" \"", "has a person without a login"),
        ("[\"mon\", \"fri\"]", "[]", "hours 1 name no day of the week"),
        ("\"handovers\"", "\"week\"", "has handovers, which count only with every = \"handovers\""),
        (
            "handovers = [\"mon 09:00\", \"thu 17:00\"]",
            "",
            "every is handovers, but it has no handovers",
        ),
        ("thu 17:00", "mon 09:00", "handover mon 09:00 is said twice"),
        (
            "thu 17:00",
            "mon 08:00",
            "handover mon 08:00 comes after mon 09:00; sort them from monday",
        ),
        (
            "not_on = [\"bank\"]",
            "not_on = [\"bank\"]\nonly_on = [\"bank\"]",
            "'bank' is in both not_on and only_on",
        ),
    ];
    for (from, to, expected) in cases {
        check_mistake(from, to, &format!("layer 'main': {expected}"));
    }
    let mut twice = plan(GOOD);
    twice.rotations.push(twice.rotations[0].clone());
    let holidays: Holidays = [("bank".to_owned(), Vec::new())].into();
    let found = check(&twice, &holidays);
    assert_eq!(found, ["layer 'main': is a name said twice; swaps could not tell the two apart"]);
}

#[test]
fn mistakes_of_overrides_and_temporary_plans_are_named() {
    let title = "override from 2027-03-02T00:00:00.000Z by 'eve'";
    let said = format!("{title}: until is not after from");
    check_mistake("until = \"2027-03-03", "until = \"2027-03-01", &said);
    let said = format!("{title}: somebody stands in for themselves");
    check_mistake("instead_of = \"ann\"", "instead_of = \"eve\"", &said);
    let title = "temporary plan from 2027-04-02T00:00:00.000Z";
    let stint = "the shift of 'ann' from 2027-04-02T00:00:00.000Z";
    let said = format!("{title}: {stint} is not inside the plan's period");
    check_mistake("until = \"2027-04-03", "until = \"2027-04-02T12:00:00Z\" # ", &said);
    let said = format!("{title}: has no shifts, so that nobody would be on call");
    check_mistake("\nshifts = [{", "\n# shifts = [{", &said);
    let mut twice = plan(GOOD);
    let shift = twice.temporary[0].shifts[0].clone();
    twice.temporary[0].shifts.push(shift);
    twice.temporary.push(plan(GOOD).temporary.remove(0));
    let found = check(&twice, &[("bank".to_owned(), Vec::new())].into());
    let overlaps = format!("{title}: overlaps the one from 2027-04-02T00:00:00.000Z");
    assert_eq!(found, [format!("{title}: {stint} overlaps another one of theirs"), overlaps]);
}
