//! What was reported as written arrives, also when the kernel has no room for it at the moment of the close.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use ferronet_reactor::{Closing, Event, HandleId, Written};
use support::{Consumer, PATIENCE, assert_all, pattern};

const PIECE: usize = 8000;

/// A connection whose peer reads nothing, and that has reported as written some bytes which the kernel does
/// not take. Returns all that it has reported so.
fn full(consumer: &mut Consumer) -> (HandleId, TcpStream, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connection = consumer.connect(&listener.local_addr().unwrap());
    let (peer, _) = listener.accept().unwrap();
    consumer.connected(connection).unwrap();
    let bytes = pattern(64 << 20);
    let mut written = 0;
    for piece in bytes.chunks(PIECE) {
        consumer.reactor.begin_batch();
        assert_eq!(consumer.write(connection, piece), Written::Completed);
        consumer.reactor.end_batch();
        written += piece.len();
        // Whatever the poller says, the kernel has the last word.
        if consumer.reactor.flush(connection) > 0 {
            sleep(Duration::from_millis(20));
            if consumer.reactor.flush(connection) > 0 {
                return (connection, peer, bytes[..written].to_vec());
            }
        }
    }
    panic!("the kernel takes everything");
}

fn read_all(mut peer: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    peer.read_to_end(&mut bytes).unwrap();
    bytes
}

fn a_close_sends_what_was_reported_as_written(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (connection, peer, written) = full(&mut consumer);
    consumer.reactor.close(connection, Closing::Orderly).unwrap();
    assert_all(&read_all(peer), &written);
}

fn a_close_cancels_what_waits_behind_it(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (connection, peer, written) = full(&mut consumer);
    let request = pattern(support::MORE_THAN_THE_KERNEL_TAKES);
    assert_eq!(consumer.write(connection, &request), Written::Queued);
    consumer.reactor.close(connection, Closing::Orderly).unwrap();
    let bytes = read_all(peer);
    assert_all(&bytes[..written.len()], &written);
    assert!(bytes.len() < written.len() + request.len());
    consumer.reactor.report_closed(connection);
    consumer.wait(|_, event| match event {
        Event::Wrote { id, .. } if id == connection => panic!("a cancelled write is reported"),
        Event::Closed { id } => (id == connection).then_some(()),
        _ => None,
    });
}

fn a_shutdown_before_the_close_changes_nothing(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (connection, peer, written) = full(&mut consumer);
    consumer.reactor.shutdown_write(connection).unwrap();
    consumer.reactor.close(connection, Closing::Orderly).unwrap();
    assert_all(&read_all(peer), &written);
}

fn a_reset_drops_it(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (connection, mut peer, written) = full(&mut consumer);
    consumer.reactor.close(connection, Closing::Reset).unwrap();
    let mut bytes = Vec::new();
    assert!(peer.read_to_end(&mut bytes).is_err() || bytes.len() < written.len());
}

fn a_peer_that_goes_ends_it(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let before = consumer.reactor.handles();
    let (connection, peer, _) = full(&mut consumer);
    consumer.reactor.close(connection, Closing::Orderly).unwrap();
    consumer.reactor.report_closed(connection);
    drop(peer);
    let started = Instant::now();
    consumer.reactor.shutdown();
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "no peer is left to wait for"
    );
    assert_eq!(before, 0);
}

fn the_end_of_the_reactor_waits_for_a_peer_that_reads(threads: usize) {
    for close in [true, false] {
        let mut consumer = Consumer::new(threads);
        let (connection, peer, written) = full(&mut consumer);
        if close {
            consumer.reactor.close(connection, Closing::Orderly).unwrap();
        }
        let reader = spawn(move || {
            sleep(Duration::from_millis(100));
            read_all(peer)
        });
        consumer.reactor.shutdown();
        assert_all(&reader.join().unwrap(), &written);
    }
}

fn the_end_of_the_reactor_does_not_wait_for_ever(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (_, peer, _) = full(&mut consumer);
    let started = Instant::now();
    consumer.reactor.shutdown();
    assert!(started.elapsed() < PATIENCE / 2);
    drop(peer);
}

on_one_and_three_threads!(
    a_close_sends_what_was_reported_as_written,
    a_close_cancels_what_waits_behind_it,
    a_shutdown_before_the_close_changes_nothing,
    a_reset_drops_it,
    a_peer_that_goes_ends_it,
    the_end_of_the_reactor_waits_for_a_peer_that_reads,
    the_end_of_the_reactor_does_not_wait_for_ever,
);
