// The diagnostics channels of Node's `net`, and `NODE_DEBUG=net`.
import { channel, type Channel } from 'node:diagnostics_channel';
import { debuglog, type DebugLogger } from 'node:util';

export const debug: DebugLogger = debuglog('net');

/** `{ socket }` when `connect` is called. */
export const clientSocketChannel: Channel = channel('net.client.socket');
/** `{ socket }` of every accepted socket, after its `connection` event. */
export const serverSocketChannel: Channel = channel('net.server.socket');

/** `{ server, options }` when `listen` is called. */
export const listenStartChannel: Channel = channel('tracing:net.server.listen:asyncStart');
/** `{ server }` when the server listens. */
export const listenEndChannel: Channel = channel('tracing:net.server.listen:asyncEnd');
/** `{ server, error }` when listening fails. */
export const listenErrorChannel: Channel = channel('tracing:net.server.listen:error');
