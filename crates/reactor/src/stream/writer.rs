//! The state of the sending half of a connection.

use std::sync::Arc;
use std::task::{Context, Waker};

use ferronet_core::state::Writing;
use ferronet_core::write_queue::WriteQueue;

use crate::drive::flush_list::FlushOwner;
use crate::drive::retry::Retry;
use crate::drive::timers::{Timer, Timers};
use crate::socket::errno::Errno;

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// No event will follow: the kernel has all of it, or it is batched and sent when the current batch ends.
    /// The consumer may report it as written; a failure to send it is an
    /// [`Event::Broken`](crate::Event::Broken).
    Completed,
    /// The rest waits; [`Event::Wrote`](crate::Event::Wrote) will follow.
    Queued,
}

/// What was taken of a write that its writer keeps until it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// So many bytes were sent, or wait to be. The writer comes with the rest when the end of these is
    /// reported.
    pub bytes: usize,
    /// As of the whole of a write.
    pub written: Written,
}

/// Which part of a write that its writer keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The beginning. An error is returned, and nothing was taken.
    First,
    /// Of a write that the writer has accepted before. An error is reported as one of that: by what a read
    /// finds, or by an [`Event::Wrote`](crate::Event::Wrote).
    Next,
}

/// A write that failed on the task's thread, until it is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) errno: Errno,
    /// How many [`Event::Wrote`](crate::Event::Wrote) are still owed.
    pub(super) requests: usize,
    /// An [`Event::ShutDown`](crate::Event::ShutDown) is owed as well.
    pub(super) shutdown: bool,
}

/// What few connections need.
#[derive(Debug, Default)]
struct Extra {
    /// Tasks of relays that wait until the queue is empty.
    relays: Vec<Waker>,
    /// Not reported yet: see `failure.rs`.
    failure: Option<Failure>,
    /// When the task has to run though nothing else wakes it: for the stream
    /// ([`take_retry_time`](super::io::StreamIo::take_retry_time)) while the handle is open, and at the end
    /// of lingering.
    timer: Option<Timer>,
    /// The kernel had no buffers for the last write, and reports none when it has.
    no_buffers: Retry,
}

#[derive(Debug)]
pub(super) struct Writer {
    pub(super) state: Writing,
    pub(super) queue: WriteQueue,
    /// Who flushes the batched writes, while the connection is on the flush list.
    pub(super) flush_owner: FlushOwner,
    /// The peer has ended. It may have closed its socket, and then a write fails, which has to be known at
    /// once.
    pub(super) peer_ended: bool,
    /// The socket's error, taken by a write. The kernel reports an error once, and a read that follows finds
    /// an end of file that is none.
    socket_error: Option<Errno>,
    /// In a box, since every idle connection would pay for the room.
    extra: Option<Box<Extra>>,
}

impl Writer {
    pub(super) fn new(state: Writing) -> Self {
        Self {
            state,
            queue: WriteQueue::default(),
            flush_owner: FlushOwner::None,
            peer_ended: false,
            socket_error: None,
            extra: None,
        }
    }

    fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// Replaces the timer that there was.
    pub(super) fn set_timer(&mut self, timer: Timer) {
        self.extra().timer = Some(timer);
    }

    /// Whether the time of the timer has come.
    pub(super) fn timer_is_due(&self) -> bool {
        let timer = self.extra.as_ref().and_then(|extra| extra.timer.as_ref());
        timer.is_some_and(Timer::is_due)
    }

    /// The kernel has no buffers for a write: has `waker` woken for the next try.
    pub(super) fn pause(&mut self, timers: &Arc<Timers>, waker: Waker) {
        self.extra().no_buffers.pause(timers, waker);
    }

    /// Whether it is too early for the next try.
    pub(super) fn is_pausing(&self) -> bool {
        self.extra
            .as_ref()
            .is_some_and(|extra| extra.no_buffers.is_pausing())
    }

    /// The kernel has buffers.
    pub(super) fn end_pause(&mut self) {
        if let Some(extra) = &mut self.extra {
            extra.no_buffers.end();
        }
    }

    pub(super) fn wait_for_room(&mut self, cx: &Context<'_>) {
        let relays = &mut self.extra().relays;
        if !relays.iter().any(|waiting| waiting.will_wake(cx.waker())) {
            relays.push(cx.waker().clone());
        }
    }

    /// The queue is empty, or will never be.
    pub(super) fn wake_relays(&mut self) {
        let Some(extra) = &mut self.extra else { return };
        for waiting in extra.relays.drain(..) {
            waiting.wake();
        }
    }

    /// The connection is closed: what was queued is dropped.
    pub(super) fn close(&mut self) {
        self.state.close();
        self.queue.clear();
        self.wake_relays();
        self.extra = None;
    }

    /// As [`Writer::fail`], of bytes that were reported as written: an event of their own reports it.
    pub(super) fn break_off(&mut self) {
        self.queue.clear();
        self.state.close();
        self.wake_relays();
    }

    /// Nothing can be sent any more. `failure.rs` reports it.
    pub(super) fn fail(&mut self, errno: Errno) {
        self.note_error(errno);
        let failure = Failure {
            errno,
            requests: self.queue.clear(),
            shutdown: self.state == Writing::Draining,
        };
        self.extra().failure = Some(failure);
        self.state.close();
        self.wake_relays();
    }

    /// As [`Writer::fail`], for a request that is not in the queue.
    pub(super) fn fail_request(&mut self, errno: Errno) {
        if !self.has_failed() {
            self.fail(errno);
        }
        if let Some(failure) = &mut self.extra().failure {
            failure.requests += 1;
        }
    }

    /// A write has failed with `errno`, which may have been the socket's error. `EPIPE` is not: it says that
    /// this side cannot send, and leaves what a read will find as it is.
    pub(super) fn note_error(&mut self, errno: Errno) {
        if errno != Errno::EPIPE {
            self.socket_error.get_or_insert(errno);
        }
    }

    /// What a read means that has found an end of file.
    pub(super) fn end_of_file(&self) -> Errno {
        self.socket_error.unwrap_or(Errno::EOF)
    }

    /// The handle is closed. Returns whether bytes are left that were reported as written and can be sent.
    pub(super) fn linger(&mut self) -> bool {
        let lingers = self.queue.has_batched() && self.state.linger();
        if lingers {
            self.queue.drop_requests();
            self.forget_failure();
            self.wake_relays();
        }
        lingers
    }

    pub(super) fn has_failed(&self) -> bool {
        self.extra.as_ref().is_some_and(|extra| extra.failure.is_some())
    }

    /// The failure that is not reported yet, for its report.
    pub(super) fn take_failure(&mut self) -> Option<Failure> {
        self.extra.as_mut()?.failure.take()
    }

    /// The consumer learns of the failure otherwise, or has closed the connection.
    pub(super) fn forget_failure(&mut self) {
        self.take_failure();
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_relay_that_waits_for_room_is_woken_when_nothing_can_be_sent_any_more() {
        let ways: [fn(&mut Writer); 3] = [Writer::break_off, Writer::close, |writer| {
            writer.fail(Errno::EPIPE);
        }];
        for (way, end) in ways.into_iter().enumerate() {
            let mut writer = Writer::new(Writing::Open);
            writer.queue.push_batched(&[IoSlice::new(b"reported as written")]);
            let relay = Arc::new(Woken::default());
            writer.wait_for_room(&Context::from_waker(&Waker::from(Arc::clone(&relay))));
            end(&mut writer);
            assert!(writer.queue.is_empty() && !writer.state.sends());
            assert!(relay.0.load(Ordering::Relaxed), "way {way}");
        }
    }
}
