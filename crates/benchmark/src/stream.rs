//! The few things that are done with a connection, on tokio's traits alone. A read or write that moved less
//! than it could is not tried again before the system says so, which saves a system call in each round trip.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Reads something, or has the task woken when there is something. 0 is the end.
///
/// # Errors
/// Of the system.
pub fn poll_read<S: AsyncRead + Unpin>(
    stream: &mut S,
    context: &mut Context<'_>,
    buffer: &mut [u8],
) -> Poll<io::Result<usize>> {
    let mut into = ReadBuf::new(buffer);
    ready!(Pin::new(stream).poll_read(context, &mut into))?;
    Poll::Ready(Ok(into.filled().len()))
}

/// Reads something. 0 is the end.
///
/// # Errors
/// Of the system.
pub async fn read<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut [u8]) -> io::Result<usize> {
    poll_fn(|context| poll_read(stream, context, buffer)).await
}

/// Reads something into a buffer that other connections use as well, each for the moment of its read only.
///
/// # Errors
/// Of the system.
pub async fn read_shared<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &RefCell<Vec<u8>>,
) -> io::Result<usize> {
    poll_fn(|context| poll_read(stream, context, &mut buffer.borrow_mut())).await
}

/// Writes a part of the bytes.
///
/// # Errors
/// Of the system.
pub async fn write<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> io::Result<usize> {
    poll_fn(|context| Pin::new(&mut *stream).poll_write(context, bytes)).await
}

/// Writes all of the bytes.
///
/// # Errors
/// Of the system.
pub async fn write_all<S: AsyncWrite + Unpin>(stream: &mut S, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = write(stream, bytes).await?;
        bytes = &bytes[count..];
    }
    Ok(())
}

/// Says that nothing more is written.
///
/// # Errors
/// Of the system.
pub async fn shut_down<S: AsyncWrite + Unpin>(stream: &mut S) -> io::Result<()> {
    poll_fn(|context| Pin::new(&mut *stream).poll_shutdown(context)).await
}

/// Sends a request and receives `expected` bytes, each way as soon as it can, so that big ones do not wait
/// for each other. `check` sees where in the answer each piece belongs, and says whether it is right.
///
/// # Errors
/// Of the system; `UnexpectedEof` when the answer ends early, `InvalidData` when it is not right.
pub async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    request: &[u8],
    expected: usize,
    buffer: &RefCell<Vec<u8>>,
    check: impl Fn(usize, &[u8]) -> bool,
) -> io::Result<()> {
    let (mut sent, mut received) = (0, 0);
    poll_fn(|context| {
        let buffer = &mut *buffer.borrow_mut();
        loop {
            if sent < request.len()
                && let Poll::Ready(count) = Pin::new(&mut *stream).poll_write(context, &request[sent..])
            {
                sent += count?;
            }
            let count = ready!(poll_read(stream, context, buffer))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            if received + count > expected || !check(received, &buffer[..count]) {
                return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
            }
            received += count;
            if received == expected {
                return Poll::Ready(Ok(()));
            }
        }
    })
    .await
}
