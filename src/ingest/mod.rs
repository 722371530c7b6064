//! Bytes from senders → commands. Pure; time and fresh ids are arguments.
//!
//! Invariants:
//! - Whatever is readable as an alert is taken; unknown fields are ignored. What is not readable is
//!   refused with the reason, never dropped.
//! - Everything is capped here: after this no sender can make an event too large.

pub mod alertmanager;
pub mod caps;
pub mod generic;
pub mod pagerduty;
pub mod reply;

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::domain::post::{Incoming, Post};
use crate::domain::text::hex;

/// Why a body was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Refused {
    /// HTTP status: 400, or 413 for too much.
    pub status: u16,
    pub what: String,
}

impl Refused {
    pub(crate) fn bad(what: impl Into<String>) -> Self {
        Self { status: 400, what: what.into() }
    }
}

/// A post as it was read: what is taken of it, and what of it could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub post: Post,
    /// Why single alerts were left out, in words: the others are taken all the same.
    pub odd: Vec<String>,
}

/// Tells what can be taken from what cannot; where nothing can be, the whole is refused.
pub(crate) fn sorted(
    alerts: impl Iterator<Item = Result<Incoming, String>>,
) -> Result<(Vec<Incoming>, Vec<String>), Refused> {
    let (mut taken, mut odd) = (Vec::new(), Vec::new());
    for (index, alert) in alerts.enumerate() {
        match alert {
            Ok(alert) => taken.push(alert),
            Err(what) => odd.push(format!("alert {index}: {what}")),
        }
    }
    match odd.first() {
        Some(first) if taken.is_empty() => Err(Refused::bad(first.clone())),
        Some(_) | None => Ok((taken, odd)),
    }
}

/// Alerts in one post, at most.
pub const ALERTS_MAX: usize = 10_000;

/// The identity of a label set, for senders that give none: 16 hexadecimal digits.
pub fn fingerprint_of(labels: &BTreeMap<String, String>) -> String {
    let mut hasher = Sha256::new();
    for (label, value) in labels {
        hasher.update(label.as_bytes());
        hasher.update([0xff]);
        hasher.update(value.as_bytes());
        hasher.update([0xfe]);
    }
    hex(&hasher.finalize()[..8])
}

/// The hash that is kept of a sender's token.
pub fn token_hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}
