//! One stream, from the moment its connect was begun or accepted until it is closed.
//!
//! What it has in common stands here: its making, its connect, its close and its task. `reader.rs` is the half that
//! receives, `writer.rs` the half that sends, `relay.rs` what goes from the one of a connection to the other of another.
//!
//! Two threads meet here. JavaScript's calls `write`, `shutdown`, `read_start`, `take` and `close`; the one that drives
//! the connection's runtime runs [`Connection::turn`]. A third one may read the writing half: that of a relay's source.
//! Who may do what:
//! - `stream` is taken out, and so closed, only by [`Connection::close`] and [`Connection::detach`], or at the end of
//!   lingering, under the write lock. Everybody else holds the read lock while it uses the descriptor, so it is never
//!   closed under a system call, and it *is* closed (its port free) when `close` returns, as after `uv_close`, unless
//!   bytes that were reported as written have to go first (`linger.rs`).
//! - Locks are taken in the order `stream`, then `reader` or `writer`, then the event queue's. The lock of the budget for
//!   read-ahead is a leaf. No lock is held while JavaScript runs.
//! - What the kernel takes at once is sent by the thread that writes; only the rest waits in the queue, and then
//!   everything else goes behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use parking_lot::{Mutex, RwLock};

use crate::drive::run_queue::{Driving, Task};
use crate::drive::shard::Shard;
use crate::event::event::Event;
use crate::event::queue::EventQueue;
use crate::sys::Stream;
use crate::{Errno, HandleId};
use ferronet_core::state::Writing;

use super::reader::Reader;
use super::writer::Writer;

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
    pub(super) id: HandleId,
    pub(super) stream: RwLock<Option<Stream>>,
    pub(super) reader: Mutex<Reader>,
    pub(super) writer: Mutex<Writer>,
    /// On the run queue.
    queued: AtomicBool,
    /// The handle is closed and the descriptor is not yet.
    pub(super) lingers: AtomicBool,
    /// Another owner uses the socket as well: see [`Connection::set_shared`].
    pub(super) shared: AtomicBool,
    /// Where it is at home: its task runs there.
    pub(super) shard: Arc<Shard>,
    pub(super) events: Arc<EventQueue>,
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
            lingers: AtomicBool::new(false),
            shared: AtomicBool::new(false),
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
            Told::Now => self.events.push_next_turn(event),
            Told::AfterPoll => self.events.push_after_poll(event),
        }
    }

    pub(crate) fn connect_failed(&self, errno: Errno) {
        self.writer.lock().state.connect_ended(false);
        self.events.push_next_turn(Event::Connected {
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
        let place = self.stream.read();
        let Some(stream) = place.as_ref() else { return };
        let waker = Waker::from(Arc::clone(&self));
        let mut cx = Context::from_waker(&waker);
        self.connect_turn(stream, &mut cx);
        if !self.relay_turn(stream, &mut cx) {
            self.receive_turn(by, stream, &mut cx);
        }
        self.write_turn(stream, &mut cx);
        self.report_failure();
        drop(place);
        self.end_lingering();
    }
}
