// How a name becomes addresses: what `lookup` is asked, when, and what becomes of its answer.
import type { LookupFunction, TcpNetConnectOpts } from 'node:net';

import { parity } from '../_helpers/parity.js';

const targets: Record<string, Partial<TcpNetConnectOpts>> = {
  'nothing said': {},
  'family 4': { family: 4 },
  'family 6': { family: 6 },
  "family 'IPv4'": { family: 'IPv4' as unknown as number },
  "family 'IPv6'": { family: 'IPv6' as unknown as number },
  'hints 0': { hints: 0 },
  'hints 1024': { hints: 1024 },
  'hints with family 4': { family: 4, hints: 1024 },
  'one at a time': { autoSelectFamily: false },
  'a local address': { localAddress: '127.0.0.1' },
  'a local port': { localPort: 0 },
};

for (const [title, options] of Object.entries(targets)) {
  parity(`what a lookup is asked: ${title}`, async (stage) => {
    const client = stage.socket();
    const lookup = ((name, asked, callback) => {
      stage.log.note('C', `asked '${name}' ${JSON.stringify(asked)}`);
      process.nextTick(callback, new Error('no answer'));
    }) as LookupFunction;
    stage.call(
      'C',
      'connect()',
      () => client.connect({ port: 1, host: 'a.test', lookup, ...options }),
      'micro',
      'tick',
    );
    await stage.closed(client);
  });
}

parity('an address needs no lookup, not even a correct one', async (stage) => {
  for (const host of ['127.0.0.1', '::1']) {
    const client = stage.socket(host);
    const lookup = 'none' as unknown as LookupFunction;
    stage.call(host, 'connect()', () => client.connect({ port: 1, host, lookup }), 'micro', 'tick');
    await stage.closed(client);
  }
});

parity('an empty host is localhost', async (stage) => {
  const client = stage.socket();
  const lookup = ((name, _asked, callback) => {
    stage.log.note('C', `asked '${name}'`);
    process.nextTick(callback, null, [{ address: '127.0.0.1', family: 4 }]);
  }) as LookupFunction;
  client.connect({ port: 1, host: '', lookup });
  await stage.closed(client);
});

parity('a lookup that answers at once', async (stage) => {
  const client = stage.socket();
  const lookup: LookupFunction = (_name, _asked, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]);
  stage.call('C', 'connect()', () => client.connect({ port: 1, host: 'a.test', lookup }), 'micro', 'tick');
  await stage.closed(client);
});

parity('a lookup that throws', async (stage) => {
  const client = stage.socket();
  const lookup: LookupFunction = () => {
    throw new Error('thrown');
  };
  stage.call('C', 'connect()', () => client.connect({ port: 1, host: 'a.test', lookup }), 'micro', 'tick');
  stage.log.note('C', `connecting=${client.connecting} destroyed=${client.destroyed}`);
  client.destroy();
  await stage.closed(client);
});

parity('a lookup that answers a socket which is destroyed', async (stage) => {
  const client = stage.socket();
  const answered = new Promise<void>((resolve) => {
    const lookup = ((_name, _asked, callback) => {
      setImmediate(() => {
        client.destroy();
        callback(null, [{ address: '127.0.0.1', family: 4 }] as never);
        resolve();
      });
    }) as LookupFunction;
    client.connect({ port: 1, host: 'a.test', lookup });
  });
  await answered;
  await stage.closed(client);
});

// Where ::1 has the name too, the connection is refused: on both implementations.
parity('localhost in one family', async (stage) => {
  for (const family of [4, 6]) {
    const client = stage.socket(`family ${family}`);
    client.connect({ port: 1, host: 'localhost', family });
    await stage.closed(client);
  }
});
