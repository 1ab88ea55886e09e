//! The calls from JavaScript. Each returns 0, a count or an id, or a negative libuv error.

#![expect(
    clippy::needless_pass_by_value,
    reason = "Node-API gives strings as their own copies"
)]

use std::cell::Ref;
use std::io::IoSlice;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use ferronet_numbers::{Driver, HostLoop};
use ferronet_reactor::{
    DescriptorKind, Drive, Errno, KeepAlive, Reactor as Core, Sleep, SocketOptions, Target, TransferId,
    Unread, Window, format_ip, parse_ip,
};
use napi::bindgen_prelude::{Array, FromNapiValue, Function, Object, Uint8ArraySlice, Unknown};
use napi::{Env, Error, JsValue, Result, Status};
use napi_derive::napi;

use crate::delivery::Delivery;
use crate::event_loop::EventLoop;
use crate::numbers::{accepted, address_options, bits, count, done, id, local_access, made, transport_of};
use crate::options;
use crate::reactor_ref::ReactorRef;
use crate::stats;
use crate::threadsafe_waker::{Item, Threadsafe, ThreadsafeWaker};

/// Parses an address of the given family as `uv_ip4_addr` and `uv_ip6_addr` do.
fn ip(address: &str, port: u16, ipv6: bool) -> std::result::Result<std::net::SocketAddr, Errno> {
    parse_ip(address, port).and_then(|address| {
        if address.is_ipv6() == ipv6 {
            Ok(address)
        } else {
            Err(Errno::EINVAL)
        }
    })
}

/// The local or the peer's address of a TCP handle.
#[derive(Debug)]
#[napi(object, object_from_js = false)]
pub struct SocketName {
    /// The IP address as text, with its zone if it is link-local IPv6.
    pub address: String,
    /// `IPv4` or `IPv6`.
    pub family: &'static str,
    /// 0 to 65535.
    pub port: u16,
}

impl From<std::net::SocketAddr> for SocketName {
    fn from(address: std::net::SocketAddr) -> Self {
        let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
        Self {
            address: format_ip(&address),
            family,
            port: address.port(),
        }
    }
}

/// The sockets of one environment. All methods are called on the thread that made it.
#[napi]
#[derive(Debug)]
pub struct Reactor {
    core: ReactorRef,
    host: Host,
}

impl Reactor {
    pub(crate) fn core(&self) -> Ref<'_, Core> {
        self.core.get()
    }
}

/// The event loop that events are delivered in.
#[derive(Debug)]
enum Host {
    Libuv(Rc<EventLoop>),
    Other(Arc<Threadsafe>),
}

#[napi]
impl Reactor {
    /// Makes a reactor. Its threads start with the first handle. `dispatch(event, value, chunk)` is
    /// called for each event (`event`: an `EventKind` in the lowest `KIND_BITS`, and above them the slot of its handle), each
    /// call in a turn of its own. `host`: a `HostLoop`.
    /// `driver`: a `Driver`. `threads`: how many threads share the connections. `later`: for a host without
    /// libuv that runs no ticks between two items of a threadsafe function. It is called for each event, and
    /// has to call `deliver` in a turn of its own. `dispatch_one_of_many`: as `dispatch`, and then runs ticks
    /// and promise jobs, as those of Node's `processTicksAndRejections`. With it, several connections that are
    /// readable share a callback scope, where the host has libuv.
    ///
    /// # Errors
    /// For an unknown host or driver, and when the environment is ending.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        env: Env,
        #[napi(ts_arg_type = "(event: number, value: number, chunk?: Buffer | ArrayBuffer) => void")]
        dispatch: Function<'_, (), ()>,
        host: i32,
        driver: i32,
        threads: u32,
        later: Option<Function<'_, (), ()>>,
        #[napi(ts_arg_type = "(event: number, value: number, chunk?: Buffer | ArrayBuffer) => void")]
        dispatch_one_of_many: Option<Function<'_, (), ()>>,
    ) -> Result<Self> {
        let (Some(host), Some(driver)) = (HostLoop::of(host), Driver::of(driver)) else {
            return Err(Error::new(Status::InvalidArg, "ferronet: no such host or driver"));
        };
        let drive = match driver {
            Driver::Auto => Drive::Auto,
            Driver::Thread => Drive::Thread,
            Driver::Loop => Drive::Loop,
        };
        let sleep = match host {
            HostLoop::EmbeddedLibuv => Sleep::Outside,
            HostLoop::Foreign | HostLoop::Libuv => Sleep::Inside,
        };
        let threads = threads as usize;
        if host != HostLoop::Foreign
            && let Some(event_loop) = EventLoop::of(
                &env,
                Delivery::new(
                    &env,
                    dispatch.raw(),
                    dispatch_one_of_many.map(|function| function.raw()),
                )?,
            )
        {
            let core = Arc::new(Core::in_loop(event_loop.waker(), sleep, drive, threads));
            stats::note(&core);
            if !event_loop.watch(&env, Arc::clone(&core)) {
                return Err(Error::from_reason("ferronet: the environment is ending"));
            }
            let (core, host) = (ReactorRef::new(core), Host::Libuv(event_loop));
            return Ok(Self { core, host });
        }
        let delivery = Delivery::new(&env, dispatch.raw(), None)?;
        let item = later.map_or(Item::Delivers(dispatch.raw()), |later| Item::Defers(later.raw()));
        let threadsafe = Threadsafe::new(&env, item, delivery)?;
        let waker = Box::new(ThreadsafeWaker(Arc::clone(&threadsafe)));
        let core = Arc::new(Core::new(waker, threads));
        stats::note(&core);
        threadsafe.serve(&core);
        // Cleanup hooks run last in, first out. The threadsafe function added its own above, so this one ends
        // the reactor's threads before that closes the function.
        let core = ReactorRef::new(core);
        let ending = (core.clone(), Arc::clone(&threadsafe));
        env.add_env_cleanup_hook(ending, |(core, threadsafe)| {
            core.get().shutdown();
            core.clear();
            threadsafe.end();
        })?;
        let host = Host::Other(threadsafe);
        Ok(Self { core, host })
    }

    /// Sets whether the event loop stays alive for events of this reactor. Default: it does not.
    ///
    /// # Errors
    /// When the environment is ending.
    #[napi(catch_unwind)]
    pub fn set_ref(&self, env: Env, alive: bool) -> Result<()> {
        match &self.host {
            Host::Libuv(event_loop) => {
                event_loop.set_ref(alive);
                Ok(())
            }
            Host::Other(threadsafe) => threadsafe.set_ref(&env, alive),
        }
    }

    /// Calls the dispatcher with the next event, if there is one. To be called once for each call of `later`.
    /// Does nothing with libuv.
    #[napi(catch_unwind)]
    pub fn deliver(&self) {
        if let Host::Other(threadsafe) = &self.host {
            threadsafe.deliver_next();
        }
    }

    /// Makes a TCP socket with options and binds it to an IP address and port. Returns its id. `flags`:
    /// `UV_TCP_IPV6ONLY`, `UV_TCP_REUSEPORT`, `TCP_EXCLUSIVE`. `options` as for `opener`.
    ///
    /// # Errors
    /// When an option has another type.
    #[napi(catch_unwind)]
    pub fn bind_tcp(
        &self,
        address: String,
        port: u16,
        ipv6: bool,
        flags: u32,
        options: Option<Object<'_>>,
    ) -> Result<f64> {
        let options = SocketOptions {
            address: address_options(flags),
            ..options::read_any(options.as_ref())?
        };
        Ok(made(
            ip(&address, port, ipv6).and_then(|address| self.core().bind_tcp(&address, &options)),
        ))
    }

    /// Makes a local socket and binds it to a path. Returns its id. `access`: `UV_READABLE`, `UV_WRITABLE`,
    /// `PIPE_OWNER_ONLY`; with 0 the system decides.
    #[napi(catch_unwind)]
    pub fn bind_local(&self, path: String, access: u32) -> f64 {
        made(self.core().bind_local(&path, local_access(access)))
    }

    /// The id of the handle of this reactor that owns a descriptor, or -1.
    #[napi(catch_unwind)]
    pub fn holder_of(&self, fd: i32) -> f64 {
        self.core().holder_of(fd).map_or(-1.0, |holder| made(Ok(holder)))
    }

    /// Makes a handle that owns a descriptor from now on, or a duplicate of it if another handle of this
    /// process owns it already. `transport`: a `Transport`. Returns the id of the handle.
    #[napi(catch_unwind)]
    pub fn open(&self, fd: i32, transport: i32) -> f64 {
        let transport = transport_of(transport).ok_or(Errno::EINVAL);
        made(transport.and_then(|transport| self.core().open(fd, transport)))
    }

    /// Makes a bound handle listen.
    #[napi(catch_unwind)]
    pub fn listen(&self, handle: f64, backlog: i32) -> i32 {
        done(self.core().listen(id(handle), backlog))
    }

    /// Makes a listener accept no connection ahead of JavaScript.
    #[napi(catch_unwind)]
    pub fn accept_on_demand(&self, handle: f64) -> i32 {
        done(self.core().accept_on_demand(id(handle)))
    }

    /// Makes a handle that listens, or will, deliver `Descriptor` events in place of `Connection` events.
    #[napi(catch_unwind)]
    pub fn give_descriptors(&self, handle: f64) -> i32 {
        done(self.core().give_descriptors(id(handle)))
    }

    /// Makes the function that makes a TCP socket: `openTcp(ipv6, options)`, 1 for IPv6. It returns the id,
    /// or a negative error. An option that the system refuses is left as the system has it.
    ///
    /// # Errors
    /// When the environment is ending.
    #[napi(
        catch_unwind,
        ts_return_type = "(ipv6: number, options: object | undefined) => number"
    )]
    pub fn opener<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        crate::opener::function(env, self.core.clone())
    }

    /// Makes a local socket. Returns its id.
    #[napi(catch_unwind)]
    pub fn local_socket(&self) -> f64 {
        made(self.core().local_socket())
    }

    /// Makes a handle without a socket whose connect has failed with `errno`. Returns its id. A `Connected`
    /// event will follow.
    #[napi(catch_unwind)]
    pub fn failed_connect(&self, errno: i32) -> f64 {
        made(self.core().failed_connect(Errno::from_code(errno)))
    }

    /// Begins to connect to an IP address and port; a `Connected` event will follow.
    #[napi(catch_unwind)]
    pub fn connect_tcp(&self, handle: f64, address: String, port: u16, ipv6: bool) -> i32 {
        done(
            ip(&address, port, ipv6)
                .and_then(|address| self.core().connect(id(handle), &Target::Tcp(&address))),
        )
    }

    /// Begins to connect to a local path; a `Connected` event will follow.
    #[napi(catch_unwind)]
    pub fn connect_local(&self, handle: f64, path: String) -> i32 {
        done(self.core().connect(id(handle), &Target::Local(&path)))
    }

    /// Makes the function that sends bytes or a string: `write(handle, chunk, form)`. `form`: a `ChunkForm`.
    /// It returns twice the number of accepted bytes, plus 1 if a `Wrote` event will follow, or a negative
    /// error. A string is accepted whole. Of a view fewer bytes may be accepted; the rest is to be written
    /// after that event.
    ///
    /// # Errors
    /// When the environment is ending.
    #[napi(
        catch_unwind,
        ts_return_type = "{ (handle: number, chunk: Uint8Array): number | undefined; (handle: number, chunk: Uint8Array | string, form: number): number }"
    )]
    pub fn writer<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        crate::writer::function(env, self.core.clone())
    }

    /// Makes the function for the calls that every connection needs: `control(operation, handle, flag)`.
    /// `operation`: an `Operation`. It returns 0 or a negative error.
    ///
    /// # Errors
    /// When the environment is ending.
    #[napi(
        catch_unwind,
        ts_return_type = "(operation: number, handle: number, flag?: number) => number"
    )]
    pub fn control<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        let event_loop = match &self.host {
            Host::Libuv(event_loop) => Rc::downgrade(event_loop),
            Host::Other(_) => Weak::new(),
        };
        crate::control::function(env, self.core.clone(), event_loop)
    }

    /// Sends several chunks as one write. Returns what the function of `writer` returns. `pending`: the
    /// chunks belong to a write that was accepted before, so an error of the system is reported by its event.
    ///
    /// # Errors
    /// When `chunks` contains anything but bytes.
    #[napi(catch_unwind)]
    pub fn writev(
        &self,
        handle: f64,
        #[napi(ts_arg_type = "ReadonlyArray<Uint8Array>")] chunks: Array<'_>,
        pending: bool,
    ) -> Result<f64> {
        let chunks = views(&chunks)?;
        let slices: Vec<_> = chunks.iter().map(|chunk| IoSlice::new(chunk)).collect();
        let window = if pending { Window::Next } else { Window::First };
        Ok(accepted(self.core().write_window(id(handle), &slices, window)))
    }

    /// The number of written bytes that the kernel has not taken.
    #[napi(catch_unwind)]
    pub fn write_queue_size(&self, handle: f64) -> u32 {
        u32::try_from(self.core().write_queue_size(id(handle))).unwrap_or(u32::MAX)
    }

    /// Sends on `destination` what `source` receives, without an event, until `stopRelay` or the end of
    /// `source`.
    #[napi(catch_unwind)]
    pub fn relay(&self, source: f64, destination: f64) -> i32 {
        done(self.core().relay(id(source), id(destination)))
    }

    /// Ends a relay before it returns. Returns the number of bytes that it has moved since it was started.
    #[napi(catch_unwind)]
    pub fn stop_relay(&self, source: f64) -> f64 {
        count(self.core().stop_relay(id(source)).bytes)
    }

    /// The number of bytes that the last relay of a handle has moved since it was started.
    #[napi(catch_unwind)]
    pub fn relayed(&self, source: f64) -> f64 {
        count(self.core().relayed(id(source)).bytes)
    }

    /// How long the last relay of a handle has moved nothing, in milliseconds.
    #[napi(catch_unwind)]
    pub fn relay_idle(&self, source: f64) -> f64 {
        self.core().relayed(id(source)).idle.as_secs_f64() * 1000.0
    }

    /// The number of relays.
    #[napi(catch_unwind)]
    pub fn relays(&self) -> u32 {
        u32::try_from(self.core().relays()).unwrap_or(u32::MAX)
    }

    /// Takes a handle out of this reactor, with its buffered bytes. Its id has to be closed as usual.
    /// `unread`: delivered bytes that are put back; `end`: so is the peer's FIN. Returns the number that
    /// `receive` takes, or a negative error, which leaves the handle unchanged.
    ///
    /// # Errors
    /// When `unread` contains anything but bytes.
    #[napi(catch_unwind)]
    pub fn send_off(
        &self,
        handle: f64,
        #[napi(ts_arg_type = "ReadonlyArray<Uint8Array>")] unread: Array<'_>,
        end: bool,
    ) -> Result<f64> {
        let chunks = views(&unread)?;
        let chunks: Vec<&[u8]> = chunks.iter().map(AsRef::as_ref).collect();
        let unread = Unread { chunks: &chunks, end };
        let sent = self.core().send_off(id(handle), &unread);
        Ok(sent.map_or_else(
            |errno| f64::from(errno.code()),
            |transfer| count(transfer.to_bits()),
        ))
    }

    /// Takes a handle that another reactor has sent off. Returns its id in this one.
    #[napi(catch_unwind)]
    pub fn receive(&self, transfer: f64) -> f64 {
        made(self.core().receive(TransferId::from_bits(bits(transfer))))
    }

    /// The descriptor's number, or -1.
    #[napi(catch_unwind)]
    pub fn fd(&self, handle: f64) -> i32 {
        self.core().raw_descriptor(id(handle))
    }

    /// Duplicates the descriptor. Returns the new one, which the caller has to close, or an error.
    #[napi(catch_unwind)]
    pub fn duplicate(&self, handle: f64) -> i32 {
        self.core().duplicate(id(handle)).unwrap_or_else(Errno::code)
    }

    /// The local address, or an error.
    #[napi(catch_unwind, ts_return_type = "SocketName | number")]
    pub fn local_address(&self, handle: f64) -> napi::Either<SocketName, i32> {
        either(self.core().local_address(id(handle)))
    }

    /// The peer's address, or an error.
    #[napi(catch_unwind, ts_return_type = "SocketName | number")]
    pub fn peer_address(&self, handle: f64) -> napi::Either<SocketName, i32> {
        either(self.core().peer_address(id(handle)))
    }

    /// Sets options of an open socket. All of them are tried; the error is that of the first one that the
    /// system refuses.
    ///
    /// # Errors
    /// When an option has another type.
    #[napi(catch_unwind)]
    pub fn set_options(&self, handle: f64, options: Object<'_>) -> Result<i32> {
        let options = options::read(&options)?;
        Ok(done(self.core().set_options(id(handle), &options)))
    }

    /// As `setOptions`, without an object: every connection may need it. `idle` and `interval` are in
    /// seconds; 0 keeps the system's value, also for `count`.
    #[napi(catch_unwind)]
    pub fn set_keep_alive(&self, handle: f64, on: bool, idle: u32, interval: u32, count: u32) -> i32 {
        let keep_alive = if on {
            KeepAlive::from_seconds(idle, interval, count)
        } else {
            KeepAlive::Off
        };
        let options = SocketOptions {
            keep_alive: Some(keep_alive),
            ..SocketOptions::default()
        };
        done(self.core().set_options(id(handle), &options))
    }

    /// `IP_TOS` or `IPV6_TCLASS`, or an error.
    #[napi(catch_unwind)]
    pub fn type_of_service(&self, handle: f64) -> i32 {
        match self.core().type_of_service(id(handle)) {
            Ok(tos) => i32::try_from(tos).unwrap_or(0),
            Err(errno) => errno.code(),
        }
    }

    /// Sets the permissions of a bound local socket for all users.
    #[napi(catch_unwind)]
    pub fn open_to_all(&self, handle: f64, readable: bool, writable: bool) -> i32 {
        done(self.core().open_to_all(id(handle), readable, writable))
    }
}

/// The bytes of several views. All elements are read before the memory of any of them is accessed: reading an
/// element may run JavaScript (a getter, a proxy), which could detach the memory of another one.
fn views<'a>(chunks: &Array<'a>) -> Result<Vec<Uint8ArraySlice<'a>>> {
    let elements = (0..chunks.len())
        .filter_map(|index| chunks.get::<Unknown<'a>>(index).transpose())
        .collect::<Result<Vec<_>>>()?;
    elements.into_iter().map(Uint8ArraySlice::from_unknown).collect()
}

/// Closes a handle that was sent off and will not be received. Does nothing if a reactor has received it.
#[napi(catch_unwind)]
pub fn give_up(transfer: f64) {
    Core::give_up(TransferId::from_bits(bits(transfer)));
}

fn either(result: std::result::Result<std::net::SocketAddr, Errno>) -> napi::Either<SocketName, i32> {
    match result {
        Ok(address) => napi::Either::A(address.into()),
        Err(errno) => napi::Either::B(errno.code()),
    }
}

/// The type of a descriptor, as `uv_guess_handle` names it.
#[napi(
    catch_unwind,
    ts_return_type = "'TCP' | 'PIPE' | 'FILE' | 'TTY' | 'UDP' | 'UNKNOWN'"
)]
pub fn guess_handle_type(fd: i32) -> &'static str {
    match Core::descriptor_kind(fd) {
        DescriptorKind::Tcp => "TCP",
        DescriptorKind::Pipe => "PIPE",
        DescriptorKind::File => "FILE",
        DescriptorKind::Terminal => "TTY",
        DescriptorKind::Udp => "UDP",
        DescriptorKind::Unknown => "UNKNOWN",
    }
}
