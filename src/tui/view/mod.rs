//! The picture: reads the model, changes nothing.
//!
//! Invariants:
//! - Every text from outside passes `visible` before it becomes a cell.
//! - Nothing is told by colour alone.

pub mod alerts;
pub mod calendar;
pub mod chain;
pub mod details;
mod frame;
mod heard;
pub mod layout;
pub mod modal;
pub mod page;
pub mod plain;
mod plain_modal;
mod queue;
pub mod stakeholders;
pub mod timeline;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Paragraph};

use crate::domain::text::fit;
use crate::tui::model::{Model, Pane};
use crate::tui::view::layout::{Mode, areas};

/// Draws everything.
pub fn view(model: &Model, screen: &mut Frame<'_>) {
    let area = screen.area();
    if area.width == 0 || area.height == 0 {
        return;
    }
    let areas = areas(model, area);
    if areas.mode == Mode::Plain && !model.zoom && model.focus == Pane::Queue {
        queue::plain(model, screen, area);
    } else {
        if areas.mode == Mode::Plain {
            let line = queue::last_line(model, usize::from(areas.hints.width));
            lines(screen, areas.hints, vec![line]);
        } else {
            frame::header(model, screen, areas.header);
        }
        for (pane, rect) in &areas.panes {
            match pane {
                Pane::Queue => queue::draw(model, screen, *rect),
                Pane::Timeline => timeline::draw(model, screen, *rect),
                Pane::Chain => chain::draw(model, screen, *rect),
                Pane::Stakeholders => stakeholders::draw(model, screen, *rect),
            }
        }
        if let Some(rect) = areas.chain_strip {
            chain::strip(model, screen, rect);
        }
        if let Some(rect) = areas.stakeholder_strip {
            stakeholders::strip(model, screen, rect);
        }
        if let Some(rect) = areas.details {
            details::draw(model, screen, rect);
        }
        if areas.mode != Mode::Plain {
            frame::hints(model, screen, areas.hints);
        }
    }
    for modal in &model.modals {
        modal::draw(model, modal, screen, area);
    }
    if model.theme.ascii {
        only_ascii(screen, model.theme.is_narrow);
    }
}

/// Every mark of ours becomes one that any terminal can show; letters of any script stay, because
/// names and titles are theirs, unless the terminal cannot have them.
fn only_ascii(screen: &mut Frame<'_>, is_narrow: bool) {
    for cell in &mut screen.buffer_mut().content {
        let symbol = cell.symbol();
        if symbol.is_ascii() {
            continue;
        }
        let plain = match symbol {
            "·" => "-",
            "→" => ">",
            "…" => "~",
            "×" | "✗" => "x",
            "▏" => "_",
            "✓" => "v",
            "½" => "h",
            "⚠" => "!",
            "␛" => "^",
            other if !is_narrow && other.chars().all(char::is_alphanumeric) => continue,
            _ => "?",
        };
        cell.set_symbol(plain);
    }
}

/// Which time is shown, where it is not now.
fn as_known(model: &Model) -> Option<String> {
    let past = model.past.as_ref()?;
    let now = model.shown_now();
    let when = if now.is_same_day(model.now) {
        now.clock()
    } else {
        now.utc().format("%m-%d %H:%M").to_string()
    };
    Some(format!("AS KNOWN AT {when} (#{})", past.seq))
}

/// The same for the title of a pane that stands alone; beside others the timeline says it.
fn alone_as_known(model: &Model) -> String {
    let past = as_known(model).filter(|_| model.zoom);
    past.map(|past| format!("{past} · ")).unwrap_or_default()
}

/// A pane's frame with its title; returns the inside.
fn pane_frame(
    model: &Model,
    screen: &mut Frame<'_>,
    rect: Rect,
    pane: Option<Pane>,
    title: &str,
) -> Rect {
    let is_focused = pane == Some(model.focus) && model.modals.is_empty();
    let style = if is_focused { model.theme.focus } else { model.theme.border };
    // The focus is told by the marks around the title too.
    let title = if is_focused { format!("[{title}]") } else { format!(" {title} ") };
    let title = fit(&title, usize::from(rect.width.saturating_sub(2))).into_owned();
    let head = if is_focused { model.theme.focus } else { model.theme.title };
    let mut block = Block::bordered().border_style(style).title(Span::styled(title, head));
    block = if model.theme.ascii {
        block.border_set(ASCII)
    } else {
        block.border_type(BorderType::Plain)
    };
    let inner = block.inner(rect);
    screen.render_widget(block, rect);
    inner
}

const ASCII: ratatui::symbols::border::Set<'static> = ratatui::symbols::border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

/// How many lines of a list stand above and below what is seen of it; empty where that is all.
fn more(model: &Model, from: usize, height: usize, count: usize) -> String {
    let below = count.saturating_sub(from.saturating_add(height));
    let (up, down) = (model.theme.mark("↑", "^"), model.theme.mark("↓", "v"));
    match (from, below) {
        (0, 0) => String::new(),
        (_, 0) => format!(" {up}{from}"),
        (0, _) => format!(" {down}{below}"),
        _ => format!(" {up}{from} {down}{below}"),
    }
}

/// Lines into a rectangle.
fn lines(screen: &mut Frame<'_>, rect: Rect, lines: Vec<Line<'_>>) {
    screen.render_widget(Paragraph::new(lines), rect);
}

/// Breaks a text into lines of at most `columns` columns, at blanks where there are some.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    use unicode_segmentation::UnicodeSegmentation;
    use unicode_width::UnicodeWidthStr;
    let columns = columns.max(1);
    let mut out = Vec::new();
    for raw in crate::domain::text::visible_lines(text).split('\n') {
        let mut line = String::new();
        let mut width = 0;
        for word in raw.split_inclusive(' ') {
            if width + word.trim_end().width() > columns && width > 0 {
                out.push(std::mem::take(&mut line).trim_end().to_owned());
                width = 0;
            }
            for grapheme in word.graphemes(true).flat_map(|grapheme| pieces(grapheme, columns)) {
                let grapheme_width = grapheme.width();
                if width + grapheme_width > columns && grapheme == " " {
                    continue;
                }
                if width + grapheme_width > columns && width > 0 {
                    out.push(std::mem::take(&mut line));
                    width = 0;
                }
                line.push_str(grapheme);
                width += grapheme_width;
            }
        }
        out.push(line.trim_end().to_owned());
    }
    out
}

/// A grapheme, or its characters where all of it is wider than a line: a mark that takes a column
/// after a sign that takes two. A sign that is wider than the line by itself cannot be shown there.
fn pieces(grapheme: &str, columns: usize) -> Vec<&str> {
    use unicode_width::UnicodeWidthStr as _;
    if grapheme.width() <= columns {
        return vec![grapheme];
    }
    let fits = |part: &'_ str| part.width() <= columns;
    grapheme.split_inclusive(|_| true).map(|part| if fits(part) { part } else { "?" }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_never_exceeds_the_width_and_loses_no_word() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("a\nb", 5), ["a", "b"]);
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("\u{1F200}\u{B47}", 2), ["\u{1F200}", "\u{B47}"], "three columns in two");
    }

    #[test]
    fn a_sign_that_is_wider_than_the_line_is_marked() {
        assert_eq!(wrap("a\u{17d8}b", 2).concat(), "a?b");
    }
}
