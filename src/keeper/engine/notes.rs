//! What is said beside an act's "done": what did not happen, what is still owed, who is not reached.

use std::collections::BTreeSet;

use super::IncidentId;
use crate::domain::change::Change;
use crate::domain::delivery::{Delivery, Stand, Wanted, channel_of};
use crate::domain::event::{Body, Recorded};
use crate::domain::legal::{self, LegalChange};
use crate::domain::obligation::State;
use crate::domain::plan::Plan;
use crate::domain::room::Room;
use crate::domain::schedule::swap_words;
use crate::domain::talk::change::TalkChange;
use crate::domain::talk::promise;
use crate::domain::time::{MINUTE_MS, span_words};
use crate::domain::words::{Approval, PublicStatus};

/// Incidents that are named one by one whose people left the plan.
const LEFT_TOLD: usize = 8;

/// What the person who gave a command should know of what came of it.
pub(super) fn note(events: &[Recorded], room: &Room) -> String {
    let of = |event| {
        note_of(event)
            .or_else(|| stranger(event, &room.plan))
            .or_else(|| goes_on(event, room))
            .or_else(|| covered(event, room))
            .or_else(|| swapped(event, room))
            .or_else(|| still_owed(event, room))
            .or_else(|| not_owed_by(event, room))
            .or_else(|| runs_now(event, room))
            .or_else(|| no_clock(event, room))
            .or_else(|| page_is_over(event, room))
            .or_else(|| taken_back(event, events))
            .or_else(|| next_word(event, room))
    };
    let more = |event| {
        let more = seldom(event, room).into_iter().chain(unknown_services(event, room));
        more.chain(followed(event, room)).chain(called_off(event, room))
    };
    let of = |event| of(event).into_iter().chain(more(event)).reduce(|a, b| a + "; " + &b);
    let alone = events.iter().filter_map(|event| untold(event, events, room));
    let left = left_the_plan(events).into_iter().chain(unasked(events));
    events.iter().filter_map(of).chain(alone).chain(left).collect::<Vec<String>>().join("; ")
}

/// Words wait for a second look, and no message went to anybody who may: only consoles show it.
fn unasked(events: &[Recorded]) -> Option<String> {
    let waits = events.iter().find_map(|event| {
        let Body::Incident { incident, change: Change::Talk(talk) } = &event.body else {
            return None;
        };
        match &**talk {
            TalkChange::Drafted(draft) if draft.approval != Approval::None => Some(*incident),
            _ => None,
        }
    })?;
    let is_asked = events.iter().any(|event| matches!(event.body, Body::PeopleTold { .. }));
    (!is_asked).then(|| {
        format!("NO MESSAGE WENT to anybody who may: tell them ('warroom approve {waits} …')")
    })
}

/// What a new plan took from whom it does not know any more.
fn left_the_plan(events: &[Recorded]) -> Vec<String> {
    let of = |event: &Recorded| {
        let Body::Incident { incident, change } = &event.body else { return None };
        match change {
            Change::AckExpired { by, gone: true, .. } => {
                Some(format!("{incident} pages again: {by} had it and is not in the plan"))
            }
            Change::AnswersDropped { people } => {
                let people = people.join(", ");
                Some(format!("{incident} waits no longer for {people}, not in the plan"))
            }
            _ => None,
        }
    };
    let mut all: Vec<String> = events.iter().filter_map(of).collect();
    let more = all.len().saturating_sub(LEFT_TOLD);
    all.truncate(LEFT_TOLD);
    if more > 0 {
        all.push(format!("and {more} more such incidents ('warroom list')"));
    }
    all
}

/// Who is told of something about their duty, and by which ways.
fn told_words(letters: &[Wanted]) -> String {
    let told = letters.iter().map(|letter| {
        let ways = letter.methods.iter().map(|method| channel_of(&method.name));
        format!("{} by {}", letter.to, ways.collect::<Vec<_>>().join(", "))
    });
    format!("telling {}", told.collect::<Vec<_>>().join("; "))
}

/// When the next word is due to whom somebody talked: an earlier promise may stand.
fn next_word(event: &Recorded, room: &Room) -> Option<String> {
    let Body::Incident { incident, change: Change::ContactLogged { stakeholder, .. } } =
        &event.body
    else {
        return None;
    };
    let at = room.incidents.get(incident)?.told.get(stakeholder)?.next_by?;
    Some(format!("next word by {}", at.clock_near(event.at)))
}

/// Whose duty changes and who cannot be told of it now: nothing but a console reaches them, or all that
/// would is quiet.
fn untold(event: &Recorded, all: &[Recorded], room: &Room) -> Option<String> {
    let swap_of = |schedule: &str, id: u32| {
        let swaps = room.desk.changes_of(schedule).swaps.iter();
        swaps.clone().find(|swap| swap.id == id).cloned()
    };
    let concerned: Vec<String> = match &event.body {
        Body::SwapAsked { swap, .. } => vec![swap.person_b.clone()],
        Body::SwapAnswered { schedule, swap, .. } => {
            let swap = swap_of(schedule, *swap)?;
            vec![swap.person_a, swap.person_b]
        }
        Body::ShiftCovered { cover, .. } => {
            cover.instead_of.iter().chain([&cover.person]).cloned().collect()
        }
        _ => return None,
    };
    let told = all.iter().flat_map(|event| match &event.body {
        Body::PeopleTold { letters, .. } => letters.as_slice(),
        _ => &[],
    });
    let told: Vec<&str> = told.map(|letter| letter.to.as_str()).collect();
    let is_left = |who: &&String| **who != event.actor.login && !told.contains(&who.as_str());
    let left: Vec<&str> = concerned.iter().filter(is_left).map(String::as_str).collect();
    (!left.is_empty()).then(|| {
        format!("NOT TOLD: {} (nothing but a console reaches them now): tell them", left.join(", "))
    })
}

/// A silence is over alerts: what is open already goes on.
fn goes_on(event: &Recorded, room: &Room) -> Option<String> {
    let Body::SilenceBegan { alerts, .. } = &event.body else { return None };
    let of = alerts.iter().filter_map(|key| room.alerts.get(key)?.incident);
    let is_paging = |id: &IncidentId| {
        room.incidents.get(id).is_some_and(|i| i.phase().is_active() && i.ack.is_none())
    };
    let open: BTreeSet<IncidentId> = of.filter(is_paging).collect();
    let first = open.first()?;
    let more = if open.len() > 1 {
        format!(" and {} more go", open.len() - 1)
    } else {
        " goes".to_owned()
    };
    Some(format!("{first}{more} on paging: acknowledge, snooze or decline"))
}

/// What was handed in does not stand for what the same law asked for before it.
fn still_owed(event: &Recorded, room: &Room) -> Option<String> {
    let Body::Incident { incident, change: Change::Legal(change) } = &event.body else {
        return None;
    };
    let LegalChange::Submitted { rule, stage, .. } = &**change else { return None };
    let incident = room.incidents.get(incident)?;
    let open = legal::open(incident, &room.plan, event.at);
    let of_rule = legal::rule(&room.plan, rule)?;
    let is_earlier = |id: &str| {
        let before = of_rule.stages.iter().take_while(|known| known.id != *stage);
        before.into_iter().any(|known| known.id == id)
    };
    let owed = |earlier: bool| {
        let clocks = open.iter().filter(|it| it.rule.id == *rule).map(|it| &it.clock);
        let of = clocks.filter(|clock| is_earlier(&clock.stage) == earlier).map(|clock| {
            let due = clock.due.map(|at| format!(" (due {})", at.clock_near(event.at)));
            format!("{}{}", clock.stage, due.unwrap_or_default())
        });
        of.collect::<Vec<_>>().join(", ")
    };
    let (before, besides) = (owed(true), owed(false));
    if !before.is_empty() {
        return Some(format!("STILL OWED before it: {before}; hand that in too, or say why not"));
    }
    (!besides.is_empty()).then(|| format!("the same law still wants: {besides}"))
}

/// The clocks that run because something was determined, by the rule's own clocks as well: a slip in a
/// time is seen at once.
fn runs_now(event: &Recorded, room: &Room) -> Option<String> {
    let Body::Incident { incident, change: Change::Legal(change) } = &event.body else {
        return None;
    };
    let LegalChange::Determined { rule, at, .. } = &**change else { return None };
    let open = legal::open(room.incidents.get(incident)?, &room.plan, event.at);
    let of_rule = open.iter().filter(|it| it.rule.id == *rule);
    let words = of_rule.map(|it| {
        let due = it.clock.due.map(|at| format!("due {}", it.rule.times(at)));
        let due = due.unwrap_or_else(|| "without undue delay".to_owned());
        let is_missed = matches!(it.clock.state, State::Missed);
        format!("{} {}{due}", it.clock.stage, if is_missed { "MISSED, " } else { "" })
    });
    let words: Vec<String> = words.collect();
    let since = format!("since {}", legal::rule(&room.plan, rule)?.times(*at));
    (!words.is_empty()).then(|| format!("{since}: {}", words.join("; ")))
}

/// The press asked about what is closed: nobody is reminded of it.
fn no_clock(event: &Recorded, room: &Room) -> Option<String> {
    let Body::Incident { incident, change: Change::Talk(talk) } = &event.body else { return None };
    let is_asked = matches!(**talk, TalkChange::InquiryLogged(_));
    let is_live = room.incidents.get(incident).is_some_and(|it| it.phase().is_live());
    (is_asked && !is_live).then(|| {
        format!("NO CLOCK RUNS for the answer, for {incident} is closed: reopen it, or answer now")
    })
}

/// What came back is called over where the public reads it.
fn page_is_over(event: &Recorded, room: &Room) -> Option<String> {
    let Body::Incident { incident, change: Change::Reopened { .. } } = &event.body else {
        return None;
    };
    let known = room.board.incidents.get(incident)?;
    (known.status == PublicStatus::Resolved).then(|| {
        "THE STATUS PAGE SAYS of it: resolved; tell the public that it is back ('u u')".to_owned()
    })
}

/// What was thought before and is taken back because something else was determined.
fn taken_back(event: &Recorded, all: &[Recorded]) -> Option<String> {
    let legal = |event: &Recorded| match &event.body {
        Body::Incident { change: Change::Legal(change), .. } => Some((**change).clone()),
        _ => None,
    };
    let LegalChange::TakenBack { kind, .. } = legal(event)? else { return None };
    let is_made = all.iter().any(|e| matches!(legal(e), Some(LegalChange::Determined { .. })));
    is_made.then(|| format!("'{kind}' was taken back by it"))
}

/// What was determined before keeps a clock from running: nobody may think that it runs now.
fn not_owed_by(event: &Recorded, room: &Room) -> Option<String> {
    let Body::Incident { incident, change: Change::Legal(change) } = &event.body else {
        return None;
    };
    let LegalChange::Determined { rule, kind, .. } = &**change else { return None };
    let facts = room.incidents.get(incident)?.legal.facts.get(rule)?;
    let of_rule = legal::rule(&room.plan, rule)?;
    let kept: Vec<String> = of_rule
        .stages
        .iter()
        .filter_map(|stage| {
            let by = stage.not_if.as_ref().filter(|by| *by != kind)?;
            let known = facts.triggers.get(by)?;
            Some(format!("{} ('{by}' since {})", stage.id, known.at))
        })
        .collect();
    (!kept.is_empty()).then(|| {
        format!("STILL NOT OWED: {}; if that is no longer so, take it back", kept.join(", "))
    })
}

/// Who stands in, and when by the schedule's clock.
fn covered(event: &Recorded, room: &Room) -> Option<String> {
    let Body::ShiftCovered { schedule, cover } = &event.body else { return None };
    let zone = room.plan.schedules.get(schedule).map_or(chrono_tz::UTC, |it| it.zone);
    let (from, until) = (cover.from.in_words(zone), cover.until.in_words(zone));
    let (id, who) = (cover.id, &cover.person);
    let instead = cover.instead_of.as_ref().map(|of| format!(" instead of {of}"));
    let instead = instead.unwrap_or_default();
    Some(format!("cover {id}: {who}{instead} on {schedule} from {from} until {until}"))
}

/// Somebody answered or put it aside: whoever was wanted by name is not any more, and does not hear of
/// that.
fn called_off(event: &Recorded, room: &Room) -> Option<String> {
    let Body::Incident { incident, change } = &event.body else { return None };
    if !matches!(change, Change::Acknowledged | Change::Snoozed { .. }) {
        return None;
    }
    let esc = &room.incidents.get(incident)?.esc;
    let is_off = |page: &&Delivery| {
        let is_by_name = page.origin.by_hand && page.origin.level.is_none();
        is_by_name && page.begun > 0 && page.stand == Stand::Cancelled { at: event.at }
    };
    let people: BTreeSet<&str> =
        esc.deliveries.iter().filter(is_off).map(|page| page.wanted.to.as_str()).collect();
    let names = people.into_iter().collect::<Vec<_>>().join(", ");
    (!names.is_empty()).then(|| format!("WANTED NO MORE, tell them: {names} (paged by name)"))
}

/// Whose turn it is after a swap was answered, and when.
fn swapped(event: &Recorded, room: &Room) -> Option<String> {
    let Body::SwapAnswered { schedule, swap, accepted } = &event.body else { return None };
    let known = room.desk.changes_of(schedule).swaps.iter().find(|known| known.id == *swap)?;
    let words = swap_words(room.plan.schedules.get(schedule)?, known);
    let how = if *accepted { "in force" } else { "refused" };
    Some(format!("{how}: swap {words}"))
}

/// A name of a service that the plan does not know may be a slip of the finger.
fn unknown_services(event: &Recorded, room: &Room) -> Option<String> {
    let services = match &event.body {
        Body::WindowPlanned { window } => &window.services,
        Body::Incident { change: Change::Opened(opened), .. } => &opened.services,
        Body::Incident { change: Change::ServicesChanged { services }, .. } => services,
        _ => return None,
    };
    let is_known = |name: &&String| *name == "*" || room.plan.services.contains_key(*name);
    let unknown: Vec<&str> =
        services.iter().filter(|name| !is_known(name)).map(String::as_str).collect();
    let is_told = !unknown.is_empty() && !room.plan.services.is_empty();
    is_told.then(|| format!("THE PLAN KNOWS NO service {}", unknown.join(", ")))
}

/// The next word comes later than the plan asks for.
#[expect(clippy::wildcard_enum_match_arm, reason = "few facts promise a word")]
fn seldom(event: &Recorded, room: &Room) -> Option<String> {
    let Body::Incident { incident, change } = &event.body else { return None };
    let (to, next_by): (&[String], _) = match change {
        Change::Talk(talk) => match &**talk {
            TalkChange::Drafted(draft) => (&draft.to, draft.next_by),
            TalkChange::Promised { stakeholder, next_by, .. } => {
                (std::slice::from_ref(stakeholder), Some(*next_by))
            }
            _ => return None,
        },
        Change::ContactLogged { stakeholder, next_by, aside: false, .. } => {
            (std::slice::from_ref(stakeholder), *next_by)
        }
        _ => return None,
    };
    let incident = room.incidents.get(incident).filter(|i| i.phase().is_active())?;
    let readers = to.iter().filter_map(|name| room.plan.stakeholders.get(name));
    let (severity, phase, is_long) = (incident.severity, incident.phase(), incident.talk.is_long);
    let every = readers.map(|who| promise::every_min(who, severity, phase, is_long)).min()?;
    let wait_ms = next_by?.since(event.at);
    (wait_ms > (i64::from(every) + 1) * MINUTE_MS)
        .then(|| format!("LATER THAN THE PLAN: it asks for a word every {every}m"))
}

/// A name that the plan does not know may be a slip of the finger.
#[expect(clippy::wildcard_enum_match_arm, reason = "few facts name somebody")]
fn stranger(event: &Recorded, plan: &Plan) -> Option<String> {
    let Body::Incident { change, .. } = &event.body else { return None };
    let who = match change {
        Change::OwnerChanged { owner } => owner.as_ref()?,
        Change::RoleAssigned { person, .. } => person,
        Change::CommandOffered { to, .. } | Change::HandoverOffered { to, .. } => to,
        _ => return None,
    };
    let is_known = plan.people.is_empty() || plan.people.contains_key(who);
    (!is_known).then(|| format!("the plan knows no '{who}'"))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "most facts are as they were wanted")]
fn note_of(event: &Recorded) -> Option<String> {
    match &event.body {
        Body::Incident { incident, change } => match change {
            Change::LevelReached(reached) if reached.pages.is_empty() => {
                let fallback =
                    if reached.fallback.is_empty() { "" } else { "; the fallback is paged" };
                Some(format!("level '{}' reached NOBODY{fallback}", reached.name))
            }
            Change::MergedInto { into } => Some(format!(
                "it is part of {into} now; 'warroom unmerge {incident}' takes that back (W there)"
            )),
            Change::HandoverOffered { to, pages, .. } if pages.is_empty() => {
                Some(format!("NOTHING REACHES {to} now: tell them yourself"))
            }
            Change::Talk(talk) => match &**talk {
                TalkChange::Sent(sent) if !sent.by_hand.is_empty() => {
                    Some(format!("TELL BY HAND: {}", sent.by_hand.join(", ")))
                }
                TalkChange::Drafted(draft) if draft.approval != Approval::None => {
                    let update = draft.update;
                    Some(format!("update {update} waits for somebody else's approval"))
                }
                TalkChange::Promised { next_by, .. } => {
                    Some(format!("by {}", next_by.clock_near(event.at)))
                }
                _ => None,
            },
            Change::Snoozed { until, .. } => Some(format!(
                "snoozed until {} UTC (in {})",
                until.clock_near(event.at),
                span_words(until.since(event.at))
            )),
            Change::ContactLogged { aside: true, stakeholder, .. } => {
                Some(format!("logged; what all of {stakeholder} were promised stands"))
            }
            _ => None,
        },
        Body::SwapAsked { schedule, swap } => Some(format!(
            "swap {}: {} is asked to take a turn of {} on {schedule}; 'warroom swap {schedule} \
             --accept {}' takes it",
            swap.id, swap.person_b, swap.person_a, swap.id
        )),
        Body::PeopleTold { letters, .. } => Some(told_words(letters)),
        Body::WindowPlanned { window } => {
            let (from, until) =
                (window.from.clock_near(event.at), window.until.clock_near(event.at));
            let services = window.services.join(", ");
            let look = if window.waiting.is_empty() {
                ""
            } else {
                "; the public reads of it once somebody else looked at it (--publish, e l)"
            };
            Some(format!("window {}: {services} from {from} until {until}{look}", window.id))
        }
        Body::SilenceMade { silence } => Some(format!(
            "silence {} until {}, over {} of {} alerts that fire",
            silence.id,
            silence.until.clock_near(event.at),
            silence.matched_then,
            silence.known_then
        )),
        _ => None,
    }
}

/// The first incident that events are about.
pub(super) fn about(events: &[Recorded]) -> Option<IncidentId> {
    let told = events.iter().filter(|event| !event.body.is_about_the_desk());
    told.flat_map(|event| event.body.incidents()).next()
}

/// What was public and becomes part of another one is said to be followed there, and what ends without a
/// last word to be over: nobody wrote that.
fn followed(event: &Recorded, room: &Room) -> Option<String> {
    let Body::Incident {
        incident,
        change: Change::MergedInto { .. } | Change::PublicStatusSet { .. },
    } = &event.body
    else {
        return None;
    };
    let Some(known) = room.board.incidents.get(incident) else {
        let is_set =
            matches!(event.body, Body::Incident { change: Change::PublicStatusSet { .. }, .. });
        return is_set.then(|| {
            "on record alone: our status page shows nothing of it, an update ('u u') does"
                .to_owned()
        });
    };
    let word = known.words.last()?;
    (word.seq == event.seq).then(|| format!("THE STATUS PAGE SAYS of it: {}", word.text))
}
