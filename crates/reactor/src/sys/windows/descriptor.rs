//! Sockets by number. They are no descriptors of the C library here: `uv_tcp_open` takes such a number and
//! `uv_fileno` gives it, but the kind of a number is not guessed.

use std::io;
use std::os::windows::io::{BorrowedSocket, IntoRawSocket as _, RawSocket};

use socket2::SockRef;
use windows_sys::Win32::Networking::WinSock::WSAENOTSOCK;

use crate::sys::transport::DescriptorKind;

/// Whether sockets can leave the reactor as descriptors.
pub(crate) const GIVES_DESCRIPTORS: bool = false;

/// There is none: a socket belongs to the runtime's completion port for life.
#[derive(Debug)]
pub enum OwnedDescriptor {}

impl OwnedDescriptor {
    /// Its number. It stays open.
    pub fn number(&self) -> i32 {
        match *self {}
    }

    /// The caller closes it from now on.
    pub fn into_number(self) -> i32 {
        match self {}
    }

    /// Closes it with RST.
    pub fn reset(self) {
        match self {}
    }
}

pub(crate) fn descriptor_kind(_fd: i32) -> DescriptorKind {
    DescriptorKind::Unknown
}

/// The number of a handle's socket is not given out here, so it cannot be adopted a second time.
pub(crate) fn is_taken(_number: i32) -> bool {
    false
}

/// The number of a socket; what is open and has none is a pipe.
pub(super) fn raw(number: i32) -> io::Result<RawSocket> {
    RawSocket::try_from(number).map_err(|_| io::Error::from(io::ErrorKind::Unsupported))
}

/// Another one of the same socket, for this process.
pub(crate) fn duplicate(number: i32) -> io::Result<i32> {
    // SAFETY: the caller, who named it, keeps it open meanwhile; what is no socket is refused by the call
    // that makes another.
    let socket = unsafe { BorrowedSocket::borrow_raw(raw(number)?) };
    duplicate_socket(&SockRef::from(&socket))
}

/// As `duplicate`.
pub(crate) fn duplicate_socket(socket: &SockRef<'_>) -> io::Result<i32> {
    let another = socket.try_clone()?;
    // Handles are small numbers, also where pointers are not.
    i32::try_from(another.into_raw_socket()).map_err(|_| io::Error::from_raw_os_error(WSAENOTSOCK))
}
