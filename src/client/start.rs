//! Starting a keeper in the background when there is none.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use crate::client::ClientError;
use crate::config::paths::Home;

/// A log larger than this is set aside before the next start.
const LOG_BYTES_MAX: u64 = 16 << 20;

/// Makes sure that a keeper serves this home: connects, or starts one and waits until it is ready.
pub fn ensure(home: &Home) -> Result<UnixStream, ClientError> {
    match UnixStream::connect(home.socket()) {
        Ok(stream) => return Ok(stream),
        // A keeper runs, and it is not for this user; another one could not be started beside it.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            return Err(ClientError::Forbidden { path: home.socket() });
        }
        Err(_) => {}
    }
    start(home)?;
    connect(home)
}

/// Connects to a keeper that must be there.
pub fn connect(home: &Home) -> Result<UnixStream, ClientError> {
    let path = home.socket();
    UnixStream::connect(&path).map_err(|source| ClientError::Unreachable { path, source })
}

/// Starts a keeper and waits for its word; another one that was quicker is as good.
fn start(home: &Home) -> Result<(), ClientError> {
    let failed =
        |what: &str, error: std::io::Error| ClientError::NotStarted(format!("{what}: {error}"));
    home.make().map_err(|e| failed(&format!("cannot create {}", home.root.display()), e))?;
    let log = home.log();
    if std::fs::metadata(&log).is_ok_and(|meta| meta.len() > LOG_BYTES_MAX) {
        drop(std::fs::rename(&log, log.with_extension("log.1")));
    }
    let stderr = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&log)
        .map_err(|e| failed(&format!("cannot write {}", log.display()), e))?;
    let before = stderr.metadata().map_or(0, |meta| meta.len());
    let program = std::env::current_exe().map_err(|e| failed("cannot find the program", e))?;
    let mut child = Command::new(program)
        .args(["keeper", "--background"])
        .env("WARROOM_HOME", &home.root)
        // Few heaps, and large buffers given back at once: the keeper runs for months.
        .env("MALLOC_ARENA_MAX", "4")
        .env("MALLOC_MMAP_THRESHOLD_", "65536")
        .env("MALLOC_TRIM_THRESHOLD_", "131072")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(stderr)
        .spawn()
        .map_err(|e| failed("cannot start the keeper", e))?;
    let mut word = String::new();
    if let Some(stdout) = child.stdout.take() {
        drop(BufReader::new(stdout).read_line(&mut word));
    }
    if word.trim() == "ready" {
        return Ok(());
    }
    drop(child.wait());
    // Somebody else may have won the race for the lock.
    if UnixStream::connect(home.socket()).is_ok() {
        return Ok(());
    }
    Err(ClientError::NotStarted(last_words(home, before)))
}

/// What the keeper wrote into its log since `before`.
fn last_words(home: &Home, before: u64) -> String {
    let text = std::fs::read(home.log()).unwrap_or_default();
    let from = usize::try_from(before).unwrap_or(0).min(text.len());
    let new = String::from_utf8_lossy(&text[from..]).into_owned();
    let tail: Vec<&str> =
        new.lines().filter(|line| line.contains("ERROR") || line.starts_with("warroom:")).collect();
    if tail.is_empty() { format!("look at {}", home.log().display()) } else { tail.join("\n") }
}
