// `ferronet/handover`: turns open sockets and listening servers of node:net into ferronet's, and back. Only on Unix can two
// owners have a descriptor of the same socket at once.
import { Server as NodeServer, Socket as NodeSocket } from 'node:net';

import net = require('../index.js');
import { ERR_INVALID_ARG_TYPE } from '../lib/errors/errors.js';
import { EMPTY } from '../lib/node/empty.js';
import { checkPlatform } from './handover/refusal.js';
import { adoptServer, releaseServer } from './handover/server.js';
import { adoptSocket, releaseSocket } from './handover/socket.js';

/** Options of `adopt()` and `release()`. */
export interface HandoverOptions {
  /** For a server: how many connections may wait to be accepted from now on. Default 511. */
  backlog?: number | undefined;
}

/**
 * Replaces a socket or server of node:net by one of ferronet.
 *
 * The connection or the listening socket stays the same; the peer sees nothing. A socket keeps its bytes that were read and
 * not emitted, whether it is paused, its encoding, timeout, `allowHalfOpen`, `noDelay`, keep-alive, `ref` and whether it
 * has ended; a server keeps its options, `maxConnections`, `ref`, its path and the connections in its backlog. Listeners,
 * pipes and the connections that the server has accepted are not moved.
 *
 * The original is closed without the peer noticing: a socket is destroyed, a server closed. The path of a local server is
 * missing for a moment. A socket or server of ferronet is returned as it is.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE; ERR_FEATURE_UNAVAILABLE_ON_PLATFORM on Windows, and in Bun and Deno
 * @throws Error ERR_SOCKET_CLOSED or ERR_SERVER_NOT_RUNNING for a closed socket or server
 * @throws Error ERR_INVALID_STATE while a socket is connecting or has pending writes, under TLS, HTTP and HTTP/2, and for
 * the server of a cluster's worker
 * @throws Error with syscall `dup` or `open` when the system refuses. Nothing has changed when it throws.
 */
export function adopt(server: NodeServer, options?: HandoverOptions): net.FerronetServer;
export function adopt(socket: NodeSocket): net.FerronetSocket;
export function adopt(
  given: NodeServer | NodeSocket,
  options: HandoverOptions = EMPTY,
): net.FerronetServer | net.FerronetSocket {
  if (isFerronet(given)) return given;
  if (given instanceof NodeServer) {
    checkPlatform();
    return adoptServer(given, options.backlog);
  }
  if (!(given instanceof NodeSocket)) throw wrongType(given);
  checkPlatform();
  return adoptSocket(given);
}

/**
 * Replaces a socket or server of ferronet by one of node:net: the reverse of `adopt`.
 *
 * @throws as `adopt`
 */
export function release(server: net.Server, options?: HandoverOptions): NodeServer;
export function release(socket: net.Socket): NodeSocket;
export function release(given: net.Server | net.Socket, options: HandoverOptions = EMPTY): NodeServer | NodeSocket {
  if (!isFerronet(given)) {
    const other: unknown = given;
    if (other instanceof NodeServer || other instanceof NodeSocket) return other;
    throw wrongType(given);
  }
  checkPlatform();
  return given instanceof net.Server ? releaseServer(given, options.backlog) : releaseSocket(given as net.Socket);
}

function isFerronet(given: unknown): given is net.FerronetServer | net.FerronetSocket {
  return given instanceof net.Server || given instanceof net.Socket;
}

function wrongType(given: unknown): Error {
  return new ERR_INVALID_ARG_TYPE('socketOrServer', ['net.Socket', 'net.Server'], given);
}
