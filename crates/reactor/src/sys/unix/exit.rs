//! The exit of the process.

/// Has `run` called when the process exits, on the thread that ends it, while the others still run. Returns
/// whether it will be.
pub(crate) fn at_exit(run: extern "C" fn()) -> bool {
    // SAFETY: a function of this library, which the C library calls before it unloads the library, and not
    // afterwards. Refused for want of memory only, and then nothing is called.
    unsafe { libc::atexit(run) == 0 }
}
