//! What the engine answers from the room alone.

use std::collections::BTreeSet;

use super::{
    ClientId, ClientKind, Counts, Engine, IncidentId, IntakeReport, KeeperMsg, Output, Present,
    Push, Queue, ROWS_MAX, Reply, Row, Seq, Turn,
};
use crate::domain::change::Change;
use crate::domain::delivery::{Stand, Wanted, channel_of};
use crate::domain::event::{Body, Recorded};
use crate::domain::ids::CommandId;
use crate::domain::incident::Incident;
use crate::domain::legal::{self, LegalChange};
use crate::domain::plan::Plan;
use crate::domain::rejection::{Rejection, RejectionKind};
use crate::domain::room::Room;
use crate::domain::schedule::swap_words;
use crate::domain::talk::change::TalkChange;
use crate::domain::talk::promise;
use crate::domain::time::{MINUTE_MS, Timestamp, span_words};
use crate::domain::words::{Approval, Right};
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
        let minute = self.room.at.0 / 60_000;
        if minute != self.heard_minute && !turn.events.is_empty() {
            self.heard_minute = minute;
            self.tell_heard(self.followers(), turn);
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

    /// Tells when senders were heard: once a minute at most, and only when something happens.
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
        let failed = notices.filter(|n| matches!(n.delivery.stand, Stand::Failed { .. }));
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

/// What the person who gave a command should know of what came of it.
pub(super) fn note(events: &[Recorded], room: &Room) -> String {
    let of = |event| {
        note_of(event)
            .or_else(|| stranger(event, &room.plan))
            .or_else(|| goes_on(event, room))
            .or_else(|| swapped(event, room))
            .or_else(|| still_owed(event, room))
            .or_else(|| not_owed_by(event, room))
            .or_else(|| taken_back(event, events))
            .or_else(|| next_word(event, room))
    };
    let more = |event| seldom(event, room).into_iter().chain(unknown_services(event, room));
    let of = |event| of(event).into_iter().chain(more(event)).reduce(|a, b| a + "; " + &b);
    let alone = events.iter().filter_map(|event| untold(event, events));
    events.iter().filter_map(of).chain(alone).collect::<Vec<String>>().join("; ")
}

/// Who is told of something about their duty, and by which ways.
fn told_words(letters: &[Wanted]) -> String {
    let told = letters.iter().map(|letter| {
        let ways = letter.methods.iter().map(|method| channel_of(&method.name));
        format!("{} by {}", letter.to, ways.collect::<Vec<_>>().join(", "))
    });
    format!("telling {}", told.collect::<Vec<_>>().join("; "))
}

/// When the next word is due to whom somebody talked: an earlier promise may stand.
fn next_word(event: &Recorded, room: &Room) -> Option<String> {
    let Body::Incident { incident, change: Change::ContactLogged { stakeholder, .. } } =
        &event.body
    else {
        return None;
    };
    let at = room.incidents.get(incident)?.told.get(stakeholder)?.next_by?;
    Some(format!("next word by {}", at.clock_near(event.at)))
}

/// Somebody is asked for something and no way leads to them.
fn untold(event: &Recorded, all: &[Recorded]) -> Option<String> {
    let Body::SwapAsked { swap, .. } = &event.body else { return None };
    let is_told = all.iter().any(|event| matches!(event.body, Body::PeopleTold { .. }));
    (!is_told).then(|| format!("NOTHING BUT A CONSOLE REACHES {}: tell them", swap.person_b))
}

/// A silence is over alerts: what is open already goes on.
fn goes_on(event: &Recorded, room: &Room) -> Option<String> {
    let Body::SilenceBegan { alerts, .. } = &event.body else { return None };
    let of = alerts.iter().filter_map(|key| room.alerts.get(key)?.incident);
    let is_paging = |id: &IncidentId| {
        room.incidents.get(id).is_some_and(|i| i.phase().is_active() && i.ack.is_none())
    };
    let open: BTreeSet<IncidentId> = of.filter(is_paging).collect();
    let first = open.first()?;
    let more = if open.len() > 1 {
        format!(" and {} more go", open.len() - 1)
    } else {
        " goes".to_owned()
    };
    Some(format!("{first}{more} on paging: acknowledge, snooze or decline"))
}

/// What was handed in does not stand for what the same law asked for before it.
fn still_owed(event: &Recorded, room: &Room) -> Option<String> {
    let Body::Incident { incident, change: Change::Legal(change) } = &event.body else {
        return None;
    };
    let LegalChange::Submitted { rule, stage, .. } = &**change else { return None };
    let incident = room.incidents.get(incident)?;
    let open = legal::open(incident, &room.plan, event.at);
    let of_rule = legal::rule(&room.plan, rule)?;
    let earlier = of_rule.stages.iter().take_while(|known| known.id != *stage);
    let owed: Vec<String> = earlier
        .filter_map(|known| {
            let clock = open.iter().find(|it| it.rule.id == *rule && it.clock.stage == known.id)?;
            let due = clock.clock.due.map(|at| format!(" (due {})", at.clock_near(event.at)));
            Some(format!("{}{}", known.id, due.unwrap_or_default()))
        })
        .collect();
    (!owed.is_empty()).then(|| {
        format!("STILL OWED before it: {}; hand that in too, or say why not", owed.join(", "))
    })
}

/// What was thought before and is taken back because something else was determined.
fn taken_back(event: &Recorded, all: &[Recorded]) -> Option<String> {
    let legal = |event: &Recorded| match &event.body {
        Body::Incident { change: Change::Legal(change), .. } => Some((**change).clone()),
        _ => None,
    };
    let LegalChange::TakenBack { kind, .. } = legal(event)? else { return None };
    let is_made = all.iter().any(|e| matches!(legal(e), Some(LegalChange::Determined { .. })));
    is_made.then(|| format!("'{kind}' was taken back by it"))
}

/// What was determined before keeps a clock from running: nobody may think that it runs now.
fn not_owed_by(event: &Recorded, room: &Room) -> Option<String> {
    let Body::Incident { incident, change: Change::Legal(change) } = &event.body else {
        return None;
    };
    let LegalChange::Determined { rule, kind, .. } = &**change else { return None };
    let facts = room.incidents.get(incident)?.legal.facts.get(rule)?;
    let of_rule = legal::rule(&room.plan, rule)?;
    let kept: Vec<String> = of_rule
        .stages
        .iter()
        .filter_map(|stage| {
            let by = stage.not_if.as_ref().filter(|by| *by != kind)?;
            let known = facts.triggers.get(by)?;
            Some(format!("{} ('{by}' since {})", stage.id, known.at))
        })
        .collect();
    (!kept.is_empty()).then(|| {
        format!("STILL NOT OWED: {}; if that is no longer so, take it back", kept.join(", "))
    })
}

/// Whose turn it is after a swap was answered, and when.
fn swapped(event: &Recorded, room: &Room) -> Option<String> {
    let Body::SwapAnswered { schedule, swap, accepted } = &event.body else { return None };
    let known = room.desk.changes_of(schedule).swaps.iter().find(|known| known.id == *swap)?;
    let words = swap_words(room.plan.schedules.get(schedule)?, known);
    let how = if *accepted { "in force" } else { "refused" };
    Some(format!("{how}: swap {words}"))
}

/// A name of a service that the plan does not know may be a slip of the finger.
fn unknown_services(event: &Recorded, room: &Room) -> Option<String> {
    let Body::WindowPlanned { window } = &event.body else { return None };
    let is_known = |name: &&String| *name == "*" || room.plan.services.contains_key(*name);
    let unknown: Vec<&str> =
        window.services.iter().filter(|name| !is_known(name)).map(String::as_str).collect();
    let is_told = !unknown.is_empty() && !room.plan.services.is_empty();
    is_told.then(|| format!("THE PLAN KNOWS NO service {}", unknown.join(", ")))
}

/// The next word comes later than the plan asks for.
fn seldom(event: &Recorded, room: &Room) -> Option<String> {
    let Body::Incident { incident, change: Change::Talk(talk) } = &event.body else { return None };
    let TalkChange::Drafted(draft) = &**talk else { return None };
    let incident = room.incidents.get(incident).filter(|i| i.phase().is_active())?;
    let readers = draft.to.iter().filter_map(|name| room.plan.stakeholders.get(name));
    let (severity, phase, is_long) = (incident.severity, incident.phase(), incident.talk.is_long);
    let every = readers.map(|who| promise::every_min(who, severity, phase, is_long)).min()?;
    let wait_ms = draft.next_by?.since(event.at);
    (wait_ms > (i64::from(every) + 1) * MINUTE_MS)
        .then(|| format!("LATER THAN THE PLAN: it asks for a word every {every}m"))
}

/// A name that the plan does not know may be a slip of the finger.
#[expect(clippy::wildcard_enum_match_arm, reason = "few facts name somebody")]
fn stranger(event: &Recorded, plan: &Plan) -> Option<String> {
    let Body::Incident { change, .. } = &event.body else { return None };
    let who = match change {
        Change::OwnerChanged { owner } => owner.as_ref()?,
        Change::RoleAssigned { person, .. } => person,
        Change::CommandOffered { to, .. } | Change::HandoverOffered { to, .. } => to,
        _ => return None,
    };
    let is_known = plan.people.is_empty() || plan.people.contains_key(who);
    (!is_known).then(|| format!("the plan knows no '{who}'"))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "most facts are as they were wanted")]
fn note_of(event: &Recorded) -> Option<String> {
    match &event.body {
        Body::Incident { incident, change } => match change {
            Change::LevelReached(reached) if reached.pages.is_empty() => {
                let fallback =
                    if reached.fallback.is_empty() { "" } else { "; the fallback is paged" };
                Some(format!("level '{}' reached NOBODY{fallback}", reached.name))
            }
            Change::MergedInto { into } => Some(format!(
                "it is part of {into} now; 'warroom unmerge {incident}' takes that back (W there)"
            )),
            Change::HandoverOffered { to, pages, .. } if pages.is_empty() => {
                Some(format!("NOTHING REACHES {to} now: tell them yourself"))
            }
            Change::Talk(talk) => match &**talk {
                TalkChange::Sent(sent) if !sent.by_hand.is_empty() => {
                    Some(format!("TELL BY HAND: {}", sent.by_hand.join(", ")))
                }
                TalkChange::Drafted(draft) if draft.approval != Approval::None => {
                    let update = draft.update;
                    Some(format!("update {update} waits for somebody else's approval"))
                }
                TalkChange::Promised { next_by, .. } => {
                    Some(format!("by {}", next_by.clock_near(event.at)))
                }
                _ => None,
            },
            Change::Snoozed { until, .. } => Some(format!(
                "snoozed until {} UTC (in {})",
                until.clock_near(event.at),
                span_words(until.since(event.at))
            )),
            Change::ContactLogged { aside: true, stakeholder, .. } => {
                Some(format!("logged; what all of {stakeholder} were promised stands"))
            }
            _ => None,
        },
        Body::ShiftCovered { schedule, cover } => {
            let (from, until) = (cover.from.clock_near(event.at), cover.until.clock_near(event.at));
            let (id, who) = (cover.id, &cover.person);
            let instead = cover.instead_of.as_ref().map(|of| format!(" instead of {of}"));
            let instead = instead.unwrap_or_default();
            Some(format!("cover {id}: {who}{instead} on {schedule} from {from} until {until}"))
        }
        Body::SwapAsked { schedule, swap } => Some(format!(
            "swap {}: {} is asked to take a turn of {} on {schedule}; 'warroom swap {schedule} \
             --accept {}' takes it",
            swap.id, swap.person_b, swap.person_a, swap.id
        )),
        Body::PeopleTold { letters, .. } => Some(told_words(letters)),
        Body::WindowPlanned { window } => {
            let (from, until) =
                (window.from.clock_near(event.at), window.until.clock_near(event.at));
            let services = window.services.join(", ");
            Some(format!("window {}: {services} from {from} until {until}", window.id))
        }
        Body::SilenceMade { silence } => Some(format!(
            "silence {} until {}, over {} of {} alerts that fire",
            silence.id,
            silence.until.clock_near(event.at),
            silence.matched_then,
            silence.known_then
        )),
        _ => None,
    }
}

/// The first incident that events are about.
pub(super) fn about(events: &[Recorded]) -> Option<IncidentId> {
    events.iter().find_map(|event| event.body.incidents().first().copied())
}
