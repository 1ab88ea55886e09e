// The members of `net.Socket`. They are implemented by subject: connecting in connect/, all others in stream/.
import { Duplex } from 'node:stream';

import { normalizeOnce } from '../node/arguments.js';
import type { AnyBlockList } from '../address/block-list.js';
import type {
  ConnectListener,
  IpcConnectOptions,
  SocketConnectOptions,
  TcpConnectOptions,
} from '../connect/options.js';
import { connectSocket } from '../connect/connect.js';
import { clientSocketChannel, debug } from '../node/diagnostics.js';
import { ERR_INVALID_HANDLE_TYPE, ERR_SOCKET_CLOSED } from '../errors/errors.js';
import type { AnyListener } from '../node/events.js';
import type { KeepAlive } from '../handle/options.js';
import type { AddressOut } from '../handle/tcp.js';
import type { EncodedChunk } from '../handle/chunk.js';
import { StreamHandle } from '../handle/stream.js';
import { type AddressInfo, localName, peerName } from '../stream/addresses.js';
import { type KeepAliveOptions, NO_KEEP_ALIVE } from '../stream/keep-alive.js';
import { setKeepAlive, setNoDelay, setTypeOfService, typeOfService } from '../stream/kernel-options.js';
import {
  beginRelay,
  countRelayed,
  endRelay,
  endRelays,
  isRelayed,
  noteListener,
  offerRelay,
  rememberMethods,
  stopRelaysForUnref,
} from '../stream/relay.js';
import { relayMadeProgress } from '../stream/relay-idle.js';
import { quiesce } from '../stream/quiesce.js';
import { closeSocket } from '../stream/close.js';
import { handleFor, startReading, stopReading, wakeReader } from '../stream/read.js';
import { type ExposedHandle, type SocketCore, type WithState, kState, whenConnected } from '../stream/state.js';
import { type Done, type Payload, bytesWritten, finish, send } from '../stream/write.js';
import { noteActivity, setIdleTimeout, writeMadeProgress } from '../stream/timeout.js';
import { nextTick } from '../node/timers.js';

/** The state of a socket. */
export type SocketReadyState = 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed';

/** A server that counts the sockets it has accepted. */
interface CountingServer {
  _connections: number;
  _emitCloseIfDrained?: () => void;
}

// The constructor gives every socket its state.
const StatefulDuplex = Duplex as unknown as abstract new () => Duplex & WithState;

// Never constructed: `Socket` takes its prototype.
export class SocketBody extends StatefulDuplex implements SocketCore {
  /** Whether `connect` was called and neither `connect` nor `error` was emitted yet. */
  declare connecting: boolean;
  /** Milliseconds given to `setTimeout`. */
  declare timeout?: number | undefined;
  /** `address:port` of each address of a name that was tried. Only set when there was more than one. */
  declare autoSelectFamilyAttemptedAddresses?: string[];
  /** The server that accepted this socket, or null. */
  declare server: unknown;
  /** @internal */ declare blockList?: AnyBlockList | undefined;
  /** @internal */ declare _hadError: boolean;
  /** @internal */ declare _closeAfterHandlingError: boolean;
  /** @internal */ declare _parent: SocketCore | null;
  /** @internal */ declare _host: string | null;
  /** @internal */ declare _peername: AddressOut | undefined;
  /** @internal */ declare _sockname: AddressOut | null | undefined;
  /** @internal */ declare _pendingData: unknown;
  /** @internal */ declare _pendingEncoding: string;
  /** @internal */ declare _server: CountingServer | null;
  /** @internal */ declare _undestroy: () => void;

  // ---- Connecting and ending

  /**
   * Connects to a TCP port or a local path. A socket that has closed may be connected again.
   *
   * @throws TypeError or RangeError for arguments without a target. Later failures are emitted as `error`.
   */
  connect(options: SocketConnectOptions, connectionListener?: ConnectListener): this;
  connect(path: string, connectionListener?: ConnectListener): this;
  connect(port: number | string, connectionListener?: ConnectListener): this;
  connect(port: number | string, host: string, connectionListener?: ConnectListener): this;
  connect(...args: unknown[]): this {
    const { 0: options, 1: listener } = normalizeOnce(args);
    // A destroyed socket can be connected again, but not one that its signal has aborted.
    if (this.destroyed && this[kState].signal?.aborted) return this;
    if (clientSocketChannel.hasSubscribers) clientSocketChannel.publish({ socket: this });
    if (Object.hasOwn(this, 'write')) delete (this as { write?: unknown }).write;
    connectSocket(this, options as unknown as TcpConnectOptions | IpcConnectOptions, listener);
    return this;
  }

  /** Ends the writable side: sends FIN behind all writes. */
  override end(callback?: () => void): this;
  override end(buffer: Uint8Array | string, callback?: () => void): this;
  override end(text: Uint8Array | string, encoding?: BufferEncoding, callback?: () => void): this;
  override end(...args: unknown[]): this {
    endRelay(this[kState].relayIn);
    Reflect.apply(super.end, this, args);
    return this;
  }

  /** Ends the socket and destroys it when all writes have been handed to the kernel. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', this.destroy);
  }

  /**
   * Closes a TCP connection with RST; a connecting one when it is established. Bytes that the kernel has not sent are lost.
   *
   * @throws TypeError ERR_INVALID_HANDLE_TYPE for a local socket
   */
  resetAndDestroy(): this {
    const { handle } = this[kState];
    if (handle === null) return this.destroy(new ERR_SOCKET_CLOSED());
    if (handle.kind !== 'TCP') throw new ERR_INVALID_HANDLE_TYPE();
    if (this.connecting) {
      debug('reset wait for connection');
      whenConnected(this, () => this._reset());
    } else {
      this._reset();
    }
    return this;
  }

  // ---- Settings

  /**
   * Emits `timeout` after a time without activity. The socket stays open.
   *
   * @param timeout milliseconds, 0 to disable it
   * @param callback added as a one-time listener of `timeout`
   * @throws TypeError ERR_INVALID_ARG_TYPE, RangeError ERR_OUT_OF_RANGE
   */
  setTimeout(timeout: number, callback?: () => void): this {
    setIdleTimeout(this, timeout, callback);
    return this;
  }

  /** Sets `TCP_NODELAY`: small writes are sent at once. Before connecting, the setting is stored and applied later. */
  setNoDelay(noDelay: boolean = true): this {
    setNoDelay(this, Boolean(noDelay));
    return this;
  }

  /**
   * Sets keep-alive probes. Before connecting, the setting is stored and applied later.
   *
   * @param initialDelay idle milliseconds before the first probe, in whole seconds; 0 leaves the system's setting
   * @param interval milliseconds between probes, in whole seconds. Default 1000
   * @param count unanswered probes that end the connection. Default 10
   *
   * A time below 1000 ms counts as 0, which leaves the system's setting; a `KeepAliveWarning` is emitted for it.
   */
  setKeepAlive(enable?: boolean, initialDelay?: number, interval?: number, count?: number): this;
  setKeepAlive(options: KeepAliveOptions): this;
  setKeepAlive(
    enable?: boolean | KeepAliveOptions | null,
    initialDelay?: unknown,
    interval?: unknown,
    count?: unknown,
  ): this {
    setKeepAlive(this, enable, initialDelay, interval, count);
    return this;
  }

  /**
   * Marks outgoing packets (`IP_TOS`, `IPV6_TCLASS`), from the first one on if set before connecting.
   *
   * @param tos 0 to 255
   * @throws TypeError ERR_INVALID_ARG_TYPE, RangeError ERR_OUT_OF_RANGE
   */
  setTypeOfService(tos: number): this {
    setTypeOfService(this, tos);
    return this;
  }

  /** The type of service in force, 0 to 255. */
  getTypeOfService(): number {
    return typeOfService(this);
  }

  /** Keeps the process alive while this socket is open, which is the default. */
  ref(): this {
    if (this._handle === null) whenConnected(this, () => this.ref());
    else this._handle.ref?.();
    return this;
  }

  /** Lets the process end while this socket is open. */
  unref(): this {
    if (this._handle === null) whenConnected(this, () => this.unref());
    else {
      stopRelaysForUnref(this);
      this._handle.unref?.();
    }
    return this;
  }

  // ---- State and addresses

  /** The local address, or an empty object. */
  address(): AddressInfo | Record<string, never> {
    return this._getsockname() as AddressInfo;
  }

  /** Whether the socket is not connected: not yet, or no longer. */
  get pending(): boolean {
    return this._handle === null || this.connecting;
  }

  /** The state of this socket. One that was never connected is `open`. */
  get readyState(): SocketReadyState {
    if (this.connecting) return 'opening';
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  /**
   * Bytes that were written and not sent yet.
   *
   * @deprecated Use `writableLength`.
   */
  get bufferSize(): number | undefined {
    return this._handle === null ? undefined : this.writableLength;
  }

  /** Bytes received. Still valid after the socket was destroyed. */
  get bytesRead(): number {
    if (this[kState]?.relayOut) countRelayed(this);
    return (this._handle ?? this[kState])?.bytesRead as number;
  }

  /** Bytes written, including those not sent yet. Still valid after the socket was destroyed. */
  get bytesWritten(): number {
    return this[kState] && bytesWritten(this, this._bytesDispatched);
  }

  /** The other side's IP address; undefined while connecting and for local sockets. */
  get remoteAddress(): string | undefined {
    return this._getpeername().address;
  }

  /** `IPv4` or `IPv6`. */
  get remoteFamily(): string | undefined {
    return this._getpeername().family;
  }

  /** The other side's port. */
  get remotePort(): number | undefined {
    return this._getpeername().port;
  }

  /** This side's IP address. */
  get localAddress(): string | undefined {
    return this._getsockname().address;
  }

  /** `IPv4` or `IPv6`. */
  get localFamily(): string | undefined {
    return this._getsockname().family;
  }

  /** This side's port. */
  get localPort(): number | undefined {
    return this._getsockname().port;
  }

  // ---- The stream below

  override pipe<T extends NodeJS.WritableStream>(destination: T, options?: { end?: boolean | undefined }): T {
    endRelay(this[kState].relayOut);
    super.pipe(destination, options);
    offerRelay(this, destination, options?.end === false);
    return destination;
  }

  override unpipe(destination?: NodeJS.WritableStream): this {
    endRelay(this[kState].relayOut);
    return super.unpipe(destination);
  }

  override setEncoding(encoding: BufferEncoding): this {
    endRelay(this[kState].relayOut);
    return super.setEncoding(encoding);
  }

  override cork(): void {
    endRelay(this[kState].relayIn);
    super.cork();
  }

  override pause(): this {
    endRelay(this[kState].relayOut);
    if (this[kState].reader !== null && !this.connecting) stopReading(this);
    return super.pause();
  }

  override resume(): this {
    wakeReader(this);
    return super.resume();
  }

  override read(size?: number): ReturnType<Duplex['read']> {
    wakeReader(this);
    const chunk = super.read(size) as ReturnType<Duplex['read']>;
    const { relayOut } = this[kState];
    if (relayOut !== null && chunk === null) beginRelay(relayOut);
    return chunk;
  }

  /** @internal */
  override _read(size: number): void {
    debug('_read - n', size, 'isConnecting?', this.connecting, 'hasHandle?', this._handle !== null);
    if (this.connecting || this._handle === null) {
      debug('_read wait for connection');
      whenConnected(this, () => this._read(size));
    } else if (!this[kState].handle?.reading) {
      startReading(this);
    }
  }

  /** @internal */
  override _write(data: Uint8Array | string, encoding: BufferEncoding, callback: Done): void {
    this._writeGeneric(false, data, encoding, callback);
  }

  /** @internal */
  override _writev(chunks: EncodedChunk[], callback: Done): void {
    this._writeGeneric(true, chunks, '', callback);
  }

  /** @internal */
  override _final(callback: Done): void {
    finish(this, callback);
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const willEmitClose = closeSocket(this, Boolean(error));
    callback(error);
    // As in Node, without an argument if the socket never had a handle.
    if (!willEmitClose) {
      nextTick(() => {
        // Node's function for it is that of servers.
        debug('SERVER: emit close');
        this.emit('close');
      });
    }
    const server = this._server;
    this._server = null;
    if (server === null) return;
    debug('has server');
    server._connections -= 1;
    server._emitCloseIfDrained?.();
  }

  // ---- Listeners: adding or removing one may end a relay

  override on(event: string | symbol, listener: AnyListener): this {
    noteListener(this, event);
    return super.on(event, listener);
  }

  override addListener(event: string | symbol, listener: AnyListener): this {
    noteListener(this, event);
    return super.addListener(event, listener);
  }

  override prependListener(event: string | symbol, listener: AnyListener): this {
    noteListener(this, event);
    return super.prependListener(event, listener);
  }

  override removeListener(event: string | symbol, listener: AnyListener): this {
    noteListener(this, event);
    return super.removeListener(event, listener);
  }

  override off(event: string | symbol, listener: AnyListener): this {
    noteListener(this, event);
    return super.off(event, listener);
  }

  override removeAllListeners(...events: (string | symbol | undefined)[]): this {
    if (events.length === 0 || events[0] === undefined) endRelays(this);
    else noteListener(this, events[0]);
    return Reflect.apply(super.removeAllListeners, this, events) as this;
  }

  // ---- Called by Node's own modules and by packages

  /** @internal */
  get _handle(): ExposedHandle | null {
    // Packages read the accessors on the prototype itself, which has no state.
    return this[kState]?.exposed ?? null;
  }

  /** @internal */
  set _handle(given: ExposedHandle | null) {
    const state = this[kState];
    if (state.handle !== null) endRelays(this);
    const handle = given ? handleFor(this, given) : null;
    state.exposed = given || null;
    state.handle = handle;
  }

  /** @internal */
  get _connecting(): boolean {
    return this.connecting;
  }

  /** @internal */
  get _bytesDispatched(): number {
    if (this[kState]?.relayIn) countRelayed(this);
    return (this._handle ?? this[kState])?.bytesWritten as number;
  }

  /** Options of the kernel's socket, for the next owner. @internal */
  _settings(): { noDelay: boolean; keepAlive: Readonly<KeepAlive> } {
    const { noDelay, keepAlive } = this[kState].kernelOptions;
    return { noDelay: Boolean(noDelay), keepAlive: keepAlive ?? NO_KEEP_ALIVE };
  }

  /** @internal */
  _isRelayed(): boolean {
    return isRelayed(this);
  }

  /** Prepares for another owner of the connection: see quiesce.ts. @internal */
  _quiesce(): () => void {
    const { handle } = this[kState];
    return handle instanceof StreamHandle ? quiesce(this, handle) : () => {};
  }

  /** Removes the bytes that the `onread` option holds, for the next owner. @internal */
  _takeHeld(): Buffer | null {
    return this[kState].reader?.takeHeld() ?? null;
  }

  /** @internal */
  _writeGeneric(_writev: boolean, data: Payload, encoding: string, callback: Done): void {
    send(this, data, encoding, callback);
  }

  /** @internal */
  _getpeername(): AddressOut {
    return peerName(this);
  }

  /** @internal */
  _getsockname(): AddressOut {
    return localName(this);
  }

  /** @internal */
  _unrefTimer(): void {
    noteActivity(this);
  }

  /** @internal */
  _onTimeout(): void {
    if (writeMadeProgress(this, this._handle)) noteActivity(this);
    else if (relayMadeProgress(this)) return;
    else {
      debug('_onTimeout');
      this.emit('timeout');
    }
  }

  /** @internal */
  _reset(): this {
    debug('reset connection');
    this[kState].resetting = true;
    return this.destroy();
  }
}

rememberMethods(SocketBody.prototype);
