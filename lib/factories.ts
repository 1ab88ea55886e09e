// `createServer` and `connect`. Function declarations, because some programs call them with `new`.
import { normalizeArguments } from './node/arguments.js';
import { debug } from './node/diagnostics.js';
import type { ConnectListener, ConnectOptions } from './connect/options.js';
import type { ServerOptions } from './server/options.js';
import type { ConnectionListener } from './server/server.js';
import { Server } from './server/server.js';
import { Socket } from './socket/socket.js';

/** A new server. `connectionListener` is added to `connection`. */
export function createServer(connectionListener?: ConnectionListener): Server;
export function createServer(options?: ServerOptions | null, connectionListener?: ConnectionListener): Server;
export function createServer(
  options?: ServerOptions | ConnectionListener | null,
  connectionListener?: ConnectionListener,
): Server {
  return new Server(options as ServerOptions, connectionListener);
}

/**
 * A new socket that is connecting.
 *
 * @throws TypeError or RangeError for arguments without a target. Later failures are emitted as `error`.
 */
export function connect(options: ConnectOptions, connectionListener?: ConnectListener): Socket;
export function connect(port: number | string, host?: string, connectionListener?: ConnectListener): Socket;
export function connect(port: number | string, connectionListener?: ConnectListener): Socket;
export function connect(path: string, connectionListener?: ConnectListener): Socket;
export function connect(...args: unknown[]): Socket {
  const normalized = normalizeArguments(args);
  const options = normalized[0] as Partial<ConnectOptions>;
  debug('createConnection', normalized);
  const socket = new Socket(options);
  if (options.timeout) socket.setTimeout(options.timeout);
  return socket.connect(normalized as unknown as ConnectOptions);
}
