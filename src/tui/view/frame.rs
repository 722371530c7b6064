//! The first line and the last: what is going on, and what can be done.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;
use unicode_width::UnicodeWidthStr;

use crate::client::mirror::LATE_MAX;
use crate::domain::duty::{Window, WindowStage};
use crate::domain::legal;
use crate::domain::talk::promise;
use crate::domain::text::{fit, visible};
use crate::domain::time::{MINUTE_MS, Timestamp, span_words};
use crate::domain::words::Right;
use crate::proto::PAGES_TOLD;
use crate::tui::action::Action;
use crate::tui::model::{LinkState, Model, Pane, SILENT_MS, Tone};
use crate::tui::view::heard;

/// Lines of what was said, where it is long.
const NOTICE_LINES: usize = 4;

/// Columns of the header that are not the reason, while the keeper is gone.
const LOST_WIDTH: usize = 45;

/// Columns from which on a reason has room beside what calls somebody.
const WIDE: usize = 120;

/// How long before it is due a word about an incident that is not looked at is told, in milliseconds.
const SOON_MS: i64 = 5 * MINUTE_MS;

/// A part of the header and how soon it may be left out: 0 never, 9 first.
type Part = (u8, String);

/// Who, what, when, and how the link is.
pub(super) fn header(model: &Model, screen: &mut Frame<'_>, rect: Rect) {
    let width = usize::from(rect.width);
    let mut left: Vec<Part> = vec![(6, "WARROOM".to_owned())];
    match &model.link {
        LinkState::Connecting => left.push((0, "connecting…".to_owned())),
        LinkState::Lost { since, why } => {
            let ago = span_words(model.now.since(*since));
            let mark = model.theme.mark("✗", "x");
            left = vec![(0, format!("{mark} KEEPER LOST {ago} ago: {}; retrying", visible(why)))];
        }
        LinkState::Up => {
            // What is late stands before everything that may be cut.
            left.extend(late_elsewhere(model).map(|text| (0, text)));
            let here = due_here(model);
            let is_late = here.as_ref().is_some_and(|text| text.contains(" LATE "));
            let waits = model.unanswered_since.map(|since| model.now.since(since));
            if is_late {
                left.extend(here.clone().map(|text| (0, text)));
            }
            if let Some(waits) = waits.filter(|ms| *ms >= SILENT_MS) {
                left.push((0, format!("KEEPER SILENT for {}", span_words(waits))));
            }
            left.extend(counts(model));
            left.extend(ahead(model, here.filter(|_| !is_late)));
        }
    }
    left.extend(heard::silent(model).map(|text| (1, text)));
    if let Err(why) = &model.intake {
        let why = if width < WIDE { String::new() } else { format!(": {}", visible(why)) };
        left.push((1, format!("intake OFF{why}")));
    }
    // Where it does not fit, what matters least goes as a whole, so that nothing is cut off.
    let least = right(model, 0).width() + 2;
    let length = |left: &[Part]| left.iter().map(|(_, text)| text.width() + 2).sum::<usize>();
    // Of when each sender was heard as much as fits beside who one is, at the least in few letters; the
    // program's own name gives way to it.
    let named = left.iter().filter(|(rank, _)| *rank == 6).map(|(_, text)| text.width() + 2);
    let used = length(&left) - named.sum::<usize>() + 2;
    let me = visible(&model.login).width() + " · ".width();
    let each = [least + me, least].into_iter().find_map(|right| {
        let room = width.saturating_sub(used + right);
        heard::each(model, room).filter(|_| model.link == LinkState::Up)
    });
    left.extend(each.map(|text| (5, text)));
    if length(&left) > width.saturating_sub(least + me) {
        left.retain(|(rank, _)| *rank != 6);
    }
    while length(&left) > width.saturating_sub(least)
        && let Some(rank) = left.iter().map(|(rank, _)| *rank).max().filter(|rank| *rank > 1)
    {
        let found = left.iter().rposition(|(known, _)| *known == rank);
        left.remove(found.unwrap_or_default());
    }
    let left: Vec<String> = left.into_iter().map(|(_, text)| text).collect();
    let left = format!(" {}", left.join("  "));
    let right = right(model, width.saturating_sub(left.width() + 1));
    let left = fit(&left, width.saturating_sub(right.width() + 1)).into_owned();
    let gap = width.saturating_sub(left.width() + right.width());
    let text = format!("{left}{}{}", " ".repeat(gap), fit(&right, width));
    let style = if matches!(model.link, LinkState::Lost { .. }) {
        model.theme.header.patch(model.theme.bad)
    } else {
        model.theme.header
    };
    super::lines(screen, rect, vec![Line::styled(text, style)]);
}

/// What is due here first: a word to somebody, or what the law wants.
fn due_here(model: &Model) -> Option<String> {
    let incident = model.watched()?;
    let plan = &model.mirror.plan;
    let word = promise::next(incident, plan).map(|promise| promise.due);
    let clocks = legal::open(incident, plan, model.now);
    let law = clocks.first().and_then(|it| Some((it, it.clock.due?)));
    let Some((it, due)) = law.filter(|(_, due)| word.is_none_or(|word| *due < word)) else {
        return promised(model);
    };
    let (what, mark) = (visible(&it.rule.id), model.theme.mark("⏱", "@"));
    let left_ms = due.since(model.now);
    Some(if left_ms <= 0 {
        format!("{mark} {what} LATE {}", late_words(-left_ms))
    } else {
        format!("{mark} {what} due in {}", left_words(left_ms))
    })
}

/// Whom we owe the next word, and by when; from half of the time on, how much of it is gone.
fn promised(model: &Model) -> Option<String> {
    let incident = model.watched()?;
    let all = promise::all(incident, &model.mirror.plan);
    let promise = all.iter().min_by_key(|promise| (promise.due, promise.who))?;
    let (who, mark) = (visible(promise.who), model.theme.mark("⏱", "@"));
    let left_ms = promise.due.since(model.now);
    let when = left_words(left_ms);
    Some(match promise.mark(model.now) {
        100 => {
            // One that cannot be reached must not hide the others.
            let others = all.iter().filter(|promise| promise.due <= model.now).count() - 1;
            let more = if others > 0 { format!(" (+{others})") } else { String::new() };
            format!("{mark} {who} LATE {}{more}", late_words(-left_ms))
        }
        0 => format!("{mark} {who} due in {when}"),
        gone => format!("{mark} {who} due in {when} ({gone}% gone)"),
    })
}

/// How much time is left: in minutes, for the screen is drawn anew each minute; in seconds at the end.
fn left_words(left_ms: i64) -> String {
    if left_ms < 2 * MINUTE_MS {
        return format!("{}s", left_ms / 1_000);
    }
    span_words((left_ms + MINUTE_MS - 1) / MINUTE_MS * MINUTE_MS)
}

/// What is due here, and within minutes elsewhere: what is due first stays where room is scarce.
fn ahead(model: &Model, here: Option<String>) -> impl Iterator<Item = Part> {
    let soon = soon_elsewhere(model);
    let is_first = |at: Timestamp| at_here(model).is_none_or(|here| here > at);
    let is_sooner = soon.as_ref().is_some_and(|(at, _)| is_first(*at));
    let (own, other) = if is_sooner { (2, 1) } else { (1, 2) };
    let here = here.map(|text| (own, text));
    here.into_iter().chain(soon.map(|(_, text)| (other, text)))
}

/// When the first of what is due here is due.
fn at_here(model: &Model) -> Option<Timestamp> {
    let incident = model.watched()?;
    let plan = &model.mirror.plan;
    let word = promise::next(incident, plan).map(|promise| promise.due);
    let law = legal::open(incident, plan, model.now).first().and_then(|it| it.clock.due);
    word.into_iter().chain(law).min()
}

/// A word that is due within minutes about another incident, and when.
fn soon_elsewhere(model: &Model) -> Option<(Timestamp, String)> {
    let here = model.watched().map(|incident| incident.id);
    let until = model.now.plus(SOON_MS);
    let (at, id) = model.mirror.soon(model.now, until, here)?;
    let left_ms = at.since(model.now).max(1);
    let mark = model.theme.mark("⏱", "@");
    let text = format!("{mark} {id} due in {}m", (left_ms + MINUTE_MS - 1) / MINUTE_MS);
    Some((at, text))
}

/// A word that was given about another incident and is late: nobody sees that pane just now.
fn late_elsewhere(model: &Model) -> Option<String> {
    let here = model.watched().map(|incident| incident.id);
    let (at, id, count) = model.mirror.late(model.now, here)?;
    let late_ms = model.now.since(at);
    let mark = model.theme.mark("⏱", "@");
    let more = match count {
        0 | 1 => String::new(),
        LATE_MAX => format!(" (+{} or more late)", LATE_MAX - 1),
        _ => format!(" (+{} late)", count - 1),
    };
    Some(format!("{mark} {id} LATE {}{more}", late_words(late_ms)))
}

/// Where, who (with the part they play in this incident), and when: as much of it as fits.
fn right(model: &Model, room: usize) -> String {
    let login = visible(&model.login);
    let role = model.watched().and_then(|incident| {
        let mine = |people: &Vec<String>| people.contains(&model.login);
        incident.roles.iter().find(|(_, people)| mine(people)).map(|(role, _)| *role)
    });
    let who = role.map_or_else(|| login.to_string(), |role| format!("{login} · {role}"));
    let (host, time) = (visible(&model.host), model.now.clock_minutes());
    [
        format!("{host} · {who} · {time}Z "),
        format!("{who} · {time}Z "),
        format!("{login} · {time}Z "),
    ]
    .into_iter()
    .find(|text| text.width() <= room)
    .unwrap_or_else(|| format!("{time}Z "))
}

fn counts(model: &Model) -> Vec<Part> {
    let crate::proto::Counts { sev1, sev2, unacked, .. } = model.mirror.counts;
    // What calls this person comes first: what follows may be cut.
    let mut parts = Vec::new();
    if !model.paged.is_empty() {
        let key = model.keymap.key_in(&["global"], Action::GoPaged).unwrap_or_default();
        // Who opens a console is told of so many; there may be more.
        let more = if model.paged.len() == PAGES_TOLD { "+" } else { "" };
        parts.push((0, format!("! PAGED ×{}{more} ({key})", model.paged.len())));
    }
    if !model.marks.is_empty() {
        parts.push((0, format!("{} marked", model.marks.len())));
    }
    let mark = model.theme.mark("●", "*");
    parts.push((3, format!("{mark} {} open", model.mirror.counts.active)));
    if sev1 > 0 {
        parts.push((4, format!("{sev1} SEV1")));
    }
    if sev2 > 0 {
        parts.push((5, format!("{sev2} SEV2")));
    }
    if unacked > 0 {
        parts.push((4, format!("{unacked} unacked")));
    }
    if model.right >= Right::Respond {
        let asking = model.mirror.ordered().filter(|row| row.asks(&model.login));
        let asking: Vec<String> = asking.take(2).map(|row| row.id.to_string()).collect();
        if !asking.is_empty() {
            let mark = model.theme.mark("✎", "?");
            let key = model.keymap.key_in(&["global"], Action::Approve).unwrap_or_default();
            parts.push((1, format!("{mark} APPROVE {} ({key})", asking.join(", "))));
        }
    }
    let looks = model.mirror.desk.windows.values();
    let look = looks.filter(|it| it.is_waiting() && it.by != model.login).map(|it| it.id).min();
    if let Some(id) = look.filter(|_| model.right >= Right::Command) {
        let key = model.keymap.key_in(&["global"], Action::PublishMaintenance).unwrap_or_default();
        parts.push((2, format!("LOOK AT maintenance {id} ({key})")));
    }
    let swaps = model.swaps_asked();
    if swaps > 0 {
        let key = model.keymap.key_in(&["global"], Action::AnswerSwap).unwrap_or_default();
        parts.push((2, format!("SWAP asked of you ({key})")));
    }
    parts.extend(maintenance(model));
    parts
}

/// What pages nobody now, and until when.
fn maintenance(model: &Model) -> Option<Part> {
    let is_open = |window: &&Window| {
        window.stage != WindowStage::Over && window.from <= model.now && window.until > model.now
    };
    let open: Vec<&Window> = model.mirror.desk.windows.values().filter(is_open).collect();
    let last = open.iter().map(|window| window.until).max()?;
    let is_all = open.iter().any(|window| window.services.iter().any(|name| name == "*"));
    let first = open.first().and_then(|window| window.services.first());
    let what = match first.filter(|_| !is_all) {
        Some(service) => format!("maintenance {}", fit(&visible(service), 12)),
        None => "ALL SERVICES SILENT".to_owned(),
    };
    let more = if open.len() > 1 { format!(" (+{})", open.len() - 1) } else { String::new() };
    // What silences all of it is said before how many are open.
    Some((if is_all { 2 } else { 5 }, format!("= {what}{more} until {}", last.clock_minutes())))
}

/// How late something is: in minutes, for the screen is not drawn anew each second because of it.
pub(super) fn late_words(late_ms: i64) -> String {
    if late_ms < MINUTE_MS { "<1m".to_owned() } else { span_words(late_ms) }
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
        return which_key(model, screen, rect);
    }
    // What is on its way is seen beside what was said.
    let flight = model.flight_words().map(|words| format!(" {} ", visible(&words)));
    if let Some(notice) = &model.notice {
        let style = match notice.tone {
            Tone::Good => model.theme.good,
            Tone::Bad => model.theme.bad,
            Tone::Plain => model.theme.accent,
        };
        let mark = if notice.tone == Tone::Bad { "!" } else { " " };
        let flight = flight.unwrap_or_default();
        let room = width.saturating_sub(flight.width());
        let text = format!(" {mark} {} ", visible(&notice.text));
        if text.width() > room && notice.tone != Tone::Good {
            return long_notice(screen, rect, &text, style);
        }
        let text = fit(&text, room).into_owned();
        let room = room.saturating_sub(text.width());
        let mut spans = vec![Span::styled(flight, model.theme.warn), Span::styled(text, style)];
        // What went well leaves room for what can be done next.
        if notice.tone == Tone::Good {
            spans.extend(hint_spans(model, room));
        }
        return super::lines(screen, rect, vec![Line::from(spans)]);
    }
    if let LinkState::Lost { why, .. } = &model.link
        && why.width() + LOST_WIDTH > width
    {
        // The header cuts it, and what to do stands at its end.
        return long_notice(screen, rect, &visible(why), model.theme.bad);
    }
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    if let Some(text) = flight {
        used += text.width();
        spans.push(Span::styled(text, model.theme.warn));
    }
    if let Some(count) = model.count {
        let text = if count == 0 { " count…".to_owned() } else { format!(" {count}×") };
        used += text.width();
        spans.push(Span::styled(text, model.theme.accent));
    }
    spans.extend(hint_spans(model, width.saturating_sub(used)));
    super::lines(screen, rect, vec![Line::from(spans)]);
}

fn hint_spans(model: &Model, room: usize) -> Vec<Span<'static>> {
    suggestions(model, room)
        .into_iter()
        .flat_map(|(key, name)| {
            [Span::styled(format!(" {key} "), model.theme.accent), Span::raw(format!("{name} "))]
        })
        .collect()
}

/// Keys and names of what can be done here, as many as fit.
fn suggestions(model: &Model, room: usize) -> Vec<(String, String)> {
    let scopes = model.scopes();
    let with_key = |action: Action| {
        let key = model.keymap.key_in(&scopes, action)?;
        Some((key, action.name().replace('-', " ")))
    };
    let cost = |(key, name): &(String, String)| key.width() + name.width() + 3;
    // The way to everything else always fits; what is suggested gives way to it.
    let mut tail: Vec<_> =
        [Action::Palette, Action::Help].into_iter().filter_map(with_key).collect();
    if tail.iter().map(cost).sum::<usize>() > room {
        tail.clear();
    }
    let mut left = room.saturating_sub(tail.iter().map(cost).sum());
    let mut shown = Vec::new();
    for hint in suggested(model).into_iter().filter_map(with_key) {
        if cost(&hint) > left {
            break;
        }
        left -= cost(&hint);
        shown.push(hint);
    }
    shown.extend(tail);
    shown
}

/// What follows a begun sequence: all of it, over as many lines as it takes.
/// What does not fit in a line is told whole, over the lines above.
fn long_notice(screen: &mut Frame<'_>, rect: Rect, text: &str, style: Style) {
    let width = usize::from(rect.width);
    let mut told = super::wrap(text.trim(), width.saturating_sub(1));
    told.truncate(NOTICE_LINES);
    let height = u16::try_from(told.len()).unwrap_or(1).min(rect.bottom());
    let area = Rect::new(rect.x, rect.bottom() - height, rect.width, height);
    screen.render_widget(Clear, area);
    let styled = |text: String| Line::styled(format!(" {text}"), style);
    super::lines(screen, area, told.into_iter().map(styled).collect());
}

fn which_key(model: &Model, screen: &mut Frame<'_>, rect: Rect) {
    let width = usize::from(rect.width);
    let begun: String = model.pending.iter().map(ToString::to_string).collect();
    let mut lines = vec![format!(" {begun} …")];
    for (keys, action) in model.keymap.continuations(&model.scopes(), &model.pending) {
        let part = format!("  {keys} {}", action.name().replace('-', " "));
        match lines.last_mut() {
            Some(line) if line.width() + part.width() <= width => line.push_str(&part),
            _ => lines.push(format!("   {part}")),
        }
    }
    let height = u16::try_from(lines.len()).unwrap_or(1).min(rect.bottom());
    let area = Rect::new(rect.x, rect.bottom() - height, rect.width, height);
    screen.render_widget(Clear, area);
    let styled = |text: String| Line::styled(fit(&text, width).into_owned(), model.theme.accent);
    super::lines(screen, area, lines.into_iter().map(styled).collect());
}

fn suggested(model: &Model) -> Vec<Action> {
    use Action as A;
    if model.past.is_some() {
        return vec![A::Back, A::StepBack, A::StepForward];
    }
    let mut list = match model.focus {
        Pane::Queue | Pane::Timeline => {
            vec![
                A::AcceptHandover,
                A::Acknowledge,
                A::AcceptCommand,
                A::TakeCommand,
                A::Declare,
                A::Triage,
                A::Note,
                A::Remedy,
                A::Update,
                A::Resolve,
                A::Review,
                A::Close,
                A::Reopen,
            ]
        }
        Pane::Chain => vec![
            A::Acknowledge,
            A::AcceptHandover,
            A::Wake,
            A::Escalate,
            A::Page,
            A::Snooze,
            A::Handover,
            A::OnCall,
            A::TakeCommand,
        ],
        Pane::Stakeholders => vec![A::Update, A::Approve, A::Contact, A::Promise, A::Note],
    };
    list.retain(|action| model.is_useful(*action));
    list.truncate(6);
    if model.selected_row().is_none() {
        list.push(A::Report);
    } else {
        list.push(A::Filter);
    }
    list
}
