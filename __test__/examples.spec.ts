// Runs the programs of examples/ and the first one of the README as they are, each in its own process. Only the port
// 8124 and the path /tmp/echo.sock are replaced in the text by ones that are free, so that another program on
// this machine cannot spoil a run.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import nodeNet from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';

import { localPath } from './_helpers/local-path.js';
import { Program } from './_helpers/program.js';

const root = join(__dirname, '..');
const testOnUnix = process.platform === 'win32' ? test.skip : test;

interface Place {
  port?: number;
  path?: string;
  /** Written for Node's own net, which `ferronet/register` replaces. */
  isForNode?: boolean;
}

function example(t: ExecutionContext, name: string, place: Place = {}): Program {
  const text = readFileSync(join(root, name), 'utf8')
    .replace("'ferronet'", place.isForNode ? "'net'" : '$&')
    .replace(/^[^]*?```js\n([^]*?)```[^]*$/, '$1')
    .replaceAll('8124', String(place.port ?? 8124))
    .replaceAll('/tmp/echo.sock', JSON.stringify(place.path ?? '/tmp/echo.sock').slice(1, -1));
  // `-e` resolves 'ferronet' from the working directory: the package itself.
  const flags = place.isForNode ? ['--import', 'ferronet/register'] : [];
  return new Program(t, process.execPath, [...flags, '-e', text]);
}

async function freePort(): Promise<number> {
  const server = nodeNet.createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as nodeNet.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function freePath(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ferronet-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return localPath(folder, 'echo.sock');
}

async function echoes(t: ExecutionContext, server: Program, client: Program): Promise<void> {
  t.is(await client.status, 0, client.output);
  for (const line of ['connected to server!', 'hello', 'disconnected from server'])
    t.true(client.output.includes(line));
  await server.says('client disconnected');
  t.true(server.output.indexOf('client connected') < server.output.indexOf('client disconnected'));
}

for (const isForNode of [false, true]) {
  const how = isForNode ? ", written for node:net, with 'ferronet/register'" : '';

  test(`the echo server and its client on TCP${how}`, async (t) => {
    const place = { port: await freePort(), isForNode };
    const server = example(t, 'examples/echo-server.js', place);
    await server.says('server bound');
    await echoes(t, server, example(t, 'examples/echo-client.js', place));
  });

  test(`the echo server and its client on a socket path${how}`, async (t) => {
    const place = { path: freePath(t), isForNode };
    const server = example(t, 'examples/echo-server-unix.js', place);
    await server.says('server bound');
    await echoes(t, server, example(t, 'examples/echo-client-unix.js', place));
  });

  testOnUnix(`the echo server on a socket path removes its file when it is interrupted${how}`, async (t) => {
    const place = { path: freePath(t), isForNode };
    const server = example(t, 'examples/echo-server-unix.js', place);
    await server.says('server bound');
    t.true(existsSync(place.path));
    server.child.kill('SIGINT');
    t.is(await server.status, 0, server.output);
    t.false(existsSync(place.path));
  });

  test(`the first program of the README ends by itself${how}`, async (t) => {
    const program = example(t, 'README.md', { port: await freePort(), isForNode });
    t.is(await program.status, 0);
    t.is(program.output, 'hello\r\nworld!\r\n');
  });

  test(`the goodbye server says where it listens, and goodbye${how}`, async (t) => {
    const server = example(t, 'examples/goodbye-server.js', { isForNode });
    await server.says('}');
    const port = Number(/port: (\d+)/.exec(server.output)?.[1]);
    const client = nodeNet.connect(port).setEncoding('utf8');
    let heard = '';
    client.on('data', (text: string) => (heard += text));
    await once(client, 'close');
    t.is(heard, 'goodbye\n');
  });

  test(`a server whose port is taken tries again until it is free${how}`, async (t) => {
    const other = nodeNet.createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as nodeNet.AddressInfo;
    const server = example(t, 'examples/address-in-use.js', { port, isForNode });
    await server.says('Address in use, retrying...');
    t.false(server.output.includes('server bound'));
    other.close();
    await server.says('server bound');
    const client = nodeNet.connect(port, '127.0.0.1');
    t.is(String(await once(client, 'data')), 'goodbye\n');
  });

  test(`setTimeout() reports a silent client, who is then hung up on${how}`, async (t) => {
    const port = await freePort();
    const server = example(t, 'examples/set-timeout.js', { port, isForNode });
    await server.says('server bound');
    const client = nodeNet.connect(port).resume();
    const start = performance.now();
    client.write('one word\n');
    await server.says('heard one word');
    await once(client, 'end');
    t.true(performance.now() - start >= 2_950, 'not before three seconds of silence');
    await server.says('socket timeout');
  });
}

async function saysGoodbye(t: ExecutionContext, port: number): Promise<void> {
  t.is(await text(nodeNet.connect(port, '127.0.0.1')), 'goodbye\n');
}

test('the server for systemd, started by hand', async (t) => {
  const port = await freePort();
  const server = example(t, 'examples/systemd.js', { port });
  await server.says('server bound');
  await saysGoodbye(t, port);
});

testOnUnix('the server for systemd, started with its socket', async (t) => {
  const opener = nodeNet.createServer().listen(0, '127.0.0.1');
  await once(opener, 'listening');
  const { port } = opener.address() as nodeNet.AddressInfo;
  const { fd } = (opener as unknown as { _handle: { fd: number } })._handle;
  const environment = 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web';
  const script = `${environment} exec "$0" examples/systemd.js`;
  const server = new Program(t, 'sh', ['-c', script, process.execPath], [fd]);
  await server.says('listening on the socket called web');
  opener.close();
  await saysGoodbye(t, port);
});

for (const [name, between] of Object.entries({
  http: 'you asked for /one\nyou asked for /two\n',
  https: 'you asked for /one\ntrusted: true\nyou asked for /two\n',
  http2: 'you asked for /one\n',
})) {
  test(`${name}: a server and a client, until both have ended`, async (t) => {
    const program = example(t, `examples/${name}.js`, { port: await freePort() });
    t.is(await program.status, 0, program.output);
    t.is(program.output, `server bound\n${between}server closed\n`);
  });
}

const ncHelp = spawnSync('nc', ['-h'], { encoding: 'utf8' });
const missing = ncHelp.error
  ? 'nc is not installed'
  : /(^|\s)-\w*U/m.test(ncHelp.stdout + ncHelp.stderr)
    ? ''
    : 'this nc has no -U';
const testWithNc = missing ? test.skip : test;
const because = missing ? ` (skipped: ${missing})` : '';

async function talksToNc(t: ExecutionContext, server: Program, args: string[]): Promise<void> {
  await server.says('server bound');
  const nc = new Program(t, 'nc', args);
  await nc.says('hello\r\n');
  nc.child.stdin.write('is anybody there?\n');
  await nc.says('is anybody there?\n');
  // Killed, not ended: what nc does at the end of its input differs from one nc to the next.
  nc.child.kill();
  await server.says('client disconnected');
  t.pass();
}

testWithNc(`nc talks to the echo server on TCP${because}`, async (t) => {
  const port = await freePort();
  await talksToNc(t, example(t, 'examples/echo-server.js', { port }), ['127.0.0.1', String(port)]);
});

testWithNc(`nc -U talks to the echo server on a socket path${because}`, async (t) => {
  const path = freePath(t);
  await talksToNc(t, example(t, 'examples/echo-server-unix.js', { path }), ['-U', path]);
});
