//! The keeper itself, and its journal as a whole.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an unexpected answer is handled alike, whatever it is"
)]

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use tracing_subscriber::EnvFilter;

use crate::cli::Context;
use crate::cli::act::unexpected;
use crate::cli::out::{Failure, escaped, say, say_json, warn};
use crate::client::call::Caller;
use crate::client::start;
use crate::config::settings;
use crate::domain::change::Change;
use crate::domain::event::{Body, Recorded};
use crate::domain::ids::Seq;
use crate::domain::room::Room;
use crate::domain::text::hex;
use crate::keeper::run::Options;
use crate::keeper::supervise;
use crate::proto::{Ask, Reply};
use crate::store::batch::{Head, link, unpack};
use crate::store::journal::Paths;
use crate::store::snapshot;
use crate::store::verify::Verdict;
use crate::store::{Journal, StoreError, open, transfer, twin, verify};

/// Runs a keeper until it is told to stop.
pub fn keeper(context: &Context, background: bool) -> Result<(), Failure> {
    let filter = EnvFilter::try_from_env("WARROOM_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let logging = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
    if let Err(error) = logging {
        warn(&format!("warroom: nothing will be logged: {error}"));
    }
    // One that a console started stays when that console's terminal goes.
    if background && let Err(error) = nix::unistd::setsid() {
        warn(&format!("warroom: the keeper stays with this terminal: {error}"));
    }
    let options = Options { home: context.home.clone(), background };
    match crate::keeper::run::run(&options) {
        Ok(reason) => {
            tracing::info!(reason, "the keeper ends");
            Ok(())
        }
        Err(error) => {
            tracing::error!(%error, "the keeper ends");
            Err(error.into())
        }
    }
}

/// Asks the keeper to end, if there is one.
pub fn stop(context: &Context) -> Result<(), Failure> {
    let Ok(stream) = start::connect(&context.home) else {
        say("no keeper runs here");
        return Ok(());
    };
    let mut keeper = Caller::new(stream)?;
    match keeper.ask(Ask::Stop) {
        Ok(Reply::Done { .. }) => keeper.wait_closed(),
        Ok(Reply::Rejected(rejection)) => return Err(Failure::Rejected(rejection)),
        Ok(other) => return Err(unexpected(&other)),
        // It may be gone before its answer was read.
        Err(error) => {
            if start::connect(&context.home).is_ok() {
                return Err(error.into());
            }
        }
    }
    // It is gone when its lock is free.
    while supervise::take_home(&context.home).is_err() {
        std::thread::yield_now();
    }
    say("stopped");
    Ok(())
}

fn paths(context: &Context) -> Result<Paths, Failure> {
    let settings = settings::load(&context.home.settings()).map_err(|mistakes| {
        Failure::Usage(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })?;
    Ok(Paths::new(&context.home.journal(), settings.twin_dir.as_deref()))
}

/// A progress line on standard error, if somebody looks.
fn progress(what: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}: {pos} events, {per_sec}") {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar
}

/// Checks the chain: of both copies, of a twin alone, or of an export.
pub fn verify(
    context: &Context,
    twin: Option<PathBuf>,
    export: Option<PathBuf>,
) -> Result<(), Failure> {
    let bar = progress("checking");
    let mut verdicts: Vec<(String, Verdict)> = Vec::new();
    if let Some(dir) = twin {
        let verdict = verify::check_twin(&dir, &mut |seq| bar.set_position(seq))?;
        let what = format!("{} holds no twin of a journal", dir.display());
        verdicts.push(("twin".to_owned(), something(verdict, &what)?));
    } else if let Some(file) = export {
        let mut lines = BufReader::new(File::open(&file).map_err(|e| {
            anyhow::Error::from(e).context(format!("cannot read {}", file.display()))
        })?);
        let what = format!("{} holds no exported event", file.display());
        verdicts.push(("export".to_owned(), something(transfer::check(&mut lines)?, &what)?));
    } else if !context.home.root.exists() {
        let what = format!("{} is no home: there is nothing to check", context.home.root.display());
        return Err(Failure::Usage(what));
    } else if let Ok(stream) = start::connect(&context.home) {
        return verify_running(context, &mut Caller::new(stream)?);
    } else {
        let _lock = supervise::take_home(&context.home)?;
        let paths = paths(context)?;
        verdicts.push((
            "twin".to_owned(),
            verify::check_twin(&paths.twin, &mut |seq| bar.set_position(seq))?,
        ));
        let log = crate::store::sled_log::SledLog::open(&paths.sled)?;
        verdicts.push((
            "database".to_owned(),
            verify::check_sled(&log, &mut |seq| bar.set_position(seq))?,
        ));
    }
    bar.finish_and_clear();
    let heads: BTreeSet<Seq> = verdicts.iter().map(|(_, verdict)| verdict.sound).collect();
    if heads.len() > 1 {
        warn(
            "warroom: the copies do not end at the same event; the next start mends the shorter one",
        );
    }
    let broken = heads.len() > 1 || verdicts.iter().any(|(_, verdict)| verdict.broken.is_some());
    if context.json {
        let list: Vec<_> = verdicts
            .iter()
            .map(|(what, v)| serde_json::json!({ "what": what, "sound": v.sound, "head": hex(&v.head.hash), "broken": v.broken }))
            .collect();
        say_json(&list)?;
    } else {
        for (what, verdict) in &verdicts {
            say(&verdict.words(what));
        }
    }
    if broken { Err(Failure::Said) } else { Ok(()) }
}

/// A verdict on nothing is none.
fn something(verdict: Verdict, otherwise: &str) -> Result<Verdict, Failure> {
    if verdict.sound == 0 && verdict.broken.is_none() {
        return Err(Failure::Failed(anyhow::anyhow!("{otherwise}: nothing was checked")));
    }
    Ok(verdict)
}

fn verify_running(context: &Context, keeper: &mut Caller) -> Result<(), Failure> {
    match keeper.ask(Ask::Verify)? {
        Reply::Text { lines, ok } => {
            if context.json {
                say_json(&serde_json::json!({ "ok": ok, "lines": lines }))?;
            } else {
                for line in &lines {
                    say(line);
                }
            }
            if ok { Ok(()) } else { Err(Failure::Said) }
        }
        Reply::Rejected(rejection) => Err(Failure::Rejected(rejection)),
        other => Err(unexpected(&other)),
    }
}

/// Writes the journal as JSON Lines, from the twin: it needs no lock and disturbs nobody.
pub fn export(context: &Context, file: &Path, with_redacted: bool) -> Result<(), Failure> {
    let paths = paths(context)?;
    let redacted = if with_redacted { BTreeSet::new() } else { redacted(&paths)? };
    // Whoever looks at it is not driven by what is in it; a file and a pipe get every byte as it is.
    let is_looked_at = file == Path::new("-") && std::io::stdout().is_terminal();
    let bar = if is_looked_at { ProgressBar::hidden() } else { progress("exporting") };
    let mut out: Box<dyn Write> = if file == Path::new("-") {
        Box::new(BufWriter::new(std::io::stdout().lock()))
    } else {
        Box::new(BufWriter::new(File::create(file).map_err(|e| {
            anyhow::Error::from(e).context(format!("cannot write {}", file.display()))
        })?))
    };
    let mut head = Head::default();
    each_event(&paths, &mut |seq, json| {
        bar.set_position(seq);
        head = Head { seq, hash: link(&head.hash, json) };
        let mut line = Vec::with_capacity(json.len() + 128);
        if redacted.contains(&seq) {
            transfer::write_redacted(&mut line, json, head.hash)?;
        } else {
            transfer::write_line(&mut line, json, head.hash)?;
        }
        if is_looked_at {
            line = escaped(&String::from_utf8_lossy(&line)).into_bytes();
        }
        out.write_all(&line).map_err(StoreError::io("write", "the export"))
    })?;
    out.flush()?;
    bar.finish_and_clear();
    if file == Path::new("-") {
        return Ok(());
    }
    if context.json {
        let hash = crate::domain::text::hex(&head.hash);
        return say_json(&serde_json::json!({ "events": head.seq, "hash": hash, "file": file }));
    }
    say(&format!("{} events are in {}", head.seq, file.display()));
    Ok(())
}

/// Called with each event's number and JSON.
type EventVisitor<'a> = dyn FnMut(Seq, &[u8]) -> Result<(), StoreError> + 'a;

/// Visits every event of the twin.
fn each_event(paths: &Paths, visit: &mut EventVisitor<'_>) -> Result<(), StoreError> {
    twin::scan(&paths.twin, 0, &mut |first, bytes| {
        let mut failed = Ok(());
        let goes_on = unpack(first, bytes, &mut |event| {
            failed = visit(event.seq, event.json);
            failed.is_ok()
        })?;
        failed.map(|()| goes_on)
    })?;
    Ok(())
}

/// The events whose words are no longer shown.
fn redacted(paths: &Paths) -> Result<BTreeSet<Seq>, StoreError> {
    let mut found = BTreeSet::new();
    each_event(paths, &mut |seq, json| {
        if memchr::memmem::find(json, b"entry-redacted").is_some() {
            let event: Recorded = serde_json::from_slice(json)
                .map_err(|e| StoreError::Corrupt { seq, text: e.to_string() })?;
            if let Body::Incident { change: Change::EntryRedacted { entry, .. }, .. } = event.body {
                found.insert(entry);
            }
        }
        Ok(())
    })?;
    Ok(found)
}

/// Reads a backup into an empty home, once all of it is known to be whole.
pub fn restore(context: &Context, from: &Path) -> Result<(), Failure> {
    let file = from.join("journal.jsonl");
    let failed = |what: String| {
        let next = format!(
            "nothing was read in; take another copy, or read what it holds with 'warroom import {}'",
            file.display()
        );
        Failure::Failed(anyhow::anyhow!("{what}: {next}"))
    };
    let head = std::fs::read_to_string(from.join("head"))
        .map_err(|e| failed(format!("{} is no whole backup (head: {e})", from.display())))?;
    let lines = File::open(&file).map_err(|e| failed(format!("{}: {e}", file.display())))?;
    let bar = progress("checking");
    let verdict = transfer::check(&mut BufReader::new(lines))
        .map_err(|e| failed(format!("the backup is damaged ({e})")))?;
    bar.finish_and_clear();
    if let Some(broken) = verdict.broken {
        return Err(failed(format!("the backup is damaged ({broken})")));
    }
    let ends = format!("{} {}", verdict.head.seq, hex(&verdict.head.hash));
    if ends != head.trim() {
        let wanted = head.split(' ').next().unwrap_or_default();
        return Err(failed(format!(
            "the backup is not whole: it ends at event {}, and was made with {wanted}",
            verdict.sound
        )));
    }
    import(context, &file)
}

/// Reads an export into an empty home, or goes on with one that was cut off.
pub fn import(context: &Context, file: &Path) -> Result<(), Failure> {
    let _lock = supervise::take_home(&context.home)?;
    let paths = paths(context)?;
    let mut lines: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(BufReader::new(std::io::stdin().lock()))
    } else {
        Box::new(BufReader::new(File::open(file).map_err(|e| {
            anyhow::Error::from(e).context(format!("cannot read {}", file.display()))
        })?))
    };
    let mut opened = open::open(&paths, &mut |_, _| {})?;
    let bar = progress("importing");
    let reader = opened.journal.reader();
    let mut room = Room::default();
    let mut rows = Vec::new();
    let before = opened.journal.head().seq;
    let result = transfer::import(&mut opened.journal, &mut *lines, &mut |event| {
        bar.set_position(event.seq);
        for (id, incident) in snapshot::apply(&*reader, &mut room, event)? {
            rows.push((id, incident.map(|i| snapshot::row_bytes(&i))));
        }
        Ok(())
    });
    let count = result.map_err(|error| {
        let reached = opened.journal.head().seq;
        anyhow::Error::from(error).context(format!(
            "{reached} events are in {}; with a sound file 'warroom import' goes on from there",
            context.home.root.display()
        ))
    })?;
    snapshot::write_rows(&mut opened.journal, &rows)?;
    let head = opened.journal.head();
    snapshot::save(&paths.snapshot, &room, head)?;
    bar.finish_and_clear();
    let known = if before == 0 { String::new() } else { format!(" ({before} were there)") };
    say(&format!("{} events were imported{known}; head {}", count - before, hex(&head.hash)));
    Ok(())
}

/// Copies the journal while the keeper runs.
pub fn backup(context: &Context, dest: &Path) -> Result<(), Failure> {
    let dest = std::path::absolute(dest)?;
    let bar = progress("copying");
    let reply = context.keeper()?.ask(Ask::Backup { dest: dest.display().to_string() })?;
    bar.finish_and_clear();
    match reply {
        Reply::Text { lines, ok: true } if context.json => {
            say_json(&serde_json::json!({ "ok": true, "directory": dest, "said": lines }))
        }
        Reply::Text { lines, ok: true } => {
            for line in &lines {
                say(line);
            }
            Ok(())
        }
        Reply::Text { lines, ok: false } => Err(Failure::Failed(anyhow::anyhow!(lines.join("\n")))),
        Reply::Rejected(rejection) => Err(Failure::Rejected(rejection)),
        other => Err(unexpected(&other)),
    }
}

/// Rebuilds streams and rows from the packs; the text index grows again by itself.
pub fn rebuild(context: &Context) -> Result<(), Failure> {
    let _lock = supervise::take_home(&context.home)?;
    let paths = paths(context)?;
    let bar = progress("rebuilding");
    let mut opened = open::open(&paths, &mut |_, n| bar.set_position(n))?;
    let events = open::rebuild_streams(opened.journal.log(), &mut |_, n| bar.set_position(n))?;
    let rows = snapshot::closed_rows(&*opened.journal.reader())?;
    snapshot::write_rows(&mut opened.journal, &rows)?;
    drop(std::fs::remove_file(&paths.snapshot));
    bar.finish_and_clear();
    say(&format!("rebuilt from {events} events"));
    Ok(())
}
