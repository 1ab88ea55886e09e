//! Durations, and the quantiles of them.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Longer durations count as this one.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// Values are kept to this many decimal digits.
const DIGITS: u8 = 3;

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// As many as are recorded take the same memory. All of it is allocated at first: growing while something is
/// measured would be measured too.
#[derive(Debug)]
pub struct Durations(Histogram<u64>);

impl Durations {
    #[expect(clippy::missing_panics_doc, reason = "the bounds are valid")]
    #[expect(clippy::new_without_default, reason = "there is no duration to begin with")]
    pub fn new() -> Self {
        Self(Histogram::new_with_bounds(1, nanoseconds(LONGEST), DIGITS).expect("the bounds are valid"))
    }

    pub fn record(&mut self, duration: Duration) {
        self.0.saturating_record(nanoseconds(duration));
    }

    /// Nanoseconds that a share of all durations do not exceed; 0 without any.
    pub fn quantile(&self, share: f64) -> u64 {
        self.0.value_at_quantile(share)
    }

    /// Nanoseconds.
    pub fn max(&self) -> u64 {
        self.0.max()
    }

    pub fn count(&self) -> u64 {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value that `share` of all values do not exceed.
    fn exact(sorted: &[u64], share: f64) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "small, and not negative"
        )]
        let rank = (sorted.len() as f64 * share).ceil() as usize;
        sorted[rank.max(1) - 1]
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_values() {
        // From a microsecond to a second, many short ones and few long ones, as latencies are.
        let mut values: Vec<u64> = (1..=10_000_u64).map(|n| 1000 + n * n * n / 1000).collect();
        let mut durations = Durations::new();
        for value in &values {
            durations.record(Duration::from_nanos(*value));
        }
        values.sort_unstable();
        for share in [0.5, 0.9, 0.99, 0.999, 1.0] {
            let (found, wanted) = (durations.quantile(share), exact(&values, share));
            assert!(
                found.abs_diff(wanted) * 1000 <= wanted,
                "{share}: {found} in place of {wanted}"
            );
        }
    }

    #[test]
    fn too_long_a_duration_counts_as_the_longest() {
        let mut durations = Durations::new();
        durations.record(Duration::MAX);
        assert!(u128::from(durations.max()) >= LONGEST.as_nanos());
    }

    #[test]
    fn nothing_recorded_is_zero() {
        assert_eq!(Durations::new().quantile(0.99), 0);
    }
}
