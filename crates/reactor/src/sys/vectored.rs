//! Vectored writes of any length, by calls that take so many slices at once.

use std::io::{self, IoSlice};

/// The most slices that one system call writes: the value of Linux and macOS. Windows documents none, and
/// Wine has that of the system below it.
pub const IOV_MAX: usize = 1024;

/// Writes until all is taken or the system would have to wait; a short count is no error.
pub(super) fn write_in_groups(
    chunks: &[IoSlice<'_>],
    write: impl Fn(&[IoSlice<'_>]) -> io::Result<usize>,
) -> io::Result<usize> {
    let mut sent = 0;
    for group in chunks.chunks(IOV_MAX) {
        let wanted: usize = group.iter().map(|chunk| chunk.len()).sum();
        if wanted == 0 {
            continue;
        }
        let taken = loop {
            match write(group) {
                Ok(taken) => break taken,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What went before is sent; the caller queues the rest and meets a lasting error when it
                // sends that.
                Err(_) if sent > 0 => return Ok(sent),
                Err(error) => return Err(error),
            }
        };
        sent += taken;
        if taken < wanted {
            break;
        }
    }
    Ok(sent)
}
