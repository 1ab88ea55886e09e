//! A consumer for the tests: what the binding is for JavaScript.
#![allow(
    dead_code,
    unsafe_code,
    clippy::allow_attributes,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "shared by test binaries"
)]

use std::io::{ErrorKind, IoSlice, Read};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use ferronet_reactor::{Errno, Event, HandleId, Reactor, Received, SocketOptions, Target, Wake, Written};

#[cfg(all(target_os = "linux", not(ferronet_without = "poller")))]
pub mod event_loop;

/// Long enough for a busy machine; nothing here is expected to take it.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Of bytes for a peer that reads nothing. Under Wine the kernel has room for 32 MiB
/// (`scripts/platforms/wine.js`).
pub const MORE_THAN_THE_KERNEL_TAKES: usize = if cfg!(windows) { 64 << 20 } else { 16 << 20 };

struct Wakes(Mutex<Sender<usize>>);

impl Wake for Wakes {
    fn wake(&self, deliveries: usize) {
        // The receiver is gone when a test ends while the reactor still runs.
        let _sent = self.0.lock().unwrap().send(deliveries);
    }
}

/// What a connection has received.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    Bytes(Vec<u8>),
    End(Errno),
}

/// A reactor and its deliveries.
pub struct Consumer {
    pub reactor: Reactor,
    wakes: Receiver<usize>,
    due: usize,
}

/// Makes two tests of each scenario: on one thread and on three.
#[macro_export]
macro_rules! on_one_and_three_threads {
    ($($(#[$where:meta])* $scenario:ident),+ $(,)?) => {
        mod one_thread {
            $($(#[$where])* #[test] fn $scenario() { super::$scenario(1); })+
        }
        mod three_threads {
            $($(#[$where])* #[test] fn $scenario() { super::$scenario(3); })+
        }
    };
}

impl Consumer {
    pub fn new(threads: usize) -> Self {
        let (sender, wakes) = channel();
        let reactor = Reactor::new(Box::new(Wakes(Mutex::new(sender))), threads);
        Self {
            reactor,
            wakes,
            due: 0,
        }
    }

    /// Waits for the next event. Panics when none comes.
    pub fn next(&mut self) -> Event {
        loop {
            // A delivery may have been for the reactor itself.
            if let Some(event) = self.delivery(PATIENCE).expect("a delivery") {
                return event;
            }
        }
    }

    /// Waits for the next delivery, and takes the event that it is for.
    pub fn delivery(&mut self, patience: Duration) -> Result<Option<Event>, RecvTimeoutError> {
        while self.due == 0 {
            self.due = self.wakes.recv_timeout(patience)?;
        }
        self.due -= 1;
        Ok(self.reactor.next_event())
    }

    /// Waits for an event that `wanted` makes something of; others are dropped.
    pub fn wait<T>(&mut self, mut wanted: impl FnMut(&Self, Event) -> Option<T>) -> T {
        loop {
            let event = self.next();
            if let Some(found) = wanted(self, event) {
                return found;
            }
        }
    }

    /// Listens on a free port of 127.0.0.1.
    pub fn listen(&self) -> (HandleId, SocketAddr) {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = self.reactor.bind_tcp(&any, &SocketOptions::default()).unwrap();
        self.reactor.listen(listener, 511).unwrap();
        (listener, self.reactor.local_address(listener).unwrap())
    }

    /// Waits until `listener` has a connection and takes it.
    pub fn accept(&mut self, listener: HandleId) -> HandleId {
        self.wait(|consumer, event| match event {
            Event::Connection { id } if id == listener => consumer.accept_one(id),
            _ => None,
        })
    }

    /// Answers an event with one connection.
    pub fn accept_one(&self, listener: HandleId) -> Option<HandleId> {
        let connection = self.reactor.accept(listener)?.handle()?;
        self.reactor.accept_later(listener);
        Some(connection)
    }

    /// Begins to connect a new socket over TCP.
    pub fn connect(&self, address: &SocketAddr) -> HandleId {
        let socket = self
            .reactor
            .tcp_socket(address.is_ipv6(), &SocketOptions::default())
            .unwrap();
        self.reactor.connect(socket, &Target::Tcp(address)).unwrap();
        socket
    }

    /// Begins to connect a new local socket.
    pub fn connect_local(&self, path: &str) -> Result<HandleId, Errno> {
        let socket = self.reactor.local_socket()?;
        self.reactor
            .connect(socket, &Target::Local(path))
            .map(|()| socket)
    }

    /// Waits until a connect has ended.
    pub fn connected(&mut self, connection: HandleId) -> Result<(), Errno> {
        self.wait(|_, event| match event {
            Event::Connected { id, result } if id == connection => Some(result),
            _ => None,
        })
    }

    /// A connected pair over TCP: (client, accepted).
    pub fn pair(&mut self) -> (HandleId, HandleId) {
        let (listener, address) = self.listen();
        let client = self.connect(&address);
        let (mut accepted, mut connected) = (None, false);
        while accepted.is_none() || !connected {
            match self.next() {
                Event::Connection { id, .. } if id == listener => accepted = self.accept_one(id),
                Event::Connected { id, result } if id == client => {
                    result.unwrap();
                    connected = true;
                }
                _ => {}
            }
        }
        self.reactor
            .close(listener, ferronet_reactor::Closing::Orderly)
            .unwrap();
        (client, accepted.unwrap())
    }

    /// A connection over TCP, and its peer outside of the reactor.
    pub fn connect_to_peer(&mut self) -> (HandleId, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connection = self.connect(&listener.local_addr().unwrap());
        let (peer, _) = listener.accept().unwrap();
        self.connected(connection).unwrap();
        (connection, peer)
    }

    /// Takes one piece of what a connection has received, and whether there is more.
    pub fn take(&self, connection: HandleId) -> Option<(Piece, bool)> {
        let mut space = vec![MaybeUninit::new(0); 64 * 1024];
        let taken = self.reactor.take(connection, &mut space)?;
        let piece = match taken.received {
            Received::Read(n) => {
                Piece::Bytes(
                    space[..n]
                        .iter()
                        // SAFETY: all of it was written above.
                        .map(|byte| unsafe { byte.assume_init() })
                        .collect(),
                )
            }
            Received::Data(chunk) => Piece::Bytes(chunk.to_vec()),
            Received::End(errno) => Piece::End(errno),
        };
        Some((piece, taken.more))
    }

    /// Reads a connection to its end. Returns the bytes and how it ended.
    pub fn read_to_end(&mut self, connection: HandleId) -> (Vec<u8>, Errno) {
        self.reactor.read_start(connection).unwrap();
        let mut bytes = Vec::new();
        let end = self.wait(|consumer, event| match event {
            Event::Readable { id } if id == connection => loop {
                let taken = consumer.take(id)?;
                match taken {
                    (Piece::Bytes(piece), more) => {
                        bytes.extend_from_slice(&piece);
                        if !more {
                            return None;
                        }
                    }
                    (Piece::End(errno), _) => return Some(errno),
                }
            },
            _ => None,
        });
        (bytes, end)
    }

    pub fn write(&self, connection: HandleId, bytes: &[u8]) -> Written {
        self.reactor.write(connection, &[IoSlice::new(bytes)]).unwrap()
    }

    /// Writes all of `bytes` for a peer that reads nothing, and returns how many writes wait for it. Not as
    /// one write: Windows takes all of any send while there is room for some of it.
    pub fn write_more_than_the_kernel_takes(&self, connection: HandleId, bytes: &[u8]) -> usize {
        let written = bytes.chunks(1 << 20).map(|chunk| self.write(connection, chunk));
        let waiting = written.filter(|written| *written == Written::Queued).count();
        assert!(waiting > 0, "all of it was taken");
        waiting
    }
}

/// Waits for something that no event reports. Panics with `what` if it does not come.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// `len` bytes in which a lost, doubled or swapped one shows.
pub fn pattern(len: usize) -> Vec<u8> {
    (0..len)
        .map(|n| u8::try_from((n * 7 + n / 251) % 256).unwrap())
        .collect()
}

/// A reset is never an end. Under Wine it may read as one: Wine's server polls the socket, and takes its error
/// (`SO_ERROR`) before the read does.
pub fn assert_reset(end: Errno, case: &str) {
    assert!(
        end != Errno::EOF || std::env::var_os("WINELOADER").is_some(),
        "{case}"
    );
}

/// What a peer reads next is a reset, but for Wine, as above.
pub fn assert_peer_is_reset(peer: &mut impl Read) {
    match peer.read(&mut [0]) {
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        Ok(read) => assert!(
            read == 0 && std::env::var_os("WINELOADER").is_some(),
            "{read} bytes in place of the reset"
        ),
    }
}

/// All bytes, in order; or where the first one is missing or another one.
pub fn assert_all(read: &[u8], expected: &[u8]) {
    let same = read
        .iter()
        .zip(expected)
        .take_while(|(one, other)| one == other)
        .count();
    assert_eq!(
        (same, read.len()),
        (expected.len(), expected.len()),
        "(the same, read)"
    );
}
