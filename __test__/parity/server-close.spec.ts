// close() of a server: it waits for its connections, then emits `close`.
import { parity } from '../_helpers/parity.js';

parity('close with an open connection', async (stage) => {
  const server = await stage.listening();
  const client = stage.connect(server);
  await Promise.all([stage.until(client, 'ready'), stage.accepted()]);
  stage.call('S', 'close()', () => server.close(stage.log.callback('S', 'close')), 'micro', 'tick', 'immediate');
  stage.log.note('S', `listening=${server.listening} address=${JSON.stringify(server.address())}`);
  await new Promise(setImmediate);
  stage.log.note('S', 'the client ends');
  client.end();
  await stage.finish();
  stage.call('S', 'close() again', () => server.close(stage.log.callback('S', 'close')), 'micro', 'tick', 'immediate');
  await stage.until(server, 'close');
});

parity('close of an idle server', async (stage) => {
  const server = await stage.listening();
  stage.call('S', 'close()', () => server.close(stage.log.callback('S', 'close')), 'micro', 'tick', 'immediate');
  await stage.closed(server);
});

parity('close of a server that never listened', async (stage) => {
  const server = stage.server();
  const result = stage.call('S', 'close()', () => server.close(stage.log.callback('S', 'close')), 'micro', 'tick');
  stage.log.note('S', `returns itself: ${result === server}`);
  await stage.closed(server);
});

parity('a connection is refused once the server is closed', async (stage) => {
  const server = await stage.listening();
  const port = stage.portOf(server);
  await stage.finish(server);
  const client = stage.socket().connect(port, '127.0.0.1');
  await stage.closed(client);
});

parity('connections are counted', async (stage) => {
  const server = await stage.listening();
  const client = stage.connect(server);
  await Promise.all([stage.until(client, 'ready'), stage.accepted()]);
  const counted = stage.log.callback('S', 'getConnections');
  stage.call('S', 'getConnections()', () => server.getConnections(counted), 'micro', 'tick');
  await new Promise(setImmediate);
  client.destroy();
  await stage.closed(client, await stage.accepted());
  stage.call('S', 'getConnections()', () => server.getConnections(counted), 'micro', 'tick');
  await new Promise(setImmediate);
  await stage.finish(server);
});

parity('a connection over maxConnections is dropped', async (stage) => {
  const server = await stage.listening();
  server.maxConnections = 1;
  const first = stage.connect(server);
  await Promise.all([stage.until(first, 'ready'), stage.accepted()]);
  const second = stage.socket('D').connect(stage.portOf(server), '127.0.0.1');
  await stage.closed(second);
  first.end();
  await stage.finish(server);
});

parity('a unix connection over maxConnections is dropped without a word on whose it was', async (stage) => {
  const server = stage.server();
  server.maxConnections = 1;
  server.listen(stage.path('s'));
  await stage.until(server, 'listening');
  const first = stage.socket().connect(stage.path('s'));
  await Promise.all([stage.until(first, 'ready'), stage.accepted()]);
  const second = stage.socket('D').connect(stage.path('s'));
  await stage.closed(second);
  first.end();
  await stage.finish(server);
});

parity('pauseOnConnect: nothing is read before resume', async (stage) => {
  const server = await stage.listening({ pauseOnConnect: true, data: false });
  const client = stage.connect(server);
  client.end('abc');
  const [accepted] = await Promise.all([stage.accepted(), stage.until(client, 'finish')]);
  stage.log.note('A', `paused=${accepted.isPaused()} flowing=${String(accepted.readableFlowing)}`);
  stage.log.note('A', `bytesRead=${accepted.bytesRead}`);
  accepted.on('data', (chunk) => stage.log.note('A', `data ${String(chunk)}`));
  accepted.resume();
  await stage.finish(server);
});
