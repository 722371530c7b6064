//! The forms of communication: approvals, promises, conversations, the press.
//!
//! The two forms of an update are in `update`.
//!
//! Invariants:
//! - As in `forms`: a form never acts by itself.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "most of a long vocabulary is handled alike here"
)]

use crate::domain::command::Command;
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::plan::Plan;
use crate::domain::stakeholder::{Audience, Stakeholder};
use crate::domain::talk::change::{Moved, TalkWish};
use crate::domain::talk::promise;
use crate::domain::time::{HOUR_MS, Timestamp};
use crate::tui::action::Action;
use crate::tui::form::{Field, Form};
use crate::tui::forms::{About, ahead, parsed, some, update};

pub(super) const fn heading(action: Action) -> &'static str {
    match action {
        Action::Contact => "Told a stakeholder of",
        Action::Update => "Update (1 of 2: what is known) on",
        Action::Write => "Update (2 of 2: the words) on",
        Action::Approve => "Approve and send an update on",
        Action::Withdraw => "Take back an update on",
        Action::Promise => "Promise a word on",
        Action::Pace => "How often words come on",
        Action::Inquiry => "The press asks about",
        Action::Holding => "What the press hears of",
        Action::AnswerPress => "Answer the press about",
        Action::PressTimes => "What was agreed on with the press about",
        Action::Feedback => "How content was a stakeholder with",
        _ => "",
    }
}

pub(super) fn fields(action: Action, about: &About<'_>) -> Option<Vec<Field>> {
    let incident = about.incident;
    Some(match action {
        Action::Contact => contact(about),
        Action::Update => update::known(about),
        Action::Write => update::write(about, &Audience::ALL.map(Audience::word), &[]),
        Action::Approve => approve_fields(about),
        Action::Withdraw => vec![
            Field::choice("update", "which", waiting(incident), ""),
            Field::line("reason", "why", "")
                .hint("may be empty; words of your own stay as a draft ('P')"),
        ],
        Action::Promise => {
            let (who, chosen) = stakeholders(about);
            vec![
                Field::choice("stakeholder", "who", who, &chosen),
                Field::line("next", "word by", "20m")
                    .hint("20m, or a time such as 14:30")
                    .proposed(),
                Field::line("text", "of what", "").hint("may be empty"),
            ]
        }
        Action::Pace => {
            let is_long = incident.is_some_and(|i| i.talk.is_long);
            let now = if is_long { "as often as at first" } else { "less often: a long incident" };
            let both = ["less often: a long incident", "as often as at first"];
            vec![
                Field::choice("pace", "words come", both.map(str::to_owned).to_vec(), now),
                Field::line("reason", "why", "")
                    .hint("needed for less often; not within two hours of the declaration"),
            ]
        }
        Action::Inquiry => vec![
            Field::line("outlet", "paper, station", ""),
            Field::line("person", "who asked", "").hint("name, and how to reach them"),
            Field::text("question", "the question", ""),
            Field::line("answer_by", "needed by", "").hint("14:30 · 2h · empty: not said"),
            Field::line("embargo", "embargo until", "")
                .hint("not to be printed before; may be empty"),
        ],
        Action::PressTimes => press_times(incident),
        Action::AnswerPress => vec![
            Field::choice("inquiry", "which", inquiries(incident), ""),
            Field::text("text", "the answer", &holding(incident))
                .hint("the holding statement is proposed where there is one (u h)"),
        ],
        Action::Holding => vec![
            Field::text("text", "the statement", &holding(incident))
                .hint("what everybody of the press hears until more can be said"),
        ],
        Action::Feedback => {
            let (who, chosen) = stakeholders(about);
            let scores = ["5", "4", "3", "2", "1"].map(str::to_owned).to_vec();
            vec![
                Field::choice("stakeholder", "who", who, &chosen),
                Field::choice("score", "how content", scores, "4").hint("5 is best"),
                Field::text("text", "what they said", ""),
            ]
        }
        _ => return None,
    })
}

/// Everybody who may be told, those of the incident first; and who is selected.
fn stakeholders(about: &About<'_>) -> (Vec<String>, String) {
    let mut who: Vec<String> = Vec::new();
    let care = about.incident.iter().flat_map(|i| about.plan.audience_of(i)).map(|(name, _)| name);
    let told = about.incident.iter().flat_map(|i| i.told.keys());
    for name in care.chain(told).chain(about.plan.stakeholders.keys()) {
        if !who.contains(name) {
            who.push(name.clone());
        }
    }
    (who, about.stakeholder.clone().unwrap_or_default())
}

fn contact(about: &About<'_>) -> Vec<Field> {
    let (who, chosen) = stakeholders(about);
    let stakeholder = about.plan.stakeholders.get(&chosen);
    let is_over = about.incident.is_some_and(|i| !i.phase().is_active());
    let every = stakeholder.map_or(30, |who| cadence(about.incident, who));
    let by = stakeholder.map(Stakeholder::by_hand).filter(|by| !by.is_empty());
    // Where an update is to be told by hand, its words are what is to be said.
    let said = about.incident.and_then(|incident| {
        let number = incident.talk.by_hand.get(&chosen)?;
        let update = incident.talk.update(*number)?;
        Some(update.draft.words.first()?.text.clone())
    });
    let last = if is_over { "yes" } else { "no" };
    // What is told by hand says when the next word comes.
    let said_by = about.incident.and_then(|incident| {
        let number = incident.talk.by_hand.get(&chosen)?;
        incident.talk.update(*number)?.draft.next_by.filter(|at| *at > about.now)
    });
    let by_hand = about.incident.is_some_and(|i| i.talk.by_hand.contains_key(&chosen));
    // A conversation with one of many promises nothing to all of them.
    let is_aside = stakeholder.is_some_and(Stakeholder::are_many) && !by_hand;
    let last = if is_aside { "no" } else { last };
    let next = match said_by {
        _ if is_aside => String::new(),
        Some(at) => format!("{} {}", at.date(), at.clock_minutes()),
        None if is_over => String::new(),
        None => format!("{every}m"),
    };
    vec![
        Field::choice("stakeholder", "who", who, &chosen),
        Field::line("channel", "by", by.unwrap_or("phone")).proposed(),
        Field::text("text", "what was said", &said.unwrap_or_default())
            .hint("what we said, also that we do not know yet")
            .proposed(),
        Field::line("next", "next word in", &next).hint("empty: none was promised").proposed(),
        Field::choice("last", "the last word", ["no", "yes"].map(str::to_owned).to_vec(), last)
            .hint("yes: they know that it is over"),
        Field::line("person", "with", "").hint("whom of them; may be empty"),
        Field::line("asked", "they asked", "").hint("may be empty"),
        Field::line("at", "when", "").hint("empty: now · 14:02 · -15m · ~ before it: about"),
    ]
}

pub(super) fn cadence(incident: Option<&Incident>, who: &Stakeholder) -> u32 {
    incident.map_or(who.every_min, |incident| {
        let (severity, phase) = (incident.severity, incident.phase());
        promise::every_min(who, severity, phase, incident.talk.is_long)
    })
}

/// Where somebody who must know would hear nothing, or nothing more: why that may be.
pub(super) fn silent(about: &About<'_>) -> Option<Field> {
    let incident = about.incident?;
    let open = promise::left_out(incident, about.plan).join("; ");
    let page = if incident.is_public() { "; the page will say 'resolved' alone" } else { "" };
    let hint = match (open.as_str(), about.incidents.len()) {
        ("", 0 | 1) => return None,
        ("", _) => "needed where somebody heard nothing: why they need no word".to_owned(),
        (open, _) => format!("{open} ('u u' tells them); or why they need no more{page}"),
    };
    Some(Field::line("silent", "no last word", "").hint(&hint))
}

fn waiting(incident: Option<&Incident>) -> Vec<String> {
    let line = |update: &crate::domain::talk::Update| {
        let subject = update.draft.words.first().map_or("", |words| words.subject.as_str());
        format!(
            "{} by {} for {}: {subject}",
            update.draft.update,
            update.by,
            update.draft.to.join(" ")
        )
    };
    incident.iter().flat_map(|i| i.talk.waiting()).map(line).collect()
}

fn holding(incident: Option<&Incident>) -> String {
    let holding = incident.and_then(|incident| incident.talk.holding.as_ref());
    holding.map(|holding| holding.text.clone()).unwrap_or_default()
}

fn inquiries(incident: Option<&Incident>) -> Vec<String> {
    let open = incident.iter().flat_map(|i| &i.talk.inquiries).filter(|a| a.answer.is_none());
    open.map(|a| format!("{} {}", a.inquiry.number, a.inquiry.facts())).collect()
}

fn approve_fields(about: &About<'_>) -> Vec<Field> {
    let mut fields = vec![
        Field::choice("update", "which", waiting(about.incident), ""),
        Field::line("force", "if nobody else", "")
            .hint("why nobody else can look at it; empty: it is somebody else's, or it needs none"),
    ];
    if let Some((asked, until)) = about.incident.and_then(|i| i.talk.embargo(about.now)) {
        let hint = format!(
            "{} has one until {}; why the public reads it before",
            asked.label,
            until.clock_near(about.now)
        );
        fields.push(Field::line("before_embargo", "embargo", "").hint(&hint));
    }
    fields
}

/// What was agreed on with the press, to be changed.
fn press_times(incident: Option<&Incident>) -> Vec<Field> {
    vec![
        Field::choice("inquiry", "which", all_inquiries(incident), ""),
        Field::line("embargo", "embargo until", "")
            .hint("'none' lifts it · 14:30 · 2h · empty: as it is"),
        Field::line("answer_by", "needed by", "").hint("'none' · 14:30 · 2h · empty: as it is"),
        Field::line("reason", "why", "").hint("who agreed to it, and when"),
    ]
}

fn all_inquiries(incident: Option<&Incident>) -> Vec<String> {
    let all = incident.iter().flat_map(|i| i.talk.inquiries.iter().rev());
    all.map(|a| format!("{} {}", a.inquiry.number, a.inquiry.facts())).collect()
}

/// A time that changes: empty, 'none', or a time.
fn moved(text: &str, now: Timestamp) -> Result<Moved, String> {
    Ok(match text.trim() {
        "" => Moved::Kept,
        "none" => Moved::Lifted,
        text => ahead(text, now)?.map_or(Moved::Kept, Moved::To),
    })
}

/// Why the form's words may not go out yet, where that is known before anybody is asked whether to
/// send them.
pub fn too_early(form: &Form, incident: Option<&Incident>, now: Timestamp) -> Option<String> {
    let is_public =
        form.action == Action::Write && form.value("audience") == Audience::Public.word();
    let (asked, until) = incident.filter(|_| is_public)?.talk.embargo(now)?;
    let why = form.value("before_embargo");
    why.trim().is_empty().then(|| {
        let until = until.clock_near(now);
        format!(
            "{} has an embargo until {until}: wait, say why not under 'embargo', or lift it (u e)",
            asked.label
        )
    })
}

/// A conversation. What was only proposed for the next word is none after the last one.
fn told(form: &Form, incident: IncidentId, now: Timestamp) -> Result<Command, String> {
    let value = |name: &str| form.value(name);
    let last = value("last") == "yes";
    let is_none = last && form.is_proposed("next");
    Ok(Command::LogContact {
        incident,
        stakeholder: value("stakeholder"),
        channel: value("channel"),
        text: value("text"),
        next_by: if is_none { None } else { ahead(&value("next"), now)? },
        last,
        person: value("person"),
        asked: value("asked"),
    })
}

/// The command of a form, for one incident.
pub(super) fn command(
    form: &Form,
    incident: IncidentId,
    now: Timestamp,
) -> Result<Command, String> {
    let value = |name: &str| form.value(name);
    let number = |name: &str, none: &str| {
        let text = value(name);
        let head = text.split(' ').next().unwrap_or_default();
        head.parse::<u32>().map_err(|_| none.to_owned())
    };
    let talk = match form.action {
        Action::Contact => return told(form, incident, now),
        Action::Write if value("to").trim().is_empty() => {
            return Err("say to whom: names of stakeholders".to_owned());
        }
        Action::Write => update::wish(form, now)?,
        Action::Approve => TalkWish::Approve {
            update: if form.like.is_some() {
                0
            } else {
                number("update", "no update waits for approval")?
            },
            force: some(&value("force")),
            like: form.like.clone(),
            before_embargo: value("before_embargo"),
        },
        Action::Withdraw => TalkWish::Withdraw {
            update: number("update", "no update waits for approval")?,
            reason: value("reason"),
        },
        Action::Promise => TalkWish::Promise {
            stakeholder: value("stakeholder"),
            next_by: ahead(&value("next"), now)?.ok_or("say by when")?,
            text: value("text"),
        },
        Action::Pace => {
            TalkWish::Cadence { long: value("pace").starts_with("less"), reason: value("reason") }
        }
        Action::Inquiry => TalkWish::Inquire {
            outlet: value("outlet"),
            person: value("person"),
            question: value("question"),
            answer_by: ahead(&value("answer_by"), now)?,
            embargo: ahead(&value("embargo"), now)?,
        },
        Action::PressTimes => TalkWish::MoveInquiry {
            inquiry: number("inquiry", "the press asked nothing here; 'u i' logs a question")?,
            answer_by: moved(&value("answer_by"), now)?,
            embargo: moved(&value("embargo"), now)?,
            reason: value("reason"),
        },
        Action::Holding => TalkWish::Hold { text: value("text") },
        Action::AnswerPress => TalkWish::AnswerInquiry {
            inquiry: number("inquiry", "no question of the press is open; 'u i' logs one")?,
            text: value("text"),
        },
        Action::Feedback => TalkWish::Feedback {
            stakeholder: value("stakeholder"),
            score: parsed(&value("score"))?,
            text: value("text"),
        },
        other => return Err(format!("'{}' has no form", other.name())),
    };
    Ok(Command::Talk { incident, talk: Box::new(talk) })
}

/// Whoever approves words reads them first.
fn approval(form: &Form, incident: Option<&Incident>) -> String {
    let which = form.value("update");
    let number = which.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    let draft = incident.and_then(|i| i.talk.update(number)).map(|update| &update.draft);
    let Some(draft) = draft else { return format!("send update {number}?") };
    let to = draft.to.join(", ");
    let mut lines = vec![format!("send update {number} to {to}? It cannot be taken back.")];
    if let [_, others @ ..] = form.incidents.as_slice()
        && !others.is_empty()
    {
        let others: Vec<String> = others.iter().map(ToString::to_string).collect();
        lines.push(format!("and the same words that wait on {}", others.join(", ")));
    }
    if let Some(incident) = incident {
        lines.push(format!("{} is {} {} now", incident.id, incident.severity, incident.phase()));
    }
    if let Some(status) = draft.public {
        let parts = draft.components.iter().map(|(name, how)| format!("; {name}: {}", how.words()));
        let parts: String = parts.collect();
        lines.push(format!("status page: '{}' is {status}{parts}", draft.title));
    }
    if !draft.before_embargo.is_empty() {
        lines.push(format!("it goes out BEFORE AN EMBARGO ENDS: {}", draft.before_embargo));
    }
    if let Some(wrong) = draft.corrects {
        lines.push(format!("it corrects update {wrong}, and says so"));
    }
    lines.push(match (draft.last, draft.next_by) {
        (false, Some(at)) => {
            format!("it promises the next word by {} {}", at.date(), at.clock_minutes())
        }
        _ => "it is the last word".to_owned(),
    });
    for words in &draft.words {
        lines.extend([String::new(), words.subject.clone(), words.text.clone()]);
    }
    lines.join("\n")
}

/// The question before words go out that cannot be taken back.
pub(super) fn question(
    form: &Form,
    plan: &Plan,
    incident: Option<&Incident>,
    now: Timestamp,
) -> Option<String> {
    match form.action {
        Action::Promise | Action::Contact => tomorrow(&form.value("next"), now),
        Action::Write => {
            let names = form.value("to");
            let mut ways: Vec<String> = Vec::new();
            for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                ways.push(format!("{name} ({})", way(plan, name)));
            }
            let asks = names
                .split(',')
                .filter_map(|name| plan.stakeholders.get(name.trim()))
                .map(Stakeholder::approval)
                .max();
            let verb = match asks {
                Some(approval) if approval != crate::domain::words::Approval::None => {
                    "put before somebody else, and then send"
                }
                _ => "send",
            };
            let on = match form.incidents.len() {
                0 | 1 => String::new(),
                n => format!(" about {n} incidents"),
            };
            let late = tomorrow(&form.value("next"), now).map(|text| format!("\n{text}"));
            let foreign = update::foreign(form, plan, now).map(|text| format!("\n{text}"));
            let more = [late, foreign].map(Option::unwrap_or_default).concat();
            Some(format!("{verb} it{on} to {}?{more}", ways.join(", ")))
        }
        Action::Approve => Some(approval(form, incident)),
        _ => None,
    }
}

/// A time of day that is just over means the next day, which is rarely meant.
fn tomorrow(text: &str, now: Timestamp) -> Option<String> {
    let is_time = text.contains(':') && !text.contains('-');
    let at = ahead(text, now).ok().flatten().filter(|_| is_time)?;
    let is_far = at.since(now) > HOUR_MS * 12 && !at.is_same_day(now);
    is_far.then(|| {
        format!("{} is over today: it would be {}; is that meant?", text.trim(), at.clock_near(now))
    })
}

fn way(plan: &Plan, name: &str) -> String {
    let Some(who) = plan.stakeholders.get(name) else { return "not in the plan".to_owned() };
    let mut ways: Vec<String> = who
        .sendable(plan)
        .map(|text| crate::domain::delivery::channel_of(text).to_owned())
        .collect();
    if who.reads_the_page() {
        ways.push("status page".to_owned());
    }
    if !who.subscribers.is_empty() {
        ways.push(format!("{} subscribers", who.subscribers.len()));
    }
    if ways.is_empty() { "BY HAND: nothing can be sent".to_owned() } else { ways.join(" and ") }
}
