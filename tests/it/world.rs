//! A war room in memory: the real engine over a journal that fails on request, driven by scripts.
//!
//! A script is lines of `TIME WHO ACT …`; its transcript is what a person would see happen. Only
//! this file knows the engine's interface.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use warroom::domain::command::Command;
use warroom::domain::delivery::channel_of;
use warroom::domain::event::{AlertFacts, Body, Occurred, Recorded};
use warroom::domain::ids::{CommandId, IncidentId};
use warroom::domain::incident::Incident;
use warroom::domain::plan::Plan;
use warroom::domain::post::{Incoming, Post, Signal};
use warroom::domain::room::Room;
use warroom::domain::time::{Timestamp, parse_span};
use warroom::domain::timeline;
use warroom::domain::words::AttemptResult;
use warroom::keeper::engine::{Archive, Engine};
use warroom::keeper::turn::{Input, Job, Output, Turn, Who};
use warroom::proto::{Ask, ClientKind, KeeperMsg, Reply};
use warroom::store::batch::Batch;
use warroom::store::memory::MemoryJournal;
use warroom::store::{Journal, Reader, snapshot};

/// When every script begins.
pub const START: Timestamp = Timestamp(1_795_440_000_000);

/// The engine with its journal.
pub struct World {
    pub engine: Engine,
    pub journal: MemoryJournal,
    pub now: Timestamp,
    clients: BTreeMap<String, u64>,
    ids: u64,
    /// Every push and reply, by client.
    pub heard: Vec<(u64, KeeperMsg)>,
    /// What the shell was told to send, in order.
    pub jobs: Vec<Job>,
    /// What the shell was told to call back.
    pub recalled: Vec<u64>,
}

struct Store<'a>(&'a MemoryJournal);

impl Archive for Store<'_> {
    fn incident(&self, id: IncidentId) -> Option<Incident> {
        snapshot::incident(self.0, id, None).expect("a readable journal")
    }
}

impl World {
    /// A new war room under the shipped plan, without its policies: nobody is paged, so that a
    /// script tells only what it is about.
    pub fn new() -> Self {
        Self::under(Plan { policies: BTreeMap::new(), ..shipped() })
    }

    /// A new war room under a plan.
    pub fn under(plan: Plan) -> Self {
        let mut world = Self {
            engine: Engine::new(Room::default()),
            journal: MemoryJournal::default(),
            now: START,
            clients: BTreeMap::new(),
            ids: 0,
            heard: Vec::new(),
            jobs: Vec::new(),
            recalled: Vec::new(),
        };
        let (digest, note) = ("test".to_owned(), "test".to_owned());
        world.give(Input::Own(Body::PlanAdopted { plan: Box::new(plan), digest, note }));
        world
    }

    /// One input as a turn of its own, durable before anybody hears of it.
    pub fn give(&mut self, input: Input) -> (Vec<Recorded>, Vec<Output>) {
        self.turn(vec![input]).expect("the journal takes it")
    }

    /// Several inputs in one turn; an error when the journal fails.
    pub fn turn(&mut self, inputs: Vec<Input>) -> Result<(Vec<Recorded>, Vec<Output>), ()> {
        let mut turn = Turn::default();
        for input in inputs {
            self.now = self.now.plus(1);
            self.engine.handle(input, self.now, &Store(&self.journal), &mut turn);
        }
        self.engine.finish(&mut turn);
        let mut batch = Batch::build(self.journal.head(), &turn.events);
        batch.rows = std::mem::take(&mut turn.rows);
        self.journal.append(&batch).map_err(|_| ())?;
        for output in &turn.out {
            match output {
                Output::Say { client, message } => self.heard.push((*client, (**message).clone())),
                Output::Deliver(job) => self.jobs.push((**job).clone()),
                Output::Recall(destination) => self.recalled.push(*destination),
                Output::Tell { clients, message } => {
                    self.heard.extend(clients.iter().map(|client| (*client, (**message).clone())));
                }
                _ => {}
            }
        }
        Ok((turn.events, turn.out))
    }

    /// Starts anew from the journal alone, as after a kill.
    pub fn restart(&mut self) {
        let mut room = Room::default();
        let reader = self.journal.clone();
        reader
            .scan(0, &mut |raw| {
                let event = raw.decode().expect("a readable event");
                snapshot::apply(&reader, &mut room, &event).expect("a total fold");
                true
            })
            .expect("a readable journal");
        self.engine = Engine::new(room);
        self.clients.clear();
    }

    /// Lets the clock run until nothing is due any more at this instant.
    pub fn tick(&mut self) -> Vec<Recorded> {
        let mut events = Vec::new();
        for _ in 0..50 {
            if self.engine.next_due().is_none_or(|due| due > self.now) {
                break;
            }
            events.extend(self.give(Input::Tick).0);
        }
        events
    }

    /// The other side's answer to what is on its way to somebody by a channel.
    pub fn answer(&mut self, to: &str, channel: &str, result: AttemptResult) -> Vec<Recorded> {
        let found = self.engine.under_way().find(|(_, destination)| {
            destination.to == to && channel_of(&destination.method) == channel
        });
        let (ticket, _) =
            found.unwrap_or_else(|| panic!("nothing is under way to {to} by {channel}"));
        let detail = if result == AttemptResult::Accepted { "250 ok" } else { "no" }.to_owned();
        self.give(Input::Delivered { ticket, result, detail, wait_ms: 0 }).0
    }

    /// The other side asks to come back later.
    pub fn come_back(&mut self, to: &str, channel: &str, wait_ms: i64) {
        let found = self.engine.under_way().find(|(_, destination)| {
            destination.to == to && channel_of(&destination.method) == channel
        });
        let (ticket, _) = found.expect("something is under way");
        let (result, detail) = (AttemptResult::Failed, "429".to_owned());
        drop(self.give(Input::Delivered { ticket, result, detail, wait_ms }));
    }

    /// The client of a person; they join on their first word.
    pub fn client(&mut self, login: &str) -> u64 {
        if let Some(client) = self.clients.get(login) {
            return *client;
        }
        let client = self.clients.len() as u64 + 1;
        self.clients.insert(login.to_owned(), client);
        let groups = match login {
            "eve" => Vec::new(),
            _ => vec!["warroom".to_owned()],
        };
        let who =
            Who { login: login.to_owned(), groups, is_owner: login == "root", from: String::new() };
        self.give(Input::Join { client, who, kind: ClientKind::Console });
        client
    }

    /// A fresh id.
    pub fn id(&mut self) -> CommandId {
        self.ids += 1;
        CommandId(format!("c{}", self.ids))
    }

    /// One command by one person; the answer and what happened.
    pub fn act(&mut self, login: &str, command: Command) -> (Reply, Vec<Recorded>) {
        self.act_at(login, command, None)
    }

    /// The same, about something that happened before.
    pub fn act_at(
        &mut self,
        login: &str,
        command: Command,
        occurred: Option<Occurred>,
    ) -> (Reply, Vec<Recorded>) {
        let (client, id) = (self.client(login), self.id());
        let ask = Ask::Do { command: Box::new(command), occurred, seen: None };
        let (events, out) = self.give(Input::Request { client, id: id.clone(), ask });
        let reply = out.into_iter().find_map(|output| match output {
            Output::Say { message, .. } => match *message {
                KeeperMsg::Reply { id: answered, reply } if answered == id => Some(reply),
                _ => None,
            },
            _ => None,
        });
        (reply.expect("every request is answered"), events)
    }

    /// A post of alerts.
    pub fn post(
        &mut self,
        source: &str,
        group: Option<&str>,
        alerts: Vec<Incoming>,
    ) -> Vec<Recorded> {
        let post =
            Post { source: source.into(), group: group.map(Into::into), alerts, truncated: 0 };
        let command = Command::Ingest(post);
        self.give(Input::Post { ticket: 0, source: source.into(), command }).0
    }
}

/// The plan that ships.
pub fn shipped() -> Plan {
    let files = warroom::config::plan_files::shipped();
    warroom::config::plan_files::check(&files, "ann").expect("the shipped plan").plan
}

/// An alert as a sender says it.
pub fn alert(name: &str, instance: &str, severity: &str, signal: Signal) -> Incoming {
    let labels = BTreeMap::from([
        ("alertname".to_owned(), name.to_owned()),
        ("instance".to_owned(), instance.to_owned()),
        ("severity".to_owned(), severity.to_owned()),
    ]);
    Incoming {
        fingerprint: format!("{name}-{instance}"),
        signal,
        severity_word: severity.to_owned(),
        facts: AlertFacts { name: name.to_owned(), labels, ..AlertFacts::default() },
    }
}

/// Plays a script and compares the transcript.
#[track_caller]
pub fn check(script: &str, expected: &str) {
    let mut world = World::new();
    let transcript = play(&mut world, script);
    let clean = |text: &str| {
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
        lines.join("\n")
    };
    assert_eq!(clean(&transcript), clean(expected), "\nthe transcript was:\n{transcript}");
}

/// Plays a script.
pub fn play(world: &mut World, script: &str) -> String {
    let mut out = String::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (time, rest) = line.split_once(' ').expect("TIME WHO ACT");
        let (who, act) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
        // The clock is looked at a little after the minute, when what is due is due.
        let late_ms = if who == "clock" { 1_000 } else { 0 };
        let at = START.plus(parse_span(time).expect("a span") + late_ms);
        world.now = world.now.max(at);
        step(world, who, act, &mut out);
    }
    out
}

fn step(world: &mut World, who: &str, act: &str, out: &mut String) {
    let events = match who {
        "alerts" => {
            let alerts = act.split(',').map(parse_alert).collect();
            world.post("am", Some("g"), alerts)
        }
        "ungrouped" => {
            let alerts = act.split(',').map(parse_alert).collect();
            world.post("am", None, alerts)
        }
        "clock" => world.tick(),
        "answer" => {
            let words: Vec<&str> = act.split_whitespace().collect();
            let result = words[2].parse().expect("a result");
            world.answer(words[0], words[1], result)
        }
        "kill" => {
            world.restart();
            Vec::new()
        }
        "see" => return see(world, act, out),
        login => {
            let value: serde_json::Value = serde_json::from_str(act).expect("a command as JSON");
            let command = serde_json::from_value(value).expect("a command");
            let (reply, events) = world.act(login, command);
            if let Reply::Rejected(rejection) = reply {
                writeln!(out, "refused {login}: {rejection}").expect("a String takes it");
            }
            events
        }
    };
    for event in events {
        for incident in event.body.incidents() {
            let entry = timeline::entry(&event, incident);
            writeln!(out, "{incident} {}: {}", entry.who, entry.text).expect("a String takes it");
        }
        if let Some(line) = desk_line(&event.body) {
            writeln!(out, "{line}").expect("a String takes it");
        }
        if let Body::AlertsReceived { items, .. } = &event.body {
            for item in items.iter().filter(|item| item.incident.is_none()) {
                writeln!(out, "- {} {:?} by '{}'", item.alert, item.became, item.rule)
                    .expect("a String takes it");
            }
        }
    }
}

/// What facts that belong to no incident read like.
fn desk_line(body: &Body) -> Option<String> {
    Some(match body {
        Body::ShiftChanged { schedule, left, came, .. } => {
            format!("{schedule}: {} goes, {} comes", left.join(","), came.join(","))
        }
        Body::ShiftCovered { schedule, cover } => {
            format!("{schedule}: {} covers", cover.person)
        }
        Body::WindowPlanned { window } => format!("window {} planned", window.id),
        Body::HeartbeatReceived { name } => format!("{name} is heard"),
        _ => return None,
    })
}

/// `name/instance/severity`, with `!` before it for the end.
fn parse_alert(text: &str) -> Incoming {
    let text = text.trim();
    let (signal, text) = match text.strip_prefix('!') {
        Some(rest) => (Signal::Resolved, rest),
        None => (Signal::Firing, text),
    };
    let mut parts = text.split('/');
    let name = parts.next().unwrap_or_default();
    alert(name, parts.next().unwrap_or("i"), parts.next().unwrap_or("critical"), signal)
}

fn see(world: &World, what: &str, out: &mut String) {
    let room = &world.engine.room;
    if let Some(("alert", key)) = what.split_once(' ') {
        let words = room
            .alerts
            .get(key)
            .map_or("gone".to_owned(), |alert| format!("{} ×{}", alert.state(), alert.repeats + 1));
        writeln!(out, "alert {key}: {words}").expect("a String takes it");
    } else {
        let id: IncidentId = what.parse().expect("an incident");
        let words = room.incidents.get(&id).map_or("not in the room".to_owned(), |i| {
            let commander = i.commander().unwrap_or("nobody");
            format!(
                "{} {} {} commander {commander}, {} of {} fire",
                i.severity,
                i.priority(),
                i.phase(),
                i.firing(),
                i.members.len()
            )
        });
        writeln!(out, "{id}: {words}").expect("a String takes it");
    }
}
