//! Local paths: the address of one, the file that binding makes, and who may use it.

use std::fs::Permissions;
use std::io;
use std::mem::ManuallyDrop;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use socket2::SockAddr;

use crate::Target;

use super::errno;

/// The file that binding a local socket made. It goes with whatever the socket has become, as libuv does it.
#[derive(Debug)]
pub(super) struct OwnPath(PathBuf);

impl OwnPath {
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Lets nobody but the owner use the socket.
    pub(super) fn keep_to_owner(&self) -> io::Result<()> {
        std::fs::set_permissions(&self.0, Permissions::from_mode(0o600))
    }

    /// Leaves the file where it is.
    pub(super) fn leave(self) {
        let mut left = ManuallyDrop::new(self);
        drop(std::mem::take(&mut left.0));
    }
}

impl Drop for OwnPath {
    fn drop(&mut self) {
        // Gone already, or never ours to remove: nothing to do about either.
        drop(std::fs::remove_file(&self.0));
    }
}

/// Sets who may use a bound local socket, exactly: read, write or both, for everybody (Node 26; older ones added it).
/// `EINVAL` for one without a path.
pub(super) fn open_to_all(path: Option<&OwnPath>, readable: bool, writable: bool) -> io::Result<()> {
    let OwnPath(path) = path.ok_or_else(|| io::Error::from_raw_os_error(errno::EINVAL))?;
    let mode = if readable { 0o444 } else { 0 } | if writable { 0o222 } else { 0 };
    std::fs::set_permissions(path, Permissions::from_mode(mode))
}

/// The address of a local path. A leading NUL names the abstract space of Linux. Too long is `EINVAL`, and so is a NUL
/// further on: the kernel would end the name there, and whoever checked the whole of it would be deceived.
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
