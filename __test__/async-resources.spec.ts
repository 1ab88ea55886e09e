// async_hooks of sockets: the type of each handle and request, its trigger, how often a callback ran in its context, and that
// it is destroyed soon after the handle has closed or the request has completed, and not by the garbage collector.
import { createHook, executionAsyncId } from 'node:async_hooks';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as immediate } from 'node:timers/promises';

import test from 'ava';

import { closed, withResolvers } from './_helpers/both.js';
import { isNode, type Net, node, ours } from './_helpers/implementations.js';
import { localPath } from './_helpers/local-path.js';

const WATCHED = /^(?:TCP|PIPE|SHUTDOWN|WRITE)/;

interface Life {
  /** The type, and which one of that type it is if it is that of a handle: which request comes first is chance. */
  name: string;
  trigger: string;
  /** Whether it was made while something of another resource ran. */
  inside: boolean;
  entered: number;
  left: number;
  /** How often it was destroyed. */
  destroyed: number;
}

/** `alive` answers the names of those that have not ended. */
async function watching(run: (alive: () => string[]) => Promise<void>): Promise<Life[]> {
  const lives = new Map<number, Life>();
  const counts: Record<string, number> = {};
  const hook = createHook({
    init(id, type, trigger) {
      if (!WATCHED.test(type)) return;
      const count = (counts[type] = (counts[type] ?? 0) + 1);
      lives.set(id, {
        name: /^(?:TCP|PIPE)(?:SERVER)?WRAP$/.test(type) ? `${type} ${count}` : type,
        trigger: lives.get(trigger)?.name ?? 'another',
        inside: executionAsyncId() !== 0,
        entered: 0,
        left: 0,
        destroyed: 0,
      });
    },
    before(id) {
      const life = lives.get(id);
      if (life) life.entered += 1;
    },
    after(id) {
      const life = lives.get(id);
      if (life) life.left += 1;
    },
    destroy(id) {
      const life = lives.get(id);
      if (life) life.destroyed += 1;
    },
  });
  const alive = (): string[] => [...lives.values()].filter((life) => life.destroyed === 0).map(({ name }) => name);
  hook.enable();
  try {
    await run(alive);
  } finally {
    hook.disable();
  }
  return [...lives.values()];
}

const keyOf = ({ name, trigger }: Life): string => `${name} ${trigger}`;
const sorted = (lives: readonly Life[]): Life[] => lives.toSorted((a, b) => keyOf(a).localeCompare(keyOf(b)));

type Play = (net: Net) => Promise<void>;

/** Node calls `destroy` hooks in an immediate of its own. */
async function ended(): Promise<void> {
  await immediate();
  await immediate();
}

async function listening(server: Server, ...where: [number, string] | [string]): Promise<void> {
  const [first, second] = where;
  if (typeof first === 'string') server.listen(first);
  else server.listen(first, second);
  await once(server, 'listening');
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

async function exchange(server: Server, client: Socket): Promise<void> {
  client.resume();
  client.write('x');
  client.end();
  await closed(client);
  const over = closed(server);
  server.close();
  await over;
}

const plays: Record<string, Play> = {
  async 'a connection over TCP'(net) {
    const server = net.createServer((accepted) => accepted.resume());
    await listening(server, 0, '127.0.0.1');
    await exchange(server, net.connect(portOf(server), '127.0.0.1'));
  },

  async 'a connection over a path'(net) {
    const directory = await mkdtemp(join(tmpdir(), 'net-'));
    const path = localPath(directory, 'socket');
    const server = net.createServer((accepted) => accepted.resume());
    await listening(server, path);
    await exchange(server, net.connect(path));
    await rm(directory, { recursive: true, force: true });
  },

  async 'a write that the kernel does not take at once'(net) {
    const { promise: connected, resolve } = withResolvers<Socket>();
    const server = net.createServer(resolve);
    await listening(server, 0, '127.0.0.1');
    const client = net.connect(portOf(server), '127.0.0.1');
    const accepted = await connected;
    const written = new Promise((done) => void client.write(Buffer.alloc(16 << 20), done));
    await immediate();
    // Each chunk enters the context of the reader, as often as it likes.
    accepted.on('data', () => {});
    await written;
    client.destroy();
    accepted.destroy();
    server.close();
    await closed(server);
  },

  async 'a refused connection'(net) {
    await closed(net.connect(1, '127.0.0.1').on('error', () => {}));
  },

  async 'a name with two addresses, of which one refuses'(net) {
    const server = net.createServer((accepted) => accepted.resume());
    await listening(server, 0, '127.0.0.1');
    const client = net.connect({
      port: portOf(server),
      host: 'two.test',
      lookup: (_host, _options, callback) => {
        const found = [
          { address: '::1', family: 6 },
          { address: '127.0.0.1', family: 4 },
        ];
        process.nextTick(callback as (...args: unknown[]) => void, null, found);
      },
    });
    await once(client, 'connect');
    await exchange(server, client);
  },

  async 'a connection that is reset'(net) {
    const server = net.createServer((accepted) => accepted.once('data', () => accepted.resetAndDestroy()));
    await listening(server, 0, '127.0.0.1');
    const client = net.connect(portOf(server), '127.0.0.1');
    client.on('connect', () => client.write('x'));
    await closed(client.on('error', () => {}).resume());
    const over = closed(server);
    server.close();
    await over;
  },

  async 'a handle whose context is another one from some moment on'(net) {
    const server = net.createServer((accepted) => accepted.resume());
    await listening(server, 0, '127.0.0.1');
    const client = net.connect(portOf(server), '127.0.0.1');
    await Promise.all([once(client, 'connect'), once(server, 'connection')]);
    const { _handle: handle } = client as unknown as { _handle: { asyncReset: (resource: object) => void } };
    handle.asyncReset({});
    await exchange(server, client);
  },
};

async function lived(play: Play, net: Net): Promise<[lives: Life[], left: string[]]> {
  let left: string[] = ['not looked at'];
  const lives = await watching(async (alive) => {
    await play(net);
    await ended();
    left = alive();
  });
  return [sorted(lives), left];
}

for (const [title, play] of Object.entries(plays)) {
  (isNode ? test.serial : test.skip)(title, async (t) => {
    const [theirs, theirRest] = await lived(play, node);
    const [lives, rest] = await lived(play, ours);
    t.deepEqual(theirRest, []);
    t.deepEqual(rest, []);
    t.true(lives.length > 0);
    if (title.startsWith('a write')) for (const life of [...theirs, ...lives]) life.entered = life.left = 0;
    t.deepEqual(lives, theirs);
  });
}
