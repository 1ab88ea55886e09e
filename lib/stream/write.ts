// From the stream to the handle: writes, the FIN behind them, and how many bytes were written.
import { ERR_SOCKET_CLOSED, ERR_SOCKET_CLOSED_BEFORE_CONNECTION, errnoException, uvErrno } from '../errors/errors.js';
import { type EncodedChunk, sizeOf, totalSize } from '../handle/chunk.js';
import type { SocketHandle } from '../handle/socket.js';
import type { Req } from '../handle/request.js';
import { debug } from '../node/diagnostics.js';
import { endRelay } from './relay.js';
import { type SocketCore, kState, whenConnected } from './state.js';
import { noteActivity } from './timeout.js';

const UV_ENOTCONN: number = uvErrno('ENOTCONN');

export type Done = (error?: Error | null) => void;
/** One chunk, or all chunks that the stream has queued. */
export type Payload = Uint8Array | string | readonly EncodedChunk[];

interface Request extends Req {
  done: Done;
  socket: SocketCore;
}

/** Writes `data` to the handle, or does so when the socket has connected. */
export function send(socket: SocketCore, data: Payload, encoding: string, done: Done): void {
  if (socket.connecting) {
    // Node's names: `bytesWritten` counts pending data, and packages read these properties.
    socket._pendingData = data;
    socket._pendingEncoding = encoding;
    whenConnected(
      socket,
      () => send(socket, data, encoding, done),
      () => done(new ERR_SOCKET_CLOSED_BEFORE_CONNECTION()),
    );
    return;
  }
  socket._pendingData = null;
  socket._pendingEncoding = '';
  const handle = socket[kState].handle ?? socket[kState].detachedHandle;
  if (handle === null) {
    done(new ERR_SOCKET_CLOSED());
    return;
  }
  endRelay(socket[kState].relayIn);
  noteActivity(socket);
  dispatch(socket, handle, data, encoding, done);
}

// Streams of older Nodes accept this encoding for a string, and no handle can encode it.
function checkEncoding(data: Payload, encoding: string): void {
  if (typeof data !== 'string' || encoding !== 'buffer') return;
  throw Object.assign(new TypeError('Second argument must be a buffer'), { code: 'ERR_INVALID_ARG_TYPE' });
}

function dispatch(socket: SocketCore, handle: SocketHandle, data: Payload, encoding: string, done: Done): void {
  checkEncoding(data, encoding);
  const request: Request = { oncomplete: onWritten, async: false, bytes: 0, done, socket };
  const errno =
    typeof data === 'string'
      ? handle.write(request, data, encoding as BufferEncoding)
      : Array.isArray(data)
        ? handle.writev(request, data as readonly EncodedChunk[])
        : handle.write(request, data as Uint8Array);
  if (errno < 0) {
    done(errnoException(errno, 'write'));
  } else if (request.async) {
    socket[kState].queueAtLastCheck = request.bytes ?? 0;
  } else {
    done();
  }
}

function onWritten(this: Request, status: number): void {
  const { socket, done } = this;
  if (status < 0) {
    done(errnoException(status, 'write'));
    return;
  }
  if (!socket.destroyed) {
    noteActivity(socket);
    socket[kState].queueAtLastCheck = 0;
  }
  done(null);
}

/** Sends FIN behind what was written: the end of `end()`. */
export function finish(socket: SocketCore, done: Done): void {
  if (socket.connecting) {
    debug('_final: not yet connected');
    whenConnected(socket, () => finish(socket, done));
    return;
  }
  const handle = socket[kState].handle ?? socket[kState].detachedHandle;
  if (handle === null) {
    done();
    return;
  }
  debug('_final: not ended, call shutdown()');
  // The status of the shutdown is ignored, as in Node: reading finds out that the peer has gone.
  const errno = handle.shutdown({
    oncomplete: () => {
      debug('afterShutdown destroyed=%j', socket.destroyed);
      done();
    },
  });
  if (errno === UV_ENOTCONN) done();
  else if (errno < 0) done(errnoException(errno, 'shutdown'));
}

/** All bytes written to the stream: those that the handle has, that the stream has queued, and that wait for a connect. */
export function bytesWritten(socket: SocketCore, dispatched: number): number {
  const { writableBuffer = [] } = socket as { writableBuffer?: readonly EncodedChunk[] };
  const pending = socket._pendingData as Payload | null;
  const queued = dispatched + totalSize(writableBuffer);
  if (!pending) return queued;
  return Array.isArray(pending)
    ? queued + totalSize(pending as readonly EncodedChunk[])
    : queued + sizeOf(pending as Uint8Array | string, socket._pendingEncoding as BufferEncoding);
}
