//! Which changes are legal: room and command in, facts or a refusal out.
//!
//! Invariants:
//! - Pure: no clock (`now` is an argument), no randomness, no I/O.
//! - A refusal says what failed, on what, and what to do next; nothing is changed by it.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each file decides its own commands; `route` is the exhaustive list"
)]

mod administer;
mod approve;
mod call_back;
mod draft;
pub mod due;
mod import;
mod intake;
pub mod legal;
mod life;
pub mod look;
pub mod missed;
mod on_call;
mod paging;
mod people;
mod record;
mod relate;
mod said;
pub mod shift;
pub mod silence;
pub mod stale;
pub mod talk;
mod window;

use crate::domain::change::Change;
use crate::domain::command::{Command, Order};
use crate::domain::event::{Body, Occurred};
use crate::domain::ids::IncidentId;
use crate::domain::incident::{Incident, Stage};
use crate::domain::legal::LegalWish;
use crate::domain::rejection::{Rejection, RejectionKind};
use crate::domain::room::Room;
use crate::domain::talk::change::TalkWish;
use crate::domain::time::Timestamp;
use crate::domain::words::{Fidelity, Right};

/// The longest title, in bytes.
pub const TITLE_MAX: usize = 300;
/// The longest note or other text, in bytes.
pub const TEXT_MAX: usize = 64 * 1024;

/// What a decision comes to.
pub type Decision = Result<Vec<Body>, Rejection>;

/// Turns a command into facts, or refuses it.
pub fn decide(room: &Room, order: &Order, now: Timestamp) -> Decision {
    if order.right < order.command.right() {
        return Err(Rejection::new(
            RejectionKind::NotAllowed,
            format!("{} may only {} here", order.actor.login, order.right),
            match order.command.right() {
                Right::Administer => "ask an administrator".to_owned(),
                right => format!("ask somebody who may {right}, or an administrator"),
            },
        ));
    }
    check_sizes(&order.command)?;
    if !matches!(order.command, Command::Import(_)) {
        record::check_occurred(order, now)?;
    }
    check_seen(room, order)?;
    route(room, order, now)
}

fn route(room: &Room, order: &Order, now: Timestamp) -> Decision {
    use Command as C;
    match &order.command {
        C::Open { .. }
        | C::Declare { .. }
        | C::Triage { .. }
        | C::Acknowledge { .. }
        | C::SetSeverity { .. }
        | C::SetPhase { .. }
        | C::Decline { .. }
        | C::Resolve { .. }
        | C::Reopen { .. }
        | C::StartReview { .. }
        | C::Close { .. } => life::decide(room, order, now),
        C::SetOwner { .. }
        | C::AssignRole { .. }
        | C::LeaveRole { .. }
        | C::TakeCommand { .. }
        | C::OfferCommand { .. }
        | C::AcceptCommand { .. }
        | C::RefuseCommand { .. } => people::decide(room, order, now),
        C::SetTitle { .. }
        | C::SetServices { .. }
        | C::SetLabel { .. }
        | C::Note { .. }
        | C::CorrectEntry { .. }
        | C::RedactEntry { .. }
        | C::Attach { .. }
        | C::Remedy { .. }
        | C::JudgeRemedy { .. }
        | C::LogContact { .. }
        | C::ReviseMoment { .. }
        | C::SetPublicStatus { .. } => record::decide(room, order, now),
        C::Talk { incident, talk } => talk::decide(room, order, *incident, talk, now),
        C::Legal { incident, legal } => legal::decide(room, order, *incident, legal, now),
        C::Link { .. }
        | C::Unlink { .. }
        | C::Merge { .. }
        | C::Unmerge { .. }
        | C::Split { .. } => relate::relate(room, order, now),
        C::AcknowledgeAlert { .. } | C::ShelveAlert { .. } | C::UnshelveAlert { .. } => {
            intake::decide_alert(room, order, now)
        }
        C::Ingest(post) => Ok(intake::ingest(room, post, now)),
        C::CallBack { .. }
        | C::Escalate { .. }
        | C::Page { .. }
        | C::Snooze { .. }
        | C::EndSnooze { .. }
        | C::TakePolicy { .. }
        | C::OfferHandover { .. }
        | C::AcceptHandover { .. }
        | C::RefuseHandover { .. }
        | C::CoverShift { .. }
        | C::RevokeCover { .. }
        | C::AskSwap { .. }
        | C::AnswerSwap { .. }
        | C::PlanWindow { .. }
        | C::PublishWindow { .. }
        | C::EndWindow { .. }
        | C::AcknowledgeByCode { .. }
        | C::Beat { .. } => paging::decide(room, order, now),
        C::Silence { .. } | C::EndSilence { .. } => silence::decide(room, order, now),
        C::NoteChange { .. } | C::RefusePost { .. } => import::note(order),
        C::Import(imported) => import::import(room, imported),
        C::AdoptPlan { .. } | C::IssueToken { .. } | C::RevokeToken { .. } => {
            administer::decide(room, order)
        }
    }
}

/// When the fact number `index` of a decision happened in the world, if not now.
pub fn occurred(order: &Order, index: usize) -> Option<Occurred> {
    let Command::Import(imported) = &order.command else {
        return order.occurred;
    };
    let at = match index.checked_sub(1) {
        None => imported.opened_at,
        Some(step) => imported.history.get(step)?.0,
    };
    Some(Occurred { at, fidelity: Fidelity::Exact })
}

/// The incident, or the refusal that there is none.
fn find(room: &Room, id: IncidentId) -> Result<&Incident, Rejection> {
    room.incidents.get(&id).map(|incident| &**incident).ok_or_else(|| {
        Rejection::new(
            RejectionKind::NotFound,
            format!("{id} does not exist"),
            "list what is open with 'warroom list'",
        )
    })
}

/// The incident, if it is not over.
fn live(room: &Room, id: IncidentId) -> Result<&Incident, Rejection> {
    let incident = find(room, id)?;
    if incident.phase().is_live() {
        return Ok(incident);
    }
    Err(match incident.stage {
        Stage::Merged { into, .. } => Rejection::new(
            RejectionKind::NotNow,
            format!("{id} is part of {into} now"),
            format!("do it there: {into}"),
        ),
        _ => Rejection::new(
            RejectionKind::NotNow,
            format!("{id} is {}", incident.phase()),
            "reopen it first",
        ),
    })
}

/// One change of one incident, as a decision.
#[expect(clippy::unnecessary_wraps, reason = "it ends most decisions")]
fn one(incident: IncidentId, change: Change) -> Decision {
    Ok(vec![Body::Incident { incident, change }])
}

fn bad(what: impl Into<String>, next: impl Into<String>) -> Rejection {
    Rejection::new(RejectionKind::BadInput, what, next)
}

fn already(what: impl Into<String>) -> Rejection {
    Rejection::new(RejectionKind::Already, what, "nothing was changed")
}

fn not_now(what: impl Into<String>, next: impl Into<String>) -> Rejection {
    Rejection::new(RejectionKind::NotNow, what, next)
}

/// The text without blanks around it, or a refusal if nothing is left.
fn wanted<'a>(text: &'a str, what: &str) -> Result<&'a str, Rejection> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(bad(format!("the {what} is empty"), format!("say the {what} in words")));
    }
    Ok(trimmed)
}

/// A time that lies ahead, or a refusal.
fn ahead(at: Timestamp, now: Timestamp) -> Result<(), Rejection> {
    if at > now {
        return Ok(());
    }
    Err(bad(format!("{} is over", at.clock_minutes()), "promise a time that lies ahead"))
}

/// A reason that is asked for.
fn reason<'a>(text: &'a str, act: &str) -> Result<&'a str, Rejection> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(Rejection::new(
            RejectionKind::NeedsReason,
            format!("{act} needs a reason"),
            "say why, in a few words",
        ));
    }
    Ok(trimmed)
}

/// Acts that would overwrite what somebody else did since the sender looked are refused.
fn check_seen(room: &Room, order: &Order) -> Result<(), Rejection> {
    if let (Command::Talk { incident, talk }, Some(seen)) = (&order.command, order.seen) {
        return match room.incidents.get(incident) {
            Some(incident) => draft::still_news(incident, &order.actor.login, talk, seen),
            None => Ok(()),
        };
    }
    let overwrites = matches!(
        order.command,
        Command::SetSeverity { .. }
            | Command::SetPhase { .. }
            | Command::Triage { .. }
            | Command::Resolve { .. }
            | Command::Decline { .. }
            | Command::Merge { .. }
            | Command::Close { .. }
            | Command::TakeCommand { .. }
    );
    let (true, Some(seen), Some(id)) = (overwrites, order.seen, order.command.incident()) else {
        return Ok(());
    };
    let Some(last) = room.incidents.get(&id).and_then(|incident| incident.last_act.as_ref()) else {
        return Ok(());
    };
    if last.seq <= seen || last.by == order.actor.login {
        return Ok(());
    }
    Err(Rejection::new(
        RejectionKind::Conflict,
        format!("{} was quicker: {} at {}", last.by, last.what, last.at.clock()),
        format!("look at {id} again, then decide again"),
    ))
}

/// Names and labels: at most 64 of them, at most 1 KiB each.
fn check_small<'a>(texts: impl Iterator<Item = &'a String>) -> Result<(), Rejection> {
    for (index, text) in texts.enumerate() {
        if index >= 128 || text.len() > 1_024 {
            return Err(bad(
                "there are too many or too long names or labels",
                "give at most 64, of at most 1 KiB each",
            ));
        }
    }
    Ok(())
}

fn check_sizes(command: &Command) -> Result<(), Rejection> {
    let texts: Vec<&str> = match command {
        Command::Page { .. } | Command::PlanWindow { .. } | Command::OfferHandover { .. } => {
            paging_texts(command)?
        }
        other => texts_of(other)?,
    };
    if let Some(long) = texts.iter().find(|text| text.len() > TEXT_MAX) {
        return Err(bad(
            format!("the text has {} bytes, the limit is {TEXT_MAX}", long.len()),
            "attach long material by its hash instead ('warroom evidence')",
        ));
    }
    check_title(command)
}

fn check_title(command: &Command) -> Result<(), Rejection> {
    let (Command::Open { title, .. }
    | Command::SetTitle { title, .. }
    | Command::Split { title, .. }) = command
    else {
        return Ok(());
    };
    if title.len() > TITLE_MAX {
        return Err(bad(
            format!("the title has {} bytes, the limit is {TITLE_MAX}", title.len()),
            "keep it to one line and put the rest in a note",
        ));
    }
    Ok(())
}

/// The long texts of a command about paging; its names are checked.
fn paging_texts(command: &Command) -> Result<Vec<&str>, Rejection> {
    Ok(match command {
        Command::Page { people, reason, .. } => {
            check_small(people.iter())?;
            vec![reason]
        }
        Command::PlanWindow { services, reason, .. } => {
            check_small(services.iter())?;
            vec![reason]
        }
        Command::OfferHandover { to, note, .. } => {
            check_small(std::iter::once(to))?;
            vec![note]
        }
        _ => Vec::new(),
    })
}

/// The long texts about an obligation.
fn legal_texts(wish: &LegalWish) -> Vec<&str> {
    match wish {
        LegalWish::Determine { evidence: text, .. }
        | LegalWish::TakeBack { reason: text, .. }
        | LegalWish::NotApplicable { why: text, .. } => vec![text],
        LegalWish::Submit { reference, why, .. } => vec![reference, why],
    }
}

/// The long texts of what is said; its names are checked.
fn talk_texts(wish: &TalkWish) -> Result<Vec<&str>, Rejection> {
    Ok(match wish {
        TalkWish::Draft { to, words, components, before_embargo, .. } => {
            check_small(to.iter().chain(components.keys()))?;
            check_small(words.iter().map(|words| &words.language))?;
            let words = words.iter().flat_map(|w| [w.subject.as_str(), w.text.as_str()]);
            words.chain([before_embargo.as_str()]).collect()
        }
        TalkWish::Promise { stakeholder, text, .. }
        | TalkWish::Feedback { stakeholder, text, .. } => {
            check_small(std::iter::once(stakeholder))?;
            vec![text]
        }
        TalkWish::Inquire { outlet, person, question, .. } => {
            check_small([outlet, person].into_iter())?;
            vec![question]
        }
        TalkWish::Approve { force, like, before_embargo, .. } => {
            check_small(like.iter())?;
            force.as_deref().into_iter().chain([before_embargo.as_str()]).collect()
        }
        TalkWish::Withdraw { reason, .. }
        | TalkWish::Cadence { reason, .. }
        | TalkWish::MoveInquiry { reason, .. } => vec![reason],
        TalkWish::AnswerInquiry { text, .. } | TalkWish::Hold { text } => vec![text],
    })
}

/// The long texts of a command; its names and labels are checked.
fn texts_of(command: &Command) -> Result<Vec<&str>, Rejection> {
    let texts: &[&str] = match command {
        Command::Open { title, note, services, labels, .. } => {
            check_small(services.iter().chain(labels.keys()).chain(labels.values()))?;
            &[title, note]
        }
        Command::SetServices { services, .. } => {
            check_small(services.iter())?;
            &[]
        }
        Command::SetLabel { label, value, .. } => {
            check_small(std::iter::once(label).chain(value))?;
            &[]
        }
        Command::AssignRole { person, .. } | Command::OfferCommand { to: person, .. } => {
            check_small(std::iter::once(person))?;
            &[]
        }
        Command::SetTitle { title, .. } | Command::Split { title, .. } => &[title],
        Command::Note { text, said_by, .. } => &[text, said_by],
        Command::CorrectEntry { text, .. }
        | Command::Remedy { text, .. }
        | Command::Attach { note: text, .. } => &[text],
        Command::Talk { talk, .. } => return talk_texts(talk),
        Command::Legal { legal, .. } => return Ok(legal_texts(legal)),
        Command::LogContact { text, stakeholder, channel, person, asked, .. } => {
            check_small([stakeholder, channel, person].into_iter())?;
            &[text, asked]
        }
        Command::JudgeRemedy { evidence, .. } | Command::Resolve { evidence, .. } => &[evidence],
        Command::Declare { reason, .. }
        | Command::Escalate { reason, .. }
        | Command::CallBack { reason, .. }
        | Command::Snooze { reason, .. }
        | Command::TakePolicy { reason, .. }
        | Command::RefuseHandover { reason, .. }
        | Command::CoverShift { reason, .. }
        | Command::SetSeverity { reason, .. }
        | Command::SetPhase { reason, .. }
        | Command::Reopen { reason, .. }
        | Command::RefuseCommand { reason, .. }
        | Command::RedactEntry { reason, .. }
        | Command::ShelveAlert { reason, .. } => &[reason],
        Command::Silence { when, reason, .. } => {
            check_small(when.iter().flat_map(|(label, pattern)| [label, pattern]))?;
            &[reason]
        }
        Command::Decline { note, .. } | Command::Close { note, .. } => &[note],
        _ => &[],
    };
    Ok(texts.to_vec())
}
