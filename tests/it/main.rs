//! One integration binary: each extra one would link the crate again.

mod features;
mod tidy;
mod world;
