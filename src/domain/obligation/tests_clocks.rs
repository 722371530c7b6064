//! How clocks start, warn, run out, are met and are put aside.
//!
//! Invariants:
//! - Only the times on record and the present are given; nothing waits.

use proptest::prelude::{Strategy, any, prop_assert, proptest};

use super::{Calendars, Clock, Determination, Facts, NotApplicable, Rule, State, Submission};
use super::{clocks, next_event, shipped};
use crate::domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};

/// A shipped rule.
#[track_caller]
pub(super) fn rule(id: &str) -> Rule {
    let all = shipped().expect("the shipped rules read");
    all.into_iter().find(|rule| rule.id == id).expect("a shipped rule")
}

/// Reads `kind = time` and `stage > time`, divided by semicolons, and the last time in them. The
/// seconds of a time may be left out.
#[track_caller]
pub(super) fn facts(record: &str) -> (Facts, Timestamp) {
    let (mut facts, mut last) = (Facts::default(), Timestamp(0));
    for line in record.split(';').map(str::trim).filter(|line| !line.is_empty()) {
        let (name, sign, text) = match line.split_once(" = ") {
            Some((name, text)) => (name.to_owned(), '=', text),
            None => line.split_once(" > ").map(|(n, t)| (n.to_owned(), '>', t)).expect("a line"),
        };
        let at = time(text);
        last = last.max(at);
        if sign == '=' {
            facts.triggers.insert(name, determined(at, at));
        } else {
            let sent = Submission {
                at,
                by: "ann".into(),
                reference: "A-1".into(),
                sha256: None,
                why: String::new(),
            };
            facts.submissions.entry(name).or_default().push(sent);
        }
    }
    (facts, last)
}

fn determined(at: Timestamp, entered_at: Timestamp) -> Determination {
    Determination { at, entered_at, by: "ann".into(), evidence: "mail of the day".into() }
}

#[track_caller]
fn time(text: &str) -> Timestamp {
    let (head, tail) = text.split_at(16);
    format!("{head}:00{tail}").parse().expect("a time")
}

#[track_caller]
fn clock_at(rule: &Rule, facts: &Facts, stage: &str, now: Timestamp) -> Clock {
    let all = clocks(rule, facts, &Calendars::default(), now);
    all.into_iter().find(|clock| clock.stage == stage).expect("a stage of the rule")
}

fn running(warned: u8) -> State {
    State::Running { warned }
}

#[test]
fn a_clock_warns_at_its_marks_and_then_is_missed() {
    let rule = rule("gdpr-controller");
    let (facts, aware) = facts("aware = 2026-06-01T00:00Z");
    let hour = |n: i64| aware.plus(n * HOUR_MS);
    let mut at = aware;
    let mut seen = vec![(0, clock_at(&rule, &facts, "authority", at).state)];
    while let Some(next) = next_event(&rule, &facts, &Calendars::default(), at) {
        at = next;
        let state = clock_at(&rule, &facts, "authority", at).state;
        seen.push((at.since(aware) / MINUTE_MS, state));
    }
    let expected = vec![
        (0, running(0)),
        (36 * 60, running(50)),
        (54 * 60, running(75)),
        (64 * 60 + 48, running(90)),
        (72 * 60, State::Missed),
    ];
    assert_eq!(seen, expected);
    assert_eq!(clock_at(&rule, &facts, "authority", hour(71)).state, running(90));
    assert_eq!(clock_at(&rule, &facts, "authority", hour(700)).state, State::Missed);
}

#[test]
fn between_two_readings_it_is_neither_missed_nor_late() {
    let rule = rule("hipaa-associate");
    let (mut facts, known) = facts("known = 2026-01-15T14:00Z");
    let due = clock_at(&rule, &facts, "covered-entity", known).due.expect("a deadline");
    let state = |facts: &Facts, at| clock_at(&rule, facts, "covered-entity", at).state;
    assert_eq!(state(&facts, due.plus(-1)), running(90));
    assert_eq!(state(&facts, due), running(100));
    assert_eq!(state(&facts, due.plus(DAY_MS)), State::Missed);
    let mut send = |at: Timestamp| {
        let sent = Submission {
            at,
            by: "ann".into(),
            reference: "A-1".into(),
            sha256: None,
            why: String::new(),
        };
        facts.submissions.insert("covered-entity".into(), vec![sent]);
        state(&facts, at)
    };
    let hour_later = due.plus(HOUR_MS);
    assert_eq!(send(hour_later), State::Met { at: hour_later, late: false });
    let day_later = due.plus(DAY_MS);
    assert_eq!(send(day_later), State::Met { at: day_later, late: true });
}

#[test]
fn awareness_counts_from_when_it_was_and_not_from_when_it_was_entered() {
    let rule = rule("gdpr-controller");
    let aware = time("2026-06-01T08:00Z");
    let mut facts = Facts::default();
    facts.triggers.insert("aware".into(), determined(aware, aware.plus(50 * HOUR_MS)));
    let clock = clock_at(&rule, &facts, "authority", aware.plus(50 * HOUR_MS));
    assert_eq!(clock.state, running(50));
    assert_eq!(
        clock.why_due,
        "72 hours after becoming aware of the personal data breach at 2026-06-01 10:00 CEST \
         (entered 2d02h later)"
    );
    let late = clock_at(&rule, &facts, "authority", aware.plus(80 * HOUR_MS));
    assert_eq!(late.state, State::Missed, "entered after it ran out");
}

#[test]
fn what_has_not_begun_says_what_it_waits_for() {
    let rule = rule("dora");
    let (facts, now) = facts("aware = 2026-06-01T08:00+02:00");
    let first = clock_at(&rule, &facts, "initial", now);
    assert_eq!(first.state, running(0));
    assert_eq!(
        first.why_due,
        "24 hours after becoming aware of the incident at 2026-06-01 08:00 CEST, unless it runs \
         out before classifying the incident as major"
    );
    let waits = |stage: &str, at| {
        let State::Waiting { for_what } = clock_at(&rule, &facts, stage, at).state else {
            return String::from("it does not wait");
        };
        for_what
    };
    assert_eq!(waits("intermediate", now), "sending 'Initial notification'");
    // A day later nobody has classified it: the limit from awareness no longer counts.
    let next_day = now.plus(DAY_MS);
    assert_eq!(
        waits("initial", next_day),
        "somebody to determine: classifying the incident as major"
    );
    assert_eq!(next_event(&rule, &facts, &Calendars::default(), next_day), None);
}

#[test]
fn two_limits_are_both_told() {
    let rule = rule("dora");
    let record = "aware = 2026-06-05T21:00+02:00; classified-major = 2026-06-05T22:00+02:00";
    let (facts, now) = facts(record);
    assert_eq!(
        clock_at(&rule, &facts, "initial", now).why_due,
        "the earliest of: 4 hours after classifying the incident as major at 2026-06-05 22:00 \
         CEST; and 24 hours after becoming aware of the incident at 2026-06-05 21:00 CEST; by the \
         other reading 2026-06-08 12:00 CEST"
    );
}

#[test]
fn a_decision_that_it_does_not_apply_is_kept_and_told() {
    let rule = rule("dora");
    let (mut facts, now) = facts("aware = 2026-06-01T08:00+02:00");
    let decided = NotApplicable { why: "below every threshold".into(), by: "lea".into(), at: now };
    facts.not_applicable.insert("initial".into(), decided);
    let why = "below every threshold (lea)".to_owned();
    assert_eq!(clock_at(&rule, &facts, "initial", now).state, State::NotApplicable { why });
    let next = clock_at(&rule, &facts, "intermediate", now).state;
    let is_told = matches!(&next, State::Waiting { for_what }
        if for_what.ends_with("decided not to apply; decide this one too"));
    assert!(is_told, "{next:?}");
}

#[test]
fn a_determination_can_put_a_stage_aside() {
    let table = [
        ("hipaa", "known = 2026-06-01T08:00Z; fewer-than-500 = 2026-06-02T08:00Z", "hhs"),
        ("sec-8k", "discovered = 2026-06-01T08:00Z; not-material = 2026-06-02T08:00Z", "filing"),
        (
            "sec-8k",
            "discovered = 2026-06-01T08:00Z; not-material = 2026-06-02T08:00Z",
            "materiality",
        ),
        (
            "gdpr-controller",
            "aware = 2026-06-01T08:00Z; risk-unlikely = 2026-06-02T08:00Z",
            "authority",
        ),
        ("nis2", "aware = 2026-06-01T08:00Z; handled = 2026-06-02T08:00Z", "progress"),
        ("cra-incident", "aware = 2026-09-10T08:00Z", "final"),
    ];
    for (id, record, stage) in table {
        let (facts, now) = facts(record);
        let state = clock_at(&rule(id), &facts, stage, now).state;
        assert!(matches!(state, State::NotApplicable { .. }), "{id} {stage}: {state:?}");
    }
}

#[test]
fn what_has_no_number_is_reminded_of() {
    let (card, now) = facts("aware = 2026-06-01T08:00Z");
    let pci = clock_at(&rule("pci"), &card, "brands", now.plus(90 * MINUTE_MS));
    assert_eq!((pci.due, pci.state), (None, running(0)));
    assert_eq!(pci.next_warning, Some(now.plus(2 * HOUR_MS)));
    let (risk, now) = facts("high-risk = 2026-06-01T08:00Z");
    let persons = clock_at(&rule("gdpr-controller"), &risk, "persons", now);
    assert_eq!(persons.next_warning, Some(now.plus(DAY_MS)));
}

#[test]
fn a_submission_needs_a_proof() {
    let sent = |reference: &str, hash: Option<&str>| Submission {
        at: Timestamp(0),
        by: "ann".into(),
        reference: reference.into(),
        sha256: hash.map(str::to_owned),
        why: String::new(),
    };
    let hash = "0f".repeat(32);
    assert_eq!(sent("BSI-2026-7", None).check(), None);
    assert_eq!(sent("", Some(&hash)).check(), None);
    assert!(sent(" ", None).check().is_some());
    assert!(sent("BSI-2026-7", Some("0f")).check().is_some());
}

#[test]
fn a_disabled_rule_has_no_clocks() {
    let (facts, now) = facts("reasonably-believes = 2026-06-01T08:00Z");
    assert_eq!(clocks(&rule("circia"), &facts, &Calendars::default(), now), Vec::<Clock>::new());
}

#[test]
fn several_determinations_of_one_incident_keep_their_own_clocks() {
    let (facts, now) = facts("aware = 2027-01-28T08:00Z; requested = 2027-01-29T08:00Z");
    let open = clocks(&rule("nis2"), &facts, &Calendars::default(), now);
    let running: Vec<&str> = open
        .iter()
        .filter(|clock| matches!(clock.state, State::Running { .. } | State::Missed))
        .map(|clock| clock.stage.as_str())
        .collect();
    assert_eq!(running, ["early-warning", "notification", "intermediate"]);
}

/// Any facts that a rule could be given, also absurd ones.
fn any_facts(rule: &Rule) -> impl Strategy<Value = Facts> + use<> {
    let kinds: Vec<String> = rule.triggers.keys().cloned().collect();
    let stages: Vec<String> = rule.stages.iter().map(|stage| stage.id.clone()).collect();
    let instant = || proptest::prop_oneof![1_700_000_000_000..2_000_000_000_000_i64, any::<i64>()];
    let triggers = proptest::collection::vec(proptest::option::of(instant()), kinds.len());
    let sent = proptest::collection::vec(proptest::collection::vec(instant(), 0..3), stages.len());
    (triggers, sent).prop_map(move |(triggers, sent)| {
        let mut facts = Facts::default();
        for (kind, at) in kinds.iter().zip(triggers) {
            if let Some(at) = at.map(Timestamp) {
                facts.triggers.insert(kind.clone(), determined(at, at));
            }
        }
        for (stage, times) in stages.iter().zip(sent) {
            let of = |at: i64| Submission {
                at: Timestamp(at),
                by: String::new(),
                reference: String::new(),
                sha256: None,
                why: String::new(),
            };
            facts.submissions.insert(stage.clone(), times.into_iter().map(of).collect());
        }
        facts
    })
}

proptest! {
    #[test]
    fn no_fact_breaks_a_clock(
        (index, facts, now) in (0..super::SHIPPED.len()).prop_flat_map(|index| {
            let rule = &shipped().expect("the shipped rules read")[index];
            let now = 1_600_000_000_000..2_100_000_000_000_i64;
            (proptest::strategy::Just(index), any_facts(rule), now)
        })
    ) {
        let rule = &shipped().expect("the shipped rules read")[index];
        let now = Timestamp(now);
        let all = clocks(rule, &facts, &Calendars::default(), now);
        prop_assert!(!rule.enabled || all.len() == rule.stages.len());
        for clock in all {
            prop_assert!(clock.next_warning.is_none_or(|next| next > now), "{clock:?}");
            if let (Some(due), Some(other)) = (clock.due, clock.other_reading) {
                prop_assert!(due < other, "{clock:?}");
            }
            if matches!(clock.state, State::Running { .. }) {
                prop_assert!(clock.next_warning.is_some(), "never silent: {clock:?}");
            }
        }
    }
}

#[test]
fn what_comes_after_the_last_day_of_a_short_month_is_late_by_every_reading() {
    let nis2 = rule("nis2");
    let report = |sent: &str| {
        let record = format!("notification > 2026-01-31T10:00+01:00; final > {sent}");
        let (facts, last) = facts(&record);
        clock_at(&nis2, &facts, "final", last)
    };
    let in_time = report("2026-02-28T20:00+01:00");
    assert!(matches!(in_time.state, State::Met { late: false, .. }), "{in_time:?}");
    let after = report("2026-03-02T10:00+01:00");
    assert!(matches!(after.state, State::Met { late: true, .. }), "{after:?}");
    let shown = after.other_reading.expect("the other reading is shown").utc().to_rfc3339();
    assert!(shown.starts_with("2026-02-28T22:59"), "as the verdict: {shown}");
}
