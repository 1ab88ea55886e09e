//! Counts what happens in the measured interval: after the warm-up, until the time is up.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::time::{Duration, Instant};

use crate::durations::Durations;
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
    durations: RefCell<Durations>,
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
            durations: RefCell::new(Durations::new()),
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

    pub fn is_measuring(&self) -> bool {
        self.start.get().is_some() && !self.is_over()
    }

    /// Where a moment lies, once the interval is over: in it it is `Equal`.
    pub fn compare(&self, at: Instant) -> Option<Ordering> {
        let (start, end) = (self.start.get()?, self.end.get()?);
        Some(if at <= start.time {
            Ordering::Less
        } else if at > end.time {
            Ordering::Greater
        } else {
            Ordering::Equal
        })
    }

    /// The interval is over, and what was to begin at `since` is not done: it took as long as that at least. It does
    /// not count as done.
    pub fn record_unfinished(&self, since: Instant) {
        if let Some(end) = self.end.get() {
            self.durations.borrow_mut().record(end.time - since);
        }
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
            self.durations.borrow_mut().record(now - since);
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

    /// The result as JSON, and `more` in it; durations in nanoseconds. `None` before the interval is over.
    pub fn result(&self, more: &[(&str, u64)]) -> Option<String> {
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
        let others: Vec<String> = more
            .iter()
            .map(|(name, value)| format!(r#","{name}":{value}"#))
            .collect();
        Some(format!(
            r#"{{"count":{},"seconds":{},"p50":{},"p90":{},"p99":{},"p999":{},"max":{},"processor":{processor},"own":{own}{}}}"#,
            self.count.get(),
            (end.time - start.time).as_secs_f64(),
            durations.quantile(0.5),
            durations.quantile(0.9),
            durations.quantile(0.99),
            durations.quantile(0.999),
            durations.max(),
            others.concat(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unfinished_at_the_end_took_as_long_as_until_then_and_does_not_count() {
        let recorder = Recorder::new(Duration::ZERO, Duration::ZERO, None);
        recorder.begin();
        let since = Instant::now();
        recorder.record(since, 1);
        assert!(recorder.is_measuring() && !recorder.is_over());
        recorder.record(since, 1);
        assert!(recorder.is_over() && !recorder.is_measuring());
        let early = since
            .checked_sub(Duration::from_secs(1))
            .expect("the clock is older");
        assert_eq!(recorder.compare(early), Some(Ordering::Less));
        assert_eq!(recorder.compare(Instant::now()), Some(Ordering::Greater));
        recorder.record_unfinished(early);
        let durations = recorder.durations.borrow();
        assert_eq!((recorder.count.get(), durations.count()), (1, 2));
        assert!(durations.max() >= 1_000_000_000);
    }
}
