// The writes of a handle that the kernel has not taken, as libuv's `write_queue`. A handle gets one with the first such
// write, and most never do.
import { uvErrno } from '../errors/errors.js';
import { inLaterTurn } from './dispatcher.js';
import type { Pending } from './request.js';
import type { Unsent } from './unsent.js';

const UV_EFAULT: number = uvErrno('EFAULT');

/** What the queue needs of its handle. */
export interface QueueOwner {
  /** The reactor's id, or one that names nothing when the handle is closing. */
  openId(): number;
  isClosing(): boolean;
  /** The reactor has all bytes of the queue. With a negative error all writes are about to fail with it instead. */
  onallsent(status: number): void;
}

export class WriteQueue {
  readonly #owner: QueueOwner;
  /** In order. */
  #requests: Pending[] = [];
  /** Bytes that the reactor has not got, of the last requests: one for each. */
  #unsent: Unsent[] = [];

  constructor(owner: QueueOwner) {
    this.#owner = owner;
  }

  get isEmpty(): boolean {
    return this.#requests.length === 0;
  }

  /** Whether a write has bytes that the reactor has not got. The next one has to wait behind it. */
  get hasUnsent(): boolean {
    return this.#unsent.length > 0;
  }

  /** Bytes that the reactor has not got. */
  get unsentSize(): number {
    return this.#unsent.reduce((total, { size }) => total + size, 0);
  }

  push(request: Pending, unsent: Unsent | undefined): void {
    this.#requests.push(request);
    if (unsent) this.#unsent.push(unsent);
  }

  /** The reactor has sent what it had of the first write, or has failed to. */
  written(status: number): void {
    const unsent = this.#first();
    if (unsent === undefined) {
      this.#requests.shift()?.complete(status, this.#owner);
      this.#send();
      return;
    }
    unsent.isWaiting = false;
    // Closing cancels a write that is not whole.
    if (this.#owner.isClosing()) return;
    if (status < 0) this.#fail(status);
    else this.#send();
  }

  /** Goes on after other handles had their turn: the kernel takes bytes as fast as the peer reads them. */
  sendLater(): void {
    inLaterTurn(() => this.#send());
  }

  /** Empties the queue without completing anything. */
  cancel(): Pending[] {
    const requests = this.#requests;
    this.#requests = [];
    this.#unsent = [];
    return requests;
  }

  /** Empties the queue for another owner of the connection, that sends the rest. `complete` ends the requests. */
  take(): { chunks: Uint8Array[]; complete: () => void } {
    const unsent = this.#unsent;
    const requests = this.cancel();
    const rests = unsent.map((each) => each.rest());
    const gone = rests.indexOf(undefined);
    const chunks: Uint8Array[] = [];
    for (const rest of gone < 0 ? rests : rests.slice(0, gone)) chunks.push(...(rest ?? []));
    // From the first one on whose memory was transferred meanwhile, nothing can be sent.
    const failed = gone < 0 ? requests.length : requests.length - unsent.length + gone;
    const complete = (): void => {
      requests.forEach((request, index) => request.complete(index < failed ? 0 : UV_EFAULT, this.#owner));
    };
    return { chunks, complete };
  }

  /** The unsent bytes of the first write, if it has any. */
  #first(): Unsent | undefined {
    return this.#unsent.length === this.#requests.length ? this.#unsent[0] : undefined;
  }

  /** Goes on with the first write, unless the reactor still has bytes of it. */
  #send(): void {
    for (let unsent = this.#first(); unsent && !unsent.isWaiting && !this.#owner.isClosing(); unsent = this.#first()) {
      const progress = unsent.size === 0 ? 'sent' : unsent.send(this.#owner.openId(), true);
      if (typeof progress === 'number') {
        this.#fail(progress);
        return;
      }
      if (unsent.size === 0) this.#shiftUnsent();
      if (progress === 'sent') this.#requests.shift()?.complete(0, this.#owner);
      else if (progress === 'more') {
        this.sendLater();
        return;
      }
    }
  }

  #shiftUnsent(): void {
    this.#unsent.shift();
    if (this.#unsent.length === 0) this.#owner.onallsent(0);
  }

  /** The first write has failed with bytes left, so nothing behind it can be sent. */
  #fail(status: number): void {
    const requests = this.cancel();
    this.#owner.onallsent(status);
    for (const request of requests) request.complete(status, this.#owner);
  }
}
