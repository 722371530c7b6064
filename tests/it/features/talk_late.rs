//! Promises whose miss reaches nobody at first, and those whom an incident concerns only later.

use warroom::domain::event::{Body, Occurred};
use warroom::domain::ids::IncidentId;
use warroom::domain::plan::Plan;
use warroom::domain::status::site;
use warroom::domain::talk::{page, promise};
use warroom::domain::words::{Fidelity, PublicStatus};
use warroom::keeper::turn::Input;

use crate::features::talk_kept::{at, begin, draft, plan};
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
            "INC-1 system: STILL NOT TOLD: customers (due 13:25), support (due 13:25); telling \
             bob, dana, erik, fay, zoe",
        ],
        "each once: {told}"
    );
}

#[test]
fn a_miss_of_which_nobody_has_heard_is_told_again_until_somebody_has() {
    let mut world = begin();
    let refuse = |world: &mut World, minute: u32, ways: &[&str]| -> String {
        let step = |way: &&str| format!("{minute}m answer {way} refused\n{minute}m clock\n");
        play(world, &ways.iter().map(step).collect::<String>())
    };
    let all = ["bob mail", "bob phone", "dana mail", "erik mail", "fay mail", "zoe mail"];
    play(&mut world, "5m clock");
    refuse(&mut world, 5, &["dana mail", "bob mail", "bob phone", "fay mail"]);
    refuse(&mut world, 5, &all);
    let told = play(&mut world, "14m clock");
    assert!(!told.contains("NOT TOLD"), "{told}");
    let told = play(&mut world, "16m clock");
    assert_eq!(told.matches("STILL NOT TOLD").count(), 1, "the channel may be back: {told}");
    let told = refuse(&mut world, 16, &all) + &play(&mut world, "27m clock");
    assert_eq!(told.matches("STILL NOT TOLD").count(), 1, "{told}");
    let told = play(&mut world, "27m answer zoe mail accepted\n60m clock");
    assert!(!told.contains("NOT TOLD"), "one has it: {told}");
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

const END: &str = r#"{"do":"resolve","incident":1,"reason":"fixed","evidence":"quiet"}"#;
const CLOSE: &str = r#"{"do":"close","incident":1,"note":""}"#;
const APPROVE: &str = r#"{"do":"talk","incident":1,"talk":{"say":"approve","update":1}}"#;

#[test]
fn readers_whom_an_update_did_not_reach_are_told_of_once_and_keep_the_incident_open() {
    let mut plan = plan();
    let customers = plan.stakeholders.get_mut("customers").expect("it");
    customers.subscribers = vec!["mail:a@example.com".to_owned(), "mail:b@example.com".to_owned()];
    let mut world = World::under(plan);
    play(&mut world, crate::features::talk_kept::BEGIN);
    let last = draft("public", "customers", 0, r#","last":true,"public":"resolved""#);
    let told = play(
        &mut world,
        &format!(
            "1m ann {END}\n2m dana {last}\n2m bob {APPROVE}\n2m clock\n\
             2m answer stakeholder:customers mail refused\n2m clock\n\
             2m answer stakeholder:customers mail accepted\n2m clock\n3m clock\n4m kill now\n5m clock"
        ),
    );
    let lines: Vec<&str> = told.lines().filter(|line| line.contains("NOT ALL GOT IT")).collect();
    assert_eq!(lines.len(), 1, "once: {told}");
    assert!(
        lines[0].contains("customers: 1 of 2 messages of update 1 (mail:a@example.com: no)")
            && lines[0].ends_with("telling dana"),
        "{told}"
    );
    let told = play(&mut world, &format!("6m ann {CLOSE}"));
    assert!(
        told.contains("refused ann: INC-1: support must know of it and heard nothing; ")
            && told.contains("; the last word did not get through to customers: 1 of 2"),
        "{told}"
    );
    let silent = CLOSE.replace(r#""note":"""#, r#""note":"","silent":"a is called by phone""#);
    let told = play(&mut world, &format!("7m ann {silent}"));
    assert!(told.contains("closed") && told.contains("a is called by phone"), "{told}");
}

#[test]
fn words_that_a_person_was_to_pass_on_are_not_forgotten_at_the_end() {
    let mut plan = plan();
    plan.stakeholders.get_mut("support").expect("it").channels = vec!["phone chain".to_owned()];
    let mut world = World::under(plan);
    play(&mut world, crate::features::talk_kept::BEGIN);
    let update = draft("internal", "support", 30, "");
    let told =
        play(&mut world, &format!("1m ann {update}\n2m ann {END}\n3m ann {CLOSE}\n33m clock"));
    assert!(told.contains("nobody passed on to support what update 1 says"), "{told}");
    assert!(told.contains("NOT TOLD IN TIME: support"), "a clock runs for it: {told}");
    let log = r#"{"do":"log-contact","incident":1,"stakeholder":"support","channel":"phone","text":"over","next_by":null,"last":true}"#;
    let told = play(&mut world, &format!("34m ann {log}\n35m ann {CLOSE}"));
    let open = "refused ann: INC-1: customers must know of it and heard nothing; tell them";
    assert!(told.contains(open), "those who heard nothing alone are left: {told}");
}

#[test]
fn a_merge_makes_nobody_told_who_was_to_be_told_by_hand() {
    let mut plan = plan();
    plan.stakeholders.get_mut("support").expect("it").channels = vec!["phone chain".to_owned()];
    let mut world = World::under(plan);
    play(&mut world, crate::features::talk_kept::BEGIN);
    let update = draft("internal", "support", 30, "");
    play(
        &mut world,
        &format!(
            r#"1m ann {update}
               1m ann {{"do":"open","title":"other","severity":"SEV2","services":["payments"],"declare":true}}
               2m ann {{"do":"merge","incident":1,"into":2}}"#
        ),
    );
    let told = &world.engine.room.incidents[&IncidentId(2)].told["support"];
    assert_eq!((told.count, told.next_by), (0, Some(at(30))), "{told:?}");
}

#[test]
fn a_conversation_is_not_before_what_it_is_about_and_one_untold_begins_nothing_anew() {
    let mut world = begin();
    let log = |occurred: &str| {
        let command = serde_json::from_str(
            r#"{"do":"log-contact","incident":1,"stakeholder":"support","channel":"phone","text":"t","next_by":null}"#,
        );
        let at = occurred.parse().expect("a time");
        let occurred = Occurred { at, fidelity: Fidelity::Exact };
        (command.expect("a command"), Some(occurred))
    };
    let (command, yesterday) = log("2026-11-22T23:30:00Z");
    let (reply, _) = world.act_at("ann", command, yesterday);
    assert!(format!("{reply:?}").contains("is before INC-1 began"), "{reply:?}");
    let names = ["customers".to_owned(), "support".to_owned()];
    let is_first =
        |world: &World| promise::is_first(&world.engine.room.incidents[&IncidentId(1)], &names);
    assert!(is_first(&world));
    let (command, just_now) = log("2026-11-23T13:19:00Z");
    let (reply, _) = world.act_at("ann", command, just_now);
    assert!(format!("{reply:?}").contains("Done"), "{reply:?}");
    assert!(!is_first(&world), "customers hear no beginning because support did");
}

#[test]
fn maintenance_that_ends_early_ended_then_and_what_was_called_off_says_so() {
    let mut world = begin();
    let window = |from: i64, until: i64| {
        format!(
            r#"0m ann {{"do":"plan-window","services":["payments"],"from":"{}","until":"{}","reason":"disks","public":"Disks are replaced"}}"#,
            at(from),
            at(until)
        )
    };
    let look = |id: u32| format!(r#"0m bob {{"do":"publish-window","window":{id}}}"#);
    let (first, second) = (window(0, 60), window(120, 180));
    play(&mut world, &format!("{first}\n{second}\n{}\n{}\n0m clock", look(1), look(2)));
    assert_eq!(site(&world.engine.room).maintenances.len(), 2);
    play(
        &mut world,
        "5m ann {\"do\":\"end-window\",\"window\":1}\n6m ann {\"do\":\"end-window\",\"window\":2}",
    );
    let all = site(&world.engine.room).maintenances;
    assert!(all[0].updated_at < at(6) && all[0].scheduled_until == at(60), "{all:?}");
    // Whoever read of it finds it again.
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(all[1].name, "Called off: Disks are replaced");
    assert!(all[1].is_called_off() && all[1].ends_at() == at(180), "{all:?}");
}

#[test]
fn words_that_are_not_on_the_status_page_reached_nobody_who_reads_nothing_else() {
    let mut only = plan();
    only.stakeholders.get_mut("customers").expect("they").subscribers.clear();
    let mut world = begin();
    adopt(&mut world, only);
    let page = |world: &mut World, fault: Option<&str>| {
        world.give(Input::Own(Body::StatusPage { fault: fault.map(str::to_owned), shown: None }));
    };
    let public = draft("public", "customers", 60, r#","public":"investigating""#);
    let inside = draft("internal", "support", 60, "");
    let approve =
        r#"{"do":"talk","incident":1,"talk":{"say":"approve","update":1,"force":"alone"}}"#;
    page(&mut world, Some("is not carried away: exit code 255"));
    let told = play(
        &mut world,
        &format!("1m bob {public}\n1m bob {approve}\n1m bob {inside}\n1m clock\n2m clock"),
    );
    assert!(!told.contains("NOT TOLD"), "it is tried again: {told}");
    let told = play(&mut world, "4m clock");
    assert!(
        told.contains("NOT TOLD IN TIME: customers") && told.contains("telling dana"),
        "{told}"
    );
    let end = r#"5m bob {"do":"resolve","incident":1,"reason":"fixed","evidence":"quiet"}"#;
    let last = draft("public", "customers", 0, r#","last":true,"public":"resolved""#);
    let close = r#"{"do":"close","incident":1,"note":""}"#;
    let sent = approve.replace(r#""update":1"#, r#""update":3"#);
    let told = play(&mut world, &format!("{end}\n6m bob {last}\n6m bob {sent}\n7m bob {close}"));
    assert!(told.contains("refused bob") && told.contains("customers"), "{told}");
    assert!(!told.contains("closed"), "{told}");
    // Once it is there, they were told.
    page(&mut world, None);
    let told = play(&mut world, "60m clock");
    assert!(!told.contains("customers"), "{told}");
    // What was there before the page failed anew stays told.
    page(&mut world, Some("is not carried away: exit code 255"));
    let told = play(&mut world, "70m clock");
    assert!(!told.contains("customers"), "{told}");
    assert!(due(&world).iter().all(|(who, _)| who != "customers"), "{:?}", due(&world));
}

#[test]
fn whoever_must_know_and_heard_nothing_is_not_forgotten_with_the_end() {
    let decline = |reason: &str| {
        format!(r#"{{"do":"decline","incident":1,"reason":"{reason}","note":"a probe"}}"#)
    };
    // What was no incident is owed to nobody.
    let mut world = begin();
    let told = play(
        &mut world,
        &format!("2m ann {}\n3m ann {}", decline("fixed"), decline("false-alarm")),
    );
    assert!(
        told.contains("INC-1 was declared an incident, which 'fixed' does not unsay; resolve it"),
        "{told}"
    );
    assert!(told.contains("declined (false-alarm)"), "{told}");
    // What was one, and is over before anybody was told, is still a promise with a clock.
    let mut world = begin();
    let told = play(&mut world, &format!("2m ann {END}\n4m ann {CLOSE}\n33m clock"));
    let open = "refused ann: INC-1: customers, support must know of it and heard nothing; tell";
    assert!(told.contains(open), "{told}");
    let missed = told.lines().find(|line| line.contains("NOT TOLD IN TIME")).unwrap_or_default();
    assert!(missed.contains("customers") && missed.contains("support"), "{told}");
    // A later judgement of how bad it was frees nobody.
    let lower = r#"{"do":"set-severity","incident":1,"severity":"SEV5","reason":"was small"}"#;
    let told = play(&mut world, &format!("34m ann {lower}\n34m ann {CLOSE}"));
    assert!(told.contains(open), "{told}");
    let silent = CLOSE.replace(r#""note":"""#, r#""note":"","silent":"one second, unseen""#);
    let told = play(&mut world, &format!("34m ann {silent}"));
    assert!(
        told.contains("closed: NO LAST WORD TO ALL WHO MUST KNOW: one second, unseen"),
        "{told}"
    );
}

#[test]
fn what_the_page_showed_when_it_failed_is_known_to_the_second() {
    let mut only = plan();
    only.stakeholders.get_mut("customers").expect("they").subscribers.clear();
    let mut world = begin();
    adopt(&mut world, only);
    let public = draft("public", "customers", 60, r#","public":"investigating""#);
    let approve =
        r#"{"do":"talk","incident":1,"talk":{"say":"approve","update":1,"force":"alone"}}"#;
    play(&mut world, &format!("1m bob {public}\n1m bob {approve}\n1m clock"));
    let said = world.engine.room.incidents[&IncidentId(1)].told["customers"].at;
    let mut is_off = |shown: warroom::domain::time::Timestamp| {
        let fault = Some("cannot be written".to_owned());
        world.give(Input::Own(Body::StatusPage { fault, shown: Some(shown) }));
        page::is_off_page(&world.engine.room.incidents[&IncidentId(1)], said)
    };
    assert!(!is_off(said), "it was carried away with these words");
    assert!(is_off(said.plus(-1)), "it was carried away before them");
}

#[test]
fn words_that_waited_over_the_end_are_written_anew() {
    let mut plan = plan();
    let support = plan.stakeholders.get_mut("support").expect("they");
    support.approval = Some(warroom::domain::words::Approval::Other);
    let mut world = World::under(plan);
    play(&mut world, crate::features::talk_kept::BEGIN);
    let update = draft("internal", "support", 60, "");
    let told = play(&mut world, &format!("1m dana {update}\n2m ann {END}\n3m ann {APPROVE}"));
    assert!(
        told.contains("refused ann: INC-1 was resolved since it was written; take it back"),
        "{told}"
    );
    // The last word may be written before the end that it tells of.
    let mut world = World::under(world.engine.room.plan.clone());
    play(&mut world, crate::features::talk_kept::BEGIN);
    let last = draft("internal", "support", 60, r#","last":true"#);
    let told = play(&mut world, &format!("1m dana {last}\n2m ann {END}\n3m ann {APPROVE}"));
    assert!(!told.contains("refused"), "{told}");
}

#[test]
fn what_was_public_stays_where_links_to_it_lead_whatever_it_became_part_of() {
    let mut world = begin();
    let public = draft("public", "customers", 60, r#","public":"identified""#);
    let approve =
        r#"{"do":"talk","incident":1,"talk":{"say":"approve","update":1,"force":"alone"}}"#;
    let open = |title: &str| {
        format!(r#"{{"do":"open","title":"{title}","severity":"SEV2","declare":true}}"#)
    };
    let merge =
        |from: u32, into: u32| format!(r#"{{"do":"merge","incident":{from},"into":{into}}}"#);
    play(
        &mut world,
        &format!(
            "1m bob {public}\n1m bob {approve}\n1m clock\n1m answer stakeholder:customers mail accepted\n\
             2m ann {}\n2m ann {}\n3m ann {}\n4m ann {}\n4m kill now",
            open("the cause"),
            open("and its cause"),
            merge(1, 2),
            merge(2, 3),
        ),
    );
    let names = |world: &World| -> Vec<String> {
        site(&world.engine.room).incidents.iter().map(|it| it.id.clone()).collect()
    };
    let status = |world: &World, id: u32| world.engine.room.incidents[&IncidentId(id)].public;
    assert_eq!(names(&world), ["i1"], "the address that people have");
    assert_eq!(status(&world, 3), PublicStatus::Identified, "and what they read there");
    let told =
        play(&mut world, r#"5m bob {"do":"set-public-status","incident":3,"status":"monitoring"}"#);
    assert!(told.contains("INC-3 is on the status page"), "{told}");
    play(&mut world, r#"6m ann {"do":"unmerge","incident":2}"#);
    assert_eq!(status(&world, 3), PublicStatus::Unpublished);
    assert_eq!(
        (names(&world), status(&world, 2)),
        (vec!["i1".to_owned()], PublicStatus::Identified)
    );
    play(&mut world, r#"7m ann {"do":"unmerge","incident":1}"#);
    assert_eq!(
        (names(&world), status(&world, 1)),
        (vec!["i1".to_owned()], PublicStatus::Identified)
    );
    assert_eq!(status(&world, 2), PublicStatus::Unpublished);
}

#[test]
fn a_merge_makes_nobody_told_whom_nothing_reached() {
    let mut world = begin();
    let update = draft("internal", "support", 60, "");
    let told = play(
        &mut world,
        &format!(
            r#"1m ann {update}
               1m clock
               1m answer stakeholder:support mail refused
               2m ann {{"do":"open","title":"other","severity":"SEV2","services":["payments"],"declare":true}}
               3m ann {{"do":"merge","incident":1,"into":2}}"#
        ),
    );
    let told_of = &world.engine.room.incidents[&IncidentId(2)].told["support"];
    assert_eq!((told_of.count, told_of.next_by), (0, None), "{told}");
    let told = play(&mut world, "20m clock");
    assert!(told.contains("NOT TOLD IN TIME: ") && told.contains("support"), "{told}");
}
