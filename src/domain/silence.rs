//! Silences: alerts that match are put aside, now and when they come, until an end.
//!
//! A silence has an owner, a reason and an end, always. What it matched is counted, so that one that
//! matches nothing, or nearly everything, is seen. When it ends, alerts that have fired all the while
//! open their incident, which says why only now.
//!
//! Invariants:
//! - An alert is put aside by one silence at a time; when that ends and another still matches, the
//!   other one takes it over.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::domain::alert::{Alert, Held, Shelf};
use crate::domain::event::{AlertFacts, NAME_LABEL};
use crate::domain::plan::labels_match;
use crate::domain::room::Room;
use crate::domain::text::visible;
use crate::domain::time::{DAY_MS, HOUR_MS, Timestamp, span_words};

/// The longest silence, in milliseconds.
pub const SILENCE_MAX_MS: i64 = 30 * DAY_MS;
/// How long one that has ended is still listed, in milliseconds.
pub const LISTED_MS: i64 = 7 * DAY_MS;
/// Those that have ended and are still listed.
const ENDED_KEPT: usize = 100;
/// One that ends within this time ends soon, in milliseconds.
const SOON_MS: i64 = HOUR_MS;
/// Fewer alerts than this are no crowd.
const CROWD: u32 = 5;

/// How far a silence has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "kebab-case")]
pub enum Stage {
    /// It begins later.
    Pending,
    Active,
    /// By its end, or before it by somebody.
    Ended {
        at: Timestamp,
        early: Option<String>,
    },
}

/// Alerts that are put aside by their labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Names it, from 1.
    pub id: u32,
    /// Label → pattern, as in a rule: all must match.
    pub when: BTreeMap<String, String>,
    pub from: Timestamp,
    pub until: Timestamp,
    pub by: String,
    pub reason: String,
    /// Alerts that matched when it was made, and how many were known then.
    #[serde(default)]
    pub matched_then: u32,
    #[serde(default)]
    pub known_then: u32,
    pub stage: Stage,
    /// How often an alert was put aside by it, or repeated meanwhile.
    #[serde(default)]
    pub matched: u64,
    #[serde(default)]
    pub last_matched: Option<Timestamp>,
}

impl Silence {
    /// Whether it puts an alert with these labels aside at an instant.
    pub fn covers(&self, labels: &BTreeMap<String, String>, now: Timestamp) -> bool {
        self.stage == Stage::Active && now < self.until && labels_match(&self.when, labels)
    }

    /// How it puts one alert aside; with what that said when it began to fire.
    pub fn shelf(&self, held: Option<Held>) -> Shelf {
        Shelf {
            by: self.by.clone(),
            until: self.until,
            reason: self.reason.clone(),
            silence: Some(self.id),
            held: held.map(Box::new),
        }
    }

    /// As it was written: `alertname=Disk* cluster=eu1`.
    pub fn matchers(&self) -> String {
        let mut text = String::new();
        for (label, pattern) in &self.when {
            let quote = if pattern.contains(char::is_whitespace) { "\"" } else { "" };
            let space = if text.is_empty() { "" } else { " " };
            // Writing to a String does not fail.
            let _infallible = write!(text, "{space}{label}={quote}{pattern}{quote}");
        }
        text
    }

    /// Whether it matched most of what was known when it was made.
    pub const fn is_broad(&self) -> bool {
        self.matched_then >= CROWD && self.matched_then * 2 > self.known_then
    }

    /// One line of the ledger.
    pub fn words(&self, now: Timestamp) -> String {
        let when = match &self.stage {
            Stage::Pending => format!("begins {}", self.from.clock_near(now)),
            Stage::Active if self.until.since(now) <= SOON_MS => {
                let left = span_words(self.until.since(now).max(0));
                format!("ENDS SOON, in {left}")
            }
            Stage::Active => {
                let left = span_words(self.until.since(now));
                format!("until {} (in {left})", self.until.clock_near(now))
            }
            Stage::Ended { at, early: Some(by) } => format!("ended {} by {by}", at.clock_near(now)),
            Stage::Ended { at, early: None } => format!("ended {}", at.clock_near(now)),
        };
        let matched = match self.last_matched {
            Some(at) => format!("matched {} times, last {}", self.matched, at.clock_near(now)),
            None if self.stage == Stage::Pending => "not yet".to_owned(),
            None => "MATCHED NOTHING so far".to_owned(),
        };
        let broad = if self.is_broad() {
            format!(" · OVER-BROAD: {} of {} alerts", self.matched_then, self.known_then)
        } else {
            String::new()
        };
        let text = format!(
            "{:>3} {} · {when} · {matched}{broad} · {}: {}",
            self.id,
            self.matchers(),
            self.by,
            self.reason
        );
        visible(&text).into_owned()
    }

    /// What a page says that comes once it is over.
    pub fn epilogue(&self, now: Timestamp) -> String {
        format!(
            "fired under silence {} of {} ({}), which ended {}",
            self.id,
            self.by,
            self.reason,
            now.clock_minutes()
        )
    }
}

/// Reads `alertname=Disk* mount="/var lib"`; the error says what is wrong.
pub fn parse_matchers(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut when = BTreeMap::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let Some((label, after)) = rest.split_once('=') else {
            return Err(format!(
                "'{rest}' is no matcher; write label=pattern, e.g. alertname=Disk*"
            ));
        };
        let label = label.trim();
        let is_word = !label.is_empty() && !label.contains(char::is_whitespace);
        if !is_word {
            return Err(format!("'{label}' is no label; write label=pattern, e.g. job=api|db"));
        }
        let (pattern, left) = if let Some(quoted) = after.strip_prefix('"') {
            quoted.split_once('"').ok_or_else(|| format!("{label}: the quote has no end"))?
        } else {
            after.split_once(char::is_whitespace).unwrap_or((after, ""))
        };
        if when.insert(label.to_owned(), pattern.to_owned()).is_some() {
            return Err(format!("'{label}' is named twice; 'a|b' means one of both"));
        }
        rest = left.trim_start();
    }
    Ok(when)
}

/// The same of words that a shell has split: `mount=/var lib` is one of them.
pub fn of_words(words: &[String]) -> Result<BTreeMap<String, String>, String> {
    let mut when = BTreeMap::new();
    for word in words {
        let (label, pattern) = word.split_once('=').ok_or_else(|| {
            format!("'{word}' is no matcher; write label=pattern, e.g. alertname=Disk*")
        })?;
        let quoted = format!("{}=\"{}\"", label.trim(), pattern.trim_matches('"'));
        for (label, pattern) in parse_matchers(&quoted)? {
            if when.insert(label.clone(), pattern).is_some() {
                return Err(format!("'{label}' is named twice; 'a|b' means one of both"));
            }
        }
    }
    Ok(when)
}

/// Silences in the order in which they matter: what ends first, then what begins, then what ended.
pub fn ledger(silences: &[Silence]) -> Vec<&Silence> {
    let mut all: Vec<&Silence> = silences.iter().collect();
    all.sort_by_key(|silence| match &silence.stage {
        Stage::Active => (0, silence.until.0),
        Stage::Pending => (1, silence.from.0),
        Stage::Ended { at, .. } => (2, -at.0),
    });
    all
}

/// The label set as one line, without the name, which is shown beside it.
pub(crate) fn label_line(labels: &BTreeMap<String, String>) -> String {
    let mut line = String::new();
    for (label, value) in labels.iter().filter(|(label, _)| *label != NAME_LABEL) {
        if !line.is_empty() {
            line.push_str(", ");
        }
        line.push_str(label);
        line.push_str("=\"");
        for c in value.chars() {
            if matches!(c, '"' | '\\') {
                line.push('\\');
            }
            line.push(c);
        }
        line.push('"');
    }
    line
}

/// The labels of a known alert, as its line tells them.
pub fn labels_of(alert: &Alert) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let mut rest = alert.labels.as_str();
    while let Some((label, after)) = rest.split_once("=\"") {
        let mut value = String::new();
        let mut chars = after.char_indices();
        let mut end = after.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
                '"' => {
                    end = at + 1;
                    break;
                }
                other => value.push(other),
            }
        }
        labels.insert(label.to_owned(), value);
        let left = after.get(end..).unwrap_or_default();
        rest = left.strip_prefix(", ").unwrap_or(left);
    }
    if alert.is_named_by_label {
        labels.insert(NAME_LABEL.to_owned(), alert.name.clone());
    }
    labels
}

/// What a known alert said, as far as it is known.
pub fn facts_of(alert: &Alert) -> AlertFacts {
    AlertFacts {
        name: alert.name.clone(),
        summary: alert.summary.clone(),
        labels: labels_of(alert),
        starts_at: alert.starts_at,
        ends_at: alert.ends_at,
        severity_word: alert.severity_word.to_string(),
        ..AlertFacts::default()
    }
}

impl Room {
    /// The silence that puts an alert aside at an instant, if any.
    pub fn silence_over(&self, facts: &AlertFacts, now: Timestamp) -> Option<&Silence> {
        let mut active =
            self.desk.silences.values().filter(|s| s.stage == Stage::Active).peekable();
        active.peek()?;
        let labels = facts.labels_with_name();
        active.find(|silence| silence.covers(&labels, now))
    }

    /// Alerts that fire, are not put aside and match, and how many are known in all.
    pub fn matching(&self, when: &BTreeMap<String, String>) -> (Vec<String>, usize) {
        let firing = self.alerts.iter().filter(|(_, alert)| alert.is_firing);
        let firing: Vec<(&String, &Alert)> = firing.map(|(key, alert)| (key, &**alert)).collect();
        let is_meant = |alert: &Alert| {
            alert.shelf.is_none() && labels_match(when, &facts_of(alert).labels_with_name())
        };
        let matching = firing.iter().filter(|(_, alert)| is_meant(alert));
        (matching.map(|(key, _)| (*key).clone()).collect(), firing.len())
    }
}

/// Lets old ones go.
pub fn forget_ended(silences: &mut BTreeMap<u32, Silence>, now: Timestamp) {
    let is_listed = |silence: &Silence| match &silence.stage {
        Stage::Ended { at, .. } => now.since(*at) < LISTED_MS,
        Stage::Pending | Stage::Active => true,
    };
    silences.retain(|_, silence| is_listed(silence));
    let ended = |silences: &BTreeMap<u32, Silence>| -> Vec<u32> {
        let over = silences.values().filter(|s| matches!(s.stage, Stage::Ended { .. }));
        over.map(|silence| silence.id).collect()
    };
    let over = ended(silences);
    for id in over.iter().take(over.len().saturating_sub(ENDED_KEPT)) {
        silences.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_are_read_as_they_are_written() {
        let table = [
            ("alertname=Disk*", Ok(vec![("alertname", "Disk*")])),
            (
                "  job=api|db  mount=\"/var lib\" x=",
                Ok(vec![("job", "api|db"), ("mount", "/var lib"), ("x", "")]),
            ),
            ("", Ok(vec![])),
            ("Disk", Err("no matcher")),
            ("a b=c", Err("no label")),
            ("=c", Err("no label")),
            ("a=\"b", Err("no end")),
            ("a=b a=c", Err("named twice")),
        ];
        for (text, expected) in table {
            let read = parse_matchers(text);
            match expected {
                Ok(list) => {
                    let list = list.into_iter().map(|(l, p)| (l.to_owned(), p.to_owned()));
                    assert_eq!(read.as_ref(), Ok(&list.collect()), "{text}");
                }
                Err(words) => {
                    let error = read.expect_err(text);
                    assert!(error.contains(words), "{text}: {error}");
                }
            }
        }
    }

    #[test]
    fn labels_are_the_same_after_they_were_a_line() {
        let odd = [("a", "x\", cluster=\"eu1"), ("b", "c:\\dir\\"), ("c", ""), ("é", "ü=\"\"")];
        let labels: BTreeMap<String, String> =
            odd.into_iter().map(|(label, value)| (label.to_owned(), value.to_owned())).collect();
        let facts = AlertFacts { labels: labels.clone(), ..AlertFacts::default() };
        let alert = Alert { labels: label_line(&facts.labels), ..alert() };
        assert_eq!(labels_of(&alert), labels);
        let named = Alert { is_named_by_label: true, name: "Disk".to_owned(), ..alert };
        assert_eq!(labels_of(&named).get("alertname").map(String::as_str), Some("Disk"));
    }

    fn alert() -> Alert {
        Alert {
            name: String::new(),
            summary: String::new(),
            labels: String::new(),
            is_named_by_label: false,
            severity_word: "".into(),
            group: None,
            source: String::new(),
            incident: None,
            rule: String::new(),
            is_firing: true,
            is_answered: false,
            shelf: None,
            flap: None,
            starts_at: None,
            ends_at: None,
            since: Timestamp(0),
            last_seen: Timestamp(0),
            repeats: 0,
            changes: Vec::new(),
        }
    }
}
