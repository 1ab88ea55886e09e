// Where node:net transfers sockets and servers as well (from Node 24.21 on, bound ones in 26), the same script gives the same.
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { BroadcastChannel, Worker } from 'node:worker_threads';

import test, { type ExecutionContext } from 'ava';
import type { BoundSocket } from 'ferronet';

import { describeError } from './_helpers/describe.js';
import { type Net, node, ours } from './_helpers/implementations.js';
import { takesWholeWrites } from './_helpers/platform.js';
import { listed, listening, moved, pair, readAll, target } from './_helpers/transfer.js';

/** Whether node:net transfers objects of a class. */
function canNode(name: string): boolean {
  const found = (node as unknown as Record<string, { prototype: object } | undefined>)[name];
  const symbols = Object.getOwnPropertySymbols(found?.prototype ?? {});
  return symbols.some(({ description }) => description?.startsWith('messaging_'));
}

type Notes = unknown[];
type Scenario = (t: ExecutionContext, net: Net, notes: Notes) => Promise<void>;

const EVENTS = new Set(['data', 'end', 'finish', 'error', 'close', 'ready', 'connect', 'pause', 'resume', 'listening']);

function watch(who: string, emitter: Socket | Server, notes: Notes): void {
  const { emit } = emitter;
  emitter.emit = function (this: typeof emitter, name: string, ...args: unknown[]) {
    if (EVENTS.has(name)) notes.push([who, name, ...args.map((arg) => (Buffer.isBuffer(arg) ? String(arg) : arg))]);
    return Reflect.apply(emit, this, [name, ...args]) as boolean;
  } as never;
}

function state(socket: Socket): object {
  const { readyState, destroyed, connecting, pending, bytesRead, bytesWritten, remoteAddress, timeout } = socket;
  const { readableFlowing, allowHalfOpen, readableEnded, writableEnded, writableLength } = socket;
  const paused = socket.isPaused();
  const server = Boolean((socket as unknown as { server: unknown }).server);
  const addresses = { remoteAddress, local: socket.localAddress, family: socket.remoteFamily };
  const stream = { readableFlowing, allowHalfOpen, readableEnded, writableEnded, writableLength, paused };
  return { readyState, destroyed, connecting, pending, bytesRead, bytesWritten, timeout, server, addresses, stream };
}

function refusal(act: () => void): string {
  try {
    act();
    return 'not refused';
  } catch (error) {
    const { name, code } = error as NodeJS.ErrnoException;
    return `${name} ${code} ${describeError(error as Error)}`;
  }
}

const scenarios: Record<string, Scenario> = {
  async 'a socket that was just accepted'(t, net, notes) {
    const [client, socket] = await pair(t, 'tcp', { allowHalfOpen: true }, net);
    client.write('hi');
    watch('source', socket, notes);
    const there = moved(socket);
    watch('there', there, notes);
    notes.push(state(socket), state(there));
    socket.write('x', (error) => notes.push((error as NodeJS.ErrnoException).code));
    await once(socket, 'close');
    there.setTimeout(0);
    there.once('data', () => client.end());
    await once(there, 'end');
    notes.push(state(there));
    there.end('bye');
    notes.push(String(await readAll(client)));
    if (!there.closed) await once(there, 'close');
    notes.push(state(there));
  },
  async 'a server'(t, net, notes) {
    const options = { allowHalfOpen: true, pauseOnConnect: true, highWaterMark: 777 };
    const server = await listening(t, 'tcp', options, net);
    const where = target(server);
    watch('source', server, notes);
    const there = moved(server);
    watch('there', there, notes);
    notes.push(server.listening, there.listening, server.address());
    await once(there, 'listening');
    const client = node.connect(where as { port: number });
    const [socket] = (await once(there, 'connection')) as [Socket];
    const { port } = there.address() as { port: number };
    notes.push(
      state(socket).constructor === Object,
      socket.isPaused(),
      socket.readableHighWaterMark,
      port === socket.localPort,
    );
    notes.push((await new Promise<Error | undefined>((resolve) => void server.close(resolve)))?.message);
    for (const each of [client, socket]) each.destroy();
    there.close();
    await once(there, 'close');
  },
  async 'connections are counted where they were accepted'(t, net, notes) {
    const server = await listening(t, 'tcp', { pauseOnConnect: true }, net);
    const client = node.connect(target(server) as { port: number });
    const [socket] = (await once(server, 'connection')) as [Socket];
    const count = (): Promise<number> => new Promise((resolve) => void server.getConnections((_, n) => resolve(n)));
    notes.push(await count());
    const there = moved(socket);
    notes.push(await count());
    there.destroy();
    client.destroy();
  },
  async 'a bound socket'(_t, net, notes) {
    type Bound = BoundSocket & object;
    const { BoundSocket: Class } = net as unknown as { BoundSocket: typeof BoundSocket };
    const bound: Bound = new Class({ host: '127.0.0.1' });
    const address = bound.address();
    notes.push(refusal(() => structuredClone(bound)));
    const there = moved(bound);
    notes.push(there instanceof Class, JSON.stringify(there.address()) === JSON.stringify(address));
    notes.push(refusal(() => bound.address()));
    notes.push(refusal(() => moved(bound)));
    there.close();
    notes.push(refusal(() => moved(there)));
  },
  async refusals(t, net, notes) {
    const [, socket] = await pair(t, 'tcp', {}, net);
    const server = await listening(t, 'tcp', {}, net);
    const channel = new BroadcastChannel('parity');
    notes.push(refusal(() => structuredClone(socket)));
    notes.push(refusal(() => structuredClone({ server })));
    notes.push(refusal(() => channel.postMessage(socket)));
    notes.push(refusal(() => moved(new net.Socket())));
    notes.push(refusal(() => moved(new net.Server())));
    notes.push(refusal(() => moved(net.connect(target(server) as { port: number }).on('error', () => {}))));
    notes.push(refusal(() => structuredClone(socket, { transfer: listed(socket, socket) })));
    // Node refuses what has written anything at all.
    if (!takesWholeWrites) {
      socket.write(Buffer.alloc(16 << 20));
      notes.push(refusal(() => moved(socket)));
    }
    socket.destroy();
    notes.push(refusal(() => moved(socket)));
    notes.push(refusal(() => moved(server.close())));
    channel.close();
  },
  async 'through a worker'(t, net, notes) {
    const source = `
      const { parentPort, workerData } = require('node:worker_threads');
      const net = require(workerData);
      parentPort.on('message', ({ socket, server }) => {
        socket?.on('data', (data) => socket.end('worker: ' + data));
        server?.on('connection', (each) => each.end('served'));
        const { constructor } = socket ?? server;
        parentPort.postMessage({ name: constructor.name, ours: constructor === net[constructor.name] });
      });`;
    const worker = new Worker(source, { eval: true, workerData: net === node ? 'node:net' : 'ferronet' });
    const [client, socket] = await pair(t, 'tcp', {}, net);
    client.write('hello');
    worker.postMessage({ socket }, listed(socket));
    notes.push(await once(worker, 'message'), String(await readAll(client)));
    const server = await listening(t, 'tcp', {}, net);
    const where = target(server);
    worker.postMessage({ server }, listed(server));
    notes.push(await once(worker, 'message'), String(await readAll(node.connect(where as { port: number }))));
    await worker.terminate();
  },
};

for (const [name, scenario] of Object.entries(scenarios)) {
  (canNode(name === 'a bound socket' ? 'BoundSocket' : 'Socket') ? test : test.skip)(name, async (t) => {
    const [expected, got]: [Notes, Notes] = [[], []];
    await scenario(t, node, expected);
    await scenario(t, ours, got);
    t.deepEqual(got, expected);
  });
}
