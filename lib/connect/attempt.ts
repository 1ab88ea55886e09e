// One attempt to connect, to one address with one handle: binding, permission and block list, connecting; and what the socket
// does when it has connected. The callers choose the addresses and handle failures.
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

/** Called when an attempt has ended. An error that occurs at once is returned instead. */
export type Outcome = (status: number, handle: SocketHandle) => void;

/** The handle, as a TCP one. */
function connecting(socket: SocketCore): TCP {
  return socket[kState].handle as unknown as TCP;
}

/** Binds the local end. `localAddress` is set to the address that was bound, for error messages. */
export function bindLocal(socket: SocketCore, attempt: Attempt): NetError | undefined {
  const { family, localPort } = attempt;
  if (attempt.localAddress === undefined && localPort === undefined) return undefined;
  attempt.localAddress ??= family === 4 ? '0.0.0.0' : '::';
  const tcp = connecting(socket);
  const errno =
    family === 4 ? tcp.bind(attempt.localAddress, localPort ?? 0) : tcp.bind6(attempt.localAddress, localPort ?? 0);
  return errno < 0 ? exceptionWithHostPort(errno, 'bind', attempt.localAddress, localPort) : undefined;
}

/** The error of an address that the socket's `blockList` contains. */
export function blockedError(socket: SocketCore, { address, family }: Address): NetError | undefined {
  return socket.blockList?.check(address, `ipv${family}`) ? new ERR_IP_BLOCKED(address) : undefined;
}

export function connectTcp(socket: SocketCore, attempt: Attempt, outcome: Outcome): NetError | undefined {
  const { address, family, port } = attempt;
  const denial = connectDenial(address, port);
  if (denial !== undefined) return denial;
  const handle = connecting(socket);
  const state = socket[kState];
  // Before connecting, as in Node: the SYN already carries the type of service.
  if (state.exposed) applyOptions(state.exposed, state.kernelOptions);
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

// With the local address at this moment. A handle without one yields `undefined:undefined`, as in Node.
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

/** Called when the connection is established. */
export function becomeConnected(socket: SocketCore): void {
  socket.connecting = false;
  socket._sockname = null;
  noteActivity(socket);
  socket.emit('connect');
  notifyConnected(socket);
  socket.emit('ready');
  // Reads data or FIN that has already arrived.
  if (!socket.isPaused()) socket.read(0);
}
