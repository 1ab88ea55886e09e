// node:net connects a socket whose signal was aborted before it was made, after having emitted `close`.
import test from 'ava';

import { ours } from './_helpers/implementations.js';
import { play } from './_helpers/stage.js';

test('a socket whose signal is aborted already does not connect', async (t) => {
  const lanes = await play(ours, async (stage) => {
    const server = await stage.listening();
    const options = { port: stage.portOf(server), host: '127.0.0.1', signal: AbortSignal.abort() };
    const aborted = stage.adopt('aborted', ours.connect(options));
    await stage.closed(aborted);
    // Another connection, made afterwards: what the aborted one had begun would have come first.
    const other = stage.connect(server);
    await stage.accepted();
    other.end();
    await stage.finish(server);
  });
  t.deepEqual(
    lanes['aborted']?.map((line) => line.slice(0, line.indexOf('('))),
    ['error', 'close'],
  );
  t.regex(lanes['aborted']?.[0] ?? '', /^error\(AbortError\[code=ABORT_ERR\] "The operation was aborted"/);
  t.deepEqual(lanes['S'], ['listening()', 'connection(Socket)', 'close()']);
});
