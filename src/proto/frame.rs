//! Lines of JSON out of a stream of bytes, whatever the pieces it comes in.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest line, in bytes.
pub const FRAME_MAX: usize = 1 << 20;

/// The longest line that a client takes from its keeper: a few answers (one incident with thousands
/// of alerts, all samples) are larger than what the keeper takes from anybody.
pub const ANSWER_MAX: usize = 64 << 20;

/// Bytes that are no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("a line of {got} bytes; the limit is {limit}")]
    TooLong { got: usize, limit: usize },
    #[error("a line that is no message: {0}")]
    Malformed(String),
}

/// Collects bytes and gives messages.
#[derive(Debug)]
pub struct Frames {
    buffer: Vec<u8>,
    /// Up to here there is no line feed.
    searched: usize,
    limit: usize,
}

impl Default for Frames {
    fn default() -> Self {
        Self { buffer: Vec::new(), searched: 0, limit: FRAME_MAX }
    }
}

impl Frames {
    /// For a client, which trusts its keeper with longer lines.
    pub fn of_answers() -> Self {
        Self { limit: ANSWER_MAX, ..Self::default() }
    }

    /// Takes bytes as they came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next message, if a whole line is there.
    pub fn take<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        let found = memchr::memchr(b'\n', &self.buffer[self.searched..]);
        let Some(end) = found.map(|at| at + self.searched) else {
            self.searched = self.buffer.len();
            if self.buffer.len() > self.limit {
                return Err(FrameError::TooLong { got: self.buffer.len(), limit: self.limit });
            }
            return Ok(None);
        };
        self.searched = 0;
        let line: Vec<u8> = self.buffer.drain(..=end).collect();
        if end > self.limit {
            return Err(FrameError::TooLong { got: end, limit: self.limit });
        }
        serde_json::from_slice(&line[..end])
            .map(Some)
            .map_err(|e| FrameError::Malformed(e.to_string()))
    }

    /// Whether bytes of an unfinished line are left.
    pub fn is_torn(&self) -> bool {
        !self.buffer.is_empty()
    }
}

/// A message as a line.
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(message)
        .expect("invariant: messages have only string keys, so they always serialise");
    bytes.push(b'\n');
    bytes
}
