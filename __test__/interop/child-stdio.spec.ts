// A connection as the standard input and output of a child process, by its descriptor.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';

import { both, numbered } from '../_helpers/both.js';

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
