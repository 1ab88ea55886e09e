// A program between two connections, as programs write them: each side is piped into the other, and none outlives the
// other's failure. Nothing listens for data where it is piped by Node's own `pipe`, since that would keep it in JavaScript.
import type { Socket } from 'node:net';
import { PassThrough, pipeline } from 'node:stream';

import type { Proxy, Way } from './program.js';
import type { Watched } from './watched.js';

export class Between {
  readonly #proxy: Proxy;
  readonly #front: Watched;
  readonly #back: Watched;
  readonly #unpiped = new Set<Way>();

  constructor(proxy: Proxy, front: Watched, back: Watched) {
    this.#proxy = proxy;
    this.#front = front;
    this.#back = back;
    for (const [one, other] of [
      [front, back],
      [back, front],
    ] as const) {
      one.socket.on('error', () => this.#fail(other));
      // Before the listener of the pipe.
      one.socket.on('end', () => void (one.passedOn = !other.socket.writableEnded && !other.socket.destroyed));
      one.socket.on('close', () => {
        if (!one.socket.readableEnded || !one.socket.writableFinished) this.#fail(other);
        // What still comes for it goes nowhere.
        else if (!other.socket.readableEnded) process.nextTick(() => other.socket.unpipe().resume());
      });
      this.#connect(one, other);
    }
  }

  unpipe(way: Way): void {
    const [from, to] = this.#ends(way);
    if (this.#proxy.style !== 'pipe' || from.socket.destroyed || this.#unpiped.has(way)) return;
    this.#unpiped.add(way);
    from.socket.unpipe(to.socket);
  }

  repipe(way: Way): void {
    const [from, to] = this.#ends(way);
    if (!this.#unpiped.delete(way)) return;
    if (to.socket.destroyed) from.socket.resume();
    else from.socket.pipe(to.socket);
  }

  /** At the end of a program everything flows. */
  readOn(): void {
    this.repipe('up');
    this.repipe('down');
  }

  isUnpiped(way: Way): boolean {
    return this.#unpiped.has(way);
  }

  #ends(way: Way): [from: Watched, to: Watched] {
    return way === 'up' ? [this.#front, this.#back] : [this.#back, this.#front];
  }

  #fail(other: Watched): void {
    if (other.socket.destroyed) return;
    if (this.#proxy.onError === 'reset') other.reset();
    else other.socket.destroy();
  }

  #connect(from: Watched, to: Watched): void {
    const { style } = this.#proxy;
    if (style === 'pipe') from.socket.pipe(to.socket);
    else if (style === 'passthrough') from.socket.pipe(new PassThrough()).pipe(to.socket);
    else if (style === 'pipeline') pipeline(from.socket, to.socket, from.callback('pipeline'));
    else manually(from.socket, to.socket);
  }
}

function manually(from: Socket, to: Socket): void {
  from.on('data', (chunk: Buffer) => {
    if (to.writable && !to.write(chunk)) from.pause();
  });
  to.on('drain', () => from.resume());
  to.on('close', () => from.resume());
  from.on('end', () => to.end());
}
