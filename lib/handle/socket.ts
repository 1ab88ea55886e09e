// What a socket needs of its handle: a `TCP` or `Pipe` of this package, or a foreign one behind foreign.ts.
import { uvErrno } from '../errors/errors.js';
import type { Req } from './request.js';

/** What a `reader` is given at the end of what the peer sends. */
export const UV_EOF: number = uvErrno('EOF');

/** A chunk as streams queue it. */
export interface EncodedChunk {
  chunk: Uint8Array | string;
  encoding: BufferEncoding;
}

/** Answers and events are those of `StreamHandle`. */
export interface SocketHandle {
  owner: unknown;
  /** Which targets it can connect to; undefined: not known. */
  readonly kind: 'TCP' | 'PIPE' | undefined;
  /** Bytes, or with a negative number the end (`UV_EOF`) or an error. Called with the handle as `this`. */
  reader: ((this: SocketHandle, nread: number, chunk?: Buffer) => void) | null;
  /** What was written earlier cannot be sent; a negative error. Called with the handle as `this`. */
  onbroken: ((this: SocketHandle, status: number) => void) | null;
  readonly reading: boolean;
  /** Whether nothing is expected to arrive. */
  readonly isGuarded: boolean;
  readStart: () => number;
  readStop: () => number;
  write: (req: Req, chunk: Uint8Array | string, encoding?: BufferEncoding) => number;
  writev: (req: Req, chunks: readonly EncodedChunk[]) => number;
  shutdown: (req: Req) => number;
  close: (callback?: () => void) => void;
  /** As `close`, with RST. */
  reset: (callback?: () => void) => number;
  /** Another descriptor of the same socket, the caller's to close, or an error. */
  duplicate: () => number;
}
