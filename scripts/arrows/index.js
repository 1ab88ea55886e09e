// Imports point down: fails when a module imports from a layer above its own, or modules import each other in a circle.
'use strict';

const path = require('node:path');

const { circles, upwards } = require('./layers.js');
const typescript = require('./typescript.js');

const root = path.join(__dirname, '..', '..');

/** The lowest first. docs/DESIGN.md says what is in each. */
const LAYERS = [
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

const modules = ['lib', 'entry'].flatMap((folder) => typescript.modules(root, folder));
const wrong = [...upwards(modules, LAYERS), ...circles(modules)];
for (const sentence of wrong) console.error(sentence);
console.log(`${modules.length} modules, ${wrong.length} imports that do not point down`);
process.exitCode = wrong.length > 0 || modules.length === 0 ? 1 : 0;
