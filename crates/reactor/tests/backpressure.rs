//! A stalled consumer bounds memory, and loses nothing.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ferronet_reactor::{Errno, Event, Written};
use support::{Consumer, MORE_THAN_THE_KERNEL_TAKES, Piece, pattern, wait_until};

const CREDIT: usize = 256 * 1024;

fn no_more_than_the_credit_is_read_for_a_consumer_that_takes_nothing(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (listener, address) = consumer.listen();
    let bytes = pattern(MORE_THAN_THE_KERNEL_TAKES + (16 << 20));
    let all_sent = Arc::new(AtomicBool::new(false));
    let writer = std::thread::spawn({
        let (bytes, all_sent) = (bytes.clone(), Arc::clone(&all_sent));
        move || {
            TcpStream::connect(address).unwrap().write_all(&bytes).unwrap();
            all_sent.store(true, Ordering::Release);
        }
    });
    let server = consumer.accept(listener);
    consumer.reactor.read_start(server).unwrap();
    wait_until("the credit is used", || {
        consumer.reactor.read_queue_size(server) >= CREDIT
    });
    assert!(consumer.reactor.read_queue_size(server) < CREDIT + 64 * 1024);
    assert!(!all_sent.load(Ordering::Acquire), "the peer has to wait");
    assert!(
        consumer.read_to_end(server) == (bytes, Errno::EOF),
        "and nothing is lost by it"
    );
    writer.join().unwrap();
}

fn a_write_that_waits_is_reported_when_the_kernel_has_it(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (client, server) = consumer.pair();
    let bytes = pattern(MORE_THAN_THE_KERNEL_TAKES);
    let unsent = consumer.write_more_than_the_kernel_takes(client, &bytes);
    assert_eq!(consumer.write(client, b"behind"), Written::Queued);
    let waiting = consumer.reactor.write_queue_size(client);
    assert!(waiting > 0 && waiting <= bytes.len() + 6);
    consumer.reactor.read_start(server).unwrap();
    let (mut read, mut reported) = (Vec::new(), 0);
    while reported < unsent + 1 || read.len() < bytes.len() + 6 {
        match consumer.next() {
            Event::Wrote { id, result } if id == client => {
                result.unwrap();
                reported += 1;
            }
            Event::Readable { id } => {
                while let Some((Piece::Bytes(piece), more)) = consumer.take(id) {
                    read.extend_from_slice(&piece);
                    if !more {
                        break;
                    }
                }
            }
            _ => {}
        }
    }
    assert!(read[..bytes.len()] == bytes && &read[bytes.len()..] == b"behind");
    assert_eq!(consumer.reactor.write_queue_size(client), 0);
    assert_eq!(consumer.write(client, b"at once"), Written::Completed);
}

fn a_stopped_reader_gets_no_event_until_it_starts_again(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (client, server) = consumer.pair();
    consumer.reactor.read_start(server).unwrap();
    consumer.write(client, b"first");
    let readable = consumer.wait(|_, event| match event {
        Event::Readable { id } => Some(id),
        _ => None,
    });
    assert_eq!(readable, server);
    // Stopped between the announcement and the delivery: the bytes stay.
    consumer.reactor.read_stop(server).unwrap();
    assert!(consumer.take(server).is_none());
    consumer.reactor.shutdown_write(client).unwrap();
    assert_eq!(consumer.read_to_end(server), (b"first".to_vec(), Errno::EOF));
}

on_one_and_three_threads!(
    no_more_than_the_credit_is_read_for_a_consumer_that_takes_nothing,
    a_write_that_waits_is_reported_when_the_kernel_has_it,
    a_stopped_reader_gets_no_event_until_it_starts_again
);
