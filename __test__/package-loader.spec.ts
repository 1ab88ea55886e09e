// What a user reads when the package is there and its native part is not: another platform, or a broken install.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';

const root = join(__dirname, '..');

test('without its native part, require() and import say so', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ferronet-loader-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const copy = join(folder, 'node_modules', 'ferronet');
  for (const part of ['package.json', 'dist', 'index.mjs', 'binding.js']) {
    cpSync(join(root, part), join(copy, part), { recursive: true });
  }
  for (const program of ["require('ferronet')", "import('ferronet').catch((error) => { throw error; })"]) {
    const run = spawnSync(process.execPath, ['-e', program], { cwd: folder, encoding: 'utf8' });
    t.is(run.status, 1, program);
    t.regex(run.stderr, /native binding/, program);
    t.notRegex(run.stderr, /TypeError|undefined/, program);
  }
});
