// The idle timer emits `timeout` and does nothing else.
import { parity } from '../_helpers/parity.js';

parity('timeout of an idle connection, then switched off', async (stage) => {
  const server = await stage.listening();
  const client = stage.connect(server);
  await Promise.all([stage.until(client, 'ready'), stage.accepted()]);
  stage.call('C', 'setTimeout(30)', () => client.setTimeout(30, stage.log.callback('C', 'timeout')));
  stage.log.note('C', `timeout=${String(client.timeout)}`);
  await stage.until(client, 'timeout');
  stage.call('C', 'setTimeout(0)', () => client.setTimeout(0));
  stage.log.note('C', `timeout=${String(client.timeout)}`);
  stage.call('C', 'destroy()', () => client.destroy());
  await stage.closed(client);
  await stage.finish(server);
});

parity('timeout comes once, and again after something has happened', async (stage) => {
  const server = await stage.listening();
  const client = stage.connect(server);
  await Promise.all([stage.until(client, 'ready'), stage.accepted()]);
  client.setTimeout(20);
  await stage.until(client, 'timeout');
  client.write('x');
  await stage.until(client, 'timeout');
  client.end();
  await stage.finish(server);
});

parity('a callback of setTimeout(0, callback) is taken off again', async (stage) => {
  const server = await stage.listening();
  const client = stage.connect(server);
  await Promise.all([stage.until(client, 'ready'), stage.accepted()]);
  const callback = stage.log.callback('C', 'timeout');
  client.setTimeout(10_000, callback);
  client.setTimeout(0, callback);
  stage.log.note('C', `listeners=${client.listenerCount('timeout')}`);
  client.setTimeout(20);
  await stage.until(client, 'timeout');
  client.destroy();
  await stage.finish(server);
});

parity('a timeout set while connecting, and one on a socket that never connects', async (stage) => {
  const idle = stage.socket('I');
  idle.setTimeout(20, stage.log.callback('I', 'timeout'));
  await stage.until(idle, 'timeout');
  idle.destroy();
  await stage.closed(idle);
  stage.call('I', 'setTimeout after destroy', () => idle.setTimeout(1));
  stage.log.note('I', `timeout=${String(idle.timeout)}`);
});
