/**
 * A handle that is not one of ours under a socket that is: Node's own `TCP` or `Pipe` (of `process.binding`, of a socket of
 * node:net, of a cluster), or an object that a program has written with the methods that those have.
 *
 * How such a handle is read, written and ended differs from one Node to the next, and a native one aborts the process when
 * it is used in another Node's way. So a socket of node:net uses it. Of that socket only the methods below the stream are
 * called, and what it would push into its stream goes to ours.
 */
import { Buffer } from 'node:buffer';
import { Socket as NodeSocket, type SocketConstructorOpts } from 'node:net';

import { duplicateDescriptor } from './binding.js';
import { uvErrno } from './errors.js';
import { UV_EOF } from './handle.js';
import type { Req } from './request.js';
import type { SocketHandle } from './socket-handle.js';
import type { EncodedChunk } from './stream-handle.js';

const UV_EALREADY: number = uvErrno('EALREADY');
const UV_EBADF: number = uvErrno('EBADF');
const UV_ENOTCONN: number = uvErrno('ENOTCONN');

/** What Node's handles have. Those of programs may lack any of it. */
interface Foreign {
  readonly fd?: number;
  reading?: boolean;
  onread?: unknown;
  readStart: () => number;
  readStop: () => number;
  close: (callback?: () => void) => void;
  /** Of TCP only. */
  reset: (callback?: () => void) => number;
  bind: (address: string, port: number, flags?: number) => number;
  /** Of TCP only. */
  bind6: (address: string, port: number, flags?: number) => number;
}

type Done = (error?: Error | null) => void;

/** The methods of a socket of node:net below its stream. */
interface BelowStream {
  _write(data: Uint8Array | string, encoding: string, done: Done): void;
  _writev(chunks: readonly EncodedChunk[], done: Done): void;
  _final(done: Done): void;
}

const Stream = NodeSocket as unknown as new (options: object) => NodeSocket & BelowStream;

/** Uses the handle, and hands on what it reads. */
class Companion extends Stream {
  readonly #handle: ForeignHandle;

  constructor(foreign: object, handle: ForeignHandle) {
    const options: SocketConstructorOpts & { handle: object; manualStart: boolean } = {
      handle: foreign,
      manualStart: true,
      allowHalfOpen: true,
    };
    super(options);
    this.#handle = handle;
    this.on('connect', () => handle.connected());
  }

  override push(chunk: Buffer | null): boolean {
    if (chunk === null) this.#handle.received(UV_EOF);
    else this.#handle.received(chunk.byteLength, chunk);
    // Whether that was enough is said by `readStop`.
    return true;
  }

  override read(): null {
    return null;
  }

  override destroy(error?: Error): this {
    if (error) this.#handle.failed(error);
    return this;
  }

  /** The idle timer is that of the socket above. */
  _unrefTimer(): void {}
}

/** A libuv error of an error; of one that is none, that the handle is of no use. */
function statusOf(error: Error): number {
  const { errno } = error as NodeJS.ErrnoException;
  return typeof errno === 'number' && errno < 0 ? errno : UV_EBADF;
}

function sizeOf(chunk: Uint8Array | string, encoding: BufferEncoding | undefined): number {
  return typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.byteLength;
}

const known = new WeakMap<object, ForeignHandle>();

/**
 * What a socket uses a handle from elsewhere by. Whoever has used the handle before gets nothing more of it.
 *
 * @throws TypeError for what is no object, as node:net does
 */
export function takeForeignHandle(foreign: object): ForeignHandle {
  const handle = new ForeignHandle(foreign as Foreign);
  known.set(foreign, handle);
  return handle;
}

/** As `takeForeignHandle`, unless a socket of ours has the handle already: then they share it. */
export function shareForeignHandle(foreign: object): ForeignHandle {
  return known.get(foreign) ?? takeForeignHandle(foreign);
}

export class ForeignHandle implements SocketHandle {
  owner: unknown = null;
  reader: SocketHandle['reader'] = null;
  onbroken: SocketHandle['onbroken'] = null;
  /** What puts a guard on a handle of Node's puts it on that one. */
  readonly isGuarded = false;

  readonly #foreign: Foreign;
  readonly #companion: Companion;
  #connect: Req | undefined;
  /** Writes whose end has not been told. */
  #writing = 0;
  #isLeaving = false;

  constructor(foreign: Foreign) {
    this.#foreign = foreign;
    this.#companion = new Companion(foreign, this);
  }

  get kind(): 'TCP' | 'PIPE' | undefined {
    if ('bind6' in this.#foreign) return 'TCP';
    return 'fchmod' in this.#foreign ? 'PIPE' : undefined;
  }

  // ---- reading

  /** Of the handle, not of the socket: another one may have it too. */
  get reading(): boolean {
    return Boolean(this.#foreign.reading);
  }

  readStart(): number {
    this.#foreign.reading = true;
    return this.#foreign.readStart();
  }

  readStop(): number {
    this.#foreign.reading = false;
    return this.#foreign.readStop();
  }

  received(nread: number, chunk?: Buffer): void {
    this.reader?.(nread, chunk);
  }

  failed(error: Error): void {
    if (this.#connect) this.#endConnect(statusOf(error));
    else this.received(statusOf(error));
  }

  // ---- writing

  write(req: Req, chunk: Uint8Array | string, encoding?: BufferEncoding): number {
    const form = typeof chunk === 'string' ? (encoding ?? 'utf8') : 'buffer';
    return this.#writes(req, sizeOf(chunk, encoding), (done) => this.#companion._write(chunk, form, done));
  }

  writev(req: Req, chunks: readonly EncodedChunk[]): number {
    const size = chunks.reduce((total, { chunk, encoding }) => total + sizeOf(chunk, encoding), 0);
    return this.#writes(req, size, (done) => this.#companion._writev(chunks, done));
  }

  #writes(req: Req, size: number, write: (done: Done) => void): number {
    let isOver = false;
    let status = 0;
    let isReturned = false;
    req.async = false;
    req.bytes = size;
    write((error) => {
      status = error ? statusOf(error) : 0;
      // A second end is told as well: what that means is up to the stream.
      if (isReturned) this.#wrote(req, status, isOver);
      isOver = true;
    });
    isReturned = true;
    if (isOver) return status;
    req.async = true;
    this.#writing += 1;
    return 0;
  }

  #wrote(req: Req, status: number, isSecond: boolean): void {
    if (!isSecond) this.#writing -= 1;
    req.oncomplete(status, this, req);
    if (this.#isLeaving && this.#writing === 0) this.close();
  }

  shutdown(req: Req): number {
    let status: number | undefined;
    let isReturned = false;
    this.#companion._final((error) => {
      // Ended at once, which has an error of its own.
      status = error ? statusOf(error) : UV_ENOTCONN;
      if (isReturned) req.oncomplete(error ? status : 0, this, req);
    });
    isReturned = true;
    return status ?? 0;
  }

  // ---- connecting

  bind(address: string, port: number, flags?: number): number {
    return this.#foreign.bind(address, port, flags);
  }

  bind6(address: string, port: number, flags?: number): number {
    return this.#foreign.bind6(address, port, flags);
  }

  /** To an IP address, or without a port to a path. */
  connect(req: Req, address: string, port?: number): number {
    if (this.#connect) return UV_EALREADY;
    this.#connect = req;
    this.#companion.connect(port === undefined ? { path: address } : { host: address, port });
    return 0;
  }

  connect6(req: Req, address: string, port: number): number {
    return this.connect(req, address, port);
  }

  connected(): void {
    this.#endConnect(0);
  }

  #endConnect(status: number): void {
    const request = this.#connect;
    this.#connect = undefined;
    request?.oncomplete(status, this, request);
  }

  // ---- ending

  close(callback?: () => void): void {
    this.#foreign.close(callback);
    this.#foreign.onread = ignore;
  }

  reset(callback?: () => void): number {
    const status = this.#foreign.reset(callback);
    this.#foreign.onread = ignore;
    return status;
  }

  closeWhenSent(): void {
    this.#isLeaving = true;
    if (this.#writing === 0) this.close();
  }

  duplicate(): number {
    return duplicateDescriptor(this.#foreign.fd ?? -1);
  }
}

function ignore(): void {}
