//! Socket options, set through `socket2` on whatever the platform calls a socket.

use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

use crate::socket::errno::Errno;

/// The keep-alive settings of a TCP connection. `None` leaves what the system has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepAlive {
    /// Time without traffic before the first probe.
    pub idle: Option<Duration>,
    /// Time between probes.
    pub interval: Option<Duration>,
    /// Unanswered probes after which the connection is dead.
    pub count: Option<u32>,
}

impl KeepAlive {
    /// Settings in whole seconds, where 0 leaves what the system has.
    pub fn from_seconds(idle: u32, interval: u32, count: u32) -> Self {
        let seconds = |n: u32| (n > 0).then(|| Duration::from_secs(u64::from(n)));
        Self {
            idle: seconds(idle),
            interval: seconds(interval),
            count: (count > 0).then_some(count),
        }
    }
}

pub(crate) fn set_keep_alive(socket: &SockRef<'_>, keep_alive: Option<KeepAlive>) -> Result<(), Errno> {
    let Some(KeepAlive {
        idle,
        interval,
        count,
    }) = keep_alive
    else {
        return Ok(socket.set_keepalive(false)?);
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
    Ok(socket.set_tcp_keepalive(&parameters)?)
}
