/**
 * What a stream can do: connect, read, write, end, be relayed, and be handed to another thread or process.
 *
 * A method returns 0 or a negative libuv error. Everything later is reported through `reader`, `onconnection` and the
 * `oncomplete` of requests, each in a turn of its own and in the async context in which the handle (or the request) was
 * made.
 */
import { Buffer } from 'node:buffer';

import { acceptedBytes, queuedFlag } from './accepted.js';
import { control, type HandleEvent, inLaterTurn, reactor, receiverOf, send } from './dispatcher.js';
import { uvErrno } from '../errors/errors.js';
import { ListeningHandle } from './listener.js';
import { ChunkForm, EventKind, IOV_MAX, LONGEST_STRING, Operation, Transport } from './numbers.js';
import { type EncodedChunk, bytesOf } from './chunk.js';
import { Pending, type Req } from './request.js';
import type { SocketHandle } from './socket.js';
import { Unsent } from './unsent.js';
import { type QueueOwner, WriteQueue } from './write-queue.js';

const UV_EAGAIN: number = uvErrno('EAGAIN');
const UV_EALREADY: number = uvErrno('EALREADY');
const UV_EBADF: number = uvErrno('EBADF');
const UV_EEXIST: number = uvErrno('EEXIST');

/** Encodings that the reactor implements. */
const FORMS: Readonly<Partial<Record<string, ChunkForm>>> = {
  utf8: ChunkForm.Utf8,
  'utf-8': ChunkForm.Utf8,
  latin1: ChunkForm.Latin1,
  binary: ChunkForm.Latin1,
  ascii: ChunkForm.Latin1,
  utf16le: ChunkForm.Utf16Le,
  'utf-16le': ChunkForm.Utf16Le,
  ucs2: ChunkForm.Utf16Le,
  'ucs-2': ChunkForm.Utf16Le,
};

/** `TCP` and `Pipe`. */
export abstract class StreamHandle extends ListeningHandle<StreamHandle> implements SocketHandle, QueueOwner {
  static readonly SOCKET: number = 0;
  static readonly SERVER: number = 1;

  /** The number of active relays in this thread. */
  static relays(): number {
    return reactor().relays();
  }

  /** Called with bytes, or with a negative number: the end (`UV_EOF`) or an error. `this` is the handle. */
  reader: SocketHandle['reader'] = null;
  /** Called with a negative error if a completed write cannot be sent. `this` is the handle. */
  onbroken: SocketHandle['onbroken'] = null;
  /** Called after each event while the kernel has taken all writes. */
  ondrained: (() => void) | null = null;
  bytesRead = 0;
  bytesWritten = 0;
  reading = false;

  /** The function that Node has assigned to `onread`. */
  #guard: unknown;
  #connect: Pending | undefined;
  #shutdown: Pending | undefined;
  /** How it ended, until `oncomplete` may be called. */
  #shutdownStatus: number | undefined;
  /** Writes that the kernel has not taken; undefined until the first one. */
  #queue: WriteQueue | undefined;
  /** FIN waits until the reactor has all bytes of the queue. */
  #shutdownWaits = false;

  abstract get kind(): 'TCP' | 'PIPE';

  /**
   * The `reader`, under Node's name, for Node's own modules. An `http.Agent` (from Node 22.23 on) assigns a function while a
   * connection is idle, for which any data ends the connection, and later the function of Node's own handles. Neither
   * could process what ferronet delivers, so they are never called: they only set `isGuarded`.
   */
  get onread(): unknown {
    return this.#guard ?? this.reader;
  }

  set onread(given: unknown) {
    const isReset = this.#guard !== undefined && given !== this.#guard;
    this.#guard = isReset || given === this.reader ? undefined : given;
  }

  /** Whether any data that arrives ends the connection: an idle connection of an `http.Agent`. */
  get isGuarded(): boolean {
    return this.#guard !== undefined;
  }

  /** Bytes that `write` accepted and that the kernel has not taken. */
  get writeQueueSize(): number {
    return this.isWriting() ? reactor().writeQueueSize(this.id) + this.unsentSize() : 0;
  }

  private unsentSize(): number {
    return this.#queue?.unsentSize ?? 0;
  }

  protected override get isActive(): boolean {
    return this.reading || this.stage === 'listening';
  }

  /** Whether libuv would have its poller watch the descriptor. */
  private isWatched(): boolean {
    return this.isActive || this.#connect !== undefined || this.isWriting() || this.#shutdown !== undefined;
  }

  private pending(type: string, req: Req): Pending {
    return new Pending(type, req, this.getAsyncId());
  }

  private isWriting(): boolean {
    return this.#queue !== undefined && !this.#queue.isEmpty;
  }

  // ---- opening

  /**
   * Takes over a descriptor: makes it non-blocking, and closes it with the handle unless it is one of the standard streams.
   * Returns `EEXIST`, as libuv does, for a descriptor on which another handle of this thread reads, writes or listens. A
   * descriptor of any other handle, in any thread, is duplicated.
   */
  open(fd: number): number {
    const holder = receiverOf(reactor().holderOf(fd));
    if (holder instanceof StreamHandle && holder.isWatched()) return UV_EEXIST;
    const status = this.openOnce(() => reactor().open(fd, this.kind === 'PIPE' ? Transport.Pipe : Transport.Tcp));
    if (status === 0) this.stage = 'adopted';
    return status;
  }

  /**
   * Detaches what is open here for another thread. `unread` was read and not consumed; the receiver reads it first, and
   * with `end` the end behind it. Returns a number for `receiveTransfer`, or a negative error. Close this handle afterwards.
   */
  beginTransfer(unread: readonly Uint8Array[], end: boolean): number {
    return reactor().sendOff(this.openId(), unread, end);
  }

  /** Opens what a handle of another thread has detached by `beginTransfer`. */
  receiveTransfer(transfer: number): number {
    return this.openOnce(() => reactor().receive(transfer));
  }

  /** `open` makes a socket if there is none yet and returns its id or an error; `begin` starts the connect. */
  protected connectWith(req: Req, open: () => number, begin: (id: number) => number): number {
    if (this.isClosing()) return UV_EBADF;
    if (this.#connect) return UV_EALREADY;
    let status = this.id < 0 ? this.opened(open()) : 0;
    if (status === 0) status = begin(this.id);
    // libuv makes the socket of a pipe only now, and reports a failure by the request.
    else if (this.kind === 'PIPE') status = this.opened(reactor().failedConnect(status));
    if (status !== 0) return status;
    this.stage = 'open';
    if (this.reading) control(Operation.ReadStart, this.id);
    this.#connect = this.pending(this.kind === 'TCP' ? 'TCPCONNECTWRAP' : 'PIPECONNECTWRAP', req);
    return 0;
  }

  // ---- the stream

  readStart(): number {
    if (this.id < 0 || this.isClosing()) return UV_EBADF;
    const isAdopted = this.stage === 'adopted';
    const status = isAdopted ? 0 : control(Operation.ReadStart, this.id);
    this.reading = status === 0;
    this.updateLoopRef();
    // libuv reads in the next turn of the loop. A descriptor that is not connected yet may be by then.
    if (isAdopted) inLaterTurn(() => this.readAdopted());
    return status;
  }

  private readAdopted(): void {
    if (this.stage !== 'adopted' || !this.reading) return;
    this.stage = 'open';
    const status = control(Operation.ReadStart, this.id);
    if (status < 0) this.onevent(EventKind.End, status, undefined);
  }

  readStop(): number {
    if (this.id < 0 || this.isClosing()) return 0;
    const status = control(Operation.ReadStop, this.id);
    this.reading = false;
    this.updateLoopRef();
    return status;
  }

  /** Returns 0, or a negative error if nothing was taken. `req.async` says whether `oncomplete` will be called. */
  write(req: Req, chunk: Uint8Array | string, encoding: BufferEncoding = 'utf8'): number {
    let form: ChunkForm | undefined = ChunkForm.Bytes;
    if (typeof chunk === 'string') {
      form = FORMS[encoding];
      if (form === undefined || chunk.length > LONGEST_STRING || this.#queue?.hasUnsent) {
        chunk = Buffer.from(chunk, encoding);
        form = ChunkForm.Bytes;
      }
    }
    if (this.#queue?.hasUnsent) return this.enqueue(req, [chunk as Uint8Array]);
    const accepted = send(this.openId(), chunk, form);
    if (accepted < 0) return this.wrote(req, 0, accepted);
    const bytes = acceptedBytes(accepted);
    // A string is accepted whole.
    if (form !== ChunkForm.Bytes || bytes === (chunk as Uint8Array).byteLength) {
      return this.wrote(req, bytes, queuedFlag(accepted));
    }
    return this.enqueueRest(req, [chunk as Uint8Array], bytes);
  }

  /** Several chunks as one write. */
  writev(req: Req, chunks: readonly EncodedChunk[]): number {
    let size = 0;
    const list = chunks.map(({ chunk, encoding }) => {
      const bytes = bytesOf(chunk, encoding);
      size += bytes.byteLength;
      return bytes;
    });
    if (this.#queue?.hasUnsent) return this.enqueue(req, list);
    if (list.length > IOV_MAX) return this.writeInSteps(req, new Unsent(list, 0));
    const accepted = reactor().writev(this.openId(), list, false);
    if (accepted < 0) return this.wrote(req, 0, accepted);
    const bytes = acceptedBytes(accepted);
    return bytes === size ? this.wrote(req, size, queuedFlag(accepted)) : this.enqueueRest(req, list, bytes);
  }

  /** The reactor has taken the first bytes of a write, and the kernel not yet all of those. */
  private enqueueRest(req: Req, chunks: readonly Uint8Array[], taken: number): number {
    const unsent = new Unsent(chunks, taken);
    unsent.isWaiting = true;
    return this.wrote(req, taken + unsent.size, 1, unsent);
  }

  /** A write of more chunks than one call takes. */
  private writeInSteps(req: Req, unsent: Unsent): number {
    const { size } = unsent;
    const progress = unsent.send(this.openId(), false);
    if (typeof progress === 'number') return this.wrote(req, 0, progress);
    const status = this.wrote(req, size, progress === 'sent' ? 0 : 1, unsent.size > 0 ? unsent : undefined);
    if (progress === 'more') this.#queue?.sendLater();
    return status;
  }

  /** A write behind one that has unsent bytes. */
  private enqueue(req: Req, chunks: readonly Uint8Array[]): number {
    const unsent = new Unsent(chunks, 0);
    return this.isClosing() ? UV_EBADF : this.wrote(req, unsent.size, 1, unsent);
  }

  /** @param answer 0 if the kernel has all bytes, 1 if it does not yet, or a negative libuv error */
  protected wrote(req: Req, bytes: number, answer: number, unsent?: Unsent): number {
    req.async = false;
    if (answer < 0) return answer;
    req.bytes = bytes;
    this.bytesWritten += bytes;
    if (answer > 0) {
      req.async = true;
      (this.#queue ??= new WriteQueue(this)).push(this.pending('WRITEWRAP', req), unsent);
    }
    return 0;
  }

  onallsent(status: number): void {
    if (!this.#shutdownWaits) return;
    this.#shutdownWaits = false;
    const answer = status < 0 ? status : control(Operation.Shutdown, this.openId());
    if (answer < 0) this.#shutdownStatus = answer;
  }

  // ---- handing over: another owner gets a duplicate

  /** Sends the writes of the current batch. Returns how many bytes the kernel has not taken. */
  flush(): number {
    return reactor().flush(this.openId()) + this.unsentSize();
  }

  /** Bytes that were read and not delivered. */
  get readQueueSize(): number {
    return reactor().readQueueSize(this.openId());
  }

  /** Stops reading, and removes a piece of what was read and not delivered. 0 if there is none, or the error of the read. */
  takeUnread(): Buffer | number {
    return reactor().takeUnread(this.openId());
  }

  /** Sends bytes that another owner of the connection has reported as written; a close does not cancel them. */
  writeReported(bytes: Uint8Array): void {
    reactor().writeReported(this.openId(), bytes);
  }

  /** Returns a piece that `takeUnread` has removed, in reverse order. */
  putBack(unread: Uint8Array): void {
    reactor().putBack(this.openId(), unread);
  }

  /**
   * Removes the bytes that the kernel has not taken, for another process that sends them. The requests complete in a later
   * turn. `ends`: a shutdown was requested, and is cancelled here.
   */
  takeUnsent(): { chunks: Uint8Array[]; ends: boolean } {
    const first = reactor().takeUnsent(this.openId());
    const rest = this.#queue?.take();
    const shutdown = this.#shutdown;
    this.#shutdown = this.#shutdownStatus = undefined;
    this.#shutdownWaits = false;
    inLaterTurn(() => {
      rest?.complete();
      shutdown?.complete(0, this);
    });
    return { chunks: [first, ...(rest?.chunks ?? [])], ends: shutdown !== undefined };
  }

  // ---- relays: the reactor sends received bytes on another handle

  /** Returns 0, or a negative error if nothing has changed. The relay ends with `stopRelay`, or when the peer ends. */
  relay(to: StreamHandle): number {
    if (to.#queue?.hasUnsent) return UV_EAGAIN;
    return reactor().relay(this.openId(), to.openId());
  }

  /** Returns how many bytes it has moved. */
  stopRelay(): number {
    return reactor().stopRelay(this.id);
  }

  relayed(): number {
    return reactor().relayed(this.id);
  }

  /** For how many milliseconds it has moved nothing. */
  relayIdle(): number {
    return reactor().relayIdle(this.id);
  }

  /** Sends FIN behind all writes. */
  shutdown(req: Req): number {
    if (this.#queue?.hasUnsent && !this.isClosing()) {
      this.#shutdownWaits = true;
      return this.shutdownPending(req);
    }
    const status = control(Operation.Shutdown, this.openId());
    return status === 0 ? this.shutdownPending(req) : status;
  }

  /** The request completes when FIN was sent. */
  protected shutdownPending(req: Req): number {
    this.#shutdown = this.pending('SHUTDOWNWRAP', req);
    return 0;
  }

  protected override closeWith(reset: boolean, callback: (() => void) | undefined): void {
    this.reading = false;
    super.closeWith(reset, callback);
  }

  protected override takePending(): (Pending | undefined)[] {
    const pending = [this.#connect, ...(this.#queue?.cancel() ?? []), this.#shutdown];
    this.#connect = this.#shutdown = undefined;
    return pending;
  }

  // ---- events of the reactor

  override onevent(kind: HandleEvent, value: number, chunk: Buffer | undefined): void {
    switch (kind) {
      case EventKind.Data:
        if (chunk) this.received(value, chunk);
        break;
      case EventKind.End:
        this.reading = false;
        this.updateLoopRef();
        this.received(value);
        break;
      case EventKind.Wrote:
        this.#queue?.written(value);
        break;
      case EventKind.Broken:
        if (this.onbroken) this.context.runInAsyncScope(this.onbroken, this, value);
        break;
      case EventKind.ShutDown:
        this.#shutdownStatus = value;
        break;
      case EventKind.Connected: {
        const pending = this.#connect;
        this.#connect = undefined;
        pending?.complete(value, this);
        break;
      }
      case EventKind.Connection:
        this.accepted(value);
        break;
      case EventKind.Closed:
        this.onclosed();
        break;
      default:
        kind satisfies never;
    }
    if (this.isWriting()) return;
    if (this.#shutdownStatus !== undefined) this.endShutdown(this.#shutdownStatus);
    this.ondrained?.();
  }

  /** FIN was sent behind the writes, so it completes behind them. */
  private endShutdown(status: number): void {
    const pending = this.#shutdown;
    this.#shutdown = this.#shutdownStatus = undefined;
    pending?.complete(status, this);
  }

  private received(nread: number, chunk?: Buffer): void {
    if (nread > 0) this.bytesRead += nread;
    if (this.reader) this.context.runInAsyncScope(this.reader, this, nread, chunk);
  }
}
