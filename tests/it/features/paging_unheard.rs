//! Levels that get through to nobody: what only informs and what is passed over stands in no way, and
//! maintenance does not silence what a person asked for.

use warroom::domain::audit::Auditor;
use warroom::domain::change::Change;
use warroom::domain::event::Body;
use warroom::domain::plan::Plan;
use warroom::store::Reader as _;

use crate::features::paging_quiet::{findings, incident, under, window};
use crate::features::paging_world::OPEN;
use crate::screens::Console;
use crate::world::{World, play};

/// A level: its name, whom it wants, after how many minutes, and what else is to be said of it.
fn level(name: &str, target: &str, after: u32, more: &str) -> String {
    format!(
        "[[levels]]\nname = \"{name}\"\ntargets = [\"{target}\"]\nafter_min = {after}\n{more}\n"
    )
}

const INFORMS: &str = "informs = true";
const BY_DAY: &str = "when = { hours = \"03:00-03:01\" }";

fn plan_of(levels: &[String]) -> Plan {
    let mut plan = under(&levels.concat());
    for policy in plan.policies.values_mut() {
        (policy.repeat, policy.repeat_after_min) = (2, 15);
    }
    plan
}

/// What is told once these are refused, one after the other.
fn refused(world: &mut World, minute: u32, ways: &[&str]) -> String {
    let step = |way: &&str| format!("{minute}m answer {way} refused\n{minute}m clock\n");
    play(world, &ways.iter().map(step).collect::<String>())
}

const BOB: [&str; 2] = ["bob mail", "bob phone"];

#[test]
fn behind_levels_that_fail_one_that_only_informs_is_no_end() {
    let l1 = level("L1", "person:bob", 0, "");
    let l2 = level("L2", "person:dana", 10, "");
    let told = level("executive", "person:zoe", 15, INFORMS);
    let mut world = World::under(plan_of(&[l1.clone(), told.clone()]));
    play(&mut world, &format!("0m ann {OPEN}\n0m clock"));
    let last = refused(&mut world, 0, &BOB);
    assert!(last.contains("telling zoe") || last.contains("paging zoe"), "{last}");
    assert!(last.contains("paging fay by mail"), "the fallback does not wait: {last}");
    // In the middle it holds nothing up either.
    let mut world = World::under(plan_of(&[l1.clone(), told.clone(), l2.clone()]));
    play(&mut world, &format!("0m ann {OPEN}\n0m clock"));
    let last = refused(&mut world, 0, &BOB);
    assert!(last.contains("paging dana by mail"), "{last}");
    assert!(!last.contains("fay"), "somebody is wanted: {last}");
    assert_eq!(findings(&world), [""; 0]);
    // Whoever got it is waited for, whatever is told meanwhile.
    let mut world = World::under(plan_of(&[l1, told, l2]));
    play(&mut world, &format!("0m ann {OPEN}\n0m clock\n0m answer bob mail accepted"));
    let last = play(&mut world, "15m clock\n24m clock");
    assert!(last.contains("telling zoe") && !last.contains("dana"), "{last}");
    let last = play(&mut world, "26m clock");
    assert!(last.contains("paging dana"), "{last}");
}

#[test]
fn behind_levels_that_fail_one_that_is_passed_over_is_no_end() {
    let l1 = level("L1", "person:bob", 0, "");
    let day = level("day", "person:erik", 5, BY_DAY);
    let l3 = level("L3", "person:dana", 10, "");
    let mut world = World::under(plan_of(&[l1.clone(), day.clone()]));
    play(&mut world, &format!("0m ann {OPEN}\n0m clock"));
    let last = refused(&mut world, 0, &BOB);
    assert!(last.contains("'day' skipped") && last.contains("paging fay by mail"), "{last}");
    let mut world = World::under(plan_of(&[l1, day, l3]));
    play(&mut world, &format!("0m ann {OPEN}\n0m clock"));
    let last = refused(&mut world, 0, &BOB);
    assert!(last.contains("paging dana by mail") && !last.contains("fay"), "{last}");
}

#[test]
fn telling_a_level_by_hand_passes_nobody_over() {
    let levels = [
        level("L1", "person:bob", 0, ""),
        level("L2", "person:dana", 5, ""),
        level("executive", "person:zoe", 15, INFORMS),
    ];
    let mut world = World::under(plan_of(&levels));
    play(&mut world, &format!("0m ann {OPEN}\n0m clock\n0m answer bob mail accepted"));
    let tell = r#"1m ann {"do":"escalate","incident":1,"level":"executive","reason":"the board"}"#;
    let told = play(&mut world, &format!("{tell}\n1m clock"));
    assert!(told.contains("zoe") && !told.contains("dana"), "{told}");
    assert!(play(&mut world, "5m clock").contains("paging dana"), "in its own time");
}

#[test]
fn an_escalation_by_hand_climbs_in_spite_of_maintenance() {
    let levels = [level("L1", "person:bob", 0, ""), level("L2", "person:dana", 10, "")];
    let mut world = World::under(plan_of(&levels));
    let got = "0m answer bob mail accepted";
    let begin = window(1, "payments", 60);
    play(&mut world, &format!("0m ann {OPEN}\n0m clock\n{got}\n{begin}\n1m clock"));
    assert!(incident(&world, 1).esc.pause.is_some());
    let by_hand = r#"2m ann {"do":"escalate","incident":1,"level":"L1","reason":"not the work"}"#;
    let told = play(&mut world, &format!("{by_hand}\n2m clock"));
    assert!(told.contains("pages again, though maintenance window 1 goes on"), "{told}");
    assert!(told.contains("paging bob"), "{told}");
    let last = refused(&mut world, 2, &BOB);
    assert!(last.contains("paging dana by mail"), "{last}");
    let last = refused(&mut world, 2, &["dana mail"]);
    assert!(last.contains("paging fay by mail"), "{last}");
    assert!(incident(&world, 1).esc.pause.is_none(), "nor is it held again");
    assert_eq!(findings(&world), [""; 0]);
    // Another window holds it as any other.
    let more = play(&mut world, &format!("61m clock\n{}\n62m clock", window(62, "payments", 90)));
    assert!(more.contains("maintenance window 2 began"), "{more}");
    assert!(incident(&world, 1).esc.pause.is_some());
}

#[test]
fn a_page_by_name_ends_with_everybody_in_maintenance_and_where_somebody_has_it() {
    let levels = [level("L1", "person:bob", 0, "")];
    let mut world = World::under(plan_of(&levels));
    let script = format!("0m ann {OPEN}\n0m clock\n{}\n1m clock", window(1, "payments", 60));
    play(&mut world, &script);
    let page = r#"2m ann {"do":"page","incident":1,"people":["dana"],"reason":"come"}"#;
    play(&mut world, &format!("{page}\n2m clock"));
    let last = refused(&mut world, 2, &["dana mail", "fay mail"]);
    assert!(last.contains("erik by mail") && last.contains("zoe by mail"), "{last}");
    // Bob has it and cannot be told; nor is anybody of the fallback reached.
    let mut world = World::under(plan_of(&levels));
    let got = "0m answer bob mail accepted";
    let take = r#"0m bob {"do":"acknowledge","incident":1}"#;
    play(&mut world, &format!("0m ann {OPEN}\n0m clock\n{got}\n{take}\n{page}\n2m clock"));
    let last = refused(&mut world, 2, &["dana mail", "bob mail", "bob phone", "fay mail"]);
    assert!(last.contains("erik by mail") && last.contains("zoe by mail"), "{last}");
    let later = play(&mut world, "20m clock");
    assert!(!later.contains("paging"), "once: {later}");
    assert_eq!(findings(&world), [""; 0]);
}

#[test]
fn so_many_alerts_within_so_many_minutes_are_looked_at_each_time_that_one_is_seen() {
    let when = "when = { alerts = 3, within_min = 1 }";
    let trigger = format!("[[triggers]]\nlevel = \"boss\"\n{when}\n");
    let plan = |levels: &[String]| {
        let mut plan = plan_of(levels);
        plan.default_policy = "standard".to_owned();
        plan
    };
    let three = "alerts Down/a/critical,Down/b/critical,Down/c/critical";
    // A level that was due when they were not so many any more.
    let levels = [level("L1", "person:bob", 0, ""), level("L2", "person:dana", 3, when)];
    let mut world = World::under(plan(&levels));
    let told = play(
        &mut world,
        &format!("0m {three}\n0m clock\n0m answer bob mail accepted\n3m clock\n4m clock"),
    );
    assert!(told.contains("level 'L2' skipped: 0 of 3 alerts"), "{told}");
    let told = play(&mut world, "5m alerts Down/a/critical,Down/b/critical\n5m clock\n8m clock");
    assert!(!told.contains("dana"), "two of them: {told}");
    let told = play(&mut world, &format!("9m {three}\n9m clock"));
    assert!(told.contains("paging dana by mail (L2: 3 alerts)"), "{told}");
    // A trigger on the same.
    let levels = [level("L1", "person:bob", 0, ""), level("boss", "person:erik", 60, ""), trigger];
    let mut world = World::under(plan(&levels));
    let slowly = "0m alerts Down/a/critical\n2m alerts Down/b/critical\n4m alerts Down/c/critical";
    let told = play(&mut world, &format!("{slowly}\n4m clock\n5m clock"));
    assert!(!told.contains("erik"), "{told}");
    let told = play(&mut world, &format!("9m {three}\n9m clock"));
    assert!(told.contains("paging erik by mail (trigger: 3 alerts within 1m)"), "{told}");
    let told = play(&mut world, &format!("12m {three}\n12m clock"));
    assert!(!told.contains("erik"), "once: {told}");
}

#[test]
fn the_auditor_finds_that_nobody_is_wanted_any_more() {
    let mut world = World::under(plan_of(&[level("L1", "person:bob", 0, "")]));
    play(&mut world, &format!("0m ann {OPEN}\n0m clock"));
    refused(&mut world, 0, &BOB);
    let mut auditor = Auditor::default();
    // A journal in which nothing follows the failure.
    let is_next =
        |body: &Body| matches!(body, Body::Incident { change: Change::FallbackPaged { .. }, .. });
    let mut seen = 0;
    world
        .journal
        .scan(0, &mut |raw| {
            let event = raw.decode().expect("a readable event");
            let goes_on = !is_next(&event.body);
            if goes_on {
                auditor.see(&event);
                seen = event.seq;
            }
            goes_on
        })
        .expect("a readable journal");
    assert!(seen > 0 && seen < world.engine.room.seq, "the fallback was wanted");
    assert_eq!(auditor.check(world.now.plus(60_000)), [""; 0], "another attempt may follow");
    let found = auditor.check(world.now.plus(6 * 60_000));
    assert_eq!(found, ["INC-1: every page of it failed, and nobody else is wanted"]);
}

#[test]
fn who_asks_to_come_back_later_is_shown_and_alarms_no_auditor_meanwhile() {
    let mut world = World::under(plan_of(&[
        level("L1", "person:bob", 0, ""),
        level("L2", "person:dana", 60, ""),
    ]));
    play(&mut world, &format!("0m ann {OPEN}\n0m clock"));
    world.come_back("bob", "mail", 900_000);
    play(&mut world, "0m clock\n0m answer bob phone refused");
    let mut console = Console::new(world, "ann", (120, 40));
    assert!(console.screen().contains("L1"), "{}", console.screen());
    for minute in [5, 10, 14] {
        play(&mut console.world, &format!("{minute}m clock"));
        assert_eq!(findings(&console.world), [""; 0], "it has its turn again");
    }
    play(&mut console.world, "14m kill now\n14m clock");
    assert_eq!(findings(&console.world), [""; 0]);
    let told = play(&mut console.world, "16m clock");
    assert!(told.contains("sending to bob by mail"), "{told}");
}

#[test]
fn an_escalation_by_hand_of_what_somebody_has_climbs_in_every_window_that_is_open() {
    let levels = [level("L1", "person:bob", 0, ""), level("L2", "person:dana", 10, "")];
    let mut world = World::under(plan_of(&levels));
    let script = format!(
        r#"0m ann {OPEN}
           0m clock
           0m answer bob mail accepted
           0m ann {{"do":"acknowledge","incident":1}}
           {}
           {}
           1m clock
           2m ann {{"do":"escalate","incident":1,"level":"L1","reason":"worse"}}
           2m clock"#,
        window(1, "payments", 60),
        window(1, "payments", 5)
    );
    let told = play(&mut world, &script);
    assert!(told.contains("paging bob"), "{told}");
    let last = refused(&mut world, 2, &BOB);
    assert!(last.contains("paging dana by mail"), "{last}");
    assert!(!last.contains("pages nobody"), "{last}");
    let last = play(&mut world, "3m answer dana mail accepted\n5m clock\n12m clock\n18m clock");
    assert!(!last.contains("pages nobody"), "the other window goes on: {last}");
    assert!(last.contains("paging"), "{last}");
}

#[test]
fn a_window_holds_again_what_was_escalated_by_mistake() {
    let levels = [level("L1", "person:bob", 0, ""), level("L2", "person:dana", 10, "")];
    let mut world = World::under(plan_of(&levels));
    let begin = window(0, "payments", 60);
    let open = format!("{begin}\n0m clock\n1m ann {OPEN}\n1m clock");
    let held = play(&mut world, &open);
    assert!(held.contains("pages nobody: maintenance until"), "{held}");
    let by_hand = r#"2m ann {"do":"escalate","incident":1,"level":"L2","reason":"oops"}"#;
    play(&mut world, &format!("{by_hand}\n2m clock"));
    let back = r#"3m ann {"do":"call-back","incident":1,"reason":"mistake"}"#;
    let told = play(&mut world, &format!("{back}\n3m clock\n20m clock"));
    assert!(told.contains("CALLED BACK") && !told.contains("paging"), "{told}");
    assert!(incident(&world, 1).esc.pause.is_some(), "{told}");
    let after = play(&mut world, "61m clock");
    assert!(after.contains("paging bob"), "{after}");
}
