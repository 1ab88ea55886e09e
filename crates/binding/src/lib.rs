//! The reactor as a Node-API addon. It decides nothing: each method is one call into the core, each event one call of
//! JavaScript's dispatcher.
//!
//! Numbers cross, not objects: a handle is its id, an error is libuv's negative number, and names and messages are
//! made of it in TypeScript.

mod control;
mod delivery;
mod event_loop;
pub mod handover;
mod numbers;
mod plain;
pub mod reactor;
mod reactor_ref;
pub mod sockets;
mod uv;
mod wakeup;
mod writer;
