// Here node:net throws out of its own ticks ("Cannot read properties of null", "Cannot destructure"), where a program
// cannot catch them.
import type { LookupFunction } from 'node:net';

import test from 'ava';

import { expectedHere } from './_helpers/describe.js';
import { errnoOf } from './_helpers/errno.js';
import { ours } from './_helpers/implementations.js';
import { runScript } from './_helpers/script.js';
import { play } from './_helpers/stage.js';

test('a socket may be destroyed in its connectionAttempt event', async (t) => {
  const lanes = await play(ours, async (stage) => {
    const server = await stage.listening();
    const client = stage.connect(server);
    client.on('connectionAttempt', () => client.destroy());
    await stage.closed(client);
    await stage.finish(server);
  });
  t.deepEqual(lanes['C'], [
    "connectionAttempt('127.0.0.1', PORT, 4) {opening connecting pending}",
    'close(false) {closed pending destroyed}',
  ]);
});

test('a lookup may answer with no address at all', async (t) => {
  const lanes = await play(ours, async (stage) => {
    const client = stage.socket();
    const lookup: LookupFunction = (_name, _options, callback) => process.nextTick(callback, null, []);
    client.connect({ port: 1, host: 'none.test', lookup });
    await stage.closed(client);
  });
  t.deepEqual(lanes['C'], [
    expectedHere(
      'error(TypeError[code=ERR_INVALID_IP_ADDRESS] "Invalid IP address: undefined" (code) titled TypeError [ERR_INVALID_IP_ADDRESS]) {closed pending destroyed}',
    ),
    'close(true) {closed pending destroyed}',
  ]);
});

test('a socket may be destroyed and connected anew in its connectionAttempt event', async (t) => {
  const lanes = await play(ours, async (stage) => {
    const server = await stage.listening({}, (accepted) => accepted.end());
    const client = stage.connect(server);
    client.once('connectionAttempt', () => client.destroy().connect(stage.portOf(server), '127.0.0.1'));
    await Promise.all([stage.until(client, 'ready'), stage.accepted()]);
    client.destroy();
    await stage.finish(server);
  });
  t.is(lanes['C']?.filter((line) => line.startsWith('connect(')).length, 1);
  t.is(lanes['S']?.filter((line) => line.startsWith('connection(')).length, 1);
});

// node:net aborts the process in the one case and connects to a path called "127.0.0.1" in the other.
test('a socket that has a connection of one kind refuses a target of the other', async (t) => {
  const lanes = await play(ours, async (stage) => {
    const server = await stage.listening();
    const tcp = stage.connect(server);
    stage.call('C', 'connect()', () => tcp.connect(stage.path('s')));
    await stage.closed(tcp);
    const local = stage.server('L');
    local.listen(stage.path('s'));
    await stage.until(local, 'listening');
    const unix = stage.socket('U').connect(stage.path('s'));
    stage.call('U', 'connect()', () => unix.connect(stage.portOf(server), '127.0.0.1'));
    await stage.closed(unix);
  });
  const invalid = `EINVAL errno=${errnoOf('EINVAL')} syscall=connect`;
  const name = process.platform === 'win32' ? '<pipe>-s' : '<tmp>/s';
  const path = `address=${name}] "connect EINVAL ${name}" (errno,code,syscall,address)`;
  const address = 'address=127.0.0.1 port=PORT] "connect EINVAL 127.0.0.1:PORT" (errno,code,syscall,address,port)';
  t.is(lanes['C']?.at(-2), `error(Error[code=${invalid} ${path}) {closed pending destroyed}`);
  t.is(lanes['U']?.at(-2), `error(Error[code=${invalid} ${address}) {closed pending destroyed}`);
});

// node:net emits `connect` a second time for TCP: Linux reports the success of the first connect(2) once more.
test('a socket that is connected cannot connect again', async (t) => {
  const lanes = await play(ours, async (stage) => {
    const server = await stage.listening();
    const client = stage.connect(server);
    await Promise.all([stage.accepted(), stage.until(client, 'ready')]);
    stage.call('C', 'connect()', () => client.connect(stage.portOf(server), '127.0.0.1'));
    await stage.closed(client);
    await stage.finish(server);
  });
  t.is(lanes['C']?.filter((line) => line.startsWith('connect(')).length, 1);
  t.regex(lanes['C']?.at(-2) ?? '', /^error\(Error\[code=EISCONN .*\{closed pending destroyed\}$/);
});

// node:net reports EISCONN and loses the first request, so the process never ends. On Windows an assertion of Node's
// aborts it.
test('a local socket that connects while connecting fails, and the process ends', async (t) => {
  const outcome = await runScript(`
    const net = require('ferronet');
    const folder = process.platform === 'win32' ? '\\\\\\\\.\\\\pipe' : require('node:os').tmpdir();
    const path = require('node:path').join(folder, 'net-twice-' + process.pid);
    const server = net.createServer((socket) => socket.resume()).listen(path, () => {
      const client = net.connect(path).on('error', ({ code }) => console.log(code));
      client.connect(path).on('close', () => server.close());
    });`);
  t.like(outcome, { code: 0, stdout: 'EALREADY\n', stderr: '' });
});
