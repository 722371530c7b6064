//! Prometheus' Alertmanager: its webhook (version "4", and what older ones sent), and its own
//! `/api/v2/alerts`, so that Prometheus can post here directly.
//!
//! Facts (Alertmanager documentation, configuration and alerts API): a firing alert carries the
//! zero time as its end; a group's status is firing if any alert fires; `truncatedAlerts` counts
//! what was left out, whose absence means nothing; an alert posted to the API without an end ends
//! after the resolve timeout unless it is posted again.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::event::AlertFacts;
use crate::domain::post::{Incoming, Post, Signal};
use crate::domain::time::{MINUTE_MS, Timestamp};
use crate::ingest::caps::{Loose, cap, plain, summary_of};
use crate::ingest::{ALERTS_MAX, Refused, Taken, fingerprint_of, sorted};

/// Alertmanager's default `resolve_timeout`.
const RESOLVE_TIMEOUT_MS: i64 = 5 * MINUTE_MS;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Webhook<'a> {
    #[serde(borrow, default)]
    group_key: Option<&'a RawValue>,
    #[serde(default)]
    status: Option<Loose>,
    alerts: Vec<Alert>,
    #[serde(default)]
    truncated_alerts: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    #[serde(default)]
    status: Option<Loose>,
    #[serde(default, deserialize_with = "plain")]
    labels: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "plain")]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    starts_at: Option<Loose>,
    #[serde(default)]
    ends_at: Option<Loose>,
    #[serde(default, rename = "generatorURL")]
    generator_url: Option<Loose>,
    #[serde(default)]
    fingerprint: Option<Loose>,
}

/// Reads a webhook's body.
pub fn webhook(source: &str, body: &[u8], now: Timestamp) -> Result<Taken, Refused> {
    let read: Webhook<'_> = serde_json::from_slice(body)
        .map_err(|e| Refused::bad(format!("not an Alertmanager webhook: {e}")))?;
    if read.alerts.len() > ALERTS_MAX {
        return Err(too_many(read.alerts.len()));
    }
    let group = read.group_key.map(|raw| {
        serde_json::from_str::<String>(raw.get()).unwrap_or_else(|_| raw.get().to_owned())
    });
    let group = group.filter(|g| !g.is_empty() && g != "null").map(|mut g| {
        crate::domain::text::cut_bytes(&mut g, 1_024);
        g
    });
    let status = read.status.unwrap_or_default().0;
    let (alerts, odd) = sorted(read.alerts.into_iter().map(|alert| one(alert, &status, now)))?;
    let (source, truncated) = (source.to_owned(), read.truncated_alerts);
    Ok(Taken { post: Post { source, group, alerts, truncated }, odd })
}

/// Reads the body of `POST /api/v2/alerts`.
pub fn api_v2(source: &str, body: &[u8], now: Timestamp) -> Result<Taken, Refused> {
    let read: Vec<Alert> = serde_json::from_slice(body)
        .map_err(|e| Refused::bad(format!("not a list of alerts: {e}")))?;
    if read.len() > ALERTS_MAX {
        return Err(too_many(read.len()));
    }
    let read = read.into_iter().map(|alert| {
        if alert.labels.is_empty() {
            return Err("it has no labels".to_owned());
        }
        let mut incoming = one(alert, "", now)?;
        if incoming.signal == Signal::Firing && incoming.facts.ends_at.is_none() {
            incoming.facts.ends_at = Some(now.plus(RESOLVE_TIMEOUT_MS));
        }
        Ok(incoming)
    });
    let (alerts, odd) = sorted(read)?;
    Ok(Taken { post: Post { source: source.to_owned(), group: None, alerts, truncated: 0 }, odd })
}

fn too_many(count: usize) -> Refused {
    Refused { status: 413, what: format!("{count} alerts in one post; the limit is {ALERTS_MAX}") }
}

/// A time, where one is given; the zero time and the empty text are none.
fn time(field: &str, given: Option<&Loose>) -> Result<Option<Timestamp>, String> {
    let Some(text) = given.map(|loose| loose.0.trim()).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let at: Timestamp =
        text.parse().map_err(|_| format!("{field} '{}' is not a time", short(text)))?;
    Ok((at.0 > -62_000_000_000_000).then_some(at))
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

fn one(alert: Alert, group_status: &str, now: Timestamp) -> Result<Incoming, String> {
    let starts_at = time("startsAt", alert.starts_at.as_ref())?;
    let ends_at = time("endsAt", alert.ends_at.as_ref())?;
    let said = alert.status.map(|status| status.0).unwrap_or_default();
    let status = if said.is_empty() { group_status } else { said.as_str() };
    let signal = match status.to_ascii_lowercase().as_str() {
        "resolved" => {
            if ends_at.is_none() && alert.ends_at.is_some() {
                return Err("it is resolved but its endsAt is the zero time".to_owned());
            }
            Signal::Resolved
        }
        "" if ends_at.is_some_and(|end| end <= now) => Signal::Resolved,
        "firing" | "" => Signal::Firing,
        other => {
            return Err(format!("status '{}' is neither firing nor resolved", short(other)));
        }
    };
    let labels = alert.labels;
    let given = alert.fingerprint.map(|f| f.0).unwrap_or_default();
    let fingerprint = if given.is_empty() { fingerprint_of(&labels) } else { given };
    let severity_word =
        labels.get("severity").or_else(|| labels.get("priority")).cloned().unwrap_or_default();
    let mut facts = AlertFacts {
        name: labels.get("alertname").cloned().unwrap_or_default(),
        summary: String::new(),
        labels,
        annotations: alert.annotations,
        starts_at,
        ends_at: (signal == Signal::Firing).then_some(ends_at).flatten(),
        url: alert.generator_url.map(|url| url.0).unwrap_or_default(),
        severity_word: String::new(),
    };
    facts.summary = summary_of(&facts);
    Ok(cap(Incoming { fingerprint, signal, severity_word, facts }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_411_899_741);

    #[test]
    fn the_zero_time_is_no_end() {
        let body =
            br#"{"version":"4","groupKey":"g","status":"firing","alerts":[{"status":"firing",
            "labels":{"alertname":"A","severity":"critical"},"endsAt":"0001-01-01T00:00:00Z"}]}"#;
        let post = webhook("am", body, NOW).expect("readable").post;
        assert_eq!(post.alerts[0].facts.ends_at, None);
        assert_eq!(post.alerts[0].severity_word, "critical");
        assert_eq!(post.group.as_deref(), Some("g"));
    }

    #[test]
    fn numbers_where_texts_belong_are_read() {
        let body =
            br#"{"groupKey":43434343434343434343,"alerts":[{"labels":{"alertname":"A","n":5}}]}"#;
        let post = webhook("am", body, NOW).expect("readable").post;
        assert_eq!(post.group.as_deref(), Some("43434343434343434343"));
        assert_eq!(post.alerts[0].facts.labels["n"], "5");
    }

    #[test]
    fn an_alert_without_an_end_ends_after_the_resolve_timeout() {
        let post =
            api_v2("prom", br#"[{"labels":{"alertname":"A"}}]"#, NOW).expect("readable").post;
        assert_eq!(post.alerts[0].facts.ends_at, Some(NOW.plus(RESOLVE_TIMEOUT_MS)));
        let ended = br#"[{"labels":{"alertname":"A"},"endsAt":"2020-01-01T00:00:00Z"}]"#;
        let post = api_v2("prom", ended, NOW).expect("readable").post;
        assert_eq!(post.alerts[0].signal, Signal::Resolved);
    }

    #[test]
    fn one_that_cannot_be_read_takes_no_other_with_it() {
        let body = br#"[{"labels":{"alertname":"A"}},{"labels":{}},{"labels":{"alertname":"B"}}]"#;
        let taken = api_v2("prom", body, NOW).expect("two of them");
        assert_eq!(taken.post.alerts.len(), 2);
        assert_eq!(taken.odd, ["alert 1: it has no labels"]);
        let body = br#"{"alerts":[{"labels":{"alertname":"A"},"endsAt":"never"},{"labels":{}}]}"#;
        let taken = webhook("am", body, NOW).expect("one of them");
        assert_eq!(taken.odd, ["alert 0: endsAt 'never' is not a time"]);
    }

    #[test]
    fn what_cannot_be_read_is_refused_in_words() {
        let told = |body: &[u8]| webhook("am", body, NOW).map(|_| ()).map_err(|e| e.what);
        let bad_end =
            br#"{"alerts":[{"status":"resolved","labels":{},"endsAt":"0001-01-01T00:00:00Z"}]}"#;
        assert_eq!(
            told(bad_end),
            Err("alert 0: it is resolved but its endsAt is the zero time".into())
        );
        let bad_time = br#"{"alerts":[{"labels":{},"startsAt":"yesterday"}]}"#;
        assert_eq!(told(bad_time), Err("alert 0: startsAt 'yesterday' is not a time".into()));
        assert!(told(b"{").is_err());
        assert!(told(b"\xff\xfe").is_err());
    }
}
