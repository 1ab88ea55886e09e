//! When each request of an open loop is due: at even distances, whatever has been answered until then. The connections
//! take turns.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

const NANOSECONDS: u128 = 1_000_000_000;

/// A fixed rate over a number of connections. Times count from the beginning of the schedule.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    rate: NonZeroU32,
    connections: NonZeroUsize,
}

impl Schedule {
    /// `rate` is in requests a second, over all connections.
    pub const fn new(rate: NonZeroU32, connections: NonZeroUsize) -> Self {
        Self { rate, connections }
    }

    pub const fn rate(self) -> u32 {
        self.rate.get()
    }

    /// When a request is due. They count from 0.
    pub fn due(self, request: u64) -> Duration {
        // Rounded up, so that a request that is due is one that `due_until` counts.
        let nanoseconds = (u128::from(request) * NANOSECONDS).div_ceil(u128::from(self.rate.get()));
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }

    /// How many requests are due by then.
    pub fn due_until(self, elapsed: Duration) -> u64 {
        let before = elapsed.as_nanos() * u128::from(self.rate.get()) / NANOSECONDS;
        // The first is due at once.
        u64::try_from(before).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// The connection that sends a request.
    #[expect(clippy::cast_possible_truncation, reason = "less than a usize")]
    pub fn connection(self, request: u64) -> usize {
        (request % self.connections.get() as u64) as usize
    }

    /// The request that a connection sends after this one.
    pub fn next(self, request: u64) -> u64 {
        request.saturating_add(self.connections.get() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(rate: u32, connections: usize) -> Schedule {
        Schedule::new(
            NonZeroU32::new(rate).expect("not 0"),
            NonZeroUsize::new(connections).expect("not 0"),
        )
    }

    #[test]
    fn a_second_has_as_many_as_the_rate_says() {
        for rate in [1, 3, 7, 20_000, 40_000, 999_983] {
            let schedule = schedule(rate, 64);
            assert_eq!(schedule.due(0), Duration::ZERO);
            assert_eq!(schedule.due(u64::from(rate)), Duration::from_secs(1));
            // The one that is due at the end of the second as well.
            assert_eq!(schedule.due_until(Duration::from_secs(1)), u64::from(rate) + 1);
        }
    }

    #[test]
    fn a_request_is_counted_from_the_nanosecond_on_at_which_it_is_due() {
        for rate in [1, 3, 7, 20_000, 999_983] {
            let schedule = schedule(rate, 1);
            for request in [1, 2, 3, 1000, 1_000_003, 1 << 33] {
                let due = schedule.due(request);
                assert_eq!(schedule.due_until(due), request + 1, "{request} at {rate}/s");
                assert_eq!(
                    schedule.due_until(due.saturating_sub(Duration::from_nanos(1))),
                    request
                );
            }
        }
    }

    #[test]
    fn distances_do_not_drift() {
        let schedule = schedule(30_000, 1);
        for request in 0..90_000_u64 {
            let distance = schedule.due(request + 1).saturating_sub(schedule.due(request));
            assert!((33_333..=33_334).contains(&distance.as_nanos()));
        }
        assert_eq!(schedule.due(90_000), Duration::from_secs(3));
    }

    #[test]
    fn connections_take_turns() {
        let schedule = schedule(1000, 3);
        let turns: Vec<usize> = (0..7).map(|request| schedule.connection(request)).collect();
        assert_eq!(turns, [0, 1, 2, 0, 1, 2, 0]);
        assert_eq!(schedule.connection(schedule.next(1)), schedule.connection(1));
    }
}
