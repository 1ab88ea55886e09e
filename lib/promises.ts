// `net.promises`, also exported by `ferronet/promises`: connecting and starting to listen as promises.
import { once } from 'node:events';

import { normalizeArguments } from './node/arguments.js';
import { EMPTY } from './node/empty.js';
import type { ConnectOptions } from './connect/options.js';
import { connect as connectSocket } from './factories.js';
import { AbortError } from './errors/errors.js';
import type { ListenOptions } from './server/listen-options.js';
import type { ServerOptions } from './server/options.js';
import type { ConnectionListener } from './server/server.js';
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
 * `options.signal` aborts the attempt. It has no effect once the socket has connected.
 *
 * Rejects with the error that would be emitted as `error`, an AbortError, or the TypeError or RangeError of wrong arguments.
 * The socket is destroyed then.
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
 * `options.signal` rejects with an AbortError before the server listens, and closes it afterwards.
 *
 * Rejects with the error that would be emitted as `error`, an AbortError, or the TypeError or RangeError of wrong options.
 * The server is closed then.
 */
export async function listen(options: PromisedListenOptions = EMPTY): Promise<Server> {
  validateObject(options, 'options');
  const { signal, connectionListener } = options;
  validateAbortSignal(signal, 'options.signal');
  throwIfAborted(signal);
  const server = new Server(options, connectionListener);
  try {
    server.listen(options);
    await once(server, 'listening', { signal });
  } catch (error) {
    // `listen` itself closes an aborted server.
    if (!signal?.aborted) server.close();
    throw error;
  }
  return server;
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortError(undefined, { cause: signal.reason });
}
