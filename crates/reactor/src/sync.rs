//! Locks, atomics and thread-locals of what two threads hand to each other: std's and `parking_lot`'s, or, in
//! the tests of a build with `--cfg ferronet_loom`, loom's, which run every order in which the threads can
//! take their steps.
//!
//! loom knows only its own types. So what a model covers takes them from here, and nothing that waits in any
//! other way.

#[cfg(not(all(test, ferronet_loom)))]
pub(crate) use parking_lot::Mutex;
#[cfg(not(all(test, ferronet_loom)))]
pub(crate) use std::sync::atomic;
#[cfg(not(all(test, ferronet_loom)))]
pub(crate) use std::thread_local;

#[cfg(all(test, ferronet_loom))]
pub(crate) use loom::sync::atomic;

/// loom's takes no `const` blocks.
#[cfg(all(test, ferronet_loom))]
macro_rules! thread_local_of_a_model {
    (static $name:ident: $type:ty = const { $value:expr };) => {
        loom::thread_local! { static $name: $type = $value; }
    };
}
#[cfg(all(test, ferronet_loom))]
pub(crate) use thread_local_of_a_model as thread_local;

/// loom's, which poisons as std's does; no model goes on after a panic.
#[cfg(all(test, ferronet_loom))]
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

#[cfg(all(test, ferronet_loom))]
impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    #[expect(clippy::unwrap_used, reason = "a model fails by panicking")]
    pub(crate) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
        self.0.lock().unwrap()
    }
}
