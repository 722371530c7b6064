//! The forms a message takes in JSON: our own, and those that other programs expect.
//!
//! Our own form, version "1", is what webhooks (`generic`), programs (on standard input) and files
//! get. Fields are added, never renamed or removed; a reader ignores what it does not know:
//!
//! | field | meaning |
//! |---|---|
//! | `version` | `"1"` |
//! | `id` | names the attempt; a repetition has the same |
//! | `kind` | `page`, `update`, `test`, `handoff` or `brief` |
//! | `signal` | `trigger`, `acknowledge` or `resolve` |
//! | `urgent` | whether it is meant to wake somebody |
//! | `to` | the address |
//! | `to_name` | the person |
//! | `subject`, `text`, `language` | what is to be read |
//! | `sms` | all of it in one line of at most 160 characters, with the code that answers |
//! | `drill` | the mark of a drill, or null |
//! | `in_reply_to` | the `id` that this one continues, or null |
//! | `incidents` | `id`, `title`, `severity`, `services`, `why`, `ack_code` and `url` of each |
//! | `at` | in files: when it was written |
//!
//! Invariants:
//! - Every form begins with `Message::tidy`: no form depends on its caller for that.
//! - The same message has the same bytes at every attempt, except for `at`.

use serde_json::{Value, json};

use crate::domain::time::Timestamp;
use crate::notify::message::{About, Kind, Message, cut, shorten};

/// Version of our own form.
pub const VERSION: &str = "1";
/// The longest summary that `PagerDuty` takes, in characters.
const SUMMARY_MAX: usize = 1_024;
/// The longest text of a chat message before it is escaped, in bytes: Mattermost takes 16,383
/// characters and each may become five.
const CHAT_MAX: usize = 3_200;
/// The longest text of an ntfy message, in bytes: the server makes a file of more than 4,096.
const NTFY_MAX: usize = 3_800;

/// Our own form.
pub fn generic(message: &Message, to: &str) -> Value {
    let m = message.tidy();
    json!({
        "version": VERSION,
        "id": m.id,
        "kind": m.kind,
        "signal": m.signal,
        "urgent": m.urgent,
        "to": to,
        "to_name": m.to_name,
        "subject": m.headline(),
        "text": m.words(),
        "sms": m.sms(),
        "language": m.language,
        "drill": m.watermark,
        "in_reply_to": m.in_reply_to,
        "incidents": m.incidents,
    })
}

/// Our own form as one line of a file, with its line feed.
pub fn file_line(message: &Message, to: &str, at: Timestamp) -> String {
    let mut value = generic(message, to);
    value["at"] = json!(at);
    format!("{value}\n")
}

/// What incoming webhooks of Slack and Mattermost take.
///
/// Formatting is switched off, links are not fetched for a preview, and nothing in the text can
/// address a channel, hide a link behind words, or load an image.
pub fn slack(message: &Message) -> Value {
    let m = message.tidy();
    let text = shorten(format!("{}\n{}", m.headline(), m.plain()), CHAT_MAX);
    json!({
        "text": mrkdwn(&text),
        "mrkdwn": false,
        "link_names": false,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

/// Escapes what chat services would act on: `&`, `<` and `>` as Slack asks for, `](` of Markdown's
/// links, and `@` before the words that call everybody.
pub fn mrkdwn(text: &str) -> String {
    const CALLS: &[&str] = &["channel", "all", "here", "everyone"];
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '(' if before == ']' => out.push_str(" ("),
            '@' => {
                let rest = &text[at + 1..];
                let calls = |word: &&str| {
                    rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
                };
                // The wide form looks alike and calls nobody.
                out.push(if CALLS.iter().any(calls) { '\u{FF20}' } else { '@' });
            }
            _ => out.push(c),
        }
        before = c;
    }
    out
}

/// What an ntfy server takes at its root; the address is the topic.
pub fn ntfy(message: &Message, topic: &str) -> Value {
    let m = message.tidy();
    let priority = match (m.urgent, m.kind) {
        (true, _) => 5,
        (false, Kind::Page) => 4,
        (false, Kind::Update | Kind::Handoff | Kind::Test) => 3,
        (false, Kind::Brief) => 2,
    };
    let mut tags = Vec::new();
    if m.urgent {
        tags.push("rotating_light".to_owned());
    }
    tags.extend(m.watermark.iter().map(|mark| mark.to_lowercase()));
    tags.push(m.kind.word().to_owned());
    tags.extend(m.incidents.first().map(|about| about.severity.to_lowercase()));
    let mut value = json!({
        "topic": topic,
        "title": m.headline(),
        "message": shorten(m.plain(), NTFY_MAX),
        "priority": priority,
        "tags": tags,
    });
    if let Some(url) = m.incidents.iter().find_map(|about| about.url.clone()) {
        value["click"] = json!(url);
    }
    value
}

/// Events for `PagerDuty` (Events API v2), one per incident, each under the incident's own key;
/// a message without incidents is one event under its own id.
///
/// `source` is the host that warroom runs on.
pub fn pagerduty(message: &Message, routing_key: &str, source: &str) -> Vec<Value> {
    let m = message.tidy();
    if m.incidents.is_empty() {
        let id = m.id.clone();
        let about = About { id, title: m.headline(), ..About::default() };
        return vec![event(&m, &about, &m.headline(), routing_key, source)];
    }
    m.incidents
        .iter()
        .map(|about| {
            let mark = m.watermark.as_ref().map(|mark| format!("[{mark}] ")).unwrap_or_default();
            let summary = format!("{mark}{} {} {}", about.id, about.severity, about.title);
            event(&m, about, &summary, routing_key, source)
        })
        .collect()
}

fn event(m: &Message, about: &About, summary: &str, routing_key: &str, source: &str) -> Value {
    // Two war rooms may send to one service.
    let key = if about.key.is_empty() { &about.id } else { &about.key };
    let mut event = json!({
        "routing_key": routing_key,
        "event_action": m.signal.word(),
        "dedup_key": cut(format!("{source}/{key}"), 255),
        "payload": {
            "summary": summary.chars().take(SUMMARY_MAX).collect::<String>(),
            "source": source,
            "severity": pagerduty_severity(&about.severity),
            "component": about.services.first(),
            "class": m.kind.word(),
            "custom_details": {
                "message": m.id,
                "text": m.words(),
                "why": about.why,
                "services": about.services,
                "severity": about.severity,
                "ack_code": about.ack_code,
                "drill": m.watermark,
            },
        },
        "client": "warroom",
    });
    if let Some(url) = &about.url {
        event["client_url"] = json!(url);
        event["links"] = json!([{ "href": url, "text": about.id }]);
    }
    event
}

/// Our severity in `PagerDuty`'s four words; what has none informs.
fn pagerduty_severity(severity: &str) -> &'static str {
    match severity {
        "SEV1" | "SEV2" => "critical",
        "SEV3" => "error",
        "SEV4" => "warning",
        _ => "info",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::message::Signal;

    fn message() -> Message {
        Message {
            id: "01JDK".into(),
            subject: "Payments <!channel> & co".into(),
            text: "see [the page](http://evil.example) @Here".into(),
            urgent: true,
            to_name: "Anna".into(),
            incidents: vec![
                About {
                    id: "INC-7".into(),
                    title: "<@U1> \"down\"\r\nX: y".into(),
                    severity: "SEV2".into(),
                    services: vec!["payments".into()],
                    url: Some("https://example.org/7?a=1&b=2".into()),
                    ..About::default()
                },
                About { id: "INC-8".into(), severity: "SEV4".into(), ..About::default() },
            ],
            ..Message::default()
        }
    }

    #[test]
    fn our_own_form_is_versioned_and_stays_the_same() {
        let value = generic(&message(), "+49 170 1");
        assert_eq!(value["version"], "1");
        assert_eq!(value["to"], "+49 170 1");
        assert_eq!(value["incidents"][0]["title"], "<@U1> \"down\"  X: y");
        assert_eq!(value.to_string(), generic(&message(), "+49 170 1").to_string());
        let line = file_line(&message(), "all", Timestamp(0));
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        assert!(line.contains("\"at\":\"1970-01-01T00:00:00.000Z\""), "{line}");
    }

    #[test]
    fn chat_cannot_be_made_to_call_everybody_or_hide_a_link() {
        let value = slack(&message());
        let text = value["text"].as_str().expect("a text");
        assert!(text.starts_with("Payments &lt;!channel&gt; &amp; co\n"), "{text}");
        assert!(text.contains("[the page] (http://evil.example) \u{FF20}Here"), "{text}");
        assert!(text.contains("&lt;@U1&gt;") && !text.contains('<') && !text.contains('>'));
        assert!(mrkdwn("mail@example.org").contains('@'), "an ordinary @ stays");
        let long = Message { text: "&".repeat(60_000), ..message() };
        let chars = slack(&long)["text"].as_str().map_or(0, |text| text.chars().count());
        assert!(chars <= 16_383, "{chars}");
    }

    #[test]
    fn ntfy_gets_a_topic_and_a_priority() {
        let value = ntfy(&message(), "anna");
        assert_eq!(value["topic"], "anna");
        assert_eq!(value["priority"], 5);
        assert_eq!(value["tags"][0], "rotating_light");
        assert_eq!(value["click"], "https://example.org/7?a=1&b=2");
        let brief = Message { kind: Kind::Brief, urgent: false, ..message() };
        assert_eq!(ntfy(&brief, "anna")["priority"], 2);
        let long = Message { text: "é".repeat(60_000), ..message() };
        assert!(ntfy(&long, "t")["message"].as_str().map_or(0, str::len) <= NTFY_MAX);
    }

    #[test]
    fn pagerduty_gets_one_event_per_incident_under_its_key() {
        let events = pagerduty(&message(), "KEY", "jump1");
        assert_eq!(events.len(), 2);
        assert_eq!(events[0]["event_action"], "trigger");
        assert_eq!(events[0]["dedup_key"], "jump1/INC-7");
        assert_eq!(events[0]["payload"]["severity"], "critical");
        assert_eq!(events[1]["payload"]["severity"], "warning");
        assert_eq!(events[0]["payload"]["source"], "jump1");
        for (severity, expected) in [("SEV1", "critical"), ("SEV3", "error"), ("SEV5", "info")] {
            assert_eq!(pagerduty_severity(severity), expected);
        }
        for (signal, word) in [(Signal::Acknowledge, "acknowledge"), (Signal::Resolve, "resolve")] {
            let events = pagerduty(&Message { signal, ..message() }, "KEY", "jump1");
            assert_eq!(events[1]["event_action"], word);
            assert_eq!(events[1]["dedup_key"], "jump1/INC-8");
        }
        let test = Message { incidents: Vec::new(), kind: Kind::Test, ..message() };
        let events = pagerduty(&test, "KEY", "jump1");
        assert_eq!(events[0]["dedup_key"], "jump1/01JDK");
        assert_eq!(events[0]["payload"]["severity"], "info");
    }
}
