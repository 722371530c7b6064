//! A journal in memory that fails on request: for tests and for drills.
//!
//! Invariants: behaves like the journal on disk as far as a caller can see.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::ids::{IncidentId, Seq};
use crate::store::batch::{Batch, Head, RawEvent, unpack};
use crate::store::{Journal, Pair, Reader, StoreError, Table};

#[derive(Default)]
struct Inner {
    packs: BTreeMap<Seq, Vec<u8>>,
    rows: BTreeMap<IncidentId, Vec<u8>>,
    tables: BTreeMap<(u8, Vec<u8>), Vec<u8>>,
    head: Head,
    fail_next: u32,
}

/// A journal in memory. Cloning shares it.
#[derive(Clone, Default)]
pub struct MemoryJournal {
    inner: Arc<Mutex<Inner>>,
}

impl MemoryJournal {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the next `count` appends fail, with nothing written.
    pub fn fail_next(&self, count: u32) {
        self.lock().fail_next = count;
    }
}

impl Journal for MemoryJournal {
    fn head(&self) -> Head {
        self.lock().head
    }

    fn append(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let mut inner = self.lock();
        if inner.fail_next > 0 {
            inner.fail_next -= 1;
            return Err(StoreError::Full);
        }
        if batch.packs.first().is_some_and(|pack| pack.first != inner.head.seq + 1) {
            return Err(StoreError::Refused("somebody else wrote to the journal first".to_owned()));
        }
        for pack in &batch.packs {
            inner.packs.insert(pack.first, pack.bytes.clone());
        }
        for (id, row) in &batch.rows {
            match row {
                Some(row) => drop(inner.rows.insert(*id, row.clone())),
                None => drop(inner.rows.remove(id)),
            }
        }
        inner.head = batch.head;
        Ok(())
    }

    fn is_tight(&self) -> bool {
        false
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(self.clone())
    }
}

impl Reader for MemoryJournal {
    fn scan(
        &self,
        after: Seq,
        visit: &mut dyn FnMut(RawEvent<'_>) -> bool,
    ) -> Result<(), StoreError> {
        let packs = self.lock().packs.clone();
        for (first, bytes) in packs {
            if !unpack(first, &bytes, &mut |event| event.seq <= after || visit(event))? {
                break;
            }
        }
        Ok(())
    }

    fn stream(
        &self,
        incident: IncidentId,
        visit: &mut dyn FnMut(RawEvent<'_>) -> bool,
    ) -> Result<(), StoreError> {
        self.scan(0, &mut |event| match event.decode() {
            Ok(decoded) if decoded.body.incidents().contains(&incident) => visit(event),
            _ => true,
        })
    }

    fn stream_tail(
        &self,
        incident: IncidentId,
        _packs: usize,
        visit: &mut dyn FnMut(RawEvent<'_>) -> bool,
    ) -> Result<u64, StoreError> {
        let mut total = 0;
        self.stream(incident, &mut |event| {
            total += 1;
            visit(event)
        })?;
        Ok(total)
    }

    fn rows(&self, visit: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), StoreError> {
        let rows = self.lock().rows.clone();
        for row in rows.values().rev() {
            if !visit(row) {
                break;
            }
        }
        Ok(())
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.lock().tables.get(&(table as u8, key.to_vec())).cloned())
    }

    fn at_or_before(&self, table: Table, key: &[u8]) -> Result<Option<Pair>, StoreError> {
        let inner = self.lock();
        let range = (table as u8, Vec::new())..=(table as u8, key.to_vec());
        Ok(inner.tables.range(range).next_back().map(|((_, k), v)| (k.clone(), v.clone())))
    }

    fn prefix(
        &self,
        table: Table,
        prefix: &[u8],
        visit: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        let inner = self.lock();
        for ((t, key), value) in inner.tables.range((table as u8, prefix.to_vec())..) {
            if *t != table as u8 || !key.starts_with(prefix) || !visit(key, value) {
                break;
            }
        }
        Ok(())
    }

    fn put(&self, table: Table, entries: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<(), StoreError> {
        let mut inner = self.lock();
        for (key, value) in entries {
            let key = (table as u8, key.clone());
            match value {
                Some(value) => drop(inner.tables.insert(key, value.clone())),
                None => drop(inner.tables.remove(&key)),
            }
        }
        Ok(())
    }
}
