//! The write to a pipe that is under way: one at a time.

use std::io::{self, IoSlice};
use std::os::windows::io::AsRawHandle;
use std::ptr;
use std::task::{Context, Poll, ready};

use windows_sys::Win32::Foundation::{ERROR_BROKEN_PIPE, ERROR_NO_DATA};
use windows_sys::Win32::Storage::FileSystem::WriteFile;

use super::errno::os_error;
use super::overlapped::{Begun, Overlapped};
use super::pipe_instance::BUFFER;

/// How much one write is given: what an empty pipe takes at once.
const LARGEST: usize = BUFFER as usize;

#[derive(Debug)]
pub(super) struct PendingWrite {
    overlapped: Overlapped,
    /// Of the write that is under way; untouched until it has ended.
    bytes: Vec<u8>,
    under_way: bool,
}

impl PendingWrite {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            overlapped: Overlapped::new()?,
            bytes: Vec::new(),
            under_way: false,
        })
    }

    /// Writes as much as goes at once. After `WouldBlock` the first of the bytes are under way, so the same
    /// have to be offered again when the task is woken; more bytes may follow them.
    pub(super) fn write(&mut self, pipe: &impl AsRawHandle, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.under_way {
            let Some(result) = self.overlapped.result(pipe) else {
                return Err(io::Error::from(io::ErrorKind::WouldBlock));
            };
            self.under_way = false;
            return result.map_err(as_write_error);
        }
        self.bytes.clear();
        for chunk in chunks {
            let room = LARGEST - self.bytes.len();
            self.bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
        }
        // A write of nothing could be read as the end.
        if self.bytes.is_empty() {
            return Ok(0);
        }
        let (bytes, length) = (self.bytes.as_ptr(), u32::try_from(self.bytes.len()).unwrap_or(0));
        let begun = self.overlapped.begin(|overlapped| {
            // SAFETY: the handle is open; the bytes are not touched until the write has ended, and the
            // structure is for this call.
            unsafe { WriteFile(pipe.as_raw_handle(), bytes, length, ptr::null_mut(), overlapped) }
        });
        match begun.map_err(as_write_error)? {
            Begun::Ended => Ok(self.bytes.len()),
            Begun::UnderWay => {
                self.under_way = true;
                Err(io::Error::from(io::ErrorKind::WouldBlock))
            }
        }
    }

    /// As `write`, and wakes the task at the end of the write.
    pub(super) fn poll_write(
        &mut self,
        pipe: &impl AsRawHandle,
        chunks: &[IoSlice<'_>],
        cx: &Context<'_>,
    ) -> Poll<io::Result<usize>> {
        match self.write(pipe, chunks) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let result = ready!(self.overlapped.poll(pipe, cx));
                self.under_way = false;
                Poll::Ready(result.map_err(as_write_error))
            }
            written => Poll::Ready(written),
        }
    }

    /// Before the pipe is closed.
    pub(super) fn cancel(&mut self, pipe: &impl AsRawHandle) {
        if std::mem::take(&mut self.under_way) {
            self.overlapped.cancel(pipe);
        }
    }
}

/// In a read a broken pipe is the end, in a write it is none (libuv: `uv_translate_write_sys_error`).
fn as_write_error(error: io::Error) -> io::Error {
    if error.raw_os_error() == Some(ERROR_BROKEN_PIPE.cast_signed()) {
        os_error(ERROR_NO_DATA)
    } else {
        error
    }
}
