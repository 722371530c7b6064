//! Where everything is. One function; hit-testing and paging ask it too.

use ratatui::layout::{Constraint, Layout, Margin, Rect};

use crate::tui::model::{Model, Pane};

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Below 40×12: a plain list.
    Plain,
    /// Up to 99 columns or 29 lines: queue and timeline, the rest as strips.
    Small,
    /// Four panes.
    Wide,
    /// Four panes and the details beside them.
    Huge,
}

/// The rectangles of the home view.
#[derive(Debug, Clone)]
pub struct Areas {
    pub mode: Mode,
    pub header: Rect,
    pub panes: Vec<(Pane, Rect)>,
    pub chain_strip: Option<Rect>,
    pub stakeholder_strip: Option<Rect>,
    pub details: Option<Rect>,
    pub hints: Rect,
}

fn mode(area: Rect) -> Mode {
    if area.width < 40 || area.height < 12 {
        Mode::Plain
    } else if area.width < 100 || area.height < 30 {
        Mode::Small
    } else if area.width < 180 {
        Mode::Wide
    } else {
        Mode::Huge
    }
}

/// The rectangles for a screen.
pub fn areas(model: &Model, area: Rect) -> Areas {
    let mode = mode(area);
    let [header, body, hints] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)])
            .areas(area);
    let mut areas = Areas {
        mode,
        header,
        panes: Vec::new(),
        chain_strip: None,
        stakeholder_strip: None,
        details: None,
        hints,
    };
    // A tiny screen shows one pane: the one that has the focus.
    if mode == Mode::Plain && (model.zoom || model.focus != Pane::Queue) {
        let room = Rect { height: area.height.saturating_sub(1), ..area };
        areas.panes.push((model.focus, room));
        return areas;
    }
    if model.zoom {
        areas.panes.push((model.focus, body));
        return areas;
    }
    match mode {
        Mode::Plain => areas.panes.push((Pane::Queue, area)),
        Mode::Small => small(model, body, &mut areas),
        Mode::Wide => four(body, &mut areas),
        Mode::Huge => {
            let [left, right] =
                Layout::horizontal([Constraint::Min(0), Constraint::Length(60)]).areas(body);
            areas.details = Some(right);
            four(left, &mut areas);
        }
    }
    areas
}

fn small(model: &Model, body: Rect, areas: &mut Areas) {
    let [top, middle, chain, stakeholders] = Layout::vertical([
        Constraint::Percentage(42),
        Constraint::Min(3),
        Constraint::Length(1),
        Constraint::Length(1),
    ])
    .areas(body);
    areas.panes.push((Pane::Queue, top));
    // A strip that has the focus opens in the place of the timeline.
    let shown = match model.focus {
        Pane::Chain | Pane::Stakeholders => model.focus,
        Pane::Queue | Pane::Timeline => Pane::Timeline,
    };
    areas.panes.push((shown, middle));
    areas.chain_strip = Some(chain);
    areas.stakeholder_strip = Some(stakeholders);
}

fn four(body: Rect, areas: &mut Areas) {
    let [left, right] =
        Layout::horizontal([Constraint::Percentage(42), Constraint::Percentage(58)]).areas(body);
    let split = |rect: Rect| -> [Rect; 2] {
        Layout::vertical([Constraint::Min(0), Constraint::Length((rect.height * 3 / 10).max(7))])
            .areas(rect)
    };
    let [queue, chain] = split(left);
    let [timeline, stakeholders] = split(right);
    areas.panes = vec![
        (Pane::Queue, queue),
        (Pane::Timeline, timeline),
        (Pane::Chain, chain),
        (Pane::Stakeholders, stakeholders),
    ];
}

fn screen(model: &Model) -> Rect {
    Rect::new(0, 0, model.size.0, model.size.1)
}

fn inner_height(model: &Model, pane: Pane) -> Option<usize> {
    let areas = areas(model, screen(model));
    let (_, rect) = areas.panes.iter().find(|(p, _)| *p == pane)?;
    let frame = if areas.mode == Mode::Plain { 1 } else { 2 };
    Some(usize::from(rect.height.saturating_sub(frame)))
}

/// How many rows of the queue are seen.
pub fn queue_rows(model: &Model) -> usize {
    inner_height(model, Pane::Queue).unwrap_or_else(|| usize::from(model.size.1.saturating_sub(12)))
}

/// How far a page goes in the focused pane.
pub fn page(model: &Model) -> usize {
    if !model.modals.is_empty() {
        return usize::from(model.size.1).saturating_sub(4).max(1);
    }
    inner_height(model, model.focus).unwrap_or(10).saturating_sub(1).max(1)
}

/// The inside of a pane's frame, where it is shown.
pub fn inner(model: &Model, pane: Pane) -> Option<Rect> {
    let areas = areas(model, screen(model));
    let (_, rect) = areas.panes.into_iter().find(|(shown, _)| *shown == pane)?;
    Some(rect.inner(Margin::new(1, 1)))
}

/// What is under a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// A line inside a pane, counted from 0.
    Row { pane: Pane, row: usize, inner: Rect },
    /// A pane's frame, or the strip that opens it.
    Frame(Pane),
}

/// What is under a point.
pub fn hit(model: &Model, x: u16, y: u16) -> Option<Hit> {
    let areas = areas(model, screen(model));
    let at = (x, y).into();
    let strips = [(Pane::Chain, areas.chain_strip), (Pane::Stakeholders, areas.stakeholder_strip)];
    for (pane, rect) in strips {
        if rect.is_some_and(|rect| rect.contains(at)) {
            return Some(Hit::Frame(pane));
        }
    }
    let (pane, rect) = areas.panes.into_iter().find(|(_, rect)| rect.contains(at))?;
    // The plain list has no frame.
    let is_framed = areas.mode != Mode::Plain || model.zoom || pane != Pane::Queue;
    let inner = if is_framed { rect.inner(Margin::new(1, 1)) } else { rect };
    if inner.contains(at) {
        Some(Hit::Row { pane, row: usize::from(y - inner.y), inner })
    } else {
        Some(Hit::Frame(pane))
    }
}
