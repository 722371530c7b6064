//! What is due when, and who was left in the dark, computed from the events alone by the rules in
//! words: what became of each message, what was promised, what was missed.

use std::collections::{BTreeMap, BTreeSet};

use warroom::domain::change::Change;
use warroom::domain::event::{Body, Recorded};
use warroom::domain::ids::IncidentId;
use warroom::domain::talk::change::{Posted, TalkChange};
use warroom::domain::time::{MINUTE_MS, SECOND_MS, Timestamp};
use warroom::domain::words::{AttemptResult, Severity};

use super::WHO;

/// What the oracle knows of one incident.
#[derive(Debug, Clone)]
struct Known {
    severity: Severity,
    is_active: bool,
    is_triage: bool,
    /// How bad it was from when on: from then those must know who are told from there.
    raised: Vec<(Severity, Timestamp)>,
    resolved_at: Timestamp,
    /// Who heard last when, what comes next by when, whether that was the last word.
    told: BTreeMap<String, (Timestamp, Option<Timestamp>, bool)>,
    /// What was promised to somebody who was told nothing yet.
    promised: BTreeMap<String, Timestamp>,
    is_long: bool,
    missed: BTreeSet<(String, i64)>,
    /// What became of the messages of the last update to somebody.
    post: BTreeMap<String, Post>,
    /// Who must be told by a person what an update says.
    by_hand: BTreeSet<String>,
    /// Questions of the press without an answer, and when it is due.
    press: BTreeMap<u32, (String, Timestamp)>,
    /// Of which update it was announced that not all got it.
    announced: BTreeSet<(String, u32)>,
}

/// The messages of one update to one stakeholder.
#[derive(Debug, Clone, Default)]
struct Post {
    update: u32,
    at: Timestamp,
    published: bool,
    letters: BTreeMap<u32, Letter>,
}

/// One message: its methods are tried in order, each up to three times.
#[derive(Debug, Clone, Copy, Default)]
struct Letter {
    methods: usize,
    method: usize,
    tries: u8,
    through: bool,
}

impl Letter {
    const fn is_lost(&self) -> bool {
        !self.through && self.method >= self.methods
    }

    fn end(&mut self, result: AttemptResult) {
        // Three tries by each way, and eight by the last one.
        let more = if self.method + 1 < self.methods { 2 } else { 7 };
        match result {
            AttemptResult::Accepted | AttemptResult::HandedOver => self.through = true,
            AttemptResult::Failed if self.tries < more => self.tries += 1,
            AttemptResult::Failed | AttemptResult::Refused => {
                (self.method, self.tries) = (self.method + 1, 0);
            }
            AttemptResult::Unknown | AttemptResult::Cancelled | AttemptResult::Held => {}
        }
    }
}

impl Post {
    fn add(&mut self, letter: &Posted) {
        let methods = letter.wanted.methods.len();
        self.letters.insert(letter.wanted.number, Letter { methods, ..Letter::default() });
    }

    fn is_over(&self) -> bool {
        self.letters.values().all(|letter| letter.through || letter.is_lost())
    }

    fn any_lost(&self) -> bool {
        self.is_over() && self.letters.values().any(Letter::is_lost)
    }

    /// It got through to nobody.
    fn all_lost(&self) -> bool {
        let any = self.published || self.letters.values().any(|letter| letter.through);
        self.any_lost() && !any
    }
}

/// Update → for whom, when the next word comes, whether it is the last one.
type Drafts = BTreeMap<(IncidentId, u32), (Vec<String>, Option<Timestamp>, bool)>;

#[derive(Default)]
pub struct Oracle {
    pub seq: u64,
    cases: BTreeMap<IncidentId, Known>,
    drafts: Drafts,
}

impl Oracle {
    pub fn see(&mut self, event: &Recorded) {
        self.seq = event.seq;
        self.arrived(&event.body);
        let Body::Incident { incident, change } = &event.body else { return };
        let at = event.when();
        if let Change::Opened(opened) = change {
            self.cases.insert(*incident, Known::new(opened.severity, opened.declared, at));
            return;
        }
        if let Change::Talk(talk) = change
            && let TalkChange::Drafted(draft) = &**talk
        {
            let kept = (draft.to.clone(), draft.next_by, draft.last);
            self.drafts.insert((*incident, draft.update), kept);
        }
        let theirs = match change {
            Change::Absorbed { child, .. } => self.cases[child].told.clone(),
            _ => BTreeMap::new(),
        };
        let drafts = &self.drafts;
        let Some(known) = self.cases.get_mut(incident) else { return };
        match change {
            Change::Declared { .. } if known.is_triage => {
                known.is_triage = false;
                known.raised = vec![(known.severity, at)];
            }
            Change::SeverityChanged { to, .. } => {
                if *to < known.severity {
                    known.raised.push((*to, at));
                }
                known.severity = *to;
            }
            Change::ContactLogged { aside: true, .. } => {}
            Change::ContactLogged { stakeholder, next_by, last, .. } => {
                known.promised.remove(stakeholder);
                known.by_hand.remove(stakeholder);
                known.post.remove(stakeholder);
                // The last word stays the last, unless another one is promised.
                let was_last = known.told.get(stakeholder).is_some_and(|told| told.2);
                let last = *last || was_last && next_by.is_none();
                known.told.insert(stakeholder.clone(), (at, *next_by, last));
            }
            Change::Resolved { .. } => {
                (known.is_active, known.resolved_at) = (false, at);
                known.told.values_mut().for_each(|told| told.2 = false);
            }
            Change::Reopened { .. } => {
                (known.is_active, known.is_triage) = (true, false);
                known.raised = vec![(known.severity, at)];
                known.told.values_mut().for_each(|told| told.2 = false);
            }
            Change::Talk(talk) => known.talked(*incident, talk, drafts, at),
            Change::Closed { silent, .. } | Change::Declined { silent, .. } => {
                let dark = known.in_the_dark();
                assert!(
                    dark.is_empty() || silent.is_some(),
                    "{incident} ended in silence: {dark:?}"
                );
                self.cases.remove(incident);
            }
            Change::Absorbed { told, promised, .. } => known.absorb(told, promised, &theirs),
            Change::MergedInto { .. } => drop(self.cases.remove(incident)),
            _ => {}
        }
    }

    /// Messages arrived or failed.
    fn arrived(&mut self, body: &Body) {
        if let Body::SendingEnded { items, result, .. } = body {
            for item in items {
                let Some(known) = self.cases.get_mut(&item.incident) else { continue };
                let all = known.post.values_mut();
                let mut all = all.filter_map(|post| post.letters.get_mut(&item.delivery));
                if let Some(letter) = all.next() {
                    letter.end(*result);
                }
            }
        }
    }

    /// Everybody who should have heard by `now`, or the miss was announced.
    pub fn check(&self, now: Timestamp) {
        for (id, known) in &self.cases {
            let lost = |who: &str| known.post.get(who).is_some_and(Post::all_lost);
            for (label, due) in known.press.values() {
                let is_told = known.missed.contains(&(label.clone(), due.0));
                assert!(
                    due.plus(2 * SECOND_MS) > now || is_told,
                    "{id}: {label} waits since {due}"
                );
            }
            for (who, post) in known.post.iter().filter(|(_, post)| post.any_lost()) {
                let is_told = known.announced.contains(&(who.clone(), post.update));
                assert!(post.all_lost() || is_told, "{id}: not all of {who} got {}", post.update);
            }
            for (who, from, every, _) in WHO {
                let told = known.post.get(who).map(|post| post.at);
                // What got through by no way was missed when it was sent.
                let due = told.filter(|_| lost(who)).or_else(|| known.due(who, from, every));
                let Some(due) = due else { continue };
                let is_told = known.missed.contains(&(who.to_owned(), due.0));
                assert!(
                    due.plus(2 * SECOND_MS) > now || is_told,
                    "{id}: {who} was to hear by {due}, it is {now}, and nobody was told\n{known:#?}"
                );
            }
        }
    }
}

impl Known {
    fn new(severity: Severity, declared: bool, at: Timestamp) -> Self {
        Self {
            severity,
            is_active: true,
            is_triage: !declared,
            raised: vec![(severity, at)],
            resolved_at: at,
            told: BTreeMap::new(),
            promised: BTreeMap::new(),
            is_long: false,
            missed: BTreeSet::new(),
            post: BTreeMap::new(),
            by_hand: BTreeSet::new(),
            press: BTreeMap::new(),
            announced: BTreeSet::new(),
        }
    }

    fn talked(&mut self, incident: IncidentId, talk: &TalkChange, drafts: &Drafts, at: Timestamp) {
        match talk {
            TalkChange::Sent(sent) => {
                let Some((to, next_by, last)) = drafts.get(&(incident, sent.update)) else {
                    return;
                };
                for who in to.iter().filter(|who| !sent.by_hand.contains(who)) {
                    self.promised.remove(who);
                    self.by_hand.remove(who);
                    self.told.insert(who.clone(), (at, *next_by, *last));
                    let (update, published) = (sent.update, sent.published.contains(who));
                    let mut post = Post { update, at, published, ..Post::default() };
                    let letters = sent.letters.iter().filter(|letter| letter.who == *who);
                    letters.for_each(|letter| post.add(letter));
                    self.post.insert(who.clone(), post);
                }
                self.by_hand.extend(sent.by_hand.iter().cloned());
            }
            TalkChange::LettersAdded { update, letters } => {
                for letter in letters {
                    let post = self.post.get_mut(&letter.who).filter(|it| it.update == *update);
                    if let Some(post) = post {
                        post.add(letter);
                    }
                }
            }
            TalkChange::SomeLost { lost, .. } => {
                self.announced.extend(lost.iter().map(|it| (it.who.clone(), it.update)));
            }
            TalkChange::InquiryLogged(it) => {
                let label = format!("press {} ({})", it.number, it.outlet);
                let due = it.answer_by.unwrap_or_else(|| at.plus(60 * MINUTE_MS));
                self.press.insert(it.number, (label, due));
            }
            TalkChange::InquiryHeld { inquiry, answer_by: Some(by), .. } => {
                if let Some((_, due)) = self.press.get_mut(inquiry) {
                    *due = *by;
                }
            }
            TalkChange::InquiryAnswered { inquiry, .. } => drop(self.press.remove(inquiry)),
            TalkChange::Promised { stakeholder, next_by, .. } => {
                if let Some(told) = self.told.get_mut(stakeholder) {
                    (told.1, told.2) = (Some(*next_by), false);
                } else {
                    self.promised.insert(stakeholder.clone(), *next_by);
                }
            }
            TalkChange::Missed { names, .. } => {
                self.missed.extend(names.iter().map(|m| (m.who.clone(), m.due.0)));
            }
            TalkChange::CadenceSet { long, .. } => self.is_long = *long,
            _ => {}
        }
    }

    /// What was told of another incident, or promised, is told of this one from now on.
    fn absorb(
        &mut self,
        told: &BTreeMap<String, Option<Timestamp>>,
        promised: &BTreeMap<String, Option<Timestamp>>,
        theirs: &BTreeMap<String, (Timestamp, Option<Timestamp>, bool)>,
    ) {
        let sooner =
            |a: Option<Timestamp>, b: Option<Timestamp>| [a, b].into_iter().flatten().min();
        for (who, next) in told {
            let kept = self.promised.remove(who);
            // They were told when they were told of the other one, and not when it was merged.
            let known = self.told.entry(who.clone()).or_insert((theirs[who].0, None, false));
            (known.1, known.2) = (sooner(sooner(known.1, *next), kept), false);
        }
        for (who, next) in promised {
            if let Some(known) = self.told.get_mut(who) {
                (known.1, known.2) = (sooner(known.1, *next), false);
            } else if let Some(next) = sooner(self.promised.get(who).copied(), *next) {
                self.promised.insert(who.clone(), next);
            }
        }
    }

    /// Who would hear nothing more, if it ended now.
    fn in_the_dark(&self) -> Vec<String> {
        let open = self.told.iter().filter(|(_, told)| !told.2).map(|(who, _)| who.clone());
        let lost = self.post.iter().filter(|(who, post)| {
            post.any_lost() && self.told.get(*who).is_some_and(|told| told.2)
        });
        let lost = lost.map(|(who, _)| format!("some of {who}"));
        let press = self.press.values().map(|(label, _)| label.clone());
        open.chain(lost).chain(press).chain(self.by_hand.iter().cloned()).collect()
    }

    /// By when somebody must hear, in the words of the plan.
    fn due(&self, who: &str, from: Severity, every: i64) -> Option<Timestamp> {
        let since = self.raised.iter().find(|(severity, _)| *severity <= from);
        let since = since.map_or(self.raised[0].1, |(_, at)| *at);
        // A first word is as soon in a long incident as in any other.
        let first = if self.severity <= Severity::Sev2 { 5 } else { every };
        let every = if self.is_long { every.max(60) } else { every };
        let told = self.told.get(who);
        if let Some((at, next_by, last)) = told {
            if !self.is_active {
                let usual = self.resolved_at.plus(30 * MINUTE_MS);
                let promised = next_by.filter(|by| *by > self.resolved_at);
                return (!last).then(|| promised.unwrap_or(usual));
            }
            if self.is_triage && *last {
                return *next_by;
            }
            return Some(next_by.unwrap_or(at.max(&since).plus(every * MINUTE_MS)));
        }
        if let Some(promised) = self.promised.get(who) {
            let is_over = !self.is_active && *promised <= self.resolved_at;
            let usual = self.resolved_at.plus(30 * MINUTE_MS);
            return Some(if is_over { usual } else { *promised });
        }
        if !self.is_active {
            return None;
        }
        (!self.is_triage && self.severity <= from).then(|| since.plus(first * MINUTE_MS))
    }
}
