//! Taking back whom somebody wanted by hand.

use warroom::domain::ids::IncidentId;

use crate::features::paging_world::{OPEN, plan};
use crate::world::{World, play};

#[test]
fn an_escalation_by_mistake_is_called_back_and_the_chain_goes_on_as_it_would_have() {
    let mut world = World::under(plan());
    let told = play(
        &mut world,
        &format!(
            r#"0m ann {OPEN}
               0m clock
               1m ann {{"do":"call-back","incident":1,"people":[],"reason":"nobody"}}
               1m ann {{"do":"escalate","incident":1,"level":"manager","reason":"the wrong key"}}
               1m clock
               1m answer erik mail accepted
               2m ann {{"do":"call-back","incident":1,"people":[],"reason":"it was the wrong key"}}
               2m clock
               3m ann {{"do":"call-back","incident":1,"people":["erik"],"reason":"again"}}
               7m clock"#
        ),
    );
    assert!(told.contains("refused ann: nobody is wanted by hand for INC-1 just now"), "{told}");
    let words = "CALLED BACK what was wanted by hand (telling erik): it was the wrong key";
    assert!(told.contains(words), "{told}");
    assert!(told.contains("refused ann: erik is not wanted by hand for INC-1 just now"), "{told}");
    let last = &world.jobs.iter().rev().find(|job| job.destination.to == "erik").expect("a word");
    assert!(last.items[0].why.contains("ann calls you back, you are not needed"), "{last:?}");
    // Level 2 comes when it would have come, and not the level above the manager's.
    assert!(told.contains("(L2 senior: "), "{told}");
    assert!(!told.contains("(executive: "), "{told}");
}

#[test]
fn whoever_was_called_to_help_and_is_called_back_is_waited_for_no_more() {
    let mut world = World::under(plan());
    play(
        &mut world,
        &format!(
            r#"0m ann {OPEN}
               0m clock
               1m bob {{"do":"acknowledge","incident":1}}
               2m bob {{"do":"escalate","incident":1,"level":"manager","reason":"I need help"}}
               2m clock"#
        ),
    );
    let must = |world: &World| world.engine.room.incidents[&IncidentId(1)].esc.must.len();
    assert_eq!(must(&world), 1);
    let told = play(
        &mut world,
        r#"3m bob {"do":"call-back","incident":1,"people":["erik"],"reason":"found it"}"#,
    );
    assert!(!told.contains("refused"), "{told}");
    assert_eq!(must(&world), 0, "bob holds it alone again");
}

#[test]
fn the_chain_stands_after_a_call_back_as_it_stood_before_whatever_the_keeper_went_through() {
    let mut world = World::under(plan());
    play(
        &mut world,
        r#"0m ann {"do":"open","title":"t","severity":"SEV5","services":["payments"]}
           0m clock
           1m ann {"do":"escalate","incident":1,"level":"manager","reason":"the wrong key"}
           1m clock
           1m answer erik mail accepted
           2m kill
           2m clock
           3m ann {"do":"call-back","incident":1,"people":[],"reason":"it was the wrong key"}
           3m kill"#,
    );
    let esc = &world.engine.room.incidents[&IncidentId(1)].esc;
    assert_eq!((esc.next, esc.is_forced, esc.by_hand.len()), (0, false, 0));
    // Below the severity from which the policy pages, nothing climbs any more.
    let told = play(&mut world, "5h clock");
    assert!(!told.contains("paging") && !told.contains("telling zoe"), "{told}");
}

#[test]
fn a_snooze_that_was_set_after_the_escalation_stands_when_that_is_called_back() {
    let mut world = World::under(plan());
    let told = play(
        &mut world,
        &format!(
            r#"0m ann {OPEN}
               0m clock
               1m bob {{"do":"snooze","incident":1,"until":"2026-11-23T13:40:00Z","reason":"waits"}}
               2m ann {{"do":"escalate","incident":1,"level":"executive","reason":"the wrong key"}}
               2m clock
               3m bob {{"do":"snooze","incident":1,"until":"2026-11-23T14:20:00Z","reason":"longer"}}
               4m ann {{"do":"call-back","incident":1,"people":[],"reason":"it was the wrong key"}}"#
        ),
    );
    assert!(!told.contains("refused"), "{told}");
    let snooze = world.engine.room.incidents[&IncidentId(1)].esc.snooze.as_ref().expect("one");
    assert_eq!(snooze.until.clock_minutes(), "14:20");
}

#[test]
fn whom_the_policy_wants_as_well_is_not_told_that_nobody_needs_them() {
    let mut world = World::under(plan());
    let told = play(
        &mut world,
        &format!(
            r#"0m ann {OPEN}
               0m clock
               0m answer bob mail accepted
               1m ann {{"do":"escalate","incident":1,"level":"L2 senior","reason":"the wrong key"}}
               2m clock
               2m answer bob mail accepted
               2m answer dana mail accepted
               3m ann {{"do":"call-back","incident":1,"people":[],"reason":"it was the wrong key"}}"#
        ),
    );
    let words = "CALLED BACK what was wanted by hand (telling dana): it was the wrong key";
    assert!(told.contains(words), "{told}");
}

#[test]
fn a_call_back_puts_nothing_off_and_whoever_answers_for_it_is_needed_still() {
    let mut world = World::under(plan());
    let told = play(
        &mut world,
        &format!(
            r#"0m ann {OPEN}
               0m clock
               4m ann {{"do":"escalate","incident":1,"level":"manager","reason":"the wrong key"}}
               4m ann {{"do":"call-back","incident":1,"people":[],"reason":"it was"}}
               6m clock"#
        ),
    );
    assert!(told.contains("(L2 senior: no answer)"), "as if it had not been: {told}");
    let mut world = World::under(plan());
    let told = play(
        &mut world,
        &format!(
            r#"0m ann {OPEN}
               0m clock
               1m dana {{"do":"acknowledge","incident":1}}
               2m ann {{"do":"escalate","incident":1,"level":"L2 senior","reason":"the wrong key"}}
               2m clock
               2m answer bob mail accepted
               3m ann {{"do":"call-back","incident":1,"people":[],"reason":"it was"}}"#
        ),
    );
    assert!(told.contains("(telling bob)"), "and not dana, who answers for it: {told}");
}
