//! An obligation as data: who demands what, from which text, and by when.
//!
//! Invariants:
//! - A key that is not known is refused, so that a misspelt limit cannot vanish.
//! - A rule says from which text, and from which day's reading of it, it was written.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::anchor::Anchor;
use super::span::Span;

/// What binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleKind {
    /// A law, or an order of a regulator.
    Law,
    /// A contract, or the rules of a scheme that was joined.
    Contract,
}

/// One obligation, as read from its data file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What facts and the journal know it by; never changed.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What binds: a law or a contract.
    pub kind: RuleKind,
    /// Where it holds: `EU`, `US-NY`.
    pub jurisdiction: String,
    /// Who is told.
    pub authority: String,
    /// The text it was written from.
    pub source: Source,
    /// The day on which that text was last read; people check again when it is old.
    pub as_of: NaiveDate,
    /// Whether its clocks run. A rule that is not law yet is shipped disabled.
    pub enabled: bool,
    /// The first day it applies to: what its first clock counts from on an earlier day starts nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applies_from: Option<NaiveDate>,
    /// In plain words, when somebody has to look at it.
    pub applies_when: String,
    /// The zone whose days and months count, and in which times are told.
    pub zone: Tz,
    /// The calendar of its business days; needed where a limit counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// What a reader should know besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The determinations it asks for, by kind.
    pub triggers: BTreeMap<String, Trigger>,
    /// What must be sent, in order.
    pub stages: Vec<Stage>,
}

/// Where a rule can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The law or contract, by its official name.
    pub law: String,
    /// The article or section.
    pub article: String,
    /// How it is cited, so that counsel finds it.
    pub citation: String,
}

/// A determination that only a person can make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// What happened, in a few words that fit after "after": `becoming aware of the breach`.
    pub title: String,
    /// The question that is put to the person who decides.
    pub question: String,
    /// Determinations that cannot hold beside it: making it takes them back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contradicts: Vec<String>,
}

/// One thing that must be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// What facts know it by, unique in its rule.
    pub id: String,
    /// What is sent, to whom.
    pub title: String,
    /// The earliest of these is the deadline.
    pub limits: Vec<Limit>,
    /// It is owed only once this determination was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_if: Option<String>,
    /// It is not owed once this determination was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_if: Option<String>,
    /// What holds when the deadline is no working day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weekend: Option<Weekend>,
    /// It is owed again this long after each submission …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Span>,
    /// … until this determination was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// One limit of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// How long.
    pub within: Span,
    /// After what.
    pub after: Anchor,
    /// It counts only once this determination was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_if: Option<String>,
    /// It does not count once this determination was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_if: Option<String>,
    /// It counts in spite of `not_if` where this determination was made before it runs out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_if: Option<String>,
    /// It falls away when it runs out before this determination was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub void_unless: Option<String>,
    /// The time of day at which the last day ends, for offices that close: `17:30`.
    #[serde(default, with = "cut_off", skip_serializing_if = "Option::is_none")]
    pub by: Option<NaiveTime>,
}

/// What holds when a deadline falls on a day that is no working day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weekend {
    /// Some of those bound have until noon of the next working day, others not: both readings are
    /// shown, and the alarm is on the one without the grace.
    MayMoveToNoon,
    /// The one who is bound here has until noon of the next working day.
    MovesToNoon,
}

/// A rule that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the obligation in {file} cannot be read: {why}")]
pub struct BadRule {
    /// The file it was read from.
    pub file: String,
    /// What is wrong, with the place.
    pub why: String,
}

impl Rule {
    /// Reads the text of a data file; what it says is checked by [`Rule::check`].
    pub fn read(file: &str, text: &str) -> Result<Self, BadRule> {
        toml::from_str(text).map_err(|error| BadRule {
            file: file.to_owned(),
            why: error.to_string().trim_end().to_owned(),
        })
    }

    /// The stage with this id.
    pub fn stage(&self, id: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.id == id)
    }
}

impl Stage {
    /// The kinds of determination its conditions name.
    pub(super) fn conditions(&self) -> impl Iterator<Item = &str> {
        let own = [&self.only_if, &self.not_if, &self.until];
        let of_limits =
            self.limits.iter().flat_map(|l| [&l.only_if, &l.not_if, &l.stands_if, &l.void_unless]);
        own.into_iter().chain(of_limits).filter_map(Option::as_deref)
    }
}

/// A time of day written `17:30`.
mod cut_off {
    use chrono::NaiveTime;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    const FORMAT: &str = "%H:%M";

    #[expect(clippy::ref_option, reason = "the signature that serde calls")]
    pub(super) fn serialize<S: Serializer>(
        time: &Option<NaiveTime>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => serializer.collect_str(&time.format(FORMAT)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<NaiveTime>, D::Error> {
        let text: String = Deserialize::deserialize(deserializer)?;
        NaiveTime::parse_from_str(&text, FORMAT)
            .map(Some)
            .map_err(|_| D::Error::custom(format!("'{text}' is no time of day; write 17:30")))
    }
}
