//! One stream, from the moment its connect was begun or accepted until it is closed.
//!
//! Two threads meet here. JavaScript's calls `write`, `shutdown`, `read_start`, `take` and `close`; the reactor's runs
//! [`Connection::turn`]. Who may do what:
//! - `stream` is taken out, and so closed, only by [`Connection::close`], under the write lock. Everybody else holds
//!   the read lock while it uses the descriptor, so it is never closed under a system call, and it *is* closed (its
//!   port free) when `close` returns, as after `uv_close`.
//! - Locks are taken in the order `stream`, then `reader` or `writer`, then the event queue's. No lock is held while
//!   JavaScript runs.
//! - What the kernel takes at once is sent by the thread that writes; only the rest waits in the queue, and then
//!   everything else goes behind it.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use crate::event::Event;
use crate::inbox::{BlockPool, Inbox, Received};
use crate::queue::EventQueue;
use crate::state::{Reading, Shutdown, Writing};
use crate::sys::Stream;
use crate::task::TaskWaker;
use crate::write_queue::WriteQueue;
use crate::{Errno, HandleId};

/// How often one turn reads before other connections get theirs (libuv reads at most 32 times).
const READS_PER_TURN: usize = 16;

/// How a handle is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// As `close(2)` does.
    Orderly,
    /// With RST instead of FIN; what was not sent is dropped.
    Reset,
}

/// When the end of a connect is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// With the next events.
    Now,
    /// When the consumer's loop has asked the kernel once.
    AfterPoll,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// The kernel took all of it; no event will follow.
    Whole,
    /// The rest waits; [`Event::Wrote`] will follow.
    Queued,
}

#[derive(Debug)]
struct Reader {
    state: Reading,
    inbox: Inbox,
    /// An [`Event::Readable`] is on its way, so that one more would be one too many.
    announced: bool,
    /// The task has asked the driver to be woken when bytes arrive, so that starting to read needs no wake.
    armed: bool,
}

#[derive(Debug)]
struct Writer {
    state: Writing,
    queue: WriteQueue,
}

#[derive(Debug)]
pub(crate) struct Connection {
    id: HandleId,
    stream: RwLock<Option<Stream>>,
    reader: Mutex<Reader>,
    writer: Mutex<Writer>,
    task: TaskWaker,
    events: Arc<EventQueue>,
    blocks: Arc<BlockPool>,
}

impl Connection {
    pub(crate) fn new(
        id: HandleId,
        stream: Stream,
        writing: Writing,
        events: Arc<EventQueue>,
        blocks: Arc<BlockPool>,
    ) -> Arc<Self> {
        Arc::new(Self {
            id,
            stream: RwLock::new(Some(stream)),
            reader: Mutex::new(Reader {
                state: Reading::Paused,
                inbox: Inbox::default(),
                announced: false,
                armed: false,
            }),
            writer: Mutex::new(Writer {
                state: writing,
                queue: WriteQueue::default(),
            }),
            task: TaskWaker::default(),
            events,
            blocks,
        })
    }

    pub(crate) fn id(&self) -> HandleId {
        self.id
    }

    /// Runs `f` on the open stream.
    pub(crate) fn with_stream<R>(&self, f: impl FnOnce(&Stream) -> Result<R, Errno>) -> Result<R, Errno> {
        match &*self.stream.read() {
            Some(stream) => f(stream),
            None => Err(Errno::EBADF),
        }
    }

    pub(crate) fn is_connecting(&self) -> bool {
        self.writer.lock().state == Writing::Connecting
    }

    // ---- calls from outside

    pub(crate) fn read_start(&self) {
        let mut reader = self.reader.lock();
        let flowing = reader.state.start();
        let announce = flowing && !reader.inbox.is_empty() && !reader.announced;
        reader.announced |= announce;
        let wake = flowing && !reader.armed;
        drop(reader);
        if announce {
            self.events.push_now(Event::Readable { id: self.id });
        }
        if wake {
            self.task.wake();
        }
    }

    pub(crate) fn read_stop(&self) {
        self.reader.lock().state.stop();
    }

    /// Answers one [`Event::Readable`]. `None` while reading is stopped: the bytes stay and are announced again by
    /// [`Connection::read_start`].
    pub(crate) fn take(&self) -> Option<Received> {
        let mut reader = self.reader.lock();
        reader.announced = false;
        if reader.state != Reading::Flowing {
            return None;
        }
        let had_room = reader.inbox.has_room();
        let received = reader.inbox.take();
        if matches!(received, Some(Received::End(_))) {
            reader.state.end();
        }
        let more = !reader.inbox.is_empty();
        reader.announced = more;
        let wake = !had_room && reader.inbox.has_room() && !reader.armed;
        drop(reader);
        if more {
            self.events.push_now(Event::Readable { id: self.id });
        }
        if wake {
            self.task.wake();
        }
        received
    }

    pub(crate) fn write(&self, chunks: &[IoSlice<'_>]) -> Result<Written, Errno> {
        let stream = self.stream.read();
        let stream = stream.as_ref().ok_or(Errno::EBADF)?;
        let mut writer = self.writer.lock();
        if !writer.state.accepts_writes() {
            return Err(Errno::EPIPE);
        }
        let mut sent = 0;
        if writer.state == Writing::Open && writer.queue.is_empty() {
            let total: usize = chunks.iter().map(|chunk| chunk.len()).sum();
            sent = match stream.write_now(chunks) {
                Ok(sent) => sent,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                Err(error) => return Err(error.into()),
            };
            if sent == total {
                return Ok(Written::Whole);
            }
        }
        writer.queue.push(chunks, sent);
        drop(writer);
        self.task.wake();
        Ok(Written::Queued)
    }

    /// Bytes that were read and not taken.
    pub(crate) fn read_queue_size(&self) -> usize {
        self.reader.lock().inbox.waiting()
    }

    /// Bytes that `write` accepted and that the kernel has not taken.
    pub(crate) fn write_queue_size(&self) -> usize {
        self.writer.lock().queue.waiting()
    }

    /// Sends FIN behind what is queued. [`Event::ShutDown`] tells when.
    pub(crate) fn shutdown(&self) -> Result<(), Errno> {
        let stream = self.stream.read();
        let stream = stream.as_ref().ok_or(Errno::EBADF)?;
        let mut writer = self.writer.lock();
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

    /// Closes the descriptor before it returns. Writes that were queued are dropped; the task ends at its next turn.
    pub(crate) fn close(&self, closing: Closing) {
        let stream = self.stream.write().take();
        if closing == Closing::Reset
            && let Some(socket) = stream.as_ref().and_then(Stream::socket)
        {
            // A socket that will not linger has lost its peer already, and there is nobody to reset.
            drop(socket.set_linger(Some(Duration::ZERO)));
        }
        {
            let mut reader = self.reader.lock();
            reader.state.close();
            reader.inbox.clear();
        }
        {
            let mut writer = self.writer.lock();
            writer.state.close();
            writer.queue.clear();
        }
        drop(stream);
        self.task.wake();
    }

    /// Tells of a connect that has ended with the call that began it.
    pub(crate) fn connected(&self, told: Told) {
        self.writer.lock().state.connect_ended(true);
        let event = Event::Connected {
            id: self.id,
            result: Ok(()),
        };
        match told {
            Told::Now => self.events.push_now(event),
            Told::AfterPoll => self.events.push_after_poll(event),
        }
    }

    pub(crate) fn connect_failed(&self, errno: Errno) {
        self.writer.lock().state.connect_ended(false);
        self.events.push_now(Event::Connected {
            id: self.id,
            result: Err(errno),
        });
    }

    /// Whether a connection that was made is still one.
    pub(crate) fn confirm(&self) -> Result<(), Errno> {
        let result = self.with_stream(|stream| match stream.socket().map(|socket| socket.take_error()) {
            Some(Ok(Some(error)) | Err(error)) => Err(error.into()),
            Some(Ok(None)) | None => Ok(()),
        });
        if result.is_err() {
            self.writer.lock().state.close();
        }
        result
    }

    // ---- the task, on the reactor's thread

    /// One turn: connect, read, write, each as far as it goes without waiting. Ready when the handle is closed.
    pub(crate) fn turn(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.task.register(cx.waker());
        let stream = self.stream.read();
        let Some(stream) = stream.as_ref() else {
            return Poll::Ready(());
        };
        self.connect_turn(stream, cx);
        self.read_turn(stream, cx);
        self.write_turn(stream, cx);
        Poll::Pending
    }

    fn connect_turn(&self, stream: &Stream, cx: &mut Context<'_>) {
        let mut writer = self.writer.lock();
        if writer.state != Writing::Connecting {
            return;
        }
        let Poll::Ready(result) = stream.poll_connect(cx) else {
            return;
        };
        let result = result.map_err(Errno::from);
        writer.state.connect_ended(result.is_ok());
        self.events.push(Event::Connected { id: self.id, result });
    }

    fn read_turn(&self, stream: &Stream, cx: &mut Context<'_>) {
        let mut kept = None;
        for _ in 0..READS_PER_TURN {
            {
                let mut reader = self.reader.lock();
                reader.armed = false;
                if reader.state != Reading::Flowing || !reader.inbox.has_room() {
                    return;
                }
            }
            let mut block = kept.take().unwrap_or_else(|| self.blocks.take());
            let Poll::Ready(read) = stream.poll_read(cx, block.space()) else {
                self.reader.lock().armed = true;
                return;
            };
            let mut reader = self.reader.lock();
            if reader.state == Reading::Closed {
                return;
            }
            match read {
                Ok(0) => reader.inbox.end(Errno::EOF),
                Ok(n) => kept = reader.inbox.push(block, n),
                Err(error) => reader.inbox.end(error.into()),
            }
            // What was read while `read_stop` came in between waits for `read_start`.
            if reader.state == Reading::Flowing && !reader.announced {
                reader.announced = true;
                self.events.push(Event::Readable { id: self.id });
            }
        }
        // There may be more, but the others come first.
        cx.waker().wake_by_ref();
    }

    fn write_turn(&self, stream: &Stream, cx: &mut Context<'_>) {
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
                if writer.state == Writing::Draining {
                    self.events.push(Event::ShutDown {
                        id: self.id,
                        result: Err(errno),
                    });
                }
                writer.state.close();
                return;
            }
        }
        if writer.state.drained() {
            let result = stream.shutdown_write().map_err(Errno::from);
            self.events.push(Event::ShutDown { id: self.id, result });
        }
    }
}
