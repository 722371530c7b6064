//! Reports drafted from the journal: each line says which entries it rests on.
//!
//! CAN is the report of the fire service (conditions, actions, needs); the others are for those who
//! decide, for those outside, and for those who take over.
//!
//! Invariants:
//! - Pure. Nothing is said that no entry says; what is not known is called unknown.

#![expect(clippy::wildcard_enum_match_arm, reason = "few facts are in a report")]

mod outside;

use std::collections::BTreeMap;

use crate::domain::change::Change;
use crate::domain::event::{Body, Recorded};
use crate::domain::ids::Seq;
use crate::domain::incident::{Incident, Stage};
use crate::domain::legal::LegalChange;
use crate::domain::plan::Plan;
use crate::domain::redact::REDACTED;
use crate::domain::talk::Asked;
use crate::domain::talk::change::TalkChange;
use crate::domain::talk::page;
use crate::domain::talk::promise::{self, Promise};
use crate::domain::time::{Timestamp, span_words};
use crate::domain::words::{Moment, NoteKind, Outcome, Role};

/// Notes, decisions and the like that are repeated at the most.
const LATEST: usize = 4;

/// Who it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Conditions, actions, needs: for the room.
    Can,
    /// For those who decide.
    Exec,
    /// What the public was told.
    Public,
    /// For who takes over.
    Handover,
}

/// One line, and the entries that it rests on.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Line {
    pub text: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<Seq>,
}

/// Everything that a report is made of.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    pub incident: &'a Incident,
    /// Its events, oldest first; the latest ones are enough.
    pub events: &'a [Recorded],
    pub plan: &'a Plan,
    pub now: Timestamp,
}

/// A report.
pub fn brief(kind: Kind, case: Case<'_>) -> Vec<Line> {
    match kind {
        Kind::Can => [
            vec![case.head(), title("CONDITIONS")],
            case.conditions(),
            case.notes(),
            vec![title("ACTIONS")],
            case.actions(),
            vec![title("NEEDS")],
            case.needs(),
        ]
        .concat(),
        Kind::Exec => case.exec(),
        Kind::Public => case.public(),
        Kind::Handover => [
            vec![case.head()],
            case.people(),
            vec![title("HOW IT STANDS")],
            case.conditions(),
            case.notes(),
            vec![title("WHAT WAS DONE")],
            case.actions(),
            vec![title("WHAT IS OPEN")],
            case.needs(),
            vec![title("WHO WAS TOLD")],
            case.told(),
        ]
        .concat(),
    }
}

fn title(text: &str) -> Line {
    Line { text: text.to_owned(), entries: Vec::new() }
}

fn item(text: impl std::fmt::Display, entries: Vec<Seq>) -> Line {
    // What others wrote begins no line of its own.
    let text = text.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" ");
    Line { text: format!("- {text}"), entries }
}

/// The same of an entry, with what put it right since.
fn put_right(text: String, entry: Seq, corrected: &BTreeMap<Seq, (Seq, String)>) -> Line {
    match corrected.get(&entry) {
        Some((by, right)) => item(format!("{text} · PUT RIGHT: {right}"), vec![entry, *by]),
        None => item(text, vec![entry]),
    }
}

fn first(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// What somebody saw or said.
fn seen(change: &Change) -> Option<String> {
    match change {
        Change::NoteAdded { kind: NoteKind::Observation, text, .. } => Some(first(text).to_owned()),
        Change::NoteAdded { kind: NoteKind::Statement, text, said_by } => {
            Some(match said_by.trim() {
                "" => first(text).to_owned(),
                said_by => format!("{said_by} says: {}", first(text)),
            })
        }
        _ => None,
    }
}

impl Case<'_> {
    /// The latest entries that hold something, oldest first.
    fn latest(&self, of: impl Fn(&Change) -> Option<String>) -> Vec<Line> {
        self.latest_of(|_, change| of(change))
    }

    /// The entries that were put right since, each with the last correction: that is told with them.
    fn corrected(&self) -> BTreeMap<Seq, (Seq, String)> {
        let of = |event: &Recorded| match &event.body {
            Body::Incident { change: Change::EntryCorrected { entry, text }, .. } => {
                let is_hidden = self.incident.redacted.contains(&event.seq);
                let text = if is_hidden { REDACTED } else { first(text) };
                Some((*entry, (event.seq, text.to_owned())))
            }
            _ => None,
        };
        self.events.iter().filter_map(of).collect()
    }

    /// The same, of entries by their numbers.
    fn latest_of(&self, of: impl Fn(Seq, &Change) -> Option<String>) -> Vec<Line> {
        let corrected = self.corrected();
        let mut found: Vec<Line> = self
            .events
            .iter()
            .rev()
            .filter_map(|event| {
                let Body::Incident { change, .. } = &event.body else { return None };
                let text = of(event.seq, change)?;
                let is_hidden = self.incident.redacted.contains(&event.seq);
                let text = if is_hidden { REDACTED.to_owned() } else { text };
                let text =
                    format!("{} {}: {text}", event.when().clock_minutes(), event.actor.login);
                Some(put_right(text, event.seq, &corrected))
            })
            .collect();
        let earlier = found.len().saturating_sub(LATEST);
        found.truncate(LATEST);
        if earlier > 0 {
            found.push(item(format!("… {earlier} earlier, in the timeline"), Vec::new()));
        }
        found.reverse();
        found
    }

    /// The last entry that changed something, for what the head says.
    fn entry_of(&self, is_it: impl Fn(&Change) -> bool) -> Vec<Seq> {
        let found = self.events.iter().rev().find(|event| match &event.body {
            Body::Incident { change, .. } => is_it(change),
            _ => false,
        });
        found.map(|event| event.seq).into_iter().collect()
    }

    fn head(&self) -> Line {
        let incident = self.incident;
        let began = incident.moments.get(&Moment::Began).copied().unwrap_or(incident.opened_at);
        let ended = match &incident.stage {
            Stage::Resolved(end) | Stage::InReview(end) | Stage::Closed(end) => Some(end.at),
            Stage::Declined { at, .. } | Stage::Merged { at, .. } => Some(*at),
            Stage::Triage | Stage::Investigating | Stage::Identified | Stage::Monitoring => None,
        };
        let span = span_words(ended.unwrap_or(self.now).since(began));
        let text = format!(
            "{} {} {} · {} · {} {} ({span})",
            incident.id,
            incident.severity,
            incident.title,
            incident.phase(),
            if ended.is_some() { "from" } else { "since" },
            ended.map_or_else(
                || began.to_the_minute(),
                |at| format!("{} to {}", began.to_the_minute(), at.to_the_minute())
            ),
        );
        let entries = self.entry_of(|change| {
            matches!(
                change,
                Change::Opened(_) | Change::TitleChanged { .. } | Change::SeverityChanged { .. }
            )
        });
        Line { text, entries }
    }

    fn conditions(&self) -> Vec<Line> {
        let incident = self.incident;
        let severity = self.entry_of(|change| {
            matches!(change, Change::SeverityChanged { .. } | Change::Opened(_))
        });
        let mut lines =
            vec![item(format!("{}: {}", incident.severity, incident.severity_because), severity)];
        let services = if incident.services.is_empty() {
            "which services are affected is unknown".to_owned()
        } else {
            format!("affected: {}", incident.services.join(", "))
        };
        lines.push(item(services, self.services_entry()));
        if !incident.members.is_empty() {
            let (firing, all) = (incident.firing(), incident.members.len());
            let of_alerts = self.events.iter().rev().find(|event| {
                matches!(
                    event.body,
                    Body::AlertsReceived { .. }
                        | Body::AlertExpired { .. }
                        | Body::AlertSettled { .. }
                )
            });
            let entries = of_alerts.map(|event| event.seq).into_iter().collect();
            lines.push(item(format!("{firing} of {all} alerts fire"), entries));
        }
        let corrected = self.corrected();
        lines.extend(self.latest_of(|seq, change| match change {
            Change::NoteAdded { kind: NoteKind::Rumour, .. } if corrected.contains_key(&seq) => {
                None
            }
            Change::NoteAdded { kind: NoteKind::Hypothesis, text, .. } => {
                Some(format!("hypothesis: {}", first(text)))
            }
            Change::NoteAdded { kind: NoteKind::Rumour, text, .. } => {
                Some(format!("RUMOUR, not confirmed: {}", first(text)))
            }
            Change::EntryCorrected { text, .. } => Some(format!("put right: {}", first(text))),
            Change::Resolved { evidence, .. } => {
                let void = if incident.phase().is_active() { ", and it came back" } else { "" };
                Some(format!("resolved: {}{void}", first(evidence)))
            }
            other => seen(other),
        }));
        lines
    }

    /// What was noted last, whatever it is about.
    fn notes(&self) -> Vec<Line> {
        self.latest(|change| match change {
            Change::NoteAdded { kind: NoteKind::Note, text, .. } => {
                Some(format!("note: {}", first(text)))
            }
            _ => None,
        })
    }

    fn services_entry(&self) -> Vec<Seq> {
        self.entry_of(|c| matches!(c, Change::ServicesChanged { .. } | Change::Opened(_)))
    }

    fn commander_entry(&self) -> Vec<Seq> {
        self.entry_of(|change| match change {
            Change::RoleAssigned { role, .. } => *role == Role::Commander,
            Change::CommandTaken { .. } | Change::CommandAccepted { .. } | Change::Opened(_) => {
                true
            }
            _ => false,
        })
    }

    fn actions(&self) -> Vec<Line> {
        let corrected = self.corrected();
        let mut lines: Vec<Line> = self
            .incident
            .remedies
            .iter()
            .map(|remedy| {
                let until = remedy.expires.map(|at| format!(", until {}", at.clock_minutes()));
                let text = format!(
                    "{} {}: {} ({}{})",
                    remedy.kind,
                    remedy.number,
                    first(&remedy.text),
                    remedy.outcome,
                    until.unwrap_or_default()
                );
                put_right(text, remedy.entry, &corrected)
            })
            .collect();
        lines.extend(self.latest(|change| match change {
            Change::NoteAdded { kind: NoteKind::Decision, text, .. } => {
                Some(format!("decided: {}", first(text)))
            }
            _ => None,
        }));
        if lines.is_empty() {
            lines.push(item("no remedy and no decision is on record".to_owned(), Vec::new()));
        }
        lines
    }

    fn needs(&self) -> Vec<Line> {
        let incident = self.incident;
        let mut needs: Vec<Line> = Vec::new();
        let mut need = |text: String, entries: Vec<Seq>| needs.push(item(text, entries));
        if incident.phase().is_active() {
            if incident.ack.is_none() {
                let since = self.entry_of(|change| {
                    matches!(
                        change,
                        Change::Opened(_) | Change::AckExpired { .. } | Change::Reopened { .. }
                    )
                });
                need("nobody has answered for it".to_owned(), since);
            }
            if incident.severity.is_major() && incident.commander().is_none() {
                need("nobody commands".to_owned(), self.commander_entry());
            }
        }
        for remedy in incident.remedies.iter().filter(|r| r.outcome == Outcome::Pending) {
            need(format!("remedy {} is not judged yet", remedy.number), vec![remedy.entry]);
        }
        for update in incident.talk.waiting() {
            need(format!("update {} waits for approval", update.draft.update), vec![update.entry]);
        }
        for (who, update) in &incident.talk.by_hand {
            let entries = incident.talk.update(*update).map(|update| update.entry);
            let text = format!("{who} must be told by hand what update {update} says");
            need(text, entries.into_iter().collect());
        }
        for promise in promise::all(incident, self.plan) {
            let what = promise.what.words();
            let left = promise.due.since(self.now);
            let how = if left < 0 {
                format!("{} LATE", span_words(-left))
            } else {
                format!("by {}", promise.due.clock_near(self.now))
            };
            need(format!("{} needs {what}: {how}", promise.who), self.promise_entry(&promise));
        }
        for line in self.law() {
            need(line.text.trim_start_matches("- ").to_owned(), line.entries);
        }
        // Those that have a time stand among the promises.
        let is_over = !incident.phase().is_live();
        let timeless =
            |asked: &&Asked| is_over || asked.is_timeless && asked.inquiry.answer_by.is_none();
        for asked in incident.talk.unanswered().filter(timeless) {
            let (number, outlet) = (asked.inquiry.number, &asked.inquiry.outlet);
            let text = format!("press inquiry {number} of {outlet} is not answered");
            need(text, vec![asked.entry]);
        }
        if needs.is_empty() {
            needs.push(item("nothing that is on record".to_owned(), Vec::new()));
        }
        needs
    }

    /// What a time rests on: the promise itself, else what they were told last, else what made it
    /// necessary to tell them.
    fn promise_entry(&self, promise: &Promise<'_>) -> Vec<Seq> {
        let asked = self.incident.talk.inquiries.iter().find(|asked| asked.label == promise.who);
        if let Some(asked) = asked {
            return vec![asked.entry];
        }
        let given = self.entry_of(|change| match change {
            Change::Talk(talk) => match &**talk {
                TalkChange::Promised { stakeholder, next_by, .. } => {
                    stakeholder == promise.who && *next_by == promise.due
                }
                _ => false,
            },
            _ => false,
        });
        if !given.is_empty() {
            return given;
        }
        let told = self.incident.told.get(promise.who).filter(|told| told.count > 0);
        // It is known when it was told; the entry of it is the one that says so.
        match told {
            Some(told) => {
                let update = told.update.and_then(|number| self.incident.talk.update(number));
                vec![update.map_or(told.entry, |update| update.entry)]
            }
            None => self.entry_of(|change| {
                matches!(
                    change,
                    Change::Opened(_) | Change::Declared { .. } | Change::SeverityChanged { .. }
                )
            }),
        }
    }

    fn people(&self) -> Vec<Line> {
        let incident = self.incident;
        let mut lines = Vec::new();
        let ack = incident.ack.as_ref().map_or_else(
            || "nobody has answered".to_owned(),
            |ack| format!("{} has it since {}", ack.by, ack.at.clock_minutes()),
        );
        let acked = self.entry_of(|change| matches!(change, Change::Acknowledged));
        lines.push(item(ack, acked));
        for (role, people) in &incident.roles {
            let role_entry = self.entry_of(|change| match change {
                Change::RoleAssigned { role: given, .. } => given == role,
                Change::CommandTaken { .. } | Change::CommandAccepted { .. } => {
                    *role == Role::Commander
                }
                _ => false,
            });
            lines.push(item(format!("{role}: {}", people.join(", ")), role_entry));
        }
        lines
    }

    fn told(&self) -> Vec<Line> {
        let corrected = self.corrected();
        let told = self.incident.told.iter().filter(|(_, told)| told.count > 0);
        let mut lines: Vec<Line> = told
            .map(|(who, told)| {
                let is_off = page::is_off_page(self.incident, told.at);
                let proof = self.incident.talk.proofs.get(who).map(|proof| proof.words(is_off));
                let proof = proof.filter(|p| !p.is_empty()).map(|p| format!(" · {p}"));
                let last = if told.last { "the last word, " } else { "" };
                let text = format!(
                    "{who} ({last}{} by {}{}): {}",
                    told.at.clock_minutes(),
                    told.by,
                    proof.unwrap_or_default(),
                    first(&told.text)
                );
                put_right(text, told.entry, &corrected)
            })
            .collect();
        let handed_in = self.events.iter().filter_map(|event| {
            let Body::Incident { change: Change::Legal(legal), .. } = &event.body else {
                return None;
            };
            let LegalChange::Submitted { rule, stage, at, reference, .. } = &**legal else {
                return None;
            };
            let when = at.to_the_minute();
            let text = format!("the authority: {rule} {stage} handed in {when}, '{reference}'");
            Some(item(text, vec![event.seq]))
        });
        lines.extend(handed_in);
        if lines.is_empty() {
            lines.push(item("nobody".to_owned(), Vec::new()));
        }
        lines
    }
}
