//! The journal on disk: sled and its twin, synced in parallel before an append returns.
//!
//! Invariants:
//! - One writer. On any error nothing of the batch was acknowledged, and the journal refuses
//!   further appends: sled keeps a failed write as a sticky error, so the keeper must end, and the
//!   next opening brings both copies to the same head.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use nix::fcntl::{FallocateFlags, fallocate};

use crate::store::batch::{Batch, Head, Pack};
use crate::store::sled_log::SledLog;
use crate::store::twin::Twin;
use crate::store::{Journal, Reader, StoreError};

/// Space that is kept for the twin's next segments and for the next start on a full disk.
pub const BALLAST_BYTES: u64 = 16 << 20;

/// Space that is kept behind the end of sled's file, where nobody else can take it: what people do
/// goes on being recorded though another program has filled the disk.
const AHEAD_BYTES: u64 = 12 << 20;

/// Free space below which alerts are refused, so that people's acts and the twin's next segment
/// still have room.
pub const SPACE_MIN: u64 = 48 << 20;

/// Bytes written between two syncs, at most.
const PART_BYTES: usize = 768 * 1024;

/// Free bytes on the disk that holds a directory, for an ordinary user.
pub fn free_bytes(dir: &Path) -> Option<u64> {
    let stat = nix::sys::statvfs::statvfs(dir).ok()?;
    Some(stat.blocks_available() * stat.fragment_size())
}

/// Free bytes where a journal lies; of both disks where its twin is on another one, the fewer.
fn free_for(paths: &Paths) -> Option<u64> {
    [&paths.root, &paths.twin].into_iter().filter_map(|dir| free_bytes(dir)).min()
}

/// Gives the ballast's space up where space is short, for a start that needs some. While a keeper
/// runs it is not given up: whatever fills the disk would take that too.
pub fn make_room(paths: &Paths) {
    if free_for(paths).is_some_and(|free| free < SPACE_MIN) {
        // There may be none; then there is nothing to give.
        drop(fs::remove_file(&paths.ballast));
    }
}

/// Where the parts of a journal lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    pub root: PathBuf,
    pub sled: PathBuf,
    pub twin: PathBuf,
    pub snapshot: PathBuf,
    pub ballast: PathBuf,
    /// Says that the database was found damaged: the next opening rebuilds it from the twin.
    pub damaged: PathBuf,
}

impl Paths {
    /// The layout below a journal's directory, with the twin elsewhere if wanted.
    pub fn new(root: &Path, twin: Option<&Path>) -> Self {
        Self {
            root: root.to_owned(),
            sled: root.join("sled"),
            twin: twin.map_or_else(|| root.join("twin"), Path::to_owned),
            snapshot: root.join("room.snap"),
            ballast: root.join("ballast"),
            damaged: root.join("damaged"),
        }
    }
}

/// The journal on disk.
pub struct DiskJournal {
    paths: Paths,
    log: SledLog,
    handle: File,
    head: Head,
    twin: TwinThread,
    is_sound: bool,
    /// sled's file as it was when space behind its end was taken: its length, and up to where.
    ahead: (u64, u64),
}

/// The thread that writes the twin while sled is being synced.
struct TwinThread {
    packs: Option<SyncSender<Arc<Vec<Pack>>>>,
    results: Receiver<Result<(), StoreError>>,
    thread: Option<JoinHandle<()>>,
}

impl TwinThread {
    fn start(mut twin: Twin) -> Self {
        // One batch at a time: the writer waits for the answer before it sends the next.
        let (packs, inbox) = sync_channel::<Arc<Vec<Pack>>>(1);
        let (outbox, results) = sync_channel(1);
        let thread = std::thread::spawn(move || {
            while let Ok(packs) = inbox.recv() {
                if outbox.send(twin.append(&packs)).is_err() {
                    break;
                }
            }
        });
        Self { packs: Some(packs), results, thread: Some(thread) }
    }

    fn begin(&self, packs: &Arc<Vec<Pack>>) -> bool {
        self.packs.as_ref().is_some_and(|tx| tx.send(Arc::clone(packs)).is_ok())
    }

    fn finish(&self) -> Result<(), StoreError> {
        self.results.recv().unwrap_or_else(|_| {
            Err(StoreError::Refused("the twin's writer is gone; restart the keeper".to_owned()))
        })
    }
}

impl Drop for TwinThread {
    fn drop(&mut self) {
        self.packs = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl DiskJournal {
    /// Puts the opened copies, which agree on `head`, together.
    pub(crate) fn new(
        paths: Paths,
        log: SledLog,
        twin: Twin,
        head: Head,
    ) -> Result<Self, StoreError> {
        let handle = log.handle()?;
        let twin = TwinThread::start(twin);
        let mut journal = Self { paths, log, handle, head, twin, is_sound: true, ahead: (0, 0) };
        journal.reach_ahead();
        if free_for(&journal.paths).is_none_or(|free| free > SPACE_MIN + 2 * BALLAST_BYTES) {
            journal.keep_ballast();
        }
        Ok(journal)
    }

    /// sled's side, for readers and tools.
    pub fn log(&self) -> &SledLog {
        &self.log
    }

    /// Takes space behind the end of sled's file, where less than half of it is left. A database that
    /// became shorter has given back what lay behind its end.
    fn reach_ahead(&mut self) {
        let Ok(meta) = self.handle.metadata() else { return };
        let (len, (known, until)) = (meta.len(), self.ahead);
        if len >= known && until.saturating_sub(len) > AHEAD_BYTES / 2 {
            self.ahead.0 = len;
            return;
        }
        let (from, bytes) = (len.cast_signed(), AHEAD_BYTES.cast_signed());
        let flags = FallocateFlags::FALLOC_FL_KEEP_SIZE;
        // Where there is no space, or the file system cannot do it, what was taken before is left.
        if fallocate(&self.handle, flags, from, bytes).is_ok() {
            self.ahead = (len, len + AHEAD_BYTES);
        } else if len < known {
            self.ahead = (len, len);
        }
    }

    /// Takes the ballast's space if the disk has room for it.
    pub fn keep_ballast(&self) {
        if fs::metadata(&self.paths.ballast).is_ok_and(|m| m.len() == BALLAST_BYTES) {
            return;
        }
        if let Ok(file) = File::create(&self.paths.ballast) {
            let wanted = BALLAST_BYTES.cast_signed();
            if nix::fcntl::posix_fallocate(&file, 0, wanted).is_err() {
                drop(fs::remove_file(&self.paths.ballast));
            }
        }
    }

    /// Appends in parts, so that less than a segment of sled's lies between two syncs.
    fn append_parts(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if batch.bytes() <= PART_BYTES {
            return self.append_both(batch);
        }
        let mut part = Batch::default();
        for pack in &batch.packs {
            if part.bytes() + pack.bytes.len() > PART_BYTES {
                self.append_both(&std::mem::take(&mut part))?;
            }
            let own = batch.streams.iter().filter(|(_, first)| *first == pack.first);
            part.streams.extend(own.copied());
            part.packs.push(pack.clone());
        }
        part.rows.clone_from(&batch.rows);
        self.append_both(&part)
    }

    fn append_both(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let packs = Arc::new(batch.packs.clone());
        let is_twinned = self.twin.begin(&packs);
        let written = self.log.write(batch).and_then(|()| self.log.sync(&self.handle));
        let twinned = if is_twinned {
            self.twin.finish()
        } else {
            Err(StoreError::Refused("the twin's writer is gone; restart the keeper".to_owned()))
        };
        written.and(twinned)
    }
}

impl Journal for DiskJournal {
    fn head(&self) -> Head {
        self.head
    }

    fn append(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if batch.packs.is_empty() && batch.rows.is_empty() {
            return Ok(());
        }
        if !self.is_sound {
            return Err(StoreError::Refused(
                "the journal failed and has not recovered yet".to_owned(),
            ));
        }
        if batch.packs.first().is_some_and(|pack| pack.first != self.head.seq + 1) {
            return Err(StoreError::Refused("somebody else wrote to the journal first".to_owned()));
        }
        match self.append_parts(batch) {
            Ok(()) => {
                self.head = batch.head;
                self.reach_ahead();
                Ok(())
            }
            Err(error) => {
                if error.is_full() {
                    // The next keeper needs some space to begin.
                    drop(fs::remove_file(&self.paths.ballast));
                }
                self.is_sound = false;
                Err(error)
            }
        }
    }

    fn is_tight(&self) -> bool {
        // Where the ballast was used it is taken back once there is room again.
        let Some(free) = free_for(&self.paths) else { return false };
        if free > SPACE_MIN + 2 * BALLAST_BYTES {
            self.keep_ballast();
        }
        // The ballast's own space is no reason to take alerts again.
        let has_ballast = self.paths.ballast.exists();
        free < SPACE_MIN + if has_ballast { 0 } else { BALLAST_BYTES }
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(self.log.clone())
    }
}
