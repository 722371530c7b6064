//! What facts about paging read like in a timeline.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "`timeline` is the exhaustive list; what is about paging comes here"
)]

use crate::domain::change::{Change, LevelReached};
use crate::domain::delivery::{Wanted, channel_of};
use crate::domain::elsewhere::Closing;
use crate::domain::event::Body;
use crate::domain::time::span_words;
use crate::domain::words::{AttemptResult, DeliveryKind};

/// The line of a fact about paging.
pub(super) fn change_words(change: &Change) -> String {
    match change {
        Change::PolicyTaken { policy, reason } => {
            because(format!("follows the escalation policy '{}'", policy.name), reason)
        }
        Change::LevelReached(reached) => level_words(reached),
        Change::LevelSkipped { name, why, .. } => format!("level '{name}' skipped: {why}"),
        Change::FallbackPaged { why, pages, everybody } => {
            let who = if *everybody { "EVERYBODY" } else { "FALLBACK" };
            format!("{who}: {why}; {}", wanted_words(pages))
        }
        Change::PagedByHand { reason, pages, .. } => format!("{}: {reason}", wanted_words(pages)),
        Change::CalledBack { reason, pages, .. } => {
            let tell = |is_told: bool| {
                let of = pages.iter().filter(|page| page.methods.is_empty() != is_told);
                of.map(|page| page.to.as_str()).collect::<Vec<_>>().join(", ")
            };
            let (told, untold) = (tell(true), tell(false));
            let told = match (told.is_empty(), untold.is_empty()) {
                (true, true) => "nobody is to be told".to_owned(),
                (false, true) => format!("telling {told}"),
                (true, false) => format!("NOTHING TELLS {untold}"),
                (false, false) => format!("telling {told}; NOTHING TELLS {untold}"),
            };
            format!("CALLED BACK what was wanted by hand ({told}): {reason}")
        }
        Change::AckExpired { .. } => expired_words(change),
        Change::Snoozed { until, reason } => {
            format!("snoozed until {} {}: {reason}", until.date(), until.clock_minutes())
        }
        Change::SnoozeEnded { by_hand: true } => "took the snooze back".to_owned(),
        Change::SnoozeEnded { by_hand: false } => "the snooze is over".to_owned(),
        Change::HandoverOffered { from, to, brief, pages } => {
            let told = if pages.is_empty() { "; NOTHING REACHES THEM NOW" } else { "" };
            format!("{from} offers it to {to}{told}; {from} answers for it until then\n{brief}")
        }
        Change::HandoverAccepted { from, to } => format!("{to} took it over from {from}"),
        Change::HandoverRefused { by, reason } => {
            because(format!("{by} ended the offer; it stays where it is"), reason)
        }
        Change::EscalationResumed { window, by_hand: true } => {
            format!("pages again, though maintenance window {window} goes on")
        }
        Change::EscalationResumed { window, by_hand: false } => {
            format!("maintenance window {window} no longer covers it")
        }
        Change::EscalationPaused { why, .. } => format!("pages nobody: {why}"),
        Change::BegunAnew { why } => format!("paging begins anew: {why}"),
        Change::AnswersDropped { people } => {
            format!("{} left the plan: their answer is not waited for", people.join(", "))
        }
        Change::ToldElsewhere(told) => {
            let channel = channel_of(&told.method);
            let what = match told.closing {
                Closing::Acknowledge => "that somebody has it",
                Closing::Resolve => "that it is over",
            };
            if told.done {
                format!("{channel} was told {what}: {}", told.detail)
            } else {
                format!("{channel} COULD NOT BE TOLD {what}; close it there: {}", told.detail)
            }
        }
        _ => String::new(),
    }
}

fn because(head: String, reason: &str) -> String {
    if reason.is_empty() { head } else { format!("{head}: {reason}") }
}

fn level_words(reached: &LevelReached) -> String {
    let mut words = if reached.pages.is_empty() {
        format!("level '{}' reached NOBODY ({})", reached.name, reached.why)
    } else {
        format!("{} ({})", wanted_words(&reached.pages), reached.why)
    };
    for gap in &reached.gaps {
        words = format!("{words}; {gap}");
    }
    if !reached.fallback.is_empty() {
        words = format!("{words}; FALLBACK: {}", wanted_words(&reached.fallback));
    }
    if reached.late_ms > 0 {
        words = format!("{words}; {} late", span_words(reached.late_ms));
    }
    words
}

fn wanted_words(pages: &[Wanted]) -> String {
    if pages.is_empty() {
        return "nobody can be paged".to_owned();
    }
    let is_told = pages.iter().all(|page| page.kind == DeliveryKind::Inform);
    let verb = if is_told { "telling" } else { "paging" };
    let people: Vec<String> = pages
        .iter()
        .map(|page| {
            let methods: Vec<&str> =
                page.methods.iter().map(|method| channel_of(&method.name)).collect();
            format!("{} by {}", page.to, methods.join(", "))
        })
        .collect();
    format!("{verb} {}", people.join("; "))
}

/// An answer that no longer counts.
fn expired_words(change: &Change) -> String {
    let Change::AckExpired { by, after_min, gone, late_ms } = change else { return String::new() };
    if *gone {
        return format!("{by}, who answered for it, is in the plan NO MORE; paging again");
    }
    let late = match late_ms {
        0 => String::new(),
        ms => format!("; {} late", span_words(*ms)),
    };
    format!(
        "the acknowledgement of {by} expired: nothing was done for {after_min}m; paging again{late}"
    )
}

/// The line of a fact about several incidents.
pub(super) fn body_words(body: &Body) -> String {
    match body {
        Body::SendingBegan { to, method, items } => {
            format!("sending to {to} by {}{}", way(to, method), bundle(items.len()))
        }
        Body::SendingEnded { to, method, items, result, detail, .. } => {
            let word = match result {
                AttemptResult::Accepted => "took it",
                AttemptResult::HandedOver => "was handed it",
                AttemptResult::Failed => "FAILED, may be tried again",
                AttemptResult::Refused => "FAILED",
                AttemptResult::Unknown => "unknown whether it arrived",
                AttemptResult::Cancelled => "called back",
                AttemptResult::Held => "is held back",
            };
            let head = format!("{to} by {}{} {word}", way(to, method), bundle(items.len()));
            because(head, detail)
        }
        Body::WindowBegan { window, .. } => {
            format!("maintenance window {window} began; pages nobody until it ends")
        }
        Body::WindowEnded { window, early, .. } => {
            let how = if *early { " early" } else { "" };
            format!("maintenance window {window} ended{how}")
        }
        _ => String::new(),
    }
}

/// How somebody is told: the channel; of the readers of an update, who are many, which one.
fn way<'a>(to: &str, method: &'a str) -> &'a str {
    if to.starts_with("stakeholder:") { method } else { channel_of(method) }
}

fn bundle(items: usize) -> String {
    match items {
        0 | 1 => String::new(),
        2 => " (with 1 other)".to_owned(),
        n => format!(" (with {} others)", n - 1),
    }
}
