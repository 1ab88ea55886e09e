//! Durations in buckets whose width grows with the value, so that every quantile is right to less than one percent.

use std::time::Duration;

/// Each power of two is cut into this many buckets.
const STEPS: u64 = 128;
const STEP_BITS: u32 = STEPS.trailing_zeros();
const BUCKETS: usize = (u64::BITS - STEP_BITS + 1) as usize * (1 << STEP_BITS);

#[derive(Debug)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    most: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: vec![0; BUCKETS],
            count: 0,
            most: 0,
        }
    }
}

/// Nanoseconds below `STEPS` have a bucket each; above, the leading bits choose it.
fn bucket_of(nanoseconds: u64) -> usize {
    let shift = (u64::BITS - nanoseconds.leading_zeros()).saturating_sub(STEP_BITS + 1);
    // Shifted, the value lies in 128..256 and continues where the row before it ended.
    usize::try_from(u64::from(shift) * STEPS + (nanoseconds >> shift)).unwrap_or(BUCKETS - 1)
}

/// The middle of a bucket.
fn value_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * STEPS {
        return bucket;
    }
    let shift = bucket / STEPS - 1;
    let low = (bucket - shift * STEPS) << shift;
    low + (1 << shift) / 2
}

impl Histogram {
    pub fn record(&mut self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket_of(nanoseconds)] += 1;
        self.count += 1;
        self.most = self.most.max(nanoseconds);
    }

    /// Nanoseconds that the given share of all values (in thousandths) does not exceed; 0 without any value.
    pub fn quantile(&self, thousandths: u64) -> u64 {
        let rank = (self.count * thousandths).div_ceil(1000).max(1);
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return value_of(bucket).min(self.most);
            }
        }
        0
    }

    pub fn most(&self) -> u64 {
        self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_close_to_each_of_its_values() {
        for exponent in 0..40 {
            for offset in [0_u64, 1, 3, 77] {
                let value = (1_u64 << exponent) + offset;
                let middle = value_of(bucket_of(value));
                assert!(
                    middle.abs_diff(value) * 2 * STEPS <= value + 2 * STEPS,
                    "{value} is taken for {middle}"
                );
            }
        }
    }

    #[test]
    fn buckets_never_go_down() {
        let buckets: Vec<usize> = (0..100_000).map(bucket_of).collect();
        assert!(buckets.is_sorted());
    }

    #[test]
    fn quantiles_of_a_known_row() {
        let mut histogram = Histogram::default();
        for microseconds in 1..=1000 {
            histogram.record(Duration::from_micros(microseconds));
        }
        assert!(histogram.quantile(500).abs_diff(500_000) < 5_000);
        assert!(histogram.quantile(990).abs_diff(990_000) < 9_900);
        assert_eq!(histogram.most(), 1_000_000);
        assert_eq!(Histogram::default().quantile(990), 0);
    }

    #[test]
    fn the_longest_duration_has_a_bucket() {
        let mut histogram = Histogram::default();
        histogram.record(Duration::MAX);
        assert!(histogram.quantile(1000) > u64::MAX / 2);
    }
}
