// connect() on a socket that is connecting or connected already.
import { parity } from '../_helpers/parity.js';
import type { Stage } from '../_helpers/stage.js';

const not = ['win32'] as const;

async function listeningOnPath(stage: Stage): Promise<void> {
  const server = stage.server();
  server.listen(stage.path('s'));
  await stage.until(server, 'listening');
  stage.log.forget('S', 'A');
}

// With a local address this time: its handle cannot be bound again.
parity('connect with a local address while connecting', async (stage) => {
  const server = await stage.listening();
  stage.log.forget('S', 'A');
  const port = stage.portOf(server);
  const client = stage.connect(server);
  await stage.until(client, 'connectionAttempt');
  const options = { port, host: '127.0.0.1', localAddress: '127.0.0.1' };
  stage.call('C', 'connect() again', () => client.connect(options), 'micro', 'tick');
  await stage.closed(client);
});

parity(
  'connect to a path while connected',
  async (stage) => {
    await listeningOnPath(stage);
    const client = stage.socket().connect(stage.path('s'));
    await stage.until(client, 'ready');
    stage.call('C', 'connect() again', () => client.connect(stage.path('s')), 'micro', 'tick');
    await stage.closed(client);
  },
  { not },
);

parity(
  'connect to a path while connected, and destroy',
  async (stage) => {
    await listeningOnPath(stage);
    const client = stage.socket().connect(stage.path('s'));
    await stage.until(client, 'ready');
    client.connect(stage.path('s'), () => stage.log.note('C', 'connected again'));
    stage.call('C', 'destroy()', () => client.destroy(), 'micro', 'tick');
    await stage.closed(client);
  },
  { not },
);
