//! The stakeholders: who must know, what each was last told and the proof, and what is promised.
//!
//! Invariants:
//! - What is late comes first, then what waits for somebody's approval and what the press asked, then
//!   what is due.

mod asks;
pub mod detail;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::domain::ids::IncidentId;
use crate::domain::incident::{Incident, Told};
use crate::domain::talk::Proof;
use crate::domain::talk::page;
use crate::domain::talk::promise::{self, Promise, What};
use crate::domain::text::{fit, visible};
use crate::tui::model::{Model, Pane};
use crate::tui::theme::Theme;
use crate::tui::view::frame::late_words;

/// How a line stands; the order of the pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Late,
    Asks,
    Due,
    Open,
    Told,
}

/// One line of the pane.
struct Item<'a> {
    /// The stakeholder; empty for what is about none.
    name: &'a str,
    /// What stands in the place of the name.
    head: String,
    channel: String,
    text: String,
    rank: Rank,
    due: Option<i64>,
}

impl Item<'_> {
    /// What a line is of, whatever it says: a stakeholder, or a rule with its stage.
    fn line(&self) -> String {
        let stage = if self.name.is_empty() { self.channel.as_str() } else { "" };
        format!("{} {stage}", self.head).trim_end().to_owned()
    }
}

fn list<'a>(model: &'a Model, incident: &'a Incident) -> Vec<Item<'a>> {
    let plan = &model.mirror.plan;
    let promises = promise::all(incident, plan);
    let mut names: Vec<&str> = plan.audience_of(incident).map(|(name, _)| name.as_str()).collect();
    let others = incident.told.keys().chain(incident.talk.by_hand.keys());
    for name in others.map(String::as_str) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut list: Vec<Item<'a>> = asks::all(model, incident);
    for name in names {
        let promise = promises.iter().find(|promise| promise.who == name);
        list.push(stakeholder(model, incident, name, promise));
    }
    list.sort_by(|a, b| {
        (a.rank, a.due.unwrap_or(i64::MAX), a.name).cmp(&(
            b.rank,
            b.due.unwrap_or(i64::MAX),
            b.name,
        ))
    });
    list
}

fn first(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn stakeholder<'a>(
    model: &'a Model,
    incident: &'a Incident,
    name: &'a str,
    promise: Option<&Promise<'_>>,
) -> Item<'a> {
    let told = incident.told.get(name).filter(|told| told.count > 0);
    let planned = model.mirror.plan.stakeholders.get(name).and_then(|s| s.channels.first());
    let channel = told
        .map(|told| told.channel.clone())
        .filter(|channel| !channel.is_empty())
        .or_else(|| planned.map(|text| crate::domain::delivery::channel_of(text).to_owned()));
    let is_late = promise.is_some_and(|promise| promise.due <= model.shown_now());
    let rank = match promise {
        Some(_) if is_late => Rank::Late,
        _ if incident.talk.by_hand.contains_key(name) => Rank::Asks,
        Some(_) => Rank::Due,
        None if told.is_none() => Rank::Open,
        None => Rank::Told,
    };
    Item {
        name,
        head: name.to_owned(),
        channel: channel.unwrap_or_default(),
        text: words(model, incident, name, told, promise),
        rank,
        due: promise.map(|promise| promise.due.0),
    }
}

/// How one of them stands, in words.
fn words(
    model: &Model,
    incident: &Incident,
    name: &str,
    told: Option<&Told>,
    promise: Option<&Promise<'_>>,
) -> String {
    let theme = &model.theme;
    let unreached = promise.and_then(|it| it.unreached_words(incident, model.shown_now()));
    let is_unreached = unreached.is_some();
    let when = promise.map(|promise| {
        let at = promise.due.clock_near(model.shown_now());
        let word = match (promise.is_given, promise.what) {
            (true, _) => "promised",
            (false, What::Last) => "last word due",
            (false, What::First | What::Next) => "due",
            (false, What::Unreached) => return format!("! {}", unreached.unwrap_or_default()),
        };
        match promise.mark(model.shown_now()) {
            100 => {
                format!("! {} LATE ({word} {at})", late_words(model.shown_now().since(promise.due)))
            }
            0 => format!("{word} {at}"),
            gone => format!("{word} {at}, {gone}% gone"),
        }
    });
    let is_late = promise.is_some_and(|promise| promise.due <= model.shown_now());
    if let Some(update) = incident.talk.by_hand.get(name) {
        return by_hand(model, name, *update, when.filter(|_| is_late));
    }
    let Some(told) = told else {
        let mark = theme.mark("○", "o");
        return match when {
            Some(when) => format!("{mark} not told yet · {when}"),
            None => format!("{mark} not told yet"),
        };
    };
    let proof = incident.talk.proofs.get(name);
    let is_old = page::is_off_page(incident, told.at);
    let mark = mark(theme, told, proof, is_old);
    // What is late says it already.
    let proof = proof.map(|proof| proof.words(is_old)).filter(|_| !is_unreached);
    let is_asked = told.last && !incident.talk.feedback.contains_key(name);
    let last = match (told.last, is_asked && !incident.phase().is_active()) {
        (true, true) => "ask how it was (u f) · last word ",
        (true, false) => "last word ",
        (false, _) => "",
    };
    let parts = [
        Some(format!("{mark} {last}{}", told.at.clock_minutes())),
        when,
        proof.filter(|proof| !proof.is_empty()),
        Some(first(&told.text).to_owned()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    // What is late stands first.
    if is_late && parts.len() > 1 {
        let mut parts = parts;
        let when = parts.remove(1);
        parts.insert(0, when);
        return parts.join(" · ");
    }
    parts.join(" · ")
}

/// How what was said last stands.
fn mark(theme: &Theme, told: &Told, proof: Option<&Proof>, is_old: bool) -> &'static str {
    let is_failed = proof.is_some_and(|proof| proof.failed > 0);
    let is_open = proof.is_some_and(|proof| proof.open == proof.messages() && proof.open > 0);
    match () {
        () if is_failed => theme.mark("✗", "x"),
        () if is_open || is_old && proof.is_some_and(Proof::is_on_page_alone) => {
            theme.mark("◐", "~")
        }
        () if told.last => theme.mark("■", "#"),
        () => theme.mark("✓", "v"),
    }
}

/// Somebody must do it: what, how, and how late it is.
fn by_hand(model: &Model, name: &str, update: u32, late: Option<String>) -> String {
    let how = model.mirror.plan.stakeholders.get(name).map_or("", |who| who.by_hand());
    let how = if how.is_empty() { String::new() } else { format!(" ({how})") };
    let late = late.map_or_else(|| "! ".to_owned(), |late| format!("{late} · "));
    format!("{late}TELL THEM BY HAND{how} what update {update} says; u l logs it")
}

fn style(model: &Model, item: &Item<'_>) -> Style {
    let theme = &model.theme;
    match item.rank {
        Rank::Late => theme.bad,
        Rank::Asks | Rank::Open => theme.warn,
        Rank::Due if item.text.contains("% gone") || item.text.contains("not told") => theme.warn,
        Rank::Due | Rank::Told => theme.good,
    }
}

/// The names in the order of the pane; empty where a line is about no stakeholder.
pub fn names(model: &Model) -> Vec<String> {
    model
        .shown_incident()
        .map(|incident| list(model, incident).iter().map(|item| item.name.to_owned()).collect())
        .unwrap_or_default()
}

/// The incident and the line under the cursor, where somebody looks at it.
pub fn at(model: &Model) -> Option<(IncidentId, String)> {
    let incident = model.shown_incident().filter(|_| model.focus == Pane::Stakeholders)?;
    let item = list(model, incident).into_iter().nth(model.stakeholder)?;
    Some((incident.id, item.line()))
}

/// The cursor stays on its line though the order changes.
pub fn go_back_to(model: &mut Model, before: Option<(IncidentId, String)>) {
    let Some((id, head)) = before else { return };
    let Some(incident) = model.shown_incident().filter(|incident| incident.id == id) else {
        return;
    };
    let found = list(model, incident).iter().position(|item| item.line() == head);
    model.stakeholder = found.unwrap_or(model.stakeholder);
}

/// How many lines of the list are seen: alone, the pane shows what is selected as well, however long
/// the list is.
pub fn rows(model: &Model, height: usize) -> usize {
    if model.zoom { height.min((height / 2).max(3)) } else { height }
}

/// The first one that is seen: the selected one always is.
pub fn top(model: &Model, height: usize) -> usize {
    let is_focused = model.focus == Pane::Stakeholders;
    if is_focused { (model.stakeholder + 1).saturating_sub(height.max(1)) } else { 0 }
}

/// Each in words, for a screen reader: the name, and how it stands.
pub(super) fn sentences(model: &Model) -> Vec<(String, String)> {
    let Some(incident) = model.shown_incident() else { return Vec::new() };
    let sentence = |item: Item<'_>| {
        let by =
            if item.channel.is_empty() { String::new() } else { format!("by {}, ", item.channel) };
        let plain = item
            .text
            .trim_start_matches(['!', '✓', '○', '✗', '■', '◐', 'v', 'o', 'x', '#', '~', ' ']);
        let text = format!("{by}{}", plain.replace(" · ", ", "));
        (visible(&item.head).into_owned(), visible(&text).into_owned())
    };
    list(model, incident).into_iter().map(sentence).collect()
}

pub(super) fn draw(model: &Model, screen: &mut Frame<'_>, rect: Rect) {
    let Some(incident) = model.shown_incident() else {
        super::pane_frame(model, screen, rect, Some(Pane::Stakeholders), "Stakeholders");
        return;
    };
    let list = list(model, incident);
    let height = usize::from(rect.height.saturating_sub(2));
    let rows = rows(model, height);
    let top = top(model, rows);
    let long = if incident.talk.is_long { " · long incident" } else { "" };
    let is_stale = incident.is_public() && model.mirror.desk.page_fault.is_some();
    let page = if is_stale { " · THE STATUS PAGE IS OLD" } else { "" };
    let more = super::more(model, top, rows, list.len());
    let past = super::alone_as_known(model);
    let public = incident.public;
    let undeclared = asks::undeclared(model, incident);
    let undeclared = undeclared.map_or_else(String::new, |words| format!(" · {words}"));
    let title = format!(
        "{past}Stakeholders {}{more} · public: {public}{page}{undeclared}{long}",
        incident.id
    );
    let inner = super::pane_frame(model, screen, rect, Some(Pane::Stakeholders), &title);
    let width = usize::from(inner.width);
    if list.is_empty() {
        let text = "the plan names nobody who must know at this severity";
        return super::lines(
            screen,
            inner,
            vec![Line::styled(fit(text, width).into_owned(), model.theme.dim)],
        );
    }
    let mut lines: Vec<Line<'static>> = list
        .iter()
        .enumerate()
        .skip(top)
        .take(rows)
        .map(|(index, item)| {
            let is_selected = model.focus == Pane::Stakeholders && index == model.stakeholder;
            let cursor = if is_selected { model.theme.mark("▶", ">") } else { " " };
            let head = format!(
                "{cursor}{:<12} {:<12} ",
                fit(&visible(&item.head), 12),
                fit(&visible(&item.channel), 12)
            );
            let full = format!("{head}{}", visible(&item.text));
            let style = style(model, item);
            let style = if is_selected { style.patch(model.theme.cursor) } else { style };
            Line::styled(fit(&full, width).into_owned(), style)
        })
        .collect();
    if let Some(room) = detail::room(height, lines.len())
        && let Some(item) = list.get(model.stakeholder)
    {
        lines.push(Line::raw(""));
        lines.extend(detail::shown(model, detail::of(model, incident, item, width), room, width));
    }
    super::lines(screen, inner, lines);
}

/// The stakeholders in one line, for small screens.
pub(super) fn strip(model: &Model, screen: &mut Frame<'_>, rect: Rect) {
    let Some(incident) = model.shown_incident() else {
        return;
    };
    let list = list(model, incident);
    let count = |rank: Rank| list.iter().filter(|item| item.rank == rank).count();
    let ranks = [
        (Rank::Asks, "wait for you"),
        (Rank::Late, "LATE"),
        (Rank::Due, "due"),
        (Rank::Open, "not told"),
        (Rank::Told, "told"),
    ];
    let parts: Vec<String> = ranks
        .into_iter()
        .filter(|(rank, _)| count(*rank) > 0)
        .map(|(rank, word)| format!("{} {word}", count(rank)))
        .collect();
    let first = list
        .first()
        .map(|item| format!(" · {}: {}", visible(&item.head), visible(&item.text)))
        .unwrap_or_default();
    let summary = if parts.is_empty() { "nobody must know".to_owned() } else { parts.join(", ") };
    let undeclared = asks::undeclared(model, incident);
    let undeclared = undeclared.map_or_else(String::new, |words| format!("{words} · "));
    let text = format!("4 stakeholders: {undeclared}{summary}{first}");
    let style = match list.first().map(|item| item.rank) {
        _ if count(Rank::Late) > 0 => model.theme.bad,
        Some(Rank::Asks) => model.theme.warn,
        _ => Style::default(),
    };
    super::lines(
        screen,
        rect,
        vec![Line::styled(fit(&text, usize::from(rect.width)).into_owned(), style)],
    );
}
