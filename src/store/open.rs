//! Opening a journal is a procedure: either copy may be damaged, shortened or gone.
//!
//! Own lock first (the caller holds it) → unfinished sled snapshots away → guarded open → on
//! damage sled's snapshots aside, retry → else sled aside and a fresh one → compare heads and
//! replay the difference in either direction → trim torn tails.
//!
//! Invariants:
//! - Nothing is deleted that could hold an acknowledged event: damaged parts are set aside.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::domain::event::Recorded;
use crate::domain::ids::{IncidentId, Seq};
use crate::store::batch::{Batch, Head, Pack, pack_end, unpack};
use crate::store::journal::{DiskJournal, Paths, make_room};
use crate::store::sled_log::SledLog;
use crate::store::twin::{self, Twin};
use crate::store::{Reader as _, StoreError, Table};

/// Bytes replayed into sled between two syncs; must stay far below a segment.
const REPLAY_BYTES_MAX: usize = 512 * 1024;
/// How often a lock that outlived its holder is asked for again, 25 ms apart.
const LOCK_TRIES: u32 = 40;

/// Something that opening had to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mended {
    pub what: String,
    pub events: u64,
    pub rows: Rows,
}

/// Which rows of incidents that are over must be made anew after a mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rows {
    None,
    /// Those of incidents that the replayed events are about.
    Of(BTreeSet<IncidentId>),
    All,
}

impl Mended {
    fn aside(what: String) -> Self {
        Self { what, events: 0, rows: Rows::None }
    }
}

/// An open journal and what was mended on the way.
pub struct Opened {
    pub journal: DiskJournal,
    pub mended: Vec<Mended>,
}

/// Opens, mends, and brings both copies to the same head.
pub fn open(paths: &Paths, progress: &mut dyn FnMut(&str, u64)) -> Result<Opened, StoreError> {
    make_private(&paths.root)?;
    make_room(paths);
    let mut mended = Vec::new();
    let mut drafts = Vec::new();
    if paths.damaged.exists() && paths.sled.exists() {
        drafts = open_guarded(&paths.sled).map(|log| drafts_of(&log)).unwrap_or_default();
        set_aside(&paths.sled, &mut mended)?;
        fs::remove_file(&paths.damaged).map_err(StoreError::io("remove", &paths.damaged))?;
    }
    let log = open_sled(paths, &mut mended)?;
    let (mut twin, twin_head) = Twin::open(&paths.twin)?;
    twin.set_spare(&paths.ballast);
    let head = catch_unwind(AssertUnwindSafe(|| log.head())).unwrap_or_else(|_| {
        Err(StoreError::Corrupt { seq: 0, text: "the database is damaged".to_owned() })
    });
    let (log, sled_head) = if let Ok(head) = head {
        (log, head)
    } else {
        drafts = drafts_of(&log);
        drop(log);
        set_aside(&paths.sled, &mut mended)?;
        let log = open_guarded(&paths.sled)?;
        (log, Head::default())
    };
    if !drafts.is_empty() {
        log.put(Table::Drafts, &drafts)?;
    }
    let head = if twin_head.seq > sled_head.seq {
        let (events, about) = replay_into_sled(paths, &log, (sled_head, twin_head), progress)?;
        let rows = if sled_head.seq == 0 { Rows::All } else { Rows::Of(about) };
        let what = "the database, from the twin".to_owned();
        mended.push(Mended { what, events, rows });
        twin_head
    } else {
        twin.trim()?;
        if twin_head.seq < sled_head.seq {
            let events = replay_into_twin(&mut twin, &log, twin_head, progress)?;
            let what = "the twin, from the database".to_owned();
            mended.push(Mended { what, events, rows: Rows::None });
        }
        sled_head
    };
    twin.trim()?;
    if twin_head.seq == sled_head.seq && twin_head.hash != sled_head.hash {
        return Err(StoreError::Corrupt {
            seq: head.seq,
            text:
                "the database and its twin tell different histories; run 'warroom verify' on both"
                    .to_owned(),
        });
    }
    Ok(Opened { journal: DiskJournal::new(paths.clone(), log, twin, head)?, mended })
}

/// The journal's folder, closed to everybody but its owner, whatever the umask and the home's own
/// mode are: others read through the keeper, which knows their rights and what was redacted.
fn make_private(root: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::create_dir_all(root).map_err(StoreError::io("create", root))?;
    let mode = fs::metadata(root).map_err(StoreError::io("look at", root))?.permissions().mode();
    if mode & 0o077 != 0 {
        let own = fs::Permissions::from_mode(0o700);
        fs::set_permissions(root, own).map_err(StoreError::io("close to others", root))?;
    }
    Ok(())
}

/// Sets sled aside and builds it anew from the twin: for damage that only reading finds.
pub fn rebuild_sled(
    paths: &Paths,
    progress: &mut dyn FnMut(&str, u64),
) -> Result<Opened, StoreError> {
    let mut mended = Vec::new();
    let drafts = open_guarded(&paths.sled).map(|log| drafts_of(&log)).unwrap_or_default();
    set_aside(&paths.sled, &mut mended)?;
    let mut opened = open(paths, progress)?;
    if !drafts.is_empty() {
        opened.journal.log().put(Table::Drafts, &drafts)?;
    }
    opened.mended.splice(0..0, mended);
    Ok(opened)
}

/// The half-written texts in a damaged database, as far as they can be read: they are nowhere else.
fn drafts_of(log: &SledLog) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let mut drafts = Vec::new();
    let read = catch_unwind(AssertUnwindSafe(|| {
        log.prefix(Table::Drafts, &[], &mut |key, value| {
            drafts.push((key.to_vec(), Some(value.to_vec())));
            true
        })
    }));
    // What was read before the damage is worth keeping.
    drop(read);
    drafts
}

fn open_sled(paths: &Paths, mended: &mut Vec<Mended>) -> Result<SledLog, StoreError> {
    remove_matching(&paths.sled, ".generating");
    match open_guarded(&paths.sled) {
        Ok(log) => return Ok(log),
        Err(error) if error.is_refusal() => return Err(error),
        Err(_) => {}
    }
    // A damaged snapshot of sled's own page table is rebuilt from its log.
    remove_matching(&paths.sled, "snap.");
    if let Ok(log) = open_guarded(&paths.sled) {
        mended.push(Mended::aside("the database's page table".to_owned()));
        return Ok(log);
    }
    set_aside(&paths.sled, mended)?;
    open_guarded(&paths.sled)
}

/// sled can panic on a damaged database; that is an answer too.
fn open_guarded(dir: &Path) -> Result<SledLog, StoreError> {
    let mut tries = 0;
    loop {
        let result = catch_unwind(AssertUnwindSafe(|| SledLog::open(dir))).unwrap_or_else(|_| {
            Err(StoreError::Sled { doing: "open", text: "it is damaged".to_owned() })
        });
        match result {
            Err(StoreError::Sled { text, .. }) if text.contains("could not acquire lock") => {
                tries += 1;
                if tries > LOCK_TRIES {
                    return Err(StoreError::Locked { path: dir.to_owned() });
                }
                // sled gives its lock back on a thread of its own, a little after the drop.
                thread::sleep(Duration::from_millis(25));
            }
            other => return other,
        }
    }
}

fn remove_matching(dir: &Path, part: &str) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().contains(part) {
            drop(fs::remove_file(entry.path()));
        }
    }
}

fn set_aside(dir: &Path, mended: &mut Vec<Mended>) -> Result<(), StoreError> {
    for n in 1..1000 {
        let aside = dir.with_extension(format!("damaged-{n}"));
        if !aside.exists() {
            fs::rename(dir, &aside).map_err(StoreError::io("set aside", dir))?;
            mended.push(Mended::aside(format!("set aside {}", aside.display())));
            return Ok(());
        }
    }
    Err(StoreError::Refused(format!(
        "too many damaged copies beside {}; remove some",
        dir.display()
    )))
}

fn replay_into_sled(
    paths: &Paths,
    log: &SledLog,
    (from, until): (Head, Head),
    progress: &mut dyn FnMut(&str, u64),
) -> Result<(u64, BTreeSet<IncidentId>), StoreError> {
    let handle = log.handle()?;
    let mut pending = Batch::default();
    let mut about = BTreeSet::new();
    let mut done = 0;
    let reached = twin::scan(&paths.twin, from.seq, &mut |first, bytes| {
        if first <= from.seq {
            return Ok(true);
        }
        done += add_pack(&mut pending, first, bytes)?;
        if pending.bytes() > REPLAY_BYTES_MAX {
            about.extend(pending.streams.iter().map(|(incident, _)| *incident));
            log.write(&std::mem::take(&mut pending))?;
            log.sync(&handle)?;
            progress("rebuilding the database from the twin", done);
        }
        Ok(true)
    })?;
    about.extend(pending.streams.iter().map(|(incident, _)| *incident));
    log.write(&pending)?;
    log.sync(&handle)?;
    if reached.seq < until.seq {
        // To go on would be to say that nothing is missing.
        let (sound, last) = (reached.seq.max(from.seq), until.seq);
        let text = format!(
            "the database does not hold it, and its twin in {} is damaged there; the events up to \
             {sound} are sound, and later ones up to {last} may be. Restore the last backup into \
             another home ('warroom restore'), or copy this one and move the twin's segments from \
             that event on aside, to go on with what is before it",
            paths.twin.display()
        );
        return Err(StoreError::Corrupt { seq: sound + 1, text });
    }
    Ok((done, about))
}

/// Adds a pack with its streams to a batch; returns how many events it holds.
fn add_pack(batch: &mut Batch, first: Seq, bytes: &[u8]) -> Result<u64, StoreError> {
    let mut streams: Vec<IncidentId> = Vec::new();
    let mut failed = None;
    let mut last = first;
    unpack(first, bytes, &mut |event| {
        last = event.seq;
        match event.decode() {
            Ok(Recorded { body, .. }) => streams.extend(body.incidents()),
            Err(error) => failed = Some(error),
        }
        true
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    streams.sort_unstable();
    streams.dedup();
    batch.streams.extend(streams.into_iter().map(|incident| (incident, first)));
    batch.packs.push(Pack { first, last, bytes: bytes.to_vec() });
    Ok(last + 1 - first)
}

fn replay_into_twin(
    twin: &mut Twin,
    log: &SledLog,
    from: Head,
    progress: &mut dyn FnMut(&str, u64),
) -> Result<u64, StoreError> {
    let mut done = 0;
    let mut pending: Vec<Pack> = Vec::new();
    let mut size = 0;
    log.packs(from.seq, &mut |first, bytes| {
        if first <= from.seq {
            return Ok(true);
        }
        let (count, _) = pack_end(bytes).ok_or_else(|| StoreError::Corrupt {
            seq: first,
            text: "the pack is cut short".to_owned(),
        })?;
        pending.push(Pack { first, last: first + u64::from(count) - 1, bytes: bytes.to_vec() });
        size += bytes.len();
        done += u64::from(count);
        if size > REPLAY_BYTES_MAX {
            twin.append(&std::mem::take(&mut pending))?;
            size = 0;
            progress("writing the twin anew", done);
        }
        Ok(true)
    })?;
    twin.append(&pending)?;
    Ok(done)
}

/// Rebuilds what is derived from the packs: the streams. (Rows come from a fold, the text index
/// from its own builder.)
pub fn rebuild_streams(
    log: &SledLog,
    progress: &mut dyn FnMut(&str, u64),
) -> Result<u64, StoreError> {
    log.clear_derived()?;
    let handle = log.handle()?;
    let mut pending = Batch::default();
    let mut done = 0;
    log.packs(0, &mut |first, bytes| {
        let mut part = Batch::default();
        done += add_pack(&mut part, first, bytes)?;
        pending.streams.append(&mut part.streams);
        if pending.streams.len() > 4096 {
            log.write(&std::mem::take(&mut pending))?;
            log.sync(&handle)?;
            progress("rebuilding the streams", done);
        }
        Ok(true)
    })?;
    log.write(&pending)?;
    log.sync(&handle)?;
    Ok(done)
}
