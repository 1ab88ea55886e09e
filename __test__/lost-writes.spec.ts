// What the kernel would have taken from node:net before the program ended, it has from ferronet too.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';

import test from 'ava';

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
  for (const name of ['node:net', 'ferronet']) {
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
