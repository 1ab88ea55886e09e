// Quiesces a connection before another owner gets it, or a descriptor of it. Pending writes are sent before the connection or
// along with it; bytes that were read and not consumed go along, or the connection stays. Every hand-over starts here: to a
// child or the parent (process/send.ts), as the stdio of a child (process/child-process.ts), to another thread
// (socket/transfer.ts), to node:net (entry/handover).
import { ERR_INVALID_STATE } from '../errors/errors.js';
import type { StreamHandle } from '../handle/stream.js';
import { endRelays } from './relay.js';
import { startReading } from './read.js';
import { type SocketCore, kState } from './state.js';

/**
 * Ends relays, stops reading and sends the writes of the current batch.
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

/** Whether the kernel has taken all writes, and FIN if the socket was ended. */
export function isFlushed(socket: SocketCore, handle: StreamHandle): boolean {
  if (handle.flush() > 0) return false;
  if (socket.destroyed) return true;
  return socket.writableLength === 0 && (!socket.writableEnded || socket.writableFinished);
}

/** Bytes that the reactor has read and not delivered. `handle.putBack` returns them. */
export interface ReadAhead {
  chunks: Uint8Array[];
  /** The error that ended the read, a negative libuv error, or 0. The kernel reports it only once. */
  error: number;
}

export function takeReadAhead(handle: StreamHandle): ReadAhead {
  const chunks: Uint8Array[] = [];
  let piece = handle.takeUnread();
  for (; typeof piece !== 'number'; piece = handle.takeUnread()) chunks.push(piece);
  return { chunks, error: piece };
}

/**
 * Prepares a socket for a child process that inherits its descriptor. The child reads and writes from now on; this process
 * reads only if the program asks for it.
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
