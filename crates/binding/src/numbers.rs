//! Conversions of what crosses as a number: ids, counts, flags and negative libuv errors.

use ferronet_numbers::{
    self as numbers, IOV_MAX, NO_SLOT, PIPE_OWNER_ONLY, SLOTS, TCP_EXCLUSIVE, UV_READABLE, UV_TCP_IPV6ONLY,
    UV_TCP_REUSEPORT, UV_WRITABLE,
};
use ferronet_reactor::{Accepted, AddressOptions, Errno, HandleId, LocalAccess, Transport, Written};

// TypeScript computes the slot of an id from these constants.
const _: () = assert!(HandleId::NONE.slot() == NO_SLOT && NO_SLOT + 1 == SLOTS);
// TypeScript passes no more chunks at once than the reactor writes by one system call.
const _: () = assert!(IOV_MAX == ferronet_reactor::IOV_MAX);

/// The bits of an id. Ids have 52 bits, which a number holds exactly. A negative number, or NaN, is the id of
/// no handle.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be a positive integer's range"
)]
pub(crate) fn bits(number: f64) -> u64 {
    if number >= 0.0 { number as u64 } else { u64::MAX }
}

pub(crate) fn id(number: f64) -> HandleId {
    HandleId::from_bits(bits(number))
}

#[expect(clippy::cast_precision_loss, reason = "an id has 52 bits")]
pub(crate) fn made(result: Result<HandleId, Errno>) -> f64 {
    match result {
        Ok(id) => id.to_bits() as f64,
        Err(errno) => f64::from(errno.code()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "no connection lives for 2^53 bytes")]
pub(crate) fn count(bytes: u64) -> f64 {
    bytes as f64
}

pub(crate) fn done(result: Result<(), Errno>) -> i32 {
    result.map_or_else(Errno::code, |()| 0)
}

/// The flags of `bind` and `bind6`.
pub(crate) fn address_options(bits: u32) -> AddressOptions {
    AddressOptions {
        ipv6_only: bits & UV_TCP_IPV6ONLY != 0,
        reuse_port: bits & UV_TCP_REUSEPORT != 0,
        exclusive: bits & TCP_EXCLUSIVE != 0,
    }
}

/// The modes of `Pipe.bind`.
pub(crate) fn local_access(bits: u32) -> LocalAccess {
    let (readable, writable) = (bits & UV_READABLE != 0, bits & UV_WRITABLE != 0);
    if bits & PIPE_OWNER_ONLY != 0 {
        LocalAccess::Owner
    } else if readable || writable {
        LocalAccess::All { readable, writable }
    } else {
        LocalAccess::Usual
    }
}

/// The transport with the number of a `Transport`.
pub(crate) fn transport_of(number: i32) -> Option<Transport> {
    Some(match numbers::Transport::of(number)? {
        numbers::Transport::Tcp => Transport::Tcp,
        numbers::Transport::Pipe => Transport::LOCAL,
    })
}

/// Twice the number of accepted bytes, plus 1 if a `Wrote` event will follow; or a negative error.
#[expect(clippy::cast_precision_loss, reason = "no write has 2^52 bytes")]
pub(crate) fn accepted(result: Result<Accepted, Errno>) -> f64 {
    match result {
        Ok(Accepted { bytes, written }) => {
            (bytes as f64).mul_add(2.0, f64::from(u8::from(written == Written::Queued)))
        }
        Err(errno) => f64::from(errno.code()),
    }
}
