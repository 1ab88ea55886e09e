// The documents name files, folders and tests that exist: a move or a new name is a change of the documents as well.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';

const root = join(__dirname, '..');

const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'examples/README.md'].concat(
  readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
);

/** Folders of what is built or installed. */
const MADE: ReadonlySet<string> = new Set(['.git', 'build', 'dist', 'node_modules', 'target']);

/** Names that are of something else: a type of Node's, a package, a range of addresses, a file of a release. */
const OTHERS: ReadonlySet<string> = new Set(['net/promises', '@types/node', '10.0.0.0/8', 'ferronet.cdx.json']);

const { exports: entries } = require('ferronet/package.json') as { exports: Record<string, unknown> };

/** The paths of all files and folders, and all ends of them: documents name a file within the folder they are about. */
const known = new Set<string>();

function walk(folder: string): void {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    if (folder === '' && MADE.has(entry.name)) continue;
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    const parts = path.split('/');
    for (let from = 0; from < parts.length; from += 1) known.add(parts.slice(from).join('/'));
    if (entry.isDirectory()) walk(path);
  }
}

walk('');

function exists(name: string): boolean {
  const [first = ''] = name.split('/');
  if (first === 'ferronet') return `.${name.slice(first.length)}` in entries;
  if (MADE.has(first) || OTHERS.has(name)) return true;
  // DESIGN.md: "`core/` and `binding/` mean the `src` folder of that crate".
  return known.has(name.replace(/\/$/, '')) || known.has(name.replace(/^(core|binding)\//, 'crates/$1/src/'));
}

const textOf = (document: string): string => readFileSync(join(root, document), 'utf8');

/** All that is set as code and looks like a path: with a slash, or with the end of a file of this package. */
function named(document: string): string[] {
  const inline = [
    ...textOf(document)
      .replace(/```[^]*?```/g, '')
      .matchAll(/`([\w.@][\w.@/-]*)`/g),
  ];
  return inline
    .map(([, name = '']) => name)
    .filter((name) => name.includes('/') || /\.(c|js|json|md|mjs|rs|toml|ts|yml)$/.test(name));
}

for (const document of DOCUMENTS) {
  test(`${document} names what exists`, (t) => {
    const isTest = (name: string): boolean => document === 'docs/DIVERGENCES.md' && known.has(`${name}.spec.ts`);
    t.deepEqual(
      named(document).filter((name) => !exists(name) && !isTest(name)),
      [],
    );
  });
}

test('names are found', (t) => {
  const all = DOCUMENTS.flatMap(named);
  t.true(all.length > 200, String(all.length));
  t.false(exists('lib/no-such-file.ts'));
  t.false(exists('ferronet/no-such-entry'));
});

test('the tests that docs/DIVERGENCES.md names exist', (t) => {
  const cells: string[] = [];
  let isOfTests = false;
  for (const line of textOf('docs/DIVERGENCES.md').split('\n')) {
    const cell = line.startsWith('|') ? (line.split('|').at(-2)?.trim() ?? '') : '';
    if (cell === '') isOfTests = false;
    else if (isOfTests) cells.push(cell);
    else isOfTests = cell === 'Test';
  }
  t.true(cells.length > 50, String(cells.length));
  const names = [...cells.join(' ').matchAll(/`([\w/-]+)`/g)].map(([, name = '']) => name);
  t.deepEqual(
    names.filter((name) => !known.has(`${name}.spec.ts`) && !known.has(`tests/${name}.rs`)),
    [],
  );
});
