//! Colours and marks. Severity and state are always told by words or marks too: colour only adds.

use std::path::Path;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use crate::config::{Mistake, places};
use crate::domain::words::Severity;

const SHIPPED: &str = include_str!("../../assets/theme.toml");

/// How things look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    pub sev: [Style; 5],
    pub dim: Style,
    pub title: Style,
    pub focus: Style,
    pub border: Style,
    pub good: Style,
    pub bad: Style,
    pub warn: Style,
    pub accent: Style,
    pub cursor: Style,
    pub header: Style,
    /// Lines and marks that every terminal can show.
    pub ascii: bool,
    /// The terminal's characters are not Unicode: nothing else may be sent to it, for a byte of a
    /// letter could be a command there.
    pub is_narrow: bool,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct File {
    sev1: Option<String>,
    sev2: Option<String>,
    sev3: Option<String>,
    sev4: Option<String>,
    sev5: Option<String>,
    dim: Option<String>,
    title: Option<String>,
    focus: Option<String>,
    border: Option<String>,
    good: Option<String>,
    bad: Option<String>,
    warn: Option<String>,
    accent: Option<String>,
    cursor: Option<String>,
    header: Option<String>,
    ascii: Option<bool>,
}

/// `bold red on black`: modifiers, a colour, and one behind it.
fn style(text: &str) -> Result<Style, String> {
    let mut style = Style::default();
    let mut behind = false;
    for word in text.split_whitespace() {
        style = match word {
            "bold" => style.add_modifier(Modifier::BOLD),
            "dim" => style.add_modifier(Modifier::DIM),
            "italic" => style.add_modifier(Modifier::ITALIC),
            "underline" => style.add_modifier(Modifier::UNDERLINED),
            "reverse" => style.add_modifier(Modifier::REVERSED),
            "on" => {
                behind = true;
                continue;
            }
            name => {
                let color: Color = name
                    .parse()
                    .map_err(|_| format!("'{name}' is neither a colour nor a modifier"))?;
                if behind { style.bg(color) } else { style.fg(color) }
            }
        };
    }
    Ok(style)
}

impl Theme {
    /// The theme that ships with the program.
    pub fn shipped() -> Self {
        let mut theme = Self::plain();
        let mistakes = theme.add("assets/theme.toml", SHIPPED);
        debug_assert!(mistakes.is_empty(), "the shipped theme has mistakes: {mistakes:?}");
        theme
    }

    /// No colours at all (`NO_COLOR`): weight and reversal only.
    pub fn plain() -> Self {
        let bold = Style::default().add_modifier(Modifier::BOLD);
        let none = Style::default();
        Self {
            sev: [bold, bold, none, none, none],
            dim: none,
            title: bold,
            focus: bold,
            border: none,
            good: none,
            bad: bold,
            warn: bold,
            accent: none,
            cursor: none.add_modifier(Modifier::REVERSED),
            header: none.add_modifier(Modifier::REVERSED),
            ascii: false,
            is_narrow: false,
        }
    }

    /// The theme for this terminal: the file over the shipped one, or none under `NO_COLOR`.
    pub fn load(path: &Path) -> Result<Self, Vec<Mistake>> {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
        let mut theme = if is_set("NO_COLOR") { Self::plain() } else { Self::shipped() };
        theme.is_narrow = !speaks_utf8(|name| std::env::var(name).ok());
        theme.ascii = is_set("WARROOM_ASCII")
            || std::env::var("TERM").is_ok_and(|term| term == "linux" || term == "dumb")
            || theme.is_narrow;
        let Ok(text) = std::fs::read_to_string(path) else {
            return Ok(theme);
        };
        // Without colours the file still says whether only ASCII is wanted.
        let mut over = theme.clone();
        let mistakes = over.add(&path.display().to_string(), &text);
        let ascii = theme.ascii || over.ascii;
        if !is_set("NO_COLOR") {
            theme = over;
        }
        theme.ascii = ascii;
        if mistakes.is_empty() { Ok(theme) } else { Err(mistakes) }
    }

    fn add(&mut self, file: &str, text: &str) -> Vec<Mistake> {
        let read: File = match places::read(file, text) {
            Ok(read) => read,
            Err(mistakes) => return mistakes,
        };
        self.ascii = read.ascii.unwrap_or(self.ascii);
        let [sev1, sev2, sev3, sev4, sev5] = &mut self.sev;
        let slots = [
            ("sev1", sev1, read.sev1),
            ("sev2", sev2, read.sev2),
            ("sev3", sev3, read.sev3),
            ("sev4", sev4, read.sev4),
            ("sev5", sev5, read.sev5),
            ("dim", &mut self.dim, read.dim),
            ("title", &mut self.title, read.title),
            ("focus", &mut self.focus, read.focus),
            ("border", &mut self.border, read.border),
            ("good", &mut self.good, read.good),
            ("bad", &mut self.bad, read.bad),
            ("warn", &mut self.warn, read.warn),
            ("accent", &mut self.accent, read.accent),
            ("cursor", &mut self.cursor, read.cursor),
            ("header", &mut self.header, read.header),
        ];
        let mut mistakes = Vec::new();
        for (key, slot, given) in slots {
            match given.as_deref().map(style) {
                None => {}
                Some(Ok(read)) => *slot = read,
                Some(Err(what)) => {
                    let line = places::line_of_key(text, key);
                    mistakes.push(Mistake {
                        file: file.to_owned(),
                        line,
                        key: key.to_owned(),
                        what,
                    });
                }
            }
        }
        mistakes
    }

    /// The style of a severity.
    pub fn severity(&self, severity: Severity) -> Style {
        self.sev[usize::from(severity.number() - 1)]
    }

    /// A mark, or its stand-in where only ASCII is wanted.
    pub fn mark(&self, fancy: &'static str, plain: &'static str) -> &'static str {
        if self.ascii { plain } else { fancy }
    }
}

/// Whether the locale's characters are Unicode, by the first of its variables that says anything
/// (POSIX: `LC_ALL`, `LC_CTYPE`, `LANG`). Where none does, as in many a session over ssh, the terminal
/// at the other end is one of today.
fn speaks_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let said = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()));
    said.is_none_or(|locale| {
        let lower = locale.to_ascii_lowercase();
        lower.contains("utf-8") || lower.contains("utf8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_are_written_in_words() {
        assert_eq!(
            style("bold red on black"),
            Ok(Style::default().fg(Color::Red).bg(Color::Black).add_modifier(Modifier::BOLD))
        );
        assert!(style("loud").is_err());
        assert!(Theme::plain().add("t", include_str!("../../assets/theme.toml")).is_empty());
    }
}
