// Runs a script in a process of its own: for what a test process cannot do to itself, such as ending.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export interface Outcome {
  /** null if the process had to be killed. */
  code: number | null;
  stdout: string;
  stderr: string;
}

// build/_helpers → the package, so that `require('ferronet')` finds itself.
const PACKAGE = join(__dirname, '..', '..');

/** Runs `source` as CommonJS. A process that does not end by itself is killed after `limit` milliseconds: `code` is null. */
export async function runScript(source: string, { limit = 20_000, flags = [] as string[] } = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [...flags, '--eval', source], {
    cwd: PACKAGE,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: limit,
    killSignal: 'SIGKILL',
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: code as number | null, stdout, stderr };
}
