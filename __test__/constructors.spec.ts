// `Socket` and `Server` are made in every way in which node:net lets them be made.
import { EventEmitter, once } from 'node:events';
import { Duplex } from 'node:stream';
import { inherits } from 'node:util';

import test from 'ava';

import { node, ours, tried } from './_helpers/implementations.js';

type Callable = ((...args: unknown[]) => object) & { prototype: object };

for (const [name, net] of Object.entries(tried)) {
  const Socket = net.Socket as unknown as Callable;
  const Server = net.Server as unknown as Callable;

  test(`${name}: without new`, (t) => {
    t.true(Socket({ allowHalfOpen: true }) instanceof net.Socket);
    t.true(Server() instanceof net.Server);
    t.true(Server(() => {}) instanceof net.Server);
  });

  test(`${name}: are what they are by instanceof`, (t) => {
    t.true(new net.Socket() instanceof Duplex);
    t.true(new net.Socket() instanceof EventEmitter);
    t.true(new net.Server() instanceof EventEmitter);
    t.true((net as { Stream?: unknown }).Stream === net.Socket);
    t.true((net.connect as unknown) === net.createConnection);
  });

  test(`${name}: under util.inherits`, async (t) => {
    function Greeter(this: object): void {
      Socket.call(this, { allowHalfOpen: false });
    }
    inherits(Greeter, Socket as unknown as new () => object);
    function Hello(this: object): void {
      Server.call(this, (socket: { end(text: string): void }) => socket.end('hello'));
    }
    inherits(Hello, Server as unknown as new () => object);
    const server = new (Hello as unknown as new () => import('node:net').Server)();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = new (Greeter as unknown as new () => import('node:net').Socket)();
    socket.setEncoding('utf8').connect((server.address() as import('node:net').AddressInfo).port, '127.0.0.1');
    t.true(socket instanceof net.Socket && socket instanceof (Greeter as unknown as new () => object));
    t.deepEqual(await once(socket, 'data'), ['hello']);
    server.close();
  });

  test(`${name}: as base classes`, async (t) => {
    class Counting extends net.Socket {
      writes = 0;
      override _write(chunk: unknown, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
        this.writes++;
        super._write(chunk, encoding, callback);
      }
    }
    const server = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = new Counting();
    t.is(socket.connect((server.address() as import('node:net').AddressInfo).port, '127.0.0.1'), socket);
    socket.end('once');
    t.is(String((await once(socket, 'data'))[0]), 'once');
    t.is(socket.writes, 1);
    t.is(socket.constructor, Counting);
    server.close();
  });
}

test('the methods of the prototypes are those of node:net: own, writable, enumerable', (t) => {
  for (const kind of ['Socket', 'Server'] as const) {
    for (const key of ['connect', 'listen', 'close', 'setTimeout', 'destroySoon', 'end', '_write']) {
      const theirs = Object.getOwnPropertyDescriptor(node[kind].prototype, key);
      if (!theirs) continue;
      const { writable, enumerable, configurable } = theirs;
      const mine = Object.getOwnPropertyDescriptor(ours[kind].prototype, key);
      t.is(typeof mine?.value, 'function', `${kind}.${key}`);
      t.like(mine, { writable, enumerable, configurable }, `${kind}.${key}`);
    }
  }
});
