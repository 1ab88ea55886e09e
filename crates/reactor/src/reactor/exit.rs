//! The exit of the process in the middle of things: `process.exit()`, an uncaught exception.
//!
//! The consumer's thread has left its stack then, and the others still run. What was reported as written is
//! sent: batched writes, what was deferred to a task that has not run yet, and what a closed handle has left
//! behind. If the kernel has no room for it, the exit waits for the peer, but not for long: a peer that reads
//! nothing must not keep a process alive.
//!
//! The kernel resets the peers of what a process leaves unread, and of connections that it has not accepted.
//! So the peers of what was read and accepted ahead are reset too.

use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::drive::traffic::Moved;
use crate::stream::{Connection, drain};
use crate::sys;

use super::entry::Entry;
use super::shared::Shared;

/// How long an exit, or the end of a reactor, waits for peers.
const EXIT_TIMEOUT: Duration = Duration::from_secs(2);

/// All reactors that have not ended.
static REACTORS: Mutex<Reactors> = Mutex::new(Reactors {
    running: Vec::new(),
    ended: Moved::NOTHING,
});
/// Whether [`send_all`] will be called.
static AT_EXIT: OnceLock<bool> = OnceLock::new();

#[derive(Debug)]
struct Reactors {
    running: Vec<Weak<Shared>>,
    /// What those that have ended had moved.
    ended: Moved,
}

/// All reactors that have not ended, and what the others had moved.
pub(super) fn reactors() -> (Vec<Arc<Shared>>, Moved) {
    let reactors = REACTORS.lock();
    let running = reactors.running.iter().filter_map(Weak::upgrade).collect();
    (running, reactors.ended)
}

/// The reactor has ended: its tasks and its threads run no more.
pub(super) fn note_ended(shared: &Arc<Shared>) {
    let mut reactors = REACTORS.lock();
    let before = reactors.running.len();
    reactors
        .running
        .retain(|other| !std::ptr::eq(other.as_ptr(), Arc::as_ptr(shared)));
    if reactors.running.len() < before {
        reactors.ended.add(&shared.moved());
    }
}

/// Has the writes of `shared` sent when the process exits, at the latest. Returns whether the system calls a
/// library then.
pub(super) fn at_exit(shared: &Arc<Shared>) -> bool {
    let is_called = *AT_EXIT.get_or_init(|| sys::at_exit(send_all));
    REACTORS.lock().running.push(Arc::downgrade(shared));
    is_called
}

extern "C" fn send_all() {
    let (reactors, _moved) = reactors();
    let (mut connections, mut untaken) = (Vec::new(), Vec::new());
    for shared in reactors {
        connections.append(&mut shared.lingering.lock());
        let listeners = shared.listeners.lock().clone();
        for listener in &listeners {
            listener.stop_at_exit();
        }
        let untaken_ids: Vec<_> = listeners.iter().flat_map(|listener| listener.untaken()).collect();
        let table = shared.table.lock();
        for connection in table.values().filter_map(Entry::connection) {
            if untaken_ids.contains(&connection.id()) {
                untaken.push(Arc::clone(connection));
            }
            connections.push(Arc::clone(connection));
        }
    }
    drain_now(connections.clone());
    for connection in untaken {
        connection.reset_at_exit(true);
    }
    for connection in connections {
        connection.reset_at_exit(false);
    }
}

/// Sends what was reported as written, since nothing will send it later.
pub(super) fn drain_now(connections: Vec<Arc<Connection>>) {
    if !connections.is_empty() {
        drain(connections, Instant::now() + EXIT_TIMEOUT);
    }
}

#[cfg(all(test, target_os = "linux"))]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::io::IoSlice;
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixListener};

    use super::*;
    use crate::event::wake::Wake;
    use crate::reactor::Reactor;
    use crate::stream::{Closing, Written};
    use crate::sys::Target;

    struct NoConsumer;

    impl Wake for NoConsumer {
        fn wake(&self, _deliveries: usize) {}
    }

    #[test]
    fn a_peer_that_never_reads_does_not_keep_a_descriptor_for_ever() {
        let reactor = Reactor::new(Box::new(NoConsumer), 1);
        // A Unix socket: what its peer does not read is counted to the byte, and no timer of the kernel's
        // makes room.
        let name = format!("ferronet-linger-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let listener = UnixListener::bind_addr(&address).unwrap();
        let id = reactor.local_socket().unwrap();
        reactor.connect(id, &Target::Local(&format!("\0{name}"))).unwrap();
        let _peer = listener.accept().unwrap();
        let started = Instant::now();
        // Nothing is batched before the thread has begun to drive.
        while !reactor.running().unwrap().shards.first().flush_list.has_owner() {
            assert!(started.elapsed() < Duration::from_secs(10));
            std::thread::yield_now();
        }
        let piece = [1; 8000];
        loop {
            reactor.begin_batch();
            let written = reactor.write(id, &[IoSlice::new(&piece)]).unwrap();
            assert_eq!(written, Written::Completed);
            reactor.end_batch();
            if reactor.flush(id) > 0 {
                break;
            }
        }
        reactor.close(id, Closing::Orderly).unwrap();
        let connection = Arc::clone(&reactor.shared.lingering.lock()[0]);
        assert!(connection.is_lingering());
        let started = Instant::now();
        while connection.is_lingering() {
            assert!(started.elapsed() < Duration::from_secs(10));
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
