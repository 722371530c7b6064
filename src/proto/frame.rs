//! Lines of JSON out of a stream of bytes, whatever the pieces it comes in.
//!
//! Invariants:
//! - No line is longer than `FRAME_MAX`, in either direction. A longer message travels as parts,
//!   each a line of its own; other lines may stand between them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The longest line, in bytes.
pub const FRAME_MAX: usize = 1 << 20;

/// The longest message that a client puts together from parts, in bytes; what is being put together
/// at one time, in all.
pub const ANSWER_MAX: usize = 64 << 20;

/// Bytes of a message in one part. As a JSON text it may double: each of its quotation marks is
/// escaped.
const PART_BYTES: usize = 500 * 1024;

/// How the line of a part begins; no message does.
const PART_BEGINS: &[u8] = b"{\"part\":";

/// A line as it is sent, for many at once.
pub type Line = Arc<[u8]>;

/// Bytes that are no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("a line of {got} bytes; the limit is {limit}")]
    TooLong { got: usize, limit: usize },
    #[error("a line that is no message: {0}")]
    Malformed(String),
}

/// A piece of a message that is too long for a line.
#[derive(Debug, Serialize, Deserialize)]
struct Piece<'a> {
    /// Which message it belongs to: a number that the sender does not use twice.
    part: u64,
    /// Whether the message is whole with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    last: bool,
    text: Cow<'a, str>,
}

/// Collects bytes and gives messages.
#[derive(Debug, Default)]
pub struct Frames {
    buffer: Vec<u8>,
    /// Up to here there is no line feed.
    searched: usize,
    /// Messages of which some parts are here; `None` where parts are not taken.
    parts: Option<BTreeMap<u64, String>>,
}

impl Frames {
    /// For a client, which puts its keeper's long answers together.
    pub fn of_answers() -> Self {
        Self { parts: Some(BTreeMap::new()), ..Self::default() }
    }

    /// Takes bytes as they came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next message, if all of it is there.
    pub fn take<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        while let Some(line) = self.line()? {
            let is_part = self.parts.is_some() && line.starts_with(PART_BEGINS);
            let whole = if is_part { self.put_together(&line)? } else { Some(line) };
            if let Some(whole) = whole {
                return serde_json::from_slice(&whole).map(Some).map_err(|e| malformed(&e));
            }
        }
        Ok(None)
    }

    fn line(&mut self) -> Result<Option<Vec<u8>>, FrameError> {
        let found = memchr::memchr(b'\n', &self.buffer[self.searched..]);
        let end = found.map(|at| at + self.searched);
        let got = end.unwrap_or(self.buffer.len());
        if got > FRAME_MAX {
            return Err(FrameError::TooLong { got, limit: FRAME_MAX });
        }
        let Some(end) = end else {
            self.searched = got;
            return Ok(None);
        };
        self.searched = 0;
        let mut line: Vec<u8> = self.buffer.drain(..=end).collect();
        line.truncate(end);
        Ok(Some(line))
    }

    /// Adds a part; gives the message that is whole with it.
    fn put_together(&mut self, line: &[u8]) -> Result<Option<Vec<u8>>, FrameError> {
        let Piece { part, last, text } = serde_json::from_slice(line).map_err(|e| malformed(&e))?;
        let parts = self.parts.get_or_insert_default();
        parts.entry(part).or_default().push_str(&text);
        let got = parts.values().map(String::len).sum();
        if got > ANSWER_MAX {
            return Err(FrameError::TooLong { got, limit: ANSWER_MAX });
        }
        Ok(if last { parts.remove(&part).map(String::into_bytes) } else { None })
    }

    /// Whether bytes of an unfinished line are left.
    pub fn is_torn(&self) -> bool {
        !self.buffer.is_empty()
    }
}

fn malformed(error: &serde_json::Error) -> FrameError {
    FrameError::Malformed(error.to_string())
}

/// A message as a line.
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(message)
        .expect("invariant: messages have only string keys, so they always serialise");
    bytes.push(b'\n');
    bytes
}

/// A message as lines: one, or its parts where one would be too long.
pub fn encode_lines<T: Serialize>(message: &T) -> Vec<Line> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let whole = encode(message);
    if whole.len() <= FRAME_MAX {
        return vec![whole.into()];
    }
    let part = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut rest = std::str::from_utf8(&whole[..whole.len() - 1])
        .expect("invariant: serialised JSON is UTF-8");
    let mut lines = Vec::new();
    while !rest.is_empty() {
        let mut end = rest.len().min(PART_BYTES);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (text, tail) = rest.split_at(end);
        rest = tail;
        lines.push(encode(&Piece { part, last: rest.is_empty(), text: text.into() }).into());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds bytes in uneven pieces; the messages that come out.
    fn hear(mut frames: Frames, bytes: &[u8]) -> Result<Vec<Vec<String>>, FrameError> {
        let mut heard = Vec::new();
        for piece in bytes.chunks(70_001) {
            frames.push(piece);
            while let Some(message) = frames.take()? {
                heard.push(message);
            }
        }
        Ok(heard)
    }

    #[test]
    fn a_long_message_travels_in_parts_between_which_others_may_stand() {
        // Quotation marks and backslashes double in every layer of JSON; letters are two bytes.
        let long = vec!["\"\\ü\u{1}".repeat(300_000), "end".to_owned()];
        let other = vec!["x".repeat(2 * FRAME_MAX)];
        let short = vec!["between".to_owned()];
        let (a, b) = (encode_lines(&long), encode_lines(&other));
        assert!(a.len() > 3 && b.len() > 3);
        let mut bytes = Vec::new();
        for pair in a.iter().zip(&b) {
            bytes.extend_from_slice(pair.0);
            bytes.extend_from_slice(&encode(&short));
            bytes.extend_from_slice(pair.1);
        }
        for line in a.iter().skip(b.len()).chain(b.iter().skip(a.len())) {
            bytes.extend_from_slice(line);
        }
        assert!(a.iter().chain(&b).all(|line| line.len() <= FRAME_MAX));
        let heard = hear(Frames::of_answers(), &bytes).expect("sound lines");
        assert_eq!(heard.len(), 2 + a.len().min(b.len()));
        assert!(heard.contains(&long) && heard.contains(&other));
        assert!(hear(Frames::default(), &a[0]).is_err(), "a keeper takes no parts");
    }

    #[test]
    fn a_message_without_an_end_is_given_up_at_the_limit() {
        let text = "x".repeat(FRAME_MAX - 100);
        let line = encode(&Piece { part: 7, last: false, text: text.into() });
        let mut frames = Frames::of_answers();
        let refused = (0..100).find_map(|_| {
            frames.push(&line);
            frames.take::<Vec<String>>().err()
        });
        assert!(matches!(refused, Some(FrameError::TooLong { limit: ANSWER_MAX, .. })));
    }
}
