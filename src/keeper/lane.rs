//! Work that is done off the writer's thread, one piece at a time and in the order in which it was
//! asked for: a draft that is thrown away and brought back at once must not end thrown away.
//!
//! Invariants:
//! - Whoever takes a turn does the oldest piece, not their own: order does not depend on which
//!   thread wakes first.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

type Piece = Box<dyn FnOnce() + Send>;

/// Pieces of work in a row.
#[derive(Default)]
pub struct Lane {
    waiting: Mutex<VecDeque<Piece>>,
    turn: Mutex<()>,
}

impl Lane {
    /// Puts a piece at the end; each needs one [`Lane::next`] to be done.
    pub fn put(&self, piece: Piece) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(piece);
    }

    /// Does the oldest piece, after the one that is being done.
    pub fn next(&self) {
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let piece = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        if let Some(piece) = piece {
            piece();
        }
        drop(turn);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_order_is_that_of_asking_whoever_wakes_first() {
        let (lane, done) = (Arc::new(Lane::default()), Arc::new(Mutex::new(Vec::new())));
        let mut threads = Vec::new();
        for n in 0..200 {
            let done = Arc::clone(&done);
            lane.put(Box::new(move || done.lock().expect("a lock").push(n)));
            let lane = Arc::clone(&lane);
            threads.push(std::thread::spawn(move || lane.next()));
        }
        for thread in threads {
            thread.join().expect("it ends");
        }
        lane.next();
        assert_eq!(*done.lock().expect("a lock"), (0..200).collect::<Vec<_>>());
    }
}
