//! A console's link to its keeper, over any stream of bytes: a socket here, ssh elsewhere.
//!
//! Invariants:
//! - Both queues have a limit. The console empties its own as fast as it can; if it cannot, the
//!   socket fills up and the keeper lets go.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::client::far::Far;
use crate::client::{ClientError, hello, start};
use crate::config::paths::Home;
use crate::proto::frame::{Frames, encode};
use crate::proto::{ClientKind, ClientMsg, KeeperMsg};

/// Where the keeper is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// On this machine.
    Local(Home),
    /// Behind `ssh HOST warroom attach --stdio`.
    Ssh(Far),
}

/// Messages that may wait in either direction.
const QUEUE_MAX: usize = 256;

/// What is kept of what ssh says beside the link, in bytes.
const SAID_MAX: usize = 512;

/// What comes from the other side.
#[derive(Debug)]
pub enum Incoming {
    Message(Box<KeeperMsg>),
    Lost(ClientError),
}

/// An open link.
pub struct Link {
    pub tx: mpsc::Sender<ClientMsg>,
    pub rx: mpsc::Receiver<Incoming>,
    /// The last line that ssh said beside the link: why it ended.
    pub said: Arc<Mutex<String>>,
}

/// Connects; starts a keeper on this machine if there is none and that is wanted. `may_ask`: ssh may
/// ask for a password at the terminal, for nothing is drawn yet.
pub async fn open(target: &Target, may_start: bool, may_ask: bool) -> Result<Link, ClientError> {
    match target {
        Target::Local(home) => {
            let home = home.clone();
            let path = home.socket();
            let unreachable = |source| ClientError::Unreachable { path: path.clone(), source };
            let stream = tokio::task::spawn_blocking(move || {
                if may_start { start::ensure(&home) } else { start::connect(&home) }
            })
            .await
            .map_err(|e| ClientError::NotStarted(e.to_string()))??;
            stream.set_nonblocking(true).map_err(unreachable)?;
            let stream = tokio::net::UnixStream::from_std(stream).map_err(unreachable)?;
            let (read, write) = stream.into_split();
            Ok(spawn(read, write, None, Arc::default()))
        }
        Target::Ssh(far) => {
            let mut child = tokio::process::Command::new("ssh")
                .args(far.arguments(may_ask))
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .spawn()
                .map_err(|source| ClientError::Unreachable {
                    path: PathBuf::from("ssh"),
                    source,
                })?;
            let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
            let (Some(write), Some(read), Some(beside)) = pipes else {
                return Err(ClientError::NotStarted("ssh has no pipes".to_owned()));
            };
            let said = Arc::<Mutex<String>>::default();
            tokio::spawn(listen(beside, Arc::clone(&said)));
            Ok(spawn(read, write, Some(child), said))
        }
    }
}

/// Keeps the last line of what is said beside the link. All of it is read, or ssh would wait.
async fn listen(mut beside: impl AsyncRead + Unpin, said: Arc<Mutex<String>>) {
    let mut buffer = [0; 4096];
    let mut tail: Vec<u8> = Vec::new();
    while let Ok(n @ 1..) = beside.read(&mut buffer).await {
        tail.extend_from_slice(&buffer[..n]);
        tail.drain(..tail.len().saturating_sub(SAID_MAX));
        let text = String::from_utf8_lossy(&tail);
        let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty());
        if let Some(line) = last {
            let line = crate::domain::text::visible(line).into_owned();
            *said.lock().unwrap_or_else(PoisonError::into_inner) = line;
        }
    }
}

impl Link {
    /// Why the link ended, with what ssh said of it.
    pub fn why(&self, error: &ClientError) -> String {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        // It may be no more than a greeting: what broke is told with it.
        if said.is_empty() { error.to_string() } else { format!("{error}; ssh said: {said}") }
    }
}

fn spawn(
    read: impl AsyncRead + Unpin + Send + 'static,
    write: impl AsyncWrite + Unpin + Send + 'static,
    child: Option<tokio::process::Child>,
    said: Arc<Mutex<String>>,
) -> Link {
    let (tx, outbox) = mpsc::channel(QUEUE_MAX);
    let (inbox, rx) = mpsc::channel(QUEUE_MAX);
    tokio::spawn(writer(write, outbox));
    tokio::spawn(async move {
        reader(read, inbox).await;
        drop(child);
    });
    Link { tx, rx, said }
}

async fn writer(mut write: impl AsyncWrite + Unpin, mut outbox: mpsc::Receiver<ClientMsg>) {
    if write.write_all(&encode(&hello(ClientKind::Console))).await.is_err() {
        return;
    }
    while let Some(message) = outbox.recv().await {
        if write.write_all(&encode(&message)).await.is_err() || write.flush().await.is_err() {
            return;
        }
    }
    drop(write.shutdown().await);
}

async fn reader(mut read: impl AsyncRead + Unpin, inbox: mpsc::Sender<Incoming>) {
    let mut frames = Frames::of_answers();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        loop {
            match frames.take::<KeeperMsg>() {
                Ok(Some(message)) => {
                    if inbox.send(Incoming::Message(Box::new(message))).await.is_err() {
                        return;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    drop(inbox.send(Incoming::Lost(error.into())).await);
                    return;
                }
            }
        }
        let lost = match read.read(&mut buffer).await {
            Ok(0) => ClientError::Closed,
            Ok(n) => {
                frames.push(&buffer[..n]);
                continue;
            }
            Err(error) => ClientError::Broken(error),
        };
        drop(inbox.send(Incoming::Lost(lost)).await);
        return;
    }
}
