// `server.listen`: from the ways to call it to a handle that is bound, and to one that listens.
import type { LookupAddress } from 'node:dns';
import type { EventEmitter } from 'node:events';

import { normalizeArguments, isPipeName, toNumber } from './arguments.js';
import { adoptBoundSocket, BoundSocket } from './bound-socket.js';
import type * as Cluster from './cluster.js';
import { debug, listenEndChannel, listenErrorChannel } from './diagnostics.js';
import { ERR_INVALID_ARG_VALUE, errnoException, listenException, uvErrno } from './errors.js';
import type { StreamHandle } from './handle.js';
import { Pipe, PIPE_OWNER_ONLY, TCP, UV_READABLE, UV_TCP_IPV6ONLY, UV_TCP_REUSEPORT, UV_WRITABLE } from './handle.js';
import { dns, isLoaded } from './node-modules.js';
import { checkBindAllowed } from './permission.js';
import type * as NodeHandles from './node-handle.js';
import { createHandle } from './socket-options.js';
import { validateAbortSignal, validatePort } from './validators.js';

/** Options of `server.listen()`. */
export interface ListenOptions {
  /** 0 to 65535. Without one, or 0: the system picks one. */
  port?: number | string | null | undefined;
  /** The address to listen on, or a name of one. Default: all addresses, `::` or where there is no IPv6 `0.0.0.0`. */
  host?: string | undefined;
  /** A Unix socket or a named pipe. A port wins over it. */
  path?: string | undefined;
  /** Connections that may wait to be accepted. Default 511. */
  backlog?: number | undefined;
  /** In a worker of a cluster: keeps the address for this worker, instead of sharing it with all of them. Default `false`. */
  exclusive?: boolean | undefined;
  /** Takes no IPv4 connections on `::`. Default `false`. */
  ipv6Only?: boolean | undefined;
  /** Lets other sockets listen on the same port; the kernel spreads the connections. Default `false`. */
  reusePort?: boolean | undefined;
  /** Makes a local socket readable for all users. Default `false`. */
  readableAll?: boolean | undefined;
  /** Makes a local socket writable for all users. Default `false`. */
  writableAll?: boolean | undefined;
  /**
   * Lets nobody but the owner of the process use a local socket (on Windows also the system): from before anybody could.
   * In a worker of a cluster it is this worker's alone, as with `exclusive`. Default `false`.
   */
  ownerOnly?: boolean | undefined;
  /** Listens on an address that is bound already, which belongs to the server from then on. `signal` is ignored then. */
  handle?: BoundSocket | undefined;
  /** Closes the server when aborted. */
  signal?: AbortSignal | undefined;
  /** A bound or listening socket of this process; it belongs to the server from then on. */
  fd?: number | undefined;
}

/** Where to listen, read from the arguments. */
export type ListenTarget = { backlog: number; signal?: AbortSignal | undefined } & (
  | { kind: 'handle'; handle: StreamHandle; path?: string | undefined }
  | { kind: 'fd'; fd: number }
  | { kind: 'port'; port: number; host: string | undefined; flags: number; exclusive: boolean }
  | { kind: 'path'; path: string; mode: number; flags: number | undefined; exclusive: boolean }
);

/** What a server listens with: a handle of ours, or what a worker of a cluster has of one of the primary's. */
export interface ListenerHandle {
  onconnection?: (status: number, client?: StreamHandle) => void;
  listen: (backlog: number) => number;
  close: (callback?: () => void) => void;
  ref: () => void;
  unref: () => void;
}

/** A `Server`, as seen from below. */
export interface ServerCore extends EventEmitter {
  _handle: ListenerHandle | null;
  _unref: boolean;
  _listeningId: number;
  _connectionKey?: string;
  _pipeName?: string | undefined;
  _listen2: (
    address: string | null,
    port: number | null,
    addressType: number | null,
    backlog: number,
    fd?: number,
    flags?: number,
  ) => void;
  unref: () => unknown;
}

type Given = Omit<ListenOptions, 'handle'> & { _handle?: unknown; handle?: unknown };

const UV_EADDRINUSE: number = uvErrno('EADDRINUSE');
const UV_EINVAL: number = uvErrno('EINVAL');
const DEFAULT_BACKLOG = 511;

/** @throws TypeError or RangeError, as Node does, for arguments that say nowhere to listen */
export function readListenTarget(args: readonly unknown[]): ListenTarget {
  const [normalized] = normalizeArguments(args);
  // The number behind the first argument, or behind the host.
  const backlog = toNumber(args.length > 1 && args[1]) || toNumber(args.length > 2 && args[2]) || 0;
  const holder = normalized as Given;
  const bound = holder instanceof BoundSocket ? holder : holder.handle;
  if (bound instanceof BoundSocket) return adoptBound(bound, holder.backlog || backlog);
  const options = (holder._handle || holder.handle || holder) as Given & Record<string, unknown>;
  if (options instanceof TCP || options instanceof Pipe) {
    return { kind: 'handle', handle: options as StreamHandle, backlog };
  }
  if ((options as { fd?: unknown }).fd === -1) {
    const { isUnnumbered, takeNodeHandle } = require('./node-handle.js') as typeof NodeHandles;
    if (isUnnumbered(options)) {
      const handle = takeNodeHandle(options, true);
      if (typeof handle === 'number') throw errnoException(handle, 'listen');
      return { kind: 'handle', handle, backlog };
    }
  }
  const { signal, fd } = options;
  validateAbortSignal(signal, 'options.signal');
  if (typeof fd === 'number' && fd >= 0) return { kind: 'fd', fd, backlog, signal };
  return { ...readAddress(args, options), backlog: options.backlog || backlog, signal } as ListenTarget;
}

function adoptBound(bound: BoundSocket, backlog: number): ListenTarget {
  const address = bound.address();
  return {
    kind: 'handle',
    handle: adoptBoundSocket(bound),
    path: typeof address === 'string' ? address : undefined,
    backlog,
  };
}

function readAddress(args: readonly unknown[], options: Given): object {
  const port = wantedPort(args, options);
  if (typeof port === 'number' || typeof port === 'string') {
    return { ...readFlags(options), kind: 'port', port: validatePort(port, 'options.port'), host: options.host };
  }
  const { path } = options;
  if (path && isPipeName(path)) {
    const mode = (options.readableAll === true ? UV_READABLE : 0) | (options.writableAll === true ? UV_WRITABLE : 0);
    if (path.startsWith('\0') && (options.readableAll || options.writableAll)) {
      // Misspelt like this in Node, and compared by programs.
      const reason = 'can not set readableAll or writableAllt to true when path is abstract unix socket';
      throw new ERR_INVALID_ARG_VALUE('options', options, reason);
    }
    const ownerOnly = options.ownerOnly === true;
    if (ownerOnly && (mode !== 0 || path.startsWith('\0'))) {
      const reason = 'ownerOnly goes neither with readableAll or writableAll nor with an abstract unix socket';
      throw new ERR_INVALID_ARG_VALUE('options', options, reason);
    }
    return {
      kind: 'path',
      path,
      mode,
      flags: ownerOnly ? PIPE_OWNER_ONLY : undefined,
      exclusive: Boolean(options.exclusive) || ownerOnly,
    };
  }
  if ('port' in options || 'path' in options) throw new ERR_INVALID_ARG_VALUE('options', options);
  throw new ERR_INVALID_ARG_VALUE('options', options, 'must have the property "port" or "path"');
}

// No port at all, or one that is there and empty, is any port.
function wantedPort(args: readonly unknown[], options: Given): unknown {
  const { port } = options;
  const none = args.length === 0 || typeof args[0] === 'function';
  return none || port === null || (port === undefined && 'port' in options) ? 0 : port;
}

function readFlags({ ipv6Only, reusePort, exclusive }: Given): { flags: number; exclusive: boolean } {
  const flags = (ipv6Only === true ? UV_TCP_IPV6ONLY : 0) | (reusePort === true ? UV_TCP_REUSEPORT : 0);
  // Sockets that share a port are not shared among workers as well.
  return { flags, exclusive: Boolean(exclusive) || reusePort === true };
}

/** Begins to listen. What goes wrong is an `error` event later. */
export function listenOn(server: ServerCore, target: ListenTarget): void {
  const { backlog } = target;
  switch (target.kind) {
    case 'handle':
      server._handle = target.handle;
      server._pipeName = target.path;
      server._listen2(null, -1, -1, backlog);
      break;
    case 'fd':
      share(server, { address: null, port: null, addressType: null, backlog, fd: target.fd }, false);
      break;
    case 'port':
      if (target.host) lookUpAndListen(server, target.host, target);
      else listenOnAddress(server, null, 4, target);
      break;
    case 'path':
      server._pipeName = target.path;
      listenOnPath(server, target);
      break;
  }
}

/** Listens, in a worker of a cluster with what its primary has bound for all, unless the address is to be its own. */
function share(server: ServerCore, query: Cluster.ServerQuery, exclusive: boolean): void {
  // Node loads `cluster` itself in a worker, before the program.
  if (isLoaded('cluster')) {
    const { listenInCluster } = require('./cluster.js') as typeof Cluster;
    listenInCluster(server, query, exclusive);
  } else {
    server._listen2(query.address, query.port, query.addressType, query.backlog, query.fd, query.flags);
  }
}

type PortTarget = Extract<ListenTarget, { kind: 'port' }>;
type PathTarget = Extract<ListenTarget, { kind: 'path' }>;

function listenOnAddress(server: ServerCore, address: string | null, addressType: number, target: PortTarget): void {
  const { port, backlog, flags, exclusive } = target;
  share(server, { address, port, addressType, backlog, flags }, exclusive);
}

function listenOnPath(server: ServerCore, { path, backlog, mode, flags, exclusive }: PathTarget): void {
  const modes = { readableAll: (mode & UV_READABLE) !== 0, writableAll: (mode & UV_WRITABLE) !== 0 };
  share(server, { address: path, port: -1, addressType: -1, backlog, flags, ...modes }, exclusive);
  if (mode !== 0) openToAll(server, mode);
}

function openToAll(server: ServerCore, mode: number): void {
  const handle = server._handle as Pipe | null;
  // The failure to listen is being told; or the primary of the cluster has been asked, which opens it.
  if (handle === null) return;
  const errno = handle.fchmod(mode);
  if (errno >= 0) return;
  handle.close();
  server._handle = null;
  throw errnoException(errno, 'uv_pipe_chmod');
}

// An IPv6 address of one link means nothing without the link, and names do not tell it.
function isLinkLocal({ address, family }: LookupAddress): boolean {
  return family === 6 && /^fe[89ab]/i.test(address);
}

function lookUpAndListen(server: ServerCore, host: string, target: PortTarget): void {
  const { _listeningId: id } = server;
  dns().lookup(host, { all: true }, (error, addresses) => {
    // Closed meanwhile: this `listen` is over.
    if (server._listeningId !== id) return;
    if (error) {
      server.emit('error', error);
      return;
    }
    const found = addresses.find((each) => !isLinkLocal(each)) ?? addresses[0];
    if (!found) return;
    try {
      listenOnAddress(server, found.address, found.family, target);
    } catch (refusal) {
      // Of the permission model. Nobody could catch it here, where node:net throws it.
      server.emit('error', refusal);
    }
  });
}

/**
 * A bound handle of an address, a path (port and type -1) or a descriptor; or the negative error. Without an address: of
 * all addresses.
 */
export function createServerHandle(
  address: string | null,
  port: number | null,
  addressType: number | null,
  fd?: number | null,
  flags?: number,
): StreamHandle | number {
  if (typeof fd === 'number' && fd >= 0) return openServerDescriptor(fd);
  const isPath = port === -1 && addressType === -1;
  checkBindAllowed((isPath && address) || '');
  if (isPath) {
    const pipe = new Pipe(Pipe.SERVER);
    return boundOrError(pipe, pipe.bind(address ?? '', flags));
  }
  if (!address) return bindAnywhere(port ?? 0, flags).bound;
  const tcp = new TCP(TCP.SERVER);
  const errno = addressType === 6 ? tcp.bind6(address, port ?? 0, flags) : tcp.bind(address, port ?? 0, flags);
  return boundOrError(tcp, errno);
}

interface Bound {
  bound: StreamHandle | number;
  address: string | null;
  family: number | null;
}

// All IPv6 addresses with the IPv4 ones inside, or, where the system has no IPv6, all IPv4 ones. A port that is taken is
// told as it is (libuv keeps that error for `listen`).
function bindAnywhere(port: number, flags: number | undefined): Bound {
  const bound = createServerHandle('::', port, 6, null, flags);
  if (typeof bound !== 'number' || bound === UV_EADDRINUSE) return { bound, address: '::', family: 6 };
  return { bound: createServerHandle('0.0.0.0', port, 4, null, flags), address: '0.0.0.0', family: 4 };
}

function boundOrError(handle: StreamHandle, errno: number): StreamHandle | number {
  if (errno >= 0) return handle;
  handle.close();
  return errno;
}

function openServerDescriptor(fd: number): StreamHandle | number {
  let handle: StreamHandle;
  try {
    handle = createHandle(fd, true);
  } catch (error) {
    debug('listen invalid fd=%d:', fd, (error as Error).message);
    return UV_EINVAL;
  }
  return boundOrError(handle, handle.open(fd));
}

/** Gives the server a bound handle if it has none, and listens. Errors come in the next tick. */
export function setUpListenHandle(
  server: ServerCore,
  address: string | null,
  port: number | null,
  addressType: number | null,
  backlog: number,
  fd: number | undefined,
  flags: number | undefined,
  onconnection: (status: number, client?: StreamHandle) => void,
): void {
  let where: Omit<Bound, 'bound'> = { address, family: addressType };
  if (server._handle === null) {
    const { bound, ...found }: Bound =
      address || typeof fd === 'number'
        ? { bound: createServerHandle(address, port, addressType, fd, flags), ...where }
        : bindAnywhere(port ?? 0, flags);
    if (typeof bound === 'number') {
      fail(server, bound, found.address, port);
      return;
    }
    where = found;
    server._handle = bound;
  }
  const handle = server._handle;
  handle.onconnection = onconnection;
  // Not checked in Node either: whatever it is counts as the integer that the system call makes of it.
  const errno = handle.listen((backlog || DEFAULT_BACKLOG) | 0);
  if (errno < 0) {
    handle.close();
    server._handle = null;
    fail(server, errno, where.address, port);
    return;
  }
  if (listenEndChannel.hasSubscribers) listenEndChannel.publish({ server });
  server._connectionKey = `${where.family}:${where.address}:${port}`;
  if (server._unref) server.unref();
  process.nextTick(() => {
    if (server._handle) server.emit('listening');
  });
}

function fail(server: ServerCore, errno: number, address: string | null, port: number | null): void {
  const error = listenException(errno, address, port ?? undefined);
  if (listenErrorChannel.hasSubscribers) listenErrorChannel.publish({ server, error });
  process.nextTick(() => server.emit('error', error));
}
