// The diagnostics channels of Node's `net`, and `NODE_DEBUG=net`.
import { channel, type Channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';

const log = debuglog('net');

/** Whether `NODE_DEBUG` has `net`: read once, as Node does. */
export const isDebugged: boolean = log.enabled;

let isQuiet = false;

/** Prints a line for `NODE_DEBUG=net`. The lines, and what they come with, are those of Node's `net`. */
export const debug: (text: string, ...values: unknown[]) => void = isDebugged
  ? (text, ...values) => {
      if (!isQuiet) log(text, ...values);
    }
  : () => {};

/** Runs `run` without lines: what it does is done at another moment than in Node, and was printed at Node's. */
export function withoutLines(run: () => void): void {
  isQuiet = true;
  try {
    run();
  } finally {
    isQuiet = false;
  }
}

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
