// The native half takes values of any type and in any order: it answers or throws, and the process goes on.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { isNode } from './_helpers/implementations.js';
import { runScript } from './_helpers/script.js';

const SEEDS = 6;

const program = JSON.stringify(join(__dirname, '_helpers', 'random-native.js'));

const declare = isNode ? test : test.skip;

for (let seed = 1; seed <= SEEDS; seed += 1) {
  declare(`wrong values, seed ${seed}`, async (t) => {
    const cwd = await mkdtemp(join(tmpdir(), 'net-'));
    t.teardown(() => rm(cwd, { recursive: true, force: true }));
    const { code, stdout, stderr } = await runScript(`require(${program}).main(${seed});`, { cwd });
    t.is(code, 0, `${stderr}; again: node build/_helpers/random-native.js ${seed}`);
    t.is(stdout.trim(), 'went on');
    t.deepEqual(await readdir(cwd), [], 'files that are left');
  });
}

declare('memory that goes away while it is read', async (t) => {
  const { code, stdout, stderr } = await runScript(`require(${program}).vanish();`);
  t.is(code, 0, stderr);
  t.is(stdout.trim(), 'went on');
});
