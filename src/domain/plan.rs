//! The plan: who is reached how, what runs where, and how alerts become incidents.
//!
//! These are checked values. Files are read and checked in `config`; here nothing can be wrong
//! in itself. Maps are ordered so that the same plan is always the same text.
//!
//! Invariants:
//! - Fields are added with a default, never renamed: plans live in the journal for ever.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveTime;
use serde::{Deserialize, Serialize};

use crate::domain::channel::Channel;
use crate::domain::obligation::{Calendars, Rule as Obligation};
use crate::domain::schedule::{Holidays, Schedule};
use crate::domain::stakeholder::Stakeholder;
use crate::domain::template::Sheet;
use crate::domain::throttle::Throttle;
use crate::domain::words::{AckMode, Right, Role, Severity};

/// The whole plan as it was adopted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    /// Login → person.
    pub people: BTreeMap<String, Person>,
    /// Team name → logins.
    pub teams: BTreeMap<String, Vec<String>>,
    /// Schedule name → schedule.
    pub schedules: BTreeMap<String, Schedule>,
    /// Policy name → escalation policy.
    pub policies: BTreeMap<String, Policy>,
    /// The policy of services that name none.
    pub default_policy: String,
    /// Service name → service.
    pub services: BTreeMap<String, Service>,
    /// Stakeholder name → who must know.
    pub stakeholders: BTreeMap<String, Stakeholder>,
    /// How alerts become incidents; the first rule that matches decides.
    pub rules: Vec<Rule>,
    /// A sender's word for severity (lower case) → ours. Never SEV1: only a rule may say that.
    pub severity_map: BTreeMap<String, Severity>,
    /// Unix group → what its members may do.
    pub rights: BTreeMap<String, Right>,
    /// How often an alert may change its state within `flap_window_s` before it counts as flapping.
    pub flap_changes: u8,
    /// Seconds; see `flap_changes`.
    pub flap_window_s: u32,
    /// Seconds an alert must be steady before flapping ends.
    pub flap_hold_s: u32,
    /// Who is paged when nobody else can be: targets like those of a level.
    pub fallback: Vec<String>,
    /// Minutes after which the fallback is paged again while nobody has answered.
    pub fallback_every_min: u32,
    /// Days without any act after which what somebody holds and no alert fires for is closed by the
    /// system, where nobody is owed anything; 0: never.
    pub stale_days: u32,
    /// Seconds in which one person gets one page by one method; what comes meanwhile is bundled.
    pub bundle_s: u32,
    /// Senders that must be heard from: name → how often.
    pub heartbeats: BTreeMap<String, Heartbeat>,
    /// Calendar name → its holidays.
    pub holidays: Holidays,
    /// Channel name → how it sends. `terminal` and `file` are always there.
    pub channels: BTreeMap<String, Channel>,
    /// Channel name → how many messages one destination gets at the most: `3/15m`.
    pub throttles: BTreeMap<String, Vec<Throttle>>,
    /// Name → the words of updates, over the shipped ones of the same audience and language.
    pub templates: BTreeMap<String, Sheet>,
    /// The status page that the public reads.
    pub page: StatusPage,
    /// The obligations that bind: ids of rules. Empty: any of them may be judged.
    pub obligations: Vec<String>,
    /// Obligations of one's own, such as contracts; one with a shipped rule's id stands in its place.
    pub own_obligations: Vec<Obligation>,
    /// Calendar name → business days, for obligations that count them.
    pub calendars: Calendars,
}

/// A sender that must be heard from, else something is wrong with it (a dead man's switch).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// Seconds between two signs of life.
    pub every_s: u32,
    /// Seconds of grace on top.
    #[serde(default = "grace_default")]
    pub grace_s: u32,
    /// An alert that is the sign of life, such as `Watchdog`; empty: posts to
    /// `/v1/heartbeat/NAME` are.
    #[serde(default)]
    pub alert: String,
    /// Any post of this source is a sign of life too; empty: none is.
    #[serde(default)]
    pub source: String,
    /// How bad its silence is.
    #[serde(default = "heartbeat_severity")]
    pub severity: Severity,
    /// What is blind without it.
    #[serde(default)]
    pub services: Vec<String>,
}

const fn grace_default() -> u32 {
    60
}

const fn heartbeat_severity() -> Severity {
    Severity::Sev2
}

/// The status page that the public reads.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StatusPage {
    /// Whose status it is.
    pub name: String,
    /// Where it is served, for links: `https://status.example.org`.
    pub url: String,
    /// The zone in which it tells times and days; empty: UTC.
    pub zone: String,
}

impl StatusPage {
    /// Whose status it is, as it is shown.
    pub fn shown_name(&self) -> &str {
        if self.name.is_empty() { "Service" } else { &self.name }
    }
}

/// Somebody who can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Person {
    /// The full name, as it is shown.
    pub name: String,
    /// How to reach them, in order of preference: `mail:a@b`, `terminal`, `phone:+49… after 3m`.
    pub contacts: Vec<String>,
    /// Their time zone (tz database name): for quiet hours and for what they read.
    pub zone: String,
    /// When which method is left out.
    pub quiet: Vec<Quiet>,
    /// Languages they read, the best first (`en`, `de`).
    pub languages: Vec<String>,
    /// Roles they may hold (`commander`, `scribe`, …); empty: any.
    pub roles: Vec<Role>,
}

/// Hours in which some methods are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quiet {
    /// The channels that are quiet (`phone`, `sms`).
    pub methods: Vec<String>,
    /// From this time of day in the person's zone …
    pub from: NaiveTime,
    /// … until this one; earlier than `from`: the next morning.
    pub until: NaiveTime,
    /// From this severity upwards nothing is left out.
    pub unless: Severity,
}

/// The levels an incident climbs until somebody answers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// L1 first.
    pub levels: Vec<Level>,
    /// Incidents below this severity page nobody by the clock.
    pub from_severity: Option<Severity>,
    /// How often the levels are gone through again after the first time.
    pub repeat: u8,
    /// Minutes after the last level before they are.
    pub repeat_after_min: u32,
    /// Severity → minutes without any act after which an acknowledgement no longer counts.
    pub ack_expires_min: BTreeMap<Severity, u32>,
    /// Levels that are reached by something other than the clock.
    pub triggers: Vec<Trigger>,
}

/// Something other than the clock that reaches a level, once, whoever has answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// What must hold.
    pub when: When,
    /// The level's name.
    pub level: String,
}

/// Conditions; those that are given must all hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    /// At least this severe.
    pub severity: Option<Severity>,
    /// One of these services is affected.
    pub services: Vec<String>,
    /// Between these times of day, `08:00-18:00`, in `zone`.
    pub hours: String,
    /// Zone of `hours` and `weekdays`; empty: UTC.
    pub zone: String,
    /// On these days (`mon` … `sun`); empty: any.
    pub weekdays: Vec<String>,
    /// So many member alerts …
    pub alerts: u32,
    /// … within so many minutes; 0: ever.
    pub within_min: u32,
    /// Services of so many teams are affected.
    pub teams: u32,
    /// It is labelled as a security incident (label `security` or service of that name).
    pub security: bool,
    /// A promise to a stakeholder was missed.
    pub missed_promise: bool,
    /// More alerts fire than when the last level was reached, or the severity was raised since.
    pub growing: bool,
}

impl When {
    /// Whether it depends on nothing but how bad it is, what is broken, and the hour.
    pub fn is_certain(&self) -> bool {
        let known = Self {
            severity: self.severity,
            services: self.services.clone(),
            hours: self.hours.clone(),
            zone: self.zone.clone(),
            weekdays: self.weekdays.clone(),
            ..Self::default()
        };
        known == *self
    }

    /// Whether nothing is asked for.
    pub fn is_always(&self) -> bool {
        *self == Self::default()
    }
}

/// One level of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Level {
    /// As it is shown: `L1 on-call`, `manager`.
    pub name: String,
    /// `person:LOGIN`, `team:NAME`, `schedule:NAME`, `channel:NAME:ADDRESS`.
    pub targets: Vec<String>,
    /// Minutes after the level before it (for the first: after the opening).
    pub after_min: u32,
    /// Whose answer is waited for.
    pub mode: AckMode,
    /// Only where this holds when its time comes.
    pub when: When,
    /// One of the targets' people in turn instead of all of them.
    pub round_robin: bool,
    /// They are told, not asked to answer: executives are informed, not put in command.
    pub informs: bool,
}

impl Default for Level {
    fn default() -> Self {
        Self {
            name: String::new(),
            targets: Vec::new(),
            after_min: 0,
            mode: AckMode::Any,
            when: When::default(),
            round_robin: false,
            informs: false,
        }
    }
}

/// Something that can break.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Service {
    /// What it does, in a line.
    pub description: String,
    /// The team that runs it.
    pub team: String,
    /// Its escalation policy; empty: the default one.
    pub policy: String,
    /// What the public calls it on the status page; empty: it is not shown there.
    pub public_name: String,
    /// The group that it is shown in there; empty: none.
    pub public_group: String,
}

/// How an alert that matches becomes (part of) an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Named in the answer to "why did this (not) open an incident?".
    pub name: String,
    /// Label → pattern: all must match. `=x`-style is plain text, `*` matches anything,
    /// `a|b` one of several; a missing label is empty.
    #[serde(default)]
    pub when: BTreeMap<String, String>,
    /// What to do.
    #[serde(default)]
    pub action: RuleAction,
    /// Severity of what it opens; without one the severity map decides.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// Labels whose values make the group; empty: the sender's own group.
    #[serde(default)]
    pub group_by: Vec<String>,
    /// Seconds after a resolution in which a firing alert of the group reopens the incident.
    #[serde(default = "reopen_default")]
    pub reopen_within_s: u32,
    /// Services of the incident; empty: the `service`, `job` or `namespace` label.
    #[serde(default)]
    pub services: Vec<String>,
}

const fn reopen_default() -> u32 {
    300
}

/// What a rule does with an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleAction {
    /// One incident per group.
    #[default]
    Open,
    /// Recorded and counted, opens nothing.
    Record,
}

impl Rule {
    /// Whether every label pattern matches.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        labels_match(&self.when, labels)
    }
}

/// Whether labels match every pattern; one that is missing is empty.
pub fn labels_match(when: &BTreeMap<String, String>, labels: &BTreeMap<String, String>) -> bool {
    when.iter().all(|(label, pattern)| {
        let value = labels.get(label).map_or("", String::as_str);
        pattern.split('|').any(|choice| glob(choice.trim(), value))
    })
}

/// Matches `*` (anything, also nothing) and plain text, without regard to ASCII case.
pub fn glob(pattern: &str, value: &str) -> bool {
    let (p, v) = (pattern.as_bytes(), value.as_bytes());
    let (mut pi, mut vi) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while vi < v.len() {
        if pi < p.len() && p[pi] == b'*' {
            star = Some((pi, vi));
            pi += 1;
        } else if pi < p.len() && p[pi].eq_ignore_ascii_case(&v[vi]) {
            pi += 1;
            vi += 1;
        } else if let Some((at, taken)) = star {
            pi = at + 1;
            vi = taken + 1;
            star = Some((at, taken + 1));
        } else {
            return false;
        }
    }
    p[pi..].iter().all(|b| *b == b'*')
}

impl Plan {
    /// Whether something can be sent by a channel.
    pub fn has_channel(&self, name: &str) -> bool {
        matches!(name, "terminal" | "file") || self.channels.contains_key(name)
    }

    /// How many teams run these services.
    pub fn teams_of(&self, services: &[String]) -> usize {
        let teams: BTreeSet<&str> = services
            .iter()
            .filter_map(|name| self.services.get(name))
            .map(|service| service.team.as_str())
            .filter(|team| !team.is_empty())
            .collect();
        teams.len()
    }

    /// The policy that applies to an incident with these services.
    pub fn policy_for(&self, services: &[String]) -> Option<(&str, &Policy)> {
        let named = services
            .iter()
            .filter_map(|name| self.services.get(name))
            .map(|service| service.policy.as_str())
            .find(|policy| !policy.is_empty());
        let name = named.unwrap_or(&self.default_policy);
        self.policies.get_key_value(name).map(|(name, policy)| (name.as_str(), policy))
    }

    /// Maps a sender's word for severity. Without a match: SEV3, so that nothing is lost and
    /// nothing pages the world.
    pub fn map_severity(&self, word: &str) -> Severity {
        self.severity_map
            .get(&word.trim().to_ascii_lowercase())
            .copied()
            .filter(|severity| *severity != Severity::Sev1)
            .unwrap_or(Severity::Sev3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_as_people_expect() {
        let table = [
            ("*", "", true),
            ("pay*", "payments", true),
            ("*ment*", "payments", true),
            ("Critical", "critical", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b", "a", false),
            ("", "x", false),
        ];
        for (pattern, value, expected) in table {
            assert_eq!(glob(pattern, value), expected, "{pattern} on {value}");
        }
    }

    #[test]
    fn a_senders_word_never_makes_a_sev1() {
        let plan = Plan {
            severity_map: [("critical".to_owned(), Severity::Sev1)].into(),
            ..Plan::default()
        };
        assert_eq!(plan.map_severity("Critical"), Severity::Sev3);
    }
}
