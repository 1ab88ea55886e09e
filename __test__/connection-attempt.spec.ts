// Here node:net throws out of its own tick ("Cannot read properties of null"), which nobody can catch.
import test from 'ava';

import { ours } from './_helpers/implementations.js';
import { play } from './_helpers/stage.js';

test('a socket may be destroyed in its connectionAttempt event', async (t) => {
  const lanes = await play(ours, async (stage) => {
    const server = await stage.listening();
    const client = stage.connect(server);
    client.on('connectionAttempt', () => client.destroy());
    await stage.closed(client);
    await stage.finish(server);
  });
  t.deepEqual(lanes['C'], [
    "connectionAttempt('127.0.0.1', PORT, 4) {opening connecting pending}",
    'close(false) {closed pending destroyed}',
  ]);
});
