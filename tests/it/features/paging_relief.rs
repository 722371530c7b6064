//! People come and go: gaps between shifts, chains of schedules, offers that nobody takes up, and
//! people who leave the plan. Nothing is left with somebody who went home.

use warroom::domain::command::Command;
use warroom::domain::event::Body;
use warroom::domain::ids::IncidentId;
use warroom::domain::incident::Incident;
use warroom::domain::plan::Plan;
use warroom::domain::schedule::{Override, Schedule};
use warroom::domain::words::Severity;
use warroom::proto::Reply;

use crate::features::paging_world::{OPEN, plan};
use crate::world::{START, World, play};

/// A schedule of people from one minute up to another.
fn schedule(turns: &[(i64, i64, &str)]) -> Schedule {
    let at = |minute: i64| START.plus(minute * 60_000);
    let turn = |(from, until, person): &(i64, i64, &str)| Override {
        from: at(*from),
        until: at(*until),
        person: (*person).to_owned(),
        reason: String::new(),
        instead_of: None,
        asked_by: String::new(),
        approved_by: String::new(),
    };
    let overrides = turns.iter().map(turn).collect();
    Schedule { zone: chrono_tz::UTC, rotations: Vec::new(), overrides, temporary: Vec::new() }
}

const LEVELS: &str = r#"
from_severity = "SEV3"
[[levels]]
name = "L1"
targets = ["schedule:primary"]
[[levels]]
name = "L2"
targets = ["schedule:backup"]
after_min = 60
"#;

fn plan_with(primary: &[(i64, i64, &str)], backup: &[(i64, i64, &str)], levels: &str) -> Plan {
    let mut plan = plan();
    plan.policies.insert("standard".to_owned(), toml::from_str(levels).expect("a policy"));
    plan.schedules.insert("primary".to_owned(), schedule(primary));
    plan.schedules.insert("backup".to_owned(), schedule(backup));
    plan
}

/// An incident that bob was paged for at once.
fn paged(plan: Plan) -> World {
    let mut world = World::under(plan);
    let told = play(&mut world, &format!("0m ann {OPEN}\n0m clock\n0m answer bob mail accepted"));
    assert!(told.contains("paging bob"), "{told}");
    world
}

const ACK: &str = r#"{"do":"acknowledge","incident":1}"#;

/// The same, and bob answers.
fn held(plan: Plan) -> World {
    let mut world = paged(plan);
    play(&mut world, &format!("1m bob {ACK}"));
    world
}

fn incident(world: &World, id: u32) -> &Incident {
    &world.engine.room.incidents[&IncidentId(id)]
}

fn adopt(world: &mut World, plan: Plan) -> String {
    let digest = format!("plan {}", world.engine.room.seq);
    let command = Command::AdoptPlan { plan: Box::new(plan), digest, note: String::new() };
    match world.act("root", command).0 {
        Reply::Done { note, .. } => note,
        other => panic!("{other:?}"),
    }
}

fn offered(world: &World) -> Option<&str> {
    incident(world, 1).esc.handover.as_ref().map(|offer| offer.to.as_str())
}

/// What somebody was told beside pages.
fn heard<'a>(world: &'a World, who: &str) -> Vec<&'a str> {
    let theirs = world.jobs.iter().filter(|job| job.destination.to == who);
    theirs.filter_map(|job| Some(job.update.as_ref()?.0.as_str())).collect()
}

const GAP: [(i64, i64, &str); 2] = [(0, 10, "bob"), (20, 600, "dana")];

#[test]
fn a_gap_between_two_shifts_loses_neither_the_page_nor_the_hand_over() {
    let mut world = paged(plan_with(&GAP, &[], LEVELS));
    let told = play(&mut world, "10m clock\n20m clock");
    assert!(told.contains("primary: bob goes,  comes"), "{told}");
    assert!(told.contains("on duty now (primary), and nobody has answered"), "{told}");
    assert!(incident(&world, 1).is_called("dana"), "{told}");
    let mut world = held(plan_with(&GAP, &[], LEVELS));
    let told = play(&mut world, "10m clock\n10m kill\n20m clock");
    assert!(told.contains("bob offers it to dana"), "{told}");
}

#[test]
fn who_moves_from_one_level_to_another_goes_nowhere() {
    let primary = [(0, 10, "bob"), (10, 600, "dana")];
    let backup = [(0, 10, "dana"), (10, 600, "erik")];
    let mut world = paged(plan_with(&primary, &backup, LEVELS));
    let told = play(&mut world, "10m clock");
    assert!(told.contains("backup: dana goes, erik comes"), "{told}");
    assert_eq!(incident(&world, 1).accountable(), ["bob", "dana"], "L2 is not due: {told}");
    let mut world = held(plan_with(&primary, &backup, LEVELS));
    let take = format!("2m dana {ACK}\n10m clock");
    play(&mut world, &take);
    assert_eq!(incident(&world, 1).accountable(), ["dana"]);
    assert_eq!(offered(&world), None, "she is on duty now as before");
}

#[test]
fn an_offer_that_nobody_took_up_goes_to_whoever_comes_next() {
    let turns = [(0, 10, "bob"), (10, 20, "dana"), (20, 30, "erik"), (30, 600, "bob")];
    let mut world = held(plan_with(&turns, &[], LEVELS));
    play(&mut world, "10m clock");
    assert_eq!(offered(&world), Some("dana"));
    play(&mut world, "20m clock");
    assert_eq!(offered(&world), Some("erik"));
    let told = play(&mut world, "30m clock");
    assert_eq!(offered(&world), None, "bob is on duty again, and has it");
    assert!(told.contains("the change of shift ended the offer; it stays where it is"), "{told}");
    assert_eq!(heard(&world, "bob"), ["erik does not take INC-1: you still have it"]);
    // What a person offered stands while its giver is there.
    let mut world = held(plan_with(&[(0, 600, "bob")], &[(0, 5, "dana"), (5, 600, "zoe")], LEVELS));
    play(
        &mut world,
        "2m bob {\"do\":\"offer-handover\",\"incident\":1,\"to\":\"dana\",\"note\":\"\"}\n5m clock",
    );
    assert_eq!(offered(&world), Some("dana"));
}

#[test]
fn a_newcomer_whom_nothing_reaches_is_not_passed_over_in_silence() {
    let quiet: warroom::domain::plan::Quiet = toml::from_str(
        "methods = [\"mail\"]\nfrom = \"00:00:00\"\nuntil = \"00:00:00\"\nunless = \"SEV1\"",
    )
    .expect("quiet hours");
    let turns = [(0, 10, "bob"), (10, 600, "dana")];
    let mut plan = plan_with(&turns, &[], LEVELS);
    plan.people.get_mut("dana").expect("dana").quiet.push(quiet);
    let mut world = paged(plan);
    let told = play(&mut world, "10m clock");
    assert!(told.contains("nobody is reached who is on duty now (primary)"), "{told}");
    assert!(told.contains("dana: every method is quiet"), "{told}");
    assert!(incident(&world, 1).is_called("fay"), "the fallback: {told}");
}

#[test]
fn a_schedule_of_another_name_is_a_change_of_shift_all_the_same() {
    let turns = [(0, 10, "bob"), (10, 600, "dana")];
    let renamed = || {
        let levels = LEVELS.replace("schedule:primary", "schedule:oncall");
        let mut plan = plan_with(&turns, &[], &levels);
        let moved = plan.schedules.remove("primary").expect("it");
        plan.schedules.insert("oncall".to_owned(), moved);
        plan
    };
    let mut world = paged(plan_with(&turns, &[], LEVELS));
    adopt(&mut world, renamed());
    play(&mut world, "10m clock");
    assert!(incident(&world, 1).is_called("dana"));
    let mut world = held(plan_with(&turns, &[], LEVELS));
    adopt(&mut world, renamed());
    play(&mut world, "10m clock");
    assert_eq!(offered(&world), Some("dana"));
}

#[test]
fn whoever_was_paged_and_left_the_plan_is_not_the_last_one_to_be_paged() {
    let turns = [(0, 600, "bob")];
    for mode in ["any", "all"] {
        let levels = LEVELS.replacen("[\"schedule:primary\"]", "[\"person:bob\"]", 1);
        let levels =
            levels.replacen("name = \"L1\"", &format!("name = \"L1\"\nmode = \"{mode}\""), 1);
        let mut world = paged(plan_with(&turns, &[], &levels));
        let mut without = plan_with(&[(0, 600, "dana")], &[], LEVELS);
        without.people.remove("bob");
        without.teams.clear();
        adopt(&mut world, without);
        let told = play(&mut world, "1m clock");
        assert!(told.contains("level 'L1' reached NOBODY"), "{mode}: {told}");
        assert_eq!(incident(&world, 1).accountable(), ["fay"], "{mode}");
    }
    // On a schedule it is whoever stands there now.
    let mut world = paged(plan_with(&turns, &[], LEVELS));
    let mut without = plan_with(&[(0, 600, "dana")], &[], LEVELS);
    without.people.remove("bob");
    adopt(&mut world, without);
    play(&mut world, "1m clock");
    assert_eq!(incident(&world, 1).accountable(), ["dana"]);
}

#[test]
fn a_cover_by_somebody_who_left_the_plan_is_over() {
    let mut world = World::under(plan_with(&[(0, 600, "dana")], &[], LEVELS));
    let cover = format!(
        r#"0m ann {{"do":"cover-shift","schedule":"primary","from":"{START}","until":"{}","person":"bob","reason":""}}"#,
        START.plus(36_000_000)
    );
    play(&mut world, &format!("{cover}\n0m clock\n0m ann {OPEN}\n0m clock"));
    assert_eq!(incident(&world, 1).accountable(), ["bob"]);
    let mut without = plan_with(&[(0, 600, "dana")], &[], LEVELS);
    without.people.remove("bob");
    without.teams.clear();
    adopt(&mut world, without);
    assert!(world.engine.room.desk.changes_of("primary").covers.is_empty());
    play(&mut world, "1m clock");
    assert_eq!(incident(&world, 1).accountable(), ["dana"]);
}

#[test]
fn the_code_of_somebody_who_left_the_plan_answers_for_nobody() {
    let mut world = paged(plan_with(&[(0, 600, "bob")], &[], LEVELS));
    let code = world.engine.code(IncidentId(1), 1);
    let mut without = plan_with(&[(0, 600, "dana")], &[], LEVELS);
    without.people.remove("bob");
    adopt(&mut world, without);
    let (reply, _) = world.act("ann", Command::AcknowledgeByCode { code });
    assert!(format!("{reply:?}").contains("who is in the plan no more"), "{reply:?}");
    assert!(incident(&world, 1).ack.is_none());
}

#[test]
fn a_merge_that_is_taken_back_brings_nobody_back_who_left() {
    let mut world = held(plan_with(&[(0, 600, "bob")], &[], LEVELS));
    play(
        &mut world,
        &format!("2m ann {OPEN}\n2m ann {{\"do\":\"merge\",\"incident\":1,\"into\":2}}"),
    );
    let mut without = plan_with(&[(0, 600, "dana")], &[], LEVELS);
    without.people.remove("bob");
    adopt(&mut world, without);
    let told = play(&mut world, r#"3m ann {"do":"unmerge","incident":1}"#);
    assert!(told.contains("bob, who answered for it, is in the plan NO MORE"), "{told}");
    play(&mut world, "4m clock");
    assert_eq!(incident(&world, 1).accountable(), ["dana"]);
}

#[test]
fn what_came_after_an_escalation_by_hand_is_not_undone_with_it() {
    let levels = LEVELS.replace("after_min = 60", "after_min = 120");
    let mut plan = plan_with(&[(0, 600, "bob")], &[(0, 600, "dana")], &levels);
    plan.fallback_every_min = 5;
    let mut world = paged(plan);
    let told = play(
        &mut world,
        r#"1m ann {"do":"escalate","incident":1,"level":"L2","reason":"help"}
           1m clock
           6m clock
           7m ann {"do":"call-back","incident":1,"people":["dana"],"reason":"not needed"}
           11m clock"#,
    );
    let falls = told.matches("paging fay").count();
    assert_eq!(falls, 2, "the fallback goes on: {told}");
}

#[test]
fn nobody_is_told_that_they_are_not_needed_and_paged_in_one_breath() {
    let levels = LEVELS.replace("after_min = 60", "after_min = 2");
    let mut world = paged(plan_with(&[(0, 600, "bob")], &[(0, 600, "dana")], &levels));
    let told = play(
        &mut world,
        r#"1m ann {"do":"escalate","incident":1,"level":"L2","reason":"help"}
           1m clock
           1m answer dana mail accepted
           4m ann {"do":"call-back","incident":1,"people":[],"reason":"not needed"}
           4m clock"#,
    );
    assert!(!told.contains("telling dana"), "{told}");
    assert!(told.contains("paging dana by mail (L2: no answer)"), "{told}");
    assert!(!told.contains("s late"), "the keeper was not late: {told}");
}

#[test]
fn a_helper_who_answers_ends_no_offer_of_whoever_has_it() {
    let mut world = held(plan_with(&[(0, 600, "bob")], &[], LEVELS));
    play(
        &mut world,
        r#"2m bob {"do":"offer-handover","incident":1,"to":"dana","note":""}
           2m bob {"do":"page","incident":1,"people":["erik"],"reason":"help"}
           2m clock
           3m erik {"do":"acknowledge","incident":1}"#,
    );
    assert_eq!(incident(&world, 1).accountable(), ["bob"]);
    assert_eq!(offered(&world), Some("dana"));
}

#[test]
fn a_change_of_shift_is_on_record_only_once_everything_of_it_is() {
    let mut world = World::under(plan_with(&[(0, 10, "bob"), (10, 600, "dana")], &[], LEVELS));
    for _ in 0..3 {
        play(&mut world, &format!("0m ann {OPEN}"));
    }
    play(&mut world, "0m clock");
    world.now = world.now.max(START.plus(601_000));
    let events = world.tick();
    let is_page = |body: &Body| format!("{body:?}").contains("on duty now");
    let last = events.iter().rposition(|event| is_page(&event.body)).expect("a page");
    let change = |body: &Body| matches!(body, Body::ShiftChanged { .. });
    let changed = events.iter().position(|event| change(&event.body)).expect("a change");
    assert!(last < changed, "a kill between them loses nobody's page");
}

#[test]
fn the_secondary_of_the_next_shift_hands_over_and_the_new_primary_is_paged() {
    let primary = [(0, 10, "bob"), (10, 600, "dana")];
    let backup = [(0, 10, "dana"), (10, 600, "bob")];
    let mut world = paged(plan_with(&primary, &backup, LEVELS));
    let told = play(&mut world, "10m clock");
    assert!(incident(&world, 1).is_called("dana"), "she is primary now: {told}");
    let mut world = held(plan_with(&primary, &backup, LEVELS));
    play(&mut world, "10m clock");
    assert_eq!(offered(&world), Some("dana"));
}

#[test]
fn whoever_gives_takes_or_loses_an_incident_hears_what_became_of_it() {
    let offer = |to: &str| {
        format!("bob {{\"do\":\"offer-handover\",\"incident\":1,\"to\":\"{to}\",\"note\":\"\"}}")
    };
    let refuse = r#"{"do":"refuse-handover","incident":1,"reason":"asleep"}"#;
    let said = |world: &World, who: &str| -> Vec<String> {
        let theirs = world.jobs.iter().filter(|job| job.destination.to == who);
        theirs.filter_map(|job| Some(job.update.as_ref()?.0.clone())).collect()
    };
    let mut world = held(plan_with(&[(0, 600, "bob")], &[], LEVELS));
    play(&mut world, &format!("2m {}\n2m clock\n3m dana {refuse}\n3m clock", offer("dana")));
    assert_eq!(said(&world, "bob"), ["dana does not take INC-1: you still have it"]);
    play(&mut world, &format!("4m {}\n4m {}\n4m clock", offer("dana"), offer("erik")));
    assert_eq!(said(&world, "dana"), ["INC-1 is offered to erik now, not to you"]);
    play(&mut world, &format!("5m bob {refuse}\n5m clock"));
    assert_eq!(said(&world, "erik"), ["bob keeps INC-1: you need not take it"]);
    play(&mut world, &format!("6m erik {ACK}\n7m clock"));
    assert_eq!(
        said(&world, "bob").last().map(String::as_str),
        Some("erik answers for INC-1 now, not you")
    );
}

#[test]
fn whoever_loses_many_incidents_at_once_hears_it_in_one_message() {
    let mut world = held(plan_with(&[(0, 600, "bob")], &[], LEVELS));
    let second = ACK.replace(":1}", ":2}");
    play(&mut world, &format!("1m ann {OPEN}\n1m clock\n2m bob {second}\n2m clock"));
    play(&mut world, &format!("6m erik {ACK}\n6m erik {second}\n7m clock"));
    let theirs: Vec<String> = world
        .jobs
        .iter()
        .filter(|job| job.destination.to == "bob")
        .filter_map(|job| Some(format!("{:?}", job.update.as_ref()?)))
        .collect();
    assert_eq!(theirs.len(), 1, "{theirs:?}");
    assert!(theirs[0].contains("INC-1") && theirs[0].contains("INC-2"), "{theirs:?}");
}

#[test]
fn a_snooze_by_somebody_else_takes_nothing_from_whoever_has_it() {
    let mut plan = plan_with(&[(0, 600, "bob")], &[], LEVELS);
    for policy in plan.policies.values_mut() {
        policy.ack_expires_min = [(Severity::Sev2, 60)].into();
    }
    let mut world = held(plan);
    let snooze = format!(
        r#"2m erik {{"do":"snooze","incident":1,"until":"{}","reason":"a pause"}}"#,
        START.plus(300_000)
    );
    play(
        &mut world,
        &format!("{snooze}\n3m erik {{\"do\":\"end-snooze\",\"incident\":1}}\n3m clock"),
    );
    assert_eq!(incident(&world, 1).accountable(), ["bob"]);
    assert!(incident(&world, 1).ack.is_some());
    // However long it was put off: nobody waited for bob meanwhile.
    let long = snooze
        .replacen("2m", "4m", 1)
        .replace(&START.plus(300_000).to_string(), &START.plus(6 * 3_600_000).to_string());
    let told = play(&mut world, &format!("{long}\n361m clock"));
    assert!(incident(&world, 1).esc.snooze.is_none(), "{told}");
    assert!(incident(&world, 1).ack.is_some(), "{told}");
    // From then on it grows old again.
    let told = play(&mut world, "420m clock\n425m clock");
    assert!(told.contains("NO MORE") || told.contains("expired"), "{told}");
    assert!(incident(&world, 1).ack.is_none(), "{told}");
}
