// Sockets, servers and handles sent between a process and its child, each of which uses node:net or ferronet.
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';

import test from 'ava';

import { listening, numbered } from './_helpers/both.js';
import { node, ours } from './_helpers/implementations.js';
import type { Report } from './_helpers/ipc-child.js';
import { Pair, paired } from './_helpers/ipc-pair.js';
import { runScript } from './_helpers/script.js';

type WithHandle = { _handle: { fd: number } | null };

/** As `paired`: a pipe of Windows cannot be sent. */
const onUnix: typeof paired = process.platform === 'win32' ? () => {} : paired;

const count = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.getConnections((error, connections) => (error ? reject(error) : resolve(connections)));
  });

paired('a connection with what has been sent meanwhile', async (t, pair, { made }) => {
  const [client, accepted] = await pair.connection();
  const bytes = numbered(1 << 20);
  client.end(bytes);
  // Some of it is there before the connection is handed over.
  await new Promise((resolve) => void setTimeout(resolve, 20));
  t.deepEqual(await pair.hand({ do: 'echo' }, accepted), { made, remotePort: client.localPort });
  t.true(bytes.equals(await buffer(client)));
  t.is((accepted as unknown as WithHandle)._handle, null);
  t.false(accepted.destroyed);
});

// node:net reads on until the child has it, and loses that.
paired(
  'a connection that is given away where it arrives',
  async (t, pair) => {
    const server = pair.net.createServer((socket: Socket) => void pair.send({ do: 'echo' }, socket));
    pair.atEnd(() => server.close());
    const port = await listening(server);
    const bytes = numbered(1 << 12);
    const clients = Array.from({ length: 20 }, () => pair.connect({ port }));
    for (const client of clients) client.end(bytes);
    // The listener runs late, when the bytes are all there.
    const until = Date.now() + 20;
    while (Date.now() < until);
    for (const client of clients) t.true(bytes.equals(await buffer(client)));
  },
  { only: ours },
);

paired('many at a time, between messages', async (t, pair, { made }) => {
  const connections = await Promise.all(Array.from({ length: 10 }, () => pair.connection()));
  for (const [i, [, accepted]] of connections.entries()) {
    pair.send({ do: 'say', text: `this is ${i}` }, accepted);
    pair.send({ do: 'say', text: '' });
  }
  for (const [i, [client]] of connections.entries()) {
    t.is(await text(client), `this is ${i}`);
    t.is(((await pair.report())[0] as { made: string }).made, made);
    t.deepEqual((await pair.report())[0], { made: 'nothing' });
  }
});

paired(
  'with the serialization of structured clones',
  async (t, pair, { made }) => {
    const [client, accepted] = await pair.connection();
    t.is(((await pair.hand({ do: 'say', text: 'hello' }, accepted)) as { made: string }).made, made);
    t.is(await text(client), 'hello');
  },
  { fork: { serialization: 'advanced' } },
);

paired('keepOpen: both have it', async (t, pair) => {
  const [client, accepted, server] = await pair.connection();
  const got = text(client);
  await pair.hand({ do: 'keep' }, accepted, { keepOpen: true });
  t.is(await count(server), 2);
  pair.send({ do: 'end' });
  accepted.end('from the parent');
  t.is(await got, 'from the parent');
});

paired('a server: the child goes on when the parent has closed it', async (t, pair, { made }) => {
  const server = pair.net.createServer(() => t.fail('the parent has it'));
  const port = await listening(server);
  t.deepEqual(await pair.hand({ do: 'serve' }, server), { made });
  server.close();
  t.is(await text(pair.connect({ port })), `served by ${pair.child.pid}`);
});

onUnix('a server on a path', async (t, pair, { made }) => {
  const path = join(__dirname, `ipc-${process.pid}-${pair.child.pid}`);
  const server = pair.net.createServer(() => t.fail('the parent has it'));
  server.maxConnections = 0;
  server.listen(path);
  await once(server, 'listening');
  pair.atEnd(() => server.close());
  t.deepEqual(await pair.hand({ do: 'serve' }, server), { made });
  let answer = '';
  // Both accept, and the parent drops what it gets.
  while (answer === '') answer = await text(pair.connect({ path }).on('error', () => {})).catch(() => '');
  t.is(answer, `served by ${pair.child.pid}`);
});

(process.platform === 'win32' ? test : test.skip)(
  'a pipe of Windows is refused, and stays with its owner',
  async (t) => {
    const pair = new Pair(ours, 'ferronet', {});
    t.teardown(() => pair.end());
    const server = ours.createServer((socket) => socket.pipe(socket));
    server.listen(`\\\\.\\pipe\\ipc-${process.pid}`);
    await once(server, 'listening');
    const client = ours.connect(server.address() as string);
    for (const handle of [client, server]) t.throws(() => pair.send({ do: 'keep' }, handle), { code: 'ENOTSUP' });
    client.write('still here');
    t.is(String((await once(client, 'data'))[0]), 'still here');
    client.destroy();
    server.close();
  },
);

paired('a server’s handle', async (t, pair) => {
  const server = pair.net.createServer(() => t.fail('the parent has it'));
  const port = await listening(server);
  t.deepEqual(await pair.hand({ do: 'listen' }, (server as unknown as WithHandle)._handle), { made: 'handle' });
  server.close();
  t.is(await text(pair.connect({ port })), `served by ${pair.child.pid}`);
});

paired('the server counts what is in the child, and waits for it', async (t, pair) => {
  const server = pair.net.createServer({ pauseOnConnect: true });
  const port = await listening(server);
  const accepted: Socket[] = [];
  for (let i = 0; i < 3; i++) {
    const client = pair.connect({ port });
    accepted.push((await once(server, 'connection'))[0] as Socket);
    client.resume();
  }
  t.is(await count(server), 3);
  for (const socket of accepted.slice(1)) await pair.hand({ do: 'keep' }, socket);
  t.is(await count(server), 3);
  const order: string[] = [];
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      order.push('closed');
      resolve();
    });
  });
  accepted[0]?.destroy();
  await once(accepted[0] as Socket, 'close');
  await count(server);
  order.push('the child ends them');
  pair.send({ do: 'end' });
  await closed;
  t.deepEqual(order, ['the child ends them', 'closed']);
});

paired(
  'the server waits for its own connections as well, and what was sent away is none of them',
  async (t, pair) => {
    const server = pair.net.createServer({ pauseOnConnect: true });
    const port = await listening(server);
    const accepted: Socket[] = [];
    for (let i = 0; i < 2; i++) {
      pair.connect({ port }).resume();
      accepted.push((await once(server, 'connection'))[0] as Socket);
    }
    const [away, here] = accepted as [Socket, Socket];
    await pair.hand({ do: 'keep' }, away);
    away.destroy();
    await once(away, 'close');
    t.is(await count(server), 2);
    let isClosed = false;
    const closed = new Promise<void>((resolve) => {
      server.close(() => {
        isClosed = true;
        resolve();
      });
    });
    pair.send({ do: 'end' });
    while ((await count(server)) > 1) await new Promise(setImmediate);
    t.false(isClosed);
    here.destroy();
    await closed;
  },
  { only: ours },
);

paired('a child that dies keeps no server from closing', async (t, pair, { parent }) => {
  const [, accepted, server] = await pair.connection();
  await pair.hand({ do: 'keep' }, accepted);
  t.is(await count(server), 1);
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
  pair.child.kill('SIGKILL');
  await closed;
  if (pair.child.signalCode === null) await once(pair.child, 'exit');
  // With node:net there is no callback when no child is left.
  if (parent === 'ferronet') t.is(await count(server), 0);
});

paired('sent twice: the second message comes alone', async (t, pair, { made }) => {
  const [client, accepted] = await pair.connection();
  t.is(((await pair.hand({ do: 'say', text: 'once' }, accepted)) as { made: string }).made, made);
  t.deepEqual(await pair.hand({ do: 'say', text: 'twice' }, accepted), { made: 'nothing' });
  t.is(await text(client), 'once');
});

paired('what send() answers, and its callback', async (t, pair) => {
  const [, first] = await pair.connection();
  const [, second] = await pair.connection();
  const callback = new Promise((resolve) => {
    t.true(pair.child.send({ do: 'keep' }, first, resolve as never));
  });
  t.true(pair.send({ do: 'keep' }, second));
  t.false(pair.send({ do: 'end' }));
  t.is(await callback, null);
});

paired('to the parent', async (t, pair, { child }) => {
  pair.send({ do: 'bring' });
  const [{ port }] = (await pair.report()) as [{ port: number }, undefined];
  const client = pair.connect({ port });
  client.write('to the parent');
  const [, socket] = (await pair.report()) as [Report, Socket];
  // This process has loaded ferronet.
  t.true(socket instanceof (child === 'ferronet' ? ours : node).Socket);
  socket.pipe(socket);
  t.is(String((await once(client, 'data'))[0]), 'to the parent');
  socket.destroy();
});

paired(
  'a message that cannot be sent takes no connection with it',
  async (t, pair) => {
    const [client, accepted, server] = await pair.connection();
    const circle: { self?: unknown } = {};
    circle.self = circle;
    t.throws(() => pair.child.send(circle as object, accepted), { instanceOf: TypeError });
    t.throws(() => pair.child.send(undefined as never, accepted), { code: 'ERR_MISSING_ARGS' });
    t.throws(() => pair.child.send((() => {}) as never, accepted), { code: 'ERR_INVALID_ARG_TYPE' });
    t.is(await count(server), 1);
    // The next handle is not taken for one of ferronet.
    const [plain, other] = await pair.connection(node);
    t.deepEqual(await pair.hand({ do: 'say', text: 'plain' }, other), {
      made: 'node:net',
      remotePort: plain.localPort,
    });
    client.write('still here');
    accepted.pipe(accepted);
    t.is(String((await once(client, 'data'))[0]), 'still here');
  },
  { only: ours },
);

paired(
  'a child that is gone: ERR_IPC_CHANNEL_CLOSED, and the connection stays',
  async (t, pair) => {
    const [client, accepted] = await pair.connection();
    pair.child.kill('SIGKILL');
    await once(pair.child, 'disconnect');
    const error = await new Promise((resolve) => void pair.child.send('too late', accepted, resolve));
    t.is((error as { code: string }).code, 'ERR_IPC_CHANNEL_CLOSED');
    client.write('still here');
    accepted.pipe(accepted);
    t.is(String((await once(client, 'data'))[0]), 'still here');
  },
  { only: ours },
);

// What is loaded when, in processes of their own: the program sends one connection to its child, which answers.
const child = `
  const net = require('ferronet');
  process.on('message', (message, socket) => {
    socket.end(socket instanceof net.Socket ? 'ours' : 'not ours');
    process.disconnect();
  });`;
const fork = `require('node:child_process').fork('--eval', [${JSON.stringify(child)}], { execArgv: [] })`;
const serve = (listener: string): string => `
  const server = net.createServer({ pauseOnConnect: true }, (socket) => { ${listener} server.close(); });
  server.listen(0, '127.0.0.1', () => {
    net.connect(server.address().port, '127.0.0.1').setEncoding('utf8').on('data', console.log);
  });`;

for (const [title, source] of [
  ['before', `const child = ${fork}; const net = require('ferronet'); ${serve(`child.send('', socket);`)}`],
  ['after', `const net = require('ferronet'); const child = ${fork}; ${serve(`child.send('', socket);`)}`],
  ['long after', `const net = require('ferronet'); ${serve(`${fork}.send('', socket);`)}`],
] as const) {
  test(`a child that was started ${title} ferronet was loaded`, async (t) => {
    const { code, stdout, stderr } = await runScript(source);
    t.is(stdout, 'ours\n', stderr);
    t.is(code, 0);
  });
}

test('loading ferronet and serving with it loads neither child_process nor cluster', async (t) => {
  const { stdout } = await runScript(`
    const net = require('ferronet');
    const server = net.createServer((socket) => { socket.end(); server.close(); }).listen(0, '127.0.0.1', () => {
      net.connect(server.address().port, '127.0.0.1').resume().on('close', () => {
        console.log(process.moduleLoadList.filter((name) => /NativeModule (child_process|cluster)$/.test(name)));
      });
    });`);
  t.is(stdout, '[]\n');
});
