//! What is half-written: kept by the keeper, listed, taken up with what it is about, thrown away.

use std::collections::BTreeSet;

use crate::domain::ids::IncidentId;
use crate::domain::incident::Stage;
use crate::proto::Ask;
use crate::tui::action::Action;
use crate::tui::form::Form;
use crate::tui::forms;
use crate::tui::model::{Asked, Modal, Model, Tone};
use crate::tui::update::{Effect, Ids, acts, ask, modals};

/// Ends the name of a draft that gave way to a newer one.
pub const OLDER: char = '~';
pub(super) const APART: &str = "you write on this at another console too: drafts are kept apart";

/// Throws the draft under the cursor away; as long as the list is open it can be brought back.
pub(super) fn throw_away(model: &mut Model, ids: &mut dyn Ids) -> Vec<Effect> {
    let Some(Modal::Drafts { drafts, at, dropped }) = model.modals.last_mut() else {
        return Vec::new();
    };
    if *at >= drafts.len() {
        return Vec::new();
    }
    let gone = drafts.remove(*at);
    let key = gone.0.clone();
    dropped.push(gone);
    *at = (*at).min(drafts.len().saturating_sub(1));
    model.say(Tone::Plain, "thrown away; u brings it back");
    vec![keep(model, ids, key, String::new())]
}

/// Brings the draft that was thrown away last back to where the cursor is.
pub(super) fn bring_back(model: &mut Model, ids: &mut dyn Ids) -> Vec<Effect> {
    let Some(Modal::Drafts { drafts, at, dropped }) = model.modals.last_mut() else {
        return Vec::new();
    };
    let Some((key, text)) = dropped.pop() else {
        model.say(Tone::Plain, "nothing was thrown away here");
        return Vec::new();
    };
    *at = (*at).min(drafts.len());
    drafts.insert(*at, (key.clone(), text.clone()));
    model.say(Tone::Plain, "brought back");
    vec![keep(model, ids, key, text)]
}

/// Takes up one of the drafts that are listed. What is open at another console of the same person keeps
/// its name there: neither overwrites the other.
pub(super) fn take_up(
    model: &mut Model,
    drafts: &[(String, String)],
    at: usize,
    ids: &mut dyn Ids,
) -> Vec<Effect> {
    let Some((key, text)) = drafts.get(at) else { return Vec::new() };
    let about = incident_of(key, text);
    let mut key = key.clone();
    if writes_elsewhere(model, about) {
        while drafts.iter().any(|(name, _)| *name == key) {
            key.push(OLDER);
        }
    }
    // What it says is read beside what it is about.
    let mut effects = Vec::new();
    if let Some(id) = about.filter(|id| model.selected_id != Some(*id)) {
        effects = modals::go_to(model, id, ids);
    }
    if about.is_some() && model.watched().map(|head| head.id) != about {
        model.taking_up = about.map(|id| (id, key, text.clone()));
    } else {
        effects.extend(taken_up(model, about, (&key, text), ids));
    }
    effects
}

/// A draft is taken up with what it is about: of what was merged, that is what goes on.
pub(super) fn taken_up(
    model: &mut Model,
    about: Option<IncidentId>,
    (key, text): (&str, &str),
    ids: &mut dyn Ids,
) -> Vec<Effect> {
    if let Some(Stage::Merged { into, .. }) = model.watched().map(|head| &head.stage) {
        let (id, into) = (model.watched().map(|head| head.id), *into);
        if id == about {
            model.taking_up = Some((into, key.to_owned(), text.to_owned()));
            return modals::go_to(model, into, ids);
        }
    }
    let mut key = key.to_owned();
    if incident_of(&key, text) != about && writes_elsewhere(model, about) {
        key = format!("{key}{OLDER}{OLDER}{}", model.client);
    }
    let key = key.as_str();
    let Some(mut form) = form_of(model, key, text, about) else { return Vec::new() };
    let all = Form::incidents_of(text);
    let gone = all.iter().find(|id| all.len() > 1 && !form.incidents.contains(id));
    if let Some(id) = gone.filter(|id| about == incident_of(key, text) || Some(**id) != about) {
        form.refuse(format!("{id} is over or part of another one now, and left out"));
    }
    let from = incident_of(key, text).filter(|id| about.is_some_and(|about| about != *id));
    if let Some((from, into)) = from.zip(about) {
        form.refuse(format!("{from} was merged into {into}: these words go there now"));
    } else if writes_elsewhere(model, about) {
        form.refuse(APART.to_owned());
    }
    acts::show_form(model, form, ids)
}

/// The incident that a draft is about; of several, the first one.
fn incident_of(key: &str, text: &str) -> Option<IncidentId> {
    let named = key.split_once(' ').and_then(|(_, about)| about.split(OLDER).next()?.parse().ok());
    named.or_else(|| Form::incidents_of(text).first().copied())
}

/// The form that a draft was left in, by its name; `about` is the incident where it is another one now.
pub(super) fn form_of(
    model: &Model,
    key: &str,
    text: &str,
    about: Option<IncidentId>,
) -> Option<Form> {
    let (name, _) = key.split_once(' ')?;
    let action = Action::named(name)?;
    let before = incident_of(key, text);
    let incident = about.or(before);
    let mut several: Vec<IncidentId> = Vec::new();
    for id in Form::incidents_of(text) {
        let id = incident.filter(|_| Some(id) == before).unwrap_or(id);
        // What is over, or part of another one by now, takes no more words.
        let is_live = Some(id) == incident || model.mirror.row(id).is_some();
        if is_live && !several.contains(&id) {
            several.push(id);
        }
    }
    let info = forms::About {
        is_over: false,
        others: acts::others(model, &several),
        held: BTreeSet::new(),
        incident: model.watched().filter(|i| Some(i.id) == incident),
        incidents: if several.is_empty() { incident.into_iter().collect() } else { several },
        plan: &model.mirror.plan,
        login: &model.login,
        levels: acts::levels(model),
        changes: &model.mirror.desk.changes,
        windows: acts::windows(model),
        waiting: acts::waiting(model),
        silences: acts::silences(model),
        now: model.now,
        entry: None,
        stakeholder: None,
        line: None,
    };
    let made = if action == Action::Write {
        forms::update::restored(&info, text)
    } else {
        forms::open(action, &info).map(|mut form| {
            form.restore(text);
            form
        })
    };
    made.map(|mut form| {
        form.draft_name = Some(key.to_owned());
        form
    })
}

/// A form that was just opened takes up what was left of it before; where something was typed
/// already, the older words are kept beside it.
pub(super) fn take_back(
    model: &mut Model,
    key: &str,
    drafts: &[(String, String)],
    ids: &mut dyn Ids,
) -> Vec<Effect> {
    let Some(Modal::Form(form)) = model.modals.last_mut() else { return Vec::new() };
    let words = key.replacen(Action::Update.name(), Action::Write.name(), 1);
    if key.starts_with("update ") && drafts.iter().any(|(name, _)| *name == words) {
        model.say(Tone::Plain, "words that you left half-written are kept: esc, then 'P'");
        return Vec::new();
    }
    let is_wanted = form.draft_key() == *key;
    // What was just sent is on its way, and no draft.
    let is_sent = model.in_flight.values().any(|flight| flight.draft.as_deref() == Some(key));
    let text = drafts.iter().find(|(name, _)| name == key).filter(|_| is_wanted && !is_sent);
    let Some(text) = text.map(|(_, text)| text.clone()) else { return Vec::new() };
    if form.is_changed {
        if text == form.draft() {
            return Vec::new();
        }
        let mut key = format!("{key}{OLDER}");
        while drafts.iter().any(|(name, kept)| *name == key && *kept != text) {
            key.push(OLDER);
        }
        model.say(Tone::Plain, "an older draft of this is kept; 'P' lists it");
        return vec![keep(model, ids, key, text)];
    }
    form.restore(&text);
    model.say(Tone::Plain, "this is the draft you left; ctrl-u clears a line");
    Vec::new()
}

/// Hands what is written to the keeper, so that a dropped line loses nothing.
pub(super) fn save(model: &mut Model, ids: &mut dyn Ids) -> Vec<Effect> {
    let Some(Modal::Form(form)) = model.modals.last() else {
        return Vec::new();
    };
    if !form.is_changed {
        return Vec::new();
    }
    let (key, text) = (form.draft_key(), form.draft());
    vec![keep(model, ids, key, text)]
}

/// Gives the keeper a draft, and remembers it until the keeper says that it is kept. An empty one is
/// thrown away.
pub(super) fn keep(model: &mut Model, ids: &mut dyn Ids, key: String, text: String) -> Effect {
    model.unsaved.remove(&key);
    let about = Asked::Saving(key.clone(), text.clone());
    ask(model, ids, about, Ask::SaveDraft { key, text, only_new: false })
}

/// Whether this person has a form open on an incident at another console.
pub(super) fn writes_elsewhere(model: &Model, incident: Option<IncidentId>) -> bool {
    let is_twin = |it: &&crate::proto::Present| {
        it.writing && it.login == model.login && it.client != model.client
    };
    let mut twins = model.mirror.people.iter().filter(is_twin);
    incident.is_some() && model.client > 0 && twins.any(|it| it.incident == incident)
}
