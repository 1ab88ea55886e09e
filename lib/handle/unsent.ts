// Large writes are given to the reactor in windows, because it copies what it cannot send at once: a Buffer that is written
// to a hundred slow peers stays in memory once, and sending it does not block the event loop.
import { acceptedBytes, queuedFlag } from './accepted.js';
import { reactor, send } from './dispatcher.js';
import { ChunkForm, IOV_MAX } from './numbers.js';
import { uvErrno } from '../errors/errors.js';

const UV_EFAULT: number = uvErrno('EFAULT');

/** No kernel's send buffer takes more at once. */
const MOST_BYTES = 8 * 1024 * 1024;

/** How a `send` ended. */
export type Progress =
  /** All is with the kernel. */
  | 'sent'
  /** The reactor has a piece that the kernel has not taken; a `Wrote` event will follow. */
  | 'waiting'
  /** The kernel took what it was given, and there is more. */
  | 'more';

/** The bytes of one write that the reactor has not got yet. */
export class Unsent {
  /** The reactor has a piece and will report when it is sent. */
  isWaiting = false;
  readonly #chunks: readonly Uint8Array[];
  /** To detect views whose memory was transferred before they were sent: those have become shorter. */
  readonly #lengths: readonly number[];
  /** The first chunk that was not sent whole, and how many of its bytes were. */
  #index = 0;
  #offset = 0;
  #size: number;

  constructor(chunks: readonly Uint8Array[], taken: number) {
    this.#chunks = chunks;
    this.#lengths = chunks.map((chunk) => chunk.byteLength);
    this.#size = this.#lengths.reduce((total, length) => total + length, 0);
    this.#advance(taken);
  }

  /** In bytes. */
  get size(): number {
    return this.#size;
  }

  /**
   * Gives the next bytes to the reactor. Returns a negative libuv error if nothing was taken. `isPending`: `write` has
   * returned before, so a system error is reported by the next read, or by a `Wrote` event.
   */
  send(id: number, isPending: boolean): Progress | number {
    const next = this.#next();
    if (next === undefined) return UV_EFAULT;
    const first = next[0];
    const accepted =
      next.length === 1 && first
        ? send(id, first, isPending ? ChunkForm.NextBytes : ChunkForm.Bytes)
        : reactor().writev(id, next, isPending);
    if (accepted < 0) return accepted;
    this.#advance(acceptedBytes(accepted));
    this.isWaiting = queuedFlag(accepted) === 1;
    if (this.isWaiting) return 'waiting';
    return this.#size === 0 ? 'sent' : 'more';
  }

  /** All remaining bytes; undefined if memory of them was transferred. */
  rest(): Uint8Array[] | undefined {
    return this.#size === 0 ? [] : this.#next(Infinity, Infinity);
  }

  #next(mostBytes = MOST_BYTES, mostChunks = IOV_MAX): Uint8Array[] | undefined {
    const next: Uint8Array[] = [];
    let size = 0;
    for (let index = this.#index; index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index] as Uint8Array;
      if (chunk.byteLength !== this.#lengths[index]) return undefined;
      const start = index === this.#index ? this.#offset : 0;
      next.push(start === 0 ? chunk : new Uint8Array(chunk.buffer, chunk.byteOffset + start, chunk.byteLength - start));
      size += chunk.byteLength - start;
      if (size >= mostBytes || next.length >= mostChunks) break;
    }
    return next;
  }

  #advance(taken: number): void {
    this.#size -= taken;
    while (this.#index < this.#lengths.length) {
      const left = (this.#lengths[this.#index] as number) - this.#offset;
      if (taken < left) break;
      taken -= left;
      this.#index += 1;
      this.#offset = 0;
    }
    this.#offset += taken;
  }
}
