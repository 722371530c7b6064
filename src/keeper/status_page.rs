//! The status page: files for another web server to serve, written whenever what is told changes,
//! and a program that carries them away.
//!
//! Invariants:
//! - A file is whole at any moment: it is written beside its place and moved there.
//! - What cannot be written or carried away is on record, is an alert like any other, and is tried
//!   again.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::wall_now;
use crate::domain::channel::{Channel, Program};
use crate::domain::event::Body;
use crate::domain::room::Room;
use crate::domain::status::{Site, files};
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
    /// It is written and not yet carried away.
    is_owed: bool,
    /// What was wrong, as everybody was told.
    fault: Option<String>,
    /// The alert about it fires, as far as we know.
    is_alerting: bool,
    /// Nothing was told by this keeper yet.
    is_fresh: bool,
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
    let written = Written::new();
    let mut publisher = Publisher {
        gate,
        inbox,
        context,
        written,
        is_owed: false,
        fault,
        is_alerting,
        is_fresh: true,
    };
    loop {
        let site = told.borrow_and_update().clone();
        let fault = match site {
            Some(site) => publisher.put(site).await.err(),
            None => None,
        };
        let pause = if fault.is_some() { AGAIN } else { ANEW };
        if !publisher.tell(fault).await {
            return;
        }
        tokio::select! {
            changed = told.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(pause) => {}
        }
    }
}

impl Publisher {
    /// Writes the page and has it carried away; the error says what did not work.
    async fn put(&mut self, site: Arc<Site>) -> Result<(), String> {
        let settings = self.gate.settings();
        let home = &self.context.home;
        let dir = settings.status.dir.clone().unwrap_or_else(|| home.join(FOLDER));
        let written = std::mem::take(&mut self.written);
        let (now, has_changed) = write(site, dir.clone(), written)
            .await
            .map_err(|error| format!("cannot be written to {}: {error}", dir.display()))?;
        self.written = now;
        self.is_owed |= has_changed;
        if self.is_owed && !settings.status.publish.is_empty() {
            let context = self.context.clone();
            let mut carried = std::pin::pin!(carry(&settings.status.publish, &dir, &context));
            let done = tokio::select! {
                done = &mut carried => done,
                () = tokio::time::sleep(SLOW) => {
                    self.tell_slow().await;
                    carried.await
                }
            };
            done.map_err(|why| format!("is not carried away: {why}"))?;
        }
        self.is_owed = false;
        Ok(())
    }

    /// Says that the page is on its way still: until it is there it proves nothing.
    async fn tell_slow(&mut self) {
        if self.fault.is_none() {
            let fault = Some("is written, and still being carried away".to_owned());
            self.fault.clone_from(&fault);
            // Where the keeper goes, the next one carries it anew.
            drop(self.inbox.send(Mail::Input(Input::Own(Body::StatusPage { fault }))).await);
        }
    }

    /// Puts a fault on record when it comes and when it goes; false when the keeper goes.
    async fn tell(&mut self, fault: Option<String>) -> bool {
        if let Some(why) = &fault {
            tracing::error!(why, "the status page");
        }
        let is_known = fault == self.fault;
        // Once after the start as well: the keeper before may have ended between the two messages.
        if is_known && !std::mem::take(&mut self.is_fresh) {
            return true;
        }
        self.is_fresh = false;
        let summary = fault.as_ref().map(|why| format!("the status page {why}"));
        if !is_known {
            self.fault.clone_from(&fault);
            let body = Body::StatusPage { fault };
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
async fn write(site: Arc<Site>, dir: PathBuf, before: Written) -> io::Result<(Written, bool)> {
    let work = move || {
        let mut now = Written::new();
        let mut has_changed = false;
        for file in files(&site, wall_now()) {
            let path = dir.join(file.path);
            if before.get(file.path) != Some(&file.bytes) || !path.exists() {
                put(&path, &file.bytes)?;
                has_changed = true;
            }
            now.insert(file.path, file.bytes);
        }
        Ok((now, has_changed))
    };
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// A file is there whole, or as it was.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let may =
        |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
    if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
        std::fs::create_dir_all(parent)?;
        may(parent, 0o755)?;
    }
    let beside = path.with_extension("new");
    std::fs::write(&beside, bytes)?;
    // Whoever serves it is another user; what the page says is public, whatever the umask is.
    may(&beside, 0o644)?;
    std::fs::rename(&beside, path)
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
