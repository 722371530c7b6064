//! `PagerDuty` Events API v2, as documented by `PagerDuty`: `/v2/enqueue` and `/v2/change/enqueue`.
//!
//! Facts: `routing_key`, `event_action` (trigger, acknowledge, resolve) and, for a trigger,
//! `payload.summary`, `payload.source` and `payload.severity` are required; `dedup_key` is at most
//! 255 characters and is made up for a trigger that has none; a summary has at most 1,024.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::command::Command;
use crate::domain::event::AlertFacts;
use crate::domain::post::{Incoming, Post, Signal};
use crate::domain::text::cut_bytes;
use crate::ingest::Refused;
use crate::ingest::caps::{Loose, cap};

const DEDUP_KEY_MAX: usize = 255;
const SUMMARY_MAX: usize = 1_024;

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    #[serde(rename = "event_action")]
    action: String,
    #[serde(default)]
    dedup_key: Option<Loose>,
    #[serde(default)]
    payload: Option<Payload>,
    #[serde(default)]
    client_url: Option<Loose>,
    #[serde(default)]
    links: Vec<BTreeMap<String, Loose>>,
}

#[derive(Deserialize, Default)]
struct Payload {
    #[serde(default)]
    summary: Loose,
    #[serde(default)]
    source: Loose,
    #[serde(default)]
    severity: Loose,
    #[serde(default)]
    timestamp: Option<Loose>,
    #[serde(default)]
    component: Loose,
    #[serde(default)]
    group: Loose,
    #[serde(default)]
    class: Loose,
    #[serde(default)]
    custom_details: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Key {
    #[serde(default)]
    routing_key: Loose,
}

/// The routing key of a body: it is the sender's token.
pub fn routing_key(body: &[u8]) -> Result<String, Refused> {
    let key: Key =
        serde_json::from_slice(body).map_err(|e| Refused::bad(format!("not an event: {e}")))?;
    if key.routing_key.0.is_empty() {
        return Err(Refused::bad("routing_key is missing"));
    }
    Ok(key.routing_key.0)
}

/// Reads `/v2/enqueue`; returns the post and the dedup key to answer with. `fresh` is used where a
/// trigger has no key.
pub fn enqueue(source: &str, body: &[u8], fresh: &str) -> Result<(Post, String), Refused> {
    let event: Event =
        serde_json::from_slice(body).map_err(|e| Refused::bad(format!("not an event: {e}")))?;
    let signal = match event.action.as_str() {
        "trigger" => Signal::Firing,
        "acknowledge" => Signal::Acknowledged,
        "resolve" => Signal::Resolved,
        "" => return Err(Refused::bad("event_action is missing")),
        other => {
            return Err(Refused::bad(format!(
                "event_action '{}' is none of trigger, acknowledge, resolve",
                other.chars().take(40).collect::<String>()
            )));
        }
    };
    let given = event.dedup_key.map(|key| key.0).filter(|key| !key.is_empty());
    if given.as_ref().is_some_and(|key| key.chars().count() > DEDUP_KEY_MAX) {
        return Err(Refused::bad(format!("dedup_key has more than {DEDUP_KEY_MAX} characters")));
    }
    if given.is_none() && signal != Signal::Firing {
        return Err(Refused::bad("dedup_key is missing: only a trigger may do without"));
    }
    let key = given.unwrap_or_else(|| fresh.to_owned());
    let payload = event.payload.unwrap_or_default();
    if signal == Signal::Firing {
        check(&payload)?;
    }
    let url = event.client_url.map(|url| url.0).or_else(|| {
        event.links.first().and_then(|link| link.get("href")).map(|href| href.0.clone())
    });
    let incoming = incoming(&key, signal, payload, url.unwrap_or_default())?;
    let group = Some(format!("dedup:{key}"));
    Ok((Post { source: source.to_owned(), group, alerts: vec![incoming], truncated: 0 }, key))
}

fn check(payload: &Payload) -> Result<(), Refused> {
    for (name, value) in [
        ("summary", &payload.summary),
        ("source", &payload.source),
        ("severity", &payload.severity),
    ] {
        if value.0.is_empty() {
            return Err(Refused::bad(format!("payload.{name} is missing")));
        }
    }
    if !["critical", "error", "warning", "info"].contains(&payload.severity.0.as_str()) {
        return Err(Refused::bad("payload.severity is none of critical, error, warning, info"));
    }
    if payload.summary.0.chars().count() > SUMMARY_MAX {
        return Err(Refused::bad(format!(
            "payload.summary has more than {SUMMARY_MAX} characters"
        )));
    }
    Ok(())
}

fn incoming(key: &str, signal: Signal, payload: Payload, url: String) -> Result<Incoming, Refused> {
    let starts_at = match payload.timestamp.filter(|t| !t.0.is_empty()) {
        Some(text) => {
            Some(text.0.parse().map_err(|_| Refused::bad("payload.timestamp is not a time"))?)
        }
        None => None,
    };
    let mut labels = BTreeMap::new();
    let fields = [
        ("source", payload.source),
        ("component", payload.component),
        ("group", payload.group),
        ("class", payload.class),
        ("severity", payload.severity.clone()),
    ];
    for (label, value) in fields {
        if !value.0.is_empty() {
            labels.insert(label.to_owned(), value.0);
        }
    }
    let annotations = match payload.custom_details {
        Some(serde_json::Value::Object(map)) => map
            .into_iter()
            .map(|(k, v)| (k, v.as_str().map_or_else(|| v.to_string(), ToOwned::to_owned)))
            .collect(),
        Some(serde_json::Value::Null) | None => BTreeMap::new(),
        Some(other) => BTreeMap::from([("details".to_owned(), other.to_string())]),
    };
    let facts = AlertFacts {
        name: payload.summary.0,
        summary: String::new(),
        labels,
        annotations,
        starts_at,
        ends_at: None,
        url,
        severity_word: String::new(),
    };
    Ok(cap(Incoming {
        fingerprint: key.to_owned(),
        signal,
        severity_word: payload.severity.0,
        facts,
    }))
}

/// Reads `/v2/change/enqueue`.
pub fn change(source: &str, body: &[u8]) -> Result<Command, Refused> {
    let event: Event = serde_json::from_slice(body)
        .map_err(|e| Refused::bad(format!("not a change event: {e}")))?;
    let mut payload = event.payload.ok_or_else(|| Refused::bad("payload is missing"))?;
    if payload.summary.0.is_empty() {
        return Err(Refused::bad("payload.summary is missing"));
    }
    cut_bytes(&mut payload.summary.0, SUMMARY_MAX);
    cut_bytes(&mut payload.source.0, SUMMARY_MAX);
    let mut details = BTreeMap::new();
    if let Some(serde_json::Value::Object(map)) = payload.custom_details {
        for (key, value) in map.into_iter().take(32) {
            let mut text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            cut_bytes(&mut text, SUMMARY_MAX);
            details.insert(key, text);
        }
    }
    Ok(Command::NoteChange {
        source: source.to_owned(),
        summary: payload.summary.0,
        origin: payload.source.0,
        details,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_without_a_key_gets_one() {
        let body = br#"{"routing_key":"k","event_action":"trigger","payload":{"summary":"s","source":"h","severity":"error"}}"#;
        let (post, key) = enqueue("pd", body, "fresh").expect("readable");
        assert_eq!(key, "fresh");
        assert_eq!(post.alerts[0].facts.name, "s");
        assert_eq!(routing_key(body).as_deref(), Ok("k"));
    }

    #[test]
    fn what_is_required_is_asked_for() {
        let told = |body: &[u8]| enqueue("pd", body, "f").map(|_| ()).map_err(|e| e.what);
        assert_eq!(
            told(br#"{"event_action":"resolve"}"#),
            Err("dedup_key is missing: only a trigger may do without".into())
        );
        assert_eq!(
            told(br#"{"event_action":"trigger"}"#),
            Err("payload.summary is missing".into())
        );
        let word = br#"{"event_action":"trigger","payload":{"summary":"s","source":"h","severity":"bad"}}"#;
        assert_eq!(
            told(word),
            Err("payload.severity is none of critical, error, warning, info".into())
        );
    }
}
