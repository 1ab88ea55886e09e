// `net.Socket`: the constructor of a socket, and its type with all events.
import { Duplex } from 'node:stream';

import { adoptBoundSocket, BoundSocket } from '../stream/bound-socket.js';
import { callable } from '../node/callable.js';
import { endedByOtherPartyError } from '../errors/errors.js';
import type { AnyListener, SocketEvents } from '../node/events.js';
import { FixedBufferReader } from '../stream/onread.js';
import type { StreamHandle } from '../handle/stream.js';
import { register, transferable } from '../thread/messaging.js';
import { SocketBody } from './body.js';
import { type InternalSocketOptions, type SocketConstructorOptions, readSocketOptions } from '../stream/options.js';
import { idleSeconds } from '../stream/keep-alive.js';
import { openDescriptor } from '../handle/descriptor.js';
import { NO_OPTIONS, TcpOptions } from '../handle/options.js';
import { attachHandle } from '../stream/read.js';
import { kState, SocketState } from '../stream/state.js';
import { socketMessaging } from './transfer.js';
import { nodeNet } from '../node/modules.js';
import { nextTick } from '../node/timers.js';

// Replaces `write` when the peer has ended and `allowHalfOpen` is false.
function writeAfterFin(this: SocketBody, ...args: unknown[]): boolean {
  if (!this.writableEnded) return Reflect.apply(Duplex.prototype.write, this, args);
  const error = endedByOtherPartyError();
  const callback = args.find((arg) => typeof arg === 'function');
  if (callback) nextTick(callback as (error: Error) => void, error);
  // TLS and HTTP/2 use a socket that is not Node's through a wrapper, which corks around each write. It writes a last message
  // after the peer has ended. On Node's own sockets that fails silently, so it must not destroy the socket here.
  if (this.writableCorked === 0) this.destroy(error);
  return false;
}

function onReadableStreamEnd(this: SocketBody): void {
  if (!this.allowHalfOpen) this.write = writeAfterFin;
}

const constructDuplex = Duplex as unknown as (this: object, options: object) => void;

function kernelOptionsOf(options: InternalSocketOptions): Readonly<TcpOptions> {
  const { noDelay, keepAlive, keepAliveInitialDelay, typeOfService } = options;
  const hasKeepAlive = Boolean(keepAlive || keepAliveInitialDelay);
  if (!noDelay && !hasKeepAlive && typeOfService === undefined) return NO_OPTIONS;
  const found = new TcpOptions();
  found.noDelay = Boolean(noDelay);
  found.typeOfService = typeOfService;
  if (hasKeepAlive) {
    const idle = idleSeconds(keepAliveInitialDelay ?? 0);
    found.keepAlive = { enable: Boolean(keepAlive), idle, interval: undefined, count: undefined };
  }
  return found;
}

function construct(this: SocketBody, given?: InternalSocketOptions | number): void {
  const options = readSocketOptions(given);
  const state = new SocketState();
  this.connecting = false;
  this._hadError = false;
  this._closeAfterHandlingError = false;
  this._parent = null;
  this._host = null;
  this._sockname = null;
  this._pendingData = null;
  this._pendingEncoding = '';
  this.server = null;
  this._server = null;
  this[kState] = state;
  if (options.blockList) this.blockList = options.blockList;
  if (options.signal !== undefined) state.signal = options.signal;
  state.kernelOptions = kernelOptionsOf(options);
  if (options.nativeRelay === false) state.mayRelay = false;
  state.reader = FixedBufferReader.from(this, options.onread);
  constructDuplex.call(this, options);
  this.on('end', onReadableStreamEnd);
  if (options.handle instanceof BoundSocket) adoptBound(this, options.handle);
  else if (options.handle) adopt(this, options.handle, options);
  else if (options.fd !== undefined) adopt(this, openShared(options.fd), options);
}

// Not connected yet, so it does not read.
function adoptBound(socket: SocketBody, bound: BoundSocket): void {
  socket[kState].bound = true;
  adopt(socket, adoptBoundSocket(bound), { readable: false });
}

/** Shared, because the program has the descriptor and may use it as well. */
function openShared(fd: number): StreamHandle {
  const handle = openDescriptor(fd);
  handle.share();
  return handle;
}

function adopt(socket: SocketBody, handle: object, options: InternalSocketOptions): void {
  // The `signal` option was aborted before.
  if (socket.destroyed) {
    (handle as StreamHandle).close();
    return;
  }
  attachHandle(socket, handle);
  if (options.readable === false) return;
  if (options.pauseOnCreate) socket.pause();
  else if (!options.manualStart) socket.read(0);
}

/** `new Socket()`, or without `new`. */
export interface SocketConstructor {
  /**
   * A socket that can be connected, or one of an open descriptor.
   *
   * @throws TypeError or RangeError for wrong options
   */
  new (options?: SocketConstructorOptions): Socket;
  (options?: SocketConstructorOptions): Socket;
  readonly prototype: Socket;
}

/** A TCP or local connection: a duplex stream. */
export interface Socket extends SocketBody {
  addListener<E extends keyof SocketEvents>(event: E, listener: (...args: SocketEvents[E]) => void): this;
  addListener(event: string | symbol, listener: AnyListener): this;
  emit<E extends keyof SocketEvents>(event: E, ...args: SocketEvents[E]): boolean;
  emit(event: string | symbol, ...args: Parameters<AnyListener>): boolean;
  off<E extends keyof SocketEvents>(event: E, listener: (...args: SocketEvents[E]) => void): this;
  off(event: string | symbol, listener: AnyListener): this;
  on<E extends keyof SocketEvents>(event: E, listener: (...args: SocketEvents[E]) => void): this;
  on(event: string | symbol, listener: AnyListener): this;
  once<E extends keyof SocketEvents>(event: E, listener: (...args: SocketEvents[E]) => void): this;
  once(event: string | symbol, listener: AnyListener): this;
  prependListener<E extends keyof SocketEvents>(event: E, listener: (...args: SocketEvents[E]) => void): this;
  prependListener(event: string | symbol, listener: AnyListener): this;
  prependOnceListener<E extends keyof SocketEvents>(event: E, listener: (...args: SocketEvents[E]) => void): this;
  prependOnceListener(event: string | symbol, listener: AnyListener): this;
  removeListener<E extends keyof SocketEvents>(event: E, listener: (...args: SocketEvents[E]) => void): this;
  removeListener(event: string | symbol, listener: AnyListener): this;
}

export const Socket: SocketConstructor = callable(function Socket(
  this: unknown,
  options?: InternalSocketOptions | number,
): unknown {
  if (!(this instanceof SocketBody)) return calledOnAnother(this, options);
  const socket = transferable(this, new.target !== undefined);
  construct.call(socket, options);
  return socket === this ? undefined : socket;
}, SocketBody);

/** Called without `new`, or by a package that derives from a class of Node's: `tls` has Node's own, also with `register`. */
function calledOnAnother(receiver: unknown, options: InternalSocketOptions | number | undefined): unknown {
  const { Socket: NodeSocket } = nodeNet();
  if (receiver instanceof NodeSocket) return Reflect.apply(NodeSocket, receiver, [options]) as unknown;
  return new Socket(options as SocketConstructorOptions);
}

register(
  SocketBody,
  'Socket',
  socketMessaging((empty, options) => construct.call(empty as SocketBody, options)),
);
