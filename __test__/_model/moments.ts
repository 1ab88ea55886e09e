// From where something is called, and what keeps JavaScript busy meanwhile.
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';

import type { Net } from '../_helpers/implementations.js';
import type { Moment } from './program.js';

/** Computes: nothing else runs on this thread. */
export function busy(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until;);
}

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** A connection whose `data` listener is the place to call from: what is written there goes out in a batch. */
export class Moments {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #actions: (() => void)[] = [];

  private constructor(from: Socket, to: Socket) {
    this.#from = from;
    this.#to = to;
    to.on('data', (data: Buffer) => {
      for (let n = 0; n < data.length; n++) this.#actions.shift()?.();
    });
  }

  static async open(net: Net): Promise<Moments> {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const from = net.connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', noDelay: true });
    const [[to]] = await Promise.all([once(server, 'connection'), once(from, 'connect')]);
    server.close();
    return new Moments(from, to as Socket);
  }

  /** Resolves when the action has been called. */
  at(moment: Moment, action: () => void): Promise<void> | undefined {
    if (moment === 'now') {
      action();
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const run = (): void => {
        try {
          action();
          resolve();
        } catch (error) {
          reject(error as Error);
        }
      };
      if (moment === 'tick') process.nextTick(run);
      else if (moment === 'promise') queueMicrotask(run);
      else if (moment === 'immediate') setImmediate(run);
      else {
        this.#actions.push(run);
        this.#from.write('!');
      }
    });
  }

  close(): void {
    this.#from.destroy();
    this.#to.destroy();
  }
}
