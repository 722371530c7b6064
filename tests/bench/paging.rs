//! How fast and how exactly somebody is paged: from a posted alert to the page handed over, idle and
//! in a storm; 100,000 incidents that wait for their next step; the first overdue page after a kill.
//!
//! `WARROOM_WAITING` sets how many incidents wait (100,000).

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::figures::{Home, percentile, say};
use crate::peers::{resident, used};
use warroom::clock::monotonic;
use warroom::domain::change::Change;
use warroom::domain::event::Body;
use warroom::proto::{Ask, Reply};

/// When each page arrived, with the ids in it.
type Arrivals = Arc<Mutex<Vec<(Instant, String)>>>;

/// A receiver of pages: answers 200 to everything.
pub(crate) struct Receiver {
    pub address: String,
    arrivals: Arrivals,
}

impl Receiver {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let arrivals: Arrivals = Arc::default();
        let shared = Arc::clone(&arrivals);
        drop(std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let arrivals = Arc::clone(&shared);
                drop(std::thread::spawn(move || serve(&stream, &arrivals)));
            }
        }));
        Self { address, arrivals }
    }

    /// Waits until a page about this arrives; when it did.
    pub(crate) fn wait(&self, about: &str) -> Instant {
        loop {
            let arrivals = self.arrivals.lock().expect("a lock");
            if let Some((at, _)) = arrivals.iter().rev().find(|(_, text)| text.contains(about)) {
                return *at;
            }
            drop(arrivals);
            std::thread::yield_now();
        }
    }
}

impl Receiver {
    /// How many messages arrived.
    pub(crate) fn count(&self) -> usize {
        self.arrivals.lock().expect("a lock").len()
    }
}

fn serve(stream: &TcpStream, arrivals: &Arrivals) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut length = 0;
        let mut line = String::new();
        loop {
            line.clear();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let text = String::from_utf8_lossy(&body).into_owned();
        arrivals.lock().expect("a lock").push((monotonic(), text));
        let mut stream = stream;
        if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").is_err() {
            return;
        }
    }
}

/// Services of which each page is about another one: what the plan knows waits for no bundle.
pub(crate) fn services(rounds: &[(&str, usize)]) -> String {
    let names = rounds.iter().flat_map(|(round, count)| {
        (0..*count).map(move |n| format!("[services.svc-{round}-{n}]\n"))
    });
    names.collect()
}

/// Everything pages Bob by a hook; a minute later Ann, to whom nothing was sent before.
fn write_plan(home: &Home, receiver: &Receiver) {
    let dir = home.path.join("plan");
    fs::create_dir_all(&dir).expect("a folder");
    let services = services(&[("Idle", 300), ("Busy", 150)]);
    let text = format!(
        r#"
default_policy = "standard"
bundle_s = 60
[channels.hook]
kind = "webhook"
url = "http://{}/"
[people.bob]
contacts = ["hook:bob"]
[people.ann]
contacts = ["hook:ann"]
[[policies.standard.levels]]
name = "L1"
targets = ["person:bob"]
[[policies.standard.levels]]
name = "L2"
targets = ["person:ann"]
after_min = 1
{services}
[[rules]]
name = "default"
"#,
        receiver.address
    );
    fs::write(dir.join("plan.toml"), text).expect("the plan");
}

pub(crate) struct Poster {
    stream: TcpStream,
}

impl Poster {
    pub(crate) fn new(address: &str) -> Self {
        Self { stream: TcpStream::connect(address).expect("the intake") }
    }

    /// Posts alerts on a connection that stays open.
    pub(crate) fn post(&mut self, body: &str) {
        let head = format!(
            "POST /api/v2/alerts HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(head.as_bytes()).expect("a post");
        let mut answer = [0; 1024];
        let read = self.stream.read(&mut answer).expect("an answer");
        let said = String::from_utf8_lossy(&answer[..read]);
        assert!(said.starts_with("HTTP/1.1 200"), "refused: {said}");
    }
}

/// An alert of a service.
pub(crate) fn alert(name: &str, service: &str, instance: u64) -> String {
    format!(
        r#"{{"labels":{{"alertname":"{name}","service":"{service}","instance":"i{instance}","severity":"critical"}}}}"#
    )
}

/// Measures and prints all of it.
pub(crate) fn print() {
    first_page();
    waiting();
    overdue();
}

fn first_page() {
    let receiver = Receiver::new();
    let mut home = Home::new("page");
    write_plan(&home, &receiver);
    home.start();
    let address = home.caller().welcome.intake.clone().expect("the intake");
    let mut poster = Poster::new(&address);
    let mut sample = |round: &str, n: u64| {
        let name = format!("Page{round}{n}x");
        let begun = monotonic();
        poster.post(&format!("[{}]", alert(&name, &format!("svc-{round}-{n}"), n)));
        receiver.wait(&name).duration_since(begun).as_secs_f64() * 1_000.0
    };
    let mut idle: Vec<f64> = (0..300).map(|n| sample("Idle", n)).collect();
    let goes_on = Arc::new(AtomicBool::new(true));
    let storm = {
        let (goes_on, address) = (Arc::clone(&goes_on), address.clone());
        std::thread::spawn(move || {
            let mut poster = Poster::new(&address);
            let (begun, mut sent) = (monotonic(), 0_u64);
            while goes_on.load(Ordering::Relaxed) {
                let batch: Vec<String> =
                    (0..50).map(|n| alert("Storm", "storm", sent + n)).collect();
                poster.post(&format!("[{}]", batch.join(",")));
                sent += 50;
                // 5,000 a second: behind the clock as much as possible, never ahead of it.
                let due = Duration::from_micros(sent * 200);
                while begun.elapsed() < due && goes_on.load(Ordering::Relaxed) {
                    std::thread::yield_now();
                }
            }
            #[expect(clippy::cast_precision_loss, reason = "a rate")]
            let rate = sent as f64 / begun.elapsed().as_secs_f64();
            rate
        })
    };
    let mut busy: Vec<f64> = (0..150).map(|n| sample("Busy", n)).collect();
    goes_on.store(false, Ordering::Relaxed);
    let rate = storm.join().expect("the storm");
    for (what, samples) in
        [("idle".to_owned(), &mut idle), (format!("in a storm of {rate:.0} alerts/s"), &mut busy)]
    {
        let [p50, p99] = [0.5, 0.99].map(|q| percentile(samples, q));
        say(
            &format!("a posted alert until its page is handed over, {what}"),
            &format!("p50 {p50:.1} ms, p99 {p99:.1} ms"),
        );
    }
}

fn open_many(home: &Home, count: u64) {
    let address = home.caller().welcome.intake.clone().expect("the intake");
    let mut poster = Poster::new(&address);
    for part in 0..count / 100 {
        let batch: Vec<String> =
            (0..100).map(|n| alert(&format!("A{}", part * 100 + n), "many", 0)).collect();
        poster.post(&format!("[{}]", batch.join(",")));
    }
}

fn waiting() {
    let count = std::env::var("WARROOM_WAITING").ok().and_then(|n| n.parse().ok());
    let count: u64 = count.unwrap_or(100_000);
    let receiver = Receiver::new();
    let mut home = Home::new("waiting");
    write_plan(&home, &receiver);
    home.start();
    open_many(&home, count);
    let before = used(home.pid());
    let begun = monotonic();
    // Its first levels are reached; nothing but the clock and the bundles moves it now.
    while begun.elapsed() < Duration::from_secs(15) {
        std::thread::yield_now();
    }
    let busy = (used(home.pid()) - before) / 15_000_000.0 * 100.0;
    let memory = resident(home.pid());
    let mut late: Vec<f64> = Vec::new();
    let mut opened: std::collections::HashMap<u32, i64> = std::collections::HashMap::new();
    let mut after = 0;
    let mut caller = home.caller();
    let wanted = usize::try_from(count).unwrap_or(usize::MAX);
    while late.len() < wanted && begun.elapsed() < Duration::from_secs(180) {
        let ask = Ask::Events { after, limit: 5_000 };
        let Ok(Reply::Events { events }) = caller.ask(ask) else { break };
        let Some(last) = events.last() else { continue };
        after = last.seq;
        for event in &events {
            let Body::Incident { incident, change: Change::LevelReached(reached) } = &event.body
            else {
                continue;
            };
            if reached.level == 0 {
                opened.insert(incident.0, event.at.0);
            } else if let Some(at) = opened.get(&incident.0) {
                #[expect(clippy::cast_precision_loss, reason = "a span")]
                late.push((event.at.0 - at - 60_000) as f64);
            }
        }
    }
    let [p50, p99] = [0.5, 0.99].map(|q| percentile(&mut late, q));
    say(
        &format!("{count} incidents wait for their next step"),
        &format!(
            "it fires {p50:.0} ms (p50), {p99:.0} ms (p99) after its time, {} of them; {memory:.0} MiB, {busy:.1} % of a processor while they wait",
            late.len()
        ),
    );
}

fn overdue() {
    let receiver = Receiver::new();
    let mut home = Home::new("overdue");
    write_plan(&home, &receiver);
    home.start();
    open_many(&home, 10_000);
    let opened = monotonic();
    home.kill();
    // The second level becomes due while no keeper runs.
    while opened.elapsed() < Duration::from_secs(61) {
        std::thread::yield_now();
    }
    let begun = monotonic();
    home.start();
    let first = loop {
        let arrivals = receiver.arrivals.lock().expect("a lock");
        let to_ann = arrivals.iter().find(|(_, text)| text.contains(r#""to":"ann""#));
        if let Some((at, _)) = to_ann {
            break *at;
        }
        drop(arrivals);
        assert!(begun.elapsed() < Duration::from_secs(120), "no page came");
        std::thread::yield_now();
    };
    say(
        "start after kill -9 with 10,000 open incidents, until the first page that came due meanwhile",
        &format!("{:.0} ms", first.duration_since(begun).as_secs_f64() * 1_000.0),
    );
}
