// Under --enable-source-maps, stack traces name the sources, and nothing else changes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';

import { isNode } from './_helpers/implementations.js';
import { runScript } from './_helpers/script.js';

const root = join(__dirname, '..');
const flags = ['--enable-source-maps'];
const onNode = isNode ? test : test.skip;

for (const [what, call, source] of [
  ['the package', "require('ferronet').connect({ port: -1 })", 'lib/errors/validators.ts'],
  ['a subpath', "require('ferronet/handover').adopt({})", 'entry/handover.ts'],
] as const) {
  onNode(`an error of ${what} names the line of the source that threw it`, async (t) => {
    const { stdout, stderr } = await runScript(`try { ${call} } catch ({ stack }) { console.log(stack) }`, { flags });
    const stack = stdout.replaceAll('\\', '/');
    t.notRegex(stack, /\/dist\//, stderr);
    const line = new RegExp(`${source}:(\\d+):\\d+`).exec(stack)?.[1];
    t.truthy(line, stack);
    const text = readFileSync(join(root, source), 'utf8').split('\n')[Number(line) - 1] ?? '';
    t.regex(text, /new ERR_/);
  });
}

onNode('a socket among the workerData of a new worker is refused as without', async (t) => {
  const { stdout, stderr } = await runScript(
    `const { Worker } = require('node:worker_threads');
     const net = require('ferronet');
     const server = net.createServer((socket) => {
       try {
         new Worker('', { eval: true, workerData: { socket }, transferList: [socket] });
       } catch ({ code }) {
         console.log(code);
       }
       socket.destroy();
       server.close();
     });
     server.listen(0, '127.0.0.1', () => net.connect(server.address().port, '127.0.0.1').resume());`,
    { flags },
  );
  t.is(stdout, 'ERR_WORKER_HANDLE_NOT_TRANSFERABLE\n', stderr);
});
