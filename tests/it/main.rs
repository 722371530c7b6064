//! One integration binary: each extra one would link the crate again.

#![expect(unreachable_pub, reason = "a test binary has no outside")]
#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is how tests speak"
)]
#![expect(clippy::wildcard_enum_match_arm, reason = "a test looks for one thing")]

mod at_night;
mod cli;
mod cli_law;
mod crash;
mod damage;
mod disk;
mod drafts;
mod features;
mod forms;
mod histories;
mod home;
mod intake;
mod journals;
mod laws;
mod notify_file;
mod notify_http;
mod notify_mail;
mod notify_program;
mod operator;
mod other_hands;
mod paging_live;
mod plain;
mod schedule_laws;
mod schedule_plans;
mod screens;
mod sim;
mod sim_paging;
mod sim_talk;
mod sinks;
mod slips;
mod stakeholder_pane;
mod talk_live;
mod terminal;
mod tidy;
mod trace;
mod wire;
mod world;
