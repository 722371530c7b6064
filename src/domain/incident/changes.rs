//! The changes to an incident that take more than a line.
//!
//! Invariants: as in `incident`; everything here is total.

use crate::domain::change::Change;
use crate::domain::ids::Seq;
use crate::domain::redact::REDACTED;
use crate::domain::stakeholder::Audience;
use crate::domain::words::{RemedyKind, Via};

use super::{
    Ack, Assessment, ClosureReason, Incident, IncidentId, Level3, LinkKind, Member, Moment, Moved,
    Outcome, Phase, PublicStatus, Recorded, Remedy, Resolution, Role, Severity, Stage, Timestamp,
    Told,
};

impl Incident {
    pub(super) fn declare(&mut self, when: Timestamp) {
        if matches!(self.stage, Stage::Triage) {
            self.stage = Stage::Investigating;
            self.talk.begin(self.severity, when);
        }
        self.first(Moment::Declared, when);
    }

    pub(super) fn triage(&mut self, event: &Recorded, impact: Level3, urgency: Level3) {
        self.assessed = Some(Assessment { impact, urgency });
        self.acted(event, format!("assessed it as {impact} × {urgency}"));
    }

    pub(super) fn acknowledge(&mut self, by: &str, when: Timestamp, at: Timestamp) {
        // Somebody who was called to help answers for themselves; it stays with the one who has it.
        let holder = self.ack.as_ref().filter(|ack| ack.by != by).cloned();
        if let Some(holder) = holder.filter(|_| self.esc.snooze.is_none() && self.is_called(by)) {
            self.ack = Some(holder);
            self.answer_pages(by, at);
            return;
        }
        self.ack = Some(Ack { by: by.to_owned(), at: when });
        self.esc.snooze = None;
        self.answer_pages(by, at);
        self.first(Moment::Acknowledged, when);
    }

    pub(super) fn set_severity(&mut self, event: &Recorded, to: Severity, reason: &str) {
        if to < self.severity && self.esc.next == 0 {
            // It may begin to page only now; the delay counts from here.
            self.esc.anchor = event.at;
            self.esc.again = format!("raised from {} to {to}", self.severity);
        }
        if to < self.severity {
            // What it did not page for was not late.
            self.esc.back_at = event.at;
            self.talk.raised.push((to, event.when()));
        }
        self.severity = to;
        self.is_severity_judged |= event.actor.via != Via::Http;
        let given = if reason.is_empty() { "" } else { ": " };
        self.severity_because = format!("{}{given}{reason}", event.actor.login);
        self.acted(event, format!("set {to}"));
    }

    pub(super) fn set_phase(&mut self, event: &Recorded, to: Phase) {
        let when = event.when();
        if matches!(self.stage, Stage::Triage) {
            self.talk.begin(self.severity, when);
        }
        self.stage = match to {
            Phase::Triage => Stage::Triage,
            Phase::Investigating => Stage::Investigating,
            Phase::Identified => Stage::Identified,
            Phase::Monitoring => Stage::Monitoring,
            Phase::Resolved | Phase::InReview | Phase::Closed => self.finished(event, to),
            Phase::Declined | Phase::Merged => return,
        };
        match to {
            Phase::Identified => self.first(Moment::Identified, when),
            Phase::Monitoring => self.first(Moment::Mitigated, when),
            Phase::Triage
            | Phase::Investigating
            | Phase::Resolved
            | Phase::InReview
            | Phase::Closed
            | Phase::Declined
            | Phase::Merged => {}
        }
        if to != Phase::Triage {
            self.first(Moment::Declared, when);
        }
        self.acted(event, format!("moved it to {to}"));
    }

    /// What is broken is another thing, or of another kind: changes of whom it concerns.
    pub(in crate::domain) fn concern(&mut self, change: &Change) {
        if let Change::ServicesChanged { services } = change {
            let off = self.services.iter().filter(|name| !services.contains(name));
            self.services_off.extend(off.cloned());
            self.services_off.retain(|name| !services.contains(name));
            self.services_before.clear();
            self.services.clone_from(services);
        }
        if let Change::Absorbed { services, .. } = change
            && !services.is_empty()
        {
            self.services.clone_from(services);
        }
        if let Change::LabelSet { label, value } = change {
            match value {
                Some(value) => drop(self.labels.insert(label.clone(), value.clone())),
                None => drop(self.labels.remove(label)),
            }
        }
    }

    pub(super) fn assign(&mut self, role: Role, person: &str) {
        let people = self.roles.entry(role).or_default();
        if matches!(role, Role::Commander | Role::Deputy | Role::Scribe) {
            people.clear();
        }
        if !people.iter().any(|p| p == person) {
            people.push(person.to_owned());
        }
    }

    pub(super) fn leave(&mut self, role: Role, person: &str) {
        if let Some(people) = self.roles.get_mut(&role) {
            people.retain(|p| p != person);
            if people.is_empty() {
                self.roles.remove(&role);
            }
        }
    }

    pub(super) fn command(&mut self, event: &Recorded, person: &str) {
        self.roles.insert(Role::Commander, vec![person.to_owned()]);
        self.offer = None;
        self.first(Moment::IcAssigned, event.when());
        self.acted(event, format!("made {person} commander"));
    }

    pub(super) fn remedy(
        &mut self,
        event: &Recorded,
        number: u32,
        kind: RemedyKind,
        text: &str,
        expires: Option<Timestamp>,
    ) {
        self.remedies.push(Remedy {
            number,
            kind,
            text: text.to_owned(),
            by: event.actor.login.clone(),
            at: event.when(),
            expires,
            outcome: Outcome::Pending,
            is_expired: false,
            entry: event.seq,
        });
    }

    pub fn redact(&mut self, entry: Seq) {
        self.redacted.insert(entry);
        for told in self.told.values_mut().filter(|told| told.entry == entry) {
            REDACTED.clone_into(&mut told.text);
        }
        for asked in self.talk.inquiries.iter_mut().filter(|asked| asked.entry == entry) {
            REDACTED.clone_into(&mut asked.inquiry.question);
            asked.inquiry.person.clear();
        }
        for asked in self.talk.inquiries.iter_mut().filter(|asked| asked.answered == entry) {
            if let Some((_, text)) = &mut asked.answer {
                REDACTED.clone_into(text);
            }
        }
        for holding in self.talk.holding.iter_mut().filter(|holding| holding.entry == entry) {
            REDACTED.clone_into(&mut holding.text);
        }
        for said in self.talk.feedback.values_mut().filter(|said| said.entry == entry) {
            REDACTED.clone_into(&mut said.text);
        }
        for update in self.talk.updates.iter_mut().filter(|update| update.entry == entry) {
            REDACTED.clone_into(&mut update.draft.title);
            for words in &mut update.draft.words {
                REDACTED.clone_into(&mut words.subject);
                REDACTED.clone_into(&mut words.text);
            }
        }
        for remedy in self.remedies.iter_mut().filter(|remedy| remedy.entry == entry) {
            REDACTED.clone_into(&mut remedy.text);
        }
    }

    pub(super) fn contact(&mut self, event: &Recorded, change: &Change) {
        if let Change::ContactLogged {
            stakeholder,
            audience,
            channel,
            text,
            next_by,
            last,
            person,
            aside: false,
            ..
        } = change
        {
            let audience = *audience;
            let told = Told {
                at: event.when(),
                by: event.actor.login.clone(),
                channel: channel.clone(),
                text: text.clone(),
                next_by: *next_by,
                promised_at: None,
                count: 1,
                entry: event.seq,
                update: None,
                last: *last,
            };
            // What is written down later than newer words were sent does not undo them.
            if let Some(newer) = self.told.get_mut(stakeholder).filter(|now| now.at > told.at) {
                newer.count += 1;
                newer.next_by = newer.next_by.into_iter().chain(*next_by).min();
                self.first_told(audience, told.at);
                return;
            }
            let mut told = told;
            let by_hand = self.talk.by_hand.remove(stakeholder).is_some();
            if let Some(before) = self.told.get(stakeholder) {
                // A last word stays the last unless another is promised; and what was promised to all
                // of them in an update is not put off by what one of them was told.
                told.last |= before.last && told.next_by.is_none();
                let is_of_one = !person.is_empty() && !by_hand;
                if is_of_one && before.update.is_some() && !told.last {
                    told.next_by = before.next_by.into_iter().chain(told.next_by).min();
                }
            }
            self.talk.proofs.remove(stakeholder);
            self.tell(stakeholder, told, audience);
        }
    }

    pub(super) fn decline(&mut self, event: &Recorded, reason: ClosureReason) {
        let by = event.actor.login.clone();
        self.stage = Stage::Declined { by, at: event.when(), reason };
        self.acted(event, "declined it".to_owned());
    }

    pub(super) fn tell(&mut self, stakeholder: &str, mut told: Told, audience: Option<Audience>) {
        told.count += self.told.get(stakeholder).map_or(0, |before| before.count);
        if told.count > 0 {
            self.first_told(audience, told.at);
        }
        self.told.insert(stakeholder.to_owned(), told);
    }

    fn first_told(&mut self, audience: Option<Audience>, at: Timestamp) {
        let moment = match audience {
            Some(Audience::Public) => Some(Moment::FirstPublicUpdate),
            Some(Audience::Internal | Audience::Partner) => Some(Moment::FirstInternalUpdate),
            None => None,
        };
        if let Some(moment) = moment {
            self.first(moment, at);
        }
    }

    pub(super) fn judge(&mut self, number: u32, outcome: Outcome, when: Timestamp) {
        let Some(remedy) = self.remedies.iter_mut().find(|r| r.number == number) else {
            return;
        };
        remedy.outcome = outcome;
        if outcome == Outcome::Worked {
            self.first(Moment::Mitigated, when);
        }
    }

    pub(super) fn expire(&mut self, number: u32) {
        for remedy in self.remedies.iter_mut().filter(|r| r.number == number) {
            remedy.is_expired = true;
        }
    }

    pub(super) fn link(&mut self, kind: LinkKind, other: IncidentId) {
        if !self.links.contains(&(kind, other)) {
            self.links.push((kind, other));
        }
    }

    pub(super) fn merge(&mut self, event: &Recorded, into: IncidentId) {
        let before = Box::new(self.stage.clone());
        let by = event.actor.login.clone();
        self.stage = Stage::Merged { into, by, at: event.when(), before };
        self.brought = std::mem::take(&mut self.members).into_keys().collect();
        self.firing = 0;
        self.acted(event, format!("merged it into {into}"));
    }

    pub(super) fn absorb(&mut self, event: &Recorded, change: &Change) {
        let Change::Absorbed { child, alerts, told, promised, services, words, public } = change
        else {
            return;
        };
        self.children.push(*child);
        if !services.is_empty() {
            self.services_before.push((*child, self.services.clone()));
        }
        self.concern(change);
        self.severity_before.push((*child, self.severity));
        self.receive(alerts);
        self.inherit(event, *child, (told, promised), words);
        if let Some(public) = public.filter(|_| self.public == PublicStatus::Unpublished) {
            (self.public, self.public_of) = (public, Some(*child));
        }
    }

    pub(super) fn unmerge(&mut self, at: Timestamp, alerts: &[Moved]) {
        if let Stage::Merged { before, .. } = &self.stage {
            self.stage = (**before).clone();
        }
        self.brought.clear();
        self.receive(alerts);
        if self.ack.is_none() {
            // Whoever was wanted for it was called back when it became part of another.
            self.esc.fired.clear();
            self.esc.restart(at, "the merge was taken back");
        }
    }

    pub(super) fn release(&mut self, child: IncidentId, alerts: &[Moved]) {
        self.children.retain(|c| *c != child);
        self.severity_before.retain(|(known, _)| *known != child);
        // What it had added goes with it, unless more came since.
        if let Some((last, before)) = self.services_before.last().cloned()
            && last == child
        {
            self.services = before;
        }
        self.services_before.retain(|(known, _)| *known != child);
        self.disinherit(child);
        if self.public_of.take_if(|of| *of == child).is_some() {
            self.public = PublicStatus::Unpublished;
        }
        if self.severity_because.contains(&format!("{child} is ")) {
            self.severity_because = format!("{}; {child} left again", self.severity_because);
        }
        self.lose(alerts);
    }

    pub(super) fn lose(&mut self, alerts: &[Moved]) {
        for moved in alerts {
            if let Some(gone) = self.members.remove(&moved.alert) {
                self.count_firing(gone.is_firing, false);
            }
        }
    }

    pub(super) fn receive(&mut self, alerts: &[Moved]) {
        for moved in alerts {
            let (is_firing, repeats) = (moved.firing, moved.repeats);
            let member = Member { is_firing, repeats, seen: Timestamp::default() };
            self.set_member(&moved.alert, member);
        }
    }

    pub(super) fn resolve(
        &mut self,
        event: &Recorded,
        reason: ClosureReason,
        evidence: &str,
        forced: Option<&String>,
    ) {
        let when = event.when();
        self.stage = Stage::Resolved(Resolution {
            by: event.actor.login.clone(),
            at: when,
            reason,
            evidence: evidence.to_owned(),
            forced: forced.cloned(),
        });
        self.offer = None;
        self.severity_then = Some(self.severity);
        // That it is over is still to be said, whatever was called the last word before.
        self.told.values_mut().for_each(|told| told.last = false);
        self.first(Moment::Mitigated, when);
        self.moments.insert(Moment::Resolved, when);
        self.acted(event, "resolved it".to_owned());
    }

    pub(super) fn reopen(&mut self, event: &Recorded) {
        self.stage = Stage::Investigating;
        self.reopened += 1;
        self.moments.remove(&Moment::Resolved);
        self.moments.remove(&Moment::Mitigated);
        self.moments.remove(&Moment::Closed);
        self.ack = None;
        self.esc.fired.clear();
        // What was promised to the outside stays promised; after a last word there is more to say.
        for told in self.told.values_mut() {
            told.last = false;
        }
        self.talk.begin(self.severity, event.when());
        self.esc.is_forced = false;
        self.esc.restart(event.at, "reopened");
        self.acted(event, "reopened it".to_owned());
    }

    fn finished(&self, event: &Recorded, to: Phase) -> Stage {
        let resolution = match &self.stage {
            Stage::Resolved(r) | Stage::InReview(r) | Stage::Closed(r) => r.clone(),
            Stage::Triage
            | Stage::Investigating
            | Stage::Identified
            | Stage::Monitoring
            | Stage::Declined { .. }
            | Stage::Merged { .. } => Resolution {
                by: event.actor.login.clone(),
                at: event.when(),
                reason: ClosureReason::Accepted,
                evidence: String::new(),
                forced: None,
            },
        };
        match to {
            Phase::InReview => Stage::InReview(resolution),
            Phase::Closed => Stage::Closed(resolution),
            Phase::Triage
            | Phase::Investigating
            | Phase::Identified
            | Phase::Monitoring
            | Phase::Resolved
            | Phase::Declined
            | Phase::Merged => Stage::Resolved(resolution),
        }
    }

    pub(super) fn finish(&mut self, event: &Recorded, to: Phase) {
        self.stage = self.finished(event, to);
        if to == Phase::Closed {
            self.moments.insert(Moment::Closed, event.when());
        }
        self.acted(event, format!("moved it to {to}"));
    }

    pub(super) fn revise(&mut self, moment: Moment, at: Option<Timestamp>) {
        if let Some(at) = at {
            self.moments.insert(moment, at);
            self.unknown.remove(&moment);
        } else {
            self.moments.remove(&moment);
            self.unknown.insert(moment);
        }
    }

    pub(super) fn publish(&mut self, status: PublicStatus, when: Timestamp) {
        self.public = status;
        if status != PublicStatus::Unpublished {
            self.first(Moment::FirstPublicUpdate, when);
        }
    }
}

impl Remedy {
    /// A workaround that is still in force: a debt until it is removed.
    pub fn is_debt(&self) -> bool {
        self.kind == RemedyKind::Workaround
            && matches!(self.outcome, Outcome::Pending | Outcome::Worked | Outcome::Partly)
    }
}

impl Stage {
    /// The word for it.
    pub const fn phase(&self) -> Phase {
        match self {
            Self::Triage => Phase::Triage,
            Self::Investigating => Phase::Investigating,
            Self::Identified => Phase::Identified,
            Self::Monitoring => Phase::Monitoring,
            Self::Resolved(_) => Phase::Resolved,
            Self::InReview(_) => Phase::InReview,
            Self::Closed(_) => Phase::Closed,
            Self::Declined { .. } => Phase::Declined,
            Self::Merged { .. } => Phase::Merged,
        }
    }
}
