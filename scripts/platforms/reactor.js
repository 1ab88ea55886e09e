// Runs the tests that the reactor has by itself, in Rust, on a target's machine.
'use strict';

const path = require('node:path');
const { buildTests } = require('./build.js');
const { attempt, step } = require('./commands.js');
const machine = require('./machine.js');
const { PACES } = require('./suite.js');

/** @typedef {import('./targets.js').Target} Target */
/** @typedef {import('./suite.js').Counts} Counts */
/** @typedef {import('./suite.js').Result} Result */

/** Of a program. An emulated processor needs some of them; what hangs takes them all. */
const MINUTES = 5;

/**
 * What a program of tests says of itself.
 * @param {string} printed
 * @returns {Counts | undefined} nothing, if it has not come to its end
 */
function counted(printed) {
  const sum = /^test result: \w+\. (\d+) passed; \d+ failed; (\d+) ignored;/m.exec(printed);
  if (!sum) return undefined;
  const failed = [...printed.matchAll(/^test (.+) \.\.\. FAILED$/gm)].map((found) => String(found[1]));
  return { passed: Number(sum[1]), failed, skipped: Number(sum[2]) };
}

/**
 * @param {Target} target
 * @param {string} program
 * @returns {Counts}
 */
function once(target, program) {
  const name = path.basename(program).replace(/-[0-9a-f]{16}(\.exe)?$/, '');
  const cwd = path.dirname(program);
  const [command, ...rest] = machine.on(target, [program], cwd);
  const options = { cwd, log: `reactor-${target.name}-${name}`, minutes: MINUTES };
  const { status, output } = attempt(String(command), rest, options);
  const { passed, failed, skipped } = counted(output) ?? {
    passed: 0,
    failed: [`no end, status ${status}: ${output.trimEnd().split('\n').at(-1)}`],
    skipped: 0,
  };
  // A program can end badly behind its last test.
  if (status !== 0 && failed.length === 0) failed.push(`ended with ${status}`);
  return { passed, skipped, failed: failed.map((title) => `${name}: ${title}`) };
}

/**
 * @param {Target} target
 * @returns {Result}
 */
function testReactor(target) {
  const programs = buildTests(target);
  step(`${target.name}: the tests of the reactor`);
  /** @type {Result} */
  const result = { passed: 0, failed: [], skipped: 0, again: [] };
  for (const program of programs) {
    let counts = once(target, program);
    if (counts.failed.length > 0 && PACES[target.runner].isFlaky) {
      const first = counts.failed;
      counts = once(target, program);
      const { failed } = counts;
      result.again.push(...first.filter((title) => !failed.includes(title)));
    }
    result.passed += counts.passed;
    result.skipped += counts.skipped;
    result.failed.push(...counts.failed);
  }
  return result;
}

module.exports = { testReactor };
