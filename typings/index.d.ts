/// <reference types="node" />
// The typings of `require('ferronet')`, over those of node:net in the @types/node that the program has. They are written by
// hand: what the compiler makes of the classes of lib/ is another type than Node's for each private member and each
// difference in wording, and the tools that roll typings up do not keep it apart. fit.ts compares them with
// lib/, and `npm run test:types` compiles programs against them.
//
// - A name that node:net has is Node's type, or an interface that Node's is assignable to: programs pass sockets, servers
//   and options from one to the other. So options may have more optional members, and `Socket` and `Server` nothing more.
// - What only ferronet has, or what is newer than the oldest @types/node, is in the types that begin with `Ferronet`. All
//   functions and constructors here return those, and their listeners get them.
import type * as nodeNet from 'node:net';

// Without this, everything in a file of typings is exported.
export {};

// ---- Sockets

/** A socket of ferronet or of node:net. What this module returns is a `FerronetSocket`. */
export type Socket = nodeNet.Socket;

/** A TCP or local connection made by this package: a duplex stream. */
export interface FerronetSocket extends nodeNet.Socket {
  /** The server that accepted this socket, or null. */
  readonly server: FerronetServer | null;
  /**
   * Sets keep-alive probes. Before connecting, the setting is stored and applied later.
   *
   * A time below 1000 ms counts as 0, which leaves the system's setting; a `KeepAliveWarning` is emitted for it.
   */
  setKeepAlive(options: SetKeepAliveOptions): this;
  /**
   * @param initialDelay idle milliseconds before the first probe, in whole seconds; 0 leaves the system's setting
   * @param interval milliseconds between probes, in whole seconds. Default 1000
   * @param count unanswered probes that end the connection. Default 10
   */
  setKeepAlive(enable?: boolean, initialDelay?: number, interval?: number, count?: number): this;
  /** The type of service in force, 0 to 255. */
  getTypeOfService(): number;
  /**
   * Marks outgoing packets (`IP_TOS`, `IPV6_TCLASS`), from the first one on if set before connecting.
   *
   * @param tos 0 to 255
   * @throws TypeError ERR_INVALID_ARG_TYPE, RangeError ERR_OUT_OF_RANGE
   */
  setTypeOfService(tos: number): this;
}

/**
 * The class. It can be called without `new` as well, which is not declared: a class that extends it cannot, and would then
 * not be one of its type.
 */
export interface SocketConstructor extends Omit<typeof nodeNet.Socket, 'prototype'> {
  /**
   * A socket that can be connected, or one of an open descriptor.
   *
   * @throws TypeError or RangeError for wrong options
   */
  new (options?: SocketConstructorOpts): FerronetSocket;
  readonly prototype: FerronetSocket;
}

export const Socket: SocketConstructor;

/** The former name of `Socket`. */
export type Stream = Socket;
/** The former name of `Socket`. */
export const Stream: SocketConstructor;

export type AddressInfo = nodeNet.AddressInfo;
export type LookupFunction = nodeNet.LookupFunction;
export type OnReadOpts = nodeNet.OnReadOpts;
export type SocketReadyState = nodeNet.SocketReadyState;

/** Options of `new Socket()`. All of them may be given to `connect()` of the module as well. */
export interface SocketConstructorOpts extends nodeNet.SocketConstructorOpts {
  /** Reads into your own buffer instead of emitting `data`. */
  onread?: OnReadOpts | undefined;
  /** `TCP_NODELAY`. Default `false`. */
  noDelay?: boolean | undefined;
  /** Keep-alive probes. Default `false`. */
  keepAlive?: boolean | undefined;
  /** Idle milliseconds before the first probe, in whole seconds. Default 0: the system's setting. */
  keepAliveInitialDelay?: number | undefined;
  /** Addresses that must not be connected to. */
  blockList?: BlockList | undefined;
  /** Type of service, 0 to 255, from the first packet on. */
  typeOfService?: number | undefined;
  /** An address to connect from that is bound already. The new socket adopts it. */
  handle?: BoundSocket | undefined;
  /** Bytes that are buffered in each direction. Default `stream.getDefaultHighWaterMark()`. */
  highWaterMark?: number | undefined;
  /** The same for reading alone. */
  readableHighWaterMark?: number | undefined;
  /** The same for writing alone. */
  writableHighWaterMark?: number | undefined;
  /**
   * Whether the reactor may move data that is piped from this socket, or into it, without JavaScript while no listener
   * observes it. Default `true`; the environment variable `FERRONET_RELAY=off` disables it for all sockets. Not in node:net.
   */
  nativeRelay?: boolean | undefined;
}

/** Options that the typings of older versions of Node give to `socket.connect()`. */
export interface ConnectOpts {
  /** Reads into your own buffer instead of emitting `data`. Taken by `new Socket()` and `connect()` of the module. */
  onread?: OnReadOpts | undefined;
}

export type TcpSocketConnectOpts = nodeNet.TcpSocketConnectOpts;
export type IpcSocketConnectOpts = nodeNet.IpcSocketConnectOpts;
export type SocketConnectOpts = TcpSocketConnectOpts | IpcSocketConnectOpts;

/** Options of the module's `connect()` to a TCP port. */
export interface TcpNetConnectOpts extends TcpSocketConnectOpts, SocketConstructorOpts {
  /** As `socket.setTimeout()`; connecting counts as idle. */
  timeout?: number | undefined;
}

/** Options of the module's `connect()` to a Unix socket or a named pipe. */
export interface IpcNetConnectOpts extends IpcSocketConnectOpts, SocketConstructorOpts {
  /** As `socket.setTimeout()`; connecting counts as idle. */
  timeout?: number | undefined;
}

/** Options of the module's `connect()`. */
export type NetConnectOpts = TcpNetConnectOpts | IpcNetConnectOpts;

/** The object form of `socket.setKeepAlive()`. */
export interface SetKeepAliveOptions {
  /** Default `false`. */
  enable?: boolean | undefined;
  /** Idle milliseconds before the first probe, in whole seconds. Default 0: the system's setting. */
  initialDelay?: number | undefined;
  /** Milliseconds between probes, in whole seconds. Default 1000. */
  interval?: number | undefined;
  /** Unanswered probes that end the connection. Default 10. */
  count?: number | undefined;
}

/** The events of a socket besides those of every duplex stream, with their arguments. */
export interface SocketEventMap {
  /** The socket is fully closed. `hadError`: because of an error. */
  close: [hadError: boolean];
  /** The connection is established. */
  connect: [];
  /** An address is being tried. For a local path only `ip` is given, and is the path. */
  connectionAttempt: [ip: string, port: number, family: number];
  /** An address could not be connected to. */
  connectionAttemptFailed: [ip: string, port: number, family: number, error: Error];
  /** An address took too long; the next one is tried. */
  connectionAttemptTimeout: [ip: string, port: number, family: number];
  /** Bytes that were received, or text after `setEncoding`. */
  data: [data: string | Buffer];
  /** After `write` has returned false: more can be written. */
  drain: [];
  /** The other side has ended. */
  end: [];
  /** `close` follows. */
  error: [err: Error];
  /** All writes have been handed to the system, after `end()`. */
  finish: [];
  /** A name was resolved, or resolving failed. Once for each address that will be tried. */
  lookup: [err: Error | null, address: string, family: number | null, host: string];
  pause: [];
  /** A readable stream is piped into this socket. */
  pipe: [src: NodeJS.ReadableStream];
  readable: [];
  /** Right after `connect`. */
  ready: [];
  resume: [];
  /** No activity for the time given to `setTimeout`. */
  timeout: [];
  unpipe: [src: NodeJS.ReadableStream];
}

// ---- Servers

/** A server of ferronet or of node:net, or of http, https or tls. What this module returns is a `FerronetServer`. */
export type Server = nodeNet.Server;

/** The listeners that are declared here. All others are those of an event emitter. */
interface ServerListeners {
  connection: (socket: FerronetSocket) => void;
  drop: (data?: DropArgument) => void;
  error: (err: Error) => void;
  close: () => void;
  listening: () => void;
}

/** A TCP or local server made by this package. */
export interface FerronetServer extends nodeNet.Server {
  /**
   * The connections from now on, as an alternative to `connection`. Ends when the server emits `close`, and throws what
   * it emits as `error`. Leaving the loop does not close the server.
   *
   * The server goes on accepting while the body of a loop runs, and its queue is unbounded: start handling a connection
   * without awaiting it, or set `maxConnections`.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<FerronetSocket>;
  /** In a cluster: whether a worker closes what is above `maxConnections` instead of passing it to another. */
  dropMaxConnection?: boolean;
  addListener<E extends keyof ServerListeners>(event: E, listener: ServerListeners[E]): this;
  addListener(event: string | symbol, listener: (...args: any[]) => void): this;
  on<E extends keyof ServerListeners>(event: E, listener: ServerListeners[E]): this;
  on(event: string | symbol, listener: (...args: any[]) => void): this;
  once<E extends keyof ServerListeners>(event: E, listener: ServerListeners[E]): this;
  once(event: string | symbol, listener: (...args: any[]) => void): this;
  prependListener<E extends keyof ServerListeners>(event: E, listener: ServerListeners[E]): this;
  prependListener(event: string | symbol, listener: (...args: any[]) => void): this;
  prependOnceListener<E extends keyof ServerListeners>(event: E, listener: ServerListeners[E]): this;
  prependOnceListener(event: string | symbol, listener: (...args: any[]) => void): this;
}

/** The class. As `Socket`, it can be called without `new`. */
export interface ServerConstructor extends Omit<typeof nodeNet.Server, 'prototype'> {
  /**
   * @param connectionListener added to `connection`
   * @throws TypeError for wrong options
   */
  new (connectionListener?: (socket: FerronetSocket) => void): FerronetServer;
  new (options?: ServerOpts, connectionListener?: (socket: FerronetSocket) => void): FerronetServer;
  readonly prototype: FerronetServer;
}

export const Server: ServerConstructor;

export type DropArgument = nodeNet.DropArgument;

/** Options of `createServer()`. */
export interface ServerOpts extends nodeNet.ServerOpts {
  /** Bytes that an accepted socket buffers in each direction. Default `stream.getDefaultHighWaterMark()`. */
  highWaterMark?: number | undefined;
  /** Connections from these addresses are closed without an event. */
  blockList?: BlockList | undefined;
  /** The socket option of this name, for accepted sockets. Default `true`. Not in node:net. */
  nativeRelay?: boolean | undefined;
}

/** Options of `server.listen()`. */
export interface ListenOptions extends nodeNet.ListenOptions {
  /** A bound address, which the server adopts. `signal` is ignored then. */
  handle?: BoundSocket | undefined;
  /** Lets other sockets listen on the same port; the kernel spreads the connections. Default `false`. */
  reusePort?: boolean | undefined;
  /** A bound or listening socket of this process, which the server owns and closes. */
  fd?: number | undefined;
  /**
   * Restricts a local socket to the user of this process (on Windows also the system), before a client can connect. Implies
   * `exclusive` in a worker of a cluster. Default `false`. Not in node:net.
   */
  ownerOnly?: boolean | undefined;
}

/** The events of a server with their arguments. */
export interface ServerEventMap {
  /** The server listens no more and all its connections have ended. */
  close: [];
  /** A connection was accepted. */
  connection: [socket: Socket];
  /** A connection was closed because there are `maxConnections`. No argument for local ones. */
  drop: [data?: DropArgument];
  error: [err: Error];
  listening: [];
}

// ---- Bound sockets

/** Options of `new BoundSocket()`: an address, or a path alone. */
export interface BoundSocketOptions {
  /** An IP address; names are not looked up. Default `0.0.0.0`, with `ipv6Only` `::`. */
  host?: string | undefined;
  /** 0 to 65535. Default 0: the system picks one. */
  port?: number | undefined;
  /** Takes no IPv4 connections on `::`. Default `false`. */
  ipv6Only?: boolean | undefined;
  /** Lets other sockets with this option have the same port; the kernel spreads connections. Default `false`. */
  reusePort?: boolean | undefined;
  /**
   * Reserves the address for this socket alone. Without it, Linux binds a port to several `BoundSocket`s as long as none
   * of them listens, and only the first one to listen succeeds. With it, a port that still has connections in
   * `TIME_WAIT` counts as taken. Not in node:net. Default `false`.
   */
  exclusive?: boolean | undefined;
  /** A Unix socket or a named pipe. Excludes all other options. */
  path?: string | undefined;
}

/**
 * A bound address that neither listens nor connects yet. It does not keep the process alive.
 *
 * @typeParam Address what `address()` returns: `AddressInfo`, or `string` for a path
 */
export interface BoundSocket<Address = any> {
  /**
   * The bound address, or the path.
   *
   * @throws Error ERR_SOCKET_HANDLE_ADOPTED when it was adopted or closed
   */
  address(): Address;
  /**
   * The descriptor, -1 on Windows. This object still owns it.
   *
   * @throws Error ERR_SOCKET_HANDLE_ADOPTED when it was adopted or closed
   */
  fd(): number;
  /**
   * Closes the socket, which frees the address.
   *
   * @throws Error ERR_SOCKET_HANDLE_ADOPTED when it was adopted or closed
   */
  close(): void;
  /** As `close()`, but does nothing when it was adopted or closed. */
  [Symbol.dispose](): void;
}

/** A `BoundSocket` made by this package. */
export interface FerronetBoundSocket<Address = any> extends BoundSocket<Address> {
  /** Whether this is a path. */
  readonly isPipe: boolean;
}

type BoundAddress<Options> = Options extends { path: string }
  ? string
  : 'path' extends keyof Options
    ? AddressInfo | string
    : AddressInfo;

/** The class. */
export interface BoundSocketConstructor {
  /**
   * Binds at once.
   *
   * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, RangeError ERR_SOCKET_BAD_PORT for wrong options
   * @throws Error with syscall `bind` when the address cannot be bound
   */
  new <Options extends BoundSocketOptions = {}>(options?: Options): FerronetBoundSocket<BoundAddress<Options>>;
  readonly prototype: FerronetBoundSocket;
}

export const BoundSocket: BoundSocketConstructor;

// ---- Addresses

export type IPVersion = 'ipv4' | 'ipv6';

/** Rules of addresses, made by ferronet or by node:net. What this module makes is a `FerronetBlockList`. */
export type BlockList = nodeNet.BlockList;

/** Rules of addresses, ranges and subnets. `check` says whether one of them matches. */
export interface FerronetBlockList extends nodeNet.BlockList {
  /** How many rules there are. */
  readonly size: number;
  /**
   * All of them or, if one is wrong, none.
   *
   * @throws TypeError ERR_INVALID_ARG_TYPE, Error ERR_INVALID_ADDRESS
   */
  addAddresses(addresses: readonly (string | SocketAddress)[], family?: IPVersion): void;
  /**
   * A subnet such as `10.0.0.0/8` or `fe80::/10`.
   *
   * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, RangeError ERR_OUT_OF_RANGE, Error ERR_INVALID_ADDRESS
   */
  addCIDR(cidr: string): void;
  /** All of them or, if one is wrong, none. Throws as `addCIDR`. */
  addCIDRs(cidrs: readonly string[]): void;
  /** Does nothing if there is no such rule, as all methods that remove. */
  removeAddress(address: string | SocketAddress, family?: IPVersion): void;
  /** Removes one rule of exactly this range. */
  removeRange(start: string | SocketAddress, end: string | SocketAddress, family?: IPVersion): void;
  /** Removes one rule of exactly this subnet. */
  removeSubnet(net: string | SocketAddress, prefix: number, family?: IPVersion): void;
  /** As `removeSubnet`. */
  removeCIDR(cidr: string): void;
  /** Removes all rules. */
  clear(): void;
  /** The rules. */
  toJSON(): readonly string[];
  /** Adds rules as `toJSON` gave them, or as JSON of those. */
  fromJSON(data: string | readonly string[]): void;
}

/** The class. */
export interface BlockListConstructor extends Omit<typeof nodeNet.BlockList, 'prototype'> {
  new (): FerronetBlockList;
  readonly prototype: FerronetBlockList;
  /** Whether it is a list of ferronet or of node:net. */
  isBlockList(value: unknown): value is BlockList;
  /** The private, loopback and link-local ranges, for `addCIDRs`. */
  readonly PRIVATE_RANGES: readonly string[];
}

export const BlockList: BlockListConstructor;

/** An IP address with a port. */
export type SocketAddress = nodeNet.SocketAddress;

/** Options of `new SocketAddress()`. */
export interface SocketAddressInitOptions {
  /** Default `127.0.0.1`, for IPv6 `::`. */
  address?: string | undefined;
  /** Default `ipv4`. */
  family?: IPVersion | undefined;
  /** Of IPv6. Default 0. */
  flowlabel?: number | undefined;
  /** 0 to 65535. Default 0. */
  port?: number | undefined;
}

/** The class. */
export interface SocketAddressConstructor extends Omit<typeof nodeNet.SocketAddress, 'prototype'> {
  /** @throws Error ERR_INVALID_ADDRESS; TypeError or RangeError for wrong options */
  new (options?: SocketAddressInitOptions): SocketAddress;
  readonly prototype: SocketAddress;
  /** Whether it is an address of ferronet or of node:net. */
  isSocketAddress(value: unknown): value is SocketAddress;
  /**
   * The address in `1.2.3.4`, `1.2.3.4:80`, `[::1]` or `[::1]:80`; `undefined` for any other text.
   *
   * @throws TypeError ERR_INVALID_ARG_TYPE if `input` is not a string
   */
  parse(input: string): SocketAddress | undefined;
}

export const SocketAddress: SocketAddressConstructor;

/**
 * 4 or 6 for an IP address of that version, 0 for any other input. Anything but a string is converted first.
 *
 * @throws TypeError for a Symbol, which has no text
 */
export function isIP(input: string): number;
/**
 * Whether `input` is a dotted-decimal IPv4 address.
 *
 * @throws as `isIP`
 */
export function isIPv4(input: string): boolean;
/**
 * Whether `input` is an IPv6 address, with or without a zone (`fe80::1%eth0`).
 *
 * @throws as `isIP`
 */
export function isIPv6(input: string): boolean;

// ---- Functions

/** A new server. `connectionListener` is added to `connection`. */
export function createServer(connectionListener?: (socket: FerronetSocket) => void): FerronetServer;
export function createServer(
  options?: ServerOpts,
  connectionListener?: (socket: FerronetSocket) => void,
): FerronetServer;

/**
 * A new socket that is connecting.
 *
 * @throws TypeError or RangeError for arguments without a target. Later failures are emitted as `error`.
 */
export function connect(options: NetConnectOpts, connectionListener?: () => void): FerronetSocket;
export function connect(port: number, host?: string, connectionListener?: () => void): FerronetSocket;
export function connect(port: number, connectionListener?: () => void): FerronetSocket;
export function connect(path: string, connectionListener?: () => void): FerronetSocket;

/** The other name of `connect`. */
export const createConnection: typeof connect;

/** Whether `connect` tries all addresses of a name, of both families, unless its options say otherwise. */
export function getDefaultAutoSelectFamily(): boolean;
/** @throws TypeError ERR_INVALID_ARG_TYPE unless `value` is a boolean */
export function setDefaultAutoSelectFamily(value: boolean): void;
/** Milliseconds before the next address is tried, unless the options of `connect` say otherwise. */
export function getDefaultAutoSelectFamilyAttemptTimeout(): number;
/**
 * @param value milliseconds, an integer from 1; less than 10 counts as 10
 * @throws TypeError ERR_INVALID_ARG_TYPE, RangeError ERR_OUT_OF_RANGE
 */
export function setDefaultAutoSelectFamilyAttemptTimeout(value: number): void;

// ---- Promises

/** Options of `promises.listen()`: those of `createServer()` and of `server.listen()` together. */
export interface PromisedListenOpts extends ServerOpts, ListenOptions {
  /** Added to `connection`. */
  connectionListener?: ((socket: FerronetSocket) => void) | undefined;
}

/** `net.promises`. */
export interface Promises {
  /**
   * Fulfills with a connected socket. The arguments are those of the module's `connect()`, without a listener.
   *
   * `options.signal` aborts the attempt. It has no effect once the socket has connected.
   *
   * Rejects with the error that would be emitted as `error`, an AbortError, or the TypeError or RangeError of wrong
   * arguments. The socket is destroyed then.
   */
  connect(options: NetConnectOpts): Promise<FerronetSocket>;
  connect(port: number, host?: string): Promise<FerronetSocket>;
  connect(path: string): Promise<FerronetSocket>;
  /**
   * Fulfills with a listening server.
   *
   * `options.signal` rejects with an AbortError before the server listens, and closes it afterwards.
   *
   * Rejects with the error that would be emitted as `error`, an AbortError, or the TypeError or RangeError of wrong options.
   * The server is closed then.
   */
  listen(options?: PromisedListenOpts): Promise<FerronetServer>;
}

/** `connect` and `listen` as promises; also `require('ferronet/promises')`. */
export const promises: Promises;
