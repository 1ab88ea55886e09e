//! Delivers events as calls of JavaScript's dispatcher: `dispatch(event, value, chunk)`.
//!
//! `event` has the kind in its lowest `KIND_BITS`, and above them the slot of the handle; one number, because making a number
//! for JavaScript costs as much as a lock. `value` is 0 or a negative libuv error; for data it is the number of bytes, for a connection the id of its
//! handle or its descriptor. `chunk` is a Buffer, or an `ArrayBuffer` if the bytes are few. JavaScript owns it. As in Node, its
//! memory is not shared with other chunks and is no larger than needed. The engine allocates it, because
//! Electron forbids external `ArrayBuffer`s.
//!
//! Reads go into a Buffer that JavaScript has not seen ([`ReadBuffer`]). When a read fills it, the Buffer
//! itself is delivered, so bulk data is not copied. Fewer bytes are copied out. Native code never writes into
//! memory that JavaScript can see.
#![expect(unsafe_code, reason = "values are made by raw Node-API calls, four an event")]

use std::cell::RefCell;
use std::ptr;

use ferronet_numbers::{EventKind, KIND_BITS};
use ferronet_reactor::{Closing, Errno, Event, HandleId, Incoming, Reactor, Received};
use napi::{Env, Result, Status, sys};

use crate::callback_scope::CallbackScopes;
use crate::read_buffer::{READ_SIZE, ReadBuffer};
use crate::status::ok;

/// The most reads from a connection for one event (libuv's `uv__read` stops at 32).
const MAX_READS: usize = 32;
/// The most connections that a server takes for one event.
const MAX_ACCEPTS: usize = 32;
/// Up to this many bytes cross as an `ArrayBuffer`, and JavaScript makes the Buffer: Node-API makes one by a
/// change of prototype, which costs more than zeroing this many bytes.
const FEW_BYTES: usize = 16 * 1024;
/// After this many events, what their callbacks have written is sent.
const BATCH: usize = 64;
/// Of so few events each is a batch of its own: with few peers, all of them would wait for the last one.
const FEW_EVENTS: usize = 8;

/// How the dispatcher is called.
#[derive(Clone, Copy, Debug)]
enum Entry {
    /// From a callback of libuv's: ticks and promise jobs run after the call.
    Outermost,
    /// As one of several from a callback of libuv's, which share a callback scope: what is called runs ticks and
    /// promise jobs itself.
    OneOfMany,
    /// From an item of a threadsafe function: Node runs ticks and promise jobs after the item.
    Inside,
}

/// The outcome of a call of the dispatcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    /// It ran.
    Ran,
    /// It ran and has thrown, which was reported.
    Threw,
    /// The environment is ending and runs no JavaScript any more.
    Refused,
}

/// How the delivery of what a connection has received went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivered {
    All,
    /// Ticks and promise jobs are left to the callback scope.
    Threw,
    /// The end is left, for a callback scope of its own.
    BeforeEnd(Errno),
}

/// The events that are delivered now.
struct Batch<'a> {
    reactor: &'a Reactor,
    count: usize,
    number: usize,
}

impl Batch<'_> {
    /// The next one. What its callback writes is batched, unless it is the last one.
    fn next(&mut self) -> Option<Event> {
        if self.number == self.count {
            return None;
        }
        let event = self.reactor.next_event()?;
        self.number += 1;
        let is_last = self.number == self.count || self.number.is_multiple_of(BATCH);
        if is_last || self.count <= FEW_EVENTS {
            self.reactor.end_batch();
        }
        if !is_last {
            self.reactor.begin_batch();
        }
        Some(event)
    }

    fn is_at_end(&self) -> bool {
        self.number == self.count
    }
}

/// A chunk that a connection has received.
struct Piece {
    kind: EventKind,
    chunk: sys::napi_value,
    length: i64,
    /// There is more to take, which no event announces.
    more: bool,
}

/// What the dispatcher is called with.
#[derive(Clone, Copy, Debug)]
struct Arguments {
    kind: EventKind,
    slot: u32,
    value: i64,
    chunk: Option<sys::napi_value>,
}

/// The dispatcher of one environment.
#[derive(Debug)]
pub(crate) struct Delivery {
    env: sys::napi_env,
    dispatch: sys::napi_ref,
    /// Dispatches, and runs ticks and promise jobs. None where JavaScript cannot run them.
    dispatch_one_of_many: Option<sys::napi_ref>,
    scopes: CallbackScopes,
    /// Empty before the first read, and after a read has filled it.
    read_buffer: RefCell<Option<ReadBuffer>>,
}

fn status(result: std::result::Result<(), Errno>) -> i64 {
    result.map_or_else(|errno| i64::from(errno.code()), |()| 0)
}

impl Delivery {
    /// Keeps the functions alive as long as the environment.
    ///
    /// # Errors
    /// When the environment is ending.
    pub(crate) fn new(
        env: &Env,
        dispatch: sys::napi_value,
        dispatch_one_of_many: Option<sys::napi_value>,
    ) -> Result<Self> {
        let keep = |function| {
            let mut reference = ptr::null_mut();
            // SAFETY: on the thread of `env`, which `function` belongs to. The environment deletes the reference
            // as it ends.
            let made = unsafe { sys::napi_create_reference(env.raw(), function, 1, &raw mut reference) };
            ok(made).map_err(|status| napi::Error::new(status, "the dispatcher".to_owned()))?;
            Ok::<_, napi::Error>(reference)
        };
        Ok(Self {
            env: env.raw(),
            dispatch: keep(dispatch)?,
            dispatch_one_of_many: dispatch_one_of_many.map(keep).transpose()?,
            scopes: CallbackScopes::new(env.raw()),
            read_buffer: RefCell::new(None),
        })
    }

    /// Delivers `count` events, each in a call of its own, from a callback of the event loop. If one throws,
    /// the exception goes to `uncaughtException`, and the rest are still delivered.
    pub(crate) fn deliver(&self, reactor: &Reactor, count: usize) {
        if count == 0 {
            return;
        }
        let mut batch = Batch {
            reactor,
            count,
            number: 0,
        };
        let mut next = batch.next();
        while let Some(event) = next {
            next = match event {
                // In a scope that is open already, nothing is to run between two events.
                Event::Readable { id }
                    if !batch.is_at_end()
                        && self.dispatch_one_of_many.is_some()
                        && !self.scopes.is_open() =>
                {
                    self.deliver_many(&mut batch, id)
                }
                event => {
                    self.deliver_event(reactor, event, Entry::Outermost, MAX_READS);
                    batch.next()
                }
            };
        }
        reactor.end_batch();
    }

    /// Delivers what several connections have received, in one callback scope: entering and leaving one costs
    /// as much as the callback itself. JavaScript runs ticks and promise jobs in between, as Node does between
    /// two timers. Begins with the connection `first`, and returns the event behind the last one.
    ///
    /// What a tick throws is then reported without the place of the throw, and an `error` event that nothing
    /// listens to is emitted by a tick. So an end, which errors come with, has a scope of its own; and after an
    /// exception the scope is left, which runs the ticks that are left.
    fn deliver_many(&self, batch: &mut Batch<'_>, first: HandleId) -> Option<Event> {
        let mut next = Some(Event::Readable { id: first });
        let mut end = None;
        let scope = self.open_scope();
        let mut deliver = || {
            while let Some(Event::Readable { id }) = next {
                let delivered = self.deliver_readable(batch.reactor, id, Entry::OneOfMany, MAX_READS);
                if let Delivered::BeforeEnd(errno) = delivered {
                    end = Some((id, errno));
                    break;
                }
                next = batch.next();
                if delivered == Delivered::Threw {
                    break;
                }
            }
        };
        let ran = self
            .dispatch()
            .and_then(|dispatch| self.scopes.run(dispatch, || self.scopes.run_as_top(&mut deliver)));
        self.close_scope(scope);
        if let Some((id, errno)) = end {
            let value = i64::from(errno.code());
            self.call_without_chunk(Entry::Outermost, EventKind::End, id.slot(), value);
            return batch.next();
        }
        // The environment is ending: no JavaScript runs any more.
        ran.and_then(|ran| ran).ok().and(next)
    }

    /// Delivers the next event from an item of a threadsafe function.
    pub(crate) fn deliver_one(&self, reactor: &Reactor) {
        if let Some(event) = reactor.next_event() {
            self.deliver_event(reactor, event, Entry::Inside, 1);
        }
    }

    /// Delivers `EventKind::Closing`, then the last events of the handles that JavaScript reports as closed
    /// in it.
    pub(crate) fn deliver_closed(&self, reactor: &Reactor) {
        self.call_without_chunk(Entry::Outermost, EventKind::Closing, 0, 0);
        while let Some(event) = reactor.next_closed() {
            self.deliver_event(reactor, event, Entry::Outermost, 1);
        }
        // async_hooks see nothing of a program whose handles are closed.
        if reactor.handles() == 0 {
            self.destroy_context();
        }
    }

    fn deliver_event(&self, reactor: &Reactor, event: Event, entry: Entry, reads: usize) {
        let (kind, id, value) = match event {
            Event::Readable { id } => {
                self.deliver_readable(reactor, id, entry, reads);
                return;
            }
            Event::Connected { id, result } => (EventKind::Connected, id, status(result)),
            Event::Wrote { id, result } => (EventKind::Wrote, id, status(result)),
            Event::Broken { id, errno } => (EventKind::Broken, id, i64::from(errno.code())),
            Event::ShutDown { id, result } => (EventKind::ShutDown, id, status(result)),
            Event::Closed { id } => (EventKind::Closed, id, 0),
            Event::Connection { id } => return self.deliver_connections(reactor, id, entry),
            // The reactor handles it itself.
            Event::Exhausted { .. } => return,
        };
        self.call_without_chunk(entry, kind, id.slot(), value);
    }

    fn deliver_connections(&self, reactor: &Reactor, id: HandleId, entry: Entry) {
        let most = match entry {
            Entry::Outermost | Entry::OneOfMany => MAX_ACCEPTS,
            Entry::Inside => 1,
        };
        for _ in 0..most {
            let Some(incoming) = reactor.accept(id) else {
                return;
            };
            self.deliver_connection(reactor, id, incoming, entry);
            // After the call, in which a program may have set a limit.
            if reactor.accepts_one_a_turn(id) {
                break;
            }
        }
        reactor.accept_later(id);
    }

    /// If the environment is ending, no socket owns the connection. Its peer is reset, as the kernel resets
    /// what is left in the backlog of a listener that closes.
    fn deliver_connection(&self, reactor: &Reactor, listener: HandleId, incoming: Incoming, entry: Entry) {
        let slot = listener.slot();
        match incoming {
            Incoming::Handle(connection) => {
                let Ok(value) = i64::try_from(connection.to_bits()) else {
                    return;
                };
                if self.call_without_chunk(entry, EventKind::Connection, slot, value) == Call::Refused {
                    let _closed = reactor.close(connection, Closing::Reset);
                }
            }
            Incoming::Descriptor(descriptor) => {
                let value = i64::from(descriptor.number());
                if self.call_without_chunk(entry, EventKind::Descriptor, slot, value) == Call::Refused {
                    descriptor.reset();
                } else {
                    // JavaScript has closed it, or will.
                    let _number = descriptor.into_number();
                }
            }
        }
    }

    fn deliver_readable(&self, reactor: &Reactor, id: HandleId, entry: Entry, reads: usize) -> Delivered {
        for read in 1..=reads {
            let scope = self.open_scope();
            // The borrow ends before JavaScript runs, because some addons turn the loop from JavaScript.
            let taken = self.take(reactor, id);
            let (call, more) = match taken {
                Some(Ok(Piece {
                    kind,
                    chunk,
                    length,
                    more,
                })) => {
                    let call = self.call(
                        entry,
                        Arguments {
                            kind,
                            slot: id.slot(),
                            value: length,
                            chunk: Some(chunk),
                        },
                    );
                    (call, more)
                }
                Some(Err(end)) if matches!(entry, Entry::OneOfMany) => {
                    self.close_scope(scope);
                    return Delivered::BeforeEnd(end);
                }
                Some(Err(end)) => {
                    let call = self.call(
                        entry,
                        Arguments {
                            kind: EventKind::End,
                            slot: id.slot(),
                            value: i64::from(end.code()),
                            chunk: None,
                        },
                    );
                    (call, false)
                }
                None => (Call::Ran, false),
            };
            self.close_scope(scope);
            // The rest of what this connection has comes after the others.
            let must_leave = call == Call::Threw && matches!(entry, Entry::OneOfMany);
            if more && (must_leave || read == reads) {
                reactor.take_later(id);
            }
            if must_leave {
                return Delivered::Threw;
            }
            if !more {
                break;
            }
        }
        Delivered::All
    }

    /// The next chunk that a connection has received, or the end. If there is no memory for a chunk, the
    /// bytes go back and the error is ENOBUFS, as in libuv when its caller gives it no buffer.
    fn take(&self, reactor: &Reactor, id: HandleId) -> Option<std::result::Result<Piece, Errno>> {
        let mut slot = self.read_buffer.borrow_mut();
        let read_buffer = match &mut *slot {
            Some(read_buffer) => read_buffer,
            none => match ReadBuffer::allocate(self.env) {
                Ok(read_buffer) => none.insert(read_buffer),
                Err(_) => return Some(Err(self.refuse(reactor, id, &[]))),
            },
        };
        let taken = reactor.take(id, read_buffer.unfilled())?;
        let bytes = match &taken.received {
            Received::Read(length) => read_buffer.filled(*length),
            Received::Data(chunk) => chunk,
            Received::End(errno) => return Some(Err(*errno)),
        };
        let (kind, chunk) = match taken.received {
            Received::Read(READ_SIZE) => (EventKind::Data, read_buffer.release(self.env)),
            _ if bytes.len() <= FEW_BYTES => (EventKind::FewData, self.array_buffer(bytes)),
            _ => (EventKind::Data, self.buffer(bytes)),
        };
        let Ok(chunk) = chunk else {
            return Some(Err(self.refuse(reactor, id, bytes)));
        };
        let length = i64::try_from(bytes.len()).unwrap_or(0);
        if matches!(taken.received, Received::Read(READ_SIZE)) {
            *slot = None;
        }
        Some(Ok(Piece {
            kind,
            chunk,
            length,
            more: taken.more,
        }))
    }

    /// Puts back the bytes that there is no memory for.
    fn refuse(&self, reactor: &Reactor, id: HandleId, bytes: &[u8]) -> Errno {
        self.take_exception();
        reactor.put_back(id, bytes);
        Errno::ENOBUFS
    }

    fn open_scope(&self) -> sys::napi_handle_scope {
        let mut scope = ptr::null_mut();
        // SAFETY: on the JavaScript thread. If opening fails, the scope stays null, and `close_scope` skips
        // it.
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
            // `napi_create_int64` goes through a double.
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
        // SAFETY: this many bytes have just been allocated, and JavaScript has not seen them.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), memory.cast(), bytes.len()) };
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

    /// Calls the dispatcher without a chunk.
    fn call_without_chunk(&self, entry: Entry, kind: EventKind, slot: u32, value: i64) -> Call {
        let scope = self.open_scope();
        let call = self.call(
            entry,
            Arguments {
                kind,
                slot,
                value,
                chunk: None,
            },
        );
        self.close_scope(scope);
        call
    }

    /// Calls the dispatcher, outermost in a callback scope. The caller has opened a handle scope.
    fn call(&self, entry: Entry, arguments: Arguments) -> Call {
        let dispatch = match (entry, self.dispatch_one_of_many) {
            (Entry::OneOfMany, Some(one_of_many)) => self.function(one_of_many),
            _ => self.dispatch(),
        };
        let Ok(dispatch) = dispatch else {
            return Call::Refused;
        };
        let call = || self.call_and_report(dispatch, entry, arguments);
        match entry {
            Entry::Inside | Entry::OneOfMany => call(),
            Entry::Outermost => self.scopes.run(dispatch, call).unwrap_or(Call::Refused),
        }
    }

    fn call_and_report(&self, dispatch: sys::napi_value, entry: Entry, arguments: Arguments) -> Call {
        if self.try_call(dispatch, entry, arguments).is_ok() {
            return Call::Ran;
        }
        if !self.is_exception_pending() {
            return Call::Refused;
        }
        if let Some(exception) = self.take_exception() {
            // SAFETY: as `number`. It fails in a worker that is being terminated, where there is nothing left
            // to report to.
            let _reported = unsafe { sys::napi_fatal_exception(self.env, exception) };
        }
        Call::Threw
    }

    /// Destroys the async resource of the callback scopes, if none is open. The next one makes it again.
    pub(crate) fn destroy_context(&self) {
        self.scopes.destroy_context();
    }

    fn is_exception_pending(&self) -> bool {
        let mut is_pending = false;
        // SAFETY: as `number`.
        ok(unsafe { sys::napi_is_exception_pending(self.env, &raw mut is_pending) }).is_ok() && is_pending
    }

    /// Clears and returns the pending exception. While it is pending, calls of Node-API fail.
    fn take_exception(&self) -> Option<sys::napi_value> {
        let mut exception = ptr::null_mut();
        // SAFETY: as `number`.
        let taken = ok(unsafe { sys::napi_get_and_clear_last_exception(self.env, &raw mut exception) });
        taken.is_ok().then_some(exception)
    }

    fn try_call(
        &self,
        dispatch: sys::napi_value,
        entry: Entry,
        Arguments {
            kind,
            slot,
            value,
            chunk,
        }: Arguments,
    ) -> std::result::Result<(), Status> {
        let arguments = [
            self.number(i64::from(slot << KIND_BITS) | i64::from(kind.number()))?,
            self.number(value)?,
            chunk.unwrap_or(ptr::null_mut()),
        ];
        let count = arguments.len() - usize::from(chunk.is_none());
        let mut result = ptr::null_mut();
        // SAFETY: as `number`; `dispatch` is a function, and as an object it may be its own `this`. The first `count`
        // of `arguments` are values.
        ok(unsafe {
            match kind {
                // These run code that no handle or request enters, and a connection makes a handle: by another
                // callback inside the scope, they have the async id 0, as where libuv calls Node's own sockets.
                EventKind::Connection | EventKind::Closed | EventKind::Closing
                    if matches!(entry, Entry::Outermost) =>
                {
                    sys::napi_make_callback(
                        self.env,
                        ptr::null_mut(),
                        dispatch,
                        dispatch,
                        count,
                        arguments.as_ptr(),
                        &raw mut result,
                    )
                }
                _ => sys::napi_call_function(
                    self.env,
                    dispatch,
                    dispatch,
                    count,
                    arguments.as_ptr(),
                    &raw mut result,
                ),
            }
        })
    }

    fn dispatch(&self) -> std::result::Result<sys::napi_value, Status> {
        self.function(self.dispatch)
    }

    fn function(&self, reference: sys::napi_ref) -> std::result::Result<sys::napi_value, Status> {
        let mut function = ptr::null_mut();
        // SAFETY: as `number`; the reference was made in `new`.
        ok(unsafe { sys::napi_get_reference_value(self.env, reference, &raw mut function) })?;
        Ok(function)
    }
}
