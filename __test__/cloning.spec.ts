// Bound sockets and servers belong to one thread. Node 26 says that they would have to be transferred; here they cannot be
// cloned, which is the same error in other words. A Node without a mark for it copies what can be seen of them.
import * as threads from 'node:worker_threads';

import test from 'ava';
import { BoundSocket, Server, Socket } from 'ferronet';

import { node, nodeMajor } from './_helpers/implementations.js';

const hasMark = 'markAsUncloneable' in threads;
const whenMarked = hasMark ? test : test.skip;

// What came of it: the name of the error, or a copy.
function clone(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch (error) {
    return (error as DOMException).name;
  }
}

whenMarked('a bound socket cannot be cloned', (t) => {
  using bound = new BoundSocket({ host: '127.0.0.1' });
  t.is(clone(bound), 'DataCloneError');
  t.true(bound.fd() !== 0, 'it is still bound');
});

whenMarked('a server cannot be cloned, whether it listens or not', (t) => {
  const server = new Server();
  t.is(clone(server), 'DataCloneError');
  t.is(clone(server.listen(0, '127.0.0.1')), 'DataCloneError');
  server.close();
});

test('a socket cannot be cloned', (t) => {
  t.is(clone(new Socket()), 'DataCloneError');
});

if (!hasMark) {
  test('this Node has no mark for what cannot be cloned: a clone of a bound socket is an empty object', (t) => {
    using bound = new BoundSocket({ host: '127.0.0.1' });
    t.deepEqual(clone(bound), {});
  });
}

if (nodeMajor >= 26) {
  test('node:net refuses with the same error', (t) => {
    const net = node as typeof node & { BoundSocket: typeof BoundSocket };
    using bound = new net.BoundSocket({ host: '127.0.0.1' });
    t.deepEqual([bound, new net.Server(), new net.Socket()].map(clone), Array(3).fill('DataCloneError'));
  });
}
