#![doc = include_str!("ARCHITECTURE.md")]

pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod domain;
pub mod ingest;
pub mod keeper;
pub mod notify;
pub mod proto;
pub mod render;
pub mod store;
pub mod tui;
