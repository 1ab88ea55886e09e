// A listening server is transferred to another thread with its undelivered connections and its path.
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { AddressInfo, Server, ServerOpts, Socket } from 'node:net';
import { MessageChannel, Worker } from 'node:worker_threads';

import test from 'ava';

import { descriptors } from './_helpers/descriptors.js';
import { node, ours } from './_helpers/implementations.js';
import { freePath, listed, listening, moved, readAll, target, type Transport, until } from './_helpers/transfer.js';

// A pipe of Windows stays in its thread.
const transports: readonly Transport[] = process.platform === 'win32' ? ['tcp'] : ['tcp', 'unix'];
const onUnix = process.platform === 'win32' ? test.skip : test;
const onLinux = process.platform === 'linux' ? test.serial : test.skip;

for (const transport of transports) {
  test(`${transport}: connections that wait go along, in their order, and later ones find the new place`, async (t) => {
    const server = await listening(t, transport);
    server.on('connection', () => t.fail('not here'));
    const where = target(server) as { port: number };
    const clients = [1, 2, 3].map((n) => {
      const client = node.connect(where);
      client.end(String(n));
      return client;
    });
    // In the backlog, or taken from there by the reactor's thread: JavaScript has not looked since.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60);
    const there = moved(server);
    t.teardown(() => void there.close());
    const accepted: Socket[] = [];
    there.on('connection', (socket: Socket) => accepted.push(socket));
    await until('all have come', () => accepted.length === 3);
    clients.push(node.connect(where).end('4'));
    await until('the late one has come', () => accepted.length === 4);
    const texts = await Promise.all(accepted.map(async (socket) => String(await readAll(socket))));
    t.deepEqual(texts.sort(), ['1', '2', '3', '4']);
    for (const client of clients) client.destroy();
  });

  test(`${transport}: what is left does not listen, and what arrives has its address and settings`, async (t) => {
    const options = { allowHalfOpen: true, pauseOnConnect: true, noDelay: true, highWaterMark: 999 };
    const server = await listening(t, transport, options);
    server.maxConnections = 3;
    const address = server.address();
    let closed = false;
    server.on('close', () => (closed = true));
    const there = moved(server);
    t.teardown(() => void there.close());
    t.false(server.listening);
    t.is(server.address(), null);
    t.true(there.listening);
    t.deepEqual(there.address(), address);
    t.is(there.maxConnections, 3);
    await once(there, 'listening');
    const client = node.connect(target(there) as { port: number });
    const [socket] = (await once(there, 'connection')) as [Socket];
    t.deepEqual([socket.allowHalfOpen, socket.isPaused(), socket.readableHighWaterMark], [true, true, 999]);
    t.false(closed, 'as with node:net, nothing says so here');
    const error = await new Promise<Error | undefined>((resolve) => void server.close(resolve));
    t.is((error as NodeJS.ErrnoException).code, 'ERR_SERVER_NOT_RUNNING');
    for (const each of [client, socket]) each.destroy();
  });
}

test('a block list goes along', async (t) => {
  const blockList = new ours.BlockList();
  blockList.addAddress('127.0.0.1');
  const there = moved(await listening(t, 'tcp', { blockList } as ServerOpts));
  t.teardown(() => void there.close());
  there.on('connection', () => t.fail('it is blocked'));
  const client = node.connect(target(there) as { port: number });
  await once(client.on('error', () => {}).resume(), 'close');
  t.pass();
});

onUnix('a path goes when the server that has it now closes, or when its message is lost', async (t) => {
  const path = freePath(t);
  const server = ours.createServer().listen(path);
  await once(server, 'listening');
  const there = moved(server);
  t.true(existsSync(path));
  server.close();
  t.true(existsSync(path));
  there.close();
  t.false(existsSync(path));
  const again = ours.createServer().listen(path);
  await once(again, 'listening');
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(again, listed(again));
  t.true(existsSync(path));
  port2.close();
  await until('the path has gone', () => !existsSync(path));
});

// Serves in its own thread what it is sent, and sends the server on when it is asked to.
const serving = `
  require('ferronet');
  const { parentPort, threadId } = require('node:worker_threads');
  let server;
  const serve = (socket) => socket.end('worker ' + threadId);
  parentPort.on('message', (message) => {
    if (message !== 'back') {
      server = message.on('connection', serve);
      parentPort.postMessage(threadId);
    } else {
      server.removeListener('connection', serve);
      parentPort.postMessage(server, [server]);
    }
  });`;

onLinux('a server goes to a worker, to another one and back, while clients come', async (t) => {
  let server: Server = await listening(t, 'tcp');
  const before = descriptors();
  const workers = [0, 1].map(() => new Worker(serving, { eval: true }));
  const { port } = server.address() as AddressInfo;
  const answers = new Set<string>();
  let asked = 0;
  let stopped = false;
  const clients = Promise.all(
    [0, 1, 2, 3].map(async () => {
      while (!stopped) {
        answers.add(String(await readAll(node.connect(port, '127.0.0.1'))));
        asked += 1;
      }
    }),
  );
  const serve = (socket: Socket): void => void socket.end('main');
  for (let round = 0; round < 4; round++) {
    for (const worker of workers) {
      worker.postMessage(server, listed(server));
      await once(worker, 'message');
      const wanted = asked + 10;
      await until('clients were served', () => asked >= wanted);
      worker.postMessage('back');
      [server] = (await once(worker, 'message')) as [Server];
    }
    server.on('connection', serve);
    const wanted = asked + 10;
    await until('clients were served', () => asked >= wanted);
  }
  stopped = true;
  await clients;
  server.close();
  t.deepEqual([...answers].sort(), ['main', ...workers.map(({ threadId }) => `worker ${threadId}`)].sort());
  for (const worker of workers) await worker.terminate();
  await until('all is closed', () => descriptors() < before);
});
