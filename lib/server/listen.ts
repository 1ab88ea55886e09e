// `server.listen`: from a target to a listening handle, in a worker of a cluster with the help of the primary.
import type { LookupAddress } from 'node:dns';

import type * as Cluster from './cluster.js';
import { debug, listenEndChannel, listenErrorChannel } from '../node/diagnostics.js';
import { errnoException, listenException } from '../errors/errors.js';
import type { Pipe } from '../handle/pipe.js';
import { UV_READABLE, UV_WRITABLE } from '../handle/numbers.js';
import type { StreamHandle } from '../handle/stream.js';
import type { ListenTarget } from './listen-target.js';
import type * as NodeSockets from './node-sockets.js';
import { dns, isLoaded } from '../node/modules.js';
import type { ServerCore } from './core.js';
import { type Bound, bindAnywhere, createServerHandle } from './handle.js';
import { nextTick } from '../node/timers.js';

function nodeSockets(): typeof NodeSockets {
  return require('./node-sockets.js') as typeof NodeSockets;
}

const DEFAULT_BACKLOG = 511;

/** Starts to listen. Failures are emitted as `error` later. */
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

/** Listens. In a worker of a cluster the primary binds the address, unless `exclusive`. */
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
  // Listening has failed and `error` follows, or the primary of the cluster binds the path and sets the mode.
  if (handle === null) return;
  const errno = handle.fchmod(mode);
  if (errno >= 0) return;
  handle.close();
  server._handle = null;
  throw errnoException(errno, 'uv_pipe_chmod');
}

// A link-local IPv6 address needs a zone, which name resolution does not return.
function isLinkLocal({ address, family }: LookupAddress): boolean {
  return family === 6 && /^fe[89ab]/i.test(address);
}

function lookUpAndListen(server: ServerCore, host: string, target: PortTarget): void {
  const { _listeningId: id } = server;
  dns().lookup(host, { all: true }, (error, addresses) => {
    // The server was closed meanwhile.
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
      // Of the permission model. node:net throws it here, where a program cannot catch it.
      server.emit('error', refusal);
    }
  });
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
  debug('setupListenHandle', address, port, addressType, backlog, fd);
  let where: Omit<Bound, 'bound'> = { address, family: addressType };
  if (server._handle === null) {
    debug('setupListenHandle: create a handle');
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
  } else {
    debug('setupListenHandle: have a handle already');
  }
  const handle = server._handle;
  handle.onconnection = onconnection;
  if (server._nodeSockets) nodeSockets().acceptForNode(handle);
  // As in Node it is not validated, and converted to a 32-bit integer.
  const errno = handle.listen((backlog || DEFAULT_BACKLOG) | 0);
  if (errno < 0) {
    handle.close();
    server._handle = null;
    fail(server, errno, where.address, port);
    return;
  }
  if (server.maxConnections !== undefined) handle.acceptOnDemand?.();
  if (listenEndChannel.hasSubscribers) listenEndChannel.publish({ server });
  server._connectionKey = `${where.family}:${where.address}:${port}`;
  if (server._unref) server.unref();
  nextTick(() => {
    if (server._handle) server.emit('listening');
  });
}

function fail(server: ServerCore, errno: number, address: string | null, port: number | null): void {
  const error = listenException(errno, address, port ?? undefined);
  if (listenErrorChannel.hasSubscribers) listenErrorChannel.publish({ server, error });
  nextTick(() => server.emit('error', error));
}
