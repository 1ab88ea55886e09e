// listen() in its forms: when `listening` turns true, when the event comes, what a failure leaves behind.
import type { Server } from 'node:net';

import { parity } from '../_helpers/parity.js';
import type { Stage } from '../_helpers/stage.js';

function state(stage: Stage, server: Server): void {
  const address = server.address();
  const shown = address === null || typeof address === 'string' ? address : { ...address, port: 'N' };
  stage.log.note('S', `listening=${server.listening} address=${JSON.stringify(shown)}`);
}

parity('listen on a port that is taken, then on another', async (stage) => {
  const taken = stage.server('T');
  taken.listen(0, '127.0.0.1');
  await stage.until(taken, 'listening');
  const port = stage.portOf(taken);
  stage.log.name(port, 'PORT');
  const server = stage.server();
  const listening = stage.log.callback('S', 'listening');
  stage.call('S', 'listen()', () => server.listen(port, '127.0.0.1', listening), 'micro', 'tick');
  state(stage, server);
  await stage.until(server, 'error');
  state(stage, server);
  stage.call('S', 'close()', () => server.close(stage.log.callback('S', 'close')), 'micro', 'tick');
  await stage.closed(server);
  // The callback of the call that failed is still a listener.
  stage.call('S', 'listen() again', () => server.listen(0), 'micro', 'tick');
  await stage.until(server, 'listening');
  state(stage, server);
  server.close();
  await stage.until(server, 'close');
  taken.close();
  await stage.closed(taken);
});

parity('listen with a host', async (stage) => {
  const server = stage.server();
  const listening = stage.log.callback('S', 'listening');
  stage.call('S', 'listen()', () => server.listen(0, '127.0.0.1', listening), 'micro', 'tick');
  state(stage, server);
  await stage.until(server, 'listening');
  state(stage, server);
  await stage.finish(server);
  state(stage, server);
});

parity('listen without a host', async (stage) => {
  const server = stage.server();
  const listening = stage.log.callback('S', 'listening');
  stage.call('S', 'listen()', () => server.listen(0, listening), 'micro', 'tick');
  state(stage, server);
  await stage.until(server, 'listening');
  stage.call('S', 'listen() again', () => server.listen(0));
  state(stage, server);
  await stage.finish(server);
  state(stage, server);
});

parity('listen without a host, and close at once', async (stage) => {
  const server = stage.server();
  stage.call('S', 'listen()', () => server.listen(0), 'micro', 'tick');
  stage.call('S', 'close()', () => server.close(stage.log.callback('S', 'close')));
  await stage.closed(server);
});

parity('listen with a host, and close at once', async (stage) => {
  const server = stage.server();
  stage.call('S', 'listen()', () => server.listen(0, '127.0.0.1'), 'micro', 'tick');
  stage.call('S', 'close()', () => server.close(stage.log.callback('S', 'close')));
  await stage.closed(server);
});

parity('listen on a host that does not exist', async (stage) => {
  const server = stage.server();
  stage.call('S', 'listen()', () => server.listen(0, 'does-not-exist.invalid'), 'micro', 'tick');
  await stage.until(server, 'error');
  state(stage, server);
});

parity('listen, close, listen again', async (stage) => {
  const server = stage.server();
  server.listen(0, '127.0.0.1');
  await stage.until(server, 'listening');
  stage.call('S', 'close()', () => server.close(stage.log.callback('S', 'close')), 'micro', 'tick');
  await stage.until(server, 'close');
  stage.call('S', 'listen()', () => server.listen({ port: 0, host: '127.0.0.1' }), 'micro', 'tick');
  await stage.until(server, 'listening');
  state(stage, server);
  server.close();
  await stage.until(server, 'close');
});

parity('the forms of listen', async (stage) => {
  const forms: Record<string, (server: Server) => Server> = {
    'listen()': (server) => server.listen(),
    'listen(null)': (server) => server.listen(null as unknown as number),
    'listen(undefined)': (server) => server.listen(undefined),
    "listen('0')": (server) => server.listen('0' as unknown as number),
    'listen(0, undefined)': (server) => server.listen(0, undefined),
    "listen(0, '127.0.0.1', 5)": (server) => server.listen(0, '127.0.0.1', 5),
    'listen(0, 5)': (server) => server.listen(0, 5),
    'listen({ port: 0, path })': (server) => server.listen({ port: 0, path: stage.path('unused') }),
    "listen({ port: '0x0' })": (server) => server.listen({ port: '0x0' as unknown as number }),
  };
  for (const [label, listen] of Object.entries(forms)) {
    const server = stage.server();
    stage.call('S', label, () => stage.log.note('S', `returns itself: ${listen(server) === server}`));
    await stage.until(server, 'listening');
    state(stage, server);
    server.close();
    await stage.closed(server);
  }
});
