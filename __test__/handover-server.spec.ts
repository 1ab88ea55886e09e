// Listening sockets are handed over from node:net to ferronet and back, with the connections in their backlog and their path.
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import test, { type ExecutionContext } from 'ava';

import type * as handover from 'ferronet/handover';

import { type Net, node, ours } from './_helpers/implementations.js';
import { ask } from './_helpers/http-front.js';
import { runScript } from './_helpers/script.js';

const { adopt, release } = require('ferronet/handover') as typeof handover;

type Move = (server: Server, options?: handover.HandoverOptions) => Server;

interface Direction {
  name: string;
  from: Net;
  to: Net;
  move: Move;
}

const directions: Direction[] = [
  { name: 'adopt', from: node, to: ours, move: adopt as unknown as Move },
  { name: 'release', from: ours, to: node, move: release as unknown as Move },
];

const onUnix = process.platform === 'win32' ? test.skip : test;

function each(title: string, run: (t: ExecutionContext, direction: Direction) => Promise<void>): void {
  for (const direction of directions) onUnix(`${direction.name}: ${title}`, (t) => run(t, direction));
}

const serve =
  (by: string) =>
  (socket: Socket): void =>
    void socket.end(`served by ${by}`);

function folder(t: ExecutionContext): string {
  const made = mkdtempSync(join(tmpdir(), 'ferronet-handover-'));
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

for (const client of [node, ours]) {
  const whose = client === ours ? 'ferronet' : 'node:net';

  each(`those who wait for ${whose} clients in the backlog are not lost`, async (t, { from, to, move }) => {
    const first = from.createServer(serve('the first')).listen(0, '127.0.0.1');
    await once(first, 'listening');
    const { port } = first.address() as AddressInfo;
    const answers = Array.from({ length: 20 }, () => text(client.connect(port, '127.0.0.1')));
    const closed = once(first, 'close');
    // Each connect is one system call in the next tick, and has completed. No event was delivered yet.
    const second = await new Promise<Server>((resolve) =>
      process.nextTick(() => process.nextTick(() => resolve(move(first).on('connection', serve('the second'))))),
    );
    t.true(second instanceof to.Server);
    t.true(second.listening);
    t.false(first.listening);
    await closed;
    t.deepEqual(second.address(), { address: '127.0.0.1', family: 'IPv4', port });
    t.deepEqual(
      await Promise.all(answers),
      answers.map(() => 'served by the second'),
    );
    t.is(await text(client.connect(port, '127.0.0.1')), 'served by the second');
    await close(second);
  });
}

each('connections that were accepted stay', async (t, { from, move }) => {
  const first = from.createServer().listen(0, '127.0.0.1');
  await once(first, 'listening');
  const client = node.connect((first.address() as AddressInfo).port, '127.0.0.1').setEncoding('utf8');
  const [accepted] = (await once(first, 'connection')) as [Socket];
  const second = move(first);
  await close(second);
  t.is(first.listenerCount('connection'), 0);
  const closed = once(first, 'close');
  accepted.end('still here');
  t.is((await once(client, 'data'))[0], 'still here');
  client.end();
  await closed;
});

each('the path of a local server stays, and goes with the next owner', async (t, { from, move }) => {
  const place = folder(t);
  const path = join(place, 'socket');
  const first = from.createServer(serve('the first')).listen(path);
  await once(first, 'listening');
  const second = move(first).on('connection', serve('the second'));
  t.deepEqual(readdirSync(place), ['socket']);
  t.is(second.address(), path);
  t.is(await text(node.connect(path)), 'served by the second');
  second.close();
  t.false(existsSync(path));
});

onUnix('there and back again: the path goes with the last', async (t) => {
  const path = join(folder(t), 'socket');
  let server: Server = node.createServer().listen(path);
  await once(server, 'listening');
  for (let i = 0; i < 6; i++) {
    server = (directions[i % 2] as Direction).move(server);
    t.true(existsSync(path));
  }
  server.on('connection', serve('the last'));
  t.is(await text(ours.connect(path) as unknown as Socket), 'served by the last');
  server.close();
  t.false(existsSync(path));
});

each('a path that was moved away is not removed', async (t, { from, move }) => {
  const place = folder(t);
  const first = from.createServer().listen(join(place, 'socket'));
  await once(first, 'listening');
  rmSync(join(place, 'socket'));
  const second = move(first);
  t.true(second.listening);
  t.deepEqual(readdirSync(place), []);
  await close(second);
});

each('the settings', async (t, { from, move }) => {
  const options = { allowHalfOpen: true, pauseOnConnect: true, noDelay: true, keepAlive: true };
  const server = from.createServer({ ...options, keepAliveInitialDelay: 5000, highWaterMark: 999 }).unref();
  server.maxConnections = 7;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const kept = (each: Server): unknown => {
    const names = [...Object.keys(options), 'keepAliveInitialDelay', 'highWaterMark', 'maxConnections', '_unref'];
    return names.map((name) => Reflect.get(each, name) as unknown);
  };
  const second = move(server, { backlog: 3 });
  t.deepEqual(kept(second), kept(server));
  const client = node.connect((second.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(second, 'connection')) as [Socket];
  t.deepEqual([accepted.allowHalfOpen, accepted.isPaused(), accepted.readableHighWaterMark], [true, true, 999]);
  client.destroy();
  accepted.destroy();
  await close(second);
});

each('a server that does not listen', async (t, { from, move }) => {
  const server = from.createServer();
  t.throws(() => move(server), { code: 'ERR_SERVER_NOT_RUNNING' });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await close(server);
  t.throws(() => move(server), { code: 'ERR_SERVER_NOT_RUNNING' });
});

onUnix('an http.Server that listens gets its connections from a ferronet server', async (t) => {
  const server = http.createServer((_request, response) => response.end('well')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const front = adopt(server).on('connection', (socket) => server.emit('connection', socket));
  const { port } = front.address() as AddressInfo;
  const { status, body } = await ask({ port, agent: false });
  t.deepEqual([status, body], [200, 'well']);
  front.close();
});

onUnix('the process ends when what it has handed over is unreferenced', async (t) => {
  const { code, stdout, stderr } = await runScript(
    `const net = require('node:net');
     const { adopt, release } = require('ferronet/handover');
     const server = net.createServer().listen(0, '127.0.0.1', () => {
       release(adopt(server).unref());
       console.log('handed over');
     });`,
  );
  t.deepEqual([code, stdout, stderr], [0, 'handed over\n', '']);
});

onUnix('release: connections that the reactor has accepted while JavaScript was busy', async (t) => {
  const { code, stdout, stderr } = await runScript(
    `process.env.FERRONET_DRIVER = 'thread';
     const net = require('ferronet');
     const { release } = require('ferronet/handover');
     const nodeNet = require('node:net');
     const first = net.createServer(() => console.log('the first got one')).listen(0, '127.0.0.1', () => {
       let heard = 0;
       for (let i = 0; i < 10; i++) {
         nodeNet.connect(first.address().port, '127.0.0.1').on('data', (text) => {
           if (++heard === 10) console.log('all ' + text);
         });
       }
       process.nextTick(() => process.nextTick(() => {
         // The reactor's thread accepts meanwhile.
         Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
         const second = release(first);
         let served = 0;
         second.on('connection', (socket) => {
           socket.end('served');
           if (++served === 10) second.close();
         });
       }));
     });`,
  );
  t.deepEqual([code, stdout, stderr], [0, 'all served\n', '']);
});

onUnix('the path of a released server stays when the process ends with it unreferenced', async (t) => {
  for (const [change, left] of [
    ['server', false],
    ['release(server)', true],
  ] as const) {
    const path = join(folder(t), 'socket');
    const { code, stderr } = await runScript(
      `const { release } = require('ferronet/handover');
       const server = require('ferronet').createServer().listen(${JSON.stringify(path)}, () => ${change}.unref());`,
    );
    t.deepEqual([code, stderr, existsSync(path)], [0, '', left]);
  }
});
