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

/** @typedef {{ passed: number, failed: string[], skipped: number }} Counts */
/** @typedef {Counts & { again: string[] }} Result `again`: what failed at first and passed then */

/**
 * How the suite goes where a target's Node runs: how many files are run at once and for how many minutes, of which so many
 * may pass without a test's end; the same for a file alone; what the environment of the tests has; and whether what fails is run
 * again.
 */
const NATIVE = { files: Infinity, minutes: 30, idle: '2m', alone: { minutes: 5, idle: '1m' }, env: {}, isFlaky: false };
// It now and then hangs or crashes, and then so many files are run again.
const WINE = { ...NATIVE, files: 6, minutes: 5, isFlaky: true };
// Slower than what the tests give up after (`__test__/_helpers/patience.ts`).
const EMULATED = {
  files: Infinity,
  minutes: 120,
  idle: '10m',
  alone: { minutes: 20, idle: '10m' },
  env: { FERRONET_TEST_PATIENCE: '10' },
  isFlaky: false,
};
const PACES = { native: NATIVE, musl: NATIVE, wine: WINE, qemu: EMULATED, 'qemu-musl': EMULATED, no: NATIVE };

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
  const result = { passed: 0, failed: [], skipped: 0, again: [] };
  for (const line of stripVTControlCharacters(report).split('\n')) {
    const found = /^(not )?ok \d+ - (.*?)(?: # (?:SKIP|TODO)\b.*)?$/.exec(line.trimEnd());
    if (!found) continue;
    if (/ # (?:SKIP|TODO)\b/.test(line)) result.skipped++;
    else if (found[1]) result.failed.push(String(found[2]));
    else result.passed++;
  }
  return result;
}

/**
 * The compiled tests in a folder, one below the other.
 * @param {string} cwd
 * @param {string} folder
 */
function specs(cwd, folder) {
  const names = fs.readdirSync(path.join(cwd, folder), { recursive: true }).map(String);
  return names.filter((name) => name.endsWith('.spec.js')).map((name) => path.posix.join(folder, name));
}

/**
 * @param {Target} target
 * @param {Node} node
 * @param {string} cwd
 * @param {string[]} files
 * @param {boolean} [isLast] a file alone that came to no end at first
 * @returns {Result}
 */
function atOnce(target, node, cwd, files, isLast = false) {
  const alone = files.length === 1;
  const pace = PACES[target.runner];
  const { minutes, idle } = alone ? pace.alone : pace;
  const args = ['node_modules/ava/entrypoints/cli.mjs', '--tap', '--timeout', idle, ...files];
  const part = path.basename(String(files[0]), '.spec.js');
  const log = `test-${target.name}-${node.version}-${alone ? part : `from-${part}`}`;
  const { status, output } = onNode(target, node, args, { cwd, log, minutes, env: pace.env });
  const result = counted(output);
  // The sum comes last. Without it ava was killed, or has given up: some files have not run.
  const ended = /^# fail \d+/m.test(output);
  if (!alone && (!ended || (pace.isFlaky && result.failed.length > 0))) {
    const what = ended ? `${result.failed.length} failed` : 'no end';
    step(`${target.name}: ${what}, of ${files.length} files (${log}.log): one by one`);
    const again = files.map((file) => atOnce(target, node, cwd, [file])).reduce(sum);
    // A file alone does not name itself.
    const failsStill = (/** @type {string} */ title) => again.failed.some((name) => title.endsWith(name));
    return { ...again, again: [...again.again, ...result.failed.filter((title) => !failsStill(title))] };
  }
  if (alone && !ended && pace.isFlaky && !isLast) {
    step(`${target.name}: no end (${log}.log): once more`);
    const last = atOnce(target, node, cwd, files, true);
    return last.failed.length > 0 ? last : { ...last, again: [...last.again, `${part}: its end`] };
  }
  if (!ended || (result.failed.length === 0 && (status !== 0 || result.passed + result.skipped === 0))) {
    result.failed.push(
      `${alone ? files[0] : 'the suite'} ended with ${status}: ${output.trimEnd().split('\n').at(-1)}`,
    );
  }
  return result;
}

/**
 * @param {Result} one
 * @param {Result} other
 * @returns {Result}
 */
function sum(one, other) {
  return {
    passed: one.passed + other.passed,
    failed: [...one.failed, ...other.failed],
    skipped: one.skipped + other.skipped,
    again: [...one.again, ...other.again],
  };
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
 * @param {string} folder of the tests: `build`, or one in it
 * @returns {Result}
 */
function test(target, addon, node, folder) {
  const cwd = tree(target, addon);
  step(`${target.name}: the test suite on Node ${node.version}`);
  const files = specs(cwd, folder);
  const size = Math.min(files.length, PACES[target.runner].files);
  const groups = Array.from({ length: Math.ceil(files.length / size) }, (_, at) =>
    files.slice(at * size, (at + 1) * size),
  );
  return groups.map((group) => atOnce(target, node, cwd, group)).reduce(sum);
}

module.exports = { PACES, mustStart, onNode, test };
