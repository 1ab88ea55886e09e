// `npm run check:install -- [case…]`: installs ferronet as it would be published, by package managers, into bundles and into
// archives, and runs a program there that connects and echoes. Ends with a table, and with status 1 if something failed. A
// tool that is not available is listed as skipped, and is no failure.
'use strict';

const fs = require('node:fs');
const cache = require('../platforms/cache.js');
const { Unavailable, step } = require('../platforms/commands.js');
const { aligned } = require('../platforms/table.js');
const { archives } = require('./archives.js');
const { bundlers } = require('./bundlers.js');
const { managers } = require('./managers.js');
const { packages } = require('./packages.js');
const { runtimeCases } = require('./runtimes.js');

const cases = [...managers, ...runtimeCases, ...bundlers, ...archives];

/** @param {string[]} wanted names of cases, or the first words of them */
function chosen(wanted) {
  const unknown = wanted.filter((name) => !cases.some((each) => each.name.startsWith(name)));
  if (unknown.length > 0) {
    const names = cases.map(({ name }) => name).join('; ');
    throw new Error(`no case is called ${unknown.join(', ')}: there are ${names}`);
  }
  return wanted.length === 0 ? cases : cases.filter(({ name }) => wanted.some((each) => name.startsWith(each)));
}

async function main() {
  const wanted = chosen(process.argv.slice(2));
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
