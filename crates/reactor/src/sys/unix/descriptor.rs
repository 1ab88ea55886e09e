//! Descriptors by number: registered, borrowed, told apart and duplicated.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;

use socket2::{Domain, SockRef, Type};
use tokio::io::unix::AsyncFd;

use crate::DescriptorKind;

use super::errno;

/// Gives a descriptor to the runtime that is entered. A descriptor that another handle of this reactor has (`EEXIST`)
/// stays that handle's: it is not closed here.
pub(super) fn register<T: AsRawFd + IntoRawFd + From<OwnedFd>>(owner: T) -> io::Result<AsyncFd<T>> {
    // SAFETY: `owner` owns its descriptor (the files and sockets of this folder do), so it stays open and the same for as long as
    // the `AsyncFd` that it moves into; nothing here takes it out or swaps it.
    unsafe { AsyncFd::register(owner) }.map_err(|refused| {
        let (owner, error) = refused.into_parts();
        if error.raw_os_error() == Some(libc::EEXIST) {
            let _theirs = owner.into_raw_fd();
        }
        error
    })
}

/// Whether the runtime that is entered watches a descriptor: epoll refuses it then.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn is_registered(fd: BorrowedFd<'_>) -> bool {
    // SAFETY: the descriptor is borrowed for longer than the registration lives, which ends here.
    let asked = unsafe { AsyncFd::register(fd) };
    asked.is_err_and(|refused| refused.into_parts().1.raw_os_error() == Some(libc::EEXIST))
}

/// kqueue takes a descriptor twice, and to ask would end the first registration.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn is_registered(_fd: BorrowedFd<'_>) -> bool {
    false
}

pub(super) fn borrow(fd: &i32) -> Option<BorrowedFd<'_>> {
    // SAFETY: fcntl only asks about the number; a number that names nothing is answered with -1.
    if *fd < 0 || unsafe { libc::fcntl(*fd, libc::F_GETFD) } < 0 {
        return None;
    }
    // SAFETY: the call above has just seen the descriptor open; the caller, who named it, keeps it so meanwhile.
    Some(unsafe { BorrowedFd::borrow_raw(*fd) })
}

/// What a descriptor is, as `uv_guess_handle` tells it.
pub(crate) fn descriptor_kind(fd: i32) -> DescriptorKind {
    let Some(descriptor) = borrow(&fd) else {
        return DescriptorKind::Unknown;
    };
    if descriptor.is_terminal() {
        return DescriptorKind::Terminal;
    }
    let Ok(metadata) = descriptor
        .try_clone_to_owned()
        .and_then(|copy| File::from(copy).metadata())
    else {
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
