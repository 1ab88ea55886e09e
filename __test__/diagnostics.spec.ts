// `ferronet/diagnostics`: numbers that a program can follow, and whether a pipe passes JavaScript by.
import { once } from 'node:events';
import { connect as connectNode, type Server, Socket as NodeSocket } from 'node:net';
import { PassThrough } from 'node:stream';
import { Worker } from 'node:worker_threads';

import test from 'ava';
import { createServer, type Socket } from 'ferronet';
import { isRelayed, stats, type Stats } from 'ferronet/diagnostics';

import { isNode } from './_helpers/implementations.js';
import { runScript } from './_helpers/script.js';

interface Open {
  server: Server;
  port: number;
}

async function listening(listener: (socket: Socket) => void): Promise<Open> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server: server as unknown as Server, port: (server.address() as { port: number }).port };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate);
}

const moved = (before: Stats, after: Stats): number[] => [
  after.bytes.received - before.bytes.received,
  after.bytes.sent - before.bytes.sent,
];

test.serial('connections, listeners and bytes of this thread', async (t) => {
  const before = stats();
  const { server, port } = await listening((socket) => socket.pipe(socket));
  t.is(stats().listeners, before.listeners + 1);
  const client = connectNode(port, '127.0.0.1');
  await once(server, 'connection');
  t.is(stats().connections, before.connections + 1);
  client.end('a'.repeat(1000));
  client.resume();
  await once(client, 'close');
  await until(() => stats().connections === before.connections);
  const after = stats();
  t.deepEqual(moved(before, after), [1000, 1000]);
  t.true(after.reactors >= 1 && after.threads >= 1);
  t.true(after.driving === 'loop' || after.driving === 'thread');
  t.true(after.readAhead.limit > 0 && after.readAhead.bytes <= after.readAhead.limit);
  server.close();
  await until(() => stats().listeners === before.listeners);
});

test.serial('a pipe between two sockets is relayed until a listener sees the data', async (t) => {
  const { server, port } = await listening((accepted) => {
    accepted.pipe(accepted);
    accepted.on('error', () => {});
  });
  const accepting = once(server, 'connection') as Promise<[Socket]>;
  const client = connectNode(port, '127.0.0.1').on('error', () => {});
  const [accepted] = await accepting;
  t.false(isRelayed(accepted));
  const before = stats();
  while (!isRelayed(accepted)) {
    client.write('x');
    await once(client, 'data');
  }
  t.is(stats().relays, before.relays + 1);
  client.write('y'.repeat(5000));
  let received = 0;
  client.on('data', (chunk: Buffer) => void (received += chunk.length));
  await until(() => received >= 5000);
  t.true(stats().bytes.relayed >= before.bytes.relayed + 5000);
  accepted.on('data', () => {});
  t.false(isRelayed(accepted));
  t.is(stats().relays, before.relays);
  client.destroy();
  accepted.destroy();
  server.close();
});

(isNode ? test.serial : test.skip)('all threads together, and what has ended stays counted', async (t) => {
  const before = stats({ all: true });
  const worker = new Worker(
    `const net = require('ferronet');
     const { stats } = require('ferronet/diagnostics');
     const server = net.createServer((socket) => socket.end('from a worker')).listen(0, '127.0.0.1', () => {
       net.connect(server.address().port, '127.0.0.1').resume().on('close', () => {
         require('node:worker_threads').parentPort.postMessage(stats());
         setInterval(() => {}, 1000);
       });
     });`,
    { eval: true },
  );
  const [inside] = (await once(worker, 'message')) as [Stats];
  t.is(inside.bytes.sent, 13);
  t.is(inside.reactors, 1);
  const during = stats({ all: true });
  t.is(during.listeners, before.listeners + 1);
  t.is(during.reactors, before.reactors + 1);
  await worker.terminate();
  const after = stats({ all: true });
  t.is(after.reactors, before.reactors);
  t.is(after.bytes.sent - before.bytes.sent, 13);
});

test('before the first socket, and with settings', async (t) => {
  const { stdout, stderr, code } = await runScript(
    `const { stats } = require('ferronet/diagnostics');
     const none = stats();
     require('ferronet').createServer().listen(0, function () {
       console.log(JSON.stringify([none, stats()]));
       this.close();
     });`,
    { env: { FERRONET_DRIVER: 'thread', FERRONET_THREADS: '3' } },
  );
  t.is(code, 0, stderr);
  const [none, one] = JSON.parse(stdout) as [Stats, Stats];
  t.deepEqual([none.driving, none.reactors, none.threads, none.driver], ['none', 0, 0, 'thread']);
  t.deepEqual([one.driving, one.reactors, one.threads, one.listeners], ['thread', 1, 3, 1]);
});

test('a driver that the program asks for before its first socket', async (t) => {
  const { stdout, stderr } = await runScript(
    `const { stats } = require('ferronet/diagnostics');
     const net = require('ferronet');
     process.env.FERRONET_DRIVER = 'thread';
     net.createServer().listen(0, function () {
       const { driver, driving } = stats();
       console.log(JSON.stringify([driver, driving]));
       this.close();
     });`,
  );
  t.deepEqual(JSON.parse(stdout || JSON.stringify(stderr)), ['thread', 'thread']);
});

/** Answers come in batches, of which all writes but the last wait for the end. */
const exchange = `
  const { once } = require('node:events');
  const { connect, createServer } = require('ferronet');
  const { stats } = require('ferronet/diagnostics');
  (async () => {
    const server = createServer((accepted) => {
      accepted.on('data', (chunk) => accepted.write(chunk)).on('error', () => {});
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    const clients = Array.from({ length: 20 }, () => connect(port, '127.0.0.1'));
    await Promise.all(clients.map((client) => once(client, 'connect')));
    for (let round = 0; round < 200 && stats().batches.writes === 0; round += 1) {
      for (const client of clients) client.write('x');
      await Promise.all(clients.map((client) => once(client, 'data')));
    }
    console.log(JSON.stringify(stats().batches));
    for (const client of clients) client.destroy();
    server.close();
  })();`;

for (const driver of ['auto', 'thread']) {
  // Bun and Deno have no batches: each event is delivered by itself.
  (isNode ? test : test.skip)(
    `batched writes, and the sends that they became: FERRONET_DRIVER=${driver}`,
    async (t) => {
      const { stdout, stderr } = await runScript(exchange, { env: { FERRONET_DRIVER: driver } });
      const { writes, sends } = JSON.parse(stdout || JSON.stringify(stderr)) as Stats['batches'];
      t.true(writes > 0, `${writes} writes`);
      t.true(sends > 0 && sends <= writes, `${sends} sends of ${writes} writes`);
    },
  );
}

test('what is no socket of ferronet', (t) => {
  t.false(isRelayed(new NodeSocket()));
  t.false(isRelayed(new PassThrough()));
  for (const wrong of [undefined, null, 1, {}, 'socket']) {
    t.throws(() => isRelayed(wrong as unknown as Socket), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  t.throws(() => stats({ all: 1 as unknown as boolean }), { code: 'ERR_INVALID_ARG_TYPE' });
});
