// `net.BoundSocket`: an address that is bound now and used later, by a server that listens on it or a socket that connects
// from it. That server or socket adopts the handle.
import { isIP, isIPv6 } from '../address/is-ip.js';
import {
  ERR_INVALID_ARG_VALUE,
  ERR_SOCKET_HANDLE_ADOPTED,
  ERR_WORKER_HANDLE_NOT_TRANSFERABLE,
  errnoException,
  exceptionWithHostPort,
  type NetError,
} from '../errors/errors.js';
import { type AddressOut, TCP } from '../handle/tcp.js';
import { TCP_EXCLUSIVE, UV_TCP_IPV6ONLY, UV_TCP_REUSEPORT } from '../handle/numbers.js';
import type { StreamHandle } from '../handle/stream.js';
import { Pipe } from '../handle/pipe.js';
import { register, Transferable } from '../thread/messaging.js';
import { checkBindAllowed } from '../errors/permission.js';
import type { AddressInfo } from './addresses.js';
import { sentinelFor, receiveHandle, type SentHandle, sendHandle } from '../thread/transfer.js';
import { validateBoolean, validateObject, validatePort, validateString } from '../errors/validators.js';
import { EMPTY } from '../node/empty.js';

/** Options of `new BoundSocket()`: an address, or a path alone. */
export interface BoundSocketOptions {
  /** An IP address; names are not looked up. Default `0.0.0.0`, with `ipv6Only` `::`. */
  host?: string | null | undefined;
  /** 0 to 65535. Default 0: the system picks one. */
  port?: number | string | null | undefined;
  /** Takes no IPv4 connections on `::`. Default `false`. */
  ipv6Only?: boolean | null | undefined;
  /** Lets other sockets with this option have the same port; the kernel spreads connections. Default `false`. */
  reusePort?: boolean | null | undefined;
  /**
   * Reserves the address for this socket alone. Without it, Linux binds a port to several `BoundSocket`s as long as none
   * of them listens, and only the first one to listen succeeds. With it, a port that still has connections in
   * `TIME_WAIT` counts as taken. Not in node:net. Default `false`.
   */
  exclusive?: boolean | null | undefined;
  /** A Unix socket or a named pipe. Excludes all other options. */
  path?: string | undefined;
}

interface Bound {
  handle: StreamHandle;
  address: AddressInfo | string;
}

let releaseHandle: (bound: BoundSocket) => StreamHandle;
let handleOf: (bound: BoundSocket) => StreamHandle | null;
let take: (bound: BoundSocket, found: Bound) => void;

/** Passed instead of options by `receive`, which fills the object with what another thread has bound. */
const RECEIVED: BoundSocketOptions = {};

/** A bound address that neither listens nor connects yet. It does not keep the process alive. */
export class BoundSocket extends Transferable {
  #handle: StreamHandle | null = null;
  #address: AddressInfo | string = '';

  /**
   * Binds at once.
   *
   * @throws TypeError ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, RangeError ERR_SOCKET_BAD_PORT for wrong options
   * @throws Error with syscall `bind` when the address cannot be bound
   */
  // The default and not `?`: as in Node, `length` is 0.
  constructor(options: BoundSocketOptions = EMPTY) {
    super();
    if (options === RECEIVED) return;
    validateObject(options, 'options');
    take(this, options.path === undefined ? bindAddress(options) : bindPath(options, options.path));
  }

  /**
   * The bound address, or the path.
   *
   * @throws Error ERR_SOCKET_HANDLE_ADOPTED when it was adopted or closed
   */
  address(): AddressInfo | string {
    this.#owned();
    return typeof this.#address === 'string' ? this.#address : { ...this.#address };
  }

  /**
   * The descriptor, -1 on Windows. This object still owns it.
   *
   * @throws Error ERR_SOCKET_HANDLE_ADOPTED when it was adopted or closed
   */
  fd(): number {
    return this.#owned().fd;
  }

  /**
   * Closes the socket, which frees the address.
   *
   * @throws Error ERR_SOCKET_HANDLE_ADOPTED when it was adopted or closed
   */
  close(): void {
    releaseHandle(this).close();
  }

  /** Whether this is a path. */
  get isPipe(): boolean {
    return typeof this.#address === 'string';
  }

  /** As `close()`, but does nothing when it was adopted or closed. */
  [Symbol.dispose](): void {
    if (this.#handle !== null) this.close();
  }

  #owned(): StreamHandle {
    if (this.#handle === null) throw new ERR_SOCKET_HANDLE_ADOPTED();
    return this.#handle;
  }

  static {
    releaseHandle = (bound) => {
      const handle = bound.#owned();
      bound.#handle = null;
      return handle;
    };
    handleOf = (bound) => bound.#handle;
    take = (bound, { handle, address }) => {
      bound.#handle = handle;
      bound.#address = address;
    };
  }
}

Object.setPrototypeOf(BoundSocket.prototype, Object.prototype);

/** What a message carries in place of a bound socket. */
interface SentBoundSocket {
  sent: SentHandle;
  address: AddressInfo | string;
}

/** @throws Error ERR_WORKER_HANDLE_NOT_TRANSFERABLE */
function check(bound: BoundSocket): StreamHandle {
  const handle = handleOf(bound);
  if (handle === null) throw new ERR_WORKER_HANDLE_NOT_TRANSFERABLE('net.BoundSocket');
  return handle;
}

register<BoundSocket>(BoundSocket, 'BoundSocket', {
  make: () => new BoundSocket(RECEIVED),
  list(bound) {
    check(bound);
    return [sentinelFor(bound, 'net.BoundSocket')];
  },
  transfer(bound): SentBoundSocket {
    const sent = sendHandle(bound, check(bound), [], false);
    const address = bound.address();
    bound.close();
    return { sent, address };
  },
  receive(empty, data) {
    const { sent, address } = data as SentBoundSocket;
    take(empty, { handle: receiveHandle(sent, typeof address === 'string' ? 'SERVER' : 'SOCKET'), address });
  },
});

/**
 * Takes the handle out of a bound socket. The caller owns it.
 *
 * @throws Error ERR_SOCKET_HANDLE_ADOPTED when it was adopted or closed before
 */
export function adoptBoundSocket(bound: BoundSocket): StreamHandle {
  return releaseHandle(bound);
}

function bindPath(options: BoundSocketOptions, path: string): Bound {
  const { host, port, ipv6Only, reusePort } = options;
  if ([host, port, ipv6Only, reusePort].some((each) => each !== undefined)) {
    const reason = 'path is mutually exclusive with host, port, ipv6Only, and reusePort';
    throw new ERR_INVALID_ARG_VALUE('options', options, reason);
  }
  validateString(path, 'options.path');
  checkBindAllowed(path);
  const handle = new Pipe(Pipe.SERVER);
  const errno = handle.bind(path);
  if (errno < 0) throw closed(handle, errnoException(errno, 'bind'));
  return { handle, address: path };
}

function bindAddress(options: BoundSocketOptions): Bound {
  const port = validatePort(options.port ?? 0, 'options.port');
  const ipv6Only = readFlag(options, 'ipv6Only');
  const reusePort = readFlag(options, 'reusePort');
  const exclusive = readFlag(options, 'exclusive');
  const host = options.host ?? (ipv6Only ? '::' : '0.0.0.0');
  validateString(host, 'options.host');
  if (isIP(host) === 0) {
    const reason = 'must be a numeric IP address; net.BoundSocket does not perform DNS resolution';
    throw new ERR_INVALID_ARG_VALUE('options.host', host, reason);
  }
  if (exclusive && reusePort) {
    throw new ERR_INVALID_ARG_VALUE('options', options, 'exclusive is mutually exclusive with reusePort');
  }
  checkBindAllowed();
  const handle = new TCP(TCP.SOCKET);
  const flags = (ipv6Only ? UV_TCP_IPV6ONLY : 0) | (reusePort ? UV_TCP_REUSEPORT : 0) | (exclusive ? TCP_EXCLUSIVE : 0);
  const errno = isIPv6(host) ? handle.bind6(host, port, flags) : handle.bind(host, port, flags);
  if (errno < 0) throw closed(handle, exceptionWithHostPort(errno, 'bind', host, port));
  const { address, family, port: bound }: AddressOut = nameOf(handle);
  return { handle, address: { address, family, port: bound } as AddressInfo };
}

function readFlag(options: BoundSocketOptions, name: 'ipv6Only' | 'reusePort' | 'exclusive'): boolean {
  const given = options[name] ?? false;
  validateBoolean(given, `options.${name}`);
  return given;
}

function nameOf(handle: TCP): AddressOut {
  const name: AddressOut = {};
  const errno = handle.getsockname(name);
  if (errno < 0) throw closed(handle, errnoException(errno, 'getsockname'));
  return name;
}

function closed(handle: StreamHandle, error: NetError): NetError {
  handle.close();
  return error;
}
