// What a socket knows beyond its public face, and the face that the parts of a socket (reading, writing, timer,
// connecting) see of it. They all stand on this file, and the class stands on them.
import type { Duplex } from 'node:stream';

import type { AnyBlockList } from '../address/block-list.js';
import type { AddressOut, TCP } from '../handle/tcp.js';
import type { StreamHandle } from '../handle/stream.js';
import type { SocketHandle } from '../handle/socket.js';

/** `undefined` leaves what the handle's default is, 0 what the system has. */
export interface KeepAlive {
  enable: boolean;
  /** Seconds, as the kernel counts them. */
  idle: number;
  interval: number | undefined;
  count: number | undefined;
}

/** Where data goes when it does not go through the stream. */
export interface Reader {
  /** A new handle: nothing is held back. */
  begin: () => void;
  /** What was delivered and is not handed on yet. */
  readonly held: Buffer | null;
  /** Whether more is wanted. */
  readonly isWanted: boolean;
  /** Takes a chunk; false when nothing more is wanted for now. */
  deliver: (chunk: Buffer) => boolean;
  pause: () => void;
  /** True when the handle may read again; otherwise what was held back is delivered first. */
  resume: () => boolean;
  /** Gives away what was held back. */
  takeHeld: () => Buffer | null;
}

/** Something that has to wait for the connection, or for the news that there will be none. */
export interface Waiter {
  connected: () => void;
  closed: (() => void) | undefined;
}

/** What nobody has asked for, and nobody changes: most sockets have this one. */
export const NO_KEEP_ALIVE: Readonly<KeepAlive> = { enable: false, idle: 0, interval: undefined, count: undefined };

const NO_WAITERS: readonly Waiter[] = [];

/** One pipe between two sockets that may become, or is, a relay; see relay.ts. */
export interface Relay {
  readonly source: SocketCore;
  readonly destination: SocketCore;
  /** The listener of the pipe itself. */
  readonly ondata: unknown;
  /** The handles, while it is active. */
  ends: readonly [StreamHandle, StreamHandle] | undefined;
  /** Of the bytes it has moved, those that the handles count already. */
  counted: number;
  /** Chunks that came through JavaScript since the last attempt to begin. */
  chunks: number;
  /** Chunks that have to. */
  wanted: number;
}

export class SocketState {
  /** What the socket reads and writes by. */
  handle: SocketHandle | null = null;
  /** What `_handle` gives out: the same object, or the foreign handle below it. */
  exposed: ExposedHandle | null = null;
  /** What the last handle had counted when it was given up. */
  bytesRead = 0;
  bytesWritten = 0;

  /** Counts the ends of this socket: an answer that belongs to an earlier life finds another number here. */
  life = 0;
  waiting: readonly Waiter[] = NO_WAITERS;
  /** Gives up what `connect` has under way besides the handle: the timer of an attempt. */
  cancelConnecting: (() => void) | null = null;
  /** `resetAndDestroy`: the next close is a RST. */
  resetting = false;
  signal: AbortSignal | undefined = undefined;
  /** A child process reads from the connection: this process does not, unless the program asks for it. */
  isUsedAsStdio = false;
  /** The handle of a connection that was sent to another process, while the stream has chunks for it. */
  detachedHandle: StreamHandle | null = null;
  /** Made of a `BoundSocket`: where it connects from, for the first time, is decided. */
  bound = false;

  idleTimer: NodeJS.Timeout | undefined = undefined;
  /** Bytes that had gone through the streams when the timer was given less than its time; see relay-idle.ts. */
  shortenedAt: number | undefined = undefined;
  /** `handle.writeQueueSize` when the idle timer last looked, 0 while no write waits for the kernel. */
  queueAtLastCheck = 0;

  /** The `onread` option: data goes to it and not through the stream. */
  reader: Reader | null = null;

  /** The `nativeRelay` option. */
  mayRelay = true;
  /** The pipe out of this socket that may be, or is, a relay. */
  relayOut: Relay | null = null;
  /** The relay into this socket. */
  relayIn: Relay | null = null;
  /** Bytes that relays have moved out of this socket or into it, as far as its handle counts them. */
  relayed = 0;

  // Asked for before there was a connection, or in force.
  noDelay = false;
  keepAlive: Readonly<KeepAlive> = NO_KEEP_ALIVE;
  typeOfService: number | undefined = undefined;
}

/** The part of a handle that `_handle` gives out. A handle that a program has written may lack any of it. */
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

/** A `Socket`, as seen from below. */
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

/** Runs `connected` when the connection is there; `closed` if the socket closes before. */
export function whenConnected(socket: SocketCore, connected: () => void, closed?: () => void): void {
  const state = socket[kState];
  state.waiting = [...state.waiting, { connected, closed }];
}

/** Those who wait, who wait no more. */
export function takeWaiters(state: SocketState): readonly Waiter[] {
  const { waiting } = state;
  state.waiting = NO_WAITERS;
  return waiting;
}

export function notifyConnected(socket: SocketCore): void {
  for (const each of takeWaiters(socket[kState])) each.connected();
}
