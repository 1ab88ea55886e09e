//! A process that may open no more: its servers refuse or wait, do not spin, and serve again.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    unsafe_code,
    reason = "a test fails by panicking; limits and clocks are raw calls"
)]

mod support;

use std::fs::File;
use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::FromRawFd as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ferronet_reactor::{Closing, Event, HandleId, SocketOptions};
use socket2::{Domain, SockAddr, Socket, Type};
use support::{Consumer, PATIENCE};

/// How many descriptors the process may have meanwhile.
const LIMIT: libc::rlim_t = 256;
/// For what must not happen.
const A_WHILE: Duration = Duration::from_millis(200);

/// Has the process's descriptors for itself, and fewer of them than usual.
struct Alone {
    usual: libc::rlimit,
    _others: MutexGuard<'static, ()>,
}

impl Alone {
    fn new() -> Self {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let others = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let mut usual = MaybeUninit::uninit();
        // SAFETY: `usual` has room for what is written, and is read when it was.
        let usual = unsafe {
            assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, usual.as_mut_ptr()), 0);
            usual.assume_init()
        };
        set_limit(&libc::rlimit {
            rlim_cur: LIMIT,
            ..usual
        });
        Self {
            usual,
            _others: others,
        }
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        set_limit(&self.usual);
    }
}

fn set_limit(limit: &libc::rlimit) {
    // SAFETY: `limit` is read during the call.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, limit) }, 0);
}

/// Opens what can be opened.
fn exhaust() -> Vec<File> {
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

/// Sockets that need no further descriptor to connect.
fn clients(count: usize) -> Vec<Socket> {
    (0..count)
        .map(|_| Socket::new(Domain::IPV4, Type::STREAM, None).unwrap())
        .collect()
}

fn connect(clients: &[Socket], server: SocketAddr) {
    for client in clients {
        client.connect(&SockAddr::from(server)).unwrap();
        client.set_nonblocking(true).unwrap();
    }
}

/// Whether the server has closed the connection.
fn is_closed(mut client: &Socket) -> bool {
    match client.read(&mut [0]) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
        Err(error) => {
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
            true
        }
        Ok(read) => {
            assert_eq!(read, 0);
            true
        }
    }
}

/// A consumer that takes events until `done`. Returns the connections that it was given.
fn serve_until(
    consumer: &mut Consumer,
    listener: HandleId,
    mut done: impl FnMut(usize) -> bool,
) -> Vec<HandleId> {
    let start = Instant::now();
    let mut accepted = Vec::new();
    while !done(accepted.len()) {
        assert!(start.elapsed() < PATIENCE, "after {} connections", accepted.len());
        if let Ok(Some(event)) = consumer.delivery(Duration::from_millis(1)) {
            assert_eq!(event, Event::Connection { id: listener });
            accepted.extend(consumer.accept_one(listener));
        }
    }
    accepted
}

fn processor_time() -> Duration {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: `time` has room for what is written, and is read when it was.
    let time = unsafe {
        assert_eq!(
            libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, time.as_mut_ptr()),
            0
        );
        time.assume_init()
    };
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

/// Takes events for a while. The reactor has next to nothing to do meanwhile.
fn assert_rests(consumer: &mut Consumer, listener: HandleId) {
    let (start, most) = (Instant::now(), processor_time() + A_WHILE / 2);
    let accepted = serve_until(consumer, listener, |_| start.elapsed() >= A_WHILE);
    assert!(accepted.is_empty());
    assert!(processor_time() < most, "it spins");
}

fn clients_are_refused_and_served_again_when_there_are_descriptors(threads: usize) {
    let _alone = Alone::new();
    let mut consumer = Consumer::new(threads);
    let (listener, address) = consumer.listen();
    // More than one turn refuses.
    let (early, late) = (clients(50), clients(5));
    let rest = exhaust();
    for client in &early {
        connect(std::slice::from_ref(client), address);
    }
    let mut open: Vec<_> = early.iter().collect();
    let accepted = serve_until(&mut consumer, listener, |_| {
        open.retain(|client| !is_closed(client));
        open.is_empty()
    });
    assert!(accepted.is_empty());
    assert_rests(&mut consumer, listener);
    assert!(
        consumer.delivery(A_WHILE).is_err(),
        "the backlog is empty, and nothing is tried"
    );
    drop(rest);
    connect(&late, address);
    let accepted = serve_until(&mut consumer, listener, |accepted| accepted == late.len());
    assert!(late.iter().all(|client| !is_closed(client)));
    for connection in accepted {
        consumer.reactor.close(connection, Closing::Orderly).unwrap();
    }
}

fn clients_wait_for_a_consumer_that_is_busy(threads: usize) {
    let _alone = Alone::new();
    let mut consumer = Consumer::new(threads);
    let (listener, address) = consumer.listen();
    let waiting = clients(3);
    let rest = exhaust();
    connect(&waiting, address);
    std::thread::sleep(A_WHILE);
    assert!(!waiting.iter().any(is_closed));
    // What it closes before its turn comes is for the connections that wait.
    drop(rest);
    serve_until(&mut consumer, listener, |accepted| accepted == waiting.len());
    assert!(!waiting.iter().any(is_closed));
}

fn what_is_accepted_ahead_leaves_some_descriptors(threads: usize) {
    let _alone = Alone::new();
    let mut consumer = Consumer::new(threads);
    let (listener, address) = consumer.listen();
    let all = clients(130);
    connect(&all, address);
    let mut accepted = 0;
    while accepted < consumer.reactor.handles() {
        accepted = consumer.reactor.handles();
        std::thread::sleep(A_WHILE);
    }
    assert!(exhaust().len() >= 32);
    for _ in &all {
        let connection = consumer.accept(listener);
        consumer.reactor.close(connection, Closing::Orderly).unwrap();
    }
}

/// As it may be when another thread has got the reserve.
fn a_server_without_a_reserve_rests_and_serves_when_there_are_descriptors(threads: usize) {
    let _alone = Alone::new();
    let mut consumer = Consumer::new(threads);
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = consumer
        .reactor
        .bind_tcp(&any, &SocketOptions::default())
        .unwrap();
    let waiting = clients(3);
    let rest = exhaust();
    consumer.reactor.listen(listener, 511).unwrap();
    connect(&waiting, consumer.reactor.local_address(listener).unwrap());
    assert_rests(&mut consumer, listener);
    assert!(!waiting.iter().any(is_closed));
    drop(rest);
    serve_until(&mut consumer, listener, |accepted| accepted == waiting.len());
}

/// Accepts ahead as many as the last `listen` has asked for.
fn another_backlog_is_for_the_connections_that_are_accepted_ahead_as_well(threads: usize) {
    let _alone = Alone::new();
    let mut consumer = Consumer::new(threads);
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = consumer
        .reactor
        .bind_tcp(&any, &SocketOptions::default())
        .unwrap();
    consumer.reactor.listen(listener, 1).unwrap();
    let all = clients(3);
    connect(&all, consumer.reactor.local_address(listener).unwrap());
    has_ahead(&consumer, 1);
    consumer.reactor.listen(listener, 2).unwrap();
    has_ahead(&consumer, 2);
    serve_until(&mut consumer, listener, |accepted| accepted == all.len());
}

/// A socket that is given away has a second descriptor for a moment.
fn the_reserve_is_for_a_duplicate_as_well_and_is_there_again(threads: usize) {
    let _alone = Alone::new();
    let mut consumer = Consumer::new(threads);
    let (listener, address) = consumer.listen();
    let refused = clients(1);
    let rest = exhaust();
    let duplicate = consumer.reactor.duplicate(listener).unwrap();
    assert!(consumer.reactor.duplicate(listener).is_err());
    // SAFETY: the descriptor is new, and nothing else owns it.
    drop(unsafe { File::from_raw_fd(duplicate) });
    connect(&refused, address);
    serve_until(&mut consumer, listener, |_| is_closed(&refused[0]));
    drop(rest);
}

fn has_ahead(consumer: &Consumer, wanted: usize) {
    let start = Instant::now();
    // Beside the listener.
    while consumer.reactor.handles() - 1 != wanted {
        assert!(start.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(1));
    }
}

on_one_and_three_threads! {
    clients_are_refused_and_served_again_when_there_are_descriptors,
    clients_wait_for_a_consumer_that_is_busy,
    what_is_accepted_ahead_leaves_some_descriptors,
    a_server_without_a_reserve_rests_and_serves_when_there_are_descriptors,
    another_backlog_is_for_the_connections_that_are_accepted_ahead_as_well,
    the_reserve_is_for_a_duplicate_as_well_and_is_there_again,
}
