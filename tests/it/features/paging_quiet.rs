//! What must not leave silence: maintenance beside other services, levels that nobody stands on or
//! that do not hold, a fallback and pages by name that get through to nobody, limits.

use warroom::domain::audit::Auditor;
use warroom::domain::command::Command;
use warroom::domain::ids::IncidentId;
use warroom::domain::incident::Incident;
use warroom::domain::plan::{Plan, Policy};
use warroom::domain::post::{Incoming, Signal};

use warroom::store::Reader;

use crate::features::paging_world::{OPEN, plan};
use crate::world::{START, World, alert, play};

pub fn under(levels: &str) -> Plan {
    let mut plan = plan();
    let policy: Policy = toml::from_str(levels).expect("a policy");
    plan.policies.insert("standard".to_owned(), policy);
    plan
}

pub fn incident(world: &World, id: u32) -> &Incident {
    &world.engine.room.incidents[&IncidentId(id)]
}

/// Maintenance of a service from one minute up to another.
pub fn window(minute: i64, service: &str, until: i64) -> String {
    let at = |minute: i64| START.plus(minute * 60_000);
    format!(
        r#"{minute}m erik {{"do":"plan-window","services":["{service}"],"from":"{}","until":"{}","reason":"disks"}}"#,
        at(minute),
        at(until)
    )
}

/// An alert of a service.
fn of(service: &str, instance: &str) -> Incoming {
    let mut alert = alert("Down", instance, "critical", Signal::Firing);
    alert.facts.labels.insert("service".to_owned(), service.to_owned());
    alert
}

/// What the auditor finds by now.
pub fn findings(world: &World) -> Vec<String> {
    let mut auditor = Auditor::default();
    let reader = world.journal.clone();
    reader
        .scan(0, &mut |raw| {
            auditor.see(&raw.decode().expect("a readable event"));
            true
        })
        .expect("a readable journal");
    let mut findings = auditor.check(world.now);
    // No channel answers here.
    findings.retain(|finding| !finding.ends_with("never ended"));
    findings
}

#[test]
fn an_alert_of_another_service_ends_the_pause_of_its_incident() {
    let mut world = World::under(plan());
    play(&mut world, &format!("{}\n0m clock", window(0, "payments", 600)));
    world.post("am", Some("g"), vec![of("payments", "a")]);
    play(&mut world, "1m clock");
    assert!(incident(&world, 1).esc.pause.is_some());
    world.post("am", Some("g"), vec![of("vault", "b")]);
    assert_eq!(incident(&world, 1).services, ["payments", "vault"]);
    let told = play(&mut world, "1m clock");
    assert!(told.contains("paging bob"), "{told}");
}

#[test]
fn a_merge_into_what_maintenance_silences_goes_on_paging() {
    let mut world = World::under(plan());
    let told = play(
        &mut world,
        &format!(
            r#"{}
               0m clock
               1m ann {OPEN}
               1m clock
               2m ann {{"do":"open","title":"other","severity":"SEV2","services":["vault"]}}
               2m clock
               3m ann {{"do":"merge","incident":2,"into":1}}
               3m clock"#,
            window(0, "payments", 600)
        ),
    );
    assert_eq!(incident(&world, 1).services, ["payments", "vault"]);
    assert!(told.contains("INC-1 system: paging bob"), "{told}");
}

#[test]
fn maintenance_holds_what_is_answered_in_part_and_triggers_and_gives_both_back() {
    let levels = r#"
        [[levels]]
        name = "both"
        targets = ["person:bob", "person:dana"]
        mode = "all"
        [[levels]]
        name = "boss"
        targets = ["person:erik"]
        after_min = 5
        [[triggers]]
        level = "boss"
        when = { severity = "SEV1" }"#;
    let mut world = World::under(under(levels));
    play(
        &mut world,
        &format!("0m ann {OPEN}\n0m clock\n1m bob {{\"do\":\"acknowledge\",\"incident\":1}}"),
    );
    assert!(!incident(&world, 1).is_answered());
    let told =
        play(&mut world, &format!("{}\n2m clock\n6m clock\n9m clock", window(2, "payments", 10)));
    assert!(incident(&world, 1).esc.pause.is_some() && !told.contains("paging"), "{told}");
    let raise = r#"9m ann {"do":"set-severity","incident":1,"severity":"SEV1","reason":""}"#;
    let told = play(&mut world, &format!("{raise}\n9m clock"));
    assert!(!told.contains("paging"), "not in the window: {told}");
    let told = play(&mut world, "10m clock\n16m clock");
    assert!(told.contains("paging erik by mail (trigger: SEV1 or worse"), "{told}");
    assert!(told.contains("dana"), "whose answer is missing is asked again: {told}");
    assert_eq!(findings(&world), [""; 0]);
}

#[test]
fn whom_a_trigger_reached_during_a_snooze_is_waited_for_and_the_level_above_follows() {
    let levels = r#"
        [[levels]]
        name = "L1"
        targets = ["person:bob"]
        [[levels]]
        name = "boss"
        targets = ["person:erik"]
        after_min = 5
        [[levels]]
        name = "above"
        targets = ["person:zoe"]
        after_min = 5
        [[triggers]]
        level = "boss"
        when = { severity = "SEV1" }"#;
    let mut world = World::under(under(levels));
    let snooze = format!(
        r#"2m bob {{"do":"snooze","incident":1,"until":"{}","reason":"later"}}"#,
        START.plus(3_600_000)
    );
    let told = play(
        &mut world,
        &format!(
            r#"0m ann {OPEN}
               0m clock
               1m bob {{"do":"acknowledge","incident":1}}
               {snooze}
               3m ann {{"do":"set-severity","incident":1,"severity":"SEV1","reason":""}}
               3m clock
               9m clock"#
        ),
    );
    assert!(told.contains("paging erik by mail (trigger"), "{told}");
    assert!(told.contains("paging zoe by mail (above"), "{told}");
    assert!(incident(&world, 1).esc.snooze.is_some(), "what was put aside is put aside still");
    // The auditor knows that a snooze stands.
    let told = play(&mut world, "59m clock");
    assert_eq!(findings(&world), [""; 0], "{told}");
}

#[test]
fn where_no_level_of_a_round_holds_nobody_waits_for_the_fallback() {
    let levels = r#"
        repeat = 1
        repeat_after_min = 20
        [[levels]]
        name = "day"
        targets = ["person:bob"]
        when = { hours = "03:00-03:01" }
        [[levels]]
        name = "dawn"
        targets = ["person:dana"]
        when = { hours = "03:01-03:02" }
        after_min = 10"#;
    let mut world = World::under(under(levels));
    let told = play(&mut world, &format!("0m ann {OPEN}\n0m clock"));
    assert!(told.contains("level 'dawn' skipped") && told.contains("FALLBACK"), "{told}");
    let told = play(&mut world, "1m clock\n19m clock");
    assert!(!told.contains("paging") && !told.contains("FALLBACK"), "once: {told}");
    let told = play(&mut world, "21m clock");
    assert!(told.contains("FALLBACK"), "the next round: {told}");
    // Whoever is left of a policy does not wait for one that does not hold.
    let levels = format!(
        "{levels}\n[[levels]]\nname = \"any\"\ntargets = [\"person:erik\"]\nafter_min = 10"
    );
    let mut world = World::under(under(&levels));
    let told = play(&mut world, &format!("0m ann {OPEN}\n0m clock"));
    assert!(told.contains("paging erik"), "{told}");
}

#[test]
fn a_fallback_that_reaches_nobody_becomes_everybody_at_once() {
    let levels = "[[levels]]\nname = \"L1\"\ntargets = [\"person:bob\"]";
    let mut world = World::under(under(levels));
    play(
        &mut world,
        &format!(
            "0m ann {OPEN}\n0m clock\n0m answer bob mail refused\n0m clock\n\
             0m answer bob phone refused\n0m clock"
        ),
    );
    let told = play(&mut world, "0m answer fay mail refused\n0m clock");
    assert!(told.contains("EVERYBODY: nobody on whom the plan falls back was reached"), "{told}");
    for who in ["dana", "erik", "zoe"] {
        assert!(incident(&world, 1).is_called(who), "{who}: {told}");
    }
    let told = play(&mut world, "1m clock\n10m clock");
    assert!(!told.contains("EVERYBODY"), "once: {told}");
}

#[test]
fn whom_somebody_wanted_by_name_in_vain_is_told_of() {
    let levels = "from_severity = \"SEV1\"\n[[levels]]\nname = \"L1\"\ntargets = [\"person:bob\"]";
    let page = r#"1m ann {"do":"page","incident":1,"people":["zoe"],"reason":"look"}"#;
    // Nobody has it: those on whom the plan falls back are wanted.
    let mut world = World::under(under(levels));
    let told = play(
        &mut world,
        &format!("0m ann {OPEN}\n{page}\n1m clock\n1m answer zoe mail refused\n1m clock\n2m clock"),
    );
    let words = "zoe wanted by hand for INC-1 and NOT REACHED; the fallback instead";
    assert_eq!(told.matches(words).count(), 1, "{told}");
    assert!(incident(&world, 1).is_called("fay"), "{told}");
    // Somebody has it: they hear of it, and nobody is woken.
    let mut world = World::under(under(levels));
    let told = play(
        &mut world,
        &format!(
            "0m ann {OPEN}\n0m dana {{\"do\":\"acknowledge\",\"incident\":1}}\n{page}\n1m clock\n\
             1m answer zoe mail refused\n1m clock\n2m clock"
        ),
    );
    assert_eq!(told.matches("zoe wanted by hand for INC-1 and NOT REACHED").count(), 1, "{told}");
    assert!(!incident(&world, 1).is_called("fay"), "{told}");
    let job = world.jobs.iter().rev().find(|job| job.destination.to == "dana").expect("a word");
    assert!(job.items[0].why.contains("zoe wanted by hand"), "{job:?}");
}

#[test]
fn a_limit_of_the_plan_holds_nobody_back_to_whom_another_way_leads() {
    let levels = "[[levels]]\nname = \"L1\"\ntargets = [\"person:bob\"]";
    let mut plan = under(levels);
    let limit = "1/30m".to_owned().try_into().expect("a limit");
    plan.throttles.insert("mail".to_owned(), vec![limit]);
    let mut world = World::under(plan);
    play(&mut world, &format!("0m ann {OPEN}\n0m clock\n0m answer bob mail accepted"));
    let other = OPEN.replace("payments", "vault").replace("SEV2", "SEV1");
    let told = play(&mut world, &format!("5m ann {other}\n5m clock\n5m clock"));
    assert!(told.contains("bob by mail"), "{told}");
    assert!(
        told.contains("is held back: the plan allows 1/30m there; another way first"),
        "{told}"
    );
    assert!(told.contains("sending to bob by phone"), "{told}");
}

#[test]
fn a_turn_goes_past_whom_nothing_reached_just_now() {
    let levels = r#"
        [[levels]]
        name = "L1"
        targets = ["person:bob"]
        [[levels]]
        name = "in turn"
        targets = ["person:bob", "person:dana", "person:erik"]
        round_robin = true
        after_min = 5"#;
    let mut world = World::under(under(levels));
    let told = play(
        &mut world,
        &format!(
            "0m ann {OPEN}\n0m clock\n0m answer bob mail refused\n0m clock\n\
             0m answer bob phone refused\n0m clock"
        ),
    );
    assert!(told.contains("paging dana by mail (in turn"), "{told}");
}

#[test]
fn a_level_on_which_only_the_holder_stands_is_passed_over() {
    let levels = r#"
        [[levels]]
        name = "both"
        targets = ["person:bob", "person:dana"]
        mode = "all"
        [[levels]]
        name = "bob again"
        targets = ["person:bob"]
        after_min = 5
        [[levels]]
        name = "boss"
        targets = ["person:erik"]
        after_min = 5"#;
    let mut world = World::under(under(levels));
    let told = play(
        &mut world,
        &format!(
            "0m ann {OPEN}\n0m clock\n1m bob {{\"do\":\"acknowledge\",\"incident\":1}}\n6m clock\n12m clock"
        ),
    );
    assert!(told.contains("level 'bob again' skipped: bob has answered already"), "{told}");
    assert!(told.contains("paging erik"), "{told}");
}

#[test]
fn a_level_that_did_not_hold_is_reached_when_it_is_worse() {
    let levels = r#"
        [[levels]]
        name = "L1"
        targets = ["person:bob"]
        [[levels]]
        name = "bosses"
        targets = ["person:erik"]
        when = { severity = "SEV1" }
        after_min = 1
        [[levels]]
        name = "above"
        targets = ["person:zoe"]
        after_min = 30"#;
    let mut world = World::under(under(levels));
    let raise = r#"5m ann {"do":"set-severity","incident":1,"severity":"SEV1","reason":""}"#;
    let told = play(&mut world, &format!("0m ann {OPEN}\n0m clock\n2m clock\n{raise}\n5m clock"));
    assert!(told.contains("level 'bosses' skipped: SEV2 is below SEV1"), "{told}");
    assert!(told.contains("paging erik by mail (bosses: its condition holds now"), "{told}");
    let told = play(&mut world, "6m clock\n7m kill now\n8m clock");
    assert!(!told.contains("paging"), "once: {told}");
}

#[test]
fn a_merge_that_is_taken_back_pages_again_for_what_nobody_answered() {
    let mut world = World::under(plan());
    let told = play(
        &mut world,
        &format!(
            r#"0m ann {OPEN}
               0m clock
               0m ann {{"do":"open","title":"other","severity":"SEV5","services":["payments"]}}
               1m ann {{"do":"merge","incident":1,"into":2}}
               2m ann {{"do":"unmerge","incident":1}}
               2m clock"#
        ),
    );
    assert!(told.contains("L1 on-call: the merge was taken back"), "{told}");
}

#[test]
fn a_silence_that_the_plan_waits_for_no_more_is_over() {
    let mut watched = plan();
    let beat = "every_s = 60\ngrace_s = 0";
    watched.heartbeats.insert("backup".to_owned(), toml::from_str(beat).expect("a heartbeat"));
    let mut world = World::under(watched);
    let told = play(&mut world, "0m clock\n5m clock");
    assert!(told.contains("HeartbeatMissed backup fires"), "{told}");
    let (plan, digest, note) = (Box::new(plan()), "other".to_owned(), String::new());
    world.act("root", Command::AdoptPlan { plan, digest, note });
    assert_eq!(incident(&world, 1).firing(), 0);
}

#[test]
fn a_page_by_name_and_a_fallback_that_both_fail_end_with_everybody_and_a_window_hides_neither() {
    let levels = "from_severity = \"SEV1\"\n[[levels]]\nname = \"L1\"\ntargets = [\"person:bob\"]";
    let page = r#"1m ann {"do":"page","incident":1,"people":["zoe"],"reason":"look"}"#;
    let fails = |who: &str| format!("1m answer {who} mail refused\n1m clock");
    let mut world = World::under(under(levels));
    let told = play(
        &mut world,
        &format!("0m ann {OPEN}\n{page}\n1m clock\n{}\n{}\n2m clock", fails("zoe"), fails("fay")),
    );
    assert_eq!(told.matches("EVERYBODY: nobody on whom the plan falls back").count(), 1, "{told}");
    // Somebody has it, and the word about it reaches them by no way.
    let mut world = World::under(under(levels));
    let told = play(
        &mut world,
        &format!(
            "0m ann {OPEN}\n0m dana {{\"do\":\"acknowledge\",\"incident\":1}}\n{page}\n1m clock\n{}\n{}",
            fails("zoe"),
            fails("dana")
        ),
    );
    assert!(incident(&world, 1).is_called("fay"), "{told}");
    // Maintenance pages nobody by the clock; whom somebody asked for by name is another matter.
    let mut world = World::under(under(levels));
    let told = play(
        &mut world,
        &format!(
            "{}\n0m clock\n0m ann {}\n0m clock\n{page}\n1m clock\n{}",
            window(0, "payments", 600),
            OPEN.replace("SEV2", "SEV1"),
            fails("zoe")
        ),
    );
    assert!(incident(&world, 1).esc.pause.is_some(), "{told}");
    assert!(told.contains("zoe wanted by hand for INC-1 and NOT REACHED"), "{told}");
}

#[test]
fn what_somebody_took_off_an_incident_stays_off_and_a_merge_takes_back_what_it_added() {
    let mut world = World::under(plan());
    world.post("am", Some("g"), vec![of("payments", "a"), of("vault", "b")]);
    assert_eq!(incident(&world, 1).services, ["payments", "vault"]);
    play(&mut world, r#"1m ann {"do":"set-services","incident":1,"services":["payments"]}"#);
    let mut over = of("vault", "b");
    over.signal = Signal::Resolved;
    world.post("am", Some("g"), vec![over]);
    world.post("am", Some("g"), vec![of("vault", "b")]);
    assert_eq!(incident(&world, 1).services, ["payments"]);
    play(
        &mut world,
        r#"2m ann {"do":"open","title":"other","severity":"SEV2","services":["robin"]}
           3m ann {"do":"merge","incident":2,"into":1}"#,
    );
    assert_eq!(incident(&world, 1).services, ["payments", "robin"]);
    play(&mut world, r#"4m ann {"do":"unmerge","incident":2}"#);
    assert_eq!(incident(&world, 1).services, ["payments"]);
    world.restart();
    assert_eq!(incident(&world, 1).services, ["payments"]);
}
