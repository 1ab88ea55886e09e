// A pipe has no half-close. What libuv makes of one, and what was written before the end.
import { once } from 'node:events';
import type { ServerOpts, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

import { closed } from './_helpers/both.js';
import { errnoOf } from './_helpers/errno.js';
import type { Net } from './_helpers/implementations.js';
import { bothOnWindows, listenOn, onWindows, pipeName } from './_helpers/pipe.js';
import { runScript } from './_helpers/script.js';

interface Pair {
  /** Both ends have been closed. */
  ended: Promise<void>;
  accepted: Socket;
  client: Socket;
}

async function pair(net: Net, options: ServerOpts = {}): Promise<Pair> {
  const server = net.createServer(options);
  await listenOn(server, pipeName());
  const client = net.connect(server.address() as string);
  const [[accepted]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [
    [Socket],
    unknown,
  ];
  server.close();
  return { ended: closed(server), accepted, client };
}

bothOnWindows('the end of a pipe reaches both sides', async (t, { net }) => {
  const { ended, accepted, client } = await pair(net);
  const log: string[] = [];
  accepted.on('data', (chunk: Buffer) => log.push(`got ${chunk.toString()}`));
  accepted.on('end', () => log.push('server: end'));
  client.resume().on('end', () => log.push('client: end'));
  client.end('bye');
  await Promise.all([closed(client), ended]);
  t.deepEqual([...log].sort(), ['client: end', 'got bye', 'server: end']);
  t.is(log[0], 'got bye');
});

bothOnWindows('a side that has ended still receives what is on its way', async (t, { net }) => {
  const { ended, accepted, client } = await pair(net, { allowHalfOpen: true });
  accepted.resume().end(Buffer.alloc(1 << 20, 'm'));
  client.end();
  t.is((await buffer(client)).length, 1 << 20);
  await ended;
});

bothOnWindows('an answer to the end comes too late', async (t, { net }) => {
  const { ended, accepted, client } = await pair(net, { allowHalfOpen: true });
  const answered = new Promise<NodeJS.ErrnoException | null | undefined>((resolve) => {
    accepted.resume().on('end', () => accepted.write('answer', resolve));
  });
  const failed = once(accepted, 'error') as Promise<[NodeJS.ErrnoException]>;
  client.resume().end('question');
  const [{ code, syscall, errno }] = await failed;
  t.deepEqual([code, syscall, errno], ['EPIPE', 'write', errnoOf('EPIPE')]);
  t.is((await answered)?.code, 'EPIPE');
  await ended;
});

bothOnWindows('a reader that is late gets all of it', async (t, { net }) => {
  for (const size of [1000, 1 << 20]) {
    const { ended, accepted, client } = await pair(net, { pauseOnConnect: true });
    client.resume().end(Buffer.alloc(size, 'm'));
    await delay(150);
    t.is((await buffer(accepted)).length, size);
    await ended;
  }
});

bothOnWindows('the callback of a write comes when the other side has room', async (t, { net }) => {
  const { ended, accepted, client } = await pair(net, { pauseOnConnect: true });
  let isWritten = false;
  const written = new Promise<void>((resolve) => {
    client.write(Buffer.alloc(1 << 20, 'm'), () => {
      isWritten = true;
      client.destroy();
      resolve();
    });
  });
  await delay(100);
  t.false(isWritten);
  const got = buffer(accepted);
  await written;
  t.is((await got).length, 1 << 20);
  await ended;
});

// In the callback of the connect, when nothing has been read or written yet.
const endings: Record<string, string> = {
  'end()': 'c.end(m)',
  'end(); process.exit()': 'c.end(m); process.exit()',
  'write(); process.exit()': 'c.write(m); process.exit()',
  'write(); destroy()': 'c.write(m); c.destroy()',
};

for (const [title, client] of Object.entries(endings)) {
  for (const name of ['node:net', 'ferronet']) {
    onWindows(`what the pipe took is not lost: ${title} [${name}]`, async (t) => {
      const { createServer } = await import('node:net');
      const server = createServer({ pauseOnConnect: true });
      await listenOn(server, pipeName());
      const path = JSON.stringify(server.address());
      const outcome = runScript(
        `const m = 'm'.repeat(50_000); const c = require('${name}').connect(${path}, () => { ${client}; });`,
      );
      const [accepted] = (await once(server, 'connection')) as [Socket];
      await delay(50);
      t.is((await buffer(accepted)).length, 50_000);
      server.close();
      t.is((await outcome).stderr, '');
    });
  }
}
