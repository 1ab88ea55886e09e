//! The reactor as a Node-API addon. It decides nothing: each method is one call of the reactor, each event
//! one call of JavaScript's dispatcher.
//!
//! Numbers cross: a handle is its id, and an error is a negative libuv error, whose name and message
//! TypeScript looks up. The exceptions are addresses, and the options of a socket that is to be opened with
//! some.

mod callback_scope;
mod control;
mod delivery;
mod event_loop;
pub mod handover;
mod numbers;
mod opener;
mod options;
mod plain;
pub mod reactor;
mod reactor_ref;
mod read_buffer;
pub mod sockets;
pub mod stats;
mod status;
mod threadsafe_waker;
mod uv;
mod writer;
