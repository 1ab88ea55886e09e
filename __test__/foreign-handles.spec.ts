// Handles that are not this package's: Node's own, as `process.binding` and node:net have them, are used as node:net uses
// them, and none of them aborts the process.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { connect, createServer, type OnReadOpts, type Server, type Socket, type SocketConstructorOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import test, { type ExecutionContext } from 'ava';

import { both, closed, listening, numbered, type Place, withResolvers } from './_helpers/both.js';
import { runScript } from './_helpers/script.js';
import { isNode, ours } from './_helpers/implementations.js';
import { localPath } from './_helpers/local-path.js';

interface Handle {
  readonly fd: number;
  onconnection: (status: number, client: Handle) => void;
  bind: (address: string, port?: number) => number;
  bind6: (address: string, port?: number) => number;
  listen: (backlog: number) => number;
  getsockname: (out: { port?: number }) => number;
  close: (callback?: () => void) => void;
  hasRef: () => boolean;
}

type Wrap = { [name in 'TCP' | 'Pipe']: new (type: number) => Handle };

const [SOCKET, SERVER] = [0, 1];

function newHandle(name: 'TCP' | 'Pipe', type: number): Handle {
  const { binding } = process as unknown as { binding: (name: string) => Wrap };
  return new (binding(name === 'TCP' ? 'tcp_wrap' : 'pipe_wrap')[name])(type);
}

/** Bound, and where. */
function boundTCP(type: number): [handle: Handle, port: number] {
  const handle = newHandle('TCP', type);
  handle.bind('127.0.0.1', 0);
  const name: { port?: number } = {};
  handle.getsockname(name);
  return [handle, name.port as number];
}

const handleOf = (holder: object): Handle | null => (holder as { _handle: Handle | null })._handle;

interface Handled extends SocketConstructorOpts {
  pauseOnCreate?: boolean;
  onread?: OnReadOpts;
}

/** All that comes until the end, which leaves the socket as it is. */
async function everything(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => void chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks).toString();
}

/** A socket of a handle that Node's own listener has accepted, and a socket of node:net at the other end. */
async function accepted(place: Place, options: Handled = {}): Promise<[socket: Socket, peer: Socket, handle: Handle]> {
  const [handle, peer] = await acceptedHandle(place);
  const socket = new place.net.Socket({ handle, ...options } as SocketConstructorOpts);
  place.atEnd(() => socket.destroy());
  return [socket, peer, handle];
}

async function acceptedHandle(place: Place): Promise<[handle: Handle, peer: Socket]> {
  const [raw, port] = boundTCP(SERVER);
  place.atEnd(() => raw.close());
  const { promise, resolve } = withResolvers<Handle>();
  raw.onconnection = (_status, client) => resolve(client);
  raw.listen(8);
  const peer = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  place.atEnd(() => peer.destroy());
  const [handle] = await Promise.all([promise, once(peer, 'connect')]);
  return [handle, peer];
}

const only = isNode ? both : (title: string): void => void test.skip(title, () => {});

only('a connection of a raw listener', async (t, place) => {
  const [socket, peer, handle] = await accepted(place, { allowHalfOpen: true });
  t.is(handleOf(socket), handle);
  t.deepEqual([socket.readyState, socket.pending, socket.connecting], ['open', false, false]);
  t.deepEqual(socket.address(), { address: '127.0.0.1', family: 'IPv4', port: peer.remotePort });
  t.deepEqual([socket.remoteAddress, socket.remotePort], ['127.0.0.1', peer.localPort]);
  socket.setNoDelay(true).setKeepAlive(true, 5000).ref();
  t.true(handle.hasRef());
  t.false(handle.hasRef.call(handleOf(socket.unref())));
  const received = everything(peer);
  socket.write('utf8 é, ');
  socket.write('latin1 \u00e9, ', 'latin1');
  socket.write('617363696920', 'hex');
  socket.write('ucs2', 'ucs2');
  socket.write(Buffer.from(', buffer, '));
  socket.cork();
  socket.write('corked ');
  socket.write(Buffer.from('together'));
  socket.uncork();
  await new Promise<void>((resolve) => void socket.end(' end', () => resolve()));
  t.is(
    await received,
    Buffer.concat([
      Buffer.from('utf8 é, '),
      Buffer.from('latin1 \u00e9, ', 'latin1'),
      Buffer.from('ascii '),
      Buffer.from('ucs2', 'ucs2'),
      Buffer.from(', buffer, corked together end'),
    ]).toString(),
  );
  peer.end('answer');
  t.is(await text(socket), 'answer');
  await closed(socket);
  t.is(socket.bytesRead, 6);
  t.is(socket.bytesWritten, 62);
  t.is(handleOf(socket), null);
  t.true(socket.destroyed);
});

only('much data both ways', async (t, place) => {
  const [socket, peer] = await accepted(place, { allowHalfOpen: true });
  const bytes = numbered(8 << 20);
  const there = new Promise<number>((resolve) => {
    let size = 0;
    let isRight = true;
    peer.on('data', (chunk: Buffer) => {
      isRight &&= chunk.equals(bytes.subarray(size, size + chunk.length));
      size += chunk.length;
    });
    peer.on('end', () => resolve(isRight ? size : -1));
  });
  const waited = !socket.write(bytes);
  t.true(waited);
  await once(socket, 'drain');
  socket.end();
  t.is(await there, bytes.length);
  peer.end(bytes);
  let size = 0;
  for await (const chunk of socket) {
    t.true((chunk as Buffer).equals(bytes.subarray(size, size + (chunk as Buffer).length)));
    size += (chunk as Buffer).length;
  }
  t.is(size, bytes.length);
});

only('paused from the start, and read into memory of the program', async (t, place) => {
  const [paused, peer] = await accepted(place, { pauseOnCreate: true });
  peer.end('waits');
  t.true(paused.isPaused());
  t.is(await text(paused), 'waits');
  let read = '';
  const callback = (length: number, buffer: Uint8Array): boolean => {
    read += Buffer.from(buffer.subarray(0, length)).toString();
    return true;
  };
  const [into, other] = await accepted(place, { onread: { buffer: Buffer.alloc(4), callback } });
  other.end('in pieces');
  await closed(into);
  t.is(read, 'in pieces');
});

only('a reset, from both sides', async (t, place) => {
  const [socket, peer] = await accepted(place);
  const [error] = await Promise.all([
    once(socket, 'error').then(([first]) => first as NodeJS.ErrnoException),
    closed(socket),
    (async () => peer.resetAndDestroy())(),
  ]);
  t.is(error.message, 'read ECONNRESET');
  const [resets, other] = await accepted(place);
  const over = once(other.resume(), 'error');
  resets.resetAndDestroy();
  t.is(((await over)[0] as NodeJS.ErrnoException).code, 'ECONNRESET');
  await (resets.closed || closed(resets));
});

only('destroyed with writes under way', async (t, place) => {
  const [socket] = await accepted(place);
  const errors: unknown[] = [];
  socket.write(Buffer.alloc(32 << 20), (error) => errors.push((error as NodeJS.ErrnoException | null)?.code));
  socket.on('error', (error) => errors.push(error.message));
  socket.destroy(new Error('enough'));
  await closed(socket);
  // An older Node does not report the write, but ends as well.
  t.is(errors.length, 2);
  t.true(errors.includes('enough'));
});

only('the idle timer', async (t, place) => {
  const [socket] = await accepted(place);
  await once(socket.setTimeout(1), 'timeout');
  t.true(socket.readable);
});

only('a handle that has closed', async (t, place) => {
  const handle = newHandle('TCP', SOCKET);
  handle.close();
  const socket = new place.net.Socket({ handle } as SocketConstructorOpts);
  const [error] = (await once(socket, 'error')) as [Error];
  t.regex(error.message, /^read E/);
});

only('a fresh handle that connects', async (t, place) => {
  const { port } = await place.listen((socket) => socket.end('hello'));
  const socket = new place.net.Socket({ handle: newHandle('TCP', SOCKET), manualStart: true } as SocketConstructorOpts);
  const attempts: unknown[] = [];
  socket.on('connectionAttempt', (...args) => attempts.push(args));
  socket.connect(port, '127.0.0.1');
  t.true(socket.connecting);
  await once(socket, 'connect');
  t.is(await text(socket), 'hello');
  t.deepEqual(attempts, [['127.0.0.1', port, 4]]);
});

only('a bound handle that connects, and one that is refused', async (t, place) => {
  const { port } = await place.listen((socket) => socket.end());
  const [handle, own] = boundTCP(SOCKET);
  const socket = new place.net.Socket({ handle, manualStart: true } as SocketConstructorOpts).connect(
    port,
    '127.0.0.1',
  );
  await once(socket, 'connect');
  t.is(socket.localPort, own);
  socket.destroy();
  const refused = new place.net.Socket({
    handle: newHandle('TCP', SOCKET),
    manualStart: true,
  } as SocketConstructorOpts);
  refused.connect({ port: 1, host: '127.0.0.1' });
  await t.throwsAsync(once(refused, 'connect'), { message: 'connect ECONNREFUSED 127.0.0.1:1' });
});

only('destroyed while a handle connects', async (t, place) => {
  const { port } = await place.listen(() => {});
  const socket = new place.net.Socket({ handle: newHandle('TCP', SOCKET), manualStart: true } as SocketConstructorOpts);
  socket.on('connect', () => t.fail());
  socket.connect(port, '127.0.0.1');
  await new Promise((resolve) => process.nextTick(resolve));
  socket.destroy();
  await closed(socket);
  t.pass();
});

async function onPath(place: Place): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'net-'));
  place.atEnd(() => void rm(directory, { recursive: true, force: true }));
  return localPath(directory, 'socket');
}

only('a local socket', async (t, place) => {
  const path = await onPath(place);
  const raw = newHandle('Pipe', SERVER);
  raw.bind(path);
  place.atEnd(() => raw.close());
  const served = new Promise<string>((resolve) => {
    raw.onconnection = (_status, handle) => {
      const socket = new place.net.Socket({ handle, allowHalfOpen: true } as SocketConstructorOpts);
      t.throws(() => socket.resetAndDestroy(), { code: 'ERR_INVALID_HANDLE_TYPE' });
      t.deepEqual([socket.remoteAddress, socket.address()], [undefined, {}]);
      socket.end('to the client');
      void text(socket).then(resolve);
    };
  });
  raw.listen(8);
  const client = new place.net.Socket({
    handle: newHandle('Pipe', SOCKET),
    manualStart: true,
  } as SocketConstructorOpts);
  client.connect(path);
  await once(client, 'connect');
  client.end('to the server');
  t.is(await text(client), 'to the client');
  t.is(await served, 'to the server');
});

const holders: Record<string, (handle: Handle) => object> = {
  'a handle': (handle) => handle,
  'what has it as _handle': (handle) => ({ _handle: handle }),
  'what has it as handle': (handle) => ({ handle }),
};

for (const [title, hold] of Object.entries(holders)) {
  only(`a server listens with ${title}`, async (t, place) => {
    const [handle, port] = boundTCP(SERVER);
    const server = place.net.createServer({ noDelay: true }, (socket) => {
      place.atEnd(() => socket.destroy());
      socket.pipe(socket);
    });
    place.atEnd(() => server.close());
    server.listen(hold(handle), 5);
    await once(server, 'listening');
    t.is(handleOf(server), handle);
    t.deepEqual(server.address(), { address: '127.0.0.1', family: 'IPv4', port });
    t.false(handle.hasRef.call(handleOf(server.unref())));
    server.ref();
    const client = connect(port, '127.0.0.1');
    client.end('there and back');
    t.is(await text(client), 'there and back');
    await new Promise((resolve) => void server.close(resolve));
    const again = createServer().listen(port, '127.0.0.1');
    await once(again, 'listening');
    again.close();
  });
}

only('a server listens with what another server listens with', async (t, place) => {
  const other = createServer(() => t.fail());
  const port = await listening(other);
  const server = place.net.createServer((socket) => socket.end('served'));
  server.listen(other);
  await once(server, 'listening');
  const texts = await Promise.all(Array.from({ length: 8 }, () => text(connect(port, '127.0.0.1'))));
  t.deepEqual(
    texts,
    Array.from({ length: 8 }, () => 'served'),
  );
  await new Promise((resolve) => void server.close(resolve));
});

only('a limit of connections holds for a handle as well', async (t, place) => {
  const [handle, port] = boundTCP(SERVER);
  const server = place.net.createServer((socket) => place.atEnd(() => socket.destroy()));
  server.maxConnections = 1;
  server.listen(handle);
  await once(server, 'listening');
  place.atEnd(() => server.close());
  const first = connect(port, '127.0.0.1');
  place.atEnd(() => first.destroy());
  await once(server, 'connection');
  const dropped = once(server, 'drop');
  const second = connect(port, '127.0.0.1').resume();
  const [what] = (await dropped) as [{ remotePort: number }];
  t.is(what.remotePort, second.localPort ?? what.remotePort);
  await closed(second);
});

only('http over a handle', async (t, place) => {
  const [handle, peer] = await acceptedHandle(place);
  const server = http.createServer((request, response) => response.end(`answer to ${request.url}`));
  server.emit('connection', new place.net.Socket({ handle } as SocketConstructorOpts));
  peer.write('GET /question HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  t.regex(await text(peer), /answer to \/question/);
});

only('two sockets of one handle: the second one reads', async (t, place) => {
  const [first, peer, handle] = await accepted(place);
  first.on('data', () => t.fail());
  const second = new place.net.Socket({ handle } as SocketConstructorOpts);
  peer.write('for whom');
  t.is(String((await once(second, 'data'))[0]), 'for whom');
  const over = closed(first);
  first.destroy();
  await over;
});

for (const [title, value] of Object.entries({ 'a number': 5, 'a string': 'x', 'what is frozen': Object.freeze({}) })) {
  only(`${title} is no handle`, (t, place) => {
    const error = t.throws(() => new place.net.Socket({ handle: value } as unknown as SocketConstructorOpts));
    t.true(error instanceof TypeError);
    t.regex(error?.message ?? '', /Symbol\(owner_symbol\)/);
    return Promise.resolve();
  });
}

only('an object that can do nothing', async (t, place) => {
  for (const handle of [{}, { readStart: 1 }, Object.create(null), new Map()]) {
    const socket = new place.net.Socket({ handle } as SocketConstructorOpts);
    const [error] = (await once(socket, 'error')) as [Error];
    t.regex(error.message, /is not a function/);
  }
});

// What node:net ends the process for.
const ownOnly = isNode ? test : test.skip;

function withPlace(run: (t: ExecutionContext, place: Place) => Promise<void>) {
  return async (t: ExecutionContext): Promise<void> => {
    const toEnd: (() => void)[] = [];
    const place = { net: ours, atEnd: (action: () => void) => void toEnd.push(action) } as unknown as Place;
    try {
      await run(t, place);
    } finally {
      for (const action of toEnd.reverse()) action();
    }
  };
}

ownOnly(
  'a handle that is assigned',
  withPlace(async (t, place) => {
    const [handle, peer] = await acceptedHandle(place);
    const socket = new ours.Socket();
    (socket as unknown as { _handle: Handle | null })._handle = handle;
    t.is(handleOf(socket), handle);
    peer.write('question');
    t.is(String((await once(socket, 'data'))[0]), 'question');
    socket.end('answer');
    t.is(await text(peer), 'answer');
    socket.destroy();
    await closed(socket);
  }),
);

ownOnly(
  'a handle that is taken back',
  withPlace(async (t, place) => {
    const [socket, peer, handle] = await accepted(place);
    (socket as unknown as { _handle: Handle | null })._handle = null;
    socket.destroy();
    await closed(socket);
    const again = new ours.Socket({ handle } as unknown as SocketConstructorOpts);
    place.atEnd(() => again.destroy());
    peer.write('still there');
    t.is(String((await once(again, 'data'))[0]), 'still there');
  }),
);

ownOnly(
  'the handle of a socket of node:net',
  withPlace(async (t, place) => {
    const server: Server = createServer((socket) => socket.pipe(socket));
    const port = await listening(server);
    place.atEnd(() => server.close());
    const theirs = connect(port, '127.0.0.1');
    await once(theirs, 'connect');
    const socket = new ours.Socket({ handle: handleOf(theirs) } as unknown as SocketConstructorOpts);
    (theirs as unknown as { _handle: Handle | null })._handle = null;
    theirs.destroy();
    socket.end('there and back');
    t.is(await text(socket), 'there and back');
  }),
);

ownOnly(
  'a target that a handle cannot have',
  withPlace(async (t) => {
    const tcp = new ours.Socket({
      handle: newHandle('TCP', SOCKET),
      manualStart: true,
    } as unknown as SocketConstructorOpts);
    await t.throwsAsync(once(tcp.connect('/a/path'), 'connect'), { code: 'EINVAL' });
    const pipe = new ours.Socket({
      handle: newHandle('Pipe', SOCKET),
      manualStart: true,
    } as unknown as SocketConstructorOpts);
    await t.throwsAsync(once(pipe.connect(1, '127.0.0.1'), 'connect'), { code: 'EINVAL' });
  }),
);

ownOnly(
  'a handle that is no stream does not connect',
  withPlace(async (t) => {
    // Run by itself: with node:net the process aborts.
    const { code, stdout, stderr } = await runScript(`
      const { UDP } = process.binding('udp_wrap');
      const socket = new (require('ferronet').Socket)({ handle: new UDP(), manualStart: true });
      socket.on('error', (error) => { console.log(error.code); process.exit(); }).connect(1, '127.0.0.1');`);
    t.is(code, 0, stderr);
    t.is(stdout.trim(), 'EINVAL');
  }),
);

ownOnly(
  'connections of a handle are moved without JavaScript, as those of any server',
  withPlace(async (t, place) => {
    const [handle, port] = boundTCP(SERVER);
    const server = ours.createServer((socket) => {
      t.not(handleOf(socket)?.constructor, handle.constructor);
      t.is(handleOf(socket)?.constructor.name, 'TCP');
      socket.end();
    });
    server.listen(handle);
    await once(server, 'listening');
    place.atEnd(() => server.close());
    await text(connect(port, '127.0.0.1'));
  }),
);
