//! What must not be lost on the way: a chain that a person began, an answer to a page that seemed to
//! fail, an incident in a large bundle, the end of a maintenance window, a silent watchdog.

use warroom::domain::audit::Auditor;
use warroom::domain::event::Body;
use warroom::domain::ids::IncidentId;
use warroom::domain::plan::Heartbeat;
use warroom::domain::throttle::Throttle;
use warroom::domain::time::Timestamp;
use warroom::domain::words::{AttemptResult, Severity};
use warroom::keeper::mailroom::message;
use warroom::keeper::turn::Input;
use warroom::notify::forms;
use warroom::store::{Reader as _, snapshot};

use crate::features::paging_world::{OPEN, plan};
use crate::world::{START, World, play};

const MINOR: &str = r#"{"do":"open","title":"t","severity":"SEV4","services":["payments"]}"#;

fn at(minutes: i64) -> String {
    START.plus(minutes * 60_000).to_string()
}

/// What the auditor finds at an instant.
fn audit(world: &World, now: Timestamp) -> Vec<String> {
    let mut auditor = Auditor::default();
    world
        .journal
        .scan(0, &mut |raw| {
            auditor.see(&raw.decode().expect("a readable event"));
            true
        })
        .expect("a readable journal");
    auditor.check(now)
}

#[test]
fn what_a_person_had_climb_climbs_on_after_a_snooze() {
    let mut world = World::under(plan());
    let transcript = play(
        &mut world,
        &format!(
            r#"0m ann {MINOR}
               1m ann {{"do":"escalate","incident":1,"level":null,"reason":"it is worse"}}
               2m bob {{"do":"snooze","incident":1,"until":"{}","reason":"known"}}
               11m clock
               60m clock"#,
            at(10)
        ),
    );
    let (_, after) = transcript.split_once("the snooze is over").expect("it ends");
    assert!(after.contains("paging bob by mail"), "{transcript}");
    assert!(after.contains("L2 senior: no answer"), "it climbs: {transcript}");
}

#[test]
fn what_was_never_escalated_pages_nobody_after_a_snooze_and_says_nothing_else() {
    let mut world = World::under(plan());
    let transcript = play(
        &mut world,
        &format!(
            r#"0m ann {MINOR}
               2m bob {{"do":"snooze","incident":1,"until":"{}","reason":"known"}}
               11m clock
               60m clock"#,
            at(10)
        ),
    );
    assert!(!transcript.contains("paging"), "{transcript}");
}

#[test]
fn every_incident_of_a_large_bundle_is_in_every_form_that_speaks_of_each() {
    let mut world = World::under(plan());
    for _ in 0..500 {
        world.act("ann", serde_json::from_str(OPEN).expect("a command"));
    }
    world.tick();
    world.answer("bob", "mail", AttemptResult::Accepted);
    world.now = world.now.plus(61_000);
    world.tick();
    let job = world.jobs.last().expect("a bundle");
    assert_eq!(job.items.len(), 200);
    let message = message(job);
    let events = forms::pagerduty(&message, "key", "host");
    let generic = forms::generic(&message, "bob");
    let text = message.tidy().plain();
    for item in &job.items {
        let id = item.incident.to_string();
        let code = item.code.clone().expect("a page has a code");
        let key = format!("host/{id}-{}", item.delivery);
        assert!(events.iter().any(|event| event["dedup_key"] == *key), "{id} in PagerDuty's form");
        let told = generic["incidents"].as_array().expect("a list");
        assert!(told.iter().any(|about| about["ack_code"] == *code), "{id} in our own form");
        assert!(text.contains(&format!("{id} SEV2")) && text.contains(&code), "{id} in the text");
    }
}

#[test]
fn where_each_incident_is_an_event_a_bundle_is_smaller() {
    let mut plan = plan();
    let channel =
        r#"{"kind":"webhook","url":"https://events.example.org/","format":"pagerduty-v2"}"#;
    plan.channels.insert("pd".to_owned(), serde_json::from_str(channel).expect("a channel"));
    plan.people.entry("bob".to_owned()).and_modify(|bob| bob.contacts = vec!["pd:key".to_owned()]);
    let mut world = World::under(plan);
    for _ in 0..300 {
        world.act("ann", serde_json::from_str(OPEN).expect("a command"));
    }
    world.tick();
    world.answer("bob", "pd", AttemptResult::Accepted);
    world.now = world.now.plus(61_000);
    world.tick();
    assert_eq!(world.jobs.last().expect("a bundle").items.len(), 50);
}

#[test]
fn a_repetition_that_takes_more_along_is_another_message() {
    let mut world = World::under(plan());
    world.act("ann", serde_json::from_str(OPEN).expect("a command"));
    world.tick();
    let alone = message(world.jobs.last().expect("a page"));
    world.act("ann", serde_json::from_str(OPEN).expect("a command"));
    world.restart();
    world.tick();
    let both = world.jobs.last().expect("the page again").clone();
    assert_eq!(both.items.len(), 2);
    assert_ne!(message(&both).id, alone.id, "or a receiver drops the new one as a repetition");
    world.restart();
    world.tick();
    let again = world.jobs.last().expect("the page once more");
    assert_eq!(message(again).id, message(&both).id, "the same bundle is the same message");
}

#[test]
fn a_code_answers_a_page_that_failed_as_far_as_we_know() {
    let mut world = World::under(plan());
    play(&mut world, &format!("0m ann {OPEN}\n0m clock"));
    let code = world.jobs[0].items[0].code.clone().expect("a page has a code");
    for _ in 0..3 {
        if world.engine.under_way().any(|(_, to)| to.to == "bob" && to.method.starts_with("mail")) {
            world.answer("bob", "mail", AttemptResult::Refused);
        }
        world.tick();
        if world.engine.under_way().any(|(_, to)| to.to == "bob" && to.method.starts_with("phone"))
        {
            world.answer("bob", "phone", AttemptResult::Refused);
        }
        world.tick();
    }
    let room = &world.engine.room;
    let stand = &room.incidents.values().next().expect("it is open").esc.deliveries[0].stand;
    assert!(format!("{stand:?}").starts_with("Failed"), "{stand:?}");
    let script = format!(r#"1m eve {{"do":"acknowledge-by-code","code":"{code}"}}"#);
    let transcript = play(&mut world, &script);
    assert!(transcript.contains("INC-1 bob: acknowledged"), "{transcript}");
}

#[test]
fn a_window_that_began_by_a_wrong_clock_ends_in_its_time() {
    let mut world = World::under(plan());
    let script = format!(
        r#"0m ann {{"do":"plan-window","services":["payments"],"from":"{}","until":"{}","reason":"upgrade"}}
           2m clock"#,
        at(1),
        at(121)
    );
    play(&mut world, &script);
    let day = 86_400_000;
    world.now = world.now.plus(-day);
    world.give(Input::Own(Body::ClockJumped { by_ms: -day, incidents: Vec::new() }));
    world.now = world.now.plus(125 * 60_000);
    let ended =
        world.tick().into_iter().any(|event| matches!(event.body, Body::WindowEnded { .. }));
    assert!(ended, "it would have paged nobody for a day more");
}

#[test]
fn a_watchdog_that_resolves_is_no_sign_of_life() {
    let mut plan = plan();
    plan.heartbeats.insert("prometheus".to_owned(), beat());
    let mut world = World::under(plan);
    let script = "0m alerts Watchdog/p/none\n1m alerts !Watchdog/p/none\n2m clock";
    let transcript = play(&mut world, script);
    assert!(transcript.contains("HeartbeatMissed prometheus fires"), "{transcript}");
}

#[test]
fn an_offer_that_is_taken_back_before_it_left_is_no_finding() {
    let mut world = World::under(plan());
    play(
        &mut world,
        &format!(
            r#"0m ann {OPEN}
               0m bob {{"do":"acknowledge","incident":1}}
               1m bob {{"do":"offer-handover","incident":1,"to":"dana","note":""}}
               2m bob {{"do":"offer-handover","incident":1,"to":"erik","note":""}}
               3m fay {{"do":"acknowledge","incident":1}}"#
        ),
    );
    let now = world.now.plus(30 * 60_000);
    assert_eq!(audit(&world, now), Vec::<String>::new());
}

#[test]
fn a_swap_for_somebody_else_takes_a_commander() {
    let swap = |from: &str| {
        format!(
            r#"{{"do":"ask-swap","schedule":"primary","from":{from},"at":"{}","with":"dana","their_at":null}}"#,
            at(60)
        )
    };
    let command: warroom::domain::command::Command =
        serde_json::from_str(&swap("\"bob\"")).expect("a command");
    assert_eq!(command.right(), warroom::domain::words::Right::Command);
    let own: warroom::domain::command::Command =
        serde_json::from_str(&swap("null")).expect("a command");
    assert_eq!(own.right(), warroom::domain::words::Right::Respond);
}

#[test]
fn a_clock_that_jumps_ahead_ends_no_wait() {
    let day = 86_400_000;
    let waits = |script: &str, minutes: i64| -> (String, String) {
        let mut plan = plan();
        let beat = Heartbeat { every_s: 600, grace_s: 60, severity: Severity::Sev2, ..beat() };
        plan.heartbeats.insert("prometheus".to_owned(), beat);
        let mut world = World::under(plan);
        play(&mut world, script);
        world.now = world.now.plus(day);
        world.give(Input::Own(Body::ClockJumped { by_ms: day, incidents: Vec::new() }));
        let words = |events: &[warroom::domain::event::Recorded]| format!("{events:?}");
        let at_once = words(&world.tick());
        world.now = world.now.plus(minutes * 60_000);
        let later = words(&world.tick());
        // Nothing answers here: that alone is found.
        let found = audit(&world, world.now);
        assert!(found.iter().all(|words| words.ends_with("never ended")), "{found:?}");
        (at_once, later)
    };
    let table = [
        (
            "an answer",
            format!("0m ann {OPEN}\n1m bob {}", r#"{"do":"acknowledge","incident":1}"#),
            61,
            "AckExpired",
        ),
        (
            "a snooze",
            format!(
                "0m ann {OPEN}\n1m bob {{\"do\":\"snooze\",\"incident\":1,\"until\":\"{}\",\"reason\":\"known\"}}",
                at(30)
            ),
            30,
            "SnoozeEnded",
        ),
        ("the next level", format!("0m ann {OPEN}\n0m clock"), 6, "LevelReached"),
        ("a sender", "0m alerts Watchdog/p/none".to_owned(), 12, "HeartbeatMissed"),
        (
            "an alert put aside",
            format!(
                "0m alerts Disk/a/critical\n1m ann {{\"do\":\"shelve-alert\",\"alert\":\"am/Disk-a\",\"until\":\"{}\",\"reason\":\"known\"}}",
                at(30)
            ),
            30,
            "AlertUnshelved",
        ),
    ];
    for (what, script, minutes, word) in table {
        let (at_once, later) = waits(&script, minutes);
        assert!(!at_once.contains(word), "{what} waits on: {at_once}");
        assert!(later.contains(word), "{what} ends in its time: {later}");
    }
}

fn beat() -> Heartbeat {
    Heartbeat {
        every_s: 60,
        grace_s: 60,
        severity: Severity::Sev2,
        alert: "Watchdog".to_owned(),
        source: String::new(),
        services: vec!["payments".to_owned()],
    }
}

#[test]
fn nobody_s_own_answer_is_waited_for_who_left_the_plan() {
    let mut world = World::under(plan());
    let services = r#"{"do":"open","title":"t","severity":"SEV2","services":["vault"]}"#;
    play(&mut world, &format!("0m ann {services}\n0m clock"));
    let incident = |world: &World| world.engine.room.incidents[&IncidentId(1)].clone();
    let must: Vec<String> = incident(&world).esc.must.iter().cloned().collect();
    assert!(must.len() > 1, "the policy asks for all of them: {must:?}");
    play(&mut world, &format!(r#"1m {} {{"do":"acknowledge","incident":1}}"#, must[0]));
    assert!(!incident(&world).is_answered());
    let mut plan = plan();
    for who in &must[1..] {
        plan.people.remove(who);
    }
    let (digest, note) = ("without them".to_owned(), String::new());
    world.give(Input::Own(Body::PlanAdopted { plan: Box::new(plan), digest, note }));
    assert!(incident(&world).is_answered());
    let deliveries = incident(&world).esc.deliveries.clone();
    let gone: Vec<_> = deliveries
        .into_iter()
        .filter(|d| must[1..].contains(&d.wanted.to) && d.is_open())
        .collect();
    assert_eq!(gone, [], "and nothing more is sent to them");
    let folded = snapshot::incident(&world.journal, IncidentId(1), None).expect("a fold");
    assert_eq!(folded.as_ref(), Some(&*incident(&world)), "folded from its stream");
}

#[test]
fn a_clock_that_is_put_right_is_right_after_every_start() {
    let day = 86_400_000;
    let mut world = World::under(plan());
    play(&mut world, &format!("0m ann {OPEN}\n1m bob {}", r#"{"do":"acknowledge","incident":1}"#));
    world.now = world.now.plus(day);
    world.give(Input::Own(Body::ClockJumped { by_ms: day, incidents: Vec::new() }));
    world.now = Timestamp(world.now.0 - day);
    world.give(Input::Own(Body::ClockJumped { by_ms: -day, incidents: Vec::new() }));
    world.restart();
    let ahead = world.engine.room.at.since(world.now);
    assert!(ahead <= 0, "no start takes it for ahead again: {ahead} ms");
}

#[test]
fn what_is_left_firing_is_not_silent_for_as_long_as_a_clock_was_ahead() {
    let year = 365 * 86_400_000;
    let mut world = World::under(plan());
    let close = r#"{"do":"decline","incident":1,"reason":"planned","note":"known"}"#;
    play(&mut world, &format!("0m alerts Disk/a/critical\n1m ann {close}"));
    let ends = |world: &World| world.engine.room.alerts["am/Disk-a"].ends_at.expect("an end");
    assert!(ends(&world).since(world.now) <= 86_400_000);
    for by_ms in [year, -year] {
        world.now = Timestamp(world.now.0 + by_ms);
        world.give(Input::Own(Body::ClockJumped { by_ms, incidents: Vec::new() }));
    }
    assert!(ends(&world).since(world.now) <= 2 * 86_400_000, "{}", ends(&world));
}

#[test]
fn what_somebody_sent_by_hand_and_is_due_later_opens_no_throttle_now() {
    let mut plan = plan();
    let throttle = Throttle { count: 1, within_ms: 15 * 60_000 };
    plan.throttles.insert("phone".to_owned(), vec![throttle]);
    plan.people.get_mut("bob").expect("bob").contacts = vec!["phone:+491".to_owned()];
    let mut world = World::under(plan);
    play(&mut world, &format!("0m ann {OPEN}\n0m clock\n0m answer bob phone handed-over"));
    let page = r#"{"do":"page","incident":1,"people":["bob"],"reason":"help"}"#;
    play(&mut world, &format!("1m ann {page}\n1m clock"));
    world.answer("bob", "phone", AttemptResult::Failed);
    world.jobs.clear();
    world.act("ann", serde_json::from_str(&OPEN.replace("payments", "search")).expect("a command"));
    world.tick();
    assert_eq!(world.jobs, [], "it is tried again in some seconds, and the throttle holds");
    play(&mut world, "2m clock");
    assert_eq!(world.jobs.len(), 1, "what a person wants is not held back");
}

#[test]
fn a_heartbeat_that_is_missed_is_as_bad_as_the_plan_says() {
    let mut plan = plan();
    let beat = Heartbeat { severity: Severity::Sev1, ..beat() };
    plan.heartbeats.insert("prometheus".to_owned(), beat);
    let mut world = World::under(plan);
    let told = play(&mut world, "0m clock\n5m clock\n5m clock");
    assert!(told.contains("opened as SEV1 (the plan asks for SEV1)"), "{told}");
}

#[test]
fn a_slip_of_the_finger_takes_no_good_offer_back() {
    let mut world = World::under(plan());
    let offer =
        |to: &str| format!(r#"{{"do":"offer-handover","incident":1,"to":"{to}","note":""}}"#);
    let told = play(
        &mut world,
        &format!(
            "0m ann {OPEN}\n1m bob {}\n2m bob {}\n3m bob {}",
            r#"{"do":"acknowledge","incident":1}"#,
            offer("dana"),
            offer("dnaa")
        ),
    );
    assert!(told.contains("the plan knows no 'dnaa', and dana was offered INC-1"), "{told}");
    let incident = &world.engine.room.incidents[&IncidentId(1)];
    assert_eq!(incident.esc.handover.as_ref().map(|offer| offer.to.as_str()), Some("dana"));
}
