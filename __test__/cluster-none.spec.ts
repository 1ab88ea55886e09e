// Workers that share the listening socket itself.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';

import { declareCases } from './_helpers/cluster-cases.js';
import { type Cluster, type Member, onUnix, portOf } from './_helpers/cluster.js';
import { atMost } from './_helpers/patience.js';

declareCases('none');

/** More than a thread needs to see that JavaScript computes. */
const NOTICED = 100;

/**
 * Two workers that listen, the second of which stands still; and clients that have connected while the first one computes,
 * until `path` is there.
 */
async function busy(place: Cluster, path: string, thenClose: boolean): Promise<[Member, Member, Socket[]]> {
  const [a, b] = await place.pair();
  const port = portOf(await a.listen({ host: '127.0.0.1', port: 0 }));
  await b.listen({ host: '127.0.0.1', port: 0 });
  b.worker.process.kill('SIGSTOP');
  a.tell({ do: 'compute', until: path, thenClose });
  await a.until('computes');
  const sockets = Array.from({ length: 8 }, () => connect(port, '127.0.0.1'));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  await new Promise((resolve) => void setTimeout(resolve, atMost(NOTICED)));
  return [a, b, sockets];
}

function answers(sockets: Socket[]): Promise<string[]> {
  return Promise.all(sockets.map((socket) => text(socket.end())));
}

onUnix('none', 'a worker that computes leaves the connections to the others', async (t, place) => {
  const [, b, sockets] = await busy(place, place.path('never'), false);
  b.worker.process.kill('SIGCONT');
  t.deepEqual(
    await answers(sockets),
    sockets.map(() => `${b.pid};`),
  );
});

onUnix('none', 'a worker that closes its server leaves those who wait to the others', async (t, place) => {
  const path = place.path('go');
  const [a, b, sockets] = await busy(place, path, true);
  writeFileSync(path, '');
  await a.until('server closed');
  b.worker.process.kill('SIGCONT');
  t.deepEqual(
    await answers(sockets),
    sockets.map(() => `${b.pid};`),
  );
});
