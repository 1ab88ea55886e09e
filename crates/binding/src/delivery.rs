//! Events become calls of JavaScript's dispatcher: `dispatch(kind, slot, value, chunk)`.
//!
//! `value` is 0 or libuv's negative error; of data the number of bytes, of a connection the id of the new handle.
//! `chunk` is a Buffer (of few bytes an `ArrayBuffer`) that JavaScript owns, with memory of its own and no more than it
//! needs (as Node's): allocated by the engine, so there is no external `ArrayBuffer` (Electron forbids them).
//!
//! Reads land in a Buffer that nobody has seen ([`Lent`]). One that a read has filled is handed over whole, so bulk is not
//! copied; fewer bytes are copied out of it. Nothing native writes into memory that JavaScript can see.
#![expect(unsafe_code, reason = "values are made by raw Node-API calls, four an event")]

use std::cell::RefCell;
use std::mem::MaybeUninit;
use std::{ptr, slice};

use ferronet_numbers::EventKind;
use ferronet_reactor::{Closing, Errno, Event, HandleId, Reactor, Received};
use napi::{Env, Result, Status, sys};

/// How often one event has its connection read at most, while more waits (libuv's `uv__read` stops at 32).
const READS: usize = 32;
/// The most that one read takes: libuv's size.
const SPACE: usize = 64 * 1024;
/// Up to so many bytes cross as an `ArrayBuffer`, and JavaScript makes the Buffer: Node-API makes one by a change of
/// prototype, which costs more than zeroing these.
const FEW: usize = 4096;
/// After how many events what was written meanwhile is sent.
const BATCH: usize = 64;

/// How the dispatcher is called.
#[derive(Clone, Copy, Debug)]
enum Entry {
    /// From a callback of libuv's: ticks and promise jobs run after it.
    Outermost,
    /// Inside an item of a threadsafe function, which sees to that.
    Inside,
}

/// What became of a call of the dispatcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    /// It ran, and may have thrown.
    Ran,
    /// The environment can't run JavaScript any more.
    Refused,
}

/// What a connection has received.
struct Piece {
    kind: EventKind,
    chunk: sys::napi_value,
    length: i64,
    /// There is more of the same read.
    more: bool,
}

/// The dispatcher of one environment.
#[derive(Debug)]
pub(crate) struct Delivery {
    env: sys::napi_env,
    dispatch: sys::napi_ref,
    lent: RefCell<Option<Lent>>,
}

/// A Buffer of [`SPACE`] bytes that JavaScript has not seen: it cannot be detached, resized or written to by anybody
/// else, and its memory does not move.
#[derive(Debug)]
struct Lent {
    reference: sys::napi_ref,
    memory: *mut u8,
}

impl Lent {
    /// Where to read to.
    fn space(&mut self) -> &mut [MaybeUninit<u8>] {
        // SAFETY: `memory` are the SPACE bytes of a Buffer that the reference keeps alive, and that nobody else knows.
        unsafe { slice::from_raw_parts_mut(self.memory.cast(), SPACE) }
    }

    /// What was read.
    fn bytes(&self, length: usize) -> &[u8] {
        // SAFETY: as `space`, and so many bytes have been written there.
        unsafe { slice::from_raw_parts(self.memory, length) }
    }
}

fn ok(status: sys::napi_status) -> std::result::Result<(), Status> {
    match Status::from(status) {
        Status::Ok => Ok(()),
        status => Err(status),
    }
}

fn status(result: std::result::Result<(), Errno>) -> i64 {
    result.map_or_else(|errno| i64::from(errno.code()), |()| 0)
}

impl Delivery {
    /// Holds on to `dispatch` for as long as the environment lives.
    ///
    /// # Errors
    /// When the environment is ending.
    pub(crate) fn new(env: &Env, dispatch: sys::napi_value) -> Result<Self> {
        let mut reference = ptr::null_mut();
        // SAFETY: both belong to the environment whose thread this is. The reference goes with the environment.
        let made = unsafe { sys::napi_create_reference(env.raw(), dispatch, 1, &raw mut reference) };
        ok(made).map_err(|status| napi::Error::new(status, "the dispatcher".to_owned()))?;
        Ok(Self {
            env: env.raw(),
            dispatch: reference,
            lent: RefCell::new(None),
        })
    }

    /// Delivers `count` events, each in a call of its own, from a callback of the event loop. An exception of one goes
    /// to `uncaughtException`, and the others are delivered all the same.
    pub(crate) fn deliver(&self, reactor: &Reactor, count: usize) {
        if count == 0 {
            return;
        }
        for told in 1..=count {
            let Some(event) = reactor.next_event() else { break };
            if told == count || told % BATCH == 0 {
                reactor.end_batch();
            } else {
                reactor.begin_batch();
            }
            self.tell(reactor, event, Entry::Outermost, READS);
        }
        reactor.end_batch();
    }

    /// Delivers the next event from an item of a threadsafe function.
    pub(crate) fn deliver_one(&self, reactor: &Reactor) {
        if let Some(event) = reactor.next_event() {
            self.tell(reactor, event, Entry::Inside, 1);
        }
    }

    /// Delivers the closing phase: its beginning, then the last events of the handles that JavaScript names in it.
    pub(crate) fn deliver_closed(&self, reactor: &Reactor) {
        self.call_alone(Entry::Outermost, EventKind::Closing, 0, 0);
        while let Some(event) = reactor.next_closed() {
            self.tell(reactor, event, Entry::Outermost, 1);
        }
    }

    fn tell(&self, reactor: &Reactor, event: Event, entry: Entry, reads: usize) {
        let (kind, id, value) = match event {
            Event::Readable { id } => return self.tell_readable(reactor, id, entry, reads),
            Event::Connected { id, result } => (EventKind::Connected, id, status(result)),
            Event::Wrote { id, result } => (EventKind::Wrote, id, status(result)),
            Event::Broken { id, errno } => (EventKind::Broken, id, i64::from(errno.code())),
            Event::ShutDown { id, result } => (EventKind::ShutDown, id, status(result)),
            Event::Closed { id } => (EventKind::Closed, id, 0),
            Event::Connection { id } => return self.tell_connection(reactor, id, entry),
            // The reactor's own.
            Event::Exhausted { .. } => return,
        };
        self.call_alone(entry, kind, id.slot(), value);
    }

    fn tell_connection(&self, reactor: &Reactor, id: HandleId, entry: Entry) {
        let Some(connection) = reactor.accept(id) else {
            return;
        };
        let Ok(value) = i64::try_from(connection.to_bits()) else {
            return;
        };
        if self.call_alone(entry, EventKind::Connection, id.slot(), value) == Call::Refused {
            // The environment is ending, and no socket has the connection: its peer is reset as by the backlog's end.
            let _closed = reactor.close(connection, Closing::Reset);
        }
    }

    fn tell_readable(&self, reactor: &Reactor, id: HandleId, entry: Entry, reads: usize) {
        for read in 1..=reads {
            let scope = self.open_scope();
            // Not borrowed while JavaScript runs, which may turn the loop (some addons do).
            let taken = self.take(reactor, id);
            let more = match taken {
                Some(Ok(Piece {
                    kind,
                    chunk,
                    length,
                    more,
                })) => {
                    self.call(entry, kind, id.slot(), length, Some(chunk));
                    more
                }
                Some(Err(end)) => {
                    self.call(entry, EventKind::End, id.slot(), i64::from(end.code()), None);
                    false
                }
                None => false,
            };
            self.close_scope(scope);
            if !more {
                return;
            }
            if read == reads {
                reactor.take_later(id);
            }
        }
    }

    /// The next piece of what a connection has received, or the end. Where JavaScript has no memory for it, the bytes go
    /// back and an error is delivered, as by libuv when its caller gives it no buffer.
    fn take(&self, reactor: &Reactor, id: HandleId) -> Option<std::result::Result<Piece, Errno>> {
        let mut place = self.lent.borrow_mut();
        let lent = match &mut *place {
            Some(lent) => lent,
            none => match self.lend() {
                Ok(lent) => none.insert(lent),
                Err(_) => return Some(Err(self.refuse(reactor, id, &[]))),
            },
        };
        let taken = reactor.take(id, lent.space())?;
        let bytes = match &taken.received {
            Received::Read(length) => lent.bytes(*length),
            Received::Data(chunk) => chunk,
            Received::End(errno) => return Some(Err(*errno)),
        };
        let (kind, chunk) = match taken.received {
            Received::Read(SPACE) => (EventKind::Data, self.hand_over(lent)),
            _ if bytes.len() <= FEW => (EventKind::FewData, self.array_buffer(bytes)),
            _ => (EventKind::Data, self.buffer(bytes)),
        };
        let Ok(chunk) = chunk else {
            return Some(Err(self.refuse(reactor, id, bytes)));
        };
        let length = i64::try_from(bytes.len()).unwrap_or(0);
        if matches!(taken.received, Received::Read(SPACE)) {
            *place = None;
        }
        Some(Ok(Piece {
            kind,
            chunk,
            length,
            more: taken.more,
        }))
    }

    /// Gives back what there is no memory for.
    fn refuse(&self, reactor: &Reactor, id: HandleId, bytes: &[u8]) -> Errno {
        self.take_exception();
        reactor.put_back(id, bytes);
        Errno::ENOBUFS
    }

    /// Makes memory to read into.
    fn lend(&self) -> std::result::Result<Lent, Status> {
        let (mut memory, mut buffer, mut reference) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        // SAFETY: as `number`.
        ok(unsafe { sys::napi_create_buffer(self.env, SPACE, &raw mut memory, &raw mut buffer) })?;
        // SAFETY: as `number`; the reference is deleted when the Buffer is handed over, or goes with the environment.
        ok(unsafe { sys::napi_create_reference(self.env, buffer, 1, &raw mut reference) })?;
        Ok(Lent {
            reference,
            memory: memory.cast(),
        })
    }

    /// Gives lent memory to JavaScript, for good.
    fn hand_over(&self, lent: &Lent) -> std::result::Result<sys::napi_value, Status> {
        let mut buffer = ptr::null_mut();
        // SAFETY: as `number`; the reference was made by `lend`.
        ok(unsafe { sys::napi_get_reference_value(self.env, lent.reference, &raw mut buffer) })?;
        // SAFETY: as above. Deleted once: its owner gives it up. If that fails the Buffer lives as long as the environment.
        let _deleted = unsafe { sys::napi_delete_reference(self.env, lent.reference) };
        Ok(buffer)
    }

    fn open_scope(&self) -> sys::napi_handle_scope {
        let mut scope = ptr::null_mut();
        // SAFETY: on the JavaScript thread. A scope that could not be opened is null, and not closed.
        unsafe { sys::napi_open_handle_scope(self.env, &raw mut scope) };
        scope
    }

    fn close_scope(&self, scope: sys::napi_handle_scope) {
        if !scope.is_null() {
            // SAFETY: opened by `open_scope`, closed once, innermost first.
            unsafe { sys::napi_close_handle_scope(self.env, scope) };
        }
    }

    fn number(&self, value: i64) -> std::result::Result<sys::napi_value, Status> {
        let mut result = ptr::null_mut();
        // SAFETY: on the JavaScript thread, inside a handle scope.
        ok(unsafe {
            // What fits is not made a double first.
            match i32::try_from(value) {
                Ok(value) => sys::napi_create_int32(self.env, value, &raw mut result),
                Err(_) => sys::napi_create_int64(self.env, value, &raw mut result),
            }
        })?;
        Ok(result)
    }

    fn array_buffer(&self, bytes: &[u8]) -> std::result::Result<sys::napi_value, Status> {
        let (mut memory, mut result) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: as `number`.
        ok(unsafe { sys::napi_create_arraybuffer(self.env, bytes.len(), &raw mut memory, &raw mut result) })?;
        // SAFETY: so many bytes have just been allocated, and JavaScript has not seen them.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), memory.cast(), bytes.len()) };
        Ok(result)
    }

    fn undefined(&self) -> std::result::Result<sys::napi_value, Status> {
        let mut result = ptr::null_mut();
        // SAFETY: as `number`.
        ok(unsafe { sys::napi_get_undefined(self.env, &raw mut result) })?;
        Ok(result)
    }

    fn buffer(&self, bytes: &[u8]) -> std::result::Result<sys::napi_value, Status> {
        let mut result = ptr::null_mut();
        // SAFETY: as `number`; `bytes` are only read, and only during the call.
        ok(unsafe {
            sys::napi_create_buffer_copy(
                self.env,
                bytes.len(),
                bytes.as_ptr().cast(),
                ptr::null_mut(),
                &raw mut result,
            )
        })?;
        Ok(result)
    }

    /// Calls the dispatcher about something that is no bytes.
    fn call_alone(&self, entry: Entry, kind: EventKind, slot: u32, value: i64) -> Call {
        let scope = self.open_scope();
        let call = self.call(entry, kind, slot, value, None);
        self.close_scope(scope);
        call
    }

    /// Calls the dispatcher, in a handle scope of the caller's.
    fn call(
        &self,
        entry: Entry,
        kind: EventKind,
        slot: u32,
        value: i64,
        chunk: Option<sys::napi_value>,
    ) -> Call {
        let called = self.try_call(entry, kind, slot, value, chunk);
        if called.is_ok() {
            return Call::Ran;
        }
        if !self.is_exception_pending() {
            return Call::Refused;
        }
        if let Some(exception) = self.take_exception() {
            // SAFETY: as `number`. Its status is of no use: a worker that is being terminated refuses, and is gone soon.
            let _reported = unsafe { sys::napi_fatal_exception(self.env, exception) };
        }
        Call::Ran
    }

    fn is_exception_pending(&self) -> bool {
        let mut is_pending = false;
        // SAFETY: as `number`.
        ok(unsafe { sys::napi_is_exception_pending(self.env, &raw mut is_pending) }).is_ok() && is_pending
    }

    /// Takes away the exception that a call has left: with it there, the next ones would fail.
    fn take_exception(&self) -> Option<sys::napi_value> {
        let mut exception = ptr::null_mut();
        // SAFETY: as `number`.
        let taken = ok(unsafe { sys::napi_get_and_clear_last_exception(self.env, &raw mut exception) });
        taken.is_ok().then_some(exception)
    }

    fn try_call(
        &self,
        entry: Entry,
        kind: EventKind,
        slot: u32,
        value: i64,
        chunk: Option<sys::napi_value>,
    ) -> std::result::Result<(), Status> {
        let mut dispatch = ptr::null_mut();
        // SAFETY: as `number`; the reference was made in `new`.
        ok(unsafe { sys::napi_get_reference_value(self.env, self.dispatch, &raw mut dispatch) })?;
        let arguments = [
            self.number(i64::from(kind.number()))?,
            self.number(i64::from(slot))?,
            self.number(value)?,
            match chunk {
                Some(chunk) => chunk,
                None => self.undefined()?,
            },
        ];
        let mut result = ptr::null_mut();
        // SAFETY: as `number`; `dispatch` is a function, and as an object it may be its own `this`.
        ok(unsafe {
            match entry {
                Entry::Outermost => sys::napi_make_callback(
                    self.env,
                    ptr::null_mut(),
                    dispatch,
                    dispatch,
                    arguments.len(),
                    arguments.as_ptr(),
                    &raw mut result,
                ),
                Entry::Inside => sys::napi_call_function(
                    self.env,
                    dispatch,
                    dispatch,
                    arguments.len(),
                    arguments.as_ptr(),
                    &raw mut result,
                ),
            }
        })
    }
}
