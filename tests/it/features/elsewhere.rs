//! What our pages open in a `PagerDuty` is acknowledged and closed there, whatever way an incident
//! takes, and each page is an event of its own.

use warroom::domain::audit::Auditor;
use warroom::domain::elsewhere::Closing;
use warroom::domain::ids::IncidentId;
use warroom::domain::plan::Plan;
use warroom::domain::words::AttemptResult;
use warroom::keeper::mailroom::message;
use warroom::notify::forms;
use warroom::store::Reader as _;

use crate::features::paging_world::{self, OPEN};
use crate::world::{START, World, play};

const ACK: &str = r#"{"do":"acknowledge","incident":1}"#;
const PD: &str = "channel:pd";

/// Bob is paged by a service that pages on its own.
fn plan() -> Plan {
    let mut plan = paging_world::plan();
    let text =
        "kind = \"webhook\"\nurl = \"http://127.0.0.1:9/v2/enqueue\"\nformat = \"pagerduty-v2\"";
    plan.channels.insert("pd".to_owned(), toml::from_str(text).expect("a channel"));
    plan.people.get_mut("bob").expect("bob").contacts = vec!["pd:KEY".to_owned()];
    plan
}

/// What was last said there, and of which events.
fn last(world: &World) -> (String, Vec<String>) {
    let job = world.jobs.last().expect("something was sent");
    let events = forms::pagerduty(&message(job), "KEY", "jump1");
    let key =
        |event: &serde_json::Value| event["dedup_key"].as_str().unwrap_or_default().to_owned();
    let action = events[0]["event_action"].as_str().unwrap_or_default().to_owned();
    (action, events.iter().map(key).collect())
}

fn said(action: &str, keys: &[&str]) -> (String, Vec<String>) {
    (action.to_owned(), keys.iter().map(|key| format!("jump1/{key}")).collect())
}

fn paged() -> World {
    let mut world = World::under(plan());
    play(&mut world, &format!("0m ann {OPEN}\n0m clock"));
    assert_eq!(last(&world), said("trigger", &["INC-1-1"]));
    play(&mut world, "0m answer bob pd accepted");
    world
}

#[test]
fn an_answer_is_told_and_then_the_end() {
    let mut world = paged();
    play(&mut world, &format!("1m bob {ACK}\n1m clock"));
    assert_eq!(last(&world), said("acknowledge", &["INC-1-1"]));
    let told = play(&mut world, &format!("1m answer {PD} pd accepted"));
    assert!(told.contains("pd was told that somebody has it"), "{told}");
    play(
        &mut world,
        r#"3m bob {"do":"resolve","incident":1,"reason":"fixed","evidence":"quiet"}
           3m clock"#,
    );
    assert_eq!(last(&world), said("resolve", &["INC-1-1"]));
    let told = play(&mut world, &format!("3m answer {PD} pd accepted"));
    assert!(told.contains("pd was told that it is over"), "{told}");
    assert!(world.engine.room.elsewhere.opened.is_empty());
    assert!(world.engine.next_due().is_none_or(|due| due > world.now), "and that is all");
}

#[test]
fn whoever_declines_or_merges_it_closes_it_there_too() {
    let ways = [
        r#"{"do":"decline","incident":1,"reason":"false-alarm","note":"a test"}"#.to_owned(),
        r#"{"do":"merge","incident":1,"into":2}"#.to_owned(),
    ];
    for way in ways {
        let mut world = paged();
        play(
            &mut world,
            &format!("1m ann {}\n1m ann {way}\n1m clock", OPEN.replace("SEV2", "SEV5")),
        );
        assert!(
            !world.engine.room.incidents.contains_key(&IncidentId(1)),
            "{way}: it left the room"
        );
        assert_eq!(last(&world), said("resolve", &["INC-1-1"]), "{way}");
        // A keeper that is killed before it heard the answer says it again.
        world.restart();
        world.jobs.clear();
        play(&mut world, "2m clock");
        assert_eq!(last(&world), said("resolve", &["INC-1-1"]), "{way}");
        let told = play(&mut world, &format!("2m answer {PD} pd accepted"));
        assert!(told.contains("INC-1 system: pd was told that it is over"), "{told}");
        assert!(!world.engine.room.incidents.contains_key(&IncidentId(1)), "{way}: it stays away");
        let opened = &world.engine.room.elsewhere.opened;
        assert!(!opened.contains_key(&IncidentId(1)), "{way}: {opened:?}");
    }
}

#[test]
fn a_page_after_a_forgotten_answer_is_heard_there() {
    let mut world = paged();
    play(&mut world, &format!("1m bob {ACK}\n1m clock\n1m answer {PD} pd accepted"));
    world.jobs.clear();
    // The acknowledgement expires: the old event is closed, the new page is another one.
    play(&mut world, "62m clock");
    let all: Vec<(String, Vec<String>)> = (0..world.jobs.len())
        .map(|n| {
            let events = forms::pagerduty(&message(&world.jobs[n]), "KEY", "jump1");
            let of = |name: &str| events[0][name].as_str().unwrap_or_default().to_owned();
            (of("event_action"), vec![of("dedup_key")])
        })
        .collect();
    assert!(all.contains(&said("trigger", &["INC-1-2"])), "{all:?}");
    assert!(all.contains(&said("resolve", &["INC-1-1"])), "{all:?}");
}

#[test]
fn what_fails_is_said_again_and_what_is_refused_is_on_record() {
    let mut world = paged();
    let resolve = r#"{"do":"resolve","incident":1,"reason":"fixed","evidence":"quiet"}"#;
    play(&mut world, &format!("1m bob {ACK}\n1m bob {resolve}\n1m clock"));
    assert_eq!(last(&world), said("resolve", &["INC-1-1"]), "it says only what still counts");
    let before = world.jobs.len();
    world.answer(PD, "pd", AttemptResult::Failed);
    world.tick();
    assert_eq!(world.jobs.len(), before, "not at once");
    play(&mut world, "2m clock");
    assert_eq!(world.jobs.len(), before + 1, "after a pause");
    let told = play(&mut world, &format!("2m answer {PD} pd refused"));
    assert!(told.contains("pd COULD NOT BE TOLD that it is over; close it there"), "{told}");
    assert!(world.engine.room.elsewhere.opened.is_empty());
    assert_eq!(
        world.engine.room.closing(
            IncidentId(1),
            &warroom::domain::elsewhere::Opened {
                delivery: 1,
                method: "pd:KEY".to_owned(),
                at: START,
                is_sending: true,
                is_acknowledged: false,
            }
        ),
        None::<Closing>,
        "nothing overtakes what is on its way"
    );
}

#[test]
fn many_ends_are_said_in_few_messages_and_at_the_pace_of_the_service() {
    let mut world = World::under(plan());
    for n in 0..120 {
        let open = OPEN.replace("payments", &format!("s{n}"));
        world.act("ann", serde_json::from_str(&open).expect("a command"));
    }
    for minute in 0..6 {
        play(&mut world, &format!("{minute}m clock"));
        if world.engine.under_way().any(|(_, to)| to.to == "bob") {
            world.answer("bob", "pd", AttemptResult::Accepted);
        }
    }
    world.jobs.clear();
    let decline = |n: u32| {
        format!(r#"{{"do":"decline","incident":{n},"reason":"false-alarm","note":"a test"}}"#)
    };
    for n in 1..=120 {
        world.act("ann", serde_json::from_str(&decline(n)).expect("a command"));
    }
    let mut closed = 0;
    for minute in 7..20 {
        world.jobs.clear();
        play(&mut world, &format!("{minute}m clock"));
        let jobs = world.jobs.iter().filter(|job| job.closing == Some(Closing::Resolve));
        let now: usize = jobs.map(|job| job.items.len()).sum();
        assert!(now <= 60, "{now} in a minute");
        closed += now;
        if now > 0 {
            world.answer(PD, "pd", AttemptResult::Accepted);
        }
    }
    assert!(closed >= 120, "{closed}");
    assert!(world.engine.room.elsewhere.opened.is_empty());
}

#[test]
fn the_auditor_sees_what_is_over_here_and_not_there() {
    let mut world = paged();
    let resolve = r#"{"do":"resolve","incident":1,"reason":"fixed","evidence":"quiet"}"#;
    play(&mut world, &format!("1m bob {resolve}\n1m clock"));
    let mut auditor = Auditor::default();
    let mut read = |world: &World, minutes: i64| {
        let scan = world.journal.scan(auditor.seq, &mut |raw| {
            auditor.see(&raw.decode().expect("a readable event"));
            true
        });
        scan.expect("a readable journal");
        auditor.check(START.plus(minutes * 60_000))
    };
    assert_eq!(read(&world, 2), [""; 0]);
    // The other side never answers, and the shell never says so.
    let found = read(&world, 30);
    assert!(found.iter().any(|words| words.ends_with("pd was not told")), "{found:?}");
    play(&mut world, &format!("31m answer {PD} pd accepted"));
    assert_eq!(read(&world, 60), [""; 0]);
}
