// Descriptors by number: those that another handle has, the standard streams, and what the program has closed itself.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { Worker } from 'node:worker_threads';

import test, { type ExecutionContext } from 'ava';

import { both, closed, Place } from './_helpers/both.js';
import { ours, triedNames } from './_helpers/implementations.js';
import { atMost } from './_helpers/patience.js';
import { runScript } from './_helpers/script.js';

const onUnix = process.platform === 'win32' ? test.skip : test;
const onLinux = process.platform === 'linux' ? test : test.skip;
const bothOnUnix: typeof both = (title, run) => both(title, run, { not: ['win32'] });

function numberOf(holder: Socket | Server): number {
  return (holder as unknown as { _handle: { fd: number } })._handle.fd;
}

async function converse(t: ExecutionContext, one: Socket, other: Socket): Promise<void> {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.write('word');
    t.is(String((await once(to, 'data'))[0]), 'word');
  }
}

async function pair(t: ExecutionContext): Promise<[client: Socket, accepted: Socket]> {
  const place = new Place(ours);
  t.teardown(() => place.end());
  return await place.pair({ pauseOnConnect: true });
}

bothOnUnix('the number of a socket that reads is refused', async (t, place) => {
  const [client, accepted] = await place.pair();
  t.throws(() => new place.net.Socket({ fd: numberOf(accepted) }), { code: 'EEXIST', message: 'open EEXIST' });
  await converse(t, client, accepted);
});

bothOnUnix('the number of a server that listens is refused', async (t, place) => {
  const { server, port } = await place.listen((socket) => socket.end('served'));
  const second = place.net.createServer().listen({ fd: numberOf(server) });
  const [error] = (await once(second, 'error')) as [NodeJS.ErrnoException];
  t.is(error.syscall, 'listen');
  t.is(await text(place.connect(port)), 'served');
});

// Node closes the number with either, and then ends the process.
onUnix('the number of a socket that does not read: each handle closes what is its own', async (t) => {
  const [client, accepted] = await pair(t);
  const second = new ours.Socket({ fd: numberOf(accepted), readable: false });
  t.not(numberOf(second), numberOf(accepted));
  second.destroy();
  await closed(second);
  await converse(t, client, accepted.resume());
});

onUnix('the second handle goes on without the first', async (t) => {
  const [client, accepted] = await pair(t);
  const second = new ours.Socket({ fd: numberOf(accepted) });
  accepted.destroy();
  await closed(accepted);
  await converse(t, client, second);
  second.end();
  await once(client.resume(), 'end');
});

onUnix('a number of another thread', async (t) => {
  const [client, accepted] = await pair(t);
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     const net = require(${JSON.stringify(require.resolve('ferronet'))});
     const socket = new net.Socket({ fd: workerData });
     socket.once('data', () => {
       socket.destroy();
       socket.once('close', () => parentPort.postMessage('closed'));
     });`,
    { eval: true, workerData: numberOf(accepted) },
  );
  t.teardown(() => worker.terminate());
  client.write('for the worker');
  await once(worker, 'message');
  await converse(t, client, accepted.resume());
});

// In processes of their own: another test of this one would be given the numbers that become free.
onLinux('a descriptor that the program has closed', async (t) => {
  const { stdout } = await runScript(`
    const net = require('ferronet');
    const { closeSync } = require('node:fs');
    const server = net.createServer((socket) => {
      closeSync(socket._handle.fd);
      socket.write('x');
      socket.on('error', ({ message }) => console.log(message)).on('close', () => process.exit());
    }).listen(0, '127.0.0.1', () => net.connect(server.address().port, '127.0.0.1'));`);
  // Whichever comes first.
  t.regex(stdout, /^(read|write) EBADF\n$/);
});

for (const name of triedNames) {
  onLinux(`${name}: a number that was given up names nothing`, async (t) => {
    const { stdout } = await runScript(`
      const net = require(${JSON.stringify(name)});
      const server = net.createServer((socket) => {
        const { fd } = socket._handle;
        socket.destroy();
        socket.on('close', () => {
          try { new net.Socket({ fd }); } catch ({ code }) { console.log(code); }
          process.exit();
        });
      }).listen(0, '127.0.0.1', () => net.connect(server.address().port, '127.0.0.1'));`);
    t.is(stdout, 'ERR_INVALID_FD_TYPE\n');
  });
}

onLinux('a descriptor that is closed before it is read', async (t) => {
  const script = `
    const net = require('ferronet');
    const { closeSync } = require('node:fs');
    const socket = new net.Socket({ fd: 3 });
    closeSync(3);
    socket.on('error', ({ message }) => console.log(message)).on('close', (bad) => console.log(bad));`;
  const child = spawn(process.execPath, ['--eval', script], {
    cwd: `${__dirname}/..`,
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    timeout: atMost(20_000),
  });
  t.is(await text(child.stdout!), 'read EBADF\ntrue\n');
});

for (const name of triedNames) {
  onUnix(`${name}: two sockets of one descriptor, one after the other`, async (t) => {
    const script = `
      const net = require(${JSON.stringify(name)});
      const first = new net.Socket({ fd: 3 });
      try { new net.Socket({ fd: 3 }); } catch ({ message }) { console.log(message); }
      first.on('data', (data) => console.log(String(data))).on('end', () => console.log('end'));`;
    const child = spawn(process.execPath, ['--eval', script], {
      cwd: `${__dirname}/..`,
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
      timeout: atMost(20_000),
    });
    (child.stdio[3] as Socket).end('for the first');
    t.is(await text(child.stdout!), 'open EEXIST\nfor the first\nend\n');
  });

  onUnix(`${name}: the standard streams stay open`, async (t) => {
    const script = `
      const net = require(${JSON.stringify(name)});
      const { fstatSync } = require('node:fs');
      const sockets = [0, 1].map((fd) => new net.Socket({ fd, readable: fd === 0 }));
      let left = sockets.length;
      for (const socket of sockets) {
        socket.destroy();
        socket.on('close', () => {
          if (--left > 0) return;
          process.exitCode = [0, 1].every((fd) => fstatSync(fd)) ? 7 : 1;
          // Again, since nothing has the numbers now.
          new net.Socket({ fd: 1, readable: false }).end('still there');
        });
      }`;
    const child = spawn(process.execPath, ['--eval', script], {
      cwd: `${__dirname}/..`,
      stdio: ['pipe', 'pipe', 'inherit'],
      timeout: atMost(20_000),
    });
    const output = text(child.stdout);
    const [code] = (await once(child, 'close')) as [number | null];
    t.is(await output, 'still there');
    t.is(code, 7);
  });
}

onLinux('the type of a descriptor is found when the process has no descriptor left', async (t) => {
  const script = `
    const net = require('ferronet');
    const { openSync } = require('node:fs');
    const server = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1', () => {
      const client = net.connect(server.address().port, '127.0.0.1');
      server.once('connection', (socket) => {
        const fd = socket._handle.duplicate();
        socket.destroy();
        for (let open = true; open;) try { openSync('/dev/null'); } catch { open = false; }
        new net.Socket({ fd }).end('adopted');
        client.once('data', (data) => { console.log(String(data)); process.exit(0); });
      });
    });`;
  const child = spawn('sh', ['-c', 'ulimit -n 100; exec "$0" --eval "$1"', process.execPath, script], {
    cwd: `${__dirname}/..`,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: atMost(20_000),
  });
  t.is(await text(child.stdout), 'adopted\n');
});

// libuv makes a child's standard streams blocking, and so those of the parent that share the open file. node:net blocks.
onLinux('a child that has a socket as its standard output does not make its owner wait', async (t) => {
  const { stdout, code } = await runScript(`
    const net = require('ferronet');
    const { spawn } = require('node:child_process');
    const much = Buffer.alloc(1 << 20);
    const server = net.createServer((socket) => {
      const script = "console.error('started'); process.stdin.resume()";
      const child = spawn(process.execPath, ['--eval', script], { stdio: ['pipe', socket._handle.fd, 'pipe'] });
      child.stderr.once('data', () => {
        for (let n = 0; n < 16; n++) socket.write(much);
        socket.cork();
        for (let n = 0; n < 16; n++) socket.write(much);
        socket.uncork();
        setImmediate(() => {
          console.log(socket.writableNeedDrain);
          process.exit();
        });
      });
    }).listen(0, '127.0.0.1', () => net.connect(server.address().port, '127.0.0.1').pause());`);
  t.is(stdout, 'true\n');
  t.is(code, 0);
});
