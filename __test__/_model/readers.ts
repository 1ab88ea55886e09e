// The ways to read a socket. Whatever way it is, each chunk is compared with what was sent.
import type { OnReadOpts, Socket } from 'node:net';
import { PassThrough, Writable, pipeline } from 'node:stream';

import type { Flow } from './content.js';
import { turn } from './moments.js';
import type { Reading } from './program.js';
import { codeOf, Planned, type Watched } from './watched.js';

/** Enough for an `onread` to be called several times a chunk. */
const BUFFER = 16 * 1024;

export class Reader {
  readonly #reading: Reading;
  readonly #flow: Flow;
  #watched: Watched | undefined;
  #encoding: BufferEncoding | undefined;
  #paused = false;
  #more: (() => void) | undefined;
  /** What follows is wrong as well. */
  #isWrong = false;
  /** Bytes that this reader has taken. */
  #taken = 0;
  /** Nothing is taken any more, as was asked for. */
  hasLeft = false;

  constructor(reading: Reading, flow: Flow) {
    this.#reading = reading;
    this.#flow = flow;
  }

  /** Whether what arrives is taken without further ado. */
  get isReading(): boolean {
    return !this.#paused && !this.hasLeft && this.#reading.style !== 'none';
  }

  /** For the socket's options. */
  onread(): OnReadOpts | undefined {
    if (this.#reading.style !== 'onread') return undefined;
    return {
      buffer: Buffer.alloc(BUFFER),
      callback: (size, buffer) => {
        this.#take(Buffer.from(buffer.subarray(0, size)));
        return true;
      },
    };
  }

  attach(watched: Watched, isPaused: boolean): void {
    this.#watched = watched;
    const { socket } = watched;
    const { style, slow } = this.#reading;
    if (style === 'data') {
      this.#paused = isPaused;
      socket.on('data', (chunk: Buffer | string) => this.#take(chunk));
    } else if (style === 'readable') {
      this.#more = () => this.#readAll(socket);
      socket.on('readable', this.#more);
    } else if (style === 'iterate') {
      void this.#iterate(watched);
    } else if (style === 'pipeline') {
      const write = (chunk: Buffer, _encoding: string, done: () => void): void => {
        this.#take(chunk);
        if (slow) setImmediate(done);
        else done();
      };
      pipeline(socket, new Writable({ write }), watched.callback('pipeline'));
    } else if (style === 'passthrough') {
      socket.pipe(new PassThrough()).on('data', (chunk: Buffer) => this.#take(chunk));
    } else if (style === 'echo') {
      socket.pipe(socket);
    }
  }

  pause(): void {
    if (this.#reading.style === 'data') this.#watched?.socket.pause();
    else if (this.#reading.style !== 'readable') return;
    this.#paused = true;
  }

  resume(): void {
    if (this.#reading.style === 'data') this.#watched?.socket.resume();
    else if (this.#reading.style !== 'readable') return;
    this.#paused = false;
    this.#more?.();
  }

  setEncoding(encoding: BufferEncoding): void {
    this.#encoding = encoding;
    this.#watched?.socket.setEncoding(encoding);
  }

  /** At the end of a program everything is read. */
  readOn(): void {
    if (this.#paused) this.resume();
    const socket = this.#watched?.socket;
    if (this.#reading.style !== 'none' || this.hasLeft || socket === undefined) return;
    this.hasLeft = true;
    socket.on('data', (chunk: Buffer | string) => this.#take(chunk)).resume();
  }

  #take(chunk: Buffer | string): void {
    const watched = this.#watched as Watched;
    const bytes = typeof chunk === 'string' ? this.#encoded(chunk) : chunk;
    const wrong = this.#isWrong ? undefined : this.#flow.receive(bytes);
    if (wrong !== undefined) {
      this.#isWrong = true;
      watched.violation(wrong);
    }
    const before = this.#taken;
    this.#taken += bytes.length;
    if (this.#reading.style === 'data') watched.noteData();
    watched.noteProgress();
    const { throwAt } = this.#reading;
    // Not while the stream goes through its own buffer, which an error stops, in node:net too.
    if (throwAt !== undefined && before < throwAt && throwAt <= this.#taken && watched.socket.readableLength === 0)
      throw new Planned('in a listener of data');
  }

  #encoded(text: string): Buffer {
    // The decoder closes a stream that was cut within a character with one that no program sends.
    return Buffer.from(text.endsWith('\ufffd') ? text.slice(0, -1) : text, this.#encoding);
  }

  #readAll(socket: Socket): void {
    const { piece } = this.#reading;
    while (!this.#paused && !socket.destroyed) {
      const chunk = ((piece && socket.read(piece)) ?? socket.read()) as Buffer | string | null;
      if (chunk === null) return;
      this.#take(chunk);
    }
  }

  async #iterate(watched: Watched): Promise<void> {
    const { breakAt = Infinity, slow } = this.#reading;
    const done = watched.callback('iteration');
    try {
      for await (const chunk of watched.socket as AsyncIterable<Buffer | string>) {
        this.#take(chunk);
        if (this.#taken >= breakAt) {
          this.hasLeft = true;
          break;
        }
        if (slow) await turn();
      }
      done();
    } catch (error) {
      done(error);
    }
    if (codeOf(watched.socket.errored) === 'PLANNED') this.hasLeft = true;
  }
}
