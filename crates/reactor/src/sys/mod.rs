//! What a platform supplies. Nothing above this folder says `cfg`.
//!
//! - [`Stream`]: a connected or connecting byte stream, registered with the runtime that is entered when it
//!   is made, closed when it is dropped. `write_now` and `receive_now` ask the kernel, never a cached
//!   readiness (a new tokio registration has none, and the driver may not have run since); `poll_*` register
//!   the task's waker before they return `Pending`, and what a receive leaves is readable without more having
//!   to arrive, whatever the system stopped it for. Where the system does not report what a stream waits for,
//!   `take_retry_time` says, once for each `Pending`, when its task has to ask again. Without buffers
//!   `write_now` would block; `poll_write` fails (`is_out_of_buffers`), and its task tries again later.
//! - [`Acceptor`]: a listening socket or pipe. It gives streams. `poll_accept` returns `Pending` only when
//!   the backlog is empty: an error leaves the connections there for the next call, which may fail as well,
//!   so its callers bound their tries. `poll_waiting` returns `Pending` only when the backlog is empty, and
//!   accepts nothing. `accept_now` asks the kernel on any thread. `poll_accept_descriptor` and
//!   `accept_descriptor_now` give what no runtime has. `refuse` closes connections that wait while the process
//!   has no descriptor for them, as far as the reserve ([`ReserveFd`]) allows, which is lent to calls that
//!   need one for a moment. `set_path` says which file is removed with it, if it is still there.
//! - [`UnregisteredSocket`]: made, bound or adopted, and in no runtime yet. An acceptor or a stream is made
//!   of it by `register`, in the runtime that is entered, and becomes one again by `deregister`, so that
//!   another runtime can have it, where the system allows that; elsewhere it stays what it is. What a runtime
//!   refuses comes back in [`Refused`], if it is not closed. A descriptor that was adopted has one handle in
//!   the whole process: `is_taken` says whether a number has one, and then `adopt` takes a duplicate.
//! - [`OwnedDescriptor`]: a socket that has left the reactor for another owner, where `GIVES_DESCRIPTORS`.
//!   An unregistered socket becomes one by `into_descriptor`.
//! - [`Descriptor`]: what each of these three has, for the calls that are about any handle.
//! - [`Poller`]: what the runtime's driver asks, as a descriptor that another loop can wait for, where there
//!   is one. [`ThreadWaker`]: wakes a thread that waits, for the poller as well. Waking never blocks.
//!   [`ThreadClock`]: the processor time of a thread. `idle_time`: how long processors were idle, where the system
//!   says it.
//! - [`SplicePipe`]: moves bytes from one stream to another without a copy, where the system can. It is empty
//!   between two uses: what it was filled with is drained into the other stream, read back, or discarded with
//!   the pipe.
//! - [`PollTimer`]: makes the runtime's poller readable at a time, where the system can. Where there is none,
//!   also for want of descriptors, a thread is used instead (`drive/timer_source.rs`). Each time that comes
//!   wakes the task that has asked last.
//! - `set_options`: which of the [`SocketOptions`] the platform has, and how each is set, whatever the socket
//!   is used for. `tcp_socket` opens, then come the options, then `bind` or `begin_connect`: what is set is
//!   in force for the SYN.
//! - Functions: sockets for TCP and for local paths; the adoption of a descriptor; a second one of the same
//!   socket (on Windows sockets by their numbers); what kind of thing a descriptor is; the interface of an
//!   IPv6 zone. `at_exit` returns whether the system calls a library at the exit of the process.
//!   `wait_writable` blocks until one of several streams takes bytes.
//! - What may run out: `is_out_of_descriptors` and `is_out_of_buffers` recognize its errors,
//!   `are_descriptors_scarce` says when to leave the rest to others, `largest_backlog` what the kernel makes
//!   of a longer one.
//! - `errno`: the positive numbers of the errors that the reactor itself raises, and the way from the
//!   system's.
//!
//! Linux can be built without what other systems lack, so that the fallbacks are tested there too:
//! `RUSTFLAGS` takes `--cfg ferronet_without="poller"`, `"timer"` and `"splice"`, in any combination. Without
//! a poller the reactor's thread always drives.

mod access;
mod descriptor;
mod options;
mod refused;
mod transport;
mod vectored;

pub use access::LocalAccess;
pub(crate) use descriptor::Descriptor;
pub use options::{AddressOptions, KeepAlive, SocketOptions};
pub(crate) use refused::Refused;
pub use transport::{DescriptorKind, Target, Transport};
pub use vectored::IOV_MAX;

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::*;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::*;

#[cfg(not(target_os = "linux"))]
mod no_idle_time;
#[cfg(not(target_os = "linux"))]
pub(crate) use no_idle_time::idle_time;

#[cfg(any(not(target_os = "linux"), ferronet_without = "timer"))]
mod no_timer;
#[cfg(any(not(target_os = "linux"), ferronet_without = "timer"))]
pub(crate) use no_timer::PollTimer;

#[cfg(any(not(target_os = "linux"), ferronet_without = "splice"))]
mod no_splice;
#[cfg(any(not(target_os = "linux"), ferronet_without = "splice"))]
pub(crate) use no_splice::{Fill, SplicePipe};
