//! A consumer with a loop of its own: it turns the reactor, and while it does not, the reactor's thread does.
#![cfg(all(target_os = "linux", not(ferronet_without = "poller")))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::{IoSlice, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::spawn;
use std::time::{Duration, Instant};

use ferronet_reactor::{
    Closing, Drive, Event, HandleId, Incoming, Received, Sleep, SocketOptions, Target, Written,
};
use support::PATIENCE;
use support::event_loop::Loop;

/// What these tests do with a loop.
trait Play {
    fn turn_until(&self, deliver: impl FnMut(Event) -> bool);
    fn accepted(&self) -> (HandleId, TcpStream);
    fn many(&self, count: usize) -> (Vec<HandleId>, Vec<TcpStream>);
    fn take(&self, id: HandleId) -> usize;
}

impl Play for Loop {
    fn turn_until(&self, mut deliver: impl FnMut(Event) -> bool) {
        let start = Instant::now();
        let mut done = false;
        while !done {
            assert!(start.elapsed() < PATIENCE, "it never came");
            self.turn(10, |event| done |= deliver(event));
        }
    }

    /// A connection to a peer that the test plays.
    fn accepted(&self) -> (HandleId, TcpStream) {
        let (mut all, mut peers) = self.many(1);
        (all.remove(0), peers.remove(0))
    }

    fn many(&self, count: usize) -> (Vec<HandleId>, Vec<TcpStream>) {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = self.reactor.bind_tcp(&any, &SocketOptions::default()).unwrap();
        self.reactor.listen(listener, 1024).unwrap();
        let address = self.reactor.local_address(listener).unwrap();
        let peers: Vec<_> = (0..count).map(|_| TcpStream::connect(address).unwrap()).collect();
        let mut accepted = Vec::new();
        self.turn_until(|event| {
            if let Event::Connection { id } = event {
                while let Some(Incoming::Handle(connection)) = self.reactor.accept(id) {
                    accepted.push(connection);
                }
            }
            accepted.len() == count
        });
        self.reactor.close(listener, Closing::Orderly).unwrap();
        (accepted, peers)
    }

    fn take(&self, id: HandleId) -> usize {
        let mut space = vec![std::mem::MaybeUninit::uninit(); 64 * 1024];
        match self.reactor.take(id, &mut space).map(|taken| taken.received) {
            Some(Received::Read(n)) => n,
            Some(Received::Data(chunk)) => chunk.len(),
            _ => 0,
        }
    }
}

#[test]
fn however_many_are_ready_in_one_turn_all_are_reported() {
    let event_loop = Loop::new(Drive::Loop);
    let (accepted, mut peers) = event_loop.many(400);
    for id in &accepted {
        event_loop.reactor.read_start(*id).unwrap();
    }
    for peer in &mut peers {
        peer.write_all(b"x").unwrap();
    }
    let mut taken = 0;
    event_loop.turn_until(|event| {
        if let Event::Readable { id } = event {
            taken += event_loop.take(id);
        }
        taken == accepted.len()
    });
}

#[test]
fn a_connection_is_reported_after_a_connect_to_another_listener_of_the_port() {
    let event_loop = Loop::new(Drive::Loop);
    let reactor = &event_loop.reactor;
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = reactor.bind_tcp(&any, &SocketOptions::default()).unwrap();
    reactor.listen(listener, 16).unwrap();
    let address = reactor.local_address(listener).unwrap();
    // Of another process, say. The reactor knows its own listeners by their ports.
    let elsewhere = SocketAddr::from(([127, 0, 0, 2], address.port()));
    let _other = TcpListener::bind(elsewhere).unwrap();
    for _ in 0..2 {
        let _peer = TcpStream::connect(address).unwrap();
        event_loop.turn_until(|event| {
            let Event::Connection { id } = event else {
                return false;
            };
            let is_accepted = reactor.accept(id).is_some();
            let client = reactor.tcp_socket(false, &SocketOptions::default()).unwrap();
            reactor.connect(client, &Target::Tcp(&elsewhere)).unwrap();
            reactor.accept_later(id);
            is_accepted
        });
    }
}

#[test]
fn what_the_coming_poll_finds_is_reported_before_a_connect_that_ended_at_once() {
    let event_loop = Loop::new(Drive::Loop);
    let reactor = &event_loop.reactor;
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = reactor.bind_tcp(&any, &SocketOptions::default()).unwrap();
    reactor.listen(listener, 16).unwrap();
    let address = reactor.local_address(listener).unwrap();
    let (ended, peer) = event_loop.accepted();
    reactor.read_start(ended).unwrap();
    event_loop.turn(0, |_| ());
    drop(peer);
    let client = reactor.tcp_socket(false, &SocketOptions::default()).unwrap();
    reactor.connect(client, &Target::Tcp(&address)).unwrap();
    let mut order = Vec::new();
    event_loop.turn_until(|event| {
        order.push(event);
        matches!(event, Event::Connected { .. })
    });
    let expected = [
        Event::Readable { id: ended },
        Event::Connection { id: listener },
        Event::Connected {
            id: client,
            result: Ok(()),
        },
    ];
    assert_eq!(order, expected);
}

/// Begins a batch, and has `bytes` batched. Nothing is before the thread has seen that something happens, and
/// watches.
fn begin_batch(event_loop: &Loop, id: HandleId, peer: &mut TcpStream, bytes: &[u8]) {
    let reactor = &event_loop.reactor;
    let start = Instant::now();
    loop {
        assert!(start.elapsed() < PATIENCE, "no write is batched");
        reactor.begin_batch();
        let written = reactor.write(id, &[IoSlice::new(bytes)]);
        assert_eq!(written, Ok(Written::Completed));
        if reactor.write_queue_size(id) == bytes.len() {
            return;
        }
        reactor.end_batch();
        peer.read_exact(&mut vec![0; bytes.len()]).unwrap();
        // Something happens.
        event_loop.accepted();
    }
}

#[test]
fn what_is_written_while_a_batch_is_delivered_goes_out_in_order_at_its_end() {
    let event_loop = Loop::new(Drive::Auto);
    let (id, mut peer) = event_loop.accepted();
    let reactor = &event_loop.reactor;
    begin_batch(&event_loop, id, &mut peer, b"one ");
    reactor.write(id, &[IoSlice::new(b"two ")]).unwrap();
    // More than can be batched: what is batched goes first.
    let large = support::pattern(100_000);
    reactor.write(id, &[IoSlice::new(&large)]).unwrap();
    reactor.end_batch();
    reactor.shutdown_write(id).unwrap();
    let mut received = vec![0; 8 + large.len()];
    peer.read_exact(&mut received).unwrap();
    assert!(received.starts_with(b"one two ") && received[8..] == large);
}

#[test]
fn a_batch_of_callbacks_that_compute_sends_what_those_before_have_written() {
    let event_loop = Loop::new(Drive::Auto);
    let (id, mut peer) = event_loop.accepted();
    let reactor = &event_loop.reactor;
    loop {
        begin_batch(&event_loop, id, &mut peer, b"one");
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(1) {}
        // Before the next event.
        reactor.begin_batch();
        let waiting = reactor.write_queue_size(id);
        let is_quick = start.elapsed() < Duration::from_millis(4);
        reactor.end_batch();
        peer.read_exact(&mut [0; 3]).unwrap();
        // Later, the thread has taken over.
        if is_quick {
            assert_eq!(waiting, 0);
            return;
        }
    }
}

/// Also where the loop cannot turn.
fn three_connections(event_loop: &Loop) -> [(HandleId, TcpStream); 3] {
    let reactor = &event_loop.reactor;
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = listener.local_addr().unwrap();
    [(); 3].map(|()| {
        let socket = reactor.tcp_socket(false, &SocketOptions::default()).unwrap();
        reactor.connect(socket, &Target::Tcp(&address)).unwrap();
        let peer = listener.accept().unwrap().0;
        peer.set_read_timeout(Some(PATIENCE)).unwrap();
        (socket, peer)
    })
}

#[test]
fn a_batch_that_does_not_come_to_its_end_is_sent_by_the_thread_that_drives() {
    for threads in [1, 2] {
        let event_loop = Loop::with_threads(Drive::Thread, threads);
        let reactor = &event_loop.reactor;
        let mut pairs = three_connections(&event_loop);
        for round in 0..3 {
            reactor.begin_batch();
            for (id, _) in &pairs {
                for _ in 0..=round {
                    reactor.write(*id, &[IoSlice::new(b"batched")]).unwrap();
                }
            }
            for (_, peer) in &mut pairs {
                for _ in 0..=round {
                    let mut received = [0; 7];
                    peer.read_exact(&mut received).unwrap();
                    assert_eq!(&received, b"batched");
                }
            }
        }
        reactor.end_batch();
    }
}

#[test]
fn a_pinned_loop_sends_at_once_since_no_thread_would_do_it_for_a_consumer_that_waits() {
    let event_loop = Loop::new(Drive::Loop);
    let (id, mut peer) = event_loop.accepted();
    event_loop.reactor.begin_batch();
    event_loop.reactor.write(id, &[IoSlice::new(b"asked")]).unwrap();
    let mut received = [0; 5];
    peer.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"asked");
    event_loop.reactor.end_batch();
}

#[test]
fn closing_and_ending_in_the_middle_of_a_batch_send_what_is_batched() {
    let event_loop = Loop::new(Drive::Auto);
    for close in [true, false] {
        let (id, mut peer) = event_loop.accepted();
        let reactor = &event_loop.reactor;
        begin_batch(&event_loop, id, &mut peer, b"batched");
        if close {
            reactor.close(id, Closing::Orderly).unwrap();
        } else {
            reactor.shutdown_write(id).unwrap();
        }
        let mut received = Vec::new();
        peer.read_to_end(&mut received).unwrap();
        assert_eq!(received, b"batched");
        reactor.end_batch();
    }
}

#[test]
fn the_thread_takes_over_from_a_loop_that_does_not_turn() {
    let event_loop = Loop::new(Drive::Auto);
    let (id, mut peer) = event_loop.accepted();
    let reactor = &event_loop.reactor;
    reactor.read_start(id).unwrap();
    event_loop.turn(10, |_| {});
    reactor.begin_batch();
    reactor.write(id, &[IoSlice::new(b"batched")]).unwrap();
    peer.write_all(b"early").unwrap();
    // The loop does not turn: the thread sends what is batched, and reads ahead.
    let mut received = [0; 7];
    peer.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"batched");
    support::wait_until("a thread has read", || reactor.read_queue_size(id) >= 5);
    reactor.end_batch();
    // The loop turns again: it takes what was read, and drives.
    let mut taken = 0;
    event_loop.turn_until(|event| {
        if let Event::Readable { id } = event {
            taken += event_loop.take(id);
        }
        taken == 5
    });
    peer.write_all(b"late").unwrap();
    event_loop.turn_until(|event| {
        if let Event::Readable { id } = event {
            taken += event_loop.take(id);
        }
        taken == 9
    });
}

#[test]
fn no_thread_takes_over_from_a_pinned_loop() {
    let event_loop = Loop::new(Drive::Loop);
    let (id, mut peer) = event_loop.accepted();
    event_loop.reactor.read_start(id).unwrap();
    event_loop.turn(10, |_| {});
    peer.write_all(b"early").unwrap();
    assert!(event_loop.poll(10_000));
    // Longer than the thread's patience would be.
    std::thread::sleep(Duration::from_millis(60));
    assert_eq!(event_loop.reactor.read_queue_size(id), 0);
    assert!(event_loop.poll(0), "it is still there to be asked for");
}

#[test]
fn a_loop_that_sleeps_is_woken_for_a_task_that_another_thread_has_made_due() {
    const LEN: usize = 32 << 20;
    let event_loop = Loop::with_threads(Drive::Loop, 2);
    let (accepted, mut peers) = event_loop.many(2);
    // The loop's own, and the other thread's.
    let [source, destination] = accepted[..] else {
        unreachable!()
    };
    event_loop.reactor.read_start(source).unwrap();
    event_loop.reactor.relay(source, destination).unwrap();
    let (mut receiver, mut sender) = (peers.remove(1), peers.remove(0));
    let bytes = support::pattern(LEN);
    let sent = bytes.clone();
    let writer = spawn(move || sender.write_all(&sent).unwrap());
    // The receiver takes nothing: in the end nothing moves, and no event is left.
    let start = Instant::now();
    while event_loop.poll(200) || event_loop.reactor.relayed(source).bytes == 0 {
        assert!(start.elapsed() < PATIENCE, "it comes to rest");
        event_loop.turn(10, |_| {});
    }
    assert!(event_loop.reactor.relayed(source).bytes < LEN as u64);
    let reader = spawn(move || {
        let mut all = vec![0; LEN];
        receiver.read_exact(&mut all).unwrap();
        all
    });
    // What the relay waits for happens on the other thread, and the loop learns of it by its poller alone.
    let has_relayed_all = || event_loop.reactor.relayed(source).bytes == LEN as u64;
    while !has_relayed_all() {
        // Before it sleeps, a loop runs what is due: it is not woken for what it has made due itself.
        let is_due = event_loop.reactor.poll_begins();
        assert!(
            is_due || has_relayed_all() || event_loop.poll(10_000),
            "the loop sleeps on"
        );
        event_loop.turn(10, |_| {});
    }
    assert!(reader.join().unwrap() == bytes);
    writer.join().unwrap();
}

#[test]
fn what_is_left_to_a_thread_at_the_end_of_a_batch_is_sent_before_its_connection_or_the_reactor_ends() {
    for round in 0..300 {
        let event_loop = Loop::with_threads(Drive::Thread, 1 + round % 3);
        let reactor = &event_loop.reactor;
        let mut pairs = three_connections(&event_loop);
        reactor.begin_batch();
        for (id, _) in &pairs {
            assert_eq!(
                reactor.write(*id, &[IoSlice::new(b"reported as sent")]),
                Ok(Written::Completed)
            );
        }
        reactor.end_batch();
        if round % 2 == 0 {
            for (id, _) in &pairs {
                reactor.close(*id, Closing::Orderly).unwrap();
            }
        } else {
            reactor.shutdown();
        }
        for (_, peer) in &mut pairs {
            let mut received = String::new();
            peer.read_to_string(&mut received).unwrap();
            assert_eq!(received, "reported as sent", "round {round}");
        }
    }
}

#[test]
fn a_loop_that_sleeps_outside_of_its_turns_is_woken_for_calls_between_them() {
    for sleep in [Sleep::Inside, Sleep::Outside] {
        let event_loop = Loop::sleeping(sleep, Drive::Loop, 1);
        let (id, _peer) = event_loop.accepted();
        while event_loop.poll(0) || event_loop.wakes() > 0 {
            event_loop.turn(10, |_| {});
        }
        let is_outside = sleep == Sleep::Outside;
        event_loop.reactor.read_start(id).unwrap();
        assert_eq!(event_loop.poll(0), is_outside, "a task is due: {sleep:?}");
        event_loop.reactor.shutdown_write(id).unwrap();
        assert_eq!(
            event_loop.wakes(),
            usize::from(is_outside),
            "an event is due: {sleep:?}"
        );
        event_loop.turn_until(|event| matches!(event, Event::ShutDown { .. }));
    }
}
