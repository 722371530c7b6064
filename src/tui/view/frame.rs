//! The first line and the last: what is going on, and what can be done.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::domain::text::{fit, visible};
use crate::domain::time::span_words;
use crate::tui::action::Action;
use crate::tui::model::{LinkState, Model, Pane, Tone};

/// Who, what, when, and how the link is.
pub(super) fn header(model: &Model, screen: &mut Frame<'_>, rect: Rect) {
    let width = usize::from(rect.width);
    let mut left: Vec<String> = vec!["WARROOM".to_owned()];
    match &model.link {
        LinkState::Connecting => left.push("connecting…".to_owned()),
        LinkState::Lost { since, why } => {
            let ago = span_words(model.now.since(*since));
            let mark = model.theme.mark("✗", "x");
            left.push(format!("{mark} KEEPER LOST {ago} ago, retrying: {}", visible(why)));
        }
        LinkState::Up => left.extend(counts(model)),
    }
    if let Some((at, who)) = model.watched().and_then(|i| i.next_promise()) {
        let left_ms = at.since(model.now);
        left.push(if left_ms < 0 {
            format!("{} {} LATE {}", model.theme.mark("⏱", "@"), visible(who), span_words(-left_ms))
        } else if left_ms < 120_000 {
            format!("{} {} due {}s", model.theme.mark("⏱", "@"), visible(who), left_ms / 1000)
        } else {
            format!("{} {} due {}", model.theme.mark("⏱", "@"), visible(who), at.clock_minutes())
        });
    }
    if let Err(why) = &model.intake {
        left.push(format!("intake OFF: {}", visible(why)));
    }
    let right = format!("{} · {} · {}Z ", model.host, model.login, model.now.clock_minutes());
    let room = width.saturating_sub(right.width() + 1);
    let left = format!(" {}", left.join("  "));
    let left = fit(&left, room).into_owned();
    let gap = width.saturating_sub(left.width() + right.width());
    let text = format!("{left}{}{}", " ".repeat(gap), fit(&right, width));
    let style = if matches!(model.link, LinkState::Lost { .. }) {
        model.theme.header.patch(model.theme.bad)
    } else {
        model.theme.header
    };
    super::lines(screen, rect, vec![Line::styled(text, style)]);
}

fn counts(model: &Model) -> Vec<String> {
    let crate::proto::Counts { sev1, sev2, unacked, .. } = model.mirror.counts;
    let mut parts =
        vec![format!("{} {} open", model.theme.mark("●", "*"), model.mirror.counts.live)];
    if sev1 > 0 {
        parts.push(format!("{sev1} SEV1"));
    }
    if sev2 > 0 {
        parts.push(format!("{sev2} SEV2"));
    }
    if unacked > 0 {
        parts.push(format!("{unacked} unacked"));
    }
    if !model.marks.is_empty() {
        parts.push(format!("{} marked", model.marks.len()));
    }
    parts
}

/// What was just said, else what can be done here.
pub(super) fn hints(model: &Model, screen: &mut Frame<'_>, rect: Rect) {
    let width = usize::from(rect.width);
    if model.is_filtering {
        let text = format!(
            " / {}▏ {} match   enter keep · esc clear",
            visible(&model.filter),
            model.shown.len()
        );
        return super::lines(
            screen,
            rect,
            vec![Line::styled(fit(&text, width).into_owned(), model.theme.accent)],
        );
    }
    if !model.pending.is_empty() {
        return super::lines(screen, rect, vec![which_key(model, width)]);
    }
    if let Some(notice) = &model.notice {
        let style = match notice.tone {
            Tone::Good => model.theme.good,
            Tone::Bad => model.theme.bad,
            Tone::Plain => model.theme.accent,
        };
        let mark = if notice.tone == Tone::Bad { "!" } else { " " };
        let text = format!(" {mark} {}", visible(&notice.text));
        return super::lines(
            screen,
            rect,
            vec![Line::styled(fit(&text, width).into_owned(), style)],
        );
    }
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    if let Some(flight) = model.flight_words() {
        let text = format!(" {} ", visible(&flight));
        used += text.width();
        spans.push(Span::styled(text, model.theme.warn));
    }
    if let Some(count) = model.count {
        let text = format!(" {count}×");
        used += text.width();
        spans.push(Span::styled(text, model.theme.accent));
    }
    let scopes = model.scopes();
    for action in suggested(model).into_iter().filter(|action| model.is_useful(*action)) {
        let Some(key) = model.keymap.key_in(&scopes, action) else {
            continue;
        };
        let name = action.name().replace('-', " ");
        let cost = key.width() + name.width() + 3;
        if used + cost > width {
            break;
        }
        used += cost;
        spans.push(Span::styled(format!(" {key} "), model.theme.accent));
        spans.push(Span::styled(format!("{name} "), Style::default()));
    }
    super::lines(screen, rect, vec![Line::from(spans)]);
}

/// What follows a begun sequence.
fn which_key(model: &Model, width: usize) -> Line<'static> {
    let begun: String = model.pending.iter().map(ToString::to_string).collect();
    let mut text = format!(" {begun} …");
    for (keys, action) in model.keymap.continuations(&model.scopes(), &model.pending) {
        text.push_str("  ");
        text.push_str(&keys);
        text.push(' ');
        text.push_str(&action.name().replace('-', " "));
    }
    Line::styled(fit(&text, width).into_owned(), model.theme.accent)
}

fn suggested(model: &Model) -> Vec<Action> {
    use Action as A;
    let mut list = match model.focus {
        Pane::Queue | Pane::Timeline => {
            vec![
                A::Acknowledge,
                A::AcceptCommand,
                A::TakeCommand,
                A::Declare,
                A::Triage,
                A::Note,
                A::Remedy,
                A::Contact,
                A::Resolve,
                A::Reopen,
            ]
        }
        Pane::Chain => vec![A::Acknowledge, A::TakeCommand, A::OfferCommand, A::Role, A::Owner],
        Pane::Stakeholders => vec![A::Contact, A::Note],
    };
    // At 80 columns the way to everything else must fit.
    list.truncate(6);
    list.extend([A::Filter, A::Palette, A::Help]);
    list
}
