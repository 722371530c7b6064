//! Words that are taken back are kept as a draft of whoever wrote them, to be written anew, whoever took
//! them back.

use crate::domain::change::Change;
use crate::domain::event::{Body, Recorded};
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::stakeholder::Audience;
use crate::domain::talk::change::TalkChange;
use crate::domain::talk::{Standing, Update};
use crate::proto::Ask;
use crate::tui::action::Action;
use crate::tui::form::Form;
use crate::tui::forms::update::as_draft;
use crate::tui::model::Asked;
use crate::tui::model::{Model, Tone};
use crate::tui::update::drafts::{OLDER, keep};
use crate::tui::update::{Effect, Ids, ask};

/// Keeps the words of the update that a form takes back, where they are one's own.
pub(super) fn keep_words(model: &mut Model, form: &Form, ids: &mut dyn Ids) -> Option<Effect> {
    let number = form.value("update").split(' ').next()?.parse().ok()?;
    let is_own = |update: &&Update| update.by == model.login;
    let incident = model.watched_for(form).filter(|_| form.action == Action::Withdraw)?;
    let update = incident.talk.update(number).filter(is_own)?;
    let text = as_draft(incident, &update.draft);
    Some(keep(model, ids, key_of(incident.id, number), text))
}

/// The words of an update that its author took back, as a draft: its name, and what it holds.
pub fn own_words(incident: &Incident, number: u32) -> Option<(String, String)> {
    let update = incident.talk.update(number)?;
    let is_own = matches!(&update.standing, Standing::Withdrawn { by, .. } if *by == update.by);
    is_own.then(|| (key_of(incident.id, number), as_draft(incident, &update.draft)))
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
        None => last_of(head, &model.login),
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
        effects.push(keep_new(model, ids, key_of(incident, number), text));
    }
    effects
}

/// Keeps words as a draft unless there is one of this name: what was written anew since stays.
fn keep_new(model: &mut Model, ids: &mut dyn Ids, key: String, text: String) -> Effect {
    let about = Asked::Saving(key.clone(), text.clone());
    ask(model, ids, about, Ask::SaveDraft { key, text, only_new: true })
}

/// Which update an entry takes back, who did it, and why.
fn taken_back(event: &Recorded) -> Option<(u32, String, String)> {
    let Body::Incident { change: Change::Talk(talk), .. } = &event.body else { return None };
    let TalkChange::Withdrawn { update, reason } = &**talk else { return None };
    Some((*update, event.actor.login.clone(), reason.clone()))
}

/// The newest updates of a person's to each audience, in an incident that is live, as far as somebody took
/// them back.
fn last_of(head: &Incident, login: &str) -> Vec<(u32, String, String)> {
    let mut seen: Vec<Audience> = Vec::new();
    let own = head.talk.updates.iter().rev().filter(|update| update.by == login);
    let last = own.filter(|update| {
        let is_last = !seen.contains(&update.draft.audience);
        seen.push(update.draft.audience);
        is_last && head.phase().is_live()
    });
    let back = last.filter_map(|update| match &update.standing {
        Standing::Withdrawn { reason, by } if !by.is_empty() => {
            Some((update.draft.update, by.clone(), reason.clone()))
        }
        Standing::Withdrawn { .. } | Standing::Waiting | Standing::Sent { .. } => None,
    });
    back.collect()
}
