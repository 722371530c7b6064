//! What people have put on record about one obligation of one incident.
//!
//! Invariants:
//! - A fact names who stated it and when; the time it is about may lie before that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::time::Timestamp;

/// Everything on record for one rule and one incident.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Determinations that hold, by kind. One that was taken back is not here.
    #[serde(default)]
    pub triggers: BTreeMap<String, Determination>,
    /// What was sent, by stage; in the order of time.
    #[serde(default)]
    pub submissions: BTreeMap<String, Vec<Submission>>,
    /// Stages that somebody decided are not owed.
    #[serde(default)]
    pub not_applicable: BTreeMap<String, NotApplicable>,
}

/// What a person determined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Determination {
    /// When it was so: clocks count from here, however late it is entered.
    pub at: Timestamp,
    /// When it was put on record.
    pub entered_at: Timestamp,
    /// Who determined it.
    pub by: String,
    /// What it rests on.
    pub evidence: String,
}

/// One thing that was sent, with its proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// When it was handed in.
    pub at: Timestamp,
    /// Who handed it in.
    pub by: String,
    /// What the authority calls it.
    pub reference: String,
    /// SHA-256 of the file that was handed in, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Why it comes late, or out of its order: some laws want the reasons with it (GDPR Art. 33(1)).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// A decision that a stage is not owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotApplicable {
    /// Because of what.
    pub why: String,
    /// Who decided.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Facts {
    /// When a determination was so, if it was made.
    pub(super) fn when(&self, kind: &str) -> Option<Timestamp> {
        self.triggers.get(kind).map(|found| found.at)
    }

    /// The first submission of a stage.
    pub(super) fn first(&self, stage: &str) -> Option<&Submission> {
        self.submissions.get(stage)?.iter().min_by_key(|sent| sent.at)
    }

    /// The latest submission of a stage.
    pub(super) fn latest(&self, stage: &str) -> Option<&Submission> {
        self.submissions.get(stage)?.iter().max_by_key(|sent| sent.at)
    }
}

impl Submission {
    /// What its evidence lacks, in words: it needs the authority's reference or the hash of what
    /// was handed in.
    pub fn check(&self) -> Option<&'static str> {
        let is_hash = |hash: &String| {
            hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        match &self.sha256 {
            Some(hash) if !is_hash(hash) => Some("the hash is no SHA-256 in hexadecimal"),
            None if self.reference.trim().is_empty() => {
                Some("it needs a proof: the reference of the authority, or the file's SHA-256")
            }
            Some(_) | None => None,
        }
    }
}
