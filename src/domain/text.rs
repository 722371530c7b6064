//! Text from outside made safe to show: what a sender wrote never drives a terminal.
//!
//! Invariants:
//! - What `visible` returns holds no control character, no escape sequence and no character that
//!   reorders or hides text; it is safe in a terminal, a log line and a mail header alike.
//! - The journal keeps what was sent; only what is shown passes here.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// What stands for a character that must not be sent: visible, one column wide.
const MARK: char = '\u{FFFD}';

/// Whether a character could drive the terminal, reorder the line, or hide in it.
pub const fn is_hostile(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1F}' | '\u{7F}'..='\u{9F}'
        | '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
        | '\u{E000}'..='\u{F8FF}' | '\u{E0000}'..='\u{E0FFF}' | '\u{F0000}'..='\u{10FFFF}')
}

/// One line of text as it may be shown: hostile characters become marks, white space a blank.
pub fn visible(raw: &str) -> Cow<'_, str> {
    if raw.chars().all(|c| !is_hostile(c)) {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(raw.chars().map(shown).collect())
}

/// Several lines as they may be shown; line feeds stay, everything else as in [`visible`].
pub fn visible_lines(raw: &str) -> String {
    raw.replace("\r\n", "\n").chars().map(|c| if c == '\n' { c } else { shown(c) }).collect()
}

fn shown(c: char) -> char {
    match c {
        '\n' | '\r' | '\t' => ' ',
        // ESC gets a face of its own, so that a reader sees what was tried.
        '\u{1B}' => '\u{241B}',
        _ if is_hostile(c) => MARK,
        _ => c,
    }
}

/// Cuts to `columns` terminal columns, at a grapheme's edge, with `…` where something was cut.
pub fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    if text.len() <= columns && text.is_ascii() {
        return Cow::Borrowed(text);
    }
    if text.width() <= columns {
        return Cow::Borrowed(text);
    }
    let mut used = 0;
    let mut out = String::new();
    for grapheme in text.graphemes(true) {
        let width = grapheme.width();
        if used + width + 1 > columns {
            break;
        }
        used += width;
        out.push_str(grapheme);
    }
    if columns > 0 {
        out.push('…');
    }
    Cow::Owned(out)
}

/// Cuts to at most `bytes` bytes at a character's edge.
pub fn cut_bytes(text: &mut String, bytes: usize) -> bool {
    if text.len() <= bytes {
        return false;
    }
    let mut end = bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    true
}

/// Bytes in hexadecimal, lower case.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| char::from(DIGITS[usize::from(n)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_controls_and_bidi_become_marks() {
        assert_eq!(visible("a\u{1b}[31mb\u{7}"), "a␛[31mb\u{FFFD}");
        assert_eq!(visible("safe\u{202e}txt.exe"), "safe\u{FFFD}txt.exe");
        assert_eq!(visible("two\r\nlines"), "two  lines");
        assert_eq!(visible_lines("two\r\nlines\t!"), "two\nlines !");
        assert_eq!(visible("c1 \u{9b}2J"), "c1 \u{FFFD}2J");
    }

    #[test]
    fn fitting_counts_columns_not_bytes() {
        assert_eq!(fit("abcdef", 6), "abcdef");
        assert_eq!(fit("abcdefg", 6), "abcde…");
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("日本語", 0), "");
        let mut text = "日本".to_owned();
        assert!(cut_bytes(&mut text, 4));
        assert_eq!(text, "日");
    }
}

/// Names under which senders put what opens something.
const SECRETS: [&str; 10] = [
    "routing_key",
    "service_key",
    "integration_key",
    "api_key",
    "apikey",
    "token",
    "access_token",
    "authorization",
    "password",
    "secret",
];

/// Text that may be JSON, whole or cut, with `…` in the place of what opens something.
pub fn without_secrets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('"') {
        let (before, quoted) = rest.split_at(at + 1);
        let end = end_of_string(quoted);
        let name = quoted[..end].to_ascii_lowercase();
        out.push_str(before);
        out.push_str(&quoted[..end]);
        rest = &quoted[end..];
        if !SECRETS.contains(&name.as_str()) {
            if let Some(after) = rest.strip_prefix('"') {
                out.push('"');
                rest = after;
            }
            continue;
        }
        let value = rest.trim_start_matches('"').trim_start();
        let Some(value) = value.strip_prefix(':').map(str::trim_start) else { continue };
        out.push_str("\":\"…\"");
        rest = match value.strip_prefix('"') {
            Some(string) => {
                let end = end_of_string(string);
                string[end..].strip_prefix('"').unwrap_or("")
            }
            None => value.trim_start_matches(|c: char| !",}] \n".contains(c)),
        };
    }
    out.push_str(rest);
    out
}

/// Where a JSON string ends that begins here, its quote not counted; all of it if it is cut.
fn end_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod secret_tests {
    use super::without_secrets;

    #[test]
    fn what_opens_something_is_not_written_down() {
        for (text, expected) in [
            (
                r#"{"routing_key":"729be2a3","payload":{"severity":"warn"}}"#,
                r#"{"routing_key":"…","payload":{"severity":"warn"}}"#,
            ),
            (r#"{ "Token" : "a\"b", "x": 1}"#, r#"{ "Token":"…", "x": 1}"#),
            (r#"{"password":12345,"x":1}"#, r#"{"password":"…","x":1}"#),
            (r#"{"x":"cut","secret":"729be"#, r#"{"x":"cut","secret":"…""#),
            (r#"{"token"#, r#"{"token"#),
            ("no json", "no json"),
            (r#"["token","secret"]"#, r#"["token","secret"]"#),
        ] {
            assert_eq!(without_secrets(text), expected, "{text}");
        }
    }
}
