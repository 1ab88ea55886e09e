// A connection as the standard input and output of a child process, by its descriptor.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';

import { both, numbered, withResolvers } from '../_helpers/both.js';
import { bytesOf, Peer, readsAhead } from '../_helpers/busy.js';

function descriptor(socket: Socket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}

// Windows has no descriptors of sockets.
const onUnix: typeof both = (title, run) => both(title, run, { not: ['win32'] });

onUnix('a child writes to the connection', async (t, place) => {
  const [client, accepted] = await place.pair({ pauseOnConnect: true });
  const child = spawn(process.execPath, ['-e', 'process.stdout.write("from the child")'], {
    stdio: ['ignore', descriptor(accepted), 'inherit'],
  });
  const exit = once(child, 'exit');
  accepted.destroy();
  t.is(await text(client), 'from the child');
  t.is((await exit)[0], 0);
});

onUnix('a child reads and answers', async (t, place) => {
  const [client, accepted] = await place.pair({ pauseOnConnect: true });
  const stdio = descriptor(accepted);
  const child = spawn(process.execPath, ['-e', 'process.stdin.pipe(process.stdout)'], {
    stdio: [stdio, stdio, 'inherit'],
  });
  const exit = once(child, 'exit');
  accepted.destroy();
  const bytes = numbered(1 << 20);
  client.end(bytes);
  t.true(bytes.equals(await buffer(client)));
  t.is((await exit)[0], 0);
});

onUnix('a child is given the socket itself', async (t, place) => {
  const [client, accepted] = await place.pair();
  const child = spawn(process.execPath, ['-e', 'process.stdin.pipe(process.stdout)'], {
    stdio: [accepted, accepted, 'inherit'],
  });
  const exit = once(child, 'exit');
  t.false(accepted.readableFlowing);
  t.is(child.stdin, null);
  const bytes = numbered(1 << 20);
  client.end(bytes);
  const got = buffer(client);
  accepted.destroy();
  t.true(bytes.equals(await got));
  t.is((await exit)[0], 0);
});

onUnix('what is no standard input: a socket for spawnSync(), and one that has closed', async (t, place) => {
  const [, accepted] = await place.pair();
  // On node:net this ends the process.
  if (place.isOurs) {
    t.throws(() => spawnSync(process.execPath, ['-v'], { stdio: [accepted, 'ignore', 'ignore'] }), {
      code: 'ERR_INVALID_ARG_VALUE',
    });
  }
  accepted.destroy();
  t.throws(() => spawn(process.execPath, ['-v'], { stdio: [accepted, 'ignore', 'ignore'] }), {
    code: 'ERR_INVALID_ARG_VALUE',
  });
});

onUnix('the other connections go on while a child has this one', async (t, place) => {
  const [client, accepted] = await place.pair();
  const stdio = descriptor(accepted);
  const child = spawn(process.execPath, ['-e', 'process.stdin.once("data", () => process.exit(3))'], {
    stdio: [stdio, stdio, 'inherit'],
  });
  const exit = once(child, 'exit');
  await once(child, 'spawn');
  const [other, peer] = await place.pair();
  peer.pipe(peer);
  for (let i = 0; i < 20; i++) {
    other.write('on and on');
    await once(other, 'data');
  }
  accepted.destroy();
  client.write('x');
  t.is((await exit)[0], 3);
});

/** The output of a child that has a socket as its stdout. */
const SAY = ['-e', 'process.stdout.write("second ")'];

for (const [given, of] of [
  ['a descriptor', descriptor],
  ['the socket itself', (socket: Socket) => socket],
] as const) {
  onUnix(`${given}: what a callback has written before comes first`, async (t, place) => {
    const [client, accepted] = await place.pair();
    const got = text(client);
    const exit = new Promise((resolve) => {
      accepted.once('data', () => {
        accepted.write('first ');
        const child = spawn(process.execPath, SAY, { stdio: ['ignore', of(accepted), 'inherit'] });
        child.once('exit', resolve);
        // The child is as fast as it can be meanwhile.
        const until = Date.now() + 200;
        while (Date.now() < until);
      });
    });
    client.write('go');
    t.is(await exit, 0);
    accepted.end('third');
    t.is(await got, 'first second third');
  });

  onUnix(`${given}: it is read by the child alone, also what comes later`, async (t, place) => {
    const { port } = await place.listen(
      (socket) => {
        const stdio = of(socket);
        const child = spawn(process.execPath, ['-e', 'process.stdin.pipe(process.stdout)'], {
          stdio: [stdio, stdio, 'inherit'],
        });
        child.once('exit', () => socket.destroy());
      },
      // A program that passes a descriptor itself has to do that itself.
      { pauseOnConnect: of === descriptor },
    );
    const client = place.connect(port);
    const got = buffer(client);
    const bytes = numbered(100_000);
    for (let at = 0; at < bytes.length; at += 20_000) {
      client.write(bytes.subarray(at, at + 20_000));
      await new Promise((resolve) => void setTimeout(resolve, 20));
    }
    client.end();
    t.true(bytes.equals(await got));
  });
}

onUnix('writes go out as they are made once the descriptor is known', async (t, place) => {
  const [client, accepted] = await place.pair();
  const got = text(client);
  accepted.once('data', () => {
    accepted.write('one ');
    const fd = descriptor(accepted);
    writeSync(fd, 'two ');
    accepted.write('three ');
    writeSync(fd, 'four');
    accepted.end();
  });
  client.write('go');
  t.is(await got, 'one two three four');
});

onUnix('a socket of a descriptor writes as others do who have it', async (t, place) => {
  const [client, accepted] = await place.pair({ pauseOnConnect: true });
  const [other, trigger] = await place.pair();
  const socket = new place.net.Socket({ fd: descriptor(accepted), readable: false, writable: true });
  place.atEnd(() => socket.destroy());
  const got = text(client);
  trigger.once('data', () => {
    socket.write('one ');
    writeSync(descriptor(accepted), 'two');
    socket.end();
  });
  other.write('go');
  t.is(await got, 'one two');
});

onUnix('refused: writes that are not done', async (t, place) => {
  // node:net gives it to the child, which writes into the middle.
  if (!place.isOurs) {
    t.pass();
    return;
  }
  const [client, accepted] = await place.pair();
  const bytes = numbered(8 << 20);
  accepted.write(bytes);
  const give = (): unknown => spawn(process.execPath, SAY, { stdio: ['ignore', accepted, 'inherit'] });
  t.throws(give, { code: 'ERR_INVALID_STATE', message: /writes that are not done/ });
  t.false(accepted.isPaused());
  const got = buffer(client);
  await once(accepted, 'drain');
  const child = give() as ReturnType<typeof spawn>;
  await once(child, 'exit');
  accepted.end();
  t.is(String((await got).subarray(bytes.length)), 'second ');
});

onUnix('refused: bytes that were read ahead, which stay', async (t, place) => {
  if (!place.isOurs || !readsAhead) {
    t.pass();
    return;
  }
  const { promise, resolve } = withResolvers<Socket>();
  const { port } = await place.listen(
    (socket) => {
      socket.once('data', () => {
        peer.computeUntilReadAhead(socket);
        socket.pause();
        const stdio = [socket, 'ignore', 'inherit'] as const;
        t.throws(() => spawn(process.execPath, SAY, { stdio: [...stdio] }), {
          code: 'ERR_INVALID_STATE',
          message: /1000 bytes of the socket were read already/,
        });
        resolve(socket);
      });
    },
    { allowHalfOpen: true },
  );
  const peer = new Peer(port, 'header', 1000);
  const socket = await promise;
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).resume();
  await once(socket, 'end');
  t.true(bytesOf(1000).equals(Buffer.concat(chunks)));
  socket.end('still here');
  t.is(String(await peer.answer), 'still here');
});
