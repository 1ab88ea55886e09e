// Quirks of node:net that are mended here: each is a line of docs/DIVERGENCES.md.
import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';

import test from 'ava';

import { ours } from './_helpers/implementations.js';
import { Stage } from './_helpers/stage.js';

async function listening(server: Server = ours.createServer()): Promise<Server> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

test('a server on a path has no address once it is closed', async (t) => {
  const stage = await Stage.open(ours);
  const server = ours.createServer().listen(stage.path('s'));
  await once(server, 'listening');
  t.is(server.address(), stage.path('s'));
  server.close();
  t.is(server.address(), null);
  await stage.close();
});

test('the high water mark of a socket is 64 KiB on every Node', (t) => {
  const socket = new ours.Socket();
  t.is(socket.readableHighWaterMark, 65_536);
  t.is(socket.writableHighWaterMark, 65_536);
});

test('a method of a subclass survives connect()', async (t) => {
  const server = await listening(ours.createServer((socket) => socket.resume()));
  const written: unknown[] = [];
  class Spy extends ours.Socket {
    override write(...args: unknown[]): boolean {
      written.push(args[0]);
      return super.write(...(args as [string]));
    }
  }
  const socket = new Spy().connect(portOf(server), '127.0.0.1');
  await once(socket, 'connect');
  socket.write('seen');
  t.deepEqual(written, ['seen']);
  socket.destroy();
  server.close();
});

test('wrong arguments of connect() change nothing', async (t) => {
  const server = await listening();
  const socket = new ours.Socket();
  t.throws(() => socket.connect({ port: 70_000 }), { code: 'ERR_SOCKET_BAD_PORT' });
  t.false(socket.connecting);
  socket.connect(portOf(server), '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
  server.close();
});

test('connect() to an empty path throws', (t) => {
  const socket = new ours.Socket();
  t.throws(() => socket.connect({ path: '' }), { code: 'ERR_MISSING_ARGS' });
  t.false(socket.connecting);
});

test('a listen() that throws registers no callback', async (t) => {
  const server = ours.createServer();
  t.throws(() => server.listen({} as never, () => t.fail('called')), { code: 'ERR_INVALID_ARG_VALUE' });
  await listening(server);
  server.close();
  await once(server, 'close');
});

test('close() ends a listen() that looks its host up, whatever is listened to next', async (t) => {
  const server = ours.createServer();
  server.listen(0, 'localhost');
  server.close();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.is((server.address() as AddressInfo).address, '127.0.0.1');
  let again = false;
  server.on('listening', () => (again = true));
  await new Promise((resolve) => setImmediate(resolve));
  t.false(again);
  server.close();
});

test('a server counts an accepted socket once, even if it is connected and destroyed again', async (t) => {
  const server = await listening();
  const count = (): Promise<number> => new Promise((done) => server.getConnections((_error, n) => done(n)));
  const clients = [ours.connect(portOf(server), '127.0.0.1'), ours.connect(portOf(server), '127.0.0.1')];
  const accepted: Socket[] = [];
  while (accepted.length < 2) accepted.push(((await once(server, 'connection')) as [Socket])[0]);
  const [one] = accepted as [Socket];
  one.destroy();
  await once(one, 'close');
  t.is(await count(), 1);
  one.connect(portOf(server), '127.0.0.1');
  one.destroy();
  await once(one, 'close');
  t.is(await count(), 1);
  for (const client of clients) client.destroy();
  server.close();
  await once(server, 'close');
});
