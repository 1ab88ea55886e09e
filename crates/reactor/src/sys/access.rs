//! How a socket is bound, and who may use it then.

/// How a TCP address is bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BindFlags {
    /// `IPV6_V6ONLY`: an IPv6 listener takes no IPv4 connections. Set either way, because systems differ in their
    /// default.
    pub ipv6_only: bool,
    /// `SO_REUSEPORT` with load balancing; [`Errno::ENOTSUP`](crate::Errno::ENOTSUP) where the system has none.
    pub reuse_port: bool,
    /// No `SO_REUSEADDR`: no other socket binds the address while this one is open, even if neither listens. The price is
    /// that an address with connections in `TIME_WAIT` cannot be bound. Windows never sets the option.
    pub exclusive: bool,
}

/// Who may use a local socket that is bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LocalAccess {
    /// The system's default: on Unix what the umask leaves, on Windows the owner for everything and all users for reading.
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
