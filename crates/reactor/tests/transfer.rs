//! Handles move from one reactor to another one, and nothing is lost on the way.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::net::SocketAddr;

use ferronet_reactor::{Closing, Errno, HandleId, LocalAccess, Reactor, Unread, Written};
use socket2::{Domain, Socket, Type};
use support::{Consumer, wait_until};

/// Sends a handle off and closes what is left of it.
fn send(from: &Consumer, to: &Consumer, handle: HandleId, unread: &Unread<'_>) -> HandleId {
    let transfer = from.reactor.send_off(handle, unread).unwrap();
    from.reactor.close(handle, Closing::Orderly).unwrap();
    let received = to.reactor.receive(transfer).unwrap();
    assert_eq!(
        to.reactor.receive(transfer),
        Err(Errno::ENOENT),
        "only one receives it"
    );
    received
}

#[test]
fn what_was_given_back_comes_before_what_was_read_and_what_the_kernel_has() {
    let (mut here, mut there) = (Consumer::new(1), Consumer::new(3));
    let (client, server) = here.pair();
    let bytes = support::pattern(2 << 20);
    here.write(client, &bytes);
    here.reactor.shutdown_write(client).unwrap();
    here.reactor.read_start(server).unwrap();
    wait_until("the inbox is full", || {
        here.reactor.read_queue_size(server) >= 256 * 1024
    });
    let (piece, _) = here.take(server).unwrap();
    let support::Piece::Bytes(taken) = piece else {
        panic!("no bytes")
    };
    let unread = Unread {
        chunks: &[&taken],
        end: false,
    };
    let moved = send(&here, &there, server, &unread);
    let (read, end) = there.read_to_end(moved);
    assert_eq!(end, Errno::EOF);
    support::assert_all(&read, &bytes);
}

#[test]
fn an_end_that_was_taken_is_reported_again() {
    let (mut here, mut there) = (Consumer::new(1), Consumer::new(3));
    let (client, server) = here.pair();
    here.write(client, b"all");
    here.reactor.shutdown_write(client).unwrap();
    assert_eq!(here.read_to_end(server), (b"all".to_vec(), Errno::EOF));
    let unread = Unread {
        chunks: &[b"al", b"l"],
        end: true,
    };
    let moved = send(&here, &there, server, &unread);
    assert_eq!(there.read_to_end(moved), (b"all".to_vec(), Errno::EOF));
    there.write(moved, b"answer");
    there.reactor.shutdown_write(moved).unwrap();
    assert_eq!(here.read_to_end(client), (b"answer".to_vec(), Errno::EOF));
}

#[test]
fn what_the_kernel_has_not_taken_is_sent_by_the_other_reactor_and_fin_behind_it() {
    let (mut here, there) = (Consumer::new(1), Consumer::new(3));
    let (client, server) = here.pair();
    let bytes = support::pattern(20 << 20);
    assert_eq!(here.write(client, &bytes), Written::Queued);
    here.reactor.shutdown_write(client).unwrap();
    let moved = send(&here, &there, client, &Unread::default());
    assert!(there.reactor.write_queue_size(moved) > 0);
    let (read, end) = here.read_to_end(server);
    assert_eq!(end, Errno::EOF);
    support::assert_all(&read, &bytes);
}

#[test]
fn a_listener_takes_its_connections_along_those_that_were_accepted_and_those_that_wait() {
    let (here, mut there) = (Consumer::new(1), Consumer::new(3));
    let (listener, address) = here.listen();
    let mut clients: Vec<_> = (0..5).map(|_| here.connect(&address)).collect();
    // Accepted by the reactor, and not taken.
    wait_until("they are accepted", || {
        here.reactor.handles() == 1 + 2 * clients.len()
    });
    let moved = send(&here, &there, listener, &Unread::default());
    assert_eq!(there.reactor.local_address(moved).unwrap(), address);
    clients.push(here.connect(&address));
    for (n, client) in clients.iter().enumerate() {
        here.write(*client, &[u8::try_from(n).unwrap()]);
        here.reactor.shutdown_write(*client).unwrap();
    }
    let connections: Vec<_> = clients.iter().map(|_| there.accept(moved)).collect();
    for (n, connection) in connections.iter().enumerate() {
        assert_eq!(
            there.read_to_end(*connection),
            (vec![u8::try_from(n).unwrap()], Errno::EOF)
        );
    }
}

#[test]
fn a_path_goes_along_with_its_server() {
    let folder = std::env::temp_dir().join(format!("ferronet-transfer-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("socket");
    let (here, mut there) = (Consumer::new(1), Consumer::new(3));
    let listener = here
        .reactor
        .bind_local(path.to_str().unwrap(), LocalAccess::Usual)
        .unwrap();
    here.reactor.listen(listener, 511).unwrap();
    let moved = send(&here, &there, listener, &Unread::default());
    assert!(path.exists());
    here.connect_local(path.to_str().unwrap()).unwrap();
    there.accept(moved);
    there.reactor.close(moved, Closing::Orderly).unwrap();
    assert!(!path.exists());
    // And one that no reactor receives.
    let bound = here
        .reactor
        .bind_local(path.to_str().unwrap(), LocalAccess::Usual)
        .unwrap();
    let transfer = here.reactor.send_off(bound, &Unread::default()).unwrap();
    assert!(path.exists());
    Reactor::give_up(transfer);
    assert!(!path.exists());
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_is_not_received_is_closed_and_cannot_be_received_any_more() {
    let mut here = Consumer::new(1);
    let (client, server) = here.pair();
    let transfer = here.reactor.send_off(server, &Unread::default()).unwrap();
    Reactor::give_up(transfer);
    assert_eq!(here.reactor.receive(transfer), Err(Errno::ENOENT));
    assert_eq!(here.read_to_end(client), (Vec::new(), Errno::EOF));
}

#[test]
fn what_is_connecting_or_closed_stays_where_it_is() {
    let here = Consumer::new(1);
    let unread = Unread::default();
    // No process accepts there, and of so many the kernel answers the first ones only.
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    listener.bind(&any.into()).unwrap();
    listener.listen(1).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let connecting = [(); 8].map(|()| here.connect(&address))[7];
    assert_eq!(here.reactor.send_off(connecting, &unread), Err(Errno::EALREADY));
    here.reactor.close(connecting, Closing::Orderly).unwrap();
    assert_eq!(here.reactor.send_off(connecting, &unread), Err(Errno::EBADF));
}
