//! Watching the watcher: the auditor's rounds, and the keeper's own sign of life.
//!
//! Invariants:
//! - The auditor reads the journal itself, behind the writer; it shares nothing with the engine.
//! - The sign of life is sent only while the last round found nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::clock::wall_now;
use crate::config::settings::{BEACON_LEAST_S, Beacon};
use crate::domain::audit::Auditor;
use crate::domain::channel::{Channel, Program};
use crate::domain::command::Command;
use crate::domain::event::{AlertFacts, Body};
use crate::domain::post::{Incoming, Post, Signal};
use crate::keeper::gate::Gate;
use crate::keeper::inbox::Inbox;
use crate::keeper::reads::Places;
use crate::keeper::turn::Input;
use crate::keeper::writer::Mail;
use crate::notify::beacon;
use crate::notify::message::Message;
use crate::notify::send::{Context, Outcome, send};

/// How often the auditor makes its rounds.
const ROUND: Duration = Duration::from_secs(BEACON_LEAST_S as u64);
/// A program that tells of the keeper may take this long, in seconds.
const PROGRAM_S: u16 = 10;

/// Makes rounds until the keeper goes.
pub async fn rounds(
    places: Arc<Places>,
    gate: Arc<Gate>,
    inbox: Inbox,
    context: Context,
    mut told: Vec<String>,
) {
    let mut auditor = Auditor::default();
    let mut is_first = true;
    let mut signed: Option<std::time::Instant> = None;
    loop {
        // What is overdue when a keeper starts gets its time.
        tokio::time::sleep(ROUND).await;
        // The writer wakes first: after a sleep of the machine it may not have seen the time yet.
        let is_answered = answers(&inbox).await;
        let (worker, upto) = (Arc::clone(&places), gate.seq.load(Ordering::Relaxed));
        let round = tokio::task::spawn_blocking(move || {
            let result = read_on(&mut auditor, &worker, upto);
            if is_first {
                auditor.forget_strays();
            }
            let findings = auditor.check(wall_now());
            (auditor, result, findings)
        });
        let Ok((seen, result, mut findings)) = round.await else {
            return tracing::error!("the auditor failed; no sign of life is sent any more");
        };
        (auditor, is_first) = (seen, false);
        if let Err(error) = result {
            findings.push(format!("the journal cannot be read: {error}"));
        }
        if gate.tight.load(Ordering::Relaxed) {
            findings.push(
                "space on the journal's disk is short: alerts are refused until some is freed"
                    .to_owned(),
            );
        }
        if !is_answered {
            findings.push("the writer does not answer".to_owned());
        }
        if findings != told {
            if !tell(&findings, &inbox).await {
                return;
            }
            told.clone_from(&findings);
        }
        gate.set_audited(wall_now(), &findings);
        let settings = gate.settings();
        if let Some(beacon) = settings.beacon.as_ref().filter(|_| findings.is_empty()) {
            let now = crate::clock::monotonic();
            let every = Duration::from_secs(u64::from(beacon.every_s));
            if signed.is_none_or(|at| now.duration_since(at) >= every) {
                signed = Some(now);
                let fault = sign(beacon, &context).await;
                gate.set_signed(wall_now(), fault);
            }
        }
    }
}

/// Whether the writer makes something durable within a while.
async fn answers(inbox: &Inbox) -> bool {
    let (tx, rx) = tokio::sync::oneshot::channel();
    let asked = async { inbox.send(Mail::Barrier(tx)).await.is_ok() && rx.await.is_ok() };
    tokio::time::timeout(ROUND, asked).await.unwrap_or(false)
}

fn read_on(
    auditor: &mut Auditor,
    places: &Places,
    upto: u64,
) -> Result<(), crate::store::StoreError> {
    places.reader.scan(auditor.seq, &mut |raw| {
        if let Ok(event) = raw.decode() {
            auditor.see(&event);
        }
        auditor.seq < upto
    })
}

/// Puts findings on record and lets them page like any other alert; false when the keeper goes.
async fn tell(findings: &[String], inbox: &Inbox) -> bool {
    for finding in findings {
        tracing::error!(finding, "the auditor found something");
    }
    let body = Body::AuditFound { findings: findings.to_vec() };
    if inbox.send(Mail::Input(Input::Own(body))).await.is_err() {
        return false;
    }
    let summary = findings.first().map(String::as_str);
    raise(Own { name: "AuditFinding", group: "audit", severity: "critical" }, summary, inbox).await
}

/// An alert of the keeper's own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Own {
    pub name: &'static str,
    pub group: &'static str,
    pub severity: &'static str,
}

/// Lets what the keeper found page like any other alert, or ends that; false when the keeper goes.
pub(super) async fn raise(own: Own, summary: Option<&str>, inbox: &Inbox) -> bool {
    let signal = if summary.is_some() { Signal::Firing } else { Signal::Resolved };
    let facts = AlertFacts {
        name: own.name.to_owned(),
        summary: summary.unwrap_or_default().to_owned(),
        ..AlertFacts::default()
    };
    let incoming = Incoming {
        fingerprint: format!("{}/keeper", own.name),
        signal,
        severity_word: own.severity.to_owned(),
        facts,
    };
    let source = crate::domain::decide::due::OWN_SOURCE.to_owned();
    let group = Some(own.group.to_owned());
    let post = Post { source, group, alerts: vec![incoming], truncated: 0 };
    inbox.send(Mail::Input(Input::Receipt(Command::Ingest(post)))).await.is_ok()
}

/// Tells the outside that the keeper is well; what went wrong, if something did.
async fn sign(beacon: &Beacon, context: &Context) -> Option<String> {
    let mut fault = None;
    if let Some(url) = &beacon.url
        && let Err(why) = beacon::get(url, wall_now()).await
    {
        tracing::warn!(why, "the sign of life did not get through");
        fault = Some(why);
    }
    if !beacon.program.is_empty() {
        let (argv, timeout_s) = (beacon.program.clone(), PROGRAM_S);
        let channel = Channel::Program(Program { argv, timeout_s, output_kib: 1 });
        let context = Context { now: wall_now(), ..context.clone() };
        let outcome = send(&channel, "", &Message::default(), &context).await;
        if let Outcome::Failed { reason, .. } = outcome {
            tracing::warn!(reason, "the program of the sign of life failed");
            fault = Some(format!("the program failed: {reason}"));
        }
    }
    fault
}
