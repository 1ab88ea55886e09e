// docs/API.md cannot fall behind: it names whatever this package exports and whatever its classes and options have beyond the
// node:net of Node 20, its links lead somewhere, and its programs run and print what it says.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'ava';

import { node, ours } from './_helpers/implementations.js';
import { atMost } from './_helpers/patience.js';

const root = join(__dirname, '..');
const page = readFileSync(join(root, 'docs', 'API.md'), 'utf8');

/** The words of all that is set as code: names, signatures and programs. */
const named = new Set([...page.matchAll(/```[^]*?```|`[^`\n]+`/g)].flatMap(([code]) => code.match(/\w+/g) ?? []));

function missing(names: Iterable<string>): string[] {
  return [...new Set(names)].filter((name) => !named.has(name));
}

interface Entry {
  types?: string;
  require?: { types: string };
}

const { exports: entries } = require('ferronet/package.json') as { exports: Record<string, Entry | string> };
const modules = Object.keys(entries)
  .filter((name) => name !== './package.json')
  .map((name) => name.replace('.', 'ferronet'));

for (const name of modules) {
  test(`${name}: every export is named`, (t) => {
    t.true(page.includes(`\`${name}\``));
    t.deepEqual(missing(Object.keys(require(name) as object)), []);
  });
}

/** What @types/node of Node 20 knows. */
const known = new Set(readFileSync(join(root, 'node_modules/@types/node/net.d.ts'), 'utf8').match(/\w+/g));

test('every type, member and option that the typings have beyond those of node:net is named', (t) => {
  for (const entry of Object.values(entries)) {
    if (typeof entry === 'string') continue;
    const file = entry.types ?? entry.require?.types ?? '';
    const typings = readFileSync(join(root, file), 'utf8');
    const names = /^ *(?:export )?(?:declare )?(?:type|interface|class|const|function) (\w+)/gm;
    const members = /^ +(?:readonly )?(\w+)\??[(:]/gm;
    const found = [...typings.matchAll(names), ...typings.matchAll(members)].map(([, name = '']) => name);
    const beyond = found.filter((name) => !known.has(name) && name !== 'prototype');
    // Helpers of the declarations, which are not exported; what Node 20 has and its typings of `net` lack.
    const hidden = new Set(['ServerListeners', 'BoundAddress', 'AgentOptions', 'isSocketAddress', 'unpipe']);
    t.deepEqual(missing(beyond.filter((name) => !hidden.has(name))), [], file);
  }
});

test('every public member that the classes have and those of the running Node lack is named', (t) => {
  const membersOf = (given: object): string[] => {
    const names: string[] = [];
    for (let each = given; each !== null && each !== Object.prototype; each = Object.getPrototypeOf(each) as object) {
      names.push(...Object.getOwnPropertyNames(each));
    }
    return names.filter((name) => !name.startsWith('_'));
  };
  const classes = ['Socket', 'Server', 'BlockList', 'SocketAddress'] as const;
  for (const name of classes) {
    for (const of of ['prototype', 'static'] as const) {
      const pick = (net: typeof ours | typeof node): object => (of === 'static' ? net[name] : net[name].prototype);
      const nodes = new Set(membersOf(pick(node)));
      t.deepEqual(missing(membersOf(pick(ours)).filter((each) => !nodes.has(each))), [], `${name} ${of}`);
    }
  }
  const { BoundSocket } = ours as unknown as { BoundSocket: { prototype: object } };
  t.deepEqual(missing(membersOf(BoundSocket.prototype).filter((each) => each !== 'constructor')), []);
});

test('every environment variable that the package reads is named', (t) => {
  const source = readFileSync(join(root, 'dist', 'index.js'), 'utf8');
  const read = [...source.matchAll(/'(FERRONET_\w+)'/g)].map(([, name = '']) => name);
  t.true(read.includes('FERRONET_DRIVER'));
  t.notRegex(source, /NAPI_RS/);
  t.deepEqual(missing(read), []);
});

test('its links lead to a heading or a file', (t) => {
  const slug = (heading: string): string =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-');
  const headings = new Set([...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => slug(heading)));
  for (const [, target = ''] of page.matchAll(/\]\(([^)]+)\)/g)) {
    if (target.startsWith('https:')) continue;
    if (target.startsWith('#')) t.true(headings.has(target.slice(1)), target);
    else t.true(existsSync(join(root, 'docs', target.replace(/#.*/, ''))), target);
  }
});

/** The programs, each with the comment before it. */
const programs = [...page.matchAll(/(?:<!-- ([^]*?) -->\n\n)?```(m?js)\n([^]*?)```/g)].map(
  ([, remark = '', kind = '', source = '']) => ({ remark, kind, source }),
);

test('there are programs', (t) => {
  t.true(programs.length >= 15);
});

for (const [index, { remark, kind, source }] of programs.entries()) {
  const isRun = !remark.startsWith('not run') && !(remark === 'unix' && process.platform === 'win32');
  // The line that prints, or the first that uses something.
  const title = /.*→ .*/.exec(source)?.[0].trim() ?? /^.*ferronet\/.*$/m.exec(source)?.[0] ?? source.slice(0, 60);
  test(`program ${index + 1} ${isRun ? 'prints what it says' : 'is one'}: ${title}`, async (t) => {
    const type = kind === 'mjs' ? '--input-type=module' : '--input-type=commonjs';
    const flags = isRun ? [] : ['--check'];
    const child = spawn(process.execPath, [...flags, type, ...(isRun ? ['--eval', source] : ['-'])], {
      cwd: root,
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: atMost(20_000),
    });
    child.stdin.end(isRun ? '' : source);
    const [said, complaints] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    t.is(complaints, '');
    t.is(child.exitCode, 0);
    const expected = isRun ? [...source.matchAll(/\/\/ → (.*)$/gm)].map(([, line]) => `${line}\n`) : [];
    t.is(said, expected.join(''));
  });
}
