//! What proves that a stakeholder was told.

use serde::{Deserialize, Serialize};

use crate::domain::delivery::{Attempt, Delivery};
use crate::domain::words::AttemptResult;

/// Failures that are told in words for one stakeholder.
const FAILURES_KEPT: usize = 5;

/// What proves that a stakeholder was told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Proof {
    /// Of which update.
    pub update: u32,
    /// Messages that are on their way or wait to be sent.
    pub open: u32,
    /// Taken by a machine on the other side, which said so.
    pub accepted: u32,
    /// Given away without a word from the other side.
    pub handed_over: u32,
    /// Got through by no method.
    pub failed: u32,
    /// It is on the status page.
    pub published: bool,
    /// The last code or words of another side, and the first failures.
    pub detail: String,
    pub failures: Vec<String>,
}

impl Proof {
    /// Takes a message that is over.
    pub(super) fn take(&mut self, delivery: &Delivery) {
        self.open = self.open.saturating_sub(1);
        let taken = |attempt: &&Attempt| {
            matches!(attempt.result, Some(AttemptResult::Accepted | AttemptResult::HandedOver))
        };
        let best = delivery.attempts.iter().rfind(taken).or(delivery.attempts.last());
        let method = best.and_then(|a| delivery.wanted.methods.get(usize::from(a.method)));
        let (method, detail) =
            (method.map_or("", |m| m.name.as_str()), best.map_or("", |a| a.detail.as_str()));
        let words = format!("{method}: {detail}");
        if delivery.is_accepted {
            self.accepted += 1;
            self.detail = words;
        } else if delivery.is_handed_over {
            self.handed_over += 1;
            self.detail = words;
        } else {
            self.failed += 1;
            if self.failures.len() < FAILURES_KEPT {
                self.failures.push(words);
            }
        }
    }

    /// Whether some of it got through, or may still.
    pub const fn is_told(&self) -> bool {
        self.published || self.accepted > 0 || self.handed_over > 0 || self.open > 0
    }

    /// Whether nothing but the status page tells them.
    pub const fn is_on_page_alone(&self) -> bool {
        self.published && self.accepted == 0 && self.handed_over == 0 && self.open == 0
    }

    /// Messages that were to be sent.
    pub const fn messages(&self) -> u32 {
        self.open + self.accepted + self.handed_over + self.failed
    }

    /// In a few words: `accepted 12, FAILED 1`. `is_page_old`: the status page cannot be written.
    pub fn words(&self, is_page_old: bool) -> String {
        let mut parts = Vec::new();
        if self.published {
            let how = if is_page_old { "NOT YET on the status page" } else { "on the status page" };
            parts.push(how.to_owned());
        }
        let counts = [
            (self.accepted, "accepted"),
            (self.handed_over, "handed over"),
            (self.open, "on the way"),
            (self.failed, "FAILED"),
        ];
        let total: u32 = counts.iter().map(|(count, _)| count).sum();
        for (count, word) in counts.into_iter().filter(|(count, _)| *count > 0) {
            parts.push(if total == 1 { word.to_owned() } else { format!("{count} {word}") });
        }
        parts.join(", ")
    }
}
