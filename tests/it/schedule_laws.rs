//! Schedules: what holds in every time zone, at every change of its clock, for every kind of turn.
//!
//! Invariants:
//! - What is expected is computed here in another way than in the program: a list of wall-clock
//!   times, each looked up minute by minute.

use std::sync::LazyLock;

use chrono::{Days, Months, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Timelike};
use chrono_tz::{TZ_VARIANTS, Tz};

use warroom::domain::schedule::{
    Changes, Day, Duty, Holidays, Hours, Moment, Rotation, Schedule, Shift, Source, TimeOfDay,
    Turn, TurnId, gaps, instant, on_duty, shifts, turn_of, turn_span,
};
use warroom::domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};

/// Three people, so that a turn that is left out shows.
const PEOPLE: [&str; 3] = ["ann", "bob", "cyd"];

/// A change of a zone's clock.
#[derive(Debug, Clone, Copy)]
struct Jump {
    zone: Tz,
    at: Timestamp,
    /// What the clock shows just before, had it gone on.
    before: NaiveDateTime,
    /// What it shows from then on.
    after: NaiveDateTime,
}

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn offset_s(zone: Tz, at: Timestamp) -> i32 {
    zone.offset_from_utc_datetime(&at.utc().naive_utc()).fix().local_minus_utc()
}

fn shown(at: Timestamp, offset_s: i32) -> NaiveDateTime {
    at.utc().naive_utc() + TimeDelta::seconds(i64::from(offset_s))
}

/// Every change of a zone's clock in three years: a step of half a day, then halving.
fn jumps(zone: Tz) -> Vec<Jump> {
    let (mut time, end) = (at("2026-11-01T00:00:00Z"), at("2029-11-01T00:00:00Z"));
    let mut offset = offset_s(zone, time);
    let mut found = Vec::new();
    while time < end {
        let next = time.plus(DAY_MS / 2);
        let then = offset_s(zone, next);
        if then != offset {
            let (mut low, mut high) = (time, next);
            while high.since(low) > SECOND_MS {
                let middle = low.plus(high.since(low) / (2 * SECOND_MS) * SECOND_MS);
                if offset_s(zone, middle) == offset { low = middle } else { high = middle }
            }
            let (before, after) = (shown(high, offset), shown(high, then));
            found.push(Jump { zone, at: high, before, after });
        }
        (time, offset) = (next, then);
    }
    found
}

/// A wall-clock time as an instant: the first occurrence, or the next minute that there is.
fn looked_up(zone: Tz, local: NaiveDateTime) -> Timestamp {
    let mut probe = local;
    loop {
        if let Some(found) = zone.from_local_datetime(&probe).earliest() {
            return Timestamp(found.timestamp_millis());
        }
        probe += TimeDelta::minutes(1);
    }
}

pub(super) fn moment(local: NaiveDateTime) -> Moment {
    let hour = u16::try_from(local.hour()).expect("an hour");
    let minute = u16::try_from(local.minute()).expect("a minute");
    Moment { day: Day::of(local.date()), time: TimeOfDay::new(hour, minute).expect("a time") }
}

pub(super) fn rotation(start: NaiveDateTime, every: Turn) -> Rotation {
    Rotation {
        name: "first".into(),
        start,
        every,
        times: 1,
        people: PEOPLE.iter().map(|login| (*login).to_owned()).collect(),
        together: 1,
        until: None,
        handovers: Vec::new(),
        hours: Vec::new(),
        not_on: Vec::new(),
        only_on: Vec::new(),
    }
}

pub(super) fn schedule(zone: Tz, rotation: Rotation) -> Schedule {
    Schedule { zone, rotations: vec![rotation], overrides: Vec::new(), temporary: Vec::new() }
}

/// A layer with a hand-over when the clock shows `edge`, `back` turns after its start.
fn handing_over_at(edge: NaiveDateTime, every: Turn, back: u16) -> Option<Rotation> {
    let start = match every {
        Turn::Hour => edge - TimeDelta::hours(i64::from(back)),
        Turn::Day => edge.checked_sub_days(Days::new(u64::from(back)))?,
        Turn::Week => edge.checked_sub_days(Days::new(7 * u64::from(back)))?,
        Turn::Month => edge.checked_sub_months(Months::new(u32::from(back)))?,
        Turn::Handovers => edge - TimeDelta::hours(100 * i64::from(back)),
    };
    let mut made = rotation(start, every);
    if every == Turn::Handovers {
        let midnight = edge.date().and_time(NaiveTime::MIN);
        let later = edge + TimeDelta::minutes(20);
        made.handovers = vec![moment(edge), moment(midnight), moment(later)];
        made.handovers.sort_unstable();
        made.handovers.dedup();
    }
    Some(made)
}

/// The wall-clock times at which turns begin, up to one that is after `last`.
fn beginnings(rotation: &Rotation, last: NaiveDateTime) -> Vec<NaiveDateTime> {
    let mut found = vec![rotation.start];
    let mut local = rotation.start;
    let mut months = 0;
    while local <= last {
        match rotation.every {
            Turn::Hour => local += TimeDelta::hours(1),
            Turn::Day => local += TimeDelta::days(1),
            Turn::Week => local += TimeDelta::weeks(1),
            Turn::Month => {
                months += 1;
                local = rotation.start + Months::new(months);
            }
            Turn::Handovers => {
                let days = (0..=7).map(|ahead| local.date() + Days::new(ahead));
                let times = days.flat_map(|date| {
                    let of_day = rotation.handovers.iter();
                    let of_day = of_day.filter(move |at| at.day == Day::of(date));
                    of_day.map(move |at| date.and_time(at.time.naive()))
                });
                local = times.into_iter().find(|time| *time > local).expect("one in a week");
            }
        }
        found.push(local);
    }
    found
}

/// Which turn begins when, of the turns that last some time.
fn expected(zone: Tz, rotation: &Rotation, until: Timestamp) -> Vec<(Timestamp, i64)> {
    let last = shown(until.plus(2 * DAY_MS), 0);
    let mut found: Vec<(Timestamp, i64)> = Vec::new();
    for (turn, local) in (0..).zip(beginnings(rotation, last)) {
        let begins = looked_up(zone, local);
        match found.last_mut() {
            // The one before lasts no time.
            Some(one) if one.0 == begins => one.1 = turn,
            Some(one) => {
                assert!(one.0 < begins, "time goes on: {zone} {local}");
                found.push((begins, turn));
            }
            None => found.push((begins, turn)),
        }
    }
    found
}

fn duty(turn: i64) -> Vec<Duty> {
    let place = usize::try_from(turn).expect("not negative") % PEOPLE.len();
    vec![Duty {
        person: PEOPLE[place].into(),
        source: Source::Layer { name: "first".into() },
        turn: Some(TurnId { layer: "first".into(), turn }),
    }]
}

/// The laws of one layer around one change of the clock.
#[track_caller]
fn check_around(jump: Jump, rotation: Rotation, reach_ms: i64) {
    let (holidays, changes) = (Holidays::new(), Changes::default());
    let zone = jump.zone;
    let plan = schedule(zone, rotation);
    let rotation = &plan.rotations[0];
    let begins = looked_up(zone, rotation.start);
    let from = jump.at.plus(-reach_ms).max(begins);
    let until = jump.at.max(begins).plus(reach_ms);
    let said = || format!("{zone} {:?} from {} at {}", rotation.every, rotation.start, jump.at);
    let pieces = shifts(&plan, &holidays, &changes, from, until);
    let all = expected(zone, rotation, until);
    let first = all.partition_point(|(begins, _)| *begins <= from) - 1;
    let wanted: Vec<Shift> = all[first..]
        .iter()
        .zip(&all[first + 1..])
        .filter(|((begins, _), _)| *begins < until)
        .map(|((begins, turn), (ends, _))| Shift {
            from: (*begins).max(from),
            until: (*ends).min(until),
            people: duty(*turn),
        })
        .collect();
    assert_eq!(pieces, wanted, "{}", said());
    let is_full = pieces.first().is_some_and(|piece| piece.from == from)
        && pieces.last().is_some_and(|piece| piece.until == until)
        && pieces.windows(2).all(|pair| pair[0].until == pair[1].from);
    assert!(is_full, "neither gap nor overlap: {}", said());
    for piece in &pieces {
        let on = |at| on_duty(&plan, &holidays, &changes, at);
        assert_eq!(on(piece.from), piece.people, "{}", said());
        assert_eq!(on(piece.until.plus(-1)), piece.people, "{}", said());
        let turn = piece.people[0].turn.clone().expect("a turn");
        let (starts, ends) = turn_span(&plan, &turn).expect("it lasts some time");
        assert_eq!((starts.max(from), ends.min(until)), (piece.from, piece.until), "{}", said());
        assert_eq!(turn_of(&plan, "first", piece.from), Some(turn), "{}", said());
    }
    if from == begins {
        assert!(on_duty(&plan, &holidays, &changes, begins.plus(-1)).is_empty(), "{}", said());
    }
}

/// Every change of every clock, found once.
static JUMPS: LazyLock<Vec<Jump>> =
    LazyLock::new(|| TZ_VARIANTS.into_iter().flat_map(jumps).collect());

fn check_everywhere(every: Turn, reach_ms: i64) {
    let mut cases = 0;
    for jump in JUMPS.iter().copied() {
        // What the clock skips, or shows twice.
        let (low, high) = (jump.before.min(jump.after), jump.before.max(jump.after));
        let inside = low + (high - low) / 2;
        let midnight = inside.date().and_time(NaiveTime::MIN);
        for (edge, back) in [(inside, 2), (inside, 0), (midnight, 2), (low, 1), (high, 1)] {
            if let Some(rotation) = handing_over_at(edge, every, back) {
                check_around(jump, rotation, reach_ms);
                cases += 1;
            }
        }
    }
    assert!(cases > 2_000, "{cases}: the clock changes in many zones");
}

#[test]
fn hourly_turns_cover_every_change_of_every_clock() {
    check_everywhere(Turn::Hour, 3 * HOUR_MS + 7 * MINUTE_MS);
}

#[test]
fn daily_turns_cover_every_change_of_every_clock() {
    check_everywhere(Turn::Day, 26 * HOUR_MS);
}

#[test]
fn weekly_turns_cover_every_change_of_every_clock() {
    check_everywhere(Turn::Week, 8 * DAY_MS);
}

#[test]
fn monthly_turns_cover_every_change_of_every_clock() {
    check_everywhere(Turn::Month, 40 * DAY_MS);
}

#[test]
fn listed_hand_overs_cover_every_change_of_every_clock() {
    check_everywhere(Turn::Handovers, 26 * HOUR_MS);
}

#[test]
fn every_zone_has_somebody_all_the_time_whether_its_clock_changes_or_not() {
    let start: NaiveDateTime = "2026-10-31T23:59:00".parse().expect("a local time");
    let (from, until) = (at("2026-11-02T12:00:00Z"), at("2029-11-01T00:00:00Z"));
    for zone in TZ_VARIANTS {
        let plan = schedule(zone, rotation(start, Turn::Week));
        let holes = gaps(&plan, &Holidays::new(), &Changes::default(), from, until);
        assert!(holes.is_empty(), "{zone}: {holes:?}");
    }
}

/// Two layers that share the day and change over where the clock jumps.
#[test]
fn hours_that_meet_leave_nothing_open_and_nothing_double_at_any_change() {
    for jump in JUMPS.iter() {
        let edge = moment(jump.before.min(jump.after) + (jump.after - jump.before).abs() / 2).time;
        let noon = TimeOfDay::new(12, 1).expect("a time");
        let halves = [(edge, noon), (noon, edge)].map(|(from, until)| {
            let mut half = rotation(jump.before - TimeDelta::days(9), Turn::Week);
            half.hours = vec![Hours { days: Day::ALL.to_vec(), from, until }];
            schedule(jump.zone, half)
        });
        let (from, until) = (jump.at.plus(-2 * DAY_MS), jump.at.plus(2 * DAY_MS));
        let [one, other] =
            halves.map(|half| gaps(&half, &Holidays::new(), &Changes::default(), from, until));
        let mut off = [one, other].concat();
        off.sort_unstable();
        assert!(off.windows(2).all(|pair| pair[0].1 == pair[1].0), "{jump:?}: {off:?}");
        let ends = (off.first().map(|first| first.0), off.last().map(|last| last.1));
        assert_eq!(ends, (Some(from), Some(until)), "{jump:?}");
    }
}

#[test]
fn wall_clock_times_never_go_back_where_the_clock_does() {
    for jump in JUMPS.iter() {
        let low = jump.before.min(jump.after) - TimeDelta::minutes(90);
        let mut last = instant(jump.zone, low);
        for ahead in 1..=20 {
            let local = low + TimeDelta::minutes(15 * ahead);
            let next = instant(jump.zone, local);
            assert_eq!(next, looked_up(jump.zone, local), "{} {local}", jump.zone);
            assert!(last <= next, "{} {local}", jump.zone);
            last = next;
        }
    }
}
