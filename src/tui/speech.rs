//! The screen reader's console: what changed is written as plain lines, the oldest first, so that
//! the terminal's own history holds all of it.
//!
//! Invariants:
//! - Nothing is written but text, line ends, and what edits the line that is being typed: backspace,
//!   carriage return and "erase to the end of the line".
//! - What did not change is not said again.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::tui::model::Model;
use crate::tui::view::plain::{Prompt, Spoken, spoken};
use crate::tui::view::wrap;

/// Back to the beginning of the line, and nothing on it.
const ERASE: &str = "\r\x1b[K";

/// What was said last.
#[derive(Debug, Default)]
pub struct Speech {
    last: Spoken,
}

impl Speech {
    /// What is to be written for what changed; empty if nothing did.
    pub fn say(&mut self, model: &Model) -> String {
        let mut now = spoken(model);
        let columns = usize::from(model.size.0.max(20)).saturating_sub(1);
        let whole = now.prompt.as_mut().and_then(|prompt| {
            let is_new = self.last.prompt.as_ref().is_none_or(|last| last.key != prompt.key);
            let text = format!("{}{}", prompt.before, prompt.after);
            (shorten(prompt, columns) && is_new).then_some(text)
        });
        let mut lines: Vec<&str> = now
            .lines
            .iter()
            .filter(|line| !self.last.lines.contains(line))
            .map(String::as_str)
            .collect();
        let focus_key = |spoken: &Spoken| spoken.focus.as_ref().map(|(key, _)| key.clone());
        if let Some((_, text)) =
            now.focus.as_ref().filter(|_| focus_key(&now) != focus_key(&self.last))
        {
            lines.push(text);
        }
        // What the line cannot hold is said once, before it is typed at.
        lines.extend(whole.as_deref());
        let mut out = String::new();
        let is_same_line = match (&self.last.prompt, &now.prompt) {
            (Some(old), Some(new)) => old.key == new.key,
            (None, None) => true,
            _ => false,
        };
        if lines.is_empty() && is_same_line {
            if let (Some(old), Some(new)) = (&self.last.prompt, &now.prompt) {
                edit(&mut out, old, new);
            }
        } else {
            // A line that is finished stays; one that goes on is written again below the news.
            if self.last.prompt.is_some() {
                out.push_str(if is_same_line { ERASE } else { "\r\n" });
            }
            // Broken at blanks: a braille line must not end inside a word.
            for line in lines.into_iter().flat_map(|line| wrap(line, columns)) {
                out.push_str(&line);
                out.push_str("\r\n");
            }
            if let Some(prompt) = &now.prompt {
                write(&mut out, prompt);
            }
        }
        self.last = now;
        out
    }

    /// Forgets what was said, so that all of it is said again.
    pub fn forget(&mut self) {
        self.last = Spoken::default();
    }
}

/// The whole line, with the cursor in its place.
fn write(out: &mut String, prompt: &Prompt) {
    out.push_str(&prompt.label);
    out.push_str(&prompt.before);
    out.push_str(&prompt.after);
    out.push_str(&"\u{8}".repeat(prompt.after.width()));
}

/// From the old line to the new one, in as few characters as typing needs.
fn edit(out: &mut String, old: &Prompt, new: &Prompt) {
    if old == new {
        return;
    }
    let is_at_end = old.after.is_empty() && new.after.is_empty() && old.label == new.label;
    if let Some(typed) = new.before.strip_prefix(old.before.as_str()).filter(|_| is_at_end) {
        out.push_str(typed);
    } else if let Some(gone) = old.before.strip_prefix(new.before.as_str()).filter(|_| is_at_end) {
        out.push_str(&"\u{8} \u{8}".repeat(gone.width()));
    } else {
        out.push_str(ERASE);
        write(out, new);
    }
}

/// A line that is being typed stays on one line of the terminal: its latest part is shown. Whether
/// some of what is typed was left out.
fn shorten(prompt: &mut Prompt, columns: usize) -> bool {
    if prompt.label.width() + 10 > columns {
        prompt.label = crate::domain::text::fit(&prompt.label, columns / 2).into_owned();
    }
    let room = columns.saturating_sub(prompt.label.width());
    let is_cut = prompt.before.width() + prompt.after.width() > room;
    // Half a line at a time, so that not every key writes all of it again.
    while prompt.before.width() > room {
        let mut columns = 0;
        let cut: usize = prompt
            .before
            .graphemes(true)
            .take_while(|one| {
                let is_taken = columns < (room / 2).max(1);
                columns += one.width();
                is_taken
            })
            .map(str::len)
            .sum();
        prompt.before.drain(..cut);
    }
    let room = room.saturating_sub(prompt.before.width());
    if prompt.after.width() > room {
        prompt.after = crate::domain::text::fit(&prompt.after, room).into_owned();
    }
    is_cut
}
