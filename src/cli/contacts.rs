//! The log of contacts: what was said to whom by hand, what the press asked, what others say.

use std::collections::BTreeSet;

use crate::cli::Context;
use crate::cli::look::{entries, print_entry};
use crate::cli::out::{Failure, say, say_json};
use crate::domain::change::Change;
use crate::domain::event::{Body, Recorded};
use crate::domain::ids::IncidentId;
use crate::domain::talk::change::TalkChange;
use crate::domain::words::NoteKind;

/// What was said to whom by hand, in order.
pub(super) fn contacts(context: &Context, id: IncidentId) -> Result<(), Failure> {
    let is_contact = |event: &Recorded| {
        let Body::Incident { incident, change } = &event.body else { return false };
        let talk = if let Change::Talk(talk) = change { Some(&**talk) } else { None };
        let is_said = matches!(
            talk,
            Some(
                TalkChange::Promised { .. }
                    | TalkChange::InquiryLogged(_)
                    | TalkChange::InquiryMoved { .. }
                    | TalkChange::InquiryHeld { .. }
                    | TalkChange::InquiryAnswered { .. }
                    | TalkChange::HoldingSet { .. }
                    | TalkChange::FeedbackGiven { .. }
            )
        );
        // Rumours are what others say; what puts one right goes with it.
        let is_rumour = matches!(change, Change::NoteAdded { kind: NoteKind::Rumour, .. });
        let is_other =
            matches!(change, Change::ContactLogged { .. } | Change::EntryCorrected { .. });
        *incident == id && (is_said || is_rumour || is_other)
    };
    let (head, mut all) = entries(context, id, is_contact)?;
    let known: BTreeSet<u64> = all.iter().map(|event| event.seq).collect();
    all.retain(|event| {
        let Body::Incident { change: Change::EntryCorrected { entry, .. }, .. } = &event.body
        else {
            return true;
        };
        known.contains(entry)
    });
    if context.json {
        return say_json(&all);
    }
    if all.is_empty() {
        say(&format!("no call or conversation about {id} was logged: warroom tell {id} WHO TEXT"));
    }
    for event in &all {
        print_entry(event, &head);
    }
    Ok(())
}
