//! Those who must know: how much, how soon, how often, and by which way.
//!
//! Invariants:
//! - As in `plan`: fields are added with a default, never renamed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::channel::Channel;
use crate::domain::delivery::{address_of, channel_of};
use crate::domain::incident::Incident;
use crate::domain::plan::Plan;
use crate::domain::talk::promise;
use crate::domain::template::{self, Sheet};
use crate::domain::words::{Approval, Phase, Severity, StakeholderKind};

/// What a stakeholder's channels call the published page.
pub const STATUS_PAGE: &str = "status page";

/// Somebody who must be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stakeholder {
    /// How much they may read.
    pub audience: Audience,
    /// What they are to us.
    #[serde(default)]
    pub kind: StakeholderKind,
    /// How they are told, in order of preference: `mail:a@b`, `person:LOGIN`, `status page`, or a word
    /// for people such as `phone`, where somebody must do it.
    #[serde(default)]
    pub channels: Vec<String>,
    /// Others who get the same, each a message of their own: `mail:c@d`.
    #[serde(default)]
    pub subscribers: Vec<String>,
    /// Services they care about; empty: all.
    #[serde(default)]
    pub services: Vec<String>,
    /// Kinds of incident they care about (the value of the label `kind`, or the name of a label);
    /// empty: all.
    #[serde(default)]
    pub incidents: Vec<String>,
    /// Told from this severity upwards.
    pub from_severity: Severity,
    /// Minutes between updates.
    pub every_min: u32,
    /// The same for single severities.
    #[serde(default)]
    pub every: BTreeMap<Severity, u32>,
    /// Minutes between updates once a remedy is watched.
    #[serde(default)]
    pub monitoring_min: Option<u32>,
    /// Minutes between updates of a long incident; 60 where it is not given.
    #[serde(default)]
    pub long_min: Option<u32>,
    /// Minutes until the first word; for major incidents 5 where it is not given.
    #[serde(default)]
    pub first_min: Option<u32>,
    /// The language they read (`en`, `de`).
    #[serde(default = "english")]
    pub language: String,
    /// Who must look at what goes to them; what is public by default asks for the commander, what
    /// goes to partners for somebody other than its author.
    #[serde(default)]
    pub approval: Option<Approval>,
    /// Who may look at it instead of the commander: logins and `team:NAME`; empty: as `approval` says.
    #[serde(default)]
    pub approvers: Vec<String>,
}

fn english() -> String {
    "en".to_owned()
}

impl Default for StakeholderKind {
    /// Not said.
    fn default() -> Self {
        Self::Other
    }
}

impl Stakeholder {
    /// Who must look at what goes to them.
    pub fn approval(&self) -> Approval {
        self.approval.unwrap_or(match self.audience {
            Audience::Internal => Approval::None,
            Audience::Partner => Approval::Other,
            Audience::Public => Approval::Commander,
        })
    }

    /// The logins of those who may look at what goes to them; none: `approval` says who.
    pub fn approvers<'a>(&'a self, plan: &'a Plan) -> BTreeSet<&'a str> {
        let of = |name: &'a String| match name.strip_prefix("team:") {
            Some(team) => plan.teams.get(team).into_iter().flatten().map(String::as_str).collect(),
            None => vec![name.as_str()],
        };
        self.approvers.iter().flat_map(of).collect()
    }

    /// Whether they are many, who read the page or get messages of their own: what is said to one of
    /// them in a conversation is said to none of the others.
    pub fn are_many(&self) -> bool {
        self.reads_the_page() || !self.subscribers.is_empty()
    }

    /// Whether updates can be made from templates in the language that they read.
    pub fn has_templates(&self, plan: &Plan) -> bool {
        let own = |sheet: &Sheet| {
            sheet.audience == self.audience && sheet.language.word() == self.language
        };
        template::SHIPPED.contains(&self.language.as_str()) || plan.templates.values().any(own)
    }

    /// How often they hear of what is so bad, where it differs while a remedy is watched, and of a long one.
    fn often(&self, severity: Severity) -> String {
        let every = |phase, is_long| promise::every_min(self, severity, phase, is_long);
        let usual = every(Phase::Investigating, false);
        let first = promise::first_min(self, severity);
        let calm = Some(every(Phase::Monitoring, false)).filter(|calm| *calm != usual);
        let long = Some(every(Phase::Investigating, true)).filter(|long| *long != usual);
        let calm = calm.map(|minutes| format!(", while watched {minutes}m"));
        let long = long.map(|minutes| format!(", long {minutes}m"));
        let (calm, long) = (calm.unwrap_or_default(), long.unwrap_or_default());
        format!("{severity} first {first}m, every {usual}m{calm}{long}")
    }

    /// How somebody is told, for people: audience, cadence and ways, and what is missing.
    pub fn matrix(&self, plan: &Plan, name: &str) -> Vec<String> {
        let often: Vec<String> = Severity::ALL
            .iter()
            .filter(|severity| **severity <= self.from_severity)
            .map(|severity| self.often(*severity))
            .collect();
        let approval = if self.approvers.is_empty() {
            self.approval().to_string()
        } else {
            self.approvers.join(" or ")
        };
        let (kind, audience, language) = (self.kind, self.audience.word(), &self.language);
        let ways = if self.channels.is_empty() {
            "nothing".to_owned()
        } else {
            self.channels.join(", then ")
        };
        let mut lines = vec![
            format!(
                "{name} ({kind}, reads what is {audience}, in {language}, approval: {approval})"
            ),
            format!("  from {} on: {}", self.from_severity, often.join("; ")),
            format!("  by {ways}"),
        ];
        if !self.subscribers.is_empty() {
            lines.push(format!("  and {} subscribers", self.subscribers.len()));
        }
        if !self.has_templates(plan) {
            let language = &self.language;
            lines.push(format!(
                "  ! there is no template in {language}: what is made from one is in English"
            ));
        }
        let is_sent = self.sendable(plan).next().is_some() || !self.subscribers.is_empty();
        if !is_sent && !self.reads_the_page() {
            lines.push("  ! nothing can be sent to them: somebody must do it by hand".to_owned());
        }
        if !self.services.is_empty() {
            lines.push(format!("  only for {}", self.services.join(", ")));
        }
        if !self.incidents.is_empty() {
            lines.push(format!("  only for incidents of kind {}", self.incidents.join(", ")));
        }
        lines
    }

    /// Whether they read the status page.
    pub fn reads_the_page(&self) -> bool {
        self.channels.iter().any(|channel| channel.trim().eq_ignore_ascii_case(STATUS_PAGE))
    }

    /// Those of their channels that something can be sent by.
    pub fn sendable<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = &'a str> {
        self.channels.iter().map(String::as_str).filter(move |text| can_send(plan, text))
    }

    /// The first of their channels that needs a person, where nothing can be sent.
    pub fn by_hand(&self) -> &str {
        let is_word = |text: &&String| !text.trim().eq_ignore_ascii_case(STATUS_PAGE);
        self.channels.iter().find(is_word).map_or("", String::as_str)
    }

    /// Whether they must know of an incident.
    pub fn cares(&self, incident: &Incident) -> bool {
        self.cares_at(incident, incident.severity)
    }

    /// Whether they must know of an incident where it is so bad.
    pub fn cares_at(&self, incident: &Incident, severity: Severity) -> bool {
        let services = &incident.services;
        let is_kind = |kind: &String| {
            incident.labels.contains_key(kind) || incident.labels.get("kind") == Some(kind)
        };
        severity <= self.from_severity
            && (self.services.is_empty()
                || services.is_empty()
                || services.iter().any(|service| self.services.contains(service)))
            && (self.incidents.is_empty() || self.incidents.iter().any(is_kind))
    }
}

/// Whether something can be sent by a channel of a stakeholder.
pub fn can_send(plan: &Plan, text: &str) -> bool {
    if let Some(login) = text.strip_prefix("person:") {
        return plan.people.contains_key(login);
    }
    let name = channel_of(text);
    let channel = plan.channels.get(name);
    let is_pager = channel.is_some_and(Channel::opens_events);
    // A word without the address that the channel needs is for people.
    let leads_there = channel.is_none_or(|it| it.check_address(address_of(text)).is_ok());
    text != "terminal" && plan.has_channel(name) && !is_pager && leads_there
}

impl Plan {
    /// Who must be told about an incident.
    pub fn audience_of<'a>(
        &'a self,
        incident: &'a Incident,
    ) -> impl Iterator<Item = (&'a String, &'a Stakeholder)> {
        self.stakeholders.iter().filter(move |(_, who)| who.cares(incident))
    }
}

/// How much somebody may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audience {
    /// Anything.
    Internal,
    /// What partners may know.
    Partner,
    /// What anybody may know.
    Public,
}

impl Audience {
    /// Every audience, the one that may read most first.
    pub const ALL: [Self; 3] = [Self::Internal, Self::Partner, Self::Public];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Partner => "partner",
            Self::Public => "public",
        }
    }
}
