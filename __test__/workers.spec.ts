// Environments: each worker has a reactor of its own, and may end at any moment.
import test from 'ava';

import { runScript } from './_helpers/script.js';

// A worker with a server on TCP and one on a path, and clients that never stop sending to them.
const busy = `
  const { parentPort, workerData } = require('node:worker_threads');
  const net = require('ferronet');
  const folder = process.platform === 'win32' ? '\\\\\\\\.\\\\pipe\\\\' : require('node:os').tmpdir() + '/';
  const path = folder + 'ferronet-' + process.pid + '-' + workerData + '.sock';
  let rounds = 0;
  const echo = (socket) => socket.on('error', () => {}).pipe(socket);
  for (const where of [{ port: 0, host: '127.0.0.1' }, { path }]) {
    const server = net.createServer(echo).listen(where, () => {
      const target = where.path ? { path } : { port: server.address().port, host: '127.0.0.1' };
      for (let i = 0; i < 4; i++) {
        const client = net.connect(target, () => client.write(Buffer.alloc(50_000, i)));
        client.on('data', (chunk) => { client.write(chunk); if (++rounds === 50) parentPort.postMessage('busy'); });
      }
    });
  }`;

test('workers that are terminated with I/O in flight crash nothing and leave nothing', async (t) => {
  const { code, stdout, stderr } = await runScript(
    `const { Worker } = require('node:worker_threads');
     const { once } = require('node:events');
     const { readdirSync } = require('node:fs');
     require('ferronet');
     const count = (folder) => process.platform === 'linux' ? readdirSync('/proc/self/' + folder).length : 0;
     // Deno removes the file of a worker's server after terminate() has resolved: no path is used twice.
     let started = 0;
     async function round() {
       const workers = [0, 1, 2].map(() => new Worker(${JSON.stringify(busy)}, { eval: true, workerData: started++ }));
       await Promise.all(workers.map((worker) => once(worker, 'message')));
       await Promise.all(workers.map((worker) => worker.terminate()));
     }
     (async () => {
       await round();
       const before = [count('fd'), count('task')];
       for (let i = 0; i < 5; i++) await round();
       // A thread that was joined may be listed a moment longer.
       const left = () => [count('fd'), count('task')];
       for (let i = 0; i < 300 && left().some((n, k) => n > before[k]); i++) await new Promise((r) => setTimeout(r, 10));
       const after = left();
       console.log(JSON.stringify({ before, after }));
     })();`,
    { limit: 60_000 },
  );
  t.is(code, 0, stderr);
  const { before, after } = JSON.parse(stdout) as { before: number[]; after: number[] };
  // Before, one that has just ended may still be counted.
  after.forEach((count, i) => t.true(count <= before[i]!, `descriptors and threads: ${after} after ${before}`));
});

test('the main thread and workers talk to each other', async (t) => {
  const { code, stdout, stderr } = await runScript(
    `const { Worker } = require('node:worker_threads');
     const net = require('ferronet');
     const server = net.createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1', () => {
       const { port } = server.address();
       let open = 3;
       for (let i = 0; i < 3; i++) {
         new Worker(
           "const net = require('ferronet'); const { workerData } = require('node:worker_threads');" +
             "net.connect(workerData, '127.0.0.1').setEncoding('utf8').on('data', console.log);",
           { eval: true, workerData: port },
         ).on('exit', () => { if (--open === 0) server.close(); });
       }
     });`,
  );
  t.is(code, 0, stderr);
  t.is(stdout, 'hello\n'.repeat(3));
});

test('process.exit() in a process with workers and traffic ends it', async (t) => {
  const { code, stderr } = await runScript(
    `const { Worker } = require('node:worker_threads');
     const worker = new Worker(${JSON.stringify(busy)}, { eval: true, workerData: 9 });
     worker.once('message', () => process.exit(7));`,
  );
  t.is(code, 7, stderr);
});
