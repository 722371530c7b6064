//! The subcommands and where each is done.

use std::path::PathBuf;

use clap::Subcommand;

use crate::cli::out::Failure;
use crate::cli::{
    Context, act, attach, demo, histories, keep, look, obligation, oncall, out, paging, plan,
    status, talk, token,
};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    #[command(flatten)]
    Act(act::Act),
    #[command(flatten)]
    Paging(paging::Paging),
    #[command(flatten)]
    OnCall(oncall::OnCall),
    #[command(flatten)]
    Talk(talk::Talk),
    /// What laws and contracts demand: rules, clocks, determinations, submissions.
    #[command(subcommand)]
    Obligation(obligation::Obligation),
    #[command(flatten)]
    Look(look::Look),
    /// Run the keeper in the foreground (systemd: Type=notify).
    Keeper {
        /// Leave the terminal; say "ready" on standard output (used by the console).
        #[arg(long, hide = true)]
        background: bool,
    },
    /// End the keeper of this home in good order.
    Stop,
    /// Check the hash chain of both copies of the journal.
    Verify {
        /// Check a twin directory alone; needs no database.
        #[arg(long, value_name = "DIR")]
        twin: Option<PathBuf>,
        /// Check an exported file.
        #[arg(long, value_name = "FILE", conflicts_with = "twin")]
        export: Option<PathBuf>,
    },
    /// Write the whole journal as JSON Lines ("-": standard output).
    Export {
        #[arg(default_value = "-")]
        file: PathBuf,
        /// With the words that were redacted: to move a journal to another home.
        #[arg(long)]
        with_redacted: bool,
    },
    /// Read an export into an empty home (one that was cut off goes on), or a history from another system.
    Import {
        /// The file ("-": standard input).
        file: PathBuf,
        /// What the file is: an export of warroom unless this is given.
        #[arg(long, value_enum)]
        from: Option<histories::Format>,
        /// For --from csv: which column says what (TOML; --help shows one).
        ///
        /// Required: id = "Key" (rows with the same id are one incident) and opened = "Created". As
        /// there are: title, resolved, closed, severity, service, note (an entry for each row) and at
        /// (its time), each with the name of a column; source = "jira" names the origin; [severities]
        /// holds the column's words with ours: Blocker = "SEV2".
        #[arg(long, value_name = "FILE", required_if_eq("from", "csv"))]
        mapping: Option<PathBuf>,
    },
    /// Copy the journal into a directory while the keeper runs.
    Backup { dest: PathBuf },
    /// Read a backup into an empty home.
    Restore { from: PathBuf },
    /// Rebuild what is derived from the journal: streams, rows, text index. The keeper must be stopped.
    Rebuild,
    /// Check, show or adopt the plan.
    #[command(subcommand)]
    Plan(plan::PlanVerb),
    /// Make, list or revoke the tokens that senders of alerts use.
    #[command(subcommand)]
    Token(token::TokenVerb),
    /// Connect standard input and output to the keeper (used by --host).
    Attach {
        #[arg(long)]
        stdio: bool,
    },
    /// Play a scripted incident in a throw-away home.
    Demo {
        /// Play it without a console and print what happened (used by tests).
        #[arg(long)]
        headless: bool,
    },
    /// List every action of the console with its keys.
    Actions,
    /// Print shell completions.
    Completions { shell: clap_complete::Shell },
    /// Print the man page.
    Man,
}

impl Verb {
    /// Its name, where it works on the files of the machine on which it runs.
    const fn of_the_machine(&self) -> Option<&'static str> {
        Some(match self {
            Self::Keeper { .. } => "keeper",
            Self::Stop => "stop",
            Self::Verify { .. } => "verify",
            Self::Export { .. } => "export",
            Self::Import { .. } => "import",
            Self::Backup { .. } => "backup",
            Self::Restore { .. } => "restore",
            Self::Rebuild => "rebuild",
            Self::Plan(_) => "plan",
            Self::Attach { .. } => "attach",
            Self::Demo { .. } => "demo",
            Self::Act(_)
            | Self::Paging(_)
            | Self::OnCall(_)
            | Self::Talk(_)
            | Self::Obligation(_)
            | Self::Look(_)
            | Self::Token(_)
            | Self::Actions
            | Self::Completions { .. }
            | Self::Man => return None,
        })
    }
}

pub(super) fn run(verb: Verb, context: &Context) -> Result<(), Failure> {
    if let (Some(far), Some(name)) = (&context.far, verb.of_the_machine()) {
        return Err(Failure::Usage(format!(
            "'{name}' works on the machine on which it runs: ssh {} {} {name} …",
            far.host, far.program
        )));
    }
    match verb {
        Verb::Act(act) => act::run(act, context),
        Verb::Paging(paging) => paging::run(paging, context),
        Verb::OnCall(verb) => oncall::run(verb, context),
        Verb::Talk(talk) => talk::run(talk, context),
        Verb::Obligation(verb) => obligation::run(verb, context),
        Verb::Look(look) => look::run(look, context),
        Verb::Keeper { background } => keep::keeper(context, background),
        Verb::Stop => keep::stop(context),
        Verb::Verify { twin, export } => keep::verify(context, twin, export),
        Verb::Export { file, with_redacted } => keep::export(context, &file, with_redacted),
        Verb::Import { file, from: None, .. } => keep::import(context, &file),
        Verb::Import { file, from: Some(from), mapping } => {
            histories::import(context, from, &file, mapping.as_deref())
        }
        Verb::Backup { dest } => keep::backup(context, &dest),
        Verb::Restore { from } => keep::restore(context, &from),
        Verb::Rebuild => keep::rebuild(context),
        Verb::Plan(verb) => plan::run(verb, context),
        Verb::Token(verb) => token::run(verb, context),
        Verb::Attach { stdio } => attach::run(context, stdio),
        Verb::Demo { headless } => demo::run(headless),
        Verb::Actions => status::actions(context),
        Verb::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut super::command(), "warroom", &mut text);
            out::say(String::from_utf8_lossy(&text).trim_end());
            Ok(())
        }
        Verb::Man => {
            let mut text = Vec::new();
            clap_mangen::Man::new(super::command()).render(&mut text)?;
            out::say(String::from_utf8_lossy(&text).trim_end());
            Ok(())
        }
    }
}
