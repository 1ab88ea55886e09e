//! A receive that returns less than it had room for has not always emptied the kernel's buffer: what is behind urgent data,
//! behind a message with descriptors, behind a packet or a line comes without more having to arrive.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    unsafe_code,
    reason = "a test fails by panicking; messages with descriptors and packet pipes exist only as raw calls"
)]

mod support;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsRawFd as _, IntoRawFd as _};
use std::os::unix::net::UnixStream;

use ferronet_reactor::{Errno, Event, HandleId, Transport};
use socket2::SockRef;
use support::{Consumer, Piece};

/// A connection of the reactor's, flowing, and its peer outside of it.
fn tcp(consumer: &mut Consumer) -> (HandleId, TcpStream) {
    let (inside, outside) = consumer.connect_to_peer();
    outside.set_nodelay(true).unwrap();
    consumer.reactor.read_start(inside).unwrap();
    (inside, outside)
}

fn unix(consumer: &Consumer) -> (HandleId, UnixStream) {
    let (inside, outside) = UnixStream::pair().unwrap();
    let inside = consumer
        .reactor
        .open(inside.into_raw_fd(), Transport::UnixStream)
        .unwrap();
    consumer.reactor.read_start(inside).unwrap();
    (inside, outside)
}

/// Waits for so many bytes, and returns the pieces in which they came.
fn pieces(consumer: &mut Consumer, connection: HandleId, len: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut missing = len;
    consumer.wait(|consumer, event| {
        if event != (Event::Readable { id: connection }) {
            return None;
        }
        while let Some((Piece::Bytes(bytes), more)) = consumer.take(connection) {
            missing -= bytes.len();
            pieces.push(String::from_utf8(bytes).unwrap());
            if !more {
                break;
            }
        }
        (missing == 0).then_some(())
    });
    pieces
}

/// Sends bytes that have a descriptor with them.
fn send_with_descriptor(socket: &UnixStream, bytes: &[u8], descriptor: i32) {
    // SAFETY: the message and what it points to are made here and live through the call. `control` is aligned as the header
    // that it begins with, and has room for one descriptor.
    unsafe {
        let mut control = [0_u64; 4];
        let mut iov = libc::iovec {
            iov_base: bytes.as_ptr().cast_mut().cast(),
            iov_len: bytes.len(),
        };
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = &raw mut iov;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = libc::CMSG_SPACE(4) as _;
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(4) as _;
        libc::CMSG_DATA(header).cast::<i32>().write_unaligned(descriptor);
        let sent = libc::sendmsg(socket.as_raw_fd(), &raw const message, 0);
        assert_eq!(usize::try_from(sent).ok(), Some(bytes.len()));
    }
}

/// What an urgent byte leaves: macOS, as libuv sets it up, has it in its place among the others.
const URGENT: &str = if cfg!(target_vendor = "apple") { "!" } else { "" };

on_one_and_three_threads!(
    what_follows_urgent_data_arrives,
    urgent_data_again_and_again,
    the_end_behind_urgent_data,
    what_follows_a_descriptor_on_a_unix_socket_arrives,
    the_end_behind_a_descriptor,
);

fn what_follows_urgent_data_arrives(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (inside, mut outside) = tcp(&mut consumer);
    outside.write_all(b"before").unwrap();
    SockRef::from(&outside).send_out_of_band(b"!").unwrap();
    outside.write_all(b"after").unwrap();
    let expected = format!("before{URGENT}after");
    assert_eq!(pieces(&mut consumer, inside, expected.len()).concat(), expected);
}

fn urgent_data_again_and_again(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (inside, mut outside) = tcp(&mut consumer);
    for round in 0..50 {
        let text = format!("{round} before,");
        outside.write_all(text.as_bytes()).unwrap();
        SockRef::from(&outside).send_out_of_band(b"!").unwrap();
        outside.write_all(b"after;").unwrap();
        let expected = format!("{text}{URGENT}after;");
        assert_eq!(pieces(&mut consumer, inside, expected.len()).concat(), expected);
    }
}

fn the_end_behind_urgent_data(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (inside, mut outside) = tcp(&mut consumer);
    outside.write_all(b"before").unwrap();
    SockRef::from(&outside).send_out_of_band(b"!").unwrap();
    outside.write_all(b"after").unwrap();
    outside.shutdown(Shutdown::Write).unwrap();
    let expected = format!("before{URGENT}after");
    assert_eq!(consumer.read_to_end(inside), (expected.into_bytes(), Errno::EOF));
}

fn what_follows_a_descriptor_on_a_unix_socket_arrives(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (inside, mut outside) = unix(&consumer);
    for _ in 0..20 {
        send_with_descriptor(&outside, b"with", 0);
        outside.write_all(b"without").unwrap();
        assert_eq!(pieces(&mut consumer, inside, 11).concat(), "withwithout");
    }
}

fn the_end_behind_a_descriptor(threads: usize) {
    let mut consumer = Consumer::new(threads);
    let (inside, outside) = unix(&consumer);
    send_with_descriptor(&outside, b"one", 0);
    send_with_descriptor(&outside, b"two", 0);
    drop(outside);
    assert_eq!(consumer.read_to_end(inside), (b"onetwo".to_vec(), Errno::EOF));
}

/// The receiver makes no room for ancillary data, so the kernel closes the descriptor: the sender's copy is the last one.
#[test]
fn a_descriptor_without_room_for_it_is_closed() {
    let mut consumer = Consumer::new(1);
    let (inside, outside) = unix(&consumer);
    let (mut reader, writer) = std::io::pipe().unwrap();
    send_with_descriptor(&outside, b"with", writer.as_raw_fd());
    drop(writer);
    assert_eq!(pieces(&mut consumer, inside, 4).concat(), "with");
    let mut rest = Vec::new();
    assert_eq!(reader.read_to_end(&mut rest).unwrap(), 0);
}

/// A pipe in packet mode gives one packet a read, whatever room there is.
#[cfg(target_os = "linux")]
#[test]
fn what_follows_a_packet_in_a_pipe_arrives() {
    use std::os::fd::{FromRawFd as _, OwnedFd};
    let mut consumer = Consumer::new(1);
    let mut ends = [0; 2];
    // SAFETY: two numbers are written to `ends`, which are new descriptors without an owner.
    let [inside, outside] = unsafe {
        assert_eq!(
            libc::pipe2(ends.as_mut_ptr(), libc::O_DIRECT | libc::O_CLOEXEC),
            0
        );
        ends.map(|end| OwnedFd::from_raw_fd(end))
    };
    let mut outside = std::fs::File::from(outside);
    let inside = consumer
        .reactor
        .open(inside.into_raw_fd(), Transport::UnixStream)
        .unwrap();
    consumer.reactor.read_start(inside).unwrap();
    for _ in 0..20 {
        outside.write_all(b"one").unwrap();
        outside.write_all(b"two").unwrap();
        assert_eq!(pieces(&mut consumer, inside, 6).concat(), "onetwo");
    }
}

/// With `SO_PASSCRED`, which an adopted socket may have, messages of two writers are never read together.
#[cfg(target_os = "linux")]
#[test]
fn what_another_process_has_written_behind_arrives() {
    use std::os::fd::OwnedFd;
    use std::process::{Command, Stdio};
    let mut consumer = Consumer::new(1);
    let (receiver, mut outside) = UnixStream::pair().unwrap();
    SockRef::from(&receiver).set_passcred(true).unwrap();
    outside.write_all(b"mine").unwrap();
    let written = Command::new("sh")
        .args(["-c", "printf theirs"])
        .stdout(Stdio::from(OwnedFd::from(outside.try_clone().unwrap())))
        .status();
    assert!(written.unwrap().success());
    let inside = consumer
        .reactor
        .open(receiver.into_raw_fd(), Transport::UnixStream)
        .unwrap();
    consumer.reactor.read_start(inside).unwrap();
    assert_eq!(pieces(&mut consumer, inside, 10).concat(), "minetheirs");
}

/// What a relay moves with and without the kernel's help.
#[cfg(target_os = "linux")]
#[test]
fn a_relay_goes_on_behind_urgent_data() {
    use support::PATIENCE;
    const MUCH: usize = 1 << 20;
    let mut consumer = Consumer::new(1);
    let (source, mut sender) = tcp(&mut consumer);
    let (destination, mut receiver) = tcp(&mut consumer);
    receiver.set_read_timeout(Some(PATIENCE)).unwrap();
    consumer.reactor.relay(source, destination).unwrap();
    let mut got = vec![0; MUCH];
    for size in [10, MUCH, 10, MUCH] {
        let bytes = support::pattern(size);
        let sending = std::thread::spawn(move || {
            sender.write_all(&bytes).unwrap();
            SockRef::from(&sender).send_out_of_band(b"!").unwrap();
            sender.write_all(b"after").unwrap();
            sender
        });
        let got = &mut got[..size];
        receiver.read_exact(got).unwrap();
        assert!(got == support::pattern(size));
        let mut after = [0; 5];
        receiver.read_exact(&mut after).unwrap();
        assert_eq!(&after, b"after");
        sender = sending.join().unwrap();
    }
}
