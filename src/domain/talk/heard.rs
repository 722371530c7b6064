//! Words to people of ours of which one must get through: a clock of the law, an update that did not reach
//! all its readers.
//!
//! Invariants:
//! - Everything here is total and pure; what got through to somebody is not told again.

use serde::{Deserialize, Serialize};

use crate::domain::delivery::Wanted;
use crate::domain::incident::Incident;
use crate::domain::plan::Plan;
use crate::domain::reach;
use crate::domain::talk::Talk;
use crate::domain::talk::change::Lost;
use crate::domain::talk::promise::{AGAIN_MIN, STEPS_MAX};
use crate::domain::time::{MINUTE_MS, Timestamp};

/// Words that go out together, and of which one must get through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MustHear {
    /// What they say.
    pub why: String,
    /// The clocks of the law that they are about, each a rule and its stage: what is settled of them is
    /// not told again.
    pub clocks: Vec<(String, String)>,
    pub at: Timestamp,
    /// Their numbers; none where nobody could be told.
    pub pages: Vec<u32>,
    /// How often before they got through to nobody.
    pub step: u8,
}

/// How words about an update that did not reach all its readers begin.
pub(in crate::domain) const NOT_ALL: &str = "NOT ALL GOT IT";

/// What is told of an update that did not reach all its readers.
pub(in crate::domain) fn not_all_words(lost: &[Lost]) -> String {
    let words: Vec<String> = lost.iter().map(Lost::words).collect();
    format!("{NOT_ALL}: {}", words.join(", "))
}

/// Such words that are kept in view.
const MUST_HEAR_MAX: usize = 16;

impl Talk {
    /// Somebody must hear of it: these words, or others after them.
    pub(in crate::domain) fn must_hear(&mut self, word: MustHear) {
        self.must_hear.push(word);
        let more = self.must_hear.len().saturating_sub(MUST_HEAR_MAX);
        self.must_hear.drain(..more);
    }

    /// The same in the place of words that got through to nobody, or of which nobody could be told.
    pub(in crate::domain) fn heard_instead(
        &mut self,
        words: &[u32],
        (why, step): (&str, u8),
        pages: &[Wanted],
        at: Timestamp,
    ) {
        let known = self.must_hear.iter().position(|known| known.pages == *words);
        let clocks = known.map(|index| self.must_hear.remove(index).clocks).unwrap_or_default();
        let pages = numbers(pages);
        self.must_hear(MustHear { why: why.to_owned(), clocks, at, pages, step });
    }

    /// A clock of the law was settled, or all clocks of a rule: it is not told again.
    pub(in crate::domain) fn settled(&mut self, rule: &str, stage: Option<&str>) {
        self.must_hear.retain_mut(|word| {
            if word.clocks.is_empty() {
                return true;
            }
            word.clocks.retain(|(r, s)| r != rule || stage.is_some_and(|stage| stage != s));
            !word.clocks.is_empty()
        });
    }
}

/// The numbers of words.
pub(in crate::domain) fn numbers(pages: &[Wanted]) -> Vec<u32> {
    pages.iter().map(|page| page.number).collect()
}

/// When somebody can be told of whom nobody could be told at an instant: after a while, and not in hours
/// in which all of them are quiet.
pub(in crate::domain) fn somebody_after(
    incident: &Incident,
    plan: &Plan,
    at: Timestamp,
) -> Option<Timestamp> {
    reach::somebody_from(plan, incident.severity, at.plus(i64::from(AGAIN_MIN) * MINUTE_MS))
}

/// Words that got through to nobody, and when others are to hear them: at once; everybody again after a
/// while, for a channel that was down may be back.
pub fn unheard<'a>(incident: &'a Incident, plan: &Plan) -> Option<(Timestamp, &'a MustHear)> {
    let failed = incident.talk.must_hear.iter().filter_map(|it| {
        if it.pages.is_empty() {
            return Some((somebody_after(incident, plan, it.at)?, it));
        }
        let at = incident.esc.all_failed(&it.pages)?;
        let waits_ms = if it.step < STEPS_MAX - 1 { 0 } else { i64::from(AGAIN_MIN) * MINUTE_MS };
        Some((at.plus(waits_ms), it))
    });
    failed.filter(|_| incident.phase().is_live()).min_by_key(|(at, _)| *at)
}
