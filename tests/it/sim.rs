//! A simulated war room: keeper, clients that come and go, a failing store, kills, lost answers.
//! One seed replays one history: `WARROOM_SEED=… WARROOM_RUNS=1`.

use warroom::client::mirror::Mirror;
use warroom::domain::command::Command;
use warroom::domain::ids::{CommandId, IncidentId};
use warroom::domain::post::Signal;
use warroom::domain::room::Room;
use warroom::domain::words::{ClosureReason, NoteKind, Phase, Severity};
use warroom::keeper::turn::Input;
use warroom::proto::{Ask, KeeperMsg, Reply};
use warroom::store::Journal;

use crate::world::{World, alert};

/// A small, good generator; the same everywhere.
pub struct SplitMix(pub u64);

impl SplitMix {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }
}

/// The first seed: the commit's in CI, else a fixed one.
pub fn seed() -> u64 {
    let from = |name: &str| std::env::var(name).ok();
    if let Some(seed) = from("WARROOM_SEED").and_then(|s| s.parse().ok()) {
        return seed;
    }
    let commit = from("WARROOM_COMMIT").unwrap_or_default();
    u64::from_str_radix(commit.get(..12).unwrap_or("2a"), 16).unwrap_or(42)
}

fn runs() -> u64 {
    std::env::var("WARROOM_RUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(200)
}

/// A command whose answer was not seen yet.
struct Waiting {
    id: CommandId,
    command: Command,
    login: &'static str,
}

const PEOPLE: [&str; 3] = ["ann", "bob", "cat"];

fn command(random: &mut SplitMix, last: u32) -> Command {
    let incident = IncidentId(u32::try_from(random.below(u64::from(last) + 1)).unwrap_or(0).max(1));
    let why = "because".to_owned();
    match random.below(12) {
        0 | 1 => Command::Open {
            title: format!("t{}", random.below(1_000)),
            severity: None,
            services: Vec::new(),
            labels: std::collections::BTreeMap::new(),
            note: String::new(),
            declare: random.below(2) == 0,
        },
        2 => Command::Acknowledge { incident },
        3 => Command::TakeCommand { incident },
        4 => Command::OfferCommand {
            incident,
            to: PEOPLE[usize::try_from(random.below(3)).unwrap_or(0)].to_owned(),
        },
        5 => Command::AcceptCommand { incident },
        6 => Command::SetSeverity {
            incident,
            severity: Severity::ALL[usize::try_from(random.below(5)).unwrap_or(0)],
            reason: why,
        },
        7 => Command::SetPhase { incident, phase: Phase::Monitoring, reason: why },
        8 => Command::Resolve {
            incident,
            reason: ClosureReason::Fixed,
            evidence: why.clone(),
            force: Some(why),
        },
        9 => Command::Close { incident, note: why.clone(), silent: Some(why) },
        10 => Command::Reopen { incident, reason: why },
        _ => Command::Note { incident, kind: NoteKind::Note, text: why, said_by: String::new() },
    }
}

/// Plays one history and checks what must hold throughout.
fn simulate(seed: u64) {
    let mut random = SplitMix(seed);
    let mut world = World::new();
    let mut waiting: Vec<Waiting> = Vec::new();
    let mut done: Vec<(CommandId, u64)> = Vec::new();
    for step in 0..150 {
        world.now = world.now.plus(i64::try_from(random.below(30_000)).unwrap_or(0));
        match random.below(20) {
            0 => {
                world.restart();
                check_replay(&mut world);
            }
            1 => fail(&mut world, &mut random, step),
            2 | 3 => {
                let signal = if random.below(2) == 0 { Signal::Firing } else { Signal::Resolved };
                let name = format!("A{}", random.below(4));
                world.post("am", None, vec![alert(&name, "i", "critical", signal)]);
            }
            4 => drop(world.give(Input::Tick)),
            5 if !waiting.is_empty() => {
                // An answer got lost: the same command comes again under the same id.
                let index = usize::try_from(random.below(waiting.len() as u64)).unwrap_or(0);
                let again = &waiting[index];
                let (id, command, login) = (again.id.clone(), again.command.clone(), again.login);
                send(&mut world, login, id, command, &mut done);
            }
            _ => {
                let login = PEOPLE[usize::try_from(random.below(3)).unwrap_or(0)];
                let command = command(&mut random, world.engine.room.last_incident);
                let id = world.id();
                send(&mut world, login, id.clone(), command.clone(), &mut done);
                if random.below(4) == 0 {
                    waiting.push(Waiting { id, command, login });
                }
            }
        }
        check_room(&world.engine.room);
    }
    check_replay(&mut world);
    check_mirrors(&mut world);
}

fn send(
    world: &mut World,
    login: &str,
    id: CommandId,
    command: Command,
    done: &mut Vec<(CommandId, u64)>,
) {
    let client = world.client(login);
    let ask = Ask::Do { command: Box::new(command), occurred: None, seen: None };
    let before = world.heard.len();
    world.give(Input::Request { client, id: id.clone(), ask });
    let answers: Vec<&Reply> = world.heard[before..]
        .iter()
        .filter_map(|(_, message)| match message {
            KeeperMsg::Reply { id: answered, reply } if *answered == id => Some(reply),
            _ => None,
        })
        .collect();
    assert_eq!(answers.len(), 1, "every request is answered exactly once");
    if let Reply::Done { seq, .. } = answers[0] {
        match done.iter().find(|(known, _)| *known == id) {
            Some((_, first)) => assert_eq!(first, seq, "a retry is not done again"),
            None => done.push((id, *seq)),
        }
    }
}

/// The store fails: nobody hears that anything was done, and after the restart nothing was.
fn fail(world: &mut World, random: &mut SplitMix, step: u64) {
    let head = world.journal.head();
    let client = world.client("ann");
    let id = CommandId(format!("fails-{step}"));
    let ask = Ask::Do {
        command: Box::new(command(random, world.engine.room.last_incident)),
        occurred: None,
        seen: None,
    };
    world.journal.fail_next(1);
    let before = world.heard.len();
    let result = world.turn(vec![Input::Request { client, id, ask }]);
    world.journal.fail_next(0);
    if result.is_err() {
        assert_eq!(world.heard.len(), before, "nobody hears of what is not durable");
    }
    assert!(
        result.is_ok() || world.journal.head() == head,
        "a failed append leaves nothing behind"
    );
    world.restart();
}

/// What must hold of every room.
fn check_room(room: &Room) {
    for incident in room.incidents.values() {
        assert!(incident.phase().is_live(), "what is over leaves the room");
        let commanders =
            incident.roles.get(&warroom::domain::words::Role::Commander).map_or(0, Vec::len);
        assert!(commanders <= 1, "two commanders of {}", incident.id);
        let firing = incident.members.values().filter(|member| member.is_firing).count();
        assert_eq!(incident.firing(), firing, "the count is kept");
    }
    let mut rebuilt = room.clone();
    rebuilt.rebuild_index();
    assert_eq!(rebuilt.queue, room.queue, "the queue is derived");
    assert_eq!(rebuilt.deadlines, room.deadlines, "deadlines are derived");
    assert_eq!(rebuilt.tally, room.tally, "the tally is derived");
}

/// Folding the journal gives the room; so does folding a snapshot and the rest.
fn check_replay(world: &mut World) {
    let room = world.engine.room.clone();
    world.restart();
    assert_eq!(world.engine.room, room, "the journal is the state");
    let json = serde_json::to_vec(&room).expect("a snapshot");
    let mut back: Room = serde_json::from_slice(&json).expect("a snapshot");
    back.rebuild_index();
    assert_eq!(back.queue, room.queue);
    assert_eq!(back.incidents, room.incidents, "a snapshot is the state");
}

/// A console that follows ends up with the keeper's rows and the keeper's incident.
fn check_mirrors(world: &mut World) {
    let Some(id) = world.engine.room.incidents.keys().next().copied() else { return };
    let client = world.client("bob");
    let before = world.heard.len();
    let follow = world.id();
    world.give(Input::Request { client, id: follow, ask: Ask::Follow { first: 10_000 } });
    let watch = world.id();
    let (_, out) =
        world.give(Input::Request { client, id: watch, ask: Ask::Watch { incident: id } });
    drop(out);
    let mut mirror = Mirror::default();
    mirror.watch(id);
    let head = (*world.engine.room.incidents[&id]).clone();
    mirror.take_detail(warroom::proto::Detail { head, events: Vec::new(), total: 0, policy: None });
    for n in 0..5 {
        let text = format!("n{n}");
        world.act(
            "ann",
            Command::Note { incident: id, kind: NoteKind::Note, text, said_by: String::new() },
        );
    }
    world.act(
        "ann",
        Command::SetSeverity { incident: id, severity: Severity::Sev1, reason: "x".to_owned() },
    );
    for (to, message) in world.heard[before..].iter().cloned() {
        match message {
            KeeperMsg::Reply { reply: Reply::Queue(queue), .. } if to == client => {
                mirror.take_queue(*queue);
                mirror.took_all();
            }
            KeeperMsg::Push(push) if to == client => mirror.push(push),
            _ => {}
        }
    }
    let rows: Vec<IncidentId> = mirror.ordered().map(|row| row.id).collect();
    let queue: Vec<IncidentId> = world.engine.room.queue.iter().map(|(_, id)| *id).collect();
    assert_eq!(rows, queue, "the mirror's queue is the keeper's");
    assert_eq!(
        mirror.watched.map(|w| w.head),
        world.engine.room.incidents.get(&id).map(|incident| (**incident).clone()),
        "and so is the incident"
    );
}

#[test]
fn a_war_room_survives_its_day() {
    let first = seed();
    for seed in first..first + runs() {
        let outcome = std::panic::catch_unwind(|| simulate(seed));
        assert!(outcome.is_ok(), "replay with WARROOM_SEED={seed} WARROOM_RUNS=1");
    }
}
