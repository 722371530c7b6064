//! Every regime's clocks against dates worked out by hand from its text.
//!
//! A row is: rule, what is on record (`kind = time` a determination, `stage > time` something
//! sent), stage, when it is due in the zone of the rule, and the other reading if there is one.
//!
//! Invariants:
//! - The present is the last time on record, so that a row needs no other time.

use super::tests_clocks::{facts, rule};
use super::{Calendars, Rule, clocks};
use crate::domain::time::Timestamp;

fn shown(rule: &Rule, at: Option<Timestamp>) -> String {
    at.map_or_else(String::new, |at| {
        at.utc().with_timezone(&rule.zone).format("%Y-%m-%d %H:%M %Z").to_string()
    })
}

#[track_caller]
fn check(id: &str, table: &[(&str, &str, &str, &str)]) {
    let mut rule = rule(id);
    rule.enabled = true;
    for (record, stage, due, other) in table {
        let (facts, now) = facts(record);
        let all = clocks(&rule, &facts, &Calendars::default(), now);
        let clock = all.iter().find(|clock| clock.stage == *stage).expect("a stage of the rule");
        let found = (shown(&rule, clock.due), shown(&rule, clock.other_reading));
        let expected = ((*due).to_owned(), (*other).to_owned());
        assert_eq!(found, expected, "{id} {stage}: {record}\n{clock:?}");
    }
}

#[test]
fn gdpr_hours_pass_through_weekends_and_changes_of_the_clock() {
    check(
        "gdpr-controller",
        &[
            ("aware = 2026-06-04T10:20+02:00", "authority", "2026-06-07 10:20 CEST", ""),
            ("aware = 2026-03-27T10:00+01:00", "authority", "2026-03-30 11:00 CEST", ""),
            ("aware = 2026-10-23T10:00+02:00", "authority", "2026-10-26 09:00 CET", ""),
            ("aware = 2027-12-30T23:59+01:00", "authority", "2028-01-02 23:59 CET", ""),
            ("aware = 2026-06-04T10:20+02:00", "persons", "", ""),
            ("high-risk = 2026-06-04T10:20+02:00", "persons", "", ""),
        ],
    );
    check("gdpr-processor", &[("aware = 2026-06-04T10:20+02:00", "controller", "", "")]);
    check(
        "uk-gdpr",
        &[
            ("aware = 2026-10-24T09:00+01:00", "authority", "2026-10-27 08:00 GMT", ""),
            ("aware = 2026-03-28T09:00+00:00", "authority", "2026-03-31 10:00 BST", ""),
        ],
    );
}

#[test]
fn nis2_counts_the_month_from_the_notification() {
    check(
        "nis2",
        &[
            ("aware = 2027-01-28T08:00+01:00", "early-warning", "2027-01-29 08:00 CET", ""),
            ("aware = 2027-01-28T08:00+01:00", "notification", "2027-01-31 08:00 CET", ""),
            ("aware = 2027-01-28T08:00+01:00", "final", "", ""),
            (
                "aware = 2027-01-28T08:00+01:00; trust-service = 2027-01-28T09:00+01:00",
                "notification",
                "2027-01-29 08:00 CET",
                "",
            ),
            (
                "aware = 2027-01-28T08:00+01:00; notification > 2027-01-31T07:00+01:00",
                "final",
                "2027-02-28 07:00 CET",
                "2027-02-28 23:59 CET",
            ),
            // The same in a leap year, at the end of a month of 31 days, and over a new year.
            (
                "notification > 2028-01-31T07:00+01:00",
                "final",
                "2028-02-29 07:00 CET",
                "2028-02-29 23:59 CET",
            ),
            (
                "notification > 2026-08-31T07:00+02:00",
                "final",
                "2026-09-30 07:00 CEST",
                "2026-09-30 23:59 CEST",
            ),
            (
                "notification > 2026-12-15T07:00+01:00",
                "final",
                "2027-01-15 07:00 CET",
                "2027-01-15 23:59 CET",
            ),
            // A report that was sent again later does not move the month.
            (
                "notification > 2026-12-15T07:00+01:00; notification > 2026-12-20T07:00+01:00",
                "final",
                "2027-01-15 07:00 CET",
                "2027-01-15 23:59 CET",
            ),
        ],
    );
}

#[test]
fn nis2_asks_for_progress_while_the_incident_goes_on() {
    let ongoing = "notification > 2027-01-31T07:00+01:00; ongoing = 2027-02-20T07:00+01:00";
    let sent = format!("{ongoing}; progress > 2027-02-28T06:00+01:00");
    let handled = format!("{sent}; handled = 2027-03-20T18:00+01:00");
    check(
        "nis2",
        &[
            (ongoing, "progress", "2027-02-28 07:00 CET", "2027-02-28 23:59 CET"),
            (ongoing, "final", "", ""),
            // The clock has gone forward on that very day.
            (&sent, "progress", "2027-03-28 06:00 CEST", "2027-03-28 23:59 CEST"),
            (&handled, "progress", "", ""),
            (&handled, "final", "2027-04-20 18:00 CEST", "2027-04-20 23:59 CEST"),
            // It was said to go on, and was over before the final report was due.
            (
                "notification > 2026-11-02T10:00+01:00; ongoing = 2026-11-10T10:00+01:00; \
                 handled = 2026-11-20T10:00+01:00",
                "final",
                "2026-12-02 10:00 CET",
                "2026-12-02 23:59 CET",
            ),
        ],
    );
}

#[test]
fn dora_takes_the_earlier_of_two_limits_unless_it_is_classified_late() {
    let aware = "aware = 2026-06-01T08:00+02:00";
    let at = |time: &str| format!("{aware}; classified-major = {time}");
    check(
        "dora",
        &[
            (&at("2026-06-01T10:00+02:00"), "initial", "2026-06-01 14:00 CEST", ""),
            (&at("2026-06-02T06:00+02:00"), "initial", "2026-06-02 08:00 CEST", ""),
            (&at("2026-06-02T08:00+02:00"), "initial", "2026-06-02 08:00 CEST", ""),
            (&at("2026-06-02T08:01+02:00"), "initial", "2026-06-02 12:01 CEST", ""),
            (&at("2026-06-03T09:00+02:00"), "initial", "2026-06-03 13:00 CEST", ""),
            (aware, "initial", "2026-06-02 08:00 CEST", ""),
            (aware, "intermediate", "", ""),
        ],
    );
}

#[test]
fn dora_shows_noon_of_the_next_working_day_beside_the_strict_reading() {
    check(
        "dora",
        &[
            // Friday night to Saturday.
            (
                "aware = 2026-06-05T21:00+02:00; classified-major = 2026-06-05T22:00+02:00",
                "initial",
                "2026-06-06 02:00 CEST",
                "2026-06-08 12:00 CEST",
            ),
            // Maundy Thursday to Good Friday; Easter Monday is off too.
            (
                "aware = 2026-04-02T22:00+02:00; classified-major = 2026-04-02T23:00+02:00",
                "initial",
                "2026-04-03 03:00 CEST",
                "2026-04-07 12:00 CEST",
            ),
            (
                "initial > 2026-06-04T13:30+02:00",
                "intermediate",
                "2026-06-07 13:30 CEST",
                "2026-06-08 12:00 CEST",
            ),
        ],
    );
}

#[test]
fn dora_chains_each_report_to_the_one_before() {
    let first = "initial > 2026-06-01T13:30+02:00; intermediate > 2026-06-04T13:00+02:00";
    let recovered = format!("{first}; activities-recovered = 2026-06-09T10:00+02:00");
    let updated = format!("{recovered}; recovered > 2026-06-10T09:00+02:00");
    check(
        "dora",
        &[
            ("initial > 2026-06-01T13:30+02:00", "intermediate", "2026-06-04 13:30 CEST", ""),
            // A Saturday, so that the milder reading is noon on Monday.
            (first, "final", "2026-07-04 13:00 CEST", "2026-07-06 12:00 CEST"),
            (&recovered, "recovered", "", ""),
            (&recovered, "final", "2026-07-04 13:00 CEST", "2026-07-06 12:00 CEST"),
            (&updated, "final", "2026-07-10 09:00 CEST", "2026-07-10 23:59 CEST"),
            (
                "intermediate > 2027-01-29T13:00+01:00",
                "final",
                "2027-02-28 13:00 CET",
                "2027-03-01 12:00 CET",
            ),
        ],
    );
}

#[test]
fn the_sec_counts_four_business_days_after_the_determination() {
    let table = [
        ("2026-06-01T10:00-04:00", "2026-06-05 17:30 EDT"),
        // Late in the evening it is the next day in UTC, but not in New York.
        ("2026-06-01T23:30-04:00", "2026-06-05 17:30 EDT"),
        ("2026-06-06T10:00-04:00", "2026-06-11 17:30 EDT"),
        ("2026-06-07T23:59-04:00", "2026-06-11 17:30 EDT"),
        ("2026-07-02T16:00-04:00", "2026-07-09 17:30 EDT"),
        ("2026-10-29T16:00-04:00", "2026-11-04 17:30 EST"),
        ("2026-11-23T16:00-05:00", "2026-11-30 17:30 EST"),
        ("2027-12-30T16:00-05:00", "2028-01-06 17:30 EST"),
    ];
    for (determined, due) in table {
        let record =
            format!("discovered = 2026-05-01T10:00Z; materiality-determined = {determined}");
        check("sec-8k", &[(&record, "filing", due, "")]);
    }
    check(
        "sec-8k",
        &[
            ("discovered = 2026-05-01T10:00-04:00", "filing", "", ""),
            (
                "missing-information-known = 2026-06-01T10:00-04:00",
                "amendment",
                "2026-06-05 17:30 EDT",
                "",
            ),
        ],
    );
}

#[test]
fn hipaa_counts_calendar_days_and_the_small_ones_after_the_year() {
    let (first, small) =
        ("known = 2026-01-15T09:00-05:00", "; fewer-than-500 = 2026-02-01T09:00-05:00");
    let state = "; over-500-in-a-state = 2026-02-01T09:00-05:00";
    check(
        "hipaa",
        &[
            (first, "individuals", "2026-03-16 09:00 EDT", "2026-03-16 23:59 EDT"),
            (first, "hhs", "2026-03-16 09:00 EDT", "2026-03-16 23:59 EDT"),
            (
                "known = 2028-01-15T09:00-05:00",
                "hhs",
                "2028-03-15 09:00 EDT",
                "2028-03-15 23:59 EDT",
            ),
            (first, "hhs-annual", "", ""),
            (&format!("{first}{small}"), "hhs", "", ""),
            (&format!("{first}{small}"), "hhs-annual", "2027-03-01 23:59 EST", ""),
            (first, "media", "", ""),
            (&format!("{first}{state}"), "media", "2026-03-16 09:00 EDT", "2026-03-16 23:59 EDT"),
            // Found in 2027, so that the sixtieth day is a leap day; and late on New Year's Eve.
            (
                "known = 2027-05-01T09:00-04:00; fewer-than-500 = 2027-05-02T09:00-04:00",
                "hhs-annual",
                "2028-02-29 23:59 EST",
                "",
            ),
            (
                "known = 2026-12-31T23:30-05:00; fewer-than-500 = 2027-01-02T09:00-05:00",
                "hhs-annual",
                "2027-03-01 23:59 EST",
                "",
            ),
        ],
    );
    check(
        "hipaa-associate",
        &[(first, "covered-entity", "2026-03-16 09:00 EDT", "2026-03-16 23:59 EDT")],
    );
}

#[test]
fn the_cra_counts_from_the_measure_or_from_the_notification() {
    let aware = "aware = 2026-10-23T15:00+02:00";
    check(
        "cra-vulnerability",
        &[
            (aware, "early-warning", "2026-10-24 15:00 CEST", ""),
            (aware, "notification", "2026-10-26 14:00 CET", ""),
            (&format!("{aware}; notification > 2026-10-24T15:00+02:00"), "final", "", ""),
            (
                &format!("{aware}; corrective-measure-available = 2026-10-20T15:00+02:00"),
                "final",
                "2026-11-03 15:00 CET",
                "2026-11-03 23:59 CET",
            ),
            // A patch that was there before the rule, and before anybody knew, ends no clock.
            (
                &format!("corrective-measure-available = 2026-09-01T12:00+02:00; {aware}"),
                "early-warning",
                "2026-10-24 15:00 CEST",
                "",
            ),
            ("aware = 2026-09-10T23:59+02:00", "notification", "", ""),
            ("aware = 2026-09-11T00:00+02:00", "notification", "2026-09-14 00:00 CEST", ""),
        ],
    );
    check(
        "cra-incident",
        &[
            (aware, "early-warning", "2026-10-24 15:00 CEST", ""),
            (aware, "notification", "2026-10-26 14:00 CET", ""),
            (
                &format!("{aware}; notification > 2026-10-31T09:00+01:00"),
                "final",
                "2026-11-30 09:00 CET",
                "2026-11-30 23:59 CET",
            ),
        ],
    );
}

#[test]
fn clocks_of_the_united_states_and_india_in_hours() {
    check(
        "nydfs",
        &[
            ("incident-determined = 2026-03-07T12:00-05:00", "notice", "2026-03-10 13:00 EDT", ""),
            ("ransom-paid = 2026-03-07T12:00-05:00", "payment", "2026-03-08 13:00 EDT", ""),
            (
                "ransom-paid = 2026-03-07T12:00-05:00",
                "payment-reasons",
                "2026-04-06 12:00 EDT",
                "2026-04-06 23:59 EDT",
            ),
        ],
    );
    check(
        "us-banking",
        &[(
            "notification-incident-determined = 2026-10-31T20:00-04:00",
            "regulator",
            "2026-11-02 07:00 EST",
            "",
        )],
    );
    check(
        "us-bank-provider",
        &[("disruption-determined = 2026-06-01T10:00-04:00", "banks", "", "")],
    );
    check("cert-in", &[("noticed = 2026-06-01T22:00+05:30", "report", "2026-06-02 04:00 IST", "")]);
    check("pci", &[("aware = 2026-06-01T10:00Z", "brands", "", "")]);
    check(
        "circia",
        &[
            (
                "reasonably-believes = 2026-06-05T10:00-04:00",
                "incident",
                "2026-06-08 10:00 EDT",
                "",
            ),
            ("ransom-paid = 2026-06-05T10:00-04:00", "payment", "2026-06-06 10:00 EDT", ""),
        ],
    );
}
