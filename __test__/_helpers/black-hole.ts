// A loopback address that answers no connection attempt: its server accepts nothing and its queue is full, so the kernel
// drops what knocks. Linux does so; elsewhere the attempt is refused.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';

import { nodeProgram, peer } from './implementations.js';

export interface BlackHole {
  address: string;
  port: number;
  close: () => void;
}

const ADDRESS = '127.0.0.2';

// The process listens and then does nothing any more, not even accept. It ends by itself if the one that started it could not
// end it, and does not hold its output open meanwhile.
const script = `
  const server = require('node:net').createServer();
  server.listen({ port: Number(process.argv[1]), host: '${ADDRESS}', backlog: 1 }, () => {
    require('node:fs').writeSync(1, 'listening');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 120_000);
    process.exit();
  });`;

/** A port that is probably unused on all loopback addresses. */
async function freePort(): Promise<number> {
  const server = peer.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export async function digBlackHole(): Promise<BlackHole> {
  const port = await freePort();
  const child = spawn(nodeProgram, ['--eval', script, String(port)], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  // More than fit: when the first is connected, all have knocked.
  const fillers: Socket[] = Array.from({ length: 6 }, () => peer.connect(port, ADDRESS).on('error', () => {}));
  await once(fillers[0] as Socket, 'connect');
  const close = (): void => {
    for (const filler of fillers) filler.destroy();
    child.kill('SIGKILL');
  };
  return { address: ADDRESS, port, close };
}
