//! Tokens for senders of alerts: shown once, kept as a hash.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an unexpected answer is handled alike, whatever it is"
)]

use std::io::Read;

use clap::Subcommand;

use crate::cli::Context;
use crate::cli::act::unexpected;
use crate::cli::out::{Failure, say, say_json};
use crate::domain::command::Command;
use crate::domain::text::hex;
use crate::ingest::token_hash;
use crate::proto::{Ask, Reply};

#[derive(Debug, Subcommand)]
pub enum TokenVerb {
    /// Make a token for a source and show it once. From the first one on that is not for answers,
    /// whoever posts alerts needs one.
    New {
        /// The source's name: letters, digits, - _ .
        name: String,
        /// For a gateway that passes on answers to pages (`/v1/ack`), and for nothing else.
        #[arg(long)]
        answers: bool,
    },
    /// List the sources that have a token.
    List,
    /// Make a source's token invalid.
    Revoke { name: String },
}

/// Does what was asked for.
pub fn run(verb: TokenVerb, context: &Context) -> Result<(), Failure> {
    match verb {
        TokenVerb::New { name, answers } => {
            let token = fresh()?;
            give(context, Command::IssueToken { name, hash: token_hash(&token), answers })?;
            if context.json {
                return say_json(&serde_json::json!({ "token": token }));
            }
            say(&token);
            Ok(())
        }
        TokenVerb::Revoke { name } => {
            give(context, Command::RevokeToken { name: name.clone() })?;
            let is_last = match context.keeper()?.ask(Ask::Intake)? {
                Reply::Intake(report) => report.tokens.is_empty() && report.asks_for_tokens,
                _ => false,
            };
            if context.json {
                let left = serde_json::json!({ "revoked": name, "was_last": is_last });
                return say_json(&left);
            }
            say("revoked; whoever posts with it is refused");
            if is_last {
                say("no token is left: EVERY post is refused until 'warroom token new NAME'");
            }
            Ok(())
        }
        TokenVerb::List => match context.keeper()?.ask(Ask::Intake)? {
            Reply::Intake(report) if context.json => say_json(&report.tokens),
            Reply::Intake(report) => {
                report.tokens.iter().for_each(|name| say(name));
                Ok(())
            }
            other => Err(unexpected(&other)),
        },
    }
}

/// 32 characters, as `PagerDuty`'s routing keys have, so that such clients can carry it.
fn fresh() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(hex(&bytes))
}

fn give(context: &Context, command: Command) -> Result<(), Failure> {
    let ask = Ask::Do { command: Box::new(command), occurred: None, seen: None };
    match context.keeper()?.ask(ask)? {
        Reply::Done { .. } => Ok(()),
        Reply::Rejected(rejection) => Err(Failure::Rejected(rejection)),
        other => Err(unexpected(&other)),
    }
}
