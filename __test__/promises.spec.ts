// `net.promises` and the subpath `ferronet/promises`.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import test from 'ava';
import net, { type Server } from 'ferronet';
import { connect, listen } from 'ferronet/promises';

const required = require('ferronet/promises') as typeof net.promises;

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

test('net.promises, require() and import give the same functions', async (t) => {
  t.is(net.promises, required);
  const imported = await import('ferronet/promises');
  t.is(imported.connect, required.connect);
  t.is(imported.listen, required.listen);
  t.is(connect, required.connect);
  t.is(listen, required.listen);
});

test('a server that listens and a socket that is connected', async (t) => {
  const server = await listen({ port: 0, host: '127.0.0.1', connectionListener: (socket) => void socket.end('hello') });
  t.true(server.listening);
  const socket = await connect({ port: portOf(server), host: '127.0.0.1' });
  t.false(socket.connecting);
  t.is(await text(socket), 'hello');
  t.is(await text(await connect(portOf(server), '127.0.0.1')), 'hello');
  server.close();
  await once(server, 'close');
});

test('connect rejects with the error, and listens for it no more when connected', async (t) => {
  const gone = await listen({ port: 0, host: '127.0.0.1' });
  const port = portOf(gone);
  await gone[Symbol.asyncDispose]();
  await t.throwsAsync(connect(port, '127.0.0.1'), { code: 'ECONNREFUSED' });
  await t.throwsAsync(connect('/no/such/socket'), { code: 'ENOENT' });
  await t.throwsAsync(connect({ port: 'x' as unknown as number }), { code: 'ERR_SOCKET_BAD_PORT' });
  await t.throwsAsync(connect({} as { port: number }), { code: 'ERR_MISSING_ARGS' });

  const server = await listen({ port: 0, host: '127.0.0.1' });
  const socket = await connect(portOf(server), '127.0.0.1');
  t.is(socket.listenerCount('error'), 0);
  socket.destroy();
  server.close();
});

test('connect: an abort ends the attempt, and after that nothing', async (t) => {
  await using server = await listen({ port: 0, host: '127.0.0.1' });
  const port = portOf(server);
  const reason = new Error('why');
  const before = connect({ port, host: '127.0.0.1', signal: AbortSignal.abort(reason) });
  const { cause } = (await t.throwsAsync(before, { name: 'AbortError', code: 'ABORT_ERR' }))!;
  t.is(cause, reason);

  const controller = new AbortController();
  const attempt = connect({ port, host: '127.0.0.1', signal: controller.signal });
  controller.abort();
  await t.throwsAsync(attempt, { name: 'AbortError' });

  const late = new AbortController();
  const socket = await connect({ port, host: '127.0.0.1', signal: late.signal });
  late.abort();
  t.false(socket.destroyed);
  socket.destroy();
  await t.throwsAsync(connect({ port, signal: 'x' as never }), { code: 'ERR_INVALID_ARG_TYPE' });
});

test('listen rejects what cannot listen', async (t) => {
  const first = await listen({ port: 0, host: '127.0.0.1' });
  await t.throwsAsync(listen({ port: portOf(first), host: '127.0.0.1' }), { code: 'EADDRINUSE' });
  first.close();
  await t.throwsAsync(listen(), { code: 'ERR_INVALID_ARG_VALUE' });
  await t.throwsAsync(listen(null as never), { code: 'ERR_INVALID_ARG_TYPE' });
  await t.throwsAsync(listen({ port: 0, signal: 'x' as never }), { code: 'ERR_INVALID_ARG_TYPE' });
});

test('listen: an abort rejects before, and closes the server after', async (t) => {
  await t.throwsAsync(listen({ port: 0, signal: AbortSignal.abort() }), { name: 'AbortError', code: 'ABORT_ERR' });
  const early = new AbortController();
  const pending = listen({ port: 0, signal: early.signal });
  early.abort();
  await t.throwsAsync(pending, { name: 'AbortError' });

  const late = new AbortController();
  const server = await listen({ port: 0, signal: late.signal });
  const closed = once(server, 'close');
  late.abort();
  await closed;
  t.false(server.listening);
});
