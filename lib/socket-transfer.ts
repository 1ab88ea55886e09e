// A socket goes to another thread: what was read and not taken goes along, what the kernel has not sent is refused.
import { Buffer } from 'node:buffer';

import { ERR_WORKER_HANDLE_NOT_TRANSFERABLE } from './errors.js';
import { StreamHandle } from './handle.js';
import type { Messaging } from './messaging.js';
import { endRelays } from './relay.js';
import type { InternalSocketOptions } from './socket-options.js';
import type { KeepAlive, SocketCore } from './socket-state.js';
import { kState } from './socket-state.js';
import { stopReading } from './socket-read.js';
import type { Sent } from './transfer.js';
import { escortOf, receive, sendOff } from './transfer.js';

/** What goes instead of a socket. */
interface SentSocket {
  sent: Sent;
  options: InternalSocketOptions;
  noDelay: boolean;
  keepAlive: Readonly<KeepAlive>;
  typeOfService: number | undefined;
  bound: boolean;
  bytesRead: number;
  bytesWritten: number;
}

/** The parts of Node's state of a readable stream that say what was read; the list of chunks is another one before 22. */
interface ReadableState {
  buffer: Iterable<Uint8Array | string | null> & ({ clear: () => void } | { length: number });
  bufferIndex?: number;
  length: number;
  ended: boolean;
  endEmitted: boolean;
  encoding: BufferEncoding | null;
  decoder: { lastChar: Buffer; lastNeed: number; lastTotal: number } | null;
}

type Construct = (socket: SocketCore, options: InternalSocketOptions) => void;

/** `construct` makes a socket of an object that is none yet. */
export function socketMessaging(construct: Construct): Messaging<SocketCore> {
  return {
    list(socket) {
      check(socket);
      return [escortOf(socket, 'net.Socket')];
    },
    transfer: sendSocket,
    receive: (empty, data) => receiveSocket(empty, data as SentSocket, construct),
  };
}

function stateOf(socket: SocketCore): ReadableState {
  return (socket as unknown as { _readableState: ReadableState })._readableState;
}

/** @throws Error ERR_WORKER_HANDLE_NOT_TRANSFERABLE; nothing has changed then */
function check(socket: SocketCore): StreamHandle {
  const { destroyed, connecting } = socket;
  const { handle } = socket[kState];
  const isWriting = socket.writableLength > 0 || (socket.writableEnded && !socket.writableFinished);
  if (!(handle instanceof StreamHandle) || destroyed || connecting || isWriting) {
    throw new ERR_WORKER_HANDLE_NOT_TRANSFERABLE('net.Socket');
  }
  // It is about to close, or to be ended.
  if (stateOf(socket).endEmitted && (socket.writableFinished || !socket.allowHalfOpen)) {
    throw new ERR_WORKER_HANDLE_NOT_TRANSFERABLE('net.Socket', 'it has ended');
  }
  const { encoding } = stateOf(socket);
  if (encoding !== null && !isExact(stateOf(socket), encoding)) {
    const reason = `what was read as ${encoding} cannot be given back byte for byte`;
    throw new ERR_WORKER_HANDLE_NOT_TRANSFERABLE('net.Socket', reason);
  }
  return handle;
}

/** Whether the bytes of what was decoded can be told. */
function isExact({ buffer }: ReadableState, encoding: BufferEncoding): boolean {
  const texts = Array.from(buffer).filter((chunk) => typeof chunk === 'string');
  if (texts.length === 0) return true;
  return encoding !== 'ascii' && !(/^utf-?8$/i.test(encoding) && texts.some((text) => text.includes('\ufffd')));
}

function sendSocket(socket: SocketCore): SentSocket {
  const handle = check(socket);
  endRelays(socket);
  stopReading(socket);
  const readable = stateOf(socket);
  const state = socket[kState];
  const unread = unreadOf(socket);
  const size = unread.reduce((total, chunk) => total + chunk.length, 0);
  const endsBehind = readable.ended && !readable.endEmitted;
  const sent = sendOff(socket, handle, unread, endsBehind);
  forget(socket, handle);
  const { noDelay, keepAlive, typeOfService, bound } = state;
  const { bytesRead, bytesWritten } = handle;
  const options: InternalSocketOptions & { readable: boolean; writable: boolean } = {
    allowHalfOpen: socket.allowHalfOpen,
    readable: !readable.endEmitted,
    writable: !socket.writableFinished,
    readableHighWaterMark: socket.readableHighWaterMark,
    writableHighWaterMark: socket.writableHighWaterMark,
    nativeRelay: state.mayRelay,
  };
  socket.destroy();
  return { sent, options, noDelay, keepAlive, typeOfService, bound, bytesRead: bytesRead - size, bytesWritten };
}

/** What the stream has of what was read, and what waits for the memory of an `onread`. */
function unreadOf(socket: SocketCore): Uint8Array[] {
  const { buffer, decoder, encoding } = stateOf(socket);
  const chunks: Uint8Array[] = [];
  for (const chunk of buffer) {
    // Places of chunks that were taken are null.
    if (chunk !== null) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding ?? 'utf8') : chunk);
  }
  // The beginning of a character.
  if (decoder) chunks.push(decoder.lastChar.subarray(0, decoder.lastTotal - decoder.lastNeed));
  const held = socket[kState].reader?.held;
  if (held) chunks.push(held);
  return chunks.filter((chunk) => chunk.length > 0);
}

/** It is another's now: nobody here may be told of it, or of the end. As with node:net, `close` has no argument. */
function forget(socket: SocketCore, handle: StreamHandle): void {
  const readable = stateOf(socket);
  if ('clear' in readable.buffer) readable.buffer.clear();
  else readable.buffer.length = 0;
  readable.bufferIndex = 0;
  readable.length = 0;
  if (!readable.endEmitted) readable.ended = false;
  const state = socket[kState];
  state.reader?.begin();
  state.bytesRead = handle.bytesRead;
  state.bytesWritten = handle.bytesWritten;
  handle.reader = null;
  handle.close();
  socket._handle = null;
}

function receiveSocket(empty: SocketCore, data: SentSocket, construct: Construct): void {
  const { sent, options, noDelay, keepAlive, typeOfService, bound } = data;
  const handle = receive(sent, 'SOCKET');
  handle.bytesRead = data.bytesRead;
  handle.bytesWritten = data.bytesWritten;
  // As with node:net, nothing is read before somebody wants it.
  construct(empty, { ...options, handle, manualStart: true });
  Object.assign(empty[kState], { noDelay, keepAlive, typeOfService, bound });
}
