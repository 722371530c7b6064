//! Updates from templates: words that were agreed on before, filled with what is known now.
//!
//! A template is chosen by audience, phase and language, checked when the plan is adopted, and
//! filled from a fixed set of values.
//!
//! Invariants:
//! - A value is data: what it holds is never run as a template, and cannot leave its line.
//! - A template can read nothing but the values; it has a bounded amount of work, and a name that
//!   is not known is an error.

mod check;
mod context;
pub mod draft;
mod engine;
mod shipped;

pub use check::check;
pub use context::{Known, Meaning, context_names};
pub use engine::{Message, Output, RenderError, render};
pub use shipped::{SHIPPED, shipped};

#[cfg(test)]
mod tests;
