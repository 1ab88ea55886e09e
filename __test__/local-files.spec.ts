// The file of a local server: which one goes with it, and who may use it.
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { closed } from './_helpers/both.js';
import { ours } from './_helpers/implementations.js';

const onUnix = process.platform === 'win32' ? test.skip : test;

function folder(t: ExecutionContext): string {
  const made = mkdtempSync(join(tmpdir(), 'files-'));
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

async function listening(where: string | object): Promise<Server> {
  const server = ours.createServer((socket) => socket.end('served')).listen(where as { path: string });
  await once(server, 'listening');
  return server;
}

async function close(server: Server): Promise<void> {
  server.close();
  await closed(server);
}

onUnix('closing a server removes its file', async (t) => {
  const path = join(folder(t), 's');
  const server = await listening(path);
  t.true(existsSync(path));
  server.close();
  t.false(existsSync(path), 'at once');
  await closed(server);
});

// Node removes whatever has the name.
onUnix('closing a server leaves what has taken the place of its file', async (t) => {
  const [path, other] = ['s', 'other'].map((name) => join(folder(t), name)) as [string, string];
  const server = await listening(path);
  rmSync(path);
  writeFileSync(path, 'not a socket');
  await close(server);
  t.is(readFileSync(path, 'utf8'), 'not a socket');
  rmSync(path);

  const [first, second] = [await listening(path), await listening(other)];
  renameSync(other, path);
  await close(first);
  const client = ours.connect(path);
  t.is(String((await once(client, 'data'))[0]), 'served');
  await close(second);
  t.true(existsSync(path), 'nor under a name that it was not bound to');
});

onUnix('a file that was moved aside and back is the same', async (t) => {
  const path = join(folder(t), 's');
  const server = await listening(path);
  renameSync(path, `${path}-aside`);
  renameSync(`${path}-aside`, path);
  await close(server);
  t.false(existsSync(path));
});

onUnix('the permissions that were asked for are those of the file, whatever the umask', async (t) => {
  const path = join(folder(t), 's');
  const modes = { readableAll: '444', writableAll: '222', ownerOnly: '600' };
  for (const [option, mode] of Object.entries(modes)) {
    const server = await listening({ path, [option]: true });
    t.is((statSync(path).mode & 0o777).toString(8), mode, option);
    await close(server);
  }
});

onUnix('no permissions are set on the target of a link in the place of the file', async (t) => {
  const made = folder(t);
  const [path, secret] = ['s', 'secret'].map((name) => join(made, name)) as [string, string];
  writeFileSync(secret, '', { mode: 0o600 });
  const server = await listening(path);
  rmSync(path);
  symlinkSync(secret, path);
  const { _handle: handle } = server as unknown as { _handle: { fchmod(mode: number): number } };
  t.true(handle.fchmod(3) < 0);
  t.is((statSync(secret).mode & 0o777).toString(8), '600');
  await close(server);
});
