//! Ever longer pauses between tries that fail.

use std::time::Duration;

/// Pauses that begin with 1 ms and double up to 128 ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(1);
    const LONGEST: Duration = Duration::from_millis(128);

    /// A try has failed. Returns how long to wait until the next.
    pub fn fail(&mut self) -> Duration {
        let pause = Self::FIRST * 2_u32.saturating_pow(self.failures);
        self.failures = self.failures.saturating_add(1);
        pause.min(Self::LONGEST)
    }

    /// A try has succeeded: the next pause is the shortest again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_longest_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::default();
        for millis in [1, 2, 4, 8, 16, 32, 64, 128, 128] {
            assert_eq!(backoff.fail(), Duration::from_millis(millis));
        }
        backoff.failures = u32::MAX;
        assert_eq!(
            backoff.fail(),
            Duration::from_millis(128),
            "after any number of failures"
        );
        backoff.reset();
        assert_eq!(backoff.fail(), Duration::from_millis(1));
    }
}
