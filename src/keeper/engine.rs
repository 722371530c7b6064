//! The engine: inputs and `now` in, events and outputs out.
//!
//! Invariants:
//! - No clock, no socket, no thread, no await. One sequence of inputs gives one history.
//! - Every request is answered exactly once.

#![expect(clippy::wildcard_enum_match_arm, reason = "the others are handled alike")]

mod answers;
mod codes;
mod elsewhere;
mod notes;
mod orphans;
mod paging;
mod visits;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::change::Change;
use crate::domain::command::{Command, Order};
use crate::domain::decide::due::INCIDENTS_MAX;
use crate::domain::decide::{decide, occurred};
use crate::domain::duty::{Beside, Destination};
use crate::domain::event::{Actor, Body, Occurred, Recorded, Sending};
use crate::domain::ids::{CommandId, IncidentId, Seq};
use crate::domain::incident::Incident;
use crate::domain::plan::{Plan, Policy};
use crate::domain::rejection::{Rejection, RejectionKind};
use crate::domain::room::{Room, evolve};
use crate::domain::row::Row;
use crate::domain::stats::Sample;
use crate::domain::time::Timestamp;
use crate::domain::words::{Right, Via};
use crate::keeper::engine::elsewhere::Closings;
use crate::keeper::turn::{ClientId, House, Input, Output, ReadJob, Turn, Who};
use crate::proto::{Ask, ClientKind, Counts, IntakeReport, KeeperMsg, Present, Push, Queue, Reply};
use crate::store::snapshot::row_bytes;

/// Rows in one answer.
const ROWS_MAX: usize = 2_000;

/// Where incidents are found that are no longer in the room.
pub trait Archive {
    /// The incident as it is after all durable events.
    fn incident(&self, id: IncidentId) -> Option<Incident>;
}

/// A client as the engine sees it.
struct Client {
    who: Who,
    kind: ClientKind,
    is_following: bool,
    watching: Option<IncidentId>,
    writing_on: Option<IncidentId>,
}

/// The room with everybody in it.
pub struct Engine {
    pub room: Room,
    clients: BTreeMap<ClientId, Client>,
    /// Incidents that left the room in this turn: the store does not hold their last events yet.
    limbo: BTreeMap<IncidentId, Incident>,
    pub house: House,
    /// What the codes of pages are made of; it never leaves this home.
    pub secret: [u8; 32],
    /// What the shell is sending just now.
    in_flight: BTreeMap<u64, (Destination, Vec<Sending>)>,
    /// The deliveries among it.
    carried: BTreeSet<(IncidentId, u32)>,
    /// The minute in which consoles were last told when senders were heard, and who was silent then.
    heard_told: (i64, usize, BTreeSet<String>),
    /// It is to end once what is under way has ended, or at this time.
    stopping: Option<(String, Timestamp)>,
    /// Nothing was looked at by this engine yet.
    is_fresh: bool,
    /// The same for what a keeper before this one left behind.
    is_first: bool,
    /// What is said to other services of what our pages opened there.
    closings: Closings,
    counter: u64,
}

impl Engine {
    /// An engine over a folded room.
    pub fn new(room: Room) -> Self {
        Self {
            room,
            clients: BTreeMap::new(),
            limbo: BTreeMap::new(),
            house: House::default(),
            secret: [0; 32],
            in_flight: BTreeMap::new(),
            carried: BTreeSet::new(),
            stopping: None,
            heard_told: <_>::default(),
            is_fresh: true,
            is_first: true,
            closings: Closings::default(),
            counter: 0,
        }
    }

    /// Takes one input. What it leads to is in the turn.
    pub fn handle(&mut self, input: Input, now: Timestamp, archive: &dyn Archive, turn: &mut Turn) {
        match input {
            Input::Join { client, who, kind } => {
                let client_state =
                    Client { who, kind, is_following: false, watching: None, writing_on: None };
                self.clients.insert(client, client_state);
                turn.presence_changed = true;
            }
            Input::Leave { client } => {
                self.clients.remove(&client);
                turn.presence_changed = true;
            }
            Input::Request { client, id, ask } => self.request(client, id, ask, now, archive, turn),
            Input::Post { ticket, source, command } => {
                let result = self.post(source, command, now, archive, turn);
                turn.out.push(Output::Posted { ticket, result });
            }
            Input::Receipt(command) => {
                drop(self.post("intake".to_owned(), command, now, archive, turn));
            }
            // The same plan again is no news.
            Input::Own(Body::PlanAdopted { digest, .. }) if digest == self.room.plan_digest => {}
            Input::Own(Body::ClockJumped { by_ms, .. }) => {
                self.closings.clock_moved(by_ms);
                // Waits that began by the wrong clock would last too long by as much, or be over.
                self.own(Body::ClockJumped { by_ms, incidents: Vec::new() }, now, turn);
                for part in self.waiting_incidents().chunks(INCIDENTS_MAX) {
                    self.own(Body::ClockJumped { by_ms, incidents: part.to_vec() }, now, turn);
                }
            }
            Input::Own(body) => self.own(body, now, turn),
            Input::Tick => self.tick(now, archive, turn),
            Input::Delivered { ticket, result, detail, wait_ms } => {
                self.delivered(ticket, result, detail, wait_ms, (now, archive), turn);
                self.stop_if_quiet(now, turn);
            }
            Input::Stop { reason } => self.stop_soon(reason, now, turn),
        }
    }

    /// Ends in good order: on record, and everybody told.
    fn stop(&mut self, reason: String, now: Timestamp, turn: &mut Turn) {
        self.own(Body::KeeperStopped { reason: reason.clone() }, now, turn);
        let clients = self.clients.keys().copied().collect();
        let message = Box::new(KeeperMsg::Push(Push::Goodbye { reason: reason.clone() }));
        turn.out.push(Output::Tell { clients, message });
        turn.out.push(Output::Stop { reason });
    }

    /// The keeper's own word.
    fn own(&mut self, body: Body, now: Timestamp, turn: &mut Turn) {
        let cause = self.own_id("k");
        self.record(cause, Actor::keeper(), None, body, now, &Nowhere, turn);
    }

    fn own_id(&mut self, kind: &str) -> CommandId {
        self.counter += 1;
        CommandId(format!("{kind}-{}-{}", self.room.seq, self.counter))
    }

    fn post(
        &mut self,
        source: String,
        command: Command,
        now: Timestamp,
        archive: &dyn Archive,
        turn: &mut Turn,
    ) -> Result<(), Rejection> {
        let id = self.own_id("p");
        let actor = Actor::of(source, Via::Http);
        let order =
            Order { id, actor, right: Right::Administer, occurred: None, seen: None, command };
        self.order(&order, now, archive, turn)
    }

    /// Decides and records.
    fn order(
        &mut self,
        order: &Order,
        now: Timestamp,
        archive: &dyn Archive,
        turn: &mut Turn,
    ) -> Result<(), Rejection> {
        let by_code = self.by_code(order, archive)?;
        let order = by_code.as_ref().unwrap_or(order);
        let there = self.answer_there(order, archive);
        let order = there.as_ref().unwrap_or(order);
        let visiting = self.visit(&order.command, archive);
        let decided = decide(&self.room, order, now).map(|bodies| {
            let unsettled = unsettled(&bodies);
            for (index, body) in bodies.into_iter().enumerate() {
                let when = occurred(order, index);
                self.record(order.id.clone(), order.actor.clone(), when, body, now, archive, turn);
            }
            for id in unsettled {
                self.look_after(id, now, archive, turn);
            }
        });
        for id in visiting {
            if self.room.incidents.get(&id).is_some_and(|i| i.phase().is_live()) {
                turn.rows.push((id, None));
            }
            self.let_go(id, turn);
        }
        decided
    }

    fn let_go(&mut self, id: IncidentId, turn: &mut Turn) {
        let Some(incident) = self.room.evict(id) else {
            return;
        };
        turn.rows.push((id, Some(row_bytes(&incident))));
        self.limbo.insert(id, incident);
    }

    #[expect(clippy::too_many_arguments, reason = "an envelope has this many parts")]
    fn record(
        &mut self,
        cause: CommandId,
        actor: Actor,
        occurred: Option<Occurred>,
        body: Body,
        now: Timestamp,
        archive: &dyn Archive,
        turn: &mut Turn,
    ) {
        let event = Recorded { seq: self.room.seq + 1, cause, at: now, occurred, actor, body };
        let mut returned = Vec::new();
        while let Some(id) = self.room.wanted(&event) {
            if !self.fetch(id, archive) {
                break;
            }
            returned.push(id);
        }
        let is_plan = matches!(event.body, Body::PlanAdopted { .. });
        let before = is_plan.then(|| self.room.plan.clone());
        evolve(&mut self.room, &event);
        // An attempt changes no line of the queue.
        let is_attempt =
            matches!(event.body, Body::SendingBegan { .. } | Body::SendingEnded { .. });
        for id in event.body.incidents() {
            if !is_attempt {
                turn.touched.insert(id);
            }
            let is_live = self.room.incidents.get(&id).is_some_and(|i| i.phase().is_live());
            if !is_live {
                self.let_go(id, turn);
            } else if turn.rows.iter().any(|(row, _)| *row == id)
                || returned.contains(&id)
                || self.limbo.contains_key(&id)
            {
                turn.rows.push((id, None));
            }
        }
        if matches!(event.body, Body::StatusPage { .. }) {
            // Who reads nothing else was told now, or was not.
            turn.touched.extend(self.room.on_the_page());
        }
        if self.room.board.seq == event.seq {
            turn.out.push(Output::Status);
        }
        match &event.body {
            Body::TokenIssued { .. } | Body::TokenRevoked { .. } => turn.out.push(Output::Tokens),
            Body::Incident { change: Change::EntryRedacted { .. }, .. } => {
                turn.out.push(Output::Redacted);
            }
            body if body.is_beside_the_plan() => {
                turn.out.push(Output::Plan);
                let push = self.plan_push();
                let message = Box::new(KeeperMsg::Push(push));
                turn.out.push(Output::Tell { clients: self.followers(), message });
            }
            _ => {}
        }
        turn.weight += crate::keeper::turn::weight(&event);
        turn.events.push(event);
        if let Some(before) = before {
            self.after_plan(&before, now, archive, turn);
        }
    }

    /// The plan with what was changed beside it, as consoles need it.
    fn plan_push(&self) -> Push {
        let beside = Box::new(Beside::of(&self.room.desk));
        Push::Plan { plan: Box::new(self.room.plan.clone()), beside }
    }

    fn followers(&self) -> Vec<ClientId> {
        self.clients.iter().filter(|(_, c)| c.is_following).map(|(id, _)| *id).collect()
    }

    /// What an operator may do here.
    pub fn right_of(&self, who: &Who) -> Right {
        right_of(&self.room.plan, who)
    }

    fn request(
        &mut self,
        client: ClientId,
        id: CommandId,
        ask: Ask,
        now: Timestamp,
        archive: &dyn Archive,
        turn: &mut Turn,
    ) {
        let Some(state) = self.clients.get(&client) else {
            return;
        };
        if !id.is_valid() {
            let text = "the request's id is not 1 to 64 printable ASCII characters";
            let refusal = Rejection::new(RejectionKind::BadInput, text, "use a ULID");
            return turn.reply(client, id, Reply::Rejected(refusal));
        }
        let via = if state.kind == ClientKind::Console { Via::Console } else { Via::Cli };
        let who = state.who.clone();
        match ask {
            Ask::Do { command, occurred, seen } => {
                let host = Some(who.from.clone()).filter(|from| !from.is_empty());
                let actor = Actor { host, ..Actor::of(who.login.clone(), via) };
                let order = Order {
                    id,
                    actor,
                    right: self.right_of(&who),
                    occurred,
                    seen,
                    command: *command,
                };
                self.act(client, order, now, archive, turn);
            }
            other @ (Ask::Backup { .. } | Ask::Verify | Ask::Stop) => {
                self.administer(client, &who, id, other, now, turn);
            }
            other => self.ask(client, &who, id, other, turn),
        }
    }

    fn act(
        &mut self,
        client: ClientId,
        order: Order,
        now: Timestamp,
        archive: &dyn Archive,
        turn: &mut Turn,
    ) {
        if matches!(order.command, Command::Ingest(_) | Command::RefusePost { .. }) {
            let refusal = Rejection::new(
                RejectionKind::NotAllowed,
                "alerts come in over HTTP",
                "post them to the keeper's address ('warroom intake' shows it)",
            );
            return turn.reply(client, order.id, Reply::Rejected(refusal));
        }
        if let Some((seq, incident)) = self.room.was_done(&order.id) {
            return turn.reply(client, order.id, Reply::done(seq, incident));
        }
        let before = turn.events.len();
        let reply = match self.order(&order, now, archive, turn) {
            Ok(()) => {
                let (seq, events) = (self.room.seq, &turn.events[before..]);
                let note = notes::note(events, &self.room);
                let about = || order.command.incident().or_else(|| notes::about(events));
                let (incident, words) = codes::answered_there(&order.command, events).unzip();
                let note = words.into_iter().chain(Some(note).filter(|it| !it.is_empty()));
                let note = note.collect::<Vec<_>>().join("; ");
                Reply::Done { seq, incident: incident.or_else(about), note }
            }
            Err(refusal) => Reply::Rejected(refusal),
        };
        turn.reply(client, order.id, reply);
    }

    /// Questions; none of them changes the room.
    fn ask(&mut self, client: ClientId, who: &Who, id: CommandId, ask: Ask, turn: &mut Turn) {
        let read = |job: ReadJob| Output::Read { client, id: id.clone(), job: Box::new(job) };
        let done = Reply::done(self.room.seq, None);
        let output = match ask {
            Ask::Do { .. } | Ask::Backup { .. } | Ask::Verify | Ask::Stop => return,
            Ask::Follow { first } => {
                self.change_client(client, |c| c.is_following = true);
                turn.reply(client, id, Reply::Queue(Box::new(self.queue_head(first))));
                return self.tell_news(client, turn);
            }
            Ask::Rows { after, limit } => {
                return turn.reply(client, id, self.rows_after(after, limit));
            }
            Ask::Watch { incident } => {
                self.change_client(client, |c| c.watching = Some(incident));
                turn.presence_changed = true;
                let head =
                    self.room.incidents.get(&incident).map(|head| Box::new((**head).clone()));
                let policy = self.policy_of(incident);
                let (page_down, until) = (self.room.desk.page_down, None);
                read(ReadJob::Incident { incident, head, policy, page_down, until, limit: 300 })
            }
            Ask::Unwatch => {
                self.change_client(client, |c| c.watching = None);
                turn.presence_changed = true;
                return turn.reply(client, id, done);
            }
            Ask::Writing { incident } => {
                self.change_client(client, |c| c.writing_on = incident);
                turn.presence_changed = true;
                return turn.reply(client, id, done);
            }
            Ask::Incident { incident, until, limit } => {
                let head = self.room.incidents.get(&incident).filter(|_| until.is_none());
                let head = head.map(|head| Box::new((**head).clone()));
                let policy = self.policy_of(incident);
                let page_down = self.room.desk.page_down;
                read(ReadJob::Incident { incident, head, policy, page_down, until, limit })
            }
            Ask::SaveDraft { key, text, only_new } => {
                read(ReadJob::SaveDraft { login: who.login.clone(), key, text, only_new })
            }
            Ask::Drafts => read(ReadJob::Drafts { login: who.login.clone() }),
            Ask::Search { query, limit } => read(ReadJob::Search { query, limit }),
            Ask::Closed { query, limit } => read(ReadJob::Closed { query, limit }),
            Ask::Events { after, limit } => read(ReadJob::Events { after, limit }),
            Ask::Pages { from, until } => {
                let zones = self.room.plan.people.iter();
                let zones = zones.map(|(login, p)| (login.clone(), p.zone.clone())).collect();
                read(ReadJob::Pages { from, until, zones })
            }
            Ask::Samples => {
                let live = self.room.incidents.values().filter_map(|i| Sample::of(i)).collect();
                read(ReadJob::Samples { live })
            }
            Ask::Alerts { incident, limit } => {
                let reply = self.alerts(incident, limit);
                return turn.reply(client, id, reply);
            }
            Ask::Intake => return turn.reply(client, id, Reply::Intake(Box::new(self.intake()))),
            Ask::Plan => {
                let (plan, digest) =
                    (Box::new(self.room.plan.clone()), self.room.plan_digest.clone());
                let beside = Box::new(Beside::of(&self.room.desk));
                return turn.reply(client, id, Reply::Plan { plan, digest, beside });
            }
            Ask::Status => return turn.reply(client, id, Reply::Status(Box::new(self.status()))),
        };
        turn.out.push(output);
    }

    /// The policy that an incident took, as it was then.
    fn policy_of(&self, incident: IncidentId) -> Option<Box<Policy>> {
        let policy = self.room.incidents.get(&incident)?.esc.policy.as_ref();
        self.room.desk.policy(policy).cloned().map(Box::new)
    }

    fn change_client(&mut self, client: ClientId, change: impl FnOnce(&mut Client)) {
        if let Some(state) = self.clients.get_mut(&client) {
            change(state);
        }
    }
}

/// For what concerns no incident.
struct Nowhere;

impl Archive for Nowhere {
    fn incident(&self, _: IncidentId) -> Option<Incident> {
        None
    }
}

/// Incidents of which something changed that their paging rests on.
fn unsettled(bodies: &[Body]) -> Vec<IncidentId> {
    let of = |body: &Body| match body {
        Body::Incident {
            incident,
            change:
                Change::Reopened { .. }
                | Change::Unmerged { .. }
                | Change::Absorbed { .. }
                | Change::ServicesChanged { .. },
        } => Some(*incident),
        _ => None,
    };
    bodies.iter().filter_map(of).collect()
}

/// What an operator may do under a plan: the highest right of their groups; the owner everything.
pub fn right_of(plan: &Plan, who: &Who) -> Right {
    if who.is_owner {
        return Right::Administer;
    }
    let granted = who.groups.iter().filter_map(|group| plan.rights.get(group)).max();
    granted.copied().unwrap_or(Right::Observe)
}
