// `net.Server`: listens, accepts, counts its connections, and emits `close` when the last of them has ended.
import { captureRejectionSymbol, EventEmitter } from 'node:events';

import { deliverAccepted, onConnection } from './accept.js';
import { normalizeArguments } from '../node/arguments.js';
import type { AnyBlockList } from '../address/block-list.js';
import { callable } from '../node/callable.js';
import { connectionsOf } from './connections.js';
import { debug, listenStartChannel } from '../node/diagnostics.js';
import { ERR_SERVER_ALREADY_LISTEN, ERR_SERVER_NOT_RUNNING, errnoException } from '../errors/errors.js';
import { validateListener } from '../errors/validators.js';
import type { AnyListener, ServerEvents } from '../node/events.js';
import type { AddressOut, TCP } from '../handle/tcp.js';
import { StreamHandle } from '../handle/stream.js';
import { type ListenOptions, readListenRequest } from './listen-options.js';
import { takeListenTarget } from './listen-target.js';
import { listenOn, setUpListenHandle } from './listen.js';
import { register, transferable } from '../thread/messaging.js';
import type { ListenerHandle, ServerCore } from './core.js';
import { awaitClose, countAll, type SocketList } from './sent-connections.js';
import { readServerOptions, type ServerOptions } from './options.js';
import { serverMessaging } from './transfer.js';
import type { AddressInfo } from '../stream/addresses.js';
import { defaultHighWaterMark } from '../stream/high-water-mark.js';
import { idleSeconds } from '../stream/keep-alive.js';
import type { Socket } from '../socket/socket.js';
import { nodeNet } from '../node/modules.js';
import { nextTick } from '../node/timers.js';

/** Something with a handle to listen with: a server, a socket, or an inherited descriptor. */
export type ListenHandle = { _handle: unknown } | { fd: number } | object;

export type ConnectionListener = (socket: Socket) => void;
type ListeningListener = () => void;

// Never constructed: `Server` below takes its prototype.
class ServerBody extends EventEmitter implements ServerCore {
  /** Connections above this number are closed at once, with a `drop` event. 0 closes all. Default: no limit. */
  declare maxConnections?: number;
  /** In a cluster: whether a worker closes what is above `maxConnections` instead of passing it to another. */
  declare dropMaxConnection?: boolean;
  /** @internal */ declare allowHalfOpen: boolean;
  /** @internal */ declare pauseOnConnect: boolean;
  /** @internal */ declare noDelay: boolean;
  /** @internal */ declare _nativeRelay: boolean;
  /** @internal */ declare _nodeSockets?: boolean;
  /** @internal */ declare keepAlive: boolean;
  /** Seconds. @internal */ declare keepAliveInitialDelay: number;
  /** @internal */ declare highWaterMark: number;
  /** @internal */ declare blockList?: AnyBlockList | undefined;
  /** @internal */ declare _connections: number;
  /** @internal */ declare _handle: ListenerHandle | null;
  /** @internal */ declare _usingWorkers: boolean;
  /** @internal */ declare _workers: SocketList[];
  /** @internal */ declare _unref: boolean;
  /** @internal */ declare _listeningId: number;
  /** @internal */ declare _connectionKey?: string;
  /** @internal */ declare _pipeName?: string | undefined;

  /**
   * Starts to listen; `listening` follows, or `error`, after which `listen` may be called again.
   *
   * Without a host the port is bound when this returns; with one, the host is looked up first.
   *
   * @throws Error ERR_SERVER_ALREADY_LISTEN; TypeError or RangeError for arguments that do not say where to listen
   */
  listen(port?: number, hostname?: string, backlog?: number, listeningListener?: ListeningListener): this;
  listen(port?: number, hostname?: string, listeningListener?: ListeningListener): this;
  listen(port?: number, backlog?: number, listeningListener?: ListeningListener): this;
  listen(port?: number, listeningListener?: ListeningListener): this;
  listen(path: string, backlog?: number, listeningListener?: ListeningListener): this;
  listen(path: string, listeningListener?: ListeningListener): this;
  listen(options: ListenOptions, listeningListener?: ListeningListener): this;
  listen(handle: ListenHandle, backlog?: number, listeningListener?: ListeningListener): this;
  listen(handle: ListenHandle, listeningListener?: ListeningListener): this;
  listen(...args: unknown[]): this {
    if (this._handle !== null) throw new ERR_SERVER_ALREADY_LISTEN();
    const { 0: options, 1: listener } = normalizeArguments(args);
    validateListener(listener);
    if (listenStartChannel.hasSubscribers) listenStartChannel.publish({ server: this, options });
    const target = takeListenTarget(readListenRequest(args));
    // Stays when listening fails, and is called by the next success: programs that retry rely on it.
    if (listener !== null) this.once('listening', listener);
    if (target.signal !== undefined) closeWhenAborted(this, target.signal);
    // Cancels an earlier `listen` that is still looking up its host.
    this._listeningId += 1;
    listenOn(this, target);
    return this;
  }

  /** Whether the server listens. */
  get listening(): boolean {
    return this._handle !== null;
  }

  /** The bound address, the path of a local server, or null while not listening. */
  address(): AddressInfo | string | null {
    const handle = this._handle;
    if (handle === null) return null;
    const { getsockname } = handle as Partial<TCP>;
    if (this._pipeName !== undefined) return this._pipeName;
    if (getsockname === undefined) return null;
    const name: AddressOut = {};
    const errno = Reflect.apply(getsockname, handle, [name]);
    if (errno < 0) throw errnoException(errno, 'address');
    const { address, family, port } = name;
    return address === undefined ? null : ({ address, family, port } as AddressInfo);
  }

  /**
   * Counts the open connections, including those that were sent to child processes. Calls back in the next tick at the
   * earliest.
   *
   * @throws TypeError ERR_INVALID_ARG_TYPE if there is no callback
   */
  getConnections(callback: (error: Error | null, count: number) => void): this {
    if (this._workers.length > 0) countAll(this, callback);
    else nextTick(callback, null, this._connections);
    return this;
  }

  /**
   * Stops listening. `close` follows when all connections have ended, including those that were sent to child processes.
   *
   * @param callback called with `close`; gets ERR_SERVER_NOT_RUNNING if the server was not listening
   */
  close(callback?: (error?: Error) => void): this {
    if (typeof callback === 'function') {
      const running = this._handle !== null;
      this.once('close', () => (running ? callback() : callback(new ERR_SERVER_NOT_RUNNING())));
    }
    // Also cancels a `listen` that is still looking up its host.
    this._listeningId += 1;
    if (this._handle instanceof StreamHandle) deliverAccepted(this, this._handle);
    this._handle?.close();
    this._handle = null;
    this._pipeName = undefined;
    if (this._workers.length > 0) awaitClose(this);
    else this._emitCloseIfDrained();
    return this;
  }

  /** Closes the server if it listens; resolves when it has closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this._handle === null) return;
    await new Promise<void>((resolve, reject) => {
      this.close((error) => (error ? reject(error) : resolve()));
    });
  }

  /**
   * The connections from now on, as an alternative to `connection`. Ends when the server emits `close`, and throws what
   * it emits as `error`. Leaving the loop does not close the server.
   *
   * The server goes on accepting while the body of a loop runs, and its queue is unbounded: start handling a connection
   * without awaiting it, or set `maxConnections`.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Socket> {
    return connectionsOf(this);
  }

  /** Keeps the process alive while the server listens, which is the default. */
  ref(): this {
    this._unref = false;
    this._handle?.ref();
    return this;
  }

  /** Lets the process end while the server listens. */
  unref(): this {
    this._unref = true;
    this._handle?.unref();
    return this;
  }

  // ---- Called by Node's own modules and by packages

  /** @internal */
  _listen2(
    address: string | null,
    port: number | null,
    addressType: number | null,
    backlog: number,
    fd?: number,
    flags?: number,
  ): void {
    setUpListenHandle(this, address, port, addressType, backlog, fd, flags, (status, client) => {
      onConnection(this, status, client);
    });
  }

  /** @internal */
  _emitCloseIfDrained(): void {
    debug('SERVER _emitCloseIfDrained');
    if (this._handle !== null || this._connections > 0) {
      debug('SERVER handle? %j   connections? %d', this._handle !== null, this._connections);
      return;
    }
    nextTick(() => {
      debug('SERVER: emit close');
      this.emit('close');
    });
  }

  /** @internal */
  _setupWorker(list: SocketList): void {
    this._usingWorkers = true;
    this._workers.push(list);
    list.once('exit', (gone) => {
      this._workers.splice(this._workers.indexOf(gone), 1);
    });
  }
}

// With `captureRejections`: destroys the socket of a `connection` listener that rejects.
ServerBody.prototype[captureRejectionSymbol] = function onRejection(
  this: ServerBody,
  error: Error,
  event: string | symbol,
  ...args: unknown[]
): void {
  if (event === 'connection') (args[0] as Socket).destroy(error);
  else this.emit('error', error);
};

function closeWhenAborted(server: ServerBody, signal: AbortSignal): void {
  const close = (): void => {
    server.close();
  };
  if (signal.aborted) {
    nextTick(close);
    return;
  }
  signal.addEventListener('abort', close, { once: true });
  server.once('close', () => signal.removeEventListener('abort', close));
}

function construct(server: ServerBody, first: unknown, second: unknown): void {
  (EventEmitter as unknown as (this: object) => void).call(server);
  const listener = typeof first === 'function' ? first : second;
  const options = readServerOptions(first);
  if (typeof listener === 'function') server.on('connection', listener as ConnectionListener);
  server._connections = 0;
  server._handle = null;
  server._usingWorkers = false;
  server._workers = [];
  server._unref = false;
  server._listeningId = 1;
  server.allowHalfOpen = Boolean(options.allowHalfOpen);
  server.pauseOnConnect = Boolean(options.pauseOnConnect);
  server.noDelay = Boolean(options.noDelay);
  if (options.nativeRelay === false) server._nativeRelay = false;
  server.keepAlive = Boolean(options.keepAlive);
  server.keepAliveInitialDelay = idleSeconds(options.keepAliveInitialDelay ?? 0);
  const { highWaterMark = -1 } = options;
  server.highWaterMark = highWaterMark < 0 ? defaultHighWaterMark() : highWaterMark;
  if (options.blockList) server.blockList = options.blockList;
}

/** `new Server()`, or without `new`. */
export interface ServerConstructor {
  /**
   * @param connectionListener added to `connection`
   * @throws TypeError for wrong options
   */
  new (connectionListener?: ConnectionListener): Server;
  new (options?: ServerOptions | null, connectionListener?: ConnectionListener): Server;
  (connectionListener?: ConnectionListener): Server;
  (options?: ServerOptions | null, connectionListener?: ConnectionListener): Server;
  readonly prototype: Server;
}

/** A TCP or local server. */
export interface Server extends ServerBody {
  addListener<E extends keyof ServerEvents<Socket>>(
    event: E,
    listener: (...args: ServerEvents<Socket>[E]) => void,
  ): this;
  addListener(event: string | symbol, listener: AnyListener): this;
  emit<E extends keyof ServerEvents<Socket>>(event: E, ...args: ServerEvents<Socket>[E]): boolean;
  emit(event: string | symbol, ...args: Parameters<AnyListener>): boolean;
  off<E extends keyof ServerEvents<Socket>>(event: E, listener: (...args: ServerEvents<Socket>[E]) => void): this;
  off(event: string | symbol, listener: AnyListener): this;
  on<E extends keyof ServerEvents<Socket>>(event: E, listener: (...args: ServerEvents<Socket>[E]) => void): this;
  on(event: string | symbol, listener: AnyListener): this;
  once<E extends keyof ServerEvents<Socket>>(event: E, listener: (...args: ServerEvents<Socket>[E]) => void): this;
  once(event: string | symbol, listener: AnyListener): this;
  prependListener<E extends keyof ServerEvents<Socket>>(
    event: E,
    listener: (...args: ServerEvents<Socket>[E]) => void,
  ): this;
  prependListener(event: string | symbol, listener: AnyListener): this;
  prependOnceListener<E extends keyof ServerEvents<Socket>>(
    event: E,
    listener: (...args: ServerEvents<Socket>[E]) => void,
  ): this;
  prependOnceListener(event: string | symbol, listener: AnyListener): this;
  removeListener<E extends keyof ServerEvents<Socket>>(
    event: E,
    listener: (...args: ServerEvents<Socket>[E]) => void,
  ): this;
  removeListener(event: string | symbol, listener: AnyListener): this;
}

export const Server: ServerConstructor = callable(function Server(
  this: unknown,
  options?: unknown,
  connectionListener?: unknown,
): unknown {
  if (!(this instanceof ServerBody)) return calledOnAnother(this, options, connectionListener);
  const server = transferable(this, new.target !== undefined);
  construct(server, options, connectionListener);
  return server === this ? undefined : server;
}, ServerBody);

register(
  ServerBody,
  'Server',
  serverMessaging((empty) => construct(empty as ServerBody, undefined, undefined)),
);

/** The constructor, called on an object that is no server of ferronet: Node's for one of Node's class, else a new server. */
function calledOnAnother(receiver: unknown, options: unknown, connectionListener: unknown): unknown {
  const { Server: NodeServer } = nodeNet();
  if (receiver instanceof NodeServer)
    return Reflect.apply(NodeServer, receiver, [options, connectionListener]) as unknown;
  return new Server(options as ServerOptions, connectionListener as ConnectionListener);
}
