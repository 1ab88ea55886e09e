// Node itself does not list ferronet's sockets, because they are not handles of libuv. async_hooks does.
import { createHook } from 'node:async_hooks';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import test from 'ava';

import { node, ours, tried } from './_helpers/implementations.js';

test.serial('process.getActiveResourcesInfo() does not list what is open', async (t) => {
  const count = (): number => process.getActiveResourcesInfo().filter((name) => /^(TCP|Pipe)/.test(name)).length;
  const before = count();
  const server = ours.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.is(count(), before);
  server.close();
  const theirs = node.createServer().listen(0, '127.0.0.1');
  await once(theirs, 'listening');
  t.is(count(), before + 1);
  theirs.close();
});

for (const [name, net] of Object.entries(tried)) {
  test.serial(`${name}: the types of async resources`, async (t) => {
    const types = new Set<string>();
    const hook = createHook({ init: (_id, type) => void types.add(type) }).enable();
    const server = net.createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.resume().write('x');
    await once(client, 'close');
    server.close();
    hook.disable();
    for (const type of ['TCPSERVERWRAP', 'TCPWRAP', 'TCPCONNECTWRAP', 'SHUTDOWNWRAP']) t.true(types.has(type), type);
  });
}
