//! Narrowing the queue to what is typed.
//!
//! Invariants:
//! - A number means the incident of that number, and words that stand in a line mean those lines:
//!   what merely resembles them is looked for only where nothing holds them.

use crate::client::mirror::Mirror;
use crate::domain::ids::IncidentId;
use crate::domain::resemble::Resembling;
use crate::domain::row::Row;

/// The rows that match what was typed, the best first.
pub fn matching(mirror: &Mirror, filter: &str) -> Vec<IncidentId> {
    let literal = holding(mirror, filter);
    if literal.is_empty() { resembling(mirror, filter) } else { literal }
}

/// What the filter is about in a row.
fn text_of(row: &Row) -> String {
    format!("{} {} {} {} {} {}", row.id, row.title, row.severity, row.phase, row.services, row.who)
}

/// The rows that hold every word: the incident of that number first, then those whose title is or
/// holds what was typed, each in the order of the queue.
fn holding(mirror: &Mirror, filter: &str) -> Vec<IncidentId> {
    let wanted = filter.to_lowercase();
    let words: Vec<&str> = wanted.split_whitespace().collect();
    let number: Option<IncidentId> = match words.as_slice() {
        [only] => only.parse().ok(),
        _ => None,
    };
    let named = number.filter(|id| mirror.row(*id).is_some());
    let mut found: Vec<(u8, usize, IncidentId)> = Vec::new();
    for (place, row) in mirror.ordered().enumerate() {
        let title = row.title.to_lowercase();
        // Beside the incident of a number, only titles that name it are meant.
        let text = if named.is_some() { title.clone() } else { text_of(row).to_lowercase() };
        let rank = match () {
            () if named == Some(row.id) => 0,
            () if title == wanted => 1,
            () if title.contains(&wanted) => 2,
            () if words.iter().all(|word| text.contains(word)) => 3,
            () => continue,
        };
        found.push((rank, place, row.id));
    }
    found.sort_unstable();
    found.into_iter().map(|(_, _, id)| id).collect()
}

/// The rows that hold the letters in order.
fn resembling(mirror: &Mirror, filter: &str) -> Vec<IncidentId> {
    let mut typed = Resembling::new(filter);
    let mut found: Vec<(u32, usize, IncidentId)> = mirror
        .ordered()
        .enumerate()
        .filter_map(|(place, row)| Some((typed.score(&text_of(row))?, place, row.id)))
        .collect();
    found.sort_by_key(|(score, place, _)| (std::cmp::Reverse(*score), *place));
    found.into_iter().map(|(_, _, id)| id).collect()
}
