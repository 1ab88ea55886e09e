//! The task of a connection.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Waker};

use crate::drive::run_queue::{Driving, Task};

use super::connection::Connection;
use super::io::StreamIo;

impl Task for Connection {
    /// One turn: connect, read, write, each as far as it goes without waiting.
    fn turn(self: Arc<Self>, by: Driving) {
        // First, so that a wake from now on is not lost.
        self.queued.store(false, Ordering::Release);
        let place = self.stream.read();
        let Some(stream) = place.as_ref() else { return };
        let waker = Waker::from(Arc::clone(&self));
        let mut cx = Context::from_waker(&waker);
        self.connect_turn(stream, &mut cx);
        if !self.relay_turn(stream, &mut cx) {
            self.receive_turn(by, stream, &mut cx);
        }
        let has_failed = self.write_turn(stream, &mut cx);
        self.retry_later(stream, &waker);
        if has_failed {
            self.report_failure();
        }
        drop(place);
        self.end_lingering();
    }
}

impl Connection {
    /// Has the task woken when `stream`, on which it waits, has to be asked again.
    pub(super) fn retry_later(&self, stream: &StreamIo, waker: &Waker) {
        if let Some(at) = stream.take_retry_time() {
            let timer = self.shard.timers.wake_at(at, waker.clone());
            self.writer.lock().set_timer(timer);
        }
    }
}
