//! The sending half of a connection.
//!
//! What is written goes to the kernel at once, or, while a batch of events is delivered, at the end of the
//! batch (`flush_list.rs` has the connections to flush then); what the kernel does not take waits in the
//! queue for the task. FIN goes behind all of it.
//!
//! `writer` is locked over every write, so that bytes keep their order whichever thread sends them.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, Wake as _};

use ferronet_core::state::{Shutdown, Writing};
use ferronet_core::write_queue::WINDOW;

use crate::drive::flush_list::{Flush, FlushOwner};
use crate::event::event::Event;
use crate::socket::errno::Errno;
use crate::sys;

use super::connection::Connection;
use super::io::StreamIo;
use super::writer::{Accepted, Window, Writer, Written};

/// How often one turn writes before other connections get theirs.
const WRITES_PER_TURN: usize = 16;

impl Connection {
    pub(crate) fn write(self: &Arc<Self>, chunks: &[IoSlice<'_>]) -> Result<Written, Errno> {
        self.accept_write(chunks, usize::MAX)
            .map(|accepted| accepted.written)
    }

    pub(crate) fn write_window(
        self: &Arc<Self>,
        chunks: &[IoSlice<'_>],
        window: Window,
    ) -> Result<Accepted, Errno> {
        match self.accept_write(chunks, WINDOW) {
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
    fn accept_write(self: &Arc<Self>, chunks: &[IoSlice<'_>], most: usize) -> Result<Accepted, Errno> {
        let stream = self.stream.read();
        let stream = stream.as_ref().ok_or(Errno::EBADF)?;
        let mut writer = self.writer.lock();
        if !writer.state.accepts_writes() {
            return Err(Errno::EPIPE);
        }
        let total: usize = chunks.iter().map(|chunk| chunk.len()).sum();
        let whole = Accepted {
            bytes: total,
            written: Written::Completed,
        };
        let mut sent = 0;
        if writer.state == Writing::Open {
            if !writer.peer_ended && writer.queue.can_batch(total) && self.batch(&mut writer, chunks) {
                return Ok(whole);
            }
            // Behind a request there is nothing to try: its task waits for the kernel.
            if !writer.queue.has_requests() {
                self.send_batched(stream, &mut writer)?;
            }
            if writer.queue.is_empty() {
                sent = match stream.write_now(&self.shard.traffic, chunks) {
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

    /// Sends bytes whose write was reported as completed. What the kernel does not take is treated as
    /// batched, however much it is.
    pub(crate) fn write_reported(self: &Arc<Self>, bytes: &[u8]) -> Result<(), Errno> {
        let stream = self.stream.read();
        let stream = stream.as_ref().ok_or(Errno::EBADF)?;
        let mut writer = self.writer.lock();
        if !writer.state.accepts_writes() {
            return Err(Errno::EPIPE);
        }
        if writer.queue.has_requests() {
            writer.queue.push_unreported(bytes);
        } else {
            writer.queue.push_batched(&[IoSlice::new(bytes)]);
            self.send_batched(stream, &mut writer)?;
        }
        Ok(())
    }

    /// Batches `chunks`, if a batch is being delivered and a thread will flush them in any case.
    fn batch(self: &Arc<Self>, writer: &mut Writer, chunks: &[IoSlice<'_>]) -> bool {
        if self.is_shared() {
            return false;
        }
        if writer.flush_owner == FlushOwner::None {
            writer.flush_owner = self.shard.flush_list.push(self);
        }
        match writer.flush_owner {
            FlushOwner::None => return false,
            FlushOwner::WatchingThread => {}
            FlushOwner::DrivingThread => self.shard.flush_deadline.set(),
        }
        writer.queue.push_batched(chunks);
        self.shard.traffic.batched();
        true
    }

    /// Sends what is batched, or was deferred to a task that has not run yet. What the kernel does not take
    /// waits for the task.
    fn send_batched(self: &Arc<Self>, stream: &StreamIo, writer: &mut Writer) -> Result<(), Errno> {
        writer.flush_owner = FlushOwner::None;
        if !writer.state.sends() || !writer.queue.has_batched() {
            return Ok(());
        }
        self.shard.traffic.flushed();
        match writer
            .queue
            .send_batched(|bytes| stream.write_now(&self.shard.traffic, bytes))
        {
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

    /// The batch is over, or the connection is: sends what is batched. An error is an event of its own, since
    /// the write was reported already.
    pub(crate) fn flush_batched(self: &Arc<Self>) {
        let stream = self.stream.read();
        let Some(stream) = stream.as_ref() else { return };
        let mut writer = self.writer.lock();
        if let Err(errno) = self.send_batched(stream, &mut writer) {
            self.broken(&mut writer, errno);
        }
    }

    fn broken(self: &Arc<Self>, writer: &mut Writer, errno: Errno) {
        if writer.state == Writing::Lingering {
            writer.close();
            // Closes the descriptor. The timers that would have woken it are gone.
            Arc::clone(self).wake();
            return;
        }
        writer.break_off();
        // Before the end that a read finds now: the kernel reports an error once, and has reported it here.
        self.events.push_pending(Event::Broken { id: self.id, errno });
    }

    /// Bytes that `write` accepted and that the kernel has not taken.
    pub(crate) fn write_queue_size(&self) -> usize {
        self.writer.lock().queue.waiting()
    }

    /// Sends FIN behind what is queued, which [`Event::ShutDown`] reports.
    pub(crate) fn shutdown(self: &Arc<Self>) -> Result<(), Errno> {
        let stream = self.stream.read();
        let stream = stream.as_ref().ok_or(Errno::EBADF)?;
        let mut writer = self.writer.lock();
        if let Err(errno) = self.send_batched(stream, &mut writer) {
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

    /// Returns whether there is a failure to report.
    pub(super) fn write_turn(&self, stream: &StreamIo, cx: &mut Context<'_>) -> bool {
        let mut writer = self.writer.lock();
        self.send_queued(stream, &mut writer, cx);
        writer.has_failed()
    }

    fn send_queued(&self, stream: &StreamIo, writer: &mut Writer, cx: &mut Context<'_>) {
        if !writer.state.sends() {
            return;
        }
        if writer.state == Writing::Lingering && writer.timer_is_due() {
            writer.close();
            return;
        }
        if writer.is_pausing() {
            return;
        }
        for _ in 0..WRITES_PER_TURN {
            if writer.queue.is_empty() {
                break;
            }
            let has_batched = writer.queue.has_batched();
            let Poll::Ready(written) =
                stream.poll_transmit(&self.shard.traffic, cx, &writer.queue.next_transmit())
            else {
                return;
            };
            match written {
                Ok(taken) => {
                    if has_batched {
                        self.shard.traffic.flushed();
                    }
                    writer.end_pause();
                    for _ in 0..writer.queue.advance(taken) {
                        self.events.push(Event::Wrote {
                            id: self.id,
                            result: Ok(()),
                        });
                    }
                }
                Err(error) if sys::is_out_of_buffers(&error) => {
                    writer.pause(&self.shard.timers, cx.waker().clone());
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
}

impl Flush for Connection {
    fn flush(self: Arc<Self>) {
        self.flush_batched();
    }

    fn defer(self: Arc<Self>) {
        let mut writer = self.writer.lock();
        writer.flush_owner = FlushOwner::None;
        let rest = !writer.queue.is_empty();
        drop(writer);
        if rest {
            self.wake();
        }
    }
}
