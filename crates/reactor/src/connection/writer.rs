//! The half of a connection that sends.
//!
//! What is written goes to the kernel at once, or, while a batch of events is told, to the kernel at its end
//! (`outbox.rs` knows who has to be sent then); what the kernel does not take waits in the queue for the task. FIN goes
//! behind all of it.
//!
//! `writer` is locked over every write, so that bytes keep their order whoever sends them.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, Wake as _, Waker};

use crate::Errno;
use crate::event::Event;
use crate::outbox::{Batched, Keeper};
use crate::state::{Shutdown, Writing};
use crate::sys::Stream;
use crate::write_queue::WriteQueue;

use super::Connection;

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// The kernel took all of it; no event will follow.
    Whole,
    /// The rest waits; [`Event::Wrote`] will follow.
    Queued,
}

#[derive(Debug)]
pub(super) struct Writer {
    pub(super) state: Writing,
    pub(super) queue: WriteQueue,
    /// Who looks after what is kept, while the outbox knows that something is.
    keeper: Keeper,
    /// The peer has ended. It may have gone altogether, and then a write fails: to be known at once.
    pub(super) peer_ended: bool,
    /// Tasks of relays that wait until the queue is empty.
    relays: Vec<Waker>,
}

impl Writer {
    pub(super) fn new(state: Writing) -> Self {
        Self {
            state,
            queue: WriteQueue::default(),
            keeper: Keeper::Nobody,
            peer_ended: false,
            relays: Vec::new(),
        }
    }

    pub(super) fn wait_for_room(&mut self, cx: &Context<'_>) {
        if !self.relays.iter().any(|waiting| waiting.will_wake(cx.waker())) {
            self.relays.push(cx.waker().clone());
        }
    }

    /// The queue is empty, or will never be.
    pub(super) fn wake_relays(&mut self) {
        for waiting in self.relays.drain(..) {
            waiting.wake();
        }
    }

    /// The connection is closed: what was queued is dropped.
    pub(super) fn close(&mut self) {
        self.state.close();
        self.queue.clear();
        self.wake_relays();
    }
}

impl Connection {
    pub(crate) fn write(self: &Arc<Self>, chunks: &[IoSlice<'_>]) -> Result<Written, Errno> {
        let stream = self.stream.read();
        let stream = stream.as_ref().ok_or(Errno::EBADF)?;
        let mut writer = self.writer.lock();
        if !writer.state.accepts_writes() {
            return Err(Errno::EPIPE);
        }
        let total: usize = chunks.iter().map(|chunk| chunk.len()).sum();
        let mut sent = 0;
        if writer.state == Writing::Open {
            if !writer.peer_ended && writer.queue.has_room_ahead(total) && self.hold(&mut writer, chunks) {
                return Ok(Written::Whole);
            }
            // Behind a request there is nothing to try: its task waits for the kernel.
            if !writer.queue.has_requests() {
                self.send_ahead(stream, &mut writer)?;
            }
            if writer.queue.is_empty() {
                sent = match stream.write_now(chunks) {
                    Ok(sent) => sent,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                    Err(error) => return Err(error.into()),
                };
                if sent == total {
                    return Ok(Written::Whole);
                }
            }
        }
        writer.queue.push(chunks, sent);
        drop(writer);
        Arc::clone(self).wake();
        Ok(Written::Queued)
    }

    /// Keeps `chunks` for the end of the batch that is being told, if there is one and they are safe there.
    fn hold(self: &Arc<Self>, writer: &mut Writer, chunks: &[IoSlice<'_>]) -> bool {
        if writer.keeper == Keeper::Nobody {
            writer.keeper = self.shard.outbox.push(self);
        }
        match writer.keeper {
            Keeper::Nobody => return false,
            Keeper::Onlooker => {}
            Keeper::Driver => Arc::clone(self).wake(),
        }
        writer.queue.push_ahead(chunks);
        true
    }

    /// Sends what was told as sent: what a batch has kept, or has left to a task that has not come to it. The rest of
    /// what the kernel takes now waits for the task.
    fn send_ahead(self: &Arc<Self>, stream: &Stream, writer: &mut Writer) -> Result<(), Errno> {
        writer.keeper = Keeper::Nobody;
        if writer.state != Writing::Open || !writer.queue.has_ahead() {
            return Ok(());
        }
        match writer.queue.send_ahead(|bytes| stream.write_now(bytes)) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error.into()),
            _ => {}
        }
        if writer.queue.is_empty() {
            writer.wake_relays();
        } else {
            Arc::clone(self).wake();
        }
        Ok(())
    }

    /// The batch is over, or all is: sends what was told as sent. An error is told, since the write that it belongs to is
    /// not waited for.
    pub(crate) fn end_of_batch(self: &Arc<Self>) {
        let stream = self.stream.read();
        let Some(stream) = stream.as_ref() else { return };
        let mut writer = self.writer.lock();
        if let Err(errno) = self.send_ahead(stream, &mut writer) {
            self.broken(&mut writer, errno);
        }
    }

    fn broken(&self, writer: &mut Writer, errno: Errno) {
        writer.queue.clear();
        writer.state.close();
        // Before the end that a read finds now: the kernel tells an error once, and has told it here.
        self.events.push_completed(Event::Broken { id: self.id, errno });
    }

    /// Bytes that `write` accepted and that the kernel has not taken.
    pub(crate) fn write_queue_size(&self) -> usize {
        self.writer.lock().queue.waiting()
    }

    /// Sends FIN behind what is queued. [`Event::ShutDown`] tells when.
    pub(crate) fn shutdown(self: &Arc<Self>) -> Result<(), Errno> {
        let stream = self.stream.read();
        let stream = stream.as_ref().ok_or(Errno::EBADF)?;
        let mut writer = self.writer.lock();
        if let Err(errno) = self.send_ahead(stream, &mut writer) {
            self.broken(&mut writer, errno);
        }
        let queue_is_empty = writer.queue.is_empty();
        match writer.state.shutdown(queue_is_empty) {
            Shutdown::Now => {
                drop(writer);
                let result = stream.shutdown_write().map_err(Errno::from);
                self.events
                    .push_completed(Event::ShutDown { id: self.id, result });
                Ok(())
            }
            Shutdown::Later => Ok(()),
            Shutdown::Refused => Err(Errno::ENOTCONN),
        }
    }

    // ---- the task, on the thread that drives

    pub(super) fn write_turn(&self, stream: &Stream, cx: &mut Context<'_>) {
        let mut writer = self.writer.lock();
        if !matches!(writer.state, Writing::Open | Writing::Draining) {
            return;
        }
        while !writer.queue.is_empty() {
            let Poll::Ready(written) = stream.poll_write(cx, &writer.queue.slices()) else {
                return;
            };
            let (done, result) = match written {
                Ok(taken) => (writer.queue.advance(taken), Ok(())),
                // What is behind a failed write will not go out either; JavaScript closes the handle at the first.
                Err(error) => (writer.queue.clear(), Err(Errno::from(error))),
            };
            for _ in 0..done {
                self.events.push(Event::Wrote { id: self.id, result });
            }
            if let Err(errno) = result {
                if done == 0 {
                    self.events.push(Event::Broken { id: self.id, errno });
                }
                if writer.state == Writing::Draining {
                    self.events.push(Event::ShutDown {
                        id: self.id,
                        result: Err(errno),
                    });
                }
                writer.state.close();
                break;
            }
        }
        writer.wake_relays();
        if writer.state.drained() {
            let result = stream.shutdown_write().map_err(Errno::from);
            self.events.push(Event::ShutDown { id: self.id, result });
        }
    }
}

impl Batched for Connection {
    fn send(self: Arc<Self>) {
        self.end_of_batch();
    }

    fn hand_over(self: Arc<Self>) {
        let mut writer = self.writer.lock();
        writer.keeper = Keeper::Nobody;
        let rest = !writer.queue.is_empty();
        drop(writer);
        if rest {
            self.wake();
        }
    }
}
