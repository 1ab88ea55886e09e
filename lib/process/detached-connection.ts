// A connection that is being sent to another process. As in node:net, `send()` detaches it from its socket at once, although
// writes may still be pending. If the connection cannot be sent, it is attached to the socket again.
import { inLaterTurn } from '../handle/dispatcher.js';
import { errnoException } from '../errors/errors.js';
import { bytesOf, concatenated, type EncodedChunk } from '../handle/chunk.js';
import type { SocketHandle } from '../handle/socket.js';
import type { Req } from '../handle/request.js';
import type { StreamHandle } from '../handle/stream.js';
import { isFlushed, quiesce, type ReadAhead, takeReadAhead } from '../stream/quiesce.js';
import { reattachHandle, startReading } from '../stream/read.js';
import { kState, type SocketCore } from '../stream/state.js';
import { dropUnread, isUnreadExact, unreadOf } from '../stream/unread.js';

/** Bytes between the kernel and the program, in both directions. */
export interface InFlight {
  /** Read, and not consumed by the program. */
  unread: readonly Uint8Array[];
  /** The error that ended reading behind them: a negative libuv error, or 0. */
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
 * Detaches the handle from a socket without an event, as Node does. The caller closes the handle and decrements the count of
 * the server.
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

/** Collects the bytes that the kernel has not taken, and all later writes. */
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
    handle.writev = (req, list: readonly EncodedChunk[]) => this.#collect(req, concatenated(list));
    handle.shutdown = (req) => {
      this.ends = true;
      inLaterTurn(() => req.oncomplete(0, handle, req));
      return 0;
    };
  }

  // Copies: the write is complete when this returns, and the program may reuse the memory.
  #collect(req: Req, bytes: Uint8Array): number {
    this.chunks.push(Uint8Array.from(bytes));
    this.#handle.bytesWritten += bytes.length;
    req.bytes = bytes.length;
    req.async = false;
    return 0;
  }

  /** Writes what was collected. Later writes go to the kernel again. */
  stop(): void {
    const handle = this.#handle;
    for (const name of ['write', 'writev', 'shutdown'] as const) Reflect.deleteProperty(handle, name);
    const { bytesWritten } = handle;
    for (const chunk of this.chunks) handle.writeReported(chunk);
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
    // The stream writes its queued chunks to this handle.
    if (!isFlushed(socket, handle)) socket[kState].detachedHandle = handle;
    while (socket.writableCorked > 0) socket.uncork();
    detachHandle(socket, handle);
  }

  /** Bytes that the reactor has read and the stream has not got. */
  get readQueueSize(): number {
    return this.#handle.readQueueSize;
  }

  /** Whether there are unread bytes that can be sent along, in the stream's buffer or in the reactor. */
  get hasUnread(): boolean {
    return this.readQueueSize > 0 || (isUnreadExact(this.#socket) && unreadOf(this.#socket).length > 0);
  }

  /** Whether the kernel has taken all writes. */
  get isFlushed(): boolean {
    return this.#collector === undefined && isFlushed(this.#socket, this.#handle);
  }

  /**
   * Collects the bytes that the kernel has not taken. False if the stream still has chunks: it writes them when its last
   * write has completed, and then the `recheck` of `watch` is called.
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

  /** Removes the bytes that have to be sent along. `close` or `reattach` has to follow. */
  takeInFlight(): InFlight {
    this.#readAhead = takeReadAhead(this.#handle);
    const { chunks, error } = this.#readAhead;
    // Text that cannot be encoded back into its bytes stays in the stream, as with node:net.
    const buffered = isUnreadExact(this.#socket) ? unreadOf(this.#socket) : [];
    const { chunks: unsent, ends } = this.#collector ?? { chunks: [], ends: false };
    return { unread: [...buffered, ...chunks], readError: error, unsent, ends };
  }

  /** Closes the connection here: the other process has it. */
  close(): void {
    if (this.#readAhead !== undefined && isUnreadExact(this.#socket)) dropUnread(this.#socket);
    this.#finish();
    this.#handle.close();
  }

  /** Attaches the connection to the socket again, as it was. */
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

/** Gives a received socket the bytes that were sent along with its connection, before the program gets the socket. */
export function applyInFlight(socket: SocketCore, handle: StreamHandle, inFlight: InFlight): void {
  const { unread, readError, unsent, ends } = inFlight;
  // Their callbacks were called in the other process, so a close here must not cancel them.
  for (const chunk of unsent) handle.writeReported(chunk);
  // The sender has counted them.
  handle.bytesWritten = 0;
  if (ends) handle.shutdown({ ...IGNORED });
  for (const chunk of unread) {
    handle.bytesRead += chunk.length;
    socket.push(chunk);
  }
  // The program gets the socket first.
  if (readError < 0) inLaterTurn(() => socket.destroy(errnoException(readError, 'read')));
}
