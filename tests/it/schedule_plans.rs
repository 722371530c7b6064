//! Schedules: what holds for plans made up at random.
//!
//! Invariants:
//! - Plans with mistakes in them are made up too: nothing may depend on a check.

use chrono::{Datelike, Days, NaiveDateTime, TimeDelta};
use chrono_tz::TZ_VARIANTS;
use proptest::prelude::*;

use warroom::domain::schedule::calendar::{Entry, entries};
use warroom::domain::schedule::{
    Changes, Cover, Day, Holidays, Hours, Moment, Override, Rotation, Schedule, Stint, Swap,
    SwapState, Temporary, TimeOfDay, Turn, TurnId, instant, next_change, on_duty, shifts, turn_of,
    turn_span,
};
use warroom::domain::time::{DAY_MS, HOUR_MS, Timestamp};

use super::schedule_laws::{at, moment, rotation, schedule};

fn turns() -> impl Strategy<Value = Turn> {
    prop_oneof![
        Just(Turn::Hour),
        Just(Turn::Day),
        Just(Turn::Week),
        Just(Turn::Month),
        Just(Turn::Handovers),
    ]
}

fn some_hours() -> impl Strategy<Value = Hours> {
    let days = proptest::collection::vec(proptest::sample::select(&Day::ALL[..]), 0..9);
    (days, 0..24_u16, 0..60_u16, 0..24_u16).prop_map(|(days, hour, minute, until)| Hours {
        days,
        from: TimeOfDay::new(hour, minute).expect("a time"),
        until: TimeOfDay::new(until, 0).expect("a time"),
    })
}

prop_compose! {
    fn layers()(
        name in "[a-c]",
        minutes in 0..100_000_i64,
        every in turns(),
        times in 0..5_u16,
        together in 0..4_u8,
        people in 0..9_usize,
        lasts in proptest::option::weighted(0.3, 0..90_i64),
        hours in proptest::collection::vec(some_hours(), 0..3),
        (is_off, is_only) in (any::<bool>(), proptest::bool::weighted(0.2)),
    ) -> Rotation {
        let zero: NaiveDateTime = "2027-01-01T00:00:00".parse().expect("a local time");
        let start = zero + TimeDelta::minutes(minutes);
        let mut made = rotation(start, every);
        made.name = name;
        made.times = times;
        made.together = together;
        made.people.truncate(people);
        made.until = lasts.map(|days| start + TimeDelta::days(days));
        made.handovers = hours.iter().map(|one| Moment { day: Day::Wed, time: one.from }).collect();
        made.hours = hours;
        made.not_on = if is_off { vec!["bank".into()] } else { Vec::new() };
        made.only_on = if is_only { vec!["other".into()] } else { Vec::new() };
        made
    }
}

fn covers() -> impl Strategy<Value = Cover> {
    (0..9_u32, 0..1_500_i64, 0..200_i64, proptest::option::of("(ann|bob)")).prop_map(
        |(id, hour, hours, instead_of)| Cover {
            id,
            from: at("2027-03-01T00:00:00Z").plus(hour * HOUR_MS),
            until: at("2027-03-01T00:00:00Z").plus((hour + hours) * HOUR_MS + 1),
            person: format!("cover{id}"),
            instead_of,
            reason: String::new(),
            by: String::new(),
        },
    )
}

fn overrides() -> impl Strategy<Value = Override> {
    covers().prop_map(|cover| Override {
        from: cover.from,
        until: cover.until,
        person: cover.person,
        reason: String::new(),
        instead_of: cover.instead_of,
        asked_by: String::new(),
        approved_by: String::new(),
    })
}

fn temporaries() -> impl Strategy<Value = Temporary> {
    (covers(), proptest::collection::vec(covers(), 0..3)).prop_map(|(period, shifts)| Temporary {
        from: period.from,
        until: period.until,
        shifts: shifts
            .into_iter()
            .map(|one| Stint { from: one.from, until: one.until, person: one.person })
            .collect(),
        reason: String::new(),
    })
}

prop_compose! {
    fn schedules()(
        zone in proptest::sample::select(&TZ_VARIANTS[..]),
        rotations in proptest::collection::vec(layers(), 0..5),
        overrides in proptest::collection::vec(overrides(), 0..3),
        temporary in proptest::collection::vec(temporaries(), 0..2),
    ) -> Schedule {
        Schedule { zone, rotations, overrides, temporary }
    }
}

fn all_changes() -> impl Strategy<Value = Changes> {
    let swaps = proptest::collection::vec(swaps(), 0..4);
    (proptest::collection::vec(covers(), 0..4), swaps).prop_map(|(covers, swaps)| Changes {
        covers,
        swaps,
        ..Changes::default()
    })
}

fn holidays() -> Holidays {
    let day = |text: &str| text.parse().expect("a date");
    let other = (0..20).map(|n| day("2027-03-10") + Days::new(n)).collect();
    let bank = vec![day("2027-03-14"), day("2027-03-28")];
    [("bank".to_owned(), bank), ("other".to_owned(), other)].into()
}

fn swaps() -> impl Strategy<Value = Swap> {
    let since = proptest::option::of(0..70 * DAY_MS);
    let all = ("[a-c]", 0..40_i64, "(ann|bob)", "(cyd|dan)", since);
    all.prop_map(|(layer, turn, gives, takes, since)| Swap {
        id: 1,
        a: TurnId { layer: layer.clone(), turn },
        b: Some(TurnId { layer, turn: turn + 1 }),
        person_a: gives,
        person_b: takes,
        state: SwapState::Accepted,
        since: since.map(|ms| at("2027-02-25T00:00:00Z").plus(ms)),
    })
}

proptest! {
    #[test]
    fn the_final_schedule_agrees_with_every_instant_whatever_the_plan_says(
        plan in schedules(),
        changes in all_changes(),
        offset in 0..60 * DAY_MS,
        length in 0..9 * DAY_MS,
    ) {
        let holidays = holidays();
        let from = at("2027-03-01T00:00:00Z").plus(offset);
        let until = from.plus(length);
        let pieces = shifts(&plan, &holidays, &changes, from, until);
        let mut next = from;
        for piece in &pieces {
            prop_assert_eq!(piece.from, next);
            prop_assert!(piece.from < piece.until);
            let middle = piece.from.plus(piece.until.since(piece.from) / 2);
            for instant in [piece.from, middle, piece.until.plus(-1)] {
                prop_assert_eq!(&on_duty(&plan, &holidays, &changes, instant), &piece.people);
            }
            next = piece.until;
        }
        prop_assert_eq!(next, until);
        prop_assert!(pieces.windows(2).all(|pair| pair[0].people != pair[1].people));
        let people = |at| {
            let mut people: Vec<String> =
                on_duty(&plan, &holidays, &changes, at).into_iter().map(|d| d.person).collect();
            people.sort();
            people
        };
        match next_change(&plan, &holidays, &changes, from, until) {
            Some(change) => {
                prop_assert!(from < change && change < until);
                prop_assert_eq!(people(change.plus(-1)), people(from));
                prop_assert_ne!(people(change), people(from));
            }
            None => prop_assert!(pieces.iter().all(|piece| people(piece.from) == people(from))),
        }
    }

    #[test]
    fn an_entry_is_the_same_whatever_the_period_it_is_seen_in(
        mut plan in schedules(),
        mut changes in all_changes(),
        offset in 0..40 * DAY_MS,
        (skip, length) in (0..6 * DAY_MS, 1..9 * DAY_MS),
    ) {
        // Names and numbers tell things apart, as they do where they are given.
        for (place, layer) in plan.rotations.iter_mut().enumerate() {
            layer.name = format!("{}{place}", layer.name);
            // A turn that never ends is cut a year after the period, wherever that is.
            layer.handovers.push(moment(layer.start));
        }
        for (id, cover) in (0..).zip(&mut changes.covers) {
            cover.id = id;
        }
        let from = at("2027-03-01T00:00:00Z").plus(offset);
        let until = from.plus(15 * DAY_MS);
        let (later, earlier) = (from.plus(skip), from.plus(skip + length));
        let whole = entries(&plan, &holidays(), &changes, from, until);
        let part = entries(&plan, &holidays(), &changes, later, earlier);
        let touched: Vec<Entry> = whole
            .into_iter()
            .filter(|entry| entry.from < earlier && later < entry.until)
            .collect();
        prop_assert_eq!(part, touched);
    }

    #[test]
    fn a_layer_of_any_age_answers_at_once(
        zone in proptest::sample::select(&TZ_VARIANTS[..]),
        every in turns(),
        years in 0..400_i32,
        ms in -60_000_000_000_000_i64..200_000_000_000_000,
    ) {
        let start: NaiveDateTime = "1600-02-29T00:30:00".parse().expect("a local time");
        let start = start.with_year(1600 + years).unwrap_or(start);
        let mut made = rotation(start, every);
        made.handovers = vec![moment(start)];
        let plan = schedule(zone, made);
        let now = Timestamp(ms);
        if let Some(turn) = turn_of(&plan, "first", now) {
            let (from, until) = turn_span(&plan, &turn).expect("it lasts some time");
            prop_assert!(from <= now && now < until);
        } else {
            prop_assert!(now < instant(zone, start));
        }
    }
}
