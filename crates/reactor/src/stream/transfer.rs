//! A connection leaves its reactor for another one, with all that is on its way through it. Or another owner
//! gets a second descriptor of its socket, and what is on its way can be taken out for it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ferronet_core::payload::Transmit;
use ferronet_core::state::Writing;
use ferronet_core::write_queue::WriteQueue;

use crate::socket::errno::Errno;
use crate::sys::UnregisteredSocket;

use super::chunk::{self, Inbox};
use super::connection::Connection;
use super::io::StreamIo;
use super::writer::Writer;

/// What a connection was, without a reactor.
#[derive(Debug)]
pub(crate) struct Detached {
    pub(crate) unregistered: UnregisteredSocket,
    pub(crate) writing: Writing,
    pub(crate) shared: bool,
    pub(crate) in_flight: InFlight,
}

/// What a connection has between its consumer and the kernel.
#[derive(Debug)]
pub(crate) struct InFlight {
    inbox: Inbox,
    queue: WriteQueue,
    peer_ended: bool,
}

/// What the consumer has taken and gives back: it comes before what was not taken.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unread<'a> {
    /// In their order.
    pub chunks: &'a [&'a [u8]],
    /// The peer's FIN, behind them.
    pub end: bool,
}

impl Writer {
    /// One that is closed by an error has it on its way to the consumer, who is about to close the handle.
    fn may_leave(&self) -> Result<(), Errno> {
        match self.state {
            Writing::Connecting => Err(Errno::EALREADY),
            Writing::Closed | Writing::Lingering => Err(Errno::EPIPE),
            Writing::Open | Writing::Draining | Writing::ShutDown => Ok(()),
        }
    }
}

/// Takes a stream out of its place, and out of its runtime.
fn take_out(place: &mut Option<StreamIo>) -> Result<UnregisteredSocket, Errno> {
    let deregistered = place.take().ok_or(Errno::EBADF)?.deregister();
    deregistered.map_err(|stream| {
        *place = Some(stream);
        Errno::ENOTSUP
    })
}

impl Connection {
    /// Takes the stream out, as [`Connection::close`] does, and what was read and not taken, and what the
    /// kernel has not sent. The end of a write is not reported any more. After an error the connection is
    /// what it was.
    pub(crate) fn detach(self: &Arc<Self>, unread: &Unread<'_>) -> Result<Detached, Errno> {
        // The kernel is to have it before anything that is written from the other side's reactor.
        self.flush_batched();
        let mut place = self.stream.write();
        self.writer.lock().may_leave()?;
        let unregistered = take_out(&mut place)?;
        drop(place);
        let mut inbox = {
            let mut reader = self.reader.lock();
            reader.state.close();
            reader.relay.end();
            reader.waiter = None;
            std::mem::take(&mut reader.inbox)
        };
        chunk::put_back(&mut inbox, unread.chunks);
        if unread.end {
            inbox.end(Errno::EOF);
        }
        let mut writer = self.writer.lock();
        let writing = std::mem::replace(&mut writer.state, Writing::Closed);
        let mut queue = std::mem::take(&mut writer.queue);
        queue.stop_reporting();
        writer.wake_relays();
        let in_flight = InFlight {
            inbox,
            queue,
            peer_ended: writer.peer_ended,
        };
        Ok(Detached {
            unregistered,
            writing,
            shared: self.is_shared(),
            in_flight,
        })
    }

    /// Takes the stream out for an owner outside the reactor, if nothing is on its way through it. After an
    /// error the connection is what it was.
    pub(crate) fn release(self: &Arc<Self>) -> Result<UnregisteredSocket, Errno> {
        self.flush_batched();
        // Locked, nothing is read or sent.
        let mut place = self.stream.write();
        let is_clean = self.reader.lock().inbox.is_empty();
        {
            let writer = self.writer.lock();
            writer.may_leave()?;
            if !is_clean || !writer.queue.is_empty() || writer.state != Writing::Open {
                return Err(Errno::EAGAIN);
            }
        }
        let unregistered = take_out(&mut place)?;
        drop(place);
        self.reader.lock().state.close();
        let mut writer = self.writer.lock();
        writer.state = Writing::Closed;
        writer.wake_relays();
        Ok(unregistered)
    }

    /// Goes on with what was under way, in a connection that was just made of the stream.
    pub(crate) fn resume(&self, in_flight: InFlight) {
        let InFlight {
            inbox,
            queue,
            peer_ended,
        } = in_flight;
        self.reader.lock().inbox = inbox;
        let mut writer = self.writer.lock();
        writer.queue = queue;
        writer.peer_ended = peer_ended;
    }

    // ---- another owner has a descriptor of the socket

    /// Whether another owner reads from the socket or writes to it. Then what is batched is sent, and nothing
    /// is batched or read ahead any more: the kernel sees everything in the order of the calls.
    pub(crate) fn set_shared(self: &Arc<Self>, shared: bool) {
        self.shared.store(shared, Ordering::Relaxed);
        if !shared {
            return;
        }
        self.flush_batched();
        // A task that holds the lock may not have seen it, and reads ahead; one that takes the lock later
        // sees it.
        drop(self.reader.lock());
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.shared.load(Ordering::Relaxed)
    }

    /// Takes the bytes that `write` accepted and the kernel does not take now, for another owner, who sends
    /// them first. A shutdown behind them is cancelled, and no event reports the end of a write.
    pub(crate) fn take_unsent(self: &Arc<Self>) -> Vec<u8> {
        self.flush_batched();
        let mut writer = self.writer.lock();
        let mut unsent = Vec::with_capacity(writer.queue.waiting());
        while !writer.queue.is_empty() {
            let before = unsent.len();
            let Transmit::Bytes(slices) = writer.queue.next_transmit();
            for slice in slices {
                unsent.extend_from_slice(&slice);
            }
            writer.queue.advance(unsent.len() - before);
        }
        if writer.state == Writing::Draining {
            writer.state = Writing::Open;
        }
        writer.wake_relays();
        unsent
    }
}
