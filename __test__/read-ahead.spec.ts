// Memory for bytes that are read ahead of JavaScript is limited for the process, all threads together. Connections that
// find no room lose nothing and make progress.
import test from 'ava';

import { isNode, triedNames } from './_helpers/implementations.js';
import { type Outcome, runScript } from './_helpers/script.js';

const MEBIBYTE = 1 << 20;
/** The limit is 16 MiB. As much again is for the allocator and the rest of the process. */
const MOST = 32 * MEBIBYTE;

// Connects `count` sockets of Node's to `port`. On a message it sends `bytes` on each of them, then FIN, and
// counts the chunks that the kernel has taken.
const peers = `
  const { parentPort, workerData: { taken } } = require('node:worker_threads');
  const { connect } = require('node:net');
  const CHUNK = 65_536;
  const send = (socket, bytes, at) => {
    if (at >= bytes.length) return socket.end();
    socket.write(bytes.subarray(at, at + CHUNK), () => {
      Atomics.add(taken, 0, 1);
      Atomics.notify(taken, 0);
      send(socket, bytes, at + CHUNK);
    });
  };
  let go;
  parentPort.on('message', (message) => {
    if (message === 'go') return go();
    if (message === 'end') return parentPort.close();
    const { port, count, bytes } = message;
    // A thread that ends resets its connections.
    const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1').on('error', () => {}).resume());
    go = () => sockets.forEach((socket) => send(socket, Buffer.from(bytes.buffer), 0));
  });`;

// For the programs below.
const common = `
  const { Worker } = require('node:worker_threads');
  const { once } = require('node:events');
  const numbered = (size) => {
    const bytes = Buffer.from(new SharedArrayBuffer(size));
    for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32LE((at * 2_654_435_761) % 4_294_967_296, at);
    return bytes;
  };
  const taken = new Int32Array(new SharedArrayBuffer(4));
  const peers = new Worker(${JSON.stringify(peers)}, { eval: true, workerData: { taken } });
  const go = () => peers.postMessage('go');
  // Stands still until the peers could send nothing for half a second, \`before\` being what they had sent.
  const standStill = (before, look = () => {}) => {
    Atomics.wait(taken, 0, before, 20_000);
    while (before !== Atomics.load(taken, 0)) {
      before = Atomics.load(taken, 0);
      Atomics.wait(taken, 0, before, 500);
      look();
    }
  };
  // Listens for \`count\` connections. \`open\` when they are there, \`received\` when all have ended: how many had all of
  // \`bytes\` and nothing else.
  const receive = async (net, count, bytes) => {
    let [accepted, ended, whole] = [0, 0, 0];
    let opened, finished;
    const open = new Promise((resolve) => (opened = resolve));
    const received = new Promise((resolve) => (finished = resolve));
    const server = net.createServer((socket) => {
      let [at, wrong] = [0, 0];
      socket.on('data', (chunk) => {
        if (!chunk.equals(bytes.subarray(at, at + chunk.length))) wrong++;
        at += chunk.length;
      });
      socket.on('end', () => {
        if (at === bytes.length && wrong === 0) whole++;
        if (++ended === count) finished(whole);
      });
      if (++accepted === count) opened(server.close());
    });
    await once(server.listen(0, '127.0.0.1', 1024), 'listening');
    return { port: server.address().port, open, received };
  };`;

function run(name: string, env: Record<string, string>, program: string): Promise<Outcome> {
  return runScript(
    `const net = require(${JSON.stringify(name)});
     ${common}
     // The thread first: with it process.exit() now and then hangs in Node 24 with musl.
     const end = (code) => { peers.once('exit', () => process.exit(code)).postMessage('end'); };
     (async () => { ${program} })().then(() => end(0), (error) => { console.error(error); end(1); });`,
    { env, limit: 50_000 },
  );
}

interface Way {
  name: string;
  env: Record<string, string>;
  title: string;
}

const ours: readonly Way[] = [
  { name: 'ferronet', env: {}, title: 'ferronet' },
  { name: 'ferronet', env: { FERRONET_DRIVER: 'thread' }, title: 'ferronet, driven by its thread' },
  { name: 'ferronet', env: { FERRONET_THREADS: '4' }, title: 'ferronet, by four threads' },
];
const ways = triedNames.flatMap((name) => (name === 'ferronet' ? ours : [{ name, env: {}, title: name }]));

// Memory of other runtimes and systems grows for reasons of their own.
const onLinux = process.platform === 'linux' && isNode ? test : test.skip;

for (const { name, env, title } of ways) {
  onLinux(`300 connections take a limited amount of memory while JavaScript is blocked [${title}]`, async (t) => {
    const { code, stdout, stderr } = await run(
      name,
      env,
      `const bytes = numbered(400_000);
       const { port, open, received } = await receive(net, 300, bytes);
       peers.postMessage({ port, count: 300, bytes });
       await open;
       const before = process.memoryUsage.rss();
       let peak = before;
       go();
       standStill(0, () => { peak = Math.max(peak, process.memoryUsage.rss()); });
       console.log(await received, peak - before);`,
    );
    t.is(code, 0, stderr);
    const [whole, grown] = stdout.split(' ').map(Number);
    t.is(whole, 300, 'no byte is lost');
    t.log(`${(grown! / MEBIBYTE).toFixed(1)} MiB`);
    t.true(grown! <= MOST, `${grown} bytes`);
  });
}

for (const { name, env, title } of ours) {
  test(`a worker that is blocked delays no other thread, and releases its memory when it ends [${title}]`, async (t) => {
    const { code, stdout, stderr } = await run(
      name,
      env,
      // The worker uses up the limit. This thread is served all the same, and waits for room while it stands still too.
      `const bytes = numbered(400_000);
       const still = new Worker(\`
         const { parentPort, workerData: { taken } } = require('node:worker_threads');
         let open = 0;
         const server = require('ferronet').createServer((socket) => {
           socket.on('data', () => parentPort.postMessage('it has data'));
           if (++open < 100) return;
           parentPort.postMessage('open');
           Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
         });
         server.listen(0, '127.0.0.1', 1024, () => parentPort.postMessage(server.address().port));\`,
         { eval: true, workerData: { taken } });
       const [itsPort] = await once(still, 'message');
       peers.postMessage({ port: itsPort, count: 100, bytes });
       console.log((await once(still, 'message'))[0]);
       go();
       standStill(0);
       const served = await receive(net, 40, bytes);
       peers.postMessage({ port: served.port, count: 40, bytes });
       await served.open;
       go();
       console.log(await served.received);
       const waits = await receive(net, 100, bytes);
       peers.postMessage({ port: waits.port, count: 100, bytes });
       await waits.open;
       const sent = Atomics.load(taken, 0);
       go();
       await still.terminate();
       standStill(sent);
       console.log(await waits.received);`,
    );
    t.is(code, 0, stderr);
    t.is(stdout, 'open\n40\n100\n');
  });
}
