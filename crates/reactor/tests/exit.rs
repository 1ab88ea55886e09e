//! The process ends while a thread of the reactor's has something to send that it has not come to.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{IoSlice, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ferronet_reactor::{Drive, Reactor, Sleep, SocketOptions, Target, Wake, Written};

/// Names the address to connect to, for the process that the test starts.
const ADDRESS: &str = "FERRONET_TEST_ADDRESS";
const THREADS: usize = 2;
const PATIENCE: Duration = Duration::from_secs(20);
const CODE: i32 = 7;

/// Keeps each thread that asks for a delivery.
#[derive(Clone, Default)]
struct Stuck(Arc<AtomicUsize>);

impl Wake for Stuck {
    fn wake(&self, _deliveries: usize) {
        self.0.fetch_add(1, Ordering::SeqCst);
        loop {
            std::thread::park();
        }
    }
}

/// Leaves a write to each of the threads while they are blocked, and exits.
fn leave(address: &SocketAddr) -> ! {
    let stuck = Stuck::default();
    let reactor = Reactor::in_loop(Box::new(stuck.clone()), Sleep::Inside, Drive::Thread, THREADS);
    let started = Instant::now();
    let connections: Vec<_> = (1..=THREADS)
        .map(|n| {
            let id = reactor.tcp_socket(false, &SocketOptions::default()).unwrap();
            reactor.connect(id, &Target::Tcp(address)).unwrap();
            reactor.read_start(id).unwrap();
            // One after the other: a thread asks for what another one has queued as well, which then has
            // nothing to ask for.
            while stuck.0.load(Ordering::SeqCst) < n {
                if started.elapsed() > PATIENCE {
                    // Not by a panic, which waits for the threads.
                    std::process::exit(1);
                }
                std::thread::yield_now();
            }
            id
        })
        .collect();
    reactor.begin_batch();
    for id in connections {
        assert_eq!(
            reactor.write(id, &[IoSlice::new(b"reported as sent")]),
            Ok(Written::Completed)
        );
    }
    reactor.end_batch();
    std::process::exit(CODE);
}

#[test]
fn what_was_left_to_a_thread_is_sent_when_the_process_exits() {
    if let Ok(address) = std::env::var(ADDRESS) {
        leave(&address.parse().unwrap());
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "what_was_left_to_a_thread_is_sent_when_the_process_exits",
        ])
        .env(ADDRESS, listener.local_addr().unwrap().to_string())
        .spawn()
        .unwrap();
    let mut peers = Vec::new();
    for _ in 0..THREADS {
        let (mut peer, _) = listener.accept().unwrap();
        // Something that the thread reports.
        peer.write_all(b"x").unwrap();
        peers.push(peer);
    }
    for peer in &mut peers {
        let mut received = [0; 16];
        peer.read_exact(&mut received).unwrap();
        assert_eq!(&received, b"reported as sent");
        // The kernel's way with what was not read: here a thread had read it ahead.
        let end = peer.read(&mut received).unwrap_err();
        assert_eq!(end.kind(), std::io::ErrorKind::ConnectionReset);
    }
    assert_eq!(child.wait().unwrap().code(), Some(CODE));
}
