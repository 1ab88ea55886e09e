// From the handle to the stream: received bytes, the peer's FIN, and when the handle reads.
import { errnoException } from '../errors/errors.js';
import type * as Foreign from '../handle/foreign.js';
import { StreamHandle } from '../handle/stream.js';
import { type SocketHandle, UV_EOF } from '../handle/socket.js';
import { debug } from '../node/diagnostics.js';
import { noteReceived } from './relay.js';
import { type SocketCore, kState } from './state.js';
import { noteActivity } from './timeout.js';

function foreignHandles(): typeof Foreign {
  return require('../handle/foreign.js') as typeof Foreign;
}

/**
 * Gives a socket a handle; a socket that was closed can be used again. A previous owner of the handle receives nothing more.
 *
 * @throws TypeError for anything but an object
 */
export function attachHandle(socket: SocketCore, handle: object): void {
  socket._undestroy();
  socket._sockname = undefined;
  const own = handle instanceof StreamHandle ? handle : foreignHandles().takeForeignHandle(handle);
  socket._handle = handle;
  socket[kState].reader?.begin();
  own.owner = null;
  deliverTo(own, socket);
}

/** The handle to read and write with after `_handle` was assigned. A ferronet handle keeps its owner. */
export function handleFor(socket: SocketCore, exposed: object): SocketHandle {
  if (exposed instanceof StreamHandle) return exposed;
  const handle = foreignHandles().shareForeignHandle(exposed);
  // A native handle of Node's aborts the process when it reads without an owner.
  deliverTo(handle, socket);
  return handle;
}

/** Delivers to `socket`, unless the handle has an owner. */
function deliverTo(handle: SocketHandle, socket: SocketCore): void {
  if (handle.owner !== null) return;
  handle.owner = socket;
  listenTo(handle);
}

/** As `attachHandle`, for the handle that the socket had before: its state is still valid. */
export function reattachHandle(socket: SocketCore, handle: StreamHandle): void {
  socket._handle = handle;
  listenTo(handle);
}

function listenTo(handle: SocketHandle): void {
  handle.reader = onRead;
  handle.onbroken = onBroken;
}

/** With `onread` the stream never asks for data, so `read()` and `resume()` start reading here. */
export function wakeReader(socket: SocketCore): void {
  const { handle, reader } = socket[kState];
  if (reader === null || handle === null || socket.connecting || handle.reading) return;
  // Node's handles count as reading also when the end has come.
  if (reader.held !== null || !hasEnded(socket)) startReading(socket);
}

function hasEnded(socket: SocketCore): boolean {
  return (socket as unknown as { _readableState: { ended: boolean } })._readableState.ended;
}

export function startReading(socket: SocketCore): void {
  const { handle, reader } = socket[kState];
  if (handle === null || (reader !== null && !reader.resume())) return;
  debug('Socket._handle.readStart');
  const errno = handle.readStart();
  if (errno < 0) socket.destroy(errnoException(errno, 'read'));
}

export function stopReading(socket: SocketCore): void {
  const { handle, reader } = socket[kState];
  reader?.pause();
  if (handle === null || !handle.reading || socket.destroyed) return;
  const errno = handle.readStop();
  if (errno < 0) socket.destroy(errnoException(errno, 'read'));
}

function onBroken(this: SocketHandle, status: number): void {
  const socket = this.owner as SocketCore;
  if (socket[kState].handle === this) socket.destroy(errnoException(status, 'write'));
}

function onRead(this: SocketHandle, nread: number, chunk?: Buffer): void {
  const socket = this.owner as SocketCore;
  // child_process removes the handle from a socket that it has sent.
  if (socket[kState].handle !== this || socket.destroyed) return;
  const { relayOut } = socket[kState];
  if (relayOut !== null) noteReceived(relayOut);
  if (this.isGuarded) {
    socket.destroy();
    return;
  }
  if (chunk && nread > 0) {
    noteActivity(socket);
    const { reader } = socket[kState];
    const more = reader === null ? socket.push(chunk) : reader.deliver(chunk);
    if (!more) stopReading(socket);
  } else if (nread === UV_EOF) {
    onFin(socket);
  } else if (nread < 0) {
    socket.destroy(errnoException(nread, 'read'));
  }
}

function onFin(socket: SocketCore): void {
  socket[kState].reader?.pause();
  socket.push(null);
  // Emits `end` if nothing is left to read. Otherwise a socket without a reader would never close.
  socket.read(0);
}
