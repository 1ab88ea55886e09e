// Electron refuses Buffers and ArrayBuffers over memory that is not JavaScript's. A library that is preloaded does so in
// Node, for all ways by which bytes come into JavaScript. (`npm test` runs the whole suite under it.)
import test, { type ExecutionContext } from 'ava';

import { cage } from './_helpers/cage.js';
import { because, compile, missing } from './_helpers/native.js';
import { runScript } from './_helpers/script.js';

const testWithNative = missing ? test.skip : test;

testWithNative(`an addon that makes an external ArrayBuffer is refused and noted${because}`, async (t) => {
  const addon = compile('external-buffer');
  t.teardown(addon.remove);
  const { environment, count, remove } = cage();
  t.teardown(remove);
  const script = `console.log(require(${JSON.stringify(addon.files[0])}))`;
  t.is((await runScript(script, { env: { LD_PRELOAD: '' } })).stdout, '0\n', 'Node has no objection');
  t.is((await runScript(script, { env: environment })).stdout, '22\n', 'napi_no_external_buffers_allowed');
  t.deepEqual(count(), { asked: 1, refused: 1 });
});

// Few bytes and many, read at once and later, into a buffer of the program's, by a relay and after it, in another thread.
const program = `
  const net = require('ferronet');
  const { once } = require('node:events');
  const { Worker } = require('node:worker_threads');
  const path = require('node:path').join(process.env.PLACE, 'socket');
  const read = async (socket, missing) => {
    socket.on('data', ({ length }) => { missing -= length; }).resume();
    while (missing > 0) await once(socket, 'data');
  };
  const MUCH = 4 << 20;
  (async () => {
    for (const where of [{ port: 0, host: '127.0.0.1' }, { path }]) {
      const server = net.createServer({ pauseOnConnect: true }).listen(where);
      await once(server, 'listening');
      const target = where.path ? where : { ...where, port: server.address().port };
      const connected = async (options) => {
        const client = net.connect({ ...target, ...options });
        return [client, (await once(server, 'connection'))[0]];
      };

      const [client, accepted] = await connected();
      for (const chunk of ['a', 'é'.repeat(3000), Buffer.alloc(MUCH), Buffer.alloc(70_000)]) client.write(chunk);
      client.cork();
      client.write('text', 'latin1');
      client.write(Buffer.from('bytes'));
      client.uncork();
      const until = Date.now() + 50;
      while (Date.now() < until); // The thread reads ahead.
      await read(accepted, 1 + 6000 + MUCH + 70_000 + 9);

      const [, end] = await connected({ onread: { buffer: Buffer.alloc(1000), callback: () => true } });
      end.write(Buffer.alloc(10_000));
      const [other, next] = await connected();
      accepted.removeAllListeners('data').pipe(next);
      client.write(Buffer.alloc(MUCH));
      await read(other, MUCH);
      accepted.unpipe(next);
      client.write('after it');
      await read(accepted, 8);

      const worker = new Worker(
        "require('ferronet'); require('node:worker_threads').parentPort.once('message', (socket) => socket.pipe(socket));",
        { eval: true },
      );
      await once(worker, 'online');
      next.removeAllListeners().pause();
      other.write('on its way');
      worker.postMessage(next, [next]);
      await read(other, 10);
      other.write(Buffer.alloc(MUCH));
      await read(other, MUCH);
      for (const socket of [client, accepted, end, other]) socket.destroy();
      server.close();
      await worker.terminate();
    }
    process.exit(0);
  })();`;

async function asksForNone(t: ExecutionContext, variables: Record<string, string>): Promise<void> {
  const { environment, count, remove } = cage();
  t.teardown(remove);
  const env = { ...environment, PLACE: environment.FERRONET_CAGE_LOG.replace(/log$/, ''), ...variables };
  const { code, stderr } = await runScript(program, { env });
  t.is(code, 0, stderr);
  const { asked, refused } = count();
  t.true(asked > 0, 'it has looked the functions up, so that the cage was there');
  t.is(refused, 0);
}

for (const [title, variables] of Object.entries({
  'the load decides': {},
  'the loop': { FERRONET_DRIVER: 'loop' },
  'the thread': { FERRONET_DRIVER: 'thread' },
})) {
  testWithNative(`bytes come in memory of JavaScript's own, ${title}${because}`, asksForNone, variables);
}
