// What a socket needs of its handle: ferronet's `TCP` or `Pipe`, or a foreign handle wrapped by foreign.ts.
import { uvErrno } from '../errors/errors.js';
import type { EncodedChunk } from './chunk.js';
import type { Req } from './request.js';

/** Passed to a `reader` when the peer has sent FIN. */
export const UV_EOF: number = uvErrno('EOF');

/** Return values and events are those of `StreamHandle`. */
export interface SocketHandle {
  owner: unknown;
  /** The kind of targets it can connect to; undefined if unknown. */
  readonly kind: 'TCP' | 'PIPE' | undefined;
  /** Called with bytes, or with a negative number: the end (`UV_EOF`) or an error. `this` is the handle. */
  reader: ((this: SocketHandle, nread: number, chunk?: Buffer) => void) | null;
  /** Called with a negative error if a completed write cannot be sent. `this` is the handle. */
  onbroken: ((this: SocketHandle, status: number) => void) | null;
  readonly reading: boolean;
  /** Whether any data that arrives ends the connection: an idle connection of an `http.Agent`. */
  readonly isGuarded: boolean;
  readStart: () => number;
  readStop: () => number;
  write: (req: Req, chunk: Uint8Array | string, encoding?: BufferEncoding) => number;
  writev: (req: Req, chunks: readonly EncodedChunk[]) => number;
  shutdown: (req: Req) => number;
  close: (callback?: () => void) => void;
  /** As `close`, with RST. */
  reset: (callback?: () => void) => number;
  /** A duplicate of the descriptor, which the caller has to close, or a negative error. */
  duplicate: () => number;
}
