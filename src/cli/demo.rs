//! `warroom demo`: a scripted incident plays in a throw-away home, so that a newcomer sees
//! everything move within five seconds.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an unexpected answer is handled alike, whatever it is"
)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crate::cli::out::{Failure, say};
use crate::client::call::Caller;
use crate::client::link::Target;
use crate::client::start;
use crate::clock::wall_now;
use crate::config::paths::Home;
use crate::domain::command::Command;
use crate::domain::ids::IncidentId;
use crate::domain::time::MINUTE_MS;
use crate::domain::words::{ClosureReason, NoteKind, Outcome, Phase, RemedyKind, Severity};
use crate::proto::{Ask, Reply};
use crate::tui;

/// Any free port: a demo is in nobody's way, and nobody's settings are in its way.
const LISTEN: &str = "127.0.0.1:0";

/// The pause between two steps.
const STEP: Duration = Duration::from_millis(900);

/// A home that is removed at the end, with its keeper.
struct Stage {
    home: Home,
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Ok(stream) = start::connect(&self.home)
            && let Ok(mut keeper) = Caller::new(stream)
        {
            drop(keeper.ask(Ask::Stop));
            keeper.wait_closed();
        }
        drop(std::fs::remove_dir_all(&self.home.root));
    }
}

/// Plays the script beside a console, or without one.
pub fn run(headless: bool) -> Result<(), Failure> {
    let root = std::env::temp_dir().join(format!("warroom-demo-{}", std::process::id()));
    let stage = Stage { home: Home { root } };
    prepare(&stage.home.root)?;
    let keeper = Caller::new(start::ensure_at(&stage.home, Some(LISTEN))?)?;
    let (stop, stopped) = channel::<()>();
    if headless {
        let told = play(keeper, &stopped, Duration::ZERO)?;
        for line in &told {
            say(line);
        }
        return Ok(());
    }
    let player = std::thread::spawn(move || drop(play(keeper, &stopped, STEP)));
    let result = tui::run::run(&stage.home, &Target::Local(stage.home.clone()), false);
    let end: Sender<()> = stop;
    drop(end);
    drop(player.join());
    result.map_err(Failure::from)
}

fn prepare(root: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(root)?;
    let settings: PathBuf = root.join("warroom.toml");
    std::fs::write(settings, format!("listen = \"{LISTEN}\"\n"))?;
    Ok(())
}

/// One step of the script.
enum Step {
    /// An alert: name, instance, severity, summary.
    Alert(&'static str, &'static str, &'static str, &'static str),
    /// An act on the first incident.
    Act(fn(IncidentId) -> Command),
}

fn script() -> Vec<Step> {
    vec![
        Step::Alert("HighErrorRate", "payments-api-1", "critical", "5xx on checkout above 12 %"),
        Step::Alert("HighErrorRate", "payments-api-2", "critical", "5xx on checkout above 12 %"),
        Step::Alert("KafkaLag", "orders", "warning", "consumer group orders is 40,000 behind"),
        Step::Act(|incident| Command::Acknowledge { incident }),
        Step::Act(|incident| Command::TakeCommand { incident }),
        Step::Act(|incident| Command::SetSeverity {
            incident,
            severity: Severity::Sev1,
            reason: "customers cannot pay".to_owned(),
        }),
        Step::Alert("HighErrorRate", "payments-api-3", "critical", "5xx on checkout above 12 %"),
        Step::Act(|incident| Command::SetPhase {
            incident,
            phase: Phase::Investigating,
            reason: String::new(),
        }),
        Step::Act(|incident| Command::Note {
            incident,
            kind: NoteKind::Hypothesis,
            text: "connection pool exhausted since deploy 812".to_owned(),
            said_by: "bob".to_owned(),
        }),
        Step::Alert("CertificateExpiry", "www", "info", "certificate of www expires in 6 days"),
        Step::Act(|incident| Command::LogContact {
            incident,
            stakeholder: "support".to_owned(),
            channel: "phone".to_owned(),
            text: "payments are failing, we are on it".to_owned(),
            next_by: Some(wall_now().plus(20 * MINUTE_MS)),
            last: false,
            person: "head of the night desk".to_owned(),
            asked: "can customers pay?".to_owned(),
        }),
        Step::Act(|incident| Command::Remedy {
            incident,
            kind: RemedyKind::Workaround,
            text: "pool 50 → 200".to_owned(),
            expires: Some(wall_now().plus(240 * MINUTE_MS)),
        }),
        Step::Act(|incident| Command::JudgeRemedy {
            incident,
            remedy: 1,
            outcome: Outcome::Worked,
            evidence: "error rate 12 % → 0.2 %".to_owned(),
        }),
        Step::Act(|incident| Command::SetPhase {
            incident,
            phase: Phase::Monitoring,
            reason: "errors are gone, watching".to_owned(),
        }),
        Step::Act(|incident| Command::Resolve {
            incident,
            reason: ClosureReason::Mitigated,
            evidence: "30 minutes without an error".to_owned(),
            force: Some("the demo's alerts do not clear by themselves".to_owned()),
        }),
    ]
}

/// Plays until the script or the console ends; returns what happened, for those who only read.
fn play(
    mut keeper: Caller,
    stopped: &Receiver<()>,
    pause: Duration,
) -> Result<Vec<String>, Failure> {
    let address =
        keeper.welcome.intake.clone().map_err(|why| Failure::Failed(anyhow::anyhow!(why)))?;
    let mut told = Vec::new();
    for step in script() {
        if pause > Duration::ZERO {
            match stopped.recv_timeout(pause) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(told),
            }
        }
        match step {
            Step::Alert(name, instance, severity, summary) => {
                post(&address, name, instance, severity, summary)?;
                told.push(format!("alert {name} on {instance}"));
            }
            Step::Act(make) => {
                let command = Box::new(make(IncidentId(1)));
                let reply =
                    keeper.ask(Ask::Do { command: command.clone(), occurred: None, seen: None })?;
                match reply {
                    Reply::Rejected(rejection) => told.push(format!("refused: {rejection}")),
                    _ => told.push(serde_json::to_string(&command).unwrap_or_default()),
                }
            }
        }
    }
    if pause > Duration::ZERO {
        while stopped.recv().is_ok() {}
    }
    Ok(told)
}

fn post(
    address: &str,
    name: &str,
    instance: &str,
    severity: &str,
    summary: &str,
) -> Result<(), Failure> {
    let body = serde_json::json!({
        "version": "4", "status": "firing", "receiver": "demo",
        "groupKey": format!("{{}}:{{alertname=\"{name}\"}}"),
        "alerts": [{
            "status": "firing",
            "labels": { "alertname": name, "instance": instance, "severity": severity, "service": "payments" },
            "annotations": { "summary": summary },
            "startsAt": wall_now().to_string(),
        }],
    })
    .to_string();
    let mut stream = TcpStream::connect(address)?;
    let head = format!(
        "POST /v1/alertmanager HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200") {
        return Ok(());
    }
    Err(Failure::Failed(anyhow::anyhow!(
        "the alert was not taken: {}",
        answer.lines().next().unwrap_or_default()
    )))
}
