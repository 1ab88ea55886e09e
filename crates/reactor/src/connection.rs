//! One stream, from the moment its connect was begun or accepted until it is closed.
//!
//! What it has in common stands here: its making, its connect, its close and its task. `reader.rs` is the half that
//! receives, `writer.rs` the half that sends, `relay.rs` what goes from the one of a connection to the other of another.
//!
//! Two threads meet here. JavaScript's calls `write`, `shutdown`, `read_start`, `take` and `close`; the one that drives
//! the connection's runtime runs [`Connection::turn`]. A third one may read the writing half: that of a relay's source.
//! Who may do what:
//! - `stream` is taken out, and so closed, only by [`Connection::close`], under the write lock. Everybody else holds
//!   the read lock while it uses the descriptor, so it is never closed under a system call, and it *is* closed (its
//!   port free) when `close` returns, as after `uv_close`.
//! - Locks are taken in the order `stream`, then `reader` or `writer`, then the event queue's. No lock is held while
//!   JavaScript runs.
//! - What the kernel takes at once is sent by the thread that writes; only the rest waits in the queue, and then
//!   everything else goes behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use crate::event::Event;
use crate::queue::EventQueue;
use crate::shard::Shard;
use crate::state::Writing;
use crate::sys::Stream;
use crate::task::{Driving, Task};
use crate::{Errno, HandleId};

mod reader;
mod relay;
mod transfer;
mod writer;

use reader::Reader;
pub use reader::{Received, Taken};
pub use relay::Relayed;
pub(crate) use transfer::Detached;
pub use transfer::Unread;
use writer::Writer;
pub use writer::Written;

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

#[derive(Debug)]
pub(crate) struct Connection {
    id: HandleId,
    stream: RwLock<Option<Stream>>,
    reader: Mutex<Reader>,
    writer: Mutex<Writer>,
    /// On the run queue.
    queued: AtomicBool,
    /// Where it is at home: its task runs there.
    shard: Arc<Shard>,
    events: Arc<EventQueue>,
}

impl Connection {
    pub(crate) fn new(
        id: HandleId,
        stream: Stream,
        writing: Writing,
        shard: Arc<Shard>,
        events: Arc<EventQueue>,
    ) -> Arc<Self> {
        Arc::new(Self {
            id,
            stream: RwLock::new(Some(stream)),
            reader: Mutex::new(Reader::new()),
            writer: Mutex::new(Writer::new(writing)),
            queued: AtomicBool::new(false),
            shard,
            events,
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

    /// Closes the descriptor before it returns. Writes that were queued are dropped; the task ends at its next turn.
    pub(crate) fn close(self: &Arc<Self>, closing: Closing) {
        if closing == Closing::Orderly {
            self.end_of_batch();
        }
        let stream = self.stream.write().take();
        if closing == Closing::Reset
            && let Some(socket) = stream.as_ref().and_then(Stream::socket)
        {
            // A socket that will not linger has lost its peer already, and there is nobody to reset.
            drop(socket.set_linger(Some(Duration::ZERO)));
        }
        self.reader.lock().close();
        self.writer.lock().close();
        drop(stream);
    }

    // ---- the connect

    pub(crate) fn is_connecting(&self) -> bool {
        self.writer.lock().state == Writing::Connecting
    }

    /// Tells of a connect that has ended with the call that began it.
    pub(crate) fn connected(&self, told: Told) {
        self.writer.lock().state.connect_ended(true);
        let event = Event::Connected {
            id: self.id,
            result: Ok(()),
        };
        match told {
            Told::Now => self.events.push_caused(event),
            Told::AfterPoll => self.events.push_after_poll(event),
        }
    }

    pub(crate) fn connect_failed(&self, errno: Errno) {
        self.writer.lock().state.connect_ended(false);
        self.events.push_caused(Event::Connected {
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
}

impl Wake for Connection {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            Arc::clone(&self.shard).tasks.push(self);
        }
    }
}

impl Task for Connection {
    /// One turn: connect, read, write, each as far as it goes without waiting.
    fn turn(self: Arc<Self>, by: Driving) {
        // First, so that a wake from now on is not lost.
        self.queued.store(false, Ordering::Release);
        let stream = self.stream.read();
        let Some(stream) = stream.as_ref() else { return };
        let waker = Waker::from(Arc::clone(&self));
        let mut cx = Context::from_waker(&waker);
        self.connect_turn(stream, &mut cx);
        if !self.relay_turn(stream, &mut cx) {
            self.receive_turn(by, stream, &mut cx);
        }
        self.write_turn(stream, &mut cx);
        self.report_failure();
    }
}
