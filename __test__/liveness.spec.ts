// What is open keeps the process alive, also when requests end at the very moment at which their handle is closed.
import test from 'ava';

import { runScript } from './_helpers/script.js';

test('an answer that crosses with a close counts once', async (t) => {
  const { code, stdout, stderr } = await runScript(
    `const net = require('ferronet');
     let rounds = 100;
     const server = net.createServer((socket) => {
       // Delivered while the loop polls: closing handles come next, before the answer that is on its way.
       const late = net.connect('/nowhere/at/all').on('error', () => {}).on('close', round);
       process.nextTick(process.nextTick, () => late.destroy());
       socket.resume();
     }).listen(0, '127.0.0.1', round);
     function round() {
       if (rounds-- > 0) net.connect(server.address().port, '127.0.0.1').end();
       // Only the server is left to keep the process alive.
       else setTimeout(() => { console.log('alive'); process.exit(); }, 50).unref();
     }`,
  );
  t.deepEqual([code, stdout], [0, 'alive\n'], stderr);
});
