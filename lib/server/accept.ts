// An accepted connection: dropped, blocked, or made a socket and emitted.
import type { EventEmitter } from 'node:events';

import { isIP } from '../address/is-ip.js';
import type { AnyBlockList } from '../address/block-list.js';
import { debug, isDebugged, serverSocketChannel, withoutLines } from '../node/diagnostics.js';
import { errnoException } from '../errors/errors.js';
import type { DroppedConnection } from '../node/events.js';
import type { NodeHandle } from '../handle/node-classes.js';
import { NO_OPTIONS, TcpOptions } from '../handle/options.js';
import type { AddressOut, TCP } from '../handle/tcp.js';
import { StreamHandle } from '../handle/stream.js';
import type { ListenerHandle, ServerSocket } from './core.js';
import type * as NodeHandles from './node-handle.js';
import type * as NodeSockets from './node-sockets.js';
import { AcceptedOptions, type SocketConstructorOptions } from '../stream/options.js';
import { Socket } from '../socket/socket.js';
import { kState } from '../stream/state.js';
import { nextTick } from '../node/timers.js';

type AcceptedHandle = StreamHandle | NodeHandle;

function nodeHandles(): typeof NodeHandles {
  return require('./node-handle.js') as typeof NodeHandles;
}

function nodeSockets(): typeof NodeSockets {
  return require('./node-sockets.js') as typeof NodeSockets;
}

/** What accepting needs of a server. */
export interface AcceptingServer extends EventEmitter {
  _handle: ListenerHandle | null;
  _connections: number;
  _emitCloseIfDrained: () => void;
  maxConnections?: number;
  allowHalfOpen: boolean;
  pauseOnConnect: boolean;
  noDelay: boolean;
  _nativeRelay?: boolean;
  _nodeSockets?: boolean;
  keepAlive: boolean;
  keepAliveInitialDelay: number;
  highWaterMark: number;
  blockList?: AnyBlockList | undefined;
}

/** `given` is a handle of Node's if the server listens with one. */
export function onConnection(server: AcceptingServer, status: number, given: AcceptedHandle | undefined): void {
  debug('onconnection');
  if (status < 0 || !given) {
    server.emit('error', errnoException(status, 'accept'));
    return;
  }
  const isOwn = given instanceof StreamHandle;
  const client = isOwn || server._nodeSockets ? given : nodeHandles().ownHandle(given);
  const { maxConnections } = server;
  if (isLimit(maxConnections) && server._connections >= maxConnections) {
    drop(server, client);
  } else if (isBlocked(server, client)) {
    client.close();
  } else if (server._nodeSockets && !isOwn) {
    emit(server, nodeSockets().nodeSocket(server, given));
  } else {
    accept(server, client);
  }
  // A listener of `connection` may have set it. From the next connection on, each has a turn of its own.
  if (isLimit(server.maxConnections)) server._handle?.acceptOnDemand?.();
}

function isLimit(maxConnections: number | null | undefined): maxConnections is number {
  return maxConnections !== undefined && maxConnections !== null;
}

function nameOf(client: AcceptedHandle, get: 'getsockname' | 'getpeername'): AddressOut {
  const name: AddressOut = {};
  (client as Partial<TCP>)[get]?.(name);
  return name;
}

function drop(server: AcceptingServer, client: AcceptedHandle): void {
  const local = nameOf(client, 'getsockname');
  // A local connection has no addresses. As in Node, the event has no argument then.
  if (local.address === undefined) {
    client.close();
    server.emit('drop');
    return;
  }
  const remote = nameOf(client, 'getpeername');
  const dropped: DroppedConnection = Object.assign(Object.create(null) as object, {
    localAddress: local.address,
    localPort: local.port,
    localFamily: local.family,
    remoteAddress: remote.address,
    remotePort: remote.port,
    remoteFamily: remote.family,
  }) as DroppedConnection;
  client.close();
  server.emit('drop', dropped);
}

function isBlocked({ blockList }: AcceptingServer, client: AcceptedHandle): boolean {
  if (!blockList) return false;
  const { address } = nameOf(client, 'getpeername');
  const family = isIP(address);
  return address !== undefined && family !== 0 && blockList.check(address, `ipv${family}`);
}

function accept(server: AcceptingServer, client: AcceptedHandle): void {
  const options = new AcceptedOptions(
    client,
    Boolean(server.allowHalfOpen),
    server.pauseOnConnect,
    server.highWaterMark,
    server._nativeRelay,
  );
  const socket = new Socket(options as SocketConstructorOptions);
  setOptions(server, socket, client as Partial<TCP>);
  // Reading starts after the event: a listener may send the connection to another process, with all that the peer has sent.
  // libuv does not read before the next turn either, but ferronet's reactor may read at once.
  const reads = !server.pauseOnConnect;
  if (isDebugged && reads) debugReading(socket);
  try {
    emit(server, socket);
  } finally {
    if (reads && socket._handle === client && !socket[kState].isUsedAsStdio) startReading(socket);
  }
}

function emit(server: AcceptingServer, socket: ServerSocket): void {
  server._connections += 1;
  socket.server = server;
  socket._server = server;
  server.emit('connection', socket);
  if (serverSocketChannel.hasSubscribers) serverSocketChannel.publish({ socket });
}

// The constructor of node:net's sockets starts to read, before the event.
function debugReading({ readableHighWaterMark }: Socket): void {
  debug('_read - n', readableHighWaterMark, 'isConnecting?', false, 'hasHandle?', true);
  debug('Socket._handle.readStart');
}

function startReading(socket: Socket): void {
  if (isDebugged) withoutLines(() => socket.read(0));
  else socket.read(0);
}

function setOptions(server: AcceptingServer, socket: Socket, client: Partial<TCP>): void {
  const noDelay = Boolean(server.noDelay && client.setNoDelay);
  const keepAlive = Boolean(server.keepAlive && client.setKeepAlive);
  if (!noDelay && !keepAlive) return;
  const idle = server.keepAliveInitialDelay;
  socket[kState].kernelOptions = sharedOptions(noDelay, keepAlive, idle);
  if (noDelay) client.setNoDelay?.(true);
  if (keepAlive) client.setKeepAlive?.(true, idle);
}

/** The options of the last connection that has some: the connections of a server share them. */
let last: Readonly<TcpOptions> = NO_OPTIONS;

/** @param idle seconds */
function sharedOptions(noDelay: boolean, keepAlive: boolean, idle: number): Readonly<TcpOptions> {
  const isSame = last.noDelay === noDelay && (keepAlive ? last.keepAlive?.idle === idle : !last.keepAlive);
  if (isSame) return last;
  const options = new TcpOptions();
  options.noDelay = noDelay;
  if (keepAlive) options.keepAlive = { enable: true, idle, interval: undefined, count: undefined };
  last = options;
  return options;
}

/**
 * Delivers what a shared listener has accepted. Counted at once, so that `close` is not emitted before the `connection`
 * events.
 */
export function deliverAccepted(server: AcceptingServer, handle: StreamHandle): void {
  const clients = handle.takeUndelivered();
  server._connections += clients.length;
  for (const client of clients) {
    nextTick(() => {
      server._connections -= 1;
      onConnection(server, 0, client);
      server._emitCloseIfDrained();
    });
  }
}
