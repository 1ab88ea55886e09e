// write() at the wrong time, and more than the other side takes.
import { parity } from '../_helpers/parity.js';

parity('write after end', async (stage) => {
  const server = await stage.listening();
  const client = stage.connect(server);
  await Promise.all([stage.until(client, 'ready'), stage.accepted()]);
  stage.call('C', 'end()', () => client.end());
  const written = stage.log.callback('C', 'write');
  const more = stage.call('C', "write('late')", () => client.write('late', written), 'micro', 'tick', 'immediate');
  stage.log.note('C', `write returned ${String(more)}`);
  await stage.closed(client);
  await stage.finish(server);
});

parity('end with data after end', async (stage) => {
  const server = await stage.listening();
  const client = stage.connect(server);
  await Promise.all([stage.until(client, 'ready'), stage.accepted()]);
  stage.call('C', 'end()', () => client.end());
  const ended = stage.log.callback('C', 'end');
  stage.call('C', "end('more')", () => client.end('more', ended), 'micro', 'tick', 'immediate');
  await stage.closed(client);
  await stage.finish(server);
});

parity('write after the peer has ended: in the end event, and after close', async (stage) => {
  const server = await stage.listening({}, (accepted) => accepted.end());
  const client = stage.connect(server);
  client.on('end', () => {
    const more = stage.call('C', "write('1')", () => client.write('1', stage.log.callback('C', 'write 1')));
    stage.log.note('C', `write returned ${String(more)}`);
  });
  await stage.closed(client);
  await new Promise<void>((resolve) => {
    const written = stage.log.callback('C', 'write 2');
    const more = stage.call('C', "write('2')", () =>
      client.write('2', (error) => {
        written(error);
        resolve();
      }),
    );
    stage.log.note('C', `write returned ${String(more)}`);
  });
  await stage.finish(server);
});

parity('write to a peer that has gone', async (stage) => {
  const server = await stage.listening();
  const client = stage.connect(server, { allowHalfOpen: true });
  const [accepted] = await Promise.all([stage.accepted(), stage.until(client, 'ready')]);
  const ended = stage.until(client, 'end');
  accepted.destroy();
  await ended;
  // The first write is answered with RST, so what follows fails.
  await new Promise<void>((resolve) => {
    client.write('1', (error) => {
      stage.log.callback('C', 'write 1')(error);
      resolve();
    });
  });
  await stage.closed(accepted);
  stage.call('C', "write('2')", () => client.write('2', stage.log.callback('C', 'write 2')));
  await stage.closed(client);
  await stage.finish(server);
});

parity('write on a destroyed socket', async (stage) => {
  const server = await stage.listening();
  stage.log.forget('S', 'A');
  const client = stage.connect(server);
  await stage.until(client, 'ready');
  client.destroy();
  await stage.closed(client);
  stage.call('C', "write('x')", () => client.write('x', stage.log.callback('C', 'write')), 'micro', 'tick');
  stage.call('C', "end('x')", () => client.end('x', stage.log.callback('C', 'end')));
  await new Promise(setImmediate);
  await stage.finish(server);
});

parity('write on a socket that was never connected', async (stage) => {
  const client = stage.socket();
  stage.call('C', "write('x')", () => client.write('x', stage.log.callback('C', 'write')), 'micro', 'tick');
  await stage.closed(client);
});

parity('writes while connecting are sent in order', async (stage) => {
  const server = await stage.listening({ data: false });
  const client = stage.connect(server);
  client.write('a', stage.log.callback('C', 'write a'));
  client.write(Buffer.from('b'), stage.log.callback('C', 'write b'));
  client.write('Y8Op', 'base64', stage.log.callback('C', 'write cé'));
  stage.log.note('C', `writableLength=${client.writableLength} bytesWritten=${client.bytesWritten}`);
  client.end();
  const accepted = await stage.accepted();
  let text = '';
  accepted.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await stage.closed(client, accepted);
  stage.log.note('A', text);
  stage.log.note('C', `bytesWritten=${client.bytesWritten}`);
  await stage.finish(server);
});

parity(
  'more than the peer takes: write returns false, drain comes before the callback',
  async (stage) => {
    const size = 8 << 20;
    const server = await stage.listening({ pauseOnConnect: true, data: false });
    const client = stage.connect(server);
    const [accepted] = await Promise.all([stage.accepted(), stage.until(client, 'ready')]);
    const written = stage.log.callback('C', 'write');
    const more = stage.call('C', 'write(8 MiB)', () => client.write(Buffer.alloc(size), written));
    const state = (): string =>
      `needDrain=${client.writableNeedDrain} writableLength=${client.writableLength} bytesWritten=${client.bytesWritten}`;
    stage.log.note('C', `returned ${String(more)} ${state()} bufferSize=${client.bufferSize}`);
    let received = 0;
    accepted.on('data', (chunk: Buffer) => (received += chunk.length));
    const drained = stage.until(client, 'drain');
    accepted.resume();
    await drained;
    stage.log.note('C', state());
    client.end();
    await stage.closed(accepted);
    stage.log.note('A', `received ${received} bytesRead=${accepted.bytesRead}`);
    await stage.finish(server);
  },
  {
    // Windows takes all of it.
    not: ['win32'],
  },
);
