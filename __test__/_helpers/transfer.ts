// Connections and servers to transfer, and what becomes of them on the other side.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo, Server, ServerOpts, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ExecutionContext } from 'ava';

import { type Net, node, ours } from './implementations.js';
import { localPath } from './local-path.js';

export type Transport = 'tcp' | 'unix';

/** A path of the test's own. */
export function freePath(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'transfer-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return localPath(directory, 's');
}

export function target(server: Server): { host: string; port: number } | { path: string } {
  const address = server.address() as AddressInfo | string;
  return typeof address === 'string' ? { path: address } : { host: '127.0.0.1', port: address.port };
}

export async function listening(
  t: ExecutionContext,
  transport: Transport,
  options: ServerOpts = {},
  net: Net = ours,
): Promise<Server> {
  const server = net.createServer(options);
  server.listen(transport === 'tcp' ? { host: '127.0.0.1', port: 0 } : { path: freePath(t) });
  await once(server, 'listening');
  t.teardown(() => void server.close());
  return server;
}

/** A client of node:net and the connection that ferronet's server has accepted, which does not read by itself. */
export async function pair(
  t: ExecutionContext,
  transport: Transport = 'tcp',
  options: ServerOpts = {},
  net: Net = ours,
): Promise<[client: Socket, accepted: Socket]> {
  const server = await listening(t, transport, { pauseOnConnect: true, ...options }, net);
  const client = node.connect({ ...target(server), allowHalfOpen: true });
  const [[accepted]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [
    [Socket],
    unknown,
  ];
  client.on('error', () => {});
  t.teardown(() => void client.destroy());
  t.teardown(() => void accepted.destroy());
  server.close();
  return [client, accepted];
}

/** The other side of a transfer, in the same thread. */
export function moved<T extends object>(value: T): T {
  return structuredClone(value, { transfer: [value as unknown as ArrayBuffer] });
}

/** For the lists of `postMessage`. */
export function listed(...values: object[]): ArrayBuffer[] {
  return values as unknown as ArrayBuffer[];
}

const NOTHING = Buffer.alloc(0);

/** All that arrives until the end. The socket stays as it is then: an iteration would destroy it. */
export function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    if (socket.readableEnded) resolve(NOTHING);
    socket.resume().on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('end', () => resolve(Buffer.concat(chunks)));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed without an end')));
  });
}

/** Bytes in which a lost, doubled or swapped one shows. */
export function pattern(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (i * 7 + Math.floor(i / 251)) % 256));
}

export async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries++) {
    if (tries > 1000) throw new Error(`never: ${what}`);
    await new Promise((resolve) => void setTimeout(resolve, 5));
  }
}
