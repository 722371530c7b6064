//! The facts about what is said, and the wishes that lead to them.
//!
//! Invariants: as in `event`: past tense, only added to, for ever readable.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::delivery::Wanted;
use crate::domain::ids::IncidentId;
use crate::domain::stakeholder::Audience;
use crate::domain::status::ComponentStatus;
use crate::domain::text::hex;
use crate::domain::time::{MINUTE_MS, Timestamp};
use crate::domain::words::{Approval, PublicStatus};

/// The words of an update in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// Short name of the language: `en`.
    pub language: String,
    /// One line.
    pub subject: String,
    pub text: String,
}

/// An update as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Names it within its incident, from 1.
    pub update: u32,
    /// How much its readers may know.
    pub audience: Audience,
    /// What the incident is called towards them.
    #[serde(default)]
    pub title: String,
    /// The stakeholders who get it.
    pub to: Vec<String>,
    /// The first language is for everybody who reads none of the others.
    pub words: Vec<Words>,
    /// When the next word comes; none in the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_by: Option<Timestamp>,
    /// Nothing follows: it is over.
    #[serde(default)]
    pub last: bool,
    /// What the status page says from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<PublicStatus>,
    /// Service → how its component stands, for the status page.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub components: BTreeMap<String, ComponentStatus>,
    /// The update that it corrects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<u32>,
    /// Who must look at it before it goes.
    pub approval: Approval,
    /// The logins of those who may; none: as `approval` says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<String>,
    /// Why the public reads it before an embargo ends.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub before_embargo: String,
    /// The same words go out about other incidents: each reader gets one message about all of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub together: bool,
}

impl Draft {
    /// What the words of one incident have in common with the same ones on another, as a hash in hex:
    /// what they say to whom, how the status page stands, what they correct, why they go out before an
    /// embargo ends, and when the next word comes. Each incident has a title and components of its own.
    pub fn likeness(&self) -> String {
        let said = (self.audience.word(), &self.words, &self.to);
        let page = self.public.map(|status| status.to_string());
        let more = (self.corrects, &self.before_embargo);
        // The words name the minute; two that were written a moment apart are the same.
        let next = self.next_by.map(|at| at.0 / MINUTE_MS);
        let what = serde_json::json!([said, page, more, next, self.last]);
        hex(&Sha256::digest(what.to_string().as_bytes()))
    }
}

/// One message of an update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    /// The stakeholder.
    pub who: String,
    /// Which of its languages it is sent in.
    pub language: String,
    pub wanted: Wanted,
}

/// An update went out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    pub update: u32,
    /// Why nobody else looked at it, where somebody should have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forced: Option<String>,
    /// Why the public reads it before an embargo ends, where who let it go said so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub before_embargo: String,
    pub letters: Vec<Posted>,
    /// Messages that follow in events of their own, where they are too many for one.
    #[serde(default, skip_serializing_if = "is_none")]
    pub more: u32,
    /// Stakeholders who read it on the status page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub published: Vec<String>,
    /// Stakeholders whom somebody must tell, because nothing can be sent to them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_hand: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_none(more: &u32) -> bool {
    *more == 0
}

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissedOne {
    pub who: String,
    pub due: Timestamp,
    /// What was sent to them got through by no way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreached: bool,
}

impl MissedOne {
    /// In words: `support (due 13:25)`, `board (NOT REACHED 13:25)`.
    pub fn words(&self, now: Timestamp) -> String {
        let how = if self.unreached { "NOT REACHED" } else { "due" };
        format!("{} ({how} {})", self.who, self.due.clock_near(now))
    }
}

/// A stakeholder of whom some were not reached by an update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    pub who: String,
    pub update: u32,
    /// Messages that failed, and how many there were.
    pub failed: u32,
    pub of: u32,
    /// The first of them: the method, and what the other side said.
    pub first: String,
}

impl Lost {
    /// In words: `customers: 2 of 4 messages of update 3 (mail:a@b: 550 no such user)`.
    pub fn words(&self) -> String {
        let Self { who, update, failed, of, first } = self;
        let first = if first.is_empty() { String::new() } else { format!(" ({first})") };
        format!("{who}: {failed} of {of} messages of update {update}{first}")
    }
}

/// An inquiry of the press.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inquiry {
    /// Names it within its incident, from 1.
    pub number: u32,
    /// The paper or station.
    pub outlet: String,
    /// Who asked, and how to reach them.
    #[serde(default)]
    pub person: String,
    /// What was asked.
    pub question: String,
    /// When they need the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_by: Option<Timestamp>,
    /// Nothing of it may be printed before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embargo: Option<Timestamp>,
}

impl Inquiry {
    /// Who asks, by when, under which embargo, and what: in one line.
    pub fn facts(&self) -> String {
        let by = self.answer_by.map(|at| format!("by {} {}", at.date(), at.clock_minutes()));
        let until = self.embargo;
        let until = until.map(|at| format!("embargo {} {}", at.date(), at.clock_minutes()));
        let person = Some(self.person.clone()).filter(|person| !person.is_empty());
        let head: Vec<String> =
            [Some(self.outlet.clone()), person, by, until].into_iter().flatten().collect();
        let question = self.question.lines().next().unwrap_or_default();
        format!("{}: {question}", head.join(" · "))
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "kebab-case")]
pub enum TalkChange {
    /// An update was written.
    Drafted(Box<Draft>),
    /// It will not be sent.
    Withdrawn { update: u32, reason: String },
    /// No message told these people that it waits for their look; `why` says how it failed.
    LookLost { update: u32, people: Vec<String>, why: String },
    /// It goes out.
    Sent(Box<Sent>),
    /// More messages of an update that went out: one event does not hold those of a large one.
    LettersAdded { update: u32, letters: Vec<Posted> },
    /// Somebody gave their word.
    Promised {
        stakeholder: String,
        next_by: Timestamp,
        #[serde(default)]
        text: String,
    },
    /// The time that was promised, or that the plan asks for, has passed. `step` counts how often
    /// that was told.
    Missed { names: Vec<MissedOne>, step: u8, pages: Vec<Wanted> },
    /// Some of the messages of an update got through by no way; others of the same reader did.
    SomeLost { lost: Vec<Lost>, pages: Vec<Wanted> },
    /// Words that somebody must hear (a clock of the law, an update that did not reach all) got through
    /// to nobody: others hear them. `why` is what they said; `step` counts how often that was so.
    WordLost { words: Vec<u32>, why: String, step: u8, pages: Vec<Wanted> },
    /// A long incident: words come less often. Or no longer.
    CadenceSet { long: bool, reason: String },
    /// How content somebody was, 1 to 5, asked after the end.
    FeedbackGiven { stakeholder: String, score: u8, text: String },
    /// The press asked.
    InquiryLogged(Box<Inquiry>),
    /// They need the answer at another time, or may print it at another: both as they are now.
    InquiryMoved {
        inquiry: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer_by: Option<Timestamp>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        embargo: Option<Timestamp>,
        reason: String,
        /// It was agreed on that nobody waits for the answer by a time.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        timeless: bool,
    },
    /// They have the statement that all of the press hear for now; an answer is owed still, where
    /// `answer_by` is given by that time.
    InquiryHeld {
        inquiry: u32,
        by: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer_by: Option<Timestamp>,
    },
    /// The spokesperson answered.
    InquiryAnswered { inquiry: u32, text: String, by: String },
    /// What the press hears of it until more can be said: one statement, for all who ask.
    HoldingSet { text: String, by: String },
}

/// An update that waits for somebody's look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Look {
    pub incident: IncidentId,
    pub update: u32,
}

/// What becomes of a time that was agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moved {
    /// It stays as it is.
    #[default]
    Kept,
    /// There is none any more.
    Lifted,
    To(Timestamp),
}

impl Moved {
    /// The time as it is then.
    pub const fn of(self, was: Option<Timestamp>) -> Option<Timestamp> {
        match self {
            Self::Kept => was,
            Self::Lifted => None,
            Self::To(at) => Some(at),
        }
    }
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub enum TalkWish {
    /// Writes an update; it goes at once where nobody must approve it.
    Draft {
        audience: Audience,
        /// What the incident is called towards them; empty: as in the first such update, else its
        /// subject.
        #[serde(default)]
        title: String,
        to: Vec<String>,
        words: Vec<Words>,
        #[serde(default)]
        next_by: Option<Timestamp>,
        #[serde(default)]
        last: bool,
        #[serde(default)]
        public: Option<PublicStatus>,
        #[serde(default)]
        components: BTreeMap<String, ComponentStatus>,
        #[serde(default)]
        corrects: Option<u32>,
        /// Why the public reads it before an embargo ends.
        #[serde(default)]
        before_embargo: String,
        /// The same words are written about other incidents too: one message for each reader.
        #[serde(default)]
        together: bool,
    },
    /// Lets an update go. `force` says why nobody else can look at it.
    Approve {
        /// 0 with `like`: the one that says what was read there.
        update: u32,
        #[serde(default)]
        force: Option<String>,
        /// `Draft::likeness` of the words that were read, where one reading is for several
        /// incidents.
        #[serde(default)]
        like: Option<String>,
        /// Why the public reads it before an embargo ends that was agreed on since it was written.
        #[serde(default)]
        before_embargo: String,
    },
    /// Takes a draft back.
    Withdraw {
        update: u32,
        #[serde(default)]
        reason: String,
    },
    /// Gives one's word for a time.
    Promise {
        stakeholder: String,
        next_by: Timestamp,
        #[serde(default)]
        text: String,
    },
    /// Words come less often from now on, or as often as at first.
    Cadence {
        long: bool,
        #[serde(default)]
        reason: String,
    },
    Feedback {
        stakeholder: String,
        score: u8,
        #[serde(default)]
        text: String,
    },
    Inquire {
        outlet: String,
        #[serde(default)]
        person: String,
        question: String,
        #[serde(default)]
        answer_by: Option<Timestamp>,
        #[serde(default)]
        embargo: Option<Timestamp>,
    },
    /// Changes by when an answer is needed, or an embargo: lifts it, or has it end at another time.
    MoveInquiry {
        inquiry: u32,
        #[serde(default)]
        answer_by: Moved,
        #[serde(default)]
        embargo: Moved,
        reason: String,
    },
    /// Answers the press; without a text by the holding statement.
    AnswerInquiry {
        inquiry: u32,
        #[serde(default)]
        text: String,
    },
    /// Says what the press hears until more can be said.
    Hold { text: String },
}
