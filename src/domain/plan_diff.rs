//! What another plan changes: who is reached tonight, and what else it says otherwise.
//!
//! Invariants:
//! - Pure; what decides who is reached, when and how often is compared whole: nothing that differs
//!   is passed over.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::domain::duty::Desk;
use crate::domain::outlook;
use crate::domain::plan::Plan;
use crate::domain::reach::Asked;
use crate::domain::time::{HOUR_MS, MINUTE_MS, Timestamp};
use crate::domain::words::Severity;

/// Differences that are told of what the plans say.
const TOLD_MAX: usize = 60;

/// Services with a severity that are named for one difference.
const NAMED_MAX: usize = 8;

/// Who is reached otherwise, from when on, for what.
struct Difference {
    at: Timestamp,
    of: Vec<String>,
    both: (String, String),
}

/// What another plan changes about who is reached, level by level, at some instants from `now` on.
pub fn differences(old: (&Plan, &Desk), new: (&Plan, &Desk), now: Timestamp) -> Vec<String> {
    let known: BTreeSet<&String> = old.0.services.keys().chain(new.0.services.keys()).collect();
    let services = known.into_iter().map(Some).chain([None]);
    // The same difference of many services is told once, with when and for what it is so first.
    let mut found: Vec<Difference> = Vec::new();
    for service in services {
        for severity in [Severity::Sev1, Severity::Sev3] {
            // Now, and through the night to come, hour by hour: each time that something is different
            // from before.
            let mut told: Option<(String, String)> = None;
            for hours in 0..24 {
                let at = now.plus(hours * HOUR_MS);
                let both = (
                    chain_words(old.0, old.1, service, severity, at),
                    chain_words(new.0, new.1, service, severity, at),
                );
                if both.0 != both.1 && told.as_ref() != Some(&both) {
                    let name = service.map_or("any other service", String::as_str);
                    let of = format!("{name} {severity}");
                    match found.iter_mut().find(|known| known.at == at && known.both == both) {
                        Some(known) => known.of.push(of),
                        None => found.push(Difference { at, of: vec![of], both: both.clone() }),
                    }
                }
                told = Some(both);
            }
        }
    }
    found.sort_by_key(|difference| difference.at);
    let mut lines = Vec::new();
    for Difference { at, of, both } in found {
        let more = of.len().saturating_sub(NAMED_MAX);
        let of = of.into_iter().take(NAMED_MAX).collect::<Vec<_>>().join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        lines.push(format!("{of}{more}, at {at}"));
        lines.push(format!("  - {}", both.0));
        lines.push(format!("  + {}", both.1));
    }
    lines.extend(said_otherwise(old.0, new.0));
    lines
}

/// What the plans say otherwise, key by key.
fn said_otherwise(old: &Plan, new: &Plan) -> Vec<String> {
    let of = |plan: &Plan| serde_json::to_value(plan).unwrap_or_default();
    let mut lines = Vec::new();
    compare("", &of(old), &of(new), &mut lines);
    let more = lines.len().saturating_sub(TOLD_MAX);
    lines.truncate(TOLD_MAX);
    if more > 0 {
        lines.push(format!("… and {more} more"));
    }
    if !lines.is_empty() {
        lines.insert(0, "what the plan says:".to_owned());
    }
    lines
}

fn compare(key: &str, old: &Value, new: &Value, lines: &mut Vec<String>) {
    let below = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    match (old, new) {
        (Value::Object(a), Value::Object(b)) => {
            let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                let of = |map: &serde_json::Map<String, Value>| map.get(name).cloned();
                compare(
                    &below(name),
                    &of(a).unwrap_or_default(),
                    &of(b).unwrap_or_default(),
                    lines,
                );
            }
        }
        (Value::Array(a), Value::Array(b)) if a.iter().chain(b).any(Value::is_object) => {
            for index in 0..a.len().max(b.len()) {
                let of = |list: &[Value]| list.get(index).cloned().unwrap_or_default();
                compare(&below(&(index + 1).to_string()), &of(a), &of(b), lines);
            }
        }
        _ if old != new => lines.push(format!("  {key}: {} → {}", short(old), short(new))),
        _ => {}
    }
}

fn short(value: &Value) -> String {
    if value.is_null() {
        return "nothing".to_owned();
    }
    crate::domain::text::fit(&value.to_string(), 120).into_owned()
}

fn chain_words(
    plan: &Plan,
    desk: &Desk,
    service: Option<&String>,
    severity: Severity,
    at: Timestamp,
) -> String {
    let services: Vec<String> = service.into_iter().cloned().collect();
    let Some((name, policy)) = plan.policy_for(&services) else {
        return "nobody: no policy".to_owned();
    };
    if policy.from_severity.is_some_and(|from| severity > from) {
        return format!("{name}: pages nobody");
    }
    let asked = Asked { plan, desk, severity, now: at };
    // When a level is reached, as 'warroom who' says it.
    let levels: Vec<String> = outlook::of_policy(asked, policy, &services)
        .into_iter()
        .filter(|rung| rung.skipped.is_none())
        .map(|rung| {
            let after_min = rung.due.map_or(0, |due| due.since(at) / MINUTE_MS);
            let people: Vec<String> = rung
                .people
                .into_iter()
                .map(|one| format!("{} by {}", one.to, one.methods.join(", ")))
                .collect();
            let who = if people.is_empty() { "NOBODY".to_owned() } else { people.join("; ") };
            format!("{} +{after_min}m {who}", rung.name)
        })
        .collect();
    format!("{name}: {}", levels.join(" → "))
}
