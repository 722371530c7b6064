//! What an address may be made of, per kind of channel: checked before the first incident.
//!
//! Invariants:
//! - An address that passes holds no control character and none that hides or reorders text.
//! - An address that passes cannot be read as an option by a program.

use crate::domain::channel::{Secret, WebhookFormat};
use crate::domain::text::is_hostile;

/// The longest address, in bytes.
pub const ADDRESS_MAX: usize = 512;
/// The longest part of a mail address before the `@` (RFC 5321, 4.5.3.1.1), in bytes.
const LOCAL_MAX: usize = 64;
/// The longest domain name (RFC 1035, 2.3.4), in bytes.
const DOMAIN_MAX: usize = 253;
/// The longest label of a domain name (RFC 1035, 2.3.4), in bytes.
const LABEL_MAX: usize = 63;
/// Length of a routing key (`PagerDuty` Events API v2), in characters.
const ROUTING_KEY: usize = 32;
/// The longest topic that ntfy servers take, in characters.
const TOPIC_MAX: usize = 64;

/// Whether a text may be an address at all.
pub(super) fn check_text(address: &str) -> Result<(), String> {
    if address.len() > ADDRESS_MAX {
        return Err(format!("the address is longer than {ADDRESS_MAX} bytes"));
    }
    if address.chars().any(is_hostile) {
        return Err("the address holds a control character or one that hides text".to_owned());
    }
    Ok(())
}

/// `who@where` as a relay takes it without extensions: ASCII, a dot-atom before the `@`
/// (RFC 5322, 3.2.3), a domain name after it.
pub fn check_mail(address: &str) -> Result<(), String> {
    check_text(address)?;
    let wrong = |why: &str| Err(format!("'{address}' is not a mail address: {why}"));
    let Some((local, domain)) = address.rsplit_once('@') else {
        return wrong("there is no @");
    };
    let is_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    if local.is_empty() || local.len() > LOCAL_MAX || !local.chars().all(is_atom) {
        return wrong("before the @ go 1 to 64 letters, digits, dots or dashes");
    }
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return wrong("dots before the @ stand between other characters");
    }
    if !is_domain(domain) {
        return wrong("after the @ goes a domain name (write xn--… for letters beyond ASCII)");
    }
    Ok(())
}

/// Whether a text is a host's name: labels of letters, digits and dashes (RFC 1123, 2.1).
pub fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LABEL_MAX).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= DOMAIN_MAX && text.split('.').all(is_label)
}

/// What stands between the `<>` of `Name <a@b>`, or the whole text.
pub fn bare(mailbox: &str) -> &str {
    match (mailbox.rfind('<'), mailbox.strip_suffix('>')) {
        (Some(open), Some(head)) => &head[open + 1..],
        (Some(_), None) | (None, _) => mailbox,
    }
}

/// An address behind a webhook; `is_used` says whether the URL holds `{address}`.
pub(super) fn check_webhook(
    address: &str,
    format: WebhookFormat,
    is_used: bool,
) -> Result<(), String> {
    check_text(address)?;
    match format {
        WebhookFormat::Generic | WebhookFormat::Slack => {
            if is_used && address.is_empty() {
                return Err("the channel's URL holds {address}, and the address is empty".into());
            }
            Ok(())
        }
        WebhookFormat::PagerdutyV2 if Secret::is_meant(address) => {
            Secret::parse(address).map(drop).map_err(|e| e.to_string())
        }
        WebhookFormat::PagerdutyV2 => {
            let is_key =
                address.len() == ROUTING_KEY && address.bytes().all(|b| b.is_ascii_alphanumeric());
            // The key is a secret: it is not repeated, nor may it stand in a plan, which everybody
            // reads and the journal keeps.
            let is = if is_key { "a routing key itself" } else { "no place of a routing key" };
            Err(format!("the address is {is}: write file:/path or env:NAME, where it lies"))
        }
        WebhookFormat::Ntfy => {
            let is_topic = (1..=TOPIC_MAX).contains(&address.len())
                && address.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            is_topic.then_some(()).ok_or_else(|| {
                format!("'{address}' is not a topic: 1 to {TOPIC_MAX} letters, digits, - or _")
            })
        }
    }
}

/// An address that becomes part of a program's arguments: free text, but not an option.
pub(super) fn check_argument(address: &str, is_used: bool) -> Result<(), String> {
    check_text(address)?;
    if address.starts_with('-') {
        return Err(format!("'{address}' would be read as an option by the program"));
    }
    if is_used && address.trim().is_empty() {
        return Err("the program takes {address}, and the address is empty".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_addresses_are_plain_and_whole() {
        for good in ["anna@example.org", "a.b+c@mail.example.co", "ops@localhost", "x@xn--d.org"] {
            assert_eq!(check_mail(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "anna",
            "@example.org",
            "anna@",
            "a@b@c d",
            "a..b@example.org",
            ".a@example.org",
            "anna@-x.org",
            "anna@ex ample.org",
            "anna@example.org\r\nBcc: eve@example.net",
            "anna@example.org>\u{0}",
            "ännä@example.org",
        ] {
            assert!(check_mail(bad).is_err(), "{bad:?}");
        }
        assert_eq!(bare("warroom <warroom@example.org>"), "warroom@example.org");
        assert_eq!(bare("warroom@example.org"), "warroom@example.org");
    }

    #[test]
    fn a_webhook_address_follows_its_format() {
        let key = "R015WGMPKWT7SL2KVYG3O0BDVUWJLB3P";
        let pagerduty = |address| check_webhook(address, WebhookFormat::PagerdutyV2, false);
        assert!(!pagerduty(key).expect_err("a key in the plan").contains(key));
        assert_eq!(pagerduty("env:PD_KEY"), Ok(()));
        assert!(pagerduty("short").is_err());
        assert!(!pagerduty("half-a-key").expect_err("no key").contains("half"));
        let ntfy = |address| check_webhook(address, WebhookFormat::Ntfy, false);
        assert_eq!(ntfy("warroom_anna-1"), Ok(()));
        assert!(ntfy("a/b").is_err());
        assert!(check_webhook("", WebhookFormat::Generic, true).is_err());
        assert_eq!(check_webhook("", WebhookFormat::Slack, false), Ok(()));
        assert!(check_webhook("a\u{202e}b", WebhookFormat::Slack, false).is_err());
    }

    #[test]
    fn an_argument_is_never_an_option() {
        assert_eq!(check_argument("+49 170 1234567", true), Ok(()));
        assert!(check_argument("--config=/etc/shadow", true).is_err());
        assert!(check_argument("1\n2", true).is_err());
        assert!(check_argument(" ", true).is_err());
    }
}
