//! How long to wait before the next try to reconnect.

/// The first wait, in milliseconds.
pub const FIRST_MS: u64 = 100;
/// The longest wait.
pub const LONGEST_MS: u64 = 5_000;

/// The wait before try number `attempt` (0 for the first): doubles up to the longest.
pub fn wait_ms(attempt: u32) -> u64 {
    FIRST_MS.saturating_mul(1_u64.checked_shl(attempt.min(32)).unwrap_or(u64::MAX)).min(LONGEST_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_longest() {
        assert_eq!(wait_ms(0), FIRST_MS);
        for attempt in 0..100 {
            assert!(wait_ms(attempt) <= wait_ms(attempt + 1));
            assert!(wait_ms(attempt) <= LONGEST_MS);
        }
    }
}
