// Named pipes of Windows: one flat name space, several instances of a name, no half-close of their own.
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';

import test from 'ava';

import { both, closed, numbered } from './_helpers/both.js';
import { type Net, node, ours } from './_helpers/implementations.js';

// Elsewhere a path is a Unix socket: parity/unix.spec.ts.
const onWindows = process.platform === 'win32' ? test : test.skip;
const bothOnWindows: typeof both = process.platform === 'win32' ? both : () => {};

let names = 0;

function pipeName(prefix = '\\\\.\\pipe\\', name = 'ferronet'): string {
  return `${prefix}${name}-${process.pid}-${++names}`;
}

async function listenOn(server: Server, path: string): Promise<void> {
  server.listen(path);
  await once(server, 'listening');
}

/** A server that sends back what it gets, up to its end. */
async function echoOn(net: Net, path: string): Promise<Server> {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      socket.write(chunk);
    });
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
  });
  await listenOn(server, path);
  return server;
}

async function read(socket: Socket, size: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let got = 0;
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk as Buffer);
    got += (chunk as Buffer).length;
    if (got >= size) break;
  }
  return Buffer.concat(chunks);
}

for (const [title, serving, calling] of [
  ['ours, called by node:net', ours, node],
  ['node:net, called by ours', node, ours],
  ['ours, called by ours', ours, ours],
] as const) {
  onWindows(`a mebibyte to a pipe and back: ${title}`, async (t) => {
    const server = await echoOn(serving, pipeName());
    const client = calling.connect(server.address() as string);
    const sent = numbered(1 << 20);
    client.write(sent);
    t.true((await read(client, sent.length)).equals(sent));
    client.destroy();
    server.close();
    await closed(server);
  });
}

bothOnWindows('either prefix, and any characters, make a name; the address is the path', async (t, { net }) => {
  for (const path of [pipeName('\\\\?\\pipe\\'), pipeName(undefined, 'a b:ü?*"<🙂>')]) {
    const server = await echoOn(net, path);
    t.is(server.address() as unknown, path);
    const client = net.connect(path);
    client.write('x');
    t.is((await read(client, 1)).toString(), 'x');
    client.destroy();
    server.close();
    await closed(server);
  }
});

bothOnWindows('more clients at once than instances wait for', async (t, { net }) => {
  const server = await echoOn(net, pipeName());
  const clients = Array.from({ length: 24 }, () => net.connect(server.address() as string));
  const answers = clients.map(async (client, index) => {
    client.write(`<${String(index).padStart(2, '0')}>`);
    return (await read(client, 4)).toString();
  });
  t.deepEqual(
    await Promise.all(answers),
    clients.map((_, index) => `<${String(index).padStart(2, '0')}>`),
  );
  for (const client of clients) client.destroy();
  server.close();
  await closed(server);
});

bothOnWindows('a name is free when its server has closed', async (t, { net }) => {
  const path = pipeName();
  for (let round = 0; round < 3; round++) {
    const server = await echoOn(net, path);
    const client = net.connect(path);
    await once(client, 'connect');
    client.destroy();
    server.close();
    await Promise.all([closed(client), closed(server)]);
    const [error] = (await once(net.connect(path), 'error')) as [NodeJS.ErrnoException];
    t.is(error.code, 'ENOENT');
  }
});

bothOnWindows('the end of a pipe reaches both sides', async (t, { net }) => {
  const log: string[] = [];
  const server = net.createServer((socket) => {
    socket.on('data', (chunk: Buffer) => log.push(`got ${chunk.toString()}`));
    socket.on('end', () => log.push('server: end'));
    socket.on('close', () => server.close());
  });
  await listenOn(server, pipeName());
  const client = net.connect(server.address() as string);
  client.resume().on('end', () => log.push('client: end'));
  client.end('bye');
  await Promise.all([closed(client), closed(server)]);
  t.deepEqual([...log].sort(), ['client: end', 'got bye', 'server: end']);
  t.is(log[0], 'got bye');
});

bothOnWindows('what a pipe cannot be', async (t, { net }) => {
  for (const [path, code] of [
    ['ferronet', 'EACCES'],
    ['C:\\ferronet', 'EACCES'],
  ] as const) {
    const [error] = (await once(net.createServer().listen(path), 'error')) as [NodeJS.ErrnoException];
    t.is(error.code, code);
  }
  const [missing] = (await once(net.connect(pipeName()), 'error')) as [NodeJS.ErrnoException];
  t.is(missing.code, 'ENOENT');
});

bothOnWindows('a pipe is opened to all users', async (t, { net }) => {
  const server = net.createServer().listen({ path: pipeName(), readableAll: true, writableAll: true });
  await once(server, 'listening');
  const client = net.connect(server.address() as string);
  await once(client, 'connect');
  t.pass();
  client.destroy();
  server.close();
  await closed(server);
});

onWindows('what the system has not is refused: reusePort, and descriptors', async (t) => {
  const shared: object = { port: 0, host: '127.0.0.1', reusePort: true };
  const [reuse] = (await once(ours.createServer().listen(shared), 'error')) as [NodeJS.ErrnoException];
  t.is(reuse.code, 'ENOTSUP');
  const [fd] = (await once(ours.createServer().listen({ fd: 3 }), 'error')) as [NodeJS.ErrnoException];
  t.is(fd.syscall, 'listen');
});
