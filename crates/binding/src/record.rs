//! One event as the arguments of one call of JavaScript's dispatcher.
//!
//! `dispatch(kind, id, value, chunk)`: `value` is 0 or libuv's negative error, for a connection the id of the new
//! handle. `chunk` is a Buffer that JavaScript owns: its memory is allocated by the engine and copied into before
//! anybody has a view of it, so there is no external `ArrayBuffer` (Electron forbids them) and no native write into
//! memory that JavaScript can see.
#![expect(unsafe_code, reason = "values are made by raw Node-API calls, four an event")]

use std::ptr;

use ferronet_reactor::{Chunk, Errno, Event, HandleId, Reactor, Received};
use napi::{Status, sys};

/// What an event is called on the other side (`lib/dispatcher.ts` has the same numbers).
#[derive(Clone, Copy, Debug)]
enum Kind {
    Connected = 1,
    Data = 2,
    End = 3,
    Wrote = 4,
    ShutDown = 5,
    Connection = 6,
    Closed = 7,
}

struct Record {
    kind: Kind,
    id: HandleId,
    value: i64,
    chunk: Option<Chunk>,
}

impl Record {
    fn new(kind: Kind, id: HandleId, value: i64) -> Self {
        Self {
            kind,
            id,
            value,
            chunk: None,
        }
    }
}

fn status(result: Result<(), Errno>) -> i64 {
    result.map_or_else(|errno| i64::from(errno.code()), |()| 0)
}

/// Takes what the event announces. `None` when there is nothing left to tell: the handle was stopped or closed.
fn record(event: Event, reactor: &Reactor) -> Option<Record> {
    Some(match event {
        Event::Connected { id, result } => Record::new(Kind::Connected, id, status(result)),
        Event::Wrote { id, result } => Record::new(Kind::Wrote, id, status(result)),
        Event::ShutDown { id, result } => Record::new(Kind::ShutDown, id, status(result)),
        Event::Closed { id } => Record::new(Kind::Closed, id, 0),
        Event::Connection { id, result: Ok(()) } => {
            let connection = reactor.accept(id)?;
            Record::new(Kind::Connection, id, i64::try_from(connection.to_bits()).ok()?)
        }
        Event::Connection {
            id,
            result: Err(errno),
        } => Record::new(Kind::Connection, id, i64::from(errno.code())),
        Event::Readable { id } => match reactor.take(id)? {
            Received::Data(chunk) => Record {
                chunk: Some(chunk),
                ..Record::new(Kind::Data, id, 0)
            },
            Received::End(errno) => Record::new(Kind::End, id, i64::from(errno.code())),
        },
    })
}

/// Delivers the oldest event. An exception of the dispatcher goes to `uncaughtException`, and later events are
/// delivered all the same.
pub(crate) fn deliver(env: sys::napi_env, dispatch: sys::napi_value, reactor: &Reactor) {
    let Some(record) = reactor.next_event().and_then(|event| record(event, reactor)) else {
        return;
    };
    // A failure here means that the environment can't run JavaScript any more: there is nobody to tell.
    if let Ok(arguments) = arguments(env, &record) {
        drop(record);
        call(env, dispatch, &arguments);
    }
}

fn ok(status: sys::napi_status) -> Result<(), Status> {
    match Status::from(status) {
        Status::Ok => Ok(()),
        status => Err(status),
    }
}

fn number(env: sys::napi_env, value: i64) -> Result<sys::napi_value, Status> {
    let mut result = ptr::null_mut();
    // SAFETY: on the JavaScript thread, inside the handle scope that the threadsafe function's item opened.
    ok(unsafe { sys::napi_create_int64(env, value, &raw mut result) })?;
    Ok(result)
}

fn undefined(env: sys::napi_env) -> Result<sys::napi_value, Status> {
    let mut result = ptr::null_mut();
    // SAFETY: as `number`.
    ok(unsafe { sys::napi_get_undefined(env, &raw mut result) })?;
    Ok(result)
}

fn buffer(env: sys::napi_env, bytes: &[u8]) -> Result<sys::napi_value, Status> {
    let mut result = ptr::null_mut();
    // SAFETY: as `number`; `bytes` are only read, and only during the call.
    ok(unsafe {
        sys::napi_create_buffer_copy(
            env,
            bytes.len(),
            bytes.as_ptr().cast(),
            ptr::null_mut(),
            &raw mut result,
        )
    })?;
    Ok(result)
}

fn arguments(env: sys::napi_env, record: &Record) -> Result<[sys::napi_value; 4], Status> {
    Ok([
        number(env, record.kind as i64)?,
        number(env, i64::try_from(record.id.to_bits()).unwrap_or(-1))?,
        number(env, record.value)?,
        match &record.chunk {
            Some(chunk) => buffer(env, chunk)?,
            None => undefined(env)?,
        },
    ])
}

fn call(env: sys::napi_env, dispatch: sys::napi_value, arguments: &[sys::napi_value]) {
    let Ok(this) = undefined(env) else { return };
    let mut result = ptr::null_mut();
    // SAFETY: as `number`; `dispatch` and the arguments were made or given in this item's scope.
    let called = unsafe {
        sys::napi_call_function(
            env,
            this,
            dispatch,
            arguments.len(),
            arguments.as_ptr(),
            &raw mut result,
        )
    };
    if Status::from(called) != Status::PendingException {
        return;
    }
    let mut exception = ptr::null_mut();
    // SAFETY: as `number`.
    if ok(unsafe { sys::napi_get_and_clear_last_exception(env, &raw mut exception) }).is_ok() {
        // SAFETY: as `number`. Its status is of no use: a worker that is being terminated refuses, and is gone soon.
        let _reported = unsafe { sys::napi_fatal_exception(env, exception) };
    }
}
