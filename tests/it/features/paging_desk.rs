//! Snoozes, maintenance windows, hand-overs, bundles, covers, codes and triggers.

use warroom::domain::audit::Auditor;
use warroom::domain::command::Command;
use warroom::domain::event::Body;
use warroom::domain::row::Row;
use warroom::domain::time::Timestamp;
use warroom::domain::words::{AttemptResult, Right};
use warroom::store::Reader as _;

use crate::features::paging_world::{OPEN, check, plan};
use crate::world::{World, play};

#[test]
fn a_snooze_always_ends() {
    let until = |hours: i64| crate::world::START.plus(hours * 3_600_000).to_string();
    check(
        &format!(
            r#"0m ann {OPEN}
               0m clock
               1m bob {{"do":"snooze","incident":1,"until":"{}","reason":"known"}}
               1m bob {{"do":"snooze","incident":1,"until":"{}","reason":"known"}}
               59m clock
               60m clock"#,
            until(48),
            until(1)
        ),
        &format!(
            "INC-1 ann: opened as SEV2 (ann said so)
             INC-1 system: paging bob by mail, phone (L1 on-call: new)
             INC-1 system: sending to bob by mail
             refused bob: {} is not a time to snooze until; give an end within 24 hours; nothing is snoozed for ever
             INC-1 bob: snoozed until {}: known
             INC-1 system: the snooze is over
             INC-1 system: paging bob by mail, phone (L1 on-call: the snooze is over)
             INC-1 system: sending to bob by mail",
            until(48),
            {
                let at = crate::world::START.plus(3_600_000);
                format!("{} {}", at.date(), at.clock_minutes())
            }
        ),
    );
}

#[test]
fn demand_21_a_maintenance_window_is_bounded_and_cancels_what_is_on_its_way() {
    let at = |minutes: i64| crate::world::START.plus(minutes * 60_000).to_string();
    check(
        &format!(
            r#"0m ann {OPEN}
               0m clock
               1m ann {{"do":"plan-window","services":["payments"],"from":"{}","until":"{}","reason":"upgrade"}}
               2m clock
               3m ann {{"do":"open","title":"u","severity":"SEV2","services":["payments"]}}
               3m clock
               30m clock"#,
            at(2),
            at(30)
        ),
        &format!(
            "INC-1 ann: opened as SEV2 (ann said so)
             INC-1 system: paging bob by mail, phone (L1 on-call: new)
             INC-1 system: sending to bob by mail
             window 1 planned
             INC-1 system: maintenance window 1 began; pages nobody until it ends
             INC-2 ann: opened as SEV2 (ann said so)
             INC-2 system: pages nobody: maintenance until {}: upgrade
             INC-1 system: maintenance window 1 ended
             INC-2 system: maintenance window 1 ended
             INC-1 system: paging bob by mail, phone (L1 on-call: the maintenance window is over)
             INC-2 system: paging bob by mail, phone (L1 on-call: the maintenance window is over)
             INC-1 system: sending to bob by mail (with 1 other)
             INC-2 system: sending to bob by mail (with 1 other)",
            at(30)
        ),
    );
}

#[test]
fn demand_24_at_the_shift_change_open_incidents_are_offered_with_a_brief() {
    let mut world = World::under(plan());
    let transcript = play(
        &mut world,
        r#"0m ann {"do":"open","title":"t","severity":"SEV3","services":["payments"]}
           0m bob {"do":"acknowledge","incident":1}
           6d bob {"do":"note","incident":1,"kind":"note","text":"pool raised"}
           7d clock
           7d answer dana mail accepted
           7d see INC-1
           8d dana {"do":"accept-handover","incident":1}"#,
    );
    assert!(transcript.contains("primary: bob goes, dana comes"), "{transcript}");
    assert!(
        transcript.contains("bob offers it to dana; bob answers for it until then"),
        "{transcript}"
    );
    assert!(transcript.contains("INC-1 SEV3 triage, open for 7d"), "the brief: {transcript}");
    assert!(transcript.contains("dana took it over from bob"), "{transcript}");
}

#[test]
fn demand_29_one_page_for_a_storm_and_the_first_of_a_new_service_jumps_the_queue() {
    let mut world = World::under(plan());
    let open = |service: &str| {
        format!(r#"ann {{"do":"open","title":"t","severity":"SEV2","services":["{service}"]}}"#)
    };
    let script = format!(
        "0s {payments}\n0s clock\n1s answer bob mail accepted\n2s {payments}\n3s {payments}\n4s clock\n\
         5s {robin}\n5s clock",
        payments = open("payments"),
        robin = open("robin"),
    );
    play(&mut world, &script);
    let sizes = |world: &World| -> Vec<(String, usize)> {
        world.jobs.iter().map(|job| (job.destination.to.clone(), job.items.len())).collect()
    };
    assert_eq!(sizes(&world), [("bob".to_owned(), 1), ("dana".to_owned(), 1)], "a new service");
    play(&mut world, "62s clock");
    assert_eq!(sizes(&world).last(), Some(&("bob".to_owned(), 2)), "the rest in one message");
}

#[test]
fn in_turn_means_another_one_each_time() {
    let mut world = World::under(plan());
    for _ in 0..3 {
        play(
            &mut world,
            r#"0m ann {"do":"open","title":"t","severity":"SEV2","services":["robin"]}
               0m clock"#,
        );
    }
    let people: Vec<String> = world
        .engine
        .room
        .incidents
        .values()
        .map(|i| i.esc.deliveries[0].wanted.to.clone())
        .collect();
    assert_eq!(people, ["dana", "bob", "dana"]);
}

#[test]
fn a_missed_promise_reaches_the_manager_whoever_has_answered() {
    let at = crate::world::START.plus(20 * 60_000).to_string();
    check(
        &format!(
            r#"0m ann {OPEN}
               0m bob {{"do":"acknowledge","incident":1}}
               1m bob {{"do":"log-contact","incident":1,"stakeholder":"customers","channel":"phone","text":"we look","next_by":"{at}"}}
               19m clock
               21m clock
               25m clock"#
        ),
        &format!(
            "INC-1 ann: opened as SEV2 (ann said so)
             INC-1 bob: acknowledged
             INC-1 bob: told customers by phone: we look · next by {}
             INC-1 system: NOT TOLD IN TIME: customers (due {due}); telling bob
             INC-1 system: paging erik by mail (trigger: a missed promise); 1m late
             INC-1 system: sending to bob by mail
             INC-1 system: sending to erik by mail
             INC-1 system: STILL NOT TOLD: customers (due {due}); telling fay
             INC-1 system: sending to fay by mail",
            crate::world::START.plus(20 * 60_000).clock_minutes(),
            due = crate::world::START.plus(20 * 60_000).clock_minutes()
        ),
    );
}

#[test]
fn a_cover_stands_in_and_is_gone_when_it_is_taken_back() {
    let at = |minutes: i64| crate::world::START.plus(minutes * 60_000).to_string();
    let mut world = World::under(plan());
    play(
        &mut world,
        &format!(
            r#"0m bob {{"do":"cover-shift","schedule":"primary","from":"{}","until":"{}","person":"erik","reason":"dentist"}}
               1m ann {OPEN}
               1m clock
               2m bob {{"do":"revoke-cover","schedule":"primary","cover":1}}
               3m ann {OPEN}
               3m clock"#,
            at(0),
            at(60)
        ),
    );
    let people: Vec<String> = world
        .engine
        .room
        .incidents
        .values()
        .map(|i| i.esc.deliveries[0].wanted.to.clone())
        .collect();
    assert_eq!(people, ["erik", "bob"]);
}

#[test]
fn an_open_console_of_the_person_shows_the_page() {
    let mut plan = plan();
    plan.people.entry("bob".to_owned()).and_modify(|bob| {
        bob.contacts = vec!["terminal".to_owned(), "mail:bob@example.org".to_owned()];
    });
    let mut world = World::under(plan);
    let client = world.client("bob");
    let id = world.id();
    let ask = warroom::proto::Ask::Follow { first: 10 };
    world.give(warroom::keeper::turn::Input::Request { client, id, ask });
    let transcript = play(&mut world, &format!("0m ann {OPEN}\n0m clock"));
    assert!(
        transcript.contains("bob by terminal was handed it: 1 open console(s)"),
        "{transcript}"
    );
    assert!(
        transcript.contains("sending to bob by mail"),
        "a terminal proves nothing: {transcript}"
    );
    let paged = world.heard.iter().any(|(to, message)| {
        *to == client
            && matches!(
                message,
                warroom::proto::KeeperMsg::Push(warroom::proto::Push::Paged { .. })
            )
    });
    assert!(paged, "the console is told");
}

/// What the auditor finds at an instant, having read up to an event.
fn audit(world: &World, until: impl Fn(&Body) -> bool, now: Timestamp) -> Vec<String> {
    let mut auditor = Auditor::default();
    world
        .journal
        .scan(0, &mut |raw| {
            let event = raw.decode().expect("a readable event");
            auditor.see(&event);
            !until(&event.body)
        })
        .expect("a readable journal");
    auditor.check(now)
}

#[test]
fn what_was_on_its_way_at_a_kill_goes_again_before_the_rest() {
    let mut world = World::under(plan());
    for _ in 0..1_000 {
        let open = serde_json::from_str(OPEN).expect("a command");
        world.act("ann", open);
    }
    world.tick();
    world.answer("bob", "mail", AttemptResult::Accepted);
    world.now = world.now.plus(61_000);
    world.tick();
    let sent = |world: &World| world.jobs.last().expect("a message").sendings.clone();
    let lost = sent(&world);
    assert!(lost.len() > 100, "a bundle of {}", lost.len());
    world.restart();
    world.tick();
    let again = sent(&world);
    assert!(lost.iter().all(|item| again.contains(item)), "it goes again before the rest");
    assert_eq!(audit(&world, |_| false, world.now), Vec::<String>::new());
}

#[test]
fn a_message_whose_end_is_not_known_is_not_one_that_never_ended() {
    let mut world = World::under(plan());
    world.act("ann", serde_json::from_str(OPEN).expect("a command"));
    world.tick();
    world.restart();
    world.tick();
    let is_end = |body: &Body| matches!(body, Body::SendingEnded { .. });
    let at = |minutes: i64| world.now.plus(minutes * 60_000);
    assert_eq!(audit(&world, is_end, at(3)), Vec::<String>::new(), "it waits for its turn");
    let found = audit(&world, is_end, at(6));
    assert!(found.iter().any(|finding| finding.contains("never sent")), "{found:?}");
}

#[test]
fn a_phone_is_called_only_so_often_and_what_waits_goes_together() {
    let mut plan = plan();
    plan.people.get_mut("bob").expect("bob").contacts = vec!["phone:+491".to_owned()];
    plan.throttles = toml::from_str("phone = [\"2/10m\"]\n")
        .expect("throttles that are written as a plan has them");
    let mut world = World::under(plan);
    let open = r#"{"do":"open","title":"t","severity":"SEV2","services":["payments"]}"#;
    let mut auditor = Auditor::default();
    let mut called = Vec::new();
    for minute in 0..14 {
        let before = world.jobs.len();
        play(&mut world, &format!("{minute}m ann {open}\n{minute}m clock"));
        for job in world.jobs[before..].iter().filter(|job| job.destination.to == "bob") {
            called.push((minute, job.items.len()));
        }
        if world.engine.under_way().any(|(_, to)| to.to == "bob") {
            world.answer("bob", "phone", AttemptResult::Accepted);
        }
        let scan = world.journal.scan(auditor.seq, &mut |raw| {
            auditor.see(&raw.decode().expect("a readable event"));
            true
        });
        scan.expect("a readable journal");
        let found = auditor.check(world.now);
        let to_bob = found.iter().find(|words| words.contains(" bob wanted since"));
        assert_eq!(to_bob, None, "what is held back is not lost, at minute {minute}");
    }
    assert!(called[0].0 == 0 && called[1].0 <= 2, "{called:?}");
    assert!((10..=11).contains(&called[2].0), "ten minutes after the first of two: {called:?}");
    assert!(called[2].1 > 5, "what waited goes together: {called:?}");
    play(
        &mut world,
        r#"13m ann {"do":"page","incident":1,"people":["bob"],"reason":"now"}
           13m clock"#,
    );
    let last = world.jobs.last().expect("a call");
    assert_eq!(last.destination.to, "bob", "by hand it goes at once");
}

#[test]
fn made_up_services_do_not_make_a_page_each() {
    let mut world = World::under(plan());
    let mut jobs = 0;
    for second in 0..50 {
        let open = format!(
            r#"{second}s ann {{"do":"open","title":"t","severity":"SEV2","services":["made-up-{second}"]}}"#
        );
        play(&mut world, &format!("{open}\n{second}s clock"));
        if world.engine.under_way().any(|(_, to)| to.to == "bob") {
            world.answer("bob", "mail", AttemptResult::Accepted);
            jobs += 1;
        }
    }
    assert!((2..=14).contains(&jobs), "{jobs} messages in less than a minute");
}

/// Ann opens one on payments.
fn open(severity: &str) -> String {
    format!(r#"ann {{"do":"open","title":"t","severity":"{severity}","services":["payments"]}}"#)
}

#[test]
fn what_is_worse_than_all_that_somebody_heard_of_waits_for_no_bundle() {
    let mut world = World::under(plan());
    let (minor, major, worst) = (open("SEV3"), open("SEV2"), open("SEV1"));
    play(
        &mut world,
        &format!(
            "0s {minor}\n0s clock\n1s answer bob mail accepted\n2s {minor}\n3s clock\n4s {worst}\n4s clock\n\
             5s answer bob mail accepted\n6s {major}\n7s clock"
        ),
    );
    let sizes = |world: &World| world.jobs.iter().map(|job| job.items.len()).collect::<Vec<_>>();
    assert_eq!(sizes(&world), [1, 2], "the worst takes along what waits; what is less bad waits");
    play(&mut world, "66s clock");
    assert_eq!(sizes(&world), [1, 2, 1]);
}

#[test]
fn a_message_that_hangs_holds_up_nothing_worse() {
    let mut world = World::under(plan());
    let (minor, major) = (open("SEV3"), open("SEV2"));
    play(&mut world, &format!("0s {minor}\n0s clock\n1s {minor}\n3s clock\n3s {major}\n3s clock"));
    let sizes = |world: &World| world.jobs.iter().map(|job| job.items.len()).collect::<Vec<_>>();
    assert_eq!(sizes(&world), [1, 2], "it passes the one that hangs, and takes along what waits");
    play(&mut world, &format!("9s {major}\n12s clock"));
    assert_eq!(sizes(&world), [1, 2], "what is as bad waits for the answer");
}

#[test]
fn a_cover_that_would_change_nothing_is_refused_with_what_stands_against_it() {
    let at = |hours: i64| crate::world::START.plus(hours * 3_600_000).to_string();
    let cover = |from: i64, until: i64, person: &str, instead_of: &str| {
        format!(
            r#"bob {{"do":"cover-shift","schedule":"primary","from":"{}","until":"{}","person":"{person}","instead_of":{instead_of},"reason":""}}"#,
            at(from),
            at(until)
        )
    };
    let mut world = World::under(plan());
    let script = [
        cover(0, 2, "bob", "null"),
        cover(0, 2, "erik", "\"dana\""),
        cover(0, 2, "erik", "\"bob\""),
        // Bob's turn ends within it: from then on it changes something.
        cover(2, 24 * 7, "bob", "null"),
    ]
    .map(|line| format!("0m {line}"));
    let transcript = play(&mut world, &script.join("\n"));
    let lines: Vec<&str> = transcript.lines().collect();
    assert!(lines[0].contains("bob is on duty between"), "{transcript}");
    assert!(lines[1].contains("dana is not on duty between"), "{transcript}");
    assert!(lines[1].contains("; bob is; name one of those"), "{transcript}");
    assert_eq!(lines[2..], ["primary: erik covers", "primary: bob covers"]);
}

#[test]
fn an_incident_that_all_must_answer_is_not_held_by_the_first() {
    let mut world = World::under(plan());
    let script = r#"0m ann {"do":"open","title":"t","severity":"SEV2","services":["vault"]}
                    0m clock
                    1m bob {"do":"acknowledge","incident":1}"#;
    play(&mut world, script);
    let row = |world: &World| {
        let room = &world.engine.room;
        Row::of(room.incidents.values().next().expect("an incident"))
    };
    assert!(row(&world).is_acked && row(&world).is_partly);
    assert_eq!(world.engine.room.tally.unacked, 1, "dana has not answered");
    play(&mut world, r#"2m dana {"do":"acknowledge","incident":1}"#);
    assert!(row(&world).is_acked && !row(&world).is_partly);
    assert_eq!(world.engine.room.tally.unacked, 0);
}

#[test]
fn responders_plan_maintenance_but_not_of_everything_nor_for_the_public() {
    let window = |services: &str, public: &str| -> Command {
        serde_json::from_str(&format!(
            r#"{{"do":"plan-window","services":["{services}"],"from":"{}","until":"{}","reason":"upgrade","public":"{public}"}}"#,
            crate::world::START,
            crate::world::START.plus(3_600_000)
        ))
        .expect("a command")
    };
    assert_eq!(window("payments", "").right(), Right::Respond);
    assert_eq!(window("*", "").right(), Right::Command);
    assert_eq!(window("payments", "Faster card payments").right(), Right::Command);
    let publish = serde_json::from_str(r#"{"do":"publish-window","window":1}"#);
    assert_eq!(publish.map(|command: Command| command.right()).ok(), Some(Right::Command));
}

#[test]
fn a_turn_is_taken_by_one_and_who_is_second_is_told() {
    let at = crate::world::START.plus(3_600_000);
    let ask = |with: &str| {
        format!(r#"0m bob {{"do":"ask-swap","schedule":"primary","at":"{at}","with":"{with}"}}"#)
    };
    let take = |who: &str, swap: u32| {
        format!(
            r#"1m {who} {{"do":"answer-swap","schedule":"primary","swap":{swap},"accept":true}}"#
        )
    };
    let mut world = World::under(plan());
    let script = [ask("dana"), ask("erik"), take("dana", 1), take("erik", 2)].join("\n");
    let told = play(&mut world, &script);
    assert!(
        told.contains("refused erik: bob no longer has that turn: it is now of dana"),
        "{told}"
    );
}
