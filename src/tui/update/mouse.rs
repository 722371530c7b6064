//! The mouse, where a person wants one: clicks and the wheel.

use crate::tui::model::{Model, Pane};
use crate::tui::update::{Effect, keys};
use crate::tui::view::layout::{self, Hit};
use crate::tui::view::{stakeholders, timeline};

/// Rows of one turn of the wheel.
const WHEEL: isize = 3;

/// A click focuses what is there, and selects the row under it.
pub(super) fn click(model: &mut Model, x: u16, y: u16) -> Vec<Effect> {
    if !model.modals.is_empty() {
        return Vec::new();
    }
    match layout::hit(model, x, y) {
        Some(Hit::Row { pane, row, inner }) => {
            let entry = timeline::entry_at(model, inner, row);
            let stakeholder = row
                + stakeholders::top(model, stakeholders::rows(model, usize::from(inner.height)));
            model.focus = pane;
            match pane {
                Pane::Queue if model.top + row < model.shown.len() => {
                    keys::select(model, model.top + row);
                }
                Pane::Timeline => model.entry_back = entry.unwrap_or(model.entry_back),
                Pane::Stakeholders if stakeholder < stakeholders::names(model).len() => {
                    (model.stakeholder, model.detail_top) = (stakeholder, 0);
                }
                Pane::Queue | Pane::Chain | Pane::Stakeholders => {}
            }
        }
        Some(Hit::Frame(pane)) => model.focus = pane,
        None => {}
    }
    Vec::new()
}

/// The wheel scrolls what is under it, and the focus comes along: a pane that is scrolled away from
/// the newest entry without the focus would hide what happens.
pub(super) fn wheel(model: &mut Model, x: u16, y: u16, down: bool) -> Vec<Effect> {
    if model.modals.is_empty() {
        match layout::hit(model, x, y) {
            Some(Hit::Row { pane, .. } | Hit::Frame(pane)) => model.focus = pane,
            None => return Vec::new(),
        }
    }
    keys::move_rows(model, if down { WHEEL } else { -WHEEL });
    Vec::new()
}
