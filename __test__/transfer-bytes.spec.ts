// What was received and not taken goes along with a socket, wherever it waits, and what was written is not lost.
import { once } from 'node:events';
import type { Socket } from 'node:net';

import test, { type ExecutionContext } from 'ava';

import { relays, untilRelays } from './_helpers/between.js';
import { node, ours } from './_helpers/implementations.js';
import { listening, moved, pair, pattern, readAll, target, type Transport } from './_helpers/transfer.js';

// A pipe of Windows stays in its thread.
const transports: readonly Transport[] = process.platform === 'win32' ? ['tcp'] : ['tcp', 'unix'];

/** Takes `length` bytes of what arrives, and leaves what comes behind them in the stream. */
async function take(socket: Socket, length: number): Promise<Buffer> {
  for (;;) {
    const chunk = socket.read(length) as Buffer | null;
    if (chunk !== null) return chunk;
    await new Promise(setImmediate);
  }
}

/** JavaScript stands still, so that the reactor's thread reads ahead. */
function standStill(msecs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, msecs);
}

/** Brings a socket to where some of `bytes` was received; answers what was taken of them. */
type Stage = (client: Socket, socket: Socket, bytes: Buffer) => Promise<Buffer>;

const NOTHING = Buffer.alloc(0);

const stages: Record<string, Stage> = {
  async 'in the kernel'(client, _socket, bytes) {
    client.write(bytes);
    await new Promise(setImmediate);
    return NOTHING;
  },
  async 'in the reactor'(client, socket, bytes) {
    socket.read(0);
    client.write(bytes);
    standStill(60);
    return NOTHING;
  },
  async 'in the stream'(client, socket, bytes) {
    client.write(bytes);
    await once(socket, 'readable');
    return NOTHING;
  },
  async 'everywhere, and some was read'(client, socket, bytes) {
    client.write(bytes);
    const taken = await take(socket, 100_001);
    standStill(60);
    return taken;
  },
  async 'put back by unshift'(client, socket, bytes) {
    client.write(bytes);
    const taken = await take(socket, 1000);
    socket.unshift(taken.subarray(600));
    socket.unshift(taken.subarray(500, 600));
    return taken.subarray(0, 500);
  },
  async 'flowing, then paused'(client, socket, bytes) {
    client.write(bytes);
    const taken: Buffer[] = [];
    await new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        taken.push(chunk);
        socket.pause();
        resolve();
      });
      socket.resume();
    });
    return Buffer.concat(taken);
  },
  async 'about to flow'(client, socket, bytes) {
    client.write(bytes);
    await once(socket, 'readable');
    socket.removeAllListeners('readable');
    await new Promise(setImmediate);
    socket.on('data', () => {
      throw new Error('what goes along is not told here');
    });
    return NOTHING;
  },
  async 'decoded, in the middle of a character'(client, socket, bytes) {
    socket.setEncoding('hex');
    client.write(bytes);
    await once(socket, 'readable');
    return NOTHING;
  },
};

for (const transport of transports) {
  for (const [where, bring] of Object.entries(stages)) {
    test(`${transport}: bytes that wait ${where}`, async (t) => {
      const [client, socket] = await pair(t, transport);
      const bytes = pattern(400_000);
      const taken = await bring(client, socket, bytes);
      const there = moved(socket);
      client.end(' and more');
      const all = Buffer.concat([taken, await readAll(there)]);
      t.is(all.length, bytes.length + 9);
      t.true(all.equals(Buffer.concat([bytes, Buffer.from(' and more')])));
      t.is(there.bytesRead, all.length);
    });
  }

  test(`${transport}: back and forth a hundred times while bytes arrive`, async (t) => {
    const [client, socket] = await pair(t, transport);
    const bytes = pattern(1_000_000);
    client.end(bytes);
    const got: Buffer[] = [];
    let here = socket;
    for (let n = 0; n < 100; n++) {
      here = moved(here);
      if (n % 3 !== 0) got.push(await take(here, 1 + n * 37));
    }
    got.push(await readAll(here));
    t.true(Buffer.concat(got).equals(bytes));
  });
}

test('the first half of a character goes along', async (t) => {
  const [client, socket] = await pair(t);
  socket.setEncoding('utf8');
  client.write(Buffer.from('aé').subarray(0, 2));
  await once(socket, 'readable');
  t.is(socket.read(), 'a');
  const there = moved(socket);
  client.end(Buffer.from('é').subarray(1));
  t.is(String(await readAll(there)), 'é');
});

test('what waits for the memory of an onread goes along', async (t) => {
  const server = await listening(t, 'tcp', {}, node);
  const told: number[] = [];
  const buffer = Buffer.alloc(4);
  const socket = ours.connect({
    ...(target(server) as { port: number }),
    onread: { buffer, callback: (length) => told.push(length) < 1 },
  });
  const [[peer]] = (await Promise.all([once(server, 'connection'), once(socket, 'connect')])) as [[Socket], unknown];
  peer.end('0123456789');
  while (told.length === 0) await new Promise(setImmediate);
  const there = moved(socket);
  t.is(String(await readAll(there)), '456789');
  t.deepEqual(told, [4]);
});

// ---- the ends

async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await once(socket, 'close');
}

async function ended(t: ExecutionContext, allowHalfOpen: boolean): Promise<[Socket, Socket]> {
  const [client, socket] = await pair(t, 'tcp', { allowHalfOpen });
  client.end('last words');
  return [client, socket];
}

test('the peer has ended, and the end was read with bytes that were not taken', async (t) => {
  const [client, socket] = await ended(t, true);
  socket.on('readable', () => {});
  while (!(socket as unknown as { _readableState: { ended: boolean } })._readableState.ended) {
    await new Promise(setImmediate);
  }
  const there = moved(socket);
  t.is(String(await readAll(there)), 'last words');
  there.end('answer');
  t.is(String(await readAll(client)), 'answer');
  await closed(there);
});

test('the peer has ended, and `end` was emitted', async (t) => {
  const [client, socket] = await ended(t, true);
  await once(socket.resume(), 'end');
  const there = moved(socket);
  t.false(there.readable);
  t.is(there.readyState, 'writeOnly');
  there.end('answer');
  t.is(String(await readAll(client)), 'answer');
  await closed(there);
});

test('this side has ended', async (t) => {
  const [client, socket] = await pair(t, 'tcp', { allowHalfOpen: true });
  socket.end('greeting');
  await once(socket, 'finish');
  const there = moved(socket);
  t.is(there.readyState, 'readOnly');
  t.is(String(await readAll(client)), 'greeting');
  client.end('answer');
  t.is(String(await readAll(there)), 'answer');
  await closed(there);
});

test('a socket that does not stay half open ends when the peer has, after the transfer', async (t) => {
  const [client, socket] = await ended(t, false);
  const there = moved(socket);
  t.is(String(await readAll(there)), 'last words');
  t.is(String(await readAll(client)), '');
});

// ---- what was written

test('what was written before goes out before what the other side writes', async (t) => {
  const [client, socket] = await pair(t);
  client.write('go');
  const there = await new Promise<Socket>((resolve, reject) => {
    socket.on('data', () => {
      try {
        // Batched, and reported as written.
        for (const word of ['one ', 'two ', 'three ']) socket.write(word);
        const gone = moved(socket);
        gone.end('four');
        resolve(gone);
      } catch (error) {
        reject(error as Error);
      }
    });
    socket.resume();
  });
  t.is(String(await readAll(client)), 'one two three four');
  there.destroy();
});

// ---- native relays

test.serial('a relay into a socket ends when it is transferred; nothing is lost, and the source goes on', async (t) => {
  const [feeder, source] = await pair(t);
  const [client, destination] = await pair(t);
  source.on('error', () => {});
  source.pipe(destination);
  const got: Buffer[] = [];
  client.on('data', (chunk: Buffer) => got.push(chunk));
  for (let n = 0; n < 20 && relays() === 0; n++) {
    feeder.write(`${n} `);
    await new Promise((resolve) => void setTimeout(resolve, 5));
  }
  await untilRelays(ours, 1);
  feeder.write('relayed ');
  while (!String(Buffer.concat(got)).endsWith('relayed ')) await once(client, 'data');
  source.unpipe(destination);
  const there = moved(destination);
  t.is(relays(), 0);
  there.write('from there ');
  source.pipe(there);
  feeder.end('to the end');
  await once(client, 'end');
  t.regex(String(Buffer.concat(got)), /^0 1 .*relayed from there to the end$/);
});

test.serial('a relay out of a socket ends when it is transferred', async (t) => {
  const [feeder, source] = await pair(t);
  const [client, destination] = await pair(t);
  source.pipe(destination);
  const got: Buffer[] = [];
  client.on('data', (chunk: Buffer) => got.push(chunk));
  for (let n = 0; n < 20 && relays() === 0; n++) {
    feeder.write(`${n} `);
    await new Promise((resolve) => void setTimeout(resolve, 5));
  }
  await untilRelays(ours, 1);
  const bytes = pattern(16_000_000);
  feeder.write(bytes);
  await once(client, 'data');
  const there = moved(source);
  t.is(relays(), 0);
  feeder.end();
  const rest = await readAll(there);
  destination.end();
  await once(client, 'end');
  const all = Buffer.concat([...got, rest]);
  t.true(all.subarray(all.length - bytes.length).equals(bytes));
});
