// Which AsyncLocalStorage store a callback sees: on every Node the same, which is what Node 26 does.
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';

import test from 'ava';

import { isNode, type Net, node, nodeMajor, ours } from './_helpers/implementations.js';
import { play, type Stage } from './_helpers/stage.js';

const NONE = 'undefined';

const STORES: Record<string, string> = {
  'server listening': 'listen',
  'server connection': 'listen',
  'server close': 'close',
  'server close callback': 'close',
  'accepted data': NONE,
  'accepted written': NONE,
  'accepted end': NONE,
  'accepted finish': NONE,
  'accepted close': NONE,
  'client connectionAttempt': 'connect',
  'client connect': 'connect',
  'client ready': 'connect',
  'client data': 'connect',
  'client written': 'write',
  'client timeout': 'setTimeout',
  'client timeout callback': 'setTimeout',
  'client ended': 'end',
  'client finish': 'end',
  'client end': 'connect',
  'client close': 'connect',
  'refused connectionAttemptFailed': 'connect refused',
  'refused error': 'connect refused',
  'refused close': 'connect refused',
};

// Goes through the life of a connection and calls `seen` with the store of each callback.
async function life(stage: Stage, seen: (what: string, store: string | undefined) => void): Promise<void> {
  const { net } = stage;
  const storage = new AsyncLocalStorage<string>();
  const see = (what: string) => (): void => seen(what, storage.getStore());
  const watch = (who: string, target: Socket | Server, ...events: string[]): void => {
    for (const event of events) target.on(event, see(`${who} ${event}`));
  };
  const server = new net.Server({ allowHalfOpen: true }, (accepted) => {
    watch('accepted', accepted, 'data', 'end', 'finish', 'close');
    // In contexts of their own: first when the client has sent something, then when it has ended.
    accepted.once('data', () => accepted.write('hello', see('accepted written')));
    accepted.once('end', () => accepted.end());
  });
  watch('server', server, 'listening', 'connection', 'close');
  storage.run('listen', () => server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  const client = new net.Socket();
  watch('client', client, 'connectionAttempt', 'connect', 'ready', 'data', 'timeout', 'end', 'finish', 'close');
  storage.run('connect', () => client.connect(stage.portOf(server), '127.0.0.1'));
  await once(client, 'ready');
  storage.run('write', () => client.write('x', see('client written')));
  await once(client, 'data');
  storage.run('setTimeout', () => client.setTimeout(10, see('client timeout callback')));
  await once(client, 'timeout');
  client.setTimeout(0);
  storage.run('end', () => client.end(see('client ended')));
  await once(client, 'close');
  const closed = once(server, 'close');
  storage.run('close', () => server.close(see('server close callback')));
  await closed;
  const refused = new net.Socket();
  watch('refused', refused, 'connectionAttemptFailed', 'error', 'close');
  storage.run('connect refused', () => refused.connect(1, '127.0.0.1'));
  await new Promise((resolve) => refused.on('close', resolve));
}

async function stores(net: Net): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  await play(net, (stage) => life(stage, (what, store) => void (found[what] = String(store))));
  return found;
}

test('each callback sees the store of the call it belongs to', async (t) => {
  t.deepEqual(await stores(ours), STORES);
});

// What the table above is a copy of.
(isNode && nodeMajor >= 26 ? test : test.skip)('as with node:net', async (t) => {
  t.deepEqual(await stores(node), STORES);
});
