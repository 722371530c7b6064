//! Words that are taken back are kept as a draft of whoever wrote them, to be written anew.

use crate::domain::talk::Update;
use crate::tui::action::Action;
use crate::tui::form::Form;
use crate::tui::forms::update::as_draft;
use crate::tui::model::Model;
use crate::tui::update::modals::{OLDER, keep};
use crate::tui::update::{Effect, Ids};

/// Keeps the words of the update that a form takes back, where they are one's own.
pub(super) fn keep_words(model: &mut Model, form: &Form, ids: &mut dyn Ids) -> Option<Effect> {
    let number = form.value("update").split(' ').next()?.parse().ok()?;
    let is_own = |update: &&Update| update.by == model.login;
    let incident = model.watched_for(form).filter(|_| form.action == Action::Withdraw)?;
    let update = incident.talk.update(number).filter(is_own)?;
    let key = format!("{} {}{OLDER}{number}", Action::Write.name(), incident.id);
    let text = as_draft(incident, &update.draft);
    Some(keep(model, ids, key, text))
}
