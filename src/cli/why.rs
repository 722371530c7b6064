//! Why an alert did, or did not, open an incident: what became of it, by which rule, and how it stands
//! now.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an unexpected answer is handled alike, whatever it is"
)]

use crate::cli::Context;
use crate::cli::act::unexpected;
use crate::cli::look::line;
use crate::cli::out::{Failure, say_json};
use crate::domain::event::{Became, Body};
use crate::proto::{Ask, Reply};

/// Alerts that the keeper names in one answer.
const ALERTS_MAX: u32 = 500;

/// Looks through the journal: an alert that is long over is still answered for.
pub(super) fn why(context: &Context, alert: &str) -> Result<(), Failure> {
    let mut keeper = context.keeper()?;
    let mut after = 0;
    let mut last = None;
    loop {
        let events = match keeper.ask(Ask::Events { after, limit: 5_000 })? {
            Reply::Events { events } => events,
            other => return Err(unexpected(&other)),
        };
        let Some(end) = events.last() else { break };
        after = end.seq;
        for event in &events {
            let Body::AlertsReceived { items, .. } = &event.body else {
                continue;
            };
            let found = items.iter().find(|item| {
                item.alert == alert
                    || item.alert.split_once('/').is_some_and(|(_, key)| key == alert)
                    || item.facts.as_ref().is_some_and(|facts| facts.name == alert)
            });
            let Some(item) = found else { continue };
            // What is only said again says less of why.
            let says_again = matches!(item.became, Became::Repeated | Became::RepeatedEnd);
            if last.is_none() || !says_again {
                last = Some((event.seq, event.at, item.clone()));
            }
        }
    }
    let Some((seq, at, item)) = last else {
        return Err(Failure::Failed(anyhow::anyhow!(
            "no alert '{alert}' was ever posted; see 'warroom intake'"
        )));
    };
    if context.json {
        return say_json(&serde_json::json!({ "seq": seq, "at": at, "item": item }));
    }
    let incident = item.incident.map_or_else(|| "no incident".to_owned(), |id| id.to_string());
    let rule =
        if item.rule.is_empty() { String::new() } else { format!(", by the rule '{}'", item.rule) };
    let words = became_words(item.became);
    line(&format!("{alert}: {words} → {incident}{rule} (event {seq}, {at})"));
    // What became of it since then.
    let ask = Ask::Alerts { incident: item.incident, limit: ALERTS_MAX };
    let Ok(Reply::Alerts { alerts }) = keeper.ask(ask) else { return Ok(()) };
    let is_all = alerts.len() < ALERTS_MAX as usize;
    match alerts.into_iter().find(|(key, _)| *key == item.alert) {
        Some((_, now)) => {
            let belongs = now
                .incident
                .map_or_else(|| "to no incident that is open".to_owned(), |id| format!("to {id}"));
            line(&format!("now: {}, and belongs {belongs}", now.state()));
        }
        None if is_all && item.incident.is_none() => line("now: it does not fire"),
        // It may belong to another one by now, or to none.
        None => {}
    }
    Ok(())
}

/// What became of an alert, for people.
const fn became_words(became: Became) -> &'static str {
    match became {
        Became::Opened => "opened an incident",
        Became::Attached => "joined the incident of its group",
        Became::Reopened => "came back and reopened its incident",
        Became::Repeated => "was said before, and counted",
        Became::RepeatedEnd => "its end was said before, and counted",
        Became::Resolved => "is over",
        Became::Acknowledged => "was acknowledged at its sender",
        Became::Recorded => "was recorded and opens nothing",
        Became::Shelved => "was put aside",
        Became::FlappingFiring => "flaps, held as firing",
        Became::FlappingResolved => "flaps and says that it is over, held as firing",
        Became::Unmatched => "came to its end without a beginning here: it opened nothing",
    }
}
