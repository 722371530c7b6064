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
use crate::tui::update::modals::palette;

pub(super) fn draw(model: &Model, shown: &Modal, screen: &mut Frame<'_>, area: Rect) {
    match shown {
        Modal::Help { scroll } => {
            let lines = help_lines(model).into_iter().skip(*scroll).map(Line::raw).collect();
            boxed(model, screen, area, "Keys that work here · q closes", 78, area.height, lines);
        }
        Modal::Palette { input, at } => draw_palette(model, screen, area, input, *at),
        Modal::Form(form) => draw_form(model, screen, area, form),
        Modal::Confirm { question, .. } => {
            let mut lines: Vec<Line<'static>> =
                super::wrap(question, usize::from(area.width.min(60).saturating_sub(2)))
                    .into_iter()
                    .map(|text| Line::styled(text, model.theme.title))
                    .collect();
            lines.push(Line::raw("y yes · n no"));
            let height = u16::try_from(lines.len() + 2).unwrap_or(4);
            boxed(model, screen, area, "Are you sure?", 60, height, lines);
        }
        Modal::Alerts(list) => super::alerts::draw(model, screen, area, list),
        Modal::Find(find) => draw_find(model, screen, area, find),
        Modal::Details { scroll } => {
            let inner =
                boxed(model, screen, area, "Details · q closes", 100, area.height, Vec::new());
            let lines = super::details::wrapped(
                model,
                usize::from(inner.width),
                *scroll,
                usize::from(inner.height),
            );
            super::lines(screen, inner, lines);
        }
        Modal::Drafts { drafts, at } => {
            let lines = drafts
                .iter()
                .enumerate()
                .map(|(index, (key, text))| {
                    picked(model, &draft_words(key, text), index == *at, 76)
                })
                .collect();
            boxed(model, screen, area, "Drafts · enter takes one up", 78, 12, lines);
        }
    }
}

/// A draft in a line: what it is for and its first words.
fn draft_words(key: &str, text: &str) -> String {
    let fields: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).unwrap_or_default();
    let longest = fields.values().filter_map(|v| v.as_str()).max_by_key(|text| text.len());
    format!("{key}: {}", longest.unwrap_or_default())
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

/// The help: every action that has a key here, under its heading.
pub fn help_lines(model: &Model) -> Vec<String> {
    let mut lines = Vec::new();
    let mut group = "";
    for action in Action::ALL {
        if action.group() != group {
            group = action.group();
            if !lines.is_empty() {
                lines.push(String::new());
            }
            lines.push(group.to_owned());
        }
        let keys = model.keymap.keys_of(*action);
        let keys: Vec<String> = keys.into_iter().take(3).collect();
        lines.push(format!("  {:<22} {:<16} {}", keys.join("  "), action.name(), action.help()));
    }
    lines.push(String::new());
    lines.push(
        "Marks: ! not acknowledged · ✓ acknowledged · ▲ alerts fire · w workaround in force"
            .to_owned(),
    );
    lines
}

fn draw_palette(model: &Model, screen: &mut Frame<'_>, area: Rect, input: &str, at: usize) {
    let height = 16.min(area.height);
    let room = usize::from(height.saturating_sub(3)).max(1);
    let found = palette(input);
    let top = at.saturating_sub(room - 1);
    let mut lines = vec![Line::styled(format!(": {}▏", visible(input)), model.theme.accent)];
    for (index, action) in found.iter().enumerate().skip(top).take(room) {
        let key = model.keymap.keys_of(*action).into_iter().next().unwrap_or_default();
        lines.push(picked(
            model,
            &format!("{:<18} {key:<8} {}", action.name(), action.help()),
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
    let texts: Vec<String> = if find.in_texts {
        find.hits
            .iter()
            .map(|hit| {
                let incident = hit.incident.map_or_else(|| "-".to_owned(), |id| id.to_string());
                format!(
                    "{incident:<9} #{:<7} {}",
                    hit.seq,
                    hit.text.lines().next().unwrap_or_default()
                )
            })
            .collect()
    } else {
        find.rows
            .iter()
            .map(|row| {
                format!(
                    "{} {:<9} {:<9} {} {}",
                    row.severity,
                    row.id,
                    row.phase,
                    row.opened_at.date(),
                    row.title
                )
            })
            .collect()
    };
    for (index, text) in texts.iter().enumerate().skip(top).take(room) {
        lines.push(picked(model, text, index == find.at, columns));
    }
    if texts.is_empty() && find.asked.is_none() && !find.input.is_empty() {
        lines.push(Line::styled("nothing was found", model.theme.dim));
    }
    let title = if find.in_texts {
        "Search all timelines · enter goes there"
    } else {
        "Incidents that are over · enter goes there"
    };
    boxed(model, screen, area, title, width, height, lines);
}

fn field_height(field: &Field) -> u16 {
    match field.input {
        Input::Line(_) | Input::Choice { .. } => 1,
        Input::Text(_) => 6,
    }
}

fn draw_form(model: &Model, screen: &mut Frame<'_>, area: Rect, form: &Form) {
    let width = usize::from(area.width.min(84).saturating_sub(2));
    let foot = foot_lines(model, form, width);
    let foot_height = u16::try_from(foot.len()).unwrap_or(1);
    let wanted: u16 = form.fields.iter().map(field_height).sum::<u16>() + foot_height + 2;
    let inner = boxed(model, screen, area, &form.title, 84, wanted, Vec::new());
    let bottom = inner.bottom().saturating_sub(foot_height);
    let room = bottom.saturating_sub(inner.y);
    // The field with the cursor is always seen; on a small screen the first ones scroll away.
    let mut first = 0;
    let height = |from: usize| form.fields[from..=form.at].iter().map(field_height).sum::<u16>();
    while first < form.at && height(first) > room {
        first += 1;
    }
    let mut y = inner.y;
    for (index, field) in form.fields.iter().enumerate().skip(first) {
        let height = field_height(field).min(bottom.saturating_sub(y));
        if height == 0 {
            break;
        }
        let rect = Rect::new(inner.x, y, inner.width, height);
        draw_field(model, screen, rect, field, index == form.at);
        y += height;
    }
    if bottom < inner.bottom() {
        let rect = Rect::new(inner.x, bottom, inner.width, inner.bottom() - bottom);
        super::lines(screen, rect, foot);
    }
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
        let hint = form.fields.get(form.at).map_or("", |field| field.hint.as_str());
        vec![Line::styled(fit(&visible(hint), width).into_owned(), model.theme.dim)]
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
    for (index, option) in options.iter().enumerate().skip(first) {
        let size = sizes[index];
        if used + size > width && index > at {
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
