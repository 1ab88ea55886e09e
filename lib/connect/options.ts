// The options of `connect`, and their validation.
import type * as dns from 'node:dns';

import { debug } from '../node/diagnostics.js';
import { isIP } from '../address/is-ip.js';
import {
  attemptTimeoutFloor,
  getDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
} from './defaults.js';
import {
  ERR_INVALID_ARG_TYPE,
  ERR_INVALID_ARG_VALUE,
  ERR_INVALID_IP_ADDRESS,
  ERR_MISSING_ARGS,
} from '../errors/errors.js';
import type { SocketConstructorOptions } from '../stream/options.js';
import {
  validateBoolean,
  validateFunction,
  validateInt32,
  validateNumber,
  validatePort,
  validateString,
  validateStringWithoutNullBytes,
} from '../errors/validators.js';

type LookupCallback = (
  error: NodeJS.ErrnoException | null,
  address: string | dns.LookupAddress[],
  family?: number,
) => void;

/** Resolves a name, as `dns.lookup` does. With `all` the answer is a list. */
export type LookupFunction = (hostname: string, options: dns.LookupOptions, callback: LookupCallback) => void;

export type ConnectListener = () => void;

/** Options of `socket.connect()` to a TCP port. */
export interface TcpConnectOptions {
  /** 0 to 65535. */
  port: number | string;
  /** A name or an IP address. Default `localhost`. */
  host?: string | undefined;
  /** The local address to connect from. */
  localAddress?: string | undefined;
  /** The local port to connect from. */
  localPort?: number | undefined;
  /** Address family to look up, 4 or 6. Default 0: both. */
  family?: number | 'IPv4' | 'IPv6' | undefined;
  /** Hints of `dns.lookup`. */
  hints?: number | undefined;
  /** Resolves `host`. Default `dns.lookup`. */
  lookup?: LookupFunction | undefined;
  /** Whether all addresses of a name are tried. Default `getDefaultAutoSelectFamily()`. */
  autoSelectFamily?: boolean | undefined;
  /** Milliseconds before the next address is tried, at least 10. */
  autoSelectFamilyAttemptTimeout?: number | undefined;
}

/** Options of `socket.connect()` to a Unix socket or a named pipe. Wins over a port. */
export interface IpcConnectOptions {
  path: string;
}

export type SocketConnectOptions = TcpConnectOptions | IpcConnectOptions;

/** Options of the module's `connect()`. */
export type ConnectOptions = SocketConnectOptions &
  SocketConstructorOptions & {
    /** As `socket.setTimeout()`; connecting counts as idle. */
    timeout?: number | undefined;
  };

/** A checked TCP target. */
export interface TcpTarget {
  /** A field of its own, by which it is distinguished from a local target: `Object.prototype` may have a `path`. */
  path: undefined;
  host: string;
  port: number;
  /** As given, for messages. */
  givenHost: string;
  givenPort: number | string;
  localAddress: string | undefined;
  localPort: number | undefined;
  family: number | 'IPv4' | 'IPv6' | undefined;
  hints: number;
  lookup: LookupFunction | undefined;
  autoSelectFamily: boolean;
  attemptTimeout: number;
  /** Whether the socket is bound to a local address already. */
  bound: boolean;
}

/** What a `BoundSocket` was bound to. Its socket can only connect to a target of the same kind. */
export type Bound = 'address' | 'path' | undefined;

/** @throws what Node throws, in its order */
export function readTarget(
  options: Partial<TcpConnectOptions & IpcConnectOptions>,
  bound: Bound,
): IpcConnectOptions | TcpTarget {
  const { path } = options;
  if (options.port !== undefined || (path !== undefined && path !== null)) {
    debug('pipe', bound === undefined ? Boolean(path) : bound === 'path', path);
  }
  if (path && bound === 'address') {
    // node:net ignores the path here and connects to port 0.
    throw new ERR_INVALID_ARG_VALUE('options', options, 'path cannot be used with a socket bound to an address');
  }
  if (path || bound === 'path') {
    validateString(path, 'options.path');
    return { path };
  }
  if (options.port === undefined) throw new ERR_MISSING_ARGS(['options', 'port', 'path']);
  return readTcpTarget(options, options.port, bound !== undefined);
}

function readTcpTarget(options: Partial<TcpConnectOptions>, givenPort: number | string, bound: boolean): TcpTarget {
  const host = options.host || 'localhost';
  const { localAddress, localPort, lookup } = options;
  validateStringWithoutNullBytes(host, 'options.host');
  if (bound && (localAddress !== undefined || localPort !== undefined)) {
    const reason = 'localAddress and localPort cannot be used with an adopted bound socket';
    throw new ERR_INVALID_ARG_VALUE('options', options, reason);
  }
  if (localAddress && !isIP(localAddress)) throw new ERR_INVALID_IP_ADDRESS(localAddress);
  if (localPort) validateNumber(localPort, 'options.localPort');
  if (typeof givenPort !== 'number' && typeof givenPort !== 'string') {
    throw new ERR_INVALID_ARG_TYPE('options.port', ['number', 'string'], givenPort);
  }
  const port = validatePort(givenPort);
  const autoSelectFamily = readAutoSelectFamily(options.autoSelectFamily);
  const attemptTimeout = readAttemptTimeout(options.autoSelectFamilyAttemptTimeout);
  // As in Node, `lookup` is not validated for an IP address, which needs no lookup.
  if (!isIP(host) && lookup !== undefined && lookup !== null) validateFunction(lookup, 'options.lookup');
  return {
    path: undefined,
    host,
    port,
    givenHost: options.host ?? host,
    givenPort,
    localAddress: localAddress || undefined,
    localPort: localPort || undefined,
    family: options.family,
    hints: options.hints || 0,
    lookup: lookup || undefined,
    // Each further address would need another socket, which would not be bound.
    autoSelectFamily: autoSelectFamily && !bound,
    attemptTimeout,
    bound,
  };
}

function readAutoSelectFamily(given: boolean | null | undefined): boolean {
  if (given === undefined || given === null) return getDefaultAutoSelectFamily();
  validateBoolean(given, 'options.autoSelectFamily');
  return given;
}

function readAttemptTimeout(given: number | null | undefined): number {
  if (given === undefined || given === null) return getDefaultAutoSelectFamilyAttemptTimeout();
  validateInt32(given, 'options.autoSelectFamilyAttemptTimeout', 1);
  return attemptTimeoutFloor(given);
}
