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
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use crate::event::Event;
use crate::inbox::{BlockPool, Chunk, Inbox, Inboxed};
use crate::outbox::{Keeper, Outbox};
use crate::queue::EventQueue;
use crate::state::{Reading, Shutdown, Writing};
use crate::sys::Stream;
use crate::task::{Driving, RunQueue, Task};
use crate::write_queue::WriteQueue;
use crate::{Errno, HandleId};

mod relay;

use relay::Relay;
pub use relay::Relayed;

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

/// What [`Reactor::take`](crate::Reactor::take) gives.
#[derive(Debug)]
pub enum Received {
    /// So many bytes were read into the space that was given.
    Read(usize),
    /// Bytes that were read before.
    Data(Chunk),
    /// Nothing will follow: [`Errno::EOF`] for the peer's FIN, else the error of the read.
    End(Errno),
}

/// One piece of what was received.
#[derive(Debug)]
pub struct Taken {
    /// What it is.
    pub received: Received,
    /// There is more of the same read: take again, or [`Reactor::take_later`](crate::Reactor::take_later). No event
    /// tells of it.
    pub more: bool,
}

/// What is left behind a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    /// Nothing that is known of.
    Nothing,
    /// More bytes, which libuv would read in the same callback: what was read has filled the space.
    Bytes,
    /// News for the next turn, the end foremost: libuv does not ask again after a short read.
    News,
}

#[derive(Debug)]
struct Reader {
    state: Reading,
    inbox: Inbox,
    /// An [`Event::Readable`] is on its way, so that one more would be one too many.
    announced: bool,
    /// The task has asked the driver to be woken when bytes arrive, so that starting to read needs no wake.
    armed: bool,
    /// Where the bytes go instead.
    relay: Relay,
}

#[derive(Debug)]
struct Writer {
    state: Writing,
    queue: WriteQueue,
    /// Who looks after what is kept, while the outbox knows that something is.
    keeper: Keeper,
    /// The peer has ended. It may have gone altogether, and then a write fails: to be known at once.
    peer_ended: bool,
    /// Tasks of relays that wait until the queue is empty.
    relays: Vec<Waker>,
}

impl Writer {
    fn wait_for_room(&mut self, cx: &Context<'_>) {
        if !self.relays.iter().any(|waiting| waiting.will_wake(cx.waker())) {
            self.relays.push(cx.waker().clone());
        }
    }

    /// The queue is empty, or will never be.
    fn wake_relays(&mut self) {
        for waiting in self.relays.drain(..) {
            waiting.wake();
        }
    }
}

#[derive(Debug)]
pub(crate) struct Connection {
    id: HandleId,
    stream: RwLock<Option<Stream>>,
    reader: Mutex<Reader>,
    writer: Mutex<Writer>,
    /// On the run queue.
    queued: AtomicBool,
    tasks: Arc<RunQueue>,
    outbox: Arc<Outbox>,
    events: Arc<EventQueue>,
    blocks: Arc<BlockPool>,
}

impl Connection {
    pub(crate) fn new(
        id: HandleId,
        stream: Stream,
        writing: Writing,
        tasks: Arc<RunQueue>,
        outbox: Arc<Outbox>,
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
                relay: Relay::default(),
            }),
            writer: Mutex::new(Writer {
                state: writing,
                queue: WriteQueue::default(),
                keeper: Keeper::Nobody,
                peer_ended: false,
                relays: Vec::new(),
            }),
            queued: AtomicBool::new(false),
            tasks,
            outbox,
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

    pub(crate) fn read_start(self: &Arc<Self>) {
        let mut reader = self.reader.lock();
        let flowing = reader.state.start();
        let announce = flowing && !reader.inbox.is_empty() && !reader.announced;
        reader.announced |= announce;
        let wake = flowing && !reader.armed;
        drop(reader);
        if announce {
            self.events.push_caused(Event::Readable { id: self.id });
        }
        if wake {
            Arc::clone(self).wake();
        }
    }

    pub(crate) fn read_stop(&self) {
        self.reader.lock().state.stop();
    }

    /// Answers one [`Event::Readable`], or an answer that there is more: what was read before, else what can be read
    /// into `space` now. `None` when there is nothing, or while reading is stopped: the bytes stay, and are announced
    /// by [`Connection::read_start`].
    pub(crate) fn take(self: &Arc<Self>, space: &mut [MaybeUninit<u8>]) -> Option<Taken> {
        let stream = self.stream.read();
        let stream = stream.as_ref()?;
        let mut reader = self.reader.lock();
        reader.announced = false;
        // What a relay has not moved yet stays its own.
        if reader.state != Reading::Flowing || (reader.relay.is_active() && !reader.inbox.is_at_end()) {
            return None;
        }
        let (received, left) = if reader.inbox.is_empty() {
            self.read_into(stream, &mut reader, space)?
        } else {
            self.take_inboxed(&mut reader)?
        };
        let ended = matches!(received, Received::End(_));
        if ended {
            reader.state.end();
        }
        reader.announced = left != Left::Nothing;
        drop(reader);
        if ended {
            self.writer.lock().peer_ended = true;
        }
        if left == Left::News {
            self.take_later();
        }
        Some(Taken {
            received,
            more: left == Left::Bytes,
        })
    }

    fn take_inboxed(self: &Arc<Self>, reader: &mut Reader) -> Option<(Received, Left)> {
        let received = match reader.inbox.take()? {
            Inboxed::Data(chunk) => Received::Data(chunk),
            Inboxed::End(errno) => Received::End(errno),
        };
        // There was no room, or another driver had asked: nobody would hear of what arrives now.
        if reader.inbox.has_room() && !reader.armed {
            Arc::clone(self).wake();
        }
        let left = if reader.inbox.is_empty() {
            Left::Nothing
        } else if reader.inbox.waiting() > 0 {
            Left::Bytes
        } else {
            Left::News
        };
        Some((received, left))
    }

    /// Reads on the calling thread. The reader's lock is held meanwhile, so that two threads never read at once.
    fn read_into(
        self: &Arc<Self>,
        stream: &Stream,
        reader: &mut Reader,
        space: &mut [MaybeUninit<u8>],
    ) -> Option<(Received, Left)> {
        let waker = Waker::from(Arc::clone(self));
        let mut cx = Context::from_waker(&waker);
        let Poll::Ready(read) = stream.poll_receive(&mut cx, space) else {
            reader.armed = true;
            return None;
        };
        let n = match read {
            Ok(0) => return Some((Received::End(Errno::EOF), Left::Nothing)),
            Ok(n) => n,
            Err(error) => return Some((Received::End(error.into()), Left::Nothing)),
        };
        reader.armed = stream.poll_readable(&mut cx).is_pending();
        let left = if reader.armed {
            Left::Nothing
        } else if n == space.len() {
            Left::Bytes
        } else {
            Left::News
        };
        Some((Received::Read(n), left))
    }

    /// Announces once more what [`Taken::more`] has told of.
    pub(crate) fn take_later(&self) {
        self.events.push_caused(Event::Readable { id: self.id });
    }

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
            self.send_held(stream, &mut writer)?;
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
            writer.keeper = self.outbox.push(self);
        }
        match writer.keeper {
            Keeper::Nobody => return false,
            Keeper::Onlooker => {}
            Keeper::Driver => Arc::clone(self).wake(),
        }
        writer.queue.push_ahead(chunks);
        true
    }

    /// Sends what a batch has kept, as far as the kernel takes it; the rest waits for the task.
    fn send_held(self: &Arc<Self>, stream: &Stream, writer: &mut Writer) -> Result<(), Errno> {
        if std::mem::take(&mut writer.keeper) == Keeper::Nobody || writer.state != Writing::Open {
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

    /// The batch is over: sends what it has kept. An error is told, since the write that it belongs to is not waited
    /// for.
    pub(crate) fn end_of_batch(self: &Arc<Self>) {
        let stream = self.stream.read();
        let Some(stream) = stream.as_ref() else { return };
        let mut writer = self.writer.lock();
        if let Err(errno) = self.send_held(stream, &mut writer) {
            self.broken(&mut writer, errno);
        }
    }

    fn broken(&self, writer: &mut Writer, errno: Errno) {
        writer.queue.clear();
        writer.state.close();
        // Before the end that a read finds now: the kernel tells an error once, and has told it here.
        self.events.push_completed(Event::Broken { id: self.id, errno });
    }

    /// The batch is over, and the task sends what it has kept.
    pub(crate) fn hand_over(self: &Arc<Self>) {
        let mut writer = self.writer.lock();
        writer.keeper = Keeper::Nobody;
        let rest = !writer.queue.is_empty();
        drop(writer);
        if rest {
            Arc::clone(self).wake();
        }
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
    pub(crate) fn shutdown(self: &Arc<Self>) -> Result<(), Errno> {
        let stream = self.stream.read();
        let stream = stream.as_ref().ok_or(Errno::EBADF)?;
        let mut writer = self.writer.lock();
        if let Err(errno) = self.send_held(stream, &mut writer) {
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
        {
            let mut reader = self.reader.lock();
            reader.state.close();
            reader.inbox.clear();
            reader.relay.end();
        }
        {
            let mut writer = self.writer.lock();
            writer.state.close();
            writer.queue.clear();
            writer.wake_relays();
        }
        drop(stream);
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

    // ---- the task, on the thread that drives

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

    fn receive_turn(&self, by: Driving, stream: &Stream, cx: &mut Context<'_>) {
        match by {
            Driving::Loop => self.announce_readable(stream, cx),
            Driving::Thread => self.read_ahead(stream, cx),
        }
    }

    /// Announces that there is something to read, and leaves it to the consumer to read it.
    fn announce_readable(&self, stream: &Stream, cx: &mut Context<'_>) {
        let mut reader = self.reader.lock();
        reader.armed = false;
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

    /// Reads what there is, up to the credit, so that it is there when the consumer has time.
    fn read_ahead(&self, stream: &Stream, cx: &mut Context<'_>) {
        let mut kept = None;
        for _ in 0..READS_PER_TURN {
            let mut reader = self.reader.lock();
            reader.armed = false;
            if reader.state != Reading::Flowing || !reader.inbox.has_room() {
                return;
            }
            let mut block = kept.take().unwrap_or_else(|| self.blocks.take());
            let Poll::Ready(read) = stream.poll_read(cx, block.space()) else {
                reader.armed = true;
                return;
            };
            match read {
                Ok(0) => reader.inbox.end(Errno::EOF),
                Ok(n) => kept = reader.inbox.push(block, n),
                Err(error) => reader.inbox.end(error.into()),
            }
            let announce = !reader.announced;
            reader.announced = true;
            drop(reader);
            if announce {
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

impl Wake for Connection {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            Arc::clone(&self.tasks).push(self);
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
    }
}
