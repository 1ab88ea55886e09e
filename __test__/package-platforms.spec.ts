// The platform command knows the platforms that are published, and says what failed.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';

interface Target {
  name: string;
}

interface Row {
  name: string;
  built: 'yes' | 'no' | 'FAILED';
  size: string;
  glibc: string;
  tested: string[];
  installed: string[];
  failures: string[];
  notes: string[];
  seconds: number;
}

const { chosen, targets } = require('../scripts/platforms/targets.js') as {
  chosen: (wanted: string[]) => Target[];
  targets: Target[];
};
const { table } = require('../scripts/platforms/table.js') as { table: (rows: Row[]) => string };

function names(of: Target[]): string[] {
  return of.map(({ name }) => name).toSorted();
}

test('its targets are those that have a package in npm/', (t) => {
  t.deepEqual(names(targets), readdirSync(join(__dirname, '..', 'npm')).toSorted());
});

test('targets are chosen by name, by the beginning of one, or all', (t) => {
  t.deepEqual(names(chosen(['linux-x64-musl'])), ['linux-x64-musl']);
  t.deepEqual(names(chosen(['darwin', 'linux-arm64'])), [
    'darwin-arm64',
    'darwin-x64',
    'linux-arm64-gnu',
    'linux-arm64-musl',
  ]);
  t.deepEqual(names(chosen([])), names(targets));
  t.throws(() => chosen(['linux', 'plan9']), { message: /plan9/ });
});

test('the table names every failure and every reason below it', (t) => {
  const row: Row = {
    name: 'linux-x64-gnu',
    built: 'yes',
    size: '0.83 MB',
    glibc: '2.17',
    tested: ['Node 20: 7 passed, 1 FAILED'],
    installed: ['Node 20: runs'],
    failures: ['Node 20: a test'],
    notes: [],
    seconds: 61.4,
  };
  const skipped = { ...row, name: 'darwin-x64', tested: [], installed: [], failures: [], notes: ['not run: a reason'] };
  const text = table([row, skipped]);
  t.regex(text, /^linux-x64-gnu +yes +0\.83 MB +2\.17 +Node 20: 7 passed, 1 FAILED +Node 20: runs +61$/m);
  t.regex(text, /^FAILED linux-x64-gnu: Node 20: a test$/m);
  t.regex(text, /^darwin-x64: not run: a reason$/m);
});
