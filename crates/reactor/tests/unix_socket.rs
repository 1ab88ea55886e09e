//! Local sockets by path.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::{Path, PathBuf};

use ferronet_reactor::{Closing, DescriptorKind, Errno, LocalAccess, Reactor, Transport};
use support::Consumer;

/// A folder of this test's own, removed when it ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ferronet-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn converse(path: &str) {
    let mut consumer = Consumer::new(1);
    let listener = consumer.reactor.bind_local(path, LocalAccess::Usual).unwrap();
    consumer.reactor.listen(listener, 511).unwrap();
    let client = consumer.connect_local(path).unwrap();
    let server = consumer.accept(listener);
    consumer.write(client, b"over a path");
    consumer.reactor.shutdown_write(client).unwrap();
    assert_eq!(
        consumer.read_to_end(server),
        (b"over a path".to_vec(), Errno::EOF)
    );
    consumer.reactor.close(listener, Closing::Orderly).unwrap();
}

#[test]
fn a_path_is_there_while_it_is_listened_on_and_gone_when_close_returns() {
    let folder = Folder::new("path");
    let path = folder.path("s");
    converse(&path);
    assert!(!Path::new(&path).exists());
}

#[cfg(target_os = "linux")]
#[test]
fn an_abstract_name_leaves_no_file() {
    converse(&format!("\0ferronet-test-{}", std::process::id()));
}

#[test]
fn a_path_that_cannot_be_used_fails_with_the_reason() {
    let folder = Folder::new("errors");
    let mut consumer = Consumer::new(1);
    assert_eq!(
        consumer
            .reactor
            .bind_local(&folder.path("no/s"), LocalAccess::Usual),
        Err(Errno::EACCES)
    );
    let long = folder.path(&"x".repeat(200));
    assert_eq!(
        consumer.reactor.bind_local(&long, LocalAccess::Usual),
        Err(Errno::EINVAL)
    );
    assert_eq!(consumer.connect_local(&long), Err(Errno::EINVAL));
    let client = consumer.connect_local(&folder.path("unused")).unwrap();
    assert_eq!(consumer.connected(client), Err(Errno::ENOENT));
}

#[test]
fn permissions_are_for_everybody() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("mode");
    let path = folder.path("s");
    let consumer = Consumer::new(1);
    let listener = consumer.reactor.bind_local(&path, LocalAccess::Usual).unwrap();
    consumer.reactor.open_to_all(listener, true, true).unwrap();
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o666,
        0o666
    );
}

fn mode_of(path: impl AsRef<Path>) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

/// The umask takes permissions away; they are added before the socket listens.
#[test]
fn a_socket_for_its_owner_or_for_all_has_exactly_that_mode() {
    let folder = Folder::new("modes");
    let consumer = Consumer::new(1);
    let all = |readable, writable| LocalAccess::All { readable, writable };
    let cases = [
        (LocalAccess::Owner, 0o600),
        (all(true, true), 0o666),
        (all(true, false), 0o444),
        (all(false, true), 0o222),
    ];
    for (access, mode) in cases {
        let path = folder.path(&format!("{mode:o}"));
        let listener = consumer.reactor.bind_local(&path, access).unwrap();
        assert_eq!(mode_of(&path), mode, "{access:?}");
        consumer.reactor.listen(listener, 511).unwrap();
        assert_eq!(mode_of(&path), mode, "{access:?}");
    }
}

/// Linux gives the file the mode that the socket has.
#[cfg(target_os = "linux")]
#[test]
fn a_socket_for_its_owner_is_so_from_the_first_moment() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let folder = Folder::new("first-moment");
    let path = folder.path("s");
    let consumer = Consumer::new(1);
    let (watched, ended) = (PathBuf::from(&path), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            use std::os::unix::fs::PermissionsExt;
            let mut seen = 0;
            while !ended.load(Ordering::Relaxed) {
                if let Ok(file) = std::fs::symlink_metadata(&watched) {
                    seen |= file.permissions().mode() & 0o777;
                }
            }
            seen
        });
        for _ in 0..500 {
            let listener = consumer.reactor.bind_local(&path, LocalAccess::Owner).unwrap();
            consumer.reactor.close(listener, Closing::Orderly).unwrap();
        }
        ended.store(true, Ordering::Relaxed);
        assert_eq!(watching.join().unwrap() & !0o600, 0);
    });
}

#[test]
fn a_link_in_the_place_of_a_socket_is_not_followed() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new("link");
    let (path, secret) = (folder.path("s"), folder.path("secret"));
    std::fs::write(&secret, "secret").unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    let consumer = Consumer::new(1);
    let listener = consumer.reactor.bind_local(&path, LocalAccess::Usual).unwrap();
    std::fs::remove_file(&path).unwrap();
    symlink(&secret, &path).unwrap();
    assert_eq!(
        consumer.reactor.open_to_all(listener, true, true),
        Err(Errno::ENOENT)
    );
    assert_eq!(mode_of(&secret), 0o600);
    consumer.reactor.close(listener, Closing::Orderly).unwrap();
    assert!(
        Path::new(&path).is_symlink(),
        "what was put at the path was removed"
    );
}

#[test]
fn what_has_taken_the_place_of_a_socket_stays_when_that_is_closed() {
    let folder = Folder::new("replaced");
    let (path, next) = (folder.path("s"), folder.path("next"));
    let mut consumer = Consumer::new(1);
    let listener = consumer.reactor.bind_local(&path, LocalAccess::Usual).unwrap();
    consumer.reactor.listen(listener, 511).unwrap();
    // As a server does that takes over from another one.
    let second = consumer.reactor.bind_local(&next, LocalAccess::Usual).unwrap();
    consumer.reactor.listen(second, 511).unwrap();
    std::fs::rename(&next, &path).unwrap();
    consumer.reactor.close(listener, Closing::Orderly).unwrap();
    let client = consumer.connect_local(&path).unwrap();
    assert_eq!(consumer.connected(client), Ok(()));

    let third = consumer
        .reactor
        .bind_local(&folder.path("third"), LocalAccess::Usual)
        .unwrap();
    std::fs::remove_file(folder.path("third")).unwrap();
    std::fs::write(folder.path("third"), "a file").unwrap();
    consumer.reactor.close(third, Closing::Orderly).unwrap();
    assert!(Path::new(&folder.path("third")).exists());
}

#[test]
fn an_adopted_descriptor_is_a_stream() {
    use std::io::{Read, Write};
    use std::os::fd::IntoRawFd;
    let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut consumer = Consumer::new(1);
    let fd = ours.into_raw_fd();
    assert_eq!(Reactor::descriptor_kind(fd), DescriptorKind::Pipe);
    let handle = consumer.reactor.open(fd, Transport::UnixStream).unwrap();
    consumer.write(handle, b"ping");
    let mut read = [0; 4];
    theirs.read_exact(&mut read).unwrap();
    assert_eq!(&read, b"ping");
    theirs.write_all(b"pong").unwrap();
    drop(theirs);
    assert_eq!(consumer.read_to_end(handle), (b"pong".to_vec(), Errno::EOF));
}

#[test]
fn a_number_that_names_nothing_is_refused() {
    let consumer = Consumer::new(1);
    for fd in [-1, 1_000_000] {
        assert_eq!(Reactor::descriptor_kind(fd), DescriptorKind::Unknown);
        assert_eq!(consumer.reactor.open(fd, Transport::Tcp), Err(Errno::EBADF));
    }
}

/// epoll takes no regular files.
#[cfg(target_os = "linux")]
#[test]
fn what_the_poller_refuses_stays_what_it_was() {
    use std::os::fd::IntoRawFd;
    let file = std::fs::File::open("/proc/self/status").unwrap();
    let consumer = Consumer::new(1);
    let fd = file.into_raw_fd();
    let handle = consumer.reactor.open(fd, Transport::UnixStream).unwrap();
    for _ in 0..2 {
        assert_eq!(
            consumer.reactor.read_start(handle).map_err(Errno::code),
            Err(-libc::EPERM)
        );
        assert_eq!(consumer.reactor.raw_descriptor(handle), fd);
        assert_eq!(Reactor::descriptor_kind(fd), DescriptorKind::File);
    }
    consumer.reactor.close(handle, Closing::Orderly).unwrap();
    assert_eq!(consumer.reactor.holder_of(fd), None);
}

#[test]
fn a_number_has_one_handle_and_the_next_gets_a_duplicate() {
    use std::io::Read;
    use std::os::fd::IntoRawFd;
    let (inside, mut outside) = std::os::unix::net::UnixStream::pair().unwrap();
    let (mut consumer, other_consumer) = (Consumer::new(1), Consumer::new(3));
    let fd = inside.into_raw_fd();
    let first = consumer.reactor.open(fd, Transport::UnixStream).unwrap();
    let second = consumer.reactor.open(fd, Transport::UnixStream).unwrap();
    let third = other_consumer.reactor.open(fd, Transport::UnixStream).unwrap();
    assert_eq!(consumer.reactor.holder_of(fd), Some(first));
    assert_eq!(other_consumer.reactor.holder_of(fd), None);
    consumer.write(second, b"two ");
    consumer.write(first, b"one ");
    other_consumer.write(third, b"three");
    consumer.reactor.close(second, Closing::Orderly).unwrap();
    other_consumer.reactor.close(third, Closing::Orderly).unwrap();
    let mut read = [0; 13];
    outside.read_exact(&mut read).unwrap();
    assert_eq!(&read, b"two one three");
    assert_eq!(consumer.reactor.raw_descriptor(first), fd);
    outside.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(consumer.read_to_end(first), (Vec::new(), Errno::EOF));
    consumer.reactor.close(first, Closing::Orderly).unwrap();
    assert_eq!(
        outside.read(&mut read).unwrap(),
        0,
        "the last descriptor is closed"
    );
}
