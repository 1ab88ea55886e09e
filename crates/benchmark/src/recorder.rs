//! Counts what happens in the measured interval: after the warm-up, until the time is up.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use crate::histogram::Histogram;
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

/// The interval starts and ends with the first thing that happens after its time has come. So it needs no timer, and
/// the count fits the time, however rarely something happens.
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
    durations: RefCell<Histogram>,
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
            durations: RefCell::default(),
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

    /// Something that was begun at `since` is done; it counts `amount`. Answers the time, as the next thing's start.
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
            durations.quantile(500),
            durations.quantile(900),
            durations.quantile(990),
            durations.most(),
        ))
    }
}
