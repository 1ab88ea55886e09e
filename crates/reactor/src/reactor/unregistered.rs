//! A socket that was made, bound or adopted, until it becomes a listener or a connection.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{MappedRwLockReadGuard, RwLock, RwLockReadGuard};

use crate::socket::errno::Errno;
use crate::sys::{Descriptor, Refused, UnregisteredSocket};

#[derive(Debug)]
pub(super) struct Unregistered {
    socket: RwLock<Option<UnregisteredSocket>>,
    /// What it becomes has another owner as well.
    shared: AtomicBool,
    /// As a listener it gives descriptors.
    descriptors: AtomicBool,
}

impl Unregistered {
    pub(super) fn new(socket: UnregisteredSocket, shared: bool) -> Self {
        Self {
            socket: RwLock::new(Some(socket)),
            shared: AtomicBool::new(shared),
            descriptors: AtomicBool::new(false),
        }
    }

    pub(super) fn is_shared(&self) -> bool {
        self.shared.load(Ordering::Relaxed)
    }

    pub(super) fn set_shared(&self, shared: bool) {
        self.shared.store(shared, Ordering::Relaxed);
    }

    pub(super) fn gives_descriptors(&self) -> bool {
        self.descriptors.load(Ordering::Relaxed)
    }

    pub(super) fn give_descriptors(&self) {
        self.descriptors.store(true, Ordering::Relaxed);
    }

    /// The open descriptor.
    pub(super) fn opened(&self) -> Result<MappedRwLockReadGuard<'_, dyn Descriptor>, Errno> {
        let opened = RwLockReadGuard::try_map(self.socket.read(), |place| {
            place.as_ref().map(|socket| socket as &dyn Descriptor)
        });
        opened.map_err(|_closed| Errno::EBADF)
    }

    /// Takes the socket out.
    pub(super) fn take(&self) -> Option<UnregisteredSocket> {
        self.socket.write().take()
    }

    /// Runs `f` on the socket.
    ///
    /// # Errors
    /// [`Errno::EBADF`] when it is closed; what `f` says.
    pub(super) fn with<R>(
        &self,
        f: impl FnOnce(&mut UnregisteredSocket) -> io::Result<R>,
    ) -> Result<R, Errno> {
        let mut place = self.socket.write();
        Ok(f(place.as_mut().ok_or(Errno::EBADF)?)?)
    }

    /// Has `register` register the socket with a runtime. After an error it is what it was, or closed where
    /// the system has closed it.
    ///
    /// # Errors
    /// As of [`Unregistered::with`].
    pub(super) fn register<R>(
        &self,
        register: impl FnOnce(UnregisteredSocket) -> Result<R, Refused<UnregisteredSocket>>,
    ) -> Result<R, Errno> {
        let mut place = self.socket.write();
        register(place.take().ok_or(Errno::EBADF)?).map_err(|Refused { left, error }| {
            *place = left;
            error.into()
        })
    }
}
