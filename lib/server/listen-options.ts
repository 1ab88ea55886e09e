// The arguments of `server.listen`: all forms of the call, validated. Reading them changes nothing.
import { normalizeArguments, isPipeName, toNumber } from '../node/arguments.js';
import { BoundSocket } from '../stream/bound-socket.js';
import { ERR_INVALID_ARG_VALUE } from '../errors/errors.js';
import type { StreamHandle } from '../handle/stream.js';
import { Pipe } from '../handle/pipe.js';
import { PIPE_OWNER_ONLY, UV_READABLE, UV_WRITABLE, UV_TCP_IPV6ONLY, UV_TCP_REUSEPORT } from '../handle/numbers.js';
import { TCP } from '../handle/tcp.js';
import type { NodeListener } from './node-handle.js';
import { validateAbortSignal, validatePort } from '../errors/validators.js';

/** Options of `server.listen()`. */
export interface ListenOptions {
  /** 0 to 65535. Without one, or 0: the system picks one. */
  port?: number | string | null | undefined;
  /** The address to listen on, or a name of one. Default: all addresses, `::` or where there is no IPv6 `0.0.0.0`. */
  host?: string | undefined;
  /** A Unix socket or a named pipe. A port wins over it. */
  path?: string | undefined;
  /** Connections that may wait to be accepted. Default 511. */
  backlog?: number | undefined;
  /** In a worker of a cluster: binds the address for this worker alone, instead of sharing it. Default `false`. */
  exclusive?: boolean | undefined;
  /** Takes no IPv4 connections on `::`. Default `false`. */
  ipv6Only?: boolean | undefined;
  /** Lets other sockets listen on the same port; the kernel spreads the connections. Default `false`. */
  reusePort?: boolean | undefined;
  /** Makes a local socket readable for all users. Default `false`. */
  readableAll?: boolean | undefined;
  /** Makes a local socket writable for all users. Default `false`. */
  writableAll?: boolean | undefined;
  /**
   * Restricts a local socket to the user of this process (on Windows also the system), before a client can connect. Implies
   * `exclusive` in a worker of a cluster. Default `false`.
   */
  ownerOnly?: boolean | undefined;
  /** A bound address, which the server adopts. `signal` is ignored then. */
  handle?: BoundSocket | undefined;
  /** Closes the server when aborted. */
  signal?: AbortSignal | undefined;
  /** A bound or listening socket of this process, which the server owns and closes. */
  fd?: number | undefined;
}

/** Where to listen, as the arguments say it. */
export type ListenRequest = { backlog: number; signal?: AbortSignal | undefined } & (
  | { kind: 'bound-socket'; bound: BoundSocket }
  | { kind: 'node-handle'; handle: NodeListener }
  | { kind: 'handle'; handle: StreamHandle; path: undefined }
  | { kind: 'fd'; fd: number }
  | { kind: 'port'; port: number; host: string | undefined; flags: number; exclusive: boolean }
  | { kind: 'path'; path: string; mode: number; flags: number | undefined; exclusive: boolean }
);

type Given = Omit<ListenOptions, 'handle'> & { _handle?: unknown; handle?: unknown };

/** @throws TypeError or RangeError, as Node does, for arguments that do not say where to listen */
export function readListenRequest(args: readonly unknown[]): ListenRequest {
  const normalized = normalizeArguments(args)[0];
  // The number behind the first argument, or behind the host.
  const backlog = toNumber(args.length > 1 && args[1]) || toNumber(args.length > 2 && args[2]) || 0;
  const holder = normalized as Given;
  const bound = holder instanceof BoundSocket ? holder : holder.handle;
  if (bound instanceof BoundSocket) return { kind: 'bound-socket', bound, backlog: holder.backlog || backlog };
  const options = (holder._handle || holder.handle || holder) as Given & Record<string, unknown>;
  if (options instanceof TCP || options instanceof Pipe) {
    return { kind: 'handle', handle: options as StreamHandle, path: undefined, backlog };
  }
  if (options['isStreamBase'] === true && isListener(options)) return { kind: 'node-handle', handle: options, backlog };
  const { signal, fd } = options;
  validateAbortSignal(signal, 'options.signal');
  if (typeof fd === 'number' && fd >= 0) return { kind: 'fd', fd, backlog, signal };
  return { ...readAddress(args, options), backlog: options.backlog || backlog, signal } as ListenRequest;
}

/** A TCP or local handle of Node's can listen, a TTY cannot. */
function isListener(given: object): given is NodeListener {
  return typeof (given as { listen?: unknown }).listen === 'function';
}

function readAddress(args: readonly unknown[], options: Given): object {
  const port = wantedPort(args, options);
  if (typeof port === 'number' || typeof port === 'string') {
    return { ...readFlags(options), kind: 'port', port: validatePort(port, 'options.port'), host: options.host };
  }
  const { path } = options;
  if (path && isPipeName(path)) {
    const mode = (options.readableAll === true ? UV_READABLE : 0) | (options.writableAll === true ? UV_WRITABLE : 0);
    if (path.startsWith('\0') && (options.readableAll || options.writableAll)) {
      // The typo is Node's, and programs compare messages.
      const reason = 'can not set readableAll or writableAllt to true when path is abstract unix socket';
      throw new ERR_INVALID_ARG_VALUE('options', options, reason);
    }
    const ownerOnly = options.ownerOnly === true;
    if (ownerOnly && (mode !== 0 || path.startsWith('\0'))) {
      const reason = 'ownerOnly goes neither with readableAll or writableAll nor with an abstract unix socket';
      throw new ERR_INVALID_ARG_VALUE('options', options, reason);
    }
    return {
      kind: 'path',
      path,
      mode,
      flags: (ownerOnly ? PIPE_OWNER_ONLY : mode) || undefined,
      exclusive: Boolean(options.exclusive) || ownerOnly,
    };
  }
  if ('port' in options || 'path' in options) throw new ERR_INVALID_ARG_VALUE('options', options);
  throw new ERR_INVALID_ARG_VALUE('options', options, 'must have the property "port" or "path"');
}

// 0 if `listen` was called without a target, or if `port` is present but null or undefined.
function wantedPort(args: readonly unknown[], options: Given): unknown {
  const { port } = options;
  const none = args.length === 0 || typeof args[0] === 'function';
  return none || port === null || (port === undefined && 'port' in options) ? 0 : port;
}

function readFlags({ ipv6Only, reusePort, exclusive }: Given): { flags: number; exclusive: boolean } {
  const flags = (ipv6Only === true ? UV_TCP_IPV6ONLY : 0) | (reusePort === true ? UV_TCP_REUSEPORT : 0);
  // With `reusePort` each worker binds a socket of its own.
  return { flags, exclusive: Boolean(exclusive) || reusePort === true };
}
