//! What a platform supplies. Nothing above this folder says `cfg`.
//!
//! - [`Stream`]: a connected or connecting byte stream, registered with the runtime that is entered when it is made,
//!   closed when it is dropped. `write_now` and `receive_now` ask the kernel, never a cached readiness (a fresh tokio
//!   registration knows of none, and news may not have come yet); `poll_*` register the task's waker before they answer
//!   `Pending`, and what a receive leaves is readable without more having to arrive, whatever the system stopped it for.
//!   Without buffers `write_now` would block; `poll_write` fails (`is_out_of_buffers`), and its task tries again later.
//!   `socket` gives the descriptor to `socket2`, or nothing where it is none; `raw` is the number that JavaScript may see,
//!   or -1.
//! - [`Acceptor`]: a listening socket or pipe. It gives streams. `poll_accept` answers `Pending` only when the
//!   backlog is empty: an error leaves the connections there for the next call, which may fail as well, so its callers
//!   bound their tries. `accept_now` asks the kernel on any thread. `refuse` closes connections that wait while the process
//!   has no descriptor for them, as far as the reserve ([`ReserveFd`]) allows, which is lent to calls that need
//!   one for a moment. `set_path` says which file is removed with it, if it is there still, `open_to_all` who may use it.
//! - [`UnregisteredSocket`]: made, bound or adopted, and not yet used: an acceptor or a stream is made of it. They become one again with
//!   `deregister`, so that another runtime can have them, where the system allows that; elsewhere they stay what they are.
//!   What a runtime refuses comes back in [`Refused`], if it is not closed. One that was adopted has its number for itself in
//!   the whole process: `is_taken` says whether a handle has a number, and then `adopt` takes a duplicate.
//! - [`Poller`]: what the runtime's driver asks, as a descriptor that another loop can wait for, where there is one.
//!   [`ThreadWaker`]: gets the attention of a thread that waits, for the poller as well. Ringing never waits.
//! - [`SplicePipe`]: moves bytes from one stream to another without a copy, where the system can. It is empty between two uses:
//!   what it was filled with goes into the other stream, is taken back, or is discarded with the pipe.
//! - [`PollTimer`]: makes the runtime's poller readable at a time, where the system can. Where it is refused, also for want of
//!   descriptors, a thread takes its place (`timers.rs`). Each time that comes wakes the task that has asked last.
//! - Functions: sockets, fresh or bound, for TCP and for local paths, adoption of a descriptor, a second one of the same
//!   socket (on Windows sockets by their numbers), what kind of thing a descriptor is, the interface behind an IPv6 zone, and how the platform sets options that differ. `at_exit` answers whether it can. `wait_writable`
//!   waits, on a thread that may, until one of several streams takes bytes.
//! - What may run out: `is_out_of_descriptors` and `is_out_of_buffers` tell errors apart, `are_descriptors_scarce` says
//!   when to leave the rest to others, `largest_backlog` what the kernel makes of a longer one.
//! - `errno`: the positive numbers of the errors that the core itself raises, and the way from the system's.

mod bind;
mod refused;
mod transport;
mod vectored;

pub use bind::{BindFlags, LocalAccess};
pub(crate) use refused::Refused;
pub use transport::{DescriptorKind, Target, Transport};

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub(crate) use unix::*;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub(crate) use windows::*;

#[cfg(not(target_os = "linux"))]
mod no_timer;
#[cfg(not(target_os = "linux"))]
pub(crate) use no_timer::PollTimer;

#[cfg(not(target_os = "linux"))]
mod no_splice;
#[cfg(not(target_os = "linux"))]
pub(crate) use no_splice::{Fill, SplicePipe};
