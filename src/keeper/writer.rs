//! The writing loop: take everything that is ready, let the engine act, make it durable as one
//! batch, then speak.
//!
//! Invariants:
//! - Nothing leaves this loop before the batch it rests on is durable.
//! - A failed append ends the keeper: its memory is ahead of the journal.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::clock::{Clock, monotonic};
use crate::domain::command::Command;
use crate::domain::event::Body;
use crate::domain::ids::{CommandId, IncidentId};
use crate::domain::incident::Incident;
use crate::domain::rejection::{Rejection, RejectionKind};
use crate::keeper::engine::{Archive, Engine};
use crate::keeper::gate::Gate;
use crate::keeper::inbox::Inputs;
use crate::keeper::lane::Lane;
use crate::keeper::mailroom::Mailroom;
use crate::keeper::outbox::{Outbox, Told};
use crate::keeper::readers::Readers;
use crate::keeper::reads::{self, Places};
use crate::keeper::turn::{ClientId, Input, Output, ReadJob, Turn, Who};
use crate::proto::{Ask, ClientKind, KeeperMsg, Reply};
use crate::store::batch::Batch;
use crate::store::snapshot;
use crate::store::text_index::SEGMENT_EVENTS;
use crate::store::{Journal, Reader, StoreError};

/// Inputs taken in one turn.
pub const TURN_MAX: usize = 128;
/// Bytes after which a turn is closed.
const TURN_BYTES: usize = 256 * 1024;
/// How often it is looked whether there is space on the disk.
const SPACE_EVERY: Duration = Duration::from_millis(100);
/// Events after which a snapshot is worth its while.
const SNAPSHOT_EVENTS: u64 = 20_000;
/// After a snapshot that took so long, there is none for this many times as long: a tenth of the
/// time, at most, goes into them.
const SNAPSHOT_REST: u32 = 9;
/// The same for the part of it in which nobody is served, so that it stays out of the slowest
/// hundredth of answers.
const PAUSE_REST: u32 = 150;

/// What is put into the writer's inbox.
#[derive(Debug)]
pub enum Mail {
    Input(Input),
    Connect {
        client: ClientId,
        outbox: Outbox,
        who: Who,
        kind: ClientKind,
    },
    Post {
        source: String,
        command: Command,
        reply: oneshot::Sender<Result<(), Rejection>>,
    },
    /// Answered once everything before it is durable.
    Barrier(oneshot::Sender<()>),
}

/// A snapshot on its way to the disk.
struct Saving {
    task: JoinHandle<()>,
    begun: Instant,
    /// How long the writer stood still to copy the room.
    pause: Duration,
}

impl Mail {
    /// Whether somebody waits for an answer to it.
    fn is_asked(&self) -> bool {
        matches!(self, Self::Post { .. } | Self::Input(Input::Request { .. }))
    }
}

/// The writer with all it holds.
pub struct Writer {
    pub engine: Engine,
    pub journal: Box<dyn Journal>,
    pub clock: Clock,
    pub inbox: Inputs,
    /// The way back into the inbox for work that runs beside the writer.
    pub own_inbox: mpsc::WeakSender<Mail>,
    pub gate: Arc<Gate>,
    pub places: Arc<Places>,
    /// Carries messages out of the house.
    pub mailroom: Mailroom,
    /// Who answers questions.
    pub readers: Arc<Readers>,
    /// Where drafts and snapshots are written.
    pub runtime: Handle,
    pub snapshot_path: PathBuf,
    /// Events that were folded at the start: a snapshot now spares the next start that work.
    pub unsaved: u64,
}

struct Shell {
    /// The drafts of all, in the order in which they were written and asked for.
    drafts: Arc<Lane>,
    clients: HashMap<ClientId, Outbox>,
    posts: Vec<oneshot::Sender<Result<(), Rejection>>>,
    barriers: Vec<oneshot::Sender<()>>,
    lost: Vec<ClientId>,
    /// How many asked for something in the last turn, and now have their answer.
    answered: usize,
    stop: Option<String>,
    /// The snapshot that is being written.
    saving: Option<Saving>,
    /// There is no other one before this.
    snapshot_from: Instant,
    snapshot_seq: u64,
    space_at: Instant,
}

struct StoreArchive<'a>(&'a dyn Reader);

impl Archive for StoreArchive<'_> {
    fn incident(&self, id: IncidentId) -> Option<Incident> {
        let found = catch_unwind(AssertUnwindSafe(|| snapshot::incident(self.0, id, None)));
        match found.unwrap_or_else(|_| {
            Err(StoreError::Corrupt { seq: 0, text: "the database is damaged".to_owned() })
        }) {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(%id, %error, "an incident cannot be read");
                None
            }
        }
    }
}

impl Writer {
    /// Runs until it is told to stop; the reason, or what made it fail.
    pub async fn run(mut self) -> Result<String, StoreError> {
        let reader = self.journal.reader();
        let now = monotonic();
        self.look_for_space();
        let mut shell = Shell {
            drafts: Arc::new(Lane::default()),
            clients: HashMap::new(),
            posts: Vec::new(),
            barriers: Vec::new(),
            lost: Vec::new(),
            answered: 0,
            stop: None,
            saving: None,
            snapshot_from: now,
            snapshot_seq: self.engine.room.seq.saturating_sub(self.unsaved),
            space_at: now,
        };
        let mut waiting: VecDeque<Mail> = VecDeque::new();
        let mut arrived = Vec::with_capacity(TURN_MAX);
        loop {
            if waiting.is_empty() && shell.lost.is_empty() {
                let due = self.until_deadline();
                let wait = tokio::time::timeout(
                    due,
                    self.inbox.take(&mut arrived, TURN_MAX, shell.answered),
                );
                match wait.await {
                    Ok(0) => arrived.push(Mail::Input(Input::Stop {
                        reason: "nobody is left to serve".to_owned(),
                    })),
                    Ok(_) => {}
                    Err(_) => arrived.push(Mail::Input(Input::Tick)),
                }
                waiting.extend(arrived.drain(..));
            }
            let mut turn = Turn::default();
            self.notice_jump(&mut turn, &*reader);
            for client in std::mem::take(&mut shell.lost) {
                self.readers.leave(client);
                self.handle(Input::Leave { client }, &mut turn, &*reader);
            }
            self.take(&mut waiting, &mut shell, &mut turn, &*reader);
            self.engine.finish(&mut turn);
            self.commit(turn, &mut shell)?;
            if let Some(reason) = shell.stop.take() {
                if let Some(saving) = shell.saving.take() {
                    // Both write to the same file.
                    saving.task.await.ok();
                }
                self.readers.close();
                self.goodbye();
                return Ok(reason);
            }
            self.look_after(&mut shell);
        }
    }

    /// How long until something is due by the clock; at most a minute, so that a jump of the wall
    /// clock or a suspended machine is noticed.
    fn until_deadline(&mut self) -> Duration {
        let minute = Duration::from_secs(60);
        let Some(at) = self.engine.next_due() else {
            return minute;
        };
        let span = at.since(crate::clock::wall_now()).max(0);
        Duration::from_millis(span.unsigned_abs()).min(minute)
    }

    fn notice_jump(&mut self, turn: &mut Turn, reader: &dyn Reader) {
        if let Some(by_ms) = self.clock.jump() {
            tracing::warn!(by_ms, "the wall clock jumped");
            let jump = Body::ClockJumped { by_ms, incidents: Vec::new() };
            self.handle(Input::Own(jump), turn, reader);
        }
    }

    fn handle(&mut self, input: Input, turn: &mut Turn, reader: &dyn Reader) {
        let now = self.clock.now();
        if matches!(input, Input::Request { ask: Ask::Status, .. }) {
            self.engine.house.watched = self.gate.watched();
        }
        self.engine.handle(input, now, &StoreArchive(reader), turn);
    }

    fn take(
        &mut self,
        waiting: &mut VecDeque<Mail>,
        shell: &mut Shell,
        turn: &mut Turn,
        reader: &dyn Reader,
    ) {
        shell.answered = 0;
        while turn.weight < TURN_BYTES {
            let Some(mail) = waiting.pop_front() else {
                break;
            };
            shell.answered += usize::from(mail.is_asked());
            let input = match mail {
                Mail::Input(input) => input,
                Mail::Connect { client, outbox, who, kind } => {
                    shell.clients.insert(client, outbox);
                    Input::Join { client, who, kind }
                }
                Mail::Barrier(reply) => {
                    shell.barriers.push(reply);
                    continue;
                }
                Mail::Post { source, command, reply } => {
                    shell.posts.push(reply);
                    let ticket = shell.posts.len() as u64 - 1;
                    Input::Post { ticket, source, command }
                }
            };
            if let Input::Leave { client } = &input {
                shell.clients.remove(client);
                self.readers.leave(*client);
            }
            if is_end(&input) {
                // What was refused in the last second is on record before the end.
                for receipt in self.gate.receipts() {
                    self.handle(Input::Receipt(receipt), turn, reader);
                }
            }
            self.handle(input, turn, reader);
        }
        // What is due by the clock is due whether or not somebody knocks.
        if self.engine.next_due().is_some_and(|at| at <= crate::clock::wall_now()) {
            self.handle(Input::Tick, turn, reader);
        }
    }

    fn commit(&mut self, mut turn: Turn, shell: &mut Shell) -> Result<(), StoreError> {
        let mut batch = Batch::build(self.journal.head(), &turn.events);
        batch.rows = std::mem::take(&mut turn.rows);
        if let Err(error) = self.journal.append(&batch) {
            refuse_all(&error, shell);
            return Err(error);
        }
        let before = self.gate.seq.swap(batch.head.seq, Ordering::Relaxed);
        if before / SEGMENT_EVENTS != batch.head.seq / SEGMENT_EVENTS {
            self.gate.grown.notify_one();
        }
        let posts = std::mem::take(&mut shell.posts);
        let mut posts: Vec<_> = posts.into_iter().map(Some).collect();
        for output in turn.out {
            self.route(output, shell, &mut posts);
        }
        for barrier in shell.barriers.drain(..) {
            // Whoever asked may be gone; then nobody waits.
            barrier.send(()).ok();
        }
        Ok(())
    }

    fn route(
        &self,
        output: Output,
        shell: &mut Shell,
        posts: &mut [Option<oneshot::Sender<Result<(), Rejection>>>],
    ) {
        match output {
            Output::Say { client, message } => {
                send(shell, client, &Told::of(&message));
            }
            Output::Tell { clients, message } => {
                if !clients.is_empty() {
                    let told = Told::of(&message);
                    for client in clients {
                        send(shell, client, &told);
                    }
                }
            }
            Output::Posted { ticket, result } => {
                let index = usize::try_from(ticket).unwrap_or(usize::MAX);
                if let Some(reply) = posts.get_mut(index).and_then(Option::take) {
                    drop(reply.send(result));
                }
            }
            Output::Read { client, id, job } => self.read(shell, client, id, *job),
            Output::Tokens => {
                let room = &self.engine.room;
                self.gate.set_tokens(&room.tokens, &room.answer_tokens, room.asks_for_tokens);
            }
            Output::Redacted => self.gate.set_redacted(&self.engine.room.redacted),
            Output::Plan => {
                let room = &self.engine.room;
                self.gate.set_plan(&room.plan, &room.desk);
            }
            Output::Status => self.gate.publish(&self.engine.room),
            Output::Deliver(job) => self.mailroom.send(*job),
            Output::Recall(ticket) => self.mailroom.recall(ticket),
            Output::Stop { reason } => shell.stop = Some(reason),
        }
    }

    /// Has a question answered beside this loop.
    fn read(&self, shell: &mut Shell, client: ClientId, id: CommandId, job: ReadJob) {
        let Some(outbox) = shell.clients.get(&client).cloned() else {
            return;
        };
        let (places, head) = (Arc::clone(&self.places), self.journal.head());
        let inbox = self.own_inbox.clone();
        let is_of_drafts = matches!(job, ReadJob::Drafts { .. } | ReadJob::SaveDraft { .. });
        let answers = outbox.clone();
        let asked = id.clone();
        let work = move || {
            let reply = reads::run(job, &places, head);
            // A client that does not read its answers is cut loose, never waited for: no
            // answer may be missing on a line that stays open.
            if !outbox.give(&Told::of(&KeeperMsg::Reply { id, reply }))
                && let Some(inbox) = inbox.upgrade()
            {
                drop(inbox.blocking_send(Mail::Input(Input::Leave { client })));
            }
        };
        if is_of_drafts {
            shell.drafts.put(Box::new(work));
            let drafts = Arc::clone(&shell.drafts);
            drop(self.runtime.spawn_blocking(move || drafts.next()));
        } else if !self.readers.put(client, &answers, Box::new(work)) {
            let refusal = Rejection::new(
                RejectionKind::Unavailable,
                "too many questions of yours wait for their answers",
                "read those first, then ask again",
            );
            let message = KeeperMsg::Reply { id: asked, reply: Reply::Rejected(refusal) };
            send(shell, client, &Told::of(&message));
        }
    }

    fn look_for_space(&mut self) {
        let tight = self.journal.is_tight();
        self.engine.house.is_tight = tight;
        if self.gate.tight.swap(tight, Ordering::Relaxed) != tight {
            tracing::warn!(tight, "space on the journal's disk");
        }
    }

    /// What is done now and then, between turns.
    fn look_after(&mut self, shell: &mut Shell) {
        let now = monotonic();
        if now.duration_since(shell.space_at) > SPACE_EVERY {
            shell.space_at = now;
            self.look_for_space();
        }
        let grown = self.engine.room.seq - shell.snapshot_seq;
        if let Some(saved) = shell.saving.take_if(|saving| saving.task.is_finished()) {
            let took = now.duration_since(saved.begun);
            tracing::debug!(
                pause_us = saved.pause.as_micros(),
                took_ms = took.as_millis(),
                grown,
                "saved"
            );
            let rest = took * SNAPSHOT_REST;
            shell.snapshot_from = now + rest.max(saved.pause * PAUSE_REST);
        }
        if grown >= SNAPSHOT_EVENTS && shell.saving.is_none() && now >= shell.snapshot_from {
            shell.snapshot_seq = self.engine.room.seq;
            let (room, head, path) =
                (self.engine.room.copy_to_save(), self.journal.head(), self.snapshot_path.clone());
            let pause = now.elapsed();
            let task = self.runtime.spawn_blocking(move || save(&path, &room, head));
            shell.saving = Some(Saving { task, begun: now, pause });
        }
    }

    fn goodbye(&self) {
        save(&self.snapshot_path, &self.engine.room, self.journal.head());
    }
}

fn save(path: &std::path::Path, room: &crate::domain::room::Room, head: crate::store::batch::Head) {
    if let Err(error) = snapshot::save(path, room, head) {
        tracing::warn!(%error, "no snapshot was written; the next start takes longer");
    }
}

/// Whether somebody wants the keeper to end.
const fn is_end(input: &Input) -> bool {
    matches!(input, Input::Stop { .. } | Input::Request { ask: Ask::Stop, .. })
}

fn send(shell: &mut Shell, client: ClientId, told: &Told) {
    let Some(outbox) = shell.clients.get(&client) else {
        return;
    };
    if !outbox.give(told) {
        shell.clients.remove(&client);
        shell.lost.push(client);
    }
}

/// The batch failed, perhaps in one copy only: nobody is told that it was done, or that it was not.
/// The keeper ends; consoles send again under the same ids, and senders are told to come back.
fn refuse_all(error: &StoreError, shell: &mut Shell) {
    tracing::error!(%error, "the journal cannot be written");
    shell.posts.clear();
    shell.barriers.clear();
}
