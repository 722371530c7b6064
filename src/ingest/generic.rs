//! Any other sender's JSON: by a mapping from the settings, as a `CloudEvent`, or by well-known names.

#![expect(clippy::wildcard_enum_match_arm, reason = "the others are handled alike")]

use std::collections::BTreeMap;

use serde_json::Value;

use crate::config::settings::Mapping;
use crate::domain::event::AlertFacts;
use crate::domain::post::{Incoming, Post, Signal};
use crate::domain::time::Timestamp;
use crate::ingest::caps::cap;
use crate::ingest::{ALERTS_MAX, Refused, Taken, fingerprint_of, sorted};

const NAMES: &[&str] = &[
    "alertname",
    "title",
    "name",
    "AlarmName",
    "rule",
    "subject",
    "summary",
    "message",
    "event_type",
];
const SUMMARIES: &[&str] =
    &["summary", "message", "description", "text", "body", "AlarmDescription"];
const SEVERITIES: &[&str] = &["severity", "level", "priority", "Priority"];
const STATES: &[&str] = &["status", "state", "action", "NewStateValue", "alert_transition"];
const KEYS: &[&str] =
    &["fingerprint", "dedup_key", "alert_key", "monitor_id", "monitorID", "alert_id", "id"];
const STARTS: &[&str] = &["startsAt", "starts_at", "created_at", "timestamp", "time"];
const URLS: &[&str] = &["url", "link", "generatorURL", "event_url"];
const RESOLVED: &[&str] = &[
    "resolved",
    "ok",
    "recovered",
    "closed",
    "close",
    "normal",
    "inactive",
    "cleared",
    "up",
    "success",
];
/// States that say that something is wrong, whatever the severity is called.
const FIRING: &[&str] =
    &["firing", "alerting", "triggered", "trigger", "open", "alarm", "problem", "down", "active"];
/// Severities that say that nothing is wrong any more.
const WELL: &[&str] = &["ok", "cleared", "clear", "recovered", "resolved"];
/// Labels that tell two alerts of one name apart.
const IDENTITY: &[&str] = &[
    "host",
    "hostname",
    "instance",
    "source",
    "device_id",
    "service",
    "environment",
    "env",
    "cluster",
    "namespace",
    "component",
    "region",
    "project",
    "check",
    "monitor",
    "resource",
    "job",
    "pod",
];
/// Labels taken from the top of a body without a mapping.
const LABELS_MAX: usize = 24;

/// Reads a body; a list holds several alerts.
pub fn read(source: &str, body: &[u8], mapping: Option<&Mapping>) -> Result<Taken, Refused> {
    let value: Value =
        serde_json::from_slice(body).map_err(|e| Refused::bad(format!("not JSON: {e}")))?;
    let listed = match mapping.filter(|m| !m.list.is_empty()) {
        Some(mapping) => at(&value, &mapping.list).cloned().ok_or_else(|| {
            Refused::bad(format!(
                "there is nothing at '{}', where the mapping looks for alerts",
                mapping.list
            ))
        })?,
        None => value,
    };
    let items = match listed {
        Value::Array(items) => items,
        other => vec![other],
    };
    if items.is_empty() {
        return Err(Refused::bad("the list holds no alerts"));
    }
    if items.len() > ALERTS_MAX {
        let what = format!("{} alerts in one post; the limit is {ALERTS_MAX}", items.len());
        return Err(Refused { status: 413, what });
    }
    let (alerts, odd) = sorted(items.iter().map(|item| one(source, item, mapping)))?;
    Ok(Taken { post: Post { source: source.to_owned(), group: None, alerts, truncated: 0 }, odd })
}

/// A `CloudEvent` in binary mode, whose attributes are headers (`ce-type`, …; `CloudEvents` HTTP
/// binding 1.0, 3.1), as one in structured mode.
pub fn enveloped(attributes: &BTreeMap<String, String>, body: &[u8]) -> Vec<u8> {
    let data = serde_json::from_slice::<Value>(body)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()));
    let attributes = attributes.iter().map(|(name, value)| (name.clone(), Value::from(&**value)));
    let mut event: serde_json::Map<String, Value> = attributes.collect();
    event.insert("data".to_owned(), data);
    Value::Object(event).to_string().into_bytes()
}

/// The value at a path like `labels.host` or `items.0.name`; `/` works as `.` does.
fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split(['.', '/']).filter(|part| !part.is_empty()).try_fold(
        value,
        |value, part| match value {
            Value::Object(map) => map.get(part),
            Value::Array(items) => items.get(part.parse::<usize>().ok()?),
            _ => None,
        },
    )
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::String(_) | Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

struct Item<'a> {
    body: &'a Value,
    /// A `CloudEvent`'s data, or the body's own `payload`, `event` or `Message`, is looked at too.
    inner: Option<&'a Value>,
    mapping: Option<&'a Mapping>,
}

impl Item<'_> {
    fn find(&self, path: impl Fn(&Mapping) -> &str, names: &[&str]) -> Option<String> {
        if let Some(path) = self.mapping.map(path).filter(|path| !path.is_empty()) {
            return at(self.body, path).and_then(text);
        }
        names
            .iter()
            .find_map(|name| at(self.body, name).or_else(|| at(self.inner?, name)).and_then(text))
    }
}

fn one(source: &str, body: &Value, mapping: Option<&Mapping>) -> Result<Incoming, String> {
    if !body.is_object() {
        return Err("it is not a JSON object".to_owned());
    }
    let inner =
        ["data", "payload", "event", "alert", "Message"].iter().find_map(|key| body.get(key));
    // Amazon SNS carries its message as JSON inside a text.
    let unpacked: Option<Value> =
        inner.and_then(Value::as_str).and_then(|text| serde_json::from_str(text).ok());
    let inner = unpacked.as_ref().or(inner).filter(|value| value.is_object());
    let item = Item { body, inner, mapping };
    let cloud_type = body.get("specversion").and(body.get("type")).and_then(text);
    let name = item.find(|m| &m.name, NAMES).or(cloud_type).ok_or_else(|| {
        format!(
            "nothing names the alert (looked for {}); add [mapping.{source}] to warroom.toml",
            NAMES.join(", ")
        )
    })?;
    let labels = labels_of(&item);
    let state = item.find(|m| &m.status, STATES).unwrap_or_default().to_ascii_lowercase();
    let labelled = || SEVERITIES.iter().find_map(|name| labels.get(*name).cloned());
    let severity_word = item.find(|m| &m.severity, SEVERITIES).or_else(labelled);
    let severity_word = severity_word.unwrap_or_default();
    let is_well = WELL.iter().any(|word| severity_word.eq_ignore_ascii_case(word));
    let is_resolved = if let Some(mapping) = mapping.filter(|m| !m.resolved_words.is_empty()) {
        mapping.resolved_words.iter().any(|word| word.eq_ignore_ascii_case(&state))
    } else {
        let says_firing = FIRING.contains(&state.as_str());
        RESOLVED.contains(&state.as_str()) || is_well && !says_firing
    };
    let fingerprint = item.find(|m| &m.fingerprint, KEYS).unwrap_or_else(|| {
        let own = IDENTITY;
        let mut identity = BTreeMap::from([("name".to_owned(), name.clone())]);
        identity.extend(
            labels
                .iter()
                .filter(|(k, _)| own.contains(&k.as_str()))
                .map(|(k, v)| (k.clone(), v.clone())),
        );
        fingerprint_of(&identity)
    });
    let summary = item.find(|m| &m.summary, SUMMARIES).unwrap_or_default();
    let facts = AlertFacts {
        summary: if summary == name {
            String::new()
        } else {
            summary.lines().next().unwrap_or("").to_owned()
        },
        name: name.lines().next().unwrap_or("").to_owned(),
        labels,
        annotations: BTreeMap::new(),
        starts_at: item.find(|m| &m.starts_at, STARTS).and_then(|t| t.parse::<Timestamp>().ok()),
        ends_at: None,
        url: item.find(|m| &m.url, URLS).unwrap_or_default(),
        severity_word: String::new(),
    };
    let signal = if is_resolved { Signal::Resolved } else { Signal::Firing };
    Ok(cap(Incoming { fingerprint, signal, severity_word, facts }))
}

fn labels_of(item: &Item<'_>) -> BTreeMap<String, String> {
    if let Some(mapping) = item.mapping.filter(|m| !m.labels.is_empty()) {
        return mapping
            .labels
            .iter()
            .filter_map(|(label, path)| Some((label.clone(), text(at(item.body, path)?)?)))
            .collect();
    }
    let mut labels = BTreeMap::new();
    for object in [at(item.body, "labels"), at(item.body, "tags"), item.inner, Some(item.body)]
        .into_iter()
        .flatten()
    {
        let Value::Object(map) = object else { continue };
        for (key, value) in map {
            if labels.len() >= LABELS_MAX {
                return labels;
            }
            if let Some(value) = text(value).filter(|v| v.len() <= 200) {
                labels.entry(key.clone()).or_insert(value);
            }
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_names_are_found() {
        let body = br#"{"title":"disk full","host":"db1","level":"error","status":"open"}"#;
        let post = read("x", body, None).expect("readable");
        let alert = &post.post.alerts[0];
        assert_eq!(
            (alert.facts.name.as_str(), alert.severity_word.as_str()),
            ("disk full", "error")
        );
        let over = br#"{"title":"disk full","host":"db1","status":"OK"}"#;
        let post = read("x", over, None).expect("readable");
        assert_eq!(post.post.alerts[0].signal, Signal::Resolved);
        assert_eq!(post.post.alerts[0].fingerprint, alert.fingerprint, "the same alert");
    }

    #[test]
    fn a_label_says_how_bad_it_is_and_a_word_that_nothing_is() {
        let body = br#"{"summary":"CPU usage is over 90%","labels":{"severity":"critical"}}"#;
        let post = read("x", body, None).expect("readable");
        assert_eq!(post.post.alerts[0].severity_word, "critical");
        let over = br#"{"title":"db1 recovered","alert_id":"26","state":0,"severity":"ok"}"#;
        let post = read("x", over, None).expect("readable");
        assert_eq!(post.post.alerts[0].signal, Signal::Resolved);
        let both = br#"{"title":"db1","status":"firing","severity":"ok"}"#;
        let post = read("x", both, None).expect("readable");
        assert_eq!(post.post.alerts[0].signal, Signal::Firing, "its state says so");
        let low = br#"{"title":"low disk","priority":"normal"}"#;
        let post = read("x", low, None).expect("readable");
        assert_eq!(post.post.alerts[0].signal, Signal::Firing, "a priority is no state");
    }

    #[test]
    fn a_cloud_event_is_named_by_its_type_at_least() {
        let body =
            br#"{"specversion":"1.0","type":"com.example.down","source":"/x","id":"1","data":{}}"#;
        let post = read("x", body, None).expect("readable");
        assert_eq!(post.post.alerts[0].facts.name, "com.example.down");
    }

    #[test]
    fn a_mapping_decides_alone() {
        let mapping = Mapping {
            list: "items".into(),
            name: "a.n".into(),
            status: "st".into(),
            resolved_words: vec!["gone".into()],
            labels: BTreeMap::from([("host".to_owned(), "a.h".to_owned())]),
            ..Mapping::default()
        };
        let body = br#"{"items":[{"a":{"n":"x","h":"db1"},"st":"gone"}]}"#;
        let post = read("x", body, Some(&mapping)).expect("readable");
        assert_eq!(post.post.alerts[0].facts.labels["host"], "db1");
        assert_eq!(post.post.alerts[0].signal, Signal::Resolved);
        assert!(read("x", b"{}", Some(&mapping)).is_err());
    }
}
