// Workers that are handed connections in turn, which the primary accepts.
import { once } from 'node:events';
import { existsSync } from 'node:fs';

import { clustered, onUnix, portOf } from './_helpers/cluster.js';
import { declareCases } from './_helpers/cluster-cases.js';

declareCases('rr');

onUnix('rr', 'the file of a path goes with the last worker', async (t, place) => {
  const [a, b] = await place.pair();
  const path = place.path('shared');
  await a.listen({ path });
  await b.listen({ path });
  await a.ask({ do: 'close' });
  t.true(existsSync(path));
  b.tell({ do: 'disconnect' });
  await once(b.worker, 'exit');
  t.false(existsSync(path));
});

clustered('rr', 'a worker that is full passes connections on', async (t, place) => {
  const [a, b] = await place.pair();
  const port = portOf(await a.listen({ host: '127.0.0.1', port: 0 }, 1));
  await b.listen({ host: '127.0.0.1', port: 0 });
  const pids = [];
  for (let i = 0; i < 4; i++) pids.push((await place.connect({ port })).pid);
  t.is(pids.filter((pid) => pid === a.pid).length, 1);
  t.deepEqual(a.log, []);
});
