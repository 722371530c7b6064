//! The built-in calendars against days that were published, and the user's lists.
//!
//! Invariants:
//! - Every expected day is written down here, not computed.

use super::{BusinessCalendar, Calendars, easter_sunday};
use chrono::{NaiveDate, Weekday};

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

#[test]
fn easter_falls_on_its_sundays() {
    let sundays = [
        "1818-03-22",
        "1943-04-25",
        "1954-04-18",
        "1961-04-02",
        "1981-04-19",
        "2000-04-23",
        "2008-03-23",
        "2011-04-24",
        "2019-04-21",
        "2024-03-31",
        "2025-04-20",
        "2026-04-05",
        "2027-03-28",
        "2038-04-25",
        "2049-04-18",
        "2076-04-19",
    ];
    for sunday in sundays {
        let expected = day(sunday);
        let year = sunday[..4].parse().expect("a year");
        assert_eq!(easter_sunday(year), Some(expected));
    }
}

#[track_caller]
fn check_off(calendar: &str, days_off: &[&str], working: &[&str]) {
    let calendars = Calendars::default();
    for text in days_off {
        assert!(!calendars.is_business_day(calendar, day(text)), "{calendar}: {text} is off");
    }
    for text in working {
        assert!(calendars.is_business_day(calendar, day(text)), "{calendar}: {text} is worked");
    }
}

#[test]
fn target_closes_on_six_days_and_weekends() {
    check_off(
        "target2",
        &[
            "2026-01-01",
            "2026-04-03",
            "2026-04-06",
            "2026-05-01",
            "2026-12-25",
            "2026-12-26",
            "2026-06-06",
            "2026-06-07",
        ],
        &["2026-01-02", "2026-04-02", "2026-04-07", "2026-05-14", "2026-12-24", "2026-12-28"],
    );
}

#[test]
fn federal_holidays_are_off_on_the_day_they_are_observed() {
    check_off(
        "us-federal",
        &[
            "2026-01-01",
            "2026-01-19",
            "2026-02-16",
            "2026-05-25",
            "2026-06-19",
            "2026-07-03",
            "2026-09-07",
            "2026-10-12",
            "2026-11-11",
            "2026-11-26",
            "2026-12-25",
            // A Saturday is observed on Friday, also over the year's end; a Sunday on Monday.
            "2027-12-31",
            "2027-07-05",
            "2027-06-18",
            "2022-12-26",
            "2021-12-24",
        ],
        &[
            "2026-07-06",
            "2027-12-30",
            "2028-01-03",
            "2026-11-27",
            "2020-06-19",
            "2026-05-18",
            "2026-04-03",
        ],
    );
}

#[test]
fn lists_of_the_users_own_add_to_a_built_in_one() {
    let mut calendars = Calendars::default();
    let own = BusinessCalendar {
        base: Some("target2".into()),
        days: [day("2026-06-04")].into(),
        ..BusinessCalendar::default()
    };
    calendars.0.insert("bavaria".into(), own);
    let week = BusinessCalendar {
        weekend: vec![Weekday::Fri, Weekday::Sat],
        ..BusinessCalendar::default()
    };
    calendars.0.insert("dubai".into(), week);
    assert_eq!(calendars.check(), Vec::<String>::new());
    assert!(!calendars.is_business_day("bavaria", day("2026-06-04")));
    assert_eq!(calendars.nth_after("bavaria", day("2026-04-02"), 1), Some(day("2026-04-07")));
    assert_eq!(calendars.nth_after("dubai", day("2026-06-04"), 1), Some(day("2026-06-07")));
}

#[test]
fn lists_that_cannot_work_are_named() {
    let all = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri];
    let weekend = all.into_iter().chain([Weekday::Sat, Weekday::Sun]).collect();
    let mut calendars = Calendars::default();
    let never = BusinessCalendar { weekend, base: Some("mars".into()), ..Default::default() };
    calendars.0.insert("target2".into(), never);
    assert_eq!(calendars.check().len(), 3, "{:?}", calendars.check());
    assert_eq!(calendars.next_after("target2", day("2026-06-04")), None);
}
