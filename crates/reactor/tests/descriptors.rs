//! Connections leave the reactor as descriptors, for an owner outside of it.
#![cfg(unix)]
#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use ferronet_reactor::{
    Closing, Errno, Event, HandleId, Incoming, OwnedDescriptor, SocketOptions, Transport,
};

use support::Consumer;

mod support;

/// What `descriptor` is, for a handle again.
fn open(consumer: &Consumer, descriptor: OwnedDescriptor) -> HandleId {
    let number = descriptor.into_number();
    consumer.reactor.open(number, Transport::Tcp).unwrap()
}

fn accept(consumer: &mut Consumer, listener: HandleId) -> OwnedDescriptor {
    consumer.wait(|consumer, event| match event {
        Event::Connection { id } if id == listener => match consumer.reactor.accept(id) {
            Some(Incoming::Descriptor(descriptor)) => {
                consumer.reactor.accept_later(id);
                Some(descriptor)
            }
            Some(Incoming::Handle(_)) => panic!("a handle"),
            None => None,
        },
        _ => None,
    })
}

#[test]
fn a_listener_gives_descriptors_that_are_no_handles() {
    let mut consumer = Consumer::new(1);
    let any = ([127, 0, 0, 1], 0).into();
    let listener = consumer
        .reactor
        .bind_tcp(&any, &SocketOptions::default())
        .unwrap();
    // Before it listens, so that no connection can have come.
    consumer.reactor.give_descriptors(listener).unwrap();
    consumer.reactor.listen(listener, 511).unwrap();
    let address = consumer.reactor.local_address(listener).unwrap();
    for _ in 0..3 {
        let before = consumer.reactor.handles();
        let mut peer = TcpStream::connect(address).unwrap();
        let descriptor = accept(&mut consumer, listener);
        assert_eq!(consumer.reactor.handles(), before);
        assert_eq!(consumer.reactor.holder_of(descriptor.number()), None);
        peer.write_all(b"hello").unwrap();
        let connection = open(&consumer, descriptor);
        consumer.write(connection, b"welcome");
        consumer.reactor.close(connection, Closing::Orderly).unwrap();
        let mut answer = [0; 7];
        peer.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"welcome");
    }
}

#[test]
fn a_descriptor_that_is_not_wanted_is_reset() {
    let mut consumer = Consumer::new(1);
    let (listener, address) = consumer.listen();
    consumer.reactor.give_descriptors(listener).unwrap();
    let mut peer = TcpStream::connect(address).unwrap();
    accept(&mut consumer, listener).reset();
    support::assert_peer_is_reset(&mut peer);
}

#[test]
fn only_what_listens_gives_descriptors() {
    let mut consumer = Consumer::new(1);
    let (client, _server) = consumer.pair();
    assert_eq!(consumer.reactor.give_descriptors(client), Err(Errno::EINVAL));
    consumer.reactor.close(client, Closing::Orderly).unwrap();
    assert!(consumer.reactor.give_descriptors(client).is_err());
}

#[test]
fn a_connection_is_released_with_its_number() {
    let mut consumer = Consumer::new(1);
    let (client, mut peer) = consumer.connect_to_peer();
    let number = consumer.reactor.raw_descriptor(client);
    let descriptor = consumer.reactor.release(client).unwrap();
    assert_eq!(descriptor.number(), number);
    assert_ne!(number, peer.as_raw_fd());
    assert_eq!(consumer.reactor.holder_of(number), None);
    assert!(consumer.reactor.release(client).is_err());
    consumer.reactor.close(client, Closing::Orderly).unwrap();

    peer.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let next = open(&consumer, descriptor);
    consumer.write(next, b"still open");
    consumer.reactor.close(next, Closing::Orderly).unwrap();
    let mut all = Vec::new();
    peer.read_to_end(&mut all).unwrap();
    assert_eq!(all, b"still open");
}

#[test]
fn what_is_on_its_way_keeps_a_connection() {
    let mut consumer = Consumer::new(1);
    let (client, server) = consumer.pair();
    consumer.reactor.read_start(server).unwrap();
    consumer.write(client, b"ahead");
    consumer.wait(|_, event| matches!(event, Event::Readable { id } if id == server).then_some(()));
    assert_eq!(consumer.reactor.release(server).unwrap_err(), Errno::EAGAIN);
    // It is what it was.
    assert!(consumer.take(server).is_some());
    consumer.reactor.shutdown_write(client).unwrap();
    // It has sent its end.
    assert_eq!(consumer.reactor.release(client).unwrap_err(), Errno::EAGAIN);
}
