//! The exit of the process.

/// Nothing is called while all threads still run: a library is called when they have been terminated, with
/// the locks that they held.
pub(crate) fn at_exit(_run: extern "C" fn()) -> bool {
    false
}
