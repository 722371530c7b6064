//! Whoever looks at the console is wanted: by a page that came into it, or by another way.
//!
//! Invariants:
//! - What is counted and marked follows the lines of the queue, whichever way a page took.

use crate::domain::ids::IncidentId;
use crate::domain::row::Row;
use crate::domain::words::DeliveryKind;
use crate::proto::Page;
use crate::tui::action::Action;
use crate::tui::model::{BACK, Model, Tone};

/// You are wanted: a bell, a notification, and the words why.
pub(super) fn paged(model: &mut Model, pages: &[Page]) {
    let Some(worst) = pages.iter().min_by_key(|page| page.severity) else { return };
    let more = match pages.len() {
        1 => String::new(),
        n => format!(" (+{} more)", n - 1),
    };
    let verb = match worst.kind {
        DeliveryKind::Inform | DeliveryKind::Update => "for your information",
        DeliveryKind::Page => "YOU ARE PAGED",
        DeliveryKind::Handover => "you are offered",
    };
    let asks = |page: &&Page| matches!(page.kind, DeliveryKind::Page | DeliveryKind::Handover);
    for page in pages.iter().filter(asks) {
        model.called.insert(page.incident);
        if !model.paged.contains(&page.incident) {
            model.paged.push(page.incident);
        }
    }
    // What is said last is where the key goes first.
    if let Some(at) =
        model.paged.iter().position(|id| *id == worst.incident).filter(|_| asks(&worst))
    {
        model.paged[..=at].rotate_right(1);
    }
    let here = model.selected_id == Some(worst.incident);
    let key = model.keymap.key_in(&["global"], Action::GoPaged).unwrap_or_default();
    let go = if here || !asks(&worst) { String::new() } else { format!(" ({key} goes there)") };
    // What was said in the very moment before is not lost by this.
    let is_back = model.notice.as_ref().is_some_and(|notice| notice.text == BACK);
    let back = if is_back { format!("{BACK}; ") } else { String::new() };
    let text = format!(
        "{back}{verb}: {} {}{go} {}{more} · {}",
        worst.severity, worst.incident, worst.title, worst.why
    );
    model.say(Tone::Bad, text);
    model.bell = true;
}

/// You are wanted by a way that does not lead here, and sit here all the same.
pub(super) fn called(model: &mut Model, rows: &[Row]) {
    let wants = |row: &&Row| row.wants(&model.login) && !model.called.contains(&row.id);
    let new: Vec<&Row> = rows.iter().filter(wants).collect();
    let Some(worst) = new.iter().min_by_key(|row| (row.severity, row.id)) else { return };
    let key = model.keymap.key_in(&["global"], Action::GoPaged).unwrap_or_default();
    let go = if model.selected_id == Some(worst.id) { "" } else { key.as_str() };
    let go = if go.is_empty() { String::new() } else { format!(" ({go} goes there)") };
    let more = if new.len() > 1 { format!(" (+{} more)", new.len() - 1) } else { String::new() };
    let text = format!("YOU ARE WANTED: {} {}{go} {}{more}", worst.severity, worst.id, worst.title);
    let ids: Vec<IncidentId> = new.iter().map(|row| row.id).collect();
    model.called.extend(ids);
    model.say(Tone::Bad, text);
    model.bell = true;
}

/// Nobody is wanted for what left the queue.
pub(super) fn forget_gone(model: &mut Model) {
    let mirror = &model.mirror;
    model.paged.retain(|id| mirror.row(*id).is_some());
    model.called.retain(|id| mirror.row(*id).is_some());
}
