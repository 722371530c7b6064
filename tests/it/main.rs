//! One integration binary: each extra one would link the crate again.

mod crash;
mod damage;
mod features;
mod home;
mod laws;
mod sim;
mod tidy;
mod world;
