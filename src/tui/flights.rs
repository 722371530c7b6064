//! Acts on their way to the keeper: a few of them at once, the others wait here.
//!
//! Invariants:
//! - Every act stays here until it was answered; after a lost link it goes again under its old id.
//! - No more are under way than the link takes without choking, however many somebody marked.

use std::collections::{BTreeMap, VecDeque};

use crate::domain::command::Command;
use crate::domain::event::Occurred;
use crate::domain::ids::{CommandId, Seq};
use crate::proto::Ask;
use crate::tui::update::Effect;

/// Acts that are under way at once.
pub const AT_ONCE: usize = 64;

/// An act that was not answered yet.
#[derive(Debug, Clone)]
pub struct InFlight {
    pub label: String,
    pub command: Command,
    pub occurred: Option<Occurred>,
    pub seen: Option<Seq>,
    /// The draft that it makes superfluous, and the form to come back to if it is refused.
    pub draft: Option<String>,
}

/// Acts that were not answered yet.
#[derive(Debug, Clone, Default)]
pub struct Flights {
    all: BTreeMap<CommandId, InFlight>,
    /// Those of them that were not sent, in the order in which they were wanted.
    unsent: VecDeque<CommandId>,
}

impl Flights {
    /// Whether everything was answered.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// How many were not answered.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether some were not even sent.
    pub fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Those that were not answered.
    pub fn values(&self) -> impl Iterator<Item = &InFlight> {
        self.all.values()
    }

    /// Their ids.
    pub fn ids(&self) -> impl Iterator<Item = &CommandId> {
        self.all.keys()
    }

    /// Takes one more; `release` says when it goes.
    pub fn add(&mut self, id: CommandId, flight: InFlight) {
        self.unsent.push_back(id.clone());
        self.all.insert(id, flight);
    }

    /// Takes one out that was answered: it was sent, or it would have no answer.
    pub fn answered(&mut self, id: &CommandId) -> Option<InFlight> {
        self.all.remove(id)
    }

    /// Nothing of it was heard: on a new link all of them go again.
    pub fn again(&mut self) {
        self.unsent = self.all.keys().cloned().collect();
    }

    /// Those that may go now.
    pub fn release(&mut self) -> Vec<Effect> {
        let under_way = self.all.len().saturating_sub(self.unsent.len());
        let room = AT_ONCE.saturating_sub(under_way).min(self.unsent.len());
        let next: Vec<CommandId> = self.unsent.drain(..room).collect();
        let send = |id: CommandId| {
            let flight = self.all.get(&id)?;
            let command = Box::new(flight.command.clone());
            let (occurred, seen) = (flight.occurred, flight.seen);
            Some(Effect::Send { id, ask: Ask::Do { command, occurred, seen } })
        };
        next.into_iter().filter_map(send).collect()
    }
}
