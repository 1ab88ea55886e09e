// The environment variables that ferronet reads: a value that is not allowed changes nothing and is reported once, with those
// that are.
import test from 'ava';

import { runScript } from './_helpers/script.js';

const echo = `
  const net = require('ferronet');
  const echo = () => new Promise((resolve) => {
    const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1', () => {
      const client = net.connect(server.address().port, '127.0.0.1', () => client.end('hello'));
      client.on('data', (text) => console.log(String(text))).on('close', () => server.close(resolve));
    });
  });`;
const inWorkers = `
  const { Worker } = require('node:worker_threads');
  const code = ${JSON.stringify(`${echo}\necho();`)};
  echo().then(() => { for (let n = 0; n < 2; n++) new Worker(code, { eval: true }); });`;

const wrong = {
  FERRONET_DRIVER: ['lop', 'loop or thread or auto'],
  FERRONET_THREADS: ['65', 'a number from 1 to 64'],
  FERRONET_RELAY: ['false', 'off or on'],
} as const;

for (const [name, [value, allowed]] of Object.entries(wrong)) {
  test(`${name}=${value} is reported once, and not again in workers`, async (t) => {
    const { code, stdout, stderr } = await runScript(echo + inWorkers, { env: { [name]: value } });
    t.is(code, 0, stderr);
    t.is(stdout, 'hello\n'.repeat(3));
    t.deepEqual(stderr.match(/FerronetWarning: .*/g), [
      `FerronetWarning: ${name}=${value} is ignored: it may be ${allowed}`,
    ]);
  });
}

for (const [name, ...values] of [
  ['FERRONET_DRIVER', '', 'auto', 'loop', 'thread'],
  ['FERRONET_THREADS', '', '1', '64'],
  ['FERRONET_RELAY', '', 'on', 'off'],
] as const) {
  test(`what is allowed for ${name} is not reported`, async (t) => {
    for (const value of values) {
      // oxlint-disable-next-line no-await-in-loop -- one process at a time
      const { stdout, stderr } = await runScript(`${echo}\necho();`, { env: { [name]: value } });
      t.deepEqual([stdout, stderr], ['hello\n', ''], value);
    }
  });
}
