//! Linux, macOS and the BSDs: one descriptor type for TCP, Unix sockets and pipes, driven through `AsyncFd`.
//!
//! `unsafe` here is the adoption of descriptor numbers that a caller names, and system calls that have no
//! safe form: accept4, recvmsg, splice, poll, timerfd, those of clocks, limits and interfaces, and the hook
//! at the exit.
#![expect(
    unsafe_code,
    reason = "descriptors by number, and system calls that exist only as raw ones"
)]
#![expect(
    clippy::unnecessary_wraps,
    reason = "what cannot fail or be missing here can on another system: the contract of sys is the same"
)]

mod acceptor;
mod descriptor;
pub(crate) mod errno;
mod exit;
mod handle_fd;
#[cfg(target_os = "linux")]
mod idle_time;
mod interface;
mod limits;
mod open_socket;
mod options;
mod path;
mod poll;
mod poller;
mod receive;
mod registration;
#[cfg(all(target_os = "linux", not(ferronet_without = "splice")))]
mod splice;
mod stream;
mod thread_clock;
mod thread_waker;
#[cfg(all(target_os = "linux", not(ferronet_without = "timer")))]
mod timer;
mod unregistered;
mod writable;

pub(crate) use acceptor::{Acceptor, ReserveFd};
pub use descriptor::OwnedDescriptor;
pub(crate) use descriptor::{GIVES_DESCRIPTORS, descriptor_kind, duplicate, duplicate_socket};
pub(crate) use exit::at_exit;
pub(crate) use handle_fd::is_taken;
#[cfg(target_os = "linux")]
pub(crate) use idle_time::idle_time;
pub(crate) use interface::{scope_to_zone, zone_to_scope};
pub(crate) use limits::{are_descriptors_scarce, is_out_of_buffers, is_out_of_descriptors, largest_backlog};
pub(crate) use options::{set_options, type_of_service};
pub(crate) use path::reaches;
pub(crate) use poller::Poller;
#[cfg(all(target_os = "linux", not(ferronet_without = "splice")))]
pub(crate) use splice::{Fill, SplicePipe};
pub(crate) use stream::Stream;
pub(crate) use thread_clock::ThreadClock;
pub(crate) use thread_waker::ThreadWaker;
#[cfg(all(target_os = "linux", not(ferronet_without = "timer")))]
pub(crate) use timer::PollTimer;
pub(crate) use unregistered::{UnregisteredSocket, adopt, bind_local, local_socket, tcp_socket};
pub(crate) use writable::wait_writable;
