/**
 * Foreign handles below a socket of this package: Node's native `TCP` and `Pipe` (of `process.binding`, or of a socket of
 * node:net), and objects with the same methods that a program has written in JavaScript.
 *
 * The protocol between such a handle and its socket changes from one Node to the next, and a native handle aborts the process
 * if it is called as in another version. So a socket of node:net drives it: only its methods below the stream are called
 * (`_write`, `_writev`, `_final`, `connect`), and data that it would push into its own stream goes to the ferronet socket.
 */
import { Buffer } from 'node:buffer';
import {
  type LookupFunction,
  Socket as NodeSocket,
  type SocketConstructorOpts,
  type TcpSocketConnectOpts,
} from 'node:net';

import { isIP } from '../address/is-ip.js';
import { duplicateDescriptor } from './binding.js';
import { inLaterTurn } from './dispatcher.js';
import { uvErrno } from '../errors/errors.js';
import { type SocketHandle, UV_EOF } from './socket.js';
import { type EncodedChunk, sizeOf, totalSize } from './chunk.js';
import { type Req, statusOf } from './request.js';
import { define } from '../node/define.js';
import { nextTick } from '../node/timers.js';

const UV_EALREADY: number = uvErrno('EALREADY');
const UV_EBADF: number = uvErrno('EBADF');
const UV_EINVAL: number = uvErrno('EINVAL');
const UV_ENOTCONN: number = uvErrno('ENOTCONN');

/** The methods of a native handle that are called here. A handle that a program has written may lack any of them. */
interface Foreign {
  readonly fd?: number;
  /** Of native streams. */
  readonly isStreamBase?: unknown;
  /** Of native handles: -1 when the handle has closed. */
  getAsyncId?: () => number;
  reading?: boolean;
  onread?: unknown;
  /** Of a listening handle. */
  onconnection?: unknown;
  /** Undefined for a native handle that has closed. */
  readStart: () => number | undefined;
  readStop: () => number;
  close: (callback?: () => void) => void;
  connect?: unknown;
  /** Of TCP only. */
  reset: (callback?: () => void) => number;
  bind: (address: string, port: number, flags?: number) => number;
  /** Of TCP only. */
  bind6: (address: string, port: number, flags?: number) => number;
}

type Done = (error?: Error | null) => void;

/** A socket that a foreign handle had before. */
interface Owner {
  connecting?: boolean;
}

/** The socket of a native handle. */
function ownerOf(foreign: object): Owner | undefined {
  const key = Object.getOwnPropertySymbols(foreign).find(({ description }) => description === 'owner_symbol');
  return key && ((foreign as Record<symbol, Owner | undefined>)[key] ?? undefined);
}

/** Whether a native handle has closed: all its methods do nothing. */
function hasClosed(foreign: Foreign): boolean {
  return typeof foreign.getAsyncId === 'function' && foreign.getAsyncId() === -1;
}

/**
 * 0, or a negative error for what is no open stream: a native handle that is none aborts the process in some of its methods.
 *
 * Without a descriptor only libuv can say whether a handle is closing: `readStart` is ENOTCONN for one that is open and not
 * connected, EINVAL for one that is closing, and nothing for one that has closed.
 */
function statusOfStream(foreign: Foreign): number {
  if (typeof foreign.readStart !== 'function') return UV_EINVAL;
  if (hasClosed(foreign)) return UV_EBADF;
  // A handle in JavaScript has methods of its own to say so.
  if (foreign.isStreamBase !== true || (foreign.fd ?? -1) >= 0) return 0;
  const status = foreign.readStart();
  // On Windows no handle has a descriptor.
  if (status === 0 && !foreign.reading) foreign.readStop();
  return status === undefined || status === UV_EINVAL || status === UV_EBADF ? UV_EBADF : 0;
}

/** Whether it has a way to connect. A native local listener aborts the process when it does. */
function canConnect(foreign: Foreign): boolean {
  return typeof foreign.connect === 'function' && !('fchmod' in foreign && typeof foreign.onconnection === 'function');
}

/** The methods of a socket of node:net below its stream. */
interface BelowStream {
  _write(data: Uint8Array | string, encoding: string, done: Done): void;
  _writev(chunks: readonly EncodedChunk[], done: Done): void;
  _final(done: Done): void;
}

const Stream = NodeSocket as unknown as new (options: object) => NodeSocket & BelowStream;

/** Drives the foreign handle, and delivers what it reads. */
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
    // Backpressure is applied by `readStop`.
    return true;
  }

  override read(): null {
    return null;
  }

  override destroy(error?: Error): this {
    if (error) this.#handle.failed(error);
    return this;
  }

  /** The ferronet socket has the idle timer. */
  _unrefTimer(): void {}
}

const known = new WeakMap<object, ForeignHandle>();

/**
 * Takes a foreign handle over: its previous owner, if it has one, receives nothing more.
 *
 * @throws TypeError for anything but an object, as node:net does
 */
export function takeForeignHandle(foreign: object): ForeignHandle {
  const handle = new ForeignHandle(foreign as Foreign);
  known.set(foreign, handle);
  return handle;
}

/** As `takeForeignHandle`, unless a ferronet socket has the handle already: then both share it. */
export function shareForeignHandle(foreign: object): ForeignHandle {
  return known.get(foreign) ?? takeForeignHandle(foreign);
}

export class ForeignHandle implements SocketHandle {
  owner: unknown = null;
  reader: SocketHandle['reader'] = null;
  onbroken: SocketHandle['onbroken'] = null;
  /** An `http.Agent` sets its `onread` guard on the foreign handle itself. */
  readonly isGuarded = false;

  readonly #foreign: Foreign;
  readonly #companion: Companion;
  /** The socket that the foreign handle had before. */
  readonly #previous: Owner | undefined;
  #connect: Req | undefined;
  /** `connect` has not returned. */
  #isBeginning = false;
  /** Writes that have not completed. */
  #writing = 0;
  #closesWhenSent = false;

  constructor(foreign: Foreign) {
    this.#foreign = foreign;
    this.#previous = ownerOf(foreign);
    this.#companion = new Companion(foreign, this);
    // The connect that this socket has begun ends in the companion.
    if (this.#previous?.connecting) (this.#companion as Owner).connecting = true;
    // Node's http and http2 would read from it without its socket, which aborts the process.
    if (hasClosed(foreign)) define(foreign, 'isStreamBase', { value: false });
  }

  /** 0 or a negative error: whether the foreign handle is an open stream. */
  get status(): number {
    return statusOfStream(this.#foreign);
  }

  get kind(): 'TCP' | 'PIPE' | undefined {
    if ('bind6' in this.#foreign) return 'TCP';
    return 'fchmod' in this.#foreign ? 'PIPE' : undefined;
  }

  // ---- reading

  /** The state of the foreign handle: several sockets may share it. */
  get reading(): boolean {
    return Boolean(this.#foreign.reading);
  }

  readStart(): number {
    this.#foreign.reading = true;
    return this.#foreign.readStart() as number;
  }

  readStop(): number {
    this.#foreign.reading = false;
    return this.#foreign.readStop();
  }

  received(nread: number, chunk?: Buffer): void {
    this.reader?.(nread, chunk);
  }

  failed(error: Error): void {
    const status = statusOf(error);
    if (!this.#connect) this.received(status);
    else if (this.#isBeginning) nextTick(() => this.#endConnect(status));
    else this.#endConnect(status);
  }

  // ---- writing

  write(req: Req, chunk: Uint8Array | string, encoding?: BufferEncoding): number {
    const form = typeof chunk === 'string' ? (encoding ?? 'utf8') : 'buffer';
    return this.#writes(req, sizeOf(chunk, encoding), (done) => this.#companion._write(chunk, form, done));
  }

  writev(req: Req, chunks: readonly EncodedChunk[]): number {
    return this.#writes(req, totalSize(chunks), (done) => this.#companion._writev(chunks, done));
  }

  #writes(req: Req, size: number, write: (done: Done) => void): number {
    let isOver = false;
    let status = 0;
    let isReturned = false;
    req.async = false;
    req.bytes = size;
    write((error) => {
      status = statusOf(error);
      // A second completion is passed on: the stream throws ERR_MULTIPLE_CALLBACK for it, as with node:net.
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
    if (this.#closesWhenSent && this.#writing === 0) this.close();
  }

  shutdown(req: Req): number {
    let status: number | undefined;
    let isReturned = false;
    this.#companion._final((error) => {
      // A synchronous completion is reported as libuv's ENOTCONN, which needs no callback.
      status = error ? statusOf(error) : UV_ENOTCONN;
      if (isReturned) req.oncomplete(statusOf(error), this, req);
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
    const { status } = this;
    if (status < 0) return status;
    if (!canConnect(this.#foreign)) return UV_EINVAL;
    this.#connect = req;
    this.#isBeginning = true;
    try {
      this.#companion.connect(port === undefined ? { path: address } : resolvedTarget(address, port));
    } finally {
      this.#isBeginning = false;
    }
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
    this.#endPrevious();
    // The callback of a second close is never called.
    const isClosed = this.status === UV_EBADF;
    this.#foreign.close(isClosed ? undefined : callback);
    if (isClosed && callback) inLaterTurn(callback);
    this.#foreign.onread = ignore;
  }

  reset(callback?: () => void): number {
    this.#endPrevious();
    const status = this.#foreign.reset(callback);
    this.#foreign.onread = ignore;
    return status;
  }

  /** node:net begins to connect in a later tick, and aborts the process if the handle is closed by then. */
  #endPrevious(): void {
    if (this.#previous?.connecting) this.#previous.connecting = false;
  }

  /** Closes when the kernel has taken all writes. */
  closeWhenSent(): void {
    this.#closesWhenSent = true;
    if (this.#writing === 0) this.close();
  }

  duplicate(): number {
    return duplicateDescriptor(this.#foreign.fd ?? -1);
  }
}

/** With an address alone, node:net would connect in a later tick, when the handle may be closed. */
function resolvedTarget(address: string, port: number): TcpSocketConnectOpts {
  const lookup: LookupFunction = (_host, _options, found) => found(null, address, isIP(address));
  return { host: 'address', port, lookup, autoSelectFamily: false };
}

function ignore(): void {}
