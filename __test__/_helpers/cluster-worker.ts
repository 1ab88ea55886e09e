// A program for the workers of a cluster: executes orders of its primary with the module that NET names, and answers.
import { spawn } from 'node:child_process';
import cluster from 'node:cluster';
import { existsSync } from 'node:fs';
import type { ListenOptions, Server, Socket } from 'node:net';

import { describeError } from './describe.js';

/** An order of the primary. */
export type Order =
  | { do: 'listen'; options: ListenOptions; maxConnections?: number }
  | { do: 'count' }
  | { do: 'close' }
  | { do: 'outlive' }
  | { do: 'compute'; until: string; thenClose: boolean }
  | { do: 'disconnect' };

/** What a worker answers, or reports by itself. */
export type Told = { answer: unknown } | { event: string };

const net = require(process.env['NET'] ?? 'node:net') as typeof import('node:net');

const tell = (told: Told): void => {
  // After disconnecting there is no channel.
  if (process.connected) process.send?.(told);
};
let server: Server | undefined;

// Sends its process id, then echoes.
function serve(socket: Socket): void {
  socket.on('error', () => {});
  socket.write(`${process.pid};`);
  socket.pipe(socket);
}

function listen(options: ListenOptions, maxConnections: number | undefined): void {
  server = net.createServer(serve);
  if (maxConnections !== undefined) server.maxConnections = maxConnections;
  server.on('close', () => tell({ event: 'server closed' }));
  server.on('drop', () => tell({ event: 'drop' }));
  server.on('error', (error) => tell({ answer: describeError(error) }));
  server.listen(options, () => tell({ answer: server?.address() ?? null }));
}

// Starts a process that has this end of the channel as well, and returns its id.
function keepChannelOpen(): number | undefined {
  const { fd } = process.channel as unknown as { fd: number };
  return spawn('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore', fd] }).pid;
}

process.on('message', (order: Order) => {
  switch (order.do) {
    case 'listen':
      listen(order.options, order.maxConnections);
      break;
    case 'count':
      server?.getConnections((_error, count) => tell({ answer: count }));
      break;
    case 'close':
      server?.close(() => tell({ answer: 'closed' }));
      break;
    case 'outlive':
      tell({ answer: keepChannelOpen() });
      break;
    case 'compute':
      process.send?.({ event: 'computes' }, () => {
        while (!existsSync(order.until));
        if (order.thenClose) server?.close();
      });
      break;
    case 'disconnect':
      cluster.worker?.disconnect();
      break;
  }
});
