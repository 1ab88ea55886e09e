// One address tried with one handle: bind if asked, ask who may be connected to, connect; and what the socket does when
// the connection is there. Which addresses are tried, and what follows a failure, is decided above.
import { type NetError, ERR_IP_BLOCKED, exceptionWithHostPort } from '../errors/errors.js';
import type { Pipe } from '../handle/pipe.js';
import type { Req } from '../handle/request.js';
import type { TCP } from '../handle/tcp.js';
import { connectDenial } from '../errors/permission.js';
import type { SocketHandle } from '../handle/socket.js';
import { applyOptions } from '../stream/kernel-options.js';
import { type SocketCore, kState, notifyConnected } from '../stream/state.js';
import { noteActivity } from '../stream/timeout.js';

export interface Address {
  address: string;
  family: 4 | 6;
}

/** Where to connect, and from where. */
export interface Attempt extends Address {
  port: number;
  localAddress: string | undefined;
  localPort: number | undefined;
}

/** How an attempt ended, told later; an error that is known at once is returned instead. */
export type Outcome = (status: number, handle: SocketHandle) => void;

/** The handle, which can do what it connects by. */
function connecting(socket: SocketCore): TCP {
  return socket[kState].handle as unknown as TCP;
}

/** Binds the local end. The local address becomes the one that was bound: error messages name it. */
export function bindLocal(socket: SocketCore, attempt: Attempt): NetError | undefined {
  const { family, localPort } = attempt;
  if (attempt.localAddress === undefined && localPort === undefined) return undefined;
  attempt.localAddress ??= family === 4 ? '0.0.0.0' : '::';
  const tcp = connecting(socket);
  const errno =
    family === 4 ? tcp.bind(attempt.localAddress, localPort ?? 0) : tcp.bind6(attempt.localAddress, localPort ?? 0);
  return errno < 0 ? exceptionWithHostPort(errno, 'bind', attempt.localAddress, localPort) : undefined;
}

/** Whether the socket's `blockList` forbids the address. */
export function blockedError(socket: SocketCore, { address, family }: Address): NetError | undefined {
  return socket.blockList?.check(address, `ipv${family}`) ? new ERR_IP_BLOCKED(address) : undefined;
}

export function connectTcp(socket: SocketCore, attempt: Attempt, outcome: Outcome): NetError | undefined {
  const { address, family, port } = attempt;
  const denial = connectDenial(address, port);
  if (denial !== undefined) return denial;
  const handle = connecting(socket);
  const state = socket[kState];
  // Here and not when connected, as in Node: the SYN carries the type of service, and the rest holds from the start.
  if (state.exposed) applyOptions(state.exposed, state);
  const request: Req = { oncomplete: outcome };
  const errno = family === 4 ? handle.connect(request, address, port) : handle.connect6(request, address, port);
  return errno < 0 ? immediateError(socket, errno, address, port) : undefined;
}

export function connectPath(socket: SocketCore, path: string, outcome: Outcome): NetError | undefined {
  const denial = connectDenial(path);
  if (denial !== undefined) return denial;
  const errno = (socket[kState].handle as unknown as Pipe).connect({ oncomplete: outcome }, path);
  return errno < 0 ? immediateError(socket, errno, path) : undefined;
}

// Whatever the local end is by now: it may have none, and then says undefined twice.
function immediateError(socket: SocketCore, errno: number, address: string, port?: number): NetError {
  const local = socket._getsockname();
  return exceptionWithHostPort(errno, 'connect', address, port, `${local.address}:${local.port}`);
}

/** The error of an attempt that failed after it had begun. */
export function attemptError(status: number, { address, port, localAddress, localPort }: Partial<Attempt>): NetError {
  if (!localAddress || !localPort) return exceptionWithHostPort(status, 'connect', address, port);
  const error = exceptionWithHostPort(status, 'connect', address, port, `${localAddress}:${localPort}`);
  error.localAddress = localAddress;
  error.localPort = localPort;
  return error;
}

/** The connection is there. */
export function becomeConnected(socket: SocketCore): void {
  socket.connecting = false;
  socket._sockname = null;
  noteActivity(socket);
  socket.emit('connect');
  notifyConnected(socket);
  socket.emit('ready');
  // Data may have come already, or the FIN of a socket that nobody reads.
  if (!socket.isPaused()) socket.read(0);
}
