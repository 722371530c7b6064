//! Reports for those outside the room: who decides, the public, what the law wants.

use crate::domain::brief::{Case, Line, item, seen, title};
use crate::domain::change::Change;
use crate::domain::legal::{self, LegalChange};
use crate::domain::obligation::{Anchor, State};
use crate::domain::stakeholder::Audience;
use crate::domain::talk::{Standing, page, promise};
use crate::domain::time::span_words;

impl Case<'_> {
    /// For those who decide: what it is, whom it hurts, what is done, what comes.
    pub(super) fn exec(&self) -> Vec<Line> {
        let incident = self.incident;
        let mut lines = vec![self.head()];
        let public = incident.talk.updates.iter().rev().find(|update| {
            matches!(update.standing, Standing::Sent { .. })
                && update.draft.audience == Audience::Public
        });
        // Whom it hurts and how badly, as it was seen and judged.
        lines.extend(self.conditions().into_iter().take(2));
        let mut seen = self.latest(seen);
        lines.extend(seen.split_off(seen.len().saturating_sub(2)));
        lines.extend(self.actions());
        match public {
            Some(update) => {
                let words = update.draft.words.first();
                let subject = words.map_or("", |words| words.subject.as_str());
                let how = page::told_how(incident, update);
                lines.push(item(format!("{how}: {subject}"), vec![update.entry]));
            }
            None => match incident.public_of {
                Some(of) => {
                    let is_down = incident.talk.page_down.is_some();
                    let how = if is_down { "THE STATUS PAGE FAILS; " } else { "" };
                    let entries = self.entry_of(
                        |change| matches!(change, Change::Absorbed { child, .. } if *child == of),
                    );
                    lines.push(item(
                        format!("{how}what the public was told is that of {of}"),
                        entries,
                    ));
                }
                None => lines.push(item("the public was told nothing", Vec::new())),
            },
        }
        let mut next = promise::all(incident, self.plan);
        next.sort_by_key(|promise| (promise.due, promise.who));
        let late = next.iter().filter(|promise| promise.due <= self.now).count();
        for next in next.into_iter().take(late.max(1)) {
            let when = next.due.clock_near(self.now);
            let text = if let Some(how) = next.unreached_words(incident, self.now) {
                format!("NOT REACHED: {} · {how}", next.who)
            } else if next.due <= self.now {
                format!("LATE: a word to {} was due by {when}", next.who)
            } else {
                format!("next: a word to {} by {when}", next.who)
            };
            lines.push(item(text, self.promise_entry(&next)));
        }
        lines.extend(self.law());
        let commander = incident.commander().unwrap_or("nobody");
        lines.push(item(format!("{commander} commands"), self.commander_entry()));
        lines
    }

    /// What the law wants, by when, and what it rests on.
    pub(super) fn law(&self) -> Vec<Line> {
        let open = legal::open(self.incident, self.plan, self.now);
        let line = |it: &legal::Running<'_>| {
            let due = match it.clock.due {
                Some(at) if at <= self.now => {
                    let late = span_words(self.now.since(at));
                    let is_missed = matches!(it.clock.state, State::Missed);
                    let other = it.clock.other_reading.filter(|_| !is_missed);
                    let other = other
                        .map(|at| format!("; by another reading until {}", at.to_the_minute()));
                    let (how, other) =
                        (if is_missed { "MISSED" } else { "PAST" }, other.unwrap_or_default());
                    let when = at.to_the_minute();
                    format!("{how}, was due {when} ({late} ago){other}")
                }
                Some(at) => {
                    let left = span_words(at.since(self.now));
                    format!("by {} (in {left})", at.to_the_minute())
                }
                None => "without undue delay".to_owned(),
            };
            // What the clock counts from, and not what was determined last.
            let entries = self.entry_of(|change| match change {
                Change::Legal(legal) => match (&**legal, &it.clock.anchor) {
                    (LegalChange::Determined { rule, kind, .. }, Anchor::Trigger(from)) => {
                        *rule == it.rule.id && kind == from
                    }
                    (LegalChange::Submitted { rule, stage, .. }, Anchor::First(from)) => {
                        *rule == it.rule.id && stage == from
                    }
                    (LegalChange::Submitted { rule, stage, .. }, Anchor::Latest(from)) => {
                        *rule == it.rule.id && from.contains(stage)
                    }
                    _ => false,
                },
                _ => false,
            });
            item(format!("{}: {}, {due}", it.rule.name, it.clock.title), entries)
        };
        open.iter().map(line).collect()
    }

    /// What the public was told, and nothing else.
    pub(super) fn public(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for update in &self.incident.talk.updates {
            let draft = &update.draft;
            let Standing::Sent { at, .. } = &update.standing else { continue };
            if draft.audience != Audience::Public {
                continue;
            }
            for words in &draft.words {
                let when = format!("{} {} UTC", at.date(), at.clock_minutes());
                let text = format!("{when} {}\n{}", words.subject, words.text.trim_end());
                lines.push(Line { text, entries: vec![update.entry] });
            }
        }
        if lines.is_empty() {
            lines.push(match self.incident.public_of {
                Some(of) => title(&format!("The public was told of {of}: warroom brief {of}.")),
                None => title("The public was told nothing."),
            });
        }
        lines
    }
}
