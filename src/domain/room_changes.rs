//! How single facts change the room; `room::evolve` says which fact comes here.
//!
//! Invariants: total, like `evolve`.

use std::sync::Arc;

use crate::domain::alert::{Alert, Flap, Held, Shelf};
use crate::domain::change::{Change, Moved, Opened};
use crate::domain::decide::due::OWN_SOURCE;
use crate::domain::duty::Beat;
use crate::domain::event::{AlertFacts, AlertItem, Became, NAME_LABEL, Recorded};
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::room::{CHANGES_MAX, Changed, REFUSALS_MAX, Refusal, Room};
use crate::domain::silence::label_line;
use crate::domain::time::Timestamp;
use crate::domain::timers::Timer;
use crate::domain::words::Via;

impl Room {
    pub(crate) fn rebuild_index_keeping_commands(&mut self) {
        let done = std::mem::take(&mut self.done);
        self.rebuild_index();
        self.done = done;
    }

    pub(crate) fn incident_changed(&mut self, event: &Recorded, id: IncidentId, change: &Change) {
        match change {
            Change::Opened(opened) => self.opened(event, id, opened),
            Change::Snoozed { .. } => self.answer_members(id),
            Change::Acknowledged => {
                self.answer_members(id);
                self.count_answer(event);
            }
            Change::EntryRedacted { entry, .. } => drop(self.redacted.insert(*entry)),
            Change::Absorbed { .. } => self.absorbed(event.at, id, change),
            Change::Unmerged { alerts, .. } | Change::Received { alerts, .. } => {
                self.rehome_all(alerts, id, id);
            }
            Change::Declared { .. }
            | Change::Triaged { .. }
            | Change::SeverityChanged { .. }
            | Change::PhaseChanged { .. }
            | Change::TitleChanged { .. }
            | Change::OwnerChanged { .. }
            | Change::RoleAssigned { .. }
            | Change::RoleLeft { .. }
            | Change::CommandTaken { .. }
            | Change::CommandOffered { .. }
            | Change::CommandAccepted { .. }
            | Change::CommandRefused { .. }
            | Change::NoteAdded { .. }
            | Change::EntryCorrected { .. }
            | Change::AttachmentAdded { .. }
            | Change::RemedyRecorded { .. }
            | Change::RemedyJudged { .. }
            | Change::RemedyExpired { .. }
            | Change::ContactLogged { .. }
            | Change::Talk(_)
            | Change::Legal(_)
            | Change::Linked { .. }
            | Change::Unlinked { .. }
            | Change::MergedInto { .. }
            | Change::Released { .. }
            | Change::SplitOff { .. }
            | Change::Declined { .. }
            | Change::Resolved { .. }
            | Change::Reopened { .. }
            | Change::ReviewStarted
            | Change::Closed { .. }
            | Change::MomentRevised { .. }
            | Change::PublicStatusSet { .. }
            | Change::HistoryNoted { .. }
            | Change::ExternalFields { .. }
            | Change::PolicyTaken { .. }
            | Change::LevelSkipped { .. }
            | Change::FallbackPaged { .. }
            | Change::PagedByHand { .. }
            | Change::CalledBack { .. }
            | Change::AckExpired { .. }
            | Change::SnoozeEnded { .. }
            | Change::HandoverOffered { .. }
            | Change::HandoverAccepted { .. }
            | Change::HandoverRefused { .. }
            | Change::EscalationPaused { .. }
            | Change::EscalationResumed { .. }
            | Change::AnswersDropped { .. }
            | Change::BegunAnew { .. }
            | Change::ToldElsewhere(_) => {}
            Change::ServicesChanged { .. } | Change::LabelSet { .. } => {
                self.concern_changed(event.at, id, change);
            }
            Change::LevelReached(reached) => self.take_turn(id, reached),
        }
    }

    /// Another incident becomes part of one, with its alerts and with what is broken of it.
    fn absorbed(&mut self, at: Timestamp, id: IncidentId, change: &Change) {
        self.concern_changed(at, id, change);
        if let Change::Absorbed { child, alerts, .. } = change {
            self.rehome_all(alerts, id, *child);
        }
    }

    /// What a gateway passed on is counted like what senders post.
    fn count_answer(&mut self, event: &Recorded) {
        if let (Via::Gateway, Some(by)) = (event.actor.via, &event.actor.through) {
            let counts = self.sources.entry(by.clone()).or_default();
            (counts.answers, counts.last_at) = (counts.answers + 1, Some(event.at));
        }
    }

    fn opened(&mut self, event: &Recorded, id: IncidentId, opened: &Opened) {
        self.last_incident = self.last_incident.max(id.0);
        if let Some(group) = &opened.group {
            self.groups.insert(group.clone(), id);
        }
        if let Some(external) = &opened.external {
            self.externals.insert(external.clone(), id);
        }
        self.incidents.insert(id, Arc::new(Incident::open(id, opened, event)));
    }

    /// Alerts come to an incident, and with them the group of the one they belonged to first.
    fn rehome_all(&mut self, alerts: &[Moved], id: IncidentId, group_of: IncidentId) {
        for moved in alerts {
            self.rehome(&moved.alert, id);
        }
        // Groups of incidents that had become part of that one go with it.
        let follow = self.groups.values_mut().filter(|known| **known == group_of);
        follow.for_each(|known| *known = id);
        if let Some(group) = self.incidents.get(&group_of).and_then(|i| i.group.clone()) {
            self.groups.insert(group, id);
        }
    }

    pub(crate) fn token_issued(&mut self, name: &str, hash: &str, answers: bool) {
        if answers {
            self.answer_tokens.insert(name.to_owned());
        } else {
            self.asks_for_tokens = true;
        }
        self.tokens.insert(name.to_owned(), hash.to_owned());
    }

    pub(crate) fn change_received(
        &mut self,
        (at, heard_at): (Timestamp, Timestamp),
        source: &str,
        summary: &str,
        origin: &str,
    ) {
        let counts = self.sources.entry(source.to_owned()).or_default();
        (counts.changes, counts.last_at) = (counts.changes + 1, Some(heard_at));
        let (source, summary) = (source.to_owned(), summary.to_owned());
        self.changes.push_back(Changed { at, source, summary, origin: origin.to_owned() });
        if self.changes.len() > CHANGES_MAX {
            self.changes.pop_front();
        }
    }

    fn rehome(&mut self, alert: &str, id: IncidentId) {
        if let Some(alert) = self.alerts.get_mut(alert).map(Arc::make_mut) {
            alert.incident = Some(id);
        }
    }

    /// An acknowledged incident answers for all its alerts; those that have healed are done with.
    fn answer_members(&mut self, id: IncidentId) {
        let members: Vec<String> = self
            .incidents
            .get(&id)
            .map(|i| i.members.keys().cloned().collect())
            .unwrap_or_default();
        for key in members {
            self.alert_answered(&key);
        }
    }

    pub(crate) fn alert_answered(&mut self, key: &str) {
        let Some(alert) = self.alerts.get_mut(key).map(Arc::make_mut) else {
            return;
        };
        alert.is_answered = true;
        let is_done = !alert.is_firing && alert.flap.is_none();
        if is_done && alert.incident.is_none() {
            self.forget_alert(key);
        }
    }

    pub(crate) fn alert_shelved(
        &mut self,
        event: &Recorded,
        key: &str,
        until: Timestamp,
        reason: &str,
    ) {
        self.unindex_alert(key);
        if let Some(alert) = self.alerts.get_mut(key).map(Arc::make_mut) {
            let (by, reason) = (event.actor.login.clone(), reason.to_owned());
            alert.shelf = Some(Shelf { by, until, reason, silence: None, held: None });
        }
        self.index_alert(key);
    }

    pub(crate) fn alert_unshelved(&mut self, key: &str) {
        self.unindex_alert(key);
        if let Some(alert) = self.alerts.get_mut(key).map(Arc::make_mut) {
            alert.shelf = None;
            alert.is_answered = false;
        }
        self.index_alert(key);
        self.drop_if_loose(key);
    }

    /// An alert is known to fire, or not, for good: it expired or stopped flapping.
    pub(crate) fn alert_steady(&mut self, at: Timestamp, key: &str, firing: bool) {
        self.unindex_alert(key);
        if let Some(alert) = self.alerts.get_mut(key).map(Arc::make_mut) {
            alert.flap = None;
            alert.is_firing = firing;
            alert.since = at;
            alert.changes.clear();
            if !firing {
                alert.ends_at = None;
            }
        }
        self.index_alert(key);
        self.drop_if_loose(key);
    }

    /// An alert without an incident that does not fire is of no use to anybody.
    fn drop_if_loose(&mut self, key: &str) {
        let is_loose = self
            .alerts
            .get(key)
            .is_some_and(|a| a.incident.is_none() && !a.is_firing && !a.is_put_aside_by_hand());
        if is_loose {
            self.forget_alert(key);
        }
    }

    pub(crate) fn post_refused(
        &mut self,
        at: Timestamp,
        source: &str,
        status: u16,
        reason: &str,
        excerpt: &str,
        count: u32,
    ) {
        let counts = self.sources.entry(source.to_owned()).or_default();
        counts.refused += u64::from(count);
        counts.last_at = Some(at);
        let (source, reason, excerpt) = (source.to_owned(), reason.to_owned(), excerpt.to_owned());
        let is_same = |r: &Refusal| (r.status, &r.source, &r.reason) == (status, &source, &reason);
        // The same again is one line, told anew.
        let before = self.refusals.iter().position(is_same).and_then(|n| self.refusals.remove(n));
        let count = count.saturating_add(before.map_or(0, |refusal| refusal.count));
        self.refusals.push_back(Refusal { at, source, status, reason, excerpt, count });
        if self.refusals.len() > REFUSALS_MAX {
            self.refusals.pop_front();
        }
    }

    pub(crate) fn alerts_received(
        &mut self,
        event: &Recorded,
        source: &str,
        items: &[AlertItem],
        (group, truncated): (Option<&String>, u32),
        first: bool,
    ) {
        let counts = self.sources.entry(source.to_owned()).or_default();
        counts.posts += u64::from(first);
        counts.truncated += u64::from(truncated);
        counts.last_at = Some(event.at);
        for item in items {
            *counts.alerts.entry(item.became).or_default() += 1;
        }
        for item in items {
            self.alert_became(event, source, group, item);
        }
        self.sign_of_life(event.at, source, items);
    }

    /// A post may be the sign of life that is waited for.
    fn sign_of_life(&mut self, at: Timestamp, source: &str, items: &[AlertItem]) {
        if self.plan.heartbeats.is_empty() {
            return;
        }
        let is_alert = |name: &str| {
            // That a watchdog went silent is no sign of life, though it comes as a post.
            let mut signs = items.iter().filter(|item| {
                let is_over = [Became::Resolved, Became::FlappingResolved, Became::Unmatched];
                !is_over.contains(&item.became)
            });
            signs.any(|item| {
                let facts = item.facts.as_ref().map(|facts| facts.name.as_str());
                facts == Some(name)
                    || self.alerts.get(&item.alert).is_some_and(|alert| alert.name == name)
            })
        };
        let signs = self.plan.heartbeats.iter().filter(|(_, asked)| {
            (!asked.source.is_empty() && asked.source == source)
                || (!asked.alert.is_empty() && is_alert(&asked.alert))
        });
        let names: Vec<String> = signs.map(|(name, _)| name.clone()).collect();
        for name in names {
            let beat = Beat::heard(at, self.desk.beats.get(&name));
            self.set_beat(&name, beat);
        }
        if source == OWN_SOURCE {
            for item in items {
                self.silence_told(item);
            }
        }
    }

    /// The keeper's own alert about a silence, or about its end, was told: it is told once.
    fn silence_told(&mut self, item: &AlertItem) {
        let Some(name) = item.alert.strip_prefix("warroom/HeartbeatMissed/") else { return };
        let Some(beat) = self.desk.beats.get(name).copied() else { return };
        let is_over =
            matches!(item.became, Became::Resolved | Became::FlappingResolved | Became::Unmatched)
                || (beat.is_back && item.became == Became::Repeated);
        let beat = if is_over {
            Beat { is_back: false, ..beat }
        } else {
            Beat { is_missed: true, is_back: false, ..beat }
        };
        self.set_beat(name, beat);
    }

    /// Notes a sign of life, or its absence.
    pub(crate) fn set_beat(&mut self, name: &str, beat: Beat) {
        if let Some(due) = self.desk.beat_due(&self.plan, name) {
            self.deadlines.remove(&(due, Timer::Beat(name.to_owned())));
        }
        self.desk.beats.insert(name.to_owned(), beat);
        if let Some(due) = self.desk.beat_due(&self.plan, name) {
            self.deadlines.insert((due, Timer::Beat(name.to_owned())));
        }
    }

    fn alert_became(
        &mut self,
        event: &Recorded,
        source: &str,
        group: Option<&String>,
        item: &AlertItem,
    ) {
        let key = item.alert.as_str();
        let keep = usize::from(self.plan.flap_changes);
        match item.became {
            Became::Unmatched => return,
            Became::Shelved if item.silence.is_some() => {
                self.unindex_alert(key);
                self.alert_silenced(event.at, source, group, item, keep);
            }
            Became::Repeated | Became::RepeatedEnd | Became::Shelved => {
                self.alert_repeated(event.at, group, item);
            }
            Became::Opened | Became::Attached | Became::Reopened | Became::Recorded => {
                self.unindex_alert(key);
                self.alert_fired(event.at, (source, group), item, keep);
            }
            Became::Acknowledged => self.alert_answered(key),
            Became::Resolved => {
                self.unindex_alert(key);
                if let Some(alert) = self.alerts.get_mut(key).map(Arc::make_mut) {
                    alert.is_firing = false;
                    alert.since = event.at;
                    alert.last_seen = event.at;
                    alert.ends_at = None;
                    alert.changed(event.at, keep);
                }
                self.drop_if_loose(key);
            }
            Became::FlappingFiring => self.alert_flaps(event.at, key, true, keep),
            Became::FlappingResolved => self.alert_flaps(event.at, key, false, keep),
        }
        self.index_alert(key);
    }

    fn alert_repeated(&mut self, at: Timestamp, group: Option<&String>, item: &AlertItem) {
        self.unindex_alert(&item.alert);
        if let Some(alert) = self.alerts.get_mut(&item.alert).map(Arc::make_mut) {
            alert.repeats = alert.repeats.saturating_add(1);
            alert.last_seen = at;
            let is_said = |facts: &AlertFacts| {
                let is_end = item.became == Became::Repeated && facts.ends_at.is_some();
                // Put aside, what begins to fire says all of itself; what only goes on may say no end.
                let is_aside = item.became == Became::Shelved;
                is_end || is_aside && (facts.ends_at.is_some() || !alert.is_firing)
            };
            if let Some(facts) = item.facts.as_ref().filter(|facts| is_said(facts)) {
                alert.ends_at = facts.ends_at;
            }
            let silence = alert.shelf.as_ref().and_then(|shelf| shelf.silence);
            if let Some(silence) = silence.and_then(|id| self.desk.silences.get_mut(&id)) {
                silence.matched += 1;
                silence.last_matched = Some(at);
            }
            // Put aside, a flapping alert is followed as well: it may have settled by then.
            let fires = item.became == Became::Shelved;
            if let Some(flap) = alert.flap.as_mut().filter(|flap| fires && !flap.said_firing) {
                (flap.said_firing, flap.last_change) = (true, at);
            }
            let is_new = fires && !alert.is_firing;
            if let (true, Some(facts), Some(shelf)) = (is_new, &item.facts, &mut alert.shelf) {
                let held = Held { facts: (**facts).clone(), group: group.cloned() };
                shelf.held = Some(Box::new(held));
                (alert.is_firing, alert.since, alert.is_answered) = (true, at, false);
            }
        }
    }

    pub(crate) fn alert_fired(
        &mut self,
        at: Timestamp,
        (source, group): (&str, Option<&String>),
        item: &AlertItem,
        keep: usize,
    ) {
        let facts = item.facts.as_deref().cloned().unwrap_or_default();
        let before = self.alerts.remove(&item.alert);
        let repeats = before.as_ref().map_or(0, |alert| alert.repeats + 1);
        let mut alert = Alert {
            labels: label_line(&facts.labels),
            is_named_by_label: facts.labels.contains_key(NAME_LABEL),
            severity_word: facts.severity_word.as_str().into(),
            group: group.map(|group| group.as_str().into()),
            name: facts.name,
            summary: facts.summary,
            source: source.to_owned(),
            incident: item.incident,
            rule: item.rule.clone(),
            is_firing: true,
            is_answered: false,
            shelf: None,
            flap: None,
            starts_at: facts.starts_at,
            ends_at: facts.ends_at,
            since: at,
            last_seen: at,
            repeats,
            changes: before.map(|alert| Arc::unwrap_or_clone(alert).changes).unwrap_or_default(),
        };
        alert.changed(at, keep);
        self.alerts.insert(item.alert.clone(), Arc::new(alert));
    }

    fn alert_flaps(&mut self, at: Timestamp, key: &str, said_firing: bool, keep: usize) {
        self.unindex_alert(key);
        let Some(alert) = self.alerts.get_mut(key).map(Arc::make_mut) else {
            return;
        };
        alert.last_seen = at;
        alert.changed(at, keep);
        alert.is_firing = true;
        alert.ends_at = None;
        match alert.flap.as_mut() {
            Some(flap) if flap.said_firing == said_firing => {}
            Some(flap) => {
                flap.last_change = at;
                flap.said_firing = said_firing;
                flap.changes = flap.changes.saturating_add(1);
            }
            None => {
                alert.flap = Some(Flap { since: at, last_change: at, said_firing, changes: 1 });
            }
        }
    }
}
