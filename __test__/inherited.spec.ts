// Descriptors that another program opened, as systemd hands them over: listening, or connected.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

import test from 'ava';

import { isNode, peer, triedNames } from './_helpers/implementations.js';
import { atMost } from './_helpers/patience.js';

type WithHandle = Server & { _handle: { fd: number } };

const PACKAGE = join(__dirname, '..');

/** Runs `source` with `fd` as its descriptor 3. */
function runWith(fd: number, source: string): { listening: Promise<unknown>; output: Promise<string> } {
  const child = spawn(process.execPath, ['--eval', source], {
    cwd: PACKAGE,
    stdio: ['ignore', 'pipe', 'inherit', fd],
    timeout: atMost(20_000),
  }) as ChildProcessByStdio<null, Readable, null>;
  return { listening: once(child.stdout, 'readable'), output: text(child.stdout) };
}

// Sends its address, serves one connection and ends.
const serve = (name: string): string => `
  const net = require(${JSON.stringify(name)});
  const server = net.createServer((socket) => { socket.end('served'); server.close(); });
  server.on('error', (error) => console.log(error.message));
  server.listen({ fd: 3 }, () => console.log(JSON.stringify(server.address())));`;

const answer = (target: { port: number } | { path: string }): Promise<string> =>
  text(peer.connect({ host: '127.0.0.1', ...target }));

const declare = process.platform === 'win32' ? test.skip : test;

for (const name of triedNames) {
  declare(`${name}: a listening TCP socket`, async (t) => {
    const parent = peer.createServer() as WithHandle;
    parent.listen(0, '127.0.0.1');
    await once(parent, 'listening');
    const address = parent.address() as AddressInfo;
    const { listening, output } = runWith(parent._handle.fd, serve(name));
    await listening;
    parent.close();
    t.is(await answer(address), 'served');
    t.deepEqual(JSON.parse(await output), address);
  });

  declare(`${name}: a listening Unix socket`, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'net-'));
    const [path, kept] = [join(directory, 'a'), join(directory, 'b')];
    const parent = peer.createServer() as WithHandle;
    parent.listen(path);
    await once(parent, 'listening');
    const { listening, output } = runWith(parent._handle.fd, serve(name));
    await listening;
    // Who bound the path removes it when closing.
    renameSync(path, kept);
    parent.close();
    t.is(await answer({ path: kept }), 'served');
    t.is((await output).trim(), 'null');
    rmSync(directory, { recursive: true });
  });

  declare(`${name}: a connection`, async (t) => {
    const parent = peer.createServer({ pauseOnConnect: true });
    parent.listen(0, '127.0.0.1');
    await once(parent, 'listening');
    const client = peer.connect((parent.address() as AddressInfo).port, '127.0.0.1');
    const [accepted] = (await once(parent, 'connection')) as [{ _handle: { fd: number }; destroy: () => void }];
    const { output } = runWith(
      accepted._handle.fd,
      `const net = require(${JSON.stringify(name)});
       const socket = new net.Socket({ fd: 3 });
       socket.setEncoding('utf8').on('data', (text) => socket.end('got ' + text)).on('close', (bad) => console.log(bad));`,
    );
    client.write('this');
    const [reply] = (await once(client.setEncoding('utf8'), 'data')) as [string];
    t.is(reply, 'got this');
    client.end();
    t.is((await output).trim(), 'false');
    accepted.destroy();
    parent.close();
  });
}

interface WithPipe {
  pipe: Duplex;
  output: Promise<string>;
  ended: Promise<unknown>;
}

/** Runs `source` with a pipe as its descriptor 3, which may be one that Windows reads without a thread. */
function runWithPipe(source: string, kind: 'pipe' | 'overlapped'): WithPipe {
  const child = spawn(process.execPath, ['--eval', source], {
    cwd: PACKAGE,
    stdio: ['ignore', 'pipe', 'inherit', kind],
    timeout: atMost(20_000),
  });
  return { pipe: child.stdio[3] as Duplex, output: text(child.stdout as Readable), ended: once(child, 'close') };
}

const declareOnNode = isNode ? test : test.skip;

for (const name of triedNames) {
  for (const kind of ['pipe', 'overlapped'] as const) {
    declareOnNode(`${name}: a parent's pipe (${kind}): both ways, the end, and its close`, async (t) => {
      const { pipe, output, ended } = runWithPipe(
        `const net = require(${JSON.stringify(name)});
         const socket = new net.Socket({ fd: 3 });
         const log = [socket.readable, socket.writable, socket.pending];
         let got = '';
         socket.setEncoding('utf8').on('data', (text) => {
           got += text;
           if (got.endsWith('!')) socket.write('got ' + got.length, () => log.push('written'));
         });
         for (const name of ['end', 'finish']) socket.on(name, () => log.push(name));
         socket.on('close', (bad) => console.log(JSON.stringify([...log, bad, socket.bytesRead, socket.bytesWritten])));`,
        kind,
      );
      // More than a pipe has room for.
      pipe.write(Buffer.alloc(300_000, 'x'));
      pipe.write('!');
      const [received] = (await once(pipe.setEncoding('utf8'), 'data')) as [string];
      t.is(received, 'got 300001');
      pipe.end();
      await ended;
      t.deepEqual(JSON.parse(await output), [true, true, false, 'written', 'end', 'finish', false, 300_001, 10]);
    });
  }

  declareOnNode(`${name}: a pipe that is not read does not keep the process alive`, async (t) => {
    const { output, ended } = runWithPipe(
      `const net = require(${JSON.stringify(name)});
       const socket = new net.Socket({ fd: 3 });
       socket.unref();
       process.on('exit', () => console.log('left', socket.destroyed));`,
      'pipe',
    );
    await ended;
    t.is((await output).trim(), 'left false');
  });

  declareOnNode(`${name}: what is written to the own output is there when the process exits`, async (t) => {
    const { output, ended } = runWithPipe(
      `const net = require(${JSON.stringify(name)});
       const socket = new net.Socket({ fd: 1, readable: false, writable: true });
       for (const word of ['one ', 'two ', 'three']) socket.write(word);
       process.exit();`,
      'pipe',
    );
    await ended;
    t.is(await output, 'one two three');
  });
}
