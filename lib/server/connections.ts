// `for await (const socket of server)`.
import { type EventEmitter, on } from 'node:events';

import type { Socket } from '../socket/socket.js';

/**
 * Collects connections from this call on, not from the first `next()`, so that none is lost in between. The queue is
 * unbounded, as in Node.
 */
export function connectionsOf(server: EventEmitter): AsyncIterableIterator<Socket> {
  const events = on(server, 'connection', { close: ['close'] });
  const iterator: AsyncIterableIterator<Socket> = {
    next: async () => {
      const result = await events.next();
      return result.done ? { value: undefined, done: true } : { value: result.value[0] as Socket, done: false };
    },
    return: async () => {
      await events.return?.();
      return { value: undefined, done: true };
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}
