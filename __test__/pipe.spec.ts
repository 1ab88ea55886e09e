// Named pipes of Windows: several instances of a name, and what a pipe cannot do. Their names: pipe-names.spec.ts; their
// end: pipe-end.spec.ts.
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { closed, numbered } from './_helpers/both.js';
import { errnoOf } from './_helpers/errno.js';
import { node, nodeMajor, ours } from './_helpers/implementations.js';
import { bothOnWindows, echoOn, listenOn, onWindows, pipeName, read } from './_helpers/pipe.js';
import { runScript } from './_helpers/script.js';

for (const [title, serving, calling] of [
  ['ferronet, called by node:net', ours, node],
  ['node:net, called by ferronet', node, ours],
  ['ferronet, called by ferronet', ours, ours],
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

bothOnWindows('clients that come while JavaScript computes', async (t, { net, isOurs }) => {
  const server = await echoOn(net, pipeName());
  const path = JSON.stringify(server.address());
  const calling = runScript(
    `const net = require('${isOurs ? 'ferronet' : 'node:net'}');
     let answered = 0;
     for (let i = 0; i < 30; i++) {
       const client = net.connect(${path}).once('data', () => { answered++; client.destroy(); });
       client.write('x');
     }
     process.once('exit', () => console.log(answered));
     console.log('calling');`,
    {
      onLine() {
        const until = Date.now() + 300;
        while (Date.now() < until);
      },
    },
  );
  const { stdout, stderr } = await calling;
  t.is(stdout.trim().split('\n').at(-1), '30', stderr);
  server.close();
  await closed(server);
});

bothOnWindows('one instance that waits is enough: NODE_PENDING_PIPE_INSTANCES', async (t, { isOurs }) => {
  const { stdout, stderr } = await runScript(
    `process.env.NODE_PENDING_PIPE_INSTANCES = '1';
     const net = require('${isOurs ? 'ferronet' : 'node:net'}');
     const path = ${JSON.stringify(pipeName())};
     const server = net.createServer((socket) => socket.pipe(socket)).listen(path, () => {
       let left = 8;
       for (let i = 0; i < 8; i++) {
         const client = net.connect(path).once('data', () => {
           client.destroy();
           if (--left === 0) { console.log('all'); server.close(); }
         });
         client.write('x');
       }
     });`,
  );
  t.is(stdout.trim(), 'all', stderr);
});

bothOnWindows('a name lives as long as a connection of it', async (t, { net }) => {
  const server = net.createServer();
  await listenOn(server, pipeName());
  const path = server.address() as string;
  const client = net.connect(path);
  const [[accepted]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [
    [Socket],
    unknown,
  ];
  server.close();
  // No instance waits for a client, so this one waits for an instance.
  const late = net.connect(path);
  const failed = once(late, 'error') as Promise<[NodeJS.ErrnoException]>;
  await delay(100);
  t.true(late.connecting);
  client.destroy();
  accepted.destroy();
  const [{ code, syscall }] = await failed;
  // Wine has no name for what it says to Node, which asks it otherwise.
  t.true(code === 'ENOENT' || (code === 'UNKNOWN' && net === node), code);
  t.is(syscall, 'connect');
});

bothOnWindows('what the system has not is refused: reusePort, and descriptors', async (t, { net }) => {
  const file = openSync(__filename, 'r');
  // Node 20 knows no `reusePort`.
  const shared =
    net === ours || nodeMajor >= 22 ? [[{ port: 0, host: '127.0.0.1', reusePort: true }, 'ENOTSUP'] as const] : [];
  for (const [where, code] of [...shared, [{ fd: file }, 'EINVAL'], [{ fd: 1000 }, 'EINVAL']] as const) {
    const [error] = (await once(net.createServer().listen(where as object), 'error')) as [NodeJS.ErrnoException];
    t.deepEqual([error.code, error.syscall, error.errno], [code, 'listen', errnoOf(code)]);
  }
  for (const fd of [file, 1000]) t.throws(() => new net.Socket({ fd }), { code: 'ERR_INVALID_FD_TYPE' });
  closeSync(file);
});
