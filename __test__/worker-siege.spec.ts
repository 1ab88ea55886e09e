// Workers that come and go, as the environments of Electron's windows do with each reload: nothing crashes, nothing is left.
// SIEGE_WORKERS is how many there are under each driver; 334 make a thousand.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import test, { type ExecutionContext } from 'ava';

import { digBlackHole } from './_helpers/black-hole.js';
import { atMost } from './_helpers/patience.js';
import type { Siege } from './_helpers/worker-siege.js';

const WORKERS = Number(process.env['SIEGE_WORKERS'] ?? 88);
const AT_ONCE = 4;
const MIB = 2 ** 20;
const TOLERATED = 48 * MIB;

async function besiege(t: ExecutionContext, driver: string): Promise<void> {
  t.timeout(atMost(60_000 + WORKERS * 200));
  const program = join(__dirname, '_helpers', 'worker-siege.js');
  const hole = await digBlackHole();
  t.teardown(hole.close);
  const counts = [WORKERS, AT_ONCE].map(String);
  const child = spawn(process.execPath, ['--expose-gc', program, ...counts, hole.address, String(hole.port)], {
    env: { ...process.env, FERRONET_DRIVER: driver },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: atMost(50_000 + WORKERS * 200),
    killSignal: 'SIGKILL',
  });
  const [output, errors, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  t.deepEqual([code, signal], [0, null], errors);
  const siege = JSON.parse(output) as Siege;
  t.log(JSON.stringify(siege));
  const ended = Object.values(siege.ended);
  t.is(
    ended.reduce((sum, each) => sum + each, 0),
    WORKERS,
  );
  t.true(siege.echoed > 0 && siege.given > 0);
  t.true(siege.descriptors[1] <= siege.descriptors[0], 'descriptors');
  t.true(siege.threads[1] <= siege.threads[0], 'threads');
  t.true(siege.memory[1] - siege.memory[0] < TOLERATED, 'memory');
}

for (const driver of ['auto', 'loop', 'thread'])
  test.serial(`workers that come and go, driver ${driver}`, besiege, driver);
