// What arrives behind urgent data, and behind a descriptor that was passed on a Unix socket: a read stops there, so that
// there is more to read though no more has to arrive.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { peer, triedNames } from './_helpers/implementations.js';
import { because, compile, missing } from './_helpers/native.js';
import { runScript } from './_helpers/script.js';

const testWithNative = missing ? test.skip : test;

// Each case: what is sent, and what is received of it. Both ends of a relay, too; `much` has it move by the kernel.
const program = `
  const net = require(process.env.TRIED);
  const plain = require('node:net');
  const send = require(process.env.MESSAGE);
  const { once } = require('node:events');
  const { readdirSync, mkdtempSync, rmSync } = require('node:fs');
  const folder = mkdtempSync(require('node:path').join(require('node:os').tmpdir(), 'short-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const descriptors = () => readdirSync('/proc/self/fd').length;

  // A socket of the module's, and the other end, which is Node's.
  const pair = async (where, options) => {
    const server = net.createServer(options).listen(where);
    await once(server, 'listening');
    const target = where.path ? where : { ...where, port: server.address().port };
    const other = plain.connect(target);
    const [[accepted]] = await Promise.all([once(server, 'connection'), once(other, 'connect')]);
    server.close();
    other.setNoDelay?.(true);
    return [accepted, other];
  };
  const received = async (socket, size) => {
    let text = '';
    for (const add = (data) => (text += data); ; ) {
      socket.on('data', add);
      while (text.length < size) await once(socket, 'data');
      socket.off('data', add);
      return text;
    }
  };
  const tcp = { port: 0, host: '127.0.0.1' };
  const unix = { path: folder + '/s' };
  const urgent = (fd) => send(fd, '!', true, -1);
  const passing = (fd) => send(fd, '+', false, 0);

  (async () => {
    for (const [where, stop, seen] of [[tcp, urgent, ''], [unix, passing, '+']]) {
      const [accepted, other] = await pair(where);
      const { fd } = other._handle;
      const message = () => { send(fd, 'before', false, -1); stop(fd); send(fd, 'after', false, -1); };
      const expected = 'before' + seen + 'after';
      accepted.setEncoding('latin1');
      for (let n = 0; n < 5; n++) {
        message();
        console.log(where === tcp, await received(accepted, expected.length) === expected);
      }
      // While nothing reads, and the end right behind.
      accepted.pause();
      const open = descriptors();
      // An urgent byte that was not read when the next one arrives becomes an ordinary byte.
      const times = where === tcp ? 1 : 20;
      for (let n = 0; n < times; n++) message();
      other.end();
      const text = await received(accepted.resume(), times * expected.length);
      await once(accepted, 'end');
      console.log(text === expected.repeat(times), descriptors() === open);
      accepted.destroy();
    }
    // An echo that JavaScript has no part in.
    for (const [where, stop, seen] of [[tcp, urgent, ''], [unix, passing, '+']]) {
      const [accepted, other] = await pair(where);
      accepted.pipe(accepted);
      other.setEncoding('latin1');
      const much = 'x'.repeat(300_000);
      for (const text of ['few', much, 'few', much]) {
        other.write(text);
        const echoed = await received(other, text.length);
        stop(other._handle.fd);
        send(other._handle.fd, 'after', false, -1);
        const after = seen + 'after';
        console.log(echoed === text, (await received(other, after.length)) === after);
      }
      other.destroy();
      accepted.destroy();
    }
    process.exit(0);
  })();`;

async function receivesAll(t: ExecutionContext, tried: string, variables: Record<string, string>): Promise<void> {
  const { files, remove } = compile('message');
  t.teardown(remove);
  const { code, stdout, stderr } = await runScript(program, {
    env: { TRIED: tried, MESSAGE: files[0]!, ...variables },
  });
  t.is(stderr, '');
  t.is(stdout, `${'true true\n'.repeat(5 + 1)}${'false true\n'.repeat(5)}true true\n${'true true\n'.repeat(8)}`);
  t.is(code, 0);
}

const drivers: Record<string, Record<string, string>> = {
  'the load decides': {},
  'the loop': { FERRONET_DRIVER: 'loop' },
  'the thread': { FERRONET_DRIVER: 'thread' },
  'four threads': { FERRONET_THREADS: '4' },
};

for (const name of triedNames) {
  for (const [driver, variables] of Object.entries(name === 'ferronet' ? drivers : { node: {} })) {
    testWithNative(`${name} (${driver}): nothing stays unread${because}`, receivesAll, name, variables);
  }
}

const MESSAGES = 200;

/** Answers how often the server has received from whom it echoes to. */
async function receives(t: ExecutionContext, name: 'recv' | 'recvmsg', driver: string): Promise<number> {
  const { folder, files, remove } = compile('interrupted');
  t.teardown(remove);
  const log = join(folder, 'log');
  const path = join(folder, 's');
  const where = name === 'recv' ? "0, '127.0.0.1'" : JSON.stringify(path);
  const { code, stderr } = await runScript(
    `const server = require('ferronet').createServer((socket) => {
       server.close();
       socket.on('data', (data) => socket.write(data));
     }).listen(${where}, () => console.log(server.address().port ?? 0));`,
    {
      env: { LD_PRELOAD: files[0]!, FERRONET_COUNT_ONLY: '1', FERRONET_CALLS_LOG: log, FERRONET_DRIVER: driver },
      onLine: (port) => {
        const client = name === 'recv' ? peer.connect(Number(port), '127.0.0.1') : peer.connect(path);
        void (async () => {
          for (let n = 0; n < MESSAGES; n++) {
            client.write('message');
            await once(client, 'data');
          }
          client.end();
        })();
      },
    },
  );
  t.is(code, 0, stderr);
  return (JSON.parse(readFileSync(log, 'utf8')) as Record<typeof name, number>)[name];
}

for (const driver of ['loop', 'thread']) {
  for (const name of ['recv', 'recvmsg'] as const) {
    testWithNative(`an echo takes one receive a message (${name}, ${driver})${because}`, async (t) => {
      const calls = await receives(t, name, driver);
      // The end is one more, and a poller may report a connection as readable before there is anything.
      t.true(calls > MESSAGES && calls < MESSAGES + 5, String(calls));
    });
  }
}
