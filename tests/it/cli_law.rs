//! The clocks of the law by the command line.

use crate::home::{Home, utf8};

#[test]
fn what_was_handed_in_does_not_hide_what_is_owed_before_it() {
    let home = Home::new();
    home.ok(&["declare", "breach", "-s", "1"]);
    let early = home.run(&["obligation", "submit", "1", "nis2", "final", "--reference", "R0"]);
    let said = utf8(&early.stderr);
    assert!(said.contains("nis2 final is not owed yet: it waits for"), "{said}");
    let said = home.ok(&["obligation", "determine", "1", "nis2", "aware", "the review says so"]);
    assert!(said.contains("early-warning due ") && said.contains("Z = "), "{said}");
    let said = home.ok(&["obligation", "submit", "1", "nis2", "notification", "--reference", "R1"]);
    assert!(said.contains("STILL OWED before it: early-warning (due "), "{said}");
    let said =
        home.ok(&["obligation", "submit", "1", "nis2", "early-warning", "--reference", "R2"]);
    assert!(!said.contains("STILL OWED"), "{said}");
}

#[test]
fn what_keeps_a_clock_of_the_law_from_running_is_said() {
    let home = Home::new();
    home.ok(&["declare", "breach", "-s", "1"]);
    let determine = |kind: &str, at: &str| {
        home.ok(&["obligation", "determine", "1", "sec-8k", kind, "the board", "--at", at])
    };
    determine("not-material", "2026-11-20 10:00 America/New_York");
    let said = determine("materiality-determined", "2026-11-21");
    assert!(said.contains("'not-material' was taken back by it"), "{said}");
    let clocks = home.ok(&["obligation", "list", "1"]);
    assert!(
        clocks.contains("due 2026-11-27 22:30Z = 2026-11-27 17:30 EST"),
        "four business days, to 17:30: {clocks}"
    );
    // What nothing that is found out contradicts stays, and that is said.
    let gdpr =
        |kind: &str| home.ok(&["obligation", "determine", "1", "gdpr-controller", kind, "dpo"]);
    gdpr("risk-unlikely");
    let said = gdpr("aware");
    assert!(said.contains("STILL NOT OWED: authority ('risk-unlikely' since"), "{said}");
    let known = home.ok(&["show", "1"]);
    assert!(
        known.contains("2026-11-21T05:00"),
        "a day begins where the rule's clocks are: {known}"
    );
    let refused = home.run(&["declare", "INC-1", "-s", "1"]);
    assert!(!refused.status.success(), "severity and services are for a new one");
}

#[test]
fn what_is_owed_again_and_again_is_late_each_time_it_comes_late() {
    let home = Home::new();
    home.ok(&["declare", "breach", "-s", "1"]);
    let law = |args: &[&str]| home.run(&[&["obligation"], args].concat());
    let ok = |args: &[&str]| home.ok(&[&["obligation"], args].concat());
    ok(&["determine", "1", "nis2", "aware", "the log", "--at", "2026-07-31 08:00"]);
    let sent = ["submit", "1", "nis2", "notification", "--reference", "N", "--at"];
    ok(&[&sent[..], &["2026-07-31 09:00"]].concat());
    ok(&["determine", "1", "nis2", "ongoing", "still there", "--at", "2026-08-20 08:00"]);
    let progress = ["submit", "1", "nis2", "progress", "--reference", "P1", "--at"];
    let late = law(&[&progress[..], &["2026-11-29 05:00"]].concat());
    assert!(utf8(&late.stderr).contains("progress comes after its time"), "{late:?}");
    let early = law(&[&progress[..], &["2026-07-31 08:30"]].concat());
    assert!(utf8(&early.stderr).contains("before nis2 progress was owed at all"), "{early:?}");
    ok(&[&progress[..], &["2026-11-29 05:00", "--why", "nobody knew"]].concat());
    ok(&["determine", "1", "nis2", "handled", "it is over", "--at", "2026-11-29 05:30"]);
    let list = ok(&["list", "1"]);
    let progress = list.lines().find(|line| line.contains("nis2 progress")).expect("its line");
    assert!(progress.contains("handed in") && progress.ends_with("LATE"), "{list}");
}
