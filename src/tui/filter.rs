//! Narrowing the queue to what is typed.

use crate::client::mirror::Mirror;
use crate::domain::ids::IncidentId;

/// The rows that match what was typed, the best first.
pub fn matching(mirror: &Mirror, filter: &str) -> Vec<IncidentId> {
    use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
    use nucleo_matcher::{Config, Matcher, Utf32Str};
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(filter, CaseMatching::Smart, Normalization::Smart);
    let mut buffer = Vec::new();
    let mut found: Vec<(u32, usize, IncidentId)> = mirror
        .ordered()
        .enumerate()
        .filter_map(|(place, row)| {
            let text = format!(
                "{} {} {} {} {} {}",
                row.id, row.title, row.severity, row.phase, row.services, row.who
            );
            let score = pattern.score(Utf32Str::new(&text, &mut buffer), &mut matcher)?;
            Some((score, place, row.id))
        })
        .collect();
    found.sort_by_key(|(score, place, _)| (std::cmp::Reverse(*score), *place));
    found.into_iter().map(|(_, _, id)| id).collect()
}
