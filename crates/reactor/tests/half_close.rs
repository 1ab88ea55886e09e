//! FIN in one direction leaves the other open.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use ferronet_reactor::{Errno, Event};
use support::Consumer;

fn a_side_that_has_sent_fin_still_receives(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (client, server) = consumer.pair();
    consumer.write(client, b"request");
    consumer.reactor.shutdown_write(client).unwrap();
    assert_eq!(consumer.read_to_end(server), (b"request".to_vec(), Errno::EOF));
    consumer.write(server, b"late answer");
    consumer.reactor.shutdown_write(server).unwrap();
    assert_eq!(
        consumer.read_to_end(client),
        (b"late answer".to_vec(), Errno::EOF)
    );
}

fn shutdown_is_reported_once_and_refused_twice(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (client, _server) = consumer.pair();
    consumer.reactor.shutdown_write(client).unwrap();
    let result = consumer.wait(|_, event| match event {
        Event::ShutDown { id, result } if id == client => Some(result),
        _ => None,
    });
    assert_eq!(result, Ok(()));
    assert_eq!(consumer.reactor.shutdown_write(client), Err(Errno::ENOTCONN));
    assert_eq!(consumer.reactor.write(client, &[]), Err(Errno::EPIPE));
}

fn fin_goes_behind_what_waits(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (client, server) = consumer.pair();
    let bytes = support::pattern(support::MORE_THAN_THE_KERNEL_TAKES);
    consumer.write_more_than_the_kernel_takes(client, &bytes);
    consumer.reactor.shutdown_write(client).unwrap();
    let (read, end) = consumer.read_to_end(server);
    assert!(read == bytes, "all bytes come before the end");
    assert_eq!(end, Errno::EOF);
}

on_one_and_three_threads!(
    a_side_that_has_sent_fin_still_receives,
    shutdown_is_reported_once_and_refused_twice,
    fin_goes_behind_what_waits
);
