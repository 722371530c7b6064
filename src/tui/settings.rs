//! The console's own settings: a file over the defaults, the environment over the file.
//!
//! Invariants:
//! - All mistakes of the file are told together, as for keymap and theme.

use std::path::Path;

use crate::config::{Mistake, line_of_key, places};

/// How a person wants their console to behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settings {
    /// The mouse is the console's, not the terminal's own selection.
    pub mouse: bool,
    /// Linear text for a screen reader instead of panes.
    pub screen_reader: bool,
}

impl Settings {
    /// The file's settings, and over them `WARROOM_MOUSE` and `WARROOM_PLAIN` (1 or 0); a missing
    /// file changes nothing.
    pub fn load(path: &Path) -> Result<Self, Vec<Mistake>> {
        let mut settings = Self::default();
        if let Ok(text) = std::fs::read_to_string(path) {
            let mistakes = settings.add(&path.display().to_string(), &text);
            if !mistakes.is_empty() {
                return Err(mistakes);
            }
        }
        let said = |name: &str| match std::env::var(name).as_deref() {
            Ok("1") => Some(true),
            Ok("0") => Some(false),
            _ => None,
        };
        settings.mouse = said("WARROOM_MOUSE").unwrap_or(settings.mouse);
        settings.screen_reader = said("WARROOM_PLAIN").unwrap_or(settings.screen_reader);
        Ok(settings)
    }

    /// Takes a file's settings; all mistakes at once.
    pub fn add(&mut self, file: &str, text: &str) -> Vec<Mistake> {
        let mistake = |line, key: &str, what: String| Mistake {
            file: file.to_owned(),
            line,
            key: key.to_owned(),
            what,
        };
        let table: toml::Table = match places::read(file, text) {
            Ok(table) => table,
            Err(mistakes) => return mistakes,
        };
        let mut mistakes = Vec::new();
        for (key, value) in table {
            let slot = match key.as_str() {
                "mouse" => &mut self.mouse,
                "screen_reader" => &mut self.screen_reader,
                _ => {
                    let what = "is not a setting; there are: mouse, screen_reader".to_owned();
                    mistakes.push(mistake(line_of_key(text, &key), &key, what));
                    continue;
                }
            };
            if let Some(given) = value.as_bool() {
                *slot = given;
            } else {
                let what = format!("{value} is neither true nor false");
                mistakes.push(mistake(line_of_key(text, &key), &key, what));
            }
        }
        mistakes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_taken_and_mistakes_told_together() {
        let mut settings = Settings::default();
        assert!(settings.add("c.toml", "mouse = true\nscreen_reader = false\n").is_empty());
        assert!(settings.mouse && !settings.screen_reader);
        let told: Vec<String> = settings
            .add("c.toml", "mous = true\nmouse = \"yes\"\n")
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            told,
            [
                "c.toml:1: mous: is not a setting; there are: mouse, screen_reader",
                "c.toml:2: mouse: \"yes\" is neither true nor false",
            ]
        );
    }
}
