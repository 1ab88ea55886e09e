// `ferronet/http`: the servers and clients of node:http, node:https, node:http2 and node:tls over our sockets. They do not
// ask for `net` in a way that could be led to us, but they take connections that others have made.
import type { EventEmitter } from 'node:events';
import { Agent as NodeHttpAgent } from 'node:http';
import type { ClientHttp2Session, ClientSessionOptions, SecureClientSessionOptions } from 'node:http2';
import { Agent as NodeHttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectSecurely, type TLSSocket } from 'node:tls';
import type { URL } from 'node:url';

import { connect, isIP, Server } from '../index.js';
import type { ConnectOptions } from '../lib/connect/options.js';
import type { Server as OurServer, ServerOptions } from '../lib/server/server.js';

/** A server of Node's that takes connections: of http, https, http2 or tls. */
export interface ConnectionServer extends EventEmitter {
  close(callback?: (error?: Error) => void): unknown;
}

/** What a server of Node's has asked of its connections. */
interface Kept {
  allowHalfOpen?: boolean;
  pauseOnConnect?: boolean;
  noDelay?: boolean;
  keepAlive?: boolean;
  /** Seconds. */
  keepAliveInitialDelay?: number;
  highWaterMark?: number;
}

function optionsOf(server: Kept): ServerOptions {
  const { allowHalfOpen, pauseOnConnect, noDelay, keepAlive, keepAliveInitialDelay = 0, highWaterMark } = server;
  const options = { allowHalfOpen, pauseOnConnect, noDelay, keepAlive, highWaterMark };
  return { ...options, keepAliveInitialDelay: keepAliveInitialDelay * 1000 };
}

class Front extends Server {
  readonly #behind: ConnectionServer;

  constructor(behind: ConnectionServer, options: ServerOptions) {
    super({ ...optionsOf(behind as Kept), ...options });
    this.#behind = behind;
    this.on('connection', (socket) => behind.emit('connection', socket));
    // With it http begins to look after its timeouts.
    this.on('listening', () => behind.emit('listening'));
  }

  override close(callback?: (error?: Error) => void): this {
    // It does not listen, but has connections that wait for the next request.
    this.#behind.close();
    return super.close(callback);
  }
}

/**
 * A server of ours for one of `http`, `https`, `http2` or `tls`, which serves what ours accepts:
 * `serve(http.createServer(app)).listen(80)`.
 *
 * Listen, ask for the address and close here; requests, and all that is set for them, stay there. Closing closes the
 * connections that have no request, as closing an `http.Server` does; `close` here tells that all have ended, and the one
 * of the server behind that it was told to.
 *
 * @param server one that does not listen itself
 * @param options instead of what `server` asks of its connections
 */
export function serve(server: ConnectionServer, options: ServerOptions = {}): OurServer {
  return new Front(server, options) as unknown as OurServer;
}

/** What agents ask for: all options of the request, whose `path` is that of the request. */
type AgentOptions = ConnectionOptions & { socketPath?: string | undefined };

function connectFor(options: AgentOptions): Duplex {
  return connect({ ...options, path: options.socketPath } as ConnectOptions) as unknown as Duplex;
}

type Created = (error: Error | null, socket: Duplex) => void;

/** An `http.Agent` over sockets of ours: `http.get(url, { agent: new HttpAgent({ keepAlive: true }) })`. */
export const HttpAgent: typeof NodeHttpAgent = class HttpAgent extends NodeHttpAgent {
  override createConnection(options: object): Duplex {
    return connectFor(options);
  }
};
export type HttpAgent = NodeHttpAgent;

/** An `https.Agent` over sockets of ours. */
export const HttpsAgent: typeof NodeHttpsAgent = class HttpsAgent extends NodeHttpsAgent {
  override createConnection(options: object, done?: Created): ReturnType<NodeHttpsAgent['createConnection']> {
    // Node's keeps the session for the next connection to the same server.
    return super.createConnection({ ...options, socket: connectFor(options) } as object, done);
  }
};
export type HttpsAgent = NodeHttpsAgent;

/**
 * `tls.connect(options)` over a socket of ours.
 *
 * @param options of `tls.connect` and, for the socket, of `net.connect`
 * @param secureConnectListener added to `secureConnect`
 */
export function connectTls(options: ConnectionOptions, secureConnectListener?: () => void): TLSSocket {
  const socket = options.socket ?? (connect(options as ConnectOptions) as unknown as Duplex);
  const secured = connectSecurely({ ...options, socket }, secureConnectListener);
  // For a socket of its own Node does that.
  if (options.timeout) secured.setTimeout(options.timeout);
  return secured;
}

/**
 * `http2.connect(authority, options)` over a socket of ours.
 *
 * @param authority `http://…` in the clear, `https://…` with TLS
 * @param listener added to `connect`
 */
export function connectHttp2(
  authority: string | URL,
  options: ClientSessionOptions | SecureClientSessionOptions = {},
  listener?: (session: ClientHttp2Session) => void,
): ClientHttp2Session {
  const http2 = require('node:http2') as typeof import('node:http2');
  const made = { ...options, createConnection: (url: URL) => connectTo(url, options as ConnectionOptions) };
  return http2.connect(authority, made, listener && ((session) => listener(session)));
}

function connectTo({ protocol, hostname, port }: URL, options: ConnectionOptions): Duplex {
  // An IPv6 address stands in brackets there.
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const isSecure = protocol === 'https:';
  const target = { ...options, host, port: Number(port || (isSecure ? 443 : 80)) };
  if (!isSecure) return connect(target as ConnectOptions) as unknown as Duplex;
  // The name of a server is no address.
  const servername = isIP(host) ? {} : { servername: host };
  return connectTls({ ALPNProtocols: ['h2'], ...servername, ...target });
}
