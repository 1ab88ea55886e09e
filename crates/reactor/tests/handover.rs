//! A socket goes to another owner, here a second handle of the same reactor.
#![cfg(unix)]
#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use ferronet_reactor::{Closing, Errno, Event, HandleId, LocalAccess, Reactor, Transport};

use support::Consumer;

mod support;

fn unread(consumer: &Consumer, connection: HandleId) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(chunk) = consumer.reactor.take_unread(connection).unwrap() {
        bytes.extend_from_slice(&chunk);
    }
    bytes
}

#[test]
fn what_was_read_ahead_and_what_was_not_are_all_of_it() {
    let mut consumer = Consumer::new(1);
    let (client, server) = consumer.pair();
    let sent = support::pattern(1 << 20);
    consumer.reactor.read_start(server).unwrap();
    consumer.write(client, &sent);
    consumer.reactor.shutdown_write(client).unwrap();
    // The reactor's thread has read something.
    consumer.wait(|_, event| matches!(event, Event::Readable { id } if id == server).then_some(()));
    let descriptor = consumer.reactor.duplicate(server).unwrap();
    let mut received = unread(&consumer, server);
    assert!(!received.is_empty());
    consumer.reactor.close(server, Closing::Orderly).unwrap();
    let next = consumer.reactor.open(descriptor, Transport::Tcp).unwrap();
    let (rest, end) = consumer.read_to_end(next);
    received.extend_from_slice(&rest);
    assert_eq!(end, Errno::EOF);
    assert!(received == sent);
}

#[test]
fn an_end_that_was_read_ahead_is_read_again() {
    let mut consumer = Consumer::new(1);
    let (client, server) = consumer.pair();
    consumer.reactor.read_start(server).unwrap();
    consumer.write(client, b"last words");
    consumer.reactor.close(client, Closing::Orderly).unwrap();
    consumer.wait(|_, event| matches!(event, Event::Readable { id } if id == server).then_some(()));
    let descriptor = consumer.reactor.duplicate(server).unwrap();
    let mut received = unread(&consumer, server);
    consumer.reactor.close(server, Closing::Orderly).unwrap();
    let next = consumer.reactor.open(descriptor, Transport::Tcp).unwrap();
    let (rest, end) = consumer.read_to_end(next);
    received.extend_from_slice(&rest);
    assert_eq!((received.as_slice(), end), (b"last words".as_slice(), Errno::EOF));
}

#[test]
fn a_retired_listener_gives_what_it_has_accepted_and_the_next_one_the_rest() {
    let mut consumer = Consumer::new(1);
    let (listener, address) = consumer.listen();
    let first = consumer.connect(&address);
    consumer.wait(|_, event| matches!(event, Event::Connection { .. }).then_some(()));
    let descriptor = consumer.reactor.duplicate(listener).unwrap();
    consumer.reactor.retire(listener).unwrap();
    let second = consumer.connect(&address);
    consumer.connected(second).unwrap();

    let taken = consumer.accept_one(listener).unwrap();
    assert!(consumer.reactor.accept(listener).is_none());
    consumer.reactor.close(listener, Closing::Orderly).unwrap();
    consumer.write(taken, b"to the first");
    consumer.reactor.close(taken, Closing::Orderly).unwrap();
    assert_eq!(consumer.read_to_end(first).0, b"to the first");

    let next = consumer.reactor.open(descriptor, Transport::Tcp).unwrap();
    consumer.reactor.listen(next, 511).unwrap();
    let accepted = consumer.accept(next);
    consumer.write(accepted, b"to the second");
    consumer.reactor.close(accepted, Closing::Orderly).unwrap();
    assert_eq!(consumer.read_to_end(second).0, b"to the second");
}

#[test]
fn the_file_of_a_local_socket_goes_with_its_last_owner() {
    let consumer = Consumer::new(1);
    let path = std::env::temp_dir().join(format!("ferronet-handover-{}", std::process::id()));
    let name = path.to_str().unwrap();
    let listener = consumer.reactor.bind_local(name, LocalAccess::Usual).unwrap();
    assert_eq!(consumer.reactor.own_path(listener, name), Err(Errno::EINVAL));
    consumer.reactor.listen(listener, 511).unwrap();
    let descriptor = consumer.reactor.duplicate(listener).unwrap();
    consumer.reactor.retire(listener).unwrap();
    consumer.reactor.close(listener, Closing::Orderly).unwrap();
    assert!(path.exists());

    let next = consumer.reactor.open(descriptor, Transport::UnixStream).unwrap();
    consumer.reactor.listen(next, 511).unwrap();
    consumer.reactor.own_path(next, name).unwrap();
    consumer.reactor.close(next, Closing::Orderly).unwrap();
    assert!(!path.exists());
}

#[test]
fn a_number_that_names_nothing_has_no_duplicate() {
    assert_eq!(Reactor::duplicate_descriptor(-1), Err(Errno::EBADF));
    assert_eq!(Reactor::duplicate_descriptor(1 << 20), Err(Errno::EBADF));
}
