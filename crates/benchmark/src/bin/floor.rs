//! The floor: what a peer does, by tokio alone on one thread, with nothing above it. A mode is the program that
//! `benchmark/peers/programs.cts` has under the same name.
//!
//! ```text
//! ferronet-floor echo|pipe|sink|source|proxy|connect [--upstream PORT]
//! ferronet-floor echo --path PATH (a Unix socket)
//! ferronet-floor writes --bytes B --batch N
//! ```

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::task::{Poll, ready};

use ferronet_benchmark::arguments::Arguments;
use ferronet_benchmark::parent;
use ferronet_benchmark::stream::{poll_read, read, shut_down, write_all};
use tokio::io::{AsyncRead, AsyncWrite};
#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::task::{LocalSet, spawn_local};

const CHUNK: usize = 64 << 10;
/// How many connections the connecting program has under way, as in `peers/connect.cts`.
const UNDER_WAY: usize = 16;

type Error = Box<dyn std::error::Error>;

thread_local! {
    /// What is read into. A connection has a buffer of its own only while the other side takes less than it
    /// is given.
    static SHARED: RefCell<Vec<u8>> = RefCell::new(vec![0; CHUNK]);
}

/// Reads something and writes it at once, as far as that goes. Returns how much was read, and adds to `rest`
/// what could not be written.
async fn pass_on<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    from: &mut R,
    to: &mut W,
    rest: &mut Vec<u8>,
) -> io::Result<usize> {
    poll_fn(|context| {
        SHARED.with_borrow_mut(|buffer| {
            let count = ready!(poll_read(from, context, buffer))?;
            let written = match Pin::new(&mut *to).poll_write(context, &buffer[..count]) {
                Poll::Ready(written) => written?,
                Poll::Pending => 0,
            };
            rest.extend_from_slice(&buffer[written..count]);
            Poll::Ready(Ok(count))
        })
    })
    .await
}

/// Carries bytes until they end, and then says so.
async fn carry<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(mut from: R, mut to: W) -> io::Result<()> {
    loop {
        let mut rest = Vec::new();
        if pass_on(&mut from, &mut to, &mut rest).await? == 0 {
            return shut_down(&mut to).await;
        }
        write_all(&mut to, &rest).await?;
    }
}

async fn echo(stream: TcpStream) -> io::Result<()> {
    let (from, to) = stream.into_split();
    carry(from, to).await
}

async fn relay(stream: TcpStream, upstream: u16) -> io::Result<()> {
    let other = TcpStream::connect((Ipv4Addr::LOCALHOST, upstream)).await?;
    other.set_nodelay(true)?;
    let (from, to) = stream.into_split();
    let (other_from, other_to) = other.into_split();
    let there = spawn_local(carry(from, other_to));
    carry(other_from, to).await?;
    there.await.map_err(io::Error::other)?
}

async fn sink(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    while read(&mut stream, &mut buffer).await? > 0 {}
    shut_down(&mut stream).await
}

async fn source(mut stream: TcpStream) -> io::Result<()> {
    let chunk = vec![b'x'; CHUNK];
    loop {
        write_all(&mut stream, &chunk).await?;
    }
}

/// All messages of a batch as one: it cannot be done with fewer system calls.
async fn writes(mut stream: TcpStream, answer: Rc<[u8]>) -> io::Result<()> {
    let mut request = [0; 64];
    loop {
        let count = read(&mut stream, &mut request).await?;
        if count == 0 {
            return shut_down(&mut stream).await;
        }
        for _ in 0..count {
            write_all(&mut stream, &answer).await?;
        }
    }
}

async fn serve<F: Future<Output = io::Result<()>> + 'static>(
    program: impl Fn(TcpStream) -> F,
) -> Result<(), Error> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
    parent::report(&format!(r#"{{"port":{}}}"#, listener.local_addr()?.port()))?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // A client that is gone in the middle is the end of a round, not a failure.
        spawn_local(program(stream));
    }
}

#[cfg(unix)]
async fn echo_on_unix(path: &Path) -> Result<(), Error> {
    let listener = UnixListener::bind(path)?;
    parent::report(r#"{"port":0}"#)?;
    loop {
        let (stream, _) = listener.accept().await?;
        let (from, to) = stream.into_split();
        spawn_local(carry(from, to));
    }
}

#[cfg(not(unix))]
#[expect(clippy::unused_async, reason = "as where there are Unix sockets")]
async fn echo_on_unix(_path: &Path) -> Result<(), Error> {
    Err("there are no Unix sockets".into())
}

async fn connect_once(to: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    write_all(&mut stream, b"x").await?;
    let mut byte = [0; 64];
    read(&mut stream, &mut byte).await?;
    shut_down(&mut stream).await?;
    read(&mut stream, &mut byte).await?;
    Ok(())
}

/// What the connecting program is doing.
#[derive(Default)]
struct Connecting {
    wanted: Cell<bool>,
    running: Cell<usize>,
    next: Cell<u32>,
}

async fn connect_until_stopped(state: Rc<Connecting>, port: u16) {
    while state.wanted.get() {
        let turn = state.next.replace(state.next.get().wrapping_add(1)) % 200;
        let address = if cfg!(target_os = "linux") {
            Ipv4Addr::from(u32::from(Ipv4Addr::LOCALHOST) + turn)
        } else {
            Ipv4Addr::LOCALHOST
        };
        if connect_once((address, port).into()).await.is_err() {
            break;
        }
    }
    state.running.set(state.running.get() - 1);
    if state.running.get() == 0 {
        drop(parent::report(r#"{"stopped":true}"#));
    }
}

/// Does what the parent's lines say; only the connecting program gets any but `collect`.
async fn obey(mut lines: tokio::sync::mpsc::UnboundedReceiver<String>) {
    let state = Rc::new(Connecting::default());
    while let Some(line) = lines.recv().await {
        match line.split_once(' ') {
            Some(("connect", port)) => {
                let Ok(port) = port.parse() else { continue };
                state.wanted.set(true);
                state.running.set(UNDER_WAY);
                for _ in 0..UNDER_WAY {
                    spawn_local(connect_until_stopped(Rc::clone(&state), port));
                }
            }
            _ if line == "stop" => state.wanted.set(false),
            // There is no garbage.
            _ => drop(parent::report(r#"{"collected":true}"#)),
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Error> {
    spawn_local(obey(parent::lines()));
    match arguments.mode.as_str() {
        "echo" if arguments.optional::<PathBuf>("path")?.is_some() => {
            echo_on_unix(&arguments.required::<PathBuf>("path")?).await
        }
        "echo" | "pipe" | "connect" => serve(echo).await,
        "sink" => serve(sink).await,
        "source" => serve(source).await,
        "proxy" => {
            let upstream = arguments.required("upstream")?;
            serve(|stream| relay(stream, upstream)).await
        }
        "writes" => {
            let (bytes, batch): (usize, usize) = (arguments.required("bytes")?, arguments.required("batch")?);
            let answer: Rc<[u8]> = vec![b'x'; bytes * batch].into();
            serve(|stream| writes(stream, Rc::clone(&answer))).await
        }
        mode => Err(format!("there is no mode {mode}").into()),
    }
}

fn main() -> ExitCode {
    let outcome = Arguments::read().map_err(Error::from).and_then(|arguments| {
        let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
        LocalSet::new().block_on(&runtime, run(arguments))
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error is where the command looks for a reason.
            drop(io::Write::write_fmt(
                &mut io::stderr(),
                format_args!("ferronet-floor: {error}\n"),
            ));
            ExitCode::FAILURE
        }
    }
}
