// Each delivery is a turn of its own, with its ticks and microtasks, and in the right async context.
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import type { Socket } from 'node:net';

import { parity } from '../_helpers/parity.js';

const MANY = 8;

parity('ticks and microtasks run between the deliveries of several sockets', async (stage) => {
  const accepted: Socket[] = [];
  const server = await stage.listening({ data: false }, (socket) => void accepted.push(socket));
  const clients = Array.from({ length: MANY }, () => stage.connect(server, { data: false }));
  await Promise.all(clients.map((client) => stage.until(client, 'ready')));
  while (accepted.length < MANY) await once(server, 'connection');
  const lanes = accepted.map((_socket, index) => (index === 0 ? 'A' : `A${index + 1}`));
  stage.log.forget('C', ...lanes);
  const delivered = clients.map((client) => stage.until(client, 'data'));
  for (const client of clients) {
    client.on('data', () => {
      stage.log.note('turns', 'data');
      queueMicrotask(() => stage.log.note('turns', '  microtask'));
      process.nextTick(() => stage.log.note('turns', '  tick'));
    });
  }
  // All of it is on its way before the first byte is delivered.
  for (const socket of accepted) socket.write('x');
  await Promise.all(delivered);
  for (const client of clients) client.destroy();
  await stage.finish(server);
});

parity('a loop of once(data) loses nothing', async (stage) => {
  const server = await stage.listening({ data: false });
  const client = stage.connect(server, { data: false });
  const [accepted] = await Promise.all([stage.accepted(), stage.until(client, 'ready')]);
  let text = '';
  const read = (async () => {
    while (text.length < 50) text += String((await once(client, 'data'))[0]);
  })();
  for (let count = 0; count < 50; count += 1) accepted.write('x');
  await read;
  stage.log.note('sum', text);
  client.destroy();
  await stage.finish(server);
});

parity('async contexts', async (stage) => {
  const storage = new AsyncLocalStorage<string>();
  const seen = (label: string) => (): void =>
    stage.log.note(label.split(' ')[0] ?? '', `${label}: ${storage.getStore()}`);
  const watch = (who: string, target: Pick<Socket, 'on'>, events: string[]): void => {
    for (const event of events) target.on(event, seen(`${who} ${event}`));
  };
  const server = new stage.net.Server((accepted) => {
    seen('server connection')();
    watch('accepted', accepted, ['data', 'end', 'close']);
    accepted.write('hello', seen('accepted written'));
  });
  watch('server', server as unknown as Socket, ['listening', 'close']);
  storage.run('listen', () => server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  const port = stage.portOf(server);
  const client = storage.run('connect', () => new stage.net.Socket().connect(port, '127.0.0.1'));
  watch('client', client, ['connect', 'ready', 'data', 'end', 'close', 'finish']);
  await once(client, 'data');
  storage.run('timeout', () => client.setTimeout(10, seen('client timeout callback')));
  await once(client, 'timeout');
  storage.run('write', () => client.write('x', seen('client written')));
  storage.run('end', () => client.end(seen('client ended')));
  const closed = Promise.all([once(client, 'close'), once(server, 'close')]);
  storage.run('close', () => server.close(seen('server close callback')));
  await closed;
  const refused = storage.run('refused', () => new stage.net.Socket().connect(1, '127.0.0.1'));
  watch('refused', refused, ['error', 'close']);
  await new Promise((resolve) => refused.on('close', resolve));
});
