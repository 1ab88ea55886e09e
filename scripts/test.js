// Runs both suites, the reactor's (Rust, no Node in it) and the package's (ava), shows what each prints, and ends with
// the sum of both: `N passed, N failed`. The status is 1 when anything failed or a suite ran nothing.
// What goes from one owner to another (other processes, other threads, node:net) is tested with both drivers: by default the
// loop drives as long as JavaScript is quick, and once more with the reactor's thread.
// Where that can be done, the package's suite runs in the cage that Electron puts around memory (`__test__/_helpers/cage.ts`),
// and one more test is that none was refused a Buffer.
'use strict';

const { spawn, spawnSync } = require('node:child_process');
const path = require('node:path');
const { stripVTControlCharacters } = require('node:util');

/** @typedef {{ name: string, passed: number, failed: number, skipped: number }} Result */

const root = path.join(__dirname, '..');
const cargo = process.env['CARGO'] || 'cargo';

/**
 * Runs a command, passes on what it prints and gives it back as plain text.
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} [environment] beside this process's
 * @returns {Promise<{ status: number | null, stdout: string, stderr: string }>}
 */
function run(command, args, environment) {
  return new Promise((resolve) => {
    const env = { ...process.env, ...environment };
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const printed = { stdout: '', stderr: '' };
    for (const name of /** @type {const} */ (['stdout', 'stderr'])) {
      child[name].setEncoding('utf8').on('data', (/** @type {string} */ text) => {
        printed[name] += text;
        process[name].write(text);
      });
    }
    const plain = () => ({
      stdout: stripVTControlCharacters(printed.stdout),
      stderr: stripVTControlCharacters(printed.stderr),
    });
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve({ status: 1, ...plain() });
    });
    child.on('close', (status) => resolve({ status, ...plain() }));
  });
}

/**
 * The sum of the first group of a pattern over a text.
 * @param {string} text
 * @param {RegExp} pattern
 */
function sum(text, pattern) {
  let total = 0;
  for (const found of text.matchAll(pattern)) total += Number(found[1]);
  return total;
}

/**
 * A suite that stopped with an error before it could count one still failed, and so did a suite without a test.
 * @param {Result} result
 * @param {number | null} status
 */
function settle(result, status) {
  if (result.failed === 0 && (status !== 0 || result.passed === 0)) result.failed = 1;
  return result;
}

/** The reactor with its core, the numbers that the addon and TypeScript share, and what the benchmark measures with. */
const CRATES = ['-p', 'ferronet-core', '-p', 'ferronet-reactor', '-p', 'ferronet-numbers', '-p', 'ferronet-benchmark'];

/** @returns {Promise<Result>} */
async function testReactor() {
  const name = 'reactor (Rust)';
  if (spawnSync(cargo, ['nextest', '--version'], { cwd: root }).status === 0) {
    const { status, stderr } = await run(cargo, ['nextest', 'run', '--locked', ...CRATES]);
    // "Summary [   0.120s] 12 tests run: 10 passed (1 slow), 1 failed, 1 timed out, 3 skipped"
    const summary = /^\s*Summary \[.*$/m.exec(stderr)?.[0] ?? '';
    return settle(
      {
        name,
        passed: sum(summary, /(\d+) passed/g),
        failed: sum(summary, /(\d+) (?:failed|exec failed|timed out)/g),
        skipped: sum(summary, /(\d+) skipped/g),
      },
      status,
    );
  }
  console.log('cargo-nextest is not installed, so the reactor is tested with `cargo test`.');
  const { status, stdout } = await run(cargo, ['test', '--locked', ...CRATES, '--no-fail-fast']);
  // One line a test binary: "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; ..."
  return settle(
    {
      name,
      passed: sum(stdout, /^test result:.* (\d+) passed;/gm),
      failed: sum(stdout, /^test result:.* (\d+) failed;/gm),
      skipped: sum(stdout, /^test result:.* (\d+) ignored;/gm),
    },
    status,
  );
}

/** Where it depends on who drives what is read, accepted and written ahead when a descriptor leaves. */
const HANDED_OVER = [
  'ipc*',
  'cluster-*',
  'handover*',
  'transfer*',
  'inherited',
  'systemd',
  'interop/child-stdio',
  'interop/handle',
];

/**
 * Runs ava, and counts.
 * @param {string} name
 * @param {string[]} files all, if there are none
 * @param {Record<string, string>} [environment]
 */
async function runAva(name, files, environment) {
  const ava = path.join(root, 'node_modules', 'ava', 'entrypoints', 'cli.mjs');
  const { status, stdout } = await run(process.execPath, [ava, '--tap', ...files], environment);
  // TAP: a line a test, and a "not ok" for a file that crashed or ended without a test as well.
  const result = { name, passed: 0, failed: 0, skipped: 0 };
  for (const line of stdout.split('\n')) {
    const found = /^(not )?ok \d+\b.*?(# (?:SKIP|TODO)\b.*)?$/.exec(line);
    if (!found) continue;
    if (found[2]) result.skipped++;
    else if (found[1]) result.failed++;
    else result.passed++;
  }
  return settle(result, status);
}

/** @returns {Promise<Result[]>} */
async function testPackage() {
  const helpers = path.join(root, 'build', '_helpers');
  const { missing } = require(path.join(helpers, 'native.js'));
  const cage = missing === '' ? require(path.join(helpers, 'cage.js')).cage() : undefined;
  const results = [await runAva('package (ava)', [], cage?.environment)];
  // Elsewhere it always drives.
  if (process.platform === 'linux') {
    const files = HANDED_OVER.map((name) => `build/${name}.spec.js`);
    results.push(await runAva('handing over, driven by the thread', files, { FERRONET_DRIVER: 'thread' }));
  }
  const caged = { name: 'no external buffers', passed: 0, failed: 0, skipped: 0 };
  if (cage === undefined) {
    caged.skipped = 1;
  } else {
    const { asked, refused } = cage.count();
    cage.remove();
    console.log(`# external buffers: ${asked} looked for the functions, ${refused} were refused`);
    if (asked > 0 && refused === 0) caged.passed = 1;
    else caged.failed = 1;
  }
  return [...results, caged];
}

async function main() {
  const results = [await testReactor(), ...(await testPackage())];
  console.log('');
  for (const { name, passed, failed, skipped } of results) {
    console.log(`${name}: ${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`);
  }
  const passed = results.reduce((total, result) => total + result.passed, 0);
  const failed = results.reduce((total, result) => total + result.failed, 0);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

main();
