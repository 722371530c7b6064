//! SIGKILL the shipped keeper under load, again and again: nothing acknowledged is lost, no event
//! is applied twice, the chain is intact. `WARROOM_KILLS` sets the rounds (50 here; 1,000 on demand).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use warroom::client::call::Caller;
use warroom::domain::change::Change;
use warroom::domain::command::Command;
use warroom::domain::event::Body;
use warroom::domain::ids::{CommandId, IncidentId};
use warroom::domain::words::NoteKind;
use warroom::proto::{Ask, Reply};

use crate::home::{Home, act, post, until};
use crate::sim::SplitMix;

/// How many rounds are run.
fn rounds() -> u64 {
    std::env::var("WARROOM_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(50)
}

fn note(writer: u64, n: u64) -> (CommandId, Ask) {
    let text = format!("note {n} of writer {writer}");
    let command = Command::Note {
        incident: IncidentId(1),
        kind: NoteKind::Note,
        text,
        said_by: String::new(),
    };
    let id = CommandId(format!("w{writer}-{n}"));
    (id, Ask::Do { command: Box::new(command), occurred: None, seen: None })
}

/// Writes notes until the keeper is gone; adds what was acknowledged.
fn write(
    mut caller: Caller,
    writer: u64,
    from: u64,
    acked: &Mutex<BTreeMap<String, u64>>,
    begun: &AtomicBool,
) {
    for n in from.. {
        let (id, ask) = note(writer, n);
        match caller.ask_as(&id, ask) {
            Ok(Reply::Done { seq, .. }) => {
                acked.lock().expect("a lock").insert(id.0, seq);
                begun.store(true, Ordering::Relaxed);
            }
            Ok(_) | Err(_) => return,
        }
    }
}

/// Every event that is in the journal, by cause.
fn causes(caller: &mut Caller) -> BTreeMap<String, Vec<u64>> {
    let mut found: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut after = 0;
    loop {
        let Ok(Reply::Events { events }) = caller.ask(Ask::Events { after, limit: 5_000 }) else {
            panic!("no events")
        };
        let Some(last) = events.last() else { return found };
        after = last.seq;
        for event in events {
            if matches!(event.body, Body::Incident { change: Change::NoteAdded { .. }, .. }) {
                found.entry(event.cause.0).or_default().push(event.seq);
            }
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_keeper_is_killed() {
    let home = Home::new();
    let mut random = SplitMix(crate::sim::seed());
    let acked: Arc<Mutex<BTreeMap<String, u64>>> = Arc::default();
    for round in 0..rounds() {
        let mut keeper = home.keeper();
        if round == 0 {
            act(&mut keeper.caller(), r#"{"do":"open","title":"crash","declare":true}"#);
        }
        let begun = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (acked, begun, caller) =
                    (Arc::clone(&acked), Arc::clone(&begun), keeper.caller());
                std::thread::spawn(move || write(caller, writer, round * 100_000, &acked, &begun))
            })
            .collect();
        until("something was acknowledged", || begun.load(Ordering::Relaxed).then_some(()));
        let target =
            acked.lock().expect("a lock").len() + usize::try_from(random.below(60)).expect("small");
        until("some more was acknowledged", || {
            (acked.lock().expect("a lock").len() >= target).then_some(())
        });
        keeper.kill();
        for writer in writers {
            writer.join().expect("a writer ends");
        }
    }
    let keeper = home.keeper();
    let mut caller = keeper.caller();
    let found = causes(&mut caller);
    let acked = acked.lock().expect("a lock");
    for (id, seq) in acked.iter() {
        assert_eq!(found.get(id), Some(&vec![*seq]), "{id} was acknowledged as event {seq}");
    }
    for (id, seqs) in &found {
        assert_eq!(seqs.len(), 1, "{id} was applied twice");
    }
    let verdict = home.ok(&["verify"]);
    assert_eq!(verdict.matches("chain intact").count(), 2, "{verdict}");
    println!("{} rounds, {} acknowledged, none lost", rounds(), acked.len());
}

#[test]
fn a_retry_after_a_kill_is_done_once() {
    let home = Home::new();
    let mut keeper = home.keeper();
    act(&mut keeper.caller(), r#"{"do":"open","title":"crash","declare":true}"#);
    let (id, ask) = note(9, 1);
    let first = keeper.caller().ask_as(&id, ask.clone()).expect("an answer");
    keeper.kill();
    let keeper = home.keeper();
    let again = keeper.caller().ask_as(&id, ask).expect("an answer");
    assert_eq!(first, again, "answered again, not done again");
}

#[test]
fn posts_that_were_answered_with_2xx_survive_a_kill() {
    let home = Home::new();
    let mut keeper = home.keeper();
    let address = crate::home::intake_address(&keeper.caller());
    for n in 0..40 {
        let body = format!(r#"{{"title":"disk {n} is full","host":"h{n}","status":"open"}}"#);
        assert_eq!(post(&address, "/v1/events", &[], body.as_bytes()).0, 202);
    }
    keeper.kill();
    let keeper = home.keeper();
    let Ok(Reply::Intake(report)) = keeper.caller().ask(Ask::Intake) else { panic!("no report") };
    let counts = &report.sources["events"];
    assert_eq!((counts.posts, counts.alerts.values().sum::<u64>()), (40, 40));
}
