//! What a listener has accepted, and what keeps it from accepting.

use std::collections::VecDeque;

use ferronet_core::handles::HandleId;

use crate::drive::retry::Retry;
use crate::sys::{self, OwnedDescriptor};

/// How many connections one turn accepts or refuses, or tries to, before the others get theirs.
pub(super) const ACCEPTS_PER_TURN: usize = 32;

/// How many accepted connections may wait for the consumer, who has asked for `backlog`: as many as the
/// kernel would let wait. To a negative number it gives its largest.
pub(super) fn accept_limit(backlog: i32) -> usize {
    let largest = sys::largest_backlog();
    usize::try_from(backlog).unwrap_or(largest).min(largest).max(1)
}

/// Which thread reports a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reporter {
    Task,
    Caller,
}

/// A connection, as a listener gives it to the consumer.
#[derive(Debug)]
pub enum Incoming {
    /// A handle of the reactor.
    Handle(HandleId),
    /// A descriptor, which the reactor has nothing to do with any more.
    Descriptor(OwnedDescriptor),
}

impl Incoming {
    /// The handle, if it is one.
    pub fn handle(self) -> Option<HandleId> {
        match self {
            Self::Handle(id) => Some(id),
            Self::Descriptor(_) => None,
        }
    }
}

/// Connections that were accepted and not taken.
#[derive(Debug, Default)]
pub(super) struct Accepted {
    pub(super) waiting: VecDeque<Incoming>,
    /// The task is woken when one is taken, or when the consumer takes no more in its turn.
    pub(super) task_waits: bool,
    /// An [`Event::Connection`](crate::Event::Connection) is queued, or the consumer is answering one. There
    /// is one at a time.
    pub(super) is_reported: bool,
}

impl Accepted {
    /// Whether one more may wait, if `most` may.
    pub(super) fn has_room(&self, most: usize) -> bool {
        self.waiting.len() < most
    }
}

/// What keeps the task from accepting.
#[derive(Debug, Default)]
pub(super) struct AcceptState {
    /// No descriptor is left for the connections that wait, and the consumer's thread is asked to refuse
    /// them.
    pub(super) exhausted: bool,
    /// The process exits.
    pub(super) stopped: bool,
    pub(super) retry: Retry,
}

impl AcceptState {
    pub(super) fn is_paused(&self) -> bool {
        self.exhausted || self.stopped || self.retry.is_pausing()
    }
}
