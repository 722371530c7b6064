//! How long an update to 10,000 recipients takes, how much memory, and whether pages are delayed
//! behind it.
//!
//! `WARROOM_RECIPIENTS` sets how many (10,000).

use std::fs;
use std::time::Duration;

use crate::figures::{Home, percentile, say};
use crate::paging::{Poster, Receiver, alert, services};
use crate::peers::{peak, resident};
use warroom::clock::monotonic;
use warroom::domain::command::Command;
use warroom::proto::{Ask, Reply};

/// Everything pages Bob by one hook; a list of recipients gets updates by another.
fn write_plan(home: &Home, pages: &Receiver, updates: &Receiver, count: usize) {
    let dir = home.path.join("plan");
    fs::create_dir_all(&dir).expect("a folder");
    let services = services(&[("Idle", 100), ("Busy", 3_000)]);
    let list: Vec<String> = (0..count).map(|n| format!("\"list:r{n}\"")).collect();
    let text = format!(
        r#"
default_policy = "standard"
bundle_s = 60
[channels.hook]
kind = "webhook"
url = "http://{}/"
[channels.list]
kind = "webhook"
url = "http://{}/"
[people.bob]
contacts = ["hook:bob"]
[[policies.standard.levels]]
name = "L1"
targets = ["person:bob"]
[stakeholders.list]
audience = "internal"
from_severity = "SEV5"
every_min = 60
subscribers = [{}]
{services}
[[rules]]
name = "default"
"#,
        pages.address,
        updates.address,
        list.join(", ")
    );
    fs::write(dir.join("plan.toml"), text).expect("the plan");
}

fn act(home: &Home, command: &str) {
    let command: Command = serde_json::from_str(command).expect("a command");
    let ask = Ask::Do { command: Box::new(command), occurred: None, seen: None };
    assert!(matches!(home.caller().ask(ask), Ok(Reply::Done { .. })), "it is done");
}

/// Measures and prints all of it.
pub(crate) fn print() {
    let count = std::env::var("WARROOM_RECIPIENTS").ok().and_then(|n| n.parse().ok());
    let count: usize = count.unwrap_or(10_000);
    let (pages, updates) = (Receiver::new(), Receiver::new());
    let mut home = Home::new("talk");
    write_plan(&home, &pages, &updates, count);
    home.start();
    let address = home.caller().welcome.intake.clone().expect("the intake");
    let mut poster = Poster::new(&address);
    let mut sample = |round: &str, n: u64| {
        let name = format!("Page{round}{n}x");
        let begun = monotonic();
        poster.post(&format!("[{}]", alert(&name, &format!("svc-{round}-{n}"), n)));
        pages.wait(&name).duration_since(begun).as_secs_f64() * 1_000.0
    };
    let mut idle: Vec<f64> = (0..100).map(|n| sample("Idle", n)).collect();
    act(&home, r#"{"do":"open","title":"x","severity":"SEV4","declare":true}"#);
    let before = resident(home.pid());
    let begun = monotonic();
    let update = format!(
        r#"{{"do":"talk","incident":101,"talk":{{"say":"draft","audience":"internal","to":["list"],"words":[{{"language":"en","subject":"s","text":"t"}}],"next_by":"{}"}}}}"#,
        warroom::clock::wall_now().plus(3_600_000)
    );
    act(&home, &update);
    let mut busy: Vec<f64> = Vec::new();
    while updates.count() < count && begun.elapsed() < Duration::from_secs(300) {
        busy.push(sample("Busy", busy.len() as u64));
    }
    let all = begun.elapsed().as_secs_f64();
    say(
        &format!("an update to {count} recipients over a hook"),
        &format!(
            "all {} handed over in {all:.1} s ({:.0} a second); {before:.0} MiB before, {:.0} MiB at most",
            updates.count(),
            f64::from(u32::try_from(updates.count()).unwrap_or(u32::MAX)) / all,
            peak(home.pid())
        ),
    );
    for (what, samples) in [("before it", &mut idle), ("behind it", &mut busy)] {
        let n = samples.len();
        let [p50, p99] = [0.5, 0.99].map(|q| percentile(samples, q));
        say(
            &format!("a posted alert until its page is handed over, {what}"),
            &format!("p50 {p50:.1} ms, p99 {p99:.1} ms ({n} pages)"),
        );
    }
}
