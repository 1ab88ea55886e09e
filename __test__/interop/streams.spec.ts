// ferronet's sockets in node:stream: pipelines, web streams, iteration.
import { once } from 'node:events';
import { Duplex, PassThrough, Readable, Transform, Writable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { finished, pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';

import { both, closed, numbered } from '../_helpers/both.js';

both('a pipeline into a socket and one out of it', async (t, place) => {
  const [client, accepted] = await place.pair();
  const bytes = numbered(8 << 20);
  const taken = pipeline(accepted, async (source: AsyncIterable<Buffer>) => buffer(source));
  await pipeline(Readable.from([bytes.subarray(0, 1_000), bytes.subarray(1_000)]), client);
  t.true(bytes.equals(await taken));
});

both('a socket in the middle of a pipeline', async (t, place) => {
  const [client, accepted] = await place.pair({ allowHalfOpen: true });
  const echoed = pipeline(accepted, createGunzip(), createGzip(), accepted);
  const bytes = numbered(2 << 20);
  const back = pipeline(client, createGunzip(), async (source: AsyncIterable<Buffer>) => buffer(source));
  await pipeline(Readable.from([bytes]), createGzip(), client, { end: true });
  await echoed;
  t.true(bytes.equals(await back));
});

both('a source that fails destroys the socket', async (t, place) => {
  const [client, accepted] = await place.pair();
  accepted.on('error', () => {}).resume();
  const source = new Readable({ read() {} });
  const piped = pipeline(source, client);
  source.push('a beginning');
  await once(accepted, 'data');
  source.destroy(new Error('no more'));
  await t.throwsAsync(piped, { message: 'no more' });
  t.true(client.destroyed);
});

both('a target that fails destroys the socket', async (t, place) => {
  const [client, accepted] = await place.pair();
  const target = new Writable({ write: (_chunk, _encoding, done) => done(new Error('full')) });
  accepted.write('too much');
  await t.throwsAsync(pipeline(client, target), { message: 'full' });
  t.true(client.destroyed);
});

both('an aborted pipeline destroys the socket', async (t, place) => {
  const [client, accepted] = await place.pair();
  const controller = new AbortController();
  const piped = pipeline(client, new PassThrough().resume(), { signal: controller.signal });
  accepted.write('a beginning');
  await once(client, 'data');
  controller.abort();
  await t.throwsAsync(piped, { name: 'AbortError' });
  t.true(client.destroyed);
});

both('a peer that leaves early is a premature close', async (t, place) => {
  const [client, accepted] = await place.pair();
  const [over, gone] = [finished(client), closed(accepted)];
  client.resume();
  client.destroy();
  await t.throwsAsync(over, { code: 'ERR_STREAM_PREMATURE_CLOSE' });
  accepted.resume();
  await gone;
});

both('a reset is the error of the pipeline', async (t, place) => {
  const [client, accepted] = await place.pair();
  const piped = pipeline(client, new PassThrough().resume());
  accepted.resetAndDestroy();
  await t.throwsAsync(piped, { code: 'ECONNRESET' });
});

both('for await takes what comes, and leaving it destroys the socket', async (t, place) => {
  const [client, accepted] = await place.pair();
  accepted.end('one two three');
  let seen = '';
  for await (const chunk of client) seen += String(chunk);
  t.is(seen, 'one two three');

  const [other, peer] = await place.pair();
  peer.write('one');
  for await (const chunk of other.setEncoding('utf8')) {
    t.is(chunk, 'one');
    break;
  }
  t.true(other.destroyed);
});

both('for await meets the error of the socket', async (t, place) => {
  const [client, accepted] = await place.pair();
  accepted.write('first');
  await t.throwsAsync(
    async () => {
      for await (const chunk of client) {
        t.is(String(chunk), 'first');
        accepted.resetAndDestroy();
      }
    },
    { code: 'ECONNRESET' },
  );
});

both('iterator helpers and compose', async (t, place) => {
  const [client, accepted] = await place.pair();
  const upper = new Transform({ transform: (chunk, _encoding, done) => done(null, String(chunk).toUpperCase()) });
  accepted.end('quiet');
  t.is((await client.compose(upper).toArray()).join(''), 'QUIET');
});

both('Duplex.toWeb', async (t, place) => {
  const [client, accepted] = await place.pair({ allowHalfOpen: true });
  accepted.pipe(accepted);
  const { readable, writable } = Duplex.toWeb(client);
  const writer = writable.getWriter();
  const bytes = numbered(1 << 20);
  const received = buffer(readable as unknown as AsyncIterable<Buffer>);
  for (let at = 0; at < bytes.length; at += 65_536) await writer.write(bytes.subarray(at, at + 65_536));
  await writer.close();
  t.true(bytes.equals(await received));
});

both('Readable.toWeb and Writable.toWeb', async (t, place) => {
  const [client, accepted] = await place.pair();
  const source = new Blob(['all of a blob, ', 'piece by piece']).stream();
  const piped = source.pipeTo(Writable.toWeb(client) as WritableStream<Uint8Array>);
  t.is(await text(Readable.toWeb(accepted) as unknown as AsyncIterable<Buffer>), 'all of a blob, piece by piece');
  await piped;
});

both('a cancelled web stream destroys the socket', async (t, place) => {
  const [client, accepted] = await place.pair();
  const over = closed(client);
  accepted.on('error', () => {}).write('something');
  const reader = Readable.toWeb(client).getReader();
  await reader.read();
  client.on('error', () => {});
  await reader.cancel().catch(() => {});
  await over;
  t.true(client.destroyed);
});
