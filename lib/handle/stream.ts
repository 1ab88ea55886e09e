/**
 * What a stream can do: connect, read, be relayed, and be handed to another thread or process; it writes and ends as a
 * `WritingHandle`.
 *
 * A method returns 0 or a negative libuv error. Everything later is reported through `reader`, `onconnection` and the
 * `oncomplete` of requests, each in a turn of its own and in the async context in which the handle (or the request) was
 * made.
 */
import type { Buffer } from 'node:buffer';

import { uvErrno } from '../errors/errors.js';
import { control, type HandleEvent, inLaterTurn, reactor, receiverOf } from './dispatcher.js';
import { EventKind, Operation, Transport } from './numbers.js';
import type { Pending, Req } from './request.js';
import type { SocketHandle } from './socket.js';
import { Stage } from './wrap.js';
import { WritingHandle } from './writing.js';

const UV_EAGAIN: number = uvErrno('EAGAIN');
const UV_EALREADY: number = uvErrno('EALREADY');
const UV_EBADF: number = uvErrno('EBADF');
const UV_EEXIST: number = uvErrno('EEXIST');

/** `TCP` and `Pipe`. */
export abstract class StreamHandle extends WritingHandle<StreamHandle> implements SocketHandle {
  static readonly SOCKET: number = 0;
  static readonly SERVER: number = 1;

  /** The number of active relays in this thread. */
  static relays(): number {
    return reactor().relays();
  }

  /** Called with bytes, or with a negative number: the end (`UV_EOF`) or an error. `this` is the handle. */
  reader: SocketHandle['reader'] = null;
  bytesRead = 0;
  reading = false;

  /** The function that Node has assigned to `onread`. */
  #guard: unknown;
  #connect: Pending | undefined;

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

  protected override get isActive(): boolean {
    return this.reading || this.stage === Stage.Listening;
  }

  /** Whether libuv would have its poller watch the descriptor. */
  private isWatched(): boolean {
    return this.isActive || this.#connect !== undefined || this.isWriting || this.isShuttingDown;
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
    if (status === 0) this.stage = Stage.Adopted;
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
    this.stage = Stage.Open;
    if (this.reading) control(Operation.ReadStart, this.id);
    this.#connect = this.pending(this.kind === 'TCP' ? 'TCPCONNECTWRAP' : 'PIPECONNECTWRAP', req);
    return 0;
  }

  // ---- the stream

  readStart(): number {
    if (this.id < 0 || this.isClosing()) return UV_EBADF;
    const isAdopted = this.stage === Stage.Adopted;
    const status = isAdopted ? 0 : control(Operation.ReadStart, this.id);
    this.reading = status === 0;
    this.updateLoopRef();
    // libuv reads in the next turn of the loop. A descriptor that is not connected yet may be by then.
    if (isAdopted) inLaterTurn(() => this.readAdopted());
    return status;
  }

  private readAdopted(): void {
    if (this.stage !== Stage.Adopted || !this.reading) return;
    this.stage = Stage.Open;
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

  // ---- handing over: another owner gets a duplicate

  /**
   * The descriptor, which is the caller's from now on, or a negative error: `EAGAIN` while something is on its way in either
   * direction. Close this handle afterwards.
   */
  release(): number {
    return reactor().release(this.openId());
  }

  /** Bytes that were read and not delivered. */
  get readQueueSize(): number {
    return reactor().readQueueSize(this.openId());
  }

  /** Stops reading, and removes a piece of what was read and not delivered. 0 if there is none, or the error of the read. */
  takeUnread(): Buffer | number {
    return reactor().takeUnread(this.openId());
  }

  /** Returns a piece that `takeUnread` has removed, in reverse order. */
  putBack(unread: Uint8Array): void {
    reactor().putBack(this.openId(), unread);
  }

  // ---- relays: the reactor sends received bytes on another handle

  /** Returns 0, or a negative error if nothing has changed. The relay ends with `stopRelay`, or when the peer ends. */
  relay(to: StreamHandle): number {
    if (to.hasUnsent) return UV_EAGAIN;
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

  protected override closeWith(reset: boolean, callback: (() => void) | undefined): void {
    this.reading = false;
    super.closeWith(reset, callback);
  }

  protected override cancelPending(): void {
    const connect = this.#connect;
    if (connect !== undefined) {
      this.#connect = undefined;
      this.cancel(connect);
    }
    super.cancelPending();
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
        this.written(value);
        break;
      case EventKind.Broken:
        if (this.onbroken) this.context.runInAsyncScope(this.onbroken, this, value);
        break;
      case EventKind.ShutDown:
        this.shutDown(value);
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
      case EventKind.Descriptor:
        this.acceptedDescriptor(value);
        break;
      case EventKind.Closed:
        this.onclosed();
        break;
      default:
        kind satisfies never;
    }
    this.eventEnded();
  }

  private received(nread: number, chunk?: Buffer): void {
    if (nread > 0) this.bytesRead += nread;
    if (this.reader) this.context.runInAsyncScope(this.reader, this, nread, chunk);
  }
}
