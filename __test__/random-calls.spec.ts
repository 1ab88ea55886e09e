// No input, and no order of calls, crashes or hangs the process, loses a socket, or throws what is no error of node:net.
// Not played on node:net, which aborts the process when a socket with a TCP handle connects to a path.
import { join } from 'node:path';

import test from 'ava';

import type { Played } from './_helpers/random-calls.js';
import { runScript } from './_helpers/script.js';

const SEEDS = 12;

// Errors of the arguments and of the system say so. The others are those that node:net has without a code.
const KNOWN = [
  / \[ERR_\w+\]: /,
  /^Error: \w+ E[A-Z]+/,
  /Cannot convert a [Ss]ymbol/,
  /Second argument must be a buffer/,
];

// Deno makes a pair of sockets for signals at some moment.
const OF_THE_RUNTIME = process.versions['deno'] === undefined ? 0 : 2;

const player = JSON.stringify(join(__dirname, '_helpers', 'random-calls.js'));

const unknown = (errors: string[]): string[] => errors.filter((error) => !KNOWN.some((known) => known.test(error)));

for (let seed = 1; seed <= SEEDS; seed += 1) {
  test(`random calls, seed ${seed}`, async (t) => {
    const again = `again: node build/_helpers/random-calls.js ferronet ${seed}`;
    const script = `require(${player}).main('ferronet', ${seed});`;
    const { code, stdout, stderr } = await runScript(script, { flags: ['--no-warnings'] });
    t.is(code, 0, `${code === null ? 'does not end' : stderr}; ${again}`);
    const played = JSON.parse(stdout) as Played;
    t.deepEqual(unknown(played.thrown), [], again);
    t.deepEqual(unknown(played.uncaught), [], again);
    t.true(played.leaked <= OF_THE_RUNTIME, `${played.leaked} sockets stay open; ${again}`);
    t.true(played.thrown.length > 5, 'wrong calls were among them');
  });
}
