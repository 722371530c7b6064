//! What is read in a page of its own: reports from the journal, and who must know.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::domain::brief::{Case, Kind, brief};
use crate::domain::silence::{Silence, ledger};
use crate::domain::text::visible;
use crate::tui::model::{Model, Reading};

/// What the page is called.
pub(super) const fn title(what: Reading) -> &'static str {
    match what {
        Reading::Brief => "Reports (# names the entries)",
        Reading::Matrix => "Who must know, how often, by what",
        Reading::Silences => "What is silenced",
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

pub(super) fn draw(
    model: &Model,
    screen: &mut Frame<'_>,
    area: Rect,
    what: Reading,
    scroll: usize,
) {
    let title = format!("{} · q closes", title(what));
    let inner = super::modal::boxed(model, screen, area, &title, 110, area.height, Vec::new());
    let width = usize::from(inner.width);
    let shown = lines(model, what)
        .into_iter()
        .skip(scroll)
        .flat_map(|line| {
            let style = if line.starts_with("==") || line.starts_with("  !") {
                model.theme.warn
            } else {
                ratatui::style::Style::default()
            };
            let safe = visible(&line).into_owned();
            let wrapped = if safe.is_empty() { vec![safe] } else { super::wrap(&safe, width) };
            wrapped.into_iter().map(move |text| Line::styled(text, style))
        })
        .take(usize::from(inner.height))
        .collect();
    super::lines(screen, inner, shown);
}
