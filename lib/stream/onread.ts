// The `onread` option: received bytes are copied into the user's buffer and passed to a callback, and never enter the stream.
// The reactor delivers chunks of its own size, so a chunk may fill the user's buffer several times; bytes that arrive while
// the user is paused are held here.
import { AsyncResource } from 'node:async_hooks';
import { Buffer } from 'node:buffer';
import { isUint8Array } from 'node:util/types';

import { inLaterTurn } from '../handle/dispatcher.js';
import type { Reader } from './state.js';

/** One buffer reused for all reads, or a callback for each read. */
export interface OnReadOptions {
  /** The memory to read into, or a function that returns the memory for the next read. */
  buffer: Uint8Array | (() => Uint8Array);
  /** Called with the number of bytes in the buffer. Returning `false` pauses the socket until `resume()`. */
  callback: (bytesWritten: number, buffer: Uint8Array) => boolean | void;
}

interface Flow {
  resume: () => void;
}

export class FixedBufferReader implements Reader {
  readonly #socket: Flow;
  readonly #callback: OnReadOptions['callback'];
  readonly #nextBuffer: (() => Uint8Array) | null;
  #buffer: Uint8Array;
  #held: Buffer | null = null;
  #wanted = true;
  #draining = false;

  private constructor(socket: Flow, { buffer, callback }: OnReadOptions) {
    this.#socket = socket;
    this.#callback = callback;
    this.#nextBuffer = typeof buffer === 'function' ? buffer : null;
    this.#buffer = typeof buffer === 'function' ? new Uint8Array(0) : buffer;
  }

  /** Null for invalid options, which Node ignores as well. */
  static from(socket: Flow, onread: unknown): FixedBufferReader | null {
    if (typeof onread !== 'object' || onread === null) return null;
    const { buffer, callback } = onread as Partial<OnReadOptions>;
    if (!isUint8Array(buffer) && typeof buffer !== 'function') return null;
    return typeof callback === 'function' ? new FixedBufferReader(socket, { buffer, callback }) : null;
  }

  get held(): Buffer | null {
    return this.#held;
  }

  get isWanted(): boolean {
    return this.#wanted;
  }

  begin(): void {
    this.#held = null;
    this.#wanted = true;
    this.#renewBuffer();
  }

  deliver(chunk: Buffer): boolean {
    this.#held = this.#held === null ? chunk : Buffer.concat([this.#held, chunk]);
    this.#drain();
    return this.#wanted;
  }

  pause(): void {
    this.#wanted = false;
  }

  resume(): boolean {
    this.#wanted = true;
    if (this.#held === null) return true;
    // Deferred, as data that arrives later: `resume()` itself calls `read()` again in this turn.
    if (!this.#draining) inLaterTurn(AsyncResource.bind(() => this.#drainHeld()));
    this.#draining = true;
    return false;
  }

  takeHeld(): Buffer | null {
    const held = this.#held;
    this.#held = null;
    return held;
  }

  #drainHeld(): void {
    this.#draining = false;
    if (!this.#wanted) return;
    this.#drain();
    if (this.#wanted) this.#socket.resume();
  }

  #drain(): void {
    while (this.#held !== null && this.#wanted && this.#buffer.byteLength > 0) {
      const buffer = this.#buffer;
      const rest: Buffer = this.#held;
      const length = Math.min(rest.length, buffer.byteLength);
      buffer.set(rest.subarray(0, length));
      this.#held = length === rest.length ? null : rest.subarray(length);
      if (Reflect.apply(this.#callback, this.#socket, [length, buffer]) === false) this.#wanted = false;
      this.#renewBuffer();
    }
  }

  #renewBuffer(): void {
    const next = this.#nextBuffer?.();
    if (isUint8Array(next)) this.#buffer = next;
  }
}
