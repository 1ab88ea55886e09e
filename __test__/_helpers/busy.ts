// JavaScript that computes while a connection receives: then a thread of the reactor's reads ahead.
import type { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

import { atMost } from './patience.js';

/** Whether anything is read ahead: with the loop pinned nothing is. */
export const readsAhead: boolean = process.env['FERRONET_DRIVER'] !== 'loop';

/** A peer on a thread of its own, which goes on while JavaScript computes here. */
export class Peer {
  /** All that it has received up to the end. */
  readonly answer: Promise<Buffer>;
  readonly #rest: Buffer;
  /** Whether it may go on, and whether it has connected. */
  readonly #signs: Int32Array = new Int32Array(new SharedArrayBuffer(8));

  /** Connects and sends `header`; when it may go on, also `rest` bytes and FIN. */
  constructor(port: number, header: string, rest: number) {
    this.#rest = bytesOf(rest);
    const worker = new Worker(
      `const { parentPort, workerData: { port, header, rest, signs } } = require('node:worker_threads');
       const received = [];
       const socket = require('node:net').connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => {
         Atomics.store(signs, 1, 1);
         socket.write(header);
         const timer = setInterval(() => {
           if (Atomics.load(signs, 0) === 0) return;
           clearInterval(timer);
           socket.end(Buffer.from(rest));
         }, 1);
       });
       socket.on('error', (error) => received.push(Buffer.from(error.code)));
       socket.on('data', (chunk) => received.push(chunk));
       socket.on('close', () => parentPort.postMessage(Buffer.concat(received)));`,
      { eval: true, workerData: { port, header, rest: this.#rest, signs: this.#signs } },
    );
    this.answer = new Promise((resolve, reject) => {
      worker.once('message', (received: Uint8Array) => resolve(Buffer.from(received)));
      worker.once('error', reject);
    });
  }

  goOn(): void {
    Atomics.store(this.#signs, 0, 1);
  }

  get isConnected(): boolean {
    return Atomics.load(this.#signs, 1) === 1;
  }

  /**
   * Computes until the rest has been read ahead into a ferronet socket; or for a moment, if that is not expected. Returns
   * how many bytes were read ahead.
   */
  computeUntilReadAhead(socket: Socket, isExpected: boolean = readsAhead): number {
    this.goOn();
    const handle = (socket as unknown as { _handle: { readQueueSize: number } })._handle;
    const until = Date.now() + (isExpected ? atMost(20_000) : 100);
    while (handle.readQueueSize < this.#rest.length && Date.now() < until);
    return handle.readQueueSize;
  }
}

/** What a peer sends as the rest. */
export function bytesOf(rest: number): Buffer {
  return Buffer.from(Array.from({ length: rest }, (_, at) => (at * 7 + Math.floor(at / 251)) % 256));
}
