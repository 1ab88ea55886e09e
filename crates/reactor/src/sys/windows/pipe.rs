//! One end of a pipe as a stream: connecting, open, or closed before its handle is.
//!
//! A pipe has no half-close. What libuv makes of one is made here as well: once this side has ended, and
//! nothing has come for [`EOF_TIMEOUT`], the pipe is closed, which the other side reads as the end; this side
//! reads the end too. Until the other side has read what was written, where the system reports that, the time
//! does not begin.
//!
//! The system reports neither that time nor a free instance of a busy pipe: the task has to ask again
//! ([`Pipe::take_retry_time`]).

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

/// How long the reading side of an ended pipe may receive nothing (libuv: `eof_timeout`).
const EOF_TIMEOUT: Duration = Duration::from_millis(50);
/// How long a connect waits for an instance, as libuv does.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// How often it is tried.
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
    /// When the task has to try again, since it was left waiting.
    retry_at: Option<Instant>,
}

#[derive(Debug)]
struct Open {
    /// tokio's server differs by what it does before it is connected.
    end: NamedPipeClient,
    /// Not tokio's: its writes are refused until its driver has seen the pipe ready, and are reported as done
    /// while they are under way.
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
    Ended {
        /// Since when nothing was received, while the task waits for more.
        quiet_since: Option<Instant>,
        /// When the task has to ask again, since it was left waiting.
        retry_at: Option<Instant>,
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
    fn is_over(&mut self, cx: &Context<'_>) -> bool {
        let unread = self.has_unread();
        let Writing::Ended {
            quiet_since,
            retry_at,
        } = &mut self.writing
        else {
            if !self
                .reader
                .as_ref()
                .is_some_and(|reader| reader.will_wake(cx.waker()))
            {
                self.reader = Some(cx.waker().clone());
            }
            return false;
        };
        let now = Instant::now();
        let since = quiet_since.filter(|_| !unread).unwrap_or(now);
        let over_at = since + EOF_TIMEOUT;
        *quiet_since = Some(since);
        *retry_at = (now < over_at).then_some(over_at);
        now >= over_at
    }

    fn note_received(&mut self) {
        if let Writing::Ended { quiet_since, .. } = &mut self.writing {
            *quiet_since = None;
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
            retry_at: None,
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

    /// Tries to connect a pipe that was busy.
    pub(super) fn poll_connect(&self) -> Poll<io::Result<()>> {
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
                let now = Instant::now();
                if now >= busy.deadline {
                    return Poll::Ready(Err(os_error(ERROR_SEM_TIMEOUT)));
                }
                busy.retry_at = Some(now + RETRY);
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
        if open.is_over(cx) {
            Poll::Ready(())
        } else {
            Poll::Pending
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
            } else if open.is_over(cx) {
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
            open.writing = Writing::Ended {
                quiet_since: None,
                retry_at: None,
            };
            // It begins to count.
            if let Some(reader) = open.reader.take() {
                reader.wake();
            }
        }
    }

    /// When a task that was left waiting has to ask again. Given once for each time.
    pub(super) fn take_retry_time(&self) -> Option<Instant> {
        match &mut *self.state.lock() {
            State::Busy(Busy { retry_at, .. })
            | State::Open(Open {
                writing: Writing::Ended { retry_at, .. },
                ..
            }) => retry_at.take(),
            State::Open(_) | State::Closed => None,
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
