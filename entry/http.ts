// `ferronet/http`: the servers and clients of node:http, node:https, node:http2 and node:tls over connections that ferronet
// accepts and makes. Their own use of `net` cannot be redirected, but they take connections from elsewhere. Where descriptors
// can be given away those are sockets of node:net, whose native handles these modules use directly; to any other stream they
// add one in JavaScript.
import type { EventEmitter } from 'node:events';
import { Agent as NodeHttpAgent } from 'node:http';
import type { ClientHttp2Session, ClientSessionOptions, SecureClientSessionOptions } from 'node:http2';
import { Agent as NodeHttpsAgent } from 'node:https';
import type { Server as NodeServer, Socket as NodeSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectSecurely, type TLSSocket } from 'node:tls';
import type { URL } from 'node:url';

import { isIP, Server, type ServerOpts } from '../index.js';
import { hasDescriptors } from '../lib/node/descriptors.js';
import { EMPTY } from '../lib/node/empty.js';
import { connectForNode } from './http/connect.js';

/** A server of node:http, https, http2 or tls, which handles connections emitted as `connection`. */
export interface ConnectionServer extends EventEmitter {
  close(callback?: (error?: Error) => void): unknown;
}

/** The socket options that a server of Node's keeps. */
interface KeptOptions {
  allowHalfOpen?: boolean;
  pauseOnConnect?: boolean;
  noDelay?: boolean;
  keepAlive?: boolean;
  /** Seconds. */
  keepAliveInitialDelay?: number;
  highWaterMark?: number;
}

function optionsOf(server: KeptOptions): ServerOpts {
  const { allowHalfOpen, pauseOnConnect, noDelay, keepAlive, keepAliveInitialDelay = 0, highWaterMark } = server;
  const options = { allowHalfOpen, pauseOnConnect, noDelay, keepAlive, highWaterMark };
  return { ...options, keepAliveInitialDelay: keepAliveInitialDelay * 1000 };
}

/**
 * What `serve` returns. Its connections are sockets of node:net; on Windows, in Bun and in Deno they are ferronet's, and so are
 * those that another process has sent.
 */
export interface FrontServer extends NodeServer {
  /** In a cluster: whether a worker closes what is above `maxConnections` instead of passing it to another. */
  dropMaxConnection?: boolean;
  /** As `FerronetServer` has it. */
  [Symbol.asyncIterator](): AsyncIterableIterator<NodeSocket>;
}

class Front extends Server {
  readonly #behind: ConnectionServer;

  constructor(behind: ConnectionServer, options: ServerOpts) {
    super({ ...optionsOf(behind as KeptOptions), ...options });
    this.#behind = behind;
    if (hasDescriptors()) this._nodeSockets = true;
    this.on('connection', (socket) => behind.emit('connection', socket));
    // Starts the timeout checks of http.
    this.on('listening', () => behind.emit('listening'));
  }

  override close(callback?: (error?: Error) => void): this {
    // It does not listen, but closes connections that are idle between two requests.
    this.#behind.close();
    return super.close(callback);
  }
}

/**
 * A `net.Server` of ferronet that passes its connections to a server of `http`, `https`, `http2` or `tls`:
 * `serve(http.createServer(app)).listen(80)`.
 *
 * ferronet listens, accepts, drops and counts; each connection is a socket of node:net, as that server would have it from
 * Node. Call `listen`, `address` and `close` on the returned server; requests and their settings stay with `server`. `close` closes
 * the connections without a request, as `http.Server` does. The `close` event of the returned server says that all
 * connections have ended; that of `server`, that it was asked to close.
 *
 * @param server must not listen itself
 * @param options override the socket options of `server`
 */
export function serve(server: ConnectionServer, options: ServerOpts = EMPTY): FrontServer {
  return new Front(server, options) as unknown as FrontServer;
}

/** All options of the request; `path` is the request's path, and `socketPath` the local socket's. */
type AgentOptions = ConnectionOptions & { socketPath?: string | undefined };

function connectFor(options: AgentOptions): Duplex {
  return connectForNode({ ...options, path: options.socketPath });
}

type Created = (error: Error | null, socket: Duplex) => void;

/** An `http.Agent` that connects by ferronet: `http.get(url, { agent: new HttpAgent({ keepAlive: true }) })`. */
export const HttpAgent: typeof NodeHttpAgent = class HttpAgent extends NodeHttpAgent {
  override createConnection(options: object): Duplex {
    return connectFor(options);
  }
};
export type HttpAgent = NodeHttpAgent;

/** An `https.Agent` that connects by ferronet. */
export const HttpsAgent: typeof NodeHttpsAgent = class HttpsAgent extends NodeHttpsAgent {
  override createConnection(options: object, done?: Created): ReturnType<NodeHttpsAgent['createConnection']> {
    const { timeout } = options as AgentOptions;
    const socket = connectFor({ ...options, timeout: undefined });
    // The agent of Node keeps the TLS session for the next connection to the same server.
    const secured = super.createConnection({ ...options, socket } as object, done);
    // Node does this only for a socket that it makes itself.
    if (timeout) (secured as TLSSocket).setTimeout(timeout);
    return secured;
  }
};
export type HttpsAgent = NodeHttpsAgent;

/**
 * `tls.connect(options)` over a connection that ferronet makes. A `socket` among the options is used as by `tls.connect`.
 *
 * @param options of `tls.connect` and, for the socket, of `net.connect`
 * @param secureConnectListener added to `secureConnect`
 */
export function connectTls(options: ConnectionOptions, secureConnectListener?: () => void): TLSSocket {
  const socket = options.socket ?? connectForNode({ ...options, timeout: undefined });
  const secured = connectSecurely({ ...options, socket }, secureConnectListener);
  // Node does this only for a socket that it makes itself.
  if (options.timeout) secured.setTimeout(options.timeout);
  return secured;
}

/**
 * `http2.connect(authority, options)` over a connection that ferronet makes.
 *
 * @param authority `http://…` in the clear, `https://…` with TLS
 * @param listener added to `connect`
 */
export function connectHttp2(
  authority: string | URL,
  options: ClientSessionOptions | SecureClientSessionOptions = EMPTY,
  listener?: (session: ClientHttp2Session) => void,
): ClientHttp2Session {
  const http2 = require('node:http2') as typeof import('node:http2');
  const made = { ...options, createConnection: (url: URL) => connectTo(url, options as ConnectionOptions) };
  return http2.connect(authority, made, listener && ((session) => listener(session)));
}

function connectTo({ protocol, hostname, port }: URL, options: ConnectionOptions): Duplex {
  // A URL has IPv6 addresses in brackets.
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const isSecure = protocol === 'https:';
  const target = { ...options, host, port: Number(port || (isSecure ? 443 : 80)) };
  if (!isSecure) return connectForNode(target);
  // SNI has no addresses.
  const servername = isIP(host) ? {} : { servername: host };
  return connectTls({ ALPNProtocols: ['h2'], ...servername, ...target });
}
