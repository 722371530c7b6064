//! The escalation chain: who was reached and how, who holds the incident now, who comes next.
//!
//! Invariants:
//! - What is behind comes from the journal, attempt by attempt; what is ahead is computed from the
//!   plan at this moment. Nothing here is a guess.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr as _;

use crate::domain::delivery::{Attempt, Delivery, Stand, channel_of};
use crate::domain::escalation::{PolicyRef, Step};
use crate::domain::incident::Incident;
use crate::domain::outlook::{self, Rung};
use crate::domain::plan::Policy;
use crate::domain::reach::Asked;
use crate::domain::text::{fit, visible};
use crate::domain::time::{MINUTE_MS, Timestamp, span_words};
use crate::domain::words::{AttemptResult, DeliveryKind, Role};
use crate::tui::model::{Model, Pane};

/// What stands before a line that goes on.
const FOLDED: &str = "      ";

/// A line before it is cut and made safe.
struct Told {
    text: String,
    style: Style,
}

pub(super) fn draw(model: &Model, screen: &mut Frame<'_>, rect: Rect) {
    let title = match model.shown_incident() {
        Some(incident) => {
            let policy = incident.esc.policy.as_ref().map_or("", |policy| &policy.name);
            format!("{}Escalation {} {policy}", super::alone_as_known(model), incident.id)
        }
        None => "Escalation".to_owned(),
    };
    let height = usize::from(rect.height.saturating_sub(2));
    let all = shown_lines(model, height, usize::from(rect.width.saturating_sub(2)));
    let from = model.chain_top.min(all.len().saturating_sub(height));
    // The next level may stand below the edge: that there is more must not be a surprise.
    let title = format!("{title}{}", super::more(model, from, height, all.len()));
    let inner = super::pane_frame(model, screen, rect, Some(Pane::Chain), &title);
    let shown = all.into_iter().skip(from).take(height);
    let width = usize::from(inner.width);
    let lines = shown
        .map(|told| {
            Line::from(Span::styled(fit(&visible(&told.text), width).into_owned(), told.style))
        })
        .collect();
    super::lines(screen, inner, lines);
}

/// Whether there is room for every attempt.
const fn is_roomy(model: &Model, height: usize) -> bool {
    height > 14 || model.zoom
}

/// How far there is to scroll.
pub fn overflow(model: &Model) -> usize {
    let inner = super::layout::inner(model, Pane::Chain);
    let (height, width) =
        inner.map_or((1, 1), |inner| (usize::from(inner.height), usize::from(inner.width)));
    shown_lines(model, height, width).len().saturating_sub(height)
}

/// The lines as they are shown: alone, the pane tells all of each, over several lines where it must.
fn shown_lines(model: &Model, height: usize, width: usize) -> Vec<Told> {
    let lines = chain_lines(model, is_roomy(model, height));
    if !model.zoom {
        return lines;
    }
    let room = width.saturating_sub(FOLDED.len()).max(20);
    let fold = |told: Told| {
        let text = visible(&told.text).into_owned();
        let parts = if text.width() > width { super::wrap(&text, room) } else { vec![text] };
        parts.into_iter().enumerate().map(move |(index, part)| {
            let text = if index == 0 { part } else { format!("{FOLDED}{part}") };
            Told { text, style: told.style }
        })
    };
    lines.into_iter().flat_map(fold).collect()
}

/// The lines as plain text, for a reader without a screen.
pub fn plain_lines(model: &Model) -> Vec<String> {
    chain_lines(model, true).into_iter().map(|told| told.text).collect()
}

fn policy(model: &Model) -> Option<&Policy> {
    model.mirror.watched.as_ref()?.policy.as_deref()
}

/// A span to come, to the second only when it is short.
fn until_words(ms: i64) -> String {
    if ms <= 0 {
        return "now".to_owned();
    }
    if ms < 120_000 {
        format!("in {}s", (ms + 999) / 1_000)
    } else {
        format!("in {}", span_words(ms))
    }
}

/// What stands between now and the next page, in one line.
fn present(model: &Model, incident: &Incident) -> Told {
    let theme = &model.theme;
    let now = model.shown_now();
    if !incident.phase().is_active() {
        let text = format!("{} {}", theme.mark("·", "-"), incident.phase());
        return Told { text, style: theme.dim };
    }
    if let Some(snooze) = &incident.esc.snooze {
        let left = until_words(snooze.until.since(now));
        let text = format!(
            "z snoozed by {} until {} ({left}): {}",
            snooze.by,
            snooze.until.clock_minutes(),
            snooze.reason
        );
        let people: Vec<&str> = incident.esc.must.iter().map(String::as_str).collect();
        let text = if people.is_empty() {
            text
        } else {
            format!("{text} · waiting for {}", people.join(", "))
        };
        return Told { text, style: theme.warn };
    }
    if let Some(pause) = &incident.esc.pause {
        let known = model.mirror.desk.windows.get(&pause.window);
        let until = known.map(|window| format!(" until {}", window.until.clock_minutes()));
        let holder = incident.ack.as_ref().map(|ack| format!(" · {} has it", ack.by));
        let text = format!(
            "= maintenance window {}: pages nobody{}{}",
            pause.window,
            until.unwrap_or_default(),
            holder.unwrap_or_default()
        );
        return Told { text, style: theme.warn };
    }
    if let Some(ack) = &incident.ack {
        let after = span_words(ack.at.since(incident.opened_at));
        let mut text = format!(
            "{} acknowledged by {} at {} (after {after})",
            theme.mark("✓", "v"),
            ack.by,
            ack.at.clock()
        );
        if !incident.esc.must.is_empty() {
            let people: Vec<&str> = incident.esc.must.iter().map(String::as_str).collect();
            text = format!("{text} · waiting for {}", people.join(", "));
            return Told { text, style: theme.warn };
        }
        if let Some((at, Step::AckExpires)) = next(model, incident) {
            text = format!("{text} · expires {}", until_words(at.since(now)));
        }
        return Told { text, style: theme.good };
    }
    // Seconds would be stale: the picture is drawn anew each minute.
    let open_for = now.since(incident.opened_at);
    let since = if open_for < MINUTE_MS { "under 1m".to_owned() } else { span_words(open_for) };
    let mut text = format!("! nobody has acknowledged, open for {since}");
    if incident.esc.is_unreached {
        text = format!("{text} · NOBODY WAS REACHED");
    }
    let lost: Vec<&str> = incident.esc.lost().into_iter().collect();
    if !lost.is_empty() {
        text = format!("{text} · NOT REACHED: {}", lost.join(", "));
    }
    Told { text, style: theme.bad }
}

fn next(model: &Model, incident: &Incident) -> Option<(Timestamp, Step)> {
    incident.by_the_clock(policy(model)?, model.mirror.plan.fallback_every_min)
}

/// What is next by the clock, if anything.
fn ahead(model: &Model, incident: &Incident) -> Option<Told> {
    let theme = &model.theme;
    let Some(taken) = &incident.esc.policy else {
        let text = "  follows no policy; nobody is paged by the clock".to_owned();
        return incident.phase().is_active().then_some(Told { text, style: theme.dim });
    };
    let policy = policy(model)?;
    if incident.phase().is_active() && !incident.is_paging(policy) && !incident.esc.is_forced {
        let from = policy.from_severity.map(|s| s.to_string()).unwrap_or_default();
        let text = format!("  {} pages nobody by the clock (from {from} on)", incident.severity);
        return Some(Told { text, style: theme.dim });
    }
    let changed = model
        .mirror
        .plan
        .policies
        .get(&*taken.name)
        .is_none_or(|now| PolicyRef::of(&taken.name, now) != *taken);
    let mut words = Vec::new();
    if let Some((at, step)) = next(model, incident) {
        let left = until_words(at.since(model.shown_now()));
        match step {
            Step::Fallback => {
                let again = if incident.esc.fallback.is_some() { " again" } else { "" };
                words.push(format!("no level is left; the fallback is paged{again} {left}"));
            }
            Step::Level { round, .. } if round > incident.esc.round => {
                words.push(format!("all levels again {left}, round {}", round + 1));
            }
            Step::Everybody => words.push(format!("nobody was reached; everybody is paged {left}")),
            Step::Level { .. }
            | Step::Count(_)
            | Step::Trigger(_)
            | Step::Lost
            | Step::AckExpires
            | Step::SnoozeEnds => {}
        }
    }
    if changed {
        words.push("the policy changed since; it follows the old one".to_owned());
    }
    (!words.is_empty())
        .then(|| Told { text: format!("  {}", words.join(" · ")), style: theme.warn })
}

fn chain_lines(model: &Model, full: bool) -> Vec<Told> {
    let Some(incident) = model.shown_incident() else {
        return Vec::new();
    };
    let theme = &model.theme;
    let mut lines = vec![present(model, incident)];
    if let Some(handover) = &incident.esc.handover {
        let how = if handover.to == model.login { ": e a takes it, e r refuses" } else { "" };
        let text = format!("? {} offers it to {}{how}", handover.from, handover.to);
        lines.push(Told { text, style: theme.warn });
        if full {
            let brief = handover.brief.lines();
            lines.extend(brief.map(|l| Told { text: format!("    {l}"), style: Style::default() }));
        }
    }
    if let Some(offer) = &incident.offer {
        let how = if offer.to == model.login { ": c a accepts" } else { "" };
        let text = format!("? command offered by {} to {}{how}", offer.from, offer.to);
        lines.push(Told { text, style: theme.warn });
    }
    lines.push(Told { text: roles(incident), style: Style::default() });
    lines.extend(ahead(model, incident));
    let Some(policy) = policy(model) else {
        for delivery in &incident.esc.deliveries {
            let named = delivery_lines(model, delivery, full).into_iter().map(|mut line| {
                line.text = line.text.replacen("{level}", "level       ", 1);
                line
            });
            lines.extend(named);
        }
        return lines;
    };
    let desk = &model.mirror.desk;
    let (plan, severity, now) = (&model.mirror.plan, incident.severity, model.shown_now());
    let asked = Asked { plan, desk, severity, now };
    for rung in outlook::of_incident(asked, policy, incident) {
        lines.extend(rung_lines(model, incident, &rung, full));
    }
    for delivery in incident.esc.deliveries.iter().filter(|d| d.origin.level.is_none()) {
        lines.extend(delivery_lines(model, delivery, full));
    }
    lines
}

fn roles(incident: &Incident) -> String {
    let mut roles = format!("  commander {}", incident.commander().unwrap_or("nobody"));
    for (role, people) in incident.roles.iter().filter(|(role, _)| **role != Role::Commander) {
        roles.push_str(" · ");
        roles.push_str(role.word());
        roles.push(' ');
        roles.push_str(&people.join(", "));
    }
    roles
}

fn rung_lines(model: &Model, incident: &Incident, rung: &Rung, full: bool) -> Vec<Told> {
    let mine = || incident.esc.deliveries.iter().filter(|d| d.origin.level == Some(rung.level));
    if mine().next().is_some() {
        let mut lines = Vec::new();
        // The latest round is what counts; all of it is in the timeline.
        let latest = mine().map(|delivery| delivery.at).max();
        let kept = mine().filter(|delivery| full || Some(delivery.at) == latest);
        for delivery in kept {
            lines.extend(delivery_lines(model, delivery, full));
        }
        if let Some(first) = lines.first_mut() {
            first.text = first.text.replacen("{level}", &format!("{:<12}", fit(&rung.name, 12)), 1);
        }
        for line in lines.iter_mut().skip(1) {
            line.text = line.text.replacen("{level}", &" ".repeat(12), 1);
        }
        if rung.due.is_some() {
            lines.push(ahead_line(model, rung));
        }
        return lines;
    }
    vec![ahead_line(model, rung)]
}

/// A level that is still to come.
fn ahead_line(model: &Model, rung: &Rung) -> Told {
    let theme = &model.theme;
    let name = format!("{:<12}", fit(&rung.name, 12));
    let when = match rung.due {
        Some(due) => until_words(due.since(model.shown_now())),
        None if rung.is_behind => "passed".to_owned(),
        None => "waits".to_owned(),
    };
    let mut extra = Vec::new();
    if rung.is_informed {
        extra.push("informed".to_owned());
    }
    if rung.wants_all {
        extra.push("all must answer".to_owned());
    }
    if rung.in_turn {
        extra.push("in turn".to_owned());
    }
    if !rung.condition.is_empty() {
        extra.push(format!("if {}", rung.condition));
    }
    // Who is left out, and why: one answer of "all" is not that of all then.
    let left_out = rung.gaps.iter().filter(|gap| !gap.ends_with(": nobody"));
    let left_out: Vec<&str> = left_out.map(String::as_str).collect();
    if !rung.people.is_empty() {
        extra.extend(left_out.iter().map(|gap| format!("{} {gap}", theme.mark("⚠", "!!"))));
    }
    let extra =
        if extra.is_empty() { String::new() } else { format!(" · {}", extra.join(" · ")) };
    let mark = theme.mark("○", "o");
    if rung.due.is_none() && rung.is_behind {
        // Who is on call now says nothing of who was when it was reached.
        let nobody = rung.is_nobody.then_some(("reached NOBODY", theme.bad));
        let (said, style) = nobody.unwrap_or(("nobody was wanted by it", Style::default()));
        return Told { text: format!("{mark} {name} {when:<9} {said}{extra}"), style };
    }
    if let Some(why) = &rung.skipped {
        let text = format!("{mark} {name} {when:<9} passed over: {why}{extra}");
        return Told { text, style: theme.dim };
    }
    if rung.people.is_empty() {
        let why =
            if left_out.is_empty() { "nobody on call".to_owned() } else { left_out.join("; ") };
        let text = format!("{mark} {name} {when:<9} {why} {}{extra}", theme.mark("⚠", "!!"));
        return Told { text, style: theme.bad };
    }
    let people: Vec<String> = rung
        .people
        .iter()
        .map(|one| {
            let ways: Vec<&str> = one.methods.iter().map(|m| channel_of(m)).collect();
            format!("{} {}", one.to, ways.join(theme.mark("→", ">")))
        })
        .collect();
    let text = format!("{mark} {name} {when:<9} {}{extra}", people.join(", "));
    Told { text, style: Style::default() }
}

/// What a page waits for whose time has come: others go in one message with it, or the plan's limit.
fn held_words(model: &Model, delivery: &Delivery) -> String {
    let plan = &model.mirror.plan;
    let limits = plan.throttles.get(channel_of(delivery.next_method()));
    let limits: Vec<String> =
        limits.into_iter().flatten().map(|limit| String::from(*limit)).collect();
    if limits.is_empty() {
        format!("held for one message with others, at most {}s", plan.bundle_s)
    } else {
        format!("held: one message in {}s, at most {}", plan.bundle_s, limits.join(", "))
    }
}

fn delivery_lines(model: &Model, delivery: &Delivery, full: bool) -> Vec<Told> {
    let theme = &model.theme;
    let (mark, style, word) = match delivery.stand {
        Stand::Queued { due } if due > model.shown_now() => {
            let left = until_words(due.since(model.shown_now()));
            (theme.mark("◐", "~"), theme.warn, format!("next try {left}"))
        }
        Stand::Queued { .. } => (theme.mark("◐", "~"), theme.warn, held_words(model, delivery)),
        Stand::Sending { .. } => (theme.mark("◐", "~"), theme.warn, "sending…".to_owned()),
        Stand::Waiting { .. } if delivery.wanted.kind == DeliveryKind::Inform => {
            (theme.mark("✓", "v"), theme.good, "informed".to_owned())
        }
        Stand::Waiting { .. } if delivery.is_accepted => {
            (theme.mark("◐", "~"), theme.warn, "no answer yet".to_owned())
        }
        Stand::Waiting { .. } => {
            (theme.mark("◐", "~"), theme.warn, "no proof, no answer".to_owned())
        }
        Stand::Confirmed { at } => {
            let after = span_words(at.since(delivery.at));
            (theme.mark("✓", "v"), theme.good, format!("answered after {after}"))
        }
        Stand::Failed { .. } => (theme.mark("✗", "x"), theme.bad, "NOT REACHED".to_owned()),
        Stand::Cancelled { .. } => (theme.mark("·", "-"), theme.dim, "called back".to_owned()),
    };
    let head = if delivery.origin.level.is_some() {
        "{level}".to_owned()
    } else {
        let kind = match delivery.wanted.kind {
            DeliveryKind::Page if delivery.origin.by_hand => "by hand",
            DeliveryKind::Page if delivery.wanted.why.starts_with("you are on duty") => "on duty",
            DeliveryKind::Page => "fallback",
            DeliveryKind::Inform => "informed",
            DeliveryKind::Handover => "hand-over",
            DeliveryKind::Update => "update",
        };
        format!("{kind:<12}")
    };
    let ways = ways(model, delivery);
    let late = if delivery.origin.late_ms > 0 {
        format!(" · {} LATE", span_words(delivery.origin.late_ms))
    } else {
        String::new()
    };
    let text = format!(
        "{mark} {head} {} {} {} · {word}{late}",
        delivery.at.clock_minutes(),
        delivery.wanted.to,
        ways
    );
    let mut lines = vec![Told { text, style }];
    if full {
        lines.push(Told { text: format!("    why: {}", delivery.wanted.why), style: theme.dim });
        for attempt in &delivery.attempts {
            let text = format!(
                "    {} {} {}: {}",
                attempt.at.clock(),
                method_name(delivery, attempt),
                attempt.result.map_or("on its way", AttemptResult::word),
                attempt.detail
            );
            lines.push(Told { text, style: Style::default() });
        }
    }
    lines
}

fn method_name<'a>(delivery: &'a Delivery, attempt: &Attempt) -> &'a str {
    delivery.wanted.methods.get(usize::from(attempt.method)).map_or("", |m| m.name.as_str())
}

/// One attempt in a word: by what, and whether it was taken.
/// How it was tried; tries that went alike are counted, so that what came of it stays in sight.
fn ways(model: &Model, delivery: &Delivery) -> String {
    let mut ways: Vec<(String, u32)> = Vec::new();
    for way in delivery.attempts.iter().map(|attempt| way(model, delivery, attempt)) {
        match ways.last_mut() {
            Some((last, count)) if *last == way => *count += 1,
            _ => ways.push((way, 1)),
        }
    }
    let word =
        |(way, count): (String, u32)| if count > 1 { format!("{way}×{count}") } else { way };
    ways.into_iter().map(word).collect::<Vec<_>>().join(" ")
}

fn way(model: &Model, delivery: &Delivery, attempt: &Attempt) -> String {
    let theme = &model.theme;
    let mark = match attempt.result {
        None => theme.mark("…", "."),
        Some(AttemptResult::Accepted) => theme.mark("✓", "v"),
        Some(AttemptResult::HandedOver) => theme.mark("→", ">"),
        Some(AttemptResult::Failed | AttemptResult::Refused) => theme.mark("✗", "x"),
        Some(AttemptResult::Unknown) => "?",
        Some(AttemptResult::Cancelled | AttemptResult::Held) => theme.mark("·", "-"),
    };
    format!("{}{mark}", channel_of(method_name(delivery, attempt)))
}

/// The chain in one line, for small screens.
pub(super) fn strip(model: &Model, screen: &mut Frame<'_>, rect: Rect) {
    let Some(incident) = model.shown_incident() else {
        return;
    };
    let width = usize::from(rect.width);
    let held = present(model, incident);
    let mut parts = vec![format!("3 {}", held.text)];
    if let Some(policy) = policy(model) {
        let desk = &model.mirror.desk;
        let (plan, severity, now) = (&model.mirror.plan, incident.severity, model.shown_now());
        let asked = Asked { plan, desk, severity, now };
        let rungs = outlook::of_incident(asked, policy, incident);
        if let Some(rung) = rungs.iter().find(|rung| rung.due.is_some() && rung.skipped.is_none()) {
            let who = rung.people.first().map_or("NOBODY", |one| one.to.as_str());
            let when = rung.due.map(|due| until_words(due.since(now))).unwrap_or_default();
            parts.push(format!("{} {who} {when}", rung.name));
        }
    }
    let text = visible(&parts.join(" · ")).into_owned();
    super::lines(screen, rect, vec![Line::styled(fit(&text, width).into_owned(), held.style)]);
}
