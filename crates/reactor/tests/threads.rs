//! Several threads under one consumer: what they do at the same time comes out as if there were one.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::HashMap;
use std::io::{IoSlice, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{JoinHandle, spawn};

use ferronet_reactor::{Closing, Errno, Event, HandleId, Reactor, SocketOptions, Wake, Written};
use support::{Consumer, Piece, pattern};

const MEGABYTE: usize = 1 << 20;

/// Connections of the consumer's, and their peers outside of the reactor.
fn halves(consumer: &mut Consumer, count: usize) -> Vec<(HandleId, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    (0..count)
        .map(|_| {
            let inside = consumer.connect(&listener.local_addr().unwrap());
            let (outside, _) = listener.accept().unwrap();
            consumer.connected(inside).unwrap();
            (inside, outside)
        })
        .collect()
}

/// Sends `bytes` and FIN from a thread of the test's, in pieces of all sizes.
fn send(peer: &TcpStream, bytes: Vec<u8>) -> JoinHandle<()> {
    let mut peer = peer.try_clone().unwrap();
    spawn(move || {
        let (mut rest, mut size) = (&bytes[..], 1);
        while !rest.is_empty() {
            let (piece, later) = rest.split_at(size.min(rest.len()));
            // Refused when the test closes the connection meanwhile.
            if peer.write_all(piece).is_err() {
                return;
            }
            rest = later;
            size = (size * 3) % (300 * 1024) + 1;
        }
        let _may_be_closed = peer.shutdown(Shutdown::Write);
    })
}

/// What a peer receives until it has `len` bytes.
fn receive(peer: &TcpStream, len: usize) -> JoinHandle<Vec<u8>> {
    let mut peer = peer.try_clone().unwrap();
    spawn(move || {
        let mut bytes = vec![0; len];
        peer.read_exact(&mut bytes).unwrap();
        bytes
    })
}

/// Bytes that differ from one connection to the next.
fn marked(mark: usize, len: usize) -> Vec<u8> {
    let mut bytes = pattern(len + mark * 13);
    bytes.split_off(mark * 13)
}

fn relays_go_both_ways_at_once(threads: usize) {
    const PAIRS: usize = 4;
    const LEN: usize = 6 * MEGABYTE;
    let mut consumer = Consumer::new(threads);
    // In a row each is on another thread than the one before.
    let halves = halves(&mut consumer, 2 * PAIRS);
    let reactor = &consumer.reactor;
    for pair in halves.chunks(2) {
        for (source, destination) in [(&pair[0].0, &pair[1].0), (&pair[1].0, &pair[0].0)] {
            reactor.read_start(*source).unwrap();
            reactor.relay(*source, *destination).unwrap();
        }
    }
    let senders: Vec<_> = halves
        .iter()
        .enumerate()
        .map(|(n, (_, peer))| send(peer, marked(n, LEN)))
        .collect();
    let receivers: Vec<_> = halves.iter().map(|(_, peer)| receive(peer, LEN)).collect();
    for (n, receiver) in receivers.into_iter().enumerate() {
        assert!(receiver.join().unwrap() == marked(n ^ 1, LEN), "connection {n}");
    }
    for sender in senders {
        sender.join().unwrap();
    }
    let mut ended = Vec::new();
    while ended.len() < halves.len() {
        let Event::Readable { id } = consumer.next() else {
            continue;
        };
        assert_eq!(consumer.take(id), Some((Piece::End(Errno::EOF), false)));
        assert_eq!(consumer.reactor.relayed(id).bytes, LEN as u64);
        ended.push(id);
    }
}

fn relays_are_stopped_and_started_while_they_run(threads: usize) {
    const LEN: usize = 24 * MEGABYTE;
    let mut consumer = Consumer::new(threads);
    let halves = halves(&mut consumer, 2);
    let [(one, one_peer), (other, other_peer)] = &halves[..] else {
        unreachable!()
    };
    let ways = [(*one, *other), (*other, *one)];
    for (source, destination) in ways {
        consumer.reactor.read_start(source).unwrap();
        consumer.reactor.relay(source, destination).unwrap();
    }
    let senders = [send(one_peer, marked(1, LEN)), send(other_peer, marked(2, LEN))];
    let receivers = [receive(other_peer, LEN), receive(one_peer, LEN)];
    // What the relay leaves to the consumer is passed on by hand, in its place.
    let (mut ended, mut by_hand, mut rounds) = (0, 0, 0);
    while ended < 2 {
        let (source, destination) = ways[rounds % 2];
        rounds += 1;
        consumer.reactor.stop_relay(source);
        while let Some((piece, more)) = consumer.take(source) {
            match piece {
                Piece::Bytes(bytes) => {
                    by_hand += bytes.len();
                    consumer.write(destination, &bytes);
                }
                Piece::End(errno) => {
                    assert_eq!(errno, Errno::EOF);
                    ended += 1;
                }
            }
            if !more {
                break;
            }
        }
        // Refused once the source has ended.
        let _restarted = consumer.reactor.relay(source, destination);
    }
    for (receiver, mark) in receivers.into_iter().zip([1, 2]) {
        assert!(receiver.join().unwrap() == marked(mark, LEN));
    }
    for sender in senders {
        sender.join().unwrap();
    }
    assert!(by_hand > 0 && by_hand < 2 * LEN, "{by_hand} bytes by hand");
}

fn relays_are_closed_while_they_run(threads: usize) {
    let bytes = pattern(4 * MEGABYTE);
    for round in 0..16 {
        let mut consumer = Consumer::new(threads);
        let halves = halves(&mut consumer, 6);
        let reactor = &consumer.reactor;
        // In a ring: each relays to the next one, and the last to the first.
        for (source, _) in &halves {
            // Waits for a peer that reads nothing.
            reactor.write(*source, &[IoSlice::new(&bytes)]).unwrap();
        }
        for (n, (source, _)) in halves.iter().enumerate() {
            reactor.read_start(*source).unwrap();
            reactor.relay(*source, halves[(n + 1) % halves.len()].0).unwrap();
        }
        let senders: Vec<_> = halves.iter().map(|(_, peer)| send(peer, bytes.clone())).collect();
        let receivers: Vec<_> = halves
            .iter()
            .map(|(_, peer)| {
                let mut peer = peer.try_clone().unwrap();
                spawn(move || std::io::copy(&mut peer, &mut std::io::sink()))
            })
            .collect();
        for step in 0..halves.len() {
            let (id, _) = halves[(round + step * 5) % halves.len()];
            let closing = if step % 2 == 0 {
                Closing::Orderly
            } else {
                Closing::Reset
            };
            // A reset is refused when the peer was faster.
            if reactor.close(id, closing).is_err() {
                reactor.close(id, Closing::Orderly).unwrap();
            }
            assert_eq!(reactor.raw_descriptor(id), -1);
        }
        assert_eq!(reactor.relays(), 0);
        drop(consumer);
        for sender in senders {
            sender.join().unwrap();
        }
        for receiver in receivers {
            let _ended_anyhow = receiver.join().unwrap();
        }
    }
}

/// What an echoing consumer knows of a connection.
#[derive(Default)]
struct Echo {
    /// Its end was reported.
    ended: bool,
    /// Writes whose end is not reported yet.
    waiting: usize,
}

fn many_echoes_come_back_whole_and_in_order(threads: usize) {
    const CONNECTIONS: usize = 24;
    const LEN: usize = MEGABYTE;
    let mut consumer = Consumer::new(threads);
    let (listener, address) = consumer.listen();
    let peers: Vec<_> = (0..CONNECTIONS)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    let senders: Vec<_> = peers
        .iter()
        .enumerate()
        .map(|(n, peer)| send(peer, marked(n, LEN)))
        .collect();
    let receivers: Vec<_> = peers.iter().map(|peer| receive(peer, LEN)).collect();
    let mut echoes: HashMap<HandleId, Echo> = HashMap::new();
    let mut open = CONNECTIONS;
    while open > 0 {
        match consumer.next() {
            Event::Connection { id, .. } if id == listener => {
                let accepted = consumer.accept_one(listener).unwrap();
                echoes.insert(accepted, Echo::default());
                consumer.reactor.read_start(accepted).unwrap();
            }
            Event::Readable { id } => {
                let echo = echoes.get_mut(&id).unwrap();
                assert!(!echo.ended, "nothing comes after the end");
                while let Some((piece, more)) = consumer.take(id) {
                    match piece {
                        Piece::Bytes(bytes) => {
                            echo.waiting += usize::from(consumer.write(id, &bytes) == Written::Queued);
                        }
                        Piece::End(errno) => {
                            assert_eq!(errno, Errno::EOF);
                            echo.ended = true;
                            consumer.reactor.shutdown_write(id).unwrap();
                        }
                    }
                    if !more {
                        break;
                    }
                }
            }
            Event::Wrote { id, result } => {
                result.unwrap();
                echoes.get_mut(&id).unwrap().waiting -= 1;
            }
            Event::ShutDown { id, result } => {
                result.unwrap();
                let echo = &echoes[&id];
                assert!(
                    echo.ended && echo.waiting == 0,
                    "FIN is reported behind the writes"
                );
                consumer.reactor.close(id, Closing::Orderly).unwrap();
                open -= 1;
            }
            event => panic!("{event:?}"),
        }
    }
    for (n, receiver) in receivers.into_iter().enumerate() {
        assert!(receiver.join().unwrap() == marked(n, LEN), "connection {n}");
    }
    for sender in senders {
        sender.join().unwrap();
    }
}

/// Asks for nothing. It lives as long as anything of the reactor does.
struct Silent(Arc<()>);

impl Wake for Silent {
    fn wake(&self, _deliveries: usize) {
        assert!(Arc::strong_count(&self.0) > 1);
    }
}

fn shutdown_leaves_nothing_behind(threads: usize) {
    let bytes = pattern(8 * MEGABYTE);
    for round in 0..10 {
        let alive = Arc::new(());
        let reactor = Reactor::new(Box::new(Silent(Arc::clone(&alive))), threads);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let halves: Vec<_> = (0..6)
            .map(|_| {
                let socket = reactor.tcp_socket(false, &SocketOptions::default()).unwrap();
                reactor
                    .connect(socket, &ferronet_reactor::Target::Tcp(&address))
                    .unwrap();
                (socket, listener.accept().unwrap().0)
            })
            .collect();
        let senders: Vec<_> = halves.iter().map(|(_, peer)| send(peer, bytes.clone())).collect();
        for (source, _) in &halves {
            // Waits for a peer that reads nothing.
            reactor.write(*source, &[IoSlice::new(&bytes)]).unwrap();
        }
        for (n, (source, _)) in halves.iter().enumerate() {
            reactor.read_start(*source).unwrap();
            if n % 2 == 0 {
                reactor.relay(*source, halves[n + 1].0).unwrap();
                reactor.relay(halves[n + 1].0, *source).unwrap_err();
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(round % 4));
        reactor.shutdown();
        assert_eq!(reactor.handles(), 0);
        assert_eq!(
            reactor.tcp_socket(false, &SocketOptions::default()),
            Err(Errno::ECANCELED)
        );
        drop(reactor);
        assert_eq!(
            Arc::strong_count(&alive),
            1,
            "no thread, connection or queue is left"
        );
        drop(halves);
        for sender in senders {
            sender.join().unwrap();
        }
    }
}

#[cfg(unix)]
fn a_descriptor_that_is_given_away_twice_is_closed_once(threads: usize) {
    let mut consumer = Consumer::new(threads);
    for _ in 0..6 {
        let (client, server) = consumer.pair();
        let descriptor = consumer.reactor.raw_descriptor(server);
        let again = consumer
            .reactor
            .open(descriptor, ferronet_reactor::Transport::Tcp)
            .unwrap();
        // Its first use makes a stream of it.
        assert_eq!(consumer.write(again, b"by one, "), Written::Completed);
        assert_ne!(consumer.reactor.raw_descriptor(again), descriptor);
        consumer.reactor.close(again, Closing::Orderly).unwrap();
        assert_eq!(consumer.write(server, b"by the other"), Written::Completed);
        consumer.reactor.close(server, Closing::Orderly).unwrap();
        assert_eq!(
            consumer.read_to_end(client),
            (b"by one, by the other".to_vec(), Errno::EOF)
        );
    }
}

on_one_and_three_threads!(
    relays_go_both_ways_at_once,
    relays_are_stopped_and_started_while_they_run,
    relays_are_closed_while_they_run,
    many_echoes_come_back_whole_and_in_order,
    shutdown_leaves_nothing_behind,
    #[cfg(unix)]
    a_descriptor_that_is_given_away_twice_is_closed_once,
);
