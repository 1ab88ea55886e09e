// `npm run platforms -- [target…] [--node 20,24] [--whole] [--only build|install]`: builds the native part for other platforms on this
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
const { MUSL_NODE, nodeOf } = require('./nodes.js');
const { mustStart, test } = require('./suite.js');
const { table } = require('./table.js');
const { chosen, targets } = require('./targets.js');

/** @typedef {import('./targets.js').Target} Target */
/** @typedef {import('./table.js').Row} Row */
/** @typedef {{ versions: string[], whole: boolean, only: 'build' | 'install' | undefined }} Choice */

const [ALL, PARITY] = ['build', 'build/parity'];

const USAGE = `npm run platforms -- [target…] [--node 20,24] [--whole] [--only build|install]

target   ${targets.map((target) => target.name).join(', ')}, the beginning of such names, or all (default)
--node   which Node runs the tests, one or several of 20, 22, 24, 26 (default: 24; for musl there is 24 only)
--whole  the whole suite also where it takes long (qemu)
--only   build: nothing is run; install: the package as users have it, and not the suite
The cache is ${cache.at('.')} (FERRONET_PLATFORMS_CACHE says otherwise).`;

/**
 * @param {number} count
 * @param {string} what
 */
function counted(count, what) {
  return count > 0 ? `, ${count} ${what}` : '';
}

/**
 * What must be seen on every Node that is asked for.
 * @param {Target} target
 * @param {string} addon
 * @param {Choice} choice
 * @param {Row} row
 */
function tryOut(target, addon, { versions, whole, only }, row) {
  if (target.unrunnable) {
    row.notes.push(`not run: ${target.unrunnable}`);
    return;
  }
  const suite = whole ? 'whole' : target.suite;
  // There is one Node for musl.
  for (const wanted of target.runner.endsWith('musl') ? [MUSL_NODE] : versions) {
    const node = nodeOf(target, wanted);
    mustStart(target, node);
    const name = `Node ${node.version.split('.')[0]}`;
    if (only !== 'install') {
      const { passed, failed, skipped } = test(target, addon, node, suite === 'whole' ? ALL : PARITY);
      const part = suite === 'whole' ? '' : ' of parity';
      row.tested.push(
        `${name}: ${passed} passed${part}${counted(skipped, 'skipped')}${counted(failed.length, 'FAILED')}`,
      );
      row.failures.push(...failed.map((title) => `${name}: ${title}`));
    }
    const user = installed(target, addon, node);
    row.installed.push(`${name}: ${user.passed > 0 ? 'the demo runs' : ''}${counted(user.failed.length, 'FAILED')}`);
    row.failures.push(...user.failed.map((title) => `${name}, installed: ${title}`));
  }
}

/**
 * @param {Target} target
 * @param {Choice} choice
 * @returns {Row}
 */
function treat(target, choice) {
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
    if (choice.only !== 'build') tryOut(target, addon, choice, row);
  } catch (error) {
    const built = row.built === 'yes';
    if (error instanceof Unavailable) {
      row.notes.push(`${built ? 'not run' : 'not built'}: ${error.message}`);
    } else {
      if (built) row.tested.push('FAILED');
      else row.built = 'FAILED';
      row.failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  row.seconds = (performance.now() - start) / 1000;
  return row;
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      node: { type: 'string', default: '24' },
      whole: { type: 'boolean', default: false },
      only: { type: 'string' },
      help: { type: 'boolean' },
    },
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
  const only = values.only === 'build' || values.only === 'install' ? values.only : undefined;
  if (values.only !== only) throw new Error(`--only ${values.only}: there are build and install`);
  /** @type {Choice} */
  const choice = { versions: values.node.split(','), whole: values.whole, only };
  fs.mkdirSync(cache.at('.'), { recursive: true });
  if (only !== 'build') {
    step('the package and its tests, as JavaScript');
    for (const script of ['build:ts', 'build:tests'])
      run('npm', ['run', '--silent', script], { cwd: root, log: script });
  }
  const rows = wanted.map((target) => treat(target, choice));
  console.log(`\n${table(rows)}\nlogs: ${path.join(cache.at('logs'), path.sep)}`);
  process.exitCode = rows.some((row) => row.failures.length > 0) ? 1 : 0;
}

main();
