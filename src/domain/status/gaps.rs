//! How long the public heard nothing while an incident went on.
//!
//! Invariants:
//! - What was said after the end does not count, nor does silence after it.

use super::model::PublicIncident;
use crate::domain::time::{MINUTE_MS, Timestamp};

/// The silences of several incidents.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GapStats {
    /// Incidents that were looked at.
    pub incidents: usize,
    /// Times between two updates.
    pub gaps: usize,
    /// All of them together, in whole minutes.
    pub sum_minutes: i64,
    /// The longest, in whole minutes.
    pub longest_minutes: i64,
    /// Incidents with at least one gap that was longer than asked.
    pub with_gap_over: usize,
}

/// The times between the updates of an incident until its end, or until now while it goes on, in
/// milliseconds.
pub fn gaps_ms(incident: &PublicIncident, now: Timestamp) -> Vec<i64> {
    let end = if incident.status.is_open() { Some(now) } else { incident.resolved_at };
    let shown = incident.updates.iter().map(|update| update.display_at);
    let mut instants: Vec<Timestamp> =
        shown.filter(|at| end.is_none_or(|end| *at <= end)).collect();
    instants.sort_unstable();
    if let (Some(end), Some(last)) = (end, instants.last())
        && end > *last
    {
        instants.push(end);
    }
    instants.windows(2).map(|pair| pair[1].since(pair[0])).collect()
}

/// The silences of several incidents, and how many had one of more than `over_minutes`.
pub fn gap_stats(incidents: &[PublicIncident], over_minutes: i64, now: Timestamp) -> GapStats {
    let mut stats = GapStats { incidents: incidents.len(), ..GapStats::default() };
    let mut sum_ms = 0;
    for incident in incidents {
        let gaps = gaps_ms(incident, now);
        let longest = gaps.iter().copied().max().unwrap_or_default();
        stats.gaps += gaps.len();
        sum_ms += gaps.iter().sum::<i64>();
        stats.longest_minutes = stats.longest_minutes.max(longest / MINUTE_MS);
        stats.with_gap_over += usize::from(longest > over_minutes.saturating_mul(MINUTE_MS));
    }
    stats.sum_minutes = sum_ms / MINUTE_MS;
    stats
}
