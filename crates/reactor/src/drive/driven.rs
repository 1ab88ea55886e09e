//! What the `Arbiter` and the meter know of what is driven.

use std::time::Duration;

use super::flush_list::FlushList;
use super::run_queue::RunQueue;

/// What is driven, and how its two threads wait for it and for each other.
pub(super) trait Driven {
    fn tasks(&self) -> &RunQueue;
    fn flush_list(&self) -> &FlushList;
    /// On the loop's thread: runs what is due, and does not ask the kernel.
    fn run_due(&self);
    /// On the loop's thread: asks the kernel without waiting, and runs what is due.
    fn turn(&self);
    /// On the reactor's thread: [`RunQueue::run_until`], asleep while nothing is due.
    fn drive(&self, ended: impl FnMut() -> bool);
    /// Ends the wait of the reactor's thread, or its next one if it does not wait.
    fn wake_thread(&self);
    /// On the reactor's thread: waits to be woken, at most for `timeout`. Whether it was.
    fn wait(&self, timeout: Option<Duration>) -> bool;
    /// On the reactor's thread: waits to be woken, or until the poller is readable. Whether it was woken.
    fn wait_for_events(&self) -> bool;
    /// Whether the poller is readable.
    fn has_events(&self) -> bool;
    /// How long the consumer's thread has computed since it began.
    fn consumer_time(&self) -> Duration;
    /// How long the processors that the process may use have been idle, together; `None` where that is not
    /// known, or where there is only one.
    fn idle_time(&self) -> Option<Duration>;
}
