// Connections that a server has accepted and sent to child processes: it counts them, and waits for them when it closes.
import { nextTick } from '../node/timers.js';

/** Node's list of the sockets that were sent to a child process, by which the server asks that process. */
export interface SocketList {
  getConnections: (callback: (error: Error | null, count?: number) => void) => void;
  close: (callback: () => void) => void;
  once: (event: 'exit', listener: (list: SocketList) => void) => void;
}

interface CountingServer {
  _connections: number;
  _workers: readonly SocketList[];
  _emitCloseIfDrained: () => void;
}

/** The connections of this process are counted when the call is made, as in Node. */
export function countAll(server: CountingServer, callback: (error: Error | null, count: number) => void): void {
  const workers = [...server._workers];
  let total = server._connections;
  let left = workers.length;
  for (const worker of workers) {
    worker.getConnections((error, count = 0) => {
      if (left === 0) return;
      total += count;
      left = error ? 0 : left - 1;
      if (error) nextTick(callback as (error: Error) => void, error);
      else if (left === 0) nextTick(callback, null, total);
    });
  }
}

/** Counts as a connection of the server until all processes have answered. One that has died calls back as well. */
export function awaitClose(server: CountingServer): void {
  const workers = [...server._workers];
  let left = workers.length;
  server._connections += 1;
  for (const worker of workers) {
    worker.close(() => {
      left -= 1;
      if (left > 0) return;
      server._connections -= 1;
      server._emitCloseIfDrained();
    });
  }
}
