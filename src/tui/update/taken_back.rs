//! Words that are taken back are kept as a draft of whoever wrote them, to be written anew, whoever took
//! them back.

use crate::domain::change::Change;
use crate::domain::event::{Body, Recorded};
use crate::domain::ids::IncidentId;
use crate::domain::talk::Update;
use crate::domain::talk::change::TalkChange;
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

/// Somebody else took back what this person wrote: they are told, and have their words.
pub(super) fn sent_back(
    model: &mut Model,
    incident: IncidentId,
    events: &[Recorded],
    ids: &mut dyn Ids,
) -> Vec<Effect> {
    let (mut effects, me) = (Vec::new(), model.login.clone());
    for event in events.iter().filter(|event| event.actor.login != me) {
        let Body::Incident { change: Change::Talk(talk), .. } = &event.body else { continue };
        let TalkChange::Withdrawn { update, reason } = &**talk else { continue };
        let watched = model.mirror.watched.as_ref().filter(|it| it.head.id == incident);
        let known = watched.and_then(|it| Some((&it.head, it.head.talk.update(*update)?)));
        let Some((head, known)) = known.filter(|(_, known)| known.by == me) else {
            continue;
        };
        let text = as_draft(head, &known.draft);
        let why = if reason.is_empty() { "no reason was given" } else { reason.as_str() };
        let key = model.keymap.key_in(&["global"], Action::Drafts).unwrap_or_default();
        let by = &event.actor.login;
        let words = format!(
            "{by} took back your update {update} of {incident}: {why} ({key} has its words)"
        );
        model.say(Tone::Bad, words);
        model.bell = true;
        effects.push(keep(model, ids, key_of(incident, *update), text));
    }
    effects
}
