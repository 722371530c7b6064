//! What happens inside modals: submitting, leaving, moving, searching.

use crate::domain::command::Command;
use crate::domain::ids::IncidentId;
use crate::proto::Ask;
use crate::tui::action::Action;
use crate::tui::evidence::FileFacts;
use crate::tui::form::Form;
use crate::tui::forms;
use crate::tui::model::{Asked, LinkState, Modal, Model, Tone};
use crate::tui::update::{Effect, Ids, acts, alerts, ask, drafts, keys, taken_back};

/// Hits wanted at once.
const HITS: u32 = 100;

pub(super) fn submit(model: &mut Model, ids: &mut dyn Ids) -> Vec<Effect> {
    if model.is_filtering {
        // The filter stays; the cursor goes back to the queue.
        model.is_filtering = false;
        return Vec::new();
    }
    if matches!(model.modals.last(), Some(Modal::Find(find)) if find.asked.is_some()) {
        // What is shown answers what was typed before.
        model.say(Tone::Plain, "still looking; strike it again when it is here");
        return Vec::new();
    }
    if let Some(Modal::Confirm { question, scroll, .. }) = model.modals.last() {
        let unread = crate::tui::view::modal::question_overflow(question, model.size);
        if *scroll < unread {
            // Nobody says yes to what they have not seen.
            move_rows(model, isize::try_from(model.size.1 / 2).unwrap_or(10).max(1));
            return Vec::new();
        }
    }
    match model.modals.pop() {
        Some(Modal::Form(form)) if form.action == Action::Attach => read_file(model, form),
        Some(Modal::Form(form)) if form.action == Action::Update => write(model, form, ids),
        Some(Modal::Form(form)) => submit_form(model, form, ids),
        Some(Modal::Confirm { commands, occurred, form, .. }) => {
            let mut effects = acts::send_all(model, commands, occurred, form, ids);
            effects.push(ask(model, ids, Asked::Nothing, Ask::Writing { incident: None }));
            effects
        }
        Some(Modal::Palette { input, at }) => match palette(&input).get(at).copied() {
            Some(action) => keys::act(model, action, 1, ids),
            None => Vec::new(),
        },
        Some(Modal::Find(find)) => {
            let hit = find.hits.get(find.at).filter(|_| find.in_texts);
            model.wanted_entry = hit.map(|hit| hit.seq);
            let incident = if find.in_texts {
                hit.and_then(|hit| hit.incident)
            } else {
                find.rows.get(find.at).map(|row| row.id)
            };
            incident.map_or_else(Vec::new, |id| go_to(model, id, ids))
        }
        Some(Modal::Alerts(list)) => {
            let purpose = list.purpose;
            model.modals.push(Modal::Alerts(list));
            alerts::act(model, purpose, ids)
        }
        Some(Modal::Drafts { drafts, at, .. }) => drafts::take_up(model, &drafts, at, ids),
        Some(
            Modal::Help { .. } | Modal::Details { .. } | Modal::Page { .. } | Modal::OnCall { .. },
        )
        | None => Vec::new(),
    }
}

/// What a form asks for is sent, or asked about first; or the form comes back with what is wrong.
fn submit_form(model: &mut Model, mut form: Box<Form>, ids: &mut dyn Ids) -> Vec<Effect> {
    form.like = likeness(model, &form);
    let early = || forms::talk::too_early(&form, model.watched_for(&form), model.now);
    let built = match not_seen(model, &form).or_else(|| own_words(model, &form)).or_else(early) {
        Some(why) => Err(why),
        None => forms::build(&form, model.now),
    };
    let (commands, occurred) = match built {
        Ok(built) => built,
        Err(why) => {
            form.refuse(why);
            model.modals.push(Modal::Form(form));
            return Vec::new();
        }
    };
    let question = forms::question(&form, &model.mirror.plan, model.watched_for(&form), model.now);
    if commands.len() > 1 || question.is_some() {
        let question = question.unwrap_or_else(|| acts::question(form.action, &commands));
        // While somebody thinks about the question, the line may drop.
        let (key, text) = (form.draft_key(), form.draft());
        let form = Some(form);
        model.modals.push(Modal::Confirm { question, scroll: 0, commands, occurred, form });
        if text.is_empty() || model.draft_at.take().is_none() {
            return Vec::new();
        }
        return vec![drafts::keep(model, ids, key, text)];
    }
    model.draft_at = None;
    let words = taken_back::keep_words(model, &form, ids);
    let mut effects = acts::send_all(model, commands, occurred, Some(form), ids);
    effects.extend(words);
    effects.push(ask(model, ids, Asked::Nothing, Ask::Writing { incident: None }));
    effects
}

/// What is approved, or made from a template, is shown from the incident that is looked at: it must
/// be the one that the form is about.
fn not_seen(model: &Model, form: &Form) -> Option<String> {
    let shows = matches!(form.action, Action::Approve | Action::Update);
    let id = form.incidents.first().filter(|_| shows)?;
    let is_seen = model.watched_for(form).is_some() && model.selected_id == Some(*id);
    (!is_seen).then(|| format!("{id} is not what is shown now: go back to it, then do this again"))
}

/// What the words are like that are read once for several incidents.
fn likeness(model: &Model, form: &Form) -> Option<String> {
    let is_bulk = form.action == Action::Approve && form.incidents.len() > 1;
    let number = form.value("update").split(' ').next()?.parse().ok()?;
    let update = model.watched_for(form).filter(|_| is_bulk)?.talk.update(number)?;
    Some(update.draft.likeness())
}

/// What whoever wrote words hears who would look at them.
const OWN_WORDS: &str = "you wrote it yourself: another one looks at it, or say why nobody can";

/// Nobody is asked whether to send what they may not send: their own words need another's look.
fn own_words(model: &Model, form: &Form) -> Option<String> {
    let is_unforced = form.value("force").trim().is_empty();
    if form.action == Action::PublishMaintenance && is_unforced {
        let number = form.value("window").split(' ').next()?.parse().ok()?;
        let window = model.mirror.desk.windows.get(&number).filter(|it| it.by == model.login);
        return window.map(|_| OWN_WORDS.to_owned());
    }
    let is_alone = form.action == Action::Approve && is_unforced;
    let number = form.value("update").split(' ').next()?.parse().ok()?;
    let update = model.watched_for(form).filter(|_| is_alone)?.talk.update(number)?;
    let is_own = update.by == model.login;
    is_own.then(|| OWN_WORDS.to_owned())
}

/// What is known becomes words, in a form of their own.
fn write(model: &mut Model, mut form: Box<Form>, ids: &mut dyn Ids) -> Vec<Effect> {
    let made = not_seen(model, &form).map_or(Ok(()), Err).and_then(|()| {
        // It is about what it was opened for, whatever was marked since.
        let others = acts::others(model, &form.incidents);
        let held = forms::update::held(model.mirror.ordered(), &form.incidents);
        let about = forms::About { others, held, ..acts::about(model, Action::Update) };
        forms::update::written(&form, &about, model.now)
    });
    match made {
        Ok(second) => {
            let (key, text) = (form.draft_key(), String::new());
            let mut effects = vec![drafts::keep(model, ids, key, text)];
            effects.extend(acts::show_form(model, second, ids));
            effects.extend(drafts::save(model, ids));
            effects
        }
        Err(why) => {
            form.refuse(why);
            model.modals.push(Modal::Form(form));
            Vec::new()
        }
    }
}

/// The file is read by the runner; until then the form waits.
fn read_file(model: &mut Model, mut form: Box<Form>) -> Vec<Effect> {
    let path = form.value("path");
    if path.trim().is_empty() {
        form.refuse("name a file".to_owned());
        model.modals.push(Modal::Form(form));
        return Vec::new();
    }
    if model.reading.is_some() {
        form.refuse("another file is being read: wait for that one".to_owned());
        model.modals.push(Modal::Form(form));
        return Vec::new();
    }
    model.say(Tone::Plain, format!("reading {path}…"));
    model.reading = Some(form);
    vec![Effect::ReadFile(path)]
}

/// The file was read: its hash goes on record; or the form comes back with what is wrong.
pub(super) fn file_read(
    model: &mut Model,
    read: Result<FileFacts, String>,
    ids: &mut dyn Ids,
) -> Vec<Effect> {
    let Some(mut form) = model.reading.take() else {
        return Vec::new();
    };
    let Some(incident) = form.incidents.first().copied() else {
        return Vec::new();
    };
    match read {
        Ok(FileFacts { name, sha256, bytes }) => {
            let note = form.value("note");
            let command = Command::Attach { incident, name, sha256, bytes, note };
            let mut effects = acts::send_all(model, vec![command], None, Some(form), ids);
            effects.push(ask(model, ids, Asked::Nothing, Ask::Writing { incident: None }));
            effects
        }
        Err(why) => {
            form.refuse(format!("the file cannot be read: {why}"));
            super::keeper::bring_back(model, form);
            Vec::new()
        }
    }
}

/// Goes to what this person was paged for, the next one each time.
pub(super) fn go_paged(model: &mut Model, ids: &mut dyn Ids) -> Vec<Effect> {
    if model.paged.is_empty() {
        model.say(Tone::Plain, "you are paged for nothing that is open");
        return Vec::new();
    }
    model.paged.rotate_left(1);
    let id = model.paged.last().copied();
    model.notice = None;
    let effects = id.map_or_else(Vec::new, |id| go_to(model, id, ids));
    model.focus = crate::tui::model::Pane::Queue;
    effects
}

/// Shows an incident, in the queue or not.
pub(super) fn go_to(model: &mut Model, id: IncidentId, ids: &mut dyn Ids) -> Vec<Effect> {
    model.filter.clear();
    model.past = None;
    model.visiting = true;
    model.selected_id = Some(id);
    model.refresh();
    if let Some(index) = model.shown.iter().position(|shown| *shown == id) {
        model.selected = index;
        model.visiting = false;
        model.keep_in_view();
    } else {
        // It is over: the panes show it, the queue does not hold it.
        model.say(
            Tone::Plain,
            format!("{id} is over: 'O' reopens it, 'W' takes a merge back, esc leaves"),
        );
    }
    model.focus = crate::tui::model::Pane::Timeline;
    model.go_to_wanted();
    super::keeper::follow(model, ids)
}

/// Leaves a form; what was written is kept by the keeper.
pub(super) fn cancel(model: &mut Model, ids: &mut dyn Ids) -> Vec<Effect> {
    let mut effects = drafts::save(model, ids);
    if let Some(Modal::Form(form)) = model.modals.pop()
        && form.is_changed
        && !form.draft().is_empty()
    {
        if model.link == LinkState::Up {
            model.say(Tone::Plain, "kept as a draft; 'P' takes it up again");
        } else {
            model.say(Tone::Plain, "a draft: the keeper gets it when it is back; do not leave");
        }
    }
    model.draft_at = None;
    effects.push(ask(model, ids, Asked::Nothing, Ask::Writing { incident: None }));
    effects
}

/// What a form proposes for one stakeholder is not for another: it follows the choice, until somebody
/// wrote something else.
pub(super) fn follow_choice(model: &mut Model) {
    let Some(Modal::Form(form)) = model.modals.last() else { return };
    let Some(incident) = model.watched_for(form) else { return };
    let name = form.fields.get(form.at).map_or("", |field| field.name);
    if form.action == Action::Update && name == "audience" && form.is_proposed("next") {
        let next = forms::update::next_for(&form.value(name), incident, &model.mirror.plan);
        if let Some(Modal::Form(form)) = model.modals.last_mut() {
            form.set("next", &next);
        }
        return;
    }
    if form.action != Action::Contact || name != "stakeholder" {
        return;
    }
    let about = forms::About {
        stakeholder: Some(form.value("stakeholder")),
        ..acts::about(model, Action::Contact)
    };
    let Some(fresh) = forms::open(Action::Contact, &about) else { return };
    if let Some(Modal::Form(form)) = model.modals.last_mut() {
        form.take_proposals(fresh);
    }
}

/// Asks for what was typed.
pub(super) fn search(model: &mut Model, ids: &mut dyn Ids) -> Vec<Effect> {
    let Some(Modal::Find(find)) = model.modals.last_mut() else {
        return Vec::new();
    };
    let query = find.input.clone();
    if find.in_texts && query.trim().len() < 2 {
        find.hits.clear();
        return Vec::new();
    }
    let wanted = if find.in_texts {
        Ask::Search { query, limit: HITS }
    } else {
        Ask::Closed { query, limit: HITS }
    };
    let id = ids.fresh();
    find.asked = Some(id.clone());
    model.asked.insert(id.clone(), Asked::Find);
    vec![Effect::Send { id, ask: wanted }]
}

/// The actions whose name or help holds what was typed.
pub fn palette(input: &str) -> Vec<Action> {
    let words: Vec<String> = input.split_whitespace().map(str::to_lowercase).collect();
    let mut found: Vec<Action> = Action::ALL
        .iter()
        .copied()
        .filter(|action| action.is_offered())
        .filter(|action| {
            let hay = format!("{} {}", action.name(), action.help()).to_lowercase();
            words.iter().all(|word| hay.contains(word.as_str()))
        })
        .collect();
    // A name that begins with what was typed is what was meant.
    found.sort_by_key(|action| {
        let is_meant = words.first().is_some_and(|word| action.name().starts_with(word.as_str()));
        (!is_meant, action.group() == "Moving")
    });
    found
}

pub(super) fn move_rows(model: &mut Model, by: isize) {
    let clamp = |at: usize, count: usize| at.saturating_add_signed(by).min(count.saturating_sub(1));
    let room = usize::from(model.size.1.saturating_sub(2)).max(1);
    let help_lines = crate::tui::view::modal::help_lines(model).len();
    let help_lines = help_lines.saturating_sub(room) + 1;
    let columns = crate::tui::view::details::columns(model.size.0);
    let details_lines = crate::tui::view::details::wrapped(model, columns).len();
    let details_lines = details_lines.saturating_sub(room) + 1;
    let is_calendar = matches!(model.modals.last(), Some(Modal::OnCall { .. }));
    let days = if is_calendar { crate::tui::view::calendar::lines(model).len() } else { 0 };
    let days = days.saturating_sub(room) + 1;
    let page = match model.modals.last() {
        Some(Modal::Page { what, .. }) => crate::tui::view::page::wrapped(model, *what).len(),
        _ => 0,
    };
    let page = page.saturating_sub(room) + 1;
    let question = match model.modals.last() {
        Some(Modal::Confirm { question, .. }) => {
            crate::tui::view::modal::question_overflow(question, model.size)
        }
        _ => 0,
    };
    match model.modals.last_mut() {
        Some(Modal::Confirm { scroll, .. }) => *scroll = clamp(*scroll, question + 1),
        Some(Modal::Page { scroll, .. }) => *scroll = clamp(*scroll, page),
        Some(Modal::Help { scroll }) => *scroll = clamp(*scroll, help_lines),
        Some(Modal::Details { scroll }) => *scroll = clamp(*scroll, details_lines),
        Some(Modal::OnCall { scroll }) => *scroll = clamp(*scroll, days),
        Some(Modal::Palette { input, at }) => *at = clamp(*at, palette(input).len()),
        Some(Modal::Find(find)) => {
            let count = if find.in_texts { find.hits.len() } else { find.rows.len() };
            find.at = clamp(find.at, count);
        }
        Some(Modal::Alerts(list)) => list.at = clamp(list.at, list.rows.len()),
        Some(Modal::Drafts { drafts, at, .. }) => *at = clamp(*at, drafts.len()),
        Some(Modal::Form(_)) | None => {}
    }
}
