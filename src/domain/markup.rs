//! Text put into markup and addresses, so that it stays text.
//!
//! Invariants:
//! - What comes out has no character that markup or an address reads as its own.

/// Text for HTML or XML, in content or a quoted attribute. Characters that XML 1.0 (section 2.2)
/// does not allow become marks.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            '\u{0}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => out.push('\u{FFFD}'),
            _ => out.push(c),
        }
    }
    out
}

/// Several lines for HTML: an empty line divides paragraphs, a line's end stays one.
pub fn paragraphs(text: &str) -> String {
    let blocks = text.split("\n\n").map(str::trim).filter(|block| !block.is_empty());
    blocks.fold(String::new(), |mut out, block| {
        out.extend(["<p>", &escape(block).replace('\n', "<br>"), "</p>"]);
        out
    })
}

/// Text as part of an address or an element's id: everything but letters, digits, `-` and `_` is
/// written as `.` and two hexadecimal digits for each byte.
pub fn token(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            out.push(char::from(byte));
        } else {
            out.push('.');
            out.push_str(&super::text::hex(&[byte]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text() {
        assert_eq!(escape("<a b='1'>&\"\u{0}\n"), "&lt;a b=&#39;1&#39;&gt;&amp;&quot;\u{FFFD}\n");
        assert_eq!(escape("ärger ✓"), "ärger ✓");
    }

    #[test]
    fn lines_and_paragraphs_stay() {
        assert_eq!(paragraphs("a\n<b>\n\n\n\nc\n"), "<p>a<br>&lt;b&gt;</p><p>c</p>");
        assert_eq!(paragraphs(" \n\n "), "");
    }

    #[test]
    fn a_token_is_known_again_and_stays_apart() {
        assert_eq!(token("INC-7"), "INC-7");
        assert_eq!(token("a.b /ä"), "a.2eb.20.2f.c3.a4");
    }
}
