// A test that replaces the timers of the program under test does not stop its sockets, as it does not stop those of
// node:net: neither the idle timer, nor the next address of a name, nor anything that waits for a turn.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createContext } from 'node:vm';

import test, { type ExecutionContext } from 'ava';

import { type BlackHole, digBlackHole } from './_helpers/black-hole.js';
import { FAKES } from './_helpers/fake-timers.js';
import { isNode, type Net, triedNames } from './_helpers/implementations.js';
import { atMost } from './_helpers/patience.js';
import { requireIn } from './_helpers/realm.js';

const program = join(__dirname, '_helpers', 'fake-timers.js');
const PACKAGE = join(__dirname, '..');

const EVENTS = [
  ...['idle connect', 'idle timeout', 'idle close'],
  ...(process.platform === 'linux'
    ? ['next connectionAttemptTimeout', 'next connectionAttempt', 'next connect', 'next close']
    : []),
  ...(process.platform === 'win32' ? [] : ['input', 'input end']),
  'from the server',
  '3000 bytes',
  ...['failing error', 'failing close'],
];

async function happened(...args: string[]): Promise<string[]> {
  const printed = await new Promise<string>((resolve, reject) => {
    const options = { cwd: PACKAGE, timeout: atMost(20_000) };
    const child = execFile(process.execPath, ['--no-warnings', program, ...args], options, (error, stdout) => {
      if (error) reject(error);
      else resolve(stdout);
    });
    child.stdin?.end('input');
  });
  return JSON.parse(printed) as string[];
}

let hole: BlackHole | undefined;
test.before(async () => {
  if (process.platform === 'linux') hole = await digBlackHole();
});
test.after.always(() => hole?.close());

const declare = isNode ? test.serial : test.skip;

for (const name of triedNames) {
  for (const fakes of Object.keys(FAKES)) {
    for (const moment of ['before', 'after']) {
      // It takes the functions of `node:timers` when it is loaded.
      if (name === 'node:net' && fakes === 'replaced functions' && moment === 'before') continue;
      declare(`${name}: ${fakes}, ${moment} it is loaded`, async (t) => {
        const where = hole === undefined ? [] : [hole.address, String(hole.port)];
        t.deepEqual(await happened(name, fakes, moment, ...where), EVENTS);
      });
    }
  }
}

/** What runs tests in a context gives it a `process` of its own, whose `nextTick` may be a fake as well. */
async function inContextWithoutTicks(t: ExecutionContext, name: string): Promise<void> {
  const fake = Object.assign(Object.create(process) as object, { nextTick() {} });
  const net = requireIn(createContext({ process: fake }), name) as Net;
  const server = net.createServer((accepted) => accepted.end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = net.connect((server.address() as AddressInfo).port, '127.0.0.1').resume();
  await once(client, 'close');
  const refused = net.connect(1, '127.0.0.1');
  await t.throwsAsync(once(refused, 'connect'), { code: 'ECONNREFUSED' });
  const never = new net.Socket().destroy();
  await once(never, 'close');
  server.close();
  await once(server, 'close');
  t.pass();
}

for (const name of triedNames) {
  declare(`${name}: in a context whose process has no ticks`, (t) => inContextWithoutTicks(t, name));
}
