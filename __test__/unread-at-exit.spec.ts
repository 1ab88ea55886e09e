// A peer whose bytes, or whose connection, no one has taken is reset when its server ends, as the kernel does for what it
// has itself: an end would say that all is well. A thread of the reactor's reads and accepts ahead while JavaScript computes.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { readsAhead } from './_helpers/busy.js';
import { isNode, ours, triedNames } from './_helpers/implementations.js';
import { runScript } from './_helpers/script.js';
import { settings } from './_helpers/settings.js';

const onLinux = process.platform === 'linux' && isNode ? test : test.skip;

/** How the program ends, in its main thread or in a worker. */
const endings: Readonly<Record<string, { end: string; code: number }>> = {
  'process.exit()': { end: `process.exit(3);`, code: 3 },
  'an exception': { end: `throw new Error('on purpose');`, code: 1 },
  'process.exit() in a worker': { end: `process.exit(3);`, code: 0 },
};

/** How a connection ended for its client: `end`, or the code of its error. */
async function ending(socket: Socket): Promise<string> {
  let end = 'nothing';
  socket.on('end', () => (end = 'end')).on('error', ({ code }: NodeJS.ErrnoException) => (end = code ?? ''));
  socket.resume();
  await new Promise((resolve) => void socket.on('close', resolve));
  return end;
}

for (const name of triedNames) {
  for (const [setting, env] of Object.entries(name === 'node:net' ? { libuv: {} } : settings)) {
    for (const [title, { end, code }] of Object.entries(endings)) {
      // node:net reads and accepts once more when the environment of a worker is torn down.
      if (name === 'node:net' && title.endsWith('worker')) continue;
      onLinux(`unread bytes and a connection in the backlog, then ${title}: ${name}, ${setting}`, async (t) => {
        const folder = mkdtempSync(join(tmpdir(), 'ferronet-'));
        t.teardown(() => rmSync(folder, { recursive: true }));
        const sent = join(folder, 'sent');
        // It computes until everything has been sent, and then for long enough to have it read and accepted ahead.
        const program = `
          const { existsSync } = require('node:fs');
          const compute = (ms, done) => { for (const until = Date.now() + ms; Date.now() < until && !done(); ); };
          const server = require('${name}').createServer((socket) => {
            socket.on('data', () => {});
            setImmediate(() => {
              socket.write('hello');
              compute(10_000, () => existsSync(${JSON.stringify(sent)}));
              compute(60, () => false);
              ${end}
            });
          }).listen(0, '127.0.0.1', () => console.log(server.address().port));`;
        const ends: Promise<string>[] = [];
        const outcome = await runScript(
          title.endsWith('worker')
            ? `const { Worker } = require('node:worker_threads'); new Worker(${JSON.stringify(program)}, { eval: true });`
            : program,
          {
            env,
            onLine(port) {
              const first = connect(Number(port), '127.0.0.1');
              ends.push(ending(first));
              first.once('data', () => {
                const second = connect(Number(port), '127.0.0.1');
                ends.push(ending(second));
                const written = new Promise((resolve) => void first.write('x'.repeat(5000), resolve));
                void Promise.all([written, once(second, 'connect')]).then(() => writeFile(sent, ''));
              });
            },
          },
        );
        t.is(outcome.code, code);
        t.deepEqual(await Promise.all(ends), ['ECONNRESET', 'ECONNRESET']);
      });
    }
  }
}

onLinux('looking at the number of a descriptor changes nothing of it', async (t) => {
  const server = ours.createServer({ noDelay: true }).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const end = ending(client);
  // Connected, its write is done at once, before this process has looked for the bytes.
  const [[socket]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [[Socket], unknown];
  socket.on('data', () => {});
  const { _handle: handle } = socket as unknown as { _handle: { fd: number; readQueueSize: number } };
  await new Promise((resolve) => void client.write('x'.repeat(1000), resolve));
  if (readsAhead) {
    // Until the thread has read the bytes, which are not in the kernel then.
    for (const until = Date.now() + 10_000; handle.readQueueSize === 0 && Date.now() < until;);
    t.is(handle.readQueueSize, 1000);
  }
  t.true(handle.fd > 2);
  socket.destroy();
  t.is(await end, 'ECONNRESET');
  t.is(socket.bytesRead, 0);
});
