//! An open loop: round trips are due at a fixed rate, whether or not the peer keeps up. A latency counts from the moment
//! at which the message was due, so a peer that stalls is charged for all that it kept waiting.
//!
//! A connection has one message under way. What is due meanwhile is sent as soon as the answer is there, so nothing
//! grows but the distance to the schedule. Beside the usual result:
//!
//! - `offered`: the rate, in round trips a second. What was achieved is `count` in `seconds`.
//! - `late`: messages whose connection still waited for an answer when they were due.
//! - `unsent`: messages that were due in the interval and not sent by its end. The quantiles have them, and those without
//!   an answer by then, with the time until the end.
//! - `lag`: nanoseconds by which this program sent messages too late whose connection was free; 99 % are below. Latencies
//!   contain it.
//!
//! `{"measuring":true}` comes first, at the beginning of the interval.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::future::poll_fn;
use std::io;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Instant;

use ferronet_benchmark::connection::Connection;
use ferronet_benchmark::durations::Durations;
use ferronet_benchmark::parent;
use ferronet_benchmark::schedule::Schedule;
use ferronet_benchmark::sleeper::Sleeper;
use tokio::task::spawn_local;

use super::{Error, Load, Work, close, in_parallel, open};

/// Round trips a second. Messages that were not sent are counted one by one at the end.
const MOST: u32 = 10_000_000;

struct Pace {
    schedule: Schedule,
    began: Instant,
    /// By connection: those that wait until their next message is due.
    free: RefCell<Vec<Option<Waker>>>,
    late: Cell<u64>,
    unsent: Cell<u64>,
    lag: RefCell<Durations>,
}

impl Pace {
    fn new(schedule: Schedule, connections: usize) -> Self {
        Self {
            schedule,
            began: Instant::now(),
            free: RefCell::new(vec![None; connections]),
            late: Cell::new(0),
            unsent: Cell::new(0),
            lag: RefCell::new(Durations::new()),
        }
    }

    fn due(&self, request: u64) -> Instant {
        self.began + self.schedule.due(request)
    }

    /// Wakes the connections whose messages are due, at the times of the schedule, until the interval is over.
    async fn keep(&self, load: &Load) -> io::Result<()> {
        let sleeper = Sleeper::new()?;
        let mut next = 0;
        while !load.recorder.is_over() {
            sleeper.sleep_until(self.due(next)).await?;
            let due = self.schedule.due_until(self.began.elapsed());
            while next < due {
                match self.free.borrow_mut()[self.schedule.connection(next)].take() {
                    Some(waker) => waker.wake(),
                    None if load.recorder.is_measuring() => self.late.set(self.late.get() + 1),
                    None => {}
                }
                next += 1;
            }
        }
        for waker in self.free.borrow_mut().drain(..).flatten() {
            waker.wake();
        }
        Ok(())
    }

    /// Waits until a message is due, or until the interval is over. Returns when it is due.
    async fn until_due(&self, request: u64, load: &Load) -> Instant {
        let due = self.due(request);
        if Instant::now() >= due {
            return due;
        }
        poll_fn(|context| {
            let now = Instant::now();
            if load.recorder.is_over() {
                return Poll::Ready(());
            }
            if now >= due {
                if load.recorder.is_measuring() {
                    self.lag.borrow_mut().record(now - due);
                }
                return Poll::Ready(());
            }
            self.free.borrow_mut()[self.schedule.connection(request)] = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
        due
    }

    /// One connection, from its first message to the end of the interval.
    async fn send_and_receive(
        &self,
        mut request: u64,
        load: &Load,
        mut stream: Connection,
    ) -> io::Result<()> {
        loop {
            let due = self.until_due(request, load).await;
            if load.recorder.is_over() {
                break;
            }
            load.trip(&mut stream, &load.message).await?;
            if load.recorder.is_over() {
                // Sent in the interval or before, and not answered in it.
                load.recorder.record_unfinished(due);
            } else {
                let before = load.recorder.is_measuring();
                load.recorder.record(due, 1);
                if !before && load.recorder.is_measuring() {
                    parent::report(r#"{"measuring":true}"#)?;
                }
            }
            request = self.schedule.next(request);
        }
        loop {
            let due = self.due(request);
            match load.recorder.compare(due) {
                // A peer that is this far behind already was in the warm-up.
                Some(Ordering::Less) => {}
                Some(Ordering::Equal) => {
                    self.unsent.set(self.unsent.get() + 1);
                    load.recorder.record_unfinished(due);
                }
                Some(Ordering::Greater) | None => break,
            }
            request = self.schedule.next(request);
        }
        close(stream).await
    }
}

pub(super) async fn run(load: &Rc<Load>) -> Result<(), Error> {
    let rate = load.rate.ok_or("--rate is missing")?;
    if rate.get() > MOST {
        return Err(format!("--rate takes {MOST} at most").into());
    }
    let connections = NonZeroUsize::new(load.connections).ok_or("--connections is missing")?;
    let streams = open(load, Work::Echo).await?;
    load.recorder.begin();
    let pace = Rc::new(Pace::new(Schedule::new(rate, connections), load.connections));
    let keeper = spawn_local({
        let (load, pace) = (Rc::clone(load), Rc::clone(&pace));
        async move { pace.keep(&load).await }
    });
    in_parallel(streams.into_iter().zip(0_u64..).map(|(stream, first)| {
        let (load, pace) = (Rc::clone(load), Rc::clone(&pace));
        async move { pace.send_and_receive(first, &load, stream).await }
    }))
    .await?;
    keeper.await??;
    let more = [
        ("offered", u64::from(pace.schedule.rate())),
        ("late", pace.late.get()),
        ("unsent", pace.unsent.get()),
        ("lag", pace.lag.borrow().quantile(0.99)),
    ];
    parent::report(&load.recorder.result(&more).ok_or("nothing was measured")?)?;
    Ok(())
}
