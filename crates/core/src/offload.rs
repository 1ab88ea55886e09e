//! Whether the consumer's loop leaves driving to the reactor's thread because it has no time for it.
//!
//! A loop whose thread computes all the time is relieved by a thread on another processor of what the kernel
//! takes for each message. Without a free processor the two only take time from each other, and a consumer
//! that has time to spare is faster without the hop between threads. So it is tried: when the consumer's
//! thread is busy and a processor is idle, the thread drives for a moment, and goes on if more came of it.

use std::time::Duration;

/// The part of its time from which on the consumer's thread counts as busy.
const BUSY: f64 = 0.9;
/// With less than this in use, its thread was relieved.
const RELIEVED: f64 = 0.85;
/// How many processors have to be idle, on average.
const FREE: f64 = 0.4;
/// Events a second below which there is nothing to be won.
const FEW_EVENTS: f64 = 2000.0;
/// With so much less of it at the first glance, it is for nothing.
const CLEAR_LOSS: f64 = 0.85;
/// How much more has to come of it than without; and how much less may, if the consumer's thread is relieved.
const GAIN: f64 = 1.03;
const LOSS: f64 = 0.98;
/// When so much less comes of it than at first, things have changed.
const CHANGED: f64 = 0.85;

/// What happened in some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    pub elapsed: Duration,
    /// Processor time of the consumer's thread.
    pub used: Duration,
    /// Events that the consumer took.
    pub events: u32,
    /// Idle time of all processors that the process may use, together. It is asked for if
    /// [`Sample::is_busy`].
    pub idle: Duration,
}

impl Sample {
    /// Whether the consumer's thread computes nearly all the time.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.share() >= BUSY
    }

    fn share(&self) -> f64 {
        self.used.as_secs_f64() / self.elapsed.as_secs_f64()
    }

    /// Events a second.
    fn rate(&self) -> f64 {
        f64::from(self.events) / self.elapsed.as_secs_f64()
    }

    fn wants_relief(&self) -> bool {
        self.is_busy()
            && self.rate() >= FEW_EVENTS
            && self.idle.as_secs_f64() >= FREE * self.elapsed.as_secs_f64()
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// The loop drives.
    Loop,
    /// The thread has begun to drive; `before` came of the loop's driving, in events a second.
    Begun { before: f64 },
    /// The thread drives, and is looked at for a moment.
    Glanced { before: f64 },
    /// The thread drives, and it is being found out what comes of it.
    Tried { before: f64 },
    /// The thread drives: `rate` came of it at first.
    Kept { rate: f64 },
}

/// Decides by samples, each of which begins where the one before has ended.
#[derive(Debug)]
pub struct Offload {
    state: State,
    /// How long the state lasts already.
    age: Duration,
    /// How long the loop drives until the next try.
    pause: Duration,
}

impl Default for Offload {
    fn default() -> Self {
        Self {
            state: State::Loop,
            age: Self::FIRST_PAUSE,
            pause: Self::FIRST_PAUSE,
        }
    }
}

impl Offload {
    /// How long a sample is taken that something is decided by.
    pub const SAMPLE: Duration = Duration::from_millis(60);
    /// The first sample of a try is not looked at: the thread finds what the loop has left.
    const BEGIN: Duration = Duration::from_millis(5);
    /// The second one is short, since a try may cost half of what comes of the loop.
    const GLANCE: Duration = Duration::from_millis(15);
    /// Between a try that was for nothing and the next. It doubles with each.
    const FIRST_PAUSE: Duration = Duration::from_millis(500);
    const LONGEST_PAUSE: Duration = Duration::from_secs(16);
    /// After so long the loop drives again, and it is found out anew.
    const KEPT: Duration = Duration::from_secs(10);

    /// Whether the thread is to drive.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.state != State::Loop
    }

    /// How long the next sample is to be.
    #[must_use]
    pub fn next_sample(&self) -> Duration {
        match self.state {
            State::Begun { .. } => Self::BEGIN,
            State::Glanced { .. } => Self::GLANCE,
            State::Loop | State::Tried { .. } | State::Kept { .. } => Self::SAMPLE,
        }
    }

    /// Decides anew ([`Offload::is_on`]).
    pub fn observe(&mut self, sample: &Sample) {
        self.age += sample.elapsed;
        match self.state {
            State::Loop => {
                if self.age >= self.pause && sample.wants_relief() {
                    self.enter(State::Begun {
                        before: sample.rate(),
                    });
                }
            }
            State::Begun { before } => self.enter(State::Glanced { before }),
            State::Glanced { before } if sample.rate() < CLEAR_LOSS * before => self.give_up(),
            State::Glanced { before } => self.enter(State::Tried { before }),
            State::Tried { before } => {
                let gain = sample.rate() / before;
                if gain >= GAIN || (gain >= LOSS && sample.share() < RELIEVED) {
                    self.pause = Self::FIRST_PAUSE;
                    self.enter(State::Kept { rate: sample.rate() });
                } else {
                    self.give_up();
                }
            }
            State::Kept { rate } => {
                if self.age >= Self::KEPT || sample.rate() < CHANGED * rate {
                    self.enter(State::Loop);
                }
            }
        }
    }

    /// The loop drives, and nothing was measured for so long.
    pub fn skip(&mut self, elapsed: Duration) {
        if self.is_on() {
            self.enter(State::Loop);
        }
        self.age += elapsed;
    }

    /// The try was for nothing.
    fn give_up(&mut self) {
        self.pause = (self.pause * 2).min(Self::LONGEST_PAUSE);
        self.enter(State::Loop);
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.age = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLIS: Duration = Duration::from_millis(1);

    /// What comes of `elapsed`: the share of the consumer's thread, thousands of events a second, and idle
    /// processors, the last two in thousandths.
    fn sample(elapsed: Duration, share: u32, events: u32, idle: u32) -> Sample {
        Sample {
            elapsed,
            used: elapsed * share / 100,
            events: events * u32::try_from(elapsed.as_millis()).unwrap_or(0),
            idle: elapsed * idle / 1000,
        }
    }

    const BUSY: u32 = 98;
    const HALF: u32 = 500;

    fn tried(gain_from: u32, gain_to: u32, share: u32) -> Offload {
        let mut offload = Offload::default();
        offload.observe(&sample(Offload::SAMPLE, BUSY, gain_from, HALF));
        assert!(offload.is_on());
        offload.observe(&sample(offload.next_sample(), BUSY, 0, 0));
        assert!(offload.is_on(), "what the thread finds first is not looked at");
        offload.observe(&sample(offload.next_sample(), share, gain_to, 0));
        assert!(offload.is_on(), "at the first glance");
        offload.observe(&sample(offload.next_sample(), share, gain_to, 0));
        offload
    }

    #[test]
    fn a_busy_consumer_is_relieved_while_more_comes_of_it() {
        let mut offload = tried(100, 110, BUSY);
        assert!(offload.is_on());
        offload.observe(&sample(Offload::SAMPLE, BUSY, 100, 0));
        assert!(offload.is_on(), "a little less");
        offload.observe(&sample(Offload::SAMPLE, BUSY, 80, 0));
        assert!(!offload.is_on(), "the load has changed");
    }

    #[test]
    fn the_same_for_less_of_the_consumers_time_is_better() {
        assert!(tried(100, 99, 60).is_on());
        assert!(!tried(100, 99, BUSY).is_on());
        assert!(
            !tried(100, 90, 60).is_on(),
            "the processor time of others was needed"
        );
    }

    #[test]
    fn nothing_is_tried_without_need() {
        for (share, events, idle) in [(80, 100, HALF), (BUSY, 1, HALF), (BUSY, 100, 100)] {
            let mut offload = Offload::default();
            offload.observe(&sample(Offload::SAMPLE, share, events, idle));
            assert!(!offload.is_on(), "{share} {events} {idle}");
        }
    }

    #[test]
    fn tries_that_are_for_nothing_become_rare() {
        let mut offload = tried(100, 90, BUSY);
        let mut pauses = vec![];
        for _ in 0..8 {
            let mut pause = Duration::ZERO;
            while !offload.is_on() {
                offload.observe(&sample(10 * MILLIS, BUSY, 100, HALF));
                pause += 10 * MILLIS;
            }
            pauses.push(pause.as_millis());
            offload.observe(&sample(offload.next_sample(), BUSY, 0, 0));
            offload.observe(&sample(offload.next_sample(), BUSY, 50, 0));
            assert!(!offload.is_on(), "at the first glance");
        }
        assert_eq!(pauses, [1000, 2000, 4000, 8000, 16000, 16000, 16000, 16000]);
    }

    #[test]
    fn what_was_kept_is_found_out_anew_after_a_while() {
        let mut offload = tried(100, 110, BUSY);
        let mut kept = Duration::ZERO;
        while offload.is_on() {
            offload.observe(&sample(100 * MILLIS, BUSY, 110, 0));
            kept += 100 * MILLIS;
        }
        assert_eq!(kept, Offload::KEPT);
    }
}
