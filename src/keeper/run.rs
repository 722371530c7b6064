//! The keeper's life: lock, open, fold, listen, ready; and in good order out again.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};

use crate::clock::{Clock, JUMP_MS, monotonic, wall_now};
use crate::config::paths::Home;
use crate::config::plan_files;
use crate::config::settings::{self, Settings};
use crate::domain::event::Body;
use crate::domain::ids::IncidentId;
use crate::domain::room::Room;
use crate::keeper::engine::Engine;
use crate::keeper::gate::Gate;
use crate::keeper::http::{self, Intake};
use crate::keeper::inbox::{Inbox, inbox};
use crate::keeper::mailroom::Mailroom;
use crate::keeper::readers::Readers;
use crate::keeper::reads::Places;
use crate::keeper::turn::Input;
use crate::keeper::writer::{Mail, Writer};
use crate::keeper::{background, connection, identity, status_page, supervise, watch};
use crate::notify::send::Context;
use crate::store::batch::Head;
use crate::store::journal::{DiskJournal, Paths};
use crate::store::open::{self, Mended, Rows};
use crate::store::{Journal, StoreError, fold, snapshot};

/// How often both copies of the journal are looked through.
const SCRUB_EVERY: Duration = Duration::from_secs(24 * 3_600);

/// What connections share.
pub struct Shared {
    pub home: Home,
    pub inbox: Inbox,
    pub gate: Arc<Gate>,
    pub listening: Result<String, String>,
}

/// How a keeper is started.
#[derive(Debug, Clone)]
pub struct Options {
    pub home: Home,
    /// Says "ready" on standard output once clients can connect, and leaves the terminal.
    pub background: bool,
}

/// What opening a home gives.
struct Opened {
    journal: DiskJournal,
    room: Room,
    folded: u64,
    mended: Vec<Mended>,
}

/// Runs a keeper until it is told to stop. The text says why it ended.
pub fn run(options: &Options) -> Result<String, StoreError> {
    let home = &options.home;
    let _lock = supervise::take_home(home)?;
    supervise::raise_files();
    let settings = settings::load(&home.settings()).map_err(|mistakes| {
        StoreError::Refused(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })?;
    if options.background {
        if let Err(errno) = nix::unistd::setsid() {
            tracing::debug!(%errno, "already a session of its own");
        }
        drop(std::env::set_current_dir("/"));
    }
    let paths = Paths::new(&home.journal(), settings.twin_dir.as_deref());
    let opened = open_and_fold(&paths)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        // Names that nobody answers for may hold some up for long: pages must find others.
        .max_blocking_threads(64)
        .enable_all()
        .build()
        .map_err(StoreError::io("start", "the runtime"))?;
    let ended = runtime.block_on(serve(options, settings, paths, opened));
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    drop(std::fs::remove_file(home.socket()));
    ended
}

fn open_and_fold(paths: &Paths) -> Result<Opened, StoreError> {
    let mut progress = |what: &str, events: u64| tracing::info!(events, "{what}");
    let begun = monotonic();
    // The snapshot is read while the database opens: neither needs the other.
    let (snapshot, first) = std::thread::scope(|scope| {
        let snapshot = scope.spawn(|| snapshot::read(&paths.snapshot));
        let first = open::open(paths, &mut progress);
        (snapshot.join().unwrap_or_default(), first)
    });
    let open::Opened { mut journal, mended } = first?;
    tracing::info!(took_ms = begun.elapsed().as_millis(), "the journal is open");
    mend_rows(&mut journal, &mended)?;
    match fold(&journal, snapshot) {
        Ok((room, folded)) => Ok(Opened { journal, room, folded, mended }),
        Err(error) if error.is_refusal() => Err(error),
        Err(error) => {
            tracing::error!(%error, "the database is damaged; it is rebuilt from the twin");
            drop(journal);
            let mut again = open::rebuild_sled(paths, &mut progress)?;
            mend_rows(&mut again.journal, &again.mended)?;
            let (room, folded) = fold(&again.journal, snapshot::read(&paths.snapshot))?;
            Ok(Opened { journal: again.journal, room, folded, mended: again.mended })
        }
    }
}

/// Rows of closed incidents are derived: after a rebuild of the database they are made anew.
fn mend_rows(journal: &mut DiskJournal, mended: &[Mended]) -> Result<(), StoreError> {
    let reader = journal.reader();
    let rows = if mended.iter().any(|m| m.rows == Rows::All) {
        snapshot::closed_rows(&*reader)?
    } else {
        let of =
            |m: &Mended| if let Rows::Of(all) = &m.rows { all.clone() } else { BTreeSet::new() };
        let about: BTreeSet<IncidentId> = mended.iter().flat_map(of).collect();
        snapshot::rows_of(&*reader, &about)?
    };
    snapshot::write_rows(journal, &rows)
}

fn fold(journal: &DiskJournal, snapshot: Option<(Room, Head)>) -> Result<(Room, u64), StoreError> {
    let head: Head = journal.head();
    let begun = monotonic();
    let folded = fold::room(snapshot, &*journal.reader(), head)?;
    if folded.head != head {
        return Err(StoreError::Corrupt {
            seq: folded.head.seq,
            text: format!("the events up to {} do not follow from it", head.seq),
        });
    }
    tracing::info!(
        events = head.seq,
        folded = folded.folded,
        live = folded.room.incidents.len(),
        took_ms = begun.elapsed().as_millis(),
        "the room is folded"
    );
    Ok((folded.room, folded.folded))
}

async fn serve(
    options: &Options,
    settings: Settings,
    paths: Paths,
    opened: Opened,
) -> Result<String, StoreError> {
    let home = options.home.clone();
    let listener = supervise::bind(&home.socket())?;
    let listener =
        UnixListener::from_std(listener).map_err(StoreError::io("listen on", home.socket()))?;
    let gate = gate(&opened.room, settings);
    let (inbox, inputs) = inbox();
    let (intake, listening) = bind_intake(&gate).await;
    let places = Arc::new(Places {
        reader: opened.journal.reader(),
        log: opened.journal.log().clone(),
        paths: paths.clone(),
        gate: Arc::clone(&gate),
    });
    let findings = opened.room.desk.findings.clone();
    let fault = (opened.room.desk.page_fault.clone(), status_page::is_alerting(&opened.room));
    let mut engine = Engine::new(opened.room);
    engine.house.listening.clone_from(&listening);
    engine.secret = supervise::secret(&home)?;
    let first_words = first_words(&home, &engine, opened.mended)?;
    for body in first_words {
        drop(inbox.send(Mail::Input(Input::Own(body))).await);
    }
    let writer = Writer {
        clock: Clock::after(engine.room.at),
        engine,
        journal: Box::new(opened.journal),
        inbox: inputs,
        own_inbox: inbox.downgrade(),
        gate: Arc::clone(&gate),
        places: Arc::clone(&places),
        mailroom: mailroom(&gate, &inbox, &home),
        readers: Readers::start().map_err(StoreError::io("start", "the readers"))?,
        runtime: Handle::current(),
        snapshot_path: paths.snapshot,
        unsaved: opened.folded,
    };
    let shared = Arc::new(Shared {
        home: home.clone(),
        inbox: inbox.clone(),
        gate: Arc::clone(&gate),
        listening,
    });
    let mut ended = start_writer(writer)?;
    start_background(&shared, places, findings, fault);
    // Nobody is let in before the first words are durable: the plan is in force by then.
    let (first, durable) = tokio::sync::oneshot::channel();
    drop(inbox.send(Mail::Barrier(first)).await);
    if durable.await.is_ok() {
        if let Some(intake) = intake {
            let (gate, inbox) = (Arc::clone(&shared.gate), shared.inbox.clone());
            tokio::spawn(http::serve(intake, Arc::new(Intake { gate, inbox })));
        }
        tokio::spawn(accept(listener, Arc::clone(&shared)));
        tokio::spawn(signals(shared));
        ready(options);
    }
    let result = (&mut ended).await;
    supervise::tell_systemd("STOPPING=1");
    result.unwrap_or_else(|_| {
        Err(StoreError::Refused("the writer failed; look at keeper.log".to_owned()))
    })
}

/// The gate as it is at the start.
fn gate(room: &Room, settings: Settings) -> Arc<Gate> {
    let gate = Gate::default();
    gate.set_tokens(&room.tokens, &room.answer_tokens, room.asks_for_tokens);
    gate.set_redacted(&room.redacted);
    gate.set_plan(&room.plan, &room.desk);
    gate.publish(room);
    gate.seq.store(room.seq, Ordering::Relaxed);
    gate.set_settings(settings);
    Arc::new(gate)
}

/// What goes on behind the writer.
fn start_background(
    shared: &Shared,
    places: Arc<Places>,
    findings: Vec<String>,
    fault: (Option<String>, bool),
) {
    let (gate, inbox, home) = (&shared.gate, &shared.inbox, shared.home.root.clone());
    let context = Context { home, host: identity::hostname(), now: wall_now() };
    let page = status_page::publish(Arc::clone(gate), inbox.clone(), context.clone(), fault);
    tokio::spawn(page);
    tokio::spawn(background::receipts(Arc::clone(gate), inbox.clone()));
    let rounds =
        watch::rounds(Arc::clone(&places), Arc::clone(gate), inbox.clone(), context, findings);
    tokio::spawn(rounds);
    tokio::spawn(background::index(Arc::clone(&places), Arc::clone(gate)));
    tokio::spawn(mend(places, inbox.clone()));
}

fn mailroom(gate: &Arc<Gate>, inbox: &Inbox, home: &Home) -> Mailroom {
    let (gate, inbox, root) = (Arc::clone(gate), inbox.downgrade(), home.root.clone());
    Mailroom::new(gate, inbox, Handle::current(), root, identity::hostname())
}

type Ended = tokio::sync::oneshot::Receiver<Result<String, StoreError>>;

/// The writer has a thread and a small runtime of its own: it blocks while it syncs.
fn start_writer(writer: Writer) -> Result<Ended, StoreError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(StoreError::io("start", "the writer's runtime"))?;
    let (tx, rx) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("writer".to_owned())
        .spawn(move || drop(tx.send(runtime.block_on(writer.run()))))
        .map_err(StoreError::io("start", "the writer"))?;
    Ok(rx)
}

/// Takes the address for posts, and says which; nothing is taken from it before the plan is in force.
async fn bind_intake(gate: &Gate) -> (Option<tokio::net::TcpListener>, Result<String, String>) {
    let settings = gate.settings();
    if settings.listen.is_empty() {
        return (None, Err("switched off in warroom.toml".to_owned()));
    }
    match tokio::net::TcpListener::bind(&settings.listen).await {
        Ok(listener) => {
            let address =
                listener.local_addr().map_or_else(|_| settings.listen.clone(), |a| a.to_string());
            (Some(listener), Ok(address))
        }
        Err(error) => {
            tracing::error!(address = settings.listen, %error, "alerts cannot be taken");
            (None, Err(format!("cannot listen on {}: {error}", settings.listen)))
        }
    }
}

/// What the keeper says first: that it is here, what was mended, and the first plan of all. Whatever is
/// in the plan's files later may be half written: it counts once somebody adopts it.
fn first_words(home: &Home, engine: &Engine, mended: Vec<Mended>) -> Result<Vec<Body>, StoreError> {
    let mut words: Vec<Body> =
        mended.into_iter().map(|m| Body::StoreRebuilt { what: m.what, events: m.events }).collect();
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let ahead_ms = engine.room.at.since(wall_now());
    if ahead_ms > JUMP_MS {
        // The clock was put right while nobody was here to see it.
        words.push(Body::ClockJumped { by_ms: -ahead_ms, incidents: Vec::new() });
    }
    words.push(Body::KeeperStarted { version, host: identity::hostname() });
    match plan_files::load(&home.plan(), &identity::own_login()) {
        Ok(read) if engine.room.plan_digest.is_empty() => {
            let note = if home.plan().is_dir() {
                "from the plan's files"
            } else {
                "the plan that ships with warroom"
            };
            words.push(Body::PlanAdopted {
                plan: Box::new(read.plan),
                digest: read.digest,
                note: note.to_owned(),
            });
        }
        Ok(read) if read.digest != engine.room.plan_digest && home.plan().is_dir() => {
            tracing::warn!(
                "the plan's files are not what is in force: 'warroom plan diff' shows what they \
                 change, 'warroom plan adopt' puts them in force"
            );
        }
        Ok(_) => {}
        Err(mistakes) => {
            let text = mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
            if engine.room.plan_digest.is_empty() {
                return Err(StoreError::Refused(text));
            }
            tracing::error!("the plan's files have mistakes; the plan in force stays\n{text}");
        }
    }
    Ok(words)
}

/// Says that clients can connect.
fn ready(options: &Options) {
    supervise::tell_systemd("READY=1");
    if options.background {
        let mut out = std::io::stdout();
        drop(out.write_all(b"ready\n").and_then(|()| out.flush()));
    }
    tracing::info!(home = %options.home.root.display(), "ready");
}

/// Consoles and commands that are connected at once: files that the journal needs are left.
const CLIENTS_MAX: usize = 400;

async fn accept(listener: UnixListener, shared: Arc<Shared>) {
    let places = Arc::new(tokio::sync::Semaphore::new(CLIENTS_MAX));
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Who finds no place waits in the socket's own queue until another one leaves.
                let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    connection::serve(stream, shared).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a console could not connect");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

/// Looks through both copies after the start, and then once a day: a disk may lose what nobody reads.
async fn mend(places: Arc<Places>, inbox: Inbox) {
    loop {
        let places = Arc::clone(&places);
        let mended = tokio::task::spawn_blocking(move || background::mend(&places)).await;
        if let Ok(Some(count)) = mended {
            let what = format!("{count} segments of the twin");
            let body = Body::StoreRebuilt { what, events: 0 };
            if inbox.send(Mail::Input(Input::Own(body))).await.is_err() {
                return;
            }
        }
        tokio::time::sleep(SCRUB_EVERY).await;
    }
}

async fn signals(shared: Arc<Shared>) {
    let (Ok(mut term), Ok(mut int), Ok(mut hup)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
        signal(SignalKind::hangup()),
    ) else {
        return tracing::error!("signals cannot be received");
    };
    loop {
        let reason = tokio::select! {
            _ = term.recv() => "told to by SIGTERM",
            _ = int.recv() => "told to by SIGINT",
            _ = hup.recv() => {
                reload(&shared).await;
                continue;
            }
        };
        let stop = Input::Stop { reason: reason.to_owned() };
        drop(shared.inbox.send(Mail::Input(stop)).await);
    }
}

/// SIGHUP: the settings and the plan's files are read again; mistakes leave what is in force.
async fn reload(shared: &Shared) {
    match settings::load(&shared.home.settings()) {
        Ok(settings) => {
            let before = shared.gate.settings();
            for (what, is_other) in [
                ("listen", settings.listen != before.listen),
                ("twin_dir", settings.twin_dir != before.twin_dir),
            ] {
                if is_other {
                    tracing::warn!(
                        "'{what}' was changed: it counts from the next start of the keeper on"
                    );
                }
            }
            shared.gate.set_settings(settings);
            tracing::info!("the settings were read again");
        }
        Err(mistakes) => {
            for mistake in mistakes {
                tracing::error!("{mistake}");
            }
        }
    }
    match plan_files::load(&shared.home.plan(), &identity::own_login()) {
        Ok(read) => {
            let note = "read again after SIGHUP".to_owned();
            let body = Body::PlanAdopted { plan: Box::new(read.plan), digest: read.digest, note };
            drop(shared.inbox.send(Mail::Input(Input::Own(body))).await);
            tracing::info!("the plan was read again");
        }
        Err(mistakes) => {
            for mistake in mistakes {
                tracing::error!("{mistake}");
            }
        }
    }
}
