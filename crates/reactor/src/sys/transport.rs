//! What a handle runs over, where it connects to, and what a descriptor number stands for.

use std::net::SocketAddr;

/// What carries the bytes of a stream, and those of what a listener accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP over IPv4 or IPv6, with nothing between the socket and this process.
    Tcp,
    /// Another stream socket of these families, which was adopted: MPTCP, SMC, or TCP with a layer of the
    /// kernel's above it, such as TLS.
    InetStream,
    /// A Unix stream socket.
    UnixStream,
    /// A named pipe of Windows.
    NamedPipe,
    /// What was adopted and is none of these: a pipe or a FIFO, a terminal, a socket of another type.
    Other,
}

impl Transport {
    /// What a local path leads to on this system.
    pub const LOCAL: Self = if cfg!(windows) {
        Self::NamedPipe
    } else {
        Self::UnixStream
    };

    /// Whether bytes may be read before the consumer takes them. A peer over TCP can be reset for what is
    /// never taken. The peer of a Unix socket learns of unread bytes from the kernel alone, and what is in a
    /// pipe may be another reader's. tokio reads a named pipe before a task asks.
    pub(crate) fn reads_ahead(self) -> bool {
        match self {
            Self::Tcp | Self::NamedPipe => true,
            Self::InetStream | Self::UnixStream | Self::Other => false,
        }
    }

    /// Whether connections may be accepted before the consumer takes them. The client of a Unix socket sees a
    /// reset for a connection that was never accepted, and an end for one that was accepted and closed.
    pub(crate) fn accepts_ahead(self) -> bool {
        match self {
            Self::Tcp | Self::InetStream | Self::NamedPipe => true,
            Self::UnixStream | Self::Other => false,
        }
    }

    /// Whether an event reports every error of a connect, also those that the system returns at once, as with
    /// libuv.
    pub(crate) fn defers_connect_errors(self) -> bool {
        match self {
            Self::UnixStream | Self::NamedPipe => true,
            Self::Tcp | Self::InetStream | Self::Other => false,
        }
    }
}

/// Where a connect goes.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// A TCP address.
    Tcp(&'a SocketAddr),
    /// A path, an abstract name (leading NUL, Linux), or a pipe's name.
    Local(&'a str),
}

impl Target<'_> {
    pub(crate) fn transport(&self) -> Transport {
        match self {
            Self::Tcp(_) => Transport::Tcp,
            Self::Local(_) => Transport::LOCAL,
        }
    }
}

/// What a descriptor is, in the terms of `uv_guess_handle`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DescriptorKind {
    /// A TCP socket.
    Tcp,
    /// A Unix stream socket, a pipe or a FIFO.
    Pipe,
    /// A file, or a device that is no terminal.
    File,
    /// A terminal.
    Terminal,
    /// A UDP socket.
    Udp,
    /// Something else, or not open.
    Unknown,
}
