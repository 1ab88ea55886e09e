//! How long processors have been idle.

use std::fs;
use std::mem;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

/// Milliseconds of a tick of `/proc/stat`, which is the same on every system (`USER_HZ`).
const TICK: u64 = 10;

/// How long the processors that the calling thread may use have been idle since the system started,
/// together. `None` if there is only one, or no more than the quota of the process's cgroup comes to.
pub(crate) fn idle_time() -> Option<Duration> {
    static HAS_SEVERAL: OnceLock<bool> = OnceLock::new();
    // It counts what the affinity and the quota allow.
    let has_several = || thread::available_parallelism().is_ok_and(|processors| processors.get() > 1);
    if !HAS_SEVERAL.get_or_init(has_several) {
        return None;
    }
    let statistics = fs::read_to_string("/proc/stat").ok()?;
    Some(idle_of(&statistics, is_allowed()?))
}

/// Whether the calling thread may use a processor, by its number.
fn is_allowed() -> Option<impl Fn(usize) -> bool> {
    // SAFETY: a set of bits, of which all may be zero.
    let mut set: libc::cpu_set_t = unsafe { mem::zeroed() };
    // SAFETY: `set` is written, up to its size. 0 is the calling thread.
    let refused = unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) };
    let most = 8 * size_of_val(&set);
    // SAFETY: only numbers that the set has a bit for are looked up.
    (refused == 0).then_some(move |number| number < most && unsafe { libc::CPU_ISSET(number, &set) })
}

fn idle_of(statistics: &str, is_allowed: impl Fn(usize) -> bool) -> Duration {
    let ticks: u64 = statistics
        .lines()
        .filter_map(|line| {
            // "cpu0 user nice system idle iowait …"; the first line, "cpu  …", is the sum.
            let mut words = line.strip_prefix("cpu")?.split(' ');
            let number = words.next()?.parse().ok()?;
            let mut times = words.skip(3).map_while(|ticks| ticks.parse::<u64>().ok());
            let idle = times.next()? + times.next().unwrap_or(0);
            is_allowed(number).then_some(idle)
        })
        .sum();
    Duration::from_millis(TICK * ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATISTICS: &str = "cpu  9 9 9 900 90 9 9 9 9 9\n\
        cpu0 1 2 3 100 10 0 1 0 0 0\ncpu1 1 2 3 200 20 0 1 0 0 0\ncpu7 1 2 3 300 30 0 1 0 0 0\n\
        intr 5 0 1\nctxt 77\n";

    #[test]
    fn the_idle_time_is_that_of_the_processors_that_may_be_used() {
        assert_eq!(idle_of(STATISTICS, |_number| true), Duration::from_millis(6600));
        assert_eq!(
            idle_of(STATISTICS, |number| number == 7),
            Duration::from_millis(3300)
        );
        assert_eq!(idle_of("", |_number| true), Duration::ZERO);
    }

    #[test]
    fn this_machine_is_idle_at_times_if_it_has_several_processors() {
        let is_single = thread::available_parallelism().is_ok_and(|processors| processors.get() == 1);
        assert!(is_single || idle_time() > Some(Duration::ZERO));
    }
}
