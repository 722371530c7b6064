//! A wanted delivery and its attempts: who is to be reached, how, and what proves that it was done.
//!
//! A delivery is wanted by an event, each attempt begins with one and ends with one: the journal is
//! the outbox and the ledger. Methods are tried in order of preference. One that fails is tried
//! again after a growing pause, then the next one follows; one that gives no proof that a machine
//! on the other side took it (a terminal, a file) is followed by the next at once.
//!
//! Invariants:
//! - Everything here is total and pure; when something is due is derived from what happened.
//! - What was cancelled or confirmed never becomes due again.

use serde::{Deserialize, Serialize};

use crate::domain::time::{MINUTE_MS, SECOND_MS, Timestamp};
use crate::domain::words::{AttemptResult, DeliveryKind};

#[cfg(test)]
mod tests;

/// Attempts by one method before the next one is taken.
pub const TRIES_MAX: u8 = 3;
/// The same for the last way to a reader of an update, for whom there is nobody else: about seven minutes,
/// in which a relay restarts and a greylist lets it pass (RFC 6647, section 5).
pub const LETTER_TRIES_MAX: u8 = 8;
/// An attempt that took so long and failed hung, in milliseconds.
const SLOW_MS: i64 = 10 * SECOND_MS;
/// A pause that the other side asks for and that is not waited for where there is another way.
const PATIENCE_MS: i64 = 20 * SECOND_MS;
/// The longest pause that the other side may ask for: whoever is to be reached has other ways by then.
pub const RETRY_AFTER_MAX_MS: i64 = 15 * MINUTE_MS;
/// The pause after the first failure, and the longest one, in milliseconds.
const BACKOFF_FIRST_MS: i64 = 5 * SECOND_MS;
pub const BACKOFF_MAX_MS: i64 = 2 * MINUTE_MS;
/// Attempts of one delivery that are kept in the room; all of them are in the journal.
const ATTEMPTS_KEPT: usize = 12;

/// A delivery as the event that wants it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Names it within its incident, from 1.
    pub number: u32,
    /// What it is: a page, a hand-over, a word for information.
    #[serde(default = "page", skip_serializing_if = "is_page")]
    pub kind: DeliveryKind,
    /// The login of a person, or `channel:NAME:ADDRESS`.
    pub to: String,
    /// Why it is sent now: the rule, the person or the clock behind it.
    pub why: String,
    /// How, in order of preference (`mail:a@b`, `terminal`); empty: there is no way.
    pub methods: Vec<Method>,
}

/// One way to reach somebody, and how long it waits for the ways before it to be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method {
    /// Channel and address: `mail:a@b`, `terminal`.
    #[serde(rename = "m")]
    pub name: String,
    /// Tried after this many seconds even where the methods before it were taken; 0: only where they
    /// were not.
    #[serde(rename = "s", default, skip_serializing_if = "is_zero")]
    pub after_s: u32,
}

const fn page() -> DeliveryKind {
    DeliveryKind::Page
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_page(kind: &DeliveryKind) -> bool {
    *kind == DeliveryKind::Page
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
const fn is_none(count: &u8) -> bool {
    *count == 0
}

impl Method {
    /// Reads `mail:a@b` or `phone:+49… after 3m`, as a plan writes it.
    pub fn parse(text: &str) -> Self {
        let waits = text.rsplit_once(" after ").and_then(|(name, span)| {
            let span = crate::domain::time::parse_span(span)?;
            Some((name.trim(), u32::try_from(span / SECOND_MS).ok()?))
        });
        let (name, after_s) = waits.unwrap_or((text.trim(), 0));
        Self { name: name.to_owned(), after_s }
    }

    /// The channel's name: what stands before the first colon.
    pub fn channel(&self) -> &str {
        channel_of(&self.name)
    }
}

/// The channel of a method: what stands before the first colon.
pub fn channel_of(method: &str) -> &str {
    method.split_once(':').map_or(method, |(channel, _)| channel)
}

/// The address of a method: what stands behind the first colon.
pub fn address_of(method: &str) -> &str {
    method.split_once(':').map_or("", |(_, address)| address)
}

/// Where a delivery stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Stand {
    /// The next attempt is due then.
    Queued { due: Timestamp },
    /// An attempt is on its way.
    Sending { since: Timestamp },
    /// Every method was tried; the last that was taken gave this much proof.
    Waiting { since: Timestamp },
    /// The person answered.
    Confirmed { at: Timestamp },
    /// No method got through.
    Failed { at: Timestamp },
    /// It is no longer wanted.
    Cancelled { at: Timestamp },
}

/// One attempt by one method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Names it within its delivery, from 1; a repetition after a crash keeps the number.
    pub number: u32,
    /// By which of the delivery's methods.
    pub method: u8,
    pub at: Timestamp,
    /// How it ended, once it has.
    pub result: Option<AttemptResult>,
    pub ended_at: Option<Timestamp>,
    /// The other side's code or words, or what went wrong.
    pub detail: String,
}

/// What wanted a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The level of the policy; none for one by name, for the fallback and for offers.
    pub level: Option<u16>,
    /// How late it was wanted, in milliseconds, where the clock was not looked at in time.
    pub late_ms: i64,
    /// A person wanted it just now: it waits for no bundle.
    pub by_hand: bool,
}

impl Origin {
    /// By a person, by name.
    pub const HAND: Self = Self { level: None, late_ms: 0, by_hand: true };
}

/// One delivery as the room knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    pub wanted: Wanted,
    /// What wanted it.
    pub origin: Origin,
    pub at: Timestamp,
    pub stand: Stand,
    /// The method that is next, or on its way.
    pub method: u8,
    /// Failed tries of that method.
    pub tries: u8,
    /// Methods that the plan's limit held back: they stand behind the others once more.
    #[serde(default, skip_serializing_if = "is_none")]
    pub held: u8,
    /// Those of them that the other side asked to come back later: before when they are not tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_before: Vec<(u8, Timestamp)>,
    /// Attempts that were begun.
    pub begun: u32,
    /// The other side took one of them and said so.
    pub is_accepted: bool,
    /// One of them was handed over at least.
    pub is_handed_over: bool,
    pub attempts: Vec<Attempt>,
}

/// The pause before the next try of a method that failed `tries` times: doubles up to two minutes,
/// with up to a quarter of it as jitter that follows from `seed`.
pub fn backoff_ms(tries: u8, seed: u64) -> i64 {
    let doubled = BACKOFF_FIRST_MS << u32::from(tries.saturating_sub(1)).min(16);
    let pause = doubled.min(BACKOFF_MAX_MS);
    let mut mixed = seed.wrapping_add(u64::from(tries)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^= mixed >> 31;
    let quarter = u64::try_from(pause / 4).unwrap_or(1).max(1);
    pause - i64::try_from(mixed % quarter).unwrap_or(0)
}

impl Delivery {
    /// A delivery that has just been wanted.
    pub fn new(wanted: Wanted, origin: Origin, at: Timestamp) -> Self {
        let stand = if wanted.methods.is_empty() {
            Stand::Failed { at }
        } else {
            Stand::Queued { due: at }
        };
        Self {
            wanted,
            origin,
            at,
            stand,
            method: 0,
            tries: 0,
            held: 0,
            not_before: Vec::new(),
            begun: 0,
            is_accepted: false,
            is_handed_over: false,
            attempts: Vec::new(),
        }
    }

    /// Puts its first attempt off.
    pub(crate) fn wait(&mut self, ms: i64) {
        if let Stand::Queued { due } = &mut self.stand {
            *due = due.plus(ms);
        }
    }

    /// Whether somebody may still be reached by it without another attempt.
    pub const fn is_open(&self) -> bool {
        matches!(self.stand, Stand::Queued { .. } | Stand::Sending { .. } | Stand::Waiting { .. })
    }

    /// When the next attempt is due.
    pub const fn due(&self) -> Option<Timestamp> {
        match self.stand {
            Stand::Queued { due } => Some(due),
            Stand::Sending { .. }
            | Stand::Waiting { .. }
            | Stand::Confirmed { .. }
            | Stand::Failed { .. }
            | Stand::Cancelled { .. } => None,
        }
    }

    /// The method that is next, or on its way.
    pub fn next_method(&self) -> &str {
        self.wanted.methods.get(usize::from(self.method)).map_or("", |method| method.name.as_str())
    }

    /// An attempt begins. One that a crash left open is begun again under its number.
    pub fn begin(&mut self, at: Timestamp) {
        self.stand = Stand::Sending { since: at };
        let is_again = self.attempts.last().is_some_and(|attempt| {
            attempt.result == Some(AttemptResult::Unknown) && attempt.method == self.method
        });
        if is_again {
            if let Some(attempt) = self.attempts.last_mut() {
                (attempt.result, attempt.ended_at) = (None, None);
            }
            return;
        }
        self.begun += 1;
        self.attempts.push(Attempt {
            number: self.begun,
            method: self.method,
            at,
            result: None,
            ended_at: None,
            detail: String::new(),
        });
        let surplus = self.attempts.len().saturating_sub(ATTEMPTS_KEPT);
        self.attempts.drain(..surplus);
    }

    /// An attempt ended. `wait_ms` is the pause that the other side asked for, `seed` makes the
    /// jitter.
    pub fn end(&mut self, at: Timestamp, end: &AttemptEnd<'_>, seed: u64) {
        let open = self.attempts.iter_mut().rfind(|attempt| attempt.result.is_none());
        if let Some(attempt) = open {
            attempt.result = Some(end.result);
            attempt.ended_at = Some(at);
            end.detail.clone_into(&mut attempt.detail);
        }
        self.is_accepted |= end.result == AttemptResult::Accepted;
        self.is_handed_over |=
            matches!(end.result, AttemptResult::Accepted | AttemptResult::HandedOver);
        // It may have been cancelled or confirmed while it was on its way.
        let Stand::Sending { since } = self.stand else { return };
        match end.result {
            AttemptResult::Accepted => self.follow(at, true),
            AttemptResult::HandedOver | AttemptResult::Refused => self.follow(at, false),
            // It may be lost: it goes again before what was wanted later.
            AttemptResult::Unknown => self.stand = Stand::Queued { due: self.at },
            AttemptResult::Failed => {
                self.tries += 1;
                let wait_ms = end.wait_ms.clamp(0, RETRY_AFTER_MAX_MS);
                let is_own = usize::from(self.method) < self.own();
                // Whoever asks for patience means it: there is another way to the person meanwhile.
                if wait_ms >= PATIENCE_MS && is_own && self.has_another_way() {
                    return self.hold(at, Some(at.plus(wait_ms)));
                }
                // What hangs takes as long each time.
                let gives_way = at.since(since) >= SLOW_MS && self.has_another_way();
                let is_last_letter =
                    self.wanted.kind == DeliveryKind::Update && !self.has_another_way();
                let tries_max = if is_last_letter { LETTER_TRIES_MAX } else { TRIES_MAX };
                if self.tries < tries_max && !gives_way {
                    let pause = backoff_ms(self.tries, seed).max(wait_ms);
                    self.stand = Stand::Queued { due: at.plus(pause) };
                } else {
                    self.follow(at, false);
                }
            }
            AttemptResult::Held => self.hold(at, None),
            AttemptResult::Cancelled => self.stand = Stand::Cancelled { at },
        }
    }

    /// The method has its turn after all the others, and not before a time: nothing is lost because a
    /// limit held it back.
    fn hold(&mut self, at: Timestamp, not_before: Option<Timestamp>) {
        if let Some(method) = self.wanted.methods.get(usize::from(self.method)) {
            let again = Method { after_s: 0, ..method.clone() };
            let index = u8::try_from(self.wanted.methods.len()).unwrap_or(u8::MAX);
            self.not_before.extend(not_before.map(|at| (index, at)));
            self.wanted.methods.push(again);
            self.held += 1;
        }
        self.follow(at, false);
    }

    /// How many methods it had when it was wanted.
    fn own(&self) -> usize {
        self.wanted.methods.len() - usize::from(self.held)
    }

    /// Whether a method may be held back: another one was not taken yet.
    pub fn may_give_way(&self) -> bool {
        usize::from(self.method) + 1 < self.own()
    }

    /// Whether a method is left after the one that is next.
    pub fn has_another_way(&self) -> bool {
        self.wanted.methods.len() > usize::from(self.method) + 1
    }

    /// The next method: at once, or in its own time where one before it was taken with proof.
    fn follow(&mut self, at: Timestamp, proven: bool) {
        self.tries = 0;
        let rest = self.wanted.methods.iter().enumerate().skip(usize::from(self.method) + 1);
        // Once a machine took it, only what is to follow in its own time follows.
        let next = rest.into_iter().find(|(_, method)| !proven || method.after_s > 0);
        self.stand = match next {
            Some((index, method)) => {
                let waits = self.is_accepted.then(|| self.in_its_time(method.after_s));
                self.method = u8::try_from(index).unwrap_or(u8::MAX);
                let of_it =
                    |(method, at): &(u8, Timestamp)| (*method == self.method).then_some(*at);
                let not_before = self.not_before.iter().find_map(of_it);
                Stand::Queued { due: waits.unwrap_or(at).max(at).max(not_before.unwrap_or(at)) }
            }
            None if self.is_handed_over => Stand::Waiting { since: at },
            None => Stand::Failed { at },
        };
    }

    fn in_its_time(&self, after_s: u32) -> Timestamp {
        self.at.plus(i64::from(after_s) * SECOND_MS)
    }

    /// Somebody answered: the person reached confirms it, for all others it is no longer wanted.
    pub fn answered(&mut self, by: &str, at: Timestamp) {
        if self.is_open() {
            self.stand = if self.wanted.to == by {
                Stand::Confirmed { at }
            } else {
                Stand::Cancelled { at }
            };
        }
    }

    /// The wall clock moved by `by_ms`.
    pub fn clock_moved(&mut self, by_ms: i64) {
        self.at = self.at.plus(by_ms);
        self.not_before.iter_mut().for_each(|(_, at)| *at = at.plus(by_ms));
        let (Stand::Queued { due: at }
        | Stand::Sending { since: at }
        | Stand::Waiting { since: at }
        | Stand::Confirmed { at }
        | Stand::Failed { at }
        | Stand::Cancelled { at }) = &mut self.stand;
        *at = at.plus(by_ms);
    }

    /// It is wanted again, where it was called back at an instant or later.
    pub fn revive(&mut self, since: Timestamp, at: Timestamp) {
        if matches!(self.stand, Stand::Cancelled { at } if at >= since) {
            (self.stand, self.method, self.tries) = (Stand::Queued { due: at }, 0, 0);
        }
    }

    /// It is no longer wanted.
    pub fn cancel(&mut self, at: Timestamp) {
        if self.is_open() {
            self.stand = Stand::Cancelled { at };
        }
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy)]
pub struct AttemptEnd<'a> {
    pub result: AttemptResult,
    pub detail: &'a str,
    /// The pause that the other side asked for, in milliseconds; 0: none.
    pub wait_ms: i64,
}
