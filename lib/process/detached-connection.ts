// A connection that is sent to another process. As in node:net the socket loses it with the call of `send()`; what was
// written before is still on its way out. If the connection cannot be sent, the socket gets it back.
import { Buffer } from 'node:buffer';

import { inLaterTurn } from '../handle/dispatcher.js';
import { errnoException } from '../errors/errors.js';
import type { EncodedChunk, SocketHandle } from '../handle/socket.js';
import type { Req } from '../handle/request.js';
import { type StreamHandle, bytesOf } from '../handle/stream.js';
import { isFlushed, quiesce, type ReadAhead, takeReadAhead } from '../stream/quiesce.js';
import { reattachHandle, startReading } from '../stream/read.js';
import { kState, type SocketCore } from '../stream/state.js';
import { dropUnread, isUnreadExact, unreadOf } from '../stream/unread.js';

/** The bytes between a connection and the program, in both directions. */
export interface InFlight {
  /** Read, and not consumed by the program. */
  unread: readonly Uint8Array[];
  /** What the read ended with behind that: a negative libuv error, or 0. */
  readError: number;
  /** Written by the program, and not taken by the kernel. */
  unsent: readonly Uint8Array[];
  /** FIN follows. */
  ends: boolean;
}

/** A server that counts the sockets it has accepted. */
interface Accepted {
  _server: object | null;
}

/**
 * Takes the handle off a socket, without an event, as Node does. The caller closes the handle and counts the socket off its
 * server.
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

const IGNORED: Req = { oncomplete() {} };

/** Collects what is written to a handle from now on, behind what the kernel has not taken. */
class WriteCollector {
  readonly chunks: Uint8Array[];
  ends: boolean;
  readonly #handle: StreamHandle;

  constructor(handle: StreamHandle) {
    this.#handle = handle;
    const { chunks, ends } = handle.takeUnsent();
    this.chunks = chunks;
    this.ends = ends;
    handle.write = (req, chunk, encoding) => this.#collect(req, bytesOf(chunk, encoding));
    handle.writev = (req, list: readonly EncodedChunk[]) =>
      this.#collect(req, Buffer.concat(list.map(({ chunk, encoding }) => bytesOf(chunk, encoding))));
    handle.shutdown = (req) => {
      this.ends = true;
      inLaterTurn(() => req.oncomplete(0, handle, req));
      return 0;
    };
  }

  // A copy: the write is complete when this returns, and the memory the program's again.
  #collect(req: Req, bytes: Uint8Array): number {
    this.chunks.push(Uint8Array.from(bytes));
    this.#handle.bytesWritten += bytes.length;
    req.bytes = bytes.length;
    req.async = false;
    return 0;
  }

  /** The handle writes to the kernel again, first what was collected. */
  stop(): void {
    const handle = this.#handle;
    for (const name of ['write', 'writev', 'shutdown'] as const) Reflect.deleteProperty(handle, name);
    const { bytesWritten } = handle;
    for (const chunk of this.chunks) handle.write({ ...IGNORED }, chunk);
    handle.bytesWritten = bytesWritten;
    if (this.ends) handle.shutdown({ ...IGNORED });
  }
}

export class DetachedConnection {
  readonly #socket: SocketCore & Accepted;
  readonly #handle: StreamHandle;
  readonly #server: object | null;
  readonly #resume: () => void;
  #collector: WriteCollector | undefined;
  #readAhead: ReadAhead | undefined;
  #recheck: (() => void) | null = null;

  constructor(socket: SocketCore & Accepted, handle: StreamHandle) {
    this.#socket = socket;
    this.#handle = handle;
    this.#server = socket._server;
    this.#resume = quiesce(socket, handle);
    // Chunks that the stream has queued are still written.
    if (!isFlushed(socket, handle)) socket[kState].detachedHandle = handle;
    while (socket.writableCorked > 0) socket.uncork();
    detachHandle(socket, handle);
  }

  /** How many bytes were read and are not even in the stream's buffer. */
  get readQueueSize(): number {
    return this.#handle.readQueueSize;
  }

  /** Whether there are unread bytes, in the stream's buffer or before it, that can be sent along. */
  get hasUnread(): boolean {
    return this.readQueueSize > 0 || (isUnreadExact(this.#socket) && unreadOf(this.#socket).length > 0);
  }

  /** Whether the kernel has everything that was written. */
  get isFlushed(): boolean {
    return this.#collector === undefined && isFlushed(this.#socket, this.#handle);
  }

  /**
   * Collects what the kernel has not taken. False: the stream has more, which it gives when its last chunk is complete, and
   * the `recheck` of `watch` is called then.
   */
  collectWrites(): boolean {
    if (this.isFlushed) return true;
    this.#collector ??= new WriteCollector(this.#handle);
    const { destroyed, writableLength, writableEnded, writableFinished } = this.#socket;
    if (destroyed || (writableLength === 0 && (!writableEnded || writableFinished))) return true;
    if (this.#recheck !== null) inLaterTurn(this.#recheck);
    return false;
  }

  /** `recheck` is called when `isFlushed` or `collectWrites()` may have changed. */
  watch(recheck: (() => void) | null): void {
    this.#recheck = recheck;
    this.#handle.ondrained = recheck && (() => inLaterTurn(recheck));
  }

  /** What has to be sent along. Call `close` or `reattach` afterwards. */
  takeInFlight(): InFlight {
    this.#readAhead = takeReadAhead(this.#handle);
    const { chunks, error } = this.#readAhead;
    // Text that cannot be turned back into its bytes stays in the stream, as with node:net.
    const buffered = isUnreadExact(this.#socket) ? unreadOf(this.#socket) : [];
    const { chunks: unsent, ends } = this.#collector ?? { chunks: [], ends: false };
    return { unread: [...buffered, ...chunks], readError: error, unsent, ends };
  }

  /** The other process has the connection. */
  close(): void {
    if (this.#readAhead !== undefined && isUnreadExact(this.#socket)) dropUnread(this.#socket);
    this.#finish();
    this.#handle.close();
  }

  /** Gives the connection back to the socket, as it was. */
  reattach(): void {
    const socket = this.#socket;
    const handle = this.#handle;
    const { chunks, error } = this.#readAhead ?? { chunks: [], error: 0 };
    this.#collector?.stop();
    for (const chunk of [...chunks].reverse()) handle.putBack(chunk);
    this.#finish();
    if (socket.destroyed) {
      handle.close();
      return;
    }
    reattachHandle(socket, handle);
    socket._server = this.#server;
    if (error < 0) {
      socket.destroy(errnoException(error, 'read'));
      return;
    }
    this.#resume();
    // A socket that was sent by the `connection` listener has not begun to read.
    if (!handle.reading && !socket.isPaused()) startReading(socket);
  }

  #finish(): void {
    this.watch(null);
    this.#socket[kState].detachedHandle = null;
  }
}

/** Applies what was sent along with a connection to the socket that was made of it, before the program has that. */
export function applyInFlight(socket: SocketCore, handle: StreamHandle, inFlight: InFlight): void {
  const { unread, readError, unsent, ends } = inFlight;
  if (unsent.length > 0) handle.write({ ...IGNORED }, Buffer.concat(unsent));
  // They were counted where they were written.
  handle.bytesWritten = 0;
  if (ends) handle.shutdown({ ...IGNORED });
  for (const chunk of unread) {
    handle.bytesRead += chunk.length;
    socket.push(chunk);
  }
  // Not before the program has the socket.
  if (readError < 0) inLaterTurn(() => socket.destroy(errnoException(readError, 'read')));
}
