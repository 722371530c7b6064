//! The twin: the same packs as sled holds, in plain preallocated segment files.
//!
//! A segment's name is the number of its first event. A frame is length, CRC-32, first event,
//! pack; a length of zero is the end.
//!
//! Invariants:
//! - Only appended to; the one exception is `rewrite_segment`, which writes a segment anew beside
//!   the old one and then renames it.
//! - A torn frame at the very end was never acknowledged and is overwritten.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};

use crate::domain::ids::Seq;
use crate::store::batch::{Head, Pack, pack_end};
use crate::store::{PackVisitor, StoreError};

/// A segment's size on disk.
pub const SEGMENT_BYTES: u64 = 8 << 20;
const FRAME_HEADER: usize = 16;

/// The twin, open for appending.
pub struct Twin {
    dir: PathBuf,
    file: Option<File>,
    path: PathBuf,
    offset: u64,
    is_torn: bool,
    /// A file of zeros that becomes the next segment where the disk has no space for one.
    spare: Option<PathBuf>,
}

/// What a scan of one segment found.
pub struct Scan {
    /// Where the next frame goes.
    pub end: u64,
    /// The last event of the last whole frame; `None` for none.
    pub head: Option<Head>,
    /// Whether something other than zeros follows the last whole frame.
    pub torn: bool,
}

/// The segments in order, with their first events.
pub fn segments(dir: &Path) -> Result<Vec<(Seq, PathBuf)>, StoreError> {
    let mut found = Vec::new();
    let entries = fs::read_dir(dir).map_err(StoreError::io("list", dir))?;
    for entry in entries {
        let path = entry.map_err(StoreError::io("list", dir))?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if let Some(first) = name.strip_suffix(".log").and_then(|n| n.parse().ok()) {
            found.push((first, path));
        }
    }
    found.sort();
    Ok(found)
}

fn segment_path(dir: &Path, first: Seq) -> PathBuf {
    dir.join(format!("{first:020}.log"))
}

/// Visits the packs of one segment in order until `visit` says stop.
pub fn scan_segment(path: &Path, visit: &mut PackVisitor<'_>) -> Result<Scan, StoreError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .map_err(StoreError::io("read", path))?;
    let mut at = 0;
    let mut head = None;
    while let Some(header) = bytes.get(at..at + FRAME_HEADER) {
        let len = be32(&header[..4]) as usize;
        if len == 0 {
            break;
        }
        let first = u64::from_be_bytes(header[8..16].try_into().unwrap_or_default());
        let body = bytes.get(at + FRAME_HEADER..at + FRAME_HEADER + len);
        let sound = body.filter(|body| checksum(first, body) == be32(&header[4..8]));
        let Some((body, (count, hash))) = sound.and_then(|b| Some((b, pack_end(b)?))) else {
            break;
        };
        if !visit(first, body)? {
            break;
        }
        at += FRAME_HEADER + len;
        head = Some(Head { seq: first + u64::from(count) - 1, hash });
    }
    let torn = bytes[at.min(bytes.len())..].iter().any(|byte| *byte != 0);
    Ok(Scan { end: at as u64, head, torn })
}

fn be32(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes.try_into().unwrap_or_default())
}

fn checksum(first: Seq, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&first.to_be_bytes());
    hasher.update(body);
    hasher.finalize()
}

/// Visits all packs that hold an event after `after`, in order. Ends at the first damage, and
/// returns the last event before it.
pub fn scan(dir: &Path, after: Seq, visit: &mut PackVisitor<'_>) -> Result<Head, StoreError> {
    let all = segments(dir)?;
    let start = all.partition_point(|(first, _)| *first <= after + 1).saturating_sub(1);
    let mut head = Head::default();
    for (index, (first, path)) in all.iter().enumerate().skip(start) {
        if head.seq != 0 && *first != head.seq + 1 {
            break; // A segment is missing.
        }
        let scan = scan_segment(path, &mut |first, pack| {
            let last = pack_end(pack).map_or(first, |(count, _)| first + u64::from(count) - 1);
            if last <= after { Ok(true) } else { visit(first, pack) }
        })?;
        match scan.head {
            Some(end) => head = end,
            None if index + 1 == all.len() => {}
            None => break,
        }
    }
    Ok(head)
}

impl Twin {
    /// Opens the twin for appending; the head is that of its last whole frame.
    pub fn open(dir: &Path) -> Result<(Self, Head), StoreError> {
        // Where it lies elsewhere it is made for its owner alone; who opens it later chose to.
        let mut folder = fs::DirBuilder::new();
        folder.recursive(true).mode(0o700);
        folder.create(dir).map_err(StoreError::io("create", dir))?;
        let mut twin = Self {
            dir: dir.to_owned(),
            file: None,
            path: PathBuf::new(),
            offset: 0,
            is_torn: false,
            spare: None,
        };
        let mut head = Head::default();
        for (_, path) in segments(dir)?.iter().rev() {
            let scan = scan_segment(path, &mut |_, _| Ok(true))?;
            if twin.file.is_none() {
                let file = OpenOptions::new()
                    .write(true)
                    .open(path)
                    .map_err(StoreError::io("open", path))?;
                twin.is_torn = scan.torn;
                twin.file = Some(file);
                twin.path.clone_from(path);
                twin.offset = scan.end;
            }
            if let Some(end) = scan.head {
                head = end;
                break;
            }
        }
        Ok((twin, head))
    }

    /// Says which file of zeros may become a segment on a full disk.
    pub fn set_spare(&mut self, spare: &Path) {
        self.spare = Some(spare.to_owned());
    }

    /// Makes a segment of the spare file; false where there is none, or it lies on another disk.
    fn take_spare(&self, path: &Path) -> bool {
        let Some(spare) = &self.spare else { return false };
        let is_large = fs::metadata(spare).is_ok_and(|it| it.len() >= SEGMENT_BYTES);
        // It lies on another disk where it cannot be moved; then it is left as it is.
        if !is_large || fs::rename(spare, path).is_err() {
            return false;
        }
        let cut = OpenOptions::new().write(true).open(path).and_then(|f| f.set_len(SEGMENT_BYTES));
        cut.is_ok()
    }

    /// Cuts off what a kill or damage left behind the last whole frame.
    pub fn trim(&mut self) -> Result<(), StoreError> {
        if let (true, Some(file)) = (self.is_torn, &self.file) {
            file.set_len(self.offset).map_err(StoreError::io("cut", &self.path))?;
            file.sync_all().map_err(StoreError::io("sync", &self.path))?;
            self.is_torn = false;
        }
        Ok(())
    }

    /// Writes packs and syncs them.
    pub fn append(&mut self, packs: &[Pack]) -> Result<(), StoreError> {
        let mut buffer = Vec::new();
        for pack in packs {
            let need = (FRAME_HEADER + pack.bytes.len()) as u64;
            let used = self.offset + buffer.len() as u64;
            if self.file.is_none() || used + need > SEGMENT_BYTES {
                self.write(&buffer)?;
                buffer.clear();
                self.begin(pack.first)?;
            }
            frame(&mut buffer, pack.first, &pack.bytes);
        }
        self.write(&buffer)
    }

    fn write(&mut self, buffer: &[u8]) -> Result<(), StoreError> {
        let (Some(file), false) = (&self.file, buffer.is_empty()) else {
            return Ok(());
        };
        file.write_all_at(buffer, self.offset).map_err(StoreError::io("write", &self.path))?;
        file.sync_data().map_err(StoreError::io("sync", &self.path))?;
        self.offset += buffer.len() as u64;
        Ok(())
    }

    /// Starts a segment: its space is taken now, so that later writes cannot run out of it.
    fn begin(&mut self, first: Seq) -> Result<(), StoreError> {
        let path = segment_path(&self.dir, first);
        let io = |doing| StoreError::io(doing, &path);
        let file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .open(&path)
            .map_err(io("create"))?;
        let reserved = loop {
            match nix::fcntl::posix_fallocate(&file, 0, SEGMENT_BYTES.cast_signed()) {
                Err(nix::errno::Errno::EINTR) => {}
                // Some file systems cannot promise space: there, a full disk is met when it is.
                Err(nix::errno::Errno::EOPNOTSUPP | nix::errno::Errno::EINVAL) => break Ok(()),
                other => break other,
            }
        };
        if let Err(errno) = reserved {
            drop(fs::remove_file(&path));
            if errno == nix::errno::Errno::ENOSPC && self.take_spare(&path) {
                let file = OpenOptions::new().write(true).open(&path).map_err(io("open"))?;
                return self.begun(file, path);
            }
            return Err(io("reserve space in")(errno.into()));
        }
        self.begun(file, path)
    }

    fn begun(&mut self, file: File, path: PathBuf) -> Result<(), StoreError> {
        let io = |doing| StoreError::io(doing, &path);
        file.sync_all().map_err(io("sync"))?;
        sync_dir(&self.dir)?;
        (self.file, self.path, self.offset) = (Some(file), path, 0);
        Ok(())
    }
}

/// Makes names in a directory durable.
pub fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    File::open(dir).and_then(|file| file.sync_all()).map_err(StoreError::io("sync", dir))
}

/// Writes one segment anew, in the place of a damaged or missing one.
pub fn rewrite_segment(dir: &Path, first: Seq, frames: &[u8]) -> Result<(), StoreError> {
    write_atomically(&segment_path(dir, first), frames)
}

/// Lays a pack out as a frame.
pub fn frame(buffer: &mut Vec<u8>, first: Seq, pack: &[u8]) {
    let len = u32::try_from(pack.len()).expect("invariant: events are at most 1 MiB");
    buffer.extend_from_slice(&len.to_be_bytes());
    buffer.extend_from_slice(&checksum(first, pack).to_be_bytes());
    buffer.extend_from_slice(&first.to_be_bytes());
    buffer.extend_from_slice(pack);
}

/// Writes a small file so that it is there whole or not at all. Nothing is written through a link that
/// somebody laid in its way.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let beside = path.with_extension("new");
    let io = |doing| StoreError::io(doing, &beside);
    // What a kill left there; if nothing did, there is nothing to remove.
    drop(fs::remove_file(&beside));
    let mut file =
        OpenOptions::new().write(true).create_new(true).open(&beside).map_err(io("create"))?;
    file.write_all(bytes).map_err(io("write"))?;
    file.sync_all().map_err(io("sync"))?;
    fs::rename(&beside, path).map_err(StoreError::io("rename", &beside))?;
    path.parent().map_or(Ok(()), sync_dir)
}
