//! The seam between the kernel and a connection: its halves, its relay and its connect reach the stream
//! through here only. What belongs between the two, such as a header that goes ahead of the bytes and is not
//! the consumer's, has its place here, and neither half knows of it.
//!
//! Receiving is done under the reader's lock and sending under the writer's, so there is one of each at a
//! time.
//!
//! What the kernel gives and takes is counted here, for the runtime of the connection.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use ferronet_core::payload::Transmit;
use socket2::SockRef;

use crate::drive::traffic::Traffic;
use crate::sys::{self, Descriptor, Fill, SplicePipe, Stream, UnregisteredSocket};

/// The stream of a connection. The calls are those of [`Stream`] with the same name, and wait for nothing.
#[derive(Debug)]
pub(crate) struct StreamIo(Stream);

impl StreamIo {
    pub(super) fn new(stream: Stream) -> Self {
        Self(stream)
    }

    pub(super) fn descriptor(&self) -> &(dyn Descriptor + 'static) {
        &self.0
    }

    pub(super) fn socket(&self) -> Option<SockRef<'_>> {
        self.0.socket()
    }

    #[inline]
    pub(super) fn poll_connect(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_connect(cx)
    }

    /// When a task that was left waiting has to ask again, as nothing reports it. Given once for each time.
    #[inline]
    pub(super) fn take_retry_time(&self) -> Option<Instant> {
        self.0.take_retry_time()
    }

    /// Leaves the runtime.
    #[cfg_attr(
        windows,
        expect(
            clippy::result_large_err,
            reason = "it is not an error, but what stays as it is"
        )
    )]
    pub(super) fn deregister(self) -> Result<UnregisteredSocket, Self> {
        self.0.deregister().map_err(Self)
    }

    // ---- receiving

    /// Whether bytes may be read before the consumer takes them.
    #[inline]
    pub(super) fn reads_ahead(&self) -> bool {
        self.0.transport().reads_ahead()
    }

    #[inline]
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_readable(cx)
    }

    #[inline]
    pub(super) fn poll_read(
        &self,
        traffic: &Traffic,
        cx: &mut Context<'_>,
        space: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let read = self.0.poll_read(cx, space);
        if let Poll::Ready(Ok(bytes)) = read {
            traffic.received(bytes);
        }
        read
    }

    /// As many bytes of `space` as are returned are initialized afterwards.
    #[inline]
    pub(super) fn poll_receive(
        &self,
        traffic: &Traffic,
        cx: &mut Context<'_>,
        space: &mut [MaybeUninit<u8>],
    ) -> Poll<io::Result<usize>> {
        let read = self.0.poll_receive(cx, space);
        if let Poll::Ready(Ok(bytes)) = read {
            traffic.received(bytes);
        }
        read
    }

    /// As `poll_receive`, whatever the poller has reported.
    #[inline]
    pub(super) fn receive_now(&self, traffic: &Traffic, space: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
        let read = self.0.receive_now(space);
        if let Ok(bytes) = read {
            traffic.received(bytes);
        }
        read
    }

    // ---- sending

    #[inline]
    pub(super) fn write_now(&self, traffic: &Traffic, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
        let written = self.0.write_now(chunks);
        if let Ok(bytes) = written {
            traffic.sent(bytes);
        }
        written
    }

    /// Hands the kernel what a queue has next. Returns how many bytes it took.
    #[inline]
    pub(super) fn poll_transmit(
        &self,
        traffic: &Traffic,
        cx: &mut Context<'_>,
        transmit: &Transmit<'_>,
    ) -> Poll<io::Result<usize>> {
        let written = match transmit {
            Transmit::Bytes(slices) => self.0.poll_write(cx, slices),
        };
        if let Poll::Ready(Ok(bytes)) = written {
            traffic.sent(bytes);
        }
        written
    }

    pub(super) fn shutdown_write(&self) -> io::Result<()> {
        self.0.shutdown_write()
    }

    // ---- relaying by the kernel, for which both streams have to be what the kernel sees

    /// Moves what was received into `pipe`.
    #[inline]
    pub(super) fn poll_splice_into(
        &self,
        traffic: &Traffic,
        pipe: &mut SplicePipe,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Fill>> {
        let filled = pipe.poll_fill(&self.0, cx);
        if let Poll::Ready(Ok(Fill::Bytes(bytes))) = filled {
            traffic.received(bytes.get());
        }
        filled
    }

    /// Sends as much of the `filled` bytes in `pipe` as the kernel takes. Returns how much that was, and why
    /// it was not more, if that is an error.
    #[inline]
    pub(super) fn splice_from(
        &self,
        traffic: &Traffic,
        pipe: &SplicePipe,
        filled: usize,
    ) -> (usize, Option<io::Error>) {
        let drained = pipe.drain_into(&self.0, filled);
        traffic.sent(drained.0);
        drained
    }
}

/// Returns when one of the streams takes bytes or has an error, or when the time is up.
pub(super) fn wait_writable<'a>(streams: impl IntoIterator<Item = &'a StreamIo>, timeout: Duration) {
    let streams: Vec<_> = streams.into_iter().map(|stream| &stream.0).collect();
    sys::wait_writable(&streams, timeout);
}
