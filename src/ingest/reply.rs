//! Replies that gateways pass on: somewhere in them is the code of a page.
//!
//! Invariants:
//! - Pure. Whatever the gateway's form is (JSON, a form, plain text), only the code counts.

use crate::ingest::Refused;

/// Letters of a code behind its two numbers.
const LETTERS: usize = 8;

/// The first code in a body: `7-2-K7QF2MX4`, in any case, also percent-encoded.
pub fn code(body: &[u8]) -> Result<String, Refused> {
    let text = decoded(&String::from_utf8_lossy(body));
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .find(|word| is_code(word))
        .map(str::to_ascii_uppercase)
        .ok_or_else(|| Refused {
            status: 400,
            what: "there is no code in it; a code looks like 7-2-K7QF2MX4".to_owned(),
        })
}

fn is_code(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    matches!(parts.as_slice(), [incident, delivery, letters]
        if is_number(incident) && is_number(delivery) && letters.len() == LETTERS)
}

/// Takes `%2D` and `+` back to what they stand for; anything else stays.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let hex = (bytes[index] == b'%').then(|| text.get(index + 1..index + 3)).flatten();
        if let Some(byte) = hex.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            out.push(byte);
            index += 3;
        } else {
            out.push(if bytes[index] == b'+' { b' ' } else { bytes[index] });
            index += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_in_whatever_a_gateway_sends() {
        let table = [
            (r#"{"code":"7-2-K7QF2MX4"}"#, Some("7-2-K7QF2MX4")),
            ("From=%2B491&Body=ack+7%2D2%2Dk7qf2mx4+thanks", Some("7-2-K7QF2MX4")),
            ("ACK 12-3-ABCDEFGH.", Some("12-3-ABCDEFGH")),
            ("2026-11-25 no code here", None),
            ("7-2-SHORT", None),
            ("%", None),
            ("%zz%2", None),
        ];
        for (body, expected) in table {
            assert_eq!(code(body.as_bytes()).ok().as_deref(), expected, "{body}");
        }
    }
}
