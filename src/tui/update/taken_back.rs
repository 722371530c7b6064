//! Words that are taken back are kept as a draft of whoever wrote them, to be written anew, whoever took
//! them back.

use crate::domain::change::Change;
use crate::domain::event::{Body, Recorded};
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::talk::change::TalkChange;
use crate::domain::talk::{Standing, Update};
use crate::tui::action::Action;
use crate::tui::form::Form;
use crate::tui::forms::update::as_draft;
use crate::tui::model::{Model, Tone};
use crate::tui::update::modals::{OLDER, keep};
use crate::tui::update::{Effect, Ids};

/// Keeps the words of the update that a form takes back, where they are one's own.
pub(super) fn keep_words(model: &mut Model, form: &Form, ids: &mut dyn Ids) -> Option<Effect> {
    let number = form.value("update").split(' ').next()?.parse().ok()?;
    let is_own = |update: &&Update| update.by == model.login;
    let incident = model.watched_for(form).filter(|_| form.action == Action::Withdraw)?;
    let update = incident.talk.update(number).filter(is_own)?;
    let text = as_draft(incident, &update.draft);
    Some(keep(model, ids, key_of(incident.id, number), text))
}

fn key_of(incident: IncidentId, number: u32) -> String {
    format!("{} {incident}{OLDER}{number}", Action::Write.name())
}

/// Somebody else took back what this person wrote: they are told, and have their words. Of what was taken
/// back while nobody looked they hear at their next look, as long as they wrote nothing newer; once in each
/// console.
pub(super) fn sent_back(
    model: &mut Model,
    incident: IncidentId,
    events: Option<&[Recorded]>,
    ids: &mut dyn Ids,
) -> Vec<Effect> {
    let Some(head) = model.watched().filter(|head| head.id == incident) else {
        return Vec::new();
    };
    let mut found: Vec<(u32, String, String)> = match events {
        Some(events) => events.iter().filter_map(taken_back).collect(),
        None => last_of(head, &model.login).into_iter().collect(),
    };
    found.retain(|(number, by, _)| {
        let is_mine = head.talk.update(*number).is_some_and(|known| known.by == model.login);
        is_mine && *by != model.login && !model.sent_back.contains(&(incident, *number))
    });
    let mut effects = Vec::new();
    for (number, by, reason) in found {
        let Some((head, known)) =
            model.watched().and_then(|head| Some((head, head.talk.update(number)?)))
        else {
            continue;
        };
        let text = as_draft(head, &known.draft);
        let why = if reason.is_empty() { "no reason was given" } else { reason.as_str() };
        let key = model.keymap.key_in(&["global"], Action::Drafts).unwrap_or_default();
        let words = format!(
            "{by} took back your update {number} of {incident}: {why} ({key} has its words)"
        );
        model.say(Tone::Bad, words);
        model.bell = true;
        model.sent_back.insert((incident, number));
        effects.push(keep(model, ids, key_of(incident, number), text));
    }
    effects
}

/// Which update an entry takes back, who did it, and why.
fn taken_back(event: &Recorded) -> Option<(u32, String, String)> {
    let Body::Incident { change: Change::Talk(talk), .. } = &event.body else { return None };
    let TalkChange::Withdrawn { update, reason } = &**talk else { return None };
    Some((*update, event.actor.login.clone(), reason.clone()))
}

/// The newest update of a person's in an incident that goes on, if it was taken back.
fn last_of(head: &Incident, login: &str) -> Option<(u32, String, String)> {
    let mut own = head.talk.updates.iter().rev().filter(|update| update.by == login);
    let last = own.next().filter(|_| head.phase().is_active())?;
    let Standing::Withdrawn { reason, by } = &last.standing else { return None };
    let is_known = !by.is_empty();
    is_known.then(|| (last.draft.update, by.clone(), reason.clone()))
}
