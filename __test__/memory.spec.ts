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

test('what was written may be transferred away or overwritten at once', async (t) => {
  await play(ours, async (stage) => {
    const size = 8 << 20; // More than any kernel takes at once.
    const server = await stage.listening({ pauseOnConnect: true, data: false });
    const client = stage.connect(server);
    await once(client, 'connect');
    const accepted = await stage.accepted();
    const [first, second] = [Buffer.alloc(size, 1), Buffer.alloc(size, 2)];
    client.write(first);
    t.true(takesWholeWrites || client.writableLength > 0, 'not all of it is sent');
    client.write(second);
    structuredClone(first.buffer, { transfer: [first.buffer] });
    t.is(first.length, 0);
    client.end();
    const received: number[] = [0, 0, 0];
    accepted.on('data', (chunk: Buffer) => {
      for (const byte of chunk) received[byte]!++;
    });
    accepted.resume();
    await stage.finish(server);
    t.deepEqual(received, [0, size, size]);
  });
});
