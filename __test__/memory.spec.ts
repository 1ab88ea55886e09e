// Who owns the bytes: what JavaScript sees is JavaScript's, and nothing native looks at it or writes to it later.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';

import test from 'ava';

import { ours } from './_helpers/implementations.js';
import { takesWholeWrites } from './_helpers/platform.js';
import { play } from './_helpers/stage.js';

test('a received chunk can be transferred away while more arrives', async (t) => {
  await play(ours, async (stage) => {
    const sent = randomBytes(4 << 20);
    const server = await stage.listening({}, (socket: Socket) => socket.end(sent));
    const client = stage.connect(server, { data: false });
    const hash = createHash('sha256');
    client.on('data', (chunk: Buffer) => {
      // An external ArrayBuffer refuses to be transferred, and one that native code still fills would be torn.
      const bytes = new Uint8Array(structuredClone(chunk.buffer, { transfer: [chunk.buffer as ArrayBuffer] }));
      t.is(chunk.length, 0, 'the chunk is detached');
      hash.update(bytes);
    });
    await stage.closed(client);
    await stage.finish(server);
    t.is(hash.digest('hex'), createHash('sha256').update(sent).digest('hex'));
  });
});

test('a chunk has its memory for itself', async (t) => {
  await play(ours, async (stage) => {
    const server = await stage.listening({}, (socket: Socket) => socket.end('small'));
    const client = stage.connect(server, { data: false });
    const [chunk] = (await once(client, 'data')) as [Buffer];
    t.is(chunk.buffer.byteLength, chunk.length, 'a small chunk does not pin a large block');
    t.is(chunk.byteOffset, 0);
    await stage.finish(server);
  });
});

test('what was written and is transferred away before it is sent is an error of the write', async (t) => {
  if (takesWholeWrites) {
    t.pass('all of it is sent at once');
    return;
  }
  await play(ours, async (stage) => {
    const size = 8 << 20; // More than any kernel takes at once.
    const server = await stage.listening({ pauseOnConnect: true, data: false });
    const client = stage.connect(server, { data: false });
    await once(client, 'connect');
    const accepted = await stage.accepted();
    const [first, second] = [Buffer.alloc(size, 1), Buffer.alloc(size, 2)];
    const failed = once(client, 'error') as Promise<[NodeJS.ErrnoException]>;
    const written = new Promise((resolve) => client.write(first, resolve));
    t.true(client.writableLength > 0, 'not all of it is sent');
    client.write(second);
    structuredClone(first.buffer, { transfer: [first.buffer] });
    t.is(first.length, 0);
    let received = 0;
    accepted.on('data', (chunk: Buffer) => {
      t.true(chunk.every((byte) => byte === 1));
      received += chunk.length;
    });
    accepted.resume();
    const [error] = await failed;
    t.is(error.code, 'EFAULT');
    t.is(error.syscall, 'write');
    t.is(await written, error);
    await stage.finish(server);
    t.true(received < size);
  });
});
