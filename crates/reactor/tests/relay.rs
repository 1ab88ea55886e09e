//! Bytes go from connection to connection, and the consumer takes the end only.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use ferronet_reactor::{Closing, Errno, Event, HandleId};
use support::{Consumer, PATIENCE, Piece, assert_reset, pattern, wait_until};

const MEGABYTE: usize = 1 << 20;

/// A relay from `source` to `destination`, with the peers of both.
struct Line {
    consumer: Consumer,
    source: HandleId,
    sender: TcpStream,
    destination: HandleId,
    receiver: TcpStream,
}

impl Line {
    fn new(threads: usize) -> Self {
        let mut consumer = Consumer::new(threads);
        let (source, sender) = consumer.connect_to_peer();
        let (destination, receiver) = consumer.connect_to_peer();
        Self {
            consumer,
            source,
            sender,
            destination,
            receiver,
        }
    }

    fn start(self) -> Self {
        let reactor = &self.consumer.reactor;
        reactor.read_start(self.source).unwrap();
        reactor.relay(self.source, self.destination).unwrap();
        assert_eq!(reactor.relays(), 1);
        self
    }

    fn receive(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.receiver.read_exact(&mut bytes).unwrap();
        bytes
    }

    fn bytes(&self) -> usize {
        usize::try_from(self.consumer.reactor.relayed(self.source).bytes).unwrap()
    }

    /// Waits until the relay has moved nothing for a while, and returns how much it has moved.
    fn settled(&self) -> usize {
        let started = Instant::now();
        loop {
            let before = self.bytes();
            sleep(Duration::from_millis(100));
            if self.bytes() == before && before > 0 {
                return before;
            }
            assert!(started.elapsed() < PATIENCE, "the relay comes to rest");
        }
    }

    fn end_of_source(&mut self) -> Errno {
        let (bytes, end) = self.consumer.read_to_end(self.source);
        assert_eq!(bytes, b"");
        end
    }
}

fn megabytes_arrive_in_order_and_then_the_end_is_the_consumers(threads: usize) {
    let mut line = Line::new(threads).start();
    let bytes = pattern(24 * MEGABYTE);
    let mut sender = line.sender.try_clone().unwrap();
    let sent = bytes.clone();
    let writer = spawn(move || {
        // Both ways of moving bytes, one after the other and back.
        for chunk in sent[..8192].chunks(100) {
            sender.write_all(chunk).unwrap();
        }
        sender.write_all(&sent[8192..20 * MEGABYTE]).unwrap();
        sleep(Duration::from_millis(20));
        for chunk in sent[20 * MEGABYTE..].chunks(5000) {
            sender.write_all(chunk).unwrap();
        }
        sender.shutdown(Shutdown::Write).unwrap();
    });
    assert!(line.receive(bytes.len()) == bytes);
    writer.join().unwrap();
    assert_eq!(line.end_of_source(), Errno::EOF);
    assert_eq!(line.bytes(), bytes.len());
    let (source, destination) = (line.source, line.destination);
    assert_eq!(
        usize::try_from(line.consumer.reactor.stop_relay(source).bytes).unwrap(),
        bytes.len()
    );
    assert_eq!(line.consumer.reactor.relays(), 0);
    line.consumer.reactor.shutdown_write(destination).unwrap();
    assert_eq!(
        line.receiver.read(&mut [0]).unwrap(),
        0,
        "FIN is the consumer's to send"
    );
}

/// As a process does that has the socket too, such as a child whose standard output it is.
#[cfg(unix)]
#[expect(unsafe_code, reason = "a number becomes a stream")]
fn share_and_clear_nonblock(consumer: &Consumer, connection: HandleId) {
    consumer.reactor.set_shared(connection, true).unwrap();
    let duplicate = consumer.reactor.duplicate(connection).unwrap();
    // SAFETY: the descriptor was made for this function, which alone knows it.
    let stream = unsafe { <TcpStream as std::os::fd::FromRawFd>::from_raw_fd(duplicate) };
    stream.set_nonblocking(false).unwrap();
}

#[cfg(unix)]
fn sockets_that_have_lost_o_nonblock_do_not_block_the_thread(threads: usize) {
    let mut line = Line::new(threads);
    let (other, mut peer) = line.consumer.connect_to_peer();
    line.consumer.reactor.read_start(other).unwrap();
    for connection in [line.source, line.destination] {
        share_and_clear_nonblock(&line.consumer, connection);
    }
    let mut line = line.start();
    line.receiver.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut served = |line: &mut Line| {
        peer.write_all(b"x").unwrap();
        line.consumer.wait(|consumer, event| match event {
            Event::Readable { id } if id == other => consumer.take(id),
            _ => None,
        })
    };
    // The source has nothing more.
    let bytes = pattern(4 * MEGABYTE);
    let (mut sender, sent) = (line.sender.try_clone().unwrap(), bytes.clone());
    let writer = spawn(move || sender.write_all(&sent).unwrap());
    assert!(line.receive(bytes.len()) == bytes);
    writer.join().unwrap();
    served(&mut line);
    // The destination takes nothing more.
    let (mut sender, sent) = (
        line.sender.try_clone().unwrap(),
        pattern(support::MORE_THAN_THE_KERNEL_TAKES),
    );
    let writer = spawn(move || sender.write_all(&sent).unwrap());
    line.settled();
    served(&mut line);
    line.receive(support::MORE_THAN_THE_KERNEL_TAKES);
    writer.join().unwrap();
}

fn a_connection_may_be_relayed_to_itself(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (echo, mut peer) = consumer.connect_to_peer();
    consumer.reactor.read_start(echo).unwrap();
    consumer.reactor.relay(echo, echo).unwrap();
    let bytes = pattern(4 * MEGABYTE);
    let mut sender = peer.try_clone().unwrap();
    let sent = bytes.clone();
    let writer = spawn(move || sender.write_all(&sent).unwrap());
    let mut back = vec![0; bytes.len()];
    peer.read_exact(&mut back).unwrap();
    assert!(back == bytes);
    writer.join().unwrap();
}

fn what_was_read_before_goes_first(threads: usize) {
    let mut line = Line::new(threads);
    line.consumer.reactor.read_start(line.source).unwrap();
    line.sender.write_all(b"before ").unwrap();
    wait_until("it is read ahead", || {
        line.consumer.reactor.read_queue_size(line.source) >= 7
    });
    let mut line = line.start();
    assert!(line.consumer.take(line.source).is_none(), "it is the relay's now");
    line.sender.write_all(b"after").unwrap();
    assert_eq!(line.receive(12), b"before after");
}

fn what_was_written_before_goes_first(threads: usize) {
    let line = Line::new(threads);
    let bytes = pattern(16 * MEGABYTE);
    line.consumer.write(line.destination, &bytes);
    let mut line = line.start();
    line.sender.write_all(b"relayed").unwrap();
    assert!(line.receive(bytes.len()) == bytes);
    assert_eq!(line.receive(7), b"relayed");
}

fn a_receiver_that_stands_still_stops_the_source_and_bounds_memory(threads: usize) {
    let mut line = Line::new(threads).start();
    let bytes = pattern(48 * MEGABYTE);
    let mut sender = line.sender.try_clone().unwrap();
    let sent = bytes.clone();
    let writer = spawn(move || sender.write_all(&sent).unwrap());
    let moved = line.settled();
    assert!(moved < bytes.len(), "the sender has to wait");
    assert!(line.consumer.reactor.write_queue_size(line.destination) <= 256 * 1024);
    assert_eq!(line.consumer.reactor.read_queue_size(line.source), 0);
    assert!(line.receive(bytes.len()) == bytes, "and nothing is lost by it");
    writer.join().unwrap();
}

fn stopped_in_the_middle_it_moves_nothing_more_and_has_lost_nothing(threads: usize) {
    let mut line = Line::new(threads).start();
    let bytes = pattern(48 * MEGABYTE);
    let mut sender = line.sender.try_clone().unwrap();
    let sent = bytes.clone();
    let writer = spawn(move || {
        sender.write_all(&sent).unwrap();
        sender.shutdown(Shutdown::Write).unwrap();
    });
    line.settled();
    let moved = usize::try_from(line.consumer.reactor.stop_relay(line.source).bytes).unwrap();
    // Behind what the relay has read and not sent.
    line.consumer.write(line.destination, b"written by hand");
    let mut peer = line.receiver.try_clone().unwrap();
    let reader = spawn(move || {
        let mut received = vec![0; moved + 15];
        peer.read_exact(&mut received).unwrap();
        received
    });
    let (rest, end) = line.consumer.read_to_end(line.source);
    let received = reader.join().unwrap();
    writer.join().unwrap();
    assert!(received[..moved] == bytes[..moved]);
    assert_eq!(&received[moved..], b"written by hand");
    assert!(rest == bytes[moved..]);
    assert_eq!(end, Errno::EOF);
    assert_eq!(line.bytes(), moved);
}

fn a_relay_that_was_stopped_starts_again(threads: usize) {
    let mut line = Line::new(threads).start();
    line.sender.write_all(b"one").unwrap();
    assert_eq!(line.receive(3), b"one");
    line.consumer.reactor.stop_relay(line.source);
    line.sender.write_all(b"two").unwrap();
    let two = line.consumer.wait(|consumer, event| match event {
        Event::Readable { id } => consumer.take(id),
        _ => None,
    });
    assert_eq!(two.0, Piece::Bytes(b"two".to_vec()));
    let mut line = line.start();
    line.sender.write_all(b"three").unwrap();
    assert_eq!(line.receive(5), b"three");
    assert_eq!(line.bytes(), 5);
}

fn while_reading_is_stopped_nothing_is_moved(threads: usize) {
    let mut line = Line::new(threads).start();
    line.consumer.reactor.read_stop(line.source).unwrap();
    line.sender.write_all(b"later").unwrap();
    sleep(Duration::from_millis(50));
    assert_eq!(line.bytes(), 0);
    line.consumer.reactor.read_start(line.source).unwrap();
    assert_eq!(line.receive(5), b"later");
}

fn a_destination_that_is_closed_or_shut_down_leaves_the_bytes_to_the_consumer(threads: usize) {
    for close in [true, false] {
        let mut line = Line::new(threads).start();
        let reactor = &line.consumer.reactor;
        if close {
            reactor.close(line.destination, Closing::Orderly).unwrap();
        } else {
            reactor.shutdown_write(line.destination).unwrap();
        }
        line.sender.write_all(b"for the consumer").unwrap();
        line.sender.shutdown(Shutdown::Write).unwrap();
        assert_eq!(
            line.consumer.read_to_end(line.source),
            (b"for the consumer".to_vec(), Errno::EOF)
        );
    }
}

fn what_a_relay_has_not_moved_when_its_destination_closes_is_announced(threads: usize) {
    let mut line = Line::new(threads).start();
    // The destination takes nothing, so the source is not read; then there is no destination.
    let bytes = pattern(48 * MEGABYTE);
    let mut sender = line.sender.try_clone().unwrap();
    let sent = bytes.clone();
    let writer = spawn(move || {
        sender.write_all(&sent).unwrap();
        sender.shutdown(Shutdown::Write).unwrap();
    });
    let moved = line.settled();
    line.consumer
        .reactor
        .close(line.destination, Closing::Orderly)
        .unwrap();
    let (rest, end) = line.consumer.read_to_end(line.source);
    writer.join().unwrap();
    assert!(rest == bytes[moved..]);
    assert_eq!(end, Errno::EOF);
}

fn a_destination_whose_peer_is_gone_reports_a_failed_write(threads: usize) {
    let Line {
        mut consumer,
        mut sender,
        destination,
        receiver,
        ..
    } = Line::new(threads).start();
    // With bytes unread, it is a reset.
    consumer.write(destination, b"unread");
    sleep(Duration::from_millis(50));
    drop(receiver);
    sender.write_all(b"one").unwrap();
    sleep(Duration::from_millis(50));
    let _may_be_refused = sender.write_all(b"two");
    let errno = consumer.wait(|_, event| match event {
        Event::Broken { id, errno } if id == destination => Some(errno),
        _ => None,
    });
    assert_ne!(errno, Errno::EOF);
    assert_eq!(consumer.reactor.relays(), 0);
    let refused = consumer
        .reactor
        .write(destination, &[std::io::IoSlice::new(b"more")]);
    assert_eq!(refused, Err(Errno::EPIPE));
}

fn a_source_that_is_reset_reports_the_error_behind_its_bytes(threads: usize) {
    let mut line = Line::new(threads).start();
    line.sender.write_all(b"last words").unwrap();
    assert_eq!(line.receive(10), b"last words");
    socket2::SockRef::from(&line.sender)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    let Line {
        mut consumer,
        source,
        sender,
        ..
    } = line;
    drop(sender);
    let (bytes, end) = consumer.read_to_end(source);
    assert_eq!(bytes, b"");
    assert_reset(end, "of a source");
}

fn a_source_that_is_closed_ends_its_relay(threads: usize) {
    let line = Line::new(threads).start();
    line.consumer
        .reactor
        .close(line.source, Closing::Orderly)
        .unwrap();
    assert_eq!(line.consumer.reactor.relays(), 0);
    assert_eq!(
        line.consumer.reactor.relay(line.source, line.destination),
        Err(Errno::EBADF)
    );
}

on_one_and_three_threads!(
    megabytes_arrive_in_order_and_then_the_end_is_the_consumers,
    #[cfg(unix)]
    sockets_that_have_lost_o_nonblock_do_not_block_the_thread,
    a_connection_may_be_relayed_to_itself,
    what_was_read_before_goes_first,
    what_was_written_before_goes_first,
    a_receiver_that_stands_still_stops_the_source_and_bounds_memory,
    stopped_in_the_middle_it_moves_nothing_more_and_has_lost_nothing,
    a_relay_that_was_stopped_starts_again,
    while_reading_is_stopped_nothing_is_moved,
    a_destination_that_is_closed_or_shut_down_leaves_the_bytes_to_the_consumer,
    what_a_relay_has_not_moved_when_its_destination_closes_is_announced,
    a_destination_whose_peer_is_gone_reports_a_failed_write,
    a_source_that_is_reset_reports_the_error_behind_its_bytes,
    a_source_that_is_closed_ends_its_relay
);
