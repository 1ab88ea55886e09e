// A few checks of the built package, alone in its folder: on TCP and on a Unix socket or a named pipe, bytes arrive whole in
// both directions, both ends close, a refused connect says so. For a target on which the suite does not run yet. Prints TAP.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const node = require('node:net');
const ours = require(path.resolve(String(process.argv[2])));

/** @typedef {typeof import('node:net')} Net */
/** @typedef {{ port: number, host: string } | { path: string }} Target */

const BYTES = crypto.randomBytes(1 << 20);
const PARALLEL = 16;
const GIVE_UP_SECONDS = 60;

/** @type {[string, () => Promise<void>][]} */
const checks = [];

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ferronet-smoke-'));
let pipes = 0;

/** @returns {Target} */
function newPath() {
  const name = `${path.basename(folder)}-${pipes++}`;
  return { path: process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : path.join(folder, name) };
}

/**
 * @param {Net} net
 * @param {Target} where
 * @param {(server: import('node:net').Server, target: Target) => Promise<void>} use
 */
async function withEchoServer(net, where, use) {
  const server = net.createServer((socket) => void socket.on('error', () => {}).pipe(socket));
  await new Promise((resolve, reject) => server.once('error', reject).listen(where, () => resolve(undefined)));
  const address = server.address();
  const target = typeof address === 'object' && address ? { host: address.address, port: address.port } : where;
  try {
    await use(server, target);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

/**
 * Sends everything and takes it back.
 * @param {Net} net
 * @param {Target} target
 * @returns {Promise<void>}
 */
function echo(net, target) {
  return new Promise((resolve, reject) => {
    /** @type {Buffer[]} */
    const heard = [];
    const client = net.connect(target, () => client.end(BYTES));
    client.on('data', (data) => heard.push(data));
    client.on('error', reject);
    client.on('close', () => {
      if (Buffer.concat(heard).equals(BYTES)) resolve();
      else reject(new Error('other bytes came back'));
    });
  });
}

/**
 * The error of a connect to where nobody listens.
 * @param {Net} net
 * @param {Target} target
 * @returns {Promise<string | undefined>}
 */
function refusal(net, target) {
  return new Promise((resolve, reject) => {
    const client = net.connect(target, () => reject(new Error('connected')));
    client.on('error', (/** @type {NodeJS.ErrnoException} */ error) => resolve(error.code));
  });
}

for (const [kind, where] of /** @type {[string, () => Target][]} */ ([
  ['TCP', () => ({ port: 0, host: '127.0.0.1' })],
  ['a path', newPath],
])) {
  for (const [name, server, client] of /** @type {[string, Net, Net][]} */ ([
    ['ours to ours', ours, ours],
    ["node's to ours", ours, node],
    ["ours to node's", node, ours],
  ])) {
    checks.push([
      `${kind}, ${name}: 1 MiB`,
      () => withEchoServer(server, where(), (_, target) => echo(client, target)),
    ]);
  }
  checks.push([
    `${kind}: ${PARALLEL} connections at once`,
    () =>
      withEchoServer(ours, where(), async (_, target) => {
        await Promise.all(Array.from({ length: PARALLEL }, () => echo(ours, target)));
      }),
  ]);
}

checks.push([
  'TCP: nobody listens, as node:net says it',
  () =>
    withEchoServer(ours, { port: 0, host: '127.0.0.1' }, async (server, target) => {
      await new Promise((resolve) => server.close(resolve));
      const [here, there] = [await refusal(ours, target), await refusal(node, target)];
      if (here !== there) throw new Error(`${here} here, ${there} there`);
    }),
]);
checks.push([
  'a path: nobody listens, as node:net says it',
  async () => {
    const [here, there] = [await refusal(ours, newPath()), await refusal(node, newPath())];
    if (here !== there) throw new Error(`${here} here, ${there} there`);
  },
]);

async function main() {
  let number = 0;
  for (const [name, check] of checks) {
    number++;
    try {
      // oxlint-disable-next-line no-await-in-loop -- one after the other: each has the machine for itself
      await check();
      console.log(`ok ${number} - ${name}`);
    } catch (error) {
      console.log(`not ok ${number} - ${name}\n# ${error}`);
      process.exitCode = 1;
    }
  }
  fs.rmSync(folder, { recursive: true, force: true });
}

setTimeout(() => {
  console.log(`not ok ${checks.length + 1} - done after ${GIVE_UP_SECONDS} seconds`);
  process.exit(1);
}, GIVE_UP_SECONDS * 1000).unref();

main();
