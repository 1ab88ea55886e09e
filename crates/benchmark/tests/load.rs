//! The load generator as a process, against peers on the loopback interface.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

/// The bare tokio server, which ends with its standard input.
struct Floor {
    child: Child,
    port: String,
}

impl Floor {
    fn start(arguments: &[&str]) -> io::Result<Self> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ferronet-floor"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line)?;
        let port = line.chars().filter(char::is_ascii_digit).collect();
        Ok(Self { child, port })
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().expect("it was started");
    }
}

fn load(arguments: &[&str]) -> io::Result<Output> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ferronet-load"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    // Its end would be the end of the program, and `wait_with_output` closes what it finds.
    let input = child.stdin.take();
    let output = child.wait_with_output();
    drop(input);
    output
}

/// The number of a name in the last line, which is flat enough for that.
fn number(output: &Output, name: &str) -> f64 {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().last().unwrap_or_default();
    let value = line.split(&format!("\"{name}\":")).nth(1).unwrap_or_default();
    let end = value.find([',', '}']).unwrap_or(value.len());
    value[..end].parse().unwrap_or_else(|_| {
        panic!(
            "no number {name} in {text:?}, {:?}",
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

/// Accepts connections, and has each echo after a pause.
fn slow_echo(pause: Duration) -> io::Result<String> {
    fn echo(mut stream: TcpStream, pause: Duration) -> io::Result<()> {
        let mut message = [0; 64];
        loop {
            let count = stream.read(&mut message)?;
            if count == 0 {
                return Ok(());
            }
            thread::sleep(pause);
            stream.write_all(&message[..count])?;
        }
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || echo(stream, pause));
        }
    });
    Ok(port.to_string())
}

#[test]
fn an_open_loop_keeps_its_rate() -> io::Result<()> {
    let floor = Floor::start(&["echo"])?;
    let output = load(&[
        "open",
        "--port",
        &floor.port,
        "--connections",
        "4",
        "--bytes",
        "64",
        "--rate",
        "500",
        "--seconds",
        "0.4",
        "--warm-up",
        "0.1",
    ])?;
    assert!(output.status.success());
    assert!(output.stdout.starts_with(b"{\"measuring\":true}\n"));
    assert!((number(&output, "offered") - 500.0).abs() < f64::EPSILON);
    let rate = number(&output, "count") / number(&output, "seconds");
    // A closed loop has tens of thousands. Less than the rate is a machine that was busy.
    assert!((100.0..=600.0).contains(&rate), "{rate} a second");
    assert!(number(&output, "p999") <= number(&output, "max"));
    Ok(())
}

#[test]
fn an_open_loop_charges_a_slow_peer_for_what_it_kept_waiting() -> io::Result<()> {
    let pause = Duration::from_millis(20);
    let port = slow_echo(pause)?;
    let output = load(&[
        "open",
        "--port",
        &port,
        "--connections",
        "2",
        "--bytes",
        "8",
        "--rate",
        "1000",
        "--seconds",
        "0.5",
    ])?;
    assert!(output.status.success());
    // Two connections with a round trip in 20 ms each are a tenth of the rate at most.
    let (count, unsent) = (number(&output, "count"), number(&output, "unsent"));
    assert!(count <= 60.0, "{count} round trips");
    assert!(unsent >= 300.0, "{unsent} unsent");
    assert!(number(&output, "late") >= unsent);
    // Half of all waited far longer than one round trip takes.
    assert!(
        number(&output, "p50") > 100e6,
        "p50 of {}",
        number(&output, "p50")
    );
    Ok(())
}

/// Answers everything that it receives on a connection with a response, and ends the connection when it is asked to.
fn http_server() -> io::Result<String> {
    fn answer(mut stream: TcpStream) -> io::Result<()> {
        let mut request = [0; 512];
        loop {
            let count = stream.read(&mut request)?;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")?;
            stream.write_all(b"ok")?;
            if count == 0 || String::from_utf8_lossy(&request[..count]).contains("close") {
                return Ok(());
            }
        }
    }
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(stream));
        }
    });
    Ok(port.to_string())
}

#[test]
fn requests_are_counted_over_kept_connections_and_over_new_ones() -> io::Result<()> {
    let port = http_server()?;
    for mode in ["http", "http-close"] {
        let output = load(&[mode, "--port", &port, "--connections", "2", "--seconds", "0.1"])?;
        assert!(number(&output, "count") >= 1.0, "{mode}");
    }
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_path_is_a_unix_socket() -> io::Result<()> {
    let path = std::env::temp_dir().join(format!("ferronet-load-{}.sock", std::process::id()));
    let path = path.to_str().expect("it is text");
    {
        let _floor = Floor::start(&["echo", "--path", path])?;
        for mode in ["echo", "churn"] {
            let output = load(&[mode, "--path", path, "--connections", "2", "--seconds", "0.1"])?;
            assert!(number(&output, "count") >= 1.0, "{mode}");
        }
    }
    std::fs::remove_file(path)
}

#[test]
fn a_number_that_makes_no_sense_is_an_error() -> io::Result<()> {
    for (mode, name, value) in [
        ("echo", "--bytes", "0"),
        ("writes", "--batch", "0"),
        ("echo", "--connections", "0"),
        ("open", "--rate", "0"),
        ("open", "--rate", "-1"),
        ("open", "--rate", "10000001"),
        ("echo", "--seconds", "-1"),
        ("echo", "--port", "65536"),
    ] {
        let output = load(&[mode, "--connections", "1", name, value])?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{name} {value}: {complaint}");
        assert!(complaint.starts_with("ferronet-load: "), "{complaint}");
        assert!(complaint.contains(name), "{complaint}");
        assert!(!complaint.contains("panicked"), "{complaint}");
    }
    let output = load(&["open", "--connections", "1"])?;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stderr, b"ferronet-load: --rate is missing\n");
    Ok(())
}
