//! A keeper on another machine, behind ssh: the wire over its standard input and output.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::client::ClientError;

/// Where the keeper is, and what is run there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Far {
    /// As ssh takes it: `ops@jump`.
    pub host: String,
    /// The program on that machine.
    pub program: String,
}

impl Far {
    /// What ssh is told. `may_ask`: it may ask for a password at the terminal.
    pub fn arguments(&self, may_ask: bool) -> [&str; 10] {
        let batch = if may_ask { "BatchMode=no" } else { "BatchMode=yes" };
        let keep = "ServerAliveInterval=5";
        ["-T", "-o", batch, "-o", keep, "--", &self.host, &self.program, "attach", "--stdio"]
    }

    /// Connects. What ssh says goes to standard error; it ends when the stream is closed.
    pub fn connect(&self) -> Result<UnixStream, ClientError> {
        let failed = |source| ClientError::Unreachable { path: PathBuf::from("ssh"), source };
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        let both = theirs.try_clone().map_err(failed)?;
        Command::new("ssh")
            .args(self.arguments(true))
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(OwnedFd::from(both)))
            .spawn()
            .map_err(failed)?;
        Ok(ours)
    }
}
