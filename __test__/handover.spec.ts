// Open connections are handed over from node:net to ferronet and back. All bytes that were read, wherever they are buffered,
// arrive once and in order, and the peer notices nothing.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import nodeNet, { type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import tls from 'node:tls';

import test, { type ExecutionContext } from 'ava';

import type * as handover from 'ferronet/handover';

import { closed, numbered, Place } from './_helpers/both.js';
import { cert, key } from './_helpers/certificate.js';
import { type Net, node, ours } from './_helpers/implementations.js';
import { runScript } from './_helpers/script.js';

const { adopt, release } = require('ferronet/handover') as typeof handover;

interface Direction {
  name: string;
  from: Net;
  to: Net;
  move: (socket: Socket) => Socket;
}

const moveToOurs = (socket: Socket): Socket => adopt(socket) as unknown as Socket;
const moveToNodes = (socket: Socket): Socket => release(socket as never) as unknown as Socket;

const directions: Direction[] = [
  { name: 'adopt', from: node, to: ours, move: moveToOurs },
  { name: 'release', from: ours, to: node, move: moveToNodes },
];

type Run = (t: ExecutionContext, direction: Direction, place: Place) => Promise<void>;

const onLinux = process.platform === 'linux' ? test : test.skip;
const onUnix = process.platform === 'win32' ? test.skip : test;

/** In both directions, with what is to be moved and its peer from `place`. */
function each(title: string, run: Run): void {
  for (const direction of directions) {
    onUnix(`${direction.name}: ${title}`, async (t) => {
      const place = new Place(direction.from);
      try {
        await run(t, direction, place);
      } finally {
        place.end();
      }
    });
  }
}

function moved(place: Place, direction: Direction, socket: Socket): Socket {
  const next = direction.move(socket);
  place.atEnd(() => next.destroy());
  return next;
}

/** All up to the peer's end, which need not be this side's. */
async function received(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 2000 && !condition(); i++) await new Promise(setImmediate);
}

each('an idle connection goes on, and the peer sees nothing', async (t, direction, place) => {
  const [peer, socket] = await place.pair();
  peer.on('end', () => t.fail('the peer was ended'));
  const over = once(socket, 'close');
  socket.on('end', () => t.fail('it did not end, it was handed over'));
  const next = moved(place, direction, socket);
  t.true(next instanceof direction.to.Socket);
  t.true(socket.destroyed);
  t.deepEqual(await over, [false]);
  t.deepEqual([next.remotePort, next.localPort], [peer.localPort, peer.remotePort]);
  next.pipe(next);
  for (const word of ['one', 'two']) {
    peer.write(word);
    t.is(String((await once(peer, 'data'))[0]), word);
  }
  peer.removeAllListeners('end');
});

each('bytes that only the kernel has', async (t, direction, place) => {
  const [peer, socket] = await place.pair({ pauseOnConnect: true });
  const bytes = numbered(200_000);
  await new Promise<void>((resolve) => void peer.end(bytes, resolve));
  t.is(socket.bytesRead, 0);
  t.true(bytes.equals(await buffer(moved(place, direction, socket).resume())));
});

each('bytes in the buffer of the stream, and behind them those in the kernel', async (t, direction, place) => {
  const [peer, socket] = await place.pair();
  const bytes = numbered(1 << 20);
  peer.end(bytes);
  const [first] = (await once(socket, 'data')) as [Buffer];
  socket.pause();
  await until(() => socket.readableLength > 0);
  t.true(socket.readableLength > 0);
  socket.on('data', () => t.fail('told twice'));
  const next = moved(place, direction, socket);
  t.true(next.isPaused());
  t.true(bytes.equals(Buffer.concat([first, await buffer(next)])));
});

each('in a data event', async (t, direction, place) => {
  const [peer, socket] = await place.pair();
  const bytes = numbered(4 << 20);
  peer.end(bytes);
  const all = await new Promise<Buffer>((resolve, reject) => {
    socket.once('data', (first: Buffer) => {
      buffer(moved(place, direction, socket)).then((rest) => resolve(Buffer.concat([first, rest])), reject);
    });
  });
  t.true(bytes.equals(all));
});

each('what goes to a buffer of the user, and is held back', async (t, direction, place) => {
  const bytes = numbered(100_000);
  const { port } = await place.listen((socket) => socket.end(bytes));
  const first = await new Promise<[Buffer, Socket]>((resolve) => {
    const socket = direction.from.connect({
      port,
      host: '127.0.0.1',
      onread: {
        buffer: Buffer.alloc(1000),
        callback: (size, buffer) => {
          resolve([Buffer.from(buffer.subarray(0, size)), moved(place, direction, socket)]);
          return false;
        },
      },
    });
  });
  t.true(bytes.equals(Buffer.concat([first[0], await buffer(first[1])])));
});

each('a piped connection leaves its pipe', async (t, direction, place) => {
  const [peer, socket] = await place.pair();
  const [other, destination] = await place.pair();
  socket.pipe(destination);
  for (const word of ['one', 'two', 'three', 'four']) {
    peer.write(word);
    t.is(String((await once(other, 'data'))[0]), word);
  }
  const next = moved(place, direction, socket);
  peer.write('five');
  t.is(String((await once(next, 'data'))[0]), 'five');
});

each('a peer that has ended, with its bytes unread', async (t, direction, place) => {
  const [peer, socket] = await place.pair({ allowHalfOpen: true });
  socket.pause();
  const answer = received(peer);
  const ended = numbered(1000);
  peer.end(ended);
  socket.read(0);
  await until(() => (socket as unknown as { _readableState: { ended: boolean } })._readableState.ended);
  t.is(socket.readableLength, 1000);
  socket.on('end', () => t.fail('the bytes were not told'));
  const next = moved(place, direction, socket);
  t.true(next.allowHalfOpen);
  t.true(ended.equals(await received(next.resume())));
  next.end('and an answer');
  t.is(String(await answer), 'and an answer');
});

each('a side that has ended itself', async (t, direction, place) => {
  const [peer, socket] = await place.pair({ allowHalfOpen: true });
  peer.allowHalfOpen = true;
  socket.end('last words');
  await once(socket, 'finish');
  const next = moved(place, direction, socket);
  t.true(next.writableEnded);
  t.is(String(await received(peer)), 'last words');
  peer.end('heard');
  t.is(String(await buffer(next)), 'heard');
});

each('an encoding, in the middle of a character', async (t, direction, place) => {
  const [peer, socket] = await place.pair();
  const text = Buffer.from('aä€𝄞');
  socket.setEncoding('utf8').pause();
  peer.write(text.subarray(0, -2));
  socket.read(0);
  await until(() => socket.bytesRead === text.length - 2);
  const next = moved(place, direction, socket);
  peer.end(text.subarray(-2));
  let said = '';
  for await (const piece of next) said += piece as string;
  t.is(said, 'aä€𝄞');
});

each('writes that are not done are refused, and none is lost', async (t, direction, place) => {
  const [peer, socket] = await place.pair();
  const bytes = numbered(16 << 20);
  socket.write(bytes);
  t.throws(() => direction.move(socket), { code: 'ERR_INVALID_STATE', message: /writes/ });
  t.false(socket.destroyed);
  // It reads on as well.
  peer.write('meanwhile');
  t.is(String((await once(socket, 'data'))[0]), 'meanwhile');
  socket.pause();
  const all = buffer(peer);
  await once(socket, 'drain');
  const next = moved(place, direction, socket);
  next.end('the end');
  const heard = await all;
  t.is(heard.length, bytes.length + 7);
  t.true(bytes.equals(heard.subarray(0, bytes.length)));
});

each('what was written a moment before is sent', async (t, direction, place) => {
  const [peer, socket] = await place.pair();
  // In a callback ferronet batches the write.
  socket.once('data', () => {
    socket.write('one ');
    moved(place, direction, socket).end('two');
  });
  peer.write('go');
  t.is(String(await buffer(peer)), 'one two');
});

each('the settings', async (t, direction, place) => {
  const [, socket] = await place.pair({ allowHalfOpen: true, highWaterMark: 1234 });
  socket.setNoDelay(true).setKeepAlive(true, 7000).setTimeout(60_000).pause();
  const there = moved(place, direction, socket);
  const back = moved(place, directions.find(({ from }) => from === direction.to) as Direction, there);
  for (const each of [there, back]) {
    t.deepEqual([each.allowHalfOpen, each.timeout, each.isPaused()], [true, 60_000, true]);
    t.deepEqual([each.readableHighWaterMark, each.writableHighWaterMark], [1234, 1234]);
  }
  const mine = (direction.to === ours ? there : adopt(back)) as unknown as { _settings: () => unknown };
  const keepAlive = { enable: true, idle: 7, interval: undefined, count: undefined };
  t.deepEqual(mine._settings(), { noDelay: true, keepAlive });
});

each('on a path', async (t, direction, place) => {
  const server = direction.from.createServer((socket) => void moved(place, direction, socket).end('served'));
  const folder = mkdtempSync(join(tmpdir(), 'ferronet-handover-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'socket');
  server.listen(path);
  place.atEnd(() => server.close());
  await once(server, 'listening');
  t.is(String(await buffer(nodeNet.connect(path))), 'served');
});

onUnix('there and back again, in the middle of megabytes both ways', async (t) => {
  const place = new Place(node);
  const [peer, accepted] = await place.pair();
  const bytes = numbered(8 << 20);
  let socket = accepted;
  const chunks: Buffer[] = [];
  let size = 0;
  let hops = 0;
  const listen = (): void => {
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      socket.write(chunk);
      if (hops < 40 && size > hops * 200_000) hop();
    });
  };
  const hop = (): void => {
    try {
      socket = hops % 2 === 0 ? moveToOurs(socket) : moveToNodes(socket);
    } catch (error) {
      // Its writes are not done.
      t.is((error as NodeJS.ErrnoException).code, 'ERR_INVALID_STATE');
      return;
    }
    hops += 1;
    listen();
  };
  listen();
  place.atEnd(() => socket.destroy());
  const echoed = buffer(peer);
  peer.write(bytes);
  await until(() => size === bytes.length);
  while (size < bytes.length) await once(socket, 'data');
  socket.end();
  t.true(bytes.equals(Buffer.concat(chunks)));
  t.true(bytes.equals(await echoed));
  t.true(hops > 5, `${hops} hops`);
  place.end();
});

onUnix('release: what the reactor has read while JavaScript was busy', async (t) => {
  const { code, stdout, stderr } = await runScript(
    `process.env.FERRONET_DRIVER = 'thread';
     const net = require('ferronet');
     const { release } = require('ferronet/handover');
     const { createHash } = require('node:crypto');
     const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');
     const bytes = Buffer.alloc(1 << 20, 'ahead of its time ');
     const server = net.createServer((socket) => {
       socket.on('data', () => {}).pause().resume();
       const received = [];
       socket.on('data', (chunk) => received.push(chunk));
       setImmediate(() => {
         // The reactor's thread reads meanwhile.
         Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
         const before = socket.bytesRead;
         const next = release(socket);
         next.on('data', (chunk) => received.push(chunk)).on('end', () => {
           console.log(hash(Buffer.concat(received)) === hash(bytes), next.bytesRead + before < bytes.length);
           next.end();
           server.close();
         });
       });
     }).listen(0, '127.0.0.1', () => net.connect(server.address().port, '127.0.0.1').end(bytes));`,
  );
  t.is(code, 0, stderr);
  // Some of it was counted by neither stream's handle: it was on its way between them.
  t.is(stdout, 'true true\n');
});

onLinux('no descriptor is left, and none is lost', async (t) => {
  const { code, stdout, stderr } = await runScript(
    `const net = require('node:net');
     const { readdirSync } = require('node:fs');
     const { adopt, release } = require('ferronet/handover');
     const { once } = require('node:events');
     const count = () => readdirSync('/proc/self/fd').length;
     async function round() {
       const first = net.createServer().listen(0, '127.0.0.1');
       await once(first, 'listening');
       const server = release(adopt(first));
       const client = net.connect(server.address().port, '127.0.0.1');
       const [[accepted]] = await Promise.all([once(server, 'connection'), once(client, 'connect')]);
       const last = release(adopt(release(adopt(accepted))));
       last.end('bye');
       const theirs = adopt(client).resume();
       await Promise.all([once(theirs, 'close'), once(last, 'close')]);
       server.close();
       await once(server, 'close');
     }
     (async () => {
       await round();
       const before = count();
       for (let i = 0; i < 20; i++) await round();
       console.log(count() - before);
     })();`,
  );
  t.is(code, 0, stderr);
  t.is(stdout, '0\n');
});

// ---- what is refused

each('while connecting, and after the end', async (t, direction, place) => {
  const { port } = await place.listen(() => {});
  const socket = place.connect(port);
  t.throws(() => direction.move(socket), { code: 'ERR_INVALID_STATE', message: /connecting/ });
  await once(socket, 'connect');
  socket.destroy();
  t.throws(() => direction.move(socket), { code: 'ERR_SOCKET_CLOSED' });
  t.throws(() => direction.move(new direction.from.Socket()), { code: 'ERR_SOCKET_CLOSED' });
  await closed(socket);
});

each('under TLS', async (t, direction, place) => {
  const [peer, socket] = await place.pair();
  const secured = new tls.TLSSocket(socket, { isServer: true, key, cert });
  const client = tls.connect({ socket: peer, ca: cert, servername: 'localhost' });
  await once(client, 'secureConnect');
  t.throws(() => direction.move(socket), { code: 'ERR_INVALID_STATE', message: /TLS/ });
  t.throws(() => moveToOurs(secured), { code: 'ERR_INVALID_STATE', message: /TLS/ });
  secured.end('still here');
  t.is(String(await buffer(client)), 'still here');
});

each('under HTTP', async (t, direction, place) => {
  const server = http.createServer((request, response) => {
    t.throws(() => direction.move(request.socket), { code: 'ERR_INVALID_STATE', message: /HTTP/ });
    response.end('still here');
  });
  const { port } = await place.listen((socket) => server.emit('connection', socket));
  const request = http.get({ createConnection: () => place.connect(port) });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  t.throws(() => direction.move(response.socket), { code: 'ERR_INVALID_STATE', message: /HTTP/ });
  t.is(String(await buffer(response)), 'still here');
});

each('under HTTP/2', async (t, direction, place) => {
  const server = http2.createServer();
  const accepted: Socket[] = [];
  server.on('stream', (stream) => {
    for (const each of accepted) t.throws(() => direction.move(each), { code: 'ERR_INVALID_STATE' });
    stream.end('still here');
  });
  const { port } = await place.listen((socket) => {
    accepted.push(socket);
    server.emit('connection', socket);
  });
  const socket = place.connect(port);
  const session = http2.connect('http://localhost', { createConnection: () => socket });
  t.is(String(await buffer(session.request({ ':path': '/' }))), 'still here');
  t.throws(() => direction.move(socket), { code: 'ERR_INVALID_STATE' });
  session.destroy();
});

each('when HTTP has let go of it: an upgrade', async (t, direction, place) => {
  const server = http.createServer();
  server.on('upgrade', (_request, socket: Socket, head) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n', () => {
      const next = moved(place, direction, socket);
      next.write(head);
      next.pipe(next);
    });
  });
  const { port } = await place.listen((socket) => server.emit('connection', socket));
  const request = http.get({
    headers: { connection: 'Upgrade', upgrade: 'echo' },
    createConnection: () => place.connect(port),
  });
  const [, socket, head] = (await once(request, 'upgrade')) as [unknown, Socket, Buffer];
  t.is(head.length, 0);
  const next = moved(place, direction, socket);
  next.end('still here');
  t.is(String(await buffer(next)), 'still here');
});

onUnix('adopt: the standard streams of a child', async (t) => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.pipe(process.stdout)']);
  const over = once(child, 'close');
  adopt(child.stdin as Socket).end('through the child');
  t.is(String(await buffer(adopt(child.stdout as Socket))), 'through the child');
  t.is((await over)[0], 0);
});

test('what is no socket, and what is there already', (t) => {
  for (const move of [adopt, release] as unknown as ((value: unknown) => unknown)[]) {
    for (const value of [null, undefined, 3, {}, new http.Agent()]) {
      t.throws(() => move(value), { code: 'ERR_INVALID_ARG_TYPE' });
    }
  }
  const [mine, theirs] = [new ours.Socket(), new node.Socket()];
  t.is(adopt(mine) as unknown, mine);
  t.is(release(theirs as never) as unknown, theirs);
});

const onWindows = process.platform === 'win32' ? test : test.skip;

onWindows('nothing can be handed over', (t) => {
  t.throws(() => adopt(new node.Server()), { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' });
});

test('in a process that says it is Bun nothing is handed over, and the socket goes on', async (t) => {
  const { code, stdout, stderr } = await runScript(
    `Object.defineProperty(process.versions, 'bun', { value: '1' });
     const net = require('ferronet');
     const { release } = require('ferronet/handover');
     const server = net.createServer((socket) => {
       try { release(socket); } catch (error) { console.log(error.code); }
       socket.end('served');
       server.close();
     }).listen(0, '127.0.0.1', () => net.connect(server.address().port, '127.0.0.1').on('data', (text) => console.log(String(text))));`,
  );
  t.deepEqual([code, stdout], [0, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM\nserved\n'], stderr);
});
