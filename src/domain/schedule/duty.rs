//! Who is on duty at an instant, and why.
//!
//! Invariants:
//! - The people are in order of their places, and nobody is there twice.

use serde::{Deserialize, Serialize};

use super::changes::{Changes, TurnId};
use super::layer::Layer;
use super::model::{Holidays, Schedule};
use super::restrict::phase;
use super::stand_in::{by_temporary, stand_in, temporary};
use super::swaps::seats;
use crate::domain::time::Timestamp;

/// Somebody on duty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duty {
    /// Who (login).
    pub person: String,
    /// Why it is them.
    pub source: Source,
    /// The turn they have, if it is theirs by a layer or a swap.
    pub turn: Option<TurnId>,
}

impl Duty {
    /// Why it is them, in words.
    pub fn words(&self) -> String {
        match (&self.source, &self.turn) {
            (Source::Layer { name }, Some(turn)) => format!("{name}, turn {}", turn.turn),
            (Source::Layer { name }, None) => name.clone(),
            (Source::Override { .. }, _) => "stands in by the plan".into(),
            (Source::Cover { id }, _) => format!("stands in, cover {id}"),
            (Source::Swap { id }, Some(turn)) => {
                format!("{}, turn {}, by swap {id}", turn.layer, turn.turn)
            }
            (Source::Swap { id }, None) => format!("by swap {id}"),
            (Source::Temporary { .. }, _) => "by a temporary plan".into(),
        }
    }
}

/// Why somebody is on duty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// It is their turn.
    Layer {
        /// The layer's name.
        name: String,
    },
    /// The plan says so for a while.
    Override {
        /// Where the override begins, by which it is known.
        from: Timestamp,
    },
    /// They stand in.
    Cover {
        /// The cover's number.
        id: u32,
    },
    /// They took the turn from somebody.
    Swap {
        /// The swap's number.
        id: u32,
    },
    /// A temporary plan is in force.
    Temporary {
        /// Where their shift in it begins, by which it is known.
        from: Timestamp,
    },
}

/// What one layer says, and up to when that certainly holds.
#[derive(Debug, Clone)]
pub(super) struct Lane {
    pub(super) duties: Vec<Duty>,
    pub(super) until: Timestamp,
}

/// What one layer says at an instant.
pub(super) fn lane(
    layer: &Layer<'_>,
    holidays: &Holidays,
    changes: &Changes,
    at: Timestamp,
) -> Lane {
    let Some((turn, next)) = layer.turn_at(at) else {
        return Lane { duties: Vec::new(), until: layer.wakes(at) };
    };
    let phase = phase(layer.zone, layer.rotation, holidays, at);
    let until = next.min(phase.until);
    if !phase.is_on {
        return Lane { duties: Vec::new(), until };
    }
    let (duties, holds) = seats(layer, changes, turn, at);
    Lane { duties, until: until.min(holds) }
}

/// The layers of a schedule, the lowest first.
pub(super) fn layers(schedule: &Schedule) -> impl DoubleEndedIterator<Item = Layer<'_>> {
    schedule
        .rotations
        .iter()
        .enumerate()
        .map(|(place, rotation)| Layer::new(schedule.zone, place, rotation))
}

/// What everything together says, given what the highest layer with somebody on duty says.
pub(super) fn compose(
    schedule: &Schedule,
    changes: &Changes,
    at: Timestamp,
    by_layers: impl FnOnce() -> Vec<Duty>,
) -> Vec<Duty> {
    match temporary(schedule, at) {
        Some(plan) => by_temporary(plan, at),
        None => stand_in(schedule, changes, at, by_layers()),
    }
}

/// Who is on duty at an instant; nobody is an empty list.
pub fn on_duty(
    schedule: &Schedule,
    holidays: &Holidays,
    changes: &Changes,
    at: Timestamp,
) -> Vec<Duty> {
    compose(schedule, changes, at, || {
        layers(schedule)
            .rev()
            .map(|layer| lane(&layer, holidays, changes, at).duties)
            .find(|duties| !duties.is_empty())
            .unwrap_or_default()
    })
}
