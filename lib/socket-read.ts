// From the handle to the stream: received bytes, the peer's FIN, and when the handle may read at all.
import { errnoException } from './errors.js';
import type { StreamHandle } from './handle.js';
import { UV_EOF } from './handle.js';
import { noteReceived } from './relay.js';
import type { SocketCore } from './socket-state.js';
import { kState } from './socket-state.js';
import { noteActivity } from './timeout.js';

/** Makes `handle` the socket's, which may have been closed before and lives again. */
export function attachHandle(socket: SocketCore, handle: StreamHandle): void {
  socket._undestroy();
  socket._sockname = undefined;
  socket._handle = handle;
  socket[kState].reader?.begin();
  handle.owner = socket;
  handle.reader = onRead;
  handle.onbroken = onBroken;
}

/** With `onread`, nothing of the stream's own starts reading again. */
export function wakeReader(socket: SocketCore): void {
  const { handle, reader } = socket[kState];
  if (reader !== null && handle !== null && !socket.connecting && !handle.reading) startReading(socket);
}

export function startReading(socket: SocketCore): void {
  const { handle, reader } = socket[kState];
  if (handle === null || (reader !== null && !reader.resume())) return;
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

function onBroken(this: StreamHandle, status: number): void {
  const socket = this.owner as SocketCore;
  if (socket._handle === this) socket.destroy(errnoException(status, 'write'));
}

function onRead(this: StreamHandle, nread: number, chunk?: Buffer): void {
  const socket = this.owner as SocketCore;
  // child_process takes the handle off a socket that it has sent away.
  if (socket._handle !== this || socket.destroyed) return;
  const { relay } = socket[kState];
  if (relay !== null) noteReceived(relay);
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
  stopReading(socket);
  socket.push(null);
  // `end` comes without anybody reading when nothing is left to read: otherwise a socket whose data nobody wants would
  // never close.
  socket.read(0);
}
