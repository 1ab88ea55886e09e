// What is done before a connection, or a descriptor of it, goes to another owner: everything that is pending is settled.
// What was written leaves before, or along with the connection; what was read and not consumed goes along. Every way out of
// this thread or process begins here: to a child or the parent (ipc-send.ts), as the standard stream of a child
// (child-process.ts), to another thread (socket-transfer.ts), to node:net (doors/handover).
import { ERR_INVALID_STATE } from './errors.js';
import type { StreamHandle } from './handle.js';
import { endRelays } from './relay.js';
import { startReading } from './socket-read.js';
import type { SocketCore } from './socket-state.js';
import { kState } from './socket-state.js';

/**
 * Stops what goes on without being asked for, relays and reading, and gives the kernel what a batch holds. The answer lets
 * the socket read again, if it did.
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

/** Whether the kernel has all that was written here, and FIN if the socket was ended. */
export function isSent(socket: SocketCore, handle: StreamHandle): boolean {
  if (handle.flush() > 0) return false;
  if (socket.destroyed) return true;
  return socket.writableLength === 0 && (!socket.writableEnded || socket.writableFinished);
}

/** Bytes that were read and not told. The program may have them back by `handle.putBack`. */
export interface ReadAhead {
  chunks: Uint8Array[];
  /** What the read has ended with, which the kernel reports once: a negative error, else 0. */
  error: number;
}

export function takeReadAhead(handle: StreamHandle): ReadAhead {
  const chunks: Uint8Array[] = [];
  let piece = handle.takeUnread();
  for (; typeof piece !== 'number'; piece = handle.takeUnread()) chunks.push(piece);
  return { chunks, error: piece };
}

/**
 * Before the descriptor of a socket is given away, which stays open here: another program reads and writes there from now on.
 *
 * @throws Error ERR_INVALID_STATE when that program would miss bytes that were read ahead, or overtake what was written
 */
export function lendDescriptor(socket: SocketCore, handle: StreamHandle): void {
  const resume = quiesce(socket, handle);
  const refuse = (reason: string): never => {
    resume();
    throw new ERR_INVALID_STATE(reason);
  };
  if (handle.flush() > 0) refuse('the socket has writes that are not done; wait for their callbacks');
  const { readQueueSize } = handle;
  if (readQueueSize > 0) refuse(`${readQueueSize} bytes of the socket were read already, and can only be read here`);
  socket[kState].isLent = true;
  handle.share();
}
