//! What the keeper says, and what is asked of it.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "most of a long vocabulary is handled alike here"
)]

use crate::domain::change::Change;
use crate::domain::command::Command as C;
use crate::domain::event::Body;
use crate::domain::ids::{CommandId, IncidentId};
use crate::domain::incident::Stage;
use crate::domain::rejection::RejectionKind;
use crate::domain::row::Row;
use crate::domain::time::Timestamp;
use crate::proto::{Ask, Detail, KeeperMsg, Push, Queue, Reply, Welcome};
use crate::tui::flights::InFlight;
use crate::tui::form::Form;
use crate::tui::model::{Asked, BACK, LinkState, Modal, Model, Tone};
use crate::tui::update::wanted::{called, forget_gone, paged};
use crate::tui::update::{Effect, FIRST_ROWS, Ids, MORE_ROWS, STOPPED, alerts, ask, drafts, keys};

/// Things that are said beside the "done" of many.
const SAID_MAX: usize = 4;
/// Entries that are asked for at a time, beyond those that are here.
const OLDER: u32 = 500;

pub(super) fn receive(model: &mut Model, message: KeeperMsg, ids: &mut dyn Ids) -> Vec<Effect> {
    match message {
        KeeperMsg::Welcome(welcome) => welcomed(model, *welcome, ids),
        KeeperMsg::Refused { why, .. } => {
            super::lose(model, why);
            Vec::new()
        }
        KeeperMsg::Reply { id, reply } => replied(model, &id, reply, ids),
        KeeperMsg::Push(push) => pushed(model, push, ids),
    }
}

/// A new link: the queue is asked for, and what was not answered is sent again under its old id.
fn welcomed(model: &mut Model, welcome: Welcome, ids: &mut dyn Ids) -> Vec<Effect> {
    if matches!(model.link, LinkState::Lost { .. }) {
        model.say(Tone::Good, BACK);
    }
    model.link = LinkState::Up;
    model.login = welcome.login;
    model.mirror.is_for(&model.login);
    model.client = welcome.client;
    model.host = welcome.host;
    model.right = welcome.right;
    model.intake = welcome.intake;
    model.mirror.plan = welcome.plan;
    model.mirror.take_beside(*welcome.beside);
    let mut effects = vec![ask(model, ids, Asked::Queue, Ask::Follow { first: FIRST_ROWS })];
    model.in_flight.again();
    effects.extend(model.in_flight.release());
    for (key, text) in std::mem::take(&mut model.unsaved) {
        effects.push(drafts::keep(model, ids, key, text));
    }
    // A draft that was on its way when the line broke may not have arrived.
    effects.extend(drafts::save(model, ids));
    effects
}

fn replied(model: &mut Model, id: &CommandId, reply: Reply, ids: &mut dyn Ids) -> Vec<Effect> {
    if let Some(flight) = model.in_flight.answered(id) {
        let mut effects = answered(model, id, flight, reply, ids);
        effects.extend(model.in_flight.release());
        return effects;
    }
    let Some(about) = model.asked.remove(id) else {
        return Vec::new();
    };
    match (about, reply) {
        (Asked::Queue, Reply::Queue(queue)) => took_queue(model, *queue, ids),
        (Asked::Rows, Reply::Rows { rows, done }) => took_rows(model, rows, done, ids),
        (Asked::Watch(_), Reply::Incident(detail)) => took_incident(model, *detail, ids),
        (Asked::Watch(_), Reply::Rejected(rejection)) => {
            model.held.clear();
            model.say(Tone::Bad, rejection.to_string());
            Vec::new()
        }
        (Asked::Older(_), Reply::Incident(detail)) => {
            took_older(model, *detail);
            Vec::new()
        }
        (Asked::Past(seq), Reply::Incident(detail)) => {
            if let Some(past) = model.past.as_mut().filter(|past| past.seq == seq) {
                past.head = Some(Box::new(detail.head));
            }
            Vec::new()
        }
        (Asked::Alerts { .. } | Asked::Drafts, Reply::Alerts { .. } | Reply::Drafts { .. })
            if !model.modals.is_empty() =>
        {
            // Its keys would be struck by somebody who writes.
            model.say(Tone::Plain, "the list came late and was left out; ask for it again");
            Vec::new()
        }
        (Asked::Alerts { incident, purpose }, Reply::Alerts { alerts: list }) => {
            alerts::listed(model, incident, purpose, list);
            Vec::new()
        }
        (Asked::Drafts, Reply::Drafts { drafts }) => {
            if drafts.is_empty() {
                model.say(Tone::Plain, "there are no drafts");
            } else {
                model.modals.push(Modal::Drafts { drafts, at: 0, dropped: Vec::new() });
            }
            Vec::new()
        }
        (Asked::Beside, Reply::Plan { beside, .. }) => {
            model.mirror.take_beside(*beside);
            Vec::new()
        }
        (Asked::Draft(key), Reply::Drafts { drafts }) => {
            drafts::take_back(model, &key, &drafts, ids)
        }
        (Asked::Saving(key, text), Reply::Rejected(rejection)) => {
            not_kept(model, &key, &text, &rejection.to_string());
            Vec::new()
        }
        (Asked::Find, reply) => {
            found(model, id, reply);
            Vec::new()
        }
        (_, Reply::Rejected(rejection)) => {
            model.say(Tone::Bad, rejection.to_string());
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// The incident under the cursor is here, and with it what waited for it.
fn took_incident(model: &mut Model, detail: Detail, ids: &mut dyn Ids) -> Vec<Effect> {
    if model.mirror.watching != Some(detail.head.id) {
        return Vec::new(); // An answer to a look that is over.
    }
    let is_other = model.watched().is_none_or(|watched| watched.id != detail.head.id);
    if is_other {
        (model.entry_back, model.entry_top, model.stakeholder) = (0, 0, 0);
        model.detail_top = 0;
        model.chain_top = 0;
    }
    let incident = detail.head.id;
    model.mirror.take_detail(detail);
    let mut effects = super::taken_back::sent_back(model, incident, None, ids);
    model.go_to_wanted();
    // What was looked for may be older than what comes at first.
    model.wants_older |= model.wanted_entry.is_some() && model.earlier() > 0;
    if !model.wants_older {
        model.wanted_entry = None;
    }
    let here = model.watched().map(|incident| incident.id);
    if let Some((id, key, text)) = model.taking_up.take().filter(|(id, ..)| here == Some(*id)) {
        effects.extend(drafts::taken_up(model, Some(id), (&key, &text), ids));
    }
    if here == model.selected_id && (model.held.is_empty() || here == model.held_for) {
        effects.extend(keys::let_go(model, ids));
    }
    effects
}

/// Asks for the entries before those that are here.
pub(super) fn older(model: &mut Model, ids: &mut dyn Ids) -> Option<Effect> {
    let id = model.watched().map(|incident| incident.id)?;
    let is_asked = model.asked.values().any(|about| *about == Asked::Older(id));
    if model.earlier() == 0 || is_asked || model.link != LinkState::Up {
        return None;
    }
    let first = model.mirror.watched.as_ref()?.events.first()?.seq;
    let question = Ask::Incident { incident: id, until: Some(first - 1), limit: OLDER };
    Some(ask(model, ids, Asked::Older(id), question))
}

fn took_older(model: &mut Model, detail: Detail) {
    model.mirror.take_older(detail);
    model.go_to_wanted();
    if model.wanted_entry.take().is_some() {
        model.say(Tone::Plain, "that entry is older than those that are here: g g, then k");
    }
}

fn took_rows(model: &mut Model, rows: Vec<Row>, done: bool, ids: &mut dyn Ids) -> Vec<Effect> {
    let last = rows.last().map(|row| row.id);
    model.mirror.take_rows(rows);
    if let Some(after) = last.filter(|_| !done) {
        return vec![ask(model, ids, Asked::Rows, Ask::Rows { after, limit: MORE_ROWS })];
    }
    model.loading_rows = false;
    model.mirror.took_all();
    forget_gone(model);
    Vec::new()
}

fn took_queue(model: &mut Model, queue: Queue, ids: &mut dyn Ids) -> Vec<Effect> {
    let is_all = queue.rows.len() >= queue.counts.live as usize;
    model.mirror.take_queue(queue);
    if is_all {
        model.mirror.took_all();
        forget_gone(model);
    }
    model.refresh();
    let mut effects = Vec::new();
    // The watch is asked for first: it is what a person sees.
    model.mirror.watching = None;
    effects.extend(follow(model, ids));
    model.loading_rows = !is_all;
    if !is_all {
        let first = Ask::Rows { after: IncidentId(0), limit: MORE_ROWS };
        effects.push(ask(model, ids, Asked::Rows, first));
    }
    effects
}

/// Lets the other panes follow the cursor.
pub(super) fn follow(model: &mut Model, ids: &mut dyn Ids) -> Vec<Effect> {
    let Some(id) = model.selected_id else {
        return Vec::new();
    };
    if model.mirror.watching == Some(id) || !matches!(model.link, LinkState::Up) {
        return Vec::new();
    }
    model.mirror.watch(id);
    vec![ask(model, ids, Asked::Watch(id), Ask::Watch { incident: id })]
}

fn found(model: &mut Model, id: &CommandId, reply: Reply) {
    let Some(Modal::Find(find)) = model.modals.last_mut() else {
        return;
    };
    if find.asked.as_ref() != Some(id) {
        return; // An answer to what was typed before.
    }
    find.asked = None;
    find.at = 0;
    match reply {
        Reply::Hits { hits } => find.hits = hits,
        Reply::Rows { rows, .. } => find.rows = rows,
        _ => {}
    }
}

/// An act was answered.
fn answered(
    model: &mut Model,
    id: &CommandId,
    flight: InFlight,
    reply: Reply,
    ids: &mut dyn Ids,
) -> Vec<Effect> {
    let form = model.waiting_forms.remove(id);
    if model.bulk.as_mut().is_some_and(|bulk| bulk.ids.remove(id)) {
        if matches!(reply, Reply::Rejected(_)) {
            // What was refused stays marked, so that it can be tried again.
            model.marks.extend(flight.command.incident());
        }
        return bulk_answered(model, &flight.label, &reply, ids);
    }
    match reply {
        Reply::Done { incident, note, .. } => {
            let is_new = flight.command.incident().is_none();
            let on = incident.filter(|_| is_new).map(|id| format!(": {id}")).unwrap_or_default();
            if note.is_empty() {
                model.say(Tone::Good, format!("{} ✓{on}", flight.label));
            } else {
                model.say(Tone::Plain, format!("{} ✓{on} · {note}", flight.label));
            }
            let goes_to = match flight.command {
                C::Open { .. } => incident,
                // What became part of another is found there.
                C::Merge { into, .. } => Some(into),
                _ => None,
            };
            if goes_to.is_some() && !model.is_writing() && model.held.is_empty() {
                if goes_to != model.selected_id {
                    model.slipped_at = Some(model.now);
                }
                model.selected_id = goes_to;
                model.follow_at = Some(model.now);
            }
            let Some(key) = flight.draft else {
                return Vec::new();
            };
            // Where the same is written again already, the draft is that of the new words.
            let is_again = model.modals.iter().any(|modal| {
                matches!(modal, Modal::Form(form) if form.is_changed && form.draft_key() == key)
            });
            if is_again {
                return Vec::new();
            }
            vec![drafts::keep(model, ids, key, String::new())]
        }
        Reply::Rejected(rejection) => {
            let mut text = rejection.to_string();
            if let Some(mut form) = form {
                let about = model.watched().filter(|i| form.incidents.contains(&i.id));
                if about.is_some_and(|i| matches!(i.stage, Stage::Merged { .. })) {
                    text.push_str(" · esc, then 'P': what is written goes where it went");
                }
                form.refuse(text.clone());
                // What the person has now been told is what they have seen.
                let own = form.incidents.first().copied();
                let watched = model.watched().filter(|i| Some(i.id) == own);
                let seen = watched.filter(|_| rejection.kind == RejectionKind::Conflict);
                form.seen = seen.map(|i| i.last_seq).or(form.seen);
                bring_back(model, form);
            }
            model.say(Tone::Bad, text);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// A draft that the keeper does not take is not lost: what holds it stays open, or comes back.
fn not_kept(model: &mut Model, key: &str, text: &str, why: &str) {
    model.say(Tone::Bad, format!("the draft is not kept: {why}"));
    let is_open = model
        .modals
        .iter()
        .any(|modal| matches!(modal, Modal::Form(form) if form.draft_key() == key));
    if is_open || text.is_empty() {
        return;
    }
    if let Some(mut form) = drafts::form_of(model, key, text, None) {
        form.refuse(format!("the draft is not kept: {why}"));
        bring_back(model, Box::new(form));
    }
}

/// A form that was refused comes back; under what somebody writes just now, so that no word of that
/// goes into it.
pub(super) fn bring_back(model: &mut Model, form: Box<Form>) {
    if model.modals.is_empty() {
        model.modals.push(Modal::Form(form));
    } else {
        model.modals.insert(0, Modal::Form(form));
    }
}

/// One answer of an act on several incidents; the last one sums up.
fn bulk_answered(model: &mut Model, label: &str, reply: &Reply, ids: &mut dyn Ids) -> Vec<Effect> {
    let Some(bulk) = model.bulk.as_mut() else { return Vec::new() };
    match reply {
        Reply::Rejected(rejection) => {
            bulk.refused += 1;
            bulk.why.clone_from(&rejection.what);
        }
        Reply::Done { note, .. } => {
            bulk.done += 1;
            // The number of an update is another one on each incident.
            let said = note.split("; ").map(|part| match part.strip_prefix("update ") {
                Some(rest) => rest.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start(),
                None => part,
            });
            bulk.said.extend(said.filter(|part| !part.is_empty()).map(str::to_owned));
        }
        _ => bulk.done += 1,
    }
    let act = label.rsplit_once(' ').map_or(label, |(act, _)| act);
    let mut text = format!("{act}: {} of {} done", bulk.done, bulk.sent);
    if bulk.refused > 0 {
        text = format!("{text}, {} refused ({})", bulk.refused, bulk.why);
    }
    let said: Vec<&str> = bulk.said.iter().take(SAID_MAX).map(String::as_str).collect();
    if !said.is_empty() {
        text = format!("{text} · {}", said.join("; "));
    }
    let is_over = bulk.done + bulk.refused >= bulk.sent;
    let tone = if bulk.refused > 0 { Tone::Plain } else { Tone::Good };
    let mut effects = Vec::new();
    if is_over && let Some(bulk) = model.bulk.take() {
        match bulk.form {
            // Those that were refused are marked; the words are there for another try.
            Some(mut form) if bulk.refused > 0 => {
                let before = form.draft_key();
                form.incidents.retain(|id| model.marks.contains(id));
                let after = form.draft_key();
                if after != before {
                    // Those that were done are not to be told the same again.
                    let (key, text) = (before, String::new());
                    effects.push(drafts::keep(model, ids, key, text));
                    let (key, text) = (after, form.draft());
                    effects.push(drafts::keep(model, ids, key, text));
                }
                form.seen = None;
                // What went is not undone by what did not.
                let went = format!("{} of {} went; not to this: ", bulk.done, bulk.sent);
                let went = if bulk.done > 0 { went } else { String::new() };
                form.refuse(format!("{went}{}", bulk.why));
                bring_back(model, form);
            }
            Some(form) => {
                effects.push(drafts::keep(model, ids, form.draft_key(), String::new()));
            }
            None => {}
        }
    }
    model.say_result(tone, text);
    effects
}

/// Whether the bell is for everybody: where the plan pages nobody, somebody must hear it.
fn is_for_all(model: &Model, row: &Row) -> bool {
    let services: Vec<String> = row.services.split_whitespace().map(ToOwned::to_owned).collect();
    model
        .mirror
        .plan
        .policy_for(&services)
        .is_none_or(|(_, policy)| policy.from_severity.is_some_and(|from| row.severity > from))
}

/// What this person had is somebody else's now.
fn taken_over(model: &mut Model, rows: &[Row]) {
    let me: &str = &model.login;
    let was_mine = |row: &&Row| {
        model.mirror.row(row.id).is_some_and(|known| known.is_acked && &*known.who == me)
            && row.is_acked
            && row.phase.is_active()
            && &*row.who != me
    };
    let text = rows.iter().find(was_mine).map(|row| format!("{} has {} now", row.who, row.id));
    if let Some(text) = text {
        model.say(Tone::Bad, text);
    }
}

fn pushed(model: &mut Model, push: Push, ids: &mut dyn Ids) -> Vec<Effect> {
    let sent_back = match &push {
        Push::Events { incident, events } => {
            super::taken_back::sent_back(model, *incident, Some(events), ids)
        }
        _ => Vec::new(),
    };
    if let Push::Rows { gone, .. } = &push {
        model.paged.retain(|id| !gone.contains(id));
        model.called.retain(|id| !gone.contains(id));
    }
    if let Push::Rows { rows, .. } = &push {
        called(model, rows);
    }
    if let Push::Rows { rows, .. } = &push {
        let is_alarming =
            |row: &Row| row.severity.is_major() && !row.is_acked && row.phase.is_active();
        let is_new =
            |row: &&Row| is_alarming(row) && !model.mirror.row(row.id).is_some_and(is_alarming);
        if let Some(row) = rows.iter().find(is_new) {
            let word = if model.mirror.row(row.id).is_some() { "now" } else { "new" };
            let text = format!("{word} {} {} {}", row.severity, row.id, row.title);
            let is_mine = is_for_all(model, row);
            model.say_beside(Tone::Bad, &text);
            model.bell = is_mine;
        }
    }
    if let Push::Events { incident, events } = &push {
        let offered = events.iter().find_map(|event| match &event.body {
            Body::Incident { change: Change::CommandOffered { from, to }, .. }
                if *to == model.login =>
            {
                Some(format!("{from} offers you command of {incident}; c a accepts"))
            }
            _ => None,
        });
        if let Some(text) = offered {
            model.say(Tone::Bad, text);
            model.bell = true;
        }
    }
    if let Push::Rows { rows, .. } = &push {
        taken_over(model, rows);
    }
    if let Push::Paged { pages } = &push {
        paged(model, pages);
    }
    if let Push::Goodbye { reason } = &push {
        let since: Timestamp = model.now;
        model.link = LinkState::Lost { since, why: format!("{STOPPED}; {reason}") };
    }
    model.mirror.push(push);
    // One that came back follows a policy that was not known while it was over.
    let is_blind = model.mirror.watched.as_ref().is_some_and(|watched| {
        watched.policy.is_none()
            && watched.head.esc.policy.is_some()
            && watched.head.phase().is_active()
    });
    if is_blind && model.follow_at.is_none() {
        model.mirror.watching = None;
        model.follow_at = Some(model.now);
    }
    sent_back
}
