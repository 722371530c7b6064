//! Silences: alerts put aside by their labels, and what becomes of them when that ends.

use warroom::domain::ids::IncidentId;
use warroom::domain::post::Signal;
use warroom::domain::silence::{Stage, ledger};
use warroom::domain::words::AlertState;

use crate::features::paging_world;
use crate::world::{START, World, play};

fn at(minutes: i64) -> String {
    START.plus(minutes * 60_000).to_string()
}

fn silence(when: &str, until: i64) -> String {
    let until = at(until);
    format!(r#"{{"do":"silence","when":{when},"until":"{until}","reason":"disks are replaced"}}"#)
}

const DISKS: &str = r#"{"alertname":"Disk*"}"#;

fn words(world: &World) -> String {
    let all: Vec<_> = world.engine.room.desk.silences.values().cloned().collect();
    ledger(&all).into_iter().map(|s| s.words(world.now) + "\n").collect()
}

fn world() -> World {
    World::under(paging_world::plan())
}

#[test]
fn demand_19_a_silence_ends_and_the_next_page_says_so() {
    let mut world = world();
    let told = play(
        &mut world,
        &format!(
            "0m ann {}\n1m ungrouped Disk/a/critical\n2m ungrouped Disk/a/critical\n3m ungrouped Net/a/info",
            silence(DISKS, 30)
        ),
    );
    assert!(told.contains("am/Disk-a Shelved by 'silence 1'"), "why it opened nothing: {told}");
    assert_eq!(world.engine.room.alerts["am/Disk-a"].state(), AlertState::Shelved);
    assert_eq!(world.engine.room.incidents.len(), 1, "what does not match opens as ever: {told}");
    assert!(words(&world).contains("matched 2 times, last 13:22 · ann"), "{}", words(&world));
    let told = play(&mut world, "30m clock\n30m clock");
    assert!(told.contains("INC-2 system: opened as SEV3"), "it fires still: {told}");
    assert!(
        told.contains(
            "(L1 on-call: fired under silence 1 of ann (disks are replaced), which ended"
        ),
        "{told}"
    );
    assert!(words(&world).contains("ended 13:50"), "{}", words(&world));
    world.restart();
    assert!(matches!(world.engine.room.desk.silences[&1].stage, Stage::Ended { early: None, .. }));
}

#[test]
fn what_is_over_when_a_silence_ends_opens_nothing() {
    let mut world = world();
    let told = play(
        &mut world,
        &format!(
            "0m ann {}\n1m ungrouped Disk/a/critical\n9m ungrouped !Disk/a/critical\n30m clock",
            silence(DISKS, 30)
        ),
    );
    assert!(world.engine.room.incidents.is_empty(), "{told}");
    assert!(world.engine.room.alerts.is_empty(), "and nothing is left of it");
}

#[test]
fn what_fires_already_is_put_aside_and_comes_back_though_its_incident_is_over() {
    let mut world = world();
    let told = play(
        &mut world,
        &format!(
            r#"0m alerts Disk/a/critical
               1m ann {}
               2m ann {{"do":"decline","incident":1,"reason":"planned","note":"disks are replaced"}}
               3m alerts Disk/a/critical"#,
            silence(DISKS, 30)
        ),
    );
    assert!(world.engine.room.incidents.is_empty(), "{told}");
    assert!(words(&world).contains("matched 2 times"), "{}", words(&world));
    let told = play(&mut world, "30m clock\n30m clock");
    assert!(told.contains("INC-2 system: opened as SEV3"), "nobody else would say so: {told}");
    assert!(world.engine.room.incidents.contains_key(&IncidentId(2)));
}

#[test]
fn one_that_is_ended_early_or_overlaps_another_loses_nothing() {
    let mut world = world();
    play(
        &mut world,
        &format!(
            "0m ann {}\n0m bob {}\n1m ungrouped Disk/a/critical\n1m ungrouped Disk/b/critical",
            silence(DISKS, 60),
            silence(r#"{"instance":"a"}"#, 90)
        ),
    );
    let told = play(&mut world, "5m eve {\"do\":\"end-silence\",\"silence\":1}");
    assert!(told.contains("refused eve"), "who may only look ends nothing: {told}");
    let told =
        play(&mut world, "5m dana {\"do\":\"end-silence\",\"silence\":1}\n5m clock\n5m clock");
    assert!(told.contains("- am/Disk-a Shelved by 'silence 2'"), "{told}");
    assert_eq!(told.matches("opened as SEV3").count(), 1, "only the other one: {told}");
    assert!(words(&world).contains("ended 13:25 by dana"), "{}", words(&world));
    let told = play(&mut world, "6m dana {\"do\":\"end-silence\",\"silence\":1}");
    assert!(told.contains("silence 1 has ended"), "{told}");
    let told = play(&mut world, "90m clock\n90m clock");
    assert!(told.contains("INC-1 system: Disk a fires"), "it joins what is open: {told}");
}

#[test]
fn demand_20_a_ledger_that_shows_the_useless_the_broad_and_what_ends_soon() {
    let mut world = world();
    let table = [
        ("{}", 30, "would put every alert aside"),
        (r#"{"alertname":"*"}"#, 30, "would put every alert aside"),
        (r#"{"alertname":"x|*"}"#, 30, "would put every alert aside"),
        // A variable of a shell that is not set: every alert is without such a label.
        (r#"{"cluster":""}"#, 30, "would put every alert aside"),
        (r#"{"nosuch":"a|"}"#, 30, "would put every alert aside"),
        (DISKS, -1, "is no silence"),
        (DISKS, 31 * 24 * 60, "nothing is silent for ever"),
    ];
    for (when, until, words) in table {
        let told = play(&mut world, &format!("0m ann {}", silence(when, until)));
        assert!(told.contains(words), "{when} {until}: {told}");
    }
    let told = play(
        &mut world,
        &format!("0m ann {}", silence(DISKS, 9).replace("disks are replaced", " ")),
    );
    assert!(told.contains("needs a reason"), "{told}");
    play(&mut world, "0m alerts A/1/info,A/2/info,A/3/info,A/4/info,A/5/info,B/1/info");
    let later =
        silence(DISKS, 120).replace("\"until\"", &format!("\"from\":\"{}\",\"until\"", at(60)));
    play(
        &mut world,
        &format!(
            "1m ann {}\n1m ann {}\n1m ann {later}",
            silence(r#"{"alertname":"A"}"#, 20),
            silence(r#"{"alertname":"Nothing"}"#, 24 * 60)
        ),
    );
    let told = words(&world);
    assert!(told.contains("1 alertname=A · ENDS SOON, in 18m"), "{told}");
    assert!(told.contains("OVER-BROAD: 5 of 6 alerts"), "{told}");
    assert!(
        told.contains("2 alertname=Nothing") && told.contains("MATCHED NOTHING so far"),
        "{told}"
    );
    assert!(told.contains("3 alertname=Disk* · begins 14:20 · not yet"), "{told}");
    // One that begins later takes what fires by then.
    play(&mut world, "2m ungrouped Disk/a/critical\n60m clock");
    assert_eq!(world.engine.room.alerts["am/Disk-a"].state(), AlertState::Shelved);
}

#[test]
fn what_fires_under_a_silence_while_its_incident_is_open_counts_there_afterwards() {
    let mut world = world();
    let told = play(
        &mut world,
        &format!(
            r#"0m ungrouped Disk/a/critical
               1m bob {{"do":"acknowledge","incident":1}}
               2m ungrouped !Disk/a/critical
               3m ann {}
               4m ungrouped Disk/a/critical
               5m see INC-1
               30m clock
               30m clock
               31m see INC-1"#,
            silence(DISKS, 30)
        ),
    );
    assert!(told.contains("0 of 1 fire"), "put aside: {told}");
    assert!(told.contains("1 of 1 fire"), "and in the open again: {told}");
    // One that fired before it was put aside is not counted twice.
    let told = play(
        &mut world,
        &format!("40m ann {}\n60m clock\n60m clock\n61m see INC-1", silence(DISKS, 50)),
    );
    assert!(told.contains("1 of 1 fire"), "{told}");
}

#[test]
fn how_bad_it_is_and_its_group_outlive_a_silence() {
    let mut world = world();
    play(&mut world, &format!("0m ann {}", silence(DISKS, 30)));
    let mut alert = crate::world::alert("Disk", "a", "", Signal::Firing);
    alert.facts.labels.remove("severity");
    alert.severity_word = "critical".to_owned();
    world.post("am", Some("key"), vec![alert.clone()]);
    let told = play(&mut world, "30m clock\n30m clock");
    assert!(told.contains("(the sender said 'critical')"), "{told}");
    let incident = &world.engine.room.incidents[&IncidentId(1)];
    assert_eq!(incident.group.as_deref(), Some("am:key"));
    // The same where it fired before.
    let decline = r#"{"do":"decline","incident":1,"reason":"planned","note":"disks"}"#;
    play(&mut world, &format!("31m ann {}\n32m ann {decline}", silence(DISKS, 60)));
    let told = play(&mut world, "60m clock\n60m clock");
    assert!(told.contains("(the sender said 'critical')"), "{told}");
    let incident = world.engine.room.incidents.values().next_back().expect("another one");
    assert_eq!(incident.group.as_deref(), Some("am:key"));
}

#[test]
fn senders_that_have_no_label_for_the_name_are_put_aside_by_it_as_well() {
    let mut world = world();
    let mut alert = crate::world::alert("Disk full", "a", "critical", Signal::Firing);
    alert.facts.labels.remove("alertname");
    play(&mut world, &format!("0m ann {}", silence(DISKS, 30)));
    world.post("pd", None, vec![alert]);
    assert!(world.engine.room.incidents.is_empty());
}

#[test]
fn what_ends_under_a_silence_is_let_go() {
    let mut world = world();
    play(
        &mut world,
        &format!("0m ann {}\n1m ungrouped Disk/a/x\n2m ungrouped !Disk/a/x", silence(DISKS, 30)),
    );
    assert!(world.engine.room.alerts.is_empty(), "a month of pods with names of their own");
}

#[test]
fn one_alert_is_not_taken_out_of_a_silence() {
    let mut world = world();
    let unshelve = r#"{"do":"unshelve-alert","alert":"am/Disk-a"}"#;
    let told = play(
        &mut world,
        &format!("0m ann {}\n1m ungrouped Disk/a/x\n2m ann {unshelve}", silence(DISKS, 30)),
    );
    assert!(told.contains("refused ann: silence 1 puts it aside until"), "{told}");
    assert!(told.contains("warroom silence --end 1"), "{told}");
}

#[test]
fn what_flaps_is_followed_under_a_silence_and_after_its_incident() {
    let plan = paging_world::plan();
    let plan = warroom::domain::plan::Plan {
        flap_changes: 5,
        flap_window_s: 600,
        flap_hold_s: 300,
        ..plan
    };
    let mut world = World::under(plan.clone());
    let flaps = |from: i64| -> String {
        let turn = |n: i64| {
            let over = if n % 2 == 0 { "" } else { "!" };
            format!("{}m ungrouped {over}Disk/a/critical", from + n)
        };
        (0..6).map(turn).collect::<Vec<_>>().join("\n")
    };
    // Under a silence: it is said to be over, then it fires for good, once.
    let script = format!("0m ungrouped Net/b/info\n{}", flaps(1));
    play(&mut world, &script);
    assert!(world.engine.room.alerts["am/Disk-a"].flap.is_some(), "it flaps");
    play(
        &mut world,
        &format!(
            "7m ann {}\n8m ann {}\n9m ungrouped Disk/a/critical",
            silence(DISKS, 20),
            r#"{"do":"decline","incident":2,"reason":"planned","note":"disks"}"#
        ),
    );
    let mut told = String::new();
    for minute in 10..60 {
        told += &play(&mut world, &format!("{minute}m clock"));
    }
    assert!(told.contains("INC-3 system: opened"), "what settles on firing is heard: {told}");
    // Its incident is over by the time at which it settles on firing.
    let mut world = World::under(plan);
    let decline = r#"{"do":"decline","incident":1,"reason":"planned","note":"disks"}"#;
    play(&mut world, &format!("{}\n6m ungrouped Disk/a/critical\n7m ann {decline}", flaps(0)));
    let told = play(&mut world, "12m clock\n12m clock");
    assert!(told.contains("INC-2 system: opened"), "{told}");
}
