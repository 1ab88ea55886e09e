// Whether a program keeps the invariants on ferronet, and has the same outcome as on node:net. An outcome may differ from
// run to run: two implementations differ where no outcome of one is an outcome of the other.
import { nodeMajor } from '../_helpers/implementations.js';
import { play, REFERENCE, type Setting } from './processes.js';
import type { Lanes, Program, Result } from './program.js';

/** How often a program is played on both before what differs counts. */
const ROUNDS = 12;

export interface Failure {
  program: Program;
  reasons: string[];
  /** It breaks a rule by itself; otherwise it does something else than node:net. */
  isViolation: boolean;
}

/** The libuv of older ones takes a reset for an end at times, and Node 20 reports cancelled writes as done. */
const isReference = nodeMajor >= 24;

const NOTHING = '(nothing)';

function outcomes(runs: readonly Lanes[], lane: string): Set<string> {
  return new Set(runs.map((lanes) => lanes[lane] ?? NOTHING));
}

/** The lanes in which no run of one had the outcome of a run of the other. */
function differing(theirs: readonly Lanes[], ours: readonly Lanes[]): string[] {
  const lanes = new Set([...theirs, ...ours].flatMap((run) => Object.keys(run)));
  return [...lanes].filter((lane) => {
    const known = outcomes(theirs, lane);
    return ![...outcomes(ours, lane)].some((outcome) => known.has(outcome));
  });
}

function difference(theirs: readonly Lanes[], ours: readonly Lanes[], lane: string): string {
  const list = (runs: readonly Lanes[]): string => [...outcomes(runs, lane)].join('\n      or: ');
  return `[${lane}] is otherwise\n    node:net: ${list(theirs)}\n    ferronet: ${list(ours)}`;
}

/** What is wrong with a program, after a first run on each. */
async function judge(
  program: Program,
  setting: Setting,
  theirs: Result | undefined,
  ours: Result,
): Promise<Failure | undefined> {
  const violated = (reasons: string[]): Failure => ({ program, reasons, isViolation: true });
  if (ours.violations.length > 0) return violated(ours.violations);
  if (theirs === undefined) return undefined;
  const [seen, had] = [[theirs.lanes], [ours.lanes]];
  let lanes = differing(seen, had);
  for (let round = 1; round < ROUNDS && lanes.length > 0; round++) {
    const [again, other] = await Promise.all([play(REFERENCE, [program]), play(setting, [program])]);
    if (other[0]?.violations.length) return violated(other[0].violations);
    seen.push(again[0]?.lanes ?? {});
    had.push(other[0]?.lanes ?? {});
    lanes = differing(seen, had);
  }
  if (lanes.length === 0) return undefined;
  return { program, reasons: lanes.map((lane) => difference(seen, had, lane)), isViolation: false };
}

export interface Progress {
  played: number;
  failed: number;
}

/** Plays programs on both, and gives those that fail. */
export async function check(
  programs: readonly Program[],
  setting: Setting,
  onProgress: (progress: Progress) => void = () => {},
): Promise<Failure[]> {
  const progress: Progress = { played: 0, failed: 0 };
  const [theirs, ours] = await Promise.all([
    isReference ? play(REFERENCE, programs) : undefined,
    play(setting, programs, ({ violations }) => {
      progress.played++;
      if (violations.length > 0) progress.failed++;
      onProgress(progress);
    }),
  ]);
  const failures: Failure[] = [];
  for (const [n, program] of programs.entries()) {
    const failure = await judge(program, setting, theirs?.[n], ours[n] as Result);
    if (failure) failures.push(failure);
  }
  return failures;
}
