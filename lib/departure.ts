// A connection leaves for another process. The socket has it no more from the beginning, as with node:net; what was written
// is still on its way, and if the connection cannot leave after all, the socket has it back.
import { Buffer } from 'node:buffer';

import { inLaterTurn } from './dispatcher.js';
import { errnoException } from './errors.js';
import type { EncodedChunk, Req, StreamHandle } from './handle.js';
import { reattachHandle, startReading } from './socket-read.js';
import { isSent, quiesce, type ReadAhead, takeReadAhead } from './settle.js';
import type { SocketHandle } from './socket-handle.js';
import { kState, type SocketCore } from './socket-state.js';
import { bytesOf } from './stream-handle.js';
import { dropUnread, isUnreadExact, unreadOf } from './unread.js';

/** What goes along with a connection. */
export interface Luggage {
  /** Read, and not consumed here. */
  unread: Uint8Array[];
  /** What the read has ended with behind that, a negative error; else 0. */
  error: number;
  /** Written here, and not taken by the kernel. */
  unsent: Uint8Array[];
  /** FIN is to follow. */
  ends: boolean;
}

/** A server that counts the sockets it has accepted. */
interface Accepted {
  _server: object | null;
}

/**
 * Takes the handle off a socket. As in Node nothing is told: the socket just has no connection any more. Its server counts
 * it no more, which is up to the caller, and so is the handle.
 */
export function detachHandle(socket: SocketCore & Accepted, handle: SocketHandle): void {
  const state = socket[kState];
  const { exposed } = state;
  handle.reader = null;
  handle.onbroken = null;
  handle.readStop();
  state.bytesRead = exposed?.bytesRead ?? 0;
  state.bytesWritten = exposed?.bytesWritten ?? 0;
  socket._handle = null;
  socket._server = null;
}

/** Takes the place of a handle's methods: what is written goes behind what was taken off the handle. */
class Collector {
  readonly chunks: Uint8Array[];
  ends: boolean;
  readonly #handle: StreamHandle;

  constructor(handle: StreamHandle) {
    this.#handle = handle;
    const { chunks, ends } = handle.takeUnsent();
    this.chunks = chunks;
    this.ends = ends;
    handle.write = (req, chunk, encoding) => this.#take(req, bytesOf(chunk, encoding));
    handle.writev = (req, chunks: readonly EncodedChunk[]) =>
      this.#take(req, Buffer.concat(chunks.map(({ chunk, encoding }) => bytesOf(chunk, encoding))));
    handle.shutdown = (req) => {
      this.ends = true;
      inLaterTurn(() => req.oncomplete(0, handle, req));
      return 0;
    };
  }

  /** The caller may use the memory again. */
  #take(req: Req, bytes: Uint8Array): number {
    this.chunks.push(Uint8Array.from(bytes));
    this.#handle.bytesWritten += bytes.length;
    req.bytes = bytes.length;
    req.async = false;
    return 0;
  }

  /** The handle writes by itself again, first what was collected. */
  end(): void {
    const handle = this.#handle as Partial<StreamHandle> & StreamHandle;
    for (const name of ['write', 'writev', 'shutdown'] as const) Reflect.deleteProperty(handle, name);
    const { bytesWritten } = handle;
    for (const chunk of this.chunks) handle.write({ oncomplete() {} }, chunk);
    handle.bytesWritten = bytesWritten;
    if (this.ends) handle.shutdown({ oncomplete() {} });
  }
}

export class Departure {
  readonly #socket: SocketCore & Accepted;
  readonly #handle: StreamHandle;
  readonly #server: object | null;
  readonly #resume: () => void;
  #collector: Collector | undefined;
  #readAhead: ReadAhead | undefined;
  #look: (() => void) | null = null;

  constructor(socket: SocketCore & Accepted, handle: StreamHandle) {
    this.#socket = socket;
    this.#handle = handle;
    this.#server = socket._server;
    this.#resume = quiesce(socket, handle);
    // What waits in the stream is written all the same.
    if (!isSent(socket, handle)) socket[kState].leaving = handle;
    while (socket.writableCorked > 0) socket.uncork();
    detachHandle(socket, handle);
  }

  /** Bytes that were read and that not even the stream has. */
  get readAhead(): number {
    return this.#handle.readQueueSize;
  }

  /** Whether there are bytes, in the stream or before it, that the program has not consumed and that can go along. */
  get hasUnread(): boolean {
    return this.readAhead > 0 || (isUnreadExact(this.#socket) && unreadOf(this.#socket).length > 0);
  }

  /** Whether nothing that was written is left here. */
  get isSent(): boolean {
    return this.#collector === undefined && isSent(this.#socket, this.#handle);
  }

  /** Whether everything that was written has left or can go along. At first it has to come out of the stream. */
  collect(): boolean {
    if (this.isSent) return true;
    this.#collector ??= new Collector(this.#handle);
    const { destroyed, writableLength, writableEnded, writableFinished } = this.#socket;
    if (destroyed || (writableLength === 0 && (!writableEnded || writableFinished))) return true;
    // The stream gives a chunk when it hears that the last one is written, and tells nobody.
    if (this.#look !== null) inLaterTurn(this.#look);
    return false;
  }

  /** `look` is called whenever `isSent` or `collect()` may have another answer. */
  watch(look: (() => void) | null): void {
    this.#look = look;
    this.#handle.ondrained = look && (() => inLaterTurn(look));
  }

  /** What goes along with the connection. Afterwards `leave`, or `stay`. */
  pack(): Luggage {
    this.#readAhead = takeReadAhead(this.#handle);
    const { chunks, error } = this.#readAhead;
    // What cannot be told byte for byte stays with the program, as it does with node:net.
    const read = isUnreadExact(this.#socket) ? unreadOf(this.#socket) : [];
    const { chunks: unsent, ends } = this.#collector ?? { chunks: [], ends: false };
    return { unread: [...read, ...chunks], error, unsent, ends };
  }

  /** The connection is another process's. */
  leave(): void {
    if (this.#readAhead !== undefined && isUnreadExact(this.#socket)) dropUnread(this.#socket);
    this.#end();
    this.#handle.close();
  }

  /** The socket has its connection back, and goes on as if nothing had been. */
  stay(): void {
    const socket = this.#socket;
    const handle = this.#handle;
    this.#collector?.end();
    for (const chunk of [...(this.#readAhead?.chunks ?? [])].reverse()) handle.putBack(chunk);
    this.#end();
    if (socket.destroyed) {
      handle.close();
      return;
    }
    reattachHandle(socket, handle);
    socket._server = this.#server;
    if (this.#readAhead !== undefined && this.#readAhead.error < 0) {
      socket.destroy(errnoException(this.#readAhead.error, 'read'));
      return;
    }
    this.#resume();
    // One that was accepted a moment ago has not begun to read.
    if (!handle.reading && !socket.isPaused()) startReading(socket);
  }

  #end(): void {
    this.watch(null);
    this.#socket[kState].leaving = null;
  }
}

/** Gives a connection that has arrived what went along with it, before anybody uses it. */
export function unpack(socket: SocketCore, handle: StreamHandle, { unread, error, unsent, ends }: Luggage): void {
  if (unsent.length > 0) handle.write({ oncomplete() {} }, Buffer.concat(unsent));
  // Counted where it was written.
  handle.bytesWritten = 0;
  if (ends) handle.shutdown({ oncomplete() {} });
  for (const chunk of unread) {
    handle.bytesRead += chunk.length;
    socket.push(chunk);
  }
  // When the program has the socket.
  if (error < 0) inLaterTurn(() => socket.destroy(errnoException(error, 'read')));
}
