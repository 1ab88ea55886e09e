// The private state of a socket, and the interface by which its parts (reading, writing, timer, connecting) use it. The parts
// import this file, and the class imports the parts.
import type { Duplex } from 'node:stream';

import type { AnyBlockList } from '../address/block-list.js';
import { NO_OPTIONS, type TcpOptions } from '../handle/options.js';
import type { AddressOut, TCP } from '../handle/tcp.js';
import type { StreamHandle } from '../handle/stream.js';
import type { SocketHandle } from '../handle/socket.js';

/** Receives data in place of the stream. */
export interface Reader {
  /** Starts with a new handle: drops held data. */
  begin: () => void;
  /** Data that was delivered and not passed on yet. */
  readonly held: Buffer | null;
  /** Whether more is wanted. */
  readonly isWanted: boolean;
  /** Takes a chunk; false when nothing more is wanted for now. */
  deliver: (chunk: Buffer) => boolean;
  pause: () => void;
  /** True if the handle may read again. False if held data is delivered first. */
  resume: () => boolean;
  /** Removes the held data and returns it. */
  takeHeld: () => Buffer | null;
}

/** Waits until the socket has connected, or has closed without. */
export interface Waiter {
  connected: () => void;
  closed: (() => void) | undefined;
}

const NO_WAITERS: readonly Waiter[] = [];

/** An attempt to connect, as seen by what ends it with its socket. */
export interface RunningAttempt {
  cancel: () => void;
}

const NO_ATTEMPTS: readonly RunningAttempt[] = [];

/** A pipe between two sockets that is a relay or may become one; see relay.ts. */
export interface Relay {
  readonly source: SocketCore;
  readonly destination: SocketCore;
  /** The pipe's own `data` listener. */
  readonly ondata: unknown;
  /** The handles, while it is active. */
  ends: readonly [StreamHandle, StreamHandle] | undefined;
  /** Bytes it has moved that are already in the counters of the handles. */
  counted: number;
  /** Chunks that passed through JavaScript since the last attempt to begin. */
  chunks: number;
  /** Chunks that have to pass through JavaScript before the next attempt. */
  wanted: number;
}

/** What few sockets need: a connection that only reads and writes has none. */
class RareState {
  waiting: readonly Waiter[] = NO_WAITERS;
  attempts: readonly RunningAttempt[] = NO_ATTEMPTS;
  resetting = false;
  signal: AbortSignal | undefined = undefined;
  isUsedAsStdio = false;
  detachedHandle: StreamHandle | null = null;
  bound = false;
  shortenedAt: number | undefined = undefined;
  mayRelay = true;
  relayed = 0;
}

/** Each connection has one, so what is mostly left alone is in `RareState`. */
export class SocketState {
  /** The handle that the socket reads and writes with. */
  handle: SocketHandle | null = null;
  /** The value of `_handle`: the same object, or the foreign handle below it. */
  exposed: ExposedHandle | null = null;
  /** Counters of the last handle when it was released. */
  bytesRead = 0;
  bytesWritten = 0;

  /** Incremented by each destroy. A `lookup` or connect that started before it finds another number and is ignored. */
  life = 0;

  idleTimer: NodeJS.Timeout | undefined = undefined;
  /** `handle.writeQueueSize` when the idle timer last fired, 0 while no write is pending. */
  queueAtLastCheck = 0;

  /** The `onread` option: receives data in place of the stream. */
  reader: Reader | null = null;

  /** The pipe out of this socket that is a relay or may become one. */
  relayOut: Relay | null = null;
  /** The relay into this socket. */
  relayIn: Relay | null = null;

  /** Options of the kernel's socket, set or to be set when it connects. Replaced as a whole. */
  kernelOptions: Readonly<TcpOptions> = NO_OPTIONS;

  #rare: RareState | undefined;

  private get rare(): RareState {
    return (this.#rare ??= new RareState());
  }

  /** Waits for the end of the connect. */
  get waiting(): readonly Waiter[] {
    return this.#rare === undefined ? NO_WAITERS : this.#rare.waiting;
  }

  set waiting(waiting: readonly Waiter[]) {
    this.rare.waiting = waiting;
  }

  /** The attempts to connect that run. */
  get attempts(): readonly RunningAttempt[] {
    return this.#rare === undefined ? NO_ATTEMPTS : this.#rare.attempts;
  }

  set attempts(attempts: readonly RunningAttempt[]) {
    this.rare.attempts = attempts;
  }

  /** `resetAndDestroy`: the next close is a RST. */
  get resetting(): boolean {
    return this.#rare?.resetting === true;
  }

  set resetting(resetting: boolean) {
    this.rare.resetting = resetting;
  }

  get signal(): AbortSignal | undefined {
    return this.#rare?.signal;
  }

  set signal(signal: AbortSignal | undefined) {
    this.rare.signal = signal;
  }

  /** The connection is the stdio of a child process: this process reads only if the program asks for it. */
  get isUsedAsStdio(): boolean {
    return this.#rare?.isUsedAsStdio === true;
  }

  set isUsedAsStdio(isUsedAsStdio: boolean) {
    this.rare.isUsedAsStdio = isUsedAsStdio;
  }

  /** The handle of a connection that is being sent to another process, while the stream still has chunks to write to it. */
  get detachedHandle(): StreamHandle | null {
    return this.#rare === undefined ? null : this.#rare.detachedHandle;
  }

  set detachedHandle(handle: StreamHandle | null) {
    this.rare.detachedHandle = handle;
  }

  /** Made of a `BoundSocket`: the local address of the first connect is fixed. */
  get bound(): boolean {
    return this.#rare?.bound === true;
  }

  set bound(bound: boolean) {
    this.rare.bound = bound;
  }

  /** Bytes that had passed through the streams when the timer was started with less than its full time; see relay-idle.ts. */
  get shortenedAt(): number | undefined {
    return this.#rare?.shortenedAt;
  }

  set shortenedAt(bytes: number | undefined) {
    if (bytes !== this.shortenedAt) this.rare.shortenedAt = bytes;
  }

  /** The `nativeRelay` option. */
  get mayRelay(): boolean {
    return this.#rare?.mayRelay !== false;
  }

  set mayRelay(mayRelay: boolean) {
    this.rare.mayRelay = mayRelay;
  }

  /** Bytes that relays have moved out of this socket or into it, of those that its handle counts. */
  get relayed(): number {
    return this.#rare?.relayed ?? 0;
  }

  set relayed(bytes: number) {
    this.rare.relayed = bytes;
  }
}

/** What this package uses of the value of `_handle`. A handle that a program has written may lack any of it. */
export type ExposedHandle = Partial<
  Pick<
    TCP,
    | 'bytesRead'
    | 'bytesWritten'
    | 'fd'
    | 'getpeername'
    | 'getsockname'
    | 'getTypeOfService'
    | 'hasRef'
    | 'readStop'
    | 'ref'
    | 'setKeepAlive'
    | 'setNoDelay'
    | 'setTypeOfService'
    | 'unref'
    | 'writeQueueSize'
  >
>;

export const kState: unique symbol = Symbol('ferronet.socket');

export interface WithState {
  [kState]: SocketState;
}

/** A `Socket`, as its parts see it. */
export interface SocketCore extends Duplex, WithState {
  connecting: boolean;
  timeout?: number | undefined;
  autoSelectFamilyAttemptedAddresses?: string[];
  blockList?: AnyBlockList | undefined;
  _handle: ExposedHandle | null;
  _host: string | null;
  _parent: SocketCore | null;
  _peername: AddressOut | undefined;
  _sockname: AddressOut | null | undefined;
  _pendingData: unknown;
  _pendingEncoding: string;
  _closeAfterHandlingError: boolean;
  _getsockname: () => AddressOut;
  _onTimeout: () => void;
  _undestroy: () => void;
}

/** Calls `connected` when the socket has connected, or `closed` if it closes before that. */
export function whenConnected(socket: SocketCore, connected: () => void, closed?: () => void): void {
  const state = socket[kState];
  state.waiting = [...state.waiting, { connected, closed }];
}

/** Removes the waiters and returns them. */
export function takeWaiters(state: SocketState): readonly Waiter[] {
  const { waiting } = state;
  if (waiting.length > 0) state.waiting = NO_WAITERS;
  return waiting;
}

/** To be cancelled if the socket is destroyed. */
export function addAttempt(state: SocketState, attempt: RunningAttempt): void {
  state.attempts = state.attempts.length === 0 ? [attempt] : [...state.attempts, attempt];
}

export function removeAttempt(state: SocketState, attempt: RunningAttempt): void {
  const { attempts } = state;
  if (attempts.length === 1 && attempts[0] === attempt) state.attempts = NO_ATTEMPTS;
  else state.attempts = attempts.filter((each) => each !== attempt);
}

export function notifyConnected(socket: SocketCore): void {
  for (const each of takeWaiters(socket[kState])) each.connected();
}
