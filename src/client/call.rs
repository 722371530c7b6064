//! One question, one answer: what command lines need.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::client::{ClientError, fresh_id, hello};
use crate::domain::ids::CommandId;
use crate::proto::frame::{Frames, encode};
use crate::proto::{Ask, ClientKind, ClientMsg, KeeperMsg, Reply, Welcome};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection that is asked one thing after the other.
pub struct Caller {
    stream: UnixStream,
    frames: Frames,
    pub welcome: Box<Welcome>,
}

impl Caller {
    /// Says hello.
    pub fn new(stream: UnixStream) -> Result<Self, ClientError> {
        let mut stream = stream;
        let mut frames = Frames::of_answers();
        stream.set_read_timeout(Some(PATIENCE)).map_err(ClientError::Broken)?;
        stream.write_all(&encode(&hello(ClientKind::Cli))).map_err(ClientError::Broken)?;
        match next(&mut stream, &mut frames)? {
            KeeperMsg::Welcome(welcome) => Ok(Self { stream, frames, welcome }),
            KeeperMsg::Refused { protocol, version, why } => {
                Err(ClientError::Refused { protocol, version, why })
            }
            KeeperMsg::Reply { .. } | KeeperMsg::Push(_) => Err(ClientError::Closed),
        }
    }

    /// Asks and waits for the answer.
    pub fn ask(&mut self, ask: Ask) -> Result<Reply, ClientError> {
        self.ask_as(&fresh_id(), ask)
    }

    /// Waits until the other side has hung up.
    pub fn wait_closed(&mut self) {
        while next(&mut self.stream, &mut self.frames).is_ok() {}
    }

    /// The same under a given id, so that a retry is done once.
    pub fn ask_as(&mut self, id: &CommandId, ask: Ask) -> Result<Reply, ClientError> {
        // What reads the whole journal takes as long as it takes.
        let is_long = matches!(ask, Ask::Backup { .. } | Ask::Verify | Ask::Samples | Ask::Stop);
        let patience = (!is_long).then_some(PATIENCE);
        self.stream.set_read_timeout(patience).map_err(ClientError::Broken)?;
        let request = ClientMsg::Request { id: id.clone(), ask };
        self.stream.write_all(&encode(&request)).map_err(ClientError::Broken)?;
        loop {
            match next(&mut self.stream, &mut self.frames)? {
                KeeperMsg::Reply { id: answered, reply } if answered == *id => return Ok(reply),
                // "?" answers a line that the keeper could not read.
                KeeperMsg::Reply { id, reply } if id.0 == "?" => return Ok(reply),
                KeeperMsg::Reply { .. } | KeeperMsg::Push(_) | KeeperMsg::Welcome(_) => {}
                KeeperMsg::Refused { protocol, version, why } => {
                    return Err(ClientError::Refused { protocol, version, why });
                }
            }
        }
    }
}

fn next(stream: &mut UnixStream, frames: &mut Frames) -> Result<KeeperMsg, ClientError> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        if let Some(message) = frames.take()? {
            return Ok(message);
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Err(ClientError::Closed),
            Ok(n) => frames.push(&buffer[..n]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Err(ClientError::Silent(PATIENCE.as_secs()));
            }
            Err(error) => return Err(ClientError::Broken(error)),
        }
    }
}
