//! Local paths: the address of one, the file that binding makes, and who may use it.
//!
//! Others may replace the file in a folder that they may write to. So it is known by its inode, which is its
//! own for as long as the socket is open, and what has taken its place is neither removed nor given another
//! mode.

use std::fs::Metadata;
use std::io;
use std::mem::ManuallyDrop;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use socket2::SockAddr;

use crate::sys::access::LocalAccess;
use crate::sys::transport::Target;

use super::errno;

/// Which file it is, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// Of a socket only: nothing else is made by binding.
    fn of(file: &Metadata) -> Option<Self> {
        let is_socket = file.file_type().is_socket();
        is_socket.then(|| Self {
            device: file.dev(),
            inode: file.ino(),
        })
    }
}

/// The file that binding a local socket made. It goes with whatever the socket has become, as libuv does it,
/// but only if it is still there. To be dropped before the descriptor is closed: the inode may be another
/// file's from then on.
#[derive(Debug)]
pub(super) struct OwnPath {
    path: PathBuf,
    file: Option<FileId>,
}

impl OwnPath {
    /// What is at `path` now, if that is a socket.
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let file = path.symlink_metadata().ok().as_ref().and_then(FileId::of);
        Self { path, file }
    }

    fn is(&self, found: &Metadata) -> bool {
        self.file.is_some() && FileId::of(found) == self.file
    }

    /// Sets the permissions of this very file.
    ///
    /// # Errors
    /// `ENOENT` when it is not at its path any more, what chmod(2) says.
    pub(super) fn set_mode(&self, mode: u32) -> io::Result<()> {
        chmod(&self.path, mode, |found| self.is(found))
    }

    /// Leaves the file where it is.
    pub(super) fn leave(self) {
        let mut left = ManuallyDrop::new(self);
        drop(std::mem::take(&mut left.path));
    }
}

impl Drop for OwnPath {
    fn drop(&mut self) {
        // What fails is gone already, or belongs to another user: nothing to do about either.
        if self.path.symlink_metadata().is_ok_and(|found| self.is(&found)) {
            drop(std::fs::remove_file(&self.path));
        }
    }
}

/// By a descriptor of the file, so that it is the file that was looked at.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn chmod(path: &Path, mode: u32, is_it: impl Fn(&Metadata) -> bool) -> io::Result<()> {
    use std::fs::{File, Permissions};
    use std::os::fd::{AsRawFd as _, FromRawFd as _};
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::PermissionsExt as _;
    let name = std::ffi::CString::new(path.as_os_str().as_bytes())?;
    // Not by `OpenOptions`, which takes `O_PATH` away where the C library counts it among the access modes
    // (musl).
    // SAFETY: `name` is a string that ends with NUL and lives through the call.
    let fd = unsafe { libc::open(name.as_ptr(), libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new, and nothing else knows it.
    let opened = unsafe { File::from_raw_fd(fd) };
    let found = opened.metadata()?;
    if !is_it(&found) {
        return Err(io::Error::from_raw_os_error(errno::ENOENT));
    }
    if found.mode() & 0o7777 == mode {
        return Ok(());
    }
    let mode = Permissions::from_mode(mode);
    let by_number = format!("/proc/self/fd/{}", opened.as_raw_fd());
    match std::fs::set_permissions(by_number, mode.clone()) {
        // Without /proc there is only the name.
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => std::fs::set_permissions(path, mode),
        set => set,
    }
}

/// By the name, which is not followed anywhere.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn chmod(path: &Path, mode: u32, is_it: impl Fn(&Metadata) -> bool) -> io::Result<()> {
    use std::os::unix::ffi::OsStrExt as _;
    if !is_it(&path.symlink_metadata()?) {
        return Err(io::Error::from_raw_os_error(errno::ENOENT));
    }
    let name = std::ffi::CString::new(path.as_os_str().as_bytes())?;
    let mode = libc::mode_t::try_from(mode).unwrap_or_default();
    // SAFETY: `name` is a string that ends with NUL and lives through the call.
    let answer = unsafe { libc::fchmodat(libc::AT_FDCWD, name.as_ptr(), mode, libc::AT_SYMLINK_NOFOLLOW) };
    if answer == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// The permissions for `access`, as far as they are not left to the system.
pub(super) fn mode_of(access: LocalAccess) -> Option<u32> {
    match access {
        LocalAccess::Usual => None,
        LocalAccess::Owner => Some(0o600),
        LocalAccess::All { readable, writable } => {
            Some(if readable { 0o444 } else { 0 } | if writable { 0o222 } else { 0 })
        }
    }
}

/// Sets who may use a bound local socket, exactly: read, write or both, for all users (Node 26 sets them
/// exactly; older ones added them). `EINVAL` for one without a path.
pub(super) fn open_to_all(path: Option<&OwnPath>, readable: bool, writable: bool) -> io::Result<()> {
    let own = path.ok_or_else(|| io::Error::from_raw_os_error(errno::EINVAL))?;
    own.set_mode(mode_of(LocalAccess::All { readable, writable }).unwrap_or_default())
}

/// The address of a local path. A leading NUL names the abstract space of Linux. Too long is `EINVAL`, and so
/// is a NUL further on: the kernel would end the name there, and a check of the whole of it would be void.
pub(super) fn local_address(path: &str) -> io::Result<SockAddr> {
    let invalid = || io::Error::from_raw_os_error(errno::EINVAL);
    if !path.starts_with('\0') && path.contains('\0') {
        return Err(invalid());
    }
    SockAddr::unix(path).map_err(|_| invalid())
}

/// Whether a connect ends at this address: for TCP a matter of the port, since one machine has many names.
pub(crate) fn reaches(to: &Target<'_>, listening: &SockAddr) -> bool {
    match to {
        Target::Tcp(address) => listening
            .as_socket()
            .is_some_and(|own| own.port() == address.port()),
        Target::Local(path) => local_address(path).is_ok_and(|address| address == *listening),
    }
}
