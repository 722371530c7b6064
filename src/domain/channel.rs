//! Channels: the ways out of the house, as the plan describes them, and what can be wrong in one.
//!
//! Invariants:
//! - A channel holds places of secrets, never a secret: it may be shown, journaled and compared.
//! - Fields are added with a default, never renamed: plans live in the journal for ever.
//! - A channel without mistakes can be used as it is; drivers do not check it again.

mod address;
mod secret;

use std::collections::BTreeMap;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

pub use address::{ADDRESS_MAX, bare, check_mail, is_domain};
pub use secret::{NotAPlace, Secret, Value};

use crate::domain::text::is_hostile;

/// What stands for the address in a URL or in a program's arguments.
pub const PLACEHOLDER: &str = "{address}";
/// Seconds that a delivery may take, unless the channel says otherwise.
pub const TIMEOUT_S: u16 = 10;
/// Seconds that a delivery may take at most.
pub const TIMEOUT_S_MAX: u16 = 60;
/// KiB of a program's output that are read, unless the channel says otherwise.
pub const OUTPUT_KIB: u16 = 16;
/// KiB of a program's output that are read at most.
pub const OUTPUT_KIB_MAX: u16 = 1_024;
/// Secrets of one webhook: the old one and the new one, and one to spare.
const SECRETS_MAX: usize = 4;
/// Headers of one webhook.
const HEADERS_MAX: usize = 16;
/// Items of a program's argument list.
const ARGV_MAX: usize = 64;
/// The longest URL, path, server or argument, in bytes.
const TEXT_MAX: usize = 2_048;

/// A way to deliver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Channel {
    /// Mail, handed to a relay.
    Smtp(Smtp),
    /// JSON, posted to an HTTP server.
    Webhook(Webhook),
    /// A program of the operator's: the way to SMS and telephone gateways.
    Program(Program),
    /// A file of JSON Lines.
    File(File),
    /// A banner and a bell in the person's open consoles; the keeper does this itself.
    Terminal(Terminal),
}

/// A mail relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// `host:port`; an IPv6 address stands in brackets.
    pub server: String,
    /// How the connection is encrypted.
    #[serde(default)]
    pub tls: Tls,
    /// Who the mail is from: `warroom <warroom@example.org>`.
    pub from: String,
    /// The account at the relay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The account's password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// Certificates (PEM) that are trusted in place of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// Seconds a delivery may take.
    #[serde(default = "timeout_s")]
    pub timeout_s: u16,
}

/// How a connection to a relay is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    /// Begun in the clear and encrypted before anything is said (RFC 3207); never without.
    #[default]
    Starttls,
    /// Encrypted from the first byte (RFC 8314).
    Tls,
    /// In the clear: for a relay on this host.
    None,
}

/// An HTTP server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where to; `{address}` stands for the address, percent-encoded. A URL that is a secret
    /// itself, as chat services give them out, is named by its place.
    pub url: Value,
    /// What is posted.
    #[serde(default)]
    pub format: WebhookFormat,
    /// Keys of the signature; while one is replaced, both are listed and both sign.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Secret>,
    /// Headers to send along.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Value>,
    /// Certificates (PEM) that are trusted in place of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// Seconds a delivery may take.
    #[serde(default = "timeout_s")]
    pub timeout_s: u16,
}

/// What is posted to a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WebhookFormat {
    /// Our own JSON, version "1".
    #[default]
    Generic,
    /// What incoming webhooks of Slack and Mattermost take.
    Slack,
    /// `PagerDuty` Events API v2; the address is the routing key.
    PagerdutyV2,
    /// What an ntfy server takes at its root; the address is the topic.
    Ntfy,
}

/// A program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The program and its arguments; no shell reads them. `{address}` inside an argument stands
    /// for the address.
    pub argv: Vec<String>,
    /// Seconds it may run.
    #[serde(default = "timeout_s")]
    pub timeout_s: u16,
    /// KiB of its output that are read; the rest is thrown away.
    #[serde(default = "output_kib")]
    pub output_kib: u16,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Below the home directory; ends in `.jsonl`.
    pub path: String,
}

/// The person's open consoles; there is nothing to set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terminal {}

const fn timeout_s() -> u16 {
    TIMEOUT_S
}

const fn output_kib() -> u16 {
    OUTPUT_KIB
}

impl Channel {
    /// Whether each message opens an event elsewhere that pages: no way to tell somebody words.
    pub fn opens_events(&self) -> bool {
        matches!(self, Self::Webhook(hook) if hook.format == WebhookFormat::PagerdutyV2)
    }

    /// Seconds that a delivery over this channel may take.
    pub fn limit_s(&self) -> u16 {
        let asked = match self {
            Self::Smtp(smtp) => smtp.timeout_s,
            Self::Webhook(webhook) => webhook.timeout_s,
            Self::Program(program) => program.timeout_s,
            Self::File(_) | Self::Terminal(_) => TIMEOUT_S,
        };
        asked.clamp(1, TIMEOUT_S_MAX)
    }

    /// What is wrong with the channel called `name`, in words; empty if it can be used.
    pub fn check(&self, name: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        match self {
            Self::Smtp(smtp) => check_smtp(smtp, &mut wrong),
            Self::Webhook(webhook) => check_webhook(webhook, &mut wrong),
            Self::Program(program) => check_program(program, &mut wrong),
            Self::File(file) => check_file(&file.path, &mut wrong),
            Self::Terminal(_) => {}
        }
        wrong.into_iter().map(|what| format!("channel '{name}': {what}")).collect()
    }

    /// Whether something can be sent to this address over this channel.
    pub fn check_address(&self, to: &str) -> Result<(), String> {
        match self {
            Self::Smtp(_) => check_mail(to),
            Self::Webhook(webhook) => {
                let is_used = webhook.url.plain().is_some_and(|url| url.contains(PLACEHOLDER));
                address::check_webhook(to, webhook.format, is_used)
            }
            Self::Program(program) => {
                let is_used = program.argv.iter().any(|item| item.contains(PLACEHOLDER));
                address::check_argument(to, is_used)
            }
            Self::File(_) | Self::Terminal(_) => address::check_text(to),
        }
    }
}

fn check_smtp(smtp: &Smtp, wrong: &mut Vec<String>) {
    let host = match host_and_port(&smtp.server) {
        Ok((host, _)) => host,
        Err(why) => {
            wrong.push(why);
            ""
        }
    };
    if let Err(why) = check_mail(bare(&smtp.from)) {
        wrong.push(format!("from: {why}"));
    }
    if smtp.from.chars().any(is_hostile) {
        wrong.push("from: holds a control character or one that hides text".to_owned());
    }
    if smtp.user.is_some() != smtp.password.is_some() {
        wrong.push("user and password go together; one is missing".to_owned());
    }
    if smtp.user.as_ref().is_some_and(|user| user.is_empty() || user.chars().any(is_hostile)) {
        wrong.push("user: is empty or holds a control character".to_owned());
    }
    if smtp.password.is_some() && smtp.tls == Tls::None && !is_loopback(host) {
        wrong.push("the password would travel in the clear; write tls = \"starttls\"".to_owned());
    }
    check_ca_file(smtp.ca_file.as_deref(), wrong);
    check_timeout(smtp.timeout_s, wrong);
}

/// Takes `host:port` or `[v6]:port` apart.
pub fn host_and_port(server: &str) -> Result<(&str, u16), String> {
    let wrong = || format!("server '{server}' is not host:port, as in mail.example.org:587");
    let (host, port) = server.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?;
    let host = bare_host(host).ok_or_else(wrong)?;
    Ok((host, port))
}

/// A host as it is resolved: an IPv6 address loses its brackets.
fn bare_host(host: &str) -> Option<&str> {
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return inner.parse::<std::net::Ipv6Addr>().is_ok().then_some(inner);
    }
    is_domain(host).then_some(host)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn check_webhook(webhook: &Webhook, wrong: &mut Vec<String>) {
    let is_clear = match webhook.url.plain().map(check_url) {
        None => false,
        Some(Ok(is_clear)) => is_clear,
        Some(Err(why)) => {
            wrong.push(why);
            false
        }
    };
    if webhook.secrets.len() > SECRETS_MAX {
        wrong.push(format!("there are more than {SECRETS_MAX} secrets; drop the oldest"));
    }
    if webhook.headers.len() > HEADERS_MAX {
        wrong.push(format!("there are more than {HEADERS_MAX} headers"));
    }
    for (header, value) in &webhook.headers {
        check_header(header, value, is_clear, wrong);
    }
    check_ca_file(webhook.ca_file.as_deref(), wrong);
    check_timeout(webhook.timeout_s, wrong);
}

/// Whether a URL leads over the open net in the clear; or what is wrong with it. The words do not
/// repeat the URL: it may be a secret.
pub fn check_url(url: &str) -> Result<bool, String> {
    let is_secure = url.starts_with("https://");
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .ok_or("url must begin with https:// or http://")?;
    if url.len() > TEXT_MAX || !url.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(format!("url must be at most {TEXT_MAX} visible ASCII characters"));
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.contains('@') {
        return Err("url holds a password; put it into a header from a file".to_owned());
    }
    if path.contains('#') {
        return Err("url has a part after '#', which is never sent".to_owned());
    }
    if path.replace(PLACEHOLDER, "").contains(['{', '}', '<', '>', '"', '\\', '^', '`', '|']) {
        return Err(format!("url holds a character that must be encoded (only {PLACEHOLDER})"));
    }
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            if port.parse::<u16>().is_err() {
                return Err("url has no sensible port".to_owned());
            }
            host
        }
        Some(_) | None => authority,
    };
    let host = bare_host(host).ok_or("url names no sensible host")?;
    Ok(!is_secure && !is_loopback(host))
}

/// Headers that carry a credential: their value never stands in the plan.
const CREDENTIALS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
    "api-key",
    "x-auth-token",
    "x-access-token",
];
/// Headers that the driver writes itself.
const RESERVED: &[&str] = &[
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "upgrade",
    "te",
    "trailer",
    "expect",
    "idempotency-key",
    "user-agent",
    "x-warroom-signature",
    "x-warroom-timestamp",
];

fn check_header(header: &str, value: &Value, is_clear: bool, wrong: &mut Vec<String>) {
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if header.is_empty() || header.len() > LEN_HEADER_MAX || !header.bytes().all(is_token) {
        wrong.push(format!("'{}' is not a header's name", header.escape_debug()));
        return;
    }
    let lower = header.to_ascii_lowercase();
    if RESERVED.contains(&lower.as_str()) {
        wrong.push(format!("header {header} is written by warroom itself"));
    }
    match value {
        Value::Plain(_) if CREDENTIALS.contains(&lower.as_str()) => {
            wrong.push(format!("header {header}: {NotAPlace}"));
        }
        Value::Plain(text) if text.len() > TEXT_MAX || text.bytes().any(|b| !is_shown(b)) => {
            wrong.push(format!("header {header}: the value must be one line of visible ASCII"));
        }
        Value::Secret(_) if is_clear => {
            wrong.push(format!("header {header}: the secret would travel in the clear; use https"));
        }
        Value::Plain(_) | Value::Secret(_) => {}
    }
}

/// The longest name of a header, in bytes.
const LEN_HEADER_MAX: usize = 64;

const fn is_shown(byte: u8) -> bool {
    byte == b' ' || byte.is_ascii_graphic()
}

fn check_program(program: &Program, wrong: &mut Vec<String>) {
    match program.argv.first() {
        None => wrong.push("argv is empty; name a program".to_owned()),
        Some(first) if first.is_empty() || first.contains(PLACEHOLDER) => {
            wrong.push(format!("argv must begin with a program, without {PLACEHOLDER}"));
        }
        Some(first) if first.contains('/') && !first.starts_with('/') => {
            wrong.push(format!("'{first}' must be an absolute path, or a name found in PATH"));
        }
        Some(_) => {}
    }
    if program.argv.len() > ARGV_MAX {
        wrong.push(format!("argv has more than {ARGV_MAX} items"));
    }
    if program.argv.iter().any(|item| item.contains('\0') || item.len() > TEXT_MAX) {
        wrong.push(format!("an item of argv holds a zero byte or more than {TEXT_MAX} bytes"));
    }
    if !(1..=OUTPUT_KIB_MAX).contains(&program.output_kib) {
        wrong.push(format!("output_kib must be 1 to {OUTPUT_KIB_MAX}"));
    }
    check_timeout(program.timeout_s, wrong);
}

fn check_file(path: &str, wrong: &mut Vec<String>) {
    let is_below = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if path.is_empty() || path.len() > TEXT_MAX || path.chars().any(is_hostile) || !is_below {
        wrong.push(format!("path '{}' must lie below the home directory", path.escape_debug()));
    }
    // The home directory holds the journal and the settings too.
    if Path::new(path).extension().is_none_or(|ending| ending != "jsonl") {
        wrong.push("path must end in .jsonl, so that it is no file of warroom's own".to_owned());
    }
}

fn check_ca_file(path: Option<&str>, wrong: &mut Vec<String>) {
    let Some(path) = path else { return };
    if !path.starts_with('/') || path.len() > TEXT_MAX || path.chars().any(is_hostile) {
        wrong.push("ca_file must be an absolute path of a PEM file".to_owned());
    }
}

fn check_timeout(seconds: u16, wrong: &mut Vec<String>) {
    if !(1..=TIMEOUT_S_MAX).contains(&seconds) {
        wrong.push(format!("timeout_s must be 1 to {TIMEOUT_S_MAX}"));
    }
}

#[cfg(test)]
mod tests;
