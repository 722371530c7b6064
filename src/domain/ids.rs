//! Names of things: incidents, events, commands.
//!
//! Invariants:
//! - `Display` and `FromStr` are inverse.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Position of an event in the journal: 1 for the first, without a gap.
pub type Seq = u64;

/// The number people say aloud on the bridge call: `INC-42`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(pub u32);

/// A text that names no incident.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an incident; write INC-42 or 42")]
pub struct BadIncidentId(pub String);

/// What stands in the place of an incident for a word that belongs to none: no incident has it.
pub const BESIDE: IncidentId = IncidentId(0);

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("INC-{}", self.0))
    }
}

impl FromStr for IncidentId {
    type Err = BadIncidentId;
    fn from_str(s: &str) -> Result<Self, BadIncidentId> {
        let text = s.trim();
        let digits = match text.get(..4) {
            Some(head) if head.eq_ignore_ascii_case("INC-") => &text[4..],
            _ => text,
        };
        digits.parse().map(Self).map_err(|_| BadIncidentId(s.to_owned()))
    }
}

/// Names one command for ever: chosen by the sender (a ULID), so that a retry is not done twice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommandId(pub String);

impl CommandId {
    /// The longest id that is taken, in bytes.
    pub const LEN_MAX: usize = 64;

    /// Whether the id may be used: 1 to 64 printable ASCII characters.
    pub fn is_valid(&self) -> bool {
        (1..=Self::LEN_MAX).contains(&self.0.len()) && self.0.bytes().all(|b| b.is_ascii_graphic())
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incident_ids_are_read_as_people_write_them() {
        for text in ["INC-42", "inc-42", "42", " 42 "] {
            assert_eq!(text.parse(), Ok(IncidentId(42)));
        }
        for text in ["", "INC-", "INC-x", "-1", "é-42", "42é"] {
            assert!(text.parse::<IncidentId>().is_err(), "{text}");
        }
    }
}
