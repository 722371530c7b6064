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
    // A refusal may come of a plan or a secret that is wrong for a while.
    let mut told = play(&mut world, &format!("2m answer {PD} pd refused"));
    let mut refusals = 1;
    for minute in 3..40 {
        if told.contains("COULD NOT BE TOLD") {
            break;
        }
        play(&mut world, &format!("{}m clock", minute * 3));
        told = play(&mut world, &format!("{}m answer {PD} pd refused", minute * 3));
        refusals += 1;
    }
    assert!((4..20).contains(&refusals), "{refusals} refusals");
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
                wanted: None,
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

const RESOLVE: &str = r#"{"do":"resolve","incident":1,"reason":"fixed","evidence":"quiet"}"#;

#[test]
fn an_answer_that_cannot_be_told_does_not_keep_the_end_from_being_told() {
    let mut world = paged();
    play(&mut world, &format!("1m bob {ACK}\n1m clock"));
    for minute in 2..60 {
        if world.engine.under_way().next().is_some() {
            world.answer(PD, "pd", AttemptResult::Refused);
        }
        play(&mut world, &format!("{}m clock", minute * 3));
        let opened = &world.engine.room.elsewhere.opened[&IncidentId(1)][0];
        if opened.is_acknowledged {
            break;
        }
    }
    world.jobs.clear();
    play(&mut world, &format!("200m bob {RESOLVE}\n200m clock"));
    assert_eq!(last(&world), said("resolve", &["INC-1-1"]));
}

#[test]
fn what_is_refused_takes_none_of_the_others_with_it() {
    let mut world = World::under(plan());
    for n in 0..3 {
        let open = OPEN.replace("payments", &format!("s{n}"));
        world.act("ann", serde_json::from_str(&open).expect("a command"));
    }
    for minute in 0..4 {
        play(&mut world, &format!("{minute}m clock"));
        if world.engine.under_way().any(|(_, to)| to.to == "bob") {
            world.answer("bob", "pd", AttemptResult::Accepted);
        }
    }
    for n in 1..=3 {
        let resolve = RESOLVE.replace(":1,", &format!(":{n},"));
        world.act("ann", serde_json::from_str(&resolve).expect("a command"));
    }
    let mut lost = String::new();
    for minute in 5..200 {
        world.jobs.clear();
        play(&mut world, &format!("{}m clock", minute * 3));
        let Some(job) = world.jobs.iter().find(|job| job.closing.is_some()) else { continue };
        // The other side takes all but one of them.
        let is_bad = job.items.iter().any(|item| item.incident == IncidentId(2));
        let result = if is_bad { "refused" } else { "accepted" };
        lost += &play(&mut world, &format!("{}m answer {PD} pd {result}", minute * 3));
    }
    assert!(world.engine.room.elsewhere.opened.is_empty());
    assert_eq!(lost.matches("COULD NOT BE TOLD").count(), 1, "{lost}");
    assert!(lost.contains("INC-2 system: pd COULD NOT BE TOLD"), "{lost}");
    assert_eq!(lost.matches("pd was told that it is over").count(), 2, "{lost}");
}

#[test]
fn a_kill_between_an_answer_and_the_end_of_an_attempt_leaves_nothing_open() {
    let mut world = World::under(plan());
    play(&mut world, &format!("0m ann {OPEN}\n0m clock\n1m bob {ACK}"));
    assert!(world.engine.under_way().any(|(_, to)| to.to == "bob"), "it is on its way still");
    world.restart();
    world.jobs.clear();
    play(&mut world, "2m clock");
    assert_eq!(last(&world), said("acknowledge", &["INC-1-1"]), "as far as we know it arrived");
    play(&mut world, &format!("2m answer {PD} pd accepted\n3m bob {RESOLVE}\n3m clock"));
    assert_eq!(last(&world), said("resolve", &["INC-1-1"]));
    play(&mut world, &format!("3m answer {PD} pd accepted"));
    let mut auditor = Auditor::default();
    let scan = world.journal.scan(0, &mut |raw| {
        auditor.see(&raw.decode().expect("a readable event"));
        true
    });
    scan.expect("a readable journal");
    auditor.forget_strays();
    assert_eq!(auditor.check(world.now.plus(86_400_000)), [""; 0]);
}

#[test]
fn what_is_worked_on_for_more_than_a_week_is_closed_there_in_the_end() {
    let mut plan = plan();
    plan.policies.values_mut().for_each(|policy| policy.ack_expires_min.clear());
    let mut world = World::under(plan);
    play(&mut world, &format!("0m ann {OPEN}\n0m clock\n0m answer bob pd accepted"));
    play(&mut world, &format!("1m bob {ACK}\n1m clock\n1m answer {PD} pd accepted"));
    // Another page by the same service, long after.
    let day = 24 * 60;
    let other = OPEN.replace("payments", "search");
    play(&mut world, &format!("{}m ann {other}", 8 * day));
    for minute in 0..5 {
        play(&mut world, &format!("{}m clock", 8 * day + minute));
        if world.engine.under_way().any(|(_, to)| to.to == "bob") {
            world.answer("bob", "pd", AttemptResult::Accepted);
        }
    }
    world.jobs.clear();
    play(&mut world, &format!("{}m bob {RESOLVE}\n{}m clock", 9 * day, 9 * day));
    let closed: Vec<_> =
        world.jobs.iter().filter(|job| job.closing == Some(Closing::Resolve)).collect();
    assert!(closed.iter().any(|job| job.items.iter().any(|i| i.incident == IncidentId(1))));
}

#[test]
fn one_that_failed_as_far_as_we_know_is_not_closed_before_somebody_has_it() {
    let mut plan = plan();
    plan.people.get_mut("bob").expect("bob").contacts = vec!["pd:KEY".to_owned()];
    let mut world = World::under(plan);
    play(&mut world, &format!("0m ann {OPEN}\n0m clock"));
    for minute in 1..12 {
        if world.engine.under_way().any(|(_, to)| to.to == "bob") {
            world.answer("bob", "pd", AttemptResult::Failed);
        }
        play(&mut world, &format!("{minute}m clock"));
    }
    let incident = &world.engine.room.incidents[&IncidentId(1)];
    let first = incident.esc.deliveries.iter().find(|d| d.wanted.number == 1).expect("the page");
    assert!(!first.is_open(), "it failed three times: {first:?}");
    let is_closed = world.jobs.iter().any(|job| job.closing.is_some());
    assert!(!is_closed, "it may be the only call that got through");
}
