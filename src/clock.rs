//! The only reader of the system's time.
//!
//! Invariants:
//! - What `Clock::now` returns goes back only when the wall clock was more than `JUMP_MS` ahead and
//!   was put right; a jump of the wall clock is told, not hidden.
//! - A machine that slept has not jumped: its time has really passed.
//! - It never runs ahead of the wall clock, however often it is asked: what happens within one
//!   millisecond has one time, and its order is that of `seq`.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::domain::time::Timestamp;

/// A difference between wall and monotonic clock above which we speak of a jump.
pub const JUMP_MS: i64 = 5_000;

/// The system's time, made never to go back by the small steps of NTP.
#[derive(Debug)]
pub struct Clock {
    last: Timestamp,
    /// By the clock that nobody sets, in milliseconds.
    started: i64,
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
        Self { last, started: elapsed_ms(), started_ms: wall_ms() }
    }

    /// Now: no earlier than any answer before.
    pub fn now(&mut self) -> Timestamp {
        self.follow(wall_ms())
    }

    fn follow(&mut self, wall: i64) -> Timestamp {
        // NTP may step back a little; the journal's times may not. A clock that was far ahead is
        // followed down, or every deadline would be early: the journal's order is that of `seq`.
        if self.last.0 - wall > JUMP_MS {
            self.last = Timestamp(wall);
        }
        self.last = Timestamp(wall.max(self.last.0));
        self.last
    }

    /// By how much the wall clock moved against the monotonic one since the last call, if that is
    /// a jump; in milliseconds, positive when it moved ahead.
    pub fn jump(&mut self) -> Option<i64> {
        self.jump_after(elapsed_ms() - self.started, wall_ms())
    }

    /// The same, `elapsed` milliseconds after the last jump (or the start) by the monotonic clock.
    fn jump_after(&mut self, elapsed: i64, wall: i64) -> Option<i64> {
        let by = wall - self.started_ms.saturating_add(elapsed);
        if by.abs() < JUMP_MS {
            return None;
        }
        self.started = elapsed_ms();
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

/// Milliseconds since the machine was started, with the time that it slept.
fn elapsed_ms() -> i64 {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME);
    time.map_or(0, |time| time.tv_sec().saturating_mul(1_000) + time.tv_nsec() / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_does_not_go_back() {
        let mut clock = Clock::after(wall_now().plus(JUMP_MS / 2));
        let mut last = Timestamp(0);
        for _ in 0..1_000 {
            let now = clock.now();
            assert!(now >= last);
            last = now;
        }
    }

    #[test]
    fn a_storm_of_inputs_does_not_make_time_run_ahead() {
        let mut clock = Clock::after(Timestamp(1_000));
        for _ in 0..5_000 {
            assert_eq!(clock.follow(1_002), Timestamp(1_002), "one millisecond for all of them");
        }
    }

    #[test]
    fn a_small_step_back_is_waited_out_and_a_large_one_followed_once() {
        let mut clock = Clock::after(Timestamp(1_000_000));
        assert_eq!(clock.follow(1_000_500), Timestamp(1_000_500));
        // NTP steps back by less than a jump: time stands until the wall clock is there again.
        assert_eq!(clock.follow(1_000_000), Timestamp(1_000_500));
        assert_eq!(clock.follow(1_000_500 - JUMP_MS), Timestamp(1_000_500));
        assert_eq!(clock.follow(1_000_600), Timestamp(1_000_600), "until the wall clock is there");
        // It was an hour ahead and is put right: deadlines must not wait an hour.
        assert_eq!(clock.follow(4_600_000), Timestamp(4_600_000));
        assert_eq!(clock.follow(1_000_700), Timestamp(1_000_700));
        assert_eq!(clock.follow(1_000_701), Timestamp(1_000_701), "and on from there");
    }

    #[test]
    fn a_step_ahead_is_taken_at_once() {
        let mut clock = Clock::after(Timestamp(1_000));
        assert_eq!(clock.follow(90_000_000), Timestamp(90_000_000));
    }

    #[test]
    fn a_jump_is_told_once_with_its_direction_and_slewing_is_none() {
        let mut clock = Clock { started_ms: 1_000_000, ..Clock::default() };
        assert_eq!(clock.jump_after(60_000, 1_060_000), None);
        assert_eq!(clock.jump_after(60_000, 1_060_000 + JUMP_MS - 1), None);
        assert_eq!(clock.jump_after(60_000, 4_660_000), Some(3_600_000));
        assert_eq!(clock.jump_after(0, 4_660_000), None, "told once");
        assert_eq!(clock.jump_after(1_000, 1_061_000), Some(-3_600_000), "put right");
        assert_eq!(clock.jump_after(1_000, 1_062_000), None);
    }
}
