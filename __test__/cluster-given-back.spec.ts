// A connection that was on its way to a worker when that was killed, in a primary that has loaded ferronet: another worker
// gets it, in whichever order the process and its channel end.
import cluster from 'node:cluster';
import { once } from 'node:events';
import { connect } from 'node:net';

import { type Cluster, type Member, onUnix, portOf } from './_helpers/cluster.js';

require('ferronet');

interface Two {
  stopped: Member;
  other: Member;
  port: number;
}

async function two(place: Cluster): Promise<Two> {
  const [stopped, other] = await place.pair();
  const port = portOf(await stopped.listen({ host: '127.0.0.1', port: 0 }));
  await other.listen({ host: '127.0.0.1', port: 0 });
  return { stopped, other, port };
}

/** Kills the first worker while a connection is on its way there; the process that serves it in the end. */
async function killOnTheWay(place: Cluster, { stopped, other, port }: Two): Promise<number> {
  process.kill(stopped.pid, 'SIGSTOP');
  const first = place.connect({ port });
  // Connections are accepted in their order, and the first worker is free.
  const second = await place.connect({ port });
  if (second.pid !== other.pid) throw new Error('the wrong worker');
  process.kill(stopped.pid, 'SIGKILL');
  return (await first).pid;
}

// Nearly always: the primary may see the other order here as well.
onUnix('rr', 'the channel ends, and then the worker', async (t, place) => {
  const workers = await two(place);
  const { stopped, other } = workers;
  t.is(await killOnTheWay(place, workers), other.pid);
  t.deepEqual(Object.values(cluster.workers ?? {}), [other.worker]);
  t.true(stopped.log.includes('exit SIGKILL'));
});

onUnix('rr', 'the worker ends, and then the channel', async (t, place) => {
  const workers = await two(place);
  const { stopped, other, port } = workers;
  const keeper = (await stopped.ask({ do: 'outlive' })) as number;
  const exit = once(stopped.worker, 'exit');
  const served = killOnTheWay(place, workers);
  await exit;
  t.true(stopped.worker.isConnected());
  process.kill(keeper, 'SIGKILL');
  t.is(await served, other.pid);
  t.deepEqual(Object.values(cluster.workers ?? {}), [other.worker]);
  t.deepEqual(stopped.log, ['exit SIGKILL', 'disconnect']);
  // What is handed out in turn goes to those who live.
  t.is((await place.connect({ port })).pid, other.pid);
});

onUnix('rr', 'without another worker that serves, it is closed', async (t, place) => {
  const only = await place.fork();
  const port = portOf(await only.listen({ host: '127.0.0.1', port: 0 }));
  process.kill(only.pid, 'SIGSTOP');
  const client = connect(port, '127.0.0.1').on('error', () => {});
  const closed = once(client, 'close');
  // The primary, which is this process, hands it out in one of the next turns.
  const { process: channel } = only.worker as unknown as { process: { _handleQueue: unknown[] | null } };
  for (let turns = 0; !channel._handleQueue && turns < 10_000; turns++) await new Promise(setImmediate);
  t.truthy(channel._handleQueue);
  process.kill(only.pid, 'SIGKILL');
  await closed;
  t.deepEqual(cluster.workers, {});
});
