//! Words to people of ours of which one must get through: a clock of the law, an update that did not reach
//! all its readers.
//!
//! Invariants:
//! - Everything here is total and pure; what got through to somebody is not told again.

use serde::{Deserialize, Serialize};

use crate::domain::delivery::Wanted;
use crate::domain::incident::Incident;
use crate::domain::talk::Talk;
use crate::domain::talk::promise::{AGAIN_MIN, STEPS_MAX};
use crate::domain::time::{MINUTE_MS, Timestamp};

/// Words that go out together, and of which one must get through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MustHear {
    /// What they say.
    pub why: String,
    /// Their numbers.
    pub pages: Vec<u32>,
    /// How often before they got through to nobody.
    pub step: u8,
}

/// How words about an update that did not reach all its readers begin.
pub(in crate::domain) const NOT_ALL: &str = "NOT ALL GOT IT";

/// Such words that are kept in view.
const MUST_HEAR_MAX: usize = 16;

impl Talk {
    /// Somebody must hear of it: these words, or others after them.
    pub(in crate::domain) fn must_hear(&mut self, why: &str, step: u8, pages: &[Wanted]) {
        if pages.is_empty() {
            return;
        }
        let pages = pages.iter().map(|page| page.number).collect();
        self.must_hear.push(MustHear { why: why.to_owned(), pages, step });
        let more = self.must_hear.len().saturating_sub(MUST_HEAR_MAX);
        self.must_hear.drain(..more);
    }

    /// The same in the place of words that got through to nobody.
    pub(in crate::domain) fn heard_instead(
        &mut self,
        words: &[u32],
        (why, step): (&str, u8),
        pages: &[Wanted],
    ) {
        // Where nobody else is left, they are told again in a while.
        let known = self.must_hear.iter_mut().find(|known| known.pages == *words);
        if let Some(known) = known.filter(|known| pages.is_empty() && known.step < step) {
            known.step = step;
            return;
        }
        self.must_hear.retain(|known| known.pages != *words);
        self.must_hear(why, step, pages);
    }
}

/// Words that got through to nobody, and when others are to hear them: at once; everybody again after a
/// while, for a channel that was down may be back.
pub fn unheard(incident: &Incident) -> Option<(Timestamp, &MustHear)> {
    let failed = incident.talk.must_hear.iter().filter_map(|it| {
        let at = incident.esc.all_failed(&it.pages)?;
        let waits_ms = if it.step < STEPS_MAX - 1 { 0 } else { i64::from(AGAIN_MIN) * MINUTE_MS };
        Some((at.plus(waits_ms), it))
    });
    failed.filter(|_| incident.phase().is_live()).min_by_key(|(at, _)| *at)
}
