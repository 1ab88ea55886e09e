//! The command that started the program: lines go both ways, and its end is the end of the program.

use std::io::{self, BufRead, Write};
use std::process;
use std::thread;

use tokio::sync::mpsc::{self, UnboundedReceiver};

/// The lines that the parent sends. When there are no more, the process ends.
pub fn lines() -> UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    // A thread: standard input may be a pipe, a file or a terminal, and not all of them can be polled.
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            // The receiver of the lines may be gone; then only the end matters.
            drop(sender.send(line));
        }
        process::exit(0);
    });
    receiver
}

/// Sends the parent one line.
///
/// # Errors
/// When the parent no longer listens.
pub fn report(line: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()
}
