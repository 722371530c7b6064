//! Nanoseconds of the pure parts.

use std::collections::BTreeMap;

use warroom::domain::command::{Command, Order};
use warroom::domain::decide::decide;
use warroom::domain::event::{Actor, AlertFacts, Recorded};
use warroom::domain::ids::CommandId;
use warroom::domain::post::{Incoming, Post, Signal};
use warroom::domain::room::{Room, evolve};
use warroom::domain::time::Timestamp;
use warroom::domain::words::{Right, Via};
use warroom::store::batch::{Batch, Head};

const NOW: Timestamp = Timestamp(1_795_440_000_000);

/// Makes sure that this module is linked.
pub(crate) fn keep() {}

fn post(n: usize) -> Command {
    let labels = BTreeMap::from([
        ("alertname".to_owned(), format!("Alert{n}")),
        ("instance".to_owned(), format!("host{n}:9100")),
        ("severity".to_owned(), "warning".to_owned()),
    ]);
    let facts = AlertFacts { name: format!("Alert{n}"), labels, ..AlertFacts::default() };
    let alert = Incoming {
        fingerprint: format!("f{n}"),
        signal: Signal::Firing,
        severity_word: "warning".to_owned(),
        facts,
    };
    Command::Ingest(Post {
        source: "am".to_owned(),
        group: None,
        alerts: vec![alert],
        truncated: 0,
    })
}

fn order(command: Command) -> Order {
    let actor = Actor::of("am", Via::Http);
    let id = CommandId("b".to_owned());
    Order { id, actor, right: Right::Administer, occurred: None, seen: None, command }
}

fn apply(room: &mut Room, command: Command) -> Vec<Recorded> {
    let order = order(command);
    let bodies = decide(room, &order, NOW).unwrap_or_default();
    bodies
        .into_iter()
        .map(|body| {
            let (seq, actor) = (room.seq + 1, order.actor.clone());
            let event =
                Recorded { seq, cause: order.id.clone(), at: NOW, occurred: None, actor, body };
            evolve(room, &event);
            event
        })
        .collect()
}

fn room(incidents: usize) -> Room {
    let mut room = Room::default();
    for n in 0..incidents {
        apply(&mut room, post(n));
    }
    room
}

#[divan::bench(args = [100, 10_000])]
fn an_alert_that_opens_an_incident(bencher: divan::Bencher<'_, '_>, incidents: usize) {
    let mut room = room(incidents);
    let mut n = incidents;
    bencher.bench_local(|| {
        n += 1;
        apply(&mut room, post(n))
    });
}

#[divan::bench(args = [100, 10_000])]
fn an_alert_that_repeats(bencher: divan::Bencher<'_, '_>, incidents: usize) {
    let mut room = room(incidents);
    bencher.bench_local(|| apply(&mut room, post(incidents / 2)));
}

#[divan::bench]
fn a_batch_of_128_events(bencher: divan::Bencher<'_, '_>) {
    let mut room = Room::default();
    let events: Vec<Recorded> = (0..64).flat_map(|n| apply(&mut room, post(n))).collect();
    bencher.bench_local(|| Batch::build(Head::default(), &events));
}
