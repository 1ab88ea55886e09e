// More chunks in one write than one system call takes (1024; under Wine node:net gets EMSGSIZE then).
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import test from 'ava';

import { ours } from './_helpers/implementations.js';
import { localPath } from './_helpers/local-path.js';

const CHUNKS = 5000;

for (const transport of ['tcp', 'local'] as const) {
  test(`all arrive in their order, and each is called back once: ${transport}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'chunks-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const server = ours.createServer((socket) => socket.once('close', () => server.close()));
    const served = once(server, 'connection');
    server.listen(transport === 'tcp' ? { port: 0, host: '127.0.0.1' } : { path: localPath(folder, 's') });
    await once(server, 'listening');
    const client = ours.connect(
      transport === 'tcp'
        ? { port: (server.address() as AddressInfo).port, host: '127.0.0.1' }
        : { path: server.address() as string },
    );
    const called: number[] = [];
    const wanted = Array.from({ length: CHUNKS }, (_, index) => index);
    for (const index of wanted) client.write(`${index} `, () => called.push(index));
    client.end();
    const [socket] = await served;
    t.is(await text(socket), `${wanted.join(' ')} `);
    if (!client.closed) await once(client, 'close');
    t.deepEqual(called, wanted);
  });
}
