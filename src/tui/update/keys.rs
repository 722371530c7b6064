//! Keys and paste.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "most of a long vocabulary is handled alike here"
)]

use crossterm::event::KeyEvent;

use crate::tui::action::Action;
use crate::tui::key::{Code, Key};
use crate::tui::keymap::Resolved;
use crate::tui::model::{Held, LinkState, Modal, Model, Pane};
use crate::tui::update::{DRAFT_MS, Effect, Ids, REST_MS, acts, alerts, drafts, keeper, modals};
use crate::tui::view::{self, layout};

/// Keys that may wait for an incident.
const HELD_MAX: usize = 500;

pub(super) fn key(model: &mut Model, event: KeyEvent, ids: &mut dyn Ids) -> Vec<Effect> {
    let Some(key) = Key::from_event(event) else {
        return Vec::new();
    };
    if key.ctrl && key.code == Code::Char('c') {
        model.held.clear();
        return interrupt(model, ids);
    }
    if !model.held.is_empty() {
        if key.code == Code::Esc {
            model.held.clear();
        } else if model.held.len() >= HELD_MAX {
            model.drop_held("that is more than can wait for this incident");
        } else {
            model.held.push(Held::Key(event));
        }
        return Vec::new();
    }
    if model.is_deaf() && key.code != Code::Esc {
        return Vec::new();
    }
    if matches!(model.modals.last(), Some(Modal::Confirm { .. })) && key.code == Code::Enter {
        // Whoever strikes it twice at the end of a form has not read the question.
        model.say(crate::tui::model::Tone::Plain, "y says yes · esc goes back");
        return Vec::new();
    }
    if counts(model, key) {
        return Vec::new();
    }
    let scopes = model.scopes();
    let mut pending = std::mem::take(&mut model.pending);
    let resolved = model.keymap.resolve(&scopes, &mut pending, key);
    model.pending = pending;
    match resolved {
        Resolved::Action(action) => {
            let times = model.count.take().unwrap_or(1).max(1);
            look_at_marked(model, action);
            if needs_incident(model, action) {
                model.held.push(Held::Act(action, times));
                model.held_since = model.now;
                model.held_for = model.selected_id;
                model.follow_at = None;
                return keeper::follow(model, ids);
            }
            act(model, action, times, ids)
        }
        Resolved::Pending => Vec::new(),
        Resolved::Unbound => {
            model.count = None;
            typed(model, event, key, ids)
        }
    }
}

/// Whether an act is about an incident that is not here yet: the cursor has just come to it.
fn needs_incident(model: &Model, action: Action) -> bool {
    let is_here = model.watched().map(|incident| incident.id) == model.selected_id;
    let is_looked_at = matches!(action, Action::StepBack | Action::StepForward | Action::Copy);
    let is_about_it = is_looked_at || action.is_about_incident() && !action.is_of_the_desk();
    !is_here
        && is_about_it
        && model.link == LinkState::Up
        && model.selected_id.is_some()
        && model.modals.is_empty()
        && (model.marks.is_empty() || action.is_single() || is_read_first(action))
}

/// What is made of an incident that is looked at, also where it is about several.
const fn is_read_first(action: Action) -> bool {
    matches!(action, Action::Update | Action::Write | Action::Approve)
}

/// Words about what is marked are written beside it, and not beside what the cursor came to since.
fn look_at_marked(model: &mut Model, action: Action) {
    let is_marked = model.selected_id.is_some_and(|id| model.marks.contains(&id));
    let acts_on_marks = model.focus == Pane::Queue && model.modals.is_empty();
    if !is_read_first(action) || is_marked || !acts_on_marks {
        return;
    }
    let Some(first) = model.marks.iter().next().copied() else { return };
    model.selected_id = Some(first);
    model.refresh();
    model.keep_in_view();
}

/// What was struck too early is done now, in its order.
pub(super) fn let_go(model: &mut Model, ids: &mut dyn Ids) -> Vec<Effect> {
    let mut effects = Vec::new();
    for held in std::mem::take(&mut model.held) {
        // What is asked now was not seen when these were struck.
        if matches!(model.modals.last(), Some(Modal::Confirm { .. } | Modal::Alerts(_))) {
            model
                .say(crate::tui::model::Tone::Bad, "what you typed meanwhile is no answer to this");
            break;
        }
        match held {
            Held::Act(action, times) => effects.extend(act(model, action, times, ids)),
            Held::Key(event) => effects.extend(key(model, event, ids)),
            Held::Paste(text) => effects.extend(paste(model, &text, ids)),
        }
    }
    effects
}

/// Ctrl-C leaves what is open; with nothing open it says how to quit.
fn interrupt(model: &mut Model, ids: &mut dyn Ids) -> Vec<Effect> {
    if model.modals.is_empty() && !model.is_filtering && model.pending.is_empty() {
        model.say(crate::tui::model::Tone::Plain, "q leaves the console; the keeper goes on");
        return Vec::new();
    }
    model.pending.clear();
    if matches!(model.modals.last(), Some(Modal::Form(_))) {
        return modals::cancel(model, ids);
    }
    back(model)
}

/// Digits before a movement are a count; `1`–`4` alone go to a pane, so a count begins with 5–9, or
/// with a 0 that stands for nothing (`03j`).
fn counts(model: &mut Model, key: Key) -> bool {
    let Code::Char(c @ '0'..='9') = key.code else {
        return false;
    };
    let in_list = model.modals.is_empty() && !model.is_filtering && model.pending.is_empty();
    if !in_list || key.ctrl || key.alt {
        return false;
    }
    let digit = c.to_digit(10).unwrap_or(0) as usize;
    match model.count {
        Some(before) => model.count = Some((before * 10 + digit).min(1_000_000)),
        None if digit >= 5 || digit == 0 => model.count = Some(digit),
        None => return false,
    }
    true
}

/// A key that is bound to nothing: text, where text is asked for.
fn typed(model: &mut Model, event: KeyEvent, key: Key, ids: &mut dyn Ids) -> Vec<Effect> {
    if model.is_filtering {
        if edit(&mut model.filter, key) {
            model.selected = 0;
            model.top = 0;
            model.selected_id = None;
            model.visiting = false;
        }
        return Vec::new();
    }
    match model.modals.last_mut() {
        Some(Modal::Form(form)) => match form.key(event) {
            crate::tui::form::Typed::Nothing => Vec::new(),
            crate::tui::form::Typed::Changed => {
                model.draft_at.get_or_insert(model.now.plus(DRAFT_MS));
                modals::follow_choice(model);
                Vec::new()
            }
            crate::tui::form::Typed::Submit => modals::submit(model, ids),
        },
        Some(Modal::Palette { input, at }) => {
            if edit(input, key) {
                *at = 0;
            }
            Vec::new()
        }
        Some(Modal::Find(find)) => {
            if edit(&mut find.input, key) {
                modals::search(model, ids)
            } else {
                Vec::new()
            }
        }
        Some(
            Modal::Help { .. }
            | Modal::Confirm { .. }
            | Modal::Details { .. }
            | Modal::Page { .. }
            | Modal::OnCall { .. }
            | Modal::Alerts(_)
            | Modal::Drafts { .. },
        )
        | None => Vec::new(),
    }
}

/// Edits one line at its end; whether it changed.
fn edit(line: &mut String, key: Key) -> bool {
    match key.code {
        Code::Char('u' | 'w') if key.ctrl => line.clear(),
        Code::Char(c) if !key.ctrl && !key.alt && line.len() < 400 => line.push(c),
        Code::Backspace => return line.pop().is_some(),
        _ => return false,
    }
    true
}

pub(super) fn paste(model: &mut Model, text: &str, ids: &mut dyn Ids) -> Vec<Effect> {
    if !model.held.is_empty() {
        model.held.push(Held::Paste(text.to_owned()));
        return Vec::new();
    }
    if model.is_deaf() {
        return Vec::new();
    }
    let one_line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(400).collect();
    if model.is_filtering {
        model.filter.push_str(&one_line);
        return Vec::new();
    }
    match model.modals.last_mut() {
        Some(Modal::Form(form)) => {
            form.paste(text);
            model.draft_at.get_or_insert(model.now.plus(DRAFT_MS));
        }
        Some(Modal::Palette { input, at }) => {
            input.push_str(&one_line);
            *at = 0;
        }
        Some(Modal::Find(find)) => {
            find.input.push_str(&one_line);
            return modals::search(model, ids);
        }
        Some(_) | None => {
            model.say(crate::tui::model::Tone::Plain, "nothing takes text here; 'n' writes a note");
        }
    }
    Vec::new()
}

/// Does an action, `times` times where that makes sense.
pub(super) fn act(
    model: &mut Model,
    action: Action,
    times: usize,
    ids: &mut dyn Ids,
) -> Vec<Effect> {
    if action != Action::Quit {
        model.is_quitting = false;
    }
    let step = isize::try_from(times).unwrap_or(isize::MAX);
    let page = isize::try_from(layout::page(model)).unwrap_or(10);
    match action {
        Action::NextRow => move_rows(model, step),
        Action::PreviousRow => move_rows(model, -step),
        Action::NextPage => move_pages(model, page, step),
        Action::PreviousPage => move_pages(model, page, -step),
        Action::FirstRow => move_rows(model, isize::MIN / 2),
        Action::LastRow => move_rows(model, isize::MAX / 2),
        Action::NextPane | Action::PreviousPane => {
            let now = Pane::ALL.iter().position(|pane| *pane == model.focus).unwrap_or(0);
            let forward = if action == Action::NextPane { 1 } else { 3 };
            model.focus = Pane::ALL[(now + forward) % 4];
        }
        Action::GoQueue => model.focus = Pane::Queue,
        Action::GoTimeline => model.focus = Pane::Timeline,
        Action::GoChain => model.focus = Pane::Chain,
        Action::GoStakeholders => model.focus = Pane::Stakeholders,
        Action::Zoom => {
            model.zoom = !model.zoom;
            model.keep_in_view();
        }
        Action::Back => return back(model),
        Action::Redraw => return vec![Effect::Redraw],
        Action::Suspend => return vec![Effect::Suspend],
        Action::Quit => return quit(model),
        Action::Filter => {
            model.is_filtering = true;
            model.filter.clear();
            model.before_filter = Some((model.selected_id, model.visiting));
        }
        Action::GoPaged => return modals::go_paged(model, ids),
        Action::Mark | Action::MarkAll if !model.modals.is_empty() => {
            alerts::mark(model, action == Action::MarkAll);
        }
        Action::Mark => {
            mark(model, times);
            if model.focus == Pane::Queue {
                move_rows(model, step);
            }
        }
        Action::MarkAll => model.marks = model.shown.iter().copied().collect(),
        Action::Unmark => model.marks.clear(),
        Action::Submit => return modals::submit(model, ids),
        Action::Cancel => return modals::cancel(model, ids),
        Action::DropDraft => return drafts::throw_away(model, ids),
        Action::RestoreDraft => return drafts::bring_back(model, ids),
        Action::NextField | Action::PreviousField => {
            if let Some(Modal::Form(form)) = model.modals.last_mut() {
                form.go(action == Action::NextField);
            }
        }
        other => return acts::act(model, other, ids),
    }
    Vec::new()
}

/// While the keeper is gone, what it was not told would be forgotten: that is asked once.
fn quit(model: &mut Model) -> Vec<Effect> {
    let is_up = model.link == LinkState::Up;
    let drafts = model.unsaved.values().filter(|text| !text.is_empty()).count();
    if model.in_flight.is_empty() && drafts == 0
        || is_up && !model.in_flight.has_unsent()
        || model.is_quitting
    {
        model.is_quitting = true;
        return vec![Effect::Quit];
    }
    model.is_quitting = true;
    let acts = match model.in_flight.len() {
        0 => String::new(),
        n => format!("{n} not answered yet"),
    };
    let drafts = match drafts {
        0 => String::new(),
        1 => "1 draft not kept yet".to_owned(),
        n => format!("{n} drafts not kept yet"),
    };
    let and = if acts.is_empty() || drafts.is_empty() { "" } else { " and " };
    let text = format!("{acts}{and}{drafts}: lost if you leave; q again leaves");
    model.say(crate::tui::model::Tone::Bad, text);
    Vec::new()
}

fn mark(model: &mut Model, times: usize) {
    if times > 1 {
        // So many are marked, whatever was before.
        model.marks.extend(model.shown.iter().skip(model.selected).take(times).copied());
    } else if let Some(id) = model.shown.get(model.selected).copied()
        && !model.marks.remove(&id)
    {
        model.marks.insert(id);
    }
}

pub(super) fn select(model: &mut Model, index: usize) {
    let last = model.shown.len().saturating_sub(1);
    model.selected = index.min(last);
    let id = model.shown.get(model.selected).copied();
    if id != model.selected_id {
        model.visiting = false;
        model.selected_id = id;
        model.past = None;
        model.follow_at = Some(model.now.plus(REST_MS));
    }
    model.keep_in_view();
}

fn moved(at: usize, by: isize, count: usize) -> usize {
    at.saturating_add_signed(by).min(count.saturating_sub(1))
}

/// Moves by pages. In the timeline a page is as many entries as it shows: none is passed over.
fn move_pages(model: &mut Model, page: isize, by: isize) {
    if model.modals.is_empty() && !model.is_filtering && model.focus == Pane::Stakeholders {
        // What is long is read to its end, and back to its beginning, before the cursor moves on.
        let (most, step) = view::stakeholders::detail::overflow(model);
        let (top, step) = (model.detail_top.min(most), step.saturating_mul(by.unsigned_abs()));
        if if by < 0 { top > 0 } else { top < most } {
            let to = if by < 0 { top.saturating_sub(step) } else { top.saturating_add(step) };
            model.detail_top = to.min(most);
            return;
        }
    }
    let inner = layout::inner(model, Pane::Timeline);
    let Some(inner) = inner.filter(|_| model.modals.is_empty() && model.focus == Pane::Timeline)
    else {
        return move_rows(model, page.saturating_mul(by));
    };
    for _ in 0..by.unsigned_abs().min(1_000) {
        let entries = view::timeline::page(model, inner, by < 0).max(1);
        let entries = isize::try_from(entries).unwrap_or(1);
        timeline(model, if by < 0 { -entries } else { entries });
    }
}

/// Moves the cursor of whatever is in front.
pub(super) fn move_rows(model: &mut Model, by: isize) {
    if !model.modals.is_empty() {
        return modals::move_rows(model, by);
    }
    if model.is_filtering {
        let index = moved(model.selected, by, model.shown.len());
        return select(model, index);
    }
    match model.focus {
        Pane::Queue => {
            let index = moved(model.selected, by, model.shown.len());
            select(model, index);
        }
        Pane::Timeline => {
            timeline(model, by);
        }
        Pane::Chain => {
            let most = crate::tui::view::chain::overflow(model);
            model.chain_top = moved(model.chain_top.min(most), by, most + 1);
        }
        Pane::Stakeholders => {
            let count = crate::tui::view::stakeholders::names(model).len();
            model.stakeholder = moved(model.stakeholder, by, count);
            model.detail_top = 0;
        }
    }
}

/// The newest entry is at the bottom; going up goes back in time. One that is taller than the pane
/// is read a page at a time.
fn timeline(model: &mut Model, by: isize) {
    let inner = layout::inner(model, Pane::Timeline);
    let overflow = inner.map_or(0, |inner| view::timeline::overflow(model, inner));
    let page = inner.map_or(1, |inner| usize::from(inner.height).saturating_sub(1).max(1));
    let top = model.entry_top.min(overflow);
    let is_far = by.unsigned_abs() > model.entries().len();
    let rest = if by > 0 { overflow - top } else { top };
    if rest > 0 && !is_far {
        let step = rest.min(page);
        model.entry_top = if by > 0 { top + step } else { top - step };
        return;
    }
    let before = model.entry_back;
    let last = model.entries().len().saturating_sub(1);
    // Beyond the first entry that is here there may be earlier ones.
    model.wants_older |= by < 0 && before.saturating_add_signed(by.saturating_neg()) >= last;
    model.entry_back = moved(before, by.saturating_neg(), model.entries().len());
    model.entry_top = 0;
    if by < 0 && model.entry_back != before {
        // Whoever goes up comes to an entry's end first.
        let overflow = inner.map_or(0, |inner| view::timeline::overflow(model, inner));
        model.entry_top = overflow;
    }
}

/// Closes the innermost thing.
pub(super) fn back(model: &mut Model) -> Vec<Effect> {
    if model.is_filtering {
        model.is_filtering = false;
        model.filter.clear();
        if let Some((id, visiting)) = model.before_filter.take() {
            (model.selected_id, model.visiting) = (id, visiting);
            model.follow_at = Some(model.now);
        }
    } else if let Some(closed) = model.modals.pop() {
        // Who says no to the question comes back to what was filled in.
        if let Modal::Confirm { form: Some(form), .. } = closed {
            model.modals.push(Modal::Form(form));
        }
    } else if model.past.take().is_some() {
        // That was it.
    } else if std::mem::take(&mut model.visiting) {
        model.selected_id = model.shown.get(model.selected).copied();
        model.follow_at = Some(model.now);
        model.focus = Pane::Queue;
    } else if !model.pending.is_empty() {
        model.pending.clear();
    } else if model.zoom {
        model.zoom = false;
        model.keep_in_view();
    } else if !model.marks.is_empty() {
        model.marks.clear();
    } else if model.filter.is_empty() {
        model.focus = Pane::Queue;
    } else {
        model.filter.clear();
    }
    model.notice = None;
    Vec::new()
}
