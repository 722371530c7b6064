//! What a fact is about: which incidents, which deliveries, or what is beside them.

use crate::domain::change::Change;
use crate::domain::event::{Body, Sending};
use crate::domain::ids::{BESIDE, IncidentId};
use crate::domain::talk::change::TalkChange;

impl Body {
    /// Whether it changes a deadline that belongs to no incident and no alert.
    pub const fn is_about_the_desk(&self) -> bool {
        matches!(
            self,
            Self::ClockJumped { .. }
                | Self::ShiftChanged { .. }
                | Self::ShiftCovered { .. }
                | Self::CoverRevoked { .. }
                | Self::SwapAsked { .. }
                | Self::SwapAnswered { .. }
                | Self::WindowPlanned { .. }
                | Self::WindowPublished { .. }
                | Self::WindowBegan { .. }
                | Self::WindowEnded { .. }
                | Self::SilenceMade { .. }
                | Self::SilenceBegan { .. }
                | Self::SilenceEnded { .. }
        )
    }

    /// Whether it changes what consoles know of the plan and of what is in force beside it.
    pub const fn is_beside_the_plan(&self) -> bool {
        matches!(self, Self::PlanAdopted { .. } | Self::StatusPage { .. })
            || self.is_about_the_desk() && !matches!(self, Self::ClockJumped { .. })
    }

    /// Whether it changes what comes due beside all incidents.
    pub fn moves_the_desk(&self) -> bool {
        let is_beside = |item: &Sending| item.incident == BESIDE;
        let is_look = if let Self::Incident { change: Change::Talk(talk), .. } = self {
            use TalkChange::{LookLost, Sent, Withdrawn};
            matches!(**talk, LookLost { .. } | Sent(_) | Withdrawn { .. })
        } else {
            matches!(self, Self::PeopleTold { look: Some(_), .. })
        };
        is_look || self.is_about_the_desk() || self.sendings().iter().any(is_beside)
    }

    /// The deliveries that it begins or ends.
    pub fn sendings(&self) -> &[Sending] {
        if let Self::SendingBegan { items, .. } | Self::SendingEnded { items, .. } = self {
            return items;
        }
        &[]
    }

    /// The incidents in whose streams this event stands, each once.
    pub fn incidents(&self) -> Vec<IncidentId> {
        match self {
            Self::Incident { incident, .. } => vec![*incident],
            Self::AlertsReceived { items, .. } => {
                let mut ids: Vec<IncidentId> =
                    items.iter().filter_map(|item| item.incident).collect();
                ids.sort_unstable();
                ids.dedup();
                ids
            }
            Self::AlertAcknowledged { incident, .. }
            | Self::AlertShelved { incident, .. }
            | Self::AlertUnshelved { incident, .. }
            | Self::AlertExpired { incident, .. }
            | Self::AlertSettled { incident, .. } => incident.iter().copied().collect(),
            Self::SendingBegan { items, .. } | Self::SendingEnded { items, .. } => {
                let ids = items.iter().map(|item| item.incident);
                let mut ids: Vec<IncidentId> = ids.filter(|id| *id != BESIDE).collect();
                ids.sort_unstable();
                ids.dedup();
                ids
            }
            Self::WindowBegan { incidents, .. }
            | Self::WindowEnded { incidents, .. }
            | Self::ClockJumped { incidents, .. } => incidents.clone(),
            Self::PostRefused { .. }
            | Self::ChangeReceived { .. }
            | Self::PlanAdopted { .. }
            | Self::TokenIssued { .. }
            | Self::TokenRevoked { .. }
            | Self::KeeperStarted { .. }
            | Self::KeeperStopped { .. }
            | Self::StoreRebuilt { .. }
            | Self::ShiftChanged { .. }
            | Self::ShiftCovered { .. }
            | Self::CoverRevoked { .. }
            | Self::SwapAsked { .. }
            | Self::SwapAnswered { .. }
            | Self::PeopleTold { .. }
            | Self::WindowPlanned { .. }
            | Self::WindowPublished { .. }
            | Self::HeartbeatReceived { .. }
            | Self::StatusPage { .. }
            | Self::SilenceMade { .. }
            | Self::SilenceBegan { .. }
            | Self::SilenceEnded { .. }
            | Self::AuditFound { .. } => Vec::new(),
        }
    }
}
