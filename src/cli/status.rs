//! How the keeper is, who watches it, and which actions there are.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an unexpected answer is handled alike, whatever it is"
)]

use crate::cli::Context;
use crate::cli::act::unexpected;
use crate::cli::look::line;
use crate::cli::out::{Failure, say, say_json};
use crate::proto::{Ask, Reply, Status};
use crate::tui::keymap::Keymap;

/// How it is, in words.
pub(super) fn status(context: &Context) -> Result<(), Failure> {
    // To look is not to start one.
    let mut keeper = context.running()?;
    let status = match keeper.ask(Ask::Status)? {
        Reply::Status(status) => status,
        other => return Err(unexpected(&other)),
    };
    if context.json {
        let mut value = serde_json::to_value(&status).map_err(anyhow::Error::from)?;
        if context.far.is_none() {
            value["home"] = serde_json::json!(context.home.root);
        }
        if let Some(known) = value.as_object_mut() {
            // The journal's hash is 'warroom verify's to say.
            known.remove("hash");
        }
        return say_json(&value);
    }
    let place = match &context.far {
        Some(far) => format!("on {}", far.host),
        None => format!("in {}", context.home.root.display()),
    };
    line(&format!("warroom {} (pid {}) {place}", status.version, status.pid));
    line(&format!(
        "{} events, {} open, {} closed, {} alerts, {} clients",
        status.seq, status.live, status.closed, status.alerts, status.clients
    ));
    say(&match &status.intake {
        Ok(address) => format!("alerts are taken on {address}"),
        Err(why) => format!("alerts are NOT taken: {why}"),
    });
    for text in watched(&status) {
        line(&text);
    }
    if status.is_tight {
        say(
            "the disk is NEARLY FULL: alerts are refused, people's acts are taken; free some space",
        );
    }
    Ok(())
}

/// Who watches the watcher: the auditor, the keeper's own sign of life, and the senders that must be
/// heard from.
fn watched(status: &Status) -> Vec<String> {
    let mut lines = Vec::new();
    let watched = &status.watched;
    lines.push(match watched.audited_at {
        None => "the auditor has made no round yet".to_owned(),
        Some(at) if watched.findings.is_empty() => {
            format!("the auditor is content, last round {at}")
        }
        Some(at) => format!("THE AUDITOR FOUND {}: last round {at}", watched.findings.len()),
    });
    lines.extend(watched.findings.iter().map(|finding| format!("  {finding}")));
    lines.push(match (&watched.beacon, watched.is_signing) {
        (_, false) => "no sign of life is sent: set [beacon] in warroom.toml".to_owned(),
        (None, true) => "the sign of life was not sent yet".to_owned(),
        (Some((at, None)), true) => format!("the sign of life got through at {at}"),
        (Some((at, Some(why))), true) => {
            format!("THE SIGN OF LIFE DID NOT GET THROUGH at {at}: {why}")
        }
    });
    for (name, beat) in &status.beats {
        lines.push(match (beat.is_missed, beat.is_heard) {
            (true, true) => format!("{name} IS SILENT, last heard {}", beat.at),
            (true, false) => format!("{name} WAS NEVER HEARD"),
            (false, true) => format!("{name} was heard {}", beat.at),
            (false, false) => format!("{name} was not heard yet"),
        });
    }
    if status.waiting > 0 {
        lines.push(format!("{} messages wait to be sent", status.waiting));
    }
    for words in &status.unreached {
        lines.push(format!("NOT TOLD: {words}"));
    }
    if let Some(fault) = &status.page_fault {
        lines.push(format!("THE STATUS PAGE {fault}"));
    }
    lines
}

/// Every action with its keys, from the one table.
pub fn actions(context: &Context) -> Result<(), Failure> {
    let keymap = Keymap::shipped();
    let rows: Vec<_> = crate::tui::action::Action::ALL
        .iter()
        .map(|action| (action.name(), keymap.keys_of(*action), action.help()))
        .collect();
    if context.json {
        let list: Vec<_> = rows
            .iter()
            .map(|(name, keys, help)| serde_json::json!({ "action": name, "keys": keys, "help": help }))
            .collect();
        return say_json(&list);
    }
    for (name, keys, help) in rows {
        line(&format!("{name:<20} {:<16} {help}", keys.join(" ")));
    }
    Ok(())
}
