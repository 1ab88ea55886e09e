// Native handles of Node's that are closed, of the wrong kind, or no handles at all: an error, where node:net ends the process.
// So each case is a process.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { isNode } from './_helpers/implementations.js';
import { localPath } from './_helpers/local-path.js';
import { runScript } from './_helpers/script.js';

const PRELUDE = `
  const net = require('ferronet');
  const node = require('node:net');
  const { once } = require('node:events');
  const { TCP } = process.binding('tcp_wrap');
  const { Pipe } = process.binding('pipe_wrap');
  const { UDP } = process.binding('udp_wrap');
  const say = (...words) => console.log(...words);
  const turn = () => new Promise(setImmediate);
  const over = (socket) => new Promise((resolve) => socket.once('close', resolve));
  const path = process.platform === 'win32' ? '\\\\\\\\.\\\\pipe\\\\no-such-pipe' : '/no/such/socket';
  const targetOf = (handle) => (handle instanceof Pipe ? { path } : { port: 1, host: '127.0.0.1' });
  const socketOf = (handle) => {
    const socket = new net.Socket({ handle, manualStart: true });
    return socket.on('error', ({ code, syscall }) => say(syscall, code));
  };
  const thrown = (call) => {
    try {
      call();
      say('nothing thrown');
    } catch ({ code }) {
      say(code);
    }
  };
  /** Closing still, and closed. */
  const closed = async (handle) => {
    await new Promise((resolve) => handle.close(resolve));
    return handle;
  };
  const closing = (handle) => (handle.close(), handle);
`;

/** What a program says, which ends by itself. */
const cases: Record<string, [program: string, said: string[]]> = {
  'a closed handle connects': [
    `for (const Handle of [TCP, Pipe]) {
       for (const close of [closing, closed]) {
         const handle = await close(new Handle(0));
         await over(socketOf(handle).connect(targetOf(handle)));
       }
     }`,
    ['connect EBADF', 'connect EBADF', 'connect EBADF', 'connect EBADF'],
  ],
  'a closed handle that is assigned connects': [
    `for (const close of [closing, closed]) {
       const socket = new net.Socket().on('error', ({ code }) => say(code));
       socket._handle = await close(new TCP(0));
       await over(socket.connect(1, '127.0.0.1'));
     }`,
    ['EBADF', 'EBADF'],
  ],
  'a handle that the program closes before it has connected': [
    `for (const later of [(close) => close(), process.nextTick, (close, socket) => socket.on('connectionAttempt', close)]) {
       const handle = new TCP(0);
       const socket = socketOf(handle).connect(1, '127.0.0.1');
       later(() => handle.close(), socket);
       await over(socket);
     }`,
    ['connect EBADF', 'connect ECANCELED', 'connect EBADF'],
  ],
  'a handle with which a local server listens does not connect': [
    `const server = node.createServer().listen(process.env.LOCAL_PATH);
     await once(server, 'listening');
     await over(socketOf(server._handle).connect(process.env.LOCAL_PATH));
     server.close();`,
    ['connect EINVAL'],
  ],
  'a handle with which a socket of node:net begins to connect, and a ferronet socket that is destroyed': [
    `const theirs = node.connect(1, '127.0.0.1').on('error', () => say('not heard'));
     await over(socketOf(theirs._handle).destroy());
     await turn();
     say('went on');`,
    ['went on'],
  ],
  'a handle with which a socket of node:net connects': [
    `const server = node.createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
     await once(server, 'listening');
     const theirs = node.connect(server.address().port, '127.0.0.1');
     const socket = socketOf(theirs._handle);
     socket.write('waits for the connection', () => socket.resume().on('data', (data) => say(String(data))).end());
     await over(socket);
     server.close();`,
    ['hello'],
  ],
  'a class of handles is no handle and no listener': [
    `for (const given of [TCP, Pipe, UDP]) {
       thrown(() => net.createServer().listen(given));
       thrown(() => net.createServer().listen(0, given));
       thrown(() => net.connect(1, '127.0.0.1', given));
     }
     for (const name of ['handle', '_handle']) thrown(() => net.createServer().listen({ [name]: TCP }));`,
    Array.from({ length: 11 }, () => 'ERR_INVALID_ARG_VALUE'),
  ],
  'a server does not listen with a prototype, or what is closed': [
    `const shut = [closing(new TCP(1)), await closed(new TCP(1))];
     for (const given of [TCP.prototype, Pipe.prototype, Object.create(TCP.prototype), ...shut]) {
       try {
         const [{ syscall }] = await once(net.createServer().listen(given), 'error');
         say(syscall);
       } catch ({ syscall, message }) {
         say(syscall ?? (/illegal invocation/i.test(message) ? 'listen' : message));
       }
     }`,
    Array.from({ length: 5 }, () => 'listen'),
  ],
  'a socket without an open stream is no stdio of a child': [
    `const { spawn } = require('node:child_process');
     for (const handle of [await closed(new TCP(0)), closing(new TCP(0)), await closed(new Pipe(0)), new UDP()]) {
       thrown(() => spawn(process.execPath, ['--version'], { stdio: ['ignore', socketOf(handle), 'ignore'] }));
     }
     process.exit();`,
    Array.from({ length: 4 }, () => 'ERR_INVALID_ARG_VALUE'),
  ],
  'an HTTP server and an HTTP/2 session of a closed handle': [
    `const handle = async () => new net.Socket({ handle: await closed(new TCP(0)) }).on('error', ({ code }) => say(code));
     const http = await handle();
     require('node:http').createServer().emit('connection', http);
     await over(http);
     const http2 = await handle();
     const session = require('node:http2').connect('http://localhost', { createConnection: () => http2 });
     session.on('error', () => {});
     await over(http2);
     say('went on');`,
    ['went on'],
  ],
};

const declare = isNode ? test : test.skip;

for (const [title, [program, said]] of Object.entries(cases)) {
  declare(title, async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'net-'));
    t.teardown(() => rm(directory, { recursive: true, force: true }));
    const env = { LOCAL_PATH: localPath(directory, 'socket') };
    const { code, stdout, stderr } = await runScript(`${PRELUDE}(async () => {${program}})();`, { env });
    t.is(code, 0, stderr);
    t.deepEqual(stdout.split('\n').slice(-said.length - 1, -1), said, stdout);
  });
}
