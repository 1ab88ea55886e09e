// What the kernel would have taken from node:net before the program ended, it has from ferronet too.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';

import test from 'ava';

import { closed } from './_helpers/both.js';
import { isNode, triedNames } from './_helpers/implementations.js';
import { runScript } from './_helpers/script.js';

const SIZE = 60_000;

// What the client does once it is connected, in a process of its own, and how that process ends.
const endings: Record<string, { client: string; code: number }> = {
  'write(); destroy()': { client: `c.write(message); c.destroy();`, code: 0 },
  'end(); process.exit()': { client: `c.end(message); process.exit(3);`, code: 3 },
  'write(); process.exit()': { client: `c.write(message); process.exit(3);`, code: 3 },
  'an exception right after a write': { client: `c.write(message); throw new Error('on purpose');`, code: 1 },
  'several writes in one tick, then process.exit()': {
    client: `for (let i = 0; i < 6; i++) c.write(message.slice(i * 10_000, (i + 1) * 10_000)); process.exit(3);`,
    code: 3,
  },
};

for (const [title, { client, code }] of Object.entries(endings)) {
  for (const name of triedNames) {
    test(`${title}: ${name}`, async (t) => {
      const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const accepted = once(server, 'connection') as Promise<[Socket]>;
      const outcome = runScript(
        `const message = 'm'.repeat(${SIZE});
         const c = require('${name}').connect(${(server.address() as AddressInfo).port}, '127.0.0.1', () => { ${client} });`,
      );
      const [socket] = await accepted;
      const received = await buffer(socket);
      t.is(received.length, SIZE);
      t.is((await outcome).code, code);
      server.close();
    });
  }
}

// Few bytes written while events are delivered may be held for the end of the batch, which does not come here.
const midway: Record<string, { served: string; code: number | null }> = {
  'process.exit()': { served: `process.exit(3);`, code: 3 },
  'an exception': { served: `throw new Error('on purpose');`, code: 1 },
  'destroy()': { served: `socket.destroy(); server.close();`, code: 0 },
  'process.exit() in a worker': { served: `process.exit(3);`, code: 0 },
  ...(process.platform !== 'win32' && {
    'process.abort()': { served: `process.abort();`, code: null },
    SIGKILL: { served: `process.kill(process.pid, 'SIGKILL');`, code: null },
    'SIGTERM in a computation': {
      served: `process.kill(process.pid, 'SIGTERM'); for (const until = Date.now() + 2000; Date.now() < until;);`,
      code: null,
    },
  }),
};

for (const [title, { served, code }] of Object.entries(midway)) {
  for (const name of triedNames) {
    test(`a few bytes written in a callback, then ${title}: ${name}`, async (t) => {
      const program = `
        const server = require('${name}').createServer((socket) => socket.on('data', () => {
          for (let i = 0; i < 6; i++) socket.write('m'.repeat(10));
          ${served}
        }));
        server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;
      const outcome = title.endsWith('worker')
        ? runScript(
            `const { Worker } = require('node:worker_threads'); new Worker(${JSON.stringify(program)}, { eval: true });`,
            { onLine: ask },
          )
        : runScript(program, { onLine: ask });
      let answer: Promise<Buffer> | undefined;
      function ask(port: string): void {
        const client = connect(Number(port), '127.0.0.1', () => client.write('go'));
        answer = buffer(client);
      }
      t.is((await outcome).code, code);
      t.is(String(await answer), 'm'.repeat(60));
    });
  }
}

// Writes are batched only while other events of the batch wait, and where a thread watches the loop; what the kernel does not
// have dies with the process then.
const killed: readonly { name: string; env: Record<string, string>; received: readonly number[] }[] = [
  { name: 'node:net', env: {}, received: [60] },
  { name: 'ferronet', env: { FERRONET_DRIVER: 'loop' }, received: [60] },
  { name: 'ferronet', env: {}, received: [0, 60] },
];
// Elsewhere than on Node a thread drives, whatever the environment says.
const onLinux = process.platform === 'linux' && isNode ? test : test.skip;
for (const { name, env, received: expected } of killed) {
  const title = `${name} ${env['FERRONET_DRIVER'] ?? ''}`;
  onLinux(`SIGKILL in a callback, with another event behind it in the batch: ${title}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'ferronet-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const written = join(folder, 'written');
    // The loop polls again when both clients have written, so their events are of one batch.
    const program = `
      const net = require('${name}'), { existsSync } = require('node:fs'), sockets = [];
      const server = net.createServer((socket) => {
        socket.on('data', () => {
          socket.write('m'.repeat(60));
          process.kill(process.pid, 'SIGKILL');
        });
        if (sockets.push(socket) < 2) return;
        for (const until = Date.now() + 10_000; !existsSync(${JSON.stringify(written)}) && Date.now() < until;);
      }).listen(0, '127.0.0.1', () => console.log(server.address().port));`;
    let received = 0;
    const ends: Promise<void>[] = [];
    const writes: Promise<unknown>[] = [];
    const outcome = await runScript(program, {
      env,
      onLine(port) {
        for (let n = 0; n < 2; n++) {
          const client = connect(Number(port), '127.0.0.1');
          writes.push(new Promise((resolve) => void client.write('go', resolve)));
          client.on('data', ({ length }: Buffer) => (received += length));
          // What it has not read makes a reset of its end.
          client.on('error', () => {});
          ends.push(closed(client));
        }
        void Promise.all(writes).then(() => writeFile(written, ''));
      },
    });
    t.is(outcome.code, null);
    await Promise.all(ends);
    t.true(expected.includes(received), String(received));
  });
}

for (const name of triedNames) {
  test(`what was reported as written goes before a reset in the same callback: ${name}`, async (t) => {
    const program = `
      const net = require('${name}'), { connect } = require('node:net');
      const written = [];
      let received = '', closed = 0;
      const server = net.createServer((socket) => {
        socket.on('data', () => {
          socket.write('bye', (error) => written.push(!error));
          socket.resetAndDestroy();
        });
      }).listen(0, '127.0.0.1', () => {
        const clients = Array.from({ length: 20 }, () => connect(server.address().port, '127.0.0.1'));
        let connected = 0;
        for (const client of clients) {
          client.on('connect', () => {
            // All at once, so that their events are of one batch.
            if (++connected === clients.length) for (const each of clients) each.write('x');
          });
          client.on('data', (chunk) => (received += chunk)).on('error', () => {});
          client.on('close', () => {
            if (++closed < clients.length) return;
            console.log(JSON.stringify({ written: written.filter(Boolean).length, received: received.length }));
            server.close();
          });
        }
      });`;
    // The thread flushes whatever is batched, so everything that may be is.
    const { stdout, stderr } = await runScript(program, { env: { FERRONET_DRIVER: 'thread' } });
    t.deepEqual(JSON.parse(stdout || JSON.stringify(stderr)), { written: 20, received: 60 });
  });
}
