//! Windows: TCP through tokio's sockets, local paths as named pipes.
//!
//! Handles are no descriptors: JavaScript sees no numbers, and what it calls one names nothing. The reactor's
//! thread always drives.
//!
//! `unsafe` here are the calls that make, open and ask pipes and waits, sockets by number, and reading into
//! memory that is not initialized.
#![expect(unsafe_code, reason = "pipes and waits exist only as raw calls")]
#![expect(
    clippy::unnecessary_wraps,
    clippy::unused_self,
    clippy::needless_pass_by_ref_mut,
    reason = "what cannot fail or needs no state here does on another system: the contract of sys is the same"
)]

mod acceptor;
mod descriptor;
pub(crate) mod errno;
mod exit;
mod interface;
mod limits;
mod options;
mod overlapped;
mod path;
mod pipe;
mod pipe_instance;
mod pipe_security;
mod pipe_write;
mod poller;
mod stream;
mod thread_clock;
mod thread_waker;
mod unregistered;
mod writable;

pub(crate) use acceptor::{Acceptor, ReserveFd};
pub use descriptor::OwnedDescriptor;
pub(crate) use descriptor::{GIVES_DESCRIPTORS, descriptor_kind, duplicate, duplicate_socket, is_taken};
pub(crate) use exit::at_exit;
pub(crate) use interface::{scope_to_zone, zone_to_scope};
pub(crate) use limits::{are_descriptors_scarce, is_out_of_buffers, is_out_of_descriptors, largest_backlog};
pub(crate) use options::{set_options, type_of_service};
pub(crate) use path::reaches;
pub(crate) use poller::Poller;
pub(crate) use stream::Stream;
pub(crate) use thread_clock::ThreadClock;
pub(crate) use thread_waker::ThreadWaker;
pub(crate) use unregistered::{UnregisteredSocket, adopt, bind_local, local_socket, tcp_socket};
pub(crate) use writable::wait_writable;
