//! Memory for read-ahead is limited for the process. Connections that find no room lose nothing and make
//! progress.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{sleep, spawn};
use std::time::Duration;

use ferronet_reactor::{Closing, Errno, Event, HandleId, Reactor, SocketOptions, Unread, Wake, read_ahead};
use parking_lot::{Mutex, MutexGuard};
use support::{Consumer, Piece, pattern, wait_until};

const BLOCK: usize = 64 * 1024;
const LIMIT: usize = 16 << 20;
/// More than a connection's credit.
const LEN: usize = 300_000;
/// Their credits are a little more than the budget.
const MANY: usize = 66;

/// The budget is the process's, and `cargo test` runs these tests in one.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock();
    assert_eq!((charged(), read_ahead().limit), (0, LIMIT));
    alone
}

fn charged() -> usize {
    read_ahead().charged
}

fn is_used_up() -> bool {
    charged() + BLOCK > LIMIT
}

/// Bytes that differ from one connection to the next.
fn marked(mark: usize) -> Vec<u8> {
    pattern(LEN + mark).split_off(mark)
}

/// A connection, and its peer outside of the reactor.
struct Half {
    id: HandleId,
    peer: TcpStream,
    mark: usize,
}

fn halves(consumer: &mut Consumer, count: usize) -> Vec<Half> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let half = |mark| {
        let id = consumer.connect(&address);
        let peer = listener.accept().unwrap().0;
        consumer.connected(id).unwrap();
        Half { id, peer, mark }
    };
    (0..count).map(half).collect()
}

/// Connections that flow and whose bytes are not taken. Each peer sends its bytes and FIN.
fn flowing(consumer: &mut Consumer, count: usize) -> Vec<Half> {
    let halves = halves(consumer, count);
    for half in &halves {
        let (mut peer, bytes) = (half.peer.try_clone().unwrap(), marked(half.mark));
        spawn(move || {
            // Refused where the test closes the connection.
            let sent = peer.write_all(&bytes);
            sent.and_then(|()| peer.shutdown(Shutdown::Write))
        });
        consumer.reactor.read_start(half.id).unwrap();
    }
    halves
}

/// The sum of what waits in the inboxes.
fn waiting<'a>(consumer: &Consumer, halves: impl IntoIterator<Item = &'a Half>) -> usize {
    let sizes = halves
        .into_iter()
        .map(|half| consumer.reactor.read_queue_size(half.id));
    sizes.sum()
}

/// As `flowing`, while the budget is used up: the bytes are announced and not read. At most `count`, since
/// reads that are under way may still leave room for some.
fn starved(consumer: &mut Consumer, count: usize) -> Vec<Half> {
    wait_until("the budget is used up", is_used_up);
    let halves = flowing(consumer, count);
    let mut waiting: Vec<_> = halves.iter().map(|half| half.id).collect();
    while !waiting.is_empty() {
        if let Event::Readable { id } = consumer.next() {
            waiting.retain(|other| *other != id);
        }
    }
    let unread = |half: &Half| consumer.reactor.read_queue_size(half.id) == 0;
    let starved: Vec<_> = halves.into_iter().filter(unread).collect();
    assert!(!starved.is_empty());
    starved
}

/// Takes all that comes, until every connection has ended, and compares it with what was sent.
fn take_all(consumer: &mut Consumer, halves: &[Half]) {
    let mut received: HashMap<_, _> = halves.iter().map(|half| (half.id, Vec::new())).collect();
    let mut open = halves.len();
    while open > 0 {
        let Event::Readable { id } = consumer.next() else {
            continue;
        };
        let Some(bytes) = received.get_mut(&id) else {
            continue;
        };
        while let Some((piece, more)) = consumer.take(id) {
            match piece {
                Piece::Bytes(piece) => bytes.extend_from_slice(&piece),
                Piece::End(errno) => {
                    assert_eq!(errno, Errno::EOF);
                    open -= 1;
                }
            }
            if !more {
                break;
            }
        }
    }
    for half in halves {
        assert!(
            received[&half.id] == marked(half.mark),
            "connection {}",
            half.mark
        );
    }
}

fn unread_connections_stay_within_the_limit_and_lose_nothing(threads: usize) {
    let _alone = alone();
    let mut consumer = Consumer::new(threads);
    let halves = flowing(&mut consumer, MANY);
    wait_until("the budget is used up", is_used_up);
    for _ in 0..50 {
        sleep(Duration::from_millis(1));
        assert!(charged() <= LIMIT && waiting(&consumer, &halves) <= LIMIT);
    }
    wait_until("nothing is released", is_used_up);
    take_all(&mut consumer, &halves);
    wait_until("all is released", || charged() == 0);
}

/// Something that is done with a connection.
type Step = fn(&mut Consumer, &Half);

fn close(consumer: &mut Consumer, half: &Half) {
    consumer.reactor.close(half.id, Closing::Orderly).unwrap();
}

fn give_away(consumer: &mut Consumer, half: &Half) {
    let transfer = consumer.reactor.send_off(half.id, &Unread::default()).unwrap();
    Reactor::give_up(transfer);
}

/// All that it receives goes to another peer.
fn relay(consumer: &mut Consumer, half: &Half) {
    let mut destination = halves(consumer, 1).remove(0);
    consumer.reactor.relay(half.id, destination.id).unwrap();
    let mut received = vec![0; LEN];
    destination.peer.read_exact(&mut received).unwrap();
    assert!(received == marked(half.mark));
}

fn waiting_connections_are_read_when_bytes_are_released(threads: usize) {
    let ways: [(&str, Step); 5] = [
        ("close", close),
        ("reset", |consumer, half| {
            consumer.reactor.close(half.id, Closing::Reset).unwrap();
        }),
        ("take", |consumer, half| {
            while consumer.reactor.read_queue_size(half.id) > 0 {
                assert!(consumer.take(half.id).is_some());
            }
        }),
        ("transfer", give_away),
        ("relay", relay),
    ];
    for (way, give_back) in ways {
        let _alone = alone();
        let mut consumer = Consumer::new(threads);
        let fed = flowing(&mut consumer, MANY);
        let starved = starved(&mut consumer, 8);
        // Half of them: some of the others wait as well, and were first.
        for half in &fed[MANY / 2..] {
            give_back(&mut consumer, half);
        }
        wait_until(way, || {
            let mut sizes = starved
                .iter()
                .map(|half| consumer.reactor.read_queue_size(half.id));
            sizes.all(|size| size > 0)
        });
        drop(consumer);
        assert_eq!(charged(), 0, "{way}");
    }
}

fn a_connection_that_stops_waiting_passes_its_turn_on(threads: usize) {
    let ways: [(&str, Step); 4] = [
        ("close", close),
        ("stop", |consumer, half| {
            consumer.reactor.read_stop(half.id).unwrap();
        }),
        ("transfer", give_away),
        // It needs no room.
        ("relay", relay),
    ];
    for (way, leave) in ways {
        let _alone = alone();
        let mut consumer = Consumer::new(threads);
        let fed = flowing(&mut consumer, MANY);
        for half in &starved(&mut consumer, 8) {
            leave(&mut consumer, half);
        }
        assert!(
            waiting(&consumer, &fed) > LIMIT / 2,
            "the others keep their bytes"
        );
        for half in &fed {
            close(&mut consumer, half);
        }
        wait_until(way, || charged() == 0);
    }
}

fn a_transferred_inbox_is_charged_once(threads: usize) {
    let _alone = alone();
    let (mut here, mut there) = (Consumer::new(threads), Consumer::new(threads));
    let half = flowing(&mut here, 1).remove(0);
    wait_until("the credit is used", || {
        here.reactor.read_queue_size(half.id) >= 4 * BLOCK
    });
    wait_until("no read is under way", || charged() <= 2 * 4 * BLOCK);
    let (Piece::Bytes(taken), _) = here.take(half.id).unwrap() else {
        panic!("no bytes")
    };
    here.reactor.read_stop(half.id).unwrap();
    let unread = Unread {
        chunks: &[&taken],
        end: false,
    };
    let transfer = here.reactor.send_off(half.id, &unread).unwrap();
    let mut before = 0;
    wait_until("no read is under way", || {
        std::mem::replace(&mut before, charged()) == charged()
    });
    assert!(before >= 4 * BLOCK);
    drop(here);
    assert_eq!(charged(), before, "it moves with the connection");
    let moved = there.reactor.receive(transfer).unwrap();
    assert_eq!(charged(), before);
    assert_eq!(there.read_to_end(moved), (marked(0), Errno::EOF));
    wait_until("all is released", || charged() == 0);
}

fn a_stalled_reactor_blocks_no_other_and_releases_all_when_it_ends(threads: usize) {
    let _alone = alone();
    let (mut stalled, mut lively) = (Consumer::new(threads), Consumer::new(threads));
    let holding = flowing(&mut stalled, MANY);
    wait_until("the budget is used up", is_used_up);
    // A consumer that takes needs no read-ahead.
    let served = flowing(&mut lively, 8);
    take_all(&mut lively, &served);
    wait_until("the other keeps its bytes", is_used_up);
    // For one that takes nothing, bytes are read as soon as there is room.
    let waits = starved(&mut lively, 8);
    assert!(waiting(&stalled, &holding) > LIMIT / 2);
    drop(stalled);
    wait_until("the waiting connections have the room", || {
        waits
            .iter()
            .all(|half| lively.reactor.read_queue_size(half.id) >= 4 * BLOCK)
    });
    drop(lively);
    assert_eq!(charged(), 0);
}

/// A consumer that takes nothing. It lives as long as anything of the reactor does.
struct Silent(#[expect(dead_code, reason = "it is counted")] Arc<()>);

impl Wake for Silent {
    fn wake(&self, _deliveries: usize) {}
}

fn reactors_that_end_while_their_connections_wait_leak_nothing(threads: usize) {
    let _alone = alone();
    for round in 0..6 {
        let alive = Arc::new(());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut senders = Vec::new();
        let reactors: Vec<_> = (0..3)
            .map(|_| {
                let reactor = Reactor::new(Box::new(Silent(Arc::clone(&alive))), threads);
                for _ in 0..MANY / 3 {
                    let socket = reactor.tcp_socket(false, &SocketOptions::default()).unwrap();
                    reactor
                        .connect(socket, &ferronet_reactor::Target::Tcp(&address))
                        .unwrap();
                    let mut peer = listener.accept().unwrap().0;
                    reactor.read_start(socket).unwrap();
                    senders.push(spawn(move || peer.write_all(&marked(0))));
                }
                reactor
            })
            .collect();
        if round % 2 == 0 {
            wait_until("the budget is used up", is_used_up);
        }
        let ends = reactors.into_iter().map(|reactor| spawn(move || drop(reactor)));
        for end in ends.collect::<Vec<_>>() {
            end.join().unwrap();
        }
        assert_eq!(charged(), 0);
        wait_until("no connection is left", || Arc::strong_count(&alive) == 1);
        for sender in senders {
            let _refused = sender.join().unwrap();
        }
    }
}

on_one_and_three_threads!(
    unread_connections_stay_within_the_limit_and_lose_nothing,
    waiting_connections_are_read_when_bytes_are_released,
    a_connection_that_stops_waiting_passes_its_turn_on,
    a_transferred_inbox_is_charged_once,
    a_stalled_reactor_blocks_no_other_and_releases_all_when_it_ends,
    reactors_that_end_while_their_connections_wait_leak_nothing,
);

#[cfg(all(target_os = "linux", not(ferronet_without = "poller")))]
mod in_a_loop {
    use std::time::Instant;

    use ferronet_reactor::{Drive, Target};

    use super::support::PATIENCE;
    use super::support::event_loop::Loop;
    use super::*;

    /// Turns until there has been nothing to do for a moment. Takes all events, and no bytes.
    fn turn_until_idle(event_loop: &Loop) {
        let begun = Instant::now();
        while event_loop.turn(30, |_event| ()) {
            assert!(begun.elapsed() < PATIENCE, "it goes on and on");
        }
    }

    #[test]
    fn a_sleeping_loop_is_woken_to_release_a_granted_block() {
        let _alone = alone();
        let mut holder = Consumer::new(1);
        flowing(&mut holder, MANY);
        wait_until("the budget is used up", is_used_up);
        let event_loop = Loop::new(Drive::Auto);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let id = event_loop
            .reactor
            .tcp_socket(false, &SocketOptions::default())
            .unwrap();
        event_loop.reactor.connect(id, &Target::Tcp(&address)).unwrap();
        let mut peer = listener.accept().unwrap().0;
        turn_until_idle(&event_loop);
        event_loop.reactor.read_start(id).unwrap();
        turn_until_idle(&event_loop);
        peer.write_all(b"early").unwrap();
        // The loop does not turn, so the thread does. It finds no room and announces the bytes.
        wait_until("the thread announces it", || event_loop.wakes() > 0);
        turn_until_idle(&event_loop);
        assert_eq!(event_loop.reactor.read_queue_size(id), 0);
        // The loop drives again and sleeps. Now its connection is granted a block, which it does not need any
        // more.
        drop(holder);
        assert!(event_loop.poll(20_000));
        turn_until_idle(&event_loop);
        assert_eq!(charged(), 0);
    }
}
