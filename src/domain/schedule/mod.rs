//! Who is on call when: layers of people who take turns, exceptions to them, and what follows.
//!
//! Hand-overs follow the wall clock of the schedule's zone. A temporary plan beats an override or
//! a cover, and those beat the layers, of which the last one with somebody on duty wins.
//!
//! Invariants:
//! - Nothing here reads a clock, does I/O or panics, whatever a plan says.
//! - Every loop is bounded: a turn is found by arithmetic, a period is at most ten years.
//! - For one schedule, every instant lies in exactly one piece of [`shifts`], and [`on_duty`]
//!   agrees with that piece: both ask the same code.

pub mod calendar;
mod changes;
mod check;
mod duty;
mod effect;
pub mod ical;
mod layer;
mod load;
mod model;
mod restrict;
mod shifts;
mod stand_in;
mod swaps;
mod wall;
mod week;

pub use changes::{Changes, Cover, Swap, SwapState, TurnId};
pub use check::check;
pub use duty::{Duty, Source, on_duty};
pub use effect::without_effect;
pub use layer::{rota, turn_of, turn_span};
pub use load::{Load, PersonLoad, load};
pub use model::{Holidays, Hours, Override, Rotation, Schedule, Stint, Temporary, Turn};
pub use shifts::{MAX_PERIOD_MS, Shift, gaps, next_change, shifts};
pub use swaps::{holders, stale_swaps, swap_words};
pub use wall::{day_of, instant, oddity};
pub use week::{BadMoment, BadTimeOfDay, Day, Moment, TimeOfDay};

#[cfg(test)]
mod tests_duty;
#[cfg(test)]
mod tests_facts;
#[cfg(test)]
mod tests_ical;
#[cfg(test)]
mod tests_plan;
#[cfg(test)]
mod tests_turns;
