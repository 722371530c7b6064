//! One client on the Unix socket: hello, then requests in and lines out.
//!
//! Invariants:
//! - The keeper never waits for a client: lines queue up to a limit, then the client is cut loose.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::mpsc;

use crate::clock::wall_now;
use crate::domain::ids::CommandId;
use crate::domain::rejection::{Rejection, RejectionKind};
use crate::domain::text::{fit, visible};
use crate::keeper::engine::right_of;
use crate::keeper::identity;
use crate::keeper::outbox::{Outbox, Told};
use crate::keeper::run::Shared;
use crate::keeper::turn::{Input, Who};
use crate::keeper::writer::Mail;
use crate::proto::frame::{Frames, Line, encode};
use crate::proto::{ClientKind, ClientMsg, KeeperMsg, PROTOCOL, Reply, Welcome};

/// How long a client may take to say hello.
const HELLO_WITHIN: Duration = Duration::from_secs(5);
/// How long one write may take before the client is given up.
const WRITE_WITHIN: Duration = Duration::from_secs(20);

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Serves one client until either side goes.
pub async fn serve(stream: UnixStream, shared: Arc<Shared>) {
    let Ok(cred) = stream.peer_cred() else { return };
    // Looking a user up may wait for a directory server; others must not wait with it.
    let (uid, gid, home) = (cred.uid(), cred.gid(), shared.home.root.clone());
    let known = tokio::task::spawn_blocking(move || identity::who(uid, gid, &home)).await;
    let Ok(who) = known else { return };
    let (mut read, mut write) = stream.into_split();
    let mut frames = Frames::default();
    let hello = tokio::time::timeout(HELLO_WITHIN, next::<ClientMsg>(&mut read, &mut frames)).await;
    let (kind, takes_parts, from) = match check_hello(hello) {
        Ok(known) => known,
        Err(refusal) => {
            if let Some(message) = refusal {
                drop(write.write_all(&encode(&message)).await);
            }
            return;
        }
    };
    let who = Who { from, ..who };
    let client = NEXT.fetch_add(1, Ordering::Relaxed);
    let (outbox, mut outlet) = Outbox::new(takes_parts);
    let welcome = KeeperMsg::Welcome(Box::new(welcome(client, &who, &shared)));
    for line in Told::of(&welcome).lines(takes_parts).unwrap_or_default() {
        if write.write_all(line).await.is_err() {
            return;
        }
    }
    let mut writer = tokio::spawn(async move {
        while let Some(line) = outlet.next().await {
            let mut bytes = line.to_vec();
            while let Some(more) = outlet.try_next() {
                bytes.extend_from_slice(&more);
                if bytes.len() > 256 * 1024 {
                    break;
                }
            }
            match tokio::time::timeout(WRITE_WITHIN, write.write_all(&bytes)).await {
                Ok(Ok(())) => outlet.wrote(bytes.len()),
                Ok(Err(_)) | Err(_) => break,
            }
        }
        drop(write.shutdown().await);
    });
    // The writer loop holds the only lasting sender: when it lets go, the line ends.
    let weak = outbox.downgrade();
    let connect = Mail::Connect { client, outbox, who, kind };
    if shared.inbox.send(connect).await.is_ok() {
        tokio::select! {
            () = requests(client, &mut read, &mut frames, &shared, &weak) => {}
            // The client was too slow, or the keeper goes, or nobody reads any more.
            _ = &mut writer => {
                drop(shared.inbox.send(Mail::Input(Input::Leave { client })).await);
                return;
            }
        }
        drop(shared.inbox.send(Mail::Input(Input::Leave { client })).await);
    }
    drop(writer.await);
}

fn welcome(client: u64, who: &Who, shared: &Shared) -> Welcome {
    let (plan, beside) = (shared.gate.plan(), shared.gate.beside());
    Welcome {
        protocol: PROTOCOL,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        login: who.login.clone(),
        client,
        right: right_of(&plan, who),
        host: identity::hostname(),
        seq: shared.gate.seq.load(Ordering::Relaxed),
        now: wall_now(),
        plan,
        beside: Box::new(beside),
        intake: shared.listening.clone(),
    }
}

type Hello = Result<Result<Option<ClientMsg>, String>, tokio::time::error::Elapsed>;

/// The longest address from which somebody came, in bytes.
const FROM_MAX: usize = 64;

/// The kind of client, whether it takes parts and from where its person came, or what to say to it before it is let go (`None`: it is gone).
fn check_hello(hello: Hello) -> Result<(ClientKind, bool, String), Option<KeeperMsg>> {
    let refuse = |why: String| {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Some(KeeperMsg::Refused { protocol: PROTOCOL, version, why })
    };
    match hello {
        Ok(Ok(Some(ClientMsg::Hello { protocol, kind, parts, from, .. })))
            if protocol == PROTOCOL =>
        {
            Ok((kind, parts, fit(&visible(&from), FROM_MAX).into_owned()))
        }
        Ok(Ok(Some(ClientMsg::Hello { protocol, version, .. }))) => {
            let why = if protocol > PROTOCOL {
                format!(
                    "this keeper is older than your warroom {version}: restart it with the new program ('warroom stop', then 'warroom')"
                )
            } else {
                format!(
                    "your warroom {version} is older than this keeper: use the program it was started from"
                )
            };
            Err(refuse(why))
        }
        Ok(Ok(Some(ClientMsg::Request { .. }))) => Err(refuse("say hello first".to_owned())),
        Ok(Ok(None)) => Err(None),
        Ok(Err(why)) => Err(refuse(why)),
        Err(_) => Err(refuse("no hello came in time".to_owned())),
    }
}

/// The next message; `None` at the end of the stream.
async fn next<T: serde::de::DeserializeOwned>(
    read: &mut OwnedReadHalf,
    frames: &mut Frames,
) -> Result<Option<T>, String> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        if let Some(message) = frames.take().map_err(|e| e.to_string())? {
            return Ok(Some(message));
        }
        match read.read(&mut buffer).await {
            Ok(0) | Err(_) => return Ok(None),
            Ok(n) => frames.push(&buffer[..n]),
        }
    }
}

async fn requests(
    client: u64,
    read: &mut OwnedReadHalf,
    frames: &mut Frames,
    shared: &Shared,
    tx: &mpsc::WeakSender<Line>,
) {
    loop {
        let (id, ask) = match next::<ClientMsg>(read, frames).await {
            Ok(Some(ClientMsg::Request { id, ask })) => (id, ask),
            Ok(Some(ClientMsg::Hello { .. })) => continue,
            Ok(None) => return,
            Err(why) => {
                // A line that cannot be read has no id to answer to; it ends the conversation.
                let refusal =
                    Rejection::new(RejectionKind::BadInput, why, "the connection is closed");
                say(tx, CommandId("?".to_owned()), Reply::Rejected(refusal)).await;
                return;
            }
        };
        if shared.inbox.send(Mail::Input(Input::Request { client, id, ask })).await.is_err() {
            return;
        }
    }
}

async fn say(tx: &mpsc::WeakSender<Line>, id: CommandId, reply: Reply) {
    let line: Line = encode(&KeeperMsg::Reply { id, reply }).into();
    if let Some(tx) = tx.upgrade() {
        // It is the last line; what it weighs is not counted.
        drop(tx.send(line).await);
    }
}
