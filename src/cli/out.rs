//! What a command prints, and how it fails.
//!
//! Invariants:
//! - Text from outside passes `visible` before it is printed; JSON escapes it by itself.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use serde::Serialize;

use crate::client::ClientError;
use crate::domain::rejection::Rejection;
use crate::domain::text::{is_hostile, visible_lines};
use crate::store::StoreError;

/// Why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// The keeper said no, in words.
    Rejected(Rejection),
    /// There is no keeper to talk to.
    NoKeeper(ClientError),
    /// The command was used wrongly.
    Usage(String),
    /// Anything else.
    Failed(anyhow::Error),
    /// It printed what is wrong already.
    Said,
}

impl Failure {
    /// Whether the reader of what was printed has gone.
    pub fn is_broken_pipe(&self) -> bool {
        let Self::Failed(error) = self else { return false };
        let cause = error.downcast_ref::<std::io::Error>();
        cause.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    }

    /// The exit code.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Failed(_) | Self::Said => 1,
            Self::Usage(_) => 2,
            Self::Rejected(_) => 3,
            Self::NoKeeper(_) => 4,
        })
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::NoKeeper(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Prints lines of text; a closed pipe is no error.
pub fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let shown = visible_lines(text);
    drop(out.write_all(shown.as_bytes()).and_then(|()| out.write_all(b"\n")));
}

/// Prints what must not be overlooked: red on a terminal that shows colours (<https://no-color.org>).
pub fn alarm(text: &str) {
    let mut out = std::io::stdout().lock();
    let shown = visible_lines(text);
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let line = if out.is_terminal() && !is_plain {
        format!("\x1b[1;31m{shown}\x1b[0m\n")
    } else {
        format!("{shown}\n")
    };
    drop(out.write_all(line.as_bytes()));
}

/// Prints a value as JSON.
pub fn say_json<T: Serialize>(value: &T) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(anyhow::Error::from)?;
    let text = escaped(&text);
    let mut out = std::io::stdout().lock();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")));
    Ok(())
}

/// JSON in which what could drive a terminal or reorder a line is written as its number: the same value
/// to whoever reads it, and harmless to whoever looks at it (RFC 8259, section 7).
pub fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || !is_hostile(c) {
            out.push(c);
            continue;
        }
        let mut units = [0; 2];
        let units = c.encode_utf16(&mut units);
        out.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
    }
    out
}

/// Prints to standard error.
pub fn warn(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "{}", visible_lines(text)));
}

/// Says why a command failed: what, on what, and what to do next.
pub fn complain(failure: &Failure, json: bool) {
    let text = match failure {
        Failure::Rejected(rejection) if json => {
            let value = serde_json::json!({ "rejected": rejection });
            drop(writeln!(std::io::stderr().lock(), "{value}"));
            return;
        }
        Failure::Rejected(rejection) => rejection.to_string(),
        Failure::NoKeeper(error) => chain(error),
        Failure::Usage(text) => text.clone(),
        Failure::Failed(error) => format!("{error:#}"),
        Failure::Said => return,
    };
    warn(&format!("warroom: {text}"));
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_holds_nothing_that_drives_a_terminal_and_means_the_same() {
        let text = "a\u{202e}b\u{9b}2J\u{e0001}ü\u{1b}[1m";
        let json = escaped(&serde_json::to_string_pretty(&[text]).expect("JSON"));
        assert!(json.chars().all(|c| c == '\n' || !is_hostile(c)), "{json}");
        let back: Vec<String> = serde_json::from_str(&json).expect("JSON still");
        assert_eq!(back, [text]);
    }
}
