// Sockets of the file system: paths that are missing, taken, too long or left over. Not the named pipes of Windows, whose
// errors are others.
import { existsSync, statSync, writeFileSync } from 'node:fs';

import { parity } from '../_helpers/parity.js';

const not = ['win32'] as const;
const TOO_LONG = 'x'.repeat(200);

parity(
  'connect to a path that does not exist',
  async (stage) => {
    const client = stage.socket();
    stage.call('C', 'connect()', () => client.connect(stage.path('nope')), 'micro', 'tick');
    await stage.closed(client);
  },
  { not },
);

parity(
  'connect again in the error of a path that does not exist',
  async (stage) => {
    const server = await stage.listening();
    await new Promise((resolve) => setTimeout(resolve, 1));
    const client = stage.socket();
    client.connect(stage.path('nope'));
    client.once('error', () => client.connect(stage.portOf(server), '127.0.0.1'));
    await Promise.all([stage.until(client, 'close'), stage.accepted()]);
    client.destroy();
    // The second one: `finish` waits for the first.
    await stage.until(client, 'close');
    await stage.finish(server);
  },
  { not },
);

parity(
  'connect to a regular file',
  async (stage) => {
    writeFileSync(stage.path('file'), '');
    const client = stage.socket();
    stage.call('C', 'connect()', () => client.connect(stage.path('file')), 'micro', 'tick');
    await stage.closed(client);
  },
  { not },
);

// Older Nodes cut the path off and go on with another one.
parity(
  'connect to a path that is too long',
  async (stage) => {
    stage.log.name(TOO_LONG, 'x…');
    const client = stage.socket();
    stage.call('C', 'connect()', () => client.connect(stage.path(TOO_LONG)), 'micro', 'tick', 'immediate');
    await stage.closed(client);
  },
  {
    not,
    node26: {
      C: [
        "connectionAttempt('<tmp>/x…', undefined, undefined) {opening connecting pending}",
        '> connect()',
        '~micro',
        'error(Error[code=EINVAL errno=-22 syscall=connect address=<tmp>/x…] ' +
          '"connect EINVAL <tmp>/x… - Local (undefined:undefined)" (errno,code,syscall,address)) ' +
          '{closed pending destroyed}',
        '~tick',
        '~immediate',
        'close(true) {closed pending destroyed}',
      ],
    },
  },
);

parity(
  'listen on a path that is too long',
  async (stage) => {
    stage.log.name(TOO_LONG, 'x…');
    const server = stage.server();
    stage.call('S', 'listen()', () => server.listen(stage.path(TOO_LONG)), 'micro', 'tick');
    await new Promise(setImmediate);
  },
  {
    not,
    node26: {
      S: [
        '> listen()',
        '~micro',
        'error(Error[code=EINVAL errno=-22 syscall=listen address=<tmp>/x… port=-1] ' +
          '"listen EINVAL: invalid argument <tmp>/x…" (code,errno,syscall,address,port))',
        '~tick',
      ],
    },
  },
);

parity(
  'a connection, and the file that goes with the server',
  async (stage) => {
    const path = stage.path('s');
    const server = stage.server('S', {}, (accepted) => accepted.end('hi'));
    stage.call('S', 'listen()', () => server.listen(path), 'micro', 'tick');
    stage.log.note('S', `listening=${server.listening} address=${JSON.stringify(server.address())}`);
    await stage.until(server, 'listening');
    const client = stage.socket();
    client.on('connect', () => {
      stage.log.note('C', `address=${JSON.stringify(client.address())} remote=${String(client.remoteAddress)}`);
    });
    stage.call('C', 'connect()', () => client.connect(path), 'micro', 'tick');
    await stage.closed(client, await stage.accepted());
    stage.call('S', 'close()', () => server.close(), 'micro', 'tick');
    stage.log.note('S', `the file exists: ${existsSync(path)}`);
    await stage.closed(server);
  },
  { not },
);

parity(
  'listen on a path where something is',
  async (stage) => {
    writeFileSync(stage.path('stale'), '');
    const server = stage.server();
    stage.call('S', 'listen()', () => server.listen(stage.path('stale')), 'micro', 'tick');
    await stage.until(server, 'error');
    stage.log.note('S', `the file exists: ${existsSync(stage.path('stale'))}`);
    server.close();
    await stage.closed(server);
  },
  { not },
);

parity(
  'listen on a path in a directory that is missing',
  async (stage) => {
    const server = stage.server();
    stage.call('S', 'listen()', () => server.listen(stage.path('no/s')), 'micro', 'tick');
    await stage.until(server, 'error');
  },
  { not },
);

parity(
  'who may use the path',
  async (stage) => {
    const modes = { plain: {}, read: { readableAll: true }, write: { writableAll: true } };
    for (const [name, mode] of Object.entries({ ...modes, both: { ...modes.read, ...modes.write } })) {
      const server = stage.server();
      server.listen({ path: stage.path(name), ...mode });
      await stage.until(server, 'listening');
      stage.log.note('mode', `${name} ${(statSync(stage.path(name)).mode & 0o777).toString(8)}`);
      server.close();
      await stage.closed(server);
    }
  },
  {
    not,
    // Older Nodes only add to what the umask leaves.
    node26: {
      S: ['listening()', 'close()', 'listening()', 'close()', 'listening()', 'close()', 'listening()', 'close()'],
      mode: [`plain ${(0o777 & ~process.umask()).toString(8)}`, 'read 444', 'write 222', 'both 666'],
    },
  },
);
