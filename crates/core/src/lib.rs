//! The state machines of `ferronet`, without what they are the states of, and how it reads addresses: no
//! sockets, no locks, no threads and no clock. Time comes in as an argument.
//!
//! `ferronet-reactor` puts a lock around each, and a socket, a thread or a timer behind it. What is here can
//! be tested, fuzzed and model-checked without any of them.

pub mod address;
pub mod backoff;
pub mod deadlines;
pub mod handles;
pub mod inbox;
pub mod lanes;
pub mod ledger;
pub mod offload;
pub mod payload;
pub mod rare_queue;
pub mod state;
pub mod write_queue;
