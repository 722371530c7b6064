//! Refusals: answers in words, not errors.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a command was refused: an answer, not an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    pub kind: RejectionKind,
    /// What failed, on what.
    pub what: String,
    /// What to do next; may be empty.
    pub next: String,
}

/// The kind of a refusal; a script may decide by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RejectionKind {
    /// There is no such thing.
    NotFound,
    /// Not in this state.
    NotNow,
    /// Something is missing or unreadable.
    BadInput,
    /// A reason is asked for.
    NeedsReason,
    /// Alerts still fire.
    StillFiring,
    /// The operator's rights do not go so far.
    NotAllowed,
    /// Somebody was quicker; look again and decide again.
    Conflict,
    /// It is so already.
    Already,
    /// The keeper cannot write now.
    Unavailable,
}

impl Rejection {
    /// A refusal in words.
    pub fn new(kind: RejectionKind, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { kind, what: what.into(), next: next.into() }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if self.next.is_empty() { Ok(()) } else { write!(f, "; {}", self.next) }
    }
}

impl std::error::Error for Rejection {}
