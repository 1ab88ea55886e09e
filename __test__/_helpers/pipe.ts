// Named pipes of Windows. Elsewhere a path is a Unix socket: parity/unix.spec.ts.
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';

import test from 'ava';

import { both } from './both.js';
import type { Net } from './implementations.js';

export const onWindows: typeof test | typeof test.skip = process.platform === 'win32' ? test : test.skip;
export const bothOnWindows: typeof both =
  process.platform === 'win32' ? both : (title) => void test.skip(title, () => {});

let names = 0;

/** An unused name. */
export function pipeName(prefix = '\\\\.\\pipe\\', name = 'ferronet'): string {
  return `${prefix}${name}-${process.pid}-${++names}`;
}

export async function listenOn(server: Server, path: string): Promise<void> {
  server.listen(path);
  await once(server, 'listening');
}

/** A server that sends back what it gets, up to its end. */
export async function echoOn(net: Net, path: string): Promise<Server> {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('data', (chunk: Buffer) => socket.write(chunk));
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
  });
  await listenOn(server, path);
  return server;
}

export async function read(socket: Socket, size: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let got = 0;
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk as Buffer);
    got += (chunk as Buffer).length;
    if (got >= size) break;
  }
  return Buffer.concat(chunks);
}
