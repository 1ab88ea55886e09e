// Hands over a connection: a duplicate of its descriptor, its options, and the bytes that were read. Then the first owner
// closes its own descriptor, which the peer does not notice.
import { closeSync } from 'node:fs';
import { type SocketConstructorOpts, Socket as NodeSocket } from 'node:net';

import { Socket as FerronetSocket } from '../../index.js';
import { duplicateDescriptor } from '../../lib/handle/binding.js';
import { define } from '../../lib/node/define.js';
import { ERR_INVALID_STATE, errnoException } from '../../lib/errors/errors.js';
import type { StreamHandle } from '../../lib/handle/stream.js';
import type { Socket } from '../../lib/socket/socket.js';
import { readSettings, storeSettings } from './node-settings.js';
import { connectionOf } from './refusal.js';

/** The state of a stream that has no public accessor. */
interface States {
  _readableState: { decoder?: { lastChar: Buffer; lastNeed: number; lastTotal: number } | null };
}

/** @throws Error with syscall `dup` for a negative error */
export function duplicated(answer: number): number {
  if (answer < 0) throw errnoException(answer, 'dup');
  return answer;
}

/** Runs `use`, and closes the descriptor if it throws. */
export function withDescriptor<T>(fd: number, use: (fd: number) => T): T {
  try {
    return use(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

export function adoptSocket(socket: NodeSocket): Socket {
  const handle = connectionOf(socket);
  const { noDelay, keepAlive } = readSettings(socket);
  const fd = duplicated(duplicateDescriptor(handle.fd));
  const adopted = withDescriptor(fd, () => new FerronetSocket(optionsOf(socket, fd)));
  if (noDelay) adopted.setNoDelay(true);
  if (keepAlive.enable) {
    const { idle, interval, count } = keepAlive;
    adopted.setKeepAlive(true, idle * 1000, interval === undefined ? undefined : interval * 1000, count);
  }
  if (!handle.hasRef()) adopted.unref();
  passOn(socket, adopted as unknown as NodeSocket, takeBuffered(socket));
  (adopted._handle as StreamHandle | null)?.unshare();
  return adopted;
}

export function releaseSocket(socket: Socket): NodeSocket {
  const handle = connectionOf(socket as unknown as NodeSocket) as StreamHandle;
  const fd = leave(socket, handle);
  const released = withDescriptor(fd, () => new NodeSocket(optionsOf(socket as unknown as NodeSocket, fd)));
  storeSettings(released, socket._settings());
  if (!handle.hasRef()) released.unref();
  const chunks = [takeBuffered(socket as unknown as NodeSocket), socket._takeHeld() ?? Buffer.alloc(0)];
  let piece = handle.takeUnread();
  for (; typeof piece !== 'number'; piece = handle.takeUnread()) chunks.push(piece);
  passOn(socket as unknown as NodeSocket, released, Buffer.concat(chunks));
  // An error that ferronet has read already: the kernel reports it once.
  if (piece < 0) released.destroy(errnoException(piece, 'read'));
  return released;
}

/** A descriptor for the next owner. @throws Error ERR_INVALID_STATE, and of the system; the socket continues then */
function leave(socket: Socket, handle: StreamHandle): number {
  const resume = socket._quiesce();
  try {
    if (handle.flush() > 0) {
      throw new ERR_INVALID_STATE('the socket has writes that are not done; wait for their callbacks');
    }
    return duplicated(handle.duplicate());
  } catch (error) {
    resume();
    throw error;
  }
}

function optionsOf(socket: NodeSocket, fd: number): SocketConstructorOpts {
  const options = {
    fd,
    allowHalfOpen: socket.allowHalfOpen,
    readableHighWaterMark: socket.readableHighWaterMark,
    writableHighWaterMark: socket.writableHighWaterMark,
    pauseOnCreate: socket.isPaused(),
  };
  return options;
}

/** Removes the bytes from the stream's buffer without events: the next owner delivers them. */
function takeBuffered(socket: NodeSocket): Buffer {
  const { readableLength: length, readableEncoding: encoding } = socket;
  const { decoder } = (socket as unknown as States)._readableState;
  // With the exact length: any other makes a stream that has ended emit `end`.
  const chunk = length > 0 ? withoutEvents(socket, () => socket.read(length) as Buffer | string | null) : null;
  const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding ?? 'utf8') : (chunk ?? Buffer.alloc(0));
  if (!decoder) return bytes;
  // An incomplete character.
  return Buffer.concat([bytes, decoder.lastChar.subarray(0, decoder.lastTotal - decoder.lastNeed)]);
}

function withoutEvents<T>(socket: NodeSocket, act: () => T): T {
  const own = Object.getOwnPropertyDescriptor(socket, 'emit');
  define(socket, 'emit', { value: () => false, configurable: true });
  try {
    return act();
  } finally {
    if (own) define(socket, 'emit', own);
    else delete (socket as { emit?: unknown }).emit;
  }
}

/** Passes on the state that all sockets have, and ends `from`. */
function passOn(from: NodeSocket, to: NodeSocket, unread: Buffer): void {
  if (from.readableEncoding !== null) to.setEncoding(from.readableEncoding);
  if (from.timeout) to.setTimeout(from.timeout);
  // Nothing was read into it yet, so these bytes come first.
  if (unread.length > 0) to.push(unread);
  if (from.writableEnded) to.end();
  from.destroy();
}
