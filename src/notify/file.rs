//! The driver for files: one line of JSON per message, on the disk before it counts.
//!
//! Invariants:
//! - A line is written whole or the attempt failed; a torn line of an earlier crash is ended
//!   before the next one begins.
//! - Nothing outside the home directory is written, and no link is followed at the last step.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;

use crate::domain::channel;
use crate::notify::forms::file_line;
use crate::notify::message::Message;
use crate::notify::send::{Context, Outcome, Step};

/// What opening a link says that must not be followed (open(2)).
const LINK_REFUSED: i32 = nix::errno::Errno::ELOOP as i32;

/// Appends the message to the file.
pub(crate) async fn deliver(
    file: &channel::File,
    to: &str,
    message: &Message,
    context: &Context,
    step: &Step,
) -> Outcome {
    let line = file_line(message, to, context.now);
    let path = context.home.join(&file.path);
    step.enter("the disk; the line may yet be written");
    let writing = tokio::task::spawn_blocking(move || append(&path, &line));
    match writing.await.map_err(io::Error::other).flatten() {
        Ok(proof) => Outcome::handed_over(&format!("{}: {proof}", file.path)),
        Err(e) => {
            let reason = format!("cannot append to {} in the home directory: {e}", file.path);
            let is_permanent = matches!(
                e.kind(),
                ErrorKind::PermissionDenied
                    | ErrorKind::InvalidInput
                    | ErrorKind::NotADirectory
                    | ErrorKind::IsADirectory
            ) || e.raw_os_error() == Some(LINK_REFUSED);
            if is_permanent {
                Outcome::permanent(&format!("{reason}; correct the file or the channel's path"))
            } else {
                Outcome::temporary(&reason)
            }
        }
    }
}

/// Appends a line and waits until it is on the disk; says where it stands.
fn append(path: &Path, line: &str) -> io::Result<String> {
    let parent = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    let (mut file, meta, is_new) = open(path)?;
    let mut bytes = Vec::with_capacity(line.len() + 1);
    if !ends_a_line(&file, &meta)? {
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(line.as_bytes());
    // One call: appends of other processes do not come between.
    file.write_all(&bytes)?;
    file.sync_data()?;
    if is_new {
        File::open(parent)?.sync_all()?;
    }
    Ok(format!("{} bytes after byte {}, synced", bytes.len(), meta.len()))
}

fn open(path: &Path) -> io::Result<(File, Metadata, bool)> {
    let mut options = OpenOptions::new();
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    options.read(true).append(true).mode(0o600).custom_flags(flags.bits());
    let (file, is_new) = match options.clone().create_new(true).open(path) {
        Ok(file) => (file, true),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => (options.open(path)?, false),
        Err(e) => return Err(e),
    };
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a file"));
    }
    Ok((file, meta, is_new))
}

fn ends_a_line(file: &File, meta: &Metadata) -> io::Result<bool> {
    let Some(last) = meta.len().checked_sub(1) else { return Ok(true) };
    let mut byte = [0];
    file.read_exact_at(&mut byte, last)?;
    Ok(byte == *b"\n")
}
