// Addresses that are not connected to, and connections that are not accepted.
import type { LookupFunction, SocketConstructorOpts } from 'node:net';

import { errnoOf } from '../_helpers/errno.js';
import { parity } from '../_helpers/parity.js';
import type { Stage } from '../_helpers/stage.js';

type Address = readonly [address: string, family: 'ipv4' | 'ipv6'];

function blocking(stage: Stage, ...addresses: Address[]): SocketConstructorOpts {
  const blockList = new stage.net.BlockList();
  for (const [address, family] of addresses) blockList.addAddress(address, family);
  return { blockList } as SocketConstructorOpts;
}

const LOCAL4: Address = ['127.0.0.1', 'ipv4'];
const LOCAL6: Address = ['::1', 'ipv6'];

const blocked = (address: string): string =>
  `Error[code=ERR_IP_BLOCKED] "IP(${address}) is blocked by net.BlockList" (code) titled Error [ERR_IP_BLOCKED]`;

const opening = '{opening connecting pending}';
const attempt = (address: string, family: number): string => `connectionAttempt('${address}', 1, ${family}) ${opening}`;
const failed = (address: string, family: number, error: string): string =>
  `connectionAttemptFailed('${address}', 1, ${family}, ${error}) ${opening}`;
const closed = '{closed pending destroyed}';

parity(
  'a client does not connect to what its list has',
  async (stage) => {
    const client = stage.socket('C', blocking(stage, LOCAL4));
    stage.call('C', 'connect()', () => client.connect(1, '127.0.0.1'), 'micro', 'tick');
    await stage.closed(client);
  },
  {
    since: 22,
    node26: {
      C: [
        '> connect()',
        '~micro',
        attempt('127.0.0.1', 4),
        '~tick',
        `error(${blocked('127.0.0.1')}) ${closed}`,
        `close(true) ${closed}`,
      ],
    },
  },
);

const refused =
  `Error[code=ECONNREFUSED errno=${errnoOf('ECONNREFUSED')} syscall=connect address=127.0.0.1 port=1] ` +
  '"connect ECONNREFUSED 127.0.0.1:1" (errno,code,syscall,address,port)';

parity(
  'of several addresses the blocked ones are passed over',
  async (stage) => {
    const lookup = ((_name, _options, callback) =>
      process.nextTick(callback, null, [
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ])) as LookupFunction;
    const client = stage.socket('C', blocking(stage, LOCAL6));
    client.connect({ port: 1, host: 'both.test', lookup });
    await stage.closed(client);
    stage.log.note('C', `attempted ${JSON.stringify(client.autoSelectFamilyAttemptedAddresses)}`);
  },
  {
    since: 22,
    node26: {
      C: [
        `lookup(null, '::1', 6, 'both.test') ${opening}`,
        `lookup(null, '127.0.0.1', 4, 'both.test') ${opening}`,
        failed('::1', 6, blocked('::1')),
        attempt('127.0.0.1', 4),
        failed('127.0.0.1', 4, refused),
        `error(AggregateError[code=ERR_IP_BLOCKED] "" (code) of [${blocked('::1')}; ${refused}] ` +
          `printed "AggregateError" headed AggregateError [ERR_IP_BLOCKED]) ${closed}`,
        `close(true) ${closed}`,
        'attempted ["127.0.0.1:1"]',
      ],
    },
  },
);

parity(
  'a server closes what its list has, without a word',
  async (stage) => {
    const server = stage.server('S', blocking(stage, LOCAL4) as object);
    server.listen(0, '127.0.0.1');
    await stage.until(server, 'listening');
    stage.log.name(stage.portOf(server), 'PORT');
    const client = stage.connect(server);
    await stage.closed(client);
    await stage.finish(server);
  },
  {
    since: 22,
    node26: {
      S: ['listening()', 'close()'],
      C: [
        `connectionAttempt('127.0.0.1', PORT, 4) ${opening}`,
        'connect() {open}',
        'ready() {open}',
        'end() {writeOnly readableEnded}',
        'finish() {closed readableEnded writableEnded writableFinished}',
        'close(false) {closed pending destroyed readableEnded writableEnded writableFinished}',
      ],
    },
  },
);
