// Runs the package's test suite on a target's Node, in a tree of its own with nothing in it but that target's addon.
'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { stripVTControlCharacters } = require('node:util');
const cache = require('./cache.js');
const { root } = require('./build.js');
const { Unavailable, attempt, run, step } = require('./commands.js');
const machine = require('./machine.js');

/** @typedef {import('./targets.js').Target} Target */
/** @typedef {import('./nodes.js').Node} Node */

/** @typedef {{ passed: number, failed: string[], skipped: number }} Result */

// Emulation is slower than what the tests give up after (`__test__/_helpers/patience.ts`).
const EMULATED = { minutes: 120, env: { FERRONET_TEST_PATIENCE: '10' } };
const REAL = { minutes: 30, env: {} };

// These start tsc and npm, which are programs of this machine and say nothing about a target.
const OF_THE_BUILD = ['package-files', 'package-typings'];

/**
 * A tree as in the checkout, with the compiled tests and one addon.
 * @param {Target} target
 * @param {string} addon
 */
function tree(target, addon) {
  const folder = cache.emptied('trees', target.name);
  const listed = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' });
  const sources = listed.split('\0').filter((file) => file !== '' && fs.existsSync(path.join(root, file)));
  for (const part of [...sources, 'dist', 'build']) {
    fs.cpSync(path.join(root, part), path.join(folder, part), { recursive: true });
  }
  for (const name of OF_THE_BUILD) fs.rmSync(path.join(folder, 'build', `${name}.spec.js`), { force: true });
  const modules = [path.join(root, 'node_modules'), path.join(folder, 'node_modules')];
  // Wine sees the cache and not the checkout.
  if (target.runner === 'wine') run('cp', ['-a', ...modules]);
  else fs.symlinkSync(String(modules[0]), String(modules[1]));
  fs.copyFileSync(addon, path.join(folder, path.basename(addon)));
  return folder;
}

/**
 * A program on a target's Node.
 * @param {Target} target
 * @param {Node} node
 * @param {string[]} args
 * @param {{ cwd: string, log: string, minutes: number, env?: NodeJS.ProcessEnv }} options
 */
function onNode(target, { file }, args, options) {
  const [command, ...rest] = machine.on(target, [file, ...args], options.cwd);
  return attempt(String(command), rest, options);
}

/**
 * What a report in the form of TAP says.
 * @param {string} report
 * @returns {Result}
 */
function counted(report) {
  /** @type {Result} */
  const result = { passed: 0, failed: [], skipped: 0 };
  for (const line of stripVTControlCharacters(report).split('\n')) {
    const found = /^(not )?ok \d+ - (.*?)(?: # (?:SKIP|TODO)\b.*)?$/.exec(line);
    if (!found) continue;
    if (/ # (?:SKIP|TODO)\b/.test(line)) result.skipped++;
    else if (found[1]) result.failed.push(String(found[2]));
    else result.passed++;
  }
  return result;
}

/**
 * Makes sure that a target's Node runs here: what keeps it from it is no fault of the addon's.
 * @param {Target} target
 * @param {Node} node
 */
function mustStart(target, node) {
  const log = `node-${target.name}-${node.version}`;
  const { output } = onNode(target, node, ['--version'], { cwd: cache.at('.'), log, minutes: 2 });
  if (!output.trimEnd().endsWith(`v${node.version}`))
    throw new Unavailable(`its Node does not start: ${output.trim()}`);
}

/**
 * @param {Target} target
 * @param {string} addon
 * @param {Node} node
 * @param {string[]} files only these tests, if there are any
 * @returns {Result}
 */
function test(target, addon, node, files) {
  const cwd = tree(target, addon);
  step(`${target.name}: the test suite on Node ${node.version}`);
  const { minutes, env } = target.runner.startsWith('qemu') ? EMULATED : REAL;
  const args = ['node_modules/ava/entrypoints/cli.mjs', '--tap', '--timeout', '4m', ...files];
  const log = `test-${target.name}-${node.version}`;
  const { status, output } = onNode(target, node, args, { cwd, log, minutes, env });
  const result = counted(output);
  if (result.failed.length === 0 && (status !== 0 || result.passed === 0)) {
    result.failed.push(`the suite ended with ${status}: ${output.trimEnd().split('\n').at(-1)}`);
  }
  return result;
}

module.exports = { mustStart, onNode, test };
