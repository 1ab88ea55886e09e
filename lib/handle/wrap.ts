/**
 * The base of all handles: opening and closing, keeping the event loop alive as libuv would, and the async context.
 */
import { AsyncResource, type AsyncResourceOptions } from 'node:async_hooks';

import { manualDestroy } from '../node/async-resource.js';
import {
  atClosing,
  control,
  refLoop,
  inLastTurn,
  inOwnTurn,
  reactor,
  register,
  unrefLoop,
  type Closing,
  type HandleEvent,
  type Receiver,
} from './dispatcher.js';
import { uvErrno } from '../errors/errors.js';
import { Operation } from './numbers.js';
import type { Pending } from './request.js';

const UV_ECANCELED: number = uvErrno('ECANCELED');
const UV_EINVAL: number = uvErrno('EINVAL');

// Hides the other members of an async resource from the type of a handle.
type Context = Pick<AsyncResource, 'asyncId' | 'emitDestroy' | 'runInAsyncScope'>;
const Resource = AsyncResource as unknown as abstract new (type: string, options: AsyncResourceOptions) => Context;

/** The life of a handle. */
export const Stage = {
  /** Nothing is open. */
  Fresh: 0,
  /** Opened by a descriptor and not used yet. */
  Adopted: 1,
  Open: 2,
  Listening: 3,
  /** `close` was called. */
  Closing: 4,
} as const;
export type Stage = (typeof Stage)[keyof typeof Stage];

/** Who else uses the socket: another owner may, once the program knows the number of the descriptor (`Exposed`). */
const Sharing = { None: 0, Exposed: 1 << 3, Shared: 2 << 3 } as const;
type Sharing = (typeof Sharing)[keyof typeof Sharing];

/** The state of a handle in one number: these, its `Stage` and its `Sharing`. */
const Flag = {
  Stage: 7,
  Sharing: 3 << 3,
  Refed: 1 << 5,
  /** This handle keeps the loop alive: active and ref'd, as libuv counts handles. */
  RefsLoop: 1 << 6,
  Server: 1 << 7,
} as const;

/**
 * A handle is its own async resource, as Node's are.
 *
 * Each connection has one, so it allocates nothing that it may never need, closures least of all: callbacks are functions
 * that all handles share, and find their socket in `owner`, and what has few states is a few bits of one field. Methods use TypeScript's `private`, because `#method()` costs
 * each handle a field and each call a check.
 */
export abstract class HandleWrap extends Resource implements Receiver, Closing {
  /** The socket that has this handle, for the callbacks that are set on it. */
  owner: unknown = null;

  /** The async context of callbacks: this resource, unless `asyncReset` was called. */
  #context: Context = this;
  /** The reactor's id, or -1 while there is nothing open. */
  protected id = -1;
  #flags: number;
  /** The callback of `close`. */
  #closed: (() => void) | undefined;

  /**
   * @param type of the async resource
   * @param trigger the async id of what caused it: of the listener, for an accepted connection
   */
  constructor(type: string, isServer: boolean, trigger?: number) {
    super(type, manualDestroy(trigger));
    this.#flags = isServer ? Flag.Refed | Flag.Server : Flag.Refed;
  }

  /** The type of its async resource. */
  protected abstract typeOf(isServer: boolean): string;

  /** Whether it waits for events (libuv: `uv_is_active`). */
  protected abstract get isActive(): boolean;
  /** Removes the requests that have not completed, and has each end with `cancel`. */
  protected abstract cancelPending(): void;
  abstract onevent(kind: HandleEvent, value: number, chunk: Buffer | undefined): void;

  protected get stage(): Stage {
    return (this.#flags & Flag.Stage) as Stage;
  }

  protected set stage(stage: Stage) {
    this.#flags = (this.#flags & ~Flag.Stage) | stage;
  }

  private get sharing(): Sharing {
    return (this.#flags & Flag.Sharing) as Sharing;
  }

  private set sharing(sharing: Sharing) {
    this.#flags = (this.#flags & ~Flag.Sharing) | sharing;
  }

  // ---- its async context

  protected get context(): Context {
    return this.#context;
  }

  getAsyncId(): number {
    return this.#context.asyncId();
  }

  /** The type of this async resource. An `http.Agent` asks for it when it calls `asyncReset`. */
  getProviderType(): string {
    return this.typeOf((this.#flags & Flag.Server) !== 0);
  }

  /** Callbacks run in the context of this call from now on. An `http.Agent` calls it when it reuses a socket. */
  asyncReset(): void {
    this.#context.emitDestroy();
    this.#context = new AsyncResource(this.getProviderType(), manualDestroy());
  }

  // ---- what is open

  isClosing(): boolean {
    return this.stage === Stage.Closing;
  }

  /** The id while the handle is open, else one for which the reactor returns `EBADF`. */
  openId(): number {
    return this.isClosing() ? -1 : this.id;
  }

  /**
   * The descriptor; -1 while there is none. The program may use it, or pass it to another process. So from now on writes
   * are not batched, and nothing is read or accepted ahead.
   */
  get fd(): number {
    const fd = this.descriptor;
    if (fd >= 0 && this.sharing === Sharing.None) {
      this.sharing = Sharing.Exposed;
      reactor().setShared(this.id, true);
    }
    return fd;
  }

  /** As `fd`, for use inside this package: nothing changes. */
  get descriptor(): number {
    return this.id < 0 || this.isClosing() ? -1 : reactor().fd(this.id);
  }

  /** Another owner uses the socket as well from now on. Sends the writes of the current batch. */
  share(): void {
    if (this.sharing === Sharing.Shared || this.id < 0 || this.isClosing()) return;
    this.sharing = Sharing.Shared;
    reactor().setShared(this.id, true);
  }

  /** The other owner has closed its descriptor. */
  unshare(): void {
    if (this.sharing === Sharing.None) return;
    this.sharing = Sharing.None;
    reactor().setShared(this.openId(), false);
  }

  get isShared(): boolean {
    return this.sharing !== Sharing.None;
  }

  /** A duplicate of the descriptor, which the caller has to close, or a negative error. */
  duplicate(): number {
    return reactor().duplicate(this.openId());
  }

  /** @param answer of the reactor: an id, or an error that is returned */
  protected opened(answer: number): number {
    if (answer < 0) return answer;
    this.id = answer;
    this.stage = Stage.Open;
    register(answer, this);
    return 0;
  }

  /** Opens a fresh handle. A second descriptor would leak the first. */
  protected openOnce(open: () => number): number {
    return this.stage === Stage.Fresh ? this.opened(open()) : UV_EINVAL;
  }

  // ---- what keeps the loop alive

  ref(): void {
    this.#flags |= Flag.Refed;
    this.updateLoopRef();
  }

  unref(): void {
    this.#flags &= ~Flag.Refed;
    this.updateLoopRef();
  }

  hasRef(): boolean {
    return (this.#flags & Flag.Refed) !== 0 && !this.isClosing();
  }

  protected updateLoopRef(): void {
    const wanted = this.hasRef() && this.isActive;
    if (wanted === ((this.#flags & Flag.RefsLoop) !== 0)) return;
    this.#flags ^= Flag.RefsLoop;
    if (wanted) refLoop();
    else unrefLoop();
  }

  // ---- closing

  /**
   * Closes the descriptor at once. Requests that were open end with `ECANCELED`, then `callback` runs: both after the
   * immediates of this turn of the loop, where libuv has its closing callbacks.
   */
  close(callback?: () => void): void {
    this.closeWith(false, callback);
  }

  /** As `close`, with RST. */
  reset(callback?: () => void): number {
    this.closeWith(true, callback);
    return 0;
  }

  protected closeWith(reset: boolean, callback: (() => void) | undefined): void {
    if (this.isClosing()) return;
    this.stage = Stage.Closing;
    // Reading the number makes no other owner, for which the close would have to be orderly.
    if (this.sharing === Sharing.Exposed) reactor().setShared(this.id, false);
    if (this.id >= 0) control(reset ? Operation.Reset : Operation.Close, this.id);
    this.updateLoopRef();
    refLoop();
    this.#closed = callback;
    atClosing(this);
  }

  onclosing(): void {
    // Removed, so that events that were on their way when the handle was closed do not complete them a second time.
    this.cancelPending();
    inLastTurn(this.id, this);
  }

  protected cancel(pending: Pending): void {
    inOwnTurn(() => pending.complete(UV_ECANCELED, this));
  }

  /** The last turn of this handle. */
  protected onclosed(): void {
    unrefLoop();
    try {
      if (this.#closed) this.#context.runInAsyncScope(this.#closed, this);
    } finally {
      this.#context.emitDestroy();
    }
  }
}
