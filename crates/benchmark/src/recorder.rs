//! Counts what happens in the measured interval: after the warm-up, until the time is up.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::processor_time::ProcessorTime;

/// An end of the interval.
#[derive(Debug, Clone, Copy)]
struct Moment {
    time: Instant,
    peer: Option<ProcessorTime>,
    own: Option<ProcessorTime>,
}

impl Moment {
    fn now(process: Option<u32>) -> Self {
        Self {
            peer: process.and_then(ProcessorTime::of),
            own: ProcessorTime::of(std::process::id()),
            time: Instant::now(),
        }
    }
}

/// Longer durations count as this one.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// Values are kept to this many decimal digits.
const DIGITS: u8 = 3;

/// All its memory is allocated here: growing while something is measured would be measured too.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, nanoseconds(LONGEST), DIGITS).expect("the bounds are valid")
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The interval starts and ends with the first thing that happens after its time has come. So it needs no
/// timer, and the count fits the time, however rarely something happens.
#[derive(Debug)]
pub struct Recorder {
    warm_up: Duration,
    measured: Duration,
    /// Whose processor time is read at both ends of the interval, beside that of this process.
    process: Option<u32>,
    began: Cell<Option<Instant>>,
    start: Cell<Option<Moment>>,
    end: Cell<Option<Moment>>,
    count: Cell<u64>,
    durations: RefCell<Histogram<u64>>,
}

impl Recorder {
    pub fn new(warm_up: Duration, measured: Duration, process: Option<u32>) -> Self {
        Self {
            warm_up,
            measured,
            process,
            began: Cell::new(None),
            start: Cell::new(None),
            end: Cell::new(None),
            count: Cell::new(0),
            durations: RefCell::new(histogram()),
        }
    }

    /// The warm-up begins, unless it already has.
    pub fn begin(&self) {
        if self.began.get().is_none() {
            self.began.set(Some(Instant::now()));
        }
    }

    pub fn is_over(&self) -> bool {
        self.end.get().is_some()
    }

    /// Something that was begun at `since` is done; it counts `amount`. Returns the time, as the next thing's
    /// start.
    pub fn record(&self, since: Instant, amount: u64) -> Instant {
        let now = Instant::now();
        if self.is_over() {
            return now;
        }
        if let Some(start) = self.start.get() {
            self.count.set(self.count.get() + amount);
            self.durations
                .borrow_mut()
                .saturating_record(nanoseconds(now - since));
            if now - start.time >= self.measured {
                self.end.set(Some(Moment {
                    time: now,
                    ..Moment::now(self.process)
                }));
            }
        } else if self.began.get().is_some_and(|began| now - began >= self.warm_up) {
            // The one that opens the interval lies before it.
            self.start.set(Some(Moment::now(self.process)));
        }
        now
    }

    /// The result as JSON; durations in nanoseconds. `None` before the interval is over.
    pub fn result(&self) -> Option<String> {
        let (start, end) = (self.start.get()?, self.end.get()?);
        let durations = self.durations.borrow();
        let processor = start.peer.zip(end.peer).map_or_else(
            || "null".to_owned(),
            |(before, after)| {
                // Threads that ended in between are missing in the second sum.
                let (main, all) = (after.main - before.main, after.all.saturating_sub(before.all));
                format!(r#"{{"main":{main},"all":{}}}"#, all.max(main))
            },
        );
        let own = start.own.zip(end.own).map_or_else(
            || "null".to_owned(),
            |(before, after)| (after.main - before.main).to_string(),
        );
        Some(format!(
            r#"{{"count":{},"seconds":{},"p50":{},"p90":{},"p99":{},"max":{},"processor":{processor},"own":{own}}}"#,
            self.count.get(),
            (end.time - start.time).as_secs_f64(),
            durations.value_at_quantile(0.5),
            durations.value_at_quantile(0.9),
            durations.value_at_quantile(0.99),
            durations.max(),
        ))
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
        let mut histogram = histogram();
        for value in &values {
            histogram.saturating_record(*value);
        }
        values.sort_unstable();
        for share in [0.5, 0.9, 0.99, 1.0] {
            let (found, wanted) = (histogram.value_at_quantile(share), exact(&values, share));
            assert!(
                found.abs_diff(wanted) * 1000 <= wanted,
                "{share}: {found} in place of {wanted}"
            );
        }
    }

    #[test]
    fn too_long_a_duration_counts_as_the_longest() {
        let mut histogram = histogram();
        histogram.saturating_record(nanoseconds(Duration::MAX));
        assert!(histogram.max() >= nanoseconds(LONGEST));
    }

    #[test]
    fn nothing_recorded_is_zero() {
        assert_eq!(histogram().value_at_quantile(0.99), 0);
    }
}
