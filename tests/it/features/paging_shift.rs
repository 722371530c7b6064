//! What becomes of open incidents when those who answer for them go.

use warroom::config::plan_host;
use warroom::domain::command::Command;
use warroom::domain::duty::Desk;
use warroom::domain::lint::lint;
use warroom::domain::outlook;
use warroom::domain::plan::{Plan, Quiet};
use warroom::domain::reach::Asked;
use warroom::domain::timeline;
use warroom::domain::words::Severity;
use warroom::proto::Reply;

use crate::features::paging_world::{OPEN, plan};
use crate::world::{START, World, play};

static DESK: std::sync::LazyLock<Desk> = std::sync::LazyLock::new(Desk::default);

#[test]
fn whoever_comes_on_duty_is_wanted_for_what_nobody_answered() {
    let mut world = World::under(plan());
    let transcript = play(
        &mut world,
        r#"6d19h38m ann {"do":"open","title":"t","severity":"SEV2","services":["payments"]}
           6d19h38m clock
           6d19h38m answer bob mail accepted
           6d19h41m clock"#,
    );
    assert!(transcript.contains("primary: bob goes, dana comes"), "{transcript}");
    assert!(transcript.contains("on duty now (primary), and nobody has answered"), "{transcript}");
    let job = world.jobs.iter().rev().find(|job| job.destination.to == "dana").expect("a page");
    let words = "you are on duty now (primary), and nobody has answered INC-1";
    assert!(job.items[0].why.contains(words), "{job:?}");
    let told = play(
        &mut world,
        r#"7d ann {"do":"call-back","incident":1,"people":[],"reason":"not by hand"}"#,
    );
    assert!(told.contains("nobody is wanted by hand for INC-1 just now"), "{told}");
}

#[test]
fn what_somebody_answered_for_who_left_the_plan_is_paged_again() {
    let mut world = World::under(plan());
    play(
        &mut world,
        &format!("0m ann {OPEN}\n0m clock\n1m bob {{\"do\":\"acknowledge\",\"incident\":1}}"),
    );
    let mut without = plan();
    without.people.remove("bob");
    let (plan, note) = (Box::new(without), String::new());
    let (reply, events) =
        world.act("root", Command::AdoptPlan { plan, digest: "other".to_owned(), note });
    let said = "INC-1 pages again: bob had it and is not in the plan";
    assert!(matches!(reply, Reply::Done { note, .. } if note == said), "who adopts it is told");
    let told: Vec<String> = events
        .iter()
        .flat_map(|event| event.body.incidents().into_iter().map(|id| timeline::entry(event, id)))
        .map(|entry| entry.text)
        .collect();
    let words = "bob, who answered for it, is in the plan NO MORE; paging again";
    assert!(told.iter().any(|text| text == words), "{told:?}");
    let told = play(&mut world, "1m clock");
    assert!(
        told.contains("L1 on-call: bob, who answered for it, is in the plan no more"),
        "{told}"
    );
}

fn asked(plan: &Plan) -> Asked<'_> {
    Asked { plan, desk: &DESK, severity: Severity::Sev3, now: START }
}

#[test]
fn what_lies_ahead_is_told_as_it_will_be() {
    let mut plan = plan();
    let rungs = outlook::of_policy(asked(&plan), &plan.policies["empty"], &["void".to_owned()]);
    // The level after one that reaches nobody does not wait.
    assert_eq!(rungs.iter().map(|rung| rung.due).collect::<Vec<_>>(), [Some(START), Some(START)]);

    let quiet = Quiet {
        methods: vec!["phone".to_owned()],
        from: "13:00".parse().expect("a time"),
        until: "15:30".parse().expect("a time"),
        unless: Severity::Sev2,
    };
    plan.people.get_mut("bob").expect("bob").quiet.push(quiet);
    let rungs =
        outlook::of_policy(asked(&plan), &plan.policies["standard"], &["payments".to_owned()]);
    let bob = &rungs[0].people[0];
    assert_eq!(
        (bob.methods.len(), bob.quiet.as_slice()),
        (1, &["phone (quiet until 15:30)".to_owned()][..])
    );
}

#[test]
fn the_note_of_a_hand_over_is_on_record_and_in_what_lies_before_the_next_one() {
    let mut world = World::under(plan());
    let told = play(
        &mut world,
        &format!(
            r#"0m ann {OPEN}
               0m clock
               1m bob {{"do":"acknowledge","incident":1}}
               2m bob {{"do":"offer-handover","incident":1,"to":"dana","note":"restart node 7 first"}}"#
        ),
    );
    assert!(told.contains("until then\nrestart node 7 first\nINC-1 SEV2"), "{told}");
}

#[test]
fn whoever_is_paged_and_may_not_answer_on_this_machine_is_told_of() {
    let may = |login: &str| match login {
        "dana" => Some(true),
        // Zoe is informed only, and nobody asks her for an answer.
        "bob" | "fay" | "zoe" => Some(false),
        _ => None,
    };
    let found = plan_host::may_not_answer(&plan(), &may);
    let keys: Vec<&str> = found.iter().map(|lint| lint.key.as_str()).collect();
    assert_eq!(keys, ["people.bob", "people.fay"]);
}

#[test]
fn whoever_is_back_on_duty_because_a_cover_is_taken_back_is_wanted_at_once() {
    let mut world = World::under(plan());
    let (from, until) = (START, START.plus(3_600_000));
    let told = play(
        &mut world,
        &format!(
            r#"0m erik {{"do":"cover-shift","schedule":"primary","from":"{from}","until":"{until}","person":"erik","reason":""}}
               0m clock
               1m ann {OPEN}
               1m clock
               1m answer erik mail accepted
               2m erik {{"do":"revoke-cover","schedule":"primary","cover":1}}
               2m clock"#
        ),
    );
    assert!(told.contains("primary: bob goes, erik comes"), "{told}");
    assert!(told.contains("primary: erik goes, bob comes"), "{told}");
    assert!(told.contains("on duty now (primary), and nobody has answered"), "{told}");
    let to_bob: Vec<_> = world.jobs.iter().filter(|job| job.destination.to == "bob").collect();
    let words: Vec<&str> =
        to_bob.iter().filter_map(|job| Some(job.update.as_ref()?.0.as_str())).collect();
    let expected =
        ["On call: erik stands in on 'primary'", "On call: erik no longer stands in on 'primary'"];
    assert_eq!(words, expected, "he is told both times");
}

#[test]
fn a_new_plan_that_puts_somebody_else_on_duty_is_a_change_of_shift() {
    let mut world = World::under(plan());
    play(&mut world, &format!("0m ann {OPEN}\n0m clock\n0m answer bob mail accepted"));
    let mut other = plan();
    let rotation = &mut other.schedules.get_mut("primary").expect("it").rotations[0];
    rotation.people = vec!["erik".to_owned()];
    let (plan, note) = (Box::new(other), String::new());
    world.act("root", Command::AdoptPlan { plan, digest: "other".to_owned(), note });
    let told = play(&mut world, "1m clock");
    assert!(told.contains("primary: bob goes, erik comes"), "{told}");
    assert!(told.contains("on duty now (primary), and nobody has answered"), "{told}");
}

#[test]
fn a_cover_by_somebody_whom_the_plan_does_not_know_is_worth_a_look() {
    let mut world = World::under(plan());
    let (from, until) = (START, START.plus(3_600_000));
    let cover = format!(
        r#"0m ann {{"do":"cover-shift","schedule":"primary","from":"{from}","until":"{until}","person":"erik","reason":""}}"#
    );
    play(&mut world, &cover);
    let mut without = plan();
    without.people.remove("erik");
    let found = lint(&without, &world.engine.room.desk, world.now);
    let words = "cover 1 puts erik on duty until";
    assert!(found.iter().any(|lint| lint.what.starts_with(words)), "{found:?}");
}
