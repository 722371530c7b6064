//! The alerts of one incident: choosing some, and what is done to them.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "most of a long vocabulary is handled alike here"
)]

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::alert::{Alert, Shelf};
use crate::domain::command::Command;
use crate::domain::event::NAME_LABEL;
use crate::domain::ids::IncidentId;
use crate::domain::silence::labels_of;
use crate::proto::Ask;
use crate::tui::action::Action;
use crate::tui::alert_list::{AlertList, AlertRow};
use crate::tui::forms;
use crate::tui::model::{Asked, Modal, Model, Tone};
use crate::tui::update::{Effect, Ids, acts, ask};

/// Alerts wanted at once; the keeper gives no more.
const ALERTS: u32 = 500;

/// What is done to the chosen alerts, or the list first if none is open.
pub(super) fn act(model: &mut Model, action: Action, ids: &mut dyn Ids) -> Vec<Effect> {
    if matches!(model.modals.last(), Some(Modal::Alerts(_))) {
        return chosen(model, action, ids);
    }
    let Some(incident) = model.selected_id else {
        model.say(Tone::Plain, "no incident is selected");
        return Vec::new();
    };
    let wanted = Ask::Alerts { incident: Some(incident), limit: ALERTS };
    vec![ask(model, ids, Asked::Alerts { incident, purpose: action }, wanted)]
}

/// The list came: what the keeper knows now, and the members that are long over.
pub(super) fn listed(
    model: &mut Model,
    incident: IncidentId,
    purpose: Action,
    alerts: Vec<(String, Alert)>,
) {
    let mut rows: Vec<AlertRow> = alerts
        .into_iter()
        .map(|(key, alert)| AlertRow {
            state: match &alert.shelf {
                Some(Shelf { until, silence: Some(id), .. }) => {
                    format!("silence {id}, {}", until.clock_near(model.now))
                }
                Some(shelf) => format!("shelved until {}", shelf.until.clock_near(model.now)),
                None => alert.state().to_string(),
            },
            is_flapping: alert.flap.is_some(),
            repeats: alert.repeats + 1,
            labels: alert.labels.clone(),
            pairs: labels_of(&alert),
            name: alert.name,
            key,
        })
        .collect();
    if let Some(head) = model.watched().filter(|head| head.id == incident) {
        for (key, member) in &head.members {
            if !rows.iter().any(|row| row.key == *key) {
                let state = if member.is_firing { "fires" } else { "over" }.to_owned();
                rows.push(AlertRow {
                    key: key.clone(),
                    name: key.clone(),
                    state,
                    is_flapping: false,
                    repeats: member.repeats + 1,
                    labels: String::new(),
                    pairs: BTreeMap::new(),
                });
            }
        }
    }
    if rows.is_empty() {
        return model.say(Tone::Plain, format!("{incident} has no alerts"));
    }
    tell_apart(&mut rows);
    rows.sort_by(|a, b| (&a.name, &a.labels, &a.key).cmp(&(&b.name, &b.labels, &b.key)));
    let list = AlertList { incident, purpose, rows, ..AlertList::default() };
    model.modals.push(Modal::Alerts(list));
}

/// Puts first what differs among alerts of one name: at the end of a line it would be cut off.
fn tell_apart(rows: &mut [AlertRow]) {
    let mut labels: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows.iter() {
        labels.entry(row.name.clone()).or_default().extend(row.pairs.keys().cloned());
    }
    let mut seen: BTreeMap<(String, String), BTreeSet<Option<String>>> = BTreeMap::new();
    for row in rows.iter() {
        for label in labels.get(&row.name).into_iter().flatten() {
            let values = seen.entry((row.name.clone(), label.clone())).or_default();
            values.insert(row.pairs.get(label).cloned());
        }
    }
    for row in rows {
        let differs = |label: &String| {
            seen.get(&(row.name.clone(), label.clone())).is_some_and(|values| values.len() > 1)
        };
        let (first, rest): (BTreeMap<_, _>, BTreeMap<_, _>) = row
            .pairs
            .iter()
            .filter(|(l, _)| *l != NAME_LABEL)
            .partition(|(label, _)| differs(label));
        let line = |pairs: BTreeMap<&String, &String>| {
            let pairs: Vec<String> = pairs.iter().map(|(l, v)| format!("{l}={v:?}")).collect();
            pairs.join(", ")
        };
        let parts = [line(first), line(rest)];
        row.labels = parts.iter().filter(|p| !p.is_empty()).cloned().collect::<Vec<_>>().join(", ");
    }
}

/// Does it to the marked alerts, else to the one under the cursor.
fn chosen(model: &mut Model, action: Action, ids: &mut dyn Ids) -> Vec<Effect> {
    if action == Action::Alerts {
        model.say(Tone::Plain, "choose what to do with it: the keys are below");
        return Vec::new();
    }
    let Some(Modal::Alerts(list)) = model.modals.pop() else {
        return Vec::new();
    };
    let keys = list.chosen();
    let make: fn(String) -> Command = match action {
        Action::AckAlert => |alert| Command::AcknowledgeAlert { alert },
        Action::Unshelve => |alert| Command::UnshelveAlert { alert },
        _ => return form(model, action, &list, keys, ids),
    };
    let commands: Vec<Command> = keys.into_iter().map(make).collect();
    if commands.len() > 1 {
        let question = acts::question(action, &commands);
        model.modals.push(Modal::question(question, commands));
        return Vec::new();
    }
    acts::send_all(model, commands, None, None, ids)
}

fn form(
    model: &mut Model,
    action: Action,
    list: &AlertList,
    keys: Vec<String>,
    ids: &mut dyn Ids,
) -> Vec<Effect> {
    let about = forms::About {
        is_over: false,
        incident: model.watched().filter(|i| i.id == list.incident),
        incidents: vec![list.incident],
        others: Vec::new(),
        held: BTreeSet::new(),
        plan: &model.mirror.plan,
        login: &model.login,
        levels: Vec::new(),
        changes: &model.mirror.desk.changes,
        windows: acts::windows(model),
        waiting: Vec::new(),
        silences: acts::silences(model),
        now: model.now,
        entry: None,
        stakeholder: None,
        line: None,
    };
    let Some(mut form) = forms::open(action, &about) else {
        return Vec::new();
    };
    let count = keys.len();
    let noun = if count == 1 { "alert" } else { "alerts" };
    form.title = format!("{} ({count} {noun})", form.title);
    form.alerts = keys;
    acts::show_form(model, form, ids)
}

/// Marks the alert under the cursor, or all of them.
pub(super) fn mark(model: &mut Model, all: bool) {
    let Some(Modal::Alerts(list)) = model.modals.last_mut() else {
        return;
    };
    if all {
        let is_full = list.marks.len() == list.rows.len();
        list.marks = if is_full {
            BTreeSet::new()
        } else {
            list.rows.iter().map(|row| row.key.clone()).collect()
        };
        return;
    }
    let Some(key) = list.rows.get(list.at).map(|row| row.key.clone()) else {
        return;
    };
    if !list.marks.remove(&key) {
        list.marks.insert(key);
    }
    list.at = (list.at + 1).min(list.rows.len().saturating_sub(1));
}
