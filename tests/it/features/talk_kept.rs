//! What must not be lost on the way to those who must know: alarms after the end, clocks whose limit
//! falls away, words that are hidden, messages that got through by no way, drafts that grew old.

use warroom::domain::change::Change;
use warroom::domain::delivery::Stand;
use warroom::domain::event::{Body, Occurred};
use warroom::domain::ids::IncidentId;
use warroom::domain::plan::Plan;
use warroom::domain::stakeholder::Stakeholder;
use warroom::domain::status::site;
use warroom::domain::talk::change::TalkChange;
use warroom::domain::talk::promise;
use warroom::domain::time::Timestamp;
use warroom::domain::words::Fidelity;
use warroom::keeper::turn::Input;
use warroom::store::Reader;
use warroom::store::batch::EVENT_BYTES_MAX;

use crate::features::paging_world;
use crate::world::{START, World, play};

pub const BEGIN: &str = r#"
    0m ann {"do":"open","title":"t","severity":"SEV2","services":["payments"],"declare":true}
    0m bob {"do":"acknowledge","incident":1}
    0m bob {"do":"take-command","incident":1}
    0m bob {"do":"assign-role","incident":1,"role":"customer-liaison","person":"dana"}"#;

pub fn plan() -> Plan {
    let who = |text: &str| -> Stakeholder { toml::from_str(text).expect("a stakeholder") };
    let mut plan = paging_world::plan();
    let rest = "from_severity = \"SEV2\"\nevery_min = 20\n";
    let customers = format!(
        "audience = \"public\"\nchannels = [\"status page\"]\nsubscribers = [\"mail:c@example.com\"]\n{rest}"
    );
    let support = format!("audience = \"internal\"\nchannels = [\"mail:s@example.org\"]\n{rest}");
    plan.stakeholders =
        [("customers".to_owned(), who(&customers)), ("support".to_owned(), who(&support))].into();
    plan
}

pub fn begin() -> World {
    let mut world = World::under(plan());
    play(&mut world, BEGIN);
    world
}

pub fn at(minutes: i64) -> Timestamp {
    START.plus(minutes * 60_000)
}

pub fn draft(audience: &str, who: &str, minutes: i64, more: &str) -> String {
    let next = at(minutes);
    let next = if more.contains(r#""last":true"#) {
        String::new()
    } else {
        format!(r#","next_by":"{next}""#)
    };
    format!(
        r#"{{"do":"talk","incident":1,"talk":{{"say":"draft","audience":"{audience}","to":["{who}"],"title":"Payments","words":[{{"language":"en","subject":"the subject","text":"the password is x"}}]{next}{more}}}}}"#
    )
}

const APPROVE: &str = r#"{"do":"talk","incident":1,"talk":{"say":"approve","update":1}}"#;
const RESOLVE: &str = r#"{"do":"resolve","incident":1,"reason":"fixed","evidence":"quiet"}"#;

#[test]
fn what_is_told_after_the_end_is_sent() {
    let mut world = begin();
    let update = draft("internal", "support", 30, "");
    play(
        &mut world,
        &format!(
            "1m ann {update}\n1m clock\n1m answer stakeholder:support mail accepted\n2m ann {RESOLVE}"
        ),
    );
    let before = world.jobs.len();
    let told = play(&mut world, "33m clock\n33m clock");
    assert!(told.contains("NOT TOLD IN TIME: support"), "{told}");
    assert!(world.jobs.len() > before, "and somebody is told: {told}");
    assert!(told.contains("sending to bob") || told.contains("sending to dana"), "{told}");
}

#[test]
fn a_limit_that_falls_away_is_told_and_does_not_keep_the_keeper_awake() {
    let mut world = begin();
    let aware = format!(
        r#"{{"do":"legal","incident":1,"legal":{{"state":"determine","rule":"dora","kind":"aware","at":"{START}","evidence":"seen"}}}}"#
    );
    let told = play(&mut world, &format!("1m ann {aware}"));
    assert!(!told.contains("refused"), "{told}");
    for hour in 1..60 {
        world.now = world.now.max(at(hour * 60));
        world.tick();
        let due = world.engine.next_due();
        assert!(due.is_none_or(|due| due > world.now), "hour {hour}: due {due:?} for ever");
    }
}

#[test]
fn words_for_us_never_reach_the_status_page() {
    let mut plan = plan();
    plan.stakeholders.get_mut("support").expect("support").channels.push("status page".to_owned());
    let mut world = World::under(plan);
    play(&mut world, BEGIN);
    let leak = draft("internal", "support", 30, r#","public":"investigating""#);
    let told = play(&mut world, &format!("1m ann {leak}"));
    assert!(told.contains("what is internal is not for the status page"), "{told}");
    play(&mut world, &format!("1m ann {}", draft("internal", "support", 30, "")));
    assert!(site(&world.engine.room).incidents.is_empty());
}

#[test]
fn hidden_words_are_hidden_on_the_page_too() {
    let mut world = begin();
    let public = draft("public", "customers", 20, r#","public":"investigating""#);
    play(&mut world, &format!("1m ann {public}\n1m bob {APPROVE}"));
    let entry = world.engine.room.incidents[&IncidentId(1)].talk.updates[0].entry;
    let redact =
        format!(r#"{{"do":"redact-entry","incident":1,"entry":{entry},"reason":"a password"}}"#);
    let told = play(&mut world, &format!("2m bob {redact}"));
    assert!(!told.contains("refused"), "{told}");
    let all = format!("{:?}{:?}", site(&world.engine.room), world.engine.room.incidents);
    assert!(!all.contains("password is x") && !all.contains("the subject"), "{all}");
    world.restart();
    assert!(!format!("{:?}", site(&world.engine.room)).contains("password is x"));
}

#[test]
fn a_message_that_got_through_by_no_way_told_nobody() {
    let mut world = begin();
    let update = draft("internal", "support", 30, "");
    let told = play(
        &mut world,
        &format!("1m ann {update}\n1m clock\n1m answer stakeholder:support mail refused\n2m clock"),
    );
    assert!(told.contains("NOT TOLD IN TIME: support"), "{told}");
    let last = draft("internal", "support", 0, r#","last":true"#);
    let told = play(
        &mut world,
        &format!(
            r#"3m ann {RESOLVE}
               4m ann {last}
               4m clock
               4m answer stakeholder:support mail refused
               5m bob {{"do":"close","incident":1,"note":""}}"#
        ),
    );
    assert!(told.contains("support were told of it and got no last word"), "{told}");
}

#[test]
fn a_draft_that_grew_old_is_not_sent_and_not_lost() {
    let mut world = begin();
    let last = draft("public", "customers", 0, r#","last":true,"public":"resolved""#);
    let told = play(
        &mut world,
        &format!(
            r#"1m ann {RESOLVE}
               2m ann {last}
               3m bob {{"do":"close","incident":1,"note":""}}
               4m ann {{"do":"reopen","incident":1,"reason":"it is back"}}
               5m bob {APPROVE}"#
        ),
    );
    assert!(told.contains("update 1 of INC-1 waits for approval"), "nothing is lost: {told}");
    assert!(told.contains("INC-1 was reopened since it was written"), "{told}");
    let mut world = begin();
    let partner = draft("internal", "support", 30, "");
    let mut plan = plan();
    let support = plan.stakeholders.get_mut("support").expect("support");
    support.approvers = vec!["zoe".to_owned()];
    world.give(warroom::keeper::turn::Input::Own(warroom::domain::event::Body::PlanAdopted {
        plan: Box::new(plan.clone()),
        digest: "2".to_owned(),
        note: String::new(),
    }));
    play(&mut world, &format!("1m ann {partner}"));
    plan.stakeholders.get_mut("support").expect("support").audience =
        warroom::domain::stakeholder::Audience::Public;
    world.give(warroom::keeper::turn::Input::Own(warroom::domain::event::Body::PlanAdopted {
        plan: Box::new(plan),
        digest: "3".to_owned(),
        note: String::new(),
    }));
    let told = play(&mut world, &format!("2m zoe {APPROVE}"));
    assert!(told.contains("by the plan support may not read it any more"), "{told}");
}

#[test]
fn what_was_put_aside_is_owed_again_once_it_is_real() {
    let mut world = begin();
    let legal = |what: &str| {
        format!(r#"{{"do":"legal","incident":1,"legal":{{"rule":"gdpr-controller",{what}}}}}"#)
    };
    let aware =
        legal(&format!(r#""state":"determine","kind":"aware","at":"{START}","evidence":"seen""#));
    let not = legal(r#""state":"not-applicable","stage":"authority","why":"test data""#);
    let open = |world: &World| {
        let room = &world.engine.room;
        warroom::domain::legal::open(&room.incidents[&IncidentId(1)], &room.plan, world.now).len()
    };
    play(&mut world, &format!("1m ann {aware}\n2m ann {not}"));
    assert_eq!(open(&world), 0);
    play(&mut world, &format!("3m ann {aware}"));
    assert_eq!(open(&world), 1, "it was real after all");
    // One that was entered after its time is told at once.
    let late = at(-80 * 60);
    let late =
        legal(&format!(r#""state":"determine","kind":"aware","at":"{late}","evidence":"seen""#));
    let told = play(&mut world, &format!("4m ann {late}\n4m clock"));
    assert!(told.contains("CLOCK gdpr-controller authority: MISSED"), "{told}");
}

#[test]
fn a_word_that_was_given_outlives_the_resolution() {
    let mut world = begin();
    let promise = format!(
        r#"{{"do":"talk","incident":1,"talk":{{"say":"promise","stakeholder":"support","next_by":"{}","text":"the vendor's answer"}}}}"#,
        at(60)
    );
    let told = play(
        &mut world,
        &format!(
            r#"1m ann {promise}
               2m ann {RESOLVE}
               3m bob {{"do":"close","incident":1,"note":""}}
               61m clock"#
        ),
    );
    assert!(told.contains("support were told of it and got no last word"), "{told}");
    assert!(told.contains("NOT TOLD IN TIME: support (due 14:20)"), "{told}");
}

#[test]
fn a_worse_severity_gives_nobody_more_time_who_had_to_know_already() {
    let mut world = begin();
    let told = play(
        &mut world,
        r#"4m ann {"do":"set-severity","incident":1,"severity":"SEV1","reason":""}
           5m clock
           5m clock"#,
    );
    assert!(
        told.contains("NOT TOLD IN TIME: customers (due 13:25), support (due 13:25)"),
        "{told}"
    );
}

#[test]
fn the_press_that_needs_an_answer_by_a_time_is_not_forgotten() {
    let mut world = begin();
    let ask = format!(
        r#"{{"do":"talk","incident":1,"talk":{{"say":"inquire","outlet":"Evening News","question":"Is it an attack?","answer_by":"{}"}}}}"#,
        at(3)
    );
    let told = play(
        &mut world,
        &format!(
            r#"1m ann {ask}
               1m bob {{"do":"assign-role","incident":1,"role":"spokesperson","person":"zoe"}}
               3m clock"#
        ),
    );
    assert!(
        told.contains("NOT TOLD IN TIME: press 1 (Evening News) (due 13:23); telling zoe"),
        "{told}"
    );
}

#[test]
fn a_call_written_down_late_does_not_undo_newer_words() {
    let call = |world: &mut World, occurred| {
        let command = serde_json::json!({
            "do": "log-contact", "incident": 1, "stakeholder": "support", "channel": "phone",
            "text": "called", "next_by": null,
        });
        world.now = at(35);
        let command = serde_json::from_value(command).expect("a command");
        drop(world.act_at("dana", command, occurred));
        let told = &world.engine.room.incidents[&IncidentId(1)].told["support"];
        (told.at.0 / 60_000, told.next_by, told.count)
    };
    let early = Occurred { at: at(10), fidelity: Fidelity::About };
    let update = format!("30m bob {}", draft("internal", "support", 50, ""));
    let mut world = begin();
    play(&mut world, &update);
    assert_eq!(call(&mut world, Some(early)), (at(30).0 / 60_000, Some(at(50)), 2));
    let mut world = begin();
    play(&mut world, &update);
    assert_eq!(
        call(&mut world, None),
        (at(35).0 / 60_000, None, 2),
        "what is said now takes the place"
    );
}

#[test]
fn who_waits_for_a_word_waits_for_it_from_the_incident_that_takes_over() {
    let mut world = begin();
    let promise = format!(
        r#"{{"do":"talk","incident":1,"talk":{{"say":"promise","stakeholder":"support","next_by":"{}"}}}}"#,
        at(4)
    );
    let ask = format!(
        r#"{{"do":"talk","incident":1,"talk":{{"say":"inquire","outlet":"Evening News","question":"Is it an attack?","answer_by":"{}"}}}}"#,
        at(60)
    );
    let merge = r#"{"do":"merge","incident":1,"into":2}"#;
    let told = play(
        &mut world,
        &format!(
            r#"1m ann {promise}
               1m ann {{"do":"open","title":"the cause","severity":"SEV3","declare":true}}
               1m bob {{"do":"acknowledge","incident":2}}
               2m ann {ask}
               2m ann {merge}
               2m bob {{"do":"assign-role","incident":1,"role":"spokesperson","person":"zoe"}}
               3m zoe {{"do":"talk","incident":1,"talk":{{"say":"answer-inquiry","inquiry":1,"text":"No."}}}}
               3m ann {merge}
               4m clock"#
        ),
    );
    assert_eq!(told.matches("the press waits for an answer about INC-1").count(), 1, "{told}");
    assert!(told.contains("NOT TOLD IN TIME: support (due 13:24)"), "{told}");
}

#[test]
fn a_clock_put_back_moves_the_clocks_of_the_first_word_with_it() {
    let mut world = begin();
    let hour = 3_600_000;
    world.now = world.now.plus(-hour);
    world.give(Input::Own(Body::ClockJumped { by_ms: -hour, incidents: vec![IncidentId(1)] }));
    world.now = at(6).plus(-hour);
    let told = world.tick();
    let missed = told.iter().any(|event| format!("{:?}", event.body).contains("Missed"));
    assert!(missed, "five minutes passed, whatever the wall says: {told:?}");
}

#[test]
fn a_promise_runs_from_when_it_was_given() {
    let mut world = begin();
    let promise = format!(
        r#"{{"do":"talk","incident":1,"talk":{{"say":"promise","stakeholder":"support","next_by":"{}"}}}}"#,
        at(60)
    );
    let update = draft("internal", "support", 70, "");
    play(&mut world, &format!("1m bob {update}\n40m bob {promise}"));
    let incident = &world.engine.room.incidents[&IncidentId(1)];
    let all = promise::all(incident, &world.engine.room.plan);
    let given = all.iter().find(|promise| promise.who == "support").expect("it was given");
    assert_eq!((given.since.0 / 60_000, given.due), (at(40).0 / 60_000, at(60)));
    assert_eq!(given.mark(at(49)), 0);
    assert_eq!(given.mark(at(51)), 50);
}

#[test]
fn a_miss_is_heard_of_though_the_incident_ends_or_nobody_has_a_part_in_it() {
    // A word that waits for its bundle is not called back by the end: dana just got another one.
    let mut world = begin();
    let told = play(
        &mut world,
        &format!(
            "1m ann {}\n1m clock\n1m answer stakeholder:support mail accepted\n25m clock\n31m clock\n31m ann {RESOLVE}",
            draft("internal", "support", 30, "")
        ),
    );
    assert!(told.contains("NOT TOLD IN TIME: customers"), "{told}");
    let words = world.engine.room.incidents[&IncidentId(1)].esc.deliveries.iter();
    let words = words.filter(|delivery| delivery.wanted.why.contains("NOT TOLD"));
    let stands: Vec<&Stand> = words.map(|delivery| &delivery.stand).collect();
    let is_off = |stand: &&&Stand| matches!(stand, Stand::Cancelled { .. });
    assert!(!stands.is_empty() && !stands.iter().any(|stand| is_off(&stand)), "{stands:?}\n{told}");
    // Nobody has a part in it and nobody answered: whom the plan falls back on hears of it.
    let mut world = World::under(plan());
    let told = play(
        &mut world,
        r#"0m ann {"do":"open","title":"t","severity":"SEV2","services":["payments"],"declare":true}
           6m clock"#,
    );
    assert!(told.contains("support (due 13:25); telling fay"), "{told}");
    assert!(!told.contains("NOBODY COULD BE TOLD"), "{told}");
}

#[test]
fn a_large_update_is_several_events_and_one_update() {
    let mut plan = plan();
    let list = plan.stakeholders.get_mut("support").expect("support");
    list.channels.clear();
    list.subscribers = (0..4_500).map(|n| format!("mail:p{n}@example.org")).collect();
    let mut world = World::under(plan);
    play(&mut world, BEGIN);
    let before = world.engine.room.seq;
    play(&mut world, &format!("1m ann {}", draft("internal", "support", 30, "")));
    let mut parts = Vec::new();
    let scan = world.journal.scan(before, &mut |raw| {
        assert!(raw.json.len() < EVENT_BYTES_MAX, "{}", raw.json.len());
        if let Body::Incident { change: Change::Talk(talk), .. } = raw.decode().expect("JSON").body
        {
            match *talk {
                TalkChange::Sent(sent) => parts.push(sent.letters.len()),
                TalkChange::LettersAdded { letters, .. } => parts.push(letters.len()),
                _ => {}
            }
        }
        true
    });
    scan.expect("a readable journal");
    assert_eq!(parts, [2_000, 2_000, 500]);
    let incident = &world.engine.room.incidents[&IncidentId(1)];
    assert_eq!(incident.talk.letters.len(), 4_500);
    let told = &incident.told["support"];
    assert_eq!((told.count, told.channel.as_str()), (1, "mail × 4500"));
    assert_eq!(incident.talk.proofs["support"].messages(), 4_500);
    world.restart();
    assert_eq!(world.engine.room.incidents[&IncidentId(1)].talk.letters.len(), 4_500);
}
