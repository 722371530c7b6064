//! What facts about communication read like in a timeline.

use crate::domain::delivery::{Wanted, channel_of};
use crate::domain::talk::change::{Draft, Inquiry, Sent, TalkChange, Words};
use crate::domain::talk::heard::not_all_words;
use crate::domain::time::Timestamp;
use crate::domain::words::Approval;

/// The line of a fact, as of when it was recorded.
pub fn change_words(change: &TalkChange, now: Timestamp) -> String {
    match change {
        TalkChange::Drafted(draft) => draft_words(draft, now),
        TalkChange::Withdrawn { update, reason } => {
            because(format!("update {update} was taken back"), reason)
        }
        TalkChange::LookLost { update, people, why } => {
            format!(
                "NOT ASKED: {} does not know that update {update} waits: {why}",
                people.join(", ")
            )
        }
        TalkChange::Sent(sent) => sent_words(sent),
        TalkChange::LettersAdded { update, letters } => {
            format!("update {update} goes to {} more", letters.len())
        }
        TalkChange::Promised { stakeholder, next_by, text } => {
            because(format!("promised {stakeholder} a word by {}", next_by.clock_near(now)), text)
        }
        TalkChange::Missed { names, step, pages } => {
            let list: Vec<String> = names.iter().map(|missed| missed.words(now)).collect();
            let still = if *step > 0 { "STILL NOT TOLD" } else { "NOT TOLD IN TIME" };
            format!("{still}: {}; {}", list.join(", "), told_words(pages))
        }
        TalkChange::SomeLost { lost, pages } => {
            format!("{}; {}", not_all_words(lost), told_words(pages))
        }
        TalkChange::WordLost { words: _, why, step: _, pages } if pages.is_empty() => {
            format!("NOBODY COULD BE TOLD, by any way: {why}")
        }
        TalkChange::WordLost { why, pages, .. } => {
            format!("THE WORD REACHED NOBODY: {why}; {}", told_words(pages))
        }
        TalkChange::CadenceSet { long: true, reason } => {
            because("a long incident from now on: words come less often".to_owned(), reason)
        }
        TalkChange::CadenceSet { long: false, reason } => {
            because("words come as often as at first again".to_owned(), reason)
        }
        TalkChange::FeedbackGiven { stakeholder, score, text } => {
            because(format!("{stakeholder} gave {score} of 5"), text)
        }
        TalkChange::InquiryLogged(inquiry) => inquiry_words(inquiry, now),
        TalkChange::InquiryMoved { inquiry, answer_by, embargo, reason, .. } => {
            let by = answer_by.map(|at| format!("needed by {}", at.clock_near(now)));
            let until = embargo.map(|at| format!("embargo until {}", at.clock_near(now)));
            let (by, until) = (
                by.unwrap_or_else(|| "needed by no set time".to_owned()),
                until.unwrap_or_else(|| "no embargo".to_owned()),
            );
            because(format!("press inquiry {inquiry}: {by} · {until} from now on"), reason)
        }
        TalkChange::InquiryHeld { inquiry, by, answer_by } => {
            let next = answer_by.map(|at| format!(", an answer by {}", at.clock_near(now)));
            let next = next.unwrap_or_else(|| ", an answer follows".to_owned());
            format!("{by} gave inquiry {inquiry} the holding statement{next}")
        }
        TalkChange::InquiryAnswered { inquiry, text, by } => {
            format!("{by} answered inquiry {inquiry}: {text}")
        }
        TalkChange::HoldingSet { text, by } => {
            format!("what the press hears until more can be said, by {by}: {text}")
        }
    }
}

/// Whom words are on their way to.
pub fn told_words(pages: &[Wanted]) -> String {
    let people: Vec<&str> = pages.iter().map(|page| page.to.as_str()).collect();
    if people.is_empty() {
        return "NOBODY COULD BE TOLD".to_owned();
    }
    format!("telling {}", people.join(", "))
}

fn because(head: String, reason: &str) -> String {
    if reason.is_empty() { head } else { format!("{head}: {reason}") }
}

fn draft_words(draft: &Draft, now: Timestamp) -> String {
    let waits = match draft.approval {
        Approval::None => String::new(),
        Approval::Other => " · waits for somebody else's approval".to_owned(),
        Approval::Commander => " · waits for the commander's approval".to_owned(),
    };
    let corrects = draft.corrects.map(|n| format!(" (corrects {n})")).unwrap_or_default();
    let next = match draft.next_by {
        Some(at) => format!(" · next by {}", at.clock_near(now)),
        None => " · the last one".to_owned(),
    };
    let mut text = format!(
        "update {}{corrects} for {} ({}){next}{waits}",
        draft.update,
        draft.to.join(", "),
        draft.audience.word()
    );
    if let Some(status) = draft.public {
        let parts = draft.components.iter().map(|(name, how)| format!("{name}: {}", how.words()));
        let parts: Vec<String> = parts.collect();
        let parts =
            if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
        text = format!("{text}\nstatus page: '{}' is {status}{parts}", draft.title);
    }
    if !draft.before_embargo.is_empty() {
        text = format!("{text}\nBEFORE AN EMBARGO ENDS: {}", draft.before_embargo);
    }
    for words in &draft.words {
        let language =
            if draft.words.len() > 1 { format!("[{}] ", words.language) } else { String::new() };
        text.push_str(&["\n", &language, &words.subject, "\n", words.text.trim_end()].concat());
    }
    text
}

fn sent_words(sent: &Sent) -> String {
    let ways = sent.letters.iter().map(|letter| {
        let methods: Vec<&str> =
            letter.wanted.methods.iter().map(|method| channel_of(&method.name)).collect();
        let how = if methods.is_empty() { "no way".to_owned() } else { methods.join(", ") };
        format!("{} by {how}", letter.who)
    });
    // Many readers are one line.
    let mut counted: Vec<(String, u32)> = Vec::new();
    for way in ways {
        match counted.iter_mut().find(|(known, _)| *known == way) {
            Some((_, count)) => *count += 1,
            None => counted.push((way, 1)),
        }
    }
    let words =
        |(way, count): (String, u32)| if count > 1 { format!("{way} × {count}") } else { way };
    let mut parts: Vec<String> = counted.into_iter().map(words).collect();
    parts.extend(sent.published.iter().map(|who| format!("{who} on the status page")));
    parts.extend(sent.by_hand.iter().map(|who| format!("{who} BY HAND")));
    let forced = sent.forced.as_ref().map(|why| format!(" · NOBODY ELSE LOOKED AT IT: {why}"));
    let embargo = match sent.before_embargo.as_str() {
        "" => String::new(),
        why => format!(" · BEFORE AN EMBARGO ENDS: {why}"),
    };
    let forced = forced.unwrap_or_default();
    format!("update {} goes to {}{forced}{embargo}", sent.update, parts.join("; "))
}

fn inquiry_words(inquiry: &Inquiry, now: Timestamp) -> String {
    let person =
        if inquiry.person.is_empty() { String::new() } else { format!(" ({})", inquiry.person) };
    let by = inquiry.answer_by.map(|at| format!(" · by {}", at.clock_near(now)));
    let embargo = inquiry.embargo.map(|at| format!(" · embargo until {}", at.clock_near(now)));
    format!(
        "press inquiry {} of {}{person}: {}{}{}",
        inquiry.number,
        inquiry.outlet,
        inquiry.question,
        by.unwrap_or_default(),
        embargo.unwrap_or_default()
    )
}

/// What a correction says of itself, in the languages in which we know to say it: before its subject,
/// and what it corrects.
const CORRECTIONS: [(&str, &str, &str); 7] = [
    ("en", "Correction", "This corrects what we said at {}."),
    ("de", "Korrektur", "Dies berichtigt unsere Mitteilung von {}."),
    ("fr", "Rectificatif", "Ceci rectifie notre message de {}."),
    ("es", "Corrección", "Esto corrige nuestro mensaje de las {}."),
    ("it", "Correzione", "Questo corregge il nostro messaggio delle {}."),
    ("pt", "Correção", "Isto corrige a nossa mensagem das {}."),
    ("nl", "Correctie", "Dit corrigeert ons bericht van {}."),
];

/// How the next word is announced, in the languages in which we know to say it.
const NEXT: [(&str, &str); 7] = [
    ("en", "Next update by {}."),
    ("de", "Nächste Nachricht bis {}."),
    ("fr", "Prochain message avant {}."),
    ("es", "Próximo mensaje antes de las {}."),
    ("it", "Prossimo messaggio entro le {}."),
    ("pt", "Próxima mensagem até {}."),
    ("nl", "Volgend bericht voor {}."),
];

/// Makes words say when the next ones come, where they name no such time themselves: a promise that
/// its readers do not know of is none. Where they name another time, from a template that was filled
/// in earlier, that one gives way: two times would be none.
pub fn announce(words: &mut Words, next_by: Timestamp, zone: chrono_tz::Tz) {
    let local = next_by.utc().with_timezone(&zone);
    let when = local.format("%Y-%m-%d %H:%M %Z").to_string();
    if let Some((from, until)) = announced(&words.text) {
        // In the zone that the words have, where that says the same.
        let is_same = words.text.get(from..until).is_some_and(|said| {
            let clock =
                |at: chrono::DateTime<chrono_tz::Tz>| at.format("%Y-%m-%d %H:%M").to_string();
            said.starts_with(&clock(local))
                || said == next_by.utc().format("%Y-%m-%d %H:%M UTC").to_string()
        });
        if !is_same {
            words.text.replace_range(from..until, &when);
        }
        return;
    }
    let clock = local.format("%H:%M").to_string();
    if words.text.contains(&clock) || words.text.contains(&next_by.clock_minutes()) {
        return;
    }
    let known = NEXT.iter().find(|(language, _)| words.language.starts_with(language));
    let (_, line) = known.unwrap_or(&NEXT[0]);
    words.text = format!("{}\n\n{}", words.text.trim_end(), line.replace("{}", &when));
}

/// Where words announce a time as we write it, `2026-11-28 16:34 CET`, in any of our languages.
fn announced(text: &str) -> Option<(usize, usize)> {
    NEXT.iter().find_map(|(_, line)| {
        let head = line.split("{}").next().unwrap_or_default();
        let from = text.find(head)? + head.len();
        let rest = text.get(from..)?;
        chrono::NaiveDateTime::parse_from_str(rest.get(..16)?, "%Y-%m-%d %H:%M").ok()?;
        let zone = rest.get(16..)?.strip_prefix(' ')?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '-';
        let len = zone.find(|c| !is_name(c)).unwrap_or(zone.len());
        Some((from, from + 17 + len))
    })
}

/// Makes words say that they correct what was said at an instant, in their own language.
pub fn as_correction(words: &mut Words, said_at: Timestamp, now: Timestamp, zone: chrono_tz::Tz) {
    let known = CORRECTIONS.iter().find(|(language, ..)| words.language.starts_with(language));
    let (_, head, line) = known.unwrap_or(&CORRECTIONS[0]);
    let local = |at: Timestamp| at.utc().with_timezone(&zone);
    let (said, today) = (local(said_at), local(now));
    let format =
        if said.date_naive() == today.date_naive() { "%H:%M %Z" } else { "%Y-%m-%d %H:%M %Z" };
    let line = line.replace("{}", &said.format(format).to_string());
    if !words.subject.to_lowercase().starts_with(&head.to_lowercase()) {
        words.subject = format!("{head}: {}", words.subject);
    }
    if !words.text.contains(&line) {
        words.text = format!("{line}\n\n{}", words.text);
    }
}

/// Whether words say themselves that they correct others.
pub fn says_correction(words: &Words) -> bool {
    let starts = |(_, _, line): &(&str, &str, &str)| {
        line.split_once("{}").is_some_and(|(before, _)| words.text.starts_with(before))
    };
    CORRECTIONS.iter().any(starts)
}
