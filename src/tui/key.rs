//! Keys and how they are written: `j`, `G`, `<down>`, `<c-d>`, `g g`.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "most of a long vocabulary is handled alike here"
)]

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// One key with its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    pub code: Code,
    pub ctrl: bool,
    pub alt: bool,
}

/// A key by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    Char(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    F(u8),
}

const NAMES: &[(&str, Code)] = &[
    ("enter", Code::Enter),
    ("esc", Code::Esc),
    ("tab", Code::Tab),
    ("s-tab", Code::BackTab),
    ("backspace", Code::Backspace),
    ("delete", Code::Delete),
    ("up", Code::Up),
    ("down", Code::Down),
    ("left", Code::Left),
    ("right", Code::Right),
    ("pageup", Code::PageUp),
    ("pagedown", Code::PageDown),
    ("home", Code::Home),
    ("end", Code::End),
    ("space", Code::Char(' ')),
    ("lt", Code::Char('<')),
];

impl Key {
    /// The key of a terminal's event, if it is one that can be bound.
    pub fn from_event(event: KeyEvent) -> Option<Self> {
        let code = match event.code {
            KeyCode::Char(c) => Code::Char(c),
            KeyCode::Enter => Code::Enter,
            KeyCode::Esc => Code::Esc,
            KeyCode::Tab => Code::Tab,
            KeyCode::BackTab => Code::BackTab,
            KeyCode::Backspace => Code::Backspace,
            KeyCode::Delete => Code::Delete,
            KeyCode::Up => Code::Up,
            KeyCode::Down => Code::Down,
            KeyCode::Left => Code::Left,
            KeyCode::Right => Code::Right,
            KeyCode::PageUp => Code::PageUp,
            KeyCode::PageDown => Code::PageDown,
            KeyCode::Home => Code::Home,
            KeyCode::End => Code::End,
            KeyCode::F(n) => Code::F(n),
            _ => return None,
        };
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        Some(Self { code, ctrl, alt: event.modifiers.contains(KeyModifiers::ALT) })
    }

    /// A character without modifiers.
    pub const fn plain(c: char) -> Self {
        Self { code: Code::Char(c), ctrl: false, alt: false }
    }
}

/// A text that names no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a key; write j, <down>, <c-d> or a sequence like 'g g'")]
pub struct BadKey(pub String);

impl FromStr for Key {
    type Err = BadKey;
    fn from_str(text: &str) -> Result<Self, BadKey> {
        let bad = || BadKey(text.to_owned());
        let mut chars = text.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            return Ok(Self::plain(c));
        }
        let mut inner = text.strip_prefix('<').and_then(|t| t.strip_suffix('>')).ok_or_else(bad)?;
        let (mut ctrl, mut alt) = (false, false);
        loop {
            if let Some(rest) = inner.strip_prefix("c-") {
                (ctrl, inner) = (true, rest);
            } else if let Some(rest) = inner.strip_prefix("a-") {
                (alt, inner) = (true, rest);
            } else {
                break;
            }
        }
        if let Some((_, code)) = NAMES.iter().find(|(name, _)| *name == inner) {
            return Ok(Self { code: *code, ctrl, alt });
        }
        if let Some(n) = inner.strip_prefix('f').and_then(|n| n.parse().ok()) {
            return Ok(Self { code: Code::F(n), ctrl, alt });
        }
        let mut chars = inner.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => Ok(Self { code: Code::Char(c), ctrl, alt }),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Code::Char(c), false, false) = (self.code, self.ctrl, self.alt)
            && c != ' '
            && c != '<'
        {
            return write!(f, "{c}");
        }
        f.write_str("<")?;
        if self.ctrl {
            f.write_str("c-")?;
        }
        if self.alt {
            f.write_str("a-")?;
        }
        match (NAMES.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name)?,
            (None, Code::Char(c)) => write!(f, "{c}")?,
            (None, Code::F(n)) => write!(f, "f{n}")?,
            (None, _) => {}
        }
        f.write_str(">")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_print_and_parse_to_themselves() {
        for text in
            ["j", "G", "<down>", "<c-d>", "<a-enter>", "<space>", "<lt>", "<f5>", "<s-tab>", "?"]
        {
            let key: Key = text.parse().expect("a key");
            assert_eq!(key.to_string(), text);
        }
        assert!("<nokey>".parse::<Key>().is_err());
    }
}
