//! The figures that users feel, each beside a raw peer measured in the same run.
//!
//! `WARROOM_EVENTS` sets how many events the start and the search are measured with (200,000).

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::peers;
use warroom::client::call::Caller;
use warroom::client::fresh_id;
use warroom::clock::monotonic;
use warroom::domain::ids::CommandId;
use warroom::proto::frame::{Frames, encode};
use warroom::proto::{Ask, ClientKind, ClientMsg, KeeperMsg, PROTOCOL, Push, Reply};

const PROGRAM: &str = env!("CARGO_BIN_EXE_warroom");

pub(crate) struct Home {
    pub(crate) path: PathBuf,
    child: Option<Child>,
}

impl Home {
    pub(crate) fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("warroom-bench-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).expect("a folder");
        fs::write(path.join("warroom.toml"), "listen = \"127.0.0.1:0\"\n").expect("the settings");
        Self { path, child: None }
    }

    /// Starts a keeper; how long it took until it answered.
    pub(crate) fn start(&mut self) -> Duration {
        let begun = monotonic();
        let child = Command::new(PROGRAM)
            .arg("keeper")
            .env("WARROOM_HOME", &self.path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.child = Some(child.expect("a keeper"));
        while UnixStream::connect(self.socket()).ok().and_then(|s| Caller::new(s).ok()).is_none() {
            std::thread::yield_now();
        }
        begun.elapsed()
    }

    fn socket(&self) -> PathBuf {
        self.path.join("keeper.sock")
    }

    pub(crate) fn caller(&self) -> Caller {
        Caller::new(UnixStream::connect(self.socket()).expect("a keeper")).expect("a welcome")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a kill");
            child.wait().expect("an end");
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.kill();
        drop(fs::remove_dir_all(&self.path));
    }
}

pub(crate) fn percentile(samples: &mut [f64], q: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index"
    )]
    let index = ((samples.len() - 1) as f64 * q) as usize;
    samples[index]
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn note(caller: &mut Caller, text: &str) {
    let command = format!(r#"{{"do":"note","incident":1,"kind":"note","text":"{text}"}}"#);
    give(caller, &command);
}

pub(crate) fn give(caller: &mut Caller, command: &str) {
    let command = Box::new(serde_json::from_str(command).expect("a command"));
    let reply = caller.ask(Ask::Do { command, occurred: None, seen: None }).expect("an answer");
    assert!(matches!(reply, Reply::Done { .. }), "{reply:?}");
}

/// One write and sync of as many bytes as a note takes in the journal.
fn raw(file: &mut File) -> f64 {
    let begun = monotonic();
    file.write_all(&[b'x'; 320]).expect("a write");
    file.sync_data().expect("a sync");
    ms(begun.elapsed())
}

pub(crate) fn say(what: &str, figure: &str) {
    println!("| {what} | {figure} |");
}

/// Measures and prints all of it as rows of a table.
pub(crate) fn print() {
    println!("| what | measured, with its peer in the same run |\n|---|---|");
    round_trip();
    writers();
    seen_by_others();
    peers::intake();
    peers::memory();
    start_and_search();
}

fn round_trip() {
    let mut home = Home::new("trip");
    home.start();
    let mut caller = home.caller();
    give(&mut caller, r#"{"do":"open","title":"t","declare":true}"#);
    let mut file =
        OpenOptions::new().create(true).append(true).open(home.path.join("raw")).expect("a file");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for n in 0..2_000 {
        let begun = monotonic();
        note(&mut caller, &format!("note {n}"));
        ours.push(ms(begun.elapsed()));
        theirs.push(raw(&mut file));
    }
    let [p50, p99] = [0.5, 0.99].map(|q| percentile(&mut ours, q));
    let [raw50, raw99] = [0.5, 0.99].map(|q| percentile(&mut theirs, q));
    say(
        "command durable in both copies, over the socket",
        &format!(
            "p50 {p50:.2} ms = {:.1} × a raw write and fdatasync, p99 {p99:.2} ms = {:.1} ×",
            p50 / raw50,
            p99 / raw99
        ),
    );
}

fn writers() {
    let mut home = Home::new("writers");
    home.start();
    give(&mut home.caller(), r#"{"do":"open","title":"t","declare":true}"#);
    let each: u32 = 300;
    let begun = monotonic();
    std::thread::scope(|scope| {
        for writer in 0..64 {
            let mut caller = home.caller();
            scope.spawn(move || {
                for n in 0..each {
                    note(&mut caller, &format!("note {n} of {writer}"));
                }
            });
        }
    });
    let rate = 64.0 * f64::from(each) / begun.elapsed().as_secs_f64();
    let mut file = File::create(home.path.join("raw")).expect("a file");
    let begun = monotonic();
    for _ in 0..1_000 {
        raw(&mut file);
    }
    let single = 1_000.0 / begun.elapsed().as_secs_f64();
    let beside = peers::sqlite(&home.path, 64, each).map_or_else(
        || "SQLite is not installed".to_owned(),
        |(writers, bulk)| {
            format!(
                "{:.2} × SQLite (WAL, FULL) with as many threads that wait, {:.2} × in bulk by 64",
                rate / writers,
                rate / bulk
            )
        },
    );
    say(
        "64 writers at once",
        &format!(
            "{rate:.0} durable commands/s = {:.1} × one raw writer's appends with fdatasync, {beside}",
            rate / single
        ),
    );
}

/// A console without a screen.
struct Console {
    stream: UnixStream,
    frames: Frames,
}

impl Console {
    fn open(home: &Home) -> Self {
        let mut stream = UnixStream::connect(home.socket()).expect("a keeper");
        let hello = ClientMsg::Hello {
            protocol: PROTOCOL,
            version: "bench".into(),
            kind: ClientKind::Console,
            parts: false,
            from: String::new(),
        };
        stream.write_all(&encode(&hello)).expect("a hello");
        let ask = Ask::Follow { first: 100 };
        stream.write_all(&encode(&ClientMsg::Request { id: fresh_id(), ask })).expect("a request");
        let mut console = Self { stream, frames: Frames::default() };
        while !matches!(console.hear(), KeeperMsg::Reply { .. }) {}
        console
    }

    fn hear(&mut self) -> KeeperMsg {
        let mut buffer = [0; 16_384];
        loop {
            if let Some(message) = self.frames.take().expect("sound lines") {
                return message;
            }
            let n = self.stream.read(&mut buffer).expect("a keeper");
            self.frames.push(&buffer[..n]);
        }
    }

    /// When a row of the queue was told.
    fn row(&mut self) -> Instant {
        loop {
            if let KeeperMsg::Push(Push::Rows { .. }) = self.hear() {
                return monotonic();
            }
        }
    }
}

fn seen_by_others() {
    let mut home = Home::new("seen");
    home.start();
    let mut caller = home.caller();
    give(&mut caller, r#"{"do":"open","title":"t","declare":true}"#);
    let mut consoles: Vec<Console> = (0..50).map(|_| Console::open(&home)).collect();
    let mut acts = Vec::new();
    for n in 0..200 {
        let begun = monotonic();
        note(&mut caller, &format!("note {n}"));
        acts.extend(consoles.iter_mut().map(|console| ms(console.row().duration_since(begun))));
    }
    let [p50, p99] = [0.5, 0.99].map(|q| percentile(&mut acts, q));
    say("an act of one console seen on 50 others", &format!("p50 {p50:.2} ms, p99 {p99:.2} ms"));
    let address = caller.welcome.intake.clone().expect("the intake");
    let mut posts = Vec::new();
    for n in 0..200 {
        let begun = monotonic();
        post(&address, &format!(r#"{{"title":"alert {n}","host":"h{n}"}}"#));
        posts.extend(consoles.iter_mut().map(|console| ms(console.row().duration_since(begun))));
    }
    let [p50, p99] = [0.5, 0.99].map(|q| percentile(&mut posts, q));
    say(
        "a posted alert, durable, told to 50 consoles",
        &format!("p50 {p50:.2} ms, p99 {p99:.2} ms"),
    );
}

fn post(address: &str, body: &str) {
    let mut stream = TcpStream::connect(address).expect("the intake");
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("a post");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
}

fn fill(home: &Home, events: u64) {
    give(&mut home.caller(), r#"{"do":"open","title":"t","declare":true}"#);
    std::thread::scope(|scope| {
        for writer in 0..32_u64 {
            let mut caller = home.caller();
            scope.spawn(move || {
                for n in 0..events / 32 {
                    let rare = if writer == 7 && n == 99 { "xylophone" } else { "words" };
                    let text = format!(
                        "note {n} of writer {writer} with some {rare} about pools and disks"
                    );
                    let id = CommandId(format!("f{writer}-{n}"));
                    let command =
                        format!(r#"{{"do":"note","incident":1,"kind":"note","text":"{text}"}}"#);
                    let command = Box::new(serde_json::from_str(&command).expect("a command"));
                    let ask = Ask::Do { command, occurred: None, seen: None };
                    drop(caller.ask_as(&id, ask).expect("an answer"));
                }
            });
        }
    });
}

pub(crate) fn start_and_search() {
    let events =
        std::env::var("WARROOM_EVENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(200_000);
    let mut home = Home::new("start");
    home.start();
    fill(&home, events);
    home.kill();
    // sled itself takes longer with what a kill left behind: a copy of the same is opened beside.
    let (folder, copy) = (home.path.join("journal/sled"), home.path.join("copy"));
    let copied = Command::new("cp").arg("-r").arg(&folder).arg(&copy).status();
    assert!(copied.expect("cp").success(), "copied");
    let sled_first = sled_open(&copy);
    let first = home.start();
    home.kill();
    let again = home.start();
    home.kill();
    let sled_again = sled_open(&folder);
    let beside = |ours: Duration, sled: Duration| {
        let over = ms(ours) - 1.5 * ms(sled);
        format!("{:.0} ms (sled's own open {:.0}; {over:.0} over 1.5 × that)", ms(ours), ms(sled))
    };
    say(
        &format!("keeper start after kill -9 with {events} events"),
        &format!("{}, then {}", beside(first, sled_first), beside(again, sled_again)),
    );
    home.start();
    search(&home, events);
}

/// How long sled takes to open a folder.
fn sled_open(folder: &Path) -> Duration {
    let begun = monotonic();
    drop(warroom::store::sled_log::SledLog::open(folder).expect("sled"));
    begun.elapsed()
}

fn search(home: &Home, events: u64) {
    let mut caller = home.caller();
    let mut ask = |query: &str| {
        let begun = monotonic();
        let Ok(Reply::Hits { hits }) =
            caller.ask(Ask::Search { query: query.to_owned(), limit: 50 })
        else {
            return (0, 0.0);
        };
        (hits.len(), ms(begun.elapsed()))
    };
    // The index grows behind the writer; it is complete when searching no longer gets faster.
    let mut best = f64::MAX;
    let mut steady = 0;
    while steady < 200 {
        let (found, took) = ask("xylophone");
        assert_eq!(found, 1);
        steady = if took < best * 0.9 { 0 } else { steady + 1 };
        best = best.min(took);
    }
    let export = home.path.join("all.jsonl");
    let done = Command::new(PROGRAM)
        .args(["export"])
        .arg(&export)
        .env("WARROOM_HOME", &home.path)
        .output();
    assert!(done.is_ok_and(|out| out.status.success()), "an export");
    let peer = grep(&export);
    say(
        &format!("full-text find over {events} events"),
        &peer.map_or_else(
            || format!("{best:.1} ms (ripgrep is not installed)"),
            |theirs| {
                format!(
                    "{best:.1} ms = {:.2} × ripgrep over the export ({theirs:.0} ms)",
                    best / theirs
                )
            },
        ),
    );
}

fn grep(export: &Path) -> Option<f64> {
    let mut took = Vec::new();
    for _ in 0..5 {
        let begun = monotonic();
        let out = Command::new("rg").args(["-c", "xylophone"]).arg(export).output().ok()?;
        took.push(ms(begun.elapsed()));
        assert!(out.status.success(), "ripgrep finds it too");
    }
    Some(percentile(&mut took, 0.5))
}
