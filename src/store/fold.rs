//! The room out of the journal: from the newest snapshot that fits, or from the first event.
//!
//! Three threads share the work, because a start waits for it: one reads packs and checks the
//! chain, one decodes, and the caller applies. Each hands on batches through a short queue.
//!
//! Invariants:
//! - Events are applied in order, each only after the chain up to it was checked.
//! - A snapshot that does not lead to the journal's head is not used.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::domain::event::Recorded;
use crate::domain::ids::Seq;
use crate::domain::room::Room;
use crate::store::batch::{Head, RawEvent, link};
use crate::store::snapshot::apply;
use crate::store::{Reader, StoreError};

/// Events in one batch between the threads, and batches that may wait.
const BATCH_EVENTS: usize = 256;
const BATCHES_WAITING: usize = 8;

/// A room with the place in the journal it was folded up to.
pub struct Folded {
    pub room: Room,
    pub head: Head,
    /// How many events were folded after the snapshot.
    pub folded: u64,
}

/// Folds the room up to `head`, from a snapshot where one is given and fits.
pub fn room(
    snapshot: Option<(Room, Head)>,
    reader: &dyn Reader,
    head: Head,
) -> Result<Folded, StoreError> {
    if let Some((room, at)) = snapshot.filter(|(_, at)| at.seq <= head.seq)
        && let Ok(folded) = guarded(|| fold(reader, room, at))
        && folded.head == head
    {
        return Ok(folded);
    }
    guarded(|| fold(reader, Room::default(), Head::default()))
}

/// sled may panic while reading a damaged page; that is damage like any other.
fn guarded<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(damaged()))
}

fn damaged() -> StoreError {
    StoreError::Corrupt { seq: 0, text: "the database is damaged".to_owned() }
}

/// Events in a row, as they lie in the journal.
#[derive(Default)]
struct Raw {
    /// The first of them.
    first: Seq,
    bytes: Vec<u8>,
    /// Where each ends in `bytes`.
    ends: Vec<usize>,
}

fn fold(reader: &dyn Reader, mut room: Room, from: Head) -> Result<Folded, StoreError> {
    thread::scope(|scope| {
        let (raw, undecoded) = sync_channel(BATCHES_WAITING);
        let (decoded, events) = sync_channel(BATCHES_WAITING);
        let reading = scope.spawn(move || read(reader, from, &raw));
        let decoding = scope.spawn(move || decode(&undecoded, &decoded));
        let mut folded = 0;
        let applied = events.iter().flatten().try_for_each(|event: Recorded| {
            folded += 1;
            apply(reader, &mut room, &event).map(drop)
        });
        // Whoever still wants to hand something on learns that nobody takes it.
        drop(events);
        let decoded = decoding.join().unwrap_or_else(|_| Err(damaged()));
        let head = reading.join().unwrap_or_else(|_| Err(damaged()));
        applied.and(decoded)?;
        Ok(Folded { room, head: head?, folded })
    })
}

/// Reads what comes after `from` and checks the chain; the head that it leads to.
fn read(reader: &dyn Reader, from: Head, to: &SyncSender<Raw>) -> Result<Head, StoreError> {
    let mut head = from;
    let mut failed = None;
    let mut raw = Raw::default();
    reader.scan(from.seq, &mut |event| {
        if let Err(error) = check(&mut head, &event) {
            failed = Some(error);
            return false;
        }
        if raw.ends.is_empty() {
            raw.first = event.seq;
        }
        raw.bytes.extend_from_slice(event.json);
        raw.ends.push(raw.bytes.len());
        raw.ends.len() < BATCH_EVENTS || to.send(std::mem::take(&mut raw)).is_ok()
    })?;
    if !raw.ends.is_empty() {
        // Nobody takes it only when applying failed, which is said there.
        to.send(raw).ok();
    }
    failed.map_or(Ok(head), Err)
}

fn check(head: &mut Head, event: &RawEvent<'_>) -> Result<(), StoreError> {
    let corrupt = |text: String| StoreError::Corrupt { seq: event.seq, text };
    if event.seq != head.seq + 1 {
        return Err(corrupt(format!("the event after {} is missing", head.seq)));
    }
    head.seq = event.seq;
    head.hash = link(&head.hash, event.json);
    if event.hash.is_some_and(|said| said != head.hash) {
        return Err(corrupt("the hash chain is broken here".to_owned()));
    }
    Ok(())
}

fn decode(from: &Receiver<Raw>, to: &SyncSender<Vec<Recorded>>) -> Result<(), StoreError> {
    for raw in from {
        let mut events = Vec::with_capacity(raw.ends.len());
        let mut start = 0;
        for (seq, end) in (raw.first..).zip(&raw.ends) {
            let event = RawEvent { seq, json: &raw.bytes[start..*end], hash: None };
            events.push(event.decode()?);
            start = *end;
        }
        if to.send(events).is_err() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{Actor, Body};
    use crate::domain::ids::CommandId;
    use crate::domain::time::Timestamp;
    use crate::domain::words::Via;
    use crate::store::Journal;
    use crate::store::batch::Batch;
    use crate::store::memory::MemoryJournal;

    fn journal(events: u64) -> MemoryJournal {
        let mut journal = MemoryJournal::default();
        let actor = Actor::of("keeper", Via::Cli);
        for seq in 1..=events {
            let body = Body::ClockJumped { by_ms: 1, incidents: Vec::new() };
            let (cause, at) = (CommandId(format!("c{seq}")), Timestamp(1));
            let event = Recorded { seq, cause, at, occurred: None, actor: actor.clone(), body };
            let batch = Batch::build(journal.head(), &[event]);
            journal.append(&batch).expect("an append");
        }
        journal
    }

    #[test]
    fn any_number_of_events_is_folded_to_the_head() {
        for events in [0, 1, 255, 256, 257, 5_000] {
            let journal = journal(events);
            let folded = room(None, &*journal.reader(), journal.head()).expect("a fold");
            assert_eq!(folded.head, journal.head());
            assert_eq!((folded.folded, folded.room.seq), (events, events));
        }
    }

    #[test]
    fn a_snapshot_of_another_history_is_not_used() {
        let journal = journal(600);
        let reader = journal.reader();
        let sound = room(None, &*reader, journal.head()).expect("a fold");
        let strange = Head { seq: 300, hash: [7; 32] };
        let mut other = sound.room.clone();
        other.last_incident = 99;
        let folded = room(Some((other, strange)), &*reader, journal.head()).expect("a fold");
        assert_eq!(folded.folded, 600, "from the first event");
        assert_eq!(folded.room, sound.room);
    }
}
