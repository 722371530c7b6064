//! Downtime and silences, on small cases and against two years of a real status page.
//!
//! Invariants:
//! - The expected figures of the real history come with it, from another program.

use std::path::Path;

use chrono_tz::Tz;
use serde::Deserialize;

use super::tests_sample::{incident, now, time, update};
use super::{
    Impact, IncidentStatus, Interval, PublicIncident, PublicUpdate, days, gap_stats, gaps_ms,
    union_by_year, union_minutes, uptime_words,
};
use crate::domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};

const HISTORY: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/histories/github_status_2022_2023");

fn minutes(from: i64, until: i64) -> Interval {
    Interval { from: Timestamp(from * MINUTE_MS), until: Some(Timestamp(until * MINUTE_MS)) }
}

#[test]
fn a_union_counts_overlaps_once() {
    let table: &[(&[(i64, i64)], i64)] = &[
        (&[], 0),
        (&[(10, 20)], 10),
        (&[(10, 20), (15, 25)], 15),
        (&[(10, 20), (12, 14)], 10),
        (&[(30, 40), (10, 20)], 20),
        (&[(10, 20), (20, 30)], 20),
        (&[(20, 10)], 0),
        (&[(-50, 5), (95, 500)], 10),
        (&[(10, 20), (10, 20)], 10),
    ];
    for (pieces, expected) in table {
        let all: Vec<Interval> =
            pieces.iter().map(|(from, until)| minutes(*from, *until)).collect();
        let found = union_minutes(&all, Timestamp(0), Timestamp(100 * MINUTE_MS));
        assert_eq!(found, *expected, "{pieces:?}");
    }
    let open = Interval { from: Timestamp(90 * MINUTE_MS), until: None };
    assert_eq!(union_minutes(&[open], Timestamp(0), Timestamp(100 * MINUTE_MS)), 10);
}

#[test]
fn years_are_divided_at_the_midnight_of_the_zone() {
    let night =
        Interval { from: time("2026-12-31T22:30:00Z"), until: Some(time("2026-12-31T23:45:00Z")) };
    let by = |zone: Tz| union_by_year(&[night], zone, time("2027-06-01T00:00:00Z"));
    assert_eq!(by(chrono_tz::UTC), [(2026, 75)].into());
    assert_eq!(by(chrono_tz::Europe::Berlin), [(2026, 30), (2027, 45)].into());
    assert_eq!(union_by_year(&[], chrono_tz::UTC, now()), [].into());
}

#[test]
fn days_have_23_and_25_hours_and_uptime_is_rounded_down() {
    let zone = chrono_tz::Europe::Berlin;
    let noon = time("2026-10-26T11:00:00Z");
    let all = days(&[], time("2026-10-24T10:00:00Z"), zone, noon, 4);
    let known: Vec<i64> = all.iter().map(|day| day.known_ms / HOUR_MS).collect();
    assert_eq!(known, [0, 12, 25, 12]);
    let second = Interval { from: noon.plus(-1_000), until: Some(noon) };
    let words =
        |down: &[Interval]| uptime_words(&days(down, noon.plus(-90 * DAY_MS), zone, noon, 90));
    assert_eq!(words(&[]), "100 %");
    assert_eq!(words(&[second]), "99.99 %");
    assert_eq!(words(&[Interval { from: Timestamp(0), until: None }]), "0 %");
    assert_eq!(uptime_words(&days(&[], noon, zone, noon.plus(-DAY_MS), 3)), "no data");
}

#[test]
fn silence_counts_while_it_goes_on_and_not_after() {
    use IncidentStatus::{Investigating, Postmortem, Resolved};
    let at = |n: i64| now().plus(n * MINUTE_MS);
    let mut over = incident(
        "a",
        at(0),
        vec![update(at(61), Resolved, "c"), update(at(0), Investigating, "a")],
    );
    over.status = Resolved;
    over.resolved_at = Some(at(61));
    over.updates.push(update(at(900), Postmortem, "d"));
    assert_eq!(gaps_ms(&over, at(5_000)), [61 * MINUTE_MS]);
    let open = incident("b", at(0), vec![update(at(0), Investigating, "a")]);
    assert_eq!(gaps_ms(&open, at(60)), [60 * MINUTE_MS]);
    let stats = gap_stats(&[over, open], 60, at(60));
    assert_eq!((stats.gaps, stats.with_gap_over, stats.longest_minutes), (2, 1, 61));
}

/// What is read of one line of the history.
#[derive(Deserialize)]
struct Line {
    id: String,
    title: String,
    impact: Impact,
    downtime_start: Timestamp,
    downtime_end: Timestamp,
    updates: Vec<Said>,
}

#[derive(Deserialize)]
struct Said {
    at: Timestamp,
    status: String,
    message: String,
}

#[derive(Deserialize)]
struct Oracle {
    non_maintenance: usize,
    union_minutes: std::collections::BTreeMap<i32, f64>,
    gap_over_60_incidents: usize,
    update_gap_min: Figures,
    ttr_min: Figures,
}

#[derive(Deserialize)]
struct Figures {
    n: usize,
    max: f64,
    sum: f64,
}

fn published(line: Line) -> PublicIncident {
    let status = |word: &str| match word {
        "Resolved" => IncidentStatus::Resolved,
        _ => IncidentStatus::Investigating,
    };
    let said = |said: Said| PublicUpdate {
        id: said.at.to_string(),
        status: status(&said.status),
        body: said.message,
        display_at: said.at,
        created_at: said.at,
    };
    PublicIncident {
        id: line.id,
        name: line.title,
        status: IncidentStatus::Resolved,
        impact: line.impact,
        created_at: line.downtime_start,
        updated_at: line.downtime_end,
        monitoring_at: None,
        resolved_at: Some(line.downtime_end),
        components: Vec::new(),
        updates: line.updates.into_iter().map(said).collect(),
    }
}

#[test]
fn two_years_of_a_real_page_give_the_figures_that_come_with_them() {
    let path = |ending: &str| format!("{HISTORY}{ending}");
    if !Path::new(&path(".jsonl")).exists() {
        return;
    }
    let text = std::fs::read_to_string(path(".jsonl")).expect("the history");
    let lines = text.lines().map(|line| serde_json::from_str(line).expect("a line"));
    let all: Vec<PublicIncident> =
        lines.map(published).filter(|incident| incident.impact != Impact::Maintenance).collect();
    let oracle = std::fs::read_to_string(path(".oracle.json")).expect("the figures");
    let oracle: Oracle = serde_json::from_str(&oracle).expect("the figures");

    let stats = gap_stats(&all, 60, now());
    let whole = |minutes: f64| format!("{minutes:.0}");
    assert_eq!(stats.incidents, oracle.non_maintenance);
    assert_eq!(stats.gaps, oracle.update_gap_min.n);
    assert_eq!(stats.with_gap_over, oracle.gap_over_60_incidents);
    assert_eq!(stats.longest_minutes.to_string(), whole(oracle.update_gap_min.max));
    assert_eq!(stats.sum_minutes.to_string(), whole(oracle.update_gap_min.sum));
    assert_eq!(oracle.ttr_min.n, all.len());

    let downtime: Vec<Interval> = all
        .iter()
        .map(|incident| Interval { from: incident.created_at, until: incident.resolved_at })
        .collect();
    let years = union_by_year(&downtime, chrono_tz::UTC, now());
    let years: Vec<(i32, String)> = years.into_iter().map(|(y, m)| (y, m.to_string())).collect();
    let expected: Vec<(i32, String)> =
        oracle.union_minutes.iter().map(|(year, minutes)| (*year, whole(*minutes))).collect();
    assert_eq!(years, expected);
    let sum: i64 = all.iter().map(|i| i.updated_at.since(i.created_at) / MINUTE_MS).sum();
    assert_eq!(sum.to_string(), whole(oracle.ttr_min.sum));
}
