// The main job, seen in one run: an echo server on TCP and one on a Unix socket (a named pipe on Windows), the
// documented client against each with everything that is said, then many connections at once and a line of figures.
'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const net = require('ferronet');

/** @typedef {{ port: number, host: string } | { path: string }} Target */

const CONNECTIONS = 64;
const MESSAGE = Buffer.alloc(64, 'ferronet ');
const SECONDS = 1.5;
const GIVE_UP_SECONDS = 60;

/**
 * An echo server as the documentation of `net` has it.
 * @param {(line: string) => void} say
 */
function echoServer(say) {
  return net.createServer((c) => {
    say('client connected');
    c.on('end', () => say('client disconnected'));
    c.write('hello\r\n');
    c.pipe(c);
  });
}

/**
 * @param {import('ferronet').Server} server
 * @param {Target} target
 * @returns {Promise<Target>} where it can be reached
 */
function listen(server, target) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(target, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? { host: address.address, port: address.port } : target);
    });
  });
}

/**
 * The documented client: it says something, prints what comes back and hangs up.
 * @param {Target} target
 * @param {(line: string) => void} say
 * @returns {Promise<void>}
 */
function talk(target, say) {
  return new Promise((resolve, reject) => {
    let heard = '';
    const client = net.createConnection(target, () => {
      say('connected to server!');
      client.write('world!\r\n');
      say('says "world!"');
    });
    client.on('data', (data) => {
      heard += data.toString();
      while (heard.includes('\r\n')) {
        const end = heard.indexOf('\r\n');
        const line = heard.slice(0, end);
        heard = heard.slice(end + 2);
        say(`hears "${line}"`);
        if (line === 'world!') client.end();
      }
    });
    client.on('end', () => say('disconnected from server'));
    client.on('error', reject);
    client.on('close', () => resolve());
  });
}

/**
 * One connection that sends a message, waits for all of it and sends the next, until the time is up.
 * @param {Target} target
 * @param {number} until in the milliseconds of `performance.now()`
 * @returns {Promise<{ trips: number, bytes: number }>}
 */
function pingPong(target, until) {
  return new Promise((resolve, reject) => {
    let trips = 0;
    let missing = MESSAGE.length;
    const client = net.connect(target, () => client.write(MESSAGE));
    client.setNoDelay(true);
    client.on('data', (data) => {
      missing -= data.length;
      if (missing > 0) return;
      trips++;
      missing = MESSAGE.length;
      if (performance.now() < until) client.write(MESSAGE);
      else client.end();
    });
    client.on('error', reject);
    client.on('close', () => resolve({ trips, bytes: client.bytesRead + client.bytesWritten }));
  });
}

/**
 * @param {string} name
 * @param {Target} where
 */
async function show(name, where) {
  console.log(`${name}`);
  const server = echoServer((line) => console.log(`  server: ${line}`));
  const target = await listen(server, where);
  console.log(`  server: bound to ${'path' in target ? target.path : `${target.host}:${target.port}`}`);
  await talk(target, (line) => console.log(`  client: ${line}`));
  await new Promise((resolve) => server.close(resolve));
}

/** @param {Target} where */
async function measure(where) {
  const server = net.createServer({ noDelay: true }, (c) => c.pipe(c));
  const target = await listen(server, where);
  const start = performance.now();
  const until = start + SECONDS * 1000;
  const done = await Promise.all(Array.from({ length: CONNECTIONS }, () => pingPong(target, until)));
  const seconds = (performance.now() - start) / 1000;
  await new Promise((resolve) => server.close(resolve));
  return {
    bytes: done.reduce((total, one) => total + one.bytes, 0),
    perSecond: Math.round(done.reduce((total, one) => total + one.trips, 0) / seconds),
  };
}

async function main() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ferronet-demo-'));
  const windows = process.platform === 'win32';
  const local = windows ? `\\\\.\\pipe\\${path.basename(folder)}` : path.join(folder, 'echo.sock');
  const localName = windows ? 'named pipe' : 'Unix socket';
  try {
    await show('TCP', { port: 0, host: '127.0.0.1' });
    await show(localName, { path: local });
    const tcp = await measure({ port: 0, host: '127.0.0.1' });
    const unix = await measure({ path: local });
    console.log(
      `${2 + 2 * CONNECTIONS} connections, ${((tcp.bytes + unix.bytes) / 1e6).toFixed(1)} MB sent and received, ` +
        `round trips a second: ${tcp.perSecond} on TCP, ${unix.perSecond} on the ${localName} ` +
        `(${CONNECTIONS} connections, ${MESSAGE.length} bytes, client and server in this process)`,
    );
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

// Unref'd: it never keeps a demo alive that is done, it only ends one that is stuck.
setTimeout(() => {
  console.error(`ferronet: the demo is not done after ${GIVE_UP_SECONDS} seconds.`);
  process.exit(1);
}, GIVE_UP_SECONDS * 1000).unref();

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
