//! What lies over the panes: forms, questions, lists, help.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use crate::domain::text::{fit, visible};
use crate::tui::action::Action;
use crate::tui::form::{Field, Form, Input};
use crate::tui::model::{Find, Modal, Model};
use crate::tui::update::drafts::OLDER;
use crate::tui::update::modals::palette;

pub(super) fn draw(model: &Model, shown: &Modal, screen: &mut Frame<'_>, area: Rect) {
    match shown {
        Modal::Help { scroll } => {
            let lines = help_lines(model).into_iter().skip(*scroll).map(Line::raw).collect();
            boxed(model, screen, area, "Keys that work here · q closes", 84, area.height, lines);
        }
        Modal::Palette { input, at } => draw_palette(model, screen, area, input, *at),
        Modal::Form(form) => draw_form(model, screen, area, form),
        Modal::Confirm { question, scroll, .. } => {
            draw_question(model, screen, area, question, *scroll);
        }
        Modal::Alerts(list) => super::alerts::draw(model, screen, area, list),
        Modal::Find(find) => draw_find(model, screen, area, find),
        Modal::Details { scroll } => {
            let all = super::details::wrapped(model, super::details::columns(area.width));
            let height = usize::from(area.height.saturating_sub(2));
            let title =
                format!("Details · q closes{}", super::more(model, *scroll, height, all.len()));
            let width = super::details::WIDTH;
            let inner = boxed(model, screen, area, &title, width, area.height, Vec::new());
            let shown = all.into_iter().skip(*scroll).take(height).map(Line::raw);
            super::lines(screen, inner, shown.collect());
        }
        Modal::Page { what, scroll } => super::page::draw(model, screen, area, *what, *scroll),
        Modal::OnCall { scroll } => super::calendar::draw(model, screen, area, *scroll),
        Modal::Drafts { drafts, at, .. } => {
            let lines = drafts
                .iter()
                .enumerate()
                .skip((at + 1).saturating_sub(usize::from(area.height.clamp(3, 12)) - 2))
                .map(|(index, (key, text))| {
                    picked(model, &draft_words(key, text), index == *at, 76)
                })
                .collect();
            boxed(
                model,
                screen,
                area,
                "Drafts · enter takes one up · x throws it away · u back",
                78,
                12,
                lines,
            );
        }
    }
}

/// A short question is narrow; what is to be read before it is answered gets room.
fn question_width(question: &str, columns: u16) -> u16 {
    columns.min(if question.lines().count() > 4 { 100 } else { 60 })
}

fn question_lines(question: &str, columns: u16) -> Vec<String> {
    let width = usize::from(question_width(question, columns).saturating_sub(2));
    let wrapped = |line: &str| {
        let line = visible(line).into_owned();
        if line.is_empty() { vec![line] } else { super::wrap(&line, width) }
    };
    question.lines().flat_map(wrapped).collect()
}

/// Lines of a question that are seen at once: below them stand what is left, and the keys.
fn question_room(count: usize, rows: u16) -> usize {
    let room = usize::from(rows.saturating_sub(3));
    if count > room { room.saturating_sub(1).max(1) } else { room }
}

/// By how many lines a question is longer than what is seen at once.
pub fn question_overflow(question: &str, (columns, rows): (u16, u16)) -> usize {
    let count = question_lines(question, columns).len();
    count.saturating_sub(question_room(count, rows))
}

/// The keys are seen whatever the length of what is asked, and nothing of that is hidden.
fn draw_question(model: &Model, screen: &mut Frame<'_>, area: Rect, question: &str, scroll: usize) {
    let all = question_lines(question, area.width);
    let room = question_room(all.len(), area.height);
    let left = all.len().saturating_sub(scroll + room);
    let is_long = all.len() > room;
    let shown = all.into_iter().skip(scroll).take(room);
    let mut lines: Vec<Line<'static>> =
        shown.map(|text| Line::styled(text, model.theme.title)).collect();
    if is_long {
        let text = match left {
            0 => "that is all; k goes back up".to_owned(),
            n => format!("… {n} more lines: j, ctrl-d or G; y says yes at their end"),
        };
        lines.push(Line::styled(text, model.theme.warn));
    }
    lines.push(Line::raw("y yes · n no"));
    let height = u16::try_from(lines.len() + 2).unwrap_or(4);
    let width = question_width(question, area.width);
    boxed(model, screen, area, "Are you sure?", width, height, lines);
}

/// A draft in a line: what it is for and its first words.
pub(super) fn draft_words(key: &str, text: &str) -> String {
    let fields: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).unwrap_or_default();
    let text = |name: &&str| {
        let text = fields.get(*name).and_then(|value| value.as_str());
        text.filter(|text| !text.trim().is_empty())
    };
    let said = ["text", "note", "evidence", "question", "title", "reason"].iter().find_map(text);
    let longest = fields.values().filter_map(|v| v.as_str()).max_by_key(|text| text.len());
    format!("{}: {}", draft_name(key), said.or(longest).unwrap_or_default())
}

/// What a draft is of: its key without what only tells it from others.
fn draft_name(key: &str) -> String {
    let (about, which) = key.split_once(OLDER).unwrap_or((key, ""));
    let (first, others) = about.split_once('+').unwrap_or((about, ""));
    let others = others.split('.').next().filter(|n| !n.is_empty());
    let others = others.map(|n| format!(" and {n} more")).unwrap_or_default();
    let which = if which.parse::<u32>().is_ok() {
        format!(" (update {which}, taken back)")
    } else {
        String::new()
    };
    format!("{first}{others}{which}")
}

/// A box in the middle; returns its inside.
pub(super) fn boxed(
    model: &Model,
    screen: &mut Frame<'_>,
    area: Rect,
    title: &str,
    width: u16,
    height: u16,
    lines: Vec<Line<'static>>,
) -> Rect {
    let width = width.min(area.width);
    let height = height.min(area.height);
    let rect = Rect::new(
        area.x + (area.width - width) / 2,
        area.y + (area.height - height) / 2,
        width,
        height,
    );
    screen.render_widget(Clear, rect);
    let inner = super::pane_frame(model, screen, rect, None, title);
    super::lines(screen, inner, lines);
    inner
}

pub(super) fn picked(model: &Model, text: &str, is_picked: bool, width: usize) -> Line<'static> {
    let cursor = if is_picked { model.theme.mark("▶ ", "> ") } else { "  " };
    let style = if is_picked { model.theme.cursor } else { Style::default() };
    let text = format!("{cursor}{}", visible(text));
    Line::styled(fit(&text, width).into_owned(), style)
}

/// The help: every action with its keys here, under its heading; what does not apply now is marked.
pub fn help_lines(model: &Model) -> Vec<String> {
    let mut lines = vec!["- before a key: it does not apply now, or not here".to_owned()];
    let mut group = "";
    let here = [model.focus.scope(), "global"];
    for action in Action::ALL {
        if action.group() != group {
            group = action.group();
            lines.push(String::new());
            lines.push(group.to_owned());
        }
        let scopes: &[&str] = if action.is_offered() { &here } else { &["form"] };
        let keys = model.keymap.keys_in(scopes, *action);
        let keys: Vec<String> = keys.into_iter().take(2).collect();
        let mark = if keys.is_empty() || !model.is_useful(*action) { "-" } else { " " };
        let (keys, name) = (keys.join(" "), action.name());
        lines.push(format!("{mark} {keys:<16} {name:<17} {}", action.help()));
    }
    lines.push(String::new());
    lines.extend(LEGEND.iter().map(|line| (*line).to_owned()));
    lines
}

/// What the marks of the panes mean.
const LEGEND: &[&str] = &[
    "Counts: 5-9 begin one (7j), any other begins with 0 (03j, 012j, 05m)",
    "Marks of the queue: ! nobody acknowledged · ✓ acknowledged · ▲ an alert fires",
    "  ½ others must answer too · w a workaround is in force · + marked by you",
    "  ◦ somebody else looks at it",
    "  mon monitoring · res resolved · rev in review",
    "Marks of the timeline: ~ about that time · ↩ written down later",
];

fn draw_palette(model: &Model, screen: &mut Frame<'_>, area: Rect, input: &str, at: usize) {
    let height = 16.min(area.height);
    let room = usize::from(height.saturating_sub(3)).max(1);
    let found = palette(input);
    let top = at.saturating_sub(room - 1);
    let mut lines = vec![Line::styled(format!(": {}▏", visible(input)), model.theme.accent)];
    for (index, action) in found.iter().enumerate().skip(top).take(room) {
        let here = [model.focus.scope(), "global"];
        let key = model.keymap.key_in(&here, *action).unwrap_or_default();
        let mark = if model.is_useful(*action) { " " } else { "-" };
        lines.push(picked(
            model,
            &format!("{mark}{:<18} {key:<8} {}", action.name(), action.help()),
            index == at,
            76,
        ));
    }
    if found.is_empty() {
        lines.push(Line::styled("no action has that in its name", model.theme.dim));
    }
    boxed(model, screen, area, "Do what? · enter does it", 78, height, lines);
}

fn draw_find(model: &Model, screen: &mut Frame<'_>, area: Rect, find: &Find) {
    let width = area.width.min(110);
    let columns = usize::from(width.saturating_sub(2));
    let height = area.height.min(24);
    let room = usize::from(height.saturating_sub(3)).max(1);
    let top = find.at.saturating_sub(room - 1);
    let waiting = if find.asked.is_some() { " …" } else { "" };
    let mut lines =
        vec![Line::styled(format!("/ {}▏{waiting}", visible(&find.input)), model.theme.accent)];
    let texts = if find.in_texts { hits(find) } else { closed(find) };
    for (index, text) in texts.iter().enumerate().skip(top).take(room) {
        lines.push(picked(model, text, index == find.at, columns));
    }
    if texts.is_empty() && find.asked.is_none() {
        let text = match (find.input.is_empty(), find.in_texts) {
            (true, true) => "type two letters or more",
            (true, false) => "no incident is over yet",
            (false, _) => "nothing was found",
        };
        lines.push(Line::styled(text, model.theme.dim));
    }
    let title = if find.in_texts {
        "Search all timelines · enter goes there"
    } else {
        "Incidents that are over · enter goes there"
    };
    boxed(model, screen, area, title, width, height, lines);
}

/// What a search found, a line each.
pub(super) fn hits(find: &Find) -> Vec<String> {
    let line = |hit: &crate::proto::Hit| {
        let incident = hit.incident.map_or_else(|| "-".to_owned(), |id| id.to_string());
        let text = hit.text.lines().next().unwrap_or_default();
        format!("{incident:<9} #{:<7} {text}", hit.seq)
    };
    find.hits.iter().map(line).collect()
}

/// The incidents that are over, a line each.
pub(super) fn closed(find: &Find) -> Vec<String> {
    let line = |row: &crate::domain::row::Row| {
        let opened = row.opened_at.date();
        format!("{} {:<9} {:<9} {opened} {}", row.severity, row.id, row.phase, row.title)
    };
    find.rows.iter().map(line).collect()
}

/// Lines of a field; a text has six, and more where the form is about words and there is room.
fn heights(form: &Form, room: u16) -> Vec<u16> {
    let is_text = |field: &&Field| matches!(field.input, Input::Text(_));
    let texts = u16::try_from(form.fields.iter().filter(is_text).count()).unwrap_or(1);
    let lines = u16::try_from(form.fields.len()).unwrap_or(u16::MAX).saturating_sub(texts);
    let each = room.saturating_sub(lines) / texts.max(1);
    let text = if form.action == Action::Write { each.clamp(6, 16) } else { 6 };
    form.fields.iter().map(|field| if is_text(&field) { text } else { 1 }).collect()
}

fn draw_form(model: &Model, screen: &mut Frame<'_>, area: Rect, form: &Form) {
    let width = usize::from(area.width.min(84).saturating_sub(2));
    let mut foot = foot_lines(model, form, width);
    // On the smallest screens what is typed is seen before what is said about it.
    foot.truncate(usize::from(area.height.saturating_sub(4)));
    let foot_height = u16::try_from(foot.len()).unwrap_or(1);
    let heights = heights(form, area.height.saturating_sub(foot_height + 2));
    let wanted: u16 = heights.iter().sum::<u16>() + foot_height + 2;
    let inner = boxed(model, screen, area, &form.title, 84, wanted, Vec::new());
    let bottom = inner.bottom().saturating_sub(foot_height);
    let room = bottom.saturating_sub(inner.y);
    // The field with the cursor is always seen; on a small screen the first ones scroll away.
    let mut first = 0;
    let height = |from: usize| heights[from..=form.at].iter().sum::<u16>();
    while first < form.at && height(first) > room {
        first += 1;
    }
    let (mut y, mut below) = (inner.y, 0);
    for (index, field) in form.fields.iter().enumerate().skip(first) {
        let height = heights[index].min(bottom.saturating_sub(y));
        if height == 0 {
            below += 1;
            continue;
        }
        let rect = Rect::new(inner.x, y, inner.width, height);
        draw_field(model, screen, rect, field, index == form.at);
        y += height;
    }
    // That there are fields beyond the edge must not be a surprise.
    if first + below > 0
        && let Some(keys) = foot.last_mut()
    {
        let count = |mark, count: usize| (count > 0).then(|| format!("{mark}{count}"));
        let marks = (model.theme.mark("↑", "^"), model.theme.mark("↓", "v"));
        let hidden = [count(marks.0, first), count(marks.1, below)].into_iter().flatten();
        let hidden = hidden.collect::<Vec<_>>().join(" ");
        let text = format!("{hidden} more · {keys}");
        *keys = Line::styled(fit(&text, width).into_owned(), model.theme.accent);
    }
    if bottom < inner.bottom() {
        let rect = Rect::new(inner.x, bottom, inner.width, inner.bottom() - bottom);
        super::lines(screen, rect, foot);
    }
}

/// Lines in which a choice that is cut in its own is whole.
const CHOSEN_LINES: usize = 4;

/// Whether a choice does not fit beside its label.
fn is_cut(text: &str, width: usize) -> bool {
    text.chars().count() + 20 > width
}

/// What is wrong, or how to fill the field in; then the keys.
fn foot_lines(model: &Model, form: &Form, width: usize) -> Vec<Line<'static>> {
    let mut lines: Vec<Line<'static>> = if let Some(error) = &form.error {
        super::wrap(&format!("! {error}"), width)
            .into_iter()
            .take(3)
            .map(|text| Line::styled(text, model.theme.bad))
            .collect()
    } else {
        // As many lines as the longest hint needs, so that the form does not jump from field to field.
        let needed = |field: &Field| {
            let hint = super::wrap(&field.hint, width).len().min(2);
            let Input::Choice { options, .. } = &field.input else { return hint };
            let long = options.iter().filter(|text| is_cut(text, width));
            let long = long.map(|text| super::wrap(text, width).len().min(CHOSEN_LINES));
            long.max().unwrap_or(0).max(hint)
        };
        let height = form.fields.iter().map(needed).max().unwrap_or(1);
        let field = form.fields.get(form.at);
        // A long choice is cut in its line and whole here.
        let chosen = field.filter(|field| matches!(field.input, Input::Choice { .. }));
        let chosen = chosen.map(Field::value).filter(|text| is_cut(text, width));
        let hint = chosen.unwrap_or_else(|| field.map_or(String::new(), |f| f.hint.clone()));
        let hint = hint.as_str();
        let mut lines: Vec<Line<'static>> = super::wrap(hint, width)
            .into_iter()
            .take(height)
            .map(|text| Line::styled(text, model.theme.dim))
            .collect();
        lines.resize(height, Line::raw(""));
        lines
    };
    let keys = if width < 60 {
        "ctrl-s does it · tab · esc"
    } else {
        "tab next field · ctrl-s does it · esc leaves (kept as a draft)"
    };
    lines.push(Line::styled(fit(keys, width).into_owned(), model.theme.accent));
    lines
}

fn draw_field(model: &Model, screen: &mut Frame<'_>, rect: Rect, field: &Field, is_here: bool) {
    let label_width = 16.min(rect.width);
    let mark = if is_here { model.theme.mark("▶", ">") } else { " " };
    let label = format!("{mark}{}", field.label);
    let style = if is_here { model.theme.focus } else { model.theme.dim };
    let label_rect = Rect::new(rect.x, rect.y, label_width, 1);
    super::lines(
        screen,
        label_rect,
        vec![Line::styled(fit(&label, usize::from(label_width)).into_owned(), style)],
    );
    let value = Rect::new(rect.x + label_width, rect.y, rect.width - label_width, rect.height);
    if value.width == 0 {
        return;
    }
    match &field.input {
        Input::Line(area) | Input::Text(area) => {
            let mut shown = area.as_ref().clone();
            if !is_here {
                shown.set_cursor_style(Style::default());
            }
            screen.render_widget(&shown, value);
        }
        Input::Choice { options, at } => {
            super::lines(
                screen,
                value,
                vec![choice_line(model, options, *at, is_here, usize::from(value.width))],
            );
        }
    }
}

/// The chosen word among its neighbours, as many as fit.
fn choice_line(
    model: &Model,
    options: &[String],
    at: usize,
    is_here: bool,
    width: usize,
) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    // Room for the marks that say that there are more on either side.
    let width = width.saturating_sub(4);
    let mut used = 0;
    let sizes: Vec<usize> = options
        .iter()
        .map(|o| unicode_width::UnicodeWidthStr::width(visible(o).as_ref()) + 3)
        .collect();
    let mut first = at;
    let mut sum = sizes.get(at).copied().unwrap_or(0);
    while first > 0 && sum + sizes[first - 1] <= width {
        first -= 1;
        sum += sizes[first];
    }
    if first > 0 {
        spans.push(Span::styled("… ", model.theme.dim));
    }
    for (index, option) in options.iter().enumerate().skip(first) {
        let size = sizes[index];
        if used + size > width && index > at {
            spans.push(Span::styled("…", model.theme.dim));
            break;
        }
        used += size;
        let text = visible(option).into_owned();
        if index == at {
            let style = if is_here { model.theme.cursor } else { model.theme.title };
            spans.push(Span::styled(fit(&format!("[{text}]"), width).into_owned(), style));
            spans.push(Span::raw(" "));
        } else {
            spans.push(Span::styled(format!(" {text}  "), model.theme.dim));
        }
    }
    if options.is_empty() {
        spans.push(Span::styled("nothing to choose from", model.theme.bad));
    }
    Line::from(spans)
}
