// Runs the tests that the reactor has by itself, in Rust, on a target's machine.
'use strict';

const path = require('node:path');
const { buildTests } = require('./build.js');
const { attempt, step } = require('./commands.js');
const machine = require('./machine.js');

/** @typedef {import('./targets.js').Target} Target */
/** @typedef {import('./suite.js').Counts} Result */

/** Of a program. Whoever emulates a processor takes some of them; what hangs takes them all. */
const MINUTES = 5;

/**
 * What a program of tests says of itself.
 * @param {string} printed
 * @returns {Result | undefined} nothing, if it has not come to its end
 */
function counted(printed) {
  const sum = /^test result: \w+\. (\d+) passed; \d+ failed; (\d+) ignored;/m.exec(printed);
  if (!sum) return undefined;
  const failed = [...printed.matchAll(/^test (.+) \.\.\. FAILED$/gm)].map((found) => String(found[1]));
  return { passed: Number(sum[1]), failed, skipped: Number(sum[2]) };
}

/**
 * @param {Target} target
 * @returns {Result}
 */
function testReactor(target) {
  const programs = buildTests(target);
  step(`${target.name}: the tests of the reactor`);
  /** @type {Result} */
  const result = { passed: 0, failed: [], skipped: 0 };
  for (const program of programs) {
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
    result.passed += passed;
    result.skipped += skipped;
    result.failed.push(...failed.map((title) => `${name}: ${title}`));
    // A program can end badly behind its last test.
    if (status !== 0 && failed.length === 0) result.failed.push(`${name} ended with ${status}`);
  }
  return result;
}

module.exports = { testReactor };
