//! Measures what the consumer's thread and the processors do, for [`Offload`].

use std::time::{Duration, Instant};

use ferronet_core::offload::{Offload, Sample};

use crate::event::queue::EventQueue;

use super::driven::Driven;

/// What the clocks and counters said at a moment.
#[derive(Clone, Copy, Debug)]
struct Reading {
    at: Instant,
    used: Duration,
    events: u32,
    /// Asked for only while the consumer is busy, since it is a file that is read.
    idle: Option<Duration>,
}

/// The reactor's thread has it, whether it drives or watches.
#[derive(Debug)]
pub(super) struct Meter {
    offload: Offload,
    last: Reading,
}

impl Meter {
    pub(super) fn new<D: Driven>(driven: &D, events: &EventQueue) -> Self {
        Self {
            offload: Offload::default(),
            last: Reading::now(driven, events),
        }
    }

    /// Whether the thread drives by its advice.
    pub(super) fn is_on(&self) -> bool {
        self.offload.is_on()
    }

    /// The loop drives, and what is measured begins now.
    pub(super) fn restart<D: Driven>(&mut self, driven: &D, events: &EventQueue) {
        self.offload.skip(self.last.at.elapsed());
        self.last = Reading::now(driven, events);
    }

    /// Whether the thread is to drive. Asks the clock, and the other meters when it is time to.
    pub(super) fn wants_thread<D: Driven>(&mut self, driven: &D, events: &EventQueue) -> bool {
        if self.last.at.elapsed() >= self.offload.next_sample() {
            let mut now = Reading::now(driven, events);
            let mut sample = Sample {
                elapsed: now.at.saturating_duration_since(self.last.at),
                used: now.used.saturating_sub(self.last.used),
                events: now.events.wrapping_sub(self.last.events),
                idle: Duration::ZERO,
            };
            if !self.offload.is_on() && sample.is_busy() {
                now.idle = driven.idle_time();
                if let (Some(now), Some(before)) = (now.idle, self.last.idle) {
                    sample.idle = now.saturating_sub(before);
                }
            }
            self.last = now;
            self.offload.observe(&sample);
        }
        self.offload.is_on()
    }
}

impl Reading {
    fn now<D: Driven>(driven: &D, events: &EventQueue) -> Self {
        Self {
            at: Instant::now(),
            used: driven.consumer_time(),
            events: events.taken(),
            idle: None,
        }
    }
}
