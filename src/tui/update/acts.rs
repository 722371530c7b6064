//! Actions that lead to the keeper: directly, through a form, or after a question.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "most of a long vocabulary is handled alike here"
)]

use std::collections::BTreeSet;

use crate::domain::change::Change;
use crate::domain::command::Command;
use crate::domain::duty::WindowStage;
use crate::domain::event::{Body, Occurred};
use crate::domain::ids::{IncidentId, Seq};
use crate::domain::silence::Stage;
use crate::domain::words::Right;
use crate::proto::Ask;
use crate::tui::action::Action;
use crate::tui::flights::InFlight;
use crate::tui::form::Form;
use crate::tui::forms::{self, About};
use crate::tui::model::{Asked, Bulk, Find, LinkState, Modal, Model, Pane, Past, Reading, Tone};
use crate::tui::update::{Effect, Ids, alerts, ask, drafts};

/// How long after a slip of the cursor a direct act is not trusted, in milliseconds.
const SLIP_MS: i64 = 1_500;
/// More incidents than this are asked about before an act on all of them.
const BULK_FREE: usize = 1;

pub(super) fn act(model: &mut Model, action: Action, ids: &mut dyn Ids) -> Vec<Effect> {
    match action {
        Action::Help => model.modals.push(Modal::Help { scroll: 0 }),
        Action::Palette => model.modals.push(Modal::Palette { input: String::new(), at: 0 }),
        Action::Brief => {
            model.modals.push(Modal::Page { what: Reading::Brief, scroll: 0 });
        }
        Action::Matrix => {
            model.modals.push(Modal::Page { what: Reading::Matrix, scroll: 0 });
        }
        Action::Said => model.modals.push(Modal::Page { what: Reading::Said, scroll: 0 }),
        Action::Silences => {
            model.modals.push(Modal::Page { what: Reading::Silences, scroll: 0 });
            return vec![ask(model, ids, Asked::Beside, Ask::Plan)];
        }
        Action::OnCall => model.modals.push(Modal::OnCall { scroll: 0 }),
        Action::Details => model.modals.push(Modal::Details { scroll: 0 }),
        Action::Drafts => return vec![ask(model, ids, Asked::Drafts, Ask::Drafts)],
        Action::FindClosed | Action::Search => {
            let in_texts = action == Action::Search;
            model.modals.push(Modal::Find(Find { in_texts, ..Find::default() }));
            if !in_texts {
                return super::modals::search(model, ids);
            }
        }
        Action::StepBack => return step(model, true, ids),
        Action::StepForward => return step(model, false, ids),
        Action::Copy => return vec![Effect::Copy(copied(model))],
        Action::Acknowledge
        | Action::TakeCommand
        | Action::AcceptCommand
        | Action::Wake
        | Action::AcceptHandover
        | Action::Unmerge
        | Action::Review => return direct(model, action, ids),
        Action::Alerts | Action::AckAlert | Action::Shelve | Action::Unshelve | Action::Split => {
            if !is_past(model) {
                return alerts::act(model, action, ids);
            }
        }
        other => return open_form(model, other, ids),
    }
    Vec::new()
}

fn copied(model: &Model) -> String {
    let Some(row) = model.selected_row() else {
        return String::new();
    };
    if model.focus == Pane::Timeline {
        let entries = model.entries();
        if let Some(entry) = entries.iter().rev().nth(model.entry_back) {
            return format!("{} {} {} {}", row.id, entry.when, entry.who, entry.text);
        }
    }
    format!("{} {} {} {}", row.id, row.severity, row.phase, row.title)
}

/// Steps through what was known of the incident.
fn step(model: &mut Model, back: bool, ids: &mut dyn Ids) -> Vec<Effect> {
    let Some(watched) = &model.mirror.watched else {
        return Vec::new();
    };
    let (id, seqs): (IncidentId, Vec<Seq>) =
        (watched.head.id, watched.events.iter().map(|e| e.seq).collect());
    let now_at = model.past.as_ref().map_or(Seq::MAX, |past| past.seq);
    let next = if back {
        let known = if now_at == Seq::MAX {
            seqs.len().saturating_sub(1)
        } else {
            seqs.partition_point(|s| *s < now_at)
        };
        seqs.get(known.wrapping_sub(1)).copied()
    } else {
        seqs.iter().find(|seq| **seq > now_at).copied()
    };
    match next {
        Some(seq) if Some(&seq) != seqs.last() || back => {
            model.past = Some(Past { incident: id, seq, head: None });
            model.entry_back = 0;
            vec![ask(
                model,
                ids,
                Asked::Past(seq),
                Ask::Incident { incident: id, until: Some(seq), limit: 1 },
            )]
        }
        _ if back => {
            model.say(Tone::Plain, "there is nothing earlier here");
            Vec::new()
        }
        _ => {
            model.past = None;
            Vec::new()
        }
    }
}

/// Acts go to the present; while the past is shown they are refused.
fn is_past(model: &mut Model) -> bool {
    if model.past.is_some() {
        model.say(Tone::Bad, "you look at the past; esc comes back to the present");
    }
    model.past.is_some()
}

fn direct(model: &mut Model, action: Action, ids: &mut dyn Ids) -> Vec<Effect> {
    if is_past(model) {
        return Vec::new();
    }
    // The row under the cursor may have left in the very moment in which the key was struck.
    if model.marks.is_empty() && model.slipped_at.is_some_and(|at| model.now.since(at) < SLIP_MS) {
        model.slipped_at = None;
        model.say(Tone::Bad, "the cursor came to another incident; look, then press it again");
        return Vec::new();
    }
    let mut targets = model.targets();
    if action == Action::Unmerge {
        // From where it was made, which is what is still seen.
        for id in &mut targets {
            *id = last_merged(model, *id).unwrap_or(*id);
        }
    }
    let commands: Vec<Command> =
        targets.iter().filter_map(|id| forms::direct(action, *id)).collect();
    if commands.is_empty() {
        model.say(Tone::Plain, "no incident is selected");
        return Vec::new();
    }
    let holder = (action == Action::Acknowledge).then(|| held_by_another(model)).flatten();
    // It looks like nothing, and takes apart what somebody put together.
    let apart = (action == Action::Unmerge).then(|| {
        let names: Vec<String> = targets.iter().map(ToString::to_string).collect();
        format!("let {} be an incident of its own again?", names.join(", "))
    });
    let elsewhere = apart.or_else(|| marked_elsewhere(model, action, &targets));
    if commands.len() > BULK_FREE || holder.is_some() || elsewhere.is_some() {
        let question = holder.or(elsewhere).unwrap_or_else(|| question(action, &commands));
        model.modals.push(Modal::question(question, commands));
        return Vec::new();
    }
    send_all(model, commands, None, None, ids)
}

/// One mark that was forgotten turns an act away from what is looked at: that is asked first.
fn marked_elsewhere(model: &Model, action: Action, targets: &[IncidentId]) -> Option<String> {
    let [only] = targets else { return None };
    let here = model.selected_id.filter(|here| here != only && !model.marks.is_empty())?;
    let name = action.name().replace('-', " ");
    Some(format!("{only} is marked, the cursor is on {here}: {name} {only}?"))
}

/// The incident that became part of another one last, as far as that is looked at.
fn last_merged(model: &Model, id: IncidentId) -> Option<IncidentId> {
    let watched = model.mirror.watched.as_ref().filter(|watched| watched.head.id == id)?;
    let mut released = BTreeSet::new();
    watched.events.iter().rev().find_map(|event| match &event.body {
        Body::Incident { change: Change::Released { child, .. }, incident } if *incident == id => {
            released.insert(*child);
            None
        }
        Body::Incident { change: Change::Absorbed { child, .. }, incident } if *incident == id => {
            (!released.remove(child)).then_some(*child)
        }
        _ => None,
    })
}

/// Whoever takes an incident from somebody who has it is asked; one who was called to help answers
/// without that.
fn held_by_another(model: &Model) -> Option<String> {
    let incident = model.watched().filter(|i| Some(i.id) == model.selected_id)?;
    let ack = incident.ack.as_ref().filter(|ack| ack.by != model.login)?;
    if !model.marks.is_empty() || incident.is_called(&model.login) {
        return None;
    }
    let (id, by, at) = (incident.id, &ack.by, ack.at.clock_minutes());
    Some(format!("{by} has {id} since {at}; take it from them?"))
}

/// The question before an act on several incidents or alerts; it names the number.
pub(super) fn question(action: Action, commands: &[Command]) -> String {
    if let Some(Command::Merge { into, .. }) = commands.first() {
        return format!("merge {} incidents into {into}?", commands.len());
    }
    let is_of_alerts = commands.iter().all(|command| command.incident().is_none());
    let noun = if is_of_alerts { "alerts" } else { "incidents" };
    let name = action.name().trim_end_matches("-alert").replace('-', " ");
    format!("{name} {} {noun}?", commands.len())
}

pub(super) fn about(model: &Model, action: Action) -> About<'_> {
    let entries = model.entries();
    let entry =
        entries.iter().rev().nth(model.entry_back).map(|entry| (entry.seq, entry.text.clone()));
    About {
        incident: model.watched().filter(|i| Some(i.id) == model.selected_id),
        is_over: model
            .targets()
            .iter()
            .filter_map(|id| model.mirror.row(*id))
            .all(|row| !row.phase.is_active()),
        incidents: subjects(model, action),
        others: others(model, &subjects(model, action)),
        held: BTreeSet::new(),
        plan: &model.mirror.plan,
        login: &model.login,
        levels: levels(model),
        changes: &model.mirror.desk.changes,
        windows: crate::tui::update::acts::windows(model),
        waiting: crate::tui::update::acts::waiting(model),
        silences: crate::tui::update::acts::silences(model),
        now: model.now,
        entry: entry.filter(|_| model.focus == Pane::Timeline),
        stakeholder: crate::tui::view::stakeholders::names(model)
            .into_iter()
            .nth(model.stakeholder)
            .filter(|name| !name.is_empty() && model.focus == Pane::Stakeholders),
        line: crate::tui::view::stakeholders::at(model).map(|(_, line)| line),
    }
}

/// The others among the incidents that an act is about, with their services.
pub(super) fn others(model: &Model, all: &[IncidentId]) -> Vec<(IncidentId, Vec<String>)> {
    let rows = all.iter().skip(1).filter_map(|id| model.mirror.row(*id));
    rows.map(|row| (row.id, row.services.split(' ').map(str::to_owned).collect())).collect()
}

/// The incidents that an act is about.
fn subjects(model: &Model, action: Action) -> Vec<IncidentId> {
    let here = || model.selected_id.into_iter();
    let targets = model.targets();
    if action.is_single() {
        return here().collect();
    }
    if !matches!(action, Action::Approve | Action::Update) {
        return targets;
    }
    // The words that are read are those under the cursor; the same ones for the others go with them.
    let is_among = model.selected_id.is_some_and(|id| targets.contains(&id));
    let others = targets.into_iter().filter(|id| is_among && Some(*id) != model.selected_id);
    here().chain(others).collect()
}

/// Silences that have not ended, for choosing one.
pub(super) fn silences(model: &Model) -> Vec<String> {
    let all = model.mirror.desk.silences.values();
    let live = all.filter(|silence| !matches!(silence.stage, Stage::Ended { .. }));
    live.map(|silence| silence.words(model.now).trim_start().to_owned()).collect()
}

/// Windows of which words wait for a look, with the words.
pub(super) fn waiting(model: &Model) -> Vec<String> {
    let waiting = model.mirror.desk.windows.values().filter(|window| window.is_waiting());
    waiting.map(|it| format!("{} by {}: {}", it.id, it.by, it.waiting)).collect()
}

/// Maintenance windows that are not over, for choosing one.
pub(super) fn windows(model: &Model) -> Vec<String> {
    let live = model.mirror.desk.windows.values().filter(|w| w.stage != WindowStage::Over);
    live.map(|window| {
        let (from, until) = (window.from.clock_minutes(), window.until.clock_minutes());
        format!("{} {} {from}-{until}", window.id, window.services.join(" "))
    })
    .collect()
}

/// The levels of the policy that the watched incident follows.
pub(super) fn levels(model: &Model) -> Vec<String> {
    let policy = model.mirror.watched.as_ref().and_then(|watched| watched.policy.as_ref());
    policy.iter().flat_map(|p| p.levels.iter()).map(|level| level.name.clone()).collect()
}

fn open_form(model: &mut Model, action: Action, ids: &mut dyn Ids) -> Vec<Effect> {
    let action = match action {
        // On an empty list a declaration begins with a report.
        Action::Declare if model.targets().is_empty() => Action::Report,
        other => other,
    };
    if matches!(action, Action::Write | Action::Update) && is_mixed(model) {
        model.say(Tone::Bad, "some of these are over and some are not: write to them apart");
        return Vec::new();
    }
    if model.targets().is_empty() && action != Action::Report && !action.is_of_the_desk() {
        model.say(Tone::Plain, "no incident is selected; 'R' reports one");
        return Vec::new();
    }
    if is_past(model) {
        return Vec::new();
    }
    if matches!(
        action,
        Action::Close
            | Action::Reopen
            | Action::Judge
            | Action::Declare
            | Action::Unlink
            | Action::LeaveRole
    ) && model.marks.is_empty()
        && !model.visiting
        && !model.is_useful(action)
    {
        model.say(Tone::Plain, format!("'{}' makes no sense for this incident now", action.name()));
        return Vec::new();
    }
    if let Some(why) = nothing_there(model, action) {
        model.say(Tone::Plain, why);
        return Vec::new();
    }
    if model.right == Right::Observe && action != Action::Report {
        model.say(Tone::Bad, "by the plan you may only observe: the keeper will refuse it");
    }
    let has_words = |id: Seq| model.watched().is_some_and(|i| i.texts.contains(&id));
    let about_entry = about(model, action).entry;
    if matches!(action, Action::Correct | Action::Redact)
        && about_entry.as_ref().is_some_and(|(entry, _)| !has_words(*entry))
    {
        model.say(Tone::Plain, "that entry holds nobody's words; select a note or the like");
        return Vec::new();
    }
    if matches!(action, Action::Correct | Action::Redact) && model.focus != Pane::Timeline {
        model.say(Tone::Plain, "select an entry of the timeline first ('2')");
        return Vec::new();
    }
    if action.is_single() && !action.is_of_the_desk() && model.targets().len() > 1 {
        let id = model.selected_id.map(|id| id.to_string()).unwrap_or_default();
        model.say(Tone::Plain, format!("for {id} alone: '{}' is not done to marks", action.name()));
    }
    if matches!(action, Action::Approve | Action::Update)
        && let Some(id) = model.selected_id.filter(|id| !model.targets().contains(id))
    {
        model.say(Tone::Plain, format!("for {id} alone: with the cursor on a marked one, for all"));
    }
    // What was wrong with another act is in the list of what was said, and not of this one.
    if model.notice.as_ref().is_some_and(|notice| notice.tone == Tone::Bad) {
        model.notice = None;
    }
    let Some(form) = forms::open(action, &about(model, action)) else {
        model.say(Tone::Plain, format!("'{}' does nothing here", action.name()));
        return Vec::new();
    };
    show_form(model, form, ids)
}

/// Why a form would be empty: nothing waits for what it does.
fn nothing_there(model: &Model, action: Action) -> Option<&'static str> {
    let talk = &model.watched().filter(|_| model.link == LinkState::Up)?.talk;
    match action {
        Action::Approve | Action::Withdraw => {
            talk.waiting().next().is_none().then_some("no update waits for approval here")
        }
        Action::PressTimes => talk.inquiries.is_empty().then_some("the press asked nothing here"),
        Action::AnswerPress => {
            let is_open = talk.inquiries.iter().any(|asked| asked.answer.is_none());
            (!is_open).then_some("no question of the press is open here")
        }
        _ => None,
    }
}

/// Whether some of what is marked is over and some is not: no words are right for both.
fn is_mixed(model: &Model) -> bool {
    let targets = model.targets();
    let rows = targets.iter().filter_map(|id| model.mirror.row(*id));
    let over = rows.filter(|row| !row.phase.is_active()).count();
    over > 0 && over < targets.len()
}

/// Shows a form and tells the others that somebody is writing.
pub(super) fn show_form(model: &mut Model, mut form: Form, ids: &mut dyn Ids) -> Vec<Effect> {
    let incident = form.incidents.first().copied();
    if form.incidents.len() > 1 && form.action == Action::Write {
        form.seen = form.seen.or(Some(model.mirror.seq));
    }
    // Words that were just made are kept beside older ones that were left half-written.
    let is_made = form.action == Action::Write && form.draft_name.is_none();
    if form.draft_name.is_none() && drafts::writes_elsewhere(model, incident) {
        form.draft_name = Some(format!("{}{}", form.draft_key(), drafts::OLDER));
        model.say(Tone::Plain, drafts::APART);
    }
    // What was left half-written is taken up again.
    let draft = Asked::Draft(form.draft_key());
    let is_fresh = !form.is_changed || is_made;
    model.modals.push(Modal::Form(Box::new(form)));
    let mut effects = Vec::new();
    if is_fresh {
        effects.push(ask(model, ids, draft, Ask::Drafts));
    }
    if incident.is_some() {
        effects.push(ask(model, ids, Asked::Nothing, Ask::Writing { incident }));
    }
    effects
}

/// Sends commands; the form, if there was one, comes back if the keeper refuses.
pub(super) fn send_all(
    model: &mut Model,
    commands: Vec<Command>,
    occurred: Option<Occurred>,
    form: Option<Box<Form>>,
    fresh: &mut dyn Ids,
) -> Vec<Effect> {
    let mut sent = BTreeSet::new();
    let is_single = commands.len() == 1;
    if matches!(model.link, LinkState::Lost { .. }) {
        model.say(Tone::Plain, "the keeper is gone; this is sent when it is back");
    }
    let draft = form.as_ref().map(|form| form.draft_key());
    let is_words = form.as_ref().is_some_and(|form| form.action == Action::Write);
    let seen = form.as_ref().and_then(|it| it.seen).filter(|_| is_single || is_words);
    let mut form = form;
    for command in commands {
        let id = fresh.fresh();
        let label = label(&command);
        let flight = InFlight {
            label,
            command,
            occurred,
            seen,
            draft: if is_single { draft.clone() } else { None },
        };
        if is_single && let Some(form) = form.take() {
            model.waiting_forms.insert(id.clone(), form);
        }
        sent.insert(id.clone());
        model.in_flight.add(id, flight);
    }
    if !is_single {
        let (ids, sent) = (sent.clone(), sent.len());
        // What came of the act before is kept as it is.
        if let Some(last) = model.said.back_mut() {
            last.is_result = false;
        }
        model.bulk = Some(Bulk { ids, sent, form, ..Bulk::default() });
        model.marks.clear();
    }
    model.in_flight.release()
}

/// The name of a command as its keys and its help have it.
fn plainly(name: &str) -> String {
    match name {
        "draft" => "update".to_owned(),
        "hold" => "holding statement".to_owned(),
        "inquire" => "question of the press".to_owned(),
        "move-inquiry" => "change of what the press was told".to_owned(),
        "answer-inquiry" => "answer to the press".to_owned(),
        "cadence" => "how often words come".to_owned(),
        other => other.replace('-', " "),
    }
}

/// What an act is called while it is on its way.
fn label(command: &Command) -> String {
    let name = serde_json::to_value(command)
        .ok()
        .and_then(|value| {
            let said = value.get("talk").and_then(|talk| talk.get("say"));
            said.or(value.get("do")).and_then(|name| name.as_str().map(ToOwned::to_owned))
        })
        .map_or_else(|| "act".to_owned(), |name| plainly(&name));
    match command.incident() {
        Some(incident) => format!("{name} {incident}"),
        None => match command {
            Command::AcknowledgeAlert { alert }
            | Command::ShelveAlert { alert, .. }
            | Command::UnshelveAlert { alert } => format!("{name} {alert}"),
            _ => name,
        },
    }
}
