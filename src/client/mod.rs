//! A link to a keeper: starting one, calling it, following it.
//!
//! Invariants:
//! - `mirror` and `backoff` are pure.
//! - A command that was sent but not answered is sent again under the same id after a reconnect:
//!   the keeper does it once.

pub mod backoff;
pub mod call;
pub mod far;
pub mod link;
pub mod mirror;
pub mod start;

/// Why there is no keeper to talk to.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("cannot reach the keeper at {}", path.display())]
    Unreachable { path: std::path::PathBuf, source: std::io::Error },
    #[error(
        "you may not use {}: ask an administrator to put you into its group, then log in again",
        path.display()
    )]
    Forbidden { path: std::path::PathBuf },
    #[error("the keeper did not start: {0}")]
    NotStarted(String),
    #[error("the keeper (protocol {protocol}, warroom {version}) refused the connection: {why}")]
    Refused { protocol: u32, version: String, why: String },
    #[error("the connection to the keeper broke")]
    Broken(#[source] std::io::Error),
    #[error("the keeper said something that cannot be read")]
    Frame(#[from] crate::proto::frame::FrameError),
    #[error("the keeper closed the connection")]
    Closed,
    #[error(
        "the keeper has not answered for {0} s: it hangs, or its disk does; look at keeper.log"
    )]
    Silent(u64),
}

/// A fresh id for a command.
pub fn fresh_id() -> crate::domain::ids::CommandId {
    crate::domain::ids::CommandId(ulid::Ulid::generate().to_string())
}

/// The first line a client says.
pub fn hello(kind: crate::proto::ClientKind) -> crate::proto::ClientMsg {
    crate::proto::ClientMsg::Hello {
        protocol: crate::proto::PROTOCOL,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        kind,
        parts: true,
        from: came_from(),
    }
}

/// The address from which this person's ssh session came (sshd sets `SSH_CONNECTION`: client address
/// and port, server address and port); empty outside of one.
fn came_from() -> String {
    let session = std::env::var("SSH_CONNECTION").unwrap_or_default();
    session.split(' ').next().unwrap_or_default().to_owned()
}
