// What names a pipe: one flat name space, in which nothing is a folder.
import { once } from 'node:events';

import { closed } from './_helpers/both.js';
import { type Net, nodeMajor } from './_helpers/implementations.js';
import { bothOnWindows, echoOn, pipeName, read } from './_helpers/pipe.js';

const LOCAL = '\\\\.\\pipe\\';
const PLAIN = '\\\\?\\pipe\\';

/** Listens on a name, and has a client that calls it by another one if there is one. Answers the server's address. */
async function isReached(net: Net, path: string, by = path): Promise<string> {
  const server = await echoOn(net, path);
  const address = server.address() as unknown as string;
  const client = net.connect(by);
  client.write('x');
  await read(client, 1);
  client.destroy();
  server.close();
  await closed(server);
  return address;
}

async function errorOfListen(net: Net, path: string): Promise<NodeJS.ErrnoException> {
  const [error] = (await once(net.createServer().listen(path), 'error')) as [NodeJS.ErrnoException];
  return error;
}

async function errorOfConnect(net: Net, path: string): Promise<NodeJS.ErrnoException> {
  const [error] = (await once(net.connect(path), 'error')) as [NodeJS.ErrnoException];
  return error;
}

bothOnWindows('either prefix, and any characters, make a name; the address is the path', async (t, { net }) => {
  for (const prefix of [LOCAL, PLAIN]) {
    for (const name of ['a b', 'a/b', 'a\\b', 'ü:?*"<🙂>|', '.dot', '%20']) {
      const path = pipeName(prefix, name);
      t.is(await isReached(net, path), path);
    }
  }
});

bothOnWindows('a path in slashes', async (t, { net }) => {
  const path = pipeName('//./pipe/');
  t.is(await isReached(net, path), path);
});

bothOnWindows('a name is the same by either prefix, and in capitals', async (t, { net }) => {
  for (const [served, called] of [
    [LOCAL, PLAIN],
    [PLAIN, LOCAL],
  ] as const) {
    const path = pipeName(served);
    t.is(await isReached(net, path, path.replace(served, called)), path);
  }
  const path = pipeName();
  t.is(await isReached(net, path, path.toUpperCase()), path);
});

bothOnWindows('names up to 256 characters, and none beyond', async (t, { net }) => {
  const begin = pipeName(undefined, '');
  for (const length of [200, 256]) {
    const path = begin.padEnd(length, 'n');
    t.is(await isReached(net, path), path);
  }
  const long = begin.padEnd(300, 'n');
  const { code, syscall } = await errorOfListen(net, long);
  t.deepEqual([code, syscall], ['ENAMETOOLONG', 'listen']);
  t.is((await errorOfConnect(net, long)).code, 'ENOENT');
});

bothOnWindows('what names no pipe', async (t, { net, isOurs }) => {
  for (const path of ['ferronet', 'C:\\ferronet', '\\\\localhost\\pipe\\ferronet']) {
    t.is((await errorOfListen(net, path)).code, 'EACCES', path);
  }
  for (const path of [pipeName(), 'ferronet-is-no-file']) {
    t.is((await errorOfConnect(net, path)).code, 'ENOENT', path);
  }
  // Node 20 lets the name end there.
  if (!isOurs && nodeMajor < 22) return;
  t.is((await errorOfListen(net, `${LOCAL}a\0b`)).code, 'EINVAL');
  t.is((await errorOfConnect(net, `${LOCAL}a\0b`)).code, 'EINVAL');
});
