// `npm run fuzz`: random programs on node:net and on ferronet, until something differs or breaks an invariant.
//
//     npm run fuzz -- [--seeds 1000] [--from 1] [--setting default|loop|thread|threads|no-relay] [--keep-going]
//     npm run fuzz -- --program failing.json [--times 20]     plays one that was printed, and makes it smaller
//
// Without a setting each seed is played in one of them, in turn. A failing program is made as small as it goes, printed
// and written beside the others to the folder of `--out` (the system's for temporary files).
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { check, type Failure } from './compare.js';
import { generate } from './generate.js';
import { isKnown } from './known.js';
import { breaks, REFERENCE, type Setting, SETTINGS } from './processes.js';
import type { Program } from './program.js';
import { shrink } from './shrink.js';

/** Programs that are generated, played and compared before the next ones. */
const BATCH = 50;
/** How often a candidate is played before it counts as one that does not fail. */
const TRIES = 20;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    setting: { type: 'string', default: '' },
    program: { type: 'string', default: '' },
    times: { type: 'string', default: '20' },
    out: { type: 'string', default: join(tmpdir(), 'ferronet-fuzz') },
    'keep-going': { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
  },
});

function settings(): [name: string, setting: Setting][] {
  const all = Object.entries(SETTINGS);
  if (values.setting === '') return all;
  const found = all.filter(([name]) => name === values.setting);
  if (found.length === 0) throw new Error(`no setting is called ${values.setting}: there are ${all.map(([n]) => n)}`);
  return found;
}

/** What a reason is about, without what it was like in this run. */
function kindOf(reason: string): string {
  const [first = ''] = reason.split(/\n| \[/);
  return first
    .replace(/^link \d+ (?:\w+: )?/, '')
    .replaceAll(/\d+/g, '#')
    .replace(/^\[#\w+ /, '[');
}

const printed = (program: Program): string =>
  JSON.stringify(program, null, 1).replaceAll(
    /\{\n\s+("do"[^}]+?)\n\s+\}/g,
    (_all, step: string) => `{ ${step.replaceAll(/\n\s+/g, ' ')} }`,
  );

async function makeSmall(failure: Failure, setting: Setting): Promise<Failure> {
  const kinds = new Set(failure.reasons.map(kindOf));
  let best = failure;
  const fails = async (program: Program): Promise<boolean> => {
    const again = failure.isViolation ? await violation(program, setting) : (await check([program], setting))[0];
    if (!again?.reasons.some((reason) => kinds.has(kindOf(reason)))) return false;
    best = again;
    return true;
  };
  await shrink(failure.program, fails, () => process.stderr.write('.'));
  process.stderr.write('\n');
  return best;
}

/** What breaks a rule on node:net as well is no program of the model. */
async function violation(program: Program, setting: Setting): Promise<Failure | undefined> {
  const reasons = await breaks(setting, program, TRIES);
  if (reasons.length === 0 || (await breaks(REFERENCE, program, TRIES)).length > 0) return undefined;
  return { program, reasons, isViolation: true };
}

async function report(failure: Failure, name: string, setting: Setting): Promise<void> {
  const { seed } = failure.program;
  console.log(`\nFAILED seed ${seed}, setting ${name}: ${failure.reasons.join('\n  ')}`);
  console.log(`again: npm run fuzz -- --seeds 1 --from ${seed} --setting ${name}`);
  const small = values['no-shrink'] ? failure : await makeSmall(failure, setting);
  mkdirSync(values.out, { recursive: true });
  const file = join(values.out, `${seed}-${name}.json`);
  writeFileSync(file, `${printed(small.program)}\n`);
  if (!values['no-shrink']) console.log(`smallest:\n${printed(small.program)}\n  ${small.reasons.join('\n  ')}`);
  console.log(`again: npm run fuzz -- --program ${file} --setting ${name}`);
}

async function playFile(file: string): Promise<number> {
  const program = JSON.parse(readFileSync(file, 'utf8')) as Program;
  const times = Number(values.times);
  let failed = 0;
  for (const [name, setting] of settings()) {
    const failures = await check(
      Array.from({ length: times }, () => program),
      setting,
    );
    failed += failures.length;
    console.log(`${name}: ${failures.length} of ${times} failed`);
    if (failures[0]) await report(failures[0], name, setting);
  }
  return failed;
}

async function playSeeds(): Promise<number> {
  const all = settings();
  const [from, seeds] = [Number(values.from), Number(values.seeds)];
  let failed = 0;
  for (let first = from, batch = 0; first < from + seeds; first += BATCH, batch++) {
    const [name, setting] = all[batch % all.length] as [string, Setting];
    const programs = Array.from({ length: Math.min(BATCH, from + seeds - first) }, (_, n) => generate(first + n));
    const failures = await check(programs, setting);
    const fresh = failures.filter(({ reasons }) => !reasons.every(isKnown));
    failed += fresh.length;
    const known = failures.length > fresh.length ? `, ${failures.length - fresh.length} as is known` : '';
    console.log(`seeds ${first} to ${first + programs.length - 1}, ${name}: ${fresh.length} failed${known}`);
    for (const failure of fresh) await report(failure, name, setting);
    if (failed > 0 && !values['keep-going']) break;
  }
  return failed;
}

async function main(): Promise<void> {
  const failed = values.program ? await playFile(values.program) : await playSeeds();
  console.log(failed > 0 ? `${failed} FAILED` : 'nothing failed');
  process.exitCode = failed > 0 ? 1 : 0;
}

void main();
