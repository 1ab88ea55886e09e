//! Who may use a local socket.

/// Who may use a local socket that is bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LocalAccess {
    /// The system's default: on Unix what the umask leaves, on Windows the owner for everything and all users
    /// for reading.
    #[default]
    Usual,
    /// The owner; on Windows the system as well. No other user at any moment.
    Owner,
    /// All users, with exactly these permissions, set before a client can connect.
    All {
        /// Connecting takes `writable`; on Windows each is a direction.
        readable: bool,
        /// See `readable`.
        writable: bool,
    },
}
