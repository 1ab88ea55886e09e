// One side ends, the other may go on: with and without allowHalfOpen.
import { parity } from '../_helpers/parity.js';

parity('the server ends while the client writes', async (stage) => {
  const server = await stage.listening({ data: false }, (accepted) => {
    stage.call('A', "end('srv')", () => accepted.end('srv', stage.log.callback('A', 'end')));
    // The two directions are independent: this may come before or after A's `finish`.
    accepted.on('data', (chunk: Buffer) => stage.log.note('received by A', chunk.toString()));
  });
  const client = stage.connect(server);
  client.on('connect', () => {
    stage.call('C', "write('cli')", () => client.write('cli', stage.log.callback('C', 'write')));
  });
  await stage.closed(client);
  await stage.finish(server);
});

parity('the client ends', async (stage) => {
  const server = await stage.listening();
  const client = stage.connect(server);
  await Promise.all([stage.until(client, 'ready'), stage.accepted()]);
  const ended = stage.log.callback('C', 'end');
  stage.call('C', "end('fin')", () => client.end('fin', ended), 'micro', 'tick');
  await stage.closed(client);
  await stage.finish(server);
});

parity('the client ends, the server (allowHalfOpen) replies later', async (stage) => {
  const server = await stage.listening({ allowHalfOpen: true }, (accepted) => {
    accepted.on('end', () => setImmediate(() => stage.call('A', "end('late')", () => accepted.end('late'))));
  });
  const client = stage.connect(server);
  await Promise.all([stage.until(client, 'ready'), stage.accepted()]);
  stage.call('C', 'end()', () => client.end(), 'micro', 'tick');
  await stage.closed(client);
  await stage.finish(server);
});

parity('the server ends, the client (allowHalfOpen) writes, then ends', async (stage) => {
  const server = await stage.listening({}, (accepted) => accepted.end('x'));
  const client = stage.connect(server, { allowHalfOpen: true });
  const accepted = await stage.accepted();
  await Promise.all([stage.until(client, 'end'), stage.until(accepted, 'finish')]);
  const received = stage.until(accepted, 'data');
  stage.call('C', "write('still')", () => client.write('still', stage.log.callback('C', 'write')));
  await received;
  stage.call('C', 'end()', () => client.end());
  await stage.closed(client);
  await stage.finish(server);
});

parity('a server that ends both ways at once', async (stage) => {
  const server = await stage.listening({}, (accepted) => {
    accepted.end('a');
    stage.call('A', 'end() again', () => accepted.end());
  });
  const client = stage.connect(server);
  await stage.closed(client);
  await stage.finish(server);
});

parity('destroySoon sends what is queued', async (stage) => {
  const server = await stage.listening();
  const client = stage.connect(server);
  await Promise.all([stage.until(client, 'ready'), stage.accepted()]);
  client.write('last words', stage.log.callback('C', 'write'));
  const result = stage.call('C', 'destroySoon()', () => client.destroySoon() as unknown, 'micro', 'tick');
  stage.log.note('C', `destroySoon returned ${String(result)}`);
  await stage.closed(client);
  await stage.finish(server);
});

parity('a client that waits with reading sees the end after the data', async (stage) => {
  const server = await stage.listening({}, (accepted) => accepted.end('data'));
  const client = stage.socket('C', { data: false }).connect(stage.portOf(server), '127.0.0.1');
  const finished = stage.accepted().then((accepted) => stage.until(accepted, 'finish'));
  await Promise.all([finished, stage.until(client, 'ready')]);
  stage.log.note('C', `paused=${client.isPaused()} flowing=${String(client.readableFlowing)}`);
  client.on('data', (chunk) => stage.log.note('C', `data ${String(chunk)}`));
  await stage.closed(client);
  await stage.finish(server);
});
