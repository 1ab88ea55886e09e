// `npx ferronet`: what it prints, what it does, and with which status it ends.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import test from 'ava';

import { nodeProgram } from './_helpers/implementations.js';
import { atMost } from './_helpers/patience.js';
import { runScript } from './_helpers/script.js';

const PACKAGE = join(__dirname, '..');
const BIN = join(PACKAGE, 'bin', 'ferronet.js');
const { version } = require('../package.json') as { version: string };

interface Running {
  flags?: string[];
  env?: Record<string, string>;
}

interface Outcome {
  status: number | null;
  out: string;
  errors: string;
}

/** The command line as a process. */
class Program {
  readonly child: ChildProcessWithoutNullStreams;
  /** How it has ended. */
  readonly outcome: Promise<Outcome>;
  #out = '';

  constructor(args: readonly string[], { flags = [], env = {} }: Running = {}) {
    this.child = spawn(nodeProgram, [...flags, BIN, ...args], {
      cwd: PACKAGE,
      env: { ...process.env, ...env },
      timeout: atMost(20_000),
      killSignal: 'SIGKILL',
    });
    let errors = '';
    this.child.stdout.setEncoding('utf8').on('data', (chunk: string) => void (this.#out += chunk));
    this.child.stderr.setEncoding('utf8').on('data', (chunk: string) => void (errors += chunk));
    this.outcome = once(this.child, 'close').then(([status]) => ({ status, out: this.#out, errors }) as Outcome);
  }

  /** The first line that it has printed, or will, and that matches. */
  async line(wanted = /./): Promise<string> {
    for (;;) {
      const lines = this.#out.split('\n').slice(0, -1);
      const found = lines.find((each) => wanted.test(each));
      if (found !== undefined) return found;
      await once(this.child.stdout, 'data');
    }
  }
}

const ended = (...args: string[]): Promise<Outcome> => new Program(args).outcome;

for (const args of [
  ['--help'],
  ['-h'],
  ['help'],
  ...['doctor', 'echo', 'proxy', 'bench'].map((each) => [each, '--help']),
]) {
  test(`ferronet ${args.join(' ')}`, async (t) => {
    const { status, out, errors } = await ended(...args);
    t.is(status, 0);
    t.is(errors, '');
    t.regex(out, /^(?:.+\n\n)?Usage: ferronet/);
  });
}

test('--version', async (t) => {
  t.deepEqual(await ended('--version'), { status: 0, out: `${version}\n`, errors: '' });
});

for (const name of ['echo', 'proxy']) {
  test(`ferronet ${name} --help says from where one can connect`, async (t) => {
    const { out } = await ended(name, '--help');
    t.regex(out, /^A port alone listens on all addresses of this machine/m);
    t.regex(out, /^with 127\.0\.0\.1:PORT only programs on this machine can/m);
  });
}

test('bench says where the benchmark is', async (t) => {
  const { status, out } = await ended('bench');
  t.is(status, 0);
  t.regex(out, /npm run bench/);
  t.notRegex(out, /git clone/);
});

const nonsense: string[][] = [
  [],
  ['nothing'],
  ['doctor', 'x'],
  ['doctor', '--loud'],
  ['echo', '65536'],
  ['echo', 'a:b'],
  ['echo', '0', '--interval', 'x'],
  ['echo', '0', '--interval', '0'],
  ['proxy'],
  ['proxy', '1'],
  ['proxy', '1', '2', '3'],
];
for (const args of nonsense) {
  test(`arguments that make no sense: ferronet ${args.join(' ')}`, async (t) => {
    const { status, out, errors } = await ended(...args);
    t.is(status, 2, errors);
    t.is(out, '');
    t.not(errors, '');
    t.notRegex(errors, /^ +at /m);
    const [name = ''] = args;
    if (name === '') return;
    const help = name === 'nothing' ? 'ferronet --help' : `ferronet ${name} --help`;
    t.true(errors.endsWith(`\n${help} says how it is used.\n`), errors);
  });
}

test('doctor', async (t) => {
  const { status, out, errors } = await ended('doctor');
  t.is(status, 0, errors);
  for (const each of [version, PACKAGE, process.platform, process.arch, 'not active']) t.true(out.includes(each), each);
  t.regex(out, /^addon +.*\.node$/m);
});

test('doctor --json, with ferronet/register and settings', async (t) => {
  const env = { NODE_OPTIONS: '--require ferronet/register', FERRONET_DRIVER: 'thread', FERRONET_THREADS: '2' };
  const { status, out, errors } = await new Program(['doctor', '--json'], { env }).outcome;
  t.is(status, 0, errors);
  const found = JSON.parse(out) as Record<string, unknown>;
  t.regex(String(found['register']), /^active/);
  t.is(found['threads'], 2);
  t.regex(String(found['driver']), /^thread/);
  t.deepEqual(found['hints'], []);
});

test('doctor where the native part does not load', async (t) => {
  const { status, out } = await new Program(['doctor'], { flags: ['--no-addons'] }).outcome;
  t.is(status, 1);
  t.regex(out, /^addon +not loaded, ERR_DLOPEN_DISABLED$/m);
  t.regex(out, /--no-addons must not be set/);
});

const portIn = (line: string): number => Number(/:(\d+)\b/.exec(line)?.[1]);

/** Sends what is to come back, and its end. */
async function exchanged(port: number, sent: string): Promise<string> {
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  client.end(sent);
  return text(client);
}

async function answering(): Promise<[server: Server, port: number]> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let received = 0;
    socket.on('data', (chunk) => void (received += chunk.length));
    socket.on('end', () => void socket.end(`got ${received}`)).on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return [server, (server.address() as { port: number }).port];
}

const declare = process.platform === 'win32' ? test.skip : test;

declare('echo sends back, counts, and ends with SIGTERM', async (t) => {
  const program = new Program(['echo', '127.0.0.1:0', '--interval', '0.02']);
  const port = portIn(await program.line());
  t.is(await exchanged(port, 'hello'), 'hello');
  const open = connect(port, '127.0.0.1').on('error', () => {});
  open.write('x');
  await once(open, 'data');
  await program.line(/^1 open, 2 in all, 6 B in, 6 B out/);
  program.child.kill('SIGTERM');
  const { status, out } = await program.outcome;
  t.is(status, 0);
  t.regex(out, /^echo on 127\.0\.0\.1:\d+\n/);
  t.is(out.trimEnd().split('\n').at(-1), '1 open, 2 in all, 6 B in, 6 B out');
  t.false(out.includes('\u001B'), 'no codes of terminals');
});

declare('echo without numbers, on a path', async (t) => {
  const path = join(tmpdir(), `ferronet-cli-${process.pid}`);
  const program = new Program(['echo', path, '--quiet']);
  t.is(await program.line(), `echo on ${path}`);
  const client = connect({ path, allowHalfOpen: true });
  client.end('over a path');
  t.is(await text(client), 'over a path');
  program.child.kill('SIGINT');
  t.deepEqual(await program.outcome, { status: 0, out: `echo on ${path}\n`, errors: '' });
});

declare('proxy passes on both ways, with the ends, and counts', async (t) => {
  const [server, target] = await answering();
  const program = new Program(['proxy', '127.0.0.1:0', `127.0.0.1:${target}`, '--interval', '0.02']);
  const first = await program.line();
  t.regex(first, new RegExp(`^127\\.0\\.0\\.1:\\d+ → 127\\.0\\.0\\.1:${target}$`));
  t.is(await exchanged(portIn(first), 'a'.repeat(1_000_000)), 'got 1000000');
  await program.line(/^0 open, 1 in all/);
  program.child.kill('SIGTERM');
  const { status, out } = await program.outcome;
  t.is(status, 0);
  t.is(out.trimEnd().split('\n').at(-1), '0 open, 1 in all, 1.00 MB in, 11 B out');
  server.close();
});

declare('proxy to where nothing listens goes on, and says how often', async (t) => {
  const program = new Program(['proxy', '127.0.0.1:0', '127.0.0.1:1', '--interval', '0.02']);
  const port = portIn(await program.line());
  for (let round = 0; round < 2; round += 1) {
    const client = connect(port, '127.0.0.1')
      .on('error', () => {})
      .resume();
    await new Promise((resolve) => client.on('close', resolve));
  }
  const counts = await program.line(/^0 open, 2 in all/);
  t.is(counts, '0 open, 2 in all, 0 B in, 0 B out, 2 failed (last: connect ECONNREFUSED 127.0.0.1:1)');
  program.child.kill('SIGTERM');
  t.is((await program.outcome).status, 0);
});

declare('proxy passes a reset on, from either side', async (t) => {
  for (const cut of ['target', 'client'] as const) {
    const server = createServer((socket) => {
      socket.on('error', (error: NodeJS.ErrnoException) => server.emit('failed', error.code));
      socket.on('end', () => server.emit('failed', 'an end')).write('the first half');
      if (cut === 'target') socket.once('data', () => socket.resetAndDestroy());
      else socket.resume();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port: target } = server.address() as AddressInfo;
    const program = new Program(['proxy', '127.0.0.1:0', `127.0.0.1:${target}`, '-q']);
    const client = connect({ port: portIn(await program.line()), host: '127.0.0.1', allowHalfOpen: true });
    client.on('end', () => client.emit('failed', 'an end'));
    client.on('error', (error: NodeJS.ErrnoException) => client.emit('failed', error.code));
    await once(client, 'data');
    const failed = once(cut === 'target' ? client : server, 'failed');
    if (cut === 'target') client.write('go on');
    else client.resetAndDestroy();
    t.deepEqual(await failed, ['ECONNRESET'], cut);
    client.destroy();
    server.close();
    program.child.kill('SIGTERM');
    t.is((await program.outcome).status, 0);
  }
});

declare('an end while connections are open ends both sides of each', async (t) => {
  const [server, target] = await answering();
  const program = new Program(['proxy', '127.0.0.1:0', `127.0.0.1:${target}`, '-q']);
  const accepting = once(server, 'connection');
  const client = connect(portIn(await program.line()), '127.0.0.1')
    .on('error', () => {})
    .resume();
  const over = new Promise((resolve) => client.on('close', resolve));
  await accepting;
  program.child.kill('SIGTERM');
  t.is((await program.outcome).status, 0);
  await over;
  server.close();
  await once(server, 'close');
});

test('an address that is taken', async (t) => {
  const [server, port] = await answering();
  const { status, errors } = await ended('echo', `127.0.0.1:${port}`);
  t.is(status, 1);
  t.regex(errors, /^ferronet: listen EADDRINUSE/);
  server.close();
});

test('the package by itself does not load the command line', async (t) => {
  const { stdout, stderr } = await runScript(
    `require('ferronet'); console.log(Object.keys(require.cache).filter((file) => /cli|bin/.test(file) && !/binding/.test(file)).length)`,
  );
  t.is(stdout, '0\n', stderr);
});
