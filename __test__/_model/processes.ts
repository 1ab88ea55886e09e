// Plays programs in processes of their own. One plays many programs; when one fails, the rest is played in a fresh one.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

import { atMost } from '../_helpers/patience.js';
import type { Exit } from './player.js';
import type { Program, Result } from './program.js';

export interface Setting {
  module: 'node:net' | 'ferronet';
  env: Readonly<Record<string, string>>;
}

export const REFERENCE: Setting = { module: 'node:net', env: {} };

/** The settings of ferronet, by their names on the command line. */
export const SETTINGS: Readonly<Record<string, Setting>> = {
  default: { module: 'ferronet', env: {} },
  loop: { module: 'ferronet', env: { FERRONET_DRIVER: 'loop' } },
  thread: { module: 'ferronet', env: { FERRONET_DRIVER: 'thread' } },
  threads: { module: 'ferronet', env: { FERRONET_THREADS: '4' } },
  'no-relay': { module: 'ferronet', env: { FERRONET_RELAY: 'off' } },
};

// build/_model → the package, so that `require('ferronet')` finds itself.
const PACKAGE = join(__dirname, '..', '..');
const PLAYER = join(__dirname, 'player.js');

/** Milliseconds without an event after which a program is killed. */
const LIMIT = atMost(8000);

interface Run {
  results: Result[];
  exit: Exit | undefined;
  /** How the process ended. */
  status: string;
}

/** Whether a program breaks a rule when it is played up to so many times, and how. */
export async function breaks(setting: Setting, program: Program, times: number): Promise<string[]> {
  const { results, exit } = await playInOne(
    setting,
    Array.from({ length: times }, () => program),
  );
  const open = exit?.open ? [doesNotEnd(exit.open)] : [];
  return results.flatMap(({ violations }) => violations).concat(open);
}

const doesNotEnd = (open: readonly string[]): string => `the process does not end: ${open.join(' ')} stay open`;

export async function play(
  setting: Setting,
  programs: readonly Program[],
  onResult: (result: Result) => void = () => {},
): Promise<Result[]> {
  const results: Result[] = [];
  const add = (result: Result): void => {
    results.push(result);
    onResult(result);
  };
  while (results.length < programs.length) {
    const left = programs.slice(results.length);
    const run = await playInOne(setting, left, add);
    const next = left[run.results.length];
    const last = run.results.at(-1);
    if (next === undefined) {
      if (last && run.exit?.open) last.violations.push(...(await whoStays(setting, left, run.exit.open)));
    } else if (!last || last.violations.length === 0) {
      add({ seed: next.seed, lanes: {}, violations: [`the process has ended: ${run.status}`], ms: 0 });
    }
  }
  return results;
}

/** The process had played all, and did not end: which program is it? */
async function whoStays(setting: Setting, programs: readonly Program[], open: string[]): Promise<string[]> {
  for (const program of programs) {
    const { exit } = await playInOne(setting, [program]);
    if (exit?.open) return [`${doesNotEnd(exit.open)}; it is so after seed ${program.seed} alone`];
  }
  return [`${doesNotEnd(open)}; after none of seeds ${programs.map(({ seed }) => seed).join()} alone`];
}

async function playInOne(
  { module, env }: Setting,
  programs: readonly Program[],
  onResult: (result: Result) => void = () => {},
): Promise<Run> {
  const child = spawn(process.execPath, [PLAYER, module, String(LIMIT)], {
    cwd: PACKAGE,
    env: { ...withoutSettings(), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const run: Run = { results: [], exit: undefined, status: '' };
  const kill = (): void => void child.kill('SIGKILL');
  // Longer than what the process waits itself: it is for one that computes for ever.
  let patience = setTimeout(kill, LIMIT * 4);
  createInterface({ input: child.stdout }).on('line', (line) => {
    clearTimeout(patience);
    patience = setTimeout(kill, LIMIT * 4);
    const parsed = JSON.parse(line) as Result | Exit;
    if ('seed' in parsed) {
      run.results.push(parsed);
      onResult(parsed);
    } else run.exit ??= parsed;
  });
  // One that dies before it has read everything.
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(programs));
  const [stderr, code] = await Promise.all([
    text(child.stderr),
    new Promise<unknown>((resolve) => void child.on('close', (status, signal) => resolve(signal ?? status))),
  ]);
  clearTimeout(patience);
  run.status = `${String(code)} ${stderr.slice(-2000)}`;
  return run;
}

/** The environment without what a setting sets. */
function withoutSettings(): NodeJS.ProcessEnv {
  const { FERRONET_DRIVER: _driver, FERRONET_THREADS: _threads, FERRONET_RELAY: _relay, ...others } = process.env;
  return others;
}
