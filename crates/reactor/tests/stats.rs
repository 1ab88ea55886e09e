//! What a reactor says of itself: what it has open, and what it has moved.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::{IoSlice, Read, Write};
use std::net::Shutdown;

use ferronet_reactor::{Closing, process_stats};
use support::{Consumer, wait_until};

on_one_and_three_threads!(
    counts_what_is_open_and_what_was_moved,
    relays_are_counted_with_their_bytes,
);

fn counts_what_is_open_and_what_was_moved(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let before = consumer.reactor.stats();
    assert_eq!((before.reactors, before.threads), (1, threads));
    assert_eq!((before.connections, before.moved.received), (0, 0));
    let (id, mut peer) = consumer.connect_to_peer();
    consumer.reactor.write(id, &[IoSlice::new(b"seven b")]).unwrap();
    let mut sent = [0; 7];
    peer.read_exact(&mut sent).unwrap();
    peer.write_all(b"hello").unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    assert_eq!(consumer.read_to_end(id).0, b"hello");
    let after = consumer.reactor.stats();
    assert_eq!((after.connections, after.listeners, after.relays), (1, 0, 0));
    assert_eq!(
        (after.moved.received, after.moved.sent, after.moved.relayed),
        (5, 7, 0)
    );
    assert_eq!(after.driven_by_thread, 1);
    let everywhere = process_stats();
    assert!(everywhere.reactors >= 1 && everywhere.moved.received >= 5);
    consumer.reactor.close(id, Closing::Orderly).unwrap();
    assert_eq!(consumer.reactor.stats().connections, 0);
    drop(consumer);
    assert!(process_stats().moved.sent >= 7, "what has ended still counts");
}

fn relays_are_counted_with_their_bytes(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (source, mut sender) = consumer.connect_to_peer();
    let (destination, mut receiver) = consumer.connect_to_peer();
    consumer.reactor.read_start(source).unwrap();
    consumer.reactor.relay(source, destination).unwrap();
    assert_eq!(consumer.reactor.stats().relays, 1);
    let bytes = vec![7; 200_000];
    let count = bytes.len() as u64;
    let writing = std::thread::spawn(move || sender.write_all(&bytes).map(|()| sender));
    let mut arrived = vec![0; 200_000];
    receiver.read_exact(&mut arrived).unwrap();
    let _sender = writing.join().unwrap().unwrap();
    consumer.reactor.stop_relay(source);
    assert_eq!(consumer.reactor.stats().relays, 0);
    // The last bytes may arrive before the thread that has sent them counts them.
    wait_until("all bytes are counted", || {
        let moved = consumer.reactor.stats().moved;
        [moved.received, moved.sent, moved.relayed] == [count; 3]
    });
}
