// An AbortSignal given to the constructor destroys the socket.
import { parity } from '../_helpers/parity.js';

parity('abort of a connected socket', async (stage) => {
  const server = await stage.listening();
  const controller = new AbortController();
  const client = stage.connect(server, { signal: controller.signal });
  await Promise.all([stage.until(client, 'ready'), stage.accepted()]);
  stage.call('C', 'abort()', () => controller.abort(), 'micro', 'tick', 'immediate');
  await stage.closed(client);
  await stage.finish(server);
});

parity('abort while connecting', async (stage) => {
  const server = await stage.listening();
  stage.log.forget('S', 'A');
  const controller = new AbortController();
  const client = stage.connect(server, { signal: controller.signal });
  stage.call('C', 'abort()', () => controller.abort(), 'micro', 'tick', 'immediate');
  await stage.closed(client);
});

parity('abort of a listening server closes it', async (stage) => {
  const controller = new AbortController();
  const server = stage.server();
  server.listen({ port: 0, host: '127.0.0.1', signal: controller.signal });
  await stage.until(server, 'listening');
  stage.call('S', 'abort()', () => controller.abort(), 'micro', 'tick', 'immediate');
  stage.log.note('S', `listening=${server.listening} address=${JSON.stringify(server.address())}`);
  await stage.closed(server);
});

parity('listen with a signal that is aborted already', async (stage) => {
  const server = stage.server();
  const options = { port: 0, host: '127.0.0.1', signal: AbortSignal.abort() };
  stage.call('S', 'listen()', () => server.listen(options), 'micro', 'tick');
  await stage.closed(server);
});
