// `for await (const socket of server)`.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import net, { type FerronetServer, type Socket } from 'ferronet';

async function listening(t: ExecutionContext): Promise<FerronetServer> {
  const server = net.createServer().listen(0, '127.0.0.1');
  t.teardown(() => void server.close());
  await once(server, 'listening');
  return server;
}

function clients(server: FerronetServer, count: number): Socket[] {
  const { port } = server.address() as AddressInfo;
  return Array.from({ length: count }, () => net.connect(port, '127.0.0.1').resume());
}

test('yields each connection; leaving the loop leaves the server open', async (t) => {
  const server = await listening(t);
  clients(server, 3);
  let count = 0;
  for await (const socket of server) {
    t.true(socket instanceof net.Socket);
    socket.end();
    count += 1;
    if (count === 3) break;
  }
  t.true(server.listening);
  t.is(server.listenerCount('connection'), 0);
});

test('ends when the server closes', async (t) => {
  const server = await listening(t);
  setImmediate(() => server.close());
  for await (const socket of server) t.fail(String(socket));
  t.false(server.listening);
});

test('throws what the server emits as error', async (t) => {
  const server = await listening(t);
  const error = new Error('from the server');
  setImmediate(() => server.emit('error', error));
  const iterate = async (): Promise<void> => {
    for await (const socket of server) t.fail(String(socket));
  };
  t.is(await t.throwsAsync(iterate), error);
});

test('collects from the call on, and keeps what comes while the body runs', async (t) => {
  const server = await listening(t);
  const iterator = server[Symbol.asyncIterator]();
  const all = clients(server, 5);
  await Promise.all(all.map((client) => once(client, 'connect')));
  for (let i = 0; i < 5; i++) {
    const { value, done } = await iterator.next();
    t.false(done);
    (value as Socket).end();
  }
  t.deepEqual(await iterator.return?.(), { value: undefined, done: true });
  t.deepEqual(await iterator.next(), { value: undefined, done: true });
});
