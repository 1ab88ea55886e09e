// The commands for who works on the package: `--help` says what there is to choose from, and arguments that make no sense are a
// line, before anything is built or installed.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'ava';

import { nodeProgram } from './_helpers/implementations.js';

const scripts = join(__dirname, '..', 'scripts');

function run(name: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(nodeProgram, [join(scripts, name, 'index.js'), ...args], { encoding: 'utf8' });
}

const commands: Record<string, string[]> = {
  installs: ['npm', 'pnpm', 'pnpm, strict', 'esbuild', 'asar'],
  runtimes: ['bun', 'deno'],
  types: ['nodenext, ES module', 'bundler', '--all', '--package'],
  platforms: ['target', '--node', '--only'],
};

for (const [name, choices] of Object.entries(commands)) {
  test(`${name}: the usage has a line for each choice`, (t) => {
    for (const flag of ['--help', '-h']) {
      const { status, stdout, stderr } = run(name, flag);
      t.is(status, 0);
      t.is(stderr, '');
      t.regex(stdout, /^npm run [\w:]+ -- \[/);
      const lines = stdout.split('\n').map((line) => line.trim());
      for (const choice of choices)
        t.true(
          lines.some((line) => line === choice || line.startsWith(`${choice} `)),
          choice,
        );
    }
  });

  for (const argument of ['nonsense', '--nonsense']) {
    test(`${name} ${argument}: a line, and status 2`, (t) => {
      const { status, stdout, stderr } = run(name, argument);
      t.is(status, 2);
      t.is(stdout, '');
      t.regex(stderr, /^.*nonsense.* \(--help says what there is\)\n$/);
    });
  }
}
