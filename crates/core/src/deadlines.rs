//! Deadlines in the order of their times, each with what is to be woken then. Time comes in as an argument.

use std::collections::BTreeMap;
use std::time::Instant;

/// Names one deadline, in the order of their times; those of one time in the order in which they were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline {
    time: Instant,
    number: u64,
}

impl Deadline {
    /// Whether it has come.
    pub fn is_due(self, now: Instant) -> bool {
        self.time <= now
    }
}

/// Deadlines, each with a `W` that waits for it.
#[derive(Debug)]
pub struct Deadlines<W> {
    waiting: BTreeMap<Deadline, W>,
    last: u64,
}

impl<W> Default for Deadlines<W> {
    fn default() -> Self {
        Self {
            waiting: BTreeMap::new(),
            last: 0,
        }
    }
}

impl<W> Deadlines<W> {
    /// Adds a deadline, for which `waiter` waits.
    pub fn add(&mut self, time: Instant, waiter: W) -> Deadline {
        self.last += 1;
        let deadline = Deadline {
            time,
            number: self.last,
        };
        self.waiting.insert(deadline, waiter);
        deadline
    }

    /// `None` for one that has been taken or removed.
    pub fn remove(&mut self, deadline: Deadline) -> Option<W> {
        self.waiting.remove(&deadline)
    }

    /// The earliest time.
    pub fn next(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|(first, _)| first.time)
    }

    /// Takes those whose time has come, the earliest first.
    pub fn take_due(&mut self, now: Instant) -> Vec<W> {
        let mut due = Vec::new();
        while let Some(first) = self.waiting.first_entry()
            && first.key().is_due(now)
        {
            due.push(first.remove());
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn deadlines_come_in_the_order_of_their_times() {
        let start = Instant::now();
        let mut deadlines = Deadlines::default();
        for (seconds, name) in [(3, "third"), (1, "first"), (2, "second"), (1, "first too")] {
            deadlines.add(start + Duration::from_secs(seconds), name);
        }
        assert_eq!(deadlines.next(), Some(start + Duration::from_secs(1)));
        assert!(deadlines.take_due(start).is_empty());
        let due = deadlines.take_due(start + Duration::from_secs(2));
        assert_eq!(due, ["first", "first too", "second"]);
        assert_eq!(deadlines.next(), Some(start + Duration::from_secs(3)));
    }

    #[test]
    fn a_deadline_that_was_removed_does_not_come() {
        let start = Instant::now();
        let mut deadlines = Deadlines::default();
        let first = deadlines.add(start, 1);
        deadlines.add(start, 2);
        assert_eq!(deadlines.remove(first), Some(1));
        assert_eq!(deadlines.remove(first), None);
        assert_eq!(deadlines.take_due(start), [2]);
        assert_eq!(deadlines.next(), None);
    }

    proptest! {
        #[test]
        fn each_deadline_comes_once_in_order_and_not_before_its_time(
            steps in prop::collection::vec((0u64..50, any::<bool>(), 0u64..60), 1..60),
        ) {
            let start = Instant::now();
            let at = |millis| start + Duration::from_millis(millis);
            let mut deadlines = Deadlines::default();
            // What waits: by time, then in the order of adding.
            let mut model: Vec<(u64, usize, Deadline)> = Vec::new();
            for (n, (time, remove, now)) in steps.into_iter().enumerate() {
                let deadline = deadlines.add(at(time), n);
                model.push((time, n, deadline));
                model.sort_by_key(|&(time, n, _)| (time, n));
                if remove {
                    let (_, n, deadline) = model.remove(model.len() / 2);
                    prop_assert_eq!(deadlines.remove(deadline), Some(n));
                }
                let later = model.iter().position(|(time, ..)| *time > now).unwrap_or(model.len());
                let due: Vec<_> = model.drain(..later).map(|(_, n, _)| n).collect();
                prop_assert_eq!(deadlines.take_due(at(now)), due);
                prop_assert_eq!(deadlines.next(), model.first().map(|(time, ..)| at(*time)));
            }
        }
    }
}
