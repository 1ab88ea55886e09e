//! What the two programs of the benchmark share: `ferronet-load`, which puts load on a peer and measures, and
//! `ferronet-floor`, the peer that is nothing but tokio.
//!
//! Both run on one thread, say what they have to say as one line of JSON each, and end when their standard
//! input ends: nothing of theirs outlives the command that started them.

pub mod arguments;
pub mod connection;
pub mod durations;
pub mod http;
pub mod parent;
pub mod processor_time;
pub mod recorder;
pub mod schedule;
pub mod sleeper;
pub mod stream;
