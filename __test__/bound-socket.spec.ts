// `BoundSocket`: an address that is bound at once, and used later by a server or a socket.
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import net, { BoundSocket, type BoundSocketOptions, type LookupFunction, type Server, type Socket } from 'ferronet';

import { localPath } from './_helpers/local-path.js';
import { runScript } from './_helpers/script.js';

const onUnix = process.platform === 'win32' ? test.skip : test;
const onLinux = process.platform === 'linux' ? test : test.skip;
const ADOPTED = { code: 'ERR_SOCKET_HANDLE_ADOPTED' };

function portOf(bound: BoundSocket): number {
  return (bound.address() as AddressInfo).port;
}

function temporary(t: ExecutionContext, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'net-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return localPath(folder, name);
}

async function listening(t: ExecutionContext): Promise<Server> {
  const server = net.createServer((socket) => socket.on('error', () => {}).end('hello'));
  t.teardown(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function serverPort(server: Server): number {
  return (server.address() as AddressInfo).port;
}

test('is bound when the constructor returns', (t) => {
  const bound = new BoundSocket();
  const { address, family, port } = bound.address() as AddressInfo;
  t.deepEqual([address, family, port > 0], ['0.0.0.0', 'IPv4', true]);
  t.false(bound.isPipe);
  if (process.platform !== 'win32') t.true(bound.fd() >= 0);
  bound.close();
});

test('the default host is that of the family asked for', (t) => {
  // Node takes null and numbers as text, which its typings do not say.
  const cases: [object, string][] = [
    [{ host: '127.0.0.1', port: '0' }, '127.0.0.1'],
    [{ host: null, port: null, ipv6Only: null }, '0.0.0.0'],
    [{ ipv6Only: true }, '::'],
    [{ host: '::1' }, '::1'],
  ];
  for (const [options, host] of cases) {
    using bound = new BoundSocket(options);
    t.is((bound.address() as AddressInfo).address, host);
  }
});

test('after close() nothing is left to use, and [Symbol.dispose]() minds nothing', (t) => {
  const bound = new BoundSocket();
  bound.close();
  for (const use of [
    () => bound.address(),
    () => bound.fd(),
    () => bound.close(),
    () => net.createServer().listen(bound),
  ]) {
    t.throws(use, { ...ADOPTED, message: 'The bound socket has already been adopted by a server or socket' });
  }
  t.throws(() => new net.Socket({ handle: bound }), ADOPTED);
  t.notThrows(() => bound[Symbol.dispose]());
  t.false(bound.isPipe);
});

for (const form of ['listen(bound)', 'listen({ handle: bound })'] as const) {
  test(`${form} listens on the address that was bound`, async (t) => {
    const bound = new BoundSocket({ host: '127.0.0.1' });
    const address = bound.address();
    const server = net.createServer((socket) => socket.end('hi'));
    server.listen(form === 'listen(bound)' ? bound : { handle: bound });
    t.true(server.listening);
    t.deepEqual(server.address(), address);
    t.throws(() => bound.address(), ADOPTED);
    const client = net.connect((address as AddressInfo).port, '127.0.0.1');
    const [data] = (await once(client, 'data')) as [Buffer];
    t.is(data.toString(), 'hi');
    server.close();
    await once(server, 'close');
  });
}

test('a server that listens already does not take it', (t) => {
  using bound = new BoundSocket();
  const server = net.createServer().listen(0);
  t.throws(() => server.listen(bound), { code: 'ERR_SERVER_ALREADY_LISTEN' });
  t.truthy(bound.address());
  server.close();
});

test('a socket connects from it', async (t) => {
  const server = await listening(t);
  const bound = new BoundSocket({ host: '127.0.0.1' });
  const port = portOf(bound);
  const socket = new net.Socket({ handle: bound });
  t.is(socket.localPort, port);
  t.is(socket.connecting, false);
  socket.connect(serverPort(server), '127.0.0.1').resume();
  await once(socket, 'connect');
  t.is(socket.localPort, port);
  t.false('autoSelectFamilyAttemptedAddresses' in socket);
  await once(socket, 'close');
});

test('a name is looked up once, whatever autoSelectFamily says', async (t) => {
  const server = await listening(t);
  const handle = new BoundSocket({ host: '127.0.0.1' });
  const lookup: LookupFunction = (_host, options, callback) => {
    t.falsy(options.all);
    callback(null, '127.0.0.1', 4);
  };
  const socket = net.connect({ handle, host: 'a.test', port: serverPort(server), autoSelectFamily: true, lookup });
  await once(socket.resume(), 'close');
  t.false('autoSelectFamilyAttemptedAddresses' in socket);
});

test('localAddress and localPort are refused', (t) => {
  const bound = new BoundSocket({ host: '127.0.0.1' });
  const socket = new net.Socket({ handle: bound });
  const message =
    "The argument 'options' localAddress and localPort cannot be used with an adopted bound socket. " +
    "Received { port: 1, host: '127.0.0.1', localPort: 5 }";
  t.throws(() => socket.connect({ port: 1, host: '127.0.0.1', localPort: 5 }), { instanceOf: TypeError, message });
  t.throws(() => socket.connect({ port: 1, localAddress: '' }), { code: 'ERR_INVALID_ARG_VALUE' });
  t.throws(() => socket.connect({ path: '/nowhere' }), { code: 'ERR_INVALID_ARG_VALUE' });
  socket.destroy();
});

test('a socket that has closed is bound no more', async (t) => {
  const server = await listening(t);
  const target = { port: serverPort(server), host: '127.0.0.1' };
  const socket = net.connect({ ...target, handle: new BoundSocket({ host: '127.0.0.1' }) }).resume();
  await once(socket, 'close');
  socket.connect({ ...target, localAddress: '127.0.0.1' }).resume();
  await once(socket, 'close');
  t.pass();
});

test('the connection begins at once, as in Node', async (t) => {
  const server = await listening(t);
  const socket: Socket = new net.Socket({ handle: new BoundSocket({ host: '127.0.0.1' }) });
  let attempts = 0;
  socket.on('connectionAttempt', () => (attempts += 1));
  socket.connect(serverPort(server), '127.0.0.1').resume();
  t.is(attempts, 1);
  await once(socket, 'close');
});

onUnix('a path: the file is there at once and goes with the socket, whatever has become of it', async (t) => {
  const path = temporary(t, 'bound');
  const bound = new BoundSocket({ path });
  t.deepEqual([bound.isPipe, bound.address(), existsSync(path)], [true, path, true]);
  bound.close();
  t.false(existsSync(path));

  const server = net.createServer((socket) => socket.end());
  server.listen(new BoundSocket({ path }));
  t.is(server.address(), path);
  await once(server, 'listening');

  const from = temporary(t, 'client');
  const client = net.connect({ path, handle: new BoundSocket({ path: from }) }).resume();
  await once(client, 'connect');
  t.true(existsSync(from));
  await once(client, 'close');
  t.false(existsSync(from));
  server.close();
  await once(server, 'close');
  t.false(existsSync(path));
});

onUnix('bind errors are thrown', (t) => {
  const path = temporary(t, 'taken');
  using taken = new BoundSocket({ path });
  t.true(taken.isPipe);
  const keys = (error: unknown): string => Object.keys(error as object).join();
  const error = t.throws(() => new BoundSocket({ path }), { message: 'bind EADDRINUSE' });
  t.is(keys(error), 'errno,code,syscall');
  t.throws(() => new BoundSocket({ path: '/nowhere/at/all' }), { message: 'bind EACCES' });
  t.throws(() => new BoundSocket({ path: `/tmp/${'x'.repeat(200)}` }), { message: 'bind EINVAL' });
  t.throws(() => new BoundSocket({ path: '/tmp/x\0y' }), { message: 'bind EINVAL' });
  const elsewhere = t.throws(() => new BoundSocket({ host: '203.0.113.9', port: 99 }), {
    message: 'bind EADDRNOTAVAIL 203.0.113.9:99',
  });
  t.is(keys(elsewhere), 'errno,code,syscall,address,port');
});

test('a port that is listened on cannot be bound', async (t) => {
  const port = serverPort(await listening(t));
  t.throws(() => new BoundSocket({ host: '127.0.0.1', port }), { message: `bind EADDRINUSE 127.0.0.1:${port}` });
});

onLinux('Linux lets a port be bound twice while it is not listened on, but not with `exclusive`', async (t) => {
  using shared = new BoundSocket({ host: '127.0.0.1' });
  using second = new BoundSocket({ host: '127.0.0.1', port: portOf(shared) });
  t.is(portOf(second), portOf(shared));

  const bound = new BoundSocket({ host: '127.0.0.1', exclusive: true });
  const port = portOf(bound);
  for (const exclusive of [true, false]) {
    t.throws(() => new BoundSocket({ host: '127.0.0.1', port, exclusive }), { code: 'EADDRINUSE' });
  }
  const server = net.createServer().listen(bound);
  await once(server, 'listening');
  server.close();
});

const WRONG: [options: unknown, code: string, message: RegExp][] = [
  [null, 'ERR_INVALID_ARG_TYPE', /"options" argument must be of type object\. Received null$/],
  [[], 'ERR_INVALID_ARG_TYPE', /"options" argument must be of type object\. Received an instance of Array$/],
  [{ host: 1 }, 'ERR_INVALID_ARG_TYPE', /"options\.host" property must be of type string/],
  [{ host: '' }, 'ERR_INVALID_ARG_VALUE', /does not perform DNS resolution\. Received ''$/],
  [
    { host: 'localhost' },
    'ERR_INVALID_ARG_VALUE',
    /^The property 'options\.host' must be a numeric IP address; net\.Bound/,
  ],
  [{ port: 'x' }, 'ERR_SOCKET_BAD_PORT', /^options\.port should be >= 0 and < 65536\. Received type string \('x'\)\.$/],
  [{ port: 70_000 }, 'ERR_SOCKET_BAD_PORT', /^options\.port should be/],
  [{ ipv6Only: 'x' }, 'ERR_INVALID_ARG_TYPE', /"options\.ipv6Only" property must be of type boolean/],
  [{ reusePort: 1 }, 'ERR_INVALID_ARG_TYPE', /"options\.reusePort" property must be of type boolean/],
  [{ exclusive: 1 }, 'ERR_INVALID_ARG_TYPE', /"options\.exclusive" property must be of type boolean/],
  [{ exclusive: true, reusePort: true }, 'ERR_INVALID_ARG_VALUE', /exclusive is mutually exclusive with reusePort/],
  [{ path: null }, 'ERR_INVALID_ARG_TYPE', /"options\.path" property must be of type string\. Received null$/],
  [
    { path: '/tmp/x', port: 1 },
    'ERR_INVALID_ARG_VALUE',
    /^The argument 'options' path is mutually exclusive with host, port, ipv6Only, and reusePort\. Received/,
  ],
];

test('wrong options are refused in the words of Node', (t) => {
  for (const [options, code, message] of WRONG) {
    t.throws(() => new BoundSocket(options as BoundSocketOptions), { code, message });
  }
  t.throws(() => net.createServer().listen({ _handle: new BoundSocket() }), { code: 'ERR_INVALID_ARG_VALUE' });
});

// node:net has taken it by then where it is `typeOfService` or `blockList` that is wrong.
test('a constructor that throws leaves the bound socket to its owner', async (t) => {
  const bound = new BoundSocket({ host: '127.0.0.1' });
  const wrong = [
    { typeOfService: 300 },
    { blockList: {} },
    { objectMode: true },
    { signal: 1 },
    { highWaterMark: 'x' },
  ];
  for (const options of wrong) t.throws(() => new net.Socket({ handle: bound, ...options } as never));
  const server = net.createServer().listen(bound);
  await once(server, 'listening');
  server.close();
});

test('it does not keep the process alive, bound or adopted by a socket', async (t) => {
  const source = `
    const net = require('ferronet');
    new net.BoundSocket();
    new net.Socket({ handle: new net.BoundSocket() });
    for (const options of [{ host: 'localhost' }, { port: 'x' }, { host: '203.0.113.9' }]) {
      try { new net.BoundSocket(options); } catch {}
    }`;
  t.like(await runScript(source), { code: 0, stderr: '' });
});
