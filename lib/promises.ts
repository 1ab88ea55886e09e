// `net.promises`, and the door `ferronet/promises`: what happens once, a connection and the start of listening, as promises.
import { once } from 'node:events';

import { normalizeArguments } from './node/arguments.js';
import type { ConnectOptions } from './connect/options.js';
import { connect as connectSocket } from './factories.js';
import { AbortError } from './errors/errors.js';
import type { ListenOptions } from './server/listen-options.js';
import type { ConnectionListener, ServerOptions } from './server/server.js';
import { Server } from './server/server.js';
import type { Socket } from './socket/socket.js';
import { validateAbortSignal, validateObject } from './errors/validators.js';

/** Options of `listen()`: those of `createServer()` and of `server.listen()` together. */
export interface PromisedListenOptions extends ServerOptions, ListenOptions {
  /** Added to `connection`. */
  connectionListener?: ConnectionListener | undefined;
}

/**
 * Fulfills with a connected socket. The arguments are those of the module's `connect()`, without a listener.
 *
 * `options.signal` gives the attempt up. It has no say any more when the connection is there.
 *
 * Rejects when there is no connection, with what would be the `error` event, an AbortError, or the TypeError or
 * RangeError of wrong arguments; the socket is destroyed then.
 */
export function connect(options: ConnectOptions): Promise<Socket>;
export function connect(port: number | string, host?: string): Promise<Socket>;
export function connect(path: string): Promise<Socket>;
export async function connect(...args: unknown[]): Promise<Socket> {
  const options = normalizeArguments(args)[0];
  const { signal } = options;
  validateAbortSignal(signal, 'options.signal');
  throwIfAborted(signal);
  const socket = connectSocket({ ...options, signal: undefined } as unknown as ConnectOptions);
  try {
    await once(socket, 'connect', { signal });
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return socket;
}

/**
 * Fulfills with a listening server.
 *
 * `options.signal` ends a server that does not listen yet with an AbortError, and closes one that does.
 *
 * Rejects when it cannot listen, with what would be the `error` event, an AbortError, or the TypeError or RangeError of
 * wrong options; the server is closed then.
 */
export async function listen(options: PromisedListenOptions = {}): Promise<Server> {
  validateObject(options, 'options');
  const { signal, connectionListener } = options;
  validateAbortSignal(signal, 'options.signal');
  throwIfAborted(signal);
  const server = new Server(options, connectionListener);
  try {
    server.listen(options);
    await once(server, 'listening', { signal });
  } catch (error) {
    // An abort closes it without our help.
    if (!signal?.aborted) server.close();
    throw error;
  }
  return server;
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortError(undefined, { cause: signal.reason });
}
