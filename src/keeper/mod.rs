//! The keeper: the one process that owns the journal of a home.
//!
//! `engine` is pure; everything else here is its shell: sockets, the writing loop, fan-out, start
//! and stop.
//!
//! Invariants:
//! - Nothing is answered before it is durable. A failed write ends the keeper: memory that is
//!   ahead of the journal must not live on.
//! - There is exactly one keeper per home.

pub mod background;
pub mod connection;
pub mod drafts;
pub mod engine;
pub mod gate;
pub mod http;
pub mod identity;
pub mod inbox;
pub mod lane;
pub mod mailroom;
pub mod outbox;
pub mod readers;
pub mod reads;
pub mod run;
pub mod status_page;
pub mod supervise;
pub mod turn;
pub mod watch;
pub mod writer;
