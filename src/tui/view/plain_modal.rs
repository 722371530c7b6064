//! Forms, questions and lists in words, for a screen reader.

use crate::domain::text::visible;
use crate::tui::form::{Form, Input};
use crate::tui::model::{Find, Modal, Model};
use crate::tui::update::modals::palette;
use crate::tui::view::plain::{Prompt, Spoken};
use crate::tui::view::{alerts, calendar, details, modal, page};

/// Adds what lies over the panes.
pub(super) fn add(model: &Model, spoken: &mut Spoken) {
    let Some(shown) = model.modals.last() else { return };
    let safe = |text: &str| visible(text).into_owned();
    let of = |at: usize, count: usize| format!("{} of {count}", at + 1);
    match shown {
        Modal::Help { .. } => {
            spoken.lines.push("help; q closes".to_owned());
            spoken.lines.extend(modal::help_lines(model).into_iter().filter(|l| !l.is_empty()));
        }
        Modal::Details { .. } => {
            spoken.lines.push("details; q closes".to_owned());
            let all = details::lines(model).into_iter().filter(|line| !line.is_empty());
            spoken.lines.extend(all.map(|line| safe(&line)));
        }
        Modal::Page { what, .. } => {
            spoken.lines.push(format!("{}; q closes", page::title(*what)));
            let all = page::lines(model, *what).into_iter().filter(|line| !line.is_empty());
            spoken.lines.extend(all.map(|line| safe(&line)));
        }
        Modal::OnCall { .. } => {
            spoken.lines.push("on call; q closes".to_owned());
            let all = calendar::lines(model).into_iter().filter(|line| !line.text.is_empty());
            spoken.lines.extend(all.map(|line| safe(line.text.trim())));
        }
        Modal::Palette { input, at } => {
            let found = palette(input);
            spoken.prompt = Some(prompt("do what", input));
            spoken.focus = found.get(*at).map(|action| {
                let key = model.keymap.keys_of(*action).into_iter().next().unwrap_or_default();
                let text = format!("{}, key {key}, {}", action.name(), action.help());
                (format!("palette {text}"), format!("{text}, {}", of(*at, found.len())))
            });
        }
        Modal::Form(form) => add_form(form, spoken),
        Modal::Confirm { question, .. } => {
            spoken.lines.push(format!("{} y yes, n no", safe(question)));
        }
        Modal::Find(find) => add_find(find, spoken),
        Modal::Alerts(list) => {
            spoken.lines.push(format!(
                "alerts of {}, {}",
                list.incident,
                alerts::purpose(list.purpose)
            ));
            let keys = "space marks, a acknowledges, s shelves, u unshelves, x splits off";
            spoken.lines.push(keys.to_owned());
            if !list.marks.is_empty() {
                spoken.lines.push(format!("{} alerts marked", list.marks.len()));
            }
            spoken.focus = list.rows.get(list.at).map(|row| {
                let mark = if list.marks.contains(&row.key) { "marked, " } else { "" };
                let text = format!(
                    "{mark}{}, {}",
                    safe(&alerts::words(row)),
                    of(list.at, list.rows.len())
                );
                (format!("alert {text}"), text)
            });
        }
        Modal::Drafts { drafts, at, .. } => {
            spoken.lines.push("drafts; enter takes one up, x throws it away".to_owned());
            spoken.focus = drafts.get(*at).map(|(key, text)| {
                let words = safe(&modal::draft_words(key, text));
                (format!("draft {words}"), format!("{words}, {}", of(*at, drafts.len())))
            });
        }
    }
}

fn prompt(what: &str, input: &str) -> Prompt {
    Prompt {
        key: what.to_owned(),
        label: format!("{what}: "),
        before: visible(input).into_owned(),
        after: String::new(),
    }
}

fn add_form(form: &Form, spoken: &mut Spoken) {
    let count = form.fields.len();
    spoken.lines.push(format!(
        "{}, {count} fields; tab next, control s does it, escape leaves and keeps a draft",
        visible(&form.title)
    ));
    if let Some(error) = &form.error {
        spoken.lines.push(format!("not done: {}", visible(error)));
    }
    let Some(field) = form.fields.get(form.at) else { return };
    let hint =
        if field.hint.is_empty() { String::new() } else { format!(" ({})", visible(&field.hint)) };
    let label = format!("field {} of {count}, {}{hint}: ", form.at + 1, field.label);
    match &field.input {
        Input::Choice { options, at } => {
            let chosen = options.get(*at).map_or("nothing to choose from", String::as_str);
            let choice = if options.is_empty() {
                String::new()
            } else {
                format!(", choice {} of {}", at + 1, options.len())
            };
            let text = format!("{label}{}{choice}", visible(chosen));
            spoken.focus = Some((format!("field {text}"), text));
        }
        Input::Line(area) | Input::Text(area) => {
            let (row, column) = (area.cursor().0, area.cursor().1);
            let line = area.lines().get(row).cloned().unwrap_or_default();
            let at = line.char_indices().nth(column).map_or(line.len(), |(at, _)| at);
            let (before, after) = line.split_at(at);
            let label = if row == 0 { label } else { format!("line {}: ", row + 1) };
            spoken.prompt = Some(Prompt {
                key: format!("field {} {row}", form.at),
                label,
                before: visible(before).into_owned(),
                after: visible(after).into_owned(),
            });
        }
    }
}

fn add_find(find: &Find, spoken: &mut Spoken) {
    let what = if find.in_texts { "search all timelines" } else { "incidents that are over" };
    spoken.prompt = Some(prompt(what, &find.input));
    let texts: Vec<String> = if find.in_texts { modal::hits(find) } else { modal::closed(find) };
    if find.asked.is_none() && !find.input.is_empty() {
        spoken.lines.push(format!("{} found for {}", texts.len(), visible(&find.input)));
    }
    spoken.focus = texts.get(find.at).map(|text| {
        let text = visible(text).into_owned();
        (format!("found {text}"), format!("{text}, {} of {}", find.at + 1, texts.len()))
    });
}
