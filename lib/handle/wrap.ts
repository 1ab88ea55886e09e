/**
 * What every handle has, whatever it is for: it is open or not, keeps the event loop alive as libuv would, closes, and has
 * an async context.
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

// What else an async resource has is not for those who look at handles.
type Context = Pick<AsyncResource, 'asyncId' | 'emitDestroy' | 'runInAsyncScope'>;
const Resource = AsyncResource as unknown as abstract new (type: string, options: AsyncResourceOptions) => Context;

/** What a handle is used for. */
export type Stage =
  /** Nothing is open. */
  | 'fresh'
  /** Opened by descriptor and not used yet. */
  | 'adopted'
  | 'open'
  | 'listening'
  /** `close` was called. */
  | 'closing';

/**
 * A handle is its own async resource, as Node's are.
 *
 * There is one for each connection, so nothing is made for it that it may never need, closures least of all: what is
 * called is a function that all handles share, and finds in `owner` whom it is about. Methods are private by TypeScript's
 * word only, because `#method()` costs every handle a field, and every call a look at it.
 */
export abstract class HandleWrap extends Resource implements Receiver, Closing {
  /** Who uses this handle; for those who put functions on it. */
  owner: unknown = null;

  readonly #type: string;
  /** Where what is told belongs: this very resource, unless `asyncReset` was called. */
  #context: Context = this;
  /** The reactor's id, or -1 while there is nothing open. */
  protected id = -1;
  #stage: Stage = 'fresh';
  #refed = true;
  #shared = false;
  /** Whether this handle is one of the dispatcher's loopRefs: active and ref'd, as libuv counts handles. */
  #refsLoop = false;
  /** What `close` was given to call. */
  #closed: (() => void) | undefined;

  /** @param trigger the async id of what caused it: of the listener, when it is a connection */
  constructor(type: string, trigger?: number) {
    super(type, manualDestroy(trigger));
    this.#type = type;
  }

  /** Whether something may come of it without being asked for again (libuv: `uv_is_active`). */
  protected abstract get isActive(): boolean;
  /** Takes away what was asked for and has not ended. */
  protected abstract takePending(): (Pending | undefined)[];
  abstract onevent(kind: HandleEvent, value: number, chunk: Buffer | undefined): void;

  protected get stage(): Stage {
    return this.#stage;
  }

  protected set stage(stage: Stage) {
    this.#stage = stage;
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
    return this.#type;
  }

  /** What is told from now on belongs to the context of this call: an `http.Agent` gives a kept socket to a request. */
  asyncReset(): void {
    this.#context.emitDestroy();
    this.#context = new AsyncResource(this.#type, manualDestroy());
  }

  // ---- what is open

  isClosing(): boolean {
    return this.#stage === 'closing';
  }

  /** The id while the handle is open, else one that names nothing: the reactor answers `EBADF`. */
  openId(): number {
    return this.isClosing() ? -1 : this.id;
  }

  /**
   * The descriptor's number; -1 while there is none. The program may use it, or give it to another one. So from now on
   * writes are not held until the end of a batch, and nothing is read or accepted ahead.
   */
  get fd(): number {
    const fd = this.descriptor;
    if (fd >= 0) this.share();
    return fd;
  }

  /** As `fd`, for uses inside of this package. */
  get descriptor(): number {
    return this.id < 0 || this.isClosing() ? -1 : reactor().fd(this.id);
  }

  /** Another owner uses the socket as well from now on. What the current batch loopRefs is sent. */
  share(): void {
    if (this.#shared || this.id < 0 || this.isClosing()) return;
    this.#shared = true;
    reactor().setShared(this.id, true);
  }

  /** The other owner has closed its descriptor. */
  unshare(): void {
    if (!this.#shared) return;
    this.#shared = false;
    reactor().setShared(this.openId(), false);
  }

  get isShared(): boolean {
    return this.#shared;
  }

  /** Another descriptor of the same socket, the caller's to close, or an error. */
  duplicate(): number {
    return reactor().duplicate(this.openId());
  }

  /** Takes what the reactor answered: an id, or an error to pass on. */
  protected opened(answer: number): number {
    if (answer < 0) return answer;
    this.id = answer;
    this.#stage = 'open';
    register(answer, this);
    return 0;
  }

  /** What is open already keeps its descriptor: a second one would be lost with the next. */
  protected openOnce(open: () => number): number {
    return this.#stage === 'fresh' ? this.opened(open()) : UV_EINVAL;
  }

  // ---- what keeps the loop alive

  ref(): void {
    this.#refed = true;
    this.updateLoopRef();
  }

  unref(): void {
    this.#refed = false;
    this.updateLoopRef();
  }

  hasRef(): boolean {
    return this.#refed && !this.isClosing();
  }

  protected updateLoopRef(): void {
    const wanted = this.hasRef() && this.isActive;
    if (wanted === this.#refsLoop) return;
    this.#refsLoop = wanted;
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
    this.#stage = 'closing';
    if (this.id >= 0) control(reset ? Operation.Reset : Operation.Close, this.id);
    this.updateLoopRef();
    refLoop();
    this.#closed = callback;
    atClosing(this);
  }

  onclosing(): void {
    // Taken away, so that an answer that was on its way when the handle was closed does not end them a second time.
    for (const pending of this.takePending()) {
      if (pending) inOwnTurn(() => pending.complete(UV_ECANCELED, this));
    }
    inLastTurn(this.id, this);
  }

  /** The last turn of all. */
  protected onclosed(): void {
    unrefLoop();
    try {
      if (this.#closed) this.#context.runInAsyncScope(this.#closed, this);
    } finally {
      this.#context.emitDestroy();
    }
  }
}
