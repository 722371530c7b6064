//! What users of other tools ask for, by its number in the list of demands: what the scripts about
//! paging do not show already.

use std::collections::BTreeSet;

use warroom::domain::duty::Desk;
use warroom::domain::lint::lint;
use warroom::domain::plan::Heartbeat;
use warroom::domain::plan_diff::differences;
use warroom::domain::words::Severity;
use warroom::keeper::turn::Job;

use crate::features::paging_world::{OPEN, plan};
use crate::world::{START, World, play};

#[test]
fn demand_4_a_method_that_comes_too_late_and_a_step_that_reaches_nobody_new_are_told() {
    let mut plan = plan();
    plan.people.entry("bob".to_owned()).and_modify(|bob| {
        bob.contacts = vec!["mail:bob@example.org".to_owned(), "phone:+491 after 7m".to_owned()];
    });
    plan.teams.insert("seniors".to_owned(), vec!["bob".to_owned()]);
    let found = lint(&plan, &Desk::default(), START);
    let has = |words: &str| found.iter().any(|lint| lint.what.contains(words));
    // Who is on call is looked up in a schedule that a fresh desk knows nothing against.
    assert!(has("comes only when level 'L2 senior' is due already"), "{found:#?}");
    assert!(has("level 'L2 senior' reaches nobody whom no level before it reached"), "{found:#?}");
    assert!(has("level 'L1' reaches nobody now"), "{found:#?}");
    assert!(has("nobody is on call from"), "the empty schedule: {found:#?}");
}

#[test]
fn demand_5_a_person_without_a_working_method_is_a_mistake_of_the_plan() {
    let text = r#"
default_policy = "p"
fallback = ["person:erik"]
[people.erik]
contacts = ["pager:1"]
[[policies.p.levels]]
name = "manager"
targets = ["person:erik"]
"#;
    let files = vec![("plan.toml".to_owned(), text.to_owned())];
    let mistakes = warroom::config::plan_files::check(&files, "ann").expect_err("a mistake");
    let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["plan.toml:4: people.erik: is to be reached but has no method that warroom can send by"]
    );
}

#[test]
fn demand_7_every_page_says_why_now_and_by_which_rule() {
    let mut world = World::under(plan());
    play(
        &mut world,
        &format!(
            r#"0m ann {OPEN}
               0m clock
               0m bob {{"do":"acknowledge","incident":1}}
               61m clock"#
        ),
    );
    let whys: Vec<&str> = world.jobs.iter().map(|job| job.items[0].why.as_str()).collect();
    assert_eq!(
        whys,
        [
            "L1 on-call: new (schedule primary)",
            "L1 on-call: the acknowledgement of bob expired (schedule primary)"
        ]
    );
}

#[test]
fn demand_11_silence_is_an_alert_and_the_voice_ends_it() {
    let mut plan = plan();
    let beat = Heartbeat {
        every_s: 60,
        grace_s: 30,
        alert: "Watchdog".to_owned(),
        source: String::new(),
        severity: Severity::Sev2,
        services: vec!["payments".to_owned()],
    };
    plan.heartbeats.insert("prometheus".to_owned(), beat);
    plan.severity_map.insert("sev2".to_owned(), Severity::Sev2);
    let mut world = World::under(plan);
    let transcript = play(
        &mut world,
        "1m alerts Watchdog/p/none
         2m clock
         3m clock
         4m alerts Watchdog/p/none
         4m clock
         6m clock
         9m clock",
    );
    let times = |words: &str| transcript.matches(words).count();
    let fires = times("HeartbeatMissed prometheus fires");
    assert_eq!(fires, 2, "silent twice, told once each: {transcript}");
    assert_eq!(times("HeartbeatMissed prometheus is over"), 1, "{transcript}");
    assert!(transcript.contains("paging bob"), "{transcript}");
}

#[test]
fn demand_12_a_level_that_asks_for_a_number_of_alerts_is_looked_at_when_one_joins() {
    let mut plan = plan();
    let first = &mut plan.policies.get_mut("standard").expect("the policy").levels[0];
    (first.when.alerts, first.when.within_min) = (3, 10);
    plan.policies.get_mut("standard").expect("the policy").levels.truncate(1);
    let mut world = World::under(plan);
    let transcript = play(
        &mut world,
        "0m alerts A/1/critical
         0m clock
         2m alerts A/2/critical
         2m clock
         4m alerts A/3/critical
         4m clock",
    );
    assert_eq!(transcript.matches("paging bob").count(), 1, "{transcript}");
    assert!(transcript.contains("level 'L1 on-call' skipped: 1 of 3 alerts"), "{transcript}");
    assert!(transcript.contains("(L1 on-call: 3 alerts)"), "{transcript}");
}

#[test]
fn demand_26_a_swap_is_asked_accepted_and_bound_to_the_shift() {
    let mut world = World::under(plan());
    let during = START.plus(3_600_000).to_string();
    let transcript = play(
        &mut world,
        &format!(
            r#"0m bob {{"do":"ask-swap","schedule":"primary","at":"{during}","with":"dana"}}
               1m bob {{"do":"answer-swap","schedule":"primary","swap":1,"accept":true}}
               2m dana {{"do":"answer-swap","schedule":"primary","swap":1,"accept":true}}
               3m ann {OPEN}
               3m clock"#
        ),
    );
    assert!(transcript.contains("only dana can accept it"), "{transcript}");
    assert!(transcript.contains("paging dana by mail (L1 on-call: new)"), "{transcript}");
    // The plan moves every shift by two hours: the swap goes with its shift.
    let mut moved = plan();
    let schedule = moved.schedules.get_mut("primary").expect("the schedule");
    schedule.rotations[0].start += chrono::TimeDelta::hours(2);
    let desk = &world.engine.room.desk;
    assert_eq!(desk.on_call(&moved, "primary", START.plus(3_600_000)), ["dana"]);
}

#[test]
fn demand_28_everybody_may_cover_and_only_administrators_change_the_plan() {
    let mut world = World::under(plan());
    let (from, until) = (START.to_string(), START.plus(3_600_000).to_string());
    let transcript = play(
        &mut world,
        &format!(
            r#"0m eve {{"do":"cover-shift","schedule":"primary","from":"{from}","until":"{until}","person":"erik"}}
               0m bob {{"do":"cover-shift","schedule":"primary","from":"{from}","until":"{until}","person":"mallory"}}
               0m bob {{"do":"cover-shift","schedule":"primary","from":"{from}","until":"{until}","person":"erik"}}
               0m bob {{"do":"issue-token","name":"x","hash":"y"}}"#
        ),
    );
    let lines: Vec<&str> = transcript.lines().collect();
    assert!(lines[0].starts_with("refused eve: eve may only observe"), "{transcript}");
    assert!(lines[1].contains("'mallory' is nobody whom the plan can reach"), "{transcript}");
    assert_eq!(lines[2], "primary: erik covers");
    assert!(lines[3].starts_with("refused bob: bob may only command"), "{transcript}");
}

#[test]
fn a_new_plan_says_who_else_would_be_reached_tonight() {
    let (old, mut new) = (plan(), plan());
    new.policies.get_mut("standard").expect("the policy").levels[0].targets =
        vec!["person:erik".to_owned()];
    let desk = Desk::default();
    let lines = differences((&old, &desk), (&new, &desk), START);
    // The same for all of them is told once.
    let heads: Vec<&String> = lines.iter().filter(|line| line.contains(", at ")).collect();
    assert_eq!(heads.len(), 1, "{lines:#?}");
    assert!(heads[0].starts_with("payments SEV1, payments SEV3, any other"), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("- standard: L1 on-call +0m bob")), "{lines:#?}");
    assert!(
        lines.iter().any(|line| line.contains("+ standard: L1 on-call +0m erik")),
        "{lines:#?}"
    );
    assert!(differences((&old, &desk), (&old, &desk), START).is_empty());
}

#[test]
fn a_policy_that_went_with_an_old_plan_is_taken_anew_by_what_comes_back() {
    let mut world = World::under(plan());
    play(
        &mut world,
        &format!(
            r#"0m ann {OPEN}
               1m ann {{"do":"resolve","incident":1,"reason":"fixed","evidence":"ok"}}
               1m ann {{"do":"close","incident":1,"note":""}}"#
        ),
    );
    let mut other = plan();
    other.policies.get_mut("standard").expect("the policy").repeat = 7;
    let body = warroom::domain::event::Body::PlanAdopted {
        plan: Box::new(other),
        digest: "another".to_owned(),
        note: String::new(),
    };
    world.give(warroom::keeper::turn::Input::Own(body));
    let transcript = play(
        &mut world,
        r#"2m ann {"do":"reopen","incident":1,"reason":"it is back"}
           2m clock"#,
    );
    assert!(transcript.contains("follows the escalation policy 'standard'"), "{transcript}");
    assert!(transcript.contains("paging bob by mail, phone"), "{transcript}");
}

#[test]
fn demand_18_what_nobody_touches_for_days_is_closed_by_the_system() {
    let mut plan = plan();
    plan.stale_days = 7;
    let mut world = World::under(plan);
    let day = 24 * 60;
    let told = play(
        &mut world,
        &format!(
            r#"0m ann {{"do":"open","title":"t","severity":"SEV4","services":["payments"]}}
               1m ann {{"do":"acknowledge","incident":1}}
               1m ann {{"do":"open","title":"somebody was told","severity":"SEV4"}}
               1m ann {{"do":"acknowledge","incident":2}}
               1m ann {{"do":"log-contact","incident":2,"stakeholder":"x","channel":"phone","text":"t","next_by":null}}
               1m ungrouped A/x/info
               1m ann {{"do":"acknowledge","incident":3}}
               {}m clock
               {}m clock
               {}m clock
               {}m clock"#,
            6 * day,
            7 * day + 2,
            14 * day,
            15 * day,
        ),
    );
    assert!(
        told.contains(
            "INC-1 system: resolved (stale): no alert fires and nobody did anything for 7 days"
        ),
        "{told}"
    );
    assert!(told.contains("INC-1 system: closed: closed by the system"), "{told}");
    assert!(!told.contains("INC-2 system: resolved"), "somebody waits for a word: {told}");
    assert!(!told.contains("INC-3 system: resolved"), "its alert fires: {told}");
    assert_eq!(told.matches("resolved (stale)").count(), 1, "{told}");
}

#[test]
fn conditions_that_can_never_hold_are_said_when_the_plan_is_checked() {
    let mut plan = plan();
    plan.services.insert("payments".to_owned(), toml::from_str("").expect("a service"));
    plan.people.get_mut("erik").expect("erik").contacts = vec!["terminal".to_owned()];
    let policy = plan.policies.get_mut("standard").expect("the policy");
    policy.levels[1].when.services = vec!["nonsvc".to_owned()];
    policy.levels[1].when.teams = 99;
    policy.levels[3].when.hours = "09:00-09:00".to_owned();
    let desk = Desk::default();
    let found = lint(&plan, &desk, START);
    let told: String = found.iter().map(|lint| lint.what.clone() + "\n").collect();
    for words in [
        "level 'L2 senior' waits for services that the plan does not name: nonsvc",
        "waits for 99 teams, and the plan has 1",
        "level 'executive' waits for the hours 09:00-09:00, which are all of the day",
        "erik of level 'manager' is reached by an open console alone",
    ] {
        assert!(told.contains(words), "'{words}' is missing:\n{told}");
    }
}

#[test]
fn a_throttle_of_an_old_journal_is_read_though_no_plan_may_name_it_now() {
    let text = r#"{"throttles":{"mail":["20/2d"]}}"#;
    let mut plan: warroom::domain::plan::Plan = serde_json::from_str(text).expect("it is read");
    assert_eq!(plan.throttles["mail"][0].within_ms, 2 * 86_400_000);
    let again = serde_json::to_string(&plan).expect("JSON");
    plan = serde_json::from_str(&again).expect("it is read again");
    assert_eq!(plan.throttles["mail"][0].within_ms, 2 * 86_400_000);
    let files = vec![("10.toml".to_owned(), "[throttles]\nmail = [\"20/2d\"]\n".to_owned())];
    let told = format!("{:?}", warroom::config::plan_files::check(&files, "ann").err());
    assert!(told.contains("longer than an hour"), "{told}");
}

#[test]
fn a_turn_that_was_swapped_away_is_swapped_back_and_calendars_count_only_what_changed() {
    let mut world = World::under(plan());
    let during = START.plus(3_600_000);
    let revision = |world: &World| world.engine.room.desk.revisions["primary"];
    let first = revision(&world);
    play(
        &mut world,
        &format!(
            r#"0m ann {OPEN}
               0m bob {{"do":"ask-swap","schedule":"primary","at":"{during}","with":"dana"}}"#
        ),
    );
    assert_eq!(revision(&world), first, "nobody's duty has changed yet");
    play(&mut world, r#"2m dana {"do":"answer-swap","schedule":"primary","swap":1,"accept":true}"#);
    let second = revision(&world);
    assert!(second > first);
    let told = play(
        &mut world,
        &format!(
            r#"3m dana {{"do":"ask-swap","schedule":"primary","at":"{during}","with":"bob"}}
               4m bob {{"do":"answer-swap","schedule":"primary","swap":2,"accept":true}}
               5m ann {OPEN}"#
        ),
    );
    assert!(!told.contains("refused"), "{told}");
    assert_eq!(world.engine.room.desk.on_call(&plan(), "primary", during), ["bob"]);
    assert!(revision(&world) > second);
}

#[test]
fn somebody_on_two_schedules_at_once_is_told_whatever_policies_they_belong_to() {
    let mut plan = plan();
    let mut other = plan.schedules["primary"].clone();
    other.zone = chrono_tz::Asia::Tokyo;
    plan.schedules.insert("tokyo".to_owned(), other);
    plan.policies.get_mut("turns").expect("the policy").levels[0].targets =
        vec!["schedule:tokyo".to_owned()];
    let found = lint(&plan, &Desk::default(), START);
    let twice: Vec<_> = found.iter().filter(|lint| lint.what.contains("at once")).collect();
    assert_eq!(twice.len(), 1, "{found:#?}");
    assert!(twice[0].what.contains("is on call on 'primary' and 'tokyo' at once"), "{twice:?}");
}

#[test]
fn whoever_is_asked_for_a_turn_or_put_in_for_somebody_hears_it_by_their_own_methods() {
    let mut world = World::under(plan());
    let during = START.plus(3_600_000);
    play(
        &mut world,
        &format!(
            r#"0m bob {{"do":"ask-swap","schedule":"primary","at":"{during}","with":"dana"}}
               0m clock"#
        ),
    );
    let words = |world: &World| {
        let job = world.jobs.last().expect("a message");
        let (subject, text) = job.update.clone().expect("words");
        (job.destination.to.clone(), job.destination.method.clone(), subject, text)
    };
    let (to, method, subject, text) = words(&world);
    assert_eq!((to.as_str(), method.as_str()), ("dana", "mail:dana@example.org"));
    assert_eq!(subject, "On call: bob asks you to take a turn on 'primary'");
    assert!(text.contains("warroom swap primary --accept 1"), "{text}");
    let mail = warroom::keeper::mailroom::message(world.jobs.last().expect("a message"));
    assert!(mail.incidents.is_empty() && !mail.urgent, "{mail:?}");
    // A keeper that is killed meanwhile sends it again, and once it is taken no more.
    world.restart();
    play(&mut world, "1m clock\n1m answer dana mail accepted\n5m clock");
    assert_eq!(world.jobs.iter().filter(|job| job.destination.to == "dana").count(), 2);
    play(
        &mut world,
        r#"6m dana {"do":"answer-swap","schedule":"primary","swap":1,"accept":true}
           6m clock"#,
    );
    let (to, _, subject, _) = words(&world);
    assert_eq!(
        (to.as_str(), subject.as_str()),
        ("bob", "On call: a swap on 'primary' is in force")
    );
    let told = play(
        &mut world,
        &format!(
            r#"7m ann {{"do":"cover-shift","schedule":"primary","from":"{during}","until":"{}","person":"erik"}}
               7m clock"#,
            during.plus(3_600_000)
        ),
    );
    assert!(!told.contains("refused"), "{told}");
    let subject = "On call: erik stands in on 'primary'";
    let is_it = |job: &&Job| job.update.as_ref().is_some_and(|words| words.0 == subject);
    let told: BTreeSet<&str> =
        world.jobs.iter().filter(is_it).map(|job| job.destination.to.as_str()).collect();
    assert_eq!(told, BTreeSet::from(["dana", "erik"]), "and whose place they take");
}
