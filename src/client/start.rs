//! Starting a keeper in the background when there is none.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::client::ClientError;
use crate::clock::monotonic;
use crate::config::paths::Home;

/// A log larger than this is set aside before the next start.
const LOG_BYTES_MAX: u64 = 16 << 20;

/// How long another keeper that is starting is waited for.
const OTHER_WITHIN: Duration = Duration::from_secs(30);

/// Makes sure that a keeper serves this home: connects, or starts one and waits until it is ready.
pub fn ensure(home: &Home) -> Result<UnixStream, ClientError> {
    ensure_at(home, None)
}

/// The same, with an address for the intake of a keeper that is started, whatever the environment
/// says.
pub fn ensure_at(home: &Home, listen: Option<&str>) -> Result<UnixStream, ClientError> {
    match UnixStream::connect(home.socket()) {
        Ok(stream) => return Ok(stream),
        // A keeper runs, and it is not for this user; another one could not be started beside it.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            return Err(ClientError::Forbidden { path: home.socket() });
        }
        Err(_) => {}
    }
    // Whoever may use this home need not be whoever keeps it: another one's keeper could read neither
    // the journal nor the secrets.
    if let Some(owner) = foreign_owner(home) {
        return Err(ClientError::NotStarted(format!(
            "no keeper runs, and {} belongs to {owner}: ask them to start it ('warroom keeper', or \
             its service)",
            home.root.display()
        )));
    }
    start(home, listen)?;
    connect(home)
}

/// Whose home it is, where that is neither this user nor this is root.
fn foreign_owner(home: &Home) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    // Where there is a journal, whoever it belongs to keeps it; a home may be root's, for a group.
    let journal = std::fs::metadata(home.root.join("journal"));
    let owner = journal.or_else(|_| std::fs::metadata(&home.root)).ok()?.uid();
    let me = nix::unistd::geteuid();
    if me.is_root() || owner == me.as_raw() {
        return None;
    }
    let user = nix::unistd::User::from_uid(owner.into()).ok().flatten();
    Some(user.map_or_else(|| format!("uid {owner}"), |user| user.name))
}

/// Connects to a keeper that must be there.
pub fn connect(home: &Home) -> Result<UnixStream, ClientError> {
    let path = home.socket();
    UnixStream::connect(&path).map_err(|source| ClientError::Unreachable { path, source })
}

/// Starts a keeper and waits for its word; another one that was quicker is as good.
fn start(home: &Home, listen: Option<&str>) -> Result<(), ClientError> {
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
    let mut command = Command::new(program);
    if let Some(listen) = listen {
        command.env("WARROOM_LISTEN", listen);
    }
    let mut child = command
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
        // A console may outlive it: nobody who ended stays in the table of processes.
        drop(std::thread::spawn(move || drop(child.wait())));
        return Ok(());
    }
    drop(child.wait());
    let words = last_words(home, before);
    // Somebody else may have won the race for the lock, and open the journal just now.
    let is_there = UnixStream::connect(home.socket()).is_ok()
        || words.contains("another keeper holds") && comes_up(home).unwrap_or(false);
    if is_there { Ok(()) } else { Err(ClientError::NotStarted(words)) }
}

/// Waits until the keeper that holds the home listens; false: it took too long.
fn comes_up(home: &Home) -> nix::Result<bool> {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
    use std::os::fd::AsFd as _;
    let news = Inotify::init(InitFlags::IN_CLOEXEC)?;
    news.add_watch(&home.root, AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO)?;
    let until = monotonic() + OTHER_WITHIN;
    // Looked at after the watch began: what comes in between is not missed.
    while UnixStream::connect(home.socket()).is_err() {
        let left = until.saturating_duration_since(monotonic());
        let left = PollTimeout::try_from(left.as_millis()).unwrap_or(PollTimeout::ZERO);
        if left == PollTimeout::ZERO {
            return Ok(false);
        }
        let mut waits = [PollFd::new(news.as_fd(), PollFlags::POLLIN)];
        if poll(&mut waits, left)? > 0 {
            drop(news.read_events()?);
        }
    }
    Ok(true)
}

/// A line of the log without the part of the program that wrote it.
fn reason_of(text: &str) -> &str {
    match text.split_once(": ") {
        Some((part, rest)) if part.starts_with("warroom") && !part.contains(' ') => rest,
        Some(_) | None => text,
    }
}

/// What the keeper wrote into its log since `before`.
fn last_words(home: &Home, before: u64) -> String {
    let text = std::fs::read(home.log()).unwrap_or_default();
    let from = usize::try_from(before).unwrap_or(0).min(text.len());
    let new = String::from_utf8_lossy(&text[from..]).into_owned();
    let tail: Vec<&str> =
        new.lines().filter(|line| line.contains("ERROR") || line.starts_with("warroom:")).collect();
    // Its time and level are for the log; the reason is for the person.
    let tail: Vec<&str> = tail
        .into_iter()
        .map(|line| line.split_once(" ERROR ").map_or(line, |(_, text)| reason_of(text.trim())))
        .collect();
    // What it said to its person says all that the log says of it.
    let said: Vec<&str> = tail.iter().filter_map(|line| line.strip_prefix("warroom: ")).collect();
    if !said.is_empty() {
        return said.join("\n");
    }
    if tail.is_empty() { format!("look at {}", home.log().display()) } else { tail.join("\n") }
}
