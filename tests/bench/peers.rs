//! Figures beside other programs, where they are installed: `SQLite` for commits, Alertmanager for
//! the intake; and the keeper's memory.
//!
//! Invariants:
//! - A ratio is only printed of two measurements of one run, taken in turns.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use warroom::clock::monotonic;

use crate::figures::{Home, give, percentile, say};

/// Connections of the load, and posts of one measurement.
const CONNECTIONS: u64 = 64;
const POSTS: u64 = 30_000;
/// How often each side is measured; the median counts.
const ROUNDS: usize = 3;

/// One table, the same events: first by writers that each wait until theirs is durable and are
/// committed together, then by one caller in groups as large as a commit that serves all writers.
const SQLITE: &str = "
import queue, sqlite3, sys, threading, time
db = sqlite3.connect(sys.argv[1], isolation_level=None, check_same_thread=False)
db.execute('pragma journal_mode=wal'); db.execute('pragma synchronous=full')
db.execute('create table events (incident int, n int, body blob, primary key (incident, n)) without rowid')
writers, each = int(sys.argv[2]), int(sys.argv[3])
def put(incident, numbers):
    db.execute('begin')
    db.executemany('insert into events values (?, ?, ?)', ((incident, n, b'x' * 320) for n in numbers))
    db.execute('commit')
wanted = queue.SimpleQueue()
def write(first):
    done = threading.Semaphore(0)
    for n in range(first, first + each):
        wanted.put((n, done)); done.acquire()
begun = time.perf_counter()
threads = [threading.Thread(target=write, args=(w * each,)) for w in range(writers)]
for thread in threads: thread.start()
left = writers * each
while left:
    group = [wanted.get()]
    while not wanted.empty(): group.append(wanted.get())
    put(1, [n for n, _ in group])
    for _, done in group: done.release()
    left -= len(group)
print(writers * each / (time.perf_counter() - begun))
begun = time.perf_counter()
for first in range(0, writers * each, writers): put(2, range(first, first + writers))
print(writers * each / (time.perf_counter() - begun))
";

/// Events a second that `SQLite` makes durable (WAL, synchronous=FULL): for writers that wait each
/// for its own, and in bulk; `None` where there is no python3.
pub(crate) fn sqlite(folder: &Path, writers: u32, each: u32) -> Option<(f64, f64)> {
    let out = Command::new("python3")
        .args(["-c", SQLITE])
        .arg(folder.join("sqlite.db"))
        .args([writers.to_string(), each.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let mut rates = text.lines().filter_map(|line| line.parse().ok());
    Some((rates.next()?, rates.next()?))
}

/// Resident memory of a process, in MiB.
pub(crate) fn resident(pid: u32) -> f64 {
    size(pid, "VmRSS:")
}

/// The most that it was, in MiB.
pub(crate) fn peak(pid: u32) -> f64 {
    size(pid, "VmHWM:")
}

fn size(pid: u32, which: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let line = status.lines().find(|line| line.starts_with(which)).expect("its size");
    let kib: f64 = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number");
    kib / 1024.0
}

/// Microseconds of a processor that a process has used so far.
pub(crate) fn used(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process");
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 =
        fields.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<f64>().ok()).sum();
    // Linux counts in hundredths of a second.
    ticks * 10_000.0
}

fn body(n: u64) -> String {
    format!(
        r#"[{{"labels":{{"alertname":"HighLatency","service":"svc{}","instance":"host{n}","severity":"warning"}},"annotations":{{"summary":"p99 latency over 2 s on host{n}"}},"generatorURL":"http://127.0.0.1/g"}}]"#,
        n % 10
    )
}

/// Posts one alert after the other on one connection, until all are taken.
fn post(address: &str, next: &AtomicU64) {
    let mut stream = TcpStream::connect(address).expect("an intake");
    stream.set_nodelay(true).expect("a socket");
    let mut buffer = [0; 4096];
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        if n >= POSTS {
            return;
        }
        let body = body(n);
        let head = format!(
            "POST /api/v2/alerts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).expect("a post");
        // Both answer in one small packet.
        let read = stream.read(&mut buffer).expect("an answer");
        assert!(buffer[..read].starts_with(b"HTTP/1.1 200"), "taken");
    }
}

/// Posts a second, and microseconds of a processor for each.
fn load(address: &str, pid: u32) -> (f64, f64) {
    let next = AtomicU64::new(0);
    let (begun, before) = (monotonic(), used(pid));
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| post(address, &next));
        }
    });
    #[expect(clippy::cast_precision_loss, reason = "a count of some ten thousand")]
    let posts = POSTS as f64;
    (posts / begun.elapsed().as_secs_f64(), (used(pid) - before) / posts)
}

/// Ends with its owner.
struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Alertmanager on a port of its own, which notifies nobody.
fn alertmanager(folder: &Path) -> Option<(Peer, String)> {
    fs::create_dir_all(folder).expect("a folder");
    let config = folder.join("am.yml");
    let text =
        "route: { receiver: x, group_by: [service], group_wait: 1h }\nreceivers: [{ name: x }]\n";
    fs::write(&config, text).expect("a file");
    let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port");
    let child = Command::new("prometheus-alertmanager")
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address={port}"))
        .args(["--cluster.listen-address=", "--log.level=error"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let peer = Peer(child);
    while TcpStream::connect(port).is_err() {
        std::thread::yield_now();
    }
    Some((peer, port.to_string()))
}

/// Single posts on 64 connections, in turns with Alertmanager.
pub(crate) fn intake() {
    let (mut ours, mut theirs, mut costs, mut their_costs) = (vec![], vec![], vec![], vec![]);
    for round in 0..ROUNDS {
        let mut home = Home::new(&format!("intake-{round}"));
        home.start();
        let address = home.caller().welcome.intake.clone().expect("the intake");
        let (rate, cost) = load(&address, home.pid());
        ours.push(rate);
        costs.push(cost);
        if let Some((peer, address)) = alertmanager(&home.path.join("alertmanager")) {
            let (rate, cost) = load(&address, peer.0.id());
            theirs.push(rate);
            their_costs.push(cost);
        }
    }
    let (rate, cost) = (percentile(&mut ours, 0.5), percentile(&mut costs, 0.5));
    let beside = if theirs.is_empty() {
        "Alertmanager is not installed".to_owned()
    } else {
        let (their_rate, their_cost) =
            (percentile(&mut theirs, 0.5), percentile(&mut their_costs, 0.5));
        format!(
            "{:.2} × Alertmanager's {their_rate:.0}, which keeps them in memory and takes {their_cost:.0} µs",
            rate / their_rate
        )
    };
    say(
        "single posts on 64 connections, durable",
        &format!("{rate:.0} alerts/s at {cost:.0} µs of a processor each; {beside}"),
    );
}

/// The keeper's memory with 10,000 live incidents, and after a start.
pub(crate) fn memory() {
    let mut home = Home::new("memory");
    home.start();
    let mut caller = home.caller();
    for n in 0..10_000 {
        let text = format!("checkout answers with errors in zone {n}");
        give(&mut caller, &format!(r#"{{"do":"open","title":"{text}","declare":true}}"#));
    }
    let filled = resident(home.pid());
    home.kill();
    home.start();
    let again = resident(home.pid());
    say(
        "keeper's memory with 10,000 live incidents",
        &format!("{filled:.0} MiB after taking them, {again:.0} MiB after a start"),
    );
}
