// `npm run test:runtimes -- [bun] [deno]`: runs the test suite in Bun and Deno, as far as what it tests is there. What
// node:net does, to which they are compared, is written down by a run on Node. Ends with a table, and with status 1 if a
// test came out otherwise that is not listed in differences.js, or as on Node that is. A runtime that is missing is named
// and does not count as a failure.
'use strict';

const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { stripVTControlCharacters } = require('node:util');
const { readArguments, refuse } = require('../command-line.js');
const cache = require('../platforms/cache.js');
const { Unavailable, step } = require('../platforms/commands.js');
const { aligned } = require('../platforms/table.js');
const { absence } = require('./differences.js');
const { programOf, runtimes } = require('./runtimes.js');

/** @typedef {import('./runtimes.js').Name} Name */
/** @typedef {{ passed: number, otherwise: number, skipped: number, failures: string[], seconds: number }} Result */

const root = path.join(__dirname, '..', '..');
const build = path.join(root, 'build');
const runner = path.join(__dirname, 'spec.js');

const AT_ONCE = 2;
/** No file takes so long; what does is stuck. */
const LIMIT = 60_000;

/**
 * The compiled files below a folder of `build/`, by their names without the ending.
 * @param {string} folder
 */
function specs(folder) {
  const files = fs.readdirSync(path.join(build, folder), { withFileTypes: true });
  return files
    .filter((file) => file.isFile() && file.name.endsWith('.spec.js'))
    .map((file) => path.posix.join(folder, file.name.slice(0, -'.spec.js'.length)))
    .toSorted();
}

/**
 * Runs one file, and all that it starts goes with it.
 * @param {string[]} command
 * @param {string} name of the file
 * @param {string} log
 * @returns {Promise<{ status: number | null, report: string }>}
 */
function runSpec([program = '', ...args], name, log) {
  const sink = fs.openSync(log, 'w');
  const reference = path.join(cache.at('runtimes', 'reference'), `${name.replaceAll('/', '-')}.json`);
  const child = spawn(program, [...args, runner, path.join(build, `${name}.spec.js`)], {
    cwd: root,
    env: { ...process.env, FERRONET_REFERENCE: reference, FERRONET_NODE: process.execPath },
    stdio: ['ignore', sink, sink],
    // A process group of its own.
    detached: true,
  });
  const end = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // The group has ended.
    }
  };
  const timer = setTimeout(end, LIMIT);
  return new Promise((resolve) => {
    child.on('error', (error) => fs.writeSync(sink, String(error)));
    child.on('close', (status) => {
      clearTimeout(timer);
      end();
      fs.closeSync(sink);
      resolve({ status, report: stripVTControlCharacters(fs.readFileSync(log, 'utf8')) });
    });
  });
}

/**
 * Adds what a report in the form of TAP says.
 * @param {Result} result
 * @param {string} name
 * @param {{ status: number | null, report: string }} run
 */
function count(result, name, { status, report }) {
  let failed = 0;
  for (const [, not, title, mark] of report.matchAll(/^(not )?ok \d+ - (.*?)(?: # (SKIP|TODO)\b.*)?$/gm)) {
    if (mark === 'SKIP') result.skipped++;
    else if (mark === 'TODO') result.otherwise++;
    else if (not) failed = result.failures.push(`${name}: ${title}`);
    else result.passed++;
  }
  if (/^1\.\.\d+$/m.test(report) && (status === 0 || failed > 0)) return;
  result.failures.push(`${name}: it ended with ${status}: ${report.trimEnd().split('\n').at(-1)}`);
}

/**
 * @param {string} title
 * @param {string[]} command
 * @param {readonly string[]} names
 * @returns {Promise<Result>}
 */
async function runAll(title, command, names) {
  step(`${title}: ${names.length} files of the suite`);
  const logs = cache.emptied('logs', title.replaceAll(' ', '-'));
  const start = performance.now();
  /** @type {Result} */
  const result = { passed: 0, otherwise: 0, skipped: 0, failures: [], seconds: 0 };
  const left = [...names];
  const lane = async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      // oxlint-disable-next-line no-await-in-loop -- as many at a time as there are lanes
      count(result, name, await runSpec(command, name, path.join(logs, `${name.replaceAll('/', '-')}.log`)));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  result.seconds = (performance.now() - start) / 1000;
  return result;
}

/** @param {readonly Name[]} wanted */
async function main(wanted) {
  const found = wanted.flatMap((name) => {
    try {
      return [{ name, program: programOf(name) }];
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      console.log(`${name}: not run: ${error.message}`);
      return [];
    }
  });
  if (found.length === 0) return;
  const compared = specs('parity');
  const all = [...compared, ...specs('.'), ...specs('interop')];
  cache.emptied('runtimes', 'reference');
  const node = `Node ${process.versions.node}`;
  /** @type {[string, Result][]} */
  const rows = [[node, await runAll(node, [process.execPath], compared)]];
  for (const { name, program } of found) {
    const { version, run } = runtimes[name];
    const title = `${name} ${version}`;
    const there = all.filter((file) => absence(name, file) === undefined);
    // oxlint-disable-next-line no-await-in-loop -- each has the machine for itself
    rows.push([title, await runAll(title, [program, ...run], there)]);
  }
  const heads = ['runtime', 'passed', 'otherwise, and listed', 'skipped', 'FAILED', 'seconds'];
  const cells = rows.map(([title, { passed, otherwise, skipped, failures, seconds }]) =>
    [title, passed, otherwise, skipped, failures.length, seconds.toFixed(0)].map(String),
  );
  const failures = rows.flatMap(([title, result]) => result.failures.map((failure) => `FAILED ${title}: ${failure}`));
  console.log(`\n${[aligned(heads, cells), '', ...failures].join('\n').trimEnd()}\nlogs: ${cache.at('logs')}`);
  process.exitCode = failures.length > 0 ? 1 : 0;
}

const names = /** @type {Name[]} */ (Object.keys(runtimes));

const USAGE = `npm run test:runtimes -- [runtime…]

Builds ferronet, and runs the test suite in other runtimes, in each that is named or in all (default):

${names.map((name) => `  ${name.padEnd(6)}${runtimes[name].version}`).join('\n')}`;

/** Those that the arguments name. */
function chosen() {
  const { positionals } = readArguments(USAGE, { allowPositionals: true });
  const unknown = positionals.filter((name) => !names.some((known) => known === name));
  if (unknown.length > 0) refuse(`no runtime is called ${unknown.join(', ')}`);
  const wanted = new Set(positionals);
  return wanted.size > 0 ? names.filter((name) => wanted.has(name)) : names;
}

/** Builds what is tested. */
function isBuilt() {
  return ['build', 'build:tests'].every((script) => {
    const options = /** @type {const} */ ({ cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
    return spawnSync('npm', ['run', script], options).status === 0;
  });
}

const selected = chosen();
if (isBuilt()) main(selected);
else process.exitCode = 1;
