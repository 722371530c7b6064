//! How long to wait before a failed delivery is tried again.
//!
//! Invariants:
//! - The wait depends on the attempt and the seed alone, so that a restart waits the same.
//! - No wait is longer than `LONGEST_MS` or shorter than half of `FIRST_MS`.

/// The first wait before jitter, in milliseconds.
pub const FIRST_MS: i64 = 15_000;
/// The longest wait, in milliseconds.
pub const LONGEST_MS: i64 = 300_000;

/// The wait before a retry, in milliseconds; `attempt` is 0 after the first failure.
///
/// Half of the wait is fixed and half is drawn from the seed: targets that failed together do not
/// come back together, and none comes back at once.
pub fn delay_ms(attempt: u32, seed: u64) -> i64 {
    let doubled = 1_i64.checked_shl(attempt.min(32)).unwrap_or(i64::MAX);
    let full = FIRST_MS.saturating_mul(doubled).min(LONGEST_MS);
    let half = full / 2;
    let draw = mix(seed ^ u64::from(attempt).rotate_left(32));
    let span = u64::try_from(full - half + 1).unwrap_or(1);
    half + i64::try_from(draw % span).unwrap_or(0)
}

/// Spreads a seed over all bits: the finalizer of `SplitMix64` (Steele, Lea, Flood, 2014).
const fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_wait_is_longer_than_the_longest() {
        for attempt in (0..70).chain([u32::MAX]) {
            for seed in (0..200).chain([u64::MAX]) {
                let wait = delay_ms(attempt, seed);
                assert!((FIRST_MS / 2..=LONGEST_MS).contains(&wait), "{attempt} {seed}: {wait}");
                assert_eq!(wait, delay_ms(attempt, seed), "the same after a restart");
            }
        }
    }

    #[test]
    fn waits_grow_on_average_and_seeds_differ() {
        let mean = |attempt| (0..1_000).map(|seed| delay_ms(attempt, seed)).sum::<i64>() / 1_000;
        for attempt in 0..4 {
            assert!(mean(attempt) < mean(attempt + 1), "after {attempt}");
        }
        let distinct: std::collections::BTreeSet<i64> =
            (0..1_000).map(|seed| delay_ms(0, seed)).collect();
        assert!(distinct.len() > 900, "{}", distinct.len());
    }
}
