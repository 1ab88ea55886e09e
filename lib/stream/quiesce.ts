// Before a connection, or a descriptor of it, goes to another owner, everything that is pending is settled: what was written
// leaves before, or with the connection; what was read and not consumed goes with it, or the connection stays. All ways out
// of this thread and process begin here: to a child or the parent (process/send.ts), as the standard stream of a child
// (process/child-process.ts), to another thread (socket/transfer.ts), to node:net (entry/handover).
import { ERR_INVALID_STATE } from '../errors/errors.js';
import type { StreamHandle } from '../handle/stream.js';
import { endRelays } from './relay.js';
import { startReading } from './read.js';
import { type SocketCore, kState } from './state.js';

/**
 * Ends relays, stops reading and sends what the current batch holds.
 *
 * @returns a function that starts reading again if the socket was reading
 */
export function quiesce(socket: SocketCore, handle: StreamHandle): () => void {
  endRelays(socket);
  const { reader } = socket[kState];
  const isReading = handle.reading || reader?.isWanted === true;
  reader?.pause();
  handle.readStop();
  handle.flush();
  return () => {
    if (isReading && socket[kState].handle === handle) startReading(socket);
  };
}

/** Whether the kernel has all that was written, and FIN if the socket was ended. */
export function isFlushed(socket: SocketCore, handle: StreamHandle): boolean {
  if (handle.flush() > 0) return false;
  if (socket.destroyed) return true;
  return socket.writableLength === 0 && (!socket.writableEnded || socket.writableFinished);
}

/** Bytes that were read and not delivered. `handle.putBack` takes them back. */
export interface ReadAhead {
  chunks: Uint8Array[];
  /** The error that the read ended with, which the kernel reports once: a negative libuv error, or 0. */
  error: number;
}

export function takeReadAhead(handle: StreamHandle): ReadAhead {
  const chunks: Uint8Array[] = [];
  let piece = handle.takeUnread();
  for (; typeof piece !== 'number'; piece = handle.takeUnread()) chunks.push(piece);
  return { chunks, error: piece };
}

/**
 * Prepares a socket for a child process that inherits its descriptor: the child reads and writes there from now on, and
 * this process does not read by itself any more.
 *
 * @throws Error ERR_INVALID_STATE if the child would miss bytes that were read ahead, or write into the middle of a write
 */
export function shareWithChild(socket: SocketCore, handle: StreamHandle): void {
  const resume = quiesce(socket, handle);
  const refuse = (reason: string): never => {
    resume();
    throw new ERR_INVALID_STATE(reason);
  };
  if (handle.flush() > 0) refuse('the socket has writes that are not done; wait for their callbacks');
  const { readQueueSize } = handle;
  if (readQueueSize > 0) refuse(`${readQueueSize} bytes of the socket were read already, and can only be read here`);
  socket[kState].isUsedAsStdio = true;
  handle.share();
}
