// Writes that no kernel takes at once: sent whole and in order, reported once, and in memory once for any number of peers.
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';

import test from 'ava';

import { both, closed, numbered, type Place } from './_helpers/both.js';
import { triedNames } from './_helpers/implementations.js';
import { takesWholeWrites } from './_helpers/platform.js';
import { runScript } from './_helpers/script.js';

const MANY = 8 << 20;

type Handle = {
  writeQueueSize: number;
  writeBuffer?: unknown;
  write?: (request: object, chunk: Uint8Array) => number;
  shutdown: (request: object) => number;
};
const handleOf = (socket: Socket): Handle => (socket as unknown as { _handle: Handle })._handle;

const sha = (bytes: Iterable<Uint8Array>): string => {
  const hash = createHash('sha256');
  for (const chunk of bytes) hash.update(chunk);
  return hash.digest('hex');
};

/** A pair whose accepted side does not read yet. */
function slowPair(place: Place): Promise<[Socket, Socket]> {
  return place.pair({ pauseOnConnect: true });
}

async function received(socket: Socket): Promise<string> {
  const hash = createHash('sha256');
  socket.on('data', (chunk: Buffer) => void hash.update(chunk));
  socket.resume();
  await closed(socket);
  return hash.digest('hex');
}

both('writes of all kinds behind a large one arrive in order, and are called back in order', async (t, place) => {
  const [client, accepted] = await slowPair(place);
  const bytes = numbered(MANY);
  const order: string[] = [];
  const note = (what: string) => (error?: Error | null) => void order.push(error ? `${what}: ${error.message}` : what);
  client.write(bytes, note('large'));
  client.cork();
  client.write('small', note('small'));
  client.write(bytes.subarray(1, 3 << 20), note('view'));
  client.write('', note('empty'));
  client.write('äöü'.repeat(100_000), note('string'));
  client.uncork();
  client.write('zz'.repeat(50_000), 'latin1', note('latin1'));
  client.write('ab'.repeat(50_000), 'utf16le', note('utf16le'));
  client.write('c2f2'.repeat(30_000), 'hex', note('hex'));
  client.end(bytes, note('end'));
  const parts = [
    bytes,
    Buffer.from('small'),
    bytes.subarray(1, 3 << 20),
    Buffer.from('äöü'.repeat(100_000)),
    Buffer.from('zz'.repeat(50_000), 'latin1'),
    Buffer.from('ab'.repeat(50_000), 'utf16le'),
    Buffer.from('c2f2'.repeat(30_000), 'hex'),
    bytes,
  ];
  t.is(await received(accepted), sha(parts));
  t.deepEqual(order, ['large', 'small', 'view', 'empty', 'string', 'latin1', 'utf16le', 'hex', 'end']);
  t.is(
    client.bytesWritten,
    parts.reduce((total, { length }) => total + length, 0),
  );
});

both('thousands of chunks in one cork, more than one system call takes', async (t, place) => {
  const [client, accepted] = await slowPair(place);
  const chunks = Array.from({ length: 5000 }, (_, n) => numbered(n % 7 === 0 ? 20_000 : n % 200));
  client.cork();
  for (const chunk of chunks) client.write(chunk);
  client.uncork();
  client.end();
  t.is(await received(accepted), sha(chunks));
});

both('what waits is counted until the peer has room for it', async (t, place) => {
  const [client, accepted] = await slowPair(place);
  client.write(Buffer.alloc(MANY, 'x'));
  if (takesWholeWrites) {
    t.pass('all of it is sent at once');
    return;
  }
  t.is(client.writableLength, MANY);
  // The kernel has the rest.
  t.true(handleOf(client).writeQueueSize > MANY / 4, String(handleOf(client).writeQueueSize));
  t.true(handleOf(client).writeQueueSize < MANY);
  client.end();
  await received(accepted);
  t.is(client.writableLength, 0);
});

both('destroy() cancels a large write in the middle', async (t, place) => {
  const [client, accepted] = await slowPair(place);
  if (takesWholeWrites) {
    t.pass('all of it is sent at once');
    return;
  }
  const told: unknown[] = [];
  client.on('error', (error: NodeJS.ErrnoException) => told.push(`error ${error.code}`));
  client.write(Buffer.alloc(MANY), (error) => told.push((error as NodeJS.ErrnoException | null)?.code));
  client.write('behind', (error) => told.push((error as NodeJS.ErrnoException | null)?.code));
  accepted.resume();
  accepted.once('data', () => client.destroy());
  await closed(client);
  t.is(told.length, 2, JSON.stringify(told));
  // Older Nodes call back without an error.
  if (place.isOurs) t.is(told[0], 'ECANCELED');
});

both(
  'a peer that resets in the middle of a large write: the error is the read’s, and each callback comes once',
  async (t, place) => {
    const [client, accepted] = await slowPair(place);
    const told: string[] = [];
    client.resume().on('end', () => told.push('end'));
    client.on('error', ({ code, syscall }: NodeJS.ErrnoException) => told.push(`${syscall} ${code}`));
    client.write(Buffer.alloc(MANY), () => told.push('first'));
    client.write('behind', () => told.push('second'));
    accepted.once('data', () => accepted.resetAndDestroy());
    accepted.resume();
    await closed(client);
    t.deepEqual(told.toSorted(), ['first', 'read ECONNRESET', 'second']);
  },
);

test('a handle sends FIN and small writes behind a large one', async (t) => {
  const { Place } = await import('./_helpers/both.js');
  const { ours } = await import('./_helpers/implementations.js');
  const place = new Place(ours);
  const [client, accepted] = await slowPair(place);
  const bytes = numbered(MANY);
  const order: string[] = [];
  const request = (what: string): object => ({ oncomplete: (status: number) => order.push(`${what} ${status}`) });
  const handle = handleOf(client);
  t.is(handle.write?.(request('large'), bytes), 0);
  t.is(handle.write?.(request('small'), Buffer.from('small')), 0);
  t.is(handle.shutdown(request('shutdown')), 0);
  const hash = createHash('sha256');
  accepted.on('data', (chunk: Buffer) => void hash.update(chunk));
  const ended = new Promise((resolve) => accepted.once('end', resolve));
  accepted.resume();
  await ended;
  t.is(hash.digest('hex'), sha([bytes, Buffer.from('small')]));
  if (!takesWholeWrites) t.deepEqual(order.slice(0, 2), ['large 0', 'small 0']);
  place.end();
});

// The growth of what the process has in memory, from /proc.
const growth = process.platform === 'linux' ? test : test.skip;
for (const name of triedNames) {
  growth(`one Buffer for a hundred peers that do not read is not copied for each: ${name}`, async (t) => {
    const peers = 100;
    const { stdout, stderr } = await runScript(`
      const net = require(${JSON.stringify(name)});
      const shared = Buffer.alloc(${MANY}, 1), sockets = [], peers = [];
      const server = net.createServer((socket) => {
        if (sockets.push(socket.on('error', () => {})) < ${peers}) return;
        const before = process.memoryUsage.rss();
        for (const each of sockets) each.write(shared);
        setImmediate(() => setImmediate(() => {
          console.log((process.memoryUsage.rss() - before) / 1048576);
          process.exit();
        }));
      }).listen(0, '127.0.0.1', () => {
        for (let n = 0; n < ${peers}; n++) {
          peers.push(require('node:net').connect(server.address().port, '127.0.0.1').on('error', () => {}).pause());
        }
      });`);
    // Two windows each, and what an allocator and V8 make of a busy moment; copied it would be 800.
    t.true(Number(stdout) < 80, `${stdout} MiB ${stderr}`);
  });
}
