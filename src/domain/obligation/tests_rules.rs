//! The shipped rules are sound, print and read to themselves; unsound ones are named.
//!
//! Invariants:
//! - Every row of the regulatory table has its file.

use super::{Anchor, Calendars, Rule, SHIPPED, Span, shipped};

fn rules() -> Vec<Rule> {
    shipped().expect("the shipped rules read")
}

#[test]
fn shipped_rules_are_sound_and_print_to_themselves() {
    for (rule, (file, _)) in rules().iter().zip(SHIPPED) {
        assert_eq!(rule.check(), Vec::<String>::new());
        assert_eq!(rule.check_calendar(&Calendars::default()), Vec::<String>::new());
        assert_eq!(format!("{}.toml", rule.id), *file);
        let printed = toml::to_string(rule).expect("a rule prints");
        assert_eq!(Rule::read(file, &printed).as_ref(), Ok(rule));
    }
}

#[test]
fn only_what_is_not_law_yet_is_shipped_disabled() {
    let disabled: Vec<String> =
        rules().into_iter().filter(|rule| !rule.enabled).map(|rule| rule.id).collect();
    assert_eq!(disabled, ["circia"]);
}

const SMALL: &str = r#"
id = "small"
name = "Small"
kind = "contract"
jurisdiction = "here"
authority = "them"
as_of = "2026-06-30"
enabled = true
applies_when = "Always."
zone = "UTC"
source = { law = "a contract", article = "7", citation = "a binder" }

[triggers.aware]
title = "becoming aware"
question = "When?"

[[stages]]
id = "first"
title = "First word"
limits = [{ within = "4 hours", after = "trigger:aware" }]
"#;

#[track_caller]
fn check_complaint(from: &str, to: &str, expected: &str) {
    assert!(SMALL.contains(from), "{from} is in the text");
    let complaints = match Rule::read("small.toml", &SMALL.replace(from, to)) {
        Ok(rule) => rule.check().into_iter().chain(rule.check_calendar(&Calendars::default())),
        Err(error) => return assert!(error.why.contains(expected), "{}", error.why),
    };
    let all: Vec<String> = complaints.collect();
    assert!(all.iter().any(|words| words.contains(expected)), "{expected} is not in {all:?}");
}

#[test]
fn a_rule_that_cannot_work_is_named() {
    let sound = Rule::read("small.toml", SMALL).expect("it reads");
    assert_eq!(sound.check(), Vec::<String>::new());
    let table = [
        ("trigger:aware", "trigger:awake", "counts from the trigger 'awake', which is not defined"),
        ("trigger:aware", "submission:first", "which is no stage before it"),
        ("trigger:aware", "submission:second", "which is no stage before it"),
        ("trigger:aware", "aware", "is nothing to count from"),
        ("4 hours", "4 moons", "'4 moons' is no limit"),
        ("4 hours", "0 hours", "'0 hours' is no limit"),
        ("4 hours", "4 business days", "no calendar is named"),
        ("\"UTC\"", "\"UTC\"\ncalendar = \"mars\"", "there is no calendar 'mars'"),
        ("\"UTC\"", "\"Mars/Base\"", "Mars/Base"),
        ("\"UTC\"", "\"UTC\"\nwithin = \"4 hours\"", "unknown field `within`"),
        (
            "after = \"trigger:aware\"",
            "after = \"trigger:aware\", by = \"17:30\"",
            "counts no days",
        ),
        ("\"First word\"", "\"First word\"\nrepeat = \"1 month\"", "both 'repeat' and 'until'"),
        ("\"First word\"", "\"First word\"\nonly_if = \"asked\"", "names the trigger 'asked'"),
        ("\"Always.\"", "\" \"", "'applies_when' is empty"),
        (
            "[[stages]]",
            "[triggers.idle]\ntitle = \"x\"\nquestion = \"?\"\n[[stages]]",
            "starts nothing",
        ),
    ];
    for (from, to, expected) in table {
        check_complaint(from, to, expected);
    }
}

#[test]
fn anchors_and_spans_print_and_parse_to_themselves() {
    for text in ["trigger:aware", "submission:initial", "latest-submission:a,b-2"] {
        assert_eq!(text.parse::<Anchor>().map(|anchor| anchor.to_string()).as_deref(), Ok(text));
    }
    for text in ["trigger:", "trigger:A", "trigger:a,b", "later:a", "submission:-a"] {
        assert!(text.parse::<Anchor>().is_err(), "{text}");
    }
    let spans = [
        "1 hour",
        "72 hours",
        "1 day",
        "60 days",
        "4 business days",
        "1 month",
        "60 days after year end",
        "without undue delay",
        "immediately",
    ];
    for text in spans {
        assert_eq!(text.parse::<Span>().map(|span| span.to_string()).as_deref(), Ok(text));
    }
    for text in ["", "4", "-4 hours", "10001 days", "4294967296 days", "4  hours", "soon"] {
        assert!(text.parse::<Span>().is_err(), "{text}");
    }
}
