//! The command line: every act of the console is also a subcommand, with `--json` and exit codes
//! that mean something.
//!
//! Exit codes: 0 done; 1 failed; 2 wrong usage; 3 refused by the keeper; 4 no keeper.

pub mod act;
pub mod attach;
mod contacts;
pub mod demo;
mod help;
pub mod histories;
pub mod keep;
pub mod look;
pub mod obligation;
pub mod oncall;
pub mod out;
pub mod paging;
pub mod plan;
pub mod status;
pub mod talk;
pub mod token;
pub mod update;
mod verbs;
mod why;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser};

use crate::cli::out::Failure;
use crate::cli::verbs::Verb;
use crate::client::ClientError;
use crate::client::call::Caller;
use crate::client::far::Far;
use crate::client::link::Target;
use crate::client::start;
use crate::config::paths::Home;
use crate::tui;

/// How often a keeper that hangs up at once is asked again.
const HELLO_TRIES: u32 = 20;

/// An incident console for the terminal: a war room on a jump host that owns its state.
#[derive(Debug, Parser)]
#[command(name = "warroom", version, about, max_term_width = 100)]
pub struct Cli {
    /// Work here with the keeper on another machine (ssh HOST warroom attach --stdio).
    #[arg(long, value_name = "HOST", global = true)]
    host: Option<String>,
    /// The program to run on that machine.
    #[arg(long, value_name = "PATH", default_value = "warroom", global = true, requires = "host")]
    remote_program: String,
    /// Speak in lines instead of drawing panes, for a screen reader.
    #[arg(long)]
    plain: bool,
    /// Print JSON instead of text, where a command prints something.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Option<Verb>,
}

/// What a subcommand needs.
pub struct Context {
    pub home: Home,
    /// The keeper is on another machine.
    pub far: Option<Far>,
    pub json: bool,
}

impl Context {
    /// A connection to the keeper that runs; none is started.
    pub fn running(&self) -> Result<Caller, Failure> {
        if self.far.is_some() {
            return self.keeper();
        }
        Ok(Caller::new(start::connect(&self.home)?)?)
    }

    /// A connection to this home's keeper, which is started if there is none.
    pub fn keeper(&self) -> Result<Caller, Failure> {
        if let Some(far) = &self.far {
            return Ok(Caller::new(far.connect()?)?);
        }
        // A keeper that is just going may take the connection and hang up: then another one is due.
        let mut tries = 0;
        loop {
            match Caller::new(start::ensure(&self.home)?) {
                Err(ClientError::Broken(_) | ClientError::Closed) if tries < HELLO_TRIES => {
                    tries += 1;
                }
                result => return Ok(result?),
            }
        }
    }
}

/// The whole command line, for man pages and completions.
pub fn command() -> clap::Command {
    help::with_words(Cli::command())
}

/// Runs the program.
pub fn main() -> ExitCode {
    let parsed = command().try_get_matches().and_then(|found| Cli::from_arg_matches(&found));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            // It repeats what was typed.
            let is_hostile = |word: std::ffi::OsString| {
                word.to_string_lossy().chars().any(crate::domain::text::is_hostile)
            };
            if std::env::args_os().any(is_hostile) {
                out::warn(error.render().to_string().trim_end());
            } else {
                drop(error.print());
            }
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let far = cli.host.map(|host| Far { host, program: cli.remote_program });
    let context = Context { home: Home::find(), far, json: cli.json };
    let result = match cli.verb {
        None => console(&context, cli.plain),
        Some(verb) => verbs::run(verb, &context),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads no further has what they wanted.
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            out::complain(&failure, context.json);
            failure.code()
        }
    }
}

fn console(context: &Context, plain: bool) -> Result<(), Failure> {
    let target = match &context.far {
        Some(far) => Target::Ssh(far.clone()),
        None => Target::Local(context.home.clone()),
    };
    tui::run::run(&context.home, &target, plain).map_err(Failure::from)
}
