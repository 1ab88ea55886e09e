// What holds for each attempt to connect, whichever address it has: the socket's options are set on its handle, and a socket
// that is destroyed leaves no descriptor, whatever state the attempt is in.
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import type { LookupFunction, Socket, TcpNetConnectOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';

import test from 'ava';

import { type BlackHole, digBlackHole } from './_helpers/black-hole.js';
import { both, closed, Place } from './_helpers/both.js';
import { localPath } from './_helpers/local-path.js';
import { ours, tried } from './_helpers/implementations.js';

/** A lookup that answers in the next tick with all of these IPv4 addresses. */
const answering = (...addresses: string[]): LookupFunction =>
  ((_name, _options, callback) => {
    process.nextTick(
      callback,
      null,
      addresses.map((address) => ({ address, family: 4 })),
    );
  }) as LookupFunction;

// However busy the machine is, a refusal comes sooner.
const autoSelectFamilyAttemptTimeout = 10_000;

const IDLE = 50;

/** Seconds until the kernel sends the first keep-alive probe. Linux reports it in jiffies, of which a second has 100. */
function probesIn({ localPort, remotePort }: Socket): number | undefined {
  const [local, remote] = [localPort, remotePort].map((port) =>
    Number(port).toString(16).toUpperCase().padStart(4, '0'),
  );
  const row = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .find((line) => line.includes(`0100007F:${local} 0100007F:${remote} `));
  const timer = / 02:([0-9A-F]{8}) /.exec(row ?? '');
  return timer ? Number.parseInt(timer[1] as string, 16) / 100 : undefined;
}

const ways: Record<string, Partial<TcpNetConnectOpts>> = {
  'one address': { host: '127.0.0.1' },
  'a name with one address': { host: 'one.test', lookup: answering('127.0.0.1') },
  'a name whose first address fails': { host: 'two.test', lookup: answering('127.0.0.2', '127.0.0.1') },
  'a local address': { host: '127.0.0.1', localAddress: '127.0.0.1' },
};

for (const [title, way] of Object.entries(ways)) {
  both(`the options hold for ${title}`, async (t, place) => {
    const { port } = await place.listen((socket) => socket.resume());
    const options = {
      ...way,
      port,
      autoSelectFamilyAttemptTimeout,
      keepAlive: true,
      keepAliveInitialDelay: IDLE * 1000,
    };
    const client = place.net.connect({ ...options, typeOfService: 0x10 } as TcpNetConnectOpts);
    place.atEnd(() => client.destroy());
    await once(client, 'connect');
    if (process.platform === 'linux') {
      const seconds = probesIn(client) ?? 0;
      t.true(seconds > IDLE / 2 && seconds <= IDLE, `${seconds} s`);
    }
    // The oldest Nodes have no such option.
    if (place.isOurs && process.platform !== 'win32') {
      t.is((client as Socket & { getTypeOfService: () => number }).getTypeOfService(), 0x10);
    }
    t.is(client.connecting, false);
  });
}

// Where keep-alive is asked for without a delay, libuv has one of a minute for a handle that has no descriptor yet.
const moments: Record<string, (socket: Socket, connect: () => void) => boolean> = {
  'before connect()': (socket, connect) => {
    socket.setKeepAlive(true);
    connect();
    return false;
  },
  'after connect()': (socket, connect) => {
    connect();
    socket.setKeepAlive(true);
    return true;
  },
  'in `connectionAttempt`': (socket, connect) => {
    socket.once('connectionAttempt', () => socket.setKeepAlive(true));
    connect();
    return true;
  },
  'in `connect`': (socket, connect) => {
    socket.once('connect', () => socket.setKeepAlive(true));
    connect();
    return false;
  },
};

for (const [title, ask] of Object.entries(moments)) {
  both(
    `keep-alive without a delay, ${title}`,
    async (t, place) => {
      const { port } = await place.listen((socket) => socket.resume());
      const client = new place.net.Socket();
      place.atEnd(() => client.destroy());
      const isSoon = ask(client, () => void client.connect(port, '127.0.0.1'));
      await once(client, 'ready');
      const seconds = probesIn(client) ?? 0;
      t.is(seconds > 30 && seconds <= 60, isSoon, `${seconds} s`);
    },
    { not: ['win32', 'darwin'] },
  );
}

both('a local connection ignores options that only TCP has', async (t, place) => {
  const folder = mkdtempSync(join(tmpdir(), 'ferronet-'));
  place.atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const path = localPath(folder, 's');
  const server = place.net.createServer((socket) => socket.end('served')).listen(path);
  place.atEnd(() => server.close());
  await once(server, 'listening');
  const options = { path, noDelay: true, keepAlive: true, keepAliveInitialDelay: 5000, typeOfService: 0x10 };
  const client = place.net.connect(options);
  place.atEnd(() => client.destroy());
  t.is(String((await once(client, 'data'))[0]), 'served');
});

function sockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      // The one that the folder was read with.
      return false;
    }
  }).length;
}

interface State {
  options: (hole: BlackHole, port: number) => Partial<TcpNetConnectOpts>;
  /** The event in which the socket is destroyed, or after which. Default: at once. */
  event?: string;
  after?: boolean;
  /** node:net throws out of its own ticks. */
  oursOnly?: boolean;
}

const states: Record<string, State> = {
  'open, and its name is being looked up': { options: () => ({ host: 'never.test', lookup: () => {} }) },
  open: { options: () => ({ host: '127.0.0.1' }) },
  bound: {
    options: () => ({ host: '127.0.0.1', localAddress: '127.0.0.1' }),
    event: 'connectionAttempt',
    oursOnly: true,
  },
  connecting: { options: (hole) => ({ host: hole.address }), event: 'connectionAttempt', after: true },
  'timed out': {
    options: (hole) => ({ lookup: answering(hole.address, '127.0.0.1'), autoSelectFamilyAttemptTimeout: 20 }),
    event: 'connectionAttemptTimeout',
  },
  failed: { options: () => ({ lookup: answering('127.0.0.3', '127.0.0.4') }), event: 'connectionAttemptFailed' },
  won: { options: (_hole, port) => ({ host: '127.0.0.1', port }), event: 'connect' },
  'won, the second of two': {
    options: (_hole, port) => ({ lookup: answering('127.0.0.3', '127.0.0.1'), port }),
    event: 'ready',
  },
};

/** How many there are when that has not changed for a while: other ends of earlier connections may be closing. */
async function settled(): Promise<number> {
  let count = sockets();
  for (let [same, left] = [0, 200]; same < 5 && left > 0; left -= 1) {
    await setTimeout(20);
    same = sockets() === count ? same + 1 : 0;
    count = sockets();
  }
  return count;
}

const onLinux = process.platform === 'linux' ? test.serial : test.serial.skip;

for (const [name, net] of Object.entries(tried)) {
  for (const [title, { options, event, after, oursOnly }] of Object.entries(states)) {
    if (oursOnly && net !== ours) continue;
    onLinux(`no descriptor is left of an attempt that is ${title} [${name}]`, async (t) => {
      const place = new Place(net);
      t.teardown(() => place.end());
      const hole = await digBlackHole();
      t.teardown(() => hole.close());
      const { port } = await place.listen((socket) => socket.destroy());
      // From its first connection on an implementation may keep some open.
      await closed(place.connect(port).resume());
      const before = await settled();
      const given = { port: hole.port, host: 'some.test', autoSelectFamilyAttemptTimeout, ...options(hole, port) };
      const client = net.connect(given as TcpNetConnectOpts);
      if (event === undefined) client.destroy();
      else if (after) client.once(event, () => void setImmediate().then(() => client.destroy()));
      else client.once(event, () => client.destroy());
      await closed(client.on('error', () => {}));
      t.is(await settled(), before);
    });
  }
}

onLinux('a connecting socket has the one descriptor of its attempt', async (t) => {
  const place = new Place(ours);
  t.teardown(() => place.end());
  const hole = await digBlackHole();
  t.teardown(() => hole.close());
  const before = await settled();
  const lookup = answering(hole.address, hole.address.replace(/2$/, '5'), '127.0.0.1');
  const options = { port: hole.port, host: 'some.test', lookup, autoSelectFamilyAttemptTimeout: 50 };
  const client = place.net.connect(options);
  place.atEnd(() => client.destroy());
  await once(client, 'connectionAttempt');
  await setImmediate();
  t.is(sockets() - before, 1);
  await once(client, 'connectionAttemptTimeout');
  client.destroy();
  await closed(client);
  t.is(await settled(), before);
});
