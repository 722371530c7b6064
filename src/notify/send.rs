//! Delivering one message over one channel, within the channel's time limit.
//!
//! Invariants:
//! - `send` returns within the limit, whatever the other side does or does not do.
//! - An outcome holds no secret and no character that drives a terminal: it goes to the journal.
//! - Once the other side has taken the message, nothing that follows can turn that into a failure.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::channel::Channel;
use crate::domain::text::visible;
use crate::domain::time::Timestamp;
use crate::notify::message::{Message, cut};
use crate::notify::{file, http, program, smtp};

/// The longest proof or reason, in bytes.
pub const WORDS_MAX: usize = 300;

/// Where and when a delivery happens.
#[derive(Debug, Clone)]
pub struct Context {
    /// The home directory: files lie below it, programs run in it.
    pub home: PathBuf,
    /// This host's name: the right half of a Message-ID, the greeting of a relay.
    pub host: String,
    /// When this attempt began.
    pub now: Timestamp,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// We gave it away, and nobody answers for it: a program ended well, a file is on the disk.
    HandedOver {
        /// What shows it.
        proof: String,
    },
    /// The other side took it over.
    Accepted {
        /// Its code: of SMTP or HTTP.
        code: u16,
        /// Its words: a queue id, an answer.
        proof: String,
    },
    /// It did not get there, as far as we know.
    Failed {
        /// What failed, on what, and what to do.
        reason: String,
        /// Whether the same attempt would fail again.
        permanent: bool,
        /// When the other side asks us to come back, in milliseconds from `Context::now`.
        retry_after_ms: Option<u64>,
    },
}

impl Outcome {
    pub(crate) fn handed_over(proof: &str) -> Self {
        Self::HandedOver { proof: words(proof) }
    }

    pub(crate) fn accepted(code: u16, proof: &str) -> Self {
        Self::Accepted { code, proof: words(proof) }
    }

    /// A failure that the same attempt would meet again.
    pub(crate) fn permanent(reason: &str) -> Self {
        Self::Failed { reason: words(reason), permanent: true, retry_after_ms: None }
    }

    /// A failure that may be gone at the next attempt.
    pub(crate) fn temporary(reason: &str) -> Self {
        Self::come_back(reason, None)
    }

    /// A temporary failure, and when the other side wants to hear of us again.
    pub(crate) fn come_back(reason: &str, retry_after_ms: Option<u64>) -> Self {
        Self::Failed { reason: words(reason), permanent: false, retry_after_ms }
    }
}

/// One line, safe to show, of a known size.
fn words(text: &str) -> String {
    cut(visible(text.trim()).into_owned(), WORDS_MAX)
}

/// How far a delivery has come: what is said when its time is up.
#[derive(Debug)]
pub(crate) struct Step(Mutex<&'static str>);

impl Step {
    /// What is being waited for from here on.
    pub(crate) fn enter(&self, waiting_for: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = waiting_for;
    }

    fn last(&self) -> &'static str {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Delivers a message to an address over a channel. Dropping the future stops the attempt, and
/// kills what it started.
pub async fn send(
    channel: &Channel,
    address: &str,
    message: &Message,
    context: &Context,
) -> Outcome {
    if let Err(why) = channel.check_address(address) {
        return Outcome::permanent(&format!("{why}; correct the contact in the plan"));
    }
    let limit = Duration::from_secs(u64::from(channel.limit_s()));
    let step = Step(Mutex::new("the delivery to begin"));
    let attempt = deliver(channel, address, message, context, &step);
    match tokio::time::timeout(limit, attempt).await {
        Ok(outcome) => outcome,
        Err(_) => Outcome::temporary(&format!(
            "the time limit of {} s passed while waiting for {}",
            limit.as_secs(),
            step.last()
        )),
    }
}

async fn deliver(
    channel: &Channel,
    address: &str,
    message: &Message,
    context: &Context,
    step: &Step,
) -> Outcome {
    // Boxed, so that a delivery to a file does not carry the state of one by mail.
    match channel {
        Channel::Smtp(smtp) => Box::pin(smtp::deliver(smtp, address, message, context, step)).await,
        Channel::Webhook(webhook) => {
            Box::pin(http::deliver(webhook, address, message, context, step)).await
        }
        Channel::Program(program) => {
            Box::pin(program::deliver(program, address, message, context, step)).await
        }
        Channel::File(file) => file::deliver(file, address, message, context, step).await,
        Channel::Terminal(_) => Outcome::permanent(
            "a terminal has no driver: the keeper shows the banner in open consoles itself",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::channel::Terminal;

    #[tokio::test]
    async fn a_delivery_can_be_a_task_and_a_terminal_has_no_driver() {
        let context =
            Context { home: PathBuf::new(), host: String::new(), now: Timestamp::default() };
        let task = tokio::spawn(async move {
            let channel = Channel::Terminal(Terminal {});
            send(&channel, "anna", &Message::default(), &context).await
        });
        let outcome = task.await.expect("no panic");
        assert!(matches!(outcome, Outcome::Failed { permanent: true, .. }), "{outcome:?}");
    }

    #[test]
    fn what_is_said_is_one_short_line() {
        let outcome = Outcome::accepted(250, &format!(" ok\r\n\u{1b}[2J{}", "x".repeat(999)));
        let Outcome::Accepted { proof, .. } = outcome else { unreachable!("it was accepted") };
        assert!(proof.starts_with("ok  ␛[2Jxx") && proof.len() <= WORDS_MAX, "{proof}");
    }
}
