//! The on-call calendar: a fortnight of every schedule, day by day, with its gaps in words.

use chrono::{Days, TimeZone};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

use crate::domain::schedule::{self, Duty, Schedule, Shift, Source};
use crate::domain::text::{fit, visible};
use crate::domain::time::{DAY_MS, Timestamp};
use crate::tui::model::Model;

/// Days that are shown.
const DAYS: u64 = 14;

/// A line, and whether it tells of a gap.
pub struct DayLine {
    pub text: String,
    pub is_gap: bool,
}

/// The calendar as lines.
pub fn lines(model: &Model) -> Vec<DayLine> {
    let mut lines = Vec::new();
    let plan = &model.mirror.plan;
    if plan.schedules.is_empty() {
        lines.push(DayLine { text: "the plan has no schedule".to_owned(), is_gap: true });
    }
    for (name, found) in &plan.schedules {
        let now: Vec<String> = model.mirror.desk.on_call(plan, name, model.now);
        let who = if now.is_empty() { "NOBODY".to_owned() } else { now.join(", ") };
        let text = format!("{name} ({}) · now {who}", found.zone);
        lines.push(DayLine { text, is_gap: now.is_empty() });
        lines.extend(fortnight(model, name, found));
        lines.push(DayLine { text: String::new(), is_gap: false });
    }
    lines
}

fn fortnight(model: &Model, name: &str, found: &Schedule) -> Vec<DayLine> {
    let today = schedule::day_of(found.zone, model.now);
    let start = |offset: u64| {
        let day = today.checked_add_days(Days::new(offset)).unwrap_or(today);
        schedule::instant(found.zone, day.and_time(chrono::NaiveTime::MIN))
    };
    let changes = model.mirror.desk.changes_of(name);
    let holidays = &model.mirror.plan.holidays;
    let shifts = schedule::shifts(found, holidays, changes, start(0), start(DAYS));
    let width = usize::from(model.size.0.saturating_sub(2));
    (0..DAYS)
        .flat_map(|offset| {
            let (from, until) = (start(offset), start(offset + 1));
            day_lines(found, &shifts, (from, until), width)
        })
        .collect()
}

/// Somebody on duty; a letter says where they are not there by the rotation.
fn named(duty: &Duty) -> String {
    let mark = match duty.source {
        Source::Layer { .. } => "",
        Source::Cover { .. } => "(c)",
        Source::Swap { .. } => "(s)",
        Source::Override { .. } => "(o)",
        Source::Temporary { .. } => "(t)",
    };
    format!("{}{mark}", duty.person)
}

/// A day with its hand-overs: on as many lines as it needs, none of them cut.
fn day_lines(
    found: &Schedule,
    shifts: &[Shift],
    (from, until): (Timestamp, Timestamp),
    width: usize,
) -> Vec<DayLine> {
    let local = |at: Timestamp| found.zone.from_utc_datetime(&at.utc().naive_utc());
    let mut parts: Vec<String> = Vec::new();
    let mut is_gap = false;
    let mine = shifts.iter().filter(|shift| shift.from < until && shift.until > from);
    let mut last: Option<Vec<String>> = None;
    for shift in mine {
        let people: Vec<String> = shift.people.iter().map(named).collect();
        if last.as_ref() == Some(&people) {
            continue;
        }
        let who = if people.is_empty() { "NOBODY".to_owned() } else { people.join("+") };
        is_gap |= people.is_empty();
        if shift.from <= from {
            parts.push(who);
        } else {
            parts.push(format!("{} {who}", local(shift.from).format("%H:%M")));
        }
        last = Some(people);
    }
    // A day is called by its noon, so that a change of summer time cannot rename it.
    let day = local(from.plus(DAY_MS / 2)).format("%a %d %b");
    let head = format!("  {day}  ");
    let mut lines = vec![DayLine { text: head.clone(), is_gap }];
    for (index, part) in parts.iter().enumerate() {
        let part = visible(part);
        let Some(line) = lines.last_mut() else { break };
        let is_first = index == 0;
        let needs = line.text.width() + part.width() + if is_first { 0 } else { 3 };
        if needs > width && !is_first {
            let text = format!("{}{part}", " ".repeat(head.width()));
            lines.push(DayLine { text, is_gap });
            continue;
        }
        line.text.push_str(if is_first { "" } else { " · " });
        line.text.push_str(&part);
    }
    lines
}

pub(super) fn draw(model: &Model, screen: &mut Frame<'_>, area: Rect, scroll: usize) {
    let all = lines(model);
    let height = usize::from(area.height.saturating_sub(2));
    // What is below the edge is told first: the marks are read at leisure.
    let more = super::more(model, scroll, height, all.len());
    let title =
        format!("On call{more} · q closes · marked: (c) cover (s) swap (o) override (t) temp.");
    let inner =
        super::modal::boxed(model, screen, area, &title, area.width, area.height, Vec::new());
    let width = usize::from(inner.width);
    let lines: Vec<Line<'static>> = all
        .into_iter()
        .skip(scroll)
        .take(usize::from(inner.height))
        .map(|line| {
            let style =
                if line.is_gap { model.theme.bad } else { ratatui::style::Style::default() };
            Line::styled(fit(&visible(&line.text), width).into_owned(), style)
        })
        .collect();
    super::lines(screen, inner, lines);
}
