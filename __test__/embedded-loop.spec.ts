// A program that embeds libuv's loop in its own, as Electron does: it sleeps outside of the loop's turns, and runs
// JavaScript meanwhile. Events that this causes have to end the sleep, or they are never delivered.
import test, { type ExecutionContext } from 'ava';

import { because, compile, missing } from './_helpers/native.js';
import { runScript } from './_helpers/script.js';

const testWithNative = missing ? test.skip : test;

// What comes after `asleep()` runs in the middle of a sleep, which nothing else would end.
const program = `
  const net = require('ferronet');
  const { once } = require('node:events');
  const asleep = () => new Promise(whileAsleep);
  const MUCH = 8 << 20;
  (async () => {
    await asleep();
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const connected = async () => {
      await asleep();
      const client = net.connect({ port: server.address().port, host: '127.0.0.1', allowHalfOpen: true });
      const [[accepted]] = await Promise.all([once(server, 'connection'), once(client, 'connect')]);
      return [client, accepted];
    };
    const [client, accepted] = await connected();
    console.log('connected');

    await asleep();
    client.write('read later');
    await asleep();
    accepted.resume();
    console.log(String((await once(accepted, 'data'))[0]));

    await asleep();
    let missing = MUCH;
    accepted.write(Buffer.alloc(MUCH));
    client.on('data', ({ length }) => { missing -= length; });
    await once(accepted, 'drain');
    while (missing > 0) await once(client, 'data');
    console.log('much');

    const [other, end] = await connected();
    await asleep();
    accepted.pipe(end);
    for (const text of ['first', 'second', 'third']) {
      await asleep();
      client.write(text);
      console.log(String((await once(other, 'data'))[0]));
    }

    await asleep();
    client.end();
    await Promise.all([once(client, 'finish'), once(accepted, 'end')]);
    console.log('half closed');
    for (const socket of [client, accepted, other, end]) {
      await asleep();
      socket.destroy();
      await once(socket, 'close');
    }
    console.log('closed');

    await asleep();
    server.close();
    await once(server, 'close');
    await asleep();
    const [error] = await once(net.connect(server.address()?.port ?? 1, '127.0.0.1'), 'error').catch((error) => [error]);
    console.log(error.code);
    process.exit();
  })();
  embed();`;

const said = ['connected', 'read later', 'much', 'first', 'second', 'third', 'half closed', 'closed', 'ECONNREFUSED'];

async function listens(t: ExecutionContext, variables: Record<string, string>): Promise<void> {
  const { files, remove } = compile('embedding');
  t.teardown(remove);
  const { code, stdout, stderr } = await runScript(
    `Object.defineProperty(process.versions, 'electron', { value: '45.4.1' });
     const { embed, whileAsleep } = require(${JSON.stringify(files[0])});
     ${program}`,
    { env: variables },
  );
  t.is(stdout, said.map((line) => `${line}\n`).join(''), stderr);
  t.is(code, 0, stderr);
}

for (const [title, variables] of Object.entries({
  'the load decides': {},
  'the loop': { FERRONET_DRIVER: 'loop' },
  'the thread': { FERRONET_DRIVER: 'thread' },
  'two threads': { FERRONET_THREADS: '2' },
})) {
  testWithNative(`calls between two turns are heard of, ${title}${because}`, listens, variables);
}
