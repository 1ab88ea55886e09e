// `ferronet/handover`: sockets and servers of node:net become ours, and ours become node:net's, in the middle of their lives.
// Only Unix has descriptors that two owners can have at once.
import { Server as NodeServer, Socket as NodeSocket } from 'node:net';

import { Server as OurServer, Socket as OurSocket } from '../index.js';
import { ERR_INVALID_ARG_TYPE } from '../lib/errors/errors.js';
import type { Server } from '../lib/server/server.js';
import type { Socket } from '../lib/socket/socket.js';
import { checkPlatform } from './handover/refusal.js';
import { adoptServer, releaseServer } from './handover/server.js';
import { adoptSocket, releaseSocket } from './handover/socket.js';

export interface HandoverOptions {
  /** Of a server: connections that may wait to be accepted, from now on. Default 511. */
  backlog?: number | undefined;
}

/**
 * A socket or server of ours in the place of one of node:net.
 *
 * The connection, or the listening socket, is the same; the peer sees nothing. Of a socket there goes along what was read
 * and not told, whether it is paused, its encoding, timeout, `allowHalfOpen`, `noDelay`, keep-alive, `ref` and whether it
 * has ended; of a server its options, `maxConnections`, `ref`, its path, and the connections that wait in the backlog.
 * Listeners and pipes do not, nor do connections that the server has accepted already.
 *
 * What was handed over ends without a word to the peer: a socket is destroyed, a server closed. A local server's path is
 * missing for a moment. What is ours already is given back as it is.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE; ERR_FEATURE_UNAVAILABLE_ON_PLATFORM on Windows, and in Bun and Deno
 * @throws Error ERR_SOCKET_CLOSED or ERR_SERVER_NOT_RUNNING when there is nothing to hand over
 * @throws Error ERR_INVALID_STATE while a socket connects, while writes are not done, and under TLS, HTTP and HTTP/2; for
 * the server of a cluster's worker
 * @throws Error with syscall `dup` or `open` when the system refuses. Whenever it throws, nothing has changed.
 */
export function adopt(server: NodeServer, options?: HandoverOptions): Server;
export function adopt(socket: NodeSocket): Socket;
export function adopt(given: NodeServer | NodeSocket, options: HandoverOptions = {}): Server | Socket {
  if (isOurs(given)) return given;
  if (given instanceof NodeServer) {
    checkPlatform();
    return adoptServer(given, options.backlog);
  }
  if (!(given instanceof NodeSocket)) throw wrongType(given);
  checkPlatform();
  return adoptSocket(given);
}

/**
 * A socket or server of node:net in the place of one of ours: `adopt`, the other way round.
 *
 * @throws as `adopt`
 */
export function release(server: Server, options?: HandoverOptions): NodeServer;
export function release(socket: Socket): NodeSocket;
export function release(given: Server | Socket, options: HandoverOptions = {}): NodeServer | NodeSocket {
  if (!isOurs(given)) {
    const other: unknown = given;
    if (other instanceof NodeServer || other instanceof NodeSocket) return other;
    throw wrongType(given);
  }
  checkPlatform();
  return given instanceof OurServer ? releaseServer(given as Server, options.backlog) : releaseSocket(given as Socket);
}

function isOurs(given: unknown): given is Server | Socket {
  return given instanceof OurServer || given instanceof OurSocket;
}

function wrongType(given: unknown): Error {
  return new ERR_INVALID_ARG_TYPE('socketOrServer', ['net.Socket', 'net.Server'], given);
}
