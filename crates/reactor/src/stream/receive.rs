//! The receiving half of a connection.
//!
//! Bytes wait in the kernel until the consumer takes them, which reads on its thread, or in the inbox, where
//! the task reads ahead while the reactor's thread drives and the budget of the process has room. An
//! [`Event::Readable`] announces them, and there is one at a time.
//!
//! `reader` is locked over every read, so that two threads never read one connection at once. Only a relay
//! locks a writer meanwhile.

use std::io;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::task::{Context, Poll, Wake as _, Waker};

use ferronet_core::inbox::Inboxed;
use ferronet_core::state::Reading;

use crate::drive::run_queue::Driving;
use crate::event::event::Event;
use crate::socket::errno::Errno;

use super::chunk::{self, Chunk};
use super::connection::Connection;
use super::io::StreamIo;
use super::reader::{READS_PER_TURN, Reader, Received, Taken};

/// What is left behind a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    /// Nothing that is known of.
    Nothing,
    /// More bytes, which libuv would read in the same callback: what was read has filled the space.
    Bytes,
    /// Something for the next turn, the end foremost: libuv does not ask again after a short read.
    NextTurn,
}

impl Connection {
    pub(crate) fn read_start(self: &Arc<Self>) {
        let mut reader = self.reader.lock();
        let flowing = reader.state.start();
        let announce = reader.announce();
        let wake = flowing && !reader.armed;
        drop(reader);
        if announce {
            self.events.push_next_turn(Event::Readable { id: self.id });
        }
        if wake {
            Arc::clone(self).wake();
        }
    }

    pub(crate) fn read_stop(&self) {
        self.reader.lock().state.stop();
    }

    /// Takes what one [`Event::Readable`] has announced, or more of the same read: what was read before, else
    /// what can be read into `space` now. `None` when there is nothing, or while reading is stopped: the
    /// bytes stay, and are announced by [`Connection::read_start`].
    pub(crate) fn take(self: &Arc<Self>, space: &mut [MaybeUninit<u8>]) -> Option<Taken> {
        let stream = self.stream.read();
        let stream = stream.as_ref()?;
        let mut reader = self.reader.lock();
        reader.announced = false;
        // What a relay has not moved yet is for the relay.
        if reader.is_relaying() {
            return None;
        }
        let has_failed = self.writer.lock().has_failed();
        let found = if reader.state != Reading::Flowing {
            None
        } else if reader.inbox.is_empty() {
            self.read_into(stream, &mut reader, space, has_failed)
        } else {
            self.take_inboxed(&mut reader)
        };
        let (received, left) = match found {
            None => {
                self.deliver_failure(&mut self.writer.lock());
                return None;
            }
            Some((Received::End(end), left)) => {
                reader.state.end();
                (Received::End(self.settle_end(end)), left)
            }
            // A failed write is reported when reading has come to its end, so it goes on.
            Some((received, Left::Nothing)) if has_failed => (received, Left::NextTurn),
            Some(found) => found,
        };
        reader.announced = left != Left::Nothing;
        drop(reader);
        if left == Left::NextTurn {
            self.take_later();
        }
        Some(Taken {
            received,
            more: left == Left::Bytes,
        })
    }

    fn take_inboxed(self: &Arc<Self>, reader: &mut Reader<Self>) -> Option<(Received, Left)> {
        let received = match reader.inbox.take()? {
            Inboxed::Data(chunk) => Received::Data(chunk),
            Inboxed::End(errno) => Received::End(errno),
        };
        // There was no room, or another driver had asked: no task would be woken for what arrives now.
        if reader.inbox.has_room() && !reader.armed {
            Arc::clone(self).wake();
        }
        let left = if reader.inbox.is_empty() {
            Left::Nothing
        } else if reader.inbox.waiting() > 0 {
            Left::Bytes
        } else {
            Left::NextTurn
        };
        Some((received, left))
    }

    /// Reads on the calling thread. The reader's lock is held meanwhile, so that two threads never read at
    /// once.
    fn read_into(
        self: &Arc<Self>,
        stream: &StreamIo,
        reader: &mut Reader<Self>,
        space: &mut [MaybeUninit<u8>],
        has_failed: bool,
    ) -> Option<(Received, Left)> {
        let waker = Waker::from(Arc::clone(self));
        let mut cx = Context::from_waker(&waker);
        // A write that failed may have met what the poller has not reported yet.
        let asked = has_failed.then(|| stream.receive_now(&self.shard.traffic, space));
        let read = match asked {
            Some(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            Some(received) => Poll::Ready(received),
            None => stream.poll_receive(&self.shard.traffic, &mut cx, space),
        };
        let Poll::Ready(read) = read else {
            reader.armed = !has_failed || stream.poll_readable(&mut cx).is_pending();
            if !reader.armed {
                Arc::clone(self).wake();
            }
            self.retry_later(stream, &waker);
            return None;
        };
        let n = match read {
            Ok(0) => return Some((Received::End(Errno::EOF), Left::Nothing)),
            Ok(n) => n,
            Err(error) => return Some((Received::End(error.into()), Left::Nothing)),
        };
        reader.armed = stream.poll_readable(&mut cx).is_pending();
        self.retry_later(stream, &waker);
        let left = if reader.armed {
            Left::Nothing
        } else if n == space.len() {
            Left::Bytes
        } else {
            Left::NextTurn
        };
        Some((Received::Read(n), left))
    }

    /// Announces once more what [`Taken::more`] has announced.
    pub(crate) fn take_later(&self) {
        self.events.push_next_turn(Event::Readable { id: self.id });
    }

    /// Takes a piece back for which the consumer has no room, and stops reading: it comes first with the next
    /// [`Connection::read_start`].
    pub(crate) fn put_back(&self, bytes: &[u8]) {
        let mut reader = self.reader.lock();
        if matches!(reader.state, Reading::Flowing | Reading::Paused) {
            reader.state.stop();
            reader.announced = false;
            chunk::put_back(&mut reader.inbox, &[bytes]);
        }
    }

    /// Stops reading, and gives a piece of what was read and not taken; not the peer's FIN, which the next
    /// reader of the descriptor sees again.
    pub(crate) fn take_unread(&self) -> Result<Option<Chunk>, Errno> {
        let mut reader = self.reader.lock();
        reader.state.stop();
        match reader.inbox.take() {
            Some(Inboxed::Data(chunk)) => Ok(Some(chunk)),
            Some(Inboxed::End(errno)) if errno != Errno::EOF => Err(errno),
            Some(Inboxed::End(eof)) => {
                reader.inbox.end(eof);
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// Bytes that were read and not taken.
    pub(crate) fn read_queue_size(&self) -> usize {
        self.reader.lock().inbox.waiting()
    }

    // ---- the task, on the thread that drives

    pub(super) fn receive_turn(&self, by: Driving, stream: &StreamIo, cx: &mut Context<'_>) {
        match by {
            Driving::Thread if self.may_read_ahead(stream) => self.read_ahead(stream, cx),
            Driving::Thread | Driving::Loop => self.announce_readable(stream, cx),
        }
    }

    /// Whether bytes may be read before the consumer takes them.
    fn may_read_ahead(&self, stream: &StreamIo) -> bool {
        !self.is_shared() && self.shard.reads_ahead() && stream.reads_ahead()
    }

    /// Announces that there is something to read, and leaves it to the consumer to read it.
    fn announce_readable(&self, stream: &StreamIo, cx: &mut Context<'_>) {
        let mut reader = self.reader.lock();
        reader.armed = false;
        reader.waiter = None;
        if reader.state != Reading::Flowing || reader.announced || !reader.inbox.is_empty() {
            return;
        }
        if stream.poll_readable(cx).is_pending() {
            reader.armed = true;
            return;
        }
        reader.announced = true;
        drop(reader);
        self.events.push(Event::Readable { id: self.id });
    }

    /// Reads what there is, up to the credit, so that it is there when the consumer has time. While the
    /// budget of the process is used up, it only announces the bytes, and the consumer reads them itself
    /// ([`Connection::take`]).
    fn read_ahead(&self, stream: &StreamIo, cx: &mut Context<'_>) {
        let mut used = None;
        for _ in 0..READS_PER_TURN {
            let mut reader = self.reader.lock();
            reader.armed = false;
            if reader.state != Reading::Flowing || !reader.inbox.has_room() {
                reader.waiter = None;
                return;
            }
            if !self.may_read_ahead(stream) {
                drop(reader);
                return self.announce_readable(stream, cx);
            }
            if stream.poll_readable(cx).is_pending() {
                reader.armed = true;
                reader.waiter = None;
                return;
            }
            let mut waiter = reader.waiter.take().map(|waiter| *waiter);
            let block = self.shard.buffers.acquire(used.take(), &mut waiter, cx.waker());
            reader.waiter = waiter.map(Box::new);
            let has_room = block.is_some();
            if let Some(mut block) = block {
                let Poll::Ready(read) = stream.poll_read(&self.shard.traffic, cx, block.space()) else {
                    reader.armed = true;
                    return;
                };
                match read {
                    Ok(0) => reader.inbox.end(Errno::EOF),
                    Ok(n) => used = chunk::push_read(&mut reader.inbox, block, n),
                    Err(error) => reader.inbox.end(error.into()),
                }
            }
            let announce = !reader.announced;
            reader.announced = true;
            drop(reader);
            if announce {
                self.events.push(Event::Readable { id: self.id });
            }
            if !has_room {
                return;
            }
        }
        // There may be more, but the others come first.
        cx.waker().wake_by_ref();
    }
}
