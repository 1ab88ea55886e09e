// The life of what is made of a `BoundSocket`.
import type { AddressInfo } from 'node:net';

import type { FerronetBoundSocket } from 'ferronet';

import type { Net } from '../_helpers/implementations.js';
import { errnoOf } from '../_helpers/errno.js';
import { parity } from '../_helpers/parity.js';
import type { Stage } from '../_helpers/stage.js';

const ADOPTED =
  'Error[code=ERR_SOCKET_HANDLE_ADOPTED] "The bound socket has already been adopted by a server or socket" (code) ' +
  'titled Error [ERR_SOCKET_HANDLE_ADOPTED]';
const TAKEN =
  `Error[code=EADDRINUSE errno=${errnoOf('EADDRINUSE')} syscall=listen address=null port=-1] ` +
  '"listen EADDRINUSE: address already in use" (code,errno,syscall,address,port)';
const CLOSE = 'close(false) {closed pending destroyed}';
const REFUSED =
  `Error[code=ECONNREFUSED errno=${errnoOf('ECONNREFUSED')} syscall=connect address=127.0.0.1 port=1] ` +
  '"connect ECONNREFUSED 127.0.0.1:1" (errno,code,syscall,address,port)';
const NO_LOCAL =
  `TypeError[code=ERR_INVALID_ARG_VALUE] "The argument 'options' localAddress and localPort cannot be used with an adopted ` +
  `bound socket. Received { port: PORT, host: '127.0.0.1', localPort: 1 }" (code) titled TypeError [ERR_INVALID_ARG_VALUE]`;

type Newer = Net & { BoundSocket: new (options?: object) => FerronetBoundSocket };

// On an address of 127.0.0.0/8 or a path. Its port is shown as BOUND.
function bind({ net, log }: Stage, options: object): FerronetBoundSocket {
  const bound = new (net as Newer).BoundSocket(options);
  if (!bound.isPipe) log.name((bound.address() as AddressInfo).port, 'BOUND');
  return bound;
}

parity(
  'a server listens on a bound socket',
  async (stage) => {
    const bound = bind(stage, { host: '127.0.0.1' });
    const server = stage.server();
    stage.call('S', 'listen()', () => server.listen(bound), 'micro', 'tick');
    stage.log.note('S', `listening=${server.listening} address=${JSON.stringify(server.address())}`);
    await stage.until(server, 'listening');
    for (const method of ['address', 'fd', 'close'] as const) stage.call('S', `${method}()`, () => bound[method]());
    stage.call('S', 'listen() again', () => server.listen(bound));
    stage.call('S', 'close()', () => server.close(stage.log.callback('S', 'close')), 'micro', 'tick');
    await stage.closed(server);
  },
  {
    node26: {
      S: [
        '> listen()',
        'listening=true address={"address":"127.0.0.1","family":"IPv4","port":BOUND}',
        '~micro',
        'listening()',
        '~tick',
        `> address() threw ${ADOPTED}`,
        `> fd() threw ${ADOPTED}`,
        `> close() threw ${ADOPTED}`,
        '> listen() again threw Error[code=ERR_SERVER_ALREADY_LISTEN] ' +
          '"Listen method has been called more than once without closing." (code) titled Error [ERR_SERVER_ALREADY_LISTEN]',
        '> close()',
        '~micro',
        'close()',
        'cb close()',
        '~tick',
      ],
    },
    since: 26,
  },
);

parity(
  'of two sockets bound to one port the first to listen has it',
  async (stage) => {
    const first = bind(stage, { host: '127.0.0.1' });
    const second = bind(stage, first.address() as AddressInfo & { host?: string });
    const winner = stage.server('second');
    winner.listen(second);
    await stage.until(winner, 'listening');
    const loser = stage.server('first');
    stage.call('first', 'listen()', () => loser.listen(first), 'micro', 'tick');
    await stage.until(loser, 'error');
    stage.log.note('first', `listening=${loser.listening}`);
    winner.close();
    await stage.closed(winner);
  },
  {
    not: ['win32', 'darwin'],
    node26: {
      second: ['listening()', 'close()'],
      first: ['> listen()', '~micro', `error(${TAKEN})`, '~tick', 'listening=false'],
    },
    since: 26,
  },
);

parity(
  'a client connects from a bound socket',
  async (stage) => {
    const server = await stage.listening();
    stage.log.forget('A', 'S');
    const bound = bind(stage, { host: '127.0.0.3' });
    const client = stage.socket('C', { handle: bound } as object);
    stage.log.note('C', `${client.localAddress} ${client.localPort} ${client.readyState} pending=${client.pending}`);
    const target = { port: stage.portOf(server), host: '127.0.0.1' };
    stage.call('C', 'connect({ localPort })', () => client.connect({ ...target, localPort: 1 }));
    stage.call('C', 'connect()', () => client.connect(target), 'micro', 'tick');
    await Promise.all([stage.until(client, 'ready'), stage.accepted()]);
    stage.log.note('C', `${client.localAddress} ${client.localPort}`);
    client.destroy();
    await stage.finish(server);
  },
  // Other systems have one loopback address only.
  {
    not: ['win32', 'darwin'],
    node26: {
      C: [
        '127.0.0.3 BOUND open pending=false',
        `> connect({ localPort }) threw ${NO_LOCAL}`,
        "connectionAttempt('127.0.0.1', PORT, 4) {opening connecting pending}",
        '> connect()',
        '~micro',
        '~tick',
        'connect() {open}',
        'ready() {open}',
        '127.0.0.3 BOUND',
        'close(false) {closed pending destroyed}',
      ],
    },
    since: 26,
  },
);

parity(
  'a client that is refused, and one that is never connected',
  async (stage) => {
    const refused = stage.socket('R', { handle: bind(stage, { host: '127.0.0.1' }) } as object);
    stage.call('R', 'connect()', () => refused.connect(1, '127.0.0.1'), 'micro', 'tick');
    await stage.closed(refused);
    const idle = stage.socket('I', { handle: bind(stage, { host: '127.0.0.1' }) } as object);
    stage.call('I', 'destroy()', () => idle.destroy(), 'micro', 'tick', 'immediate');
    await stage.closed(idle);
  },
  {
    node26: {
      R: [
        "connectionAttempt('127.0.0.1', 1, 4) {opening connecting pending}",
        '> connect()',
        '~micro',
        '~tick',
        `connectionAttemptFailed('127.0.0.1', 1, 4, ${REFUSED}) {open}`,
        `error(${REFUSED}) {closed pending destroyed}`,
        'close(true) {closed pending destroyed}',
      ],
      // libuv on Windows closes in the same turn what a closing callback closes, and that is the end.
      I: ['> destroy()', '~micro', '~tick', ...(process.platform === 'win32' ? [CLOSE] : ['~immediate', CLOSE])],
    },
    since: 26,
  },
);

parity(
  'a bound path, for a server and for a client',
  async (stage) => {
    const bound = bind(stage, { path: stage.path('s') });
    stage.log.note('S', `${bound.isPipe} ${String(bound.address()).endsWith('/s')}`);
    const server = stage.server('S', {}, (accepted) => accepted.end());
    stage.call('S', 'listen()', () => server.listen(bound), 'micro', 'tick');
    await stage.until(server, 'listening');
    stage.log.forget('A', 'S');
    const client = stage.socket('C', { handle: bind(stage, { path: stage.path('c') }) } as object);
    stage.call('C', 'connect()', () => client.connect(stage.path('s')), 'micro', 'tick');
    await stage.closed(client);
    await stage.finish(server);
  },
  {
    not: ['win32'],
    node26: {
      C: [
        "connectionAttempt('<tmp>/s', undefined, undefined) {opening connecting pending}",
        '> connect()',
        '~micro',
        '~tick',
        'connect() {open}',
        'ready() {open}',
        'end() {writeOnly readableEnded}',
        'finish() {closed readableEnded writableEnded writableFinished}',
        'close(false) {closed pending destroyed readableEnded writableEnded writableFinished}',
      ],
    },
    since: 26,
  },
);
