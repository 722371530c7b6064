//! What is read in a page of its own: reports from the journal, and who must know.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::domain::brief::{Case, Kind, brief};
use crate::domain::silence::{Silence, ledger};
use crate::domain::text::visible;
use crate::tui::model::{Model, Notice, Reading, Tone};

/// The widest page, in columns.
const WIDTH: u16 = 110;

/// What the page is called.
pub(super) const fn title(what: Reading) -> &'static str {
    match what {
        Reading::Brief => "Reports (# names the entries)",
        Reading::Matrix => "Who must know, how often, by what",
        Reading::Silences => "What is silenced",
        Reading::Said => "What was said, the newest first",
        Reading::Dropped => "Not done",
        Reading::Mistakes => "Mistakes in your settings: what ships is used instead",
    }
}

/// The page as lines.
pub fn lines(model: &Model, what: Reading) -> Vec<String> {
    match what {
        Reading::Brief => reports(model),
        Reading::Matrix => {
            let plan = &model.mirror.plan;
            let all = plan.stakeholders.iter();
            let lines: Vec<String> = all.flat_map(|(name, who)| who.matrix(plan, name)).collect();
            if lines.is_empty() {
                return vec!["the plan names nobody; write [stakeholders] into it".to_owned()];
            }
            lines
        }
        Reading::Silences => silences(model),
        Reading::Said => said(model),
        Reading::Dropped => model.dropped.lines().map(ToOwned::to_owned).collect(),
        Reading::Mistakes => {
            model.mistakes.join("\n").lines().map(|line| visible(line).into_owned()).collect()
        }
    }
}

fn silences(model: &Model) -> Vec<String> {
    let all: Vec<Silence> = model.mirror.desk.silences.values().cloned().collect();
    if all.is_empty() {
        return vec!["nothing is silenced; A q does it".to_owned()];
    }
    ledger(&all).into_iter().map(|silence| silence.words(model.now)).collect()
}

fn said(model: &Model) -> Vec<String> {
    if model.said.is_empty() {
        return vec!["nothing was said yet".to_owned()];
    }
    let line = |notice: &Notice| {
        let mark = if notice.tone == Tone::Bad { "!" } else { " " };
        format!("{} {mark} {}", notice.at.clock(), notice.text.replace('\n', " "))
    };
    model.said.iter().rev().map(line).collect()
}

fn reports(model: &Model) -> Vec<String> {
    let Some(watched) = &model.mirror.watched else {
        return vec!["no incident is selected".to_owned()];
    };
    let case = Case {
        incident: &watched.head,
        events: &watched.events,
        plan: &model.mirror.plan,
        now: model.now,
    };
    let kinds = [
        (Kind::Can, "FOR THE ROOM"),
        (Kind::Exec, "FOR THOSE WHO DECIDE"),
        (Kind::Handover, "FOR WHO TAKES OVER"),
        (Kind::Public, "WHAT THE PUBLIC WAS TOLD"),
    ];
    let mut lines = Vec::new();
    for (kind, name) in kinds {
        lines.push(format!("== {name}"));
        for line in brief(kind, case) {
            let entries: Vec<String> = line.entries.iter().map(|seq| format!("#{seq}")).collect();
            let rests = if entries.is_empty() {
                String::new()
            } else {
                format!("  [{}]", entries.join(" "))
            };
            lines.extend(format!("{}{rests}", line.text).lines().map(ToOwned::to_owned));
        }
        lines.push(String::new());
    }
    lines
}

/// The page as it is drawn: lines that fit, and whether each is a warning.
pub fn wrapped(model: &Model, what: Reading) -> Vec<(String, bool)> {
    let width = usize::from(model.size.0.min(WIDTH).saturating_sub(2)).max(1);
    let mut all = Vec::new();
    for line in lines(model, what) {
        let is_warning = line.starts_with("==") || line.starts_with("  !");
        let safe = visible(&line).into_owned();
        let parts = if safe.is_empty() { vec![safe] } else { super::wrap(&safe, width) };
        all.extend(parts.into_iter().map(|text| (text, is_warning)));
    }
    all
}

pub(super) fn draw(
    model: &Model,
    screen: &mut Frame<'_>,
    area: Rect,
    what: Reading,
    scroll: usize,
) {
    let all = wrapped(model, what);
    let height = usize::from(area.height.saturating_sub(2));
    let more = super::more(model, scroll, height, all.len());
    let title = format!("{}{more} · q closes", title(what));
    let inner = super::modal::boxed(model, screen, area, &title, WIDTH, area.height, Vec::new());
    let plain = ratatui::style::Style::default();
    let shown = all.into_iter().skip(scroll).take(usize::from(inner.height));
    let shown = shown.map(|(text, is_warning)| {
        Line::styled(text, if is_warning { model.theme.warn } else { plain })
    });
    super::lines(screen, inner, shown.collect());
}
