//! What another process has used of the processor, read from outside, so that the measured one has nothing to
//! do for it.

use std::fs;
use std::path::Path;

/// Nanoseconds on a processor since the process started.
#[derive(Debug, Clone, Copy)]
pub struct ProcessorTime {
    /// Of the main thread, which in all peers is the one that runs JavaScript.
    pub main: u64,
    /// Of all threads that are alive.
    pub all: u64,
}

/// The first figure of a thread's `schedstat`.
fn of_thread(thread: &Path) -> Option<u64> {
    let text = fs::read_to_string(thread.join("schedstat")).ok()?;
    text.split_whitespace().next()?.parse().ok()
}

impl ProcessorTime {
    /// `None` where the system does not report it: everywhere but on Linux.
    pub fn of(process: u32) -> Option<Self> {
        let threads = format!("/proc/{process}/task");
        let main = of_thread(&Path::new(&threads).join(process.to_string()))?;
        let all = fs::read_dir(&threads)
            .ok()?
            .filter_map(|thread| of_thread(&thread.ok()?.path()))
            .sum();
        Some(Self { main, all })
    }
}
