//! Which actions make sense now: what is hinted at, and what help and palette mark.
//!
//! Invariants:
//! - This only advises: whether an act is done is decided by the keeper.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "most of a long vocabulary is handled alike here"
)]

use crate::domain::duty::{Window, WindowStage};
use crate::domain::schedule::SwapState;
use crate::domain::silence::Stage;
use crate::tui::action::Action;
use crate::tui::model::{Model, Pane};

impl Model {
    /// Swaps that wait for this person's answer.
    pub fn swaps_asked(&self) -> usize {
        let all = self.mirror.desk.changes.values().flat_map(|changes| &changes.swaps);
        all.filter(|s| s.state == SwapState::Asked && s.person_b == self.login).count()
    }

    /// Whether an action makes sense now; what does not is not hinted at.
    pub fn is_useful(&self, action: Action) -> bool {
        let Some(row) = self.selected_row() else {
            return action.is_of_the_desk()
                || matches!(
                    action,
                    Action::OnCall
                        | Action::Report
                        | Action::Help
                        | Action::Palette
                        | Action::Quit
                        | Action::FindClosed
                        | Action::Search
                );
        };
        // The past is only looked at; a report is about now.
        if self.past.is_some() && action.is_about_incident() {
            return false;
        }
        match action {
            Action::Acknowledge => {
                let is_called = || self.watched().is_some_and(|i| i.is_called(&self.login));
                row.phase.is_active() && (!row.is_acked || is_called())
            }
            Action::OfferCommand => {
                self.watched().is_some_and(|i| i.commander() == Some(self.login.as_str()))
            }
            Action::Unmark => !self.marks.is_empty(),
            Action::StepForward => self.past.is_some(),
            Action::TakeCommand => self.watched().is_some_and(|i| i.commander().is_none()),
            Action::AcceptCommand | Action::RefuseCommand => self
                .watched()
                .and_then(|i| i.offer.as_ref())
                .is_some_and(|offer| offer.to == self.login),
            Action::Escalate | Action::Page | Action::Policy => row.phase.is_active(),
            Action::CallBack => self.watched().is_some_and(|i| i.wanted_by_hand().next().is_some()),
            Action::Snooze => {
                row.phase.is_active() && self.watched().is_some_and(|i| i.esc.snooze.is_none())
            }
            Action::Wake => self.watched().is_some_and(|i| i.esc.snooze.is_some()),
            Action::Handover => {
                self.watched().and_then(|i| i.ack.as_ref()).is_some_and(|ack| ack.by == self.login)
            }
            Action::AcceptHandover => self.watched().is_some_and(|i| i.is_offered(&self.login)),
            Action::RefuseHandover => {
                let offered = self.watched().and_then(|i| i.esc.handover.as_ref());
                offered.is_some_and(|it| it.to == self.login || it.from == self.login)
            }
            Action::Approve | Action::Withdraw => {
                self.watched().is_some_and(|i| i.talk.waiting().next().is_some())
            }
            Action::PressTimes => self.watched().is_some_and(|i| !i.talk.inquiries.is_empty()),
            Action::AnswerPress => {
                self.watched().is_some_and(|i| i.talk.inquiries.iter().any(|a| a.answer.is_none()))
            }
            Action::Unlink => self.watched().is_some_and(|i| !i.links.is_empty()),
            Action::LeaveRole => self.watched().is_some_and(|i| !i.roles.is_empty()),
            Action::Alerts | Action::AckAlert | Action::Shelve | Action::Unshelve => {
                row.members > 0
            }
            Action::Split => row.members > 0 && row.phase.is_live(),
            Action::Correct | Action::Redact => self.focus == Pane::Timeline,
            Action::Judge => self.watched().is_some_and(|i| !i.remedies.is_empty()),
            Action::Reopen | Action::Review | Action::Close => !row.phase.is_active(),
            Action::Resolve | Action::Phase | Action::Decline | Action::Triage => {
                row.phase.is_active()
            }
            Action::Declare => row.phase == crate::domain::words::Phase::Triage,
            other => self.is_useful_at_the_desk(other),
        }
    }

    /// The same of what is about schedules, windows and silences.
    fn is_useful_at_the_desk(&self, action: Action) -> bool {
        let desk = &self.mirror.desk;
        match action {
            Action::AnswerSwap => self.swaps_asked() > 0,
            Action::EndCover => {
                let mut covers = desk.changes.values().flat_map(|changes| &changes.covers);
                covers.any(|cover| cover.until > self.now)
            }
            Action::PublishMaintenance => desk.windows.values().any(Window::is_waiting),
            Action::EndMaintenance => {
                desk.windows.values().any(|window| window.stage != WindowStage::Over)
            }
            Action::EndSilence => {
                desk.silences.values().any(|it| !matches!(it.stage, Stage::Ended { .. }))
            }
            _ => true,
        }
    }
}
