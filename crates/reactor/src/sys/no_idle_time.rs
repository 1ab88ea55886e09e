//! How long processors have been idle.

use std::time::Duration;

/// Not asked for where there is no poller to watch.
pub(crate) fn idle_time() -> Option<Duration> {
    None
}
