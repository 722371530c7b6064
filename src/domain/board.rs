//! What the public was told: what the status page is made of.
//!
//! It outlives the incidents: those of the last ninety days are here after they left the room.
//!
//! Invariants:
//! - Nothing gets here but what somebody sent to the status page; it follows from events alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::change::Change;
use crate::domain::event::{Body, Recorded};
use crate::domain::ids::{IncidentId, Seq};
use crate::domain::incident::Incident;
use crate::domain::markup::token;
use crate::domain::plan::Plan;
use crate::domain::redact::REDACTED;
use crate::domain::stakeholder::Audience;
use crate::domain::status::{ComponentStatus, Impact};
use crate::domain::talk::Standing;
use crate::domain::talk::change::{Draft, TalkChange};
use crate::domain::talk::words::says_correction;
use crate::domain::time::{DAY_MS, Timestamp};
use crate::domain::words::{PublicStatus, Severity};

/// How long an incident is shown after its end, in milliseconds.
const SHOWN_MS: i64 = 90 * DAY_MS;
/// Updates of one incident that are shown.
const UPDATES_MAX: usize = 200;

/// One thing that the public was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    pub seq: Seq,
    /// The entry that holds its words.
    #[serde(default)]
    pub entry: Seq,
    pub at: Timestamp,
    pub status: PublicStatus,
    pub text: String,
}

/// How a component was, for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The service.
    pub service: String,
    pub status: ComponentStatus,
    pub from: Timestamp,
    pub until: Option<Timestamp>,
}

/// An incident as the public knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// What it is called outside.
    pub name: String,
    /// As bad as it is; once it is over, as it was at its worst.
    pub impact: Impact,
    #[serde(default = "no_impact")]
    pub worst: Impact,
    pub status: PublicStatus,
    pub at: Timestamp,
    pub changed_at: Timestamp,
    pub monitoring_at: Option<Timestamp>,
    pub resolved_at: Option<Timestamp>,
    pub words: Vec<Word>,
    pub spans: Vec<Span>,
    /// It came from this incident, which became part of its own.
    #[serde(default)]
    pub of: Option<IncidentId>,
    /// The one whose name it bears outside, whatever it became part of: links to it stay good.
    #[serde(default)]
    pub named: Option<IncidentId>,
    /// What it was before it became part of another one.
    #[serde(default)]
    pub before: Option<PublicStatus>,
}

const fn no_impact() -> Impact {
    Impact::None
}

/// What the public was told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Board {
    pub incidents: BTreeMap<IncidentId, Published>,
    /// Service → since when it is shown.
    pub shown: BTreeMap<String, Timestamp>,
    /// Service → the number that it bears outside, where nobody reads what we call it; for good.
    pub numbers: BTreeMap<String, u32>,
    /// What the page is known by since something was published: its name may change.
    pub page: String,
    pub changed_at: Timestamp,
    /// The last event that changed something here.
    pub seq: Seq,
}

/// How bad an incident looks from outside.
const fn impact(severity: Severity) -> Impact {
    match severity {
        Severity::Sev1 => Impact::Critical,
        Severity::Sev2 => Impact::Major,
        Severity::Sev3 => Impact::Minor,
        Severity::Sev4 | Severity::Sev5 => Impact::None,
    }
}

impl Board {
    fn touched(&mut self, event: &Recorded) {
        self.changed_at = self.changed_at.max(event.when());
        self.seq = event.seq;
    }

    /// What a service is known by outside.
    pub fn component(&self, service: &str) -> String {
        self.numbers.get(service).map_or_else(|| token(service), |number| format!("c{number}"))
    }

    /// Takes an event, after the incident that it is about has taken it.
    pub fn take(&mut self, event: &Recorded, incident: Option<&Incident>, plan: &Plan) {
        #[expect(clippy::wildcard_enum_match_arm, reason = "few facts are for the public")]
        match &event.body {
            Body::Incident { incident: id, change }
                if self.incident_changed(event, *id, change, incident) =>
            {
                self.touched(event);
                if self.page.is_empty() {
                    self.page = token(plan.page.shown_name());
                }
            }
            Body::PlanAdopted { .. } => {
                let is_shown = |name: &String| {
                    plan.services.get(name).is_some_and(|s| !s.public_name.is_empty())
                };
                self.shown.retain(|name, _| is_shown(name));
                for name in plan.services.keys().filter(|name| is_shown(name)) {
                    self.shown.entry(name.clone()).or_insert(event.at);
                    let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX) + 1;
                    self.numbers.entry(name.clone()).or_insert(next);
                }
                self.touched(event);
            }
            Body::WindowPlanned { window } if !window.public.is_empty() => self.touched(event),
            Body::WindowPublished { .. } | Body::WindowBegan { .. } | Body::WindowEnded { .. } => {
                self.touched(event);
            }
            _ => {}
        }
    }

    fn incident_changed(
        &mut self,
        event: &Recorded,
        id: IncidentId,
        change: &Change,
        incident: Option<&Incident>,
    ) -> bool {
        #[expect(clippy::wildcard_enum_match_arm, reason = "few facts are for the public")]
        match change {
            Change::Talk(talk) => {
                let TalkChange::Sent(sent) = &**talk else { return false };
                let Some(incident) = incident else { return false };
                let draft = incident.talk.update(sent.update).map(|update| &update.draft);
                let is_public =
                    |draft: &&Draft| draft.public.is_some() && draft.audience == Audience::Public;
                let Some(draft) = draft.filter(is_public) else {
                    return false;
                };
                self.publish(event, incident, draft);
                true
            }
            Change::PublicStatusSet { status } => {
                let Some(known) = self.incidents.get_mut(&id) else { return false };
                known.say(event, *status);
                true
            }
            Change::EntryRedacted { entry, .. } => self.redact(*entry),
            Change::MergedInto { into } => self.merged(event, id, *into),
            Change::Unmerged { from, .. } => self.unmerged(id, *from),
            // Whoever ends it in silence ends it here too: it must not stay open for ever.
            Change::Closed { .. } | Change::Declined { .. } => {
                let open = self.incidents.get_mut(&id).filter(|known| known.resolved_at.is_none());
                open.is_some_and(|known| {
                    known.say(event, PublicStatus::Resolved);
                    true
                })
            }
            _ => false,
        }
    }

    fn publish(&mut self, event: &Recorded, incident: &Incident, draft: &Draft) {
        let when = event.when();
        let status = draft.public.unwrap_or(PublicStatus::Investigating);
        self.incidents
            .retain(|_, known| known.resolved_at.is_none_or(|end| when.since(end) < SHOWN_MS));
        let known = self.incidents.entry(incident.id).or_insert_with(|| Published {
            name: draft.title.clone(),
            impact: impact(incident.severity),
            worst: impact(incident.severity),
            status,
            at: when,
            changed_at: when,
            monitoring_at: None,
            resolved_at: None,
            words: Vec::new(),
            spans: Vec::new(),
            of: None,
            named: None,
            before: None,
        });
        if !draft.title.is_empty() {
            known.name.clone_from(&draft.title);
        }
        known.impact = impact(incident.severity);
        known.set(status, when);
        known.components(&draft.components, when);
        let text = draft.words.first().map(|words| words.text.clone()).unwrap_or_default();
        // Corrections say so themselves, but for those of old journals.
        let is_silent = draft.words.first().is_some_and(|words| !says_correction(words));
        let wrong = draft.corrects.filter(|_| is_silent);
        let wrong = wrong.and_then(|number| incident.talk.update(number));
        let text = match wrong {
            Some(wrong) => {
                // The page shows when it was said, not when it was written.
                let said = match &wrong.standing {
                    Standing::Sent { at, .. } => *at,
                    Standing::Waiting | Standing::Withdrawn { .. } => wrong.at,
                };
                format!("Corrects what was said at {} UTC.\n{text}", said.clock_minutes())
            }
            None => text,
        };
        let entry = incident.talk.update(draft.update).map_or(event.seq, |update| update.entry);
        known.words.push(Word { seq: event.seq, entry, at: when, status, text });
        let surplus = known.words.len().saturating_sub(UPDATES_MAX);
        known.words.drain(..surplus);
    }

    /// Words that are hidden are hidden here too, with the name that came with them.
    fn redact(&mut self, entry: Seq) -> bool {
        let mut found = false;
        for known in self.incidents.values_mut() {
            for word in known.words.iter_mut().filter(|word| word.entry == entry) {
                REDACTED.clone_into(&mut word.text);
                REDACTED.clone_into(&mut known.name);
                found = true;
            }
        }
        found
    }

    /// What became part of another one is followed there; nobody is left waiting.
    fn merged(&mut self, event: &Recorded, id: IncidentId, into: IncidentId) -> bool {
        let Some(mut known) = self.incidents.remove(&id) else { return false };
        let when = event.when();
        if let Some(parent) = self.incidents.get_mut(&into) {
            // What does not work does not work by being followed elsewhere.
            known.before = Some(known.status);
            parent.spans.extend(known.spans.iter().filter(|span| span.until.is_none()).cloned());
            let text = format!("It is followed from now on as '{}'.", parent.name);
            known.set(PublicStatus::Resolved, when);
            known.words.push(Word {
                seq: event.seq,
                entry: event.seq,
                at: when,
                status: PublicStatus::Resolved,
                text,
            });
            self.incidents.insert(id, known);
        } else {
            known.of = Some(id);
            known.named.get_or_insert(id);
            self.incidents.insert(into, known);
        }
        true
    }

    /// The merge was taken back: what was said of it is its own again.
    fn unmerged(&mut self, id: IncidentId, from: IncidentId) -> bool {
        if self.incidents.get(&from).is_some_and(|parent| parent.of == Some(id))
            && let Some(mut known) = self.incidents.remove(&from)
        {
            known.of = None;
            known.named.take_if(|name| *name == id);
            self.incidents.insert(id, known);
            return true;
        }
        let Some(known) = self.incidents.get_mut(&id) else { return false };
        let Some(before) = known.before.take() else { return false };
        known.words.pop();
        (known.status, known.resolved_at) = (before, None);
        let mut own: Vec<Span> = known.spans.clone();
        if let Some(parent) = self.incidents.get_mut(&from) {
            // What was handed over with it comes back.
            let is_own =
                |span: &Span| own.iter().any(|o| o.service == span.service && o.from == span.from);
            let back: Vec<Span> = parent.spans.iter().filter(|s| is_own(s)).cloned().collect();
            parent.spans.retain(|span| !back.contains(span));
            own.retain(|o| !back.iter().any(|b| b.service == o.service && b.from == o.from));
            own.extend(back);
        }
        if let Some(known) = self.incidents.get_mut(&id) {
            known.spans = own;
        }
        true
    }
}

impl Published {
    /// It stands otherwise from now on, and nobody wrote words about it.
    fn say(&mut self, event: &Recorded, status: PublicStatus) {
        let (seq, at) = (event.seq, event.when());
        self.set(status, at);
        let text = format!("This incident is now {status}.");
        self.words.push(Word { seq, entry: seq, at, status, text });
    }

    fn set(&mut self, status: PublicStatus, at: Timestamp) {
        (self.status, self.changed_at) = (status, at);
        self.worst = self.worst.max(self.impact);
        match status {
            PublicStatus::Monitoring => {
                self.monitoring_at.get_or_insert(at);
                self.resolved_at = None;
            }
            PublicStatus::Resolved => {
                self.resolved_at.get_or_insert(at);
                self.impact = self.worst;
                for span in self.spans.iter_mut().filter(|span| span.until.is_none()) {
                    span.until = Some(at);
                }
            }
            PublicStatus::Unpublished | PublicStatus::Investigating | PublicStatus::Identified => {
                self.resolved_at = None;
            }
        }
    }

    /// How components stand from now on, as an update says.
    fn components(&mut self, all: &BTreeMap<String, ComponentStatus>, at: Timestamp) {
        let is_over = self.status == PublicStatus::Resolved;
        for (service, status) in all {
            let is_same = |span: &Span| span.service == *service && span.until.is_none();
            if let Some(open) = self.spans.iter_mut().find(|span| is_same(span)) {
                if open.status == *status && !is_over {
                    continue;
                }
                open.until = Some(at);
            }
            if *status != ComponentStatus::Operational && !is_over {
                let (service, status) = (service.clone(), *status);
                self.spans.push(Span { service, status, from: at, until: None });
            }
        }
    }
}
