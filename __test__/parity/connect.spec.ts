// From connect() to an open connection, or to an error.
import type { LookupFunction } from 'node:net';

import { parity } from '../_helpers/parity.js';
import { atMost } from '../_helpers/patience.js';

/** With the default of 250 ms a machine that is busy for so long sees attempts that time out. */
const patience = { autoSelectFamilyAttemptTimeout: atMost(10_000) };

const bothFamilies = ((_name, _options, callback) =>
  process.nextTick(callback, null, [
    { address: '::1', family: 6 },
    { address: '127.0.0.1', family: 4 },
  ])) as LookupFunction;

parity('connect by address; the server ends first', async (stage) => {
  const server = await stage.listening({}, (accepted) => accepted.end('bye'));
  const client = stage.socket();
  const port = stage.portOf(server);
  const connected = stage.log.callback('C', 'connect');
  stage.call('C', 'connect()', () => client.connect(port, '127.0.0.1', connected), 'micro', 'tick');
  await stage.closed(client);
  await stage.finish(server);
});

parity('connect by name', async (stage) => {
  const server = await stage.listening({}, (accepted) => accepted.end());
  const client = stage.socket();
  const target = { port: stage.portOf(server), host: 'localhost', family: 4 };
  stage.call('C', 'connect()', () => client.connect(target), 'micro', 'tick');
  await stage.closed(client);
  await stage.finish(server);
});

parity('connect by name, both families asked for', async (stage) => {
  const server = await stage.listening({}, (accepted) => accepted.end());
  const client = stage.socket();
  // This port of ::1 is closed: the first attempt fails, the second succeeds.
  client.connect({ port: stage.portOf(server), host: 'both.test', lookup: bothFamilies, ...patience });
  await stage.closed(client);
  stage.log.note('C', `attempted ${JSON.stringify(client.autoSelectFamilyAttemptedAddresses)}`);
  await stage.finish(server);
});

parity('connect is refused', async (stage) => {
  const client = stage.socket();
  const connected = stage.log.callback('C', 'connect');
  stage.call('C', 'connect()', () => client.connect(1, '127.0.0.1', connected), 'micro', 'tick');
  await stage.closed(client);
});

parity('connect is refused by all addresses of a name', async (stage) => {
  const client = stage.socket();
  stage.call(
    'C',
    'connect()',
    () => client.connect({ port: 1, host: 'both.test', lookup: bothFamilies, ...patience }),
    'micro',
  );
  await stage.closed(client);
  stage.log.note('C', `attempted ${JSON.stringify(client.autoSelectFamilyAttemptedAddresses)}`);
});

parity('a lookup that answers with one address, given as text', async (stage) => {
  const client = stage.socket();
  const lookup: LookupFunction = (_name, _options, callback) => callback(null, '127.0.0.1', 4);
  stage.call('C', 'connect()', () => client.connect({ port: 1, host: 'one.test', family: 4, lookup }), 'micro', 'tick');
  await stage.closed(client);
});

parity('a lookup that answers with no address', async (stage) => {
  const client = stage.socket();
  const lookup = ((_name, _options, callback) => process.nextTick(callback, null, 'nope', 4)) as LookupFunction;
  stage.call('C', 'connect()', () => client.connect({ port: 1, host: 'bad.test', family: 4, lookup }), 'micro', 'tick');
  await stage.closed(client);
});

parity('a lookup that answers with an unknown family', async (stage) => {
  const client = stage.socket();
  const lookup = ((_name, _options, callback) => process.nextTick(callback, null, '1.2.3.4', 100)) as LookupFunction;
  stage.call('C', 'connect()', () => client.connect({ port: 1, host: 'bad.test', family: 4, lookup }), 'micro', 'tick');
  await stage.closed(client);
});

parity('a name that does not exist', async (stage) => {
  const client = stage.socket();
  stage.call('C', 'connect()', () => client.connect(80, 'does-not-exist.invalid'), 'micro', 'tick');
  await stage.closed(client);
});

// Windows has node:net say EISCONN, as if the first attempt had ended.
parity(
  'connect while connecting',
  async (stage) => {
    const server = await stage.listening();
    stage.log.forget('S', 'A');
    const client = stage.socket();
    const port = stage.portOf(server);
    stage.call('C', 'connect()', () => client.connect(port, '127.0.0.1'));
    // From the tick in which the first attempt has begun.
    await stage.until(client, 'connectionAttempt');
    stage.call('C', 'connect() again', () => client.connect(port, '127.0.0.1'));
    await stage.closed(client);
  },
  { not: ['win32'] },
);

parity('connect again after close', async (stage) => {
  const server = await stage.listening({}, (accepted) => accepted.end('x'));
  const client = stage.connect(server);
  await stage.until(client, 'close');
  stage.call('C', 'connect() again', () => client.connect(stage.portOf(server), '127.0.0.1'), 'micro', 'tick');
  await stage.until(client, 'close');
  await stage.finish(server);
});
