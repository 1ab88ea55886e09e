// Runs one compiled file of the suite in whatever runtime this is: `<runtime> scripts/runtimes/spec.js build/….spec.js`.
'use strict';

const path = require('node:path');
const ava = require('./ava.js');
const { differencesIn } = require('./differences.js');

const root = path.join(__dirname, '..', '..');
const file = path.resolve(String(process.argv[2]));
const name = path.relative(path.join(root, 'build'), file).replace(/\.spec\.js$/, '');
const runtime = process.versions['bun'] ? 'bun' : process.versions['deno'] ? 'deno' : 'node';

// Under the name that the file asks for.
const place = require.resolve('ava');
require.cache[place] = /** @type {NodeJS.Module} */ (
  /** @type {unknown} */ ({
    id: place,
    filename: place,
    loaded: true,
    exports: { __esModule: true, default: ava.test },
  })
);

require(file);
ava.runAll(differencesIn(runtime, name));
