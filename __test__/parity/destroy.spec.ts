// destroy() in every state of a socket: which events and callbacks follow, when, with which arguments.

import { errnoOf } from '../_helpers/errno.js';
import { parity } from '../_helpers/parity.js';

parity('destroy a connected client', async (stage) => {
  const server = await stage.listening();
  const client = stage.connect(server);
  await Promise.all([stage.until(client, 'ready'), stage.accepted()]);
  stage.call('C', 'destroy()', () => client.destroy(), 'micro', 'tick', 'immediate');
  await stage.closed(client);
  await stage.finish(server);
});

parity('destroy while connecting, with a write queued', async (stage) => {
  const server = await stage.listening();
  stage.log.forget('S', 'A');
  const client = stage.connect(server);
  client.write('queued', stage.log.callback('C', 'write'));
  stage.call('C', 'destroy()', () => client.destroy(), 'micro', 'tick', 'immediate');
  await stage.closed(client);
  await stage.finish(server);
});

parity('destroy before connect', async (stage) => {
  const client = stage.socket();
  stage.call('C', 'destroy()', () => client.destroy(), 'micro', 'tick', 'immediate');
  await stage.closed(client);
});

parity('destroy in the connect event', async (stage) => {
  const server = await stage.listening();
  stage.log.forget('S', 'A');
  const client = stage.connect(server);
  client.on('connect', () => {
    stage.call('C', 'destroy()', () => client.destroy(), 'micro', 'tick');
  });
  await stage.closed(client);
});

parity(
  'destroy by an immediate',
  async (stage) => {
    const server = await stage.listening();
    const client = stage.connect(server);
    await Promise.all([stage.until(client, 'ready'), stage.accepted()]);
    await new Promise<void>((resolve) => void setImmediate(resolve));
    stage.call('C', 'destroy()', () => client.destroy(), 'micro', 'tick', 'immediate');
    await stage.closed(client);
    await stage.finish(server);
  },
  // libuv on Windows waits a turn for the read that it has cancelled.
  { not: ['win32'] },
);

parity('destroy in the data event', async (stage) => {
  const server = await stage.listening({}, (accepted) => accepted.write('abc'));
  const client = stage.connect(server);
  client.on('data', () => {
    stage.call('C', 'destroy()', () => client.destroy(), 'micro', 'tick', 'immediate');
  });
  await stage.closed(client);
  await stage.finish(server);
});

const CANCELED = `Error[code=ECANCELED errno=${errnoOf('ECANCELED')} syscall=write] "write ECANCELED"`;

parity(
  'destroy with a write the peer never reads',
  async (stage) => {
    const server = await stage.listening({ pauseOnConnect: true, data: false });
    stage.log.forget('A', 'S');
    const client = stage.connect(server);
    const [accepted] = await Promise.all([stage.accepted(), stage.until(client, 'ready')]);
    // More than any kernel takes: the rest waits in the socket.
    client.write(Buffer.alloc(64 << 20), stage.log.callback('C', 'write'));
    client.end(stage.log.callback('C', 'end'));
    stage.call('C', 'destroy()', () => client.destroy(), 'micro', 'tick', 'immediate');
    await stage.closed(client);
    accepted.destroy();
    await stage.finish(server);
  },
  {
    // Windows takes all of it.
    not: ['win32'],
    // Older Nodes call back the write without an error.
    node26: {
      C: [
        "connectionAttempt('127.0.0.1', PORT, 4) {opening connecting pending}",
        'connect() {open}',
        'ready() {open}',
        '> destroy()',
        '~micro',
        '~tick',
        '~immediate',
        `cb write(${CANCELED} (errno,code,syscall))`,
        `cb end(${CANCELED} (errno,code,syscall))`,
        'close(false) {closed pending destroyed writableEnded}',
      ],
    },
  },
);

parity('destroy with an error, then with another', async (stage) => {
  const server = await stage.listening();
  const client = stage.connect(server);
  await Promise.all([stage.until(client, 'ready'), stage.accepted()]);
  const error = Object.assign(new Error('boom'), { code: 'EBOOM' });
  stage.call('C', 'destroy(err)', () => client.destroy(error), 'micro', 'tick', 'immediate');
  stage.call('C', 'destroy(err2)', () => client.destroy(new Error('second')));
  await stage.closed(client);
  await stage.finish(server);
});

parity('destroy with an error before connect', async (stage) => {
  const client = stage.socket();
  stage.call('C', 'destroy(err)', () => client.destroy(new Error('boom')), 'micro', 'tick', 'immediate');
  await stage.closed(client);
});

parity('what a destroyed socket still answers', async (stage) => {
  const server = await stage.listening({}, (accepted) => accepted.write('abc'));
  const client = stage.connect(server);
  await stage.until(client, 'data');
  client.write('four', stage.log.callback('C', 'write'));
  stage.log.note('C', `remote ${client.remoteAddress} ${client.remoteFamily} ${client.remotePort}`);
  client.destroy();
  await stage.closed(client);
  stage.log.note('C', `remote ${client.remoteAddress} ${client.remoteFamily} ${client.remotePort}`);
  stage.log.note('C', `local ${client.localAddress} ${client.localPort} ${JSON.stringify(client.address())}`);
  stage.log.note('C', `bytes ${client.bytesRead} ${client.bytesWritten} buffer ${String(client.bufferSize)}`);
  for (const method of ['read', 'resetAndDestroy', 'setNoDelay', 'ref', 'unref', 'pause', 'resume'] as const) {
    stage.call('C', `${method}()`, () => client[method]());
  }
  stage.call('C', 'setTimeout(1)', () => client.setTimeout(1));
  await stage.finish(server);
});
