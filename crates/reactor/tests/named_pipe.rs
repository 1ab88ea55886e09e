//! Named pipes of Windows: what their task has to look at again, since the system does not report it.
#![cfg(windows)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::process;
use std::time::Duration;

use ferronet_reactor::{Closing, Errno, Event, HandleId, LocalAccess};
use support::{Consumer, Piece};

/// How many clients are accepted ahead.
const BACKLOG: i32 = 1;
/// More than are accepted ahead and than the instances that wait for clients.
const MANY: usize = 16;
/// Several tries of a connect that waits for an instance.
const A_WHILE: Duration = Duration::from_millis(100);

fn listen(consumer: &Consumer, name: &str) -> (HandleId, String) {
    let path = format!(r"\\.\pipe\ferronet-{name}-{}", process::id());
    let listener = consumer.reactor.bind_local(&path, LocalAccess::Usual).unwrap();
    consumer.reactor.listen(listener, BACKLOG).unwrap();
    (listener, path)
}

/// Connects until no instance is left. Returns the client that waits for one.
fn busy_client(consumer: &mut Consumer, path: &str) -> HandleId {
    for _ in 0..MANY {
        let client = consumer.connect_local(path).unwrap();
        let connected = std::iter::from_fn(|| consumer.delivery(A_WHILE).ok())
            .any(|event| matches!(event, Some(Event::Connected { id, .. }) if id == client));
        if !connected {
            return client;
        }
    }
    panic!("an instance waits for each client");
}

fn a_connect_waits_for_an_instance(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (listener, path) = listen(&consumer, &format!("waits-{threads}"));
    let client = busy_client(&mut consumer, &path);
    // The first has been reported while the clients connected.
    consumer.reactor.accept(listener).unwrap();
    consumer.connected(client).unwrap();
}

fn a_connect_that_waits_fails_when_the_name_is_gone(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (listener, path) = listen(&consumer, &format!("gone-{threads}"));
    let client = busy_client(&mut consumer, &path);
    consumer.reactor.close(listener, Closing::Orderly).unwrap();
    assert_eq!(consumer.connected(client), Err(Errno::ENOENT));
}

fn a_connect_that_waits_can_be_closed(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (listener, path) = listen(&consumer, &format!("closed-{threads}"));
    let client = busy_client(&mut consumer, &path);
    consumer.reactor.close(client, Closing::Orderly).unwrap();
    consumer.reactor.accept(listener).unwrap();
    let last = std::iter::from_fn(|| consumer.delivery(A_WHILE).ok())
        .find(|event| matches!(event, Some(Event::Connected { .. })));
    assert_eq!(last, None);
}

fn the_end_of_one_side_ends_both_when_nothing_comes(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (listener, path) = listen(&consumer, &format!("ends-{threads}"));
    let client = consumer.connect_local(&path).unwrap();
    let server = consumer.accept(listener);
    consumer.write(client, b"last words");
    consumer.reactor.shutdown_write(client).unwrap();
    consumer.reactor.read_start(client).unwrap();
    assert_eq!(consumer.read_to_end(server), (b"last words".to_vec(), Errno::EOF));
    assert_eq!(consumer.take(client), Some((Piece::End(Errno::EOF), false)));
}

on_one_and_three_threads!(
    a_connect_waits_for_an_instance,
    a_connect_that_waits_fails_when_the_name_is_gone,
    a_connect_that_waits_can_be_closed,
    the_end_of_one_side_ends_both_when_nothing_comes,
);
