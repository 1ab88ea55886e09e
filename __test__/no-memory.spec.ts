// Bytes that arrive while JavaScript cannot allocate memory: the socket emits an error, and no byte is lost silently. A
// preloaded library (`_native/no-memory.c`) makes the engine's allocations fail and succeed again.
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { because, compile, missing } from './_helpers/native.js';
import { runScript } from './_helpers/script.js';

const testWithNative = missing ? test.skip : test;

const opening = `
  const net = require('ferronet');
  const plain = require('node:net');
  const { once } = require('node:events');
  const { writeFileSync, rmSync } = require('node:fs');
  const flag = process.env.FERRONET_NO_MEMORY;
  const exhaust = () => writeFileSync(flag, '');
  const recover = () => rmSync(flag);
  process.on('uncaughtException', (error) => console.log('uncaught', error.message));
  const pair = async (options) => {
    const server = net.createServer(options).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = plain.connect(server.address().port, '127.0.0.1');
    const [accepted] = await once(server, 'connection');
    server.close();
    return [accepted, client.on('error', () => {})];
  };
  // So few that an ArrayBuffer is made of them, a Buffer of their size, more than one read takes (the space of one is there
  // already, perhaps, and is handed over), and much.
  const sizes = [1, 10_000, 70_000, 300_000];`;

const errors = `${opening}
  (async () => {
    for (const isFirst of [true, false]) {
      for (const size of sizes) {
        const [accepted, client] = await pair();
        if (!isFirst) {
          client.write('before');
          console.log(String((await once(accepted, 'data'))[0]));
        }
        exhaust();
        client.write(Buffer.alloc(size));
        accepted.resume();
        const [error] = await once(accepted, 'error');
        console.log(error.message, error.code, error.syscall);
        console.log(...await once(accepted, 'close'));
        recover();
        client.destroy();
      }
    }
    process.exit();
  })();`;

// A user of the handle may read on when there is memory again, as one of libuv may.
const goingOn = `${opening}
  (async () => {
    for (const size of sizes) {
      const [accepted, client] = await pair({ pauseOnConnect: true });
      const handle = accepted._handle;
      const bytes = require('node:crypto').randomBytes(size);
      const [chunks, errors] = [[], []];
      let change;
      handle.reader = (length, chunk) => {
        (chunk ? chunks : errors).push(chunk ?? length);
        change?.();
      };
      const changed = () => new Promise((resolve) => (change = resolve));
      for (let round = 0; round < 2; round++) {
        exhaust();
        if (round === 0) client.end(bytes);
        handle.readStart();
        while (errors.length === 0) await changed();
        console.log(...errors.splice(0));
        recover();
      }
      handle.readStart();
      while (errors.length === 0) await changed();
      console.log(...errors, Buffer.concat(chunks).equals(bytes));
      accepted.destroy();
    }
    process.exit();
  })();`;

async function plays(
  t: ExecutionContext,
  script: string,
  variables: Record<string, string>,
  expected: string,
): Promise<void> {
  const { folder, files, remove } = compile('no-memory');
  t.teardown(remove);
  const env = { ...variables, LD_PRELOAD: files[0]!, FERRONET_NO_MEMORY: join(folder, 'exhausted') };
  const { code, stdout, stderr } = await runScript(script, { env });
  t.is(stdout, expected, stderr);
  t.is(code, 0);
}

const SIZES = 4;
const refused = 'read ENOBUFS ENOBUFS read\ntrue\n';

for (const [driver, variables] of Object.entries({
  'the load decides': {},
  'the loop': { FERRONET_DRIVER: 'loop' },
  'the thread': { FERRONET_DRIVER: 'thread' },
})) {
  testWithNative(
    `a socket that there is no memory for has an error, ${driver}${because}`,
    plays,
    errors,
    variables,
    refused.repeat(SIZES) + `before\n${refused}`.repeat(SIZES),
  );
  testWithNative(
    `what there was no memory for comes when there is, ${driver}${because}`,
    plays,
    goingOn,
    variables,
    '-105\n-105\n-4095 true\n'.repeat(SIZES),
  );
}
