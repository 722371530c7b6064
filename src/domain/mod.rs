//! What an incident is and which changes to it are legal.
//!
//! Invariants:
//! - Nothing here reads a clock, touches a file, a socket or a thread, or awaits; it imports
//!   nothing of ours from outside this folder.
//! - `decide` may refuse; `evolve` may not. Replaying a journal can never fail.

pub mod alert;
pub mod audit;
pub mod board;
pub mod brief;
pub mod change;
pub mod channel;
pub mod command;
pub mod decide;
pub mod delivery;
pub mod duty;
pub mod elsewhere;
pub mod escalation;
pub mod event;
pub mod ids;
pub mod incident;
pub mod legal;
pub mod lint;
pub mod markup;
pub mod obligation;
pub mod outbox;
pub mod outlook;
pub mod plan;
pub mod plan_diff;
pub mod post;
pub mod reach;
pub mod redact;
pub mod rejection;
pub mod resemble;
pub mod room;
mod room_changes;
mod room_desk;
pub mod row;
pub mod schedule;
pub mod silence;
pub mod stakeholder;
pub mod stats;
pub mod status;
pub mod talk;
pub mod template;
pub mod text;
pub mod throttle;
pub mod time;
pub mod timeline;
mod timeline_paging;
pub mod timers;
pub mod window;
pub mod words;
