// What a handle keeps of its large writes. The reactor copies what it cannot send at once, so it is given a window at a
// time: one Buffer written to a hundred slow peers is kept once, and sending it does not stop the event loop.
import { reactor, send } from './dispatcher.js';
import { ChunkForm } from './numbers.js';
import { uvErrno } from '../errors/errors.js';

const UV_EFAULT: number = uvErrno('EFAULT');

/** As much as any kernel's send buffer takes at once. */
const MOST_BYTES = 8 * 1024 * 1024;
/** As many pieces as one system call takes. */
export const MOST_CHUNKS = 1024;

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
  /** The reactor has a piece, whose end it will report. */
  isWaiting = false;
  readonly #chunks: readonly Uint8Array[];
  /** A view that is shorter by the time that it is sent has lost its memory to somebody. */
  readonly #lengths: readonly number[];
  /** The first chunk that is not sent whole, and how many of its bytes are. */
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
   * Gives the next bytes to the reactor. A negative libuv error: nothing was taken. `isPending`: the write was accepted
   * before, so an error of the system is told by what the socket reads, or by a `Wrote` event.
   */
  send(id: number, isPending: boolean): Progress | number {
    const next = this.#next();
    if (next === undefined) return UV_EFAULT;
    const first = next[0];
    const answer =
      next.length === 1 && first
        ? send(id, first, isPending ? ChunkForm.NextBytes : ChunkForm.Bytes)
        : reactor().writev(id, next, isPending);
    if (answer < 0) return answer;
    const queued = answer % 2;
    this.#advance((answer - queued) / 2);
    this.isWaiting = queued === 1;
    if (this.isWaiting) return 'waiting';
    return this.#size === 0 ? 'sent' : 'more';
  }

  /** All that is left; undefined when memory of it is gone. */
  rest(): Uint8Array[] | undefined {
    return this.#size === 0 ? [] : this.#next(Infinity, Infinity);
  }

  #next(mostBytes = MOST_BYTES, mostChunks = MOST_CHUNKS): Uint8Array[] | undefined {
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
