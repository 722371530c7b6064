//! The status page: files for another web server to serve, written whenever what is told changes,
//! and a program that carries them away.
//!
//! Invariants:
//! - A file is whole at any moment: it is written elsewhere and moved to its place.
//! - Whatever carries the files away does so while they change: that it stumbled over that is no fault.
//! - What cannot be written or carried away is on record, is an alert like any other, and is tried
//!   again.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::clock::wall_now;
use crate::config::settings::Settings;
use crate::domain::channel::{Channel, Program};
use crate::domain::event::Body;
use crate::domain::room::Room;
use crate::domain::status::{Site, files};
use crate::domain::time::Timestamp;
use crate::keeper::gate::Gate;
use crate::keeper::inbox::Inbox;
use crate::keeper::turn::Input;
use crate::keeper::watch::{Own, raise};
use crate::keeper::writer::Mail;
use crate::notify::message::Message;
use crate::notify::send::{Context, Outcome, send};

/// How often the page is made anew though nothing was told: its days go on.
const ANEW: Duration = Duration::from_secs(600);
/// After what could not be written or carried away, it is tried again.
const AGAIN: Duration = Duration::from_secs(30);
/// A program that takes longer than this to carry the page away is told of.
const SLOW: Duration = Duration::from_secs(3);
/// How often the files are carried away again at once because they changed meanwhile, and how long
/// they are given to come to rest.
const UNSTEADY_MAX: u32 = 5;
const STEADY: Duration = Duration::from_millis(100);
/// Below the home directory: a file of the page that is being made.
const ASIDE: &str = "status.new";
/// Below the home directory, where the settings name no other place.
pub const FOLDER: &str = "status";

/// What the alert is called that says so where the page is not as it should be.
const ALERT: Own = Own { name: "StatusPageFailed", group: "status-page", severity: "warning" };

/// The page as it is on the disk.
struct Publisher {
    gate: Arc<Gate>,
    inbox: Inbox,
    context: Context,
    written: Written,
    motion: Motion,
    /// What was wrong, as everybody was told.
    fault: Option<String>,
    /// Why it cannot be written, and why it was not carried away.
    unwritten: Option<String>,
    uncarried: Option<String>,
    /// It is on its way for longer than usual.
    is_slow: bool,
    /// Until when what was said is where it is read, as far as this keeper knows.
    shown: Option<Timestamp>,
    /// The alert about it fires, as far as we know.
    is_alerting: bool,
    /// Nothing was told by this keeper yet.
    is_fresh: bool,
}

/// What becomes of the files that are carried away.
enum Carried {
    /// They are still on their way.
    Slow,
    /// Until when what was said is there with them.
    Done(Result<Timestamp, String>),
}

/// Whether the alert about the page fires.
pub(super) fn is_alerting(room: &Room) -> bool {
    room.alerts.values().any(|alert| alert.is_firing && alert.name == ALERT.name)
}

/// Writes the page whenever something was told, until the keeper goes. `fault`: what the journal says
/// was wrong with it last, and whether the alert about that fires.
pub(super) async fn publish(
    gate: Arc<Gate>,
    inbox: Inbox,
    context: Context,
    (fault, is_alerting): (Option<String>, bool),
) {
    let mut told = gate.site.subscribe();
    let (owed, due) = watch::channel(0_u64);
    let (done, mut carried) = mpsc::channel(4);
    let motion = Motion::default();
    tokio::spawn(carry_all(Arc::clone(&gate), context.clone(), motion.clone(), due, done));
    let mut publisher = Publisher {
        gate,
        inbox,
        context,
        written: Written::new(),
        motion,
        // What was wrong is so until it was written and carried away anew.
        uncarried: fault.clone(),
        fault,
        unwritten: None,
        is_slow: false,
        shown: None,
        is_alerting,
        is_fresh: true,
    };
    loop {
        let site = told.borrow_and_update().clone();
        if let Some((site, at)) = site {
            match publisher.put(site, at).await {
                Ok(has_changed) => {
                    publisher.unwritten = None;
                    // What nobody carries away is where it is served.
                    if publisher.gate.settings().status.publish.is_empty() {
                        publisher.uncarried = None;
                        publisher.shown = Some(at);
                    } else if has_changed {
                        owed.send_modify(|count| *count += 1);
                    }
                }
                Err(why) => publisher.unwritten = Some(why),
            }
        }
        let pause = if publisher.unwritten.is_some() { AGAIN } else { ANEW };
        let until = tokio::time::Instant::now() + pause;
        // A program that hangs keeps nothing from being written.
        loop {
            if !publisher.tell().await {
                return;
            }
            tokio::select! {
                changed = told.changed() => if changed.is_err() { return } else { break },
                () = tokio::time::sleep_until(until) => break,
                Some(what) = carried.recv() => match what {
                    Carried::Slow => publisher.tell_slow().await,
                    Carried::Done(result) => {
                        publisher.is_slow = false;
                        publisher.shown = result.as_ref().ok().copied().or(publisher.shown);
                        publisher.uncarried = result.err();
                    }
                },
            }
        }
    }
}

/// Carries the files away whenever they changed, and again where that failed.
async fn carry_all(
    gate: Arc<Gate>,
    context: Context,
    motion: Motion,
    mut due: watch::Receiver<u64>,
    done: mpsc::Sender<Carried>,
) {
    let mut has_failed = false;
    loop {
        tokio::select! {
            changed = due.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(AGAIN), if has_failed => {}
        }
        let settings = gate.settings();
        let argv = settings.status.publish.clone();
        if argv.is_empty() {
            has_failed = false;
            continue;
        }
        let dir = folder(&settings, &context);
        let mut carried = std::pin::pin!(carry_steady(&argv, &dir, &context, &motion));
        let result = tokio::select! {
            result = &mut carried => result,
            () = tokio::time::sleep(SLOW) => {
                if done.send(Carried::Slow).await.is_err() {
                    return;
                }
                carried.await
            }
        };
        has_failed = result.is_err();
        let result = result.map_err(|why| format!("is not carried away: {why}"));
        if done.send(Carried::Done(result)).await.is_err() {
            return;
        }
    }
}

/// Where the files are.
fn folder(settings: &Settings, context: &Context) -> PathBuf {
    settings.status.dir.clone().unwrap_or_else(|| context.home.join(FOLDER))
}

impl Publisher {
    /// Writes the page; whether something was not as it is now. The error says what did not work.
    async fn put(&mut self, site: Arc<Site>, at: Timestamp) -> Result<bool, String> {
        let dir = folder(&self.gate.settings(), &self.context);
        let written = std::mem::take(&mut self.written);
        let aside = self.context.home.join(ASIDE);
        self.motion.count.fetch_add(1, Ordering::SeqCst);
        let result = write(site, (dir.clone(), aside), written).await;
        if result.is_ok() {
            self.motion.at.store(at.0, Ordering::SeqCst);
        }
        self.motion.count.fetch_add(1, Ordering::SeqCst);
        let (now, has_changed) =
            result.map_err(|error| format!("cannot be written to {}: {error}", dir.display()))?;
        self.written = now;
        Ok(has_changed)
    }

    /// Says that the page is on its way still: until it is there it proves nothing.
    async fn tell_slow(&mut self) {
        self.is_slow = true;
        if self.fault.is_none() {
            let fault = Some("is written, and still being carried away".to_owned());
            self.fault.clone_from(&fault);
            // Where the keeper goes, the next one carries it anew.
            let body = Body::StatusPage { fault, shown: self.shown };
            drop(self.inbox.send(Mail::Input(Input::Own(body))).await);
        }
    }

    /// Puts a fault on record when it comes and when it goes; false when the keeper goes.
    async fn tell(&mut self) -> bool {
        let fault = self.unwritten.clone().or_else(|| self.uncarried.clone());
        // That it is on its way still was told, and is so until its end is known.
        if fault.is_none() && self.is_slow {
            return true;
        }
        let is_known = fault == self.fault;
        if let Some(why) = fault.as_ref().filter(|_| !is_known) {
            tracing::error!(why, "the status page");
        }
        // Once after the start as well: the keeper before may have ended between the two messages.
        if is_known && !std::mem::take(&mut self.is_fresh) {
            return true;
        }
        self.is_fresh = false;
        let summary = fault.as_ref().map(|why| format!("the status page {why}"));
        if !is_known {
            self.fault.clone_from(&fault);
            let shown = self.shown.filter(|_| fault.is_some());
            let body = Body::StatusPage { fault, shown };
            if self.inbox.send(Mail::Input(Input::Own(body))).await.is_err() {
                return false;
            }
        }
        if summary.is_none() && !self.is_alerting {
            return true;
        }
        self.is_alerting = summary.is_some();
        raise(ALERT, summary.as_deref(), &self.inbox).await
    }
}

type Written = BTreeMap<&'static str, Vec<u8>>;

/// Writes what is not as it was; whether something was.
async fn write(
    site: Arc<Site>,
    (dir, aside): (PathBuf, PathBuf),
    before: Written,
) -> io::Result<(Written, bool)> {
    let work = move || {
        let mut now = Written::new();
        let mut has_changed = false;
        for file in files(&site, wall_now()) {
            let path = dir.join(file.path);
            if before.get(file.path) != Some(&file.bytes) || !path.exists() {
                put(&path, &aside, &file.bytes)?;
                has_changed = true;
            }
            now.insert(file.path, file.bytes);
        }
        // What could not be moved from there was moved from beside its place.
        drop(std::fs::remove_file(&aside));
        Ok((now, has_changed))
    };
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// A file is there whole, or as it was. It is made where nobody carries it away from; where that is on
/// another file system, beside its place.
fn put(path: &Path, aside: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let may =
        |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
    if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
        std::fs::create_dir_all(parent)?;
        may(parent, 0o755)?;
    }
    let make = |new: &Path| {
        std::fs::write(new, bytes)?;
        // Whoever serves it is another user; what the page says is public, whatever the umask is.
        may(new, 0o644)?;
        std::fs::rename(new, path)
    };
    match make(aside) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            make(&path.with_extension("new"))
        }
        result => result,
    }
}

/// What is done to the files.
#[derive(Debug, Clone, Default)]
struct Motion {
    /// Counts up when a change of them begins, and when it ends: odd while one is under way.
    count: Arc<AtomicU64>,
    /// Until when what was said is in them.
    at: Arc<AtomicI64>,
}

/// Carries the files away; where they changed meanwhile, what went wrong may be because of that, and is
/// done again.
async fn carry_steady(
    argv: &[String],
    dir: &Path,
    context: &Context,
    motion: &Motion,
) -> Result<Timestamp, String> {
    let written = || Timestamp(motion.at.load(Ordering::SeqCst));
    for _ in 0..UNSTEADY_MAX {
        let before = motion.count.load(Ordering::SeqCst);
        // What is written while they are carried away may come too late for it.
        let at = written();
        let result = carry(argv, dir, context).await;
        let is_steady = before.is_multiple_of(2) && motion.count.load(Ordering::SeqCst) == before;
        if result.is_ok() || is_steady {
            return result.map(|()| at);
        }
        tokio::time::sleep(STEADY).await;
    }
    let at = written();
    carry(argv, dir, context).await.map(|()| at)
}

/// Runs the program that carries the files away; the error says why it did not.
async fn carry(argv: &[String], dir: &Path, context: &Context) -> Result<(), String> {
    let (argv, timeout_s) = (argv.to_vec(), 60);
    let channel = Channel::Program(Program { argv, timeout_s, output_kib: 4 });
    let context = Context { now: wall_now(), ..context.clone() };
    let message = Message { subject: "status page".to_owned(), ..Message::default() };
    match send(&channel, &dir.display().to_string(), &message, &context).await {
        Outcome::Failed { reason, .. } => Err(reason),
        Outcome::HandedOver { .. } | Outcome::Accepted { .. } => Ok(()),
    }
}
