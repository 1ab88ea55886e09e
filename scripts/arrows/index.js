// Imports point down: fails when a module imports from a layer above its own, or modules import each other in a circle.
'use strict';

const path = require('node:path');

const { circles, others, upwards } = require('./layers.js');
const rust = require('./rust.js');
const typescript = require('./typescript.js');

const root = path.join(__dirname, '..', '..');

/** The lowest first. docs/DESIGN.md says what is in each. */
const TYPESCRIPT = [
  'binding',
  'lib/node',
  'lib/errors',
  'lib/address',
  'lib/handle',
  'lib/thread',
  'lib/stream',
  'lib/connect',
  'lib/socket',
  'lib/server',
  'lib/process',
  'lib/factories',
  'lib/promises',
  'index',
  'entry',
];

/** Of the reactor. */
const RUST = ['sync', 'sys', 'socket', 'event', 'drive', 'stream', 'listener', 'reactor', 'lib'];

/** Which crates of the workspace a crate depends on. */
const CRATES = { core: [], numbers: [], reactor: ['core'], binding: ['reactor', 'numbers'], benchmark: [] };

const lib = ['lib', 'entry'].flatMap((folder) => typescript.modules(root, folder));
const reactor = rust.modules(root, path.join('crates', 'reactor', 'src'));
const core = rust.modules(root, path.join('crates', 'core', 'src'));
const wrong = [
  ...upwards(lib, TYPESCRIPT),
  ...circles(lib),
  ...upwards(reactor, RUST),
  ...circles(reactor),
  ...circles(core),
  ...others(rust.crates(root, 'crates'), CRATES),
];
for (const sentence of wrong) console.error(sentence);
const counts = [lib, reactor, core].map(({ length }) => length);
console.log(`${counts.join(' + ')} modules (lib, reactor, core), ${wrong.length} imports that do not point down`);
process.exitCode = wrong.length > 0 || counts.includes(0) ? 1 : 0;
