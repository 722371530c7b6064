//! What is wrong with a template, in words, before anybody needs it.
//!
//! Invariants:
//! - It is filled in with samples of every case that it will meet: the first word while nothing
//!   is known, later ones, and hostile values.

use super::context::{Known, context_names};
use super::engine::{Output, RenderError, names_used, render};
use crate::domain::stakeholder::Audience;
use crate::domain::template::{Key, Stage, Template};
use crate::domain::time::{HOUR_MS, Timestamp};

/// The characters of a subject that mail programs show.
const SUBJECT_MAX: usize = 150;

/// Words for a total failure, by which partial ones must not be called.
const OUTAGE_WORDS: [&str; 3] = ["outage", "ausfall", "ausgefallen"];

/// What is wrong with a template, in words; nothing when it may be used.
pub fn check(key: &Key, template: &Template) -> Vec<String> {
    let mut wrong = check_names(template);
    if wrong.is_empty() {
        let late = key.stage != Stage::Investigating;
        for known in samples(key.stage).into_iter().filter(|known| !late || !known.is_first) {
            wrong.extend(check_sample(key, template, &known));
        }
        wrong.extend(check_unsaid(key, template));
    }
    if template.html.is_some() {
        let words =
            "the html is never sent: take it out (mail has the body as HTML, as it was edited)";
        wrong.push(words.to_owned());
    }
    wrong.sort();
    wrong.dedup();
    let place = format!("{} {} ({})", key.audience.word(), key.stage.word(), key.language.word());
    wrong.into_iter().map(|words| format!("{place}: {words}")).collect()
}

/// The parts of a template that are given.
fn parts(template: &Template) -> impl Iterator<Item = (&'static str, &str)> {
    let html = template.html.as_deref().map(|html| ("html", html));
    [("subject", template.subject.as_str()), ("body", template.body.as_str())]
        .into_iter()
        .chain(html)
}

fn check_names(template: &Template) -> Vec<String> {
    let mut wrong = Vec::new();
    for (part, source) in parts(template) {
        match names_used(source) {
            Err(why) => wrong.push(format!("the {part} is no template: {why}")),
            Ok(names) => {
                let is_known = |name: &String| context_names().iter().any(|m| m.name == name);
                for name in names.iter().filter(|name| !is_known(name)) {
                    wrong.push(format!("the {part} names '{name}', which no template can know"));
                }
            }
        }
    }
    wrong
}

fn check_sample(key: &Key, template: &Template, known: &Known) -> Vec<String> {
    let mut wrong = Vec::new();
    for output in [Output::Text, Output::Html] {
        let message = match render(template, known, output) {
            Ok(message) => message,
            Err(error) => {
                wrong.push(error.to_string());
                continue;
            }
        };
        let length = message.subject.chars().count();
        if length == 0 || length > SUBJECT_MAX {
            wrong.push(format!("the subject must have 1 to {SUBJECT_MAX} characters"));
        }
        if message.body.trim().is_empty() {
            wrong.push("the body says nothing".to_owned());
        }
        let all = format!("{} {}", message.subject, message.body).to_lowercase();
        let is_called = OUTAGE_WORDS.iter().any(|word| all.contains(word));
        if key.audience == Audience::Public && !known.is_total && is_called {
            wrong.push("it speaks of an outage though not everything is down".to_owned());
        }
    }
    wrong
}

/// What each update must say: when the next one comes, or, in the last one, what remains.
fn check_unsaid(key: &Key, template: &Template) -> Vec<String> {
    let said = |change: fn(&mut Known)| {
        let mut known = sample(key.stage);
        let before = render(template, &known, Output::Text);
        change(&mut known);
        before != render(template, &known, Output::Text)
    };
    let mut wrong = Vec::new();
    if key.stage != Stage::Resolved {
        if !said(|known| known.next_update = Some(Timestamp(0))) {
            wrong.push("it does not say when the next update comes (next_update)".to_owned());
        }
        return wrong;
    }
    if !said(|known| known.data_loss = Some("Something else.".into())) {
        wrong.push("it does not say whether data was lost (data_loss)".to_owned());
    }
    if !said(|known| known.lingering = Some("Something else.".into())) {
        wrong.push("it does not say what remains (lingering)".to_owned());
    }
    let mut known = sample(key.stage);
    known.data_loss = None;
    if !matches!(render(template, &known, Output::Text), Err(RenderError::Missing { .. })) {
        wrong.push("it can be sent without saying whether data was lost".to_owned());
    }
    wrong
}

/// The cases that a template will meet.
fn samples(stage: Stage) -> Vec<Known> {
    let all = sample(stage);
    let first = Known {
        is_first: true,
        what: None,
        impact: None,
        action: None,
        services: Vec::new(),
        ..all.clone()
    };
    let total = Known { is_total: true, still_affected: all.services.clone(), ..all.clone() };
    let hostile = "{{ 7*7 }}{% for %} <b>&\"'\r\nBcc: all\u{202e}";
    let odd = Known {
        title: hostile.into(),
        what: Some(hostile.into()),
        services: vec![hostile.into()],
        ..all.clone()
    };
    vec![all, first, total, odd]
}

/// An incident of no importance, with everything known.
pub(super) fn sample(stage: Stage) -> Known {
    let now = Timestamp(1_795_609_800_000);
    let is_last = stage == Stage::Resolved;
    Known {
        incident: "INC-7".into(),
        title: "Card payments fail".into(),
        severity: "SEV2".into(),
        phase: stage.word().into(),
        services: vec!["payments".into(), "checkout".into()],
        still_affected: Vec::new(),
        what: Some("Some card payments are declined.".into()),
        impact: Some("About one customer in ten cannot pay by card in the EU.".into()),
        action: Some("Traffic is being moved to the second provider.".into()),
        started: now.plus(-HOUR_MS),
        now,
        next_update: (!is_last).then(|| now.plus(HOUR_MS / 3)),
        is_first: false,
        is_total: false,
        data_loss: is_last.then(|| "No data was lost.".into()),
        lingering: is_last.then(|| "Nothing remains to be done.".into()),
        author: "Ann Example".into(),
        zone: chrono_tz::Europe::Berlin,
    }
}
