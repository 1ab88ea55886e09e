//! The descriptors of handles, and which numbers of this process those are.
//!
//! A program can name any number to have it adopted, also that of a socket which another handle has, in this
//! thread or in another one. Two handles of one number would each close it, and the second time whatever has
//! the number by then. So a number has one handle at a time, and the next one gets a duplicate.

use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use parking_lot::Mutex;

use super::descriptor::borrow;
use super::errno;

/// The numbers that handles have, one bit each.
static TAKEN: Mutex<Numbers> = Mutex::new(Numbers(Vec::new()));

struct Numbers(Vec<u64>);

impl Numbers {
    fn place(fd: RawFd) -> (usize, u64) {
        let number = usize::try_from(fd).unwrap_or(0);
        (number / 64, 1 << (number % 64))
    }

    fn has(&self, fd: RawFd) -> bool {
        let (word, bit) = Self::place(fd);
        self.0.get(word).is_some_and(|bits| bits & bit != 0)
    }

    fn insert(&mut self, fd: RawFd) {
        let (word, bit) = Self::place(fd);
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= bit;
    }

    fn remove(&mut self, fd: RawFd) {
        let (word, bit) = Self::place(fd);
        if let Some(bits) = self.0.get_mut(word) {
            *bits &= !bit;
        }
    }
}

/// Whether a handle of this process has the number.
pub(crate) fn is_taken(fd: RawFd) -> bool {
    TAKEN.lock().has(fd)
}

/// The descriptor of one handle, closed with it.
#[derive(Debug)]
pub(crate) struct HandleFd {
    /// `File`, because `read(2)` and `writev(2)` serve sockets, pipes and terminals alike.
    file: ManuallyDrop<File>,
    /// Standard input, output or errors of the process, which libuv does not close either.
    is_stdio: bool,
}

impl HandleFd {
    /// Takes over the descriptor that a caller names, or a duplicate of it if another handle has that number.
    ///
    /// # Errors
    /// `EBADF` when it is not open; what `fcntl(2)` says of a duplicate.
    pub(super) fn adopt(fd: RawFd) -> io::Result<Self> {
        let open = borrow(&fd).ok_or_else(|| io::Error::from_raw_os_error(errno::EBADF))?;
        let mut taken = TAKEN.lock();
        if taken.has(fd) {
            drop(taken);
            return Ok(Self::from(open.try_clone_to_owned()?));
        }
        taken.insert(fd);
        drop(taken);
        Ok(Self {
            // SAFETY: the descriptor is open (checked above), and a caller of `open` gives its number away;
            // no other handle has it.
            file: ManuallyDrop::new(unsafe { File::from_raw_fd(fd) }),
            is_stdio: fd <= libc::STDERR_FILENO,
        })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Leaves the descriptor open to the caller that had named it.
    pub(super) fn give_back(self) {
        TAKEN.lock().remove(self.as_raw_fd());
        // The file is dropped by hand only, in the `drop` that this leaves out.
        std::mem::forget(self);
    }
}

impl HandleFd {
    /// Gives the descriptor to another owner; of a standard stream, which stays open, a duplicate.
    pub(super) fn into_owned(self) -> io::Result<OwnedFd> {
        if self.is_stdio {
            return self.as_fd().try_clone_to_owned();
        }
        let number = self.as_raw_fd();
        self.give_back();
        // SAFETY: `give_back` has left it open, and the handle that had it has gone.
        Ok(unsafe { OwnedFd::from_raw_fd(number) })
    }
}

impl From<OwnedFd> for HandleFd {
    fn from(fd: OwnedFd) -> Self {
        TAKEN.lock().insert(fd.as_raw_fd());
        Self {
            file: ManuallyDrop::new(File::from(fd)),
            is_stdio: false,
        }
    }
}

impl Drop for HandleFd {
    fn drop(&mut self) {
        // First: when it is closed, the number may be another thread's at once.
        TAKEN.lock().remove(self.as_raw_fd());
        if !self.is_stdio {
            // SAFETY: the handle's own descriptor, which nothing uses any more. `EBADF`, when the program has
            // closed it, is of no interest, and a close that is interrupted has closed (Linux) or may have,
            // and is never tried again.
            unsafe { libc::close(self.as_raw_fd()) };
        }
    }
}

impl AsRawFd for HandleFd {
    fn as_raw_fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

impl AsFd for HandleFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
