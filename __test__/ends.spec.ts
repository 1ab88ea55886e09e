// A reset is never passed on as an end, however the socket is read and whatever drives the reactor: the outcome of
// node:net has to come out with each setting.
import test from 'ava';

import { runScript } from './_helpers/script.js';

// Prints what each scenario came to, as JSON. `net` is the implementation, `plain` node:net for the peers.
const program = (name: string): string => `
  const net = require('${name}'), plain = require('node:net');
  const { once } = require('node:events');
  const { PassThrough, finished, pipeline } = require('node:stream');
  const { promisify } = require('node:util');
  const path = require('node:path'), os = require('node:os'), fs = require('node:fs');
  const ROUNDS = 3, MUCH = 8 << 20;
  const compute = (ms) => { for (const until = Date.now() + ms; Date.now() < until;); };

  // A ferronet connection whose peer resets it while writes are pending.
  async function resetWhileWriting(read, where = [0, '127.0.0.1']) {
    let peer;
    const server = net.createServer((socket) => {
      read(socket).then(settle, settle);
      socket.write(Buffer.alloc(MUCH), (error) => told.push('callback ' + error?.code));
    });
    const told = [];
    let settle;
    const settled = new Promise((resolve) => { settle = (value) => resolve(value?.code ?? value); });
    server.on('connection', (socket) => {
      socket.on('end', () => told.push('end'));
      socket.on('error', (error) => told.push(error.syscall + ' ' + error.code));
      socket.on('close', (hadError) => told.push('close ' + hadError));
    });
    const closed = new Promise((resolve) => server.on('connection', (socket) => socket.on('close', resolve)));
    server.listen(...where);
    await once(server, 'listening');
    const address = server.address();
    peer = plain.connect(typeof address === 'string' ? { path: address } : { port: address.port, host: '127.0.0.1' });
    peer.on('error', () => {});
    peer.pause();
    await once(peer, 'connect');
    peer.write('half of a request');
    // Until writes are pending.
    while (peer.bytesRead === 0 && !(await new Promise((resolve) => setTimeout(resolve, 5, peer.readableLength > 0)))) peer.read(0);
    if (where.length === 2) peer.resetAndDestroy();
    else peer.destroy();
    const result = await settled;
    await closed;
    server.close();
    return { told, result };
  }

  const ways = {
    data: (socket) => { socket.resume(); return promisify(finished)(socket); },
    readable: (socket) => { socket.on('readable', () => { while (socket.read() !== null); }); return promisify(finished)(socket); },
    iterated: async (socket) => { for await (const chunk of socket); return 'ended'; },
    pipeline: (socket) => promisify(pipeline)(socket, new PassThrough().resume()),
    piped: (socket) => { socket.pipe(new PassThrough().resume()); return promisify(finished)(socket); },
    busy: (socket) => { socket.on('data', () => compute(15)); return promisify(finished)(socket); },
  };

  // A ferronet proxy whose upstream resets in the middle of much data: what its client receives.
  async function resetUpstream(busy) {
    const upstream = plain.createServer((socket) => {
      socket.on('error', () => {});
      socket.write(Buffer.alloc(MUCH), () => socket.resetAndDestroy());
    }).listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const told = [];
    const proxy = net.createServer((front) => {
      const back = net.connect(upstream.address().port, '127.0.0.1');
      back.on('end', () => told.push('end'));
      back.on('error', ({ code }) => { told.push(code); front.resetAndDestroy(); });
      front.on('error', () => back.destroy());
      front.pipe(back);
      back.pipe(front);
      if (busy) back.once('data', () => setTimeout(compute, 1, 15));
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const client = net.connect(proxy.address().port, '127.0.0.1').resume();
    client.on('end', () => told.push('client end'));
    client.on('error', ({ code }) => told.push('client ' + code));
    await new Promise((resolve) => client.on('close', resolve));
    proxy.close();
    upstream.close();
    return told;
  }

  (async () => {
    const found = {};
    for (let round = 0; round < ROUNDS; round++) {
      for (const [way, read] of Object.entries(ways)) (found[way] ??= []).push(await resetWhileWriting(read));
      (found.proxy ??= []).push(await resetUpstream(false));
      (found['busy proxy'] ??= []).push(await resetUpstream(true));
    }
    if (process.platform !== 'win32') {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'net-'));
      for (const way of ['data', 'iterated']) found['local ' + way] = [await resetWhileWriting(ways[way], [path.join(folder, way)])];
      fs.rmSync(folder, { recursive: true });
    }
    console.log(JSON.stringify(found));
  })();`;

type Found = Record<string, unknown[]>;

async function run(name: string, env: Record<string, string> = {}): Promise<Found> {
  const { stdout, stderr, code } = await runScript(program(name), { env, limit: 50_000 });
  if (code !== 0) throw new Error(`${code}: ${stdout}${stderr}`);
  return JSON.parse(stdout) as Found;
}

const settings: Record<string, Record<string, string>> = {
  'the load decides': {},
  'the loop drives': { FERRONET_DRIVER: 'loop' },
  'the thread drives': { FERRONET_DRIVER: 'thread' },
  'four threads': { FERRONET_THREADS: '4' },
  'without relays': { FERRONET_RELAY: 'off' },
};

// Whether the write that waited is cancelled with an error is Node's matter of version; the rest is not.
const withoutCallbacks = (found: Found): Found =>
  JSON.parse(JSON.stringify(found).replaceAll(/"callback \w+",?/g, '')) as Found;

for (const [setting, env] of Object.entries(settings)) {
  test(`a reset is a reset for every reader: ${setting}`, async (t) => {
    const [expected, actual] = await Promise.all([run('node:net'), run('ferronet', env)]);
    // libuv takes a short read with EPOLLHUP for the end, so a proxy or a client of node:net may take a reset for one.
    for (const proxy of ['proxy', 'busy proxy']) {
      t.deepEqual(
        actual[proxy],
        Array.from({ length: 3 }, () => ['ECONNRESET', 'client ECONNRESET']),
      );
      delete actual[proxy];
      delete expected[proxy];
    }
    t.deepEqual(withoutCallbacks(actual), withoutCallbacks(expected));
    t.notRegex(JSON.stringify(actual), /"(client )?end"/);
    t.regex(JSON.stringify(actual), /ECONNRESET/);
    // Cancelled by the close that the read's error brings.
    t.notRegex(JSON.stringify(actual), /callback (?!ECANCELED)/);
  });
}
