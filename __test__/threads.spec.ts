// Several reactor threads (`FERRONET_THREADS`): what a program sees is what it sees with one.
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';

import test from 'ava';

import { type Outcome, runScript } from './_helpers/script.js';

const COUNTS = [2, 4];

/** Runs a program with so many threads. `net` is the implementation in it. */
function run(threads: number | string, program: string, name = 'ferronet', limit = 40_000): Promise<Outcome> {
  return runScript(
    `process.env.FERRONET_THREADS = ${JSON.stringify(String(threads))};
     const net = require(${JSON.stringify(name)});
     const { once } = require('node:events');
     const { createHash, randomBytes } = require('node:crypto');
     const sha = (bytes) => createHash('sha256').update(bytes).digest('hex');
     const all = async (socket) => { const chunks = []; for await (const chunk of socket) chunks.push(chunk); return Buffer.concat(chunks); };
     const listen = async (server) => { await once(server.listen(0, '127.0.0.1'), 'listening'); return server.address().port; };
     (async () => { ${program} })().catch((error) => { console.error(error); process.exit(1); });`,
    { limit },
  );
}

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux(
  'there are as many threads as asked for, with the first handle; what is no number from 1 to 64 is one',
  async (t) => {
    const wanted = { 1: 1, 2: 2, 64: 64, 0: 1, 65: 1, '-2': 1, 2.5: 1, two: 1, '': 1 };
    const count = `
    const { readdirSync } = require('node:fs');
    const tasks = () => readdirSync('/proc/self/task').length;
    const before = tasks();
    const server = net.createServer().listen(0);
    console.log(tasks() - before);
    server.close();`;
    const counted = await Promise.all(
      Object.keys(wanted).map(async (value) => [value, (await run(value, count)).stdout.trim()]),
    );
    t.deepEqual(
      Object.fromEntries(counted),
      Object.fromEntries(Object.entries(wanted).map(([value, threads]) => [value, String(threads)])),
    );
  },
);

for (const threads of COUNTS) {
  test(`${threads} threads: many connections at once are echoed byte by byte`, async (t) => {
    // ferronet at either end, Node at the other: small pieces and large ones, by hand and with backpressure.
    const { code, stdout, stderr } = await run(
      threads,
      `const node = require('node:net');
       async function echoes(serving, asking) {
         const server = serving.createServer({ allowHalfOpen: true }, (socket) => {
           socket.on('data', (chunk) => { if (!socket.write(chunk)) socket.pause(); });
           socket.on('drain', () => socket.resume());
           socket.on('end', () => socket.end());
         });
         const port = await listen(server);
         const one = async (n) => {
           const bytes = randomBytes(50_000 + n * 20_011);
           const client = asking.connect(port, '127.0.0.1');
           const back = all(client);
           for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7) % 30_011 + 1) {
             if (!client.write(bytes.subarray(at, at + size))) await once(client, 'drain');
           }
           client.end();
           return sha(await back) === sha(bytes);
         };
         const same = await Promise.all(Array.from({ length: 40 }, (_, n) => one(n)));
         server.close();
         return same.filter(Boolean).length;
       }
       console.log(await echoes(net, node), await echoes(node, net), await echoes(net, net));`,
    );
    t.is(code, 0, stderr);
    t.is(stdout, '40 40 40\n');
  });

  test(`${threads} threads: each connection emits its events in the order of node:net`, async (t) => {
    // Each end has a log of its own: the order of events between two ends in one process is not specified.
    const program = `
      const logs = [];
      const watch = (socket, log) => {
        logs.push(log);
        let received = 0;
        for (const event of ['connect', 'ready', 'end', 'finish', 'timeout']) socket.on(event, () => log.push(event));
        socket.on('error', (error) => log.push('error ' + error.code));
        socket.on('close', (hadError) => log.push('close ' + hadError + ' ' + received));
        socket.on('data', (chunk) => {
          if (received === 0) {
            log.push('data');
            process.nextTick(() => log.push('tick'));
            Promise.resolve().then(() => log.push('job'));
          }
          received += chunk.length;
        });
        return (bytes, word) => socket.write(bytes, () => log.push(word));
      };
      const ways = {
        'the client ends': (client, write) => { write('x', 'one'); write('y'.repeat(300_000), 'two'); write('', 'three'); client.end(); },
        'the server ends': (client, write, server) => { write('x', 'one'); server.once('data', () => server.end('bye')); },
        'half closed': (client, write, server) => { client.end('x'); server.once('end', () => server.end('late')); },
        'the client is destroyed': (client, write) => { write('x', 'one'); setTimeout(() => client.destroy(), 30); },
        'the server is destroyed with an error': (client, write, server) => {
          write('x', 'one'); server.once('data', () => server.destroy(Object.assign(new Error('no'), { code: 'NO' })));
        },
        'the client is reset': (client, write, server) => { write('x', 'one'); server.once('data', () => client.resetAndDestroy()); },
        'the end comes with the data': (client) => { client.end('z'.repeat(100_000)); },
      };
      for (const [title, way] of Object.entries(ways)) {
        const rounds = await Promise.all(Array.from({ length: 8 }, async () => {
          const server = net.createServer({ allowHalfOpen: title === 'half closed' });
          const port = await listen(server);
          const client = net.connect(port, '127.0.0.1');
          const ends = [[], []];
          const write = watch(client, ends[0]);
          const [accepted] = await once(server, 'connection');
          watch(accepted, ends[1]);
          if (client.connecting) await once(client, 'connect');
          const closed = [client, accepted].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
          way(client, write, accepted);
          await Promise.all(closed);
          server.close();
          // Behind what was queued before.
          await new Promise(setImmediate);
          return JSON.stringify(ends);
        }));
        console.log(title, [...new Set(rounds)].sort().join(' | '));
      }`;
    const [theirs, mine] = await Promise.all([run(threads, program, 'node:net'), run(threads, program)]);
    t.is(theirs.code, 0, theirs.stderr);
    t.is(mine.code, 0, mine.stderr);
    t.is(theirs.stdout.trim().split('\n').length, 7);
    t.deepEqual(mine.stdout.split('\n'), theirs.stdout.split('\n'));
  });

  test(`${threads} threads: relays in both directions, with what JavaScript does in between`, async (t) => {
    const { code, stdout, stderr } = await run(
      threads,
      `const node = require('node:net');
       const SIZE = 6 << 20;
       const backend = node.createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
       const backendPort = await listen(backend);
       let handle, most = 0;
       const proxy = net.createServer({ allowHalfOpen: true }, (front) => {
         const back = net.connect({ port: backendPort, host: '127.0.0.1', allowHalfOpen: true });
         handle = front._handle.constructor;
         front.pipe(back).pipe(front);
       });
       const port = await listen(proxy);
       const looking = setInterval(() => { most = Math.max(most, handle?.relays() ?? 0); }, 5);
       const computing = setInterval(() => { for (const until = Date.now() + 15; Date.now() < until;); }, 40);
       const one = async () => {
         const bytes = randomBytes(SIZE);
         const client = node.connect(port, '127.0.0.1');
         const back = all(client);
         // First some messages, that the relay begins with; then as much as goes through.
         for (let at = 0; at < 3000; at += 300) {
           client.write(bytes.subarray(at, at + 300));
           await new Promise((resolve) => setTimeout(resolve, 2));
         }
         client.end(bytes.subarray(3000));
         return sha(await back) === sha(bytes);
       };
       const same = await Promise.all(Array.from({ length: 6 }, one));
       clearInterval(looking);
       clearInterval(computing);
       proxy.close();
       backend.close();
       console.log(same.join(' '), most > 2);`,
    );
    t.is(code, 0, stderr);
    t.is(stdout, 'true true true true true true true\n');
  });

  test(`${threads} threads: workers that are terminated with I/O in flight leave nothing`, async (t) => {
    const busy = `
      const { parentPort } = require('node:worker_threads');
      const net = require('ferronet');
      let rounds = 0;
      const server = net.createServer((socket) => socket.on('error', () => {}).pipe(socket));
      server.listen(0, '127.0.0.1', () => {
        for (let i = 0; i < 6; i++) {
          const client = net.connect(server.address().port, '127.0.0.1', () => client.write(Buffer.alloc(50_000, i)));
          client.on('data', (chunk) => { client.write(chunk); if (++rounds === 40) parentPort.postMessage('busy'); });
        }
      });`;
    const { code, stdout, stderr } = await run(
      threads,
      `const { Worker } = require('node:worker_threads');
       const { readdirSync } = require('node:fs');
       const count = (folder) => process.platform === 'linux' ? readdirSync('/proc/self/' + folder).length : 0;
       async function round() {
         const workers = [0, 1].map(() => new Worker(${JSON.stringify(busy)}, { eval: true }));
         await Promise.all(workers.map((worker) => once(worker, 'message')));
         await Promise.all(workers.map((worker) => worker.terminate()));
       }
       await round();
       const before = [count('fd'), count('task')];
       for (let i = 0; i < 4; i++) await round();
       // A thread that was joined may be listed a moment longer.
       const more = () => [count('fd'), count('task')].map((n, k) => n - before[k]);
       for (let i = 0; i < 300 && more().some((n) => n > 0); i++) await new Promise((r) => setTimeout(r, 10));
       console.log(more().every((n) => n <= 0), String(more()));
       const worker = new Worker(${JSON.stringify(busy)}, { eval: true });
       await once(worker, 'message');
       process.exit(7);`,
    );
    t.is(code, 7, stderr);
    t.regex(stdout, /^true /);
  });

  for (const [where, wrap] of Object.entries({
    'the main thread': (program: string) => program,
    'a worker': (program: string) =>
      `const { Worker } = require('node:worker_threads');
       new Worker(${JSON.stringify(`const net = require('ferronet'); ${program}`)}, { eval: true }).once('exit', process.exit);`,
  })) {
    test(`${threads} threads: what was written is sent when ${where} exits a turn later, with I/O in flight`, async (t) => {
      const program = `
        const server = net.createServer((socket) => {
          socket.on('error', () => {});
          socket.once('data', () => {
            socket.write('written');
            // Behind the batch of events in which this callback is.
            setImmediate(() => process.exit(3));
          });
        });
        server.listen(0, '127.0.0.1', () => {
          const busy = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1', () => {
            for (let i = 0; i < 4; i++) {
              const client = net.connect(busy.address().port, '127.0.0.1', () => client.write(Buffer.alloc(60_000)));
              client.on('data', (chunk) => client.write(chunk));
            }
            setTimeout(() => require('node:fs').writeSync(1, server.address().port + '\\n'), 50);
          });
        });`;
      for (let round = 0; round < 3; round++) {
        let answer: Promise<Buffer> | undefined;
        const outcome = await runScript(
          `process.env.FERRONET_THREADS = '${threads}'; const net = require('ferronet'); ${wrap(program)}`,
          {
            onLine(port) {
              const socket = connect(Number(port), '127.0.0.1', () => socket.write('go'));
              answer = buffer(socket);
            },
          },
        );
        t.is(outcome.code, 3, outcome.stderr);
        t.is(String(await answer), 'written');
      }
    });
  }
}
