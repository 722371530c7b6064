//! What a template may say: a fixed set of values, made safe before they are filled in.
//!
//! Invariants:
//! - Every text is free of control, bidirectional and hidden characters; those of one line hold
//!   no line's end.
//! - What is not known is not there, so that a template that needs it fails and names it.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use minijinja::Value;

use crate::domain::text::{visible, visible_lines};
use crate::domain::time::{Timestamp, span_words};

/// What is known of an incident when an update is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// `INC-7`.
    pub incident: String,
    /// The title for this audience.
    pub title: String,
    /// `SEV1` … `SEV5`.
    pub severity: String,
    /// Which part of its life it is in, in the reader's words.
    pub phase: String,
    /// The services that are affected.
    pub services: Vec<String>,
    /// Those of them that other open incidents affect too.
    pub still_affected: Vec<String>,
    /// What happens, in a sentence or more.
    pub what: Option<String>,
    /// Who is affected and how.
    pub impact: Option<String>,
    /// What is being done.
    pub action: Option<String>,
    /// When impact began.
    pub started: Timestamp,
    /// Now, from which the duration is taken.
    pub now: Timestamp,
    /// When the next update comes; nothing with the last one.
    pub next_update: Option<Timestamp>,
    /// Whether this is the first that this reader hears.
    pub is_first: bool,
    /// Whether nothing at all works, the only case that is called an outage.
    pub is_total: bool,
    /// Whether data was lost, in a sentence; must be said at the end.
    pub data_loss: Option<String>,
    /// What remains, in a sentence; must be said at the end, also when it is nothing.
    pub lingering: Option<String>,
    /// Who says so.
    pub author: String,
    /// The zone of the reader, in which times are told.
    pub zone: Tz,
}

/// A name that templates may use, and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// The name.
    pub name: &'static str,
    /// What it holds.
    pub means: &'static str,
}

/// Every name that templates may use.
pub const fn context_names() -> &'static [Meaning] {
    const fn of(name: &'static str, means: &'static str) -> Meaning {
        Meaning { name, means }
    }
    const NAMES: &[Meaning] = &[
        of("incident", "the incident's number, INC-7"),
        of("title", "its title for this audience"),
        of("severity", "SEV1 to SEV5"),
        of("phase", "which part of its life it is in"),
        of("services", "a list of the services that are affected"),
        of("still_affected", "a list of those that other open incidents affect too"),
        of("what", "what happens; may be missing"),
        of("impact", "who is affected and how; may be missing"),
        of("action", "what is being done; may be missing"),
        of("started", "when impact began, in the reader's zone"),
        of("duration", "how long it has lasted"),
        of("next_update", "when the next update comes, in the reader's zone; missing in the last"),
        of("is_first", "whether this is the first that the reader hears"),
        of("is_total", "whether nothing at all works"),
        of("data_loss", "whether data was lost; must be given at the end"),
        of("lingering", "what remains; must be given at the end"),
        of("author", "who says so"),
    ];
    NAMES
}

/// A time as its reader's clock shows it: `2026-11-25 14:30 CET`.
fn local(zone: Tz, at: Timestamp) -> Value {
    at.plus(0).utc().with_timezone(&zone).format("%Y-%m-%d %H:%M %Z").to_string().into()
}

fn line(text: &str) -> Value {
    Value::from(visible(text).trim())
}

fn lines(text: &str) -> Value {
    Value::from(visible_lines(text).trim())
}

impl Known {
    /// The values by name; what is not known has none.
    pub(super) fn values(&self) -> BTreeMap<&'static str, Value> {
        let list = |names: &[String]| names.iter().map(|name| line(name)).collect::<Vec<Value>>();
        let known = |text: &Option<String>| {
            text.as_deref().filter(|text| !text.trim().is_empty()).map(lines)
        };
        let values = [
            ("incident", Some(line(&self.incident))),
            ("title", Some(line(&self.title))),
            ("severity", Some(line(&self.severity))),
            ("phase", Some(line(&self.phase))),
            ("services", Some(list(&self.services).into())),
            ("still_affected", Some(list(&self.still_affected).into())),
            ("what", known(&self.what)),
            ("impact", known(&self.impact)),
            ("action", known(&self.action)),
            ("started", Some(local(self.zone, self.started))),
            ("duration", Some(span_words(self.now.since(self.started).max(0)).into())),
            ("next_update", self.next_update.map(|at| local(self.zone, at))),
            ("is_first", Some(self.is_first.into())),
            ("is_total", Some(self.is_total.into())),
            ("data_loss", known(&self.data_loss)),
            ("lingering", known(&self.lingering)),
            ("author", Some(line(&self.author))),
        ];
        values.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}
