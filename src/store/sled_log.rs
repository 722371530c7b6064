//! The journal's copy in sled: what everything is read from.
//!
//! Trees: `global` (first event of a pack ‖ chunk → bytes), `stream` (incident ‖ first event of a
//! pack → nothing), `rows`, `drafts`, `text`, `meta`.
//!
//! Invariants:
//! - No value is larger than 32 KiB: larger packs are chunked, because sled keeps large values in
//!   files that it never syncs.
//! - `flush()` alone is not durable: the file `db` is synced through a handle of our own.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use sled::transaction::{ConflictableTransactionError, TransactionError};
use sled::{Db, Transactional, Tree};

use crate::domain::ids::{IncidentId, Seq};
use crate::store::batch::{Batch, Head, Mentions, RawEvent, pack_end, unpack};
use crate::store::{PackVisitor, Pair, Reader, StoreError, Table};

/// The journal format this program writes and the newest that it reads.
pub const FORMAT: u32 = 1;
/// The longest value, in bytes: what is longer lies there in pieces.
pub const CHUNK_MAX: usize = 32 * 1024;

/// sled with its trees. Cloning shares them.
#[derive(Clone)]
pub struct SledLog {
    db: Db,
    global: Tree,
    stream: Tree,
    rows: Tree,
    drafts: Tree,
    text: Tree,
    db_path: PathBuf,
}

impl SledLog {
    /// Opens the database in a directory; sled may panic on a damaged one (see `open`).
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let db = sled::Config::new()
            .path(dir)
            .segment_size(8 << 20)
            .flush_every_ms(None)
            .cache_capacity(8 << 20)
            .open()
            .map_err(StoreError::sled("open"))?;
        let tree = |name: &str| db.open_tree(name).map_err(StoreError::sled("open a tree"));
        let meta = tree("meta")?;
        match meta.get("format").map_err(StoreError::sled("read"))? {
            Some(bytes) => {
                let found = u32::from_be_bytes(bytes.as_ref().try_into().unwrap_or([255; 4]));
                if found > FORMAT {
                    return Err(StoreError::Newer { found, known: FORMAT });
                }
            }
            None => drop(
                meta.insert("format", &FORMAT.to_be_bytes()).map_err(StoreError::sled("write"))?,
            ),
        }
        let log = Self {
            global: tree("global")?,
            stream: tree("stream")?,
            rows: tree("rows")?,
            drafts: tree("drafts")?,
            text: tree("text")?,
            db_path: dir.join("db"),
            db,
        };
        log.sync(&log.handle()?)?;
        Ok(log)
    }

    /// A handle of our own on sled's file, for syncing.
    pub fn handle(&self) -> Result<File, StoreError> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .open(&self.db_path)
            .map_err(StoreError::io("open", &self.db_path))
    }

    /// Makes everything written so far durable.
    pub fn sync(&self, handle: &File) -> Result<(), StoreError> {
        self.db.flush().map_err(StoreError::sled("flush"))?;
        handle.sync_data().map_err(StoreError::io("sync", &self.db_path))
    }

    /// Bytes that the database takes on disk.
    pub fn size_on_disk(&self) -> u64 {
        self.db.size_on_disk().unwrap_or(0)
    }

    /// Writes a batch in one transaction; not durable before `sync`.
    pub fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        let result =
            (&self.global, &self.stream, &self.rows).transaction(|(global, stream, rows)| {
                for pack in &batch.packs {
                    for (index, chunk) in pack.bytes.chunks(CHUNK_MAX).enumerate() {
                        global.insert(&global_key(pack.first, index)[..], chunk)?;
                    }
                }
                for (incident, first) in &batch.streams {
                    stream.insert(&stream_key(*incident, *first)[..], &[][..])?;
                }
                for (incident, row) in &batch.rows {
                    let key = &incident.0.to_be_bytes()[..];
                    match row {
                        Some(row) => drop(rows.insert(key, row.as_slice())?),
                        None => drop(rows.remove(key)?),
                    }
                }
                Ok::<(), ConflictableTransactionError<()>>(())
            });
        result.map_err(|error| match error {
            TransactionError::Storage(e) => StoreError::sled("write")(e),
            TransactionError::Abort(()) => {
                StoreError::Sled { doing: "write", text: "the transaction was given up".to_owned() }
            }
        })
    }

    /// The last event.
    pub fn head(&self) -> Result<Head, StoreError> {
        let Some(last) = self.global.last().map_err(StoreError::sled("read"))? else {
            return Ok(Head::default());
        };
        let first = seq_of(&last.0);
        let bytes = self.pack(first)?.unwrap_or_default();
        let (count, hash) = pack_end(&bytes).ok_or_else(|| StoreError::Corrupt {
            seq: first,
            text: "the last pack is cut short".to_owned(),
        })?;
        Ok(Head { seq: first + u64::from(count) - 1, hash })
    }

    /// The pack that begins with an event.
    pub fn pack(&self, first: Seq) -> Result<Option<Vec<u8>>, StoreError> {
        let mut bytes: Option<Vec<u8>> = None;
        for chunk in self.global.scan_prefix(first.to_be_bytes()).values() {
            let chunk = chunk.map_err(StoreError::sled("read"))?;
            bytes.get_or_insert_default().extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// Visits the packs that may hold events after `after`, in order, until `visit` says stop.
    pub fn packs(&self, after: Seq, visit: &mut PackVisitor<'_>) -> Result<(), StoreError> {
        let from = match self
            .global
            .get_lt(global_key(after.saturating_add(2), 0))
            .map_err(StoreError::sled("read"))?
        {
            Some((key, _)) => seq_of(&key),
            None => 0,
        };
        let mut current: Option<(Seq, Vec<u8>)> = None;
        for entry in self.global.range(global_key(from, 0)..) {
            let (key, chunk) = entry.map_err(StoreError::sled("read"))?;
            let first = seq_of(&key);
            match &mut current {
                Some((seq, bytes)) if *seq == first => bytes.extend_from_slice(&chunk),
                _ => {
                    if let Some((seq, bytes)) = current.replace((first, chunk.to_vec()))
                        && !visit(seq, &bytes)?
                    {
                        return Ok(());
                    }
                }
            }
        }
        if let Some((seq, bytes)) = current {
            visit(seq, &bytes)?;
        }
        Ok(())
    }

    /// Visits the events of a pack that are about an incident. Says whether to go on.
    fn visit_pack_of(
        &self,
        incident: IncidentId,
        first: Seq,
        visit: &mut dyn FnMut(RawEvent<'_>) -> bool,
    ) -> Result<bool, StoreError> {
        let Some(bytes) = self.pack(first)? else {
            return Err(StoreError::Corrupt { seq: first, text: "the pack is missing".to_owned() });
        };
        // Most events of a storm's pack are about others: a look at the text spares decoding them.
        let mentions = Mentions::of(incident);
        let mut damage = None;
        let goes_on = unpack(first, &bytes, &mut |event| {
            if !mentions.may_be_in(event.json) {
                return true;
            }
            match event.decode() {
                Ok(decoded) if decoded.body.incidents().contains(&incident) => visit(event),
                Ok(_) => true,
                Err(error) => {
                    damage = Some(error);
                    false
                }
            }
        })?;
        damage.map_or(Ok(goes_on), Err)
    }

    fn tree(&self, table: Table) -> &Tree {
        match table {
            Table::Drafts => &self.drafts,
            Table::Text => &self.text,
        }
    }

    /// Forgets what can be rebuilt: streams and the text index.
    pub fn clear_derived(&self) -> Result<(), StoreError> {
        for tree in [&self.stream, &self.text, &self.rows] {
            tree.clear().map_err(StoreError::sled("clear"))?;
        }
        Ok(())
    }
}

fn global_key(first: Seq, chunk: usize) -> [u8; 10] {
    let mut key = [0; 10];
    key[..8].copy_from_slice(&first.to_be_bytes());
    key[8..].copy_from_slice(&u16::try_from(chunk).unwrap_or(u16::MAX).to_be_bytes());
    key
}

fn stream_key(incident: IncidentId, first: Seq) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&incident.0.to_be_bytes());
    key[4..].copy_from_slice(&first.to_be_bytes());
    key
}

fn seq_of(key: &[u8]) -> Seq {
    key.get(..8).and_then(|k| k.try_into().ok()).map_or(0, u64::from_be_bytes)
}

impl Reader for SledLog {
    fn scan(
        &self,
        after: Seq,
        visit: &mut dyn FnMut(RawEvent<'_>) -> bool,
    ) -> Result<(), StoreError> {
        self.packs(after, &mut |first, bytes| {
            unpack(first, bytes, &mut |event| event.seq <= after || visit(event))
        })
    }

    fn stream(
        &self,
        incident: IncidentId,
        visit: &mut dyn FnMut(RawEvent<'_>) -> bool,
    ) -> Result<(), StoreError> {
        for key in self.stream.scan_prefix(incident.0.to_be_bytes()).keys() {
            let key = key.map_err(StoreError::sled("read"))?;
            if !self.visit_pack_of(incident, seq_of(&key[4..]), visit)? {
                break;
            }
        }
        Ok(())
    }

    fn stream_tail(
        &self,
        incident: IncidentId,
        packs: usize,
        visit: &mut dyn FnMut(RawEvent<'_>) -> bool,
    ) -> Result<u64, StoreError> {
        let mut firsts = Vec::new();
        let mut total = 0;
        for key in self.stream.scan_prefix(incident.0.to_be_bytes()).keys().rev() {
            let key = key.map_err(StoreError::sled("read"))?;
            total += 1;
            if firsts.len() < packs {
                firsts.push(seq_of(&key[4..]));
            }
        }
        for first in firsts.into_iter().rev() {
            if !self.visit_pack_of(incident, first, visit)? {
                break;
            }
        }
        Ok(total)
    }

    fn rows(&self, visit: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), StoreError> {
        for value in self.rows.iter().values().rev() {
            if !visit(&value.map_err(StoreError::sled("read"))?) {
                break;
            }
        }
        Ok(())
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.tree(table).get(key).map_err(StoreError::sled("read"))?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn at_or_before(&self, table: Table, key: &[u8]) -> Result<Option<Pair>, StoreError> {
        let mut range = self.tree(table).range::<&[u8], _>(..=key);
        let entry = range.next_back().transpose().map_err(StoreError::sled("read"))?;
        Ok(entry.map(|(key, value)| (key.to_vec(), value.to_vec())))
    }

    fn prefix(
        &self,
        table: Table,
        prefix: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        for entry in self.tree(table).scan_prefix(prefix) {
            let (key, value) = entry.map_err(StoreError::sled("read"))?;
            if !visit(&key, &value) {
                break;
            }
        }
        Ok(())
    }

    fn put(&self, table: Table, entries: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for (key, value) in entries {
            match value {
                Some(value) if value.len() > CHUNK_MAX => {
                    return Err(StoreError::Refused(format!(
                        "the value has {} bytes, the limit is {CHUNK_MAX}",
                        value.len()
                    )));
                }
                Some(value) => batch.insert(key.as_slice(), value.as_slice()),
                None => batch.remove(key.as_slice()),
            }
        }
        self.tree(table).apply_batch(batch).map_err(StoreError::sled("write"))?;
        self.sync(&self.handle()?)
    }
}
