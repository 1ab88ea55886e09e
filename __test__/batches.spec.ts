// Writes of callbacks are batched until the pending events are delivered: they take one system call, and a failure is
// reported later than with node:net.
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

import { both, closed } from './_helpers/both.js';

// Sends a message and resets the connection at once, while the other side sleeps; then signals it.
const resetter = `
  const { workerData } = require('node:worker_threads');
  const gone = new Int32Array(workerData.gone);
  const socket = require('node:net').connect(workerData.port, '127.0.0.1', () => socket.write('go', () => {
    socket.resetAndDestroy();
    socket.on('close', () => { Atomics.store(gone, 0, 1); Atomics.notify(gone, 0); });
  }));`;

// Windows notifies a library of the exit too late, so nothing is batched there.
const onUnix: typeof both = (title, run) => both(title, run, { not: ['win32'] });

onUnix(
  'a write to a peer that has reset: the socket has the error, with node:net its callback as well',
  async (t, place) => {
    const gone = new Int32Array(new SharedArrayBuffer(4));
    const server = place.net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const worker = new Worker(resetter, { eval: true, workerData: { port, gone: gone.buffer } });
    const [socket] = (await once(server, 'connection')) as [Socket];
    Atomics.wait(gone, 0, 0, 20_000);
    const told: string[] = [];
    socket.on('data', () => {
      socket.write('answer', (error) =>
        told.push(`callback ${(error as NodeJS.ErrnoException | null)?.code ?? 'fine'}`),
      );
    });
    socket.on('error', (error: NodeJS.ErrnoException) => told.push(`error ${error.code}`));
    socket.resume();
    await closed(socket);
    server.close();
    await worker.terminate();
    const [first, second] = told;
    // A batched write succeeds. If the thread has found the reset first, the write is tried at once, as by node:net.
    if (place.isOurs) t.regex(String(first), /^callback (fine|EPIPE|ECONNRESET)$/);
    else t.regex(String(first), /^callback (EPIPE|ECONNRESET)$/);
    t.regex(String(second), /^error (EPIPE|ECONNRESET)$/);
  },
);
