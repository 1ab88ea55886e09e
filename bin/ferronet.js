#!/usr/bin/env node
// `npx ferronet`. The command line is a file of its own: `require('ferronet')` does not load it.
'use strict';

const { existsSync } = require('node:fs');
const { join } = require('node:path');

const cli = join(__dirname, '..', 'dist', 'entry', 'cli.js');
if (existsSync(cli)) {
  require('../dist/entry/cli.js').main(process.argv.slice(2));
} else {
  console.error('ferronet: dist/ is missing. In a clone of the repository, npm install && npm run build makes it.');
  process.exitCode = 1;
}
