//! Who drives the runtimes, and what the tasks of one runtime share.

mod arbiter;
pub(crate) mod budget;
mod buffers;
mod delegation;
mod driven;
pub(crate) mod driver;
mod flush_deadline;
pub(crate) mod flush_list;
mod meter;
pub(crate) mod retry;
pub(crate) mod run_queue;
pub(crate) mod shard;
pub(crate) mod thread;
mod timer_source;
mod timer_thread;
pub(crate) mod timers;
pub(crate) mod traffic;
