// What the kernel and the resolver refuse: class, message, fields and their order, the event and its time.
import type { ListenOptions, Server, TcpNetConnectOpts } from 'node:net';

import { parity } from '../_helpers/parity.js';
import type { Stage } from '../_helpers/stage.js';

// An address of the block for documentation: no machine has it.
const FOREIGN = '203.0.113.9';

const connects: Record<string, TcpNetConnectOpts> = {
  'an address of another machine as local address': { port: 1, host: '127.0.0.1', localAddress: FOREIGN },
  'a local address of the other family': { port: 1, host: '::1', localAddress: '127.0.0.1' },
  'the broadcast address': { port: 1, host: '255.255.255.255' },
  'port 0': { port: 0, host: '127.0.0.1' },
  'port 0 as text': { port: '0' as unknown as number, host: '127.0.0.1' },
  'a port as text': { port: '1' as unknown as number, host: '127.0.0.1' },
  IPv6: { port: 1, host: '::1' },
  'an unknown name': { port: 1, host: 'no.invalid' },
  'an unknown name, one family': { port: 1, host: 'no.invalid', family: 4 },
  'an unknown name, one address at a time': { port: 1, host: 'no.invalid', autoSelectFamily: false },
};

for (const [title, options] of Object.entries(connects)) {
  parity(`connect: ${title}`, async (stage) => {
    const client = stage.socket();
    stage.call('C', 'connect()', () => client.connect(options), 'micro', 'tick');
    await stage.closed(client);
  });
}

async function taken(stage: Stage): Promise<Server> {
  const server = stage.server('T');
  server.listen(0, '127.0.0.1');
  await stage.until(server, 'listening');
  return server;
}

parity('connect: a local port that is taken', async (stage) => {
  const server = await taken(stage);
  const localPort = stage.portOf(server);
  stage.log.name(localPort, 'PORT');
  const client = stage.socket();
  const options = { port: 1, host: '127.0.0.1', localAddress: '127.0.0.1', localPort };
  stage.call('C', 'connect()', () => client.connect(options), 'micro', 'tick');
  await stage.closed(client);
});

parity('connect: a local address and port, refused', async (stage) => {
  const server = await taken(stage);
  const localPort = stage.portOf(server);
  stage.log.name(localPort, 'PORT');
  await stage.finish(server);
  const client = stage.socket();
  const options = { port: 1, host: '127.0.0.1', localAddress: '127.0.0.1', localPort };
  stage.call('C', 'connect()', () => client.connect(options), 'micro', 'tick');
  await stage.closed(client);
});

const listens: Record<string, ListenOptions> = {
  'an address of another machine': { port: 0, host: FOREIGN },
  'a link-local address without a zone': { port: 0, host: 'fe80::1234' },
  'an unknown name': { port: 0, host: 'no.invalid' },
};

for (const [title, options] of Object.entries(listens)) {
  parity(`listen: ${title}`, async (stage) => {
    const server = stage.server();
    stage.call('S', 'listen()', () => server.listen(options), 'micro', 'tick');
    await stage.until(server, 'error');
    stage.call('S', 'close()', () => server.close(stage.log.callback('S', 'close')));
    await stage.closed(server);
  });
}

parity('listen: a port that is taken, on all addresses', async (stage) => {
  const first = stage.server('T');
  first.listen(0);
  await stage.until(first, 'listening');
  const port = stage.portOf(first);
  stage.log.name(port, 'PORT');
  const server = stage.server();
  stage.call('S', 'listen()', () => server.listen(port), 'micro', 'tick');
  await stage.until(server, 'error');
});

parity(
  'connect: a directory',
  async (stage) => {
    const client = stage.socket();
    stage.call('C', 'connect()', () => client.connect(stage.path('.')), 'micro', 'tick');
    await stage.closed(client);
  },
  { not: ['win32'] },
);
