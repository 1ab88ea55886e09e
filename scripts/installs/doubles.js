// What test suites put in the place of parts of Node: realms of their own, fake timers, and interceptors of connections. The
// programs say what README and docs/DIVERGENCES.md claim about each.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { run } = require('../platforms/commands.js');
const { nodeOf } = require('../platforms/nodes.js');
const { installedProject } = require('./cases.js');
const { modulesOf } = require('./tools.js');

/** @typedef {import('./cases.js').Case} Case */
/** @typedef {import('./packages.js').Packages} Packages */
/** @typedef {import('./tools.js').Tool} Tool */

const SAID = 'as documented';

/** `net` comes from elsewhere. */
const HELPERS = `
const { once } = require('node:events');
const echo = async () => {
  const server = net.createServer((socket) => socket.on('error', () => {}).pipe(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
};
const answer = async (socket) => {
  const chunks = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};
const exchange = async () => {
  const server = await echo();
  const client = net.connect(server.address().port, '127.0.0.1');
  client.write(Buffer.from('buffer, '));
  client.write('text, ');
  client.end(new Uint8Array([0x62, 0x79, 0x74, 0x65, 0x73]));
  const text = await answer(client);
  server.close();
  await once(server, 'close');
  return text;
};
const idle = async () => {
  const server = await echo();
  const client = net.connect(server.address().port, '127.0.0.1').setTimeout(30);
  await once(client, 'timeout');
  client.destroy();
  server.close();
  await once(server, 'close');
};`;

const EXCHANGED = 'buffer, text, bytes';

const jestTests = `
const net = require('ferronet');
${HELPERS}
test('Buffers, text and bytes', async () => expect(await exchange()).toBe('${EXCHANGED}'));
test('the idle timeout is not faked', async () => {
  jest.useFakeTimers();
  await idle();
  expect(await exchange()).toBe('${EXCHANGED}');
  jest.useRealTimers();
});
test('in the place of net', async () => {
  jest.doMock('net', () => jest.requireActual('ferronet'));
  expect(require('net').Socket).toBe(net.Socket);
});`;

const vitestTests = `
import { createRequire } from 'node:module';
import { expect, test, vi } from 'vitest';
import net from 'ferronet';
const require = createRequire(import.meta.url);
${HELPERS}
test('Buffers, text and bytes', async () => expect(await exchange()).toBe('${EXCHANGED}'));
test('the idle timeout is not faked', async () => {
  vi.useFakeTimers();
  await idle();
  vi.useRealTimers();
});`;

const fakeTimers = `
const FakeTimers = require('@sinonjs/fake-timers');
const net = require('ferronet');
${HELPERS}
(async () => {
  // With ticks faked, no stream of Node's works either.
  const clock = FakeTimers.install({ toFake: ['setTimeout', 'setInterval', 'setImmediate', 'Date'] });
  await idle();
  const text = await exchange();
  clock.uninstall();
  console.log(text === '${EXCHANGED}' ? '${SAID}' : text);
})();`;

/** Mitm takes what connects by \`net\`. Port 1 of this machine refuses, when it is asked. */
const mitm = `
const Mitm = require('mitm');
const [, , name, expected] = process.argv;
const net = require(name);
const mitm = Mitm();
mitm.on('connection', (socket) => socket.end('by mitm'));
const client = net.connect(1, '127.0.0.1');
const ended = (found) => {
  console.log(found === expected ? '${SAID}' : found);
  process.exit();
};
client.setEncoding('utf8').on('data', ended).on('error', (error) => ended(error.code));`;

const msw = `
const { http, HttpResponse } = require('msw');
const { setupServer } = require('msw/node');
const nodeHttp = require('node:http');
const net = require('ferronet');
${HELPERS}
(async () => {
  const mocks = setupServer(http.get('http://mocked.test/', () => HttpResponse.text('by MSW')));
  mocks.listen({ onUnhandledRequest: 'error' });
  const fetched = await (await fetch('http://mocked.test/')).text();
  const got = await new Promise((resolve, reject) => {
    nodeHttp.get('http://mocked.test/', async (response) => resolve(await answer(response))).on('error', reject);
  });
  const found = [fetched, got, await exchange()].join('; ');
  mocks.close();
  console.log(found === 'by MSW; by MSW; ${EXCHANGED}' ? '${SAID}' : found);
})();`;

/** Nothing listens on port 1, so a request that is not mocked is refused. */
const nock = `
const nock = require('nock').default ?? require('nock');
const http = require('node:http');
nock('http://127.0.0.1:1').get('/').reply(200, 'by nock');
http.get('http://127.0.0.1:1/', (response) => response.setEncoding('utf8').on('data', ended)).on('error', (error) => ended(error.code));
function ended(found) {
  const isOurs = require('node:net').Socket === require('ferronet').Socket;
  console.log(isOurs && found === process.argv[2] ? '${SAID}' : found + ', ' + isOurs);
  process.exit();
}`;

/**
 * A project with ferronet, a tool and files.
 * @param {string} name
 * @param {Packages} packages
 * @param {Tool} tool
 * @param {Record<string, string>} files
 */
function projectWith(name, packages, tool, files) {
  const folder = installedProject(name, packages, []);
  const modules = path.join(folder, 'node_modules');
  for (const { from, to } of modulesOf(tool)) {
    fs.mkdirSync(path.dirname(path.join(modules, to)), { recursive: true });
    if (!fs.existsSync(path.join(modules, to))) fs.symlinkSync(from, path.join(modules, to), 'junction');
  }
  for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, file), text);
  return folder;
}

/**
 * Runs a program that has to say its sentence.
 * @param {string} cwd
 * @param {string[]} args
 * @param {string} [node]
 */
function mustSay(cwd, args, node = process.execPath) {
  const output = run(node, args, { cwd, log: 'install-double', minutes: 1 });
  if (!output.split(/\r?\n/).includes(SAID)) throw new Error(`${args.join(' ')}:\n${output}`);
}

/**
 * @param {'jest29' | 'jest30'} tool
 * @returns {Case}
 */
function jest(tool) {
  return {
    name: tool,
    tries: ['jsdom', 'node'],
    run(packages, tried) {
      for (const environment of /** @type {const} */ (['jsdom', 'node'])) {
        const cwd = projectWith(`${tool}-${environment}`, packages, tool, { 'net.test.js': jestTests });
        const args = [path.join('node_modules', 'jest', 'bin', 'jest.js'), '--ci', '--rootDir', cwd];
        run(process.execPath, [...args, '--env', environment], { cwd, log: `install-${tool}`, minutes: 2 });
        tried(environment);
      }
    },
  };
}

/** @type {Case} */
const vitest = {
  name: 'vitest',
  tries: ['node'],
  run(packages, tried) {
    const cwd = projectWith('vitest', packages, 'vitest', { 'net.test.mjs': vitestTests });
    const args = [path.join('node_modules', 'vitest', 'vitest.mjs'), 'run', '--root', cwd];
    run(process.execPath, args, { cwd, log: 'install-vitest', minutes: 2 });
    tried('node');
  },
};

/**
 * A program that says its sentence, each line of the table with other arguments.
 * @param {Tool} tool
 * @param {string} text
 * @param {Record<string, string[][]>} runs the arguments of the program and before it, by what they try
 * @returns {Case}
 */
function program(tool, text, runs) {
  return {
    name: tool,
    tries: Object.keys(runs),
    run(packages, tried) {
      const cwd = projectWith(tool, packages, tool, { 'app.cjs': text });
      for (const [what, all] of Object.entries(runs)) {
        for (const args of all) mustSay(cwd, args);
        tried(what);
      }
    },
  };
}

const REGISTERED = ['--require', 'ferronet/register', 'app.cjs'];

const sinon = program('sinon', fakeTimers, { 'fake timers': [['app.cjs']] });
const mitmCase = program('mitm', mitm, {
  register: [
    [...REGISTERED, 'net', 'by mitm'],
    [...REGISTERED, 'ferronet', 'by mitm'],
  ],
  without: [['app.cjs', 'ferronet', 'ECONNREFUSED']],
});
const mswCase = program('msw', msw, { without: [['app.cjs']], register: [REGISTERED] });

/** @type {Case} */
const nockCase = {
  name: 'nock',
  tries: ['nock first', 'register first'],
  run(packages, tried) {
    const cwd = projectWith('nock', packages, 'nock', { 'nock.cjs': nock });
    // It needs Node 22.
    const { file } = nodeOf({ runner: 'native' }, '24');
    const order = ['nock', 'ferronet/register'];
    const flags = (/** @type {string[]} */ names) => names.flatMap((name) => ['--require', name]);
    mustSay(cwd, [...flags(order), 'nock.cjs', 'by nock'], file);
    tried('nock first');
    mustSay(cwd, [...flags(order.toReversed()), 'nock.cjs', 'ECONNREFUSED'], file);
    tried('register first');
  },
};

module.exports = { doubles: [jest('jest29'), jest('jest30'), vitest, sinon, mitmCase, mswCase, nockCase] };
