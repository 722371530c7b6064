//! The journal: an append-only, hash-chained log of facts that loses nothing it acknowledged.
//!
//! Two copies are kept: sled, from which everything is read, and the twin, plain segment files
//! that are only ever written except to repair. Both are synced before an append returns.
//!
//! Invariants:
//! - `append` returns `Ok` only when both copies are durable.
//! - Events have no gap in `seq`, and every event's hash covers the one before it.
//! - The order that readers see is the order of the journal; an append may be refused.

#![expect(clippy::wildcard_enum_match_arm, reason = "the others are handled alike")]

pub mod batch;
pub mod fold;
pub mod journal;
pub mod memory;
pub mod open;
pub mod sled_log;
pub mod snapshot;
pub mod text_index;
pub mod transfer;
pub mod twin;
pub mod verify;

use std::io;
use std::path::PathBuf;

use crate::domain::ids::{IncidentId, Seq};
use crate::store::batch::{Batch, Head, RawEvent};

/// What can go wrong with the journal.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("another keeper holds {}; use it, or stop it first", path.display())]
    Locked { path: PathBuf },
    #[error("cannot {doing} {}: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("the database cannot {doing}: {text}")]
    Sled { doing: &'static str, text: String },
    #[error("the disk is full; nothing new can be recorded until space is freed")]
    Full,
    #[error("event {seq} in the journal is not readable: {text}")]
    Corrupt { seq: Seq, text: String },
    #[error(
        "event {seq} is of a kind that this warroom does not know ({text}): use the warroom that \
         wrote it, or a newer one; nothing was changed"
    )]
    Unknown { seq: Seq, text: String },
    #[error("the journal has format {found}, this warroom knows {known}; use a newer warroom")]
    Newer { found: u32, known: u32 },
    #[error("{0}")]
    Refused(String),
}

impl StoreError {
    pub(crate) fn io(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| {
            if is_no_room(&source) {
                return Self::Full;
            }
            Self::Io { doing, path, source }
        }
    }

    pub(crate) fn sled(doing: &'static str) -> impl FnOnce(sled::Error) -> Self {
        move |error| match &error {
            sled::Error::Io(e) if is_no_room(e) => Self::Full,
            _ => Self::Sled { doing, text: error.to_string() },
        }
    }

    /// Whether it is the machine that refuses, and not the data that are damaged: what is sound must
    /// not be set aside for that.
    pub fn is_refusal(&self) -> bool {
        let words = ["Permission denied", "Read-only file system", "Too many open files"];
        match self {
            Self::Locked { .. } | Self::Newer { .. } | Self::Unknown { .. } | Self::Full => true,
            Self::Io { source, .. } => {
                let text = source.to_string();
                words.iter().any(|word| text.contains(word))
            }
            Self::Sled { text, .. } => words.iter().any(|word| text.contains(word)),
            Self::Corrupt { .. } | Self::Refused(_) => false,
        }
    }

    /// Whether freeing space would help.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full)
    }
}

fn is_no_room(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The writing side: one writer.
pub trait Journal: Send {
    /// The last event and the hash of the chain there.
    fn head(&self) -> Head;

    /// Makes a batch durable, in all copies, or fails and has acknowledged nothing.
    fn append(&mut self, batch: &Batch) -> Result<(), StoreError>;

    /// Whether so little space is left that only people's acts should be recorded.
    fn is_tight(&self) -> bool;

    /// A reader beside the writer.
    fn reader(&self) -> std::sync::Arc<dyn Reader>;
}

/// The reading side: any number, beside the writer.
pub trait Reader: Send + Sync {
    /// Visits the events after `after` in order, until `visit` says stop.
    fn scan(
        &self,
        after: Seq,
        visit: &mut dyn FnMut(RawEvent<'_>) -> bool,
    ) -> Result<(), StoreError>;

    /// Visits the events of one incident's stream, in order, until `visit` says stop.
    fn stream(
        &self,
        incident: IncidentId,
        visit: &mut dyn FnMut(RawEvent<'_>) -> bool,
    ) -> Result<(), StoreError>;

    /// The same for the last `packs` durable units of the stream; returns how many it has in all.
    fn stream_tail(
        &self,
        incident: IncidentId,
        packs: usize,
        visit: &mut dyn FnMut(RawEvent<'_>) -> bool,
    ) -> Result<u64, StoreError>;

    /// Summary rows of incidents that left the room, newest first.
    fn rows(&self, visit: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), StoreError>;

    /// A value of the small side tables (drafts, text index).
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// The last entry of a side table at or before a key.
    fn at_or_before(&self, table: Table, key: &[u8]) -> Result<Option<Pair>, StoreError>;

    /// Visits the entries of a side table whose keys begin with `prefix`.
    fn prefix(
        &self,
        table: Table,
        prefix: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError>;

    /// Writes entries of a side table (`None` deletes) and makes them durable.
    fn put(&self, table: Table, entries: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<(), StoreError>;
}

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Called with each pack's first event and bytes; says whether to go on.
pub type PackVisitor<'a> = dyn FnMut(Seq, &[u8]) -> Result<bool, StoreError> + 'a;

/// Side tables: none of them is part of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Half-written texts, per person.
    Drafts,
    /// The full-text index; can be rebuilt.
    Text,
}
