//! What the engine answers from the room alone.

use super::{
    ClientId, ClientKind, Counts, Engine, IncidentId, IntakeReport, KeeperMsg, Output, Present,
    Push, Queue, ROWS_MAX, Reply, Row, Seq, Turn,
};
use crate::domain::delivery::Stand;
use crate::domain::ids::CommandId;
use crate::domain::incident::Incident;
use crate::domain::rejection::{Rejection, RejectionKind};
use crate::domain::time::{DAY_MS, Timestamp};
use crate::domain::words::Right;
use crate::keeper::turn::{ReadJob, Who};
use crate::proto::{Ask, Heard, Status};

/// Senders that consoles are told of.
const HEARD_MAX: usize = 16;

impl Engine {
    /// Ends a turn: what followers and watchers are told once it is durable.
    pub fn finish(&mut self, turn: &mut Turn) {
        let touched = std::mem::take(&mut turn.touched);
        if !touched.is_empty() {
            self.tell_rows(&touched.into_iter().collect::<Vec<_>>(), turn);
        }
        if !turn.events.is_empty() {
            self.tell_watchers(turn);
        }
        if std::mem::take(&mut turn.presence_changed) {
            self.tell_presence(turn);
        }
        if !turn.events.is_empty() {
            let beats = self.room.desk.beats.iter();
            let silent = beats.filter(|(_, beat)| beat.is_missed).map(|(name, _)| name.clone());
            // A sender that was never heard before is shown at once.
            let known = self.room.desk.beats.len() + self.room.sources.len();
            let heard = (self.room.at.0 / 60_000, known, silent.collect());
            if heard != self.heard_told {
                self.heard_told = heard;
                self.tell_heard(self.followers(), turn);
            }
        }
        self.recall(turn);
        self.limbo.clear();
    }

    fn row(&self, incident: &Incident) -> Row {
        Row::with_dues(incident, &self.room.plan, self.room.at)
    }

    fn tell_rows(&self, touched: &[IncidentId], turn: &mut Turn) {
        let clients = self.followers();
        if clients.is_empty() {
            return;
        }
        for part in touched.chunks(ROWS_MAX) {
            let mut rows = Vec::new();
            let mut gone = Vec::new();
            for id in part {
                match self.room.incidents.get(id).filter(|i| i.phase().is_live()) {
                    Some(incident) => rows.push(self.row(incident)),
                    None => gone.push(*id),
                }
            }
            let push = Push::Rows { seq: self.room.seq, rows, gone, counts: self.counts() };
            let message = Box::new(KeeperMsg::Push(push));
            turn.out.push(Output::Tell { clients: clients.clone(), message });
        }
    }

    /// Tells when senders were heard: once a minute at most, and when one falls silent or
    /// is heard again.
    pub(super) fn tell_heard(&self, clients: Vec<ClientId>, turn: &mut Turn) {
        let beats = self.room.desk.beats.iter().map(|(name, beat)| Heard {
            name: name.clone(),
            at: beat.is_heard.then_some(beat.at),
            is_missed: beat.is_missed,
        });
        let own = crate::domain::decide::due::OWN_SOURCE;
        let posted = self.room.sources.iter();
        let posted = posted.filter(|(name, counts)| *name != own && counts.posts > 0);
        let mut sources: Vec<Heard> = beats
            .chain(posted.map(|(name, counts)| Heard {
                name: name.clone(),
                at: counts.last_at,
                is_missed: false,
            }))
            .collect();
        sources.sort_by_key(|heard| (!heard.is_missed, std::cmp::Reverse(heard.at)));
        sources.truncate(HEARD_MAX);
        if !sources.is_empty() && !clients.is_empty() {
            let message = Box::new(KeeperMsg::Push(Push::Heard { sources }));
            turn.out.push(Output::Tell { clients, message });
        }
    }

    fn tell_watchers(&self, turn: &mut Turn) {
        let mut watched: std::collections::BTreeMap<IncidentId, Vec<ClientId>> =
            std::collections::BTreeMap::new();
        for (client, state) in &self.clients {
            if let Some(incident) = state.watching {
                watched.entry(incident).or_default().push(*client);
            }
        }
        for (incident, clients) in watched {
            let mine = turn.events.iter().filter(|e| e.body.incidents().contains(&incident));
            let events: Vec<_> = mine.cloned().collect();
            for part in events.chunks(16) {
                let push = Push::Events { incident, events: part.to_vec() };
                let message = Box::new(KeeperMsg::Push(push));
                turn.out.push(Output::Tell { clients: clients.clone(), message });
            }
        }
    }

    fn tell_presence(&self, turn: &mut Turn) {
        let people = self
            .clients
            .iter()
            .filter(|(_, c)| c.kind == ClientKind::Console)
            .map(|(id, c)| Present {
                login: c.who.login.clone(),
                client: *id,
                incident: c.writing_on.or(c.watching),
                writing: c.writing_on.is_some(),
            })
            .collect();
        let message = Box::new(KeeperMsg::Push(Push::Presence { people }));
        turn.out.push(Output::Tell { clients: self.followers(), message });
    }

    pub(super) fn counts(&self) -> Counts {
        let live = u32::try_from(self.room.queue.len()).unwrap_or(u32::MAX);
        let tally = self.room.tally;
        let (sev1, sev2, unacked) = (tally.sev1, tally.sev2, tally.unacked);
        Counts { live, active: tally.active, closed: self.room.closed, sev1, sev2, unacked }
    }

    pub(super) fn queue_head(&self, first: u32) -> Queue {
        let limit = (first as usize).min(ROWS_MAX);
        let rows = self
            .room
            .queue
            .iter()
            .take(limit)
            .filter_map(|(_, id)| self.room.incidents.get(id))
            .map(|incident| self.row(incident))
            .collect();
        let seq: Seq = self.room.seq;
        Queue { seq, rows, counts: self.counts() }
    }

    pub(super) fn rows_after(&self, after: IncidentId, limit: u32) -> Reply {
        let limit = (limit as usize).clamp(1, ROWS_MAX);
        let range = (std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded);
        let rows: Vec<Row> = self
            .room
            .incidents
            .range(range)
            .filter(|(_, i)| i.phase().is_live())
            .take(limit)
            .map(|(_, i)| self.row(i))
            .collect();
        let done = rows.len() < limit;
        Reply::Rows { rows, done }
    }

    pub(super) fn alerts(&self, incident: Option<IncidentId>, limit: u32) -> Reply {
        let alerts = self
            .room
            .alerts
            .iter()
            .filter(|(_, alert)| incident.is_none() || alert.incident == incident)
            .take((limit as usize).min(500))
            .map(|(key, alert)| (key.clone(), (**alert).clone()))
            .collect();
        Reply::Alerts { alerts }
    }

    pub(super) fn intake(&self) -> IntakeReport {
        IntakeReport {
            listening: self.house.listening.clone(),
            sources: self.room.sources.clone(),
            refusals: self.room.refusals.iter().cloned().collect(),
            changes: self.room.changes.iter().rev().take(50).cloned().collect(),
            tokens: self.room.tokens.keys().cloned().collect(),
            asks_for_tokens: self.room.asks_for_tokens,
        }
    }

    pub(super) fn status(&self) -> Status {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            home: String::new(),
            seq: self.room.seq,
            hash: String::new(),
            live: count(self.room.queue.len()),
            closed: self.room.closed,
            alerts: count(self.room.alerts.len()),
            clients: count(self.clients.len()),
            plan_digest: self.room.plan_digest.clone(),
            intake: self.house.listening.clone(),
            is_tight: self.house.is_tight,
            watched: self.house.watched.clone(),
            beats: self.room.desk.beats.clone(),
            waiting: count(self.waiting()),
            unreached: self.unreached(),
            page_fault: self.room.desk.page_fault.clone(),
        }
    }

    /// Words about duty that got through by no way.
    fn unreached(&self) -> Vec<String> {
        let notices = self.room.desk.notices.values();
        let is_news = |at: Timestamp| self.room.at.since(at) < DAY_MS;
        let failed = notices
            .filter(|notice| matches!(notice.delivery.stand, Stand::Failed { at } if is_news(at)));
        let words = failed.map(|notice| {
            let why = notice.delivery.attempts.last().map_or("", |attempt| attempt.detail.as_str());
            format!("{}: {} ({why})", notice.delivery.wanted.to, notice.subject)
        });
        words.collect()
    }

    /// What only an administrator may ask for.
    pub(super) fn administer(
        &mut self,
        client: ClientId,
        who: &Who,
        id: CommandId,
        ask: Ask,
        now: Timestamp,
        turn: &mut Turn,
    ) {
        if self.right_of(who) < Right::Administer {
            let refusal = Rejection::new(
                RejectionKind::NotAllowed,
                format!("{} may not do that here", who.login),
                "ask an administrator",
            );
            return turn.reply(client, id, Reply::Rejected(refusal));
        }
        match ask {
            Ask::Backup { dest } => {
                turn.out.push(Output::Read { client, id, job: Box::new(ReadJob::Backup { dest }) });
            }
            Ask::Verify => {
                turn.out.push(Output::Read { client, id, job: Box::new(ReadJob::Verify) });
            }
            _ => {
                turn.reply(client, id, Reply::done(self.room.seq, None));
                self.stop_soon(format!("stopped by {}", who.login), now, turn);
            }
        }
    }
}
