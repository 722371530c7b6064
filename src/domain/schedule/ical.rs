//! Calendar entries as an iCalendar file (RFC 5545), for calendar programs.
//!
//! Invariants:
//! - Lines end with CR LF and have 75 octets at most; no character is divided (section 3.1).
//! - Text from a plan can never begin a line of its own or end a value (section 3.3.11).
//! - Times are in UTC, so that no definition of a time zone is needed or can be wrong.

use super::calendar::Entry;
use crate::domain::time::{SECOND_MS, Timestamp};

/// Octets of a line without its end (RFC 5545, section 3.1).
const LINE_OCTETS_MAX: usize = 75;

/// What a feed says.
#[derive(Debug, Clone, Copy)]
pub struct Feed<'a> {
    /// The schedule's name.
    pub schedule: &'a str,
    /// The entries, see `calendar::entries`.
    pub entries: &'a [Entry],
    /// Entries that were in the feed before and are no longer true, see `calendar::removed`.
    pub removed: &'a [Entry],
    /// Only this person's (login).
    pub who: Option<&'a str>,
    /// Grows with every change: programs take what has a higher number.
    pub revision: u32,
    /// When this is written.
    pub now: Timestamp,
}

/// Feeds of one person, or of everybody, as the text of one file: one calendar.
pub fn calendar(feeds: &[Feed<'_>]) -> String {
    let mut lines = Lines::default();
    lines.add("BEGIN", "VCALENDAR");
    lines.add("VERSION", "2.0");
    lines.add("PRODID", "-//warroom//on call//EN");
    lines.add("CALSCALE", "GREGORIAN");
    let names: Vec<&str> = feeds.iter().map(|feed| feed.schedule).collect();
    let names = names.join(", ");
    let title = match feeds.first().and_then(|feed| feed.who) {
        Some(login) => format!("{login} on call: {names}"),
        None => format!("on call: {names}"),
    };
    lines.add("NAME", &escape(&title));
    lines.add("X-WR-CALNAME", &escape(&title));
    for feed in feeds {
        let both = [("CONFIRMED", feed.entries), ("CANCELLED", feed.removed)];
        for (status, entries) in both {
            for entry in entries.iter().filter(|entry| is_wanted(feed, entry)) {
                event(&mut lines, feed, entry, status);
            }
        }
    }
    lines.add("END", "VCALENDAR");
    lines.text
}

/// Whether an entry is in the feed. A calendar knows seconds: what lasts less has no end there.
fn is_wanted(feed: &Feed<'_>, entry: &Entry) -> bool {
    feed.who.is_none_or(|login| entry.duty.person == login)
        && entry.from.0.div_euclid(SECOND_MS) < entry.until.0.div_euclid(SECOND_MS)
}

fn event(lines: &mut Lines, feed: &Feed<'_>, entry: &Entry, status: &str) {
    let person = &entry.duty.person;
    lines.add("BEGIN", "VEVENT");
    lines.add("UID", &uid(feed.schedule, entry));
    lines.add("DTSTAMP", &stamp(feed.now));
    lines.add("DTSTART", &stamp(entry.from));
    lines.add("DTEND", &stamp(entry.until));
    lines.add("SEQUENCE", &feed.revision.to_string());
    lines.add("SUMMARY", &escape(&format!("{person} on call: {}", feed.schedule)));
    lines.add("DESCRIPTION", &escape(&entry.duty.words()));
    lines.add("STATUS", status);
    // Being on call does not make somebody busy.
    lines.add("TRANSP", "TRANSPARENT");
    lines.add("END", "VEVENT");
}

/// An identity of letters, digits and a few signs. What else a name has is written in hex, so
/// that different names stay different.
fn uid(schedule: &str, entry: &Entry) -> String {
    let mut words = vec![plain(schedule)];
    words.extend(entry.identity().iter().map(|word| plain(word)));
    format!("{}@warroom", words.join("/"))
}

fn plain(word: &str) -> String {
    let mut text = String::with_capacity(word.len());
    for byte in word.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.' {
            text.push(char::from(byte));
        } else {
            text.push('_');
            for digit in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(u32::from(digit), 16));
            }
        }
    }
    text
}

fn stamp(at: Timestamp) -> String {
    at.plus(0).utc().format("%Y%m%dT%H%M%SZ").to_string()
}

/// Text as a value (RFC 5545, section 3.3.11), without control characters and without the ones
/// that turn the direction of text.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '\\' | ',' | ';' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '\n' | '\u{2028}' | '\u{2029}' => escaped.push_str("\\n"),
            '\t' => escaped.push(' '),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            _ if c.is_control() => {}
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Content lines, folded.
#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    /// A property; the value is already escaped.
    fn add(&mut self, name: &str, value: &str) {
        let mut octets = 0;
        for c in name.chars().chain([':']).chain(value.chars()) {
            if octets + c.len_utf8() > LINE_OCTETS_MAX {
                // The space that marks a line as going on counts.
                self.text.push_str("\r\n ");
                octets = 1;
            }
            self.text.push(c);
            octets += c.len_utf8();
        }
        self.text.push_str("\r\n");
    }
}
