// The platform command knows the published platforms, and reports failures.
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
  reactor: string;
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
const { line, table } = require('../scripts/platforms/table.js') as {
  line: (row: Row) => string;
  table: (rows: Row[]) => string;
};

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

const tried: Row = {
  name: 'linux-x64-gnu',
  built: 'yes',
  size: '0.83 MB',
  glibc: '2.17',
  reactor: '133 passed',
  tested: ['Node 20: 7 passed, 1 FAILED'],
  installed: ['Node 20: runs'],
  failures: ['Node 20: a test'],
  notes: [],
  seconds: 61.4,
};
const skipped: Row = {
  ...tried,
  name: 'darwin-x64',
  reactor: '',
  tested: [],
  installed: [],
  failures: [],
  notes: ['not run: a reason'],
};

test('the table names every failure and every reason below it', (t) => {
  const text = table([tried, skipped]);
  t.regex(text, /^linux-x64-gnu +yes +0\.83 MB +2\.17 +133 passed +Node 20: 7 passed, 1 FAILED +Node 20: runs +61$/m);
  t.regex(text, /^FAILED linux-x64-gnu: Node 20: a test$/m);
  t.regex(text, /^darwin-x64: not run: a reason$/m);
});

test('a row by itself says what there is', (t) => {
  t.is(line(skipped), 'platform: darwin-x64 | built: yes | size: 0.83 MB | glibc: 2.17 | seconds: 61');
});
