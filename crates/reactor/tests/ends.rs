//! The end of a stream is never invented and never lost, whatever meets it first: a read, a write, a relay.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread::{sleep, spawn};
use std::time::Duration;

use ferronet_reactor::{Closing, Errno, Event, HandleId};
use support::{Consumer, Piece, assert_all, assert_peer_is_reset, assert_reset, pattern, wait_until};

/// Closes a connection with RST.
fn reset(stream: TcpStream) {
    socket2::SockRef::from(&stream)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(stream);
}

/// The events of a connection until its end was taken, `Readable` left out.
fn events_until_the_end(consumer: &mut Consumer, connection: HandleId) -> (Vec<Event>, Errno) {
    let mut events = Vec::new();
    let end = consumer.wait(|consumer, event| match event {
        Event::Readable { id } if id == connection => loop {
            match consumer.take(id)? {
                (Piece::End(errno), _) => return Some(errno),
                (Piece::Bytes(_), true) => {}
                (Piece::Bytes(_), false) => return None,
            }
        },
        event if event.id() == connection => {
            events.push(event);
            None
        }
        _ => None,
    });
    (events, end)
}

fn a_reset_that_a_waiting_write_meets_is_the_error_of_the_read(threads: usize) {
    for _ in 0..20 {
        let mut consumer = Consumer::new(threads);
        let (connection, peer) = consumer.connect_to_peer();
        consumer.reactor.read_start(connection).unwrap();
        consumer.write_more_than_the_kernel_takes(connection, &pattern(support::MORE_THAN_THE_KERNEL_TAKES));
        // Makes room, so that the task is at it when the reset comes.
        let mut reader = peer.try_clone().unwrap();
        reader.read_exact(&mut vec![0; 1 << 20]).unwrap();
        drop(reader);
        reset(peer);
        let (events, end) = events_until_the_end(&mut consumer, connection);
        assert_reset(end, "behind a waiting write");
        let failed =
            |event: &Event| matches!(event, Event::Broken { .. } | Event::Wrote { result: Err(_), .. });
        assert!(
            !events.iter().any(failed),
            "the close cancels what waits: {events:?}"
        );
    }
}

fn a_write_that_fails_after_the_end_of_reading_is_reported_as_one(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (connection, peer) = consumer.connect_to_peer();
    consumer.write_more_than_the_kernel_takes(connection, &pattern(support::MORE_THAN_THE_KERNEL_TAKES));
    peer.shutdown(Shutdown::Write).unwrap();
    assert_eq!(consumer.read_to_end(connection), (Vec::new(), Errno::EOF));
    reset(peer);
    consumer.wait(|_, event| match event {
        Event::Wrote { id, result: Err(_) } if id == connection => Some(()),
        _ => None,
    });
}

fn a_write_that_fails_while_nothing_is_read_is_reported_as_one(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (connection, peer) = consumer.connect_to_peer();
    consumer.write_more_than_the_kernel_takes(connection, &pattern(support::MORE_THAN_THE_KERNEL_TAKES));
    reset(peer);
    let errno = consumer.wait(|_, event| match event {
        Event::Wrote {
            id,
            result: Err(errno),
        } if id == connection => Some(errno),
        _ => None,
    });
    assert_ne!(errno, Errno::EOF);
    // A read that begins now does not take the reset for an end.
    let (_, end) = consumer.read_to_end(connection);
    assert_reset(end, "behind a failed write");
}

/// As the kernel resets the peer of a socket that is closed with unread bytes.
fn a_close_with_bytes_that_were_read_ahead_resets_the_peer(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (connection, mut peer) = consumer.connect_to_peer();
    consumer.reactor.read_start(connection).unwrap();
    peer.write_all(b"never taken").unwrap();
    wait_until("it is read ahead", || {
        consumer.reactor.read_queue_size(connection) >= 11
    });
    consumer.reactor.close(connection, Closing::Orderly).unwrap();
    assert_peer_is_reset(&mut peer);
}

fn a_close_when_all_was_taken_ends_in_order(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (connection, mut peer) = consumer.connect_to_peer();
    consumer.reactor.read_start(connection).unwrap();
    peer.write_all(b"taken").unwrap();
    consumer.wait(|consumer, event| match event {
        Event::Readable { id } if id == connection => consumer.take(id),
        _ => None,
    });
    consumer.reactor.close(connection, Closing::Orderly).unwrap();
    assert_eq!(peer.read(&mut [0]).unwrap(), 0);
}

/// What has arrived, and was not taken, when a relay begins.
#[derive(Clone, Copy, Debug)]
enum Arrived {
    Nothing,
    Few,
    /// More than one block.
    Much,
}

/// How the source ends, before the relay begins or after it.
#[derive(Clone, Copy, Debug)]
enum End {
    Fin,
    Reset,
}

#[derive(Clone, Copy, Debug)]
enum When {
    Before,
    After,
}

/// What is done to the relay before it is left alone.
#[derive(Clone, Copy, Debug)]
enum Begin {
    Once,
    StoppedAtOnce,
    StoppedLater,
}

/// The relay has to wait for the destination's peer, and the consumer takes what has arrived meanwhile.
fn a_relay_that_waits_for_room_reports_the_end_afterwards(threads: usize) {
    for end in [End::Fin, End::Reset] {
        let mut consumer = Consumer::new(threads);
        let (source, mut sender) = consumer.connect_to_peer();
        let (destination, mut receiver) = consumer.connect_to_peer();
        let first = pattern(support::MORE_THAN_THE_KERNEL_TAKES);
        consumer.write_more_than_the_kernel_takes(destination, &first);
        consumer.reactor.read_start(source).unwrap();
        sender.write_all(b"last words").unwrap();
        wait_until("it is read ahead", || {
            consumer.reactor.read_queue_size(source) >= 10
        });
        match end {
            End::Fin => drop(sender),
            End::Reset => reset(sender),
        }
        consumer.reactor.relay(source, destination).unwrap();
        consumer.wait(|consumer, event| match event {
            Event::Readable { id } if id == source => {
                assert!(consumer.take(id).is_none(), "it is the relay's");
                Some(())
            }
            _ => None,
        });
        let mut arrived = vec![0; first.len() + 10];
        receiver.read_exact(&mut arrived).unwrap();
        assert_eq!(&arrived[first.len()..], b"last words");
        let (_, found) = events_until_the_end(&mut consumer, source);
        match end {
            End::Fin => assert_eq!(found, Errno::EOF),
            End::Reset => assert_reset(found, "behind the last words"),
        }
    }
}

fn a_relay_reports_the_end_whenever_it_begins(threads: usize) {
    for before in [Arrived::Nothing, Arrived::Few, Arrived::Much] {
        for end in [End::Fin, End::Reset] {
            for when in [When::Before, When::After] {
                for begin in [Begin::Once, Begin::StoppedAtOnce, Begin::StoppedLater] {
                    relayed_to_its_end(threads, before, end, when, begin);
                }
            }
        }
    }
}

fn relayed_to_its_end(threads: usize, before: Arrived, end: End, when: When, begin: Begin) {
    let case = format!("{before:?}, {end:?} {when:?}, begun {begin:?}");
    let mut consumer = Consumer::new(threads);
    let (source, mut sender) = consumer.connect_to_peer();
    let (destination, mut receiver) = consumer.connect_to_peer();
    let bytes = pattern(match before {
        Arrived::Nothing => 0,
        Arrived::Few => 1000,
        Arrived::Much => 150_000,
    });
    consumer.reactor.read_start(source).unwrap();
    sender.write_all(&bytes).unwrap();
    wait_until(&case, || consumer.reactor.read_queue_size(source) >= bytes.len());
    let mut sender = Some(sender);
    let mut finish = || match (end, sender.take().unwrap()) {
        (End::Fin, sender) => drop(sender),
        (End::Reset, sender) => reset(sender),
    };
    if matches!(when, When::Before) {
        finish();
        // The end is read ahead as well; if it is not by now, it is one of the cases beside this one.
        sleep(Duration::from_millis(5));
    }
    consumer.reactor.relay(source, destination).unwrap();
    match begin {
        Begin::Once => {}
        Begin::StoppedAtOnce => {
            consumer.reactor.stop_relay(source);
            consumer.reactor.relay(source, destination).unwrap();
        }
        Begin::StoppedLater => {
            sleep(Duration::from_millis(2));
            consumer.reactor.stop_relay(source);
            consumer.reactor.relay(source, destination).unwrap();
        }
    }
    let mut arrived = vec![0; bytes.len()];
    receiver.read_exact(&mut arrived).unwrap();
    assert_all(&arrived, &bytes);
    if matches!(when, When::After) {
        finish();
    }
    let (events, found) = events_until_the_end(&mut consumer, source);
    assert_eq!(events, [], "{case}");
    match end {
        End::Fin => assert_eq!(found, Errno::EOF, "{case}"),
        End::Reset => assert_reset(found, &case),
    }
}

fn a_source_that_is_reset_in_the_middle_of_much_is_not_ended(threads: usize) {
    for _ in 0..10 {
        let mut consumer = Consumer::new(threads);
        let (source, mut sender) = consumer.connect_to_peer();
        let (destination, mut receiver) = consumer.connect_to_peer();
        consumer.reactor.read_start(source).unwrap();
        consumer.reactor.relay(source, destination).unwrap();
        let reader = spawn(move || {
            let mut arrived = Vec::new();
            // A reset of the destination, when the consumer goes, ends it as well.
            let _end = receiver.read_to_end(&mut arrived);
            arrived
        });
        let bytes = pattern(8 << 20);
        sender.write_all(&bytes).unwrap();
        reset(sender);
        let (_, end) = events_until_the_end(&mut consumer, source);
        assert_reset(end, "in the middle of much");
        consumer.reactor.close(destination, Closing::Reset).unwrap();
        let arrived = reader.join().unwrap();
        assert!(arrived == bytes[..arrived.len()]);
    }
}

fn a_destination_that_is_reset_while_it_is_read_has_the_error_of_the_read(threads: usize) {
    for len in [1000, 8 << 20] {
        let mut consumer = Consumer::new(threads);
        let (source, mut sender) = consumer.connect_to_peer();
        let (destination, receiver) = consumer.connect_to_peer();
        for (from, to) in [(source, destination), (destination, source)] {
            consumer.reactor.read_start(from).unwrap();
            consumer.reactor.relay(from, to).unwrap();
        }
        let bytes = pattern(len);
        let writer = spawn(move || {
            // Until the relay takes no more.
            while sender.write_all(&bytes).is_ok() {
                sleep(Duration::from_millis(1));
            }
        });
        let mut reader = receiver.try_clone().unwrap();
        reader.read_exact(&mut vec![0; len]).unwrap();
        drop(reader);
        reset(receiver);
        let (events, end) = events_until_the_end(&mut consumer, destination);
        assert_eq!(events, []);
        assert_reset(end, "of a destination");
        consumer.reactor.close(source, Closing::Reset).unwrap();
        writer.join().unwrap();
    }
}

#[cfg(not(windows))]
fn a_destination_that_is_reset_fails_its_own_writes_too(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (source, mut sender) = consumer.connect_to_peer();
    let (destination, receiver) = consumer.connect_to_peer();
    consumer.reactor.read_start(source).unwrap();
    consumer.reactor.relay(source, destination).unwrap();
    sender.write_all(&pattern(200_000)).unwrap();
    let written = consumer.write(destination, &pattern(support::MORE_THAN_THE_KERNEL_TAKES));
    assert_eq!(written, ferronet_reactor::Written::Queued);
    reset(receiver);
    consumer.wait(|_, event| match event {
        Event::Wrote { id, result: Err(_) } if id == destination => Some(()),
        _ => None,
    });
}

on_one_and_three_threads!(
    a_reset_that_a_waiting_write_meets_is_the_error_of_the_read,
    a_write_that_fails_after_the_end_of_reading_is_reported_as_one,
    a_write_that_fails_while_nothing_is_read_is_reported_as_one,
    a_close_with_bytes_that_were_read_ahead_resets_the_peer,
    a_close_when_all_was_taken_ends_in_order,
    a_relay_reports_the_end_whenever_it_begins,
    a_relay_that_waits_for_room_reports_the_end_afterwards,
    a_source_that_is_reset_in_the_middle_of_much_is_not_ended,
    a_destination_that_is_reset_while_it_is_read_has_the_error_of_the_read,
    // Windows takes any write whole.
    #[cfg(not(windows))]
    a_destination_that_is_reset_fails_its_own_writes_too,
);
