// JavaScript that computes does not stop the reading, and a peer that goes on sending does not fill memory meanwhile.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';

import test from 'ava';

import { ours } from './_helpers/implementations.js';

const CHUNK = 65_536;
const CHUNKS = 1_024;

// Writes CHUNKS numbered chunks from a thread of its own and counts those that the kernel has taken.
const sender = `
  const { workerData } = require('node:worker_threads');
  const taken = new Int32Array(workerData.taken);
  const socket = require('node:net').connect(workerData.port, '127.0.0.1', () => {
    let next = 0;
    const send = () => {
      if (next === ${CHUNKS}) return socket.end();
      socket.write(Buffer.alloc(${CHUNK}, next++ % 251), () => { Atomics.add(taken, 0, 1); Atomics.notify(taken, 0); send(); });
    };
    send();
  });`;

test('while JavaScript is blocked, a connection reads what its credit allows, and no more', async (t) => {
  const server = ours.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const taken = new Int32Array(new SharedArrayBuffer(4));
  const { port } = server.address() as AddressInfo;
  const worker = new Worker(sender, { eval: true, workerData: { port, taken: taken.buffer } });
  const [socket] = (await once(server, 'connection')) as [import('node:net').Socket];
  socket.once('readable', () => {});

  // Stands still until the peer could send nothing for half a second.
  for (let before = -1; before !== Atomics.load(taken, 0);) {
    before = Atomics.load(taken, 0);
    Atomics.wait(taken, 0, before, 500);
  }
  const bytes = Atomics.load(taken, 0) * CHUNK;
  t.true(
    bytes < (CHUNK * CHUNKS * 3) / 4,
    `the peer could send ${bytes} bytes: kernel buffers and the credit, not all 64 MiB`,
  );

  let received = 0;
  let wrong = 0;
  socket.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; at += 4_096) {
      if (chunk[at] !== Math.floor((received + at) / CHUNK) % 251) wrong++;
    }
    received += chunk.length;
  });
  await once(socket, 'close');
  t.is(received, CHUNK * CHUNKS);
  t.is(wrong, 0);
  server.close();
  await worker.terminate();
});

// Sends a message, and signals through shared memory that it has the answer.
const asker = `
  const { workerData } = require('node:worker_threads');
  const answered = new Int32Array(workerData.answered);
  const socket = require('node:net').connect(workerData.port, '127.0.0.1', () => socket.write('go'));
  socket.on('data', () => { Atomics.store(answered, 0, 1); Atomics.notify(answered, 0); socket.end(); });`;

test('what a callback writes goes out while it computes on', async (t) => {
  const answered = new Int32Array(new SharedArrayBuffer(4));
  const server = ours.createServer((socket) => {
    socket.on('data', () => {
      socket.write('answer');
      // Stands still until the peer has it.
      t.not(Atomics.wait(answered, 0, 0, 20_000), 'timed-out');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const worker = new Worker(asker, { eval: true, workerData: { port, answered: answered.buffer } });
  const [socket] = (await once(server, 'connection')) as [import('node:net').Socket];
  await once(socket, 'close');
  t.is(Atomics.load(answered, 0), 1);
  server.close();
  await worker.terminate();
});
