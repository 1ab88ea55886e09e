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

/** @param {string} program */
function nameOf(program) {
  return path.basename(program).replace(/-[0-9a-f]{16}(\.exe)?$/, '');
}

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
 * @param {string[]} [titles] of the tests to run, if not all
 * @returns {Counts & { isWhole: boolean }} `isWhole`: each test has run, and what failed is tests, by their titles
 */
function once(target, program, titles = []) {
  const cwd = path.dirname(program);
  const [command, ...rest] = machine.on(target, [program, '--exact', ...titles], cwd);
  const options = {
    cwd,
    log: `reactor-${target.name}-${nameOf(program)}${titles.length > 0 ? '-again' : ''}`,
    minutes: MINUTES,
  };
  const { status, output } = attempt(String(command), rest, options);
  const counts = counted(output);
  if (!counts) {
    const last = output.trimEnd().split('\n').at(-1);
    return { passed: 0, skipped: 0, failed: [`no end, status ${status}: ${last}`], isWhole: false };
  }
  // A program can end badly behind its last test.
  if (status !== 0 && counts.failed.length === 0)
    return { ...counts, failed: [`ended with ${status}`], isWhole: false };
  return { ...counts, isWhole: true };
}

/**
 * A program's tests, and once more what has failed where that may be the machine's fault.
 * @param {Target} target
 * @param {string} program
 * @returns {Result}
 */
function testsOf(target, program) {
  const first = once(target, program);
  if (first.failed.length === 0 || !PACES[target.runner].isFlaky) return { ...first, again: [] };
  if (!first.isWhole) {
    const second = once(target, program);
    return { ...second, again: second.failed.length === 0 ? first.failed : [] };
  }
  const second = once(target, program, first.failed);
  return {
    passed: first.passed + second.passed,
    skipped: first.skipped,
    failed: second.failed,
    again: first.failed.filter((title) => !second.failed.includes(title)),
  };
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
    const { passed, skipped, failed, again } = testsOf(target, program);
    result.passed += passed;
    result.skipped += skipped;
    const name = nameOf(program);
    result.failed.push(...failed.map((title) => `${name}: ${title}`));
    result.again.push(...again.map((title) => `${name}: ${title}`));
  }
  return result;
}

module.exports = { testReactor };
