// What a cluster promises with either scheduling policy; cluster-rr.spec.ts and cluster-none.spec.ts run it.
import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:net';

import type { ExecutionContext } from 'ava';

import { listening } from './both.js';
import { type Cluster, type Client, clustered, onUnix, type Policy, portOf, type Target } from './cluster.js';
import { errnoOf } from './errno.js';
import { nodeMajor } from './implementations.js';

const IN_USE = errnoOf('EADDRINUSE');
const LOCAL = { host: '127.0.0.1', port: 0 };
// Newer than the types.
const REUSE: object = { reusePort: true };

async function connectAll(place: Cluster, target: Target, count: number): Promise<Client[]> {
  return Promise.all(Array.from({ length: count }, () => place.connect(target)));
}

export function declareCases(policy: Policy): void {
  clustered(policy, 'port 0 is one port for all workers, and all of it is served', async (t, place) => {
    const [a, b] = await place.pair();
    const address = await a.listen(LOCAL);
    t.deepEqual(await b.listen(LOCAL), address);
    const port = portOf(address);
    // Reported behind the answer.
    if (a.listening.length === 0) await once(a.worker, 'listening');
    t.deepEqual(a.listening, [{ addressType: 4, address: '127.0.0.1', port, fd: undefined }] as never);
    const clients: Client[] = [];
    for (let i = 0; i < 8; i++) clients.push(await place.connect({ port }));
    for (const client of clients) t.is(await client.echo('to and fro'), 'to and fro;');
    const counts = [await a.ask({ do: 'count' }), await b.ask({ do: 'count' })];
    t.deepEqual(
      counts,
      [a, b].map(({ pid }) => clients.filter((client) => client.pid === pid).length),
    );
    t.is(Number(counts[0]) + Number(counts[1]), 8);
    if (policy === 'rr') t.deepEqual(counts, [4, 4]);
  });

  clustered(policy, 'an exclusive address is the first worker’s own', async (t, place) => {
    const [a, b] = await place.pair();
    const port = portOf(await a.listen({ ...LOCAL, exclusive: true }));
    t.regex(
      String(await b.listen({ ...LOCAL, port, exclusive: true })),
      new RegExp(`^Error\\[code=EADDRINUSE errno=${IN_USE} .*"listen`),
    );
    t.deepEqual(a.listening, []);
    t.is((await place.connect({ port })).pid, a.pid);
  });

  const takenThenFree = async (t: ExecutionContext, place: Cluster, again: boolean): Promise<void> => {
    const outsider = createServer();
    const port = await listening(outsider);
    const worker = await place.fork();
    t.regex(
      String(await worker.listen({ ...LOCAL, port })),
      new RegExp(`^Error\\[code=EADDRINUSE errno=${IN_USE} syscall=bind address=127.0.0.1 port=${port}\\]`),
    );
    outsider.close();
    await once(outsider, 'close');
    if (again) t.is(portOf(await worker.listen({ ...LOCAL, port })), port);
  };
  clustered(policy, 'an address that is taken', (t, place) => takenThenFree(t, place, false));
  // On Node 25 and 26 a worker on node:net ends with an assertion of Node's.
  clustered(policy, 'an address that is free again', (t, place) => takenThenFree(t, place, true), ['ferronet']);

  onUnix(policy, 'a path', async (t, place) => {
    const [a, b] = await place.pair();
    const path = place.path('shared');
    t.is(await a.listen({ path }), path);
    t.is(await b.listen({ path }), path);
    for (const client of await connectAll(place, { path }, 4)) t.is(await client.echo('hello'), 'hello;');
  });

  onUnix(
    policy,
    'with reusePort each worker listens by itself',
    async (t, place) => {
      const [a, b] = await place.pair();
      const port = portOf(await a.listen({ ...LOCAL, ...REUSE }));
      t.is(portOf(await b.listen({ ...LOCAL, ...REUSE, port })), port);
      t.deepEqual([...a.listening, ...b.listening], []);
      for (const client of await connectAll(place, { port }, 8)) t.is(await client.echo('hello'), 'hello;');
    },
    nodeMajor >= 23 ? undefined : ['ferronet'],
  );

  clustered(policy, 'a worker that disconnects closes its server, then waits for its connections', async (t, place) => {
    const [a, b] = await place.pair();
    const port = portOf(await a.listen(LOCAL));
    await b.listen(LOCAL);
    let client = await place.connect({ port });
    while (client.pid !== a.pid) client = await place.connect({ port });
    a.tell({ do: 'disconnect' });
    t.is(await a.ask({ do: 'count' }), 1);
    t.is(await client.echo('still here'), 'still here;');
    t.deepEqual(a.log, []);
    client.socket.end();
    await a.until('exit 0');
    t.deepEqual(a.log, ['server closed', 'disconnect', 'exit 0']);
    t.is((await place.connect({ port })).pid, b.pid);
  });

  clustered(policy, 'cluster.disconnect() closes in the same order', async (t, place) => {
    const [a, b] = await place.pair();
    const port = portOf(await a.listen(LOCAL));
    await b.listen(LOCAL);
    const clients = await connectAll(place, { port }, 4);
    const done = new Promise<void>((resolve) => cluster.disconnect(resolve));
    for (const client of clients) client.socket.end();
    await done;
    await Promise.all([a, b].map((each) => each.until('exit 0')));
    // `exit` may overtake what a process has said last (Node's documentation of 'exit'; under Wine it often does).
    for (const worker of [a, b]) {
      await worker.until('disconnect');
      t.deepEqual(
        worker.log.filter((line) => line !== 'exit 0'),
        ['server closed', 'disconnect'],
      );
    }
  });

  clustered(policy, 'a worker that dies takes its own connections with it', async (t, place) => {
    const [a, b] = await place.pair();
    const port = portOf(await a.listen(LOCAL));
    await b.listen(LOCAL);
    const clients = await connectAll(place, { port }, 8);
    let lost = clients.filter((client) => client.pid === a.pid);
    const kept = clients.filter((client) => client.pid === b.pid);
    for (let more = 0; lost.length === 0 && more < 100; more++)
      lost = [await place.connect({ port })].filter((client) => client.pid === a.pid);
    t.not(lost.length, 0, 'the first worker is given none');
    a.worker.process.kill('SIGKILL');
    await Promise.all(lost.map((client) => client.closed()));
    for (const client of kept) t.is(await client.echo('unmoved'), 'unmoved;');
    t.is((await place.connect({ port })).pid, b.pid);
  });

  clustered(policy, 'a server that is closed and listens again', async (t, place) => {
    const worker = await place.fork();
    const port = portOf(await worker.listen(LOCAL));
    t.is(await worker.ask({ do: 'close' }), 'closed');
    t.is(portOf(await worker.listen({ ...LOCAL, port })), port);
    t.is((await place.connect({ port })).pid, worker.pid);
  });
}
