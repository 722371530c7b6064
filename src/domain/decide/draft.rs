//! What an update must be before it is written down: for whom, in which words, and who looks at it.
//!
//! Invariants:
//! - As in `talk`: nobody gets words that they may not read.

use std::collections::BTreeMap;

use crate::domain::decide::look;
use crate::domain::decide::talk::{body, send};
use crate::domain::decide::{Decision, ahead, bad, not_now, wanted};
use crate::domain::ids::Seq;
use crate::domain::incident::{Incident, Stage};
use crate::domain::plan::Plan;
use crate::domain::rejection::{Rejection, RejectionKind};
use crate::domain::room::Room;
use crate::domain::stakeholder::{Audience, Stakeholder};
use crate::domain::status::ComponentStatus;
use crate::domain::talk::change::{Draft, TalkChange, TalkWish, Words};
use crate::domain::talk::words::{announce, as_correction};
use crate::domain::talk::{Standing, Update};
use crate::domain::time::Timestamp;
use crate::domain::words::{Approval, PublicStatus};

/// Languages of one update at the most.
const LANGUAGES_MAX: usize = 20;
/// The longest subject or title, in bytes.
const SUBJECT_MAX: usize = 300;

/// The stakeholders that were named, each once; all of them may read it.
fn readers<'a>(
    plan: &'a Plan,
    wish: &'a TalkWish,
) -> Result<Vec<(&'a String, &'a Stakeholder)>, Rejection> {
    let TalkWish::Draft { audience, to, .. } = wish else { return Ok(Vec::new()) };
    let mut readers: Vec<(&String, &Stakeholder)> = Vec::new();
    for name in to {
        let Some((name, who)) = plan.stakeholders.get_key_value(name.trim()) else {
            return Err(bad(
                format!("the plan knows no stakeholder '{name}'"),
                "name one of [stakeholders], or log a contact by hand ('warroom tell')",
            ));
        };
        if !Incident::reads(who.audience, *audience) {
            return Err(bad(
                format!("{name} may not read what is {}", audience.word()),
                format!("write words that are {}, for {name} alone", who.audience.word()),
            ));
        }
        if !readers.iter().any(|(known, _)| *known == name) {
            readers.push((name, who));
        }
    }
    if readers.is_empty() {
        return Err(bad("nobody is to get it", "name at least one stakeholder"));
    }
    Ok(readers)
}

pub(super) fn draft(
    room: &Room,
    login: &str,
    incident: &Incident,
    wish: &TalkWish,
    now: Timestamp,
) -> Decision {
    let TalkWish::Draft {
        audience,
        title,
        words,
        next_by,
        last,
        components,
        corrects,
        before_embargo,
        together,
        ..
    } = wish
    else {
        return Err(bad("not a draft", ""));
    };
    let readers = readers(&room.plan, wish)?;
    let mut words = checked(words, title)?;
    check_next(*next_by, *last, now)?;
    if !readers.iter().any(|(_, who)| who.audience == *audience) {
        return Err(bad(
            format!("no reader of it is {}", audience.word()),
            "write it for those who are to get it",
        ));
    }
    check_parts(&room.plan, components)?;
    check_correction(&room.plan, incident, *corrects, *audience, &readers)?;
    complete(&mut words, (*corrects, *next_by), room, incident, now);
    let public = on_the_page(incident, wish, &readers, now)?;
    let mut bodies = Vec::new();
    for (part, update) in parts_of(readers).zip(incident.talk.last_update + 1..) {
        let approvers = approvers(&room.plan, &part)?;
        let least = if approvers.is_empty() { Approval::None } else { Approval::Other };
        let asked = part.iter().map(|(_, who)| who.approval()).max().unwrap_or(Approval::None);
        let public = public.filter(|_| part.iter().any(|(_, who)| who.reads_the_page()));
        let draft = Draft {
            update,
            audience: *audience,
            title: title_for(incident, *audience, title, &words),
            to: part.iter().map(|(name, _)| (*name).clone()).collect(),
            words: words.clone(),
            next_by: *next_by,
            last: *last,
            public,
            components: public.map(|_| components.clone()).unwrap_or_default(),
            corrects: *corrects,
            approval: asked.max(least),
            approvers,
            before_embargo: before_embargo.trim().to_owned(),
            together: *together,
        };
        bodies.push(body(incident.id, TalkChange::Drafted(Box::new(draft.clone()))));
        if draft.approval == Approval::None {
            bodies.extend(send(room, incident, &draft, None, now)?);
        } else {
            bodies.extend(look::call((room, login, incident), &draft, (&[], &bodies), now));
        }
    }
    Ok(bodies)
}

/// Somebody whose words must be approved holds up nobody else; and those whom the plan names for one
/// reader do not approve what goes to another.
fn parts_of<'a>(
    readers: Vec<(&'a String, &'a Stakeholder)>,
) -> impl Iterator<Item = Vec<(&'a String, &'a Stakeholder)>> {
    let (named, rest): (Vec<_>, Vec<_>) =
        readers.into_iter().partition(|(_, who)| !who.approvers.is_empty());
    let (free, held): (Vec<_>, Vec<_>) =
        rest.into_iter().partition(|(_, who)| who.approval() == Approval::None);
    [free, held, named].into_iter().filter(|part| !part.is_empty())
}

/// Words say themselves what they correct, and when the next ones come.
fn complete(
    words: &mut [Words],
    (corrects, next_by): (Option<u32>, Option<Timestamp>),
    room: &Room,
    incident: &Incident,
    now: Timestamp,
) {
    let zone = room.plan.page.zone.parse().unwrap_or(chrono_tz::UTC);
    if let Some(wrong) = corrects.and_then(|number| incident.talk.update(number))
        && let Standing::Sent { at, .. } = wrong.standing
    {
        for words in &mut *words {
            as_correction(words, at, now, zone);
        }
    }
    if let Some(at) = next_by {
        for words in &mut *words {
            announce(words, at, zone);
        }
    }
}

/// What the status page shows from then on, where somebody reads it there; and what keeps the words
/// from the public.
fn on_the_page(
    incident: &Incident,
    wish: &TalkWish,
    readers: &[(&String, &Stakeholder)],
    now: Timestamp,
) -> Result<Option<PublicStatus>, Rejection> {
    let TalkWish::Draft { audience, public, last, before_embargo, .. } = wish else {
        return Ok(None);
    };
    let is_public = *audience == Audience::Public;
    if public.is_some() && !is_public {
        return Err(bad(
            format!("what is {} is not for the status page", audience.word()),
            "write public words for it",
        ));
    }
    if is_public && before_embargo.trim().is_empty() {
        check_embargo(incident, Timestamp(i64::MIN), now)?;
    }
    let is_read_there = is_public && readers.iter().any(|(_, who)| who.reads_the_page());
    let public = public.filter(|_| is_read_there);
    check_public(incident, public, is_read_there, *last)?;
    Ok(public)
}

/// What the press was told under an embargo does not reach the public before, but for a reason that
/// was given since: `after` is when the last one was, as early as can be where there is none.
pub(super) fn check_embargo(
    incident: &Incident,
    after: Timestamp,
    now: Timestamp,
) -> Result<(), Rejection> {
    let Some((asked, until)) = incident.talk.embargo_since(after, now) else { return Ok(()) };
    Err(Rejection::new(
        RejectionKind::NeedsReason,
        format!("{} has an embargo until {}", asked.label, until.clock_near(now)),
        "wait until then, have it lifted (press --change), or write why the public reads this before \
         it ends (--before-embargo WHY)",
    ))
}

/// Those who may look at what goes to all of the readers, where the plan names any.
fn approvers(plan: &Plan, readers: &[(&String, &Stakeholder)]) -> Result<Vec<String>, Rejection> {
    let named = readers.iter().map(|(name, who)| (*name, who.approvers(plan)));
    let mut named = named.filter(|(_, logins)| !logins.is_empty());
    let Some((first, mut common)) = named.next() else { return Ok(Vec::new()) };
    for (name, logins) in named {
        common.retain(|login| logins.contains(login));
        if common.is_empty() {
            return Err(bad(
                format!("nobody may approve what goes to both {first} and {name}"),
                "write to each of them alone",
            ));
        }
    }
    Ok(common.into_iter().map(str::to_owned).collect())
}

/// The words without blanks around them, none of them empty or too long.
fn checked(words: &[Words], title: &str) -> Result<Vec<Words>, Rejection> {
    let mut words = words.to_vec();
    words.retain(|w| !w.text.trim().is_empty() || !w.subject.trim().is_empty());
    if words.is_empty() || words.len() > LANGUAGES_MAX {
        return Err(bad("the update says nothing", "write its text, in at most 20 languages"));
    }
    for one in &mut words {
        one.subject = wanted(&one.subject, "subject")?.lines().next().unwrap_or("").to_owned();
        one.text = wanted(&one.text, "text")?.to_owned();
        // A correction has a word of its own before the subject.
        if one.subject.len() > SUBJECT_MAX - 20 || title.len() > SUBJECT_MAX {
            return Err(bad(
                "the subject or title is longer than 280 bytes",
                "keep it to one short line",
            ));
        }
    }
    Ok(words)
}

/// Every update says when the next one comes, or that it is the last.
fn check_next(next_by: Option<Timestamp>, last: bool, now: Timestamp) -> Result<(), Rejection> {
    match next_by {
        Some(at) if !last => ahead(at, now)?,
        None if last => {}
        Some(_) => {
            return Err(bad(
                "the last word promises no other",
                "leave out when the next one comes",
            ));
        }
        None => {
            return Err(bad(
                "it does not say when the next word comes",
                "give a time, e.g. 20m, or say that it is the last one",
            ));
        }
    }
    Ok(())
}

/// Components are services that the public knows.
fn check_parts(
    plan: &Plan,
    components: &BTreeMap<String, ComponentStatus>,
) -> Result<(), Rejection> {
    let is_known = |name: &&String| {
        plan.services.get(*name).is_some_and(|service| !service.public_name.is_empty())
    };
    match components.keys().find(|name| !is_known(name)) {
        None => Ok(()),
        Some(name) => Err(bad(
            format!("'{name}' is no component of the status page"),
            "name a service that has a public_name in the plan",
        )),
    }
}

/// A correction goes to everybody who read what was wrong.
fn check_correction(
    plan: &Plan,
    incident: &Incident,
    corrects: Option<u32>,
    audience: Audience,
    readers: &[(&String, &Stakeholder)],
) -> Result<(), Rejection> {
    let Some(number) = corrects else { return Ok(()) };
    let known = incident.talk.update(number);
    let known = known.filter(|update| matches!(update.standing, Standing::Sent { .. }));
    let Some(wrong) = known.map(|update| &update.draft) else {
        return Err(bad(format!("update {number} was not sent"), "name the one that was wrong"));
    };
    // Nobody can be sent anything who left the plan, or may no longer read it.
    let may = |name: &&String| {
        plan.stakeholders.get(*name).is_some_and(|who| Incident::reads(who.audience, audience))
    };
    let is_left_out = |name: &&String| may(name) && !readers.iter().any(|(r, _)| r == name);
    if let Some(name) = wrong.to.iter().find(is_left_out) {
        return Err(bad(
            format!("{name} got update {number} and would not read what corrects it"),
            "send the correction to everybody who got it",
        ));
    }
    if wrong.audience != audience {
        return Err(bad(
            format!("update {number} was {}", wrong.audience.word()),
            "correct it in words for the same readers",
        ));
    }
    Ok(())
}

/// What the incident is called towards an audience.
fn title_for(incident: &Incident, audience: Audience, given: &str, words: &[Words]) -> String {
    // Among us it is called what we call it.
    let ours = (audience == Audience::Internal).then_some(incident.title.as_str());
    let before = ours.or_else(|| incident.talk.title(audience));
    let subject = || words.first().map_or("", |words| words.subject.as_str());
    let title = Some(given.trim()).filter(|text| !text.is_empty()).or(before);
    title.unwrap_or_else(subject).lines().next().unwrap_or_default().to_owned()
}

pub(super) fn check_public(
    incident: &Incident,
    public: Option<PublicStatus>,
    is_read_there: bool,
    last: bool,
) -> Result<(), Rejection> {
    match public {
        None if is_read_there => Err(bad(
            "it does not say what the status page shows from then on",
            "say investigating, identified, monitoring or resolved",
        )),
        Some(PublicStatus::Unpublished) => Err(bad(
            "what is sent to the status page is not unpublished",
            "say investigating, identified, monitoring or resolved",
        )),
        Some(PublicStatus::Resolved) if incident.phase().is_active() && !last => Err(bad(
            format!(
                "{} is {}, and the public would read 'resolved'",
                incident.id,
                incident.phase()
            ),
            "resolve it first, with what shows that it is over",
        )),
        Some(status @ (PublicStatus::Investigating | PublicStatus::Identified))
            if !incident.phase().is_active() =>
        {
            Err(not_now(
                format!(
                    "{} is {}, and the public would read '{status}'",
                    incident.id,
                    incident.phase()
                ),
                "say monitoring or resolved; or reopen it, if it is not over",
            ))
        }
        Some(status) if last && status != PublicStatus::Resolved => Err(bad(
            "the last word leaves the status page open",
            "the last public word is 'resolved'",
        )),
        _ => Ok(()),
    }
}

/// Words that were written before others that their readers got already would undo those.
pub(super) fn not_overtaken(incident: &Incident, update: &Update) -> Result<(), Rejection> {
    let draft = &update.draft;
    let is_later = |other: &&Update| {
        other.draft.update > draft.update
            && matches!(other.standing, Standing::Sent { .. })
            && other.draft.to.iter().any(|name| draft.to.contains(name))
            // A correction, or the same words in parts for others, is nothing later.
            && other.at > update.at
    };
    let Some(later) = incident.talk.updates.iter().find(is_later) else { return Ok(()) };
    let last = if later.draft.last { ", the last one," } else { "" };
    Err(not_now(
        format!("update {}{last} went to the same readers since then", later.draft.update),
        "take this one back, and write anew what they are to know now",
    ))
}

/// Words are not sent over what their writer has not seen: somebody else's to the same readers, or the end
/// of what they are about.
pub(super) fn still_news(
    incident: &Incident,
    me: &str,
    wish: &TalkWish,
    seen: Seq,
) -> Result<(), Rejection> {
    let TalkWish::Draft { to, last, words, .. } = wish else { return Ok(()) };
    let again = "look at what they were told, then send it again if it is news to them";
    let conflict = |what: String, next: &str| Rejection::new(RejectionKind::Conflict, what, next);
    let told = to.iter().filter_map(|who| Some((who, incident.told.get(who.trim())?)));
    let newer = told.filter(|(_, told)| told.entry > seen && told.by != me && told.count > 0);
    if let Some((who, told)) = newer.max_by_key(|(_, told)| told.entry) {
        let (by, at) = (&told.by, told.at.clock_minutes());
        let said = told.text.lines().next().unwrap_or_default();
        return Err(conflict(format!("{by} told {who} at {at}: {said}"), again));
    }
    let again_said = |update: &&Update| {
        let (old, new) = (update.draft.words.first(), words.first());
        let is_said = old.zip(new).is_some_and(|(old, new)| {
            old.subject == new.subject && old.text.starts_with(new.text.trim_end())
        });
        let is_kept = !matches!(update.standing, Standing::Withdrawn { .. });
        is_said && is_kept && update.draft.to.iter().any(|who| to.contains(who))
    };
    let twice = incident.talk.updates.iter().filter(|update| update.entry > seen).find(again_said);
    if let Some(update) = twice {
        let (by, at) = (&update.by, update.at.clock_minutes());
        let what =
            format!("{by} wrote the same words to them at {at}, update {}", update.draft.update);
        return Err(conflict(what, "send it again only if they are to read it twice"));
    }
    let is_same = |update: &&Update| {
        update.entry > seen && update.by != me && update.draft.to.iter().any(|who| to.contains(who))
    };
    if let Some(update) = incident.talk.waiting().find(is_same) {
        let (by, at) = (&update.by, update.at.clock_minutes());
        let (number, to) = (update.draft.update, update.draft.to.join(", "));
        let what = format!("{by} wrote update {number} to {to} at {at}, and it waits for approval");
        return Err(conflict(what, again));
    }
    let (Stage::Resolved(end) | Stage::InReview(end)) = &incident.stage else { return Ok(()) };
    let is_news = incident.last_act.as_ref().is_some_and(|it| it.seq > seen && it.at == end.at);
    if is_news && !last {
        let what = format!("{} resolved {} at {}", end.by, incident.id, end.at.clock_minutes());
        let next = "if these words are still right send them again; else write what is so now";
        return Err(conflict(what, next));
    }
    Ok(())
}
