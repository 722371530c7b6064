//! The only place where the model changes. What should happen in the world is returned.
//!
//! Invariants:
//! - No clock, no socket, no terminal: time comes in with `Msg::Tick`, ids are made by the runner.

mod acts;
mod alerts;
pub mod drafts;
mod keeper;
mod keys;
pub mod modals;
mod mouse;
pub mod taken_back;
mod wanted;

use crossterm::event::KeyEvent;

use crate::domain::ids::CommandId;
use crate::domain::talk::promise;
use crate::domain::time::Timestamp;
use crate::proto::{Ask, KeeperMsg};
use crate::tui::evidence::FileFacts;
use crate::tui::model::{Asked, BACK, LinkState, Model, SILENT_MS};
use crate::tui::view::stakeholders;

/// Everything that can happen to the console.
#[derive(Debug)]
pub enum Msg {
    Key(KeyEvent),
    Paste(String),
    Resize(u16, u16),
    /// A click into the screen (column, line), and the wheel there (down: true).
    Click(u16, u16),
    Wheel(u16, u16, bool),
    /// A file was read for the form that waits for it.
    FileRead(Result<FileFacts, String>),
    /// The line dropped: what is being written is saved.
    Leave,
    FromKeeper(Box<KeeperMsg>),
    Lost(String),
    Tick,
}

/// What should happen in the world.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Send {
        id: CommandId,
        ask: Ask,
    },
    /// Read this file; the answer is `Msg::FileRead`.
    ReadFile(String),
    Copy(String),
    Suspend,
    Redraw,
    Quit,
}

/// How long the cursor must rest before the other panes follow, in milliseconds.
pub const REST_MS: i64 = 120;
/// How long a changed draft waits before it is saved.
pub const DRAFT_MS: i64 = 700;
/// How long an act waits for the incident that it is about.
pub const HELD_MS: i64 = 3_000;
/// How long a message stays.
pub const NOTICE_MS: i64 = 8_000;
/// Begins the reason where somebody stopped the keeper.
const STOPPED: &str = "'warroom' starts it";
/// Rows wanted before the first picture, and in each further answer.
pub const FIRST_ROWS: u32 = 100;
const MORE_ROWS: u32 = 1_000;

/// What `update` may ask of its caller: an id for a request.
pub trait Ids {
    /// A fresh id.
    fn fresh(&mut self) -> CommandId;
}

/// Takes one message.
pub fn update(model: &mut Model, msg: Msg, now: Timestamp, ids: &mut dyn Ids) -> Vec<Effect> {
    model.now = now;
    let is_heard = matches!(msg, Msg::FromKeeper(_));
    let mut effects = match msg {
        Msg::Key(event) => keys::key(model, event, ids),
        Msg::Paste(text) => keys::paste(model, &text, ids),
        Msg::Resize(width, height) => {
            model.size = (width, height);
            model.keep_in_view();
            Vec::new()
        }
        Msg::Click(x, y) => mouse::click(model, x, y),
        Msg::Wheel(x, y, down) => mouse::wheel(model, x, y, down),
        Msg::FileRead(read) => modals::file_read(model, read, ids),
        Msg::Leave => drafts::save(model, ids),
        Msg::FromKeeper(message) => {
            let (before, entry) = (stakeholders::at(model), model.entry_under_cursor());
            let is_wanted = model.wanted_entry.is_some();
            let effects = keeper::receive(model, *message, ids);
            stakeholders::go_back_to(model, before);
            model.go_back_to_entry(entry.filter(|_| !is_wanted));
            effects
        }
        Msg::Lost(why) => {
            lose(model, why);
            for (_, about) in std::mem::take(&mut model.asked) {
                // Nobody knows whether it is kept: the next keeper is given it again.
                if let Asked::Saving(key, text) = about {
                    model.unsaved.entry(key).or_insert(text);
                }
            }
            if !model.held.is_empty() {
                model.drop_held("the keeper is gone");
            }
            Vec::new()
        }
        Msg::Tick => Vec::new(),
    };
    model.refresh();
    // The past is that of one incident.
    if model.past.as_ref().is_some_and(|past| Some(past.incident) != model.selected_id) {
        model.past = None;
    }
    if !model.held.is_empty() && model.selected_id != model.held_for {
        model.drop_held("the cursor came to another incident; look, then press it again");
    }
    effects.extend(due(model, ids));
    keep_unsaved(model, &effects);
    watch_the_keeper(model, is_heard, &effects);
    effects
}

/// The link is gone, or the next try failed: since when stays, why is news.
fn lose(model: &mut Model, why: String) {
    let since = match &model.link {
        // Who stopped it says more than that it cannot be reached.
        LinkState::Lost { why, .. } if why.starts_with(STOPPED) => return,
        LinkState::Lost { since, .. } => *since,
        LinkState::Connecting | LinkState::Up => model.now,
    };
    model.link = LinkState::Lost { since, why };
    if model.notice.as_ref().is_some_and(|notice| notice.text.starts_with(BACK)) {
        model.notice = None;
    }
}

/// What is written while there is no keeper is given to the next one.
fn keep_unsaved(model: &mut Model, effects: &[Effect]) {
    if model.link == LinkState::Up {
        return;
    }
    for effect in effects {
        let Effect::Send { id, ask } = effect else { continue };
        // Nobody is there to answer it.
        model.asked.remove(id);
        if let Ask::SaveDraft { key, text, .. } = ask {
            model.unsaved.insert(key.clone(), text.clone());
        }
    }
}

/// Notes since when the keeper owes an answer and says nothing: one that hangs holds the line up.
fn watch_the_keeper(model: &mut Model, is_heard: bool, effects: &[Effect]) {
    let owes = !model.asked.is_empty() || !model.in_flight.is_empty();
    let asks = effects.iter().any(|effect| matches!(effect, Effect::Send { .. }));
    model.unanswered_since = match model.unanswered_since {
        _ if !owes || model.link != LinkState::Up => None,
        Some(since) if !is_heard => Some(since),
        None if !asks => None,
        _ => Some(model.now),
    };
}

/// What the passing of time brings.
fn due(model: &mut Model, ids: &mut dyn Ids) -> Vec<Effect> {
    let mut effects = Vec::new();
    let now = model.now;
    if model.follow_at.is_some_and(|at| at <= now) {
        model.follow_at = None;
        effects.extend(keeper::follow(model, ids));
    }
    if std::mem::take(&mut model.wants_older) {
        effects.extend(keeper::older(model, ids));
    }
    if model.draft_at.is_some_and(|at| at <= now) {
        model.draft_at = None;
        effects.extend(drafts::save(model, ids));
    }
    if !model.held.is_empty() && now.since(model.held_since) > HELD_MS {
        model.drop_held("the keeper is slow to show this incident; look, then press it again");
    }
    if model.notice.as_ref().is_some_and(|notice| now.since(notice.at) > NOTICE_MS) {
        model.notice = None;
    }
    effects
}

/// When something in the model will be due, if nothing else happens; for the runner's sleep.
pub fn next_due(model: &Model) -> Option<Timestamp> {
    let notice = model.notice.as_ref().map(|notice| notice.at.plus(NOTICE_MS + 1));
    let lost = match &model.link {
        // A countdown is on the screen.
        LinkState::Lost { .. } => Some(Timestamp((model.now.0 / 1000 + 1) * 1000)),
        LinkState::Connecting | LinkState::Up => None,
    };
    let silent = model
        .unanswered_since
        .map(|since| since.plus(SILENT_MS).max(Timestamp((model.now.0 / 1000 + 1) * 1000)));
    let held = (!model.held.is_empty()).then(|| model.held_since.plus(HELD_MS + 1));
    [model.follow_at, model.draft_at, notice, lost, silent, held, Some(next_clock(model))]
        .into_iter()
        .flatten()
        .min()
}

/// The header shows minutes; a promise, or the next step of the escalation, is shown to the second
/// only when less than two minutes are left.
fn next_clock(model: &Model) -> Timestamp {
    let minute = Timestamp((model.now.0 / 60_000 + 1) * 60_000);
    let promise = model.watched().and_then(|incident| promise::next(incident, &model.mirror.plan));
    let step = model.watched().and_then(|incident| {
        let policy = model.mirror.watched.as_ref()?.policy.as_deref()?;
        incident.next_step(policy, &model.mirror.plan)
    });
    let soonest =
        [promise.map(|promise| promise.due), step.map(|(at, _)| at)].into_iter().flatten();
    match soonest.filter(|at| *at > model.now).min() {
        Some(at) if at > model.now && at.since(model.now) < 120_000 => {
            Timestamp((model.now.0 / 1000 + 1) * 1000)
        }
        _ => minute,
    }
}

/// A request that changes nothing.
fn ask(model: &mut Model, ids: &mut dyn Ids, about: Asked, ask: Ask) -> Effect {
    let id = ids.fresh();
    model.asked.insert(id.clone(), about);
    Effect::Send { id, ask }
}
