// Every second system call on a socket or a pipe fails with EINTR, by a preloaded library (`_native/interrupted.c`). No byte
// is lost, no error is reported and nothing hangs.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { because, compile, missing } from './_helpers/native.js';
import { runScript } from './_helpers/script.js';

const testWithNative = missing ? test.skip : test;

// Echoes of few bytes, many, and several in one write; through a relay as well.
const program = `
  const net = require('ferronet');
  const { once } = require('node:events');
  const { randomBytes } = require('node:crypto');
  const { buffer } = require('node:stream/consumers');
  const path = require('node:path').join(process.env.PLACE, 's');
  const listening = async (serve, where) => {
    const server = net.createServer({ allowHalfOpen: true }, serve).listen(where);
    await once(server, 'listening');
    return [server, where.path ? where : { host: '127.0.0.1', port: server.address().port }];
  };
  (async () => {
    for (const where of [{ port: 0, host: '127.0.0.1' }, { path }]) {
      const [echo, at] = await listening((socket) => {
        socket.on('data', (data) => socket.write(data)).on('end', () => socket.end());
      }, where);
      const [relay, through] = await listening((socket) => {
        const onward = net.connect({ ...at, allowHalfOpen: true });
        socket.pipe(onward).pipe(socket);
      }, where.path ? { path: path + '2' } : where);
      for (const target of [at, through]) {
        for (const sizes of [[1], [100, 100, 100], [1 << 20], [10, 1 << 20, 10]]) {
          const client = net.connect({ ...target, allowHalfOpen: true });
          const chunks = sizes.map((size) => randomBytes(size));
          client.cork();
          for (const chunk of chunks) client.write(chunk);
          client.uncork();
          client.end();
          console.log((await buffer(client)).equals(Buffer.concat(chunks)));
        }
      }
      echo.close();
      relay.close();
    }
    process.exit();
  })();`;

async function goesWell(t: ExecutionContext, variables: Record<string, string>): Promise<void> {
  const { folder, files, remove } = compile('interrupted');
  t.teardown(remove);
  const log = join(folder, 'log');
  const env = { ...variables, PLACE: folder, LD_PRELOAD: files[0]!, FERRONET_CALLS_LOG: log };
  const { code, stdout, stderr } = await runScript(program, { env });
  t.is(stderr, '');
  t.is(stdout, 'true\n'.repeat(2 * 2 * 4));
  t.is(code, 0);
  t.true(existsSync(log));
  const calls = JSON.parse(readFileSync(log, 'utf8')) as Record<string, number>;
  for (const [name, count] of Object.entries(calls)) t.true(count > 1, `${name} was not interrupted`);
}

for (const [driver, variables] of Object.entries({
  'the load decides': {},
  'the loop': { FERRONET_DRIVER: 'loop' },
  'the thread': { FERRONET_DRIVER: 'thread' },
})) {
  testWithNative(`system calls are interrupted, ${driver}${because}`, goesWell, variables);
}
