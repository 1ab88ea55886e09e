//! Closing at any moment: the descriptor is gone when the call returns, late events find no handle.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use ferronet_reactor::{Closing, Errno, Event, SocketOptions};
use support::{Consumer, assert_reset};

fn a_port_is_free_when_close_returns(threads: usize) {
    let consumer = Consumer::new(threads);
    let (first, address) = consumer.listen();
    let taken = consumer
        .reactor
        .bind_tcp(&address, &SocketOptions::default())
        .and_then(|id| consumer.reactor.listen(id, 1));
    assert!(taken.is_err(), "two listeners on one port");
    let mut current = first;
    for _ in 0..50 {
        consumer.reactor.close(current, Closing::Orderly).unwrap();
        let closed = std::time::Instant::now();
        let mut bound = consumer.reactor.bind_tcp(&address, &SocketOptions::default());
        // The server of Wine now and then keeps a socket that was polled a little longer than its handle.
        while bound.is_err() && std::env::var_os("WINELOADER").is_some() {
            assert!(closed.elapsed() < support::PATIENCE, "{bound:?}");
            bound = consumer.reactor.bind_tcp(&address, &SocketOptions::default());
        }
        current = bound.unwrap();
        consumer.reactor.listen(current, 511).unwrap();
    }
}

fn a_reset_is_seen_as_one(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (client, server) = consumer.pair();
    consumer.reactor.close(server, Closing::Reset).unwrap();
    let (bytes, end) = consumer.read_to_end(client);
    assert!(bytes.is_empty());
    assert_reset(end, "of a connection that was idle");
}

fn calls_of_a_closed_handle_fail_with_ebadf_and_its_slot_waits_for_the_last_event(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (client, server) = consumer.pair();
    consumer.reactor.read_start(client).unwrap();
    consumer.write(server, b"too late");
    consumer.reactor.close(client, Closing::Orderly).unwrap();
    assert_eq!(consumer.reactor.read_start(client), Err(Errno::EBADF));
    assert_eq!(consumer.reactor.write(client, &[]), Err(Errno::EBADF));
    assert_eq!(consumer.reactor.raw_descriptor(client), -1);
    assert!(consumer.take(client).is_none());
    let open = consumer.reactor.handles();
    consumer.reactor.report_closed(client);
    consumer.wait(|_, event| (event == Event::Closed { id: client }).then_some(()));
    assert_eq!(consumer.reactor.handles(), open - 1);
    assert_eq!(
        consumer.reactor.close(client, Closing::Orderly),
        Err(Errno::EBADF)
    );
}

fn connections_that_were_not_taken_are_closed_with_their_listener(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (listener, address) = consumer.listen();
    let client = consumer.connect(&address);
    consumer.wait(|_, event| matches!(event, Event::Connection { .. }).then_some(()));
    consumer.reactor.close(listener, Closing::Orderly).unwrap();
    let (bytes, _) = consumer.read_to_end(client);
    assert!(bytes.is_empty());
    assert!(consumer.reactor.accept(listener).is_none());
}

fn shutdown_ends_everything_with_traffic_in_flight(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (client, server) = consumer.pair();
    let (_listener, address) = consumer.listen();
    consumer.reactor.read_start(server).unwrap();
    consumer.write(client, &support::pattern(8 << 20));
    consumer.reactor.shutdown();
    assert_eq!(consumer.reactor.handles(), 0);
    assert_eq!(consumer.reactor.write(client, &[]), Err(Errno::EBADF));
    assert_eq!(
        consumer.reactor.tcp_socket(false, &SocketOptions::default()),
        Err(Errno::ECANCELED)
    );
    assert_eq!(
        consumer.reactor.bind_tcp(&address, &SocketOptions::default()),
        Err(Errno::ECANCELED)
    );
    consumer.reactor.shutdown();
}

fn a_write_to_a_peer_that_has_gone_fails_with_the_kernels_error(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (client, server) = consumer.pair();
    consumer.reactor.close(server, Closing::Reset).unwrap();
    let (_, end) = consumer.read_to_end(client);
    assert_reset(end, "before a write");
    let mut result = Ok(ferronet_reactor::Written::Completed);
    while result.is_ok() {
        result = consumer.reactor.write(client, &[std::io::IoSlice::new(b"x")]);
    }
    // Unix reports the reset once, and the read had it. Windows reports it for every call that comes after
    // it.
    assert_eq!(result, Err(if cfg!(unix) { Errno::EPIPE } else { end }));
}

#[cfg(unix)]
#[test]
fn a_socket_lives_on_in_its_duplicate() {
    let mut consumer = Consumer::new(1);
    let (client, server) = consumer.pair();
    let descriptor = consumer.reactor.duplicate(server).unwrap();
    consumer.reactor.close(server, Closing::Orderly).unwrap();
    assert_eq!(consumer.reactor.duplicate(server), Err(Errno::EBADF));
    let again = consumer
        .reactor
        .open(descriptor, ferronet_reactor::Transport::Tcp)
        .unwrap();
    consumer.write(again, b"still here");
    consumer.reactor.close(again, Closing::Orderly).unwrap();
    assert_eq!(consumer.read_to_end(client), (b"still here".to_vec(), Errno::EOF));
}

on_one_and_three_threads!(
    a_port_is_free_when_close_returns,
    a_reset_is_seen_as_one,
    calls_of_a_closed_handle_fail_with_ebadf_and_its_slot_waits_for_the_last_event,
    connections_that_were_not_taken_are_closed_with_their_listener,
    shutdown_ends_everything_with_traffic_in_flight,
    a_write_to_a_peer_that_has_gone_fails_with_the_kernels_error
);
