//! What a handle runs over, where it connects to, and what a descriptor number stands for.

use std::net::SocketAddr;

/// What a stream or a listener runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP over IPv4 or IPv6.
    Tcp,
    /// A Unix socket or another local descriptor; on Windows a named pipe.
    Local,
}

/// Where a connect goes.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// A TCP address.
    Tcp(&'a SocketAddr),
    /// A path, an abstract name (leading NUL, Linux), or a pipe's name.
    Local(&'a str),
}

/// What a descriptor is, as `uv_guess_handle` answers.
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
