//! What is said to one client or to many, as lines, and the queue of one client that they go into.
//!
//! Invariants:
//! - The keeper never waits for a client: what finds no room in its queue ends the line, so that
//!   nothing is missing on a line that stays open.

use tokio::sync::mpsc;

use crate::domain::rejection::{Rejection, RejectionKind};
use crate::proto::frame::{Line, encode, encode_lines};
use crate::proto::{KeeperMsg, Reply};

/// Lines that may wait for one client. A client that is slower is cut loose and comes back with
/// what it has; it is never waited for.
pub const OUTBOX_MAX: usize = 512;

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
    pub tx: mpsc::Sender<Line>,
    pub takes_parts: bool,
}

impl Outbox {
    /// Queues all lines of a message; false: there is no room, and the client is to be let go.
    #[must_use]
    pub fn give(&self, told: &Told) -> bool {
        let Some(lines) = told.lines(self.takes_parts) else {
            return false;
        };
        lines.iter().all(|line| self.tx.try_send(Line::clone(line)).is_ok())
    }
}
