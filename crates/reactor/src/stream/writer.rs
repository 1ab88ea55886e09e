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
use crate::drive::flush_list::{Batched, Keeper};
use crate::drive::retry::Retry;
use crate::drive::timers::Timer;
use crate::event::event::Event;
use crate::sys::{self, Stream};
use ferronet_core::state::{Reading, Shutdown, Writing};
use ferronet_core::write_queue::{WINDOW, WriteQueue};

use super::connection::Connection;

/// How often one turn writes before other connections get theirs.
const WRITES_PER_TURN: usize = 16;

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// The kernel has all of it, or the current batch holds it until it ends; no event will follow.
    Whole,
    /// The rest waits; [`Event::Wrote`] will follow.
    Queued,
}

/// What was taken of a write that its writer keeps until it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// So many bytes were sent, or wait to be. The writer comes with the rest when the end of these is reported.
    pub bytes: usize,
    /// As of the whole of a write.
    pub written: Written,
}

/// Which part of a write that its writer keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The beginning. An error is answered, and nothing was taken.
    First,
    /// Of a write that the writer has accepted before. An error is reported as one of that: by what a read finds, or by an
    /// [`Event::Wrote`].
    Next,
}

/// A write that failed on the task's thread, until the consumer hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    errno: Errno,
    /// How many [`Event::Wrote`] are still owed.
    requests: usize,
    /// An [`Event::ShutDown`] is owed as well.
    shutdown: bool,
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
    /// Not reported yet: see [`Connection::report_failure`].
    failure: Option<Failure>,
    /// The socket's error, taken by a write. The kernel reports an error once, and a read that follows finds an end of
    /// file that is none.
    socket_error: Option<Errno>,
    /// How long the descriptor of a closed connection lingers.
    pub(super) deadline: Option<Timer>,
    /// The kernel had no buffers for the last write, and reports none when it has.
    no_buffers: Retry,
}

impl Writer {
    pub(super) fn new(state: Writing) -> Self {
        Self {
            state,
            queue: WriteQueue::default(),
            keeper: Keeper::Nobody,
            peer_ended: false,
            relays: Vec::new(),
            failure: None,
            socket_error: None,
            deadline: None,
            no_buffers: Retry::default(),
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
        self.failure = None;
        self.deadline = None;
        self.no_buffers.end();
        self.wake_relays();
    }

    /// Nothing can be sent any more. The consumer is told by [`Connection::report_failure`].
    pub(super) fn fail(&mut self, errno: Errno) {
        self.note_error(errno);
        self.failure = Some(Failure {
            errno,
            requests: self.queue.clear(),
            shutdown: self.state == Writing::Draining,
        });
        self.state.close();
        self.wake_relays();
    }

    /// As [`Writer::fail`], for a request that is not in the queue.
    fn fail_request(&mut self, errno: Errno) {
        if self.failure.is_none() {
            self.fail(errno);
        }
        if let Some(failure) = &mut self.failure {
            failure.requests += 1;
        }
    }

    /// A write has failed with `errno`, which may have been the socket's error. `EPIPE` is not: it says that this side
    /// cannot send, and leaves what a read will find as it is.
    fn note_error(&mut self, errno: Errno) {
        if errno != Errno::EPIPE {
            self.socket_error.get_or_insert(errno);
        }
    }

    /// What a read means that has found an end of file.
    pub(super) fn end_of_file(&self) -> Errno {
        self.socket_error.unwrap_or(Errno::EOF)
    }

    /// The handle is closed. Answers whether bytes are left that were reported as written and can be sent.
    pub(super) fn linger(&mut self) -> bool {
        let lingers = self.queue.has_ahead() && self.state.linger();
        if lingers {
            self.queue.drop_requests();
            self.failure = None;
            self.wake_relays();
        }
        lingers
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// The consumer learns of the failure otherwise, or has closed the connection.
    pub(super) fn forget_failure(&mut self) {
        self.failure = None;
    }
}

impl Connection {
    pub(crate) fn write(self: &Arc<Self>, chunks: &[IoSlice<'_>]) -> Result<Written, Errno> {
        self.accept(chunks, usize::MAX).map(|accepted| accepted.written)
    }

    pub(crate) fn write_window(
        self: &Arc<Self>,
        chunks: &[IoSlice<'_>],
        window: Window,
    ) -> Result<Accepted, Errno> {
        match self.accept(chunks, WINDOW) {
            Err(errno) if window == Window::Next && errno != Errno::EBADF => {
                self.writer.lock().fail_request(errno);
                Arc::clone(self).wake();
                Ok(Accepted {
                    bytes: 0,
                    written: Written::Queued,
                })
            }
            accepted => accepted,
        }
    }

    /// Sends what the kernel takes, and queues `most` bytes of the rest.
    fn accept(self: &Arc<Self>, chunks: &[IoSlice<'_>], most: usize) -> Result<Accepted, Errno> {
        let stream = self.stream.read();
        let stream = stream.as_ref().ok_or(Errno::EBADF)?;
        let mut writer = self.writer.lock();
        if !writer.state.accepts_writes() {
            return Err(Errno::EPIPE);
        }
        let total: usize = chunks.iter().map(|chunk| chunk.len()).sum();
        let whole = Accepted {
            bytes: total,
            written: Written::Whole,
        };
        let mut sent = 0;
        if writer.state == Writing::Open {
            if !writer.peer_ended && writer.queue.has_room_ahead(total) && self.hold(&mut writer, chunks) {
                return Ok(whole);
            }
            // Behind a request there is nothing to try: its task waits for the kernel.
            if !writer.queue.has_requests() {
                self.send_ahead(stream, &mut writer)?;
            }
            if writer.queue.is_empty() {
                sent = match stream.write_now(chunks) {
                    Ok(sent) => sent,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                    Err(error) => {
                        let errno = Errno::from(error);
                        writer.note_error(errno);
                        return Err(errno);
                    }
                };
                if sent == total {
                    return Ok(whole);
                }
            }
        }
        let queued = writer.queue.push(chunks, sent, most);
        drop(writer);
        Arc::clone(self).wake();
        Ok(Accepted {
            bytes: sent + queued,
            written: Written::Queued,
        })
    }

    /// Keeps `chunks` for the end of the batch that is being told, if there is one and they are safe there.
    fn hold(self: &Arc<Self>, writer: &mut Writer, chunks: &[IoSlice<'_>]) -> bool {
        if self.is_shared() {
            return false;
        }
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
        if !writer.state.sends() || !writer.queue.has_ahead() {
            return Ok(());
        }
        match writer.queue.send_ahead(|bytes| stream.write_now(bytes)) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                let errno = Errno::from(error);
                writer.note_error(errno);
                return Err(errno);
            }
            _ => {}
        }
        if writer.queue.is_empty() {
            writer.wake_relays();
        }
        // The rest, or what comes behind it, is the task's.
        if !writer.queue.is_empty() || writer.state != Writing::Open {
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
        if writer.state == Writing::Lingering {
            writer.close();
            return;
        }
        writer.state.close();
        // Before the end that a read finds now: the kernel tells an error once, and has told it here.
        self.events.push_pending(Event::Broken { id: self.id, errno });
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
                self.events.push_pending(Event::ShutDown { id: self.id, result });
                Ok(())
            }
            Shutdown::Later => Ok(()),
            Shutdown::Refused => Err(Errno::ENOTCONN),
        }
    }

    // ---- the task, on the thread that drives

    pub(super) fn write_turn(&self, stream: &Stream, cx: &mut Context<'_>) {
        let mut writer = self.writer.lock();
        if !writer.state.sends() {
            return;
        }
        if writer.deadline.as_ref().is_some_and(Timer::is_due) {
            writer.close();
            return;
        }
        if writer.no_buffers.is_pausing() {
            return;
        }
        for _ in 0..WRITES_PER_TURN {
            if writer.queue.is_empty() {
                break;
            }
            let Poll::Ready(written) = stream.poll_write(cx, &writer.queue.slices()) else {
                return;
            };
            match written {
                Ok(taken) => {
                    writer.no_buffers.end();
                    for _ in 0..writer.queue.advance(taken) {
                        self.events.push(Event::Wrote {
                            id: self.id,
                            result: Ok(()),
                        });
                    }
                }
                Err(error) if sys::is_out_of_buffers(&error) => {
                    writer.no_buffers.pause(&self.shard.timers, cx.waker().clone());
                    return;
                }
                Err(_) if writer.state == Writing::Lingering => drop(writer.queue.clear()),
                Err(error) => {
                    writer.fail(error.into());
                    return;
                }
            }
        }
        if !writer.queue.is_empty() {
            // The kernel takes more, but the others come first.
            cx.waker().wake_by_ref();
            return;
        }
        if writer.state == Writing::Lingering {
            writer.close();
            return;
        }
        writer.wake_relays();
        if writer.state.drained() {
            let result = stream.shutdown_write().map_err(Errno::from);
            self.events.push(Event::ShutDown { id: self.id, result });
        }
    }

    /// Reports a failed write, at the end of a turn.
    ///
    /// libuv reads before it writes, so a reset is the read's error, and the writes that waited are cancelled by the
    /// close that follows. Here a write may meet the error first, on any thread. So a consumer that reads is asked to
    /// take what the read finds ([`Connection::take`] reports the failure if that was no error), and only one that does
    /// not read hears of the write.
    pub(super) fn report_failure(&self) {
        if !self.writer.lock().has_failed() {
            return;
        }
        let mut reader = self.reader.lock();
        if reader.state == Reading::Flowing {
            // What is left to read goes the consumer's way, behind what was relayed.
            reader.relay.end();
            if !std::mem::replace(&mut reader.announced, true) {
                self.events.push(Event::Readable { id: self.id });
            }
        } else {
            self.deliver_failure(&mut self.writer.lock());
        }
    }

    /// Reports the failure that there is, if any, as one of writes.
    pub(super) fn deliver_failure(&self, writer: &mut Writer) {
        let Some(failure) = writer.failure.take() else {
            return;
        };
        let (id, result) = (self.id, Err(failure.errno));
        for _ in 0..failure.requests {
            self.events.push(Event::Wrote { id, result });
        }
        if failure.requests == 0 {
            self.events.push(Event::Broken {
                id,
                errno: failure.errno,
            });
        }
        if failure.shutdown {
            self.events.push(Event::ShutDown { id, result });
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
