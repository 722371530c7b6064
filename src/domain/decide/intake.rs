//! What becomes of a sender's alerts: exactly one thing each, and it can be told why.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each file decides its own commands; `route` is the exhaustive list"
)]

use std::collections::BTreeMap;

use crate::domain::alert::{Alert, Held};
use crate::domain::change::{Change, Opened};
use crate::domain::command::{Command, Order};
use crate::domain::decide::said::{
    facts_of, first_line, name_of, services_of, severity_of, title_of,
};
use crate::domain::decide::{Decision, already, bad, not_now, reason};
use crate::domain::event::{AlertItem, Became, Body};
use crate::domain::ids::IncidentId;
use crate::domain::plan::{Rule, RuleAction};
use crate::domain::post::{Incoming, Post, Signal};
use crate::domain::room::Room;
use crate::domain::time::{DAY_MS, SECOND_MS, Timestamp};
use crate::domain::words::{Origin, Phase, Severity};

/// Alerts in one event; a larger post becomes several.
const ITEMS_MAX: usize = 64;
/// Services of one incident that alerts may name.
const SERVICES_MAX: usize = 40;
/// The longest that an alert may be shelved, in days.
const SHELF_DAYS_MAX: i64 = 30;

/// The working state of one post: what the room will be after the alerts so far.
struct Intake<'a> {
    room: &'a Room,
    post: &'a Post,
    now: Timestamp,
    opened: Vec<Body>,
    items: Vec<AlertItem>,
    /// What alerts of this post did to each other: alert → fires now.
    seen: BTreeMap<String, bool>,
    /// Groups that got their incident in this post.
    groups: BTreeMap<String, IncidentId>,
    /// Incidents reopened in this post.
    reopened: Vec<IncidentId>,
    /// Incidents raised in this post.
    raised: BTreeMap<IncidentId, Severity>,
    /// What else is broken of an incident since this post.
    services: BTreeMap<IncidentId, Vec<String>>,
    /// Why what opens opens only now.
    again: String,
    next: u32,
}

/// Facts for a post: never refused; each alert becomes one thing.
pub(super) fn ingest(room: &Room, post: &Post, now: Timestamp) -> Vec<Body> {
    let mut intake = Intake::new(room, post, now);
    for incoming in &post.alerts {
        let item = intake.one(incoming);
        intake.items.push(item);
    }
    intake.finish()
}

/// An alert that has fired on its shelf and belongs to no incident, when the shelf's time is over:
/// the rules decide as if it was posted now.
/// `again`: why only now.
pub(super) fn resurface(
    room: &Room,
    key: &str,
    held: &Held,
    again: String,
    now: Timestamp,
) -> Vec<Body> {
    let source = room.alerts.get(key).map(|alert| alert.source.clone()).unwrap_or_default();
    let post = Post { source, group: held.group.clone(), ..Post::default() };
    let mut intake = Intake::new(room, &post, now);
    let severity_word = held.facts.severity_word().to_owned();
    let incoming = Incoming {
        fingerprint: key.to_owned(),
        signal: Signal::Firing,
        severity_word,
        facts: held.facts.clone(),
    };
    intake.again = again;
    let known = room.alerts.get(key).map(AsRef::as_ref);
    let item = intake
        .silenced(key, &incoming, known)
        .unwrap_or_else(|| intake.begins(key.to_owned(), &incoming, known));
    intake.items.push(item);
    intake.finish()
}

impl<'a> Intake<'a> {
    fn new(room: &'a Room, post: &'a Post, now: Timestamp) -> Self {
        Self {
            room,
            post,
            now,
            opened: Vec::new(),
            items: Vec::with_capacity(post.alerts.len()),
            seen: BTreeMap::new(),
            groups: BTreeMap::new(),
            reopened: Vec::new(),
            raised: BTreeMap::new(),
            services: BTreeMap::new(),
            again: String::new(),
            next: room.last_incident + 1,
        }
    }

    fn one(&mut self, incoming: &Incoming) -> AlertItem {
        let key = format!("{}/{}", self.post.source, incoming.fingerprint);
        let known = self.room.alerts.get(&key).map(AsRef::as_ref);
        let is_firing = self.seen.get(&key).copied().or(known.map(|alert| alert.is_firing));
        match incoming.signal {
            Signal::Firing => self.fires(key, incoming, known, is_firing),
            Signal::Resolved => self.ends(key, incoming, known, is_firing),
            Signal::Acknowledged => {
                let incident = known.filter(|_| is_firing == Some(true));
                let incident = incident.and_then(|alert| alert.incident);
                let (became, facts) = match is_firing {
                    Some(true) => (Became::Acknowledged, name_of(incoming, known)),
                    // It is over: there is nothing to answer for.
                    Some(false) => (Became::Unmatched, name_of(incoming, known)),
                    None => (Became::Unmatched, facts_of(incoming)),
                };
                let (rule, silence, facts) = (String::new(), None, Some(facts));
                AlertItem { alert: key, became, incident, rule, silence, facts }
            }
        }
    }

    fn ends(
        &mut self,
        key: String,
        incoming: &Incoming,
        known: Option<&Alert>,
        is_firing: Option<bool>,
    ) -> AlertItem {
        let incident = known.and_then(|alert| alert.incident);
        let flapping = known.is_some_and(|alert| alert.flap.is_some());
        let became = match is_firing {
            None => Became::Unmatched,
            Some(_) if flapping => Became::FlappingResolved,
            Some(false) => Became::RepeatedEnd,
            Some(true) if self.would_flap(known) => Became::FlappingResolved,
            Some(true) => Became::Resolved,
        };
        // An alert that this same post opened is in no room yet; it is found by its group.
        let incident = incident.or_else(|| {
            self.items.iter().rev().find(|item| item.alert == key).and_then(|item| item.incident)
        });
        self.seen.insert(key.clone(), became == Became::FlappingResolved);
        // Of what has no beginning here, this is all that is ever known.
        let facts = match became {
            Became::Unmatched => facts_of(incoming),
            _ => name_of(incoming, known),
        };
        let (rule, silence, facts) = (String::new(), None, Some(facts));
        AlertItem { alert: key, became, incident, rule, silence, facts }
    }

    fn would_flap(&self, known: Option<&Alert>) -> bool {
        let plan = &self.room.plan;
        let window_ms = i64::from(plan.flap_window_s) * SECOND_MS;
        known.is_some_and(|alert| alert.would_flap(self.now, plan.flap_changes, window_ms))
    }

    fn fires(
        &mut self,
        key: String,
        incoming: &Incoming,
        known: Option<&Alert>,
        is_firing: Option<bool>,
    ) -> AlertItem {
        let repeated = |became| {
            let facts = Some(name_of(incoming, known));
            let incident = known.and_then(|alert| alert.incident);
            AlertItem {
                alert: key.clone(),
                became,
                incident,
                rule: String::new(),
                silence: None,
                facts,
            }
        };
        if let Some(alert) = known {
            if alert.shelf.is_some() {
                let mut item = repeated(Became::Shelved);
                if !alert.is_firing {
                    // It begins to fire while it is put aside: what it said is kept until then.
                    item.facts = Some(facts_of(incoming));
                }
                return item;
            }
            if alert.flap.is_some() || (is_firing == Some(false) && self.would_flap(known)) {
                self.seen.insert(key.clone(), true);
                return repeated(Became::FlappingFiring);
            }
        }
        // An alert whose incident is over and that began anew is a new occurrence.
        let starts_at = incoming.facts.starts_at;
        let is_new = known.is_some_and(|alert| {
            alert.incident.is_none()
                && alert.is_answered
                && alert.starts_at.is_some()
                && starts_at.is_some_and(|at| alert.starts_at.is_none_or(|before| before < at))
        });
        if is_firing == Some(true) && !is_new {
            return repeated(Became::Repeated);
        }
        self.seen.insert(key.clone(), true);
        if let Some(item) = self.silenced(&key, incoming, known) {
            return item;
        }
        self.begins(key, incoming, known)
    }

    /// An alert that begins to fire under a silence is put aside with what it said.
    fn silenced(&self, key: &str, incoming: &Incoming, known: Option<&Alert>) -> Option<AlertItem> {
        let silence = self.room.silence_over(&incoming.facts, self.now)?;
        Some(AlertItem {
            alert: key.to_owned(),
            became: Became::Shelved,
            incident: known.and_then(|alert| alert.incident),
            rule: format!("silence {}", silence.id),
            silence: Some(silence.id),
            facts: Some(facts_of(incoming)),
        })
    }

    /// An alert that did not fire begins to: the rules decide.
    fn begins(&mut self, key: String, incoming: &Incoming, known: Option<&Alert>) -> AlertItem {
        let facts = Some(facts_of(incoming));
        let rule = self.room.plan.rules.iter().find(|rule| rule.matches(&incoming.facts.labels));
        let name = rule.map_or("default", |rule| rule.name.as_str()).to_owned();
        if rule.is_some_and(|rule| rule.action == RuleAction::Record) {
            return AlertItem {
                alert: key,
                became: Became::Recorded,
                incident: None,
                rule: name,
                silence: None,
                facts,
            };
        }
        let back = known.and_then(|alert| alert.incident);
        let group = self.group_of(rule, incoming);
        let (became, incident) = match back.filter(|id| self.is_active(*id)) {
            Some(id) => (Became::Attached, id),
            None => self.place(rule, &group, incoming),
        };
        if became == Became::Attached {
            self.raise(incident, rule, incoming);
        }
        if became != Became::Opened {
            self.widen(incident, rule, incoming);
        }
        AlertItem { alert: key, became, incident: Some(incident), rule: name, silence: None, facts }
    }

    fn is_active(&self, id: IncidentId) -> bool {
        self.reopened.contains(&id)
            || self.room.incidents.get(&id).is_some_and(|i| i.phase().is_active())
    }

    /// The group: the values of the rule's labels, else the sender's own, else the alert's name
    /// with what it runs on.
    fn group_of(&self, rule: Option<&Rule>, incoming: &Incoming) -> String {
        let labels = &incoming.facts.labels;
        let source = &self.post.source;
        let by: Vec<&str> = match rule.map(|rule| rule.group_by.as_slice()) {
            Some(by) if !by.is_empty() => by.iter().map(String::as_str).collect(),
            _ => {
                if let Some(group) = &self.post.group {
                    return format!("{source}:{group}");
                }
                if labels.is_empty() {
                    return format!("{source}:{}", incoming.fingerprint);
                }
                vec!["alertname", "cluster", "namespace", "service", "job"]
            }
        };
        let mut values: Vec<String> = by
            .iter()
            .filter_map(|label| labels.get(*label).map(|value| format!("{label}={value:?}")))
            .collect();
        if by.first() == Some(&"alertname") && !labels.contains_key("alertname") {
            // A sender that is not Prometheus: the alert's name is what it has.
            values.insert(0, format!("name={:?}", incoming.facts.name));
        }
        format!("{source}:{{{}}}", values.join(","))
    }

    /// Finds or opens the incident of a group.
    fn place(
        &mut self,
        rule: Option<&Rule>,
        group: &str,
        incoming: &Incoming,
    ) -> (Became, IncidentId) {
        if let Some(id) = self.groups.get(group) {
            return (Became::Attached, *id);
        }
        if let Some(id) = self.room.groups.get(group).copied() {
            if self.is_active(id) {
                return (Became::Attached, id);
            }
            if self.is_fresh(id) {
                self.reopened.push(id);
                let reason =
                    format!("{} fired again soon after the resolution", incoming.facts.name);
                let change = Change::Reopened { reason };
                self.opened.push(Body::Incident { incident: id, change });
                return (Became::Reopened, id);
            }
        }
        (Became::Opened, self.open(rule, group, incoming))
    }

    /// A worse alert raises its incident, until a person has judged the severity.
    fn raise(&mut self, id: IncidentId, rule: Option<&Rule>, incoming: &Incoming) {
        let incident = self.room.incidents.get(&id);
        let (to, because) = severity_of(self.room, rule, incoming, &self.post.source);
        let known = self.raised.get(&id).copied().or(incident.map(|i| i.severity));
        let Some(from) = known else { return };
        if to < from && !incident.is_some_and(|i| i.is_severity_judged) {
            self.raised.insert(id, to);
            let reason = format!("{} joined, {because}", incoming.facts.name);
            let change = Change::SeverityChanged { from, to, reason };
            self.opened.push(Body::Incident { incident: id, change });
        }
    }

    /// What an alert of an incident says is broken is broken: who runs it, who must know of it, and
    /// whether a maintenance window covers all of it depend on that.
    fn widen(&mut self, id: IncidentId, rule: Option<&Rule>, incoming: &Incoming) {
        let known = || self.room.incidents.get(&id).map(|it| it.services.clone());
        let opened = || {
            self.opened.iter().find_map(|body| match body {
                Body::Incident { incident, change: Change::Opened(opened) } if *incident == id => {
                    Some(opened.services.clone())
                }
                _ => None,
            })
        };
        let known = self.services.get(&id).cloned().or_else(known).or_else(opened);
        let mut all = known.unwrap_or_default();
        let before = all.len();
        let is_off = |service: &String| {
            self.room.incidents.get(&id).is_some_and(|it| it.services_off.contains(service))
        };
        for service in services_of(rule, &incoming.facts).into_iter().filter(|it| !is_off(it)) {
            if !all.contains(&service) && all.len() < SERVICES_MAX {
                all.push(service);
            }
        }
        // One that names no service is of all of them as it is.
        if before > 0 && all.len() > before {
            self.services.insert(id, all);
        }
    }

    /// Whether the resolution is so young that an alert which comes back voids it.
    fn is_fresh(&self, id: IncidentId) -> bool {
        let Some(incident) = self.room.incidents.get(&id) else {
            return false;
        };
        if !matches!(incident.phase(), Phase::Resolved | Phase::InReview) {
            return false;
        }
        let within = i64::from(incident.reopen_within_s) * SECOND_MS;
        let resolved = incident.moments.get(&crate::domain::words::Moment::Resolved);
        resolved.is_some_and(|at| self.now.since(*at) <= within)
    }

    fn open(&mut self, rule: Option<&Rule>, group: &str, incoming: &Incoming) -> IncidentId {
        let id = IncidentId(self.next);
        self.next += 1;
        let facts = &incoming.facts;
        let (severity, because) = severity_of(self.room, rule, incoming, &self.post.source);
        let title = title_of(facts);
        let services = services_of(rule, facts);
        let opened = Opened {
            title: first_line(&title, super::TITLE_MAX),
            origin: Origin::Alert,
            severity,
            because,
            services: services.clone(),
            labels: facts.labels.clone(),
            group: Some(group.to_owned()),
            external: None,
            declared: false,
            reopen_within_s: rule.map_or(300, |rule| rule.reopen_within_s),
            again: self.again.clone(),
            policy: self.room.policy_ref(&services),
        };
        self.groups.insert(group.to_owned(), id);
        self.raised.insert(id, severity);
        let change = Change::Opened(Box::new(opened));
        self.opened.push(Body::Incident { incident: id, change });
        id
    }

    fn finish(mut self) -> Vec<Body> {
        // Openings come first: what the alerts join must exist.
        let mut bodies = std::mem::take(&mut self.opened);
        bodies.extend(std::mem::take(&mut self.services).into_iter().map(
            |(incident, services)| Body::Incident {
                incident,
                change: Change::ServicesChanged { services },
            },
        ));
        let mut first = true;
        let mut items = std::mem::take(&mut self.items).into_iter().peekable();
        while first || items.peek().is_some() {
            bodies.push(Body::AlertsReceived {
                source: self.post.source.clone(),
                group: self.post.group.clone(),
                items: items.by_ref().take(ITEMS_MAX).collect(),
                truncated: if first { self.post.truncated } else { 0 },
                first,
            });
            first = false;
        }
        bodies
    }
}

/// Acts on one alert.
pub(super) fn decide_alert(room: &Room, order: &Order, now: Timestamp) -> Decision {
    let find = |key: &str| {
        room.alerts.get(key).ok_or_else(|| {
            not_now(
                format!("alert '{key}' is not known or long over"),
                "list alerts with 'warroom alerts'",
            )
        })
    };
    match &order.command {
        Command::AcknowledgeAlert { alert } => {
            let known = find(alert)?;
            if known.is_answered {
                return Err(already(format!("alert '{alert}' is acknowledged")));
            }
            let (alert, name, incident) = (alert.clone(), known.full_name(), known.incident);
            Ok(vec![Body::AlertAcknowledged { alert, name, incident }])
        }
        Command::ShelveAlert { alert, until, reason: why } => {
            let known = find(alert)?;
            let why = reason(why, "shelving an alert")?.to_owned();
            if *until <= now || until.since(now) > SHELF_DAYS_MAX * DAY_MS {
                return Err(bad(
                    format!("{until} is not a time to shelve until"),
                    format!(
                        "give an end within {SHELF_DAYS_MAX} days; nothing is shelved for ever"
                    ),
                ));
            }
            let (alert, name, incident) = (alert.clone(), known.full_name(), known.incident);
            Ok(vec![Body::AlertShelved { alert, name, incident, until: *until, reason: why }])
        }
        Command::UnshelveAlert { alert } => {
            let known = find(alert)?;
            if known.shelf.is_none() {
                return Err(already(format!("alert '{alert}' is not shelved")));
            }
            if let Some(silence) = room.silence_over(&super::super::silence::facts_of(known), now) {
                return Err(not_now(
                    format!("silence {} puts it aside until {}", silence.id, silence.until),
                    format!("end that one: warroom silence --end {}", silence.id),
                ));
            }
            Ok(super::silence::unshelve(room, alert, now))
        }
        _ => Err(bad("not a command about an alert", "this is a defect; please report it")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_without_alerts_is_still_on_record() {
        let bodies = ingest(&Room::default(), &Post::default(), Timestamp(0));
        assert_eq!(bodies.len(), 1, "every post is accounted for");
    }
}
