//! What is said: one message to one person, before it takes the form of a channel.
//!
//! Invariants:
//! - Nothing here reads a clock, touches a file or draws a random number: the same message has
//!   the same form at every attempt.
//! - What `Message::tidy` returns holds no control character, no escape sequence and none that
//!   reorders or hides text, except line feeds where lines are meant; and it has a known size.

use serde::{Deserialize, Serialize};

use crate::domain::text::{cut_bytes, visible, visible_lines};

/// The longest subject, in bytes.
pub const SUBJECT_MAX: usize = 300;
/// The longest text, in bytes.
pub const TEXT_MAX: usize = crate::domain::decide::TEXT_MAX;
/// The longest HTML, in bytes.
pub const HTML_MAX: usize = 256 * 1_024;
/// Incidents that one message speaks of: no bundle holds more.
pub const INCIDENTS_MAX: usize = crate::domain::outbox::BUNDLE_MAX;
/// Incidents of which a text tells everything; the others get a line each.
const FULL_MAX: usize = 20;
/// Services named per incident.
const SERVICES_MAX: usize = 10;
/// The longest name, title or reason, in bytes.
const FIELD_MAX: usize = 300;
/// The longest reason, in bytes: all clocks of the law that are told at once.
const WHY_MAX: usize = 2_000;
/// The longest short message, in characters: one part in the alphabet of GSM (3GPP TS 23.038).
pub const SMS_MAX: usize = 160;
/// The longest URL, in bytes: a longer one is left out, since half a link leads elsewhere.
const URL_MAX: usize = 500;

/// One message to one person.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Message {
    /// Names this attempt for ever and stays the same when it is sent again: it becomes the
    /// Message-ID, and the key by which a receiver knows a repetition.
    pub id: String,
    /// What it is about.
    pub kind: Kind,
    /// What has become of the incidents, for receivers that keep alerts of their own.
    pub signal: Signal,
    /// One line.
    pub subject: String,
    /// What is to be read; the facts of each incident are added below it by the forms.
    pub text: String,
    /// What stands below everything: how to answer.
    pub closing: String,
    /// Whether it is meant to wake somebody.
    pub urgent: bool,
    /// What it is about; a bundle holds several.
    pub incidents: Vec<About>,
    /// The person, as they are called.
    pub to_name: String,
    /// Language of subject and text (BCP 47: `en`, `de`).
    pub language: String,
    /// Set in a drill; stands before everything else.
    pub watermark: Option<String>,
    /// The id of the message that this one continues.
    pub in_reply_to: Option<String>,
    /// The same for readers of mail with formatting; whoever makes it escapes what it holds.
    pub html: Option<String>,
}

/// Why a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Somebody must act.
    #[default]
    Page,
    /// Something changed.
    Update,
    /// To see whether the channel works.
    Test,
    /// A shift or a role is offered.
    Handoff,
    /// A summary.
    Brief,
}

impl Kind {
    /// As it is written: `page`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Update => "update",
            Self::Test => "test",
            Self::Handoff => "handoff",
            Self::Brief => "brief",
        }
    }
}

/// What a receiver that keeps alerts does with its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signal {
    /// Opens one, or adds to it.
    #[default]
    Trigger,
    /// Marks it as taken.
    Acknowledge,
    /// Closes it.
    Resolve,
}

impl Signal {
    /// As `PagerDuty` calls it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Acknowledge => "acknowledge",
            Self::Resolve => "resolve",
        }
    }
}

/// One incident that a message speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// `INC-7`.
    pub id: String,
    /// Names the delivery: what is said later of what it opened elsewhere is said under this.
    pub key: String,
    pub title: String,
    /// `SEV1` … `SEV5`.
    pub severity: String,
    pub services: Vec<String>,
    /// Why this person is told now, and by which rule.
    pub why: String,
    /// Good once, for `warroom ack --code`.
    pub ack_code: Option<String>,
    /// Where more is to be read.
    pub url: Option<String>,
}

impl Message {
    /// The same message, safe to put into any form.
    #[must_use]
    pub fn tidy(&self) -> Self {
        let mut text = shorten(visible_lines(&self.text), TEXT_MAX);
        let more = self.incidents.len().saturating_sub(INCIDENTS_MAX);
        if more > 0 {
            let note = format!("\n\n+ {more}: warroom");
            text = shorten(text, TEXT_MAX - note.len()) + &note;
        }
        Self {
            id: line(&self.id),
            kind: self.kind,
            signal: self.signal,
            subject: cut(visible(&self.subject).into_owned(), SUBJECT_MAX),
            closing: cut(visible_lines(&self.closing), FIELD_MAX),
            text,
            urgent: self.urgent,
            incidents: self.incidents.iter().take(INCIDENTS_MAX).map(About::tidy).collect(),
            to_name: line(&self.to_name),
            language: tag(&self.language),
            watermark: self.watermark.as_deref().map(line).filter(|mark| !mark.is_empty()),
            in_reply_to: self.in_reply_to.as_deref().map(line),
            html: self
                .html
                .as_deref()
                .map(visible_lines)
                // Half a page of HTML may hide what was to be read; the plain text says it all.
                .filter(|html| html.len() <= HTML_MAX),
        }
    }

    /// The subject with the drill's mark before it.
    pub fn headline(&self) -> String {
        match &self.watermark {
            Some(mark) => format!("[{mark}] {}", self.subject),
            None => self.subject.clone(),
        }
    }

    /// The text with how to answer, where the facts stand elsewhere.
    pub fn words(&self) -> String {
        [self.text.trim_end(), self.closing.trim()].join("\n").trim().to_owned()
    }

    /// All that a short message holds, in one line of at most `SMS_MAX` characters: what is worst, why
    /// now, how many more, and the code that answers for it, which is never cut.
    pub fn sms(&self) -> String {
        let mark = self.watermark.as_ref().map(|mark| format!("[{mark}] ")).unwrap_or_default();
        // What waits for an answer stands before what is offered or told with it.
        let rank = |about: &&About| {
            (about.ack_code.is_none(), urgency(&about.why), about.severity.clone())
        };
        let Some(worst) = self.incidents.iter().min_by_key(rank) else {
            return clip(&format!("{mark}{}", self.subject), SMS_MAX);
        };
        let more = match self.incidents.len() {
            1 => String::new(),
            n => format!(" (+{} more)", n - 1),
        };
        let code = worst.ack_code.as_ref().map(|code| format!(" code {code}")).unwrap_or_default();
        let why = if worst.why.is_empty() { String::new() } else { format!(": {}", worst.why) };
        let head = format!("{mark}{} {} {}{why}", worst.severity, worst.id, worst.title);
        let room = SMS_MAX.saturating_sub(more.chars().count() + code.chars().count());
        format!("{}{more}{code}", clip(&head, room))
    }

    /// The text, and below it what must be known of each incident: what, where, why now, and how
    /// to acknowledge. Facts stand without labels, so that they read alike in every language.
    pub fn plain(&self) -> String {
        let mut parts = Vec::new();
        if let Some(mark) = &self.watermark {
            parts.push(format!("[{mark}]"));
        }
        if !self.text.trim().is_empty() {
            parts.push(self.text.trim_end().to_owned());
        }
        parts.extend(self.incidents.iter().take(FULL_MAX).map(About::plain));
        let more: Vec<String> = self.incidents.iter().skip(FULL_MAX).map(About::short).collect();
        if !more.is_empty() {
            parts.push(more.join("\n"));
        }
        if !self.closing.trim().is_empty() {
            parts.push(self.closing.trim().to_owned());
        }
        parts.join("\n\n")
    }
}

impl About {
    fn tidy(&self) -> Self {
        Self {
            key: line(&self.key),
            id: line(&self.id),
            title: line(&self.title),
            severity: line(&self.severity),
            services: self.services.iter().take(SERVICES_MAX).map(|s| line(s)).collect(),
            why: cut(visible(&self.why).into_owned(), WHY_MAX),
            ack_code: self.ack_code.as_deref().map(line),
            url: self.url.as_deref().filter(|url| is_link(url)).map(str::to_owned),
        }
    }

    /// In one line: what, and how to acknowledge.
    fn short(&self) -> String {
        let code = self.ack_code.as_ref().map(|code| format!(" · warroom ack --code {code}"));
        let is_quiet = urgency(&self.why) == QUIET;
        let why = if is_quiet { String::new() } else { format!(": {}", self.why) };
        let why = clip(&why, SMS_MAX);
        format!("{} {} {}{why}{}", self.id, self.severity, self.title, code.unwrap_or_default())
    }

    fn plain(&self) -> String {
        let mut lines = vec![format!("{} {} {}", self.id, self.severity, self.title)];
        if !self.services.is_empty() {
            lines.push(self.services.join(", "));
        }
        if !self.why.is_empty() {
            lines.push(self.why.clone());
        }
        if let Some(code) = &self.ack_code {
            lines.push(format!("warroom ack --code {code}"));
        }
        lines.extend(self.url.clone());
        lines.join("\n")
    }
}

/// Cuts to so many characters, and says so with two dots: they are in the alphabet of short messages.
fn clip(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(2)).collect();
    format!("{}..", kept.trim_end())
}

/// How urgent a reason is, 0 the most: a limit of the law that is over, something else that was not kept
/// (it says so in capitals), then how far a clock has run.
pub fn urgency(why: &str) -> u8 {
    let is_word = |word: &str| word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase());
    let is_loud = why.split([' ', ':', ',']).next().is_some_and(is_word);
    let gone = |percent: &str| why.contains(percent);
    match () {
        () if why.contains("MISSED") || why.contains("PAST,") => 0,
        () if is_loud => 1,
        () if gone("90% gone") => 2,
        () if gone("75% gone") => 3,
        () if gone("50% gone") => 4,
        () => QUIET,
    }
}

/// The urgency of what is told for information and nothing else.
pub const QUIET: u8 = 5;

/// One line of a known size.
fn line(text: &str) -> String {
    cut(visible(text).into_owned(), FIELD_MAX)
}

/// Cuts to so many bytes, and says so with `…`.
pub(crate) fn cut(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        cut_bytes(&mut text, bytes.saturating_sub('…'.len_utf8()));
        text.push('…');
    }
    text
}

/// Shortens to so many bytes in the middle, and says so with a line `…`: what comes next, by when,
/// and how to answer stand at the end.
pub(crate) fn shorten(text: String, bytes: usize) -> String {
    const GAP: &str = "\n…\n";
    if text.len() <= bytes {
        return text;
    }
    let mut start = text.len() - bytes / 4;
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let end = &text[start..];
    // From the beginning of a line, if one begins there.
    let line = end.split_once('\n').map(|(_, rest)| rest).filter(|rest| !rest.trim().is_empty());
    let end = line.unwrap_or(end);
    let mut head = text.clone();
    cut_bytes(&mut head, bytes.saturating_sub(end.len() + GAP.len()));
    format!("{}{GAP}{end}", head.trim_end())
}

/// A language tag, or nothing: it becomes a header.
fn tag(language: &str) -> String {
    let is_tag =
        language.len() <= 35 && language.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if is_tag { language.to_owned() } else { String::new() }
}

/// Whether a text can be followed as a link: http or https and visible ASCII throughout.
fn is_link(url: &str) -> bool {
    url.len() <= URL_MAX
        && (url.starts_with("https://") || url.starts_with("http://"))
        && url.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"`\\".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_message_holds_the_code_whatever_else_is_long() {
        let about = |severity: &str, title: &str| About {
            id: "INC-7".to_owned(),
            severity: severity.to_owned(),
            title: title.to_owned(),
            why: "L1 on-call: new".to_owned(),
            ack_code: Some("7-3-ABCDEFGH".to_owned()),
            ..About::default()
        };
        let one = Message { incidents: vec![about("SEV2", "disk full")], ..Message::default() };
        assert_eq!(one.sms(), "SEV2 INC-7 disk full: L1 on-call: new code 7-3-ABCDEFGH");
        let long = about("SEV1", &"é".repeat(300));
        let incidents = vec![about("SEV3", "a"), long, about("SEV2", "b")];
        let watermark = Some("DRILL".to_owned());
        let text = Message { incidents, watermark, ..Message::default() }.sms();
        assert_eq!(text.chars().count(), SMS_MAX, "{text}");
        assert!(text.starts_with("[DRILL] SEV1 INC-7 é"), "{text}");
        assert!(text.ends_with("é.. (+2 more) code 7-3-ABCDEFGH"), "{text}");
        let offer = About { ack_code: None, ..about("SEV1", "offered") };
        let incidents = vec![offer, about("SEV2", "waits")];
        let text = Message { incidents, ..Message::default() }.sms();
        assert_eq!(
            text, "SEV2 INC-7 waits: L1 on-call: new (+1 more) code 7-3-ABCDEFGH",
            "what can be answered stands before an offer, however bad that is"
        );
        let words = Message { subject: "Cover: ann stands in".to_owned(), ..Message::default() };
        assert_eq!(words.sms(), "Cover: ann stands in");
    }

    fn message() -> Message {
        Message {
            id: "01J\r\n".into(),
            subject: "SEV1 down\r\nBcc: eve@example.net".into(),
            text: "first\r\nsecond \u{1b}[2J\u{202e}".into(),
            incidents: vec![About {
                id: "INC-7".into(),
                key: "INC-7-1".into(),
                title: "Payments\r\ndown".into(),
                severity: "SEV1".into(),
                services: vec!["payments".into()],
                why: "step 2".into(),
                ack_code: Some("K7Q2".into()),
                url: Some("https://example.org/INC-7".into()),
            }],
            ..Message::default()
        }
    }

    #[test]
    fn a_tidy_message_drives_no_terminal_and_begins_no_header() {
        let tidy = message().tidy();
        assert_eq!(tidy.subject, "SEV1 down  Bcc: eve@example.net");
        assert_eq!(tidy.text, "first\nsecond ␛[2J\u{FFFD}");
        assert_eq!(tidy.incidents[0].title, "Payments  down");
        assert_eq!(tidy, tidy.tidy(), "tidying again changes nothing");
        assert_eq!(
            tidy.plain(),
            "first\nsecond ␛[2J\u{FFFD}\n\nINC-7 SEV1 Payments  down\npayments\nstep 2\n\
             warroom ack --code K7Q2\nhttps://example.org/INC-7"
        );
    }

    #[test]
    fn sizes_are_capped_and_bad_links_left_out() {
        let mut long = message();
        long.text = "é".repeat(TEXT_MAX);
        long.subject = "x".repeat(10_000);
        long.html = Some("x".repeat(HTML_MAX + 1));
        long.incidents = vec![long.incidents[0].clone(); 500];
        long.incidents[0].url = Some("javascript:alert(1)".into());
        let tidy = long.tidy();
        assert!(tidy.text.len() <= TEXT_MAX && tidy.text.contains('…'));
        assert!(tidy.subject.len() <= SUBJECT_MAX);
        assert_eq!(tidy.html, None);
        assert_eq!(tidy.incidents.len(), INCIDENTS_MAX);
        assert!(tidy.text.ends_with("+ 300: warroom"), "what is left out is counted");
        assert_eq!(tidy.incidents[0].url, None);
        let codes = tidy.plain().matches("warroom ack --code K7Q2").count();
        assert_eq!(codes, INCIDENTS_MAX, "each of them can be answered");
    }

    #[test]
    fn what_is_shortened_keeps_its_end() {
        let text = format!("first\n{}\nNext update by 13:50 CET.", "éx ".repeat(4_000));
        let short = shorten(text.clone(), 3_200);
        assert!(short.len() <= 3_200, "{}", short.len());
        assert!(short.starts_with("first\n") && short.contains("\n…\n"), "{short}");
        assert!(short.ends_with("\nNext update by 13:50 CET."), "{short}");
        assert_eq!(shorten(text.clone(), text.len()), text);
        for bytes in 16..80 {
            let short = shorten("é".repeat(60), bytes);
            assert!(short.len() <= bytes, "{bytes}: {short}");
        }
    }

    #[test]
    fn a_drill_is_marked_before_everything_else() {
        let drill = Message { watermark: Some("DRILL".into()), ..message() }.tidy();
        assert!(drill.headline().starts_with("[DRILL] SEV1"));
        assert!(drill.plain().starts_with("[DRILL]\n"));
    }
}
