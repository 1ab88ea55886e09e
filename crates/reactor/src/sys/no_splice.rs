//! For systems that move nothing from socket to socket: every relay copies.

use std::io;
use std::num::NonZeroUsize;
use std::task::{Context, Poll};

/// What filling came to. Here it is always `Unsupported`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(dead_code, reason = "the contract of sys, as on Linux")]
pub(crate) enum Fill {
    Bytes(NonZeroUsize),
    End,
    Unsupported,
    NoPipe,
}

/// Never filled, so it is never emptied either.
#[derive(Debug, Default)]
pub(crate) struct SplicePipe;

#[expect(clippy::unused_self, reason = "the contract of sys, as on Linux")]
impl SplicePipe {
    pub(crate) fn discard(&mut self) {}

    pub(crate) fn poll_fill<S>(&mut self, _from: &S, _cx: &mut Context<'_>) -> Poll<io::Result<Fill>> {
        Poll::Ready(Ok(Fill::Unsupported))
    }

    pub(crate) fn drain_into<S>(&self, _to: &S, _filled: usize) -> (usize, Option<io::Error>) {
        (0, None)
    }

    pub(crate) fn read_back(&self, _space: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
