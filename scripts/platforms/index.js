// `npm run platforms -- [target…] [--node 20,24] [--parity] [--only build|install]`: builds the native part for other platforms
// on this machine (Linux x64), runs the tests on those that run here, and installs their packages as a user would. Ends
// with a table, and with status 1 if something failed that could be tried. What cannot be tried is named and does not count
// as a failure.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { readArguments, refuse } = require('../command-line.js');
const { build, compareVersions, lowestGlibc, root } = require('./build.js');
const cache = require('./cache.js');
const { Unavailable, run, step } = require('./commands.js');
const { installed } = require('./installed.js');
const { MUSL_NODE, nodeOf } = require('./nodes.js');
const { testReactor } = require('./reactor.js');
const { mustStart, test } = require('./suite.js');
const { line, table } = require('./table.js');
const { chosen, targets } = require('./targets.js');

/** @typedef {import('./targets.js').Target} Target */
/** @typedef {import('./table.js').Row} Row */
/** @typedef {{ versions: string[] | undefined, parity: boolean, only: 'build' | 'install' | undefined }} Choice */

const [ALL, PARITY] = ['build', 'build/parity'];
const AGAIN = 'passed at the second attempt only';

const USAGE = `npm run platforms -- [target…] [--node 20,24] [--parity] [--only build|install]

target   ${targets.map((target) => target.name).join(', ')}, the beginning of such names, or all (default)
--node   which Node runs the tests, one or several of 20, 22, 24, 26 (default: all of them on x64, and 24 under qemu;
         for musl there is 24 only)
--parity of the suite only what compares ferronet with node:net, event by event
--only   build: nothing is run; install: the package as users have it, and not the tests
The cache is ${cache.at('.')} (FERRONET_PLATFORMS_CACHE says otherwise).`;

/**
 * @param {number} count
 * @param {string} what
 */
function counted(count, what) {
  return count > 0 ? `, ${count} ${what}` : '';
}

/** @param {import('./suite.js').Counts} result */
function counts({ passed, failed, skipped }) {
  return `${passed} passed${counted(skipped, 'skipped')}${counted(failed.length, 'FAILED')}`;
}

/**
 * What must be seen on every Node that is asked for, and what no Node takes part in.
 * @param {Target} target
 * @param {string} addon
 * @param {Choice} choice
 * @param {Row} row
 */
function tryOut(target, addon, { versions, parity, only }, row) {
  if (target.unrunnable) {
    row.notes.push(`not run: ${target.unrunnable}`);
    return;
  }
  // There is one Node for musl.
  const wanted = target.runner.endsWith('musl') ? [MUSL_NODE] : (versions ?? target.nodes ?? []);
  const nodes = wanted.map((version) => nodeOf(target, version));
  for (const node of nodes) mustStart(target, node);
  if (only !== 'install') {
    const reactor = testReactor(target);
    row.reactor = counts(reactor);
    row.failures.push(...reactor.failed.map((title) => `reactor: ${title}`));
    row.notes.push(...reactor.again.map((title) => `reactor: ${AGAIN}: ${title}`));
  }
  for (const node of nodes) {
    const name = `Node ${node.version.split('.')[0]}`;
    if (only !== 'install') {
      const suite = test(target, addon, node, parity ? PARITY : ALL);
      row.tested.push(`${name}: ${counts(suite)}${parity ? ' of parity' : ''}`);
      row.failures.push(...suite.failed.map((title) => `${name}: ${title}`));
      row.notes.push(...suite.again.map((title) => `${name}: ${AGAIN}: ${title}`));
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
    reactor: '',
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

/** @param {string[]} names */
function targetsOf(names) {
  try {
    return chosen(names);
  } catch (error) {
    return refuse(/** @type {Error} */ (error).message);
  }
}

function main() {
  const { values, positionals } = readArguments(USAGE, {
    allowPositionals: true,
    options: {
      node: { type: 'string' },
      parity: { type: 'boolean', default: false },
      only: { type: 'string' },
    },
  });
  const wanted = targetsOf(positionals);
  const only = values.only === 'build' || values.only === 'install' ? values.only : undefined;
  if (values.only !== only) refuse(`--only ${values.only}: there are build and install`);
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.log(`the platform command runs on Linux x64, and this is ${process.platform} ${process.arch}`);
    process.exitCode = 1;
    return;
  }
  /** @type {Choice} */
  const choice = { versions: values.node?.split(','), parity: values.parity, only };
  fs.mkdirSync(cache.at('.'), { recursive: true });
  if (only !== 'build') {
    step('the package and its tests, as JavaScript');
    for (const script of ['build:ts', 'build:tests'])
      run('npm', ['run', '--silent', script], { cwd: root, log: script });
  }
  const rows = wanted.map((target) => {
    const row = treat(target, choice);
    // The whole takes hours. If it is ended early, what there was is shown.
    step(`${line(row)}\n`);
    return row;
  });
  console.log(`\n${table(rows)}\nlogs: ${path.join(cache.at('logs'), path.sep)}`);
  process.exitCode = rows.some((row) => row.failures.length > 0) ? 1 : 0;
}

main();
