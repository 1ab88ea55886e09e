// `ferronet/register`: programs that load `net` get ferronet, by each way to preload a module, and so do the children and
// workers that they start. They are packages of their own, with ferronet among their modules.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import test, { type ExecutionContext } from 'ava';

import { atMost } from './_helpers/patience.js';
import { onWine } from './_helpers/platform.js';
import { runScript } from './_helpers/script.js';

const root = join(__dirname, '..');

// An echo server, a proxy before it and a client: what came back, and whose net it was.
const talk = `
const whose = (net) => (net.Socket === process.getBuiltinModule('net').Socket ? 'node' : 'other');
function talk(net, done) {
  const echo = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1', () => {
    const proxy = net.createServer((socket) => {
      const upstream = net.connect(echo.address().port, '127.0.0.1');
      socket.pipe(upstream).pipe(socket);
    });
    proxy.listen(0, '127.0.0.1', () => {
      let heard = '';
      const client = net.connect(proxy.address().port, '127.0.0.1', () => client.write('hello'));
      client.setEncoding('utf8').on('data', (text) => (heard += text) === 'hello' && client.end());
      client.on('close', () => {
        echo.close();
        proxy.close(() => done(heard + ' by ' + whose(net)));
      });
    });
  });
}`;

// With a child and a worker of the same program, one after the other.
const family = (self: string): string => `
const who = !isMainThread ? 'worker' : process.argv[2] ?? 'main';
talk(net, (said) => {
  console.log(who + ': ' + said);
  if (who !== 'main') return;
  fork(${self}, ['child'], { cwd: tmpdir() }).on('exit', () => new Worker(${self}));
});`;

const programs: Record<string, string> = {
  'app.cjs': `
    const { fork } = require('child_process');
    const { tmpdir } = require('os');
    const { Worker, isMainThread } = require('worker_threads');
    const net = require('net');
    ${talk}
    ${family('__filename')}`,
  'app.mjs': `
    import { fork } from 'child_process';
    import { tmpdir } from 'os';
    import { Worker, isMainThread } from 'worker_threads';
    import { fileURLToPath } from 'url';
    import net from 'net';
    ${talk}
    ${family('fileURLToPath(import.meta.url)')}`,
  // Every way to say it, in both kinds of modules, is the one module.
  'ways.mjs': `
    import { createRequire } from 'node:module';
    import ours from 'ferronet';
    import net, { connect } from 'net';
    import * as all from 'node:net';
    import './ways.cjs';
    const required = createRequire(import.meta.url)('node:net');
    const { default: later } = await import('net');
    console.log([net, all.default, required, later].every((each) => each === ours), connect === ours.connect, all.Socket === ours.Socket);`,
  'ways.cjs': `
    const ours = require('ferronet');
    console.log(require('net') === ours, require('node:net') === ours, module.require('net') === ours);
    import('node:net').then((later) => console.log(later.default === ours, later.Server === ours.Server));`,
  // What stays Node's.
  'nodes.cjs': `
    const real = process.getBuiltinModule('net');
    const http = require('http');
    const net = require('net');
    console.log(real === net, new http.Server() instanceof real.Server, new net.BlockList() instanceof real.BlockList);`,
  'promises.cjs': `
    const { promises } = require('net');
    console.log(require('net/promises') === promises, require('node:net/promises') === promises);`,
  // A module that loads it itself: the names in its graph are resolved before any of it runs.
  'itself.mjs': `
    import 'ferronet/register';
    import { createRequire } from 'node:module';
    import ours from 'ferronet';
    import net from 'net';
    import beside from './beside.mjs';
    const required = createRequire(import.meta.url)('net');
    const { default: later } = await import('net');
    console.log([net, beside, required, later].map((each) => each === ours).join());`,
  'beside.mjs': `export { default } from 'node:net';`,
  'worker-of-code.cjs': `
    const { Worker } = require('worker_threads');
    new Worker("console.log(require('net') === require('ferronet'), process.execArgv.at(-2))", { eval: true });`,
  'worker-with-flags.cjs': `
    const { Worker } = require('worker_threads');
    const code = "require('worker_threads').parentPort.postMessage(require('net') === require('ferronet'))";
    const worker = new Worker(code, { eval: true, execArgv: [] });
    worker.on('message', (same) => console.log(same, worker.constructor.name, worker instanceof Worker));`,
};

function install(place: string): void {
  if (!onWine) {
    symlinkSync(root, place, 'junction');
    return;
  }
  // Wine 10 has no links.
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] };
  for (const name of ['package.json', 'ferronet.win32-x64-msvc.node', ...files]) {
    cpSync(join(root, name), join(place, name), { recursive: true });
  }
}

/** A folder with the programs, and the package where npm would put it. */
function project(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ferronet-register-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'node_modules'));
  install(join(folder, 'node_modules', 'ferronet'));
  for (const [name, source] of Object.entries(programs)) writeFileSync(join(folder, name), source);
  return folder;
}

interface Way {
  flags?: string[];
  options?: string;
}

async function run(t: ExecutionContext, program: string, { flags = [], options = '' }: Way): Promise<string> {
  const child = spawn(process.execPath, [...flags, program], {
    cwd: project(t),
    env: { ...process.env, NODE_OPTIONS: options },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: atMost(90_000),
  });
  const [said, complaints] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  t.is(complaints, '');
  return said;
}

const ways: Record<string, Way> = {
  '--import': { flags: ['--import', 'ferronet/register'] },
  '--import=': { flags: ['--import=ferronet/register'] },
  '--require': { flags: ['--require', 'ferronet/register'] },
  '-r': { flags: ['-r', 'ferronet/register'] },
  both: { flags: ['--import', 'ferronet/register', '--require', 'ferronet/register'] },
  // A child elsewhere would not find a name that the environment gives it.
  'NODE_OPTIONS, by path': { options: `--require ${JSON.stringify(require.resolve('ferronet/register'))}` },
};

const expected = (whose: string): string =>
  ['main', 'child', 'worker'].map((who) => `${who}: hello by ${whose}\n`).join('');

for (const program of ['app.cjs', 'app.mjs']) {
  test(`${program} without it`, async (t) => {
    t.is(await run(t, program, {}), expected('node'));
  });
  for (const [name, way] of Object.entries(ways)) {
    test(`${program} with ${name}: the program, its child and its worker`, async (t) => {
      t.is(await run(t, program, way), expected('other'));
    });
  }
}

for (const name of ['--import', '--require'] as const) {
  const way = ways[name] as Way;

  test(`${name}: every way to ask for it gives the one module`, async (t) => {
    const said = await run(t, 'ways.mjs', way);
    t.deepEqual(said.trim().split('\n').toSorted(), ['true true', 'true true true', 'true true true']);
  });

  test(`${name}: process.getBuiltinModule and Node's own modules keep Node's net, and ferronet reaches it`, async (t) => {
    t.is(await run(t, 'nodes.cjs', way), 'false true true\n');
  });

  test(`${name}: the promises as a module`, async (t) => {
    t.is(await run(t, 'promises.cjs', way), 'true true\n');
  });
}

test('imported by a module, it concerns what is loaded from then on, and not what that module imports beside it', async (t) => {
  t.is(await run(t, 'itself.mjs', {}), 'false,false,true,true\n');
});

test('NODE_OPTIONS by name, where the name is known', async (t) => {
  t.is(await run(t, 'nodes.cjs', { options: '--import ferronet/register' }), 'false true true\n');
});

for (const name of ['--import', '--require'] as const) {
  test(`${name}: a worker made of code`, async (t) => {
    t.is(await run(t, 'worker-of-code.cjs', ways[name] as Way), 'true --require\n');
  });
}

// Node takes what concerns the process from no worker's flags, and names what it refuses.
test('--import: a worker made of code, under flags of the process and of V8', async (t) => {
  const flags = ['--expose-gc', '--title=told', '--stack-trace-limit=20', '--conditions', 'own'];
  const way = { flags: [...flags, '--import', 'ferronet/register'] };
  t.is(await run(t, 'worker-of-code.cjs', way), 'true --require\n');
});

test('--import: a worker made of code with flags of its own has those alone', async (t) => {
  t.is(await run(t, 'worker-with-flags.cjs', ways['--import'] as Way), 'false Worker true\n');
});

test('a process that says it is Bun is warned that its net stays', async (t) => {
  const { code, stdout, stderr } = await runScript(
    `Object.defineProperty(process.versions, 'bun', { value: '1' });
     require('ferronet/register');
     console.log(require('net') === process.getBuiltinModule('net'));`,
  );
  t.deepEqual([code, stdout], [0, 'true\n'], stderr);
  t.regex(stderr, /FerronetWarning: in Bun, net stays Bun's own/);
});
