//! Descriptors by number: what they are, and duplicates of them.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::time::Duration;

use socket2::{Domain, SockRef, Type};

use crate::sys::transport::DescriptorKind;

use super::errno;

/// Whether sockets can leave the reactor as descriptors.
pub(crate) const GIVES_DESCRIPTORS: bool = true;

/// A socket for an owner outside the reactor. Closed when it is dropped.
#[derive(Debug)]
pub struct OwnedDescriptor(OwnedFd);

impl OwnedDescriptor {
    /// Its number. It stays open.
    pub fn number(&self) -> i32 {
        self.0.as_raw_fd()
    }

    /// The caller closes it from now on.
    pub fn into_number(self) -> i32 {
        self.0.into_raw_fd()
    }

    /// Closes it with RST.
    pub fn reset(self) {
        // Without the option, which local sockets lack, the close that follows ends the connection.
        drop(SockRef::from(&self.0).set_linger(Some(Duration::ZERO)));
    }
}

impl From<OwnedFd> for OwnedDescriptor {
    fn from(fd: OwnedFd) -> Self {
        Self(fd)
    }
}

pub(super) fn borrow(fd: &i32) -> Option<BorrowedFd<'_>> {
    // SAFETY: fcntl only asks about the number; it returns -1 for a number that names nothing.
    if *fd < 0 || unsafe { libc::fcntl(*fd, libc::F_GETFD) } < 0 {
        return None;
    }
    // SAFETY: the call above has just seen the descriptor open; the caller, who named it, keeps it so
    // meanwhile.
    Some(unsafe { BorrowedFd::borrow_raw(*fd) })
}

/// What a descriptor is, as `uv_guess_handle` says.
pub(crate) fn descriptor_kind(fd: i32) -> DescriptorKind {
    let Some(descriptor) = borrow(&fd) else {
        return DescriptorKind::Unknown;
    };
    if descriptor.is_terminal() {
        return DescriptorKind::Terminal;
    }
    // SAFETY: the descriptor is borrowed for longer, and not closed here.
    let file = ManuallyDrop::new(unsafe { File::from_raw_fd(fd) });
    let Ok(metadata) = file.metadata() else {
        return DescriptorKind::Unknown;
    };
    let file_type = metadata.file_type();
    if file_type.is_file() || file_type.is_char_device() {
        return DescriptorKind::File;
    }
    if file_type.is_fifo() {
        return DescriptorKind::Pipe;
    }
    if !file_type.is_socket() {
        return DescriptorKind::Unknown;
    }
    let socket = SockRef::from(&descriptor);
    let (Ok(kind), Ok(address)) = (socket.r#type(), socket.local_addr()) else {
        return DescriptorKind::Unknown;
    };
    let inet = matches!(address.domain(), Domain::IPV4 | Domain::IPV6);
    match kind {
        Type::STREAM if inet => DescriptorKind::Tcp,
        Type::DGRAM if inet => DescriptorKind::Udp,
        Type::STREAM if address.domain() == Domain::UNIX => DescriptorKind::Pipe,
        _ => DescriptorKind::Unknown,
    }
}

/// Another descriptor of the same file, close-on-exec.
pub(crate) fn duplicate(fd: i32) -> io::Result<i32> {
    let open = borrow(&fd).ok_or_else(|| io::Error::from_raw_os_error(errno::EBADF))?;
    Ok(open.try_clone_to_owned()?.into_raw_fd())
}

/// As `duplicate`.
pub(crate) fn duplicate_socket(socket: &SockRef<'_>) -> io::Result<i32> {
    duplicate(socket.as_raw_fd())
}
