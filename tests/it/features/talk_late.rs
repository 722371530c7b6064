//! Promises whose miss reaches nobody at first, and those whom an incident concerns only later.

use warroom::domain::event::Body;
use warroom::domain::ids::IncidentId;
use warroom::domain::plan::Plan;
use warroom::domain::talk::promise;
use warroom::keeper::turn::Input;

use crate::features::talk_kept::{at, begin, plan};
use crate::world::{World, play};

fn adopt(world: &mut World, plan: Plan) {
    let (digest, note) = ("other".to_owned(), "another".to_owned());
    world.give(Input::Own(Body::PlanAdopted { plan: Box::new(plan), digest, note }));
}

/// Who must hear by when, as minutes from the start.
fn due(world: &World) -> Vec<(String, i64)> {
    let incident = &world.engine.room.incidents[&IncidentId(1)];
    let mut due: Vec<(String, i64)> = promise::all(incident, &world.engine.room.plan)
        .iter()
        .map(|it| (it.who.to_owned(), it.due.since(at(0)) / 60_000))
        .collect();
    due.sort();
    due
}

#[test]
fn a_miss_whose_word_gets_through_to_nobody_goes_on_at_once() {
    let mut world = begin();
    let told = play(
        &mut world,
        "5m clock
         5m answer dana mail refused
         5m clock
         5m clock
         5m answer bob mail refused
         5m clock
         5m answer bob phone refused
         5m clock
         5m answer fay mail refused
         5m clock
         60m clock",
    );
    let lines: Vec<&str> = told.lines().filter(|line| line.contains("NOT TOLD")).collect();
    assert_eq!(
        lines,
        [
            "INC-1 system: NOT TOLD IN TIME: customers (due 13:25), support (due 13:25); telling \
             dana",
            "INC-1 system: STILL NOT TOLD: customers (due 13:25), support (due 13:25); telling bob",
            "INC-1 system: STILL NOT TOLD: customers (due 13:25), support (due 13:25); telling fay",
        ],
        "each once, and not for ever: {told}"
    );
}

#[test]
fn a_miss_whose_word_gets_through_waits_for_its_second_step() {
    let mut world = begin();
    let told = play(&mut world, "5m clock\n5m answer dana mail accepted\n9m clock\n10m clock");
    let lines: Vec<&str> = told.lines().filter(|line| line.contains("NOT TOLD")).collect();
    assert_eq!(lines.len(), 2, "{told}");
    let told = play(&mut world, "10m answer bob mail accepted\n60m clock");
    assert!(!told.contains("NOT TOLD"), "two are enough where they got through: {told}");
}

#[test]
fn who_is_new_in_the_plan_is_to_hear_from_then_on() {
    let mut world = begin();
    let mut more = plan();
    let board = more.stakeholders["support"].clone();
    more.stakeholders.insert("board".to_owned(), board);
    play(&mut world, "30m clock");
    adopt(&mut world, more);
    let by = |name: &str, minutes: i64| (name.to_owned(), minutes);
    assert_eq!(due(&world), [by("board", 35), by("customers", 5), by("support", 5)]);
    let told = play(&mut world, "31m clock");
    assert!(!told.contains("board"), "{told}");
    // The same after a start from the journal, and where the plan is taken once more.
    world.restart();
    assert_eq!(due(&world)[0], by("board", 35));
    let same = world.engine.room.plan.clone();
    play(&mut world, "33m clock");
    adopt(&mut world, same);
    assert_eq!(due(&world)[0], by("board", 35));
    let told = play(&mut world, "36m clock");
    assert!(told.contains("NOT TOLD IN TIME: board"), "{told}");
}

#[test]
fn whom_another_service_or_label_concerns_is_to_hear_from_then_on() {
    let mut plan = plan();
    let mut bank = plan.stakeholders["support"].clone();
    bank.services = vec!["vault".to_owned()];
    let mut police = plan.stakeholders["support"].clone();
    police.incidents = vec!["security".to_owned()];
    plan.stakeholders = [("bank".to_owned(), bank), ("police".to_owned(), police)].into();
    let mut world = World::under(plan);
    play(&mut world, crate::features::talk_kept::BEGIN);
    assert_eq!(due(&world), []);
    play(
        &mut world,
        r#"30m ann {"do":"set-services","incident":1,"services":["payments","vault"]}
           40m ann {"do":"set-label","incident":1,"label":"security","value":"yes"}"#,
    );
    assert_eq!(due(&world), [("bank".to_owned(), 35), ("police".to_owned(), 45)]);
}
