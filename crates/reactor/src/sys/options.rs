//! The options of a socket: what can be asked for, before there is a socket or afterwards. `set_options` of
//! each platform says which of them it has.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

/// Options of a TCP socket. `None` leaves what the system has.
///
/// An option is a field here, and a line in the `options.rs` of each platform that has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketOptions {
    /// `TCP_NODELAY`: small writes are not held back for the peer's acknowledgement.
    pub no_delay: Option<bool>,
    /// `SO_KEEPALIVE`, and when the probes are sent.
    pub keep_alive: Option<KeepAlive>,
    /// `IP_TOS`, or `IPV6_TCLASS` of an IPv6 socket: 0 to 255. `ENOSYS` on Windows.
    pub type_of_service: Option<u8>,
    /// Set when the socket is bound. One that connects without a bind does not get them.
    pub address: AddressOptions,
}

/// How a TCP address is bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddressOptions {
    /// `IPV6_V6ONLY`: an IPv6 listener takes no IPv4 connections. Set either way, because systems differ in
    /// their default.
    pub ipv6_only: bool,
    /// `SO_REUSEPORT` with load balancing; [`Errno::ENOTSUP`](crate::Errno::ENOTSUP) where the system has
    /// none.
    pub reuse_port: bool,
    /// No `SO_REUSEADDR`: no other socket binds the address while this one is open, even if neither listens.
    /// The price is that an address with connections in `TIME_WAIT` cannot be bound. Windows never sets the
    /// option.
    pub exclusive: bool,
}

/// Keep-alive probes of a TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepAlive {
    /// No probes.
    Off,
    /// Probes. `None` leaves what the system has. Times are whole seconds, from 1; a fraction is dropped.
    On {
        /// Time without traffic before the first probe.
        idle: Option<Duration>,
        /// Time between probes.
        interval: Option<Duration>,
        /// Unanswered probes after which the connection is dead, from 1.
        count: Option<u32>,
    },
}

impl KeepAlive {
    /// Probes with times in whole seconds. 0 leaves what the system has, also for the `count`.
    pub fn from_seconds(idle: u32, interval: u32, count: u32) -> Self {
        let seconds = |n: u32| (n > 0).then(|| Duration::from_secs(u64::from(n)));
        Self::On {
            idle: seconds(idle),
            interval: seconds(interval),
            count: (count > 0).then_some(count),
        }
    }
}

/// Calls `set` with an option that was asked for.
pub(super) fn set<T>(option: Option<T>, set: impl FnOnce(T) -> io::Result<()>) -> io::Result<()> {
    option.map_or(Ok(()), set)
}

/// As every system has it.
pub(super) fn set_keep_alive(socket: &SockRef<'_>, keep_alive: KeepAlive) -> io::Result<()> {
    let KeepAlive::On {
        idle,
        interval,
        count,
    } = keep_alive
    else {
        return socket.set_keepalive(false);
    };
    let mut parameters = TcpKeepalive::new();
    if let Some(idle) = idle {
        parameters = parameters.with_time(idle);
    }
    if let Some(interval) = interval {
        parameters = parameters.with_interval(interval);
    }
    if let Some(count) = count {
        parameters = parameters.with_retries(count);
    }
    socket.set_tcp_keepalive(&parameters)
}
