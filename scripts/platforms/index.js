// `npm run platforms -- [target…] [--node 20,24] [--only build]`: builds the native part for other platforms on this
// machine (Linux x64), runs the test suite on those that run here, and installs their packages as a user would. Ends
// with a table, and with status 1 if something failed that could be tried. What cannot be tried is told, and no failure.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { build, compareVersions, lowestGlibc, root } = require('./build.js');
const cache = require('./cache.js');
const { Unavailable, run, step } = require('./commands.js');
const { installed } = require('./installed.js');
const { nodeOf } = require('./nodes.js');
const { test } = require('./suite.js');
const { table } = require('./table.js');
const { chosen, targets } = require('./targets.js');

/** @typedef {import('./targets.js').Target} Target */
/** @typedef {import('./table.js').Row} Row */

const USAGE = `npm run platforms -- [target…] [--node 20,24] [--only build]

target   ${targets.map((target) => target.name).join(', ')}, the beginning of such names, or all (default)
--node   which Node runs the tests, one or several of 20, 22, 24, 26 (default: 24; for musl there is 24 only)
--only   build: no tests
The cache is ${cache.at('.')} (FERRONET_PLATFORMS_CACHE says otherwise).`;

/**
 * What must be seen on every Node that is asked for.
 * @param {Target} target
 * @param {string} addon
 * @param {string[]} versions
 * @param {Row} row
 */
function tryOut(target, addon, versions, row) {
  if (target.unrunnable) {
    row.notes.push(`not run: ${target.unrunnable}`);
    return;
  }
  for (const wanted of target.runner.endsWith('musl') ? ['24'] : versions) {
    const node = nodeOf(target, wanted);
    const major = node.version.split('.')[0];
    if (target.runner !== 'wine') {
      const { passed, failed, skipped } = test(target, addon, node);
      row.tested.push(`Node ${major}: ${passed} passed${skipped ? `, ${skipped} skipped` : ''}`);
      row.failures.push(...failed.map((name) => `Node ${node.version}: ${name}`));
    }
    const user = installed(target, addon, node);
    const what = target.runner === 'wine' ? `Node ${major}: smoke of ${user.passed} checks` : 'runs';
    row.installed.push(user.failed.length > 0 ? 'FAILED' : what);
    row.failures.push(...user.failed.map((name) => `Node ${node.version}, installed: ${name}`));
  }
}

/**
 * @param {Target} target
 * @param {string[]} versions
 * @param {boolean} buildOnly
 * @returns {Row}
 */
function treat(target, versions, buildOnly) {
  const start = performance.now();
  /** @type {Row} */
  const row = {
    name: target.name,
    built: 'no',
    size: '',
    glibc: '',
    tested: [],
    installed: [],
    failures: [],
    notes: [],
    seconds: 0,
  };
  if (target.remark) row.notes.push(target.remark);
  try {
    const addon = build(target);
    row.built = 'yes';
    row.size = `${(fs.statSync(addon).size / 1e6).toFixed(2)} MB`;
    row.glibc = lowestGlibc(addon) ?? '';
    if (target.glibc && row.glibc !== '' && compareVersions(row.glibc, target.glibc) > 0) {
      row.failures.push(`it asks for glibc ${row.glibc}, and shall load on ${target.glibc}`);
    }
    if (!buildOnly) tryOut(target, addon, versions, row);
  } catch (error) {
    if (error instanceof Unavailable)
      row.notes.push(`${row.built === 'yes' ? 'not run' : 'not built'}: ${error.message}`);
    else row.failures.push(error instanceof Error ? error.message : String(error));
  }
  row.seconds = (performance.now() - start) / 1000;
  return row;
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { node: { type: 'string', default: '24' }, only: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.log(`the platform command runs on Linux x64, and this is ${process.platform} ${process.arch}`);
    process.exitCode = 1;
    return;
  }
  const wanted = chosen(positionals);
  const buildOnly = values.only === 'build';
  fs.mkdirSync(cache.at('.'), { recursive: true });
  if (!buildOnly) {
    step('the package and its tests, as JavaScript');
    for (const script of ['build:ts', 'build:tests'])
      run('npm', ['run', '--silent', script], { cwd: root, log: script });
  }
  const rows = wanted.map((target) => treat(target, values.node.split(','), buildOnly));
  console.log(`\n${table(rows)}\nlogs: ${path.join(cache.at('logs'), path.sep)}`);
  process.exitCode = rows.some((row) => row.failures.length > 0) ? 1 : 0;
}

main();
