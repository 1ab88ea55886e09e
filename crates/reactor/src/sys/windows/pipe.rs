//! One end of a pipe as a stream: connecting, open, or closed before its handle is.
//!
//! A pipe has no half-close. What libuv makes of one is made here as well: once this side has ended, and nothing has come
//! for [`EOF_TIMEOUT`], the pipe is closed, which the other side reads as the end; this side reads the end too. Until the other
//! side has read what was written, where the system reports that, the time does not begin.

use std::io::{self, IoSlice};
use std::os::windows::io::{AsRawHandle, IntoRawHandle as _, OwnedHandle};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::net::windows::named_pipe::NamedPipeClient;
use windows_sys::Wdk::Storage::FileSystem::{
    FILE_PIPE_LOCAL_INFORMATION, FilePipeLocalInformation, NtQueryInformationFile,
};
use windows_sys::Win32::Foundation::{ERROR_BROKEN_PIPE, ERROR_NO_DATA, ERROR_PIPE_BUSY, ERROR_SEM_TIMEOUT};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

use super::errno::os_error;
use super::path;
use super::pipe_write::PendingWrite;
use super::timer::Timer;

/// How long the reading side of an ended pipe may receive nothing (libuv: `eof_timeout`).
const EOF_TIMEOUT: Duration = Duration::from_millis(50);
/// How long a connect waits for an instance, as libuv does.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// How often it tries.
const RETRY: Duration = Duration::from_millis(10);

/// One end of a pipe, the server's or the client's.
#[derive(Debug)]
pub(crate) struct Pipe {
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Busy(Busy),
    Open(Open),
    /// The other side reads the end.
    Closed,
}

/// All instances have clients: tried again and again until one is free.
#[derive(Debug)]
struct Busy {
    path: String,
    deadline: Instant,
    timer: Option<Timer>,
}

#[derive(Debug)]
struct Open {
    /// tokio's server differs by what it does before it is connected.
    end: NamedPipeClient,
    /// Not tokio's: its writes are refused until its driver has seen the pipe ready, and are reported as done while they are
    /// under way.
    outgoing: PendingWrite,
    /// The system reports what the other side has not read.
    reports_unread: bool,
    writing: Writing,
    /// Of the task that waits for bytes.
    reader: Option<Waker>,
}

#[derive(Debug)]
enum Writing {
    Open,
    /// Since when nothing was received, with the timer that checks again.
    Ended {
        quiet: Option<(Instant, Timer)>,
    },
}

impl Open {
    fn new(handle: OwnedHandle) -> io::Result<Self> {
        let reports_unread = quota(&handle).is_some_and(|quota| quota.free > 0);
        // SAFETY: a pipe's handle, open, and given away; it was opened for overlapped use.
        let end = unsafe { NamedPipeClient::from_raw_handle(handle.into_raw_handle()) }?;
        Ok(Self {
            end,
            outgoing: PendingWrite::new()?,
            reports_unread,
            writing: Writing::Open,
            reader: None,
        })
    }

    /// Whether something was written that the other side has not read, as far as that is known.
    fn has_unread(&self) -> bool {
        self.reports_unread && quota(&self.end).is_some_and(|quota| quota.free < quota.whole)
    }

    /// Nothing has come. Whether it is time to close.
    fn is_over(&mut self, cx: &Context<'_>) -> io::Result<bool> {
        let unread = self.has_unread();
        let Writing::Ended { quiet } = &mut self.writing else {
            if !self
                .reader
                .as_ref()
                .is_some_and(|reader| reader.will_wake(cx.waker()))
            {
                self.reader = Some(cx.waker().clone());
            }
            return Ok(false);
        };
        let now = Instant::now();
        let since = match quiet {
            Some((since, _)) if !unread => *since,
            _ => now,
        };
        let left = (since + EOF_TIMEOUT).saturating_duration_since(now);
        if left.is_zero() {
            return Ok(true);
        }
        // A timer that is early by less than its grain would wake for nothing again and again.
        let left = left.max(Duration::from_millis(1));
        *quiet = Some((since, Timer::after(left, cx.waker().clone())?));
        Ok(false)
    }

    fn note_received(&mut self) {
        if let Writing::Ended { quiet } = &mut self.writing {
            *quiet = None;
        }
    }
}

impl Pipe {
    /// Of a handle that is connected. The runtime is entered.
    pub(super) fn connected(handle: OwnedHandle) -> io::Result<Self> {
        Ok(Self {
            state: Mutex::new(State::Open(Open::new(handle)?)),
        })
    }

    /// To be connected as soon as an instance waits for a client.
    pub(super) fn busy(path: String) -> Self {
        let busy = Busy {
            path,
            deadline: Instant::now() + CONNECT_TIMEOUT,
            timer: None,
        };
        Self {
            state: Mutex::new(State::Busy(busy)),
        }
    }

    /// Of a connect that has failed.
    pub(super) fn closed() -> Self {
        Self {
            state: Mutex::new(State::Closed),
        }
    }

    pub(super) fn poll_connect(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state.lock();
        let State::Busy(busy) = &mut *state else {
            return Poll::Ready(Ok(()));
        };
        match path::open(&busy.path) {
            Ok(handle) => {
                *state = State::Open(Open::new(handle)?);
                Poll::Ready(Ok(()))
            }
            Err(error) if is_busy(&error) => {
                if Instant::now() >= busy.deadline {
                    return Poll::Ready(Err(os_error(ERROR_SEM_TIMEOUT)));
                }
                busy.timer = Some(Timer::after(RETRY, cx.waker().clone())?);
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    pub(super) fn write_now(&self, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
        match &mut *self.state.lock() {
            State::Busy(_) => Err(io::Error::from(io::ErrorKind::WouldBlock)),
            State::Open(open) => open.outgoing.write(&open.end, chunks),
            State::Closed => Err(os_error(ERROR_NO_DATA)),
        }
    }

    pub(super) fn poll_write(&self, cx: &Context<'_>, chunks: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match &mut *self.state.lock() {
            State::Busy(_) => Poll::Pending,
            State::Open(open) => open.outgoing.poll_write(&open.end, chunks, cx),
            State::Closed => Poll::Ready(Err(os_error(ERROR_NO_DATA))),
        }
    }

    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.lock();
        let open = match &mut *state {
            State::Busy(_) => return Poll::Pending,
            State::Open(open) => open,
            State::Closed => return Poll::Ready(()),
        };
        if open.end.poll_read_ready(cx).is_ready() {
            return Poll::Ready(());
        }
        match open.is_over(cx) {
            Ok(false) => Poll::Pending,
            Ok(true) | Err(_) => Poll::Ready(()),
        }
    }

    pub(super) fn poll_read(&self, cx: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut state = self.state.lock();
        let open = match &mut *state {
            State::Busy(_) => return Poll::Pending,
            State::Open(open) => open,
            State::Closed => return Poll::Ready(Ok(0)),
        };
        loop {
            if let Poll::Ready(ready) = open.end.poll_read_ready(cx) {
                ready?;
            } else if open.is_over(cx)? {
                *state = State::Closed;
                return Poll::Ready(Ok(0));
            } else {
                return Poll::Pending;
            }
            match open.end.try_read(space) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // The other end was closed: its end of the stream.
                Err(error) if error.raw_os_error() == Some(ERROR_BROKEN_PIPE.cast_signed()) => {
                    return Poll::Ready(Ok(0));
                }
                read => {
                    open.note_received();
                    return Poll::Ready(read);
                }
            }
        }
    }

    /// The end of what is written: the other side reads it when the pipe is closed.
    pub(super) fn shutdown_write(&self) {
        if let State::Open(open) = &mut *self.state.lock() {
            open.writing = Writing::Ended { quiet: None };
            // It begins to count.
            if let Some(reader) = open.reader.take() {
                reader.wake();
            }
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.outgoing.cancel(&self.end);
    }
}

pub(super) fn is_busy(error: &io::Error) -> bool {
    error.raw_os_error() == Some(ERROR_PIPE_BUSY.cast_signed())
}

/// How much of the buffer towards the other side is free, of how much.
struct Quota {
    free: u32,
    whole: u32,
}

fn quota(pipe: &impl AsRawHandle) -> Option<Quota> {
    let mut status = IO_STATUS_BLOCK::default();
    let mut information = FILE_PIPE_LOCAL_INFORMATION::default();
    // SAFETY: both structures are written, of the sizes that the call knows or is passed.
    let answer = unsafe {
        NtQueryInformationFile(
            pipe.as_raw_handle(),
            &raw mut status,
            (&raw mut information).cast(),
            u32::try_from(size_of::<FILE_PIPE_LOCAL_INFORMATION>()).ok()?,
            FilePipeLocalInformation,
        )
    };
    (answer >= 0).then_some(Quota {
        free: information.WriteQuotaAvailable,
        whole: information.OutboundQuota,
    })
}
