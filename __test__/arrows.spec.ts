import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import test from 'ava';

interface Module {
  name: string;
  imports: string[];
}

const arrows = join(__dirname, '..', 'scripts', 'arrows');
const { circles, others, upwards } = require(join(arrows, 'layers.js')) as {
  upwards: (modules: Module[], layers: string[]) => string[];
  circles: (modules: Module[]) => string[];
  others: (modules: Module[], allowed: Record<string, string[]>) => string[];
};
const rust = require(join(arrows, 'rust.js')) as {
  modules: (root: string, source: string) => Module[];
  crates: (root: string, folder: string) => Module[];
};

const LAYERS = ['lib/errors', 'lib/handle', 'lib/socket', 'index'];

test('imports of the own layer and of lower ones are fine', (t) => {
  const modules = [
    { name: 'lib/errors/text', imports: [] },
    { name: 'lib/errors/errors', imports: ['lib/errors/text'] },
    { name: 'lib/socket/socket', imports: ['lib/errors/errors', 'lib/handle/stream'] },
    { name: 'index', imports: ['lib/socket/socket'] },
  ];
  t.deepEqual(upwards(modules, LAYERS), []);
  t.deepEqual(circles(modules), []);
});

test('an import that runs up is named', (t) => {
  const modules = [{ name: 'lib/errors/errors', imports: ['lib/handle/stream'] }];
  t.deepEqual(upwards(modules, LAYERS), ['lib/errors/errors imports lib/handle/stream, which is above it']);
});

test('a module outside of the layers is named', (t) => {
  t.deepEqual(upwards([{ name: 'lib/utils', imports: [] }], LAYERS), ['lib/utils is in none of the layers']);
});

test('modules that import each other are named', (t) => {
  const modules = [
    { name: 'a', imports: ['b'] },
    { name: 'b', imports: ['c'] },
    { name: 'c', imports: ['b'] },
  ];
  t.deepEqual(circles(modules), ['b imports c imports b']);
});

test('a dependency that is not meant is named', (t) => {
  const crates = [
    { name: 'core', imports: [] },
    { name: 'binding', imports: ['core', 'reactor'] },
  ];
  t.deepEqual(others(crates, { core: [], binding: ['reactor'] }), [
    'binding depends on core, which is not meant for it',
  ]);
});

/** A folder with files by their names, which is removed when `use` has returned. */
function withFiles<T>(files: Record<string, string>, use: (root: string) => T): T {
  const root = mkdtempSync(join(tmpdir(), 'ferronet-arrows-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(root, dirname(name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
    return use(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** What each module of a crate with these files imports. */
function imports(files: Record<string, string>): Record<string, string[]> {
  const modules = withFiles(files, (root) => rust.modules(root, '.'));
  return Object.fromEntries(modules.map((module) => [module.name, module.imports.toSorted()]));
}

const CRATE = {
  'lib.rs': 'mod sys;\nmod stream;\npub use stream::Connection;\n',
  'sys/mod.rs': 'mod socket;\npub(crate) use socket::Socket;\n',
  'sys/socket.rs': 'pub(crate) struct Socket;\n',
  'stream/mod.rs': 'mod connection;\nmod reader;\npub use connection::Connection;\n',
  'stream/connection.rs': 'use super::reader::Reader;\nuse crate::sys::{self, socket::Socket};\n',
  'stream/reader.rs': 'use std::io;\nuse socket2::SockRef;\n',
};

test('what Rust modules import is found by their paths', (t) => {
  t.deepEqual(imports(CRATE), {
    lib: ['stream'],
    sys: ['sys/socket'],
    'sys/socket': [],
    stream: ['stream/connection'],
    'stream/connection': ['stream/reader', 'sys', 'sys/socket'],
    'stream/reader': [],
  });
});

const LAYERS_OF_RUST = ['sys', 'stream', 'lib'];

for (const [what, line, wanted] of [
  ['an import', 'use crate::stream::connection::Connection;', 'stream/connection'],
  [
    'an import out of a group',
    'use crate::{\n    stream::{\n        connection::Connection,\n    },\n};',
    'stream/connection',
  ],
  ['an import from the parent', 'use super::super::stream::reader;', 'stream/reader'],
  ['a path in the middle of the code', 'fn f(_: &crate::stream::Connection) {}', 'stream'],
  ['what the root of the crate exports again', 'use crate::Connection;', 'lib'],
] as const) {
  test(`${what} that runs up in Rust is named`, (t) => {
    const files = { ...CRATE, 'sys/socket.rs': `${line}\n` };
    const modules = withFiles(files, (root) => rust.modules(root, '.'));
    t.deepEqual(upwards(modules, LAYERS_OF_RUST), [`sys/socket imports ${wanted}, which is above it`]);
  });
}

test('a module that imports from its own folder instead of from its neighbour makes a circle', (t) => {
  const files = { ...CRATE, 'stream/reader.rs': 'use crate::stream::Connection;\n' };
  t.not(circles(withFiles(files, (root) => rust.modules(root, '.'))).length, 0);
});

test('comments, strings and the tests of a Rust module import nothing', (t) => {
  const text = [
    '//! [`Connection`](crate::stream::Connection)',
    '/* use crate::stream::reader; */',
    'const TEXT: &str = "crate::stream::reader";',
    '#[cfg(all(test, target_os = "linux"))]',
    '#[expect(clippy::unwrap_used, reason = "a test")]',
    'mod tests {',
    '    use crate::stream::Connection;',
    '}',
    '',
  ].join('\n');
  t.deepEqual(imports({ ...CRATE, 'sys/socket.rs': text })['sys/socket'], []);
});

test('what crates depend on is read from their manifests', (t) => {
  const files = {
    'crates/core/Cargo.toml': '[package]\nname = "ferronet-core"\n',
    'crates/reactor/Cargo.toml': '[dependencies]\nferronet-core.workspace = true\ntokio.workspace = true\n',
  };
  t.deepEqual(
    withFiles(files, (root) => rust.crates(root, 'crates')),
    [
      { name: 'core', imports: [] },
      { name: 'reactor', imports: ['core'] },
    ],
  );
});
