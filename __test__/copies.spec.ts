// The package evaluated twice in one thread, as test runners and bundlers have it: two reactors in one event loop.
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

import test from 'ava';

import { isNode } from './_helpers/implementations.js';
import { runScript } from './_helpers/script.js';

const declare = isNode ? test : test.skip;

for (const order of ['[first, second]', '[second, first]']) {
  declare(
    `a callback of one copy uses a socket of the other, and then the loop has nothing else to do: ${order}`,
    async (t) => {
      // Answers nothing, and does not end.
      const server = createServer({ allowHalfOpen: true }, (socket) => void socket.resume().on('error', () => {}));
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const { port } = server.address() as AddressInfo;
      const { code, stdout, stderr } = await runScript(
        `const first = require('ferronet');
       for (const file of Object.keys(require.cache)) if (!file.endsWith('.node')) delete require.cache[file];
       const second = require('ferronet');
       const [one, other] = [first, second].map((net) =>
         net.connect({ port: ${port}, host: '127.0.0.1', allowHalfOpen: true }).resume());
       const [begins, goesOn] = ${order.replace('first', 'one').replace('second', 'other')};
       setTimeout(() => begins.end(() => goesOn.end(() => {
         console.log(first === second ? 'one copy' : 'ended');
         process.exit();
       })), 100);`,
        { limit: 5_000, env: { FERRONET_DRIVER: 'thread' } },
      );
      t.deepEqual([code, stdout], [0, 'ended\n'], stderr);
      server.close();
    },
  );
}
