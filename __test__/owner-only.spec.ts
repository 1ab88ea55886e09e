// `listen({ path, ownerOnly: true })`, which node:net has not.
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { closed } from './_helpers/both.js';
import { ours } from './_helpers/implementations.js';
import { localPath } from './_helpers/local-path.js';

function freePath(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'owner-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return localPath(folder, 's');
}

test('the owner can use it', async (t) => {
  const path = freePath(t);
  const server = ours.createServer((socket) => socket.pipe(socket));
  server.listen({ path, ownerOnly: true } as object);
  await once(server, 'listening');
  const client = ours.connect(path);
  client.end('mine');
  const [answer] = (await once(client, 'data')) as [Buffer];
  t.is(answer.toString(), 'mine');
  client.destroy();
  server.close();
  await closed(server);
});

(process.platform === 'win32' ? test.skip : test)('other users may not, by the mode of its file', async (t) => {
  const path = freePath(t);
  const server = ours.createServer().listen({ path, ownerOnly: true } as object);
  await once(server, 'listening');
  t.is((statSync(path).mode & 0o777).toString(8), '600');
  server.close();
  await closed(server);
});

test('what contradicts it is refused', (t) => {
  for (const options of [{ readableAll: true }, { writableAll: true }]) {
    const listen = (): unknown =>
      ours.createServer().listen({ path: freePath(t), ownerOnly: true, ...options } as object);
    t.throws(listen, { code: 'ERR_INVALID_ARG_VALUE' });
  }
  t.throws(() => ours.createServer().listen({ path: '\0name', ownerOnly: true } as object), {
    code: 'ERR_INVALID_ARG_VALUE',
  });
});
