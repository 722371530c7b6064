//! The form a message takes as mail (RFC 5322, RFC 2045 to 2047).
//!
//! Invariants:
//! - No text from outside becomes a header, an address or a line of the protocol by itself.
//! - The same message has the same bytes at every attempt, except for its date.

use std::time::{Duration, UNIX_EPOCH};

use lettre::Address;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use sha2::{Digest, Sha256};

use crate::domain::channel::bare;
use crate::domain::text::{hex, visible};
use crate::domain::time::Timestamp;
use crate::notify::message::Message;

/// The longest name of a sender or receiver, in bytes.
const NAME_MAX: usize = 100;

/// A mail as it goes over the wire, and between whom.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Return path.
    pub from: Address,
    /// Receiver.
    pub to: Address,
    /// Headers and body, lines ended by CR LF, dots not yet doubled.
    pub bytes: Vec<u8>,
}

/// Why no mail could be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unmailable {
    /// The receiver.
    #[error("'{0}' is not a mail address; correct the contact in the plan")]
    To(String),
    /// The sender.
    #[error("from '{0}' is not a mail address; correct the channel in the plan")]
    From(String),
    /// Anything else.
    #[error("the mail could not be put together: {0}")]
    Other(String),
}

/// A header of one short line.
macro_rules! fixed_header {
    ($type:ident, $name:literal) => {
        #[derive(Debug, Clone)]
        struct $type(String);

        impl Header for $type {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($name)
            }
            fn parse(s: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                Ok(Self(s.to_owned()))
            }
            fn display(&self) -> HeaderValue {
                HeaderValue::new(Self::name(), self.0.clone())
            }
        }
    };
}

fixed_header!(AutoSubmitted, "Auto-Submitted");
fixed_header!(AutoResponseSuppress, "X-Auto-Response-Suppress");
fixed_header!(Priority, "X-Priority");
fixed_header!(Importance, "Importance");
fixed_header!(Language, "Content-Language");

/// Makes the mail. `host` is the right half of the Message-ID, `now` the date.
pub fn render(
    message: &Message,
    from: &str,
    to: &str,
    host: &str,
    now: Timestamp,
) -> Result<Mail, Unmailable> {
    let m = message.tidy();
    let sender = mailbox(from).ok_or_else(|| Unmailable::From(visible(from).into_owned()))?;
    let receiver = address(to).ok_or_else(|| Unmailable::To(visible(to).into_owned()))?;
    let seconds = u64::try_from(now.0 / 1_000).unwrap_or(0);
    let mut builder = lettre::Message::builder()
        .date(UNIX_EPOCH + Duration::from_secs(seconds))
        .from(sender.clone())
        .to(Mailbox::new(name(&inert(&m.to_name)), receiver.clone()))
        .subject(inert(&m.headline()))
        .message_id(Some(message_id(&m.id, host)))
        // No out-of-office answer to a pager (RFC 3834, 5).
        .header(AutoSubmitted("auto-generated".to_owned()))
        .header(AutoResponseSuppress("All".to_owned()));
    if m.urgent {
        builder = builder
            .header(Priority("1 (Highest)".to_owned()))
            .header(Importance("high".to_owned()));
    }
    if !m.language.is_empty() {
        builder = builder.header(Language(m.language.clone()));
    }
    if let Some(earlier) = &m.in_reply_to {
        let id = message_id(earlier, host);
        builder = builder.in_reply_to(id.clone()).references(id);
    }
    let text = SinglePart::plain(m.plain());
    let made = match &m.html {
        None => builder.singlepart(text),
        Some(html) => {
            let alternative = MultiPart::alternative().boundary(boundary(&m.id, html));
            builder.multipart(alternative.singlepart(text).singlepart(html_part(html)))
        }
    };
    let made = made.map_err(|e| Unmailable::Other(e.to_string()))?;
    Ok(Mail { from: sender.email, to: receiver, bytes: made.formatted() })
}

/// What looks like an encoded word (RFC 2047) says what it says, and not what a reader's program makes of
/// it.
fn inert(text: &str) -> String {
    text.replace("=?", "= ?")
}

fn html_part(html: &str) -> SinglePart {
    SinglePart::builder().header(ContentType::TEXT_HTML).body(html.to_owned())
}

/// `<id@host>`, of characters that an identifier may have (RFC 5322, 3.6.4).
pub fn message_id(id: &str, host: &str) -> String {
    format!("<{}@{}>", atom(id, "message"), atom(host, "localhost"))
}

fn atom(text: &str, otherwise: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
    let atom: String = text.chars().map(|c| if is_plain(c) { c } else { '-' }).take(120).collect();
    // A dot stands only between other characters.
    let parts: Vec<&str> = atom.split('.').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { otherwise.to_owned() } else { parts.join(".") }
}

/// A line that separates parts: no part can hold it, since it depends on what they hold.
fn boundary(id: &str, html: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(id.as_bytes());
    digest.update(html.as_bytes());
    format!("=_{}", &hex(digest.finalize().as_slice())[..40])
}

fn address(text: &str) -> Option<Address> {
    text.parse().ok()
}

/// Takes `Name <a@b>` or `a@b`.
fn mailbox(text: &str) -> Option<Mailbox> {
    let email = address(bare(text))?;
    let before = text.split('<').next().filter(|_| text.contains('<')).unwrap_or_default();
    Some(Mailbox::new(name(before.trim().trim_matches('"')), email))
}

fn name(text: &str) -> Option<String> {
    let shown = crate::notify::message::cut(visible(text).into_owned(), NAME_MAX);
    (!shown.trim().is_empty()).then_some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(message: &Message) -> String {
        let from = "War Room <warroom@example.org>";
        let mail = render(message, from, "anna@example.org", "jump1.example.org", Timestamp(0));
        String::from_utf8(mail.expect("a mail").bytes).expect("ASCII")
    }

    #[test]
    fn a_mail_names_itself_and_what_it_continues() {
        let message = Message {
            id: "01JDK.2".into(),
            subject: "Zahlung gestört".into(),
            text: "größer\n.\nend".into(),
            urgent: true,
            to_name: "Änna \"<x@y>\"".into(),
            language: "de".into(),
            in_reply_to: Some("01JDK.1".into()),
            ..Message::default()
        };
        let mail = page(&message);
        for line in [
            "Message-ID: <01JDK.2@jump1.example.org>\r\n",
            "In-Reply-To: <01JDK.1@jump1.example.org>\r\n",
            "References: <01JDK.1@jump1.example.org>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "X-Priority: 1 (Highest)\r\n",
            "Content-Language: de\r\n",
            "From: \"War Room\" <warroom@example.org>\r\n",
            "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n",
        ] {
            assert!(mail.contains(line), "{line} is missing in\n{mail}");
        }
        assert!(mail.contains("Subject: Zahlung =?utf-8?b?Z2VzdMO2cnQ=?=\r\n"), "{mail}");
        assert!(mail.is_ascii());
        assert_eq!(mail, page(&message), "the same at every attempt");
    }

    #[test]
    fn a_title_cannot_begin_a_header() {
        let hostile = Message {
            id: "x>\r\nBcc: eve@example.net".into(),
            subject: "a\r\nBcc: eve@example.net\r\n\r\nbody".into(),
            to_name: "b\r\nBcc: eve@example.net".into(),
            language: "en\r\nBcc: eve@example.net".into(),
            in_reply_to: Some("c\nBcc: eve@example.net".into()),
            watermark: Some("d\rBcc: eve@example.net".into()),
            ..Message::default()
        };
        let mail = page(&hostile);
        let (headers, _) = mail.split_once("\r\n\r\n").expect("headers and a body");
        for line in headers.split("\r\n") {
            assert!(!line.to_ascii_lowercase().starts_with("bcc:"), "{headers}");
            assert!(!line.contains(['\r', '\n']), "{line:?}");
        }
    }

    #[test]
    fn a_title_is_no_encoded_word() {
        let hostile = Message {
            id: "1".into(),
            subject: "=?utf-8?b?RmFrZQ==?= is down, ü".into(),
            to_name: "=?utf-8?q?Boss?=".into(),
            ..Message::default()
        };
        let mail = page(&hostile);
        let (headers, _) = mail.split_once("\r\n\r\n").expect("headers and a body");
        assert!(headers.contains("Subject: = ?utf-8?b?RmFrZQ== ?= is down"), "{headers}");
        assert!(
            !headers.contains("=?utf-8?b?RmFrZ") && !headers.contains("=?utf-8?q"),
            "{headers}"
        );
    }

    #[test]
    fn html_comes_second_and_the_boundary_is_not_random() {
        let message = Message {
            id: "1".into(),
            text: "plain".into(),
            html: Some("<p>rich</p>".into()),
            ..Message::default()
        };
        let mail = page(&message);
        assert!(mail.contains("multipart/alternative"), "{mail}");
        let (plain, rich) = (mail.find("text/plain"), mail.find("text/html"));
        assert!(plain < rich && plain.is_some(), "{mail}");
        assert_eq!(mail, page(&message));
    }

    #[test]
    fn ids_are_of_plain_characters() {
        assert_eq!(message_id("a b>c", ""), "<a-b-c@localhost>");
        assert_eq!(message_id("..", "h..x."), "<message@h.x>");
    }
}
