//! The words for arguments that mean the same wherever they stand, so that no page of the help
//! leaves one out: an incident, a reason, the words of a vocabulary.
//!
//! Invariants:
//! - What an argument says of itself where it is declared stays.

use std::fmt::Display;

use clap::Command;

use crate::domain::words::{
    ClosureReason, Level3, LinkKind, Moment, NoteKind, Outcome, Phase, PublicStatus, RemedyKind,
    Role, Severity,
};

/// Arguments that mean something of their own in one command: command, argument, words.
const OF_ONE: &[(&str, &str, &str)] = &[
    ("report", "title", "What is wrong, in one line"),
    ("declare", "incident_or_title", "INC-7 or 7; anything else is the title of a new one"),
    ("declare", "reason", "Why, for the record"),
    ("title", "title", "What it is called from now on, among us"),
    ("services", "services", "All that are affected, as the plan names them; none: nothing is"),
    ("label", "label", "Its name"),
    ("label", "value", "Its value; without one the label is removed"),
    ("owner", "owner", "Their login; without one it has no owner"),
    ("role", "person", "Their login"),
    ("role", "leave", "They have it no longer"),
    ("command", "offer", "Who is asked to take it; you stay in command until they accept"),
    ("command", "accept", "Take what was offered to you"),
    ("command", "refuse", "Refuse what was offered to you, and say why"),
    ("note", "text", "What is to be remembered; '-': read it from standard input"),
    ("correct", "entry", "The number of the entry, as 'warroom show' has it"),
    ("correct", "text", "How it is right"),
    ("redact", "entry", "The number of the entry, as 'warroom show' has it"),
    ("redact", "reason", "Why it must not be read; that stays readable"),
    ("evidence", "file", "The file; it stays where it is, its hash is kept"),
    ("evidence", "note", "What it shows"),
    ("remedy", "text", "What was done"),
    ("judge", "remedy", "Its number: 1 is the first one of the incident"),
    ("judge", "evidence", "What shows it"),
    ("tell", "text", "What they were told"),
    ("tell", "channel", "How: phone, mail, in person …"),
    ("link", "other", "The other one: INC-7 or 7"),
    ("link", "remove", "Take the link back"),
    ("merge", "into", "The one it becomes a part of: INC-7 or 7"),
    ("split", "title", "What the new one is called"),
    ("split", "alerts", "The keys of the alerts that go with it ('warroom alerts INC-7')"),
    ("decline", "note", "What shows it"),
    ("reopen", "reason", "What shows that it is not over"),
    ("close", "note", "The last word on it"),
    ("moment", "at", "When: 14:02, -15m, a full time, or 'unknown'"),
    ("moment", "reason", "What that rests on"),
    ("shelve", "until", "Until when: 4h, 14:30, or a full time"),
    ("escalate", "reason", "Why now; those who are reached read it"),
    ("page", "people", "Logins, team:NAME or schedule:NAME"),
    ("page", "reason", "What is wanted of them; they read it"),
    ("call-back", "reason", "Why they are not needed; those who were reached read it"),
    ("snooze", "until", "Until when: 30m, 14:30, or a full time; 24 hours at most"),
    ("handover", "to", "Who is asked to take it; you stay accountable until they accept"),
    ("handover", "note", "What they must know"),
    ("handover", "accept", "Take what was offered to you"),
    ("handover", "refuse", "Refuse what was offered to you, and say why"),
    ("policy", "policy", "Its name in the plan; that of the incident's services unless given"),
    ("cover", "person", "Who stands in: their login"),
    ("cover", "revoke", "Take this one back"),
    ("swap", "with", "Who is asked to take the shift: their login"),
    ("swap", "accept", "Take the swap of this number"),
    ("swap", "refuse", "Refuse the swap of this number"),
    ("maintenance", "services", "Names in the plan, or '*'; without any, windows are listed"),
    ("maintenance", "end", "End or cancel the window of this number"),
    ("maintenance", "publish", "Let the public read what another wrote of this window"),
    ("maintenance", "force", "Why nobody else than its author can look at it"),
    ("silence", "end", "End or cancel the silence of this number"),
    ("heartbeat", "name", "Its name in the plan"),
    ("who", "services", "What is affected, as the plan names it; may be given several times"),
    ("update", "audience", "How much its readers may know"),
    ("update", "text", "The text that goes with --subject"),
    ("withdraw", "reason", "Why"),
    ("approve", "also", "Other incidents on which the same words wait, with commas"),
    ("promise", "text", "Of what they wait to hear"),
    ("long-incident", "off", "Words come as often as at first again"),
    ("press", "question", "What they want to know"),
    ("press", "person", "Who asked, and how to reach them"),
    ("press", "embargo", "Until when they may not print it: 14:30, or a full time"),
    ("feedback", "score", "1 (bad) to 5 (good)"),
    ("feedback", "text", "In their words"),
    ("brief", "report", "For whom it is written"),
    ("take-back", "kind", "Which of the rule's questions ('warroom obligation rules')"),
    ("take-back", "reason", "Why it does not hold"),
    ("not-applicable", "why", "What that rests on"),
    (
        "submit",
        "at",
        "When it was handed in: -3h, 14:02, a full time (UTC, or with a zone); now unless given",
    ),
    ("list", "closed", "Those that are over"),
    ("list", "limit", "How many, at most"),
    ("show", "limit", "How many entries of its timeline, the latest, at most"),
    ("search", "words", "Words, or beginnings of words, that must all occur"),
    ("search", "limit", "How many entries, at most"),
    ("alerts", "incident", "Only those of this one: INC-7 or 7"),
    ("alerts", "limit", "How many, at most"),
    ("export", "file", "Where to; '-': standard output"),
    ("backup", "dest", "A directory for it; it is made if it is not there"),
    ("restore", "from", "The directory that 'warroom backup' wrote"),
    ("diff", "dir", "The directory of the plan; the home's own unless given"),
    ("adopt", "dir", "The directory of the plan; the home's own unless given"),
    ("init", "dir", "The directory to write to; the home's own unless given"),
    ("revoke", "name", "The source's name ('warroom token list')"),
    ("attach", "stdio", "Use standard input and output"),
    ("completions", "shell", "For which shell"),
];

/// The same wherever they stand.
const OF_ALL: &[(&str, &str)] = &[
    ("incident", "INC-7, or 7"),
    ("incidents", "INC-7, or 7; several may be given"),
    ("services", "A service as the plan names it; may be given several times"),
    ("reason", "Why, for the record"),
    ("stakeholder", "Their name in the plan ('warroom stakeholders')"),
    ("alert", "Its key ('warroom alerts' lists them)"),
    ("schedule", "Its name in the plan"),
    ("update", "Its number ('warroom updates INC-7')"),
    ("rule", "Its name ('warroom obligation rules')"),
    ("stage", "Which of the rule's stages ('warroom obligation rules')"),
];

fn one_of<T: Display>(what: &str, all: &[T]) -> String {
    let words: Vec<String> = all.iter().map(ToString::to_string).collect();
    format!("{what}one of {}", words.join(", "))
}

/// Arguments that take the words of a vocabulary name all of them.
fn vocabulary(command: &str, argument: &str) -> Option<String> {
    Some(match (command, argument) {
        (_, "severity") => one_of("1 to 5, or ", Severity::ALL),
        ("triage", "impact") => one_of("How much is affected: ", Level3::ALL),
        ("triage", "urgency") => one_of("How soon it hurts: ", Level3::ALL),
        ("phase", "phase") => one_of("", Phase::ALL),
        ("role", "role") => one_of("", Role::ALL),
        ("note", "kind") => one_of("", NoteKind::ALL),
        ("remedy", "kind") => one_of("", RemedyKind::ALL),
        ("judge", "outcome") => one_of("", Outcome::ALL),
        ("link", "kind") => one_of("", LinkKind::ALL),
        ("decline" | "resolve", "reason") => one_of("", ClosureReason::ALL),
        ("moment", "moment") => one_of("", Moment::ALL),
        ("public", "status") => one_of("", PublicStatus::ALL),
        _ => return None,
    })
}

fn words(command: &str, argument: &str) -> Option<String> {
    let of_one = OF_ONE.iter().find(|(c, a, _)| (*c, *a) == (command, argument)).map(|row| row.2);
    let of_all = || OF_ALL.iter().find(|(a, _)| *a == argument).map(|row| row.1);
    vocabulary(command, argument).or_else(|| of_one.or_else(of_all).map(str::to_owned))
}

/// The command line with words for every argument.
pub(super) fn with_words(command: Command) -> Command {
    let name = command.get_name().to_owned();
    command
        .mut_args(|argument| {
            let missing = argument.get_help().is_none();
            // An empty default says nothing.
            let is_empty = argument.get_default_values().iter().all(|value| value.is_empty());
            let is_shown = argument.get_default_values().is_empty() || !is_empty;
            let argument = if is_shown { argument } else { argument.hide_default_value(true) };
            match words(&name, argument.get_id().as_str()).filter(|_| missing) {
                Some(words) => argument.help(words),
                None => argument,
            }
        })
        .mut_subcommands(with_words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_of_an_argument() {
        fn has(command: &Command, name: &str, argument: &str) -> bool {
            let is_here = command.get_name() == name
                && command.get_arguments().any(|a| a.get_id().as_str() == argument);
            is_here || command.get_subcommands().any(|below| has(below, name, argument))
        }
        let whole = crate::cli::command();
        let lost = OF_ONE.iter().filter(|(name, argument, _)| !has(&whole, name, argument));
        assert_eq!(lost.count(), 0, "a row names what is not there");
        whole.debug_assert();
    }
}
