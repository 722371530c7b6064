//! What is said to one client or to many, as lines, and the queue of one client that they go into.
//!
//! Invariants:
//! - The keeper never waits for a client: what finds no room in its queue ends the line, so that
//!   nothing is missing on a line that stays open.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;

use crate::domain::rejection::{Rejection, RejectionKind};
use crate::proto::frame::{Line, encode, encode_lines};
use crate::proto::{KeeperMsg, Reply};

/// Lines that may wait for one client. A client that is slower is cut loose and comes back with
/// what it has; it is never waited for.
pub const OUTBOX_MAX: usize = 512;
/// The same in bytes. What comes when so much waits ends the line.
const BYTES_MAX: usize = 8 << 20;
/// With so much unread, no further question is answered.
const BYTES_PRESSED: usize = 2 << 20;

/// A message as it goes to clients.
pub struct Told {
    lines: Vec<Line>,
    /// For those who do not put parts together.
    short: Option<Line>,
}

impl Told {
    /// Encodes once, for however many.
    pub fn of(message: &KeeperMsg) -> Self {
        let lines = encode_lines(message);
        let short = match message {
            KeeperMsg::Reply { id, .. } if lines.len() > 1 => {
                let refusal = Rejection::new(
                    RejectionKind::Unavailable,
                    "the answer is longer than a line may be",
                    "use a newer warroom: it takes long answers in parts",
                );
                let reply = Reply::Rejected(refusal);
                Some(encode(&KeeperMsg::Reply { id: id.clone(), reply }).into())
            }
            KeeperMsg::Reply { .. }
            | KeeperMsg::Welcome(_)
            | KeeperMsg::Refused { .. }
            | KeeperMsg::Push(_) => None,
        };
        Self { lines, short }
    }

    /// The lines for a client that takes parts, or for one that does not; `None` where it cannot
    /// be told.
    pub fn lines(&self, takes_parts: bool) -> Option<&[Line]> {
        if takes_parts || self.lines.len() == 1 {
            return Some(&self.lines);
        }
        self.short.as_ref().map(std::slice::from_ref)
    }
}

/// The way to one client.
#[derive(Debug, Clone)]
pub struct Outbox {
    tx: mpsc::Sender<Line>,
    takes_parts: bool,
    /// Bytes that wait.
    bytes: Arc<AtomicUsize>,
}

/// Where the lines of one client come out.
#[derive(Debug)]
pub struct Outlet {
    rx: mpsc::Receiver<Line>,
    bytes: Arc<AtomicUsize>,
}

impl Outlet {
    /// The next line; none when the other end is gone.
    pub async fn next(&mut self) -> Option<Line> {
        self.rx.recv().await
    }

    /// The next line, if there is one already.
    pub fn try_next(&mut self) -> Option<Line> {
        self.rx.try_recv().ok()
    }

    /// So many bytes are with the client now.
    pub fn wrote(&self, bytes: usize) {
        let less = |before: usize| Some(before.saturating_sub(bytes));
        self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).ok();
    }
}

impl Outbox {
    /// An outbox and its other end.
    pub fn new(takes_parts: bool) -> (Self, Outlet) {
        let (tx, rx) = mpsc::channel(OUTBOX_MAX);
        let bytes = Arc::<AtomicUsize>::default();
        (Self { tx, takes_parts, bytes: Arc::clone(&bytes) }, Outlet { rx, bytes })
    }

    /// The same without holding the line open.
    pub fn downgrade(&self) -> mpsc::WeakSender<Line> {
        self.tx.downgrade()
    }

    /// Whether so much lies unread that nothing more should be looked for.
    pub fn is_pressed(&self) -> bool {
        let bytes = self.bytes.load(Ordering::Relaxed);
        bytes > BYTES_PRESSED || self.tx.capacity() < OUTBOX_MAX / 2
    }

    /// Queues all lines of a message; false: there is no room, and the client is to be let go.
    #[must_use]
    pub fn give(&self, told: &Told) -> bool {
        let Some(lines) = told.lines(self.takes_parts) else {
            return false;
        };
        // One answer may be larger; what comes on top of it may not.
        if self.bytes.load(Ordering::Relaxed) > BYTES_MAX {
            return false;
        }
        lines.iter().all(|line| {
            self.bytes.fetch_add(line.len(), Ordering::Relaxed);
            self.tx.try_send(Line::clone(line)).is_ok()
        })
    }
}
