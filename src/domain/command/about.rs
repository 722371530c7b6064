//! What a command is about, and what one must be allowed to do to give it.

#![expect(clippy::wildcard_enum_match_arm, reason = "the others are handled alike")]

use crate::domain::command::Command;
use crate::domain::ids::IncidentId;
use crate::domain::words::Right;

/// What is said of times in which services, or alerts, page nobody.
macro_rules! times_aside {
    () => {
        Command::PlanWindow { .. }
            | Command::PublishWindow { .. }
            | Command::EndWindow { .. }
            | Command::Silence { .. }
            | Command::EndSilence { .. }
    };
}

impl Command {
    /// The incident that the command is about, if it is about one that exists.
    #[expect(clippy::unnested_or_patterns, reason = "some have a name of their own")]
    pub fn incident(&self) -> Option<IncidentId> {
        match self {
            Self::Declare { incident, .. }
            | Self::Triage { incident, .. }
            | Self::Acknowledge { incident }
            | Self::SetSeverity { incident, .. }
            | Self::SetPhase { incident, .. }
            | Self::SetTitle { incident, .. }
            | Self::SetServices { incident, .. }
            | Self::SetLabel { incident, .. }
            | Self::SetOwner { incident, .. }
            | Self::AssignRole { incident, .. }
            | Self::LeaveRole { incident, .. }
            | Self::TakeCommand { incident }
            | Self::OfferCommand { incident, .. }
            | Self::AcceptCommand { incident }
            | Self::RefuseCommand { incident, .. }
            | Self::Note { incident, .. }
            | Self::CorrectEntry { incident, .. }
            | Self::RedactEntry { incident, .. }
            | Self::Attach { incident, .. }
            | Self::Remedy { incident, .. }
            | Self::JudgeRemedy { incident, .. }
            | Self::LogContact { incident, .. }
            | Self::Talk { incident, .. }
            | Self::Legal { incident, .. }
            | Self::Link { incident, .. }
            | Self::Unlink { incident, .. }
            | Self::Merge { incident, .. }
            | Self::Unmerge { incident }
            | Self::Split { incident, .. }
            | Self::Decline { incident, .. }
            | Self::Resolve { incident, .. }
            | Self::Reopen { incident, .. }
            | Self::StartReview { incident }
            | Self::Close { incident, .. }
            | Self::ReviseMoment { incident, .. }
            | Self::SetPublicStatus { incident, .. }
            | Self::Escalate { incident, .. }
            | Self::Page { incident, .. }
            | Self::CallBack { incident, .. }
            | Self::Snooze { incident, .. }
            | Self::EndSnooze { incident }
            | Self::TakePolicy { incident, .. }
            | Self::OfferHandover { incident, .. }
            | Self::AcceptHandover { incident }
            | Self::RefuseHandover { incident, .. } => Some(*incident),
            Self::Open { .. }
            | Self::AcknowledgeAlert { .. }
            | Self::ShelveAlert { .. }
            | Self::UnshelveAlert { .. }
            | Self::Ingest(_)
            | Self::NoteChange { .. }
            | Self::RefusePost { .. }
            | Self::Import(_)
            | Self::AdoptPlan { .. }
            | Self::IssueToken { .. }
            | Self::RevokeToken { .. }
            | Self::CoverShift { .. }
            | Self::RevokeCover { .. }
            | Self::AskSwap { .. }
            | Self::AnswerSwap { .. }
            | times_aside!()
            | Self::AcknowledgeByCode { .. }
            | Self::Beat { .. } => None,
        }
    }

    /// A second incident that must be in the room to decide.
    pub const fn other_incident(&self) -> Option<IncidentId> {
        match self {
            Self::Merge { into, .. } => Some(*into),
            Self::Link { other, .. } => Some(*other),
            _ => None,
        }
    }

    /// What an operator must be allowed to do to give it.
    pub fn right(&self) -> Right {
        match self {
            // Anybody on the host may say that something is wrong.
            // Whoever holds a page's code holds what was sent to somebody who may answer.
            Self::Open { declare: false, .. } | Self::AcknowledgeByCode { .. } => Right::Observe,
            Self::SetPublicStatus { .. }
            | Self::PublishWindow { .. }
            | Self::RedactEntry { .. }
            // Giving away, or taking, a turn for somebody else is what a commander may do.
            | Self::AskSwap { from: Some(_), .. } => Right::Command,
            Self::Import(_)
            | Self::AdoptPlan { .. }
            | Self::IssueToken { .. }
            | Self::RevokeToken { .. } => Right::Administer,
            // Whoever was told hears the end.
            Self::Decline { silent: Some(why), .. } | Self::Close { silent: Some(why), .. }
                if !why.trim().is_empty() =>
            {
                Right::Command
            }
            Self::PlanWindow { services, public, .. }
                if !public.is_empty() || services.iter().any(|name| name == "*") =>
            {
                Right::Command
            }
            _ => Right::Respond,
        }
    }
}
