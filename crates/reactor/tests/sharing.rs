//! A socket that another owner uses as well: the kernel sees everything in the order of the calls, and
//! nothing is read or accepted ahead, where that owner cannot have it.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use ferronet_reactor::{Closing, Errno, Event, HandleId, Transport, Unread, Written};
use support::{Consumer, MORE_THAN_THE_KERNEL_TAKES, Piece, assert_all, pattern, wait_until};

fn readable(consumer: &mut Consumer, connection: HandleId) {
    consumer.wait(|_, event| matches!(event, Event::Readable { id } if id == connection).then_some(()));
}

fn what_is_batched_is_sent_and_nothing_is_batched_later(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (connection, mut peer) = consumer.connect_to_peer();
    let mut bytes = [0; 6];
    consumer.reactor.begin_batch();
    assert_eq!(consumer.write(connection, b"first "), Written::Completed);
    consumer.reactor.set_shared(connection, true).unwrap();
    assert_eq!(consumer.reactor.write_queue_size(connection), 0);
    peer.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"first ");
    assert_eq!(consumer.write(connection, b"second"), Written::Completed);
    assert_eq!(consumer.reactor.write_queue_size(connection), 0);
    peer.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"second");
    consumer.reactor.end_batch();
}

fn it_is_not_read_ahead(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (connection, mut peer) = consumer.connect_to_peer();
    consumer.reactor.set_shared(connection, true).unwrap();
    consumer.reactor.read_start(connection).unwrap();
    peer.write_all(b"for the first reader").unwrap();
    readable(&mut consumer, connection);
    assert_eq!(consumer.reactor.read_queue_size(connection), 0);
    let taken = consumer.take(connection).unwrap();
    assert_eq!(taken.0, Piece::Bytes(b"for the first reader".to_vec()));
    // The end arrives as well, also when the socket is not shared any more.
    consumer.reactor.set_shared(connection, false).unwrap();
    drop(peer);
    assert_eq!(consumer.read_to_end(connection), (Vec::new(), Errno::EOF));
}

fn a_reactor_that_is_asked_not_to_reads_nothing_ahead(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (connection, mut peer) = consumer.connect_to_peer();
    consumer.reactor.set_reads_ahead(false);
    consumer.reactor.read_start(connection).unwrap();
    let bytes = pattern(1 << 20);
    let sent = bytes.clone();
    let sender = std::thread::spawn(move || {
        peer.write_all(&sent).unwrap();
        peer
    });
    readable(&mut consumer, connection);
    assert_eq!(consumer.reactor.read_queue_size(connection), 0);
    consumer.reactor.set_reads_ahead(true);
    consumer.reactor.take_later(connection);
    drop(sender);
    let (read, end) = consumer.read_to_end(connection);
    assert_eq!(end, Errno::EOF);
    assert_all(&read, &bytes);
}

fn a_descriptor_that_is_shared_before_its_use_is_a_shared_connection(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (connection, mut peer) = consumer.connect_to_peer();
    let descriptor = consumer.reactor.duplicate(connection).unwrap();
    let other = consumer.reactor.open(descriptor, Transport::Tcp).unwrap();
    consumer.reactor.set_shared(other, true).unwrap();
    // It stays shared in another reactor.
    let transfer = consumer.reactor.send_off(other, &Unread::default()).unwrap();
    let moved = consumer.reactor.receive(transfer).unwrap();
    consumer.reactor.begin_batch();
    assert_eq!(consumer.write(moved, b"now"), Written::Completed);
    assert_eq!(consumer.reactor.write_queue_size(moved), 0);
    let mut bytes = [0; 3];
    peer.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"now");
    consumer.reactor.end_batch();
}

fn what_the_kernel_does_not_take_can_be_taken_back_and_nothing_follows(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (connection, mut peer) = consumer.connect_to_peer();
    let bytes = pattern(MORE_THAN_THE_KERNEL_TAKES);
    consumer.write_more_than_the_kernel_takes(connection, &bytes);
    // FIN would end the connection for the other owner.
    consumer.reactor.shutdown_write(connection).unwrap();
    let other = consumer.reactor.duplicate(connection).unwrap();
    let unsent = consumer.reactor.take_unsent(connection);
    assert!(!unsent.is_empty());
    assert_eq!(consumer.reactor.write_queue_size(connection), 0);
    assert!(consumer.reactor.take_unsent(connection).is_empty());
    // The handle can still be used.
    assert_eq!(consumer.write(connection, b""), Written::Completed);
    consumer.reactor.close(connection, Closing::Orderly).unwrap();
    let owner = consumer.reactor.open(other, Transport::Tcp).unwrap();
    consumer.write(owner, &unsent);
    consumer.write(owner, b"the end");
    consumer.reactor.shutdown_write(owner).unwrap();
    let mut read = Vec::new();
    peer.read_to_end(&mut read).unwrap();
    assert_all(&read, &[&bytes[..], b"the end"].concat());
}

fn its_close_with_bytes_that_were_read_ahead_is_no_reset_for_the_other_owner(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (connection, mut peer) = consumer.connect_to_peer();
    consumer.reactor.read_start(connection).unwrap();
    peer.write_all(b"never read").unwrap();
    readable(&mut consumer, connection);
    let descriptor = consumer.reactor.duplicate(connection).unwrap();
    consumer.reactor.set_shared(connection, true).unwrap();
    assert!(consumer.reactor.read_queue_size(connection) > 0);
    consumer.reactor.close(connection, Closing::Orderly).unwrap();
    let owner = consumer.reactor.open(descriptor, Transport::Tcp).unwrap();
    consumer.write(owner, b"still here");
    consumer.reactor.close(owner, Closing::Orderly).unwrap();
    let mut read = Vec::new();
    peer.read_to_end(&mut read).unwrap();
    assert_eq!(read, b"still here");
}

fn what_was_taken_can_be_given_back(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (connection, mut peer) = consumer.connect_to_peer();
    let bytes = pattern(100_000);
    peer.write_all(&bytes).unwrap();
    drop(peer);
    consumer.reactor.read_start(connection).unwrap();
    readable(&mut consumer, connection);
    let Some((Piece::Bytes(first), _)) = consumer.take(connection) else {
        panic!("nothing was read")
    };
    let mut taken = Vec::new();
    while let Some(chunk) = consumer.reactor.take_unread(connection).unwrap() {
        taken.push(chunk);
    }
    // A consumer that expects more asks once more.
    assert!(consumer.take(connection).is_none());
    for chunk in taken.iter().rev() {
        consumer.reactor.put_back(connection, chunk);
    }
    consumer.reactor.put_back(connection, &first);
    let (read, end) = consumer.read_to_end(connection);
    assert_eq!(end, Errno::EOF);
    assert_all(&read, &bytes);
}

/// Connects `count` clients to `listener`, all of which wait in the backlog when it returns.
fn clients(consumer: &Consumer, listener: HandleId, count: usize) -> Vec<TcpStream> {
    let address = consumer.reactor.local_address(listener).unwrap();
    (0..count).map(|_| TcpStream::connect(address).unwrap()).collect()
}

fn connections_stay_in_the_backlog_until_the_consumer_takes_them(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (listener, _) = consumer.listen();
    consumer.reactor.set_shared(listener, true).unwrap();
    let peers = clients(&consumer, listener, 5);
    let first = consumer.accept(listener);
    let second = consumer.accept(listener);
    // What another owner would accept now.
    let other = consumer.reactor.duplicate(listener).unwrap();
    assert_eq!(consumer.reactor.take_accepted(listener), None);
    consumer.reactor.close(listener, Closing::Orderly).unwrap();
    let owner = consumer.reactor.open(other, Transport::Tcp).unwrap();
    consumer.reactor.listen(owner, 511).unwrap();
    let rest: Vec<_> = (2..peers.len()).map(|_| consumer.accept(owner)).collect();
    for (n, connection) in [first, second].into_iter().chain(rest).enumerate() {
        consumer.write(connection, &[u8::try_from(n).unwrap()]);
        consumer.reactor.close(connection, Closing::Orderly).unwrap();
    }
    for (n, mut peer) in peers.into_iter().enumerate() {
        let mut read = Vec::new();
        peer.read_to_end(&mut read).unwrap();
        assert_eq!(read, [u8::try_from(n).unwrap()]);
    }
}

fn those_accepted_before_are_reported_or_can_be_taken(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (listener, _) = consumer.listen();
    let _peers = clients(&consumer, listener, 4);
    consumer.wait(|_, event| matches!(event, Event::Connection { .. }).then_some(()));
    // Each has a handle, beside the listener's.
    wait_until("all are accepted", || consumer.reactor.handles() >= 5);
    consumer.reactor.set_shared(listener, true).unwrap();
    assert!(consumer.accept_one(listener).is_some());
    for _ in 1..4 {
        assert!(consumer.reactor.take_accepted(listener).is_some());
    }
    assert_eq!(consumer.reactor.take_accepted(listener), None);
    // The report of those that were taken otherwise.
    consumer.wait(|_, event| matches!(event, Event::Connection { .. }).then_some(()));
    assert!(consumer.reactor.accept(listener).is_none());
    // Connections are accepted ahead again when it is not shared any more.
    consumer.reactor.set_shared(listener, false).unwrap();
    let handles = consumer.reactor.handles();
    let _peer = clients(&consumer, listener, 1);
    wait_until("it is accepted", || consumer.reactor.handles() != handles);
    // It has its handle a moment before it can be taken.
    wait_until("it can be taken", || {
        consumer.reactor.take_accepted(listener).is_some()
    });
}

on_one_and_three_threads!(
    what_is_batched_is_sent_and_nothing_is_batched_later,
    it_is_not_read_ahead,
    a_reactor_that_is_asked_not_to_reads_nothing_ahead,
    a_descriptor_that_is_shared_before_its_use_is_a_shared_connection,
    what_the_kernel_does_not_take_can_be_taken_back_and_nothing_follows,
    its_close_with_bytes_that_were_read_ahead_is_no_reset_for_the_other_owner,
    what_was_taken_can_be_given_back,
    connections_stay_in_the_backlog_until_the_consumer_takes_them,
    those_accepted_before_are_reported_or_can_be_taken,
);
