//! The status page: files for another web server to serve, written whenever what is told changes,
//! and a program that carries them away.
//!
//! Invariants:
//! - A file is whole at any moment: it is written beside its place and moved there.
//! - What cannot be written is said in the log, and tried again.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::wall_now;
use crate::domain::channel::{Channel, Program};
use crate::domain::status::{Site, files};
use crate::keeper::gate::Gate;
use crate::notify::message::Message;
use crate::notify::send::{Context, Outcome, send};

/// How often the page is made anew though nothing was told: its days go on.
const ANEW: Duration = Duration::from_secs(600);
/// After what could not be written or carried away, it is tried again.
const AGAIN: Duration = Duration::from_secs(30);
/// Below the home directory, where the settings name no other place.
pub const FOLDER: &str = "status";

/// Writes the page whenever it told, until the keeper goes.
pub(super) async fn publish(gate: Arc<Gate>, context: Context) {
    let mut told = gate.site.subscribe();
    let mut written: BTreeMap<&'static str, Vec<u8>> = BTreeMap::new();
    let mut is_owed = false;
    loop {
        let site = told.borrow_and_update().clone();
        let mut failed = false;
        if let Some(site) = site {
            let settings = gate.settings();
            let dir = settings.status.dir.clone().unwrap_or_else(|| context.home.join(FOLDER));
            match write(site, dir.clone(), std::mem::take(&mut written)).await {
                Ok((now, has_changed)) => {
                    written = now;
                    is_owed |= has_changed;
                }
                Err(error) => {
                    tracing::error!(%error, dir = %dir.display(), "the status page is NOT written");
                    failed = true;
                }
            }
            if is_owed && !failed && !settings.status.publish.is_empty() {
                is_owed = !carry(&settings.status.publish, &dir, &context).await;
                failed |= is_owed;
            }
        }
        let pause = if failed { AGAIN } else { ANEW };
        tokio::select! {
            changed = told.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(pause) => {}
        }
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
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let beside = path.with_extension("new");
    std::fs::write(&beside, bytes)?;
    std::fs::rename(&beside, path)
}

/// Runs the program that carries the files away; whether it did.
async fn carry(argv: &[String], dir: &Path, context: &Context) -> bool {
    let (argv, timeout_s) = (argv.to_vec(), 60);
    let channel = Channel::Program(Program { argv, timeout_s, output_kib: 4 });
    let context = Context { now: wall_now(), ..context.clone() };
    let message = Message { subject: "status page".to_owned(), ..Message::default() };
    match send(&channel, &dir.display().to_string(), &message, &context).await {
        Outcome::Failed { reason, .. } => {
            tracing::error!(reason, "the program that publishes the status page failed");
            false
        }
        Outcome::HandedOver { .. } | Outcome::Accepted { .. } => true,
    }
}
