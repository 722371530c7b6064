//! Whether the status page shows what was said to it.
//!
//! Invariants:
//! - Everything here is total and pure.

use serde::{Deserialize, Serialize};

use crate::domain::incident::{Incident, Told};
use crate::domain::talk::promise::{Promise, What};
use crate::domain::talk::{Proof, Standing, Update};
use crate::domain::time::{MINUTE_MS, Timestamp};

/// Minutes in which what was said is carried to the page.
const PAGE_MIN: i64 = 2;

/// The status page does not show what was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageDown {
    /// Since when it is known.
    pub at: Timestamp,
    /// What was said until then is on it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Timestamp>,
}

impl PageDown {
    /// Whether what was said then is not on it. Where nobody knows what it shows, what was said long before
    /// it failed was there by that time.
    fn hides(self, said: Timestamp) -> bool {
        let guess = || said.plus(PAGE_MIN * MINUTE_MS) > self.at;
        self.shown.map_or_else(guess, |shown| said > shown)
    }
}

/// Whether the status page does not show what was said to it then.
pub fn is_off_page(incident: &Incident, said: Timestamp) -> bool {
    incident.talk.page_down.is_some_and(|down| down.hides(said))
}

/// What was sent and told nobody anything: by no way, or to a page that does not show it.
pub(in crate::domain) fn unreached<'a>(
    incident: &'a Incident,
    who: &'a str,
    told: &Told,
) -> Option<Promise<'a>> {
    let (what, since) = (What::Unreached, told.at);
    // What is to be carried away takes its time, and is tried again.
    let is_alone = incident.talk.proofs.get(who).is_some_and(Proof::is_on_page_alone);
    let down = incident.talk.page_down.filter(|down| is_alone && down.hides(told.at));
    let due = down.map_or(told.at, |down| down.at.max(told.at).plus(PAGE_MIN * MINUTE_MS));
    let is_open = told.update.is_some() && (down.is_some() || incident.talk.is_unreached(who));
    is_open.then_some(Promise { who, what, since, due, is_given: false })
}

impl Promise<'_> {
    /// Where what was sent told nobody anything: how, and when it was sent.
    pub fn unreached_words(&self, incident: &Incident, now: Timestamp) -> Option<String> {
        let at = self.since.clock_near(now);
        let proof = incident.talk.proofs.get(self.who);
        match (self.what, proof.is_some_and(Proof::is_on_page_alone)) {
            (What::Unreached, true) => {
                Some(format!("NOT ON THE STATUS PAGE: what was said at {at}"))
            }
            (What::Unreached, false) => Some(format!("GOT THROUGH TO NOBODY at {at}")),
            (What::First | What::Next | What::Last, _) => None,
        }
    }
}

/// Whether its readers got an update, in the words of a report.
pub fn told_how(incident: &Incident, update: &Update) -> &'static str {
    let Standing::Sent { at, .. } = &update.standing else { return "NOT SENT" };
    let to = &update.draft.to;
    let mut proofs = to.iter().filter_map(|who| incident.talk.proofs.get(who));
    let is_on_it = proofs.any(|proof| proof.published);
    match () {
        () if is_on_it && is_off_page(incident, *at) => "NOT YET ON THE STATUS PAGE",
        () if to.iter().all(|who| incident.talk.is_unreached(who)) => "GOT THROUGH TO NOBODY",
        () => "the public was told",
    }
}
