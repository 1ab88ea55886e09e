// RST instead of FIN: resetAndDestroy on either side, before and after the connection is established.
import { parity } from '../_helpers/parity.js';

parity('the server side resets', async (stage) => {
  const server = await stage.listening();
  const client = stage.connect(server);
  const [accepted] = await Promise.all([stage.accepted(), stage.until(client, 'ready')]);
  stage.call('A', 'resetAndDestroy()', () => accepted.resetAndDestroy(), 'micro', 'tick', 'immediate');
  await stage.closed(client);
  await stage.finish(server);
});

parity('the client resets', async (stage) => {
  const server = await stage.listening();
  const client = stage.connect(server);
  await Promise.all([stage.accepted(), stage.until(client, 'ready')]);
  stage.call('C', 'resetAndDestroy()', () => client.resetAndDestroy(), 'micro', 'tick', 'immediate');
  await stage.closed(client);
  await stage.finish(server);
});

parity('reset while connecting', async (stage) => {
  const server = await stage.listening();
  const client = stage.connect(server);
  stage.call('C', 'resetAndDestroy()', () => client.resetAndDestroy(), 'micro', 'tick');
  await Promise.all([stage.closed(client), stage.accepted()]);
  await stage.finish(server);
});

parity('reset before connect', async (stage) => {
  const client = stage.socket();
  stage.call('C', 'resetAndDestroy()', () => client.resetAndDestroy(), 'micro', 'tick', 'immediate');
  await stage.closed(client);
});

parity('reset of a unix socket is refused', async (stage) => {
  const server = stage.server();
  server.listen(stage.path('s'));
  await stage.until(server, 'listening');
  const client = stage.socket().connect(stage.path('s'));
  await Promise.all([stage.accepted(), stage.until(client, 'ready')]);
  stage.call('C', 'resetAndDestroy()', () => client.resetAndDestroy());
  client.end();
  await stage.finish(server);
});
