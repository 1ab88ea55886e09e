// Strings arrive as Buffer.from() would have them, whatever their encoding and size.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

import test from 'ava';

import { ours } from './_helpers/implementations.js';

const ENCODINGS = ['utf8', 'UTF-8', 'latin1', 'binary', 'ascii', 'ucs2', 'utf16le', 'base64', 'base64url'] as const;
// The sizes are around those of the memory that strings are encoded in.
const TEXTS = {
  empty: '',
  accents: 'é',
  astral: '😀x',
  'half a pair': '\ud800 alone',
  'just what fits': 'x'.repeat(65_535),
  'one too many': 'x'.repeat(65_536),
  'cut at the last character': `${'x'.repeat(65_533)}é`,
  'long and wide': '😀'.repeat(40_000),
};

for (const encoding of ENCODINGS) {
  test(encoding, async (t) => {
    const server = ours.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    for (const [title, text] of Object.entries(TEXTS)) {
      const client = ours.connect((server.address() as AddressInfo).port, '127.0.0.1');
      const [accepted] = (await once(server, 'connection')) as [import('node:net').Socket];
      client.end(text, encoding as BufferEncoding);
      const expected = Buffer.from(text, encoding as BufferEncoding);
      t.true(expected.equals(await buffer(accepted)), title);
      t.is(client.bytesWritten, expected.length, title);
    }
    server.close();
  });
}

test('hex', async (t) => {
  const server = ours.createServer((socket) => socket.end('00ff7f', 'hex')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = ours.connect((server.address() as AddressInfo).port, '127.0.0.1');
  t.deepEqual(await buffer(client), Buffer.from([0, 255, 127]));
  server.close();
});
