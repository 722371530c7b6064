//! Taking the words of people out of an event: what every view and export shows of a redacted one.
//!
//! Invariants:
//! - The journal itself is never changed; the hash stays that of the words.
#![expect(clippy::wildcard_enum_match_arm, reason = "only some changes hold words of people")]

use crate::domain::change::Change;
use crate::domain::event::{Body, Recorded};
use crate::domain::talk::change::TalkChange;

/// What stands in the place of a redacted text.
pub const REDACTED: &str = "(redacted)";

impl Recorded {
    /// Takes the words of people out of this event; everything else stays.
    pub fn redact(&mut self) {
        let hide = |text: &mut String| REDACTED.clone_into(text);
        let Body::Incident { change, .. } = &mut self.body else { return };
        match change {
            Change::NoteAdded { text, said_by, .. } => {
                hide(text);
                said_by.clear();
            }
            Change::EntryCorrected { text, .. }
            | Change::RemedyRecorded { text, .. }
            | Change::HistoryNoted { text } => hide(text),
            Change::ContactLogged { text, person, asked, .. } => {
                hide(text);
                person.clear();
                asked.clear();
            }
            Change::Talk(talk) => redact_talk(talk),
            Change::RemedyJudged { evidence, .. } => hide(evidence),
            Change::AttachmentAdded { name, note, .. } => {
                hide(name);
                note.clear();
            }
            _ => {}
        }
    }

    /// Whether it holds words of people that can be corrected or redacted.
    pub fn has_words(&self) -> bool {
        let Body::Incident { change, .. } = &self.body else { return false };
        if let Change::Talk(talk) = change {
            return matches!(
                **talk,
                TalkChange::Drafted(_)
                    | TalkChange::Promised { .. }
                    | TalkChange::InquiryLogged(_)
                    | TalkChange::InquiryMoved { .. }
                    | TalkChange::InquiryAnswered { .. }
                    | TalkChange::HoldingSet { .. }
                    | TalkChange::FeedbackGiven { .. }
            );
        }
        matches!(
            change,
            Change::NoteAdded { .. }
                | Change::EntryCorrected { .. }
                | Change::RemedyRecorded { .. }
                | Change::ContactLogged { .. }
                | Change::HistoryNoted { .. }
                | Change::RemedyJudged { .. }
                | Change::AttachmentAdded { .. }
        )
    }
}

fn redact_talk(talk: &mut TalkChange) {
    let hide = |text: &mut String| REDACTED.clone_into(text);
    match talk {
        TalkChange::Drafted(draft) => {
            hide(&mut draft.title);
            for words in &mut draft.words {
                hide(&mut words.subject);
                hide(&mut words.text);
            }
        }
        TalkChange::InquiryLogged(inquiry) => {
            hide(&mut inquiry.question);
            inquiry.person.clear();
        }
        TalkChange::InquiryAnswered { text, .. }
        | TalkChange::InquiryMoved { reason: text, .. }
        | TalkChange::HoldingSet { text, .. }
        | TalkChange::FeedbackGiven { text, .. }
        | TalkChange::Promised { text, .. } => hide(text),
        _ => {}
    }
}
