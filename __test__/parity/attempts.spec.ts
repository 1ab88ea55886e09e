// Several addresses of one name, tried one after the other: the events of each attempt, and when the next one begins.
import type { LookupAddress } from 'node:dns';
import type { LookupFunction, Socket, TcpNetConnectOpts } from 'node:net';

import { type BlackHole, digBlackHole } from '../_helpers/black-hole.js';
import { parity } from '../_helpers/parity.js';
import type { Stage } from '../_helpers/stage.js';

const v4 = (address: string): LookupAddress => ({ address, family: 4 });
const v6 = (address: string): LookupAddress => ({ address, family: 6 });

// A lookup that answers in the next tick with all of `addresses`.
const answering = (...addresses: LookupAddress[]): LookupFunction =>
  ((_name, _options, callback) => process.nextTick(callback, null, addresses)) as LookupFunction;

function attempted(stage: Stage, client: Socket): void {
  stage.log.note('C', `attempted ${JSON.stringify(client.autoSelectFamilyAttemptedAddresses)}`);
}

// With an address that does not answer, its port named in the log. Elsewhere than on Linux there is none.
function withBlackHole(title: string, play: (stage: Stage, hole: BlackHole) => Promise<void>): void {
  const run = async (stage: Stage): Promise<void> => {
    const hole = await digBlackHole();
    stage.log.name(hole.port, 'PORT');
    try {
      await play(stage, hole);
    } finally {
      hole.close();
    }
  };
  parity(title, run, { not: ['win32', 'darwin'] });
}

withBlackHole('an address that does not answer is given up for one that does', async (stage, hole) => {
  const server = stage.server('S', {}, (accepted) => accepted.end());
  server.listen(hole.port, '127.0.0.1');
  await stage.until(server, 'listening');
  const client = stage.socket();
  const lookup = answering(v4(hole.address), v4('127.0.0.1'));
  client.connect({ port: hole.port, host: 'two.test', lookup, autoSelectFamilyAttemptTimeout: 50 });
  await stage.closed(client);
  attempted(stage, client);
  await stage.finish(server);
});

withBlackHole('an address that does not answer, and one that refuses', async (stage, hole) => {
  const client = stage.socket();
  const lookup = answering(v4(hole.address), v4('127.0.0.1'));
  client.connect({ port: hole.port, host: 'two.test', lookup, autoSelectFamilyAttemptTimeout: 50 });
  await stage.closed(client);
  attempted(stage, client);
});

withBlackHole('the last address may take its time: only the idle timer speaks up', async (stage, hole) => {
  const lookup = answering(v4('127.0.0.1'), v4(hole.address));
  const options = { port: hole.port, host: 'two.test', lookup, autoSelectFamilyAttemptTimeout: 200 };
  const client = stage.adopt('C', stage.net.connect({ ...options, timeout: 500 }));
  await stage.until(client, 'timeout');
  stage.log.note('C', `connecting=${client.connecting}`);
  stage.call('C', 'destroy()', () => client.destroy(), 'micro', 'tick');
  await stage.closed(client);
  attempted(stage, client);
});

withBlackHole('timeout of one address that does not answer', async (stage, hole) => {
  const options = { port: hole.port, host: hole.address, timeout: 60, autoSelectFamilyAttemptTimeout: 10 };
  const client = stage.adopt('C', stage.net.connect(options));
  client.write('never sent', stage.log.callback('C', 'write'));
  await stage.until(client, 'timeout');
  stage.log.note('C', `connecting=${client.connecting}`);
  client.destroy(new Error('too late'));
  await stage.closed(client);
});

const answers: Record<string, Partial<TcpNetConnectOpts> & { lookup: LookupFunction }> = {
  'families take turns, the one of the first answer first': {
    lookup: answering(v4('127.0.0.1'), v4('127.0.0.3'), v6('::1'), v4('127.0.0.4')),
  },
  'an address that is answered twice is tried once': { lookup: answering(v6('::1'), v4('127.0.0.1'), v6('::1')) },
  'one address, answered twice': { lookup: answering(v4('127.0.0.1'), v4('127.0.0.1')) },
  'one address in a list': { lookup: answering(v4('127.0.0.1')) },
  'an address that is none': { lookup: answering(v4('nope'), v4('127.0.0.1')) },
  'addresses that are none': { lookup: answering(v4('nope'), v6('no')) },
  'a family that is none': { lookup: answering({ address: '127.0.0.1', family: 5 }, v4('127.0.0.1')) },
  'autoSelectFamily: false': {
    lookup: ((_name, _options, callback) => process.nextTick(callback, null, '127.0.0.1', 4)) as LookupFunction,
    autoSelectFamily: false,
  },
  'a local address': { lookup: answering(v4('127.0.0.1')), localAddress: '127.0.0.1', family: 0 },
};

// However busy the machine is, a refusal comes sooner.
const autoSelectFamilyAttemptTimeout = 10_000;

for (const [title, options] of Object.entries(answers)) {
  parity(title, async (stage) => {
    const client = stage.socket();
    const lookup = ((name, given, callback) => {
      stage.log.note('C', `lookup of '${name}' ${JSON.stringify(given)}`);
      options.lookup(name, given, callback);
    }) as LookupFunction;
    client.connect({ port: 1, host: 'some.test', autoSelectFamilyAttemptTimeout, ...options, lookup });
    await stage.closed(client);
    attempted(stage, client);
  });
}

parity('destroy between two attempts', async (stage) => {
  const client = stage.socket();
  client.on('connectionAttemptFailed', () => {
    stage.call('C', 'destroy()', () => client.destroy(), 'micro', 'tick');
  });
  const lookup = answering(v6('::1'), v4('127.0.0.1'));
  client.connect({ port: 1, host: 'two.test', lookup, autoSelectFamilyAttemptTimeout });
  await stage.closed(client);
  attempted(stage, client);
});
