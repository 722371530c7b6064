//! How a message leaves the house: one driver per kind of channel, one outcome for all.
//!
//! Invariants:
//! - Every delivery ends within its channel's time limit, whatever the other side does.
//! - Nothing here reads the journal or writes it; the outbox decides what is sent and again.
//! - A secret is read when it is used, and appears in no outcome, log line or error.

pub mod beacon;
mod file;
pub mod forms;
mod http;
mod http_client;
pub mod mail;
pub mod message;
mod program;
mod retry_after;
mod secrets;
pub mod send;
pub mod sign;
mod smtp;
