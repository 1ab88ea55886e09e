// Values of another realm: what a vm context made is the same to node:net, and so it is here, also where the package
// itself was evaluated in a context, as test runners do.
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { createContext, runInContext } from 'node:vm';
import { MessageChannel, type MessagePort } from 'node:worker_threads';

import test, { type ExecutionContext } from 'ava';

import { closed } from './_helpers/both.js';
import { isNode, type Net, nodeMajor, triedNames } from './_helpers/implementations.js';
import { requireIn } from './_helpers/realm.js';

type Chunk = Uint8Array | string;

// Nothing but what the package cannot do without: no Buffer, no timers.
const bare = (): ReturnType<typeof createContext> => createContext({ process });

/** What `code` comes to in a realm of its own. */
function foreign<T>(code: string): T {
  return runInContext(code, createContext({ Buffer })) as T;
}

const VIEW = 'new Uint8Array([118, 105, 101, 119])';

class Derived extends Uint8Array {}

const chunks: Record<string, () => Chunk> = {
  'a string': () => 'text',
  'a Buffer': () => Buffer.from('buffer'),
  'a Uint8Array': () => Uint8Array.from([97, 98]),
  'a Uint8Array of another realm': () => foreign<Uint8Array>(VIEW),
  'a subarray of another realm': () => foreign<Uint8Array>(`${VIEW}.subarray(1, 3)`),
  'a Buffer over the memory of another realm': () => foreign<Uint8Array>(`Buffer.from(${VIEW}.buffer, 1)`),
  'shared memory': () => new Uint8Array(new SharedArrayBuffer(3)).fill(120),
  'shared memory of another realm': () => foreign<Uint8Array>('new Uint8Array(new SharedArrayBuffer(2)).fill(121)'),
  'memory that can grow': () =>
    foreign<Uint8Array>('new Uint8Array(new ArrayBuffer(2, { maxByteLength: 9 })).fill(122)'),
  'a class that extends Uint8Array': () => new Derived([100, 101]),
  'a class of another realm that extends Uint8Array': () => foreign<Uint8Array>('new (class extends Uint8Array {})(2)'),
  'an object whose prototype is gone': () => Object.setPrototypeOf(Uint8Array.from([110]), null) as Uint8Array,
  // Streams take the other views since Node 22.
  ...(nodeMajor < 22
    ? {}
    : {
        'a DataView': () => new DataView(Uint8Array.from([49, 50, 51]).buffer, 1) as unknown as Uint8Array,
        'a DataView of another realm': () => foreign<Uint8Array>(`new DataView(${VIEW}.buffer, 2)`),
        'a Uint16Array of another realm': () => foreign<Uint8Array>('Uint16Array.from([0x3131])'),
      }),
};

/** Sends `all` from a client of `net` to a server of `other`, in each way that a stream hands them on; answers all that is seen. */
async function exchange(net: Net, other: Net, all: readonly Chunk[]): Promise<unknown[]> {
  const server = other.createServer({ allowHalfOpen: true }, (accepted) => accepted.pipe(accepted));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client: Socket = net.connect(port, '127.0.0.1');
  const seen: unknown[] = [];
  const received: Buffer[] = [];
  client.on('data', (chunk: Buffer) => void received.push(chunk));
  client.on('error', (error: Error) => void seen.push(String(error)));
  const over = closed(client);
  const write = (): void => {
    for (const each of all) seen.push(client.write(each));
  };
  write();
  seen.push(client.bytesWritten);
  await once(client, 'connect');
  write();
  client.cork();
  write();
  seen.push(client.bytesWritten);
  client.uncork();
  for (const each of all) {
    await new Promise((resolve) => void client.write(each, resolve));
  }
  client.end(all[0] as Chunk);
  await over;
  seen.push(Buffer.concat(received).toString('latin1'), client.bytesWritten, client.bytesRead);
  server.close();
  return seen;
}

(isNode ? test : test.skip)('ferronet: in a context of its own, what is transferred', async (t) => {
  const inner = requireIn(bare(), 'ferronet') as Net;
  const server = inner.createServer((accepted) => accepted.end('moved'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = inner.connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(client, 'connect');
  const { port1, port2 } = new MessageChannel();
  const arrived = once(port2, 'message');
  port1.postMessage({ client }, [client as unknown as MessagePort]);
  const moved = ((await arrived)[0] as { client: Socket }).client;
  t.is(await text(moved), 'moved');
  port1.close();
  server.close();
});

const all = (): Chunk[] => Object.values(chunks).map((make) => make());

const declare = isNode ? test : test.skip;

async function likeOutside(t: ExecutionContext, net: Net, other: Net): Promise<void> {
  const outside = require('node:net') as Net;
  t.deepEqual(await exchange(net, other, all()), await exchange(outside, outside, all()));
}

for (const name of triedNames) {
  const outer = require(name) as Net;

  for (const [title, make] of Object.entries(chunks)) {
    declare(`${name}: ${title} is written`, async (t) => {
      const outside = require('node:net') as Net;
      t.deepEqual(await exchange(outer, outer, [make()]), await exchange(outside, outside, [make()]));
    });
  }

  declare(`${name}: in a context of its own`, async (t) => {
    const inner = requireIn(bare(), name) as Net;
    await likeOutside(t, inner, inner);
  });

  declare(`${name}: in a context of its own, with the copy outside`, async (t) => {
    const inner = requireIn(bare(), name) as Net;
    await likeOutside(t, inner, outer);
    await likeOutside(t, outer, inner);
  });

  declare(`${name}: two copies in two contexts`, async (t) => {
    await likeOutside(t, requireIn(bare(), name) as Net, requireIn(bare(), name) as Net);
  });

  declare(`${name}: in a context of its own, memory of another realm is read into`, async (t) => {
    const inner = requireIn(bare(), name) as Net;
    const server = outer.createServer((accepted) => accepted.end('read'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const buffer = foreign<Uint8Array>('new Uint8Array(8)');
    const texts: string[] = [];
    const client = inner.connect({
      port: (server.address() as AddressInfo).port,
      host: '127.0.0.1',
      onread: {
        buffer,
        callback: (length, memory) => {
          t.is(memory, buffer);
          return texts.push(Buffer.from(memory.subarray(0, length)).toString()) > 0;
        },
      },
    });
    await closed(client);
    server.close();
    t.deepEqual(texts, ['read']);
  });

  declare(`${name}: in a context of its own, the idle timer and the next address`, async (t) => {
    const inner = requireIn(bare(), name) as Net;
    const server = outer.createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = inner.connect({
      port: (server.address() as AddressInfo).port,
      host: 'two.test',
      lookup: (_host, _options, callback) => {
        (callback as (...args: unknown[]) => void)(
          null,
          foreign("[{ address: '::1', family: 6 }, { address: '127.0.0.1', family: 4 }]"),
        );
      },
    });
    await once(client, 'connect');
    await once(client.setTimeout(1), 'timeout');
    const over = closed(client);
    client.destroy();
    server.close();
    await over;
    t.pass();
  });

  declare(`${name}: in a context of its own, what it refuses`, (t) => {
    const inner = requireIn(bare(), name) as Net;
    for (const each of [
      () => inner.connect({ port: -1 }),
      () => new inner.Socket().setTimeout('x' as unknown as number),
      () => new inner.Socket().write({} as string),
    ]) {
      t.truthy((t.throws(each, { any: true } as never) as NodeJS.ErrnoException).code);
    }
  });
}
