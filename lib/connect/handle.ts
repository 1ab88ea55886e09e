// The handle of a socket that connects. As with node:net, programs see that of the running attempt as `_handle`, and can use
// it: it is lent to the socket, which closes it when it is destroyed.
import type { IpcConnectOptions, TcpTarget } from './options.js';
import { Attempt, type Ended, type Target } from './attempt.js';
import { type NetError, exceptionWithHostPort, uvErrno } from '../errors/errors.js';
import { Pipe } from '../handle/pipe.js';
import type { SocketHandle } from '../handle/socket.js';
import { TCP } from '../handle/tcp.js';
import { debug } from '../node/diagnostics.js';
import { withRoomInStacks } from '../node/stack.js';
import { attachHandle, startReading } from '../stream/read.js';
import { type ExposedHandle, kState, notifyConnected, type SocketCore, whenConnected } from '../stream/state.js';
import { noteActivity } from '../stream/timeout.js';

const UV_EINVAL: number = uvErrno('EINVAL');

/** Gives a socket the handle of its first attempt, which it has before its target is known. */
export function prepareHandle(socket: SocketCore, local: boolean): void {
  if (socket.destroyed) {
    socket._handle = null;
    socket._peername = undefined;
  }
  // An existing handle may be bound or connecting: its `connect` returns an error if it cannot connect now.
  const { handle } = socket[kState];
  if (handle !== null) {
    pauseUntilConnected(socket, handle);
    return;
  }
  const made = withRoomInStacks(() => (local ? new Pipe(Pipe.SOCKET) : new TCP(TCP.SOCKET)));
  attachHandle(socket, made);
}

// A socket made of a descriptor reads at once, which is an error before it has connected.
function pauseUntilConnected(socket: SocketCore, handle: SocketHandle): void {
  if (!handle.reading || socket.connecting) return;
  handle.readStop();
  whenConnected(socket, () => startReading(socket));
}

/**
 * The error of a socket whose handle connects to targets of the other kind only: it keeps the handle that it has. node:net
 * aborts the process here, or connects to a path with the name of the host.
 */
export function kindError(socket: SocketCore, target: IpcConnectOptions | TcpTarget): NetError | undefined {
  const kind = socket[kState].handle?.kind;
  if (target.path !== undefined) {
    return kind === 'TCP' ? exceptionWithHostPort(UV_EINVAL, 'connect', target.path) : undefined;
  }
  return kind === 'PIPE' ? exceptionWithHostPort(UV_EINVAL, 'connect', target.host, target.port) : undefined;
}

/** The first attempt, with the handle that the socket has. */
export function firstAttempt(socket: SocketCore, target: Target, ended: Ended): Attempt {
  const { handle, exposed } = socket[kState];
  return new Attempt(socket, target, handle as SocketHandle, exposed as ExposedHandle, ended);
}

/** An attempt in place of the one whose handle the socket has: that handle is closed, and the new one is lent. */
export function nextAttempt(socket: SocketCore, target: Target, ended: Ended): Attempt {
  const { handle: before, exposed } = socket[kState];
  const handle = new TCP(TCP.SOCKET);
  attachHandle(socket, handle);
  if (before !== null) {
    if (exposed?.hasRef?.() === false) handle.unref();
    before.close();
  }
  return new Attempt(socket, target, handle, handle, ended);
}

/** The handle that the socket has is connected. */
export function becomeConnected(socket: SocketCore): void {
  debug('afterConnect');
  socket.connecting = false;
  socket._sockname = null;
  noteActivity(socket);
  socket.emit('connect');
  notifyConnected(socket);
  socket.emit('ready');
  // Reads data or FIN that has already arrived.
  if (!socket.isPaused()) socket.read(0);
}
