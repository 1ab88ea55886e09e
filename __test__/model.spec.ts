// Random programs come out as on node:net, in each setting, and keep the rules that hold however races come out.
// `npm run fuzz` plays more of them, and makes those that fail small (_model/fuzz.ts).
import test, { type ExecutionContext } from 'ava';

import { atMost } from './_helpers/patience.js';
import { check } from './_model/compare.js';
import { generate } from './_model/generate.js';
import { isKnown } from './_model/known.js';
import { type Setting, SETTINGS } from './_model/processes.js';
import type { Program } from './_model/program.js';
import { regressions } from './_model/regressions.js';

/** Of each setting. Fewer where everything takes many times as long. */
const SEEDS = atMost(1) > 1 ? 10 : 50;
/** A regression may need some luck to be seen. */
const TIMES = 3;

// A pipe of Windows is no Unix socket, and what becomes of writes at a reset is its own affair.
const declare = process.platform === 'win32' ? test.skip : test.serial;

async function play(t: ExecutionContext, programs: readonly Program[], name: string): Promise<void> {
  t.timeout(atMost(120_000));
  const failures = await check(programs, SETTINGS[name] as Setting);
  for (const { program, reasons } of failures) {
    if (reasons.every(isKnown)) continue;
    t.fail(
      `${reasons.join('\n')}\n${JSON.stringify(program)}\nagain: npm run fuzz -- --program FILE --setting ${name}`,
    );
  }
  t.pass();
}

for (const name of Object.keys(SETTINGS)) {
  declare(`programs that failed once, ${name}`, async (t) => {
    const programs = regressions.flatMap(({ program }) => Array.from({ length: TIMES }, () => program));
    await play(t, programs, name);
  });
}

for (const [index, name] of Object.keys(SETTINGS).entries()) {
  const first = 1 + index * SEEDS;
  declare(`random programs, ${name}, seeds ${first} to ${first + SEEDS - 1}`, async (t) => {
    await play(
      t,
      Array.from({ length: SEEDS }, (_, n) => generate(first + n)),
      name,
    );
  });
}
