//! What a clock counts from: a determination of a person, or something that was sent.
//!
//! Invariants:
//! - Every anchor prints and parses to itself.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a limit begins to count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Anchor {
    /// A determination of this kind, written `trigger:aware`.
    Trigger(String),
    /// The first submission of this stage, written `submission:initial`.
    First(String),
    /// The latest submission of any of these stages, written
    /// `latest-submission:intermediate,recovered`: for laws that count from an updated report.
    Latest(Vec<String>),
}

/// A text that is no anchor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is nothing to count from; write trigger:aware, submission:initial or \
     latest-submission:intermediate"
)]
pub struct BadAnchor(pub String);

/// Whether a text is fit to name a kind of determination or a stage: `classified-major`.
pub(super) fn is_name(text: &str) -> bool {
    let is_inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    text.bytes().all(is_inside) && !text.is_empty() && !text.starts_with('-')
}

impl FromStr for Anchor {
    type Err = BadAnchor;
    fn from_str(text: &str) -> Result<Self, BadAnchor> {
        let bad = || BadAnchor(text.to_owned());
        let (kind, name) = text.split_once(':').ok_or_else(bad)?;
        let names: Vec<String> = name.split(',').map(str::to_owned).collect();
        if !names.iter().all(|name| is_name(name)) {
            return Err(bad());
        }
        match (kind, names.as_slice()) {
            ("trigger", [one]) => Ok(Self::Trigger(one.clone())),
            ("submission", [one]) => Ok(Self::First(one.clone())),
            ("latest-submission", _) => Ok(Self::Latest(names)),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trigger(kind) => write!(f, "trigger:{kind}"),
            Self::First(stage) => write!(f, "submission:{stage}"),
            Self::Latest(stages) => write!(f, "latest-submission:{}", stages.join(",")),
        }
    }
}

impl TryFrom<String> for Anchor {
    type Error = BadAnchor;
    fn try_from(text: String) -> Result<Self, BadAnchor> {
        text.parse()
    }
}

impl From<Anchor> for String {
    fn from(anchor: Anchor) -> Self {
        anchor.to_string()
    }
}
