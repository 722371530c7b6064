//! How what is said to stakeholders changes an incident.
//!
//! Invariants: as in `incident`; everything here is total.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::delivery::Wanted;
use crate::domain::event::Recorded;
use crate::domain::legal::{self, LegalChange, Warned};
use crate::domain::stakeholder::{Audience, STATUS_PAGE};
use crate::domain::talk::change::{Draft, Posted, Sent, TalkChange, Words};
use crate::domain::talk::heard::{MustHear, NOT_ALL, not_all_words, numbers};

use super::{Incident, IncidentId, Moment, PublicStatus, Seq, Timestamp, Told};

/// A word that was taken over from an incident which became part of this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inherited {
    pub child: IncidentId,
    pub who: String,
    /// The entry and the promise as they were then.
    pub entry: Seq,
    pub next_by: Option<Timestamp>,
    /// What was promised here before, and whether it was the last word; none: they knew nothing.
    pub was: Option<(Option<Timestamp>, bool)>,
}

/// When somebody was told of an incident that became part of another one; its own entries say what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    pub at: Timestamp,
    pub by: String,
    pub channel: String,
}

/// Who waits for a word, and by when they were promised one.
type Waiting = BTreeMap<String, Option<Timestamp>>;

impl Incident {
    pub(super) fn talk(&mut self, event: &Recorded, change: &TalkChange) {
        let (at, by) = (event.at, event.actor.login.as_str());
        match change {
            TalkChange::Drafted(draft) => self.talk.drafted(draft, by, at, event.seq),
            TalkChange::Sent(sent) => {
                self.talk.must_hear.retain(|word| !word.why.starts_with(NOT_ALL));
                if let Some(draft) = self.talk.sent(sent, by, at) {
                    self.sent(event, sent, &draft);
                }
            }
            TalkChange::LettersAdded { update, letters } => {
                self.number_letters(letters);
                self.talk.follow(*update, letters, at);
                self.recount(*update, letters);
            }
            TalkChange::Promised { stakeholder, next_by, text } => {
                self.promised(event, stakeholder, *next_by, text);
            }
            TalkChange::Missed { pages, .. } | TalkChange::WordLost { pages, .. } => {
                self.inform(at, pages);
                self.talk.apply(change, by, at, event.seq);
            }
            TalkChange::SomeLost { lost, pages } => {
                self.inform(at, pages);
                let (why, clocks, pages) = (not_all_words(lost), Vec::new(), numbers(pages));
                self.talk.must_hear(MustHear { why, clocks, at, pages, step: 0 });
                self.talk.apply(change, by, at, event.seq);
            }
            TalkChange::Withdrawn { .. }
            | TalkChange::LookLost { .. }
            | TalkChange::CadenceSet { .. }
            | TalkChange::FeedbackGiven { .. }
            | TalkChange::InquiryLogged(_)
            | TalkChange::InquiryMoved { .. }
            | TalkChange::InquiryHeld { .. }
            | TalkChange::InquiryAnswered { .. }
            | TalkChange::HoldingSet { .. } => self.talk.apply(change, by, at, event.seq),
        }
    }

    pub(super) fn legal(&mut self, event: &Recorded, change: &LegalChange) {
        if let LegalChange::Warned { pages, .. } | LegalChange::RuleGone { pages, .. } = change {
            self.inform(event.at, pages);
        }
        match change {
            LegalChange::Warned { clocks, pages } => {
                self.must_hear_of(clocks, legal::clock_words(clocks), pages, event.at);
            }
            LegalChange::RuleGone { rule, clocks, pages } => {
                self.must_hear_of(clocks, legal::gone_words(rule, clocks), pages, event.at);
            }
            // What was settled since is not told again.
            LegalChange::Submitted { rule, stage, .. }
            | LegalChange::NotApplicable { rule, stage, .. } => {
                self.talk.settled(rule, Some(stage));
            }
            LegalChange::TakenBack { rule, .. } => self.talk.settled(rule, None),
            LegalChange::Determined { .. } => {}
        }
        self.legal.apply(change, &event.actor.login, event.at);
    }

    /// Words about clocks, of which one must get through; what was said of the same clocks before says
    /// nothing more.
    fn must_hear_of(&mut self, of: &[Warned], why: String, pages: &[Wanted], at: Timestamp) {
        for clock in of {
            self.talk.settled(&clock.rule, Some(&clock.stage));
        }
        let clocks = of.iter().map(|it| (it.rule.clone(), it.stage.clone())).collect();
        self.talk.must_hear(MustHear { why, clocks, at, pages: numbers(pages), step: 0 });
    }

    /// No other delivery gets the number of one of these.
    fn number_letters(&mut self, letters: &[Posted]) {
        let numbers = letters.iter().map(|letter| letter.wanted.number);
        self.esc.last_number = numbers.max().unwrap_or(0).max(self.esc.last_number);
    }

    /// How many messages tell those who get more of them.
    fn recount(&mut self, update: u32, letters: &[Posted]) {
        for letter in letters.chunk_by(|a, b| a.who == b.who).filter_map(<[Posted]>::first) {
            let proof = self.talk.proofs.get(&letter.who).filter(|proof| proof.update == update);
            let told = self.told.get_mut(&letter.who).filter(|told| told.update == Some(update));
            let (Some(proof), Some(told)) = (proof, told) else { continue };
            let first = letter.wanted.methods.first().map_or("", |method| method.channel());
            let before = told.channel.split(" × ").next();
            // Who read it on the page only until now gets messages as well.
            let before = before.filter(|before| !before.is_empty() && *before != STATUS_PAGE);
            told.channel = counted(before.unwrap_or(first), proof.messages() as usize);
        }
    }

    fn sent(&mut self, event: &Recorded, sent: &Sent, draft: &Draft) {
        self.number_letters(&sent.letters);
        let when = event.when();
        // The words are those of the draft: who hides them hides them everywhere.
        let entry = self.talk.update(sent.update).map_or(event.seq, |update| update.entry);
        let subject = draft.words.first().map(|words| words.subject.clone()).unwrap_or_default();
        for name in draft.to.iter().filter(|name| !sent.by_hand.contains(*name)) {
            let told = Told {
                at: when,
                by: event.actor.login.clone(),
                channel: how(sent, name),
                text: subject.clone(),
                next_by: draft.next_by,
                promised_at: None,
                count: 1,
                entry,
                update: Some(sent.update),
                last: draft.last,
            };
            self.tell(name, told, Some(draft.audience));
        }
        if let Some(status) = draft.public {
            self.publish(status, when);
        }
    }

    fn promised(&mut self, event: &Recorded, who: &str, next_by: Timestamp, text: &str) {
        let at = event.when();
        let told = self.told.entry(who.to_owned()).or_insert_with(|| Told {
            at,
            by: event.actor.login.clone(),
            channel: String::new(),
            text: text.to_owned(),
            next_by: None,
            promised_at: None,
            count: 0,
            entry: event.seq,
            update: None,
            last: false,
        });
        (told.next_by, told.promised_at, told.last) = (Some(next_by), Some(at), false);
    }

    /// Those who were told of an incident that became part of this one hear from this one.
    pub(super) fn inherit(
        &mut self,
        event: &Recorded,
        child: IncidentId,
        (told, promised): (&Waiting, &Waiting),
        words: &BTreeMap<String, Carried>,
    ) {
        let told = told.iter().map(|it| (it, 1)).chain(promised.iter().map(|it| (it, 0)));
        for ((name, next_by), count) in told {
            let known = self.told.get(name);
            let was = known.map(|known| (known.next_by, known.last));
            let said = words.get(name).filter(|_| count > 0);
            let known = self.told.entry(name.clone()).or_insert_with(|| Told {
                at: said.map_or_else(|| event.when(), |said| said.at),
                by: said.map_or_else(|| event.actor.login.clone(), |said| said.by.clone()),
                channel: said.map(|said| said.channel.clone()).unwrap_or_default(),
                text: if count == 0 {
                    format!("promised a word about {child}, which became part of this")
                } else {
                    format!("told of {child}, which became part of this")
                },
                next_by: None,
                promised_at: None,
                count,
                entry: event.seq,
                update: None,
                last: false,
            });
            known.next_by = [known.next_by, *next_by].into_iter().flatten().min();
            known.count = known.count.max(count);
            known.last = false;
            let (entry, next_by) = (known.entry, known.next_by);
            self.inherited.push(Inherited { child, who: name.clone(), entry, next_by, was });
        }
    }

    /// The merge is taken back: what was promised about the other one is its own again, but for those
    /// who heard something here since.
    pub(super) fn disinherit(&mut self, child: IncidentId) {
        let all = std::mem::take(&mut self.inherited);
        let (gone, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(|it| it.child == child);
        self.inherited = kept;
        // What was taken over last gives way first.
        for it in gone.into_iter().rev() {
            let Some(known) = self.told.get_mut(&it.who) else { continue };
            if known.entry != it.entry || known.next_by != it.next_by {
                continue;
            }
            match it.was {
                Some((next_by, last)) => (known.next_by, known.last) = (next_by, last),
                None => drop(self.told.remove(&it.who)),
            }
        }
    }

    /// The words of an open message to a stakeholder, and who that is.
    pub fn letter(&self, number: u32) -> Option<(&Words, &str)> {
        let letter = self.talk.letters.get(&number)?;
        let draft = &self.talk.update(letter.update)?.draft;
        let words = draft.words.iter().find(|words| words.language == letter.language);
        Some((words.or(draft.words.first())?, &letter.who))
    }

    /// Whether an open message goes together with the same words about other incidents.
    pub fn goes_together(&self, number: u32) -> bool {
        let letter = self.talk.letters.get(&number);
        let update = letter.and_then(|letter| self.talk.update(letter.update));
        update.is_some_and(|update| update.draft.together)
    }

    /// Whether anything was told to the public.
    pub fn is_public(&self) -> bool {
        self.public != PublicStatus::Unpublished
            || self.moments.contains_key(&Moment::FirstPublicUpdate)
    }

    /// How much somebody may read of it, as the plan of that time said.
    pub const fn reads(audience: Audience, text: Audience) -> bool {
        audience as u8 <= text as u8
    }
}

/// By which ways somebody is told.
fn how(sent: &Sent, name: &str) -> String {
    let page = sent.published.iter().any(|who| who == name).then(|| "status page".to_owned());
    let letters: Vec<&Posted> = sent.letters.iter().filter(|letter| letter.who == name).collect();
    let first = letters.first().and_then(|letter| letter.wanted.methods.first());
    let channel = first.map(|method| counted(method.channel(), letters.len()));
    page.into_iter().chain(channel).collect::<Vec<_>>().join(" + ")
}

fn counted(channel: &str, letters: usize) -> String {
    if letters == 1 { channel.to_owned() } else { format!("{channel} × {letters}") }
}
