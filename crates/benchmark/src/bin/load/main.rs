//! Puts load on a peer and prints what it measured, as one line of JSON.
//!
//! ```text
//! ferronet-load echo     --port P --connections N --bytes B --seconds S --warm-up S [--process PID]
//! ferronet-load open     (the same, and --rate: round trips a second, over all connections; see `open_loop.rs`)
//! ferronet-load upload   (as echo; --bytes is the size of a chunk, and bytes are counted)
//! ferronet-load download (the same)
//! ferronet-load writes   (the same, and --batch: how many messages of B bytes answer a request of one byte)
//! ferronet-load http     (as echo, without --bytes: requests, each when the one before is answered)
//! ferronet-load http-close (the same, with a connection for each request)
//! ferronet-load churn    (as echo, without --bytes: connect, one byte there and back, close)
//! ferronet-load accept   (the same as churn, the other way round: prints {"port":P} and waits for connections)
//! ferronet-load idle     --port P --connections N; prints {"connected":N} and holds them
//! ```
//!
//! `--path` in place of `--port` is a Unix socket. `--process` is the peer's: what it used of the processor in the measured interval is part of the result.

mod open_loop;

use std::cell::{Cell, RefCell};
use std::future::{self, Future, poll_fn};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::task::{Poll, ready};
use std::time::{Duration, Instant};

use ferronet_benchmark::arguments::Arguments;
use ferronet_benchmark::connection::Connection;
use ferronet_benchmark::http::{self, Response};
use ferronet_benchmark::parent;
use ferronet_benchmark::recorder::Recorder;
use ferronet_benchmark::stream::{exchange, poll_read, read, read_shared, shut_down, write, write_all};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::task::{JoinHandle, LocalSet, spawn_local};

/// How many connections are opened at once: below every peer's backlog, so that no handshake is lost.
const OPENING: usize = 128;
/// What one read can take.
const BUFFER: usize = 256 << 10;

type Error = Box<dyn std::error::Error>;

/// What a connection does again and again.
#[derive(Clone, Copy)]
enum Work {
    /// A message, there and back.
    Echo,
    /// A byte, answered with many small messages.
    Writes,
    Upload,
    Download,
    /// A request, and its response.
    Http,
}

/// What all connections have in common.
struct Load {
    recorder: Recorder,
    port: u16,
    /// The Unix socket that is connected to, in place of the port.
    path: Option<PathBuf>,
    connections: usize,
    /// Of the open loop.
    rate: Option<NonZeroU32>,
    bytes: usize,
    batch: usize,
    buffer: RefCell<Vec<u8>>,
    message: Vec<u8>,
    connected: Cell<u32>,
}

impl Load {
    fn from(arguments: &Arguments) -> Result<Self, String> {
        let seconds = |name| -> Result<Duration, String> {
            Duration::try_from_secs_f64(arguments.optional(name)?.unwrap_or(0.0))
                .map_err(|error| format!("--{name}: {error}"))
        };
        let number =
            |name| -> Result<usize, String> { Ok(arguments.optional(name)?.map_or(1, NonZeroUsize::get)) };
        let bytes = number("bytes")?;
        Ok(Self {
            recorder: Recorder::new(
                seconds("warm-up")?,
                seconds("seconds")?,
                arguments.optional("process")?,
            ),
            port: arguments.optional("port")?.unwrap_or(0),
            path: arguments.optional("path")?,
            connections: arguments.required::<NonZeroUsize>("connections")?.get(),
            rate: arguments.optional("rate")?,
            bytes,
            batch: number("batch")?,
            buffer: RefCell::new(vec![0; BUFFER]),
            // Bytes whose place shows, so that an answer in the wrong order is found.
            message: (0..=250).cycle().take(bytes).collect(),
            connected: Cell::new(0),
        })
    }

    async fn connect(&self, to: Ipv4Addr) -> io::Result<Connection> {
        match &self.path {
            Some(path) => Connection::unix(path).await,
            None => Connection::tcp(SocketAddr::from((to, self.port))).await,
        }
    }

    /// An address of this machine that differs from call to call, where the system has more than one: a
    /// connection that was closed keeps its pair of ports for a while, and those to a single address would
    /// run out.
    fn next_address(&self) -> Ipv4Addr {
        let next = self.connected.get().wrapping_add(1);
        self.connected.set(next);
        if cfg!(target_os = "linux") {
            Ipv4Addr::from(u32::from(Ipv4Addr::LOCALHOST) + next % 200)
        } else {
            Ipv4Addr::LOCALHOST
        }
    }

    /// A message, there and back, compared byte for byte.
    async fn trip(&self, stream: &mut Connection, message: &[u8]) -> io::Result<()> {
        let right = |at: usize, piece: &[u8]| message[at..at + piece.len()] == *piece;
        exchange(stream, message, message.len(), &self.buffer, right).await
    }

    /// A request and its response.
    async fn ask(&self, stream: &mut Connection, request: &[u8]) -> io::Result<()> {
        write_all(stream, request).await?;
        let mut response = Response::default();
        poll_fn(|context| {
            let buffer = &mut *self.buffer.borrow_mut();
            loop {
                match ready!(poll_read(stream, context, buffer))? {
                    0 => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                    count => {
                        if response.take(&buffer[..count])? {
                            return Poll::Ready(Ok(()));
                        }
                    }
                }
            }
        })
        .await
    }

    /// Does the work once. Returns how much that counts.
    async fn once(&self, work: Work, stream: &mut Connection) -> io::Result<usize> {
        match work {
            Work::Echo => {
                self.trip(stream, &self.message).await?;
                Ok(1)
            }
            Work::Writes => {
                let expected = self.batch * self.bytes;
                exchange(stream, b"?", expected, &self.buffer, |_, _| true).await?;
                Ok(self.batch)
            }
            Work::Upload => write(stream, &self.message).await,
            Work::Download => match read_shared(stream, &self.buffer).await? {
                0 => Err(io::ErrorKind::UnexpectedEof.into()),
                count => Ok(count),
            },
            Work::Http => {
                self.ask(stream, http::REQUEST).await?;
                Ok(1)
            }
        }
    }

    /// Connects, and where the peer answers has it answer: then it has accepted.
    async fn open_one(&self, work: Work) -> io::Result<Connection> {
        let mut stream = self.connect(Ipv4Addr::LOCALHOST).await?;
        match work {
            Work::Echo => self.trip(&mut stream, &self.message[..1]).await?,
            Work::Writes | Work::Http => drop(self.once(work, &mut stream).await?),
            Work::Upload | Work::Download => {}
        }
        Ok(stream)
    }
}

/// Ends a connection in good order: the peer has closed it as well when this returns, and works for it no
/// more.
async fn close(mut stream: Connection) -> io::Result<()> {
    shut_down(&mut stream).await?;
    let mut rest = [0; 4096];
    while read(&mut stream, &mut rest).await? > 0 {}
    Ok(())
}

/// A task each; the first error of any is the error of all.
async fn in_parallel<T: 'static>(
    tasks: impl Iterator<Item: Future<Output = io::Result<T>> + 'static>,
) -> Result<Vec<T>, Error> {
    let handles: Vec<JoinHandle<io::Result<T>>> = tasks.map(spawn_local).collect();
    let mut results = Vec::with_capacity(handles.len());
    for handle in handles {
        results.push(handle.await??);
    }
    Ok(results)
}

/// Opens all connections, a limited number at a time.
async fn open(load: &Rc<Load>, work: Work) -> Result<Vec<Connection>, Error> {
    let missing = Rc::new(Cell::new(load.connections));
    let openers = (0..OPENING.min(load.connections)).map(|_| {
        let (load, missing) = (Rc::clone(load), Rc::clone(&missing));
        async move {
            let mut opened = Vec::new();
            while missing.get() > 0 {
                missing.set(missing.get() - 1);
                opened.push(load.open_one(work).await?);
            }
            Ok(opened)
        }
    });
    Ok(in_parallel(openers).await?.into_iter().flatten().collect())
}

/// Opens the connections and has each do its work until the time is up.
async fn repeat(load: &Rc<Load>, work: Work) -> Result<(), Error> {
    let streams = open(load, work).await?;
    load.recorder.begin();
    let tasks = streams.into_iter().map(|mut stream| {
        let load = Rc::clone(load);
        async move {
            let mut since = Instant::now();
            while !load.recorder.is_over() {
                let amount = load.once(work, &mut stream).await?;
                since = load.recorder.record(since, amount as u64);
            }
            // A peer that is still sending is not waited for.
            if matches!(work, Work::Download) {
                return Ok(());
            }
            close(stream).await
        }
    });
    in_parallel(tasks).await?;
    Ok(())
}

/// Connections that live for one byte, or for one request, a number of them at any time.
async fn churn(load: &Rc<Load>, work: Work) -> Result<(), Error> {
    load.recorder.begin();
    let tasks = (0..load.connections).map(|_| {
        let load = Rc::clone(load);
        async move {
            let mut since = Instant::now();
            while !load.recorder.is_over() {
                let mut stream = load.connect(load.next_address()).await?;
                match work {
                    Work::Http => load.ask(&mut stream, http::LAST_REQUEST).await?,
                    _ => load.trip(&mut stream, &load.message[..1]).await?,
                }
                close(stream).await?;
                since = load.recorder.record(since, 1);
            }
            Ok(())
        }
    });
    in_parallel(tasks).await?;
    Ok(())
}

/// Serves one connection of a peer that connects: a byte there and back, then the peer closes.
async fn serve(load: &Load, mut stream: TcpStream) -> io::Result<()> {
    let since = Instant::now();
    stream.set_nodelay(true)?;
    let mut byte = [0; 64];
    loop {
        let count = read(&mut stream, &mut byte).await?;
        if count == 0 {
            shut_down(&mut stream).await?;
            load.recorder.record(since, 1);
            return Ok(());
        }
        write_all(&mut stream, &byte[..count]).await?;
    }
}

/// The other way round: the peer connects. Returns when the time is up; the listener goes on until the
/// process ends, since the peer may be connecting at that moment.
async fn accept(load: &Rc<Load>) -> Result<(), Error> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
    parent::report(&format!(r#"{{"port":{}}}"#, listener.local_addr()?.port()))?;
    let over = Rc::new(tokio::sync::Notify::new());
    let (load_of_task, over_of_task) = (Rc::clone(load), Rc::clone(&over));
    spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            load_of_task.recorder.begin();
            let (load, over) = (Rc::clone(&load_of_task), Rc::clone(&over_of_task));
            spawn_local(async move {
                // A connection that fails is missing in the count, and the peer reports it.
                if serve(&load, stream).await.is_ok() && load.recorder.is_over() {
                    over.notify_one();
                }
            });
        }
    });
    over.notified().await;
    Ok(())
}

async fn run(mode: &str, load: Rc<Load>) -> Result<(), Error> {
    match mode {
        "echo" => repeat(&load, Work::Echo).await?,
        "open" => return open_loop::run(&load).await,
        "writes" => repeat(&load, Work::Writes).await?,
        "upload" => repeat(&load, Work::Upload).await?,
        "download" => repeat(&load, Work::Download).await?,
        "http" => repeat(&load, Work::Http).await?,
        "churn" => churn(&load, Work::Echo).await?,
        "http-close" => churn(&load, Work::Http).await?,
        "accept" => accept(&load).await?,
        "idle" => {
            let _held = open(&load, Work::Echo).await?;
            parent::report(&format!(r#"{{"connected":{}}}"#, load.connections))?;
            return future::pending().await;
        }
        _ => return Err(format!("there is no mode {mode}").into()),
    }
    parent::report(&load.recorder.result(&[]).ok_or("nothing was measured")?)?;
    if mode == "accept" {
        // The parent first tells the peer to stop, then ends this.
        future::pending::<()>().await;
    }
    Ok(())
}

fn main() -> ExitCode {
    let outcome = Arguments::read().map_err(Error::from).and_then(|arguments| {
        let load = Rc::new(Load::from(&arguments)?);
        drop(parent::lines());
        let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
        LocalSet::new().block_on(&runtime, run(&arguments.mode, load))
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error is where the command looks for a reason.
            drop(std::io::Write::write_fmt(
                &mut io::stderr(),
                format_args!("ferronet-load: {error}\n"),
            ));
            ExitCode::FAILURE
        }
    }
}
