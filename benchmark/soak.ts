// The same work again and again, to see that nothing grows: connections that echo, then a transfer each way whose hash
// is checked. Prints the memory of the process after each round; the status is 1 when a hash is wrong or memory grows.
//
//     npm run soak -- [--rounds 10] [--seconds 2] [--connections 64] [--bytes 64] [--mib 1024] [--net node:net]
import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { parseArgs } from 'node:util';

import type net from 'ferronet';

/** What a process may gain; its pools and its compiled code included. */
const TOLERATED = 24 << 20;
const CHUNK = 65_536;

interface Load {
  connections: number;
  seconds: number;
  bytes: number;
}

/** What is soaked: ferronet, or for comparison node:net. */
let implementation: typeof net;

/** Connects, sends a message, waits for all of it and sends the next, until the time is up. */
async function echo(port: number, { connections, seconds, bytes }: Load): Promise<number> {
  const until = performance.now() + seconds * 1000;
  const message = Buffer.alloc(bytes, 'ferronet ');
  let trips = 0;
  const one = async (): Promise<void> => {
    const socket = implementation.connect({ port, host: '127.0.0.1', noDelay: true });
    let missing = bytes;
    socket.on('connect', () => socket.write(message));
    socket.on('data', (data: Buffer) => {
      missing -= data.length;
      if (missing > 0) return;
      missing = bytes;
      trips++;
      if (performance.now() < until) socket.write(message);
      else socket.end();
    });
    await once(socket, 'close');
  };
  await Promise.all(Array.from({ length: connections }, one));
  return trips;
}

/** Sends `chunks` chunks, each of other bytes, as fast as they are taken; gives the hash of what was sent. */
async function send(socket: net.Socket, chunks: number): Promise<string> {
  const hash = createHash('sha256');
  for (let n = 0; n < chunks; n++) {
    const chunk = Buffer.alloc(CHUNK, n);
    chunk.writeUInt32LE(n);
    hash.update(chunk);
    if (!socket.write(chunk)) await once(socket, 'drain');
  }
  socket.end();
  return hash.digest('hex');
}

async function receive(socket: net.Socket): Promise<string> {
  const hash: Hash = createHash('sha256');
  // Not by iteration, which destroys the socket at the end of what it reads, whatever it still has to send.
  socket.on('data', (chunk: Buffer) => hash.update(chunk));
  await once(socket, 'end');
  return hash.digest('hex');
}

/** Both ways at once over one connection. Returns whether the hashes are right. */
async function transfer(mebibytes: number): Promise<boolean> {
  const chunks = (mebibytes << 20) / CHUNK;
  const server = implementation.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const client = implementation.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const [accepted] = (await once(server, 'connection')) as [net.Socket];
  const [up, down, gotUp, gotDown] = await Promise.all([
    send(client, chunks),
    send(accepted, chunks),
    receive(accepted),
    receive(client),
  ]);
  server.close();
  return up === gotUp && down === gotDown;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '10' },
      seconds: { type: 'string', default: '2' },
      connections: { type: 'string', default: '64' },
      bytes: { type: 'string', default: '64' },
      mib: { type: 'string', default: '1024' },
      net: { type: 'string', default: 'ferronet' },
    },
  });
  implementation = require(values.net) as typeof net;
  const [rounds, mib] = [Number(values.rounds), Number(values.mib)];
  const load = {
    connections: Number(values.connections),
    seconds: Number(values.seconds),
    bytes: Number(values.bytes),
  };
  const server = implementation.createServer({ noDelay: true }, (socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;

  console.log(
    `${rounds} rounds: ${load.connections} connections x ${load.bytes} B for ${load.seconds} s, ${mib} MiB each way`,
  );
  const after: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const trips = await echo(port, load);
    const started = performance.now();
    if (!(await transfer(mib))) {
      console.error(`round ${round}: what arrived is not what was sent`);
      process.exitCode = 1;
      break;
    }
    const seconds = (performance.now() - started) / 1000;
    globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    after.push(rss);
    console.log(
      `round ${String(round).padStart(2)}: ${Math.round(trips / load.seconds)} round trips/s, ` +
        `${((2 * mib) / seconds).toFixed(0)} MiB/s, hashes equal, ${(rss / 2 ** 20).toFixed(1)} MiB resident, ` +
        `${((heapUsed + external) / 2 ** 20).toFixed(1)} MiB of it JavaScript's`,
    );
  }
  server.close();
  // Single figures jump with the allocator, and the first third warms pools and compiled code: the others are compared.
  const third = Math.max(1, Math.floor(after.length / 3));
  const middle = (some: number[]): number => some.toSorted((a, b) => a - b)[Math.floor(some.length / 2)] ?? 0;
  const grown = middle(after.slice(-third)) - middle(after.slice(third, 2 * third));
  console.log(`grown by ${(grown / 2 ** 20).toFixed(1)} MiB from the second third of the rounds to the last`);
  if (grown > TOLERATED) process.exitCode = 1;
}

void main();
