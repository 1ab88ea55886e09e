// One connection goes from thread to thread while both sides send, and every byte arrives once and in its place.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';

import test from 'ava';

import { listed, pair, type Transport } from './_helpers/transfer.js';

// A pipe of Windows stays in its thread.
const transports: readonly Transport[] = process.platform === 'win32' ? ['tcp'] : ['tcp', 'unix'];

// Echoes a part of what arrives, then sends the socket on, as soon as the kernel has what was written.
const echoing = `
  require('ferronet');
  const { parentPort } = require('node:worker_threads');
  let next;
  const echo = (socket) => {
    let left = 150_000;
    let passed = false;
    const pass = () => {
      if (passed || left > 0 || socket.writableLength > 0) return;
      passed = true;
      next.postMessage(socket, [socket]);
    };
    socket.on('data', (chunk) => {
      left -= chunk.length;
      if (left <= 0) socket.pause();
      socket.write(chunk, pass);
      pass();
    });
    // Delivered also while paused; the listener keeps a reference to the socket.
    socket.on('end', () => {
      passed = true;
      socket.end();
    });
  };
  parentPort.on('message', (ports) => {
    next = ports.next;
    ports.from.on('message', echo);
    parentPort.postMessage('ready');
  });`;

for (const transport of transports) {
  test(`${transport}: three workers in a ring echo one connection in turn`, async (t) => {
    const [client, socket] = await pair(t, transport, { allowHalfOpen: true });
    const channels = [0, 1, 2].map(() => new MessageChannel());
    // Waits in the channel that the first one is given.
    channels[0]?.port2.postMessage(socket, listed(socket));
    const workers = channels.map(({ port1: from }, n) => {
      const { port2: next } = channels[(n + 1) % channels.length] as MessageChannel;
      const worker = new Worker(echoing, { eval: true });
      worker.postMessage({ from, next }, listed(from, next));
      return worker;
    });
    t.teardown(async () => void (await Promise.all(workers.map((worker) => worker.terminate()))));
    const broken = new Promise<never>((_, reject) => {
      for (const worker of workers) worker.on('error', reject);
    });
    await Promise.race([broken, Promise.all(workers.map((worker) => once(worker, 'message')))]);
    const bytes = randomBytes(6_000_000);
    const hash = createHash('sha256');
    let length = 0;
    client.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      length += chunk.length;
    });
    client.end(bytes);
    await Promise.race([broken, once(client, 'end')]);
    t.is(length, bytes.length);
    t.is(hash.digest('hex'), createHash('sha256').update(bytes).digest('hex'));
  });
}
