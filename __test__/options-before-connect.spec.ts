// What was asked for before connecting is set on the socket before it connects, so that the SYN is marked.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import test from 'ava';
import net, { type Socket } from 'ferronet';

interface Handle {
  connect: (...args: unknown[]) => number;
  setNoDelay: (on: boolean) => number;
  setKeepAlive: (...args: unknown[]) => number;
  getTypeOfService: () => number;
}

async function connected(connect: (port: number) => Socket): Promise<Socket> {
  const server = net.createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as { port: number }).port).resume();
  await once(socket, 'close');
  server.close();
  return socket;
}

test('the type of service is in force when connecting begins', async (t) => {
  const seen: number[] = [];
  await connected((port) => {
    const socket = net.connect({ port, host: '127.0.0.1', typeOfService: 0x10 });
    const handle = (socket as unknown as { _handle: Handle })._handle;
    const { connect } = handle;
    handle.connect = (...args) => {
      const status = Reflect.apply(connect, handle, args);
      // The socket exists, and no event was delivered yet.
      if (process.platform !== 'win32') t.is(handle.getTypeOfService(), 0x10);
      seen.push(status);
      return status;
    };
    return socket;
  });
  t.deepEqual(seen, [0]);
});

test('each option is set once, however early it was asked for', async (t) => {
  const calls: unknown[][] = [];
  await connected((port) => {
    const socket = net.connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 5000,
    });
    const handle = (socket as unknown as { _handle: Handle })._handle;
    handle.setNoDelay = (...args) => calls.push(['setNoDelay', ...args]) && 0;
    handle.setKeepAlive = (...args) => calls.push(['setKeepAlive', ...args]) && 0;
    return socket;
  });
  t.deepEqual(calls, [
    ['setNoDelay', true],
    ['setKeepAlive', true, 5],
  ]);
});

const hasStrace = process.platform === 'linux' && spawnSync('strace', ['-e', 'trace=none', 'true']).status === 0;

const orders: Record<string, [local: string, calls: readonly string[]]> = {
  'socket, setsockopt, connect': ['{}', ['socket', 'TCP_NODELAY', 'SO_KEEPALIVE', 'TCP_KEEPIDLE', 'IP_TOS', 'connect']],
  'socket, setsockopt, bind, connect': [
    "{ localAddress: '127.0.0.1' }",
    ['socket', 'TCP_NODELAY', 'SO_KEEPALIVE', 'TCP_KEEPIDLE', 'IP_TOS', 'bind', 'connect'],
  ],
};

for (const [title, [local, calls]] of Object.entries(orders)) {
  (hasStrace ? test : test.skip)(`${title}: in this order`, (t) => {
    const source = `
      const net = require('ferronet');
      const server = net.createServer((socket) => socket.end()).listen(0, '127.0.0.1', () => {
        const { port } = server.address();
        const client = new net.Socket().setNoDelay().setTypeOfService(16).setKeepAlive(true, 5000);
        client.connect({ port, host: '127.0.0.1', ...${local} }).resume().on('close', () => server.close());
      });`;
    const trace = ['-f', '-e', 'trace=socket,setsockopt,bind,connect', process.execPath, '-e', source];
    const { stderr } = spawnSync('strace', trace, { cwd: `${__dirname}/..`, encoding: 'utf8' });
    const ofClient = stderr
      .split('\n')
      .filter((line) => /AF_INET|TCP_NODELAY|SO_KEEPALIVE|TCP_KEEPIDLE|IP_TOS/.test(line));
    const order = ofClient.map((line) => /TCP_\w+|SO_KEEPALIVE|IP_TOS|connect|bind|socket/.exec(line)?.[0]);
    t.deepEqual(order.slice(order.lastIndexOf('socket')), calls);
  });
}

test('the type of service that is set while the socket connects is in force', async (t) => {
  const found: number[] = [];
  await connected((port) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    // The attempt has begun when this runs.
    socket.once('connectionAttempt', () => {
      process.nextTick(() => {
        t.true(socket.connecting);
        socket.setTypeOfService(0x20);
      });
    });
    socket.once('connect', () => found.push(socket.getTypeOfService()));
    return socket;
  });
  t.deepEqual(found, [0x20]);
});
