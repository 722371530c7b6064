//! The only reader of the system's time.
//!
//! Invariants:
//! - What `Clock::now` returns never repeats, and goes back only when the wall clock was more than
//!   `JUMP_MS` ahead and was put right; a jump of the wall clock is told, not hidden.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::domain::time::Timestamp;

/// A difference between wall and monotonic clock above which we speak of a jump.
pub const JUMP_MS: i64 = 5_000;

/// The system's time, made strictly increasing.
#[derive(Debug)]
pub struct Clock {
    last: Timestamp,
    wall: i64,
    started: Instant,
    started_ms: i64,
}

impl Default for Clock {
    fn default() -> Self {
        Self::after(Timestamp(0))
    }
}

impl Clock {
    /// A clock that continues after an instant: the last one in the journal.
    pub fn after(last: Timestamp) -> Self {
        let wall = wall_ms();
        Self { last, wall, started: monotonic(), started_ms: wall }
    }

    /// Now: later than every answer before.
    pub fn now(&mut self) -> Timestamp {
        self.wall = wall_ms();
        // NTP may step back a little; the journal's times may not. A clock that was far ahead is
        // followed down, or every deadline would be early: the journal's order is that of `seq`.
        if self.last.0 - self.wall > JUMP_MS {
            self.last = Timestamp(self.wall - 1);
        }
        self.last = Timestamp(self.wall.max(self.last.0 + 1));
        self.last
    }

    /// By how much the wall clock moved against the monotonic one since the last call, if that is
    /// a jump; in milliseconds, positive when it moved ahead.
    pub fn jump(&mut self) -> Option<i64> {
        let elapsed = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        let expected = self.started_ms.saturating_add(elapsed);
        let wall = wall_ms();
        let by = wall - expected;
        if by.abs() < JUMP_MS {
            return None;
        }
        self.started = monotonic();
        self.started_ms = wall;
        Some(by)
    }
}

/// The wall clock, for programs that only show it.
pub fn wall_now() -> Timestamp {
    Timestamp(wall_ms())
}

/// The monotonic clock, for waits.
#[expect(clippy::disallowed_methods, reason = "this file is the one reader of the system's time")]
pub fn monotonic() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "this file is the one reader of the system's time")]
fn wall_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_stands_still_or_goes_back() {
        let mut clock = Clock::after(wall_now().plus(JUMP_MS / 2));
        let mut last = Timestamp(0);
        for _ in 0..1_000 {
            let now = clock.now();
            assert!(now > last);
            last = now;
        }
    }
}
