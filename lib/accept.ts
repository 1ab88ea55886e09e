// A connection arrives: dropped, refused, or made a socket and told.
import type { EventEmitter } from 'node:events';

import { isIP } from './address.js';
import type { AnyBlockList } from './block-list.js';
import { serverSocketChannel } from './diagnostics.js';
import { errnoException } from './errors.js';
import type { DroppedConnection } from './events.js';
import type { AddressOut, StreamHandle, TCP } from './handle.js';
import type { InternalSocketOptions, SocketConstructorOptions } from './socket-options.js';
import { Socket } from './socket.js';
import { kState } from './socket-state.js';

/** What accepting needs to know of a server. */
export interface AcceptingServer extends EventEmitter {
  _connections: number;
  _emitCloseIfDrained: () => void;
  maxConnections?: number;
  allowHalfOpen: boolean;
  pauseOnConnect: boolean;
  noDelay: boolean;
  _nativeRelay?: boolean;
  keepAlive: boolean;
  keepAliveInitialDelay: number;
  highWaterMark: number;
  blockList?: AnyBlockList | undefined;
}

export function onConnection(server: AcceptingServer, status: number, client: StreamHandle | undefined): void {
  if (status < 0 || !client) {
    server.emit('error', errnoException(status, 'accept'));
    return;
  }
  const { maxConnections } = server;
  if (maxConnections !== undefined && maxConnections !== null && server._connections >= maxConnections) {
    drop(server, client);
  } else if (isBlocked(server, client)) {
    client.close();
  } else {
    accept(server, client);
  }
}

function nameOf(client: StreamHandle, get: 'getsockname' | 'getpeername'): AddressOut {
  const name: AddressOut = {};
  (client as Partial<TCP>)[get]?.(name);
  return name;
}

function drop(server: AcceptingServer, client: StreamHandle): void {
  const local = nameOf(client, 'getsockname');
  // Nothing is known of a local connection, and then there is no argument at all.
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

function isBlocked({ blockList }: AcceptingServer, client: StreamHandle): boolean {
  if (!blockList) return false;
  const { address } = nameOf(client, 'getpeername');
  const family = isIP(address);
  return address !== undefined && family !== 0 && blockList.check(address, `ipv${family}`);
}

function accept(server: AcceptingServer, client: StreamHandle): void {
  const options: InternalSocketOptions = {
    handle: client,
    allowHalfOpen: server.allowHalfOpen,
    pauseOnCreate: server.pauseOnConnect,
    manualStart: true,
    readable: true,
    writable: true,
    readableHighWaterMark: server.highWaterMark,
    writableHighWaterMark: server.highWaterMark,
  };
  if (server._nativeRelay === false) options.nativeRelay = false;
  const socket = new Socket(options as SocketConstructorOptions);
  setOptions(server, socket, client as Partial<TCP>);
  server._connections += 1;
  socket.server = server;
  socket._server = server;
  // Not before: a listener may give the connection to another process, with all that the peer has sent. libuv reads later
  // anyway, and our reactor may read at once.
  try {
    server.emit('connection', socket);
  } finally {
    if (!server.pauseOnConnect && socket._handle === client) socket.read(0);
  }
  if (serverSocketChannel.hasSubscribers) serverSocketChannel.publish({ socket });
}

function setOptions(server: AcceptingServer, socket: Socket, client: Partial<TCP>): void {
  const state = socket[kState];
  if (server.noDelay && client.setNoDelay) {
    state.noDelay = true;
    client.setNoDelay(true);
  }
  if (server.keepAlive && client.setKeepAlive) {
    state.keepAlive = { ...state.keepAlive, enable: true, idle: server.keepAliveInitialDelay };
    client.setKeepAlive(true, server.keepAliveInitialDelay);
  }
}
