// Runs a script in a process of its own: for what a test process cannot do to itself, such as ending.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { atMost } from './patience.js';

export interface Outcome {
  /** null if the process had to be killed. */
  code: number | null;
  stdout: string;
  stderr: string;
}

// build/_helpers → the package, so that `require('ferronet')` finds itself.
const PACKAGE = join(__dirname, '..', '..');

export interface Running {
  /** Milliseconds after which a process that does not end by itself is killed. */
  limit?: number;
  /** Of Node. */
  flags?: string[];
  /** Where it runs, which is the package's root unless given: `require('ferronet')` works only there. */
  cwd?: string;
  /** What its environment has beside that of the test. */
  env?: Record<string, string>;
  /** How many descriptors it may have. Not on Windows. */
  descriptors?: number;
  /** Called at once with the first output. */
  onLine?: (line: string) => void;
}

/** Runs `source` as CommonJS. */
export async function runScript(
  source: string,
  { limit = 20_000, flags = [], cwd = PACKAGE, env = {}, descriptors, onLine }: Running = {},
): Promise<Outcome> {
  const command = [process.execPath, ...flags, '--eval', source] as const;
  const [program, ...rest] =
    descriptors === undefined
      ? command
      : (['/bin/sh', '-c', `ulimit -n ${descriptors}; exec "$0" "$@"`, ...command] as const);
  const child = spawn(program, rest, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: atMost(limit),
    killSignal: 'SIGKILL',
  });
  if (onLine) child.stdout.once('data', (line: Buffer) => onLine(line.toString().trim()));
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: code as number | null, stdout, stderr };
}
