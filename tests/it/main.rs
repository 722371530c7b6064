//! One integration binary: each extra one would link the crate again.

mod cli;
mod crash;
mod damage;
mod features;
mod home;
mod intake;
mod journals;
mod laws;
mod screens;
mod sim;
mod terminal;
mod tidy;
mod wire;
mod world;
