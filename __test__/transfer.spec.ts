// `postMessage(value, [socketOrServer])`: what is in the message, what stays behind, what is refused and what is lost.
import { createHook } from 'node:async_hooks';
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';

import test, { type ExecutionContext } from 'ava';
import { BoundSocket } from 'ferronet';

import { descriptors } from './_helpers/descriptors.js';
import { isNode, node, nodeMajor, ours } from './_helpers/implementations.js';
import { takesWholeWrites } from './_helpers/platform.js';
import { freePath, listed, listening, moved, pair, readAll, target, until } from './_helpers/transfer.js';

const onLinux = process.platform === 'linux' ? test.serial : test.skip;

test('it arrives from any place in a message, as the same object, beside all that can be transferred', async (t) => {
  const [client, socket] = await pair(t);
  const server = await listening(t, 'tcp');
  const bytes = new Uint8Array([1, 2, 3]);
  const channel = new MessageChannel();
  const { port1, port2 } = new MessageChannel();
  const message = { socket, list: [1, [socket, server]], map: new Map([[socket, server]]), set: new Set([socket]) };
  port1.postMessage(
    { message, bytes, port: channel.port2 },
    listed(socket, server, bytes.buffer, channel.port2) as never,
  );
  type Message = { message: typeof message; bytes: Uint8Array; port: typeof port1 };
  const got = (receiveMessageOnPort(port2) as { message: Message }).message;
  const { socket: there, list, map, set } = got.message;
  t.true(there instanceof ours.Socket);
  const [, [again, serverThere]] = list as [number, [Socket, Server]];
  t.true(serverThere instanceof ours.Server);
  t.is(again, there);
  t.is(map.get(there), serverThere);
  t.true(set.has(there));
  t.deepEqual([...got.bytes], [1, 2, 3]);
  t.is(bytes.length, 0);
  client.end('hello');
  t.is(String(await readAll(there)), 'hello');
  t.true(serverThere.listening);
  serverThere.close();
  for (const port of [port1, channel.port1]) port.close();
});

test('what is left is destroyed at once, and closes without an end or an error', async (t) => {
  const [client, socket] = await pair(t);
  client.end('bytes for the other side');
  const told: unknown[] = [];
  for (const name of ['data', 'end', 'error', 'close']) socket.on(name, (...values) => told.push([name, ...values]));
  const there = moved(socket);
  t.true(socket.destroyed);
  const closed = once(socket, 'close');
  const [error] = await new Promise<unknown[]>((resolve) => void socket.write('x', (...all) => resolve(all)));
  t.is((error as NodeJS.ErrnoException).code, 'ERR_STREAM_DESTROYED');
  await closed;
  t.deepEqual(told, [['close']]);
  t.is(String(await readAll(there)), 'bytes for the other side');
});

test('settings go along', async (t) => {
  const options = { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 5000 };
  const [, socket] = await pair(t, 'tcp', { ...options, highWaterMark: 1234 });
  const { remotePort, localPort } = socket;
  const there = moved(socket);
  t.teardown(() => void there.destroy());
  t.true(there.allowHalfOpen);
  t.deepEqual([there.readableHighWaterMark, there.writableHighWaterMark], [1234, 1234]);
  t.deepEqual([there.remotePort, there.localPort], [remotePort, localPort]);
  t.is(there.readableFlowing, null);
  t.false(there.destroyed || there.connecting || there.pending);
});

test('a subclass arrives as a socket', async (t) => {
  class Mine extends ours.Socket {}
  const server = await listening(t, 'tcp', { pauseOnConnect: true });
  const mine = new Mine().connect(target(server) as { port: number });
  t.teardown(() => void mine.destroy());
  const [[peer]] = (await Promise.all([once(server, 'connection'), once(mine, 'connect')])) as [[Socket], unknown];
  const there = moved(mine);
  t.is(there.constructor, ours.Socket);
  there.end('mine');
  t.is(String(await readAll(peer)), 'mine');
});

test('a bound socket keeps its address, and a path', async (t) => {
  for (const options of [{ host: '127.0.0.1' }, { path: freePath(t) }]) {
    const bound = new BoundSocket(options);
    const address = bound.address();
    const there = moved(bound);
    t.throws(() => bound.address(), { code: 'ERR_SOCKET_HANDLE_ADOPTED' });
    t.is(
      refusal(() => moved(bound)),
      NOT_NOW,
    );
    t.true(there instanceof BoundSocket);
    t.deepEqual(there.address(), address);
    const server = ours.createServer((socket) => void socket.end('served')).listen(there as never);
    t.deepEqual(server.address(), address);
    t.is(String(await readAll(node.connect(target(server) as { port: number }))), 'served');
    server.close();
  }
});

// ---- refusals

const NOT_NOW = 'ERR_WORKER_HANDLE_NOT_TRANSFERABLE';

function refusal(act: () => void): unknown {
  try {
    act();
    return 'not refused';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

async function works(t: ExecutionContext, client: Socket, socket: Socket): Promise<void> {
  client.end('still here');
  t.is(String(await readAll(socket)), 'still here');
}

test('what has no connection, or none yet, is refused', async (t) => {
  t.is(
    refusal(() => moved(new ours.Socket())),
    NOT_NOW,
  );
  t.is(
    refusal(() => moved(new ours.Server())),
    NOT_NOW,
  );
  const server = await listening(t, 'tcp');
  const socket = ours.connect(target(server) as { port: number });
  t.is(
    refusal(() => moved(socket)),
    NOT_NOW,
  );
  const [[peer]] = (await Promise.all([once(server, 'connection'), once(socket, 'connect')])) as [[Socket], unknown];
  await works(t, peer, socket);
  t.is(
    refusal(() => moved(socket.destroy())),
    NOT_NOW,
  );
  const closed = await listening(t, 'tcp');
  t.is(
    refusal(() => moved(closed.close())),
    NOT_NOW,
  );
});

test('without the list it cannot be cloned, and stays what it is', async (t) => {
  const [client, socket] = await pair(t);
  const server = await listening(t, 'tcp');
  using bound = new BoundSocket({ host: '127.0.0.1' });
  for (const value of [socket, server, bound]) {
    const error = t.throws(() => structuredClone({ value }), { any: true } as never) as unknown as DOMException;
    t.is(error.message, 'Object that needs transfer was found in message but not listed in transferList');
    if (nodeMajor >= 22) t.deepEqual([error.name, error.code], ['DataCloneError', 25]);
  }
  t.true(server.listening);
  await works(t, client, socket);
});

test('a worker that starts cannot take one in its workerData, and is not started', async (t) => {
  const [client, socket] = await pair(t);
  const options = { eval: true, workerData: { socket }, transferList: listed(socket) };
  const error = t.throws(() => new Worker('', options), { code: NOT_NOW });
  t.regex(String(error?.message), /workerData/);
  // Whatever a program makes of stacks.
  const { prepareStackTrace, stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  t.throws(() => new Worker('', options), { code: NOT_NOW });
  Error.stackTraceLimit = stackTraceLimit;
  Error.prepareStackTrace = () => 'at some place';
  t.throws(() => new (class Thread extends Worker {})('', options), { code: NOT_NOW });
  t.is(new Error('this one').stack, 'at some place');
  Error.prepareStackTrace = prepareStackTrace;
  await works(t, client, socket);
});

(takesWholeWrites ? test.skip : test)('writes that the kernel has not taken are refused, and arrive', async (t) => {
  const [client, socket] = await pair(t);
  const bytes = Buffer.alloc(16 << 20, 'w');
  socket.write(bytes);
  t.is(
    refusal(() => moved(socket)),
    NOT_NOW,
  );
  socket.end();
  t.is(
    refusal(() => moved(socket)),
    NOT_NOW,
  );
  t.true(bytes.equals(await readAll(client)));
});

test('received text that cannot be encoded back into its bytes is refused, and can be read', async (t) => {
  const [client, socket] = await pair(t);
  socket.setEncoding('utf8');
  client.write(Buffer.from([0x61, 0xff]));
  await once(socket, 'readable');
  const error = t.throws(() => moved(socket), { code: NOT_NOW });
  t.regex(String(error?.message), /what was read as utf8 cannot be given back/);
  client.end();
  const text: string[] = [];
  for await (const part of socket) text.push(String(part));
  t.is(text.join(''), 'a\ufffd');
});

test('what has ended on both sides is refused', async (t) => {
  const [client, socket] = await pair(t, 'tcp', { allowHalfOpen: true });
  client.end();
  socket.resume().end();
  await once(socket, 'end');
  t.is(
    refusal(() => moved(socket)),
    NOT_NOW,
  );
});

test('nothing is given away for a message that cannot be sent', async (t) => {
  const [client, socket] = await pair(t);
  const [otherClient, other] = await pair(t);
  t.throws(() => structuredClone({ socket, f() {} }, { transfer: listed(socket) }), { any: true } as never);
  const unsent = new ours.Socket();
  t.is(
    refusal(() => structuredClone([socket, unsent], { transfer: listed(socket, unsent) })),
    NOT_NOW,
  );
  t.throws(() => structuredClone(socket, { transfer: listed(socket, socket) }), { any: true } as never);
  await works(t, client, socket);
  const there = moved(other);
  t.is(
    refusal(() => moved(other)),
    NOT_NOW,
  );
  await works(t, otherClient, there);
});

test.serial('no message port is left of messages, sent or not', async (t) => {
  const ports = new Set<number>();
  const hook = createHook({
    init: (id, type) => void (type === 'MESSAGEPORT' && ports.add(id)),
    destroy: (id) => void ports.delete(id),
  }).enable();
  const [, socket] = await pair(t);
  for (let n = 0; n < 10; n++) {
    t.throws(() => structuredClone({ socket, f() {} }, { transfer: listed(socket) }), { any: true } as never);
  }
  moved(socket).destroy();
  await until('all are closed', () => ports.size === 0);
  hook.disable();
  t.pass();
});

// ---- lost messages

onLinux('what a lost message has carried is closed', async (t) => {
  const lose: Record<string, (socket: Socket) => Promise<void>> = {
    async 'to a port that was closed'(socket) {
      const { port1, port2 } = new MessageChannel();
      port2.close();
      await once(port1, 'close');
      port1.postMessage(socket, listed(socket));
    },
    async 'in a port that is closed unread'(socket) {
      const { port1, port2 } = new MessageChannel();
      port1.postMessage(socket, listed(socket));
      port2.close();
    },
    async 'to a worker that is terminated first'(socket) {
      const worker = new Worker('for (;;);', { eval: true });
      await once(worker, 'online');
      worker.postMessage(socket, listed(socket));
      await worker.terminate();
    },
    async 'to a worker that has not loaded the package'(socket) {
      const source = `const { parentPort } = require('node:worker_threads');
        parentPort.on('message', () => {}).on('messageerror', (error) => parentPort.postMessage(error.message));`;
      const worker = new Worker(source, { eval: true });
      worker.postMessage(socket, listed(socket));
      const [message] = (await once(worker, 'message')) as [string];
      t.regex(message, /ferronet/);
      await worker.terminate();
    },
  };
  for (const [how, act] of Object.entries(lose)) {
    const [client, socket] = await pair(t);
    const before = descriptors();
    await act(socket);
    t.true(socket.destroyed, how);
    await readAll(client.resume()).catch(() => {});
    await until(`closed: ${how}`, () => descriptors() < before);
  }
  t.pass();
});

onLinux('200 sockets go to a worker and close there, and no descriptor is left', async (t) => {
  const source = `require('ferronet');
    require('node:worker_threads').parentPort.on('message', (socket) => socket.end('from the worker').resume());`;
  const worker = new Worker(source, { eval: true });
  await once(worker, 'online');
  const server = await listening(t, 'tcp', { pauseOnConnect: true });
  server.on('connection', (socket: Socket) => worker.postMessage(socket, listed(socket)));
  const talk = async (): Promise<void> => {
    const client = node.connect(target(server) as { port: number });
    t.is(String(await readAll(client)), 'from the worker');
  };
  await talk();
  await until('the first has closed', () => server.listening);
  const before = descriptors();
  for (let i = 0; i < 20; i++) await Promise.all(Array.from({ length: 10 }, talk));
  await until('all have closed', () => descriptors() <= before);
  t.is(await new Promise((resolve) => void server.getConnections((_, count) => resolve(count))), 0);
  await worker.terminate();
});

test('a worker that sends a socket and ends: it arrives all the same', async (t) => {
  const server = await listening(t, 'tcp', {}, node);
  server.on('connection', (socket) => void socket.pipe(socket));
  const source = `const { parentPort, workerData } = require('node:worker_threads');
    const socket = require('ferronet').connect(workerData);
    socket.on('connect', () => { parentPort.postMessage(socket, [socket]); process.exit(); });`;
  const worker = new Worker(source, { eval: true, workerData: target(server) });
  const [[socket]] = (await Promise.all([once(worker, 'message'), once(worker, 'exit')])) as [[Socket], unknown];
  t.is(socket.constructor, ours.Socket);
  socket.end('around');
  t.is(String(await readAll(socket)), 'around');
});

test('stack traces name the class of a socket; on Node 20 that which makes it transferable', (t) => {
  const socket = new ours.Socket();
  let stack = '';
  socket.on('asked', () => (stack = String(new Error().stack)));
  socket.emit('asked');
  t.regex(stack, nodeMajor < 22 && isNode ? /at JSTransferable\.emit/ : /at Socket\.emit/);
});
