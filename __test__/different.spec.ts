// What is different by nature, seen from both sides: node:net does the one, ferronet the other. Each is a line of
// docs/DIVERGENCES.md; when one of these tests fails because the difference has gone, both may go.
import { once } from 'node:events';
import { performance, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';

import test from 'ava';

import { both, closed } from './_helpers/both.js';
import { isNode, node, nodeMajor, ours } from './_helpers/implementations.js';

// The types of Node 20 do not know of details.
type Detailed = PerformanceEntry & { detail: { port: number } };

both(
  'a PerformanceObserver has a `net` entry for a connection of node:net, and none for one of ferronet',
  async (t, place) => {
    const { port } = await place.listen((socket) => socket.end());
    const mark = `over ${port}`;
    const entries: string[] = [];
    const over = new Promise<void>((resolve) => {
      const observer = new PerformanceObserver((list) => {
        for (const { entryType, name, detail } of list.getEntries() as Detailed[]) {
          if (entryType === 'net' && detail.port === port) entries.push(name);
          // Entries come in the order in which they were made.
          if (name === mark) {
            observer.disconnect();
            resolve();
          }
        }
      });
      observer.observe({ entryTypes: ['net', 'mark'] });
    });
    await closed(place.connect(port).resume());
    performance.mark(mark);
    await over;
    t.deepEqual(entries, place.isOurs ? [] : ['connect']);
  },
);

test('sockets and servers of either net are no instances of the other’s classes', (t) => {
  t.false(new ours.Socket() instanceof node.Socket);
  t.false(new node.Socket() instanceof ours.Socket);
  t.false(new ours.Server() instanceof node.Server);
  t.false(new node.Server() instanceof ours.Server);
});

const onLinuxOnly = process.platform === 'linux' && isNode ? test : test.skip;
onLinuxOnly('an abstract name of node:net is another one on Node 20, and the same on newer Nodes', async (t) => {
  const name = `\0ferronet-different-${process.pid}`;
  const server = node.createServer((socket) => socket.end()).listen(name);
  await once(server, 'listening');
  const client = ours.connect(name);
  const told = await new Promise((resolve) => {
    client.once('connect', () => resolve('connected'));
    client.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  });
  client.destroy();
  server.close();
  t.is(told, nodeMajor > 20 ? 'connected' : 'ECONNREFUSED');
});
