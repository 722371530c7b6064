//! What becomes of alerts: each exactly one thing, and it can be told why.

use warroom::domain::event::{Became, Body, Recorded};
use warroom::domain::ids::IncidentId;
use warroom::domain::post::Signal;
use warroom::domain::timeline;
use warroom::store::Reader;

use crate::world::{World, alert, check};

#[test]
fn one_incident_for_a_group_and_repeats_are_counted() {
    check(
        "0m alerts HighErrors/a, HighErrors/b
         1m alerts HighErrors/a
         2m alerts HighErrors/c
         3m see INC-1
         4m see alert am/HighErrors-a",
        "INC-1 am: opened as SEV2 (the sender said 'critical')
         INC-1 am: HighErrors a fires (+1 alerts)
         INC-1 am: HighErrors a still fires
         INC-1 am: HighErrors c fires
         INC-1: SEV2 P2 triage commander nobody, 3 of 3 fire
         alert am/HighErrors-a: unacknowledged ×2",
    );
}

#[test]
fn an_alert_that_heals_before_anybody_looked_must_still_be_seen() {
    check(
        r#"0m alerts Flat/a
           1m alerts !Flat/a
           2m see alert am/Flat-a
           3m see INC-1
           4m ann {"do":"acknowledge","incident":1}
           5m see alert am/Flat-a"#,
        "INC-1 am: opened as SEV2 (the sender said 'critical')
         INC-1 am: Flat a fires
         INC-1 am: Flat a is over
         alert am/Flat-a: returned-unacknowledged ×1
         INC-1: SEV2 P2 triage commander nobody, 0 of 1 fire
         INC-1 ann: acknowledged
         alert am/Flat-a: normal ×1",
    );
}

#[test]
fn an_alert_that_comes_back_soon_after_the_resolution_reopens_the_incident() {
    check(
        r#"0m alerts Flat/a
           1m alerts !Flat/a
           2m ann {"do":"resolve","incident":1,"reason":"fixed","evidence":"over"}
           4m alerts Flat/a
           5m see INC-1
           6m alerts !Flat/a
           7m ann {"do":"resolve","incident":1,"reason":"fixed","evidence":"over"}
           20m alerts Flat/a"#,
        "INC-1 am: opened as SEV2 (the sender said 'critical')
         INC-1 am: Flat a fires
         INC-1 am: Flat a is over
         INC-1 ann: resolved (fixed): over
         INC-1 am: reopened, the resolution is void: Flat fired again soon after the resolution
         INC-1 am: Flat a fires again
         INC-1: SEV2 P2 investigating commander nobody, 1 of 1 fire
         INC-1 am: Flat a is over
         INC-1 ann: resolved (fixed): over
         INC-2 am: opened as SEV2 (the sender said 'critical')
         INC-2 am: Flat a fires",
    );
}

#[test]
fn a_declined_alert_that_goes_on_firing_does_not_open_another_incident() {
    check(
        r#"0m alerts Noise/a/warning
           1m ann {"do":"decline","incident":1,"reason":"false-alarm","note":""}
           2m alerts Noise/a/warning
           3m alerts !Noise/a/warning
           4m see alert am/Noise-a"#,
        "INC-1 am: opened as SEV4 (the sender said 'warning')
         INC-1 am: Noise a fires
         INC-1 ann: declined (false-alarm)
         - am/Noise-a Repeated by ''
         - am/Noise-a Resolved by ''
         alert am/Noise-a: gone",
    );
}

#[test]
fn a_watchdog_is_recorded_and_opens_nothing() {
    check(
        "0m ungrouped Watchdog/a/none
         1m ungrouped !Stranger/x",
        "- am/Watchdog-a Recorded by 'watchdog'
         - am/Stranger-x Unmatched by ''",
    );
}

#[test]
fn a_flapping_alert_is_held_as_firing_until_it_is_steady() {
    let mut world = World::new();
    let mut became = Vec::new();
    for turn in 0..8 {
        let signal = if turn % 2 == 0 { Signal::Firing } else { Signal::Resolved };
        world.now = world.now.plus(10_000);
        let events = world.post("am", Some("g"), vec![alert("Flap", "a", "warning", signal)]);
        for event in events {
            if let warroom::domain::event::Body::AlertsReceived { items, .. } = event.body {
                became.extend(items.iter().map(|item| item.became));
            }
        }
    }
    assert_eq!(became[..2], [Became::Opened, Became::Resolved]);
    assert_eq!(became.last(), Some(&Became::FlappingResolved), "{became:?}");
    let key = "am/Flap-a";
    assert!(world.engine.room.alerts[key].is_firing, "held");
    world.now = world.now.plus(301_000);
    world.give(warroom::keeper::turn::Input::Tick);
    assert!(!world.engine.room.alerts[key].is_firing, "steady: what it said last counts");
    let events = world.give(warroom::keeper::turn::Input::Tick).0;
    assert!(events.is_empty(), "a deadline fires once");
}

#[test]
fn shelving_has_an_end_and_a_reason() {
    check(
        r#"0m alerts Disk/a/warning
           1m ann {"do":"shelve-alert","alert":"am/Disk-a","until":"2026-11-23T23:59:00Z","reason":""}
           2m ann {"do":"shelve-alert","alert":"am/Disk-a","until":"2027-11-23T23:59:00Z","reason":"x"}
           3m ann {"do":"shelve-alert","alert":"am/Disk-a","until":"2026-11-23T14:00:00Z","reason":"known"}
           4m see alert am/Disk-a
           5m alerts Disk/a/warning
           90m clock tick
           91m see alert am/Disk-a"#,
        "INC-1 am: opened as SEV4 (the sender said 'warning')
         INC-1 am: Disk a fires
         refused ann: shelving an alert needs a reason; say why, in a few words
         refused ann: 2027-11-23T23:59:00.000Z is not a time to shelve until; give an end within 30 days; nothing is shelved for ever
         INC-1 ann: shelved Disk a until 14:00: known
         alert am/Disk-a: shelved ×1
         INC-1 am: Disk a fires, shelved
         INC-1 system: Disk a is no longer shelved
         alert am/Disk-a: unacknowledged ×2",
    );
}

#[test]
fn a_sender_never_makes_a_sev1() {
    check(
        "0m alerts Boom/a/SEV1
         1m ungrouped Other/b/page",
        "INC-1 am: opened as SEV3 (the sender said 'SEV1')
         INC-1 am: Boom a fires
         INC-2 am: opened as SEV2 (the sender said 'page')
         INC-2 am: Other b fires",
    );
}

#[test]
fn one_post_may_say_that_an_alert_fired_and_ended() {
    check(
        "0m alerts Blip/a, !Blip/a, Blip/a
         1m see INC-1",
        "INC-1 am: opened as SEV2 (the sender said 'critical')
         INC-1 am: Blip a fires (+2 alerts)
         INC-1: SEV2 P2 triage commander nobody, 1 of 1 fire",
    );
}

#[test]
fn a_worse_alert_raises_its_incident_until_a_person_has_judged_it() {
    check(
        r#"0m alerts Disk/a/warning, Disk/b/critical
           1m ann {"do":"set-severity","incident":1,"severity":"SEV4","reason":"a test host"}
           2m alerts Disk/c/critical
           3m see INC-1"#,
        "INC-1 am: opened as SEV4 (the sender said 'warning')
         INC-1 am: SEV4 → SEV2: Disk joined, the sender said 'critical'
         INC-1 am: Disk a fires (+1 alerts)
         INC-1 ann: SEV2 → SEV4: a test host
         INC-1 am: Disk c fires
         INC-1: SEV4 P4 triage commander nobody, 3 of 3 fire",
    );
}

#[test]
fn an_alert_of_a_closed_incident_is_not_silenced_for_ever() {
    check(
        r#"0m alerts Noise/a/warning
           1m ann {"do":"decline","incident":1,"reason":"false-alarm","note":""}
           2m alerts Noise/a/warning
           1442m clock tick
           1443m alerts Noise/a/warning"#,
        "INC-1 am: opened as SEV4 (the sender said 'warning')
         INC-1 am: Noise a fires
         INC-1 ann: declined (false-alarm)
         - am/Noise-a Repeated by ''
         INC-2 am: opened as SEV4 (the sender said 'warning')
         INC-2 am: Noise a fires",
    );
}

/// All that the journal holds.
fn journal(world: &World) -> Vec<Recorded> {
    let mut events = Vec::new();
    let scan = world.journal.scan(0, &mut |raw| {
        events.push(raw.decode().expect("a readable event"));
        true
    });
    scan.expect("a readable journal");
    events
}

#[test]
fn a_repeated_end_is_no_firing_and_what_has_no_beginning_is_known_by_its_name() {
    let mut world = World::new();
    let one = |signal| vec![alert("Disk", "a", "warning", signal)];
    world.post("am", None, one(Signal::Resolved));
    let unmatched = journal(&world).into_iter().rev().find_map(|event| match event.body {
        Body::AlertsReceived { items, .. } => items.into_iter().next(),
        _ => None,
    });
    let unmatched = unmatched.expect("it is on record");
    assert_eq!(unmatched.became, Became::Unmatched);
    assert_eq!(unmatched.facts.expect("what it said").name, "Disk");
    for signal in [Signal::Firing, Signal::Resolved, Signal::Resolved] {
        world.post("am", None, one(signal));
    }
    let told: Vec<String> = journal(&world)
        .iter()
        .filter(|event| event.body.incidents().contains(&IncidentId(1)))
        .map(|event| timeline::entry(event, IncidentId(1)).text)
        .filter(|text| text.starts_with("Disk"))
        .collect();
    assert_eq!(told, ["Disk a fires", "Disk a is over", "Disk a is over, as was said before"]);
}
