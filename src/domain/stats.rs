//! Figures about durations: always with n, median and p90, because the mean alone misleads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::incident::{Incident, Stage};
use crate::domain::time::{MINUTE_MS, Timestamp};
use crate::domain::words::{Moment, Priority};

/// A distribution of durations in minutes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    pub n: usize,
    pub mean: f64,
    pub median: f64,
    pub p90: f64,
    pub min: f64,
    pub max: f64,
    pub sum: f64,
}

/// What statistics need to know of one incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    pub opened: Timestamp,
    pub resolved: Option<Timestamp>,
    pub priority: Priority,
    pub from: String,
}

/// The figures of `warroom stats`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Incidents looked at.
    pub incidents: usize,
    /// Of those without a resolution; counted as unknown, never as zero.
    pub unresolved: usize,
    /// Opened → resolved, in minutes.
    pub ttr_minutes: Option<Spread>,
    pub by_priority: BTreeMap<String, Spread>,
    pub by_month_opened: BTreeMap<String, Spread>,
    pub opened_by_month: BTreeMap<String, usize>,
}

impl Sample {
    /// The sample of an incident; `None` where it is out by construction: declined, merged,
    /// or labelled `exclude_from_metrics`.
    pub fn of(incident: &Incident) -> Option<Self> {
        if matches!(incident.stage, Stage::Declined { .. } | Stage::Merged { .. }) {
            return None;
        }
        if incident.labels.contains_key("exclude_from_metrics") {
            return None;
        }
        let from = incident
            .external
            .as_deref()
            .and_then(|e| e.split_once(':'))
            .map_or("warroom", |(f, _)| f);
        Some(Self {
            opened: incident.opened_at,
            // What was over before anybody wrote it down took no time that is known.
            resolved: incident
                .moments
                .get(&Moment::Resolved)
                .copied()
                .filter(|at| *at >= incident.opened_at),
            priority: incident.priority(),
            from: from.to_owned(),
        })
    }
}

/// The spread of some durations; `None` for no durations.
pub fn spread(minutes: &[f64]) -> Option<Spread> {
    let mut sorted = minutes.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (first, last) = (*sorted.first()?, *sorted.last()?);
    let sum: f64 = sorted.iter().sum();
    #[expect(clippy::cast_precision_loss, reason = "counts of incidents are far below 2^52")]
    let mean = sum / sorted.len() as f64;
    Some(Spread {
        n: sorted.len(),
        mean,
        median: percentile(&sorted, 0.5),
        p90: percentile(&sorted, 0.9),
        min: first,
        max: last,
        sum,
    })
}

/// The percentile by linear interpolation between the two nearest values.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index into a slice of durations"
)]
fn percentile(sorted: &[f64], q: f64) -> f64 {
    let position = q * (sorted.len() - 1) as f64;
    let below = position.floor();
    let index = below as usize;
    let low = sorted[index];
    let high = sorted.get(index + 1).copied().unwrap_or(low);
    low + (high - low) * (position - below)
}

/// The report over these samples.
pub fn report(samples: &[Sample]) -> Report {
    let mut all = Vec::new();
    let mut by_priority: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut by_month: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut opened_by_month: BTreeMap<String, usize> = BTreeMap::new();
    for sample in samples {
        let month = sample.opened.month();
        *opened_by_month.entry(month.clone()).or_default() += 1;
        let Some(resolved) = sample.resolved else {
            continue;
        };
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a few years fit")]
        let minutes = resolved.since(sample.opened) as f64 / MINUTE_MS as f64;
        all.push(minutes);
        by_priority.entry(sample.priority.to_string()).or_default().push(minutes);
        by_month.entry(month).or_default().push(minutes);
    }
    let spreads = |map: BTreeMap<String, Vec<f64>>| {
        map.into_iter().filter_map(|(key, values)| Some((key, spread(&values)?))).collect()
    };
    Report {
        incidents: samples.len(),
        unresolved: samples.len() - all.len(),
        ttr_minutes: spread(&all),
        by_priority: spreads(by_priority),
        by_month_opened: spreads(by_month),
        opened_by_month,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_interpolate() {
        let spread = spread(&[1.0, 2.0, 3.0, 4.0]).expect("some");
        assert!((spread.median - 2.5).abs() < 1e-9);
        assert!((spread.p90 - 3.7).abs() < 1e-9);
        assert_eq!(spread.n, 4);
    }

    #[test]
    fn nothing_has_no_spread() {
        assert_eq!(super::spread(&[]), None);
    }
}
