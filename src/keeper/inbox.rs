//! The way into the writer's inbox, and how the writer waits there: under load it lets those gather
//! who were answered a moment ago and are about to ask again, so that one sync serves all of them.
//!
//! Invariants:
//! - Nobody who asks alone waits for others: there is only gathering when the turn before served
//!   several.
//! - Gathering is limited by time; the number that is waited for is never more than half of what the
//!   turn before answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::error::SendError;
use tokio::sync::{Notify, mpsc};

use crate::keeper::writer::Mail;

/// Inputs that may wait; senders beyond that wait or are told to come back.
pub const INBOX_MAX: usize = 1_024;
/// Fewer than this are not worth waiting for.
const GATHER_FROM: usize = 8;
/// How long the writer lets others gather, at most.
const GATHER_WITHIN: Duration = Duration::from_millis(3);

/// The sending side; cheap to clone.
#[derive(Debug, Clone)]
pub struct Inbox {
    tx: mpsc::Sender<Mail>,
    gathering: Arc<Gathering>,
}

/// The writer's side.
#[derive(Debug)]
pub struct Inputs {
    rx: mpsc::Receiver<Mail>,
    gathering: Arc<Gathering>,
}

#[derive(Debug, Default)]
struct Gathering {
    /// How many inputs the writer waits for; 0 while it does not.
    wanted: AtomicUsize,
    complete: Notify,
}

/// An empty inbox.
pub fn inbox() -> (Inbox, Inputs) {
    let (tx, rx) = mpsc::channel(INBOX_MAX);
    let gathering = Arc::new(Gathering::default());
    (Inbox { tx, gathering: Arc::clone(&gathering) }, Inputs { rx, gathering })
}

impl Inbox {
    /// Waits for room and puts it in.
    pub async fn send(&self, mail: Mail) -> Result<(), SendError<Mail>> {
        let sent = self.tx.send(mail).await;
        self.knock();
        sent
    }

    /// Puts it in if there is room; false if there is none, or nobody reads any more.
    #[must_use]
    pub fn try_send(&self, mail: Mail) -> bool {
        let sent = self.tx.try_send(mail).is_ok();
        self.knock();
        sent
    }

    fn knock(&self) {
        let wanted = self.gathering.wanted.load(Ordering::Relaxed);
        if wanted > 0 && self.tx.max_capacity() - self.tx.capacity() >= wanted {
            self.gathering.complete.notify_one();
        }
    }

    /// The bare sender, for those who must not keep the inbox open.
    pub fn downgrade(&self) -> mpsc::WeakSender<Mail> {
        self.tx.downgrade()
    }
}

impl Inputs {
    /// The next inputs, at most `limit`; 0 when nobody is left who could send any. `answered` is how
    /// many the turn before served.
    pub async fn take(&mut self, into: &mut Vec<Mail>, limit: usize, answered: usize) -> usize {
        // Half of them: while these are made durable, the others come.
        let wanted = (answered / 2).min(limit);
        let first = self.rx.recv_many(into, limit).await;
        if first == 0 || first >= wanted || wanted < GATHER_FROM {
            return first;
        }
        let missing = wanted - first;
        self.gathering.wanted.store(missing, Ordering::Relaxed);
        let gathered = async {
            while self.rx.len() < missing {
                self.gathering.complete.notified().await;
            }
        };
        let in_time = tokio::time::timeout(GATHER_WITHIN, gathered).await.is_ok();
        tracing::trace!(in_time, missing, "gathered");
        self.gathering.wanted.store(0, Ordering::Relaxed);
        let mut count = first;
        while count < limit
            && let Ok(mail) = self.rx.try_recv()
        {
            into.push(mail);
            count += 1;
        }
        count
    }
}
