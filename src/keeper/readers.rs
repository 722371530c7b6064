//! The threads that answer questions from the store: few, fair to all clients, and apart from those
//! that pages go out by.
//!
//! Invariants:
//! - One client's questions are answered in turn with those of the others, however many it asks.
//! - What a client that left still wanted is not looked for.
//! - A client whose answers lie unread is not given more until it has read.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::keeper::outbox::Outbox;
use crate::keeper::turn::ClientId;

/// Questions under way at once: a backup and a long search leave room for others.
const THREADS: usize = 4;
/// Questions of one client that may wait. A console has a handful.
const WAITING_MAX: usize = 64;
/// How often it is looked whether a client has read its answers.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

type Piece = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Desk {
    waiting: BTreeMap<ClientId, (Outbox, VecDeque<Piece>)>,
    /// Whose turn is next.
    turns: VecDeque<ClientId>,
    is_over: bool,
}

/// The threads, and what waits for them.
pub struct Readers {
    desk: Mutex<Desk>,
    wake: Condvar,
}

impl Readers {
    /// Starts the threads.
    pub fn start() -> io::Result<Arc<Self>> {
        let readers = Arc::new(Self { desk: Mutex::default(), wake: Condvar::new() });
        for number in 0..THREADS {
            let own = Arc::clone(&readers);
            let thread = std::thread::Builder::new().name(format!("reader-{number}"));
            thread.spawn(move || while own.serve() {})?;
        }
        Ok(readers)
    }

    /// Takes a question; false: this client has too many that wait.
    #[must_use]
    pub fn put(&self, client: ClientId, outbox: &Outbox, piece: Piece) -> bool {
        let mut desk = self.desk();
        let known = desk.waiting.entry(client);
        let (_, pieces) = known.or_insert_with(|| (outbox.clone(), VecDeque::new()));
        if pieces.len() >= WAITING_MAX {
            return false;
        }
        pieces.push_back(piece);
        if !desk.turns.contains(&client) {
            desk.turns.push_back(client);
        }
        drop(desk);
        self.wake.notify_one();
        true
    }

    /// Nobody waits for these answers any more.
    pub fn leave(&self, client: ClientId) {
        let mut desk = self.desk();
        desk.waiting.remove(&client);
        desk.turns.retain(|known| *known != client);
    }

    /// The threads end after what they do just now.
    pub fn close(&self) {
        let mut desk = self.desk();
        *desk = Desk { is_over: true, ..Desk::default() };
        drop(desk);
        self.wake.notify_all();
    }

    /// Does one piece, or waits for one; false at the end.
    fn serve(&self) -> bool {
        let mut desk = self.desk();
        if desk.is_over {
            return false;
        }
        let Some(piece) = desk.next() else {
            // Somebody may have to read before there is something to do.
            let is_pressed = !desk.turns.is_empty();
            if is_pressed {
                drop(self.wake.wait_timeout(desk, LOOK_AGAIN));
            } else {
                drop(self.wake.wait(desk));
            }
            return true;
        };
        drop(desk);
        // Whoever asked is told by the piece itself; a thread must outlive what fails in it.
        drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(piece)));
        true
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    /// The oldest question of the client whose turn it is; who has not read is passed over.
    fn next(&mut self) -> Option<Piece> {
        for _ in 0..self.turns.len() {
            let client = self.turns.pop_front()?;
            let Some((outbox, pieces)) = self.waiting.get_mut(&client) else { continue };
            if outbox.is_pressed() {
                self.turns.push_back(client);
                continue;
            }
            let piece = pieces.pop_front();
            if pieces.is_empty() {
                self.waiting.remove(&client);
            } else {
                self.turns.push_back(client);
            }
            if piece.is_some() {
                return piece;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn outbox() -> Outbox {
        Outbox::new(true).0
    }

    #[test]
    fn one_that_asks_much_holds_up_nobody() {
        let readers = Readers { desk: Mutex::default(), wake: Condvar::new() };
        let (tx, done) = channel();
        let ask = |client: ClientId, what: &'static str| {
            let tx = tx.clone();
            readers.put(client, &outbox(), Box::new(move || tx.send(what).expect("heard")))
        };
        for _ in 0..WAITING_MAX {
            assert!(ask(1, "greedy"));
        }
        assert!(!ask(1, "greedy"), "that is enough");
        assert!(ask(2, "modest"));
        readers.serve();
        readers.serve();
        assert_eq!(done.try_iter().collect::<Vec<_>>(), ["greedy", "modest"]);
        readers.leave(1);
        assert!(readers.desk().next().is_none(), "who left is not looked for");
        readers.close();
        assert!(!readers.serve());
    }
}
