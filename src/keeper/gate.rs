//! What the intake shares: tokens, limits, counts, and the receipts of what was not taken.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use tokio::sync::{Notify, watch};

use crate::clock::monotonic;
use crate::config::settings::Settings;
use crate::domain::channel::Channel;
use crate::domain::command::Command;
use crate::domain::duty::{Beside, Desk};
use crate::domain::ids::Seq;
use crate::domain::plan::Plan;
use crate::domain::room::Room;
use crate::domain::status::{self, Site};
use crate::domain::text::{cut_bytes, without_secrets};
use crate::domain::time::Timestamp;
use crate::ingest::token_hash;
use crate::proto::Watched;

/// Kinds of refusals that are kept apart until they are written down.
const KINDS_MAX: usize = 32;
/// Sources whose rate is followed.
const SOURCES_MAX: usize = 1_024;

/// Shared by the intake's connections and the writer.
#[derive(Default)]
pub struct Gate {
    /// Hash → name.
    tokens: RwLock<HashMap<String, String>>,
    /// Names of those that are for answers to pages only.
    answers: RwLock<BTreeSet<String>>,
    asks_for_tokens: AtomicBool,
    redacted: RwLock<BTreeSet<Seq>>,
    buckets: Mutex<HashMap<String, Bucket>>,
    refusals: Mutex<BTreeMap<RefusalKind, (String, u32)>>,
    plan: RwLock<Plan>,
    beside: RwLock<Beside>,
    /// What the public reads.
    pub site: watch::Sender<Option<(Arc<Site>, Timestamp)>>,
    settings: RwLock<Arc<Settings>>,
    /// Space is short: alerts are refused.
    pub tight: AtomicBool,
    pub seq: AtomicU64,
    pub posts: AtomicU64,
    pub alerts: AtomicU64,
    pub refused: AtomicU64,
    pub connections: AtomicU64,
    /// What the auditor found in its last round.
    pub findings: AtomicU64,
    /// The same in words, and how the sign of life went.
    watched: Mutex<Watched>,
    /// Raised when there are receipts to write down.
    pub receipts_wait: Notify,
    /// Raised when the journal may have a full segment to index.
    pub grown: Notify,
}

/// Source, status and reason.
type RefusalKind = (String, u16, String);

struct Bucket {
    tokens: f64,
    at: Instant,
}

/// What a sender's token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pass {
    /// It belongs to this source.
    Named(String),
    /// No tokens were made, so none is asked for.
    Open,
    /// It is missing or wrong.
    Denied,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gate {
    /// Takes the tokens that are in force (name → hash).
    pub fn set_tokens(
        &self,
        tokens: &BTreeMap<String, String>,
        answers: &BTreeSet<String>,
        asked_for: bool,
    ) {
        self.answers.write().unwrap_or_else(PoisonError::into_inner).clone_from(answers);
        self.asks_for_tokens.store(asked_for, Ordering::Relaxed);
        let turned = tokens.iter().map(|(name, hash)| (hash.clone(), name.clone())).collect();
        *self.tokens.write().unwrap_or_else(PoisonError::into_inner) = turned;
    }

    /// Takes the events whose words are no longer shown.
    pub fn set_redacted(&self, redacted: &BTreeSet<Seq>) {
        self.redacted.write().unwrap_or_else(PoisonError::into_inner).clone_from(redacted);
    }

    /// The events, up to one, whose words are no longer shown.
    pub fn redacted_until(&self, until: Seq) -> Vec<Seq> {
        let redacted = self.redacted.read().unwrap_or_else(PoisonError::into_inner);
        redacted.range(..=until).copied().collect()
    }

    /// Whether the words of an event are no longer shown.
    pub fn is_redacted(&self, seq: Seq) -> bool {
        self.redacted.read().unwrap_or_else(PoisonError::into_inner).contains(&seq)
    }

    /// The settings in force.
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes new settings. The address, the number of connections and the twin's place hold from the
    /// next start on.
    pub fn set_settings(&self, settings: Settings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    /// What the auditor and the sign of life came to.
    pub fn watched(&self) -> Watched {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner).clone();
        watched.is_signing = self.settings().beacon.is_some();
        watched
    }

    /// The auditor made a round.
    pub fn set_audited(&self, at: Timestamp, findings: &[String]) {
        self.findings.store(findings.len() as u64, Ordering::Relaxed);
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.audited_at = Some(at);
        findings.clone_into(&mut watched.findings);
    }

    /// The sign of life was sent, or was not.
    pub fn set_signed(&self, at: Timestamp, fault: Option<String>) {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).beacon = Some((at, fault));
    }

    /// The plan in force.
    pub fn plan(&self) -> Plan {
        self.plan.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is in force beside the plan's files.
    pub fn beside(&self) -> Beside {
        self.beside.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One way to deliver, by its name in the plan.
    pub fn channel(&self, name: &str) -> Option<Channel> {
        let plan = self.plan.read().unwrap_or_else(PoisonError::into_inner);
        plan.channels.get(name).cloned()
    }

    /// What the public reads is now as a room says.
    pub fn publish(&self, room: &Room) {
        self.site.send_replace(Some((Arc::new(status::site(room)), room.at)));
    }

    /// Takes a new plan, or changes beside it.
    pub fn set_plan(&self, plan: &Plan, desk: &Desk) {
        *self.beside.write().unwrap_or_else(PoisonError::into_inner) = Beside::of(desk);
        *self.plan.write().unwrap_or_else(PoisonError::into_inner) = plan.clone();
    }

    /// Looks at a token. Comparing hashes, not tokens, makes the time taken tell nothing.
    pub fn pass(&self, token: Option<&str>) -> Pass {
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        if !self.asks_for_tokens.load(Ordering::Relaxed) {
            return Pass::Open;
        }
        token
            .and_then(|token| tokens.get(&token_hash(token)))
            .filter(|name| !self.is_for_answers(name))
            .cloned()
            .map_or(Pass::Denied, Pass::Named)
    }

    fn is_for_answers(&self, name: &str) -> bool {
        self.answers.read().unwrap_or_else(PoisonError::into_inner).contains(name)
    }

    /// The gateway that a token for answers belongs to; such a token is always asked for.
    pub fn gateway(&self, token: &str) -> Option<String> {
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        tokens.get(&token_hash(token)).filter(|name| self.is_for_answers(name)).cloned()
    }

    /// Whether a source may post now, at `rate` posts a second with a second's worth of burst.
    pub fn may_post(&self, source: &str, rate: u32) -> bool {
        let now = monotonic();
        let rate = f64::from(rate);
        let mut buckets = lock(&self.buckets);
        if buckets.len() > SOURCES_MAX {
            buckets.clear();
        }
        if let Some(bucket) = buckets.get_mut(source) {
            bucket.tokens =
                (bucket.tokens + now.duration_since(bucket.at).as_secs_f64() * rate).min(rate);
            bucket.at = now;
            if bucket.tokens < 1.0 {
                return false;
            }
            bucket.tokens -= 1.0;
        } else {
            buckets.insert(source.to_owned(), Bucket { tokens: rate - 1.0, at: now });
        }
        true
    }

    /// Counts something that was not taken. It is written down within a second, together with
    /// others of its kind, so that a flood of bad posts does not flood the journal.
    pub fn refuse(&self, source: &str, status: u16, reason: &str, body: &[u8]) {
        let reason = without_place(reason);
        self.refused.fetch_add(1, Ordering::Relaxed);
        let mut reason = reason.to_owned();
        cut_bytes(&mut reason, 300);
        let mut refusals = lock(&self.refusals);
        let key = if refusals.len() < KINDS_MAX {
            (source.to_owned(), status, reason)
        } else {
            (source.to_owned(), status, "many different reasons".to_owned())
        };
        let entry = refusals.entry(key).or_insert_with(|| {
            let start = String::from_utf8_lossy(&body[..body.len().min(4_000)]);
            let mut excerpt = without_secrets(&start);
            cut_bytes(&mut excerpt, 400);
            (excerpt, 0)
        });
        entry.1 = entry.1.saturating_add(1);
        self.receipts_wait.notify_one();
    }

    /// The receipts since the last call.
    pub fn receipts(&self) -> Vec<Command> {
        std::mem::take(&mut *lock(&self.refusals))
            .into_iter()
            .map(|((source, status, reason), (excerpt, count))| Command::RefusePost {
                source,
                status,
                reason,
                excerpt,
                count,
            })
            .collect()
    }

    /// The figures for Prometheus.
    pub fn metrics(&self) -> String {
        use std::fmt::Write as _;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let rows = [
            ("warroom_journal_events", "Events in the journal.", "counter", read(&self.seq)),
            ("warroom_intake_posts_total", "Posts taken.", "counter", read(&self.posts)),
            ("warroom_intake_alerts_total", "Alerts taken.", "counter", read(&self.alerts)),
            ("warroom_intake_refused_total", "Posts refused.", "counter", read(&self.refused)),
            ("warroom_intake_connections", "Connections open.", "gauge", read(&self.connections)),
            (
                "warroom_audit_findings",
                "What the auditor found in its last round.",
                "gauge",
                read(&self.findings),
            ),
            (
                "warroom_disk_tight",
                "1 while space is too short to take alerts.",
                "gauge",
                u64::from(self.tight.load(Ordering::Relaxed)),
            ),
        ];
        let mut text = String::new();
        for (name, help, kind, value) in rows {
            writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}")
                .expect("invariant: writing to a String does not fail");
        }
        text
    }
}

/// A reason without where in the body it is: that differs from post to post, and the sender was told.
fn without_place(reason: &str) -> &str {
    let is_place = |rest: &str| rest.chars().all(|c| c.is_ascii_digit() || " column".contains(c));
    match reason.rsplit_once(" at line ") {
        Some((before, rest)) if is_place(rest) => before,
        _ => reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_open_the_gate_for_their_source_only() {
        let gate = Gate::default();
        assert_eq!(gate.pass(None), Pass::Open);
        gate.set_tokens(
            &BTreeMap::from([("am".to_owned(), token_hash("secret"))]),
            &BTreeSet::new(),
            true,
        );
        assert_eq!(gate.pass(None), Pass::Denied);
        assert_eq!(gate.pass(Some("wrong")), Pass::Denied);
        assert_eq!(gate.pass(Some("secret")), Pass::Named("am".to_owned()));
    }

    #[test]
    fn refusals_of_a_kind_are_one_receipt_with_a_count() {
        let gate = Gate::default();
        for _ in 0..3 {
            gate.refuse("am", 400, "not JSON", b"{");
        }
        let receipts = gate.receipts();
        assert!(matches!(&receipts[..], [Command::RefusePost { count: 3, status: 400, .. }]));
        assert!(gate.receipts().is_empty());
    }

    #[test]
    fn a_rate_has_a_seconds_worth_of_burst() {
        let gate = Gate::default();
        let taken = (0..20).filter(|_| gate.may_post("x", 5)).count();
        assert!((5..=6).contains(&taken), "{taken}");
    }

    #[test]
    fn the_same_mistake_is_the_same_wherever_it_is() {
        assert_eq!(without_place("missing field `a` at line 1 column 17"), "missing field `a`");
        assert_eq!(without_place("no row at line 3 of the file"), "no row at line 3 of the file");
    }
}
