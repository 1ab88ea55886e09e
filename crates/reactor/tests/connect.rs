//! How a connect ends.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::net::SocketAddr;

use ferronet_reactor::{Closing, Errno, Event, SocketOptions, Target};
use support::{Consumer, Piece};

#[test]
fn a_refused_connection_is_reported_by_the_event() {
    let mut consumer = Consumer::new(1);
    let (listener, address) = consumer.listen();
    consumer.reactor.close(listener, Closing::Orderly).unwrap();
    let client = consumer.connect(&address);
    let refused = consumer.connected(client).unwrap_err();
    assert_ne!(refused, Errno::UNKNOWN);
    assert_eq!(consumer.reactor.write(client, &[]), Err(Errno::EPIPE));
}

#[test]
fn what_is_written_before_the_connect_is_reported_arrives() {
    let mut consumer = Consumer::new(1);
    let (listener, address) = consumer.listen();
    let client = consumer.connect(&address);
    consumer.write(client, b"early");
    let server = consumer.accept(listener);
    consumer.reactor.read_start(server).unwrap();
    let bytes = consumer.wait(|consumer, event| match event {
        Event::Readable { id } if id == server => consumer.take(id),
        _ => None,
    });
    assert_eq!(bytes.0, Piece::Bytes(b"early".to_vec()));
}

#[test]
fn a_bound_socket_connects_from_its_address() {
    let mut consumer = Consumer::new(1);
    let (listener, address) = consumer.listen();
    let local = SocketAddr::from(([127, 0, 0, 1], 0));
    let bound = consumer
        .reactor
        .bind_tcp(&local, &SocketOptions::default())
        .unwrap();
    let local = consumer.reactor.local_address(bound).unwrap();
    assert_eq!(consumer.reactor.connect(bound, &Target::Tcp(&address)), Ok(()));
    let server = consumer.accept(listener);
    assert_eq!(consumer.reactor.peer_address(server), Ok(local));
    assert_eq!(consumer.reactor.peer_address(bound), Ok(address));
    assert_eq!(
        consumer.reactor.connect(bound, &Target::Tcp(&address)),
        Err(Errno::EISCONN)
    );
}

#[test]
fn an_address_of_another_machine_cannot_be_bound() {
    let consumer = Consumer::new(1);
    let elsewhere = SocketAddr::from(([203, 0, 113, 9], 0));
    assert!(
        consumer
            .reactor
            .bind_tcp(&elsewhere, &SocketOptions::default())
            .is_err()
    );
    assert_eq!(consumer.reactor.handles(), 0);
}

#[test]
fn a_connect_can_be_closed_before_it_ends() {
    let mut consumer = Consumer::new(1);
    let (listener, address) = consumer.listen();
    let client = consumer.connect(&address);
    consumer.reactor.close(client, Closing::Orderly).unwrap();
    let server = consumer.accept(listener);
    assert_eq!(consumer.read_to_end(server).1, Errno::EOF);
}

#[test]
fn a_connect_that_fails_at_once_leaves_the_handle() {
    let consumer = Consumer::new(1);
    let socket = consumer
        .reactor
        .tcp_socket(false, &SocketOptions::default())
        .unwrap();
    let broadcast = SocketAddr::from(([255, 255, 255, 255], 1));
    assert!(
        consumer
            .reactor
            .connect(socket, &Target::Tcp(&broadcast))
            .is_err()
    );
    let local = consumer.reactor.local_address(socket).unwrap();
    assert!(local.ip().is_unspecified());
    // Windows connects only what is bound, and so libuv and the reactor bind it before.
    assert_eq!(local.port() == 0, cfg!(unix));
}

#[cfg(unix)]
#[test]
fn a_connection_here_is_reported_before_the_connect_that_made_it() {
    let mut consumer = Consumer::new(1);
    let (listener, address) = consumer.listen();
    for _ in 0..200 {
        let client = consumer.connect(&address);
        assert_eq!(consumer.next(), Event::Connection { id: listener });
        assert_eq!(
            consumer.next(),
            Event::Connected {
                id: client,
                result: Ok(())
            }
        );
        let server = consumer.accept_one(listener).unwrap();
        consumer.reactor.close(server, Closing::Reset).unwrap();
        consumer.reactor.close(client, Closing::Orderly).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_connection_that_was_reset_before_it_was_reported_has_failed() {
    let mut consumer = Consumer::new(1);
    let (listener, address) = consumer.listen();
    let client = consumer.connect(&address);
    let server = consumer.accept(listener);
    consumer.reactor.close(server, Closing::Reset).unwrap();
    assert!(consumer.connected(client).is_err());
}

#[cfg(unix)]
#[test]
fn a_socket_is_opened_with_its_options() {
    use ferronet_reactor::{AddressOptions, KeepAlive};

    let consumer = Consumer::new(1);
    for ipv6 in [false, true] {
        let options = SocketOptions {
            no_delay: Some(true),
            keep_alive: Some(KeepAlive::from_seconds(5, 1, 10)),
            type_of_service: Some(0x10),
            address: AddressOptions::default(),
        };
        let opened = consumer.reactor.tcp_socket(ipv6, &options).unwrap();
        assert_eq!(consumer.reactor.type_of_service(opened), Ok(0x10));
        let local = if ipv6 {
            SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 0))
        } else {
            SocketAddr::from(([127, 0, 0, 1], 0))
        };
        let bound = consumer.reactor.bind_tcp(&local, &options).unwrap();
        assert_eq!(consumer.reactor.type_of_service(bound), Ok(0x10));
        let other = SocketOptions {
            type_of_service: Some(0x20),
            ..SocketOptions::default()
        };
        assert_eq!(consumer.reactor.set_options(bound, &other), Ok(()));
        assert_eq!(consumer.reactor.type_of_service(bound), Ok(0x20));
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_tcp_socket_refuses_the_options() {
    let consumer = Consumer::new(1);
    let local = consumer.reactor.local_socket().unwrap();
    let options = SocketOptions {
        no_delay: Some(true),
        ..SocketOptions::default()
    };
    assert_eq!(consumer.reactor.set_options(local, &options), Err(Errno::ENOTSUP));
}
