//! What is said to those who must know of one incident: updates, promises, inquiries, feedback.
//!
//! An update is drafted, approved where the plan says so, and sent; each that must get it is a
//! delivery of its own, or is told by hand. What is promised is derived (`promise`), never stored.
//!
//! Invariants:
//! - Everything here is total: it follows from the stream of one incident.
//! - A delivery that is over is folded into the proof of whom it was for, so that what the room
//!   holds does not grow with the number of recipients; each attempt stays in the journal.

pub mod change;
pub mod heard;
pub mod page;
pub mod promise;
mod proof;
pub mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::delivery::{Delivery, Origin, Stand};
use crate::domain::ids::Seq;
use crate::domain::stakeholder::Audience;
use crate::domain::talk::change::{Draft, Inquiry, MissedOne, Posted, Sent, TalkChange};
use crate::domain::talk::page::PageDown;
pub use crate::domain::talk::proof::Proof;
use crate::domain::time::Timestamp;
use crate::domain::words::Severity;

/// Updates of one incident that are kept in the room; all of them are in the journal.
const UPDATES_KEPT: usize = 60;
/// How long a message waits for the same words about other incidents, in milliseconds.
pub const TOGETHER_MS: i64 = 2_000;

/// How an update stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Standing {
    /// Somebody must approve it.
    Waiting,
    /// It went out.
    Sent {
        at: Timestamp,
        by: String,
        /// Why nobody else looked at it, where somebody should have.
        forced: Option<String>,
    },
    /// It will not be sent; who took it back (empty: not known).
    Withdrawn {
        reason: String,
        #[serde(default)]
        by: String,
    },
}

/// An update as the room knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    pub draft: Draft,
    pub by: String,
    pub at: Timestamp,
    /// The entry that holds its words.
    pub entry: Seq,
    pub standing: Standing,
    /// Messages that are to follow still, in events of their own.
    #[serde(default)]
    pub more: u32,
    /// Who may look at it, and got no message that it waits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uncalled: Vec<String>,
}

impl Update {
    /// Something became of it while it waited for somebody's look.
    fn waited(&mut self, change: &TalkChange, by: &str) {
        if let TalkChange::Withdrawn { reason, .. } = change {
            self.standing = Standing::Withdrawn { reason: reason.clone(), by: by.to_owned() };
        } else if let TalkChange::LookLost { people, .. } = change {
            self.uncalled.extend(people.iter().cloned());
        }
    }

    /// Those whom the plan names to look at it, but for whoever wrote it; where there is nobody else, who may
    /// is as its `approval` says.
    pub fn approvers(&self) -> Vec<&str> {
        let named = self.draft.approvers.iter().map(String::as_str);
        named.filter(|login| *login != self.by).collect()
    }

    /// Whom no message told that it waits, in words; empty where there is nobody.
    pub fn uncalled_words(&self) -> String {
        match self.uncalled.as_slice() {
            [] => String::new(),
            people => format!(" · NO MESSAGE REACHED {}", people.join(", ")),
        }
    }
}

/// A message of an update that is still open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Of which update.
    pub update: u32,
    /// The stakeholder.
    pub who: String,
    pub language: String,
    pub delivery: Delivery,
}

/// An inquiry of the press, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub inquiry: Inquiry,
    /// What it is called where it is waited for: `press 1 (Evening News)`.
    #[serde(default)]
    pub label: String,
    pub by: String,
    pub at: Timestamp,
    /// When its embargo was agreed on as it is: a reason that was given before does not hold for it.
    #[serde(default)]
    pub embargo_since: Timestamp,
    /// Nobody waits for the answer by a time: that was agreed on.
    #[serde(default)]
    pub is_timeless: bool,
    /// The entry that holds the question, and the one that holds the answer.
    pub entry: Seq,
    #[serde(default)]
    pub answered: Seq,
    /// Who answered, and what.
    pub answer: Option<(String, String)>,
    /// When they had the holding statement last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_at: Option<Timestamp>,
}

impl Asked {
    /// Something became of it.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the room's `apply` is the exhaustive list")]
    fn apply(&mut self, change: &TalkChange, at: Timestamp, entry: Seq) {
        match change {
            TalkChange::InquiryMoved { answer_by, embargo, timeless, .. } => {
                if self.inquiry.embargo != *embargo {
                    self.embargo_since = at;
                }
                let had_time = self.inquiry.answer_by.is_some();
                self.is_timeless |= answer_by.is_none() && (*timeless || had_time);
                (self.inquiry.answer_by, self.inquiry.embargo) = (*answer_by, *embargo);
            }
            TalkChange::InquiryHeld { answer_by, .. } => {
                self.held_at = Some(at);
                self.inquiry.answer_by = answer_by.or(self.inquiry.answer_by);
            }
            TalkChange::InquiryAnswered { text, by, .. } => {
                self.answer = Some((by.clone(), text.clone()));
                self.answered = entry;
            }
            _ => {}
        }
    }
}

/// What the press hears until more can be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    pub text: String,
    pub by: String,
    pub at: Timestamp,
    pub entry: Seq,
}

/// How content somebody was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feedback {
    /// 1 (bad) to 5 (good).
    pub score: u8,
    pub text: String,
    pub entry: Seq,
}

/// How the miss of a deadline was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissTold {
    pub due: Timestamp,
    pub at: Timestamp,
    /// How often before.
    pub step: u8,
    /// The numbers of the words about it; none where nobody could be told.
    pub pages: Vec<u32>,
}

/// What is said to those who must know of one incident.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Talk {
    pub updates: Vec<Update>,
    pub last_update: u32,
    /// Messages that are still open, by their number.
    #[serde(with = "as_list")]
    pub letters: BTreeMap<u32, Letter>,
    /// Since when the status page does not show what was said, if that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_down: Option<PageDown>,
    /// Stakeholder → what they were sent, as far as it is known.
    pub proofs: BTreeMap<String, Proof>,
    /// Stakeholders who must be told by hand what an update says.
    pub by_hand: BTreeMap<String, u32>,
    /// Since when those must know who must know.
    pub since: Timestamp,
    /// Severity → since when it was so bad, each time that it was raised.
    pub raised: Vec<(Severity, Timestamp)>,
    /// A long incident: words come less often, as somebody decided.
    pub is_long: bool,
    /// Stakeholder → the deadline whose miss was told, and how.
    pub missed: BTreeMap<String, MissTold>,
    /// Stakeholder → the update of which it was told that some did not get it.
    pub lost: BTreeMap<String, u32>,
    /// Words of which one must get through.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub must_hear: Vec<heard::MustHear>,
    /// Stakeholder → since when they must know, where that is later than for everybody: the plan, or
    /// what is broken, changed since.
    pub joined: BTreeMap<String, Timestamp>,
    pub inquiries: Vec<Asked>,
    /// The holding statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holding: Option<Holding>,
    /// Stakeholder → how content they were.
    pub feedback: BTreeMap<String, Feedback>,
}

mod as_list {
    //! Open messages as a list: their numbers are in them, and keys that are no strings do not pass
    //! through every form.

    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Letter;

    pub(super) fn serialize<S: Serializer>(
        letters: &BTreeMap<u32, Letter>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        letters.values().collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<u32, Letter>, D::Error> {
        let list = Vec::<Letter>::deserialize(deserializer)?;
        Ok(list.into_iter().map(|letter| (letter.delivery.wanted.number, letter)).collect())
    }
}

impl Talk {
    /// The update of a number, if it is still kept.
    pub fn update(&self, number: u32) -> Option<&Update> {
        self.updates.iter().find(|update| update.draft.update == number)
    }

    /// From now on those must know who must.
    pub(super) fn begin(&mut self, severity: Severity, at: Timestamp) {
        self.since = at;
        self.raised = vec![(severity, at)];
    }

    /// Since when somebody must know who is told from a severity on: from when it was that bad, or
    /// from when it concerned them.
    pub fn since(&self, who: &str, from: Severity) -> Timestamp {
        let found = self.raised.iter().find(|(severity, _)| *severity <= from);
        let bad = found.map_or(self.since, |(_, at)| *at);
        self.joined.get(who).map_or(bad, |joined| bad.max(*joined))
    }

    /// Whether the update that somebody was sent reached them by no way.
    pub fn is_unreached(&self, who: &str) -> bool {
        self.proofs.get(who).is_some_and(|proof| proof.failed > 0 && !proof.is_told())
    }

    /// What the incident was called towards an audience last.
    pub fn title(&self, audience: Audience) -> Option<&str> {
        let is_kept = |update: &&Update| !matches!(update.standing, Standing::Withdrawn { .. });
        let of = self.updates.iter().rev().filter(is_kept).map(|update| &update.draft);
        let found = of.filter(|draft| draft.audience == audience).map(|draft| draft.title.as_str());
        found.into_iter().find(|title| !title.is_empty())
    }

    /// Updates that somebody must approve.
    pub fn waiting(&self) -> impl Iterator<Item = &Update> {
        self.updates.iter().filter(|update| update.standing == Standing::Waiting)
    }

    /// Changes the open message of a number; what is over becomes a proof.
    pub(super) fn with_letter(&mut self, number: u32, change: impl FnOnce(&mut Delivery)) {
        let Some(letter) = self.letters.get_mut(&number) else { return };
        change(&mut letter.delivery);
        if letter.delivery.is_open() && !matches!(letter.delivery.stand, Stand::Waiting { .. }) {
            return;
        }
        if let Some(letter) = self.letters.remove(&number) {
            // What is heard of an earlier update proves nothing of this one.
            let proof = self.proofs.get_mut(&letter.who);
            if let Some(proof) = proof.filter(|proof| proof.update == letter.update) {
                proof.take(&letter.delivery);
            }
        }
    }

    pub(super) fn drafted(&mut self, draft: &Draft, by: &str, at: Timestamp, entry: Seq) {
        self.last_update = self.last_update.max(draft.update);
        let (draft, by) = (draft.clone(), by.to_owned());
        let (standing, uncalled) = (Standing::Waiting, Vec::new());
        self.updates.push(Update { draft, by, at, entry, standing, more: 0, uncalled });
        let surplus = self.updates.len().saturating_sub(UPDATES_KEPT);
        for _ in 0..surplus {
            let is_out = |n: u32| self.letters.values().any(|letter: &Letter| letter.update == n);
            let is_over = |update: &Update| {
                update.standing != Standing::Waiting && !is_out(update.draft.update)
            };
            let Some(over) = self.updates.iter().position(is_over) else { break };
            self.updates.remove(over);
        }
    }

    /// An update goes out; the stakeholders who are told by it.
    pub(super) fn sent(&mut self, sent: &Sent, by: &str, at: Timestamp) -> Option<Draft> {
        let known = self.updates.iter_mut().find(|update| update.draft.update == sent.update)?;
        let (by, forced) = (by.to_owned(), sent.forced.clone());
        known.standing = Standing::Sent { at, by, forced };
        known.more = sent.more;
        let draft = known.draft.clone();
        for name in &draft.to {
            if sent.by_hand.contains(name) {
                self.by_hand.insert(name.clone(), sent.update);
            } else {
                self.by_hand.remove(name);
                let published = sent.published.contains(name);
                let update = sent.update;
                self.proofs.insert(name.clone(), Proof { update, published, ..Proof::default() });
            }
        }
        self.post(sent.update, &sent.letters, at);
        Some(draft)
    }

    /// More messages of an update.
    pub(super) fn follow(&mut self, update: u32, letters: &[Posted], at: Timestamp) {
        let added = u32::try_from(letters.len()).unwrap_or(u32::MAX);
        if let Some(known) = self.updates.iter_mut().find(|known| known.draft.update == update) {
            known.more = known.more.saturating_sub(added);
        }
        self.post(update, letters, at);
    }

    /// Messages of an update that are to be sent.
    fn post(&mut self, update: u32, letters: &[Posted], at: Timestamp) {
        let together = self.update(update).is_some_and(|update| update.draft.together);
        for letter in letters {
            let mut delivery = Delivery::new(letter.wanted.clone(), Origin::HAND, at);
            if together {
                delivery.wait(TOGETHER_MS);
            }
            let proof = self.proofs.entry(letter.who.clone()).or_default();
            if delivery.is_open() {
                proof.open += 1;
                let (who, language) = (letter.who.clone(), letter.language.clone());
                let number = letter.wanted.number;
                self.letters.insert(number, Letter { update, who, language, delivery });
            } else {
                proof.failed += 1;
            }
        }
    }

    /// The changes that touch nothing but this.
    pub(super) fn apply(&mut self, change: &TalkChange, by: &str, at: Timestamp, entry: Seq) {
        match change {
            TalkChange::Drafted(_)
            | TalkChange::Sent(_)
            | TalkChange::LettersAdded { .. }
            | TalkChange::Promised { .. } => {}
            TalkChange::Withdrawn { update, .. } | TalkChange::LookLost { update, .. } => {
                if let Some(known) = self.updates.iter_mut().find(|it| it.draft.update == *update) {
                    known.waited(change, by);
                }
            }
            TalkChange::Missed { names, step, pages } => {
                let pages: Vec<u32> = pages.iter().map(|page| page.number).collect();
                for MissedOne { who, due, .. } in names {
                    let told = MissTold { due: *due, at, step: *step, pages: pages.clone() };
                    self.missed.insert(who.clone(), told);
                }
            }
            TalkChange::SomeLost { lost, .. } => {
                self.lost.extend(lost.iter().map(|lost| (lost.who.clone(), lost.update)));
            }
            TalkChange::WordLost { words, why, step, pages } => {
                self.heard_instead(words, (why, *step), pages, at);
            }
            TalkChange::CadenceSet { long, .. } => self.is_long = *long,
            TalkChange::FeedbackGiven { stakeholder, score, text } => {
                let said = Feedback { score: *score, text: text.clone(), entry };
                self.feedback.insert(stakeholder.clone(), said);
            }
            TalkChange::InquiryLogged(inquiry) => {
                let (inquiry, by) = ((**inquiry).clone(), by.to_owned());
                let label = format!("press {} ({})", inquiry.number, inquiry.outlet);
                self.inquiries.push(Asked {
                    inquiry,
                    label,
                    by,
                    at,
                    embargo_since: at,
                    is_timeless: false,
                    entry,
                    answered: 0,
                    answer: None,
                    held_at: None,
                });
            }
            TalkChange::InquiryMoved { inquiry, .. }
            | TalkChange::InquiryHeld { inquiry, .. }
            | TalkChange::InquiryAnswered { inquiry, .. } => {
                let known = self.inquiries.iter_mut().find(|a| a.inquiry.number == *inquiry);
                if let Some(known) = known {
                    known.apply(change, at, entry);
                }
            }
            TalkChange::HoldingSet { text, by } => {
                let (text, by) = (text.clone(), by.clone());
                self.holding = Some(Holding { text, by, at, entry });
            }
        }
    }

    /// Questions of the press that have no answer.
    pub fn unanswered(&self) -> impl Iterator<Item = &Asked> {
        self.inquiries.iter().filter(|asked| asked.answer.is_none())
    }

    /// The inquiry whose embargo ends last, if it has not ended.
    pub fn embargo(&self, now: Timestamp) -> Option<(&Asked, Timestamp)> {
        self.embargo_since(Timestamp(i64::MIN), now)
    }

    /// The same, of those that were agreed on after an instant.
    pub fn embargo_since(&self, after: Timestamp, now: Timestamp) -> Option<(&Asked, Timestamp)> {
        let ahead = |asked: &'_ Asked| asked.inquiry.embargo.filter(|until| *until > now);
        let new = self.inquiries.iter().filter(|asked| asked.embargo_since > after);
        let open = new.filter_map(|asked| Some((asked, ahead(asked)?)));
        open.max_by_key(|(_, until)| *until)
    }

    /// The wall clock moved.
    pub(super) fn clock_moved(&mut self, by_ms: i64) {
        self.since = self.since.plus(by_ms);
        self.raised.iter_mut().for_each(|(_, at)| *at = at.plus(by_ms));
        self.joined.values_mut().for_each(|at| *at = at.plus(by_ms));
        self.letters.values_mut().for_each(|letter| letter.delivery.clock_moved(by_ms));
    }
}
