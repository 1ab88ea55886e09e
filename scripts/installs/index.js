// `npm run check:install -- [case…]`: installs ferronet as it would be published, by package managers, into bundles and into
// archives, and runs a program there that connects and echoes; and below the doubles that test suites use. Ends with a table, and with status 1 if something failed. A
// tool that is missing is named and does not count as a failure.
'use strict';

const fs = require('node:fs');
const { readArguments, refuse } = require('../command-line.js');
const cache = require('../platforms/cache.js');
const { Unavailable, step } = require('../platforms/commands.js');
const { aligned } = require('../platforms/table.js');
const { archives } = require('./archives.js');
const { bundlers } = require('./bundlers.js');
const { doubles } = require('./doubles.js');
const { managers } = require('./managers.js');
const { packages } = require('./packages.js');
const { runtimeCases } = require('./runtimes.js');

const cases = [...managers, ...runtimeCases, ...bundlers, ...archives, ...doubles];

const USAGE = `npm run check:install -- [case…]

Installs ferronet as it would be published, and runs a program there that connects and echoes, or tests with doubles. An argument selects the cases
whose names begin with it; without arguments, all of them are tried:

${cases.map(({ name, tries }) => `  ${name.padEnd(18)}${tries.join(', ')}`).join('\n')}

The cache is ${cache.at('.')} (FERRONET_PLATFORMS_CACHE says otherwise).`;

/** Those that the arguments name. */
function chosen() {
  const { positionals: wanted } = readArguments(USAGE, { allowPositionals: true });
  const unknown = wanted.filter((name) => !cases.some((each) => each.name.startsWith(name)));
  if (unknown.length > 0) refuse(`no case is called ${unknown.join(', ')}`);
  return wanted.length === 0 ? cases : cases.filter(({ name }) => wanted.some((each) => name.startsWith(each)));
}

async function main() {
  const wanted = chosen();
  fs.mkdirSync(cache.at('.'), { recursive: true });
  const packed = packages();
  /** @type {string[][]} */
  const rows = [];
  /** @type {string[]} */
  const remarks = [];
  for (const { name, tries, run } of wanted) {
    step(name);
    const start = performance.now();
    /** @type {string[]} */
    const done = [];
    let result = 'works';
    try {
      // oxlint-disable-next-line no-await-in-loop -- one at a time
      await run(packed, (what) => done.push(what));
      const missing = tries.filter((what) => !done.includes(what));
      if (missing.length > 0) throw new Error(`not tried: ${missing.join(', ')}`);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      result = error instanceof Unavailable ? 'skipped' : 'FAILED';
      remarks.push(`${result} ${name}: ${message}`);
    }
    rows.push([name, done.join(', '), result, ((performance.now() - start) / 1000).toFixed(1)]);
  }
  console.log(`\n${[aligned(['with', 'tried', 'result', 'seconds'], rows), '', ...remarks].join('\n').trimEnd()}`);
  process.exitCode = rows.some(([, , result]) => result === 'FAILED') ? 1 : 0;
}

void main();
